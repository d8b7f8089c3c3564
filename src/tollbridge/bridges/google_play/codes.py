"""The numbers and words of the store in ours."""

from tollbridge.core.outcome import DeclineCode as D

PURCHASED, CANCELED, PENDING = 0, 1, 2
"""purchaseState: the customer paid, has the money back, or has still to pay."""
USED = 1
"""acknowledgementState and consumptionState, once somebody took the purchase."""
REFUNDED = "REFUNDED"

REASONS: dict[int, D] = {
    400: D.INVALID_TRANSACTION,
    401: D.INVALID_MERCHANT,
    403: D.INVALID_MERCHANT,
    404: D.INVALID_TRANSACTION,
    409: D.DUPLICATE,
    410: D.INVALID_TRANSACTION,
    429: D.SYSTEM_ERROR,
}


def reason(status: int) -> D:
    """Say why the store refused; a status the table does not know means "do not honour"."""
    return REASONS.get(status, D.DO_NOT_HONOUR)
