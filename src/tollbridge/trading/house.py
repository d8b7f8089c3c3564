"""A Consumer at home: its core, the journal it writes to, and the way to its peers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tollbridge.engine.engine import Engine, Partner, Surroundings
from tollbridge.engine.transport import HttpTransport, Transport, trusting
from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.consumer import Consumer
from tollbridge.faces.iotp.roles.core import ROLE
from tollbridge.faces.iotp.roles.person import Arrived, Fetch, Post, Silence, Wish
from tollbridge.faces.iotp.roles.store import Letter
from tollbridge.faces.iotp.roles.wanted import Wanted
from tollbridge.ground.clock import Clock, SystemClock
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.ground.flow import Flow, Party
from tollbridge.ground.ids import IdSource, RandomIds
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.trading import wallet
from tollbridge.trading.registrar import Enrol
from tollbridge.wire.http import Headers, Request

ANSWER_LIMIT_S = 30.0
_IOTP = Headers([("content-type", "APPLICATION/IOTP"), ("accept", "application/iotp")])
_ACCEPT = Headers([("accept", "application/iotp, application/x-iotp")])

Person = Callable[[Wish], Awaitable[Any]]
Device = Callable[[Enrol], Awaitable[str]]


class House:
    """A Consumer with its wallet open; one process at a time. Use it with `async with`.

    `person` answers the core's wishes, `device` registers instruments. `limit_s` is how long an
    answer may take. A `transport` that is given stays the giver's to close; ours believes the
    certificate authorities in `ca_file` (None: the system's). `after` is called with
    the number of messages answered so far, after each: tests end processes there.
    """

    def __init__(
        self,
        folder: Path,
        person: Person,
        *,
        device: Device | None = None,
        transport: Transport | None = None,
        ca_file: Path | None = None,
        limit_s: float = ANSWER_LIMIT_S,
        after: Callable[[int], None] | None = None,
    ) -> None:
        self.folder = folder
        self._clock: Clock = SystemClock()
        self._ids: IdSource = RandomIds()
        self._enrol = device or _nobody
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.contents = wallet.read(folder)
        believed = wallet.verifiers(self.contents, self._clock)
        self.consumer = Consumer(self._bridges(), self._clock, self._ids, believed)
        self._transport = transport or HttpTransport(tls=trusting(ca_file))
        self._is_ours = transport is None
        self._limit_s = limit_s
        self._answered, self._after = 0, after
        journal = SqliteJournal(folder / wallet.JOURNAL)
        self.engine = Engine(Surroundings(journal, {}, self._transport, self._clock, self._ids))
        self._parties: dict[Party, Partner] = {
            Party.CARDHOLDER: person,  # type: ignore[dict-item]
            Party.PEER: self._peer,
            Party.DEVICE: self._device,  # type: ignore[dict-item]
        }

    async def __aenter__(self) -> Self:
        await self.engine.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.engine.close()

    async def order(self, wanted: Wanted) -> Any:
        """Let the core do something. Raises Unusable when it cannot be done."""
        return await self.engine.serve(self.consumer, wanted, self._parties)

    async def letters(self, name: str) -> list[Letter]:
        """Give every message of a transaction. Raises Unusable when there is none."""
        found: list[Letter] = await self.run(_letters(self.consumer, name))
        return found

    async def run(self, flow: Flow[Any]) -> Any:
        """Run a flow over this wallet's notes."""
        return await self.engine.serve(_One(self.consumer.name, flow), None, self._parties)

    def _bridges(self) -> dict[str, PaymentBridge]:
        return wallet.bridges(self.contents, self._clock, self._ids)

    async def _device(self, wish: Enrol) -> str:
        """Register an instrument; from then on the payment software knows it."""
        done = await self._enrol(wish)
        if done:
            self.contents = wallet.read(self.folder)
            self.consumer.core.bridges.by_name = self._bridges()
        return done

    async def _peer(self, wanted: object) -> Arrived | Silence:
        """Carry a message to a peer, and what comes back."""
        match wanted:
            case Fetch(url):
                request = Request("GET", url, _ACCEPT)
            case Post(url, body):
                request = Request("POST", url, _IOTP, body, moves_money=True)
            case _:
                raise TypeError(f"peers are not told {type(wanted).__name__}")
        try:
            response = await self._transport.send(request, self._limit_s)
        except NotSent as error:
            return Silence(str(error), left=False)
        except NoAnswer as error:
            return Silence(str(error), left=True)
        self._answered += 1
        if self._after is not None:
            self._after(self._answered)
        if response.status >= 400 and not response.body.startswith(b"<"):
            text = response.body.decode("utf-8", "replace").strip()[:200]
            return Silence(f"HTTP {response.status}: {text}", left=True)
        return Arrived(response.status, response.body)


def _letters(consumer: Consumer, name: str) -> Flow[list[Letter]]:
    deal = yield from consumer.known(name)
    return (yield from store.letters(ROLE, deal.name))


async def _nobody(_: Enrol) -> str:
    await asyncio.sleep(0)
    return ""


class _One:
    """A face of one flow: how something else reads the notes of a face."""

    def __init__(self, name: str, flow: Flow[Any]) -> None:
        self.name = name
        self._flow = flow

    def endpoints(self) -> tuple[()]:
        return ()

    def answer(self, message: Any) -> Flow[Any]:
        del message
        return self._flow
