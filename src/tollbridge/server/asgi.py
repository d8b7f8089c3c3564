"""One adapter for everything that answers HTTP: ASGI on one side, our messages on the other.

It bounds what is read, checks the credential, and never lets an exception out: whatever goes wrong
is answered in the words of whoever was asked.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from traceback import format_exc
from typing import Any

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.server")

Answer = Callable[[Request, Mapping[str, str]], Awaitable[Response]]
Refuse = Callable[[RemoteProtocolError], Response]


class Credential:
    """The bearer token clients show, compared without leaking how much of it is right."""

    def __init__(self, token: Secret[str]) -> None:
        self._expected = b"Bearer " + token.reveal().encode()

    def fits(self, headers: Headers) -> bool:
        """Say whether a request carries it."""
        shown = headers.get("authorization", "").encode("latin-1", "replace")
        return hmac.compare_digest(shown, self._expected)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An ASGI application for one address.

    `answer` gets the request and the names of its path; `refuse` answers what could not be read,
    with the hints "too_large", "unauthorized" and "internal" for what the adapter found itself.
    """

    answer: Answer
    refuse: Refuse
    limits: Limits
    credential: Credential | None

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        response = await self._answered(scope, receive)
        fields = [(b"content-length", b"%d" % len(response.body))]
        fields += [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": fields})
        await send({"type": "http.response.body", "body": response.body})

    async def _answered(self, scope: Mapping[str, Any], receive: Any) -> Response:
        headers = Headers((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
        if self.credential is not None and not self.credential.fits(headers):
            text = "header Authorization: Bearer TOKEN is needed"
            return self.refuse(RemoteProtocolError(text, hint="unauthorized"))
        try:
            body = await _body(receive, self.limits.body_bytes_max)
            url = scope["path"]
            if scope["query_string"]:
                url += "?" + scope["query_string"].decode("latin-1")
            request = Request(scope["method"], url, headers, body, peer=_peer(scope))
            return await self.answer(request, scope.get("path_params", {}))
        except RemoteProtocolError as error:
            return self.refuse(error)
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer
            log.error("%s %s failed\n%s", scope["method"], scope["path"], scrub(format_exc()))
            return self.refuse(
                RemoteProtocolError("our mistake, it is in the log", hint="internal")
            )


def _peer(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    if not client:
        return ""
    host, port = client
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _body(receive: Any, limit_bytes: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= limit_bytes:
        message = await receive()
        body += message.get("body", b"")
    if len(body) > limit_bytes:
        raise RemoteProtocolError(f"more than {limit_bytes} bytes", hint="too_large")
    return body
