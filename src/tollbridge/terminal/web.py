"""The page of the terminals and its HTTP API: docs/reference/terminal-api.md.

Open to whoever is on this machine, because it is a simulator, but not to other web pages: a request
must call this server by a name of its own and come from no other origin. Where others on the
network reach the server, they need its credential.
"""

import asyncio
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.routing import BaseRoute, Route

from tollbridge.engine.engine import Engine
from tollbridge.faces.contract import HttpEndpoint
from tollbridge.faces.wpi import scenario
from tollbridge.faces.wpi.tables import SERVICES, Kind
from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.ground.ids import IdSource
from tollbridge.server.asgi import Credential, Endpoint, headers_of, respond
from tollbridge.server.errors import failed, failure
from tollbridge.server.hosting import Hosted
from tollbridge.terminal import answers, paper
from tollbridge.terminal.desk import Desk
from tollbridge.terminal.device import (
    READY,
    SCENARIO_TIMES_MAX,
    Device,
    Planned,
    Sheet,
)
from tollbridge.terminal.printers import DEFECT, NONE, PAPER_EMPTY
from tollbridge.terminal.screen import Gone
from tollbridge.terminal.state import planned, shown, state
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.terminal")

PACKAGE = "com.tollbridge.page"
COOKIE = "tollbridge-terminal"
LIMITS = Limits(body_bytes_max=64 * 1024)
PLANNED_MAX = 1000
WATCHES_MAX = 32
HEARTBEAT_S = 15.0
FOLDER = Path(__file__).with_name("page")
CHANGING = ("POST", "PUT", "DELETE")

_POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
           "connect-src 'self'; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'")  # fmt: skip
_ALWAYS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", _POLICY),
)
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "txt": "text/plain; charset=utf-8",
    "pdf": "application/pdf",
    "escpos": "application/octet-stream",
}
_FILE = re.compile(r"[a-z0-9_-]{1,40}\.(html|css|js|svg|png)", re.ASCII)
_FORMS: Mapping[str, Callable[[Sheet], bytes]] = {
    "txt": lambda sheet: paper.as_text(sheet.paper).encode(),
    "svg": lambda sheet: sheet.qr.encode(),
    "png": lambda sheet: paper.as_png(sheet.paper),
    "pdf": lambda sheet: paper.as_pdf(sheet.paper),
    "escpos": lambda sheet: paper.as_escpos(sheet.paper),
}
_JSON = Headers([("content-type", "application/json"), *_ALWAYS])
_DONE = Response(204, Headers(_ALWAYS))

Names = Mapping[str, str]
Call = Callable[[Request, Names], Awaitable[Response]]
_encode = msgspec.json.Encoder().encode


class _Till(msgspec.Struct, forbid_unknown_fields=True):
    service: str
    request: msgspec.Raw = msgspec.Raw()
    session: str = ""
    version: str = "2.0"


_tills = msgspec.json.Decoder(_Till)


class Guard:
    """Says who may use the page. `hosts` are the names the server is called by, beside addresses
    and this machine's own; `credential` is needed where others reach the server."""

    def __init__(self, hosts: Collection[str] = (), credential: Credential | None = None) -> None:
        self._hosts = frozenset(host.lower() for host in hosts if host)
        self._credential = credential
        self._cookie = f"{COOKIE}={credential.derived(COOKIE)}" if credential else ""

    def refused(self, method: str, headers: Headers) -> Response | None:
        """Say why a request is not served: it comes from another site, or means to."""
        host = headers.get("host", "").lower()
        if not self._is_ours(host):
            return failure(403, "foreign", f"this server is not called {host!r:.80}")
        origin = headers.get("origin")
        if origin is not None and origin.lower().partition("://")[2] != host:
            return failure(403, "foreign", f"another site asks: {origin!r:.80}")
        if not self._known(headers):
            text = "open /terminal?token=TOKEN, or show header Authorization: Bearer TOKEN"
            return failure(401, "unauthorized", text)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if method in CHANGING and kind != "application/json":
            return failure(415, "media_type", "header Content-Type: application/json is needed")
        return None

    def cookie(self, query: str) -> Response | None:
        """Let a browser in that opens the page with the token, and take the token out of its
        address."""
        if self._credential is None or not self._credential.fits_query(query.encode("latin-1")):
            return None
        kept = f"{self._cookie}; Path=/; HttpOnly; SameSite=Strict"
        return Response(303, Headers([("location", "/terminal"), ("set-cookie", kept), *_ALWAYS]))

    def _known(self, headers: Headers) -> bool:
        if self._credential is None or self._credential.fits(headers):
            return True
        shown = [each.strip().encode() for each in headers.get("cookie", "").split(";")]
        return any(hmac.compare_digest(each, self._cookie.encode()) for each in shown)

    def _is_ours(self, host: str) -> bool:
        """Say whether a name is one nobody else can give this server (DNS rebinding)."""
        name = ""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            ip_address(name)
        except ValueError:
            return name in self._hosts or name == "localhost" or name.endswith(".localhost")
        return True


class Web:
    """The calls. `hosted` is the face the terminals belong to."""

    def __init__(
        self, desk: Desk, engine: Engine, hosted: Hosted, ids: IdSource, guard: Guard
    ) -> None:
        self._guard = guard
        self._desk = desk
        self._engine = engine
        self._hosted = hosted
        self._ids = ids

    def routes(self) -> list[BaseRoute]:
        """Make the routes."""
        one = "/terminal/{terminal}"
        table: tuple[tuple[str, str, Call], ...] = (
            ("GET", "/terminals", self._list),
            ("GET", "/terminal/page/{file}", self._file),
            ("GET", one, self._page),
            ("GET", f"{one}/state", self._state),
            ("POST", f"{one}/screens/{{screen}}", self._answer),
            ("GET", f"{one}/scenario", self._planned),
            ("PUT", f"{one}/scenario", self._plan),
            ("DELETE", f"{one}/scenario", self._forget),
            ("PUT", f"{one}/printer", self._printer),
            ("PUT", f"{one}/network", self._network),
            ("GET", f"{one}/papers/{{paper}}.{{form}}", self._paper),
            ("POST", f"{one}/wpi", self._wpi),
        )
        made: list[BaseRoute] = [
            Route(path, Endpoint(self._guarded(call), failed, LIMITS, None), methods=[method])
            for method, path, call in table
        ]
        first = Endpoint(self._first_page, failed, LIMITS, None)
        made.append(Route("/terminal", first, methods=["GET"]))
        return [*made, Route(f"{one}/events", _Events(self._desk, self._guard), methods=["GET"])]

    def _guarded(self, call: Call) -> Call:
        async def guarded(request: Request, names: Names) -> Response:
            refused = self._guard.refused(request.method, request.headers)
            if refused is not None:
                return refused
            if names.get("terminal", next(iter(self._desk))) not in self._desk:
                return failure(404, "unknown_address", "there is no such terminal")
            return await call(request, names)

        return guarded

    # The page

    async def _first_page(self, request: Request, names: Names) -> Response:
        let_in = self._guard.cookie(request.url.partition("?")[2])
        return let_in or await self._guarded(self._page)(request, names)

    async def _page(self, _: Request, __: Names) -> Response:
        return _static("index.html")

    async def _file(self, _: Request, names: Names) -> Response:
        return _static(names["file"])

    # The state

    async def _list(self, _: Request, __: Names) -> Response:
        return _json({"terminals": [shown(device) for device in self._desk.values()]})

    async def _state(self, _: Request, names: Names) -> Response:
        return _json(state(self._desk[names["terminal"]]))

    # What people do

    async def _answer(self, request: Request, names: Names) -> Response:
        device, given = self._desk[names["terminal"]], _object(request)
        number = names["screen"]
        try:
            question = device.screen.find(int(number) if number.isdecimal() else 0)
        except (Gone, ValueError):
            return failure(404, "gone", "the screen is not shown any more")
        if question.saying.dictated is not None:
            raise _unfit("a scenario answers this screen in a moment")
        question.answer.set_result(answers.read(question.saying.wish, given, device.wallet))
        return _DONE

    async def _wpi(self, request: Request, names: Names) -> Response:
        try:
            wish = _tills.decode(request.body)
        except msgspec.DecodeError as error:
            raise RemoteProtocolError(str(error), hint="malformed") from None
        service = SERVICES.get(wish.service)
        extras = {
            "WPI_SERVICE_TYPE": wish.service,
            "WPI_VERSION": wish.version,
            "WPI_SESSION_ID": wish.session or self._ids.code(20),
        }
        if body := bytes(wish.request):
            extras["WPI_REQUEST"] = body.decode()
        intent = (service.kind if service else Kind.FINANCIAL).intent
        endpoint, named = self._road(names["terminal"], intent)
        headers = Headers([("content-type", "application/json"), ("wpi-package", PACKAGE)])
        sent = Request("POST", endpoint.path, headers, json.write(extras))
        message = endpoint.decode(sent, named)
        face, parties = self._hosted.face, self._hosted.parties
        answer = endpoint.encode(await self._engine.serve(face, message, parties))
        return Response(answer.status, Headers([*answer.headers.items(), *_ALWAYS]), answer.body)

    def _road(self, terminal: str, intent: str) -> tuple[HttpEndpoint, dict[str, str]]:
        """Find where the face takes requests for a terminal by its name."""
        found = [
            endpoint for endpoint in self._hosted.face.endpoints()
            if isinstance(endpoint, HttpEndpoint) and "{intent}" in endpoint.path
        ]  # fmt: skip
        named = next((each for each in found if "{terminal}" in each.path), None)
        if named is None:
            return found[0], {"intent": intent}
        return named, {"intent": intent, "terminal": terminal}

    # What shall happen

    async def _planned(self, _: Request, names: Names) -> Response:
        return _json({"scenarios": planned(self._desk[names["terminal"]])})

    async def _plan(self, request: Request, names: Names) -> Response:
        self._desk[names["terminal"]].plan(read_plan(_body(request)))
        return _DONE

    async def _forget(self, _: Request, names: Names) -> Response:
        self._desk[names["terminal"]].plan([])
        return _DONE

    async def _printer(self, request: Request, names: Names) -> Response:
        device, wanted = self._desk[names["terminal"]], _object(request).get("state")
        if wanted not in (READY, PAPER_EMPTY, DEFECT):
            raise _unfit('state: "ready", "paper_empty" or "defect"')
        if device.printer == NONE:
            raise _unfit("this terminal has no printer")
        device.set_printer(wanted)
        return _DONE

    async def _network(self, request: Request, names: Names) -> Response:
        plug, up = self._desk[names["terminal"]].plug, _object(request).get("up")
        if plug is None:
            return failure(409, "nothing_to_unplug", "the sandbox is not in this process")
        if not isinstance(up, bool):
            raise _unfit("up: true or false")
        plug.down = not up
        self._desk.changed()
        return _DONE

    async def _paper(self, _: Request, names: Names) -> Response:
        device, number, form = self._desk[names["terminal"]], names["paper"], names["form"]
        sheet = device.sheet(int(number)) if number.isdecimal() and len(number) < 16 else None
        if sheet is None or form not in _FORMS:
            return failure(404, "unknown_address", "there is no such paper")
        try:
            # A picture takes longer than the loop may wait.
            made = await asyncio.to_thread(_FORMS[form], sheet)
        except ConfigError as error:
            return failure(501, "not_installed", str(error))
        return Response(200, Headers([("content-type", _TYPES[form]), *_ALWAYS]), made)


def read_plan(value: Any) -> list[Planned]:
    """Read scenarios: one with `times`, or a list of such. Raises RemoteProtocolError, hint
    "unfit"."""
    rows = value if isinstance(value, list) else [value]
    made, problems = [], []
    if len(rows) > PLANNED_MAX:
        raise _unfit(f"at most {PLANNED_MAX} scenarios")
    for place, row in enumerate(rows):
        where = f"[{place}].scenario." if isinstance(value, list) else "scenario."
        if not isinstance(row, Mapping) or not isinstance(row.get("scenario"), Mapping):
            raise _unfit('a scenario looks like {"scenario": {"code": "51"}, "times": 1}')
        times = row.get("times", 1)
        if type(times) is not int or not 1 <= times <= SCENARIO_TIMES_MAX or len(row) > 2:
            raise _unfit(f"times: 1 to {SCENARIO_TIMES_MAX}, beside it only scenario")
        try:
            made.append(Planned(scenario.read(row["scenario"]), times))
        except ConfigError as error:
            problems += [where + problem for problem in error.problems]
    if problems:
        raise _unfit("; ".join(problems))
    return made


class _Events:
    """The state of a terminal as server-sent events: the latest one, whenever it is another."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        headers = headers_of(scope)
        refused = self._guard.refused("GET", headers)
        device = self._desk.get(scope["path_params"]["terminal"])
        if refused is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            refused = failure(403, "foreign", "another site asks")
        if refused is None and device is None:
            refused = failure(404, "unknown_address", "there is no such terminal")
        if refused is None and device is not None and device.watches >= WATCHES_MAX:
            refused = failure(503, "too_many", f"{WATCHES_MAX} look at this terminal already")
        if refused is not None or device is None:
            await respond(refused or failure(500, "internal", ""), send)
            return
        kind = ("content-type", "text/event-stream; charset=utf-8")
        fields = [(name.encode(), value.encode()) for name, value in (kind, *_ALWAYS)]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        gone = asyncio.create_task(_until_gone(receive))
        watch = device.look()
        try:
            await _tell(device, watch, gone, send)
        except OSError:
            log.debug("%s: the reader left", scope["path"])
        finally:
            device.look_away(watch)
            gone.cancel()


async def _tell(device: Device, watch: Any, gone: "asyncio.Task[None]", send: Any) -> None:
    """Send states until nobody reads any more or the server leaves."""
    while True:
        news = asyncio.create_task(watch.news.wait())
        await asyncio.wait({news, gone}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        if gone.done():
            return
        if watch.over:
            break
        chunk = b": still here\n\n"
        if watch.news.is_set():
            watch.news.clear()
            data = _encode(state(device))
            chunk = b"id: %d\nevent: state\ndata: %b\n\n" % (device.version, data)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _static(name: str) -> Response:
    match = _FILE.fullmatch(name)
    file = FOLDER / name
    if match is None or not file.is_file():
        return failure(404, "unknown_address", "there is no such file")
    return Response(200, Headers([("content-type", _TYPES[match[1]]), *_ALWAYS]), file.read_bytes())


def _json(value: object) -> Response:
    return Response(200, _JSON, _encode(value))


def _body(request: Request) -> Any:
    try:
        return json.read(request.body, what="body")
    except RemoteProtocolError as error:
        raise RemoteProtocolError(str(error), hint="malformed") from None


def _object(request: Request) -> Mapping[str, Any]:
    value = _body(request)
    if not isinstance(value, dict):
        raise RemoteProtocolError("body: a JSON object is expected", hint="malformed")
    return value


def _unfit(text: str) -> RemoteProtocolError:
    return RemoteProtocolError(text, hint="unfit")
