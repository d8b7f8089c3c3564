"""The host keeps what every face must keep."""

import json

import pytest

from tollbridge.core.instrument import Card
from tollbridge.faces.psp import face
from tollbridge.faces.psp.messages import Holder
from tollbridge.faces.psp.settings import TEST_MERCHANTS
from tollbridge.ground.secret import Secret
from tollbridge.testing.face_kit import FaceKit
from tollbridge.testing.world import card
from tollbridge.wire.http import Headers, Request

(MERCHANT,) = TEST_MERCHANTS
KEYS = TEST_MERCHANTS[MERCHANT]
TOKEN = "TEST_SU_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def sent(method, url, body=None, key=KEYS.service_key, **more):
    fields = [("content-type", "application/json"), ("authorization", key.reveal())]
    fields += [(name.replace("_", "-"), value) for name, value in more.items()]
    data = b"" if body is None else json.dumps(body).encode()
    return Request(method, url, Headers(fields), data)


@pytest.mark.req("W-083", "W-141", "W-177", "WX-024")
class TestPsp(FaceKit):
    asked = "01J.1"

    def face(self, world):
        made = face({}, world.clock, world.ids)
        held = card()
        expiry = Secret("3311")
        made.vaults[MERCHANT].put(
            Secret(TOKEN),
            Holder("Ada Field", 11, 2033),
            Card(held.number, held.view, expiry, Secret("123")),
        )
        return made

    def paying(self):
        return sent(
            "POST",
            "/v1/orders",
            {
                "token": TOKEN,
                "amount": 1950,
                "currencyCode": "GBP",
                "orderDescription": "Garden Watering - 6 units @ GBP 3.25 per unit.",
                "customerOrderCode": "order-7",
            },
            idempotency_key=self.asked,
        )

    def learning(self):
        return sent("GET", "/v1/orders?customerOrderCode=order-7")

    def says(self, response):
        answer = json.loads(response.body)
        if response.status >= 500:
            return "unknown"
        if response.status != 200:
            return "failed"
        if isinstance(answer, list):
            if not answer:
                return "never heard of"
            (answer,) = answer
        words = {"SUCCESS": "approved", "FAILED": "failed", "PENDING": "unknown"}
        return words[answer["paymentStatus"]]


class TestPspWithoutKeys(TestPsp):
    """The same for an asker that gives no key and does not ask later."""

    asked = ""
