"""A terminal's surroundings: its people, its reader, its secure element, its printer, its line.

The face says what it wants as a `Saying`; a device finds who can answer it. People are at a screen
while somebody looks at it, else a script plays them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Protocol

from tollbridge.faces.contract import Seal, Tokenize, Unseal
from tollbridge.faces.wpi.profile import Profile
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.state import Run
from tollbridge.faces.wpi.wishes import (
    Answer,
    Begin,
    EnterPin,
    Fetch,
    Fetched,
    FetchFault,
    Notice,
    PinVerified,
    PinWrong,
    PresentCard,
    Print,
    Printed,
    PrinterFault,
    ReadCard,
    Saying,
    Topic,
    VerifyPin,
    Withdraw,
)
from tollbridge.ground.clock import Clock, Instant
from tollbridge.ground.errors import ConfigError, LocalProtocolError
from tollbridge.ground.flow import Party
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.server.secure import SecureElement
from tollbridge.terminal.paper import Paper, as_svg
from tollbridge.terminal.parameters import Management
from tollbridge.terminal.printers import (
    DEFECT,
    NONE,
    Printer,
    PrinterFailed,
    printer,
    put,
)
from tollbridge.terminal.reader import CardReader, either, verify
from tollbridge.terminal.screen import PACE_S, Screen
from tollbridge.terminal.script import Script
from tollbridge.terminal.wallet import Wallet

log = logging.getLogger("tollbridge.terminal")

PAPERS = 20
OUTCOMES = 10
SCENARIO_TIMES_MAX = 1000
LINGER_S = 8.0
"""How long an outcome stays on a screen somebody looks at."""
FOLLOW_S = 0.25
"""How often it is seen whether an exchange is over, while somebody looks."""
READY = "ready"
_ENDS = (Topic.APPROVED, Topic.DECLINED, Topic.FAILED)


class Terminal(Protocol):
    """What a device belongs to. The profile changes when parameters are fetched; `running` is the
    exchange it is busy with."""

    @property
    def profile(self) -> Profile: ...

    @property
    def running(self) -> Run | None: ...


class Plug(Protocol):
    """The line to the sandbox in this process."""

    down: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What devices are made of. `reader` is a real one, `plug` the line that can be unplugged;
    `pace_s` is how long the screen shows what a scenario answers."""

    wallet: Wallet
    clock: Clock
    secure: SecureElement
    management: Management
    reader: CardReader | None = None
    plug: Plug | None = None
    pace_s: float = PACE_S


@dataclass(slots=True)
class Sheet:
    """One receipt on paper, by its number."""

    id: int
    slip: Slip
    copy: str
    text: str
    duplicate: bool

    @property
    def paper(self) -> Paper:
        """The paper itself."""
        slip = self.slip
        return Paper(
            text=self.text, copy=self.copy, reference=slip.reference, signature=slip.signature
        )

    @property
    def qr(self) -> str:
        """The reference as an SVG to scan, "" without one."""
        return _qr(self.slip.reference) if self.slip.reference else ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What runs, or ran, and for which application."""

    service: str
    package: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an exchange came to."""

    at: Instant
    service: str
    topic: Topic
    amount: Money | None
    text: str


@dataclass(slots=True)
class Planned:
    """A scenario, and for how many exchanges."""

    scenario: Scenario
    times: int = 1


@dataclass(eq=False, slots=True)
class Watch:
    """Somebody who looks at the screen; `news` is set when it changes, or `over` comes."""

    news: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False


@lru_cache(maxsize=200)
def _qr(reference: str) -> str:
    # Alone in a file or an <img> it must say what it is.
    return as_svg(reference).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)


class Device:
    """One terminal's surroundings. `about` knows its profile."""

    def __init__(self, about: Terminal, kit: Kit) -> None:
        self.version = 1
        self.screen = Screen(self.changed, kit.pace_s)
        self.script = Script(kit.wallet, about.profile.password)
        self.wallet = kit.wallet
        self.plug = kit.plug
        self.outcomes: deque[Outcome] = deque(maxlen=OUTCOMES)
        self.papers: deque[Sheet] = deque(maxlen=PAPERS)
        self.planned: deque[Planned] = deque()
        self.printer_state = READY
        self._about = about
        self._kit = kit
        self._numbers = count(1)
        self._watches: set[Watch] = set()
        self._verify: Callable[[Secret[str]], Awaitable[PinVerified | PinWrong]] | None = None
        self._amount: Money | None = None
        self._followed = False
        self._began_at_screen = False
        self._number: Secret[str] | None = None
        self._rehearsed: Secret[str] | None = None
        self._printer: tuple[str, Printer] | None = None

    @property
    def profile(self) -> Profile:
        """The terminal's profile as it is now."""
        return self._about.profile

    @property
    def by_browser(self) -> bool:
        """Whether people at the screen answer, rather than the script."""
        player = self.profile.cardholder
        return player == "browser" or (player == "auto" and bool(self._watches))

    @property
    def exchange(self) -> Exchange | None:
        """What runs."""
        run = self._about.running
        if run is None:
            return None
        return Exchange(run.call.service.name, run.call.package, self._amount)

    @property
    def printer(self) -> str:
        """How the printer is."""
        return NONE if self.profile.printer == "none" else self.printer_state

    # Whoever looks

    def changed(self) -> None:
        """Tell whoever looks that there is something new."""
        self.version += 1
        for watch in self._watches:
            watch.news.set()

    def look(self) -> Watch:
        """Begin to look at the screen."""
        watch = Watch()
        watch.news.set()
        self._watches.add(watch)
        self.changed()
        self._follow()
        return watch

    def look_away(self, watch: Watch) -> None:
        """Look no more."""
        self._watches.discard(watch)
        self.changed()

    @property
    def watches(self) -> int:
        """How many look."""
        return len(self._watches)

    def close(self) -> None:
        """Send everybody away who looks."""
        for watch in self._watches:
            watch.over = True
            watch.news.set()

    # What the face says

    async def cardholder(self, saying: Saying) -> Answer | None:
        """Say something to the cardholder."""
        return await self._person(Party.CARDHOLDER, saying)

    async def merchant(self, saying: Saying) -> Answer | None:
        """Say something to the merchant."""
        return await self._person(Party.MERCHANT, saying)

    async def device(self, saying: Saying) -> Answer | None:
        """Say something to the hardware. What a scenario dictates is not done."""
        wish = saying.wish
        if isinstance(wish, Begin):
            return self._begin(wish)
        if isinstance(wish, Withdraw):
            self.screen.withdraw()
            return None
        if saying.dictated is not None:
            return saying.dictated
        match wish:
            case Print():
                return await self._print(wish)
            case VerifyPin(pin=pin):
                return await self._verify(pin) if self._verify is not None else PinWrong(0)
            case Tokenize():
                return self._kit.secure.tokenize(wish)
            case Seal():
                return self._kit.secure.seal(wish, self.profile.terminal_id)
            case Unseal():
                return self._kit.secure.unseal(wish, self.profile.terminal_id)
            case Fetch():
                return await self._fetch(wish)
            case other:
                raise LocalProtocolError(f"a device does not know {type(other).__name__}")

    def _asks_at_screen(self) -> bool:
        """Say who plays: who began an exchange ends it, also when the page is loaded again."""
        return self._began_at_screen if self._about.running is not None else self.by_browser

    async def _person(self, party: Party, saying: Saying) -> Answer | None:
        wish = saying.wish
        match wish:
            case Notice():
                self._show(saying, wish)
                return None
            case Withdraw():
                self.screen.withdraw()
                return None
            case PresentCard():
                return await self._present(saying, wish)
            case EnterPin() if saying.dictated is not None:
                self._rehearsed = self._number
        if self._asks_at_screen():
            return await self.screen.ask(party, saying)
        return self.script.answer(saying)

    async def _present(self, saying: Saying, wish: PresentCard) -> Answer | None:
        """Let a card be presented, and remember who can check its PIN."""
        reader = self._kit.reader
        read = False
        answer: Answer | None
        if reader is not None and saying.dictated is None:
            # The script would always be faster than a hand with a card.
            at_screen = self.screen.ask(Party.CARDHOLDER, saying)
            answer, read = await either(reader, wish, at_screen)
        elif self._asks_at_screen():
            answer = await self.screen.ask(Party.CARDHOLDER, saying)
        else:
            answer = self.script.answer(saying)
        if isinstance(answer, ReadCard):
            number = self._number = answer.number

            async def by_chip(pin: Secret[str]) -> PinVerified | PinWrong:
                if read and reader is not None:
                    return await verify(reader, pin)
                return self.wallet.verify(number, pin)

            self._verify = by_chip
        return answer

    def _show(self, saying: Saying, notice: Notice) -> None:
        """Show a notice; an outcome is remembered, and leaves the screen after a while."""
        if notice.topic is Topic.IDLE:
            self.screen.clear()
            return
        self.screen.show(saying)
        if notice.topic in _ENDS:
            ran = self.exchange or Exchange("", "", None)
            amount = notice.amount or ran.amount
            at = self._kit.clock.now()
            self.outcomes.append(Outcome(at, ran.service, notice.topic, amount, notice.text))
            if self._watches:
                asyncio.get_running_loop().call_later(LINGER_S, self.screen.clear, saying)

    def _follow(self) -> None:
        """Tell whoever looks when the exchange is over: the face does not say so."""
        if not self._followed and self._watches and self._about.running is not None:
            self._followed = True
            asyncio.get_running_loop().call_later(FOLLOW_S, self._followed_up)

    def _followed_up(self) -> None:
        self._followed = False
        if self._about.running is None:
            self.changed()
        else:
            self._follow()

    # The hardware

    def _begin(self, wish: Begin) -> Scenario | None:
        self._amount = wish.amount
        self._began_at_screen = self.by_browser
        self._follow()
        self.screen.clear()
        if self._rehearsed is not None:
            # What a scenario got wrong on purpose does not block the card for the next one.
            self.wallet.unblock(self._rehearsed)
            self._rehearsed = None
        scenario = None
        if self.planned:
            planned = self.planned[0]
            scenario = planned.scenario
            planned.times -= 1
            if planned.times == 0:
                self.planned.popleft()
        self.changed()
        return scenario

    async def _print(self, wish: Print) -> Printed | PrinterFault:
        if self.printer != READY:
            return PrinterFault(self.printer)
        sheets = [
            Sheet(next(self._numbers), wish.slip, copy, wish.texts[copy], wish.duplicate)
            for copy in wish.copies
        ]
        place = self.profile.printer
        if place != "virtual":
            try:
                at = self._printer_at(place)
                for sheet in sheets:
                    await put(at, sheet.paper)
            except PrinterFailed as failed:
                log.warning("nothing was printed: %s", failed)
                return PrinterFault(failed.why)
        self.papers.extend(sheets)
        self.changed()
        return Printed()

    def _printer_at(self, place: str) -> Printer:
        """Give the printer of a profile; it is made when it is first used."""
        if self._printer is None or self._printer[0] != place:
            try:
                self._printer = (place, printer(place))
            except ConfigError as error:
                raise PrinterFailed(DEFECT, str(error)) from None
        return self._printer[1]

    async def _fetch(self, wish: Fetch) -> Fetched | FetchFault:
        profile = self.profile
        management = self._kit.management
        return await management.fetch(
            wish, profile.terminal_id, profile.patience_s, profile.parameters_url
        )

    # What programs and mice set

    def plan(self, planned: Sequence[Planned]) -> None:
        """Set what shall happen in the next exchanges."""
        self.planned = deque(planned)
        self.changed()

    def set_printer(self, state: str) -> None:
        """Let the printer be `ready`, `paper_empty` or `defect`."""
        self.printer_state = state
        self.changed()

    def sheet(self, number: int) -> Sheet | None:
        """Find a paper by its number, among the last ones."""
        return next((found for found in self.papers if found.id == number), None)
