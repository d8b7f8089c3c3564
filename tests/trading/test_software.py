"""Payment software in a process of its own: cores call it with documents of the Payment API."""

import asyncio
import json

import pytest

from tests.processes import TOKEN
from tests.trading.test_processes import Town, free_port, once, serve, yes
from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.iotp.api import calls, codec
from tollbridge.faces.iotp.roles import person
from tollbridge.faces.iotp.roles.consumer import Buy, Resume
from tollbridge.faces.iotp.roles.opening import CARDS
from tollbridge.trading.house import House
from tollbridge.wire.http import Headers, Request


class Softly(Town):
    """A town whose merchant and payment handler have no payment software of their own."""

    def __init__(self, folder):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        self.software_url = url
        super().__init__(folder, more=("--software-url", url, "--software-token", TOKEN))
        payment = ("--payment-url", self.payment_url)
        self.software = serve(folder, "software", port, *payment)
        self.servers.append(self.software)

    def charged(self):
        """Count what the card network booked."""
        answer = posted(f"{self.software_url}/v1/payments", b"", method="GET")
        return len(json.loads(answer.body)["payments"])


@pytest.fixture
def town(tmp_path):
    with Softly(tmp_path) as made:
        yield made


def posted(url, body, token=TOKEN, method="POST"):
    async def main():
        transport = HttpTransport()
        try:
            fields = Headers([("authorization", f"Bearer {token}")])
            return await transport.send(Request(method, url, fields, body), 10)
        finally:
            await transport.close()

    return asyncio.run(main())


@pytest.mark.req("IX-001", "IX-002")
def test_cores_pay_by_card_and_purse_with_software_elsewhere(town):
    traded = json.loads(town.command("buy", f"{town.url}book", "--brand", "VISA", "--yes",
                                     "--json"))  # fmt: skip
    assert traded["stage"] == "done"
    assert traded["payments"][0]["receipt_checked"]
    town.command("wallet", "load", f"{town.url}withdrawal")
    town.command("buy", f"{town.url}coffee", "--yes")
    assert town.balance() == "7.50 EUR"
    told = json.loads(town.command("inquire", "--json"))
    assert (told["remote"], told["local"]) == ("CompletedOk", "CompletedOk")


@pytest.mark.req("IX-006")
def test_while_the_software_is_away_a_payment_waits(town):
    async def hasty(wish):
        if isinstance(wish, person.Confirm):
            town.software.kill()
        return await once(wish)

    async def main():
        async with House(town.home, hasty, limit_s=20) as house:
            waiting = await house.order(Buy(f"{town.url}book"))
            assert waiting.is_suspended
            town.software.start()
            assert (await house.order(Resume(waiting.name))).complete

    asyncio.run(main())
    assert town.charged() == 1


@pytest.mark.req("IX-006")
@pytest.mark.parametrize("moment", [2, 3, 4, 5])
def test_software_killed_in_the_middle_pays_once(town, moment):
    def after(answered):
        if answered == moment:
            town.software.kill()
            town.software.start()

    async def main():
        async with House(town.home, yes, limit_s=20) as house:
            assert (await house.order(Buy(f"{town.url}withdrawal"))).complete
        async with House(town.home, yes, limit_s=20, after=after) as house:
            assert (await house.order(Buy(f"{town.url}coffee"))).complete

    asyncio.run(main())
    assert town.balance() == "7.50 EUR"


def test_only_who_shows_the_token_calls_the_software(town):
    document = codec.write(codec.Request(calls.InquireProcessState(pay_id="1")))
    url = f"{town.software_url}/iotp/software/payment/{CARDS}"
    assert posted(url, document, "another").status == 401
    told = posted(url, document)
    assert told.status == 200, told.body
    answer = codec.read_response(told.body).answer
    assert (answer.error.error_code, answer.error.names) == ("AttValIllegal", ("PayId",))
    assert posted(f"{town.software_url}/iotp/software/payment/coins", document).status == 404
