"""Asking the host, and what follows from its answer: a PIN after all, an approval without it, or
the end.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tollbridge.core.asks import Look
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import DeclineCode, Declined
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.wpi import answers, codec, conversation, ending, notebook, offline, outcome
from tollbridge.faces.wpi.messages import Call, Reply
from tollbridge.faces.wpi.outcome import Done
from tollbridge.faces.wpi.sessions import Session
from tollbridge.faces.wpi.state import Died, Refused, Run, Seen, Talk, Terminal, Unknown
from tollbridge.faces.wpi.tables import CANCELLED_BY, SERVICES, Condition, Kind
from tollbridge.faces.wpi.versions import LATEST
from tollbridge.faces.wpi.wishes import Topic
from tollbridge.ground.errors import JournalError, UsageError, VersionConflict
from tollbridge.ground.flow import Flow, Note
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret

BY_HOST = frozenset({Condition.NONE, Condition.HOST_REFUSAL, Condition.NETWORK_ISSUE,
                     Condition.TRANSACTION_TIMEOUT})  # fmt: skip
"""The conditions a scenario leaves to the host and the way to it."""
COUNTED = frozenset({Verb.PURCHASE, Verb.CAPTURE, Verb.REFUND, Verb.CREDIT})
"""What is settled at day-end."""
NO_DETAILS: Mapping[str, str] = MappingProxyType({})
FAULT, CODE = "sandbox.fault", "sandbox.code"


def with_card(terminal: Terminal, run: Run, seen: Seen, money: Money) -> Flow[Reply]:
    """Ask the host for what a card shall pay; ask the cardholder for more if the host wants it."""
    verb = run.call.service.verb
    assert verb is not None
    if run.scenario.offline and verb is Verb.PURCHASE:
        sealed = yield from offline.sealed(run, seen)
        return (yield from offline.decided(terminal, run, seen, money, sealed))
    while True:
        details, card = ending.card_details(run, seen), ending.card_of(seen)
        operation = yield from asked(terminal, run, verb, details, amount=money, instrument=card)
        run.pins_sent += seen.pin is not None
        pin = yield from _pin_after_all(run, operation, seen, money)
        if pin is None:
            break
        seen.verification, seen.pin = "online_pin", pin
        session = run.session
        assert session.slip is not None
        session.slip.verification = "online_pin"
        session.attempt += 1
    if seen.card.stays or run.scenario.card == "stays":
        yield from conversation.tell(run, Topic.REMOVE_CARD)
    if offline.possible(run, operation, seen, money):
        with suppress(Refused):
            # Without a key for what must wait, the host's silence stands.
            sealed = yield from offline.sealed(run, seen)
            return (yield from offline.decided(terminal, run, seen, money, sealed))
    return (yield from finished(terminal, run, operation, seen.application.brand.name))


def asked(
    terminal: Terminal, run: Run, verb: Verb, details: Mapping[str, str] = NO_DETAILS, **more: Any
) -> Talk[Operation]:
    """Ask, with the exchange written in the same commit; give the operation.

    `details` and `more` go into the Ask.
    """
    conversation.go(run)
    scenario = run.scenario
    if scenario.condition is not None and scenario.condition not in BY_HOST:
        raise Refused(scenario.condition, "the scenario wants it")
    if scenario.recovery == "dies_before":
        raise Died
    yield from conversation.tell(run, Topic.PROCESSING, more.get("amount"))
    notes = yield from notebook.begun(terminal, run)
    if verb in COUNTED:
        notes.append(notebook.line(terminal, run.session))
    steered = _steered(scenario.fault, scenario.code)
    ask = ending.ask_for(terminal, run, verb, {**details, **steered}, notes=tuple(notes), **more)
    try:
        payment: Payment = yield ask
    except VersionConflict:
        raise Refused(
            Condition.SESSION_ID_ALREADY_IN_USE, "extra WPI_SESSION_ID was used"
        ) from None
    except JournalError:
        # It may be written and even sent. The session stays open, so that the truth is found.
        raise Unknown from None
    except UsageError as error:
        run.version -= 1  # nothing was written
        raise Refused(outcome.condition_of(error), str(error)) from None
    if scenario.recovery == "dies_after":
        raise Died
    operation = payment.find(ask.key)
    assert operation is not None
    return operation


def finished(terminal: Terminal, run: Run, operation: Operation, brand: str = "") -> Flow[Reply]:
    """Answer with what became of the operation; remember it unless it may still change."""
    done = told(run.session, operation)
    if operation.unresolved and not operation.abandoned:
        return answers.reply(run.call, answers.response(run.profile, run.session, done, None))
    slip = answers.completed(run.profile, run.session, done)
    if slip is not None and slip.signature_wanted and run.profile.signature == "screen":
        assert done.amount is not None
        path = yield from conversation.signature(run, done.amount)
        slip.signature = path
    notes = yield from _cancellable(terminal, run.session, done, brand or brand_of(operation))
    return (yield from ending.concluded(terminal, run, done, slip, notes))


def recovered(terminal: Terminal, session: Session, version: int) -> Talk[Session]:
    """Finish an exchange that a crash broke off, from what the journal knows (4.4.1)."""
    key = terminal.pages.key(session.package, session.session, session.attempt)
    payment: Payment | None = yield Look(key=key)
    operation = payment.find(key) if payment else None
    call = Call(SERVICES[session.service], session.package, session.session, LATEST, "")
    run = Run(call=call, session=session, profile=terminal.profile, version=version)
    notes: list[Note] = []
    if operation is None:
        remark = "the terminal stopped before the transaction was asked for"
        made: dict[str, Any] = codec.failed(Condition.INTERNAL, remark) | session.echoes
        session.slip, session.response = None, ending.text_of(made)
    elif operation.unresolved and not operation.abandoned:
        return session
    else:
        done = told(session, operation)
        slip = answers.completed(terminal.profile, session, done)
        made = answers.response(terminal.profile, session, done, slip)
        session.slip, session.response = slip, ending.text_of(made)
        assert payment is not None
        notes = yield from _cancellable(terminal, session, done, brand_of(payment.opening))
    yield from notebook.ended(terminal, run, notes)
    return run.session


def told(session: Session, operation: Operation) -> Done:
    """Say what became of an operation, in the amounts of the service that was asked for."""
    done = outcome.done(operation)
    released = operation.verb is Verb.VOID and SERVICES[session.service].zero_releases
    if released and done.amount is not None:
        return replace(done, amount=Money(0, done.amount.currency))
    return done


def is_financial(session: Session) -> bool:
    """Say whether an exchange is one that LAST_TRANSACTION gives back."""
    return SERVICES[session.service].kind is Kind.FINANCIAL


def brand_of(operation: Operation) -> str:
    """Give the brand an operation was paid with, "" where only its payment knows."""
    return operation.view.brand if operation.view else ""


def _cancellable(terminal: Terminal, session: Session, done: Done, brand: str) -> Talk[list[Note]]:
    """Give the note that lets an approved exchange be cancelled, where its service can be."""
    if not done.approved or session.service not in CANCELLED_BY:
        return []
    return [(yield from notebook.cancellable_note(terminal, brand, session.reference))]


def _pin_after_all(
    run: Run, operation: Operation, seen: Seen, money: Money
) -> Talk[Secret[str] | None]:
    """Ask for the PIN the host wants, or again for one that was wrong.

    None when it wants none, or the cardholder gives up: then its answer stands.
    """
    if "online_pin" not in run.profile.verifications or seen.card.entry == "magstripe":
        return None
    if not isinstance(operation.outcome, Declined):
        return None
    decline, wrong = operation.outcome.code, seen.pin is not None
    wanted = DeclineCode.INCORRECT_PIN if wrong else DeclineCode.AUTHENTICATION_REQUIRED
    if decline is not wanted or run.pins_sent >= run.profile.pin_tries:
        return None
    try:
        return (yield from conversation.online_pin(run, money, wrong=wrong))
    except Refused:
        return None


def _steered(fault: str, code: str) -> Mapping[str, str]:
    found = {FAULT: fault, CODE: code}
    return {name: value for name, value in found.items() if value}
