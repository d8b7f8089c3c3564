"""Facts become bytes and come back; the chain covers every byte."""

import json as standard
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import facts
from tollbridge.core.facts import Dispatched, Posting, Settled
from tollbridge.core.outcome import Approved, Cause, DeclineCode, Declined, Pending, Unsent
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import Corrupt
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money
from tollbridge.journal import rows
from tollbridge.testing.journal_kit import STORIES

ONE = PaymentId("01KJ0000000000000000000001")
AT = Instant(5)


@given(st.lists(facts, max_size=5))
def test_what_is_encoded_is_decoded(happened):
    assert rows.decode(rows.encode(happened)) == happened


@given(st.lists(facts, min_size=1, max_size=3))
def test_equal_facts_are_equal_bytes(happened):
    body = rows.encode(happened)
    assert rows.encode(rows.decode(body)) == body


# The text is hashed and read back for years, so it is written down: it never changes.
WRITTEN = (Path(__file__).parents[1] / "vectors/journal/facts.jsonl").read_text().splitlines()
FACTS = [
    [Dispatched(2, AT)],
    [Settled(1, AT, Unsent("refused"))],
    [Settled(1, AT, Unsent("took it back", Cause.REVERSED))],
    [Settled(1, AT, Pending("wait", "N1"))],
    [Settled(1, AT, Declined(DeclineCode.DO_NOT_HONOUR, "05", "no"))],
    [Settled(1, AT, Approved(None, "N1"))],
    [
        Settled(
            1,
            AT,
            Approved(Money.of(1000, "EUR"), "N1", "A1", "00", {"a": "ü"}),
            (Posting("a", "EUR", 1000), Posting("b", "EUR", -1000)),
        )
    ],
    list(STORIES[3][6]),
    list(STORIES[2][0]),
    list(STORIES[3][3]),
    list(STORIES[0][0]),
]


@pytest.mark.parametrize(
    ("text", "happened"), list(zip(WRITTEN, FACTS, strict=True)), ids=range(11)
)
def test_facts_are_written_as_they_always_were(text, happened):
    assert rows.encode(happened).decode() == text
    assert rows.decode(text.encode()) == happened


@pytest.mark.parametrize("mistake", ["approved", Settled(1, AT, "approved")])
def test_what_is_no_fact_is_not_written(mistake):
    with pytest.raises(AssertionError):
        rows.encode([mistake])


NAMES = st.sampled_from(
    [
        "fact",
        "op",
        "at",
        "verb",
        "key",
        "merchant",
        "amount",
        "tender",
        "target",
        "view",
        "details",
        "outcome",
        "provider",
        "reason",
        "code",
        "text",
        "next",
        "postings",
        "topic",
        "brand",
    ]
)
KINDS = st.sampled_from(
    [
        "requested",
        "dispatched",
        "settled",
        "noted",
        "approved",
        "declined",
        "pending",
        "unsent",
        "purchase",
        "fault",
    ]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | KINDS | st.just([1000, "EUR"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
)
NEARLY = st.lists(
    st.dictionaries(NAMES, JUNK).map({"op": 1, "at": 5, "fact": "requested"}.__or__), max_size=2
)


@st.composite
def damaged(draw):
    """The bytes of an entry, with one byte changed, cut off or put in."""
    body = bytearray(rows.encode(draw(st.lists(facts, min_size=1, max_size=2))))
    place = draw(st.integers(0, len(body) - 1))
    body[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(body)


@given(
    st.one_of(st.binary(), damaged(), st.one_of(JUNK, NEARLY).map(standard.dumps).map(str.encode))
)
@example(b"")
@example(b"\xff")
@example(b"5")
@example(b"[1]")
@example(b'[{"fact":"x","op":1,"at":1}]')
@example(b'[{"fact":"settled","op":1,"at":1,"outcome":"x"}]')
@example(b'[{"fact":"settled","op":1,"at":1,"outcome":"approved","provider":"","amount":[]}]')
@example(b'[{"fact":"settled","op":1,"at":1,"outcome":"approved","provider":"","amount":[1,"X"]}]')
def test_any_bytes_are_facts_or_corrupt(body):
    try:
        happened = rows.decode(body)
    except Corrupt as error:
        refusal = str(error)
        assert refusal.startswith("an entry does not hold facts")
    else:
        assert isinstance(happened, list)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 9), st.binary(max_size=20), st.data())
def test_another_entry_has_another_hash(previous, number, body, data):
    right = rows.link(previous, number, ONE, 1, body)
    assert len(right) == 32
    assert rows.link(previous, number, ONE, 1, body) == right
    place = data.draw(st.integers(0, 31))
    other = previous[:place] + bytes([previous[place] ^ 1]) + previous[place + 1 :]
    assert right not in {
        rows.link(other, number, ONE, 1, body),
        rows.link(previous, number + 1, ONE, 1, body),
        rows.link(previous, number, PaymentId(ONE[:-1] + "2"), 1, body),
        rows.link(previous, number, ONE, 2, body),
        rows.link(previous, number, ONE, 1, body + b" "),
    }


def test_the_chain_is_the_one_that_was_always_computed():
    assert bytes(32) == rows.FIRST_HASH
    assert rows.link(rows.FIRST_HASH, 1, ONE, 1, b"[]").hex() == (
        "49d54eb1270759254fa947d0262cfa4f1038ffc0c4653615dc47f14d8cee2cf5"
    )


def test_a_key_is_shortened_to_sixteen_bytes():
    keys = [IdempotencyKey(scope, value) for scope in ("", "a", "ab") for value in ("", "a", "ba")]
    digests = {rows.digest(key) for key in keys}
    assert len(digests) == len(keys)
    assert {len(digest) for digest in digests} == {16}
    assert rows.digest(IdempotencyKey("a", "b")).hex() == "7aa3265667a208917759fb3801872ee1"
