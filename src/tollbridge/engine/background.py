"""An event loop in a thread of its own: for programs that do not want to await."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

R = TypeVar("R")

CLOSING_LIMIT_S = 30.0


class BackgroundLoop:
    """An event loop that runs in a thread from now until `close`.

    `from_within` is what a call out of the loop itself is refused with: it would wait for ever.
    """

    def __init__(self, from_within: str = "the loop may not wait for itself") -> None:
        self._from_within = from_within
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._serve, name="tollbridge", daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    def run(self, call: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine and wait. Raises what it raises, RuntimeError when nobody can run it.

        A call that is interrupted with Ctrl-C is cancelled, and ended, before this returns.
        """
        if threading.current_thread() is self._thread or not self.is_open:
            call.close()
            raise RuntimeError(self._from_within if self.is_open else "it is closed")
        ended = threading.Event()

        async def whole() -> R:
            try:
                return await call
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(whole(), self._loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():  # Ctrl-C: what was begun is ended first
                future.cancel()
                with suppress(KeyboardInterrupt):
                    ended.wait(CLOSING_LIMIT_S)
            raise

    def close(self) -> None:
        """Cancel what is left and end the thread; a second call does nothing."""
        if self.is_open:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CLOSING_LIMIT_S)

    def _serve(self) -> None:
        self._loop.run_forever()
        self._runner.close()  # cancels what is left and ends generators
