"""The trading protocol over HTTP (RFC 2935): a Merchant's shop, a Payment Handler, who delivers.

`GET /iotp/merchant?item=NAME` begins a trade, `POST` goes on with it; `POST /iotp/payment` is the
Payment Handler, `POST /iotp/delivery` the Delivery Handler. What goes by post wants an address when
a trade begins: `&name=…&street=…&city=…&code=…&country=…`. Pages below them are where a Consumer's
browser is sent in the end, and where errors are told (`…/log`). `POST /iotp/software/…` is the
payment software of cores in other processes; all but that is open to everybody.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tollbridge.faces.contract import Endpoint, HttpEndpoint
from tollbridge.faces.iotp.message.signing import Verifier
from tollbridge.faces.iotp.roles.delivery import DeliveryHandler
from tollbridge.faces.iotp.roles.goods import POST
from tollbridge.faces.iotp.roles.handler import PaymentHandler
from tollbridge.faces.iotp.roles.merchant import Merchant
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.faces.iotp.roles.server import Server
from tollbridge.faces.iotp.roles.settings import Address, KeySettings
from tollbridge.faces.iotp.roles.software import PATH, Software
from tollbridge.faces.iotp.roles.writing import together
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import scrub
from tollbridge.wire.http import Headers, Limits, Request, Response

log = logging.getLogger("tollbridge.iotp")

MEDIA_TYPES = frozenset({"application/iotp", "application/x-iotp"})
LIMITS = Limits(body_bytes_max=256 * 1024)
LOG_LETTERS_MAX = 400
ADDRESS_LETTERS_MAX = 100
_ADDRESS = frozenset({"name", "street", "city", "code", "country"})
MERCHANT, PAYMENT, DELIVERY = "/iotp/merchant", "/iotp/payment", "/iotp/delivery"
IOTP_HEADERS = Headers([
    ("content-type", "APPLICATION/IOTP; charset=UTF-8"),
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
])  # fmt: skip
_TEXT = Headers([("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")])
_XML = Headers([("content-type", "application/xml"), ("cache-control", "no-store")])
_STATUS = {"unauthorized": 401, "too_large": 413, "media_type": 415, "internal": 500}
_PAGES = {
    "done": "The trade is done.",
    "cancelled": "The trade was cancelled.",
    "error": "Something went wrong; your wallet knows what.",
}


@dataclass(frozen=True, slots=True)
class Begin:
    """Somebody wants to trade an item, and have it sent there (None: nowhere)."""

    item: str
    to: Address | None = None


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


@dataclass(frozen=True, slots=True)
class Called:
    """A document of the Payment API for a bridge ("payment/card")."""

    bridge: str
    document: bytes


Message = Begin | Said | Shown | Logged | Called


class IotpFace:
    """The roles of this process. `merchant`, `handler`, `delivery` and `software` may each be None.

    `keys` say where keys of signatures come from; who puts the rooms together makes them and hands
    them over with `equip`.
    """

    name = "iotp"

    def __init__(
        self,
        merchant: Merchant | None,
        handler: PaymentHandler | None,
        keys: KeySettings,
        delivery: DeliveryHandler | None = None,
        software: Software | None = None,
    ) -> None:
        self.merchant = merchant
        self.handler = handler
        self.delivery = delivery
        self.software = software
        self.keys = keys

    def equip(self, seal: Callable[[str], Seal], verifier: Verifier) -> None:
        """Let each role sign with the key of its organisation, and believe what `verifier` does."""
        for role in (self.merchant, self.handler, self.delivery):
            if role is not None:
                role.equip(seal(role.settings.party.org_id), verifier)

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
        if self.delivery is not None:
            found += [_endpoint("POST", DELIVERY, _said("delivery")), *_pages(DELIVERY)]
        if self.software is not None:
            path = f"{PATH}/{{role}}/{{bridge}}"
            found.append(HttpEndpoint("POST", path, _called, _encode, _refuse, LIMITS))
        return found

    def answer(self, message: Message) -> Flow[Response]:
        match message:
            case Begin():
                return (yield from self._begin(message))
            case Said():
                roles: Mapping[str, Server | None] = {
                    "merchant": self.merchant, "payment": self.handler, "delivery": self.delivery
                }  # fmt: skip
                role = roles[message.role]
                assert role is not None, "a role that is not here has no endpoint"
                body = yield from role.answer(message.body)
                return Response(200, IOTP_HEADERS, body) if body else Response(204, _TEXT)
            case Shown():
                return Response(200, _TEXT, f"{_PAGES[message.name]}\n".encode())
            case Logged():
                text = message.body.decode("utf-8", "replace")
                log.warning("a peer tells of an error: %s", scrub(text)[:LOG_LETTERS_MAX])
                return Response(204, _TEXT)
            case Called():
                assert self.software is not None, "a role that is not here has no endpoint"
                document = yield from self.software.answer(message.bridge, message.document)
                if document is None:
                    return Response(404, _TEXT, b"there is no such payment software\n")
                return Response(200, _XML, document)

    def _begin(self, message: Begin) -> Flow[Response]:
        assert self.merchant is not None
        if message.item not in self.merchant.settings.items:
            items = ", ".join(self.merchant.settings.items)
            return Response(404, _TEXT, f"there is no such item; there are: {items}\n".encode())
        goods = self.merchant.settings.items[message.item].goods
        if goods is not None and goods.method == POST and message.to is None:
            text = "this goes by post: name, street, city and country are needed\n"
            return Response(400, _TEXT, text.encode())
        begun = yield from together(self.merchant.begin(message.item, message.to))
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


def _called(request: Request, names: Mapping[str, str]) -> Called:
    return Called(f"{names['role']}/{names['bridge']}", request.body)


def _begin(request: Request, names: Mapping[str, str]) -> Begin:
    del names
    given = {name: one[0] for name, one in parse_qs(urlsplit(request.url).query).items()}
    words = {
        name: given[name][:ADDRESS_LETTERS_MAX] for name in _ADDRESS
        if given.get(name, "").isprintable() and given.get(name)
    }  # fmt: skip
    to = Address(**words) if set(words) >= _ADDRESS - {"code"} else None
    return Begin(given.get("item", ""), to)


def _shown(name: str) -> Callable[[Request, Mapping[str, str]], Shown]:
    def decode(request: Request, names: Mapping[str, str]) -> Shown:
        del request, names
        return Shown(name)

    return decode


def _logged(request: Request, names: Mapping[str, str]) -> Logged:
    del names
    return Logged(request.body)


def _refuse(error: RemoteProtocolError) -> Response:
    status = _STATUS.get(error.hint, 400)
    return Response(status, _TEXT, f"{error}\n".encode())
