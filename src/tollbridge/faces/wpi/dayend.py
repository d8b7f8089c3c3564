"""WPI_SVC_DAY_END (4.3.2): close the batch, upload what was approved offline, add up.

First the batch is frozen, durably: what is paid from then on belongs to the next one. Every step
after that may be done again, so a day-end that broke off (a crash, no line to the host) is
finished by the next one. The sums come from the journal; a line says only where to look.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tollbridge.core.asks import Look
from tollbridge.core.operation import Operation
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.wpi import answers, notebook, offline
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.state import Run, Talk, Terminal
from tollbridge.ground.flow import Note

GIVING_BACK = frozenset({Verb.REFUND, Verb.CREDIT})


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a batch: one attempt of an exchange."""

    package: str
    session: str
    attempt: int


@dataclass(slots=True)
class Sums:
    """What a batch comes to, by brand and currency, and what must be told beside."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    minors: Counter[tuple[str, str]] = field(default_factory=Counter)
    open: list[Line] = field(default_factory=list)

    def add(self, brand: str, operation: Operation) -> None:
        """Count an operation."""
        amount = operation.approved_amount
        assert amount is not None
        key = brand, amount.currency.code
        back = operation.verb in GIVING_BACK
        self.counts[key] += 1
        self.minors[key] += -amount.amount_minor if back else amount.amount_minor

    def totals(self) -> list[dict[str, Any]]:
        """List the sums, in the order of their names."""
        return [
            {
                "brand": brand,
                "currency": code,
                "count": count,
                "amount_minor": self.minors[brand, code],
            }
            for (brand, code), count in sorted(self.counts.items())
        ]


def closed(terminal: Terminal, run: Run) -> Talk[tuple[Slip, list[Note]]]:
    """Close the batch; give the slip, and the notes that make it final with the answer: once they
    are written, `terminal.closing` is None.

    Raises Refused where the host cannot be reached: then the next day-end goes on from there.
    """
    if terminal.closing is None:
        closing = terminal.period
        yield from notebook.keep(notebook.period_note(terminal, closing + 1, closing))
        terminal.closing, terminal.period = closing, closing + 1
    period = terminal.closing
    told = yield from _uploaded(terminal, run)
    sums = yield from summed(terminal, period)
    notes = [notebook.period_note(terminal, terminal.period, None)]
    # What is not decided yet is settled with the batch that is open then.
    for each in sums.open:
        notes += yield from notebook.moved(terminal, each)
    pages = yield from notebook.browse(terminal.pages.lines(period))
    notes += [Note(key, None) for key, _ in pages]
    slip = Slip(
        kind="day_end",
        service=run.call.service.name,
        at=answers.timestamp(run.profile, terminal.clock.now()),
        period=f"{period:06d}",
        totals=sums.totals(),
        lines=told,
    )
    return slip, notes


def summed(terminal: Terminal, period: int) -> Talk[Sums]:
    """Add up a batch from the journal. What was undone is not counted, nor what was declined."""
    sums = Sums()
    pages = yield from notebook.browse(terminal.pages.lines(period))
    for each in dict.fromkeys(Line(*notebook.value_of(page)) for _, page in pages):
        name = terminal.pages.key(each.package, each.session, each.attempt)
        payment: Payment | None = yield Look(key=name)
        operation = payment.find(name) if payment else None
        if payment is None or operation is None:
            continue
        if _undecided(payment, operation):
            sums.open.append(each)
        elif payment.counts(operation) and not operation.abandoned:
            view = payment.opening.view
            sums.add(view.brand if view else "", operation)
    return sums


def _undecided(payment: Payment, operation: Operation) -> bool:
    """Say whether nobody knows yet if an operation counts: its outcome is to come, or that of its
    cancellation."""
    last = payment.unresolved
    if last is None or operation.abandoned:
        return False
    return last is operation or (last.verb is Verb.VOID and last.target == operation.ordinal)


def _uploaded(terminal: Terminal, run: Run) -> Talk[list[str]]:
    """Upload what was approved offline; give a line for each that the host refused."""
    told = []
    waiting = yield from offline.all_waiting(terminal)
    for reference, found in waiting:
        done = yield from offline.uploaded(terminal, run, reference, found)
        if not done.approved:
            told.append(f"REFUSED {reference} {found.money} {done.remark}")
    return told
