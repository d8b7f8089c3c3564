"""Approvals without the host: a card decides alone, below the floor limit, and is charged later.

The card's details are sealed by the device's secure element, wait in the notebook, and go to the
host at day-end; what is too old by then, or refused, is reported there.
"""

from dataclasses import dataclass, replace

from tollbridge.core.asks import Ask, Look
from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Cause, DeclineCode, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.contract import Seal, Sealed, SecureFault, Unseal, Unsealed
from tollbridge.faces.wpi import answers, conversation, ending, notebook, outcome
from tollbridge.faces.wpi.messages import Reply
from tollbridge.faces.wpi.outcome import OFFLINE_APPROVED, OFFLINE_DECLINED, Done
from tollbridge.faces.wpi.state import Died, Refused, Run, Seen, Talk, Terminal
from tollbridge.faces.wpi.tables import Condition
from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant
from tollbridge.ground.errors import UsageError
from tollbridge.ground.flow import Flow, Note, Page, Party, Recall
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.wire import json

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Waiting:
    """An offline approval that waits for its upload, as its page holds it.

    `sealed` is the card, `ask` what the host will be asked for, `until` when it is too late;
    `code` steers the simulated host; `merchant` is who was paid.
    """

    package: str
    session: str
    attempt: int
    service: str
    sealed: str
    amount_minor: int
    currency: str
    view: list[str]
    details: dict[str, str]
    merchant_reference: str
    until: int
    code: str = ""
    merchant: str = ""

    @property
    def money(self) -> Money:
        """What was approved."""
        return Money.of(self.amount_minor, self.currency)

    def write(self) -> bytes:
        """Write the page."""
        return json.write({name: getattr(self, name) for name in self.__slots__})


def possible(run: Run, operation: Operation, seen: Seen, money: Money) -> bool:
    """Say whether the card may decide alone, now that the host did not.

    It must be certain that nothing was moved: nothing left, or the issuer could not be reached.
    """
    limits = run.profile.limits_of(seen.application.brand.name)
    if run.call.service.verb is not Verb.PURCHASE or money.amount_minor > limits.floor_minor:
        return False
    if seen.card.entry not in ("chip", "contactless") or operation.abandoned:
        return False
    result = operation.outcome
    unreachable = isinstance(result, Unsent) and result.cause is Cause.NOT_SENT
    return unreachable or outcome.done(operation).decline is DeclineCode.ISSUER_UNAVAILABLE


def decided(terminal: Terminal, run: Run, seen: Seen, money: Money, sealed: str) -> Flow[Reply]:
    """Let the card decide, which it does as the scenario wants: it approves, or declines, or
    approves what is refused when it is uploaded. `sealed` is the card as it will wait."""
    conversation.go(run)
    now, session, how = terminal.clock.now(), run.session, run.scenario.offline
    if how == "declined":
        done = Done(
            condition=Condition.HOST_REFUSAL,
            remark=f"{OFFLINE_DECLINED} declined offline by the card",
            at=now,
            amount=money,
            code=OFFLINE_DECLINED,
            offline=True,
        )
        slip = answers.completed(run.profile, session, done)
        return (yield from ending.concluded(terminal, run, done, slip))
    waiting = Waiting(
        package=session.package,
        session=session.session,
        attempt=session.attempt + (1 if run.version else 0),
        service=session.service,
        sealed=sealed,
        amount_minor=money.amount_minor,
        currency=money.currency.code,
        view=_view(seen),
        details=ending.card_details(run, seen),
        merchant_reference=str(session.echoes.get("reference", "")),
        until=now + run.profile.offline_days * DAY_S * MICROSECONDS_PER_S,
        code="05" if how == "refused_later" else "",
        merchant=run.profile.merchant,
    )
    session.attempt = waiting.attempt
    done = Done(condition=Condition.NONE, at=now, amount=money, code=OFFLINE_APPROVED, offline=True)
    slip = answers.completed(run.profile, run.session, done)
    notes = [Note(terminal.pages.offline(session.reference), waiting.write(), expected=0)]
    notes.append(notebook.line(terminal, run.session))
    if not run.version:
        notes.append(terminal.pages.reference_note(run.session))
    if run.scenario.recovery == "dies_before":
        raise Died
    return (yield from ending.concluded(terminal, run, done, slip, notes))


def waiting(terminal: Terminal, reference: str) -> Talk[tuple[Waiting, int] | None]:
    """Find the offline approval a reference stands for, if it still waits, and its version."""
    page: Page | None = yield Recall(terminal.pages.offline(reference))
    return (read(page), page.version) if page is not None else None


def untouched(terminal: Terminal, found: Waiting) -> Talk[bool]:
    """Say whether the host was not asked for it yet, in the present attempt."""
    return (yield from _asked(terminal, found)) is None


def forgettable(terminal: Terminal, found: Waiting) -> Talk[bool]:
    """Say whether it is certain that the host never got it: then, and only then, it can be
    cancelled here alone."""
    operation = yield from _asked(terminal, found)
    return operation is None or isinstance(operation.outcome, Unsent)


def _asked(terminal: Terminal, found: Waiting) -> Talk[Operation | None]:
    key = terminal.pages.key(found.package, found.session, found.attempt)
    payment: Payment | None = yield Look(key=key)
    return payment.find(key) if payment else None


def all_waiting(terminal: Terminal) -> Talk[list[tuple[str, Waiting]]]:
    """List what waits for its upload, by reference."""
    pages = yield from notebook.browse(terminal.pages.offline())
    return [(key.rpartition("/")[2], read(page)) for key, page in pages]


def read(page: Page) -> Waiting:
    """Read a page as `Waiting.write` wrote it."""
    return Waiting(**json.read_object(page.value, what="offline approval"))


def cancelled(
    terminal: Terminal, run: Run, reference: str, found: Waiting, version: int
) -> Flow[Reply]:
    """Cancel an approval before it was uploaded: the card is never charged."""
    conversation.go(run)
    done = Done(
        condition=Condition.NONE,
        at=terminal.clock.now(),
        amount=found.money,
        code=OFFLINE_APPROVED,
        offline=True,
    )
    run.session.slip = ending.drafted(terminal, run, found.money)
    slip = answers.completed(run.profile, run.session, done)
    notes = [
        Note(terminal.pages.offline(reference), None, expected=version),
        terminal.pages.reference_note(run.session),
    ]
    return (yield from ending.concluded(terminal, run, done, slip, notes))


def uploaded(terminal: Terminal, run: Run, reference: str, found: Waiting) -> Talk[Done]:
    """Send an offline approval to the host; the same key finds it again after a crash.

    It waits no longer once the host has decided. Raises Refused where it must wait on.
    """
    page = terminal.pages.offline(reference)
    while True:
        first = yield from untouched(terminal, found)
        now = terminal.clock.now()
        if first and found.until < now:
            yield from notebook.keep(Note(page, None))
            return _lost(found, now, "it was too old to be uploaded")
        answer = yield from conversation.say(run, Party.DEVICE, Unseal(found.sealed))
        if isinstance(answer, SecureFault):
            raise conversation.secure_fault(answer)
        assert isinstance(answer, Unsealed)
        ask = _upload(terminal, run, reference, found, answer.plain)
        try:
            payment: Payment = yield ask
        except UsageError as error:
            yield from notebook.keep(Note(page, None))
            return _lost(found, now, str(error))
        operation = payment.find(ask.key)
        assert operation is not None
        done = outcome.done(operation)
        if operation.unresolved:
            raise Refused(done.condition, done.remark)
        if not isinstance(operation.outcome, Unsent):
            yield from notebook.keep(Note(page, None))
            return done
        found = replace(found, attempt=found.attempt + 1)
        line = notebook.line(terminal, found, terminal.closing)
        session = yield from notebook.attempted(terminal, found)
        yield from notebook.keep(Note(page, found.write()), line, *session)
        if first:
            raise Refused(done.condition, done.remark)
        # That was an earlier day-end's attempt, which never arrived: this one has its own.


def _upload(
    terminal: Terminal, run: Run, reference: str, found: Waiting, plain: Secret[str]
) -> Ask:
    number, _, expiry = plain.reveal().partition(" ")
    details = {
        **found.details,
        "terminal": terminal.profile.terminal_id,
        "terminal_reference": reference,
        "offline": OFFLINE_APPROVED,
    }
    if found.code:
        details["sandbox.code"] = found.code
    return Ask(
        verb=Verb.PURCHASE,
        key=terminal.pages.key(found.package, found.session, found.attempt),
        amount=found.money,
        merchant=found.merchant or run.profile.merchant,
        reference=found.merchant_reference,
        instrument=Card(
            Secret(number), InstrumentView(*found.view), Secret(expiry) if expiry else None
        ),
        details=details,
    )


def sealed(run: Run, seen: Seen) -> Talk[str]:
    """Seal a card until its upload. Raises Refused where the secure element cannot."""
    expiry = seen.card.expiry.reveal() if seen.card.expiry else ""
    plain = Secret(f"{seen.card.number.reveal()} {expiry}".strip())
    answer = yield from conversation.say(run, Party.DEVICE, Seal(plain))
    if isinstance(answer, SecureFault):
        raise conversation.secure_fault(answer)
    assert isinstance(answer, Sealed)
    return answer.sealed


def _view(seen: Seen) -> list[str]:
    view = ending.card_of(seen).view
    return [view.brand, view.masked_number, view.application_id, view.application_label, view.entry]


def _lost(found: Waiting, now: Instant, why: str) -> Done:
    return Done(condition=Condition.HOST_REFUSAL, at=now, amount=found.money, remark=why)
