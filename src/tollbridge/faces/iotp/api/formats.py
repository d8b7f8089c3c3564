"""How values are written in attributes: amounts, times, tokens (RFC 3867, 3.2)."""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant, moment

_NAME_LETTERS = (
    r"\-.0-9:A-Z_a-z\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u037d\u037f-\u1fff\u200c\u200d"
    r"\u203f\u2040\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd"
    "\U00010000-\U000effff"
)
_PLAIN_TOKEN = re.compile(r"[\-.0-9:A-Z_a-z]+", re.ASCII)
_TOKEN = re.compile(f"[{_NAME_LETTERS}]+")
_AMOUNT = re.compile(r"(?:\d{1,20}(?:\.\d{1,20})?|\.\d{1,20})", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?"
    r"(?:Z(?:([+-]\d{1,2}))?|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_SPACES = re.compile("[ \t\r\n]+")
_NEVER_FIRST = "-.0123456789\u00b7\u203f\u2040" + "".join(map(chr, range(0x300, 0x370)))
HOURS_MAX = 14


@lru_cache(maxsize=512)
def is_token(text: str) -> bool:
    """Say whether a text is an NMTOKEN (XML 1.0, 2.3)."""
    return (_PLAIN_TOKEN.fullmatch(text) or _TOKEN.fullmatch(text)) is not None


def is_name(text: str) -> bool:
    """Say whether a text may be an ID: a token that begins with a letter or `_`."""
    return is_token(text) and text[0] not in _NEVER_FIRST


@lru_cache(maxsize=512)
def plain(text: str) -> str:
    """Write blanks in a token or in a list of tokens as XML does: single, none at the ends."""
    return _SPACES.sub(" ", text).strip(" ")


def amount(text: str) -> Decimal | None:
    """Read an amount in whole and fractional units; None when it is none. No sign, no exponent."""
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def write_amount(value: Decimal) -> str:
    """Write an amount, its digits as they are."""
    return f"{value:f}"


@lru_cache(maxsize=256)
def instant(text: str) -> Instant | None:
    """Read a time such as `1999-08-09T12:58:40.000Z+9`; None when it is none.

    The number behind Z is the offset from GMT in hours. Without fraction, without number and with
    an offset in ISO 8601's way it is read, too (D-05).
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = [int(part) for part in found.groups()[:6]]
    micro = int((found[7] or "0").ljust(6, "0"))
    offset = timedelta(hours=int(found[8] or "0"))
    if found[9]:
        away = timedelta(hours=int(found[10]), minutes=int(found[11]))
        offset = -away if found[9] == "-" else away
    if abs(offset) > timedelta(hours=HOURS_MAX):
        return None
    try:
        at = datetime(year, month, day, hour, minute, second, micro, timezone(offset))
        since = at - moment(Instant(0))
    except (ValueError, OverflowError):
        return None
    return Instant(since // timedelta(microseconds=1))


@lru_cache(maxsize=256)
def write_instant(at: Instant) -> str:
    """Write a time as the standard's example does, in GMT and to the millisecond."""
    whole = moment(Instant(at - at % MICROSECONDS_PER_S)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole.rjust(19, '0')}.{at // 1000 % 1000:03d}Z+0"
