"""Holds our journal against the network's book. Whatever differs is money lost or doubled."""

from collections.abc import Iterable

from tollbridge.core.operation import Operation, State
from tollbridge.core.payment import Payment
from tollbridge.sandbox.book import Movement

_WITHOUT_MONEY = ("verify", "store", "expire")


def compare(payments: Iterable[Payment], movements: Iterable[Movement]) -> list[str]:
    """List every difference in plain words; empty when the books agree.

    An operation without outcome is a difference too: recovery has not ended.
    """
    book = {movement.operation: movement for movement in movements}
    differences = []
    for payment in payments:
        for operation in payment.operations:
            difference = _difference(operation, book.pop(operation.id, None))
            if difference:
                differences.append(f"{operation.id} ({operation.verb}): {difference}")
    for movement in book.values():
        if movement.status == "approved" and movement.verb not in _WITHOUT_MONEY:
            differences.append(f"{movement.operation}: only the network knows it")
    return differences


def _difference(ours: Operation, theirs: Movement | None) -> str | None:
    if ours.unresolved:
        return f"we do not know yet ({ours.state}), the network says {_status(theirs)}"
    if ours.state is not State.APPROVED:
        if theirs is not None and theirs.status == "approved":
            return f"{ours.state} with us, approved at the network"
        return None
    if theirs is None or theirs.status != "approved":
        return f"approved with us, {_status(theirs)} at the network"
    moved = getattr(ours.outcome, "amount", None)
    if moved is not None and (moved.amount_minor, moved.currency.code) != (
        theirs.amount_minor,
        theirs.currency,
    ):
        return f"{moved} with us, {theirs.amount_minor} {theirs.currency} (minor) at the network"
    return None


def _status(movement: Movement | None) -> str:
    return movement.status if movement else "unknown"
