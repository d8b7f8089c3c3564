"""What became of an operation, in WPI's words. Total: every outcome and every error has one."""

from dataclasses import dataclass
from typing import assert_never

from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Cause, DeclineCode, Declined, Pending, Unsent
from tollbridge.faces.wpi.tables import Action, Condition
from tollbridge.ground.clock import Instant
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
from tollbridge.ground.money import Money

DECLINES = dict.fromkeys(DeclineCode, Condition.HOST_REFUSAL) | {
    DeclineCode.NO_ROUTE: Condition.NETWORK_ISSUE,
    DeclineCode.ANSWER_TOO_LATE: Condition.TRANSACTION_TIMEOUT,
}

CAUSES = {
    Cause.NOT_SENT: Condition.NETWORK_ISSUE,
    Cause.STOPPED: Condition.INTERNAL,
    Cause.NEVER_ARRIVED: Condition.TRANSACTION_TIMEOUT,
    Cause.REVERSED: Condition.TRANSACTION_TIMEOUT,
    Cause.UNFIT: Condition.HOST_REFUSAL,
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


OFFLINE_APPROVED, OFFLINE_DECLINED = "Y1", "Z1"
"""What a card answers when it decides without its issuer (EMV authorisation response codes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an exchange came to. `code` and `text` are the provider's, `decline` is our word for
    why it said no; `offline` says that the card decided alone."""

    condition: Condition
    at: Instant
    remark: str = ""
    amount: Money | None = None
    operation: str = ""
    authorization_code: str = ""
    code: str = ""
    text: str = ""
    decline: DeclineCode | None = None
    action: Action = Action.NONE
    offline: bool = False

    @property
    def approved(self) -> bool:
        """Whether it succeeded."""
        return self.condition is Condition.NONE


def done(operation: Operation) -> Done:
    """Say what became of an operation.

    One that was abandoned is TRANSACTION_TIMEOUT for ever: the business application was told so,
    and a late approval is undone.
    """
    at, name = operation.request.at, operation.id
    if operation.abandoned:
        remark = "no answer in time; an approval is being undone"
        return Done(
            condition=Condition.TRANSACTION_TIMEOUT,
            remark=remark,
            at=at,
            operation=name,
            amount=operation.amount,
        )
    match operation.outcome:
        case Approved() as approved:
            return Done(
                condition=Condition.NONE,
                at=at,
                operation=name,
                amount=operation.approved_amount,
                authorization_code=approved.authorization_code,
                code=approved.provider_code,
                action=ACTIONS.get(approved.details.get("action", ""), Action.NONE),
            )
        case Declined() as declined:
            remark = f"{declined.provider_code} {declined.text}".strip() or declined.code.value
            return Done(
                condition=DECLINES[declined.code],
                remark=remark,
                at=at,
                operation=name,
                amount=operation.amount,
                code=declined.provider_code,
                text=declined.text,
                decline=declined.code,
            )
        case Unsent() as unsent:
            condition, remark = CAUSES[unsent.cause], unsent.reason
        case Pending() | None:
            condition = Condition.TRANSACTION_TIMEOUT
            remark = "the outcome is not known yet; ask with WPI_SVC_LAST_TRANSACTION"
        case other:
            assert_never(other)
    return Done(condition=condition, remark=remark, at=at, operation=name, amount=operation.amount)


def condition_of(error: TollbridgeError) -> Condition:
    """Give the condition of an error the engine raised; the nearest ancestor in the tree counts."""
    for kind in type(error).__mro__:
        if kind in ERRORS:
            return ERRORS[kind]
    return Condition.INTERNAL
