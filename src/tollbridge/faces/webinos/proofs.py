"""Proofs of purchase: what is signed, and what a merchant's server is told about one.

A proof follows from its payment's page, so it can be given again. The page is the truth about what
was bought, the journal about what became of the money since.
"""

from typing import Any

from tollbridge.core.asks import Look
from tollbridge.core.payment import Payment
from tollbridge.faces.webinos import sessions
from tollbridge.faces.webinos.house import House, Talk, equal
from tollbridge.faces.webinos.notebook import Lost, Run, recall, write
from tollbridge.faces.webinos.sessions import Checkout, State
from tollbridge.faces.webinos.wishes import Check, Checked
from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant, iso
from tollbridge.ground.flow import Exchange, Page, Party, Recall
from tollbridge.ground.money import Money
from tollbridge.wire import json

PROOF_LETTERS_MAX = 4096


def of(house: House, checkout: Checkout) -> Talk[str | None]:
    """Give the proof of a payment that succeeded; None for others. Raises Failed."""
    if checkout.state is not State.SUCCEEDED:
        return None
    return (
        yield from house.signed(
            {
                "iss": house.provider.url or checkout.reached or house.provider.name,
                "sub": checkout.id,
                "aud": checkout.seller,
                "jti": checkout.jti,
                "iat": checkout.paid_at // MICROSECONDS_PER_S,
                "bill_id": checkout.bill_id,
                "bill_hash": checkout.bill_hash,
                "amount": checkout.amount,
                "currency": checkout.currency,
                "kind": checkout.kind,
            }
        )
    )


def verified(
    house: House, seller: str, proof: str, *, consume: bool
) -> Talk[dict[str, Any] | None]:
    """Say what a proof is worth to a seller; None where it is another seller's."""
    if not 0 < len(proof) <= PROOF_LETTERS_MAX:
        return _invalid("not a proof")
    checked = yield Exchange(Party.DEVICE, Check(proof))
    claims = checked.claims if isinstance(checked, Checked) else None
    if claims is None:
        reason = checked.reason if isinstance(checked, Checked) else ""
        return _invalid(reason or "the signature cannot be checked")
    if claims.get("aud") != seller:
        return None
    while True:
        checkout = yield from recall(str(claims.get("sub")))
        if checkout is None or checkout.state is not State.SUCCEEDED:
            return _invalid("there is no such payment")
        if not equal(str(claims.get("jti")), checkout.jti) or checkout.seller != seller:
            return _invalid("this is not the payment's proof")
        if consume and checkout.consumed_at:
            return _invalid("consumed") | {
                "payment": checkout.id,
                "first_verified_at": iso(Instant(checkout.verified_at)),
                "consumed": True,
            }
        if not checkout.verified_at or consume:
            checkout.verified_at = checkout.verified_at or house.now
            checkout.consumed_at = house.now if consume else 0
            checkout.noted("consumed" if consume else "verified", house.now)
            try:
                yield from write(Run(checkout))
            except Lost:
                continue
        told = yield from details(checkout)
        return {"valid": True} | told


def details(checkout: Checkout) -> Talk[dict[str, Any]]:
    """Say all of a payment that its seller may know, in verified proofs and in notices."""
    back = yield from _given_back(checkout)
    lines = yield from items_of(checkout)
    gone = checkout.kind == "refund" or (0 < checkout.minor <= back.amount_minor)
    failed = checkout.error
    return {
        "payment": checkout.id,
        "sellerID": checkout.seller,
        "bill": checkout.bill,
        "signed": bool(checkout.signed),
        "items": lines,
        "amount": checkout.amount,
        "currency": checkout.currency,
        "kind": checkout.kind,
        "status": checkout.state.value if failed else "refunded" if gone else "paid",
        "refunded": back.decimal(),
        "time": iso(Instant(checkout.paid_at or checkout.touched)),
        "customerID": checkout.customer or None,
        "first_verified_at": iso(Instant(checkout.verified_at)) if checkout.verified_at else None,
        "consumed": bool(checkout.consumed_at),
        "error": failed,
    }


def items_of(checkout: Checkout) -> Talk[list[Any] | None]:
    """Give the lines of a payment's bill, in order; None where none were sent."""
    if not checkout.has_items:
        return None
    found: Page | None = yield Recall(sessions.items(checkout.id))
    lines: list[Any] = json.read(found.value) if found else []
    return lines


def _given_back(checkout: Checkout) -> Talk[Money]:
    """Say how much of a charge went back since, through whichever face."""
    nothing = Money.of(0, checkout.currency)
    if checkout.kind == "refund" or checkout.state is not State.SUCCEEDED:
        return nothing
    payment: Payment | None = yield Look(key=checkout.key(0))
    if payment is None or payment.currency is None:
        return nothing
    left = payment.amounts.refundable_minor
    return Money(max(0, checkout.minor - left), payment.currency)


def _invalid(reason: str) -> dict[str, Any]:
    return {"valid": False, "reason": reason}
