"""One final outcome, whatever comes: crashes, silence, repeats, answers and cancels at random."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.faces.webinos.counter import BILL, QUIET, Counter, answered, cancelled, decided
from tollbridge.faces.webinos.notebook import STALLED_S
from tollbridge.sandbox.faults import Fault, Rule

FINAL = ("succeeded", "failed", "cancelled")
CARD = {"number": "5555555555554444", "expiry": "11/33"}


@pytest.mark.req("N-062", "N-069", "N-092")
@pytest.mark.parametrize("fault", [None, *Fault])
def test_a_crash_at_any_moment_loses_and_doubles_nothing(fault):
    moment = 0
    while True:
        counter = Counter()
        request = counter.begin(key="the-same-key")
        if fault is not None:
            rule = Rule(fault, what="operation", verb="purchase", delay_s=3.0)
            counter.world.faults.rules.append(rule)
        crashed = counter.call(request, crash_at=moment) is None
        counter.settle()
        status, told = counter.call(request)
        assert status in (200, 201)
        counter.settle()
        told = counter.show(told)
        assert told["state"] in FINAL, (fault, moment)
        assert counter.taken() == (2596 if told["state"] == "succeeded" else 0)
        assert counter.verdict() == [], (fault, moment)
        assert counter.unfinished() == ()
        if not crashed:
            break
        moment += 1
    assert moment > 5


def chosen(counter, step, seen, old):
    """Give what a customer, or a thief, sends in a step."""
    challenge = seen["challenge"]
    code = counter.house.code if counter.house.sent and step != "wrong" else "00000"
    if step == "cancel":
        return [cancelled(seen)], old
    if step == "old" and old:
        return [old], old
    if challenge and challenge["type"] == "url":
        decision = "refuse" if step == "refuse" else "pay"
        return [decided(seen, decision, answer=code, card=CARD)], old
    if challenge and step in ("right", "wrong", "both"):
        answer = answered(seen, code)
        return [answer, cancelled(seen)] if step == "both" else [answer], answer
    return [], old


STEPS = some.lists(
    some.tuples(
        some.sampled_from(["begin", "right", "wrong", "old", "cancel", "decide", "refuse", "wait",
                           "sweep", "follow", "both"]),
        some.none() | some.none() | some.integers(0, 8),
    ),
    min_size=1,
    max_size=10,
)  # fmt: skip


@pytest.mark.req("N-062", "N-063", "N-083", "N-090", "N-097")
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(
    some.sampled_from([("text",), ("image",), ("url",), ("text", "url")]),
    some.booleans(),
    some.none() | some.sampled_from(list(Fault)),
    STEPS,
)
def test_a_payment_has_one_final_outcome(kinds, refund, fault, steps):
    counter = Counter(policy=QUIET)
    counter.pay(key="an-earlier-key")
    counter.settings["policy"] = {"amount_minor": 0, "refunds": True, "kinds": list(kinds)}
    counter.restart()
    request = counter.begin(BILL | {"itemPrice": "-5.00" if refund else "5.00"}, key="random-key")
    if fault is not None:
        counter.world.faults.rules.append(Rule(fault, what="operation", delay_s=4.0))
    seen, finals, numbers = None, set(), []
    old = None
    for step, crash in steps:
        requests, old = chosen(counter, step, seen, old) if seen else ([], None)
        requests = requests or [request]
        if step == "wait":
            counter.world.clock.advance(STALLED_S * 4)
        elif step == "sweep":
            counter.settle()
        if counter.call(*requests, crash_at=crash) is None:
            counter.restart()
        answer = counter.call(request)
        if answer[0] in (200, 201):
            seen = answer[1]
            numbers.append(seen["events"])
            if seen["state"] in FINAL:
                finals.add((seen["state"], seen["proofOfPurchase"], repr(seen["error"])))
    assert len(finals) <= 1, finals
    assert numbers == sorted(numbers), "events never go back"
    counter.settle()
    counter.world.clock.advance(2000)
    counter.settle()
    if seen is not None:
        last = counter.show(seen)
        assert last["state"] in FINAL
        assert not finals or finals == {
            (last["state"], last["proofOfPurchase"], repr(last["error"]))
        }
    assert counter.verdict() == []
    assert counter.unfinished() == ()


@pytest.mark.req("N-062")
@pytest.mark.parametrize("challenged", [False, True])
def test_keys_that_are_lost_after_the_money_moved_make_no_failure(challenged):
    counter = Counter(policy=QUIET)
    counter.pay()
    counter.settings["policy"] = {"amount_minor": 0} if challenged else QUIET
    counter.restart()
    request = counter.begin(key="the-same-key")
    if challenged:
        asked = counter.call(request)[1]
        counter.house.changed.clear()
        request = answered(asked, counter.house.code)

        class Second(list):
            def append(self, name):
                super().append(name)
                counter.house.loses_its_keys = len(self) == 2

        counter.house.changed = Second()
    else:
        counter.house.loses_its_keys = True
    assert counter.call(request)[0] in (200, 503)
    assert counter.taken() == 2 * 2596
    counter.house.loses_its_keys = counter.house.broken = False
    counter.settle()
    assert [each.state for each in counter.checkouts()] == ["succeeded", "succeeded"]
    assert counter.verdict() == []
