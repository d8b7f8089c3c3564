"""How often: payments of a customer, payments to a seller, questions to a customer (N-068).

What counts is noted in the same commit as the payment, so a restart forgets nothing, and it is kept
in memory, where it counts before it is written: so of many at once no more get through than may.
What was refused counts too, until the process ends.
"""

from itertools import islice, takewhile

from tollbridge.faces.webinos import sessions
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.notebook import Run
from tollbridge.faces.webinos.outcome import Code, Failed, Problem
from tollbridge.faces.webinos.settings import Policy
from tollbridge.ground.clock import MICROSECONDS_PER_S
from tollbridge.ground.flow import Browse, Note, Page

SOON_S = 60
"""What is likely to be gone within this time may be tried again (N-068)."""
FORGOTTEN_AT_ONCE = 100


def begun(house: House, run: Run) -> Talk[None]:
    """Count a payment that is to begin, no refund. Raises Failed where it is one too many."""
    checkout = run.checkout
    if checkout.kind == "refund":
        return
    rules = house.policy(checkout.seller)
    if checkout.customer:
        who = ("customer", checkout.customer)
        yield from _count(house, run, rules, who, rules.customer_max, checkout.id)
    yield from _count(house, run, rules, ("seller", checkout.seller), rules.seller_max, checkout.id)


def asked(house: House, run: Run, customer: str) -> Talk[None]:
    """Count a question to a customer. Raises Failed where it is one too many."""
    rules = house.policy(run.checkout.seller)
    name = f"{run.checkout.id}.{run.checkout.tries}"
    yield from _count(house, run, rules, ("asked", customer), rules.asked_max, name)


def _count(
    house: House, run: Run, rules: Policy, who: tuple[str, str], most: int, name: str
) -> Talk[None]:
    if not most:
        return
    prefix = sessions.paces(*who, rules.window_s)
    pages: list[tuple[str, Page]] = []
    if house.pace.of(prefix) is None:
        pages = yield Browse(prefix, "", most)
    # From here to the end nobody comes between. What was counted first stands first.
    times = house.pace.of(prefix) or house.pace.learnt(prefix, [key for key, _ in reversed(pages)])
    now = house.now
    since = now - round(rules.window_s * MICROSECONDS_PER_S)
    old = [other for other, _ in takewhile(lambda each: each[1] <= since, times.items())]
    if name not in times and len(times) - len(old) >= most:
        nth = next(islice(times.values(), len(times) - most, None))
        soon = nth - since <= SOON_S * MICROSECONDS_PER_S
        raise Failed(Problem(Code.EXCEEDED, "too_often", "Too often in a short time.", soon))
    times.setdefault(name, now)
    gone = [other for other in old[:FORGOTTEN_AT_ONCE] if other != name]
    notes = [Note(sessions.pace(prefix, times.pop(other), other), None) for other in gone]
    run.first = (*run.first, *notes, Note(sessions.pace(prefix, times[name], name), b""))
