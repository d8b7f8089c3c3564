"""Broadcasts over UDP: a beacon that says where a device is, a scanner that hears the others."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from types import TracebackType
from typing import Self

from tollbridge.faces.within.discovery import (
    PERIOD_S,
    PORT,
    RECEIVED_BYTES_MAX,
    SENT_BYTES_MAX,
    USUAL_RULES,
    AddressRules,
    Sightings,
    check_address,
    datagram,
    read_datagram,
)
from tollbridge.faces.within.errors import AddressRefused, BadArgument, WithinError
from tollbridge.faces.within.messages import Broadcast
from tollbridge.ground.errors import RemoteProtocolError, TollbridgeError

log = logging.getLogger(__name__)

EVERYBODY = "255.255.255.255"
ALONE = "127.0.0.1"
ELSEWHERE = ("198.51.100.1", 9)  # nobody's (RFC 5737); asked of the routes, never sent to

_FLAGS, _ADDRESS, _NETMASK = 0x8913, 0x8915, 0x891B  # SIOCGIF…, Linux
_UP, _BROADCAST, _LOOPBACK = 0x1, 0x2, 0x8  # IFF_…

# Reading costs: how many bytes of one source, and of all together, are read in a tenth of a second.
# Datagrams longer than the originals send have a ration of their own, and take nobody's.
WINDOW_S = 0.1
USUAL_RATION = 16_384, 65_536
LONG_RATION = 1, 65_536
DATAGRAM_COST_MIN = 256
BATCH = 64  # datagrams taken before others have their turn


@dataclass(frozen=True, slots=True)
class _Interface:
    network: IPv4Network
    address: str
    suitable: bool  # up, not the loopback, able to broadcast


def local_ipv4(interface_addr: str = "") -> str:
    """Choose the address a device broadcasts from and names as its own (WIRE 1.2).

    The one given, if it is an IPv4 address; else that of the first interface that is up, not the
    loopback and able to broadcast; else 127.0.0.1, which serves one machine. Never `<nil>`.
    """
    try:
        given = IPv4Address(interface_addr)
    except ValueError:
        given = IPv4Address(0)
    if not given.is_unspecified:
        return str(given)
    suitable = (found.address for found in _interfaces() if found.suitable)
    return next(suitable, None) or _routed() or ALONE


def network_of(address: str) -> IPv4Network | None:
    """Find the network of one of this machine's addresses; None when it is not known."""
    return next((found.network for found in _interfaces() if found.address == address), None)


def _interfaces() -> list[_Interface]:
    """List the interfaces with an IPv4 address, in the system's order; empty where not Linux."""
    found = []
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        for _, name in socket.if_nameindex():
            try:
                (flags,) = struct.unpack("H", _ask(probe, name, _FLAGS)[16:18])
                address = socket.inet_ntoa(_ask(probe, name, _ADDRESS)[20:24])
                mask = socket.inet_ntoa(_ask(probe, name, _NETMASK)[20:24])
            except (OSError, ImportError):
                continue
            suitable = flags & (_UP | _BROADCAST | _LOOPBACK) == _UP | _BROADCAST
            network = IPv4Network(f"{address}/{mask}", strict=False)
            found.append(_Interface(network, address, suitable))
    return found


def _ask(probe: socket.socket, interface: str, what: int) -> bytes:
    import fcntl

    return fcntl.ioctl(probe, what, struct.pack("256s", interface.encode()[:15]))


def _routed() -> str | None:
    """Ask the routes which address would be used to get away from here; nothing is sent."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address


class Beacon:
    """Says again and again where a device is, until stopped or, with `timeout_s` > 0, that long.

    `said` is called for each broadcast, so what is offered later is in it. Sent from `source`
    (default: `local_ipv4()`) to everybody and to everybody on its network; where the system lets
    nothing of that out, to this machine itself. What fails is tried again a period later;
    `problem` tells what it is.
    """

    def __init__(
        self,
        said: Callable[[], Broadcast],
        *,
        source: str = "",
        port: int = PORT,
        period_s: float = PERIOD_S,
        timeout_s: float = 0,
    ) -> None:
        self.problem: str | None = None
        self._said = said
        self._source = source
        self._port = port
        self._period_s = period_s
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._places: tuple[str, ...] = ()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it is speaking."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Speak now and then every period. Starting a running beacon changes nothing."""
        if not self.running:
            self._task = asyncio.create_task(self._run(), name="beacon")

    async def stop(self) -> None:
        """Fall silent at once. Stopping a silent beacon changes nothing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        try:
            while True:
                self._speak()
                pause_s = self._period_s
                if self._timeout_s > 0:
                    pause_s = min(pause_s, deadline - loop.time())
                await asyncio.sleep(max(pause_s, 0))
                if self._timeout_s > 0 and loop.time() >= deadline:
                    return
        finally:
            self._close()

    def _speak(self) -> None:
        try:
            self._send(datagram(self._said()))
        except (OSError, TollbridgeError) as error:
            self._close()  # a fresh socket next time: addresses come and go
            if self.problem != str(error):
                log.warning("nobody hears this device: %s", error)
            self.problem = str(error)
        else:
            self.problem = None

    def _send(self, data: bytes) -> None:
        speaker = self._socket or self._open()
        errors = []
        for place in self._places:
            try:
                speaker.sendto(data, (place, self._port))
            except OSError as error:
                errors.append(error)
        if len(errors) == len(self._places):
            try:
                speaker.sendto(data, (speaker.getsockname()[0], self._port))
            except OSError:
                raise errors[0] from None

    def _open(self) -> socket.socket:
        source = local_ipv4(self._source)
        speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            speaker.setblocking(False)
            speaker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            speaker.bind((source, 0))
        except OSError:
            speaker.close()
            raise
        self._socket = speaker
        network = network_of(source)
        near = str(network.broadcast_address) if network and network.prefixlen < 31 else None
        self._places = (EVERYBODY, near) if near else (EVERYBODY,)
        return speaker

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Scanner:
    """Hears broadcasts while it is open (`async with`) and keeps them in `sightings`.

    Several scanners of one machine each hear every broadcast, their own machine's included. What
    cannot be read, or names an address against `rules`, is passed over. Under a flood only some
    datagrams of each source are read; the loop is never held up. `interface_addr`: hear only the
    network of this address; raises BadArgument when it is not one of ours.
    """

    def __init__(
        self,
        sightings: Sightings,
        *,
        port: int = PORT,
        rules: AddressRules = USUAL_RULES,
        interface_addr: str = "",
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.sightings = sightings
        self._port = port
        self._rules = rules
        self._network = network_of(interface_addr) if interface_addr else None
        if interface_addr and self._network is None:
            raise BadArgument("LISTOFADDRS", "NET", f"{interface_addr} is no address of ours")
        self._changed = changed
        self._room = bytearray(RECEIVED_BYTES_MAX)
        self._usual, self._long = _Ration(*USUAL_RATION), _Ration(*LONG_RATION)
        self._socket: socket.socket | None = None

    async def __aenter__(self) -> Self:
        """Start to listen. Raises WithinError LISTEN_FAILED when another program has the port."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            listener.setblocking(False)
            for name in ("SO_REUSEADDR", "SO_REUSEPORT"):  # beside others, originals among them
                if hasattr(socket, name):
                    listener.setsockopt(socket.SOL_SOCKET, getattr(socket, name), 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            listener.bind(("", self._port))
        except OSError as error:
            listener.close()
            raise WithinError(
                "LISTEN_FAILED", "NET", f"cannot listen to broadcasts on port {self._port}", error
            ) from None
        asyncio.get_running_loop().add_reader(listener, self._hear, listener)
        self._socket = listener
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening; what was heard stays."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _hear(self, listener: socket.socket) -> None:
        now_s = asyncio.get_running_loop().time()
        for _ in range(BATCH):
            try:
                size, (source, _) = listener.recvfrom_into(self._room)
            except OSError:  # nothing more, or a network that went away
                return
            if self._network is not None and IPv4Address(source) not in self._network:
                continue
            ration = self._usual if size <= SENT_BYTES_MAX else self._long
            if ration.allows(source, size, now_s):
                self._take(bytes(self._room[:size]), source, now_s)

    def _take(self, data: bytes, source: str, now_s: float) -> None:
        try:
            broadcast = read_datagram(data)
            check_address(broadcast, source, rules=self._rules)
        except (RemoteProtocolError, AddressRefused) as error:
            log.debug("a datagram from %s is passed over: %s", source, error)
            return
        if self.sightings.see(broadcast, now_s, source):
            self._changed()


class _Ration:
    """What may be read in this tenth of a second: bytes of one source, and of all together."""

    def __init__(self, source_max: int, all_max: int) -> None:
        self._source_max = source_max
        self._all_max = all_max
        self._since_s = 0.0
        self._all = 0
        self._of: dict[str, int] = {}

    def allows(self, source: str, size: int, now_s: float) -> bool:
        if now_s - self._since_s >= WINDOW_S:
            self._since_s, self._all, self._of = now_s, 0, {}
        used = self._of.get(source, 0)
        if used >= self._source_max or self._all >= self._all_max:
            return False
        cost = max(size, DATAGRAM_COST_MIN)
        self._of[source] = used + cost
        self._all += cost
        return True
