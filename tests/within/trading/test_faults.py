"""Trouble on every way: what was charged is supplied, what was not is not, nothing is paid twice.

Producer and payment provider are processes. The oracle is the card network's own book.
"""

import asyncio
import contextlib
import json
import random
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from tests.processes import free_port
from tests.within.trading import market
from tests.within.trading.market import CARD, HERE, Way, answer, offer, producer, sold, taken, told
from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.within.errors import (
    AddressRefused,
    PaymentUnknown,
    PeerNonsense,
    PeerRefused,
    PeerUnreachable,
    TokenRefused,
)
from tollbridge.faces.within.messages import Broadcast, Total
from tollbridge.wire.http import JSON, Request
from tollbridge.within import provider
from tollbridge.within.buying import Purse, Wish, buy, finish, take
from tollbridge.within.consumer import Consumer
from tollbridge.within.device import Device
from tollbridge.within.finding import discover
from tollbridge.within.options import Options
from tollbridge.within.radio import Beacon
from tollbridge.within.wallet import WALLET, Wallet

UNITS, COST = 8, 200
WISH = Wish(units=UNITS)
CLIENT = "c0a8e1f2-3b64-4d09-8e5f-71a2b3c4d5e6"
LEARNED_S = 20


def at(url, **more):
    """The broadcast of whoever serves there."""
    return Broadcast(scheme="http://", hostname=HERE, port_number=market.port_of(url), **more)


def purse(folder, psp_url, client=CLIENT, **options):
    folder.mkdir(exist_ok=True)
    settings = {"psp_name": "worldpayonlinepayments", "api_endpoint": f"{psp_url}/v1"}
    return Purse(client, CARD, settings, Wallet(folder / WALLET), Options(folder=folder, **options))


async def learned(purchase, money):
    """Ask what became of a payment until it is known."""
    deadline = time.monotonic() + LEARNED_S
    while True:
        try:
            return await finish(purchase, money)
        except PaymentUnknown:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


async def everything(purchase, money):
    """Take all that was bought."""
    done = await take(purchase, purchase.total.units, money)
    assert done.remaining == 0
    return done


def orders(way):
    return [one for one in way.seen if one.startswith(b"POST /v1/orders ")]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """A payment provider's process, for everybody."""
    with market.psp(tmp_path_factory.mktemp("bank")) as running:
        yield running


@contextlib.asynccontextmanager
async def street(bank, folder, **options):
    """A producer whose way to the bank can fail; gives producer and way."""
    async with Way(market.port_of(bank.url)) as way:
        selling = producer(
            folder, offer(folder, psp=way.url, **options), port=free_port(),
            discovery=market.udp_port(),
        )  # fmt: skip
        await asyncio.to_thread(selling.start)
        try:
            yield selling, way
        finally:
            selling.__exit__()


class Growth:
    """What the card network took since the beginning of a test."""

    def __init__(self, bank):
        self.folder = bank.folder
        self.before = taken(bank.folder)

    @property
    def minor(self):
        return taken(self.folder) - self.before


@pytest.mark.req("W-018", "W-143", "WX-018")
def test_a_producer_killed_right_after_the_charge_still_owes_and_gives_the_token(bank, tmp_path):
    growth, money = Growth(bank), purse(tmp_path / "car", bank.url)

    async def story():
        async with street(bank, tmp_path) as (selling, way):

            def dies(answered):
                assert b"SUCCESS" in answered
                selling.kill()
                return b""

            way.trouble = lambda r: dies if r.startswith(b"POST /v1/orders ") else "pass"
            with pytest.raises(PaymentUnknown):
                await buy(at(selling.url), WISH, money)
            [kept] = money.wallet.purchases
            assert kept.token is None
            with pytest.raises(PeerUnreachable):
                await finish(kept, money)
            assert growth.minor == COST
            way.trouble = lambda _: "pass"
            await asyncio.to_thread(selling.start)
            again = purse(tmp_path / "car", bank.url)  # the consumer starts again, too
            [kept] = again.wallet.purchases
            paid = await learned(kept, again)
            assert (await learned(kept, again)).token == paid.token
            await everything(paid, again)
            assert len(orders(way)) == 1

    asyncio.run(story())
    assert growth.minor == COST == sold(tmp_path / "producer")


def test_what_the_provider_could_not_be_asked_is_not_paid_and_payable_later(bank, tmp_path):
    growth = Growth(bank)

    async def story():
        async with (
            Way(market.port_of(bank.url)) as way,
            await Device.setup("car", "A car", HERE, folder=tmp_path) as car,
        ):
            file = offer(tmp_path, psp=way.url)
            with producer(tmp_path, file, discovery=market.udp_port()) as selling:
                where = at(selling.url)
                psp = {"psp_name": "worldpayonlinepayments", "api_endpoint": f"{bank.url}/v1"}
                port = where.port_number
                car.init_consumer(where.scheme, where.hostname, port, "", car.uid, CARD, psp)
                total = await car.select_service(1, UNITS, 1)
                way._server.close()
                await way._server.wait_closed()
                for _ in range(2):
                    with pytest.raises(PeerRefused) as refused:
                        await car.make_payment(total)
                    assert (refused.value.status, refused.value.number) == (500, 13)
                assert growth.minor == 0
                way._server = await asyncio.start_server(way._carry, HERE, way.port)
                paid = await car.make_payment(total)
                assert (await car.make_payment(total)).token == paid.token
                begun = await car.begin_service_delivery(1, paid.token, UNITS)
                assert begun.units == UNITS

    asyncio.run(story())
    assert growth.minor == COST == sold(tmp_path / "producer")


@pytest.mark.req("W-142", "W-178", "WX-018")
def test_an_answer_that_is_lost_or_wrong_is_learned_later_and_charged_once(bank, tmp_path):
    growth = Growth(bank)
    lies = {
        "lost": "cut",
        "garbage": answer(200, b"<html>hello</html>", "text/html"),
        "an empty object": answer(200, {}),
        "another amount": answer(200, {"orderCode": "x", "paymentStatus": "SUCCESS",
                                       "amount": 900, "currencyCode": "GBP"}),
        "broken": answer(500, {"message": "oops"}),
        "no HTTP": b"\x00\x01\x02\r\n\r\n",
    }  # fmt: skip

    async def story():
        hits = []
        elsewhere = await asyncio.start_server(lambda *_: hits.append(_), HERE, 0)
        port = elsewhere.sockets[0].getsockname()[1]
        moved = f"location: http://{HERE}:{port}/v1/orders\r\n"
        for status in (301, 307):
            lies[f"moved {status}"] = answer(status, b"", more=moved)
        async with street(bank, tmp_path) as (selling, way):

            async def one(name, lie):
                money = purse(tmp_path / name, bank.url, client=name)
                way.trouble = lambda r: lie if r.startswith(b"POST /v1/orders ") else "pass"
                with pytest.raises(PaymentUnknown):
                    await buy(at(selling.url), WISH, money)
                [kept] = money.wallet.purchases
                way.trouble = lambda _: "pass"
                return kept, money

            doubtful = [await one(name, lie) for name, lie in lies.items()]
            for kept, money in doubtful:
                await everything(await learned(kept, money), money)
            assert len(orders(way)) == len(lies)
        elsewhere.close()
        assert hits == []

    asyncio.run(story())
    assert growth.minor == COST * len(lies) == sold(tmp_path / "producer")


def test_a_request_that_may_have_arrived_stays_unknown_and_is_never_sent_again(bank, tmp_path):
    growth, money = Growth(bank), purse(tmp_path / "car", bank.url)

    async def story():
        async with street(bank, tmp_path) as (selling, way):
            way.trouble = lambda r: "refuse" if r.startswith(b"POST /v1/orders ") else "pass"
            with pytest.raises(PaymentUnknown):
                await buy(at(selling.url), WISH, money)
            way.trouble = lambda _: "pass"
            [kept] = money.wallet.purchases
            for _ in range(10):
                with pytest.raises(PaymentUnknown):
                    await finish(kept, money)
                await asyncio.sleep(0.1)
            assert len(orders(way)) == 1
            assert [one.reference for one in money.wallet.purchases] == [kept.reference]

    asyncio.run(story())
    assert growth.minor == 0


@pytest.mark.req("W-142", "WX-018")
def test_a_provider_that_stands_still_is_waited_for_and_charges_once(tmp_path):
    async def story(bank):
        async with street(bank, tmp_path) as (selling, way):
            money = purse(tmp_path / "car", bank.url, payment_limit_s=0.4)
            tokens = provider.tokens(money.psp)
            car = Consumer(at(selling.url), CLIENT, CARD, tokens, money.options)
            total = await car.select_service(1, UNITS, 1)
            await car.prepare_payment(total)
            bank.process.send_signal(signal.SIGSTOP)
            try:
                for _ in range(2):
                    with pytest.raises(PaymentUnknown):
                        await car.make_payment(total)
                with pytest.raises(TokenRefused):
                    await car.prepare_payment(replace(total, payment_reference="another"))
            finally:
                bank.process.send_signal(signal.SIGCONT)
            deadline = time.monotonic() + LEARNED_S
            paid = None
            while paid is None:
                assert time.monotonic() < deadline
                with contextlib.suppress(PaymentUnknown):
                    paid = await car.make_payment(total)
            assert (await car.begin_service_delivery(1, paid.token, UNITS)).units == UNITS
            assert len(orders(way)) == 1
            await car.close()

    with market.psp(tmp_path) as bank:
        asyncio.run(story(bank))
    assert taken(tmp_path) == COST == sold(tmp_path / "producer")


BUYERS = 15
STEPS = ("found", "services", "prices", "total", "card", "paid", "begun", "ended")


@pytest.mark.req("W-018", "WX-018")
def test_consumers_killed_at_any_moment_pay_once_and_lose_nothing(bank, tmp_path):
    growth, chance = Growth(bank), random.Random(20161)
    discovery = market.udp_port()
    selling = producer(tmp_path, offer(tmp_path, psp=bank.url), discovery=discovery)
    moments = []

    def killed(number):
        """Start a buyer and kill it a moment after one of its steps; gives its folder."""
        folder = tmp_path / f"buyer {number}"
        step, pause_s = STEPS[number % len(STEPS)], moments[number]
        arguments = ("buy", UNITS, "--discovery-port", discovery, "--for", 0.1, "--folder", folder,
                     "--psp", f"{bank.url}/v1", "--pace", 0.005)  # fmt: skip
        buyer = subprocess.Popen(
            market.command(*arguments), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for line in buyer.stderr:
            if line.split()[0] == step:
                break
        time.sleep(pause_s)
        buyer.kill()
        buyer.communicate(timeout=10)
        return folder

    async def story():
        gate = asyncio.Semaphore(3)

        async def one(number):
            async with gate:
                folder = await asyncio.to_thread(killed, number)
            money = purse(folder, bank.url, client=(folder / "uuid.txt").read_text())
            kept = money.wallet.purchases
            for purchase in kept:
                paid = await learned(purchase, money)
                if paid.remaining:
                    await everything(paid, money)
            return len(kept)

        return await asyncio.gather(*(one(number) for number in range(BUYERS)))

    with selling:
        moments += [chance.choice((0, chance.random() * 0.02)) for _ in range(BUYERS)]
        kept = asyncio.run(story())
    assert growth.minor == COST * sum(kept) == sold(tmp_path / "producer")
    assert 5 <= sum(kept) < BUYERS  # some died before they were going to pay, some after


@pytest.mark.req("W-018")
def test_many_consumers_at_once_are_all_served_and_all_books_agree(bank, tmp_path):
    growth, count = Growth(bank), 16

    async def story(url):
        async def one(number):
            money = purse(tmp_path / f"car{number}", bank.url, client=f"car{number}")
            bought = await buy(at(url), WISH, money)
            again = await asyncio.gather(finish(bought, money), take(bought, 3, money))
            assert again[1].remaining == UNITS - 3
            return await take(bought, UNITS, money)

        return await asyncio.gather(*(one(number) for number in range(count)))

    file = offer(tmp_path, psp=bank.url)
    with producer(tmp_path, file, discovery=market.udp_port()) as selling:
        done = asyncio.run(story(selling.url))
        assert selling.stop() == 0
    assert [one.remaining for one in done] == [0] * count
    assert growth.minor == COST * count == sold(tmp_path / "producer")


def test_several_processes_with_one_wallet_lose_no_purchase(bank, tmp_path):
    growth, discovery = Growth(bank), market.udp_port()
    file = offer(tmp_path, psp=bank.url)
    with producer(tmp_path, file, discovery=discovery):
        wish = ("buy", UNITS, "--take", 0, "--discovery-port", discovery, "--for", 0.2)
        paying = ("--psp", f"{bank.url}/v1", "--folder", tmp_path / "car")
        together = [
            subprocess.Popen(market.command(*wish, *paying), stderr=subprocess.DEVNULL)
            for _ in range(4)
        ]
        assert [one.wait(30) for one in together] == [0] * 4
    kept = told("purchases", "--folder", tmp_path / "car")["purchases"]
    assert [one["remaining"] for one in kept] == [UNITS] * 4
    assert growth.minor == COST * 4


# Bad input


async def said(transport, url, method, path, body):
    """Send anything; gives status and what was answered."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = await transport.send(Request(method, url + path, JSON, data), 5)
    return found.status, found.body


TOKEN = {"key": "guess", "issued": "2026-01-01T00:00:00Z", "expiry": "2036-01-01T00:00:00Z",
         "refundOnExpiry": False, "signature": ""}  # fmt: skip
BEGIN = {"clientID": CLIENT, "serviceDeliveryToken": TOKEN, "unitsToSupply": 1}
END = {"clientID": CLIENT, "serviceDeliveryToken": TOKEN, "unitsReceived": 1}
TOTAL = {"clientID": CLIENT, "selectedNumberOfUnits": 8, "selectedPriceID": 1}
PAY = {"clientID": CLIENT, "clientToken": "TEST_SU_1", "paymentReferenceID": "nobody's"}
SELECT = "/service/1/requestTotal"
BAD = [
    *((SELECT, TOTAL | {"selectedNumberOfUnits": units}, 400) for units in (0, -1, -(2**31))),
    *((SELECT, TOTAL | {"selectedNumberOfUnits": units}, 422) for units in (2**63, 10**40)),
    *((SELECT, TOTAL | {"selectedNumberOfUnits": 2**31 + n}, 400) for n in (-1, 0, 1)),
    *((SELECT, TOTAL | {"selectedNumberOfUnits": what}, 422) for what in ("8", 1.5, [], True)),
    (SELECT, TOTAL | {"selectedPriceID": 9}, 404),
    (SELECT, TOTAL | {"clientID": ""}, 400),
    ("/service/9/requestTotal", TOTAL, 404),
    ("/service/x/requestTotal", TOTAL, 400),
    ("/payment", PAY, 404),
    ("/payment", PAY | {"paymentReferenceID": 7}, 422),
    ("/service/1/delivery/begin", BEGIN, 400),
    ("/service/1/delivery/begin", BEGIN | {"serviceDeliveryToken": 7}, 422),
    ("/service/1/delivery/end", END, 404),
    *((path, body, 422)
      for path in (SELECT, "/payment", "/service/1/delivery/begin", "/service/1/delivery/end")
      for body in (b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000)),
]  # fmt: skip


@pytest.mark.req("WX-010")
def test_bad_input_is_answered_with_the_documented_error_and_harms_nobody(bank, tmp_path):
    growth = Growth(bank)

    async def story():
        async with street(bank, tmp_path) as (selling, _):
            transport = HttpTransport()
            for path, body, status in BAD:
                found, text = await said(transport, selling.url, "POST", path, body)
                assert found == status, (path, body, text)
                error = json.loads(text)
                assert error["HTTPStatusCode"] == status, (path, body, error)
                assert error["message"]
                assert error["errorCode"] > 0
            large = b'{"clientID": "' + b"x" * 3_000_000 + b'"}'
            with contextlib.suppress(Exception):  # it may hang up before it has read that much
                found, text = await said(transport, selling.url, "POST", SELECT, large)
                assert found in (413, 422), text
            for method, path in (("GET", "/payment"), ("POST", "/service/discover"), ("GET", "/")):
                assert (await said(transport, selling.url, method, path, {}))[0] == 404
            await transport.close()
            await everything(
                await buy(at(selling.url), WISH, money := purse(tmp_path / "car", bank.url)), money
            )

    asyncio.run(story())
    assert growth.minor == COST


@pytest.mark.req("W-018", "W-143", "WX-012")
def test_what_is_replayed_is_not_paid_or_supplied_again(bank, tmp_path):
    growth = Growth(bank)

    async def story():
        async with street(bank, tmp_path, delivery_lifetime_s=2) as (selling, way):
            options = Options(folder=tmp_path)
            psp = {"psp_name": "worldpayonlinepayments", "api_endpoint": f"{bank.url}/v1"}
            tokens = provider.tokens(psp)
            car, thief = (
                Consumer(at(selling.url), name, CARD, tokens, options) for name in ("car", "thief")
            )
            total = await car.select_service(1, UNITS, 1)
            with pytest.raises(PeerRefused) as refused:
                await thief.make_payment(replace(total, client_id="thief"))
            assert refused.value.number == 10
            paid = await asyncio.gather(*(car.make_payment(total) for _ in range(5)))
            assert len({one.token.key.reveal() for one in paid}) == 1
            assert all(one == paid[0] for one in paid)
            token = paid[0].token
            stranger = Consumer(at(selling.url), "car", CARD, tokens, options)
            with pytest.raises(PeerRefused) as refused:
                await stranger.make_payment(total)  # another client token for what is paid
            assert refused.value.number == 12
            with pytest.raises(PeerRefused) as refused:
                await thief.begin_service_delivery(1, token, 1)
            assert refused.value.number == 10
            granted = [(await car.begin_service_delivery(1, token, 3)).units for _ in range(4)]
            assert granted == [3, 3, 2, 0]
            supplied = [
                (await car.end_service_delivery(1, token, 3)).units_just_supplied for _ in range(5)
            ]
            assert supplied == [3, 3, 2, 0, 0]
            await asyncio.sleep(2.1)
            with pytest.raises(PeerRefused) as refused:
                await car.begin_service_delivery(1, token, 1)
            assert (refused.value.status, refused.value.number) == (400, 16)
            assert len(orders(way)) == 1
            for one in (car, thief, stranger):
                await one.close()

    asyncio.run(story())
    assert growth.minor == COST


# Where a consumer does not go


@contextlib.asynccontextmanager
async def listener(reply=b""):
    """A server that counts who comes, and answers everybody the same."""
    came = []

    async def meet(reader, writer):
        came.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(meet, HERE, 0)
    try:
        yield f"http://{HERE}:{server.sockets[0].getsockname()[1]}", came
    finally:
        server.close()


@pytest.mark.req("W-037")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(tmp_path, status):
    async def story():
        async with listener() as (elsewhere, came):
            moved = f"connection: close\r\nlocation: {elsewhere}/service/discover\r\n"
            async with listener(answer(status, b"", more=moved)) as (rogue, asked):
                money = purse(tmp_path, rogue)
                with pytest.raises(PeerRefused) as refused:
                    await buy(at(rogue), WISH, money)
                assert refused.value.status == status
                car = Consumer(at(rogue), CLIENT, CARD, provider.tokens(money.psp), money.options)
                calls = (
                    lambda: car.get_service_prices(1),
                    lambda: car.select_service(1, 1, 1),
                )
                for call in calls:
                    with pytest.raises(PeerRefused):
                        await call()
                with pytest.raises(TokenRefused):
                    await car.make_payment(replace(AGREED, payment_reference="r"))
                await car.close()
                assert len(asked) == 4
            assert came == []

    asyncio.run(story())


AGREED = Total("s", CLIENT, 1, 8, 200, "GBP", "r", "T_C_1")
REFUSED = [
    {"hostname": "0.0.0.0"},
    {"hostname": "::"},
    {"hostname": "255.255.255.255"},
    {"hostname": "127.1"},
    {"hostname": "0x7f000001"},
    {"hostname": "2130706433"},
    {"hostname": "127.0.0.1@evil.example"},
    {"hostname": "127.0.0.1/x"},
    {"scheme": "https://"},
    {"scheme": "file://"},
    {"url_prefix": "/../x"},
    {"url_prefix": "/%2e%2e/x"},
    {"url_prefix": "//x"},
    {"url_prefix": "@x"},
]


@pytest.mark.req("W-037", "WX-007")
def test_nobody_is_sent_where_the_rules_do_not_let_them(tmp_path):
    async def story():
        async with listener() as (trap, came):
            money = purse(tmp_path, trap)
            places = [replace(at(trap, server_id=f"{n}"), **one) for n, one in enumerate(REFUSED)]
            for place in places:
                with pytest.raises(AddressRefused):
                    await buy(place, WISH, money)
            port = market.udp_port()
            beacons = [
                Beacon(lambda said=place: said, source=HERE, port=port, period_s=0.05)
                for place in places
            ]
            for one in beacons:
                await one.start()
            assert await discover(0.3, port=port) == []
            for one in beacons:
                await one.stop()
            assert came == []

    asyncio.run(story())


@pytest.fixture(scope="module")
def till(bank, tmp_path_factory):
    folder = tmp_path_factory.mktemp("till")
    with producer(folder, offer(folder, psp=bank.url), discovery=market.udp_port()) as running:
        yield running


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"unitsToSupply": 9}, PeerNonsense),
        ({"unitsToSupply": 0}, PeerNonsense),
        ({"totalPrice": 900}, PeerNonsense),
        ({"totalPrice": -200}, PeerNonsense),
        ({"currencyCode": "EUR"}, PeerNonsense),
        ({"paymentReferenceID": ""}, PeerNonsense),
        ({"priceID": 2}, PeerNonsense),
    ],
    ids=str,
)
def test_a_producer_that_changes_what_was_selected_sees_no_card(till, tmp_path, changed, error):

    def lie(answered):
        _, _, body = answered.partition(b"\r\n\r\n")
        return answer(200, json.loads(body) | changed)

    async def story():
        async with Way(market.port_of(till.url)) as way:
            way.trouble = lambda r: lie if b"/requestTotal " in r else "pass"
            money = purse(tmp_path, "http://127.0.0.1:9")
            with pytest.raises(error):
                await buy(at(way.url), WISH, money)
            assert money.wallet.purchases == []

    asyncio.run(story())
