"""Secrets: values that do not show themselves, and the mask that keeps card numbers out of text."""

import re
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")

NUMBER_DIGITS_MIN, NUMBER_DIGITS_MAX = 12, 19
_ROW = re.compile(r"\d(?:[ -]{0,3}\d){11,}", re.ASCII)
_TRACK = re.compile(
    r"""%?[A-Z]\d{12,19}\^(?:[^^?\r\n]{0,40}\^)?[^?\s"']*\??  # track 1: number, name, the rest
    | ;\d{12,19}=[\d=]*\??                                   # track 2 with its sentinels
    | \d{12,19}[=D]\d{4,}\??                                 # and without, as terminals give it
    """,
    re.ASCII | re.VERBOSE,
)


def _named(names: str, value: str) -> re.Pattern[str]:
    """Match a value behind one of these names, as JSON (also inside JSON) or a form writes it."""
    behind = rf"""((?<![A-Z])(?:{names})\\*["']?\s*[:=]\s*\\*["']?)"""
    return re.compile(behind + value, re.ASCII | re.IGNORECASE)


_CODE = _named("cvc2?|cvv2?|cid|security_code", r"\d{3,16}")
_PIN = _named("pin", r"""(?:(?<=["'])(?:\\+u[0-9A-F]{4}|[^"'\\])+|\d+)""")
_PIN_BLOCK = _named("pin_?block", "[0-9A-F]{3,}")
_TOKEN = _named("client_?token|token|payment_?method_?id", r"[\w.+/=-]{16,}")
_KEY = re.compile(r"\b((?:TEST|LIVE)_[SR]U_|[TL]_S_)[\w-]{8,}", re.ASCII)


class Secret(Generic[T]):
    """A value that only `reveal()` shows: not print, not repr, not pickle, not a traceback."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Give the value; the call is the place where a reviewer looks."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, spec: str) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def mask_number(number: str) -> str:
    """Mask a card number to its first six and last four digits (PCI DSS 4.0.1, 3.4.1)."""
    if len(number) < 12:
        return "*" * len(number)
    return number[:6] + "*" * (len(number) - 10) + number[-4:]


def luhn(number: str) -> bool:
    """Say whether a row of digits carries a right check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def scrub(text: str) -> str:
    """Mask whatever in a text looks like a card number, a track, a security code, a PIN, a
    payment token or a merchant's service key.

    A card number is 12 to 19 digits with a right check digit, in one row or in groups with spaces
    or dashes between them. It is found wherever its groups stand, also behind a date or before an
    expiry; of a number that could be several, the middle of each is masked.
    """
    text = _TRACK.sub("[track]", text)
    for pattern in (_CODE, _PIN, _PIN_BLOCK, _KEY, _TOKEN):
        text = pattern.sub(r"\1***", text)
    return _ROW.sub(_mask_numbers, text)


def _mask_numbers(match: re.Match[str]) -> str:
    row = match[0]
    places = [place for place, letter in enumerate(row) if letter not in " -"]
    digits = "".join([row[place] for place in places])
    starts = [i for i, place in enumerate(places) if not i or place > places[i - 1] + 1]
    ends = {*starts[1:], len(digits)}
    masked = list(row)
    for start in starts:
        for end in range(start + NUMBER_DIGITS_MIN, start + NUMBER_DIGITS_MAX + 1):
            if end in ends and luhn(digits[start:end]):
                for place in places[start + 6 : end - 4]:
                    masked[place] = "*"
    return "".join(masked)
