"""Hosts faces: one adapter per kind of endpoint, not one per face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.routing import BaseRoute, Route, WebSocketRoute

from tollbridge.engine.engine import Engine, Partner
from tollbridge.faces.contract import Face, HttpEndpoint, WebSocketEndpoint
from tollbridge.ground.flow import Party
from tollbridge.server.asgi import Credential, Endpoint, SocketEndpoint
from tollbridge.wire.http import Request, Response


@dataclass(frozen=True, slots=True)
class Hosted:
    """A face, and the people and peers it may talk to. `elsewhere`: a room of its own gives it its
    addresses."""

    face: Face
    parties: Mapping[Party, Partner] = field(default_factory=dict)
    elsewhere: bool = False


def routes(engine: Engine, hosted: Hosted, credential: Credential) -> list[BaseRoute]:
    """Make the routes of a face."""
    made: list[BaseRoute] = []
    for endpoint in hosted.face.endpoints():
        match endpoint:
            case HttpEndpoint():
                made.append(_http(engine, hosted, endpoint, credential))
            case WebSocketEndpoint():
                made.append(_websocket(engine, hosted, endpoint, credential))
    return made


def _http(engine: Engine, hosted: Hosted, endpoint: HttpEndpoint, credential: Credential) -> Route:
    async def answer(request: Request, names: Mapping[str, str]) -> Response:
        message = endpoint.decode(request, names)
        return endpoint.encode(await engine.serve(hosted.face, message, hosted.parties))

    shown = None if endpoint.open else credential
    adapter = Endpoint(answer, endpoint.refuse, endpoint.limits, shown)
    return Route(endpoint.path, adapter, methods=[endpoint.method])


def _websocket(
    engine: Engine, hosted: Hosted, endpoint: WebSocketEndpoint, credential: Credential
) -> WebSocketRoute:
    async def answer(text: str, names: Mapping[str, str]) -> Sequence[str]:
        message = endpoint.decode(text, names)
        return endpoint.encode(await engine.serve(hosted.face, message, hosted.parties))

    shown = None if endpoint.open else credential
    adapter = SocketEndpoint(answer, endpoint.refuse, endpoint.limits, shown)
    return WebSocketRoute(endpoint.path, adapter)
