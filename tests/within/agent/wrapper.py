"""A program that drives an agent, made from the interface's page and the library's protocols only.

Values carry their types: texts, booleans and numbers as they are, `Struct({id: value})`,
`Map({...})`, and lists for sets. What is read has ids instead of names.
"""

import contextlib
import socket
import struct
import threading

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.TJSONProtocol import TJSONProtocol
from thrift.Thrift import TApplicationException, TMessageType, TType
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport

PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol, "json": TJSONProtocol}
LIMIT_S = 10


class Struct(dict):
    """Fields by their ids; a list of pairs when an id comes twice."""


class Map(dict):
    """A map."""


class Wrapper:
    def __init__(self, port, *, protocol="binary", framed=False, tls=None, strict=True):
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        raw = TSocket()
        raw.setHandle(self.socket)
        self.transport = TFramedTransport(raw) if framed else TBufferedTransport(raw)
        more = {} if strict else {"strictWrite": False}
        self.protocol = PROTOCOLS[protocol](self.transport, **more)
        self.sequence = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def call(self, name, *arguments, fields=None):
        """Make a call with these arguments, or these fields; gives what it returns."""
        self.sequence += 1
        given = fields if fields is not None else Struct(enumerate(arguments, 1))
        self.protocol.writeMessageBegin(name, TMessageType.CALL, self.sequence)
        write(self.protocol, given)
        self.protocol.writeMessageEnd()
        self.transport.flush()
        echoed, kind, sequence = self.protocol.readMessageBegin()
        assert (echoed, sequence) == (name, self.sequence)
        if kind == TMessageType.EXCEPTION:
            failure = TApplicationException()
            failure.read(self.protocol)
            self.protocol.readMessageEnd()
            raise failure
        assert kind == TMessageType.REPLY
        result = read(self.protocol, TType.STRUCT)
        self.protocol.readMessageEnd()
        assert set(result) <= {0}
        return result.get(0)


def type_of(value):
    for kind, code in ((bool, TType.BOOL), (int, TType.I32), (str | bytes, TType.STRING),
                       (Struct, TType.STRUCT), (Map, TType.MAP), (list, TType.SET)):  # fmt: skip
        if isinstance(value, kind):
            return code
    raise AssertionError(value)


def write(protocol, value):
    match value:
        case bool():
            protocol.writeBool(value)
        case int():
            protocol.writeI32(value)
        case str():
            protocol.writeString(value)
        case bytes():
            protocol.writeBinary(value)
        case Struct():
            protocol.writeStructBegin("")
            for field, item in value.items():
                protocol.writeFieldBegin("", type_of(item), field)
                write(protocol, item)
                protocol.writeFieldEnd()
            protocol.writeFieldStop()
            protocol.writeStructEnd()
        case Map():
            key, item = next(iter(value.items()), ("", ""))
            protocol.writeMapBegin(type_of(key), type_of(item), len(value))
            for key, item in value.items():
                write(protocol, key)
                write(protocol, item)
            protocol.writeMapEnd()


def read(protocol, code):
    if code == TType.STRUCT:
        found = {}
        protocol.readStructBegin()
        while True:
            _, kind, field = protocol.readFieldBegin()
            if kind == TType.STOP:
                break
            value = read(protocol, kind)
            found[(field, kind) if field in found else field] = value
            protocol.readFieldEnd()
        protocol.readStructEnd()
        return found
    if code == TType.MAP:
        key_type, value_type, size = protocol.readMapBegin()
        found = {read(protocol, key_type): read(protocol, value_type) for _ in range(size)}
        protocol.readMapEnd()
        return found
    if code == TType.SET:
        item_type, size = protocol.readSetBegin()
        items = [read(protocol, item_type) for _ in range(size)]
        protocol.readSetEnd()
        return items
    if code == TType.STRING and not isinstance(protocol, TJSONProtocol):
        data = protocol.readBinary()
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data  # a signature
    readers = {
        TType.BOOL: protocol.readBool,
        TType.I32: protocol.readI32,
        TType.STRING: protocol.readString,
    }
    return readers[code]()


class EventServer:
    """A program's listener. `answer(name, arguments)` may take its time; None: it never answers."""

    def __init__(self, answer=lambda name, arguments: None, port=0, tls=None):
        self.answer = answer
        self.heard = []  # (name, arguments), in order
        self.messages = []  # the bytes they came in
        self.connections = []
        self.news = threading.Condition()
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                if self.tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                self.connections.append(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with contextlib.suppress(OSError, EOFError), connection:
            recorded = Recorded(connection)
            while True:
                protocol = TBinaryProtocol(recorded, strictRead=True)
                name, _, sequence = protocol.readMessageBegin()
                arguments = read(protocol, TType.STRUCT)
                with self.news:
                    self.heard.append((name, arguments))
                    self.messages.append(recorded.taken())
                    self.news.notify_all()
                if self.answer is not None:
                    self.answer(name, arguments)
                    text = name.encode()
                    connection.sendall(
                        b"\x80\x01\x00\x02"
                        + struct.pack("!i", len(text))
                        + text
                        + struct.pack("!i", sequence)
                        + b"\0"
                    )

    def wait(self, count):
        """Wait for so many events; gives their names."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.heard) >= count, LIMIT_S), self.heard
            return [name for name, _ in self.heard]

    def hang_up(self):
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()


class Recorded:
    """A socket the library reads from, which keeps what was read."""

    def __init__(self, connection):
        self.connection = connection
        self.bytes = b""

    def readAll(self, size):  # noqa: N802 - the library's name
        data = b""
        while len(data) < size:
            chunk = self.connection.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        self.bytes += data
        return data

    def taken(self):
        taken, self.bytes = self.bytes, b""
        return taken


# What programs send, in the newest revision

PSP = Map(
    psp_name="worldpayonlinepayments",
    api_endpoint="http://127.0.0.1:8080/v1",
    hte_public_key="T_C_x",
    hte_private_key="T_S_x",
)
CARD = Struct(
    {1: "Bilbo", 2: "Baggins", 3: 11, 4: 2028, 5: "5555555555554444", 6: "Card", 7: "113"}
)


def price(number=1, amount=25, unit=1):
    per_unit = Struct({1: amount, 2: "GBP"})
    return Struct({1: number, 2: "Kilowatt-hour", 3: per_unit, 4: unit, 5: "One kilowatt-hour"})


def service(number=1, **prices):
    return Struct({1: number, 2: "Car charger", 3: "Can charge your car", 4: "electricCharger",
                   5: Map({1: price()})})  # fmt: skip


def sell(wrapper, name="thrift-producer"):
    """Set a producer up."""
    wrapper.call("setup", name, "producer over thrift", "")
    wrapper.call("addService", service())
    wrapper.call("initProducer", PSP)


def consume(wrapper):
    """Make the device a consumer of the only producer."""
    wrapper.call("initConsumer", "http://", "127.0.0.1", 64521, "", "me", CARD, PSP)


def buy(wrapper):
    """Buy and take everything; gives the token."""
    [details] = wrapper.call("requestServices")
    [rate] = wrapper.call("getServicePrices", details[1])
    total = wrapper.call("selectService", details[1], 10, rate[1])
    paid = wrapper.call("makePayment", Struct(total))
    token = Struct(paid[4])
    begun = wrapper.call("beginServiceDelivery", details[1], token, 10)
    assert begun == token
    return wrapper.call("endServiceDelivery", details[1], token, 10)
