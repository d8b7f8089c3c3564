"""What the JSON API takes and gives, as typed values. Amounts are minor units."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tollbridge.core.instrument import InstrumentView
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, DeclineCode, Declined, Outcome, Pending, Unsent
from tollbridge.core.payment import Amounts, Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.clock import iso

Text = Annotated[str, Meta(max_length=200)]
Ident = Annotated[str, Meta(min_length=1, max_length=100)]


class MoneyIn(msgspec.Struct, forbid_unknown_fields=True):
    """An amount in minor units: EUR 11.91 is {"minor": 1191, "currency": "EUR"}."""

    minor: int
    currency: Annotated[str, Meta(min_length=3, max_length=3)]


class CardIn(msgspec.Struct, forbid_unknown_fields=True):
    """A card number, for bridges that take them; the sandbox takes test cards. `expiry` is YYMM."""

    number: Annotated[str, Meta(pattern=r"^\d{12,19}$")]
    expiry: Annotated[str, Meta(pattern=r"^\d{4}$")] | None = None
    security_code: Annotated[str, Meta(pattern=r"^\d{3,4}$")] | None = None


class NewPayment(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A payment to begin: purchase, authorize, credit, verify or store.

    It needs a card or a token, but for a store of an amount that the customer approves at the
    provider: its outcome's text is then the address of the page.
    """

    verb: Verb = Verb.PURCHASE
    amount: MoneyIn | None = None
    card: CardIn | None = None
    token: Annotated[str, Meta(max_length=2000)] | None = None
    merchant: Ident | None = None
    bridge: Text = ""
    reference: Text = ""
    details: dict[Text, Text] = {}
    partial_ok: bool = False


class NewOperation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An operation to continue a payment with: capture, increment, void or refund.

    Without `amount`: all that is left. `target` is the ordinal of the operation a void undoes.
    """

    verb: Verb
    amount: MoneyIn | None = None
    target: int | None = None
    reference: Text = ""
    details: dict[Text, Text] = {}
    final_capture: bool = True


class Closing(msgspec.Struct, forbid_unknown_fields=True):
    """A person's word on an operation nobody else can close: what happened, and how they know."""

    outcome: Annotated[str, Meta(pattern="^(approved|declined|unsent)$")]
    evidence: Annotated[str, Meta(min_length=1, max_length=1000)]


class OutcomeView(msgspec.Struct, omit_defaults=True):
    """What became of an operation."""

    provider_reference: str = ""
    amount_minor: int | None = None
    authorization_code: str = ""
    provider_code: str = ""
    decline_code: str = ""
    text: str = ""
    details: Mapping[str, str] = {}


class OperationView(msgspec.Struct, omit_defaults=True):
    """One operation of a payment. `tender` differs from the amount after a change of currency."""

    id: str
    ordinal: int
    verb: str
    state: str
    requested_at: str
    amount_minor: int | None = None
    currency: str = ""
    tender: MoneyIn | None = None
    target: int | None = None
    instrument: dict[str, str] = {}
    reference: str = ""
    details: Mapping[str, str] = {}
    settled_at: str = ""
    abandoned: bool = False
    outcome: OutcomeView | None = None


class PaymentView(msgspec.Struct):
    """A payment: its amounts, a word for people, and its operations."""

    id: str
    merchant: str
    bridge: str
    currency: str
    status: str
    authorized_minor: int
    captured_minor: int
    refunded_minor: int
    credited_minor: int
    voided_minor: int
    unfinished: bool
    operations: list[OperationView]


class PaymentList(msgspec.Struct):
    """A page of payments, newest first; `next` is the `before` of the next page."""

    payments: list[PaymentView]
    next: str | None


class ErrorBody(msgspec.Struct):
    """Why something was not done. `code` is stable; docs/reference/errors.md explains it."""

    code: str
    message: str


class ErrorView(msgspec.Struct):
    """An error, in an envelope."""

    error: ErrorBody


class FactRow(msgspec.Struct):
    """One entry of the journal."""

    number: int
    payment: str
    version: int
    facts: list[dict[str, Any]]
    hash: str


class FactList(msgspec.Struct):
    """Entries of the journal, in order."""

    entries: list[FactRow]


class Balance(msgspec.Struct):
    """One account of the ledger. Debits are positive."""

    account: str
    currency: str
    amount_minor: int


class BalanceList(msgspec.Struct):
    """The ledger's balances; in every currency they sum to zero."""

    balances: list[Balance]


class Recovered(msgspec.Struct):
    """How many payments a round of recovery finished, and how many remain."""

    finished: int
    remaining: int


class Health(msgspec.Struct):
    """Whether the server works, and on what."""

    status: str
    version: str
    journal_head: int
    unfinished: int


def payment_view(payment: Payment) -> PaymentView:
    """Show a payment."""
    amounts = payment.amounts
    return PaymentView(
        payment.id,
        payment.merchant,
        payment.bridge,
        payment.currency.code if payment.currency else "",
        _status(payment, amounts),
        amounts.authorized_minor,
        amounts.captured_minor,
        amounts.refunded_minor,
        amounts.credited_minor,
        amounts.voided_minor,
        payment.unfinished,
        [_operation(op) for op in payment.operations],
    )


def _status(payment: Payment, amounts: Amounts) -> str:
    """Find a word for people. Programs read the amounts and the operations' states."""
    first = payment.opening
    if payment.unresolved is not None:
        return "waiting for an outcome"
    if not payment.counts(first):
        return "voided" if amounts.voided_minor else first.state.value
    if amounts.credited_minor:
        return "credited"
    if amounts.refunded_minor:
        return "partially refunded" if amounts.refundable_minor else "refunded"
    if amounts.captured_minor:
        return "partially captured" if amounts.capturable_minor else "captured"
    return "authorized" if amounts.authorized_minor else first.state.value


def _operation(op: Operation) -> OperationView:
    amount, tender = op.amount, op.tender
    moved = tender is not None and amount is not None and tender != amount
    return OperationView(
        id=op.id,
        ordinal=op.ordinal,
        verb=op.verb,
        state=op.state,
        requested_at=iso(op.request.at),
        amount_minor=amount.amount_minor if amount else None,
        currency=amount.currency.code if amount else "",
        tender=MoneyIn(tender.amount_minor, tender.currency.code) if tender and moved else None,
        target=op.target,
        instrument=_instrument(op.view) if op.view else {},
        reference=op.request.reference,
        details=op.request.details,
        settled_at=iso(op.settled_at) if op.settled_at else "",
        abandoned=op.abandoned,
        outcome=_outcome(op.outcome) if op.outcome else None,
    )


def _instrument(view: InstrumentView) -> dict[str, str]:
    shown = {
        "brand": view.brand,
        "masked_number": view.masked_number,
        "application_id": view.application_id,
        "application_label": view.application_label,
        "entry": view.entry,
    }
    return {name: value for name, value in shown.items() if value}


def _outcome(outcome: Outcome) -> OutcomeView:
    match outcome:
        case Approved():
            return OutcomeView(
                provider_reference=outcome.reference,
                amount_minor=outcome.amount.amount_minor if outcome.amount else None,
                authorization_code=outcome.authorization_code,
                provider_code=outcome.provider_code,
                details=outcome.details,
            )
        case Declined():
            return OutcomeView(
                provider_reference=outcome.reference,
                provider_code=outcome.provider_code,
                decline_code=outcome.code,
                text=outcome.text,
            )
        case Pending():
            return OutcomeView(provider_reference=outcome.reference, text=outcome.next_step)
        case Unsent():
            return OutcomeView(text=outcome.reason)


def closed(closing: Closing, operation: Operation) -> Outcome:
    """Make the outcome a person testifies to."""
    match closing.outcome:
        case "approved":
            return Approved(operation.tender, "by hand")
        case "declined":
            return Declined(DeclineCode.DO_NOT_HONOUR, "", "by hand")
        case _:
            return Unsent("by hand")
