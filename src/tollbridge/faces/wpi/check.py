"""Checks a request in the order the standard's readers agreed on (P-150).

extras, version, service type, then (in the face) session, initialization and busy, then JSON,
mandatory fields, types, currency, amount, receipt delegation. One faulty request has one answer,
and its remark names the field, the rule and the section.
"""

import re
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.wpi.messages import Call, Extras
from tollbridge.faces.wpi.profile import AMOUNT_DIGITS_MAX, Profile
from tollbridge.faces.wpi.tables import (
    FORMATTED,
    IMPLEMENTED,
    INTENTS,
    OBJECTS,
    SERVICES,
    Condition,
    Field,
    Kind,
    Service,
)
from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.wire import json

SESSION_LETTERS_MAX = 255
TEXT_LETTERS_MAX = 1000
ITEMS_MAX = 200
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})", re.ASCII)


class Refused(Exception):
    """The request is answered with a failure; `remark` is for the integrator."""

    def __init__(self, condition: Condition, remark: str) -> None:
        super().__init__(remark)
        self.condition = condition
        self.remark = remark


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request: its fields, and what follows from them."""

    fields: dict[str, Any]
    money: Money | None
    receipt_formats: tuple[str, ...]


def call(message: Extras, profile: Profile) -> Call:
    """Check the extras. Raises Refused."""
    extras = message.extras
    for name in ("WPI_SERVICE_TYPE", "WPI_VERSION", "WPI_SESSION_ID"):
        if extras.get(name) in (None, ""):
            raise Refused(
                Condition.MISSING_MANDATORY_PARAMETER,
                f"extra {name} is missing (section 2, Extras)",
            )
    if not isinstance(extras["WPI_VERSION"], str):
        raise _version_refused("an Integer is WPI 1.x")
    for name in ("WPI_SERVICE_TYPE", "WPI_SESSION_ID", "WPI_REQUEST"):
        if not isinstance(extras.get(name, ""), str | None):
            raise Refused(
                Condition.INVALID_TRANSACTION_REQ, f"extra {name} is a String (section 2, Extras)"
            )
    session = extras["WPI_SESSION_ID"]
    if len(session) > SESSION_LETTERS_MAX:
        raise Refused(
            Condition.INVALID_TRANSACTION_REQ,
            f"extra WPI_SESSION_ID has more than {SESSION_LETTERS_MAX} letters",
        )
    _check_version(extras["WPI_VERSION"])
    service = _service(extras["WPI_SERVICE_TYPE"], message.intent, profile)
    request = extras.get("WPI_REQUEST") or ""
    if service.kind is Kind.FINANCIAL and "WPI_REQUEST" not in extras:
        raise Refused(
            Condition.MISSING_MANDATORY_PARAMETER,
            "extra WPI_REQUEST is missing (section 2: mandatory for financial services)",
        )
    return Call(service, message.package, session, extras["WPI_VERSION"], request)


def wanted(call: Call, profile: Profile) -> Wanted:
    """Check the request of a financial service. Raises Refused."""
    fields = _object(call.request)
    service = call.service
    _check_fields(service, fields, profile)
    money = None
    if "requestedAmount" in fields and "requestedAmount" in service.request:
        money = _money(fields["currency"], fields["requestedAmount"], profile)
    if fields.get("receiptDelegation") is True and not profile.prints_receipts:
        raise Refused(
            Condition.RECEIPT_DELEGATION_NOT_SUPPORTED,
            "receiptDelegation: this terminal has neither a printer nor a digital delivery (4.1.1)",
        )
    formats = fields.get("receiptFormat", [FORMATTED])
    return Wanted(fields, money, tuple(dict.fromkeys(formats)))


def echoes(request: str) -> tuple[str | None, list[Any] | None]:
    """Give what a refusal repeats of a request, as far as it can be read: reference and
    productRecords (4.1.2)."""
    try:
        fields = _object(request)
    except Refused:
        return None, None
    reference, records = fields.get("reference"), fields.get("productRecords")
    try:
        _check_field("reference", _TOLERATED["reference"], reference)
    except Refused:
        reference = None
    try:
        _check_field("productRecords", _TOLERATED["productRecords"], records)
    except Refused:
        records = None
    return reference, records


def _check_version(version: str) -> None:
    """Accept the same major and at most our minor version (3, Versioning)."""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise _version_refused("a version is written as Y.X")
    major, minor = (int(part) for part in IMPLEMENTED.split("."))
    if int(match[1]) != major or int(match[2]) > minor:
        raise _version_refused(f"version {version} is another")


def _version_refused(why: str) -> Refused:
    return Refused(
        Condition.WPI_VERSION_NOT_SUPPORTED,
        f"extra WPI_VERSION: {why}; supported: {IMPLEMENTED} (section 3, Versioning)",
    )


def _service(name: str, intent: str, profile: Profile) -> Service:
    service = SERVICES.get(name)
    if intent not in INTENTS:
        raise Refused(
            Condition.SERVICE_NOT_SUPPORTED,
            f"intent {intent!r:.80} is not one of {', '.join(INTENTS)} (section 2)",
        )
    if service is None or not service.offered:
        raise Refused(
            Condition.SERVICE_NOT_SUPPORTED,
            f"service type {name!r:.80} is not offered by this payment solution (section 2)",
        )
    if profile.strict and INTENTS[intent] is not service.kind:
        raise Refused(
            Condition.SERVICE_NOT_SUPPORTED,
            f"{name} belongs to intent {service.kind.intent} (section 2)",
        )
    return service


def _object(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        return json.read_object(text, what="WPI_REQUEST")
    except RemoteProtocolError as error:
        raise Refused(Condition.INVALID_TRANSACTION_REQ, f"{error} (4.1.1)") from None


def _check_fields(service: Service, fields: dict[str, Any], profile: Profile) -> None:
    for name, field in service.request.items():
        if field.mandatory and fields.get(name) is None:
            raise Refused(
                Condition.MISSING_MANDATORY_PARAMETER,
                f"{name} is mandatory for {service.name} ({service.section})",
            )
    for name in list(fields):
        known = service.request.get(name) or _TOLERATED.get(name)
        if known is None:
            if profile.strict:
                raise _invalid(name, f"is not a field of {service.name} ({service.section})")
            continue
        if fields[name] is None:
            del fields[name]
            continue
        if name == "receiptFormat" and isinstance(fields[name], str) and not profile.strict:
            fields[name] = [fields[name]]
        _check_field(name, field=known, value=fields[name])


# A refund may name its payment (real business applications do, A-27); a product record that is
# sent where it does not belong is still echoed, so it is checked.
_TOLERATED = {
    "paymentSolutionReference": Field("String"),
    "productRecords": Field("Array", of="ProductRecordItem"),
    "reference": Field("String"),
}


def _check_field(name: str, field: Field, value: object) -> None:
    match field.type, value:
        case "Boolean", bool():
            return
        case "Integer", int() if not isinstance(value, bool):
            return
        case "String", str():
            if len(value) > TEXT_LETTERS_MAX:
                raise _invalid(name, f"has more than {TEXT_LETTERS_MAX} letters")
        case "Array", list():
            if len(value) > ITEMS_MAX:
                raise _invalid(name, f"has more than {ITEMS_MAX} items")
            for place, item in enumerate(value):
                _check_item(f"{name}[{place}]", field.of, item)
        case _:
            raise _invalid(name, f"is of type {field.type} (4.1.1)")


def _check_item(name: str, of: str | tuple[str, ...], item: object) -> None:
    if isinstance(of, tuple):
        if item not in of:
            raise _invalid(name, f"is one of {', '.join(of)} (4.1.1)")
        return
    if not isinstance(item, dict):
        raise _invalid(name, f"is a {of} (4.1.1.1)")
    for part, field in OBJECTS[of].items():
        if item.get(part) is None:
            raise _invalid(f"{name}.{part}", "is missing (4.1.1.1)")
        _check_field(f"{name}.{part}", field, item[part])


def _invalid(name: str, rule: str) -> Refused:
    return Refused(Condition.INVALID_TRANSACTION_REQ, f"{name} {rule}")


def _money(code: str, amount_minor: int, profile: Profile) -> Money:
    if code not in CURRENCIES:
        raise Refused(
            Condition.INVALID_CURRENCY, f"currency {code!r:.20} is not an ISO 4217 alpha code"
        )
    if code not in profile.currencies:
        raise Refused(
            Condition.INVALID_CURRENCY,
            f"currency {code} is not one of this terminal's: {', '.join(profile.currencies)}",
        )
    if amount_minor <= 0:
        raise Refused(Condition.INVALID_AMOUNT, "requestedAmount is above zero")
    if amount_minor > profile.amount_max_minor or len(str(amount_minor)) > AMOUNT_DIGITS_MAX:
        raise Refused(
            Condition.INVALID_AMOUNT,
            f"requestedAmount is above the terminal's limit of {profile.amount_max_minor}",
        )
    return Money.of(amount_minor, code)
