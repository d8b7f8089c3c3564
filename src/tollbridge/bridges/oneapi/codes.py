"""The words of a carrier in ours: message identifiers of OneAPI's service and policy exceptions."""

from tollbridge.core.outcome import DeclineCode as D

CHARGED, REFUNDED = "Charged", "Refunded"
RESERVED, RELEASED = "Reserved", "Released"
PROCESSING = "Processing"
REFUSING = frozenset({"Denied", "Refused"})

REASONS: dict[str, D] = {
    "SVC0001": D.SYSTEM_ERROR,
    "SVC0002": D.INVALID_TRANSACTION,
    "SVC0003": D.INVALID_TRANSACTION,
    "SVC0004": D.INVALID_CARD,
    "SVC0005": D.DUPLICATE,
    "SVC0007": D.INVALID_AMOUNT,
    "SVC0270": D.INSUFFICIENT_FUNDS,
    "POL0001": D.NOT_PERMITTED,
    "POL0002": D.NOT_PERMITTED,
    "POL0008": D.NOT_PERMITTED,
    "POL0254": D.LIMIT_EXCEEDED,
}


def reason(code: str) -> D:
    """Say why; a code the table does not know means "do not honour"."""
    return REASONS.get(code, D.DO_NOT_HONOUR)
