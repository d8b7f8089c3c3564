"""`tollbridge serve`: one process with faces, JSON API, recovery and, by default, the sandbox."""

import asyncio
import gc
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import click
import uvicorn
import uvloop

from tollbridge.cli import logs, runtime
from tollbridge.cli import settings as sources
from tollbridge.engine.config import Settings
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.server.inside import CONFIG, listen


@click.command()
@sources.JOURNAL
@click.option("--host", help="The address to listen on (default 127.0.0.1: this machine only).")
@click.option("--port", type=int, help="The port to listen on (default 8700; 0 takes a free one).")
@sources.SANDBOX_URL
@sources.CA_FILE
@sources.CONFIG
@sources.LOG_LEVEL
@sources.LOG_JSON
def serve(
    journal: Path | None,
    host: str | None,
    port: int | None,
    sandbox_url: str | None,
    ca_file: Path | None,
    config: Path | None,
    log_level: str,
    log_json: bool,
) -> None:
    """Start a server.

    With nothing configured it keeps its journal in tollbridge.sqlite, plays the card network
    itself, and offers a default terminal whose cardholder presents a contactless Visa.
    """
    end_quietly()
    logs.configure(log_level, as_json=log_json)
    settings = sources.read(config, journal=journal, host=host, port=port, ca_file=ca_file)
    house = open_house(sources.beside(settings, sandbox_url))
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


def open_house(settings: Settings, certificate: tuple[Path, Path] | None = None) -> House:
    """Put a server together and take its port.

    Raises ConfigError, a JournalError, or ClickException when somebody has the port.
    """
    token = sources.token_of(settings.journal)
    made = token is None
    token = token or sources.make_token(settings.journal, RandomIds())
    running = runtime.build(settings, token)
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
        **CONFIG,
    )
    settle_down()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[house.listening]))


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
    click.echo(f"  document  {house.url}/openapi.json")
    if house.token_is_new:
        file = sources.token_file(settings.journal)
        click.echo(f"  token     {house.token.reveal()}  (kept in {file})")
    if not house.listening.getsockname()[0].startswith(("127.", "::1")) and not house.certificate:
        click.echo("  others on the network can reach it; put TLS in front", err=True)
