"""What sellers are told behind the page's back: one notice for each outcome.

Of money that moved or was refused, a notice follows from the journal; of a payment that came to its
end on its page alone (and of a refund, which is told of as a payment of its own) from a note that
was written with that end. So a notice is the same whenever it is made, and none is lost or
invented. What was refused before it began has none.
"""

from typing import Any

from tollbridge.core.operation import Operation, State
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import paying, proofs, sessions
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.messages import Notice
from tollbridge.faces.webinos.notebook import recall
from tollbridge.faces.webinos.sessions import SCOPE, UNTOLD, Checkout
from tollbridge.faces.webinos.sessions import State as Page
from tollbridge.ground.clock import Instant, iso
from tollbridge.ground.flow import Browse, Note, Remember
from tollbridge.ground.flow import Page as Written

PAYMENT, SELLER = f"{SCOPE}.payment", f"{SCOPE}.seller"
SUCCEEDED, FAILED = "payment.succeeded", "payment.failed"
REFUNDED, VOIDED = "payment.refunded", "payment.voided"
ENDS = {Page.SUCCEEDED: SUCCEEDED, Page.FAILED: FAILED, Page.CANCELLED: "payment.cancelled"}


def seller_of(payment: Payment) -> tuple[str, str] | None:
    """Give the payment's name at this face and its seller; None where another face made it."""
    details = payment.opening.request.details
    name, seller = details.get(PAYMENT), details.get(SELLER)
    return (name, seller) if name and seller else None


def told(house: House, payment: Payment, operation: Operation) -> Talk[tuple[Notice, ...]]:
    """Make what the seller is told of an operation that has its outcome."""
    mine = seller_of(payment)
    kind = _kind(operation)
    if mine is None or not kind:
        return ()
    about = yield from paying.refresh(house, mine[0])
    if about is None:
        return ()
    at = iso(Instant(operation.settled_at or about.touched))
    return ((yield from _notice(about, operation.id, kind, operation.ordinal, at)),)


def ended(limit: int) -> Talk[tuple[Notice, ...]]:
    """Make what sellers are still to be told of payments that came to their end on their pages."""
    made: list[Notice] = []
    pages: list[tuple[str, Written]] = yield Browse(UNTOLD, "", limit)
    for key, _ in pages:
        about = yield from recall(key.removeprefix(UNTOLD))
        assert about is not None, "pages of payments are not forgotten"
        at = iso(Instant(about.paid_at or about.touched))
        made.append((yield from _notice(about, about.id, ENDS[about.state], 1, at)))
    return tuple(made)


def heard(payments: tuple[str, ...]) -> Talk[None]:
    """Forget that sellers are to be told of these ends."""
    yield Remember(tuple(Note(sessions.untold(payment), None) for payment in payments))


def _kind(operation: Operation) -> str:
    approved = operation.state is State.APPROVED
    if operation.unresolved:
        return ""
    if operation.ordinal == 1:
        return SUCCEEDED if approved else FAILED
    return {Verb.REFUND: REFUNDED, Verb.VOID: VOIDED}.get(operation.verb, "") if approved else ""


def _notice(about: Checkout, source: str, kind: str, sequence: int, at: str) -> Talk[Notice]:
    data: dict[str, Any] = yield from proofs.details(about)
    return Notice(
        id=f"{source}.{kind.partition('.')[2]}",
        seller=about.seller,
        type=kind,
        payment=about.id,
        sequence=sequence,
        at=at,
        data=data,
    )
