"""Recognising cards, and paying with the one that was recognised (4.2.8)."""

import asyncio

import pytest

from tests.faces.wpi.conformance import MATRIX, wrong
from tests.faces.wpi.terminal import (
    DEFERRED,
    PAYMENT,
    PRE_AUTHORIZATION,
    RECOGNITION,
    REFUND,
    USUAL,
    Terminal,
)
from tollbridge.faces.wpi.wishes import PresentCard, TimedOut
from tollbridge.ground.secret import Secret

OTHER = "com.example.other"
TOKEN, MIFARE = MATRIX["enums"]["RecognitionOption"]
FOLLOWING = (PAYMENT, REFUND, PRE_AUTHORIZATION, DEFERRED)


class Watched(Terminal):
    """Counts how often a card is asked for."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.presented = 0
        self.limits = []
        self.before_exchange = self.watch

    async def watch(self, _, saying):
        if isinstance(saying.wish, PresentCard):
            self.presented += 1
            self.limits.append(saying.limit_s)


@pytest.fixture
def terminal():
    return Watched()


def recognise(terminal, service=None, amount=1191, currency="EUR", **more):
    request = dict(USUAL[RECOGNITION])
    if service:
        request |= {"serviceType": service, "requestedAmount": amount, "currency": currency}
    extras = {"package": more.pop("package")} if "package" in more else {}
    return terminal.send(RECOGNITION, request | more, **extras)


@pytest.mark.req("P-115", "P-306", "P-099")
def test_a_token_is_the_same_for_the_same_card_and_another_for_another(terminal):
    def token(card):
        terminal.script.will([card])
        answer = recognise(terminal, recognitionOptions=[TOKEN, MIFARE])
        assert answer.condition == "NONE"
        return answer.response["token"]

    cards = ["visa", "mastercard", "visa-2", "mifare-classic", "mifare-ultralight", "twint"]
    first = [token(card) for card in cards]
    terminal.restart()
    assert [token(card) for card in cards] == first
    assert len(set(first)) == len(cards)
    assert all("4242" not in each for each in first)
    # By whatever way it is read, a card is the same card.
    terminal.settings["entries"] = ["magstripe"]
    terminal.restart()
    assert token("visa") == first[0]


@pytest.mark.req("P-114", "P-272", "P-273", "P-276")
def test_tracks_and_numbers_are_masked():
    terminal = Watched(entries=["magstripe"])
    for card in ("visa", "maestro", "mastercard-magstripe", "diners-14"):
        terminal.script.will([card])
        answer = recognise(terminal)
        number = terminal.kit.wallet[card].number.reveal()
        text = answer.extras["WPI_RESPONSE"]
        assert number not in text
        response = answer.response
        shown = sum(letter.isdigit() for letter in response["pan"])
        assert shown <= 10
        assert response["pan"].endswith(number[-4:])
        assert response["isoTrack2"].split("=")[0] == response["pan"]
        assert set(response["isoTrack2"].split("=")[1]) == {"*"}
        assert "3012" not in text
        assert wrong(RECOGNITION, {}, response, entry="magstripe") == []


@pytest.mark.req("P-302", "P-301", "P-117")
def test_a_plain_recognition_waits_for_nothing(terminal):
    answer = recognise(terminal)
    assert answer.response["waitForNextAction"] is False
    assert answer.response["nextActionWaitTime"] == 0
    assert terminal.pay().condition == "NONE"
    assert terminal.presented == 2


@pytest.mark.req("P-303", "P-304", "P-117", "P-265")
@pytest.mark.parametrize("service", FOLLOWING)
def test_what_follows_is_done_with_the_recognised_card(service):
    terminal = Watched(hold_s=10)
    terminal.script.will(["mastercard"])
    answer = recognise(terminal, service)
    assert answer.response["waitForNextAction"] is True
    assert answer.response["nextActionWaitTime"] == 10_000
    following = terminal.do(service)
    assert following.condition == "NONE"
    assert following.response["brandName"] == "Mastercard"
    assert wrong(service, {}, following.response) == []
    assert terminal.presented == 1
    # It is held for one transaction.
    assert terminal.do(service).condition == "NONE"
    assert terminal.presented == 2
    assert terminal.verdict() == []


OTHERS = {
    "another amount": ({"requestedAmount": 1192}, {}),
    "another currency": ({"currency": "USD"}, {}),
    "another application": ({}, {"package": OTHER}),
}


@pytest.mark.req("P-304", "P-049")
@pytest.mark.parametrize("other", OTHERS)
def test_for_anything_else_a_card_is_asked_for_again(terminal, other):
    request, extras = OTHERS[other]
    recognise(terminal, PAYMENT)
    assert terminal.do(PAYMENT, request, **extras).condition == "NONE"
    assert terminal.presented == 2
    # And the held card is let go.
    assert terminal.pay().condition == "NONE"
    assert terminal.presented == 3
    assert terminal.verdict() == []


@pytest.mark.req("P-304")
@pytest.mark.parametrize(
    "between",
    [
        DEFERRED,
        RECOGNITION,
        "time",
        "restart",
        "failure",
        "WPI_SVC_CANCEL_PAYMENT",
        "WPI_SVC_DAY_END",
    ],
)
def test_the_held_card_is_let_go_by_what_comes_between(between):
    terminal = Watched(hold_s=10)
    recognise(terminal, PAYMENT)
    asked = 2
    match between:
        case "WPI_SVC_CANCEL_PAYMENT":
            assert terminal.cancel("0000000000").condition == "INVALID_TRANSACTION_REQ"
        case "WPI_SVC_DAY_END":
            terminal.do(between)
        case "time":
            terminal.world.run(_sleep(10.5))
        case "restart":
            terminal.restart()
        case "failure":
            terminal.script.will([TimedOut()])
            assert terminal.do(PRE_AUTHORIZATION).condition == "USER_TIMEOUT"
            asked = 3
        case service:
            terminal.do(service)
            asked = 3
    assert terminal.pay().condition == "NONE"
    assert terminal.presented == asked


async def _sleep(seconds):
    await asyncio.sleep(seconds)


@pytest.mark.req("P-303", "P-304")
def test_within_the_time_the_card_is_still_there():
    terminal = Watched(hold_s=10)
    recognise(terminal, PAYMENT)
    terminal.world.run(_sleep(9.5))
    assert terminal.pay().condition == "NONE"
    assert terminal.presented == 1


@pytest.mark.req("P-303", "P-074")
def test_a_held_card_needs_what_any_card_needs():
    terminal = Watched(password="4711", tip={}, dcc={"rates": {"USD": "1.1000"}})
    terminal.script.will(["visa-us"])
    recognise(terminal, REFUND)
    terminal.script.will_enter([Secret("1")] * 3)
    assert terminal.refund().condition == "INVALID_PASSWORD"
    terminal.script.will(["visa-us"])
    recognise(terminal, PAYMENT)
    terminal.script.habits.tip_minor = 100
    terminal.script.habits.currency = "foreign"
    answer = terminal.pay()
    assert answer.response["authorizedAmount"] == 1291
    assert answer.response["tipAmount"] == 100
    assert answer.response["dccUsed"] is True
    assert terminal.verdict() == []


@pytest.mark.req("P-303", "P-142", "P-372")
def test_a_card_that_will_not_do_for_what_follows_is_refused_at_once(terminal):
    terminal.settings["limits"] = {"Visa": {"services": [PRE_AUTHORIZATION, RECOGNITION]}}
    terminal.restart()
    answer = recognise(terminal, PAYMENT)
    assert answer.condition == "APP_NOT_SUPPORTED"
    assert wrong(RECOGNITION, {}, answer.response) == []
    assert recognise(terminal, PRE_AUTHORIZATION).condition == "NONE"
    assert recognise(terminal).condition == "NONE"


@pytest.mark.req("P-305", "P-097", "P-132")
def test_without_a_card_in_time_a_recognition_is_a_user_timeout(terminal):
    terminal.script.will([TimedOut()])
    answer = recognise(terminal, recognitionTimeout=2500)
    assert answer.condition == "USER_TIMEOUT"
    assert terminal.limits == [2.5]
    assert wrong(RECOGNITION, {}, answer.response) == []


@pytest.mark.req("P-100", "P-116", "P-277", "P-278")
@pytest.mark.parametrize(("card", "media", "uid"), [
    ("mifare-ultralight", "MIFARE Ultralight", "04A1B2C3D4E580"),
    ("mifare-classic", "MIFARE Classic", "9A3B5C7D"),
])  # fmt: skip
def test_a_card_that_does_not_pay_is_told_by_its_type_and_uid(terminal, card, media, uid):
    terminal.script.will([card])
    answer = recognise(terminal, PAYMENT, recognitionOptions=[MIFARE])
    assert answer.response["mediaType"] == media
    assert answer.response["mediaUniqueIdentifier"] == uid
    assert answer.response["waitForNextAction"] is False
    assert wrong(RECOGNITION, {}, answer.response, entry="mifare") == []
    assert terminal.pay().condition == "NONE"
    assert terminal.presented == 2
