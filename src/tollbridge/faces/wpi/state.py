"""What a terminal knows while its process lives: what it is busy with, and what it last read.

Whatever must survive stands in the notebook before it matters.
"""

from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from tollbridge.faces.wpi.messages import Call
from tollbridge.faces.wpi.profile import Profile
from tollbridge.faces.wpi.scenario import NOTHING, Scenario
from tollbridge.faces.wpi.sessions import Pages, Session
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import CardApplication, Parameters, ReadCard
from tollbridge.ground.clock import Clock
from tollbridge.ground.ids import IdSource
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret

T = TypeVar("T")
Talk: TypeAlias = Generator[Any, Any, T]
"""A part of a flow: yields what the flow yields, and ends with a T."""


class Died(Exception):
    """A scenario: the terminal's program is gone, and nobody is answered."""


class Refused(Exception):
    """The request is answered with a failure; `remark` is for the integrator."""

    def __init__(self, condition: Condition, remark: str) -> None:
        super().__init__(remark)
        self.condition = condition
        self.remark = remark


class Unknown(Refused):
    """Nobody can say what became of it now: the exchange stays open."""

    def __init__(self) -> None:
        remark = "the journal failed; ask with WPI_SVC_LAST_TRANSACTION"
        super().__init__(Condition.INTERNAL, remark)


@dataclass(slots=True, kw_only=True)
class Seen:
    """A card that was read, and what is settled about it one after the other.

    `verification` is how its holder is verified; `identification` asks for a document beside.
    """

    card: ReadCard
    application: CardApplication
    language: str = ""
    token: str = ""
    verification: str = "none"
    identification: bool = False
    pin: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A recognised card that waits for what follows, until a moment on the monotonic clock."""

    seen: Seen
    package: str
    service: str
    money: Money
    until_s: float


@dataclass(slots=True, kw_only=True)
class Run:
    """The exchange a terminal is busy with.

    `sent`: the host was asked, so that nothing can be aborted any more. `version` is that of the
    session's page, 0 before it is written. `pins` are what a
    scenario lets the cardholder enter, `pins_sent` how many PINs the host has seen.
    """

    call: Call
    session: Session
    profile: Profile
    scenario: Scenario = NOTHING
    language: str = ""
    sent: bool = False
    aborted: bool = False
    version: int = 0
    pins: deque[str] = field(default_factory=deque)
    pins_sent: int = 0
    delegated: bool = True

    @property
    def name(self) -> tuple[str, str]:
        """Whose exchange it is."""
        return self.call.package, self.call.session


class Terminal:
    """One terminal. `base` is its profile as configured, `profile` with the tables `fetched` last
    of each kind."""

    def __init__(self, base: Profile, clock: Clock, ids: IdSource) -> None:
        self.base = base
        self.profile = base
        self.clock = clock
        self.ids = ids
        self.pages = Pages(base.terminal_id)
        self.running: Run | None = None
        self.held: Held | None = None
        self.last_slip: Slip | None = None
        self.awake = False
        self.period = 1
        self.closing: int | None = None
        self.next_line = 1
        self.counts: dict[str, int] = {}
        self.cancellable: dict[str, list[str]] = {}
        self.fetched: Mapping[Parameters, Mapping[str, object]] = {}

    def takes_card(self, run: Run, money: Money) -> Seen | None:
        """Give the held card if it is for this exchange; any other one is let go."""
        held, self.held = self.held, None
        if held is None or held.until_s < self.clock.monotonic_s():
            return None
        wanted = (run.call.package, run.call.service.name, money)
        return held.seen if wanted == (held.package, held.service, held.money) else None
