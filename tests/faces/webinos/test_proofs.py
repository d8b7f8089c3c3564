"""Proofs and notices: what a merchant's server can rely on, whatever the page says."""

import pytest

from tests.faces.webinos.counter import (
    ADA,
    BILL,
    OTHER,
    QUIET,
    Counter,
    answered,
    cancelled,
    customer,
    sent,
)
from tollbridge.core.asks import Ask
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import bill, notices
from tollbridge.faces.webinos.messages import Heard
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.money import Money


@pytest.fixture
def counter():
    return Counter()


def by_another_way(counter, verb, amount=None):
    """Do something to the first purchase as another face would."""
    purchase = next(p for p in counter.world.payments if p.opening.verb is Verb.PURCHASE)

    async def main():
        key = IdempotencyKey("api", str(len(counter.world.payments[0].operations)) + verb)
        await counter.world.engine.ask(
            Ask(verb=verb, key=key, payment=purchase.id, amount=amount)
        )  # fmt: skip

    counter.world.run(main())


@pytest.mark.req("N-086", "N-088", "N-089")
def test_a_proof_tells_the_seller_what_was_paid(counter):
    lines = [{"description": "CD", "itemPrice": "25.96"}]
    paid = counter.pay(BILL | {"colour": "red"}, items=lines)
    status, told = counter.verify(paid["proofOfPurchase"])
    assert status == 200
    first = told.pop("first_verified_at")
    assert first.endswith("Z")
    assert told == {
        "valid": True, "payment": paid["id"], "sellerID": "ShopName12345",
        "bill": BILL | {"colour": "red", "itemPrice": "25.96"}, "items": lines,
        "amount": "25.96", "currency": "EUR", "kind": "charge", "status": "paid",
        "refunded": "0.00", "time": told["time"], "customerID": ADA, "consumed": False,
        "error": None, "signed": False,
    }  # fmt: skip
    counter.world.clock.advance(60)
    assert counter.verify(paid["proofOfPurchase"])[1]["first_verified_at"] == first


@pytest.mark.req("N-061", "N-085", "N-089")
def test_what_is_signed_names_the_exact_bill(counter):
    paid = counter.pay()
    claims = counter.house.check(paid["proofOfPurchase"]).claims
    assert set(claims) == {"iss", "sub", "aud", "jti", "iat", "bill_id", "bill_hash", "amount",
                           "currency", "kind"}  # fmt: skip
    assert (claims["iss"], claims["sub"]) == ("https://pay.example", paid["id"])
    assert (claims["aud"], claims["bill_id"]) == ("ShopName12345", "Bill 123456")
    assert (claims["amount"], claims["currency"], claims["kind"]) == ("25.96", "EUR", "charge")
    assert claims["bill_hash"] == bill.digest(paid["bill"])
    assert claims["bill_hash"] != bill.digest(paid["bill"] | {"itemPrice": "25.97"})
    assert counter.show(paid)["proofOfPurchase"] == paid["proofOfPurchase"]


@pytest.mark.req("N-085", "N-086")
def test_a_forged_proof_is_none(counter):
    paid = counter.pay()
    proof = paid["proofOfPurchase"]
    claims = counter.house.check(proof).claims
    for forged in ("", "x", "payment_ok_0.5", proof[:-1], proof + "0", "é" * 10, "p" * 5000):
        status, told = counter.verify(forged)
        assert (status, told["valid"]) == (200, False)
        assert told["reason"]
    for other in ({"sub": "wp_other"}, {"jti": "0" * 32}, {"jti": ""}, {"sub": None}):
        assert counter.verify(counter.house.sign(claims | other))[1]["valid"] is False
    failed = Counter(customers={ADA: customer("4000000000000002")})
    gone = failed.pay()
    jti = {"sub": gone["id"], "jti": ""}
    assert failed.verify(failed.house.sign(claims | jti))[1]["valid"] is False


@pytest.mark.req("N-086")
def test_another_seller_learns_nothing(counter):
    paid = counter.pay()
    assert counter.verify(paid["proofOfPurchase"], "sk_grace_1")[0] == 404
    for wrong in ("", "pk_shop_1", "sk_none_1"):
        assert counter.verify(paid["proofOfPurchase"], wrong)[0] == 401
    assert counter.call(sent("POST", "/v1/verify", {}, credential="sk_shop_1"))[0] == 400


@pytest.mark.req("N-093")
def test_a_proof_is_consumed_once(counter):
    paid = counter.pay()
    proof = paid["proofOfPurchase"]
    assert counter.verify(proof)[1]["consumed"] is False
    first = counter.verify(proof, consume=True)[1]
    assert (first["valid"], first["consumed"]) == (True, True)
    second = counter.verify(proof, consume=True)[1]
    assert (second["valid"], second["reason"]) == (False, "consumed")
    assert second["first_verified_at"] == first["first_verified_at"]
    assert counter.verify(proof)[1]["consumed"] is True
    request = sent("POST", "/v1/verify", {"proof": counter.pay()["proofOfPurchase"],
                                          "consume": True}, credential="sk_shop_1")  # fmt: skip
    answers = counter.call(*[request] * 5)
    assert [told["valid"] for _, told in answers].count(True) == 1


@pytest.mark.req("N-086")
def test_what_went_back_since_is_told_whichever_way_it_went(counter):
    paid = counter.pay()
    by_another_way(counter, Verb.REFUND, Money.of(596, "EUR"))
    told = counter.verify(paid["proofOfPurchase"])[1]
    assert (told["status"], told["refunded"]) == ("paid", "5.96")
    counter.pay(BILL | {"itemPrice": "-20.00"})
    told = counter.verify(paid["proofOfPurchase"])[1]
    assert (told["valid"], told["status"], told["refunded"]) == (True, "refunded", "25.96")


@pytest.mark.req("N-086")
def test_what_was_voided_is_told(counter):
    paid = counter.pay()
    by_another_way(counter, Verb.VOID)
    assert counter.verify(paid["proofOfPurchase"])[1]["status"] == "refunded"
    assert [notice.type for notice in counter.notices()] == ["payment.succeeded", "payment.voided"]


@pytest.mark.req("N-086")
def test_a_refund_has_a_proof_too(counter):
    counter.pay()
    back = counter.pay(BILL | {"itemPrice": "-5.00"})
    told = counter.verify(back["proofOfPurchase"])[1]
    assert (told["kind"], told["amount"], told["status"]) == ("refund", "-5.00", "refunded")


@pytest.mark.req("N-087", "N-088", "N-089")
def test_the_seller_is_told_of_every_outcome_once(counter):
    counter.pay()
    counter.world.clock.advance(1)
    counter.pay()
    back = counter.pay(BILL | {"itemPrice": "-30.00"})
    told = counter.notices()
    assert sorted(notice.type for notice in told) == [
        "payment.refunded", "payment.refunded", "payment.succeeded", "payment.succeeded",
        "payment.succeeded",
    ]  # fmt: skip
    assert len({notice.id for notice in told}) == 5
    assert len({(notice.payment, notice.sequence) for notice in told}) == 5
    assert {notice.seller for notice in told} == {"ShopName12345"}
    (about,) = [notice for notice in told if notice.payment == back["id"]]
    assert (about.type, about.data["amount"]) == ("payment.succeeded", "-30.00")
    assert about.data["bill"] == BILL | {"itemPrice": "-30.00"}
    assert counter.notices() == told, "the same, whenever it is made"


@pytest.mark.req("N-087")
def test_the_seller_is_told_of_a_failure():
    counter = Counter(customers={ADA: customer("5105105105105100")})
    counter.pay()
    failed = counter.pay(BILL | {"itemPrice": "99.00"})
    (about,) = [each for each in counter.notices() if each.payment == failed["id"]]
    assert (about.type, about.data["status"]) == ("payment.failed", "failed")
    assert about.data["error"]["code"] == "payment_chargeable_exceeded"


def test_payments_of_other_faces_are_nobodys_business(counter):
    counter.pay()
    for payment in counter.world.payments:
        mine = payment.opening.verb is Verb.PURCHASE
        assert (notices.seller_of(payment) is not None) is mine
        assert (len(counter.tell(payment, payment.opening)) > 0) is mine


@pytest.mark.req("N-087")
def test_a_notice_does_not_wait_for_the_page():
    """The journal knows the outcome, and the process died before the page did."""
    counter = Counter()
    counter.pay()
    for moment in range(2, 12):
        request = counter.begin()
        if counter.call(request, crash_at=moment) is not None:
            break
        counter.world.recover()
        payment = max(counter.world.payments, key=lambda p: p.opening.request.at)
        for notice in counter.tell(payment, payment.opening):
            approved = payment.amounts.captured_minor > 0
            assert notice.type == ("payment.succeeded" if approved else "payment.failed")
            assert notice.data["status"] == ("paid" if approved else "failed")
        counter.world.clock.advance(1)


def gives_up(counter, asked):
    counter.cancel(asked)


def answers_wrong(counter, asked):
    for _ in range(3):
        asked |= counter.answer(asked, "no")[1]


def waits(counter, asked):
    counter.world.clock.advance(301)
    counter.refresh(asked)


def says_no(counter, asked):
    counter.decide(asked, "refuse")


@pytest.mark.req("N-087", "N-088")
@pytest.mark.parametrize(
    ("kind", "ends", "told"),
    [
        ("text", gives_up, ("payment.cancelled", "cancelled", "cancelled")),
        ("text", answers_wrong, ("payment.failed", "failed", "wrong_answer")),
        ("text", waits, ("payment.failed", "failed", "challenge_expired")),
        ("url", says_no, ("payment.failed", "failed", "challenge_refused")),
    ],
)
def test_the_seller_is_told_of_what_ended_before_money_could_move(kind, ends, told):
    counter = Counter(policy={"amount_minor": 0, "kinds": [kind]})
    asked = counter.pay()
    ends(counter, asked)
    (notice,) = counter.notices()
    assert (notice.type, notice.data["status"], notice.data["error"]["reason"]) == told
    assert (notice.payment, notice.sequence) == (asked["id"], 1)
    assert counter.notices() == [notice], "the same, until it was heard"
    counter.say(Heard((asked["id"],)))
    assert counter.notices() == []
    assert counter.world.payments == []


@pytest.mark.req("N-087")
def test_an_end_is_told_once_whenever_the_process_dies():
    for moment in range(30):
        counter = Counter(policy={"amount_minor": 0, "kinds": ["text"], "attempts": 1})
        asked = counter.pay()
        crashed = counter.call(answered(asked, "no"), crash_at=moment) is None
        counter.answer(asked, "no")
        counter.settle()
        counter.world.clock.advance(301)  # a crash after the answer was counted asks once more
        counter.settle()
        (told,) = counter.notices()
        (ended,) = counter.checkouts()
        assert (told.type, told.data["error"]) == ("payment.failed", ended.error)
        if not crashed:
            return
    raise AssertionError("it never came through")


@pytest.mark.req("N-087")
def test_a_refund_that_fails_at_its_last_step_is_told_of():
    counter = Counter(policy=QUIET | {"refunds": True, "kinds": ["text"]})
    counter.pay()
    back = counter.pay(BILL | {"itemPrice": "-20.00"})
    by_another_way(counter, Verb.REFUND, Money.of(2596, "EUR"))
    ended = counter.answer(back, counter.house.code)[1]
    assert ended["error"]["reason"] == "refund_too_large"
    (about,) = [each for each in counter.notices() if each.payment == back["id"]]
    assert (about.type, about.data["error"]["reason"]) == ("payment.failed", "refund_too_large")


def test_nothing_is_noted_for_a_seller_that_hears_no_notices():
    counter = Counter(policy={"amount_minor": 0})
    asked = counter.pay(seller="grace")
    counter.call(cancelled(asked, OTHER))
    assert [each.state for each in counter.checkouts()] == ["cancelled"]
    assert counter.pages("untold/") == []
