"""Table 1 of RFC 3867, seen from the roles: what a core has to be able to call, it calls."""

import pytest

from tests.faces.iotp.roles.recording import Recorded
from tests.faces.iotp.roles.trade import EVERYTHING, PAY_URL, Person
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer
from tollbridge.faces.iotp.api.shapes import OBLIGATIONS
from tollbridge.faces.iotp.api.words import Obligation, Role
from tollbridge.faces.iotp.roles.consumer import (
    Forget,
    Inquire,
    Manage,
    Pending,
    Properties,
    Rest,
    Resume,
)
from tollbridge.faces.iotp.roles.person import Post, Silence, Way
from tollbridge.faces.iotp.schemes import purse, purses

ROLES = {"C": Role.CONSUMER, "P": Role.PAYMENT_HANDLER, "M": Role.MERCHANT}


@pytest.fixture(scope="module")
def used():
    """Which functions each role called while all that can be done was done once."""
    house = Recorded(*EVERYTHING, ask_state=True)
    house.handling = {"close_after_s": 60}
    done = calls.ManagePaymentSoftwareResponse()
    house.twists = [("C", calls.ManagePaymentSoftware, Answer(done))]

    async def unheard(wanted):
        if isinstance(wanted, Post) and wanted.url == PAY_URL:
            await house.reach("P", wanted)
            return Silence("its answer got lost", left=True)
        return None

    async def main():
        assert (await house.buy("login")).complete
        house.person = Person(decide=[Way.SUSPEND] * 3)
        house.meddle = unheard
        traded = await house.buy("tea")
        house.meddle = None
        await house.order(Rest(traded.name))
        traded = await house.order(Resume(traded.name))
        await house.order(Inquire(traded.name))
        await house.order(Pending())
        await house.order(Manage("card"))
        await house.order(Properties("purse", purses.BRAND, purse.PROTOCOL_ID))
        await house.order(Forget(traded.name))
        house.clock.advance(100)
        assert (await house.buy("book")).complete
        house.person = Person(confirm=Way.CANCEL)
        assert (await house.buy("book")).stage == "cancelled"

    house.run(main)
    return {role: {name for who, _, name, _ in house.calls if who == role} for role in ROLES}


@pytest.mark.req("I-069")
@pytest.mark.parametrize("role", ROLES)
def test_a_role_calls_all_that_it_must_or_should_and_nothing_of_other_roles(role, used):
    table = OBLIGATIONS[ROLES[role]]
    needed = {name for name, sign in table.items() if sign is not Obligation.MAY}
    assert needed - used[role] <= {"CallBack"}, "which bridges call, not the core"
    assert used[role] <= set(table)


def test_functions_that_a_role_may_have_are_called_where_there_is_a_use_for_them(used):
    optional = {
        role: {name for name, sign in OBLIGATIONS[ROLES[role]].items() if sign is Obligation.MAY}
        for role in ROLES
    }
    assert optional["C"] <= used["C"]
    assert optional["M"] - used["M"] == {"RemovePaymentLog", "ManagePaymentSoftware"}
    assert optional["P"] - used["P"] == {
        "CheckPaymentReceipt", "ExpandPaymentReceipt", "RemovePaymentLog", "ManagePaymentSoftware",
    }  # fmt: skip
