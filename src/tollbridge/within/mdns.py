"""The same broadcasts as DNS-SD (RFC 6763): for networks that let multicast through, and browsers.

Ours; the originals know UDP broadcasts only. Needs the package `zeroconf`, imported when used.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from hashlib import sha256
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote

from tollbridge.faces.within.discovery import (
    DEVICES_MAX,
    USUAL_RULES,
    AddressRules,
    Sightings,
    check_address,
)
from tollbridge.faces.within.errors import AddressRefused, BadArgument, WithinError
from tollbridge.faces.within.messages import Broadcast

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncZeroconf

log = logging.getLogger(__name__)

SERVICE = "_wpwithin._tcp.local."
TXT_BYTES_MAX = 255  # of one key with its value (RFC 6763, 6.1)
LABEL_BYTES_MAX = 63
ASKED_AT_ONCE_MAX = 32
ANSWER_LIMIT_MS = 3000


def service_info(broadcast: Broadcast, public_key: str = "") -> "ServiceInfo":
    """Say a broadcast as a service. `public_key` (base64): what its tokens are signed with.

    The description is cut and types are left out where a text record is full. Raises BadArgument
    when the hostname is no literal address or another value is too long.
    """
    from zeroconf import ServiceInfo

    try:
        address = ip_address(broadcast.hostname).packed
    except ValueError as error:
        raise BadArgument("UNKNOWN", "NET", "a device names an address of its own", error) from None
    mark = sha256(broadcast.server_id.encode()).hexdigest()[:12]
    texts = {
        "id": broadcast.server_id,
        "name": broadcast.device_name,
        "desc": _cut(broadcast.device_description, TXT_BYTES_MAX - len("desc=")),
        "prefix": broadcast.url_prefix,
        "scheme": broadcast.scheme,
        "key": public_key,
    }
    if broadcast.service_types is not None:
        texts["types"] = _joined(broadcast.service_types, TXT_BYTES_MAX - len("types="))
    for key, value in texts.items():
        if len(f"{key}={value}".encode()) > TXT_BYTES_MAX:
            raise BadArgument("UNKNOWN", "NET", f"{key} is too long for a text record")
    label = _cut(broadcast.device_name, LABEL_BYTES_MAX - len(mark) - 1)
    printable = "".join(letter if letter.isprintable() else " " for letter in label)
    return ServiceInfo(
        SERVICE,
        f"{printable} {mark}".strip() + f".{SERVICE}",
        addresses=[address],
        port=broadcast.port_number,
        properties={key: value for key, value in texts.items() if value or key == "types"},
        server=f"within-{mark}.local.",
    )


def broadcast_of(info: "ServiceInfo") -> Broadcast:
    """Read a service as the broadcast it stands for; what is missing is empty."""
    texts = info.decoded_properties
    types = texts.get("types")
    addresses = info.parsed_addresses()
    return Broadcast(
        device_description=texts.get("desc") or "",
        hostname=addresses[0] if addresses else "",
        port_number=info.port or 0,
        server_id=texts.get("id") or "",
        url_prefix=texts.get("prefix") or "",
        scheme=texts.get("scheme") or "http://",
        device_name=texts.get("name") or "",
        service_types=None if types is None else _split(types),
    )


class Announcement:
    """A device in DNS-SD while it is open (`async with`); `update` says it anew."""

    def __init__(self, broadcast: Broadcast, public_key: str = "") -> None:
        self._broadcast = broadcast
        self._public_key = public_key

    async def __aenter__(self) -> Self:
        """Announce. Raises BadArgument, or WithinError when there is no multicast."""
        from zeroconf.asyncio import AsyncZeroconf

        self._info = service_info(self._broadcast, self._public_key)
        self._zeroconf = _opened(lambda: AsyncZeroconf(interfaces=[self._broadcast.hostname]))
        try:
            await (await self._zeroconf.async_register_service(self._info, allow_name_change=True))
        except BaseException:
            await self._zeroconf.async_close()
            raise
        return self

    async def update(self, broadcast: Broadcast) -> None:
        """Say something else of the same device: other types, another description."""
        info = service_info(broadcast, self._public_key)
        info.name = self._info.name  # which another's claim may have changed
        await (await self._zeroconf.async_update_service(info))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say goodbye."""
        await self._zeroconf.async_unregister_all_services()
        await self._zeroconf.async_close()


class Browser:
    """Finds announced devices while it is open (`async with`) and keeps them in `sightings`.

    `interface_addr`: ask only from this address of ours. At most 32 services are asked about at
    once, more are passed over until they announce themselves again.
    """

    def __init__(
        self,
        sightings: Sightings,
        *,
        rules: AddressRules = USUAL_RULES,
        interface_addr: str = "",
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.sightings = sightings
        self._rules = rules
        self._interface_addr = interface_addr
        self._changed = changed
        self._ids: dict[str, str] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Start to ask. Raises WithinError when there is no multicast."""
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

        places = [self._interface_addr] if self._interface_addr else InterfaceChoice.All
        self._zeroconf = _opened(lambda: AsyncZeroconf(interfaces=places))
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, SERVICE, handlers=[self._on_change]
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop asking; what was found stays."""
        await self._browser.async_cancel()
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._zeroconf.async_close()

    def _on_change(
        self,
        zeroconf: "Zeroconf",
        service_type: str,
        name: str,
        state_change: "ServiceStateChange",
    ) -> None:
        from zeroconf import ServiceStateChange

        if state_change is ServiceStateChange.Removed:
            gone = self._ids.pop(name, None)
            if gone is not None:
                self.sightings.forget(gone)
                self._changed()
        elif name not in self._asking and len(self._asking) < ASKED_AT_ONCE_MAX:
            task = asyncio.create_task(self._ask(zeroconf, service_type, name))
            self._asking[name] = task
            task.add_done_callback(lambda _: self._asking.pop(name, None))

    async def _ask(self, zeroconf: "Zeroconf", service_type: str, name: str) -> None:
        from zeroconf.asyncio import AsyncServiceInfo

        info = AsyncServiceInfo(service_type, name)
        if not await info.async_request(zeroconf, ANSWER_LIMIT_MS):
            return
        broadcast = broadcast_of(info)
        try:
            check_address(broadcast, rules=self._rules)
        except AddressRefused as error:
            log.debug("the service %r is passed over: %s", name, error)
            return
        if name in self._ids or len(self._ids) < DEVICES_MAX:
            self._ids[name] = broadcast.server_id
            # It stays until it says goodbye or its record runs out, which the library tells.
            if self.sightings.see(broadcast, math.inf):
                self._changed()


def _opened(open_it: Callable[[], "AsyncZeroconf"]) -> "AsyncZeroconf":
    try:
        return open_it()
    except (OSError, RuntimeError) as error:
        raise WithinError("LISTEN_FAILED", "NET", "there is no multicast here", error) from None


def _cut(text: str, bytes_max: int) -> str:
    return text.encode()[:bytes_max].decode(errors="ignore")


def _joined(types: tuple[str, ...], bytes_max: int) -> str:
    """Write types with a comma behind each, as many as fit; commas of their own are escaped."""
    kept = ""
    for one in types:
        more = quote(one, safe=" ") + ","
        if len(kept) + len(more) > bytes_max:
            break
        kept += more
    return kept


def _split(text: str) -> tuple[str, ...]:
    return tuple(unquote(one) for one in text.split(",")[:-1])
