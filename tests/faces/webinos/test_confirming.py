"""The provider's own page: who the payer is, what pays, and no."""

import json

import pytest

from tests.faces.webinos.counter import (
    ADA,
    BILL,
    HOME,
    MASTERCARD,
    QUIET,
    SHOP,
    VISA,
    Counter,
    customer,
    decided,
    sent,
    ticket,
)
from tollbridge.faces.webinos import asking

ALWAYS = {"amount_minor": 0, "kinds": ["url"]}
EVE = "eve@example.org"
CARD = {"number": "5555 5555 5555 4444", "expiry": "11/33", "code": "123", "keep": False}


@pytest.fixture
def counter():
    return Counter(policy=ALWAYS)


@pytest.mark.req("N-007", "N-027", "N-075", "N-079")
def test_a_payer_nobody_knows_gives_a_card(counter):
    asked = counter.pay(customer=None, items=[{"description": "<i>CD</i>"}])
    assert asked["challenge"]["type"] == "url"
    assert asked["challenge"]["challenge"].startswith(f"{HOME}/web/confirm#ch=ch_")
    assert asked["challenge"]["input"] is None
    status, page = counter.look(asked)
    assert status == 200
    assert page["payment"]["seller"] == {"name": "The Shop", "kind": "merchant"}
    assert (page["payment"]["amount"], page["payment"]["currency"]) == ("25.96", "EUR")
    assert page["payment"]["items"] == [{"description": "<i>CD</i>"}]
    assert (page["needs"], page["customer"], page["instruments"]) == ("instrument", None, [])
    status, paid = counter.decide(asked, card=CARD)
    assert (status, paid["state"]) == (200, "succeeded")
    assert "client_token" not in paid
    assert counter.taken() == 2596
    assert counter.verdict() == []
    for secret in ("5555555555554444", CARD["number"], ticket(asked)["token"]):
        assert secret not in counter.written()
    assert counter.pages("wallet/") == []
    assert counter.verify(paid["proofOfPurchase"])[1]["customerID"] is None


@pytest.mark.req("N-075", "N-077")
def test_the_token_opens_its_own_payment_only_and_only_at_home(counter):
    one, two = counter.pay(customer=None), counter.pay(customer=None)
    foreign = ticket(one) | {"token": ticket(two)["token"]}
    assert counter.call(sent("POST", "/web/confirm/look", foreign, origin=HOME))[0] == 404
    for token in ("", "x"):
        wrong = ticket(one) | {"token": token}
        assert counter.call(sent("POST", "/web/confirm/look", wrong))[0] == 404
    assert counter.call(sent("POST", "/web/confirm/look", ticket(one), origin=SHOP))[0] == 403
    assert counter.call(decided(one, card=CARD, origin=SHOP))[0] == 403
    assert (
        counter.call(sent("POST", "/web/confirm/look", {"challenge": "ch", "token": "t"}))[0] == 404
    )
    assert counter.call(sent("POST", "/web/confirm/look", {}))[0] == 400
    right = decided(one, card=CARD)
    assert counter.call(right)[1]["state"] == "succeeded"
    assert counter.call(right)[0] == 409
    assert counter.look(one)[0] == 409
    assert counter.answer(two, "x")[0] == 409
    assert counter.taken() == 2596


@pytest.mark.req("N-068")
def test_cards_that_are_none_are_refused_and_another_may_do(counter):
    asked = counter.pay(customer=None)
    for wrong in (
        {"number": "5555555555554445"}, {"number": "4242"}, {"number": None}, {"expiry": "13/33"},
        {"expiry": "1133"}, {"expiry": "02/26"}, {"code": "12"}, {"code": 123},
    ):  # fmt: skip
        status, answer = counter.decide(asked, card=CARD | wrong)
        assert (status, answer["error"]["reason"]) == (422, "card_invalid"), wrong
    for nothing in ({}, {"card": 5}, {"instrument": "in_x"}):
        assert counter.decide(asked, **nothing)[0] == 422
    assert counter.call(decided(asked, "perhaps"))[0] == 422
    assert counter.decide(asked, card=CARD | {"expiry": "03/26"})[1]["state"] == "succeeded"


@pytest.mark.req("N-068", "N-090")
def test_the_payer_may_refuse(counter):
    asked = counter.pay(customer=None)
    status, gone = counter.decide(asked, "refuse")
    assert (status, gone["state"], gone["error"]["reason"]) == (200, "cancelled", "cancelled")
    asked = counter.pay()
    status, gone = counter.decide(asked, "refuse")
    assert (status, gone["state"]) == (200, "failed")
    assert gone["error"]["code"] == "payment_authentication_failed"
    assert gone["error"]["retryPossible"] is False
    assert counter.taken() == 0
    assert counter.unfinished() == ()


@pytest.mark.req("N-075", "N-077")
def test_a_customer_answers_a_code_there(counter):
    asked = counter.pay()
    status, page = counter.look(asked)
    assert (status, page["needs"]) == (200, "code")
    assert page["customer"] == {"name": "Ada", "mark": None}
    (shown,) = page["instruments"]
    assert shown["masked"] == "•••• 4242"
    assert VISA not in json.dumps(page)
    status, wrong = counter.decide(asked, answer="000000x")
    assert (status, wrong["state"]) == (200, "challenge_required")
    assert wrong["challenge"]["id"] == asked["challenge"]["id"]
    assert wrong["challenge"]["attempts_left"] == 2
    status, paid = counter.decide(asked, answer=counter.house.code, instrument=shown["id"])
    assert (status, paid["state"]) == (200, "succeeded")
    asked = counter.pay()
    states = [counter.decide(asked, answer="x")[1]["state"] for _ in range(3)]
    assert states == ["challenge_required", "challenge_required", "failed"]
    assert counter.decide(asked, answer=counter.house.code)[0] == 409


def test_a_customer_without_a_contact_confirms(counter):
    counter.settings["customers"] = {ADA: customer(contact="", mark="fox blue")}
    counter.restart()
    asked = counter.pay()
    status, page = counter.look(asked)
    assert (status, page["needs"]) == (200, "confirm")
    assert page["customer"]["mark"].startswith("data:image/svg+xml,")
    assert counter.decide(asked)[1]["state"] == "succeeded"


@pytest.mark.req("N-027")
def test_a_payer_may_say_who_they_are_and_prove_it(counter):
    asked = counter.pay(customer=None)
    status, answer = counter.decide(asked, answer="nobody@example.org")
    assert (status, answer["error"]["reason"]) == (422, "unknown_customer")
    assert counter.decide(asked)[1]["error"]["reason"] == "instrument_missing"
    status, still = counter.decide(asked, answer=ADA)
    assert (status, still["state"]) == (200, "challenge_required")
    page = counter.look(asked)[1]
    assert (page["needs"], page["customer"]["name"]) == ("code", "Ada")
    status, paid = counter.decide(asked, answer=counter.house.code)
    assert (status, paid["state"]) == (200, "succeeded")
    assert counter.verify(paid["proofOfPurchase"])[1]["customerID"] == ADA
    back = counter.pay(BILL | {"itemPrice": "-5.00"})
    assert back["state"] == "succeeded"
    assert counter.taken() == 2096


@pytest.mark.req("N-077")
def test_guessing_who_one_is_ends(counter):
    asked = counter.pay(customer=None)
    answers = [counter.decide(asked, answer=f"{n}@example.org") for n in range(4)]
    assert [status for status, _ in answers] == [422, 422, 422, 200]
    assert answers[-1][1]["state"] == "failed"


@pytest.mark.req("N-027")
def test_a_card_is_kept_for_a_new_customer_who_asks_for_it(counter):
    asked = counter.pay(customer=None)
    status, paid = counter.decide(asked, card=CARD | {"keep": True}, answer=EVE)
    assert (status, paid["state"]) == (200, "succeeded")
    written = counter.written()
    assert "5555555555554444" not in written
    asked = counter.pay(customer=EVE)
    assert counter.house.sent[-1].contact == EVE
    page = counter.look(asked)[1]
    assert [each["masked"] for each in page["instruments"]] == ["•••• 4444"]
    assert counter.decide(asked, answer=counter.house.code)[1]["state"] == "succeeded"
    # Somebody else who says the same must be the same.
    asked = counter.pay(customer=None)
    status, still = counter.decide(asked, card=CARD | {"keep": True}, answer=EVE)
    assert still["state"] == "challenge_required"
    assert counter.look(asked)[1]["needs"] == "code"
    assert counter.taken() == 2 * 2596
    assert counter.verdict() == []


def test_a_customer_adds_a_card_once(counter):
    for _ in range(2):
        asked = counter.pay()
        kept = {"number": MASTERCARD, "expiry": "11/33", "keep": True}
        paid = counter.decide(asked, card=kept, answer=counter.house.code)[1]
        assert paid["state"] == "succeeded"
    page = counter.look(counter.pay())[1]
    assert sorted(each["masked"][-4:] for each in page["instruments"]) == ["4242", "4444"]
    assert counter.verdict() == []


def test_a_customer_with_nothing_to_pay_with_gives_a_card():
    counter = Counter(policy=QUIET, customers={ADA: {"contact": "+15551234"}})
    assert counter.fails(challenges=["text"])["reason"] == "no_challenge_possible"
    asked = counter.pay()
    assert asked["challenge"]["type"] == "url"
    assert counter.decide(asked, answer=counter.house.code)[0] == 422
    paid = counter.decide(asked, card=CARD | {"keep": True}, answer=counter.house.code)[1]
    assert paid["state"] == "succeeded"
    assert counter.pay()["state"] == "succeeded"


def test_a_card_that_is_declined_is_the_end_and_one_that_cannot_be_kept_is_not(counter):
    asked = counter.pay(customer=None)
    declined = CARD | {"number": "4000000000000002"}
    status, answer = counter.decide(asked, card=declined | {"keep": True}, answer=EVE)
    assert (status, answer["error"]["reason"]) == (422, "declined")
    assert counter.fails(customer=EVE, seller="ShopName12345")["reason"] == "unknown_customer"
    status, failed = counter.decide(asked, card=declined)
    assert (failed["state"], failed["error"]["reason"]) == ("failed", "declined")
    assert counter.verdict() == []


@pytest.mark.req("N-068", "N-077")
def test_the_page_tries_out_no_more_cards_than_answers(counter):
    asked = counter.pay(customer=None)
    declined = CARD | {"number": "4000000000000002", "keep": True}
    for _ in range(2):
        assert counter.decide(asked, card=declined, answer=EVE)[0] == 422
        assert counter.look(asked)[0] == 200
    status, ended = counter.decide(asked, card=declined, answer=EVE)
    assert (status, ended["state"], ended["error"]["reason"]) == (200, "failed", "declined")
    assert counter.decide(asked, card=CARD)[0] == 409
    assert counter.taken() == 0
    assert counter.verdict() == []


@pytest.mark.req("N-062", "N-090")
def test_a_card_that_is_refused_while_the_page_gives_up_ends_nothing_twice(monkeypatch):
    counter = Counter(policy=QUIET | {"attempts": 1})
    asked = counter.pay(customer=None)
    again = asking.again

    def given_up(payment):
        yield from asking.cancel(counter.face.house, payment)
        return (yield from again(payment))

    monkeypatch.setattr(asking, "again", given_up)
    declined = CARD | {"number": "4000000000000002", "keep": True}
    assert counter.decide(asked, card=declined, answer=EVE)[0] == 409
    (page,) = counter.checkouts()
    assert (page.state, page.events[-1], "failed" in page.events) == (
        "cancelled", "cancelled", False,
    )  # fmt: skip


@pytest.mark.req("N-042", "N-075")
def test_a_refund_may_be_confirmed_there():
    counter = Counter(policy=QUIET | {"refunds": True, "kinds": ["url"]})
    counter.pay()
    back = counter.pay(BILL | {"itemPrice": "-5.00"})
    assert counter.look(back)[1]["payment"]["kind"] == "refund"
    assert counter.decide(back, answer=counter.house.code)[1]["state"] == "succeeded"
    assert counter.taken() == 2096


@pytest.mark.req("N-062", "N-077")
def test_of_many_decisions_at_once_one_pays(counter):
    asked = counter.pay(customer=None)
    answers = counter.call(
        *[decided(asked, card=CARD | {"number": number}) for number in (VISA, MASTERCARD) * 3],
        decided(asked, "refuse"),
    )
    assert {status for status, _ in answers} <= {200, 409}
    counter.settle()
    assert counter.show(asked)["state"] in ("succeeded", "cancelled")
    assert counter.taken() in (0, 2596)
    assert counter.verdict() == []


def test_a_card_lives_in_memory_only_when_the_process_dies():
    moment = 0
    while True:
        counter = Counter(policy=ALWAYS)
        asked = counter.pay(customer=None)
        request = decided(asked, card=CARD | {"keep": True}, answer=EVE)
        crashed = counter.call(request, crash_at=moment) is None
        counter.settle()
        now = counter.show(asked)
        if now["state"] == "challenge_required":
            now = counter.decide(asked, card=CARD)[1]
        assert now["state"] in ("succeeded", "failed")
        assert counter.taken() == (2596 if now["state"] == "succeeded" else 0)
        assert counter.verdict() == []
        assert "5555555555554444" not in counter.written()
        if not crashed:
            break
        moment += 1
    assert moment > 6
