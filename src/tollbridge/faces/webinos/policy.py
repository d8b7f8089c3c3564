"""When a customer is asked to confirm, and by which kinds of challenge it can be done."""

from collections.abc import Iterator

from tollbridge.faces.webinos.sessions import Checkout
from tollbridge.faces.webinos.settings import Policy
from tollbridge.faces.webinos.wallet import Held, Wallet

KINDS = ("text", "image", "url")
"""All kinds of challenge there are (N-072)."""


def why(policy: Policy, checkout: Checkout, wallet: Wallet | None, held: Held | None) -> str:
    """Say why a payment must be confirmed, "" where it need not."""
    if wallet is None:
        return "no customer"
    if checkout.kind == "refund":
        return "refund" if policy.refunds else ""
    if held is None:
        return "no instrument"
    if checkout.minor >= policy.amount_minor:
        return "amount"
    if policy.new_instrument and not held.used:
        return "new instrument"
    if policy.every and (wallet.payments + 1) % policy.every == 0:
        return "every so often"
    return ""


def kinds(
    policy: Policy, checkout: Checkout, wallet: Wallet | None, held: Held | None
) -> Iterator[str]:
    """List the kinds to try, in the policy's order: those the page can show and the customer can
    answer. Who has nothing to pay with is asked on the provider's own page."""
    if wallet is None or (held is None and checkout.kind != "refund"):
        if "url" in checkout.kinds:
            yield "url"
        return
    for kind in policy.kinds:
        if kind in checkout.kinds and (kind != "text" or wallet.contact):
            yield kind
