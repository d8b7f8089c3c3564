"""What may differ between tills; the defaults suit a person at a terminal."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from tollbridge.faces.wpi.versions import LATEST
from tollbridge.ground.clock import Clock, SystemClock
from tollbridge.ground.ids import IdSource, RandomIds


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of a client; times are in seconds.

    `people_s` is how long an answer may take where people have to do something, `background_s`
    where nobody has, `connect_s` reaching the terminal at all. After a lost answer the terminal is
    asked what became of it for `recovery_s`, first after `pause_s`, then with growing pauses, at
    most `pause_most_s`. "Never executed" counts when it is said twice with `in_flight_s` between: a
    request may still be on its way.

    `background` is how information and recovery are asked for: "http", or "websocket" for the
    Messenger. `version` is the WPI version sent, `kept` how many
    finished exchanges the journal remembers, `tls` what https trusts (None: this system's
    authorities).
    """

    people_s: float = 180.0
    background_s: float = 10.0
    connect_s: float = 10.0
    recovery_s: float = 120.0
    in_flight_s: float = 5.0
    pause_s: float = 0.25
    pause_most_s: float = 5.0
    background: Literal["http", "websocket"] = "http"
    version: str = LATEST
    kept: int = 10_000
    tls: ssl.SSLContext | None = None
    clock: Clock = field(default_factory=SystemClock)
    ids: IdSource = field(default_factory=RandomIds)


class Every(TypedDict, total=False):
    """What every call that shows something may have.

    `session` is the exchange's id, new and unique (default: one is made). `limit_s` is how long to
    wait for this answer. `receipts` are the receipt formats, of "FORMATTED" and "JSON" (default:
    the first; empty: none, 4.1.1.2).
    """

    session: str
    limit_s: float
    receipts: Sequence[str]


class Following(Every, total=False):
    """What a financial service may have. `receipt_delegation`: whether the terminal takes care of
    the receipt (default: as it is configured, 4.1.1)."""

    receipt_delegation: bool


class Moving(Following, total=False):
    """What a financial service with an amount may have. `reference` is the till's own, for
    reconciliation (4.1.1)."""

    reference: str


class Selling(Moving, total=False):
    """What a sale may have. `product_records` are Product Record Items (4.1.1.1)."""

    product_records: Sequence[dict[str, Any]]


WIRE = {
    "receipts": "receiptFormat",
    "receipt_delegation": "receiptDelegation",
    "reference": "reference",
    "product_records": "productRecords",
}
"""The names of these options in a request."""
