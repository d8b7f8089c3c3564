"""Merchant, payment handler and consumer as three processes, each killed as by a power cut."""

import asyncio
import json
import signal
import socket
import subprocess
import sys

import pytest

from tests.processes import Process
from tollbridge.faces.iotp.roles import person
from tollbridge.faces.iotp.roles.consumer import Buy, Inquire, Pending, Resume, Trades
from tollbridge.faces.iotp.roles.opening import CARDS, DEMONSTRATION, PURSES, organisations
from tollbridge.ground.secret import Secret
from tollbridge.server.trading_keys import derived, public_pem
from tollbridge.trading import trace, wallet
from tollbridge.trading.house import House

SECRET = Secret(DEMONSTRATION)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def serve(folder, role, port, *more, name=""):
    return Process(
        folder, "iotp", "serve", "--role", role, "--port", str(port), "--journal",
        f"{name or role}.sqlite", *more, name=name or role,
    )  # fmt: skip


class Town:
    """Three parties: two servers on fixed ports, and a wallet; with `two` a second payment handler,
    with `delivers` a delivery handler."""

    def __init__(self, folder, *, two=False, delivers=False, more=()):
        self.folder = folder
        ports = [free_port() for _ in range(4)]
        self.payment_url = f"http://127.0.0.1:{ports[1]}/iotp/payment"
        where = ["--payment-url", self.payment_url]
        if two:
            where += ["--purse-url", f"http://127.0.0.1:{ports[2]}/iotp/payment"]
        if delivers:
            where += ["--delivery-url", f"http://127.0.0.1:{ports[3]}/iotp/delivery"]
        self.shop = serve(folder, "merchant", ports[0], *where, *more)
        self.handler = serve(folder, "payment", ports[1], *more)
        self.servers = [self.shop, self.handler]
        if two:
            named = ("--payment-org", "purse.example")
            self.purse_house = serve(folder, "payment", ports[2], *named, name="purses")
            self.servers.append(self.purse_house)
        if delivers:
            self.courier = serve(folder, "delivery", ports[3])
            self.servers.append(self.courier)
        self.url = f"http://127.0.0.1:{ports[0]}/iotp/merchant?item="
        self.home = folder / "wallet"
        self.home.mkdir()
        keys = {name: public_pem(derived(SECRET, name)) for name in organisations()}
        wallet.trust(self.home, keys)
        wallet.add(self.home, CARDS, wallet.test_card("visa", SECRET))
        wallet.add(self.home, PURSES, wallet.test_purse("p1", SECRET))

    def __enter__(self):
        for one in self.servers:
            one.start()
        return self

    def __exit__(self, *_):
        for one in self.servers:
            if one.process is not None and one.process.poll() is None:
                one.kill()

    def command(self, *arguments, code=0):
        """Run a command of the consumer; gives what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tollbridge", "iotp", *arguments, "--wallet", str(self.home)],
            capture_output=True, text=True, check=False, cwd=self.folder, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    def balance(self):
        rows = json.loads(self.command("wallet", "show", "--json"))
        return next(row["balance"] for row in rows if row["bridge"] == PURSES)


async def yes(wish):
    """The person: takes the first that fits, and tries again."""
    match wish:
        case person.Choose():
            names = [option.instrument_id for option in wish.options]
            return names.index("visa") if "visa" in names else 0
        case person.Confirm():
            return person.Way.GO_ON
        case person.Trouble():
            return person.Way.RETRY if person.Way.RETRY in wish.ways else person.Way.SUSPEND
    return None


@pytest.fixture
def town(tmp_path):
    with Town(tmp_path) as made:
        yield made


@pytest.mark.req("IX-250", "IX-252", "IX-257", "IX-222", "IX-227")
def test_three_processes_trade_and_the_trace_shows_it(town):
    traded = json.loads(town.command("buy", f"{town.url}book", "--brand", "VISA", "--yes",
                                     "--json"))  # fmt: skip
    assert traded["stage"] == "done"
    assert traded["payments"][0]["receipt_checked"]
    assert traded["payments"][0]["receipt_signature"] == "signed, verified"
    text = town.command("trace")
    assert text.count("──▶") == 5
    assert "Payment Response  (CompletedOk)" in text
    assert town.command("trace", "--mermaid").startswith("sequenceDiagram")
    picture = town.command("trace", "--svg")
    assert picture.startswith("<svg")
    assert picture.count("marker-end") == 5
    told = json.loads(town.command("inquire", "--json"))
    assert (told["remote"], told["local"]) == ("CompletedOk", "CompletedOk")


@pytest.mark.req("IX-093", "I-093", "I-275", "I-279")
@pytest.mark.parametrize("after", [2, 3, 4])
def test_a_consumer_killed_in_the_middle_resumes_and_pays_once(town, after):
    town.command("wallet", "load", f"{town.url}withdrawal")
    assert town.balance() == "10.00 EUR"
    town.command("buy", f"{town.url}coffee", "--yes", "--die-after", str(after),
                 code=-signal.SIGKILL)  # fmt: skip
    waiting = json.loads(town.command("pending", "--json"))
    assert len(waiting["trades"]) == 1
    traded = json.loads(town.command("resume", "--yes", "--json"))
    assert traded["stage"] == "done"
    assert town.balance() == "7.50 EUR"
    assert "nothing is pending" in town.command("pending")


async def once(wish):
    """The person who does not wait: what does not work at once may go on later."""
    return person.Way.SUSPEND if isinstance(wish, person.Trouble) else await yes(wish)


@pytest.mark.req("IX-227", "IX-248")
def test_two_payment_handlers_are_two_processes_and_the_second_may_be_away(tmp_path):
    async def main():
        async with House(town.home, once, limit_s=10) as house:
            town.purse_house.kill()
            waiting = await house.order(Buy(f"{town.url}load"))
            assert waiting.is_suspended
            assert [one.state for one in waiting.payments] == ["CompletedOk", "Suspended"]
            town.purse_house.start()
            traded = await house.order(Resume(waiting.name))
            assert traded.complete
            assert {one.proof for one in traded.payments} == {"signed, verified"}
            assert {one.other for one in await house.letters(traded.name)} == {
                "Merchant", "pay.example", "purse.example",
            }  # fmt: skip

    with Town(tmp_path, two=True) as town:
        asyncio.run(main())
        assert town.balance() == "20.00 EUR"
        told = json.loads(town.command("inquire", "--payment", "1", "--json"))
        assert told["remote"] == "CompletedOk"


@pytest.mark.req("IX-224", "IX-257")
def test_a_wallet_killed_between_paying_and_receiving_gets_its_goods_later_and_once(tmp_path):
    async def main():
        async with House(town.home, once, limit_s=10) as house:
            town.courier.kill()
            [waiting] = (await house.order(Pending())).deals
            waiting = await house.order(Resume(waiting.name))
            assert waiting.is_suspended
            assert waiting.payments[0].state == "CompletedOk"
            town.courier.start()
            traded = await house.order(Resume(waiting.name))
            assert traded.complete
            assert "stormy night" in traded.delivery.note
            assert traded.delivery.proof == "signed, verified"
            town.courier.kill()
            town.courier.start()
            told = await house.order(Inquire(traded.name))
            assert (told.remote, told.code) == ("CompletedOk", "ShippedNoConf")

    with Town(tmp_path, delivers=True) as town:
        town.command("buy", f"{town.url}ebook", "--brand", "VISA", "--yes", "--die-after", "3",
                     code=-signal.SIGKILL)  # fmt: skip
        asyncio.run(main())
        assert "Delivery Request" in town.command("trace")


@pytest.mark.parametrize("victim", ["handler", "shop"])
@pytest.mark.parametrize("item", ["load", "coffee", "book"])
def test_a_server_killed_again_and_again_loses_no_value(town, victim, item):
    town.command("wallet", "load", f"{town.url}withdrawal")
    killed = getattr(town, victim)

    async def kill_often(stop):
        while not stop.is_set():
            await asyncio.sleep(0.15)
            if stop.is_set():
                return
            killed.kill()
            await asyncio.to_thread(killed.start)

    async def main():
        stop = asyncio.Event()
        async with House(town.home, yes, limit_s=5) as house:
            killing = asyncio.create_task(kill_often(stop))
            traded = None
            try:
                while traded is None:
                    try:
                        traded = await house.order(Buy(f"{town.url}{item}"))
                    except Exception as error:  # the shop was away at the very beginning
                        if "answer" not in str(error):
                            raise
            finally:
                stop.set()
                await killing
            for _ in range(5):
                waiting = await house.order(Pending())
                if not waiting.deals:
                    break
                traded = await house.order(Resume(waiting.deals[0].name))
            trades = await house.order(Trades())
            drawn = trace.arrows(await house.letters(traded.name))
        return traded, trades, drawn

    traded, trades, drawn = asyncio.run(main())
    assert traded.stage in {"done", "failed"}, traded
    gained = {"load": "30.00 EUR", "coffee": "7.50 EUR", "book": "10.00 EUR"}[item]
    if traded.complete:
        assert town.balance() == gained
    assert drawn
    assert len({one.name for one in trades}) == len(trades)
    verified = subprocess.run(
        [sys.executable, "-m", "tollbridge", "journal", "verify", "--journal", "payment.sqlite"],
        cwd=town.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr
    assert "intact" in verified.stdout
