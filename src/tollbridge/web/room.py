"""The room put together: what a server adds to itself to host the face webinos."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute

from tollbridge.engine.engine import Engine
from tollbridge.engine.transport import HttpTransport, is_public
from tollbridge.faces.webinos import WebinosFace
from tollbridge.faces.webinos.settings import Seller
from tollbridge.ground.errors import ConfigError
from tollbridge.server.app import Companion
from tollbridge.server.asgi import Credential
from tollbridge.server.hosting import Hosted
from tollbridge.server.secure import SecureElement
from tollbridge.web.admin import Admin
from tollbridge.web.codes import sender
from tollbridge.web.compat import Compat
from tollbridge.web.device import DOMAIN, Device
from tollbridge.web.gate import Gate
from tollbridge.web.hub import Hub
from tollbridge.web.keys import ProofKeys, proof_key_file
from tollbridge.web.notices import ANSWER_LIMITS, Notices, Outbox
from tollbridge.web.options import options
from tollbridge.web.site import Site
from tollbridge.web.sweep import Sweep
from tollbridge.wire import webhook
from tollbridge.wire.http import is_private_way

CONNECT_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server stands: it listens on `host`. `alone`: only this machine reaches it. `play`:
    no money is real. `development`: somebody develops with it. `tls` is what https trusts."""

    journal: Path
    host: str
    credential: Credential
    web: Mapping[str, Any]
    alone: bool
    play: bool
    development: bool
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """What the server hosts, in its words."""

    hosted: Hosted
    routes: Sequence[BaseRoute]
    beside: Sequence[Companion]
    hub: Hub
    sweep: Sweep
    notices: Notices


def room(engine: Engine, face: WebinosFace, place: Place) -> Room:
    """Make the room of a face. Raises ConfigError listing everything that cannot work."""
    wanted = options(place.web)
    # Who gave it a public name has a proxy before it, whatever it listens on.
    alone = place.alone and _is_here(face.provider.url)
    near = alone or place.development
    harmless = place.development or (alone and place.play)
    problems = far_away(face.provider.sellers, near=near)
    codes = None
    try:
        codes = sender(
            wanted.code_sender, wanted.code_senders, engine.clock, engine.ids, harmless=harmless
        )
    except ConfigError as error:
        problems += error.problems
    if problems or codes is None:
        raise ConfigError(problems)
    keys = ProofKeys(proof_key_file(place.journal), engine.clock)
    secure = SecureElement(web_key_file(place.journal), engine.ids, DOMAIN)
    hub = Hub()
    device = Device(keys, secure, codes, hub)
    shown = {seller.publishable_key: name for name, seller in face.provider.sellers.items()}
    gate = Gate(shown | {name: name for name in face.provider.sellers}, wanted.begins_per_s)
    site = Site(engine, face, device, hub, keys, gate, trying=place.development)
    admit = None if near or wanted.private_notices else is_public
    out = HttpTransport(ANSWER_LIMITS, 32, place.tls, CONNECT_LIMIT_S, admit)
    notices = Notices(engine, Outbox(engine, site.hosted), face.provider.sellers, out)
    device.heard = notices.wake
    sweep = Sweep(engine, site.hosted)
    compat = Compat(site, face.provider, engine.ids, {place.host})
    admin = Admin(notices, place.credential)
    routes = [*site.routes(), *compat.routes(), *admin.routes()]
    return Room(site.hosted, routes, (site, sweep, notices), hub, sweep, notices)


def web_key_file(journal: Path) -> Path:
    """Name the file of the key of tokens and seals, beside the journal."""
    return journal.with_name(journal.name + ".web.key")


def _is_here(url: str) -> bool:
    """Say whether only this machine calls an address its own; "" is none."""
    name = urlsplit(url).hostname or ""
    try:
        return not url or ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def far_away(sellers: Mapping[str, Seller], *, near: bool) -> list[str]:
    """List what is wrong with the sellers' addresses and keys for notices."""
    problems = []
    for name, seller in sellers.items():
        where = f"faces.webinos.sellers.{name}"
        if seller.notices_url and not near and not is_private_way(seller.notices_url):
            problems.append(f"{where}.notices_url: https, or everybody reads along")
        if seller.notices_key is not None:
            try:
                webhook.keys_of(seller.notices_key)
            except ValueError as error:
                problems.append(f"{where}.notices_key: {error}")
    return problems
