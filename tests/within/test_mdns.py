"""Devices in DNS-SD, on this machine's loopback."""

import asyncio
import uuid
from dataclasses import replace

import pytest

from tollbridge.faces.within.discovery import Sightings
from tollbridge.faces.within.errors import BadArgument
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within.mdns import Announcement, Browser, broadcast_of, service_info

HERE = "127.0.0.1"
PUMP = Broadcast(
    device_description="Garden pump, €5",
    hostname=HERE,
    port_number=64521,
    server_id="6f1d2c34-8a5b-407f-7571-2b7e5d904a11",
    url_prefix="/x",
    scheme="http://",
    device_name="pump.17",
    service_types=("water, cold", "", "irrigation"),
)


@pytest.mark.req("WX-001", "WX-008")
@pytest.mark.parametrize("types", [None, (), ("",), ("a,b", "c%2C", "€")])
def test_a_broadcast_survives_being_said_as_a_service(types):
    said = replace(PUMP, service_types=types)
    assert broadcast_of(service_info(said, "cHVibGlj")) == said


def test_what_a_text_record_cannot_hold_is_cut_or_refused():
    wordy = replace(PUMP, device_description="€" * 200, service_types=("x" * 100,) * 5)
    heard = broadcast_of(service_info(wordy))
    assert heard.device_description == "€" * 83
    assert heard.service_types == ("x" * 100,) * 2
    with pytest.raises(BadArgument, match="name is too long"):
        service_info(replace(PUMP, device_name="x" * 300))
    with pytest.raises(BadArgument, match="address"):
        service_info(replace(PUMP, hostname="pump.local"))


def test_any_name_makes_a_label():
    for name in ("", "a" * 200, "€" * 50, "line\nbreak", "dots.and spaces"):
        info = service_info(replace(PUMP, device_name=name))
        assert len(info.name.removesuffix("." + info.type).encode()) <= 63


def _known(seen, device):
    return [one for one in seen.devices if one.server_id == device.server_id]


@pytest.mark.req("W-024", "W-227", "W-241")
def test_a_device_is_announced_changed_and_gone():
    pump = replace(PUMP, server_id=f"pump-{uuid.uuid4()}")  # others may announce theirs meanwhile

    async def main():
        seen, news, told = Sightings(), asyncio.Event(), []
        async with Browser(seen, interface_addr=HERE, changed=news.set):

            async def tell():
                """Wait until something else is known of the pump."""
                async with asyncio.timeout(10):
                    while (now := _known(seen, pump)) == (told[-1] if told else []):
                        await news.wait()
                        news.clear()
                told.append(now)

            async with Announcement(pump) as announced:
                await tell()
                await announced.update(replace(pump, service_types=("water",)))
                await tell()
            await tell()
        return told

    first, second, third = asyncio.run(main())
    assert first == [pump]
    assert second == [replace(pump, service_types=("water",))]
    assert third == []


def test_an_announced_address_against_the_rules_is_passed_over():
    async def main():
        seen = Sightings()
        evil = replace(PUMP, server_id="evil", url_prefix="/../x")
        async with Browser(seen, interface_addr=HERE), Announcement(evil):
            await asyncio.sleep(1)
        return [one.server_id for one in seen.devices]

    assert "evil" not in asyncio.run(main())
