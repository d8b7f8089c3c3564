"""The agent's server: a thread for each connection, its calls in order, the device in a loop.

Failures are answered as Thrift's application exceptions, never as the declared `Error`, because
that is what the wrappers know (WIRE 4.7). Unlike the original's, the connection stays usable.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from struct import pack, unpack
from typing import Any

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.TJSONProtocol import TJSONProtocol, TSimpleJSONProtocol
from thrift.Thrift import TApplicationException, TMessageType, TType
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TMemoryBuffer, TTransportException

from tollbridge.ground.errors import TollbridgeError
from tollbridge.ground.secret import scrub
from tollbridge.within.agent.service import Agent
from tollbridge.within.agent.tables import CLOSE, METHODS, Method
from tollbridge.within.agent.values import Reader, write_struct

LOG = logging.getLogger(__name__)

MESSAGE_MAX = 4 * 1024 * 1024
ITEMS_MAX = 65_536
CLOSE_LIMIT_S = 2.0
ACCEPT_PAUSE_S = 0.1


def _binary(transport: Any) -> Any:
    """Read old and strict messages, write strict ones."""
    return TBinaryProtocol(
        transport, string_length_limit=MESSAGE_MAX, container_length_limit=ITEMS_MAX
    )


def _compact(transport: Any) -> Any:
    return TCompactProtocol(
        transport, string_length_limit=MESSAGE_MAX, container_length_limit=ITEMS_MAX
    )


# protocol: how requests are read, how answers are written. Simple JSON has no field ids and cannot
# be read; its programs ask in Thrift's JSON.
_PROTOCOLS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "binary": (_binary, _binary),
    "compact": (_compact, _compact),
    "json": (TJSONProtocol, TJSONProtocol),
    "simplejson": (TJSONProtocol, TSimpleJSONProtocol),
}


class _Frame(TMemoryBuffer):  # type: ignore[misc] # the library has no types
    """One frame, which ends: the library's JSON would otherwise wait in it for ever."""

    def read(self, size: int) -> bytes:
        data: bytes = super().read(size)
        if not data and size:
            raise EOFError
        return data


class Server:
    """Serves an agent on a listening socket. Start it, wait for its end, close it."""

    def __init__(
        self,
        listener: socket.socket,
        agent: Agent,
        *,
        protocol: str = "binary",
        framed: bool = False,
        buffer_size: int = 8192,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._agent = agent
        self._reading, self._writing = _PROTOCOLS[protocol]
        self._framed = framed
        self._buffer_size = buffer_size
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._running = threading.Thread(target=self._loop.run_forever, name="device", daemon=True)
        self._connections: set[socket.socket] = set()
        self._ended = threading.Event()

    def start(self) -> None:
        """Run the device's loop and take connections, in threads of their own."""
        self._running.start()
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def end(self) -> None:
        """Ask for the end; from any thread."""
        self._ended.set()

    def wait(self) -> None:
        """Wait until somebody asks for the end."""
        self._ended.wait()

    def close(self) -> None:
        """Close the devices, within a limit, and every connection."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        closing = asyncio.run_coroutine_threadsafe(self._agent.close(), self._loop)
        try:
            closing.result(CLOSE_LIMIT_S)
        except TimeoutError:
            LOG.warning("the devices did not close in time")
        except Exception:
            LOG.exception("the devices did not close well")
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._running.join(CLOSE_LIMIT_S)
        if not self._loop.is_running():
            self._loop.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if not self._ended.wait(ACCEPT_PAUSE_S):
                    LOG.warning("cannot take a connection: %s", error)
                continue
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        """Answer the calls of one connection until its program is done with it."""
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
        except OSError as error:
            LOG.info("no connection: %s", error)
            connection.close()
            return
        self._connections.add(connection)
        name: str | None = ""
        with connection:
            try:
                raw = TSocket()
                raw.setHandle(connection)
                transport = TBufferedTransport(raw, self._buffer_size)
                while name not in {None, CLOSE}:
                    name = self._exchange(transport)
            except (EOFError, TTransportException, OSError):
                LOG.debug("a program hung up")
            except Exception as error:  # noqa: BLE001 - what arrives may be anything
                LOG.warning("what a program sends is not understood: %s", type(error).__name__)
            self._connections.discard(connection)
        if name == CLOSE:
            self.end()

    def _exchange(self, transport: Any) -> str | None:
        """Read one call and answer it; gives its name, or None when no other can be read."""
        source = _Frame(_read_frame(transport)) if self._framed else transport
        protocol = self._reading(source)
        name, kind, sequence = protocol.readMessageBegin()
        following: str | None = name
        try:
            arguments = _read_arguments(protocol, name, kind)
            answer = self._answer(METHODS[name], sequence, arguments)
        except TApplicationException as error:
            answer = self._message(name, TMessageType.EXCEPTION, sequence, error.write)
        except Exception as error:
            if not self._framed:
                if isinstance(error, EOFError | TTransportException):
                    raise
                following = None  # nothing tells where the next call starts
            unreadable = TApplicationException(
                TApplicationException.PROTOCOL_ERROR,
                scrub(f"The arguments of {name} cannot be read: {error}"),
            )
            answer = self._message(name, TMessageType.EXCEPTION, sequence, unreadable.write)
        if kind != TMessageType.ONEWAY:
            transport.write(pack("!i", len(answer)) + answer if self._framed else answer)
            transport.flush()
        return following

    def _answer(self, method: Method, sequence: int, arguments: dict[str, Any]) -> bytes:
        """Do a call and write its answer. Raises TApplicationException."""
        LOG.debug("%s", method.name)
        call = self._agent.call(method.name, arguments)
        try:
            value = asyncio.run_coroutine_threadsafe(call, self._loop).result()
            return self._message(
                method.name,
                TMessageType.REPLY,
                sequence,
                lambda protocol: write_struct(protocol, method.result, {"success": value}),
            )
        except TollbridgeError as error:
            LOG.info("%s: %s", method.name, error)
            text = scrub(str(error))
        except Exception as error:
            LOG.exception("%s failed", method.name)
            text = f"UNKNOWN, GENERAL, {type(error).__name__}"
        raise TApplicationException(
            TApplicationException.INTERNAL_ERROR, f"Internal error processing {method.name}: {text}"
        )

    def _message(self, name: str, kind: int, sequence: int, write: Callable[[Any], None]) -> bytes:
        """Write a whole message before anything of it is sent."""
        target = TMemoryBuffer()
        protocol = self._writing(target)
        protocol.writeMessageBegin(name, kind, sequence)
        write(protocol)
        protocol.writeMessageEnd()
        message: bytes = target.getvalue()
        return message


def _read_frame(transport: Any) -> bytes:
    (size,) = unpack("!i", transport.readAll(4))
    if not 0 <= size <= MESSAGE_MAX:
        raise TTransportException(TTransportException.SIZE_LIMIT, f"a frame of {size} bytes")
    frame: bytes = transport.readAll(size)
    return frame


def _read_arguments(protocol: Any, name: str, kind: int) -> dict[str, Any]:
    """Read the rest of a call. Raises TApplicationException, and what the library raises."""
    method = METHODS.get(name)
    if method is None or kind not in {TMessageType.CALL, TMessageType.ONEWAY}:
        protocol.skip(TType.STRUCT)
        protocol.readMessageEnd()
        if method is None:
            raise TApplicationException(
                TApplicationException.UNKNOWN_METHOD, f"Unknown function {name}"
            )
        raise TApplicationException(
            TApplicationException.INVALID_MESSAGE_TYPE, f"{name} is not a call"
        )
    reader = Reader(protocol)
    arguments = reader.struct(method.arguments)
    protocol.readMessageEnd()
    if reader.problems:
        raise TApplicationException(
            TApplicationException.PROTOCOL_ERROR,
            f"The arguments of {name} cannot be read: {', '.join(reader.problems)}",
        )
    return arguments
