"""Lives of an engine with one bridge, over real sockets and a journal on disk."""

import asyncio

from examples.providers.hosting import hosting
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.engine.transport import HttpTransport
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.ids import RandomIds
from tollbridge.journal.sqlite import SqliteJournal

FOUND_LIMIT_S = 10


class Life:
    """A journal that outlives its engines, and a provider that outlives both. `make` makes the
    bridge for the provider's address."""

    def __init__(self, folder, host, make):
        self.folder, self.host, self.make = folder, host, make

    def run(self, story):
        """Live once: the engine starts, the story happens, and everything ends at once."""
        asyncio.run(asyncio.wait_for(self._live(story), 30))

    async def _live(self, story):
        async with hosting(self.host) as url:
            bridge = self.make(url)
            journal = SqliteJournal(self.folder / "journal.sqlite")
            ids = RandomIds()
            around = Surroundings(
                journal, {bridge.name: bridge}, HttpTransport(), SystemClock(), ids
            )
            self.engine = Engine(around)
            await self.engine.start()
            try:
                await story(self)
            finally:
                await self.engine.close()

    async def ask(self, ask):
        return await self.engine.ask(ask)

    async def found(self, name):
        """Wait until recovery has learned everything about a payment; no request moved money."""
        asked = len(self.host.asked)
        async with asyncio.timeout(FOUND_LIMIT_S):
            while (payment := self.engine.load(name)).unfinished:
                await self.engine.recovery.attempt(name)
                await asyncio.sleep(0.05)
        assert not any(self.host.moves(each) for each in self.host.asked[asked:])
        return payment
