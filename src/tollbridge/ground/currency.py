"""Currencies: ISO 4217 with dates.

A currency that was withdrawn stays readable and refundable: an old payment keeps its amounts in
it, and what still has to move is converted at the rate the law fixed.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.iso4217 import CURRENT, INTRODUCED, WITHDRAWN


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency of ISO 4217.

    `exponent` is the number of decimal digits of the minor unit, None where the list names none
    (gold, test codes). `valid_to` is the last day on which a new payment may be made in it.
    `rate` says how many units make one unit of the `successor`, exactly.
    """

    code: str
    number: int
    exponent: int | None
    name: str
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None
    rate: Fraction | None = None

    def accepts_payments(self, day: date) -> bool:
        """Say whether a new payment may be made in this currency on `day` (UTC)."""
        return (
            self.exponent is not None
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_to is None or day <= self.valid_to)
        )

    @property
    def minor_per_unit(self) -> int:
        """How many minor units make one unit; raises InvalidMoney where there is none."""
        if self.exponent is None:
            raise InvalidMoney(f"{self.code} ({self.name}) has no minor unit")
        return int(10**self.exponent)

    def __str__(self) -> str:
        return self.code


def _table() -> dict[str, Currency]:
    table = {}
    for code, number, exponent, name in CURRENT:
        introduced = INTRODUCED.get(code)
        table[code] = Currency(
            code, number, exponent, name, date.fromisoformat(introduced) if introduced else None
        )
    for code, number, exponent, name, last_day, successor, rate in WITHDRAWN:
        table[code] = Currency(
            code,
            number,
            exponent,
            name,
            None,
            date.fromisoformat(last_day),
            successor,
            Fraction(rate) if rate else None,
        )
    return table


CURRENCIES: dict[str, Currency] = _table()


def currency(code: str) -> Currency:
    """Find a currency, current or withdrawn, by its alphabetic code.

    Raises InvalidMoney when ISO 4217 does not know the code.
    """
    found = CURRENCIES.get(code)
    if found is None:
        raise InvalidMoney(f"{code!r:.20} is not an ISO 4217 currency code")
    return found
