"""The clock of the tests itself."""

import pytest

from tollbridge.ground.clock import Clock, iso
from tollbridge.testing.clock import ManualClock


def test_it_starts_on_a_known_morning_and_stands_still():
    clock: Clock = ManualClock()
    assert iso(clock.now()) == "2026-03-01T09:00:00.000Z"
    assert clock.now() == clock.now()
    assert clock.monotonic_s() == 0.0


def test_advancing_moves_both_clocks():
    clock = ManualClock()
    before = clock.now()
    clock.advance(1.5)
    clock.advance(0.25)
    assert clock.now() - before == 1_750_000
    assert clock.monotonic_s() == 1.75


def test_jumping_moves_only_the_clock_on_the_wall():
    clock = ManualClock()
    clock.jump(3600)
    assert iso(clock.now()) == "2026-03-01T10:00:00.000Z"
    clock.jump(-7200)
    assert iso(clock.now()) == "2026-03-01T08:00:00.000Z"
    assert clock.monotonic_s() == 0.0


def test_time_does_not_run_backwards():
    with pytest.raises(AssertionError):
        ManualClock().advance(-0.001)
