"""What prints: nothing, the page, a file, or a receipt printer that speaks ESC/POS.

A printer that answers is asked for its paper before and after; one that cannot answer is believed.
"""

import asyncio
import os
import select
import socket
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tollbridge.ground.errors import ConfigError
from tollbridge.terminal.paper import Paper, as_escpos, as_text

PAPER_EMPTY, DEFECT, NONE = "paper_empty", "defect", "none"

KEPT = 50
PORT = 9100
CONNECT_S = 5.0
WRITE_S = 10.0
ANSWER_S = 1.0
CLOSING_S = 0.2

# Real-time status (DLE EOT): what it asks, and the bits of an answer.
_PAPER, _OFFLINE = b"\x10\x04\x04", b"\x10\x04\x02"
_FIXED_MASK, _FIXED = 0x93, 0x12
_NO_PAPER, _STOPPED, _COVER_OR_ERROR = 0x60, 0x20, 0x44


class PrinterFailed(Exception):
    """Nothing, or not all of it, was printed: "paper_empty", "defect", or "none" where there is no
    printer; `detail` is for the log."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else why)
        self.why = why
        self.detail = detail


class Printer(Protocol):
    """Prints. `blocks` says that it keeps its caller waiting, and belongs in a thread."""

    blocks: bool

    def print(self, paper: Paper) -> None:
        """Print; raises PrinterFailed."""


async def put(printer: Printer, paper: Paper) -> None:
    """Print without holding up the loop; raises PrinterFailed."""
    if printer.blocks:
        await asyncio.to_thread(printer.print, paper)
    else:
        printer.print(paper)


def printer(setting: str, listener: Callable[[Paper], None] | None = None) -> Printer:
    """Make the printer of a profile: "none", "virtual", "file:PATH", "escpos:/dev/usb/lp0" or
    "escpos:HOST:PORT".

    `listener` hears of each paper of a virtual one. Raises ConfigError for what is none of these,
    and where `tollbridge[terminal]` is needed and not installed.
    """
    kind, _, place = setting.partition(":")
    if setting == "none":
        return NoPrinter()
    if setting == "virtual":
        return VirtualPrinter(listener)
    if kind == "file" and place:
        return FilePrinter(Path(place))
    if kind == "escpos" and place:
        as_escpos(Paper(text=""))  # says now what is missing, and is ready when a receipt comes
        return EscposPrinter(Device(place) if place.startswith("/") else Network(*_address(place)))
    raise ConfigError([f"printer: {setting!r:.60} is none"])


class NoPrinter:
    """There is none."""

    blocks = False

    def print(self, paper: Paper) -> None:  # noqa: ARG002 - a Printer's
        raise PrinterFailed(NONE)


class VirtualPrinter:
    """Keeps its last papers for whoever looks, and tells a listener of each."""

    blocks = False

    def __init__(self, listener: Callable[[Paper], None] | None = None) -> None:
        self.papers: deque[Paper] = deque(maxlen=KEPT)
        self._listener = listener

    def print(self, paper: Paper) -> None:
        self.papers.append(paper)
        if self._listener is not None:
            self._listener(paper)


class FilePrinter:
    """Appends papers to a text file, their QR codes drawn in half blocks."""

    blocks = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def print(self, paper: Paper) -> None:
        try:
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(as_text(paper) + "\n")
        except OSError as error:
            raise PrinterFailed(DEFECT, str(error)) from error


class Line(Protocol):
    """A connection to a printer; its methods raise OSError."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def ask(self, question: bytes) -> bytes:
        """Send a question and give what comes back in time: nothing where nobody answers."""


class Place(Protocol):
    """Where a printer is."""

    @contextmanager
    def open(self) -> Iterator[Line]:
        """Connect to it; raises OSError."""


class EscposPrinter:
    """A receipt printer. One paper at a time, each with a connection of its own."""

    blocks = True

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()

    def print(self, paper: Paper) -> None:
        data = as_escpos(paper)
        try:
            with self._lock, self._place.open() as line:
                answers = _check(line)
                line.send(data)
                if answers:
                    _check(line)
        except OSError as error:
            raise PrinterFailed(DEFECT, str(error)) from error


def _check(line: Line) -> bool:
    """Say whether the printer answers; raises PrinterFailed when the answer is not good."""
    paper = _status(line, _PAPER)
    if paper is None:
        return False
    if paper & _NO_PAPER:
        raise PrinterFailed(PAPER_EMPTY)
    offline = _status(line, _OFFLINE) or 0
    if offline & _STOPPED:
        raise PrinterFailed(PAPER_EMPTY)
    if offline & _COVER_OR_ERROR:
        raise PrinterFailed(DEFECT, "its cover is open, or it reports an error")
    return True


def _status(line: Line, question: bytes) -> int | None:
    """Ask for one byte of status; None where the answer is none."""
    found = [byte for byte in line.ask(question) if byte & _FIXED_MASK == _FIXED]
    return found[-1] if found else None


class Network:
    """A printer at a TCP port."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port

    @contextmanager
    def open(self) -> Iterator[Line]:
        """Connect to it; raises OSError."""
        with socket.create_connection(self._address, CONNECT_S) as connection:
            yield _SocketLine(connection)
            # What it still says is read: closing over it could take back what was sent.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(CLOSING_S)
                while connection.recv(64):
                    pass


class _SocketLine:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: bytes) -> None:
        self._connection.settimeout(WRITE_S)
        self._connection.sendall(data)

    def ask(self, question: bytes) -> bytes:
        self.send(question)
        self._connection.settimeout(ANSWER_S)
        try:
            return self._connection.recv(64)
        except TimeoutError:
            return b""


class Device:
    """A printer at a device file. It must be there: nothing is created."""

    def __init__(self, path: str) -> None:
        self._path = path

    @contextmanager
    def open(self) -> Iterator[Line]:
        """Open it, for reading as well where that is allowed; raises OSError."""
        flags = os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY
        try:
            file, answers = os.open(self._path, os.O_RDWR | flags), True
        except PermissionError:
            file, answers = os.open(self._path, os.O_WRONLY | flags), False
        try:
            yield _DeviceLine(file, answers and not stat.S_ISREG(os.fstat(file).st_mode))
        finally:
            os.close(file)


class _DeviceLine:
    def __init__(self, file: int, answers: bool) -> None:  # noqa: FBT001
        self._file = file
        self._answers = answers

    def send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if not select.select([], [self._file], [], WRITE_S)[1]:
                raise TimeoutError("it takes nothing any more")
            with suppress(BlockingIOError):
                left = left[os.write(self._file, left) :]

    def ask(self, question: bytes) -> bytes:
        if not self._answers:
            return b""
        self.send(question)
        if not select.select([self._file], [], [], ANSWER_S)[0]:
            return b""
        return os.read(self._file, 64)


def _address(place: str) -> tuple[str, int]:
    """Read HOST:PORT, [HOST]:PORT or HOST; raises ConfigError."""
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, str(PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ConfigError([f"printer: {place!r:.60} is not HOST:PORT"])
    return host, int(port)
