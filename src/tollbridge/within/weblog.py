"""The log on a web page: the original's WebSocket stream of log messages (WIRE 5.6).

Off unless `wpwconfig.json` says otherwise, and on this machine only unless it names an address. A
message is one text frame, without level and fields, and with everything masked that looks secret.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tollbridge.faces.within.errors import BadArgument, WithinError
from tollbridge.ground.secret import scrub
from tollbridge.server.inside import Served, listen

WAITING_MAX = 1000
_LEVELS = {
    "panic": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Log</title>
<h1>Log</h1>
<p><button id="open">Open</button> <button id="close">Close</button></p>
<pre id="log" aria-live="polite"></pre>
<script>
let socket = null;
const log = document.getElementById("log");
const say = text => { log.textContent += text + "\\n"; };
document.getElementById("open").onclick = () => {
  if (socket) return;
  socket = new WebSocket(`ws://${location.host}/connect`);
  socket.onmessage = event => say(event.data);
  socket.onclose = () => { say("closed"); socket = null; };
};
document.getElementById("close").onclick = () => { if (socket) socket.close(); };
</script>
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `wpwconfig.json` asks for. `host` "" is every interface."""

    host: str
    port: int
    levels: frozenset[int]


def wanted(config: Mapping[str, str]) -> Wanted | None:
    """Read the settings of the web log; None when it is off. Raises BadArgument."""
    if config.get("wsLogEnable", "").strip().lower() != "true":
        return None
    port = config.get("wsLogPort", "").strip()
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise BadArgument("CONVERT_VALUE", "CONFIG", "wsLogPort is not a port")
    names = [name.strip().lower() for name in config.get("wsLogLevel", "").split(",")]
    host = config.get("wsLogHost", "").strip()
    return Wanted(
        "" if host == "ALL" else host or "127.0.0.1",
        int(port),
        frozenset(_LEVELS[name] for name in names if name in _LEVELS),
    )


class WebLog(logging.Handler):
    """Sends what is logged to every page that listens. `port` is the one it serves at."""

    def __init__(self, asked: Wanted) -> None:
        super().__init__()
        self._levels = asked.levels
        self._readers: set[asyncio.Queue[str]] = set()
        self._loop = asyncio.get_running_loop()
        try:
            listening = listen(asked.host, asked.port)
        except OSError as error:
            text = f"the web log cannot listen on port {asked.port}"
            raise WithinError("LISTEN_FAILED", "NET", text, error) from None
        self.port: int = listening.getsockname()[1]
        routes = [Route("/", self._page), WebSocketRoute("/connect", self._connect)]
        self._served = Served(Starlette(routes=routes), listening, websockets=True)
        self._logger = logging.getLogger("tollbridge")

    async def start(self) -> None:
        """Serve, and hear what is logged."""
        await self._served.start()
        self._before = self._logger.level
        if self._levels:
            lowest = min(self._levels)
            if not self._logger.level or self._logger.level > lowest:
                self._logger.setLevel(lowest)
        self._logger.addHandler(self)

    async def stop(self) -> None:
        """Hear no more, and let go of the readers."""
        self._logger.removeHandler(self)
        self._logger.setLevel(self._before)
        await self._served.close()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno not in self._levels:
            return
        text = scrub(record.getMessage())
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._tell, text)

    def _tell(self, text: str) -> None:
        for reader in self._readers:
            if reader.qsize() < WAITING_MAX:
                reader.put_nowait(text)

    async def _page(self, _: Request) -> HTMLResponse:
        return HTMLResponse(_PAGE)

    async def _connect(self, socket: WebSocket) -> None:
        await socket.accept()
        reader: asyncio.Queue[str] = asyncio.Queue()
        self._readers.add(reader)
        gone = asyncio.create_task(_until_gone(socket))
        try:
            while not gone.done():
                said = asyncio.create_task(reader.get())
                await asyncio.wait({said, gone}, return_when=asyncio.FIRST_COMPLETED)
                if said.done():
                    await socket.send_text(said.result())
                else:
                    said.cancel()
        finally:
            self._readers.discard(reader)
            gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
