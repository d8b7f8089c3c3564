"""Bytes to messages and back: the HTTP binding of the intents, and the Messenger on a WebSocket.

`POST /wpi/{intent}`, or `/wpi/{terminal}/{intent}` for a terminal by its name, carries the extras
as a JSON object of strings, `WPI_REQUEST` a string that holds JSON, as on Android. The caller's
package name is in the header `WPI-Package`, the activity's result code in `WPI-Android-Result`;
`WPI-Ignored` names fields of the request that the service does not have.

`/wpi/messenger` takes JSON texts `{"what": 895349, "obj": {extras}}` and answers such (2). The
handshake says who calls, in the same header or, from a web page, as `?package=`.
"""

import re
from collections.abc import Mapping, Sequence

from tollbridge.faces.wpi.messages import OK, Extras, Reply
from tollbridge.faces.wpi.tables import FAILURE, Action, Condition
from tollbridge.faces.wpi.versions import LATEST
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import scrub
from tollbridge.wire import http, json
from tollbridge.wire.http import Headers, Request, Response

WHAT = 895349
PACKAGE_LETTERS_MAX = 255
PACKAGE = "WPI_PACKAGE"
"""Where a Messenger message may say who calls, when the handshake did not."""
REFUSALS = {
    "package": (Condition.MISSING_MANDATORY_PARAMETER, 400),
    "too_large": (Condition.INVALID_TRANSACTION_REQ, 413),
    "unauthorized": (Condition.GENERIC, 401),
    "internal": (Condition.INTERNAL, 200),
}
"""What could not be read or done before WPI began: error condition and HTTP status."""

_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
_RESULT_OK = Headers([*http.JSON.items(), ("wpi-android-result", OK)])


def decode(request: Request, names: Mapping[str, str]) -> Extras:
    """Read a request. Raises RemoteProtocolError when it has no package or no object of extras."""
    package = _package(request.headers.get("wpi-package", ""), "header WPI-Package")
    extras = json.read_object(request.body, what="extras")
    return Extras(names["intent"], package, extras, names.get("terminal", ""))


def encode(reply: Reply) -> Response:
    """Write a reply. WPI's own failures are answers, so the status is 200; where the terminal
    died there is none, and the status is 502."""
    if reply.android == OK and not reply.ignored:
        return Response(200, _RESULT_OK, json.write(dict(reply.extras)))
    fields = [*http.JSON.items(), ("wpi-android-result", reply.android)]
    if reply.ignored:
        names = ", ".join(json.write(name).decode() for name in reply.ignored)
        fields.append(("wpi-ignored", names))
    headers = Headers(fields)
    body = json.write(dict(reply.extras)) if reply.extras else b""
    return Response(200 if reply.extras else 502, headers, body)


def refuse(error: RemoteProtocolError) -> Response:
    """Answer what could not be read, in WPI's words."""
    _, status = REFUSALS.get(error.hint, (Condition.INVALID_TRANSACTION_REQ, 400))
    return Response(status, _RESULT_OK, json.write(_refused(error)))


def decode_message(text: str, names: Mapping[str, str]) -> Extras:
    """Read a Messenger message. Raises RemoteProtocolError when it is none of WPI's."""
    message = json.read_object(text.encode(), what="message")
    extras = message.get("obj")
    if type(message.get("what")) is not int or message["what"] != WHAT:
        raise RemoteProtocolError(f"what is {WHAT} in every WPI message (2)", path=["what"])
    if not isinstance(extras, dict):
        raise RemoteProtocolError("obj is an object of extras (2)", path=["obj"])
    caller = names.get("wpi-package") or names.get("package", "")
    package = _package(extras.get(PACKAGE, caller), f"obj.{PACKAGE}")
    return Extras("", package, extras, names.get("terminal", ""))


def encode_message(reply: Reply) -> Sequence[str]:
    """Write a reply as Messenger messages: one, but for a scenario."""
    if not reply.extras:
        return []
    return [json.write({"what": WHAT, "obj": dict(reply.extras)}).decode()] * reply.copies


def refuse_message(error: RemoteProtocolError) -> str:
    """Answer a text that is no message, in the shape of one."""
    return json.write({"what": WHAT, "obj": _refused(error)}).decode()


def failed(condition: Condition, remark: str) -> dict[str, object]:
    """Make the fields every financial failure has. A remark may quote the request, so it is
    masked."""
    return {
        "result": FAILURE,
        "errorCondition": condition.wire,
        "remark": scrub(remark),
        "actionCode": Action.NONE,
    }


def failed_plainly(condition: Condition, remark: str) -> dict[str, object]:
    """Make the fields of a failure where there are no action codes: all but financial services
    with an amount (4.2.8, 4.3, 4.4)."""
    failure = failed(condition, remark)
    del failure["actionCode"]
    return failure


def _package(package: object, where: str) -> str:
    if (
        not isinstance(package, str)
        or len(package) > PACKAGE_LETTERS_MAX
        or not _PACKAGE.fullmatch(package)
    ):
        raise RemoteProtocolError(
            f"{where}: the package name of the calling application is expected, "
            "for example com.example.till",
            path=["WPI-Package"],
            hint="package",
        )
    return package


def _refused(error: RemoteProtocolError) -> dict[str, str]:
    condition, _ = REFUSALS.get(error.hint, (Condition.INVALID_TRANSACTION_REQ, 400))
    return {
        "WPI_RESPONSE": json.write(failed(condition, str(error))).decode(),
        "WPI_VERSION": LATEST,
    }
