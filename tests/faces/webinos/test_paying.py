"""Paying: once, whatever happens; with what became of it said truly."""

import json

import pytest

from tests.faces.webinos.counter import (
    ADA,
    BILL,
    HOME,
    OTHER,
    QUIET,
    SHOP,
    VISA,
    Counter,
    cancelled,
    customer,
    sent,
    shown,
)
from tollbridge.core.outcome import Cause, DeclineCode
from tollbridge.faces.webinos import outcome
from tollbridge.faces.webinos.outcome import Code
from tollbridge.ground import errors
from tollbridge.sandbox.faults import Fault, Rule

SILENCE = (Rule(Fault.DROP, what="operation"), Rule(Fault.DROP, what="inquiry", times=50))


@pytest.fixture
def counter():
    return Counter()


def silent(counter):
    """Have the provider behind lose the next purchase and all inquiries."""
    counter.pay()  # so that the card is stored
    counter.world.faults.rules += SILENCE


@pytest.mark.req("N-003", "N-006", "N-060", "N-061")
def test_a_bill_is_charged_once_and_proven(counter):
    paid = counter.pay()
    assert (paid["state"], paid["amount"], paid["currency"]) == ("succeeded", "25.96", "EUR")
    assert (paid["kind"], paid["error"], paid["challenge"]) == ("charge", None, None)
    assert paid["seller"] == {"name": "The Shop"}
    assert paid["bill"] == BILL | {"itemPrice": "25.96"}
    assert counter.taken() == 2596
    assert counter.verdict() == []
    assert counter.unfinished() == ()
    again = counter.pay()
    assert again["proofOfPurchase"] != paid["proofOfPurchase"]
    assert counter.taken() == 2 * 2596
    (checkout, _) = counter.checkouts()
    assert len(checkout.jti) == 32


@pytest.mark.req("N-031", "N-032", "N-033")
def test_items_inform_and_change_nothing(counter):
    lines = [{"description": "CD", "currency": "EUR", "itemPrice": "99.00", "itemCount": 1},
             {"description": "Post", "itemPrice": "1.00"}]  # fmt: skip
    paid = counter.pay(items=lines)
    assert counter.taken() == 2596
    assert counter.verify(paid["proofOfPurchase"])[1]["items"] == lines
    assert counter.verify(counter.pay(items=[])["proofOfPurchase"])[1]["items"] is None


@pytest.mark.req("N-005")
def test_a_person_can_be_paid(counter):
    paid = counter.pay(seller="grace")
    assert (paid["state"], paid["seller"]["name"]) == ("succeeded", "Grace")
    assert "grace" in [payment.merchant for payment in counter.world.payments]


@pytest.mark.req("N-026", "N-028", "N-068")
def test_what_cannot_be_paid_is_refused_before_anything_begins(counter):
    reasons = {
        "bill_missing": {"text": {"sellerID": "ShopName12345", "bill": None}},
        "seller_missing": {"seller": ""},
        "unknown_seller": {"seller": "Nobody", "credential": "pk_shop_1", "origin": SHOP},
        "unknown_service": {"service": "nothing"},
        "currency_not_supported": {"seller": "grace", "bill": BILL | {"currency": "USD"}},
        "customer_needed": {"bill": BILL | {"itemPrice": -1}, "customer": None},
        "refund_too_large": {"bill": BILL | {"itemPrice": -1}},
    }
    for reason, request in reasons.items():
        problem = counter.fails(**request)
        assert (problem["code"], problem["reason"]) == ("payment_charge_failed", reason)
        assert problem["retryPossible"] is False
        assert set(problem) == {"code", "message", "retryPossible", "reason"}
    assert counter.world.payments == []
    assert counter.pages() == []


@pytest.mark.req("N-027", "N-029")
def test_customers_are_those_the_provider_knows(counter):
    problem = counter.fails(customer="nobody@example.org")
    assert problem["code"] == "payment_authentication_failed"
    assert problem["reason"] == "unknown_customer"
    for nobody in (None, ""):
        assert counter.pay(customer=nobody)["challenge"]["type"] == "url"
    assert counter.fails(customer=5)["reason"] == "invalid_request"


@pytest.mark.req("N-001", "N-010", "N-011", "N-013", "NX-010", "NX-013")
def test_services_are_found_by_their_feature(counter):
    counter.settings["services"] = [{"path": "wallet"}, {"path": "other", "name": "Another"}]
    counter.restart()

    def find(api, credential="pk_shop_1", origin=SHOP):
        url = f"/web/services?api={api}"
        status, answer = counter.call(sent("GET", url, credential=credential, origin=origin))
        assert status == 200, answer
        return answer["services"]

    uri = "http://webinos.org/api/payment"
    both = find(uri)
    assert [each["api"] for each in both] == [f"{uri}/wallet", f"{uri}/other"]
    assert find(f"{uri}/*") == both
    assert [each["displayName"] for each in find(f"{uri}/other")] == ["Another"]
    assert find("http://webinos.org/api/paymen.") == []
    assert find("http://webinos.org/api/payment/(a%2B)%2B$") == []
    assert find("x" * 300) == []
    assert len({each["id"] for each in both}) == 2
    assert both[0]["serviceAddress"] == HOME
    assert both[0]["capabilities"]["challenges"] == ["text", "image", "url"]
    assert "EUR" in both[0]["capabilities"]["currencies"]
    assert find(uri, "pk_grace_1", OTHER)[0]["capabilities"]["currencies"] == ["EUR", "JPY"]
    paid = counter.pay(service=both[1]["id"])
    assert paid["state"] == "succeeded"


# Again, and twice at once


@pytest.mark.req("N-069", "N-094")
def test_the_same_key_is_the_same_payment(counter):
    request = counter.begin(key="same-key-1")
    first = counter.raw(request)
    second = counter.raw(request)
    assert (first.status, second.status) == (201, 200)
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert json.loads(first.body) == json.loads(second.body)
    status, answer = counter.call(counter.begin(BILL | {"itemPrice": 9}, key="same-key-1"))
    assert (status, answer["error"]["reason"]) == (409, "idempotency_conflict")
    assert counter.taken() == 2596
    counter.pay(seller="grace", key="same-key-1")
    assert counter.taken() == 2 * 2596


@pytest.mark.req("N-062", "N-094", "N-095")
def test_many_at_once_are_one_and_others_are_others(counter):
    same = [counter.begin(key="same-key-1") for _ in range(5)]
    others = [counter.begin() for _ in range(3)]
    answers = counter.call(*same, *others)
    assert {status for status, _ in answers} <= {200, 201}
    assert len({answer["id"] for _, answer in answers}) == 4
    counter.settle()
    assert counter.taken() == 4 * 2596
    assert counter.verdict() == []


@pytest.mark.req("N-094")
def test_keys_have_a_length(counter):
    for key in ("", "short", "k" * 65, "key with spaces"):
        status, answer = counter.call(counter.begin(key=key))
        assert (status, answer["error"]["reason"]) == (400, "idempotency_key")


@pytest.mark.req("N-029")
def test_an_instrument_is_stored_once(counter):
    counter.pay()
    counter.restart()
    counter.pay()
    verbs = sorted(payment.opening.verb for payment in counter.world.payments)
    assert verbs == ["purchase", "purchase", "store"]


# Who may ask


@pytest.mark.req("N-096")
def test_only_pages_of_the_seller_may_begin(counter):
    def status(**more):
        return counter.call(counter.begin(**more))[0]

    assert status(credential="pk_shop_2") == 401
    assert status(credential="") == 401
    assert status(credential="sk_shop_1") == 401
    assert status(origin=OTHER) == 403
    assert status(origin="") == 403
    assert status(origin="null") == 403
    assert status(credential="pk_grace_1", origin=OTHER) == 403
    assert counter.world.payments == []
    assert status(origin=HOME) == 201


@pytest.mark.req("N-096")
def test_a_payment_is_its_pages_own(counter):
    one, two = counter.pay(), counter.pay()
    for request in (
        shown(one, credential=two["client_token"]),
        shown(one, credential="ct_"),
        shown(one, credential=""),
        shown(one | {"id": "wp_none"}),
        cancelled(one | {"client_token": two["client_token"]}),
    ):
        assert counter.call(request)[0] in (401, 404)
    assert counter.call(shown(one, origin=OTHER))[0] == 403
    assert counter.show(one, origin=SHOP)["state"] == "succeeded"
    assert "client_token" not in counter.show(one)


@pytest.mark.req("N-096")
def test_browsers_are_told_who_may_read(counter):
    asked = counter.raw(sent("OPTIONS", "/web/payments", origin=SHOP))
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert "idempotency-key" in asked.headers["access-control-allow-headers"]
    asked = counter.raw(sent("OPTIONS", "/web/payments", origin="https://evil.example"))
    assert "access-control-allow-origin" not in asked.headers
    failed = counter.raw(counter.begin({}))
    assert failed.headers["access-control-allow-origin"] == SHOP
    assert failed.headers["cache-control"] == "no-store"
    foreign = counter.raw(counter.begin(origin="https://evil.example"))
    assert "access-control-allow-origin" not in foreign.headers


# What became of it


@pytest.mark.req("N-063", "N-064", "N-065", "N-066", "N-068")
@pytest.mark.parametrize(
    ("account", "code", "reason", "retry"),
    [
        ("4000000000000002", "payment_charge_failed", "declined", False),
        ("4000000000009995", "payment_chargeable_exceeded", "insufficient_funds", False),
        ("4000000000000069", "payment_charge_failed", "expired_card", False),
    ],
)
def test_what_is_declined_is_said_in_the_three_codes(account, code, reason, retry):
    counter = Counter(customers={ADA: customer(account)})
    failed = counter.pay()
    assert failed["state"] == "failed"
    assert failed["proofOfPurchase"] is None
    error = failed["error"]
    assert (error["code"], error["reason"], error["retryPossible"]) == (code, reason, retry)
    assert isinstance(error["message"], str)
    assert counter.show(failed)["error"] == error
    assert counter.verdict() == []
    assert counter.unfinished() == ()


@pytest.mark.req("N-066", "N-067", "N-068")
def test_every_outcome_and_every_error_has_a_code():
    assert set(outcome.DECLINES) == set(DeclineCode)
    assert set(outcome.CAUSES) == set(Cause)
    kinds = [kind for kind in vars(errors).values()
             if isinstance(kind, type) and issubclass(kind, errors.TollbridgeError)]  # fmt: skip
    for kind in kinds:
        problem = outcome.of_error(kind.__new__(kind))
        assert problem.code in Code
        assert problem.message
    assert [str(code) for code in Code] == [
        "payment_charge_failed", "payment_chargeable_exceeded", "payment_authentication_failed",
    ]  # fmt: skip


@pytest.mark.req("N-068", "N-069")
def test_a_provider_that_cannot_be_reached_may_be_tried_again(counter):
    counter.pay()
    counter.world.faults.down = True
    failed = counter.pay()
    assert failed["state"] == "failed"
    assert failed["error"]["retryPossible"] is True
    counter.world.faults.down = False
    assert counter.pay()["state"] == "succeeded"
    assert counter.verdict() == []


@pytest.mark.req("N-068", "N-069")
def test_a_stored_card_may_be_declined_later():
    counter = Counter(customers={ADA: customer("5105105105105100")})
    assert counter.pay()["state"] == "succeeded"
    failed = counter.pay(BILL | {"itemPrice": "99.00"})
    assert failed["error"]["code"] == "payment_chargeable_exceeded"
    assert counter.taken() == 2596
    assert counter.verdict() == []


@pytest.mark.req("N-068", "N-069")
def test_a_card_that_cannot_be_stored_begins_nothing(counter):
    counter.world.faults.down = True
    status, answer = counter.call(counter.begin(key="same-key-1"))
    assert (status, answer["error"]["retryPossible"]) == (503, True)
    counter.world.faults.down = False
    assert counter.pay(key="same-key-1")["state"] == "succeeded"


@pytest.mark.req("N-062", "N-068", "N-091")
def test_an_unknown_outcome_is_not_told_until_it_is_known(counter):
    silent(counter)
    paid = counter.pay()
    assert (paid["state"], paid["error"], paid["proofOfPurchase"]) == ("unknown", None, None)
    assert counter.cancel(paid)[0] == 409
    assert counter.unfinished() == (paid["id"],)
    counter.world.clock.advance(61)
    counter.house.changed.clear()
    counter.refresh(paid)
    assert counter.house.changed == [paid["id"]], "its followers hear of it"
    late = counter.show(paid)
    assert (late["state"], late["error"]["reason"]) == ("unknown", "outcome_unknown")
    assert late["error"]["retryPossible"] is False
    counter.settle()
    over = counter.show(paid)
    assert over["state"] in ("succeeded", "failed")
    assert counter.verdict() == []
    assert counter.unfinished() == ()


@pytest.mark.req("N-062")
def test_a_late_answer_that_it_was_done_is_a_success(counter):
    counter.pay()
    counter.world.faults.rules.append(Rule(Fault.LOSE_ANSWER, what="operation"))
    paid = counter.pay()
    assert paid["state"] == "unknown"
    counter.settle()
    assert counter.show(paid)["state"] == "succeeded"
    assert counter.taken() == 2 * 2596
    assert counter.verdict() == []


# Giving up


@pytest.mark.req("N-090")
def test_a_payment_can_be_given_up_before_money_may_move():
    counter = Counter(policy={"amount_minor": 0})
    asked = counter.pay()
    status, gone = counter.cancel(asked)
    assert (status, gone["state"], gone["challenge"]) == (200, "cancelled", None)
    assert gone["error"]["reason"] == "cancelled"
    assert gone["error"]["code"] == "payment_charge_failed"
    assert counter.cancel(asked)[1]["state"] == "cancelled"
    status, answer = counter.answer(asked, counter.house.code)
    assert (status, answer["error"]["reason"]) == (409, "challenge_closed")
    assert counter.taken() == 0
    assert counter.unfinished() == ()


@pytest.mark.req("N-090")
def test_what_was_paid_cannot_be_given_up(counter):
    paid = counter.pay()
    status, answer = counter.cancel(paid)
    assert (status, answer["error"]["reason"]) == (409, "too_late")
    assert counter.show(paid)["state"] == "succeeded"


@pytest.mark.req("N-091")
def test_a_payment_has_a_deadline():
    counter = Counter(policy={"amount_minor": 0, "expires_s": 5000}, deadline_s=60)
    asked = counter.pay()
    counter.world.clock.advance(61)
    assert counter.unfinished() == (asked["id"],)
    over = counter.refresh(asked)
    assert over.over
    assert over.view["error"]["reason"] == "challenge_expired"
    assert counter.unfinished() == ()
    assert counter.taken() == 0


# Following


@pytest.mark.req("N-092", "N-097")
def test_events_are_numbered_and_go_on(counter):
    counter.settings["policy"] = {"amount_minor": 0}
    counter.restart()
    asked = counter.pay()
    followed = counter.follow(asked)
    assert followed.events == ((1, "challenge"),)
    assert not followed.over
    counter.house.changed.clear()
    counter.answer(asked, counter.house.code)
    assert set(counter.house.changed) == {asked["id"]}
    followed = counter.follow(asked)
    names = [name for _, name in followed.events]
    assert names == ["challenge", "challenge_closed", "state", "succeeded"]
    assert [number for number, _ in followed.events] == [1, 2, 3, 4]
    assert followed.over
    assert followed.view["events"] == 4
    (checkout,) = counter.checkouts()
    trail = [what for _, what, _ in checkout.audit]
    assert trail[0] == "begun"
    assert "right answer" in trail
    assert trail[-1] == "succeeded succeeded"


def test_who_may_not_follow_is_refused(counter):
    paid = counter.pay() | {"client_token": "ct_wrong"}
    assert counter.follow(paid).status == 401


# Odds and ends


@pytest.mark.req("N-044")
def test_nothing_to_pay_is_verified_where_the_provider_does(counter):
    counter.settings["zero_verifies"] = True
    counter.restart()
    paid = counter.pay(BILL | {"itemPrice": 0})
    assert (paid["state"], paid["amount"]) == ("succeeded", "0.00")
    assert counter.taken() == 0
    assert counter.verdict() == []


def test_the_provider_is_where_it_was_reached(counter):
    counter.settings["url"] = ""
    counter.restart()
    asked = counter.pay(customer=None)
    assert asked["challenge"]["challenge"].startswith("http://pay.example/web/confirm#ch=ch_")


def test_secrets_are_nowhere(counter, caplog):
    counter.settings["policy"] = {"amount_minor": 0}
    counter.restart()
    asked = counter.pay(key="quite-a-secret-key")
    code = counter.house.code
    status, paid = counter.answer(asked, code)
    assert (status, paid["state"]) == (200, "succeeded")
    written = counter.written()
    for secret in (VISA, code, asked["client_token"], paid["proofOfPurchase"], "sk_shop_1",
                   "quite-a-secret-key"):  # fmt: skip
        assert secret not in written
        assert secret not in caplog.text
    told = repr([counter.begin(), paid, counter.face.provider])
    assert VISA not in told
    assert "sk_shop_1" not in told
    assert code not in repr(counter.house.sent)


def test_a_device_without_keys_is_a_fault_for_a_while(counter):
    request = counter.begin(key="same-key-1")
    counter.house.can_sign = False
    status, answer = counter.call(request)
    assert (status, answer["error"]["retryPossible"]) == (503, True)
    counter.house.can_sign = True
    assert counter.pay(key="same-key-1")["state"] == "succeeded"
    assert counter.taken() == 2596


def test_a_policy_may_be_a_sellers_own(counter):
    counter.settings["sellers"] = {
        name: seller | ({"policy": {"amount_minor": 0}} if name == "grace" else {})
        for name, seller in counter.settings["sellers"].items()
    }
    counter.settings["policy"] = QUIET
    counter.restart()
    assert counter.pay()["state"] == "succeeded"
    assert counter.pay(seller="grace")["state"] == "challenge_required"
