"""A load generator: keeps N connections busy paying over HTTP, and tells how long each took.

Run as a process of its own: python bench/load.py PORT TOKEN CONNECTIONS PAYMENTS [api|wpi]
With "wpi" each connection is a till at a terminal of its own, T1, T2 and so on.
"""

import asyncio
import json
import sys
import time

import httptools
import uvloop

BODY = b'{"amount":{"minor":1191,"currency":"EUR"},"card":{"number":"4242424242424242"}}'
INTENT = "com.worldline.payment.action.PROCESS_TRANSACTION"
EXTRAS = json.dumps({
    "WPI_SERVICE_TYPE": "WPI_SVC_PAYMENT",
    "WPI_VERSION": "2.0",
    "WPI_SESSION_ID": "@",
    "WPI_REQUEST": json.dumps({"currency": "EUR", "requestedAmount": 1191}),
})  # fmt: skip


class Api:
    """Payments of the JSON API."""

    def __init__(self, token):
        self.head = (
            f"POST /v1/payments HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
        )

    def request(self, _place, run, number):
        return f"{self.head}Idempotency-Key: {run}-{number}\r\n\r\n".encode() + BODY

    def right(self, status, _body):
        return status == 201


class Wpi:
    """Payments at terminals."""

    def __init__(self, token):
        self.head = (
            f"HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nWPI-Package: com.example.till\r\nContent-Length: "
        )

    def request(self, place, run, number):
        body = EXTRAS.replace("@", f"{run}-{number}")
        return f"POST /wpi/T{place}/{INTENT} {self.head}{len(body)}\r\n\r\n{body}".encode()

    def right(self, status, body):
        return status == 200 and b"WPI_RESULT_SUCCESS" in body


KINDS = {"api": Api, "wpi": Wpi}


class Payer(asyncio.Protocol):
    """One connection: pays, waits for the answer, pays again."""

    def __init__(self, load, place):
        self.load = load
        self.place = place
        self.body = b""
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
        request = self.load.kind.request(self.place, self.load.run, self.load.sent)
        self.started = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.load.took.append(time.perf_counter() - self.started)
        if self.load.kind.right(self.parser.get_status_code(), self.body):
            self.load.right += 1
        self.body = b""
        self.parser = httptools.HttpResponseParser(self)
        self.pay()

    def connection_lost(self, _):
        self.load.open -= 1
        if not self.load.open:
            self.load.done.set_result(None)


class Load:
    def __init__(self, kind, port, connections, payments):
        self.kind, self.port = kind, port
        self.open, self.left, self.sent = connections, payments, 0
        self.took, self.right = [], 0
        self.run = time.time_ns()

    async def go(self):
        loop = asyncio.get_running_loop()
        self.done = loop.create_future()
        start = time.perf_counter()
        for place in range(1, self.open + 1):
            payer = Payer(self, place)
            await loop.create_connection(lambda payer=payer: payer, "127.0.0.1", self.port)
        await asyncio.wait_for(self.done, 600)
        seconds = time.perf_counter() - start
        self.took.sort()
        count = len(self.took)
        return {
            "rate": count / seconds,
            "p50_ms": self.took[count // 2] * 1000,
            "p99_ms": self.took[int(count * 0.99)] * 1000,
            "right": self.right,
        }


if __name__ == "__main__":
    port, token, connections, payments, *kind = sys.argv[1:]
    made = KINDS[kind[0] if kind else "api"](token)
    print(json.dumps(uvloop.run(Load(made, int(port), int(connections), int(payments)).go())))
