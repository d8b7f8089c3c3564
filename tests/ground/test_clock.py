"""Instants are whole microseconds since 1970, in UTC."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.ground.clock import Clock, Instant, SystemClock, day, iso, moment

INSTANTS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999).map(Instant)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_772_355_600_000_000, "2026-03-01T09:00:00.000Z"),
        (1_772_355_600_250_999, "2026-03-01T09:00:00.250Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_written_as_iso_8601_in_utc(at, text):
    assert iso(Instant(at)) == text


def test_the_day_of_an_instant_is_the_day_in_utc():
    midnight = Instant(1_767_225_600_000_000)
    assert day(Instant(midnight - 1)) == date(2025, 12, 31)
    assert day(midnight) == date(2026, 1, 1)


@given(INSTANTS)
def test_a_moment_says_exactly_the_same_as_its_instant(at):
    since = moment(at) - datetime(1970, 1, 1, tzinfo=UTC)
    assert (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds == at


def test_the_clocks_of_this_machine_go_on():
    clock: Clock = SystemClock()
    before, began = clock.now(), clock.monotonic_s()
    assert abs(datetime.now(UTC) - moment(before)).total_seconds() < 60
    assert clock.now() >= before
    assert clock.monotonic_s() >= began
