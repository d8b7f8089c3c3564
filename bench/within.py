"""Measures the Within face: complete, durable purchases of a consumer at a producer, over sockets.

A purchase is services, prices, total, client token, payment, begin, end. The payment provider is in
the producer's process. Measured twice: as users start it, where the provider's journal and the card
network's book are as durable as the producer's (synchronous=FULL), and with a provider that keeps
its books in memory, so that what is durable is the producer. The consumers are this process.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.psp.settings import TEST_MERCHANTS
from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.messages import Broadcast
from tollbridge.ground.secret import Secret
from tollbridge.within import provider
from tollbridge.within.consumer import Consumer
from tollbridge.within.options import Options

OFFER = """
[device]
name = "bench"
{psp}
[[service]]
id = 1
name = "Car charging"
[[service.price]]
id = 1
amount = 70
currency = "GBP"
unit = "kWh"
"""
TARGETS = {"sequential": 250, "concurrent": 800, "rss MB": 60, "first ms": 600, "idle %": 1}
HERE = Path(__file__).parent
CARD = HceCard("Test", "Card", 12, 2049, Secret("4242424242424242"), Secret("123"))


class Producer:
    """A producer as users start it, or one whose provider keeps its books in memory."""

    def __init__(self, folder, number, psp="", *, forgetful=False):
        self.folder = folder / f"producer-{number}"
        self.folder.mkdir()
        offer = self.folder / "offer.toml"
        offer.write_text(OFFER.format(psp=psp))
        self.port, self.psp_port, self.discovery_port = (21000 + 3 * number + i for i in range(3))
        self.started = time.perf_counter()
        command = [sys.executable, str(HERE / "shop.py"), str(offer), str(self.folder),
                   str(self.port), str(self.psp_port)]  # fmt: skip
        if not forgetful:
            command = [sys.executable, "-m", "tollbridge", "within", "produce", str(offer),
                       "--quiet", "--folder", str(self.folder), "--port", str(self.port),
                       "--psp-port", str(self.psp_port),
                       "--discovery-port", str(self.discovery_port)]  # fmt: skip
        output = (self.folder / "output").open("w")
        self.process = subprocess.Popen(command, stdout=output)

    def wait(self):
        while "service" not in (self.folder / "output").read_text():
            assert time.perf_counter() - self.started < 20
            time.sleep(0.05)

    def psp(self):
        """What consumers pay through: the producer's own provider."""
        return {"psp_name": "worldpayonlinepayments",
                "api_endpoint": f"http://127.0.0.1:{self.psp_port}/v1"}  # fmt: skip

    def rss_mb(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


async def purchase(consumer):
    [service] = await consumer.request_services()
    [price] = await consumer.get_service_prices(service.service_id)
    total = await consumer.select_service(service.service_id, 8, price.price_id)
    paid = await consumer.make_payment(total)
    begun = await consumer.begin_service_delivery(service.service_id, paid.token, 8)
    ended = await consumer.end_service_delivery(service.service_id, paid.token, begun.units)
    assert (paid.total_paid_minor, ended.units_remaining) == (560, 0)


async def flows(producer, consumers, count, psp=None):
    """Complete purchases per second, and their times."""
    where = Broadcast(scheme="http://", hostname="127.0.0.1", port_number=producer.port)
    tokens = provider.tokens(psp or producer.psp())
    took = []

    async def buyer(number):
        consumer = Consumer(where, f"car-{number}", CARD, tokens, Options(), HttpTransport())
        for _ in range(count // consumers):
            start = time.perf_counter()
            await purchase(consumer)
            took.append(time.perf_counter() - start)
        await consumer.close()

    start = time.perf_counter()
    await asyncio.gather(*(buyer(number) for number in range(consumers)))
    took.sort()
    rate = len(took) / (time.perf_counter() - start)
    return rate, took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000


def first_broadcast_ms(folder, number):
    """From the start of the command to the first broadcast heard."""

    async def main():
        port = 21000 + 3 * number + 2
        loop = asyncio.get_running_loop()
        heard = loop.create_future()

        class Ear(asyncio.DatagramProtocol):
            def datagram_received(self, data, addr):
                if not heard.done():
                    heard.set_result(time.perf_counter())

        await loop.create_datagram_endpoint(Ear, local_addr=("0.0.0.0", port), allow_broadcast=True)
        producer = Producer(folder, number)
        try:
            return (await asyncio.wait_for(heard, 20) - producer.started) * 1000
        finally:
            producer.close()

    return asyncio.run(main())


def alone(folder, number, provider_of):
    """A producer whose provider is elsewhere: its memory after a load, and what it costs idle."""
    psp = provider_of.psp()
    [keys] = TEST_MERCHANTS.values()
    lines = [f'{name} = "{value}"' for name, value in psp.items()]
    lines += [f'hte_public_key = "{keys.client_key}"',
              f'hte_private_key = "{keys.service_key.reveal()}"']  # fmt: skip
    producer = Producer(folder, number, "\n".join(["[psp]", *lines]))
    producer.wait()
    try:
        uvloop.run(flows(producer, 16, 1600, psp))
        return producer.rss_mb(), idle_percent(producer, 5)
    finally:
        producer.close()


def idle_percent(producer, seconds):
    before = producer.cpu_s()
    time.sleep(seconds)
    return (producer.cpu_s() - before) / seconds * 100


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flows", type=int, default=2000)
    given = parser.parse_args()
    seen = {}
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        folder, number = Path(name).absolute(), 0
        for _ in range(given.rounds):
            number += 1
            seen.setdefault("first", []).append(first_broadcast_ms(folder, number))
            for forgetful in (False, True):
                number += 1
                producer = Producer(folder, number, forgetful=forgetful)
                producer.wait()
                try:
                    # Until the files have grown to the size they keep, each commit costs more.
                    uvloop.run(flows(producer, 16, 1600))
                    for consumers, count in ((1, given.flows // 4), (16, given.flows),
                                             (64, given.flows)):  # fmt: skip
                        measured = uvloop.run(flows(producer, consumers, count))
                        seen.setdefault((forgetful, consumers), []).append(measured)
                    if not forgetful:
                        seen.setdefault("both", []).append(producer.rss_mb())
                        number += 1
                        rss_mb, idle = alone(folder, number, producer)
                        seen.setdefault("rss", []).append(rss_mb)
                        seen.setdefault("idle", []).append(idle)
                finally:
                    producer.close()
    report(seen, given.rounds)


def report(seen, rounds):
    print(f"\nWithin: complete durable purchases over sockets, medians of {rounds} rounds")
    middle = {}
    for forgetful, title in ((False, "provider as durable"), (True, "provider in memory")):
        for consumers in (1, 16, 64):
            measured = zip(*seen[forgetful, consumers], strict=True)
            rate, p50, p99 = (statistics.median(one) for one in measured)
            middle[forgetful, consumers] = rate
            print(f"  {title:<20} {consumers:>3} consumers {rate:>6.0f} /s   "
                  f"p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")  # fmt: skip
    for forgetful, title in ((False, "provider as durable"), (True, "provider in memory")):
        rates = middle[forgetful, 1], middle[forgetful, 16]
        verdict(f"{title}, one after another, /s", rates[0], TARGETS["sequential"], least=True)
        verdict(f"{title}, 16 consumers, /s", rates[1], TARGETS["concurrent"], least=True)
    both = statistics.median(seen["both"])
    print(f"  memory after it, producer, provider and card network in one process: {both:.0f} MB")
    verdict(
        "memory of a producer after 1600 purchases, MB",
        statistics.median(seen["rss"]),
        TARGETS["rss MB"],
    )
    verdict("start to first broadcast, ms", statistics.median(seen["first"]), TARGETS["first ms"])
    verdict("idle broadcasting, % of a core", statistics.median(seen["idle"]), TARGETS["idle %"])


def verdict(name, value, target, *, least=False):
    met = value >= target if least else value <= target
    word = "at least" if least else "at most"
    print(f"  {'met   ' if met else 'MISSED'} {name}: {value:.1f} ({word} {target})")


if __name__ == "__main__":
    main()
