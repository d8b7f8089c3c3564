"""SecureNet's response codes in our words."""

from tollbridge.core.outcome import DeclineCode as D

APPROVED = 1

REASONS: dict[int, D] = {
    2: D.DO_NOT_HONOUR,
    3: D.INVALID_TRANSACTION,
}


def reason(code: int) -> D:
    """Say why; a code the table does not know means "do not honour"."""
    return REASONS.get(code, D.DO_NOT_HONOUR)
