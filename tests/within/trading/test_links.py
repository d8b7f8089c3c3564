"""Trades between machines on one link: network namespaces, broadcasts, real processes."""

import contextlib
import json
import time

import pytest

from tests.psp.authority import Authority
from tests.within.netns import machines, missing
from tests.within.trading.market import offer, sold, taken

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there are namespaces")

BANK = 18080
STARTED_S = 30

SHOPPER = """
import asyncio, json, sys
from pathlib import Path
from tollbridge.within import (
    Device, HceCard, Options, Purse, Wallet, Wish, buy, cheapest, take,
)
from tollbridge.ground.secret import Secret

folder, bank = Path(sys.argv[1]), sys.argv[2]

async def main():
    options = Options(folder=folder, allow_plain_provider=True)
    card = HceCard("Ada", "Field", 11, 2033, Secret("4242424242424242"), Secret("123"))
    psp = {"psp_name": "worldpayonlinepayments", "api_endpoint": f"{bank}/v1"}
    async with await Device.setup("car", "A car", options=options, folder=folder) as car:
        offers = []
        for found in await car.device_discovery(1.5):
            place = found.scheme, found.hostname, found.port_number, found.url_prefix
            car.init_consumer(*place, car.uid, card, psp)
            [service] = await car.request_services()
            offers += [(found, price) for price in await car.get_service_prices(service.service_id)]
        producer, price = cheapest(offers)
        purse = Purse(car.uid, card, psp, Wallet(folder / "wallet"), options)
        bought = await buy(producer, Wish(units=4, price_id=price.price_id), purse)
        done = await take(bought, 4, purse)
        print(json.dumps([len(offers), producer.device_name, done.remaining]), flush=True)

asyncio.run(main())
"""


@contextlib.contextmanager
def running():
    """End processes that were started, whatever happens."""
    started = []
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait(10)
            process.stdout.close()


def tollbridge(machine, *arguments):
    return machine.python("-m", "tollbridge", *map(str, arguments))


def starts(process, words):
    """Wait until a process has written a line with these words; gives it."""
    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline and (line := process.stdout.readline()):
        if words in line:
            return line
    raise AssertionError(f"{words!r} was not said")


def bank_on(machine, folder, *options):
    arguments = ("--host", machine.address, "--port", BANK, "--journal", folder / "psp.sqlite")
    return tollbridge(machine, "psp", "serve", *arguments, *options)


def told(process):
    out = process.communicate(timeout=40)[0]
    assert process.returncode == 0, out
    return json.loads(out)


@pytest.mark.req("W-003", "W-020", "W-022", "W-024", "W-227")
@pytest.mark.parametrize("way", ["TLS", "the setting for test benches"])
def test_a_car_buys_from_a_charger_on_its_link(tmp_path, way):
    with machines(2) as (charger, car), running() as started:
        serving, trust, scheme = (), ("--allow-plain",), "http"
        selling = ()
        if way == "TLS":
            authority = Authority(tmp_path, "ours")
            certificate, key = authority.certificate(charger.address)
            serving = ("--tls-cert", certificate, "--tls-key", key)
            trust = selling = ("--ca-file", authority.file)
            scheme = "https"
        started.append(bank_on(charger, tmp_path, *serving))
        starts(started[-1], "listens on")
        bank = f"{scheme}://{charger.address}:{BANK}"
        allowed = {"allow_plain_provider": True} if scheme == "http" else {}
        file = offer(tmp_path, psp=bank, host="", interface="", **allowed)
        arguments = ("within", "produce", file, "--folder", tmp_path / "charger", *selling)
        started.append(tollbridge(charger, *arguments))
        starts(started[-1], f"sells at http://{charger.address}:64521 as")
        paying = ("--psp", f"{bank}/v1", "--folder", tmp_path / "car", *trust)
        wish = ("within", "buy", 8, "--take", 3, "--for", 0.4, "--json", *paying)
        bought = told(tollbridge(car, *wish))
        assert (bought["paid"], bought["amount_minor"], bought["remaining"]) == (True, 200, 5)
        assert told(tollbridge(car, "within", "take", "last", "--json", *paying))["remaining"] == 0
        if scheme == "http":
            wish = ("within", "buy", 1, "--for", 0.4, *paying[:-1])
            refused = tollbridge(car, *wish)
            assert "a card does not travel over plain http" in refused.communicate(timeout=20)[0]
            assert refused.returncode == 1
    assert taken(tmp_path) == 200 == sold(tmp_path / "charger")


@pytest.mark.req("W-024", "W-227", "WX-002")
def test_ten_machines_trade_on_one_link_each_with_the_cheapest_or_by_name(tmp_path):
    with machines(10) as made, running() as started:
        sellers, buyers = made[:5], made[5:]
        started.append(bank_on(sellers[0], tmp_path))
        starts(started[-1], "listens on")
        bank = f"http://{sellers[0].address}:{BANK}"
        for place, machine in enumerate(sellers):
            file = offer(
                tmp_path, f"shop{place}", 30 - place, psp=bank, host="", interface="",
                allow_plain_provider=True,
            )  # fmt: skip
            arguments = ("within", "produce", file, "--folder", tmp_path / f"shop{place}")
            started.append(tollbridge(machine, *arguments))
        for place in range(5):
            starts(started[1 + place], "sells at")
        shopping = []
        for place, machine in enumerate(buyers):
            folder = tmp_path / f"car{place}"
            folder.mkdir()
            if place < 3:
                shopping.append(machine.python("-c", SHOPPER, folder, bank))
            else:
                paying = ("--psp", f"{bank}/v1", "--folder", folder, "--allow-plain", "--json")
                wish = ("buy", 4, "--device", f"shop{place}", "--for", 1.5)
                shopping.append(tollbridge(machine, "within", *wish, *paying))
        started.extend(shopping)
        done = [told(one) for one in shopping]
    assert done[:3] == [[5, "shop4", 0]] * 3
    assert [(one["amount_minor"], one["remaining"]) for one in done[3:]] == [(108, 0), (104, 0)]
    books = [sold(tmp_path / f"shop{place}") for place in range(5)]
    assert books == [0, 0, 0, 4 * 27, 4 * (3 * 26) + 4 * 26]
    assert taken(tmp_path) == sum(books)
