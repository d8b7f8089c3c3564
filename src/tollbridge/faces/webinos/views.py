"""A payment as pages see it, and as the provider's own page shows it to the payer."""

from typing import Any

from tollbridge.faces.webinos import challenges, paying, pictures, proofs, wallet
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.messages import Followed
from tollbridge.faces.webinos.outcome import UNKNOWN
from tollbridge.faces.webinos.sessions import Challenge, Checkout, Means


def view(house: House, checkout: Checkout) -> Talk[dict[str, Any]]:
    """Give a payment as its page sees it. Raises Failed where the device has no keys."""
    challenge = checkout.challenge
    marked = challenge is not None and challenge.means is Means.MARK
    mark = (yield from wallet.mark_of(house, checkout.customer)) if marked else ""
    shown = yield from challenges.shown(house, checkout, mark)
    proof = yield from proofs.of(house, checkout)
    return {
        "id": checkout.id,
        "state": checkout.state.value,
        "sellerID": checkout.seller,
        "seller": {"name": challenges.seller_name(house, checkout)},
        "bill": checkout.bill,
        "amount": checkout.amount,
        "currency": checkout.currency,
        "kind": checkout.kind,
        "challenge": shown,
        "proofOfPurchase": proof,
        "error": UNKNOWN.fields() if checkout.late and not checkout.over else checkout.error,
        "events": checkout.seen,
    }


def followed(house: House, checkout: Checkout) -> Talk[Followed]:
    """Give a payment to who follows it."""
    shown = yield from view(house, checkout)
    return Followed(shown, checkout.numbered(), checkout.over)


def on_our_page(house: House, checkout: Checkout, challenge: Challenge) -> Talk[dict[str, Any]]:
    """Show the payer what is to be confirmed, and with what it can be paid."""
    lines = yield from proofs.items_of(checkout)
    who = checkout.customer or challenge.who
    found = (yield from wallet.load(house, who)) if who else None
    usable = found.usable(paying.bridge_of(house, checkout)) if found else []
    seller = house.seller(checkout.seller)
    return {
        "payment": {
            "id": checkout.id,
            "seller": {
                "name": challenges.seller_name(house, checkout),
                "kind": seller.kind if seller else "merchant",
            },
            "amount": checkout.amount,
            "currency": checkout.currency,
            "kind": checkout.kind,
            "bill": checkout.bill,
            "items": lines,
        },
        "customer": None
        if found is None
        else {
            "name": found.name or found.customer,
            "mark": pictures.emblem(found.mark) if found.mark else None,
        },
        "instruments": [
            {
                "id": held.id,
                "brand": held.brand,
                "masked": f"•••• {held.masked[-4:]}",
                "label": held.label,
            }
            for held in usable
        ],
        "needs": challenge.means.value,
        "question": challenge.text,
        "attempts_left": max(0, house.policy(checkout.seller).attempts - checkout.tries),
    }
