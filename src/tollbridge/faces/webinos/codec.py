"""The HTTP API's bytes: requests into messages, replies into bytes.

See docs/reference/web-payments.md.

Credentials stand in header fields and bodies, never in addresses. What is no JSON object is refused
here; everything else is judged by the flows, so that pages may read why.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from tollbridge.faces.webinos.messages import (
    Answer,
    Begin,
    Caller,
    Cancel,
    Decide,
    FindServices,
    LookAt,
    Preflight,
    Reply,
    Show,
    Verify,
)
from tollbridge.faces.webinos.outcome import Problem, charge
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Limits, Request, Response

LIMITS = Limits(body_bytes_max=256 * 1024)
METHODS = "GET, POST"
ALLOWED = "authorization, content-type, idempotency-key, last-event-id"
EXPOSED = "idempotent-replayed"
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:]{2,45}\](:\d{1,5})?", re.ASCII)

Names = Mapping[str, str]


def caller(request: Request) -> Caller:
    """Read who asks."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return Caller(
        credential=Secret(shown.strip() if scheme.lower() == "bearer" else ""),
        origin=request.headers.get("origin", ""),
        reached=reached(request),
    )


def reached(request: Request) -> str:
    """Say at which address a request reached the provider, "" where it does not say."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        return ""
    scheme = request.headers.get("x-forwarded-proto", "http").strip().lower()
    return f"{'https' if scheme == 'https' else 'http'}://{host}"


def preflight(request: Request, _: Names) -> Preflight:
    """Read a preflight request."""
    return Preflight(caller(request))


def find_services(request: Request, _: Names) -> FindServices:
    """Read GET /web/services."""
    query = dict(parse_qsl(request.url.partition("?")[2])[:10])
    return FindServices(caller(request), query.get("api", ""))


def begin(request: Request, _: Names) -> Begin:
    """Read POST /web/payments."""
    return Begin(caller(request), request.headers.get("idempotency-key", ""), _body(request))


def show(request: Request, names: Names) -> Show:
    """Read GET /web/payments/{payment}."""
    return Show(caller(request), names["payment"])


def answer(request: Request, names: Names) -> Answer:
    """Read POST /web/payments/{payment}/challenges/{challenge}/answer."""
    given = _body(request).get("answer")
    if not isinstance(given, str):
        raise RemoteProtocolError("answer: a text is expected", path=["answer"])
    return Answer(caller(request), names["payment"], names["challenge"], Secret(given))


def cancel(request: Request, names: Names) -> Cancel:
    """Read POST /web/payments/{payment}/cancel."""
    return Cancel(caller(request), names["payment"])


def look_at(request: Request, _: Names) -> LookAt:
    """Read POST /web/confirm/look."""
    fields = _body(request)
    return LookAt(caller(request), _text(fields, "challenge"), Secret(_text(fields, "token")))


def decide(request: Request, _: Names) -> Decide:
    """Read POST /web/confirm/decide."""
    fields = _body(request)
    token = Secret(_text(fields, "token"))
    return Decide(caller(request), _text(fields, "challenge"), token, fields)


def verify(request: Request, _: Names) -> Verify:
    """Read POST /v1/verify."""
    fields = _body(request)
    return Verify(caller(request), _text(fields, "proof"), fields.get("consume") is True)


Decoder = Callable[[Request, Names], Any]
ENDPOINTS: tuple[tuple[str, str, Decoder], ...] = (
    ("GET", "/web/services", find_services),
    ("POST", "/web/payments", begin),
    ("GET", "/web/payments/{payment}", show),
    ("POST", "/web/payments/{payment}/challenges/{challenge}/answer", answer),
    ("POST", "/web/payments/{payment}/cancel", cancel),
    ("POST", "/web/confirm/look", look_at),
    ("POST", "/web/confirm/decide", decide),
    ("POST", "/v1/verify", verify),
    ("OPTIONS", "/web/services", preflight),
    ("OPTIONS", "/web/payments", preflight),
    ("OPTIONS", "/web/payments/{payment}", preflight),
    ("OPTIONS", "/web/payments/{payment}/events", preflight),
    ("OPTIONS", "/web/payments/{payment}/challenges/{challenge}/answer", preflight),
    ("OPTIONS", "/web/payments/{payment}/cancel", preflight),
)


def failure(problem: Problem) -> dict[str, Any]:
    """Write a problem as every failure is written."""
    fields = problem.fields()
    return {"error": fields | {"message": scrub(fields["message"])}}


def cors(origin: str) -> list[tuple[str, str]]:
    """Give the header fields that let a page of this origin read an answer."""
    fields = [("vary", "Origin"), ("cache-control", "no-store")]
    if origin:
        fields.append(("access-control-allow-origin", origin))
        fields.append(("access-control-expose-headers", EXPOSED))
    return fields


def encode(reply: Reply) -> Response:
    """Write a reply."""
    fields = [*cors(reply.origin), *reply.headers]
    if reply.fields is None:
        return Response(reply.status, Headers(fields))
    fields.append(("content-type", "application/json"))
    return Response(reply.status, Headers(fields), json.write(reply.fields))


def refuse(error: RemoteProtocolError) -> Response:
    """Answer what could not be read."""
    problem = charge("invalid_request", str(error))
    return encode(Reply(500 if error.hint == "internal" else 400, failure(problem)))


def _body(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise RemoteProtocolError("Content-Type: application/json is expected")
    return json.read_object(request.body, what="request")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise RemoteProtocolError(f"{name}: a text is expected", path=[name])
    return value
