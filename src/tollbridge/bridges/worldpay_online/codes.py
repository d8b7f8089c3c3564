"""The API's words in ours: custom codes of errors, and what is paid."""

from tollbridge.core.outcome import DeclineCode as D

PAID = "SUCCESS"
PENDING = "PENDING"
"""A word of our host for an order it has not decided; the service never answers it to an order."""

REASONS: dict[str, D] = {
    "BAD_REQUEST": D.INVALID_TRANSACTION,
    "TKN_EXPIRED": D.INVALID_CARD,
    "ERROR_PARSING_JSON": D.INVALID_TRANSACTION,
    "INVALID_PAYMENT_DETAILS": D.INVALID_CARD,
    "RECURRING_BILLING_NOT_ENABLED": D.NOT_PERMITTED,
    "UNAUTHORIZED": D.INVALID_MERCHANT,
    "MERCHANT_DISABLED": D.INVALID_MERCHANT,
    "RECURRING_BILLING_NOT_SETUP": D.NOT_PERMITTED,
    "TKN_NOT_FOUND": D.INVALID_CARD,
    "ORDER_NOT_FOUND": D.INVALID_TRANSACTION,
    "TOKEN_CONFLICT": D.DUPLICATE,
    "MEDIA_TYPE_NOT_SUPPORTED": D.INVALID_TRANSACTION,
}


def reason(code: str) -> D:
    """Say why; a code the table does not know means "do not honour"."""
    return REASONS.get(code, D.DO_NOT_HONOUR)
