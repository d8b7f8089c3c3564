"""How often: what is too often fails before anything begins, whatever comes at once or crashes."""

import pytest

from tests.faces.webinos.counter import ADA, BILL, QUIET, Counter, customer
from tollbridge.faces.webinos import house

ALWAYS = {"amount_minor": 0, "kinds": ["text"]}


def counter_with(**policy):
    people = {ADA: customer(), "bob": customer("5555555555554444")}
    return Counter(policy=QUIET | policy, customers=people)


def too_often(counter, **more):
    status, answer = counter.call(counter.begin(**more))
    assert (status, answer["error"]["reason"]) == (422, "too_often"), answer
    assert answer["error"]["code"] == "payment_chargeable_exceeded"
    return answer["error"]["retryPossible"]


@pytest.mark.req("N-068")
def test_a_customer_pays_so_often_and_others_go_on():
    counter = counter_with(customer_max=2, window_s=600)
    counter.pay()
    counter.world.clock.advance(300)
    counter.pay(seller="grace")
    assert too_often(counter) is False
    counter.pay(customer="bob")
    counter.world.clock.advance(239)
    assert too_often(counter) is False, "another 61 seconds are no minute"
    counter.world.clock.advance(1)
    assert too_often(counter) is True
    counter.world.clock.advance(60)
    counter.pay()
    assert too_often(counter) is False
    assert counter.taken() == 4 * 2596


@pytest.mark.req("N-068")
def test_a_seller_is_paid_so_often():
    counter = counter_with(seller_max=3, window_s=60)
    for who in (ADA, "bob", None):
        counter.pay(customer=who)
    assert too_often(counter) is True
    counter.pay(seller="grace")
    counter.world.clock.advance(60)
    counter.pay()


@pytest.mark.req("N-042", "N-068")
def test_giving_back_does_not_count():
    counter = counter_with(customer_max=1, seller_max=1)
    counter.pay()
    too_often(counter)
    assert counter.pay(BILL | {"itemPrice": "-25.96"})["state"] == "succeeded"
    assert counter.taken() == 0


@pytest.mark.req("N-068")
def test_of_many_at_once_no_more_get_through_than_may():
    counter = counter_with(customer_max=3)
    counter.pay()
    answers = counter.call(*[counter.begin() for _ in range(8)])
    assert sorted(status for status, _ in answers) == [201] * 2 + [422] * 6
    assert counter.taken() == 3 * 2596


@pytest.mark.req("N-068", "N-069")
def test_the_same_payment_counts_once():
    counter = counter_with(customer_max=1)
    request = counter.begin()
    assert {status for status, _ in counter.call(*[request] * 4)} <= {200, 201}
    assert counter.call(request)[0] == 200
    too_often(counter)
    assert counter.taken() == 2596


@pytest.mark.req("N-068")
def test_a_restart_and_a_crash_forget_nothing(monkeypatch):
    for moment in range(40):
        counter = counter_with(customer_max=2)
        counter.pay()
        crashed = counter.call(counter.begin(key="the-same-key"), crash_at=moment) is None
        counter.restart()
        written = len(counter.pages("payment/"))
        counter.settle()
        if written == 2:
            too_often(counter)
        else:
            counter.pay()
            too_often(counter)
        if not crashed:
            break
    else:
        raise AssertionError("it never came through")
    # Nor is it forgotten where there are too many people to remember.
    monkeypatch.setattr(house, "PEOPLE_MAX", 1)
    counter.pay(customer="bob")
    too_often(counter)


@pytest.mark.req("N-068")
def test_what_counts_no_more_is_thrown_away():
    counter = counter_with(customer_max=5, seller_max=50, window_s=60)
    for _ in range(4):
        for _ in range(5):
            counter.pay()
        counter.world.clock.advance(61)
    counter.pay()
    assert len(counter.pages("pace/")) == 2


@pytest.mark.req("N-068", "N-077")
def test_a_customer_is_asked_so_often():
    counter = counter_with(**ALWAYS, asked_max=4)
    for _ in range(2):
        asked = counter.pay()
        asked |= counter.answer(asked, "wrong")[1]
        assert asked["challenge"] is not None
    assert len(counter.house.sent) == 4
    too_often(counter)
    ended = counter.answer(asked, "wrong")[1]
    assert (ended["state"], ended["error"]["reason"]) == ("failed", "too_often")
    assert len(counter.house.sent) == 4, "nobody's telephone rings all night"
    assert counter.pay(customer="bob")["challenge"] is not None


@pytest.mark.req("N-068", "N-077")
def test_nor_on_the_providers_own_page():
    counter = counter_with(asked_max=2, attempts=9)
    for sent in (1, 2, 2):
        asked = counter.pay(customer=None)
        status, answer = counter.decide(asked, answer=ADA)
        assert len(counter.house.sent) == sent
    assert (status, answer["error"]["reason"]) == (422, "too_often")
    assert counter.show(asked)["state"] == "challenge_required", "a card may still pay"
    paid = counter.decide(asked, card={"number": "5555555555554444", "expiry": "11/33"})
    assert paid[1]["state"] == "succeeded"


def test_a_lower_limit_than_before_knows_when_it_frees():
    counter = counter_with(customer_max=4, window_s=100)
    for _ in range(4):
        counter.pay(BILL)
        counter.world.clock.advance(10)
    counter.settings["policy"] = QUIET | {"customer_max": 2, "window_s": 100}
    counter.restart()
    assert too_often(counter) is False
    counter.world.clock.advance(20)
    assert too_often(counter) is True
