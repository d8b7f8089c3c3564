"""A bench: a provider, a producer and a consumer that buy from one another over real sockets.

Between any two of them stands a relay that keeps every byte that passes.
"""

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from tollbridge.cli import runtime
from tollbridge.engine.config import Settings
from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.catalogue import Service
from tollbridge.faces.within.messages import Price, PricePerUnit
from tollbridge.ground.secret import Secret
from tollbridge.server.inside import Served, listen
from tollbridge.within.device import Device
from tollbridge.within.options import Options

HERE = "127.0.0.1"
LIMIT_S = 20
PAGE_BYTES = 65_536

SERVER = "6f1d2c34-8a5b-4e77-1c10-2b7e5d904a11"
CLIENT = "c0a8e1f2-3b64-4d09-0e5f-71a2b3c4d5e6"
CLIENT_KEY = "T_C_00000000-1111-2222-3333-444444444444"
SERVICE_KEY = "T_S_55555555-6666-7777-8888-999999999999"
NUMBER = "4444333322221111"
WATER = Service(
    service_id=3,
    name="Garden Watering",
    description="Metered garden watering",
    service_type="water",
    prices={
        1: Price(1, "Daytime rate", PricePerUnit(410, "GBP"), 1, "100 litres"),
        2: Price(2, "Evening rate", PricePerUnit(325, "GBP"), 1, "100 litres"),
    },
)


def card(number=NUMBER, cvc="123", year=2033):
    return HceCard("Ada", "Field", 11, year, Secret(number), Secret(cvc))


def free_udp_port():
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


# What passes on a socket


@dataclass(frozen=True)
class Message:
    """One HTTP message as its bytes were: first line, headers by their lower names, body."""

    first: str
    headers: dict
    body: bytes

    @property
    def status(self):
        return int(self.first.split()[1])

    @classmethod
    def of(cls, head, body=b""):
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.split(":", 1) for line in lines if line)
        return cls(first, {name.lower(): value.strip() for name, value in fields}, body)

    @classmethod
    def all(cls, data):
        """Read the messages that passed one after another, each with its length."""
        found = []
        while data:
            head, _, data = data.partition(b"\r\n\r\n")
            length = int(cls.of(head).headers.get("content-length", 0))
            found.append(cls.of(head, data[:length]))
            data = data[length:]
        return found


class Line:
    """One connection that is kept, and on which exactly the given bytes are said."""

    def __init__(self, port):
        self._socket = socket.create_connection((HERE, port), LIMIT_S)
        self._file = self._socket.makefile("rb")

    def say(self, data, *, head_only=False):
        self._socket.sendall(data)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            assert line, f"the connection ended after {head!r}"
            head += line
        length = int(Message.of(head).headers["content-length"])
        return Message.of(head, b"" if head_only else self._file.read(length))

    def ask(self, method, path, body=None, *more):
        return self.say(request(method, path, body, *more), head_only=method == "HEAD")

    def close(self):
        self._file.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(method, path, body=None, *more):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HERE}", *more]
    data = b""
    if body is not None:
        data = body if isinstance(body, bytes) else body.encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join([*lines, "", ""]).encode() + data


class Relay:
    """Passes bytes on to a port and keeps them. With `tls`, what comes in is encrypted."""

    def __init__(self, port, tls=None):
        self._to = port
        self._tls = tls
        self._passing = set()
        self.asked, self.answered = b"", b""

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, HERE, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _connected(self, reader, writer):
        self._passing.add(asyncio.current_task())
        to_reader, to_writer = await asyncio.open_connection(HERE, self._to)
        try:
            await asyncio.gather(
                self._pass(reader, to_writer, "asked"), self._pass(to_reader, writer, "answered")
            )
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            for end in (writer, to_writer):
                end.close()

    async def _pass(self, reader, writer, name):
        while data := await reader.read(PAGE_BYTES):
            setattr(self, name, getattr(self, name) + data)
            writer.write(data)
            await writer.drain()
        writer.close()

    @property
    def requests(self):
        return Message.all(self.asked)

    @property
    def answers(self):
        return Message.all(self.answered)


class Peer:
    """A stranger: answers with the given bytes, one after another, and keeps what it was asked.

    An answer may be made from the request. After one that says so the connection is closed.
    """

    def __init__(self, *answers):
        self._answers = list(answers)
        self._talking = set()
        self.asked = []
        self.connections = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, HERE, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)

    async def _connected(self, reader, writer):
        self._talking.add(asyncio.current_task())
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(Message.of(head).headers.get("content-length", 0))
                asked = Message.of(head, await reader.readexactly(length))
                self.asked.append(asked)
                answer = self._answers.pop(0)
                data = answer(asked) if callable(answer) else answer
                writer.write(data)
                await writer.drain()
                if b"HTTP/1.0" in data[:8] or b"connection: close" in data.lower():
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(body, status="200 OK", *, kind="application/json;charset=UTF-8", end="\n"):
    """Answer as the original producer does."""
    data = (body + end).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


# Who trades


class Provider:
    """A payment provider over a simulated card network, both in this process, on a socket."""

    def __init__(self, folder, **settings):
        folder.mkdir(parents=True, exist_ok=True)
        keys = {"client_key": CLIENT_KEY, "service_key": SERVICE_KEY}
        psp = {"merchants": {"garden": keys}, "issuer": "EXAMPLE BANK"} | settings
        wanted = Settings(journal=folder / "psp.sqlite", faces={"psp": psp})
        self._running = runtime.build(wanted, Secret("nobody asks"))
        self._book = runtime.book_of(wanted.journal)

    async def __aenter__(self):
        listening = listen(HERE, 0)
        self.port = listening.getsockname()[1]
        self._served = Served(self._running.app, listening)
        await self._served.start()
        return self

    async def __aexit__(self, *_):
        await self._served.close()

    @property
    def taken_minor(self):
        movements = self._running.sandbox.network.book.movements()
        return sum(movement.taken_minor for movement in movements)


def psp(port, scheme="http", host=HERE, **more):
    """Configure both sides of a device for a provider."""
    return {
        "psp_name": "worldpayonlinepayments",
        "api_endpoint": f"{scheme}://{host}:{port}/v1",
        "hte_public_key": CLIENT_KEY,
        "hte_private_key": SERVICE_KEY,
    } | more


async def device(folder, name, uid="", **options):
    """Set a device up; `uid` is the identity it finds in its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if uid:
        (folder / "uuid.txt").write_text(uid)
    wanted = {"port": 0, "host": HERE, "discovery_port": 1, "period_s": 0.05} | options
    return await Device.setup(name, f"{name} of the bench", HERE, folder=folder,
                              options=Options(**wanted))  # fmt: skip


class Market:
    """A provider, a producer and a consumer, and a relay on each of the three ways.

    `cards` is the way of the consumer to the provider, `orders` that of the producer, `counter`
    that of the consumer to the producer. `told` is what the producer's application hears.
    """

    def __init__(self, folder, *services, uid=SERVER, tls=None, trust=None, **options):
        self.folder = Path(folder)
        self.uid = uid
        self.services = services or (WATER,)
        self.tls, self.trust = tls, trust
        self.options = options
        self.told = []

    async def __aenter__(self):
        async with contextlib.AsyncExitStack() as stack:
            enter = stack.enter_async_context
            self.provider = await enter(Provider(self.folder / "provider"))
            self.cards = await enter(Relay(self.provider.port, self.tls))
            self.orders = await enter(Relay(self.provider.port, self.tls))
            scheme = "https" if self.tls else "http"
            options = {"tls": self.trust} | self.options
            self.producer = await enter(
                await device(self.folder / "pump", "pump-17", self.uid, **options)
            )
            for service in self.services:
                self.producer.add_service(service)
            self.producer.set_event_handler(self.told.append)
            await self.producer.init_producer(psp(self.orders.port, scheme))
            self.counter = await enter(Relay(self.producer.port))
            self.consumer = await enter(
                await device(self.folder / "lawn", "lawn-52", CLIENT, **options)
            )
            self.paying = psp(self.cards.port, scheme)
            self.meet(self.counter.port)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_):
        await self._stack.aclose()

    def meet(self, port, paying_card=None):
        """Make the consumer one of the producer at this port."""
        self.consumer.init_consumer(
            "http://", HERE, port, "", self.consumer.uid, paying_card or card(), self.paying
        )

    async def buys(self, units=6, price=2, service=3):
        """Discover, select and pay; gives the total and the payment's answer."""
        await self.consumer.request_services()
        await self.consumer.get_service_prices(service)
        total = await self.consumer.select_service(service, units, price)
        return total, await self.consumer.make_payment(total)


class Aside:
    """An event loop in a thread of its own, for tests that speak to it over blocking sockets."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stack = contextlib.AsyncExitStack()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    def enter(self, context):
        return self.run(self._stack.enter_async_context(context))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()
