"""Printers: real sockets, real files, a real terminal device; and what becomes of a fault."""

import asyncio
import os
import pty
import socket
import threading
import tty
from contextlib import contextmanager

import pytest

from tollbridge.ground.errors import ConfigError
from tollbridge.terminal import printers
from tollbridge.terminal.paper import Paper, as_escpos, as_text
from tollbridge.terminal.printers import PrinterFailed, VirtualPrinter, printer, put

PAPER = Paper(text="Total: 11,91 €", copy="merchant", reference="ABCDEFGH12")
FINE, PAPER_END = 0x12, 0x72
OFFLINE_FINE, COVER_OPEN, STOPPED, ERROR = 0x12, 0x16, 0x32, 0x52


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(printers, "ANSWER_S", 0.2)
    monkeypatch.setattr(printers, "CLOSING_S", 0.05)
    monkeypatch.setattr(printers, "CONNECT_S", 1.0)


class Machine:
    """A receipt printer at a TCP port: records bytes, answers real-time status requests."""

    def __init__(self, answers):
        self.answers = answers
        self.received = b""
        self.done = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        connection, _ = self._socket.accept()
        with connection:
            while data := connection.recv(4096):
                self.received += data
                for question, answer in self.answers:
                    if data == question and answer:
                        connection.sendall(bytes([answer.pop(0) if len(answer) > 1 else answer[0]]))
        self.done.set()

    def close(self):
        self._socket.close()

    @property
    def printed(self):
        """What was received beside the questions."""
        assert self.done.wait(5)
        return self.received.replace(b"\x10\x04\x04", b"").replace(b"\x10\x04\x02", b"")


@contextmanager
def machine(paper=(), offline=()):
    made = Machine([(b"\x10\x04\x04", list(paper)), (b"\x10\x04\x02", list(offline))])
    try:
        yield made
    finally:
        made.close()


def fault(setting, paper=PAPER):
    with pytest.raises(PrinterFailed) as failed:
        printer(setting).print(paper)
    return failed.value.why


# None, the page, a file


def test_where_there_is_no_printer_nothing_is_printed():
    assert fault("none") == "none"


def test_a_virtual_printer_keeps_its_last_papers_and_tells_who_listens():
    heard = []
    made = printer("virtual", heard.append)
    assert isinstance(made, VirtualPrinter)
    for number in range(60):
        made.print(Paper(text=str(number)))
    assert [paper.text for paper in made.papers] == [str(number) for number in range(10, 60)]
    assert len(heard) == 60


@pytest.mark.req("P-066")
def test_a_file_grows_by_each_receipt(tmp_path):
    made = printer(f"file:{tmp_path / 'receipts.txt'}")
    made.print(PAPER)
    made.print(PAPER)
    assert (tmp_path / "receipts.txt").read_text(encoding="utf-8") == (as_text(PAPER) + "\n") * 2


@pytest.mark.req("P-330")
def test_a_file_that_cannot_be_written_is_a_defect(tmp_path):
    assert fault(f"file:{tmp_path / 'nowhere' / 'receipts.txt'}") == "defect"


# A printer on the network


def test_a_network_printer_gets_the_bytes():
    with machine() as made:
        printer(f"escpos:127.0.0.1:{made.port}").print(PAPER)
        assert made.printed == as_escpos(PAPER)


def test_a_printer_that_answers_is_asked_before_and_after():
    with machine(paper=[FINE], offline=[OFFLINE_FINE]) as made:
        printer(f"escpos:localhost:{made.port}").print(PAPER)
        assert made.printed == as_escpos(PAPER)
        assert made.received.count(b"\x10\x04\x04") == 2


@pytest.mark.req("P-329")
@pytest.mark.parametrize(
    ("paper", "offline"), [([PAPER_END], []), ([FINE], [STOPPED])], ids=["sensor", "stopped"]
)
def test_without_paper_nothing_is_sent(paper, offline):
    with machine(paper, offline) as made:
        assert fault(f"escpos:127.0.0.1:{made.port}") == "paper_empty"
        assert made.printed == b""


@pytest.mark.req("P-329")
def test_paper_that_ends_while_printing_is_told():
    with machine(paper=[FINE, PAPER_END], offline=[OFFLINE_FINE]) as made:
        assert fault(f"escpos:127.0.0.1:{made.port}") == "paper_empty"
        assert made.printed == as_escpos(PAPER)


@pytest.mark.req("P-330")
@pytest.mark.parametrize("offline", [COVER_OPEN, ERROR])
def test_an_open_cover_or_an_error_is_a_defect(offline):
    with machine(paper=[FINE], offline=[offline]) as made:
        assert fault(f"escpos:127.0.0.1:{made.port}") == "defect"


def test_an_answer_that_is_none_is_not_believed():
    with machine(paper=[0xFF]) as made:
        printer(f"escpos:127.0.0.1:{made.port}").print(PAPER)
        assert made.printed == as_escpos(PAPER)


@pytest.mark.req("P-330")
def test_a_printer_that_is_not_there_is_a_defect():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert fault(f"escpos:127.0.0.1:{port}") == "defect"
    assert fault("escpos:printer.invalid:9100") == "defect"


# A printer at a device file


def test_a_device_gets_the_bytes(tmp_path):
    device = tmp_path / "lp0"
    device.touch()
    made = printer(f"escpos:{device}")
    made.print(PAPER)
    made.print(PAPER)
    assert device.read_bytes() == as_escpos(PAPER) * 2


@pytest.mark.req("P-330")
def test_a_device_that_is_not_there_is_a_defect_and_is_not_made(tmp_path):
    assert fault(f"escpos:{tmp_path / 'lp0'}") == "defect"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("P-329")
def test_a_device_that_answers_is_asked():
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    asked = []

    def play():
        asked.append(os.read(ours, 16))
        os.write(ours, bytes([PAPER_END]))

    thread = threading.Thread(target=play)
    thread.start()
    try:
        assert fault(f"escpos:{os.ttyname(theirs)}") == "paper_empty"
    finally:
        thread.join()
        os.close(ours)
        os.close(theirs)
    assert asked == [b"\x10\x04\x04"]


@pytest.mark.req("P-330")
def test_a_device_that_takes_nothing_any_more_is_a_defect(tmp_path, monkeypatch):
    monkeypatch.setattr(printers, "WRITE_S", 0.1)
    os.mkfifo(tmp_path / "lp0")
    reader = os.open(tmp_path / "lp0", os.O_RDONLY | os.O_NONBLOCK)
    try:
        long = Paper(text="\n".join("line" for _ in range(20_000)))
        assert fault(f"escpos:{tmp_path / 'lp0'}", long) == "defect"
    finally:
        os.close(reader)


# Settings, and the loop


@pytest.mark.parametrize(
    "setting",
    ["", "file:", "escpos:", "escpos:host:0", "escpos:host:x", "escpos::9100", "laser", "none:x"],
)
def test_a_setting_that_is_no_printer_is_refused(setting):
    with pytest.raises(ConfigError):
        printer(setting)


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("host", ("host", 9100)),
        ("host:9", ("host", 9)),
        ("[::1]", ("::1", 9100)),
        ("[::1]:9", ("::1", 9)),
    ],
)
def test_an_address_is_read(place, address):
    assert printers._address(place) == address


def test_a_printer_that_keeps_waiting_does_not_hold_up_the_loop():
    class Slow:
        blocks = True
        started, go, thread = threading.Event(), threading.Event(), None

        def print(self, paper):
            self.thread = threading.current_thread()
            self.started.set()
            assert self.go.wait(5)

    slow = Slow()

    async def main():
        task = asyncio.create_task(put(slow, PAPER))
        while not slow.started.is_set():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.001)
        slow.go.set()
        await task

    asyncio.run(main())
    assert slow.thread is not threading.main_thread()


def test_a_fault_reaches_who_waits():
    with pytest.raises(PrinterFailed, match="none"):
        asyncio.run(put(printer("none"), PAPER))
    heard = []
    asyncio.run(put(printer("virtual", heard.append), PAPER))
    assert heard == [PAPER]
