"""Measures this machine, the layers and the whole, interleaved in one run, and prints ratios.

Everything is durable: SQLite with synchronous=FULL, the sandbox's book too, where it is a file.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tollbridge.bridges.sandbox import bridge
from tollbridge.core.asks import Ask
from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.core.outcome import Approved
from tollbridge.core.verbs import Verb
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.ids import IdempotencyKey, RandomIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.sandbox.book import Book
from tollbridge.sandbox.faults import Faults
from tollbridge.sandbox.line import Line
from tollbridge.sandbox.network import Network
from tollbridge.sandbox.service import Service
from tollbridge.wire.http import Request, Response

HERE = Path(__file__).parent
CARD = Card(
    Secret("4242424242424242"),
    InstrumentView("Visa", "424242******4242", "A0000000031010", "VISA CREDIT", "online"),
)
TARGETS = {"http 256": 4000, "http 256 p99 ms": 100, "in process": 10_000, "rss MB": 150}


class Instant:
    """A provider that approves at once and costs nothing: what remains is the engine."""

    name = "instant"
    capabilities = bridge({}, SystemClock(), RandomIds()).capabilities

    def perform(self, operation, payment):
        yield Request("POST", "instant://", moves_money=True)
        return Approved(operation.tender, "R1", "A1B2C3", "00")


class Nowhere:
    """The transport to it."""

    async def send(self, request, limit_s):
        return Response(200)

    async def close(self):
        pass


def disk(folder):
    """Durable 4 KiB writes per second."""
    handle = os.open(folder / "probe", os.O_CREAT | os.O_WRONLY, 0o600)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < 1:
        os.write(handle, bytes(4096))
        os.fdatasync(handle)
        count += 1
    os.close(handle)
    return count


def raw_sqlite(folder, batch):
    """Rows per second of bare inserts of a payment's size, so many per durable commit."""
    file = folder / f"raw-{batch}-{time.time_ns()}.sqlite"
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, body BLOB)")
    rows, start = 0, time.perf_counter()
    body = b"x" * 400
    while time.perf_counter() - start < 1:
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO row VALUES (?, ?)", [(rows + i, body) for i in range(batch)]
        )
        database.execute("COMMIT")
        rows += batch
    seconds = time.perf_counter() - start
    database.close()
    return rows / seconds


def make_engine(folder, provider):
    clock, ids = SystemClock(), RandomIds()
    name = f"{provider}-{time.time_ns()}"
    if provider == "instant":
        bridges, transport = {"instant": Instant()}, Nowhere()
    else:
        book = Book(folder / f"{name}.book.sqlite")
        bridges = {"sandbox": bridge({}, clock, ids)}
        transport = Line(Service(Network(book, clock, ids), Faults(), threaded=True))
    journal = SqliteJournal(folder / f"{name}.sqlite")
    return Engine(Surroundings(journal, bridges, transport, clock, ids))


async def pay(engine, concurrency, payments, tag, took):
    async def asker(one):
        for place in range(one, payments, concurrency):
            start = time.perf_counter()
            payment = await engine.ask(
                Ask(
                    verb=Verb.PURCHASE,
                    key=IdempotencyKey("bench", f"{tag}-{place}-{start}"),
                    amount=Money.of(1191, "EUR"),
                    instrument=CARD,
                    merchant="merchant-1",
                )
            )
            assert payment.amounts.captured_minor == 1191
            took.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(asker(one) for one in range(concurrency)))
    return payments / (time.perf_counter() - start)


def in_process(folder, provider, concurrency, payments):
    async def main():
        engine = make_engine(folder, provider)
        await engine.start()
        await pay(engine, concurrency, min(200, payments), "warm", [])
        took = []
        rate = await pay(engine, concurrency, payments, "run", took)
        await engine.close()
        took.sort()
        return rate, took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000

    return uvloop.run(main())


def over_http(folder, concurrency, payments, kind="api", config=""):
    """The server as users start it, and the load generator: two processes."""
    place = folder / f"http-{time.time_ns()}"
    place.mkdir()
    (place / "config.toml").write_text(config)
    environment = os.environ | {"TOLLBRIDGE_TOKEN": "bench"}
    command = [sys.executable, "-m", "tollbridge", "serve", "--port", "0", "--journal", "j.sqlite",
               "--config", "config.toml"]  # fmt: skip
    server = subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        port = server.stdout.readline().rpartition(":")[2].strip()
        load = [sys.executable, str(HERE / "load.py"), port, "bench"]
        warm = str(min(concurrency, 16))
        subprocess.run([*load, warm, "500", kind], check=True, capture_output=True)
        done = subprocess.run([*load, str(concurrency), str(payments), kind],
                              check=True, capture_output=True, text=True)  # fmt: skip
        result = json.loads(done.stdout)
        assert result["right"] == payments, result
        result["rss_mb"] = rss_mb(server.pid)
        return result
    finally:
        server.terminate()
        server.wait(30)


def rss_mb(pid="self"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def growth(folder, payments):
    """The cost of a payment and the memory of the process, as the journal grows."""

    async def main():
        engine = make_engine(folder, "sandbox")
        await engine.start()
        stored, points = 0, []
        slice_ = max(1000, payments // 50)
        await pay(engine, 256, 1000, "grow", [])
        stored += 1000
        while stored < payments:
            cpu = time.process_time()
            rate = await pay(engine, 256, slice_, "grow", [])
            cpu = (time.process_time() - cpu) / slice_ * 1e6
            stored += slice_
            points.append((stored, rate, cpu, rss_mb()))
        await engine.close()
        return points

    return uvloop.run(main())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000, help="for the growth run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files go (default: a new one)")
    given = parser.parse_args()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    with tempfile.TemporaryDirectory(dir=given.folder or ".", prefix=".bench-") as name:
        folder = Path(name).absolute()
        print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
              f"{os.cpu_count()} cores, {platform.machine()}")  # fmt: skip
        rounds(folder, given.rounds)
        grow(folder, given.payments)


def rounds(folder, count):
    """Every measure once per round, so that a slow moment of the machine hits all alike."""
    seen = {}

    def note(key, value):
        seen.setdefault(key, []).append(value)

    for _ in range(count):
        note("disk", disk(folder))
        for batch in (1, 10, 100, 1000):
            note(f"raw {batch}", raw_sqlite(folder, batch))
        for provider in ("instant", "sandbox"):
            for concurrency, payments in ((1, 1500), (16, 8000), (256, 20_000)):
                rate, p50, p99 = in_process(folder, provider, concurrency, payments)
                note(f"{provider} {concurrency}", rate)
                note(f"{provider} {concurrency} p50", p50)
                note(f"{provider} {concurrency} p99", p99)
        for concurrency, payments in ((1, 1500), (16, 8000), (256, 20_000)):
            result = over_http(folder, concurrency, payments)
            note(f"http {concurrency}", result["rate"])
            note(f"http {concurrency} p50", result["p50_ms"])
            note(f"http {concurrency} p99", result["p99_ms"])
            note("http rss", result["rss_mb"])
    middle = {key: statistics.median(values) for key, values in seen.items()}
    report(middle, count)


def report(middle, count):
    print(f"\nmedians of {count} interleaved rounds")
    print(f"  durable 4 KiB writes            {middle['disk']:>9.0f} /s")
    for batch in (1, 10, 100, 1000):
        print(f"  raw SQLite rows, {batch:>4} a commit  {middle[f'raw {batch}']:>9.0f} /s")
    titles = {
        "instant": "engine, provider costs nothing",
        "sandbox": "engine and sandbox, one process",
        "http": "server over HTTP, two processes",
    }
    for key, title in titles.items():
        for concurrency in (1, 16, 256):
            rate = middle[f"{key} {concurrency}"]
            print(f"  {title}, {concurrency:>3} at once {rate:>8.0f} payments/s   "
                  f"p50 {middle[f'{key} {concurrency} p50']:6.1f} ms   "
                  f"p99 {middle[f'{key} {concurrency} p99']:6.1f} ms")  # fmt: skip
    print(f"  server's memory after it        {middle['http rss']:>9.0f} MB")
    print("ratios")
    print(f"  engine at 256 : raw rows in batches of 100   1 : "
          f"{middle['raw 100'] / middle['instant 256']:.1f}")  # fmt: skip
    print(f"  engine at 1 : durable writes                 1 : "
          f"{middle['disk'] / middle['instant 1']:.1f}")  # fmt: skip
    print(f"  over HTTP : in process, sandbox, at 256      "
          f"{middle['http 256'] / middle['sandbox 256']:.2f}")  # fmt: skip
    print("targets")
    verdict("over HTTP at 256, payments/s", middle["http 256"], TARGETS["http 256"], least=True)
    verdict("over HTTP at 256, p99 ms", middle["http 256 p99"], TARGETS["http 256 p99 ms"])
    verdict("engine in process at 256, payments/s", middle["instant 256"],
            TARGETS["in process"], least=True)  # fmt: skip
    verdict("the same with the sandbox, payments/s", middle["sandbox 256"],
            TARGETS["in process"], least=True)  # fmt: skip


def verdict(name, value, target, *, least=False):
    met = value >= target if least else value <= target
    word = "at least" if least else "at most"
    print(f"  {'met   ' if met else 'MISSED'} {name}: {value:.0f} ({word} {target})")


def grow(folder, payments):
    points = growth(folder, payments)
    print(f"\ngrowing to {payments} payments, engine and sandbox in one process, 256 at once")
    for stored, rate, cpu, rss in points[:: max(1, len(points) // 10)]:
        print(f"  {stored:>8} stored  {rate:>7.0f} payments/s  {cpu:>5.0f} us CPU  {rss:>5.0f} MB")
    few = max(1, len(points) // 10)
    early = statistics.median(point[2] for point in points[:few])
    late = statistics.median(point[2] for point in points[-few:])
    verdict("CPU per payment, late : early, per cent", late / early * 100, 120)
    verdict("memory, MB", max(point[3] for point in points), TARGETS["rss MB"])


if __name__ == "__main__":
    main()
