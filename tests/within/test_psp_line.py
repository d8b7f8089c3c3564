"""A merchant and its provider, each with its own journal, on a line that can fail anywhere.

The oracle is the book of the card network behind the provider: what it moved must be what the
merchant's journal says, whatever was lost on either way.
"""

import asyncio

import pytest

from tests.faces.psp.test_psp_kit import KEYS
from tollbridge.bridges.contract import CardDetails, TokenRefused
from tollbridge.bridges.worldpay_online import bridge, client_token
from tollbridge.core.asks import Ask
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.core.verbs import Verb
from tollbridge.engine.driver import drive
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.engine.transport import HttpTransport, Switchboard
from tollbridge.faces.psp import face
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.ground.ids import IdempotencyKey, SeededIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.journal.memory import MemoryJournal
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing.world import World
from tollbridge.wire.http import Request
from tollbridge.within.psp import PREFIX, PspLine

ADA = CardDetails("Ada Field", 11, 2033, Secret("4242424242424242"), Secret("123"))
ENDPOINT = f"{PREFIX}/v1"
SOON_S, LATE_S, RECOVERED_S = 5.0, 60.0, 900.0


class Way:
    """The way to the provider; what moves money meets the trouble it is set to."""

    def __init__(self, line):
        self.line = line
        self.trouble = "none"
        self.late = []

    async def send(self, request, limit_s):
        if not request.moves_money or self.trouble == "none":
            return await self.line.send(request, limit_s)
        match self.trouble:
            case "refused":
                raise NotSent("refused")
            case "lost":
                await asyncio.sleep(limit_s)
            case "deaf":
                await self.line.send(request, limit_s)
            case "late":
                self.late.append(asyncio.create_task(self.later(request, limit_s)))
                await asyncio.sleep(limit_s)
        raise NoAnswer("nothing came back")

    async def later(self, request, limit_s):
        await asyncio.sleep(LATE_S)
        await self.line.send(request, limit_s)

    async def close(self):
        pass


class Market:
    """A world with a provider in it, and a merchant whose orders go there."""

    def __init__(self):
        self.world = World()

    def run(self, story):
        async def main():
            world = self.world
            host = face({}, world.clock, world.ids)
            self.way = Way(PspLine(world.engine, host))
            settings = {
                "api_endpoint": ENDPOINT,
                "merchant_service_key": KEYS.service_key.reveal(),
                "answer_limit_s": SOON_S,
            }
            bridges = {"worldpay_online": bridge(settings, world.clock, world.ids)}
            transport = Switchboard({PREFIX: self.way}, HttpTransport())
            around = Surroundings(MemoryJournal(), bridges, transport, world.clock, SeededIds(7))
            self.merchant = Engine(around, threaded=False)
            await self.merchant.start()
            await story()
            await self.merchant.close()

        self.world.run(main())

    async def token(self, card=ADA):
        async def do(request):
            return await self.way.send(request, SOON_S)

        return await drive(client_token(ENDPOINT, KEYS.client_key, card), do)

    async def pay(self, reference="order-7"):
        token = (await self.token()).token
        return await self.merchant.ask(
            Ask(
                verb=Verb.PURCHASE,
                key=IdempotencyKey("test", reference),
                amount=Money.of(1950, "GBP"),
                instrument=Token(token, InstrumentView()),
                merchant="garden",
                reference=reference,
                details={"description": "Garden Watering"},
            )
        )

    async def recover(self):
        """Let trouble end and time pass, until nobody has anything left to learn."""
        self.way.trouble = "none"
        self.world.faults.rules.clear()
        self.world.faults.down = False
        for _ in range(int(RECOVERED_S / SOON_S)):
            await asyncio.sleep(SOON_S)
            self.world.arrive()

    def taken(self):
        return sum(movement.taken_minor for movement in self.world.movements)


TROUBLES = ("none", "refused", "lost", "deaf", "late")
FAULTS = (None, *Fault)


@pytest.mark.req("W-083", "W-142", "W-178")
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_merchant_learns_what_the_network_took_and_it_takes_once(trouble, fault):
    market = Market()

    async def story():
        await market.token()
        market.way.trouble = trouble
        if fault is not None:
            market.world.faults.rules.append(Rule(fault, what="operation"))
        payment = await market.pay()
        told = payment.operations[0].state
        await market.recover()
        final = market.merchant.load(payment.id).operations[0].state
        assert told in (final, State.DISPATCHED, State.PENDING)
        taken = market.taken()
        assert taken in (0, 1950)
        assert (final is State.APPROVED) == (taken == 1950), (final, taken)
        assert not market.merchant.load(payment.id).unfinished
        if trouble == "refused":
            assert told is State.UNSENT

    market.run(story)
    assert market.world.differences() == []
    assert len(market.world.payments) <= 1


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_refund_is_learned_the_same_way(trouble, fault):
    market = Market()

    async def story():
        payment = await market.pay()
        market.way.trouble = trouble
        if fault is not None:
            market.world.faults.rules.append(Rule(fault, what="operation"))
        await market.merchant.ask(
            Ask(
                verb=Verb.REFUND,
                key=IdempotencyKey("test", "refund"),
                payment=payment.id,
                amount=Money.of(500, "GBP"),
            )
        )
        await market.recover()
        payment = market.merchant.load(payment.id)
        assert not payment.unfinished
        assert market.taken() == 1950 - payment.amounts.refunded_minor
        assert payment.amounts.refunded_minor in (0, 500)

    market.run(story)
    assert market.world.differences() == []


def test_two_payments_with_the_same_reference_are_told_apart():
    market = Market()

    async def story():
        first = await market.pay()
        market.way.trouble = "lost"
        second_key = IdempotencyKey("test", "second")
        token = (await market.token()).token
        second = await market.merchant.ask(
            Ask(
                verb=Verb.PURCHASE,
                key=second_key,
                amount=Money.of(1950, "GBP"),
                instrument=Token(token, InstrumentView()),
                merchant="garden",
                reference="order-7",
            )
        )
        await market.recover()
        assert market.merchant.load(first.id).opening.state is State.APPROVED
        assert market.merchant.load(second.id).opening.state is State.UNSENT

    market.run(story)
    assert market.taken() == 1950


def test_a_refused_card_is_a_typed_error_for_the_consumer():
    market = Market()

    async def story():
        old = CardDetails("Ada Field", 1, 2001, Secret("4242424242424242"), Secret("123"))
        with pytest.raises(TokenRefused) as refused:
            await market.token(old)
        assert refused.value.provider_code == "INVALID_PAYMENT_DETAILS"

    market.run(story)


def test_what_is_not_there_and_what_breaks_is_answered():
    market = Market()

    async def story():
        line = market.way.line
        assert (await line.send(Request("GET", f"{ENDPOINT}/nothing"), 1)).status == 404
        assert (await line.send(Request("PUT", f"{ENDPOINT}/orders"), 1)).status == 404
        assert (await line.send(Request("POST", f"{ENDPOINT}/orders", body=b"{"), 1)).status == 400
        assert (await line.send(Request("GET", f"{ENDPOINT}/transactions"), 1)).body == b"[]"
        line.face.answer = None
        broken = await line.send(Request("GET", f"{ENDPOINT}/transactions"), 1)
        assert broken.status == 500

    market.run(story)
