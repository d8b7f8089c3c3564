"""Money is exact: it reads, writes, divides and converts without losing a minor unit."""

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.strategies import FIXED_RATE, PAYABLE, amounts_minor, codes, money
from tollbridge.ground.currency import currency
from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.money import AMOUNT_MINOR_MAX, Money

# code, decimal, minor units
READINGS = """
EUR  11.91              1191
EUR  11.9               1190
EUR  12                 1200
EUR  0.01               1
EUR  0                  0
EUR  -0.50              -50
EUR  007.10             710
JPY  500                500
JPY  -3                 -3
JPY  1000000000000000   1000000000000000
KWD  1.000              1000
KWD  0.001              1
CLF  0.0001             1
CLF  -12.3456           -123456
BGN  19.56              1956
"""

REFUSED = ["", " 1", "1 ", "+1", "1,50", ".5", "1.", "1e3", "--1", "0x1", "١", "1_0", "NaN", "1\n"]


@pytest.mark.req("P-084")
@pytest.mark.parametrize("row", READINGS.split("\n")[1:-1])
def test_a_decimal_is_read_into_minor_units_of_its_currency(row):
    code, text, minor = row.split()
    assert Money.parse(text, code) == Money.of(int(minor), code)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_a_plain_decimal_is_refused(text):
    with pytest.raises(InvalidMoney, match="is not a decimal amount"):
        Money.parse(text, "EUR")


@pytest.mark.parametrize(
    ("text", "code"), [("1.0", "JPY"), ("0.001", "EUR"), ("1.2345", "KWD"), ("0.00", "BIF")]
)
def test_more_digits_than_the_currency_has_are_refused_not_rounded(text, code):
    with pytest.raises(InvalidMoney, match="decimal digits"):
        Money.parse(text, code)


@given(amounts_minor, st.sampled_from(PAYABLE))
def test_what_is_written_is_read_back_in_every_currency(amount_minor, code):
    amount = Money.of(amount_minor, code)
    assert Money.parse(amount.decimal(), code) == amount


@pytest.mark.parametrize("code", PAYABLE)
def test_the_edges_are_read_back_in_every_currency(code):
    for amount_minor in (0, 1, -1, AMOUNT_MINOR_MAX, -AMOUNT_MINOR_MAX):
        amount = Money.of(amount_minor, code)
        assert Money.parse(amount.decimal(), code) == amount


@given(money)
def test_the_decimal_is_the_amount_with_all_digits_of_its_currency(amount):
    written = Decimal(amount.decimal())
    assert written == Decimal(amount.amount_minor).scaleb(-amount.currency.exponent)
    assert -written.as_tuple().exponent == amount.currency.exponent
    assert str(amount) == f"{amount.decimal()} {amount.currency.code}"


@pytest.mark.parametrize(
    "amount", [AMOUNT_MINOR_MAX + 1, -AMOUNT_MINOR_MAX - 1, 1.0, True, "1", None, Decimal(1)]
)
def test_only_whole_amounts_within_the_limit_are_money(amount):
    with pytest.raises(InvalidMoney):
        Money.of(amount, "EUR")


@pytest.mark.parametrize("text", ["999999999999999.99", "10000000000000.01", "9999999999999999"])
def test_a_decimal_above_the_limit_is_refused(text):
    with pytest.raises(InvalidMoney):
        Money.parse(text, "EUR")


@given(amounts_minor, amounts_minor, codes)
def test_money_of_one_currency_adds_and_compares_like_its_minor_units(one, other, code):
    a, b = Money.of(one, code), Money.of(other, code)
    assert (a < b, a <= b, a > b, a >= b, a == b) == (
        one < other,
        one <= other,
        one > other,
        one >= other,
        one == other,
    )
    assert -a == Money.of(-one, code)
    if abs(one) + abs(other) <= AMOUNT_MINOR_MAX:
        assert a + b == Money.of(one + other, code)
        assert a - b == Money.of(one - other, code)


def test_a_sum_above_the_limit_is_refused():
    with pytest.raises(InvalidMoney):
        Money.of(AMOUNT_MINOR_MAX, "EUR") + Money.of(1, "EUR")


def test_two_currencies_never_meet():
    euro, yen = Money.of(1, "EUR"), Money.of(1, "JPY")
    assert euro != yen
    for meet in (
        lambda: euro + yen,
        lambda: euro - yen,
        lambda: euro < yen,
        lambda: euro <= yen,
    ):
        with pytest.raises(InvalidMoney, match="JPY cannot meet EUR"):
            meet()


# Splitting


@given(money, st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_parts_sum_to_the_whole_and_are_fair_to_one_minor_unit(whole, weights):
    assume(sum(weights) > 0)
    parts = whole.split(weights)
    assert len(parts) == len(weights)
    assert {part.currency for part in parts} == {whole.currency}
    assert sum(part.amount_minor for part in parts) == whole.amount_minor
    for part, weight in zip(parts, weights, strict=True):
        exact = whole.amount_minor * weight
        assert abs(part.amount_minor * sum(weights) - exact) < sum(weights)
        assert weight or part.amount_minor == 0


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (5, [1, 1], [3, 2]),
        (10, [0, 3, 0], [0, 10, 0]),
        (1, [1, 2, 3], [0, 0, 1]),
        (0, [1, 1], [0, 0]),
    ],
)
def test_what_is_left_over_goes_to_the_largest_remainder_first_wins(amount, weights, parts):
    split = Money.of(amount, "EUR").split(weights)
    assert [part.amount_minor for part in split] == parts


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1], [2, -1]])
def test_weights_that_divide_nothing_are_refused(weights):
    with pytest.raises(InvalidMoney):
        Money.of(100, "EUR").split(weights)


# Converting what a withdrawn currency still has to move


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10.00 BGN", "5.11 EUR"),
        ("-10.00 BGN", "-5.11 EUR"),
        ("0.01 BGN", "0.01 EUR"),
        ("19.56 BGN", "10.00 EUR"),
        ("0.00 BGN", "0.00 EUR"),
        ("1936 ITL", "1.00 EUR"),
        ("1.00 IEP", "1.27 EUR"),
        ("1.00 CUC", "24.00 CUP"),
        ("5.00 SLL", "0.01 SLE"),
        ("4.99 SLL", "0.00 SLE"),
        ("-5.00 SLL", "-0.01 SLE"),
        ("3 MGF", "0.60 MGA"),
        ("7.40 ANG", "7.40 XCG"),
    ],
)
def test_a_withdrawn_amount_is_converted_half_away_from_zero(old, new):
    decimal, code = old.split()
    assert str(Money.parse(decimal, code).in_successor()) == new


@pytest.mark.parametrize("code", FIXED_RATE)
@settings(max_examples=20)
@given(amounts=st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_parts_converted_through_running_totals_sum_to_the_whole_converted(code, amounts):
    whole = Money.of(sum(amounts), code).in_successor()
    total, converted = Money.of(0, code), Money(0, whole.currency)
    for amount in amounts:
        before = total.in_successor()
        total += Money.of(amount, code)
        part = total.in_successor() - before
        assert part.amount_minor >= 0
        converted += part
    assert converted == whole


@given(st.sampled_from(FIXED_RATE), st.integers(-(10**9), 10**9))
def test_a_conversion_is_within_half_a_minor_unit(code, amount_minor):
    old = currency(code)
    new = currency(old.successor)
    converted = Money(amount_minor, old).in_successor()
    exact = amount_minor * new.minor_per_unit / (old.rate * old.minor_per_unit)
    assert abs(converted.amount_minor - exact) * 2 <= 1


@pytest.mark.parametrize("code", ["EUR", "JPY", "XCG"])
def test_a_currency_without_successor_is_not_converted(code):
    with pytest.raises(InvalidMoney, match="has no successor at a fixed rate"):
        Money.of(1, code).in_successor()
