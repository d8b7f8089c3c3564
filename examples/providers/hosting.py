"""What the providers of this folder share: they listen on a socket and misbehave on request."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress

from tollbridge.wire.http import Headers, Request, Response

LATE_S = 0.3


class Provider:
    """A provider's own book. `handle` answers a request; `moods` are how the next requests that
    move money end, "approved" when there is none left.

    What it decides: approved, declined, pending. What the line does: lost (done, no answer),
    deaf (not done, no answer), late (done after a while, no answer), garbage (done, nonsense),
    busy (not done, 503).
    """

    def __init__(self):
        self.moods = []
        self.asked = []

    def handle(self, request):
        raise NotImplementedError

    def moves(self, request):
        """Whether a request moves money."""
        raise NotImplementedError

    def book(self):
        """What payers paid so far."""
        raise NotImplementedError

    def told(self, request):
        """Answer what a person asks, None where it is not for them: POST /moods, GET /book."""
        match request.method, request.url:
            case "POST", "/moods":
                self.moods = json.loads(request.body)
                return said(200, self.moods)
            case "GET", "/book":
                return said(200, self.book())
        return None

    def respond(self, request, ending):
        """Answer with this ending, as the kit of bridges wants it."""
        self.ending = ending or "approved"
        return self.handle(request)


@asynccontextmanager
async def hosting(provider, port=0):
    """Serve a provider on this machine; gives its address."""
    tasks, open_ones = set(), set()

    async def later(request):
        await asyncio.sleep(LATE_S)
        provider.respond(request, "approved")

    async def serve(reader, writer):
        open_ones.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                if answer := provider.told(request):
                    _write(writer, answer)
                    continue
                provider.asked.append(request)
                mood = "approved"
                if provider.moves(request) and provider.moods:
                    mood = provider.moods.pop(0)
                if mood == "late":
                    tasks.add(asyncio.create_task(later(request)))
                    break
                if mood == "deaf":
                    break
                if mood == "busy":
                    answer = Response(503, body=b"busy")
                else:
                    decided = mood if mood in {"declined", "pending"} else "approved"
                    answer = provider.respond(request, decided)
                if mood == "lost":
                    break
                if mood == "garbage":
                    answer = Response(200, body=b'{"so": "what?"')
                _write(writer, answer)
                if request.headers.get("connection") == "close":
                    break
        open_ones.discard(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield provider.url
    finally:
        server.close()
        for writer in open_ones:
            writer.close()
        if tasks:
            await asyncio.wait(tasks)


async def _read(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = Headers(tuple(line.split(": ", 1)) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target, _ = head[0].split(" ")
    return Request(method, target, headers, body)


def _write(writer, answer):
    fields = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    top = f"HTTP/1.1 {answer.status} X\r\ncontent-length: {len(answer.body)}\r\n{fields}\r\n"
    writer.write(top.encode() + answer.body)


def said(status, value=None):
    """Make an answer of JSON, an empty one of None."""
    body = b"" if value is None else json.dumps(value).encode()
    return Response(status, Headers([("content-type", "application/json")]), body)
