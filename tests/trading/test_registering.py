"""A purse is registered while something is traded with an empty wallet."""

import asyncio

import pytest

from tests.trading.test_processes import SECRET, serve
from tollbridge.faces.iotp.roles import person
from tollbridge.faces.iotp.roles.consumer import Buy
from tollbridge.trading import wallet
from tollbridge.trading.house import House


@pytest.mark.req("I-149", "I-283")
def test_an_empty_wallet_is_filled_while_it_is_used(tmp_path):
    home = tmp_path / "wallet"
    seen = []

    async def buyer(wish):
        seen.append(wish)
        match wish:
            case person.Choose():
                return 0
            case person.Confirm():
                return person.Way.GO_ON
            case person.Trouble():
                first = not any(isinstance(one, person.Trouble) for one in seen[:-1])
                return person.Way.REGISTER if first else person.Way.CANCEL
        return None

    async def device(wish):
        wallet.add(home, wish.bridge, wallet.test_purse("mine", SECRET))
        return "mine"

    async def main(url):
        async with House(home, buyer, device=device) as house:
            return await house.order(Buy(f"{url}/iotp/merchant?item=withdrawal"))

    with serve(tmp_path, "both", 0) as shop:
        traded = asyncio.run(main(shop.url))
    assert traded.complete, seen
    assert traded.payments[0].instrument_id == "mine"
    assert [type(one).__name__ for one in seen].count("Trouble") == 1
