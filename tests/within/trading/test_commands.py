"""Both sides of a trade from the command line: real processes, sockets and files."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.processes import free_port
from tests.within.trading import market
from tests.within.trading.market import offer, own_psp, producer, service, sold, taken, tell, told
from tollbridge.faces.within.messages import Broadcast
from tollbridge.within.radio import Beacon

SOON = ("--for", 0.2)
CARD_FILE = {
    "cardNumber": "5555555555554444", "expMonth": 11, "expYear": 2033, "firstName": "Ada",
    "lastName": "Field", "cvc": "123",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two producers with providers of their own on one discovery port."""
    folder = tmp_path_factory.mktemp("market")
    port = market.udp_port()
    two = service(1, "Charge", 25) + "\n" + service(2, "Parking", 150, "space")
    options = ("--psp-port", 0)
    one = producer(folder, offer(folder, services=two), *options, discovery=port, name="A")
    other = producer(folder, offer(folder, "Pump", 5), *options, discovery=port, name="P")
    with one, other:
        one.discovery, one.psp = port, own_psp(one)
        other.psp = own_psp(other)
        yield one, other


def buying(shop, wallet, device="Charger", *, pay_at=0):
    """The options of buying from a producer of the shop, with a wallet of one's own."""
    where = ("--discovery-port", shop[0].discovery, *SOON)
    paying = ("--psp", f"{shop[pay_at].psp}/v1", "--folder", wallet)
    return (*where, *paying, "--device", device)


@pytest.mark.req("W-003", "W-014", "W-016", "W-020", "W-022", "W-190", "WX-012", "WX-031")
def test_what_is_bought_is_paid_taken_in_parts_and_listed(shop, tmp_path):
    before = taken(shop[0].folder / "A"), sold(shop[0].folder / "A")
    around = told("discover", "--port", shop[0].discovery, *SOON)["devices"]
    assert {one["device_name"]: one["url"] for one in around} == {
        "Charger": shop[0].url,
        "Pump": shop[1].url,
    }
    bought = told("buy", 8, "--take", 3, "--service", "Charge", *buying(shop, tmp_path))
    assert (bought["units"], bought["amount_minor"], bought["currency"]) == (8, 200, "GBP")
    assert bought["paid"] is True
    assert bought["remaining"] == 5
    [listed] = told("purchases", "--folder", tmp_path)["purchases"]
    assert listed == bought
    assert "5 of 8 to come" in tell("purchases", "--folder", tmp_path)
    paying = ("--psp", f"{shop[0].psp}/v1", "--folder", tmp_path)
    assert told("take", bought["reference"][:13], 2, *paying)["remaining"] == 3
    assert told("take", "last", *paying)["remaining"] == 0
    assert "0 of 8 to come" in tell("purchases", "--folder", tmp_path)
    after = taken(shop[0].folder / "A"), sold(shop[0].folder / "A")
    assert after == (before[0] + 200, before[1] + 200)


NOT_WISHED = [
    (("--at-most", "1.99", "GBP"), "2.00 GBP is more than 1.99 GBP"),
    (("--at-most", "9", "EUR"), "2.00 GBP is more than 9.00 EUR"),
    (("--service", "Tea"), "choose a service; there are: 1 Charge, 2 Parking"),
    (("--price", 7), "there is no price 7"),
    (("--device", "Nobody"), "choose with --device; around here: Charger, Pump"),
    (("--psp", "http://127.0.0.1:9/v1"), "failed to get client token"),
    (("--psp", "http://192.0.2.7/v1"), "a card does not travel over plain http"),
    (("--at-most", "much", "GBP"), "Error: "),
    (("--card", "gone"), "Error: "),
]


def test_what_is_not_wished_costs_nothing_and_says_why(shop, tmp_path):
    before = taken(shop[0].folder / "A")
    passphrase = {"TOLLBRIDGE_CARDS_PASSPHRASE": "open"}
    usual = *buying(shop, tmp_path), "--service", "Charge", "--vault", tmp_path / "vault"

    def fails(options):
        return tell("buy", 8, *usual, *options, code=1, env=passphrase)

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(fails, [options for options, _ in NOT_WISHED]))
    for (options, said), text in zip(NOT_WISHED, texts, strict=True):
        assert said in text, options
    assert told("purchases", "--folder", tmp_path)["purchases"] == []
    assert taken(shop[0].folder / "A") == before


def test_with_two_around_one_is_chosen_by_name_or_id(shop, tmp_path):
    where = ("--discovery-port", shop[0].discovery, *SOON, "--folder", tmp_path)
    text = tell("buy", 1, *where, code=1)
    assert "choose with --device; around here: Charger, Pump" in text
    uid = (shop[1].folder / "P" / "uuid.txt").read_text()
    before = taken(shop[1].folder / "P")
    bought = told("buy", 2, *buying(shop, tmp_path, uid, pay_at=1))
    assert (bought["device"], bought["amount_minor"]) == (uid, 10)
    assert taken(shop[1].folder / "P") == before + 10


@pytest.mark.req("W-012", "WX-035")
def test_a_card_of_the_vault_pays(shop, tmp_path):
    words = {"TOLLBRIDGE_CARDS_PASSPHRASE": "open sesame"}
    vault = ("--vault", tmp_path / "cards.vault")
    file = tmp_path / "card.json"
    file.write_text(json.dumps(CARD_FILE))
    tell("card", "add", "mine", "--file", file, "--keep-cvc", *vault, env=words)
    bought = told("buy", 1, *buying(shop, tmp_path), *vault, "--service", 1, "--card", "mine",
                  env=words)  # fmt: skip
    assert bought["paid"] is True
    wrong = {"TOLLBRIDGE_CARDS_PASSPHRASE": "guess"}
    tell("buy", 1, *buying(shop, tmp_path), *vault, "--service", 1, "--card", "mine",
         env=wrong, code=1)  # fmt: skip


@pytest.mark.req("WX-068")
def test_an_original_application_pays_with_its_card_and_provider(shop, tmp_path):
    file = tmp_path / "app.json"
    psp = {"psp_name": "worldpayonlinepayments", "api_endpoint": f"{shop[0].psp}/v1"}
    file.write_text(json.dumps({"hceCard": CARD_FILE, "pspConfig": psp}))
    where = ("--discovery-port", shop[0].discovery, *SOON, "--folder", tmp_path)
    wish = ("--device", "Charger", "--service", "space", "--application", file)
    assert told("buy", 1, *where, *wish)["amount_minor"] == 150


@pytest.mark.req("WX-068")
def test_a_profile_of_the_developers_client_sells(shop, tmp_path):
    price = {"priceID": 1, "priceDescription": "Litre", "unitID": 2, "unitDescription": "litre",
             "pricePerUnit": {"amount": 12, "currencyCode": "GBP"}}  # fmt: skip
    water = {"serviceID": 3, "name": "Water", "description": "by the litre", "prices": [price]}
    keys = {
        "pspMerchantClientKey": market.KEYS.client_key,
        "pspMerchantServiceKey": market.KEYS.service_key.reveal(),
    }
    profile = {"name": "tap", "description": "t", "producer": {"services": [water], "config": keys}}
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({"device": profile}))
    port = market.udp_port()
    options = ("--psp", f"{shop[0].psp}/v1")
    with producer(tmp_path, file, *options, discovery=port):
        where = ("--discovery-port", port, "--for", 0.8, "--folder", tmp_path)
        bought = told("buy", 2, *where, "--psp", f"{shop[0].psp}/v1")
    assert (bought["name"], bought["amount_minor"], bought["remaining"]) == ("Water", 24, 0)
    assert sold(tmp_path / "producer") == 24


def test_all_that_is_wrong_with_an_offer_is_said_at_once(tmp_path):
    file = tmp_path / "offer.toml"
    file.write_text(
        '[device]\nname = 7\n[extra]\n[producer]\nport = 70000\nperiod_s = "x"\n'
        '[[service]]\nid = "one"\n[[service.price]]\namount = true\ncolour = "red"\n'
    )
    text = tell("produce", file, "--folder", tmp_path, code=1)
    for problem in (
        "[extra]: there is no such table",
        "device: name has the wrong type",
        "service 1: id has the wrong type",
        "service 1: name is needed",
        "service 1, price 1: amount has the wrong type",
        "service 1, price 1: there is no setting colour",
        "service 1, price 1: currency is needed",
        "producer: port is not a port",
        "producer: period_s has the wrong type",
    ):
        assert problem in text, text
    file.write_text("[device")
    assert "offer.toml" in tell("produce", file, "--folder", tmp_path, code=1)


def test_an_offer_that_cannot_be_sold_is_refused(tmp_path):
    cheap, no_money = service(1, "A", -1), service(1, "A", 1).replace("GBP", "XXZ")
    twice = service(1, "A", 1) + "\n" + service(1, "B", 2)
    for services, said in ((cheap, "below zero"), (no_money, "XXZ"), (twice, "already exists")):
        file = offer(tmp_path, services=services)
        where = ("--folder", tmp_path, "--port", 0, "--psp-port", 0)
        assert said in tell("produce", file, *where, code=1)


@pytest.mark.req("WX-018")
def test_units_and_token_survive_a_producer_that_is_killed(tmp_path):
    discovery, port, pay_at = market.udp_port(), free_port(), free_port()
    file = offer(tmp_path)
    selling = producer(
        tmp_path, file, "--psp-port", pay_at, port=port, discovery=discovery, name="A"
    )
    where = ("--discovery-port", discovery, *SOON)
    paying = ("--psp", f"http://127.0.0.1:{pay_at}/v1", "--folder", tmp_path, *where)
    with selling:
        bought = told("buy", 8, "--take", 3, *paying)
        selling.kill()
        assert "not around" in tell("take", "last", *paying, code=1)
        selling.start()
        assert told("take", "last", 4, *paying)["remaining"] == 1
        selling.kill()
        selling.start()
        assert told("take", bought["reference"], *paying)["remaining"] == 0
        left = told("take", "last", 1, *paying)
        assert left["remaining"] == 0
        assert selling.stop() == 0
    assert sold(tmp_path / "A") == taken(tmp_path / "A") == 200


def test_a_producer_that_is_gone_is_said_to_be_gone(tmp_path):
    discovery = market.udp_port()
    file = offer(tmp_path)
    with producer(tmp_path, file, "--psp-port", 0, discovery=discovery, name="A"):
        late = subprocess.Popen(
            market.command("buy", 1, "--discovery-port", discovery, "--for", 0.9,
                           "--folder", tmp_path),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        told("discover", "--port", discovery, "--for", 0.4)
    assert "not reached" in late.communicate(timeout=20)[0]
    assert late.returncode == 1
    text = tell("buy", 1, "--discovery-port", discovery, *SOON, "--folder", tmp_path, code=1)
    assert "around here: nobody" in text


def test_a_second_producer_in_one_folder_or_at_one_port_is_refused(shop, tmp_path):
    folder = shop[0].folder
    file = folder / "Charger.toml"
    text = tell("produce", file, "--folder", folder / "A", "--port", 0, "--psp-port", 0, code=1)
    assert "psp.sqlite" in text
    port = market.port_of(shop[0].url)
    text = tell("produce", file, "--folder", tmp_path, "--port", port, "--psp-port", 0, code=1)
    assert f"LISTEN_FAILED, NET, port {port} cannot be listened on" in text
    taken_by = market.port_of(shop[0].psp)
    text = tell("produce", file, "--folder", tmp_path / "C", "--port", 0, "--psp-port", taken_by,
                code=1)  # fmt: skip
    assert f"port {taken_by} is taken" in text


@pytest.mark.req("WX-036", "WX-040")
def test_a_producer_tells_of_sales_with_a_meter_or_keeps_quiet(tmp_path):
    discovery = market.udp_port()
    slow = service(1, "Charge", 25, more="seconds_per_unit = 0.05")
    options = ("--psp-port", 0)
    loud = producer(tmp_path, offer(tmp_path, services=slow), *options, discovery=discovery)
    mute = producer(
        tmp_path, offer(tmp_path, "Mute"), *options, "--quiet", discovery=discovery, name="mute"
    )
    with loud, mute:
        for running, device in ((loud, "Charger"), (mute, "Mute")):
            pay = ("--psp", f"{own_psp(running)}/v1", "--folder", tmp_path, "--pace", 0.08)
            told("buy", 4, "--device", device, "--discovery-port", discovery, *SOON, *pay)
        assert loud.stop() == mute.stop() == 0
    text = loud.log.read_text()
    told_in_order = ["  paid", "delivery of 4 begins", "1 of 4", "[##########----------] 2 of 4",
                     "4 of 4", "delivery of 4 ended"]  # fmt: skip
    places = [text.index(words) for words in told_in_order]
    assert places == sorted(places)
    assert "provider  http" in mute.log.read_text().splitlines()[-1]


def on_a_terminal(*arguments):
    """Run a command whose standard error is a terminal; gives what it shows there."""
    near, far = pty.openpty()
    done = subprocess.Popen(market.command(*arguments), stdout=subprocess.PIPE, stderr=far)
    os.close(far)
    shown = bytearray()
    try:
        while data := os.read(near, 65536):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(near)
        out = done.communicate(timeout=20)[0]
    return done.returncode, shown.decode(), out.decode()


def test_on_a_terminal_a_bar_shows_the_way(shop, tmp_path):
    wish = ("buy", 2, "--service", "Charge", *buying(shop, tmp_path))
    code, shown, out = on_a_terminal(*wish)
    assert code == 0
    assert "ended: 2 units, 0 to come" in shown
    assert "100%" in shown
    assert out.startswith("2 x Charge, 0.50 GBP paid, 0 to come, reference ")
    code, shown, out = on_a_terminal(*wish, "--json")
    assert (code, shown) == (0, "")
    assert json.loads(out)["remaining"] == 0


class Rogue(BaseHTTPRequestHandler):
    """A producer whose service is called what a terminal would obey."""

    def do_GET(self):
        name = "\x1b[2J\x1b]0;owned\x07"
        body = json.dumps(
            {"services": [{"serviceID": 1, "serviceName": name, "serviceDescription": ""},
                          {"serviceID": 2, "serviceName": name, "serviceDescription": ""}]}
        ).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_what_a_stranger_says_is_never_obeyed_by_the_terminal(tmp_path):
    port = market.udp_port()
    with HTTPServer(("127.0.0.1", 0), Rogue) as rogue:
        serving = threading.Thread(target=rogue.serve_forever, daemon=True)
        serving.start()
        said = Broadcast(
            device_description="", hostname="127.0.0.1", port_number=rogue.server_port,
            server_id="id", scheme="http://", device_name="\x1b[31mred",
        )  # fmt: skip

        async def speak():
            beacon = Beacon(lambda: said, source="127.0.0.1", port=port, period_s=0.05)
            await beacon.start()
            wish = ("buy", 1, "--discovery-port", port, *SOON, "--folder", tmp_path)
            text = await asyncio.to_thread(tell, *wish, code=1)
            screen = await asyncio.to_thread(on_a_terminal, *wish)
            await beacon.stop()
            return text, screen

        text, (code, shown, _) = asyncio.run(speak())
        rogue.shutdown()
    assert "choose a service" in text
    assert "\x1b" not in text
    assert code == 1
    assert "\x1b[31m" not in shown
    assert "\x1b]" not in shown
    assert "\x1b[2J" not in shown


def test_ctrl_c_ends_a_producer_and_a_buyer_cleanly(shop, tmp_path):
    buyer = subprocess.Popen(
        market.command("buy", 2, "--service", "Charge", "--pace", 20, *buying(shop, tmp_path)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (line := buyer.stderr.readline()).startswith("  begun"):
        assert line, "it ended too early"
    buyer.send_signal(signal.SIGINT)
    text = buyer.communicate(timeout=20)[1]
    assert buyer.returncode == 1
    assert "Traceback" not in text
    [kept] = told("purchases", "--folder", tmp_path)["purchases"]
    assert kept["remaining"] == 2
    paying = ("--psp", f"{shop[0].psp}/v1", "--folder", tmp_path)
    assert told("take", "last", *paying)["remaining"] == 0
