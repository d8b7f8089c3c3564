"""The book adds up, keeps what was committed, and forgets the rest."""

import resource
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.world import balanced
from tollbridge.sandbox.book import Account, Book, Movement


def movement(name, payment="P", **more):
    fields = {"verb": "purchase", "account": "visa", "currency": "EUR", "status": "approved"}
    return Movement(operation=name, payment=payment, code="00", at=1, **{**fields, **more})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "book.sqlite"


@contextmanager
def a_full_disk():
    """No file of this process may grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_movement_is_found_as_it_was_written():
    book = Book()
    one = movement(
        "P.1",
        asked_minor=5,
        amount_minor=4,
        held_minor=3,
        taken_minor=2,
        target="P.0",
        authorization_code="A",
        token="t",
        due=9,
    )
    assert book.add(one)
    found = book.find("P.1")
    assert found == replace(one, number=1)
    assert book.stored("t") == found
    assert book.find("P.2") is None


def test_an_operation_is_written_once():
    book = Book()
    assert book.add(movement("P.1", taken_minor=100))
    assert not book.add(movement("P.1", taken_minor=100))
    assert not book.add(movement("P.1", payment="Q", status="declined"))
    book.commit()
    assert [account.taken_minor for account in book.accounts()] == [100]
    assert book.of_payment("Q") == []


def test_movements_are_listed_in_order():
    book = Book()
    for n in range(5):
        book.add(movement(f"{'PQ'[n % 2]}.{n}", "PQ"[n % 2]))
    assert [m.number for m in book.movements()] == [1, 2, 3, 4, 5]
    assert [m.number for m in book.movements(after=2)] == [3, 4, 5]
    assert [m.number for m in book.movements(after=1, limit=2)] == [2, 3]
    assert [m.operation for m in book.of_payment("P")] == ["P.0", "P.2", "P.4"]


def test_an_update_moves_the_account_by_the_difference():
    book = Book()
    waiting = movement("P.1", status="pending")
    book.add(waiting)
    book.commit()
    assert book.pending() == [replace(waiting, number=1)]
    assert book.accounts() == []
    decided = replace(
        waiting,
        status="approved",
        code="08",
        amount_minor=100,
        held_minor=100,
        authorization_code="A",
        token="t",
        due=0,
    )
    book.update(waiting, decided)
    book.commit()
    assert book.find("P.1") == replace(decided, number=1)
    assert book.pending() == []
    assert book.accounts() == [Account("visa", "EUR", None, 100, 0)]
    book.update(decided, replace(decided, status="reversed", held_minor=0))
    book.commit()
    assert book.accounts() == [Account("visa", "EUR", None, 0, 0)]
    assert balanced(book)


def test_an_account_says_what_is_left_of_its_limit():
    assert Account("a", "EUR", None, 5, 5).available_minor is None
    assert Account("a", "EUR", 100).available_minor == 100
    assert Account("a", "EUR", 100, 30, 50).available_minor == 20
    assert Account("a", "EUR", 100, 0, -10).available_minor == 110


def test_an_account_is_opened_once_and_keeps_its_limit(file):
    book = Book(file)
    account = book.account("visa", "EUR", 100)
    assert book.account("visa", "EUR", 999) is account
    assert book.account("visa", "USD", 7).limit_minor == 7
    book.add(movement("P.1", taken_minor=10))
    book.commit()
    book.close()
    book = Book(file)
    assert book.account("visa", "EUR", 999) == Account("visa", "EUR", 100, 0, 10)
    book.set_limit(book.account("visa", "EUR", None), 5)
    book.commit()
    book.close()
    book = Book(file)
    assert [account.limit_minor for account in book.accounts()] == [5]
    book.close()


def test_holds_are_listed_when_they_end():
    book = Book()
    assert book.next_expiry() is None
    book.set_hold("P", 5)
    book.set_hold("Q", 3)
    book.set_hold("Q", 7)
    assert book.next_expiry() == 5
    assert (book.expired_holds(4), book.expired_holds(5)) == ([], ["P"])
    assert sorted(book.expired_holds(7)) == ["P", "Q"]
    book.set_hold("P", None)
    assert book.next_expiry() == 7


def test_an_empty_token_finds_nothing():
    book = Book()
    book.add(movement("P.1"))
    assert book.stored("") is None
    assert book.stored("t") is None


def everything(book):
    return [
        book.movements(),
        book.accounts(),
        book.next_expiry(),
        [book.is_buried(name) for name in ("x", "y")],
        book.stored("t"),
    ]


def fill(book):
    book.account("visa", "EUR", 100)
    book.add(movement("P.1", taken_minor=60, token="t"))
    book.add(movement("P.2", held_minor=10, status="pending"))
    book.set_hold("P", 5)
    book.bury("x")


def test_what_is_committed_survives_and_the_rest_is_forgotten(file):
    book = Book(file)
    fill(book)
    book.commit()
    kept = everything(book)
    book.add(movement("P.3", taken_minor=1))
    book.bury("y")
    book.set_hold("P", None)
    book.close()
    book = Book(file)
    assert everything(book) == kept
    assert balanced(book)
    book.close()


def test_a_rollback_forgets_what_was_not_committed():
    book = Book()
    fill(book)
    book.commit()
    kept = everything(book)
    book.add(movement("P.3", taken_minor=1))
    book.set_limit(book.account("visa", "EUR", None), 7)
    book.bury("y")
    assert book.is_buried("y")
    book.rollback()
    assert everything(book) == kept
    assert book.account("visa", "EUR", None) == Account("visa", "EUR", 100, 10, 60)
    book.rollback()
    book.add(movement("P.3", taken_minor=1))
    book.commit()
    assert balanced(book)


def test_a_commit_of_nothing_changes_nothing():
    book = Book()
    book.commit()
    assert everything(book) == everything(Book())


def test_a_full_disk_forgets_all_of_the_commit_and_nothing_else(file):
    book = Book(file)
    fill(book)
    book.commit()
    kept = everything(book)
    book.add(movement("P.3", taken_minor=1))
    book.bury("y")
    with a_full_disk(), pytest.raises(OSError, match="the book cannot be written"):
        book.commit()
    assert everything(book) == kept
    book.commit()
    assert book.add(movement("P.3", taken_minor=1))
    book.commit()
    assert balanced(book)
    book.close()


MOVES = st.tuples(
    st.sampled_from(["add", "undo"]),
    st.integers(0, 5),
    st.sampled_from(["visa", "amex"]),
    st.sampled_from(["EUR", "JPY"]),
    st.integers(-100, 100),
    st.integers(-100, 100),
    st.sampled_from(["", "commit", "rollback"]),
)


@given(st.lists(MOVES, max_size=30))
def test_accounts_are_the_sums_of_their_movements_whatever_happens(moves):
    book = Book()
    for what, name, account, code, held, taken, then in moves:
        before = book.find(str(name))
        if what == "add":
            moved = movement(
                str(name), account=account, currency=code, held_minor=held, taken_minor=taken
            )
            assert book.add(moved) is (before is None)
        elif before is not None:
            book.update(before, replace(before, held_minor=0, taken_minor=0, status="reversed"))
        if then:
            getattr(book, then)()
            assert balanced(book)
    book.commit()
    assert balanced(book)
