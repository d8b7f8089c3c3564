"""What is asked of the people at a terminal, and what comes of their answers."""

import pytest

from tests.faces.wpi.conformance import wrong
from tests.faces.wpi.terminal import PAYMENT, PRE_AUTHORIZATION, REFUND, Terminal
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.faces.wpi.wishes import (
    AddTip,
    Cancelled,
    ChooseApplication,
    ChooseCurrency,
    ChooseLanguage,
    Chosen,
    CurrencyChosen,
    EnterPin,
    Hint,
    LanguageChosen,
    Notice,
    PinEntered,
    PresentCard,
    Sign,
    Signed,
    TimedOut,
    TipAdded,
    Topic,
)
from tollbridge.ground.secret import Secret
from tollbridge.terminal.device import Planned

WRONG, RIGHT = PinEntered(Secret("0000")), PinEntered(Secret("1234"))


class Watched(Terminal):
    """Keeps what was said to people."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.said = []
        self.before_exchange = self.watch

    async def watch(self, _, saying):
        self.said.append(saying.wish)

    def asked(self, kind):
        return [wish for wish in self.said if isinstance(wish, kind)]


def scene(**words):
    return [Planned(Scenario(**words))]


def details(terminal):
    return terminal.world.payments[0].opening.request.details


# Verification: the first method of the card's list that terminal and entry can do

CARDS = {
    "visa": ("online_pin", "signature", "none"),
    "visa-offline-pin": ("offline_pin",),
    "mastercard-pin": ("offline_pin", "online_pin"),
    "maestro": ("online_pin", "offline_pin", "none"),
    "maestro-signature": ("signature",),
    "girocard": ("online_pin", "none"),
}
POSSIBLE = {
    "chip": {"online_pin", "offline_pin", "signature", "none"},
    "contactless": {"online_pin", "signature", "none"},
    "magstripe": {"online_pin", "signature", "none"},
}


def expected_method(card, entry, amount, terminal_does):
    if entry == "contactless" and amount <= 5000:
        return "none"
    methods = [m for m in CARDS[card] if m in POSSIBLE[entry] and m in terminal_does]
    return methods[0] if methods else "none"


@pytest.mark.req("P-153", "P-186", "P-223", "P-219", "P-210", "P-211", "P-209")
@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("entry", POSSIBLE)
@pytest.mark.parametrize("amount", [5000, 5001])
@pytest.mark.parametrize("does", [("online_pin", "offline_pin", "signature", "none"),
                                  ("signature", "none"), ("offline_pin", "none")])  # fmt: skip
def test_the_holder_is_verified_as_card_entry_amount_and_terminal_want(card, entry, amount, does):
    terminal = Watched(entries=[entry], verifications=list(does))
    if entry not in terminal.kit.wallet[card].entries:
        return
    terminal.script.habits.card = card
    answer = terminal.pay(amount, receiptFormat=["JSON"])
    method = expected_method(card, entry, amount, does)
    pins = terminal.asked(EnterPin)
    if method == "offline_pin" or method == "online_pin":
        assert [pin.online for pin in pins[:1]] == [method == "online_pin"]
    elif answer.condition == "NONE" and pins:
        assert pins[0].online  # the issuer wanted it after all
    assert wrong(PAYMENT, {"receiptFormat": ["JSON"]}, answer.response) == []
    if answer.condition == "NONE":
        asks = answer.response.get("actionCode")
        assert asks == ("WPI_ACTION_CODE_ASK_SIGNATURE" if method == "signature" else None)
    else:
        # An issuer that insists on what this terminal cannot do.
        assert answer.condition == "HOST_REFUSAL"
    if method == "offline_pin" and answer.condition == "NONE":
        assert details(terminal)["verified"] == "offline_pin"
    assert terminal.verdict() == []


@pytest.mark.req("P-153", "P-213")
@pytest.mark.parametrize("card", ["phone", "twint"])
@pytest.mark.parametrize("amount", [100, 5001, 60_000])
def test_a_phone_verifies_its_owner_itself(card, amount):
    terminal = Watched()
    terminal.script.will([card])
    answer = terminal.pay(amount, "EUR")
    assert answer.condition == "NONE"
    assert terminal.asked(EnterPin) == []
    assert details(terminal)["verified"] == "device"
    assert "actionCode" not in answer.response


@pytest.mark.req("P-133")
def test_the_issuer_wants_a_pin_after_all_and_the_same_tap_goes_on():
    terminal = Watched()
    terminal.script.will(["visa-sca-online"])
    answer = terminal.pay(1000, session="s")
    assert answer.condition == "NONE"
    assert len(terminal.asked(PresentCard)) == 1
    (pin,) = terminal.asked(EnterPin)
    assert pin.online
    assert not pin.wrong
    assert terminal.last("s").extras == answer.extras
    assert len(terminal.world.payments) == 2
    assert terminal.verdict() == []
    assert terminal.cancel(answer.reference).condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-133")
@pytest.mark.parametrize("first", [1000, 6000])
def test_wrong_online_pins_are_asked_again_as_often_as_the_terminal_allows(first):
    terminal = Watched(pin_tries=3)
    terminal.script.habits.card = "visa-online-pin"
    terminal.script.habits.pin = Secret("0000")
    answer = terminal.pay(first)
    pins = terminal.asked(EnterPin)
    assert answer.condition == "HOST_REFUSAL"
    assert [pin.wrong for pin in pins] == [False, True, True]
    assert answer.remark.startswith("55")
    assert terminal.verdict() == []
    # The issuer has counted three, and knows no right one any more.
    terminal.script.habits.pin = None
    blocked = terminal.pay(first)
    assert blocked.remark.startswith("75")
    assert terminal.verdict() == []


@pytest.mark.req("P-133")
def test_a_right_online_pin_after_a_wrong_one_pays():
    terminal = Watched()
    terminal.script.will(["visa-online-pin", WRONG, RIGHT])
    answer = terminal.pay(6000)
    assert answer.condition == "NONE"
    assert [pin.wrong for pin in terminal.asked(EnterPin)] == [False, True]
    assert terminal.verdict() == []


@pytest.mark.req("P-131", "P-132", "P-133")
@pytest.mark.parametrize("behaviour", [Cancelled(), TimedOut()])
def test_who_gives_up_when_the_host_asks_for_a_pin_is_told_what_the_host_said(behaviour):
    terminal = Watched()
    terminal.script.will(["visa-sca-online", behaviour])
    answer = terminal.pay(1000)
    assert answer.condition == "HOST_REFUSAL"
    assert terminal.verdict() == []


@pytest.mark.req("P-131", "P-132")
@pytest.mark.parametrize(("behaviour", "condition"), [(Cancelled(), "USER_CANCEL"),
                                                      (TimedOut(), "USER_TIMEOUT")])  # fmt: skip
@pytest.mark.parametrize("card", ["visa", "visa-offline-pin"])
def test_who_gives_up_at_the_pin_pays_nothing(behaviour, condition, card):
    terminal = Watched(entries=["chip"])
    terminal.script.will([card, behaviour])
    answer = terminal.pay(6000)
    assert answer.condition == condition
    assert terminal.world.payments == []
    assert terminal.verdict() == []


@pytest.mark.req("P-133", "P-138")
@pytest.mark.parametrize(("pins", "condition", "entered"), [
    ([WRONG, RIGHT], "NONE", 2),
    ([WRONG, WRONG, RIGHT], "NONE", 3),
    ([WRONG, WRONG, WRONG], "HOST_REFUSAL", 3),
])  # fmt: skip
def test_the_chip_counts_wrong_pins(pins, condition, entered):
    terminal = Watched(entries=["chip"])
    terminal.script.will(["visa-offline-pin", *pins])
    answer = terminal.pay(6000)
    assert answer.condition == condition
    asked = terminal.asked(EnterPin)
    assert len(asked) == entered
    assert [pin.tries_left for pin in asked] == [3, 2, 1][:entered]
    if condition != "NONE":
        assert answer.remark.startswith("75")
        assert terminal.world.payments == []
        # A blocked card stays blocked.
        terminal.script.will(["visa-offline-pin", RIGHT])
        assert terminal.pay(6000).condition == "HOST_REFUSAL"
    assert terminal.verdict() == []


# Cards presented in another way


@pytest.mark.req("P-130")
def test_a_broken_chip_is_swiped():
    terminal = Watched()
    terminal.script.will(["broken-chip"])
    answer = terminal.pay(6000, receiptFormat=["JSON"])
    assert answer.condition == "NONE"
    assert [wish.hint for wish in terminal.asked(PresentCard)] == [Hint.NONE, Hint.SWIPE]
    assert answer.response["receipt"]["json"]["entryMode"] == "WPI_ENTRY_MODE_MAGSTRIPE"
    assert all(pin.online for pin in terminal.asked(EnterPin))
    assert terminal.verdict() == []


@pytest.mark.req("P-130")
def test_a_broken_chip_where_nothing_can_be_swiped_is_a_card_read_error():
    terminal = Watched(entries=["chip", "contactless"])
    terminal.script.will(["broken-chip"])
    assert terminal.pay().condition == "CARD_READ_ERR"
    assert terminal.verdict() == []


@pytest.mark.req("P-130")
@pytest.mark.parametrize(("amount", "hints"), [(2000, [Hint.NONE]),
                                               (2001, [Hint.NONE, Hint.INSERT])])  # fmt: skip
def test_above_the_contactless_limit_the_card_is_inserted(amount, hints):
    terminal = Watched(limits={"Visa": {"contactless_minor": 2000}})
    answer = terminal.pay(amount, receiptFormat=["JSON"])
    assert answer.condition == "NONE"
    assert [wish.hint for wish in terminal.asked(PresentCard)] == hints
    entry = "NFC" if len(hints) == 1 else "CHIP"
    assert answer.response["receipt"]["json"]["entryMode"] == f"WPI_ENTRY_MODE_{entry}"
    terminal.script.will(["phone"])
    assert terminal.pay(amount).condition == "NONE"
    assert terminal.asked(PresentCard)[-1].hint is Hint.NONE
    assert terminal.verdict() == []


@pytest.mark.req("P-130", "P-138")
@pytest.mark.parametrize("card", ["unreadable", "two-cards"])
def test_a_card_that_cannot_be_read_is_a_card_read_error(card):
    terminal = Watched()
    terminal.script.will([card])
    answer = terminal.pay()
    assert answer.condition == "CARD_READ_ERR"
    assert answer.remark
    assert terminal.world.payments == []


@pytest.mark.req("P-130")
@pytest.mark.parametrize("amount", [4414, 1191])
def test_a_card_left_in_the_reader_is_asked_to_be_taken(amount):
    terminal = Watched()
    answer = terminal.pay(amount)
    assert answer.condition == "NONE"
    topics = [notice.topic for notice in terminal.asked(Notice)]
    assert (Topic.REMOVE_CARD in topics) is (amount == 4414)
    assert terminal.verdict() == []


# Applications and languages


@pytest.mark.req("P-110", "P-142", "P-225", "P-226")
@pytest.mark.parametrize(("place", "brand"), [(0, "girocard"), (1, "Visa Debit"), (7, "girocard")])
def test_the_cardholder_chooses_between_applications(place, brand):
    terminal = Watched(entries=["chip"])
    terminal.script.will(["two-applications", Chosen(place)])
    answer = terminal.pay()
    assert answer.response["brandName"] == brand
    (wish,) = terminal.asked(ChooseApplication)
    assert len(wish.labels) == 2
    # Contactless takes what the card prefers.
    terminal = Watched(entries=["contactless"])
    terminal.script.will(["two-applications"])
    assert terminal.pay().response["brandName"] == "girocard"
    assert terminal.asked(ChooseApplication) == []
    # One that is accepted is not asked for.
    terminal = Watched(entries=["chip"], brands=["Visa Debit"])
    terminal.script.will(["two-applications"])
    assert terminal.pay().response["brandName"] == "Visa Debit"
    assert terminal.asked(ChooseApplication) == []


@pytest.mark.req("P-109", "P-157", "P-223")
@pytest.mark.parametrize(("card", "languages", "chosen", "told"), [
    ("girocard", ["en", "de"], None, "de"),
    ("girocard", ["en", "fr"], None, "en"),
    ("visa", ["en"], None, "en"),
    ("visa", ["en", "fr"], "fr", "fr"),
    ("visa", ["en", "fr"], "xx", "en"),
])  # fmt: skip
def test_the_language_is_the_cards_or_the_cardholders(card, languages, chosen, told):
    terminal = Watched(languages=languages, entries=["chip"])
    terminal.script.will([card, *([LanguageChosen(chosen)] if chosen else [])])
    answer = terminal.pay()
    assert answer.response["customerLanguage"] == told
    assert bool(terminal.asked(ChooseLanguage)) is (chosen is not None)


# Tips and conversion


@pytest.mark.req("P-108", "P-112", "P-232", "P-169")
@pytest.mark.parametrize(("tip", "added"), [(0, 0), (1, 1), (500, 500)])
def test_a_tip_is_part_of_the_authorized_amount(tip, added):
    terminal = Watched(tip={"percents": [5, 10], "percent_max": 50})
    terminal.script.will([TipAdded(tip)])
    answer = terminal.pay(1000, receiptFormat=["JSON"])
    assert answer.response["tipAmount"] == added
    assert answer.response["authorizedAmount"] == 1000 + added
    assert terminal.taken == {"EUR": 1000 + added}
    json = answer.response["receipt"]["json"]
    assert json["amount"] == 1000 + added
    assert json.get("tipAmount", 0) == added
    (wish,) = terminal.asked(AddTip)
    assert wish.most_minor == 500
    assert terminal.verdict() == []


@pytest.mark.req("P-112", "P-131")
def test_a_tip_above_the_limit_is_asked_for_again_and_at_last_refused():
    terminal = Watched(tip={"percent_max": 50})
    terminal.script.will([TipAdded(501), TipAdded(-1), TipAdded(100)])
    answer = terminal.pay(1000)
    assert answer.response["authorizedAmount"] == 1100
    terminal.script.will([TipAdded(501)] * 4)
    answer = terminal.pay(1000)
    assert answer.condition == "USER_CANCEL"
    assert "500" in answer.remark
    assert terminal.verdict() == []


@pytest.mark.req("P-112", "P-232")
@pytest.mark.parametrize("service", [REFUND, PRE_AUTHORIZATION])
def test_only_payments_ask_for_a_tip(service):
    terminal = Watched(tip={})
    answer = terminal.do(service)
    assert terminal.asked(AddTip) == []
    assert wrong(service, {}, answer.response, config=("tip_active",)) == []


@pytest.mark.req("P-111", "P-231", "P-208")
@pytest.mark.parametrize(("amount", "code", "rate", "foreign"), [
    (1000, "USD", "1.0900", 1090),
    (1, "USD", "1.4999", 1),
    (1, "USD", "1.5000", 2),
    (1050, "JPY", "165.00", 1733),  # 1732.5: half up, and no minor units
    (1000, "KWD", "0.3333", 3333),
    (999_999_999_999, "JPY", "165.00", 1_649_999_999_998),
])  # fmt: skip
@pytest.mark.parametrize("taken", [True, False])
def test_a_foreign_card_may_pay_in_its_own_currency(amount, code, rate, foreign, taken):
    terminal = Watched(dcc={"rates": {code: rate}, "provider": "Bureau"})
    card = {"USD": "visa-us", "JPY": "visa-japan", "KWD": "visa"}[code]
    terminal.device.plan(scene(currency="foreign" if taken else "local"))
    terminal.script.will([card, RIGHT])
    answer = terminal.pay(amount)
    assert answer.condition == "NONE"
    (wish,) = terminal.asked(ChooseCurrency)
    assert (wish.foreign.amount_minor, wish.foreign.currency.code) == (foreign, code)
    assert (wish.rate, wish.provider) == (rate, "Bureau")
    assert answer.response["dccUsed"] is taken
    assert answer.response["currency"] == "EUR"
    assert answer.response["authorizedAmount"] == amount
    assert wrong(PAYMENT, {}, answer.response, config=("dcc_active",)) == []
    assert terminal.verdict() == []


@pytest.mark.req("P-111", "P-231")
def test_a_conversion_is_offered_where_it_means_something():
    terminal = Watched(dcc={"rates": {"USD": "1.0900"}})
    for card, currency in (("visa", "EUR"), ("visa-us", "USD"), ("visa-japan", "EUR")):
        terminal.script.will([card])
        answer = terminal.pay(1000, currency)
        assert answer.response["dccUsed"] is False
    assert terminal.asked(ChooseCurrency) == []
    terminal.script.will(["visa-us", CurrencyChosen("XXX")])
    assert terminal.pay(1000).response["dccUsed"] is False
    terminal.script.will(["visa-us"])
    assert terminal.refund(1000).condition == "NONE"
    assert len(terminal.asked(ChooseCurrency)) == 1


@pytest.mark.req("P-108", "P-111", "P-112")
def test_a_tip_is_converted_with_the_amount():
    terminal = Watched(tip={}, dcc={"rates": {"USD": "2.0"}})
    terminal.script.habits.tip_minor = 100
    terminal.script.habits.currency = "foreign"
    terminal.script.will(["visa-us"])
    answer = terminal.pay(1000)
    (wish,) = terminal.asked(ChooseCurrency)
    assert wish.foreign.amount_minor == 2200
    assert answer.response["authorizedAmount"] == 1100
    assert answer.response["dccUsed"] is True


# Signatures and identification


@pytest.mark.req("P-151", "P-152", "P-153", "P-187", "P-219")
@pytest.mark.parametrize(("verification", "signature", "action"), [
    ("signature", "paper", "WPI_ACTION_CODE_ASK_SIGNATURE"),
    ("signature", "screen", None),
    ("identification", "paper", "WPI_ACTION_CODE_ASK_LEGAL_IDENTIFICATION"),
    ("none", "paper", None),
])  # fmt: skip
def test_what_is_still_to_do_after_a_success(verification, signature, action):
    terminal = Watched(signature=signature)
    terminal.device.plan(scene(verification=verification))
    answer = terminal.pay(receiptFormat=["JSON", "FORMATTED"], session="s")
    assert answer.response.get("actionCode") == action
    assert wrong(PAYMENT, {}, answer.response) == []
    signed = terminal.asked(Sign)
    assert len(signed) == (signature == "screen")
    json = answer.response["receipt"]["json"]
    assert json["legalIdentificationRequired"] is (verification == "identification")
    terminal.restart()
    assert terminal.last("s").extras == answer.extras


@pytest.mark.req("P-153")
@pytest.mark.parametrize("behaviour", [Cancelled(), TimedOut(), Signed("")])
def test_who_does_not_sign_on_the_screen_signs_on_paper(behaviour):
    terminal = Watched(signature="screen")
    terminal.script.will(["maestro-signature", behaviour])
    answer = terminal.pay()
    assert answer.condition == "NONE"
    assert answer.response["actionCode"] == "WPI_ACTION_CODE_ASK_SIGNATURE"
    assert terminal.verdict() == []


@pytest.mark.req("P-133", "P-151")
def test_what_is_declined_wants_no_signature():
    terminal = Watched(signature="screen")
    terminal.device.plan(scene(verification="signature", code="05"))
    answer = terminal.pay()
    assert answer.response["actionCode"] == "WPI_ACTION_CODE_NONE"
    assert terminal.asked(Sign) == []
