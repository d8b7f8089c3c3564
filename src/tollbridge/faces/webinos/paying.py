"""Taking a payment on: ask for what is needed, then for the money, then say what became of it.

The page of a payment is written in the same commit as the request that may move money, and the
request's key is the payment's name: so it is asked for once, and whoever comes after a crash finds
both or neither.
"""

from contextlib import suppress

from tollbridge.core.asks import Ask, Look
from tollbridge.core.instrument import Instrument, InstrumentView, Token
from tollbridge.core.outcome import Approved, Declined, Pending, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import approval, challenges, pace, policy, refunds, sessions, wallet
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.notebook import (
    Lost,
    Run,
    changed,
    finish,
    recall,
    stalled,
    wait_for_outcome,
    write,
)
from tollbridge.faces.webinos.outcome import (
    DEADLINE,
    EXPIRED,
    IMPOSSIBLE,
    STRANGER,
    Failed,
    charge,
    of_error,
    of_outcome,
)
from tollbridge.faces.webinos.sessions import Checkout, Means, State, Step
from tollbridge.faces.webinos.settings import Service
from tollbridge.ground.errors import IdempotencyConflict, UsageError, VersionConflict
from tollbridge.ground.flow import Note
from tollbridge.ground.secret import Secret, scrub

REFERENCE_LETTERS_MAX = 100
RECEIPT_LETTERS_MAX = 2000


def go_on(house: House, run: Run) -> Talk[None]:
    """Challenge the customer if the policy wants it, or else pay.

    Raises Lost, and Failed where it cannot go on; then nothing was asked for.
    """
    checkout = run.checkout
    service = service_of(house, checkout.service)
    if service and service.payer != "wallet" and checkout.kind != "refund":
        yield from _elsewhere(house, run, service)
        return
    found = None
    if checkout.customer:
        found = yield from wallet.load(house, checkout.customer)
        if found is None:
            raise Failed(STRANGER)
    elif checkout.kind == "refund":
        raise Failed(charge("customer_needed", "A refund needs a customerID."))
    bridge = bridge_of(house, checkout)
    held = found.choose(bridge, checkout.instrument) if found else None
    why = policy.why(house.policy(checkout.seller), checkout, found, held)
    if (why or checkout.challenged) and not checkout.proven:
        checkout.noted(f"challenged for: {why or 'an answer that was wrong'}", house.now)
        if found is not None:
            yield from pace.asked(house, run, found.customer)
        yield from challenges.issue(house, checkout, found, held)
        yield from write(run)
        return
    if checkout.kind == "refund":
        yield from refunds.go_on(house, run, mine=True)
        return
    if found is None or held is None:
        raise Failed(IMPOSSIBLE)
    instrument = yield from wallet.instrument_of(house, found, held, bridge)
    yield from pay(house, run, instrument, held.id)


def pay(
    house: House, run: Run, instrument: Instrument, held: str = "", more: tuple[Note, ...] = ()
) -> Talk[None]:
    """Ask for the money, and settle. `more` is written with it. Raises Lost, and Failed."""
    checkout = run.checkout
    verb = Verb(checkout.verb)
    checkout.challenge = None
    checkout.state = State.PROCESSING
    checkout.instrument = held
    checkout.steps = [Step(minor=checkout.minor, state=refunds.ASKED)]
    checkout.happened("state", house.now)
    if checkout.customer and verb is Verb.PURCHASE:
        more = (*more, Note(sessions.charge(checkout), b""))
    try:
        yield Ask(
            verb=verb,
            key=checkout.key(0),
            amount=checkout.money if verb is Verb.PURCHASE else None,
            instrument=instrument,
            merchant=checkout.seller,
            bridge=bridge_of(house, checkout),
            reference=scrub(checkout.bill_id)[:REFERENCE_LETTERS_MAX],
            details=sessions.details(checkout),
            notes=run.notes(*more),
        )
    except (VersionConflict, IdempotencyConflict):
        raise Lost from None
    except UsageError as error:
        checkout.steps = []
        raise Failed(of_error(error)) from None
    run.written()
    yield from changed(checkout.id)
    with suppress(Failed):  # whatever fails now, the journal knows, and the payment goes on later
        yield from settle(house, checkout.id, mine=True)


def received(house: House, run: Run, receipt: Secret[str]) -> Talk[None]:
    """Pay with a store's receipt. Raises Lost."""
    letters = len(receipt.reveal())
    fits = 0 < letters <= RECEIPT_LETTERS_MAX
    yield from _carried_with(house, run, receipt if fits else Secret("-"))


def _elsewhere(house: House, run: Run, service: Service) -> Talk[None]:
    """Send the payer to where they pay: to the provider's page, or for a store's receipt.

    Raises Lost, and Failed.
    """
    checkout = run.checkout
    if checkout.verb != Verb.PURCHASE:
        raise Failed(charge("not_supported", "This service takes payments only."))
    if service.payer == "receipt":
        challenges.opened(house, checkout, challenges.receipt(house, checkout, service.name))
        yield from write(run)
        return
    if "url" not in checkout.kinds:
        raise Failed(IMPOSSIBLE)
    reference = scrub(checkout.bill_id)[:REFERENCE_LETTERS_MAX]
    yield from approval.ask(house, run, bridge_of(house, checkout), reference)
    begun = yield from recall(checkout.id)
    assert begun is not None, "its page was written with the ask"
    yield from changed(checkout.id)
    yield from _approved(house, Run(begun))


def _approved(house: House, run: Run) -> Talk[None]:
    """Go on with what the payer approved, if they did. Raises Lost."""
    checkout = run.checkout
    outcome = yield from approval.found(checkout)
    match outcome:
        case Approved():
            yield from _carried_with(house, run, Secret(outcome.reference))
        case Pending() if checkout.challenge is None:
            page = challenges.approval(house, checkout, outcome.next_step)
            challenges.opened(house, checkout, page)
            yield from write(run)
        case Declined() | Unsent():
            yield from finish(house, run, of_outcome(outcome))


def _carried_with(house: House, run: Run, token: Secret[str]) -> Talk[None]:
    try:
        yield from pay(house, run, Token(token, InstrumentView(entry="online")))
    except Failed as failed:
        yield from finish(house, run, failed.problem)


def settle(house: House, payment: str, *, mine: bool = False) -> Talk[None]:
    """Learn from the journal what became of a payment that was asked for.

    `mine`: this flow asked, so nobody else is waiting for the answer.
    """
    while True:
        checkout = yield from recall(payment)
        if checkout is None or checkout.over or not checkout.steps:
            return
        run = Run(checkout)
        try:
            if checkout.kind == "refund":
                yield from refunds.go_on(house, run, mine=mine)
            else:
                yield from _charged(house, run, mine=mine)
        except Lost:
            continue
        return


def refresh(house: House, payment: str) -> Talk[Checkout | None]:
    """Move a payment on by what time and the journal tell; give it as it is then."""
    while True:
        checkout = yield from recall(payment)
        if checkout is None or checkout.over:
            return checkout
        run = Run(checkout)
        try:
            if checkout.steps:
                yield from settle(house, payment)
            elif checkout.challenge is not None and house.now >= checkout.challenge.expires:
                yield from finish(house, run, EXPIRED)
            elif house.now >= checkout.deadline:
                yield from finish(house, run, EXPIRED if checkout.challenge else DEADLINE)
            elif checkout.challenge is not None and checkout.challenge.means is Means.APPROVAL:
                yield from _approved(house, run)
            elif checkout.challenge is None and stalled(house.now, checkout):
                # A crash came between an answer and what follows from it.
                yield from carried(house, run)
            else:
                return checkout
        except Lost:
            continue
        return (yield from recall(payment))


def begin(house: House, run: Run) -> Talk[None]:
    """Go on with a payment for the first time. Raises Lost, and Failed: then nothing was begun."""
    try:
        yield from go_on(house, run)
    except wallet.NotStored as failed:
        if failed.problem.retry:
            raise
        yield from finish(house, run, failed.problem)


def carried(house: House, run: Run) -> Talk[None]:
    """Go on with a payment whose page is written: what cannot go on ends it. Raises Lost."""
    try:
        yield from go_on(house, run)
    except Failed as failed:
        yield from finish(house, run, failed.problem)


def service_of(house: House, name: str) -> Service | None:
    """Find a service by its id; the first one for ""."""
    for service in house.provider.services:
        if name in ("", service.id):
            return service
    return None


def bridge_of(house: House, checkout: Checkout) -> str:
    """Name the bridge that carries a payment out."""
    service = service_of(house, checkout.service)
    return service.bridge if service else ""


def _charged(house: House, run: Run, *, mine: bool) -> Talk[None]:
    found: Payment | None = yield Look(key=run.checkout.key(0))
    opening = found.opening if found else None
    if opening is None or opening.unresolved or opening.outcome is None:
        yield from wait_for_outcome(house, run, mine=mine)
        return
    problem = of_outcome(opening.outcome)
    yield from finish(house, run, problem, at=opening.settled_at or 0)
