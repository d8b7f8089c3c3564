"""A meter that runs on time: a unit every so many seconds, while a delivery is under way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tollbridge.faces.within.events import DeliveryBegun, DeliveryEnded, Event
from tollbridge.ground.secret import Secret
from tollbridge.within.device import Device

Shown = Callable[[DeliveryBegun, int], None]
"""Hears that so many units of a delivery have been supplied by now."""


@dataclass(slots=True)
class Meter:
    """Meters the deliveries of a device: give it every event.

    `pace_s` says for each service how many seconds a unit takes; what is not in it is supplied at
    once. What the meter says counts, also when the consumer goes away without a word.
    """

    device: Device
    pace_s: dict[int, float]
    shown: Shown = lambda _, __: None
    _running: dict[Secret[str], asyncio.Task[None]] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        """Start and stop with the deliveries."""
        match event:
            case DeliveryBegun(token=token):
                self._stop(token.key)
                if not self.pace_s.get(event.service_id):
                    self.shown(event, event.units)
                    return
                self._running[token.key] = asyncio.create_task(self._run(event))
            case DeliveryEnded(token=token):
                self._stop(token.key)

    async def _run(self, begun: DeliveryBegun) -> None:
        for unit in range(1, begun.units + 1):
            await asyncio.sleep(self.pace_s[begun.service_id])
            await self.device.metered(begun.token.key, unit)
            self.shown(begun, unit)
        self._running.pop(begun.token.key, None)

    def _stop(self, key: Secret[str]) -> None:
        task = self._running.pop(key, None)
        if task is not None:
            task.cancel()
