"""Parameters from a management system, over the engine's transport (4.3.3, 4.3.4)."""

from urllib.parse import quote

from tollbridge.engine.transport import Transport
from tollbridge.faces.wpi.wishes import Fetch, Fetched, FetchFault
from tollbridge.ground.errors import NoAnswer, NotSent, RemoteProtocolError
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Request

ACCEPT = Headers([("accept", "application/json")])


class Management:
    """A management system. `url` is where it is ("": there is none)."""

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url.rstrip("/")

    async def fetch(
        self, wish: Fetch, terminal: str, limit_s: float, url: str = ""
    ) -> Fetched | FetchFault:
        """Get a terminal's parameters; `url` is that of a management system of its own."""
        base = url.rstrip("/") or self._url
        if not base:
            return FetchFault("there is no management system: set parameters_url")
        address = f"{base}/v1/parameters/{wish.parameters}?terminal={quote(terminal, safe='')}"
        try:
            answer = await self._transport.send(Request("GET", address, ACCEPT), limit_s)
        except NotSent as error:
            return FetchFault(str(error))
        except NoAnswer as error:
            return FetchFault(str(error), late=True)
        if answer.status != 200:
            return FetchFault(f"the management system answers {answer.status}")
        try:
            return Fetched(json.read_object(answer.body, what="parameters"))
        except RemoteProtocolError as error:
            return FetchFault(str(error))
