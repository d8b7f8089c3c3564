"""What the architecture page says of a device, shown on devices that trade over sockets."""

import asyncio
import base64
import inspect
import json
import logging
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.psp.authority import Authority
from tests.within.bench import (
    CLIENT,
    CLIENT_KEY,
    HERE,
    NUMBER,
    SERVER,
    SERVICE_KEY,
    WATER,
    Market,
    Provider,
    card,
    device,
    free_udp_port,
    psp,
)
from tollbridge.engine.transport import trusting
from tollbridge.faces.within import events, tokens
from tollbridge.faces.within.errors import BadArgument, PeerRefused, TokenRefused
from tollbridge.faces.within.messages import DeliveryToken
from tollbridge.faces.within.orders import Order
from tollbridge.ground.clock import Instant
from tollbridge.ground.secret import Secret
from tollbridge.within.device import Device
from tollbridge.within.identity import signed_by

ROOT = Path(__file__).parents[2]
HOLDER = "Adamantina Fieldington"
DISTINCT = replace(card(cvc="9174"), first_name="Adamantina", last_name="Fieldington")
CARD = (NUMBER, '"9174"', *HOLDER.split())


def bench(story, folder, *services, **options):
    """Run a story on a market of its own."""

    async def main():
        async with Market(folder, *services, **options) as market:
            await story(market)

    asyncio.run(main())


# One device, both sides


@pytest.mark.req("W-001", "W-005", "W-006", "W-007", "W-009", "W-010", "W-011", "W-019")
def test_two_devices_sell_to_one_another_and_each_to_itself_at_once(tmp_path):
    """The application calls devices, and nothing else: no message is its business."""

    async def main():
        async with (
            Provider(tmp_path / "provider") as provider,
            await device(tmp_path / "a", "a") as first,
            await device(tmp_path / "b", "b") as second,
        ):
            both = (first, second)
            for one in both:
                one.add_service(WATER)
                await one.init_producer(psp(provider.port))

            async def trades(buyer, seller, units):
                where = seller.broadcast()
                address = where.scheme, where.hostname, where.port_number, where.url_prefix
                buyer.init_consumer(*address, buyer.uid, card(), psp(provider.port))
                [service] = await buyer.request_services()
                prices = await buyer.get_service_prices(service.service_id)
                cheapest = min(prices, key=lambda price: price.per_unit.amount_minor)
                total = await buyer.select_service(service.service_id, units, cheapest.price_id)
                paid = await buyer.make_payment(total)
                begun = await buyer.begin_service_delivery(
                    service.service_id, paid.token, total.units
                )
                ended = await buyer.end_service_delivery(
                    service.service_id, paid.token, begun.units
                )
                assert (ended.server_id, ended.units_remaining) == (seller.uid, 0)

            await asyncio.gather(trades(first, second, 1), trades(second, first, 2))
            await asyncio.gather(trades(first, first, 3), trades(second, second, 4))
            assert provider.taken_minor == 325 * (1 + 2 + 3 + 4)

    asyncio.run(main())


@pytest.mark.req("W-011")
def test_every_capability_is_a_public_call_with_a_word_about_it():
    calls = {
        name: call
        for name, call in inspect.getmembers(Device, callable)
        if not name.startswith("_")
    }
    needed = {
        "setup", "add_service", "remove_service", "init_producer", "start_service_broadcast",
        "stop_service_broadcast", "device_discovery", "search_for_device", "init_consumer",
        "request_services", "get_service_prices", "select_service", "make_payment",
        "begin_service_delivery", "end_service_delivery", "set_event_handler", "close",
    }  # fmt: skip
    assert needed <= set(calls)
    for name, call in calls.items():
        assert inspect.getdoc(call), name


@pytest.mark.req("W-003", "W-004", "W-019", "W-020", "W-021", "W-022", "W-023", "W-037", "W-038")
def test_the_four_phases_follow_one_another_over_udp_and_http(tmp_path):
    """Discovered by a datagram; what it says is all that is used to get to the producer."""
    port = free_udp_port()

    async def story(market):
        await market.producer.start_service_broadcast()
        found = await market.consumer.search_for_device(0.5, "pump-17")
        assert found.server_id == SERVER
        await market.producer.stop_service_broadcast()
        told = len(market.told)
        assert told == 0, "a broadcast asks nothing"
        market.consumer.init_consumer(
            found.scheme, found.hostname, found.port_number, found.url_prefix,
            market.consumer.uid, card(), market.paying,
        )  # fmt: skip
        _, paid = await market.buys(units=2)
        await market.consumer.begin_service_delivery(3, paid.token, 2)
        await market.consumer.end_service_delivery(3, paid.token, 2)
        assert [type(event) for event in market.told] == [
            events.ServicesDiscovered,  # discover
            events.PricesAsked,  # select
            events.TotalAsked,
            events.PaymentStarted,  # pay
            events.PaymentEnded,
            events.DeliveryBegun,  # release
            events.DeliveryEnded,
        ]

    bench(story, tmp_path, discovery_port=port)


@pytest.mark.req("W-019", "W-045")
def test_no_phase_can_be_left_out(tmp_path):
    async def story(market):
        total, _ = await market.buys(units=2)
        never_paid = await market.consumer.select_service(3, 2, 2)
        forged = tokens.key_of(b"x" * 32, never_paid.payment_reference)
        with pytest.raises(PeerRefused, match="Order not found"):
            await market.consumer.begin_service_delivery(3, DeliveryToken(forged), 1)
        with pytest.raises(PeerRefused, match="Unable to find order"):
            await market.consumer.make_payment(replace(total, payment_reference="never selected"))
        assert market.provider.taken_minor == 650

    bench(story, tmp_path)


# Secrets


@pytest.mark.req("W-012", "W-088", "W-084")
def test_no_byte_of_a_card_reaches_the_producer(tmp_path, caplog):
    """Every byte the consumer says to the producer is kept and searched."""
    caplog.set_level(logging.DEBUG)

    async def story(market):
        market.meet(market.counter.port, DISTINCT)
        _, paid = await market.buys()
        await market.consumer.begin_service_delivery(3, paid.token, 6)
        await market.consumer.end_service_delivery(3, paid.token, 6)
        assert len(market.counter.requests) == 6
        for secret in CARD:
            assert secret.encode() in market.cards.asked
            assert secret.encode() not in market.counter.asked, secret
            assert secret.encode() not in market.orders.asked, secret
            assert secret not in repr(market.told)
        assert NUMBER not in repr(vars(market.consumer.consumer))

    bench(story, tmp_path)
    files = [file for name in ("pump", "lawn") for file in (tmp_path / name).iterdir()]
    assert len(files) > 2
    for secret in (NUMBER, '"9174"'):
        assert not any(secret.encode() in file.read_bytes() for file in files), secret
        assert secret not in caplog.text
    assert "/v1/orders" in caplog.text  # so what passes is logged, but for its secrets


@pytest.mark.req("W-013", "W-089")
def test_no_byte_of_the_service_key_reaches_the_consumer(tmp_path, caplog):
    """Every byte the consumer hears, from the producer and from the provider, is searched."""
    caplog.set_level(logging.DEBUG)

    async def story(market):
        await market.buys()
        heard = market.counter.answered + market.cards.answered
        assert CLIENT_KEY.encode() in heard
        assert SERVICE_KEY.encode() not in heard
        assert SERVICE_KEY.encode() not in market.counter.asked + market.cards.asked
        assert market.orders.requests[0].headers["authorization"] == SERVICE_KEY
        assert SERVICE_KEY not in repr(market.told)

    bench(story, tmp_path)
    assert SERVICE_KEY not in caplog.text
    for one in (*(tmp_path / "pump").iterdir(), *(tmp_path / "lawn").iterdir()):
        assert SERVICE_KEY.encode() not in one.read_bytes(), one


@pytest.mark.req("W-012", "W-013")
def test_what_an_application_hears_shows_no_secret(tmp_path):
    async def story(market):
        _, paid = await market.buys()
        await market.consumer.begin_service_delivery(3, paid.token, 1)
        await market.consumer.end_service_delivery(3, paid.token, 1)
        [started] = [event for event in market.told if isinstance(event, events.PaymentStarted)]
        for secret in (started.client_token.reveal(), paid.token.key.reveal()):
            assert len(secret) > 20
            assert secret not in repr(market.told)
            assert secret not in repr(paid)

    bench(story, tmp_path)


# Tokens


@pytest.mark.req("W-014", "W-015", "W-185")
def test_a_token_is_signed_by_the_device_whose_key_is_published(tmp_path):
    async def story(market):
        total, paid = await market.buys()
        published = json.loads(market.counter.answers[0].body)["publicKey"]
        token = paid.token
        signature = base64.b64decode(token.signature)
        bought = Order(
            reference=total.payment_reference, client_id=CLIENT, service_id=3,
            service_name=WATER.name, price_id=2, units=6, per_unit_minor=325, currency="GBP",
            refund_on_expiry=False, quoted=Instant(0),
        )  # fmt: skip

        def genuine(order=bought, key=token.key, expiry=token.expiry):
            text = tokens.signed_text(key, order, token.issued, expiry)
            return signed_by(published, text, signature)

        assert genuine()
        assert not genuine(replace(bought, units=7))
        assert not genuine(replace(bought, client_id="somebody else"))
        assert not genuine(replace(bought, service_id=4))
        assert not genuine(expiry="2999-01-01T00:00:00Z")
        assert not genuine(key=Secret("another"))

    bench(story, tmp_path)


@pytest.mark.req("W-015", "W-185", "W-199")
def test_only_the_key_of_a_token_opens_anything_and_only_to_its_client(tmp_path):
    """A forged signature or expiry changes nothing; another key or client is refused."""

    async def story(market):
        _, paid = await market.buys()
        _, other = await market.buys(units=1)
        forged = DeliveryToken(paid.token.key, expiry="2999-01-01T00:00:00Z", signature="Zm9y")
        assert (await market.consumer.begin_service_delivery(3, forged, 2)).units == 2
        assert paid.token.key != other.token.key
        stolen = market.consumer
        stolen.init_consumer("http://", HERE, market.producer.port, "", "thief", card(), psp(1))
        with pytest.raises(PeerRefused, match="Client ID does not match"):
            await stolen.begin_service_delivery(3, paid.token, 1)
        guessed = DeliveryToken(Secret("A" * 32))
        with pytest.raises(PeerRefused, match="Order not found"):
            await stolen.begin_service_delivery(3, guessed, 1)

    bench(story, tmp_path)


@pytest.mark.req("W-016", "W-018", "W-143", "W-189", "W-190", "W-191", "W-192", "W-193")
def test_what_was_paid_is_supplied_in_parts_by_a_producer_that_was_closed_meanwhile(tmp_path):
    async def story(market):
        _, paid = await market.buys()
        supplied = []

        async def session(units):
            begun = await market.consumer.begin_service_delivery(3, paid.token, units)
            ended = await market.consumer.end_service_delivery(3, paid.token, begun.units)
            supplied.append((begun.units, ended.units_remaining))

        await session(4)
        await market.producer.close()
        async with await device(market.folder / "pump", "pump-17") as again:
            again.add_service(WATER)
            await again.init_producer(psp(market.orders.port))
            market.meet(again.port)
            while supplied[-1][0]:
                await session(5)
        assert supplied == [(4, 2), (2, 0), (0, 0)]

    bench(story, tmp_path)


# Payment in two stages


@pytest.mark.req("W-081", "W-082", "W-083", "W-085", "W-086", "W-087", "W-089", "W-090", "W-091",
                 "W-092", "W-093", "W-094", "W-126", "W-134", "W-135", "W-136", "W-137", "W-138",
                 "W-139", "W-141", "W-142", "W-177", "W-178")  # fmt: skip
def test_a_payment_has_two_stages_each_with_its_own_side(tmp_path):
    async def story(market):
        total = await market.consumer.select_service(3, 6, 2)
        assert market.cards.requests == market.orders.requests == []
        secret = await market.consumer.consumer.prepare_payment(total)
        # Stage 1: the consumer, the card and the merchant's public key; nothing is paid.
        [first] = market.cards.requests
        assert first.first == "POST /v1/tokens HTTP/1.1"
        asked = json.loads(first.body)
        assert asked["clientKey"] == total.merchant_client_key == CLIENT_KEY
        assert asked["paymentMethod"]["cardNumber"] == NUMBER
        assert (asked["paymentMethod"]["expiryMonth"], asked["paymentMethod"]["expiryYear"]) == (
            11, 2033)  # fmt: skip
        assert json.loads(market.cards.answers[0].body)["token"] == secret.reveal()
        assert market.orders.requests == []
        assert market.provider.taken_minor == 0
        # Stage 2: the producer, the client token and its service key.
        paid = await market.consumer.make_payment(total)
        assert len(market.cards.requests) == 1
        [second] = market.orders.requests
        assert second.first == "POST /v1/orders HTTP/1.1"
        assert second.headers["authorization"] == SERVICE_KEY
        asked = json.loads(second.body)
        assert asked["token"] == secret.reveal()
        assert (asked["amount"], asked["currencyCode"]) == (1950, "GBP")
        assert json.loads(market.orders.answers[0].body)["paymentStatus"] == "SUCCESS"
        assert market.provider.taken_minor == paid.total_paid_minor == 1950
        passed = json.loads(market.counter.requests[-1].body)
        assert passed["clientToken"] == secret.reveal()

    bench(story, tmp_path)


@pytest.mark.req("W-132", "W-131", "W-096")
def test_every_payment_has_a_client_token_of_its_own(tmp_path):
    async def story(market):
        await market.buys(units=1)
        await market.buys(units=1)
        given = {json.loads(one.body)["token"] for one in market.cards.answers}
        assert len(given) == 2
        assert all(json.loads(one.body)["reusable"] is False for one in market.cards.requests)
        used = [json.loads(one.body)["token"] for one in market.orders.requests]
        assert set(used) == given

    bench(story, tmp_path)


@pytest.mark.req("W-085", "W-178")
def test_a_card_the_provider_refuses_gets_no_token_and_the_producer_hears_nothing(tmp_path):
    async def story(market):
        market.meet(market.counter.port, card(year=2001))
        total = await market.consumer.select_service(3, 6, 2)
        with pytest.raises(TokenRefused, match="INVALID_PAYMENT_DETAILS"):
            await market.consumer.make_payment(total)
        assert len(market.counter.requests) == 1
        assert market.provider.taken_minor == 0

    bench(story, tmp_path)


@pytest.mark.req("W-127", "W-140")
def test_both_stages_go_over_tls_and_to_nobody_who_cannot_prove_who_he_is(tmp_path):
    authority = Authority(tmp_path, "ours")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*authority.certificate())

    async def story(market):
        assert market.paying["api_endpoint"].startswith("https://")
        _, paid = await market.buys()
        assert paid.total_paid_minor == market.provider.taken_minor == 1950
        assert len(market.cards.requests) == len(market.orders.requests) == 1

    async def mistrust(market):
        with pytest.raises(TokenRefused, match="not reached"):
            await market.buys()
        total = await market.consumer.select_service(3, 6, 2)
        market.consumer.consumer.remember(total.payment_reference, Secret("TEST_SU_1"))
        with pytest.raises(PeerRefused, match="Unable to process payment"):
            await market.consumer.make_payment(total)
        assert market.cards.asked == market.orders.asked == b""

    bench(story, tmp_path / "trusting", tls=tls, trust=trusting(authority.file))
    stranger = trusting(Authority(tmp_path, "stranger").file)
    bench(mistrust, tmp_path / "mistrusting", tls=tls, trust=stranger)


@pytest.mark.req("W-127", "W-140")
@pytest.mark.parametrize("host", ["192.0.2.7", "psp.example", "127.0.0.1.example", "[2001:db8::1]"])
def test_a_provider_beyond_this_machine_is_not_talked_to_over_plain_http(tmp_path, host):
    async def main():
        plain = psp(80, host=host)
        async with await device(tmp_path, "careful") as careful:
            with pytest.raises(BadArgument, match="https is needed"):
                await careful.init_producer(plain)
            with pytest.raises(BadArgument, match="plain http"):
                careful.init_consumer("http://", HERE, 1, "", CLIENT, card(), plain)
        async with await device(tmp_path, "test bench", allow_plain_provider=True) as careless:
            await careless.init_producer(plain)
            careless.init_consumer("http://", HERE, 1, "", CLIENT, card(), plain)

    asyncio.run(main())


# What a producer says about itself


@pytest.mark.req("W-024", "W-028", "W-034", "W-036", "W-050", "W-068", "W-181", "W-187", "W-194",
                 "W-201", "W-212")  # fmt: skip
def test_a_producer_is_heard_before_and_after_a_payment_with_one_id_everywhere(tmp_path):
    port = free_udp_port()

    async def story(market):
        await market.producer.start_service_broadcast()
        [before] = await market.consumer.device_discovery(0.4)
        _, paid = await market.buys()
        [after] = await market.consumer.device_discovery(0.4)
        begun = await market.consumer.begin_service_delivery(3, paid.token, 2)
        [during] = await market.consumer.device_discovery(0.4)
        ended = await market.consumer.end_service_delivery(3, paid.token, 2)
        assert before == after == during == market.producer.broadcast()
        said = {json.loads(one.body)["serverID"] for one in market.counter.answers}
        assert said == {before.server_id, begun.server_id, ended.server_id} == {SERVER}
        assert len(market.counter.answers) == 6

    bench(story, tmp_path, discovery_port=port)


# Small machines

SMALL = """
import asyncio, sys, time
from pathlib import Path
from tests.within.bench import WATER, card, device, psp

def peak_kib():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").open())
    return int(status["VmHWM"].split()[0])

async def main():
    base = peak_kib()
    pump = await device(Path(sys.argv[1]), "pump")
    pump.add_service(WATER)
    await pump.init_producer(psp(1))
    pump.init_consumer("http://", "127.0.0.1", pump.port, "", "small", card(), psp(1))
    ticks = 0
    async def own_program():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1
    own = asyncio.create_task(own_program())
    for _ in range(200):
        await pump.select_service(3, 1, 1)
    peak = peak_kib()
    assert ticks > 10, ticks
    cpu = time.process_time()
    await asyncio.sleep(0.5)
    own.cancel()
    idle = (time.process_time() - cpu) / 0.5
    await pump.close()
    print(base, peak, idle)
asyncio.run(main())
"""


@pytest.mark.req("W-008")
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory it needed")
def test_a_device_is_small_idle_when_nobody_asks_and_leaves_room_for_its_owners_program(tmp_path):
    """Runs inside the owner's loop; memory as a whole, with Python itself, stays in 96 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", SMALL, str(tmp_path)], capture_output=True, text=True, check=False,
        cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    base_kib, peak_kib, idle = map(float, done.stdout.split())
    assert peak_kib < 96 * 1024
    assert peak_kib - base_kib < 32 * 1024
    assert idle < 0.5  # its owner's own thousand ticks a second are in it
