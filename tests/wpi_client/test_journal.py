"""A till's journal: durable, private, its own."""

import sqlite3
import stat

import pytest

from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import JournalFailed, UsageError
from tollbridge.wpi_client.journal import SessionJournal, everything
from tollbridge.wpi_client.results import Fate

REQUEST = {"currency": "EUR", "requestedAmount": 1191}
SUCCESS = '{"result": "WPI_RESULT_SUCCESS", "authorizedAmount": 1191, "currency": "EUR"}'


def opened(file, package="com.example.till", terminal="", kept=100):
    return SessionJournal(file, package, terminal, SystemClock(), kept=kept)


@pytest.mark.req("P-047")
def test_a_session_is_on_the_disk_when_begin_returns(tmp_path):
    journal = opened(tmp_path / "till.sqlite")
    assert journal._database.execute("PRAGMA synchronous").fetchone() == (2,)
    journal.begin("s-1", "WPI_SVC_PAYMENT", REQUEST)
    other = opened(tmp_path / "till.sqlite")
    [found] = other.open()
    assert (found.session, found.service, found.request) == ("s-1", "WPI_SVC_PAYMENT", REQUEST)
    assert found.sent_at > 0
    journal.close_with("s-1", Fate.APPROVED, SUCCESS)
    assert other.open() == []
    assert str(other.find("s-1").result.authorized) == "11.91 EUR"
    assert other.find("s-1").answered_at >= found.sent_at
    with pytest.raises(UsageError):
        other.begin("s-1", "WPI_SVC_PAYMENT", REQUEST)
    journal.close()
    other.close()


def test_only_its_owner_may_read_it(tmp_path):
    opened(tmp_path / "till.sqlite").close()
    assert stat.S_IMODE((tmp_path / "till.sqlite").stat().st_mode) == 0o600


def test_finished_exchanges_are_forgotten_open_ones_never(tmp_path):
    journal = opened(tmp_path / "till.sqlite")
    for number in range(20):
        journal.begin(f"s-{number}", "WPI_SVC_PAYMENT", REQUEST)
        if number != 3:
            journal.close_with(f"s-{number}", Fate.APPROVED, SUCCESS)
    journal.close()
    other = opened(tmp_path / "till.sqlite", package="com.example.other", kept=1)
    other.begin("s-1", "WPI_SVC_PAYMENT", REQUEST)
    other.close()
    journal = opened(tmp_path / "till.sqlite", kept=5)
    left = [one.session for one in journal.latest(100)]
    journal.close()
    assert left == ["s-19", "s-18", "s-17", "s-16", "s-15", "s-3"]
    packages = [package for package, _, _ in everything(tmp_path / "till.sqlite")]
    assert packages.count("com.example.other") == 1


@pytest.mark.parametrize("kind", ["text", "database", "newer", "folder", "nowhere"])
def test_another_file_is_not_touched(tmp_path, kind):
    file = tmp_path / "till.sqlite"
    match kind:
        case "text":
            file.write_bytes(b"not a database, by far" * 100)
        case "database":
            with sqlite3.connect(file) as database:
                database.execute("CREATE TABLE orders (number)")
        case "newer":
            opened(file).close()
            with sqlite3.connect(file) as database:
                database.execute("PRAGMA user_version = 99")
        case "folder":
            file.mkdir()
        case _:
            file = tmp_path / "no" / "till.sqlite"
    with pytest.raises(JournalFailed):
        opened(file)
    if kind == "nowhere":
        with pytest.raises(JournalFailed):
            everything(file)
