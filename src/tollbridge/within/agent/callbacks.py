"""Tells a program's listener of events: the agent as a client of `WPWithinCallback` (WIRE 4.8).

One queue, one thread, one connection, always strict binary without frames. An event is sent at most
once, for a listener that hears "delivery begins" twice supplies twice. Listeners may never answer
(Node's do not): after one has been waited for in vain, nobody waits for it until it answers.
"""

import contextlib
import logging
import queue
import socket
import ssl
import threading
import time
from typing import Any

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TApplicationException, TMessageType, TType
from thrift.transport.TTransport import TMemoryBuffer

from tollbridge.faces.within.errors import WithinError
from tollbridge.faces.within.events import (
    DeliveryBegun,
    DeliveryEnded,
    Event,
    Failed,
    PaymentEnded,
    PaymentStarted,
    PricesAsked,
    Refunded,
    ServicesDiscovered,
    TotalAsked,
)
from tollbridge.ground.secret import scrub
from tollbridge.within.agent import tables
from tollbridge.within.agent.convert import Values, token_out, total_out
from tollbridge.within.agent.tables import Method, Shape
from tollbridge.within.agent.values import write_struct

LOG = logging.getLogger(__name__)

WAITING_MAX = 1000
CONNECT_LIMIT_S = 2.0
REPLY_LIMIT_S = 1.0
REPLY_MAX = 64 * 1024


class Listener:
    """Where events go. `tell` may be called from any thread and never blocks."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        connect_limit_s: float = CONNECT_LIMIT_S,
        reply_limit_s: float = REPLY_LIMIT_S,
    ) -> None:
        self._target = (host, port)
        self._tls = tls
        self._connect_limit_s = connect_limit_s
        self._reply_limit_s = reply_limit_s
        self._waiting: queue.Queue[tuple[Event, Shape]] = queue.Queue(WAITING_MAX)
        self._connection: socket.socket | None = None
        self._received = bytearray()
        self._sequence = 0
        self._mute = False

    def start(self) -> None:
        """Start the thread that sends."""
        threading.Thread(target=self._send_all, name="callbacks", daemon=True).start()

    def tell(self, event: Event, shape: Shape) -> None:
        """Queue an event; one too many is lost."""
        try:
            self._waiting.put_nowait((event, shape))
        except queue.Full:
            LOG.warning("the listener is too slow: lost a %s", type(event).__name__)

    def _send_all(self) -> None:
        while True:
            event, shape = self._waiting.get()
            called = call_of(event, shape)
            if called is None:
                continue
            try:
                self._send(*called)
            except (OSError, WithinError) as error:
                LOG.warning("the listener did not hear %s: %s", called[0].name, error)
                self._hang_up()
            except Exception as error:  # noqa: BLE001 - whatever a listener answers
                LOG.warning("the listener answers strangely: %s", type(error).__name__)
                self._hang_up()

    def _send(self, method: Method, values: Values) -> None:
        connection = self._connected()
        self._sequence += 1
        target = TMemoryBuffer()
        protocol = TBinaryProtocol(target)
        protocol.writeMessageBegin(method.name, TMessageType.CALL, self._sequence)
        write_struct(protocol, method.arguments, values)
        protocol.writeMessageEnd()
        connection.settimeout(self._connect_limit_s)
        connection.sendall(target.getvalue())
        LOG.debug("told the listener: %s", method.name)
        patience_s = 0.0 if self._mute else self._reply_limit_s
        if not self._hear(connection, patience_s) and not self._mute:
            LOG.info("the listener does not answer %s", method.name)
            self._mute = True

    def _connected(self) -> socket.socket:
        """Give the connection, a new one if the listener closed the last."""
        if self._connection is not None:
            try:
                self._hear(self._connection, 0)
            except Exception as error:  # noqa: BLE001 - then there is a new connection
                LOG.debug("connecting again: %s", type(error).__name__)
                self._hang_up()
        if self._connection is None:
            connection = socket.create_connection(self._target, self._connect_limit_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection)
            self._connection = connection
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._received.clear()

    def _hear(self, connection: socket.socket, limit_s: float) -> bool:
        """Take replies until that to the last call is there; says whether it is.

        Raises OSError when the listener hung up, and what the library raises.
        """
        deadline = time.monotonic() + limit_s
        heard = False
        with contextlib.suppress(TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            while not heard:
                connection.settimeout(max(0.0, deadline - time.monotonic()))
                data = connection.recv(REPLY_MAX)
                if not data:
                    raise ConnectionError("it hung up")
                self._received += data
                heard = self._take_replies()
        return heard

    def _take_replies(self) -> bool:
        """Take the whole messages out of what was received; any of them ends muteness."""
        heard = False
        while self._received:
            source = TMemoryBuffer(bytes(self._received))
            protocol = TBinaryProtocol(source, string_length_limit=REPLY_MAX)
            try:
                name, kind, sequence = protocol.readMessageBegin()
                if kind == TMessageType.EXCEPTION:
                    failure = TApplicationException()
                    failure.read(protocol)
                    LOG.warning("the listener's %s failed: %s", name, scrub(str(failure)))
                else:
                    protocol.skip(TType.STRUCT)
            except EOFError:
                if len(self._received) > REPLY_MAX:
                    raise
                break
            del self._received[: source.cstringio_buf.tell()]
            self._mute = False
            heard = heard or sequence == self._sequence
        return heard


def call_of(event: Event, shape: Shape) -> tuple[Method, dict[str, Any]] | None:
    """Say how an event is told; None for those the interface has no word for."""
    match event:
        case ServicesDiscovered():
            return tables.DISCOVERY_EVENT, {"remoteAddr": event.peer}
        case PricesAsked():
            return tables.PRICES_EVENT, {"remoteAddr": event.peer, "serviceId": event.service_id}
        case TotalAsked():
            return tables.TOTAL_EVENT, {
                "remoteAddr": event.peer,
                "serviceID": event.service_id,
                "totalPriceResp": total_out(event.total),
            }
        case PaymentStarted():
            return tables.PAYMENT_EVENT, {
                "totalPrice": event.total_minor,
                "orderCurrency": event.currency_code,
                "clientToken": event.client_token.reveal(),
                "orderDescription": event.description,
                "uuid": event.reference,
            }
        case DeliveryBegun():
            return tables.BEGIN_DELIVERY[shape], {
                "serviceID": event.service_id,
                "servicePriceID": event.price_id,
                "serviceDeliveryToken": token_out(event.token),
                "unitsToSupply": event.units,
            }
        case DeliveryEnded():
            return tables.END_DELIVERY, {
                "serviceID": event.service_id,
                "serviceDeliveryToken": token_out(event.token),
                "unitsReceived": event.units,
            }
        case Failed():
            return tables.ERROR_EVENT, {"msg": event.text}
        case PaymentEnded() | Refunded():
            return None
