"""`tollbridge serve`: one process with faces, JSON API, recovery and, by default, the sandbox."""

import asyncio
import gc
import signal
import socket
from dataclasses import replace
from pathlib import Path

import click
import uvicorn
import uvloop

from tollbridge.cli import logs, runtime
from tollbridge.cli import settings as sources
from tollbridge.engine.config import Settings
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret


@click.command()
@sources.JOURNAL
@click.option("--host", help="The address to listen on (default 127.0.0.1: this machine only).")
@click.option("--port", type=int, help="The port to listen on (default 8700; 0 takes a free one).")
@click.option(
    "--sandbox-url",
    envvar="TOLLBRIDGE_SANDBOX_URL",
    help="A sandbox network in a process of its own (`tollbridge sandbox serve`).",
)
@sources.CONFIG
@click.option("--log-level", default="warning", show_default=True,
              type=click.Choice(["debug", "info", "warning", "error"]))  # fmt: skip
@click.option("--log-json", is_flag=True, help="Write logs as JSON lines.")
def serve(
    journal: Path | None,
    host: str | None,
    port: int | None,
    sandbox_url: str | None,
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
    settings = sources.read(config, journal=journal, host=host, port=port)
    if sandbox_url:
        bridges = {**settings.bridges, "sandbox": {"url": sandbox_url}}
        settings = replace(settings, bridges=bridges)
    token = sources.token_of(settings.journal)
    made = token is None
    token = token or sources.make_token(settings.journal, RandomIds())
    running = runtime.build(settings, token)
    listening = bind(settings.host, settings.port)
    _announce(settings, running, token, listening, made=made)
    run(running, listening)


def run(running: runtime.Runtime, listening: socket.socket) -> None:
    """Serve until a signal says stop."""
    config = uvicorn.Config(
        running.app,
        http="httptools",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=15,
        server_header=False,
        date_header=False,
    )
    # What is loaded now stays for good: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listening]))


def end_quietly() -> None:
    """Let a signal end the process with exit code 0, before the server runs and after it: it says
    the signal again once it has stopped."""

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def bind(host: str, port: int) -> socket.socket:
    """Take a port. Raises ClickException when somebody has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise click.ClickException(
            f"{host}:{port} cannot be listened on: {error.strerror}; try --port 0"
        ) from None
    listening.listen(2048)
    return listening


def _announce(
    settings: Settings,
    running: runtime.Runtime,
    token: Secret[str],
    listening: socket.socket,
    *,
    made: bool,
) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://{host}:{port}"
    click.echo(f"Tollbridge listens on {url}")
    click.echo(f"  journal   {settings.journal}")
    click.echo(f"  bridges   {', '.join(running.engine.bridges)}")
    if running.sandbox is not None:
        click.echo(f"  sandbox   in this process, its book in {runtime.book_of(settings.journal)}")
    for face in running.faces.values():
        paths = ", ".join(endpoint.path for endpoint in face.endpoints())
        click.echo(f"  face      {face.name} at {paths}")
    click.echo(f"  document  {url}/openapi.json")
    if made:
        file = sources.token_file(settings.journal)
        click.echo(f"  token     {token.reveal()}  (kept in {file})")
    if not listening.getsockname()[0].startswith(("127.", "::1")):
        click.echo("  others on the network can reach it; put TLS in front", err=True)
