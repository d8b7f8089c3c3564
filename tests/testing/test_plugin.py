"""What a developer of tills gets from `pip install tollbridge`: a terminal, and a verdict."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from tests.processes import talk
from tests.wpi_client.test_services import CALLS
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import ConfigError
from tollbridge.sandbox.book import Book
from tollbridge.testing import VirtualTerminal
from tollbridge.wpi_client import (
    BlockingWpiClient,
    Fate,
    Money,
    NotExecuted,
    Options,
    OutcomeUnknown,
    Unreachable,
)
from tollbridge.wpi_client.journal import SessionJournal

LOADING = """
import sys, time, pytest
start = time.perf_counter()
import tollbridge.testing.plugin
took = time.perf_counter() - start
print(took, len([name for name in sys.modules if name.startswith("tollbridge.")]))
"""


def wait_for(what, limit_s=10):
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)


def in_background(call):
    """Start a call; gives the thread and where its result will be."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    return thread, results


def test_loading_the_plugin_costs_nothing():
    said = [
        subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
        .stdout.split() for _ in range(5)
    ]  # fmt: skip
    assert min(float(took) for took, _ in said) < 0.005
    assert {count for _, count in said} == {"2"}


def test_a_terminal_starts_and_ends_quickly(tmp_path):
    times = []
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        start = time.perf_counter()
        VirtualTerminal(folder).close()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.2  # measured: 0.03


def test_a_till_pays(wpi_terminal):
    paid = wpi_terminal.client.payment(1191, "EUR", reference="order 7")
    assert paid.approved
    assert [(one.verb, one.amount_minor) for one in wpi_terminal.book()] == [("purchase", 1191)]
    assert wpi_terminal.papers
    assert wpi_terminal.verdict() == []


def test_cards_do_what_their_names_say(wpi_terminal):
    till, cardholder = wpi_terminal.client, wpi_terminal.cardholder
    cardholder.presents("visa-declined", "mastercard", "unreadable")
    assert till.payment(1000, "EUR").condition == "HOST_REFUSAL"
    assert till.payment(1000, "EUR").card.brand == "Mastercard"
    assert till.payment(1000, "EUR").condition == "CARD_READ_ERR"
    assert till.payment(1000, "EUR").card.brand == "Visa"
    with pytest.raises(KeyError):
        cardholder.presents("monopoly")
    assert wpi_terminal.verdict() == []


def test_people_stop_and_dawdle(wpi_terminal):
    till, cardholder = wpi_terminal.client, wpi_terminal.cardholder
    cardholder.cancels()
    assert till.payment(1000, "EUR").condition == "USER_CANCEL"
    cardholder.waits()
    assert till.payment(1000, "EUR").condition == "USER_TIMEOUT"
    cardholder.presents("mastercard-pin", by="chip").cancels()
    assert till.payment(10_000, "EUR").condition == "USER_CANCEL"
    assert cardholder.left == 0
    assert wpi_terminal.book() == []


def test_pins_are_right_and_wrong(wpi_terminal):
    till, cardholder = wpi_terminal.client, wpi_terminal.cardholder
    cardholder.presents("visa-offline-pin", by="chip").enters_pin("wrong", "right")
    assert till.payment(10_000, "EUR").approved
    cardholder.presents("visa-offline-pin", by="chip").enters_pin("1111", "wrong", "wrong")
    assert not till.payment(10_000, "EUR").approved
    assert cardholder.left == 0


def test_tips_and_currencies(wpi_terminal):
    till, cardholder = wpi_terminal.client, wpi_terminal.cardholder
    cardholder.presents("visa").adds_tip(50)
    paid = till.payment(1000, "EUR")
    assert (paid.tip, paid.authorized) == (Money.of(50, "EUR"), Money.of(1050, "EUR"))
    cardholder.presents("visa-us").chooses("USD")
    assert till.payment(1000, "EUR").dcc_used
    cardholder.presents("visa-us")
    assert till.payment(1000, "EUR").dcc_used is False
    assert cardholder.left == 0
    assert wpi_terminal.verdict() == []


@pytest.mark.wpi_terminal(password="4321", tip=None, terminal_id="DESK")
def test_a_mark_sets_the_terminal_up(wpi_terminal):
    till = wpi_terminal.client
    wpi_terminal.merchant.enters_password("0000", "4321")
    assert till.refund(100, "EUR").approved
    assert till.payment(100, "EUR").tip is None
    assert till.information().terminal == "DESK"
    assert wpi_terminal.verdict() == []


def test_the_merchant_uses_the_menu(wpi_terminal):
    wpi_terminal.client.payment(1191, "EUR")
    wpi_terminal.merchant.chooses("totals", "day_end")
    assert wpi_terminal.client.menu().approved
    assert wpi_terminal.cardholder.left == 0


def test_several_terminals_and_tills(wpi_terminals):
    one, two = wpi_terminals(), wpi_terminals(terminal_id="T2")
    assert one.url != two.url
    assert one.till("other.sqlite", "com.example.other").payment(5, "EUR").approved
    assert two.client.information().terminal == "T2"
    assert (len(one.book()), len(two.book())) == (1, 0)
    with pytest.raises(ConfigError):
        wpi_terminals(colour="red")


def test_one_for_the_whole_session(wpi_terminal_session):
    assert wpi_terminal_session.client.payment(1191, "EUR").approved


def test_a_scenario_happens(wpi_terminal):
    wpi_terminal.scenario(condition="CARD_READ_ERR")
    wpi_terminal.scenario(code="51", times=2)
    conditions = [wpi_terminal.client.payment(1000, "EUR").condition for _ in range(4)]
    assert conditions == ["CARD_READ_ERR", "HOST_REFUSAL", "HOST_REFUSAL", "NONE"]
    with pytest.raises(ConfigError):
        wpi_terminal.scenario(colour="red")


@pytest.mark.parametrize(
    "recovery",
    ["answer_lost", "dies_before", "dies_after", "answered_twice", "error_answer",
     "result_canceled"],
)  # fmt: skip
@pytest.mark.req("P-038", "P-047", "P-340", "P-343", "P-344", "P-347")
def test_whatever_happens_to_the_answer_the_till_ends_up_knowing(wpi_terminal, recovery):
    wpi_terminal.scenario(recovery=recovery)
    till = wpi_terminal.client
    paid = _outcome(lambda: till.payment(1191, "EUR", limit_s=2))
    if recovery == "dies_before":
        assert type(paid) is NotExecuted
    else:
        assert paid.approved
    assert len(wpi_terminal.book()) == (recovery != "dies_before")
    assert till.unanswered() == []
    assert wpi_terminal.verdict() == []


def test_the_printer_runs_out_of_paper(wpi_terminal):
    session = wpi_terminal.client.payment(1191, "EUR").session
    wpi_terminal.printer("paper_empty")
    assert wpi_terminal.client.print_receipt(session).condition == "GENERIC"
    wpi_terminal.printer("ready")
    assert wpi_terminal.client.print_receipt(session).approved


def test_the_network_is_down(wpi_terminal):
    wpi_terminal.network(up=False)
    assert wpi_terminal.client.payment(1191, "EUR").condition == "NETWORK_ISSUE"
    wpi_terminal.network(up=True)
    assert wpi_terminal.client.payment(1191, "EUR").approved
    assert wpi_terminal.verdict() == []


@pytest.mark.req("P-051")
def test_a_terminal_killed_while_it_works_is_asked_when_it_is_back(wpi_terminal):
    wpi_terminal.scenario(fault="late_answer:30")
    paying, results = in_background(lambda: wpi_terminal.client.payment(1191, "EUR"))
    wait_for(wpi_terminal.book)
    wpi_terminal.kill()
    assert not wpi_terminal.is_running
    time.sleep(0.1)
    wpi_terminal.start()
    paying.join()
    assert results[0].approved
    assert len(wpi_terminal.book()) == 1
    assert wpi_terminal.verdict() == []


def test_a_terminal_killed_while_people_think_sold_nothing(wpi_terminals):
    terminal = wpi_terminals(cardholder="browser")
    till = terminal.client
    paying, results = in_background(lambda: _outcome(lambda: till.payment(1191, "EUR")))
    wait_for(lambda: talk("GET", f"{terminal.page}/T1/state")[1]["screen"])
    terminal.restart()
    paying.join()
    assert [type(one).__name__ for one in results] == ["NotExecuted"]
    assert terminal.book() == []
    assert terminal.verdict() == []


def _outcome(call):
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - the error is the result
        return error


def test_a_killed_terminal_is_not_there(wpi_terminal):
    url, till = wpi_terminal.url, wpi_terminal.client
    wpi_terminal.kill()
    with pytest.raises(Unreachable):
        till.payment(1191, "EUR")
    with pytest.raises(RuntimeError):
        wpi_terminal.scenario(card="fallback")
    wpi_terminal.start()
    wpi_terminal.start()
    assert wpi_terminal.url == url
    assert till.payment(1191, "EUR").approved
    assert wpi_terminal.verdict() == []


def test_a_till_that_tries_again_on_its_own_is_caught(wpi_terminal):
    for _ in range(2):  # the mistake: a new session for the same order
        wpi_terminal.client.payment(1191, "EUR", reference="order 7")
    [said] = wpi_terminal.verdict()
    assert said.startswith("order 7: 11.91 EUR was paid 2 times")


def test_a_till_that_refunds_its_mistake_is_right_again(wpi_terminal):
    till = wpi_terminal.client
    till.payment(1191, "EUR", reference="order 7")
    again = till.payment(1191, "EUR", reference="order 7")
    assert till.cancel_payment(again.reference).approved
    assert wpi_terminal.verdict() == []


def test_a_till_that_does_not_know_is_named(wpi_terminal, tmp_path):
    wpi_terminal.scenario(fault="late_answer:1")
    journal = tmp_path / "mine.sqlite"
    with pytest.raises(OutcomeUnknown), _till(wpi_terminal, journal) as till:
        till.payment(1191, "EUR", session="s-1", limit_s=0.3)
    assert "PAYMENT s-1: the till does not know what became of it" in wpi_terminal.verdict(journal)
    with _till(wpi_terminal, journal, recovery_s=5, in_flight_s=0.1) as till:
        assert [one.fate for one in till.recover()] == [Fate.APPROVED]
    assert wpi_terminal.verdict(journal) == []


def _till(terminal, journal, **options):
    return BlockingWpiClient(
        terminal.url, token=terminal.token, package="com.example.till", journal=journal,
        options=Options(**({"recovery_s": 0.0} | options)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("failed", "failed for the till, approved for the terminal"),
        ("not_executed", "not_executed for the till, approved for the terminal"),
        ("given_up", None),
    ],
)
def test_a_till_that_believes_something_else_is_named(wpi_terminal, fate, said):
    till = wpi_terminal.client
    paid = till.payment(1191, "EUR", session="s-1")
    till._client._journal.close_with(paid.session, Fate(fate), "")
    assert wpi_terminal.verdict() == ([f"PAYMENT s-1: {said}"] if said else [])


def test_a_till_that_believes_what_never_was_is_named(wpi_terminal, tmp_path):
    file = tmp_path / "liar.sqlite"
    journal = SessionJournal(file, "com.example.till", "", SystemClock(), kept=10)
    journal.begin("s-9", "WPI_SVC_PAYMENT", {"currency": "EUR", "requestedAmount": 5})
    journal.close_with("s-9", Fate.APPROVED, '{"result": "WPI_RESULT_SUCCESS"}')
    journal.close()
    assert wpi_terminal.verdict(file) == [
        "PAYMENT s-9: approved for the till, not for the terminal"
    ]


def test_what_only_the_network_moved_is_named(wpi_terminal):
    wpi_terminal.client.payment(1191, "EUR")
    book = Book(wpi_terminal.folder / "terminal.sandbox.sqlite")
    [one] = book.movements()
    book.add(replace(one, operation="01M7ZBE7VFFQ5BKSXHF1A1R11N.1"))
    book.commit()
    book.close()
    [said] = wpi_terminal.verdict()
    assert said.endswith("only the network knows it")


def test_tills_in_other_languages_are_judged_by_what_they_were_told(wpi_terminal):
    """Any program may be the till: the terminal's own memory is what it was told."""
    extras = {
        "WPI_SERVICE_TYPE": "WPI_SVC_PAYMENT",
        "WPI_VERSION": "2.0",
        "WPI_SESSION_ID": "s-1",
        "WPI_REQUEST": json.dumps({"currency": "EUR", "requestedAmount": 1191}),
    }
    status, answer, _ = talk(
        "POST", f"{wpi_terminal.url}/wpi/com.worldline.payment.action.PROCESS_TRANSACTION",
        extras, token=wpi_terminal.token, headers=[("WPI-Package", "com.example.kotlin")],
    )  # fmt: skip
    assert status == 200
    assert json.loads(answer["WPI_RESPONSE"])["result"] == "WPI_RESULT_SUCCESS"
    assert wpi_terminal.verdict() == []


@pytest.mark.parametrize("name", CALLS)
def test_no_service_type_is_taken_for_a_contradiction(wpi_terminal, name):
    assert CALLS[name](wpi_terminal.client).approved
    assert wpi_terminal.verdict() == []
    assert wpi_terminal.client.contradictions() == []


@pytest.mark.parametrize("offline", ["approved", "declined", "refused_later"])
def test_what_was_decided_offline_is_no_contradiction(wpi_terminal, offline):
    till = wpi_terminal.client
    wpi_terminal.scenario(offline=offline)
    assert till.payment(1191, "EUR").approved == (offline != "declined")
    assert wpi_terminal.verdict() == []
    till.day_end()
    said = wpi_terminal.verdict()
    assert bool(said) == (offline == "refused_later")  # the shop loses what was refused later


def test_a_released_delivery_is_no_contradiction(wpi_terminal):
    till = wpi_terminal.client
    authorized = till.deferred_authorization(10_000, "EUR")
    assert till.deferred_completion(authorized.reference, 0, "EUR").approved
    assert wpi_terminal.verdict() == []
