"""Our words to the Worldpay Online API's JSON and back. Pure both ways."""

from typing import Any
from urllib.parse import quote, urlencode

from tollbridge.bridges.contract import CardDetails, ClientToken, TokenRefused
from tollbridge.bridges.worldpay_online.codes import PAID, PENDING, reason
from tollbridge.core.instrument import Token
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Declined, Outcome, Pending, Unclear
from tollbridge.core.payment import Payment
from tollbridge.ground.errors import InvalidMoney, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import http, json
from tollbridge.wire.http import Headers, Request, Response

KEY = "idempotency-key"
JSON = ("content-type", "application/json")


def token_request(endpoint: str, client_key: str, card: CardDetails) -> Request:
    """Write the request for a client token. It is never reusable: each order has its own."""
    fields = {
        "reusable": False,
        "paymentMethod": {
            "name": card.name,
            "expiryMonth": card.month,
            "expiryYear": card.year,
            "issueNumber": None,
            "startMonth": None,
            "startYear": None,
            "cardNumber": card.number.reveal(),
            "type": card.kind,
            "cvc": card.cvc.reveal(),
        },
        "clientKey": client_key,
    }
    return Request("POST", f"{endpoint.rstrip('/')}/tokens", http.JSON, json.write(fields))


def token(answer: Response) -> ClientToken:
    """Read the answer to it. Raises TokenRefused, or RemoteProtocolError for nonsense."""
    fields = _object(answer)
    if answer.status != 200:
        code = _text(fields, "customcode")
        text = f"HTTP Status: {answer.status} - CustomCode: {code}"
        raise TokenRefused(scrub(f"{text} - Message: {_text(fields, 'message')}"), code)
    given = _text(fields, "token")
    if not given:
        raise RemoteProtocolError("the answer holds no token", path=["token"])
    method = _lowered(fields.get("paymentmethod"))
    masked = scrub(_text(method, "maskedcardnumber"))
    return ClientToken(Secret(given), masked, _text(method, "cardschemename"))


def order_code(op: Operation) -> str:
    """Name an order: the merchant's reference, or where there is none the operation."""
    return op.request.reference or op.id


def order(endpoint: str, key: Secret[str], op: Operation, instrument: Token) -> Request:
    """Write the order that charges a token."""
    assert op.tender is not None
    fields = {
        "token": instrument.token.reveal(),
        "amount": op.tender.amount_minor,
        "currencyCode": op.tender.currency.code,
        "orderDescription": op.request.details.get("description") or order_code(op),
        "customerOrderCode": order_code(op),
    }
    return _moving(f"{endpoint}/orders", key, op, fields)


def refund(endpoint: str, key: Secret[str], op: Operation, reference: str) -> Request:
    """Write the refund of an order."""
    assert op.tender is not None
    url = f"{endpoint}/orders/{quote(reference, safe='')}/refund"
    return _moving(url, key, op, {"refundAmount": op.tender.amount_minor})


def inquiry(endpoint: str, key: Secret[str], payment: Payment) -> Request:
    """Write the question for all orders with the payment's customer order code."""
    query = urlencode({"customerOrderCode": order_code(payment.opening)})
    fields = Headers([("authorization", key.reveal())])
    return Request("GET", f"{endpoint}/orders?{query}", fields)


def ordered(answer: Response, op: Operation) -> Outcome:
    """Read what became of an order. Raises RemoteProtocolError where the answer decides nothing."""
    fields = _object(answer)
    if answer.status != 200:
        return _declined(answer, fields)
    if fields.get("customerordercode") != order_code(op):
        raise RemoteProtocolError("the answer is about another order", path=["customerOrderCode"])
    return _outcome(fields)


def refunded(answer: Response, op: Operation, reference: str) -> Outcome:
    """Read what became of a refund: the service acknowledges it with 200 and says no more.

    Raises RemoteProtocolError where the answer decides nothing.
    """
    done = Approved(op.tender, reference)
    if answer.status == 200 and not answer.body:
        return done
    fields = _object(answer)
    if answer.status != 200:
        return _declined(answer, fields)
    if fields.get("ordercode") != reference:
        raise RemoteProtocolError("the answer is about another order", path=["orderCode"])
    return done


def found_order(answer: Response, op: Operation) -> Outcome | Unclear:
    """Find an order among those with its customer order code."""
    orders = _orders(answer)
    if orders is None:
        return Unclear.CANNOT_KNOW
    return next((_outcome(item) for item in orders if item[_KEY] == op.id), Unclear.NOT_FOUND)


def found_refund(answer: Response, op: Operation, reference: str) -> Outcome | Unclear:
    """Find a refund in its order; an order that is not there any more tells nothing."""
    for item in _orders(answer) or []:
        if item.get("ordercode") == reference:
            refunds = _keyed(item.get("refunds"))
            if refunds is None:
                break
            mine = [_outcome(given) for given in refunds if given[_KEY] == op.id]
            return mine[0] if mine else Unclear.NOT_FOUND
    return Unclear.CANNOT_KNOW


_KEY = "idempotencykey"


def _moving(url: str, key: Secret[str], op: Operation, fields: dict[str, Any]) -> Request:
    headers = Headers([JSON, ("authorization", key.reveal()), (KEY, op.id)])
    return Request("POST", url, headers, json.write(fields), moves_money=True)


def _outcome(fields: dict[str, Any]) -> Outcome:
    status = _text(fields, "paymentstatus")
    reference = _text(fields, "ordercode")
    match status.upper():
        case "":
            raise RemoteProtocolError("the answer has no paymentStatus", path=["paymentStatus"])
        case str(word) if word == PAID:
            if not reference:
                raise RemoteProtocolError("a paid order has an orderCode", path=["orderCode"])
            return Approved(_amount(fields), reference, provider_code=PAID)
        case str(word) if word == PENDING:
            return Pending("the host waits for its own provider", reference)
        case word:
            why = scrub(_text(fields, "paymentstatusreason"))
            return Declined(reason(word), word[:40], why[:200], reference)


def _declined(answer: Response, fields: dict[str, Any]) -> Declined:
    """Read a documented error: only the caller's mistakes prove that nothing was charged."""
    code = _text(fields, "customcode")
    if not 400 <= answer.status < 500 or not code:
        raise RemoteProtocolError(f"the service answered {answer.status} {scrub(code)[:40]}")
    return Declined(reason(code), code[:40], scrub(_text(fields, "message"))[:200])


def _orders(answer: Response) -> list[dict[str, Any]] | None:
    """Read the list our host answers; None for whatever else a service may say instead."""
    if answer.status >= 500:
        raise RemoteProtocolError(f"the service answered {answer.status} to an inquiry")
    if answer.status != 200:
        return None
    try:
        return _keyed(json.read(answer.body, what="answer", last_of_equal_keys=True))
    except RemoteProtocolError:
        return None


def _keyed(items: object) -> list[dict[str, Any]] | None:
    """Give a list of objects that all say which operation made them, else None."""
    if not isinstance(items, list):
        return None
    read = [_lowered(item) for item in items]
    return read if all(isinstance(item.get(_KEY), str) for item in read) else None


def _object(answer: Response) -> dict[str, Any]:
    value = json.read(answer.body, what="answer", last_of_equal_keys=True)
    if not isinstance(value, dict):
        raise RemoteProtocolError("answer: a JSON object is expected")
    return _lowered(value)


def _lowered(value: object) -> dict[str, Any]:
    """Give an object with its keys in lower case: the service's own clients ignore case."""
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _amount(fields: dict[str, Any]) -> Money:
    try:
        return Money.of(fields.get("amount", ""), _text(fields, "currencycode"))
    except InvalidMoney as error:
        raise RemoteProtocolError(f"an amount that is none: {error}", path=["amount"]) from None


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
