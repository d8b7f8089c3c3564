"""Every type of transaction, by card and by purse, with a crash of any party at any moment."""

import pytest

from tests.faces.iotp.roles.trade import ISSUER_HOLDS, PURSE_HOLDS, Died, House, Person
from tollbridge.faces.iotp.api.words import ProcessState
from tollbridge.faces.iotp.message import codec, rules
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.consumer import Pending, Resume, Trades
from tollbridge.faces.iotp.roles.person import Way
from tollbridge.faces.iotp.roles.problems import Unusable

# by name: what the card network takes, what the Consumer's purse gains
MOVES = {
    "book": (1191, 0),
    "coffee": (250, 0),
    "tea": (0, -300),
    "load": (2000, 2000),
    "deposit": (0, -400),
    "cash": (0, 600),
    "login": (0, 0),
    "member": (1191, 0),
}


def card(name):
    return Person(instrument="visa" if name in {"book", "member", "load", "refund"} else None)


@pytest.mark.req("IX-222", "IX-223", "IX-224", "IX-226", "IX-227", "I-169")
@pytest.mark.parametrize("name", MOVES)
def test_a_transaction_runs_from_end_to_end(name):
    house = House()
    house.person = Chooser()

    async def main():
        traded = await house.buy(name)
        assert traded.complete, (traded, house.person.notices)
        taken, gained = MOVES[name]
        assert house.taken() == taken
        assert await house.balances() == (PURSE_HOLDS + gained, ISSUER_HOLDS - gained)

    house.run(main)
    for _, body, answer in house.posts:
        for data in (body, answer):
            assert rules.faults(codec.well_formed(data)) == (), data.decode()


@pytest.mark.parametrize("name", ["book", "coffee", "member"])
def test_what_a_role_remembers_of_its_messages_is_what_it_reads_after_a_restart(name):
    house = House()
    house.person = Chooser()

    async def main():
        traded = await house.buy(name)
        for role in ("M", "P", "C"):
            for letter in store.outgoing(await house.letters(role, traded.name)):
                said, read = store.said(letter), codec.read(letter.body)
                assert said.source is None, "it was made, not read"
                assert said.blocks == read.blocks
                assert said.signatures == read.signatures
                assert store.root(letter) == codec.element_of(read)

    house.run(main)


@pytest.mark.req("IX-225")
def test_a_refund_gives_back():
    house = House()
    house.person = Chooser()

    async def main():
        assert (await house.buy("refund")).complete

    house.run(main)
    assert [one.taken_minor for one in house.world.movements] == [-250]


class Chooser(Person):
    """Takes the Visa card where there is one, and tries again when asked."""

    async def __call__(self, wish):
        if type(wish).__name__ == "Choose":
            self.seen.append(wish)
            names = [option.instrument_id for option in wish.options]
            return names.index("visa") if "visa" in names else 0
        if type(wish).__name__ == "Trouble":
            self.seen.append(wish)
            tries = sum(type(one).__name__ == "Trouble" for one in self.seen)
            wanted = Way.RETRY if tries < 20 else Way.SUSPEND
            return wanted if wanted in wish.ways else Way.CANCEL
        return await super().__call__(wish)


@pytest.mark.req("IX-093", "IX-151", "IX-157")
@pytest.mark.parametrize("role", ["M", "P", "C"])
@pytest.mark.parametrize("name", MOVES)
def test_a_crash_at_any_moment_loses_no_value_and_tells_no_untruth(role, name):
    moment = 0
    while True:
        house, where = House(), f"{name}: crash of {role} at {moment}"
        house.person = Chooser()
        done = []

        async def main(house=house, done=done):
            complete, traded = await finished(house, name)
            mine, theirs = await house.balances()
            done.append((complete, traded, mine, theirs))

        house.run(main, **{role: moment})
        complete, traded, mine, theirs = done[0]
        taken, gained = MOVES[name]
        assert mine + theirs == PURSE_HOLDS + ISSUER_HOLDS, f"{where}: value lost or made"
        assert house.world.differences() == [], where
        assert house.taken() in {0, taken}, where
        if complete:
            assert (house.taken(), mine - PURSE_HOLDS) == (taken, gained), where
        elif traded is not None:
            states = [one.state for one in traded.payments]
            paid = [state is ProcessState.COMPLETED_OK for state in states]
            if taken and paid:
                assert (house.taken() == taken) is paid[0], (where, traded, house.person.notices)
            if gained and paid:
                assert (mine - PURSE_HOLDS == gained) is paid[-1], (where, traded)
            assert traded.stage == "failed", (where, traded, house.person.notices)
        else:
            assert (house.taken(), mine) == (0, PURSE_HOLDS), where
        if not house.crashes:
            return
        moment += 1


async def finished(house, name):
    """Trade; who crashes starts again, and the Consumer goes on. Gives whether it completed."""
    try:
        traded = await house.buy(name)
    except Died:
        house.crashes += 1
        await house.start("C")
        traded = None
    except Unusable:
        return False, None
    for _ in range(3):
        waiting = await house.order(Pending())
        if not waiting.deals:
            break
        traded = await house.order(Resume(waiting.deals[0].name))
    if traded is None:
        trades = await house.order(Trades())
        traded = trades[0] if trades else None
    return traded is not None and traded.complete, traded
