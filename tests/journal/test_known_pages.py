"""Pages at hand are as the file has them: after any writes, across threads, when a commit fails."""

import sqlite3
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tollbridge.ground.errors import JournalFailed
from tollbridge.ground.flow import Note, Page
from tollbridge.journal.journal import Notes, Stale, Written
from tollbridge.journal.memory import MemoryJournal
from tollbridge.journal.sqlite import KNOWN_BYTES_MAX, KNOWN_MAX, SqliteJournal

KEYS = ("a", "b", "c")
NOTES = some.builds(
    Note, some.sampled_from(KEYS), some.none() | some.binary(max_size=3),
    some.none() | some.integers(0, 4),
)  # fmt: skip
COMMITS = some.lists(some.lists(some.lists(NOTES, min_size=1, max_size=3), min_size=1, max_size=3))


@pytest.fixture
def journal(tmp_path):
    made = SqliteJournal(tmp_path / "journal.sqlite")
    yield made
    made.close()


def in_file(journal, key):
    """A page as a reader beside the journal sees it."""
    with sqlite3.connect(journal.file) as reader:
        found = reader.execute(
            "SELECT value, version FROM notebook WHERE namespace = 'n' AND key = ?", (key,)
        ).fetchone()
    reader.close()
    return Page(*found) if found else None


def keep(journal, key, value, expected=None):
    [result] = journal.commit([Notes("n", (Note(key, value, expected),))])
    return result


@given(commits=COMMITS)
def test_pages_are_as_another_journal_has_them_whatever_is_written(tmp_path_factory, commits):
    journal = SqliteJournal(tmp_path_factory.mktemp("known") / "journal.sqlite")
    memory = MemoryJournal()
    try:
        for batches in commits:
            changes = [Notes("n", tuple(notes)) for notes in batches]
            assert [type(one) for one in journal.commit(changes)] == [
                type(one) for one in memory.commit(changes)
            ]
            for key in KEYS:
                assert journal.recall("n", key) == memory.recall("n", key) == in_file(journal, key)
    finally:
        journal.close()


def test_what_is_written_is_read_back_without_the_file(journal):
    keep(journal, "a", b"1", 0)
    journal._reader.close()
    assert journal.recall("n", "a") == Page(b"1", 1)
    with pytest.raises(JournalFailed):
        journal.recall("n", "b")


def test_large_pages_and_too_many_are_not_kept_at_hand(journal):
    keep(journal, "large", bytes(KNOWN_BYTES_MAX + 1), 0)
    for number in range(KNOWN_MAX + 10):
        journal._known.learn([(("n", str(number)), Page(b"", 1))])
    assert len(journal._known._pages) == KNOWN_MAX
    assert journal._known.get(("n", "large")) is None
    assert journal.recall("n", "large") == in_file(journal, "large")


def test_what_was_read_while_something_changed_is_not_kept(journal):
    known = journal._known
    before = known.changes
    known.forget([("n", "a")])
    known.read(("n", "a"), Page(b"old", 1), before)
    assert known.get(("n", "a")) is None


def test_a_failed_commit_leaves_nothing_that_is_not_so(journal):
    keep(journal, "a", b"1", 0)
    writer = journal._writer

    class Full:
        def execute(self, statement, *values):
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk full")
            return writer.execute(statement, *values)

        def __getattr__(self, name):
            return getattr(writer, name)

    journal._writer = Full()
    with pytest.raises(JournalFailed):
        keep(journal, "a", b"2", 1)
    assert journal.recall("n", "a") == Page(b"1", 1) == in_file(journal, "a")
    assert isinstance(keep(journal, "a", b"2", 1), Written)
    assert journal.recall("n", "a") == Page(b"2", 2)


def test_readers_in_another_thread_never_see_an_old_page_again(journal):
    keep(journal, "a", b"", 0)
    wrong, over = [], threading.Event()

    def read():
        seen = 0
        while not over.is_set():
            done = committed[0]
            page = journal.recall("n", "a")
            if page.version < max(seen, done):
                wrong.append((page.version, seen, done))
            seen = page.version
        if journal.recall("n", "a") != in_file(journal, "a"):
            wrong.append("at the end")

    committed = [1]
    reader = threading.Thread(target=read)
    reader.start()
    for version in range(1, 400):
        if version % 7 == 0:
            keep(journal, "b", b"x")
        assert isinstance(keep(journal, "a", b"", version), Written)
        committed[0] = version + 1
        assert isinstance(keep(journal, "a", b"", version), Stale)
    over.set()
    reader.join()
    assert wrong == []


def test_a_reader_beside_an_engine_keeps_nothing(journal):
    keep(journal, "a", b"1", 0)
    beside = SqliteJournal(journal.file, read_only=True)
    assert beside.recall("n", "a") == Page(b"1", 1)
    keep(journal, "a", b"2", 1)
    assert beside.recall("n", "a") == Page(b"2", 2)
    beside.close()
