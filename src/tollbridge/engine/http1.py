"""HTTP/1.1 connections for requests that move money, over httptools and asyncio.

Two things a general client does not promise. It is known exactly whether a byte of a request left.
And a connection is used again only when nothing stands in it: a peer that answers twice must not
answer the next request with the second answer.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import cast
from urllib.parse import SplitResult

import httptools

from tollbridge.ground.version import __version__
from tollbridge.wire.http import Headers, Limits, Request, Response

Address = IPv4Address | IPv6Address
IDLE_LIMIT_S = 15.0
HEAD_BYTES_MAX = 64 * 1024
_AGENT = (f"User-Agent: tollbridge/{__version__}", "Accept-Encoding: identity")
_METHOD = re.compile("[A-Z]{1,16}")
_TARGET = re.compile("[!-~]+")
_FIELD = re.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where connections go."""

    tls: bool
    host: str
    port: int

    @classmethod
    def of(cls, url: SplitResult) -> "Origin":
        """Read an origin from a URL. Raises ValueError when it is not http or https."""
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("only http and https addresses can be called")
        tls = url.scheme == "https"
        return cls(tls, url.hostname, url.port or (443 if tls else 80))


class Connection(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._reading: _Reading | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._closing = False
        self.idle_since_s = 0.0

    @property
    def clean(self) -> bool:
        """Whether the next request may go out on it."""
        return self._reading is None and not self._closing and not self._transport.is_closing()

    def write_down(self, request: Request, url: SplitResult) -> bytes:
        """Give the bytes of a request. Raises ValueError; then nothing left."""
        target = url.path or "/"
        if url.query:
            target += f"?{url.query}"
        lines = [f"{request.method} {target} HTTP/1.1", f"Host: {url.netloc.rpartition('@')[2]}"]
        lines += _AGENT
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if request.body or request.method not in ("GET", "HEAD"):
            lines.append(f"Content-Length: {len(request.body)}")
        if not _METHOD.fullmatch(request.method) or not _TARGET.fullmatch(target):
            raise ValueError("not a method and a target of HTTP")
        if not all(_FIELD.fullmatch(line) for line in lines[1:]):
            raise ValueError("a header that is none")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body

    async def exchange(self, data: bytes) -> Response:
        """Send a request's bytes and wait for its answer. From here on, bytes may have left."""
        self._reading = _Reading(self._limits)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await self._answer

    def close(self) -> None:
        """Break the connection."""
        self._closing = True
        self._transport.abort()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses, so this is said, not checked.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._reading is None:
            # Nobody asked: whatever this is, no later request may take it for its answer.
            self.close()
            return
        try:
            self._reading.feed(data)
        except (httptools.HttpParserError, _Unreadable) as error:
            if self._reading.answer is None:
                self._fail(f"not HTTP: {error}")
                return
            self._reading.ends_cleanly = False
        self._finish()

    def eof_received(self) -> None:
        self._closing = True
        if self._reading is not None:
            self._reading.end()
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection broke: {exc}" if exc else "the connection was closed")

    def _finish(self) -> None:
        """Hand over the answer, if it is whole."""
        if self._reading is None or self._reading.answer is None or self._answer is None:
            return
        if not self._reading.ends_cleanly:
            self.close()
        answer, self._reading = self._reading.answer, None
        if not self._answer.done():
            self._answer.set_result(answer)

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(why))
        self.close()


class _Unreadable(ValueError):
    """The answer breaks one of our own bounds."""


class _Reading:
    """One answer while it arrives, over the parser whose callbacks these are.

    `answer` is there when it is whole; `ends_cleanly` says whether the connection may go on.
    """

    def __init__(self, limits: Limits) -> None:
        self.answer: Response | None = None
        self.ends_cleanly = False
        self._limits = limits
        self._parser = httptools.HttpResponseParser(self)
        self._fields: list[tuple[str, str]] = []
        self._body = bytearray()
        self._head_bytes = 0
        self._has_head = False

    def feed(self, data: bytes) -> None:
        """Read on. Raises HttpParserError or _Unreadable."""
        if not self._has_head:
            self._head_bytes += len(data)
        self._parser.feed_data(data)
        if not self._has_head and self._head_bytes > HEAD_BYTES_MAX:
            raise _Unreadable("the head of the answer is too long")

    def end(self) -> None:
        """The peer says no more: that ends a body whose length nobody told."""
        told = {name.lower() for name, _ in self._fields}
        if self._has_head and not told & {"content-length", "transfer-encoding"}:
            self._whole()

    def on_message_begin(self) -> None:
        if self.answer is not None:
            # Something stands behind the answer: the connection is not used again.
            self.ends_cleanly = False
        self._fields, self._has_head = [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.decode("latin-1"), value.decode("latin-1")))
        if len(self._fields) > self._limits.header_count_max:
            raise _Unreadable("too many headers")

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._limits.body_bytes_max:
            raise _Unreadable("the answer is too long")

    def on_message_complete(self) -> None:
        if self.answer is None and self._parser.get_status_code() >= 200:
            self._whole()
            self.ends_cleanly = self._parser.should_keep_alive()

    def _whole(self) -> None:
        status = self._parser.get_status_code()
        self.answer = Response(status, Headers(self._fields), bytes(self._body))


@dataclass(slots=True)
class _Place:
    """The connections to one origin: the idle ones, and how many there may be."""

    free: asyncio.Semaphore
    idle: list[Connection] = field(default_factory=list)


class Pool:
    """Connections by origin, at most so many to each; idle ones are kept for a short while."""

    def __init__(
        self,
        limits: Limits,
        connections: int,
        tls: ssl.SSLContext | None,
        admit: Callable[[Address], bool] | None = None,
    ) -> None:
        self._limits = limits
        self._connections = connections
        self._tls = tls
        self._admit = admit
        self._places: dict[Origin, _Place] = {}

    async def take(self, origin: Origin) -> Connection:
        """Give a clean connection; waits for one where too many are busy."""
        place = self._places.get(origin)
        if place is None:
            place = self._places[origin] = _Place(asyncio.Semaphore(self._connections))
        await place.free.acquire()
        try:
            now = asyncio.get_running_loop().time()
            while place.idle:
                kept = place.idle.pop()
                if kept.clean and now - kept.idle_since_s < IDLE_LIMIT_S:
                    return kept
                kept.close()
            return await self._connect(origin)
        except BaseException:
            place.free.release()
            raise

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Take a connection back after its exchange, whatever came of it."""
        place = self._places[origin]
        if connection.clean:
            connection.idle_since_s = asyncio.get_running_loop().time()
            place.idle.append(connection)
        else:
            connection.close()
        place.free.release()

    def close(self) -> None:
        """Close what is idle."""
        for place in self._places.values():
            for connection in place.idle:
                connection.close()
            place.idle.clear()

    async def _connect(self, origin: Origin) -> Connection:
        if origin.tls and self._tls is None:
            self._tls = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(self._limits),
            await self._place_of(origin),
            origin.port,
            ssl=self._tls if origin.tls else None,
            server_hostname=origin.host if origin.tls else None,
        )
        return connection

    async def _place_of(self, origin: Origin) -> str:
        """Say what is connected to: the name, or, where not every address is admitted, the very
        address that was looked at. Asked again, the name might lead elsewhere. Raises OSError."""
        if self._admit is None:
            return origin.host
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        addresses = [str(each[4][0]) for each in found]
        for address in addresses:
            if not self._admit(ip_address(address.partition("%")[0])):
                raise PermissionError(f"{origin.host} is at {address}, which may not be called")
        return addresses[0]
