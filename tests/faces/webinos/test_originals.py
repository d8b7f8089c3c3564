"""What the wallets of 2012 and 2013 did wrong or otherwise, and this one does right."""

import json

import pytest

from tests.faces.webinos.counter import ADA, BILL, Counter, customer
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import compat, outcome
from tollbridge.faces.webinos.bill import Manner
from tollbridge.faces.webinos.compat import Find, Link, Pay, Say
from tollbridge.faces.webinos.messages import Begin, Caller
from tollbridge.faces.webinos.outcome import Code

PAGE = "DEV/BID3c69:12"
LINK = Link("DEV", "s3cret", PAGE)
URI = "http://webinos.org/api/payment"
SHOP = "ShopName12345"
MASTERCARD = "5555555555554444"
LINES = [
    {"productID": "A", "description": "CD", "currency": "EUR", "itemPrice": 14.99, "itemCount": 1,
     "itemsPrice": 14.99},
    {"productID": "B", "description": "DVD", "currency": "EUR", "itemPrice": 5.97, "itemCount": 2,
     "itemsPrice": 10.97},
]  # fmt: skip


@pytest.fixture
def counter():
    return Counter()


def called(counter, method, params, call="call-1", sender=PAGE):
    service = counter.face.provider.services[0]
    payload = {"jsonrpc": "2.0", "id": call, "method": f"{service.api}@{service.id}.{method}",
               "params": params}  # fmt: skip
    text = json.dumps({"type": "JSONRPC", "from": sender, "to": "DEV", "payload": payload})
    return compat.read(text, LINK, counter.face.provider)


def pays(counter, *params, call="call-1"):
    """Pay as an old page does; give the answer's fields, or the problem's."""
    wanted = called(counter, "pay", [*params, None], call)
    assert isinstance(wanted, Pay)
    reply = counter.say(Begin(Caller(), wanted.key, wanted.fields, Manner.COMPAT))
    return reply.fields.get("error") or reply.fields


def error_of(said):
    assert isinstance(said, Say)
    (text,) = said.texts
    return json.loads(text)["payload"]["error"]


@pytest.mark.req("NX-012")
def test_a_service_stands_where_its_calls_are_answered(counter):
    texts = compat.services(LINK, counter.face.provider, Find("call-1", URI), ["n-1"])
    frame = json.loads(texts[0])
    assert frame["payload"]["params"]["serviceAddress"] == frame["resp_to"] == LINK.device
    assert isinstance(called(counter, "pay", [None, BILL, ADA, SHOP, None]), Pay)


@pytest.mark.req("NX-020")
def test_two_wallets_of_one_name_are_two_services_and_a_broken_one_harms_no_other(counter):
    name = "Payment Service"
    counter.settings["services"] = [
        {"path": "mockwallet", "name": name},
        {"path": "demowallet", "name": name, "bridge": "not-installed"},
    ]
    counter.restart()
    first, second = counter.face.provider.services
    assert (first.name, first.id != second.id) == (second.name, True)
    found = compat.services(LINK, counter.face.provider, Find("c", f"{URI}/*"), ["n-1", "n-2"])
    assert [json.loads(text)["payload"]["params"]["api"] for text in found] == [
        f"{URI}/mockwallet", f"{URI}/demowallet",
    ]  # fmt: skip
    status, answer = counter.call(counter.begin(service=second.id))
    assert status < 500
    problem = answer["error"]
    assert (problem["code"], problem["retryPossible"]) == ("payment_charge_failed", False)
    assert counter.pay(service=first.id)["state"] == "succeeded"


@pytest.mark.req("NX-023")
def test_lines_customer_and_challenge_are_heeded():
    """The wallet of 2013 made one line of the bill and asked whoever held the telephone."""
    people = {ADA: customer(), "bob": customer(MASTERCARD)}
    counter = Counter(customers=people)
    for who, account in ((ADA, "visa"), ("bob", "mastercard")):
        paid = pays(counter, LINES, BILL, who, SHOP, call=who)
        told = counter.verify(paid["proofOfPurchase"])[1]
        assert [line["productID"] for line in told["items"]] == ["A", "B"]
        assert told["customerID"] == who
        charge = counter.world.movements[-1]
        assert (charge.taken_minor, charge.account) == (2596, account)
    counter.settings["policy"] = {"amount_minor": 0}
    counter.restart()
    wanted = called(counter, "pay", [LINES, BILL, ADA, SHOP, True], "asked")
    asked = counter.say(Begin(Caller(), wanted.key, wanted.fields, Manner.COMPAT)).fields
    assert asked["challenge"]["type"] == "text"
    assert counter.taken() == 2 * 2596, "nothing moves before the answer"


@pytest.mark.req("NX-022", "NX-024")
def test_a_proof_is_its_payments_own_and_giving_up_is_told():
    counter = Counter()
    paid = [pays(counter, None, BILL, ADA, SHOP, call=f"c{n}") for n in range(3)]
    proofs = [each["proofOfPurchase"] for each in paid]
    assert len(set(proofs)) == 3
    for each, proof in zip(paid, proofs, strict=True):
        told = counter.verify(proof)[1]
        assert (told["valid"], told["payment"]) == (True, each["id"])
    for constant in ("Receipt received", "payment_ok_0.8414709848078965"):
        assert counter.verify(constant)[1]["valid"] is False
    counter.settings["policy"] = {"amount_minor": 0}
    counter.restart()
    asked = counter.pay()
    given_up = counter.cancel(asked)[1]
    assert (given_up["state"], given_up["error"]["reason"]) == ("cancelled", "cancelled")


@pytest.mark.req("NX-025")
def test_prices_of_bill_and_lines_arrive_as_they_were_sent(counter):
    bill = {"productID": "B-9", "description": "Two discs", "currency": "EUR",
            "itemPrice": 25.96, "itemCount": 1, "itemsPrice": 25.96}  # fmt: skip
    paid = pays(counter, LINES, bill, ADA, SHOP)
    told = counter.verify(paid["proofOfPurchase"])[1]
    assert told["bill"] == bill | {"itemPrice": "25.96", "itemsPrice": "25.96"}
    prices = [(line["itemPrice"], line["itemsPrice"]) for line in told["items"]]
    assert prices == [("14.99", "14.99"), ("5.97", "10.97")]
    assert [line["itemCount"] for line in told["items"]] == [1, 2]
    assert told["items"][1]["description"] == "DVD"


@pytest.mark.req("NX-026", "NX-031")
def test_there_are_three_codes_and_no_member_of_earlier_forms(counter):
    earlier = {
        "currency_not_supported", "invalid_option", "unknown_shop", "basket_already_open",
        "basket_not_open", "payment_refund_not_supported", "payment_refund_failed",
    }  # fmt: skip
    problems = [
        pays(counter, None, BILL | {"currency": "XXZ"}, ADA, SHOP),
        pays(counter, None, BILL, ADA, "unknown"),
        pays(counter, "no list", BILL, ADA, SHOP),
        pays(counter, None, BILL | {"itemPrice": -1}, ADA, SHOP),
    ]
    for problem in problems:
        error = compat.merged(problem)
        assert set(error) == {"code", "message", "retryPossible", "data", "rpcCode"}
        assert error["code"] == "payment_charge_failed"
        assert error["retryPossible"] is False
    known = [*outcome.DECLINES.values(), *outcome.CAUSES.values(), *outcome.ERRORS.values()]
    codes = {str(problem.code) for problem in known}
    assert codes == {str(code) for code in Code}
    assert not codes & earlier
    # Nor is there a feature for a basket's consent of its own.
    texts = compat.services(LINK, counter.face.provider, Find("c", f"{URI}/checkout"), ["n-1"])
    assert json.loads(texts[0])["payload"]["method"] == "c.onError"


@pytest.mark.req("NX-027")
@pytest.mark.parametrize(
    ("code", "price", "minor"),
    [
        ("JPY", "500", 500),
        ("BHD", "1.234", 1234),
        ("EUR", "25.96", 2596),  # in a float of 32 bits, times a hundred and cut off, 2595
        ("EUR", "0.29", 29),  # times a hundred, cut off, it is 28
        ("USD", "1.15", 115),
    ],
)
def test_amounts_are_exact_in_every_currency(counter, code, price, minor):
    sent = float(price) if "." in price else int(price)
    paid = pays(counter, None, BILL | {"currency": code, "itemPrice": sent}, ADA, SHOP)
    assert (paid["state"], paid["amount"]) == ("succeeded", price)
    (charge,) = [each for each in counter.world.payments if each.opening.verb is Verb.PURCHASE]
    assert charge.opening.amount.amount_minor == minor
    assert counter.taken() == minor


@pytest.mark.req("NX-030")
def test_the_basket_of_2012_is_gone_and_says_so(counter):
    for method in ("createShoppingBasket", "addItem", "update", "checkout", "release"):
        error = error_of(called(counter, method, [[], None, ADA, SHOP]))
        assert (error["code"], error["data"]["reason"]) == (
            "payment_charge_failed", "unknown_method",
        )  # fmt: skip
    # Its rules for lines are not rules any more.
    lines = [{}, {"itemCount": 0, "itemPrice": -1}, {"itemPrice": "1.00"}]
    assert pays(counter, lines, BILL, ADA, SHOP)["state"] == "succeeded"


@pytest.mark.req("NX-032")
def test_a_bill_of_many_lines_is_one_charge_under_the_bills_own_id(counter):
    bill = BILL | {"productID": "B-2013-7"}
    pays(counter, LINES * 5, bill, ADA, SHOP)
    charges = [each for each in counter.world.movements if each.taken_minor]
    assert [each.taken_minor for each in charges] == [2596]
    (charge,) = [each for each in counter.world.payments if each.opening.verb is Verb.PURCHASE]
    assert charge.opening.request.reference == "B-2013-7"


@pytest.mark.req("NX-056")
def test_who_speaks_for_another_is_denied_as_by_the_policy(counter):
    error = error_of(called(counter, "pay", [None, BILL, ADA, SHOP, None], sender="DEV/BIDx:1"))
    assert (error["data"]["name"], error["data"]["code"]) == ("SecurityError", 18)
    assert (error["code"], error["retryPossible"]) == ("payment_charge_failed", False)
    assert counter.world.payments == []
