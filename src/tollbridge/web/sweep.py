"""Moves payments on that nobody moves: challenges that expired, deadlines, outcomes that recovery
learned, and what a crash broke off. Once at the start, then on a timer."""

import asyncio
import logging
from traceback import format_exc
from typing import Any

from tollbridge.engine.engine import Engine
from tollbridge.faces.webinos.messages import Refresh, Unfinished
from tollbridge.ground.secret import scrub
from tollbridge.server.hosting import Hosted

log = logging.getLogger("tollbridge.web")

EVERY_S = 2.0
SHARE = 0.05
"""How much of the time it may take, when there is much to look at."""
AT_ONCE = 100


class Sweep:
    """The timer. What it does to one payment harms no other."""

    def __init__(self, engine: Engine, hosted: Hosted, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._hosted = hosted
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the first round goes on beside what comes in meanwhile."""
        self._task = asyncio.get_running_loop().create_task(self._for_ever())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def once(self) -> int:
        """Move every unfinished payment on; tell how many there are."""
        after, seen = "", 0
        while names := await self._serve(Unfinished(after, AT_ONCE)):
            for name in names:
                try:
                    await self._serve(Refresh(name))
                except Exception:  # noqa: BLE001 - the others must not wait for this one
                    log.error("payment %s was not moved on\n%s", name, scrub(format_exc()))
            seen += len(names)
            after = names[-1]
            await asyncio.sleep(0)
        return seen

    async def _serve(self, message: object) -> Any:
        return await self._engine.serve(self._hosted.face, message, self._hosted.parties)

    async def _for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            start_s = loop.time()
            try:
                await self.once()
            except Exception:  # noqa: BLE001 - the next round may fare better
                log.error("the sweep failed\n%s", scrub(format_exc()))
            await asyncio.sleep(max(self._every_s, (loop.time() - start_s) / SHARE))
