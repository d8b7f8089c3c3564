"""A payment provider in this very process: a transport that never touches a socket."""

import asyncio
import logging
from collections.abc import Mapping
from traceback import format_exc
from urllib.parse import unquote

from starlette.routing import compile_path

from tollbridge.engine.engine import Engine
from tollbridge.faces.contract import HttpEndpoint
from tollbridge.faces.psp import PspFace
from tollbridge.ground.errors import NoAnswer, RemoteProtocolError
from tollbridge.ground.secret import scrub
from tollbridge.wire.http import Request, Response

log = logging.getLogger("tollbridge.psp")

PREFIX = "psp://local"


class PspLine:
    """Carries requests for `psp://local/v1` and `psp://local/api` to a host in this process.

    The host's engine is its own, with a journal of its own, as the provider is another house. The
    line closes it; starting it, so that it recovers, is the caller's. Give the line to a
    Switchboard under PREFIX.
    """

    def __init__(self, engine: Engine, face: PspFace) -> None:
        self.engine = engine
        self.face = face
        places = [each for each in face.endpoints() if isinstance(each, HttpEndpoint)]
        self._places = [(endpoint, compile_path(endpoint.path)[0]) for endpoint in places]
        self._under_way: set[asyncio.Task[Response]] = set()

    async def send(self, request: Request, limit_s: float) -> Response:
        address = request.url.removeprefix(PREFIX)
        found = self._endpoint(request.method, address.partition("?")[0])
        if found is None:
            return Response(404)
        endpoint, names = found
        arrived = Request(request.method, address, request.headers, request.body, peer="local")
        # What has arrived is carried out, however long the sender waits for the answer.
        task = asyncio.create_task(self._answer(endpoint, arrived, names))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.shield(task)
        except TimeoutError:
            raise NoAnswer(f"the host did not answer within {limit_s:g} s") from None

    async def close(self) -> None:
        await self.engine.close()

    async def _answer(
        self, endpoint: HttpEndpoint, request: Request, names: Mapping[str, str]
    ) -> Response:
        try:
            message = endpoint.decode(request, names)
            return endpoint.encode(await self.engine.serve(self.face, message, {}))
        except RemoteProtocolError as error:
            return endpoint.refuse(error)
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer
            log.error("%s %s failed\n%s", request.method, endpoint.path, scrub(format_exc()))
            return endpoint.refuse(RemoteProtocolError("our mistake", hint="internal"))

    def _endpoint(self, method: str, path: str) -> tuple[HttpEndpoint, dict[str, str]] | None:
        for endpoint, pattern in self._places:
            match = pattern.fullmatch(path)
            if match is not None and endpoint.method == method:
                return endpoint, {name: unquote(value) for name, value in match.groupdict().items()}
        return None
