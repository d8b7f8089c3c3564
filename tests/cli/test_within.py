"""`tollbridge within`: who is around, and the cards."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time

import pytest
from click.testing import CliRunner

from tests.processes import free_port
from tollbridge.cli.main import main
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within import cards

NUMBER = "4444333322221111"
CARD = {"firstName": "Ada", "lastName": "Field", "expMonth": 11, "expYear": 2033,
        "cardNumber": NUMBER, "cvc": "987"}  # fmt: skip
SPEAKER = """
import asyncio, json, sys
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within.radio import Beacon

async def main():
    said = Broadcast(**json.loads(sys.argv[2]))
    beacon = Beacon(lambda: said, source="127.0.0.1", port=int(sys.argv[1]), period_s=0.05)
    await beacon.start()
    print("speaking", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
PUMP = {"hostname": "127.0.0.1", "port_number": 64521, "server_id": "pump-id", "scheme": "http://",
        "device_name": "pump \x1b[2J\u202e", "service_types": ["water"]}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLLBRIDGE_CARDS_PASSPHRASE", "correct horse")
    monkeypatch.setattr(cards, "SCRYPT_N", 1 << 4)

    def run(*arguments, code=0, said=None):
        result = CliRunner().invoke(main, ["within", *map(str, arguments)], input=said)
        assert result.exit_code == code, result.output
        assert NUMBER not in result.output
        return result.output

    return run


@pytest.fixture
def port():
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", SPEAKER, str(port), json.dumps(PUMP)], stdout=subprocess.PIPE
    ) as speaking:
        speaking.stdout.readline()
        yield port
        speaking.kill()


@pytest.mark.req("W-020", "W-227", "W-228", "WX-004")
def test_devices_around_are_listed_for_people_and_programs(run, port):
    shown = run("discover", "--for", "0.3", "--port", port)
    assert "http://127.0.0.1:64521" in shown
    assert "water" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    (device,) = json.loads(run("discover", "--for", "0.3", "--port", port, "--json"))["devices"]
    url = device.pop("url")
    assert url == "http://127.0.0.1:64521"
    heard = Broadcast(**device | {"service_types": tuple(device["service_types"])})
    assert heard == Broadcast(**PUMP | {"service_types": ("water",)})


def test_nobody_around_is_no_error(run):
    assert run("discover", "--for", "0.1", "--port", free_port()) == "nobody is around\n"


@pytest.mark.req("W-227")
def test_a_watcher_of_a_pipe_prints_a_line_for_each_who_comes(run, port):
    (line,) = run("watch", "--for", "0.5", "--port", port).splitlines()
    assert line.startswith("+ pump")
    assert line.endswith("pump-id")


@pytest.mark.req("W-227")
def test_a_watcher_of_a_terminal_redraws_and_ends_cleanly(port):
    ours, theirs = pty.openpty()
    watching = subprocess.Popen(
        [sys.executable, "-m", "tollbridge", "within", "watch", "--port", str(port)],
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = []

    def read():
        try:
            while piece := os.read(ours, 4096):
                shown.append(piece.decode())
        except OSError:  # the terminal is gone
            return

    reading = threading.Thread(target=read)
    reading.start()
    deadline = time.monotonic() + 10
    while "pump-id" not in "".join(shown) and time.monotonic() < deadline:
        time.sleep(0.02)
    watching.send_signal(signal.SIGINT)
    assert watching.wait(10) == 0
    reading.join(10)
    os.close(ours)
    assert "pump-id" in "".join(shown)
    assert "Traceback" not in "".join(shown)


@pytest.mark.req("W-012", "WX-035")
def test_cards_are_kept_listed_and_forgotten(run, tmp_path):
    said = f"{NUMBER}\n11/2033\nAda\nField\n"
    assert "without its security code" in run("card", "add", "blue", said=said)
    (tmp_path / "card.json").write_text(json.dumps(CARD))
    assert "with its" in run("card", "add", "red", "--file", "card.json", "--keep-cvc")
    blue, red = run("card", "list").splitlines()
    assert blue == "blue             444433******1111    11/2033 Ada Field"
    assert red.endswith("with its security code")
    kept = json.loads(run("card", "list", "--json"))["cards"]
    assert [one["masked_number"] for one in kept] == ["444433******1111"] * 2
    run("card", "remove", "blue")
    assert len(run("card", "list").splitlines()) == 1
    assert "no card named 'blue'" in run("card", "remove", "blue", code=1)


def test_a_package_that_is_missing_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    said = run("card", "add", "blue", "--file", "-", said=json.dumps(CARD), code=1)
    assert "pip install 'tollbridge[within]'" in said


@pytest.mark.req("W-012")
def test_a_wrong_passphrase_is_told(run):
    run("card", "add", "blue", "--file", "-", said=json.dumps(CARD))
    assert "stay locked" in run("card", "list", "--passphrase", said="wrong\n", code=1)
    assert "blue" in run("card", "list", "--passphrase", said="correct horse\n")
    assert "not JSON" in run("card", "add", "red", "--file", "-", said="{", code=1)
