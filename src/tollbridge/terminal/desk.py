"""The terminals of one server, by their ids: where what a face says finds its device."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from tollbridge.engine.engine import Partner
from tollbridge.faces.wpi.wishes import Saying
from tollbridge.ground.errors import LocalProtocolError
from tollbridge.ground.flow import Party
from tollbridge.terminal.device import Device, Kit, Terminal
from tollbridge.terminal.reader import CardReader


class Desk(Mapping[str, Device]):
    """Devices by the ids of their terminals."""

    def __init__(self, devices: Mapping[str, Device]) -> None:
        self._devices = dict(devices)

    def __getitem__(self, terminal: str) -> Device:
        return self._devices[terminal]

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices)

    def __len__(self) -> int:
        return len(self._devices)

    def parties(self) -> dict[Party, Partner]:
        """Give whom the face may talk to."""

        async def cardholder(message: object) -> object:
            saying = _saying(message)
            return await self._device(saying).cardholder(saying)

        async def merchant(message: object) -> object:
            saying = _saying(message)
            return await self._device(saying).merchant(saying)

        async def device(message: object) -> object:
            saying = _saying(message)
            return await self._device(saying).device(saying)

        return {Party.CARDHOLDER: cardholder, Party.MERCHANT: merchant, Party.DEVICE: device}

    def changed(self) -> None:
        """Tell everybody who looks that something changed that all terminals share."""
        for device in self._devices.values():
            device.changed()

    def close(self) -> None:
        """Send everybody away who looks at a screen."""
        for device in self._devices.values():
            device.close()

    def _device(self, saying: Saying) -> Device:
        device = self._devices.get(saying.terminal)
        if device is None:
            raise LocalProtocolError(f"there is no terminal {saying.terminal!r:.40}")
        return device


def desk(
    terminals: Mapping[str, Terminal],
    kit: Kit,
    readers: Mapping[str, CardReader] = MappingProxyType({}),
) -> Desk:
    """Make the devices of terminals, all of the same kit; `readers` are real ones."""
    return Desk(
        {
            name: Device(terminal, replace(kit, reader=readers.get(name)))
            for name, terminal in terminals.items()
        }
    )


def _saying(message: object) -> Saying:
    if not isinstance(message, Saying):
        raise LocalProtocolError(f"a terminal's people do not know {type(message).__name__}")
    return message
