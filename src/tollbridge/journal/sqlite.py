"""The embedded journal: one SQLite file, WAL, `synchronous=FULL`, one writer.

Every commit is on the disk before it is answered. Rows of one batch go in with few statements:
the cost of a payment is the Python around them, not the disk. Reading uses a connection of its
own, so that a look never waits for a commit.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from tollbridge.core.facts import Posting
from tollbridge.ground.errors import Corrupt, JournalError, JournalFailed
from tollbridge.ground.flow import Page
from tollbridge.ground.ids import PaymentId
from tollbridge.journal import rows
from tollbridge.journal.journal import (
    Change,
    Entry,
    Head,
    KeyTaken,
    Message,
    Notes,
    Result,
    Row,
    Stale,
    Written,
    entry_postings,
    topic,
)
from tollbridge.journal.lock import FileLock
from tollbridge.journal.migrations import MIGRATIONS, migrate, version

CACHE_KIB = 24 * 1024
CHECKPOINT_PAGES = 8000
LOOKUP_CHUNK = 64
KNOWN_MAX, KNOWN_BYTES_MAX = 2000, 8 * 1024
"""How many pages of notebooks are kept at hand, and the largest of them."""


class SqliteJournal:
    """A journal in a file.

    `read_only` opens it beside a running engine. `cache_kib` is how much of the file may lie in
    memory. Raises JournalInUse, JournalFailed or Corrupt.
    """

    def __init__(
        self, file: Path | str, *, read_only: bool = False, cache_kib: int = CACHE_KIB
    ) -> None:
        self.file = Path(file)
        self._cache_kib = cache_kib
        self._lock = None if read_only else FileLock(self.file)
        self._broken = False
        self._known = _Known(0 if read_only else KNOWN_MAX)
        try:
            if not read_only:
                self.file.touch(0o600)
                self._writer = _connect(self.file, "rw", self._cache_kib)
                _prepare(self._writer)
            self._reader = _connect(self.file, "ro", self._cache_kib // 4)
            _check(self._reader)
            self._head = Head() if read_only else self.head()
        except (*_ERRORS, OSError) as error:
            self.close()
            raise _failed(self.file, error) from None
        except JournalError:
            self.close()
            raise

    def commit(self, changes: Sequence[Change]) -> list[Result]:
        if self._broken:
            self._reopen()
        batch = _Batch(self._writer, self._head)
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            results = batch.write(changes)
            self._known.forget(batch.pages)
            self._writer.execute("COMMIT")
        except BaseException as error:
            # Only the file knows now what it holds: it is asked before the next commit.
            self._broken = True
            self._writer.close()
            if isinstance(error, _ERRORS):
                raise _failed(self.file, error) from None
            raise
        self._head = batch.head
        self._known.learn(batch.written())
        return results

    def _reopen(self) -> None:
        try:
            self._writer.close()
            self._writer = _connect(self.file, "rw", self._cache_kib)
            _prepare(self._writer)
            reader = _connect(self.file, "ro", self._cache_kib // 4)
            before, self._reader = self._reader, reader
            before.close()
            head = self.head()
        except _ERRORS as error:
            raise _failed(self.file, error) from None
        if head.number < self._head.number:
            raise Corrupt(f"{self.file} holds less than was written to it")
        self._head = head
        self._broken = False

    def read(self, payment: PaymentId) -> list[Row]:
        found = self._select(
            f"SELECT {_ROW} FROM entry WHERE payment = ? ORDER BY version", payment
        )
        return [_row(*fields) for fields in found]

    def find(self, digest: bytes) -> PaymentId | None:
        found = self._select(
            "SELECT payment FROM claim JOIN entry USING (number) WHERE digest = ?", digest
        )
        return next((PaymentId(payment) for (payment,) in found), None)

    def unfinished(self) -> list[PaymentId]:
        found = self._select("SELECT payment FROM unfinished ORDER BY payment")
        return [PaymentId(payment) for (payment,) in found]

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Row]:
        found = self._select(f"SELECT {_ROW} FROM entry WHERE number > ? ORDER BY number", after)
        return islice((_row(*fields) for fields in found), limit)

    def payments(self, before: PaymentId | None, limit: int) -> list[PaymentId]:
        found = self._select(
            "SELECT payment FROM entry WHERE version = 1 AND payment < ? "
            "ORDER BY payment DESC LIMIT ?",
            before or "~",
            limit,
        )
        return [PaymentId(payment) for (payment,) in found]

    def recall(self, namespace: str, key: str) -> Page | None:
        name = namespace, key
        page = self._known.get(name)
        if page is None:
            changes = self._known.changes
            page = next((Page(*fields) for fields in self._select(_PAGE, namespace, key)), None)
            if page is not None:
                self._known.read(name, page, changes)
        return page

    def browse(
        self, namespace: str, prefix: str, after: str = "", limit: int = 100
    ) -> list[tuple[str, Page]]:
        found = self._select(
            "SELECT key, value, version FROM notebook "
            "WHERE namespace = ? AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
            namespace,
            after,
            prefix,
            prefix + _AFTER_ALL,
            limit,
        )
        return [(key, Page(value, version)) for key, value, version in found]

    def balances(self, after: int = 0, through: int | None = None) -> dict[tuple[str, str], int]:
        found = self._select(
            "SELECT account, currency, sum(amount_minor) FROM posting "
            "WHERE number > ? AND number <= ? GROUP BY account, currency",
            after,
            self.head().number if through is None else through,
        )
        return {(account, code): minor for account, code, minor in found}

    def postings(self) -> Iterator[tuple[int, Posting]]:
        found = self._select(
            "SELECT number, account, currency, amount_minor FROM posting ORDER BY number, place"
        )
        return ((number, Posting(*fields)) for number, *fields in found)

    def outbox(self, after: int, limit: int) -> list[Message]:
        found = self._select(
            "SELECT number, topic FROM outbox WHERE number > ? ORDER BY number LIMIT ?",
            after,
            limit,
        )
        return [Message(*fields) for fields in found]

    def head(self) -> Head:
        last = self._select("SELECT number, hash FROM entry ORDER BY number DESC LIMIT 1")
        return next((Head(*fields) for fields in last), Head())

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads inside see one moment, also while an engine writes."""
        self._reader.execute("BEGIN")
        try:
            yield
        finally:
            self._reader.execute("COMMIT")

    def close(self) -> None:
        for connection in ("_reader", "_writer"):
            if hasattr(self, connection):
                getattr(self, connection).close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _select(self, statement: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        try:
            # "yield from" would close the cursor with the generator, perhaps after its connection.
            for fields in self._reader.execute(statement, values):  # noqa: UP028
                yield fields
        except _ERRORS as error:
            raise _failed(self.file, error) from None


_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What the library raises; the second when it words an error about damaged text."""
_ROW = "number, payment, version, body, hash"
_KEEP = (
    "INSERT INTO notebook VALUES (?, ?, ?, ?) ON CONFLICT (namespace, key) "
    "DO UPDATE SET value = excluded.value, version = version + ?"
)
_FORGET = "DELETE FROM notebook WHERE namespace = ? AND key = ?"
_PAGE = "SELECT value, version FROM notebook WHERE namespace = ? AND key = ?"
_AFTER_ALL = chr(0x10FFFF)  # sorts behind every letter a key may go on with


@dataclass(slots=True)
class _Page:
    """What a batch does to one page of a notebook.

    `version` is known only where a note expects one (`is_known`). `writes` counts how often it is
    written since it was last forgotten, which makes it `fresh`.
    """

    version: int = 0
    value: bytes | None = None
    writes: int = 0
    fresh: bool = False
    is_known: bool = False

    def write(self, value: bytes | None) -> None:
        """Write the page, or forget it."""
        self.value = value
        if value is None:
            self.fresh, self.writes, self.version, self.is_known = True, 0, 0, True
        else:
            self.writes += 1
            self.version += 1


class _Known:
    """Pages that were written or read lately: whoever writes a page soon reads it again.

    It is asked in the loop and told in the thread of commits. What is about to be committed is
    forgotten before and known after, so that between the two only the file is asked; what was read
    while something changed is not kept, for it may be old.
    """

    def __init__(self, most: int) -> None:
        self.changes = 0
        self._most = most
        self._pages: OrderedDict[tuple[str, str], Page] = OrderedDict()
        self._lock = Lock()

    def get(self, name: tuple[str, str]) -> Page | None:
        """Give a page; None when it is not at hand."""
        return self._pages.get(name)

    def read(self, name: tuple[str, str], page: Page, changes: int) -> None:
        """Keep a page that was read, if nothing changed since there were so many `changes`."""
        with self._lock:
            if changes == self.changes:
                self._keep(name, page)

    def forget(self, names: Iterable[tuple[str, str]]) -> None:
        """Forget pages that change now."""
        with self._lock:
            self.changes += 1
            for name in names:
                self._pages.pop(name, None)

    def learn(self, pages: Iterable[tuple[tuple[str, str], Page]]) -> None:
        """Keep pages as they are in the file now."""
        with self._lock:
            self.changes += 1
            for name, page in pages:
                self._keep(name, page)

    def _keep(self, name: tuple[str, str], page: Page) -> None:
        if len(page.value) > KNOWN_BYTES_MAX:
            return
        self._pages[name] = page
        self._pages.move_to_end(name)
        if len(self._pages) > self._most:
            self._pages.popitem(last=False)


class _Batch:
    """The rows one commit adds. Conflicts are found before anything is inserted."""

    def __init__(self, database: sqlite3.Connection, head: Head) -> None:
        self.database = database
        self.head = head
        self.entries: list[tuple[int, str, int, bytes, bytes]] = []
        self.claims: list[tuple[bytes, int]] = []
        self.postings: list[tuple[int, int, str, str, int]] = []
        self.outbox: list[tuple[int, str]] = []
        self.unfinished: dict[str, bool] = {}
        self.pages: dict[tuple[str, str], _Page] = {}

    def write(self, changes: Sequence[Change]) -> list[Result]:
        entries = [change for change in changes if isinstance(change, Entry)]
        taken = self._taken([entry.claim for entry in entries if entry.claim])
        versions = self._versions([entry.payment for entry in entries])
        notes = [change.notes if isinstance(change, Entry) else change for change in changes]
        self._recall([each for each in notes if each is not None])
        results: list[Result] = []
        for change in changes:
            if isinstance(change, Entry):
                results.append(self._add(change, taken, versions))
            else:
                results.append(Written(0) if self._note(change) else Stale())
        self._insert()
        return results

    def _add(
        self, entry: Entry, taken: dict[bytes, PaymentId], versions: dict[PaymentId, int]
    ) -> Result:
        claim, payment = entry.claim, entry.payment
        if claim is not None and claim in taken:
            return KeyTaken(taken[claim])
        if entry.version != versions.get(payment, 0) + 1:
            return Stale()
        if entry.notes is not None and not self._note(entry.notes):
            return Stale(of_notes=True)
        number = self.head.number + 1
        body = rows.encode(entry.facts)
        hashed = rows.link(self.head.hash, number, payment, entry.version, body)
        self.head = Head(number, hashed)
        self.entries.append((number, payment, entry.version, body, hashed))
        versions[payment] = entry.version
        if claim is not None:
            self.claims.append((claim, number))
            taken[claim] = payment
        if entry.unfinished or entry.version > 1:
            self.unfinished[payment] = entry.unfinished
        for place, posting in enumerate(entry_postings(entry.facts)):
            row = (number, place, posting.account, posting.currency, posting.amount_minor)
            self.postings.append(row)
        heard = topic(entry.facts)
        if heard is not None:
            self.outbox.append((number, heard))
        return Written(number)

    def _insert(self) -> None:
        opened = [(payment,) for payment, unfinished in self.unfinished.items() if unfinished]
        closed = [(payment,) for payment, unfinished in self.unfinished.items() if not unfinished]
        rows_of: tuple[tuple[str, Sequence[tuple[Any, ...]]], ...] = (
            ("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", self.entries),
            ("INSERT INTO claim VALUES (?, ?)", self.claims),
            ("INSERT INTO posting VALUES (?, ?, ?, ?, ?)", self.postings),
            ("INSERT INTO outbox VALUES (?, ?)", self.outbox),
            ("INSERT OR IGNORE INTO unfinished VALUES (?)", opened),
            ("DELETE FROM unfinished WHERE payment = ?", closed),
            *self._pages(),
        )
        for statement, values in rows_of:
            if values:
                self.database.executemany(statement, values)

    def _recall(self, batches: Sequence[Notes]) -> None:
        """Look up the versions that notes expect, all at once: each statement waits for its turn
        among the threads."""
        wanted: dict[str, dict[str, None]] = {}
        for batch in batches:
            for note in batch.notes:
                if note.expected is not None:
                    wanted.setdefault(batch.namespace, {})[note.key] = None
        for namespace, keys in wanted.items():
            found = self._lookup(
                "SELECT key, version FROM notebook WHERE namespace = ? AND key IN ({})",
                list(keys),
                namespace,
            )
            there = dict(found)
            for key in keys:
                self.pages[namespace, key] = _Page(there.get(key, 0), is_known=True)

    def _note(self, batch: Notes) -> bool:
        """Take notes into the batch, all of them; False when a page is not as one expects it."""
        for note in batch.notes:
            if note.expected is not None:
                if self.pages[batch.namespace, note.key].version != note.expected:
                    return False
        for note in batch.notes:
            self.pages.setdefault((batch.namespace, note.key), _Page()).write(note.value)
        return True

    def _pages(self) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """Give the statements that write the pages, each page once."""
        forgotten, kept = [], []
        for key, page in self.pages.items():
            if page.fresh:
                forgotten.append(key)
            if page.writes and page.value is not None:
                kept.append((*key, page.value, page.writes, page.writes))
        return [(_FORGET, forgotten), (_KEEP, kept)]

    def written(self) -> Iterator[tuple[tuple[str, str], Page]]:
        """Give the pages as they are after the commit, where that is known."""
        for name, page in self.pages.items():
            if page.writes and page.is_known and page.value is not None:
                yield name, Page(page.value, page.version)

    def _taken(self, digests: list[bytes]) -> dict[bytes, PaymentId]:
        found = self._lookup(
            "SELECT digest, payment FROM claim JOIN entry USING (number) WHERE digest IN ({})",
            digests,
        )
        return dict(found)

    def _versions(self, payments: list[PaymentId]) -> dict[PaymentId, int]:
        found = self._lookup(
            "SELECT payment, max(version) FROM entry WHERE payment IN ({}) GROUP BY payment",
            payments,
        )
        return dict(found)

    def _lookup(
        self, statement: str, wanted: Sequence[Any], *first: Any
    ) -> Iterator[tuple[Any, ...]]:
        """Look many keys up, a few statements for all; short ones are padded to one known text."""
        for start in range(0, len(wanted), LOOKUP_CHUNK):
            chunk = wanted[start : start + LOOKUP_CHUNK]
            size = 1 if len(chunk) == 1 else 8 if len(chunk) <= 8 else LOOKUP_CHUNK
            values = [*first, *chunk, *[None] * (size - len(chunk))]
            yield from self.database.execute(statement.format(", ".join("?" * size)), values)


def _row(number: int, payment: str, version: int, body: object, hashed: bytes) -> Row:
    if not isinstance(body, bytes):
        raise Corrupt(f"entry {number}: the chain is broken, its body is no bytes")
    return Row(number, PaymentId(payment), version, body, hashed)


def _connect(file: Path, mode: str, cache_kib: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=5,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    return connection


def _prepare(writer: sqlite3.Connection) -> None:
    version(writer)  # nothing is changed in a file that is not ours
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA synchronous = FULL")
    writer.execute("PRAGMA fullfsync = ON")
    writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    migrate(writer)


def _check(reader: sqlite3.Connection) -> None:
    if version(reader) != len(MIGRATIONS):
        raise JournalFailed("nothing has been written here yet by this version of Tollbridge")


def _failed(file: Path, error: Exception) -> JournalError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    if damaged or isinstance(error, UnicodeDecodeError):
        return Corrupt(f"{file}: {error}")
    return JournalFailed(f"{file}: {error}")
