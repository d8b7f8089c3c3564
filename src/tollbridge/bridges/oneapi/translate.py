"""Our words to the JSON of the OneAPI Payment API and back. Pure both ways."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from tollbridge.bridges import reading
from tollbridge.bridges.oneapi.codes import (
    CHARGED,
    PROCESSING,
    REFUNDED,
    REFUSING,
    RELEASED,
    RESERVED,
    reason,
)
from tollbridge.bridges.reading import inner, text
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Declined, Outcome, Pending, Unclear
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Request, Response

AMOUNT, RESERVATION = "amountTransaction", "amountReservationTransaction"
WORDS = {
    Verb.PURCHASE: CHARGED,
    Verb.AUTHORIZE: RESERVED,
    Verb.INCREMENT: RESERVED,
    Verb.CAPTURE: CHARGED,
    Verb.REFUND: REFUNDED,
}


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant at a carrier: where its API is (without a slash at the end), the credential, and
    what stands beside charges on the bills of subscribers."""

    endpoint: str
    username: str
    password: Secret[str]
    on_behalf_of: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What an operation is at the carrier: the state it wants, of what, and after what.

    `reservation` names the reservation it continues, `charge` the charge that is given back.
    """

    word: str
    kind: str = AMOUNT
    reservation: str = ""
    charge: str = ""


def step(op: Operation, payment: Payment) -> Step | None:
    """Say what an operation is at the carrier; None for what a carrier does not do.

    A charge that is undone is given back: both stand on the subscriber's bill.
    """
    match op.verb:
        case Verb.PURCHASE:
            return Step(CHARGED)
        case Verb.AUTHORIZE:
            return Step(RESERVED, RESERVATION)
        case Verb.INCREMENT | Verb.CAPTURE:
            return Step(WORDS[op.verb], RESERVATION, _reference(payment.opening))
        case Verb.REFUND:
            taken = (Verb.PURCHASE, Verb.CAPTURE)
            charged = next(each for each in payment.operations if each.verb in taken
                           and payment.counts(each))  # fmt: skip
            return Step(REFUNDED, charge=_reference(charged))
    target = payment.operation(op.target or 0)
    match target.verb if target else None:
        case Verb.AUTHORIZE:
            return Step(RELEASED, RESERVATION, _reference(payment.opening))
        case Verb.PURCHASE | Verb.CAPTURE:
            assert target is not None
            return Step(REFUNDED, charge=_reference(target))
    return None


def order(account: Account, op: Operation, subscriber: str, wanted: Step) -> Request:
    """Write the request that makes a step."""
    assert op.tender is not None
    fields: dict[str, Any] = {
        "clientCorrelator": op.id,
        "endUserId": subscriber,
        "referenceCode": op.payment,
        "transactionOperationStatus": wanted.word,
    }
    if wanted.kind == RESERVATION:
        fields["referenceSequence"] = op.ordinal
    if wanted.charge:
        fields["originalServerReferenceCode"] = wanted.charge
    if wanted.word != RELEASED:
        said = op.request.details.get("description") or op.request.reference or op.payment
        meta = {"onBehalfOf": account.on_behalf_of, "purchaseCategoryCode": account.category}
        fields["paymentAmount"] = {
            "chargingInformation": {
                "amount": op.tender.decimal(),
                "currency": op.tender.currency.code,
                "description": said,
            },
            "chargingMetaData": {name: value for name, value in meta.items() if value},
        }
    headers = Headers([*_credential(account), ("content-type", "application/json")])
    url = _address(account, subscriber, wanted)
    return Request("POST", url, headers, json.write({wanted.kind: fields}), moves_money=True)


def inquiry(account: Account, subscriber: str, wanted: Step) -> Request:
    """Write the question for a reservation, or for all that was charged or reserved."""
    return Request("GET", _address(account, subscriber, wanted), Headers(_credential(account)))


def done(answer: Response, op: Operation, wanted: Step) -> Outcome:
    """Read what became of a step. Raises RemoteProtocolError where the answer decides nothing."""
    fields = reading.answered(answer)
    if 400 <= answer.status < 500:
        return _refused(answer, fields)
    found = inner(fields, wanted.kind)
    if not _is_about(found, op, wanted):
        raise RemoteProtocolError("the answer is about another operation", path=[wanted.kind])
    return _outcome(found, op, wanted)


def found(answer: Response, op: Operation, wanted: Step) -> Outcome | Unclear:
    """Read the answer to an inquiry. Raises RemoteProtocolError where it is none."""
    fields = reading.answered(answer)
    if answer.status == 404:
        return Unclear.NOT_FOUND
    if answer.status != 200:
        raise RemoteProtocolError(f"the carrier answered {answer.status} to an inquiry")
    if wanted.reservation:
        known = inner(fields, wanted.kind)
        if text(known, "referenceCode") != op.payment:
            raise RemoteProtocolError("the answer is about another reservation")
        return _outcome(known, op, wanted) if _sequence(known) == op.ordinal else Unclear.NOT_FOUND
    listed = inner(fields, "paymentTransactionList")
    if wanted.kind not in listed:
        raise RemoteProtocolError("the answer lists no transactions", path=[wanted.kind])
    for each in reading.listed(listed, wanted.kind):
        if text(each, "clientCorrelator") == op.id:
            return _outcome(each, op, wanted)
    return Unclear.NOT_FOUND


def _is_about(fields: dict[str, Any], op: Operation, wanted: Step) -> bool:
    """Say whether a transaction is an operation's; a reservation is named by its reference, and
    what is done to it by a number that grows."""
    if text(fields, "referenceCode") != op.payment:
        return False
    if wanted.kind == RESERVATION:
        return _sequence(fields) == op.ordinal
    return text(fields, "clientCorrelator") == op.id


def _outcome(fields: dict[str, Any], op: Operation, wanted: Step) -> Outcome:
    word, code = text(fields, "transactionOperationStatus"), text(fields, "serverReferenceCode")
    if word == PROCESSING:
        return Pending("the carrier is processing it", code)
    if word in REFUSING:
        return Declined(reason(word), word, "", code)
    if word != wanted.word:
        raise RemoteProtocolError(f"{wanted.word} was asked for, {word!r:.20} is told")
    reference = code
    if op.verb is Verb.AUTHORIZE:
        reference = unquote(text(fields, "resourceURL").rstrip("/").rpartition("/")[2])
    if not reference:
        raise RemoteProtocolError("a transaction has a reference", path=["serverReferenceCode"])
    if word == RELEASED:
        return Approved(op.tender, reference, provider_code=word)
    charging = inner(fields, "paymentAmount", "chargingInformation")
    amount = reading.money(charging.get("amount"), text(charging, "currency"))
    return Approved(amount, reference, provider_code=word)


def _refused(answer: Response, fields: dict[str, Any]) -> Declined:
    """Read an exception of the API: the caller's mistakes and the carrier's rules prove that
    nothing was charged."""
    error = inner(fields, "requestError")
    for kind in ("policyException", "serviceException"):
        code = text(inner(error, kind), "messageId")
        if code:
            said = scrub(text(inner(error, kind), "text"))
            return Declined(reason(code), code[:40], said[:200])
    raise RemoteProtocolError(f"the carrier answered {answer.status}")


def _sequence(fields: dict[str, Any]) -> int:
    given = fields.get("referenceSequence")
    if isinstance(given, str) and given.isascii() and given.isdecimal():
        return int(given[:9])
    return given if type(given) is int else 0


def _address(account: Account, subscriber: str, wanted: Step) -> str:
    what = "amountReservation" if wanted.kind == RESERVATION else "amount"
    url = f"{account.endpoint}/payment/{quote(subscriber, safe='')}/transactions/{what}"
    return f"{url}/{quote(wanted.reservation, safe='')}" if wanted.reservation else url


def _credential(account: Account) -> list[tuple[str, str]]:
    shown = b64encode(f"{account.username}:{account.password.reveal()}".encode()).decode()
    return [("authorization", f"Basic {shown}"), ("accept", "application/json")]


def _reference(op: Operation) -> str:
    assert isinstance(op.outcome, Approved), "only what was approved is continued"
    return op.outcome.reference
