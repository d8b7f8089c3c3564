"""HTTP/1.1 connections for requests that move money, over h11 and asyncio.

Two things a general client does not promise. It is known exactly whether a byte of a request left.
And a connection is used again only when nothing stands in it: a peer that answers twice must not
answer the next request with the second answer.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import SplitResult

import h11

from tollbridge.ground.version import __version__
from tollbridge.wire.http import Headers, Limits, Request, Response

IDLE_LIMIT_S = 15.0
_AGENT = (("user-agent", f"tollbridge/{__version__}"), ("accept-encoding", "identity"))


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
        self._http = h11.Connection(h11.CLIENT)
        self._answer: asyncio.Future[Response] | None = None
        self._head: h11.Response | None = None
        self._body = bytearray()
        self.idle_since_s = 0.0

    @property
    def clean(self) -> bool:
        """Whether the next request may go out on it."""
        return self._http.our_state is h11.IDLE and not self._transport.is_closing()

    def write_down(self, request: Request, url: SplitResult) -> bytes:
        """Give the bytes of a request. Raises h11.LocalProtocolError; then nothing left."""
        headers = [("host", url.netloc.rpartition("@")[2]), *_AGENT, *request.headers.items()]
        if request.body or request.method not in ("GET", "HEAD"):
            headers.append(("content-length", str(len(request.body))))
        target = url.path or "/"
        if url.query:
            target += f"?{url.query}"
        data = self._http.send(h11.Request(method=request.method, target=target, headers=headers))
        data += self._http.send(h11.Data(request.body)) or b""
        return (data or b"") + (self._http.send(h11.EndOfMessage()) or b"")

    async def exchange(self, data: bytes) -> Response:
        """Send a request's bytes and wait for its answer. From here on, bytes may have left."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await self._answer

    def close(self) -> None:
        """Break the connection."""
        self._transport.abort()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses, so this is said, not checked.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # Nobody asked: whatever this is, no later request may take it for its answer.
            self.close()
            return
        try:
            self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as error:
            self._fail(f"not HTTP: {error}")

    def eof_received(self) -> None:
        self.data_received(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection broke: {exc}" if exc else "the connection was closed")

    def _read(self) -> None:
        while True:
            match self._http.next_event():
                case h11.Response() as head:
                    self._head = head
                case h11.Data(data=data):
                    self._body += data
                    if len(self._body) > self._limits.body_bytes_max:
                        self._fail("the answer is too long")
                        return
                case h11.EndOfMessage():
                    self._finish()
                    return
                case h11.InformationalResponse():
                    continue
                case _:
                    return

    def _finish(self) -> None:
        assert self._head is not None
        assert self._answer is not None
        fields = ((n.decode("latin-1"), v.decode("latin-1")) for n, v in self._head.headers)
        answer = Response(self._head.status_code, Headers(fields), bytes(self._body))
        more, _ = self._http.trailing_data
        if more or self._http.their_state is not h11.DONE:
            self.close()
        else:
            self._http.start_next_cycle()
        self._head, self._body = None, bytearray()
        self._answer.set_result(answer)

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(why))
        self._transport.abort()


@dataclass(slots=True)
class _Place:
    """The connections to one origin: the idle ones, and how many there may be."""

    free: asyncio.Semaphore
    idle: list[Connection] = field(default_factory=list)


class Pool:
    """Connections by origin, at most so many to each; idle ones are kept for a short while."""

    def __init__(self, limits: Limits, connections: int, tls: ssl.SSLContext | None) -> None:
        self._limits = limits
        self._connections = connections
        self._tls = tls
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
            origin.host,
            origin.port,
            ssl=self._tls if origin.tls else None,
        )
        return connection
