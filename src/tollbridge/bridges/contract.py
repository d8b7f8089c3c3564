"""What a bridge is: a passive translator (RFC 3867, 1.2) that says what to send and what it meant.

A bridge never sends, waits, retries or remembers. Its flows yield Requests and Waits, and at most
one of the requests of `perform` has `moves_money=True`; two movements are two operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Outcome, Unclear
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import TollbridgeError
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import OperationId
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Request


@dataclass(frozen=True, slots=True)
class VerbCapability:
    """How a provider does one verb.

    `partial`: for less than all that is left; `multiple`: more than once per payment.
    """

    partial: bool = True
    multiple: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do. The engine refuses the rest before anything is written.

    `currencies` None means every current one. `answer_limit_s` is how long an answer may take
    before it counts as lost; `in_flight_limit_s` how long after sending a message may still arrive
    at the provider, so that "not found" proves nothing before. `inquiry`: the provider can be
    asked what became of an operation. `reversal`: it takes back an operation it may or may not
    have seen, also one that arrives later. A bridge with neither leaves unknowns to a person.
    `card_numbers`: it takes the numbers of cards; the others take tokens only. `keeps_tokens`: its
    tokens are names nobody but the merchant can use, and it can be asked about an operation only by
    them, so the engine writes them down with it (`InstrumentView.reference`).
    """

    verbs: Mapping[Verb, VerbCapability]
    currencies: frozenset[str] | None = None
    answer_limit_s: float = 30.0
    in_flight_limit_s: float = 120.0
    inquiry: bool = True
    reversal: bool = False
    card_numbers: bool = False
    keeps_tokens: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a notice says: an outcome, and the operation it is about."""

    operation: OperationId
    outcome: Outcome


class Bridge(Protocol):
    """One provider."""

    name: str
    capabilities: Capabilities

    def perform(self, operation: Operation, payment: Payment) -> Flow[Outcome]:
        """Carry out an operation: yields Request or Wait, is sent Response."""
        ...

    def inquire(self, operation: Operation, payment: Payment) -> Flow[Outcome | Unclear]:
        """Ask what became of an operation. Moves nothing."""
        ...

    def reverse(self, operation: Operation, payment: Payment) -> Flow[bool]:
        """Take an operation back, whether or not it arrived; True once that is acknowledged.

        Only called when `capabilities.reversal` says so; may be repeated any number of times.
        """
        ...

    def hear(self, notice: Request) -> Heard:
        """Read what the provider tells us unasked.

        Raises RemoteProtocolError when the signature is wrong or the notice is not understood.
        """
        ...


@dataclass(frozen=True, slots=True)
class CardDetails:
    """A card as its holder hands it to the provider, and to nobody else.

    `kind` is the provider's word for the sort of instrument.
    """

    name: str
    month: int
    year: int
    number: Secret[str]
    cvc: Secret[str]
    kind: str = "Card"


@dataclass(frozen=True, slots=True)
class ClientToken:
    """What a provider gives for a card: good for one payment to one merchant.

    `masked_number` and `scheme` may be shown; "" where the provider does not say.
    """

    token: Secret[str]
    masked_number: str = ""
    scheme: str = ""


class TokenRefused(TollbridgeError):
    """The provider gives no token for this card; nothing was charged.

    `provider_code` is its own word for why.
    """

    code = "token_refused"

    def __init__(self, message: str, provider_code: str) -> None:
        super().__init__(message)
        self.provider_code = provider_code
