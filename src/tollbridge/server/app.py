"""The application: faces, the JSON API, health and the OpenAPI document, in one process."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Protocol

import msgspec
from starlette.routing import BaseRoute, Route, Router

from tollbridge.engine.engine import Engine
from tollbridge.ground.secret import Secret
from tollbridge.server import hosting, openapi
from tollbridge.server.api import Api
from tollbridge.server.asgi import Credential, Endpoint
from tollbridge.server.errors import failed, failure
from tollbridge.server.hosting import Hosted
from tollbridge.wire.http import JSON, Limits, Request, Response

LIMITS = Limits(body_bytes_max=16 * 1024)


class Companion(Protocol):
    """Something that works beside the engine, from after its start to before its end."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


def application(
    engine: Engine,
    hosted: Sequence[Hosted],
    token: Secret[str],
    merchant: str,
    more: Sequence[BaseRoute] = (),
    beside: Sequence[Companion] = (),
) -> Router:
    """Make the ASGI application of an engine; the engine starts and closes with it.

    `more` are addresses of somebody else's, and `beside` works while it runs.
    """
    credential = Credential(token)
    api = Api(engine, [face.face for face in hosted], merchant)
    # What is called most comes first: addresses are tried in this order.
    routes: list[BaseRoute] = []
    for face in hosted:
        if not face.elsewhere:
            routes += hosting.routes(engine, face, credential)
    for path in openapi.PATHS:
        shown = None if path.open else credential
        endpoint = Endpoint(api.call(path.call), failed, LIMITS, shown)
        routes.append(Route(path.path, endpoint, methods=[path.method]))
    routes.append(Route("/openapi.json", Endpoint(_document, failed, LIMITS, None)))
    routes += more
    # What has an address but not this method, and then what has none.
    known = dict.fromkeys(route.path for route in routes if isinstance(route, Route))
    routes += [Route(path, Endpoint(_wrong_method, failed, LIMITS, None)) for path in known]

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        await engine.start()
        started = list[Companion]()
        try:
            for companion in beside:
                started.append(companion)
                await companion.start()
            yield
        finally:
            for companion in reversed(started):
                await companion.close()
            await engine.close()

    # A bare router: every endpoint answers its own failures, so nothing stands around them.
    return Router(routes, lifespan=lifespan, default=Endpoint(_nothing, failed, LIMITS, None))


@cache
def _text() -> bytes:
    return msgspec.json.encode(openapi.document())


async def _document(_: Request, __: Mapping[str, str]) -> Response:
    return Response(200, JSON, _text())


async def _nothing(request: Request, _: Mapping[str, str]) -> Response:
    return failure(404, "unknown_address", f"nothing is at {request.url!r:.80}")


async def _wrong_method(request: Request, _: Mapping[str, str]) -> Response:
    return failure(405, "wrong_method", f"{request.method} is not possible here")
