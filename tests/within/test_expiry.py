"""What was paid for and not supplied in time is paid back: through a real provider, once."""

import asyncio

import pytest

from tests.within.bench import Market
from tollbridge.faces.within.errors import PeerRefused
from tollbridge.faces.within.events import Refunded


async def until(condition, limit_s=15.0):
    """Wait until something is so."""
    for _ in range(round(limit_s / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to that in time")


@pytest.mark.req("WX-014")
def test_the_undelivered_part_is_refunded_once_and_the_token_is_dead(tmp_path):
    async def main():
        timing = {"delivery_lifetime_s": 1, "sweep_s": 0.1, "refund_on_expiry": True}
        async with Market(tmp_path, **timing) as market:
            _, paid = await market.buys(units=6, price=2)
            assert paid.token.refund_on_expiry
            await market.consumer.begin_service_delivery(3, paid.token, 4)
            await market.consumer.end_service_delivery(3, paid.token, 4)
            assert market.provider.taken_minor == 6 * 325
            await until(lambda: any(isinstance(event, Refunded) for event in market.told))
            await asyncio.sleep(0.5)
            assert market.provider.taken_minor == 4 * 325
            [refunded] = [event for event in market.told if isinstance(event, Refunded)]
            assert (refunded.amount_minor, refunded.currency_code) == (2 * 325, "GBP")
            with pytest.raises(PeerRefused, match="has expired"):
                await market.consumer.begin_service_delivery(3, paid.token, 1)

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_delivery_that_never_ends_is_closed_by_its_limit(tmp_path):
    async def main():
        async with Market(tmp_path, session_limit_s=0.3) as market:
            _, paid = await market.buys(units=6)
            await market.consumer.begin_service_delivery(3, paid.token, 4)
            await asyncio.sleep(0.4)
            begun = await market.consumer.begin_service_delivery(3, paid.token, 6)
            ended = await market.consumer.end_service_delivery(3, paid.token, 2)
            assert (begun.units, ended.units_remaining) == (2, 0)

    asyncio.run(asyncio.wait_for(main(), 30))
