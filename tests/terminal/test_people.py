"""Scripted people, their cards, and the device they stand at."""

import asyncio

import pytest

from tollbridge.core.brands import BY_NAME
from tollbridge.faces.wpi import profile, wishes
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.wishes import (
    AddTip,
    Cancelled,
    ChooseApplication,
    ChooseCurrency,
    ChooseLanguage,
    EnterPassword,
    EnterPin,
    Hint,
    MenuItem,
    Notice,
    PinVerified,
    PinWrong,
    PresentCard,
    ReadCard,
    Saying,
    ShowMenu,
    Sign,
    TimedOut,
    Topic,
    Unreadable,
)
from tollbridge.ground.errors import LocalProtocolError, NotSent
from tollbridge.ground.flow import Party
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.cards import BY_NUMBER
from tollbridge.server.secure import SecureElement
from tollbridge.terminal.desk import desk
from tollbridge.terminal.device import Kit, Planned
from tollbridge.terminal.parameters import Management
from tollbridge.terminal.script import FITTING, Script
from tollbridge.terminal.state import KINDS
from tollbridge.terminal.wallet import ENTRIES, Wallet, WalletCard, look, wallet
from tollbridge.testing.clock import ManualClock

EUR = Money.of(1191, "EUR")
ANY = PresentCard(service="WPI_SVC_PAYMENT", amount=EUR, entries=ENTRIES)


def saying(wish, **more):
    return Saying(terminal="T1", wish=wish, **more)


def script(**habits):
    made = Script(wallet(), Secret("4711"))
    for name, value in habits.items():
        setattr(made.habits, name, value)
    return made


# Cards


def test_every_card_can_be_read_in_every_way_it_has():
    for card in wallet().values():
        for entry in card.entries:
            read = card.read(ANY, entry)
            if card.trouble:
                assert read == Unreadable(card.trouble)
                continue
            assert (read.entry, read.number) == (entry, card.number)
            assert bool(read.cryptogram) == (entry in ("chip", "contactless"))
            assert bool(read.tracks) == (entry == "magstripe")
            assert bool(read.applications) != bool(read.media_type)


def test_what_is_approved_are_cards_the_network_knows():
    unknown = [
        card.name for card in wallet().values()
        if card.applications and card.number.reveal() not in BY_NUMBER
    ]  # fmt: skip
    assert unknown == ["not-accepted"]


def test_a_card_has_a_face():
    assert look("Visa Debit") == "visa"
    assert look("Maestro") == "maestro"
    assert look("Dankort") == "plain"


def test_a_cryptogram_covers_what_is_paid():
    card = wallet()["visa"]
    other = PresentCard(service=ANY.service, amount=Money.of(1192, "EUR"), entries=ENTRIES)
    assert card.read(ANY).cryptogram == card.read(ANY).cryptogram != card.read(other).cryptogram
    assert card.read(ANY).cryptogram.startswith("ARQC ")


def test_three_wrong_pins_block_a_chip():
    cards = wallet()
    number, right, wrong = cards["visa"].number, Secret("1234"), Secret("4321")
    assert cards.verify(number, wrong) == PinWrong(2)
    assert cards.verify(number, right) == PinVerified()
    assert [cards.verify(number, wrong).tries_left for _ in range(4)] == [2, 1, 0, 0]
    assert cards.verify(number, right) == PinWrong(0)
    assert cards.verify(cards["mastercard"].number, right) == PinVerified()
    cards.unblock(number)
    assert cards.verify(number, right) == PinVerified()


def test_an_empty_wallet_is_none():
    with pytest.raises(ValueError, match="at least one"):
        Wallet([])


# The script


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        (ChooseApplication(("A", "B")), wishes.Chosen(0)),
        (EnterPin(amount=EUR, online=True), wishes.PinEntered(Secret("1234"))),
        (AddTip(EUR, (5,), 500), wishes.TipAdded(0)),
        (ChooseCurrency(local=EUR, foreign=Money.of(1, "USD"), rate="1", markup_percent="0",
                        provider="P"), wishes.CurrencyChosen("EUR")),
        (ChooseLanguage(("de", "en")), wishes.LanguageChosen("de")),
        (EnterPassword(3), wishes.PasswordEntered(Secret("4711"))),
        (ShowMenu((MenuItem.TOTALS,)), wishes.MenuChosen(MenuItem.LEAVE)),
        (Notice(Topic.APPROVED), None),
        (wishes.Withdraw(), None),
    ],
)  # fmt: skip
def test_every_question_has_a_usual_answer(wish, answer):
    assert script().answer(saying(wish)) == answer


def test_every_question_the_page_knows_has_one():
    assert set(FITTING) == set(KINDS)
    assert isinstance(script().answer(saying(Sign(EUR))), wishes.Signed)
    with pytest.raises(LocalProtocolError):
        script().answer(saying(wishes.Tokenize(Secret("1"))))


def test_habits_change_the_usual_answers():
    people = script(card="mastercard", tip_minor=700, currency="foreign", application=1,
                    language="fr", pin=Secret("9999"), password=Secret("1"))  # fmt: skip
    offer = ChooseCurrency(local=EUR, foreign=Money.of(1, "USD"), rate="1", markup_percent="0",
                           provider="P")  # fmt: skip
    assert people.answer(saying(ANY)).applications[0].brand.name == "Mastercard"
    assert people.answer(saying(AddTip(EUR, (), 500))) == wishes.TipAdded(500)
    assert people.answer(saying(offer)) == wishes.CurrencyChosen("USD")
    assert people.answer(saying(ChooseApplication(("A", "B")))) == wishes.Chosen(1)
    assert people.answer(saying(ChooseLanguage(("de", "fr")))) == wishes.LanguageChosen("fr")
    pin = people.answer(saying(EnterPin(amount=EUR, online=False)))
    assert pin == wishes.PinEntered(Secret("9999"))
    assert people.answer(saying(EnterPassword(1))) == wishes.PasswordEntered(Secret("1"))


def test_behaviours_wait_for_a_question_they_fit():
    people = script()
    people.will(["mastercard", wishes.PinEntered(Secret("1")), Cancelled(), lambda _: TimedOut()])
    pin = EnterPin(amount=EUR, online=True)
    assert people.answer(saying(AddTip(EUR, (), 5))) == wishes.TipAdded(0)
    assert people.answer(saying(ANY)).applications[0].brand.name == "Mastercard"
    assert people.answer(saying(AddTip(EUR, (), 5))) == wishes.TipAdded(0)
    assert people.answer(saying(pin)) == wishes.PinEntered(Secret("1"))
    assert people.answer(saying(ANY)) == Cancelled()
    assert people.answer(saying(ANY)) == TimedOut()
    assert people.answer(saying(ANY)).applications[0].brand.name == "Visa"
    with pytest.raises(KeyError):
        people.will(["no such card"])


def test_passwords_are_used_up():
    people = script()
    people.will_enter([Secret("1"), Cancelled()])
    answers = [people.answer(saying(EnterPassword(3))) for _ in range(3)]
    entered = wishes.PasswordEntered
    assert answers == [entered(Secret("1")), Cancelled(), entered(Secret("4711"))]


def test_what_is_dictated_is_said_at_once():
    assert script().answer(saying(ANY, dictated=Cancelled())) == Cancelled()


def test_the_same_card_is_presented_again():
    people = script()
    people.will(["broken-chip"])
    first = people.answer(saying(ANY))
    again = PresentCard(service="S", amount=EUR, entries=("magstripe",), hint=Hint.SWIPE)
    second = people.answer(saying(again))
    assert (first.entry, first.broken_chip) == ("chip", True)
    assert (second.number, second.entry) == (first.number, "magstripe")


@pytest.mark.parametrize("entry", ENTRIES)
def test_whatever_the_reader_reads_there_is_a_card(entry):
    wish = PresentCard(service="S", amount=None, entries=(entry,))
    read = script().answer(saying(wish))
    assert isinstance(read, ReadCard)
    assert read.entry == entry


# The device


class Dead:
    async def send(self, request, limit_s):
        raise NotSent("nobody is there")

    async def close(self):
        pass


class Fixed:
    """A terminal that is a profile."""

    running = None

    def __init__(self, **settings):
        self.profile = profile(settings)


def device(**settings):
    kit = Kit(
        wallet=wallet(),
        clock=ManualClock(),
        secure=SecureElement(None, SeededIds(1)),
        management=Management(Dead(), "http://nowhere.invalid"),
        pace_s=0.05,
    )
    return desk({"T1": Fixed(**settings)}, kit)


def told(parties, party, wish, **more):
    return asyncio.run(parties[party](saying(wish, **more)))


def test_a_desk_finds_the_device():
    made = device()
    parties = made.parties()
    assert list(made) == ["T1"]
    read = told(parties, Party.CARDHOLDER, ANY)
    assert read.applications[0].brand == BY_NAME["Visa"]
    assert told(parties, Party.MERCHANT, EnterPassword(3)) is not None
    with pytest.raises(LocalProtocolError, match="no terminal"):
        asyncio.run(parties[Party.DEVICE](Saying(terminal="T9", wish=ANY)))
    with pytest.raises(LocalProtocolError):
        asyncio.run(parties[Party.DEVICE]("nonsense"))
    with pytest.raises(LocalProtocolError):
        told(parties, Party.DEVICE, ANY)


def test_a_device_says_which_scenario_holds():
    made = device()
    parties, begin = made.parties(), wishes.Begin("S", EUR)
    assert told(parties, Party.DEVICE, begin) is None
    made["T1"].plan([Planned(Scenario(code="51"), 2), Planned(Scenario(code="05"))])
    got = [told(parties, Party.DEVICE, begin) for _ in range(4)]
    assert got == [Scenario(code="51"), Scenario(code="51"), Scenario(code="05"), None]


def test_a_device_does_what_is_dictated_instead_of_anything_else():
    parties = device().parties()
    fault = wishes.SecureFault(key_missing=True)
    wish = wishes.Tokenize(Secret("4242424242424242"))
    assert told(parties, Party.DEVICE, wish, dictated=fault) == fault
    assert isinstance(told(parties, Party.DEVICE, wish), wishes.Tokenized)


def test_a_pin_is_checked_by_the_card_in_the_reader():
    parties = device().parties()
    verify = wishes.VerifyPin(Secret("1234"))
    assert told(parties, Party.DEVICE, verify) == PinWrong(0)
    told(parties, Party.CARDHOLDER, ANY)
    assert told(parties, Party.DEVICE, verify) == PinVerified()
    assert told(parties, Party.DEVICE, wishes.VerifyPin(Secret("0000"))) == PinWrong(2)


def test_a_device_seals_and_fetches():
    parties = device().parties()
    sealed = told(parties, Party.DEVICE, wishes.Seal(Secret("a card")))
    plain = told(parties, Party.DEVICE, wishes.Unseal(sealed.sealed))
    assert plain == wishes.Unsealed(Secret("a card"))
    fault = told(parties, Party.DEVICE, wishes.Fetch(wishes.Parameters.PAYMENT))
    assert fault == wishes.FetchFault("nobody is there")


def test_a_printer_that_cannot_be_made_is_defect():
    parties = device(printer="escpos:nowhere.invalid:notaport").parties()
    paper = wishes.Print(slip=Slip(service="S", at=""), copies=("client",), texts={"client": "x"})
    assert told(parties, Party.DEVICE, paper).why == "defect"


def test_a_notice_is_shown_until_the_terminal_is_idle():
    made = device()
    parties = made.parties()
    assert told(parties, Party.CARDHOLDER, Notice(Topic.PROCESSING)) is None
    assert made["T1"].screen.notice.wish.topic is Topic.PROCESSING
    told(parties, Party.CARDHOLDER, Notice(Topic.IDLE))
    assert made["T1"].screen.notice is None


def test_questions_wait_for_one_another_and_are_withdrawn():
    made = device(cardholder="browser")
    parties = made.parties()

    async def main():
        first = asyncio.create_task(parties[Party.CARDHOLDER](saying(ANY)))
        second = asyncio.create_task(parties[Party.MERCHANT](saying(EnterPassword(3))))
        await asyncio.sleep(0.01)
        screen = made["T1"].screen
        assert screen.question.party is Party.CARDHOLDER
        await parties[Party.DEVICE](saying(wishes.Withdraw()))
        assert await first == wishes.Aborted()
        await asyncio.sleep(0.01)
        assert screen.question.party is Party.MERCHANT
        await parties[Party.MERCHANT](saying(wishes.Withdraw()))
        assert await second == wishes.Aborted()
        assert screen.question is None
        await parties[Party.CARDHOLDER](saying(wishes.Withdraw()))
        dictated = saying(ANY, dictated=Cancelled(), limit_s=60)
        assert await parties[Party.CARDHOLDER](dictated) == Cancelled()
        assert await parties[Party.CARDHOLDER](saying(ANY, limit_s=0.01)) == TimedOut()

    asyncio.run(main())


def test_a_card_of_ones_own_fits_the_wallet():
    number = Secret("4242424242424242")
    card = WalletCard(name="mine", label="Mine", number=number, media_type="badge")
    assert card.masked == f"UID {number.reveal()}"
    assert Wallet([card]).first is card
