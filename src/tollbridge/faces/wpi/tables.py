"""WPI 2.0 revision 7 as data: service types, intents, request fields, error conditions.

A field is described, not programmed. Section numbers are the standard's; readings A-nn of what it
leaves open are listed in `docs/reference/wpi.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

IMPLEMENTED = "2.0"
INTENT_PREFIX = "com.worldline.payment.action."


class Kind(StrEnum):
    """The type of a service, and the intent that carries it (2)."""

    FINANCIAL = "PROCESS_TRANSACTION"
    MANAGEMENT = "PROCESS_MANAGEMENT"
    INFORMATION = "PROCESS_INFORMATION"

    @property
    def intent(self) -> str:
        """The full name of the intent."""
        return INTENT_PREFIX + self.value


class Condition(StrEnum):
    """Error conditions (4.1.2.3), without their prefix `WPI_ERR_COND_`."""

    NONE = "NONE"
    SERVICE_NOT_SUPPORTED = "SERVICE_NOT_SUPPORTED"
    ABORTED = "ABORTED"
    BUSY = "BUSY"
    CARD_READ_ERR = "CARD_READ_ERR"
    USER_CANCEL = "USER_CANCEL"
    USER_TIMEOUT = "USER_TIMEOUT"
    HOST_REFUSAL = "HOST_REFUSAL"
    NETWORK_ISSUE = "NETWORK_ISSUE"
    TRANSACTION_TIMEOUT = "TRANSACTION_TIMEOUT"
    ENCRYPTION_ISSUE = "ENCRYPTION_ISSUE"
    INVALID_KEY = "INVALID_KEY"
    INVALID_TRANSACTION_REQ = "INVALID_TRANSACTION_REQ"
    INTERNAL = "INTERNAL"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    INVALID_CURRENCY = "INVALID_CURRENCY"
    APP_NOT_SUPPORTED = "APP_NOT_SUPPORTED"
    MISSING_MANDATORY_PARAMETER = "MISSING_MANDATORY_PARAMETER"
    GENERIC = "GENERIC"
    NOT_INITIALIZED = "NOT_INITIALIZED"
    WPI_VERSION_NOT_SUPPORTED = "WPI_VERSION_NOT_SUPPORTED"
    SESSION_ID_ALREADY_IN_USE = "SESSION_ID_ALREADY_IN_USE"
    INVALID_PASSWORD = "INVALID_PASSWORD"  # noqa: S105 - a word of the standard
    RECEIPT_DELEGATION_NOT_SUPPORTED = "RECEIPT_DELEGATION_NOT_SUPPORTED"

    @property
    def wire(self) -> str:
        """The condition as it is sent."""
        return "WPI_ERR_COND_" + self.value


class Action(StrEnum):
    """Action codes (4.1.2.4)."""

    NONE = "WPI_ACTION_CODE_NONE"
    ASK_LEGAL_IDENTIFICATION = "WPI_ACTION_CODE_ASK_LEGAL_IDENTIFICATION"
    ASK_SIGNATURE = "WPI_ACTION_CODE_ASK_SIGNATURE"


SUCCESS = "WPI_RESULT_SUCCESS"
FAILURE = "WPI_RESULT_FAILURE"

FORMATTED = "FORMATTED"
JSON_FORMAT = "JSON"
RECEIPT_FORMATS = (FORMATTED, JSON_FORMAT)

ENTRY_MODES: Mapping[str, str] = {
    "magstripe": "WPI_ENTRY_MODE_MAGSTRIPE",
    "chip": "WPI_ENTRY_MODE_CHIP",
    "contactless": "WPI_ENTRY_MODE_NFC",
    "mifare": "WPI_ENTRY_MODE_NFC_MIFARE",
    "qr": "WPI_ENTRY_MODE_QR_CODE",
}
"""Our words for how a card was read, and the standard's (4.1.2.7)."""

ACQUIRER_PROTOCOLS = ("ep2", "CTAP", "CB2A", "NEXO", "ZVT")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request: its JSON type, and whether it must be there.

    `type` is String, Integer, Boolean or Array; `of` says what the items of an array are: the name
    of an object in OBJECTS, or a tuple of allowed texts.
    """

    type: str
    mandatory: bool = False
    of: str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One service type: its kind, its section, and the fields of its request."""

    name: str
    kind: Kind
    section: str
    request: Mapping[str, Field]
    offered: bool = False
    card_presented: bool = False
    password_protected: bool = False
    cancels: str = ""


OBJECTS: Mapping[str, Mapping[str, Field]] = {
    "ProductRecordItem": {
        "itemId": Field("Integer", mandatory=True),
        "label": Field("String", mandatory=True),
        "unitAmount": Field("Integer", mandatory=True),
        "quantity": Field("Integer", mandatory=True),
        "totalAmount": Field("Integer", mandatory=True),
        "currency": Field("String", mandatory=True),
    },
}

_RECEIPT = {
    "receiptFormat": Field("Array", of=RECEIPT_FORMATS),
    "receiptDelegation": Field("Boolean"),
}
_AMOUNT = {
    "currency": Field("String", mandatory=True),
    "requestedAmount": Field("Integer", mandatory=True),
}
_REFERENCE = {"reference": Field("String")}
_PRODUCTS = {"productRecords": Field("Array", of="ProductRecordItem")}
_EARLIER = {"paymentSolutionReference": Field("String", mandatory=True)}


def _services() -> dict[str, Service]:
    later = (
        ("PRE_AUTHORIZATION", Kind.FINANCIAL, "4.2.4"),
        ("CANCEL_PRE_AUTHORIZATION", Kind.FINANCIAL, "4.2.2"),
        ("UPDATE_PRE_AUTHORIZATION", Kind.FINANCIAL, "4.2.5"),
        ("CANCEL_UPDATE_PRE_AUTHORIZATION", Kind.FINANCIAL, "4.2.2"),
        ("PAYMENT_COMPLETION", Kind.FINANCIAL, "4.2.6"),
        ("CANCEL_PAYMENT_COMPLETION", Kind.FINANCIAL, "4.2.2"),
        ("DEFERRED_PAYMENT_AUTHORIZATION", Kind.FINANCIAL, "4.2.7.1"),
        ("DEFERRED_PAYMENT_COMPLETION", Kind.FINANCIAL, "4.2.7.2"),
        ("PAYMENT_INSTRUMENT_RECOGNITION", Kind.FINANCIAL, "4.2.8"),
        ("FOLLOW_ON_CREDIT", Kind.FINANCIAL, "4.2.9"),
        ("PAYMENT_MENU", Kind.MANAGEMENT, "4.3.1"),
        ("DAY_END", Kind.MANAGEMENT, "4.3.2"),
        ("PAYMENT_PARAMETERIZATION", Kind.MANAGEMENT, "4.3.3"),
        ("ACQUIRER_PARAMETERIZATION", Kind.MANAGEMENT, "4.3.4"),
        ("PRINT_RECEIPT", Kind.MANAGEMENT, "4.3.5"),
        ("ABORT", Kind.MANAGEMENT, "4.3.6"),
    )
    services = (
        Service(
            "WPI_SVC_PAYMENT",
            Kind.FINANCIAL,
            "4.2.1",
            {**_AMOUNT, **_REFERENCE, **_PRODUCTS, **_RECEIPT},
            offered=True,
            card_presented=True,
        ),
        Service(
            "WPI_SVC_CANCEL_PAYMENT",
            Kind.FINANCIAL,
            "4.2.2",
            {**_EARLIER, **_RECEIPT},
            offered=True,
            cancels="WPI_SVC_PAYMENT",
        ),
        Service(
            "WPI_SVC_REFUND",
            Kind.FINANCIAL,
            "4.2.3",
            {**_AMOUNT, **_REFERENCE, **_RECEIPT},
            offered=True,
            card_presented=True,
            password_protected=True,
        ),
        Service("WPI_SVC_LAST_TRANSACTION", Kind.INFORMATION, "4.4.1", {}, offered=True),
        Service("WPI_SVC_PAYMENT_INFORMATION", Kind.INFORMATION, "4.4.2", {}, offered=True),
        *(Service(f"WPI_SVC_{name}", kind, section, {}) for name, kind, section in later),
    )
    return {service.name: service for service in services}


SERVICES: Mapping[str, Service] = _services()
INTENTS: Mapping[str, Kind] = {kind.intent: kind for kind in Kind}
CANCELLABLE = tuple(service.cancels for service in SERVICES.values() if service.cancels)
LAST_TRANSACTION = "WPI_SVC_LAST_TRANSACTION"
PAYMENT_INFORMATION = "WPI_SVC_PAYMENT_INFORMATION"
