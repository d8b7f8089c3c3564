"""The day-end: every transaction is settled in exactly one batch, whatever breaks."""

import asyncio
from collections import Counter

import pytest

from tests.faces.wpi.terminal import (
    CANCEL_COMPLETION,
    CANCEL_PAYMENT,
    COMPLETION,
    CREDIT,
    DAY_END,
    DEFERRED,
    DEFERRED_COMPLETION,
    PAYMENT,
    PRE_AUTHORIZATION,
    PRINT,
    Terminal,
)
from tollbridge.faces.wpi.wishes import Print
from tollbridge.sandbox.faults import Fault, Rule

FLOOR = {"limits": {"default": {"floor_minor": 5000}}}


def totals(answer):
    """The sums of a day-end, by brand and currency: how many, how much."""
    data = answer.response["receipt"]["json"]["additionalData"]
    found = next(each["value"] for each in data if each["key"] == "totals")
    return {(t["brandName"], t["currency"]): (t["count"], t["amount"]) for t in found}


def period(answer):
    return answer.response["receipt"]["json"]["period"]


def day_end(terminal, **extras):
    return terminal.send(DAY_END, {"receiptFormat": ["JSON"]}, **extras)


def booked(terminal):
    """What the provider's book took, by currency."""
    return terminal.taken


def by_currency(sums):
    found = Counter()
    for (_, code), (_, minor) in sums.items():
        found[code] += minor
    return {code: minor for code, minor in found.items() if minor}


def offline_payment(terminal, amount=500, **more):
    """A payment the card decides alone, because the host cannot be reached."""
    terminal.world.faults.down = True
    answer = terminal.pay(amount, **more)
    terminal.world.faults.down = False
    assert answer.condition == "NONE", answer.remark
    return answer


@pytest.mark.req("P-033", "P-316", "P-317", "P-164")
def test_totals_are_those_of_the_providers_book_by_brand_and_currency():
    terminal = Terminal()
    terminal.pay(1000)
    terminal.pay(2000, "USD")
    terminal.pay(300, "JPY")
    terminal.script.will(["mastercard"])
    terminal.pay(5000)
    terminal.script.will(["mastercard"])
    terminal.refund(700)
    reserved = terminal.do(PRE_AUTHORIZATION, {"requestedAmount": 9000})
    terminal.send(COMPLETION, {"currency": "EUR", "requestedAmount": 8000,
                               "paymentSolutionReference": reserved.reference})  # fmt: skip
    fuel = terminal.do(DEFERRED, {"requestedAmount": 15000})
    terminal.send(DEFERRED_COMPLETION, {"currency": "EUR", "requestedAmount": 4000,
                                        "paymentSolutionReference": fuel.reference})  # fmt: skip
    credited = terminal.pay(600)
    terminal.send(CREDIT, {"currency": "EUR", "requestedAmount": 250,
                           "paymentSolutionReference": credited.reference})  # fmt: skip
    terminal.pay(4205)
    answer = day_end(terminal)
    assert totals(answer) == {
        ("Visa", "EUR"): (5, 1000 + 8000 + 4000 + 600 - 250),
        ("Visa", "USD"): (1, 2000),
        ("Visa", "JPY"): (1, 300),
        ("Mastercard", "EUR"): (2, 4300),
    }
    assert by_currency(totals(answer)) == booked(terminal)
    assert period(answer) == "000001"
    assert answer.response["receipt"]["json"]["receiptTargets"]["client"] == []
    assert terminal.verdict() == []


@pytest.mark.req("P-317")
def test_what_was_cancelled_is_not_counted():
    terminal = Terminal()
    terminal.cancel(terminal.pay(1000).reference)
    terminal.do(CANCEL_COMPLETION)
    terminal.do(COMPLETION)
    assert totals(day_end(terminal)) == {("Visa", "EUR"): (1, 1191)}
    assert terminal.verdict() == []


@pytest.mark.req("P-318")
def test_a_second_day_end_is_empty_and_counting_begins_again():
    terminal = Terminal()
    terminal.pay(1000)
    assert totals(day_end(terminal)) == {("Visa", "EUR"): (1, 1000)}
    empty = day_end(terminal)
    assert totals(empty) == {}
    assert period(empty) == "000002"
    terminal.restart()
    terminal.pay(77)
    assert totals(day_end(terminal)) == {("Visa", "EUR"): (1, 77)}


@pytest.mark.req("P-289", "P-316")
def test_what_a_day_end_closed_can_be_refunded_and_not_cancelled():
    terminal = Terminal()
    paid, completed = terminal.pay(1000), terminal.do(COMPLETION)
    reserved = terminal.do(PRE_AUTHORIZATION)
    day_end(terminal)
    for service, before in ((CANCEL_PAYMENT, paid), (CANCEL_COMPLETION, completed)):
        answer = terminal.send(service, {"paymentSolutionReference": before.reference})
        assert answer.condition == "INVALID_TRANSACTION_REQ"
        assert "day-end" in answer.remark
    # A reservation is no settled money.
    answer = terminal.send("WPI_SVC_CANCEL_PRE_AUTHORIZATION",
                           {"paymentSolutionReference": reserved.reference})  # fmt: skip
    assert answer.condition == "NONE"
    assert terminal.refund(1000, paymentSolutionReference=paid.reference).condition == "NONE"
    assert totals(day_end(terminal)) == {("Visa", "EUR"): (1, -1000)}
    assert terminal.verdict() == []


@pytest.mark.req("P-316")
def test_what_is_undecided_at_a_day_end_is_settled_with_the_next_one():
    terminal = Terminal(patience_s=3)
    paid = terminal.pay(1000)
    terminal.world.faults.rules += [
        Rule(Fault.LATE_DELIVERY, delay_s=25, what="operation"),
        Rule(Fault.LOSE_ANSWER, times=20, what="inquiry"),
    ]
    refund = terminal.refund(400, paymentSolutionReference=paid.reference, session="r")
    assert "not known yet" in refund.remark
    assert totals(day_end(terminal)) == {("Visa", "EUR"): (1, 1000)}
    terminal.world.recover()
    assert terminal.last("r").condition == "NONE"
    assert totals(day_end(terminal)) == {("Visa", "EUR"): (1, -400)}
    assert totals(day_end(terminal)) == {}
    assert terminal.verdict() == []


@pytest.mark.req("P-316", "P-317")
def test_a_payment_whose_cancellation_is_undecided_waits_with_it_for_the_next_day_end():
    terminal = Terminal(patience_s=3)
    paid, other = terminal.pay(1000), terminal.pay(50)
    terminal.world.faults.rules += [
        Rule(Fault.LATE_DELIVERY, delay_s=25, what="operation"),
        Rule(Fault.LOSE_ANSWER, times=20, what="inquiry"),
    ]
    cancelled = terminal.cancel(paid.reference, session="c")
    assert "not known yet" in cancelled.remark
    first = totals(day_end(terminal))
    terminal.world.recover()
    assert terminal.last("c").condition == "NONE"
    second = totals(day_end(terminal))
    assert first == {("Visa", "EUR"): (1, 50)}
    assert second == {}
    assert other.condition == "NONE"
    assert by_currency(first) == booked(terminal)
    assert terminal.verdict() == []


@pytest.mark.req("P-289", "P-316")
def test_what_moved_to_the_next_batch_can_be_cancelled_until_that_one_is_closed():
    terminal = Terminal(patience_s=60)
    terminal.world.faults.rules += [
        Rule(Fault.LATE_DELIVERY, delay_s=25, what="operation"),
        Rule(Fault.LOSE_ANSWER, times=20, what="inquiry"),
    ]

    # The program dies while the outcome is unknown; the next one comes up before it is known.
    async def main():
        await terminal.exchange(PAYMENT, {"currency": "EUR", "requestedAmount": 900}, session="p")

    assert terminal.world.run(main(), crash_at=3)
    terminal.restart()
    assert totals(day_end(terminal)) == {}
    terminal.world.recover()
    paid = terminal.last("p")
    assert paid.condition == "NONE"
    answer = terminal.cancel(paid.reference)
    assert answer.condition == "NONE", answer.remark
    assert totals(day_end(terminal)) == {}
    assert terminal.verdict() == []


@pytest.mark.req("P-316", "P-134")
def test_a_day_end_the_host_cannot_be_reached_for_is_finished_by_the_next_one():
    terminal = Terminal(**FLOOR)
    for amount in (100, 200, 300):
        terminal.pay(amount)
    waiting = offline_payment(terminal, 50)
    for restart in (False, True, True):
        if restart:
            terminal.restart()
        terminal.world.faults.down = True
        answer = day_end(terminal)
        assert answer.condition == "NETWORK_ISSUE"
        assert "receipt" not in answer.response
        terminal.world.faults.down = False
    # What is paid meanwhile belongs to the next batch.
    terminal.pay(7)
    answer = day_end(terminal)
    assert period(answer) == "000001"
    assert totals(answer) == {("Visa", "EUR"): (4, 650)}
    after = day_end(terminal)
    assert period(after) == "000002"
    assert totals(after) == {("Visa", "EUR"): (1, 7)}
    assert waiting.condition == "NONE"
    assert booked(terminal) == {"EUR": 657}
    assert terminal.verdict() == []


@pytest.mark.req("P-036", "P-333", "P-327")
def test_the_receipt_of_a_day_end_can_be_printed_again_for_the_merchant():
    terminal = Terminal(print_automatically=False)
    terminal.pay()
    assert day_end(terminal, session="d").condition == "NONE"
    answer = terminal.send(PRINT, {"receiptTarget": "MERCHANT"}, session="d")
    assert answer.condition == "NONE"
    for target in ("CARDHOLDER", "BOTH"):
        answer = terminal.send(PRINT, {"receiptTarget": target}, session="d")
        assert answer.condition == "GENERIC"
    assert [copy for copy, _ in terminal.papers()] == ["merchant"]
    assert terminal.last("d").response is None


@pytest.mark.req("P-316", "P-318")
def test_a_day_end_whose_printing_breaks_off_is_over_all_the_same():
    terminal = Terminal()
    terminal.pay(1000)

    async def before(_, saying):
        if isinstance(saying.wish, Print):
            raise asyncio.CancelledError

    async def main():
        with pytest.raises(asyncio.CancelledError):
            await terminal.exchange(DAY_END, {"receiptFormat": ["JSON"]}, session="d")

    terminal.before_exchange = before
    terminal.world.run(main())
    terminal.before_exchange = None
    terminal.pay(7)
    answer = day_end(terminal)
    assert period(answer) == "000002"
    assert totals(answer) == {("Visa", "EUR"): (1, 7)}
    assert terminal.verdict() == []


def lives(terminal):
    """A day with everything a batch can hold."""
    terminal.pay(1000, session="p1")
    terminal.cancel(terminal.pay(333, session="p2").reference)
    terminal.script.will(["mastercard"])
    terminal.refund(40)
    offline_payment(terminal, 50)
    offline_payment(terminal, 60)
    terminal.script.will(["visa-declined"])
    offline_payment(terminal, 70)
    terminal.cancel(offline_payment(terminal, 80).reference)


@pytest.mark.req("P-051", "P-316", "P-318")
@pytest.mark.parametrize("moment", range(20))
@pytest.mark.parametrize("down", [False, True])
def test_after_a_crash_at_any_moment_every_transaction_is_in_exactly_one_batch(moment, down):
    terminal = Terminal(**FLOOR)
    lives(terminal)
    told = []

    async def main():
        terminal.world.faults.down = down
        told.append(await terminal.exchange(DAY_END, {"receiptFormat": ["JSON"]}, session="d1"))

    terminal.world.run(main(), moment)
    terminal.restart()
    terminal.world.recover()
    terminal.pay(9)
    batches = [day_end(terminal) for _ in range(3)]
    assert all(each.condition == "NONE" for each in batches)
    assert totals(batches[2]) == {}
    sums = Counter()
    # Where the batch was closed and nobody was told, its receipt is kept, and can be printed.
    kept = terminal.page("T1/session/com.example.till/d1") or {}
    for total in kept.get("slip", {}).get("totals", []):
        sums[total["currency"]] += total["amount_minor"]
    for each in batches:
        for code, minor in by_currency(totals(each)).items():
            sums[code] += minor
    assert dict(sums) == booked(terminal) == {"EUR": 1000 - 40 + 50 + 60 + 9}
    assert terminal.pages("T1/offline/") == []
    assert terminal.verdict() == []
