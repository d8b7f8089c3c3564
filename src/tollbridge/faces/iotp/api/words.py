"""The words of the Payment API: roles, obligations, directions, states and codes (RFC 3867)."""

from collections.abc import Mapping
from enum import StrEnum

NAMESPACE = "http://www.iotp.org/2000/08/PaymentAPI"
ISO_4217 = "ISO4217-A"
"""The domain of three-letter currency codes, CurrCodeType's default; `ISO-4217-A` is read too."""
CODE_LETTERS_MAX = 14
"""No error code is longer (3.1), and no completion code but InstBrandInvalid (3.2)."""
ROLE_DATA_PREFIX = "Payment:"
"""Names of trading role data that is meant for payment bridges begin so (3.2)."""


class Role(StrEnum):
    """The trading roles that the Payment API concerns."""

    CONSUMER = "Consumer"
    PAYMENT_HANDLER = "PaymentHandler"
    MERCHANT = "Merchant"


class Obligation(StrEnum):
    """Whether a role implements a function (table 1). No entry: not its business."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class PayDirection(StrEnum):
    """Debit: the sender of the Payment Request pays. Credit: it is paid."""

    DEBIT = "Debit"
    CREDIT = "Credit"


class ContStatus(StrEnum):
    """Whether scheme data follows. End: this is the last to be exchanged."""

    END = "End"
    CONTINUE = "Continue"


class ProcessType(StrEnum):
    """What a call goes on with: the payment, or an inquiry about it."""

    PAYMENT = "Payment"
    INQUIRY = "Inquiry"


class Action(StrEnum):
    """What Manage Payment Software shall do with an instrument."""

    NEW = "New"
    UPDATE = "Update"
    DELETE = "Delete"


class Transform(StrEnum):
    """How packaged content is written."""

    NONE = "NONE"
    BASE64 = "BASE64"


class AlgorithmType(StrEnum):
    """What an algorithm makes."""

    DIGEST = "digest"
    SIGNATURE = "signature"


class Severity(StrEnum):
    """Warning: it goes on. TransientError: the same may work later. HardError: it stops."""

    WARNING = "Warning"
    TRANSIENT_ERROR = "TransientError"
    HARD_ERROR = "HardError"


class ProcessState(StrEnum):
    """Where a payment stands (3.3). Suspended never leaves a party."""

    NOT_YET_STARTED = "NotYetStarted"
    IN_PROGRESS = "InProgress"
    SUSPENDED = "Suspended"
    COMPLETED_OK = "CompletedOk"
    FAILED = "Failed"
    PROCESS_ERROR = "ProcessError"


class ErrorCode(StrEnum):
    """What went wrong (3.1). Those that never reach the counterparty are in `errors`."""

    RESERVED = "Reserved"
    XML_NOT_WELL_FRMD = "XmlNotWellFrmd"
    XML_NOT_VALID = "XmlNotValid"
    EL_NOT_VALID = "ElNotValid"
    EL_UNEXPECTED = "ElUnexpected"
    EL_NOT_SUPP = "ElNotSupp"
    EL_MISSING = "ElMissing"
    EL_CONT_ILLEGAL = "ElContIllegal"
    ENCAP_PROT_ERR = "EncapProtErr"
    ATT_UNEXPECTED = "AttUnexpected"
    ATT_NOT_VALID = "AttNotValid"
    ATT_NOT_SUPP = "AttNotSupp"
    ATT_MISSING = "AttMissing"
    ATT_VAL_ILLEGAL = "AttValIllegal"
    ATT_VAL_NOT_RECOG = "AttValNotRecog"
    MSG_TOO_LARGE = "MsgTooLarge"
    EL_TOO_LARGE = "ElTooLarge"
    VALUE_TOO_SMALL = "ValueTooSmall"
    VALUE_TOO_LARGE = "ValueTooLarge"
    EL_INCONSISTENT = "ElInconsistent"
    TRANSPORT_ERROR = "TransportError"
    MSG_BEING_PROC = "MsgBeingProc"
    SYSTEM_BUSY = "SystemBusy"
    UNKNOWN_ERROR = "UnknownError"
    SYNTAX_ERROR = "SyntaxError"
    REQ_REFUSED = "ReqRefused"
    REQ_NOT_SUPP = "ReqNotSupp"
    BUS_ERROR = "BusError"


class CompletionCode(StrEnum):
    """Why a payment or an authentication ended as it did (RFC 2801, 7.16); `x-…` may be added."""

    AUTH_ERROR = "AuthError"
    AUT_EE_CANCEL = "AutEeCancel"
    AUT_OR_CANCEL = "AutOrCancel"
    AUTH_FAILED = "AuthFailed"
    BACK_ORDERED = "BackOrdered"
    BAD_INSTRUMENT = "BadInstrument"
    BRAND_NOT_SUPP = "BrandNotSupp"
    CONFIRMED = "Confirmed"
    CONS_CANCELLED = "ConsCancelled"
    CURR_NOT_SUPP = "CurrNotSupp"
    DELIV_CANCELLED = "DelivCancelled"
    IN_MSG_HARD_ERROR = "InMsgHardError"
    INST_BRAND_INVALID = "InstBrandInvalid"
    INST_NOT_VALID = "InstNotValid"
    INSUFF_FUNDS = "InsuffFunds"
    MERCH_CANCELLED = "MerchCancelled"
    NO_AUTH_REQ = "NoAuthReq"
    PAYMT_CANCELLED = "PaymtCancelled"
    PERM_NOT_AVAIL = "PermNotAvail"
    SHIP_PENDING = "ShipPending"
    SHIPPED = "Shipped"
    SHIPPED_NO_CONF = "ShippedNoConf"
    TEMP_NOT_AVAIL = "TempNotAvail"
    TIMED_OUT_NO_RCVR = "TimedOutNoRcvr"
    TIMED_OUT_RCVR = "TimedOutRcvr"
    TRAD_ROLES_INCON = "TradRolesIncon"
    UN_AUTH_REQ = "UnAuthReq"
    UNSPECIFIED = "Unspecified"


ALIASES: Mapping[str, str] = {
    "AttValInvalid": "AttValIllegal",
    "BusinessError": "BusError",
    "DelivCanceled": "DelivCancelled",
    "EnCapProtoErr": "EncapProtErr",
    "ISO-4217-A": ISO_4217,
    "PaymCancelled": "PaymtCancelled",
    "PayEncapError": "EncapProtErr",
}
"""Other spellings that the texts print; read, never written (D-15)."""
