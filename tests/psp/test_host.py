"""Merchants and consumers against the real host: processes, sockets, TLS, files."""

import asyncio
import json
import signal
import time

import pytest
from click.testing import CliRunner

from tests.faces.psp.test_psp_kit import KEYS
from tests.processes import TOKEN, Process, free_port, sandbox, talk
from tests.psp.authority import Authority
from tollbridge.bridges import securenet, worldpay_online
from tollbridge.bridges.contract import CardDetails, TokenRefused
from tollbridge.cli.main import main
from tollbridge.core.asks import Ask
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.core.outcome import Approved, Unsent
from tollbridge.core.verbs import Verb
from tollbridge.engine.driver import drive
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.engine.transport import HttpTransport, trusting
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import ConfigError, NotSent
from tollbridge.ground.ids import IdempotencyKey, RandomIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.wire.http import Request

ADA = CardDetails("Ada Field", 11, 2033, Secret("4242424242424242"), Secret("123"))
GARDEN = "Garden Watering - 6 units @ GBP 3.25 per unit."
RECOVERY_LIMIT_S = 20


def psp(folder, *options, port=0):
    arguments = ["psp", "serve", "--port", str(port), *map(str, options)]
    return Process(folder, *arguments, name="psp", url=r"listens on (https?://\S+)")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "ours")


@pytest.fixture(scope="module")
def tls(authority):
    certificate, key = authority.certificate()
    return "--tls-cert", certificate, "--tls-key", key


@pytest.fixture
def network(tmp_path):
    with sandbox(tmp_path) as running:
        yield running


@pytest.fixture
def config(tmp_path, network):
    """Settings of a host whose card network is a process, and which does not wait long for it."""
    port = talk("GET", f"{network.url}/health")[1]["port"]
    file = tmp_path / "psp.toml"
    file.write_text(
        f'[bridges.sandbox]\nurl = "http://127.0.0.1:{port}"\n'
        "answer_limit_s = 0.3\nin_flight_limit_s = 2\n"
    )
    return "--config", file


def taken(network):
    movements = talk("GET", f"{network.url}/control/book")[1]["movements"]
    return [m["taken_minor"] for m in movements if m["status"] == "approved"]


class Merchant:
    """A merchant with a journal of its own; use as a context manager inside a loop."""

    def __init__(self, folder, url, ca_file=None, **settings):
        clock, ids = SystemClock(), RandomIds()
        self.url = url
        self.line = HttpTransport(tls=trusting(ca_file))
        worldpay = {
            "api_endpoint": f"{url}/v1/",
            "merchant_service_key": KEYS.service_key.reveal(),
            "merchant_client_key": KEYS.client_key,
            "answer_limit_s": 5,
            "in_flight_limit_s": 2,
        }
        total = {
            "api_endpoint": f"{url}/api/",
            "secure_net_id": KEYS.secure_net_id,
            "secure_key": KEYS.secure_key.reveal(),
            "public_key": KEYS.public_key,
            "developer_id": "12345678",
            "app_version": "1.2",
        }
        bridges = {
            "worldpay_online": worldpay_online.bridge(worldpay | settings, clock, ids),
            "securenet": securenet.bridge(total, clock, ids),
        }
        journal = SqliteJournal(folder / "merchant.sqlite")
        self.engine = Engine(Surroundings(journal, bridges, self.line, clock, ids))

    async def __aenter__(self):
        await self.engine.start()
        return self

    async def __aexit__(self, *_):
        await self.engine.close()

    async def consumer(self, flow):
        async def do(request):
            return await self.line.send(request, 5)

        return await drive(flow, do)

    async def token(self, card=ADA):
        flow = worldpay_online.client_token(f"{self.url}/v1", KEYS.client_key, card)
        return (await self.consumer(flow)).token

    async def pay(self, token, reference="order-7", bridge="worldpay_online", code="GBP"):
        return await self.engine.ask(
            Ask(
                verb=Verb.PURCHASE,
                key=IdempotencyKey("test", reference),
                amount=Money.of(1950, code),
                instrument=Token(token, InstrumentView()),
                merchant="garden",
                bridge=bridge,
                reference=reference,
                details={"description": GARDEN},
            )
        )

    async def refund(self, payment):
        return await self.engine.ask(
            Ask(
                verb=Verb.REFUND,
                key=IdempotencyKey("test", f"refund {payment.id}"),
                payment=payment.id,
                amount=Money.of(500, "GBP"),
            )
        )

    async def known(self, payment):
        """Wait until recovery has learned what became of a payment."""
        deadline = time.monotonic() + RECOVERY_LIMIT_S
        while self.engine.load(payment.id).unfinished:
            assert time.monotonic() < deadline, self.engine.load(payment.id)
            await asyncio.sleep(0.05)
        return self.engine.load(payment.id)


@pytest.mark.req("W-084", "W-088", "W-127", "W-140", "W-142", "W-178", "WX-019", "WX-020", "WX-021")
def test_both_apis_are_paid_over_tls_with_an_authority_of_our_own(
    tmp_path, authority, tls, network, config
):
    async def main(url):
        async with Merchant(tmp_path, url, authority.file) as merchant:
            first = await merchant.pay(await merchant.token())
            assert isinstance(first.opening.outcome, Approved)
            refunded = await merchant.refund(first)
            assert refunded.amounts.refunded_minor == 500
            application = securenet.Application(12345678, "1.2")
            flow = securenet.client_token(f"{url}/api", KEYS.client_key, ADA, application)
            token = (await merchant.consumer(flow)).token
            second = await merchant.pay(token, "order-8", "securenet", "USD")
            assert second.opening.state is State.APPROVED

    with psp(tmp_path, *tls, *config) as host:
        assert host.url.startswith("https://127.0.0.1:")
        asyncio.run(main(host.url))
    assert taken(network) == [1950, -500, 1950]
    secrets = ("4242424242424242", "TEST_SU_", KEYS.service_key.reveal())
    for file in tmp_path.glob("*.sqlite*"):
        for secret in secrets:
            assert secret.encode() not in file.read_bytes(), (file, secret)


@pytest.mark.req("W-127", "W-140")
def test_a_certificate_of_another_authority_moves_nothing(tmp_path, authority, tls):
    stranger = Authority(tmp_path, "stranger")

    async def main(url, ca_file):
        async with Merchant(tmp_path, url, ca_file) as merchant:
            with pytest.raises(NotSent):
                await merchant.token()
            payment = await merchant.pay(Secret("TEST_SU_x"), str(ca_file))
            assert payment.opening.state is State.UNSENT

    with psp(tmp_path, *tls) as host:
        asyncio.run(main(host.url, stranger.file))
        asyncio.run(main(host.url, None))
    with pytest.raises(ConfigError, match="ca_file"):
        trusting(tls[3])


def test_a_host_that_is_down_is_known_to_have_got_nothing(tmp_path):
    async def main():
        async with Merchant(tmp_path, f"http://127.0.0.1:{free_port()}") as merchant:
            payment = await merchant.pay(Secret("TEST_SU_x"))
            assert isinstance(payment.opening.outcome, Unsent)

    asyncio.run(main())


@pytest.mark.req("W-178")
def test_what_the_network_lost_is_learned_and_not_charged_again(tmp_path, network, config):
    async def main(url):
        async with Merchant(tmp_path, url) as merchant:
            for reference, fault in (("a", "lose_answer"), ("b", "drop"), ("c", "late_delivery")):
                rule = {"fault": fault, "what": "operation", "delay_s": 1}
                talk_to = asyncio.to_thread(talk, "POST", f"{network.url}/control/faults", rule)
                assert (await talk_to)[0] == 200
                payment = await merchant.pay(await merchant.token(), reference)
                assert payment.opening.state is State.DISPATCHED
                payment = await merchant.known(payment)
                assert payment.opening.state is State.APPROVED
                assert isinstance(payment.opening.outcome, Approved)

    with psp(tmp_path, *config) as host:
        asyncio.run(main(host.url))
    assert taken(network) == [1950, 1950, 1950]


def test_a_silent_host_is_asked_again_and_a_killed_one_still_knows(tmp_path, network, config):
    """The host stops after it was sent an order, is killed, and starts again on its files."""
    port = free_port()

    async def main(host):
        async with Merchant(tmp_path, host.url, answer_limit_s=0.5) as merchant:
            token = await merchant.token()
            first = await merchant.pay(token, "paid")
            assert first.opening.state is State.APPROVED
            second = await merchant.token()
            host.process.send_signal(signal.SIGSTOP)
            silent = await merchant.pay(second, "silent")
            assert silent.opening.state is State.DISPATCHED
            host.process.send_signal(signal.SIGCONT)
            silent = await merchant.known(silent)
            host.kill()
            down = await merchant.pay(token, "down")
            assert down.opening.state is State.UNSENT
            await asyncio.to_thread(host.start)
            again = asyncio.to_thread(order, host.url, token, "paid", f"{first.id}.1")
            status, answer, _ = await again
            assert (status, answer["paymentStatus"]) == (200, "SUCCESS")
            assert answer["orderCode"] == first.opening.outcome.reference
            return 1 + (silent.opening.state is State.APPROVED)

    with psp(tmp_path, *config, port=port) as host:
        paid = asyncio.run(main(host))
        shown = talk("GET", f"{host.url}/v1/transactions", token="")[1]
    assert taken(network) == [1950] * paid
    assert len(shown) == paid


def order(url, token, code, asked):
    body = {
        "token": token.reveal(),
        "amount": 1950,
        "currencyCode": "GBP",
        "orderDescription": GARDEN,
        "customerOrderCode": code,
    }
    headers = [("authorization", KEYS.service_key.reveal()), ("idempotency-key", asked)]

    return talk("POST", f"{url}/v1/orders", body, token="", headers=headers)


@pytest.mark.req("WX-024")
def test_a_newcomer_is_told_all_it_takes_and_sees_the_payment_on_the_page(tmp_path):
    with psp(tmp_path) as host:
        text = host.log.read_text()
        for key in (KEYS.client_key, KEYS.service_key.reveal(), KEYS.secure_net_id):
            assert key in text
        card = {"name": "A", "expiryMonth": 11, "expiryYear": 2033, "cvc": "123",
                "cardNumber": "4242424242424242", "type": "Card"}  # fmt: skip
        body = {"reusable": False, "paymentMethod": card, "clientKey": KEYS.client_key}
        status, made, _ = talk("POST", f"{host.url}/v1/tokens", body, token="")
        assert status == 200
        paid = order(host.url, Secret(made["token"]), "c", "")[1]
        assert paid["paymentStatus"] == "SUCCESS"
        (record,) = talk("GET", f"{host.url}/v1/transactions", token="")[1]
        assert record["orderDescription"] == GARDEN
        page = asyncio.run(fetch(f"{host.url}/psp"))
        assert page.status == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert b"/v1/transactions" in page.body
        assert b"http:" not in page.body
        assert b"https:" not in page.body
        (payment,) = talk("GET", f"{host.url}/v1/payments")[1]["payments"]
        operations = f"{host.url}/v1/payments/{payment['id']}/operations"
        assert talk("POST", operations, {"verb": "refund"}, key="by hand")[0] == 201
        headers = [("authorization", KEYS.service_key.reveal())]
        address = f"{host.url}/v1/orders/{paid['orderCode']}"
        shown = talk("GET", address, token="", headers=headers)[1]
        assert [refund["amount"] for refund in shown["refunds"]] == [1950]
        assert talk("GET", f"{host.url}/v1/payments", token="wrong")[0] == 401
        assert talk("DELETE", f"{host.url}/v1/orders", token=TOKEN)[0] == 405
    assert (tmp_path / "psp.sqlite").exists()


async def fetch(url):
    line = HttpTransport()
    try:
        return await line.send(Request("GET", url), 5)
    finally:
        await line.close()


def test_merchants_of_your_own_take_the_place_of_the_one_for_tests(tmp_path):
    file = tmp_path / "psp.toml"
    file.write_text(
        '[faces.psp.merchants.garden]\nclient_key = "T_C_garden"\nservice_key = "T_S_garden"\n'
    )
    with psp(tmp_path, "--config", file) as host:
        text = host.log.read_text()
        assert "T_C_garden" in text
        assert "T_S_garden" not in text
        body = {"reusable": False, "paymentMethod": {}, "clientKey": KEYS.client_key}
        assert talk("POST", f"{host.url}/v1/tokens", body, token="")[0] == 400
        body["paymentMethod"] = {"name": "A", "expiryMonth": 11, "expiryYear": 2033,
                                 "cardNumber": "4242424242424242", "cvc": "123"}  # fmt: skip
        status, answer, _ = talk("POST", f"{host.url}/v1/tokens", body, token="")
        assert (status, answer["customCode"]) == (401, "UNAUTHORIZED")
        assert json.dumps(answer).find("4242") == -1


def test_what_cannot_be_served_safely_is_not_started(tmp_path, authority, tls):
    def refused(*options):
        result = CliRunner().invoke(main, ["psp", "serve", *map(str, options)])
        assert result.exit_code != 0
        return result.output

    assert "belong together" in refused(*tls[:2])
    config = tmp_path / "psp.toml"
    config.write_text('[bridges.worldpay_online]\nmerchant_service_key = "T_S_1"\n')
    assert "everybody knows" in refused("--config", config)
    assert "server.pem" in refused(*tls[:2], "--tls-key", authority.file)


def test_a_consumer_is_told_why_it_gets_no_token(tmp_path):
    async def main(url):
        async with Merchant(tmp_path, url) as merchant:
            bad = CardDetails("A", 11, 2033, Secret("4242424242424241"), Secret("123"))
            with pytest.raises(TokenRefused, match="INVALID_PAYMENT_DETAILS"):
                await merchant.token(bad)

    with psp(tmp_path) as host:
        asyncio.run(main(host.url))
