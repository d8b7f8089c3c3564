"""How requests leave, and the one place that judges whether they left.

A failure before the first byte of the request is NotSent. Any failure after it is NoAnswer, however
it is called: the judgement rests on what left, not on an exception's name.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tollbridge.engine.http1 import Address, Connection, Origin, Pool
from tollbridge.ground.errors import ConfigError, NoAnswer, NotSent
from tollbridge.ground.secret import scrub
from tollbridge.wire.http import Limits, Request, Response

ANSWER_LIMITS = Limits(body_bytes_max=1024 * 1024)


class Transport(Protocol):
    """Sends one request and gives its answer. Raises NotSent or NoAnswer, nothing else."""

    async def send(self, request: Request, limit_s: float) -> Response: ...

    async def close(self) -> None: ...


def trusting(ca_file: Path | None) -> ssl.SSLContext | None:
    """Make a context that believes only the certificate authorities in a file (PEM).

    None leaves it to the system's. Raises ConfigError when the file holds none.
    """
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError([f"server.ca_file: {ca_file}: {error.strerror or error}"]) from None


class HttpTransport:
    """Requests over HTTP/1.1, at most `connections` to one origin; no redirects, no proxies.

    `tls` is the context for https (default: the certificate authorities of this system).
    `connect_limit_s` is how long a connection may take to come about (default: as the answer).
    `admit` says which addresses may be connected to (default: all); see `is_public`.
    """

    def __init__(
        self,
        limits: Limits = ANSWER_LIMITS,
        connections: int = 256,
        tls: ssl.SSLContext | None = None,
        connect_limit_s: float | None = None,
        admit: Callable[[Address], bool] | None = None,
    ) -> None:
        self._pool = Pool(limits, connections, tls, admit)
        self._connect_limit_s = connect_limit_s

    async def send(self, request: Request, limit_s: float) -> Response:
        connection: Connection | None = None
        left = False
        try:
            async with asyncio.timeout(limit_s):
                url = urlsplit(request.url)
                origin = Origin.of(url)
                async with asyncio.timeout(self._connect_limit_s):
                    connection = await self._pool.take(origin)
                data = connection.write_down(request, url)
                left = True
                return await connection.exchange(data)
        except Exception as error:  # noqa: BLE001 - after the first byte, any failure is NoAnswer
            place = request.url.partition("?")[0]
            what = f"{request.method} {place}: {type(error).__name__} {scrub(str(error))}".rstrip()
            raise (NoAnswer if left else NotSent)(what) from None
        finally:
            if connection is not None:
                self._pool.give_back(origin, connection)

    async def close(self) -> None:
        self._pool.close()


def is_public(address: Address) -> bool:
    """Say whether an address is on the internet: neither this machine's, nor of a network around
    it, nor one of those written as another kind of address."""
    inner: Address | None = None
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return address.is_global and not address.is_multicast if inner is None else is_public(inner)


_TRANSLATED = IPv6Network("64:ff9b::/96")


class Switchboard:
    """Chooses a transport by the start of the URL; the rest goes to `otherwise`."""

    def __init__(self, lines: Mapping[str, Transport], otherwise: Transport) -> None:
        self._lines = dict(lines)
        self._otherwise = otherwise

    async def send(self, request: Request, limit_s: float) -> Response:
        for prefix, line in self._lines.items():
            if request.url.startswith(prefix):
                return await line.send(request, limit_s)
        return await self._otherwise.send(request, limit_s)

    async def close(self) -> None:
        for line in (*self._lines.values(), self._otherwise):
            await line.close()
