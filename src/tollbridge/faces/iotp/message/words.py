"""The words of trading messages: roles, steps, codes, and where each may stand.

Words that the Payment API has, too, are the same: `ErrorCode`, `PayDirection`, `ProcessState`,
`Severity`, `Transform` of `api.words`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tollbridge.faces.iotp.api.words import ALIASES as API_ALIASES
from tollbridge.faces.iotp.api.words import ProcessState, Severity


class Role(StrEnum):
    """Who trades (RFC 2801, 2.1)."""

    CONSUMER = "Consumer"
    MERCHANT = "Merchant"
    PAYMENT_HANDLER = "PaymentHandler"
    DELIVERY_HANDLER = "DeliveryHandler"
    DELIVER_TO = "DelivTo"
    CUSTOMER_CARE = "CustCare"


SERVERS = frozenset({Role.MERCHANT, Role.PAYMENT_HANDLER, Role.DELIVERY_HANDLER})
PREFIXES: Mapping[Role, str] = {
    Role.MERCHANT: "M",
    Role.CONSUMER: "C",
    Role.PAYMENT_HANDLER: "P",
    Role.DELIVERY_HANDLER: "D",
    Role.DELIVER_TO: "C",
    Role.CUSTOMER_CARE: "CC",
}
"""How a role's message ids begin unless it says otherwise (RFC 2801, 3.4.1)."""
INQUIRING_PREFIX, ANSWERING_PREFIX = "I", "Q"


class TransactionType(StrEnum):
    """What is traded (RFC 2801, 9)."""

    AUTHENTICATION = "BaselineAuthentication"
    DEPOSIT = "BaselineDeposit"
    PURCHASE = "BaselinePurchase"
    REFUND = "BaselineRefund"
    WITHDRAWAL = "BaselineWithdrawal"
    VALUE_EXCHANGE = "BaselineValueExchange"
    INQUIRY = "BaselineInquiry"
    PING = "BaselinePing"


class StatusType(StrEnum):
    """Which trading step a status is about (RFC 2801, 7.16)."""

    OFFER = "Offer"
    PAYMENT = "Payment"
    DELIVERY = "Delivery"
    AUTHENTICATION = "Authentication"
    UNDEFINED = "Undefined"


class InquiryKind(StrEnum):
    """Which trading step is asked about (RFC 2801, 7.18)."""

    OFFER = "Offer"
    PAYMENT = "Payment"
    DELIVERY = "Delivery"


class PingStatus(StrEnum):
    """How a pinged party is."""

    OK = "Ok"
    BUSY = "Busy"
    DOWN = "Down"


class SignatureCheck(StrEnum):
    """What became of the signature of a ping."""

    OK = "Ok"
    NOT_SUPPORTED = "NotSupported"
    FAIL = "Fail"


# What stands for what

ALIASES: Mapping[str, str] = {
    **API_ALIASES,
    "DeliverTo": "DelivTo",
    "PingReq": "PingRequest",
    "Unidentified": "Undefined",
}
"""Other spellings that the standards print, and the one that is written (D-13 to D-19)."""

WORST_FIRST = (Severity.HARD_ERROR, Severity.TRANSIENT_ERROR, Severity.WARNING)
"""The highest severity decides (RFC 2801, 7.21.1)."""


def known_as(word: str) -> str:
    """Give the spelling that is written of a word that may be spelled in another printed way."""
    return ALIASES.get(word, word)


def is_users(word: str) -> bool:
    """Say whether a code is of a user's own: those begin with `x-` (RFC 2801, 3.6.3)."""
    return word[:2].lower() == "x-"


# Registered values (RFC 2801, 12.1)

CURRENCY_CODE_TYPES = frozenset({"ISO4217-A", "IOTP"})
DELIVERY_METHODS = frozenset({"Post", "Web", "Email"})
RELATIONSHIPS = frozenset({"IotpTransaction", "Reference"})
AUTHENTICATION_ALGORITHMS = frozenset({"sha1", "signature"})
"""And `Pay:` with a brand behind it."""


# Completion codes


class Recovery(StrEnum):
    """How a failed step may go on after all (RFC 2801, 7.16)."""

    NONE = ""
    ANSWER_AGAIN = "a new Authentication Response"
    ASK_AGAIN = "a corrected Authentication Request"
    OTHER_INSTRUMENT = "another brand or instrument; where the brand is agreed, an instrument"
    SCHEME = "as the payment scheme says"
    MESSAGE_AGAIN = "the other side's last message, when it comes again"


@dataclass(frozen=True, slots=True)
class Completion:
    """Where a completion code may stand: with which states, and in which blocks only.

    `cancel` marks a code that stands only in a Cancel Block or an Inquiry Response; `inquiry` one
    that stands only in an Inquiry Response.
    """

    states: frozenset[ProcessState] = frozenset({ProcessState.FAILED})
    cancel: bool = False
    inquiry: bool = False
    recovery: Recovery = Recovery.NONE


_FAILED = Completion()
_CANCEL = Completion(cancel=True)
_SHIPPED = Completion(frozenset({ProcessState.COMPLETED_OK}))
_OTHER = Completion(recovery=Recovery.OTHER_INSTRUMENT)
_TIMED_OUT = {
    "TimedOutRcvr": Completion(inquiry=True, recovery=Recovery.MESSAGE_AGAIN),
    "TimedOutNoRcvr": Completion(inquiry=True),
}
UNAUTHORISED = "UnAuthReq"
COMPLETIONS: Mapping[StatusType, Mapping[str, Completion]] = {
    StatusType.OFFER: {
        "AuthError": Completion(recovery=Recovery.ANSWER_AGAIN),
        "ConsCancelled": _CANCEL,
        "MerchCancelled": _CANCEL,
        "Unspecified": _FAILED,
        **_TIMED_OUT,
    },
    StatusType.PAYMENT: {
        "BrandNotSupp": _OTHER,
        "CurrNotSupp": _OTHER,
        "ConsCancelled": _CANCEL,
        "PaymtCancelled": Completion(cancel=True, recovery=Recovery.OTHER_INSTRUMENT),
        "AuthError": Completion(recovery=Recovery.SCHEME),
        "InsuffFunds": _OTHER,
        "InstBrandInvalid": _OTHER,
        "InstNotValid": _OTHER,
        "BadInstrument": _OTHER,
        "PaymentDecl": _OTHER,
        "Unspecified": _OTHER,
        **_TIMED_OUT,
    },
    StatusType.DELIVERY: {
        "BackOrdered": _SHIPPED,
        "TempNotAvail": _SHIPPED,
        "ShipPending": _SHIPPED,
        "Shipped": _SHIPPED,
        "ShippedNoConf": _SHIPPED,
        "Confirmed": _SHIPPED,
        "PermNotAvail": _FAILED,
        "Unspecified": _FAILED,
        "ConsCancelled": _CANCEL,
        "DelivCancelled": _CANCEL,
        **_TIMED_OUT,
    },
    StatusType.AUTHENTICATION: {
        "AutEeCancel": _CANCEL,
        "AutOrCancel": _FAILED,
        "NoAuthReq": _CANCEL,
        "AuthFailed": Completion(recovery=Recovery.ANSWER_AGAIN),
        "TradRolesIncon": Completion(cancel=True, recovery=Recovery.ASK_AGAIN),
        "Unspecified": _FAILED,
        **_TIMED_OUT,
    },
    StatusType.UNDEFINED: {"InMsgHardError": _FAILED},
}
"""The completion codes of each step. UnAuthReq may stand in any Inquiry Response beside them."""
CANCEL_CODES = frozenset({"ConsCancelled", "MerchCancelled", "PaymtCancelled", "DelivCancelled"})
"""A failure with one of these is told in a Cancel Block, not in an Error Block."""


# What must be implemented (RFC 2801, 2.3)


class Duty(StrEnum):
    """How much a kind of party must support something."""

    MUST = "must"
    MAY = "may"
    LIMITED = "limited"
    DEPENDS = "depends"
    NONE = ""


class Product(StrEnum):
    """What a product can claim to be. A store, an issuer and an acquirer are kinds of Merchant."""

    STORE = "Store"
    VALUE_ISSUER = "Value Issuer"
    VALUE_ACQUIRER = "Value Acquirer"
    CONSUMER = "Consumer"
    PAYMENT_HANDLER = "Payment Handler"
    DELIVERY_HANDLER = "Delivery Handler"


def _duties(*marks: str) -> Mapping[Product, Duty]:
    words = {"+": Duty.MUST, "?": Duty.MAY, "l": Duty.LIMITED, "d": Duty.DEPENDS, "": Duty.NONE}
    return dict(zip(Product, (words[mark] for mark in marks), strict=True))


DUTIES: Mapping[str, Mapping[Product, Duty]] = {
    TransactionType.PURCHASE: _duties("+", "", "", "+", "", ""),
    TransactionType.REFUND: _duties("+", "", "", "d", "", ""),
    TransactionType.AUTHENTICATION: _duties("?", "+", "?", "d", "", ""),
    TransactionType.VALUE_EXCHANGE: _duties("?", "", "", "+", "", ""),
    TransactionType.WITHDRAWAL: _duties("", "+", "", "d", "", ""),
    TransactionType.DEPOSIT: _duties("", "", "+", "d", "", ""),
    TransactionType.INQUIRY: _duties("+", "+", "+", "?", "+", "+"),
    TransactionType.PING: _duties("+", "+", "+", "?", "+", "+"),
    "TpoBlk": _duties("+", "+", "+", "+", "", ""),
    "TpoSelectionBlk": _duties("+", "+", "+", "+", "", ""),
    "OfferRespBlk": _duties("+", "+", "+", "+", "", ""),
    "AuthReqBlk": _duties("d", "", "d", "d", "", ""),
    "AuthRespBlk": _duties("d", "", "d", "d", "", ""),
    "PayReqBlk": _duties("", "", "", "+", "+", ""),
    "PayExchBlk": _duties("", "", "", "+", "+", ""),
    "PayRespBlk": _duties("", "", "", "+", "+", ""),
    "DeliveryReqBlk": _duties("", "", "", "+", "", "+"),
    "DeliveryRespBlk": _duties("", "", "", "+", "", "+"),
    "InquiryReqBlk": _duties("+", "+", "+", "+", "+", "+"),
    "InquiryRespBlk": _duties("+", "+", "+", "+", "+", "+"),
    "PingReqBlk": _duties("+", "+", "+", "+", "+", "+"),
    "PingRespBlk": _duties("+", "+", "+", "+", "+", "+"),
    "ErrorBlk": _duties("+", "+", "+", "+", "+", "+"),
    "IotpSignatures": _duties("+", "+", "+", "l", "+", "+"),
}
"""What a product that claims to be something supports; `depends` says RFC 2801, 2.3 on what."""


def must_support(product: Product) -> tuple[str, ...]:
    """Give the transactions and blocks that a product of this kind must support."""
    return tuple(str(what) for what, duties in DUTIES.items() if duties[product] is Duty.MUST)
