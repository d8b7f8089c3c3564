"""Identifiers are ordered by time, typed without mistakes and read strictly."""

import os
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.ground.clock import Instant
from tollbridge.ground.ids import (
    CROCKFORD,
    IdSource,
    PaymentId,
    RandomIds,
    SeededIds,
    check_letter,
    is_payment_id,
    operation_id,
    split_operation_id,
)

SOME = PaymentId("01KJ0000000000000000000007")
INSTANTS = st.integers(0, (1 << 48) * 1000 - 1).map(Instant)


@given(INSTANTS, INSTANTS, st.integers(0, 2**32))
def test_payment_ids_are_ordered_by_their_millisecond(one, other, seed):
    ids: IdSource = SeededIds(seed)
    first, second = ids.payment_id(one), ids.payment_id(other)
    assert is_payment_id(first)
    assert is_payment_id(second)
    if one // 1000 != other // 1000:
        assert (first < second) == (one < other)


def test_payment_ids_carry_their_time_in_crockford_base_32():
    at = Instant(1_772_355_600_123_456)
    name = RandomIds().payment_id(at)
    number = 0
    for letter in name:
        number = number * 32 + CROCKFORD.index(letter)
    assert number >> 80 == 1_772_355_600_123


def test_random_ids_differ_and_seeded_ids_repeat():
    at = Instant(0)
    assert len({RandomIds().payment_id(at) for _ in range(1000)}) == 1000
    one, other = SeededIds(7), SeededIds(7)
    for _ in range(10):
        assert one.payment_id(at) == other.payment_id(at)
        assert one.code(8) == other.code(8)
        assert one.secret() == other.secret()
    assert SeededIds(1).payment_id(at) != SeededIds(2).payment_id(at)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_two_processes_do_not_draw_the_same():
    ids, at = RandomIds(), Instant(0)
    ids.payment_id(at)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, ids.payment_id(at).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 100).decode()
    os.close(read)
    os.close(write)
    assert is_payment_id(theirs)
    assert theirs != ids.payment_id(at)


def test_what_was_drawn_in_advance_can_be_forgotten():
    ids = RandomIds()
    drawn = {ids.secret() for _ in range(300)}
    ids._forget()
    drawn |= {ids.secret() for _ in range(300)}
    assert len(drawn) == 600


def test_a_secret_is_256_bits_in_hexadecimal():
    secret = RandomIds().secret()
    assert len(secret) == 64
    assert set(secret) <= set(string.hexdigits.lower())
    assert secret != RandomIds().secret()


@pytest.mark.parametrize("length", [1, 2, 6, 10, 20])
def test_a_code_has_the_length_asked_for_and_ends_with_its_check_letter(length):
    for seed in range(50):
        code = SeededIds(seed).code(length)
        assert len(code) == length
        assert set(code) <= set(CROCKFORD)
        assert check_letter(code[:-1]) == code[-1]


BODIES = st.text(CROCKFORD, min_size=1, max_size=12)


@given(BODIES, st.data())
def test_the_check_letter_notices_every_wrong_letter(body, data):
    place = data.draw(st.integers(0, len(body) - 1))
    wrong = data.draw(st.sampled_from(CROCKFORD).filter(lambda letter: letter != body[place]))
    assert check_letter(body[:place] + wrong + body[place + 1 :]) != check_letter(body)


def test_the_check_letter_notices_nearly_every_swap_of_neighbours():
    pairs = [(a, b) for a in CROCKFORD for b in CROCKFORD if a != b]
    missed = [(a, b) for a, b in pairs if check_letter(a + b) == check_letter(b + a)]
    assert len(missed) / len(pairs) < 0.04


@given(st.integers(1, 10**9 - 1))
def test_an_operation_id_is_taken_apart_into_what_it_was_made_of(ordinal):
    assert split_operation_id(operation_id(SOME, ordinal)) == (SOME, ordinal)


@given(st.one_of(st.text(), st.text("0123456789.", max_size=14).map(f"{SOME}.".__add__)))
def test_what_is_taken_apart_is_put_together_to_the_same_text(text):
    parts = split_operation_id(text)
    assert parts is None or operation_id(*parts) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        SOME,
        f"{SOME}.",
        f"{SOME}.x",
        f"{SOME}.-1",
        f"{SOME}.+1",
        f"{SOME}. 1",
        f"{SOME}.0",
        f"{SOME}.01",
        f"{SOME}.1.1",
        f"{SOME}.١",
        f"{SOME}.1000000000",
        f"{SOME}{'9' * 30}.1",
        f"{SOME[:-1]}.1",
        f"{SOME.lower()}.1",
        f"{SOME[:-1]}U.1",
    ],
)
def test_what_is_not_an_operation_id_is_not_taken_apart(text):
    assert split_operation_id(text) is None


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (SOME, True),
        ("Z" * 26, True),
        ("", False),
        ("Z" * 25, False),
        ("Z" * 27, False),
        ("I" * 26, False),
        ("z" * 26, False),
    ],
)
def test_a_payment_id_is_26_letters_of_crockford(text, right):
    assert is_payment_id(text) is right
