"""A market of real processes: producers, payment providers and consumers, and their books."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing

from tests.processes import Process
from tollbridge.core.payment import Payment
from tollbridge.faces.psp.settings import TEST_MERCHANTS
from tollbridge.faces.within.card import HceCard
from tollbridge.ground.secret import Secret
from tollbridge.journal.journal import load, verify
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.sandbox.book import Book
from tollbridge.sandbox.compare import compare

HERE = "127.0.0.1"
LIMIT_S = 30
[KEYS] = TEST_MERCHANTS.values()
CARD = HceCard("Ada", "Field", 11, 2033, Secret("4242424242424242"), Secret("123"))
REJECTED = HceCard("Ada", "Field", 11, 2033, Secret("4000000000000002"), Secret("123"))


def udp_port():
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def offer(folder, name="Charger", minor=25, *, psp=None, services="", **producer):
    """Write what a producer sells; `psp` is the address of its provider (None: its own)."""
    producer = {"host": HERE, "period_s": 0.05, "sweep_s": 0.2, **producer}
    lines = [f'[device]\nname = "{name}"\ninterface = "{producer.pop("interface", HERE)}"']
    lines += ["[producer]", *(f"{key} = {json.dumps(value)}" for key, value in producer.items())]
    if psp is not None:
        keys = provider(psp)
        lines += ["[psp]", *(f'{key} = "{value}"' for key, value in keys.items())]
    lines.append(services or service(1, "Charge", minor))
    file = folder / f"{name}.toml"
    file.write_text("\n".join(lines))
    return file


def service(number, name, minor, kind="energy", more=""):
    return (
        f'[[service]]\nid = {number}\nname = "{name}"\ntype = "{kind}"\n{more}\n[[service.price]]\n'
        f'id = 1\ndescription = "slow"\namount = {minor}\ncurrency = "GBP"\nunit = "kWh"'
    )


def provider(url):
    """The configuration of a merchant of the test provider at this address."""
    return {
        "psp_name": "worldpayonlinepayments",
        "api_endpoint": f"{url}/v1",
        "hte_public_key": KEYS.client_key,
        "hte_private_key": KEYS.service_key.reveal(),
    }


def producer(folder, file, *options, port=0, discovery=None, name="producer"):
    """A producer's process; its `url` is where it sells."""
    options = [*options, "--folder", folder / name, "--port", port]
    if discovery is not None:
        options += ["--discovery-port", discovery]
    arguments = ["within", "produce", file, *options]
    return Process(folder, *map(str, arguments), name=name, url=r"sells at (http://\S+) as")


def own_psp(running):
    """Where a producer's own provider serves."""
    return re.search(r"provider  (http://\S+)/v1", wait_for(running, "provider  "))[1]


def psp(folder, *options, port=0):
    arguments = ["psp", "serve", "--port", str(port), *map(str, options)]
    return Process(folder, *arguments, name="psp", url=r"listens on (https?://\S+)")


def wait_for(running, words):
    """Wait until a process has written something; gives its log."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if words in (text := running.log.read_text()):
            return text
        time.sleep(0.01)
    raise AssertionError(f"{words!r} is not in {running.log.read_text()}")


def command(*arguments):
    return [sys.executable, "-m", "tollbridge", "within", *map(str, arguments)]


def tell(*arguments, code=0, cwd=None, env=None):
    """Run a command to its end; gives what it wrote on standard output, or both when it fails."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=LIMIT_S, check=False,
        cwd=cwd, env=os.environ | {"TOLLBRIDGE_CARDS_PASSPHRASE": ""} | (env or {}),
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def told(*arguments, **more):
    """Run a command with --json; gives what it says."""
    return json.loads(tell(*arguments, "--json", **more))


# Books


def payments(file):
    """Every payment of a journal, which is proved intact."""
    with closing(SqliteJournal(file, read_only=True)) as journal:
        with journal.snapshot():
            verify(journal)
        return [load(journal, payment) for payment in journal.payments(None, 10_000)]


def captured(found: list[Payment]):
    return sum(one.amounts.captured_minor - one.amounts.refunded_minor for one in found)


def taken(folder, stem="psp"):
    """What the card network took, by its own book; it must be what the provider's journal says."""
    with closing(Book(folder / f"{stem}.sandbox.sqlite")) as book:
        movements = book.movements()
    found = payments(folder / f"{stem}.sqlite")
    assert compare(found, movements) == []
    amount = sum(one.taken_minor for one in movements if one.status == "approved")
    assert captured(found) == amount
    return amount


def sold(folder):
    """What a producer's journal says it took; nothing may be left open."""
    found = payments(folder / "within.sqlite")
    assert not any(one.unfinished for one in found)
    return captured(found)


class Way:
    """A way to a server that can fail: everything passes, until `trouble` says otherwise.

    `trouble(request)` gives what happens to a request: "pass", "cut" (it arrives, the answer is
    lost), "refuse" (it does not arrive), the bytes that are answered instead of the real answer,
    which is fetched first, or what makes them out of it.
    """

    def __init__(self, port):
        self.port_behind = port
        self.trouble = lambda request: "pass"
        self.seen = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._carry, HERE, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{HERE}:{self.port}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _carry(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while request := await self._message(reader):
                self.seen.append(request)
                trouble = self.trouble(request)
                if trouble == "refuse":
                    break
                answer = await self._behind(request)
                if trouble == "cut":
                    break
                if callable(trouble):
                    answer = trouble(answer)
                writer.write(trouble if isinstance(trouble, bytes) else answer)
                await writer.drain()
        writer.close()

    async def _behind(self, request):
        reader, writer = await asyncio.open_connection(HERE, self.port_behind)
        try:
            writer.write(request)
            return await self._message(reader)
        finally:
            writer.close()

    @staticmethod
    async def _message(reader):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        return head + await reader.readexactly(int(length[1]) if length else 0)


def answer(status, body, content_type="application/json", more=""):
    """Bytes of an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status} x\r\ncontent-type: {content_type}\r\n{more}"
        f"content-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def port_of(url):
    return int(url.rpartition(":")[2])
