"""Response codes of ISO 8583 (data element 39) in our words."""

from tollbridge.core.outcome import DeclineCode as D

APPROVING = frozenset({"00", "08", "10", "11", "16"})

REASONS: dict[str, D] = {
    "01": D.REFERRAL,
    "02": D.REFERRAL,
    "03": D.INVALID_MERCHANT,
    "04": D.PICK_UP_CARD,
    "05": D.DO_NOT_HONOUR,
    "06": D.SYSTEM_ERROR,
    "07": D.PICK_UP_CARD,
    "10": D.INSUFFICIENT_FUNDS,
    "12": D.INVALID_TRANSACTION,
    "13": D.INVALID_AMOUNT,
    "14": D.INVALID_CARD,
    "15": D.INVALID_CARD,
    "19": D.SYSTEM_ERROR,
    "21": D.INVALID_TRANSACTION,
    "30": D.INVALID_TRANSACTION,
    "33": D.EXPIRED_CARD,
    "34": D.SUSPECTED_FRAUD,
    "38": D.PIN_TRIES_EXCEEDED,
    "41": D.LOST_CARD,
    "43": D.STOLEN_CARD,
    "46": D.RESTRICTED_CARD,
    "51": D.INSUFFICIENT_FUNDS,
    "52": D.INVALID_CARD,
    "53": D.INVALID_CARD,
    "54": D.EXPIRED_CARD,
    "55": D.INCORRECT_PIN,
    "57": D.NOT_PERMITTED,
    "58": D.NOT_PERMITTED,
    "59": D.SUSPECTED_FRAUD,
    "60": D.AUTHENTICATION_REQUIRED,
    "61": D.LIMIT_EXCEEDED,
    "62": D.RESTRICTED_CARD,
    "63": D.SUSPECTED_FRAUD,
    "65": D.AUTHENTICATION_REQUIRED,
    "68": D.ANSWER_TOO_LATE,
    "70": D.AUTHENTICATION_REQUIRED,
    "1A": D.AUTHENTICATION_REQUIRED,
    "75": D.PIN_TRIES_EXCEEDED,
    "78": D.RESTRICTED_CARD,
    "91": D.ISSUER_UNAVAILABLE,
    "92": D.NO_ROUTE,
    "94": D.DUPLICATE,
    "96": D.SYSTEM_ERROR,
}


def reason(code: str) -> D:
    """Say why; a code the table does not know means "do not honour", as networks advise."""
    return REASONS.get(code, D.DO_NOT_HONOUR)
