"""The sandbox bridge keeps what every bridge must keep."""

import json

from tollbridge.bridges.sandbox import bridge
from tollbridge.ground.ids import SeededIds
from tollbridge.testing.bridge_kit import BridgeKit
from tollbridge.wire.http import Response


class TestSandbox(BridgeKit):
    def bridge(self, clock):
        return bridge({"notice_key": "k"}, clock, SeededIds(1))

    def respond(self, request, ending):
        asked = json.loads(request.body) if request.body else {}
        answer = {"operation": asked["operation"], "status": ending, "reference": "N1"}
        answer["code"] = {"approved": "00", "declined": "05", "pending": "09"}[ending]
        if ending == "approved" and "amount_minor" in asked:
            answer |= {"amount_minor": asked["amount_minor"], "currency": asked["currency"]}
        return Response(200, body=json.dumps(answer).encode())
