"""Our words to the sandbox network's JSON and back. Pure both ways."""

from typing import Any

from tollbridge.bridges.sandbox.codes import reason
from tollbridge.core.instrument import Instrument, Token
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Cause, Declined, Outcome, Pending, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.ground.errors import InvalidMoney, RemoteProtocolError
from tollbridge.ground.ids import OperationId, operation_id
from tollbridge.ground.money import Money
from tollbridge.wire import http, json
from tollbridge.wire.http import Request, Response

FAULT = "sandbox.fault"
"""The detail of an operation that makes the network misbehave for this one request."""
CODE = "sandbox.code"
"""The detail of an operation that makes the network answer with this response code."""


def operation(url: str, op: Operation, payment: Payment) -> Request:
    """Write the request that carries an operation out."""
    fields: dict[str, Any] = {
        "operation": op.id,
        "payment": op.payment,
        "verb": op.verb,
        "merchant": payment.merchant,
    }
    if op.tender is not None:
        fields["amount_minor"] = op.tender.amount_minor
        fields["currency"] = op.tender.currency.code
    if op.target is not None:
        fields["target"] = operation_id(op.payment, op.target)
    if op.instrument is not None:
        fields |= _instrument(op.instrument)
    if op.request.partial_ok:
        fields["partial_ok"] = True
    if not op.request.final_capture:
        fields["final_capture"] = False
    details = op.request.details
    if FAULT in details:
        fields["fault"] = details[FAULT]
    if CODE in details:
        fields["code"] = details[CODE]
    if "verified" in details:
        fields["verified"] = details["verified"]
    return Request("POST", f"{url}/v1/operations", http.JSON, json.write(fields), moves_money=True)


def inquiry(url: str, op: Operation) -> Request:
    """Write the request that asks what became of an operation."""
    return Request("GET", f"{url}/v1/operations/{op.id}")


def reversal(url: str, op: Operation) -> Request:
    """Write the request that takes an operation back."""
    return Request("POST", f"{url}/v1/reversals", http.JSON, json.write({"operation": op.id}))


def outcome(answer: Response, op: OperationId) -> Outcome:
    """Read what the network decided about an operation.

    Raises RemoteProtocolError when the answer is none, or is about another operation.
    """
    if answer.status >= 500:
        raise RemoteProtocolError(f"the network answered {answer.status}")
    fields = json.read_object(answer.body, what="answer")
    if answer.status != 200:
        return Declined(reason("30"), "30", _text(fields, "text", ""))
    if fields.get("operation") != op:
        raise RemoteProtocolError("the answer is about another operation", path=["operation"])
    return read(fields)


def read(fields: dict[str, Any]) -> Outcome:
    """Read the fields that answers and notices share."""
    code = _text(fields, "code")
    reference = _text(fields, "reference", "")
    match fields.get("status"):
        case "approved":
            authorization = _text(fields, "authorization", "")
            return Approved(_amount(fields), reference, authorization, code, _details(fields))
        case "reversed":
            return Unsent("reversed at the network", Cause.REVERSED)
        case "declined":
            return Declined(reason(code), code, _text(fields, "text", ""), reference)
        case "pending":
            return Pending(_text(fields, "text", ""), reference)
        case other:
            raise RemoteProtocolError(f"status {other!r:.40} is not known", path=["status"])


def found(answer: Response, op: OperationId) -> Outcome | Unclear:
    """Read the answer to an inquiry."""
    match answer.status:
        case 404:
            return Unclear.NOT_FOUND
        case 501:
            return Unclear.CANNOT_KNOW
        case 200:
            return outcome(answer, op)
        case status:
            raise RemoteProtocolError(f"the network answered {status} to an inquiry")


def _instrument(instrument: Instrument) -> dict[str, Any]:
    if isinstance(instrument, Token):
        return {"token": instrument.token.reveal()}
    card = {"number": instrument.number.reveal()}
    if instrument.expiry is not None:
        card["expiry"] = instrument.expiry.reveal()
    if instrument.pin is not None:
        card["pin"] = instrument.pin.reveal()
    return {"card": card, "entry": instrument.view.entry}


def _amount(fields: dict[str, Any]) -> Money | None:
    amount = fields.get("amount_minor")
    if amount is None:
        return None
    try:
        return Money.of(amount, _text(fields, "currency"))
    except InvalidMoney as error:
        raise RemoteProtocolError(
            f"an amount that is none: {error}", path=["amount_minor"]
        ) from None


def _details(fields: dict[str, Any]) -> dict[str, str]:
    details = fields.get("details", {})
    if not isinstance(details, dict) or not all(isinstance(v, str) for v in details.values()):
        raise RemoteProtocolError("details are texts", path=["details"])
    return details


def _text(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise RemoteProtocolError(f"{name} is a text", path=[name])
    return value
