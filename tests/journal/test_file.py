"""The journal's file: who may open it, what is refused, and what a damaged one says."""

import os
import resource
import sqlite3
import stat
from contextlib import contextmanager
from pathlib import Path

import pytest

from tollbridge.core.facts import Noted, Topic
from tollbridge.ground.errors import Corrupt, JournalError, JournalFailed, JournalInUse
from tollbridge.journal.journal import Entry, Stale, Written, verify
from tollbridge.journal.migrations import APPLICATION_ID, MIGRATIONS, migrate
from tollbridge.journal.sqlite import CHECKPOINT_PAGES, SqliteJournal
from tollbridge.testing.clock import START
from tollbridge.testing.journal_kit import (
    PENDING,
    key,
    note,
    opening,
    payment,
    refunding,
    settling,
    sides,
)

STORY = (
    opening(1, "a"),
    settling(1, postings=sides("receivable", "payable", 1000)),
    opening(2, "b"),
    settling(2, PENDING),
    refunding(1, claim="c"),
    settling(1, postings=sides("payable", "receivable", 400), version=4, ordinal=2),
    note("page", b"1"),
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def told(file):
    """A journal with a story in it, closed."""
    journal = SqliteJournal(file)
    journal.commit(STORY)
    journal.close()
    return file


@pytest.fixture
def journal(file):
    journal = SqliteJournal(file)
    yield journal
    journal.close()


def raw(file):
    """The file, as somebody opens it who does not ask us."""
    return sqlite3.connect(file, isolation_level=None)


def verified(file):
    journal = SqliteJournal(file, read_only=True)
    try:
        return verify(journal)
    finally:
        journal.close()


# The file


def test_only_its_owner_may_read_the_files(file):
    before = os.umask(0)
    try:
        journal = SqliteJournal(file)
        journal.commit(STORY)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    endings = ("", "-wal", "-shm", ".lock")
    assert modes == {file.name + ending: 0o600 for ending in endings}


def test_every_commit_is_on_the_disk_before_it_is_answered(journal):
    def setting(name):
        return journal._writer.execute(f"PRAGMA {name}").fetchone()[0]

    assert setting("journal_mode") == "wal"
    assert setting("synchronous") == 2  # FULL
    assert setting("fullfsync") == 1
    assert setting("wal_autocheckpoint") == CHECKPOINT_PAGES


def test_it_is_closed_once_and_for_all(file):
    journal = SqliteJournal(file)
    journal.close()
    journal.close()
    again = SqliteJournal(str(file))
    again.close()


# Who may open it


def test_it_is_opened_for_writing_once(file, journal):
    with pytest.raises(JournalInUse, match=f"is open for writing in process {os.getpid()};"):
        SqliteJournal(file)
    assert journal.commit([opening(1)]) == [Written(1)]


def test_another_name_of_the_file_is_the_same_file(file, journal):
    other = file.with_name("other.sqlite")
    other.symlink_to(file)
    with pytest.raises(JournalInUse):
        SqliteJournal(other)
    journal.close()
    by_another_name = SqliteJournal(other)
    by_another_name.close()


def test_a_file_that_is_refused_is_let_go(file):
    file.write_bytes(b"no journal at all, but long enough to look at" * 100)
    for _ in range(2):
        with pytest.raises(Corrupt):
            SqliteJournal(file)
    file.unlink()
    SqliteJournal(file).close()


def test_reading_beside_a_writer_sees_what_is_committed(file, journal):
    reader = SqliteJournal(file, read_only=True)
    for place in range(5):
        journal.commit([opening(place)])
        assert [row.number for row in reader.entries()] == list(range(1, place + 2))
        assert reader.head() == journal.head()
    assert verify(reader) == verify(journal)
    reader.close()
    assert journal.commit([opening(9)]) == [Written(6)]


def test_two_may_read_at_once_and_neither_keeps_the_writer_out(told):
    readers = [SqliteJournal(told, read_only=True) for _ in range(2)]
    journal = SqliteJournal(told)
    assert journal.commit([opening(9)]) == [Written(7)]
    assert {reader.head().number for reader in readers} == {7}
    for each in (*readers, journal):
        each.close()


def test_a_snapshot_stands_still_while_the_writer_goes_on(file, journal):
    journal.commit([opening(1)])
    reader = SqliteJournal(file, read_only=True)
    with reader.snapshot():
        assert reader.head().number == 1
        journal.commit([opening(2), settling(1)])
        assert reader.head().number == 1
        assert reader.unfinished() == reader.payments(None, 9) == [payment(1)]
        assert verify(reader).entries == 1
    assert reader.head().number == 3
    reader.close()


def test_a_snapshot_ends_with_an_error_inside(file, journal):
    def fail():
        with journal.snapshot():
            journal.head()
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    journal.commit([opening(1)])
    assert journal.head().number == 1


# What is no journal


def an_sqlite_file_of_something_else(file):
    with raw(file) as other:
        other.execute("CREATE TABLE cookies (name TEXT)")
    other.close()


def an_sqlite_file_with_another_application(file):
    with raw(file) as other:
        other.execute("PRAGMA application_id = 7")
    other.close()


def a_journal_of_a_newer_version(file):
    SqliteJournal(file).close()
    with raw(file) as other:
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    other.close()


def an_empty_database_that_counts_its_versions(file):
    with raw(file) as other:
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    other.close()


def a_text(file):
    file.write_text("Dear diary,\n" * 1000)


def random_bytes(file):
    file.write_bytes(bytes((i * i + 7) % 251 for i in range(20_000)))


@pytest.mark.parametrize(
    "make",
    [
        an_sqlite_file_of_something_else,
        an_sqlite_file_with_another_application,
        a_journal_of_a_newer_version,
        an_empty_database_that_counts_its_versions,
        a_text,
        random_bytes,
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_no_journal_is_refused_and_left_as_it_is(file, make, read_only):
    make(file)
    before = file.read_bytes()
    with pytest.raises(Corrupt):
        SqliteJournal(file, read_only=read_only)
    assert file.read_bytes() == before


def test_an_empty_file_becomes_a_journal_but_is_not_read_as_one(file):
    file.touch()
    with pytest.raises(JournalFailed, match="nothing has been written here yet"):
        SqliteJournal(file, read_only=True)
    journal = SqliteJournal(file)
    assert journal.commit([opening(1)]) == [Written(1)]
    journal.close()


def nowhere(file):
    return file.parent / "missing" / file.name


def a_folder(file):
    file.mkdir()
    return file


def a_name_for_nothing(file):
    file.symlink_to(file.parent / "missing" / file.name)
    return file


def a_lock_that_is_a_folder(file):
    file.with_name(file.name + ".lock").mkdir()
    return file


@pytest.mark.parametrize("make", [nowhere, a_folder, a_name_for_nothing, a_lock_that_is_a_folder])
@pytest.mark.parametrize("read_only", [False, True])
def test_what_cannot_be_opened_is_a_failed_journal(file, make, read_only):
    place = make(file)
    for _ in range(2):
        with pytest.raises(JournalFailed):
            SqliteJournal(place, read_only=read_only)


@contextmanager
def a_full_disk():
    """No file of this process may grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_too_full_for_the_lock_is_a_failed_journal(file):
    for _ in range(2):
        with a_full_disk(), pytest.raises(JournalFailed, match="cannot write"):
            SqliteJournal(file)
    SqliteJournal(file).close()


# The schema


def test_steps_are_applied_once_in_order_and_recorded(file):
    done = []

    def step(name):
        def apply(database):
            done.append(name)
            database.execute(f"CREATE TABLE {name} (x)")

        return apply

    database = raw(file)
    migrate(database, [step("one")])
    migrate(database, [step("one")])
    migrate(database, [step("one"), step("two"), step("three")])
    migrate(database, [step("one"), step("two"), step("three")])
    assert done == ["one", "two", "three"]
    assert database.execute("PRAGMA user_version").fetchone() == (3,)
    assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    database.close()


def test_a_step_that_fails_leaves_nothing_behind(file):
    def half(database):
        database.execute("CREATE TABLE half (x)")
        raise sqlite3.OperationalError("no more")

    database = raw(file)
    with pytest.raises(sqlite3.OperationalError):
        migrate(database, [*MIGRATIONS, half])
    database.close()
    database = raw(file)
    assert database.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    assert database.execute("PRAGMA user_version").fetchone() == (0,)
    database.close()
    SqliteJournal(file).close()


def test_the_schema_is_made_once(told):
    def schema():
        database = raw(told)
        found = database.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        version = database.execute("PRAGMA schema_version").fetchone()
        database.close()
        return found, version

    before = schema()
    SqliteJournal(told).close()
    assert schema() == before
    tables = {name for name, _ in before[0] if not name.startswith("sqlite_")}
    assert tables == {
        "entry",
        "entry_of_payment",
        "claim",
        "unfinished",
        "posting",
        "outbox",
        "notebook",
    }


# Commits that fail


def unwritable():
    """An entry whose text cannot be written as UTF-8."""
    bad = Noted(1, START, Topic.FAULT, "\ud800")
    return Entry(payment(7), 1, (*opening(7).facts, bad), unfinished=True)


def test_a_fact_that_cannot_be_written_leaves_the_journal_as_it_was(journal):
    journal.commit([opening(1)])
    with pytest.raises(UnicodeEncodeError):
        journal.commit([note("page", b"1"), opening(2), unwritable()])
    assert journal.recall("wpi", "page") is None
    assert journal.head().number == 1
    assert journal.commit([opening(2)]) == [Written(2)]
    assert verify(journal).entries == 2


def fail(journal):
    """Make the journal forget what it knows and ask its file before the next commit."""
    with pytest.raises(UnicodeEncodeError):
        journal.commit([unwritable()])


def move(file, away):
    away.mkdir(exist_ok=True)
    for ending in ("", "-wal", "-shm"):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.rename(away / part.name)


def test_a_journal_that_is_gone_fails_until_it_is_back(file, journal, tmp_path):
    journal.commit([opening(1)])
    fail(journal)
    move(file, tmp_path / "away")
    for _ in range(2):
        with pytest.raises(JournalFailed):
            journal.commit([opening(2)])
        assert not file.exists()
        assert journal.head().number == 1
    move(tmp_path / "away" / file.name, tmp_path)
    assert journal.commit([opening(2), opening(1)]) == [Written(2), Stale()]
    assert verify(journal).entries == 2


def test_a_journal_that_was_exchanged_for_an_older_one_is_corrupt(file, journal, tmp_path):
    journal.commit([opening(1)])
    fail(journal)
    move(file, tmp_path / "away")
    older = SqliteJournal(tmp_path / "older")
    older.close()
    older.file.rename(file)
    for _ in range(2):
        with pytest.raises(Corrupt, match="holds less than was written to it"):
            journal.commit([opening(2)])


def test_a_writer_that_pays_no_heed_to_the_lock_does_not_fork_the_chain(file, journal):
    journal.commit([opening(1)])
    lock = file.with_name(file.name + ".lock")
    lock.unlink()
    other = SqliteJournal(file)
    other.commit([opening(2)])
    with pytest.raises(JournalFailed):
        journal.commit([opening(3)])
    assert journal.commit([opening(3)]) == [Written(3)]
    assert verify(journal).entries == 3
    other.close()


# What verification finds


def test_a_flipped_bit_anywhere_in_a_body_is_found(told):
    journal = SqliteJournal(told, read_only=True)
    database = raw(told)
    database.execute("PRAGMA synchronous = OFF")
    verify(journal)
    for number, body in database.execute("SELECT number, body FROM entry").fetchall():
        for place in range(len(body)):
            flipped = bytearray(body)
            flipped[place] ^= 1 << place % 8
            change = "UPDATE entry SET body = ? WHERE number = ?"
            database.execute(change, (bytes(flipped), number))
            with pytest.raises(Corrupt, match=f"^entry {number}: the chain is broken$"):
                verify(journal)
            database.execute(change, (body, number))
    verify(journal)
    journal.close()
    database.close()


@pytest.mark.parametrize(
    "tamper",
    [
        "DELETE FROM entry WHERE number = 1",
        "DELETE FROM entry WHERE number = 3",
        "DELETE FROM entry WHERE number = 6",
        "UPDATE entry SET number = 17 WHERE number = 6",
        "UPDATE entry SET version = 9 WHERE number = 6",
        "UPDATE entry SET payment = 'x' WHERE number = 6",
        "UPDATE entry SET hash = zeroblob(32) WHERE number = 6",
        "UPDATE entry SET body = CAST(body AS TEXT) WHERE number = 2",
        "UPDATE entry SET body = 5 WHERE number = 2",
        "UPDATE entry SET hash = 'x' WHERE number = 2",
        "UPDATE posting SET amount_minor = amount_minor + 1 WHERE number = 2 AND place = 0",
        "UPDATE posting SET amount_minor = 'much' WHERE number = 2 AND place = 0",
        "UPDATE posting SET amount_minor = -amount_minor",
        "UPDATE posting SET account = 'mine' WHERE number = 6 AND place = 1",
        "UPDATE posting SET currency = 'JPY'",
        "UPDATE posting SET number = 3 WHERE number = 2",
        "DELETE FROM posting WHERE number = 6",
        "INSERT INTO posting VALUES (6, 2, 'mine', 'EUR', 0)",
        "INSERT INTO posting VALUES (99, 0, 'mine', 'EUR', 0)",
        "UPDATE outbox SET topic = 'operation.declined' WHERE number = 2",
        "DELETE FROM outbox WHERE number = 2",
        "INSERT INTO outbox VALUES (99, 'operation.approved')",
        "DELETE FROM unfinished",
        "INSERT INTO unfinished VALUES ('01KJ0000000000000000000001')",
        "INSERT INTO unfinished VALUES ('nobody')",
        "INSERT INTO unfinished VALUES (x'00')",
        "DROP TABLE posting",
    ],
)
def test_whatever_is_changed_behind_its_back_is_found(told, tamper):
    verified(told)
    database = raw(told)
    assert database.execute(tamper).rowcount != 0
    database.close()
    with pytest.raises(JournalError):
        verified(told)


def test_swapped_bodies_are_found(told):
    database = raw(told)
    (one,), (two,) = database.execute("SELECT body FROM entry WHERE number IN (2, 4)").fetchall()
    database.execute("UPDATE entry SET body = ? WHERE number = 2", (two,))
    database.execute("UPDATE entry SET body = ? WHERE number = 4", (one,))
    database.close()
    with pytest.raises(Corrupt, match="entry 2: the chain is broken"):
        verified(told)


def test_swapped_entries_are_found(told):
    database = raw(told)
    for old, new in ((2, 99), (3, 2), (99, 3)):
        database.execute("UPDATE entry SET number = ? WHERE number = ?", (new, old))
    database.close()
    with pytest.raises(Corrupt, match="entry 2: the chain is broken"):
        verified(told)


def read_everything(file):
    journal = SqliteJournal(file, read_only=True)
    try:
        found = verify(journal)
        return (
            found,
            list(journal.entries()),
            [journal.read(payment(place)) for place in (1, 2)],
            [row.facts for place in (1, 2) for row in journal.read(payment(place))],
            journal.recall("wpi", "page"),
        )
    finally:
        journal.close()


def test_a_damaged_file_is_corrupt_or_as_it_was_and_nothing_else(told):
    whole, sound = told.read_bytes(), read_everything(told)
    damaged = 0
    for place in [*range(120), *range(121, len(whole), 89)]:
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        told.write_bytes(broken)
        try:
            found = read_everything(told)
        except JournalError:
            damaged += 1
        else:
            assert found[0] == sound[0]
    assert damaged > 50


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_file_that_was_cut_off_is_refused(told, share):
    whole = told.read_bytes()
    told.write_bytes(whole[: int(len(whole) * share)])
    for read_only in (True, False):
        with pytest.raises(JournalError):
            verify(SqliteJournal(told, read_only=read_only))


def test_damage_is_told_while_reading_too(told):
    whole = told.read_bytes()
    told.write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    journal = SqliteJournal(told, read_only=True)
    for look in (
        lambda: list(journal.entries()),
        lambda: journal.read(payment(1)),
        lambda: journal.find(key("a")),
        journal.unfinished,
        lambda: journal.payments(None, 9),
        lambda: journal.recall("wpi", "page"),
        journal.balances,
        lambda: list(journal.postings()),
        lambda: journal.outbox(0, 9),
        journal.head,
    ):
        with pytest.raises(Corrupt, match="malformed"):
            look()
    journal.close()


def test_a_file_is_named_by_its_path(told):
    assert SqliteJournal(Path(told), read_only=True).file == told
