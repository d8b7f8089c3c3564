"""The network at work: one request in, trouble or a durable answer out.

Requests that arrive together share one commit of the book.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from tollbridge.engine.clerk import Clerk
from tollbridge.ground.clock import MICROSECONDS_PER_S
from tollbridge.sandbox.book import Account, Movement
from tollbridge.sandbox.faults import Fault, Faults, Trouble
from tollbridge.sandbox.network import Network, answer
from tollbridge.wire import http
from tollbridge.wire.http import Request, Response

Work = Callable[[], Any]
Tell = Callable[[Movement], Coroutine[Any, Any, None]]
TOO_MUCH_MINOR = 1_000_000
GARBAGE = Response(200, http.JSON, b'{"operation": \xff\xfe')


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: the answer (None: nothing), how often, and whether the line breaks.

    `refused`: it never arrived. `silent`: the line stays open and nothing comes.
    """

    answer: Response | None = None
    times: int = 1
    refused: bool = False
    silent: bool = False


class _Wish(msgspec.Struct):
    verb: str = ""
    fault: str = ""


class Service:
    """A network, the trouble it makes, and the commits of its book.

    `tell` is told about operations decided later; `threaded` works in a thread (see Clerk).
    """

    def __init__(
        self,
        network: Network,
        faults: Faults,
        tell: Tell | None = None,
        *,
        threaded: bool = False,
    ) -> None:
        self.network = network
        self.faults = faults
        self._tell = tell
        self._clerk: Clerk[Work, Any] = Clerk(self._work, threaded=threaded)
        self._late: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Take up what was pending when the network stopped."""
        for movement in self.network.book.pending():
            if movement.due:
                self._background(self._decide_when_due(movement))

    async def do(self, request: Request) -> Response:
        """Do what a request wants; the answer comes when it is durable.

        Raises OSError when the book cannot be written; then nothing was done.
        """
        answer: Response = await self._clerk.write(partial(self.network.handle, request))
        return answer

    async def limit(self, name: str, code: str, limit_minor: int | None) -> Account:
        """Give an account another limit."""

        def work() -> Account:
            account = self.network.book.account(name, code, limit_minor)
            self.network.book.set_limit(account, limit_minor)
            return account

        account: Account = await self._clerk.write(work)
        return account

    async def unblock(self, name: str) -> None:
        """Count an account's wrong PINs from nothing again."""
        await self._clerk.write(partial(self.network.book.forget_wrong_pins, name))

    async def set_parameters(self, kind: str, terminal: str, tables: bytes | None) -> bytes:
        """Set the parameters of a terminal, or of all (""); None takes back what was set. Gives
        what the terminal gets now."""

        def work() -> bytes:
            self.network.book.set_parameters(kind, terminal, tables)
            return self.network.parameters(kind, terminal)

        now: bytes = await self._clerk.write(work)
        return now

    async def serve(self, request: Request, trouble: Trouble | None) -> Reply:
        """Do what a request wants, with trouble. Raises OSError as `do` does."""
        if trouble is None:
            return Reply(await self.do(request))
        match trouble.fault:
            case Fault.REFUSE:
                return Reply(refused=True)
            case Fault.LATE_DELIVERY:
                self._background(self._later(request, trouble.delay_s))
                return Reply(silent=True)
            case Fault.PENDING if request.method == "POST":
                return Reply(await self._pend(request, trouble.delay_s))
            case _:
                return await self._spoil(await self.do(request), trouble)

    async def close(self) -> None:
        """Deliver nothing more; what is durable stays."""
        for task in self._late:
            task.cancel()
        if self._late:
            await asyncio.wait(self._late)
        await self._clerk.close()
        self.network.book.close()

    def _work(self, works: Sequence[Work]) -> list[Any]:
        """Do what arrived together and commit the book once. Nobody else writes to it."""
        done = [work() for work in works]
        self.network.book.commit()
        return done

    def trouble(self, request: Request) -> Trouble | None:
        """Choose the trouble for a request, and use up the rule it comes from."""
        if not self.faults.rules and not self.faults.down and b'"fault"' not in request.body:
            return None
        what = "inquiry" if request.method == "GET" else "operation"
        verb = asked = ""
        if request.url.endswith("/reversals"):
            what = "reversal"
        elif "/v1/parameters/" in request.url:
            what = "parameters"
        if what == "operation":
            try:
                order = msgspec.json.decode(request.body, type=_Wish)
            except msgspec.DecodeError:
                return None
            verb, asked = order.verb, order.fault
        return self.faults.choose(what, verb, asked)

    async def _spoil(self, done: Response, trouble: Trouble) -> Reply:
        if trouble.fault is Fault.LATE_ANSWER:
            await asyncio.sleep(trouble.delay_s)
        return Reply(
            spoiled(done, trouble.fault),
            times=2 if trouble.fault is Fault.ANSWER_TWICE else 1,
            silent=trouble.fault is Fault.LOSE_ANSWER,
        )

    async def _later(self, request: Request, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self.do(request)

    async def _pend(self, request: Request, delay_s: float) -> Response:
        """Write an operation down without deciding it; due 0 waits until somebody decides."""
        network = self.network
        due = network.clock.now() + round(delay_s * MICROSECONDS_PER_S) if delay_s else 0
        movement = await self._clerk.write(partial(network.pend, request, due))
        if isinstance(movement, Response):
            return movement
        if due:
            self._background(self._decide_when_due(movement))
        return answer(movement)

    async def decide(self, operation: str, code: str) -> Movement | None:
        """Decide a pending operation with a response code, and tell about it; None when no
        operation of this name is pending."""
        decided: Movement | None = await self._clerk.write(partial(self._decided, operation, code))
        if decided is not None and self._tell is not None:
            self._background(self._tell(decided))
        return decided

    def _decided(self, operation: str, code: str) -> Movement | None:
        movement = self.network.book.find(operation)
        if movement is None or movement.status != "pending":
            return None
        return self.network.decide_pending(movement, code)

    async def _decide_when_due(self, movement: Movement) -> None:
        left = movement.due - self.network.clock.now()
        await asyncio.sleep(max(0, left) / MICROSECONDS_PER_S)
        await self.decide(movement.operation, movement.code)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def spoiled(answer: Response, fault: Fault) -> Response | None:
    """Give what a fault makes of an answer; None when none comes back."""
    match fault:
        case Fault.LOSE_ANSWER | Fault.DROP:
            return None
        case Fault.GARBAGE:
            return GARBAGE
        case Fault.WRONG_AMOUNT:
            fields = msgspec.json.decode(answer.body)
            fields["amount_minor"] = fields.get("amount_minor", 0) + TOO_MUCH_MINOR
            return Response(answer.status, http.JSON, msgspec.json.encode(fields))
        case _:
            return answer
