"""Two journals that are told the same say the same."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tollbridge.core.facts import Dispatched, Noted, Settled, Topic
from tollbridge.ground.flow import Note
from tollbridge.journal.journal import Entry, Notes
from tollbridge.journal.memory import MemoryJournal
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.testing.clock import START
from tollbridge.testing.journal_kit import (
    APPROVED,
    DECLINED,
    PENDING,
    UNSENT,
    key,
    payment,
    request,
    sides,
)

PLACES = range(4)
KEYS = "abc"
NAMESPACES = ("wpi", "within")
FACTS = st.one_of(
    st.builds(request, st.sampled_from(PLACES)),
    st.builds(Dispatched, st.just(1), st.just(START)),
    st.builds(
        Settled,
        st.just(1),
        st.just(START),
        st.sampled_from([APPROVED, DECLINED, PENDING, UNSENT]),
        st.sampled_from([(), sides("a", "b", 5), sides("b", "a", 7, "JPY") + sides("a", "c", 1)]),
    ),
    st.builds(Noted, st.just(1), st.just(START), st.sampled_from(Topic), st.just("why")),
)
ENTRIES = st.builds(
    Entry,
    st.sampled_from(PLACES).map(payment),
    st.integers(0, 5),
    st.lists(FACTS, min_size=1, max_size=3).map(tuple),
    st.booleans(),
    st.none() | st.sampled_from(KEYS).map(key),
)
NOTES = st.builds(
    Notes,
    st.sampled_from(NAMESPACES),
    st.lists(
        st.builds(
            Note,
            st.sampled_from("xy"),
            st.none() | st.binary(max_size=2),
            st.none() | st.integers(0, 3),
        ),
        max_size=3,
    ).map(tuple),
)


class Honest:
    """Entries whose versions mostly fit, so that something is written."""

    def __init__(self):
        self.versions = dict.fromkeys(map(payment, PLACES), 0)

    def fitted(self, change, fits):
        if not fits or isinstance(change, Notes):
            return change
        self.versions[change.payment] += 1
        return Entry(
            change.payment,
            self.versions[change.payment],
            change.facts,
            change.unfinished,
            None,
        )


def everything(journal):
    return {
        "head": journal.head(),
        "entries": list(journal.entries()),
        "some entries": list(journal.entries(2, 3)),
        "read": [journal.read(payment(place)) for place in PLACES],
        "find": [journal.find(key(name)) for name in KEYS],
        "unfinished": journal.unfinished(),
        "payments": [journal.payments(None, 9), journal.payments(payment(2), 1)],
        "pages": [journal.recall(space, name) for space in NAMESPACES for name in "xy"],
        "balances": [journal.balances(), journal.balances(2), journal.balances(1, 4)],
        "postings": list(journal.postings()),
        "outbox": [journal.outbox(0, 99), journal.outbox(1, 2)],
    }


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(
            st.tuples(ENTRIES | ENTRIES | NOTES, st.sampled_from([True, True, False])), max_size=8
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_memory_and_sqlite_answer_alike(batches, reopened):
    honest = Honest()
    with tempfile.TemporaryDirectory() as folder:
        memory, file = MemoryJournal(), Path(folder) / "journal.sqlite"
        sqlite = SqliteJournal(file)
        try:
            for batch in batches:
                changes = [honest.fitted(change, fits) for change, fits in batch]
                assert sqlite.commit(changes) == memory.commit(changes)
                if reopened:
                    sqlite.close()
                    sqlite = SqliteJournal(file)
                assert everything(sqlite) == everything(memory)
        finally:
            sqlite.close()
