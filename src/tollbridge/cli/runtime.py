"""Puts the rooms together: engine, journal, bridges, faces, and the sandbox they may need."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

from starlette.routing import BaseRoute, Router

from tollbridge.bridges.sandbox import IN_PROCESS
from tollbridge.bridges.sandbox import bridge as sandbox_bridge
from tollbridge.engine import plugins
from tollbridge.engine.config import Settings
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.engine.transport import HttpTransport, Switchboard, Transport, trusting
from tollbridge.faces.contract import Face
from tollbridge.faces.webinos import WebinosFace
from tollbridge.faces.wpi.face import WpiFace
from tollbridge.ground.clock import Clock, SystemClock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.flow import Party
from tollbridge.ground.ids import IdSource, RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.sandbox.book import Book, Movement
from tollbridge.sandbox.faults import Faults
from tollbridge.sandbox.line import Line
from tollbridge.sandbox.network import Network
from tollbridge.sandbox.notices import notice
from tollbridge.sandbox.service import Service
from tollbridge.server.app import application
from tollbridge.server.asgi import Credential
from tollbridge.server.hosting import Hosted
from tollbridge.server.secure import SecureElement
from tollbridge.terminal.desk import Desk, desk
from tollbridge.terminal.device import Kit
from tollbridge.terminal.parameters import Management
from tollbridge.terminal.reader import READERS, CardReader
from tollbridge.terminal.wallet import wallet
from tollbridge.terminal.web import Guard, Web
from tollbridge.web.room import Place, Room, room


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a server or an embedded command runs on."""

    engine: Engine
    faces: dict[str, Face]
    app: Router
    sandbox: Service | None
    terminals: Desk
    web: Room | None = None

    def leave(self) -> None:
        """End what would never end by itself: streams to pages."""
        self.terminals.close()
        if self.web is not None:
            self.web.hub.close()


def build(
    settings: Settings, token: Secret[str], readers: Mapping[str, str] = MappingProxyType({})
) -> Runtime:
    """Make a runtime. `readers` are installed card readers by their terminals ("": the first).

    Raises ConfigError or a JournalError.
    """
    clock, ids = SystemClock(), RandomIds()
    tls = trusting(settings.ca_file)
    bridges = plugins.bridges(settings.bridges, clock, ids)
    faces = plugins.faces(settings.faces, clock, ids)
    lines = {}
    service = None
    own = settings.bridges.get("sandbox")
    if own is not None and "url" not in own:
        key = Secret(ids.secret())
        bridges["sandbox"] = sandbox_bridge({"notice_key": key.reveal()}, clock, ids)
        service = _sandbox(settings.journal, clock, ids, lambda m: _hear(engine, key, m, clock))
        lines[IN_PROCESS] = Line(service)
    journal = SqliteJournal(settings.journal)
    transport = Switchboard(lines, HttpTransport(tls=tls))
    engine = Engine(Surroundings(journal, bridges, transport, clock, ids))
    try:
        return _furnished(settings, token, readers, transport, engine, faces, service)
    except BaseException:
        journal.close()
        raise


def _furnished(
    settings: Settings, token: Secret[str], readers: Mapping[str, str], transport: Transport,
    engine: Engine, faces: dict[str, Face], service: Service | None,
) -> Runtime:  # fmt: skip
    """Give the faces their rooms, and everything its address."""
    hosted, more = [Hosted(face) for face in faces.values()], list[BaseRoute]()
    terminals = Desk({})
    wpi = faces.get("wpi")
    if isinstance(wpi, WpiFace):
        faults = service.faults if service else None
        terminals = _terminals(settings, wpi, transport, faults, readers)
        own_face = Hosted(wpi, terminals.parties())
        hosted = [own_face if each.face is wpi else each for each in hosted]
        more = Web(terminals, engine, own_face, engine.ids, _guard(settings, token)).routes()
    web = None
    webinos = faces.get("webinos")
    if isinstance(webinos, WebinosFace):
        web = room(engine, webinos, _place(settings, token))
        hosted = [web.hosted if each.face is webinos else each for each in hosted]
        more = [*more, *web.routes]
    iotp = faces.get("iotp")
    if iotp is not None:
        from tollbridge.server import trading_keys
        from tollbridge.trading.software import Way

        trading_keys.equip(iotp, engine.clock)
        way = {Party.DEVICE: Way(transport)}
        hosted = [Hosted(iotp, way) if each.face is iotp else each for each in hosted]
    beside = web.beside if web else ()
    app = application(engine, hosted, token, settings.merchant, more, beside)
    return Runtime(engine, faces, app, service, terminals, web)


def _place(settings: Settings, token: Secret[str]) -> Place:
    """Say where the server stands, for the room of web pages."""
    return Place(
        journal=settings.journal,
        host=settings.host,
        credential=Credential(token),
        web=settings.web,
        alone=is_own(settings.host),
        play=set(settings.bridges) == {"sandbox"},
        development=settings.development,
        tls=trusting(settings.ca_file),
    )


def book_of(journal: Path) -> Path:
    """Name the book of the sandbox in this process: its own file, beside the journal."""
    return journal.with_name(f"{journal.stem}.sandbox.sqlite")


def _sandbox(
    journal: Path, clock: Clock, ids: IdSource, tell: Callable[[Movement], object]
) -> Service:
    network = Network(Book(book_of(journal)), clock, ids)
    return Service(network, Faults(), tell, threaded=True)  # type: ignore[arg-type]


async def _hear(engine: Engine, key: Secret[str], movement: Movement, clock: Clock) -> None:
    await engine.hear("sandbox", notice(IN_PROCESS, key, movement, clock))


def _guard(settings: Settings, token: Secret[str]) -> Guard:
    """Let nobody use the terminals' page without the token whom the network brings."""
    if is_own(settings.host):
        return Guard({settings.host})
    return Guard({settings.host, socket.gethostname()}, Credential(token))


def is_own(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _terminals(
    settings: Settings, face: WpiFace, transport: Transport, faults: Faults | None,
    readers: Mapping[str, str],
) -> Desk:  # fmt: skip
    """Give the terminals of a face their people and their hardware."""
    ids = RandomIds()
    sandbox = settings.bridges.get("sandbox", {})
    url = IN_PROCESS if faults is not None else str(sandbox.get("url", ""))
    kit = Kit(
        wallet=wallet(),
        clock=SystemClock(),
        secure=SecureElement(device_key(settings.journal), ids),
        management=Management(transport, url),
        plug=faults,
    )
    return desk(face.terminals, kit, _readers(face, readers))


def device_key(journal: Path) -> Path:
    """Name the file of the key of the terminals' secure element, beside the journal."""
    return journal.with_name(journal.name + ".device.key")


def _readers(face: WpiFace, wanted: Mapping[str, str]) -> dict[str, CardReader]:
    """Make the card readers that were asked for, by their terminals ("": the first)."""
    found, made, problems = plugins.installed(READERS), {}, []
    for terminal, name in wanted.items():
        place = terminal or next(iter(face.terminals))
        if place not in face.terminals:
            problems.append(f"reader: there is no terminal {place!r:.40}")
        elif name not in found:
            there = ", ".join(sorted(found)) or "none"
            problems.append(f"reader: {name!r:.40} is not installed; there are: {there}")
        else:
            made[place] = found[name].load()(face.terminals[place].profile)
    if problems:
        raise ConfigError(problems)
    return made
