"""The two APIs' bytes: requests into messages, answers and errors into bytes.

Read as the original clients are read: keys in any case, unknown keys ignored, of two equal keys the
last. Strict about everything that is money, card or credential.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from tollbridge.faces.psp.messages import (
    STATUS,
    Charge,
    FindOrders,
    Holder,
    ListTransactions,
    NewOrder,
    NewRefund,
    NewToken,
    ShowOrder,
    ShowPage,
    VaultCard,
)
from tollbridge.ground.errors import InvalidMoney, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, luhn, scrub
from tollbridge.wire import http, json
from tollbridge.wire.http import Headers, Request, Response

TEXT_LETTERS_MAX = 1000
CODE_LETTERS_MAX = 200
_NUMBER = re.compile(r"\d{12,19}", re.ASCII)
_CVC = re.compile(r"\d{3,4}", re.ASCII)
_MONTH_YEAR = re.compile(r"(\d{1,2})/(\d{4})", re.ASCII)
_CARD_IS_WRONG = "INVALID_PAYMENT_DETAILS"

Names = Mapping[str, str]


# Worldpay Online


def new_token(request: Request, _: Names) -> NewToken:
    """Read POST /v1/tokens."""
    fields = _body(request)
    if fields.get("reusable") not in (None, False):
        _wrong("RECURRING_BILLING_NOT_ENABLED", "reusable: only false is offered")
    card = _lowered(fields.get("paymentmethod"))
    holder = _holder(card.get("name"), card.get("expirymonth"), card.get("expiryyear"))
    cvc = card.get("cvc")
    if not isinstance(cvc, str) or not _CVC.fullmatch(cvc):
        _wrong(_CARD_IS_WRONG, "paymentMethod.cvc: three or four digits")
    key = _text(fields, "clientkey", "clientKey")
    return NewToken(key, holder, _number(card.get("cardnumber")), Secret(cvc))


def new_order(request: Request, _: Names) -> NewOrder:
    """Read POST /v1/orders."""
    fields = _body(request)
    try:
        money = Money.of(fields.get("amount", ""), _text(fields, "currencycode", "currencyCode"))
    except InvalidMoney as error:
        _wrong("BAD_REQUEST", str(error))
    if money.amount_minor < 1:
        _wrong("BAD_REQUEST", "amount: a whole number of minor units, above zero")
    return NewOrder(
        _service_key(request),
        Secret(_text(fields, "token")),
        money,
        _text(fields, "customerordercode", "customerOrderCode", CODE_LETTERS_MAX),
        _text(fields, "orderdescription", "orderDescription"),
        _asked(request),
    )


def find_orders(request: Request, _: Names) -> FindOrders:
    """Read GET /v1/orders?customerOrderCode=…."""
    query = dict(parse_qsl(request.url.partition("?")[2]))
    code = query.get("customerOrderCode", "")
    if not code:
        _wrong("BAD_REQUEST", "customerOrderCode: is needed")
    return FindOrders(_service_key(request), code)


def show_order(request: Request, names: Names) -> ShowOrder:
    """Read GET /v1/orders/{orderCode}."""
    return ShowOrder(_service_key(request), names["orderCode"])


def new_refund(request: Request, names: Names) -> NewRefund:
    """Read POST /v1/orders/{orderCode}/refund; without a body, all that is left."""
    amount = _body(request).get("refundamount") if request.body else None
    if amount is not None and (type(amount) is not int or amount < 1):
        _wrong("BAD_REQUEST", "refundAmount: a whole number of minor units, above zero")
    return NewRefund(_service_key(request), names["orderCode"], amount, _asked(request))


def list_transactions(_: Request, __: Names) -> ListTransactions:
    """Read GET /v1/transactions."""
    return ListTransactions()


def show_page(_: Request, __: Names) -> ShowPage:
    """Read GET /psp."""
    return ShowPage()


def refusal(code: str, text: str) -> Response:
    """Answer with one of the service's documented errors. A text may quote, so it is masked."""
    status = STATUS[code]
    fields = {
        "httpStatusCode": status,
        "customCode": code,
        "message": scrub(text),
        "description": "",
        "errorHelpUrl": "",
        "originalRequest": "",
    }
    return Response(status, http.JSON, json.write(fields))


# SecureNet


def vault_card(request: Request, _: Names) -> VaultCard:
    """Read POST /api/PreVault/Card. The security code is not sent, nor is a name."""
    fields = _body(request)
    card = _lowered(fields.get("card"))
    written = card.get("expirationdate")
    date = _MONTH_YEAR.fullmatch(written) if isinstance(written, str) else None
    if date is None:
        _wrong(_CARD_IS_WRONG, "card.expirationDate: month/year is expected")
    holder = _holder("", int(date[1]), int(date[2]))
    key = _text(fields, "publickey", "publicKey")
    return VaultCard(NewToken(key, holder, _number(card.get("number")), None))


def charge(request: Request, _: Names) -> Charge:
    """Read POST /api/Payments/Charge."""
    fields = _body(request)
    vault = _lowered(fields.get("paymentvaulttoken"))
    amount = fields.get("amount")
    if not isinstance(amount, int | Decimal) or isinstance(amount, bool):
        _wrong("BAD_REQUEST", "amount: a number in major units")
    name, key = _basic(request)
    return Charge(
        name,
        key,
        Secret(_text(vault, "paymentmethodid", "paymentMethodId")),
        f"{amount:f}" if isinstance(amount, Decimal) else str(amount),
        _text(vault, "customerid", "customerId", CODE_LETTERS_MAX),
    )


def securenet_refusal(code: str, text: str) -> Response:
    """Answer with an error as SecureNet words them."""
    fields = {
        "success": False,
        "result": code,
        "responseCode": 3,
        "message": scrub(text),
    }
    return Response(STATUS[code], http.JSON, json.write(fields))


# Both


def encode(answer: Response) -> Response:
    """Give an answer as it is: the flows make whole ones."""
    return answer


def refuse(error: RemoteProtocolError, make: Callable[[str, str], Response]) -> Response:
    """Answer what could not be read."""
    code = _HINTS.get(error.hint, error.hint)
    return make(code if code in STATUS else "BAD_REQUEST", str(error))


worldpay_refuse = partial(refuse, make=refusal)
securenet_refuse = partial(refuse, make=securenet_refusal)
_HINTS = {"internal": "INTERNAL_SERVER_ERROR"}


def _wrong(code: str, text: str) -> NoReturn:
    raise RemoteProtocolError(text, hint=code)


def _body(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        _wrong("MEDIA_TYPE_NOT_SUPPORTED", "Content-Type: application/json is expected")
    try:
        value = json.read(request.body, what="request", last_of_equal_keys=True)
    except RemoteProtocolError as error:
        _wrong("ERROR_PARSING_JSON", str(error))
    if not isinstance(value, dict):
        _wrong("ERROR_PARSING_JSON", "request: a JSON object is expected")
    return _lowered(value)


def _lowered(value: object) -> dict[str, Any]:
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _text(fields: Mapping[str, Any], key: str, name: str = "", most: int = TEXT_LETTERS_MAX) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        _wrong("BAD_REQUEST", f"{name or key}: a text of 1 to {most} letters is expected")
    return value


def _holder(name: object, month: object, year: object) -> Holder:
    if type(month) is not int or not 1 <= month <= 12:
        _wrong(_CARD_IS_WRONG, "expiryMonth: 1 to 12")
    if type(year) is not int or not 2000 <= year <= 2099:
        _wrong(_CARD_IS_WRONG, "expiryYear: 2000 to 2099")
    if not isinstance(name, str) or len(name) > CODE_LETTERS_MAX or scrub(name) != name:
        _wrong(_CARD_IS_WRONG, f"name: a text of at most {CODE_LETTERS_MAX} letters is expected")
    return Holder(name, month, year)


def _number(value: object) -> Secret[str]:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value) or not luhn(value):
        _wrong(_CARD_IS_WRONG, "the card number is not valid")
    return Secret(value)


def _service_key(request: Request) -> Secret[str]:
    return Secret(request.headers.get("authorization", ""))


def _basic(request: Request) -> tuple[str, Secret[str]]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, key = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return "", Secret("")
    return (name, Secret(key)) if scheme.lower() == "basic" else ("", Secret(""))


def _asked(request: Request) -> str:
    asked = request.headers.get("idempotency-key", "")
    if len(asked) > CODE_LETTERS_MAX:
        _wrong("BAD_REQUEST", f"Idempotency-Key: at most {CODE_LETTERS_MAX} letters")
    return asked


def answer(value: object) -> Response:
    """Answer 200 with JSON."""
    return Response(200, http.JSON, json.write(value))


def charged(transaction: Mapping[str, Any], money: Money, outcome: Mapping[str, Any]) -> Response:
    """Answer a charge: its amount is a number in major units, which the library cannot write."""
    body = b'{"transaction":{"authorizedAmount":' + money.number().encode() + b","
    body += json.write(transaction)[1:] + b"," + json.write(outcome)[1:]
    return Response(200, http.JSON, body)


def html(page: str) -> Response:
    """Answer with a page that loads nothing from elsewhere."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    policy += "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    fields = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
    ]
    return Response(200, Headers(fields), page.encode())
