"""`tollbridge within card`: the cards a device pays with, sealed in a file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tollbridge.cli import settings as sources

if TYPE_CHECKING:
    from tollbridge.within.cards import Vault

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


@click.group()
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
    open_vault(vault, ask=passphrase).add(name, card_from(value, "the card"), keep_cvc=keep_cvc)
    click.echo(f"{name} is kept in {vault}, {'with' if keep_cvc else 'without'} its security code")


@card.command("list")
@VAULT
@PASSPHRASE
@sources.JSON
def list_cards(vault: Path, passphrase: bool, as_json: bool) -> None:
    """List the cards, masked."""
    from dataclasses import asdict

    from tollbridge.cli.payments import echo_json

    entries = open_vault(vault, ask=passphrase).entries()
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
    open_vault(vault, ask=passphrase).remove(name)
    click.echo(f"{name} is forgotten")


def open_vault(file: Path, *, ask: bool) -> "Vault":
    """Open the cards' file, with a passphrase asked for or from the environment, or the keyring."""
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
