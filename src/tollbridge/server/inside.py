"""A server inside somebody's program: it starts and closes when it is told, and leaves signals to
the program."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import uvicorn

BACKLOG = 2048
CONFIG: Mapping[str, Any] = {
    "http": "httptools",
    "ws": "none",
    "log_config": None,
    "access_log": False,
    "proxy_headers": False,
    "lifespan": "on",
    "timeout_keep_alive": 75,
    "server_header": False,
}
"""How every server of ours is run."""
WEBSOCKETS: Mapping[str, Any] = {
    "ws": "websockets-sansio" if find_spec("websockets") else "none",
    "ws_max_size": 1024 * 1024,
}
"""And what one needs beside that where WebSockets are opened, if the package is there."""


def listen(host: str, port: int) -> socket.socket:
    """Take a port; "" is every interface, port 0 a free one. Raises OSError or OverflowError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: only then does asyncio send small answers at once.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError):
        listening.close()
        raise
    listening.listen(BACKLOG)
    return listening


class Served:
    """An application on a socket, with WebSockets if `websockets` says so.

    `leaving` is called before connections are closed.
    """

    def __init__(
        self,
        app: Any,
        listening: socket.socket,
        *,
        websockets: bool = False,
        leaving: Callable[[], None] | None = None,
    ) -> None:
        self._listening = listening
        more = WEBSOCKETS if websockets else {}
        config: dict[str, Any] = {**CONFIG, "loop": "none", "timeout_graceful_shutdown": 5, **more}
        self._server = _Embedded(uvicorn.Config(app, **config), leaving)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open for business. Raises RuntimeError when the application did not start."""
        self._serving = asyncio.create_task(self._server.serve([self._listening]))
        opened = asyncio.create_task(self._server.opened.wait())
        await asyncio.wait({self._serving, opened}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if self._serving.done():
            raise RuntimeError("the application did not start; see the log")

    async def close(self) -> None:
        """Answer what is under way, then close; the application closes with it."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._listening.close()

    def abort(self) -> None:
        """Break all connections at once and listen no more, as a process does that is killed."""
        self._server.should_exit = self._server.force_exit = True
        for server in self._server.servers:
            server.close()
        self._listening.close()
        for connection in list(self._server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


class Server(uvicorn.Server):
    """A server that says that it is leaving before it waits for its connections: streams that
    never end by themselves must end then."""

    def __init__(self, config: uvicorn.Config, leaving: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._leaving = leaving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._leaving is not None:
            self._leaving()
        await super().shutdown(sockets)


class _Embedded(Server):
    def __init__(self, config: uvicorn.Config, leaving: Callable[[], None] | None) -> None:
        super().__init__(config, leaving)
        self.opened = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.opened.set()
