"""A server without a socket: the same application, called in this process for one command."""

from typing import Any
from urllib.parse import urlsplit

from tollbridge.cli import runtime
from tollbridge.engine.config import Settings
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Request, Response


async def call(settings: Settings, token: Secret[str], request: Request) -> Response:
    """Start an engine on a journal, make one call, stop. Raises JournalInUse beside a server."""
    running = runtime.build(settings, token)
    await running.engine.start()
    try:
        return await _asgi(running.app, request)
    finally:
        await running.engine.close()


async def _asgi(app: Any, request: Request) -> Response:
    parts = urlsplit(request.url)
    headers = [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": headers,
        "server": None,
        "client": None,
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return Response(sent[0]["status"], body=body)
