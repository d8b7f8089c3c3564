"""The messages things send one another: datagrams, six exchanges over HTTP, and the refusal.

Frozen values in our names; `codec.py` knows how each is spelled on the wire. Ids of services,
prices and units are numbers the producer chose; ids of devices are opaque texts. Amounts are minor
units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tollbridge.ground.secret import Secret

NO_SECRET = Secret("")
ZERO_TIME = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """What a producer says about itself (seed 000, Discover; WIRE 1.1).

    `scheme` ends in "://". `service_types` None: a producer of 2016 or 2017, which has none.
    """

    device_description: str = ""
    hostname: str = ""
    port_number: int = 0
    server_id: str = ""
    url_prefix: str = ""
    scheme: str = ""
    device_name: str = ""
    service_types: tuple[str, ...] | None = None

    @property
    def url(self) -> str:
        """The address every path is added to."""
        host = f"[{self.hostname}]" if ":" in self.hostname else self.hostname
        return f"{self.scheme}{host}:{self.port_number}{self.url_prefix}"


@dataclass(frozen=True, slots=True)
class ServiceDetails:
    """One service of a list."""

    service_id: int = 0
    description: str = ""
    name: str = ""
    service_type: str = ""


@dataclass(frozen=True, slots=True)
class ServiceList:
    """Everything a producer can provide. `public_key` (ours): what its tokens are signed with."""

    server_id: str = ""
    services: tuple[ServiceDetails, ...] = ()
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class PricePerUnit:
    """What one unit costs."""

    amount_minor: int = 0
    currency_code: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """One rate of a service. `service_id` is the seed's; the originals leave it to the path."""

    price_id: int = 0
    description: str = ""
    per_unit: PricePerUnit = PricePerUnit()
    unit_id: int = 0
    unit_description: str = ""
    service_id: int = 0


@dataclass(frozen=True, slots=True)
class PriceList:
    """All rates of one service."""

    server_id: str = ""
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True, slots=True)
class TotalRequest:
    """How much of it, at which rate. The service is in the path."""

    client_id: str = ""
    units: int = 0
    price_id: int = 0


@dataclass(frozen=True, slots=True)
class Total:
    """What a selection comes to. `units` may be fewer than asked for: what can be supplied."""

    server_id: str = ""
    client_id: str = ""
    price_id: int = 0
    units: int = 0
    total_minor: int = 0
    currency_code: str = ""
    payment_reference: str = ""
    merchant_client_key: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """Take this money: the client token stands for the card."""

    client_id: str = ""
    client_token: Secret[str] = NO_SECRET
    payment_reference: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryToken:
    """The right to be supplied. Times are RFC 3339 texts with a zone; `signature` is base64.

    `as_received` is the object as it came, to be given back unchanged.
    """

    key: Secret[str] = NO_SECRET
    issued: str = ZERO_TIME
    expiry: str = ZERO_TIME
    refund_on_expiry: bool = False
    signature: str | None = None
    as_received: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PaymentResponse:
    """Paid, and what with to be supplied."""

    server_id: str = ""
    client_id: str = ""
    total_paid_minor: int = 0
    token: DeliveryToken = DeliveryToken()


@dataclass(frozen=True, slots=True)
class BeginRequest:
    """Supply me so many units now."""

    client_id: str = ""
    token: DeliveryToken = DeliveryToken()
    units: int = 0


@dataclass(frozen=True, slots=True)
class BeginResponse:
    """So many units will be supplied; 0 when everything was."""

    server_id: str = ""
    client_id: str = ""
    token: DeliveryToken = DeliveryToken()
    units: int = 0


@dataclass(frozen=True, slots=True)
class EndRequest:
    """I received so many units."""

    client_id: str = ""
    token: DeliveryToken = DeliveryToken()
    units_received: int = 0


@dataclass(frozen=True, slots=True)
class EndResponse:
    """What was supplied just now, and what is left."""

    server_id: str = ""
    client_id: str = ""
    token: DeliveryToken = DeliveryToken()
    units_just_supplied: int = 0
    units_remaining: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not. `status` is that of HTTP (original producers send 0), `code` stands in
    `refusals.py`."""

    status: int = 0
    message: str = ""
    code: int = 0
