"""Payment software for cores in other processes: bridges that are called over HTTP.

`POST /iotp/software/{role}/{bridge}` takes a request document of the Payment API and answers with a
response document. Calls carry pass phrases, so callers show the server's token.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.perform import Limit
from tollbridge.faces.iotp.api.remote import answered
from tollbridge.faces.iotp.roles.calls import CALL_LIMIT_S
from tollbridge.faces.iotp.roles.writing import together
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Flow

PATH = "/iotp/software"


class First:
    """What is done once before anything else, for example value put into purses."""

    def __init__(self) -> None:
        self.steps: list[Callable[[], Flow[Any]]] = []

    def do(self) -> Flow[None]:
        """Do what is still to be done."""
        while self.steps:
            step = self.steps[0]
            yield from step()
            if step in self.steps:  # another message may have done it meanwhile
                self.steps.remove(step)


class Software:
    """Bridges by role and name ("payment/card")."""

    def __init__(self, bridges: Mapping[str, PaymentBridge], first: First, clock: Clock) -> None:
        self.bridges = bridges
        self._first = first
        self._limit = Limit(clock, CALL_LIMIT_S)

    def answer(self, name: str, document: bytes) -> Flow[bytes | None]:
        """Answer a document; None when there is no such bridge."""
        bridge = self.bridges.get(name)
        if bridge is None:
            return None
        yield from self._first.do()
        return (yield from together(answered(bridge, document, self._limit)))
