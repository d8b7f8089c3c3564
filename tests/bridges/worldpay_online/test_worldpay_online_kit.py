"""The Worldpay Online bridge keeps what every bridge must keep."""

import json

from tollbridge.bridges.worldpay_online import bridge
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.core.verbs import Verb
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.secret import Secret
from tollbridge.testing.bridge_kit import BridgeKit
from tollbridge.wire.http import Response

TOKEN = "TEST_SU_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
SERVICE_KEY = "T_S_55555555-6666-7777-8888-999999999999"


class TestWorldpayOnline(BridgeKit):
    acknowledged = frozenset({Verb.REFUND})

    def bridge(self, clock):
        return bridge({"merchant_service_key": SERVICE_KEY}, clock, SeededIds(1))

    def instrument(self):
        return Token(Secret(TOKEN), InstrumentView(entry="online"))

    def secrets(self):
        return [TOKEN, SERVICE_KEY]

    def respond(self, request, ending):
        if request.method == "GET":
            return Response(200, body=b"[]")
        asked = json.loads(request.body)
        if "refundAmount" in asked:
            if ending == "declined":
                error = {"httpStatusCode": 404, "customCode": "ORDER_NOT_FOUND", "message": "no"}
                return Response(404, body=json.dumps(error).encode())
            code = request.url.split("/")[-2]
            return Response(200, body=json.dumps({"orderCode": code}).encode())
        status = {"approved": "SUCCESS", "declined": "FAILED"}[ending]
        answer = {**asked, "orderCode": f"O-{asked['customerOrderCode']}", "paymentStatus": status}
        return Response(200, body=json.dumps(answer).encode())

    def test_what_is_pending_is_not_decided(self):
        """An order is answered at once or, as here, not at all."""

        def busy(request):
            return Response(500, body=b'{"httpStatusCode":500,"customCode":"API_ERROR"}')

        for verb in self._verbs():
            assert self._perform(verb, busy)[0].state is State.DISPATCHED
