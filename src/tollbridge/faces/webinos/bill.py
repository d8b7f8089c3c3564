"""Bills and their items: what may be paid, read without ever making a float of a price.

Three manners: STRICT (prices are JSON numbers, a productID on every bill), PLAIN (prices are
numbers or plain decimal texts) and COMPAT, for the original client, which takes what JavaScript
would take for a number. See REQUIREMENTS C1 to C9 and N-031 to N-056.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn

from tollbridge.faces.webinos.outcome import Failed, charge
from tollbridge.ground.clock import Instant, day
from tollbridge.ground.currency import CURRENCIES, Currency
from tollbridge.ground.money import AMOUNT_MINOR_MAX, Money
from tollbridge.wire import json

ITEMS_MAX = 200
LETTERS_MAX = 1000
BILL_BYTES_MAX = 8192
ITEM_BYTES_MAX = 4096
COUNT_MAX = 2**32 - 1
DIGITS_MAX = 40
KINDS = ("charge", "refund")
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_AS_SCRIPTS_READ = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_CODE = re.compile(r"[A-Z]{3}", re.ASCII)


class Manner(Enum):
    """How a bill is read."""

    STRICT = "strict"
    PLAIN = "plain"
    COMPAT = "compat"


@dataclass(frozen=True, slots=True)
class Bill:
    """A valid bill. `fields` is the bill as sent, its numbers written as decimal texts.

    `money` is above or below zero as the bill is; `id` is what the merchant knows it by.
    """

    fields: Mapping[str, Any]
    money: Money
    id: str

    @property
    def kind(self) -> str:
        """Say "charge" or "refund"."""
        return "refund" if self.money.amount_minor < 0 else "charge"

    @property
    def amount(self) -> Money:
        """What moves, one way or the other."""
        return -self.money if self.money.amount_minor < 0 else self.money

    @property
    def hash(self) -> str:
        """SHA-256 over the bill, in base64url: see `digest`."""
        return digest(self.fields)


def read(value: object, manner: Manner, now: Instant, *, zero: bool = False) -> Bill:
    """Read a bill; with `zero`, nothing to pay is something to verify. Raises Failed."""
    if not isinstance(value, Mapping):
        _wrong("bill_missing", "A bill is needed.")
    _members(value, "the bill", BILL_BYTES_MAX)
    name = _text(value, "productID", manner, "the bill")
    description = _text(value, "description", manner, "the bill").strip()
    if manner is not Manner.STRICT:
        name = name or description
    if not name:
        _wrong("bill_id_missing", "The bill has no productID that tells it from others.")
    unit = _currency(value, "the bill")
    if unit is None:
        _wrong("currency_missing", "The bill says no currency.")
    count = _count(value, manner, "the bill")
    if count not in (None, 1):
        _wrong("item_count", "The itemCount of a bill is 1.")
    first = _price(value, "itemPrice", manner, "the bill")
    second = _price(value, "itemsPrice", manner, "the bill")
    if first is None and second is None:
        _wrong("amount_missing", "The bill says no amount.")
    if None not in (first, second) and first != second:
        _wrong("prices_differ", "itemPrice and itemsPrice of a bill are the same.")
    price = second if first is None else first
    assert price is not None
    money = _money(price, unit, "the bill")
    if money.amount_minor == 0 and not zero:
        _wrong("amount_zero", "There is nothing to pay.")
    if money.amount_minor >= 0 and not unit.accepts_payments(day(now)):
        _wrong("currency_not_supported", f"{unit.code} takes no new payments.")
    return Bill(written(value), money, name)


def read_items(value: object, manner: Manner, currency: Currency) -> list[Mapping[str, Any]]:
    """Read the lines of a bill, which inform and change nothing. Raises Failed."""
    if value is None:
        return []
    if not isinstance(value, list):
        _wrong("item_invalid", "The itemList is a list of items.")
    if len(value) > ITEMS_MAX:
        _wrong("too_many_items", f"An itemList has at most {ITEMS_MAX} items.")
    for number, item in enumerate(value, 1):
        where = f"item {number}"
        if not isinstance(item, Mapping):
            _wrong("item_invalid", f"{where} is not an item.")
        _members(item, where, ITEM_BYTES_MAX)
        unit = _currency(item, where) or currency
        _count(item, manner, where)
        for name in ("productID", "description"):
            _text(item, name, manner, where)
        for name in ("itemPrice", "itemsPrice"):
            price = _price(item, name, manner, where)
            if price is not None:
                _money(price, unit, where)
    return [written(item) for item in value]


def written(value: Any) -> Any:
    """Give a JSON value with every number that is no count as the decimal text it stands for."""
    match value:
        case Decimal():
            return _plain(value)
        case Mapping():
            return {
                name: str(item)
                if name in ("itemPrice", "itemsPrice") and type(item) is int
                else written(item)
                for name, item in value.items()
            }
        case list():
            return [written(item) for item in value]
        case _:
            return value


def digest(value: object) -> str:
    """Give SHA-256, in base64url, over a JSON value with its keys sorted and without spaces."""
    plain = hashlib.sha256(json.write(_sorted(written(value)))).digest()
    return urlsafe_b64encode(plain).decode().rstrip("=")


def _sorted(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _sorted(value[name]) for name in sorted(value)}
        case list():
            return [_sorted(item) for item in value]
        case _:
            return value


def _members(value: Mapping[str, Any], where: str, most: int) -> None:
    for name in ("itemPrice", "itemsPrice", "itemCount", "productID", "description", "currency"):
        if isinstance(value.get(name), bool | Mapping | list):
            _wrong("item_invalid", f"{name} of {where} is not what it should be.")
    for item in _decimals(value):
        if abs(item.adjusted()) > DIGITS_MAX:
            _wrong("amount_invalid", f"A number of {where} is too large or too small.")
    if len(json.write(written(value))) > most:
        _wrong("too_long", f"{where} is longer than {most} bytes.")


def _decimals(value: Any) -> Sequence[Decimal]:
    match value:
        case Decimal():
            return [value]
        case Mapping():
            return [found for item in value.values() for found in _decimals(item)]
        case list():
            return [found for item in value for found in _decimals(item)]
        case _:
            return []


def _text(value: Mapping[str, Any], name: str, manner: Manner, where: str) -> str:
    found = value.get(name)
    if found is None:
        return ""
    if manner is Manner.COMPAT and isinstance(found, int | Decimal):
        return str(found)
    if not isinstance(found, str):
        _wrong("item_invalid", f"{name} of {where} is a text.")
    if len(found) > LETTERS_MAX:
        _wrong("too_long", f"{name} of {where} has at most {LETTERS_MAX} letters.")
    return found


def _currency(value: Mapping[str, Any], where: str) -> Currency | None:
    code = value.get("currency")
    if code is None:
        return None
    found = CURRENCIES.get(code) if isinstance(code, str) and _CODE.fullmatch(code) else None
    if found is None or found.exponent is None:
        _wrong("currency_unknown", f"The currency of {where} is not one of ISO 4217.")
    return found


def _count(value: Mapping[str, Any], manner: Manner, where: str) -> int | None:
    count = value.get("itemCount")
    if count is None:
        return None
    if manner is Manner.COMPAT and isinstance(count, str):
        count = _number(count, manner)
    if isinstance(count, Decimal) and count == count.to_integral_value():
        count = int(count)
    if type(count) is not int or not 0 <= count <= COUNT_MAX:
        _wrong("item_count", f"itemCount of {where} is a whole number up to {COUNT_MAX}.")
    return count


def _price(value: Mapping[str, Any], name: str, manner: Manner, where: str) -> Decimal | None:
    price = value.get(name)
    if price is None:
        return None
    if isinstance(price, int):
        return Decimal(price)
    if isinstance(price, Decimal):
        return price
    found = _number(price, manner) if manner is not Manner.STRICT else None
    if found is None:
        _wrong("amount_invalid", f"{name} of {where} is not a decimal number.")
    return found


def _number(text: str, manner: Manner) -> Decimal | None:
    if manner is Manner.COMPAT:
        text = text.strip()
    if len(text) > DIGITS_MAX:
        return None
    if not (_AS_SCRIPTS_READ if manner is Manner.COMPAT else _PLAIN).fullmatch(text):
        return None
    number = Decimal(text)
    return number if abs(number.adjusted()) <= DIGITS_MAX else None


def _money(price: Decimal, unit: Currency, where: str) -> Money:
    """Turn a price into minor units, exactly. Raises Failed where it has parts of one."""
    sign, digits, exponent = price.as_tuple()
    assert isinstance(exponent, int), "JSON has neither NaN nor infinity"
    minor = int("".join(map(str, digits)) or "0")
    shift = exponent + (unit.exponent or 0)
    if shift >= 0:
        minor *= 10**shift
    else:
        minor, rest = divmod(minor, 10**-shift)
        if rest:
            said = f"{unit.code} has {unit.exponent} digits after the point, {where} has more."
            _wrong("amount_too_precise", said)
    if minor > AMOUNT_MINOR_MAX:
        _wrong("amount_too_large", f"The amount of {where} is too large.")
    return Money(-minor if sign else minor, unit)


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _wrong(reason: str, message: str) -> NoReturn:
    raise Failed(charge(reason, message))
