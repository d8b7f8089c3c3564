"""What became of an operation, in WPI's words. Total: every outcome and every error has one."""

from typing import assert_never

from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Cause, DeclineCode, Declined, Pending, Unsent
from tollbridge.faces.wpi.tables import Action, Condition
from tollbridge.ground.errors import (
    IdempotencyConflict,
    IllegalOperation,
    InvalidMoney,
    JournalError,
    TollbridgeError,
    UnknownPayment,
    UnresolvedOperation,
    Unsupported,
)

DECLINES = dict.fromkeys(DeclineCode, Condition.HOST_REFUSAL) | {
    DeclineCode.NO_ROUTE: Condition.NETWORK_ISSUE,
    DeclineCode.ANSWER_TOO_LATE: Condition.TRANSACTION_TIMEOUT,
}

CAUSES = {
    Cause.NOT_SENT: Condition.NETWORK_ISSUE,
    Cause.STOPPED: Condition.INTERNAL,
    Cause.NEVER_ARRIVED: Condition.TRANSACTION_TIMEOUT,
    Cause.REVERSED: Condition.TRANSACTION_TIMEOUT,
}

ERRORS: dict[type[TollbridgeError], Condition] = {
    InvalidMoney: Condition.INVALID_AMOUNT,
    UnknownPayment: Condition.INVALID_TRANSACTION_REQ,
    IllegalOperation: Condition.INVALID_TRANSACTION_REQ,
    UnresolvedOperation: Condition.BUSY,
    IdempotencyConflict: Condition.SESSION_ID_ALREADY_IN_USE,
    Unsupported: Condition.SERVICE_NOT_SUPPORTED,
    JournalError: Condition.INTERNAL,
}

ACTIONS = {"identification": Action.ASK_LEGAL_IDENTIFICATION, "signature": Action.ASK_SIGNATURE}


def condition(operation: Operation) -> tuple[Condition, str]:
    """Give an operation's error condition and remark; NONE when it was approved.

    An operation that was abandoned is TRANSACTION_TIMEOUT for ever: the business application was
    told so, and a late approval is undone.
    """
    if operation.abandoned:
        return Condition.TRANSACTION_TIMEOUT, "no answer in time; an approval is being undone"
    match operation.outcome:
        case Approved():
            return Condition.NONE, ""
        case Declined() as declined:
            remark = f"{declined.provider_code} {declined.text}".strip() or declined.code.value
            return DECLINES[declined.code], remark
        case Unsent() as unsent:
            return CAUSES[unsent.cause], unsent.reason
        case Pending() | None:
            remark = "the outcome is not known yet; ask with WPI_SVC_LAST_TRANSACTION"
            return Condition.TRANSACTION_TIMEOUT, remark
        case other:
            assert_never(other)


def condition_of(error: TollbridgeError) -> Condition:
    """Give the condition of an error the engine raised; the nearest ancestor in the tree counts."""
    for kind in type(error).__mro__:
        if kind in ERRORS:
            return ERRORS[kind]
    return Condition.INTERNAL


def action(operation: Operation) -> Action:
    """Give what the business application must do about an approved operation (4.1.2.4)."""
    details = operation.outcome.details if isinstance(operation.outcome, Approved) else {}
    return ACTIONS.get(details.get("action", ""), Action.NONE)
