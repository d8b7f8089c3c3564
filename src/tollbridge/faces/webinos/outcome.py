"""What became of a payment, in the three codes of the Webinos Payment API, with a finer reason and
whether trying again soon may help. Total: every outcome and every error has one (N-066, N-068)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tollbridge.core.outcome import Approved, Cause, DeclineCode, Declined, Outcome, Pending, Unsent
from tollbridge.ground.errors import (
    ConfigError,
    IdempotencyConflict,
    IllegalOperation,
    InvalidMoney,
    JournalError,
    ProtocolError,
    TollbridgeError,
    TransportError,
    UnknownPayment,
    UnresolvedOperation,
    Unsupported,
    VersionConflict,
)


class Code(StrEnum):
    """The codes of PaymentError; there are no others."""

    CHARGE = "payment_charge_failed"
    EXCEEDED = "payment_chargeable_exceeded"
    AUTHENTICATION = "payment_authentication_failed"


@dataclass(frozen=True, slots=True)
class Problem:
    """A PaymentError. `message` is for people and holds no secret; `retry`: the condition is likely
    to be gone within a minute."""

    code: Code
    reason: str
    message: str
    retry: bool = False

    def fields(self) -> dict[str, Any]:
        """Give it as pages see it: all members, always."""
        return {
            "code": self.code.value,
            "message": self.message,
            "retryPossible": self.retry,
            "reason": self.reason,
        }


class Failed(Exception):
    """The payment cannot go on, for this reason; no money has moved for it and none may."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def charge(reason: str, message: str, *, retry: bool = False) -> Problem:
    """Make a payment_charge_failed."""
    return Problem(Code.CHARGE, reason, message, retry)


def authentication(reason: str, message: str, *, retry: bool = False) -> Problem:
    """Make a payment_authentication_failed."""
    return Problem(Code.AUTHENTICATION, reason, message, retry)


UNREACHABLE = charge("unreachable", "The payment provider cannot be reached just now.", retry=True)
CANCELLED = charge("cancelled", "The payment was cancelled.")
UNKNOWN = charge("outcome_unknown", "It is not known yet whether the payment was made.")
BUSY = charge("busy", "Another step of this payment is being carried out; try again.", retry=True)
EXPIRED = authentication("challenge_expired", "The question was not answered in time.", retry=True)
DEADLINE = charge("deadline", "The payment took too long and was given up.", retry=True)
WRONG = authentication("wrong_answer", "The answer was wrong too often.")
REFUSED = authentication("challenge_refused", "The payer refused to confirm the payment.")
IMPOSSIBLE = authentication(
    "no_challenge_possible", "The payment must be confirmed, and this page cannot show how."
)
STRANGER = authentication("unknown_customer", "The provider does not know this customer.")
TOO_LARGE = charge(
    "refund_too_large", "More than this seller charged this customer and did not give back."
)


def _declined(reason: str, message: str) -> Problem:
    return charge(reason, message)


DECLINES: dict[DeclineCode, Problem] = {
    DeclineCode.DO_NOT_HONOUR: _declined("declined", "The card's issuer declined."),
    DeclineCode.REFERRAL: _declined("declined", "The card's issuer wants to be called."),
    DeclineCode.INSUFFICIENT_FUNDS: Problem(
        Code.EXCEEDED, "insufficient_funds", "There is not enough money for this payment."
    ),
    DeclineCode.LIMIT_EXCEEDED: Problem(
        Code.EXCEEDED, "limit_exceeded", "The payment exceeds what may be spent."
    ),
    DeclineCode.EXPIRED_CARD: _declined("expired_card", "The card is expired."),
    DeclineCode.INVALID_CARD: _declined("invalid_card", "The card is not valid."),
    DeclineCode.PICK_UP_CARD: _declined("declined", "The card's issuer declined."),
    DeclineCode.LOST_CARD: _declined("declined", "The card's issuer declined."),
    DeclineCode.STOLEN_CARD: _declined("declined", "The card's issuer declined."),
    DeclineCode.SUSPECTED_FRAUD: _declined("declined", "The card's issuer declined."),
    DeclineCode.RESTRICTED_CARD: _declined("restricted_card", "The card cannot be used for this."),
    DeclineCode.INCORRECT_PIN: authentication("incorrect_pin", "The PIN is wrong."),
    DeclineCode.PIN_TRIES_EXCEEDED: authentication(
        "pin_tries_exceeded", "The PIN was wrong too often."
    ),
    DeclineCode.AUTHENTICATION_REQUIRED: authentication(
        "authentication_required", "The card's issuer wants to be sure who pays."
    ),
    DeclineCode.NOT_PERMITTED: _declined("not_permitted", "This card may not do that."),
    DeclineCode.INVALID_AMOUNT: _declined("amount_invalid", "The provider refused the amount."),
    DeclineCode.INVALID_TRANSACTION: _declined("invalid", "The provider refused the payment."),
    DeclineCode.INVALID_MERCHANT: _declined("seller_blocked", "The seller cannot be paid."),
    DeclineCode.DUPLICATE: _declined("duplicate", "The provider saw this payment before."),
    DeclineCode.ANSWER_TOO_LATE: charge("too_late", "The issuer answered too late.", retry=True),
    DeclineCode.ISSUER_UNAVAILABLE: charge(
        "issuer_unavailable", "The card's issuer cannot be reached just now.", retry=True
    ),
    DeclineCode.NO_ROUTE: UNREACHABLE,
    DeclineCode.SYSTEM_ERROR: charge("system_error", "The provider had a problem.", retry=True),
}

CAUSES: dict[Cause, Problem] = {
    Cause.NOT_SENT: UNREACHABLE,
    Cause.STOPPED: charge("stopped", "The payment was stopped before it was sent.", retry=True),
    Cause.NEVER_ARRIVED: charge("never_arrived", "The payment never arrived.", retry=True),
    Cause.REVERSED: charge("reversed", "The payment was taken back.", retry=True),
    Cause.UNFIT: charge("instrument_unfit", "What was to pay cannot pay this."),
}

ERRORS: dict[type[TollbridgeError], Problem] = {
    InvalidMoney: charge("amount_invalid", "The amount or its currency cannot be paid."),
    UnknownPayment: charge("unknown_payment", "There is no such payment."),
    IllegalOperation: TOO_LARGE,
    UnresolvedOperation: BUSY,
    IdempotencyConflict: charge("idempotency_conflict", "Something else was asked before."),
    VersionConflict: BUSY,
    Unsupported: charge("not_supported", "The provider does not do this."),
    JournalError: charge("busy", "It could not be written down; try again.", retry=True),
    ProtocolError: charge("invalid_request", "The request could not be read."),
    TransportError: UNREACHABLE,
    ConfigError: charge("system_error", "The provider is not set up for this."),
    TollbridgeError: charge("system_error", "The provider had a problem."),
}


def of_outcome(outcome: Outcome) -> Problem | None:
    """Say why an outcome is no success; None where it is one."""
    match outcome:
        case Approved():
            return None
        case Declined(code=code):
            return DECLINES[code]
        case Unsent(cause=cause):
            return CAUSES[cause]
        case Pending():
            return UNKNOWN


def of_error(error: TollbridgeError) -> Problem:
    """Say what an error comes to; the nearest ancestor in the tree counts."""
    return next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)
