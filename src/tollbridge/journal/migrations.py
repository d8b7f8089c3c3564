"""The schema, as steps that are applied once, in order, and recorded. Steps are never edited."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeAlias

from tollbridge.ground.errors import Corrupt

APPLICATION_ID = 0x746F6C6C
Step: TypeAlias = Callable[[sqlite3.Connection], None]


def first(database: sqlite3.Connection) -> None:
    """Entries and their chain, idempotency claims, open payments, ledger, outbox, notebook."""
    for statement in (
        """CREATE TABLE entry (
            number INTEGER PRIMARY KEY,
            payment TEXT NOT NULL,
            version INTEGER NOT NULL,
            body BLOB NOT NULL,
            hash BLOB NOT NULL
        )""",
        "CREATE UNIQUE INDEX entry_of_payment ON entry (payment, version)",
        """CREATE TABLE claim (
            digest BLOB PRIMARY KEY,
            number INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE TABLE unfinished (payment TEXT PRIMARY KEY) WITHOUT ROWID",
        """CREATE TABLE posting (
            number INTEGER NOT NULL,
            place INTEGER NOT NULL,
            account TEXT NOT NULL,
            currency TEXT NOT NULL,
            amount_minor INTEGER NOT NULL,
            PRIMARY KEY (number, place)
        ) WITHOUT ROWID""",
        "CREATE TABLE outbox (number INTEGER PRIMARY KEY, topic TEXT NOT NULL)",
        """CREATE TABLE notebook (
            namespace TEXT NOT NULL,
            key TEXT NOT NULL,
            value BLOB NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (namespace, key)
        ) WITHOUT ROWID""",
    ):
        database.execute(statement)


MIGRATIONS: tuple[Step, ...] = (first,)


def version(database: sqlite3.Connection, steps: Sequence[Step] = MIGRATIONS) -> int:
    """Say how many of the steps a database has had; 0 for an empty one. Writes nothing.

    Raises Corrupt when the file belongs to something else or to a newer Tollbridge.
    """
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (done,) = database.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION_ID and 0 < done <= len(steps):
        return int(done)
    (things,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application or done or things:
        raise Corrupt("this file is not a journal of this version of Tollbridge")
    return 0


def migrate(database: sqlite3.Connection, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Bring a database to the newest schema, in one transaction. Raises Corrupt as `version`."""
    done = version(database, steps)
    if done == len(steps):
        return
    database.execute("BEGIN IMMEDIATE")
    for step in steps[done:]:
        step(database)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {len(steps)}")
    database.execute("COMMIT")
