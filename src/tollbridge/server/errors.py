"""The API's errors: one shape, and for every error of ours a status."""

import msgspec

from tollbridge.ground.errors import (
    IdempotencyConflict,
    IllegalOperation,
    InvalidMoney,
    JournalError,
    RemoteProtocolError,
    TollbridgeError,
    UnknownPayment,
    UnresolvedOperation,
    Unsupported,
    UsageError,
)
from tollbridge.ground.secret import scrub
from tollbridge.server.views import ErrorBody, ErrorView
from tollbridge.wire.http import Headers, Response

STATUS: dict[type[TollbridgeError], int] = {
    InvalidMoney: 422,
    UnknownPayment: 404,
    IllegalOperation: 409,
    UnresolvedOperation: 409,
    IdempotencyConflict: 422,
    Unsupported: 422,
    UsageError: 400,
    RemoteProtocolError: 400,
    JournalError: 503,
}

HINTS = {"too_large": 413, "unauthorized": 401, "internal": 500}
_JSON = ("content-type", "application/json")


def status_of(error: TollbridgeError) -> int:
    """Give the HTTP status of an error; the nearest ancestor in the tree counts."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def failed(error: TollbridgeError) -> Response:
    """Answer with an error the engine raised, or with what a caller did wrong."""
    if isinstance(error, RemoteProtocolError):
        return failure(HINTS.get(error.hint, 400), error.hint or error.code, str(error))
    if isinstance(error, UnresolvedOperation | JournalError):
        return failure(status_of(error), error.code, str(error), ("retry-after", "1"))
    return failure(status_of(error), error.code, str(error))


def failure(status: int, code: str, message: str, *fields: tuple[str, str]) -> Response:
    """Answer with an error. A message may quote the request, so it is masked."""
    if status == 401:
        fields = (*fields, ("www-authenticate", "Bearer"))
    body = msgspec.json.encode(ErrorView(ErrorBody(code, scrub(message))))
    return Response(status, Headers([_JSON, *fields]), body)
