"""A payment's events as a stream (server-sent events), for `EventSource` and for `fetch`.

Nothing is kept for a reader: when something happens it is told what is true then, under the numbers
of all events it has not seen. A slow reader gets fewer chunks, never older ones.
"""

import asyncio
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
from tollbridge.wire.http import Request

log = logging.getLogger("tollbridge.web")

HEARTBEAT_S = 15.0
SEND_LIMIT_S = 30.0
"""How long a reader may leave its buffer full before it is sent away."""
BUSY = charge("too_many", "Too many follow payments just now.", retry=True)
_FIELDS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("x-accel-buffering", "no"),
    ("x-content-type-options", "nosniff"),
)
_encode = msgspec.json.Encoder().encode

Look = Callable[[Caller, str], Awaitable[Followed | Reply]]
Again = Callable[[str], Awaitable[Followed | None]]


def too_many(caller: Caller) -> Reply:
    """Send somebody away for a moment."""
    return Reply(503, codec.failure(BUSY), (("retry-after", "2"),), caller.origin)


class Events:
    """The ASGI application. `look` shows a payment to a caller, or refuses; `again` shows it to one
    who was let in."""

    def __init__(self, look: Look, again: Again, hub: Hub) -> None:
        self._look = look
        self._again = again
        self._hub = hub

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        headers = headers_of(scope)
        caller = codec.caller(Request("GET", scope["path"], headers))
        after = headers.get("last-event-id", "")
        seen = int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else 0
        payment = scope["path_params"]["payment"]
        try:
            with self._hub.following(payment) as follower:
                stream = _Stream(lambda: self._again(payment), follower, send, seen)
                await stream.run(lambda: self._look(caller, payment), caller.origin, receive)
        except TooMany:
            await respond(codec.encode(too_many(caller)), send)
        except OSError:
            log.debug("%s: the reader left", scope["path"])
        except Exception:  # noqa: BLE001 - the reader comes again, and is told more in the log
            log.error("%s failed\n%s", scope["path"], scrub(format_exc()))


class _Stream:
    """One reader."""

    def __init__(
        self,
        again: Callable[[], Awaitable[Followed | None]],
        follower: Follower,
        send: Any,
        seen: int,
    ) -> None:
        self._again = again
        self._follower = follower
        self._send = send
        self._seen = seen

    async def run(
        self, look: Callable[[], Awaitable[Followed | Reply]], origin: str, receive: Any
    ) -> None:
        """Tell everything until the end of the payment, of the reader or of the server."""
        woken = self._follower.next()
        found = await look()
        chunk = self._news(found) if isinstance(found, Followed) else b""
        if isinstance(found, Followed) and found.over and not chunk:
            found = Reply(204, None, origin=origin)  # so an EventSource stays away
        if isinstance(found, Reply):
            await respond(codec.encode(found), self._send)
            return
        fields = [*_FIELDS, *codec.cors(origin)]
        coded = [(name.encode(), value.encode("latin-1")) for name, value in fields]
        await self._send({"type": "http.response.start", "status": 200, "headers": coded})
        gone = asyncio.get_running_loop().create_task(_until_gone(receive))
        try:
            await self._tell(chunk or b": here\n\n")
            while not (found.over or self._follower.over or gone.done()):
                done, _ = await asyncio.wait(
                    (woken, gone), timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    await self._tell(b": still here\n\n")
                elif woken.done():
                    woken = self._follower.next()
                    again = await self._again()
                    if again is None:
                        break
                    found = again
                    if chunk := self._news(found):
                        await self._tell(chunk)
            if not gone.done():
                await self._send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    async def _tell(self, chunk: bytes) -> None:
        # Raises TimeoutError, which is an OSError.
        async with asyncio.timeout(SEND_LIMIT_S):
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    def _news(self, found: Followed) -> bytes:
        """Write the events the reader has not seen."""
        last = self._seen
        new = [event for event in found.events if event[0] > last]
        if not new:
            return b""
        self._seen = new[-1][0]
        data = _encode(found.view)
        return b"".join(
            b"id: %d\nevent: %b\ndata: %b\n\n" % (n, name.encode(), data) for n, name in new
        )


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
