"""Bytes to messages and back: the HTTP binding of the intents.

`POST /wpi/{intent}` carries the extras as a JSON object of strings, `WPI_REQUEST` a string that
holds JSON, as on Android; the caller's package name is in the header `WPI-Package`.
"""

import re
from collections.abc import Mapping

from tollbridge.faces.wpi.messages import Extras, Reply
from tollbridge.faces.wpi.tables import FAILURE, IMPLEMENTED, Action, Condition
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import scrub
from tollbridge.wire import http, json
from tollbridge.wire.http import Request, Response

PACKAGE_LETTERS_MAX = 255
REFUSALS = {
    "package": (Condition.MISSING_MANDATORY_PARAMETER, 400),
    "too_large": (Condition.INVALID_TRANSACTION_REQ, 413),
    "unauthorized": (Condition.GENERIC, 401),
    "internal": (Condition.INTERNAL, 200),
}
"""What could not be read or done before WPI began: error condition and HTTP status."""

_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)


def decode(request: Request, names: Mapping[str, str]) -> Extras:
    """Read a request. Raises RemoteProtocolError when it has no package or no object of extras."""
    package = request.headers.get("wpi-package", "")
    if len(package) > PACKAGE_LETTERS_MAX or not _PACKAGE.fullmatch(package):
        raise RemoteProtocolError(
            "header WPI-Package: the package name of the calling application is expected, "
            "for example com.example.till",
            path=["WPI-Package"],
            hint="package",
        )
    return Extras(names["intent"], package, json.read_object(request.body, what="extras"))


def encode(reply: Reply) -> Response:
    """Write a reply. WPI's own failures are answers, so the status is 200."""
    return Response(200, http.JSON, json.write(dict(reply.extras)))


def refuse(error: RemoteProtocolError) -> Response:
    """Answer what could not be read, in WPI's words."""
    condition, status = REFUSALS.get(error.hint, (Condition.INVALID_TRANSACTION_REQ, 400))
    extras = {
        "WPI_RESPONSE": json.write(failed(condition, str(error))).decode(),
        "WPI_VERSION": IMPLEMENTED,
    }
    return Response(status, http.JSON, json.write(extras))


def failed(condition: Condition, remark: str) -> dict[str, object]:
    """Make the fields every failure has. A remark may quote the request, so it is masked."""
    return {
        "result": FAILURE,
        "errorCondition": condition.wire,
        "remark": scrub(remark),
        "actionCode": Action.NONE,
    }
