"""Payers who approve at a bridge's provider: whatever crashes, they pay once or not at all."""

import pytest

from examples.providers.orders import CLIENT_ID, CLIENT_SECRET, Orders
from tests.faces.webinos.counter import Counter
from tollbridge.bridges.paypal_orders import bridge
from tollbridge.core.operation import State
from tollbridge.faces.webinos.messages import Refresh, Returned
from tollbridge.faces.webinos.notebook import STALLED_S
from tollbridge.ground.secret import Secret
from tollbridge.testing.world import World

SETTINGS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
FINAL = ("succeeded", "failed", "cancelled")
WHY = {"stopped", "unreachable", "never_arrived"}
"""Why an approved payment was not made: a crash came before anything left."""


class Approving(Counter):
    """A counter whose only bridge leads to a provider of orders."""

    def __init__(self):
        self.orders = Orders()
        world = World(adapt=lambda _: bridge(SETTINGS, None, None))
        world.do = lambda request: self.orders.respond(request, "approved")
        super().__init__(world, services=[{"payer": "approves"}])

    def live(self, message, crash_at):
        """Give the face a message; tell whether the process lived."""

        async def main():
            await self.world.engine.serve(self.face, message, self.parties)

        lived = not self.world.run(main(), crash_at)
        self.restart()
        return lived

    def back(self, payment):
        """The payer's way back, as the order knows it."""
        (order,) = self.orders.orders.values()
        where = order["payment_source"]["paypal"]["experience_context"]["return_url"]
        return Returned(payment["id"], Secret(where.partition("?t=")[2]), cancelled=False)

    def approve(self):
        for name in self.orders.orders:
            self.orders.approve(name)

    def later(self):
        """Let time pass as the house does."""
        for _ in range(3):
            self.world.recover()
            self.world.clock.advance(30)
            for name in self.unfinished():
                self.say(Refresh(name))


@pytest.mark.req("N-002", "N-062", "N-092")
@pytest.mark.parametrize("crash_in", ["begin", "return"])
def test_a_crash_at_any_moment_of_an_approval_charges_once_or_never(crash_in):
    moment, ends = 0, set()
    while True:
        counter = Approving()
        request = counter.begin(key="the-same-key")
        begun = crash_in != "begin" or counter.call(request, crash_at=moment) is not None
        counter.restart()
        told = counter.call(request)[1]
        crashed = not begun
        if told["state"] == "processing":
            counter.world.clock.advance(STALLED_S + 1)
            told = counter.show(told) | {"client_token": told["client_token"]}
        if told["state"] not in FINAL and told["challenge"] is not None:
            counter.approve()
            crash_at = moment if crash_in == "return" else None
            crashed |= not counter.live(counter.back(told), crash_at)
        counter.later()
        last = counter.show(told)
        assert last["state"] in FINAL, (moment, last)
        paid = last["state"] == "succeeded"
        assert str(counter.orders.taken.get("EUR", "0")) == ("25.96" if paid else "0"), moment
        bought = [payment.opening for payment in counter.world.payments
                  if payment.amounts.captured_minor]  # fmt: skip
        assert [each.state for each in bought] == ([State.APPROVED] if paid else []), moment
        assert paid or last["error"]["reason"] in WHY, moment
        ends.add(last["state"])
        if not crashed:
            break
        moment += 1
    assert moment > 5
    assert "succeeded" in ends
