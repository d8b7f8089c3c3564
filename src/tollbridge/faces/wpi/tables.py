"""WPI 2.0 revision 7 as data: service types, intents, request fields, error conditions.

A field is described, not programmed. Section numbers are the standard's; readings A-nn of what it
leaves open are listed in `docs/reference/wpi.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tollbridge.core.verbs import Verb

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
RECEIPT_TARGETS: Mapping[str, tuple[str, ...]] = {
    "CARDHOLDER": ("client",),
    "MERCHANT": ("merchant",),
    "BOTH": ("merchant", "client"),
}
"""Receipt targets (4.1.1.4) and the copies they mean."""

CUSTOMER_TOKEN = "WPI_RECOGNITION_OPTION_RETURN_CUSTOMER_TOKEN"  # noqa: S105 - the standard's word
MIFARE_DETAILS = "WPI_RECOGNITION_OPTION_RETURN_MIFARE_DETAILS"

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


class Road(StrEnum):
    """How a service is carried out; `face.py` has one conversation for each."""

    CARD = "card"
    """A card is presented and opens a payment."""
    CANCEL = "cancel"
    """One earlier operation is undone."""
    CONTINUE = "continue"
    """An earlier payment goes on: increment, capture, refund."""
    RECOGNITION = "recognition"
    MENU = "menu"
    DAY_END = "day_end"
    PARAMETERIZATION = "parameterization"
    PRINT = "print"
    ABORT = "abort"
    LAST = "last"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service type: its section, the fields of its request, and what carries it out.

    `verb` is what the core is asked for. `follows` lists the service types whose reference it
    takes, `above` the condition for more than is left of that; with `zero_releases` an amount of
    zero gives all of it back. `tips` and `converts`: the cardholder may add a tip and choose the
    currency. `receipt`: there is one.
    """

    name: str
    kind: Kind
    section: str
    road: Road
    request: Mapping[str, Field]
    verb: Verb | None = None
    follows: tuple[str, ...] = ()
    above: Condition = Condition.INVALID_AMOUNT
    zero_releases: bool = False
    password_protected: bool = False
    tips: bool = False
    converts: bool = False
    receipt: bool = True

    @property
    def card_presented(self) -> bool:
        """Whether it reads a card."""
        return self.road in (Road.CARD, Road.RECOGNITION)

    @property
    def cancels(self) -> str:
        """The service type it cancels, "" for none."""
        return self.follows[0] if self.road is Road.CANCEL else ""


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
_NEW = {**_AMOUNT, **_REFERENCE, **_RECEIPT}
_LATER = {**_NEW, **_EARLIER}
_FORMAT = {"receiptFormat": Field("Array", of=RECEIPT_FORMATS)}


def _financial(name: str, section: str, road: Road, request: Mapping[str, Field],
               **more: Any) -> Service:  # fmt: skip
    full = f"WPI_SVC_{name}"
    return Service(name=full, kind=Kind.FINANCIAL, section=section, road=road, request=request,
                   **more)  # fmt: skip


def _cancel(of: str) -> Service:
    return _financial(f"CANCEL_{of}", "4.2.2", Road.CANCEL, {**_EARLIER, **_RECEIPT},
                      verb=Verb.VOID, follows=(f"WPI_SVC_{of}",))  # fmt: skip


def _management(name: str, section: str, road: Road, request: Mapping[str, Field],
                *, receipt: bool = False) -> Service:  # fmt: skip
    full = f"WPI_SVC_{name}"
    return Service(name=full, kind=Kind.MANAGEMENT, section=section, road=road, request=request,
                   receipt=receipt)  # fmt: skip


_PRE_AUTHORIZED = ("WPI_SVC_PRE_AUTHORIZATION", "WPI_SVC_UPDATE_PRE_AUTHORIZATION")
PAYMENT = "WPI_SVC_PAYMENT"
_TAKEN = (PAYMENT, "WPI_SVC_PAYMENT_COMPLETION", "WPI_SVC_DEFERRED_PAYMENT_COMPLETION",
          "WPI_SVC_PRE_AUTHORIZATION", "WPI_SVC_DEFERRED_PAYMENT_AUTHORIZATION")  # fmt: skip
REFUND = "WPI_SVC_REFUND"
PRINT_RECEIPT = "WPI_SVC_PRINT_RECEIPT"
LAST_TRANSACTION = "WPI_SVC_LAST_TRANSACTION"
PAYMENT_INFORMATION = "WPI_SVC_PAYMENT_INFORMATION"

_SERVICES = (
    _financial("PAYMENT", "4.2.1", Road.CARD, {**_NEW, **_PRODUCTS}, verb=Verb.PURCHASE,
               tips=True, converts=True),
    _cancel("PAYMENT"),
    _financial("REFUND", "4.2.3", Road.CARD, _NEW, verb=Verb.CREDIT, follows=_TAKEN,
               password_protected=True),
    _financial("PRE_AUTHORIZATION", "4.2.4", Road.CARD, _NEW, verb=Verb.AUTHORIZE),
    _cancel("PRE_AUTHORIZATION"),
    _financial("UPDATE_PRE_AUTHORIZATION", "4.2.5", Road.CONTINUE, _LATER, verb=Verb.INCREMENT,
               follows=_PRE_AUTHORIZED),
    _cancel("UPDATE_PRE_AUTHORIZATION"),
    _financial("PAYMENT_COMPLETION", "4.2.6", Road.CONTINUE, _LATER, verb=Verb.CAPTURE,
               follows=_PRE_AUTHORIZED, above=Condition.HOST_REFUSAL),
    _cancel("PAYMENT_COMPLETION"),
    _financial("DEFERRED_PAYMENT_AUTHORIZATION", "4.2.7.1", Road.CARD, _NEW,
               verb=Verb.AUTHORIZE),
    _financial("DEFERRED_PAYMENT_COMPLETION", "4.2.7.2", Road.CONTINUE, {**_LATER, **_PRODUCTS},
               verb=Verb.CAPTURE, follows=("WPI_SVC_DEFERRED_PAYMENT_AUTHORIZATION",),
               zero_releases=True),
    _financial("PAYMENT_INSTRUMENT_RECOGNITION", "4.2.8", Road.RECOGNITION, {
        "currency": Field("String"),
        "requestedAmount": Field("Integer"),
        "serviceType": Field("String"),
        "recognitionTimeout": Field("Integer", mandatory=True),
        "recognitionOptions": Field("Array", mandatory=True, of=(CUSTOMER_TOKEN, MIFARE_DETAILS)),
        **_REFERENCE, **_RECEIPT,
    }, receipt=False),
    _financial("FOLLOW_ON_CREDIT", "4.2.9", Road.CONTINUE, _LATER, verb=Verb.REFUND,
               follows=_TAKEN, password_protected=True),
    _management("PAYMENT_MENU", "4.3.1", Road.MENU, _FORMAT),
    _management("DAY_END", "4.3.2", Road.DAY_END, _FORMAT, receipt=True),
    _management("PAYMENT_PARAMETERIZATION", "4.3.3", Road.PARAMETERIZATION, _FORMAT,
                receipt=True),
    _management("ACQUIRER_PARAMETERIZATION", "4.3.4", Road.PARAMETERIZATION, _FORMAT,
                receipt=True),
    _management("PRINT_RECEIPT", "4.3.5", Road.PRINT,
                {"receiptTarget": Field("String", mandatory=True), **_FORMAT}),
    _management("ABORT", "4.3.6", Road.ABORT, _FORMAT),
    Service(name=LAST_TRANSACTION, kind=Kind.INFORMATION, section="4.4.1", road=Road.LAST,
            request={}, receipt=False),
    Service(name=PAYMENT_INFORMATION, kind=Kind.INFORMATION, section="4.4.2",
            road=Road.INFORMATION, request={}, receipt=False),
)  # fmt: skip

SERVICES: Mapping[str, Service] = {service.name: service for service in _SERVICES}
INTENTS: Mapping[str, Kind] = {kind.intent: kind for kind in Kind}
CANCELLED_BY: Mapping[str, str] = {s.cancels: s.name for s in _SERVICES if s.cancels}
"""What can be cancelled, and the service types that do it."""
FOLLOWING = tuple(s.name for s in _SERVICES if s.road is Road.CARD)
"""The service types that may follow a recognition: those a card is presented for."""
