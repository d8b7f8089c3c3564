"""A card number names its brand, by the longest range that holds it."""

import pytest

from tollbridge.core.brands import BRANDS, BY_NAME, brand_of


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("4242424242424242", "Visa"),
        ("4506445006931933", "Interac"),
        ("4506446006931933", "Visa"),
        ("5105105105105100", "Mastercard"),
        ("5555555555554444", "Mastercard"),
        ("2221000000000009", "Mastercard"),
        ("2720990000000000", "Mastercard"),
        ("2220999999999999", None),
        ("2721000000000000", None),
        ("5000000000000000", "Maestro"),
        ("6799998900000099990", "Maestro"),
        ("6703444444444449", "Bancontact"),
        ("6704000000000000", "Maestro"),
        ("6720000000000000007", "girocard"),
        ("6759649826438453", "Maestro"),
        ("378282246310005", "American Express"),
        ("341111111111111", "American Express"),
        ("3056930009020004", "Diners Club"),
        ("36227206271667", "Diners Club"),
        ("6011111111111117", "Discover"),
        ("6440000000000000", "Discover"),
        ("6011000990139424", "Discover"),
        ("6000000000000000", "RuPay"),
        ("3566002020360505", "JCB"),
        ("3527000000000000", None),
        ("6200000000000005", "UnionPay"),
        ("6280000360000978", "eftpos"),
        ("6280010360000978", "UnionPay"),
        ("9792000000000000", "Troy"),
        ("9756000000000007", None),
        ("1234567890123456", None),
        ("", None),
    ],
)
def test_a_number_names_its_brand(number, name):
    brand = brand_of(number)
    assert (brand.name if brand else None) == name


def test_the_table_is_well_formed():
    assert len(BY_NAME) == len(BRANDS)
    for brand in BRANDS:
        assert brand.label
        if brand.application_id:
            assert bytes.fromhex(brand.application_id + "0" * (len(brand.application_id) % 2))
            assert 10 <= len(brand.application_id) <= 32
        for low, high in brand.ranges:
            assert low.isdigit()
            assert high.isdigit()
            assert len(low) == len(high)
            assert low <= high
