"""The control API of the sandbox: faults, the book, accounts, cards, pending operations, and what
terminals fetch.

It listens on a port of its own: the network may be down while you speak to it.
"""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.sandbox import parameters
from tollbridge.sandbox.book import Account
from tollbridge.sandbox.cards import BY_ACCOUNT, CARDS, described
from tollbridge.sandbox.faults import DELAY_S, Fault, Rule
from tollbridge.sandbox.listener import Listener
from tollbridge.sandbox.network import PIN_TRIES

PAGE = 1000


class FaultWish(msgspec.Struct, forbid_unknown_fields=True):
    """Trouble for the next requests that fit; see `sandbox/faults.py`."""

    fault: Fault
    times: int = 1
    skip: int = 0
    what: str = ""
    verb: str = ""
    delay_s: float = DELAY_S


class DownWish(msgspec.Struct, forbid_unknown_fields=True):
    """How long the network refuses connections; without it, until told otherwise."""

    for_s: float | None = None


class LimitWish(msgspec.Struct, forbid_unknown_fields=True):
    """An account's limit in minor units; null for none."""

    limit_minor: int | None


class DecisionWish(msgspec.Struct, forbid_unknown_fields=True):
    """The response code a pending operation is decided with."""

    code: str = "00"


class Control:
    """The control application of a listening network."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._service = listener.service
        self._book = listener.service.network.book

    def app(self) -> Starlette:
        """Make the ASGI application; the network listens while it runs."""
        routes = [
            Route("/health", self.health),
            Route("/control/faults", _checked(self.add_fault), methods=["POST"]),
            Route("/control/faults", self.faults),
            Route("/control/faults", self.clear_faults, methods=["DELETE"]),
            Route("/control/down", _checked(self.down), methods=["POST"]),
            Route("/control/up", self.up, methods=["POST"]),
            Route("/control/book", _checked(self.movements)),
            Route("/control/accounts", self.accounts),
            Route("/control/accounts/{name}/{currency}", _checked(self.set_limit), methods=["PUT"]),
            Route("/control/cards", self.cards),
            Route("/control/pins", self.pins),
            Route("/control/pins/{account}", self.unblock, methods=["DELETE"]),
            Route("/control/parameters", self.all_parameters),
            Route("/control/parameters/{kind}", _checked(self.parameters)),
            Route(
                "/control/parameters/{kind}",
                _checked(self.set_parameters),
                methods=["PUT", "DELETE"],
            ),
            Route("/control/pending/{operation}", _checked(self.decide), methods=["POST"]),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._listener.up()
        self._service.start()
        yield
        self._listener.down()
        await self._service.close()

    async def health(self, _: Request) -> Response:
        """Say whether the network takes connections, and where."""
        return _json({"up": self._listener.is_up, "port": self._listener.port})

    async def add_fault(self, request: Request) -> Response:
        """Order trouble. A refusal takes the listener down: only so is a connection refused; but
        what refuses parameters alone breaks their connections, and lets payments through."""
        wish = msgspec.json.decode(await request.body(), type=FaultWish)
        if wish.fault is Fault.REFUSE and wish.what != "parameters":
            self._listener.down(wish.delay_s)
        else:
            self._service.faults.rules.append(Rule(**msgspec.structs.asdict(wish)))
        return await self.faults(request)

    async def faults(self, _: Request) -> Response:
        """List the trouble that is ordered."""
        return _json({"rules": self._service.faults.rules, "up": self._listener.is_up})

    async def clear_faults(self, request: Request) -> Response:
        """Forget the trouble that is ordered."""
        self._service.faults.rules.clear()
        return await self.faults(request)

    async def down(self, request: Request) -> Response:
        """Refuse connections."""
        wish = msgspec.json.decode(await request.body() or b"{}", type=DownWish)
        self._listener.down(wish.for_s)
        return await self.health(request)

    async def up(self, request: Request) -> Response:
        """Take connections again."""
        await self._listener.up()
        return await self.health(request)

    async def movements(self, request: Request) -> Response:
        """Read the book, after a number."""
        after = int(request.query_params.get("after", "0"))
        limit = min(int(request.query_params.get("limit", str(PAGE))), PAGE)
        return _json({"movements": self._book.movements(after, limit)})

    async def accounts(self, _: Request) -> Response:
        """List the accounts that were used, with their balances."""
        return _json({"accounts": [_account(account) for account in self._book.accounts()]})

    async def set_limit(self, request: Request) -> Response:
        """Give an account another limit."""
        wish = msgspec.json.decode(await request.body(), type=LimitWish)
        names = request.path_params
        named = (names["name"], names["currency"])
        return _json(_account(await self._service.limit(*named, wish.limit_minor)))

    async def cards(self, _: Request) -> Response:
        """List the test cards."""
        return _json({"cards": [described(card) for card in CARDS]})

    async def pins(self, _: Request) -> Response:
        """List the accounts with wrong PINs since their last right one."""
        return _json({"pins": [_pins(*entry) for entry in self._book.wrong_pins().items()]})

    async def unblock(self, request: Request) -> Response:
        """Let an account's wrong PINs be counted from nothing again."""
        account = request.path_params["account"]
        if account not in BY_ACCOUNT:
            return _json({"error": f"no test card has the account {account!r:.40}"}, 404)
        await self._service.unblock(account)
        return _json(_pins(account, self._book.wrong_pins_of(account)))

    async def all_parameters(self, _: Request) -> Response:
        """List the parameters that were set, for all terminals ("") and for some."""
        found = [
            {"kind": kind, "terminal": terminal, "tables": msgspec.Raw(tables)}
            for kind, terminal, tables in self._book.all_parameters()
        ]
        return _json({"parameters": found})

    async def parameters(self, request: Request) -> Response:
        """Give the parameters that a terminal gets."""
        kind, terminal = _parameters_of(request)
        if kind not in parameters.DEFAULTS:
            return _no_such_kind()
        return _json(msgspec.Raw(self._service.network.parameters(kind, terminal)))

    async def set_parameters(self, request: Request) -> Response:
        """Set the parameters of a terminal or of all, or take back what was set; gives what the
        terminal gets now."""
        kind, terminal = _parameters_of(request)
        if kind not in parameters.DEFAULTS:
            return _no_such_kind()
        tables = None
        if request.method == "PUT":
            tables = msgspec.json.encode(parameters.read(await request.body()))
        return _json(msgspec.Raw(await self._service.set_parameters(kind, terminal, tables)))

    async def decide(self, request: Request) -> Response:
        """Decide a pending operation."""
        wish = msgspec.json.decode(await request.body() or b"{}", type=DecisionWish)
        decided = await self._service.decide(request.path_params["operation"], wish.code)
        if decided is None:
            return _json({"error": "no pending operation has this name"}, 404)
        return _json(decided)


async def run(listener: Listener, control: socket.socket) -> None:
    """Run a network and its control API, on a bound socket, until a signal says stop."""
    app = Control(listener).app()
    config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=2)
    await uvicorn.Server(config).serve(sockets=[control])


Endpoint = Callable[[Request], Awaitable[Response]]


def _checked(endpoint: Endpoint) -> Endpoint:
    """Answer 400 to what an endpoint cannot read."""

    async def checked(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (msgspec.DecodeError, ValueError) as error:
            return _json({"error": str(error)}, 400)

    return checked


def _account(account: Account) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(account)
    return fields | {"available_minor": account.available_minor}


def _parameters_of(request: Request) -> tuple[str, str]:
    terminal = request.query_params.get("terminal", "")
    if len(terminal) > parameters.NAME_LETTERS_MAX:
        raise ValueError(f"a terminal's name has at most {parameters.NAME_LETTERS_MAX} letters")
    return request.path_params["kind"], terminal


def _no_such_kind() -> Response:
    return _json({"error": f"the kinds of parameters are {' and '.join(parameters.DEFAULTS)}"}, 404)


def _pins(account: str, wrong: int) -> dict[str, Any]:
    return {"account": account, "wrong": wrong, "blocked": wrong >= PIN_TRIES}


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
