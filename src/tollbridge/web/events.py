"""A payment's events as a stream (server-sent events), for `EventSource` and for `fetch`.

Nothing is kept for a reader: when something happens it is told what is true then, under the numbers
of all events it has not seen. A slow reader gets fewer chunks, not older ones.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from traceback import format_exc
from typing import Any

import msgspec

from tollbridge.faces.webinos import codec
from tollbridge.faces.webinos.messages import Caller, Followed, Reply
from tollbridge.faces.webinos.outcome import charge
from tollbridge.ground.secret import scrub
from tollbridge.server.asgi import headers_of, respond
from tollbridge.web.hub import Follower, Hub, TooMany
from tollbridge.wire.http import Headers, Request

log = logging.getLogger("tollbridge.web")

HEARTBEAT_S = 15.0
SEND_LIMIT_S = 30.0
"""How long a reader may leave its buffer full before it is sent away."""
_FIELDS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("x-accel-buffering", "no"),
    ("x-content-type-options", "nosniff"),
)
_encode = msgspec.json.Encoder().encode

Look = Callable[[Caller, str], Awaitable[Followed | Reply]]


class Events:
    """The ASGI application. `look` shows a payment to a caller, or refuses."""

    def __init__(self, look: Look, hub: Hub) -> None:
        self._look = look
        self._hub = hub

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        headers = headers_of(scope)
        caller = codec.caller(Request("GET", scope["path"], headers))
        payment = scope["path_params"]["payment"]
        after = headers.get("last-event-id", "")
        last = int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else 0
        started = False

        async def begin() -> None:
            nonlocal started
            started = True
            fields = [*_FIELDS, *codec.cors(caller.origin)]
            coded = [(name.encode(), value.encode("latin-1")) for name, value in fields]
            await send({"type": "http.response.start", "status": 200, "headers": coded})

        try:
            with self._hub.following(payment) as follower:
                woken = follower.next()
                found = await self._look(caller, payment)
                if isinstance(found, Followed) and found.over and not _news(found, last):
                    # This ends the coming back of an EventSource.
                    found = Reply(204, None, origin=caller.origin)
                if isinstance(found, Reply):
                    await respond(codec.encode(found), send)
                    return
                await begin()
                gone = asyncio.get_running_loop().create_task(_until_gone(receive))
                try:
                    await self._tell(found, last, woken, follower, gone, caller, payment, send)
                finally:
                    gone.cancel()
        except TooMany as error:
            problem = charge("too_many", str(error), retry=True)
            await respond(codec.encode(Reply(503, codec.failure(problem), (("retry-after", "2"),), caller.origin)), send)
