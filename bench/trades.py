"""Measures the trading face: complete, durable purchases of three roles, over sockets.

A purchase by card is options, selection, offer, payment request and response, with a checked
receipt; one by purse has three exchanges. Merchant and payment handler are processes as users start
them; the consumers, each with a wallet of its own, are this process. Every role writes every
message down (synchronous=FULL) before it goes out.
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

from tollbridge.cli.serve import settle_down
from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.iotp.message import codec, rules
from tollbridge.faces.iotp.roles import person
from tollbridge.faces.iotp.roles.consumer import Buy, Trades
from tollbridge.faces.iotp.roles.opening import CARDS, DEMONSTRATION, PURSES
from tollbridge.ground.secret import Secret
from tollbridge.trading import wallet
from tollbridge.trading.house import House

TARGETS = {"sequential": 100, "concurrent": 250}
SECRET = Secret(DEMONSTRATION)
PORTS = 21900


class Server:
    def __init__(self, folder, role, port, *more):
        self.output = folder / f"{role}.log"
        command = [sys.executable, "-m", "tollbridge", "iotp", "serve", "--role", role,
                   "--port", str(port), "--journal", str(folder / f"{role}.sqlite"),
                   *more]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=self.output.open("w"))

    def wait(self):
        until = time.monotonic() + 20
        while "listens" not in self.output.read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(0.2)

    def cpu_s(self):
        return cpu_s(self.process.pid)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def cpu_s(process):
    """The processor time of a process, as Linux counts it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def yes(wish):
    if isinstance(wish, person.Choose):
        return 0
    if isinstance(wish, person.Confirm):
        return person.Way.GO_ON
    if isinstance(wish, person.Trouble):
        return person.Way.SUSPEND
    return None


def home(folder, number):
    made = folder / f"wallet-{number}"
    if not made.exists():
        wallet.add(made, CARDS, wallet.test_card("visa", SECRET))
        wallet.add(made, PURSES, wallet.test_purse(f"p{number}", SECRET))
    return made


def worked(folder, url, servers, consumers, count, item):
    """Complete purchases per second, their times, and the CPU each role needs for one."""
    before = [one.cpu_s() for one in servers] + [cpu_s("self")]
    measured = uvloop.run(purchases(folder, url, consumers, count, item))
    after = [one.cpu_s() for one in servers] + [cpu_s("self")]
    cpu = [(end - start) / count * 1000 for start, end in zip(before, after, strict=True)]
    return *measured, *cpu


async def purchases(folder, url, consumers, count, item):
    """Complete purchases per second, and their times."""
    took = []

    async def buyer(number):
        transport = HttpTransport()
        async with House(home(folder, number), yes, transport=transport) as house:
            for _ in range(count // consumers):
                start = time.perf_counter()
                traded = await house.order(Buy(f"{url}?item={item}"))
                assert traded.complete, traded
                took.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(buyer(number) for number in range(consumers)))
    rate = len(took) / (time.perf_counter() - start)
    took.sort()
    return rate, took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000


async def biggest(folder):
    """The biggest message of a wallet: what reading and checking is measured with."""
    async with House(home(folder, 0), yes) as house:
        trades = await house.order(Trades())
        letters = await house.letters(trades[-1].name)
    return max((one.body for one in letters), key=len)


def reading(data, seconds=1.0):
    """How long it takes to read, validate and check a message."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        root = codec.well_formed(data)
        codec.read_root(root)
        assert not rules.faults(root)
        count += 1
    return (time.perf_counter() - start) / count * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--purchases", type=int, default=600)
    given = parser.parse_args()
    settle_down()
    seen = {}
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        folder = Path(name).absolute()
        for number in range(given.rounds):
            place = folder / str(number)
            place.mkdir()
            ports = PORTS + 2 * number, PORTS + 2 * number + 1
            payment_url = f"http://127.0.0.1:{ports[1]}/iotp/payment"
            servers = [
                Server(place, "merchant", ports[0], "--payment-url", payment_url),
                Server(place, "payment", ports[1]),
            ]
            url = f"http://127.0.0.1:{ports[0]}/iotp/merchant"
            try:
                for one in servers:
                    one.wait()
                uvloop.run(purchases(place, url, 8, 320, "withdrawal"))
                for consumers, count in ((1, given.purchases // 3), (8, given.purchases)):
                    for item in ("book", "coffee"):
                        many = min(count, 80 * consumers)  # as many coffees as a purse pays for
                        measured = worked(place, url, servers, consumers, many, item)
                        seen.setdefault((item, consumers), []).append(measured)
                message = uvloop.run(biggest(place))
                seen.setdefault("bytes", []).append(len(message))
                seen.setdefault("reading", []).append(reading(message))
            finally:
                for one in servers:
                    one.close()
    report(seen, given.rounds)


def report(seen, rounds):
    print(f"\nIOTP: complete durable purchases of three roles, medians of {rounds} rounds;"
          "\nCPU for one of Merchant + Payment Handler + Consumer")  # fmt: skip
    middle = {}
    for item, title in (("book", "by card"), ("coffee", "by purse")):
        for consumers in (1, 8):
            measured = zip(*seen[item, consumers], strict=True)
            rate, p50, p99, *cpu = (statistics.median(one) for one in measured)
            middle[item, consumers] = rate
            print(f"  {title:<10} {consumers:>3} consumers {rate:>6.0f} /s   "
                  f"p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   "
                  f"CPU {' + '.join(f'{one:.1f}' for one in cpu)} ms")  # fmt: skip
    verdict("by card, one after another, /s", middle["book", 1], TARGETS["sequential"])
    verdict("by card, 8 consumers, /s", middle["book", 8], TARGETS["concurrent"])
    size, took = statistics.median(seen["bytes"]), statistics.median(seen["reading"])
    print(f"  a message of {size / 1024:.1f} KB is read, validated and checked in {took:.2f} ms")


def verdict(name, value, target):
    word = "met   " if value >= target else "MISSED"
    print(f"  {word} {name}: {value:.1f} (at least {target})")


if __name__ == "__main__":
    main()
