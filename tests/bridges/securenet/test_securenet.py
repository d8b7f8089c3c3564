"""The SecureNet wire, to the byte, and what its answers mean."""

import json

import pytest

from tests.bridges.securenet.test_securenet_kit import SETTINGS, TOKEN
from tollbridge.bridges.contract import CardDetails, TokenRefused
from tollbridge.bridges.securenet import Application, bridge, client_token
from tollbridge.core.facts import Requested
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Declined, Unclear
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Response

NAME = PaymentId("01JZZZZZZZZZZZZZZZZZZZZZZZ")
CARD = CardDetails("Ada Field", 5, 2033, Secret("4444333322221111"), Secret("123"))


def made(**settings):
    return bridge(SETTINGS | settings, None, None)


def operation(amount=1950, code="EUR"):
    money = Money.of(amount, code)
    request = Requested(
        ordinal=1, at=0, verb=Verb.PURCHASE, key=IdempotencyKey("t", "1"), merchant="m",
        bridge="securenet", amount=money, tender=money, reference="order-7",
    )  # fmt: skip
    return Operation(NAME, request, instrument=Token(Secret(TOKEN), InstrumentView()))


PAYMENT = Payment(NAME, "m", "securenet", (operation(),), 1)


def asked(op):
    return next(made().perform(op, PAYMENT))


def told(status, body):
    flow = made().perform(operation(), PAYMENT)
    next(flow)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(StopIteration) as end:
        flow.send(Response(status, body=data))
    return end.value.value


def answer(**changes):
    transaction = {"transactionId": 116186, "authorizedAmount": 19.5, "authorizationCode": "A1"}
    return {
        "transaction": transaction,
        "success": True,
        "result": "APPROVED",
        "responseCode": 1,
        "message": "SUCCESS",
    } | changes


@pytest.mark.req("W-090", "W-091", "W-092", "WX-019", "WX-021")
def test_the_card_request_is_the_documented_one_to_the_byte():
    application = Application(12345678, "1.2")
    request = next(client_token("https://gwapi.example/api/", "T_C_1", CARD, application))
    assert (request.method, request.url) == ("POST", "https://gwapi.example/api/PreVault/Card")
    assert dict(request.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "origin": "http://www.worldpay.com",
        "authorization": "Basic Og==",
    }
    assert request.body == (
        b'{"card":{"number":"4444333322221111","expirationDate":"5/2033","address":null},'
        b'"publicKey":"T_C_1","developerApplication":{"developerId":12345678,"version":"1.2"},'
        b'"addToVault":false}'
    )
    assert not request.moves_money


@pytest.mark.req("WX-021")
def test_the_charge_is_the_documented_one_to_the_byte():
    request = asked(operation())
    assert request.url == "https://gwapi.example/api/Payments/Charge"
    assert request.headers["authorization"] == "Basic ODAwMDAwMTpzVHgweFBrRTl2Qjc="
    assert request.body == (
        b'{"amount":19.5,"paymentVaultToken":{"customerId":"order-7",'
        b'"paymentMethodId":"1a9ae1b0-5cc4-4a3f-9d04-6f3e1c2b7d55","publicKey":"cc6f4a1e-public",'
        b'"paymentType":"CREDIT_CARD"},"developerApplication":{"developerId":12345678,'
        b'"version":"1.2"},"extendedInformation":null}'
    )
    assert request.moves_money


@pytest.mark.req("WX-021")
@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [
        (1, "EUR", "0.01"),
        (10, "EUR", "0.1"),
        (1000, "EUR", "10"),
        (16777217, "EUR", "167772.17"),
        (999999999999999, "EUR", "9999999999999.99"),
        (500, "JPY", "500"),
    ],
)
def test_an_amount_is_an_exact_number_in_major_units(minor, code, text):
    assert Money.of(minor, code).number() == text


@pytest.mark.req("WX-021")
def test_a_charge_is_paid_when_everything_says_so():
    for status in (200, 201):
        paid = told(status, answer())
        assert paid == Approved(Money.of(1950, "EUR"), "116186", "A1", "1")
    whole = answer()
    whole["transaction"]["authorizedAmount"] = "x"
    with pytest.raises(RemoteProtocolError):
        told(200, whole)


@pytest.mark.req("WX-021")
@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_decline_that_can_be_read_is_no_payment(status):
    body = {"success": False, "result": "DECLINED", "responseCode": 2, "message": "funds"}
    assert told(status, body) == Declined("do_not_honour", "2", "funds")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, {}),
        (200, []),
        (200, {"success": True}),
        (200, answer(responseCode=2)),
        (200, answer(result="DECLINED")),
        (200, answer(success=False)),
        (400, answer()),
        (200, answer(success="true")),
        (200, answer(transaction=None)),
        (200, answer(transaction={"transactionId": 0, "authorizedAmount": 19.5})),
        (200, answer(transaction={"transactionId": 1, "authorizedAmount": 19.505})),
        (200, answer(transaction={"transactionId": 1, "authorizedAmount": True})),
        (302, {"success": False, "responseCode": 2}),
        (500, {"success": False, "responseCode": 3}),
    ],
)
def test_what_contradicts_itself_or_says_nothing_decides_nothing(status, body):
    with pytest.raises(RemoteProtocolError):
        told(status, body)


def test_a_token_needs_success_and_a_text():
    def read(status, body):
        flow = client_token("https://h/api", "k", CARD, Application(1, "1"))
        next(flow)
        with pytest.raises(StopIteration) as end:
            flow.send(Response(status, body=json.dumps(body).encode()))
        return end.value.value

    assert read(200, {"success": True, "token": TOKEN}).token.reveal() == TOKEN
    for body in ({"success": True}, {"success": True, "token": ""}, {"token": TOKEN}, []):
        with pytest.raises(RemoteProtocolError):
            read(200, body)
    with pytest.raises(TokenRefused, match="3 bad card") as refused:
        read(400, {"success": False, "responseCode": 3, "message": "bad card"})
    assert refused.value.provider_code == "3"


def test_the_service_cannot_be_asked():
    assert not made().capabilities.inquiry
    assert not made().capabilities.reversal
    for flow, ending in (
        (made().inquire(operation(), PAYMENT), Unclear.CANNOT_KNOW),
        (made().reverse(operation(), PAYMENT), False),
    ):
        with pytest.raises(StopIteration) as end:
            next(flow)
        assert end.value.value is ending


def test_what_cannot_be_kept_is_refused_at_start():
    for settings, problem in (
        ({"http_proxy": "http://proxy:3128"}, "http_proxy"),
        ({"developer_id": "12x"}, "developer_id"),
        ({"currency": "KWD"}, "currency"),
        ({"currency": "XAU"}, "currency"),
        ({"api_endpoint": "http://psp.example/api"}, "https is needed"),
        ({"api_endpoint": ""}, "api_endpoint"),
        ({"secure_key": ""}, "secure_key"),
        ({"colour": "red"}, "colour"),
    ):
        with pytest.raises(ConfigError, match=problem):
            made(**settings)
    assert made(http_proxy="", developer_id=7).capabilities.currencies == {"EUR"}
