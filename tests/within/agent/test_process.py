"""The agent as the process that wrappers start."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import free_port
from tests.within.agent.wrapper import EventServer, Wrapper, buy, consume, sell
from tollbridge.within.agent import launcher

ROOT = Path(__file__).parents[3]
INSTALLED = Path(sys.executable).parent / "rpc-agent"
FAKE = [sys.executable, "-m", "tests.within.agent.world"]
LIMIT_S = 10
START_BUDGET_S = 0.25


class Run:
    """An agent's process: with devices of memory unless it is told otherwise."""

    def __init__(self, folder, *words, command=FAKE):
        self.process = subprocess.Popen(
            [*command, *words],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self):
        """Wait for the readiness lines; gives the last."""
        assert self.process.stdout.readline() == "Begin log setup\n", self.process.stderr.read()
        return self.process.stdout.readline()

    def ended(self):
        """Wait for the end; gives the exit code, what was printed and what was complained of."""
        out, err = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=LIMIT_S)


def connected(port):
    """Connect as soon as somebody listens."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), LIMIT_S)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.001)


@pytest.mark.req("WX-045")
def test_the_installed_agent_listens_within_its_budget(tmp_path):
    took = []
    for _ in range(7):
        port = free_port()
        began = time.perf_counter()
        with Run(tmp_path, "-port", str(port), command=[INSTALLED]), connected(port):
            took.append(time.perf_counter() - began)
    median = statistics.median(took)
    print(f"listens after {median * 1000:.0f} ms (median of {len(took)} starts)")
    assert median < START_BUDGET_S


@pytest.mark.req("WX-045", "WX-063")
def test_readiness_is_told_once_a_program_can_connect(tmp_path):
    port = free_port()
    with Run(tmp_path, "-port", str(port)) as run:
        assert run.ready() == f"Starting the rpc server on...: 127.0.0.1:{port}\n"
        with Wrapper(port) as wrapper:
            wrapper.call("setup", "pump", "water", "")


@pytest.mark.req("WX-045", "WX-049", "WX-054")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 1, "Port value must be greater than zero"),
        (["-port", "1", "-host", "0.0.0.0"], 1, "Host must be"),
        (["-port", "1", "-protocol", "xml"], 1, "Protocol must be"),
        (["-port", "70000"], 1, "port must be 0-65535"),
        (["-port", "9091", "-secure"], 1, "rpc-agent: "),
        (["-colour"], 2, "flag provided but not defined: -colour"),
        (["-configfile", "absent.json"], 2, "absent.json"),
        (["-help"], 0, "Usage of rpc-agent"),
    ],
)
def test_exit_codes_tell_bad_values_from_bad_flags(tmp_path, words, code, said):
    with Run(tmp_path, *words) as run:
        ended, out, err = run.ended()
    assert (ended, out) == (code, "")
    assert said in err


@pytest.mark.req("WX-045")
def test_a_port_that_is_taken_ends_the_agent(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        Run(tmp_path, "-port", str(taken.getsockname()[1])) as run,
    ):
        code, out, _ = run.ended()
    assert (code, out) == (1, "")


@pytest.mark.req("WX-045")
def test_the_version_line_stands_between_blank_lines(tmp_path):
    with Run(tmp_path, "-version", "-port", "0") as run:
        code, out, _ = run.ended()
    assert code == 0
    line = r"\nWorldpay Within rpc-agent \S+ \(Built on \d{4}-\d\d-\d\d\) \(.+\)\n\n"
    assert re.fullmatch(line, out)


@pytest.mark.req("WX-049")
def test_only_this_machine_is_served(tmp_path):
    port = free_port()
    with Run(tmp_path, "-port", str(port), "-host", "localhost") as run:
        run.ready()
        listening = Path("/proc/net/tcp")
        if listening.exists():
            addresses = re.findall(rf" (\w+):{port:04X} 00000000:0000 0A", listening.read_text())
            assert addresses == ["0100007F"]
        with Wrapper(port) as wrapper:
            wrapper.call("setup", "pump", "water", "")


@pytest.mark.req("WX-052")
def test_closing_is_answered_before_the_agent_ends(tmp_path):
    port = free_port()
    with Run(tmp_path, "-port", str(port), "-loglevel", "info") as run:
        run.ready()
        with Wrapper(port) as other, Wrapper(port) as wrapper:
            other.call("setup", "pump", "water", "")
            assert wrapper.call("CloseRPCAgent") is None
            assert wrapper.socket.recv(1) == b""
            code, _, err = run.ended()
    assert (code, err) == (0, "")


@pytest.mark.req("WX-052")
def test_closing_needs_nobody_who_waits_for_the_answer(tmp_path):
    port = free_port()
    with Run(tmp_path, "-port", str(port)) as run:
        run.ready()
        with connected(port) as program:
            # Closing with a reset: the answer cannot be written.
            program.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            program.sendall(b"\x80\x01\0\1\0\0\0\x0dCloseRPCAgent\0\0\0\1\0")
        assert run.ended()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(tmp_path, number):
    port = free_port()
    with Run(tmp_path, "-port", str(port)) as run:
        run.ready()
        with Wrapper(port) as wrapper:
            wrapper.call("setup", "pump", "water", "")
        run.process.send_signal(number)
        code, _, err = run.ended()
    assert (code, err) == (0, "")


PARENT = """
import subprocess, sys, time
print(subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL).pid, flush=True)
time.sleep(60)
"""


def orphan(folder, *words):
    """Start an agent and kill the process that started it; gives the agent's pid."""
    port = free_port()
    command = [sys.executable, "-c", PARENT, *FAKE, "-port", str(port), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        with connected(port), Wrapper(port) as wrapper:
            wrapper.call("setup", "pump", "water", "")
        parent.kill()
    return pid, port


def serves(port):
    try:
        with socket.create_connection(("127.0.0.1", port), LIMIT_S):
            return True
    except OSError:
        return False


@pytest.mark.req("WX-053")
def test_the_agent_ends_within_three_seconds_of_its_parent(tmp_path):
    _, port = orphan(tmp_path)
    began = time.monotonic()
    while serves(port):
        assert time.monotonic() - began < 3
        time.sleep(0.02)


@pytest.mark.req("WX-053")
def test_the_watchdog_can_be_switched_off(tmp_path):
    pid, port = orphan(tmp_path, "-watchdog=false")
    time.sleep(1.3)
    assert serves(port)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.req("WX-053")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts programs of other users")
def test_a_parent_of_another_user_counts_as_alive(tmp_path):
    port = free_port()
    command = [sys.executable, "-c", AS_NOBODY]
    with Run(tmp_path, "-port", str(port), "-logfile=", command=command) as run:
        run.ready()
        time.sleep(1.3)
        assert run.process.poll() is None
        assert serves(port)


# Everything is imported first: nobody may not read our folders.
AS_NOBODY = """
import os, sys
from tollbridge.within.agent import callbacks, logs, server, service, watchdog
from tests.within.agent.world import World
from tollbridge.within.agent.main import main
os.setuid(65534)
sys.exit(main(make=World().setup))
"""

WRAPPERS = {
    "python": ["-port", "{port}", "-logfile", "rpc-wpwithin-runConsumerOWP.log",
               "-loglevel", "debug,warn,error,fatal,info", ""],
    "python with events": ["-port", "{port}", "-logfile", "rpc-wpwithin-run.log", "-loglevel",
                           "debug,warn,error,fatal,info", " -callbackport={events}"],
    "java": ["-port={port}", "-logfile=rpc-within-consumerex.log",
             "-loglevel=debug,error,info,warn,fatal,panic"],
    "java with events": ["-port={port}", "-logfile=rpc-within-producercallbackex.log",
                         "-loglevel=debug,error,info,warn,fatal,panic", "-callbackport={events}"],
    "node with events": ["-port", "{port}", "-logfile", "rpc.log", "-loglevel", "rpc.log",
                         "-callbackport={events}"],
    "dotnet with events": ["-buffer", "8192", "-buffered", "True", "-callbackport", "{events}",
                           "-framed", "False", "-loglevel", "warn", "-logfile", "net.log",
                           "-secure", "False", "-host", "127.0.0.1", "-port", "{port}",
                           "-protocol", "binary"],
}  # fmt: skip


@pytest.mark.req("W-002", "WX-055", "WX-060", "WX-061", "WX-062", "WX-063")
@pytest.mark.parametrize("name", WRAPPERS)
def test_the_command_lines_of_the_wrappers_start_an_agent_that_sells(tmp_path, name):
    port = free_port()
    folder = tmp_path / "wrapper with a blank" / "bin"
    with EventServer() as listener:
        words = [word.format(port=port, events=listener.port) for word in WRAPPERS[name]]
        folder.mkdir(parents=True)
        with Run(folder, *words) as run:
            run.ready()
            with Wrapper(port) as wrapper:
                sell(wrapper)
                consume(wrapper)
                buy(wrapper)
                if "events" in name:
                    assert listener.wait(6)[-1] == "endServiceDelivery"
                wrapper.call("CloseRPCAgent")
            assert run.ended()[0] == 0
        assert len(list(folder.iterdir())) == 1  # the log file, and nothing else


@pytest.mark.req("WX-056")
def test_the_log_is_in_its_file_at_its_level_and_without_secrets(tmp_path):
    port = free_port()
    with Run(tmp_path, "-port", str(port), "-logfile", "a.log", "-loglevel", "debug") as run:
        run.ready()
        with Wrapper(port) as wrapper:
            sell(wrapper)
            consume(wrapper)
            buy(wrapper)
            with contextlib.suppress(Exception):
                wrapper.call("addService")
            wrapper.call("CloseRPCAgent")
        assert run.ended() == (0, "", "")
    log = (tmp_path / "a.log").read_text()
    assert "makePayment" in log
    for secret in ("5555555555554444", "113\n", "T_S_x", "tok-1", "5fb20730-8cb9"):
        assert secret not in log


@pytest.mark.req("WX-056")
def test_without_a_usable_file_the_log_goes_to_standard_error(tmp_path):
    for file in ("", "absent/a.log"):
        port = free_port()
        with Run(tmp_path, "-port", str(port), f"-logfile={file}", "-loglevel=info") as run:
            run.ready()
            with Wrapper(port) as wrapper:
                with contextlib.suppress(Exception):
                    wrapper.call("getDevice")
                wrapper.call("CloseRPCAgent")
            code, out, err = run.ended()
        assert (code, out) == (0, "")
        assert "call setup first" in err
        assert ("no log file" in err) == bool(file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("WX-045", "WX-054")
def test_a_configuration_file_starts_an_agent(tmp_path):
    port = free_port()
    written = {"Port": str(port), "Framed": "true", "Protocol": "compact", "Logfile": ""}
    (tmp_path / "conf.json").write_text(
        json.dumps([{"key": key, "value": value} for key, value in written.items()])
    )
    with Run(tmp_path, "-configfile", "conf.json") as run:
        run.ready()
        with Wrapper(port, protocol="compact", framed=True) as wrapper:
            wrapper.call("setup", "pump", "water", "")


@pytest.mark.req("WX-048")
def test_secure_uses_the_certificate_of_the_working_directory(tmp_path, certificate):
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate / "server.crt", certificate / "server.key")
    trust = ssl.create_default_context(cafile=certificate / "server.crt")
    port = free_port()
    with EventServer(tls=ours) as listener:
        words = ["-port", str(port), "-secure", "-callbackport", str(listener.port)]
        with Run(certificate, *words) as run:
            run.ready()
            with Wrapper(port, tls=trust) as wrapper:
                sell(wrapper)
                consume(wrapper)
                buy(wrapper)
                listener.wait(6)


@pytest.mark.req("WX-059")
def test_every_name_a_wrapper_looks_for_starts_the_agent(tmp_path):
    folder = tmp_path / "bin of 'a' wrapper"
    folder.mkdir()
    (folder / "rpc-agent-linux-amd64").write_bytes(b"\x7fELF the original")
    paths = launcher.install(folder)
    assert [path.relative_to(folder).as_posix() for path in paths] == list(launcher.NAMES)
    assert launcher.install(folder) == paths
    assert (folder / "rpc-agent-linux-amd64.original").read_bytes() == b"\x7fELF the original"
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o755}
    assert len({path.read_bytes() for path in paths}) == 1
    for system in ("linux", "darwin", "windows"):
        for machine in ("386", "amd64", "arm32", "arm64"):
            assert (folder / f"rpc-agent-{system}-{machine}").exists()
    for old in ("rpc-agent-mac-64", "rpc-agent-win-32", "rpc-agent-linux-arm"):
        assert (folder / old).exists()
    (tmp_path / "thrift.py").write_text("raise SystemExit(9)")  # stands in the way, in vain
    port = free_port()
    with Run(tmp_path, "-port", str(port), command=[folder / "rpc-agent-linux-amd64"]) as run:
        run.ready()
        with Wrapper(port) as wrapper:
            wrapper.call("CloseRPCAgent")
        assert run.ended()[0] == 0


@pytest.mark.req("WX-059")
def test_the_agent_installs_its_launchers_and_ends(tmp_path):
    with Run(tmp_path, "-install", "new/bin", command=[INSTALLED]) as run:
        code, out, err = run.ended()
    assert (code, err) == (0, "")
    assert out.split() == [f"new/bin/{name}" for name in launcher.NAMES]
    assert (tmp_path / "new/bin/rpc-agent-linux-arm64").exists()
    (tmp_path / "file").touch()
    with Run(tmp_path, "-install=file", command=[INSTALLED]) as run:
        code, out, err = run.ended()
    assert (code, out) == (1, "")
    assert "rpc-agent: " in err


@pytest.mark.req("WX-045")
def test_a_wrapper_that_stopped_reading_does_not_stop_the_agent(tmp_path):
    port = free_port()
    read, write = os.pipe()
    os.close(read)
    command = [*FAKE, "-port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=write)
    os.close(write)
    with connected(port), Wrapper(port) as wrapper:
        wrapper.call("setup", "pump", "water", "")
        wrapper.call("CloseRPCAgent")
    assert process.wait(LIMIT_S) == 0
