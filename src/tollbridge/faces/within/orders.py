"""One order, from the quote to the last unit: a value, and what may happen to it.

A *session* is one delivery: units are reserved when it begins and consumed when it ends, so that
two sessions never take the same unit. A session that does not end in time counts as supplied in
full, or as far as the producer's own meter has said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant
from tollbridge.ground.ids import PaymentId
from tollbridge.ground.money import Money
from tollbridge.wire import json

I32_MAX = 2**31 - 1


class Stage(StrEnum):
    """How far an order is."""

    QUOTED = "quoted"
    PAYING = "paying"
    PAID = "paid"
    FAILED = "failed"
    REFUNDING = "refunding"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Session:
    """A delivery under way. `metered`: what the producer's meter said, None if it said nothing."""

    granted: int
    began: Instant
    metered: int | None = None

    @property
    def supplied_at_least(self) -> int:
        """What counts when nobody ends it."""
        return self.granted if self.metered is None else self.metered


@dataclass(frozen=True, slots=True)
class Paid:
    """What a payment made of an order."""

    payment: PaymentId
    issued: Instant
    expiry: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An agreed amount of a service at an agreed price: a snapshot nothing changes afterwards.

    `attempt` counts the payments that were tried, `token_digest` is that of the last client token.
    """

    reference: str
    client_id: str
    service_id: int
    service_name: str
    price_id: int
    units: int
    per_unit_minor: int
    currency: str
    refund_on_expiry: bool
    quoted: Instant
    stage: Stage = Stage.QUOTED
    attempt: int = 0
    token_digest: str = ""
    paid: Paid | None = None
    consumed: int = 0
    sessions: tuple[Session, ...] = ()

    @property
    def total(self) -> Money:
        """What it costs."""
        return Money.of(self.per_unit_minor * self.units, self.currency)

    @property
    def description(self) -> str:
        """What the provider is told; original programs parse this form (WIRE 2.3, E4)."""
        whole, hundredths = divmod(self.per_unit_minor, 100)
        price = f"{self.currency} {whole}.{hundredths:02d}"
        return f"{self.service_name} - {self.units} units @ {price} per unit."

    @property
    def remaining(self) -> int:
        """Units bought and not consumed."""
        return self.units - self.consumed

    @property
    def free(self) -> int:
        """Units that no session holds."""
        return self.remaining - sum(session.granted for session in self.sessions)

    @property
    def attempt_name(self) -> str:
        """Names the payment now tried, for the engine."""
        return f"{self.reference}#{self.attempt}"

    def paying(self, token_digest: str) -> "Order":
        """Try to pay, with this client token."""
        return replace(
            self, stage=Stage.PAYING, attempt=self.attempt + 1, token_digest=token_digest
        )

    def settled(self, payment: PaymentId, at: Instant, lifetime_s: int) -> "Order":
        """Paid, at this instant; the right to be supplied lasts so long."""
        issued = Instant(at - at % MICROSECONDS_PER_S)
        expiry = Instant(issued + lifetime_s * MICROSECONDS_PER_S)
        return replace(self, stage=Stage.PAID, paid=Paid(payment, issued, expiry))

    def lapsed(self, now: Instant, limit_s: float) -> "Order":
        """Close the sessions that should have ended by now."""
        limit = limit_s * MICROSECONDS_PER_S
        late = [session for session in self.sessions if now - session.began >= limit]
        if not late:
            return self
        supplied = sum(session.supplied_at_least for session in late)
        still = tuple(session for session in self.sessions if session not in late)
        return replace(self, consumed=self.consumed + supplied, sessions=still)

    def begun(self, units: int, now: Instant) -> tuple["Order", int]:
        """Reserve units for a session; gives the units granted, 0 when none are free."""
        granted = min(units, self.free)
        if granted <= 0:
            return self, 0
        return replace(self, sessions=(*self.sessions, Session(granted, now))), granted

    def ended(self, received: int) -> tuple["Order", int]:
        """End a session: the one these units fit, else the oldest; gives what was supplied in it.

        The consumer's number counts between what the meter said and what was granted.
        """
        if not self.sessions:
            return self, 0
        fitting = [session for session in self.sessions if session.granted == received]
        session = (fitting or list(self.sessions))[0]
        supplied = max(min(received, session.granted), session.metered or 0)
        rest = list(self.sessions)
        rest.remove(session)
        return replace(self, consumed=self.consumed + supplied, sessions=tuple(rest)), supplied

    def metered(self, units: int) -> "Order":
        """Note what the meter says of the session that began last; never less than it said."""
        if not self.sessions:
            return self
        *others, last = self.sessions
        read = max(0, min(units, last.granted), last.metered or 0)
        return replace(self, sessions=(*others, replace(last, metered=read)))

    def expired(self) -> "Order":
        """Close all sessions; what is left then is refunded, where that was promised."""
        supplied = sum(session.supplied_at_least for session in self.sessions)
        order = replace(self, consumed=self.consumed + supplied, sessions=())
        owed = order.refund_on_expiry and order.remaining > 0
        return replace(order, stage=Stage.REFUNDING if owed else Stage.CLOSED)

    # The notebook

    def write(self) -> bytes:
        """Write it for the notebook. It holds nothing secret."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        if self.paid is not None:
            fields["paid"] = [self.paid.payment, self.paid.issued, self.paid.expiry]
        fields["sessions"] = [[one.granted, one.began, one.metered] for one in self.sessions]
        return json.write(fields)

    @staticmethod
    def read(page: bytes) -> "Order":
        """Read it back."""
        fields: Mapping[str, Any] = json.read_object(page, what="order")
        paid = fields.get("paid")
        plain = {name: fields[name] for name in _PLAIN} | {"stage": Stage(fields["stage"])}
        return Order(
            **plain,
            paid=Paid(*paid) if paid else None,
            sessions=tuple(Session(*one) for one in fields["sessions"]),
        )


_PLAIN = (
    "reference",
    "client_id",
    "service_id",
    "service_name",
    "price_id",
    "units",
    "per_unit_minor",
    "currency",
    "refund_on_expiry",
    "quoted",
    "stage",
    "attempt",
    "token_digest",
    "consumed",
)
