"""The till's own journal: which exchanges were begun, and what became of them.

A session id is in it, durably, before its request leaves (2; P-047): whatever dies afterwards, the
terminal can be asked. One SQLite file may serve several applications and terminals.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import JournalFailed, JournalInUse, UsageError
from tollbridge.journal.lock import FileLock
from tollbridge.wire import json
from tollbridge.wpi_client import results
from tollbridge.wpi_client.results import Exchange, Fate, TransactionResult

MARK = 0x54425749  # "TBWI": this file is ours
VERSION = 1
SCHEMA = """
CREATE TABLE exchange (
    number INTEGER PRIMARY KEY,
    package TEXT NOT NULL,
    terminal TEXT NOT NULL,
    session TEXT NOT NULL,
    service TEXT NOT NULL,
    request TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    fate TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    UNIQUE (package, terminal, session)
);
CREATE INDEX exchange_open ON exchange (package, terminal) WHERE fate = '';
CREATE TABLE contradiction (
    number INTEGER PRIMARY KEY,
    package TEXT NOT NULL,
    terminal TEXT NOT NULL,
    session TEXT NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL
);
"""
_READ = (
    "SELECT session, service, request, sent_at, fate, answer, answered_at, evidence "
    "FROM exchange WHERE package = ? AND terminal = ? "
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Something a terminal said that cannot be true together with what it said before."""

    session: str
    at: int
    text: str


class SessionJournal:
    """The journal of one application at one terminal.

    `kept` is how many finished exchanges are remembered. Raises JournalFailed when the file cannot
    be used or is another's.
    """

    def __init__(self, file: Path, package: str, terminal: str, clock: Clock, *, kept: int) -> None:
        self.file = Path(file)
        self._mine = (package, terminal)
        self._clock = clock
        self._lock: FileLock | None = None
        self._alone = 0
        with self._failing():
            self.file.touch(0o600)
            self._database = sqlite3.connect(
                self.file, timeout=5, isolation_level=None, check_same_thread=False
            )
        try:
            with self._failing():
                self._prepare()
                self._forget(kept)
        except JournalFailed:
            self._database.close()
            raise

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from exchanges with this terminal meanwhile.

        Who recovers must know that nobody is about to send. Raises JournalInUse at once.
        """
        if self._lock is None:
            place = sha256("\0".join(self._mine).encode()).hexdigest()[:16]
            try:
                self._lock = FileLock(self.file.with_name(f"{self.file.name}.{place}"))
            except JournalInUse:
                raise JournalInUse(
                    "another process is in an exchange with this terminal; wait until it is over"
                ) from None
        self._alone += 1
        try:
            yield
        finally:
            self._alone -= 1
            if not self._alone:
                self._lock.release()
                self._lock = None

    def begin(self, session: str, service: str, request: Mapping[str, Any]) -> None:
        """Write down, durably, that a request is about to leave.

        Raises UsageError when the session was used before (2), JournalFailed when the disk refuses.
        """
        with self._failing():
            written = self._database.execute(
                "INSERT OR IGNORE INTO exchange VALUES (NULL, ?, ?, ?, ?, ?, ?, '', '', 0, '')",
                (*self._mine, session, service, json.write(request).decode(), self._clock.now()),
            ).rowcount
        if not written:
            raise UsageError(f"session {session!r:.60} was used before; each request has its own")

    def close_with(self, session: str, fate: Fate, answer: str, evidence: str = "") -> None:
        """Write down what became of an exchange, with the response as it came ("" for none); what
        was known before is replaced."""
        with self._failing():
            self._database.execute(
                "UPDATE exchange SET fate = ?, answer = ?, answered_at = ?, evidence = ? "
                "WHERE package = ? AND terminal = ? AND session = ?",
                (fate, answer, self._clock.now(), evidence, *self._mine, session),
            )

    def find(self, session: str) -> Exchange | None:
        """Find an exchange by its session."""
        return next(self._read("AND session = ?", session), None)

    def open(self) -> list[Exchange]:
        """List the exchanges without an answer, oldest first."""
        return list(self._read("AND fate = '' ORDER BY number"))

    def latest(self, limit: int) -> list[Exchange]:
        """List the last exchanges, newest first."""
        return list(self._read("ORDER BY number DESC LIMIT ?", limit))

    def contradict(self, session: str, text: str) -> None:
        """Write down what a terminal said against itself."""
        with self._failing():
            self._database.execute(
                "INSERT INTO contradiction VALUES (NULL, ?, ?, ?, ?, ?)",
                (*self._mine, session, self._clock.now(), text),
            )

    def contradictions(self) -> list[Contradiction]:
        """List what was written down so, oldest first."""
        with self._failing():
            rows = self._database.execute(
                "SELECT session, at, text FROM contradiction "
                "WHERE package = ? AND terminal = ? ORDER BY number",
                self._mine,
            ).fetchall()
        return [Contradiction(*row) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _read(self, more: str, *values: object) -> Iterator[Exchange]:
        with self._failing():
            rows = self._database.execute(_READ + more, (*self._mine, *values)).fetchall()
        return map(_exchange, rows)

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("PRAGMA fullfsync = ON")
        with self._writing():
            (mark,) = self._database.execute("PRAGMA application_id").fetchone()
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            (tables,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if (mark, version) == (0, 0) and not tables:
                for statement in SCHEMA.split(";"):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA application_id = {MARK}")
                self._database.execute(f"PRAGMA user_version = {VERSION}")
            elif (mark, version) != (MARK, VERSION):
                raise JournalFailed(f"{self.file} is not a till's journal of this version")

    def _forget(self, kept: int) -> None:
        self._database.execute(
            "DELETE FROM exchange WHERE package = ? AND terminal = ? AND fate <> '' AND number <= "
            "(SELECT number FROM exchange WHERE package = ? AND terminal = ? "
            "ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (*self._mine, *self._mine, kept),
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalFailed(f"{self.file}: {error}") from None


def everything(file: Path) -> list[tuple[str, str, Exchange]]:
    """Read what all applications at all terminals wrote into a file, oldest first: package,
    terminal ("" is the server's first) and exchange. Raises JournalFailed."""
    try:
        database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        with closing(database):
            rows = database.execute(
                "SELECT package, terminal, session, service, request, sent_at, fate, answer, "
                "answered_at, evidence FROM exchange ORDER BY number"
            ).fetchall()
    except sqlite3.Error as error:
        raise JournalFailed(f"{file}: {error}") from None
    return [(package, terminal, _exchange(tuple(row))) for package, terminal, *row in rows]


def _exchange(row: tuple[Any, ...]) -> Exchange:
    session, service, request, sent_at, fate, answer, answered_at, evidence = row
    result = None
    if answer:
        response = json.read_object(answer, what="a kept answer")
        read = results.read(service, session, response)
        result = read if isinstance(read, TransactionResult) else None
    return Exchange(
        session=session,
        service=service,
        request=json.read_object(request, what="a kept request"),
        fate=Fate(fate) if fate else Fate.UNKNOWN,
        result=result,
        sent_at=sent_at,
        answered_at=answered_at,
        answer=answer,
        evidence=evidence,
    )
