"""Checks a request in the order the standard's readers agreed on (P-150).

extras, version, service type, then (in the face) session, initialization and busy, then JSON,
mandatory fields, types, currency, amount, receipt delegation. One faulty request has one answer,
and its remark names the field, the rule and the section.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.wpi.messages import Call, Extras
from tollbridge.faces.wpi.profile import AMOUNT_DIGITS_MAX, Profile
from tollbridge.faces.wpi.state import Refused
from tollbridge.faces.wpi.tables import (
    FOLLOWING,
    FORMATTED,
    INTENTS,
    OBJECTS,
    RECEIPT_TARGETS,
    SERVICES,
    Condition,
    Field,
    Kind,
    Road,
    Service,
)
from tollbridge.faces.wpi.versions import SUPPORTED, edition
from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.wire import json

SESSION_LETTERS_MAX = 255
TEXT_LETTERS_MAX = 1000
ITEMS_MAX = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request: its fields, and what follows from them.

    `ignored` are fields that the service does not have.
    """

    fields: dict[str, Any]
    money: Money | None
    receipt_formats: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def call(message: Extras, profile: Profile) -> Call:
    """Check the extras. Raises Refused."""
    extras = message.extras
    for name in ("WPI_SERVICE_TYPE", "WPI_VERSION", "WPI_SESSION_ID"):
        if extras.get(name) in (None, ""):
            raise Refused(
                Condition.MISSING_MANDATORY_PARAMETER,
                f"extra {name} is missing (section 2, Extras)",
            )
    for name in ("WPI_SERVICE_TYPE", "WPI_SESSION_ID", "WPI_REQUEST"):
        if not isinstance(extras.get(name, ""), str | None):
            raise Refused(
                Condition.INVALID_TRANSACTION_REQ, f"extra {name} is a String (section 2, Extras)"
            )
    known = SERVICES.get(extras["WPI_SERVICE_TYPE"])
    if known is not None and known.kind is Kind.FINANCIAL and extras.get("WPI_REQUEST") is None:
        raise Refused(
            Condition.MISSING_MANDATORY_PARAMETER,
            "extra WPI_REQUEST is missing (section 2: mandatory for financial services)",
        )
    if not isinstance(extras["WPI_VERSION"], str):
        raise _version_refused("an Integer is WPI 1.x")
    session = extras["WPI_SESSION_ID"]
    if len(session) > SESSION_LETTERS_MAX:
        raise Refused(
            Condition.INVALID_TRANSACTION_REQ,
            f"extra WPI_SESSION_ID has more than {SESSION_LETTERS_MAX} letters",
        )
    service = _service(extras["WPI_SERVICE_TYPE"], extras["WPI_VERSION"], message.intent, profile)
    request = extras.get("WPI_REQUEST") or ""
    return Call(service, message.package, session, extras["WPI_VERSION"], request)


def wanted(call: Call, profile: Profile) -> Wanted:
    """Check the request of a service. Raises Refused."""
    fields = _object(call.request)
    service = call.service
    _check_presence(service, fields)
    ignored = _check_types(service, fields, profile)
    if service.road is Road.RECOGNITION:
        _check_recognition(fields)
    if "receiptTarget" in service.request and fields["receiptTarget"] not in RECEIPT_TARGETS:
        raise _invalid("receiptTarget", f"is one of {', '.join(RECEIPT_TARGETS)} (4.1.1.4)")
    money = None
    if "requestedAmount" in fields and "requestedAmount" in service.request:
        least = 0 if service.zero_releases else 1
        money = _money(fields["currency"], fields["requestedAmount"], profile, least)
    delegated = "receiptDelegation" in service.request and fields.get("receiptDelegation")
    if delegated and not profile.prints_receipts:
        raise Refused(
            Condition.RECEIPT_DELEGATION_NOT_SUPPORTED,
            "receiptDelegation: this terminal has neither a printer nor a digital delivery (4.1.1)",
        )
    formats = fields.get("receiptFormat", [FORMATTED]) if service.receipt else []
    return Wanted(fields, money, tuple(dict.fromkeys(formats)), ignored)


def _check_recognition(fields: dict[str, Any]) -> None:
    """What shall follow is done with a card; the card waits a while (4.2.8)."""
    if fields.get("serviceType", FOLLOWING[0]) not in FOLLOWING:
        raise _invalid("serviceType", f"is one of {', '.join(FOLLOWING)} (4.2.8)")
    if fields["recognitionTimeout"] <= 0:
        raise _invalid("recognitionTimeout", "is above zero, in milliseconds (4.1.1)")


def echoes(request: str) -> dict[str, Any]:
    """Give what every response repeats of a request (4.1.2), as far as it can be read."""
    try:
        fields = _object(request)
    except Refused:
        return {}
    echoed = {}
    for name in ("productRecords", "reference"):
        if fields.get(name) is not None:
            with suppress(Refused):
                _check_field(name, _TOLERATED[name], fields[name])
                echoed[name] = fields[name]
    return echoed


def _version_refused(why: str) -> Refused:
    return Refused(
        Condition.WPI_VERSION_NOT_SUPPORTED,
        f"extra WPI_VERSION: {why}; supported: {SUPPORTED} (section 3, Versioning)",
    )


def _service(name: str, version: str, intent: str, profile: Profile) -> Service:
    """Find a service in the edition of the request's version. `intent` is "" for the Messenger."""
    spoken = edition(version)
    if spoken is None:
        raise _version_refused(f"{version!r:.20} is not served")
    service = spoken.services.get(name)
    if intent and intent not in INTENTS:
        raise Refused(
            Condition.SERVICE_NOT_SUPPORTED,
            f"intent {intent!r:.80} is not one of {', '.join(INTENTS)} (section 2)",
        )
    if service is None or not (service.kind is Kind.INFORMATION or profile.offers(service)):
        raise Refused(
            Condition.SERVICE_NOT_SUPPORTED,
            f"service type {name!r:.80} is not offered by this payment solution (section 2)",
        )
    kind = INTENTS[intent] if intent else Kind.INFORMATION
    if profile.strict and kind is not service.kind:
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


def _check_presence(service: Service, fields: dict[str, Any]) -> None:
    """See that the mandatory fields are there. Raises Refused."""
    for name, field in service.request.items():
        if field.mandatory and fields.get(name) is None:
            raise Refused(
                Condition.MISSING_MANDATORY_PARAMETER,
                f"{name} is mandatory for {service.name} ({service.section})",
            )
    if service.road is Road.RECOGNITION:
        # What shall follow is said in full or not at all.
        missing = [name for name in _WHAT_FOLLOWS if fields.get(name) is None]
        if missing and len(missing) < len(_WHAT_FOLLOWS):
            raise Refused(
                Condition.MISSING_MANDATORY_PARAMETER,
                f"{missing[0]} is mandatory where a transaction shall follow (4.2.8)",
            )


_WHAT_FOLLOWS = ("currency", "requestedAmount", "serviceType")


def _check_types(service: Service, fields: dict[str, Any], profile: Profile) -> tuple[str, ...]:
    """Check types; drop what is null, and give the fields that mean nothing here."""
    ignored = []
    for name in list(fields):
        known = service.request.get(name) or _TOLERATED.get(name)
        if known is None:
            if profile.strict:
                raise _invalid(name, f"is not a field of {service.name} ({service.section})")
            ignored.append(name)
            continue
        if fields[name] is None:
            del fields[name]
            continue
        if name == "receiptFormat" and isinstance(fields[name], str) and not profile.strict:
            fields[name] = [fields[name]]
        _check_field(name, field=known, value=fields[name])
    return tuple(ignored)


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


def _money(code: str, amount_minor: int, profile: Profile, least: int) -> Money:
    if code not in CURRENCIES:
        raise Refused(
            Condition.INVALID_CURRENCY, f"currency {code!r:.20} is not an ISO 4217 alpha code"
        )
    if code not in profile.currencies:
        raise Refused(
            Condition.INVALID_CURRENCY,
            f"currency {code} is not one of this terminal's: {', '.join(profile.currencies)}",
        )
    if amount_minor < least:
        raise Refused(Condition.INVALID_AMOUNT, f"requestedAmount is at least {least}")
    if amount_minor > profile.amount_max_minor or len(str(amount_minor)) > AMOUNT_DIGITS_MAX:
        raise Refused(
            Condition.INVALID_AMOUNT,
            f"requestedAmount is above the terminal's limit of {profile.amount_max_minor}",
        )
    return Money.of(amount_minor, code)
