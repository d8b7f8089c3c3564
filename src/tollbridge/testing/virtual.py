"""An event loop in which nobody waits: when all are idle, the clock jumps to what comes next.

Real code with real time-outs runs in it unchanged, an hour in a millisecond, in an order that
repeats.
"""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from tollbridge.ground.clock import MICROSECONDS_PER_S
from tollbridge.testing.clock import ManualClock

T = TypeVar("T")


class Deadlock(Exception):
    """Everybody waits for somebody, and no timer is set."""


class _Jumping(selectors.DefaultSelector):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is ready and no timer is set")
        if timeout > 0:
            # Rounded up: a timer that is due in less than the clock can show would never be.
            self._clock.advance(math.ceil(timeout * MICROSECONDS_PER_S) / MICROSECONDS_PER_S)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a ManualClock's."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        super().__init__(_Jumping(clock))
        # Tasks that a simulated crash tore down have nothing to report.
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        return self._clock.monotonic_s()


def run(main: Coroutine[Any, Any, T], clock: ManualClock) -> T:
    """Run a coroutine in virtual time; what it leaves running is cancelled."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(main)
