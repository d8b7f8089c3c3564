"""Time is handed in. This file and the command line are the only ones that read a clock."""

import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NewType, Protocol

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00:00Z. Orders what people read; never decides what is true."""

MICROSECONDS_PER_S = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Two clocks: one for people (it may jump), one for durations (it may not)."""

    def now(self) -> Instant: ...

    def monotonic_s(self) -> float: ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1000)

    def monotonic_s(self) -> float:
        return time.monotonic()


def moment(at: Instant) -> datetime:
    """Give an instant as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def day(at: Instant) -> date:
    """Give the UTC day of an instant."""
    return moment(at).date()


def iso(at: Instant) -> str:
    """Write an instant as ISO 8601 in UTC, for example 2026-03-01T09:30:00.250Z."""
    return f"{_second(at // MICROSECONDS_PER_S)}.{at // 1000 % 1000:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
