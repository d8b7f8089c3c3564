"""A server whose disk is full refuses, says so, loses nothing, and goes on when there is room."""

import asyncio
import os
import resource
import subprocess
import sys

from tests.processes import Process, call, sandbox, server, talk
from tollbridge.engine.transport import HttpTransport
from tollbridge.ground.errors import TransportError

SMALL_BYTES = 3_000_000
LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({SMALL_BYTES}, {SMALL_BYTES}))
from tollbridge.cli.main import main
"""


class Limited(Process):
    """A process that may not make any file larger than a little: its disk is full soon."""

    def start(self):
        real = subprocess.Popen

        def small(arguments, **options):
            program = LIMITED + f"main({list(arguments[4:])!r}, prog_name='tollbridge')"
            return real([sys.executable, "-u", "-c", program], **options)

        subprocess.Popen = small
        try:
            return super().start()
        finally:
            subprocess.Popen = real


def fill(url):
    async def main():
        line, statuses, acknowledged = HttpTransport(), [], []
        for number in range(3000):
            body = {"amount": {"minor": 100, "currency": "EUR"},
                    "card": {"number": "4242424242424242"}, "reference": "x" * 150}  # fmt: skip
            try:
                status, answer, _ = await call(line, "POST", f"{url}/v1/payments", body,
                                               key=f"k{number}")  # fmt: skip
            except TransportError:
                status, answer = 0, None
            statuses.append(status)
            if status == 201:
                acknowledged.append(answer["id"])
            if statuses[-5:] == [503] * 5:
                break
        await line.close()
        return statuses, acknowledged

    return asyncio.run(main())


def test_a_full_disk_loses_nothing_and_doubles_nothing(tmp_path):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    with sandbox(tmp_path) as network:
        port = talk("GET", f"{network.url}/health")[1]["port"]
        config = tmp_path / "t.toml"
        config.write_text(f'[bridges.sandbox]\nurl = "http://127.0.0.1:{port}"\n')
        options = ("serve", "--journal", "journal.sqlite", "--port", "0", "--config", str(config))
        with Limited(tmp_path, *options, name="full") as ours:
            statuses, acknowledged = fill(ours.url)
            assert statuses.count(201) > 20
            assert statuses[-5:] == [503] * 5, "a full disk is told, and nothing is sent"
            assert talk("GET", f"{ours.url}/health")[0] == 200
            ours.kill()
        with server(tmp_path, "--config", str(config), name="roomy") as ours:
            for _ in range(100):
                if not talk("POST", f"{ours.url}/v1/recover")[1]["remaining"]:
                    break
            for name in acknowledged:
                assert talk("GET", f"{ours.url}/v1/payments/{name}")[1]["status"] == "captured"
            assert fill_one(ours.url) == 201
        compared = subprocess.run(
            [sys.executable, "-m", "tollbridge", "sandbox", "compare", "--journal",
             "journal.sqlite", "--control", network.url],
            cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert compared.returncode == 0, compared.stdout + compared.stderr


def fill_one(url):
    body = {"amount": {"minor": 100, "currency": "EUR"}, "card": {"number": "4242424242424242"}}
    return talk("POST", f"{url}/v1/payments", body, key="after")[0]
