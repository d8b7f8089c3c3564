"""`rpc-agent`: the process. It listens first and imports afterwards.

Wrappers connect 0 to 750 ms after they started the agent and do not try again (WIRE 4.11), so what
is imported above and before `_listen` decides whether they find it.
"""

import os
import signal
import socket
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tollbridge.ground.version import __version__
from tollbridge.within.agent import flags as command_line
from tollbridge.within.agent.flags import FlagError, Flags, HelpWanted, complain

if TYPE_CHECKING:
    import ssl

    from tollbridge.within.agent.service import Make
    from tollbridge.within.device import Device

BACKLOG = 128
OK, FAILED, MISUSED = 0, 1, 2


def main(arguments: list[str] | None = None, make: "Make | None" = None) -> int:
    """Run the agent; gives its exit code: 0 ended, 1 bad options or no port, 2 bad flags.

    `make` makes devices, in the place of `Device.setup`.
    """
    parent = os.getppid()
    try:
        flags = command_line.parse(sys.argv[1:] if arguments is None else arguments)
    except HelpWanted:
        complain(command_line.usage())
        return OK
    except FlagError as error:
        complain(f"{error}\n{command_line.usage()}")
        return MISUSED
    if flags.version:
        _say(f"\n{_version_line()}\n")
        return OK
    problem = flags.problem
    if not problem and find_spec("thrift") is None:
        problem = "the agent needs what `tollbridge[within]` installs"
    if problem:
        complain(problem)
        return FAILED
    try:
        tls = _tls() if flags.secure else (None, None)
        listener = _listen(flags)
    except (OSError, OverflowError) as error:
        complain(f"{command_line.BINARY_NAME}: {error}")
        return FAILED
    _say("Begin log setup")
    _say(f"Starting the rpc server on...: {flags.host}:{flags.port}")
    _serve(listener, flags, parent, tls, make or _make)
    return OK


def _listen(flags: Flags) -> socket.socket:
    listener = socket.socket(socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", flags.port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def _tls() -> "tuple[ssl.SSLContext, ssl.SSLContext]":
    """Make the contexts for programs that call and for their listener, which is not verified:
    it is on this machine and has no name of its own."""
    import ssl

    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain("server.crt", "server.key")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.check_hostname = False
    theirs.verify_mode = ssl.CERT_NONE
    return ours, theirs


def _serve(
    listener: socket.socket,
    flags: Flags,
    parent: int,
    tls: "tuple[ssl.SSLContext | None, ssl.SSLContext | None]",
    make: "Make",
) -> None:
    """Serve until a program, the parent's end or a signal ends it."""
    from tollbridge.within.agent import logs, watchdog
    from tollbridge.within.agent.callbacks import Listener
    from tollbridge.within.agent.server import Server
    from tollbridge.within.agent.service import Agent
    from tollbridge.within.agent.tables import Shape

    logs.configure(flags.logfile, flags.level)
    tell = None
    if flags.callbackport > 0:
        events = Listener(flags.host, flags.callbackport, tls=tls[1])
        events.start()
        tell = events.tell
    shape = None if flags.callbackshape == "auto" else Shape(flags.callbackshape)
    server = Server(
        listener,
        Agent(make, tell=tell, shape=shape),
        protocol=flags.protocol or "binary",
        framed=flags.framed,
        buffer_size=max(1, flags.buffer),
        tls=tls[0],
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.end())
    if flags.watchdog:
        watchdog.watch(parent, server.end)
    server.start()
    server.wait()
    server.close()


async def _make(*arguments: Any, **named: Any) -> "Device":
    """Make a device. What it needs is imported with the first one."""
    from tollbridge.within.device import Device

    return await Device.setup(*arguments, **named)


def _version_line() -> str:
    """Write the version; "built" is when these files were put where they are."""
    from datetime import UTC, datetime
    from platform import machine, system

    built = datetime.fromtimestamp(os.stat(__file__).st_mtime, UTC)  # noqa: PTH116
    return (
        f"Worldpay Within {command_line.BINARY_NAME} {__version__} "
        f"(Built on {built:%Y-%m-%d}) ({system()} {machine()})"
    )


def _say(text: str) -> None:
    """Print a line that a wrapper may wait for; one that hung up does not."""
    try:
        print(text, flush=True)  # noqa: T201 - a command's output
    except OSError:
        sys.stdout = None  # or Python tries again at its end


if __name__ == "__main__":
    sys.exit(main())
