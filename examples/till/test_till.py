"""How a till is tested: `pip install tollbridge pytest`, then `pytest`.

The fixture `wpi_terminal` comes with Tollbridge: a payment terminal of each test's own.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from till import Till

from tollbridge.testing.virtual_terminal import QUICK


@pytest.fixture
def till(wpi_terminal, tmp_path):
    till = Till(wpi_terminal.url, wpi_terminal.token, tmp_path, options=QUICK)
    yield till
    till.close()


@pytest.fixture(autouse=True)
def nothing_is_lost_or_doubled(wpi_terminal, tmp_path):
    """Whatever a test does to the till: the money is right in the end."""
    yield
    assert wpi_terminal.verdict(tmp_path / "exchanges.sqlite") == []


def test_coffee_is_sold(till, wpi_terminal):
    number = till.sell("coffee", 350)
    assert till.state(number) == "paid"
    assert wpi_terminal.book()[0].amount_minor == 350


def test_a_declined_card_buys_nothing(till, wpi_terminal):
    wpi_terminal.cardholder.presents("visa-declined")
    assert till.state(till.sell("coffee", 350)) == "not paid"


def test_a_customer_who_walks_away_buys_nothing(till, wpi_terminal):
    wpi_terminal.cardholder.waits()
    assert till.state(till.sell("coffee", 350)) == "not paid"


def test_coffee_is_given_back(till, wpi_terminal):
    number = till.sell("coffee", 350)
    assert till.refund(number).approved
    assert till.state(number) == "refunded"


@pytest.mark.parametrize("trouble", ["answer_lost", "dies_after", "error_answer",
                                     "result_canceled"])  # fmt: skip
def test_an_answer_that_is_lost_is_found(till, wpi_terminal, trouble):
    wpi_terminal.scenario(recovery=trouble)
    assert till.state(till.sell("coffee", 350)) == "paid"


def test_the_terminal_is_unplugged_while_it_pays(till, wpi_terminal):
    wpi_terminal.scenario(fault="late_answer:30")
    threading.Timer(0.3, wpi_terminal.restart).start()
    assert till.state(till.sell("coffee", 350)) == "paid"


def test_the_till_is_killed_while_it_pays(wpi_terminal, tmp_path):
    wpi_terminal.scenario(fault="late_answer:1")
    environment = {
        "TOLLBRIDGE_URL": wpi_terminal.url,
        "TOLLBRIDGE_TOKEN": wpi_terminal.token,
        "TILL_FOLDER": str(tmp_path),
    }
    program = Path(__file__).with_name("till.py")
    process = subprocess.Popen(
        [sys.executable, program, "sell", "coffee", "3.50"], env=os.environ | environment
    )
    while not wpi_terminal.book():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    till = Till(wpi_terminal.url, wpi_terminal.token, tmp_path, options=QUICK)
    assert till.lines() == ["1  coffee           3.50 EUR  paid"]
    till.close()
