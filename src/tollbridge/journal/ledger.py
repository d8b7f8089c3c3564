"""The ledger: what each settled operation means in double entry.

Accounts: `receivable/<bridge>` (the provider owes us), `payable/<merchant>` (we owe the merchant),
`held/<bridge>` and `held/<merchant>` (authorized, not taken). Debits are positive; every operation
sums to zero in every currency.
"""

from tollbridge.core.facts import Posting
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Outcome
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.money import Money

NONE: tuple[Posting, ...] = ()


def postings(payment: Payment, operation: Operation, outcome: Outcome) -> tuple[Posting, ...]:
    """Give the entries that an outcome of `operation` makes; none unless it is approved."""
    if not isinstance(outcome, Approved) or outcome.amount is None:
        return NONE
    amount = outcome.amount
    match operation.verb:
        case Verb.PURCHASE:
            return _taken(payment, amount)
        case Verb.CAPTURE:
            return _held(payment, -amount) + _taken(payment, amount)
        case Verb.REFUND | Verb.CREDIT:
            return _taken(payment, -amount)
        case Verb.AUTHORIZE | Verb.INCREMENT:
            return _held(payment, amount)
        case Verb.VOID:
            return _undone(payment, operation, amount)
        case _:
            return NONE


def _undone(payment: Payment, void: Operation, amount: Money) -> tuple[Posting, ...]:
    target = payment.operation(void.target or 0)
    match target.verb if target else None:
        case Verb.PURCHASE:
            return _taken(payment, -amount)
        case Verb.CAPTURE:
            return _taken(payment, -amount) + _held(payment, amount)
        case _:
            return _held(payment, -amount)


def _taken(payment: Payment, amount: Money) -> tuple[Posting, ...]:
    return _pair(f"receivable/{payment.bridge}", f"payable/{payment.merchant}", amount)


def _held(payment: Payment, amount: Money) -> tuple[Posting, ...]:
    return _pair(f"held/{payment.bridge}", f"held/{payment.merchant}", amount)


def _pair(debit: str, credit: str, amount: Money) -> tuple[Posting, ...]:
    code = amount.currency.code
    return (
        Posting(debit, code, amount.amount_minor),
        Posting(credit, code, -amount.amount_minor),
    )
