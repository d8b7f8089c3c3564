"""The command line: what a newcomer and a script see."""

import json
import sqlite3
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from tests.processes import TOKEN, sandbox, server, talk
from tollbridge.cli.main import COMMANDS, main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOLLBRIDGE_TOKEN", raising=False)

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result.output

    return run


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    with server(folder) as process:
        yield process


@pytest.fixture
def tb(run, running, monkeypatch):
    """Commands that talk to a running server."""
    monkeypatch.setenv("TOLLBRIDGE_TOKEN", TOKEN)
    return lambda *arguments, code=0: run(*arguments, "--url", running.url, code=code)


def test_help_names_every_command_and_is_quick(run):
    text = run("--help")
    for name in COMMANDS:
        assert name in text
    command = [sys.executable, "-m", "tollbridge", "--help"]
    fastest = 9.0
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest < 0.2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run, name):
    assert "Usage:" in run(name, "--help")


def test_pay_look_refund_void(tb):
    made = json.loads(tb("pay", "11.91", "eur", "--card", "4242 4242 4242 4242", "--json"))
    assert made["captured_minor"] == 1191
    name = made["id"]
    assert "captured 11.91 EUR" in tb("look", name)
    assert "partially refunded" in tb("refund", name, "1.91")
    assert "refunded 11.91 EUR" in tb("refund", name)
    assert name in tb("payments")
    paid = json.loads(tb("pay", "5", "JPY", "--json"))
    assert "voided" in tb("void", paid["id"])
    held = json.loads(tb("authorize", "20", "EUR", "--json"))
    assert "captured 5.00 EUR" in tb("capture", held["id"], "5")


def test_exit_codes_tell_a_script_what_came_of_it(tb):
    tb("pay", "42.51", "EUR", code=3)
    tb("pay", "1", "EUR", "--detail", "sandbox.fault=refuse", code=3)
    tb("pay", "1", "EUR", "--detail", "sandbox.fault=pending:60", code=4)
    tb("look", "0" * 26, code=1)
    tb("pay", "1.234", "EUR", code=1)
    tb("pay", "1", "XXX", code=1)
    tb("pay", "1", "EUR", "--detail", "nonsense", code=2)


def test_the_same_key_pays_once(tb):
    one = json.loads(tb("pay", "7", "EUR", "--key", "k1", "--json"))
    two = json.loads(tb("pay", "7", "EUR", "--key", "k1", "--json"))
    assert one["id"] == two["id"]
    assert "asked something else" in tb("pay", "8", "EUR", "--key", "k1", code=1)


def test_recover_lists_and_closes(tb):
    made = json.loads(
        tb("pay", "3", "EUR", "--detail", "sandbox.fault=pending:0", "--json", code=4)
    )
    assert made["id"] in tb("recover")
    assert made["id"] in tb("payments", "--unfinished")
    operation = made["operations"][0]["id"]
    tb("recover", "--operation", operation, "--as", "unsent", code=2)
    closed = tb("recover", "--operation", operation, "--as", "unsent", "--evidence", "statement")
    assert "unsent" in closed


def test_without_a_server_the_error_says_what_to_do(run):
    text = run("pay", "1", "EUR", "--url", "http://127.0.0.1:1", code=1)
    assert "tollbridge serve" in text
    assert "Traceback" not in text


def test_with_another_credential_the_error_says_what_to_do(run, running):
    text = run("payments", "--url", running.url, code=1)
    assert "TOLLBRIDGE_TOKEN" in text


def test_a_journal_of_ones_own_needs_no_server(run, tmp_path):
    made = json.loads(run("pay", "11.91", "EUR", "--journal", "shop.sqlite", "--json"))
    assert made["status"] == "captured"
    assert made["id"] in run("payments", "--journal", "shop.sqlite")
    run("refund", made["id"], "--journal", "shop.sqlite")
    assert "intact: 4 entries, 1 payments" in run("journal", "verify", "--journal", "shop.sqlite")
    assert "requested" in run("journal", "tail", "--journal", "shop.sqlite")
    lines = run("journal", "export", "--journal", "shop.sqlite").splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2, 3, 4]
    head = json.loads(run("journal", "verify", "--journal", "shop.sqlite", "--json"))["head"]
    run("journal", "verify", "--journal", "shop.sqlite", "--head", head)
    run("journal", "verify", "--journal", "shop.sqlite", "--head", "00" * 32, code=1)
    assert "no journal at" in run("journal", "verify", "--journal", "other.sqlite", code=1)


def test_a_journal_in_use_is_told_clearly(run, running):
    journal = running.folder / "journal.sqlite"
    text = run("pay", "1", "EUR", "--journal", journal, code=1)
    assert f"process {running.process.pid}" in text
    assert "intact" in run("journal", "verify", "--journal", journal)


def test_a_changed_journal_is_found(run, tmp_path):
    run("pay", "11.91", "EUR", "--journal", "shop.sqlite")
    database = sqlite3.connect(tmp_path / "shop.sqlite")
    database.execute("UPDATE entry SET body = replace(body, '1191', '9191') WHERE number = 2")
    database.commit()
    database.close()
    assert "chain is broken" in run("journal", "verify", "--journal", "shop.sqlite", code=1)
    assert "BAD" in run("doctor", "--journal", "shop.sqlite", code=1)


def test_doctor_and_describe(tb, run):
    text = run("doctor", "--journal", "none.sqlite")
    assert "python" in text
    assert "BAD" not in text
    assert "bridge sandbox" in tb("describe")
    assert "face wpi" in tb("describe")


def test_settings_are_checked_all_at_once(run, tmp_path):
    (tmp_path / "bad.toml").write_text(
        '[server]\nport = "x"\ncolour = 1\n[bridges.nothing]\n[faces.wpi]\nlanguages = 3\n[moon]\n'
    )
    text = run("serve", "--config", "bad.toml", code=1)
    for problem in ("[moon]", "server.port", "server.colour"):
        assert problem in text
    (tmp_path / "bad.toml").write_text("[bridges.nothing]\n")
    assert "[bridges.nothing] is not installed" in run("serve", "--config", "bad.toml", code=1)
    (tmp_path / "bad.toml").write_text("[faces.wpi]\nlanguages = 3\ncolour = 1\n")
    text = run("serve", "--config", "bad.toml", code=1)
    assert "faces.wpi.languages" in text
    assert "faces.wpi.colour" in text
    (tmp_path / "bad.toml").write_text("= 3")
    assert "bad.toml" in run("serve", "--config", "bad.toml", code=1)


def test_a_port_in_use_is_told_clearly(run, running):
    port = running.url.rpartition(":")[2]
    text = run("serve", "--port", port, code=1)
    assert "--port 0" in text


def test_the_sandbox_is_steered_and_compared(run, tmp_path, monkeypatch):
    with sandbox(tmp_path) as process:
        monkeypatch.setenv("TOLLBRIDGE_SANDBOX_CONTROL", process.url)
        assert "drop: 2 x purchase, after 1" in run(
            "sandbox", "fault", "drop", "--times", 2, "--skip", 1, "--verb", "purchase"
        )
        assert "refuses" in run("sandbox", "fault", "refuse", "--delay", "0.1")
        assert "up" in run("sandbox", "up")
        assert "down" in run("sandbox", "down", "--for", "0.1")
        time.sleep(0.3)
        network = talk("GET", f"{process.url}/health")[1]["port"]
        (tmp_path / "t.toml").write_text(f'[bridges.sandbox]\nurl = "http://127.0.0.1:{network}"\n')
        with server(tmp_path, "--config", "t.toml") as ours:
            monkeypatch.setenv("TOLLBRIDGE_TOKEN", TOKEN)
            run("pay", "11.91", "EUR", "--url", ours.url)
            assert "visa" in run("sandbox", "book")
            assert "agree: 1 payments" in run("sandbox", "compare", "--journal", "journal.sqlite")
            _pay_behind_our_back(network)
            text = run("sandbox", "compare", "--journal", "journal.sqlite", code=3)
            assert "only the network knows it" in text


def test_test_cards_are_listed(run):
    assert "4242424242424242" in run("sandbox", "cards")
    assert len(json.loads(run("sandbox", "cards", "--json"))["cards"]) > 25


def test_without_a_sandbox_the_error_says_what_to_do(run):
    text = run("sandbox", "book", "--control", "http://127.0.0.1:1", code=1)
    assert "tollbridge sandbox serve" in text


def _pay_behind_our_back(port):
    body = {
        "operation": "ghost",
        "payment": "ghost",
        "verb": "purchase",
        "amount_minor": 1,
        "currency": "EUR",
        "card": {"number": "4242424242424242"},
    }
    assert talk("POST", f"http://127.0.0.1:{port}/v1/operations", body)[0] == 200
