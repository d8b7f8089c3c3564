"""Judges a WPI response by the tables of `tests/vectors/wpi/matrix.json`, field by field."""

import json
import re
from pathlib import Path

MATRIX = json.loads((Path(__file__).parents[2] / "vectors/wpi/matrix.json").read_text())
SERVICES = MATRIX["services"]
FINANCIAL = [name for name, service in SERVICES.items() if service["type"] == "FINANCIAL"]
MANAGEMENT = [name for name, service in SERVICES.items() if service["type"] == "MANAGEMENT"]
WITH_RECEIPT = ("WPI_SVC_DAY_END", "WPI_SVC_PAYMENT_PARAMETERIZATION",
                "WPI_SVC_ACQUIRER_PARAMETERIZATION")  # fmt: skip
"""The management services that have a receipt (A-23)."""
TYPES = {"String": str, "Integer": int, "Boolean": bool}
FORMATS = {
    "iso4217-alpha3": re.compile(r"[A-Z]{3}"),
    "iso8601-offset": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"),
    "iso639-1": re.compile(r"[a-z]{2}"),
    "iso3166-1-alpha2": re.compile(r"[A-Z]{2}"),
    "aid-hex": re.compile(r"[0-9A-F]*"),
    "hex": re.compile(r"([0-9A-Fa-f]{2})+"),
}


def wrong(service, request, response, *, card_used=None, config=(), entry="contactless"):
    """List everything in a response that the tables do not allow.

    `config` names active options (tip_active, dcc_active); `entry` is how a recognised card was
    read. A card was used where the service presents one, unless `card_used` says otherwise.
    """
    table = SERVICES[service]["response"]
    success = response.get("result") == "WPI_RESULT_SUCCESS"
    if card_used is None:
        by_reference = request.get("paymentSolutionReference") is not None
        card_used = SERVICES[service]["card_presented"] and not by_reference
    facts = {
        "always": True,
        "success": success,
        "failure": not success,
        "error": response.get("errorCondition") != "WPI_ERR_COND_NONE",
        "card_used": card_used,
        "receipt_requested": request.get("receiptFormat") != [],
        "service_has_receipt": service in WITH_RECEIPT,
        "magstripe": entry == "magstripe",
        "payment_card": entry != "mifare",
        "non_payment_card": entry == "mifare",
    }

    def holds(part):
        kind, _, name = part.partition(".")
        if kind == "request":
            return request.get(name) is not None
        return name in config if kind == "config" else facts[part]

    found = []
    for name, field in table.items():
        due = all(holds(part) for part in field.get("when", "always").split(" and "))
        there = name in response
        # Few cards have a third track.
        if due and not there and name != "isoTrack3":
            found.append(f"{name} is missing ({field.get('requirement')})")
        if there:
            found += _field(name, field, response[name], MATRIX)
            if not due:
                found += _unexpected(name, field, response[name], facts)
            if "equals" in field and response[name] != request.get(name):
                found.append(f"{name} is not the request's")
    found += [f"{name} is not in the table" for name in response if name not in table]
    if success == facts["error"]:
        found.append("SUCCESS goes with NONE, FAILURE with any other (P-125)")
    if not success and not str(response.get("remark", "")).strip():
        found.append("the remark is empty (P-071)")
    return found


def _unexpected(name, field, value, facts):
    match field.get("otherwise"):
        case "allowed":
            return []
        case "allowed_on_failure" if facts["failure"]:
            return []
        case "allowed_if_not_none" if value != "WPI_ACTION_CODE_NONE":
            return []
        case "allowed_if_service_has_receipt" if facts["service_has_receipt"]:
            return []
        case "allowed_if_non_payment_card" if facts["success"] and facts["non_payment_card"]:
            return []
        case _:
            return [f"{name} must not be there ({field.get('requirement')})"]


def _field(name, field, value, matrix):
    found = _typed(name, field["type"], value, matrix)
    pattern = FORMATS.get(field.get("format", ""))
    for text in value if isinstance(value, list) else [value]:
        if pattern is not None and isinstance(text, str) and not pattern.fullmatch(text):
            found.append(f"{name}: {text!r} is not {field['format']}")
    return found


def _typed(name, kind, value, matrix):
    inner = re.fullmatch(r"(\w+)<(\w+)>", kind)
    if inner is None:
        expected = TYPES.get(kind)
        right = expected is None or (type(value) is expected)
        return [] if right else [f"{name}: {value!r} is not {kind}"]
    outer, of = inner.groups()
    if outer == "Array":
        if not isinstance(value, list):
            return [f"{name} is not an array"]
        return [w for n, item in enumerate(value) for w in _one(f"{name}[{n}]", of, item, matrix)]
    return _one(name, of, value, matrix)


def _one(name, of, value, matrix):
    if of in matrix["enums"]:
        return [] if value in matrix["enums"][of] else [f"{name}: {value!r} is not one of {of}"]
    if of in matrix["objects"]:
        return _object(name, of, value, matrix)
    return _typed(name, of, value, matrix)


def _object(name, of, value, matrix):
    if not isinstance(value, dict):
        return [f"{name} is not an object"]
    # Beside the standard's misspelling stands the right spelling.
    fields = matrix["objects"][of] | (
        {"brandIdentifier": {"type": "String", "presence": "optional"}} if of.startswith("Payment")
        else {}
    )  # fmt: skip
    found = [f"{name}.{part} is not a field of {of}" for part in value if part not in fields]
    for part, field in fields.items():
        if part in value:
            found += _typed(f"{name}.{part}", field["type"], value[part], matrix)
        elif field["presence"] == "mandatory":
            found.append(f"{name}.{part} is missing")
    return found
