"""A payment is what its facts make of it, and facts that cannot follow make nothing."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.stories import ENDINGS, NAME, facts, noon, table, told, wish
from tollbridge.core.decide import decide, granted_by
from tollbridge.core.facts import Dispatched, Noted, Settled, Topic
from tollbridge.core.operation import (
    FINAL,
    TRANSITIONS,
    TRANSITIONS_MOVING_NOTHING,
    Operation,
    State,
    allowed,
    state_of,
)
from tollbridge.core.outcome import Approved, Outcome
from tollbridge.core.payment import after, fold, opened
from tollbridge.core.verbs import MOVES_NOTHING, OPENING, UNDOABLE, Verb
from tollbridge.ground.errors import Corrupt, UsageError
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.money import Money
from tollbridge.journal import rows

AT = noon("2026-03-01")

# The state table of HOUSE 5, and the two steps by which the code goes further (a pending operation
# may be asked about again, or be withdrawn undecided).
STATES = """
from       | to
requested  | dispatched unsent
dispatched | pending approved declined unsent
pending    | pending approved declined unsent
approved   |
declined   |
unsent     |
"""
NEXT = {State(state): {State(word) for word in to.split()} for state, to in table(STATES)}
WITHOUT_MONEY = {State.APPROVED, State.DECLINED, State.PENDING}
"""What `requested` may become besides, for verbs that move nothing."""


def may_follow(verb, state):
    more = WITHOUT_MONEY if state is State.REQUESTED and verb in MOVES_NOTHING else set()
    return NEXT[state] | more


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("state", State)
def test_the_state_table_is_the_one_on_paper(verb, state):
    assert allowed(verb, state) == may_follow(verb, state)


def test_the_state_tables_are_total_and_final_states_lead_nowhere():
    assert set(TRANSITIONS) == set(TRANSITIONS_MOVING_NOTHING) == set(State)
    assert {state for state in State if not TRANSITIONS[state]} == FINAL


def test_an_operation_is_unresolved_until_it_is_final():
    request = decide(None, wish("purchase 1")[0], AT)
    for state in State:
        assert Operation(NAME, request, state).unresolved is (state not in FINAL)


def test_what_is_no_outcome_and_no_fact_is_our_own_mistake():
    with pytest.raises(AssertionError):
        state_of("approved")
    with pytest.raises(AssertionError):
        after(told("purchase 100 lost"), [SimpleNamespace(ordinal=1)])


def test_verbs_are_sorted_by_what_they_do():
    assert {Verb("authorize"), Verb("purchase"), Verb("credit"), *MOVES_NOTHING} == OPENING
    assert {Verb("verify"), Verb("store")} == MOVES_NOTHING
    assert {Verb("authorize"), Verb("increment"), Verb("capture"), Verb("purchase")} == UNDOABLE


NAMES = ["authorized", "captured", "refunded", "credited", "voided", "capturable", "refundable"]
AMOUNTS = """
story                                           | NAMES
authorize 100                                   | 100 0 0 0 0 100 0
authorize 100 wanted                            | 0 0 0 0 0 0 0
authorize 100 lost                              | 0 0 0 0 0 0 0
authorize 100 pending                           | 0 0 0 0 0 0 0
authorize 100 declined                          | 0 0 0 0 0 0 0
authorize 100 partial grants 60                 | 60 0 0 0 0 60 0
authorize 100; increment 50                     | 150 0 0 0 0 150 0
authorize 100; increment 50; void               | 100 0 0 0 50 100 0
authorize 100; increment 50; void #1            | 0 0 0 0 150 0 0
authorize 100; capture 60                       | 100 60 0 0 0 0 60
authorize 100; capture 60 open                  | 100 60 0 0 0 40 60
authorize 100; capture 60 open; capture 40      | 100 100 0 0 0 0 100
authorize 100; capture 60; void                 | 100 0 0 0 60 100 0
authorize 100; capture 60; void lost            | 100 60 0 0 0 0 60
authorize 100; capture 60; void declined        | 100 60 0 0 0 0 60
authorize 100; capture 60 open; refund 20       | 100 60 20 0 0 40 40
authorize 100; void                             | 0 0 0 0 100 0 0
purchase 100                                    | 100 100 0 0 0 0 100
purchase 100 partial grants 60                  | 60 60 0 0 0 0 60
purchase 100; refund 30; refund                 | 100 100 100 0 0 0 0
purchase 100; refund 30 declined                | 100 100 0 0 0 0 100
purchase 100; void                              | 0 0 0 0 100 0 0
credit 100                                      | 0 0 0 100 0 0 0
verify                                          | 0 0 0 0 0 0 0
store                                           | 0 0 0 0 0 0 0
purchase 1000 BGN @2025-12-30; refund 500       | 1000 1000 500 0 0 0 500
"""


def amounts(payment):
    """The amounts in the order of the table above."""
    sums = payment.amounts
    return [getattr(sums, f"{name}_minor") for name in NAMES]


@pytest.mark.parametrize(("story", "expected"), table(AMOUNTS))
def test_amounts_follow_from_the_operations(story, expected):
    assert amounts(told(story)) == [int(word) for word in expected.split()]


def test_a_payment_says_what_it_is_and_finds_its_operations():
    payment = told("authorize 100; capture 60 declined; capture 60; void lost")
    assert (payment.id, payment.merchant, payment.bridge) == (NAME, "corner shop", "sandbox")
    assert payment.version == 4
    assert payment.currency.code == "EUR"
    assert told("verify").currency is None
    assert payment.opening is payment.operations[0]
    assert payment.unresolved is payment.operations[3]
    assert told("authorize 100").unresolved is None
    assert [payment.operation(n) for n in (0, 1, 4, 5, -1)] == [
        None,
        payment.operations[0],
        payment.operations[3],
        None,
        None,
    ]
    assert payment.find(IdempotencyKey("story", "k2")) is payment.operations[1]
    assert payment.find(IdempotencyKey("story", "k9")) is None
    assert payment.find(IdempotencyKey("other", "k2")) is None


def test_an_operation_says_what_was_asked_and_what_became_of_it():
    op = told("authorize 1000 BGN @2025-12-30; capture; void").operations[2]
    assert op.id == f"{NAME}.3"
    assert (op.ordinal, op.verb, op.target) == (3, Verb.VOID, 2)
    assert op.key == IdempotencyKey("story", "k3")
    assert str(op.amount) == str(op.approved_amount) == "10.00 BGN"
    assert str(op.tender) == "5.11 EUR"
    assert op.settled_at == AT
    assert op.view is None
    assert not op.unresolved
    assert told("authorize 100 declined").opening.approved_amount is None
    assert told("store").opening.approved_amount is None


def noted(payment, ordinal, topic):
    return after(payment, [Noted(ordinal, AT, topic, "why")])


def test_a_late_approval_of_an_abandoned_operation_is_unwanted_until_it_is_undone():
    payment = noted(told("purchase 100 lost"), 1, Topic.ABANDONED)
    assert payment.unresolved is payment.operations[0]
    assert payment.unwanted is None
    assert payment.unfinished
    approved = after(payment, [Settled(1, AT, Approved(payment.opening.tender, "N1"))])
    assert approved.unresolved is None
    assert approved.unwanted is approved.operations[0]
    assert approved.unfinished
    void = decide(approved, wish("void", approved, "undo")[0], AT)
    undone = after(approved, facts(void, "approved"))
    assert undone.unwanted is None
    assert not undone.unfinished


def test_an_abandoned_operation_that_was_declined_wants_nothing():
    payment = noted(told("purchase 100 lost"), 1, Topic.ABANDONED)
    assert not after(payment, [Settled(1, AT, ENDINGS["declined"])]).unfinished


@pytest.mark.parametrize("topic", set(Topic) - {Topic.ABANDONED})
def test_a_note_changes_only_the_version(topic):
    payment = told("purchase 100 lost")
    after_it = noted(payment, 1, topic)
    assert replace(after_it, version=payment.version) == payment
    assert after_it.version == payment.version + 1


def test_abandoned_is_not_forgotten_by_a_later_note():
    payment = noted(noted(told("purchase 100 lost"), 1, Topic.ABANDONED), 1, Topic.CONFLICT)
    assert payment.opening.abandoned


def test_a_payment_read_from_its_entries_is_the_one_that_was_written():
    payment = told("authorize 100; capture")
    entries = [facts(op.request, "approved") for op in payment.operations]
    read = fold(NAME, [rows.decode(rows.encode(entry)) for entry in entries])
    assert read == payment
    assert {(op.request.merchant, op.request.bridge) for op in read.operations} == {
        ("corner shop", "sandbox")
    }
    again = replace(wish("capture", read, "k2")[0], bridge="sandbox")
    assert granted_by(read.operations[1].request, NAME, again)


# What cannot follow


REQUEST = decide(None, wish("purchase 100")[0], AT)


@pytest.mark.parametrize(
    "first",
    [
        [],
        [Dispatched(1, AT)],
        [Settled(1, AT, ENDINGS["unsent"])],
        [Noted(1, AT, Topic.FAULT, "")],
        [replace(REQUEST, ordinal=2)],
        [replace(REQUEST, ordinal=0)],
    ],
    ids=range(6),
)
def test_a_payment_begins_with_its_first_request(first):
    with pytest.raises(Corrupt, match="does not begin with a request"):
        opened(NAME, first)
    with pytest.raises(Corrupt):
        fold(NAME, [first])


def test_nothing_makes_no_payment():
    with pytest.raises(Corrupt):
        fold(NAME, [])


@pytest.mark.parametrize(
    ("story", "fact"),
    [
        ("purchase 100", replace(REQUEST, ordinal=1)),
        ("purchase 100", replace(REQUEST, ordinal=3)),
        ("purchase 100 lost", replace(REQUEST, ordinal=2)),
        ("purchase 100 pending", replace(REQUEST, ordinal=2)),
        ("purchase 100", Dispatched(0, AT)),
        ("purchase 100", Dispatched(2, AT)),
        ("purchase 100", Settled(-1, AT, ENDINGS["unsent"])),
        ("purchase 100", Noted(2, AT, Topic.FAULT, "")),
    ],
)
def test_a_fact_about_another_operation_cannot_follow(story, fact):
    with pytest.raises(Corrupt, match=NAME):
        after(told(story), [fact])


OUTCOMES: dict[State, Outcome] = {state_of(outcome): outcome for outcome in ENDINGS.values()}


def fact_to(state, op):
    """The fact that would bring an operation into a state."""
    if state is State.DISPATCHED:
        return Dispatched(op.ordinal, AT)
    return Settled(op.ordinal, AT, OUTCOMES.get(state, Approved(op.tender, "N")))


ROADS = {
    State.REQUESTED: [],
    State.DISPATCHED: [State.DISPATCHED],
    **{state: [State.DISPATCHED, state] for state in FINAL | {State.PENDING}},
}


@pytest.mark.parametrize("verb", ["purchase 100", "verify", "credit 5", "store", "authorize 1"])
@pytest.mark.parametrize("state", State)
def test_exactly_the_states_of_the_table_may_follow(verb, state):
    payment = told(f"{verb} wanted")
    for step in ROADS[state]:
        payment = after(payment, [fact_to(step, payment.opening)])
    for target in set(State) - {State.REQUESTED}:
        fact = fact_to(target, payment.opening)
        if target in may_follow(payment.opening.verb, state):
            assert after(payment, [fact]).opening.state is target
        else:
            with pytest.raises(Corrupt, match="cannot become"):
                after(payment, [fact])


# Random walks


CONTINUING = [Verb.CAPTURE, Verb.REFUND, Verb.VOID, Verb.INCREMENT]
ASKS = (
    st.sampled_from([*CONTINUING, *CONTINUING, Verb.PURCHASE, Verb.STORE]),
    st.sampled_from([None, 0.0, 0.1, 0.25, 0.3, 0.5, 0.5, 1.0, 1.2]),
    st.none() | st.integers(0, 8),
    st.sampled_from(["", "open", "open", "partial", "open partial"]),
    st.sampled_from(["2025-12-30", "2026-03-01"]),
)
ENDS = (
    st.sampled_from(["approved"] * 6 + ["part", "part", "declined", "unsent", "pending"]),
    st.floats(0, 1),
)
DO = st.tuples(st.just("do"), *ASKS, *ENDS)
FACT = st.tuples(
    st.just("fact"),
    st.sampled_from(["dispatched", *State, "noted"]),
    st.integers(-1, 1),
    st.floats(0, 1),
)
STEPS = st.one_of(
    DO, DO, DO, FACT, FACT, st.tuples(st.just("ask"), *ASKS), st.tuples(st.just("end"), *ENDS)
)


def granted(op, share):
    """What a provider that keeps to the rules approves: all, or a part where that was offered."""
    if op.tender is None or not op.request.partial_ok or op.verb is Verb.VOID:
        return op.tender
    return Money(max(1, int(op.tender.amount_minor * share)), op.tender.currency)


class Walk:
    """A payment on its way, and the entries that made it."""

    def __init__(self, code):
        self.code = code
        self.payment = None
        self.entries = []

    def add(self, *happened):
        self.payment = after(self.payment, happened) if self.payment else opened(NAME, happened)
        self.entries.append(happened)

    def ask(self, verb, share, target, flags, day):
        left = 1000
        if self.payment and verb is Verb.REFUND:
            left = self.payment.amounts.refundable_minor
        elif self.payment and verb is Verb.CAPTURE:
            left = self.payment.amounts.capturable_minor
        amount = f"{int(left * share)} {self.code}" if share is not None else ""
        text = f"{verb} {amount} {f'#{target}' if target is not None else ''} {flags} @{day}"
        ask, now, _ = wish(text, self.payment, f"k{len(self.entries)}")
        try:
            request = decide(self.payment, ask, now)
        except UsageError:
            return
        self.add(request)

    def do(self, *words):
        """Ask, and hear how it ended."""
        self.ask(*words[:5])
        self.end(*words[5:])

    def fact(self, kind, offset, share):
        op = self.payment.operations[-1]
        ordinal = op.ordinal + offset
        known = self.payment.operation(ordinal)
        match kind:
            case "noted":
                fact, right = Noted(ordinal, AT, Topic.ABANDONED, ""), known is not None
            case State.REQUESTED:
                fact = replace(op.request, ordinal=ordinal + 1, amount=None, tender=None)
                right = False
                if offset == 0 and not op.unresolved:
                    return  # it would follow, but it did not come from decide
            case _:
                state = State(kind)
                about = known or op
                outcome = OUTCOMES.get(state) or Approved(granted(about, share), "N")
                fact = (
                    Dispatched(ordinal, AT)
                    if state is State.DISPATCHED
                    else Settled(ordinal, AT, outcome)
                )
                right = known is not None and state in may_follow(known.verb, known.state)
        if right:
            self.add(fact)
        else:
            with pytest.raises(Corrupt):
                after(self.payment, [fact])

    def end(self, how, share):
        """Answer the operation that waits, as a provider would."""
        op = self.payment.unresolved
        if op is None:
            return
        if op.state is State.REQUESTED:
            self.add(Dispatched(op.ordinal, AT))
        elif op.state is State.PENDING and how == "pending":
            return
        outcome = OUTCOMES.get(how) or Approved(granted(op, share if how == "part" else 1.0), "N")
        self.add(Settled(op.ordinal, AT, outcome))


@settings(max_examples=200)
@given(
    st.sampled_from(["EUR", "JPY", "BGN"]),
    st.sampled_from(["authorize"] * 4 + ["purchase", "purchase", "credit", "verify"]),
    st.sampled_from([1.0, 1.0, 0.7, None]),
    st.lists(STEPS, min_size=12, max_size=40),
)
def test_on_any_walk_the_table_is_kept_and_the_amounts_make_sense(code, first, answer, steps):
    walk = Walk(code)
    walk.ask(Verb(first), None if first == "verify" else 1.0, None, "partial", "2025-12-30")
    if answer is not None:
        walk.end("part", answer)
    for kind, *rest in steps:
        getattr(walk, kind)(*rest)
        payment = walk.payment
        authorized, captured, refunded, *others = amounts(payment)
        assert 0 <= refunded <= captured <= authorized
        assert all(minor >= 0 for minor in others)
        assert payment.amounts.capturable_minor <= authorized - captured
        assert payment.version == len(walk.entries)
        assert sum(op.unresolved for op in payment.operations) <= 1
    assert fold(NAME, walk.entries) == walk.payment
    kept = [rows.decode(rows.encode(entry)) for entry in walk.entries]
    assert fold(NAME, kept) == walk.payment
