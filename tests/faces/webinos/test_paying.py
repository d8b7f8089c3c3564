"""Paying: once, whatever happens; with what became of it said truly."""

import pytest

from tests.faces.webinos.counter import Counter


@pytest.fixture
def counter():
    return Counter()


@pytest.mark.req("N-006", "N-060", "N-061")
def test_a_bill_is_charged_once_and_proven(counter):
    paid = counter.pay()
    assert (paid["state"], paid["amount"], paid["currency"]) == ("succeeded", "25.96", "EUR")
    assert paid["error"] is None
    assert counter.taken() == 2596
    status, told = counter.verify(paid["proofOfPurchase"])
    assert status == 200
    assert told["valid"]
    assert counter.world.differences() == []


def test_a_code_is_asked_for_and_answered():
    counter = Counter(policy={"amount_minor": 1000})
    asked = counter.pay()
    assert asked["state"] == "challenge_required"
    assert counter.taken() == 0
    status, paid = counter.answer(asked, counter.house.code)
    assert (status, paid["state"]) == (200, "succeeded"), paid
    assert counter.taken() == 2596
