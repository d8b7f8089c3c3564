"""The WPI face keeps what every face must keep."""

import json

import pytest

from tollbridge.core.brands import BY_NAME
from tollbridge.faces.wpi import face
from tollbridge.faces.wpi.people import Script, WalletCard
from tollbridge.ground.flow import Party
from tollbridge.ground.secret import Secret
from tollbridge.testing.face_kit import FaceKit
from tollbridge.wire.http import Headers, Request

PACKAGE = Headers([("wpi-package", "com.example.till")])
WALLET = [WalletCard("visa", Secret("4242424242424242"), BY_NAME["Visa"])]


def sent(intent, **extras):
    url = f"/wpi/com.worldline.payment.action.{intent}"
    return Request("POST", url, PACKAGE, json.dumps(extras).encode())


@pytest.mark.req("P-047", "P-051", "P-343", "P-344", "P-346")
class TestWpi(FaceKit):
    def face(self, world):
        return face({}, world.clock, world.ids)

    def parties(self):
        script = Script(WALLET)

        async def cardholder(message):
            return script.cardholder(message)

        return {Party.CARDHOLDER: cardholder}

    def paying(self):
        return sent(
            "PROCESS_TRANSACTION",
            WPI_SERVICE_TYPE="WPI_SVC_PAYMENT",
            WPI_VERSION="2.0",
            WPI_SESSION_ID="session-1",
            WPI_REQUEST='{"currency":"EUR","requestedAmount":1191,"reference":"order 7"}',
        )

    def learning(self):
        return sent(
            "PROCESS_INFORMATION",
            WPI_SERVICE_TYPE="WPI_SVC_LAST_TRANSACTION",
            WPI_VERSION="2.0",
            WPI_SESSION_ID="session-1",
        )

    def says(self, response):
        extras = json.loads(response.body)
        if "WPI_RESPONSE" not in extras:
            return "never heard of"
        answer = json.loads(extras["WPI_RESPONSE"])
        if answer["result"] == "WPI_RESULT_SUCCESS":
            return "approved"
        return "unknown" if answer["errorCondition"] == "WPI_ERR_COND_BUSY" else "failed"
