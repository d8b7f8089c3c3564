"""Recovery: learns what became of unresolved operations, by asking.

It never moves money forward. What was requested and not sent becomes `unsent`; what may have been
sent is asked about, with growing pauses, until the provider says; "not found" counts only when
nothing can be on its way any more, measured on the clock that does not jump, from the moment this
process first knew. A provider that cannot be asked is sent a reversal until it acknowledges one.
An approval that comes after its asker was told "failed" is undone. The rest waits for a person.
"""

import asyncio
import heapq
import logging
from collections.abc import Coroutine
from traceback import format_exc
from typing import TYPE_CHECKING, Any

from tollbridge.core.asks import Ask
from tollbridge.core.facts import Topic
from tollbridge.core.operation import Operation, State
from tollbridge.core.outcome import Cause, Outcome, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import TollbridgeError, UnknownPayment, UsageError
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.secret import scrub

if TYPE_CHECKING:
    from tollbridge.engine.engine import Engine

log = logging.getLogger("tollbridge.recovery")

FIRST_PAUSE_S = 0.5
PAUSE_MAX_S = 3600.0
UNDO_TRIES = 3
AT_ONCE = 16
SCOPE = "tollbridge.recovery"


class Recovery:
    """The list of unfinished payments of one engine, and the task that works on it."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._due: list[tuple[float, PaymentId]] = []
        self._pauses: dict[PaymentId, float] = {}
        self._since: dict[PaymentId, float] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def watched(self) -> int:
        """How many payments are on the list."""
        return len(self._since)

    def start(self, unfinished: list[PaymentId]) -> None:
        """Begin with what the journal says is unfinished, and keep at it until closed."""
        for payment in unfinished:
            self.watch(payment, pause_s=0.0)
        self._begin(self._run())

    async def close(self) -> None:
        """Stop. What is unfinished stays in the journal."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def watch(self, payment: PaymentId, pause_s: float = FIRST_PAUSE_S) -> None:
        """Put a payment on the list, to be looked at after a pause."""
        if payment not in self._since:
            self._since[payment] = self._engine.clock.monotonic_s()
            self._pauses[payment] = FIRST_PAUSE_S
            self._schedule(payment, pause_s)

    async def attempt_all(self) -> int:
        """Look at every payment on the list now; tells how many are finished after it."""
        return sum(await asyncio.gather(*(self.attempt(name) for name in list(self._since))))

    def _schedule(self, payment: PaymentId, pause_s: float) -> None:
        heapq.heappush(self._due, (self._engine.clock.monotonic_s() + pause_s, payment))
        self._wake.set()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        """Wait for what is due next; a provider that is slow to answer must not hold up others."""
        while True:
            pause_s = None
            if self._due:
                pause_s = max(0.0, self._due[0][0] - self._engine.clock.monotonic_s())
            self._wake.clear()
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                self._begin(self._look_at(heapq.heappop(self._due)[1]))

    async def _look_at(self, payment: PaymentId) -> None:
        if payment in self._since and not await self.attempt(payment):
            pause_s = self._pauses[payment]
            self._pauses[payment] = min(pause_s * 2, PAUSE_MAX_S)
            self._schedule(payment, pause_s)

    async def attempt(self, payment: PaymentId) -> bool:
        """Try to finish one payment on the list now; whatever goes wrong, it stays there."""
        finished = False
        try:
            async with self._room:
                if payment in self._since and not self._engine.is_running(payment):
                    finished = await self._finish(payment)
        except UnknownPayment:
            finished = True
        except TollbridgeError as error:
            log.info("%s: not yet, %s", payment, error)
        except Exception:  # noqa: BLE001 - one payment must not stop the others
            log.error("%s: recovery failed\n%s", payment, scrub(format_exc()))
        if finished:
            self._since.pop(payment, None)
            self._pauses.pop(payment, None)
        return finished

    async def _finish(self, name: PaymentId) -> bool:
        payment = self._engine.load(name)
        operation = payment.unresolved
        if operation is not None:
            outcome = await self._learn(payment, operation)
            if outcome is None:
                return False
            payment = await self._engine.settle(name, operation.ordinal, outcome)
            log.info("%s: %s", operation.id, payment.operations[-1].state)
        if payment.unwanted is not None:
            payment = await self._undo(payment, payment.unwanted)
        return not payment.unfinished

    async def _learn(self, payment: Payment, operation: Operation) -> Outcome | None:
        if operation.state is State.REQUESTED:
            return Unsent("stopped before anything was sent", Cause.STOPPED)
        can = self._engine.bridges[payment.bridge].capabilities
        answer: Outcome | Unclear = Unclear.CANNOT_KNOW
        if can.inquiry:
            answer = await self._engine.inquire(payment, operation)
        if answer is Unclear.CANNOT_KNOW:
            return await self._reverse(payment, operation) if can.reversal else None
        if answer is not Unclear.NOT_FOUND:
            return answer
        if operation.state is State.PENDING:
            text = "the provider no longer knows an operation it called pending"
            await self._note(payment, operation, Topic.CONFLICT, text)
            return None
        waited_s = self._engine.clock.monotonic_s() - self._since[payment.id]
        if waited_s < can.in_flight_limit_s:
            return None
        return Unsent("the provider never got it", Cause.NEVER_ARRIVED)

    async def _reverse(self, payment: Payment, operation: Operation) -> Outcome | None:
        text = "the provider cannot be asked; reversing until it acknowledges"
        await self._note(payment, operation, Topic.REVERSING, text)
        if await self._engine.reverse(payment, operation):
            return Unsent("reversed", Cause.REVERSED)
        return None

    async def _undo(self, payment: Payment, operation: Operation) -> Payment:
        """Void a late approval. A refusal is tried again a few times, then left to a person; what
        never left is tried for as long as it takes."""
        voids = [op for op in payment.operations if op.target == operation.ordinal]
        if sum(op.state is State.DECLINED for op in voids) >= UNDO_TRIES:
            return payment
        ask = Ask(
            verb=Verb.VOID,
            key=IdempotencyKey(SCOPE, f"undo {operation.id} {len(voids) + 1}"),
            payment=payment.id,
            target=operation.ordinal,
        )
        try:
            return await self._engine.ask(ask)
        except UsageError as error:
            return await self._note(payment, operation, Topic.CONFLICT, str(error))

    async def _note(self, payment: Payment, about: Operation, topic: Topic, text: str) -> Payment:
        return await self._engine.note(payment.id, self._engine.noted(about, topic, text))
