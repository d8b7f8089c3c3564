"""A clock that stands still until it is told to move."""

from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant

START = Instant(1_772_355_600 * MICROSECONDS_PER_S)
"""2026-03-01T09:00:00Z, a Sunday."""


class ManualClock:
    """Implements `ground.clock.Clock`. Starts at `START` unless told otherwise."""

    def __init__(self, at: Instant = START) -> None:
        self._now = at
        self._elapsed = 0

    def now(self) -> Instant:
        return self._now

    def monotonic_s(self) -> float:
        return self._elapsed / MICROSECONDS_PER_S

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks go on."""
        assert seconds >= 0, "time does not run backwards; `jump` sets the clock on the wall"
        self._elapsed += round(seconds * MICROSECONDS_PER_S)
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Set the clock on the wall, forwards or back; no time passes."""
        self._now = Instant(self._now + round(seconds * MICROSECONDS_PER_S))
