"""The face's settings: sellers, services, customers, and when to challenge."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tollbridge.ground.secret import Secret

URI = "http://webinos.org/api/payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a customer is challenged, and how.

    Always from `amount_minor` on; the first time an instrument is used if `new_instrument`; before
    a refund if `refunds`; every `every`-th payment of a customer (0: never for that). `kinds` are
    tried in order: the first that the page can show and the customer can answer. A challenge is
    good for `expires_s` seconds and `attempts` answers. Payments without a customer are confirmed
    on the provider's page.
    """

    amount_minor: int = 10_000
    new_instrument: bool = True
    refunds: bool = False
    every: int = 0
    kinds: tuple[str, ...] = ("text", "url", "image")
    expires_s: float = 300.0
    attempts: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who is paid. `kind` is "merchant" or "person". `origins` are where its pages come from.

    Notices go to `notices_url`, signed with `notices_key`. `policy` is its own, if it has one.
    """

    name: str
    publishable_key: str
    secret_key: Secret[str]
    kind: str = "merchant"
    origins: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    notices_url: str = ""
    notices_key: Secret[str] | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A card in a customer's wallet from the beginning: for test benches."""

    number: Secret[str]
    expiry: Secret[str]
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who pays. `contact` is where one-time codes go; `mark` is the picture that only the customer
    and the provider know: a word and a colour."""

    name: str = ""
    contact: str = ""
    mark: str = ""
    instruments: tuple[Instrument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A payment service as pages find it; `path` is added to the feature URI, `bridge` carries
    its payments out ("": the default one)."""

    path: str = "wallet"
    name: str = "Tollbridge Wallet"
    description: str = "Pay with a card you keep with Tollbridge."
    icon: str = ""
    bridge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The whole face. `url` is where browsers reach it ("": as they did). `strict` wants a
    productID on every bill and refuses texts where numbers belong. `compat_origins` are the pages
    that may use the original client's endpoint (none: it is off)."""

    url: str = ""
    name: str = "Tollbridge"
    sellers: Mapping[str, Seller] = field(default_factory=dict)
    customers: Mapping[str, Customer] = field(default_factory=dict)
    services: tuple[Service, ...] = (Service(),)
    policy: Policy = field(default_factory=Policy)
    strict: bool = False
    zero_verifies: bool = False
    deadline_s: float = 900.0
    unknown_s: float = 60.0
    compat_origins: tuple[str, ...] = ()
