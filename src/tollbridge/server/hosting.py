"""Hosts faces: one adapter per kind of endpoint, not one per face."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.routing import Route

from tollbridge.engine.engine import Engine, Partner
from tollbridge.faces.contract import Face, HttpEndpoint
from tollbridge.ground.flow import Party
from tollbridge.server.asgi import Credential, Endpoint
from tollbridge.wire.http import Request, Response


@dataclass(frozen=True, slots=True)
class Hosted:
    """A face, and the people and peers it may talk to."""

    face: Face
    parties: Mapping[Party, Partner] = field(default_factory=dict)


def routes(engine: Engine, hosted: Hosted, credential: Credential) -> list[Route]:
    """Make the routes of a face."""
    return [
        _http(engine, hosted, endpoint, credential)
        for endpoint in hosted.face.endpoints()
        if isinstance(endpoint, HttpEndpoint)
    ]


def _http(engine: Engine, hosted: Hosted, endpoint: HttpEndpoint, credential: Credential) -> Route:
    async def answer(request: Request, names: Mapping[str, str]) -> Response:
        message = endpoint.decode(request, names)
        return endpoint.encode(await engine.serve(hosted.face, message, hosted.parties))

    shown = None if endpoint.open else credential
    adapter = Endpoint(answer, endpoint.refuse, endpoint.limits, shown)
    return Route(endpoint.path, adapter, methods=[endpoint.method])
