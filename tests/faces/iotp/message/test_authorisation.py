"""What payment and delivery handlers check before they begin (RFC 2801, 6)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState
from tollbridge.faces.iotp.message import authorisation as a
from tollbridge.faces.iotp.message.faults import Fault, Unreadable
from tollbridge.faces.iotp.message.signing import SignatureKind, Verified
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.money import Money

TALK = t.purchase()
ASKED = TALK.messages[3].blocks[0]
DELIVERED = TALK.messages[7].blocks[0]
NO_FAULT = Fault(ErrorCode.UNKNOWN_ERROR, "/", "wrong", "-")


@pytest.mark.req("IX-177", "IX-178", "IX-180", "I-193")
def test_what_was_chosen_is_found():
    found = a.chosen(ASKED, "BANK.example")
    assert found.brand.brand_id == "VISA"
    assert found.protocol_brand.protocol_brand_id == "visa"
    assert found.pay_protocol.protocol_id == "CARDv1.0"
    assert a.money(found.currency_amount) == Money.of(2490, "EUR")
    assert (found.handler.org_id, found.merchant.org_id) == ("bank.example", "shop.example")
    assert a.payment_faults(ASKED, "bank.example", t.AT) == ()


@pytest.mark.req("IX-177")
@pytest.mark.parametrize(
    ("field", "value", "attribute"),
    [
        ("brand_list_ref", "M1.60", "BrandListRef"),
        ("brand_ref", "M1.59", "BrandRef"),
        ("protocol_amount_ref", "M1.59", "ProtocolAmountRef"),
        ("protocol_amount_ref", "M1.54", "ProtocolAmountRef"),
        ("currency_amount_ref", "M1.59", "CurrencyAmountRef"),
        ("currency_amount_ref", "M1.56", "CurrencyAmountRef"),
    ],
)
def test_a_selection_that_fits_nothing_is_refused(field, value, attribute):
    block = replace(ASKED, brand_selection=replace(ASKED.brand_selection, **{field: value}))
    (fault,) = a.payment_faults(block, "bank.example", t.AT)
    assert (fault.attribute, fault.code) == (attribute, ErrorCode.EL_INCONSISTENT)


@pytest.mark.req("IX-177")
def test_two_of_what_there_is_one_of_are_refused():
    brands = ASKED.brand_list.brands
    twice = replace(ASKED, brand_list=replace(ASKED.brand_list, brands=(*brands, brands[0])))
    with pytest.raises(Unreadable, match="leads to 2"):
        a.chosen(twice, "bank.example")
    other = replace(ASKED, payment=replace(ASKED.payment, brand_list_ref="M1.60"))
    with pytest.raises(Unreadable):
        a.chosen(other, "bank.example")


@pytest.mark.req("IX-178", "IX-181")
def test_who_is_named_must_be_us():
    with pytest.raises(Unreadable, match="another PaymentHandler"):
        a.chosen(ASKED, "other.example")
    orgs = tuple(one for one in ASKED.orgs if not one.plays("PaymentHandler"))
    with pytest.raises(Unreadable, match="names one PaymentHandler"):
        a.chosen(replace(ASKED, orgs=orgs), "bank.example")
    for merchants in (ASKED.orgs[1:], (ASKED.orgs[0], *ASKED.orgs)):
        with pytest.raises(Unreadable, match="one Merchant"):
            a.chosen(replace(ASKED, orgs=merchants), "bank.example")


@pytest.mark.req("IX-179")
def test_a_delivery_is_of_its_handler():
    assert a.delivered_by(DELIVERED, "courier.example").org_id == "courier.example"
    assert a.delivery_faults(DELIVERED, "courier.example", t.AT) == ()
    (fault,) = a.delivery_faults(DELIVERED, "bank.example", t.AT)
    assert "another DeliveryHandler" in fault.rule
    with pytest.raises(Unreadable):
        a.delivered_by(replace(DELIVERED, delivery=replace(DELIVERED.delivery,
                                                           action_org_ref=None)), "x")  # fmt: skip


@pytest.mark.req("IX-181")
@pytest.mark.parametrize(
    ("at", "code"),
    [(t.AT - 1, ErrorCode.VALUE_TOO_SMALL), (t.UNTIL + 1, ErrorCode.VALUE_TOO_LARGE)],
)
def test_it_is_not_too_early_and_not_too_late(at, code):
    (fault,) = a.payment_faults(ASKED, "bank.example", Instant(at))
    assert fault.code == code
    (fault,) = a.delivery_faults(DELIVERED, "courier.example", Instant(at))
    assert fault.code == code


@pytest.mark.req("IX-180", "IX-211")
def test_what_comes_before_has_succeeded():
    failed = replace(ASKED.statuses[0], process_state=ProcessState.FAILED)
    (fault,) = a.payment_faults(replace(ASKED, statuses=(failed,)), "bank.example", t.AT)
    assert fault.attribute == "ProcessState"
    (fault,) = a.delivery_faults(replace(DELIVERED, statuses=(failed,)), "courier.example", t.AT)
    assert fault.attribute == "ProcessState"


@pytest.mark.req("IX-182", "IX-193")
def test_every_component_but_the_selection_is_covered():
    want = {"M1.10", "M1.20", "M1.40", "M1.50", "M2.71", "M2.74"}
    offer = Verified(SignatureKind.OFFER_RESPONSE, "Shop.example", tuple(want))
    assert a.not_covered(ASKED, [offer]) == ()
    for name in want:
        fewer = replace(offer, covered=tuple(want - {name}))
        (fault,) = a.not_covered(ASKED, [fewer])
        assert name in fault.rule
    for wrong in (
        replace(offer, signer="thief.example"),
        replace(offer, kind=SignatureKind.PAYMENT_RESPONSE),
    ):
        assert {fault.value for fault in a.not_covered(ASKED, [wrong])} == want - {"M2.74"}
    for worthless in (replace(offer, for_us=False), replace(offer, faults=(NO_FAULT,))):
        assert len(a.not_covered(ASKED, [worthless])) == len(want)


@pytest.mark.req("IX-182")
def test_what_is_delivered_is_covered_by_the_merchant():
    found = {fault.value for fault in a.not_covered(DELIVERED, [])}
    assert found == {"M1.10", "M1.30", "M1.40", "M2.70", "M2.73"}


@pytest.mark.req("IX-060")
@pytest.mark.parametrize(
    ("amount", "code", "money"),
    [("24.90", "EUR", 2490), ("24.9", "EUR", 2490), ("24.9000", "EUR", 2490), ("500", "JPY", 500),
     ("500.00", "JPY", 500), ("0", "EUR", 0), ("1.234", "KWD", 1234)],
)  # fmt: skip
def test_an_amount_is_money_where_its_currency_has_the_digits(amount, code, money):
    one = replace(
        ASKED.brand_list.currency_amounts[0], amount=Decimal(amount), curr_code=code
    )  # fmt: skip
    assert a.money(one) == Money.of(money, code)


@pytest.mark.req("IX-060")
@pytest.mark.parametrize(("amount", "code", "kind"), [
    ("0.001", "EUR", "ISO4217-A"), ("500.5", "JPY", "ISO4217-A"), ("5", "Stamps", "x-stamps"),
    ("5", "XXX", "ISO4217-A"), ("5", "EUX", "ISO4217-A"),
])  # fmt: skip
def test_other_amounts_are_no_money_of_ours(amount, code, kind):
    one = replace(ASKED.brand_list.currency_amounts[0], amount=Decimal(amount), curr_code=code,
                  curr_code_type=kind)  # fmt: skip
    with pytest.raises(InvalidMoney):
        a.money(one)
