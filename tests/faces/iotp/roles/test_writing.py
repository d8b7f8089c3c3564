"""What one message leads to is written in one commit, and before anybody hears of it."""

import pytest

from tests.faces.iotp.roles.trade import _Once
from tollbridge.core.verbs import Verb
from tollbridge.faces.iotp.roles.writing import together
from tollbridge.ground.errors import JournalFailed, VersionConflict
from tollbridge.ground.flow import Browse, Exchange, Note, Page, Party, Recall, Remember, Wait
from tollbridge.ground.money import Money
from tollbridge.journal.journal import Notes
from tollbridge.journal.memory import MemoryJournal
from tollbridge.testing.world import World, opening

A, B = Note("a", b"1", 0), Note("b", b"1", 0)


class Counting(MemoryJournal):
    """Counts commits, and refuses them when told so."""

    commits = 0
    refuses = False

    def commit(self, changes):
        if self.refuses:
            raise JournalFailed("the disk is full")
        self.commits += 1
        return super().commit(changes)


class Home:
    """An engine whose peers and people see what is durable when they are spoken to."""

    def __init__(self):
        self.world = World(journal=Counting)
        self.journal = self.world.journal
        self.seen = []

    def page(self, key):
        return self.journal.recall("f", key)

    async def hear(self, message):
        self.seen.append((message, self.page("a"), self.page("b")))

    def run(self, flow):
        parties = dict.fromkeys(Party, self.hear)
        results = []

        async def main():
            face = _Once("f", together(flow))
            results.append(await self.world.engine.serve(face, None, parties))

        self.world.run(main())
        return results[0]


@pytest.mark.parametrize("leaves", [Exchange(Party.PEER, "x"), Exchange(Party.DEVICE, "x")])
def test_all_that_waits_is_durable_when_something_leaves(leaves):
    home = Home()

    def flow():
        assert (yield Remember((A,), waits=True))
        assert (yield Remember((B,), waits=True))
        assert home.page("a") is None
        yield leaves

    home.run(flow())
    assert home.seen == [("x", Page(b"1", 1), Page(b"1", 1))]
    assert home.journal.commits == 1


@pytest.mark.parametrize("wish", [Wait(0.0), Browse("")])
def test_all_that_waits_is_durable_before_time_passes_and_before_pages_are_listed(wish):
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        yield wish
        assert home.page("a") == Page(b"1", 1)

    home.run(flow())


def test_what_a_person_is_shown_writes_nothing_and_the_end_does():
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        yield Exchange(Party.CARDHOLDER, "look")
        return "done"

    assert home.run(flow()) == "done"
    assert home.seen == [("look", None, None)]
    assert home.page("a") == Page(b"1", 1)


def test_what_does_not_wait_takes_along_what_does():
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        assert (yield Remember((B,)))
        assert home.page("a") == home.page("b") == Page(b"1", 1)

    home.run(flow())
    assert home.journal.commits == 1


def test_pages_that_wait_read_as_they_will_be():
    home = Home()

    def flow():
        yield Remember((A, Note("mark", b"")), waits=True)
        assert (yield Recall("a")) == Page(b"1", 1)
        assert (yield Remember((Note("a", b"2", 1),), waits=True))
        assert (yield Recall("a")) == Page(b"2", 1)
        assert home.journal.commits == 0
        assert (yield Recall("mark")) == Page(b"", 1)

    home.run(flow())
    assert home.page("a") == Page(b"2", 1)
    assert home.journal.commits == 1


def test_whoever_counts_versions_alone_counts_right():
    home = Home()

    def flow():
        for version in range(3):
            assert (yield Remember((Note("a", b"%d" % version, version),), waits=True))

    home.run(flow())
    assert home.page("a") == Page(b"2", 3)


def test_a_page_that_somebody_else_changed_lets_nothing_leave_and_no_end_be_good():
    home = Home()

    def flow():
        yield Remember((A, B), waits=True)
        home.journal.commit([Notes("f", (Note("a", b"other", 0),))])
        with pytest.raises(VersionConflict):
            yield Exchange(Party.PEER, "x")
        return "as if nothing had been"

    with pytest.raises(VersionConflict):
        home.run(flow())
    assert home.seen == []
    assert home.page("b") is None


def test_who_was_slower_hears_it_and_keeps_what_waits():
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        assert not (yield Remember((Note("b", b"2", 7),)))
        assert (yield Remember((B,)))

    home.run(flow())
    assert home.page("a") == home.page("b") == Page(b"1", 1)


def test_a_flow_that_fails_leaves_what_it_wrote():
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        raise LookupError

    with pytest.raises(LookupError):
        home.run(flow())
    assert home.page("a") == Page(b"1", 1)


def test_a_journal_that_cannot_write_lets_nothing_leave():
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        home.journal.refuses = True
        yield Exchange(Party.PEER, "x")

    with pytest.raises(JournalFailed):
        home.run(flow())
    assert home.seen == []


def test_what_could_not_be_written_once_is_written_later():
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        home.journal.refuses = True
        with pytest.raises(JournalFailed):
            yield Exchange(Party.PEER, "x")
        home.journal.refuses = False
        yield Exchange(Party.PEER, "y")

    home.run(flow())
    assert home.seen == [("y", Page(b"1", 1), None)]


def test_a_request_for_money_takes_along_what_waits():
    home = Home()

    def flow():
        yield Remember((A,), waits=True)
        yield opening(Verb.PURCHASE, "p", Money.of(100, "EUR"), notes=(B,))
        assert home.page("a") == home.page("b") == Page(b"1", 1)

    home.run(flow())
    assert home.journal.commits == 2, "the request with all notes, and its outcome"


def test_a_request_that_was_made_before_takes_nothing_along():
    home = Home()

    def flow(*before):
        yield Remember(before, waits=True)
        payment = yield opening(Verb.PURCHASE, "p", Money.of(100, "EUR"))
        assert len(payment.operations) == 1

    home.run(flow(A))
    home.run(flow(Note("a", b"2", 1), B))
    assert (home.page("a"), home.page("b")) == (Page(b"2", 2), Page(b"1", 1))
