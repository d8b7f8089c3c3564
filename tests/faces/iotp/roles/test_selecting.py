"""How a Consumer chooses what to pay with (RFC 3867, 2.3)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.faces.iotp.roles.recording import Recorded, bought
from tests.faces.iotp.roles.trade import DEBIT, SHOP_URL, House, Person, item
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.elements import Content, PayInstrument
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import TpoSelectionBlk
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles.consumer import Buy, Consumer
from tollbridge.faces.iotp.roles.person import Way
from tollbridge.faces.iotp.roles.settings import Leg

ANYHOW = item("book", Leg(DEBIT, Decimal("11.91"), "EUR", "A book"))
"""By card or by purse."""


def options_of(house, name="book", person=None):
    bought(house, name, person or Person(choose=Way.SUSPEND))
    [choice] = house.person.of(wishes.Choose)
    return choice.options


@pytest.mark.req("I-133", "I-134")
def test_the_choice_says_what_the_brand_list_says_and_every_bridge_was_asked():
    house = Recorded(ANYHOW)
    options = options_of(house)
    assert {(one.bridge, one.brand_id, one.protocol_id, one.instrument_id) for one in options} == {
        ("card", "VISA", "TollbridgeCard-1.0", "visa"),
        ("card", "VISA", "TollbridgeCard-1.0", "visa-declined"),
        ("card", "Amex", "TollbridgeCard-1.0", "amex"),
        ("purse", "x-TollbridgePurse", "TollbridgePurse-1.0", "p1"),
    }
    assert {(one.direction, one.amount, one.currency) for one in options} == {
        (DEBIT, Decimal("11.91"), "EUR"),
    }  # fmt: skip
    sets = {(one.brand_id, one.protocol_id) for one in house.said(calls.FindPaymentInstrument)}
    asked = [name for _, name, call, _ in house.calls if call == "FindPaymentInstrument"]
    assert len(sets) == 3, "the sets together are exactly what the Merchant offers"
    assert (asked.count("card"), asked.count("purse")) == (3, 3)


@pytest.mark.req("I-144")
def test_what_the_wallet_cannot_do_is_not_to_be_chosen():
    house = Recorded(ANYHOW)

    async def main():
        only = {"purse": house.faces["C"].core.bridges.by_name["purse"]}
        house.faces["C"] = Consumer(only, house.clock, house.ids["C"])
        house.person = Person(choose=Way.SUSPEND)
        await house.buy("book")

    house.run(main)
    [choice] = house.person.of(wishes.Choose)
    assert [one.brand_id for one in choice.options] == ["x-TollbridgePurse"]


@pytest.mark.req("I-148")
def test_a_bridge_that_is_away_is_passed_over():
    house = Recorded(ANYHOW)
    away = Answer(error=refused(ErrorCode.TRANSPORT_ERROR, "the reader is unplugged").error)
    house.twists = [("C", calls.FindPaymentInstrument, away)]  # cards, for VISA
    assert {one.brand_id for one in options_of(house)} == {"Amex", "x-TollbridgePurse"}


@pytest.mark.req("I-137", "IX-089")
@pytest.mark.parametrize("found", [(), (PayInstrument(id="", pay_inst_name="whatever is in"),)])
def test_a_bridge_that_does_not_tell_instruments_apart_is_one_choice(found):
    house = Recorded(item("tea", Leg(DEBIT, Decimal("3.00"), "EUR", "Tea", ("x-TollbridgePurse",))))
    none = Answer(calls.FindPaymentInstrumentResponse(pay_instruments=found))
    house.twists = [("C", calls.FindPaymentInstrument, lambda _: none)] * 2
    assert bought(house, "tea").complete
    [choice] = house.person.of(wishes.Choose)
    assert [one.instrument_id for one in choice.options] == [None]
    assert house.said(calls.StartPaymentConsumer)[0].payment_instrument_id is None


@pytest.mark.req("I-141")
def test_a_wallet_is_asked_for_once_and_named_from_then_on():
    house = Recorded()
    need = refused(ErrorCode.ATT_MISSING, "which wallet?", "WalletId").error
    house.twists = [("C", calls.FindPaymentInstrument, Answer(error=need))]
    assert bought(house, "tea").complete
    assert len(house.person.of(wishes.NeedWallet)) == 1
    said = [call for role, name, _, call in house.calls if (role, name) == ("C", "card")]
    assert [one.wallet_id for one in said] == [None, *["w1"] * (len(said) - 1)]
    assert len(said) > 1


@pytest.mark.req("IX-092")
def test_what_a_bridge_says_of_its_check_goes_into_three_places_of_the_selection():
    house = Recorded()
    given = {
        name: (Content(text=name, name="N"),)
        for name in ("brand_sel_brand_info", "brand_sel_protocol_amount_info",
                     "brand_sel_currency_amount_info")
    }  # fmt: skip

    def three(answer):
        more = {f"{name}_packaged_content": contents for name, contents in given.items()}
        return replace(answer, result=replace(answer.result, **more))

    house.twists = [("C", calls.CheckPaymentPossibility, three)]
    assert bought(house, "book").complete
    [one] = codec.read(house.posts[0][1]).block(TpoSelectionBlk).brand_selections
    infos = (one.brand_info, one.protocol_amount_info, one.currency_amount_info)
    assert tuple(each.contents for each in infos) == tuple(given.values())
    [there] = house.said(calls.StartPaymentPaymentHandler)
    assert there.brand_sel_currency_amount_info_packaged_content == infos[2].contents


@pytest.mark.req("IX-091")
def test_the_check_comes_right_after_the_choice():
    house = Recorded()
    asked = []

    class Watching(Person):
        async def __call__(self, wish):
            if isinstance(wish, wishes.Choose):
                asked.append(len(house.calls))
            return await super().__call__(wish)

    assert bought(house, "book", Watching()).complete
    assert house.calls[asked[0]][2] == "CheckPaymentPossibility"


@pytest.mark.req("IX-090")
def test_a_check_holds_nothing_back():
    most = (Leg(DEBIT, Decimal("30.00"), "EUR", "Most of it", ("x-TollbridgePurse",)),)
    house = House(item("one", *most), item("other", *most))

    async def main():
        house.person = Person(confirm=Way.SUSPEND)
        waiting = await house.buy("one")
        assert waiting.is_suspended, "its purse was checked and is not used yet"
        assert (await house.buy("other")).complete, "it holds enough for one of them"

    house.run(main)


@pytest.mark.req("IX-063")
def test_a_payments_name_is_the_wallets_own_and_no_other_payment_has_it():
    house = Recorded()

    async def main():
        house.person = Person(instrument=None)
        for name in ("load", "tea", "coffee", "load"):
            assert (await house.buy(name)).complete

    house.run(main)
    names = [one.consumer_pay_id for one in house.said(calls.StartPaymentConsumer)]
    assert len(set(names)) == len(names) == 6
    before = {one.consumer_pay_id for one in house.said(calls.FindPaymentInstrument)}
    assert before == set(names), "the core gives the name before any bridge is chosen"
    assert {one.consumer_pay_id for one in house.said(calls.StartPaymentPaymentHandler)} == before


def lacking(house, *, known):
    """A Person who registers a card when asked, in a house whose wallet has none so far.

    `known`: the card software knows the brand, and only misses an instrument.
    """
    house.instruments, own = [], house.instruments

    class Registering(Person):
        async def __call__(self, wish):
            if isinstance(wish, calls.ManagePaymentSoftware):
                self.seen.append(wish)
                house.instruments = own
                core = house.faces["C"].core
                core.bridges.by_name = house.bridges("C")
                return calls.ManagePaymentSoftwareResponse(wallet_id="w1")
            return await super().__call__(wish)

    if not known:
        strange = refused(ErrorCode.ATT_VAL_ILLEGAL, "never heard of it", "BrandId").error
        house.twists = [("C", calls.FindPaymentInstrument, Answer(error=strange))] * 2
    return Registering(instrument="visa", decide=[Way.REGISTER])


@pytest.mark.req("I-149", "IX-053")
@pytest.mark.parametrize("known", [True, False])
def test_where_nothing_fits_an_instrument_may_be_registered_and_used_at_once(known):
    house = Recorded(item("book", Leg(DEBIT, Decimal("11.91"), "EUR", "A book", ("VISA",))))
    person = lacking(house, known=known)
    if known:  # then there is a choice, without an instrument, which the check does not pass
        first = [None]

        class Both(type(person)):
            async def __call__(self, wish):
                if isinstance(wish, wishes.Choose) and first:
                    first.pop()
                    self.seen.append(wish)
                    return 0
                return await super().__call__(wish)

        person = Both(instrument="visa", decide=[Way.REGISTER])
    assert bought(house, "book", person).complete
    [trouble] = person.of(wishes.Trouble)
    assert Way.REGISTER in trouble.ways
    [asked] = person.of(calls.ManagePaymentSoftware)
    assert (asked.action, asked.brand_id) == ("New", "VISA")
    assert house.taken() == 1191


@pytest.mark.req("IX-053")
def test_who_registers_nothing_is_asked_again():
    house = Recorded()
    house.instruments = []
    strange = refused(ErrorCode.ATT_VAL_ILLEGAL, "never heard of it", "BrandId").error
    house.twists = [("C", calls.FindPaymentInstrument, Answer(error=strange))] * 4
    traded = bought(house, "book", Person(decide=[Way.REGISTER, Way.CANCEL]))
    assert traded.stage == "cancelled"
    assert "the user gave it up" in house.person.notices


@pytest.mark.req("I-188", "IX-091")
def test_who_wishes_so_skips_the_check_and_the_payment_checks():
    house = Recorded()

    async def main():
        house.person = Person(decide=[Way.CANCEL])
        url = f"{SHOP_URL}?item=tea"
        assert (await house.order(Buy(url, check=False))).complete
        assert house.said(calls.CheckPaymentPossibility) == []
        poor = item("dear", Leg(DEBIT, Decimal("99.00"), "EUR", "Dear", ("x-TollbridgePurse",)))
        house.faces["M"].merchant.settings.items["dear"] = poor
        traded = await house.order(Buy(f"{SHOP_URL}?item=dear", check=False))
        assert traded.stage == "cancelled"
        assert house.said(calls.CheckPaymentPossibility) == []
        assert any("holds less" in one.text for one in house.person.of(wishes.Trouble))

    house.run(main)
