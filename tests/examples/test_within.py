"""The example devices do what they say."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "within"
DISCOVERY = "21898"


class Running:
    """Programs started for one test, ended with it."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []
        self.environment = dict(os.environ)

    def start(self, name, says, *command):
        """Start a program and give the line in which it says something."""
        output = self.folder / f"{name}.out"
        with output.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, *map(str, command)], cwd=self.folder, stdout=out,
                stderr=subprocess.STDOUT, env=self.environment,
            )  # fmt: skip
        self.started.append(process)
        for _ in range(400):
            found = [line for line in output.read_text().splitlines() if says in line]
            if found:
                return found[0]
            assert process.poll() is None, output.read_text()
            time.sleep(0.05)
        raise AssertionError(output.read_text())

    def run(self, *command):
        """Run a program to its end and give what it says."""
        done = subprocess.run(
            [sys.executable, *map(str, command)], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self):
        for process in reversed(self.started):
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def bench(tmp_path):
    """A payment provider, and where the examples find it."""
    running = Running(tmp_path)
    try:
        line = running.start("psp", "worldpayonlinepayments", "-m", "tollbridge", "psp", "serve",
                             "--port", "0")  # fmt: skip
        running.environment["TOLLBRIDGE_PSP_URL"] = line.split()[1]
        yield running
    finally:
        running.close()


def charger(bench, name, pence):
    bench.start(name, "sells at", EXAMPLES / "charger.py", "--name", name, "--pence", pence,
                "--kw", "7.4", "--speed", "5000", "--folder", name, "--port", "0",
                "--discovery-port", DISCOVERY)  # fmt: skip


@pytest.mark.req("W-005", "W-006", "W-190")
def test_the_car_pays_the_cheapest_charger_and_charges_in_parts(bench):
    charger(bench, "dear", 71)
    charger(bench, "cheap", 35)
    said = bench.run(EXAMPLES / "car.py", "--seconds", "1.2", "--seconds-per-kwh", "0.15",
                     "--discovery-port", DISCOVERY)  # fmt: skip
    assert "dear: 71 pence" in said
    assert said.splitlines()[-4:] == [
        "cheap is paid 2.80 GBP for 8 kWh",
        "3 of 8 kWh in the battery",
        "6 of 8 kWh in the battery",
        "8 of 8 kWh in the battery",
    ]
    assert "3 of 3 kWh" in (bench.folder / "cheap.out").read_text()


@pytest.mark.req("W-016", "W-190")
def test_water_is_sold_by_the_litre_and_drawn_in_parts(bench):
    bench.start("meter", "sells at", EXAMPLES / "water_meter.py", "--litres-per-s", "40",
                "--port", "0", "--discovery-port", DISCOVERY)  # fmt: skip
    within = ("-m", "tollbridge", "within")
    said = bench.run(*within, "buy", "10", "--take", "4", "--for", "1.2", "--pace", "0.05",
                     "--discovery-port", DISCOVERY)  # fmt: skip
    assert "10 x Water, 0.20 GBP paid, 6 to come" in said
    said = bench.run(*within, "take", "last", "--pace", "0.05", "--discovery-port", DISCOVERY)
    assert "0 to come" in said
    assert "litre 6 of 6" in (bench.folder / "meter.out").read_text()
