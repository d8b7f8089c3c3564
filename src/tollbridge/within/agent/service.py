"""The agent's service: one method of the interface is one call of the device (WIRE 4.3, 4.7)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tollbridge.faces.within.errors import BadArgument, NotReady
from tollbridge.faces.within.events import Event
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within.agent import convert
from tollbridge.within.agent.convert import Tokens, Values
from tollbridge.within.agent.tables import CLOSE, Shape

if TYPE_CHECKING:
    from tollbridge.within.device import Device  # takes longer than programs wait


Make = Callable[..., Awaitable["Device"]]
"""Makes a device of a name, a description, an interface's address and `folder`."""

Tell = Callable[[Event, Shape], None]
"""Tells a listener of an event; does not block."""


class _Program:
    """What the calls of a program tell about the revision of its interface (WIRE 4.1)."""

    def __init__(self) -> None:
        self._shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        """How it will understand that delivery begins."""
        return self._shape or Shape.NEW

    def called(self, method: str, values: Values) -> None:
        """Learn from a call; what one call shows for sure no other one changes."""
        shown: Shape | None = None
        if method == "searchForDevice" or "interfaceAddr" in values:
            shown = Shape.NEW
        elif method in {"initProducer", "initConsumer"} and "pspConfig" not in values:
            shown = Shape.OLD
        elif method == "addService":
            service = values.get("svc", {})
            if "prices" in service or "serviceType" in service:
                shown = Shape.NEW
            elif "prices_G4" in service and self._shape is None:
                self._shape = Shape.BOTH
        if shown is not None and self._shape in {None, Shape.BOTH}:
            self._shape = shown


class Agent:
    """A device and the calls of programs on it. Lives in one loop.

    A second `setup` gives a new device; the earlier ones go on selling (WIRE 4.7), and their
    events are told, until the agent ends.
    """

    def __init__(
        self,
        make: Make,
        *,
        folder: Path = Path(),
        tell: Tell | None = None,
        shape: Shape | None = None,
    ) -> None:
        self._make = make
        self._folder = folder
        self._tell = tell
        self._shape = shape
        self._devices: list[Device] = []
        self._program = _Program()
        self._tokens = Tokens()

    async def call(self, method: str, values: Values) -> Any:
        """Do a method of the interface; gives what it returns. Raises what the device raises."""
        if method == "setup":
            return await self._setup(values)
        if method == CLOSE:
            return None
        if not self._devices:
            raise NotReady("setup")
        self._program.called(method, values)
        return await _CALLS[method](self._devices[-1], values, self._tokens)

    async def close(self) -> None:
        """Close every device."""
        devices, self._devices = self._devices, []
        await asyncio.gather(*(device.close() for device in devices))

    async def _setup(self, values: Values) -> None:
        device = await self._make(
            values.get("name", ""),
            values.get("description", ""),
            values.get("interfaceAddr", ""),
            folder=self._folder,
        )
        program = _Program()
        program.called("setup", values)
        if self._tell is not None:
            tell, shape = self._tell, self._shape
            device.set_event_handler(lambda event: tell(event, shape or program.shape))
        self._devices.append(device)
        self._program = program


async def _add_service(device: "Device", values: Values, _: Tokens) -> None:
    device.add_service(convert.service_in(_given(values, "svc")))


async def _remove_service(device: "Device", values: Values, _: Tokens) -> None:
    device.remove_service(_given(values, "svc").get("id", 0))


async def _init_consumer(device: "Device", values: Values, _: Tokens) -> None:
    device.init_consumer(
        values.get("scheme", ""),
        values.get("hostname", ""),
        values.get("port", 0),
        values.get("urlPrefix", ""),
        values.get("clientID", ""),
        convert.card_in(values.get("hceCard")),
        convert.consumer_psp_in(values),
    )


async def _init_producer(device: "Device", values: Values, _: Tokens) -> None:
    await device.init_producer(convert.producer_psp_in(values))


async def _get_device(device: "Device", _values: Values, _: Tokens) -> Values:
    return convert.device_out(
        device.uid, device.name, device.description, device.ipv4_address, device.catalogue
    )


async def _start_broadcast(device: "Device", values: Values, _: Tokens) -> None:
    await device.start_service_broadcast(_seconds(values))


async def _stop_broadcast(device: "Device", _values: Values, _: Tokens) -> None:
    await device.stop_service_broadcast()


async def _discover(device: "Device", values: Values, _: Tokens) -> list[Values]:
    found = await device.device_discovery(_seconds(values))
    return [convert.broadcast_out(one) for one in found]


async def _search(device: "Device", values: Values, _: Tokens) -> Values:
    name = values.get("deviceName", "")
    found = await device.search_for_device(_seconds(values), name)
    return convert.broadcast_out(found or Broadcast())


async def _request_services(device: "Device", _values: Values, _: Tokens) -> list[Values]:
    return [convert.details_out(one) for one in await device.request_services()]


async def _get_prices(device: "Device", values: Values, _: Tokens) -> list[Values]:
    prices = await device.get_service_prices(values.get("serviceId", 0))
    return [convert.price_out(one) for one in prices]


async def _select(device: "Device", values: Values, _: Tokens) -> Values:
    total = await device.select_service(
        values.get("serviceId", 0), values.get("numberOfUnits", 0), values.get("priceId", 0)
    )
    return convert.total_out(total)


async def _pay(device: "Device", values: Values, tokens: Tokens) -> Values:
    response = await device.make_payment(convert.total_in(_given(values, "request")))
    return convert.payment_out(response, tokens)


async def _begin(device: "Device", values: Values, tokens: Tokens) -> Values:
    token = tokens.original(_given(values, "serviceDeliveryToken"))
    response = await device.begin_service_delivery(
        values.get("serviceID", 0), token, values.get("unitsToSupply", 0)
    )
    return tokens.remember(response.token)


async def _end(device: "Device", values: Values, tokens: Tokens) -> Values:
    token = tokens.original(_given(values, "serviceDeliveryToken"))
    response = await device.end_service_delivery(
        values.get("serviceID", 0), token, values.get("unitsReceived", 0)
    )
    return tokens.remember(response.token)


_CALLS: Mapping[str, Callable[["Device", Values, Tokens], Awaitable[Any]]] = {
    "addService": _add_service,
    "removeService": _remove_service,
    "initConsumer": _init_consumer,
    "initProducer": _init_producer,
    "getDevice": _get_device,
    "startServiceBroadcast": _start_broadcast,
    "stopServiceBroadcast": _stop_broadcast,
    "deviceDiscovery": _discover,
    "searchForDevice": _search,
    "requestServices": _request_services,
    "getServicePrices": _get_prices,
    "selectService": _select,
    "makePayment": _pay,
    "beginServiceDelivery": _begin,
    "endServiceDelivery": _end,
}


def _given(values: Values, name: str) -> Values:
    found: Values | None = values.get(name)
    if found is None:
        raise BadArgument("NO_DATA", "DATA", f"{name} is missing")
    return found


def _seconds(values: Values) -> float:
    """Read a time limit; none or less than one millisecond is 0."""
    milliseconds: int = values.get("timeoutMillis", 0)
    return max(0, milliseconds) / 1000
