"""Response codes (ISO 8583, data element 39) as the network words them, and the magic amounts."""

TEXTS: dict[str, str] = {
    "00": "approved",
    "01": "refer to issuer",
    "02": "refer to issuer, special condition",
    "03": "invalid merchant",
    "04": "pick up card",
    "05": "do not honour",
    "06": "error",
    "07": "pick up card, special condition",
    "08": "approved, honour with identification",
    "09": "request in progress",
    "10": "approved for a part of the amount",
    "11": "approved, VIP",
    "12": "invalid transaction",
    "13": "invalid amount",
    "14": "invalid card number",
    "15": "no such issuer",
    "16": "approved, update track 3",
    "19": "re-enter transaction",
    "1A": "cardholder authentication required",
    "21": "no action taken",
    "30": "format error",
    "33": "expired card",
    "34": "suspected fraud",
    "38": "PIN tries exceeded",
    "41": "lost card",
    "43": "stolen card",
    "46": "closed account",
    "51": "insufficient funds",
    "52": "no checking account",
    "53": "no savings account",
    "54": "expired card",
    "55": "incorrect PIN",
    "57": "not permitted to cardholder",
    "58": "not permitted to terminal",
    "59": "suspected fraud",
    "60": "cardholder verification required",
    "61": "exceeds amount limit",
    "62": "restricted card",
    "63": "security violation",
    "65": "cardholder verification required",
    "68": "response received too late",
    "70": "PIN data required",
    "75": "PIN tries exceeded",
    "78": "blocked or not active",
    "91": "issuer unavailable",
    "92": "no route to issuer",
    "94": "duplicate transmission",
    "96": "system malfunction",
}

APPROVING = frozenset({"00", "08", "10", "11", "16"})
WANTING_PIN = frozenset({"60", "65", "70", "1A"})
WRONG_PIN, PIN_BLOCKED = "55", "75"
PARTIAL = "10"

MAGIC_FROM, MAGIC_TO = 4200, 4299


def text(code: str) -> str:
    """Word a code; the others are plain declines."""
    return TEXTS.get(code, "declined")


def magic(amount_minor: int) -> str | None:
    """Give the code an amount asks for: 42.XX, in minor units whatever the currency's exponent."""
    if MAGIC_FROM <= amount_minor <= MAGIC_TO:
        return f"{amount_minor - MAGIC_FROM:02d}"
    return None
