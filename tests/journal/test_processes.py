"""The journal between processes: one writer, and nothing lost when it is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tollbridge.ground.errors import JournalFailed, JournalInUse
from tollbridge.journal.journal import KeyTaken, Written, verify
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.testing.journal_kit import note, opening, payment

WORKER = Path(__file__).with_name("worker.py")


@contextmanager
def worker(what, file):
    process = subprocess.Popen(
        [sys.executable, WORKER, what, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "journal.sqlite"


def told(file, what):
    """Run a worker to its end; its lines."""
    with worker(what, file) as process:
        lines = process.stdout.read().decode().splitlines()
        assert process.wait() == 0
        return lines


def test_a_second_process_is_told_who_holds_the_journal(file):
    journal = SqliteJournal(file)
    journal.commit([opening(1)])
    (said,) = told(file, "attempt")
    assert said.startswith("JournalInUse: ")
    assert f"is open for writing in process {os.getpid()}; " in said
    assert journal.commit([opening(2)]) == [Written(2)]
    assert verify(journal).entries == 2
    journal.close()
    assert told(file, "attempt") == ["open"]


def test_the_lock_goes_with_a_process_that_is_killed(file):
    with worker("hold", file) as process:
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(JournalInUse, match=f"in process {process.pid};"):
            SqliteJournal(file)
        reader = SqliteJournal(file, read_only=True)
        assert reader.head().number == 0
        reader.close()
        process.send_signal(signal.SIGKILL)
        process.wait()
        journal = SqliteJournal(file)
        assert journal.commit([opening(1)]) == [Written(1)]
        journal.close()


def test_the_lock_goes_with_a_process_that_closes(file):
    with worker("hold", file) as process:
        assert process.stdout.readline() == b"open\n"
        process.stdin.close()
        assert process.wait() == 0
        SqliteJournal(file).close()


def killed(file, after_s):
    """Let a worker write, kill it, and give the last head it was sure of."""
    with worker("write", file) as process:
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().decode().split("\n")[:-1]
    number, hashed = lines[-1].split() if lines else ("0", bytes(32).hex())
    return int(number), hashed


def opened_again(file, *, read_only):
    """Open what a killed writer left; None where it had not come to make a journal."""
    try:
        return SqliteJournal(file, read_only=read_only)
    except JournalFailed:
        assert read_only
        return None


@pytest.mark.parametrize("window_s", [0.02, 0.05, 0.1, 0.2])
def test_a_writer_that_is_killed_loses_nothing_that_was_acknowledged(file, window_s):
    """Five kills of one journal, at random moments; each writer goes on where the last ended."""
    kept = 0
    for kill in range(5):
        number, hashed = killed(file, random.uniform(0, window_s))
        journal = opened_again(file, read_only=kill % 2 == 0)
        if journal is None:
            assert number == kept == 0
            continue
        found = verify(journal)
        assert found.entries >= max(number, kept)
        if number:
            (row,) = journal.entries(number - 1, 1)
            assert row.hash.hex() == hashed
        kept = found.entries
        journal.close()


def test_a_full_disk_fails_the_commit_and_nothing_else(file):
    *failed, opened, after, entries = told(file, "fill")
    assert failed == ["JournalFailed"] * 3
    assert opened == "JournalFailed"
    results = [Written(11), Written(12), KeyTaken(payment(3))]
    assert (after, entries) == (str(results), "12")
    journal = SqliteJournal(file)
    assert verify(journal).entries == 12
    assert journal.commit([note("page", b"1")]) == [Written(0)]
    journal.close()
