"""The WPI face keeps what every face must keep."""

import json

import pytest

from tests.faces.wpi.terminal import Terminal
from tollbridge.testing.face_kit import FaceKit
from tollbridge.wire.http import Headers, Request

PACKAGE = Headers([("wpi-package", "com.example.till")])


def sent(intent, **extras):
    url = f"/wpi/com.worldline.payment.action.{intent}"
    return Request("POST", url, PACKAGE, json.dumps(extras).encode())


@pytest.mark.req("P-047", "P-051", "P-343", "P-344", "P-346")
class TestWpi(FaceKit):
    def face(self, world):
        self.terminal = Terminal(world)
        return self.terminal.face

    def parties(self):
        return self.terminal.desk.parties()

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
