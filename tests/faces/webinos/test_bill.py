"""Bills: which may be paid, and exactly how much."""

import json as plain
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tollbridge.faces.webinos import bill
from tollbridge.faces.webinos.bill import Manner
from tollbridge.faces.webinos.outcome import Failed
from tollbridge.ground.currency import CURRENCIES, currency
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.testing.clock import START
from tollbridge.wire import json

GOOD = {"productID": "B-1", "currency": "EUR", "itemPrice": "25.96"}


def read(manner=Manner.PLAIN, zero=False, **members):
    fields = {name: value for name, value in (GOOD | members).items() if value != "-"}
    return bill.read(json.read(plain.dumps(fields)), manner, START, zero=zero)


def number(text, name="itemPrice", manner=Manner.PLAIN, **members):
    """Read a bill with a number written exactly so."""
    fields = plain.dumps(GOOD | {name: "@"} | members).replace('"@"', text)
    return bill.read(json.read(fields), manner, START)


def why(manner=Manner.PLAIN, **members):
    with pytest.raises(Failed) as failed:
        read(manner, **members)
    assert failed.value.problem.code == "payment_charge_failed"
    assert not failed.value.problem.retry
    return failed.value.problem.reason


@pytest.mark.req("N-035", "N-099")
def test_the_amount_is_the_number_as_it_is_written():
    assert number("25.96").money.amount_minor == 2596
    assert number("0.1").money.amount_minor == 10
    assert number("9999999999999.99").money.amount_minor == 999_999_999_999_999
    assert number("25").fields["itemPrice"] == "25"
    assert number("25.960").fields["itemPrice"] == "25.960"
    assert read(itemPrice="25.96").money.amount_minor == 2596
    assert number("2.596e1").money.amount_minor == 2596


@pytest.mark.req("N-036", "N-037", "N-038")
def test_amount_currency_and_id_are_mandatory():
    assert why(itemPrice="-") == "amount_missing"
    assert why(itemPrice=None) == "amount_missing"
    assert why(currency="-") == "currency_missing"
    assert why(currency=None) == "currency_missing"
    assert why(productID="-") == "bill_id_missing"
    assert why(productID="", description="  ") == "bill_id_missing"
    for value in (None, "bill", 1, []):
        with pytest.raises(Failed):
            bill.read(value, Manner.PLAIN, START)


@pytest.mark.req("N-038", "N-041")
def test_a_description_serves_as_id_where_the_provider_is_not_strict():
    seed = {"description": "Bill 123456", "currency": "EUR", "itemPrice": 25.96}
    assert read(productID="-", **{k: v for k, v in seed.items() if k != "itemPrice"}).id == (
        "Bill 123456"
    )
    assert why(Manner.STRICT, productID="-", description="Bill 123456") == "bill_id_missing"
    assert read(description="-").id == "B-1"


@pytest.mark.req("N-039")
def test_a_bill_is_for_one():
    for count in (2, 0, -1, "2", 1.5, "1", 2**32, True, [], {}):
        assert why(itemCount=count) in ("item_count", "item_invalid"), count
    for count in ("-", 1, None, 1.0):
        assert read(itemCount=count).money.amount_minor == 2596
    assert read(Manner.COMPAT, itemCount=" 1 ").money.amount_minor == 2596
    assert why(Manner.COMPAT, itemCount="2") == "item_count"


@pytest.mark.req("N-040")
def test_both_prices_are_the_same():
    assert read(itemPrice=3.14, itemsPrice=3.14).money.amount_minor == 314
    assert number("3.140", itemsPrice=3.14).money.amount_minor == 314
    assert read(itemPrice="-", itemsPrice=3.14).money.amount_minor == 314
    assert why(itemPrice=3.14, itemsPrice=3.15) == "prices_differ"


@pytest.mark.req("N-042", "N-044")
def test_below_zero_is_a_refund_and_zero_is_nothing():
    back = read(itemPrice="-14.99")
    assert (back.kind, back.amount.amount_minor, back.money.decimal()) == ("refund", 1499, "-14.99")
    for nothing in ("0", "0.00", "-0.00", 0):
        assert why(itemPrice=nothing) == "amount_zero"
    assert read(itemPrice=0, zero=True).kind == "charge"


@pytest.mark.req("N-052")
def test_currencies_are_those_of_the_list():
    for code in ("eur", "EU", "EURO", "978", "XXZ", "XXX", "", "ＥＵＲ", 978, []):
        assert why(currency=code) in ("currency_unknown", "item_invalid"), code
    assert why(currency="DEM") == "currency_not_supported"
    assert read(currency="JPY", itemPrice=500).money.amount_minor == 500
    assert read(currency="JPY", itemPrice="500.00").money.amount_minor == 500
    assert read(currency="BHD", itemPrice="1.234").money.amount_minor == 1234


@pytest.mark.req("N-053")
def test_prices_are_finite_and_never_rounded():
    assert why(itemPrice="25.961") == "amount_too_precise"
    assert why(currency="JPY", itemPrice="0.5") == "amount_too_precise"
    for price in ("", " 25.96", "25.96 ", "1e2", "+5", "5.", ".5", "05", "1,5", "0x10", "NaN",
                  "Infinity", "٣", "9" * 41, True, [25.96], {"a": 1}):  # fmt: skip
        assert why(itemPrice=price) in ("amount_invalid", "item_invalid"), price
    for text in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(RemoteProtocolError):
            number(text)
    assert why(itemPrice="99999999999999999") == "amount_too_large"
    for text in ("1e999", "1e-999", "0e999"):
        with pytest.raises(Failed):
            number(text)


@pytest.mark.req("N-039", "N-053")
def test_texts_are_numbers_for_the_original_client_and_not_for_a_strict_provider():
    for text, minor in (("5.51", 551), (" 5.51\n", 551), ("5.5e0", 550), ("+5", 500), (".5", 50)):
        assert read(Manner.COMPAT, itemPrice=text).money.amount_minor == minor
    for text in ("", "5,51", "abc", "0x10", "Infinity", "1e999"):
        assert why(Manner.COMPAT, itemPrice=text) == "amount_invalid"
    assert why(Manner.STRICT, itemPrice="25.96") == "amount_invalid"
    assert number("25.96", manner=Manner.STRICT).money.amount_minor == 2596
    assert read(Manner.COMPAT, productID=12345).id == "12345"
    assert why(productID=12345) == "item_invalid"


@pytest.mark.req("N-056")
def test_unknown_members_are_kept():
    fields = read(colour="red", weight=1.25, more={"of": [1, None, True]}).fields
    assert (fields["colour"], fields["weight"]) == ("red", "1.25")
    assert fields["more"] == {"of": [1, None, True]}


@pytest.mark.req("N-035")
def test_bills_are_not_larger_than_bills_are():
    assert read(description="d" * 1000)
    assert why(description="d" * 1001) == "too_long"
    assert why(unknown="d" * 9000) == "too_long"


# Items


def items(*values, code="EUR"):
    return bill.read_items(json.read(plain.dumps(list(values))), Manner.PLAIN, currency(code))


def no_items(*values, code="EUR"):
    with pytest.raises(Failed) as failed:
        items(*values, code=code)
    return failed.value.problem.reason


@pytest.mark.req("N-025", "N-056")
def test_items_may_be_none_and_say_nothing():
    assert bill.read_items(None, Manner.PLAIN, currency("EUR")) == []
    assert items() == []
    assert items({}) == [{}]


@pytest.mark.req("N-034", "N-043", "N-050", "N-051", "N-055")
def test_items_are_kept_as_they_are():
    line = {"productID": "A", "description": "<b>", "currency": "USD", "itemPrice": -14.99,
            "itemCount": 3, "itemsPrice": 2.00, "colour": "red"}  # fmt: skip
    (kept,) = items(line)
    assert kept == line | {"itemPrice": "-14.99", "itemsPrice": "2.0"}


@pytest.mark.req("N-034", "N-052", "N-053", "N-054")
def test_malformed_items_are_refused():
    for wrong in (1, "x", None, [], True):
        assert no_items(wrong) == "item_invalid"
    for count in (-1, 1.5, 2**32, "1"):
        assert no_items({"itemCount": count}) == "item_count"
    assert items({"itemCount": 2**32 - 1})
    assert items({"itemCount": 0})
    assert no_items({"currency": "XXZ"}) == "currency_unknown"
    assert no_items({"itemPrice": 1.234}) == "amount_too_precise"
    assert items({"itemPrice": 1.234, "currency": "BHD"})
    assert no_items({"itemPrice": 1.5}, code="JPY") == "amount_too_precise"
    assert no_items({"description": 5}) == "item_invalid"
    assert no_items(*[{}] * 201) == "too_many_items"
    with pytest.raises(Failed):
        bill.read_items({"a": 1}, Manner.PLAIN, currency("EUR"))


# In general

CODES = [code for code, unit in CURRENCIES.items() if unit.accepts_payments(date(2026, 3, 1))]


@pytest.mark.req("N-052", "N-053", "N-099")
@given(some.sampled_from(CODES), some.integers(-(10**15), 10**15).filter(bool), some.booleans())
def test_every_amount_goes_in_and_out_unchanged(code, minor, as_text):
    exponent = CURRENCIES[code].exponent
    text = str(Decimal(minor).scaleb(-exponent).quantize(Decimal(1).scaleb(-exponent)))
    price = plain.dumps(text) if as_text else text
    fields = f'{{"productID":"B","currency":"{code}","itemPrice":{price}}}'
    read_ = bill.read(json.read(fields), Manner.PLAIN, START)
    assert read_.money.amount_minor == minor
    assert read_.money.decimal() == text
    assert read_.fields["itemPrice"] == text


ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers(-10**17, 10**17) | some.text(max_size=9)
    | some.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: some.lists(inner, max_size=3)
    | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
MEMBERS = ("productID", "description", "currency", "itemPrice", "itemsPrice", "itemCount")


@pytest.mark.req("N-026", "N-035")
@given(
    some.dictionaries(some.sampled_from(MEMBERS) | some.text(max_size=5), ANYTHING) | ANYTHING,
    some.sampled_from(list(Manner)),
)
def test_anything_is_a_bill_or_refused(value, manner):
    for reader in (
        lambda: bill.read(value, manner, START),
        lambda: bill.read_items(value, manner, currency("EUR")),
    ):
        with suppress(Failed):
            made = reader()
            json.write(made.fields if isinstance(made, bill.Bill) else made)


@pytest.mark.req("N-077")
@given(some.dictionaries(some.text(max_size=5), ANYTHING, max_size=4))
def test_the_digest_of_a_bill_knows_no_order(fields):
    turned = dict(reversed(list(fields.items())))
    assert bill.digest(fields) == bill.digest(turned)
