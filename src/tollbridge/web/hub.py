"""Wakes whoever follows a payment. It keeps no events: followers look at the payment's page, so
nothing can pile up behind a slow one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from tollbridge.ground.errors import UsageError

FOLLOWERS_MAX = 10_000
FOLLOWERS_OF_ONE_MAX = 16


class TooMany(UsageError):
    """Too many follow already."""

    code = "too_many"


class Follower:
    """One who follows a payment: woken by each change, and when the server leaves."""

    __slots__ = ("_woken", "over")

    def __init__(self) -> None:
        self._woken: asyncio.Future[None] | None = None
        self.over = False

    def wake(self) -> None:
        """Tell that something changed."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def next(self) -> "asyncio.Future[None]":
        """Give what is done at the next change. Ask before looking: then no change is missed."""
        if self._woken is None or self._woken.done():
            self._woken = asyncio.get_running_loop().create_future()
            if self.over:
                self._woken.set_result(None)
        return self._woken


class Hub:
    """The followers of all payments."""

    def __init__(self, most: int = FOLLOWERS_MAX, most_of_one: int = FOLLOWERS_OF_ONE_MAX) -> None:
        self._followers: dict[str, set[Follower]] = {}
        self._count = 0
        self._most = most
        self._most_of_one = most_of_one
        self._closed = False

    def __len__(self) -> int:
        return self._count

    def changed(self, payment: str) -> None:
        """Wake who follows a payment."""
        for follower in self._followers.get(payment, ()):
            follower.wake()

    @contextmanager
    def following(self, payment: str) -> Iterator[Follower]:
        """Follow a payment. Raises TooMany."""
        followers = self._followers.get(payment, set())
        if self._count >= self._most or len(followers) >= self._most_of_one:
            raise TooMany("too many follow this payment, or any")
        follower = Follower()
        follower.over = self._closed
        followers.add(follower)
        self._followers[payment] = followers
        self._count += 1
        try:
            yield follower
        finally:
            followers.discard(follower)
            self._count -= 1
            if not followers and self._followers.get(payment) is followers:
                del self._followers[payment]

    def close(self) -> None:
        """Send everybody away who follows, and whoever comes."""
        self._closed = True
        for followers in self._followers.values():
            for follower in followers:
                follower.over = True
                follower.wake()
