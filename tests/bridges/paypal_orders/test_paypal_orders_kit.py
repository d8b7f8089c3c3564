"""The orders bridge keeps what every bridge must keep."""

import pytest

from examples.providers.orders import (
    ACCESS,
    BASIC,
    CLIENT_ID,
    CLIENT_SECRET,
    NOTICE_KEY,
    Orders,
)
from tollbridge.bridges.paypal_orders import bridge
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.verbs import Verb
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.secret import Secret
from tollbridge.testing.bridge_kit import BridgeKit

SETTINGS = {
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "notice_key": NOTICE_KEY,
    "brand_name": "The Shop",
}


@pytest.mark.req("N-002")
class TestPayPalOrders(BridgeKit):
    approves = True

    def bridge(self, clock):
        self.provider = Orders()
        self.provider.quick = True
        return bridge(SETTINGS, clock, SeededIds(1))

    def paying(self, amount):
        name = self.provider.approved(amount, self.intent)
        return Token(Secret(name), InstrumentView(entry="online"))

    def secrets(self):
        return [CLIENT_SECRET, ACCESS, BASIC, NOTICE_KEY]

    def respond(self, request, ending):
        return self.provider.respond(request, ending)

    def _perform(self, verb, respond, money=None, seed=1):
        self.intent = "AUTHORIZE" if verb in (Verb.AUTHORIZE, Verb.CAPTURE) else "CAPTURE"
        return super()._perform(verb, respond, money, seed)
