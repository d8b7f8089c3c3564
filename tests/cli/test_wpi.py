"""`tollbridge wpi`: what a person and a script see of a terminal."""

import json
import re

import pytest
from click.testing import CliRunner

from tests.processes import TOKEN, server
from tests.wpi_client.crooked import Crooked, failure
from tollbridge.cli.main import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLLBRIDGE_TOKEN", TOKEN)

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, ["wpi", *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result.output

    return run


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tmp_path_factory.mktemp("wpi")) as process:
        yield process


@pytest.fixture
def wpi(run, running, monkeypatch):
    """Commands that talk to a running server."""
    monkeypatch.setenv("TOLLBRIDGE_URL", running.url)
    return run


@pytest.fixture
def crooked(run, monkeypatch):
    with Crooked() as terminal:
        monkeypatch.setenv("TOLLBRIDGE_URL", terminal.url)
        yield terminal


def reference(said):
    return re.search(r"reference (\w{10})", said)[1]


@pytest.mark.req("P-019", "P-020", "P-021", "P-031", "P-038", "P-039")
def test_sell_and_take_back(wpi):
    said = wpi("pay", "11.91", "eur", "--reference", "order 7", "--receipt")
    assert said.startswith("approved, 11.91 EUR, Visa, reference ")
    assert "Payment reference" in said
    assert "approved" in wpi("refund", "1.00", "EUR", "--of", reference(said))
    assert "approved" in wpi("credit", reference(said), "1.00", "EUR")
    other = wpi("pay", "2", "EUR")
    assert "approved, 2.00 EUR" in wpi("cancel", reference(other))
    assert "HOST_REFUSAL" in wpi("pay", "42.51", "EUR", code=1)
    session = re.search(r"session (\w+)", other)[1]
    assert "PAYMENT: approved" in wpi("last", session)
    assert "not executed" in wpi("last", "never", code=1)
    assert "currencies EUR" in wpi("info")
    assert wpi("recover") == "nothing is open\n"


@pytest.mark.req(*(f"P-{n:03d}" for n in range(22, 30)))
def test_reserve_and_sell(wpi):
    held = reference(wpi("preauth", "50", "EUR"))
    more = reference(wpi("update", held, "10", "EUR"))
    assert "approved" in wpi("cancel-update", more)
    sold = reference(wpi("complete", held, "45", "EUR"))
    assert "approved" in wpi("cancel-complete", sold)
    other = reference(wpi("preauth", "50", "EUR"))
    assert "approved" in wpi("cancel-preauth", other)
    fuel = reference(wpi("deferred", "authorize", "100", "EUR"))
    assert "approved, 61.50 EUR" in wpi("deferred", "complete", fuel, "61.50", "EUR")


@pytest.mark.req("P-030", "P-033", "P-036", "P-037")
def test_what_else_a_terminal_does(wpi):
    said = wpi("recognise", "--customer-token")
    assert "NFC" in said
    assert "approved" in wpi("day-end")
    session = json.loads(wpi("pay", "1", "EUR", "--json"))["session"]
    assert "approved" in wpi("print", session)
    assert "knows no such session" in wpi("print", "never", code=1)
    assert "approved" in wpi("abort")


def test_json_is_for_programs(wpi):
    paid = json.loads(wpi("pay", "11.91", "EUR", "--json"))
    assert paid["approved"] is True
    assert paid["authorized"] == {"minor": 1191, "currency": "EUR"}
    assert paid["raw"]["authorizedAmount"] == 1191
    assert json.loads(wpi("last", paid["session"], "--json"))["fate"] == "approved"
    assert "paymentInformation" in json.loads(wpi("info", "--json"))
    assert json.loads(wpi("recover", "--json")) == {"exchanges": []}


def test_mistakes_are_explained(wpi, monkeypatch):
    assert "EURO" in wpi("pay", "1", "EURO", code=1)
    wpi("pay", "1.234", "EUR", code=1)
    wpi("pay", "1", code=2)
    monkeypatch.setenv("TOLLBRIDGE_TOKEN", "wrong")
    assert "401" in wpi("pay", "1", "EUR", code=1)
    assert "not reached" in wpi("pay", "1", "EUR", "--url", "http://127.0.0.1:1", code=1)


def test_an_unknown_outcome_is_its_own_exit_code_and_found_later(run, crooked):
    quick = ("--patience", "0.3")
    crooked.trouble, crooked.told = ["dropped"], ["busy"] * 100
    assert "wpi recover" in run("pay", "11.91", "EUR", "--session", "s-1", *quick, code=3)
    assert "s-1" in run("pay", "5", "EUR", *quick, code=3)
    assert "s-1: unknown" in run("recover", *quick, code=3)
    assert "s-1: running" in run("last", "s-1", code=3)
    crooked.told = []
    assert "PAYMENT: approved, 11.91 EUR" in run("recover")
    assert crooked.sent == ["WPI_SVC_PAYMENT"]


def test_hostile_text_does_not_reach_the_terminal(run, crooked):
    crooked.trouble = [failure("HOST_REFUSAL", "no\x1b[2J money")]
    assert "\x1b" not in run("pay", "1", "EUR", code=1)


def test_where_the_page_is(run):
    assert run("terminal", "--no-open", "--url", "http://127.0.0.1:8700/") == (
        "http://127.0.0.1:8700/terminal\n")  # fmt: skip
    assert "/terminal/T%202" in run("terminal", "--no-open", "--terminal", "T 2")
    assert "WORD=VALUE" in run("scenario", "set", "fallback", code=2)


def test_a_scenario_is_set_shown_and_cleared(wpi):
    assert wpi("scenario", "set", "condition=CARD_READ_ERR", "--times", "2") == "set\n"
    assert json.loads(wpi("scenario", "show"))["scenarios"][0]["times"] == 2
    assert "CARD_READ_ERR" in wpi("pay", "1", "EUR", code=1)
    assert wpi("scenario", "clear", "--terminal", "T1") == "cleared\n"
    assert "approved" in wpi("pay", "1", "EUR")
    wpi("scenario", "set", "card=fallback", "pins=wrong,right")
    wpi("scenario", "clear")
    assert "there is no such word" in wpi("scenario", "set", "colour=red", code=1)
