"""The way to a terminal: the HTTP binding of the intents, and the Messenger over a WebSocket.

A channel says what came back and judges only one thing: whether it can be an answer at all. What
that means for money is the client's business.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.wpi.codec import PACKAGE, WHAT
from tollbridge.faces.wpi.messages import CANCELED
from tollbridge.faces.wpi.tables import Kind
from tollbridge.ground.errors import NoAnswer, NotSent, RemoteProtocolError
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Request, Response
from tollbridge.wpi_client.errors import Misanswered, Unreachable
from tollbridge.wpi_client.options import Options

log = logging.getLogger("tollbridge.wpi_client")

ANDROID_RESULT = "wpi-android-result"
REFUSED = frozenset({400, 401, 403, 404, 405, 411, 413, 414, 415, 421, 426, 431})
"""The statuses of HTTP that say that a request was turned away at the door."""

MESSAGE_BYTES_MAX = 1 << 20
Extras = Mapping[str, Any]


class Silent(Exception):
    """The request left, and nothing came back that can be its answer; the text says what did."""


class Channel(Protocol):
    """Sends extras and gives those of the answer.

    Raises Unreachable when nothing was sent, Misanswered when the request was refused before WPI
    began, Silent in every other case.
    """

    async def send(self, kind: Kind, extras: Extras, limit_s: float) -> dict[str, Any]: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a terminal is, and as whom it is called. `terminal` "" is the server's first one."""

    url: str
    token: Secret[str] = field(repr=False)
    package: str
    terminal: str = ""

    def address(self, last: str) -> str:
        """Give the address of something at this terminal."""
        middle = f"/{quote(self.terminal, safe='')}" if self.terminal else ""
        return f"{self.url.rstrip('/')}/wpi{middle}/{last}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Who calls, with the credential."""
        return [("Authorization", f"Bearer {self.token.reveal()}"), ("WPI-Package", self.package)]


class HttpChannel:
    """`POST {url}/wpi/{intent}`: the extras as a JSON object."""

    def __init__(self, place: Place, options: Options) -> None:
        self._place = place
        self._transport = HttpTransport(tls=options.tls, connect_limit_s=options.connect_s)

    async def send(self, kind: Kind, extras: Extras, limit_s: float) -> dict[str, Any]:
        session = str(extras["WPI_SESSION_ID"])
        headers = Headers([*self._place.headers, ("Content-Type", "application/json")])
        body = json.write(dict(extras))
        request = Request("POST", self._place.address(kind.intent), headers, body)
        try:
            answer = await self._transport.send(request, limit_s)
        except NotSent as error:
            raise Unreachable(f"the terminal was not reached: {error}", session) from None
        except NoAnswer as error:
            raise Silent(str(error)) from None
        return _extras(answer, session)

    async def close(self) -> None:
        await self._transport.close()


def _extras(answer: Response, session: str) -> dict[str, Any]:
    if answer.status in REFUSED:
        raise Misanswered(_why_refused(answer), session, answer.status)
    if answer.status != 200:
        raise Silent(f"HTTP status {answer.status}")
    if answer.headers.get(ANDROID_RESULT, "").strip().upper() == CANCELED:
        raise Silent("RESULT_CANCELED: the payment solution died (A-47)")
    try:
        return json.read_object(answer.body, what="the answer")
    except RemoteProtocolError as error:
        raise Silent(f"HTTP status 200, but {error}") from None


def _why_refused(answer: Response) -> str:
    """Say what the server said, if it can be read."""
    said = ""
    try:
        extras = json.read_object(answer.body, what="the answer")
        response = extras.get("WPI_RESPONSE")
        if isinstance(response, str):
            said = str(json.read_object(response, what="the answer").get("remark", ""))
        elif isinstance(extras.get("error"), dict):
            said = str(extras["error"].get("message", ""))
    except RemoteProtocolError:
        pass
    return f"the server refused the call with status {answer.status}: {scrub(said)}".rstrip(": ")


class MessengerChannel:
    """The Messenger of background actions (2) over one WebSocket, opened when it is needed.

    Requests and answers look alike, `{"what": 895349, "obj": {extras}}`; the session id says which
    answer belongs to which request.
    """

    def __init__(self, place: Place, options: Options) -> None:
        # Only who opens WebSockets loads what they need.
        self._connect = import_module("websockets.asyncio.client").connect
        self._refused = import_module("websockets.exceptions").InvalidStatus
        parts = urlsplit(place.address("messenger"))
        self._address = parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl()
        self._place = place
        self._options = options
        self._socket: Any = None
        self._reading: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._waiting: dict[str, list[asyncio.Future[dict[str, Any]]]] = {}

    async def send(self, kind: Kind, extras: Extras, limit_s: float) -> dict[str, Any]:
        del kind
        session = str(extras["WPI_SESSION_ID"])
        socket = await self._open(session)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(session, [])
        waiting.append(answer)
        try:
            async with asyncio.timeout(limit_s):
                parcel = {"what": WHAT, "obj": {**extras, PACKAGE: self._place.package}}
                await socket.send(json.write(parcel).decode())
                return await answer
        except Exception as error:  # noqa: BLE001 - whatever it is, no answer came
            raise Silent(f"{type(error).__name__} {scrub(str(error))}".rstrip()) from None
        finally:
            if answer in waiting:
                waiting.remove(answer)
            if not waiting:
                self._waiting.pop(session, None)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await asyncio.wait({self._reading})

    async def _open(self, session: str) -> Any:
        async with self._opening:
            if self._reading is not None and not self._reading.done():
                return self._socket
            secure = self._address.startswith("wss:") and self._options.tls is not None
            try:
                self._socket = await self._connect(
                    self._address,
                    additional_headers=self._place.headers,
                    open_timeout=self._options.connect_s,
                    max_size=MESSAGE_BYTES_MAX,
                    proxy=None,
                    **({"ssl": self._options.tls} if secure else {}),
                )
            except self._refused as error:
                status = error.response.status_code
                text = f"the server refused the WebSocket with status {status}"
                raise Misanswered(text, session, status) from None
            except Exception as error:  # noqa: BLE001 - a request was not sent, whatever it is
                what = f"{type(error).__name__} {scrub(str(error))}".rstrip()
                raise Unreachable(f"{self._address}: {what}", session) from None
            self._reading = asyncio.create_task(self._read(self._socket))
            return self._socket

    async def _read(self, socket: Any) -> None:
        """Hand answers out until the connection ends; then nobody waits any more."""
        try:
            async for message in socket:
                self._hand_out(message)
        except Exception as error:  # noqa: BLE001 - the connection broke, however it is called
            log.debug("the messenger broke: %s", scrub(str(error)))
        finally:
            for waiting in self._waiting.values():
                for answer in waiting:
                    if not answer.done():
                        answer.set_exception(ConnectionError("the connection was closed"))

    def _hand_out(self, message: str | bytes) -> None:
        try:
            parcel = json.read_object(message, what="a message")
        except RemoteProtocolError as error:
            log.warning("the messenger sent %s", error)
            return
        extras = parcel.get("obj")
        if parcel.get("what") != WHAT or not isinstance(extras, dict):
            log.warning("the messenger sent something that is no message of WPI")
            return
        session = extras.get("WPI_SESSION_ID")
        waiting = self._waiting.get(str(session), [])
        if session is None and len(self._waiting) == 1:
            # It could not be read, so nobody else can be meant.
            (waiting,) = self._waiting.values()
        for answer in waiting:
            if not answer.done():
                answer.set_result(extras)
                return
        log.warning("the messenger answered what nobody asked, or a second time")
