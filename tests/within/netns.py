"""Several machines in one: network namespaces on a bridge, for tests with real processes."""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

_counter = itertools.count()


@cache
def missing():
    """Why there can be no namespaces here; empty when there can."""
    if shutil.which("ip") is None:
        return "iproute2 is not installed"
    probe = f"tbp{os.getpid()}"
    try:
        _ip("netns", "add", probe)
        try:
            _ip("link", "add", f"{probe}b", "type", "bridge")
            _ip("link", "del", f"{probe}b")
        finally:
            _ip("netns", "del", probe)
    except subprocess.CalledProcessError as error:
        return f"network namespaces need root: {error.stderr.strip()}"
    return ""


@dataclass(frozen=True)
class Machine:
    """A namespace with one address on the bridge and a loopback of its own."""

    name: str
    address: str

    def command(self, *arguments):
        """The command line that runs a program on this machine."""
        return ["ip", "netns", "exec", self.name, *map(str, arguments)]

    def start(self, *arguments, **options):
        """Start a program on this machine; the caller ends it."""
        return subprocess.Popen(self.command(*arguments), **options)

    def python(self, *arguments, **options):
        """Start this Python on this machine; its output is piped."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | options
        return self.start(sys.executable, "-u", *arguments, **options)


@contextlib.contextmanager
def machines(count):
    """Give `count` machines on one bridge, 10.77.0.1 and up; they are gone afterwards.

    The bridge has a namespace of its own, so nothing of it touches this machine's network, and
    everything goes with the namespaces. Names hold this process's id.
    """
    mark = f"tb{os.getpid()}x{next(_counter)}"
    switch = f"{mark}s"
    made = [Machine(f"{mark}m{place}", f"10.77.0.{place}") for place in range(1, count + 1)]
    try:
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for place, machine in enumerate(made):
            near, far = "eth0", f"port{place}"
            _ip("netns", "add", machine.name)
            _ip("link", "add", near, "netns", machine.name, "type", "veth",
                "peer", "name", far, "netns", switch)  # fmt: skip
            _ip("-n", switch, "link", "set", far, "master", "bridge", "up")
            _ip("-n", machine.name, "addr", "add", f"{machine.address}/24",
                "broadcast", "10.77.0.255", "dev", near)  # fmt: skip
            _ip("-n", machine.name, "link", "set", near, "up")
            _ip("-n", machine.name, "link", "set", "lo", "up")
        yield made
    finally:
        for name in (*[machine.name for machine in made], switch):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", name)


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
