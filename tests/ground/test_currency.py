"""The currencies are those of ISO 4217, and those that left it stay readable."""

from datetime import date
from fractions import Fraction

import iso4217
import pytest

from tollbridge.ground.currency import CURRENCIES, currency
from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.iso4217 import CURRENT, INTRODUCED, WITHDRAWN
from tollbridge.ground.money import Money

TODAY = date(2026, 3, 1)

# From PITFALLS 1, as published 2026-01-01.
EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    None: "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX",
}

# What the law fixed: withdrawn, last day of new payments, successor, units for one of it.
LAWS = """
BGN  2025-12-31  EUR  1.95583
HRK  2022-12-31  EUR  7.53450
LTL  2014-12-31  EUR  3.45280
EEK  2010-12-31  EUR  15.6466
SKK  2008-12-31  EUR  30.1260
DEM  2002-02-28  EUR  1.95583
ITL  2002-02-28  EUR  1936.27
IEP  2002-02-28  EUR  0.787564
ANG  2025-06-30  XCG  1
SLL  2023-12-31  SLE  1000
CUC  2021-06-30  CUP  1/24
ZWL  2024-08-31  ZWG  2498.7242
"""


def official():
    """The list of the maintenance agency, as a package of its own carries it."""
    return {unit.code: unit for unit in iso4217.Currency}


def test_the_current_codes_are_the_official_ones():
    assert {code for code, *_ in CURRENT} == set(official())


def test_numbers_exponents_and_names_are_the_official_ones():
    theirs = {
        code: (unit.number, unit.exponent, unit.currency_name) for code, unit in official().items()
    }
    assert {code: tuple(rest) for code, *rest in CURRENT} == theirs


@pytest.mark.parametrize("exponent", [0, 3, 4, None])
def test_the_unusual_exponents_are_known(exponent):
    ours = {code for code, _, found, _ in CURRENT if found == exponent}
    assert ours == set(EXPONENTS[exponent].split())


def test_all_other_currencies_have_two_digits():
    unusual = set(" ".join(EXPONENTS.values()).split())
    assert {unit for code, _, unit, _ in CURRENT if code not in unusual} == {2}


def test_no_code_is_both_current_and_withdrawn_or_listed_twice():
    codes = [code for code, *_ in CURRENT] + [code for code, *_ in WITHDRAWN]
    assert len(codes) == len(set(codes)) == len(CURRENCIES)


def test_a_currency_is_found_by_its_code():
    euro = currency("EUR")
    assert (euro.code, euro.number, euro.exponent, euro.name) == ("EUR", 978, 2, "Euro")
    assert str(euro) == "EUR"


@pytest.mark.parametrize("code", ["", "eur", "EU", "EURO", "978", "XXZ", "EUR ", "\x00" * 99])
def test_what_iso_4217_does_not_know_is_refused(code):
    with pytest.raises(InvalidMoney, match="is not an ISO 4217 currency code") as refused:
        currency(code)
    assert len(str(refused.value)) < 80


@pytest.mark.parametrize(
    ("code", "minor"), [("JPY", 1), ("EUR", 100), ("KWD", 1000), ("CLF", 10_000)]
)
def test_the_exponent_says_how_many_minor_units_make_one(code, minor):
    assert currency(code).minor_per_unit == minor


@pytest.mark.parametrize("code", EXPONENTS[None].split())
def test_without_a_minor_unit_there_is_no_money_and_no_payment(code):
    assert not currency(code).accepts_payments(TODAY)
    with pytest.raises(InvalidMoney, match="has no minor unit"):
        _ = currency(code).minor_per_unit
    with pytest.raises(InvalidMoney, match="has no minor unit"):
        Money.of(1, code)


def test_every_current_currency_with_a_minor_unit_takes_payments_today():
    refusing = {code for code, *_ in CURRENT if not currency(code).accepts_payments(TODAY)}
    assert refusing == set(EXPONENTS[None].split())


@pytest.mark.parametrize("row", LAWS.split("\n")[1:-1], ids=lambda row: row[:3])
def test_a_withdrawn_currency_has_the_last_day_and_the_rate_of_its_law(row):
    code, last_day, successor, rate = row.split()
    old = currency(code)
    assert old.valid_to == date.fromisoformat(last_day)
    assert (old.successor, old.rate) == (successor, Fraction(rate))


@pytest.mark.parametrize("code", [row[0] for row in WITHDRAWN])
def test_a_withdrawn_currency_is_readable_takes_no_payments_and_converts(code):
    old = currency(code)
    assert Money.parse("12", code).currency is old
    assert old.accepts_payments(old.valid_to)
    assert not old.accepts_payments(TODAY)
    assert Money.parse("1000000", code).in_successor().currency is currency(old.successor)


def test_the_lev_takes_payments_until_the_euro_comes():
    lev = currency("BGN")
    assert lev.accepts_payments(date(2025, 12, 31))
    assert not lev.accepts_payments(date(2026, 1, 1))


@pytest.mark.parametrize(("code", "first_day"), INTRODUCED.items())
def test_a_new_currency_takes_payments_from_its_first_day(code, first_day):
    first = date.fromisoformat(first_day)
    assert currency(code).accepts_payments(first)
    assert not currency(code).accepts_payments(date.fromordinal(first.toordinal() - 1))


def test_the_old_currency_and_its_successor_leave_no_day_between_them():
    for code, *_ in WITHDRAWN:
        old, new = currency(code), currency(currency(code).successor)
        assert new.valid_from is None or new.valid_from <= old.valid_to
