"""The network's own HTTP listener: one that can misbehave the way networks do.

A proper server would never stay silent, answer twice or stop listening for a while. This one does
it on purpose, so it holds the socket itself.
"""

import asyncio
from http import HTTPStatus
from typing import cast

import httptools

from tollbridge.sandbox.service import Service
from tollbridge.wire.http import Headers, Request, Response

BODY_BYTES_MAX = 64 * 1024


class Listener:
    """Listens on a port for a service; can be taken down and up again on the same port."""

    def __init__(self, service: Service, host: str, port: int) -> None:
        self.service = service
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()
        self._rising: asyncio.TimerHandle | None = None

    @property
    def is_up(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    async def up(self) -> None:
        """Take connections."""
        if self._rising is not None:
            self._rising.cancel()
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: _Connection(self.service, self._connections),
                self.host,
                self.port,
                reuse_address=True,
            )
            self.port = self._server.sockets[0].getsockname()[1]

    def down(self, for_s: float | None = None) -> None:
        """Refuse connections and break the open ones; for a while, or until `up`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in list(self._connections):
            transport.abort()
        if for_s is not None:
            loop = asyncio.get_running_loop()
            self._rising = loop.call_later(for_s, lambda: loop.create_task(self.up()))


class _Connection(asyncio.Protocol):
    def __init__(self, service: Service, connections: set[asyncio.Transport]) -> None:
        self._service = service
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._requests: asyncio.Queue[Request] = asyncio.Queue()
        self._url, self._headers, self._body = b"", list[tuple[str, str]](), bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses, so this is said, not checked.
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self._transport)
        self._answering = asyncio.get_running_loop().create_task(self._answer())

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self._transport)
        self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    # Called by the parser

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", [], bytearray()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > BODY_BYTES_MAX:
            self._transport.abort()

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("ascii")
        url = self._url.decode("latin-1")
        self._requests.put_nowait(Request(method, url, Headers(self._headers), bytes(self._body)))

    async def _answer(self) -> None:
        while True:
            request = await self._requests.get()
            try:
                reply = await self._service.serve(request, self._service.trouble(request))
            except OSError:
                self._transport.abort()
                return
            if reply.silent:
                continue
            if reply.answer is None:
                self._transport.abort()
                return
            self._transport.write(_bytes(reply.answer) * reply.times)


def _bytes(answer: Response) -> bytes:
    phrase = HTTPStatus(answer.status).phrase
    head = f"HTTP/1.1 {answer.status} {phrase}\r\ncontent-length: {len(answer.body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    return head.encode("latin-1") + b"\r\n" + answer.body
