"""kill -9, for real: a server and a sandbox as processes, killed at random while tills pay.

The tills do what tills do: a call without answer is made again with the same key. At the end the
books must agree, and every till must have been told the truth.

    python -m tests.simulation.kills --kills 50 --seed 1
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import call, free_port, sandbox, server, talk
from tollbridge.engine.transport import HttpTransport
from tollbridge.ground.errors import TransportError
from tollbridge.journal.journal import load, verify
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.sandbox.book import Book
from tollbridge.sandbox.compare import compare

TILLS = 8
CALL_LIMIT_S = 12
RECOVERY_LIMIT_S = 60
FINAL = ("approved", "declined", "unsent")


@dataclass
class Outcome:
    kills: dict = field(default_factory=lambda: {"server": 0, "sandbox": 0, "both": 0})
    payments: int = 0
    movements: int = 0
    calls: int = 0
    unanswered: int = 0
    failures: list = field(default_factory=list)
    seconds: float = 0

    def __str__(self):
        kills = ", ".join(f"{count} {what}" for what, count in self.kills.items())
        return (
            f"{sum(self.kills.values())} kills ({kills}) in {self.seconds:.0f} s, "
            f"{self.payments} payments, {self.movements} movements, {self.calls} calls, "
            f"{self.unanswered} unanswered and repeated, {len(self.failures)} failures"
        )


class Tills:
    """Askers who never give up: they repeat a call with its key until it is answered."""

    def __init__(self, url, chance, outcome):
        self.url, self.chance, self.outcome = url, chance, outcome
        self.told = {}
        self.open = True
        self.number = 0

    async def run(self):
        transport = HttpTransport()
        try:
            await asyncio.gather(*(self.till(transport) for _ in range(TILLS)))
        finally:
            await transport.close()

    async def till(self, transport):
        while self.open:
            self.number += 1
            key = f"sale-{self.number}"
            amount = {"minor": self.chance.choice([1191, 100, 4205, 7]), "currency": "EUR"}
            verb = self.chance.choice(["purchase", "purchase", "authorize"])
            body = {"verb": verb, "amount": amount, "card": {"number": "4242424242424242"}}
            paid = await self.insist(transport, "/v1/payments", body, key)
            if paid is not None and paid["captured_minor"] and self.chance.random() < 0.3:
                path = f"/v1/payments/{paid['id']}/operations"
                verb = self.chance.choice(["refund", "void"])
                await self.insist(transport, path, {"verb": verb}, f"{verb}-{key}")

    async def insist(self, transport, path, body, key):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            self.outcome.calls += 1
            try:
                status, answer, _ = await call(
                    transport, "POST", self.url + path, body, key=key, limit_s=CALL_LIMIT_S
                )
            except TransportError:
                self.outcome.unanswered += 1
                await asyncio.sleep(self.chance.uniform(0.02, 0.2))
                continue
            if status >= 500:
                await asyncio.sleep(0.1)
                continue
            if status >= 400:
                if answer["error"]["code"] != "unresolved_operation":
                    self.outcome.failures.append(f"{key}: {status} {answer}")
                return None
            operation = answer["operations"][-1]
            if operation["state"] in FINAL:
                self.told[operation["id"]] = operation["state"]
            return answer
        self.outcome.failures.append(f"{key}: never answered")
        return None


def kill_everything(folder, kills, seed):
    """Kill so many times; gives what came of it."""
    chance, outcome = random.Random(seed), Outcome()
    port, network, control = free_port(), free_port(), free_port()
    config = folder / "tollbridge.toml"
    config.write_text(
        f'[bridges.sandbox]\nurl = "http://127.0.0.1:{network}"\n'
        "answer_limit_s = 5\nin_flight_limit_s = 2\n"
    )
    ours = server(folder, "--config", str(config), port=port)
    theirs = sandbox(folder, port=network, control=control)
    start = time.monotonic()
    with theirs, ours:
        tills = Tills(ours.url, chance, outcome)
        asyncio.run(_live(tills, ours, theirs, chance, kills))
        _recover(ours.url)
        ours.stop()
        theirs.stop()
    outcome.seconds = time.monotonic() - start
    _judge(folder, tills, outcome)
    return outcome


async def _live(tills, ours, theirs, chance, kills):
    paying = asyncio.create_task(tills.run())
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.01, 0.4))
        victims = chance.choice([[ours], [ours], [theirs], [ours, theirs]])
        for victim in victims:
            victim.kill()
        tills.outcome.kills["both" if len(victims) == 2 else victims[0].log.stem] += 1
        for victim in reversed(victims):
            await asyncio.to_thread(victim.start)
    tills.open = False
    await paying


def _recover(url):
    deadline = time.monotonic() + RECOVERY_LIMIT_S
    while time.monotonic() < deadline:
        if not talk("POST", f"{url}/v1/recover")[1]["remaining"]:
            return
        time.sleep(0.2)


def _judge(folder, tills, outcome):
    with closing(SqliteJournal(folder / "journal.sqlite", read_only=True)) as journal:
        verify(journal)
        payments = [load(journal, name) for name in journal.payments(None, -1)]
    book = Book(folder / "book.sqlite")
    movements = book.movements()
    book.close()
    outcome.payments, outcome.movements = len(payments), len(movements)
    outcome.failures += compare(payments, movements)
    states = {op.id: op.state for payment in payments for op in payment.operations}
    for operation, told in tills.told.items():
        if states.get(operation) != told:
            outcome.failures.append(f"{operation}: told {told}, now {states.get(operation)}")
    keys = [op.key for payment in payments for op in payment.operations]
    if len(keys) != len(set(keys)):
        outcome.failures.append("an idempotency key was used twice")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_everything(Path(folder), given.kills, given.seed)
    print(outcome)
    print("\n".join(outcome.failures))
    sys.exit(bool(outcome.failures))


if __name__ == "__main__":
    main()
