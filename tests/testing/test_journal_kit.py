"""The kit can fail: for each promise there is a journal that breaks it and a test that tells."""

from dataclasses import replace

import pytest

from tollbridge.ground.errors import Corrupt
from tollbridge.journal import rows
from tollbridge.journal.journal import KeyTaken, Notes, Stale, Written
from tollbridge.journal.memory import MemoryJournal
from tollbridge.testing.journal_kit import JournalKit


class ForgetsKeys(MemoryJournal):
    def find(self, digest):
        return None


class TakesKeysTwice(MemoryJournal):
    def _append(self, entry):
        return super()._append(replace(entry, claim=None))


class TakesKeysOfStaleEntries(MemoryJournal):
    def _append(self, entry):
        result = super()._append(entry)
        if result == Stale() and entry.claim:
            self._claims[entry.claim] = entry.payment
        return result


class TellsStaleFirst(MemoryJournal):
    def _append(self, entry):
        result = super()._append(entry)
        fits = entry.version == len(self.read(entry.payment)) + 1
        return Stale() if isinstance(result, KeyTaken) and not fits else result


class WritesAnyVersion(MemoryJournal):
    def _append(self, entry):
        version = len(self.read(entry.payment)) + 1
        return super()._append(replace(entry, version=version))


class SpoilsItsNeighbours(MemoryJournal):
    def commit(self, changes):
        results = [super(SpoilsItsNeighbours, self).commit([change])[0] for change in changes]
        return results if all(isinstance(r, Written) for r in results) else [Stale()] * len(results)


class LeavesGaps(MemoryJournal):
    def _append(self, entry):
        result = super()._append(entry)
        return Written(result.number + 1) if isinstance(result, Written) else result


class ChainsNothing(MemoryJournal):
    def _append(self, entry):
        result = super()._append(entry)
        if isinstance(result, Written):
            self._rows[-1] = replace(self._rows[-1], hash=rows.FIRST_HASH)
        return result


class LosesDetails(MemoryJournal):
    def _append(self, entry):
        facts = tuple(
            replace(fact, details={}) if getattr(fact, "details", None) else fact
            for fact in entry.facts
        )
        return super()._append(replace(entry, facts=facts))


class NeverFinishes(MemoryJournal):
    def _append(self, entry):
        return super()._append(replace(entry, unfinished=True))


class ListsOldestFirst(MemoryJournal):
    def payments(self, before, limit):
        return super().payments(before, limit)[::-1]


class PagesWithTheEdge(MemoryJournal):
    def entries(self, after=0, limit=None):
        return super().entries(max(0, after - 1), limit)


class IgnoresExpectations(MemoryJournal):
    def _fits(self, namespace, note):
        return True


class WritesHalfOfTheNotes(MemoryJournal):
    def _note(self, batch):
        results = [
            super(WritesHalfOfTheNotes, self)._note(Notes(batch.namespace, (note,)))
            for note in batch.notes
        ]
        return Stale() if Stale() in results else Written(0)


class HasOneNotebook(MemoryJournal):
    def _note(self, batch):
        return super()._note(Notes("all", batch.notes))

    def recall(self, namespace, key):
        return super().recall("all", key)


class CountsNotesFromZero(MemoryJournal):
    def recall(self, namespace, key):
        page = super().recall(namespace, key)
        return page and replace(page, version=page.version - 1)


class SumsEverything(MemoryJournal):
    def balances(self, after=0, through=None):
        return super().balances()


class SendsTwice(MemoryJournal):
    def outbox(self, after, limit):
        return super().outbox(max(0, after - 1), limit)


class PostsInReverse(MemoryJournal):
    def postings(self):
        return reversed(self._postings)


BROKEN = [
    ForgetsKeys,
    TakesKeysTwice,
    TakesKeysOfStaleEntries,
    TellsStaleFirst,
    WritesAnyVersion,
    SpoilsItsNeighbours,
    LeavesGaps,
    ChainsNothing,
    LosesDetails,
    NeverFinishes,
    ListsOldestFirst,
    PagesWithTheEdge,
    IgnoresExpectations,
    WritesHalfOfTheNotes,
    HasOneNotebook,
    CountsNotesFromZero,
    SumsEverything,
    SendsTwice,
    PostsInReverse,
]


def failing(kind):
    """The tests of the kit that fail for a journal."""

    class Kit(JournalKit):
        def open(self):
            return kind()

    failed = []
    for name in dir(JournalKit):
        if name.startswith("test_"):
            try:
                getattr(Kit(), name)()
            except (AssertionError, Corrupt):
                failed.append(name)
    return failed


def test_a_journal_that_keeps_its_promises_passes():
    assert failing(MemoryJournal) == []


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_journal_that_breaks_a_promise_fails(kind):
    assert failing(kind)


class ForgetsWhenOpenedAgain(JournalKit):
    def open(self):
        return MemoryJournal()

    def reopen(self, journal):
        return MemoryJournal()


class RestartsItsChain(MemoryJournal):
    """Opened again, it goes on numbering but not chaining."""

    def __init__(self, before):
        super().__init__()
        self.__dict__.update(before.__dict__)

    def _append(self, entry):
        result = super()._append(entry)
        if isinstance(result, Written):
            row = self._rows[-1]
            hashed = rows.link(rows.FIRST_HASH, row.number, row.payment, row.version, row.body)
            self._rows[-1] = replace(row, hash=hashed)
        return result


class RestartsItsChainWhenOpenedAgain(JournalKit):
    def open(self):
        return MemoryJournal()

    def reopen(self, journal):
        return RestartsItsChain(journal)


@pytest.mark.parametrize("kit", [ForgetsWhenOpenedAgain, RestartsItsChainWhenOpenedAgain])
def test_a_journal_that_forgets_or_begins_anew_fails(kit):
    with pytest.raises((AssertionError, Corrupt)):
        kit().test_all_is_kept_when_it_is_opened_again()


def test_whoever_inherits_says_how_to_open():
    with pytest.raises(NotImplementedError):
        JournalKit().open()
