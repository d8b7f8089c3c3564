"""What can go wrong for a thing, one class for each way to deal with it.

Each carries the id and category of the original SDK's catalogue and is written as it writes them:
`ID, CATEGORY, text :{cause}`.

WithinError
├── BadArgument         the caller's mistake; nothing was sent
├── NotReady            a step before this one is missing
├── AddressRefused      the peer names an address that is not talked to
├── PeerUnreachable     certainly nothing left
├── PeerSilent          something may have left; nothing came back
├── PeerRefused         the peer says no: status, message, code
├── PeerNonsense        the peer's answer cannot be read
├── TokenRefused        the payment provider gave no token for the card
└── PaymentUnknown      the payment may have been made; pay again with the same total to learn it
"""

from tollbridge.ground.errors import TollbridgeError


class WithinError(TollbridgeError):
    """Base of them all. `id` and `category` are stable."""

    code = "within"

    def __init__(
        self, name: str, category: str, text: str, cause: BaseException | None = None
    ) -> None:
        self.id = name
        self.category = category
        nested = f" :{{{cause}}}" if cause is not None else ""
        super().__init__(f"{name}, {category}, {text}{nested}")


class BadArgument(WithinError):
    """The caller asked for something impossible; nothing was sent."""

    code = "within_argument"


class NotReady(WithinError):
    """A step before this one is missing; the text names it."""

    code = "within_not_ready"

    def __init__(self, step: str) -> None:
        super().__init__("UNKNOWN", "WPW", f"call {step} first")


class AddressRefused(WithinError):
    """The peer names an address that is not talked to (WIRE 1.5)."""

    code = "within_address"


class PeerUnreachable(WithinError):
    """The peer cannot be reached; certainly nothing left."""

    code = "within_unreachable"


class PeerSilent(WithinError):
    """No answer came in time; the request may have arrived."""

    code = "within_silent"


class PeerRefused(WithinError):
    """The peer says no. `status` is that of HTTP, `message` and `number` are the peer's."""

    code = "within_refused"

    def __init__(self, status: int, message: str, number: int = 0) -> None:
        self.status = status
        self.message = message
        self.number = number
        self.id, self.category = "HTTP_REQUEST_POST", "HTTP"
        TollbridgeError.__init__(self, f"{status} - {message} ({number})")


class PeerNonsense(WithinError):
    """The peer's answer cannot be read, or does not fit what was asked."""

    code = "within_nonsense"


class TokenRefused(WithinError):
    """The payment provider gave no token for the card."""

    code = "within_token"


class PaymentUnknown(WithinError):
    """The payment may have been made. Paying the same total again learns it and charges once."""

    code = "within_payment_unknown"
