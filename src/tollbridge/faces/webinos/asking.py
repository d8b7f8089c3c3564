"""What customers say: answers to challenges, decisions on the provider's own page, and no.

An answer is counted before it is looked at, by compare-and-set: of many that come at once, one is
judged. What comes for a challenge that is no longer open changes nothing and is noted.
"""

from collections.abc import Mapping
from typing import Any

from tollbridge.core.instrument import Instrument, Token
from tollbridge.faces.webinos import challenges, paying, wallet
from tollbridge.faces.webinos.house import House, Talk, equal
from tollbridge.faces.webinos.messages import Decide, LookAt, Refused, refused
from tollbridge.faces.webinos.notebook import Lost, Run, finish, recall, write
from tollbridge.faces.webinos.outcome import (
    CANCELLED,
    REFUSED,
    STRANGER,
    WRONG,
    Failed,
    authentication,
)
from tollbridge.faces.webinos.sessions import Challenge, Checkout, Means, State
from tollbridge.faces.webinos.wallet import INSTRUMENTS_MAX, Wallet
from tollbridge.ground.errors import JournalError
from tollbridge.ground.flow import Note
from tollbridge.ground.secret import Secret

NAME_LETTERS_MAX = 200
REPLAYS_NOTED = 20
CLOSED = authentication("challenge_closed", "This question is not open.")
NO_PAYMENT = (404, "unknown_payment", "There is no such payment.")


def answer(house: House, payment: str, name: str, given: Secret[str]) -> Talk[Checkout]:
    """Take the answer to a text or an image. Raises Refused where it is not asked for."""
    checkout = yield from _current(house, payment)
    challenge = checkout.challenge
    if challenge is None or challenge.id != name or challenge.kind == "url":
        raise (yield from _closed(house, checkout, name))
    run = Run(checkout)
    checkout.challenge = None
    checkout.state = State.PROCESSING
    yield from _counted(house, run, challenge)
    fits = yield from challenges.right(house, checkout, challenge, given)
    checkout.noted("right answer" if fits else "wrong answer", house.now, challenge.id)
    try:
        if fits:
            checkout.proven = True
            yield from paying.carried(house, run)
        elif checkout.tries >= house.policy(checkout.seller).attempts:
            yield from finish(house, run, WRONG)
        else:
            yield from paying.carried(house, run)
    except Lost:
        pass  # a deadline came between, and what it made of the payment stands
    return (yield from _again(payment))


def cancel(house: House, payment: str) -> Talk[Checkout]:
    """Give up, if no money may move yet. Raises Refused."""
    while True:
        checkout = yield from _current(house, payment)
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


def look_at(house: House, message: LookAt) -> Talk[tuple[Checkout, Challenge]]:
    """Find what the provider's page shall show. Raises Refused."""
    return (yield from _opened(house, message))


def decide(house: House, message: Decide) -> Talk[Checkout]:
    """Take the payer's decision on the provider's page. Raises Refused."""
    checkout, challenge = yield from _opened(house, message)
    run = Run(checkout)
    fields = message.fields
    try:
        match fields.get("decision"):
            case "refuse":
                checkout.noted("refused by the payer", house.now, challenge.id)
                if challenge.means is Means.INSTRUMENT:
                    yield from finish(house, run, CANCELLED, State.CANCELLED)
                else:
                    yield from finish(house, run, REFUSED)
            case "pay":
                yield from _pay(house, run, challenge, fields)
            case _:
                raise refused(422, "decision", 'decision is "pay" or "refuse".')
    except Lost:
        raise Refused(409, CLOSED) from None
    return (yield from _again(checkout.id))


def _pay(house: House, run: Run, challenge: Challenge, fields: Mapping[str, Any]) -> Talk[None]:
    """Go from a decision to the money, or to the next question."""
    checkout = run.checkout
    refund = checkout.kind == "refund"
    shown = fields.get("card")
    card = wallet.read_card(shown, house.now) if shown is not None else None
    keep = isinstance(shown, Mapping) and shown.get("keep") is True
    given = fields.get("answer")
    said = given.strip() if isinstance(given, str) else ""
    if len(said) > NAME_LETTERS_MAX:
        raise refused(422, "too_long", "The answer is too long.")
    who = checkout.customer or challenge.who
    if challenge.means is Means.INSTRUMENT:
        found = (yield from wallet.load(house, said)) if said else None
        if card is None or (keep and found is not None):
            # Who names a customer must be that customer.
            if not said:
                raise refused(422, "instrument_missing", "Say how to pay.")
            yield from _identified(house, run, challenge, said, found)
            return
        if keep and said:
            found = Wallet(customer=said, contact=said)
    else:
        found = yield from wallet.load(house, who)
    bridge = paying.bridge_of(house, checkout)
    chosen = fields.get("instrument")
    held = found.choose(bridge, chosen if isinstance(chosen, str) else "") if found else None
    if card is None and held is None and not refund:
        raise refused(422, "instrument_missing", "There is no such instrument to pay with.")
    if challenge.means is Means.CODE:
        yield from _counted(house, run, challenge)
        if not (yield from challenges.right(house, checkout, challenge, Secret(said))):
            checkout.noted("wrong answer", house.now, challenge.id)
            if checkout.tries >= house.policy(checkout.seller).attempts:
                yield from finish(house, run, WRONG)
            else:
                checkout.happened("state", house.now)
                yield from write(run)
            return
    checkout.noted("confirmed by the payer", house.now, challenge.id)
    checkout.proven = True
    if challenge.means is not Means.INSTRUMENT:
        checkout.customer = who
    elif keep and found is not None:
        checkout.customer = found.customer
    if refund:
        checkout.challenge = None
        yield from paying.carried(house, run)
        return
    more: tuple[Note, ...] = ()
    name = ""
    paid_with: Instrument
    try:
        if card is not None and keep and found is not None:
            paid_with, name, more = yield from _kept(house, run, challenge, found, card)
        elif card is not None:
            paid_with = card
        else:
            assert found is not None
            assert held is not None
            name = held.id
            paid_with = yield from wallet.instrument_of(house, found, held, bridge)
    except Failed as failed:
        # Nothing was asked for but to store the card: another one may do.
        raise Refused(503 if failed.problem.retry else 422, failed.problem) from None
    try:
        yield from paying.pay(house, run, paid_with, name, more)
    except Failed as failed:
        yield from finish(house, run, failed.problem)


def _identified(
    house: House, run: Run, challenge: Challenge, who: str, found: Wallet | None
) -> Talk[None]:
    """Let a payer say who they are: a code goes to whom that is. Raises Refused."""
    checkout = run.checkout
    yield from _counted(house, run, challenge)
    if checkout.tries >= house.policy(checkout.seller).attempts:
        yield from finish(house, run, WRONG)
        return
    challenge.who = who
    known = found is not None and found.contact
    if not known or not (yield from challenges.send(house, checkout, challenge, found)):
        raise Refused(422, STRANGER)
    checkout.happened("challenge", house.now)
    yield from write(run)


def _kept(
    house: House, run: Run, challenge: Challenge, found: Wallet, card: Any
) -> Talk[tuple[Instrument, str, tuple[Note, ...]]]:
    """Store a new card in a wallet; its page is written when the money is asked for."""
    bridge = paying.bridge_of(house, run.checkout)
    held = yield from wallet.new(house, card)
    known = found.find(held.id)
    if known is None and len(found.instruments) >= INSTRUMENTS_MAX:
        return card, "", ()
    held = known or held
    sealed = yield from wallet.stored(house, card, bridge, f"{challenge.id}/{held.id}")
    if not sealed:
        return card, "", ()
    held.sealed[bridge] = sealed
    if known is None:
        found.instruments.append(held)
    plain = yield from house.unsealed(sealed)
    return Token(plain, held.view), held.id, (found.note(),)


def _opened(house: House, message: LookAt | Decide) -> Talk[tuple[Checkout, Challenge]]:
    """Find the challenge of a page of ours by its one-time token. Raises Refused."""
    right = yield from house.confirm_token(message.challenge)
    if not equal(message.token.reveal(), right.reveal()):
        raise refused(*NO_PAYMENT)
    checkout = yield from _current(house, f"wp_{message.challenge.split('_')[1]}")
    challenge = checkout.challenge
    if challenge is None or challenge.id != message.challenge or challenge.kind != "url":
        raise (yield from _closed(house, checkout, message.challenge))
    return checkout, challenge


def _counted(house: House, run: Run, challenge: Challenge) -> Talk[None]:
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


def _closed(house: House, checkout: Checkout, name: str) -> Talk[Refused]:
    """Note an answer that nobody waits for, and refuse it."""
    noted = [line for line in checkout.audit if line[1] == "replay refused"]
    if len(noted) < REPLAYS_NOTED:
        checkout.noted("replay refused", house.now, name[:100])
        try:
            yield from write(Run(checkout))
        except (Lost, JournalError):
            pass  # the refusal stands without its note
    return Refused(409, CLOSED)


def _current(house: House, payment: str) -> Talk[Checkout]:
    checkout = yield from paying.refresh(house, payment)
    if checkout is None:
        raise refused(*NO_PAYMENT)
    return checkout


def _again(payment: str) -> Talk[Checkout]:
    checkout = yield from recall(payment)
    assert checkout is not None, "pages of payments are not forgotten"
    return checkout
