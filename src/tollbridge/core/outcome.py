"""What the provider decided. Data, never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from tollbridge.ground.money import Money


class DeclineCode(StrEnum):
    """Why a provider said no, in our words; the provider's own code travels beside it."""

    DO_NOT_HONOUR = "do_not_honour"
    REFERRAL = "referral"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT_EXCEEDED = "limit_exceeded"
    EXPIRED_CARD = "expired_card"
    INVALID_CARD = "invalid_card"
    PICK_UP_CARD = "pick_up_card"
    LOST_CARD = "lost_card"
    STOLEN_CARD = "stolen_card"
    SUSPECTED_FRAUD = "suspected_fraud"
    RESTRICTED_CARD = "restricted_card"
    INCORRECT_PIN = "incorrect_pin"
    PIN_TRIES_EXCEEDED = "pin_tries_exceeded"
    AUTHENTICATION_REQUIRED = "authentication_required"
    NOT_PERMITTED = "not_permitted"
    INVALID_AMOUNT = "invalid_amount"
    INVALID_TRANSACTION = "invalid_transaction"
    INVALID_MERCHANT = "invalid_merchant"
    DUPLICATE = "duplicate"
    ANSWER_TOO_LATE = "answer_too_late"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    NO_ROUTE = "no_route"
    SYSTEM_ERROR = "system_error"


@dataclass(frozen=True, slots=True)
class Approved:
    """It happened. `amount` is what the provider says was moved, held or released (for store, what
    is approved; None for verify, and for store where any amount is), `reference` the provider's
    name for it, `details` what a receipt may print."""

    amount: Money | None
    reference: str
    authorization_code: str = ""
    provider_code: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declined:
    """It did not happen, and the provider said so."""

    code: DeclineCode
    provider_code: str = ""
    text: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """Not decided yet; `next_step` says what the provider waits for, in its words. Where it waits
    for the customer it is the address of the page where the customer approves."""

    next_step: str
    reference: str = ""


class Cause(StrEnum):
    """How we know that an operation did not happen."""

    NOT_SENT = "not_sent"
    """The provider could not be reached, or our side failed before anything left."""
    STOPPED = "stopped"
    """We stopped before anything left."""
    NEVER_ARRIVED = "never_arrived"
    """The provider does not know it, and nothing can be on its way any more."""
    REVERSED = "reversed"
    """It was taken back."""
    UNFIT = "unfit"
    """What was to pay cannot pay this: it was used before, is not approved, or is for another
    amount; the provider was asked before anything moved."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """It did not happen, and we know why."""

    reason: str
    cause: Cause = Cause.NOT_SENT


Outcome: TypeAlias = Approved | Declined | Pending | Unsent


class Unclear(StrEnum):
    """What an inquiry may say besides an outcome."""

    NOT_FOUND = "not_found"
    """The provider does not know the operation, now; it may still be on its way."""
    CANNOT_KNOW = "cannot_know"
    """The provider cannot be asked."""
