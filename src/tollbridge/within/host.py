"""A producer at work: its HTTP server, and the passing of time."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

from starlette.routing import BaseRoute, Route, Router

from tollbridge.engine.engine import Engine
from tollbridge.faces.within.producer import Metered, Sweep, WithinFace
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.server import hosting
from tollbridge.server.asgi import Credential, Endpoint
from tollbridge.server.hosting import Hosted
from tollbridge.server.inside import Served
from tollbridge.wire.http import Headers, Limits, Response

log = logging.getLogger("tollbridge.within")

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
        self._engine = engine
        self._face = face
        self._sweep_s = sweep_s
        self._served = Served(_Paths(_application(engine, face)), listening)
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open for business. Raises RuntimeError when that does not work."""
        await self._served.start()
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
        await self._served.close()

    async def _pass_time(self) -> None:
        while True:
            try:
                await self._engine.serve(self._face, Sweep(), {})
            except Exception:
                log.exception("what time brings could not be done; it is tried again")
            await asyncio.sleep(self._sweep_s)


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
    # The wrong method is no address either, as the originals have it; HEAD is one of the wrong.
    open_ones = hosting.routes(engine, Hosted(face), nobody)
    for route in open_ones:
        assert isinstance(route, Route)
        assert route.methods is not None
        route.methods.discard("HEAD")
    routes: list[BaseRoute] = [
        *open_ones,
        *(Route(endpoint.path, missing) for endpoint in face.endpoints()),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        await engine.start()
        yield
        await engine.close()

    return Router(routes, lifespan=lifespan, default=missing)
