"""The original client's words, against frames as it really sent them (CAPTURE.md)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.faces.webinos.counter import ADA, Counter
from tollbridge.faces.webinos import compat
from tollbridge.faces.webinos.bill import Manner
from tollbridge.faces.webinos.compat import (
    AnswerChallenge,
    Find,
    Link,
    Pay,
    Register,
    Say,
    Told,
)
from tollbridge.faces.webinos.messages import Answer, Begin, Caller, Follow
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret

PAGE = "DEV/BID3c69:12"
LINK = Link("DEV", "s3cret", PAGE)
URI = "http://webinos.org/api/payment"


@pytest.fixture
def counter():
    return Counter()


def frame(method, params, call="call-1", **more):
    payload = {"jsonrpc": "2.0", "id": call, "method": method, "params": params}
    return json.dumps({"type": "JSONRPC", "from": PAGE, "to": "DEV", "resp_to": PAGE,
                       "payload": payload} | more)  # fmt: skip


def pay_method(counter, name="pay"):
    service = counter.face.provider.services[0]
    return f"{service.api}@{service.id}.{name}"


def read(counter, text, link=LINK):
    return compat.read(text, link, counter.face.provider)


def heard(texts):
    return [json.loads(text)["payload"] for text in texts]


BILL = {"productID": "B-1", "description": "Bill 1", "currency": "EUR", "itemPrice": 14.99,
        "itemCount": 1, "itemsPrice": 14.99}  # fmt: skip


def test_a_page_registers_and_is_given_its_address(counter):
    payload = {"status": "registerBrowser", "value": "/app/", "origin": "http://localhost"}
    text = json.dumps({"type": "prop", "from": None, "resp_to": None, "payload": payload})
    wanted = compat.read(text, Link("DEV", "s"), counter.face.provider, 112)
    assert isinstance(wanted, Register)
    device, _, rest = wanted.address.partition("/")
    assert device == "DEV"
    assert rest.startswith("BID")
    assert rest.endswith(":11")
    assert "/" not in rest
    told = json.loads(compat.registered(Link("DEV", "s", wanted.address)))
    assert told["type"] == "prop"
    assert (told["from"], told["to"]) == ("DEV", wanted.address)
    assert told["payload"]["status"] == "registeredBrowser"
    assert compat.config(8080) == {"websocketPort": 8080}


@pytest.mark.req("N-014", "NX-011", "NX-013", "NX-015")
def test_services_are_found_as_the_client_expects(counter):
    for api in (URI, f"{URI}/*", f"{URI}/wallet"):
        wanted = read(counter, frame("ServiceDiscovery.findServices", [{"api": api}, None, None]))
        assert wanted == Find("call-1", api)
        texts = compat.services(LINK, counter.face.provider, wanted, ["n-1", "n-2"])
        (found,) = heard(texts)
        assert (found["id"], found["method"]) == ("n-1", "call-1.onservicefound")
        assert set(found["params"]) == {"id", "api", "displayName", "description",
                                        "serviceAddress"}  # fmt: skip
        assert json.loads(texts[0])["to"] == PAGE
        assert json.loads(texts[0])["from"] == json.loads(texts[0])["resp_to"] == "DEV"
    wanted = read(counter, frame("ServiceDiscovery.findServices", [{"api": "x"}, None, None]))
    (missing,) = heard(compat.services(LINK, counter.face.provider, wanted, ["n-1"]))
    assert (missing["method"], missing["params"]) == ("call-1.onError", [])
    assert read(counter, frame("ServiceDiscovery.findServices", [])) == Find("call-1", "")


@pytest.mark.req("N-020", "N-021", "N-030", "NX-021", "NX-034", "NX-035")
def test_the_parameters_of_pay(counter):
    wanted = read(counter, frame(pay_method(counter), [None, BILL, ADA, "ShopName12345", None]))
    assert isinstance(wanted, Pay)
    assert wanted.fields["sellerID"] == "ShopName12345"
    assert wanted.fields["customerID"] == ADA
    assert wanted.fields["challenges"] == []
    assert str(wanted.fields["bill"]["itemPrice"]) == "14.99"
    assert wanted.fields["signedBill"] is None
    wanted = read(counter, frame(pay_method(counter), [None, "eyJ.e30.x", ADA, "S", None]))
    assert (wanted.fields["bill"], wanted.fields["signedBill"]) == (None, "eyJ.e30.x")
    assert 8 <= len(wanted.key) <= 64
    other = read(counter, frame(pay_method(counter), [], call="call-2"))
    assert other.key != wanted.key
    elsewhere = read(counter, frame(pay_method(counter), []), Link("DEV", "other", PAGE))
    assert elsewhere.key not in (wanted.key, other.key)
    assert other.fields["bill"] is None
    fields = read(counter, frame(pay_method(counter), [None, BILL, 0, 0, True, 1, 2])).fields
    assert (fields["customerID"], fields["sellerID"]) == (None, "")
    assert fields["challenges"] == ["text", "image", "url"]
    assert read(counter, frame(pay_method(counter), {"a": 1})).fields["sellerID"] == ""


@pytest.mark.req("NX-051", "NX-053", "NX-055")
def test_every_call_is_answered(counter):
    for method in ("nothing", "a.b", pay_method(counter, "refund"), f"{URI}/wallet@0.pay",
                   "Dashboard.open", ""):  # fmt: skip
        said = read(counter, frame(method, []))
        assert isinstance(said, Say)
        (answer,) = heard(said.texts)
        assert answer["id"] == "call-1"
        assert answer["error"]["code"] == "payment_charge_failed"
        assert answer["error"]["rpcCode"] == -31000
        assert answer["error"]["data"]["retryPossible"] is False
    foreign = read(counter, frame(pay_method(counter), [], **{"from": "DEV/BIDother:1"}))
    assert heard(foreign.texts)[0]["error"]["data"]["reason"] == "wrong_address"
    unregistered = read(counter, frame(pay_method(counter), []), Link("DEV", "s"))
    assert heard(unregistered.texts)[0]["error"]["data"]["reason"] == "wrong_address"


def test_what_is_not_for_us_is_passed_over(counter):
    for text in (
        json.dumps({"type": "prop", "payload": {"status": "friendlyName"}}),
        json.dumps({"type": "JSONRPC", "from": PAGE, "payload": {"id": "1", "result": {}}}),
        json.dumps({"type": "JSONRPC", "from": PAGE, "payload": {"id": 5, "method": "x"}}),
        json.dumps({"type": "JSONRPC", "from": PAGE, "payload": {"id": "", "method": "x"}}),
        json.dumps({"type": "else", "from": PAGE, "payload": {"id": "1", "method": "x"}}),
    ):
        assert read(counter, text) == Say()
    for text in ("", "[]", "{}", '{"payload": 1}', "nonsense"):
        with pytest.raises(RemoteProtocolError):
            read(counter, text)


def caller(token=""):
    return Caller(credential=Secret(token), reached="http://localhost:8080")


def paid(counter, params, link=LINK):
    """Do what the room does: begin, follow, tell."""
    wanted = read(counter, frame(pay_method(counter), params), link)
    reply = counter.say(Begin(caller(), wanted.key, wanted.fields, Manner.COMPAT))
    if "error" in reply.fields and "id" not in reply.fields:
        return wanted, None, heard(compat.refused(link, wanted.call, reply.fields["error"]))
    token = reply.fields["client_token"]
    view = counter.say(Follow(caller(token), reply.fields["id"])).view
    told = Told()
    texts = compat.outcome(link, wanted, told, view, "ask-1")
    assert compat.outcome(link, wanted, told, view, "ask-2") == ()
    return wanted, (reply.fields | view, told), heard(texts)


@pytest.mark.req("N-060", "N-062", "NX-022", "NX-050", "NX-055")
def test_a_payment_ends_with_a_proof_or_a_payment_error(counter):
    (answer,) = paid(counter, [None, BILL, ADA, "ShopName12345", None])[2]
    assert answer["id"] == "call-1"
    assert counter.verify(answer["result"])[1]["amount"] == "14.99"
    for params in ([None] * 5, [], [None, None, None, "ShopName12345", None]):
        (answer,) = paid(counter, params)[2]
        error = answer["error"]
        assert isinstance(error["code"], str)
        assert isinstance(error["message"], str)
        assert error["retryPossible"] is False
        assert error["data"]["code"] == error["code"]


@pytest.mark.req("N-039", "NX-033", "NX-034")
def test_prices_may_be_texts_as_on_television(counter):
    bill = {"description": "Film", "currency": "EUR", "itemPrice": "5.51"}
    (answer,) = paid(counter, [None, bill, ADA, "ShopName12345", None])[2]
    assert counter.verify(answer["result"])[1]["amount"] == "5.51"


@pytest.mark.req("N-024", "N-080", "NX-021")
def test_an_old_client_is_never_challenged(counter):
    counter.settings["policy"] = {"amount_minor": 0}
    counter.restart()
    (answer,) = paid(counter, [None, BILL, ADA, "ShopName12345", None])[2]
    assert answer["error"]["code"] == "payment_authentication_failed"
    assert counter.taken() == 0


@pytest.mark.req("N-078", "NX-040", "NX-043", "NX-044")
def test_a_client_that_says_so_is_challenged_and_answers(counter):
    counter.settings["policy"] = {"amount_minor": 0}
    counter.restart()
    wanted, (view, told), (asked,) = paid(
        counter, [None, BILL, ADA, "ShopName12345", True]
    )  # fmt: skip
    assert (asked["id"], asked["method"]) == ("ask-1", "call-1.onchallenge")
    assert set(asked["params"]) == {"challengeId", "challengeType", "challenge"}
    assert asked["params"]["challengeType"] == "text"
    params = [asked["params"]["challengeId"], counter.house.code]
    answer = read(counter, frame(pay_method(counter, "answerChallenge"), params, "call-2"))
    assert isinstance(answer, AnswerChallenge)
    assert answer.challenge == asked["params"]["challengeId"]
    assert counter.house.code not in repr(answer)
    reply = counter.say(
        Answer(caller(view["client_token"]), view["id"], answer.challenge, answer.answer)
    )
    (said,) = heard(compat.accepted(LINK, answer.call, yes=reply.status == 200))
    assert said == {"jsonrpc": "2.0", "id": "call-2", "result": {"accepted": True}}
    (over,) = heard(compat.outcome(LINK, wanted, told, reply.fields, "ask-3"))
    assert over["result"]
    assert compat.outcome(LINK, wanted, told, reply.fields, "ask-4") == ()
    bad = read(counter, frame(pay_method(counter, "answerChallenge"), [5], "call-3"))
    assert heard(bad.texts)[0]["result"] == {"accepted": False}


JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-9, 9) | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["type", "payload", "id", "method", "params", "from", "status"]),
            inner,
        )
    ),
    max_leaves=8,
)
COUNTER = Counter()


@given(some.one_of(some.text(max_size=30), JSON.map(json.dumps)))
def test_any_text_is_read_or_refused(text):
    try:
        wanted = read(COUNTER, text)
    except RemoteProtocolError:
        return
    assert isinstance(wanted, Register | Find | Pay | AnswerChallenge | Say)


@pytest.mark.req("N-025", "N-026")
@given(some.lists(JSON, max_size=6))
def test_any_parameters_of_pay_are_answered(params):
    _, _, texts = paid(COUNTER, params)
    for answer in texts:
        assert ("result" in answer) != ("error" in answer)
