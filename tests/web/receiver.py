"""A merchant's server that hears notices, on a real socket, in every mood."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tollbridge.wire.http import Headers


@dataclass
class Heard:
    """One notice as it arrived."""

    headers: Headers
    body: bytes
    answered: int

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def fields(self):
        return json.loads(self.body)


class Receiver:
    """Answers what `moods` say, one after the other, then 204. A mood is a status, a status with
    header fields, "slow" (no answer) or "break"."""

    def __init__(self, moods=()):
        self.moods = list(moods)
        self.heard = []
        self.news = asyncio.Condition()
        self.open = 0
        self.most_open = 0

    async def start(self, port=0):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/notices"
        return self

    def close(self):
        self.server.close()

    async def until(self, count, limit_s=10):
        """Wait for so many notices."""
        async with asyncio.timeout(limit_s), self.news:
            await self.news.wait_for(lambda: len(self.heard) >= count)
        return self.heard

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = Headers(tuple(line.split(": ", 1)) for line in head[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                self.open += 1
                self.most_open = max(self.most_open, self.open)
                mood = self.moods.pop(0) if self.moods else 204
                status, fields = mood if isinstance(mood, tuple) else (mood, "")
                async with self.news:
                    self.heard.append(Heard(headers, body, status))
                    self.news.notify_all()
                if mood == "slow":
                    await asyncio.sleep(60)
                if mood == "break":
                    writer.transport.abort()
                    return
                await asyncio.sleep(0)
                self.open -= 1
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{fields}\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(*moods):
    receiver = await Receiver(moods).start()
    try:
        yield receiver
    finally:
        receiver.close()
