"""A world to crash: an engine, its journal, and a provider that keeps its own book.

The provider is the sandbox network. It survives our crashes, as a real one would, and so do the
messages on their way to it. Its book is the oracle: what it moved must equal what we recorded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from tollbridge.bridges.contract import Bridge
from tollbridge.bridges.sandbox import IN_PROCESS, bridge
from tollbridge.core.asks import Ask
from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.core.operation import FINAL, State
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.ground.ids import IdempotencyKey, OperationId, SeededIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.journal.journal import Change, Journal, Result, load, verify
from tollbridge.journal.memory import MemoryJournal
from tollbridge.sandbox.book import Book, Movement
from tollbridge.sandbox.cards import BY_ACCOUNT
from tollbridge.sandbox.compare import compare
from tollbridge.sandbox.faults import Fault, Faults, Trouble
from tollbridge.sandbox.network import Network
from tollbridge.sandbox.service import Service, spoiled
from tollbridge.testing import virtual
from tollbridge.testing.clock import ManualClock
from tollbridge.wire import json
from tollbridge.wire.http import Request, Response

RECOVERY_LIMIT_S = 4 * 3600.0
Scenario = Callable[["World"], Awaitable[None]]


class Crash(SystemExit):
    """The process is gone, now."""


@dataclass
class Steps:
    """Counts the moments at which a crash makes a difference; crashes at one of them.

    After the crash nothing of the dead process may reach the outside any more.
    """

    crash_at: int | None = None
    taken: int = 0
    dead: bool = False

    def take(self) -> None:
        """Pass one moment, or die at it."""
        if self.dead or self.taken == self.crash_at:
            self.dead = True
            raise Crash
        self.taken += 1


class TheirClock:
    """The provider's clock: goes on with ours, and does not jump when ours is set."""

    def __init__(self, ours: ManualClock) -> None:
        self._ours = ours
        self._start = ours.now()

    def now(self) -> Instant:
        return Instant(self._start + round(self._ours.monotonic_s() * MICROSECONDS_PER_S))

    def monotonic_s(self) -> float:
        return self._ours.monotonic_s()


class CrashingJournal:
    """A journal with a moment before and after every commit."""

    def __init__(self, journal: Journal, steps: Steps) -> None:
        self._journal = journal
        self._steps = steps

    def commit(self, changes: Sequence[Change]) -> list[Result]:
        """Commit, if the process lives so long."""
        self._steps.take()
        results = self._journal.commit(changes)
        self._steps.take()
        return results

    def close(self) -> None:
        """Keep the journal open: the next engine needs it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


class Way:
    """The way to the provider, with its trouble, and a moment before and after every message."""

    def __init__(self, world: "World", steps: Steps) -> None:
        self._world = world
        self._steps = steps

    async def send(self, request: Request, limit_s: float) -> Response:
        self._steps.take()
        answer = await self._carry(request, limit_s)
        self._steps.take()
        return answer

    async def close(self) -> None:
        pass

    async def _carry(self, request: Request, limit_s: float) -> Response:
        world = self._world
        trouble = world.choose(request)
        if trouble is None:
            return world.do(request)
        match trouble.fault:
            case Fault.REFUSE:
                raise NotSent("refused")
            case Fault.LATE_DELIVERY:
                world.under_way.append((world.clock.monotonic_s() + trouble.delay_s, request))
                answer = None
            case Fault.PENDING:
                return world.pend(request, trouble.delay_s)
            case _:
                answer = spoiled(world.do(request), trouble.fault)
        if trouble.fault is Fault.LATE_ANSWER:
            await asyncio.sleep(min(trouble.delay_s, limit_s))
            answer = answer if trouble.delay_s < limit_s else None
        elif answer is None and trouble.fault is not Fault.DROP:
            await asyncio.sleep(limit_s)
        if answer is None:
            raise NoAnswer("silence")
        return answer


class World:
    """Everything a payment needs, in memory and in virtual time.

    `journal` makes the journal (in memory unless told otherwise), `adapt` may change the bridge,
    for example its capabilities. `told` is what askers were told about operations.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        journal: Callable[[], Journal] = MemoryJournal,
        can_be_asked: bool = True,
        adapt: Callable[[Bridge], Bridge] = lambda bridge: bridge,
    ) -> None:
        self.clock = ManualClock()
        self.ids = SeededIds(seed)
        self.journal = journal()
        self.faults = Faults()
        theirs = TheirClock(self.clock)
        self.network = Network(Book(), theirs, self.ids, can_be_asked=can_be_asked)
        self.under_way: list[tuple[float, Request]] = []
        self.told: dict[OperationId, State] = {}
        self.gave_up: set[OperationId] = set()
        self.steps = Steps()
        self._bridge = adapt(bridge({"url": IN_PROCESS}, self.clock, self.ids))
        self._chooser = Service(self.network, self.faults)
        self.engine = self._engine()

    # Living

    def run(self, main: Coroutine[Any, Any, None], crash_at: int | None = None) -> bool:
        """Run a coroutine on a fresh engine; True when the process crashed at the given moment."""
        self.steps = Steps(crash_at)
        self.engine = self._engine()
        try:
            virtual.run(self._live(main), self.clock)
        except Crash:
            return True
        finally:
            self.steps.dead = True
        return False

    def recover(self) -> None:
        """Start again, trouble being over, and let time pass until nothing is left to learn."""
        self.faults.rules.clear()
        self.faults.down = False
        self.run(self._until_finished())

    async def _live(self, main: Coroutine[Any, Any, None]) -> None:
        await self.engine.start()
        await main
        await self.engine.close()

    async def _until_finished(self) -> None:
        deadline = self.clock.monotonic_s() + RECOVERY_LIMIT_S
        while self.clock.monotonic_s() < deadline:
            await asyncio.sleep(5)
            self.arrive()
            if not self.engine.recovery.watched and not self.under_way:
                return

    async def ask(self, ask: Ask) -> Payment:
        """Ask the engine, and keep what it told."""
        payment = await self.engine.ask(ask)
        operation = payment.find(ask.key)
        assert operation is not None, "the operation asked for is in the payment"
        if operation.state in FINAL and not operation.abandoned:
            before = self.told.setdefault(operation.id, operation.state)
            assert before is operation.state, "an asker is told one outcome"
        if operation.abandoned:
            self.gave_up.add(operation.id)
        return payment

    # The provider

    def choose(self, request: Request) -> Trouble | None:
        """Choose the trouble for a request; what is under way and due arrives before it."""
        self.arrive()
        return self._chooser.trouble(request)

    def do(self, request: Request) -> Response:
        """Let the provider do what a request wants, durably."""
        answer = self.network.handle(request)
        self.network.book.commit()
        return answer

    def pend(self, request: Request, delay_s: float) -> Response:
        """Let the provider put off a request."""
        now = self.network.clock.now()
        due = now + round(delay_s * MICROSECONDS_PER_S) if delay_s else 0
        self.network.pend(request, due)
        self.network.book.commit()
        return self.do(Request("GET", f"{request.url}/{json.read(request.body)['operation']}"))

    def arrive(self) -> None:
        """Deliver what was under way to the provider and is due."""
        now = self.clock.monotonic_s()
        due = [request for at, request in self.under_way if at <= now]
        self.under_way = [(at, request) for at, request in self.under_way if at > now]
        for request in due:
            self.do(request)

    # Judging

    @property
    def payments(self) -> list[Payment]:
        """All payments, as the journal has them."""
        return [load(self.journal, name) for name in self.journal.payments(None, 1_000_000)]

    @property
    def movements(self) -> list[Movement]:
        """All movements, as the provider's book has them."""
        return self.network.book.movements()

    def differences(self) -> list[str]:
        """List everything that must not be: lost or doubled money, and askers told untruths."""
        verify(self.journal)
        payments = self.payments
        found = compare(payments, self.movements)
        states = {op.id: op.state for payment in payments for op in payment.operations}
        for name, told in self.told.items():
            if states.get(name) is not told:
                found.append(f"{name}: told {told}, now {states.get(name)}")
        for payment in payments:
            for op in payment.operations:
                if op.id in self.gave_up and payment.counts(op):
                    found.append(f"{op.id}: told that it failed, and it counts")
        found += [f"{payment.id}: unfinished" for payment in payments if payment.unfinished]
        return found

    def _engine(self) -> Engine:
        around = Surroundings(
            CrashingJournal(self.journal, self.steps),
            {"sandbox": self._bridge},
            Way(self, self.steps),
            self.clock,
            self.ids,
        )
        return Engine(around, threaded=False)


def card(account: str = "visa") -> Card:
    """Give a test card by the name of its account."""
    plastic = BY_ACCOUNT[account]
    view = InstrumentView(plastic.brand.name, f"{plastic.number[:6]}******{plastic.number[-4:]}")
    return Card(Secret(plastic.number), view)


def opening(verb: Verb, name: str, amount: Money | None, **more: Any) -> Ask:
    """Make an ask that opens a payment."""
    return Ask(
        verb=verb,
        key=IdempotencyKey("test", name),
        amount=amount,
        instrument=more.pop("instrument", None) or card(),
        merchant="merchant-1",
        **more,
    )


def continuing(verb: Verb, name: str, payment: Payment, **more: Any) -> Ask:
    """Make an ask that continues a payment."""
    return Ask(verb=verb, key=IdempotencyKey("test", name), payment=payment.id, **more)
