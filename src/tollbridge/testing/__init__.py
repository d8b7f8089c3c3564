"""Floor 6, published: what tests of a journal, a bridge, a face or an engine may lean on."""

from tollbridge.testing.bridge_kit import BridgeKit
from tollbridge.testing.clock import ManualClock
from tollbridge.testing.crash import Report, crash_everywhere
from tollbridge.testing.face_kit import FaceKit
from tollbridge.testing.journal_kit import JournalKit
from tollbridge.testing.simulate import simulate
from tollbridge.testing.world import World

__all__ = [
    "BridgeKit",
    "FaceKit",
    "JournalKit",
    "ManualClock",
    "Report",
    "World",
    "crash_everywhere",
    "simulate",
]
