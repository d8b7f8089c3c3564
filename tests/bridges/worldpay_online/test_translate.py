"""The Worldpay Online wire, to the byte, and what its answers mean."""

import json

import pytest

from tollbridge.bridges.contract import CardDetails, TokenRefused
from tollbridge.bridges.worldpay_online import bridge, client_token, translate
from tollbridge.core.facts import Requested
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import Operation, State
from tollbridge.core.outcome import Approved, DeclineCode, Declined, Pending, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.ground.ids import IdempotencyKey, PaymentId, SeededIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, scrub
from tollbridge.testing.clock import ManualClock
from tollbridge.wire.dump import dump
from tollbridge.wire.http import Response

SERVICE_KEY = "T_S_55555555-6666-7777-8888-999999999999"
CLIENT_TOKEN = "TEST_SU_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CODE = "1e9b7a40-55d2-4c3f-66b8-0d4f2e6c8a17"
DESCRIPTION = "Garden Watering - 6 units @ GBP 3.25 per unit."
NAME = PaymentId("01JZZZZZZZZZZZZZZZZZZZZZZZ")
ORDER_CODE = "7c7c7c7c-0101-0202-0303-040404040404"


def operation(verb=Verb.PURCHASE, ordinal=1, amount=1950, **more):
    money = Money.of(amount, "GBP")
    request = Requested(
        ordinal=ordinal,
        at=0,
        verb=verb,
        key=IdempotencyKey("test", str(ordinal)),
        merchant="m",
        bridge="worldpay_online",
        amount=money,
        tender=money,
        reference=more.pop("reference", CODE),
        details=more.pop("details", {"description": DESCRIPTION}),
    )
    token = Token(Secret(CLIENT_TOKEN), InstrumentView())
    return Operation(NAME, request, instrument=token, **more)


PAID = operation(state=State.APPROVED, outcome=Approved(Money.of(1950, "GBP"), ORDER_CODE))
REFUND = operation(Verb.REFUND, 2, 500)
PAYMENT = Payment(NAME, "m", "worldpay_online", (PAID, REFUND), 3)


def made(**settings):
    return bridge({"merchant_service_key": SERVICE_KEY, **settings}, ManualClock(), SeededIds(1))


def asked(op, settings=None):
    return next(made(**(settings or {})).perform(op, PAYMENT))


def told(op, status, body):
    flow = made().perform(op, PAYMENT)
    next(flow)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(StopIteration) as end:
        flow.send(Response(status, body=data))
    return end.value.value


def found(op, status, body):
    flow = made().inquire(op, PAYMENT)
    request = next(flow)
    assert not request.moves_money
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(StopIteration) as end:
        flow.send(Response(status, body=data))
    return end.value.value


def answer(**changes):
    return {
        "orderCode": ORDER_CODE,
        "token": CLIENT_TOKEN,
        "orderDescription": DESCRIPTION,
        "amount": 1950,
        "currencyCode": "GBP",
        "paymentStatus": "SUCCESS",
        "customerOrderCode": CODE,
        "environment": "TEST",
        "riskScore": {"value": "1"},
    } | changes


# What is sent

CARD = CardDetails("Ada Field", 11, 2033, Secret("4444333322221111"), Secret("123"))
CLIENT_KEY = "T_C_00000000-1111-2222-3333-444444444444"
TOKEN_BODY = (
    b'{"reusable":false,"paymentMethod":{"name":"Ada Field","expiryMonth":11,"expiryYear":2033,'
    b'"issueNumber":null,"startMonth":null,"startYear":null,"cardNumber":"4444333322221111",'
    b'"type":"Card","cvc":"123"},"clientKey":"T_C_00000000-1111-2222-3333-444444444444"}'
)
CAPTURED_TOKEN_BODY = (
    b'{"reusable":false,"paymentMethod":{"name":"Joe Bloggs","expiryMonth":12,"expiryYear":2020,'
    b'"issueNumber":null,"startMonth":null,"startYear":null,"cardNumber":"34343434343434",'
    b'"type":"Card","cvc":"123"},"clientKey":"T_C_97e8cbaa-14e0-4b1c-b2af-469daf8f1356"}'
)
ORDER_BODY = (
    b'{"token":"TEST_SU_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","amount":1950,"currencyCode":"GBP",'
    b'"orderDescription":"Garden Watering - 6 units @ GBP 3.25 per unit.",'
    b'"customerOrderCode":"1e9b7a40-55d2-4c3f-66b8-0d4f2e6c8a17"}'
)


@pytest.mark.req(
    "W-084", "W-091", "W-092", "W-093", "W-095", "W-096", "W-097", "W-098", "W-099", "W-100",
    "W-101", "W-102", "W-103", "W-128", "W-129", "W-130", "W-131", "W-133", "WX-019", "WX-020",
)  # fmt: skip
def test_the_token_request_is_the_documented_one_to_the_byte():
    request = next(client_token("https://api.worldpay.com/v1/", CLIENT_KEY, CARD))
    assert (request.method, request.url) == ("POST", "https://api.worldpay.com/v1/tokens")
    assert dict(request.headers) == {"content-type": "application/json"}
    assert request.body == TOKEN_BODY
    assert not request.moves_money
    joe = CardDetails("Joe Bloggs", 12, 2020, Secret("34343434343434"), Secret("123"))
    key = "T_C_97e8cbaa-14e0-4b1c-b2af-469daf8f1356"
    assert next(client_token("http://h/v1", key, joe)).body == CAPTURED_TOKEN_BODY


@pytest.mark.req(
    "W-087", "W-135", "W-136", "W-137", "W-138", "W-139", "W-144", "W-145", "W-146", "W-147",
    "W-148", "W-149", "W-150", "W-176", "WX-020",
)  # fmt: skip
def test_the_order_is_the_documented_one_to_the_byte():
    request = asked(operation())
    assert (request.method, request.url) == ("POST", "https://api.worldpay.com/v1/orders")
    assert dict(request.headers) == {
        "content-type": "application/json",
        "authorization": SERVICE_KEY,
        "idempotency-key": f"{NAME}.1",
    }
    assert request.body == ORDER_BODY
    assert request.moves_money


def test_what_the_asker_leaves_out_is_named_after_the_operation():
    body = json.loads(asked(operation(reference="", details={})).body)
    assert body["customerOrderCode"] == body["orderDescription"] == f"{NAME}.1"


def test_a_refund_goes_to_the_order_it_gives_back():
    request = asked(REFUND)
    assert request.url == f"https://api.worldpay.com/v1/orders/{ORDER_CODE}/refund"
    assert request.body == b'{"refundAmount":500}'
    assert request.moves_money


def test_a_card_number_is_not_sent_in_an_order():
    card = operation()
    object.__setattr__(card, "instrument", None)
    with pytest.raises(StopIteration) as end:
        next(made().perform(card, PAYMENT))
    assert isinstance(end.value.value, Unsent)


# What comes back


@pytest.mark.req(
    "W-085", "W-094", "W-104", "W-105", "W-106", "W-107", "W-133",
)  # fmt: skip
def test_a_token_is_read_and_stays_secret():
    flow = client_token("https://h/v1", CLIENT_KEY, CARD)
    next(flow)
    body = {"token": CLIENT_TOKEN, "reusable": False,
            "paymentMethod": {"maskedCardNumber": "**** **** **** 1111",
                              "cardSchemeName": "VISA CREDIT"}}  # fmt: skip
    with pytest.raises(StopIteration) as end:
        flow.send(Response(200, body=json.dumps(body).encode()))
    given = end.value.value
    assert given.token.reveal() == CLIENT_TOKEN
    assert (given.masked_number, given.scheme) == ("**** **** **** 1111", "VISA CREDIT")
    assert CLIENT_TOKEN not in repr(given)
    assert CLIENT_TOKEN not in scrub(json.dumps(body))


def test_a_refused_token_names_the_reason_and_no_secret():
    flow = client_token("https://h/v1", CLIENT_KEY, CARD)
    next(flow)
    # The service's own clients spell two of these keys with a capital letter.
    body = {"HttpStatusCode": 400, "customCode": "INVALID_PAYMENT_DETAILS",
            "message": "the card 4444333322221111 is expired"}  # fmt: skip
    with pytest.raises(TokenRefused) as refused:
        flow.send(Response(400, body=json.dumps(body).encode()))
    assert refused.value.provider_code == "INVALID_PAYMENT_DETAILS"
    assert "HTTP Status: 400 - CustomCode: INVALID_PAYMENT_DETAILS" in str(refused.value)
    assert "4444333322221111" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token":""}', b'{"token":7}', b"<p>"])
def test_an_answer_without_a_token_is_nonsense(body):
    flow = client_token("https://h/v1", CLIENT_KEY, CARD)
    next(flow)
    with pytest.raises(RemoteProtocolError):
        flow.send(Response(200, body=body))


@pytest.mark.req("W-141", "W-151", "W-152", "W-157", "W-178")
@pytest.mark.parametrize("status", ["SUCCESS", "success", "Success"])
def test_an_order_is_paid_when_status_and_word_say_so(status):
    paid = told(operation(), 200, answer(paymentStatus=status))
    assert paid == Approved(Money.of(1950, "GBP"), ORDER_CODE, provider_code="SUCCESS")


@pytest.mark.req("W-178")
@pytest.mark.parametrize("status", ["FAILED", "AUTHORIZED", "PRE_AUTHORIZED", "EXPIRED", "no"])
def test_any_other_word_is_not_paid(status):
    declined = told(operation(), 200, answer(paymentStatus=status, paymentStatusReason="funds"))
    assert declined == Declined(DeclineCode.DO_NOT_HONOUR, status.upper(), "funds", ORDER_CODE)


@pytest.mark.req("W-155", "W-156", "W-158")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, answer()),
        (204, b""),
        (200, b""),
        (200, b"SUCCESS"),
        (200, answer(customerOrderCode="another")),
        (200, answer(paymentStatus=None)),
        (200, answer(orderCode="")),
        (200, answer(amount="1950")),
        (200, answer(amount=19.5)),
        (200, answer(currencyCode="PLUM")),
        (400, b"not json"),
        (404, {"message": "who is this"}),
        (500, {"httpStatusCode": 500, "customCode": "API_ERROR"}),
        (502, b"<html>"),
    ],
)
def test_what_proves_nothing_decides_nothing(status, body):
    with pytest.raises(RemoteProtocolError):
        told(operation(), status, body)


@pytest.mark.req("W-155", "W-156")
def test_another_amount_is_handed_on_for_the_engine_to_refuse():
    assert told(operation(), 200, answer(amount=1)).amount == Money.of(1, "GBP")
    assert told(operation(), 200, answer(currencyCode="EUR")).amount == Money.of(1950, "EUR")


@pytest.mark.req("WX-020")
@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "BAD_REQUEST", "invalid_transaction"),
        (400, "TKN_EXPIRED", "invalid_card"),
        (400, "INVALID_PAYMENT_DETAILS", "invalid_card"),
        (401, "UNAUTHORIZED", "invalid_merchant"),
        (401, "MERCHANT_DISABLED", "invalid_merchant"),
        (404, "TKN_NOT_FOUND", "invalid_card"),
        (409, "TOKEN_CONFLICT", "duplicate"),
        (415, "MEDIA_TYPE_NOT_SUPPORTED", "invalid_transaction"),
        (400, "NEVER_SEEN", "do_not_honour"),
    ],
)
def test_a_documented_error_is_a_refusal_with_its_code(status, code, reason):
    body = {"httpStatusCode": status, "customCode": code, "message": "m"}
    declined = told(operation(), status, body)
    assert (declined.code, declined.provider_code) == (reason, code)


def test_a_refund_is_done_when_it_is_acknowledged():
    assert told(REFUND, 200, b"") == Approved(Money.of(500, "GBP"), ORDER_CODE)
    assert told(REFUND, 200, {"orderCode": ORDER_CODE}).amount == Money.of(500, "GBP")
    with pytest.raises(RemoteProtocolError):
        told(REFUND, 200, {"orderCode": "another"})


# What an inquiry finds


def entry(**changes):
    return answer(idempotencyKey=f"{NAME}.1", refunds=[]) | changes


def test_the_question_names_the_customer_order_code():
    request = next(made().inquire(operation(reference="a b&c"), PAYMENT))
    assert request.url.endswith(f"/orders?customerOrderCode={CODE}")
    assert request.headers["authorization"] == SERVICE_KEY
    assert SERVICE_KEY not in dump(request)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (405, {"customCode": "BAD_REQUEST"}),
        (200, b"<html>"),
        (200, {}),
        (200, [answer()]),
        (200, ["x"]),
    ],
)
def test_a_service_that_answers_no_such_list_cannot_be_asked(status, body):
    assert found(operation(), status, body) is Unclear.CANNOT_KNOW
    assert found(REFUND, status, body) is Unclear.CANNOT_KNOW


def test_a_broken_service_is_asked_again():
    with pytest.raises(RemoteProtocolError):
        found(operation(), 503, b"")


def test_an_order_is_found_by_the_operation_that_made_it():
    other = entry(idempotencyKey="another", paymentStatus="FAILED")
    assert found(operation(), 200, []) is Unclear.NOT_FOUND
    assert found(operation(), 200, [other]) is Unclear.NOT_FOUND
    assert found(operation(), 200, [other, entry()]).amount == Money.of(1950, "GBP")
    assert isinstance(found(operation(), 200, [entry(paymentStatus="FAILED")]), Declined)
    assert isinstance(found(operation(), 200, [entry(paymentStatus="PENDING")]), Pending)


def test_a_refund_is_found_in_its_order():
    refund = {"idempotencyKey": f"{NAME}.2", "amount": 500, "currencyCode": "GBP",
              "paymentStatus": "SUCCESS", "orderCode": ORDER_CODE}  # fmt: skip
    assert found(REFUND, 200, []) is Unclear.CANNOT_KNOW
    assert found(REFUND, 200, [entry()]) is Unclear.NOT_FOUND
    assert found(REFUND, 200, [entry(refunds=None)]) is Unclear.CANNOT_KNOW
    assert found(REFUND, 200, [entry(refunds=[refund])]).amount == Money.of(500, "GBP")
    other = refund | {"idempotencyKey": "another"}
    assert found(REFUND, 200, [entry(refunds=[other])]) is Unclear.NOT_FOUND
    failed = refund | {"paymentStatus": "FAILED"}
    assert isinstance(found(REFUND, 200, [entry(refunds=[failed])]), Declined)


# Settings


@pytest.mark.req("W-127", "W-140")
def test_keys_are_not_sent_in_the_open():
    for endpoint in ("http://psp.example/v1", "http://192.0.2.7/v1"):
        with pytest.raises(ConfigError, match="https is needed"):
            made(api_endpoint=endpoint)
        assert made(api_endpoint=endpoint, allow_plain=True).endpoint == endpoint
    for endpoint in ("http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]/v1",
                     "https://psp.example/v1", "psp://local/v1"):  # fmt: skip
        assert made(api_endpoint=endpoint + "/").endpoint == endpoint


def test_all_problems_of_the_settings_are_told_at_once():
    with pytest.raises(ConfigError) as error:
        bridge({"api_endpoint": "here", "answer_limit_s": "x", "colour": 1}, None, None)
    assert len(error.value.problems) == 4


def test_nothing_of_the_bridge_shows_its_key():
    shown = repr(made()) + repr(vars(made())) + repr(asked(operation()))
    assert SERVICE_KEY not in shown
    assert CLIENT_TOKEN not in shown
    assert translate.order_code(operation()) == CODE
