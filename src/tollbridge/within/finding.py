"""Who is around: broadcasts and, if asked for, DNS-SD, in one list."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from tollbridge.faces.within.discovery import (
    PERIOD_S,
    PORT,
    USUAL_RULES,
    AddressRules,
    Sightings,
    named,
)
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within.mdns import Browser
from tollbridge.within.radio import Scanner

PAUSE_S = 0.1
GONE_S = 12.0
"""Silence after which a watcher believes a device gone: two periods of producers of 2016."""


@asynccontextmanager
async def listening(
    sightings: Sightings,
    *,
    mdns: bool = False,
    port: int = PORT,
    rules: AddressRules = USUAL_RULES,
    interface_addr: str = "",
    changed: Callable[[], None] = lambda: None,
) -> AsyncIterator[None]:
    """Keep `sightings` up to date meanwhile. Raises WithinError LISTEN_FAILED."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            Scanner(
                sightings, port=port, rules=rules, interface_addr=interface_addr, changed=changed
            )
        )
        if mdns:
            await stack.enter_async_context(
                Browser(sightings, rules=rules, interface_addr=interface_addr, changed=changed)
            )
        yield


async def discover(
    timeout_s: float,
    *,
    mdns: bool = False,
    port: int = PORT,
    rules: AddressRules = USUAL_RULES,
    interface_addr: str = "",
) -> list[Broadcast]:
    """Listen for the whole time, at least one period, and tell who was heard (WIRE 1.3).

    Raises WithinError LISTEN_FAILED.
    """
    sightings = Sightings()
    async with listening(
        sightings, mdns=mdns, port=port, rules=rules, interface_addr=interface_addr
    ):
        await asyncio.sleep(max(timeout_s, 0) or PERIOD_S)
    return sightings.devices


async def search(
    timeout_s: float,
    name: str,
    *,
    mdns: bool = False,
    port: int = PORT,
    rules: AddressRules = USUAL_RULES,
    interface_addr: str = "",
) -> Broadcast:
    """Discover, then give the device with exactly this name; an empty Broadcast without one.

    Raises WithinError LISTEN_FAILED.
    """
    devices = await discover(
        timeout_s, mdns=mdns, port=port, rules=rules, interface_addr=interface_addr
    )
    return named(devices, name)


async def watch(
    *,
    mdns: bool = False,
    port: int = PORT,
    rules: AddressRules = USUAL_RULES,
    interface_addr: str = "",
    gone_s: float = GONE_S,
) -> AsyncGenerator[list[Broadcast], None]:
    """Give everybody who is around, now and whenever somebody comes, changes or goes.

    At most ten times a second, so that a flood keeps nobody busy. Raises WithinError
    LISTEN_FAILED.
    """
    sightings = Sightings(age_s=gone_s)
    news = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with listening(
        sightings,
        mdns=mdns,
        port=port,
        rules=rules,
        interface_addr=interface_addr,
        changed=news.set,
    ):
        while True:
            yield sightings.devices
            news.clear()
            await asyncio.sleep(PAUSE_S)
            while not news.is_set() and not sightings.expire(loop.time()):
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), gone_s / 4)
