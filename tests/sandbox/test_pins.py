"""Issuers check PINs, count wrong ones, and want their cardholders verified."""

import pytest
from click.testing import CliRunner

from tests.core.stories import table
from tests.processes import sandbox, talk
from tests.sandbox.world import OPENING, World, post, said
from tollbridge.cli.main import main
from tollbridge.sandbox.cards import BY_ACCOUNT, CARDS

RIGHT, WRONG = "1234", "4321"


def pay(world, pin="", account="visa", *, amount=1000, verb="purchase", **more):
    """Open a payment of its own."""
    payment = f"Q{len(world.book.movements())}"
    number = BY_ACCOUNT[account].number
    return said(world.send(verb, amount, payment=payment, card=number, pin=pin, **more))


# Right and wrong


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.account)
def test_every_card_has_a_pin(card):
    world = World()
    assert pay(world, card.pin, card.account) == pay(World(), "", card.account)
    if card.code == "00":
        assert pay(world, WRONG, card.account) == "declined 55"
        assert world.book.wrong_pins() == {card.account: 1}


@pytest.mark.parametrize("verb", OPENING)
def test_a_wrong_pin_opens_nothing(verb):
    world = World()
    amount = 0 if verb in ("verify", "store") else 1000
    assert pay(world, WRONG, verb=verb, amount=amount) == "declined 55"
    assert pay(world, RIGHT, verb=verb, amount=amount) == "approved 00"


@pytest.mark.parametrize("pin", ["1", "12345", "abcd", "１２３４", " 1234"])
def test_only_the_pin_itself_is_right(pin):
    assert pay(World(), pin) == "declined 55"


def test_after_three_wrong_pins_the_right_one_is_not_looked_at():
    world = World()
    assert [pay(world, WRONG) for _ in range(3)] == ["declined 55"] * 3
    assert [pay(world, pin) for pin in (WRONG, RIGHT)] == ["declined 75"] * 2
    assert world.book.wrong_pins() == {"visa": 3}
    assert pay(world) == "approved 00"  # a payment without a PIN is not about PINs
    assert pay(world, RIGHT, "mastercard") == "approved 00"
    world.book.forget_wrong_pins("visa")
    assert pay(world, RIGHT) == "approved 00"


def test_a_right_pin_lets_the_counting_begin_again():
    world = World()
    for _ in range(3):
        assert [pay(world, pin) for pin in (WRONG, WRONG, RIGHT)] == [
            "declined 55",
            "declined 55",
            "approved 00",
        ]
    assert world.book.wrong_pins() == {}


def test_a_right_pin_counts_as_right_whatever_the_account_has():
    world = World()
    pay(world, WRONG, "visa-debit")
    assert pay(world, RIGHT, "visa-debit", amount=100_001) == "declined 51"
    assert world.book.wrong_pins() == {}


def test_a_repeated_request_is_one_try():
    world = World()
    order = world.order("purchase", 1000, pin=WRONG)
    for _ in range(5):
        assert said(world.handle(post("operations", **order))) == "declined 55"
    assert world.book.wrong_pins() == {"visa": 1}


def test_wrong_pins_are_counted_over_restarts(tmp_path):
    world = World(tmp_path / "book.sqlite")
    for _ in range(3):
        assert pay(world, WRONG) == "declined 55"
        world.reopen()
    assert pay(world, RIGHT) == "declined 75"


def test_what_was_not_committed_was_not_tried(tmp_path):
    world = World(tmp_path / "book.sqlite")
    world.network.handle(post("operations", **world.order("purchase", 1000, pin=WRONG)))
    world.book.rollback()
    assert world.book.wrong_pins() == {}


def test_the_pin_of_another_card_is_nobodys_business():
    world = World()
    world.send("authorize", 1000)
    shown = world.order("capture", 1000) | {"card": {"number": "5555555555554444", "pin": WRONG}}
    assert said(world.handle(post("operations", **shown))) == "approved 00"
    assert world.book.wrong_pins() == {}


def test_a_refund_onto_a_card_looks_at_its_pin():
    world = World()
    world.send("purchase", 1000)
    shown = world.order("refund", 400) | {"card": {"number": "5555555555554444", "pin": WRONG}}
    assert said(world.handle(post("operations", **shown))) == "declined 55"
    assert world.book.wrong_pins() == {"mastercard": 1}


def test_a_wrong_pin_is_not_left_pending():
    world = World()
    assert said(world.pend(world.order("purchase", 1000, payment="A", pin=WRONG), 5)) == (
        "declined 55"
    )
    assert world.book.wrong_pins() == {"visa": 1}
    assert said(world.pend(world.order("purchase", 1000, payment="B", pin=RIGHT), 5)) == (
        "pending 00"
    )
    assert world.book.wrong_pins() == {}


# With magic amounts, and with cards that are declined anyway


@pytest.mark.parametrize(
    ("amount", "right", "wrong", "tries"),
    [
        (4255, "declined 55", "declined 55", 0),
        (4205, "declined 05", "declined 05", 0),
        (4200, "approved 00", "declined 55", 1),
        (4208, "approved 08", "declined 55", 1),
        (4260, "approved 00", "declined 55", 1),
        (4265, "approved 00", "declined 55", 1),
        (4270, "approved 00", "declined 55", 1),
    ],
)
def test_a_pin_is_looked_at_where_the_amount_does_not_decline(amount, right, wrong, tries):
    world = World()
    assert pay(world, WRONG, amount=amount) == wrong
    assert world.book.wrong_pins() == ({"visa": tries} if tries else {})
    assert pay(world, RIGHT, amount=amount) == right


def test_a_declined_card_is_declined_before_its_pin_is_looked_at():
    world = World()
    assert pay(world, WRONG, "visa-lost") == "declined 41"
    assert world.book.wrong_pins() == {}


# Cardholder verification wanted by the issuer

WANTED = """
account          | entry       | nothing | offline_pin | right | wrong
visa             | contactless | 00      | 00          | 00    | 55
visa             | chip        | 00      | 00          | 00    | 55
visa-offline-pin | contactless | 00      | 00          | 00    | 55
visa-offline-pin | chip        | 00      | 00          | 00    | 55
mastercard-pin   | chip        | 00      | 00          | 00    | 55
visa-online-pin  | contactless | 65      | 00          | 00    | 55
visa-online-pin  | chip        | 65      | 00          | 00    | 55
visa-online-pin  | magstripe   | 00      | 00          | 00    | 55
visa-online-pin  | online      | 00      | 00          | 00    | 55
visa-sca-online  | contactless | 70      | 00          | 00    | 55
visa-sca-online  | chip        | 65      | 00          | 00    | 55
visa-sca-online  | online      | 00      | 00          | 00    | 55
visa-sca-offline | contactless | 1A      | 00          | 00    | 55
visa-sca-offline | chip        | 1A      | 00          | 00    | 55
visa-sca-offline | online      | 00      | 00          | 00    | 55
"""


@pytest.mark.parametrize("verb", ["purchase", "authorize"])
@pytest.mark.parametrize(
    ("account", "entry", "nothing", "offline", "right", "wrong"), table(WANTED)
)
def test_an_issuer_wants_its_cardholder_verified(
    verb, account, entry, nothing, offline, right, wrong
):
    world = World()
    given = ({}, {"verified": "offline_pin"}, {"pin": RIGHT}, {"pin": WRONG})
    answers = [pay(world, account=account, verb=verb, entry=entry, **one)[-2:] for one in given]
    assert answers == [nothing, offline, right, wrong]
    assert pay(world, account=account, verb=verb, entry=entry, verified="device") == "approved 00"


@pytest.mark.parametrize("verb", ["credit", "verify", "store"])
def test_nobody_is_verified_to_be_given_money(verb):
    amount = 1000 if verb == "credit" else 0
    how = {"verb": verb, "amount": amount, "entry": "chip"}
    assert pay(World(), account="visa-online-pin", **how) == "approved 00"


def test_the_amount_decides_before_the_issuers_wish():
    assert pay(World(), account="visa-online-pin", amount=4200, entry="chip") == "approved 00"


# Over the control API and the command line


def test_an_account_is_unblocked_from_outside(tmp_path, monkeypatch):
    with sandbox(tmp_path) as process:
        monkeypatch.setenv("TOLLBRIDGE_SANDBOX_CONTROL", process.url)
        port = talk("GET", f"{process.url}/health")[1]["port"]

        def paid(pin):
            paid.number += 1
            body = {"operation": f"op{paid.number}", "payment": f"p{paid.number}"}
            body |= {"verb": "purchase", "amount_minor": 100, "currency": "EUR"}
            body["card"] = {"number": "4242424242424242", "pin": pin}
            return talk("POST", f"http://127.0.0.1:{port}/v1/operations", body)[1]["code"]

        paid.number = 0
        assert [paid(pin) for pin in (WRONG, WRONG, WRONG, RIGHT)] == ["55", "55", "55", "75"]
        pins = f"{process.url}/control/pins"
        blocked = {"account": "visa", "wrong": 3, "blocked": True}
        assert talk("GET", pins)[1] == {"pins": [blocked]}
        assert talk("DELETE", f"{pins}/visa")[1] == {
            "account": "visa",
            "wrong": 0,
            "blocked": False,
        }
        assert paid(RIGHT) == "00"
        assert [paid(WRONG) for _ in range(4)][-1] == "75"
        result = CliRunner().invoke(main, ["sandbox", "unblock", "visa"])
        assert result.output == "visa: PINs are taken again\n"
        assert paid(RIGHT) == "00"
        assert talk("GET", pins)[1] == {"pins": []}
        status, told, _ = talk("DELETE", f"{pins}/nobody")
        assert (status, told) == (404, {"error": "no test card has the account 'nobody'"})
        result = CliRunner().invoke(main, ["sandbox", "unblock", "no/body"])
        assert result.exit_code == 1
        log = process.log.read_text()
        assert RIGHT not in log.replace(str(port), "")
        assert WRONG not in log.replace(str(port), "")
