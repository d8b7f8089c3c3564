"""`tollbridge serve`: one process with faces, JSON API, recovery and, by default, the sandbox."""

import asyncio
import gc
import signal
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import click
import uvicorn
import uvloop

from tollbridge.cli import logs, runtime
from tollbridge.cli import settings as sources
from tollbridge.engine.config import Settings
from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.server.inside import CONFIG, WEBSOCKETS, Server, listen
from tollbridge.terminal.desk import Desk
from tollbridge.terminal.device import Planned
from tollbridge.terminal.web import read_plan


@click.command()
@sources.JOURNAL
@click.option("--host", help="The address to listen on (default 127.0.0.1: this machine only).")
@click.option("--port", type=int, help="The port to listen on (default 8700; 0 takes a free one).")
@click.option(
    "--scenario",
    "scenarios",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What shall happen at the terminals first: a TOML file of [[scenarios]].",
)
@click.option(
    "--reader",
    "readers",
    multiple=True,
    metavar="[TERMINAL=]NAME",
    help="Plug an installed card reader into a terminal (default: the first).",
)
@click.option(
    "--development",
    is_flag=True,
    help="Show customers' one-time codes on this console, and let notices go anywhere.",
)
@sources.SANDBOX_URL
@sources.CA_FILE
@sources.CONFIG
@sources.LOG_LEVEL
@sources.LOG_JSON
def serve(
    journal: Path | None,
    host: str | None,
    port: int | None,
    scenarios: Path | None,
    readers: tuple[str, ...],
    development: bool,
    sandbox_url: str | None,
    ca_file: Path | None,
    config: Path | None,
    log_level: str,
    log_json: bool,
) -> None:
    """Start a server.

    With nothing configured it keeps its journal in tollbridge.sqlite, plays the card network
    itself, and offers a default terminal. Whoever opens its page is its cardholder; while nobody
    does, a contactless Visa is presented.
    """
    end_quietly()
    logs.configure(log_level, as_json=log_json)
    settings = sources.read(config, journal=journal, host=host, port=port, ca_file=ca_file)
    settings = replace(settings, development=development)
    planned = read_scenarios(scenarios) if scenarios is not None else {}
    plugged = {place: name for place, _, name in (each.rpartition("=") for each in readers)}
    house = open_house(sources.beside(settings, sandbox_url), readers=plugged)
    plan(house.running.terminals, planned, scenarios)
    announce(house, "Tollbridge")
    run(house)


@dataclass(frozen=True, slots=True)
class House:
    """A server that is ready to run. `certificate` names the files of certificate and key."""

    settings: Settings
    running: runtime.Runtime
    listening: socket.socket
    token: Secret[str]
    token_is_new: bool
    certificate: tuple[Path, Path] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.listening.getsockname()[:2]
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def read_scenarios(file: Path) -> dict[str, list[Planned]]:
    """Read a file of [[scenarios]], each with the words of a scenario, `times` and `terminal`
    ("" or left out: the first), by terminal. Raises ConfigError listing everything wrong."""
    try:
        rows = tomllib.loads(file.read_text()).get("scenarios")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: {error}"]) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError([f"{file}: [[scenarios]] is expected"])
    found: dict[str, list[Planned]] = {}
    problems = []
    for place, row in enumerate(rows, start=1):
        terminal, times = row.pop("terminal", ""), row.pop("times", 1)
        try:
            made = read_plan({"scenario": row, "times": times})
        except RemoteProtocolError as error:
            problems.append(f"{file}: scenario {place}: {error}")
        else:
            found.setdefault(str(terminal), []).extend(made)
    if problems:
        raise ConfigError(problems)
    return found


def plan(terminals: Desk, planned: Mapping[str, list[Planned]], file: Path | None) -> None:
    """Set what shall happen at the terminals. Raises ConfigError for one that is not there."""
    for name, plans in planned.items():
        device = terminals.get(name or next(iter(terminals), ""))
        if device is None:
            raise ConfigError([f"{file}: there is no terminal {name!r:.40}"])
        device.plan([*device.planned, *plans])


def open_house(
    settings: Settings,
    certificate: tuple[Path, Path] | None = None,
    readers: Mapping[str, str] = MappingProxyType({}),
) -> House:
    """Put a server together and take its port; `readers` as in `runtime.build`.

    Raises ConfigError, a JournalError, or ClickException when somebody has the port.
    """
    token = sources.token_of(settings.journal)
    made = token is None
    token = token or sources.make_token(settings.journal, RandomIds())
    running = runtime.build(settings, token, readers)
    listening = bind(settings.host, settings.port)
    return House(settings, running, listening, token, made, certificate)


def run(house: House) -> None:
    """Serve until a signal says stop."""
    certificate, key = house.certificate or (None, None)
    config = uvicorn.Config(
        house.running.app,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=15,
        date_header=False,
        **{**CONFIG, **WEBSOCKETS},
    )
    settle_down()
    server = Server(config, leaving=house.running.leave)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[house.listening]))


def settle_down(thresholds: tuple[int, int, int] = (20_000, 20, 50)) -> None:
    """What is loaded now stays for good: the collector need not look at it again and again.

    `thresholds` are when it looks at the rest: seldom is faster, often keeps the process small.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)


def end_quietly() -> None:
    """Let a signal end the process with exit code 0, before the server runs and after it: it says
    the signal again once it has stopped."""

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def bind(host: str, port: int) -> socket.socket:
    """Take a port. Raises ClickException when somebody has it."""
    try:
        return listen(host, port)
    except OSError as error:
        raise click.ClickException(
            f"{host}:{port} cannot be listened on: {error.strerror}; try --port 0"
        ) from None


def announce(house: House, name: str) -> None:
    """Tell where it listens, what it keeps where, and a credential just made."""
    settings, running = house.settings, house.running
    click.echo(f"{name} listens on {house.url}")
    click.echo(f"  journal   {settings.journal}")
    click.echo(f"  bridges   {', '.join(running.engine.bridges)}")
    if running.sandbox is not None:
        click.echo(f"  sandbox   in this process, its book in {runtime.book_of(settings.journal)}")
    for face in running.faces.values():
        paths = ", ".join(dict.fromkeys(endpoint.path for endpoint in face.endpoints()))
        click.echo(f"  face      {face.name} at {paths}")
    if running.terminals:
        shown = "" if runtime.is_own(settings.host) else "?token=TOKEN"
        click.echo(f"  terminal  {house.url}/terminal{shown}")
    click.echo(f"  document  {house.url}/openapi.json")
    if house.token_is_new:
        file = sources.token_file(settings.journal)
        click.echo(f"  token     {house.token.reveal()}  (kept in {file})")
    if not house.listening.getsockname()[0].startswith(("127.", "::1")) and not house.certificate:
        click.echo("  others on the network can reach it; put TLS in front", err=True)
