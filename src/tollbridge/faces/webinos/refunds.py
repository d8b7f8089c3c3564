"""Giving back: a bill below zero moves money from the seller to the customer.

Only what this seller charged this customer and has not given back. The newest charge that can bear
it all does; where none can, several do, each by an operation of its own. What is planned and what
is done stands on the payment's page, so a crash in the middle is finished and never doubled.
"""

from dataclasses import dataclass

from tollbridge.core.asks import Ask, Look
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import sessions
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.notebook import Lost, Run, changed, finish, recall, wait_for_outcome
from tollbridge.faces.webinos.outcome import (
    BUSY,
    TOO_LARGE,
    Failed,
    Problem,
    charge,
    of_error,
    of_outcome,
)
from tollbridge.faces.webinos.sessions import SCOPE, Checkout, State, Step
from tollbridge.ground.errors import (
    IdempotencyConflict,
    UnresolvedOperation,
    UsageError,
    VersionConflict,
)
from tollbridge.ground.flow import Browse, Page
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money

BROWSED = 100
CHARGES_MAX = 1000
"""How many charges are looked at, the newest first."""
STEPS_MAX = 50
"""Into how many operations one refund may be split."""
ASKED, DONE, FAILED, PLANNED = "asked", "done", "failed", "planned"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which charges shall bear what; `busy`: one more could, if it were not in use just now."""

    steps: list[Step]
    busy: bool


def go_on(house: House, run: Run, *, mine: bool) -> Talk[None]:
    """Take a refund as far as it can be taken now.

    Raises Lost, and Failed while its page is not written yet.
    """
    while True:
        checkout = run.checkout
        at = 0
        for place, step in enumerate(checkout.steps):
            if step.state == ASKED:
                payment: Payment = yield Look(payment=PaymentId(step.payment))
                operation = payment.find(checkout.key(place))
                if operation is None or operation.unresolved or operation.outcome is None:
                    yield from wait_for_outcome(house, run, mine=mine)
                    return
                at = operation.settled_at or 0
                _settled(step, of_outcome(operation.outcome))
        place = next((n for n, step in enumerate(checkout.steps) if step.state == PLANNED), -1)
        if place >= 0:
            if (yield from _ask(house, run, place)):
                found = yield from recall(checkout.id)
                assert found is not None, "the page was written with the request"
                run.checkout = found
            continue
        missing = checkout.minor - done(checkout)
        if missing == 0:
            yield from finish(house, run, None, at=at)
            return
        plan = yield from _plan(checkout, missing)
        if not plan.steps:
            problem = _why(checkout, plan)
            if checkout.version == 0:
                raise Failed(problem)
            yield from finish(house, run, problem)
            return
        checkout.steps += plan.steps


def done(checkout: Checkout) -> int:
    """Say how much has been given back, in minor units."""
    return sum(step.minor for step in checkout.steps if step.state == DONE)


def _ask(house: House, run: Run, place: int) -> Talk[bool]:
    """Ask for one step, its page in the same commit; False where it cannot be. Raises Lost."""
    checkout = run.checkout
    step = checkout.steps[place]
    before = checkout.state
    step.state = ASKED
    checkout.challenge = None
    if not any(other.state == DONE for other in checkout.steps):
        checkout.state = State.PROCESSING
        checkout.happened("state", house.now)
    try:
        yield Ask(
            verb=Verb.REFUND,
            key=checkout.key(place),
            payment=PaymentId(step.payment),
            amount=Money.of(step.minor, checkout.currency),
            details=sessions.details(checkout),
            notes=run.notes(),
        )
    except (VersionConflict, IdempotencyConflict):
        raise Lost from None
    except UsageError as error:
        # Nothing was written, of the page neither.
        checkout.state = before
        _settled(step, BUSY if isinstance(error, UnresolvedOperation) else of_error(error))
        return False
    run.written()
    yield from changed(checkout.id)
    return True


def _settled(step: Step, problem: Problem | None) -> None:
    step.state = DONE if problem is None else FAILED
    step.why = problem.fields() if problem else None


def _why(checkout: Checkout, plan: Plan) -> Problem:
    given = done(checkout)
    if given:
        part = Money.of(given, checkout.currency)
        return charge("refund_incomplete", f"Only {part} of {checkout.money} were given back.")
    failed = [step.why for step in checkout.steps if step.why]
    if plan.busy:
        return BUSY
    return sessions.problem(failed[-1]) if failed else TOO_LARGE


def _plan(checkout: Checkout, missing: int) -> Talk[Plan]:
    """Find charges that bear what is missing; a plan without steps where they cannot."""
    taken = {step.payment for step in checkout.steps}
    prefix = sessions.charges(checkout.seller, checkout.customer)
    found: list[Step] = []
    busy = False
    after = ""
    for _ in range(CHARGES_MAX // BROWSED):
        pages: list[tuple[str, Page]] = yield Browse(prefix, after, BROWSED)
        for key, _ in pages:
            payment = yield from _charge(checkout, key, taken)
            if payment is None:
                continue
            busy = busy or payment.unresolved is not None
            left = 0 if payment.unresolved else payment.amounts.refundable_minor
            if left >= missing:
                return Plan([Step(payment=payment.id, minor=missing)], busy)
            if left > 0:
                found.append(Step(payment=payment.id, minor=left))
        if len(pages) < BROWSED:
            break
        after = pages[-1][0]
    return Plan(_split(found[: STEPS_MAX - len(checkout.steps)], missing), busy)


def _charge(checkout: Checkout, key: str, taken: set[str]) -> Talk[Payment | None]:
    """Give a charge that could bear something, by the page that lists it."""
    name = IdempotencyKey(SCOPE, key.rpartition("/")[2])
    payment: Payment | None = yield Look(key=name)
    if payment is None or payment.id in taken or payment.currency is None:
        return None
    return payment if payment.currency.code == checkout.currency else None


def _split(found: list[Step], missing: int) -> list[Step]:
    """Divide what is missing among charges, newest first; nothing where they cannot bear it."""
    split: list[Step] = []
    for step in found:
        if missing > 0:
            step.minor = min(step.minor, missing)
            missing -= step.minor
            split.append(step)
    return [] if missing else split
