"""Seeded lives of an engine: askers, trouble, crashes and jumping clocks, all at once."""

from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.testing.simulate import simulate
from tollbridge.testing.world import World


def test_two_hundred_lives_end_with_books_that_agree():
    tally = simulate(seed=1, runs=200)
    print(tally)
    assert tally.failures == []
    for what in ("crashes", "approved", "declined", "unsent", "abandoned"):
        assert tally.seen[what] > 0, what


def test_lives_on_a_real_journal_end_the_same_way(tmp_path):
    def world(seed):
        return World(seed, journal=lambda: SqliteJournal(tmp_path / f"{seed}.sqlite"))

    tally = simulate(1000, 10, world)
    print(tally)
    assert tally.failures == []


def test_a_seed_repeats_its_run():
    first, second = simulate(7, 3), simulate(7, 3)
    assert str(first) == str(second)
