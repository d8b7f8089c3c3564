"""Our words to the JSON of the Orders v2 and Payments v2 APIs and back. Pure both ways."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tollbridge.bridges import reading
from tollbridge.bridges.paypal_orders.codes import (
    APPROVED,
    DONE,
    OFFERED,
    REFUSED,
    UNDECIDED,
    VOIDED,
    WAITING,
    reason,
)
from tollbridge.bridges.reading import inner, listed, text
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Cause, Declined, Outcome, Pending, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Request, Response

RETURN_URL, CANCEL_URL = "return_url", "cancel_url"
"""Details of a `store`: where the provider's page sends the customer afterwards."""
INTENT = "intent"
"""The detail of a `store` that says AUTHORIZE where the approved order shall be authorized."""
CAPTURES, AUTHORIZATIONS, REFUNDS = "captures", "authorizations", "refunds"
KINDS = {
    Verb.PURCHASE: CAPTURES,
    Verb.CAPTURE: CAPTURES,
    Verb.AUTHORIZE: AUTHORIZATIONS,
    Verb.REFUND: REFUNDS,
}
NEXT_LETTERS_MAX = 2000


@dataclass(frozen=True, slots=True)
class Application:
    """A merchant's application at the provider, and the provider's address without a slash."""

    endpoint: str
    client_id: str
    client_secret: Secret[str]
    brand: str = ""


def login(application: Application) -> Request:
    """Write the request for an access token (RFC 6749, 4.4)."""
    shown = f"{application.client_id}:{application.client_secret.reveal()}".encode()
    fields = [
        ("authorization", f"Basic {b64encode(shown).decode()}"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
    ]
    url = f"{application.endpoint}/v1/oauth2/token"
    return Request("POST", url, Headers(fields), b"grant_type=client_credentials")


def access(answer: Response) -> Secret[str]:
    """Read the answer to it. Raises RemoteProtocolError where there is no token."""
    fields = reading.answered(answer)
    given = text(fields, "access_token")
    if answer.status != 200 or not given:
        said = scrub(text(fields, "error"))[:40]
        raise RemoteProtocolError(f"no access token: {answer.status} {said}")
    return Secret(given)


def order(application: Application, key: Secret[str], op: Operation) -> Request:
    """Write an order for the customer to approve. Nothing moves before it is captured."""
    assert op.tender is not None
    details = op.request.details
    where = {name: details[name] for name in (RETURN_URL, CANCEL_URL) if name in details}
    shown = {"user_action": "PAY_NOW", "shipping_preference": "NO_SHIPPING", **where}
    if application.brand:
        shown["brand_name"] = application.brand
    said = details.get("description") or op.request.reference or op.payment
    fields = {
        "intent": details.get(INTENT, "CAPTURE"),
        "purchase_units": [
            {"custom_id": op.id, "description": said[:127], "amount": _amount(op.tender)}
        ],
        "payment_source": {"paypal": {"experience_context": shown}},
    }
    return _post(application, key, op, "/v2/checkout/orders", fields)


def show(application: Application, key: Secret[str], name: str) -> Request:
    """Write the question how an order is."""
    url = f"{application.endpoint}/v2/checkout/orders/{quote(name, safe='')}"
    return Request("GET", url, Headers(_credential(key)))


def sign(application: Application, key: Secret[str], op: Operation, name: str) -> Request:
    """Write an operation's name on an approved order: what is taken of it carries it for good.

    Of two operations that want one order, the one whose name it was when the money moved has it.
    """
    path = "/purchase_units/@reference_id=='default'/invoice_id"
    fields = json.write([{"op": "add", "path": path, "value": op.id}])
    url = f"{application.endpoint}/v2/checkout/orders/{quote(name, safe='')}"
    headers = Headers([*_credential(key), ("content-type", "application/json")])
    return Request("PATCH", url, headers, fields)


def signed(answer: Response) -> Unsent | None:
    """Read the answer to it: None where the order carries the name."""
    if answer.status in (200, 204):
        return None
    return _unfit(f"the order was used just now: {answer.status}")


def take(application: Application, key: Secret[str], op: Operation, name: str) -> Request:
    """Write the request that captures or authorizes an approved order."""
    what = "capture" if op.verb is Verb.PURCHASE else "authorize"
    path = f"/v2/checkout/orders/{quote(name, safe='')}/{what}"
    return _post(application, key, op, path, {}, moves_money=True)


def capture(application: Application, key: Secret[str], op: Operation, name: str) -> Request:
    """Write the capture of an authorization."""
    assert op.tender is not None
    final = op.request.final_capture
    fields = {"amount": _amount(op.tender), "invoice_id": op.id, "final_capture": final}
    path = f"/v2/payments/authorizations/{quote(name, safe='')}/capture"
    return _post(application, key, op, path, fields, moves_money=True)


def void(application: Application, key: Secret[str], op: Operation, name: str) -> Request:
    """Write the end of an authorization."""
    path = f"/v2/payments/authorizations/{quote(name, safe='')}/void"
    return _post(application, key, op, path, {}, moves_money=True)


def refund(application: Application, key: Secret[str], op: Operation, name: str) -> Request:
    """Write the refund of a capture."""
    assert op.tender is not None
    fields = {"amount": _amount(op.tender), "invoice_id": op.id}
    path = f"/v2/payments/captures/{quote(name, safe='')}/refund"
    return _post(application, key, op, path, fields, moves_money=True)


def offered(answer: Response, op: Operation) -> Outcome:
    """Read the answer to a new order. Raises RemoteProtocolError where it decides nothing."""
    fields = reading.answered(answer)
    if 400 <= answer.status < 500:
        return _refused(answer, fields)
    return approval(fields, op.id)


def approval(fields: dict[str, Any], custom_id: str) -> Outcome:
    """Read from an order whether its customer approved it. Raises RemoteProtocolError."""
    unit = next(iter(listed(fields, "purchase_units")), {})
    name, status = text(fields, "id"), text(fields, "status")
    if not name or text(unit, "custom_id") != custom_id:
        raise RemoteProtocolError("the answer is about another order", path=["custom_id"])
    if status in OFFERED:
        links = {text(link, "rel"): text(link, "href") for link in listed(fields, "links")}
        page = links.get("payer-action") or links.get("approve") or ""
        return Pending(page[:NEXT_LETTERS_MAX], name)
    if status in (APPROVED, "COMPLETED"):
        return Approved(_money(inner(unit, "amount")), name, provider_code=APPROVED)
    if status == VOIDED:
        return Declined(reason("ORDER_EXPIRED"), status, "", name)
    raise RemoteProtocolError(f"status {status!r:.40} of an order is not known", path=["status"])


def found_approval(answer: Response, op: Operation) -> Outcome:
    """Read the answer to the question whether an order is approved by now; the provider forgets
    an order that nobody approves within hours."""
    fields = reading.answered(answer)
    if answer.status == 404:
        return Declined(reason("ORDER_EXPIRED"), "ORDER_EXPIRED", "nobody approved the order")
    if answer.status != 200:
        raise RemoteProtocolError(f"the provider answered {answer.status} to an inquiry")
    told = approval(fields, op.id)
    # The address of the page is not told twice the same way, and is no news.
    return op.outcome if isinstance(told, Pending) and op.outcome is not None else told


def unfit(answer: Response, op: Operation, name: str) -> Unsent | None:
    """Say why an order cannot pay for an operation, before anything is sent that moves money."""
    fields = reading.answered(answer)
    if answer.status != 200 or text(fields, "id") != name:
        return _unfit("there is no such order")
    status, intent = text(fields, "status"), text(fields, "intent")
    if status != APPROVED:
        return _unfit(f"the order is not approved, or was used before: {scrub(status)[:40]}")
    wanted = "CAPTURE" if op.verb is Verb.PURCHASE else "AUTHORIZE"
    if intent != wanted:
        return _unfit(f"the order was approved for {scrub(intent)[:20]}, not {wanted}")
    unit = next(iter(listed(fields, "purchase_units")), {})
    if _money(inner(unit, "amount")) != op.tender:
        return _unfit("the order was approved for another amount")
    return None


def taken(answer: Response, op: Operation, name: str) -> Outcome:
    """Read what became of an order that was captured or authorized.

    Raises RemoteProtocolError where the answer decides nothing.
    """
    fields = reading.answered(answer)
    if 400 <= answer.status < 500:
        return _refused(answer, fields)
    if text(fields, "id") != name:
        raise RemoteProtocolError("the answer is about another order", path=["id"])
    mine = _mine(fields, op)
    if mine is None:
        raise RemoteProtocolError("nothing was taken for this operation", path=["invoice_id"])
    return moved(mine)


def continued(answer: Response, op: Operation) -> Outcome:
    """Read what became of a capture of an authorization, or of a refund."""
    fields = reading.answered(answer)
    if 400 <= answer.status < 500:
        return _refused(answer, fields)
    if text(fields, "invoice_id") != op.id:
        raise RemoteProtocolError("the answer is about another operation", path=["invoice_id"])
    return moved(fields)


def voided(answer: Response, op: Operation, name: str) -> Outcome:
    """Read what became of the end of an authorization."""
    fields = reading.answered(answer)
    if 400 <= answer.status < 500:
        return _refused(answer, fields)
    if text(fields, "id") != name:
        raise RemoteProtocolError("the answer is about another authorization", path=["id"])
    return _ended(fields, op)


def found(answer: Response, op: Operation, payment: Payment) -> Outcome | Unclear:
    """Find an operation in its order."""
    fields = reading.answered(answer)
    if answer.status == 404:
        return Unclear.NOT_FOUND
    if answer.status != 200 or text(fields, "id") != named(payment):
        raise RemoteProtocolError(f"the provider answered {answer.status} to an inquiry")
    if undone := held(op, payment):
        made = [each for each in _made(fields, AUTHORIZATIONS) if text(each, "id") == undone]
        ended = bool(made) and text(made[0], "status") == VOIDED
        return _ended(made[0], op) if ended else Unclear.NOT_FOUND
    mine = _mine(fields, op)
    return moved(mine) if mine is not None else Unclear.NOT_FOUND


def moved(fields: dict[str, Any]) -> Outcome:
    """Read a capture, an authorization or a refund. Raises RemoteProtocolError."""
    status, name = text(fields, "status"), text(fields, "id")
    if not name:
        raise RemoteProtocolError("what was made has no id", path=["id"])
    if status == WAITING:
        why = text(inner(fields, "status_details"), "reason")
        return Pending(scrub(why)[:200] or "the provider has not decided", name)
    if status in REFUSED:
        why = text(inner(fields, "status_details"), "reason")
        return Declined(reason(why), status, scrub(why)[:200], name)
    if status in DONE:
        return Approved(_money(inner(fields, "amount")), name, provider_code=status)
    raise RemoteProtocolError(f"status {status!r:.40} is not known", path=["status"])


def named(payment: Payment) -> str:
    """Give the order that a payment is made with."""
    view = payment.opening.view
    return view.reference if view else ""


def held(op: Operation, payment: Payment) -> str:
    """Give the authorization that a void ends; "" where it undoes what was captured."""
    target = payment.operation(op.target or 0)
    return reference(target) if target is not None and target.verb is Verb.AUTHORIZE else ""


def captured(op: Operation, payment: Payment) -> str:
    """Give the capture that a refund, or a void of what was captured, gives back."""
    if op.verb is Verb.VOID:
        target = payment.operation(op.target or 0)
    else:
        of = (Verb.PURCHASE, Verb.CAPTURE)
        target = next(e for e in payment.operations if e.verb in of and payment.counts(e))
    assert target is not None
    return reference(target)


def reference(op: Operation) -> str:
    """Give the provider's name for what an operation made."""
    assert isinstance(op.outcome, Approved), "only what was approved is continued"
    return op.outcome.reference


def _unfit(reason: str) -> Unsent:
    return Unsent(reason, Cause.UNFIT)


def _made(fields: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    unit = next(iter(listed(fields, "purchase_units")), {})
    return listed(inner(unit, "payments"), kind)


def _mine(fields: dict[str, Any], op: Operation) -> dict[str, Any] | None:
    """Find what an operation made of an order; a void of what was captured makes a refund."""
    made = _made(fields, KINDS.get(op.verb, REFUNDS))
    return next((each for each in made if text(each, "invoice_id") == op.id), None)


def _ended(fields: dict[str, Any], op: Operation) -> Outcome:
    if text(fields, "status") != VOIDED:
        raise RemoteProtocolError("the authorization is not ended", path=["status"])
    return Approved(op.tender, text(fields, "id"), provider_code=VOIDED)


def _refused(answer: Response, fields: dict[str, Any]) -> Declined:
    """Read a documented error: only the caller's mistakes and refusals prove that nothing moved.

    An order that was used already may have been so in this operation's name.
    """
    detail = next(iter(listed(fields, "details")), {})
    code = text(detail, "issue") or text(fields, "name")
    if not code or code in UNDECIDED:
        raise RemoteProtocolError(f"the provider answered {answer.status} {code}")
    said = text(detail, "description") or text(fields, "message")
    return Declined(reason(code), code[:40], scrub(said)[:200])


def _post(
    application: Application,
    key: Secret[str],
    op: Operation,
    path: str,
    fields: dict[str, Any],
    *,
    moves_money: bool = False,
) -> Request:
    headers = Headers(
        [
            *_credential(key),
            ("content-type", "application/json"),
            ("paypal-request-id", op.id),
            ("prefer", "return=representation"),
        ]
    )
    url = f"{application.endpoint}{path}"
    return Request("POST", url, headers, json.write(fields), moves_money=moves_money)


def _credential(key: Secret[str]) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {key.reveal()}"), ("accept", "application/json")]


def _amount(amount: Money) -> dict[str, str]:
    return {"currency_code": amount.currency.code, "value": amount.decimal()}


def _money(fields: dict[str, Any]) -> Money:
    return reading.money(fields.get("value"), text(fields, "currency_code"))
