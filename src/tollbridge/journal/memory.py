"""A journal in memory, for tests and simulations. Forgets everything with the process."""

from collections.abc import Iterator, Sequence

from tollbridge.core.facts import Posting
from tollbridge.ground.flow import Note, Page
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


class MemoryJournal:
    """Keeps the same bytes and the same chain as the durable journals."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._by_payment: dict[PaymentId, list[Row]] = {}
        self._claims: dict[bytes, PaymentId] = {}
        self._unfinished: set[PaymentId] = set()
        self._pages: dict[tuple[str, str], Page] = {}
        self._postings: list[tuple[int, Posting]] = []
        self._outbox: list[Message] = []

    def commit(self, changes: Sequence[Change]) -> list[Result]:
        return [
            self._append(change) if isinstance(change, Entry) else self._note(change)
            for change in changes
        ]

    def _append(self, entry: Entry) -> Result:
        claim = entry.claim
        if claim is not None and claim in self._claims:
            return KeyTaken(self._claims[claim])
        if entry.version != len(self._by_payment.get(entry.payment, ())) + 1:
            return Stale()
        if entry.notes is not None and isinstance(self._note(entry.notes), Stale):
            return Stale(of_notes=True)
        head = self.head()
        number = head.number + 1
        body = rows.encode(entry.facts)
        hashed = rows.link(head.hash, number, entry.payment, entry.version, body)
        row = Row(number, entry.payment, entry.version, body, hashed)
        self._rows.append(row)
        self._by_payment.setdefault(entry.payment, []).append(row)
        if claim is not None:
            self._claims[claim] = entry.payment
        (self._unfinished.add if entry.unfinished else self._unfinished.discard)(entry.payment)
        self._postings += [(number, posting) for posting in entry_postings(entry.facts)]
        heard = topic(entry.facts)
        if heard is not None:
            self._outbox.append(Message(number, heard))
        return Written(number)

    def _note(self, batch: Notes) -> Result:
        if any(not self._fits(batch.namespace, note) for note in batch.notes):
            return Stale()
        for note in batch.notes:
            place = (batch.namespace, note.key)
            if note.value is None:
                self._pages.pop(place, None)
            else:
                before = self._pages.get(place)
                self._pages[place] = Page(note.value, before.version + 1 if before else 1)
        return Written(0)

    def _fits(self, namespace: str, note: Note) -> bool:
        if note.expected is None:
            return True
        page = self._pages.get((namespace, note.key))
        return note.expected == (page.version if page else 0)

    def read(self, payment: PaymentId) -> list[Row]:
        return list(self._by_payment.get(payment, ()))

    def find(self, digest: bytes) -> PaymentId | None:
        return self._claims.get(digest)

    def unfinished(self) -> list[PaymentId]:
        return sorted(self._unfinished)

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Row]:
        return iter(self._rows[after : None if limit is None else after + limit])

    def payments(self, before: PaymentId | None, limit: int) -> list[PaymentId]:
        newest = sorted(self._by_payment, reverse=True)
        return [payment for payment in newest if before is None or payment < before][:limit]

    def recall(self, namespace: str, key: str) -> Page | None:
        return self._pages.get((namespace, key))

    def browse(
        self, namespace: str, prefix: str, after: str = "", limit: int = 100
    ) -> list[tuple[str, Page]]:
        keys = sorted(
            key
            for space, key in self._pages
            if space == namespace and key.startswith(prefix) and key > after
        )
        return [(key, self._pages[namespace, key]) for key in keys[:limit]]

    def balances(self, after: int = 0, through: int | None = None) -> dict[tuple[str, str], int]:
        sums: dict[tuple[str, str], int] = {}
        for number, posting in self._postings:
            if after < number and (through is None or number <= through):
                place = (posting.account, posting.currency)
                sums[place] = sums.get(place, 0) + posting.amount_minor
        return sums

    def postings(self) -> Iterator[tuple[int, Posting]]:
        return iter(self._postings)

    def outbox(self, after: int, limit: int) -> list[Message]:
        return [message for message in self._outbox if message.number > after][:limit]

    def head(self) -> Head:
        return Head(self._rows[-1].number, self._rows[-1].hash) if self._rows else Head()

    def close(self) -> None:
        pass
