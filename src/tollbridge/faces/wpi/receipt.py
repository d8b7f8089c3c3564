"""Receipts (4.1.2.5): a slip as preformatted text and as data, a merchant and a client copy each.

No line is longer than the terminal's paper; what does not fit goes on in the next line.
"""

from functools import lru_cache
from typing import Any

from tollbridge.core.operation import Operation
from tollbridge.faces.wpi.profile import Profile, Shop
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.tables import ENTRY_MODES, FORMATTED, JSON_FORMAT
from tollbridge.faces.wpi.words import LANGUAGES, Words, words
from tollbridge.ground.currency import currency
from tollbridge.ground.money import Money

MERCHANT, CLIENT = "merchant", "client"

# Codes whose meaning nobody reads on paper: picked up, lost and stolen cards, fraud.
HIDDEN = frozenset({"04", "07", "34", "41", "43", "59", "63"})

# Languages without words of their own may still write numbers their way.
_NUMBERS = {"pl": (",", " ")}

_SIGNING_LINES = 2


def copies(slip: Slip) -> tuple[str, ...]:
    """Give the copies a slip has: a day-end and a configuration have none for a cardholder."""
    return (MERCHANT, CLIENT) if slip.kind == "transaction" else (MERCHANT,)


def receipt(
    formats: tuple[str, ...], profile: Profile, slip: Slip, *, duplicate: bool = False
) -> dict[str, Any] | None:
    """Make the receipt field in the formats asked for; None when none is.

    A copy that a slip does not have is an empty text.
    """
    made: dict[str, Any] = {}
    if FORMATTED in formats:
        made["formatted"] = _both(profile, slip, duplicate=duplicate)
    if JSON_FORMAT in formats:
        made["json"] = _json(profile, slip, duplicate=duplicate)
    return made or None


def text(profile: Profile, slip: Slip, copy: str, *, duplicate: bool = False) -> str:
    """Write one copy, "merchant" or "client", in the language of whom it is for.

    "" where the slip has no such copy.
    """
    if copy not in copies(slip):
        return ""
    width, language = profile.receipt_width, _language(profile, slip, copy)
    head = _head(profile.shop, width, language, duplicate, slip.kind == "transaction")
    if slip.kind == "transaction":
        return head + _transaction(profile, slip, language) + _foot(profile, slip, copy, language)
    return head + _management(profile, slip, language)


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


def amount_text(money: Money, language: str) -> str:
    """Write an amount as a language does, for example "1.234,50 EUR" in German."""
    return _amount(money.amount_minor, money.currency.code, language)


def timestamp(profile: Profile, operation: Operation) -> str:
    """Write the time the acquirer was told: extended ISO 8601 with a numeric offset (4.1.2)."""
    return profile.local_time(operation.request.at).isoformat(timespec="seconds")


# The text


def _both(profile: Profile, slip: Slip, *, duplicate: bool) -> dict[str, str]:
    """Write both copies; what they have in common once."""
    merchant, client = (_language(profile, slip, copy) for copy in (MERCHANT, CLIENT))
    if slip.kind != "transaction" or merchant != client:
        return {copy: text(profile, slip, copy, duplicate=duplicate) for copy in (MERCHANT, CLIENT)}
    head = _head(profile.shop, profile.receipt_width, merchant, duplicate, True)
    body = head + _transaction(profile, slip, merchant)
    return {copy: body + _foot(profile, slip, copy, merchant) for copy in (MERCHANT, CLIENT)}


def _language(profile: Profile, slip: Slip, copy: str) -> str:
    """Say which language a copy is in: the cardholder's if there are words, else the terminal's."""
    if copy == MERCHANT:
        return profile.merchant_language
    return slip.language if slip.language[:2] in LANGUAGES else profile.languages[0]


@lru_cache(maxsize=256)
def _head(shop: Shop, width: int, language: str, duplicate: bool, confirms: bool) -> str:  # noqa: FBT001 - a key
    """Write what stands above everything: the same for every receipt of a shop."""
    said = words(language)
    lines = _centred(f"*** {said.duplicate} ***", width) if duplicate else []
    lines += [*_centred(said.confirmation, width), _rule(width)] if confirms else []
    for line in (shop.name, shop.address, f"{shop.zip_code} {shop.city}"):
        lines += _centred(line, width)
    return "\n".join([*lines, _rule(width)]) + "\n"


@lru_cache(maxsize=256)
def _title(line: str, width: int) -> str:
    return "\n".join(_centred(line, width))


def _transaction(profile: Profile, slip: Slip, language: str) -> str:
    """Write what both copies of a transaction say."""
    said, width = words(language), profile.receipt_width
    lines = [_when(slip.at, said)]
    if slip.amount_minor is not None:
        lines += _amounts(slip, said, language, width)
    if slip.brand or slip.masked_number:
        lines += _fitted(f"{slip.brand} {_groups(slip.masked_number)}".strip(), width)
    if slip.dcc is not None:
        lines += _conversion(profile, slip, said, language)
    lines.append(_title(said.details, width))
    lines.append(_pair(said.status, _status(slip, said), width))
    if slip.authorization_code:
        lines.append(_pair(said.authorization_code, slip.authorization_code, width))
    if slip.card_read:
        lines += _card(slip, said, width)
    lines.append(_pair(said.type, said.types.get(slip.service, slip.service), width))
    lines.append(_pair(said.pos, profile.acquirer_of(slip.brand).terminal_id, width))
    lines.append(_pair(said.merchant, profile.merchant, width))
    if slip.card_read and slip.application_label:
        lines.append(_line(slip.application_label, width))
    if slip.merchant_reference:
        lines.append(_pair(said.reference, slip.merchant_reference, width))
    lines += _referred(slip, said, width)
    if slip.approved:
        lines += [_line(_verified(slip, said), width)] if _verifies(slip) else []
        lines += [_line(said.offline, width)] if slip.offline else []
    return "\n".join(lines) + "\n"


def _card(slip: Slip, said: Words, width: int) -> list[str]:
    """Write what the card said, and how it was read."""
    lines = []
    if slip.cryptogram:
        kind, _, value = slip.cryptogram.partition(" ")
        lines.append(_pair(f"{kind}:", value, width))
    if slip.application_id:
        lines.append(_pair(said.application, slip.application_id, width))
    if slip.sequence:
        lines.append(_pair(said.sequence, slip.sequence, width))
    if slip.entry:
        lines.append(_line(said.entries.get(slip.entry, slip.entry), width))
    return lines


def _foot(profile: Profile, slip: Slip, copy: str, language: str) -> str:
    """Write what one copy says alone, down to its name."""
    said, width, lines = words(language), profile.receipt_width, []
    if not slip.approved:
        if reason := _reason(slip, said, copy):
            lines.append(_pair(said.reason, reason, width))
        if copy == MERCHANT and slip.code:
            lines.append(_pair(said.code, slip.code, width))
    elif copy == MERCHANT:
        rule = "_" * width
        if slip.identification:
            lines += ["", _line(said.identification, width), "", rule]
        if _signs(profile, slip):
            lines += ["", _line(said.signature, width), *[""] * _SIGNING_LINES, rule]
    name = said.merchant_copy if copy == MERCHANT else said.client_copy
    return "\n".join([*lines, "", _title(name, width)])


def _amounts(slip: Slip, said: Words, language: str, width: int) -> list[str]:
    """Write the amount; in its parts where there is a tip."""
    assert slip.amount_minor is not None
    total = _amount(slip.amount_minor, slip.currency, language)
    if not slip.tip_minor:
        return _fitted(total, width)
    amount = _amount(slip.amount_minor - slip.tip_minor, slip.currency, language)
    tip = _amount(slip.tip_minor, slip.currency, language)
    pairs = ((said.amount, amount), (said.tip, tip), (said.total, total))
    return [_pair(name, value, width) for name, value in pairs]


def _conversion(profile: Profile, slip: Slip, said: Words, language: str) -> list[str]:
    """Write what must be disclosed about a conversion; the local amount stands above it."""
    assert slip.dcc is not None
    dcc, width, foreign = slip.dcc, profile.receipt_width, str(slip.dcc["currency"])
    point = _number(language)[0]
    rate, markup = (str(dcc[name]).replace(".", point) for name in ("rate", "markup_percent"))
    ecb = _ecb(profile, slip).replace(".", point)
    lines = [_rule(width), _pair(said.dcc_rate, f"1 {slip.currency} = {rate} {foreign}", width)]
    lines.append(_pair(said.dcc_amount, _amount(dcc["amount_minor"], foreign, language), width))
    lines.append(_pair(said.dcc_markup, f"{markup} %", width))
    if ecb:
        lines.append(_pair(said.dcc_ecb, f"{ecb} %", width))
    lines.append(_pair(said.dcc_provider, str(dcc["provider"]), width))
    return [*lines, *_wrapped(_statement(slip, said), width), _rule(width)]


def _management(profile: Profile, slip: Slip, language: str) -> str:
    """Write what a day-end or a parameterization came to: for the merchant alone (4.3)."""
    said, width = words(language), profile.receipt_width
    lines = [_title(said.types.get(slip.service, slip.service), width), _when(slip.at, said)]
    if not slip.approved:
        lines.append(_pair(said.status, _status(slip, said), width))
        lines += [_pair(said.reason, slip.text, width)] if slip.text else []
    if slip.period:
        lines.append(_pair(said.period, slip.period, width))
    lines.append(_pair(said.pos, profile.acquirers[0].terminal_id, width))
    lines += [_pair(said.merchant, profile.merchant, width), _rule(width)]
    if slip.kind == "day_end":
        lines += _totals(slip, said, language, width)
    for line in slip.lines:
        lines += _wrapped(_clean(line), width)
    return "\n".join([*lines, *_referred(slip, said, width), "", _title(said.merchant_copy, width)])


def _totals(slip: Slip, said: Words, language: str, width: int) -> list[str]:
    """Write per brand and currency how many and how much, and the sum of each currency (4.3.2)."""
    sums: dict[str, tuple[int, int]] = {}
    blocks: list[tuple[str, str, int, int]] = []
    for each in slip.totals:
        code, count, minor = each["currency"], each["count"], each["amount_minor"]
        so_far = sums.get(code, (0, 0))
        sums[code] = so_far[0] + count, so_far[1] + minor
        blocks.append((each["brand"], code, count, minor))
    if not blocks:
        return [_line(said.nothing, width)]
    lines = []
    for name, code, count, minor in blocks:
        lines += [_line(name, width), _pair(said.count, str(count), width)]
        lines.append(_pair(said.amount, _amount(minor, code, language), width))
    for code, (count, minor) in sums.items():
        lines += [_rule(width), _pair(said.count, str(count), width)]
        lines.append(_pair(said.total, _amount(minor, code, language), width))
    return lines


# The data


def _json(profile: Profile, slip: Slip, *, duplicate: bool) -> dict[str, Any]:
    said = words(profile.merchant_language)
    acquirer = profile.acquirer_of(slip.brand)
    data: dict[str, Any] = {
        "duplicate": duplicate,
        "shopInfo": shop_info(profile),
        "terminalIdentifier": profile.terminal_id,
        "serviceName": said.types.get(slip.service, slip.service),
        "timestamp": slip.at,
        "acquirerIdentifier": acquirer.id,
    }
    given = {
        "period": slip.period,
        "transactionIdentifier": slip.operation,
        "paymentSolutionReference": slip.reference,
        "reference": slip.merchant_reference,
        "authorizationCode": slip.authorization_code,
        "token": slip.token,
        "brandName": slip.brand,
        "productRecords": slip.product_records,
    }
    data |= {name: value for name, value in given.items() if value}
    more: list[tuple[str, Any]] = [("posId", acquirer.terminal_id), ("mid", profile.merchant)]
    if slip.kind == "transaction":
        _json_transaction(profile, slip, said, data)
        more += _more(profile, slip)
    elif slip.kind == "day_end":
        names = {"brandName": "brand", "currency": "currency", "count": "count"}
        totals = [{ours: each[theirs] for ours, theirs in names.items()}
                  | {"amount": each["amount_minor"]} for each in slip.totals]  # fmt: skip
        more.append(("totals", totals))
    if lines := _footer(profile, slip):
        data["footerLines"] = [{"line": line} for line in lines]
    data["additionalData"] = [{"key": key, "value": value} for key, value in more]
    return {"receiptTargets": _targets(slip, data), **data}


def _json_transaction(profile: Profile, slip: Slip, said: Words, data: dict[str, Any]) -> None:
    """Add what only a transaction has."""
    if slip.amount_minor is not None:
        data["currency"] = slip.currency
        data["amount"] = slip.amount_minor
    if slip.tip_minor:
        data["tipAmount"] = slip.tip_minor
    if slip.masked_number:
        data["maskedPan"] = data["pan"] = "*" * 12 + slip.masked_number[-4:]
    if slip.card_read:
        given = {
            "applicationIdentifier": slip.application_id,
            "cardSequence": slip.sequence,
            "entryMode": ENTRY_MODES.get(slip.entry),
            "cardDataInput": said.entries.get(slip.entry, slip.entry),
        }
        data.update({name: value for name, value in given.items() if value})
    if slip.approved:
        data["legalIdentificationRequired"] = slip.identification
        if _verifies(slip):
            data["cardholderVerificationMethod"] = _verified(slip, said)
    theirs = words(_language(profile, slip, CLIENT))
    data["cardholderReceiptText"] = _said(slip, theirs, CLIENT)
    data["acquirerReceiptText"] = _said(slip, said, MERCHANT)


def _more(profile: Profile, slip: Slip) -> list[tuple[str, Any]]:
    """Give what a receipt must be able to say and the standard has no field for."""
    found: list[tuple[str, Any]] = []
    if slip.card_read and slip.application_label:
        found.append(("applicationLabel", slip.application_label))
    if slip.card_read and slip.cryptogram:
        found.append(("cryptogram", slip.cryptogram))
    if slip.code and slip.code not in HIDDEN:
        found.append(("responseCode", slip.code))
    if slip.approved:
        found += [("offline", True)] if slip.offline else []
        found += [("signatureRequired", True)] if _signs(profile, slip) else []
    if slip.dcc is not None:
        dcc = {
            "currency": slip.dcc["currency"],
            "amount": slip.dcc["amount_minor"],
            "rate": slip.dcc["rate"],
            "markupPercent": slip.dcc["markup_percent"],
            "provider": slip.dcc["provider"],
        }
        ecb = _ecb(profile, slip)
        found.append(("dcc", dcc | {"ecbPercent": ecb} if ecb else dcc))
    return found


def _footer(profile: Profile, slip: Slip) -> list[str]:
    """Give the sentences of a receipt, in the language of whom they are for."""
    if slip.kind != "transaction":
        return list(slip.lines)
    said = words(_language(profile, slip, CLIENT))
    lines = [_statement(slip, said)] if slip.dcc is not None else []
    return [*lines, said.offline] if slip.offline and slip.approved else lines


def _targets(slip: Slip, data: dict[str, Any]) -> dict[str, list[str]]:
    """Name the fields of each copy. A token is the merchant's business, and so is the code."""
    names = [name for name in data if name != "duplicate"]
    merchant = [name for name in names if name != "cardholderReceiptText"]
    client = [name for name in names if name not in ("acquirerReceiptText", "token")]
    return {MERCHANT: merchant, CLIENT: client if CLIENT in copies(slip) else []}


# Words and figures


def _status(slip: Slip, said: Words) -> str:
    """Say what became of it. Without a code nobody decided: it was not declined."""
    if slip.approved:
        return said.authorized
    return said.declined if slip.code or slip.offline else said.failed


def _reason(slip: Slip, said: Words, copy: str) -> str:
    """Say why not: the clerk may read the host's own text, neither of them what is hidden."""
    if slip.code in HIDDEN:
        return ""
    return said.reasons.get(slip.code) or (slip.text if copy == MERCHANT else "")


def _said(slip: Slip, said: Words, copy: str) -> str:
    """Give status and reason in one line."""
    status, reason = _status(slip, said), "" if slip.approved else _reason(slip, said, copy)
    return f"{status}: {reason}" if reason else status


def _verifies(slip: Slip) -> bool:
    return slip.card_read and bool(slip.verification)


def _verified(slip: Slip, said: Words) -> str:
    if slip.verification == "signature" and slip.signature:
        return said.signed
    return said.verifications.get(slip.verification, slip.verification)


def _signs(profile: Profile, slip: Slip) -> bool:
    """Say whether a line to sign on is needed."""
    on_paper = slip.verification == "signature" and profile.signature == "paper"
    return (slip.signature_wanted or on_paper) and not slip.signature


def _statement(slip: Slip, said: Words) -> str:
    foreign = slip.dcc["currency"] if slip.dcc is not None else ""
    return said.dcc_statement.format(local=slip.currency, foreign=foreign)


def _ecb(profile: Profile, slip: Slip) -> str:
    """Give the mark-up over the central bank's rate, "" where it need not be told."""
    given = slip.dcc.get("ecb_percent") if slip.dcc is not None else None
    return str(given or (profile.dcc.ecb_percent if profile.dcc is not None else ""))


def _referred(slip: Slip, said: Words, width: int) -> list[str]:
    return [_pair(said.payment_reference, slip.reference, width)] if slip.reference else []


def _when(at: str, said: Words) -> str:
    """Write date and time of an extended ISO 8601 timestamp."""
    return f"{said.date.format(d=at[8:10], m=at[5:7], y=at[:4])} {at[11:16]}"


def _groups(masked: str) -> str:
    return f"**** **** **** {masked[-4:]}" if masked else ""


def _number(language: str) -> tuple[str, str]:
    """Give the decimal point of a language, and what it puts between thousands."""
    said = words(language)
    return _NUMBERS.get(language) or (said.point, said.group)


def _amount(amount_minor: int, code: str, language: str) -> str:
    point, group = _number(language)
    exponent = currency(code).exponent or 0
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    whole, fraction = digits[: len(digits) - exponent], digits[len(digits) - exponent :]
    if len(whole) > 3:
        whole = f"{int(whole):,}".replace(",", group)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}{point}{fraction} {code}" if fraction else f"{sign}{whole} {code}"


# Layout


def _rule(width: int) -> str:
    return "-" * width


def _clean(value: str) -> str:
    """Take out what would not print: another's text makes no lines and sends no commands."""
    if value.isprintable():
        return value
    return "".join([letter if letter.isprintable() else " " for letter in value])


def _pair(name: str, value: str, width: int) -> str:
    """Write a name at the left and its value at the right, in as many lines as that takes."""
    value = _clean(value)
    gap = width - len(name) - len(value)
    if gap > 0:
        return f"{name}{' ' * gap}{value}"
    lines = [*_wrapped(name, width), *(line.rjust(width) for line in _wrapped(value, width))]
    return "\n".join(lines)


def _line(value: str, width: int) -> str:
    value = _clean(value)
    return value if len(value) <= width else "\n".join(_wrapped(value, width))


def _fitted(value: str, width: int) -> list[str]:
    value = _clean(value)
    return [value] if len(value) <= width else list(_wrapped(value, width))


def _centred(value: str, width: int) -> list[str]:
    return [line.center(width).rstrip() for line in _wrapped(_clean(value), width)]


@lru_cache(maxsize=1024)
def _wrapped(value: str, width: int) -> tuple[str, ...]:
    """Break a text between its words, and a word only where a line is too short for it."""
    lines, line = [], ""
    for word in value.split():
        rest = word
        if line and len(line) + 1 + len(rest) <= width:
            line += " " + rest
            continue
        if line:
            lines.append(line)
        while len(rest) > width:
            lines.append(rest[:width])
            rest = rest[width:]
        line = rest
    return (*lines, line) if line else tuple(lines)
