"""What people at the server may see and do: notices that wait, that nobody took, and their replay.
The server's own credential is needed."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.routing import BaseRoute, Route

from tollbridge.ground.clock import iso
from tollbridge.server.asgi import Credential, Endpoint
from tollbridge.server.errors import failed, failure
from tollbridge.web.notices import Letter, Notices
from tollbridge.wire import json
from tollbridge.wire.http import JSON, Limits, Request, Response

_LIMITS = Limits(body_bytes_max=1024)
_NAME = re.compile(r"[A-Za-z0-9_]{1,60}/\d{6}", re.ASCII)
LISTED = 100

Names = Mapping[str, str]


class Admin:
    """The calls."""

    def __init__(self, notices: Notices, credential: Credential) -> None:
        self._notices = notices
        self._credential = credential

    def routes(self) -> list[BaseRoute]:
        """Make the routes."""
        return [
            Route(path, Endpoint(call, failed, _LIMITS, self._credential), methods=[method])
            for method, path, call in (
                ("GET", "/v1/web/notices", self._list),
                ("POST", "/v1/web/notices/{payment}/{sequence}/replay", self._replay),
            )
        ]

    async def _list(self, request: Request, _: Names) -> Response:
        query = dict(parse_qsl(request.url.partition("?")[2])[:10])
        after = query.get("after", "")
        letters = self._notices.letters(dead=query.get("dead") == "1", after=after, most=LISTED)
        more = letters[-1].name if len(letters) == LISTED else None
        shown = {"notices": [_shown(letter) for letter in letters], "next": more}
        return Response(200, JSON, json.write(shown))

    async def _replay(self, _: Request, names: Names) -> Response:
        name = f"{names['payment']}/{names['sequence']}"
        letter = await self._notices.replay(name) if _NAME.fullmatch(name) else None
        if letter is None:
            return failure(404, "unknown_notice", "no notice of this name waits or is dead")
        return Response(200, JSON, json.write(_shown(letter)))


def _shown(letter: Letter) -> dict[str, object]:
    return {
        "name": letter.name,
        "id": letter.id,
        "seller": letter.seller,
        "type": letter.kind,
        "made_at": iso(letter.made_at),
        "attempts": letter.attempts,
        "next_at": None if letter.dead else iso(letter.next_at),
        "why": letter.why,
    }
