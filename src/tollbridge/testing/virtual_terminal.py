"""A payment terminal for tests: a server in this process, with its card network and its people.

It listens on a free port of this machine, keeps its files in a folder, and starts in some
hundredths of a second: each test can have its own.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tollbridge.cli import runtime
from tollbridge.engine.background import BackgroundLoop
from tollbridge.engine.config import Settings
from tollbridge.faces.wpi import scenario
from tollbridge.faces.wpi.wishes import (
    Answer,
    Cancelled,
    Chosen,
    CurrencyChosen,
    LanguageChosen,
    MenuChosen,
    MenuItem,
    Notice,
    PasswordEntered,
    PinEntered,
    PresentCard,
    Saying,
    TimedOut,
    TipAdded,
    Withdraw,
)
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.book import Movement
from tollbridge.server.inside import Served, listen
from tollbridge.terminal.device import Device, Planned
from tollbridge.terminal.script import ALWAYS, FITTING, Script
from tollbridge.terminal.wallet import PIN, Wallet, wallet
from tollbridge.testing import verdict
from tollbridge.wpi_client import BlockingWpiClient, Options

WRONG_PIN = "0000"
PACKAGE = "com.example.till"
USUAL: dict[str, Any] = {"cardholder": "script", "tip": {}, "dcc": {"rates": {"USD": "1.10"}}}
"""The settings of a terminal where a test says nothing else: it asks for tips and converts."""
QUICK = Options(people_s=30, recovery_s=15, in_flight_s=0.1, pause_s=0.02, pause_most_s=0.2)
"""How long a till of a test waits: everything is on this machine."""


@dataclass(frozen=True, slots=True)
class Presenting:
    """A card to present, and how it is read ("" as the cardholder likes it)."""

    card: str
    by: str = ""


Plan = Presenting | Answer


class People(Script):
    """The people at a terminal: what is asked is answered by the next planned answer that fits, or
    else as usual. A stop or a time-out answers the next question after what was planned before."""

    def __init__(self, cards: Wallet, password: Secret[str] | None, plans: "deque[Plan]") -> None:
        super().__init__(cards, password)
        self._cards = cards
        self._plans = plans

    def answer(self, saying: Saying) -> Answer | None:
        if saying.dictated is None and not isinstance(saying.wish, Notice | Withdraw):
            for plan in list(self._plans):
                if isinstance(plan, ALWAYS) and plan is not self._plans[0]:
                    break
                if isinstance(plan, Presenting) and isinstance(saying.wish, PresentCard):
                    self._plans.remove(plan)
                    self.presented = self._cards[plan.card]
                    return self.presented.read(saying.wish, plan.by)
                if isinstance(plan, (*ALWAYS, *FITTING.get(type(saying.wish), ()))):
                    self._plans.remove(plan)
                    return plan  # type: ignore[return-value]
        return super().answer(saying)


class Cardholder:
    """What the cardholder will do. Calls may be chained; each is used for one question.

    By default the first card is presented, the PIN is right, there is no tip, and the currency is
    the local one.
    """

    def __init__(self, plans: "deque[Plan]", cards: Wallet) -> None:
        self._plans = plans
        self._cards = cards

    @property
    def left(self) -> int:
        """How many answers are planned that nothing was asked for yet."""
        return len(self._plans)

    def presents(self, *cards: str, by: str = "") -> Self:
        """Present these cards, one each time they are asked for: "visa", "visa-declined",
        "two-cards" … (`tollbridge sandbox cards` and the terminal's page show them).

        `by` is how they are read: "contactless", "chip", "magstripe", "qr". Raises KeyError for a
        card nobody has.
        """
        for card in cards:
            self._cards[card]
        return self._will(*(Presenting(card, by) for card in cards))

    def cancels(self) -> Self:
        """Press stop at the next question."""
        return self._will(Cancelled())

    def waits(self) -> Self:
        """Do nothing at the next question, until its time is over. The test need not wait."""
        return self._will(TimedOut())

    def enters_pin(self, *pins: str) -> Self:
        """Enter PINs: "right", "wrong", or digits."""
        known = {"right": PIN, "wrong": Secret(WRONG_PIN)}
        return self._will(*(PinEntered(known.get(pin, Secret(pin))) for pin in pins))

    def adds_tip(self, amount_minor: int) -> Self:
        """Add a tip, in minor units."""
        return self._will(TipAdded(amount_minor))

    def chooses(self, currency: str) -> Self:
        """Pay in this currency, where there is a choice."""
        return self._will(CurrencyChosen(currency))

    def chooses_application(self, place: int) -> Self:
        """Choose an application of the card, counted from 0."""
        return self._will(Chosen(place))

    def speaks(self, language: str) -> Self:
        """Choose a language (ISO 639-1), where there is a choice."""
        return self._will(LanguageChosen(language))

    def _will(self, *plans: Plan) -> Self:
        self._plans.extend(plans)
        return self


class Merchant:
    """What the merchant will do at the terminal; by default, enter the right password and leave
    the menu."""

    def __init__(self, plans: "deque[Plan]") -> None:
        self._plans = plans

    def enters_password(self, *passwords: str) -> Self:
        """Enter these passwords."""
        self._plans.extend(PasswordEntered(Secret(password)) for password in passwords)
        return self

    def chooses(self, *items: str) -> Self:
        """Choose from the menu: "totals", "reprint", "day_end", "leave" and others (4.3.1)."""
        self._plans.extend(MenuChosen(MenuItem(item)) for item in items)
        return self


class VirtualTerminal:
    """A running terminal. `settings` are those of [faces.wpi]; USUAL holds the others, and None
    takes one of those away.

    Raises ConfigError for a setting that cannot be.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.token = RandomIds().secret()
        wanted = USUAL | settings
        self._settings = {name: value for name, value in wanted.items() if value is not None}
        self._port = 0
        self._plans: deque[Plan] = deque()
        self._cards = wallet()
        self.cardholder = Cardholder(self._plans, self._cards)
        self.merchant = Merchant(self._plans)
        self._tills: list[BlockingWpiClient] = []
        self._journals: dict[Path, None] = {}
        self._loop: BackgroundLoop | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # For the till

    @property
    def url(self) -> str:
        """Where tills find it; the same after a restart."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def page(self) -> str:
        """Where a person may look at it."""
        return f"{self.url}/terminal"

    @property
    def client(self) -> BlockingWpiClient:
        """A till at this terminal, with a journal of its own; the same one each time."""
        return self._tills[0] if self._tills else self.till()

    def till(self, journal: str = "till.sqlite", package: str = PACKAGE) -> BlockingWpiClient:
        """Open a till whose journal lies in the terminal's folder; it is closed with it."""
        file = self.folder / journal
        self._journals[file] = None
        self._tills.append(
            BlockingWpiClient(
                self.url, token=self.token, package=package, journal=file, options=QUICK
            )
        )
        return self._tills[-1]

    # What happens

    def scenario(self, *, times: int = 1, **words: Any) -> None:
        """Say what shall happen in the next exchanges, after what was said before.

        The words are those of docs/reference/terminal-api.md, for example `card="fallback"`,
        `fault="late_answer:2"`, `recovery="answer_lost"`, `condition="CARD_READ_ERR"`. Raises
        ConfigError for a word that does not exist.
        """
        planned = Planned(scenario.read(words), times)
        self._do(lambda device: device.plan([*device.planned, planned]))

    def printer(self, state: str) -> None:
        """Let the printer be "ready", "paper_empty" or "defect"."""
        self._do(lambda device: device.set_printer(state))

    def network(self, *, up: bool) -> None:
        """Unplug the line to the card network, or plug it in."""

        def plug(device: Device) -> None:
            assert device.plug is not None, "the network is in this process"
            device.plug.down = not up

        self._do(plug)

    @property
    def papers(self) -> list[str]:
        """What came out of the printer since the last start, oldest first, at most 20."""
        return list(self._do(lambda device: [sheet.text for sheet in device.papers]))

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._loop is not None

    def start(self) -> None:
        """Start it after `kill`, on the same files and the same port."""
        if self._loop is not None:
            return
        settings = Settings(journal=self._journal, port=self._port, faces={"wpi": self._settings})
        self._running = runtime.build(settings, Secret(self.token))
        self._device = next(iter(self._running.terminals.values()))
        password = self._device.profile.password
        self._device.script = People(self._cards, password, self._plans)
        listening = listen("127.0.0.1", self._port)
        self._port = listening.getsockname()[1]
        leaving = self._running.terminals.close
        self._served = Served(self._running.app, listening, websockets=True, leaving=leaving)
        self._loop = BackgroundLoop()
        self._loop.run(self._served.start())

    def kill(self) -> None:
        """Take it away in the middle of whatever it does: connections break, nothing is finished,
        what was durable stays."""
        if self._loop is not None:
            self._loop.run(self._die())
            self._loop.close()
            self._loop = None

    def restart(self) -> None:
        """Kill it, and start it again on its files."""
        self.kill()
        self.start()

    def close(self) -> None:
        """Close the tills and take the terminal away."""
        for till in self._tills:
            till.close()
        self.kill()

    # Who was right

    def book(self) -> list[Movement]:
        """Give what the card network moved, oldest first."""
        return verdict.movements(runtime.book_of(self._journal))

    def verdict(self, *journals: Path) -> list[str]:
        """List every contradiction between what the network moved, the terminal's journal, what
        applications were told, and what tills believe: money lost or doubled. Empty is good.

        `journals` are those of your tills, beside those opened here.
        """
        book = runtime.book_of(self._journal)
        terminal = self._device.profile.terminal_id
        return verdict.verdict(self._journal, book, terminal, [*self._journals, *journals])

    @property
    def _journal(self) -> Path:
        return self.folder / "terminal.sqlite"

    def _do(self, what: Any) -> Any:
        """Do something with the device where it lives."""

        async def there() -> Any:
            return what(self._device)

        if self._loop is None:
            raise RuntimeError("the terminal was killed; start it first")
        return self._loop.run(there())

    async def _die(self) -> None:
        self._served.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        last_words = logging.getLogger("uvicorn.error")
        last_words.disabled = True  # a killed process does not complain
        try:
            await asyncio.gather(*others, return_exceptions=True)
        finally:
            last_words.disabled = False
        await self._running.engine.close()
