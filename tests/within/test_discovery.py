"""Broadcasts as datagrams, the addresses that are talked to, and a bounded memory."""

import json
import tracemalloc
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.faces.within.discovery import (
    DEVICES_PER_SOURCE_MAX,
    SENT_BYTES_MAX,
    AddressRules,
    Sightings,
    check_address,
    datagram,
    named,
    read_datagram,
)
from tollbridge.faces.within.errors import AddressRefused, BadArgument
from tollbridge.faces.within.messages import Broadcast
from tollbridge.ground.errors import RemoteProtocolError

PUMP = Broadcast(
    device_description="Garden pump with meter",
    hostname="192.168.40.17",
    port_number=64521,
    server_id="6f1d2c34-8a5b-4e77-1c10-2b7e5d904a11",
    scheme="http://",
    device_name="pump-17",
    service_types=("water", "irrigation"),
)
ON_THE_WIRE = (
    b'{"deviceDescription":"Garden pump with meter","hostname":"192.168.40.17",'
    b'"portNumber":64521,"serverID":"6f1d2c34-8a5b-4e77-1c10-2b7e5d904a11","urlPrefix":"",'
    b'"scheme":"http://","deviceName":"pump-17","serviceTypes":["water","irrigation"]}'
)


@pytest.mark.req("W-027", "W-028", "W-029", "W-036", "WX-001", "WX-008")
def test_a_broadcast_is_written_as_the_originals_write_it():
    assert datagram(PUMP) == ON_THE_WIRE
    assert read_datagram(ON_THE_WIRE) == PUMP


@pytest.mark.req("WX-001", "WX-008")
def test_a_device_without_services_says_so():
    assert datagram(replace(PUMP, service_types=())).endswith(b',"serviceTypes":[]}')
    assert datagram(replace(PUMP, service_types=("",))).endswith(b',"serviceTypes":[""]}')


@pytest.mark.req("WX-001", "W-037", "W-228")
def test_six_keys_of_an_old_producer_are_enough_to_connect():
    old = json.loads(ON_THE_WIRE)
    del old["deviceName"], old["serviceTypes"]
    heard = read_datagram(json.dumps(old).encode())
    assert heard == replace(PUMP, device_name="", service_types=None)
    assert heard.url == "http://192.168.40.17:64521"


@pytest.mark.req("WX-001")
def test_keys_are_found_without_case_and_unknown_ones_are_passed_over():
    said = b'{"DeviceDescription":"d","HOSTNAME":"h","serverid":"x","new":{"a":1},"urlPrefix":null}'
    assert read_datagram(said) == Broadcast(device_description="d", hostname="h", server_id="x")


@pytest.mark.req("WX-007")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"[]",
        b'"text"',
        ON_THE_WIRE + b"x",
        ON_THE_WIRE[:-1],
        b'{"portNumber":64521.0}',
        b'{"portNumber":"64521"}',
        b'{"portNumber":true}',
        b'{"serviceTypes":[1]}',
        b'{"hostname":"\xff"}',
        b'{"hostname":"\\ud800"}',
        b"[" * 60_000,
        b'{"a":' + b"9" * 60_000 + b"}",
        ON_THE_WIRE + b" " * 65_507,
    ],
)
def test_what_is_not_a_broadcast_is_refused(data):
    with pytest.raises(RemoteProtocolError):
        read_datagram(data)


@pytest.mark.req("WX-007")
@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data):
    with suppress(RemoteProtocolError):
        read_datagram(data)


@pytest.mark.req("WX-007")
@given(st.text(max_size=3000), st.lists(st.text(max_size=60), max_size=80))
def test_a_datagram_fits_where_the_originals_read_it(description, types):
    broadcast = replace(PUMP, device_description=description, service_types=tuple(types))
    data = datagram(broadcast)
    heard = read_datagram(data)
    assert len(data) <= SENT_BYTES_MAX
    assert description.startswith(heard.device_description)
    assert tuple(types[: len(heard.service_types)]) == heard.service_types
    assert not heard.device_description or len(heard.service_types) == len(types)


def test_as_little_as_will_do_is_cut_and_never_inside_a_character():
    data = datagram(replace(PUMP, device_description="€" * 2000))
    assert SENT_BYTES_MAX - 3 < len(data) <= SENT_BYTES_MAX
    assert set(read_datagram(data).device_description) == {"€"}


def test_a_name_that_fits_nowhere_is_the_callers_mistake():
    with pytest.raises(BadArgument, match="not text"):
        datagram(replace(PUMP, device_name="half a \ud800"))
    with pytest.raises(BadArgument, match="too long for a datagram"):
        datagram(replace(PUMP, device_name="x" * 2048))


@pytest.mark.req("WX-005")
def test_a_device_is_found_by_its_exact_name_or_an_empty_message_is():
    other = replace(PUMP, device_name="Pump-17", server_id="other")
    assert named([other, PUMP], "pump-17") == PUMP
    assert named([PUMP], "pump") == Broadcast()


GOOD = ["10.0.0.1", "fd00::1", "::1", "127.0.0.1", "pump.local", "a_b-c.example", "localhost", "x."]
BAD = [
    "", "<nil>", "a b", "a/b", "user@host", "host?x", "host#x", "host:80", "[::1]", "-x", "a..b",
    "127.1", "2130706433", "0x7f000001", "1.2.3.4.", "0.0.0.0", "::", "255.255.255.255",
    "224.0.0.2", "::ffff:0.0.0.0",
    "fe80::1%eth0", "fe80::1%/@evil", "h\n", "h\x00", "ho\u2024st", "a" * 254,
]  # fmt: skip


@pytest.mark.parametrize("hostname", GOOD)
def test_an_address_is_a_literal_or_a_host_name(hostname):
    check_address(replace(PUMP, hostname=hostname))


@pytest.mark.parametrize("hostname", BAD)
def test_what_could_lead_elsewhere_is_no_address(hostname):
    with pytest.raises(AddressRefused):
        check_address(replace(PUMP, hostname=hostname))


@pytest.mark.parametrize("port", [0, -1, 65536, 10**17])
def test_a_port_is_one_to_65535(port):
    with pytest.raises(AddressRefused, match="is not a port"):
        check_address(replace(PUMP, port_number=port))


@pytest.mark.parametrize(
    "scheme", ["", "http", "https://", "file://", "ftp://", "http://x@", "HTTP://"]
)
def test_only_http_is_spoken(scheme):
    with pytest.raises(AddressRefused, match="is not spoken"):
        check_address(replace(PUMP, scheme=scheme))


def test_https_is_spoken_if_enabled():
    check_address(replace(PUMP, scheme="https://"), rules=AddressRules(https=True))


@pytest.mark.parametrize("prefix", ["", "/", "/a", "/a/b/", "/~x", "/a%20b"])
def test_a_prefix_is_a_path(prefix):
    check_address(replace(PUMP, url_prefix=prefix))


@pytest.mark.parametrize(
    "prefix",
    ["a", "//", "/a//b", "/..", "/a/../b", "/a?x", "/a#x", "/a b", "/%2e%2e/", "/%2f/", "/\\",
     "/%5c", "@evil", ":80", "/\n", "/é", "/" + "a" * 512],
)  # fmt: skip
def test_what_could_turn_a_path_is_no_prefix(prefix):
    with pytest.raises(AddressRefused, match="prefix"):
        check_address(replace(PUMP, url_prefix=prefix))


def test_a_datagram_may_have_to_come_from_the_address_it_names():
    rules = AddressRules(source_must_match=True)
    check_address(PUMP, "192.168.40.17", rules=rules)
    check_address(PUMP, None, rules=rules)
    check_address(PUMP, "192.168.40.18")
    with pytest.raises(AddressRefused, match="speaks for 192"):
        check_address(PUMP, "192.168.40.18", rules=rules)


@pytest.mark.parametrize("hostname", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1",
                                      "localhost", "LOCALHOST.", "a.localhost"])  # fmt: skip
def test_nobody_elsewhere_speaks_for_this_machine(hostname):
    check_address(replace(PUMP, hostname=hostname), "127.0.0.1")
    with pytest.raises(AddressRefused, match="this machine"):
        check_address(replace(PUMP, hostname=hostname), "192.168.40.18")


def test_devices_and_literal_addresses_may_be_all_that_is_let_in():
    known = AddressRules(server_ids=frozenset({PUMP.server_id}), names=False)
    check_address(PUMP, rules=known)
    with pytest.raises(AddressRefused, match="expected"):
        check_address(replace(PUMP, server_id="other"), rules=known)
    with pytest.raises(AddressRefused, match="not an address"):
        check_address(replace(PUMP, hostname="pump.local"), rules=known)


@pytest.mark.req("WX-004")
def test_of_one_id_the_last_broadcast_counts():
    seen = Sightings()
    assert seen.see(PUMP, 1.0)
    assert not seen.see(PUMP, 2.0)
    assert seen.see(replace(PUMP, device_name="new"), 3.0)
    assert [device.device_name for device in seen.devices] == ["new"]


def test_where_there_is_no_room_the_one_not_heard_for_longest_goes():
    seen = Sightings(devices_max=2)
    for at, name in enumerate("abac"):
        seen.see(replace(PUMP, server_id=name), at)
    assert [device.server_id for device in seen.devices] == ["a", "c"]


def test_the_silent_are_forgotten_when_asked_for():
    seen = Sightings(age_s=3)
    seen.see(replace(PUMP, server_id="a"), 0.0)
    seen.see(replace(PUMP, server_id="b"), 2.0)
    assert not seen.expire(3.0)
    assert seen.expire(3.5)
    assert [device.server_id for device in seen.devices] == ["b"]
    assert not Sightings().expire(1e9)


def test_a_flooder_forgets_nobody_but_itself():
    seen = Sightings()
    seen.see(PUMP, 0.0, "192.168.40.17")
    for place in range(5000):
        seen.see(replace(PUMP, server_id=str(place)), 1.0, "192.168.40.66")
    assert PUMP in seen.devices
    assert len(seen) == 1 + DEVICES_PER_SOURCE_MAX


@pytest.mark.req("WX-004", "WX-007")
def test_a_hundred_thousand_forged_ids_cost_a_bounded_memory():
    seen = Sightings()
    wordy = replace(PUMP, device_description="x" * 60_000)

    def hear(places):
        for place in places:
            forged = wordy if place % 100 == 0 else PUMP
            seen.see(replace(forged, server_id=str(place)), place * 1e-5, f"source {place}")

    tracemalloc.start()
    hear(range(3000))
    held, peak = tracemalloc.get_traced_memory()
    hear(range(3000, 6000))
    held_later, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    hear(range(6000, 100_000))
    assert len(seen) == len(seen._of_source) == 1000
    assert peak < 5e6
    assert held_later < 1.2 * held


def test_what_fits_no_datagram_is_not_remembered():
    seen = Sightings()
    assert not seen.see(replace(PUMP, server_id="x" * 3000), 0.0)
    assert len(seen) == 0
