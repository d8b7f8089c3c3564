"""A producer: the six endpoints, as conversations (seed 000: discover, select, pay, release).

What was agreed but not paid lives in memory and is forgotten after a while. From the moment money
may move, an order stands in the notebook, and every change of it is a compare-and-set.
"""

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tollbridge.core.asks import Ask, Look
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.contract import Endpoint, HttpEndpoint
from tollbridge.faces.within import codec, tokens
from tollbridge.faces.within.catalogue import Catalogue, Service
from tollbridge.faces.within.events import (
    DeliveryBegun,
    DeliveryEnded,
    Event,
    Failed,
    PaymentEnded,
    PaymentStarted,
    PricesAsked,
    Refunded,
    ServicesDiscovered,
    TotalAsked,
)
from tollbridge.faces.within.messages import (
    BeginRequest,
    BeginResponse,
    EndRequest,
    EndResponse,
    PaymentRequest,
    PaymentResponse,
    PriceList,
    ServiceList,
    Total,
    TotalRequest,
)
from tollbridge.faces.within.orders import I32_MAX, Order, Stage
from tollbridge.faces.within.refusals import Reason, Refused
from tollbridge.faces.within.tokens import Keys
from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock, Instant
from tollbridge.ground.errors import (
    IdempotencyConflict,
    JournalError,
    RemoteProtocolError,
    UsageError,
    VersionConflict,
)
from tollbridge.ground.flow import Browse, Flow, Note, Page, Recall, Remember
from tollbridge.ground.ids import IdempotencyKey, IdSource
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.within")

JSON_UTF8 = Headers([("content-type", "application/json;charset=UTF-8")])
LIMITS = Limits(body_bytes_max=1024 * 1024)
DELIVERY_LIFETIME_S = 7 * 24 * 3600
_NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
ATTEMPTS_MAX = 100
ORDERS_KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who a producer is and on what terms it sells.

    `merchant_client_key` is public: consumers get their client token with it. A quote is honoured
    for `quote_lifetime_s`, a token for `delivery_lifetime_s`, a delivery that does not end is
    closed after `session_limit_s`. `refund_on_expiry`: what was not supplied then is paid back.
    Closed orders are forgotten `kept_s` after their expiry.
    """

    server_id: str
    merchant_client_key: str
    merchant: str = "merchant-1"
    refund_on_expiry: bool = False
    quote_lifetime_s: int = 15 * 60
    quotes_max: int = 10_000
    delivery_lifetime_s: int = DELIVERY_LIFETIME_S
    session_limit_s: float = 24 * 3600.0
    kept_s: int = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came: who asked, about which service, what."""

    peer: str
    service: str
    body: Any


@dataclass(frozen=True, slots=True)
class Metered:
    """The producer's own meter: so many units were supplied in the session under way."""

    key: Secret[str]
    units: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Time went by: finish what a crash interrupted, close what expired, refund what is owed."""


class WithinFace:
    """One producer. `tell` hears of events after the fact and must not block."""

    name = "within"

    def __init__(
        self,
        terms: Terms,
        catalogue: Catalogue,
        keys: Keys,
        clock: Clock,
        ids: IdSource,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.terms = terms
        self.catalogue = catalogue
        self.tell = tell
        self._keys = keys
        self._secret = keys.secret(tokens.KEY_LABEL)
        self._clock = clock
        self._ids = ids
        self._quotes: OrderedDict[str, Order] = OrderedDict()
        self._orders: OrderedDict[str, tuple[Order, int]] = OrderedDict()
        self._due: dict[str, Instant] | None = None

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            _endpoint("GET", "/service/discover", ServiceList),
            _endpoint("GET", "/service/{service}/prices", PriceList),
            _endpoint("POST", "/service/{service}/requestTotal", TotalRequest),
            _endpoint("POST", "/payment", PaymentRequest),
            _endpoint("POST", "/service/{service}/delivery/begin", BeginRequest),
            _endpoint("POST", "/service/{service}/delivery/end", EndRequest),
        ]

    def answer(self, message: Any) -> Flow[Any]:
        if isinstance(message, Sweep):
            return (yield from self._sweep())
        if isinstance(message, Metered):
            return (yield from self._metered(message))
        try:
            return (yield from self._answered(message))
        except Refused as refused:
            return refused.refusal
        except (JournalError, UsageError) as error:
            log.warning("not answered: %s", error)
            self.tell(Failed(str(error)))
            return Refused(Reason.INTERNAL).refusal

    def _answered(self, asked: Asked) -> Flow[Any]:
        match asked.body:
            case TotalRequest():
                return self._total(asked, asked.body)
            case PaymentRequest():
                return (yield from self._payment(asked.body))
            case BeginRequest():
                return (yield from self._begin(asked, asked.body))
            case EndRequest():
                return (yield from self._end(asked, asked.body))
            case ServiceList():
                self.tell(ServicesDiscovered(asked.peer))
                services = tuple(service.details for service in self.catalogue)
                return ServiceList(self.terms.server_id, services, self._keys.public_key)
            case _:
                number = _service_id(asked.service)
                self.tell(PricesAsked(asked.peer, number))
                prices = self._service(number).prices.values()
                named = tuple(replace(price, service_id=number) for price in prices)
                return PriceList(self.terms.server_id, named)

    # Select

    def _total(self, asked: Asked, wanted: TotalRequest) -> Total:
        """Agree on an amount and a price; nothing is durable yet."""
        service = self._service(_service_id(asked.service))
        price = service.prices.get(wanted.price_id)
        if price is None:
            raise Refused(Reason.NO_PRICE, wanted.price_id)
        if not wanted.client_id:
            raise Refused(Reason.NO_CLIENT)
        if wanted.units < 1:
            raise Refused(Reason.BAD_UNITS)
        units = wanted.units
        if service.supply is not None:
            units = min(units, service.supply(price.price_id, units))
        if units < 1:
            raise Refused(Reason.NOTHING_LEFT)
        if price.per_unit.amount_minor * units > I32_MAX:
            raise Refused(Reason.TOO_MUCH)
        order = Order(
            reference=self._reference(),
            client_id=wanted.client_id,
            service_id=service.service_id,
            service_name=service.name,
            price_id=price.price_id,
            units=units,
            per_unit_minor=price.per_unit.amount_minor,
            currency=price.per_unit.currency_code,
            refund_on_expiry=self.terms.refund_on_expiry,
            quoted=self._clock.now(),
        )
        total = Total(
            server_id=self.terms.server_id,
            client_id=order.client_id,
            price_id=order.price_id,
            units=order.units,
            total_minor=order.total.amount_minor,
            currency_code=order.currency,
            payment_reference=order.reference,
            merchant_client_key=self.terms.merchant_client_key,
        )
        self.tell(TotalAsked(asked.peer, service.service_id, total))
        self._quotes[order.reference] = order
        if len(self._quotes) > self.terms.quotes_max:
            self._quotes.popitem(last=False)
        return total

    def _reference(self) -> str:
        """Make a payment reference: a UUID of version 7, which begins with the time (RFC 9562)."""
        time, chance = f"{self._clock.now() // 1000:012x}", self._ids.secret()
        return f"{time[:8]}-{time[8:12]}-7{chance[:3]}-a{chance[3:6]}-{chance[6:18]}"

    def _quote(self, reference: str) -> Order | None:
        order = self._quotes.get(reference)
        lifetime = self.terms.quote_lifetime_s * MICROSECONDS_PER_S
        if order is None or self._clock.now() - order.quoted <= lifetime:
            return order
        del self._quotes[reference]
        return None

    # Pay

    def _payment(self, wanted: PaymentRequest) -> Flow[PaymentResponse]:
        """Take the money once, whatever is repeated, and answer with the delivery token."""
        reference = wanted.payment_reference
        key = tokens.key_of(self._secret, reference)
        page = tokens.page_of(key)
        order, version = self._quote(reference), 0
        if order is None:
            order, version = yield from self._read(page, Reason.NO_ORDER, reference)
        if order.client_id != wanted.client_id:
            raise Refused(Reason.OTHER_CLIENT)
        if not wanted.client_token.reveal():
            raise Refused(Reason.NO_CLIENT_TOKEN)
        digest = _digest(wanted.client_token)
        while order.paid is None:
            if order.stage is Stage.PAYING:
                order = yield from self._learned(order)
                if order.stage is Stage.PAYING and order.token_digest == digest:
                    raise Refused(Reason.PAYMENT_UNKNOWN)
                if order.stage is Stage.PAYING:
                    raise Refused(Reason.OTHER_TOKEN)
            elif order.attempt >= ATTEMPTS_MAX:
                raise Refused(Reason.NOT_PAID)
            else:
                order, version = yield from self._pay(page, order, version, wanted.client_token)
        if order.token_digest != digest:
            raise Refused(Reason.OTHER_TOKEN)
        token = tokens.token(self._keys, key, order)
        paid_minor = order.total.amount_minor
        return PaymentResponse(self.terms.server_id, order.client_id, paid_minor, token)

    def _pay(
        self, page: str, order: Order, version: int, client_token: Secret[str]
    ) -> Generator[Any, Any, tuple[Order, int]]:
        """Ask for the money; the order is written in the same commit as the request.

        Gives the order paid, or as somebody else has written it meanwhile. Raises Refused.
        """
        order = order.paying(_digest(client_token))
        description = order.description
        self.tell(
            PaymentStarted(
                order.total.amount_minor, order.currency, client_token, description, order.reference
            )
        )
        ask = Ask(
            verb=Verb.PURCHASE,
            key=self._key(order),
            amount=order.total,
            instrument=Token(client_token, InstrumentView(entry="online")),
            merchant=self.terms.merchant,
            reference=order.reference,
            details={
                "description": description,
                "client": order.client_id,
                "token": order.token_digest,
            },
            notes=(Note(page, order.write(), version),),
        )
        try:
            payment: Payment = yield ask
        except (VersionConflict, IdempotencyConflict):
            self._orders.pop(page, None)
            return (yield from self._read(page, Reason.NO_ORDER, order.reference))
        except JournalError:
            raise Refused(Reason.PAYMENT_UNKNOWN) from None
        except UsageError as error:
            # Nothing was written or sent: the order can be paid another way.
            self.tell(Failed(f"payment {order.reference}: {error}"))
            raise Refused(Reason.NOT_PAID) from None
        self._quotes.pop(order.reference, None)
        order = self._after(order, payment)
        self._keep(page, order, version + 1)
        self._watch(page, order)
        self.tell(PaymentEnded(order.reference, _known(order)))
        if order.stage is Stage.PAYING:
            raise Refused(Reason.PAYMENT_UNKNOWN)
        if order.paid is None:
            raise Refused(Reason.NOT_PAID)
        return order, version + 1

    def _learned(self, order: Order) -> Generator[Any, Any, Order]:
        """Tell from the journal what became of a payment that was begun."""
        payment: Payment | None = yield Look(key=self._key(order))
        assert payment is not None, "an order is paying in the same commit as its payment"
        return self._after(order, payment)

    def _after(self, order: Order, payment: Payment) -> Order:
        """Tell what a payment made of an order, if it is known.

        This follows from the journal alone, whenever it is asked: nothing needs to be written, and
        the token is dated from the moment the payment was settled.
        """
        operation = payment.find(self._key(order))
        assert operation is not None
        if operation.unresolved:
            return order
        if operation.state is not State.APPROVED:
            return replace(order, stage=Stage.FAILED)
        assert operation.settled_at is not None
        return order.settled(payment.id, operation.settled_at, self.terms.delivery_lifetime_s)

    # Release

    def _begin(self, asked: Asked, wanted: BeginRequest) -> Flow[BeginResponse]:
        """Reserve units for a delivery: as many as asked for, or as are left."""
        number = _service_id(asked.service)
        page = tokens.page_of(wanted.token.key)
        while True:
            order, version = yield from self._entitled(page, wanted, Reason.BEGIN_NO_ORDER)
            if self._has_expired(order):
                raise Refused(Reason.EXPIRED)
            if wanted.units < 1:
                raise Refused(Reason.BAD_UNITS)
            if order.service_id != number:
                raise Refused(Reason.WRONG_SERVICE)
            self._service(number)
            begun, granted = order.begun(wanted.units, self._clock.now())
            if begun == order or (yield from self._put(page, begun, version)):
                break
        if granted:
            self.tell(DeliveryBegun(number, order.price_id, wanted.token, granted))
        return BeginResponse(self.terms.server_id, wanted.client_id, wanted.token, granted)

    def _end(self, asked: Asked, wanted: EndRequest) -> Flow[EndResponse]:
        """End a delivery and tell what is left."""
        number = _service_id(asked.service)
        page = tokens.page_of(wanted.token.key)
        while True:
            order, version = yield from self._entitled(page, wanted, Reason.END_NO_ORDER)
            if order.service_id != number:
                self._service(number)  # one that is not there is told apart, as the originals do
                raise Refused(Reason.WRONG_SERVICE)
            ended, supplied = order.ended(wanted.units_received)
            if ended == order or (yield from self._put(page, ended, version)):
                break
        if order.sessions:
            self.tell(DeliveryEnded(number, wanted.token, supplied))
        return EndResponse(
            self.terms.server_id, wanted.client_id, wanted.token, supplied, ended.remaining
        )

    def _metered(self, said: Metered) -> Flow[int]:
        """Note what the meter says; gives the units still free. Raises Refused for a wrong key."""
        page = tokens.page_of(said.key)
        while True:
            order, version = yield from self._read(page, Reason.END_NO_ORDER)
            metered = order.metered(said.units)
            if metered == order or (yield from self._put(page, metered, version)):
                return metered.free

    def _entitled(
        self, page: str, wanted: BeginRequest | EndRequest, otherwise: Reason
    ) -> Generator[Any, Any, tuple[Order, int]]:
        """Read the paid order a token stands for, with the sessions that lapsed closed."""
        order, version = yield from self._read(page, otherwise)
        if order.stage is Stage.PAYING:
            order = yield from self._learned(order)
        if order.paid is None:
            raise Refused(otherwise)
        if order.client_id != wanted.client_id:
            raise Refused(Reason.OTHER_CLIENT)
        return order.lapsed(self._clock.now(), self.terms.session_limit_s), version

    def _has_expired(self, order: Order) -> bool:
        assert order.paid is not None
        return order.stage is not Stage.PAID or self._clock.now() >= order.paid.expiry

    # Time

    def _sweep(self) -> Flow[None]:
        """Close what expired. The first time, look at every order there is."""
        if self._due is None:
            self._due = yield from self._listed()
        now = self._clock.now()
        for page in [page for page, due in self._due.items() if due <= now]:
            try:
                yield from self._tend(page, now)
            except Refused:
                self._due.pop(page, None)
            except (JournalError, UsageError) as error:
                log.warning("an expired order could not be closed: %s", error)
                self.tell(Failed(f"an expired order could not be closed: {error}"))

    def _listed(self) -> Generator[Any, Any, dict[str, Instant]]:
        due: dict[str, Instant] = {}
        last = ""
        while found := (yield Browse("order/", last)):
            for page, _ in found:
                due[page] = Instant(0)
            last = found[-1][0]
        return due

    def _tend(self, page: str, now: Instant) -> Generator[Any, Any, None]:
        """Bring one order as far as it can come."""
        order, version = yield from self._read(page, Reason.END_NO_ORDER)
        if order.stage is Stage.PAYING:
            order = yield from self._learned(order)
        if order.stage is Stage.PAID and self._has_expired(order):
            order, version = yield from self._write(page, order.expired(), version)
        if order.stage is Stage.REFUNDING:
            order, version = yield from self._refunded(page, order, version)
        assert self._due is not None
        over = order.paid.expiry if order.paid is not None else order.quoted
        kept_until = Instant(over + self.terms.kept_s * MICROSECONDS_PER_S)
        if order.stage in (Stage.CLOSED, Stage.FAILED) and now >= kept_until:
            self._orders.pop(page, None)
            if (yield Remember((Note(page, None, version),))):
                del self._due[page]
            return
        self._due[page] = self._next_look(order, kept_until, now)

    def _next_look(self, order: Order, kept_until: Instant, now: Instant) -> Instant:
        match order.stage:
            case Stage.PAID:
                assert order.paid is not None
                return order.paid.expiry
            case Stage.CLOSED | Stage.FAILED:
                return kept_until
            case _:
                return now

    def _refunded(
        self, page: str, order: Order, version: int
    ) -> Generator[Any, Any, tuple[Order, int]]:
        """Pay back what was not supplied: once, because the key of the refund is the order's.

        A refund that certainly was not sent is tried again, as another attempt.
        """
        assert order.paid is not None
        owed = Money.of(order.remaining * order.per_unit_minor, order.currency)
        key = IdempotencyKey(self.name, f"{order.attempt_name}#expired")
        payment: Payment = yield Ask(
            verb=Verb.REFUND,
            key=key,
            payment=order.paid.payment,
            amount=owed,
            reference=order.reference,
            details={"description": f"Not supplied: {order.remaining} units"},
        )
        operation = payment.find(key)
        assert operation is not None
        if operation.unresolved:
            return order, version
        if operation.state is State.UNSENT:
            again = replace(order, attempt=order.attempt + 1)
            return (yield from self._write(page, again, version))
        if operation.state is State.APPROVED:
            self.tell(Refunded(order.reference, owed.amount_minor, order.currency))
        else:
            self.tell(Failed(f"refund of {owed} for {order.reference} was {operation.state}"))
        return (yield from self._write(page, replace(order, stage=Stage.CLOSED), version))

    # The notebook

    def _read(
        self, page: str, otherwise: Reason, about: object = ""
    ) -> Generator[Any, Any, tuple[Order, int]]:
        known = self._orders.get(page)
        if known is not None:
            return known
        found: Page | None = yield Recall(page)
        if found is None:
            raise Refused(otherwise, about)
        return Order.read(found.value), found.version

    def _put(self, page: str, order: Order, version: int) -> Generator[Any, Any, bool]:
        """Write an order over the version that was read; False when somebody wrote first."""
        self._orders.pop(page, None)
        if not (yield Remember((Note(page, order.write(), version),))):
            return False
        self._keep(page, order, version + 1)
        return True

    def _write(
        self, page: str, order: Order, version: int
    ) -> Generator[Any, Any, tuple[Order, int]]:
        """Write an order; when somebody wrote first, give what they wrote."""
        if (yield from self._put(page, order, version)):
            self._watch(page, order)
            return order, version + 1
        return (yield from self._read(page, Reason.NO_ORDER, order.reference))

    def _keep(self, page: str, order: Order, version: int) -> None:
        """Remember an order as the notebook has it: what is in use is not read each time.

        Who was kept waiting may come with an older version than is known by now.
        """
        known = self._orders.get(page)
        if known is None or known[1] <= version:
            self._orders[page] = (order, version)
        if len(self._orders) > ORDERS_KEPT:
            self._orders.popitem(last=False)

    def _watch(self, page: str, order: Order) -> None:
        """Come back to an order when it expires, or at the next sweep if it is not paid yet."""
        if self._due is not None:
            self._due[page] = order.paid.expiry if order.paid else self._clock.now()

    def _key(self, order: Order) -> IdempotencyKey:
        return IdempotencyKey(self.name, order.attempt_name)

    def _service(self, number: int) -> Service:
        service = self.catalogue.get(number)
        if service is None:
            raise Refused(Reason.NO_SERVICE, number)
        return service


def _endpoint(method: str, path: str, kind: type[Any]) -> HttpEndpoint:
    def decode(request: Request, names: Mapping[str, str]) -> Asked:
        body = codec.read(kind, request.body) if method == "POST" else kind()
        return Asked(request.peer, names.get("service", ""), body)

    return HttpEndpoint(method, path, decode, encode, refuse, LIMITS, open=True)


def encode(message: Any) -> Response:
    """Write an answer; a refusal says its own status."""
    status = getattr(message, "status", 200)
    return Response(status, JSON_UTF8, codec.write_body(message))


def refuse(error: RemoteProtocolError) -> Response:
    """Answer what could not be read, in the producer's words."""
    reason = Reason.INTERNAL if error.hint == "internal" else Reason.UNREADABLE
    return encode(Refused(reason).refusal)


def _service_id(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Refused(Reason.BAD_SERVICE_ID)
    return int(text)


def _known(order: Order) -> bool | None:
    return None if order.stage is Stage.PAYING else order.paid is not None


def _digest(client_token: Secret[str]) -> str:
    return hashlib.sha256(client_token.reveal().encode()).hexdigest()
