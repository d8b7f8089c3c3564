"""Measures payments of web pages over HTTP and server-sent events: without a question, and with a
text challenge that a script answers; and the memory of the server while thousands of pages look.

Everything is durable: SQLite with synchronous=FULL, the sandbox's book too. Each page has a
connection for calls and one for its stream, and a customer of its own, as different people have.
A payment counts from its POST until its final state is known, by the answer or by the stream.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httptools
import uvloop
from run import disk, rss_mb, verdict

ORIGIN = "http://shop.example"
KEY = "pk_bench_shop"
CUSTOMERS = 256
STREAMS = 2000
TARGET, TARGET_MB = 1000, 200
MEASURES = (
    ("plain", 1, 500),
    ("plain", 64, 6000),
    ("plain", 256, 10_000),
    ("asked", 1, 300),
    ("asked", 64, 4000),
    ("asked", 256, 6000),
)
FINAL = ("succeeded", "failed", "cancelled")
CODE = re.compile(r"code for (c\d+) .*?(\d{6}) is your code")


def config(kind):
    """One shop, a customer for each page; asked at every payment or at none."""
    least = 0 if kind == "asked" else 10**9
    lines = [
        "[web]",
        "begins_per_s = 100_000",
        "[faces.webinos.policy]",
        f"amount_minor = {least}",
        "asked_max = 1000",
        "new_instrument = false",
        "[faces.webinos.sellers.shop]",
        f'publishable_key = "{KEY}"',
        'secret_key = "sk_bench_shop"',
        f'origins = ["{ORIGIN}"]',
    ]
    for number in range(CUSTOMERS):
        lines += [
            f"[faces.webinos.customers.c{number}]",
            'contact = "+431234567"',
            'instruments = [{ number = "4242424242424242", expiry = "12/40" }]',
        ]
    return "\n".join(lines)


# The pages: a process of its own


class Line(asyncio.Protocol):
    """A connection that makes one call at a time; what a stream brings is given piece by piece."""

    def __init__(self):
        self.parser = None
        self.ended = None
        self.heard = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_body(self, body):
        self.body += body
        if self.heard is not None:
            self.heard(self.body)

    def on_message_complete(self):
        if not self.ended.done():
            self.ended.set_result((self.parser.get_status_code(), bytes(self.body)))

    def connection_lost(self, _):
        if self.ended is not None and not self.ended.done():
            self.ended.set_exception(ConnectionError("the server closed"))

    def call(self, method, path, token, body=b"", key="", heard=None):
        self.body, self.heard = bytearray(), heard
        self.parser = httptools.HttpResponseParser(self)
        self.ended = asyncio.get_running_loop().create_future()
        more = f"idempotency-key: {key}\r\n" if key else ""
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: {ORIGIN}\r\n"
            f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
            f"{more}content-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        return self.ended


class Page:
    """One page with its customer."""

    def __init__(self, port, number, codes):
        self.port, self.customer, self.codes = port, f"c{number}", codes

    async def open(self):
        loop = asyncio.get_running_loop()
        _, self.line = await loop.create_connection(Line, "127.0.0.1", self.port)
        _, self.stream = await loop.create_connection(Line, "127.0.0.1", self.port)

    async def begin(self, key):
        bill = {"productID": key, "currency": "EUR", "itemPrice": "11.91"}
        body = {"sellerID": "shop", "customerID": self.customer, "bill": bill}
        data = json.dumps(body).encode()
        status, said = await self.line.call("POST", "/web/payments", KEY, data, key)
        assert status == 201, said
        return json.loads(said)

    async def pay(self, key):
        payment = await self.begin(key)
        if payment["state"] not in FINAL:
            payment = await self.follow(payment)
        return payment["state"] == "succeeded"

    async def follow(self, payment):
        token, path = payment["client_token"], f"/web/payments/{payment['id']}"
        asked = asyncio.get_running_loop().create_future()

        def heard(body):
            if not asked.done() and (b"event: challenge\n" in body):
                asked.set_result(None)

        ended = self.stream.call("GET", f"{path}/events", token, heard=heard)
        await asyncio.wait((asked, ended), return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            code = await self.codes[self.customer].get()
            now = _last(bytes(self.stream.body))
            to = f"{path}/challenges/{now['challenge']['id']}/answer"
            body = json.dumps({"answer": code}).encode()
            status, said = await self.line.call("POST", to, token, body)
            assert status == 200, said
        _, said = await ended
        return _last(said)


def _last(events):
    """Give what the last whole event says."""
    whole = events[: events.rindex(b"\n\n")]
    return json.loads(whole.rpartition(b"data: ")[2])


async def hear_codes(codes):
    """The server's console is our standard input: who runs it reads the codes."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        if found := CODE.search(line.decode()):
            codes[found[1]].put_nowait(found[2])


async def load(port, in_flight, payments):
    codes = {f"c{number}": asyncio.Queue() for number in range(CUSTOMERS)}
    hearing = asyncio.create_task(hear_codes(codes))
    pages = [Page(port, number, codes) for number in range(in_flight)]
    for page in pages:
        await page.open()
    took, right, left, run = [], 0, payments, time.time_ns()

    async def busy(page):
        nonlocal left, right
        while left > 0:
            left -= 1
            start = time.perf_counter()
            paid = await page.pay(f"{run}-{left}")
            right += paid
            took.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(busy(page) for page in pages))
    seconds = time.perf_counter() - start
    hearing.cancel()
    took.sort()
    return {
        "rate": payments / seconds,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[int(len(took) * 0.99)] * 1000,
        "right": right,
    }


async def look(port, streams):
    """Open streams of payments that wait for their customers, and keep them until told."""
    codes = {f"c{number}": asyncio.Queue() for number in range(CUSTOMERS)}
    hearing = asyncio.create_task(hear_codes(codes))  # a full pipe would stop the server
    pages = [Page(port, number % CUSTOMERS, codes) for number in range(streams)]
    run = time.time_ns()
    for number, page in enumerate(pages):
        await page.open()
        payment = await page.begin(f"{run}-{number}")
        assert payment["state"] == "challenge_required", payment
        came = asyncio.get_running_loop().create_future()

        def heard(body, came=came):
            if b"\n\n" in body and not came.done():
                came.set_result(None)

        path = f"/web/payments/{payment['id']}/events"
        page.stream.call("GET", path, payment["client_token"], heard=heard)
        page.line.transport.close()
        await came
    print(json.dumps({"open": streams}), flush=True)
    await hearing


# The server, and what is measured


class Server:
    """The server as users start it; its console is a pipe."""

    def __init__(self, folder, kind):
        place = folder / f"web-{time.time_ns()}"
        place.mkdir()
        (place / "config.toml").write_text(config(kind))
        command = [sys.executable, "-m", "tollbridge", "serve", "--port", "0", "--journal",
                   "j.sqlite", "--config", "config.toml", "--log-level", "error"]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=place, env=os.environ | {"TOLLBRIDGE_TOKEN": "bench"},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
        self.port = self.process.stdout.readline().decode().rpartition(":")[2].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def run(self, *arguments):
        """Let pages do something; they read the server's console."""
        command = [sys.executable, __file__, *arguments]
        return subprocess.Popen(command, stdin=self.process.stdout, stdout=subprocess.PIPE)


def paying(folder, kind, in_flight, payments):
    with Server(folder, kind) as server:
        warm = server.run("--load", server.port, str(CUSTOMERS), str(CUSTOMERS * 2))
        assert warm.wait() == 0
        done, _ = server.run("--load", server.port, str(in_flight), str(payments)).communicate()
        result = json.loads(done)
        assert result["right"] == payments, result
        result["rss_mb"] = rss_mb(server.process.pid)
        return result


def looking(folder):
    with Server(folder, "asked") as server:
        before = rss_mb(server.process.pid)
        pages = server.run("--look", server.port, str(STREAMS))
        assert json.loads(pages.stdout.readline())["open"] == STREAMS
        time.sleep(2)
        after = rss_mb(server.process.pid)
        pages.kill()
        pages.wait()
        return before, after


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files go (default: a new one)")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    seen = {}
    with tempfile.TemporaryDirectory(dir=given.folder or ".", prefix=".bench-") as name:
        folder = Path(name).absolute()
        for _ in range(given.rounds):
            seen.setdefault("disk", []).append(disk(folder))
            for kind, in_flight, payments in MEASURES:
                for key, value in paying(folder, kind, in_flight, payments).items():
                    seen.setdefault(f"{kind} {in_flight} {key}", []).append(value)
            before, after = looking(folder)
            seen.setdefault("before", []).append(before)
            seen.setdefault("after", []).append(after)
    middle = {key: statistics.median(values) for key, values in seen.items()}
    print(f"\nmedians of {given.rounds} interleaved rounds")
    print(f"  durable 4 KiB writes                {middle['disk']:>9.0f} /s")
    titles = {"plain": "without a question", "asked": "with a text challenge"}
    for kind, in_flight, _ in MEASURES:
        key = f"{kind} {in_flight}"
        print(f"  {titles[kind]:<22} {in_flight:>4}   {middle[f'{key} rate']:>9.0f} payments/s   "
              f"p50 {middle[f'{key} p50_ms']:6.1f} ms   p99 {middle[f'{key} p99_ms']:6.1f} ms   "
              f"{middle[f'{key} rss_mb']:4.0f} MB")  # fmt: skip
    each = (middle["after"] - middle["before"]) * 1024 / STREAMS
    print(f"  {STREAMS} open streams: {middle['before']:.0f} MB before, {middle['after']:.0f} MB "
          f"with them, {each:.0f} KiB each\ntargets")  # fmt: skip
    verdict(
        "web payments at 256 in flight, payments/s", middle["plain 256 rate"], TARGET, least=True
    )
    verdict(f"memory with {STREAMS} open streams, MB", middle["after"], TARGET_MB)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        print(json.dumps(uvloop.run(load(*map(int, sys.argv[2:5])))))
    elif sys.argv[1:2] == ["--look"]:
        uvloop.run(look(*map(int, sys.argv[2:4])))
    else:
        main()
