"""A server with terminals on a real socket, and who calls it: tills, pages, browsers."""

import asyncio
import json
from contextlib import asynccontextmanager

from tollbridge.cli import runtime
from tollbridge.engine.config import Settings
from tollbridge.ground.secret import Secret
from tollbridge.server.inside import Served, listen

TOKEN = "test-token"
TILL = "com.example.till"
PAGE = "com.tollbridge.page"
PREFIX = "com.worldline.payment.action."
INTENTS = {"financial": "PROCESS_TRANSACTION", "management": "PROCESS_MANAGEMENT",
           "information": "PROCESS_INFORMATION"}  # fmt: skip
SALE = {"currency": "EUR", "requestedAmount": 1191}
PATIENCE_S = 10


class Answer:
    """What an HTTP call came to."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]

    @property
    def message(self):
        return self.json["error"]["message"]


class Server:
    """A running server."""

    def __init__(self, running, port):
        self.running = running
        self.port = port
        self.sessions = 0

    def device(self, terminal="T1"):
        return self.running.terminals[terminal]

    async def call(self, method, path, body=None, headers=None):
        """Make one call, with header fields that may be anything."""
        data = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        fields = {"host": f"127.0.0.1:{self.port}", "connection": "close",
                  "content-length": str(len(data))}  # fmt: skip
        if method in ("POST", "PUT", "DELETE"):
            fields["content-type"] = "application/json"
        fields |= headers or {}
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = "".join(
            f"{name}: {value}\r\n" for name, value in fields.items() if value is not None
        )
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
        got = await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        top, _, rest = got.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        found = dict(line.lower().split(": ", 1) for line in lines[1:])
        return Answer(int(lines[0].split()[1]), found, rest)

    async def pay(self, request=SALE, terminal="T1"):
        """Pay from the page; give the response."""
        return await self.ask("WPI_SVC_PAYMENT", request, terminal)

    async def ask(self, service, request=None, terminal="T1"):
        body = {"service": service} | ({"request": request} if request is not None else {})
        answer = await self.call("POST", f"/terminal/{terminal}/wpi", body)
        assert answer.status == 200, answer.body
        return json.loads(answer.json["WPI_RESPONSE"])

    async def till(self, service, request=None, *, kind="financial", package=TILL, session=None,
                   terminal=""):  # fmt: skip
        """Ask as a till does; give the response."""
        self.sessions += 1
        extras = {"WPI_SERVICE_TYPE": service, "WPI_VERSION": "2.0",
                  "WPI_SESSION_ID": session or f"s-{self.sessions}"}  # fmt: skip
        if request is not None:
            extras["WPI_REQUEST"] = json.dumps(request)
        headers = {"authorization": f"Bearer {TOKEN}", "wpi-package": package}
        path = f"/wpi/{terminal}/" if terminal else "/wpi/"
        answer = await self.call("POST", path + PREFIX + INTENTS[kind], extras, headers)
        return json.loads(answer.json["WPI_RESPONSE"])

    async def answer(self, screen, given, terminal="T1"):
        """Answer a screen."""
        number = screen["id"] if isinstance(screen, dict) else screen
        return await self.call("POST", f"/terminal/{terminal}/screens/{number}", given)

    async def state(self, terminal="T1"):
        return (await self.call("GET", f"/terminal/{terminal}/state")).json

    @asynccontextmanager
    async def looking(self, terminal="T1"):
        """Open a page."""
        page = Page(self, terminal)
        await page.open()
        try:
            yield page
        finally:
            page.close()


class Page:
    """A page that listens to events; `state` is the latest it heard."""

    def __init__(self, server, terminal):
        self.server, self.terminal = server, terminal
        self.state = None
        self.versions = []
        self.comments = 0

    async def open(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        head = f"GET /terminal/{self.terminal}/events HTTP/1.1\r\nhost: localhost\r\n\r\n"
        self._writer.write(head.encode())
        top = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert "200 ok" in top
        assert "content-type: text/event-stream" in top
        await self.hear()

    async def hear(self, limit_s=PATIENCE_S):
        """Wait for the next state."""
        fields = {}
        async with asyncio.timeout(limit_s):
            while True:
                line = (await self._line()).rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    break
        assert fields["event"] == "state"
        self.state = json.loads(fields["data"])
        assert str(self.state["version"]) == fields["id"]
        self.versions.append(self.state["version"])
        return self.state

    async def until(self, fits, limit_s=PATIENCE_S):
        """Wait for a state that fits."""
        async with asyncio.timeout(limit_s):
            while not fits(self.state):
                await self.hear()
        return self.state

    async def screen(self, kind):
        """Wait for a screen of a kind."""
        state = await self.until(lambda s: s["screen"] and s["screen"]["kind"] == kind)
        return state["screen"]

    async def answer(self, kind, given):
        """Wait for a screen and answer it."""
        screen = await self.screen(kind)
        done = await self.server.answer(screen, given, self.terminal)
        assert (done.status, done.body) == (204, b"")
        await self.until(lambda s: not s["screen"] or s["screen"]["id"] != screen["id"])

    async def ended(self):
        """Wait for the end of the stream."""
        await asyncio.wait_for(self._reader.read(), PATIENCE_S)

    def close(self):
        self._writer.close()

    async def _line(self):
        """Read a line of the stream out of its chunks."""
        while True:
            line = await self._reader.readline()
            assert line, "the stream ended"
            text = line.decode()
            if not text.endswith("\r\n"):
                return text


@asynccontextmanager
async def serving(folder, readers=None, host="127.0.0.1", **profile):
    """Run a server; `profile` are the terminal's settings."""
    journal = folder / "journal.sqlite"
    settings = Settings(journal=journal, host=host, port=0, faces={"wpi": profile})
    running = runtime.build(settings, Secret(TOKEN), readers or {})
    listening = listen(host, 0)
    served = Served(running.app, listening, websockets=True, leaving=running.terminals.close)
    await served.start()
    try:
        yield Server(running, listening.getsockname()[1])
    finally:
        await served.close()


def condition(response):
    return response["errorCondition"].removeprefix("WPI_ERR_COND_")
