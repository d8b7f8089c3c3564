"""What the payer says on the provider's own page: to pay, with what, and who they are; or no.

The page's credential is the one-time token of its challenge, good for this payment alone, as long
as the challenge is open. Who says to be a customer answers a code that goes to that customer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tollbridge.core.instrument import Card, Instrument, Token
from tollbridge.faces.webinos import asking, challenges, pace, paying, wallet
from tollbridge.faces.webinos.asking import CLOSED, NO_PAYMENT, counted
from tollbridge.faces.webinos.house import House, Talk, equal
from tollbridge.faces.webinos.messages import Decide, LookAt, Refused, refused
from tollbridge.faces.webinos.notebook import Lost, Run, finish, write
from tollbridge.faces.webinos.outcome import CANCELLED, REFUSED, STRANGER, WRONG, Failed, Problem
from tollbridge.faces.webinos.sessions import Challenge, Checkout, Means, State
from tollbridge.faces.webinos.wallet import INSTRUMENTS_MAX, Held, Wallet
from tollbridge.ground.clock import Instant
from tollbridge.ground.flow import Note
from tollbridge.ground.secret import Secret

NAME_LETTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Decision:
    """What the payer chose. `said` is a code, or who the payer is."""

    card: Card | None
    keep: bool
    instrument: str
    said: str = field(repr=False)


def look_at(house: House, message: LookAt) -> Talk[tuple[Checkout, Challenge]]:
    """Find what the provider's page shall show. Raises Refused."""
    return (yield from _opened(house, message))


def decide(house: House, message: Decide) -> Talk[Checkout]:
    """Take the payer's decision. Raises Refused."""
    checkout, challenge = yield from _opened(house, message)
    run = Run(checkout)
    try:
        match message.fields.get("decision"):
            case "refuse":
                checkout.noted("refused by the payer", house.now, challenge.id)
                if challenge.means is Means.INSTRUMENT:
                    yield from finish(house, run, CANCELLED, State.CANCELLED)
                else:
                    yield from finish(house, run, REFUSED)
            case "pay":
                decision = _read(message.fields, house.now)
                yield from _decided(house, run, challenge, decision)
            case _:
                raise refused(422, "decision", 'decision is "pay" or "refuse".')
    except Lost:
        raise Refused(409, CLOSED) from None
    return (yield from asking.again(checkout.id))


def _read(fields: Mapping[str, Any], now: Instant) -> Decision:
    shown, given, chosen = fields.get("card"), fields.get("answer"), fields.get("instrument")
    said = given.strip() if isinstance(given, str) else ""
    if len(said) > NAME_LETTERS_MAX:
        raise refused(422, "too_long", "The answer is too long.")
    return Decision(
        card=wallet.read_card(shown, now) if shown is not None else None,
        keep=isinstance(shown, Mapping) and shown.get("keep") is True,
        instrument=chosen if isinstance(chosen, str) else "",
        said=said,
    )


def _decided(house: House, run: Run, challenge: Challenge, decision: Decision) -> Talk[None]:
    """Go from a decision to the money, or to the next question. Raises Refused and Lost."""
    checkout = run.checkout
    if challenge.means is Means.INSTRUMENT:
        known = (yield from wallet.load(house, decision.said)) if decision.said else None
        # Who names a customer must be that customer.
        if decision.card is None or (decision.keep and known is not None):
            yield from _identified(house, run, challenge, decision.said, known)
            return
        new = decision.keep and decision.said
        found = Wallet(customer=decision.said, contact=decision.said) if new else None
    else:
        found = yield from wallet.load(house, checkout.customer or challenge.who)
    bridge = paying.bridge_of(house, checkout)
    held = found.choose(bridge, decision.instrument) if found else None
    if decision.card is None and held is None and checkout.kind != "refund":
        raise refused(422, "instrument_missing", "There is no such instrument to pay with.")
    if challenge.means is Means.CODE:
        if not (yield from _code_fits(house, run, challenge, decision.said)):
            return
    checkout.noted("confirmed by the payer", house.now, challenge.id)
    checkout.proven = True
    checkout.customer = found.customer if found else ""
    if checkout.kind == "refund":
        checkout.challenge = None
        yield from paying.carried(house, run)
        return
    yield from _paid(house, run, decision, found, held)


def _paid(
    house: House, run: Run, decision: Decision, found: Wallet | None, held: Held | None
) -> Talk[None]:
    try:
        instrument, name, more = yield from _means(house, run, decision, found, held)
    except Failed as failed:
        if isinstance(failed, wallet.NotStored) and (
            yield from _last_card(house, run.checkout.id, failed.problem)
        ):
            return
        # Nothing was asked for but to store the card: another one may do.
        raise Refused(503 if failed.problem.retry else 422, failed.problem) from None
    try:
        yield from paying.pay(house, run, instrument, name, more)
    except Failed as failed:
        yield from finish(house, run, failed.problem)


def _last_card(house: House, payment: str, problem: Problem) -> Talk[bool]:
    """Count a card the provider refused as a wrong answer; say whether it was the last that may be
    tried. Raises Lost."""
    checkout = yield from asking.again(payment)
    if checkout.challenge is None:
        raise Lost
    run = Run(checkout)
    checkout.tries += 1
    checkout.noted("card refused", house.now)
    last = checkout.tries >= house.policy(checkout.seller).attempts
    yield from finish(house, run, problem) if last else write(run)
    return last


def _code_fits(house: House, run: Run, challenge: Challenge, said: str) -> Talk[bool]:
    checkout = run.checkout
    yield from counted(house, run, challenge)
    if (yield from challenges.right(house, checkout, challenge, Secret(said))):
        return True
    checkout.noted("wrong answer", house.now, challenge.id)
    if checkout.tries >= house.policy(checkout.seller).attempts:
        yield from finish(house, run, WRONG)
    else:
        checkout.happened("state", house.now)
        yield from write(run)
    return False


def _identified(
    house: House, run: Run, challenge: Challenge, who: str, found: Wallet | None
) -> Talk[None]:
    """Let a payer say who they are: a code goes to whom that is. Raises Refused."""
    if not who:
        raise refused(422, "instrument_missing", "Say how to pay.")
    checkout = run.checkout
    yield from counted(house, run, challenge)
    if checkout.tries > house.policy(checkout.seller).attempts:
        yield from finish(house, run, WRONG)
        return
    challenge.who = who
    if found is None or not found.contact:
        raise Refused(422, STRANGER)
    yield from pace.asked(house, run, who)
    if not (yield from challenges.send(house, checkout, challenge, found)):
        raise Refused(422, STRANGER)
    checkout.happened("challenge", house.now)
    yield from write(run)


def _means(
    house: House, run: Run, decision: Decision, found: Wallet | None, held: Held | None
) -> Talk[tuple[Instrument, str, tuple[Note, ...]]]:
    """Give what pays, its name in the wallet, and what is to be written with it. Raises Failed."""
    card = decision.card
    bridge = paying.bridge_of(house, run.checkout)
    if card is None:
        assert found is not None
        assert held is not None
        return (yield from wallet.instrument_of(house, found, held, bridge)), held.id, ()
    if not decision.keep or found is None:
        return card, "", ()
    new = yield from wallet.new(house, card)
    kept = found.find(new.id) or new
    if kept is new and len(found.instruments) >= INSTRUMENTS_MAX:
        return card, "", ()
    name = f"{run.checkout.id}/{run.checkout.tries}/{kept.id}"
    sealed = yield from wallet.stored(house, card, bridge, name)
    if not sealed:
        return card, "", ()
    kept.sealed[bridge] = sealed
    if kept is new:
        found.instruments.append(new)
    plain = yield from house.unsealed(sealed)
    return Token(plain, kept.view), kept.id, (found.note(),)


def _opened(house: House, message: LookAt | Decide) -> Talk[tuple[Checkout, Challenge]]:
    """Find the challenge of a page of ours by its one-time token. Raises Refused."""
    right = yield from house.confirm_token(message.challenge)
    if not equal(message.token.reveal(), right.reveal()):
        raise refused(*NO_PAYMENT)
    checkout = yield from asking.current(house, f"wp_{message.challenge.split('_')[1]}")
    challenge = checkout.challenge
    means = challenge.means if challenge is not None and challenge.kind == "url" else None
    if challenge is None or challenge.id != message.challenge or means in (None, Means.APPROVAL):
        raise (yield from asking.closed(house, checkout, message.challenge))
    return checkout, challenge
