"""The face keeps what every face must keep."""

import json

import pytest

from tests.faces.webinos.counter import ADA, BILL, Counter
from tollbridge.faces.contract import Seal
from tollbridge.faces.webinos import sessions
from tollbridge.ground.flow import Note
from tollbridge.ground.secret import Secret
from tollbridge.journal.journal import Notes
from tollbridge.sandbox.book import Movement
from tollbridge.testing.face_kit import FaceKit

TOKEN = "tok_kept_before"
NOBODY = {ADA: {"name": "Ada"}}


@pytest.mark.req("N-062", "N-069", "N-094")
class TestWebinos(FaceKit):
    """Ada's card was stored before: the kit counts one payment."""

    def face(self, world):
        self.counter = Counter(world, customers=NOBODY)
        if world.journal.recall("webinos", sessions.wallet(ADA)) is None:
            keep(world, self.counter.house)
        return self.counter.face

    def parties(self):
        return self.counter.parties

    def paying(self):
        return Counter(customers=NOBODY).begin(BILL, key="the-same-key")

    learning = paying

    def says(self, response):
        answer = json.loads(response.body)
        if response.status >= 500:
            return "unknown"
        if response.status >= 400:
            return "failed"
        states = {"succeeded": "approved", "failed": "failed"}
        return states.get(answer["state"], "unknown")


def keep(world, house):
    """Have a card stored at the network, and in Ada's wallet."""
    stored = Movement(
        operation="before", payment="before", verb="store", account="visa", status="approved",
        code="00", token=TOKEN, at=0,
    )  # fmt: skip
    assert world.network.book.add(stored)
    sealed = house.secure.seal(Seal(Secret(TOKEN)), "webinos").sealed
    held = {"id": "in_kept", "brand": "Visa", "masked": "424242******4242", "label": "",
            "sealed": {"": sealed}, "used": True}  # fmt: skip
    wallet = {"customer": ADA, "name": "", "contact": "", "mark": "", "payments": 1,
              "instruments": [held], "failed": {}}  # fmt: skip
    note = Note(sessions.wallet(ADA), json.dumps(wallet).encode())
    world.journal.commit([Notes("webinos", (note,))])
