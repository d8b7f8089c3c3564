"""Group commit: what many askers want written at one moment becomes one transaction.

While a commit runs, what arrives waits for the next; so batches grow with the load and the disk is
asked as often as it can answer, not as often as somebody pays.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Generic, TypeVar

C = TypeVar("C")
R = TypeVar("R")

QUIET_ROUNDS, ROUNDS_MAX = 4, 16
SHORT_S = 0.0005


class Clerk(Generic[C, R]):
    """Gathers changes for everybody on one event loop and has `commit` write them.

    `commit` takes a batch, makes it durable and gives one result each, in order. `threaded` calls
    it in a thread of its own, so that the loop goes on while the disk works, unless the last batch
    took less time than the way to a thread and back is worth. Without it everything happens in the
    loop, in an order that repeats (simulations).
    """

    def __init__(self, commit: Callable[[Sequence[C]], list[R]], *, threaded: bool) -> None:
        self._write = commit
        self._queue: list[tuple[C, asyncio.Future[R]]] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = ThreadPoolExecutor(1, "clerk") if threaded else None
        self._took_s = SHORT_S
        self._last = 1

    def write(self, change: C) -> asyncio.Future[R]:
        """Write a change with the next commit; await the future to know that it is durable.

        The future raises what `commit` raised: then nobody knows what of the batch is written.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._queue.append((change, future))
        if self._idle.is_set():
            self._idle.clear()
            loop.call_soon(self._gather, loop)
        return future

    async def close(self) -> None:
        """Wait for what is queued and stop."""
        await self._idle.wait()
        if self._thread is not None:
            self._thread.shutdown()

    def _gather(
        self, loop: asyncio.AbstractEventLoop, seen: int = 0, quiet: int = 0, rounds: int = 0
    ) -> None:
        """Under load, let the loop go round until it brings nothing more: a commit costs about the
        same for one change and for ten."""
        quiet = quiet + 1 if len(self._queue) == seen else 0
        alone = self._last == len(self._queue) == 1
        if alone or quiet == QUIET_ROUNDS or rounds == ROUNDS_MAX:
            self._commit(loop)
        else:
            loop.call_soon(self._gather, loop, len(self._queue), quiet, rounds + 1)

    def _commit(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._queue = self._queue, []
        self._last = len(batch)
        changes = [change for change, _ in batch]
        if self._thread is None or self._took_s < SHORT_S:
            done: Future[list[R]] = Future()
            try:
                done.set_result(self._timed(changes))
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                done.set_exception(error)
            self._answer(loop, batch, done)
        else:
            done = self._thread.submit(self._timed, changes)
            answer = partial(self._answer, loop, batch)
            done.add_done_callback(lambda done: loop.call_soon_threadsafe(answer, done))

    def _timed(self, changes: Sequence[C]) -> list[R]:
        start_s = perf_counter()
        try:
            return self._write(changes)
        finally:
            self._took_s = perf_counter() - start_s

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[C, asyncio.Future[R]]],
        done: Future[list[R]],
    ) -> None:
        error = done.exception()
        results = [] if error else done.result()
        for place, (_, future) in enumerate(batch):
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(results[place])
        if self._queue:
            loop.call_soon(self._gather, loop)
        else:
            self._idle.set()
