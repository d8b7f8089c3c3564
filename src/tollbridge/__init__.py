"""Tollbridge: a payments runtime.

A payment enters through a face, is decided by the core, is written in the journal, and leaves
through a bridge. ARCHITECTURE.md tells why it is built this way.

This is the door: what programs need is here, and is imported when it is asked for. Tests of your
own bridges and faces lean on `tollbridge.testing`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge.bridges.contract import Bridge, Capabilities, Heard, VerbCapability
    from tollbridge.core.asks import Ask, Look
    from tollbridge.core.instrument import Card, InstrumentView, Token
    from tollbridge.core.operation import Operation, State
    from tollbridge.core.outcome import Approved, DeclineCode, Declined, Pending, Unclear, Unsent
    from tollbridge.core.payment import Payment
    from tollbridge.core.verbs import Verb
    from tollbridge.engine.engine import Engine, Surroundings
    from tollbridge.engine.transport import HttpTransport
    from tollbridge.faces.contract import Face, HttpEndpoint
    from tollbridge.ground.clock import SystemClock
    from tollbridge.ground.errors import TollbridgeError
    from tollbridge.ground.ids import IdempotencyKey, RandomIds
    from tollbridge.ground.money import Money
    from tollbridge.ground.secret import Secret
    from tollbridge.ground.version import __version__
    from tollbridge.journal.sqlite import SqliteJournal

_ROOMS = {
    "bridges.contract": ("Bridge", "Capabilities", "Heard", "VerbCapability"),
    "core.asks": ("Ask", "Look"),
    "core.instrument": ("Card", "InstrumentView", "Token"),
    "core.operation": ("Operation", "State"),
    "core.outcome": ("Approved", "DeclineCode", "Declined", "Pending", "Unclear", "Unsent"),
    "core.payment": ("Payment",),
    "core.verbs": ("Verb",),
    "engine.engine": ("Engine", "Surroundings"),
    "engine.transport": ("HttpTransport",),
    "faces.contract": ("Face", "HttpEndpoint"),
    "ground.clock": ("SystemClock",),
    "ground.errors": ("TollbridgeError",),
    "ground.ids": ("IdempotencyKey", "RandomIds"),
    "ground.money": ("Money",),
    "ground.secret": ("Secret",),
    "ground.version": ("__version__",),
    "journal.sqlite": ("SqliteJournal",),
}
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Approved",
    "Ask",
    "Bridge",
    "Capabilities",
    "Card",
    "DeclineCode",
    "Declined",
    "Engine",
    "Face",
    "Heard",
    "HttpEndpoint",
    "HttpTransport",
    "IdempotencyKey",
    "InstrumentView",
    "Look",
    "Money",
    "Operation",
    "Payment",
    "Pending",
    "RandomIds",
    "Secret",
    "SqliteJournal",
    "State",
    "Surroundings",
    "SystemClock",
    "Token",
    "TollbridgeError",
    "Unclear",
    "Unsent",
    "Verb",
    "VerbCapability",
    "__version__",
]


def __getattr__(name: str) -> Any:
    room = _PLACES.get(name)
    if room is None:
        raise AttributeError(f"tollbridge has no {name}")
    return getattr(import_module(f"tollbridge.{room}"), name)
