"""A second process at a journal, for the tests beside this file: `worker.py <what> <file>`.

It says "ready" before it opens the journal, then a line for whatever it did.
"""

import os
import resource
import sys
from pathlib import Path

from tollbridge.core.facts import Noted, Topic
from tollbridge.ground.errors import JournalError
from tollbridge.journal.journal import Entry, verify
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.testing.clock import START
from tollbridge.testing.journal_kit import note, opening, payment, settling, sides


def say(text):
    """One write is one line, or nothing when the process is killed in the middle."""
    os.write(1, f"{text}\n".encode())


def hold(file):
    """Open it and keep it until somebody closes our input."""
    journal = SqliteJournal(file)
    say("open")
    sys.stdin.read()
    journal.close()


def attempt(file):
    """Open it, and say how that went."""
    try:
        SqliteJournal(file).close()
        say("open")
    except JournalError as error:
        say(f"{type(error).__name__}: {error}")


def write(file):
    """Write for ever; say the head after each commit was answered."""
    journal = SqliteJournal(file)
    place = journal.head().number * 1000
    while True:
        places = range(place, place + 1 + place % 5)
        journal.commit([opening(p) for p in places])
        journal.commit([settling(p, postings=sides("a", "b", p + 1)) for p in places])
        journal.commit([note("page", b"%d" % place)])
        place = places[-1] + 1
        head = journal.head()
        say(f"{head.number} {head.hash.hex()}")


def big(place):
    """An entry of 100 kB."""
    long = Noted(1, START, Topic.FAULT, "x" * 100_000)
    return Entry(payment(place), 1, (*opening(place).facts, long), unfinished=True)


def fill(file):
    """Write on a disk that is full for a while: no file of ours may grow."""
    journal = SqliteJournal(file)
    journal.commit([opening(place, str(place)) for place in range(10)])
    before = journal.head()
    wal = Path(f"{file}-wal").stat().st_size
    for limit in (wal + 50_000, wal, 0):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            journal.commit([opening(11), big(10)])
            say("written")
        except JournalError as error:
            say(type(error).__name__)
        assert journal.head() == before
        assert verify(journal).entries == 10
    say(type(_refused(f"{file}.other")).__name__)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(journal.commit([big(10), opening(11), opening(12, "3")]))
    say(verify(journal).entries)
    journal.close()


def _refused(file):
    try:
        SqliteJournal(file)
    except JournalError as error:
        return error


if __name__ == "__main__":
    say("ready")
    globals()[sys.argv[1]](Path(sys.argv[2]))
