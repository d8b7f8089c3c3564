"""Payers who approve on the page of a bridge's provider: what they approve is an instrument of one
payment, which is then asked for as any other (decision 16)."""

from tollbridge.core.asks import Ask, Look
from tollbridge.core.outcome import Outcome
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import sessions
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.notebook import Lost, Run
from tollbridge.faces.webinos.outcome import Failed, of_error
from tollbridge.faces.webinos.sessions import Checkout
from tollbridge.ground.errors import IdempotencyConflict, UsageError, VersionConflict
from tollbridge.ground.ids import IdempotencyKey

BACK = "returned"
"""What the token of a payment's way back is made of."""


def ask(house: House, run: Run, bridge: str, reference: str) -> Talk[None]:
    """Ask the provider for something to approve, once, with the payment's page in one commit.

    Raises Lost, and Failed: then nothing was asked for.
    """
    checkout = run.checkout
    # It stands in the journal, and opens nothing but this payment's way back.
    token = yield from house.token(f"{BACK}\0{checkout.id}")
    back = f"{checkout.reached}/web/returned/{checkout.id}?t={token}"
    try:
        yield Ask(
            verb=Verb.STORE,
            key=_key(checkout),
            amount=checkout.money,
            merchant=checkout.seller,
            bridge=bridge,
            reference=reference,
            details={"return_url": back, "cancel_url": f"{back}&cancelled=yes"},
            notes=run.notes(),
        )
    except (VersionConflict, IdempotencyConflict):
        raise Lost from None
    except UsageError as error:
        raise Failed(of_error(error)) from None


def found(checkout: Checkout, *, fresh: bool = False) -> Talk[Outcome | None]:
    """Say what became of it; None where that is not known. `fresh`: ask the provider first."""
    payment: Payment | None = yield Look(key=_key(checkout), fresh=fresh)
    return payment.opening.outcome if payment else None


def _key(checkout: Checkout) -> IdempotencyKey:
    return IdempotencyKey(f"{sessions.SCOPE}.approval", checkout.id)
