"""Bills that the merchant's server signed: paid as they are, or not at all."""

import pytest

from tests.faces.webinos.counter import ADA, QUIET, SELLERS, Counter, customer
from tollbridge.ground.secret import Secret
from tollbridge.merchant import Merchant
from tollbridge.server import bills

SHOP_KEY, GRACE_KEY = "sk_shop_0123456789abcdef01", "sk_grace_0123456789abcdef0"
SHOPS = {
    "ShopName12345": SELLERS["ShopName12345"] | {"secret_key": SHOP_KEY},
    "grace": SELLERS["grace"] | {"secret_key": GRACE_KEY, "signed_bills": "required"},
}
SIGNED = {"productID": "B-7", "description": "Two discs", "currency": "EUR", "itemPrice": "25.96"}
LINES = [{"description": "CD", "itemPrice": "14.99"}, {"description": "DVD", "itemPrice": "5.97"}]


@pytest.fixture
def counter():
    return Counter(sellers=SHOPS, customers={ADA: customer(), "bob": customer()})


@pytest.fixture
def sign(counter):
    def signing(bill=SIGNED, items=(), *, seller="ShopName12345", key=SHOP_KEY, **more):
        clock = counter.world.clock
        with Merchant("https://pay.example", key, seller=seller, clock=clock) as merchant:
            return merchant.sign_bill(bill, items, **more)

    return signing


def refused(counter, **more):
    problem = counter.fails(bill=more.pop("bill", {}), **more)
    assert (problem["code"], problem["retryPossible"]) == ("payment_charge_failed", False)
    return problem["reason"]


@pytest.mark.req("N-004")
def test_a_signed_bill_is_honoured_unmodified(counter, sign):
    token = sign(items=LINES, customer=ADA)
    paid = counter.pay({}, customer=None, signed=token)
    assert (paid["state"], paid["amount"], paid["bill"]) == ("succeeded", "25.96", SIGNED)
    told = counter.verify(paid["proofOfPurchase"], SHOP_KEY)[1]
    assert (told["signed"], told["bill"], told["items"]) == (True, SIGNED, LINES)
    assert told["customerID"] == ADA
    assert counter.taken() == 2596
    plain = counter.pay()
    assert counter.verify(plain["proofOfPurchase"], SHOP_KEY)[1]["signed"] is False


@pytest.mark.req("N-004")
def test_a_page_may_say_the_same_beside_it(counter, sign):
    token = sign(SIGNED | {"itemPrice": 25.96}, LINES)
    paid = counter.pay(SIGNED | {"itemPrice": 25.96}, items=LINES, signed=token)
    assert paid["bill"] == SIGNED
    assert counter.pay({}, signed=sign(), customer="bob")["state"] == "succeeded"


@pytest.mark.req("N-004")
@pytest.mark.parametrize(
    "change",
    [
        {"bill": SIGNED | {"itemPrice": "0.01"}},
        {"bill": SIGNED | {"currency": "USD"}},
        {"bill": SIGNED | {"more": 1}},
        {"bill": {"productID": "B-7"}},
        {"bill": "25.96"},
        {"items": LINES[:1]},
        {"items": LINES[::-1]},
        {"customer": "bob"},
    ],
)
def test_a_page_that_asks_for_something_else_is_refused(counter, sign, change):
    token = sign(items=LINES, customer=ADA)
    assert refused(counter, signed=token, **change) == "signed_bill_differs"
    assert counter.world.payments == []


@pytest.mark.req("N-004")
def test_a_page_adds_no_lines_to_a_bill_that_has_none(counter, sign):
    assert refused(counter, signed=sign(), items=LINES) == "signed_bill_differs"
    assert counter.pay({}, signed=sign(), items=[])["state"] == "succeeded"


@pytest.mark.req("N-004")
def test_forged_altered_and_foreign_bills_are_refused(counter, sign):
    header, _, signature = sign().split(".")
    cheap = sign(SIGNED | {"itemPrice": "0.01"}, key="sk_guessed_0123456789abcdef").split(".")
    by_another = sign(seller="grace", key=GRACE_KEY)
    for token in (
        f"{header}.{cheap[1]}.{signature}",
        ".".join(cheap),
        sign()[:-2] + "AA",
        by_another,
        sign(seller="grace"),  # the right key, and another seller's name
        "eyJhbGciOiJub25lIiwidHlwIjoiYmlsbCtqd3QifQ.e30.",
        counter.pay()["proofOfPurchase"],
        "",
        "x" * 200_000,
        5,
        {"bill": SIGNED},
        ["x"],
    ):
        status, answer = counter.call(counter.begin({}, signed=token))
        assert (status, answer["error"]["reason"]) == (422, "signed_bill_invalid"), token
    assert counter.taken() == 2596, "what was paid without one"


@pytest.mark.req("N-004")
def test_a_key_that_can_be_guessed_signs_nothing():
    counter = Counter()
    claims = {"iss": "ShopName12345", "jti": "b", "exp": 2**40, "once": False, "bill": SIGNED}
    token = bills.sign(claims, Secret("sk_shop_1"))
    assert refused(counter, signed=token) == "signed_bill_invalid"


@pytest.mark.req("N-004")
def test_claims_that_are_no_bill_are_refused(counter):
    good = {"iss": "ShopName12345", "jti": "b", "exp": 2**40, "once": False, "bill": SIGNED}
    for claims, reason in (
        (good | {"exp": "never"}, "signed_bill_invalid"),
        (good | {"jti": ""}, "signed_bill_invalid"),
        (good | {"jti": "x" * 200}, "signed_bill_invalid"),
        (good | {"once": 1}, "signed_bill_invalid"),
        (good | {"bill": None}, "bill_missing"),
        (good | {"bill": SIGNED | {"itemPrice": "1.999"}}, "amount_too_precise"),
        (good | {"items": "x"}, "item_invalid"),
        (good | {"customerID": 7}, "invalid_request"),
    ):
        token = bills.sign(claims, Secret(SHOP_KEY))
        assert refused(counter, signed=token, customer=None) == reason


@pytest.mark.req("N-004")
def test_a_signed_bill_expires_but_not_under_a_payment_that_has_begun(counter, sign):
    token = sign(good_for_s=60)
    request = counter.begin({}, signed=token, key="the-same-key")
    first = counter.call(request)[1]
    counter.world.clock.advance(61)
    assert counter.call(request) == (200, first)
    assert refused(counter, signed=token) == "signed_bill_expired"
    assert counter.taken() == 2596


@pytest.mark.req("N-004")
def test_a_bill_that_is_good_for_once_is_paid_once(counter, sign):
    token = sign()
    assert counter.pay({}, signed=token)["state"] == "succeeded"
    assert refused(counter, signed=token) == "signed_bill_used"
    standing = sign(once=False)
    for _ in range(2):
        assert counter.pay({}, signed=standing)["state"] == "succeeded"
    assert counter.taken() == 3 * 2596


@pytest.mark.req("N-004")
def test_two_tabs_at_once_pay_it_once(counter, sign):
    counter.pay()  # so that the card is stored
    token = sign()
    answers = counter.call(*[counter.begin({}, signed=token) for _ in range(4)])
    assert sorted(status for status, _ in answers) == [201, 422, 422, 422]
    reasons = {answer["error"]["reason"] for status, answer in answers if status == 422}
    assert reasons == {"signed_bill_used"}
    assert counter.taken() == 2 * 2596


@pytest.mark.req("N-004")
@pytest.mark.parametrize("ending", ["cancelled", "expired"])
def test_what_came_to_nothing_leaves_the_bill_for_another_try(counter, sign, ending):
    counter.settings["policy"] = {"amount_minor": 0, "kinds": ["text"]}
    counter.restart()
    token = sign()
    asked = counter.pay({}, signed=token)
    assert asked["challenge"] is not None
    assert refused(counter, signed=token) == "signed_bill_used"
    if ending == "cancelled":
        counter.cancel(asked)
    else:
        counter.world.clock.advance(301)
    counter.settings["policy"] = QUIET
    counter.restart()
    assert counter.pay({}, signed=token)["state"] == "succeeded"
    assert counter.taken() == 2596


@pytest.mark.req("N-004")
def test_a_crash_at_any_moment_pays_it_once(sign):
    for moment in range(12):
        counter = Counter(sellers=SHOPS)
        token = sign()
        request = counter.begin({}, signed=token, key="the-same-key")
        counter.call(request, crash_at=moment)
        counter.settle()
        counter.call(counter.begin({}, signed=token, key="another-key"))
        counter.call(request)
        counter.settle()
        assert counter.taken() == 2596, moment
        assert [each.state for each in counter.checkouts()].count("succeeded") == 1, moment
        assert counter.verdict() == []


@pytest.mark.req("N-004")
def test_a_seller_may_want_signed_bills_only(counter, sign):
    problem = counter.fails(seller="grace")
    assert problem["reason"] == "signed_bill_missing"
    assert (problem["code"], problem["retryPossible"]) == ("payment_charge_failed", False)
    token = sign(seller="grace", key=GRACE_KEY)
    paid = counter.pay({}, seller="grace", signed=token)
    assert paid["state"] == "succeeded"
