"""What a terminal remembers, as pages of its notebook (3; 4.4.1).

Every key begins with the terminal's name. `session/<package>/<session>` what was asked and
answered; `reference/<code>` which exchange a paymentSolutionReference stands for;
`slot/<package>/<n>` which session of an application to forget next; `cancellable/<brand>` the last
payments; `line/<period>/<n>` what a day-end adds up and `period` which batch is open;
`offline/<code>` what waits for its upload; `parameters/<kind>` what the management system gave.
"""

from dataclasses import dataclass, field
from typing import Any

from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.slip import read as read_slip
from tollbridge.ground.flow import Note
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.wire import json


@dataclass(slots=True, kw_only=True)
class Session:
    """One exchange, as it becomes. `response` is the WPI_RESPONSE as it was sent, "" until then.

    `reference` is its paymentSolutionReference; `attempt` counts how often the host was asked: a
    card that wants a PIN after all is asked for again, under another key. `slip` is what its
    receipt says, a draft while it is not over. `echoes` are the fields that every response repeats
    of its request; the rest of the request is not kept. `printed`: a receipt is on paper.
    """

    package: str
    session: str
    service: str
    reference: str
    attempt: int = 1
    echoes: dict[str, Any] = field(default_factory=dict)
    receipt_formats: tuple[str, ...] = ()
    slip: Slip | None = None
    tips: bool = False
    converts: bool = False
    printed: bool = False
    response: str = ""

    @property
    def over(self) -> bool:
        """Whether the exchange ended with a response."""
        return bool(self.response)

    def write(self) -> bytes:
        """Write the session, without what is as it is by default."""
        page: dict[str, Any] = {
            "package": self.package,
            "session": self.session,
            "service": self.service,
            "reference": self.reference,
        }
        for name in _OPTIONAL:
            if value := getattr(self, name):
                page[name] = value
        if self.attempt > 1:
            page["attempt"] = self.attempt
        if self.slip is not None:
            page["slip"] = self.slip.written()
        written = json.write(page)
        if self.response:
            # It is JSON already, and the longest part.
            written = b'%b,"response":%b}' % (written[:-1], self.response.encode())
        return written


_OPTIONAL = ("echoes", "receipt_formats", "tips", "converts", "printed")


def read(value: bytes) -> Session:
    """Read a session as `write` wrote it."""
    page = json.read_object(value, what="session")
    session = Session(**page)
    session.receipt_formats = tuple(session.receipt_formats)
    session.slip = read_slip(page["slip"]) if "slip" in page else None
    session.response = json.write(page["response"]).decode() if "response" in page else ""
    return session


@dataclass(frozen=True, slots=True)
class Pages:
    """Names the pages of one terminal."""

    terminal: str

    def session(self, package: str, session: str) -> str:
        """Name the page of a session."""
        return f"{self.terminal}/session/{package}/{session}"

    def reference(self, code: str) -> str:
        """Name the page of a paymentSolutionReference."""
        return f"{self.terminal}/reference/{code}"

    def reference_note(self, session: Session) -> Note:
        """Make the note that finds an exchange by its paymentSolutionReference."""
        value = [session.package, session.session, session.service]
        return Note(self.reference(session.reference), json.write(value), expected=0)

    def slots(self, package: str) -> str:
        """Name the beginning of the pages of an application's history."""
        return f"{self.terminal}/slot/{package}/"

    def slot(self, package: str, slot: int) -> str:
        """Name the page that says which session used a slot of the history, and as which one."""
        return f"{self.slots(package)}{slot}"

    def cancellable(self, brand: str) -> str:
        """Name the page that lists a brand's last payments."""
        return f"{self.terminal}/cancellable/{brand}"

    def line(self, period: int, number: int) -> str:
        """Name the page of one line of a batch."""
        return f"{self.lines(period)}{number:09d}"

    def lines(self, period: int) -> str:
        """Name the beginning of the pages of a batch."""
        return f"{self.terminal}/line/{period:06d}/"

    @property
    def period(self) -> str:
        """The page that says which batch is open and which one is being closed."""
        return f"{self.terminal}/period"

    def offline(self, reference: str = "") -> str:
        """Name the page of an offline approval that waits for its upload."""
        return f"{self.terminal}/offline/{reference}"

    def parameters(self, kind: str) -> str:
        """Name the page of parameters from the management system."""
        return f"{self.terminal}/parameters/{kind}"

    def key(self, package: str, session: str, attempt: int = 1) -> IdempotencyKey:
        """Give the idempotency key of an exchange: sessions are unique per application (4.3.5)."""
        again = f"#{attempt}" if attempt > 1 else ""
        return IdempotencyKey(f"wpi/{self.terminal}/{package}{again}", session)


def listed(value: bytes | None) -> list[str]:
    """Read a list of references."""
    found: list[Any] = json.read(value) if value else []
    return [str(item) for item in found]
