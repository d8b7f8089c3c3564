"""A consumer: one producer, one card, and the calls between them (seed 001, steps 4 to 10)."""

import asyncio
from collections import OrderedDict
from typing import TypeVar

from tollbridge.bridges.contract import ClientToken
from tollbridge.bridges.contract import TokenRefused as NoToken
from tollbridge.engine.driver import drive
from tollbridge.engine.transport import HttpTransport, Transport
from tollbridge.faces.within import consumer as flows
from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.discovery import check_address
from tollbridge.faces.within.errors import (
    BadArgument,
    PaymentUnknown,
    PeerNonsense,
    PeerRefused,
    PeerSilent,
    PeerUnreachable,
    TokenRefused,
    WithinError,
)
from tollbridge.faces.within.messages import (
    BeginRequest,
    BeginResponse,
    Broadcast,
    DeliveryToken,
    EndRequest,
    EndResponse,
    PaymentResponse,
    Price,
    ServiceDetails,
    Total,
    TotalRequest,
)
from tollbridge.faces.within.refusals import Reason
from tollbridge.ground.errors import NoAnswer, NotSent, RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Request, Response
from tollbridge.within.options import Options
from tollbridge.within.provider import Tokens

R = TypeVar("R")

REMEMBERED_MAX = 1000


class Consumer:
    """Buys from one producer with one card, which only the payment provider ever sees.

    `tokens` asks the provider for a client token. Every call raises a WithinError that says what to
    do next: AddressRefused, PeerUnreachable, PeerSilent, PeerRefused, PeerNonsense, TokenRefused or
    PaymentUnknown. A `transport` that is given stays the giver's to close; `client_tokens`, those
    of payments begun by their references, are shared with the giver.
    """

    def __init__(
        self,
        producer: Broadcast,
        client_id: str,
        card: HceCard,
        tokens: Tokens,
        options: Options,
        transport: Transport | None = None,
        client_tokens: "OrderedDict[str, Secret[str]] | None" = None,
    ) -> None:
        if not producer.hostname:
            raise BadArgument("EMPTY_HOST", "HTE", "empty host")
        if not 1 <= producer.port_number <= 65535:
            raise BadArgument("PORT_RANGE", "HTE", "port must be from 1 to 65535")
        if not client_id:
            raise BadArgument("EMPTY_CLIENTID", "HTE", "empty client id")
        check_address(producer, rules=options.rules)
        self.producer = producer
        self.client_id = client_id
        self._card = card
        self._tokens = tokens
        self._options = options
        self._transport = transport or HttpTransport(tls=options.tls)
        self._is_ours = transport is None
        self._prices: dict[int, dict[int, Price]] = {}
        self._preparing = asyncio.Lock()
        self._client_tokens = OrderedDict() if client_tokens is None else client_tokens

    async def request_services(self) -> list[ServiceDetails]:
        """Ask what there is."""
        found = await self._do(flows.services(self.producer.url))
        return list(found.services)

    async def get_service_prices(self, service_id: int) -> list[Price]:
        """Ask for the prices of a service."""
        found = await self._do(flows.prices(self.producer.url, service_id))
        self._prices[service_id] = {price.price_id: price for price in found.prices}
        if not found.prices:
            raise PeerNonsense("PRICESNIL", "WPW", "response with nil prices")
        return list(found.prices)

    async def select_service(self, service_id: int, units: int, price_id: int) -> Total:
        """Agree on units and price; the answer may be for fewer units.

        Where the prices were asked for before, a total that is not units times price is refused.
        """
        wanted = TotalRequest(self.client_id, units, price_id)
        total = await self._do(flows.total(self.producer.url, service_id, wanted))
        price = self._prices.get(service_id, {}).get(price_id)
        if price is not None:
            expected = (price.per_unit.amount_minor * total.units, price.per_unit.currency_code)
            if (total.total_minor, total.currency_code) != expected:
                raise PeerNonsense(
                    "HTTP_REQUEST_POST", "HTTP", "the total is not the units times their price"
                )
        return total

    async def prepare_payment(self, total: Total) -> Secret[str]:
        """Get a client token for the card, for this payment; a second call gives the same one."""
        reference = total.payment_reference
        async with self._preparing:  # two at once would get two, of which one is never charged
            client_token = self._client_tokens.get(reference)
            if client_token is None:
                client_token = (await self._token(total)).token
                self.remember(reference, client_token)
            return client_token

    async def make_payment(self, total: Total) -> PaymentResponse:
        """Pay what was agreed, with a client token for the card.

        After PaymentUnknown or PeerSilent, call it again with the same total: it is charged once.
        """
        client_token = await self.prepare_payment(total)
        try:
            return await self._do(
                flows.payment(self.producer.url, total, client_token),
                self._options.payment_limit_s,
            )
        except PeerSilent as silent:
            raise PaymentUnknown("POST_FAILED", "PSP", "no answer to the payment", silent) from None
        except PeerRefused as refused:
            if refused.number == Reason.PAYMENT_UNKNOWN.number:
                text = "the producer does not know yet"
                raise PaymentUnknown("POST_FAILED", "PSP", text, refused) from None
            # Only who says for certain that nothing was paid may be paid with another client token:
            # this one is good for one payment, whatever else happens.
            if refused.number == Reason.NOT_PAID.number:
                self._client_tokens.pop(total.payment_reference, None)
            raise

    async def begin_service_delivery(
        self, service_id: int, token: DeliveryToken, units: int
    ) -> BeginResponse:
        """Ask to be supplied; the answer says how many units will be."""
        wanted = BeginRequest(self.client_id, token, units)
        return await self._do(flows.begin(self.producer.url, service_id, wanted))

    async def end_service_delivery(
        self, service_id: int, token: DeliveryToken, units_received: int
    ) -> EndResponse:
        """Confirm what was received; the answer says what is left."""
        wanted = EndRequest(self.client_id, token, units_received)
        return await self._do(flows.end(self.producer.url, service_id, wanted))

    def remember(self, reference: str, client_token: Secret[str]) -> None:
        """Pay this reference with this client token: how a payment begun elsewhere is finished."""
        self._client_tokens[reference] = client_token
        if len(self._client_tokens) > REMEMBERED_MAX:
            self._client_tokens.popitem(last=False)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._is_ours:
            await self._transport.close()

    async def _token(self, total: Total) -> ClientToken:
        try:
            return await self._do(
                self._tokens(total.merchant_client_key, self._card), self._options.payment_limit_s
            )
        except (NoToken, RemoteProtocolError, WithinError) as error:
            raise TokenRefused("PSPGETTOKEN", "WPW", "failed to get client token", error) from None

    async def _do(self, flow: Flow[R], limit_s: float | None = None) -> R:
        async def send(request: Request) -> Response:
            return await self._transport.send(request, limit_s or self._options.answer_limit_s)

        try:
            return await drive(flow, send)
        except NotSent as error:
            raise PeerUnreachable("HTTP_REQUEST_DO", "HTTP", "not reached", error) from None
        except NoAnswer as error:
            raise PeerSilent("HTTP_REQUEST_DO", "HTTP", "no answer", error) from None
