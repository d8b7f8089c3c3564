"""One operation of a payment, and the table of its states.

Two rules. A state is left only along the table. And between `dispatched` and an outcome stands
nothing but evidence: no time-out, no error and no restart moves an operation out of `dispatched`.

    requested ──► dispatched ──► approved
        │             │    ├───► declined
        │             │    └───► unsent
        │             └► pending ─► approved | declined | unsent
        └► unsent   (verify and store also ─► approved | declined | pending)

`pending` may end in `unsent` when the provider withdraws it undecided, as a reversal makes it do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from tollbridge.core.facts import Requested
from tollbridge.core.instrument import Instrument, InstrumentView
from tollbridge.core.outcome import Approved, Declined, Outcome, Pending, Unsent
from tollbridge.core.verbs import MOVES_NOTHING, Verb
from tollbridge.ground.clock import Instant
from tollbridge.ground.ids import IdempotencyKey, OperationId, PaymentId, operation_id
from tollbridge.ground.money import Money


class State(StrEnum):
    """Where an operation stands."""

    REQUESTED = "requested"
    DISPATCHED = "dispatched"
    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    UNSENT = "unsent"


FINAL = frozenset({State.APPROVED, State.DECLINED, State.UNSENT})

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.DISPATCHED, State.UNSENT}),
    State.DISPATCHED: FINAL | {State.PENDING},
    State.PENDING: FINAL | {State.PENDING},
    State.APPROVED: frozenset(),
    State.DECLINED: frozenset(),
    State.UNSENT: frozenset(),
}

TRANSITIONS_MOVING_NOTHING: Mapping[State, frozenset[State]] = {
    **TRANSITIONS,
    State.REQUESTED: TRANSITIONS[State.REQUESTED] | FINAL | {State.PENDING},
}


def allowed(verb: Verb, state: State) -> frozenset[State]:
    """Say which states may follow `state` for an operation of this verb."""
    table = TRANSITIONS_MOVING_NOTHING if verb in MOVES_NOTHING else TRANSITIONS
    return table[state]


def state_of(outcome: Outcome) -> State:
    """Give the state an outcome leads to."""
    match outcome:
        case Approved():
            return State.APPROVED
        case Declined():
            return State.DECLINED
        case Pending():
            return State.PENDING
        case Unsent():
            return State.UNSENT
        case _:
            assert_never(outcome)


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a payment: what was requested, and what became of it.

    `instrument` is there only while a bridge carries the operation out, `view` always.
    `abandoned`: the asker was told that it failed before the outcome was known, so an approval
    that comes late must be undone.
    """

    payment: PaymentId
    request: Requested
    state: State = State.REQUESTED
    outcome: Outcome | None = None
    settled_at: Instant | None = None
    abandoned: bool = False
    instrument: Instrument | None = None

    @property
    def id(self) -> OperationId:
        """The operation's name, which is also its idempotency key at the provider."""
        return operation_id(self.payment, self.request.ordinal)

    @property
    def ordinal(self) -> int:
        """Its place among the payment's operations, from 1."""
        return self.request.ordinal

    @property
    def verb(self) -> Verb:
        """What it does."""
        return self.request.verb

    @property
    def key(self) -> IdempotencyKey:
        """The idempotency key it was asked for with."""
        return self.request.key

    @property
    def amount(self) -> Money | None:
        """What the payment counts for it, once approved; None for verify and store."""
        return self.request.amount

    @property
    def tender(self) -> Money | None:
        """What the provider is asked for: the amount, or what became of it when the payment's
        currency was withdrawn meanwhile."""
        return self.request.tender

    @property
    def target(self) -> int | None:
        """The ordinal of the operation a void undoes."""
        return self.request.target

    @property
    def view(self) -> InstrumentView | None:
        """What may be shown of the instrument."""
        return self.request.view

    @property
    def unresolved(self) -> bool:
        """Whether the outcome is still to come."""
        return self.state not in FINAL

    @property
    def approved_amount(self) -> Money | None:
        """What the payment counts for this operation: nothing unless approved."""
        if not isinstance(self.outcome, Approved):
            return None
        if self.tender is not None and self.amount != self.tender:
            return self.amount
        return self.outcome.amount
