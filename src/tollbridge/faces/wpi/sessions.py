"""What the terminal remembers of an exchange, as pages of its notebook (3; 4.4.1).

Pages: `session/<package>/<session>` what was asked and answered; `reference/<code>` which exchange
a paymentSolutionReference stands for; `package/<package>` how many sessions the application used;
`slot/<package>/<n>` which session to forget next; `cancellable/<brand>` the last payments.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from tollbridge.ground.flow import Note
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.wire import json


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One exchange. `response` is the WPI_RESPONSE as it was sent; "" while it is not over.

    `reference` is its paymentSolutionReference; `merchant_reference`, `product_records` and
    `receipt_formats` are what the response needs of the request, the rest is not kept.
    """

    package: str
    session: str
    service: str
    reference: str
    merchant_reference: str | None = None
    product_records: list[Any] | None = None
    receipt_formats: tuple[str, ...] = ()
    card_used: bool = False
    language: str = ""
    response: str = ""

    @property
    def page(self) -> str:
        """The page it is kept on."""
        return page(self.package, self.session)

    @property
    def over(self) -> bool:
        """Whether the exchange ended with a response."""
        return bool(self.response)

    def write(self) -> bytes:
        """Write the session."""
        return json.write({name: getattr(self, name) for name in _NAMES})


_NAMES = tuple(item.name for item in fields(Session))


def read(value: bytes) -> Session:
    """Read a session as `write` wrote it."""
    session = Session(**json.read_object(value, what="session"))
    return replace(session, receipt_formats=tuple(session.receipt_formats))


def page(package: str, session: str) -> str:
    """Name the page of a session."""
    return f"session/{package}/{session}"


def key(terminal: str, package: str, session: str) -> IdempotencyKey:
    """Give the idempotency key of an exchange: sessions are unique per application (4.3.5)."""
    return IdempotencyKey(f"wpi/{terminal}/{package}", session)


def reference_page(code: str) -> str:
    """Name the page of a paymentSolutionReference."""
    return f"reference/{code}"


def reference_note(session: Session) -> Note:
    """Make the note that finds an exchange by its paymentSolutionReference."""
    value = [session.package, session.session, session.service]
    return Note(reference_page(session.reference), json.write(value), expected=0)


def package_page(package: str) -> str:
    """Name the page that counts an application's sessions."""
    return f"package/{package}"


def slot_page(package: str, slot: int) -> str:
    """Name the page that says which session used a slot of the history."""
    return f"slot/{package}/{slot}"


def cancellable_page(brand: str) -> str:
    """Name the page that lists a brand's last payments."""
    return f"cancellable/{brand}"


def listed(value: bytes | None) -> list[str]:
    """Read a list of references."""
    found: list[Any] = json.read(value) if value else []
    return [str(item) for item in found]
