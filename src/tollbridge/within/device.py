"""A thing on the network: consumer, producer or both, by the ten calls of the flows page.

The names are those of the standard's calls (seed 001; WIRE 5.1). The application keeps their
order; a call whose step before is missing says which.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.engine.transport import HttpTransport, Transport
from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.catalogue import Catalogue, Service
from tollbridge.faces.within.errors import BadArgument, NotReady, WithinError
from tollbridge.faces.within.events import Event
from tollbridge.faces.within.messages import (
    BeginResponse,
    Broadcast,
    DeliveryToken,
    EndResponse,
    PaymentResponse,
    Price,
    ServiceDetails,
    Total,
)
from tollbridge.faces.within.producer import Terms, WithinFace
from tollbridge.faces.within.refusals import Refused
from tollbridge.ground.clock import Clock, SystemClock
from tollbridge.ground.ids import IdSource, RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.server.inside import listen
from tollbridge.within import finding, identity, provider, radio
from tollbridge.within.consumer import Consumer
from tollbridge.within.host import Host
from tollbridge.within.options import Options

if TYPE_CHECKING:
    from tollbridge.within.weblog import WebLog

log = logging.getLogger("tollbridge.within")

SCHEME = "http://"
JOURNAL = "within.sqlite"
CACHE_KIB = 4096


class Device:
    """One thing. Make it with `setup`; `close` it, or use it in `async with`.

    `catalogue` is what it offers. `transport` carries requests to payment providers and producers
    (None: over the network); the device closes it.
    """

    def __init__(
        self,
        uid: str,
        name: str,
        description: str,
        ipv4_address: str,
        options: Options,
        transport: Transport | None = None,
    ) -> None:
        self.uid = uid
        self.name = name
        self.description = description
        self.ipv4_address = ipv4_address
        self.options = options
        self.catalogue = Catalogue()
        self._clock: Clock = SystemClock()
        self._ids: IdSource = RandomIds()
        self._transport = transport or HttpTransport(tls=options.tls)
        self._handler: Callable[[Event], None] = lambda _: None
        self._host: Host | None = None
        self._consumer: Consumer | None = None
        self._client_tokens: OrderedDict[str, Secret[str]] = OrderedDict()
        self._beacon: radio.Beacon | None = None
        self._announced = AsyncExitStack()
        self._web_log: WebLog | None = None

    @classmethod
    async def setup(
        cls,
        name: str,
        description: str,
        interface_addr: str = "",
        *,
        folder: Path = Path(),
        options: Options | None = None,
        transport: Transport | None = None,
    ) -> "Device":
        """Set a device up (step 1): its identity is in `folder`, made when it is missing.

        `interface_addr` is the IPv4 address of the network it lives in; "" chooses one. The
        original's `wpwconfig.json` there may ask for a web log. Raises BadArgument for an empty
        name or description, and WithinError for an unreadable identity.
        """
        if not name:
            raise BadArgument("EMPTYNAME", "WPW", "empty name")
        if not description:
            raise BadArgument("EMPTYDESCRIPTION", "WPW", "empty description")
        options = replace(options, folder=folder) if options else Options(folder=folder)
        uid = identity.device_id(options.folder / identity.IDENTITY_FILE, RandomIds())
        address = radio.local_ipv4(interface_addr)
        device = cls(uid, name, description, address, options, transport)
        await device._configure()
        return device

    # What it offers

    def add_service(self, service: Service) -> None:
        """Offer a service (step 2A), at any time. Raises BadArgument when its id is taken."""
        self.catalogue.add(service)

    def remove_service(self, service_id: int) -> None:
        """Offer it no more (step 2B)."""
        self.catalogue.remove(service_id)

    def set_event_handler(self, handler: Callable[[Event], None]) -> None:
        """Hear what happens. Called in the event loop, so it must come back at once."""
        self._handler = handler

    async def init_producer(self, psp: Mapping[str, str]) -> None:
        """Be a producer (step 3): open the journal and serve at the port of the options.

        `psp` is a provider's configuration (WIRE 3.1). Raises BadArgument, or WithinError
        LISTEN_FAILED when another producer has the port.
        """
        if self._host is not None:
            raise BadArgument("FACTORYGETHTE", "WPW", "this device is a producer already")
        merchant = provider.merchant(
            psp, self._clock, self._ids, allow_plain=self.options.allow_plain_provider
        )
        try:
            listening = listen(self.options.host, self.options.port)
        except (OSError, OverflowError) as error:
            text = f"port {self.options.port} cannot be listened on"
            raise WithinError("LISTEN_FAILED", "NET", text, error) from None
        with ExitStack() as undo:
            undo.callback(listening.close)
            await self._open(listening, merchant)
            undo.pop_all()

    async def _open(self, listening: socket, merchant: provider.Merchant) -> None:
        options = self.options
        terms = Terms(
            server_id=self.uid,
            merchant_client_key=merchant.client_key,
            merchant=options.merchant,
            refund_on_expiry=options.refund_on_expiry,
            delivery_lifetime_s=options.delivery_lifetime_s,
            session_limit_s=options.session_limit_s,
        )
        signer = identity.Signer.open(options.folder / identity.KEY_FILE)
        face = WithinFace(terms, self.catalogue, signer, self._clock, self._ids, self._tell)
        journal = SqliteJournal(options.folder / JOURNAL, cache_kib=CACHE_KIB)
        bridges = {merchant.bridge.name: merchant.bridge}
        around = Surroundings(journal, bridges, self._transport, self._clock, self._ids)
        engine = Engine(around)
        host = Host(listening, engine, face, options.sweep_s)
        try:
            await host.start()
        except BaseException:
            await engine.close()
            raise
        self._host = host

    async def start_service_broadcast(self, timeout_s: float = 0.0) -> None:
        """Say where it is (step 4A), again and again, for so long; 0 or less: until stopped."""
        self._producer()
        await self.stop_service_broadcast()
        self._beacon = radio.Beacon(
            self.broadcast,
            source=self.ipv4_address,
            port=self.options.discovery_port,
            period_s=self.options.period_s,
            timeout_s=timeout_s,
        )
        await self._beacon.start()
        if self.options.mdns:
            await self._announced.enter_async_context(self._announcement())

    async def stop_service_broadcast(self) -> None:
        """Fall silent (step 4B); who knows the device can still buy."""
        if self._beacon is not None:
            await self._beacon.stop()
            self._beacon = None
        await self._announced.aclose()
        self._announced = AsyncExitStack()

    def broadcast(self) -> Broadcast:
        """What it says about itself now."""
        return Broadcast(
            device_description=self.description,
            hostname=self.ipv4_address,
            port_number=self._producer().port,
            server_id=self.uid,
            scheme=SCHEME,
            device_name=self.name,
            service_types=self.catalogue.types(),
        )

    async def metered(self, key: Secret[str], units: int) -> int:
        """Tell what the meter says of the delivery under way with this token: so many units.

        They count even if the consumer never says so. Gives the units nobody has been granted yet.
        Raises BadArgument when the token is none of this device's.
        """
        try:
            return await self._producer().metered(key, units)
        except Refused as refused:
            raise BadArgument("NO_DATA", "DATA", refused.refusal.message) from None

    # What it finds

    async def device_discovery(self, timeout_s: float) -> list[Broadcast]:
        """Listen for the whole time and give every device heard (steps 2 and 3 of a consumer)."""
        return await finding.discover(
            timeout_s,
            mdns=self.options.mdns,
            port=self.options.discovery_port,
            rules=self.options.rules,
        )

    async def search_for_device(self, timeout_s: float, name: str) -> Broadcast | None:
        """Listen for the whole time, then give the device of exactly this name, or None."""
        found = await finding.search(
            timeout_s,
            name,
            mdns=self.options.mdns,
            port=self.options.discovery_port,
            rules=self.options.rules,
        )
        return found if found.server_id else None

    # What it buys

    def init_consumer(
        self,
        scheme: str,
        hostname: str,
        port: int,
        url_prefix: str,
        client_id: str,
        card: HceCard,
        psp: Mapping[str, str],
    ) -> None:
        """Be a consumer of the producer at this address (step 4), paying with this card.

        May be repeated: a payment begun before can still be finished. Nothing is sent. Raises
        BadArgument or AddressRefused.
        """
        producer = Broadcast(
            scheme=scheme, hostname=hostname, port_number=port, url_prefix=url_prefix
        )
        tokens = provider.tokens(psp, allow_plain=self.options.allow_plain_provider)
        self._consumer = Consumer(
            producer,
            client_id,
            card,
            tokens,
            self.options,
            self._transport,
            self._client_tokens,
        )

    async def request_services(self) -> list[ServiceDetails]:
        """Ask the producer what there is (step 5)."""
        return await self._customer().request_services()

    async def get_service_prices(self, service_id: int) -> list[Price]:
        """Ask for the prices of a service (step 6). Raises PeerNonsense when it has none."""
        return await self._customer().get_service_prices(service_id)

    async def select_service(self, service_id: int, units: int, price_id: int) -> Total:
        """Agree on units and their total (step 7); fewer units than asked for are possible."""
        return await self._customer().select_service(service_id, units, price_id)

    async def make_payment(self, total: Total) -> PaymentResponse:
        """Pay (step 8). After PaymentUnknown, call again with the same total: charged once."""
        return await self._customer().make_payment(total)

    async def begin_service_delivery(
        self, service_id: int, token: DeliveryToken, units: int
    ) -> BeginResponse:
        """Begin to be supplied (step 9); the answer's units are what is granted."""
        return await self._customer().begin_service_delivery(service_id, token, units)

    async def end_service_delivery(
        self, service_id: int, token: DeliveryToken, units_received: int
    ) -> EndResponse:
        """End a delivery (step 10); the answer says what is left."""
        return await self._customer().end_service_delivery(service_id, token, units_received)

    @property
    def consumer(self) -> Consumer | None:
        """The consumer side, once `init_consumer` was called."""
        return self._consumer

    @property
    def port(self) -> int:
        """The port it serves at, once it is a producer."""
        return self._producer().port

    # Its life

    async def close(self) -> None:
        """Fall silent, answer what is under way, let go of everything."""
        await self.stop_service_broadcast()
        if self._host is not None:
            await self._host.close()
            self._host = None
        self._consumer = None
        if self._web_log is not None:
            await self._web_log.stop()
            self._web_log = None
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _tell(self, event: Event) -> None:
        try:
            self._handler(event)
        except Exception:
            log.exception("the event handler failed; the answer is not changed by it")

    def _producer(self) -> Host:
        if self._host is None:
            raise NotReady("init_producer")
        return self._host

    def _customer(self) -> Consumer:
        if self._consumer is None:
            raise NotReady("init_consumer")
        return self._consumer

    async def _configure(self) -> None:
        """Do what `wpwconfig.json` asks for; its `allowPlainProvider` is ours, for test benches."""
        config = identity.sdk_config(self.options.folder / identity.SDK_CONFIG_FILE)
        if config.get("allowPlainProvider", "").strip().lower() == "true":
            self.options = replace(self.options, allow_plain_provider=True)
        if config:
            from tollbridge.within import weblog

            asked = weblog.wanted(config)
            if asked is not None:
                self._web_log = weblog.WebLog(asked)
                await self._web_log.start()

    def _announcement(self) -> AbstractAsyncContextManager[object]:
        from tollbridge.within import mdns

        return mdns.Announcement(self.broadcast())
