"""A load generator: keeps N connections busy paying over HTTP, and tells how long each took.

Run as a process of its own: python bench/load.py PORT TOKEN CONNECTIONS PAYMENTS
"""

import asyncio
import json
import sys
import time

import httptools
import uvloop

BODY = b'{"amount":{"minor":1191,"currency":"EUR"},"card":{"number":"4242424242424242"}}'


class Payer(asyncio.Protocol):
    """One connection: pays, waits for the answer, pays again."""

    def __init__(self, load):
        self.load = load
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport):
        self.transport = transport
        self.pay()

    def pay(self):
        if self.load.left <= 0:
            self.transport.close()
            return
        self.load.left -= 1
        self.load.sent += 1
        head = self.load.head % (self.load.run, self.load.sent)
        self.started = time.perf_counter()
        self.transport.write(head + BODY)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_message_complete(self):
        self.load.took.append(time.perf_counter() - self.started)
        self.load.statuses[self.parser.get_status_code()] = (
            self.load.statuses.get(self.parser.get_status_code(), 0) + 1
        )
        self.parser = httptools.HttpResponseParser(self)
        self.pay()

    def connection_lost(self, _):
        self.load.open -= 1
        if not self.load.open:
            self.load.done.set_result(None)


class Load:
    def __init__(self, port, token, connections, payments):
        self.port, self.open, self.left, self.sent = port, connections, payments, 0
        self.took, self.statuses = [], {}
        self.run = time.time_ns()
        self.head = (
            b"POST /v1/payments HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
            + token.encode()
            + b"\r\nContent-Type: application/json\r\nContent-Length: "
            + str(len(BODY)).encode()
            + b"\r\nIdempotency-Key: %d-%d\r\n\r\n"
        )

    async def go(self):
        loop = asyncio.get_running_loop()
        self.done = loop.create_future()
        start = time.perf_counter()
        for _ in range(self.open):
            await loop.create_connection(lambda: Payer(self), "127.0.0.1", self.port)
        await asyncio.wait_for(self.done, 600)
        seconds = time.perf_counter() - start
        self.took.sort()
        count = len(self.took)
        return {
            "rate": count / seconds,
            "p50_ms": self.took[count // 2] * 1000,
            "p99_ms": self.took[int(count * 0.99)] * 1000,
            "statuses": self.statuses,
        }


if __name__ == "__main__":
    port, token, connections, payments = sys.argv[1:5]
    print(json.dumps(uvloop.run(Load(int(port), token, int(connections), int(payments)).go())))
