"""Money: a whole number of minor units in a currency. No floats, and nothing rounds by itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tollbridge.ground.currency import Currency, currency
from tollbridge.ground.errors import InvalidMoney

AMOUNT_MINOR_MAX = 10**15
_DECIMAL = re.compile(r"(-?)(\d{1,16})(?:\.(\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (EUR 11.91 is 1191, KWD 1.000 is 1000, JPY 500 is 500).

    Raises InvalidMoney when the amount is not an int within 10**15 either way, or when the
    currency has no minor unit.
    """

    amount_minor: int
    currency: Currency

    def __post_init__(self) -> None:
        amount = self.amount_minor
        if type(amount) is not int or not -AMOUNT_MINOR_MAX <= amount <= AMOUNT_MINOR_MAX:
            raise InvalidMoney("an amount is a whole number of minor units, at most 10**15")
        if self.currency.exponent is None:
            raise InvalidMoney(f"{self.currency.code} has no minor unit")

    @classmethod
    def of(cls, amount_minor: int, code: str) -> "Money":
        """Make money from minor units and an ISO 4217 code."""
        return cls(amount_minor, currency(code))

    @classmethod
    def parse(cls, text: str, code: str) -> "Money":
        """Read a decimal such as "11.91"; more digits than the currency has are refused."""
        unit = currency(code)
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise InvalidMoney(f"{text!r:.24} is not a decimal amount")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        factor = unit.minor_per_unit
        if len(fraction) > (unit.exponent or 0):
            raise InvalidMoney(f"{code} has {unit.exponent} decimal digits, {text!r:.24} has more")
        padded = fraction.ljust(unit.exponent or 0, "0")
        amount_minor = int(whole) * factor + int(padded or "0")
        return cls(-amount_minor if sign else amount_minor, unit)

    def decimal(self) -> str:
        """Write the amount as a decimal with all digits of the currency, for example "11.91"."""
        exponent = self.currency.exponent or 0
        if exponent == 0:
            return str(self.amount_minor)
        digits = str(abs(self.amount_minor)).rjust(exponent + 1, "0")
        sign = "-" if self.amount_minor < 0 else ""
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"

    def number(self) -> str:
        """Write the amount as a JSON number in major units, without needless zeros: "19.5"."""
        text = self.decimal()
        return text.rstrip("0").rstrip(".") if "." in text else text

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency.code}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount_minor <= self._same(other)

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Divide by weights so that the parts sum to the whole (largest remainder, first wins).

        Raises InvalidMoney when a weight is negative or all are zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise InvalidMoney("weights are not negative, and at least one is not zero")
        sign = -1 if self.amount_minor < 0 else 1
        amount = abs(self.amount_minor)
        shares = [divmod(amount * weight, total) for weight in weights]
        parts = [share for share, _ in shares]
        by_remainder = sorted(range(len(parts)), key=lambda i: -shares[i][1])
        for i in by_remainder[: amount - sum(parts)]:
            parts[i] += 1
        return [Money(sign * part, self.currency) for part in parts]

    def in_successor(self) -> "Money":
        """Convert a withdrawn currency at its fixed rate, half away from zero to the minor unit.

        That is the rounding of Regulation (EC) 1103/97, article 5, which the later changes of
        currency follow. Raises InvalidMoney when the currency has no successor.
        """
        old = self.currency
        if old.successor is None or old.rate is None:
            raise InvalidMoney(f"{old.code} has no successor at a fixed rate")
        new = currency(old.successor)
        exact = self.amount_minor * new.minor_per_unit / (old.rate * old.minor_per_unit)
        rounded = int(abs(exact) + Fraction(1, 2))
        return Money(rounded if exact >= 0 else -rounded, new)

    def _same(self, other: "Money") -> int:
        if other.currency is not self.currency and other.currency != self.currency:
            raise InvalidMoney(f"{other.currency.code} cannot meet {self.currency.code}")
        return other.amount_minor
