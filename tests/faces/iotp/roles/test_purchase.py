"""A purchase by card from the first message to the receipt."""

import pytest

from tests.faces.iotp.roles.trade import Died, House, Person
from tollbridge.faces.iotp.api.words import ProcessState
from tollbridge.faces.iotp.message import codec, rules
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles.consumer import Pending, Resume, Trades
from tollbridge.faces.iotp.roles.problems import Unusable


def test_a_purchase_by_card_completes_with_a_sound_receipt():
    house = House()

    async def main():
        traded = await house.buy()
        assert traded.complete, (traded, house.person.notices)
        assert traded.payments[0].state is ProcessState.COMPLETED_OK
        assert traded.payments[0].sound
        assert house.person.of(wishes.Receipt)

    house.run(main)
    assert house.taken() == 1191


def test_every_message_is_valid_and_keeps_the_rules():
    house = House()

    async def main():
        await house.buy()
        await house.buy("coffee")

    house.run(main)
    assert len(house.posts) == 3
    for _, body, answer in house.posts:
        for data in (body, answer):
            root = codec.well_formed(data)
            assert rules.faults(root) == (), data.decode()


@pytest.mark.req("I-123", "I-125")
def test_with_one_brand_the_offer_comes_at_once():
    house = House()

    async def main():
        traded = await house.buy("coffee")
        assert traded.complete

    house.run(main)
    assert [role for role, *_ in house.posts] == ["P"], "the Merchant is not asked again"


@pytest.mark.parametrize("role", ["M", "P", "C"])
@pytest.mark.parametrize("name", ["book", "coffee"])
def test_a_crash_at_any_moment_costs_nothing_and_pays_once(role, name):
    moment = 0
    while True:
        house = House()
        outcome = []

        async def main(house=house, outcome=outcome):
            outcome.append(await finished(house, name))

        house.run(main, **{role: moment})
        told = outcome[0]
        price = 1191 if name == "book" else 250
        assert house.taken() == (price if told else 0), f"crash of {role} at {moment}"
        assert house.world.differences() == [], f"crash of {role} at {moment}"
        if not house.crashed(role):
            return
        moment += 1


async def finished(house, name):
    """Buy; after a crash of the Consumer start it again and go on. Gives whether it was paid."""
    person = house.person = Person(decide=[wishes.Way.RETRY] * 5)
    try:
        traded = await house.buy(name)
    except Died:
        house.crashes += 1
        await house.start("C")
        waiting = await house.order(Pending())
        if not waiting.deals:
            return any(one.complete for one in await house.order(Trades()))
        traded = await house.order(Resume(waiting.deals[0].name))
    except Unusable:
        return False
    assert traded.stage in {"done", "failed"}, (traded, person.notices)
    return traded.complete
