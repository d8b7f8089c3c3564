"""Notices to merchants' servers: at least once, in order for each payment, for three days.

A notice is durable in the same commit that moves the cursor behind what it is about, or before
the note is forgotten that asked for it; only then is it sent, and forgotten only after a 2xx. So a
crash at any moment sends it again under the same id, and never loses it. What nobody took is kept
for replay.
"""

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from traceback import format_exc
from typing import Any, Protocol

from tollbridge.core.facts import Settled
from tollbridge.engine.engine import Engine
from tollbridge.engine.transport import Transport
from tollbridge.faces.webinos.messages import Ended, Heard, Notice, Tell
from tollbridge.faces.webinos.settings import Seller
from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant
from tollbridge.ground.errors import JournalError, TransportError
from tollbridge.ground.flow import Note, Remember
from tollbridge.ground.secret import scrub
from tollbridge.server.hosting import Hosted
from tollbridge.wire import json, webhook
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.web")

NAMESPACE = "web.notices"
CURSOR, DUE, DEAD = "cursor", "due/", "dead/"
DAY_S = 24 * 3600
PAUSES_S = (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY_S)
KEPT_S = 3 * DAY_S
JITTER = 0.2
LIMIT_S = 15.0
ANSWER_LIMITS = Limits(body_bytes_max=64 * 1024)
RETRY_AFTER_MAX_S = 3600
AT_ONCE = 8
GATHERED_AT_ONCE = 200
LOOK_S = 1.0
LOOK_AGAIN_S = 3600.0
FAULT_PAUSE_S = 5
NEVER = Instant(0)
GONE = 410
WHY_LETTERS_MAX = 200


class Source(Protocol):
    """Where news come from. Steps are numbered: asked again after a number, they come again. Ends
    are not: they come again until they were heard."""

    async def after(self, number: int, most: int) -> tuple[int, Sequence[Notice]]:
        """Give what happened after a number, of at most so many steps, and the last step's
        number."""
        ...

    def last(self) -> int:
        """Give the number of the last step there is."""
        ...

    async def ended(self, most: int) -> Sequence[Notice]:
        """Give so many ends that were not heard."""
        ...

    async def heard(self, ends: Sequence[Notice]) -> None:
        """Forget ends."""
        ...


class Outbox:
    """The journal's outbox: every operation that has its outcome, whichever face asked for it, as
    the face webinos tells it to the payment's seller; and the ends the face noted by itself."""

    def __init__(self, engine: Engine, hosted: Hosted) -> None:
        self._engine = engine
        self._hosted = hosted

    async def after(self, number: int, most: int) -> tuple[int, Sequence[Notice]]:
        found = list[Notice]()
        messages = self._engine.journal.outbox(number, most)
        for message in messages:
            row = next(self._engine.journal.entries(message.number - 1, 1))
            payment = self._engine.load(row.payment)
            if payment.opening.key.scope != self._hosted.face.name:
                continue
            for fact in row.facts:
                if isinstance(fact, Settled):
                    tell = Tell(payment, payment.operations[fact.ordinal - 1])
                    found += await self._serve(tell)
        return (messages[-1].number if messages else number), found

    def last(self) -> int:
        return self._engine.journal.head().number

    async def ended(self, most: int) -> Sequence[Notice]:
        found: tuple[Notice, ...] = await self._serve(Ended(most))
        return found

    async def heard(self, ends: Sequence[Notice]) -> None:
        await self._serve(Heard(tuple(each.payment for each in ends)))

    async def _serve(self, message: object) -> Any:
        return await self._engine.serve(self._hosted.face, message, self._hosted.parties)


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice that waits, or that nobody took (`dead`). Times are microseconds."""

    key: str
    id: str
    payment: str
    seller: str
    kind: str
    body: str
    made_at: Instant
    attempts: int = 0
    next_at: Instant = NEVER
    why: str = ""

    @property
    def name(self) -> str:
        """What people call it: PAYMENT/SEQUENCE."""
        return self.key.partition("/")[2]

    @property
    def dead(self) -> bool:
        """Whether it is sent no more."""
        return self.key.startswith(DEAD)

    def written(self) -> bytes:
        """Give it as a page of the notebook."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "key"}
        return json.write(fields)


def read_letter(key: str, page: bytes) -> Letter:
    """Read a page of the notebook."""
    return Letter(key=key, **json.read_object(page, what=key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is tried, and how. After the pauses the last one is repeated until `kept_s`."""

    pauses_s: tuple[float, ...] = PAUSES_S
    kept_s: float = KEPT_S
    limit_s: float = LIMIT_S
    look_s: float = LOOK_S

    def next_pause_s(self, letter: Letter) -> float:
        """Give the pause after a failure; up to a fifth more or less, so that what failed
        together does not come back together."""
        pause_s = self.pauses_s[min(letter.attempts, len(self.pauses_s)) - 1]
        drawn = sha256(f"{letter.id}.{letter.attempts}".encode()).digest()[0] / 255
        return pause_s * (1 - JITTER + 2 * JITTER * drawn)


USUAL = Patience()


@dataclass(slots=True)
class _Lane:
    """What one seller is told. A slow seller holds up nobody but itself.

    `lines` are the keys of a payment's notices in order; only the first of a line is ever sent.
    `due` says when, for the lines that wait; `waiting` is a heap of that, with leftovers.
    """

    seller: Seller
    keys: webhook.Keys
    lines: dict[str, deque[str]] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0


class Notices:
    """The dispatcher. `transport` must not lead where notices must not go; see `is_public`.

    Sellers without an address, or without keys, are told nothing.
    """

    def __init__(
        self,
        engine: Engine,
        source: Source,
        sellers: Mapping[str, Seller],
        transport: Transport,
        patience: Patience = USUAL,
    ) -> None:
        self._engine = engine
        self._source = source
        self._transport = transport
        self._patience = patience
        self._lanes = {
            name: _Lane(seller, webhook.keys_of(seller.notices_key))
            for name, seller in sellers.items()
            if seller.notices_url and seller.notices_key is not None
        }
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._cursor = 0
        self._gathering = asyncio.Lock()

    async def start(self) -> None:
        """Take up what waits from before, and begin.

        What happened before the first start is nobody's news, nor is what happens while nobody is
        to be told.
        """
        self._cursor, version = self._stored()
        if not version or not self._lanes:
            await self._skip()
        if not self._lanes:
            return
        for letter in self._browse(DUE):
            self._queue(letter)
        self._begin(self._gather_for_ever())
        for lane in self._lanes.values():
            self._begin(self._run(lane))

    async def close(self) -> None:
        """Stop; what was not taken is sent again by the next one."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if not self._lanes:
            await self._skip()
        await self._transport.close()

    def wake(self) -> None:
        """Tell that something may have happened."""
        self._news.set()

    # What people see and do

    def letters(self, *, dead: bool, after: str = "", most: int = 100) -> list[Letter]:
        """List what waits, or what nobody took."""
        prefix = DEAD if dead else DUE
        pages = self._engine.journal.browse(NAMESPACE, prefix, after and prefix + after, most)
        return [read_letter(key, page.value) for key, page in pages]

    async def replay(self, name: str) -> Letter | None:
        """Send one again that nobody took, or at once one that waits; None where there is none.

        `name` is PAYMENT/SEQUENCE.
        """
        for prefix in (DEAD, DUE):
            page = self._engine.recall(NAMESPACE, prefix + name)
            if page is not None:
                break
        else:
            return None
        now = self._engine.clock.now()
        letter = read_letter(prefix + name, page.value)
        fresh = replace(letter, key=DUE + name, next_at=now, attempts=0, made_at=now)
        notes = [Note(fresh.key, fresh.written(), page.version)]
        if letter.dead:
            notes = [Note(letter.key, None, page.version), Note(fresh.key, fresh.written(), 0)]
        if not await self._engine.remember(NAMESPACE, Remember(tuple(notes))):
            return None
        lane = self._lanes.get(fresh.seller)
        if letter.dead:
            self._queue(fresh)
        elif lane is not None and fresh.payment in lane.due:
            _wait_until(lane, fresh.payment, now)
        return fresh

    # Gathering

    async def gather(self) -> None:
        """Turn everything that happened since the last time into notices."""
        async with self._gathering:
            await self._gather_steps()
            await self._gather_ends()

    async def _gather_ends(self) -> None:
        while ends := await self._source.ended(GATHERED_AT_ONCE):
            letters = self._letters(ends)
            if letters:
                notes = tuple(Note(letter.key, letter.written()) for letter in letters)
                await self._engine.remember(NAMESPACE, Remember(notes))
            await self._source.heard(ends)
            for letter in letters:
                self._queue(letter)

    async def _gather_steps(self) -> None:
        while True:
            stored, version = self._stored()
            number, news = await self._source.after(self._cursor, GATHERED_AT_ONCE)
            if number == self._cursor:
                return
            letters = self._letters(news)
            # Where nobody is told anything, the cursor need not be written each time.
            if letters or number - stored >= GATHERED_AT_ONCE:
                cursor = Note(CURSOR, json.write({"number": number}), version)
                notes = [Note(letter.key, letter.written()) for letter in letters]
                if not await self._engine.remember(NAMESPACE, Remember((cursor, *notes))):
                    self._cursor = self._stored()[0]
                    continue
            self._cursor = number
            for letter in letters:
                self._queue(letter)

    async def _skip(self) -> None:
        self._cursor = self._source.last()
        cursor = Note(CURSOR, json.write({"number": self._cursor}))
        await self._engine.remember(NAMESPACE, Remember((cursor,)))

    def _stored(self) -> tuple[int, int]:
        page = self._engine.recall(NAMESPACE, CURSOR)
        if page is None:
            return 0, 0
        return int(json.read_object(page.value, what=CURSOR)["number"]), page.version

    def _letters(self, news: Sequence[Notice]) -> list[Letter]:
        now, made = self._engine.clock.now(), list[Letter]()
        for each in news:
            if each.seller not in self._lanes:
                continue
            body = json.write(
                {
                    "type": each.type,
                    "timestamp": each.at,
                    "sequence": each.sequence,
                    "data": dict(each.data),
                }
            )
            made.append(
                Letter(
                    key=f"{DUE}{each.payment}/{each.sequence:06d}",
                    id=each.id,
                    payment=each.payment,
                    seller=each.seller,
                    kind=each.type,
                    body=body.decode(),
                    made_at=now,
                    next_at=now,
                )
            )
        return made

    async def _gather_for_ever(self) -> None:
        while True:
            try:
                await self.gather()
            except Exception:  # noqa: BLE001 - whatever it is, it is tried again
                log.error("notices were not gathered\n%s", scrub(format_exc()))
                await asyncio.sleep(self._patience.look_s)
            # Under load, many changes are gathered at once.
            await asyncio.sleep(min(0.05, self._patience.look_s))
            try:
                async with asyncio.timeout(self._patience.look_s):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()

    # Sending

    def _queue(self, letter: Letter) -> None:
        lane = self._lanes.get(letter.seller)
        if lane is None:
            return  # its seller has no address any more; it stays where it is
        line = lane.lines.setdefault(letter.payment, deque())
        line.append(letter.key)
        if len(line) == 1:
            _wait_until(lane, letter.payment, letter.next_at)

    async def _run(self, lane: _Lane) -> None:
        while True:
            lane.woken.clear()
            pause_s = self._start_due(lane)
            try:
                async with asyncio.timeout(pause_s):
                    await lane.woken.wait()
            except TimeoutError:
                pass

    def _start_due(self, lane: _Lane) -> float | None:
        """Send what is due; say when to look again."""
        now = self._engine.clock.now()
        while lane.waiting and lane.busy < AT_ONCE:
            at, payment = lane.waiting[0]
            if lane.due.get(payment) != at:
                heapq.heappop(lane.waiting)
            elif at > now:
                return min((at - now) / MICROSECONDS_PER_S, LOOK_AGAIN_S)
            else:
                heapq.heappop(lane.waiting)
                del lane.due[payment]
                lane.busy += 1
                self._begin(self._deliver_first(lane, payment))
        return None

    async def _deliver_first(self, lane: _Lane, payment: str) -> None:
        line = lane.lines[payment]
        again_at: int | None = self._engine.clock.now() + FAULT_PAUSE_S * MICROSECONDS_PER_S
        try:
            again_at = await self._deliver(lane, line[0])
        except (JournalError, OSError) as error:
            log.error("notice %s: %s", line[0], error)
        finally:
            lane.busy -= 1
            if again_at is None:
                line.popleft()
                again_at = self._engine.clock.now()
            if line:
                _wait_until(lane, payment, again_at)
            else:
                del lane.lines[payment]
                lane.woken.set()

    async def _deliver(self, lane: _Lane, key: str) -> int | None:
        """Send one; say when it is to be sent again, None for never."""
        page = self._engine.recall(NAMESPACE, key)
        if page is None:
            return None
        letter = read_letter(key, page.value)
        now = self._engine.clock.now()
        if letter.next_at > now:
            return letter.next_at
        why, pause_s = await self._send(lane, letter, now // MICROSECONDS_PER_S)
        if why == "":
            await self._engine.remember(NAMESPACE, Remember((Note(key, None),)))
            return None
        now = self._engine.clock.now()
        letter = replace(letter, attempts=letter.attempts + 1, why=scrub(why)[:WHY_LETTERS_MAX])
        pause_s = max(pause_s, self._patience.next_pause_s(letter))
        next_at = Instant(now + int(pause_s * MICROSECONDS_PER_S))
        too_old = next_at - letter.made_at > self._patience.kept_s * MICROSECONDS_PER_S
        if too_old or why == _GONE:
            log.warning("notice %s: nobody takes it (%s); kept for replay", key, letter.why)
            dead = replace(letter, key=DEAD + key.removeprefix(DUE), next_at=NEVER)
            notes = (Note(key, None), Note(dead.key, dead.written()))
            await self._engine.remember(NAMESPACE, Remember(notes))
            return None
        log.info("notice %s: %s; again in %.0f s", key, letter.why, pause_s)
        letter = replace(letter, next_at=next_at)
        await self._engine.remember(NAMESPACE, Remember((Note(key, letter.written()),)))
        return next_at

    async def _send(self, lane: _Lane, letter: Letter, now_s: int) -> tuple[str, float]:
        """Send one; say why it was not taken ("": it was), and what pause its seller wants."""
        body = letter.body.encode()
        fields = [
            ("content-type", "application/json"),
            ("webhook-id", letter.id),
            ("webhook-timestamp", str(now_s)),
            ("webhook-signature", webhook.sign(lane.keys, letter.id, now_s, body)),
        ]
        request = Request("POST", lane.seller.notices_url, Headers(fields), body)
        try:
            answer = await self._transport.send(request, self._patience.limit_s)
        except TransportError as error:
            return str(error), 0.0
        if 200 <= answer.status < 300:
            return "", 0.0
        if answer.status == GONE:
            return _GONE, 0.0
        return f"answered {answer.status}", _retry_after_s(answer)

    def _browse(self, prefix: str) -> list[Letter]:
        found, after = list[Letter](), ""
        while pages := self._engine.journal.browse(NAMESPACE, prefix, after, 1000):
            found += [replace(read_letter(key, page.value), body="") for key, page in pages]
            after = pages[-1][0]
        return found

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_GONE = "answered 410: gone for good"


def _wait_until(lane: _Lane, payment: str, at: int) -> None:
    lane.due[payment] = at
    heapq.heappush(lane.waiting, (at, payment))
    lane.woken.set()


def _retry_after_s(answer: Response) -> float:
    wanted = answer.headers.get("retry-after", "")
    known = wanted.isascii() and wanted.isdecimal() and len(wanted) < 8
    return float(min(int(wanted), RETRY_AFTER_MAX_S)) if known else 0.0
