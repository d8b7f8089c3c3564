"""Floor 8, published: what tests of a journal, a bridge, a face, an engine or a till may lean on.

Names are imported when they are asked for: pytest loads the plugin in here at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge.testing.bridge_kit import BridgeKit
    from tollbridge.testing.clock import ManualClock
    from tollbridge.testing.crash import Report, crash_everywhere
    from tollbridge.testing.face_kit import FaceKit
    from tollbridge.testing.journal_kit import JournalKit
    from tollbridge.testing.simulate import simulate
    from tollbridge.testing.virtual_terminal import VirtualTerminal
    from tollbridge.testing.world import World

_MODULES = {
    "bridge_kit": ("BridgeKit",),
    "clock": ("ManualClock",),
    "crash": ("Report", "crash_everywhere"),
    "face_kit": ("FaceKit",),
    "journal_kit": ("JournalKit",),
    "simulate": ("simulate",),
    "virtual_terminal": ("VirtualTerminal",),
    "world": ("World",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "BridgeKit",
    "FaceKit",
    "JournalKit",
    "ManualClock",
    "Report",
    "VirtualTerminal",
    "World",
    "crash_everywhere",
    "simulate",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"tollbridge.testing has no {name}")
    return getattr(import_module(f"tollbridge.testing.{module}"), name)
