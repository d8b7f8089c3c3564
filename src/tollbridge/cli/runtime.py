"""Puts the rooms together: engine, journal, bridges, faces, and the sandbox they may need."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import Router

from tollbridge.bridges.sandbox import IN_PROCESS
from tollbridge.bridges.sandbox import bridge as sandbox_bridge
from tollbridge.engine import plugins
from tollbridge.engine.config import Settings
from tollbridge.engine.engine import Engine, Partner, Surroundings
from tollbridge.engine.transport import HttpTransport, Switchboard, trusting
from tollbridge.faces.contract import Face
from tollbridge.faces.wpi import wishes
from tollbridge.faces.wpi.face import WpiFace
from tollbridge.ground.clock import Clock, SystemClock
from tollbridge.ground.flow import Party
from tollbridge.ground.ids import IdSource, RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.sandbox.book import Book, Movement
from tollbridge.sandbox.cards import CARDS
from tollbridge.sandbox.faults import Faults
from tollbridge.sandbox.line import Line
from tollbridge.sandbox.network import Network
from tollbridge.sandbox.notices import notice
from tollbridge.sandbox.service import Service
from tollbridge.server.app import application
from tollbridge.server.hosting import Hosted


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a server or an embedded command runs on."""

    engine: Engine
    faces: dict[str, Face]
    app: Router
    sandbox: Service | None


def build(settings: Settings, token: Secret[str]) -> Runtime:
    """Make a runtime. Raises ConfigError or a JournalError."""
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
    hosted = [Hosted(face, _people(face)) for face in faces.values()]
    app = application(engine, hosted, token, settings.merchant)
    return Runtime(engine, faces, app, service)


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


def _people(face: Face) -> dict[Party, Partner]:
    """Give a face the people it talks to: for a terminal, a script."""
    if not isinstance(face, WpiFace):
        return {}

    async def answer(message: object) -> object:
        assert isinstance(message, wishes.Saying)
        match message.wish:
            case wishes.PresentCard():
                card = CARDS[0]
                application = wishes.CardApplication(
                    card.brand.application_id, card.brand.label, card.brand
                )
                return wishes.ReadCard(
                    number=Secret(card.number), entry="contactless", applications=(application,)
                )
            case wishes.Tokenize():
                return wishes.Tokenized("token")
            case wishes.Print():
                return wishes.Printed()
            case _:
                return None

    return {Party.CARDHOLDER: answer, Party.MERCHANT: answer, Party.DEVICE: answer}
