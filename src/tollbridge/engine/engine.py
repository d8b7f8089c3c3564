"""The engine: decide, write, send, write.

The order is the safety. `Requested` is durable before anything happens; `Dispatched` is durable
before a message that moves money leaves; after that only an answer, or the certainty that nothing
left, settles the operation. Whatever else goes wrong leaves it as it is, and recovery asks.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from traceback import format_exc
from typing import Any

from tollbridge.bridges.contract import Bridge, VerbCapability
from tollbridge.core.asks import Ask, Look
from tollbridge.core.decide import CONTINUING, decide, granted_by
from tollbridge.core.facts import Dispatched, Fact, Noted, Requested, Settled, Topic
from tollbridge.core.instrument import Card, Token
from tollbridge.core.operation import Operation, State, allowed, state_of
from tollbridge.core.outcome import Approved, Declined, Outcome, Pending, Unsent
from tollbridge.core.payment import Payment, after, opened
from tollbridge.core.verbs import MOVES_NOTHING, UNDOABLE, Verb
from tollbridge.engine.clerk import Clerk
from tollbridge.engine.driver import drive, resume
from tollbridge.engine.recovery import Recovery
from tollbridge.engine.transport import Transport
from tollbridge.faces.contract import Face
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import (
    IdempotencyConflict,
    IllegalOperation,
    JournalError,
    LocalProtocolError,
    NoAnswer,
    NotSent,
    RemoteProtocolError,
    Unsupported,
    UsageError,
    VersionConflict,
)
from tollbridge.ground.flow import Browse, Exchange, Flow, Page, Party, Recall, Remember, Wait
from tollbridge.ground.ids import IdSource, PaymentId, split_operation_id
from tollbridge.ground.secret import scrub
from tollbridge.journal import ledger, rows
from tollbridge.journal.journal import (
    Change,
    Entry,
    Journal,
    KeyTaken,
    Notes,
    Result,
    Stale,
    Written,
    load,
)
from tollbridge.wire.dump import dump
from tollbridge.wire.http import Request, Response

log = logging.getLogger("tollbridge.engine")

CACHED_PAYMENTS = 500
WHOLE = frozenset({Verb.CAPTURE, Verb.REFUND})
"""Verbs that a provider may do for all that is left only."""
CLOSING_LIMIT_S = 10.0
Partner = Callable[[object], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine is given: the outside world, as few parts as possible."""

    journal: Journal
    bridges: Mapping[str, Bridge]
    transport: Transport
    clock: Clock
    ids: IdSource


class Engine:
    """Carries out asks against one journal that nobody else writes to.

    `threaded` commits in a thread (servers); without it everything happens in the loop, in an
    order that repeats (simulations).
    """

    def __init__(self, around: Surroundings, *, threaded: bool = True) -> None:
        self.journal = around.journal
        self.bridges = dict(around.bridges)
        self.default_bridge = next(iter(around.bridges), "")
        self.clock = around.clock
        self.ids = around.ids
        self.recovery = Recovery(self)
        self._transport = around.transport
        self._closed = False
        self._clerk: Clerk[Change, Result] = Clerk(around.journal.commit, threaded=threaded)
        self._payments: OrderedDict[PaymentId, Payment] = OrderedDict()
        self._running: dict[PaymentId, asyncio.Future[None]] = {}
        self._settled: dict[PaymentId, asyncio.Event] = {}

    async def start(self) -> None:
        """Take up what the last engine on this journal left unfinished, and keep at it."""
        self.recovery.start(self.journal.unfinished())

    async def close(self) -> None:
        """Stop recovering, finish what is being written, let go of transport and journal.

        Closing again changes nothing.
        """
        if self._closed:
            return
        self._closed = True
        await self.recovery.close()
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=CLOSING_LIMIT_S)
        await self._clerk.close()
        await self._transport.close()
        self.journal.close()

    # Asking and looking

    async def ask(self, ask: Ask, notebook: str = "") -> Payment:
        """Do what is asked and give the payment as it is then; `ask.notes` go to `notebook`.

        The operation is `payment.find(ask.key)`; it may be unresolved. Asked again with the same
        key, the operation is found, not done again. Raises UsageError (nothing was sent) or
        JournalError (nothing was sent, or the outcome will be learned by recovery).
        """
        ask = self._naming(ask)
        while True:
            payment = self.load(ask.payment) if ask.payment is not None else None
            try:
                request = self._decide(payment, ask)
            except UsageError:
                taken = self.journal.find(rows.digest(ask.key))
                if taken is None:
                    raise
                return await self._found(ask, taken)
            done = await self._begin(payment, request, ask, notebook)
            if isinstance(done, KeyTaken):
                return await self._found(ask, done.payment)
            if isinstance(done, Payment):
                return done
            if done.of_notes:
                raise VersionConflict("a page to be written with the request was changed")

    async def look(self, look: Look) -> Payment | None:
        """Show a payment by name (raises UnknownPayment) or by idempotency key (None: unused)."""
        name = look.payment
        if name is None and look.key is not None:
            name = self.journal.find(rows.digest(look.key))
        if name is None:
            return None
        if look.fresh and self.load(name).unresolved:
            await self.recovery.attempt(name)
        return self.load(name)

    def load(self, payment: PaymentId) -> Payment:
        """Give a payment as the journal has it. Raises UnknownPayment."""
        cached = self._payments.get(payment)
        return cached if cached is not None else self._keep(load(self.journal, payment))

    def is_running(self, payment: PaymentId) -> bool:
        """Whether an operation of the payment is being carried out by this engine right now."""
        return payment in self._running

    # Faces

    async def serve(self, face: Face, message: Any, parties: Mapping[Party, Partner]) -> Any:
        """Let a face answer a message; `parties` are the people and peers it may talk to."""

        async def do(wanted: Any) -> Any:
            match wanted:
                case Ask():
                    return await self.ask(wanted, face.name)
                case Look():
                    return await self.look(wanted)
                case Exchange():
                    return await parties[wanted.party](wanted.message)
                case Recall():
                    return self.recall(face.name, wanted.key)
                case Browse():
                    return self.journal.browse(face.name, wanted.prefix, wanted.after, wanted.limit)
                case Remember():
                    return await self.remember(face.name, wanted)
                case Wait():
                    return await asyncio.sleep(wanted.duration_s)
                case _:
                    raise LocalProtocolError(f"a face may not yield {type(wanted).__name__}")

        return await drive(face.answer(message), do)

    def recall(self, namespace: str, key: str) -> Page | None:
        """Read a notebook."""
        return self.journal.recall(namespace, key)

    async def remember(self, namespace: str, wanted: Remember) -> bool:
        """Write to a notebook; False when a version differed and nothing was written."""
        return isinstance(await self._clerk.write(Notes(namespace, wanted.notes)), Written)

    async def hear(self, bridge: str, notice: Request) -> None:
        """Take a provider's notice. Raises RemoteProtocolError, UnknownPayment or Unsupported."""
        heard = self._bridge(bridge).hear(notice)
        named = split_operation_id(heard.operation)
        if named is None:
            raise IllegalOperation(f"{heard.operation!r:.60} is not an operation's name")
        payment = self.load(named[0])
        operation = payment.operation(named[1])
        if operation is None or payment.bridge != bridge:
            raise IllegalOperation(f"{heard.operation} is not an operation of this bridge")
        await self.settle(payment.id, operation.ordinal, heard.outcome)

    # What recovery and people use

    async def inquire(self, payment: Payment, operation: Operation) -> Any:
        """Ask the provider what became of an operation; transport errors come through."""
        bridge = self._bridge(payment.bridge)
        limit_s = bridge.capabilities.answer_limit_s
        return await drive(bridge.inquire(operation, payment), self._hands(limit_s))

    async def reverse(self, payment: Payment, operation: Operation) -> bool:
        """Take an operation back at the provider; True once acknowledged."""
        bridge = self._bridge(payment.bridge)
        limit_s = bridge.capabilities.answer_limit_s
        return await drive(bridge.reverse(operation, payment), self._hands(limit_s))

    async def settle(self, payment: PaymentId, ordinal: int, outcome: Outcome) -> Payment:
        """Write an outcome down, if it fits what was asked; else note the conflict.

        An operation that is settled stays as it is: saying the same again changes nothing, saying
        something else is noted for a person.
        """
        while True:
            current = self.load(payment)
            operation = current.operation(ordinal)
            if operation is None:
                raise IllegalOperation(f"{payment} has no operation {ordinal}")
            fact = self._settlement(current, operation, outcome)
            if isinstance(fact, Noted):
                return await self.note(payment, fact)
            if fact is None:
                return current
            written = await self.write(current, fact)
            if written is not None:
                return written

    async def note(self, payment: PaymentId, fact: Noted) -> Payment:
        """Write a note about an operation, unless it was noted before."""
        known = (fact.ordinal, fact.topic, fact.text)
        while True:
            current = self.load(payment)
            for row in self.journal.read(payment):
                for old in row.facts:
                    if isinstance(old, Noted) and known == (old.ordinal, old.topic, old.text):
                        return current
            written = await self.write(current, fact)
            if written is not None:
                return written

    def noted(self, operation: Operation, topic: Topic, text: str) -> Noted:
        """Make a note of now."""
        return Noted(operation.ordinal, self.clock.now(), topic, text)

    async def close_by_hand(
        self, payment: PaymentId, ordinal: int, outcome: Outcome, evidence: str
    ) -> Payment:
        """Settle an operation on a person's evidence, which is written first.

        Raises IllegalOperation when the operation is not waiting for an outcome or runs just now.
        """
        operation = self.load(payment).operation(ordinal)
        if operation is None or not operation.unresolved or self.is_running(payment):
            raise IllegalOperation("only an operation that waits for its outcome can be closed")
        await self.note(payment, self.noted(operation, Topic.EVIDENCE, evidence))
        return await self.settle(payment, ordinal, outcome)

    async def write(self, payment: Payment, *facts: Fact) -> Payment | None:
        """Write facts on top of a payment as it was read; None when somebody wrote first."""
        changed = after(payment, facts)
        entry = Entry(payment.id, changed.version, facts, changed.unfinished)
        # Until the commit is answered, only the journal knows.
        self._payments.pop(payment.id, None)
        if isinstance(await self._clerk.write(entry), Stale):
            return None
        self._keep(changed)
        if changed.unresolved is None and (waiting := self._settled.get(payment.id)):
            waiting.set()
        return changed

    # The road of one operation

    def _naming(self, ask: Ask) -> Ask:
        """Let the view of what opens a payment name a token that the bridge needs when it asks."""
        bridge = self.bridges.get(ask.bridge or self.default_bridge)
        token = ask.instrument
        if bridge is None or ask.payment is not None or not isinstance(token, Token):
            return ask
        if not bridge.capabilities.keeps_tokens:
            return ask
        view = replace(token.view, reference=token.token.reveal())
        return replace(ask, instrument=Token(token.token, view))

    def _decide(self, payment: Payment | None, ask: Ask) -> Requested:
        """Turn an ask into a request, within the rules of the core and the bridge's powers."""
        request = decide(payment, ask, self.clock.now(), self.default_bridge)
        bridge = self._bridge(request.bridge)
        can = bridge.capabilities.verbs.get(request.verb)
        if can is None:
            raise Unsupported(f"{bridge.name} does not do {request.verb}")
        if isinstance(ask.instrument, Card) and not bridge.capabilities.card_numbers:
            raise Unsupported(f"{bridge.name} takes tokens, not card numbers")
        if payment is None:
            taken, money = bridge.capabilities.currencies, request.amount
            if money is not None and taken is not None and money.currency.code not in taken:
                raise Unsupported(f"{bridge.name} does not take {money.currency.code}")
        else:
            _fits(can, request, payment)
        return request

    async def _begin(
        self, before: Payment | None, request: Requested, ask: Ask, notebook: str
    ) -> Payment | KeyTaken | Stale:
        """Write the request and carry it out; Stale when somebody wrote first."""
        name = before.id if before else self.ids.payment_id(request.at)
        bridge = self._bridge(request.bridge)
        finished = self._running[name] = asyncio.get_running_loop().create_future()
        try:
            # Where the first request moves money, which is the rule, both facts share a commit.
            facts: tuple[Fact, ...] = (request, Dispatched(request.ordinal, request.at))
            payment = after(before, facts) if before else opened(name, facts)
            operation = Operation(name, request, instrument=ask.instrument)
            flow = bridge.perform(operation, payment)
            wanted = _first(flow)
            if not (isinstance(wanted, Request) and wanted.moves_money):
                facts = (request,)
                payment = after(before, facts) if before else opened(name, facts)
            written = await self._clerk.write(
                Entry(
                    name,
                    payment.version,
                    facts,
                    payment.unfinished,
                    rows.digest(ask.key),
                    Notes(notebook, ask.notes) if ask.notes else None,
                )
            )
            if isinstance(written, KeyTaken):
                return written
            if isinstance(written, Stale):
                self._payments.pop(name, None)
                return written
            self._keep(payment)
            outcome = await self._carry_out(flow, wanted, payment, bridge)
            if outcome is not None:
                payment = await self.settle(name, request.ordinal, outcome)
            else:
                payment = self.load(name)
        except BaseException:
            # Nobody knows now what the journal holds; whoever needs the payment reads it again.
            self._payments.pop(name, None)
            self.recovery.watch(name)
            raise
        finally:
            if self._running.get(name) is finished:
                del self._running[name]
            finished.set_result(None)
        if payment.unfinished:
            self.recovery.watch(name)
            return await self._wait_for(payment, request.ordinal, ask.patience_s)
        return payment

    async def _carry_out(
        self, flow: Flow[Outcome], wanted: Any, payment: Payment, bridge: Bridge
    ) -> Outcome | None:
        """Drive a bridge through an operation; None when the outcome is not known."""
        operation = payment.operations[-1]
        hands = self._hands(bridge.capabilities.answer_limit_s, payment)
        try:
            if isinstance(wanted, _Ended):
                return wanted.outcome
            return await resume(flow, wanted, hands)
        except NotSent as error:
            return Unsent(str(error))
        except (NoAnswer, RemoteProtocolError) as error:
            log.warning("%s: %s", operation.id, error)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - a bridge's bug must not decide about money
            log.error("%s: the bridge failed\n%s", operation.id, scrub(format_exc()))
            text = f"{bridge.name}: {type(error).__name__}"
            await self.note(payment.id, self.noted(operation, Topic.FAULT, text))
        state = self.load(payment.id).operations[-1].state
        return Unsent("failed before anything was sent") if state is State.REQUESTED else None

    def _hands(self, limit_s: float, moving: Payment | None = None) -> Callable[[Any], Any]:
        """Make what a bridge's flow is driven by; only with `moving` may it move money, once."""
        moved = False

        async def do(wanted: Any) -> Any:
            nonlocal moved
            match wanted:
                case Request():
                    if wanted.moves_money:
                        if moved or moving is None:
                            raise LocalProtocolError("one money-moving request per operation")
                        moved = True
                        await self._dispatch(moving.id)
                    return await self._send(wanted, limit_s)
                case Wait():
                    return await asyncio.sleep(wanted.duration_s)
                case _:
                    raise LocalProtocolError(f"a bridge may not yield {type(wanted).__name__}")

        return do

    async def _dispatch(self, payment: PaymentId) -> None:
        current = self.load(payment)
        operation = current.operations[-1]
        if operation.state is State.REQUESTED:
            written = await self.write(current, Dispatched(operation.ordinal, self.clock.now()))
            operation = written.operations[-1] if written else operation
        if operation.state is not State.DISPATCHED:
            raise LocalProtocolError(f"{operation.id} was closed before it was sent")

    async def _send(self, request: Request, limit_s: float) -> Response:
        if not log.isEnabledFor(logging.DEBUG):
            return await self._transport.send(request, limit_s)
        log.debug("sending\n%s", dump(request))
        answer = await self._transport.send(request, limit_s)
        log.debug("answered\n%s", dump(answer))
        return answer

    def _settlement(self, payment: Payment, operation: Operation, outcome: Outcome) -> Fact | None:
        """Make the fact an outcome leads to; None when it says nothing new."""
        if operation.state is State.REQUESTED and operation.verb not in MOVES_NOTHING:
            if not isinstance(outcome, Unsent):
                outcome = Unsent(f"{state_of(outcome)} before anything was sent")
        state = state_of(outcome)
        if not operation.unresolved:
            if state is operation.state:
                return None
            text = f"told {state} after it was {operation.state}"
            return self.noted(operation, Topic.CONFLICT, text)
        if state is State.PENDING and operation.outcome == outcome:
            return None
        conflict = _conflict(operation, outcome)
        if conflict or state not in allowed(operation.verb, operation.state):
            text = conflict or f"{operation.state} cannot become {state}"
            return self.noted(operation, Topic.CONFLICT, text)
        entries = ledger.postings(payment, operation, outcome)
        return Settled(operation.ordinal, self.clock.now(), outcome, entries)

    async def _wait_for(self, payment: Payment, ordinal: int, patience_s: float | None) -> Payment:
        if patience_s is None or payment.unresolved is None:
            return payment
        settled = self._settled.setdefault(payment.id, asyncio.Event())
        try:
            async with asyncio.timeout(patience_s):
                await settled.wait()
        except TimeoutError:
            return await self._abandon(payment.id, ordinal)
        finally:
            self._settled.pop(payment.id, None)
        return self.load(payment.id)

    async def _abandon(self, payment: PaymentId, ordinal: int) -> Payment:
        """Write down that the asker gives up, before it is told, unless the outcome is here."""
        while True:
            current = self.load(payment)
            operation = current.operations[ordinal - 1]
            if not operation.unresolved or operation.verb not in UNDOABLE:
                return current
            text = "no outcome in time; an approval will be undone"
            written = await self.write(current, self.noted(operation, Topic.ABANDONED, text))
            if written is not None:
                return written

    async def _found(self, ask: Ask, payment: PaymentId) -> Payment:
        """Answer an ask whose key was used before: with the operation as it is now."""
        operation = self.load(payment).find(ask.key)
        if operation is None or not granted_by(operation.request, payment, ask):
            raise IdempotencyConflict(f"key {ask.key.value!r:.60} asked something else before")
        running = self._running.get(payment)
        if running is not None:
            await asyncio.shield(running)
        return self.load(payment)

    def _bridge(self, name: str) -> Bridge:
        bridge = self.bridges.get(name)
        if bridge is None:
            raise Unsupported(f"there is no bridge called {name!r:.40}")
        return bridge

    def _keep(self, payment: Payment) -> Payment:
        """Remember a payment as the journal has it now."""
        self._payments[payment.id] = payment
        if len(self._payments) > CACHED_PAYMENTS:
            self._payments.popitem(last=False)
        return payment


def _fits(can: VerbCapability, request: Requested, payment: Payment) -> None:
    """Check how often and how far a provider does a verb. Raises Unsupported."""
    name, verb, amount = payment.bridge, request.verb, request.amount
    if not can.multiple and any(
        op.verb is verb and payment.counts(op) for op in payment.operations
    ):
        raise Unsupported(f"{name} does one {verb} per payment")
    if can.partial or verb not in WHOLE or amount is None:
        return
    if amount.amount_minor < CONTINUING[verb].most(payment.amounts):
        raise Unsupported(f"{name} does a {verb} for all that is left only")


@dataclass(frozen=True, slots=True)
class _Ended:
    outcome: Outcome


def _first(flow: Flow[Outcome]) -> Any:
    """Start a bridge's flow before anything is written: it is pure, and its first wish says
    whether the request that moves money comes at once, which saves a commit."""
    try:
        return next(flow)
    except StopIteration as end:
        return _Ended(end.value)


def _conflict(operation: Operation, outcome: Outcome) -> str | None:
    """Compare what the provider says with what was asked (PITFALLS: echo must equal request)."""
    match outcome:
        case Approved(amount=amount):
            asked = operation.tender
            if amount == asked:
                return None
            if amount is None or asked is None or amount.currency != asked.currency:
                return f"asked for {asked}, told {amount}"
            if operation.request.partial_ok and 0 < amount.amount_minor < asked.amount_minor:
                return None
            return f"asked for {asked}, told {amount}"
        case Declined() | Pending() | Unsent():
            return None
