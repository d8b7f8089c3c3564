"""Ends the agent when the process that started it is gone (WIRE 4.7).

The original asks with a signal whether its parent lives, and dies when it may not ask. A parent's
end gives its children another parent, so nobody needs to be asked.
"""

import os
import threading
from collections.abc import Callable

PERIOD_S = 1.0


def watch(parent: int, gone: Callable[[], None], *, period_s: float = PERIOD_S) -> None:
    """Call `gone` from a thread of its own once the process `parent` is not our parent."""
    never = threading.Event()

    def look() -> None:
        while os.getppid() == parent:
            never.wait(period_s)
        gone()

    threading.Thread(target=look, name="watchdog", daemon=True).start()
