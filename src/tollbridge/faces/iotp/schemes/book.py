"""Purses and transfers in the notebook: value and statement in one commit, by compare-and-set.

Below the bridge's prefix: `purse/<id>` the balances of a purse, its counter and its last transfers;
`seen/<purse>/<counter>` which payment took a Consumer's transfer; `issued/<reference>` what was put
into a purse from outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tollbridge.faces.iotp.schemes.purse import Transfer
from tollbridge.faces.iotp.schemes.records import Record, Records
from tollbridge.ground.clock import Instant
from tollbridge.ground.flow import Flow, Note, Page, Recall, Remember
from tollbridge.ground.money import Money
from tollbridge.wire import json

LOG_ENTRIES = 10
NO_TIME = Instant(0)
TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Purse:
    """A purse: balances in minor units by currency, and its last transfers, newest first.

    An entry of the log is [payment, amount in minor units (below zero: it paid), currency, the
    other purse, when].
    """

    id: str
    balances: Mapping[str, int] = field(default_factory=dict)
    counter: int = 0
    log: tuple[tuple[str, int, str, str, int], ...] = ()
    version: int = 0

    def has(self, money: Money) -> bool:
        """Say whether it can pay so much."""
        return self.balances.get(money.currency.code, 0) >= money.amount_minor

    def changed(self, code: str, by_minor: int) -> "Purse":
        """Give the purse with another balance."""
        balance = self.balances.get(code, 0) + by_minor
        assert balance >= 0, "a purse is never below zero"
        return replace(self, balances={**self.balances, code: balance})


@dataclass(frozen=True, slots=True)
class Book:
    """The purses and records of one bridge."""

    records: Records

    def purse(self, name: str) -> Flow[Purse]:
        """Read a purse; one that nobody used is empty."""
        page: Page | None = yield Recall(self._page(name))
        if page is None:
            return Purse(name)
        read = json.read_object(page.value, what="purse")
        log = tuple([tuple(entry) for entry in read["log"]])
        return Purse(name, read["balances"], read["counter"], log, page.version)

    def note(self, purse: Purse) -> Note:
        """Make the note that writes a purse over the version it was read with."""
        page = {"balances": purse.balances, "counter": purse.counter, "log": purse.log}
        return Note(self._page(purse.id), json.write(page), expected=purse.version)

    def issue(self, name: str, money: Money, reference: str) -> Flow[bool]:
        """Put value into a purse from outside, once for each reference; False when it was before.

        For issuers and tests: this is where value comes from.
        """
        while True:
            done: Page | None = yield Recall(f"{self.records.prefix}/issued/{reference}")
            if done is not None:
                return False
            purse = yield from self.purse(name)
            purse = purse.changed(money.currency.code, money.amount_minor)
            text = f"{name} {money.amount_minor} {money.currency.code}".encode()
            mark = Note(f"{self.records.prefix}/issued/{reference}", text, expected=0)
            written: bool = yield Remember((self.note(purse), mark))
            if written:
                return True

    def seen(self, purse: str, counter: int) -> str:
        """Name the page that says which payment took a Consumer's transfer."""
        return f"{self.records.prefix}/seen/{purse}/{counter}"

    def begin(self, record: Record, transfer: Transfer, purse: Purse, *more: Note) -> Flow[bool]:
        """Write a new transfer and count it in its purse; False when somebody was faster."""
        counted = replace(purse, counter=purse.counter + 1)
        kept = with_transfer(record, transfer)
        return (yield from self.records.write(kept, self.note(counted), *more))

    def keep(
        self, record: Record, transfer: Transfer, change_minor: int = 0, at: Instant = NO_TIME
    ) -> Flow[bool]:
        """Write a transfer, and what it does to its purse, in one commit.

        False when somebody was faster. Raises Short when the purse cannot pay; nothing is written.
        """
        kept = with_transfer(record, transfer)
        if not change_minor:
            return (yield from self.records.write(kept))
        purse = yield from self.purse(transfer.own)
        if purse.balances.get(transfer.currency, 0) + change_minor < 0:
            raise Short
        entry = (record.pay_id, change_minor, transfer.currency, transfer.other, int(at))
        purse = purse.changed(transfer.currency, change_minor)
        purse = replace(purse, log=(entry, *purse.log)[:LOG_ENTRIES])
        return (yield from self.records.write(kept, self.note(purse)))

    def _page(self, name: str) -> str:
        return f"{self.records.prefix}/purse/{name}"


class Short(Exception):
    """The purse cannot pay so much."""


def transfer_of(record: Record | None) -> Transfer | None:
    """Give the transfer a record holds, if it has begun."""
    page: Mapping[str, Any] | None = record.data.get(TRANSFER) if record is not None else None
    return Transfer.read(page) if page is not None else None


def with_transfer(record: Record, transfer: Transfer) -> Record:
    """Give a record with its transfer."""
    return replace(record, data={**record.data, TRANSFER: transfer.written()})
