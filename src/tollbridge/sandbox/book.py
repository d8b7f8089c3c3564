"""The network's book: what it held and took, per account and per operation, in its own SQLite file.

Written independently of our journal, so that the two can be compared. Card numbers are not in it:
an account is called by its name.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS movement (
    number INTEGER PRIMARY KEY,
    operation TEXT NOT NULL UNIQUE,
    payment TEXT NOT NULL,
    verb TEXT NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    asked_minor INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    held_minor INTEGER NOT NULL,
    taken_minor INTEGER NOT NULL,
    status TEXT NOT NULL,
    code TEXT NOT NULL,
    target TEXT NOT NULL,
    authorization_code TEXT NOT NULL,
    token TEXT NOT NULL,
    at INTEGER NOT NULL,
    due INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS movement_of_payment ON movement (payment);
CREATE INDEX IF NOT EXISTS movement_of_token ON movement (token) WHERE token <> '';
CREATE TABLE IF NOT EXISTS account (
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    limit_minor INTEGER,
    held_minor INTEGER NOT NULL,
    taken_minor INTEGER NOT NULL,
    PRIMARY KEY (name, currency)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hold (payment TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hold_expiry ON hold (expires);
CREATE TABLE IF NOT EXISTS tombstone (operation TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wrong_pin (
    account TEXT PRIMARY KEY,
    tries INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parameters (
    kind TEXT NOT NULL,
    terminal TEXT NOT NULL,
    tables BLOB NOT NULL,
    PRIMARY KEY (kind, terminal)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One operation as the network knows it. Amounts in minor units.

    `held_minor` and `taken_minor` are what it changed on the account. `status` is approved,
    declined, pending or reversed; a pending one is decided as `code` says when `due` is reached.
    """

    number: int = 0
    operation: str
    payment: str
    verb: str
    account: str = ""
    currency: str = ""
    asked_minor: int = 0
    amount_minor: int = 0
    held_minor: int = 0
    taken_minor: int = 0
    status: str
    code: str
    target: str = ""
    authorization_code: str = ""
    token: str = ""
    at: int
    due: int = 0


@dataclass(slots=True)
class Account:
    """An account in one currency. `limit_minor` None: without limit."""

    name: str
    currency: str
    limit_minor: int | None
    held_minor: int = 0
    taken_minor: int = 0

    @property
    def available_minor(self) -> int | None:
        """What may still be held or taken; None without limit."""
        if self.limit_minor is None:
            return None
        return self.limit_minor - self.held_minor - self.taken_minor


_NAMES = tuple(field.name for field in fields(Movement))
_values = attrgetter(*_NAMES[1:])
_account_values = attrgetter(*(field.name for field in fields(Account)))
_COLUMNS = ", ".join(_NAMES)
_INSERT = f"INSERT OR IGNORE INTO movement VALUES (NULL{', ?' * (len(_NAMES) - 1)})"  # noqa: S608


class Book:
    """The book in a file, or in memory when `file` is None.

    Changes are seen at once and durable after `commit`; several operations may share one.
    """

    def __init__(self, file: Path | None = None) -> None:
        if file is not None:
            file.touch(0o600)
        self._database = sqlite3.connect(
            str(file or ":memory:"), isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)
        self._accounts: dict[tuple[str, str], Account] = {}
        self._changed: set[tuple[str, str]] = set()
        self._buried = self._tombstones()

    def find(self, operation: str) -> Movement | None:
        """Find what became of an operation."""
        return next(self._movements("WHERE operation = ?", operation), None)

    def of_payment(self, payment: str) -> list[Movement]:
        """List the movements of a payment, oldest first."""
        return list(self._movements("WHERE payment = ? ORDER BY number", payment))

    def movements(self, after: int = 0, limit: int = -1) -> list[Movement]:
        """List movements in order, after a number."""
        where = "WHERE number > ? ORDER BY number LIMIT ?"
        return list(self._movements(where, after, limit))

    def pending(self) -> list[Movement]:
        """List the movements that wait for their decision."""
        return list(self._movements("WHERE status = 'pending' ORDER BY number"))

    def add(self, movement: Movement) -> bool:
        """Write a movement down and change its account; False when its operation is known."""
        self._begin()
        if not self._database.execute(_INSERT, _values(movement)).rowcount:
            return False
        self._change(movement, 1)
        return True

    def update(self, before: Movement, after: Movement) -> None:
        """Write down that a movement was decided or reversed."""
        self._begin()
        self._change(before, -1)
        self._database.execute(
            "UPDATE movement SET status = ?, code = ?, amount_minor = ?, held_minor = ?, "
            "taken_minor = ?, authorization_code = ?, token = ?, due = ? WHERE operation = ?",
            (
                after.status,
                after.code,
                after.amount_minor,
                after.held_minor,
                after.taken_minor,
                after.authorization_code,
                after.token,
                after.due,
                after.operation,
            ),
        )
        self._change(after, 1)

    def account(self, name: str, currency: str, limit_minor: int | None) -> Account:
        """Give an account, opened with a limit when it is new."""
        place = (name, currency)
        account = self._accounts.get(place)
        if account is None:
            row = self._database.execute(
                "SELECT limit_minor, held_minor, taken_minor FROM account "
                "WHERE name = ? AND currency = ?",
                place,
            ).fetchone()
            account = Account(name, currency, *row) if row else Account(*place, limit_minor)
            self._accounts[place] = account
        return account

    def accounts(self) -> list[Account]:
        """List all accounts that were ever used."""
        rows = self._database.execute("SELECT * FROM account ORDER BY name, currency")
        return [Account(*row) for row in rows]

    def set_limit(self, account: Account, limit_minor: int | None) -> None:
        """Give an account another limit."""
        self._begin()
        account.limit_minor = limit_minor
        self._changed.add((account.name, account.currency))

    def set_hold(self, payment: str, expires: int | None) -> None:
        """Say when a payment's hold ends (microseconds since 1970), or that there is none."""
        self._begin()
        if expires is None:
            self._database.execute("DELETE FROM hold WHERE payment = ?", (payment,))
        else:
            self._database.execute("INSERT OR REPLACE INTO hold VALUES (?, ?)", (payment, expires))

    def expired_holds(self, now: int) -> list[str]:
        """List the payments whose hold has ended."""
        rows = self._database.execute("SELECT payment FROM hold WHERE expires <= ?", (now,))
        return [payment for (payment,) in rows]

    def next_expiry(self) -> int | None:
        """Tell when the next hold ends."""
        row = self._database.execute("SELECT min(expires) FROM hold").fetchone()
        return row[0] if row else None

    def stored(self, token: str) -> Movement | None:
        """Find the movement that stored an instrument under a token."""
        return next(self._movements("WHERE token = ? AND token <> ''", token), None)

    def wrong_pins(self) -> dict[str, int]:
        """Give the wrong PINs entered since the last right one, by account."""
        return dict(self._database.execute("SELECT account, tries FROM wrong_pin ORDER BY account"))

    def wrong_pins_of(self, account: str) -> int:
        """Count the wrong PINs of an account since its last right one."""
        row = self._database.execute(
            "SELECT tries FROM wrong_pin WHERE account = ?", (account,)
        ).fetchone()
        return row[0] if row else 0

    def add_wrong_pin(self, account: str) -> None:
        """Count one more wrong PIN."""
        self._begin()
        self._database.execute(
            "INSERT INTO wrong_pin VALUES (?, 1) ON CONFLICT DO UPDATE SET tries = tries + 1",
            (account,),
        )

    def forget_wrong_pins(self, account: str) -> None:
        """Count an account's wrong PINs from nothing again."""
        self._begin()
        self._database.execute("DELETE FROM wrong_pin WHERE account = ?", (account,))

    def parameters(self, kind: str, terminal: str) -> bytes | None:
        """Give the parameters set for a terminal, else those for all ("")."""
        row = self._database.execute(
            "SELECT tables FROM parameters WHERE kind = ? AND terminal IN (?, '') "
            "ORDER BY terminal DESC LIMIT 1",
            (kind, terminal),
        ).fetchone()
        return row[0] if row else None

    def all_parameters(self) -> list[tuple[str, str, bytes]]:
        """List what was set: kind, terminal ("": all), tables."""
        rows = self._database.execute("SELECT * FROM parameters ORDER BY kind, terminal")
        return list(rows)

    def set_parameters(self, kind: str, terminal: str, tables: bytes | None) -> None:
        """Set the parameters of a terminal, or of all (""); None takes back what was set."""
        self._begin()
        if tables is None:
            self._database.execute(
                "DELETE FROM parameters WHERE kind = ? AND terminal = ?", (kind, terminal)
            )
        else:
            self._database.execute(
                "INSERT OR REPLACE INTO parameters VALUES (?, ?, ?)", (kind, terminal, tables)
            )

    def bury(self, operation: str) -> None:
        """Remember an operation that was reversed before it came."""
        self._begin()
        self._database.execute("INSERT OR IGNORE INTO tombstone VALUES (?)", (operation,))
        self._buried.add(operation)

    def is_buried(self, operation: str) -> bool:
        """Say whether an operation was reversed before it came."""
        return operation in self._buried

    def commit(self) -> None:
        """Make everything durable. Raises OSError when the disk refuses; then nothing of it is."""
        try:
            if self._changed:
                accounts = [self._accounts[place] for place in self._changed]
                self._database.executemany(
                    "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?)",
                    [_account_values(account) for account in accounts],
                )
            if self._database.in_transaction:
                self._database.execute("COMMIT")
            self._changed.clear()
        except sqlite3.Error as error:
            self.rollback()
            raise OSError(f"the book cannot be written: {error}") from None

    def rollback(self) -> None:
        """Forget what is not durable."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        self._accounts.clear()
        self._changed.clear()
        self._buried = self._tombstones()

    def close(self) -> None:
        """Let go of the file; what is not committed is forgotten."""
        self._database.close()

    def _begin(self) -> None:
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")

    def _tombstones(self) -> set[str]:
        return {operation for (operation,) in self._database.execute("SELECT * FROM tombstone")}

    def _change(self, movement: Movement, sign: int) -> None:
        if movement.held_minor or movement.taken_minor:
            account = self.account(movement.account, movement.currency, None)
            account.held_minor += sign * movement.held_minor
            account.taken_minor += sign * movement.taken_minor
            self._changed.add((movement.account, movement.currency))

    def _movements(self, where: str, *values: object) -> Iterator[Movement]:
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM movement {where}",  # noqa: S608 - texts of this file
            values,
        )
        return (Movement(**dict(zip(_NAMES, row, strict=True))) for row in rows)
