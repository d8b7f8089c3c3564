"""`tollbridge within`: things that find, pay and serve one another."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tollbridge.cli import settings as sources

if TYPE_CHECKING:
    from tollbridge.faces.within.messages import Broadcast
    from tollbridge.within.cards import Vault

F = TypeVar("F", bound=Callable[..., Any])

DISCOVER_S = 3.0
FOR = click.option("--for", "for_s", type=float, help="Seconds (default: until Ctrl-C).")
VAULT = click.option(
    "--vault",
    type=click.Path(dir_okay=False, path_type=Path),
    default="cards.vault",
    show_default=True,
    envvar="TOLLBRIDGE_CARDS",
    help="The sealed file of the cards.",
)
PASSPHRASE = click.option(
    "--passphrase",
    is_flag=True,
    help="Ask for a passphrase, which opens the file instead of this system's keyring. Or put it "
    "into TOLLBRIDGE_CARDS_PASSPHRASE.",
)


def around(command: F) -> F:
    """Add the options of listening."""
    for option in (
        click.option("--port", default=8980, show_default=True, help="Where broadcasts arrive."),
        click.option("--https", is_flag=True, help="Show devices that speak https, too."),
        click.option(
            "--interface",
            default="",
            metavar="ADDRESS",
            help="Listen to the network of this address of ours only.",
        ),
        click.option("--mdns/--no-mdns", help="Find devices announced with DNS-SD, too."),
    ):
        command = option(command)
    return command


@click.group()
def within() -> None:
    """Things that find, pay and serve one another (Worldpay Within)."""


@within.command()
@click.option("--for", "for_s", default=DISCOVER_S, show_default=True,
              help="Seconds. Producers of 2016 and 2017 speak every five.")  # fmt: skip
@around
@sources.JSON
def discover(for_s: float, as_json: bool, **where: Any) -> None:
    """List the devices around that offer something."""
    from tollbridge.cli.payments import echo_json
    from tollbridge.within.finding import discover as find

    devices = asyncio.run(find(for_s, **_where(**where)))
    if as_json:
        echo_json({"devices": [_fields(device) for device in devices]})
    else:
        click.echo(_table(devices))


@within.command()
@FOR
@around
def watch(for_s: float | None, **where: Any) -> None:
    """Show the devices around as they come and go."""
    from contextlib import aclosing, suppress

    from tollbridge.within.finding import watch as follow

    show: Callable[[list[Broadcast]], None] = _redraw if sys.stdout.isatty() else _differences()

    async def main() -> None:
        async with aclosing(follow(**_where(**where))) as news:
            with suppress(TimeoutError):
                async with asyncio.timeout(for_s):
                    async for devices in news:
                        show(devices)

    with suppress(KeyboardInterrupt):
        asyncio.run(main())


@within.group()
def card() -> None:
    """Keep the cards a device pays with, sealed."""


@card.command()
@click.argument("name")
@click.option("--file", "source", type=click.File("rb"),
              help="Read the card as JSON (hceCard of WIRE 5.6; - is standard input).")  # fmt: skip
@click.option("--keep-cvc", is_flag=True,
              help="Keep its security code: only where a device pays unattended.")  # fmt: skip
@VAULT
@PASSPHRASE
def add(name: str, source: Any, keep_cvc: bool, vault: Path, passphrase: bool) -> None:
    """Keep a card under a NAME; asks for what is on it."""
    from tollbridge.ground.errors import RemoteProtocolError
    from tollbridge.wire import json
    from tollbridge.within.identity import card_from

    try:
        value = json.read(source.read(), what="the card") if source else _asked(with_cvc=keep_cvc)
    except RemoteProtocolError as error:
        raise click.ClickException(str(error)) from None
    _vault(vault, ask=passphrase).add(name, card_from(value, "the card"), keep_cvc=keep_cvc)
    click.echo(f"{name} is kept in {vault}, {'with' if keep_cvc else 'without'} its security code")


@card.command("list")
@VAULT
@PASSPHRASE
@sources.JSON
def list_cards(vault: Path, passphrase: bool, as_json: bool) -> None:
    """List the cards, masked."""
    from dataclasses import asdict

    from tollbridge.cli.payments import echo_json

    entries = _vault(vault, ask=passphrase).entries()
    if as_json:
        echo_json({"cards": [asdict(entry) for entry in entries]})
        return
    for one in entries:
        code = "with its security code" if one.with_cvc else ""
        expiry = f"{one.exp_month:02}/{one.exp_year}"
        click.echo(f"{one.name:<16} {one.masked_number:<19} {expiry} {one.holder} {code}".rstrip())


@card.command()
@click.argument("name")
@VAULT
@PASSPHRASE
def remove(name: str, vault: Path, passphrase: bool) -> None:
    """Forget the card NAME."""
    _vault(vault, ask=passphrase).remove(name)
    click.echo(f"{name} is forgotten")


def _vault(file: Path, *, ask: bool) -> "Vault":
    from tollbridge.ground.ids import RandomIds
    from tollbridge.ground.secret import Secret
    from tollbridge.within.cards import Vault

    words = os.environ.get("TOLLBRIDGE_CARDS_PASSPHRASE", "")
    if ask:
        words = click.prompt("Passphrase", hide_input=True, confirmation_prompt=not file.exists())
    return Vault(file, RandomIds(), Secret(words) if words else None)


def _asked(*, with_cvc: bool) -> dict[str, Any]:
    number = click.prompt("Card number", hide_input=True)
    expiry = click.prompt("Expires (MM/YYYY)", type=click.DateTime(["%m/%Y"]))
    first, last = click.prompt("First name"), click.prompt("Last name")
    cvc = click.prompt("Security code", hide_input=True) if with_cvc else ""
    return {
        "cardNumber": "".join(number.split()),
        "expMonth": expiry.month,
        "expYear": expiry.year,
        "firstName": first,
        "lastName": last,
        "cvc": cvc,
    }


# What is heard


def _where(*, port: int, https: bool, interface: str, mdns: bool) -> dict[str, Any]:
    from tollbridge.faces.within.discovery import AddressRules

    rules = AddressRules(https=https)
    return {"port": port, "rules": rules, "interface_addr": interface, "mdns": mdns}


def _fields(device: "Broadcast") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(device) | {"url": device.url}


def _shown(text: str) -> str:
    """Show what a stranger said without obeying it: no control sequences reach the terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _row(device: "Broadcast") -> str:
    types = ", ".join(one or "(no type)" for one in device.service_types or ())
    said = (f"{device.device_name:<24.24} {device.url:<32} {types:<24} {device.server_id}  "
            f"{device.device_description:.80}")  # fmt: skip
    return _shown(said).rstrip()


def _rows(devices: Iterable["Broadcast"]) -> list[str]:
    return [_row(one) for one in sorted(devices, key=lambda d: (d.device_name, d.server_id))]


def _table(devices: list["Broadcast"]) -> str:
    head = f"{'name':<24} {'address':<32} {'services':<24} id"
    return "\n".join([head, *_rows(devices)]) if devices else "nobody is around"


def _redraw(devices: list["Broadcast"]) -> None:
    click.clear()
    click.echo(_table(devices))
    click.echo("\nCtrl-C ends it.")


def _differences() -> Callable[[list["Broadcast"]], None]:
    """Print who came and who went, a line each: for files and pipes."""
    before: list[str] = []

    def show(devices: list["Broadcast"]) -> None:
        rows = _rows(devices)
        for sign, some, others in (("-", before, rows), ("+", rows, before)):
            for row in some:
                if row not in others:
                    click.echo(f"{sign} {row}")
        before[:] = rows

    return show
