"""What the network tells unasked: signed notices about operations decided later."""

import asyncio
import logging

import msgspec

from tollbridge.bridges.sandbox.bridge import signature
from tollbridge.engine.transport import Transport
from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock
from tollbridge.ground.errors import TransportError
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.book import Movement
from tollbridge.sandbox.network import fields_of
from tollbridge.wire.http import Headers, Request

log = logging.getLogger("tollbridge.sandbox")

TRIES = 5
LIMIT_S = 5.0


def notice(url: str, key: Secret[str], movement: Movement, clock: Clock) -> Request:
    """Make the notice about a movement, signed for now."""
    body = msgspec.json.encode(fields_of(movement))
    sent_at = str(clock.now() // MICROSECONDS_PER_S)
    headers = Headers(
        [
            ("content-type", "application/json"),
            ("sandbox-timestamp", sent_at),
            ("sandbox-signature", signature(key.reveal(), sent_at, body)),
        ]
    )
    return Request("POST", url, headers, body)


class Notifier:
    """Delivers notices to one address, with growing pauses; the network's book is the truth, so a
    notice that never arrives costs time and nothing else."""

    def __init__(self, url: str, key: Secret[str], transport: Transport, clock: Clock) -> None:
        self._url = url
        self._key = key
        self._transport = transport
        self._clock = clock

    async def tell(self, movement: Movement) -> None:
        """Deliver the notice about a movement."""
        for attempt in range(TRIES):
            try:
                request = notice(self._url, self._key, movement, self._clock)
                answer = await self._transport.send(request, LIMIT_S)
            except TransportError as error:
                log.info("notice about %s: %s", movement.operation, error)
            else:
                if answer.status < 300:
                    return
                log.info("notice about %s: answered %s", movement.operation, answer.status)
            await asyncio.sleep(2**attempt)
