"""What every journal promises, as tests. Inherit JournalKit and say how to open yours.

Nothing here knows how a journal keeps its rows: all is said through the protocol in
`journal/journal.py`. The kit writes stories that an engine could have written, so `verify` must
accept what each test leaves behind.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tollbridge.core.facts import Dispatched, Fact, Noted, Posting, Requested, Settled, Topic
from tollbridge.core.instrument import InstrumentView
from tollbridge.core.outcome import (
    Approved,
    DeclineCode,
    Declined,
    Outcome,
    Pending,
    Unsent,
)
from tollbridge.core.verbs import Verb
from tollbridge.ground.flow import Note, Page
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money
from tollbridge.journal import rows
from tollbridge.journal.journal import (
    Change,
    Entry,
    Head,
    Journal,
    KeyTaken,
    Message,
    Notes,
    Stale,
    Written,
    load,
    verify,
)
from tollbridge.testing.clock import START

TEN = Money.of(1000, "EUR")
APPROVED = Approved(TEN, "N1")
DECLINED = Declined(DeclineCode.DO_NOT_HONOUR, "05")
PENDING = Pending("ask the customer")
UNSENT = Unsent("refused")


def payment(place: int) -> PaymentId:
    """Name a payment; a higher place is a newer payment."""
    return PaymentId(f"01KJ{place:022d}")


def key(name: str) -> bytes:
    """Give the digest of an idempotency key."""
    return rows.digest(IdempotencyKey("kit", name))


def request(place: int, ordinal: int = 1, verb: Verb = Verb.PURCHASE) -> Requested:
    """Want ten euro. Only the first request of a payment names its merchant and bridge."""
    first = ordinal == 1
    return Requested(
        ordinal=ordinal,
        at=START,
        verb=verb,
        key=IdempotencyKey("kit", f"{place}.{ordinal}"),
        merchant="corner shop" if first else "",
        bridge="sandbox" if first else "",
        amount=TEN,
        tender=TEN,
    )


def opening(place: int, claim: str | None = None) -> Entry:
    """Open a payment: wanted and dispatched, so it is unfinished."""
    facts = (request(place), Dispatched(1, START))
    return Entry(payment(place), 1, facts, unfinished=True, claim=key(claim) if claim else None)


def settling(
    place: int,
    outcome: Outcome = APPROVED,
    postings: tuple[Posting, ...] = (),
    *,
    version: int = 2,
    ordinal: int = 1,
) -> Entry:
    """Settle an operation; the payment is finished then, unless the outcome is pending."""
    fact = Settled(ordinal, START, outcome, postings)
    return Entry(payment(place), version, (fact,), unfinished=isinstance(outcome, Pending))


def refunding(place: int, version: int = 3, ordinal: int = 2, claim: str | None = None) -> Entry:
    """Want money back of a payment that was settled."""
    facts = (request(place, ordinal, Verb.REFUND), Dispatched(ordinal, START))
    claimed = key(claim) if claim else None
    return Entry(payment(place), version, facts, unfinished=True, claim=claimed)


def sides(debit: str, credit: str, amount_minor: int, code: str = "EUR") -> tuple[Posting, ...]:
    """Post an amount from one account to another."""
    return Posting(debit, code, amount_minor), Posting(credit, code, -amount_minor)


def note(name: str, value: bytes | None, expected: int | None = None) -> Notes:
    """Write one note to the notebook "wpi"."""
    return Notes("wpi", (Note(name, value, expected),))


FULL_REQUEST = Requested(
    ordinal=1,
    at=START,
    verb=Verb.PURCHASE,
    key=IdempotencyKey("kit", 'all that can be said: "ü", 語, \\, \n'),
    merchant="corner shop",
    bridge="sandbox",
    amount=Money.of(1000, "BGN"),
    tender=Money.of(511, "EUR"),
    view=InstrumentView("Visa", "424242******4242", "A0000000031010", "VISA CREDIT", "chip"),
    reference="bill 7",
    details={"table": "12", "note": "façade"},
    partial_ok=True,
    final_capture=False,
)
BARE_REQUEST = Requested(
    ordinal=1,
    at=START,
    verb=Verb.VERIFY,
    key=IdempotencyKey("kit", "little"),
    merchant="",
    bridge="",
)
VOID_REQUEST = Requested(
    ordinal=2,
    at=START,
    verb=Verb.VOID,
    key=IdempotencyKey("kit", "void"),
    merchant="",
    bridge="",
    amount=TEN,
    tender=TEN,
    target=1,
    view=InstrumentView(),
)
FULL_APPROVAL = Approved(TEN, "N1", "A1B2C3", "08", {"action": "identification"})
FULL_DECLINE = Declined(DeclineCode.INSUFFICIENT_FUNDS, "51", "insufficient funds", "N2")

STORIES: tuple[tuple[Sequence[Fact], ...], ...] = (
    ((FULL_REQUEST, Dispatched(1, START)), (Settled(1, START, FULL_DECLINE),)),
    ((BARE_REQUEST,), (Settled(1, START, Approved(None, "N3", details={"token": "t"})),)),
    ((BARE_REQUEST, Settled(1, START, UNSENT)),),
    (
        (request(4), Dispatched(1, START)),
        (Settled(1, START, Pending("ask the customer", "N4")),),
        (Settled(1, START, FULL_APPROVAL, sides("receivable", "payable", 1000)),),
        (VOID_REQUEST,),
        (Dispatched(2, START),),
        *((Noted(2, START, topic, f"about {topic}"),) for topic in Topic),
        (Settled(2, START, Declined(DeclineCode.DUPLICATE)),),
    ),
)
"""Payments, each a sequence of entries: together every kind of fact and of outcome."""


class JournalKit:
    """Inherit, name the class Test…, and override `open` (and `reopen`, if the journal keeps)."""

    def open(self) -> Journal:
        """Open a fresh, empty journal."""
        raise NotImplementedError

    def reopen(self, journal: Journal) -> Journal | None:
        """Close a journal and open the same one again; None where it forgets."""
        del journal
        return None

    @contextmanager
    def journal(self, *changes: Change) -> Iterator[Journal]:
        """Open a journal, write changes one by one, and verify what the test leaves behind."""
        journal = self.open()
        try:
            for change in changes:
                (result,) = journal.commit([change])
                assert isinstance(result, Written)
            yield journal
            verify(journal)
        finally:
            journal.close()

    # An empty journal

    def test_a_new_journal_is_empty(self) -> None:
        with self.journal() as journal:
            assert journal.head() == Head(0, rows.FIRST_HASH)
            assert list(journal.entries()) == []
            assert list(journal.postings()) == []
            assert journal.payments(None, 10) == []
            assert journal.unfinished() == []
            assert journal.outbox(0, 10) == []
            assert journal.read(payment(1)) == []
            assert journal.balances() == {}
            assert journal.find(key("a")) is None
            assert journal.recall("wpi", "a") is None

    def test_an_empty_batch_writes_nothing(self) -> None:
        with self.journal() as journal:
            assert journal.commit([]) == []
            assert journal.head() == Head()

    # Entries

    def test_every_kind_of_fact_and_outcome_is_read_back(self) -> None:
        with self.journal() as journal:
            for place, story in enumerate(STORIES):
                for version, facts in enumerate(story, 1):
                    unfinished = version < len(story)
                    entry = Entry(payment(place), version, tuple(facts), unfinished)
                    assert isinstance(journal.commit([entry])[0], Written)
            for place, story in enumerate(STORIES):
                found = journal.read(payment(place))
                assert [row.facts for row in found] == [list(facts) for facts in story]
                assert [row.version for row in found] == list(range(1, len(story) + 1))
                assert {row.payment for row in found} == {payment(place)}

    def test_entries_are_numbered_without_gaps(self) -> None:
        with self.journal() as journal:
            first = journal.commit([opening(1), opening(2)])
            second = journal.commit([settling(2), note("a", b"1"), settling(1)])
            assert first == [Written(1), Written(2)]
            assert second == [Written(3), Written(0), Written(4)]
            assert [row.number for row in journal.entries()] == [1, 2, 3, 4]
            assert journal.head().number == 4

    def test_each_entry_is_chained_to_all_before_it(self) -> None:
        with self.journal() as journal:
            journal.commit([opening(1), opening(2)])
            journal.commit([settling(2)])
            previous = rows.FIRST_HASH
            for number, row in enumerate(journal.entries(), 1):
                assert row.body == rows.encode(row.facts)
                expected = rows.link(previous, number, row.payment, row.version, row.body)
                assert row.hash == expected
                previous = row.hash
            assert journal.head() == Head(3, previous)

    def test_entries_are_read_after_a_number_and_up_to_a_limit(self) -> None:
        with self.journal(*(opening(place) for place in range(5))) as journal:
            every = list(journal.entries())
            for after in range(6):
                assert list(journal.entries(after)) == every[after:]
                for limit in range(6):
                    assert list(journal.entries(after, limit)) == every[after : after + limit]

    def test_a_payment_is_read_alone_and_in_order(self) -> None:
        with self.journal() as journal:
            journal.commit([opening(1), opening(2), settling(1)])
            journal.commit([settling(2), refunding(1)])
            assert [row.number for row in journal.read(payment(1))] == [1, 3, 5]
            assert load(journal, payment(1)).version == 3
            assert load(journal, payment(2)).amounts.captured_minor == 1000

    def test_a_batch_of_any_size_is_written_in_order(self) -> None:
        with self.journal() as journal:
            place = 0
            for size in (1, 2, 8, 9, 64, 65, 200):
                places = range(place, place + size)
                head = journal.head().number
                done = journal.commit([opening(p, f"key {p}") for p in places])
                assert done == [Written(head + i) for i in range(1, size + 1)]
                again = journal.commit([opening(10_000 + p, f"key {p}") for p in places])
                assert again == [KeyTaken(payment(p)) for p in places]
                stale = journal.commit([settling(p, version=3) for p in places])
                assert stale == [Stale()] * size
                settled = journal.commit([settling(p) for p in places])
                assert [type(result) for result in settled] == [Written] * size
                place += size

    # Keys

    def test_a_key_is_taken_once_in_a_batch(self) -> None:
        with self.journal() as journal:
            done = journal.commit([opening(1, "a"), opening(2, "a"), opening(3, "b")])
            assert done == [Written(1), KeyTaken(payment(1)), Written(2)]
            assert journal.read(payment(2)) == []

    def test_a_key_is_taken_once_across_batches(self) -> None:
        with self.journal(opening(1, "a")) as journal:
            assert journal.commit([opening(2, "a")]) == [KeyTaken(payment(1))]
            assert journal.head().number == 1
            assert journal.read(payment(2)) == []
            assert journal.unfinished() == [payment(1)]

    def test_a_taken_key_is_told_before_a_stale_version(self) -> None:
        with self.journal(opening(1), settling(1), refunding(1, claim="r")) as journal:
            assert journal.commit([refunding(1, claim="r")]) == [KeyTaken(payment(1))]
            assert journal.commit([refunding(1, 4, 3, claim="r")]) == [KeyTaken(payment(1))]

    def test_a_key_is_found_with_its_payment(self) -> None:
        with self.journal(opening(1, "a"), opening(2), settling(1)) as journal:
            journal.commit([refunding(1, claim="b"), opening(3, "c")])
            found = [journal.find(key(name)) for name in "abcd"]
            assert found == [payment(1), payment(1), payment(3), None]

    def test_an_entry_that_is_not_written_takes_no_key(self) -> None:
        with self.journal(opening(1)) as journal:
            done = journal.commit([refunding(1, claim="a"), opening(2, "a")])
            assert done == [Stale(), Written(2)]
            assert journal.find(key("a")) == payment(2)

    def test_entries_without_a_key_never_meet(self) -> None:
        with self.journal() as journal:
            assert journal.commit([opening(1), opening(2)]) == [Written(1), Written(2)]

    # Versions

    def test_a_version_is_written_once_in_a_batch(self) -> None:
        with self.journal(opening(1)) as journal:
            done = journal.commit([settling(1), settling(1, DECLINED)])
            assert done == [Written(2), Stale()]
            assert load(journal, payment(1)).amounts.captured_minor == 1000

    def test_a_version_is_written_once_across_batches(self) -> None:
        with self.journal(opening(1), settling(1)) as journal:
            assert journal.commit([settling(1, DECLINED)]) == [Stale()]
            assert journal.head().number == 2

    def test_a_payment_is_opened_once(self) -> None:
        with self.journal(opening(1)) as journal:
            assert journal.commit([opening(1)]) == [Stale()]
            assert journal.commit([opening(2), opening(2), opening(1)]) == [
                Written(2),
                Stale(),
                Stale(),
            ]

    def test_versions_come_one_after_the_other(self) -> None:
        with self.journal(opening(1)) as journal:
            early = [settling(1, version=0), settling(1, version=3), settling(2), settling(2)]
            assert journal.commit(early) == [Stale()] * 4
            together = [settling(1), refunding(1), settling(1, version=4, ordinal=2)]
            assert journal.commit(together) == [Written(2), Written(3), Written(4)]

    def test_a_conflict_does_not_spoil_its_neighbours(self) -> None:
        with self.journal(opening(1, "a"), note("page", b"1")) as journal:
            done = journal.commit(
                [
                    opening(2, "b"),
                    opening(3, "a"),
                    note("page", b"2", expected=1),
                    settling(1, version=5),
                    note("page", b"3", expected=1),
                    opening(1, "c"),
                    settling(1),
                ]
            )
            assert done == [
                Written(2),
                KeyTaken(payment(1)),
                Written(0),
                Stale(),
                Stale(),
                Stale(),
                Written(3),
            ]
            assert [row.number for row in journal.entries()] == [1, 2, 3]
            assert journal.recall("wpi", "page") == Page(b"2", 2)

    # Lists

    def test_unfinished_payments_are_listed_until_they_are_finished(self) -> None:
        with self.journal(opening(2), opening(1), opening(3)) as journal:
            assert journal.unfinished() == [payment(1), payment(2), payment(3)]
            journal.commit([settling(2, PENDING), settling(1)])
            assert journal.unfinished() == [payment(2), payment(3)]
            journal.commit([settling(2, version=3), refunding(1)])
            assert journal.unfinished() == [payment(1), payment(3)]

    def test_the_last_entry_of_a_batch_says_whether_a_payment_is_finished(self) -> None:
        with self.journal() as journal:
            journal.commit([opening(1), settling(1), refunding(1), opening(2), settling(2)])
            assert journal.unfinished() == [payment(1)]
            facts = (BARE_REQUEST, Settled(1, START, UNSENT))
            closed = Entry(payment(3), 1, facts, unfinished=False)
            journal.commit([settling(1, version=4, ordinal=2), closed])
            assert journal.unfinished() == []

    def test_payments_are_listed_newest_first_page_by_page(self) -> None:
        places = [3, 1, 4, 0, 2]
        with self.journal(*(opening(place) for place in places)) as journal:
            journal.commit([settling(0), settling(4)])
            newest = [payment(place) for place in (4, 3, 2, 1, 0)]
            for limit in range(1, 7):
                pages: list[list[PaymentId]] = []
                while page := journal.payments(pages[-1][-1] if pages else None, limit):
                    pages.append(page)
                assert [name for page in pages for name in page] == newest
                assert all(len(page) == limit for page in pages[:-1])

    # The notebook

    def test_a_page_is_remembered_with_its_version(self) -> None:
        with self.journal(note("a", b"one"), note("a", b"two"), note("b", b"")) as journal:
            assert journal.recall("wpi", "a") == Page(b"two", 2)
            assert journal.recall("wpi", "b") == Page(b"", 1)
            assert journal.recall("wpi", "c") is None

    def test_a_page_is_written_only_at_the_version_expected(self) -> None:
        with self.journal() as journal:
            cases = (
                (note("a", b"early", 1), Stale(), None),
                (note("a", b"one", 0), Written(0), Page(b"one", 1)),
                (note("a", b"again", 0), Stale(), Page(b"one", 1)),
                (note("a", b"two", 1), Written(0), Page(b"two", 2)),
                (note("a", b"late", 1), Stale(), Page(b"two", 2)),
                (note("a", b"three", None), Written(0), Page(b"three", 3)),
                (note("a", None, 2), Stale(), Page(b"three", 3)),
                (note("a", None, 3), Written(0), None),
                (note("a", None, 3), Stale(), None),
                (note("a", None, 0), Written(0), None),
                (note("a", None), Written(0), None),
                (note("a", b"new", 0), Written(0), Page(b"new", 1)),
            )
            for change, result, page in cases:
                assert journal.commit([change]) == [result]
                assert journal.recall("wpi", "a") == page

    def test_one_expectation_wins_in_a_batch(self) -> None:
        with self.journal() as journal:
            done = journal.commit([note("a", b"first", 0), note("a", b"second", 0)])
            assert done == [Written(0), Stale()]
            assert journal.recall("wpi", "a") == Page(b"first", 1)

    def test_several_notes_are_written_all_or_none(self) -> None:
        with self.journal(note("a", b"1"), note("b", b"1")) as journal:
            spoilt = Notes("wpi", (Note("a", None), Note("c", b"1", 0), Note("b", b"2", 7)))
            assert journal.commit([spoilt]) == [Stale()]
            assert [journal.recall("wpi", name) for name in "abc"] == [
                Page(b"1", 1),
                Page(b"1", 1),
                None,
            ]
            whole = Notes("wpi", (Note("a", None), Note("c", b"1", 0), Note("b", b"2", 1)))
            assert journal.commit([whole]) == [Written(0)]
            assert [journal.recall("wpi", name) for name in "abc"] == [
                None,
                Page(b"2", 2),
                Page(b"1", 1),
            ]

    def test_notes_about_one_page_are_written_one_after_the_other(self) -> None:
        with self.journal() as journal:
            twice = Notes("wpi", (Note("a", b"1"), Note("a", b"2"), Note("b", b"1")))
            assert journal.commit([twice]) == [Written(0)]
            assert journal.recall("wpi", "a") == Page(b"2", 2)
            anew = Notes(
                "wpi", (Note("a", None), Note("a", b"3"), Note("b", b"2"), Note("b", None))
            )
            assert journal.commit([anew]) == [Written(0)]
            assert journal.recall("wpi", "a") == Page(b"3", 1)
            assert journal.recall("wpi", "b") is None

    def test_notebooks_are_kept_apart(self) -> None:
        with self.journal(note("a", b"ours")) as journal:
            journal.commit([Notes("within", (Note("a", b"theirs", 0),))])
            assert journal.recall("wpi", "a") == Page(b"ours", 1)
            assert journal.recall("within", "a") == Page(b"theirs", 1)
            journal.commit([Notes("within", (Note("a", None),))])
            assert journal.recall("wpi", "a") == Page(b"ours", 1)
            assert journal.recall("iotp", "a") is None

    def test_an_entry_and_its_notes_are_written_together_or_not_at_all(self) -> None:
        with self.journal(note("a", b"old")) as journal:
            notes = (Note("a", b"new", 1), Note("b", b"b", 0))
            entry = replace(opening(1, "k"), notes=Notes("wpi", notes))
            behind = replace(entry, notes=Notes("wpi", (Note("c", b"c"), Note("a", b"x", 7))))
            assert journal.commit([behind]) == [Stale(of_notes=True)]
            assert journal.recall("wpi", "c") is None
            assert journal.find(key("k")) is None
            assert journal.commit([entry]) == [Written(1)]
            assert journal.recall("wpi", "a") == Page(b"new", 2)
            again = replace(opening(2, "k"), notes=Notes("wpi", (Note("c", b"c"),)))
            assert journal.commit([again]) == [KeyTaken(payment(1))]
            late = replace(opening(1), notes=Notes("wpi", (Note("c", b"c"),)))
            assert journal.commit([late]) == [Stale()]
            assert journal.recall("wpi", "c") is None
            verify(journal)

    def test_pages_are_listed_by_the_beginning_of_their_keys(self) -> None:
        with self.journal() as journal:
            names = ("order/a", "order/b", "order/c", "orders", "a", "z")
            journal.commit([note(name, name.encode()) for name in names])
            journal.commit([Notes("within", (Note("order/x", b"theirs", 0),))])
            assert journal.browse("wpi", "order/") == [
                (name, Page(name.encode(), 1)) for name in names[:3]
            ]
            assert [key for key, _ in journal.browse("wpi", "order/", "order/a", 1)] == ["order/b"]
            assert journal.browse("wpi", "nothing/") == []

    def test_notes_leave_the_chain_alone(self) -> None:
        with self.journal(opening(1)) as journal:
            before = journal.head()
            journal.commit([note("a", b"1"), note("a", b"2")])
            assert journal.head() == before

    # The ledger and the outbox

    def test_balances_are_sums_over_a_range_of_entries(self) -> None:
        with self.journal(
            opening(1),
            opening(2),
            settling(1, postings=sides("receivable", "payable", 1000)),
            settling(2, postings=sides("receivable", "payable", 500, "JPY")),
            refunding(1),
            settling(1, postings=sides("payable", "receivable", 400), version=4, ordinal=2),
        ) as journal:
            euro = ("receivable", "EUR"), ("payable", "EUR")
            yen = {("receivable", "JPY"): 500, ("payable", "JPY"): -500}
            assert journal.balances() == dict(zip(euro, (600, -600), strict=True)) | yen
            assert journal.balances(0, 3) == dict(zip(euro, (1000, -1000), strict=True))
            assert journal.balances(3, 5) == yen
            assert journal.balances(5) == dict(zip(euro, (-400, 400), strict=True))
            assert journal.balances(6) == journal.balances(0, 2) == journal.balances(3, 3) == {}

    def test_postings_are_read_in_order_with_their_entries(self) -> None:
        first, second = sides("a", "b", 1000) + sides("c", "d", 5), sides("b", "a", 1000)
        with self.journal(
            opening(1),
            settling(1, postings=first),
            refunding(1),
            settling(1, postings=second, version=4, ordinal=2),
        ) as journal:
            expected = [(2, posting) for posting in first] + [(4, posting) for posting in second]
            assert list(journal.postings()) == expected

    def test_what_is_settled_for_good_is_in_the_outbox_in_order(self) -> None:
        with self.journal(
            opening(1),
            settling(1, PENDING),
            settling(1, APPROVED, version=3),
            opening(2),
            settling(2, DECLINED),
            opening(3),
            settling(3, UNSENT),
        ) as journal:
            messages = [
                Message(3, "operation.approved"),
                Message(5, "operation.declined"),
                Message(7, "operation.unsent"),
            ]
            assert journal.outbox(0, 10) == messages
            assert journal.outbox(3, 10) == journal.outbox(4, 2) == messages[1:]
            assert journal.outbox(0, 2) == messages[:2]
            assert journal.outbox(7, 10) == []

    # Proof and memory

    def test_verify_accepts_and_counts(self) -> None:
        with self.journal(
            opening(1),
            opening(2),
            settling(1, postings=sides("receivable", "payable", 1000)),
            note("a", b"1"),
        ) as journal:
            found = verify(journal)
            assert (found.entries, found.payments, found.unfinished) == (3, 2, 1)
            assert found.balances == {("receivable", "EUR"): 1000, ("payable", "EUR"): -1000}
            assert found.head == journal.head()

    def test_all_is_kept_when_it_is_opened_again(self) -> None:
        journal = self.open()
        try:
            journal.commit(
                [
                    opening(1, "a"),
                    settling(1, postings=sides("receivable", "payable", 1000)),
                    opening(2, "b"),
                    note("page", b"1"),
                    note("page", b"2"),
                ]
            )
            before = _everything(journal)
            again = self.reopen(journal)
            if again is None:
                return
            journal = again
            assert _everything(journal) == before
            done = journal.commit([opening(3, "a"), settling(1), settling(2), opening(4, "d")])
            assert done == [KeyTaken(payment(1)), Stale(), Written(4), Written(5)]
            assert journal.commit([note("page", b"3", 1), note("page", b"3", 2)]) == [
                Stale(),
                Written(0),
            ]
            assert verify(journal).entries == 5
        finally:
            journal.close()


def _everything(journal: Journal) -> list[object]:
    """Read all that the kit wrote, through every way of reading."""
    return [
        journal.head(),
        list(journal.entries()),
        [journal.read(payment(place)) for place in range(5)],
        [journal.find(key(name)) for name in "abcd"],
        journal.unfinished(),
        journal.payments(None, 10),
        journal.recall("wpi", "page"),
        journal.balances(),
        list(journal.postings()),
        journal.outbox(0, 10),
    ]
