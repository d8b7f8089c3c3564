"""Real processes for tests: servers and sandboxes that can be killed and started again."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tollbridge.engine.transport import HttpTransport
from tollbridge.wire.http import Headers, Request

TOKEN = "test-token"
START_LIMIT_S = 20


class Process:
    """One `tollbridge` process; its output goes to a file beside its data."""

    def __init__(self, folder, *arguments, name="process", url=r"listens on (http://\S+)"):
        self.log = Path(folder) / f"{name}.log"
        self.arguments = arguments
        self._url = re.compile(url)
        self.process = None
        self.folder = Path(folder)

    def start(self):
        mark = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "tollbridge", *self.arguments],
                cwd=self.folder,
                env=os.environ | {"TOLLBRIDGE_TOKEN": TOKEN},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            text = self.log.read_text()[mark:]
            if found := self._url.search(text):
                self.url = found[1]
                return self
            assert self.process.poll() is None, text
            time.sleep(0.01)
        raise AssertionError(f"{self.arguments} did not start: {self.log.read_text()[mark:]}")

    def kill(self):
        """Take it away, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        """Ask it to end; tells its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


def server(folder, *options, journal="journal.sqlite", port=0, name="server"):
    arguments = ["serve", "--journal", journal, "--port", str(port), *options]
    return Process(folder, *arguments, name=name)


def sandbox(folder, *options, book="book.sqlite", port=0, control=0, name="sandbox"):
    arguments = ["sandbox", "serve", "--book", book, "--port", str(port)]
    return Process(
        folder,
        *arguments,
        "--control-port",
        str(control),
        *options,
        name=name,
        url=r"control\s+(http://\S+)",
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def call(transport, method, url, body=None, *, key="", token=TOKEN, headers=(), limit_s=15):
    """Make one call; gives status, parsed body and header fields."""
    fields = [("content-type", "application/json"), *headers]
    if token:
        fields.append(("authorization", f"Bearer {token}"))
    if key:
        fields.append(("idempotency-key", key))
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await transport.send(Request(method, url, Headers(fields), data), limit_s)
    return answer.status, json.loads(answer.body) if answer.body else None, answer.headers


def talk(method, url, body=None, **more):
    """Make one call from a test without a loop."""

    async def main():
        transport = HttpTransport()
        try:
            return await call(transport, method, url, body, **more)
        finally:
            await transport.close()

    return asyncio.run(main())
