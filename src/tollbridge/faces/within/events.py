"""What a producer tells its application (WIRE 5.5). Told after the fact; nothing can be vetoed.

Client tokens and the keys of delivery tokens are secrets here as everywhere.
"""

from dataclasses import dataclass
from typing import TypeAlias

from tollbridge.faces.within.messages import DeliveryToken, Total
from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True)
class ServicesDiscovered:
    """Somebody at `peer` (address:port) asked what there is."""

    peer: str


@dataclass(frozen=True, slots=True)
class PricesAsked:
    """Somebody asked for the prices of a service, which need not exist."""

    peer: str
    service_id: int


@dataclass(frozen=True, slots=True)
class TotalAsked:
    """A selection was answered with a total."""

    peer: str
    service_id: int
    total: Total


@dataclass(frozen=True, slots=True)
class PaymentStarted:
    """The provider is about to be asked for the money; `total_minor` in minor units."""

    total_minor: int
    currency_code: str
    client_token: Secret[str]
    description: str
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentEnded:
    """Ours: what became of it. `paid` None means not known yet."""

    reference: str
    paid: bool | None


@dataclass(frozen=True, slots=True)
class DeliveryBegun:
    """Supply `units` (the granted number) now."""

    service_id: int
    price_id: int
    token: DeliveryToken
    units: int


@dataclass(frozen=True, slots=True)
class DeliveryEnded:
    """The consumer says it received `units`, at most what was granted."""

    service_id: int
    token: DeliveryToken
    units: int


@dataclass(frozen=True, slots=True)
class Refunded:
    """Ours: what was not supplied by the expiry was paid back; `amount_minor` in minor units."""

    reference: str
    amount_minor: int
    currency_code: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something a person should hear of; the text holds nothing secret."""

    text: str


Event: TypeAlias = (
    ServicesDiscovered
    | PricesAsked
    | TotalAsked
    | PaymentStarted
    | PaymentEnded
    | DeliveryBegun
    | DeliveryEnded
    | Refunded
    | Failed
)
