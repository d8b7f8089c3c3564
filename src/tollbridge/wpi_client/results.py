"""What a till is told, as frozen values: read leniently, nothing thrown away.

A field of the wrong type is left out, and a field nobody knows is kept, both in `raw`: an approval
must not be lost because a receipt cannot be read. Sections are those of WPI 2.0 revision 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tollbridge.faces.wpi.tables import FAILURE, SERVICES, SUCCESS, Action, Kind
from tollbridge.ground.errors import InvalidMoney, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.wire import json

RECOGNITION = "WPI_SVC_PAYMENT_INSTRUMENT_RECOGNITION"


@dataclass(frozen=True, slots=True)
class CardUsed:
    """The card of an exchange (4.2): its brand, application (AID in hexadecimal) and label, and the
    cardholder's language (ISO 639-1). What was not said is ""."""

    brand: str = ""
    application_id: str = ""
    application_label: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt (4.1.2.5): two preformatted texts, "" where there is none, and the data of both
    copies, None where it was not asked for."""

    merchant: str = ""
    client: str = ""
    json: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What every answer has.

    `approved` says that it was done. `condition` is the error condition without its prefix, "NONE"
    when approved (4.1.2.3); `remark` says why not, in the words of terminal or host. `raw` is the
    response as it came.
    """

    service: str
    session: str
    approved: bool
    condition: str
    remark: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionResult(Result):
    """The answer to a financial service (4.2).

    `reference` is the paymentSolutionReference, which everything that follows needs, and
    `merchant_reference` the till's own. `authorized` includes the `tip` (None: no tips here).
    `dcc_used` is None where currencies are not converted. `action` is what the till must still do:
    "signature", "identification" or "". `timestamp` is ISO 8601 with an offset.
    """

    reference: str = ""
    merchant_reference: str = ""
    authorized: Money | None = None
    tip: Money | None = None
    dcc_used: bool | None = None
    card: CardUsed | None = None
    receipt: Receipt | None = None
    action: str = ""
    timestamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionResult(Result):
    """A card that was recognised, with or without paying (4.2.8).

    `entry` is how it was read, without prefix ("CHIP"). `pan` is masked. `media` and `media_id` are
    kind and UID of a card that pays nothing. `waits_ms` is how long the card is held for the
    transaction that follows, 0 when it is not.
    """

    entry: str = ""
    language: str = ""
    pan: str = ""
    token: str = field(default="", repr=False)
    media: str = ""
    media_id: str = field(default="", repr=False)
    tracks: tuple[str, str, str] = field(default=("", "", ""), repr=False)
    waits_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementResult(Result):
    """The answer to a management service (4.3). Printing the receipt of a session the terminal does
    not know is answered without a response: then `condition` is ""."""

    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandInformation:
    """One brand at one acquirer (4.1.2.6); service types with their prefix, technologies without.

    `cancellable_last` is how many of the last successful transactions can be cancelled.
    """

    name: str = ""
    id: str = ""
    acquirer: str = ""
    acquirer_terminal: str = ""
    merchant: str = ""
    services: tuple[str, ...] = ()
    cancellable: tuple[str, ...] = ()
    cancellable_last: int = 0
    technologies: tuple[str, ...] = ()
    supports_dcc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Information(Result):
    """What the payment solution is and can do (4.4.2)."""

    software_version: str = ""
    terminal: str = ""
    model: str = ""
    mac_address: str = ""
    languages: tuple[str, ...] = ()
    cardholder_language: str = ""
    merchant_language: str = ""
    country: str = ""
    default_currency: str = ""
    currencies: tuple[str, ...] = ()
    shop: Mapping[str, Any] = field(default_factory=dict)
    acquirer_protocol: str = ""
    receipt_formats: tuple[str, ...] = ()
    delegates_receipts: bool = False
    brands: tuple[BrandInformation, ...] = ()
    services: tuple[str, ...] = ()


class Fate(StrEnum):
    """What became of an exchange."""

    APPROVED = "approved"
    FAILED = "failed"
    NOT_EXECUTED = "not_executed"
    """The terminal never began it: it may be sent again, under a new session."""
    RUNNING = "running"
    """It runs, or its outcome is not known to the terminal yet: ask again."""
    UNKNOWN = "unknown"
    """Nobody could be asked."""
    GIVEN_UP = "given_up"
    """A person closed it; see `evidence`."""


Answer = TransactionResult | RecognitionResult | ManagementResult | Information


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange as the client's journal or the terminal has it.

    `request` is what was asked, empty where that is not known here. `sent_at` and `answered_at` are
    microseconds since 1970, 0 for not known. `result` is None without an answer, `answer` the
    WPI_RESPONSE as it came. `evidence` says why there is none, or who closed it.
    """

    session: str
    service: str = ""
    request: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fate: Fate
    result: TransactionResult | RecognitionResult | None = None
    sent_at: int = 0
    answered_at: int = 0
    answer: str = field(default="", repr=False)
    evidence: str = ""


def response_of(extras: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the response in the extras; None where there is none.

    Raises RemoteProtocolError when it is not an object with a result of the standard (4.1.2.2).
    """
    text = extras.get("WPI_RESPONSE")
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise RemoteProtocolError("extra WPI_RESPONSE is a String")
    response = json.read_object(text, what="WPI_RESPONSE")
    if response.get("result") not in (SUCCESS, FAILURE):
        raise RemoteProtocolError("WPI_RESPONSE has no result of the standard (4.1.2.2)")
    return response


def read(service: str, session: str, response: Mapping[str, Any]) -> Answer:
    """Read the response of a service type."""
    known = SERVICES.get(service)
    kind = known.kind if known else Kind.FINANCIAL
    if service == RECOGNITION:
        return recognition(service, session, response)
    if kind is Kind.FINANCIAL:
        return transaction(service, session, response)
    if kind is Kind.MANAGEMENT:
        return management(service, session, response)
    return information(service, session, response)


def transaction(service: str, session: str, response: Mapping[str, Any]) -> TransactionResult:
    """Read the response of a financial service."""
    code = _text(response, "currency")
    card = CardUsed(
        _text(response, "brandName"),
        _text(response, "applicationIdentifier"),
        _text(response, "applicationLabel"),
        _text(response, "customerLanguage"),
    )
    converted = response.get("dccUsed")
    return TransactionResult(
        **_every(service, session, response),
        reference=_text(response, "paymentSolutionReference"),
        merchant_reference=_text(response, "reference"),
        authorized=_money(response.get("authorizedAmount"), code),
        tip=_money(response.get("tipAmount"), code),
        dcc_used=converted if isinstance(converted, bool) else None,
        card=card if card != CardUsed() else None,
        receipt=_receipt(response),
        action=_ACTIONS.get(_text(response, "actionCode"), ""),
        timestamp=_text(response, "timestamp"),
    )


def recognition(service: str, session: str, response: Mapping[str, Any]) -> RecognitionResult:
    """Read the response of a recognition."""
    first, second, third = (_text(response, f"isoTrack{n}") for n in (1, 2, 3))
    waits = response.get("waitForNextAction") is True
    return RecognitionResult(
        **_every(service, session, response),
        entry=_text(response, "entryMode").removeprefix("WPI_ENTRY_MODE_"),
        language=_text(response, "customerLanguage"),
        pan=_text(response, "pan"),
        token=_text(response, "token"),
        media=_text(response, "mediaType"),
        media_id=_text(response, "mediaUniqueIdentifier"),
        tracks=(first, second, third),
        waits_ms=_number(response, "nextActionWaitTime") if waits else 0,
    )


def management(service: str, session: str, response: Mapping[str, Any]) -> ManagementResult:
    """Read the response of a management service."""
    return ManagementResult(**_every(service, session, response), receipt=_receipt(response))


def unprintable(service: str, session: str) -> ManagementResult:
    """Give the result of printing what the terminal does not know (4.3.5)."""
    remark = "the terminal knows no such session"
    return ManagementResult(
        service=service, session=session, approved=False, condition="", remark=remark
    )


def information(service: str, session: str, response: Mapping[str, Any]) -> Information:
    """Read the response of PAYMENT_INFORMATION, in either spelling (A-01, A-13)."""
    shop = response.get("shopInfo")
    items = response.get("paymentInformation")
    delegates = (response.get(name) for name in ("supportsReceiptDelegation",
                                                 "supportReceiptDelegation"))  # fmt: skip
    return Information(
        **_every(service, session, response),
        software_version=_text(response, "softwareVersion"),
        terminal=_text(response, "terminalIdentifier"),
        model=_text(response, "terminalModel"),
        mac_address=_text(response, "macAddress"),
        languages=_texts(response, "supportedLanguages"),
        cardholder_language=_text(response, "cardholderDefaultLanguage"),
        merchant_language=_text(response, "merchantLanguage"),
        country=_text(response, "countryCode"),
        default_currency=_text(response, "defaultCurrency"),
        currencies=_texts(response, "supportedCurrencies"),
        shop=shop if isinstance(shop, dict) else {},
        acquirer_protocol=_text(response, "acquirerProtocol"),
        receipt_formats=_texts(response, "supportedTicketFormats"),
        delegates_receipts=any(value is True for value in delegates),
        brands=tuple(_brand(item) for item in items if isinstance(item, dict))
        if isinstance(items, list) else (),
        services=_texts(response, "paymentSolutionSupportedServiceTypes"),
    )  # fmt: skip


_ACTIONS: Mapping[str, str] = {
    Action.ASK_SIGNATURE: "signature",
    Action.ASK_LEGAL_IDENTIFICATION: "identification",
}


def _every(service: str, session: str, response: Mapping[str, Any]) -> dict[str, Any]:
    approved = response["result"] == SUCCESS
    condition = _text(response, "errorCondition").removeprefix("WPI_ERR_COND_")
    return {
        "service": service,
        "session": session,
        "approved": approved,
        "condition": condition or ("NONE" if approved else "GENERIC"),
        "remark": _text(response, "remark"),
        "raw": response,
    }


def _brand(item: Mapping[str, Any]) -> BrandInformation:
    modes = _texts(item, "supportedTechnologies")
    return BrandInformation(
        name=_text(item, "brandName"),
        id=_text(item, "brandIdentifier") or _text(item, "brandIdentifer"),
        acquirer=_text(item, "acquirerIdentifier"),
        acquirer_terminal=_text(item, "acquirerTerminalIdentifier"),
        merchant=_text(item, "merchantIdentifier"),
        services=_texts(item, "supportedServiceTypes"),
        cancellable=_texts(item, "cancellableServiceTypes"),
        cancellable_last=_number(item, "numberOfCancellableTransactions"),
        technologies=tuple(mode.removeprefix("WPI_ENTRY_MODE_") for mode in modes),
        supports_dcc=item.get("supportsDCC") is True,
    )


def _receipt(response: Mapping[str, Any]) -> Receipt | None:
    receipt = response.get("receipt")
    if not isinstance(receipt, dict):
        return None
    formatted, data = receipt.get("formatted"), receipt.get("json")
    texts: Mapping[str, Any] = formatted if isinstance(formatted, dict) else {}
    return Receipt(
        _text(texts, "merchant"), _text(texts, "client"), data if isinstance(data, dict) else None
    )


def _money(minor: object, code: str) -> Money | None:
    if type(minor) is not int:
        return None
    try:
        return Money.of(minor, code)
    except InvalidMoney:
        return None


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if type(value) is int else 0


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read a list of texts; a lone text is a list of one (A-12)."""
    value = fields.get(name)
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
