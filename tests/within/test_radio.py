"""Beacons and scanners on real sockets of this machine."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import tracemalloc
from contextlib import aclosing, closing
from dataclasses import replace
from itertools import pairwise

import pytest

from tollbridge.faces.within.discovery import AddressRules, Sightings, datagram
from tollbridge.faces.within.errors import BadArgument, WithinError
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within import radio
from tollbridge.within.finding import discover, search, watch
from tollbridge.within.radio import Beacon, Scanner, local_ipv4

HERE = "127.0.0.1"
NEAR = "127.255.255.255"
PUMP = Broadcast(
    device_description="Garden pump",
    hostname=HERE,
    port_number=64521,
    server_id="pump-id",
    scheme="http://",
    device_name="pump",
    service_types=("water",),
)


@pytest.fixture
def port():
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def beacon(said, port, **options):
    speaking = Beacon(said if callable(said) else lambda: said, source=HERE, port=port, **options)
    await speaking.start()
    try:
        yield speaking
    finally:
        await speaking.stop()


def speaker():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    made.bind((HERE, 0))
    return made


async def heard_of(datagrams, port, listen_s=0.3, **options):
    async def speak():
        await asyncio.sleep(0.05)
        with closing(speaker()) as mouth:
            for data in datagrams:
                mouth.sendto(data, (NEAR, port))

    devices, _ = await asyncio.gather(discover(listen_s, port=port, **options), speak())
    return devices


@pytest.mark.req("W-003", "W-020", "W-024", "W-027", "W-037", "W-227", "W-228", "W-240")
@pytest.mark.req("WX-004")
def test_a_device_finds_another_and_itself(port):
    async def main():
        other = replace(PUMP, server_id="other-id", device_name="mower", service_types=())
        async with beacon(PUMP, port, period_s=0.05), beacon(other, port, period_s=0.05):
            return await discover(0.3, port=port)

    devices = asyncio.run(main())
    assert sorted(device.device_name for device in devices) == ["mower", "pump"]
    assert PUMP in devices


@pytest.mark.req("WX-002")
def test_the_port_of_the_standard_is_the_usual_one():
    async def main():
        mine = replace(PUMP, server_id=f"usual-{os.getpid()}")
        speaking = Beacon(lambda: mine, source=HERE)
        await speaking.start()
        try:
            return mine in await discover(0.7)
        finally:
            await speaking.stop()

    assert asyncio.run(main())


@pytest.mark.req("WX-002", "W-240")
def test_a_beacon_speaks_at_once(port):
    said = []

    async def main():
        async with beacon(lambda: said.append(1) or PUMP, port, period_s=60):
            await asyncio.sleep(0.05)

    asyncio.run(main())
    assert said == [1]


@pytest.mark.req("WX-002", "W-241", "WX-006")
def test_a_beacon_speaks_every_period_until_stopped(port):
    said = []

    fourth = asyncio.Event()

    def say():
        said.append(time.monotonic())
        if len(said) == 4:
            fourth.set()
        return PUMP

    async def main():
        async with beacon(say, port, period_s=0.1, timeout_s=-1) as speaking:
            await speaking.start()  # again: nothing changes
            await fourth.wait()
            assert speaking.running
        assert not speaking.running
        count = len(said)
        await asyncio.sleep(0.15)
        assert len(said) == count
        await speaking.stop()

    asyncio.run(asyncio.wait_for(main(), 10))
    assert all(later - one > 0.09 for one, later in pairwise(said))


@pytest.mark.req("WX-006")
def test_a_beacon_with_a_time_limit_ends_by_itself(port):
    async def main():
        started = time.monotonic()
        async with beacon(PUMP, port, period_s=0.1, timeout_s=0.25) as speaking:
            await asyncio.wait({speaking._task})
            assert not speaking.running
            took_s = time.monotonic() - started
            await speaking.start()
            assert speaking.running
        return took_s

    assert asyncio.run(asyncio.wait_for(main(), 10)) >= 0.25


@pytest.mark.req("WX-008", "W-187", "W-194")
def test_what_is_offered_later_is_in_later_broadcasts(port):
    async def main():
        types = ["water"]
        said = lambda: replace(PUMP, service_types=tuple(types))  # noqa: E731
        async with beacon(said, port, period_s=0.05):
            first = await discover(0.2, port=port)
            types.append("irrigation")
            return first, await discover(0.2, port=port)

    first, second = asyncio.run(main())
    assert [device.service_types for device in first] == [("water",)]
    assert [device.service_types for device in second] == [("water", "irrigation")]
    assert first[0].server_id == second[0].server_id


@pytest.mark.req("WX-004")
def test_several_scanners_of_one_machine_each_hear_every_broadcast(port):
    original = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    original.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    original.bind(("", port))
    original.settimeout(2)

    async def main():
        async with beacon(PUMP, port, period_s=0.05):
            return await asyncio.gather(*[discover(0.3, port=port) for _ in range(5)])

    with closing(original):
        assert asyncio.run(main()) == [[PUMP]] * 5
        assert original.recv(2048) == datagram(PUMP)


@pytest.mark.req("WX-004", "WX-003")
def test_every_address_of_this_machine_is_heard_by_all_scanners(port):
    async def main():
        mine = replace(PUMP, hostname=local_ipv4())
        speaking = Beacon(lambda: mine, port=port, period_s=0.05)
        await speaking.start()
        try:
            return mine, await asyncio.gather(*[discover(0.3, port=port) for _ in range(3)])
        finally:
            await speaking.stop()

    mine, found = asyncio.run(main())
    assert found == [[mine]] * 3


@pytest.mark.req("WX-004")
def test_a_scan_lasts_the_whole_time_and_nothing_found_is_no_error(port):
    async def main():
        started = time.monotonic()
        found = await discover(0.3, port=port)
        return found, time.monotonic() - started

    found, took_s = asyncio.run(main())
    assert found == []
    assert 0.29 < took_s < 2


def test_a_scan_without_time_listens_for_one_period(port):
    async def main():
        async with beacon(PUMP, port):
            return await discover(0, port=port)

    assert asyncio.run(main()) == [PUMP]


@pytest.mark.req("WX-004")
def test_nothing_is_remembered_between_scans(port):
    async def main():
        async with beacon(PUMP, port, period_s=0.05):
            assert await discover(0.2, port=port)
        return await discover(0.1, port=port)

    assert asyncio.run(main()) == []


@pytest.mark.req("WX-005")
def test_a_device_is_searched_by_its_exact_name(port):
    async def main():
        async with beacon(PUMP, port, period_s=0.05):
            return await asyncio.gather(
                search(0.2, "pump", port=port), search(0.2, "Pump", port=port)
            )

    assert asyncio.run(main()) == [PUMP, Broadcast()]


@pytest.mark.req("WX-001")
def test_six_keys_of_an_old_producer_are_heard(port):
    old = json.loads(datagram(PUMP))
    del old["deviceName"], old["serviceTypes"]
    found = asyncio.run(heard_of([json.dumps(old).encode()], port))
    assert found == [replace(PUMP, device_name="", service_types=None)]


@pytest.mark.req("WX-007")
def test_what_cannot_be_read_ends_no_scan(port):
    bad = [b"", b"nonsense", b"\xff" * 2000, b"{", datagram(PUMP)[:100], b"[" * 65_000]
    assert asyncio.run(heard_of([*bad, datagram(PUMP), *bad], port)) == [PUMP]


@pytest.mark.req("WX-007")
def test_datagrams_longer_than_the_originals_read_are_heard(port):
    wordy = json.loads(datagram(PUMP)) | {"deviceDescription": "", "more": "x" * 60_000}
    found = asyncio.run(heard_of([json.dumps(wordy).encode()], port))
    assert found == [replace(PUMP, device_description="")]


def test_an_address_against_the_rules_is_not_in_the_list(port):
    bad = replace(PUMP, hostname="evil.example/@x", server_id="bad")
    tls = replace(PUMP, scheme="https://", server_id="tls")
    said = [datagram(one) for one in (bad, tls, PUMP)]
    assert asyncio.run(heard_of(said, port)) == [PUMP]
    rules = AddressRules(https=True, server_ids=frozenset({"tls"}))
    assert asyncio.run(heard_of(said, port, rules=rules)) == [tls]


def test_only_the_network_of_one_address_may_be_listened_to(port):
    assert asyncio.run(heard_of([datagram(PUMP)], port, interface_addr=HERE)) == [PUMP]
    if local_ipv4() != HERE:
        said = [datagram(PUMP)]
        assert asyncio.run(heard_of(said, port, interface_addr=local_ipv4())) == []


def test_an_address_that_is_not_ours_has_no_network(port):
    with pytest.raises(BadArgument, match="no address of ours"):
        asyncio.run(discover(0.1, port=port, interface_addr="198.51.100.77"))


def test_a_watcher_is_told_who_comes_changes_and_goes(port):
    async def main():
        seen = []
        name = ["pump"]
        async with aclosing(watch(port=port, gone_s=1.0)) as news:
            seen.append(await anext(news))
            said = lambda: replace(PUMP, device_name=name[0])  # noqa: E731
            async with beacon(said, port, period_s=0.05):
                seen.append(await anext(news))
                name[0] = "new"
                seen.append(await anext(news))
            seen.append(await anext(news))
        return [[device.device_name for device in devices] for devices in seen]

    assert asyncio.run(asyncio.wait_for(main(), 5)) == [[], ["pump"], ["new"], []]


def test_another_programs_port_is_told(port):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as greedy:
        greedy.bind(("", port))
        with pytest.raises(WithinError, match="LISTEN_FAILED, NET, cannot listen"):
            asyncio.run(discover(0.1, port=port))


@pytest.mark.req("WX-003")
def test_the_address_given_is_taken_and_nil_is_never_said(monkeypatch):
    assert local_ipv4("10.1.2.3") == "10.1.2.3"
    for unusable in ("", "<nil>", "eth0", "0.0.0.0", "fd00::1"):
        socket.inet_aton(local_ipv4(unusable))
    monkeypatch.setattr(radio, "_interfaces", list)
    socket.inet_aton(local_ipv4())
    monkeypatch.setattr(radio, "_routed", lambda: None)
    assert local_ipv4() == HERE


@pytest.mark.req("WX-003")
def test_the_first_interface_that_can_broadcast_is_chosen(monkeypatch):
    def interface(address, *, suitable):
        return radio._Interface(radio.IPv4Network(f"{address}/24", strict=False), address, suitable)

    found = [interface("10.0.0.1", suitable=False), interface("10.0.1.1", suitable=True)]
    monkeypatch.setattr(radio, "_interfaces", lambda: found)
    assert local_ipv4() == "10.0.1.1"


@pytest.mark.req("WX-002")
def test_a_beacon_without_a_network_waits_a_period_and_tries_again(port, caplog):
    said, started = [], time.monotonic()

    def say():
        said.append(1)
        return PUMP

    async def main():
        speaking = Beacon(say, source="198.51.100.77", port=port, period_s=0.05)  # not ours
        await speaking.start()
        await asyncio.sleep(0.22)
        assert speaking.running
        assert "assign" in speaking.problem
        speaking._source = HERE  # the address came
        found = await discover(0.2, port=port)
        assert speaking.problem is None
        await speaking.stop()
        return found

    assert asyncio.run(main()) == [PUMP]
    assert 3 <= len(said) <= 2 + (time.monotonic() - started) / 0.05
    assert len(caplog.records) == 1


def test_a_machine_that_lets_no_broadcast_out_still_finds_itself(port):
    async def main():
        async with beacon(PUMP, port, period_s=0.05) as speaking:
            speaking._places = ("240.0.0.1",)  # as a filter would: refused by the system
            return await discover(0.2, port=port)

    assert asyncio.run(main()) == [PUMP]


@pytest.mark.req("W-240")
def test_a_beacon_costs_less_than_a_hundredth_of_a_processor(port):
    async def main():
        async with beacon(PUMP, port):
            used = time.process_time()
            await asyncio.sleep(3)
            return (time.process_time() - used) / 3

    assert asyncio.run(main()) < 0.01


FLOOD = """
import json, socket, sys
mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
mouth.bind((sys.argv[1], 0))
said, count = json.loads(sys.argv[3]), 0
while True:
    said["serverID"] = f"forged-{count}"
    count += 1
    mouth.sendto(json.dumps(said).encode(), ("127.255.255.255", int(sys.argv[2])))
"""


@pytest.mark.req("WX-007", "WX-004")
@pytest.mark.parametrize("more", ["", "x" * 60_000], ids=["short", "long"])
def test_a_flood_of_forged_devices_hides_nobody_and_holds_nothing_up(port, more):
    async def main():
        sightings = Sightings()
        late = 0.0
        async with Scanner(sightings, port=port), beacon(PUMP, port, period_s=0.1):
            deadline = time.monotonic() + 2
            while (now := time.monotonic()) < deadline:
                await asyncio.sleep(0.01)
                late = max(late, time.monotonic() - now - 0.01)
        return sightings.devices, late

    said = json.dumps(json.loads(datagram(PUMP)) | {"more": more})
    flooder = subprocess.Popen([sys.executable, "-c", FLOOD, "127.0.0.66", str(port), said])
    try:
        time.sleep(0.3)
        tracemalloc.start()
        devices, late_s = asyncio.run(main())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        flooder.kill()
        flooder.wait(10)
    assert PUMP in devices
    assert 10 < len(devices) <= 65
    assert late_s < 0.5  # on a machine that does other things as well
    assert peak < 5e6
