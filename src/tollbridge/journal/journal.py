"""The journal's contract: what is written together, what can be read, what may go wrong.

`commit` takes a batch, writes it as one durable transaction and answers each change on its own, so
that one conflict does not spoil its neighbours. Whoever calls it calls it from one place at a time.
The journal knows no asyncio; the engine's clerk gathers what many askers want into batches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from tollbridge.core.facts import Fact, Posting, Settled
from tollbridge.core.operation import FINAL, state_of
from tollbridge.core.payment import Payment, fold
from tollbridge.ground.errors import Corrupt, UnknownPayment
from tollbridge.ground.flow import Note, Page
from tollbridge.ground.ids import PaymentId
from tollbridge.journal import rows


@dataclass(frozen=True, slots=True)
class Entry:
    """Facts of one payment to be written together, as that payment's `version` (from 1).

    `unfinished` says whether recovery has work left on the payment after them; `claim` is the
    digest of the idempotency key the entry takes, if it takes one. `notes` are written with it, or
    neither is.
    """

    payment: PaymentId
    version: int
    facts: tuple[Fact, ...]
    unfinished: bool
    claim: bytes | None = None
    notes: "Notes | None" = None


@dataclass(frozen=True, slots=True)
class Notes:
    """Writes to one notebook, all or none."""

    namespace: str
    notes: tuple[Note, ...]


Change: TypeAlias = Entry | Notes


@dataclass(frozen=True, slots=True)
class Written:
    """Durable. `number` is the entry's place in the journal (0 for notes)."""

    number: int


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The idempotency key belongs to `payment` already; nothing was written."""

    payment: PaymentId


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody wrote first: the payment or a page has another version; nothing was written.

    `of_notes`: it was a page that an entry was to be written with.
    """

    of_notes: bool = False


Result: TypeAlias = Written | KeyTaken | Stale


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as it stands in the journal."""

    number: int
    payment: PaymentId
    version: int
    body: bytes
    hash: bytes

    @property
    def facts(self) -> list[Fact]:
        """The facts of the entry; raises Corrupt when they cannot be read."""
        return rows.decode(self.body)


@dataclass(frozen=True, slots=True)
class Message:
    """Something others must hear of: entry `number` settled a payment's operation."""

    number: int
    topic: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry's number and hash. Keep it elsewhere to notice a shortened journal."""

    number: int = 0
    hash: bytes = rows.FIRST_HASH


class Journal(Protocol):
    """What an engine needs to remember payments."""

    def commit(self, changes: Sequence[Change]) -> list[Result]:
        """Write a batch durably and answer each change. Raises JournalFailed; then none is written
        as far as anybody may rely on, and reading again tells."""
        ...

    def read(self, payment: PaymentId) -> list[Row]:
        """Read all entries of a payment, oldest first; empty when there is none."""
        ...

    def find(self, digest: bytes) -> PaymentId | None:
        """Find the payment an idempotency key was used for."""
        ...

    def unfinished(self) -> list[PaymentId]:
        """List the payments that recovery has work left on, oldest first."""
        ...

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Row]:
        """Read entries in order, after a number."""
        ...

    def payments(self, before: PaymentId | None, limit: int) -> list[PaymentId]:
        """List payments, newest first, older than `before`."""
        ...

    def recall(self, namespace: str, key: str) -> Page | None:
        """Read a page of a notebook."""
        ...

    def browse(
        self, namespace: str, prefix: str, after: str = "", limit: int = 100
    ) -> list[tuple[str, Page]]:
        """List pages of a notebook whose keys begin with `prefix` and come after `after`."""
        ...

    def balances(self, after: int = 0, through: int | None = None) -> dict[tuple[str, str], int]:
        """Sum the postings of a range of entries: (account, currency) to minor units."""
        ...

    def postings(self) -> Iterator[tuple[int, Posting]]:
        """Read the ledger: each posting with its entry's number, in order."""
        ...

    def outbox(self, after: int, limit: int) -> list[Message]:
        """Read what others must hear of, in order, after a number."""
        ...

    def head(self) -> Head:
        """Tell where the journal ends."""
        ...

    def close(self) -> None:
        """Let go of the file. What was committed stays."""
        ...


def load(journal: Journal, payment: PaymentId) -> Payment:
    """Read a payment. Raises UnknownPayment."""
    found = journal.read(payment)
    if not found:
        raise UnknownPayment(f"no payment is called {payment!r:.40}")
    return fold(payment, [row.facts for row in found])


def topic(facts: Sequence[Fact]) -> str | None:
    """Name what others must hear of in an entry; None when it settles nothing for good."""
    for fact in facts:
        if isinstance(fact, Settled):
            state = state_of(fact.outcome)
            return f"operation.{state}" if state in FINAL else None
    return None


def entry_postings(facts: Sequence[Fact]) -> tuple[Posting, ...]:
    """Give the postings an entry carries."""
    for fact in facts:
        if isinstance(fact, Settled):
            return fact.postings
    return ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification read."""

    entries: int
    payments: int
    unfinished: int
    balances: Mapping[tuple[str, str], int]
    head: Head


def verify(journal: Journal) -> Verified:
    """Prove a journal: the chain, every payment's fold, the ledger and the outbox beside it.

    Raises Corrupt naming the first entry that is wrong.
    """
    previous, number = rows.FIRST_HASH, 0
    ledger = journal.postings()
    outbox = _messages(journal)
    for row in journal.entries():
        number += 1
        expected = rows.link(previous, number, row.payment, row.version, row.body)
        if row.number != number or row.hash != expected:
            raise Corrupt(f"entry {number}: the chain is broken")
        facts = row.facts
        for posting in entry_postings(facts):
            if next(ledger, None) != (number, posting):
                raise Corrupt(f"entry {number}: the ledger does not say what the entry says")
        heard = topic(facts)
        if heard is not None and next(outbox, None) != Message(number, heard):
            raise Corrupt(f"entry {number}: the outbox does not say what the entry says")
        previous = row.hash
    if next(ledger, None) is not None or next(outbox, None) is not None:
        raise Corrupt("the ledger or the outbox holds more than the entries")
    return _verified(journal, Head(number, previous))


def _messages(journal: Journal) -> Iterator[Message]:
    after = 0
    while messages := journal.outbox(after, 1000):
        yield from messages
        after = messages[-1].number


def _verified(journal: Journal, head: Head) -> Verified:
    waiting = set(journal.unfinished())
    payments, entries, last = 0, 0, None
    while page := journal.payments(last, 1000):
        for name in page:
            payment = fold(name, [row.facts for row in journal.read(name)])
            if payment.unfinished != (name in waiting):
                raise Corrupt(f"{name}: the list of unfinished payments is wrong")
            waiting.discard(name)
            entries += payment.version
        payments += len(page)
        last = page[-1]
    if entries != head.number:
        raise Corrupt("not every entry is found with its payment")
    if waiting:
        raise Corrupt(f"{min(waiting)}: listed as unfinished, but there is no such payment")
    balances = journal.balances()
    for code in {currency for _, currency in balances}:
        if sum(minor for (_, currency), minor in balances.items() if currency == code):
            raise Corrupt(f"the ledger does not sum to zero in {code}")
    return Verified(head.number, payments, len(journal.unfinished()), balances, head)
