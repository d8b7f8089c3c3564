"""Byte for byte what the original's agents answered."""

import socket
import struct
from pathlib import Path

import pytest

from tests.within.agent.wrapper import EventServer
from tollbridge.faces.within.catalogue import Service

VECTORS = Path(__file__).parents[2] / "vectors" / "within" / "thrift.txt"
LINES = [line.split() for line in VECTORS.read_text().splitlines() if line[0] != "#"]


def exchanges(who):
    """Give pairs of what was sent to an agent and what it answered."""
    messages = [bytes.fromhex(data) for name, _, data in LINES if name == who]
    return list(zip(messages[::2], messages[1::2], strict=True))


def receive(connection, size):
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        assert chunk, data
        data += chunk
    return data


def replay(connection, who, *, framed=False):
    for request, answer in exchanges(who):
        head = struct.pack("!i", len(request)) if framed else b""
        connection.sendall(head + request)
        if framed:
            assert receive(connection, 4) == struct.pack("!i", len(answer))
        assert receive(connection, len(answer)) == answer


@pytest.mark.req("WX-046", "WX-047", "WX-048", "WX-050")
@pytest.mark.parametrize("framed", [False, True], ids=["plain", "framed"])
def test_a_captured_purchase_is_answered_and_told_byte_for_byte(agents, world, framed):
    with (
        EventServer() as listener,
        socket.create_connection(
            ("127.0.0.1", agents(callback_port=listener.port, framed=framed)), 10
        ) as producer,
        socket.create_connection(("127.0.0.1", agents(framed=framed)), 10) as consumer,
    ):
        replay(producer, "producer", framed=framed)
        replay(consumer, "consumer", framed=framed)
        told = [bytes.fromhex(data) for who, way, data in LINES if who == "listener" and way == "<"]
        listener.wait(len(told))
    assert listener.messages == told
    [service] = [call[1] for call in world.calls if call[0] == "add_service"][:1]
    assert isinstance(service, Service)
    assert service.service_type == "electricCharger"
    assert ("start_service_broadcast", 20.0) in world.calls
    assert ("device_discovery", 3.0) in world.calls


@pytest.mark.req("WX-046", "WX-052")
def test_the_worked_bytes_are_answered_as_worked_out(agents):
    setup = bytes.fromhex(
        "80010001 00000005 7365747570 00000007 0b0001 00000006 70756d702d31"
        "0b0002 0000000a 57617465722070756d70 0b0003 00000000 00"
    )
    close = bytes.fromhex("80010001 0000000d 436c6f73655250434167656e74 00000008 00")
    with socket.create_connection(("127.0.0.1", agents()), 10) as program:
        program.sendall(setup)
        answer = bytes.fromhex("80010002 00000005 7365747570 00000007 00")
        assert receive(program, len(answer)) == answer
        program.sendall(close)
        answer = bytes.fromhex("80010002 0000000d 436c6f73655250434167656e74 00000008 00")
        assert receive(program, len(answer)) == answer
        assert program.recv(1) == b""


@pytest.mark.req("WX-046", "WX-048")
def test_calls_sent_before_answers_are_read_are_answered_in_order(agents):
    with socket.create_connection(("127.0.0.1", agents()), 10) as program:
        pairs = exchanges("producer")[:4]
        program.sendall(b"".join(request for request, _ in pairs))
        answers = b"".join(answer for _, answer in pairs)
        assert receive(program, len(answers)) == answers
