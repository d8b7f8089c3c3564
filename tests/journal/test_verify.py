"""Verification finds whatever is not as it was written."""

from dataclasses import replace

import pytest

from tollbridge.core.facts import Posting
from tollbridge.ground.errors import Corrupt, UnknownPayment
from tollbridge.journal import rows
from tollbridge.journal.journal import Entry, Message, load, verify
from tollbridge.journal.memory import MemoryJournal
from tollbridge.testing.journal_kit import (
    PENDING,
    opening,
    payment,
    refunding,
    settling,
    sides,
)


@pytest.fixture
def journal():
    journal = MemoryJournal()
    journal.commit(
        [
            opening(1),
            settling(1, postings=sides("receivable", "payable", 1000)),
            opening(2),
            settling(2, PENDING),
            refunding(1),
            settling(1, postings=sides("payable", "receivable", 400), version=4, ordinal=2),
        ]
    )
    verify(journal)
    return journal


def corrupt(journal, message):
    with pytest.raises(Corrupt, match=message):
        verify(journal)


def rechain(journal):
    """Do what somebody would who can compute hashes: link all rows anew."""
    chained, previous = journal._rows, rows.FIRST_HASH
    for place, row in enumerate(chained):
        hashed = rows.link(previous, place + 1, row.payment, row.version, row.body)
        chained[place] = replace(row, number=place + 1, hash=hashed)
        previous = hashed


@pytest.mark.parametrize(
    "change",
    [
        {"number": 4},
        {"payment": payment(9)},
        {"version": 9},
        {"body": b"[]"},
        {"hash": bytes(32)},
    ],
    ids=str,
)
def test_a_changed_entry_is_found(journal, change):
    journal._rows[2] = replace(journal._rows[2], **change)
    corrupt(journal, "entry 3: the chain is broken")


@pytest.mark.parametrize("place", range(5))
def test_a_removed_entry_is_found(journal, place):
    del journal._rows[place]
    corrupt(journal, f"entry {place + 1}: the chain is broken")


def test_a_removed_last_entry_leaves_its_postings_behind(journal):
    del journal._rows[-1]
    corrupt(journal, "the ledger or the outbox holds more than the entries")


def test_a_shortened_journal_has_another_head(journal):
    kept = journal.head()
    for kept_list in (journal._rows, journal._by_payment[payment(1)], journal._outbox):
        kept_list.pop()
    del journal._postings[-2:]
    journal._unfinished.add(payment(1))
    assert verify(journal).head != kept


@pytest.mark.parametrize("place", range(5))
def test_swapped_entries_are_found(journal, place):
    chain = journal._rows
    chain[place], chain[place + 1] = chain[place + 1], chain[place]
    corrupt(journal, f"entry {place + 1}: the chain is broken")


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    "change", [{"amount_minor": 1}, {"currency": "JPY"}, {"account": "other"}], ids=str
)
def test_a_changed_posting_is_found(journal, place, change):
    number, posting = journal._postings[place]
    journal._postings[place] = (number, replace(posting, **change))
    corrupt(journal, f"entry {number}: the ledger does not say what the entry says")


def test_a_moved_missing_or_added_posting_is_found(journal):
    written = list(journal._postings)
    for wrong, message in (
        ([(3, written[0][1]), *written[1:]], "entry 2: the ledger"),
        (written[1:], "entry 2: the ledger"),
        (written[:-1], "entry 6: the ledger"),
        ([*written, (6, Posting("a", "EUR", 0))], "holds more than the entries"),
    ):
        journal._postings[:] = wrong
        corrupt(journal, message)


def test_a_changed_missing_or_added_message_is_found(journal):
    written = list(journal._outbox)
    for wrong, message in (
        ([Message(2, "operation.declined"), *written[1:]], "entry 2: the outbox"),
        (written[1:], "entry 2: the outbox"),
        (written[:-1], "entry 6: the outbox"),
        ([*written, Message(7, "operation.approved")], "holds more than the entries"),
    ):
        journal._outbox[:] = wrong
        corrupt(journal, message)


def test_a_wrong_list_of_unfinished_payments_is_found(journal):
    for wrong, message in (
        (set(), f"{payment(2)}: the list of unfinished payments is wrong"),
        ({payment(1), payment(2)}, f"{payment(1)}: the list of unfinished payments is wrong"),
        ({payment(2), payment(7)}, f"{payment(7)}: listed as unfinished, but there is no such"),
    ):
        journal._unfinished = wrong
        corrupt(journal, message)


def test_an_entry_that_is_not_found_with_its_payment_is_found_missing(journal):
    found = journal._by_payment
    journal._unfinished = {payment(2)}
    del found[payment(1)][2:]
    corrupt(journal, "not every entry is found with its payment")
    del found[payment(1)]
    corrupt(journal, "not every entry is found with its payment")
    found[payment(1)] = []
    corrupt(journal, f"{payment(1)}: does not begin with a request")


def test_an_entry_that_lies_about_being_finished_is_found(journal):
    journal.commit([replace(opening(3), unfinished=False)])
    corrupt(journal, f"{payment(3)}: the list of unfinished payments is wrong")


def test_a_payment_that_cannot_be_folded_is_found_behind_a_right_chain(journal):
    journal.commit([replace(settling(2, version=3), facts=(opening(2).facts[1],))])
    corrupt(journal, "cannot become dispatched")


def test_a_body_without_facts_is_found_behind_a_right_chain(journal):
    journal._rows[2] = replace(journal._rows[2], body=b'[{"fact":"guessed"}]')
    rechain(journal)
    corrupt(journal, "an entry does not hold facts")


def test_a_ledger_that_does_not_sum_to_zero_is_found():
    for code, other in (("EUR", "EUR"), ("EUR", "JPY")):
        journal = MemoryJournal()
        lost = Posting("a", code, 5), Posting("b", other, -4 if code == other else -5)
        journal.commit([opening(1), settling(1, postings=lost)])
        corrupt(journal, "the ledger does not sum to zero in")


def test_more_than_a_page_of_payments_and_messages_is_verified():
    journal = MemoryJournal()
    journal.commit(
        [change for place in range(1002) for change in (opening(place), settling(place))]
    )
    found = verify(journal)
    assert (found.entries, found.payments, found.unfinished) == (2004, 1002, 0)


def test_an_unknown_payment_is_not_loaded(journal):
    with pytest.raises(UnknownPayment, match="no payment is called"):
        load(journal, payment(9))


def test_an_entry_settles_for_good_only_what_is_final():
    journal = MemoryJournal()
    both = Entry(payment(1), 1, (*opening(1).facts, *settling(1).facts), unfinished=False)
    journal.commit([both, opening(2), settling(2, PENDING)])
    assert journal.outbox(0, 9) == [Message(1, "operation.approved")]
