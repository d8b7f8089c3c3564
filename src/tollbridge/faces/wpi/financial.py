"""The financial services (4.2): with a card, or by the reference of an earlier transaction."""

from itertools import count

from tollbridge.core.asks import Look
from tollbridge.core.operation import Operation
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.wpi import conversation, ending, host, notebook, offline
from tollbridge.faces.wpi.check import Wanted
from tollbridge.faces.wpi.messages import Reply
from tollbridge.faces.wpi.state import Refused, Run, Talk, Terminal
from tollbridge.faces.wpi.tables import PAYMENT, SERVICES, Condition, Service
from tollbridge.ground.clock import MICROSECONDS_PER_S
from tollbridge.ground.flow import Flow, Page, Recall
from tollbridge.ground.ids import CROCKFORD, check_letter
from tollbridge.ground.money import Money
from tollbridge.wire import json

REFERENCE_LETTERS = 10
DEFERRED = "WPI_SVC_DEFERRED_PAYMENT_AUTHORIZATION"
SETTLED = frozenset({PAYMENT, "WPI_SVC_PAYMENT_COMPLETION"})
"""What a day-end closes: it cannot be cancelled any more then, only refunded (A-25)."""


def with_card(terminal: Terminal, run: Run, wanted: Wanted) -> Flow[Reply]:
    """Let a card be presented, and pay, reserve or give back with it (4.2.1, 4.2.3, 4.2.4)."""
    service, money = run.call.service, wanted.money
    assert money is not None
    if service.follows and "paymentSolutionReference" in wanted.fields:
        return (yield from continued(terminal, run, wanted))
    if service.password_protected:
        yield from conversation.password(run)
    tip_minor = (yield from conversation.tip(run, money)) if service.tips else None
    total = money + Money(tip_minor, money.currency) if tip_minor else money
    seen = terminal.takes_card(run, money)
    if seen is None:
        card = yield from conversation.present(run, total, run.profile.entries)
        seen = yield from conversation.settle_card(run, card)
    else:
        run.language = seen.language
    dcc = (yield from conversation.currency(run, seen, total)) if service.converts else None
    if service.verb in (Verb.PURCHASE, Verb.AUTHORIZE):
        yield from conversation.verify(run, seen, total)
    if not seen.token:
        seen.token = yield from conversation.token_of(run, seen.card.number)
    offers_tips = service.tips and run.profile.tip is not None
    draft = ending.drafted(
        terminal, run, total, seen, tip_minor=tip_minor if offers_tips else None, dcc=dcc
    )
    run.session.slip = draft
    return (yield from host.with_card(terminal, run, seen, total))


def cancelled(terminal: Terminal, run: Run, wanted: Wanted) -> Flow[Reply]:
    """Undo the one operation a reference stands for (4.2.2)."""
    code, service = wanted.fields["paymentSolutionReference"], run.call.service
    waiting = yield from offline.waiting(terminal, code)
    if waiting is not None and waiting[0].service == service.cancels:
        if (yield from offline.forgettable(terminal, waiting[0])):
            return (yield from offline.cancelled(terminal, run, code, *waiting))
    payment, target, period = yield from _earlier(terminal, code, service)
    if target.unresolved:
        raise Refused(Condition.BUSY, "the outcome of that transaction is not known yet")
    if not payment.counts(target):
        raise _invalid("the transaction was cancelled before, or was not successful")
    if service.cancels in SETTLED and period != f"{terminal.period:06d}":
        raise _invalid("a day-end closed the transaction; refund it instead (4.3.2)")
    yield from _still_cancellable(terminal, code, host.brand_of(payment.opening))
    run.session.slip = ending.drafted(terminal, run, target.approved_amount)
    operation = yield from host.asked(
        terminal, run, Verb.VOID, payment=payment.id, target=target.ordinal
    )
    return (yield from host.finished(terminal, run, operation))


def continued(terminal: Terminal, run: Run, wanted: Wanted) -> Flow[Reply]:
    """Go on with an earlier payment: increment, complete, refund (4.2.5, 4.2.6, 4.2.7.2, 4.2.9)."""
    service, money = run.call.service, wanted.money
    assert money is not None
    code = wanted.fields["paymentSolutionReference"]
    if (yield from offline.waiting(terminal, code)) is not None:
        raise _invalid("it was approved offline and waits for its upload by WPI_SVC_DAY_END")
    payment, operation, _ = yield from _earlier(terminal, code, service)
    if payment.unresolved is not None:
        raise Refused(Condition.BUSY, "the outcome of that transaction is not known yet")
    if payment.currency != money.currency:
        raise Refused(
            Condition.INVALID_CURRENCY, f"the original transaction is in {payment.currency}"
        )
    verb = Verb.REFUND if service.verb in (Verb.CREDIT, Verb.REFUND) else service.verb
    assert verb is not None
    _check_amount(run, payment, verb, money)
    if DEFERRED in service.follows and verb is Verb.CAPTURE:
        _not_expired(terminal, run, operation)
    if service.password_protected:
        yield from conversation.password(run)
    run.session.slip = ending.drafted(terminal, run, money)
    if money.amount_minor == 0:
        done = yield from host.asked(terminal, run, Verb.VOID, payment=payment.id, target=1)
    else:
        done = yield from host.asked(terminal, run, verb, payment=payment.id, amount=money)
    return (yield from host.finished(terminal, run, done, host.brand_of(payment.opening)))


def _check_amount(run: Run, payment: Payment, verb: Verb, money: Money) -> None:
    """Check the amount against what is left. Raises Refused."""
    service, amounts = run.call.service, payment.amounts
    if verb is Verb.INCREMENT:
        if amounts.capturable_minor <= 0:
            raise _invalid("the reservation is not open any more")
        return
    if verb is Verb.REFUND:
        left, what = amounts.refundable_minor, "left to refund"
    else:
        left, what = amounts.capturable_minor, "reserved"
        if left <= 0:
            raise _invalid("the reservation was completed or cancelled before")
    if verb is Verb.REFUND and left <= 0:
        raise _invalid("nothing of the transaction is left to refund")
    if money.amount_minor > left:
        remark = f"requestedAmount is above the {left} {what} ({service.section})"
        raise Refused(service.above, remark)


def _not_expired(terminal: Terminal, run: Run, operation: Operation) -> None:
    waited = (terminal.clock.now() - operation.request.at) / MICROSECONDS_PER_S
    if waited > run.profile.deferred_s:
        raise _invalid("the deferred authorization has expired (4.2.7)")


def _still_cancellable(terminal: Terminal, code: str, brand: str) -> Talk[None]:
    if code not in (yield from notebook.cancellable(terminal, brand)):
        last = terminal.profile.cancellable_last
        raise _invalid(
            f"only the last {last} transactions of a brand can be cancelled; refund it instead"
            " (4.1.2.6)"
        )


def _earlier(
    terminal: Terminal, code: str, service: Service
) -> Talk[tuple[Payment, Operation, str]]:
    """Find the transaction a paymentSolutionReference stands for, if the service takes it; with
    the batch it belongs to.

    A cancellation needs the very transaction; what continues takes any of its chain (A-25).
    """
    form = len(code) == REFERENCE_LETTERS and all(letter in CROCKFORD for letter in code)
    if not form or check_letter(code[:-1]) != code[-1]:
        raise _invalid("it is not one of this terminal's; check for a typing error")
    page: Page | None = yield Recall(terminal.pages.reference(code))
    if page is None:
        raise _invalid("this terminal has no such transaction")
    package, name, was = json.read(page.value)
    if was not in service.follows:
        raise _invalid(f"it stands for {was}, not for {' or '.join(service.follows)} (4.2.2)")
    found = yield from notebook.known(terminal, package, name)
    period = found[0].slip.period if found and found[0].slip else ""
    attempt = found[0].attempt if found else None
    payment, operation = yield from _carried_out(terminal, package, name, attempt)
    if service is not SERVICES.get(f"WPI_SVC_CANCEL_{was.removeprefix('WPI_SVC_')}"):
        if not operation.unresolved and not _successful(operation):
            raise _invalid("the transaction was not successful")
    return payment, operation, period


def _carried_out(
    terminal: Terminal, package: str, session: str, attempt: int | None
) -> Talk[tuple[Payment, Operation]]:
    """Find what the host was asked for in an attempt of an exchange, or in the last one where the
    session that knew it is forgotten."""
    found: tuple[Payment, Operation] | None = None
    for number in count(1) if attempt is None else (attempt,):
        key = terminal.pages.key(package, session, number)
        payment: Payment | None = yield Look(key=key)
        operation = payment.find(key) if payment else None
        if payment is None or operation is None:
            break
        found = payment, operation
    if found is None:
        raise _invalid("the transaction was not carried out")
    return found


def _successful(operation: Operation) -> bool:
    return operation.approved_amount is not None and not operation.abandoned


def _invalid(why: str) -> Refused:
    return Refused(Condition.INVALID_TRANSACTION_REQ, f"paymentSolutionReference: {why}")
