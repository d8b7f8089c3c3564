"""What customers say on the shop's page: answers to challenges, and no.

An answer is counted before it is looked at, by compare-and-set: of many that come at once, one is
judged. What comes for a challenge that is no longer open changes nothing and is noted.
"""

from contextlib import suppress

from tollbridge.faces.webinos import approval, challenges, paying
from tollbridge.faces.webinos.house import House, Talk, equal
from tollbridge.faces.webinos.messages import Refused, Returned, refused
from tollbridge.faces.webinos.notebook import Lost, Run, finish, recall, write
from tollbridge.faces.webinos.outcome import (
    CANCELLED,
    WRONG,
    authentication,
)
from tollbridge.faces.webinos.sessions import Challenge, Checkout, Means, State
from tollbridge.ground.errors import JournalError
from tollbridge.ground.secret import Secret

REPLAYS_NOTED = 20
CLOSED = authentication("challenge_closed", "This question is not open.")
NO_PAYMENT = (404, "unknown_payment", "There is no such payment.")


def answer(house: House, payment: str, name: str, given: Secret[str]) -> Talk[Checkout]:
    """Take the answer to a text or an image. Raises Refused where it is not asked for."""
    checkout = yield from current(house, payment)
    challenge = checkout.challenge
    if challenge is None or challenge.id != name or challenge.kind == "url":
        raise (yield from closed(house, checkout, name))
    run = Run(checkout)
    checkout.challenge = None
    checkout.state = State.PROCESSING
    yield from counted(house, run, challenge)
    if challenge.means is Means.RECEIPT:
        with suppress(Lost):
            yield from paying.received(house, run, given)
        return (yield from again(payment))
    fits = yield from challenges.right(house, checkout, challenge, given)
    checkout.noted("right answer" if fits else "wrong answer", house.now, challenge.id)
    with suppress(Lost):  # a deadline came between, and what it made of the payment stands
        if not fits and checkout.tries >= house.policy(checkout.seller).attempts:
            yield from finish(house, run, WRONG)
        else:
            checkout.proven = fits
            yield from paying.carried(house, run)
    return (yield from again(payment))


def cancel(house: House, payment: str) -> Talk[Checkout]:
    """Give up, if no money may move yet. Raises Refused."""
    while True:
        checkout = yield from current(house, payment)
        if checkout.steps:
            if checkout.state is State.FAILED:
                return checkout
            raise refused(409, "too_late", "The payment may have been made; it cannot be stopped.")
        if checkout.over:
            return checkout
        try:
            yield from finish(house, Run(checkout), CANCELLED, State.CANCELLED)
        except Lost:
            continue


def returned(house: House, message: Returned) -> Talk[Checkout]:
    """Take back a payer from the page of the bridge's provider: what they approved there, the
    provider is asked. Raises Refused."""
    right = yield from house.token(f"{approval.BACK}\0{message.payment}")
    if not equal(message.token.reveal(), right):
        raise refused(*NO_PAYMENT)
    checkout = yield from current(house, message.payment)
    if checkout.challenge is None or checkout.challenge.means is not Means.APPROVAL:
        return checkout
    if message.cancelled:
        checkout.noted("cancelled at the provider", house.now, checkout.challenge.id)
        with suppress(Lost):
            yield from finish(house, Run(checkout), CANCELLED, State.CANCELLED)
    else:
        yield from approval.found(checkout, fresh=True)
    return (yield from current(house, message.payment))


def counted(house: House, run: Run, challenge: Challenge) -> Talk[None]:
    """Count an answer before it is judged. Raises Refused when another one came first."""
    checkout = run.checkout
    checkout.tries += 1
    checkout.noted("answered", house.now, challenge.id)
    if checkout.challenge is None:
        checkout.happened("challenge_closed", house.now)
    try:
        yield from write(run)
    except Lost:
        raise Refused(409, CLOSED) from None


def closed(house: House, checkout: Checkout, name: str) -> Talk[Refused]:
    """Note an answer that nobody waits for, and refuse it."""
    noted = [line for line in checkout.audit if line[1] == "replay refused"]
    if len(noted) < REPLAYS_NOTED:
        checkout.noted("replay refused", house.now, name[:100])
        with suppress(Lost, JournalError):  # the refusal stands without its note
            yield from write(Run(checkout))
    return Refused(409, CLOSED)


def current(house: House, payment: str) -> Talk[Checkout]:
    """Give a payment as it is after what time and the journal tell. Raises Refused."""
    checkout = yield from paying.refresh(house, payment)
    if checkout is None:
        raise refused(*NO_PAYMENT)
    return checkout


def again(payment: str) -> Talk[Checkout]:
    """Read a payment once more."""
    checkout = yield from recall(payment)
    assert checkout is not None, "pages of payments are not forgotten"
    return checkout
