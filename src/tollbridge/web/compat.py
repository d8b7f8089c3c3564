"""The original client's way in: its configuration, our script under its name, and its WebSocket.

Off unless pages are named that may use it. Unlike the original, a socket is opened only to a page
of such an origin that calls this server by a name of its own, and speaks only for itself.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from traceback import format_exc
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Route, WebSocketRoute

from tollbridge.faces.webinos import codec, compat
from tollbridge.faces.webinos.bill import Manner
from tollbridge.faces.webinos.compat import Link, Told
from tollbridge.faces.webinos.messages import Answer, Begin, Caller, Followed, Reply
from tollbridge.faces.webinos.outcome import charge
from tollbridge.faces.webinos.settings import Provider
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret, scrub
from tollbridge.server.asgi import Endpoint, headers_of
from tollbridge.server.errors import failed, failure
from tollbridge.web import files
from tollbridge.web.files import ALWAYS, Files
from tollbridge.web.hub import TooMany
from tollbridge.web.site import Site
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.web")

DEVICE = "tollbridge"
SOCKETS_MAX = 200
CALLS_MAX = 16
"""How many calls of one socket may be under way; further ones are refused."""
FRAME_LETTERS_MAX = 256 * 1024
FOREIGN, TOO_LARGE, BUSY_CLOSE = 4003, 1009, 1013
BUSY = charge("too_many", "Too many calls at once.", retry=True)
MISTAKE = charge("system_error", "The provider failed; it is in its log.")
_LIMITS = Limits(body_bytes_max=1024)
_PORTS = {"http": 80, "https": 443}


class Compat:
    """The endpoint, an ASGI application for each socket. `hosts` are the names the server is called
    by, beside addresses and this machine's own."""

    def __init__(
        self, site: Site, provider: Provider, ids: IdSource, hosts: Collection[str]
    ) -> None:
        self._site = site
        self._provider = provider
        self._ids = ids
        own = urlsplit(provider.url).hostname or ""
        self._hosts = frozenset(host.lower() for host in (*hosts, own) if host)
        self._numbers = itertools.count()
        self._files = Files(files.CLIENT)
        self._open = 0

    def routes(self) -> list[BaseRoute]:
        """Make the routes; none where no pages may use them."""
        if not self._provider.compat_origins:
            return []
        made: list[BaseRoute] = [
            Route(path, Endpoint(give, failed, _LIMITS, None), methods=["GET"])
            for path, give in (
                ("/webinosConfig.json", self._config),
                ("/webinos.js", self._script),
                ("/tollbridge.js", self._script),
            )
        ]
        return [*made, WebSocketRoute("/", self), WebSocketRoute("/webinos", self)]

    def admits(self, headers: Headers) -> bool:
        """Say whether a page may open a socket: it is of a known origin, and calls this server by
        a name nobody else can give it (DNS rebinding)."""
        if headers.get("origin", "") not in self._provider.compat_origins:
            return False
        try:
            name = urlsplit(f"//{headers.get('host', '').lower()}").hostname or ""
            ip_address(name)
        except ValueError:
            return name in self._hosts or name == "localhost" or name.endswith(".localhost")
        return True

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await receive()
        headers = headers_of(scope)
        if not self.admits(headers) or self._open >= SOCKETS_MAX:
            code = BUSY_CLOSE if self.admits(headers) else FOREIGN
            await send({"type": "websocket.close", "code": code})
            return
        await send({"type": "websocket.accept"})
        reached = codec.reached(Request("GET", scope["path"], headers))
        link = Link(DEVICE, self._ids.secret())
        page = _Page(self._site, self._provider, self._ids, send, link, reached)
        self._open += 1
        try:
            await page.run(receive, self._numbers)
        except OSError:
            log.debug("%s: the page left", scope["path"])
        finally:
            self._open -= 1
            page.close()

    # Files

    async def _config(self, request: Request, _: Mapping[str, str]) -> Response:
        address = urlsplit(codec.reached(request))
        try:
            port = address.port or _PORTS.get(address.scheme, 80)
        except ValueError:
            return failure(400, "malformed", "a Host with a port is expected")
        fields = [("content-type", "application/json"), ("cache-control", "no-store"), *ALWAYS]
        return Response(
            200, Headers([*fields, *self._readable(request)]), json.write(compat.config(port))
        )

    async def _script(self, request: Request, _: Mapping[str, str]) -> Response:
        name = request.url.partition("?")[0].removeprefix("/")
        return self._files.answer(request.headers, name, *self._readable(request))

    def _readable(self, request: Request) -> list[tuple[str, str]]:
        origin = request.headers.get("origin", "")
        allowed = [("access-control-allow-origin", origin)]
        known = origin in self._provider.compat_origins
        return [("vary", "Origin"), *(allowed if known else [])]


@dataclass(slots=True)
class _Paying:
    """A payment a page of ours began and follows."""

    wanted: compat.Pay
    payment: str
    caller: Caller
    told: Told = field(default_factory=Told)


class _Page:
    """One socket with one page. Its payments go on when it leaves; nobody is told then."""

    def __init__(
        self, site: Site, provider: Provider, ids: IdSource, send: Any, link: Link, reached: str
    ) -> None:
        self._site = site
        self._provider = provider
        self._ids = ids
        self._send = send
        self._link = link
        self._reached = reached
        self._paying: list[_Paying] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, receive: Any, numbers: "itertools.count[int]") -> None:
        """Read frames until the page leaves."""
        number = next(numbers)
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None or len(text) > FRAME_LETTERS_MAX:
                await self._send({"type": "websocket.close", "code": TOO_LARGE})
                return
            try:
                wanted = compat.read(text, self._link, self._provider, number)
            except RemoteProtocolError as error:
                # It names no call, so nobody waits for an answer.
                log.info("a frame was not understood: %s", scrub(str(error)))
                continue
            await self._take(wanted)

    def close(self) -> None:
        """Follow nothing any more."""
        for task in self._tasks:
            task.cancel()

    async def _take(self, wanted: compat.Do) -> None:
        match wanted:
            case compat.Register():
                if not self._link.address:
                    self._link = replace(self._link, address=wanted.address)
                await self._say((compat.registered(self._link),))
            case compat.Say():
                await self._say(wanted.texts)
            case compat.Find():
                count = len(self._provider.services) + 1
                ids = [self._ids.secret()[:32] for _ in range(count)]
                await self._say(compat.services(self._link, self._provider, wanted, ids))
            case compat.Pay() | compat.AnswerChallenge() if len(self._tasks) >= CALLS_MAX:
                await self._say(compat.refused(self._link, wanted.call, BUSY.fields()))
            case compat.Pay() | compat.AnswerChallenge():
                task = asyncio.get_running_loop().create_task(self._carried(wanted))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _carried(self, wanted: compat.Pay | compat.AnswerChallenge) -> None:
        """Do a call; whatever goes wrong is answered."""
        try:
            if isinstance(wanted, compat.Pay):
                async for texts in self._paid(wanted):
                    await self._say(texts)
            else:
                await self._answered(wanted)
        except OSError:
            log.debug("the page left before its answer")
        except TooMany:
            await self._say(compat.refused(self._link, wanted.call, BUSY.fields()))
        except Exception:  # noqa: BLE001 - the original left its clients waiting for ever
            log.error("a call of the original client failed\n%s", scrub(format_exc()))
            await self._say(compat.refused(self._link, wanted.call, MISTAKE.fields()))

    async def _paid(self, wanted: compat.Pay) -> AsyncIterator[tuple[str, ...]]:
        """Begin a payment and follow it to its end; give what the page is told."""
        message = Begin(Caller(reached=self._reached), wanted.key, wanted.fields, Manner.COMPAT)
        reply = await self._site.begun(message)
        fields = reply.fields or {}
        if reply.status >= 300:
            yield compat.refused(self._link, wanted.call, fields["error"])
            return
        caller = Caller(credential=Secret(str(fields["client_token"])), reached=self._reached)
        paying = _Paying(wanted, str(fields["id"]), caller)
        self._paying.append(paying)
        try:
            with self._site.hub.following(paying.payment) as follower:
                while not paying.told.over and not follower.over:
                    woken = follower.next()
                    found = await self._site.followed(caller, paying.payment)
                    if not isinstance(found, Followed):
                        raise RemoteProtocolError(f"following was refused: {found.status}")
                    call = self._ids.secret()[:32]
                    yield compat.outcome(self._link, wanted, paying.told, found.view, call)
                    if not paying.told.over:
                        await woken
        finally:
            self._paying.remove(paying)

    async def _answered(self, wanted: compat.AnswerChallenge) -> None:
        """Take an answer to a challenge this very page was shown."""
        for paying in self._paying:
            if paying.told.challenge == wanted.challenge:
                given = Answer(paying.caller, paying.payment, wanted.challenge, wanted.answer)
                reply: Reply = await self._site.begun(given)
                await self._say(compat.accepted(self._link, wanted.call, yes=reply.status < 300))
                return
        await self._say(compat.accepted(self._link, wanted.call, yes=False))

    async def _say(self, texts: tuple[str, ...]) -> None:
        for text in texts:
            await self._send({"type": "websocket.send", "text": text})
