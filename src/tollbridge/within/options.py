"""What may differ between things; the defaults are those of the originals."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from tollbridge.faces.within.discovery import PERIOD_S, PORT, USUAL_RULES, AddressRules
from tollbridge.faces.within.producer import DELIVERY_LIFETIME_S

HTE_PORT = 64521


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of a device.

    `folder` holds its identity, its key and its journal. `port` 0 takes a free one. `host` "" is
    every interface. `tls` is what https to payment providers trusts (None: this system's
    authorities). `allow_plain_provider`: cards and keys may go to a provider over plain http beyond
    this machine, which only a test bench may want. `answer_limit_s` is for discover, select and
    release, `payment_limit_s` for the token and the payment; other times are in seconds too.
    """

    folder: Path = field(default_factory=Path)
    host: str = ""
    port: int = HTE_PORT
    discovery_port: int = PORT
    period_s: float = PERIOD_S
    mdns: bool = False
    rules: AddressRules = USUAL_RULES
    merchant: str = "merchant-1"
    refund_on_expiry: bool = False
    delivery_lifetime_s: int = DELIVERY_LIFETIME_S
    session_limit_s: float = 24 * 3600.0
    sweep_s: float = 30.0
    answer_limit_s: float = 10.0
    payment_limit_s: float = 60.0
    allow_plain_provider: bool = False
    tls: ssl.SSLContext | None = None
