"""All that can ever be written about a payment. Payment = fold(facts)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from tollbridge.core.instrument import InstrumentView
from tollbridge.core.outcome import Outcome
from tollbridge.core.verbs import Verb
from tollbridge.ground.clock import Instant
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.money import Money


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a double entry: minor units, positive for debit, negative for credit."""

    account: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """Somebody wants this; nothing has left the house.

    `amount` is what the payment counts, `tender` what the provider is asked for; both are None for
    verify and store. `merchant` and `bridge` are the payment's. `target` is the ordinal of the
    operation a void undoes. `details` is what the face wants kept.
    """

    ordinal: int
    at: Instant
    verb: Verb
    key: IdempotencyKey
    merchant: str
    bridge: str
    amount: Money | None = None
    tender: Money | None = None
    target: int | None = None
    view: InstrumentView | None = None
    reference: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    partial_ok: bool = False
    final_capture: bool = True


@dataclass(frozen=True, slots=True)
class Dispatched:
    """From here on a message that moves money may have left."""

    ordinal: int
    at: Instant


@dataclass(frozen=True, slots=True)
class Settled:
    """The provider answered, or evidence says that it never will. `postings` sum to zero in every
    currency."""

    ordinal: int
    at: Instant
    outcome: Outcome
    postings: tuple[Posting, ...] = ()


class Topic(StrEnum):
    """What a note is about."""

    ABANDONED = "abandoned"
    """The asker was told that it failed before the outcome was known."""
    CONFLICT = "conflict"
    """An answer contradicts what was asked or what was settled; a person must look."""
    FAULT = "fault"
    """Our own code failed in the middle."""
    REVERSING = "reversing"
    """The provider cannot be asked, so a reversal is being sent until it is acknowledged."""
    EVIDENCE = "evidence"
    """A person closed the operation and says why."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth keeping that moves nothing."""

    ordinal: int
    at: Instant
    topic: Topic
    text: str


Fact: TypeAlias = Requested | Dispatched | Settled | Noted
