"""The store's bridge keeps what every bridge must keep."""

import pytest

from examples.providers.store import ACCESS, PACKAGE, Store
from tollbridge.bridges.google_play import bridge
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.secret import Secret
from tollbridge.testing.bridge_kit import BridgeKit

PRODUCTS = {
    "hundred": "100.00 EUR",
    "yen": "12345 JPY",
    "euro": "123.45 EUR",
    "dinar": "12.345 KWD",
    "unidad": "1.2345 CLF",
}
SETTINGS = {"package_name": PACKAGE, "access_token": ACCESS, "products": PRODUCTS}


@pytest.mark.req("N-002")
class TestGooglePlay(BridgeKit):
    def bridge(self, clock):
        self.store = Store()
        return bridge(SETTINGS, clock, SeededIds(1))

    def paying(self, amount):
        product = {price: name for name, price in PRODUCTS.items()}[str(amount)]
        return Token(Secret(self.store.buy(product)), InstrumentView(entry="online"))

    def secrets(self):
        return [ACCESS]

    def respond(self, request, ending):
        return self.store.respond(request, ending)

    def test_what_is_pending_is_not_decided(self):
        """A purchase is acknowledged at once or, as here, not at all."""
        for verb in self._verbs():
            assert self._perform(verb, self._said("pending"))[0].state is State.DISPATCHED
