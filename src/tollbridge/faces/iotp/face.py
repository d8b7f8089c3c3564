"""The trading protocol over HTTP (RFC 2935): a Merchant's shop, a Payment Handler, or both.

`GET /iotp/merchant?item=NAME` begins a trade, `POST` goes on with it; `POST /iotp/payment` is the
Payment Handler. Pages below them are where a Consumer's browser is sent in the end, and where
errors are told (`…/log`).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

from tollbridge.faces.contract import Endpoint, HttpEndpoint
from tollbridge.faces.iotp.message.signing import Signer, Verifier
from tollbridge.faces.iotp.roles.handler import PaymentHandler
from tollbridge.faces.iotp.roles.merchant import Merchant
from tollbridge.faces.iotp.roles.server import Server
from tollbridge.faces.iotp.roles.settings import KeySettings
from tollbridge.faces.iotp.roles.writing import together
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import scrub
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.iotp")

MEDIA_TYPES = frozenset({"application/iotp", "application/x-iotp"})
LIMITS = Limits(body_bytes_max=256 * 1024)
LOG_LETTERS_MAX = 400
MERCHANT, PAYMENT = "/iotp/merchant", "/iotp/payment"
IOTP_HEADERS = Headers([
    ("content-type", "APPLICATION/IOTP; charset=UTF-8"),
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
])  # fmt: skip
_TEXT = Headers([("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")])
_PAGES = {
    "done": "The trade is done.",
    "cancelled": "The trade was cancelled.",
    "error": "Something went wrong; your wallet knows what.",
}


@dataclass(frozen=True, slots=True)
class Begin:
    """Somebody wants to trade an item."""

    item: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message for a role."""

    role: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A page."""

    name: str


@dataclass(frozen=True, slots=True)
class Logged:
    """An error that somebody tells us of; it is not answered."""

    body: bytes


Message = Begin | Said | Shown | Logged


class IotpFace:
    """The roles of this process. `merchant` and `handler` may each be None.

    `keys` say where keys of signatures come from; who puts the rooms together makes them and hands
    them over with `equip`.
    """

    name = "iotp"

    def __init__(
        self, merchant: Merchant | None, handler: PaymentHandler | None, keys: KeySettings
    ) -> None:
        self.merchant = merchant
        self.handler = handler
        self.keys = keys

    def equip(self, signer: Callable[[str], Signer], verifier: Verifier) -> None:
        """Let each role sign with the key of its organisation, and believe what `verifier` does."""
        if self.merchant is not None:
            own = self.merchant.settings
            self.merchant.settings = replace(own, signer=signer(own.party.org_id))
        if self.handler is not None:
            settings = self.handler.settings
            key = signer(settings.party.org_id)
            self.handler.settings = replace(settings, signer=key, verifier=verifier)

    def endpoints(self) -> Sequence[Endpoint]:
        found: list[Endpoint] = []
        if self.merchant is not None:
            found += [
                _endpoint("POST", MERCHANT, _said("merchant")),
                _endpoint("GET", MERCHANT, _begin),
                *_pages(MERCHANT),
            ]
        if self.handler is not None:
            found += [_endpoint("POST", PAYMENT, _said("payment")), *_pages(PAYMENT)]
        return found

    def answer(self, message: Message) -> Flow[Response]:
        match message:
            case Begin():
                return (yield from self._begin(message))
            case Said():
                role: Server | None = self.merchant if message.role == "merchant" else self.handler
                assert role is not None, "a role that is not here has no endpoint"
                body = yield from role.answer(message.body)
                return Response(200, IOTP_HEADERS, body) if body else Response(204, _TEXT)
            case Shown():
                return Response(200, _TEXT, f"{_PAGES[message.name]}\n".encode())
            case Logged():
                text = message.body.decode("utf-8", "replace")
                log.warning("a peer tells of an error: %s", scrub(text)[:LOG_LETTERS_MAX])
                return Response(204, _TEXT)

    def _begin(self, message: Begin) -> Flow[Response]:
        assert self.merchant is not None
        if message.item not in self.merchant.settings.items:
            items = ", ".join(self.merchant.settings.items)
            return Response(404, _TEXT, f"there is no such item; there are: {items}\n".encode())
        begun = yield from together(self.merchant.begin(message.item))
        return Response(200, IOTP_HEADERS, begun)


def _endpoint(
    method: str, path: str, decode: Callable[[Request, Mapping[str, str]], Message]
) -> HttpEndpoint:
    return HttpEndpoint(method, path, decode, _encode, _refuse, LIMITS, open=True)


def _pages(path: str) -> list[Endpoint]:
    found: list[Endpoint] = [_endpoint("GET", f"{path}/{name}", _shown(name)) for name in _PAGES]
    return [*found, _endpoint("POST", f"{path}/log", _logged)]


def _encode(response: Response) -> Response:
    return response


def _said(role: str) -> Callable[[Request, Mapping[str, str]], Said]:
    def decode(request: Request, names: Mapping[str, str]) -> Said:
        del names
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if given not in MEDIA_TYPES:
            raise RemoteProtocolError("APPLICATION/IOTP is expected", hint="media_type")
        return Said(role, request.body)

    return decode


def _begin(request: Request, names: Mapping[str, str]) -> Begin:
    del names
    found = parse_qs(urlsplit(request.url).query).get("item", [])
    return Begin(found[0] if found else "")


def _shown(name: str) -> Callable[[Request, Mapping[str, str]], Shown]:
    def decode(request: Request, names: Mapping[str, str]) -> Shown:
        del request, names
        return Shown(name)

    return decode


def _logged(request: Request, names: Mapping[str, str]) -> Logged:
    del names
    return Logged(request.body)


def _refuse(error: RemoteProtocolError) -> Response:
    status = {"too_large": 413, "media_type": 415, "internal": 500}.get(error.hint, 400)
    return Response(status, _TEXT, f"{error}\n".encode())
