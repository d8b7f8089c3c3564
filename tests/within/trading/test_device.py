"""A device in one process: both roles at once, its events, its life, and what goes wrong."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

import tollbridge.within as door
from tests.processes import free_port
from tests.within.trading import market
from tests.within.trading.market import CARD, HERE, REJECTED, sold, taken
from tollbridge.faces.within.errors import (
    BadArgument,
    NotReady,
    PaymentUnknown,
    PeerRefused,
    PeerUnreachable,
    WithinError,
)
from tollbridge.ground.errors import JournalError
from tollbridge.ground.secret import Secret
from tollbridge.within import (
    BlockingDevice,
    Broadcast,
    Device,
    Meter,
    Options,
    Price,
    PricePerUnit,
    Purse,
    Service,
    Wallet,
    Wish,
    buy,
    events,
    finish,
    take,
)

SLOW = Price(1, "slow", PricePerUnit(25, "GBP"), 1, "kWh")
CHARGE = Service(service_id=1, name="Charge", service_type="energy", prices={1: SLOW})
PARK = Service(service_id=2, name="Parking", service_type="space", prices={1: SLOW})


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with market.psp(tmp_path_factory.mktemp("bank")) as running:
        yield running


def consuming(bank):
    return {"psp_name": "worldpayonlinepayments", "api_endpoint": f"{bank.url}/v1"}


async def setup(folder, name="Charger", **options):
    folder.mkdir(exist_ok=True)
    usual = {"host": HERE, "port": 0, "period_s": 0.05, "sweep_s": 0.1}
    made = Options(**usual | {"discovery_port": 9} | options)
    return await Device.setup(name, f"A {name}", HERE, folder=folder, options=made)


@contextlib.asynccontextmanager
async def open_shop(bank, folder, *services, **options):
    async with await setup(folder, **options) as device:
        for one in services or (CHARGE,):
            device.add_service(one)
        await device.init_producer(market.provider(bank.url))
        yield device


def meet(consumer, producer, bank, card=CARD):
    """Make a device the consumer of another, or of itself."""
    said = producer.broadcast()
    place = said.scheme, said.hostname, said.port_number, said.url_prefix
    consumer.init_consumer(*place, consumer.uid, card, consuming(bank))


async def agreed(device, units=8):
    await device.request_services()
    await device.get_service_prices(1)
    return await device.select_service(1, units, 1)


@pytest.mark.req("W-003", "W-022", "WX-036", "WX-040", "WX-043")
def test_one_device_sells_and_buys_at_once(bank, tmp_path):
    async def story():
        heard = []
        async with open_shop(bank, tmp_path) as device:
            device.set_event_handler(heard.append)
            meet(device, device, bank)
            paid = await device.make_payment(await agreed(device))
            begun = await device.begin_service_delivery(1, paid.token, 3)
            ended = await device.end_service_delivery(1, paid.token, begun.units)
            assert (begun.units, ended.units_remaining) == (3, 5)
        return [type(one).__name__ for one in heard]

    assert asyncio.run(story()) == [
        "ServicesDiscovered", "PricesAsked", "TotalAsked", "PaymentStarted", "PaymentEnded",
        "DeliveryBegun", "DeliveryEnded",
    ]  # fmt: skip
    assert sold(tmp_path) == 200


def test_a_step_that_is_missing_is_named(bank, tmp_path):
    async def story():
        async with await setup(tmp_path) as device:
            for call in (
                device.request_services(),
                device.get_service_prices(1),
                device.select_service(1, 1, 1),
            ):
                with pytest.raises(NotReady, match="call init_consumer first"):
                    await call
            for call in (device.start_service_broadcast(), device.metered("k", 1)):
                with pytest.raises(NotReady, match="call init_producer first"):
                    await call
            with pytest.raises(NotReady):
                device.broadcast()
            assert device.consumer is None
            with pytest.raises(BadArgument, match="psp config not set"):
                await device.init_producer({})
            await device.init_producer(market.provider(bank.url))
            with pytest.raises(BadArgument, match="a producer already"):
                await device.init_producer(market.provider(bank.url))
        for wrong in (("", "x"), ("x", "")):
            with pytest.raises(BadArgument, match="empty"):
                await Device.setup(*wrong, folder=tmp_path)

    asyncio.run(story())


def test_another_producer_is_bought_from_and_the_first_payment_still_finished(bank, tmp_path):
    before = taken(bank.folder)

    async def story():
        async with (
            open_shop(bank, tmp_path / "a") as first,
            open_shop(bank, tmp_path / "b") as second,
            await setup(tmp_path / "car", name="car", payment_limit_s=5) as car,
            market.Way(first.port) as way,
        ):
            place = "http://", HERE, way.port, "", car.uid, CARD, consuming(bank)
            car.init_consumer(*place)
            total = await agreed(car)
            way.trouble = lambda r: "cut" if r.startswith(b"POST /payment ") else "pass"
            with pytest.raises(PaymentUnknown):
                await car.make_payment(total)
            meet(car, second, bank)
            await car.make_payment(await agreed(car, 1))
            way.trouble = lambda _: "pass"
            car.init_consumer(*place)
            paid = await car.make_payment(total)
            assert (await car.begin_service_delivery(1, paid.token, 8)).units == 8

    asyncio.run(story())
    assert taken(bank.folder) - before == 225
    assert (sold(tmp_path / "a"), sold(tmp_path / "b")) == (200, 25)


@pytest.mark.req("WX-042")
def test_a_handler_that_fails_or_comes_late_changes_no_answer(bank, tmp_path, caplog):
    async def story():
        async with open_shop(bank, tmp_path) as device:
            meet(device, device, bank)

            def fails(_):
                raise ValueError("our handler")

            device.set_event_handler(fails)
            paid = await device.make_payment(await agreed(device))
            late = []
            device.set_event_handler(late.append)
            await device.begin_service_delivery(1, paid.token, 2)
            return late

    with caplog.at_level(logging.ERROR):
        late = asyncio.run(story())
    assert [type(one) for one in late] == [events.DeliveryBegun]
    assert "the event handler failed" in caplog.text
    assert "TEST_SU" not in caplog.text


@pytest.mark.req("W-048", "WX-027", "WX-028")
def test_services_and_prices_change_while_it_is_open_and_what_is_agreed_stays(bank, tmp_path):
    async def story():
        async with open_shop(bank, tmp_path) as device:
            meet(device, device, bank)
            with pytest.raises(BadArgument, match="already exists"):
                device.add_service(CHARGE)
            with pytest.raises(BadArgument, match="below zero"):
                device.add_service(
                    replace(PARK, prices={1: replace(SLOW, per_unit=PricePerUnit(-1, "GBP"))})
                )
            device.add_service(PARK)
            assert device.broadcast().service_types == ("energy", "space")
            assert [one.service_id for one in await device.request_services()] == [1, 2]
            total = await agreed(device)
            dear = replace(SLOW, per_unit=PricePerUnit(900, "GBP"))
            device.catalogue.replace(replace(CHARGE, prices={1: dear}))
            paid = await device.make_payment(total)
            assert paid.total_paid_minor == 200
            device.remove_service(1)
            device.remove_service(1)
            with pytest.raises(PeerRefused, match="Service not found"):
                await device.get_service_prices(1)
            with pytest.raises(PeerRefused, match="Service not found"):
                await device.begin_service_delivery(1, paid.token, 1)
            device.add_service(CHARGE)
            assert (await device.begin_service_delivery(1, paid.token, 1)).units == 1

    asyncio.run(story())


@pytest.mark.req("W-178")
def test_a_card_that_is_declined_leaves_the_total_to_another(bank, tmp_path):
    before = taken(bank.folder)

    async def story():
        async with open_shop(bank, tmp_path) as device:
            meet(device, device, bank, REJECTED)
            total = await agreed(device)
            with pytest.raises(WithinError) as refused:
                await device.make_payment(total)
            assert "4000000000000002" not in str(refused.value)
            meet(device, device, bank)
            assert (await device.make_payment(total)).total_paid_minor == 200

    asyncio.run(story())
    assert taken(bank.folder) - before == 200


@pytest.mark.req("WX-031")
def test_what_the_meter_says_counts_also_for_a_consumer_that_goes_away(bank, tmp_path):
    async def story():
        shown = []
        async with open_shop(bank, tmp_path) as device:
            full = asyncio.Event()

            def show(begun, units):
                shown.append(units)
                if units == begun.units:
                    full.set()

            meter = Meter(device, {1: 0.01}, show)
            device.set_event_handler(meter.hear)
            meet(device, device, bank)
            paid = await device.make_payment(await agreed(device))
            await device.begin_service_delivery(1, paid.token, 5)
            await asyncio.wait_for(full.wait(), 10)
            ended = await device.end_service_delivery(1, paid.token, 0)
            assert (ended.units_just_supplied, ended.units_remaining) == (5, 3)
            assert await device.metered(paid.token.key, 2) == 3
            begun = await device.begin_service_delivery(1, paid.token, 9)
            assert begun.units == 3
            assert await device.metered(paid.token.key, 2) == 0
            await device.metered(paid.token.key, -5)  # a meter does not run backwards
            ended = await device.end_service_delivery(1, paid.token, 0)
            assert ended.units_just_supplied >= 2
            with pytest.raises(BadArgument, match="Unable to find order"):
                await device.metered(Secret("no token of ours"), 1)
        return shown

    assert asyncio.run(story())[:5] == [1, 2, 3, 4, 5]


@pytest.mark.req("W-024", "WX-005", "WX-006")
def test_it_speaks_until_the_time_is_over_or_it_is_stopped(bank, tmp_path):
    port = market.udp_port()

    async def story():
        async with open_shop(bank, tmp_path / "a", discovery_port=port) as device:
            other = await setup(tmp_path / "b", name="car", discovery_port=port)
            await device.start_service_broadcast(0.3)
            found = await other.search_for_device(0.2, "Charger")
            assert found == device.broadcast()
            assert await other.search_for_device(0.1, "charger") is None
            await asyncio.sleep(0.2)
            assert await other.device_discovery(0.15) == []
            await device.start_service_broadcast()
            await device.start_service_broadcast()
            assert [one.server_id for one in await other.device_discovery(0.15)] == [device.uid]
            await device.stop_service_broadcast()
            await device.stop_service_broadcast()
            assert await other.device_discovery(0.15) == []
            await other.close()

    asyncio.run(story())


@pytest.mark.req("W-241", "WX-001")
def test_a_device_is_found_with_dns_sd_if_it_is_asked_for(bank, tmp_path):
    pytest.importorskip("zeroconf")

    async def story():
        # Broadcasts go where nobody listens: only the announcement can be heard.
        async with open_shop(bank, tmp_path / "a", mdns=True, discovery_port=9) as device:
            await device.start_service_broadcast()
            port = market.udp_port()
            async with await setup(tmp_path / "b", "car", mdns=True, discovery_port=port) as car:
                deadline = time.monotonic() + 10
                found = None
                while found is None and time.monotonic() < deadline:
                    found = await car.search_for_device(0.5, "Charger")
            assert found is not None
            assert (found.server_id, found.url) == (device.uid, device.broadcast().url)

    asyncio.run(story())


def test_a_port_or_a_journal_that_is_taken_is_said_and_all_is_let_go(bank, tmp_path):
    async def story():
        async with open_shop(bank, tmp_path / "a") as first:
            second = await setup(tmp_path / "b", port=first.port)
            with pytest.raises(WithinError) as failed:
                await second.init_producer(market.provider(bank.url))
            assert (failed.value.id, failed.value.category) == ("LISTEN_FAILED", "NET")
            third = await setup(tmp_path / "a", port=(port := free_port()))
            with pytest.raises(JournalError, match=r"within\.sqlite"):
                await third.init_producer(market.provider(bank.url))
            with contextlib.closing(market.socket.create_server((HERE, port))):
                pass  # the port was given back
            fourth = await setup(tmp_path / "c", port=70_000)
            with pytest.raises(WithinError, match="LISTEN_FAILED"):
                await fourth.init_producer(market.provider(bank.url))
            for one in (second, third, fourth):
                await one.close()
                await one.close()
        await first.close()
        async with open_shop(bank, tmp_path / "a") as again:
            assert again.uid == first.uid

    asyncio.run(story())


def test_a_purchase_goes_on_with_the_wallet_alone(bank, tmp_path):
    async def story():
        async with open_shop(bank, tmp_path / "a") as device:
            purse = Purse("car", CARD, consuming(bank), Wallet(tmp_path / "w"), Options())
            bought = await buy(device.broadcast(), Wish(units=8), purse)
            # A consumer that dies in a delivery holds units; the next one gets them all the same.
            meet(device, device, bank)
            meet_as = device.consumer
            meet_as.client_id = "car"
            await meet_as.begin_service_delivery(1, bought.token, 8)
            again = Purse("car", CARD, consuming(bank), Wallet(tmp_path / "w"), Options())
            kept = again.wallet.get(bought.reference[:4])
            assert await finish(kept, again) == kept
            assert (await take(kept, 8, again)).remaining == 0

    asyncio.run(story())


def test_a_wallet_that_cannot_be_kept_or_read_is_said(tmp_path):
    (tmp_path / "w").mkdir()
    with pytest.raises(BadArgument, match="cannot read the wallet"):
        Wallet(tmp_path / "w")
    (tmp_path / "x").write_text('[{"paid": 1}]')
    with pytest.raises(BadArgument, match="is not a wallet"):
        Wallet(tmp_path / "x")
    with pytest.raises(WithinError, match="cannot write the wallet"):
        Wallet(tmp_path / "nowhere" / "w").forget("r")


# Without await


def blocking(folder, name, **options):
    folder.mkdir(exist_ok=True)
    made = Options(host=HERE, port=0, period_s=0.05, **{"discovery_port": 9} | options)
    return BlockingDevice.setup(name, f"A {name}", HERE, folder=folder, options=made)


def threads():
    """The loops that run for somebody without one."""
    return {one for one in threading.enumerate() if one.name == "tollbridge"}


def test_a_script_sells_and_buys_without_await(bank, tmp_path):
    port, heard, before = market.udp_port(), [], threads()
    with (
        blocking(tmp_path / "a", "Charger", discovery_port=port) as pump,
        blocking(tmp_path / "b", "car", discovery_port=port) as car,
    ):
        pump.add_service(CHARGE)
        pump.set_event_handler(heard.append)
        pump.init_producer(market.provider(bank.url))
        pump.start_service_broadcast()
        found = car.search_for_device(0.3, "Charger")
        assert isinstance(found, Broadcast)
        place = found.scheme, found.hostname, found.port_number, found.url_prefix
        car.init_consumer(*place, car.uid, CARD, consuming(bank))
        assert [one.name for one in car.request_services()] == ["Charge"]
        total = car.select_service(1, 8, 1)
        token = car.make_payment(total).token
        assert car.begin_service_delivery(1, token, 8).units == 8
        assert car.end_service_delivery(1, token, 8).units_remaining == 0
        purse = Purse(car.uid, CARD, consuming(bank), Wallet(tmp_path / "w"), Options())
        assert car.run(buy(found, Wish(units=2), purse)).remaining == 2
        assert pump.port == found.port_number
        assert {"make_payment", "port", "run", "close"} <= set(dir(car))
        with pytest.raises(PeerRefused, match="Service not found"):
            car.get_service_prices(9)
        with pytest.raises(AttributeError):
            _ = car.nothing
        assert heard
    pump.close()
    with pytest.raises(RuntimeError, match="closed"):
        car.request_services()
    assert threads() == before


def test_a_device_that_cannot_be_set_up_leaves_no_thread(tmp_path):
    before = threads()
    with pytest.raises(BadArgument, match="empty name"):
        BlockingDevice.setup("", "x", folder=tmp_path)
    assert threads() == before


def test_a_handler_that_calls_the_device_is_told_not_to(bank, tmp_path):
    said = []
    with blocking(tmp_path, "Charger") as device:

        def hear(_):
            try:
                device.remove_service(1)
            except RuntimeError as error:
                said.append(str(error))

        device.add_service(CHARGE)
        device.set_event_handler(hear)
        device.init_producer(market.provider(bank.url))
        where = device.broadcast()
        device.init_consumer(where.scheme, HERE, device.port, "", "car", CARD, consuming(bank))
        device.request_services()
    assert said == ["an event handler may not call the device"]


SCRIPT = """
import sys
from pathlib import Path
from tollbridge.within import BlockingDevice, Options

with BlockingDevice.setup("car", "A car", "127.0.0.1", folder=Path(sys.argv[1]),
                          options=Options(discovery_port=int(sys.argv[2]))) as car:
    print("looking", flush=True)
    try:
        car.device_discovery(60)
    finally:
        print("left", flush=True)
"""


def test_ctrl_c_ends_a_script_at_once_and_cleanly(tmp_path):
    port = str(market.udp_port())
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), port],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip
    assert script.stdout.readline() == "looking\n"
    time.sleep(0.1)
    script.send_signal(signal.SIGINT)
    out, err = script.communicate(timeout=10)
    assert out == "left\n"
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert "never awaited" not in err
    assert "destroyed" not in err


def test_a_producer_that_is_gone_is_unreachable_without_await_too(bank, tmp_path):
    with blocking(tmp_path, "car") as car:
        car.init_consumer("http://", HERE, free_port(), "", "car", CARD, consuming(bank))
        with pytest.raises(PeerUnreachable):
            car.request_services()


def test_the_door_of_things_opens_to_what_it_names():
    assert door.__all__ == sorted(door.__all__)
    assert set(door._ROOM_OF) == set(door.__all__)
    for name in door.__all__:
        assert getattr(door, name).__name__.rpartition(".")[2] == name
    with pytest.raises(AttributeError, match=r"tollbridge\.within has no nothing"):
        _ = door.nothing
    script = "import sys, tollbridge.within; assert 'asyncio' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
