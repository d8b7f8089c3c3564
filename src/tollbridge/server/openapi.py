"""The OpenAPI document, made from the same table the routes are made from."""

from dataclasses import dataclass
from typing import Any

import msgspec

from tollbridge.ground.version import __version__
from tollbridge.server import views

KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Path:
    """One call: how it is made, what it takes and gives."""

    method: str
    path: str
    call: str
    summary: str
    gives: type | None
    takes: type | None = None
    query: tuple[str, ...] = ()
    idempotent: bool = False
    open: bool = False
    created: bool = False


PATHS = (
    Path("POST", "/v1/payments", "begin", "Begin a payment", views.PaymentView,
         views.NewPayment, idempotent=True, created=True),
    Path("GET", "/v1/payments", "find", "List payments, or find one by idempotency key",
         views.PaymentList, query=("before", "limit", "key")),
    Path("GET", "/v1/payments/{payment}", "show", "Show a payment", views.PaymentView),
    Path("POST", "/v1/payments/{payment}/operations", "go_on", "Continue a payment",
         views.PaymentView, views.NewOperation, idempotent=True, created=True),
    Path("POST", "/v1/operations/{operation}/close", "close",
         "Close an operation on a person's evidence", views.PaymentView, views.Closing),
    Path("GET", "/v1/unfinished", "unfinished", "List payments recovery works on",
         views.PaymentList),
    Path("POST", "/v1/recover", "recover", "Ask the providers about them now", views.Recovered),
    Path("GET", "/v1/facts", "facts", "Read the journal", views.FactList,
         query=("after", "limit")),
    Path("GET", "/v1/balances", "balances", "Show the ledger's balances", views.BalanceList),
    Path("GET", "/v1/describe", "describe", "Tell what the bridges can do", None),
    Path("POST", "/bridges/{bridge}/notice", "notice", "Take a provider's signed notice", None,
         open=True),
    Path("GET", "/health", "health", "Tell whether the server works", views.Health, open=True),
)  # fmt: skip


def document() -> dict[str, Any]:
    """Make the document."""
    types = {kind for path in PATHS for kind in (path.gives, path.takes) if kind is not None}
    ordered = sorted(types | {views.ErrorView}, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for path in PATHS:
        paths.setdefault(path.path, {})[path.method.lower()] = _call(path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tollbridge",
            "version": __version__,
            "description": "Payments, durable and found again. Amounts are minor units.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _call(path: Path) -> dict[str, Any]:
    call: dict[str, Any] = {
        "operationId": path.call,
        "summary": path.summary,
        "parameters": _parameters(path),
        "responses": _responses(path),
    }
    if path.takes is not None:
        call["requestBody"] = {"required": True, "content": _content(path.takes)}
    if path.open:
        call["security"] = []
    return call


def _parameters(path: Path) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.path.split("/") if part.startswith("{")]
    parameters = [_parameter(name, "path", required=True) for name in names]
    parameters += [_parameter(name, "query", required=False) for name in path.query]
    if path.idempotent:
        parameters.append(_parameter(KEY_HEADER, "header", required=True))
    return parameters


def _parameter(name: str, place: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"}}


def _responses(path: Path) -> dict[str, Any]:
    content = _content(path.gives) if path.gives else {"application/json": {}}
    responses: dict[str, Any] = {"200": {"description": path.summary, "content": content}}
    if path.created:
        responses["200"]["description"] = "Asked before: the operation as it is now"
        responses["201"] = {"description": "Done, whatever the outcome", "content": content}
        responses["202"] = {"description": "The outcome is not known yet", "content": content}
    error = {"description": "Not done", "content": _content(views.ErrorView)}
    return responses | {"default": error}


def _content(kind: type) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}
