"""The addresses of the face webinos: its endpoints, streams of events, the provider's own pages,
the client for shops and the public keys.

A payment goes on when its browser leaves: what a POST asks for runs by itself, and whoever asked is
answered with what is true by then.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from traceback import format_exception
from typing import Any
from urllib.parse import parse_qsl

from starlette.routing import BaseRoute, Route

from tollbridge.engine.engine import Engine
from tollbridge.faces.contract import HttpEndpoint
from tollbridge.faces.webinos import WebinosFace, codec, sessions
from tollbridge.faces.webinos.bill import Manner
from tollbridge.faces.webinos.messages import (
    Answer,
    Begin,
    Caller,
    Cancel,
    Follow,
    Followed,
    LookAt,
    Refresh,
    Reply,
    Returned,
    Show,
)
from tollbridge.faces.webinos.outcome import charge
from tollbridge.faces.webinos.settings import Provider
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret, scrub
from tollbridge.server.asgi import Endpoint, headers_of
from tollbridge.server.errors import failed
from tollbridge.server.hosting import Hosted
from tollbridge.web import files
from tollbridge.web.device import Device
from tollbridge.web.events import Events, too_many
from tollbridge.web.files import ALWAYS, Files
from tollbridge.web.gate import Gate
from tollbridge.web.hub import Hub, TooMany
from tollbridge.web.keys import JWKS_AGE_S, ProofKeys
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.web")

SOON_S, LATE_S = 0.05, 0.5
USUALLY = 0.1
"""How much the latest payment changes what is thought to be usual."""
WAIT_MAX_S = 30.0
CLOSING_LIMIT_S = 10.0
ORIGINS = "tollbridge-origins"
BUSY = charge("too_many", "Too many payments begin at this shop just now.", retry=True)
METHOD_MANIFEST = "payment-method-manifest"
_LIMITS = Limits(body_bytes_max=1024)
_OPEN = (("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin"))

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Readable:
    """An endpoint of the face, whose refusals the pages of sellers may read too: what a browser
    hides from a page looks to it like a provider that is not there."""

    endpoint: HttpEndpoint
    answer: Callable[[Request, Names], Any]
    provider: Provider

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        def refuse(error: RemoteProtocolError) -> Response:
            said = headers_of(scope).get("origin", "")
            refusal = self.endpoint.refuse(error)
            readable = codec.cors(said if self.provider.knows(said) else "")
            fields = Headers([*refusal.headers.items(), *readable])
            return Response(refusal.status, fields, refusal.body)

        await Endpoint(self.answer, refuse, self.endpoint.limits, None)(scope, receive, send)


class Site:
    """The addresses. It is closed before the engine, and waits for what runs by itself. `gate` lets
    payments begin. `trying`: there is a page of ours that pays to the first seller."""

    def __init__(
        self,
        engine: Engine,
        face: WebinosFace,
        device: Device,
        hub: Hub,
        keys: ProofKeys,
        gate: Gate,
        *,
        trying: bool = False,
    ) -> None:
        self.hosted = Hosted(face, device.parties(), elsewhere=True)
        self._engine = engine
        self._face = face
        self.hub = hub
        self._keys = keys
        self._gate = gate
        self._trying = trying
        self._tasks: set[asyncio.Task[Any]] = set()
        self._usual_s = 0.0
        self._pages = Files(files.PAGES, (("cross-origin-resource-policy", "same-origin"),))
        policy = f"{files.POLICY}; frame-ancestors 'none'"
        self._client = Files(files.CLIENT, (*_OPEN, ("content-security-policy", policy)))

    def routes(self) -> list[BaseRoute]:
        """Make the routes."""
        made: list[BaseRoute] = []
        for endpoint in self._face.endpoints():
            assert isinstance(endpoint, HttpEndpoint)
            adapter = _Readable(endpoint, self._answering(endpoint), self._face.provider)
            made.append(Route(endpoint.path, adapter, methods=[endpoint.method]))
        events = Events(self.followed, self.again, self.hub)
        made.append(Route("/web/payments/{payment}/events", events, methods=["GET"]))
        trying = (("/web/try", self._try), ("/web/try.json", self._try_what))
        for path, give in (
            *(trying if self._trying else ()),
            ("/web/confirm", self._confirm),
            ("/web/returned/{payment}", self._returned),
            ("/web/pages/{path:path}", self._pages.give),
            ("/.well-known/jwks.json", self._jwks),
            ("/client/pay", self._method),
            ("/client/{path:path}", self._file),
        ):
            made.append(Route(path, Endpoint(give, failed, _LIMITS, None), methods=["GET"]))
        return made

    async def start(self) -> None:
        """Begin; nothing is to be done before somebody asks."""

    async def close(self) -> None:
        """Wait for what runs by itself; recovery takes up what takes longer."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSING_LIMIT_S)

    async def serve(self, message: Any) -> Any:
        """Ask the face."""
        return await self._engine.serve(self._face, message, self.hosted.parties)

    # The face's endpoints

    def _answering(self, endpoint: HttpEndpoint) -> Callable[[Request, Names], Any]:
        async def answer(request: Request, names: Names) -> Response:
            message = endpoint.decode(request, names)
            match message:
                case Begin() | Answer() | Cancel():
                    return endpoint.encode(await self.begun(message))
                case Show():
                    return endpoint.encode(await self._shown(message, request))
                case LookAt():
                    answer = endpoint.encode(await self.serve(message))
                    told = (ORIGINS, " ".join(self._origins_of(message.challenge)))
                    fields = Headers([*answer.headers.items(), told])
                    return Response(answer.status, fields, answer.body)
                case _:
                    return endpoint.encode(await self.serve(message))

        return answer

    async def begun(self, message: Begin | Answer | Cancel) -> Reply:
        """Let a flow run by itself, and answer when it is over, or soon with how far it is.

        Soon is later while payments take longer because there are many: whoever is told that his
        payment is on its way asks again, and that makes more work still.
        """
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        if isinstance(message, Begin) and (wait_s := self._wait_s(message, begun_s)):
            origin = (
                message.caller.origin if self._face.provider.knows(message.caller.origin) else ""
            )
            return Reply(429, codec.failure(BUSY), (("retry-after", str(wait_s)),), origin)
        task = loop.create_task(self.serve(message))
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._ended(task, loop.time() - begun_s))
        while True:
            await asyncio.wait((task,), timeout=min(max(SOON_S, 2 * self._usual_s), LATE_S))
            if task.done():
                reply: Reply = task.result()
                return reply
            so_far = await self._so_far(message)
            if so_far is not None:
                return so_far

    def _wait_s(self, message: Begin, now_s: float) -> int:
        if message.manner is Manner.COMPAT:
            return self._gate.wait_s(str(message.fields.get("sellerID")), now_s)
        return self._gate.wait_s(message.caller.credential.reveal(), now_s)

    async def _so_far(self, message: Begin | Answer | Cancel) -> Reply | None:
        """Say how far a payment is whose flow still runs; None while that is not written."""
        if not isinstance(message, Begin):
            shown: Reply = await self.serve(Show(message.caller, message.payment))
            return shown
        payment = sessions.name_of(str(message.fields.get("sellerID")), message.key)
        if self._engine.recall(self._face.name, sessions.page(payment)) is None:
            return None
        self.hub.changed(payment)
        # Asked again, the face finds what it has begun, and makes its client token once more.
        again: Reply = await self.serve(message)
        fields = tuple(each for each in again.headers if each[0] != "idempotent-replayed")
        return Reply(201, again.fields, fields, again.origin) if again.status == 200 else again

    def _ended(self, task: "asyncio.Task[Any]", took_s: float) -> None:
        self._tasks.discard(task)
        if took_s < LATE_S:
            self._usual_s += USUALLY * (took_s - self._usual_s)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a payment's flow failed\n%s", scrub("".join(format_exception(error))))

    # Following

    async def followed(self, caller: Caller, payment: str) -> Followed | Reply:
        """Look at a payment for who follows it."""
        found: Followed | Reply = await self.serve(Follow(caller, payment))
        return found

    async def again(self, payment: str) -> Followed | None:
        """Look at a payment for who was let in before."""
        found: Followed | None = await self.serve(Refresh(payment))
        return found

    async def _shown(self, message: Show, request: Request) -> Reply:
        """Show a payment, at once or when something has happened to it."""
        query = dict(parse_qsl(request.url.partition("?")[2])[:10])
        wait_s, after = min(_whole(query.get("wait")), WAIT_MAX_S), _whole(query.get("after"))
        if not wait_s:
            reply: Reply = await self.serve(message)
            return reply
        until_s = asyncio.get_running_loop().time() + wait_s
        try:
            with self.hub.following(message.payment) as follower:
                while True:
                    woken = follower.next()
                    found = await self.followed(message.caller, message.payment)
                    if isinstance(found, Reply):
                        return found
                    left_s = until_s - asyncio.get_running_loop().time()
                    news = found.view["events"] > after
                    if news or found.over or follower.over or left_s <= 0:
                        return Reply(200, found.view, origin=message.caller.origin)
                    await asyncio.wait((woken,), timeout=left_s)
        except TooMany:
            return too_many(message.caller)

    # Pages, client, keys

    async def _confirm(self, request: Request, _: Names) -> Response:
        """Give the provider's own page. Whose payment it is stands in the fragment, which is not
        sent, so any seller may frame it; what it tells it tells that payment's seller only."""
        return self._pages.answer(request.headers, "confirm.html", self._framed)

    async def _returned(self, request: Request, names: Names) -> Response:
        """Take back a payer whom the page of a bridge's provider sends here."""
        query = dict(parse_qsl(request.url.partition("?")[2])[:10])
        token = Secret(query.get("t", ""))
        await self.serve(Returned(names["payment"], token, cancelled="cancelled" in query))
        return self._pages.answer(Headers(), "returned.html", self._framed)

    async def _try(self, request: Request, _: Names) -> Response:
        policy = ("content-security-policy", f"{files.POLICY}; frame-ancestors 'none'")
        return self._pages.answer(request.headers, "try.html", policy)

    async def _try_what(self, _: Request, __: Names) -> Response:
        """Say who pays whom on the page to try."""
        provider = self._face.provider
        name, seller = next(iter(provider.sellers.items()), ("", None))
        told = {
            "sellerKey": seller.publishable_key if seller else "",
            "sellerID": name,
            "seller": seller.name if seller else "",
            "customerID": next(iter(provider.customers), None),
        }
        return Response(
            200, Headers([("content-type", "application/json"), *ALWAYS]), json.write(told)
        )

    @property
    def _framed(self) -> tuple[str, str]:
        """Give the field that lets the sellers' pages frame one of ours."""
        policy = f"{files.POLICY}; frame-ancestors 'self' {' '.join(self._origins)}".rstrip()
        return "content-security-policy", policy

    @property
    def _origins(self) -> list[str]:
        sellers = self._face.provider.sellers.values()
        return list(dict.fromkeys(origin for seller in sellers for origin in seller.origins))

    def _origins_of(self, challenge: str) -> list[str]:
        """Give the origins of the seller of a challenge's payment; those of all for a stranger."""
        payment = f"wp_{challenge.partition('_')[2].partition('_')[0]}"
        page = self._engine.recall(self._face.name, sessions.page(payment))
        seller = self._face.provider.sellers.get(sessions.read(page).seller) if page else None
        return list(seller.origins) if seller else self._origins

    async def _jwks(self, _: Request, __: Names) -> Response:
        fields = [
            ("content-type", "application/jwk-set+json"),
            ("cache-control", f"public, max-age={JWKS_AGE_S}"),
            *ALWAYS,
            *_OPEN,
        ]
        return Response(200, Headers(fields), json.write(dict(self._keys.jwks)))

    async def _method(self, request: Request, _: Names) -> Response:
        """Say where the payment method's manifest is (Payment Method Manifest, 3.2)."""
        link = ("link", f'</client/pay/manifest.json>; rel="{METHOD_MANIFEST}"')
        del request
        fields = [("content-type", "text/plain"), ("cache-control", "no-cache"), link, *_OPEN]
        return Response(200, Headers([*fields, *ALWAYS]), b"A payment method of Tollbridge.\n")

    async def _file(self, request: Request, names: Names) -> Response:
        """Give a file of the client; a service worker may control all of /client/."""
        return self._client.answer(
            request.headers, names["path"], ("service-worker-allowed", "/client/")
        )


def _whole(text: str | None) -> int:
    known = text is not None and text.isascii() and text.isdecimal() and len(text) < 10
    return int(text) if text is not None and known else 0
