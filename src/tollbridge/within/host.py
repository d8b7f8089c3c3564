"""A producer at work: its HTTP server, and the passing of time."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.routing import BaseRoute, Route, Router

from tollbridge.engine.engine import Engine
from tollbridge.faces.within.errors import WithinError
from tollbridge.faces.within.producer import Metered, Sweep, WithinFace
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.server import hosting
from tollbridge.server.asgi import Credential, Endpoint
from tollbridge.server.hosting import Hosted
from tollbridge.wire.http import Headers, Limits, Response

log = logging.getLogger("tollbridge.within")

BACKLOG = 1024
_TEXT = Headers(
    [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff")]
)
_NOT_FOUND = Response(404, _TEXT, b"404 page not found\n")


class Host:
    """A producer's face, open on a socket, and the passing of time. `port` is the one it serves at.

    `sweep_s` is how often it looks for what expired.
    """

    def __init__(
        self, listening: socket.socket, engine: Engine, face: WithinFace, sweep_s: float
    ) -> None:
        self.port: int = listening.getsockname()[1]
        self._listening = listening
        self._engine = engine
        self._face = face
        self._sweep_s = sweep_s
        self._server = _Server(_config(_Paths(_application(engine, face))))
        self._serving: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open for business. Raises WithinError LISTEN_FAILED when that does not work."""
        self._serving = asyncio.create_task(self._server.serve([self._listening]))
        opened = asyncio.create_task(self._server.opened.wait())
        await asyncio.wait({self._serving, opened}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if self._serving.done():
            raise WithinError("LISTEN_FAILED", "NET", "the server did not start; see the log")
        self._sweeping = asyncio.create_task(self._pass_time())

    async def metered(self, key: Secret[str], units: int) -> int:
        """Note what the producer's meter says of the delivery under way (see `Metered`)."""
        left: int = await self._engine.serve(self._face, Metered(key, units), {})
        return left

    async def close(self) -> None:
        """Answer what is under way, then close; the engine closes with it."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._listening.close()

    async def _pass_time(self) -> None:
        while True:
            try:
                await self._engine.serve(self._face, Sweep(), {})
            except Exception:
                log.exception("what time brings could not be done; it is tried again")
            await asyncio.sleep(self._sweep_s)


class _Server(uvicorn.Server):
    """A server inside somebody's program: signals are the program's business."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.opened = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.opened.set()


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        loop="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        server_header=False,
    )


class _Paths:
    """Serves doubled slashes and one at the end as what is meant (WIRE 2.1)."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if "//" in path or (path.endswith("/") and path != "/"):
            scope["path"] = "/" + "/".join(part for part in path.split("/") if part)
        await self._app(scope, receive, send)


def _application(engine: Engine, face: WithinFace) -> Router:
    async def nothing(*_: object) -> Response:
        return _NOT_FOUND

    def refuse(_: RemoteProtocolError) -> Response:
        return _NOT_FOUND

    missing = Endpoint(nothing, refuse, Limits(), None)
    nobody = Credential(Secret(""))
    routes: list[BaseRoute] = list(hosting.routes(engine, Hosted(face), nobody))
    # The wrong method is no address either, as the originals have it.
    routes += [Route(endpoint.path, missing) for endpoint in face.endpoints()]

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        await engine.start()
        yield
        await engine.close()

    return Router(routes, lifespan=lifespan, default=missing)


def listen(host: str, port: int) -> socket.socket:
    """Take a port; "" is every interface. Raises WithinError LISTEN_FAILED when somebody has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        text = f"port {port} cannot be listened on: {error.strerror}"
        raise WithinError("LISTEN_FAILED", "NET", text) from None
    listening.listen(BACKLOG)
    return listening
