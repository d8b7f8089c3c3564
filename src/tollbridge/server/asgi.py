"""One adapter for everything that answers HTTP or WebSockets: ASGI on one side, our messages on the
other.

It bounds what is read, checks the credential, and never lets an exception out: whatever goes wrong
is answered in the words of whoever was asked.
"""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from traceback import format_exc
from typing import Any
from urllib.parse import parse_qsl

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.server")

Answer = Callable[[Request, Mapping[str, str]], Awaitable[Response]]
Refuse = Callable[[RemoteProtocolError], Response]


class Credential:
    """The bearer token clients show, compared without leaking how much of it is right."""

    def __init__(self, token: Secret[str]) -> None:
        self._expected = b"Bearer " + token.reveal().encode()

    def fits(self, headers: Headers) -> bool:
        """Say whether a request carries it."""
        return self._is(headers.get("authorization", ""))

    def fits_query(self, query: bytes) -> bool:
        """Say whether the query of an address carries it as `token`: a web page cannot give a
        WebSocket header fields."""
        shown = dict(parse_qsl(query.decode("latin-1"))[:NAMES_MAX]).get("token", "")
        return self._is(f"Bearer {shown}")

    def derived(self, purpose: str) -> str:
        """Make a text that only who knows the token can make, and that does not tell it."""
        return hmac.digest(self._expected, purpose.encode(), "sha256").hex()

    def _is(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("latin-1", "replace"), self._expected)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An ASGI application for one address.

    `answer` gets the request and the names of its path; `refuse` answers what could not be read,
    with the hints "too_large", "unauthorized" and "internal" for what the adapter found itself.
    """

    answer: Answer
    refuse: Refuse
    limits: Limits
    credential: Credential | None

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await respond(await self._answered(scope, receive), send)

    async def _answered(self, scope: Mapping[str, Any], receive: Any) -> Response:
        headers = headers_of(scope)
        if self.credential is not None and not self.credential.fits(headers):
            text = "header Authorization: Bearer TOKEN is needed"
            return self.refuse(RemoteProtocolError(text, hint="unauthorized"))
        try:
            body = await _body(receive, self.limits.body_bytes_max)
            url = scope["path"]
            if scope["query_string"]:
                url += "?" + scope["query_string"].decode("latin-1")
            request = Request(scope["method"], url, headers, body, peer=_peer(scope))
            return await self.answer(request, scope.get("path_params", {}))
        except RemoteProtocolError as error:
            return self.refuse(error)
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer
            log.error("%s %s failed\n%s", scope["method"], scope["path"], scrub(format_exc()))
            return self.refuse(
                RemoteProtocolError("our mistake, it is in the log", hint="internal")
            )


TextAnswer = Callable[[str, Mapping[str, str]], Awaitable[Sequence[str]]]
TextRefuse = Callable[[RemoteProtocolError], str]
IN_FLIGHT_MAX = 16
NAMES_MAX = 20
_CREDENTIALS = ("authorization", "cookie", "token")
CLOSE_TOO_LARGE = 1009
CLOSE_UNAUTHORIZED = 3000


@dataclass(frozen=True, slots=True)
class SocketEndpoint:
    """An ASGI application for one address where WebSockets are opened.

    Each text is a message, answered as soon as its answer is ready; of one socket at most
    `in_flight_max` are under way, then nothing more is read. What is under way when the socket
    closes is finished all the same. A socket that does not show the credential, in its header or
    as `?token=`, is not opened. The names `answer` gets are those of the path, then of the query,
    then of the header fields: what a handshake can say once for all messages.
    """

    answer: TextAnswer
    refuse: TextRefuse
    limits: Limits
    credential: Credential | None
    in_flight_max: int = IN_FLIGHT_MAX

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await receive()
        if not self._admitted(scope):
            await self._turn_away(scope, send)
            return
        await send({"type": "websocket.accept"})
        names = _names(scope)
        free = asyncio.Semaphore(self.in_flight_max)
        alone = asyncio.Lock()
        under_way: set[asyncio.Task[None]] = set()

        async def one(text: str | None) -> None:
            try:
                texts = await self._answered(text, names, scope["path"])
                async with alone:
                    for said in texts:
                        await send({"type": "websocket.send", "text": said})
            except OSError:
                log.debug("%s: the caller left before its answer", scope["path"])
            finally:
                free.release()

        while True:
            await free.acquire()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                break
            text = message.get("text")
            if len((text or "").encode()) > self.limits.body_bytes_max:
                await self._too_large(alone, send)
                break
            task = asyncio.create_task(one(text))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way)

    def _admitted(self, scope: Mapping[str, Any]) -> bool:
        if self.credential is None or self.credential.fits(headers_of(scope)):
            return True
        return self.credential.fits_query(scope["query_string"])

    async def _turn_away(self, scope: Mapping[str, Any], send: Any) -> None:
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": CLOSE_UNAUTHORIZED})
            return
        fields = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
        start = {"type": "websocket.http.response.start", "status": 401, "headers": fields}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": b""})

    async def _too_large(self, alone: asyncio.Lock, send: Any) -> None:
        text = f"more than {self.limits.body_bytes_max} bytes"
        async with alone:
            said = self.refuse(RemoteProtocolError(text, hint="too_large"))
            await send({"type": "websocket.send", "text": said})
            await send({"type": "websocket.close", "code": CLOSE_TOO_LARGE})

    async def _answered(
        self, text: str | None, names: Mapping[str, str], path: str
    ) -> Sequence[str]:
        if text is None:
            bytes_came = "a message is a text, not bytes"
            return [self.refuse(RemoteProtocolError(bytes_came, hint="malformed"))]
        try:
            return await self.answer(text, names)
        except RemoteProtocolError as error:
            return [self.refuse(error)]
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer
            log.error("%s failed\n%s", path, scrub(format_exc()))
            mistake = "our mistake, it is in the log"
            return [self.refuse(RemoteProtocolError(mistake, hint="internal"))]


def _names(scope: Mapping[str, Any]) -> Mapping[str, str]:
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1"))[:NAMES_MAX])
    names = {**headers_of(scope), **asked, **scope.get("path_params", {})}
    return {name: value for name, value in names.items() if name not in _CREDENTIALS}


def headers_of(scope: Mapping[str, Any]) -> Headers:
    """Give the header fields of a request."""
    return Headers((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])


async def respond(response: Response, send: Any) -> None:
    """Send a whole answer."""
    fields = [(b"content-length", b"%d" % len(response.body))]
    fields += [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": fields})
    await send({"type": "http.response.body", "body": response.body})


def _peer(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    if not client:
        return ""
    host, port = client
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _body(receive: Any, limit_bytes: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= limit_bytes:
        message = await receive()
        body += message.get("body", b"")
    if len(body) > limit_bytes:
        raise RemoteProtocolError(f"more than {limit_bytes} bytes", hint="too_large")
    return body
