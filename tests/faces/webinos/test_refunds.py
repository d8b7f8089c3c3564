"""Giving back: never more than was charged, never twice, and to the end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.faces.webinos.counter import ADA, BILL, QUIET, Counter, customer
from tollbridge.core.asks import Ask
from tollbridge.core.verbs import Verb
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.money import Money
from tollbridge.sandbox.faults import Fault, Rule

EVE = "eve@example.org"


def bill(price, **more):
    return BILL | {"itemPrice": price} | more


@pytest.fixture
def counter():
    return Counter(customers={ADA: customer(), EVE: customer("5555555555554444")})


def charged(counter, *prices, **more):
    for price in prices:
        assert counter.pay(bill(price), **more)["state"] == "succeeded"
        counter.world.clock.advance(1)


@pytest.mark.req("N-042", "N-068")
def test_what_was_charged_can_be_given_back(counter):
    charged(counter, "25.96")
    back = counter.pay(bill("-14.99"))
    assert (back["state"], back["amount"], back["kind"]) == ("succeeded", "-14.99", "refund")
    assert counter.taken() == 2596 - 1499
    problem = counter.fails(bill("-10.98"), key="another-key")
    assert (problem["code"], problem["reason"]) == ("payment_charge_failed", "refund_too_large")
    assert problem["retryPossible"] is False
    assert counter.pay(bill("-10.97"))["state"] == "succeeded"
    assert counter.taken() == 0
    assert counter.verdict() == []


@pytest.mark.req("N-042")
def test_only_this_seller_this_customer_and_this_currency_count(counter):
    charged(counter, "10.00")
    charged(counter, "10.00", seller="grace")
    charged(counter, "10.00", customer=EVE)
    counter.pay(bill(1000, currency="JPY"))
    for more in (
        {"seller": "ShopName12345"}, {"customer": EVE}, {"seller": "grace"},
    ):  # fmt: skip
        assert counter.fails(bill("-10.01"), **more)["reason"] == "refund_too_large"
    assert counter.fails(bill("-1"), seller="grace", customer=EVE)["reason"] == "refund_too_large"
    assert counter.pay(bill(-1000, currency="JPY"))["state"] == "succeeded"
    assert counter.pay(bill("-10.00"), customer=EVE)["state"] == "succeeded"
    assert counter.verdict() == []


@pytest.mark.req("N-042")
def test_the_newest_charge_that_can_bear_it_all_does(counter):
    charged(counter, "30.00", "20.00", "5.00")
    counter.pay(bill("-15.00"))
    refunded = [p.amounts.captured_minor for p in counter.world.payments
                if p.amounts.refunded_minor]  # fmt: skip
    assert refunded == [2000]


@pytest.mark.req("N-042")
def test_where_none_can_several_do(counter):
    charged(counter, "10.00", "20.00", "30.00")
    back = counter.pay(bill("-45.00"))
    assert back["state"] == "succeeded"
    refunded = sorted(p.amounts.refunded_minor for p in counter.world.payments)
    assert refunded == [0, 0, 1500, 3000]
    assert counter.taken() == 1500
    (checkout,) = [each for each in counter.checkouts() if each.kind == "refund"]
    assert [step.state for step in checkout.steps] == ["done", "done"]
    assert counter.verdict() == []


@pytest.mark.req("N-042", "N-094")
def test_a_split_is_finished_and_never_doubled_after_a_crash_at_any_moment():
    moment = 0
    while True:
        counter = Counter()
        charged(counter, "10.00", "20.00", "30.00")
        request = counter.begin(bill("-60.00"), key="refund-key")
        crashed = counter.call(request, crash_at=moment) is None
        counter.settle()
        status, back = counter.call(request)
        assert status in (200, 201)
        counter.settle()
        back = counter.show(back)
        assert counter.verdict() == [], moment
        if back["state"] == "succeeded":
            assert counter.taken() == 0
        else:
            # One part was to leave when the process died, and never arrived.
            assert back["error"]["reason"] in ("never_arrived", "refund_incomplete")
            assert counter.taken() > 0
        if not crashed:
            break
        moment += 1
    assert moment > 8


@pytest.mark.req("N-042")
def test_a_part_that_fails_is_borne_by_others(counter):
    charged(counter, "10.00", "20.00", "30.00")
    counter.world.faults.rules.append(Rule(Fault.REFUSE, what="operation", verb="refund"))
    assert counter.pay(bill("-25.00"))["state"] == "succeeded"
    refunded = sorted(p.amounts.refunded_minor for p in counter.world.payments)
    assert refunded == [0, 0, 500, 2000]
    (checkout,) = [each for each in counter.checkouts() if each.kind == "refund"]
    assert [step.state for step in checkout.steps] == ["failed", "done", "done"]
    assert counter.verdict() == []


@pytest.mark.req("N-042", "N-068")
def test_what_fails_in_the_middle_is_said(counter):
    charged(counter, "10.00", "20.00")
    counter.world.faults.rules.append(
        Rule(Fault.REFUSE, what="operation", verb="refund", skip=1, times=9)
    )
    back = counter.pay(bill("-30.00"))
    assert back["state"] == "failed"
    assert back["error"]["reason"] == "refund_incomplete"
    assert "20.00 EUR of 30.00 EUR" in back["error"]["message"]
    assert counter.taken() == 1000
    assert counter.verdict() == []


@pytest.mark.req("N-068")
def test_a_refund_that_cannot_be_sent_may_be_tried_again(counter):
    charged(counter, "10.00")
    counter.world.faults.down = True
    back = counter.pay(bill("-10.00"))
    assert (back["state"], back["error"]["retryPossible"]) == ("failed", True)
    counter.world.faults.down = False
    assert counter.pay(bill("-10.00"))["state"] == "succeeded"
    assert counter.verdict() == []


@pytest.mark.req("N-062", "N-068")
def test_a_refund_whose_outcome_is_unknown_waits_and_others_find_it_busy(counter):
    charged(counter, "10.00")
    counter.world.faults.rules += [
        Rule(Fault.LOSE_ANSWER, what="operation", verb="refund"),
        Rule(Fault.LOSE_ANSWER, what="inquiry", times=2),
    ]
    back = counter.pay(bill("-4.00"))
    assert back["state"] == "unknown"
    status, answer = counter.call(counter.begin(bill("-4.00")))
    assert status in (201, 503)
    if status == 503:
        assert (answer["error"]["reason"], answer["error"]["retryPossible"]) == ("busy", True)
    counter.settle()
    assert counter.show(back)["state"] == "succeeded"
    assert counter.verdict() == []


@pytest.mark.req("N-042", "N-095")
def test_many_refunds_at_once_give_back_what_there_is(counter):
    charged(counter, "10.00")
    requests = [counter.begin(bill("-4.00")) for _ in range(5)]
    states = []
    while requests:
        answers = [counter.call(requests[0])] if len(requests) == 1 else counter.call(*requests)
        busy = [status for status, _ in answers if status == 503]
        states += [status for status, _ in answers if status != 503]
        requests = [each for each, (status, _) in zip(requests, answers, strict=True)
                    if status == 503]  # fmt: skip
        assert len(busy) == len(requests)
    counter.settle()
    assert sorted(states) == [201, 201, 422, 422, 422]
    assert counter.taken() == 200
    assert counter.verdict() == []


def test_a_refund_by_another_way_counts(counter):
    charged(counter, "10.00")
    purchase = next(p for p in counter.world.payments if p.opening.verb is Verb.PURCHASE)

    async def main():
        await counter.world.engine.ask(
            Ask(verb=Verb.REFUND, key=IdempotencyKey("api", "1"), payment=purchase.id,
                amount=Money.of(600, "EUR"))
        )  # fmt: skip

    counter.world.run(main())
    assert counter.fails(bill("-4.01"), key="another-key")["reason"] == "refund_too_large"
    assert counter.pay(bill("-4.00"))["state"] == "succeeded"


@pytest.mark.req("N-042")
@settings(max_examples=25)
@given(
    some.lists(some.integers(1, 500), min_size=1, max_size=5),
    some.lists(some.integers(1, 900), min_size=1, max_size=5),
)
def test_never_more_goes_back_than_came(charges, refunds):
    counter = Counter(policy=QUIET)
    for minor in charges:
        charged(counter, Money.of(minor, "EUR").decimal())
    left = sum(charges)
    for minor in refunds:
        status, answer = counter.call(counter.begin(bill(f"-{Money.of(minor, 'EUR').decimal()}")))
        fits = minor <= left
        assert (status == 201) is fits, answer
        left -= minor if fits else 0
        assert counter.taken() == left
    assert counter.verdict() == []
