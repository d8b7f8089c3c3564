"""JSON, read strictly: no duplicate keys, no floats where money could be, bounded in every way.

Shares its name with the standard library on purpose; imports are absolute.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tollbridge.ground.errors import RemoteProtocolError

DEPTH_MAX = 16
INTEGER_DIGITS_MAX = 18
FRACTION_LETTERS_MAX = 40
EXPONENT_DIGITS_MAX = 3
TEXT_BYTES_MAX = 1 << 20

_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
)

_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([{}\[\]])', re.DOTALL)
"""Finds texts whole, and brackets outside them, which alone are a group."""


def write(value: object) -> bytes:
    """Write a value compactly, in UTF-8, keys in the order given."""
    return _encoder.encode(value).encode()


def read(data: bytes | str, *, what: str = "message", last_of_equal_keys: bool = False) -> Any:
    """Read one JSON value.

    Of two equal keys in an object, none is right, or with `last_of_equal_keys` the last.

    Numbers with a fraction or an exponent become Decimal. Raises RemoteProtocolError naming the
    rule: not UTF-8, not JSON, a duplicate key, NaN, too deep (16), too long a number (an integer of
    18 digits; with a fraction or an exponent 40 letters, 3 of them the exponent's digits).
    """
    if len(data) > TEXT_BYTES_MAX:
        raise RemoteProtocolError(f"{what}: longer than {TEXT_BYTES_MAX} bytes")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RemoteProtocolError(f"{what}: not UTF-8 at byte {error.start}") from None
    if text.count("{") + text.count("[") > DEPTH_MAX and _depth(text) > DEPTH_MAX:
        raise RemoteProtocolError(f"{what}: nested deeper than {DEPTH_MAX}")
    try:
        value = (_lenient if last_of_equal_keys else _decoder).decode(text)
        if "\\u" in text or isinstance(data, str):
            _refuse_lone_surrogates(value)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise RemoteProtocolError(f"{what}: not JSON, {error.msg} at {where}") from None
    except UnicodeEncodeError:
        raise RemoteProtocolError(f"{what}: half of a surrogate pair is not a character") from None
    return value


def read_object(data: bytes | str, *, what: str = "message") -> dict[str, Any]:
    """Read one JSON object, as `read` does; anything else raises RemoteProtocolError."""
    value = read(data, what=what)
    if not isinstance(value, dict):
        raise RemoteProtocolError(f"{what}: a JSON object is expected")
    return value


def _refuse_lone_surrogates(value: object) -> None:
    match value:
        case str():
            value.encode()
        case list():
            for item in value:
                _refuse_lone_surrogates(item)
        case dict():
            for key, item in value.items():
                key.encode()
                _refuse_lone_surrogates(item)


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        if bracket in {"{", "["}:
            depth += 1
            deepest = max(deepest, depth)
        elif bracket:
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RemoteProtocolError(f"the key {twice!r:.40} appears twice in one object")
    return value


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > INTEGER_DIGITS_MAX:
        raise RemoteProtocolError(f"an integer has more than {INTEGER_DIGITS_MAX} digits")
    return int(digits)


def _fraction(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2].lstrip("+-")
    if len(text) > FRACTION_LETTERS_MAX or len(exponent) > EXPONENT_DIGITS_MAX:
        raise RemoteProtocolError("too long a number with a fraction or an exponent")
    return Decimal(text)


def _constant(name: str) -> object:
    raise RemoteProtocolError(f"{name} is not JSON")


def _decoder_of(pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=pairs,
        parse_int=_integer,
        parse_float=_fraction,
        parse_constant=_constant,
        strict=True,
    )


_decoder = _decoder_of(_object)
_lenient = _decoder_of(dict)
