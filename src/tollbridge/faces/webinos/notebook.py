"""Reading and writing the pages of payments. Every write is a compare-and-set, and whoever follows
the payment is told."""

from contextlib import suppress
from dataclasses import dataclass

from tollbridge.faces.webinos import sessions, wallet
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.outcome import Failed, Problem
from tollbridge.faces.webinos.sessions import Checkout, State, later
from tollbridge.faces.webinos.wishes import Changed
from tollbridge.ground.clock import Instant
from tollbridge.ground.flow import Exchange, Note, Page, Party, Recall, Remember

STALLED_S = 20.0
"""After so long without a change nobody is busy with a payment any more."""
JTI_LETTERS = 32
"""128 bits."""
_EVENTS = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


class Lost(Exception):
    """Somebody changed the page meanwhile; read it again."""


@dataclass(slots=True)
class Run:
    """A payment in the hands of a flow. `first` are the pages to be written with its first one."""

    checkout: Checkout
    first: tuple[Note, ...] = ()

    def notes(self, *more: Note) -> tuple[Note, ...]:
        """Give all that is to be written now."""
        return (self.checkout.note(), *self.first, *more)

    def written(self) -> None:
        """Count that it was."""
        self.checkout.version += 1
        self.first = ()


def recall(payment: str) -> Talk[Checkout | None]:
    """Read a payment."""
    found: Page | None = yield Recall(sessions.page(payment))
    return sessions.read(found) if found else None


def write(run: Run, *more: Note) -> Talk[None]:
    """Write a payment, and tell its followers. Raises Lost."""
    if not (yield Remember(run.notes(*more))):
        raise Lost
    run.written()
    yield from changed(run.checkout.id)


def changed(payment: str) -> Talk[None]:
    """Tell the followers of a payment to look."""
    yield Exchange(Party.DEVICE, Changed(payment))


def finish(
    house: House, run: Run, problem: Problem | None, state: State | None = None, at: int = 0
) -> Talk[None]:
    """Give a payment its one final outcome: `problem` None is success. Raises Lost."""
    checkout = run.checkout
    closed = Note(sessions.still_open(checkout.id), None)
    run.first = tuple(note for note in run.first if note.key != closed.key)
    notes = [closed]
    checkout.challenge = None
    if problem is None:
        checkout.state = State.SUCCEEDED
        checkout.jti = house.ids.secret()[:JTI_LETTERS]
        checkout.paid_at = at or house.now
        if checkout.customer and checkout.kind == "charge":
            notes += yield from _paid(house, checkout)
    else:
        checkout.state = state or State.FAILED
        checkout.error = problem.fields()
    checkout.happened(_EVENTS[checkout.state], house.now)
    seller = house.seller(checkout.seller)
    # The journal tells of charges that were asked for; nobody else tells of other ends.
    if seller and seller.notices_url and (checkout.kind == "refund" or not checkout.steps):
        notes.append(Note(sessions.untold(checkout.id), b""))
    yield from write(run, *notes)


def wait_for_outcome(house: House, run: Run, *, mine: bool) -> Talk[None]:
    """Say that the outcome is not known, and after a while that it stays so; not while somebody
    else may just be asking."""
    checkout = run.checkout
    if checkout.state is State.UNKNOWN:
        if checkout.late or house.now < later(Instant(checkout.touched), house.provider.unknown_s):
            return
        checkout.late = True
    elif not (mine or stalled(house.now, checkout)):
        return
    checkout.state = State.UNKNOWN
    checkout.happened("state", house.now)
    yield from write(run)


def stalled(now: Instant, checkout: Checkout) -> bool:
    """Say whether nobody is busy with a payment any more."""
    return now >= later(Instant(checkout.touched), STALLED_S)


def _paid(house: House, checkout: Checkout) -> Talk[list[Note]]:
    """Count a payment in the customer's wallet; not where the device has no keys just now."""
    found = None
    with suppress(Failed):
        found = yield from wallet.load(house, checkout.customer)
    if found is None:
        return []
    found.payments += 1
    held = found.find(checkout.instrument)
    if held is not None:
        held.used = True
    return [found.note()]
