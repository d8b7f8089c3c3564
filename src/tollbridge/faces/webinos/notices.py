"""What sellers are told behind the page's back: one notice for each outcome in the journal.

A notice follows from the journal and the payment's page, so it is the same whenever it is made, and
none is lost or invented. A payment that ended before money could move has no notice.
"""

from typing import Any

from tollbridge.core.operation import Operation, State
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import paying, proofs
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.messages import Notice
from tollbridge.faces.webinos.sessions import SCOPE, Checkout
from tollbridge.faces.webinos.sessions import State as Page
from tollbridge.ground.clock import Instant, iso

PAYMENT, SELLER = f"{SCOPE}.payment", f"{SCOPE}.seller"
SUCCEEDED, FAILED = "payment.succeeded", "payment.failed"
REFUNDED, VOIDED = "payment.refunded", "payment.voided"


def seller_of(payment: Payment) -> tuple[str, str] | None:
    """Give the payment's name at this face and its seller; None where another face made it."""
    details = payment.opening.request.details
    name, seller = details.get(PAYMENT), details.get(SELLER)
    return (name, seller) if name and seller else None


def told(house: House, payment: Payment, operation: Operation) -> Talk[tuple[Notice, ...]]:
    """Make what the seller is told of an operation that has its outcome."""
    mine = seller_of(payment)
    if mine is None or operation.unresolved:
        return ()
    made: list[Notice] = []
    approved = operation.state is State.APPROVED
    about = yield from paying.refresh(house, mine[0])
    if about is not None:
        kind = ""
        if operation.ordinal == 1:
            kind = SUCCEEDED if approved else FAILED
        elif approved and operation.verb is Verb.REFUND:
            kind = REFUNDED
        elif approved and operation.verb is Verb.VOID:
            kind = VOIDED
        if kind:
            made.append((yield from _notice(about, operation, kind)))
    refund = operation.request.details.get(PAYMENT, "")
    if operation.verb is Verb.REFUND and refund:
        about = yield from paying.refresh(house, refund)
        if about is not None and about.over and _is_last(about, operation):
            kind = SUCCEEDED if about.state is Page.SUCCEEDED else FAILED
            made.append((yield from _notice(about, operation, kind)))
    return tuple(made)


def _notice(about: Checkout, operation: Operation, kind: str) -> Talk[Notice]:
    data: dict[str, Any] = yield from proofs.details(about)
    return Notice(
        id=f"{operation.id}.{kind.partition('.')[2]}",
        seller=about.seller,
        type=kind,
        payment=about.id,
        sequence=operation.ordinal if about.kind == "charge" else 1,
        at=iso(Instant(operation.settled_at or about.touched)),
        data=data,
    )


def _is_last(refund: Checkout, operation: Operation) -> bool:
    """Say whether an operation is the one that ended a refund."""
    asked = [place for place, step in enumerate(refund.steps) if step.state in ("done", "failed")]
    return bool(asked) and operation.key == refund.key(asked[-1])
