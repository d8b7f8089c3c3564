"""The OneAPI bridge keeps what every bridge must keep."""

import pytest

from examples.providers.carrier import PASSWORD, SUBSCRIBER, USERNAME, Carrier
from tollbridge.bridges.oneapi import bridge
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.secret import Secret
from tollbridge.testing.bridge_kit import BridgeKit

SETTINGS = {
    "api_endpoint": "https://carrier.example/oneapi/3",
    "username": USERNAME,
    "password": PASSWORD,
    "on_behalf_of": "Example Games",
    "purchase_category_code": "Game",
}


@pytest.mark.req("N-002")
class TestOneApi(BridgeKit):
    def bridge(self, clock):
        self.carrier = Carrier()
        return bridge(SETTINGS, clock, SeededIds(1))

    def instrument(self):
        return Token(Secret(SUBSCRIBER), InstrumentView(entry="online"))

    def secrets(self):
        return [PASSWORD, "Z2FtZXM6czNjcmV0LW9mLWdhbWVz"]

    def respond(self, request, ending):
        return self.carrier.respond(request, ending)
