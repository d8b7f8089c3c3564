"""What the host is asked, whichever API it came by, and what it may refuse."""

from dataclasses import dataclass

from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret

STATUS = {
    "BAD_REQUEST": 400,
    "TKN_EXPIRED": 400,
    "ERROR_PARSING_JSON": 400,
    "INVALID_PAYMENT_DETAILS": 400,
    "RECURRING_BILLING_NOT_ENABLED": 400,
    "UNAUTHORIZED": 401,
    "TKN_NOT_FOUND": 404,
    "ORDER_NOT_FOUND": 404,
    "TOKEN_CONFLICT": 409,
    "MEDIA_TYPE_NOT_SUPPORTED": 415,
    "INTERNAL_SERVER_ERROR": 500,
    "UNEXPECTED_ERROR": 500,
    "API_ERROR": 500,
}
"""The service's custom codes that this host uses, and the HTTP status each comes with."""


class Refused(Exception):
    """An answer other than yes: one of the codes of STATUS, and a sentence without secrets."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose card it is, and until when it is valid. All of it may be shown and written."""

    name: str
    month: int
    year: int


@dataclass(frozen=True, slots=True)
class NewToken:
    """A card to make a token of, for the merchant with this public key."""

    client_key: str
    holder: Holder
    number: Secret[str]
    cvc: Secret[str] | None


@dataclass(frozen=True, slots=True)
class VaultCard:
    """The same by SecureNet's API."""

    token: NewToken


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A token to charge. `asked` is the asker's own name for the order, "" where it gave none."""

    service_key: Secret[str]
    token: Secret[str]
    money: Money
    code: str
    description: str
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """The same by SecureNet's API; `amount` is a decimal in major units of the merchant's
    currency."""

    secure_net_id: str
    secure_key: Secret[str]
    token: Secret[str]
    amount: str
    code: str


@dataclass(frozen=True, slots=True)
class FindOrders:
    """The orders with a customer order code."""

    service_key: Secret[str]
    code: str


@dataclass(frozen=True, slots=True)
class ShowOrder:
    """One order by the host's name for it."""

    service_key: Secret[str]
    order: str


@dataclass(frozen=True, slots=True)
class NewRefund:
    """Give back of an order; `amount_minor` None for all that is left."""

    service_key: Secret[str]
    order: str
    amount_minor: int | None
    asked: str = ""


@dataclass(frozen=True, slots=True)
class ListTransactions:
    """The newest payments, for people to look at."""


@dataclass(frozen=True, slots=True)
class ShowPage:
    """The page that shows them."""
