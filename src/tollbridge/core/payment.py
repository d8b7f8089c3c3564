"""A payment: an immutable value, changed only by facts.

It has no status of its own. Its amounts follow from its operations, so there is one truth and
undoing an operation is simply not counting it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from tollbridge.core.facts import Dispatched, Fact, Noted, Requested, Settled, Topic
from tollbridge.core.operation import Operation, State, allowed, state_of
from tollbridge.core.verbs import Verb
from tollbridge.ground.currency import Currency
from tollbridge.ground.errors import Corrupt
from tollbridge.ground.ids import IdempotencyKey, PaymentId

NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Amounts:
    """The amounts of a payment, in minor units of its currency.

    `authorized` is what the provider holds or has taken for us, `captured` what it has taken,
    `refunded` what it gave back of that, `credited` what it gave without an earlier payment,
    `voided` what approved operations amounted to that were undone. `capturable` is what may still
    be captured: nothing after a final capture.
    """

    authorized_minor: int
    captured_minor: int
    refunded_minor: int
    credited_minor: int
    voided_minor: int
    capturable_minor: int

    @property
    def refundable_minor(self) -> int:
        """What may still be refunded."""
        return self.captured_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `version` counts the entries of the journal it was folded from."""

    id: PaymentId
    merchant: str
    bridge: str
    operations: tuple[Operation, ...]
    version: int

    @property
    def opening(self) -> Operation:
        """The operation that began the payment."""
        return self.operations[0]

    @property
    def currency(self) -> Currency | None:
        """The currency of all amounts; None when the payment only verifies or stores."""
        amount = self.opening.amount
        return amount.currency if amount else None

    @property
    def unresolved(self) -> Operation | None:
        """The operation whose outcome is still to come; there is at most one."""
        last = self.operations[-1]
        return last if last.unresolved else None

    @property
    def unwanted(self) -> Operation | None:
        """An operation approved after its asker was told that it failed, and not yet undone."""
        for op in self.operations:
            if op.abandoned and self.counts(op):
                return op
        return None

    @property
    def unfinished(self) -> bool:
        """Whether recovery has work left: an outcome to learn, or a late approval to undo."""
        return self.unresolved is not None or self.unwanted is not None

    @property
    def amounts(self) -> "Amounts":
        """What the operations add up to. Undone operations are not counted."""
        undone = self.undone
        authorized = captured = refunded = credited = voided = 0
        closed = False
        for op in self.operations:
            counted = op.approved_amount
            if counted is None:
                continue
            minor, verb = counted.amount_minor, op.verb
            if op.ordinal in undone:
                voided += minor
            elif verb is Verb.PURCHASE:
                authorized += minor
                captured += minor
            elif verb is Verb.CAPTURE:
                captured += minor
                closed = closed or op.request.final_capture
            elif verb is Verb.AUTHORIZE or verb is Verb.INCREMENT:
                authorized += minor
            elif verb is Verb.REFUND:
                refunded += minor
            elif verb is Verb.CREDIT:
                credited += minor
        capturable = 0 if closed else authorized - captured
        return Amounts(authorized, captured, refunded, credited, voided, capturable)

    def counts(self, operation: Operation) -> bool:
        """Say whether an operation was approved and not undone."""
        return operation.state is State.APPROVED and operation.ordinal not in self.undone

    @property
    def undone(self) -> frozenset[int]:
        """The ordinals of the operations that approved voids undid.

        Undoing the authorization undoes its increments with it.
        """
        if len(self.operations) == 1:
            return NONE
        undone = {op.target for op in self.operations if op.verb is Verb.VOID and _approved(op)}
        if self.opening.ordinal in undone:
            undone |= {op.ordinal for op in self.operations if op.verb is Verb.INCREMENT}
        return frozenset(ordinal for ordinal in undone if ordinal is not None)

    def find(self, key: IdempotencyKey) -> Operation | None:
        """Find the operation that was asked for with this key."""
        for op in self.operations:
            if op.key == key:
                return op
        return None

    def operation(self, ordinal: int) -> Operation | None:
        """Find an operation by its place, counted from 1."""
        return self.operations[ordinal - 1] if 0 < ordinal <= len(self.operations) else None


def _approved(operation: Operation) -> bool:
    return operation.state is State.APPROVED


def opened(payment: PaymentId, facts: Sequence[Fact]) -> Payment:
    """Make the payment that its first entry opens. Raises Corrupt when that is no request."""
    first = facts[0] if facts else None
    if not isinstance(first, Requested) or first.ordinal != 1:
        raise Corrupt(f"{payment}: does not begin with a request")
    operation = Operation(payment, first)
    begun = Payment(payment, first.merchant, first.bridge, (operation,), 0)
    return after(begun, facts[1:])


def after(payment: Payment, facts: Iterable[Fact]) -> Payment:
    """Give the payment as it is after one more entry of the journal.

    Raises Corrupt when a fact cannot follow: such a journal was not written by this engine.
    """
    operations = list(payment.operations)
    for fact in facts:
        if isinstance(fact, Requested):
            if fact.ordinal != len(operations) + 1 or operations[-1].unresolved:
                raise Corrupt(f"{payment.id}: operation {fact.ordinal} cannot be requested now")
            operations.append(Operation(payment.id, _whole(payment, fact)))
        elif 0 < fact.ordinal <= len(operations):
            operations[fact.ordinal - 1] = _changed(operations[fact.ordinal - 1], fact)
        else:
            raise Corrupt(f"{payment.id}: there is no operation {fact.ordinal}")
    return Payment(
        payment.id, payment.merchant, payment.bridge, tuple(operations), payment.version + 1
    )


def fold(payment: PaymentId, entries: Sequence[Sequence[Fact]]) -> Payment:
    """Make a payment from all its entries, in order. Raises Corrupt when they make none."""
    value = opened(payment, entries[0] if entries else ())
    for facts in entries[1:]:
        value = after(value, facts)
    return value


def _whole(payment: Payment, request: Requested) -> Requested:
    """Give a request its payment's merchant and bridge; the journal keeps them only once."""
    if (request.merchant, request.bridge) == (payment.merchant, payment.bridge):
        return request
    return replace(request, merchant=payment.merchant, bridge=payment.bridge)


def _changed(op: Operation, fact: Dispatched | Settled | Noted) -> Operation:
    match fact:
        case Dispatched():
            state, outcome, at = State.DISPATCHED, op.outcome, op.settled_at
        case Settled():
            state, outcome, at = state_of(fact.outcome), fact.outcome, fact.at
        case Noted():
            abandoned = op.abandoned or fact.topic is Topic.ABANDONED
            return Operation(op.payment, op.request, op.state, op.outcome, op.settled_at, abandoned)
        case _:
            assert_never(fact)
    if state not in allowed(op.verb, op.state):
        raise Corrupt(f"{op.id}: {op.state} cannot become {state}")
    return Operation(op.payment, op.request, state, outcome, at, op.abandoned)
