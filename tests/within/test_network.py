"""Devices on links of their own: real processes in network namespaces, real broadcasts."""

import json

import pytest

from tests.within.netns import machines, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there are namespaces")

PRODUCER = """
import asyncio, sys
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within.radio import Beacon, local_ipv4

async def main():
    said = Broadcast(
        device_description="on a link", hostname=local_ipv4(), port_number=64521,
        server_id=f"id-{sys.argv[1]}", scheme="http://", device_name=sys.argv[1],
        service_types=("water",),
    )
    await Beacon(lambda: said).start()
    print("speaking", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def discoverer(machine, seconds, *options):
    wish = ("discover", "--json", "--for", seconds, *options)
    return machine.python("-m", "tollbridge", "within", *wish)


def found_by(process):
    text = process.communicate(timeout=30)[0]
    assert process.returncode == 0, text
    return {device["device_name"]: device["url"] for device in json.loads(text)["devices"]}


def all_find_all(count, seconds):
    with machines(count) as made:
        speaking = [one.python("-c", PRODUCER, one.address) for one in made]
        try:
            for process in speaking:
                assert process.stdout.readline() == "speaking\n"
            found = [found_by(process) for process in [discoverer(one, seconds) for one in made]]
        finally:
            for process in speaking:
                process.kill()
                process.communicate(timeout=10)
    everybody = {one.address: f"http://{one.address}:64521" for one in made}
    assert found == [everybody] * count


@pytest.mark.req("W-003", "W-020", "W-024", "W-037", "W-227", "W-228", "W-240", "WX-002", "WX-003")
def test_two_devices_on_one_link_find_each_other_and_themselves():
    all_find_all(2, 1.2)


@pytest.mark.req("W-024", "W-227", "WX-002", "WX-004")
def test_ten_devices_on_one_link_all_find_all():
    all_find_all(10, 2)


@pytest.mark.req("WX-004", "WX-002")
def test_a_machine_without_a_network_finds_itself():
    with machines(1) as (alone,):
        alone.start("ip", "link", "set", "eth0", "down").wait(10)
        speaking = alone.python("-c", PRODUCER, "alone")
        try:
            assert speaking.stdout.readline() == "speaking\n"
            assert found_by(discoverer(alone, 0.8)) == {"alone": "http://127.0.0.1:64521"}
        finally:
            speaking.kill()
            speaking.communicate(timeout=10)


@pytest.mark.req("W-037", "WX-007")
def test_nobody_speaks_for_another_machine_itself():
    forger = PRODUCER.replace("hostname=local_ipv4()", 'hostname="127.0.0.1"')
    with machines(2) as (one, two):
        speaking = one.python("-c", forger, "forger")
        try:
            assert speaking.stdout.readline() == "speaking\n"
            assert found_by(discoverer(two, 0.8)) == {}
        finally:
            speaking.kill()
            speaking.communicate(timeout=10)


ANNOUNCER = PRODUCER.replace(
    "await Beacon(lambda: said).start()", "await Announcement(said).__aenter__()"
).replace(
    "from tollbridge.within.radio",
    "from tollbridge.within.mdns import Announcement\nfrom tollbridge.within.radio",
)


@pytest.mark.req("W-024", "W-227")
def test_announced_devices_are_found_on_another_machine():
    with machines(2) as (one, two):
        speaking = one.python("-c", ANNOUNCER, "pump")
        try:
            assert speaking.stdout.readline() == "speaking\n"
            plain, with_mdns = discoverer(two, 1), discoverer(two, 3, "--mdns")
            assert found_by(plain) == {}
            assert found_by(with_mdns) == {"pump": "http://10.77.0.1:64521"}
        finally:
            speaking.kill()
            speaking.communicate(timeout=10)
