"""A server with the face webinos on a real socket, and who calls it: shops' pages and servers."""

import asyncio
import itertools
import json
import re
from contextlib import asynccontextmanager, suppress

from tollbridge.cli import runtime
from tollbridge.engine.config import Settings
from tollbridge.ground.secret import Secret
from tollbridge.server.inside import Served, listen

TOKEN = "test-token"
SHOP = "http://shop.example"
SELLER = "ShopName12345"
CUSTOMER = "mymail@provider.com"
PK, SK = "pk_shop_0001", "sk_shop_0001"
OTHER = {"name": "Other", "publishable_key": "pk_other_001", "secret_key": "sk_other_001",
         "origins": ["http://other.example"]}  # fmt: skip
PATIENCE_S = 10
BILL = {"productID": "B-1", "description": "Bill 123456", "currency": "EUR", "itemPrice": "25.96"}
CODE = re.compile(r"\b(\d{6})\b")
_numbers = itertools.count(1)


def face(**more):
    """Settings of the face."""
    seller = {"name": "The Shop", "publishable_key": PK, "secret_key": SK, "origins": [SHOP]}
    seller |= more.pop("seller", {})
    card = {"number": "4242424242424242", "expiry": "12/40", "label": "Visa"}
    customer = {
        "name": "Mary",
        "contact": "+4312345656",
        "mark": "green owl",
        "instruments": [card],
    }
    policy = {"new_instrument": False, "amount_minor": 10_000} | more.pop("policy", {})
    return {"sellers": {SELLER: seller, "Other": OTHER}, "customers": {CUSTOMER: customer},
            "policy": policy, **more}  # fmt: skip


class Answer:
    """What an HTTP call came to."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Shop:
    """A page of a shop: finds, pays, follows."""

    def __init__(self, port, origin=SHOP, key=PK):
        self.port, self.origin, self.key = port, origin, key

    async def call(self, method, path, body=None, *, token=None, headers=(), host=None):
        data = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        fields = {"host": host or f"127.0.0.1:{self.port}", "connection": "close",
                  "content-length": str(len(data)), "content-type": "application/json"}  # fmt: skip
        if self.origin:
            fields["origin"] = self.origin
        if token or self.key:
            fields["authorization"] = f"Bearer {token or self.key}"
        fields |= dict(headers)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = "".join(f"{n}: {v}\r\n" for n, v in fields.items() if v is not None)
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
        got = await asyncio.wait_for(reader.read(), PATIENCE_S + 20)
        writer.close()
        top, _, rest = got.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        found = dict(line.split(": ", 1) for line in lines[1:])
        return Answer(int(lines[0].split()[1]), {n.lower(): v for n, v in found.items()}, rest)

    async def pay(self, price="25.96", *, key=None, customer=CUSTOMER, headers=(), **bill):
        """Begin a payment; give the answer."""
        body = {"sellerID": SELLER, "customerID": customer, "itemList": None,
                "bill": BILL | {"itemPrice": price} | bill}  # fmt: skip
        key = key or f"key-{next(_numbers):08d}"
        return await self.call(
            "POST", "/web/payments", body, headers=[("idempotency-key", key), *headers]
        )

    async def settled(self, payment):
        """Wait until a payment is no longer on its way; give it as it is then."""
        async with asyncio.timeout(PATIENCE_S):
            while payment["state"] == "processing":
                path = f"/web/payments/{payment['id']}?wait=5&after={payment['events']}"
                told = (await self.call("GET", path, token=payment["client_token"])).json
                payment = payment | told
        return payment

    async def answer(self, payment, given):
        path = f"/web/payments/{payment['id']}/challenges/{payment['challenge']['id']}/answer"
        return await self.call("POST", path, {"answer": given}, token=payment["client_token"])

    def follow(self, payment, after=None, token=None):
        return Following(self, payment["id"], token or payment["client_token"], after)


class Following:
    """A stream that is read; `events` are (id, name, data) as they came."""

    def __init__(self, shop, payment, token, after):
        self.shop, self.payment, self.token, self.after = shop, payment, token, after
        self.events, self.comments = [], 0

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.shop.port)
        fields = [f"GET /web/payments/{self.payment}/events HTTP/1.1", "host: 127.0.0.1",
                  f"origin: {self.shop.origin}", f"authorization: Bearer {self.token}",
                  "accept: text/event-stream"]  # fmt: skip
        if self.after is not None:
            fields.append(f"last-event-id: {self.after}")
        self.writer.write(("\r\n".join(fields) + "\r\n\r\n").encode())
        top = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(top[0].split()[1])
        self.headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in top[1:] if line)}
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def hear(self):
        """Give the next event, None at the end."""
        fields = {}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = await self.reader.readline()
                text = line.decode()
                if text in ("", "0\r\n"):
                    return None
                if text.endswith("\r\n"):
                    continue  # how long a chunk is
                if text.startswith(":"):
                    self.comments += 1
                elif text.strip():
                    name, _, value = text.rstrip("\n").partition(": ")
                    fields[name] = value
                elif fields:
                    event = (int(fields["id"]), fields["event"], json.loads(fields["data"]))
                    self.events.append(event)
                    return event

    async def all(self):
        """Hear everything until the end."""
        while await self.hear():
            pass
        return self.events


class Server:
    def __init__(self, running, port):
        self.running, self.port = running, port
        self.shop = Shop(port)
        self.url = f"http://127.0.0.1:{port}"
        # The provider's own pages, and the merchant's server, show no key of a page.
        self.own = Shop(port, self.url, None)
        self.merchant = Shop(port, None, SK)


@asynccontextmanager
async def serving(folder, *, settings=None, bridges=None, web=None, host="127.0.0.1", **more):
    """Run a server; `more` are the face's settings."""
    made = Settings(journal=folder / "journal.sqlite", host=host, port=0, web=web or {},
                    faces={"webinos": face(**more)}, bridges=bridges or {"sandbox": {}},
                    development=bridges is not None)  # fmt: skip
    running = runtime.build(made, Secret(TOKEN))
    listening = listen(host, 0)
    served = Served(running.app, listening, websockets=True, leaving=running.leave)
    await served.start()
    try:
        yield Server(running, listening.getsockname()[1])
    finally:
        with suppress(Exception):
            await served.close()


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def code_in(text):
    """Give the last code the console showed."""
    return CODE.findall(text)[-1]
