"""The SecureNet bridge keeps what every bridge must keep."""

import json

from tollbridge.bridges.securenet import bridge
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.secret import Secret
from tollbridge.testing.bridge_kit import BridgeKit
from tollbridge.wire.http import Response

TOKEN = "1a9ae1b0-5cc4-4a3f-9d04-6f3e1c2b7d55"
SETTINGS = {
    "api_endpoint": "https://gwapi.example/api/",
    "secure_net_id": "8000001",
    "secure_key": "sTx0xPkE9vB7",
    "public_key": "cc6f4a1e-public",
    "developer_id": "12345678",
    "app_version": "1.2",
    "currency": "EUR",
}


class TestSecureNet(BridgeKit):
    def bridge(self, clock):
        return bridge(SETTINGS, clock, SeededIds(1))

    def instrument(self):
        return Token(Secret(TOKEN), InstrumentView(entry="online"))

    def secrets(self):
        return [TOKEN, "sTx0xPkE9vB7"]

    def respond(self, request, ending):
        if ending == "declined":
            body = {"success": False, "result": "DECLINED", "responseCode": 2, "message": "no"}
            return Response(200, body=json.dumps(body).encode())
        asked = json.loads(request.body)
        transaction = {"transactionId": 1234, "authorizedAmount": asked["amount"]}
        body = {
            "transaction": transaction,
            "success": True,
            "result": "APPROVED",
            "responseCode": 1,
        }
        return Response(200, body=json.dumps(body).encode())

    def test_what_is_pending_is_not_decided(self):
        """A charge is answered at once or, as here, not at all."""

        def busy(request):
            return Response(503, body=b'{"success":false,"responseCode":3}')

        for verb in self._verbs():
            assert self._perform(verb, busy)[0].state is State.DISPATCHED

    def test_an_answer_about_another_operation_decides_nothing(self):
        """An answer of this API does not name its order; its amount must fit, and no more can be
        asked of it. The transport keeps answers apart."""

        def wrong(request):
            return Response(200, body=self.respond(request, "approved").body.replace(b"100", b"99"))

        for verb in self._verbs():
            assert self._perform(verb, wrong)[0].state is State.DISPATCHED
