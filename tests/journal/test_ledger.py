"""Every settled operation posts entries that sum to zero."""

from dataclasses import replace

import pytest
from hypothesis import given

from tests.core.stories import ENDINGS, table, told
from tests.strategies import outcomes
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved
from tollbridge.core.verbs import MOVES_NOTHING, Verb
from tollbridge.ground.money import Money
from tollbridge.journal.ledger import postings

# r = receivable/sandbox, p = payable/corner shop, h = held/sandbox, g = held/corner shop
SHORT = {
    "r": "receivable/sandbox",
    "p": "payable/corner shop",
    "h": "held/sandbox",
    "g": "held/corner shop",
}

POSTINGS = """
story                                           | the last operation posts
purchase 100                                    | r+100 p-100
purchase 100 partial grants 60                  | r+60 p-60
authorize 100                                   | h+100 g-100
authorize 100; increment 50                     | h+50 g-50
authorize 100; capture 60                       | h-60 g+60 r+60 p-60
purchase 100; refund 30                         | r-30 p+30
credit 100                                      | r-100 p+100
purchase 100; void                              | r-100 p+100
authorize 100; void                             | h-100 g+100
authorize 100; increment 50; void               | h-50 g+50
authorize 100; increment 50; void #1            | h-150 g+150
authorize 100; capture 60; void                 | r-60 p+60 h+60 g-60
purchase 100 declined                           |
purchase 100 pending                            |
purchase 100 unsent                             |
verify                                          |
store                                           |
purchase 1000 BGN @2025-12-30; refund           | r-511 p+511
"""


def short(sides):
    letters = {account: letter for letter, account in SHORT.items()}
    return " ".join(f"{letters[side.account]}{side.amount_minor:+d}" for side in sides)


@pytest.mark.parametrize(("story", "expected"), table(POSTINGS))
def test_an_operation_posts_what_it_moved(story, expected):
    payment = told(story)
    op = payment.operations[-1]
    sides = postings(payment, op, op.outcome)
    assert short(sides) == expected
    assert {side.currency for side in sides} <= {op.tender.currency.code if op.tender else ""}


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_posts_pairs_that_sum_to_zero(verb):
    payment = told("authorize 100; capture 60")
    request = replace(payment.operations[1].request, verb=verb, target=2)
    sides = postings(payment, Operation(payment.id, request), Approved(Money.of(7, "EUR"), "N1"))
    assert sum(side.amount_minor for side in sides) == 0
    assert bool(sides) is (verb not in MOVES_NOTHING)


@given(outcomes)
def test_whatever_the_outcome_the_postings_sum_to_zero(outcome):
    payment = told("purchase 100 lost")
    sides = postings(payment, payment.opening, outcome)
    assert sum(side.amount_minor for side in sides) == 0
    assert bool(sides) is (isinstance(outcome, Approved) and outcome.amount is not None)


@pytest.mark.parametrize("ending", ENDINGS.values())
def test_what_was_not_approved_posts_nothing(ending):
    payment = told("purchase 100 lost")
    assert postings(payment, payment.opening, ending) == ()


def test_doing_and_undoing_leaves_every_account_as_it_was():
    for story in ("purchase 100; void", "authorize 100; increment 50; void #1"):
        payment = told(story)
        balances = {}
        for op in payment.operations:
            for side in postings(payment, op, op.outcome):
                balances[side.account] = balances.get(side.account, 0) + side.amount_minor
        assert not any(balances.values())
