"""`tollbridge sandbox`: run the simulated card network and tell it what to do."""

import asyncio
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click

from tollbridge.cli import logs
from tollbridge.cli import settings as sources
from tollbridge.cli.payments import echo_json

F = TypeVar("F", bound=Callable[..., Any])
NETWORK_PORT, CONTROL_PORT = 8710, 8711
FAULTS = ("refuse", "lose_answer", "drop", "late_answer", "late_delivery", "answer_twice",
          "garbage", "wrong_amount", "pending")  # fmt: skip

WHAT = ("operation", "inquiry", "reversal", "parameters")
KIND = click.argument("kind", type=click.Choice(("payment", "acquirer")))
TERMINAL = click.option("--terminal", default="", help="Only this one (default: all terminals).")
CONTROL = click.option(
    "--control",
    default=f"http://127.0.0.1:{CONTROL_PORT}",
    show_default=True,
    envvar="TOLLBRIDGE_SANDBOX_CONTROL",
    help="The control address of a running sandbox.",
)


@click.group()
def sandbox() -> None:
    """Run and direct the simulated card network: issuers, accounts, cards, faults, its own book."""


@sandbox.command()
@click.option("--book", type=click.Path(dir_okay=False, path_type=Path), default="sandbox.sqlite",
              show_default=True, help="The file of the network's book.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=NETWORK_PORT, show_default=True, help="Where bridges connect.")
@click.option("--control-port", default=CONTROL_PORT, show_default=True, help="Where you steer.")
@click.option("--no-inquiry", is_flag=True, help="Be a network that cannot be asked.")
@click.option("--hold", "hold_s", default=604_800, show_default=True, help="A hold's seconds.")
@click.option("--notify-url", help="Where notices go: SERVER/bridges/sandbox/notice.")
@click.option("--notice-key", envvar="TOLLBRIDGE_NOTICE_KEY", default="", help="Signs notices.")
@click.option("--log-level", default="warning", show_default=True)
def serve(host: str, port: int, control_port: int, log_level: str, **given: Any) -> None:
    """Run the network as a process of its own, with a durable book."""
    from tollbridge.cli.serve import bind, end_quietly
    from tollbridge.sandbox import control

    end_quietly()
    logs.configure(log_level, as_json=False)
    listener = _listener(host, port, **given)
    steering = bind(host, control_port)
    shown = steering.getsockname()[1]
    click.echo(f"The sandbox network listens on http://{host}:{port or '(see /health)'}")
    click.echo(f"  control   http://{host}:{shown}")
    click.echo(f"  book      {given['book']}")
    asyncio.run(control.run(listener, steering))


@sandbox.command()
@click.argument("fault", type=click.Choice(FAULTS))
@click.option("--times", default=1, show_default=True, help="For how many requests.")
@click.option("--skip", default=0, show_default=True, help="How many requests go well before.")
@click.option("--what", default="operation", type=click.Choice(WHAT), show_default=True)
@click.option("--verb", default="", help="Only operations of this verb.")
@click.option("--delay", "delay_s", default=3.0, show_default=True, help="Seconds.")
@CONTROL
@sources.JSON
def fault(control: str, as_json: bool, **wish: Any) -> None:
    """Order trouble for the next requests."""
    if wish["fault"] == "refuse" and wish["what"] != "parameters":
        wish["what"] = ""
    answer = _call(control, "POST", "/control/faults", wish)
    if as_json:
        echo_json(answer)
        return
    for rule in answer["rules"]:
        about = rule["verb"] or rule["what"] or "any request"
        click.echo(f"{rule['fault']}: {rule['times']} x {about}, after {rule['skip']}")
    if not answer["up"]:
        click.echo("the network refuses connections now")


@sandbox.command()
@click.option("--for", "for_s", type=float, help="Seconds (default: until `sandbox up`).")
@CONTROL
def down(for_s: float | None, control: str) -> None:
    """Refuse all connections."""
    _call(control, "POST", "/control/down", {"for_s": for_s})
    click.echo("the network is down")


@sandbox.command()
@CONTROL
def up(control: str) -> None:
    """Take connections again, and forget ordered trouble."""
    _call(control, "DELETE", "/control/faults", None)
    _call(control, "POST", "/control/up", {})
    click.echo("the network is up")


@sandbox.command()
@click.argument("operation")
@click.option("--code", default="00", show_default=True, help="The response code (ISO 8583, DE39).")
@CONTROL
def decide(operation: str, code: str, control: str) -> None:
    """Decide a pending OPERATION."""
    answer = _call(control, "POST", f"/control/pending/{operation}", {"code": code})
    click.echo(f"{operation}: {answer['status']}")


@sandbox.group("parameters")
def parameters_group() -> None:
    """Say what parameters terminals fetch from the network: settings of theirs, as tables."""


@parameters_group.command("set")
@KIND
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@TERMINAL
@CONTROL
def set_parameters(kind: str, file: Path, terminal: str, control: str) -> None:
    """Take the parameters of a KIND from a FILE (JSON if its name ends so, else TOML).

    They take the place of what was set before, and of the defaults.
    """
    _call(control, "PUT", _parameters_path(kind, terminal), _tables(file))
    click.echo(f"{kind} parameters of {terminal or 'all terminals'}: set from {file}")


@parameters_group.command("show")
@KIND
@click.option("--terminal", default="", help="As this terminal gets them.")
@CONTROL
def show_parameters(kind: str, terminal: str, control: str) -> None:
    """Print the parameters of a KIND as terminals get them, as JSON for `set`."""
    echo_json(_call(control, "GET", _parameters_path(kind, terminal), None))


@parameters_group.command("clear")
@KIND
@TERMINAL
@CONTROL
def clear_parameters(kind: str, terminal: str, control: str) -> None:
    """Take back what was set; one terminal gets what all get then, and all get the defaults."""
    _call(control, "DELETE", _parameters_path(kind, terminal), None)
    click.echo(f"{kind} parameters of {terminal or 'all terminals'}: cleared")


@sandbox.command()
@click.argument("account")
@CONTROL
def unblock(account: str, control: str) -> None:
    """Forget the wrong PINs of an ACCOUNT, so that its card takes PINs again."""
    _call(control, "DELETE", f"/control/pins/{quote(account, safe='')}", None)
    click.echo(f"{account}: PINs are taken again")


@sandbox.command()
@CONTROL
@sources.JSON
def book(control: str, as_json: bool) -> None:
    """Print the network's book: what it held and took, operation by operation."""
    movements = list(_book(control))
    if as_json:
        echo_json({"movements": movements})
        return
    for m in movements:
        change = f"held {m['held_minor']:+d} taken {m['taken_minor']:+d} {m['currency']}"
        line = f"{m['number']:>6}  {m['operation']:<32} {m['verb']:<10} {m['status']:<9}"
        click.echo(f"{line} {m['code']}  {m['account']:<18} {change}")


@sandbox.command()
@sources.JSON
def cards(as_json: bool) -> None:
    """List the test cards."""
    from tollbridge.sandbox.cards import CARDS, described

    if as_json:
        echo_json({"cards": [described(card) for card in CARDS]})
        return
    for card in CARDS:
        says = "" if card.code == "00" else f"always code {card.code}"
        limit = "" if card.limit_minor is None else f"limit {card.limit_minor} minor units"
        issuer = "" if card.verification == "none" else f"wants {card.verification}"
        billed = "" if card.currency == "EUR" else f"billed in {card.currency}"
        read = "/".join(card.entries) if len(card.entries) < 4 else ""
        more = ", ".join(part for part in (says, limit, issuer, billed, read) if part)
        line = f"{card.number:<20} {card.brand.name:<18} {card.account:<22} {more}"
        click.echo(line.rstrip())


@sandbox.command()
@CONTROL
@sources.JOURNAL
@sources.JSON
def compare(control: str, journal: Path | None, as_json: bool) -> None:
    """Hold a journal against the network's book. Exit code 3 when they differ."""
    from tollbridge.engine.config import Settings
    from tollbridge.journal.journal import load
    from tollbridge.journal.sqlite import SqliteJournal
    from tollbridge.sandbox.book import Movement
    from tollbridge.sandbox.compare import compare as hold_against

    file = journal or Settings().journal
    with closing(SqliteJournal(file, read_only=True)) as opened, opened.snapshot():
        names = opened.payments(None, -1)
        movements = [Movement(**fields) for fields in _book(control)]
        differences = hold_against((load(opened, name) for name in names), movements)
    if as_json:
        echo_json({"payments": len(names), "differences": differences})
    elif differences:
        click.echo("\n".join(differences))
    else:
        click.echo(f"the books agree: {len(names)} payments, {len(movements)} movements")
    raise SystemExit(3 if differences else 0)


def _listener(host: str, port: int, **given: Any) -> Any:
    from tollbridge.engine.transport import HttpTransport
    from tollbridge.ground.clock import SystemClock
    from tollbridge.ground.ids import RandomIds
    from tollbridge.ground.secret import Secret
    from tollbridge.sandbox.book import Book
    from tollbridge.sandbox.faults import Faults
    from tollbridge.sandbox.listener import Listener
    from tollbridge.sandbox.network import Network
    from tollbridge.sandbox.notices import Notifier
    from tollbridge.sandbox.service import Service

    clock = SystemClock()
    network = Network(
        Book(given["book"]),
        clock,
        RandomIds(),
        can_be_asked=not given["no_inquiry"],
        hold_s=given["hold_s"],
    )
    tell = None
    if given["notify_url"]:
        key = Secret(given["notice_key"])
        tell = Notifier(given["notify_url"], key, HttpTransport(), clock).tell
    return Listener(Service(network, Faults(), tell, threaded=True), host, port)


def _parameters_path(kind: str, terminal: str) -> str:
    return f"/control/parameters/{kind}?{urlencode({'terminal': terminal})}"


def _tables(file: Path) -> Any:
    import msgspec

    try:
        if file.suffix == ".json":
            return msgspec.json.decode(file.read_bytes())
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from None


def _book(control: str) -> Iterator[dict[str, Any]]:
    after = 0
    while page := _call(control, "GET", f"/control/book?after={after}", None)["movements"]:
        yield from page
        after = page[-1]["number"]


def _call(control: str, method: str, path: str, body: Any) -> dict[str, Any]:
    import msgspec

    from tollbridge.engine.transport import HttpTransport
    from tollbridge.ground.errors import TransportError
    from tollbridge.wire import http

    async def send() -> http.Response:
        transport = HttpTransport()
        sent = msgspec.json.encode(body) if body is not None else b""
        try:
            request = http.Request(method, control.rstrip("/") + path, http.JSON, sent)
            return await transport.send(request, 10.0)
        finally:
            await transport.close()

    try:
        answer = asyncio.run(send())
    except TransportError as error:
        raise click.ClickException(
            f"no sandbox answers at {control}; start one with `tollbridge sandbox serve` ({error})"
        ) from None
    fields: dict[str, Any] = msgspec.json.decode(answer.body)
    if answer.status >= 400:
        raise click.ClickException(str(fields.get("error")))
    return fields
