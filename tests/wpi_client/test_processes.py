"""Real servers and real tills, killed with SIGKILL: the network's book says who was right."""

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.processes import TOKEN, free_port, sandbox, server, talk
from tollbridge.wpi_client import BlockingWpiClient, Fate, Options, OutcomeUnknown

PAYS = Path(__file__).with_name("pays.py")
QUICK = Options(in_flight_s=0.3, pause_s=0.05, pause_most_s=0.2, recovery_s=20)


class Bench:
    """A card network and a server, each a process, and tills."""

    def __init__(self, folder):
        self.folder = folder
        self.network = sandbox(folder).start()
        port = talk("GET", f"{self.network.url}/health")[1]["port"]
        self.port = free_port()
        # What a killed server had not sent is closed after this time, while tills still ask.
        config = folder / "server.toml"
        config.write_text("[bridges.sandbox]\nin_flight_limit_s = 2\n")
        self.server = server(
            folder, "--config", str(config), "--sandbox-url", f"http://127.0.0.1:{port}",
            port=self.port,
        ).start()  # fmt: skip

    def till(self, options=QUICK):
        return BlockingWpiClient(
            self.server.url, token=TOKEN, package="com.example.till",
            journal=self.folder / "till.sqlite", options=options,
        )  # fmt: skip

    def pays(self, count):
        return subprocess.Popen(
            [sys.executable, str(PAYS), self.server.url, str(self.folder / "till.sqlite"),
             str(count)], stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def fault(self, fault, **more):
        talk("POST", f"{self.network.url}/control/faults",
             {"fault": fault, "what": "operation", **more})  # fmt: skip

    def taken(self):
        """The purchases that stand in the network's book."""
        movements = talk("GET", f"{self.network.url}/control/book")[1]["movements"]
        return [one for one in movements if one["verb"] == "purchase" and one["taken_minor"]]

    def close(self):
        for process in (self.server, self.network):
            if process.process.poll() is None:
                process.kill()


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def agree(bench, till):
    """What the till believes is what the network moved."""
    fates = [one.fate for one in till.history(1000)]
    assert set(fates) <= {Fate.APPROVED, Fate.FAILED, Fate.NOT_EXECUTED}
    assert fates.count(Fate.APPROVED) == len(bench.taken())
    assert till.contradictions() == []


@pytest.mark.req("P-038", "P-047", "P-340", "P-343", "P-344")
def test_a_till_killed_while_it_waits_learns_what_it_paid(bench):
    bench.fault("late_answer", delay_s=1.5)
    process = bench.pays(1)
    session = process.stdout.readline().split()[1]
    while not bench.taken():
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with bench.till() as till:
        [open_one] = till.unanswered()
        assert (open_one.session, open_one.fate) == (session, Fate.UNKNOWN)
        [found] = till.recover()
        assert (found.session, found.fate) == (session, Fate.APPROVED)
        assert str(found.result.authorized) == "11.91 EUR"
        agree(bench, till)


@pytest.mark.req("P-051", "P-347")
def test_a_server_killed_while_it_works_is_asked_when_it_is_back(bench):
    bench.fault("late_answer", delay_s=30)
    results = []
    with bench.till() as till:
        paying = threading.Thread(target=lambda: results.append(till.payment(1191, "EUR")))
        paying.start()
        while not bench.taken():
            time.sleep(0.02)
        bench.server.kill()
        time.sleep(0.3)
        bench.server.start()
        paying.join(30)
        assert [one.approved for one in results] == [True]
        agree(bench, till)


def test_a_server_that_stays_away_leaves_it_open(bench):
    bench.fault("late_answer", delay_s=30)
    errors = []

    def pay(till):
        try:
            till.payment(1191, "EUR")
        except OutcomeUnknown as error:
            errors.append(error)

    with bench.till(Options(recovery_s=0.5, pause_s=0.05)) as till:
        paying = threading.Thread(target=pay, args=(till,))
        paying.start()
        while not bench.taken():
            time.sleep(0.02)
        bench.server.kill()
        paying.join(30)
        [error] = errors
        assert [one.session for one in till.unanswered()] == [error.session]
    bench.server.start()
    with bench.till() as till:
        assert [one.fate for one in till.recover()] == [Fate.APPROVED]
        agree(bench, till)


@pytest.mark.req("P-041", "P-047")
def test_kills_of_both_at_any_moment_lose_and_double_nothing(bench):
    chance = random.Random(7)
    for life in range(10):
        process = bench.pays(50)
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.4))
        if life % 3 == 0:
            bench.server.kill()
            time.sleep(chance.uniform(0, 0.1))
            bench.server.start()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with bench.till() as till:
        till.recover()
        assert till.unanswered() == []
        assert len(till.history(1000)) >= 10
        agree(bench, till)


def test_a_healthy_till_pays(bench):
    process = bench.pays(3)
    said = process.communicate(timeout=30)[0].split("\n")
    assert [line.split()[-1] for line in said if line.startswith("paid")] == ["True"] * 3
    with bench.till() as till:
        agree(bench, till)
