"""Golden conversations: what a bridge says and is told, word for word, as files."""

import json
from pathlib import Path

from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.ground.ids import SeededIds
from tollbridge.journal.memory import MemoryJournal
from tollbridge.testing import virtual
from tollbridge.testing.clock import ManualClock
from tollbridge.wire.http import Request, Response

FOLDER = Path(__file__).parents[1] / "vectors"
HIDDEN = {"authorization"}


class Script:
    """A line that answers as a file says, and holds the bridge to what it must ask."""

    def __init__(self, turns):
        self.turns = list(turns)

    async def send(self, request, limit_s):
        turn = self.turns.pop(0)
        assert shown(request) == turn["asked"]
        answer = turn["answered"]
        body = json.dumps(answer["body"]).encode() if "body" in answer else b""
        return Response(answer["status"], body=body)

    async def close(self):
        pass


def shown(request: Request):
    """Show a request as a file keeps it: credentials are not for files."""
    fields = {name: value for name, value in request.headers.items() if name not in HIDDEN}
    made = {"method": request.method, "url": request.url, "headers": fields}
    if request.moves_money:
        made["moves_money"] = True
    if request.body:
        text = request.body.decode()
        made["body"] = json.loads(text) if text.startswith("{") else text
    return made


def spoken(bridge, file, asks):
    """Hold a conversation of a file; `asks` makes each Ask from the payment before it. Gives the
    payments."""
    line = Script(json.loads((FOLDER / file).read_text()))
    clock = ManualClock()
    around = Surroundings(MemoryJournal(), {bridge.name: bridge}, line, clock, SeededIds(7))
    payments = []

    async def main():
        engine = Engine(around, threaded=False)
        before = None
        for ask in asks:
            before = await engine.ask(ask(before))
            payments.append(before)

    virtual.run(main(), clock)
    assert not line.turns, "the file has more to say"
    return payments
