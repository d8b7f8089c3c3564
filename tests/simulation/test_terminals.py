"""Seeded lives of two terminals: tills, people, trouble, aborts, day-ends, crashes, all at once."""

import pytest

from tests.simulation.terminals import simulate


@pytest.mark.req("P-048", "P-051", "P-059", "P-061", "P-062", "P-073", "P-297", "P-316", "P-338",
                 "P-340", "P-347", "P-371")  # fmt: skip
def test_sixty_lives_of_terminals_end_with_books_that_agree():
    tally = simulate(seed=1, runs=60)
    print(tally)
    assert tally.failures == []
    for what in ("crashes", "none", "busy", "aborted", "host_refusal", "network_issue",
                 "transaction_timeout", "unanswered", "day-ends"):  # fmt: skip
        assert tally.seen[what] > 0, what


def test_a_late_approval_is_undone_however_often_the_line_is_down():
    assert simulate(173, 1).failures == []


def test_a_seed_repeats_its_run():
    assert str(simulate(7, 2)) == str(simulate(7, 2))
