"""Which operation is legal now. Pure: a payment, a wish and a moment in, a request out.

One rule stands above the table: while an operation is unresolved, the payment takes no other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tollbridge.core.asks import Ask
from tollbridge.core.facts import Requested
from tollbridge.core.operation import Operation
from tollbridge.core.payment import Amounts, Payment
from tollbridge.core.verbs import MOVES_NOTHING, OPENING, UNDOABLE, Verb
from tollbridge.ground.clock import Instant, day
from tollbridge.ground.errors import IllegalOperation, InvalidMoney, UnresolvedOperation
from tollbridge.ground.ids import PaymentId
from tollbridge.ground.money import AMOUNT_MINOR_MAX, Money


@dataclass(frozen=True, slots=True)
class Rule:
    """When a verb may continue a payment, and how far.

    `most` gives the minor units left for it. With `all_by_default`, an ask without amount takes
    them all.
    """

    most: Callable[[Amounts], int]
    all_by_default: bool
    refusal: str


CONTINUING: Mapping[Verb, Rule] = {
    Verb.INCREMENT: Rule(
        lambda amounts: AMOUNT_MINOR_MAX if amounts.capturable_minor > 0 else 0,
        all_by_default=False,
        refusal="there is no open authorization to increment",
    ),
    Verb.CAPTURE: Rule(
        lambda amounts: amounts.capturable_minor,
        all_by_default=True,
        refusal="more than is left of the authorization",
    ),
    Verb.REFUND: Rule(
        lambda amounts: amounts.refundable_minor,
        all_by_default=True,
        refusal="more than was captured and not yet refunded",
    ),
}


def decide(payment: Payment | None, ask: Ask, now: Instant, bridge: str = "") -> Requested:
    """Turn a wish into the request that grants it.

    `payment` is the one to continue, None for verbs that open one; those go to `bridge` where the
    ask names none. Raises UnresolvedOperation, IllegalOperation or InvalidMoney; then nothing has
    happened.
    """
    if payment is None:
        if ask.verb not in OPENING:
            raise IllegalOperation(f"{ask.verb} continues a payment, and none was named")
        return _opening(ask, now, ask.bridge or bridge)
    if ask.verb in OPENING:
        raise IllegalOperation(f"{ask.verb} opens a payment; leave the payment's name out")
    if payment.unresolved is not None:
        raise UnresolvedOperation(
            f"operation {payment.unresolved.id} has no outcome yet; look again later"
        )
    if ask.verb is Verb.VOID:
        return _void(payment, ask, now)
    return _continuing(payment, ask, CONTINUING[ask.verb], now)


def granted_by(request: Requested, payment: PaymentId, ask: Ask) -> bool:
    """Say whether a request is what an ask wants: then asking again is no new wish.

    What an ask leaves open (all that is left, the last operation, the default bridge) fits
    whatever it became.
    """
    return (
        request.verb is ask.verb
        and ask.payment == (payment if request.ordinal > 1 else None)
        and ask.amount in (None, request.amount)
        and ask.target in (None, request.target)
        and ask.bridge in ("", request.bridge)
        and (request.ordinal > 1 or ask.merchant == request.merchant)
        and (ask.instrument.view if ask.instrument else None) == request.view
        and ask.reference == request.reference
        and dict(ask.details) == dict(request.details)
        and ask.partial_ok == request.partial_ok
        and ask.final_capture == request.final_capture
    )


def _opening(ask: Ask, now: Instant, bridge: str) -> Requested:
    if ask.verb in MOVES_NOTHING and ask.amount is None:
        return _requested(ask, None, now, bridge=bridge)
    if ask.verb is Verb.VERIFY:
        raise IllegalOperation(f"{ask.verb} takes no amount")
    if ask.amount is None or ask.amount.amount_minor <= 0:
        raise InvalidMoney(f"{ask.verb} needs an amount above zero")
    _open_for_payments(ask.amount, now)
    return _requested(ask, None, now, bridge=bridge, amount=ask.amount, tender=ask.amount)


def _continuing(payment: Payment, ask: Ask, rule: Rule, now: Instant) -> Requested:
    amounts = payment.amounts
    left = rule.most(amounts)
    amount = ask.amount
    if amount is None and rule.all_by_default and left > 0 and payment.currency is not None:
        amount = Money(left, payment.currency)
    if amount is None or amount.amount_minor <= 0:
        raise InvalidMoney(f"{ask.verb} needs an amount above zero")
    if amount.currency != payment.currency:
        raise InvalidMoney(f"the payment is in {payment.currency}, not in {amount.currency}")
    if amount.amount_minor > left:
        raise IllegalOperation(f"{ask.verb} of {amount}: {rule.refusal}")
    if ask.verb is Verb.INCREMENT:
        _open_for_payments(amount, now)
    before = amounts.refunded_minor if ask.verb is Verb.REFUND else amounts.captured_minor
    tender = _tender(amount, before, now)
    return _requested(ask, payment, now, amount=amount, tender=tender)


def _void(payment: Payment, ask: Ask, now: Instant) -> Requested:
    target, amounts = _target(payment, ask.target), payment.amounts
    if not payment.counts(target):
        raise IllegalOperation(f"{target.id} was not approved or is already undone")
    undone = target.approved_amount
    if target.verb is Verb.AUTHORIZE and undone is not None:
        undone = Money(amounts.authorized_minor, undone.currency)
    if undone is None or (ask.amount is not None and ask.amount != undone):
        raise InvalidMoney(f"a void undoes all of {target.id}, {undone}")
    match target.verb:
        case Verb.PURCHASE | Verb.CAPTURE:
            free = amounts.refundable_minor
        case Verb.INCREMENT:
            free = amounts.capturable_minor if target is _last_increment(payment) else -1
        case _:
            free = undone.amount_minor if amounts.captured_minor == 0 else -1
    if undone.amount_minor > free:
        raise IllegalOperation(f"{target.id} is in use by a later operation")
    return _requested(
        ask,
        payment,
        now,
        amount=undone,
        tender=undone if target.tender == target.amount else target.tender,
        target=target.ordinal,
    )


def _target(payment: Payment, ordinal: int | None) -> Operation:
    if ordinal is not None:
        named = payment.operation(ordinal)
        if named is None or named.verb not in UNDOABLE:
            raise IllegalOperation(f"{payment.id} has no operation {ordinal} that can be voided")
        return named
    for operation in reversed(payment.operations):
        if operation.verb in UNDOABLE and payment.counts(operation):
            return operation
    raise IllegalOperation(f"{payment.id} has nothing left to void")


def _last_increment(payment: Payment) -> Operation:
    return max(
        (op for op in payment.operations if op.verb is Verb.INCREMENT and payment.counts(op)),
        key=lambda op: op.ordinal,
    )


def _open_for_payments(amount: Money, now: Instant) -> None:
    unit = amount.currency
    if not unit.accepts_payments(day(now)):
        instead = f"; use {unit.successor}" if unit.successor else ""
        raise InvalidMoney(f"{unit.code} takes no new payments today{instead}")


def _tender(amount: Money, before_minor: int, now: Instant) -> Money:
    """Convert what a withdrawn currency still has to move.

    The difference of two running totals is converted, so that parts add up to the whole.
    """
    unit = amount.currency
    if unit.accepts_payments(day(now)) or unit.successor is None:
        return amount
    before = Money(before_minor, unit)
    tender = (before + amount).in_successor() - before.in_successor()
    if tender.amount_minor <= 0:
        raise InvalidMoney(f"{amount} is less than one minor unit of {tender.currency.code}")
    return tender


def _requested(
    ask: Ask,
    payment: Payment | None,
    now: Instant,
    *,
    bridge: str = "",
    amount: Money | None = None,
    tender: Money | None = None,
    target: int | None = None,
) -> Requested:
    return Requested(
        ordinal=len(payment.operations) + 1 if payment else 1,
        at=now,
        verb=ask.verb,
        key=ask.key,
        merchant=payment.merchant if payment else ask.merchant,
        bridge=payment.bridge if payment else bridge,
        amount=amount,
        tender=tender,
        target=target,
        view=ask.instrument.view if ask.instrument else None,
        reference=ask.reference,
        details=ask.details,
        partial_ok=ask.partial_ok,
        final_capture=ask.final_capture,
    )
