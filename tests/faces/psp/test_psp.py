"""The host by its own rules: tokens, orders, refunds, errors, in virtual time."""

import asyncio
import json
from base64 import b64encode

import pytest

from tests.faces.psp.test_psp_kit import KEYS, MERCHANT, sent
from tollbridge.core.operation import State
from tollbridge.faces.psp import face, host
from tollbridge.faces.psp.messages import STATUS
from tollbridge.ground.clock import moment
from tollbridge.ground.errors import ConfigError, JournalFailed, RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing.face_kit import _match
from tollbridge.testing.world import World
from tollbridge.wire.http import Headers, Request

CARD = {
    "name": "Ada Field",
    "expiryMonth": 11,
    "expiryYear": 2033,
    "issueNumber": None,
    "startMonth": None,
    "startYear": None,
    "cardNumber": "4242424242424242",
    "type": "Card",
    "cvc": "123",
}
DESCRIPTION = "Garden Watering - 6 units @ GBP 3.25 per unit."
OTHERS = {
    "one": {"client_key": "T_C_1", "service_key": "T_S_1"},
    "two": {"client_key": "T_C_2", "service_key": "T_S_2"},
}


class Psp:
    """A host in a world; every call runs on a fresh engine, as after a restart of it."""

    def __init__(self, world=None, **settings):
        self.world = world or World()
        self.settings = settings
        self.restart()

    def restart(self):
        self.face = face(self.settings, self.world.clock, self.world.ids)

    def call(self, *requests):
        answers = []

        async def main():
            answers.extend(await asyncio.gather(*(self.one(request) for request in requests)))

        self.world.run(main())
        return answers if len(answers) > 1 else answers[0]

    async def one(self, request):
        for endpoint in self.face.endpoints():
            names = _match(endpoint.path, request.url)
            if endpoint.method == request.method and names is not None:
                try:
                    message = endpoint.decode(request, names)
                except RemoteProtocolError as error:
                    answer = endpoint.refuse(error)
                else:
                    answer = endpoint.encode(await self.world.engine.serve(self.face, message, {}))
                return answer.status, json.loads(answer.body)
        raise AssertionError(request)

    def token(self, key=KEYS.client_key, **card):
        status, answer = self.call(wanted(key, **card))
        assert status == 200, answer
        return answer["token"]

    def order(self, token, **more):
        return self.call(order(token, **more))


def wanted(key=KEYS.client_key, reusable=False, **card):
    body = {"reusable": reusable, "paymentMethod": CARD | card, "clientKey": key}
    return sent("POST", "/v1/tokens", body)


def order(token, key=KEYS.service_key, asked="", **more):
    body = {
        "token": token,
        "amount": 1950,
        "currencyCode": "GBP",
        "orderDescription": DESCRIPTION,
        "customerOrderCode": "order-7",
    } | more
    headers = {"idempotency_key": asked} if asked else {}
    return sent("POST", "/v1/orders", body, key=key, **headers)


def refund(code, body=None, key=KEYS.service_key, asked=""):
    headers = {"idempotency_key": asked} if asked else {}
    return sent("POST", f"/v1/orders/{code}/refund", body, key=key, **headers)


def listed(code="order-7", key=KEYS.service_key):
    return sent("GET", f"/v1/orders?customerOrderCode={code}", key=key)


@pytest.fixture
def psp():
    return Psp()


def code_of(answer):
    status, body = answer
    assert body.get("httpStatusCode", status) == status
    return status, body.get("customCode", body.get("result"))


# Tokens


@pytest.mark.req(
    "W-085", "W-094", "W-104", "W-105", "W-106", "W-107", "W-108", "W-109", "W-110", "W-111",
    "W-112", "W-113", "W-114", "W-115", "W-116", "W-117", "W-118", "W-119", "W-120", "W-121",
    "W-133",
)  # fmt: skip
def test_a_token_answer_has_every_documented_key(psp):
    status, answer = psp.call(wanted())
    assert status == 200
    assert answer["token"].startswith("TEST_SU_")
    assert answer["reusable"] is False
    assert answer["paymentMethod"] == {
        "type": "ObfuscatedCard",
        "name": "Ada Field",
        "expiryMonth": 11,
        "expiryYear": 2033,
        "issueNumber": None,
        "startMonth": None,
        "startYear": None,
        "cardType": "VISA_CREDIT",
        "maskedCardNumber": "**** **** **** 4242",
        "cardSchemeType": "consumer",
        "cardSchemeName": "VISA CREDIT",
        "cardProductTypeDescNonContactless": "Visa Credit Personal",
        "cardProductTypeDescContactless": "CL Visa Credit Pers",
        "cardIssuer": "TEST ISSUER",
        "countryCode": "GB",
        "cardClass": "credit",
        "prepaid": "unknown",
    }


@pytest.mark.req("W-132")
def test_each_token_is_another_one(psp):
    assert psp.token() != psp.token()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cardNumber": "4242424242424241"}, "INVALID_PAYMENT_DETAILS"),
        ({"cardNumber": "4242 4242 4242 4242"}, "INVALID_PAYMENT_DETAILS"),
        ({"cardNumber": 4242424242424242}, "INVALID_PAYMENT_DETAILS"),
        ({"cardNumber": ""}, "INVALID_PAYMENT_DETAILS"),
        ({"cvc": "12"}, "INVALID_PAYMENT_DETAILS"),
        ({"cvc": None}, "INVALID_PAYMENT_DETAILS"),
        ({"expiryMonth": 13}, "INVALID_PAYMENT_DETAILS"),
        ({"expiryMonth": "11"}, "INVALID_PAYMENT_DETAILS"),
        ({"expiryMonth": True}, "INVALID_PAYMENT_DETAILS"),
        ({"expiryYear": 33}, "INVALID_PAYMENT_DETAILS"),
        ({"expiryYear": 2020}, "INVALID_PAYMENT_DETAILS"),
        ({"name": "4242424242424242"}, "INVALID_PAYMENT_DETAILS"),
        ({"name": None}, "INVALID_PAYMENT_DETAILS"),
    ],
)
def test_a_card_that_cannot_be_is_refused(psp, change, code):
    assert code_of(psp.call(wanted(**change))) == (400, code)


def test_a_card_is_good_until_the_end_of_its_month(psp):
    psp.token(expiryMonth=psp_month(psp)[0], expiryYear=psp_month(psp)[1])
    month, year = psp_month(psp, before=1)
    refused = psp.call(wanted(expiryMonth=month, expiryYear=year))
    assert code_of(refused) == (400, "INVALID_PAYMENT_DETAILS")


def psp_month(psp, before=0):
    now = moment(psp.world.clock.now())
    months = now.year * 12 + now.month - 1 - before
    return months % 12 + 1, months // 12


@pytest.mark.req("W-131")
def test_a_reusable_token_is_refused(psp):
    refused = psp.call(wanted(reusable=True))
    assert code_of(refused) == (400, "RECURRING_BILLING_NOT_ENABLED")


def test_an_unknown_client_key_gets_no_token(psp):
    for key in ("T_C_unknown", KEYS.service_key.reveal()):
        assert code_of(psp.call(wanted(key))) == (401, "UNAUTHORIZED")
    assert code_of(psp.call(wanted(""))) == (400, "BAD_REQUEST")


def test_too_many_tokens_of_one_merchant_do_not_hurt_another():
    psp = Psp(merchants=OTHERS, tokens_max=2)
    psp.token("T_C_1")
    psp.token("T_C_1")
    assert code_of(psp.call(wanted("T_C_1"))) == (500, "API_ERROR")
    psp.token("T_C_2")
    psp.world.clock.advance(601)
    psp.token("T_C_1")


# Orders


@pytest.mark.req(
    "W-141", "W-151", "W-152", "W-153", "W-154", "W-155", "W-156", "W-157", "W-158", "W-159",
    "W-160", "W-161", "W-162", "W-163", "W-164", "W-165", "W-166", "W-167", "W-168", "W-169",
    "W-170", "W-171", "W-172", "W-173", "W-174", "W-175", "W-177", "W-178",
)  # fmt: skip
def test_an_order_answer_has_every_documented_key(psp):
    token = psp.token()
    status, answer = psp.order(token)
    assert status == 200
    assert answer == {
        "orderCode": answer["orderCode"],
        "token": token,
        "orderDescription": DESCRIPTION,
        "amount": 1950,
        "currencyCode": "GBP",
        "paymentStatus": "SUCCESS",
        "paymentResponse": {
            "type": "ObfuscatedCard",
            "name": "Ada Field",
            "expiryMonth": 11,
            "expiryYear": 2033,
            "cardType": "VISA_CREDIT",
            "maskedCardNumber": "**** **** **** 4242",
            "cardSchemeType": "consumer",
            "cardSchemeName": "VISA CREDIT",
            "cardIssuer": "TEST ISSUER",
            "countryCode": "GB",
            "cardClass": "credit",
            "cardProductTypeDescNonContactless": "Visa Credit Personal",
            "cardProductTypeDescContactless": "CL Visa Credit Pers",
            "prepaid": "unknown",
        },
        "customerOrderCode": "order-7",
        "environment": "TEST",
        "riskScore": {"value": "1"},
    }
    (movement,) = psp.world.movements
    assert movement.taken_minor == 1950
    assert psp.world.payments[0].merchant == MERCHANT


@pytest.mark.req("W-178")
def test_a_declined_order_is_failed_and_says_why(psp):
    status, answer = psp.order(psp.token(cardNumber="4000000000009995"))
    assert (status, answer["paymentStatus"]) == (200, "FAILED")
    assert answer["paymentStatusReason"] == "INSUFFICIENT_FUNDS"
    assert sum(movement.taken_minor for movement in psp.world.movements) == 0


def test_the_same_order_again_answers_the_same_and_charges_once(psp):
    token = psp.token()
    first = psp.order(token)
    assert psp.order(token) == first
    psp.restart()
    assert psp.order(token) == first
    assert len(psp.world.payments) == len(psp.world.movements) == 1


def test_the_same_order_twice_at_once_charges_once(psp):
    token = psp.token()
    first, second = psp.call(order(token), order(token))
    assert first == second
    assert first[1]["paymentStatus"] == "SUCCESS"
    assert len(psp.world.payments) == 1
    assert len(psp.call(listed())[1]) == 1
    assert len(psp.call(sent("GET", "/v1/transactions"))[1]) == 1


@pytest.mark.req("W-132")
def test_a_token_pays_one_order_only(psp):
    token = psp.token()
    psp.order(token)
    again = psp.order(token, customerOrderCode="order-8")
    assert code_of(again) == (409, "TOKEN_CONFLICT")
    for change in ({"amount": 1}, {"currencyCode": "EUR"}, {"orderDescription": "x"}):
        assert code_of(psp.order(token, **change)) == (409, "TOKEN_CONFLICT"), change
    assert code_of(psp.call(order(token, asked="another"))) == (409, "TOKEN_CONFLICT")
    psp.restart()
    assert code_of(psp.order(token, amount=1)) == (409, "TOKEN_CONFLICT")
    assert len(psp.world.payments) == 1


def test_a_token_that_is_not_there_or_too_old_pays_nothing(psp):
    assert code_of(psp.order("TEST_SU_x")) == (404, "TKN_NOT_FOUND")
    token = psp.token()
    psp.world.clock.advance(601)
    assert code_of(psp.order(token)) == (400, "TKN_EXPIRED")
    token = psp.token()
    psp.restart()
    assert code_of(psp.order(token)) == (404, "TKN_NOT_FOUND")
    assert psp.world.payments == []


def test_a_paid_order_answers_the_same_after_its_token_is_too_old(psp):
    token = psp.token()
    first = psp.order(token)
    psp.world.clock.advance(601)
    assert psp.order(token) == first


@pytest.mark.req("W-136", "W-145")
def test_only_the_merchant_of_the_token_is_paid_with_it():
    psp = Psp(merchants=OTHERS)
    token = psp.token("T_C_1")
    for key, code in (
        ("T_S_2", (404, "TKN_NOT_FOUND")),
        ("T_S_x", (401, "UNAUTHORIZED")),
        ("T_C_1", (401, "UNAUTHORIZED")),
        ("", (401, "UNAUTHORIZED")),
    ):
        assert code_of(psp.call(order(token, key=Secret(key)))) == code
    status, paid = psp.call(order(token, key=Secret("T_S_1")))
    assert (status, paid["paymentStatus"]) == (200, "SUCCESS")
    name = paid["orderCode"]
    show = sent("GET", f"/v1/orders/{name}", key=Secret("T_S_2"))
    assert code_of(psp.call(show)) == (404, "ORDER_NOT_FOUND")
    assert code_of(psp.call(refund(name, key=Secret("T_S_2")))) == (404, "ORDER_NOT_FOUND")
    assert psp.call(listed(key=Secret("T_S_2"))) == (200, [])
    assert len(psp.call(listed(key=Secret("T_S_1")))[1]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": 19.5},
        {"amount": "1950"},
        {"amount": True},
        {"amount": None},
        {"amount": 10**16},
        {"currencyCode": "PLUM"},
        {"currencyCode": "XAU"},
        {"currencyCode": "DEM"},
        {"currencyCode": None},
        {"orderDescription": ""},
        {"customerOrderCode": ""},
        {"customerOrderCode": "x" * 201},
        {"token": ""},
    ],
)
def test_an_order_that_cannot_be_is_refused(psp, change):
    assert code_of(psp.order(**{"token": psp.token()} | change)) == (400, "BAD_REQUEST")
    assert psp.world.payments == []


def test_what_is_not_json_is_refused_in_the_service_words(psp):
    def call(data, kind="application/json"):
        headers = Headers([("content-type", kind)])
        return code_of(psp.call(Request("POST", "/v1/tokens", headers, data)))

    assert call(b"{") == (400, "ERROR_PARSING_JSON")
    assert call(b"[]") == (400, "ERROR_PARSING_JSON")
    assert call(b"\xff") == (400, "ERROR_PARSING_JSON")
    assert call(b"{}", "text/plain") == (415, "MEDIA_TYPE_NOT_SUPPORTED")
    assert call(b"{}", "application/json; charset=utf-8") == (400, "INVALID_PAYMENT_DETAILS")


def test_requests_are_read_as_the_original_reads_them(psp):
    """Keys in any case, unknown keys ignored, of two equal keys the last."""
    request = wanted()
    body = request.body.replace(b'"clientKey"', b'"clientkey":"x","unknown":[1],"CLIENTKEY"')
    body = body.replace(b'"cvc"', b'"cvc":"x","CVC"')
    read = Request(request.method, request.url, request.headers, body)
    assert psp.call(read)[0] == 200


def test_every_code_has_the_status_that_is_documented():
    documented = {400, 401, 404, 409, 415, 500}
    assert set(STATUS.values()) == documented


# What is not known


def test_an_unknown_order_is_a_500_and_is_known_later():
    psp = Psp()
    psp.world.faults.rules.append(Rule(Fault.LOSE_ANSWER, what="operation"))
    psp.world.faults.rules.append(Rule(Fault.LOSE_ANSWER, what="inquiry"))
    token = psp.token()
    for _ in range(2):
        answer = psp.call(order(token, asked="op.1"))
        assert code_of(answer) == (500, "UNEXPECTED_ERROR")
    assert [shown["paymentStatus"] for shown in psp.call(listed())[1]] == ["PENDING"]
    psp.world.recover()
    status, paid = psp.call(order(token, asked="op.1"))
    assert (status, paid["paymentStatus"]) == (200, "SUCCESS")
    (shown,) = psp.call(listed())[1]
    assert shown["paymentStatus"] == "SUCCESS"
    assert shown["orderCode"] == paid["orderCode"]
    assert psp.world.differences() == []


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.PENDING, Fault.LATE_DELIVERY])
def test_who_does_not_ask_later_is_told_no_and_it_stays_no(psp, fault):
    """Without a key of its own, an asker takes an error for the end: then it must be one."""
    psp.world.faults.rules.append(Rule(fault, what="operation", delay_s=40.0))
    psp.world.faults.rules.append(Rule(Fault.DROP, what="inquiry", times=50))
    token = psp.token()
    first = psp.order(token)
    assert (first[0], first[1]["paymentStatus"]) == (200, "FAILED")
    assert first[1]["paymentStatusReason"] == "ANSWER_TOO_LATE"
    psp.world.recover()
    assert psp.order(token) == first
    assert psp.call(listed())[1][0]["paymentStatus"] == "FAILED"
    assert psp.call(sent("GET", "/v1/transactions")) == (200, [])
    assert sum(movement.taken_minor for movement in psp.world.movements) == 0
    assert psp.world.differences() == []


def test_an_order_that_never_reached_the_network_is_failed(psp):
    psp.world.faults.down = True
    status, answer = psp.order(psp.token())
    assert (status, answer["paymentStatus"]) == (200, "FAILED")
    assert answer["paymentStatusReason"] == "NOT_SENT"
    assert psp.world.differences() == []


def test_a_disk_that_fails_leaves_the_token_to_try_again(psp, monkeypatch):
    token = psp.token()

    def full(changes):
        raise JournalFailed("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(psp.world.journal, "commit", full)
        assert code_of(psp.order(token)) == (500, "INTERNAL_SERVER_ERROR")
    assert psp.order(token)[1]["paymentStatus"] == "SUCCESS"
    assert len(psp.world.payments) == 1


# Asking and refunding


def test_orders_are_found_by_both_names(psp):
    first = psp.call(order(psp.token(cardNumber="4000000000000002"), asked="op.1"))[1]
    second = psp.call(order(psp.token(), asked="op.2"))[1]
    found = {shown["orderCode"]: shown for shown in psp.call(listed())[1]}
    assert set(found) == {first["orderCode"], second["orderCode"]}
    shown = found[second["orderCode"]]
    assert shown["idempotencyKey"] == "op.2"
    assert "token" not in shown
    assert psp.call(sent("GET", f"/v1/orders/{second['orderCode']}")) == (200, shown)
    assert code_of(psp.call(sent("GET", "/v1/orders/none"))) == (404, "ORDER_NOT_FOUND")
    assert code_of(psp.call(sent("GET", "/v1/orders"))) == (400, "BAD_REQUEST")


def test_more_orders_than_one_page_of_the_notebook_are_all_found(psp):
    for _ in range(103):
        psp.order(psp.token())
    assert len(psp.call(listed())[1]) == 103


def test_a_refund_is_done_once_however_often_it_comes(psp):
    name = psp.order(psp.token())[1]["orderCode"]
    for _ in range(2):
        status, shown = psp.call(refund(name, {"refundAmount": 500}, asked="op.2"))
        assert status == 200
        assert [(r["idempotencyKey"], r["amount"], r["paymentStatus"]) for r in shown["refunds"]] \
            == [("op.2", 500, "SUCCESS")]  # fmt: skip
    conflict = psp.call(refund(name, {"refundAmount": 501}, asked="op.2"))
    assert code_of(conflict) == (409, "TOKEN_CONFLICT")
    assert psp.call(refund(name))[0] == 200
    assert psp.world.payments[0].amounts.refunded_minor == 1950
    assert code_of(psp.call(refund(name))) == (400, "BAD_REQUEST")
    assert code_of(psp.call(refund("none", {}))) == (404, "ORDER_NOT_FOUND")
    for amount in (0, -1, 1.5, "5", True):
        assert code_of(psp.call(refund(name, {"refundAmount": amount}))) == (400, "BAD_REQUEST")
    assert psp.world.differences() == []


def test_a_lost_refund_is_a_500_and_shown_when_it_is_known(psp):
    name = psp.order(psp.token())[1]["orderCode"]
    for _ in range(3):
        psp.world.faults.rules.append(Rule(Fault.DROP, what=""))
    lost = psp.call(refund(name, {"refundAmount": 500}, asked="op.2"))
    assert code_of(lost) == (500, "UNEXPECTED_ERROR")
    refunds = psp.call(listed())[1][0]["refunds"]
    assert [shown["paymentStatus"] for shown in refunds] in (["PENDING"], ["SUCCESS"])
    psp.world.recover()
    (shown,) = psp.call(listed())[1][0]["refunds"]
    assert shown["paymentStatus"] == "SUCCESS"
    assert psp.call(refund(name, {"refundAmount": 500}, asked="op.2"))[0] == 200
    assert psp.world.differences() == []


@pytest.mark.req("WX-024")
def test_the_newest_payments_are_listed_first_and_not_all(psp):
    assert psp.call(sent("GET", "/v1/transactions")) == (200, [])
    psp.order(psp.token(cardNumber="4000000000000002"), orderDescription="declined")
    for number in range(52):
        psp.order(psp.token(), orderDescription=f"n{number}")
        psp.world.clock.advance(1)
    shown = psp.call(sent("GET", "/v1/transactions"))[1]
    assert [record["orderDescription"] for record in shown] == [f"n{51 - n}" for n in range(50)]
    assert shown[0]["maskedCard"] == "************4242"
    assert set(shown[0]) == {
        "maskedCard", "amount", "currencyCode", "orderDescription", "transactionDateAndTime",
    }  # fmt: skip


# SecureNet


def basic(name=KEYS.secure_net_id, key=KEYS.secure_key):
    return Secret("Basic " + b64encode(f"{name}:{key.reveal()}".encode()).decode())


def vault_card(key=KEYS.client_key, **card):
    body = {
        "card": {"number": "4242424242424242", "expirationDate": "5/2033", "address": None} | card,
        "publicKey": key,
        "developerApplication": {"developerId": 12345678, "version": "1.2"},
        "addToVault": False,
    }
    return sent("POST", "/api/PreVault/Card", body, key=Secret("Basic Og=="))


def charge(token, amount, key=None, code="order-7"):
    vault = {"customerId": code, "paymentMethodId": token, "publicKey": KEYS.public_key,
             "paymentType": "CREDIT_CARD"}  # fmt: skip
    body = {"amount": amount, "paymentVaultToken": vault, "extendedInformation": None}
    return sent("POST", "/api/Payments/Charge", body, key=key or basic())


@pytest.mark.req("WX-021", "WX-024")
def test_securenet_charges_a_card_once(psp):
    for key in (KEYS.client_key, KEYS.public_key):
        status, answer = psp.call(vault_card(key))
        assert (status, answer["success"], answer["responseCode"]) == (200, True, 1)
    first = psp.call(charge(answer["token"], 19.5))
    assert first[0] == 200
    assert first[1]["transaction"]["authorizedAmount"] == 19.5
    assert first[1]["transaction"]["orderId"] == "order-7"
    assert (first[1]["success"], first[1]["result"], first[1]["responseCode"]) == (
        True, "APPROVED", 1,
    )  # fmt: skip
    assert psp.call(charge(answer["token"], 19.50)) == first
    (movement,) = psp.world.movements
    assert movement.taken_minor == 1950


@pytest.mark.req("WX-021")
def test_securenet_refuses_and_declines_in_its_own_words(psp):
    def code(request):
        status, answer = psp.call(request)
        assert answer["success"] is False
        return status, answer["result"], answer["responseCode"]

    assert code(vault_card("x")) == (401, "UNAUTHORIZED", 3)
    for date in ("2033", "13/2033", "5/33", "5/2020", None):
        assert code(vault_card(expirationDate=date)) == (400, "INVALID_PAYMENT_DETAILS", 3)
    token = psp.call(vault_card())[1]["token"]
    for key in (basic("1"), basic(key=Secret("x")), basic("", Secret("")), Secret("Basic %")):
        assert code(charge(token, 1, key)) == (401, "UNAUTHORIZED", 3)
    for amount in (0, -1, "1", 0.001, True, None):
        assert code(charge(token, amount)) == (400, "BAD_REQUEST", 3)
    assert code(charge("x", 1)) == (404, "TKN_NOT_FOUND", 3)
    token = psp.call(vault_card(number="4000000000000002"))[1]["token"]
    assert code(charge(token, 1)) == (200, "DECLINED", 2)
    psp.world.faults.rules.append(Rule(Fault.DROP, what="operation"))
    psp.world.faults.rules.append(Rule(Fault.DROP, what="inquiry", times=50))
    token = psp.call(vault_card())[1]["token"]
    assert code(charge(token, 1)) == (200, "DECLINED", 2)
    psp.world.recover()
    assert code(charge(token, 1)) == (200, "DECLINED", 2)
    assert sum(movement.taken_minor for movement in psp.world.movements) == 0


# Settings and secrets


def test_settings_that_cannot_work_are_all_told_at_once():
    with pytest.raises(ConfigError) as error:
        host(
            {
                "merchants": {
                    "a": {"client_key": "k", "service_key": "s", "colour": "red"},
                    "b": {"client_key": "k", "secure_net_id": "1", "currency": "XAU"},
                    "c": 1,
                },
                "tokens_max": 0,
                "bridge": 1,
            }
        )
    assert len(error.value.problems) == 8
    with pytest.raises(ConfigError, match="at least one"):
        host({"merchants": {}})


def test_a_card_is_forgotten_once_it_is_charged(psp):
    psp.order(psp.token())
    (held,) = psp.face.vaults[MERCHANT]._held.values()
    assert held.card is None


def test_cards_and_tokens_stand_in_no_page_and_no_repr(psp):
    token = psp.token(cvc="917")
    psp.order(token)
    held = repr(vars(psp.face.vaults[MERCHANT]))
    written = repr(psp.world.journal.browse("psp", "", "", 100))
    facts = repr([list(psp.world.journal.read(payment.id)) for payment in psp.world.payments])
    for text in (held, written, facts, repr(order(token)), repr(psp.face.host)):
        assert "4242424242424242" not in text
        assert token not in text
        assert "917" not in text
        assert KEYS.service_key.reveal() not in text
    assert psp.world.payments[0].opening.state is State.APPROVED
