"""Broadcasts as datagrams, whose addresses are talked to, and a bounded memory of who was heard.

Broadcasts are unauthenticated: anybody near can claim any id and name any address (WIRE 1.5). So
an address is checked before it is used, and a flood of forged ids costs a bounded memory.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias
from urllib.parse import unquote

from tollbridge.faces.within import codec
from tollbridge.faces.within.errors import AddressRefused, BadArgument
from tollbridge.faces.within.messages import Broadcast
from tollbridge.ground.errors import RemoteProtocolError

PORT = 8980
PERIOD_S = 0.5
SENT_BYTES_MAX = 2048  # what the originals read; they drop what is longer
RECEIVED_BYTES_MAX = 65_507
DEVICES_MAX = 1000
DEVICES_PER_SOURCE_MAX = 64

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", re.ASCII)
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?", re.ASCII | re.IGNORECASE)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*", re.ASCII)
_EVERYBODY = IPv4Address("255.255.255.255")
_Address: TypeAlias = IPv4Address | IPv6Address
HOST_LETTERS_MAX, PREFIX_LETTERS_MAX, PORT_MAX = 253, 512, 65_535


def datagram(broadcast: Broadcast) -> bytes:
    """Write a broadcast in at most 2048 bytes, keys in the order of the originals (WIRE 1.1).

    When it is longer the description is cut between characters, then types of services are left
    out from the end. Raises BadArgument when name, id and address alone are too long, or a text
    cannot be written.
    """
    try:
        return codec.write(_fitted(broadcast))
    except UnicodeEncodeError as error:
        raise BadArgument("UNKNOWN", "NET", "what a device says is not text", error) from None


def read_datagram(data: bytes) -> Broadcast:
    """Read a broadcast of either dialect. Raises RemoteProtocolError; nothing is checked yet."""
    if len(data) > RECEIVED_BYTES_MAX:
        raise RemoteProtocolError(f"Broadcast: longer than {RECEIVED_BYTES_MAX} bytes")
    return codec.read(Broadcast, data)


def named(devices: Iterable[Broadcast], name: str) -> Broadcast:
    """Find the first device with exactly this name; an empty Broadcast when there is none."""
    return next((device for device in devices if device.device_name == name), Broadcast())


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRules:
    """Which addresses are talked to.

    `https` lets `https://` in, `names` host names beside literal addresses. `source_must_match`: a
    datagram must come from the address it names. `server_ids`: only these devices.
    """

    https: bool = False
    names: bool = True
    source_must_match: bool = False
    server_ids: frozenset[str] | None = None


USUAL_RULES = AddressRules()


def check_address(
    broadcast: Broadcast, source: str | None = None, *, rules: AddressRules = USUAL_RULES
) -> None:
    """Say whether a device may be talked to (WIRE 1.5). Raises AddressRefused saying why not.

    `source`: the address the datagram came from; None when nobody knows it any more.
    """
    if broadcast.scheme not in ({"http://", "https://"} if rules.https else {"http://"}):
        raise _refused(f"the scheme {broadcast.scheme!r:.40} is not spoken")
    if not 1 <= broadcast.port_number <= PORT_MAX:
        raise _refused(f"{broadcast.port_number} is not a port")
    prefix = broadcast.url_prefix
    if (
        len(prefix) > PREFIX_LETTERS_MAX
        or not _PREFIX.fullmatch(prefix)
        or any(part in text for part in ("//", "..", "\\") for text in (prefix, unquote(prefix)))
    ):
        raise _refused(f"the prefix {prefix!r:.40} does not stand for a path")
    host = _host(broadcast.hostname, names=rules.names)
    if source is not None:
        if rules.source_must_match and str(host) != source:
            raise _refused(f"{source} speaks for {broadcast.hostname}")
        if _here(host) and not _here(_literal(source)):
            raise _refused(f"{source} speaks for this machine itself")
    if rules.server_ids is not None and broadcast.server_id not in rules.server_ids:
        raise _refused(f"the device {broadcast.server_id!r:.60} is not one of those expected")


@dataclass(frozen=True, slots=True)
class _Seen:
    said: bytes  # as a datagram: that bounds what one device costs
    at_s: float
    source: str


class Sightings:
    """Who was heard, by the ids they claim; of one id the last broadcast counts.

    Bounded: `devices_max` devices, of one source address 64, each of at most 2048 bytes. Where
    there is no room the one not heard for longest goes, first among those of the same source, so
    that one flooder forgets nobody but itself. `age_s`: who was silent for so long is forgotten by
    `expire`; None keeps all. Times are monotonic seconds; infinity stays until forgotten by name.
    """

    def __init__(self, *, devices_max: int = DEVICES_MAX, age_s: float | None = None) -> None:
        self._devices_max = devices_max
        self._age_s = age_s
        self._seen: dict[str, _Seen] = {}  # least recently heard first, as the next
        self._of_source: dict[str, dict[str, None]] = {}

    def see(self, broadcast: Broadcast, at_s: float, source: str = "") -> bool:
        """Remember a broadcast, if it is not too long. Says whether it tells anything new."""
        try:
            said = datagram(broadcast)
        except BadArgument:
            return False
        known = self._seen.get(broadcast.server_id)
        self.forget(broadcast.server_id)
        if source and len(self._of_source.get(source, ())) >= DEVICES_PER_SOURCE_MAX:
            self.forget(next(iter(self._of_source[source])))
        elif len(self._seen) >= self._devices_max:
            self.forget(next(iter(self._seen)))
        self._seen[broadcast.server_id] = _Seen(said, at_s, source)
        self._of_source.setdefault(source, {})[broadcast.server_id] = None
        return known is None or known.said != said

    def forget(self, server_id: str) -> None:
        """Forget a device, if it was known."""
        gone = self._seen.pop(server_id, None)
        if gone is not None:
            siblings = self._of_source[gone.source]
            del siblings[server_id]
            if not siblings:
                del self._of_source[gone.source]

    def expire(self, now_s: float) -> bool:
        """Forget who was silent for longer than `age_s`. Says whether there was anybody."""
        age_s = math.inf if self._age_s is None else self._age_s
        silent = [name for name, seen in self._seen.items() if now_s - seen.at_s > age_s]
        for server_id in silent:
            self.forget(server_id)
        return bool(silent)

    @property
    def devices(self) -> list[Broadcast]:
        """Everybody who is remembered, the one not heard for longest first."""
        return [read_datagram(seen.said) for seen in self._seen.values()]

    def __len__(self) -> int:
        return len(self._seen)


def _fitted(broadcast: Broadcast) -> Broadcast:
    """Cut the description, then leave out types, as little of each as will do."""

    def fits(description: str, types: tuple[str, ...] | None) -> bool:
        said = replace(broadcast, device_description=description, service_types=types)
        return len(codec.write(said)) <= SENT_BYTES_MAX

    description, types = broadcast.device_description, broadcast.service_types
    if fits(description, types):
        return broadcast
    if fits("", types):
        kept = _most(len(description), lambda count: fits(description[:count], types))
        return replace(broadcast, device_description=description[:kept])
    if types is None or not fits("", ()):
        raise BadArgument("UNKNOWN", "NET", "name, id and address are too long for a datagram")
    kept = _most(len(types), lambda count: fits("", types[:count]))
    return replace(broadcast, device_description="", service_types=types[:kept])


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """Find the highest count that fits, where fewer fit whenever more do."""
    return bisect_left(range(1, count + 1), x=True, key=lambda n: not fits(n))


def _refused(why: str) -> AddressRefused:
    return AddressRefused("UNKNOWN", "NET", why)


def _host(hostname: str, *, names: bool) -> _Address | str:
    address = _literal(hostname)
    if address is not None:
        if address.is_unspecified or address.is_multicast or address == _EVERYBODY:
            raise _refused(f"{hostname} is nobody's address")
        return address
    if (
        not names
        or len(hostname) > HOST_LETTERS_MAX
        or not _NAME.fullmatch(hostname)
        or _NUMERIC.fullmatch(hostname)  # which resolvers would take for an address
    ):
        raise _refused(f"{hostname!r:.60} is not an address")
    return hostname


def _literal(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:  # anything may stand behind the %
            return None
        return address.ipv4_mapped or address
    return address


def _here(host: _Address | str | None) -> bool:
    if isinstance(host, str):
        return f".{host.lower()}".rstrip(".").endswith(".localhost")
    return host is not None and host.is_loopback
