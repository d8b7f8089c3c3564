"""Receipts (4.1.2.5): preformatted text and data, a merchant and a client copy each."""

from dataclasses import dataclass
from typing import Any

from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved
from tollbridge.faces.wpi.profile import Profile
from tollbridge.faces.wpi.tables import ENTRY_MODES, FORMATTED, JSON_FORMAT
from tollbridge.ground.money import Money

_TYPES = {
    "WPI_SVC_PAYMENT": "Sale",
    "WPI_SVC_CANCEL_PAYMENT": "Reversal",
    "WPI_SVC_REFUND": "Refund",
}
_ENTRIES = {
    "chip": "Chip",
    "contactless": "Contactless",
    "magstripe": "Swiped",
    "qr": "QR",
    "online": "Keyed",
}
_DECIMAL_COMMA = frozenset({"de", "fr", "nl", "it", "es", "pl", "cs", "da", "fi", "sv", "pt"})


@dataclass(frozen=True, slots=True)
class Printed:
    """What a receipt says beside the operation itself."""

    service: str
    reference: str
    merchant_reference: str
    product_records: list[Any] | None
    card_used: bool


def receipt(
    formats: tuple[str, ...], profile: Profile, operation: Operation, printed: Printed
) -> dict[str, Any] | None:
    """Make the receipt field in the formats asked for; None when none is."""
    made: dict[str, Any] = {}
    if FORMATTED in formats:
        lines = _lines(profile, operation, printed)
        made["formatted"] = {
            "merchant": _text([*lines, "", "Merchant copy"], profile.receipt_width),
            "client": _text([*lines, "", "Cardholder copy"], profile.receipt_width),
        }
    if JSON_FORMAT in formats:
        made["json"] = _json(profile, operation, printed)
    return made or None


def _lines(profile: Profile, operation: Operation, printed: Printed) -> list[str]:
    width, shop = profile.receipt_width, profile.shop
    rule = "-" * width
    when = profile.local_time(operation.request.at)
    lines = ["This is to confirm", "your transaction registered at:"]
    lines = [line.center(width).rstrip() for line in lines]
    lines.append(rule)
    for line in (shop.name, shop.address, f"{shop.zip_code} {shop.city}"):
        lines.append(line.strip().center(width).rstrip())
    lines.append(rule)
    lines.append(when.strftime("%d.%m.%Y %H:%M"))
    amount = _counted(operation)
    if amount is not None:
        lines.append(_amount(amount, profile.merchant_language))
    view = operation.view
    if view is not None and view.masked_number:
        lines.append(f"{view.brand} **** **** **** {view.masked_number[-4:]}")
    lines.append("Transaction details:".center(width).rstrip())
    pairs = [("Status:", _status(operation))]
    if isinstance(operation.outcome, Approved):
        pairs.append(("Authorization code:", operation.outcome.authorization_code))
    if view is not None and printed.card_used:
        kind, _, cryptogram = operation.request.details.get("cryptogram", "").partition(" ")
        pairs += [(f"{kind}:", cryptogram)] if cryptogram else []
        pairs.append(("AID:", view.application_id))
    lines += [_pair(name, value, width) for name, value in pairs if value]
    if view is not None and printed.card_used:
        lines.append(_ENTRIES.get(view.entry, view.entry))
    lines.append(_pair("Type:", _TYPES.get(printed.service, printed.service), width))
    lines.append(_pair("POS ID:", profile.acquirers[0].terminal_id, width))
    lines.append(_pair("MID:", profile.merchant, width))
    if view is not None and printed.card_used:
        lines.append(view.application_label)
    if printed.merchant_reference:
        lines.append(_pair("Reference:", printed.merchant_reference, width))
    lines.append(_pair("Payment reference:", printed.reference, width))
    return lines


def _json(profile: Profile, operation: Operation, printed: Printed) -> dict[str, Any]:
    view = operation.view
    data: dict[str, Any] = {
        "duplicate": False,
        "shopInfo": shop_info(profile),
        "terminalIdentifier": profile.terminal_id,
        "transactionIdentifier": operation.id,
        "serviceName": _TYPES.get(printed.service, printed.service),
        "timestamp": timestamp(profile, operation),
        "acquirerIdentifier": profile.acquirers[0].id,
        "paymentSolutionReference": printed.reference,
        "acquirerReceiptText": _status(operation),
    }
    amount = _counted(operation)
    if amount is not None:
        data["currency"] = amount.currency.code
        data["amount"] = amount.amount_minor
    if view is not None:
        data["brandName"] = view.brand
        data["maskedPan"] = data["pan"] = "*" * 12 + view.masked_number[-4:]
        if printed.card_used:
            data["applicationIdentifier"] = view.application_id
            data["entryMode"] = ENTRY_MODES.get(view.entry, view.entry)
            data["cardDataInput"] = _ENTRIES.get(view.entry, view.entry)
    if isinstance(operation.outcome, Approved):
        data["authorizationCode"] = operation.outcome.authorization_code
        data["legalIdentificationRequired"] = (
            operation.outcome.details.get("action") == "identification"
        )
    if printed.merchant_reference:
        data["reference"] = printed.merchant_reference
    if printed.product_records:
        data["productRecords"] = printed.product_records
    names = [name for name in data if name != "duplicate"]
    return {"receiptTargets": {"merchant": names, "client": names}, **data}


def timestamp(profile: Profile, operation: Operation) -> str:
    """Write the time the acquirer was told: extended ISO 8601 with a numeric offset (4.1.2)."""
    return profile.local_time(operation.request.at).isoformat(timespec="seconds")


def shop_info(profile: Profile) -> dict[str, str]:
    """Give the ShopInfo object (4.1.2.1)."""
    shop = profile.shop
    return {
        "name": shop.name,
        "address": shop.address,
        "zipCode": shop.zip_code,
        "city": shop.city,
        "country": shop.country,
    }


def _counted(operation: Operation) -> Money | None:
    return operation.approved_amount or operation.amount


def _status(operation: Operation) -> str:
    return "AUTHORIZED" if isinstance(operation.outcome, Approved) else "DECLINED"


def _amount(amount: Money, language: str) -> str:
    text = amount.decimal()
    if language in _DECIMAL_COMMA:
        text = text.replace(".", ",")
    return f"{text} {amount.currency.code}"


def _pair(name: str, value: str, width: int) -> str:
    room = width - len(name) - 1
    return f"{name} {value[:room].rjust(room)}" if room > 0 else name[:width]


def _text(lines: list[str], width: int) -> str:
    return "\n".join(line[:width] for line in lines)
