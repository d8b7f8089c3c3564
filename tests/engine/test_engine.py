"""The engine's order: decide, write, send, write. What it tells, and what it never does."""

import asyncio
from dataclasses import replace

import pytest

from tollbridge.bridges.contract import Capabilities, VerbCapability
from tollbridge.core.asks import Ask, Look
from tollbridge.core.facts import Dispatched, Noted, Requested, Settled, Topic
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.core.outcome import Approved, Cause, DeclineCode, Declined, Pending, Unsent
from tollbridge.core.verbs import Verb
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.ground.errors import (
    IdempotencyConflict,
    IllegalOperation,
    InvalidMoney,
    JournalFailed,
    NoAnswer,
    RemoteProtocolError,
    UnknownPayment,
    UnresolvedOperation,
    Unsupported,
    VersionConflict,
)
from tollbridge.ground.flow import Note, Page, Wait
from tollbridge.ground.ids import IdempotencyKey, PaymentId, SeededIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.journal.memory import MemoryJournal
from tollbridge.sandbox.book import Movement
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing import virtual
from tollbridge.testing.clock import ManualClock
from tollbridge.testing.world import World, card, continuing, opening
from tollbridge.wire.http import Request, Response

TEN = Money.of(1000, "EUR")


def purchase(name="one", amount=TEN, **more):
    return opening(Verb.PURCHASE, name, amount, **more)


def facts(world, payment):
    return [[type(fact) for fact in row.facts] for row in world.journal.read(payment.id)]


# The road of one operation


def test_a_payment_is_two_entries_and_the_request_is_written_before_it_is_sent():
    world, seen = World(), []
    carry = world.do

    def do(request):
        seen.append([row.facts for row in world.journal.entries()])
        return carry(request)

    world.do = do

    async def main():
        payment = await world.ask(purchase())
        assert payment.amounts.captured_minor == 1000
        assert facts(world, payment) == [[Requested, Dispatched], [Settled]]

    world.run(main())
    assert [type(fact) for entry in seen[0] for fact in entry] == [Requested, Dispatched]


def test_nothing_is_sent_when_the_request_cannot_be_written():
    world = World()
    world.journal.commit = failing(JournalFailed("disk full"))

    async def main():
        with pytest.raises(JournalFailed):
            await world.engine.ask(purchase())

    world.run(main())
    assert world.movements == []


def test_an_outcome_that_cannot_be_written_is_learned_again():
    world = World()
    real, calls = world.journal.commit, []

    def commit(changes):
        calls.append(changes)
        if len(calls) == 2:
            raise JournalFailed("disk full")
        return real(changes)

    world.journal.commit = commit

    async def main():
        with pytest.raises(JournalFailed):
            await world.engine.ask(purchase())
        await asyncio.sleep(5)

    world.run(main())
    assert world.payments[0].opening.state is State.APPROVED
    assert world.differences() == []


def failing(error):
    def fail(*_):
        raise error

    return fail


# Asking again


def test_the_same_key_with_the_same_content_finds_the_same_operation():
    world = World()

    async def main():
        first = await world.ask(purchase())
        again = await world.ask(purchase())
        assert again == first
        other = await world.ask(purchase("two"))
        assert other.id != first.id
        refund = continuing(Verb.REFUND, "three", first, amount=Money.of(400, "EUR"))
        one = await world.ask(refund)
        assert await world.ask(refund) == one
        rest = continuing(Verb.REFUND, "four", first)
        assert (await world.ask(rest)).amounts.refunded_minor == 1000
        assert (await world.ask(rest)).amounts.refunded_minor == 1000

    world.run(main())
    assert len(world.movements) == 4


@pytest.mark.parametrize(
    "other",
    [
        purchase(amount=Money.of(1001, "EUR")),
        purchase(amount=Money.of(1000, "USD")),
        purchase(instrument=card("mastercard")),
        purchase(reference="another order"),
        purchase(details={"a": "b"}),
        purchase(partial_ok=True),
        opening(Verb.AUTHORIZE, "one", TEN),
    ],
)
def test_the_same_key_with_other_content_is_a_conflict(other):
    world = World()

    async def main():
        await world.ask(purchase())
        with pytest.raises(IdempotencyConflict):
            await world.ask(other)

    world.run(main())
    assert len(world.movements) == 1


def test_two_who_ask_the_same_at_once_pay_once():
    world = World()
    world.faults.rules.append(Rule(Fault.LATE_ANSWER, delay_s=2))

    async def main():
        payments = await asyncio.gather(*(world.ask(purchase()) for _ in range(5)))
        assert len({payment.id for payment in payments}) == 1
        assert all(payment.amounts.captured_minor == 1000 for payment in payments)

    world.run(main())
    assert len(world.movements) == 1


def test_two_who_refund_at_once_do_not_refund_twice():
    world = World()

    async def main():
        payment = await world.ask(purchase())
        asks = [continuing(Verb.REFUND, f"refund {n}", payment) for n in range(5)]
        results = await asyncio.gather(*map(world.ask, asks), return_exceptions=True)
        kinds = {type(result) for result in results}
        assert kinds <= {type(payment), UnresolvedOperation, IllegalOperation, InvalidMoney}
        assert world.engine.load(payment.id).amounts.refunded_minor == 1000

    world.run(main())
    assert sum(movement.taken_minor for movement in world.movements) == 0


def test_an_unresolved_payment_takes_no_other_operation():
    world = World()
    world.faults.rules += [Rule(Fault.PENDING, delay_s=60)]

    async def main():
        payment = await world.ask(purchase())
        assert payment.unresolved is not None
        with pytest.raises(UnresolvedOperation):
            await world.ask(continuing(Verb.REFUND, "two", payment))

    world.run(main())


# What a provider may say


def test_a_lost_answer_is_learned_by_asking():
    world = World()
    world.faults.rules.append(Rule(Fault.LOSE_ANSWER))

    async def main():
        payment = await world.ask(purchase())
        assert payment.opening.state is State.DISPATCHED
        await asyncio.sleep(2)
        assert world.engine.load(payment.id).opening.state is State.APPROVED

    world.run(main())
    assert len(world.movements) == 1


def test_an_answer_with_another_amount_decides_nothing_and_is_noted():
    world = World()
    world.faults.rules += [Rule(Fault.WRONG_AMOUNT, times=10)]

    async def main():
        payment = await world.ask(purchase())
        assert payment.opening.state is State.DISPATCHED
        await asyncio.sleep(60)
        notes = [
            fact
            for row in world.journal.read(payment.id)
            for fact in row.facts
            if isinstance(fact, Noted)
        ]
        assert [note.topic for note in notes] == [Topic.CONFLICT]
        assert "10010.00" in notes[0].text

    world.run(main())


def test_a_partial_approval_counts_only_when_it_was_wanted():
    world = World()
    amount = Money.of(4210, "EUR")

    async def main():
        part = await world.ask(purchase(amount=amount, partial_ok=True))
        assert part.amounts.captured_minor == 2105
        none = await world.ask(purchase("two", amount=amount))
        assert none.opening.state is State.DECLINED

    world.run(main())
    assert world.differences() == []


def test_not_found_counts_only_when_nothing_can_be_on_its_way():
    world = World()
    world.faults.rules.append(Rule(Fault.LATE_DELIVERY, delay_s=10_000))
    limit_s = 30

    async def main():
        payment = await world.ask(purchase())
        started = world.clock.monotonic_s()
        world.clock.jump(3600)
        for _ in range(1000):
            await asyncio.sleep(0.5)
            if world.engine.load(payment.id).unresolved is None:
                break
        assert world.clock.monotonic_s() - started >= limit_s - 1
        assert world.engine.load(payment.id).opening.outcome.cause is Cause.NEVER_ARRIVED

    world.run(main())


def test_an_asker_who_gives_up_is_never_charged():
    world = World()
    world.faults.rules.append(Rule(Fault.LATE_DELIVERY, delay_s=25))

    async def main():
        payment = await world.ask(purchase(patience_s=3))
        assert payment.opening.abandoned
        await asyncio.sleep(600)
        world.arrive()
        await asyncio.sleep(600)
        after = world.engine.load(payment.id)
        assert after.amounts.voided_minor == 1000
        assert after.amounts.captured_minor == 0
        assert not after.unfinished

    world.run(main())
    assert world.differences() == []


def test_an_asker_with_patience_gets_the_outcome_that_comes_in_time():
    world = World()
    world.faults.rules.append(Rule(Fault.LOSE_ANSWER))

    async def main():
        payment = await world.ask(purchase(patience_s=30))
        assert payment.amounts.captured_minor == 1000

    world.run(main())


def test_a_refund_is_never_abandoned():
    world = World()

    async def main():
        payment = await world.ask(purchase())
        world.faults.rules.append(Rule(Fault.LATE_DELIVERY, delay_s=25))
        refund = await world.ask(continuing(Verb.REFUND, "two", payment, patience_s=3))
        assert refund.operations[-1].state is State.DISPATCHED
        assert not refund.operations[-1].abandoned

    world.run(main())
    world.recover()
    assert world.differences() == []
    assert world.payments[0].amounts.refunded_minor == 1000


def test_an_undoing_the_provider_refuses_is_left_to_a_person():
    world = World()
    world.faults.rules.append(Rule(Fault.LATE_DELIVERY, delay_s=25))

    async def main():
        payment = await world.ask(purchase(patience_s=3))
        # The network believes that it has undone it already, so it takes no void.
        world.network.book.add(
            Movement(
                operation="other",
                payment=payment.id,
                verb="void",
                status="approved",
                code="00",
                target=payment.opening.id,
                at=0,
            )
        )
        world.network.book.commit()
        await asyncio.sleep(4 * 3600)
        after = world.engine.load(payment.id)
        assert after.unwanted is not None
        voids = [op for op in after.operations if op.verb is Verb.VOID]
        assert [op.state for op in voids] == [State.DECLINED] * 3

    world.run(main())


# Bridges that do not behave


class Told:
    """A bridge that does as it is told."""

    name = "told"

    def __init__(self, perform, **more):
        self._perform = perform
        verbs = more.pop("verbs", {verb: VerbCapability() for verb in Verb})
        self.capabilities = Capabilities(verbs=verbs, card_numbers=True, **more)

    def perform(self, operation, payment):
        return self._perform(operation)

    def inquire(self, operation, payment):
        yield Request("GET", "told://")
        return Approved(operation.tender, "late")

    def reverse(self, operation, payment):
        yield Request("POST", "told://")
        return True

    def hear(self, notice):
        raise RemoteProtocolError("deaf")


class Silence:
    async def send(self, request, limit_s):
        if request.method == "SILENT":
            raise NoAnswer("silence")
        return Response(200)

    async def close(self):
        pass


def run_told(perform, ask=None, **more):
    journal, clock = MemoryJournal(), ManualClock()
    bridge = Told(perform, **more)
    found = []

    async def main():
        around = Surroundings(journal, {"told": bridge}, Silence(), clock, SeededIds(1))
        engine = Engine(around, threaded=False)
        await engine.start()
        found.append(await engine.ask(ask or purchase()))
        await engine.close()

    virtual.run(main(), clock)
    return found[0], [fact for row in journal.entries() for fact in row.facts]


def money_request():
    return Request("POST", "told://", moves_money=True)


def test_a_bridge_that_logs_in_first_is_dispatched_just_before_the_money_moves():
    def perform(operation):
        yield Request("POST", "told://login")
        yield Wait(0.5)
        yield money_request()
        return Approved(operation.tender, "r")

    payment, written = run_told(perform)
    assert payment.opening.state is State.APPROVED
    assert [type(fact) for fact in written] == [Requested, Dispatched, Settled]
    assert written[1].at - written[0].at >= 500_000


def test_a_bridge_that_fails_before_sending_moves_nothing(caplog):
    def perform(operation):
        yield Request("POST", "told://login")
        raise RuntimeError("4242424242424242")

    payment, written = run_told(perform)
    assert isinstance(payment.opening.outcome, Unsent)
    assert "4242424242424242" not in str(written) + caplog.text


def test_a_bridge_that_fails_after_sending_leaves_the_outcome_open(caplog):
    def perform(operation):
        yield money_request()
        raise RuntimeError("4242424242424242")

    payment, written = run_told(perform)
    assert payment.opening.state is State.DISPATCHED
    assert any(isinstance(fact, Noted) and fact.topic is Topic.FAULT for fact in written)
    assert "4242424242424242" not in str(written) + caplog.text


def test_a_bridge_that_moves_money_twice_is_stopped_before_the_second_time():
    def perform(operation):
        yield money_request()
        yield money_request()
        return Approved(operation.tender, "r")

    payment, _ = run_told(perform)
    assert payment.opening.state is State.DISPATCHED


@pytest.mark.parametrize("outcome", [Approved(TEN, "r"), Declined(DeclineCode.NOT_PERMITTED),
                                     Pending("later")])  # fmt: skip
def test_a_bridge_that_decides_without_sending_is_not_believed(outcome):
    def perform(operation):
        yield Request("POST", "told://login")
        return outcome

    payment, _ = run_told(perform)
    assert payment.opening.state is State.UNSENT


def test_a_bridge_that_yields_nonsense_moves_nothing():
    def perform(operation):
        yield "please"

    payment, _ = run_told(perform)
    assert payment.opening.state is State.UNSENT


def test_a_bridge_without_inquiry_or_reversal_leaves_the_unknown_to_a_person():
    def perform(operation):
        yield Request("SILENT", "told://", moves_money=True)

    journal, clock = MemoryJournal(), ManualClock()

    async def main():
        bridge = Told(perform, inquiry=False, reversal=False)
        around = Surroundings(journal, {"told": bridge}, Silence(), clock, SeededIds(1))
        engine = Engine(around, threaded=False)
        await engine.start()
        payment = await engine.ask(purchase())
        await asyncio.sleep(24 * 3600)
        assert engine.load(payment.id).opening.state is State.DISPATCHED
        assert engine.recovery.watched == 1
        closed = await engine.close_by_hand(
            payment.id, 1, Approved(TEN, "by hand"), "the statement of 1 March"
        )
        assert closed.amounts.captured_minor == 1000
        with pytest.raises(IllegalOperation):
            await engine.close_by_hand(payment.id, 1, Unsent("no"), "again")
        await engine.close()

    virtual.run(main(), clock)
    topics = [fact.topic for row in journal.entries() for fact in row.facts
              if isinstance(fact, Noted)]  # fmt: skip
    assert topics == [Topic.EVIDENCE]


@pytest.mark.parametrize(
    ("ask", "more", "words"),
    [
        (purchase(), {"verbs": {}}, "does not do purchase"),
        (purchase(), {"currencies": frozenset({"USD"})}, "does not take EUR"),
        (purchase(bridge="other"), {}, "no bridge called"),
    ],
)
def test_what_a_bridge_cannot_do_is_refused_before_anything_is_written(ask, more, words):
    with pytest.raises(Unsupported, match=words):
        run_told(lambda operation: iter(()), ask, **more)


def test_card_numbers_go_only_to_bridges_that_take_them():
    bridge = Told(lambda operation: iter(()))
    object.__setattr__(bridge.capabilities, "card_numbers", False)
    around = Surroundings(MemoryJournal(), {"told": bridge}, Silence(), ManualClock(), SeededIds(1))
    with pytest.raises(Unsupported, match="tokens"):
        virtual.run(Engine(around, threaded=False).ask(purchase()), around.clock)


@pytest.mark.parametrize("keeps", [False, True])
def test_a_token_is_written_only_where_the_bridge_cannot_ask_without_it(keeps):
    world, name = World(), "a-name-for-what-pays"
    bridge = world.engine.bridges["sandbox"]
    object.__setattr__(bridge.capabilities, "keeps_tokens", keeps)

    async def main():
        ask = purchase(instrument=Token(Secret(name), InstrumentView(entry="online")))
        payment = await world.ask(ask)
        assert payment.opening.view.reference == (name if keeps else "")
        assert await world.ask(ask) == payment
        written = b"".join(row.body for row in world.journal.entries())
        assert (name.encode() in written) is keeps

    try:
        world.run(main())
    finally:
        object.__setattr__(bridge.capabilities, "keeps_tokens", False)


@pytest.mark.parametrize("verb", [Verb.REFUND, Verb.CAPTURE])
def test_a_verb_that_a_bridge_does_in_whole_is_refused_in_part(verb):
    world = World()
    verbs = dict.fromkeys(Verb, VerbCapability()) | {verb: VerbCapability(partial=False)}
    bridge = world.engine.bridges["sandbox"]
    object.__setattr__(bridge.capabilities, "verbs", verbs)

    async def main():
        first = Verb.PURCHASE if verb is Verb.REFUND else Verb.AUTHORIZE
        payment = await world.ask(opening(first, "one", TEN))
        some = Money.of(999, "EUR")
        with pytest.raises(Unsupported, match="all that is left only"):
            await world.ask(continuing(verb, "two", payment, amount=some))
        whole = await world.ask(continuing(verb, "three", payment))
        assert whole.operations[-1].state is State.APPROVED

    try:
        world.run(main())
    finally:
        object.__setattr__(bridge.capabilities, "verbs", {verb: VerbCapability() for verb in Verb})


def test_a_verb_that_a_bridge_does_once_is_refused_the_second_time():
    world = World()
    verbs = dict.fromkeys(Verb, VerbCapability()) | {Verb.REFUND: VerbCapability(multiple=False)}
    bridge = world.engine.bridges["sandbox"]
    object.__setattr__(bridge.capabilities, "verbs", verbs)

    async def main():
        payment = await world.ask(purchase())
        some = Money.of(100, "EUR")
        await world.ask(continuing(Verb.REFUND, "two", payment, amount=some))
        with pytest.raises(Unsupported, match="one refund"):
            await world.ask(continuing(Verb.REFUND, "three", payment, amount=some))

    try:
        world.run(main())
    finally:
        object.__setattr__(bridge.capabilities, "verbs", {verb: VerbCapability() for verb in Verb})


# Looking


def test_looking_finds_by_name_and_by_key():
    world = World()

    async def main():
        payment = await world.ask(purchase())
        assert await world.engine.look(Look(payment=payment.id)) == payment
        assert await world.engine.look(Look(key=payment.opening.key)) == payment
        assert await world.engine.look(Look(key=IdempotencyKey("x", "y"))) is None
        with pytest.raises(UnknownPayment):
            await world.engine.look(Look(payment=PaymentId("0" * 26)))
        with pytest.raises(UnknownPayment):
            await world.engine.ask(
                Ask(verb=Verb.REFUND, key=IdempotencyKey("x", "z"), payment=PaymentId("0" * 26))
            )

    world.run(main())


def test_looking_afresh_asks_the_provider_first():
    world = World()
    world.faults.rules.append(Rule(Fault.LOSE_ANSWER, what="operation"))

    async def main():
        payment = await world.ask(purchase())
        name = payment.id
        assert (await world.engine.look(Look(payment=name))).opening.state is State.DISPATCHED
        found = await world.engine.look(Look(payment=name, fresh=True))
        assert found.opening.state is State.APPROVED

    world.run(main())


def test_an_asker_that_disappears_loses_nothing():
    world = World()
    world.faults.rules.append(Rule(Fault.LATE_ANSWER, delay_s=5))

    async def main():
        asking = asyncio.create_task(world.engine.ask(purchase()))
        await asyncio.sleep(1)
        asking.cancel()
        await asyncio.wait([asking])
        await asyncio.sleep(10)

    world.run(main())
    assert world.payments[0].opening.state is State.APPROVED
    assert world.differences() == []


def test_no_secret_of_a_card_is_written_or_kept():
    world = World()

    async def main():
        payment = await world.ask(purchase())
        assert payment.opening.instrument is None
        assert "4242424242424242" not in repr(payment)

    world.run(main())
    assert b"4242424242424242" not in b"".join(row.body for row in world.journal.entries())


def test_a_withdrawn_currency_is_refunded_in_its_successor():
    world = World()
    world.clock.jump(-120 * 24 * 3600)
    hundred = Money.of(10_000, "BGN")

    async def main():
        payment = await world.ask(purchase(amount=hundred))
        assert payment.amounts.captured_minor == 10_000
        world.clock.jump(120 * 24 * 3600)
        with pytest.raises(InvalidMoney, match="use EUR"):
            await world.ask(purchase("two", amount=hundred))
        part = Money.of(3333, "BGN")
        for name in ("a", "b", "c"):
            payment = await world.ask(continuing(Verb.REFUND, name, payment, amount=part))
        payment = await world.ask(continuing(Verb.REFUND, "d", payment))
        assert payment.amounts.refunded_minor == 10_000
        tendered = sum(op.tender.amount_minor for op in payment.operations[1:])
        assert tendered == hundred.in_successor().amount_minor == 5113

    world.run(main())
    assert world.differences() == []


def test_notes_are_written_with_the_request_or_nothing_is():
    world = World()

    async def main():
        first = replace(purchase("a"), notes=(Note("page", b"1", 0),))
        await world.engine.ask(first, "face")
        assert world.engine.recall("face", "page") == Page(b"1", 1)
        await world.engine.ask(first, "face")
        assert world.engine.recall("face", "page") == Page(b"1", 1)
        behind = replace(purchase("b"), notes=(Note("page", b"2", 0),))
        with pytest.raises(VersionConflict):
            await world.engine.ask(behind, "face")

    world.run(main())
    assert len(world.payments) == 1
