"""Which error codes leave the house, and as what (RFC 3867, 3.1)."""

from collections.abc import Mapping

from tollbridge.faces.iotp.api.elements import ErrorResponse
from tollbridge.faces.iotp.api.names import PACKAGED
from tollbridge.faces.iotp.api.words import ErrorCode

LOCAL: frozenset[ErrorCode] = frozenset(
    {
        ErrorCode.EL_NOT_VALID,
        ErrorCode.ATT_NOT_VALID,
        ErrorCode.SYNTAX_ERROR,
        ErrorCode.REQ_REFUSED,
        ErrorCode.REQ_NOT_SUPP,
        ErrorCode.BUS_ERROR,
    }
)
"""Codes of the API alone: the counterparty must never see them."""

TRANSIENT_ONLY: frozenset[ErrorCode] = frozenset({ErrorCode.MSG_BEING_PROC, ErrorCode.SYSTEM_BUSY})
"""Codes that mean nothing unless the severity is TransientError."""

_AS: Mapping[ErrorCode, ErrorCode] = {
    ErrorCode.EL_NOT_VALID: ErrorCode.XML_NOT_VALID,
    ErrorCode.ATT_NOT_VALID: ErrorCode.XML_NOT_VALID,
    ErrorCode.SYNTAX_ERROR: ErrorCode.XML_NOT_VALID,
    ErrorCode.REQ_REFUSED: ErrorCode.TRANSPORT_ERROR,
    ErrorCode.REQ_NOT_SUPP: ErrorCode.UNKNOWN_ERROR,
}

_BY_NAME: Mapping[str, ErrorCode] = {
    "paymentinstrumentid": ErrorCode.UNKNOWN_ERROR,
    "walletid": ErrorCode.UNKNOWN_ERROR,
    "passphrase": ErrorCode.TRANSPORT_ERROR,
}
"""What is the Consumer's own business, by the attribute that is missing or illegal."""


def for_counterparty(error: ErrorResponse) -> ErrorCode | None:
    """Give the code an Error Component shows the counterparty; None when it is never told.

    A business error shows in the process state (Inquire Process State tells it), wrong property
    types are settled with the user. What is wrong with wallets says nothing of them to others: nor
    may the location then name the attribute, see `tells_secrets`.
    """
    code = error.error_code
    if code is ErrorCode.BUS_ERROR:
        return None
    if code in {ErrorCode.ATT_VAL_ILLEGAL, ErrorCode.ATT_MISSING}:
        names = [name.lower() for name in error.names]
        if "propertytypelist" in names:
            return None
        return next((_BY_NAME[name] for name in names if name in _BY_NAME), code)
    if code is ErrorCode.EL_CONT_ILLEGAL:
        packaged = all(place.element_type in PACKAGED for place in error.error_locations)
        return code if packaged else ErrorCode.EL_NOT_SUPP
    return _AS.get(code, code)


def tells_secrets(error: ErrorResponse) -> bool:
    """Say whether an error is about a wallet, so that its text and places stay at home."""
    return any(name.lower() in _BY_NAME for name in error.names)


def about_wallet(error: ErrorResponse) -> str:
    """Say what a bridge needs to open a wallet: "WalletId", "Passphrase" or "" (nothing).

    The core then supplies it and repeats the call (2.3, step 3).
    """
    if error.error_code in {ErrorCode.ATT_MISSING, ErrorCode.ATT_VAL_ILLEGAL}:
        for name in error.names:
            found = {"walletid": "WalletId", "passphrase": "Passphrase"}.get(name.lower())
            if found:
                return found
    return ""
