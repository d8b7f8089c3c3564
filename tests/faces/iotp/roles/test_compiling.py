"""What a Merchant makes of its settings and of what bridges accept (RFC 3867, 2.2)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.faces.iotp.roles.recording import Recorded, bought
from tests.faces.iotp.roles.trade import (
    BOOK,
    DEBIT,
    PAY_URL,
    SHOP,
    SHOP_URL,
    House,
    Person,
    item,
)
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.face import Begin
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import OfferRespBlk, TpoBlk
from tollbridge.faces.iotp.message.words import Role, StatusType, TransactionType
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.settings import Leg
from tollbridge.faces.iotp.schemes import card, purse


def first_of(house, name="book"):
    """The first message of a trade, as the shop makes it."""
    got = []

    async def main():
        flow = house.faces["M"].merchant.begin(name)
        got.append(codec.read(await house.flow("M", flow)))

    house.run(main)
    return got[0]


def asked(*legs, **more):
    return Recorded(item("book", *legs, **more))


def leg(amount="11.91", *, protocols=(card.PROTOCOL_ID,), **more):
    return Leg(DEBIT, Decimal(amount), "EUR", "A book", protocols=protocols, **more)


def doubled(change):
    """An answer whose protocol stands there twice, the second time changed."""

    def twist(answer):
        [one] = answer.result.protocol_items
        both = replace(answer.result, protocol_items=(one, replace(one, **change(one))))
        return replace(answer, result=both)

    return twist


@pytest.mark.req("I-096", "I-130", "I-132")
def test_trading_begins_when_the_shop_is_left_and_the_first_message_wakes_the_wallet():
    house = House()

    async def main():
        response = await house.flow("M", house.faces["M"].answer(Begin("nothing of ours")))
        assert response.status == 404
        assert await house.flow("M", store.deals("M")) == [], "looking around is no trade"
        assert await house.flow("C", store.deals("C")) == []
        house.person = Person(choose=wishes.Way.SUSPEND)
        await house.buy("book")
        [deal] = await house.flow("M", store.deals("M"))
        [mine] = await house.flow("C", store.deals("C"))
        assert (mine.name, mine.trans.iotp_trans_type) == (deal.name, TransactionType.PURCHASE)

    house.run(main)


@pytest.mark.req("I-097", "I-110", "I-131")
def test_the_options_say_who_trades_what_for_how_much_and_where():
    message = first_of(House())
    tpo = message.block(TpoBlk)
    [brands] = tpo.brand_lists
    assert brands.pay_direction == DEBIT
    assert {one.brand_id for one in brands.brands} == {"VISA", "Amex"}
    assert {one.protocol_id for one in brands.pay_protocols} == {card.PROTOCOL_ID}
    assert [one.amount for one in brands.currency_amounts] == [Decimal("11.91")]
    assert tpo.protocol_options.sender_net_locn == SHOP_URL
    [merchant] = [one for one in tpo.orgs if one.plays(Role.MERCHANT)]
    assert (merchant.org_id, merchant.legal_name) == (SHOP.org_id, SHOP.legal_name)
    [consumer] = [one for one in tpo.orgs if one.plays(Role.CONSUMER)]
    assert consumer.org_id.startswith("Consumer:")
    [handler] = [one for one in tpo.orgs if one.plays(Role.PAYMENT_HANDLER)]
    assert brands.pay_protocols[0].action_org_ref == handler.id
    assert brands.pay_protocols[0].pay_req_net_locn == PAY_URL


@pytest.mark.req("I-097")
def test_a_brand_with_a_discount_is_asked_about_and_offered_at_what_it_costs():
    house = asked(leg(discounted={"Amex": Decimal("11.00")}))
    traded = bought(house, "book", Person(instrument="amex"))
    assert traded.complete, traded
    [choice] = house.person.of(wishes.Choose)
    assert {(one.brand_id, one.amount) for one in choice.options} == {
        ("VISA", Decimal("11.91")), ("Amex", Decimal("11.00")),
    }  # fmt: skip
    assert house.taken() == 1100


@pytest.mark.req("I-100", "I-107")
def test_what_the_merchant_does_not_want_is_not_offered():
    [brands] = first_of(asked(leg(brands=("Amex",)))).block(TpoBlk).brand_lists
    assert [one.brand_id for one in brands.brands] == ["Amex"]
    by_purse = first_of(asked(leg("3.00", protocols=(purse.PROTOCOL_ID,)))).block(TpoBlk)
    assert [one.protocol_id for one in by_purse.brand_lists[0].pay_protocols] == [purse.PROTOCOL_ID]


@pytest.mark.req("I-095")
def test_bridges_give_brands_times_order_contents_and_data_for_the_payment_handler():
    house = asked(leg(brands=("VISA",)))

    def add(answer):
        content = Content(text="wrapped in blue", name="Card")
        return replace(answer, result=replace(answer.result, order_packaged_content=(content,)))

    house.twists = [("M", calls.GetPaymentInitializationData, add)]
    offer = first_of(house).block(OfferRespBlk)
    assert [one.text for one in offer.order.contents] == ["wrapped in blue"]
    [data] = offer.trading_role_data
    assert all(one.name.startswith("Payment:") for one in data.contents)
    house = asked(leg(brands=("VISA",)))
    later = []

    def postponed(answer):
        [call] = house.said(calls.GetPaymentInitializationData)
        later.append(call.ok_to + 1_000_000)
        return replace(answer, result=replace(answer.result, ok_to=later[0]))

    house.twists = [("M", calls.GetPaymentInitializationData, postponed)]
    [payment] = first_of(house).block(OfferRespBlk).payments
    assert payment.ok_to == later[0]


@pytest.mark.req("I-111")
def test_what_is_equal_stands_in_a_brand_list_once():
    [brands] = first_of(House()).block(TpoBlk).brand_lists
    visa, amex = brands.brands
    [way] = brands.protocol_amounts
    assert visa.protocol_amount_refs == amex.protocol_amount_refs == (way.id,)
    assert len(brands.currency_amounts) == len(brands.pay_protocols) == 1


@pytest.mark.req("I-111", "I-112")
def test_amounts_are_compared_by_what_they_mean():
    house = asked(leg(brands=("VISA",)))
    contents = (Content(text="another way", name="Way"),)

    def change(one):
        [money] = one.currency_amounts
        longer = replace(money, amount=Decimal("11.9100"))
        return {"protocol_amount_packaged_content": contents, "currency_amounts": (longer,)}

    house.twists = [("M", calls.FindAcceptedPaymentProtocol, doubled(change))]
    [brands] = first_of(house).block(TpoBlk).brand_lists
    assert len(brands.protocol_amounts) == 2
    [amount] = brands.currency_amounts
    assert {one.currency_amount_refs for one in brands.protocol_amounts} == {(amount.id,)}
    assert len(brands.pay_protocols) == 1


@pytest.mark.req("I-113", "I-114")
def test_contents_that_differ_are_not_shared_and_stay_together_in_their_order():
    house = asked(leg(brands=("VISA",)))
    split = (Content(text="first", name="A"), Content(text="second", name="B"))
    whole = (Content(text="first second", name="A"),)

    def first(answer):
        [one] = answer.result.protocol_items
        both = tuple(
            replace(one, pay_protocol_packaged_content=each, protocol_amount_packaged_content=each)
            for each in (split, whole)
        )
        return replace(answer, result=replace(answer.result, protocol_items=both))

    house.twists = [("M", calls.FindAcceptedPaymentProtocol, first)]
    [brands] = first_of(house).block(TpoBlk).brand_lists
    by_id = {one.id: one for one in brands.pay_protocols}
    found = [(by_id[one.pay_protocol_ref].contents, one.contents) for one in
             brands.protocol_amounts]  # fmt: skip
    assert found == [(split, split), (whole, whole)]
    assert len(brands.currency_amounts) == 1, "amounts have no contents: they are shared"


@pytest.mark.req("I-113")
def test_two_bridges_share_a_brand_but_nothing_of_their_schemes():
    house = House(item("book", leg(brands=("VISA",), protocols=())))
    first = {}
    house.around = lambda role, name, bridge: first.setdefault(role, bridge)
    [brands] = first_of(house).block(TpoBlk).brand_lists
    [visa] = brands.brands
    assert len(visa.protocol_amount_refs) == 2
    assert len(brands.pay_protocols) == len(brands.currency_amounts) == 2


@pytest.mark.req("I-115")
def test_the_wallet_hands_contents_on_as_they_came_to_bridges_of_every_scheme():
    house = asked(leg(brands=("VISA",)))
    strange = (Content(text="<&> of another scheme", name="X"),)

    def add(answer):
        [one] = answer.result.protocol_items
        more = replace(one, protocol_amount_packaged_content=strange)
        return replace(answer, result=replace(answer.result, protocol_items=(more,)))

    house.twists = [("M", calls.FindAcceptedPaymentProtocol, add)]
    assert bought(house, "book", Person(instrument="visa")).complete
    found = [name for _, name, call, _ in house.calls if call == "FindPaymentInstrument"]
    assert found == ["card", "purse"]
    for call in (*house.said(calls.FindPaymentInstrument), *house.said(calls.StartPaymentConsumer),
                 *house.said(calls.StartPaymentPaymentHandler)):  # fmt: skip
        assert call.protocol_amount_packaged_content == strange


@pytest.mark.req("I-120", "I-127")
@pytest.mark.parametrize("ask", [False, True])
def test_the_order_status_is_the_cores_own_or_asked_of_the_bridge(ask):
    house = Recorded(BOOK, ask_state=ask)
    assert bought(house, "book").complete
    assert ("InquireProcessState" in house.names("M")) is ask
    offer = codec.read(house.posts[0][2]).block(OfferRespBlk)
    assert offer.status.status_type == StatusType.OFFER
    assert (offer.status.el_ref, offer.status.process_state) == (offer.order.id, "CompletedOk")


@pytest.mark.req("IX-064")
def test_a_merchants_name_of_a_payment_stays_with_the_merchant():
    house = Recorded()
    assert bought(house, "load").complete
    names = {one.merchant_pay_id for one in house.said(calls.FindAcceptedPaymentBrand)}
    assert len(names) == 2
    said = b"".join(body + answer for _, body, answer in house.posts)
    assert not any(name.encode() in said for name in names)
    letters = []

    async def main():
        letters.extend(await house.letters("C", house.name_of()))

    house.run(main)
    assert not any(name.encode() in one.body for name in names for one in letters)
