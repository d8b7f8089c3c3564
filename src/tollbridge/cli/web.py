"""`tollbridge web`: payments from web pages: keys, notices, sellers, and a server to try."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tollbridge.cli import client, logs
from tollbridge.cli import settings as sources
from tollbridge.engine.config import DEFAULT_PORT, Settings
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import RandomIds

if TYPE_CHECKING:
    from tollbridge.faces.webinos.settings import Seller

DEFAULTS = {"journal": "web.sqlite", "port": 8080}
DEMO_CARD = "4242424242424242"
DEMO: Mapping[str, Any] = {
    "sellers": {
        "ShopName12345": {
            "name": "Shop Name",
            "publishable_key": "pk_test_webshop",
            "secret_key": "sk_test_webshop_known_to_everybody",
            "origins": ["http://localhost:8090", "http://127.0.0.1:8090"],
            "notices_url": "http://127.0.0.1:8090/notices",
            "notices_key": "whsec_d2Vic2hvcC13ZWJzaG9wLXdlYnNob3Atd2Vic2hvcA==",
        }
    },
    "customers": {
        "mymail@provider.com": {
            "name": "Mary",
            "contact": "mymail@provider.com",
            "mark": "green owl",
            "instruments": [{"number": DEMO_CARD, "expiry": "12/40", "label": "Visa"}],
        }
    },
}
"""One seller and one customer, as in the specification's example. Everybody knows the keys."""


@click.group()
def web() -> None:
    """Payments from web pages (the Webinos Payment API)."""


# Keys


@web.group()
def keys() -> None:
    """The keys that proofs of purchase are signed with."""


@keys.command("list")
@sources.JOURNAL
@sources.JSON
def list_keys(journal: Path | None, as_json: bool) -> None:
    """List the keys; the first one signs, the others only check."""
    from tollbridge.web.keys import proof_key_file

    file = proof_key_file(journal or Settings().journal)
    if not file.exists():
        raise click.ClickException(f"{file}: there are no keys yet; a server makes them")
    _show_keys(file, as_json=as_json)


@keys.command()
@sources.JOURNAL
@sources.JSON
def rotate(journal: Path | None, as_json: bool) -> None:
    """Sign with a new key from now on; proofs under the old ones stay good.

    A running server notices by itself.
    """
    from tollbridge.web.keys import ProofKeys, proof_key_file

    file = proof_key_file(journal or Settings().journal)
    try:
        if file.exists():
            ProofKeys(file, SystemClock()).rotate()
        else:
            ProofKeys(file, SystemClock())
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from None
    _show_keys(file, as_json=as_json)


def _show_keys(file: Path, *, as_json: bool) -> None:
    from tollbridge.web.keys import ProofKeys

    rows = ProofKeys(file, SystemClock()).rows
    if as_json:
        listed = [
            {"kid": row.kid, "made_at": row.made_at, "retired_at": row.retired_at or None}
            for row in rows
        ]
        click.echo(_json({"keys": listed}))
        return
    for row in rows:
        state = f"checks, retired {row.retired_at}" if row.retired_at else "signs"
        click.echo(f"{row.kid}  made {row.made_at}  {state}")


# Notices


@web.group()
def notices() -> None:
    """What sellers are told behind the page's back."""


@notices.command("list")
@client.options
def list_notices(url: str | None, journal: Path | None, as_json: bool) -> None:
    """List the notices that wait to be taken."""
    _list(url, journal, as_json=as_json, dead=False)


@notices.command()
@client.options
def dead(url: str | None, journal: Path | None, as_json: bool) -> None:
    """List the notices that nobody took, kept for replay."""
    _list(url, journal, as_json=as_json, dead=True)


@notices.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Replay every dead notice.")
@client.options
def replay(
    names: tuple[str, ...], every: bool, url: str | None, journal: Path | None, as_json: bool
) -> None:
    """Send notices again, by their names PAYMENT/SEQUENCE."""
    caller = _server(url, journal)
    if every:
        names = tuple(row["name"] for row in _rows(caller, dead=True))
    elif not names:
        raise click.UsageError("name notices, or say --all")
    rows = []
    for name in names:
        rows.append(caller.call("POST", f"/v1/web/notices/{name}/replay").fields)
        if not as_json:
            click.echo(f"{name} is sent again")
    if as_json:
        click.echo(_json({"notices": rows}))


def _list(url: str | None, journal: Path | None, *, as_json: bool, dead: bool) -> None:
    rows = _rows(_server(url, journal), dead=dead)
    if as_json:
        click.echo(_json({"notices": rows}))
        return
    for row in rows:
        when = f"next {row['next_at']}" if row["next_at"] else "dead"
        tries = f"{row['attempts']} tries"
        click.echo(f"{row['name']}  {row['seller']}  {row['type']}  {tries}  {when}  {row['why']}")
    if not rows:
        click.echo("nobody took none" if dead else "none waits")


def _server(url: str | None, journal: Path | None) -> client.Client:
    """Reach the server: notices are its own, and the journal only tells where its token is."""
    return client.Client(url or f"http://127.0.0.1:{DEFAULT_PORT}", journal)


def _rows(caller: client.Client, *, dead: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        query = {"dead": "1" if dead else None, "after": after}
        answer = caller.call("GET", "/v1/web/notices", query=query).fields
        rows += answer["notices"]
        after = answer["next"]
        if after is None:
            return rows


# Sellers


@web.group()
def sellers() -> None:
    """Who is paid."""


@sellers.command()
@sources.CONFIG
@sources.JSON
def check(config: Path | None, as_json: bool) -> None:
    """Check the sellers of the settings: keys, origins, where notices go."""
    from tollbridge.faces.webinos import provider

    settings = sources.read(config)
    if "webinos" not in settings.faces:
        raise click.ClickException("the settings have no [faces.webinos]")
    made = provider(settings.faces["webinos"])
    found = {name: _wrong_with(seller) for name, seller in made.sellers.items()}
    if as_json:
        click.echo(_json({"sellers": found}))
    else:
        for name, problems in found.items():
            click.echo(f"{name}  {made.sellers[name].name}  {'' if problems else 'good'}".rstrip())
            for problem in problems:
                click.echo(f"  {problem}")
    if not found:
        raise click.ClickException("there are no sellers: [faces.webinos.sellers.NAME]")
    if any(found.values()):
        sys.exit(1)


def _wrong_with(seller: "Seller") -> list[str]:
    """List what a seller should have otherwise."""
    from tollbridge.faces.webinos.settings import SIGNING_LETTERS_MIN
    from tollbridge.wire import webhook
    from tollbridge.wire.http import is_private_way

    problems = [
        f"origins: {origin} is not https, so anybody on its way may pose as the shop"
        for origin in seller.origins
        if not is_private_way(origin)
    ]
    if not seller.origins:
        problems.append("origins: none, so no page but our own may begin a payment")
    if len(seller.secret_key.reveal()) < SIGNING_LETTERS_MIN:
        problems.append(f"secret_key: below {SIGNING_LETTERS_MIN} letters, so it signs no bills")
    if not seller.notices_url:
        problems.append("notices_url: none, so only proofs tell it that it was paid")
    elif not is_private_way(seller.notices_url):
        problems.append("notices_url: not https; only a server in development sends there")
    if seller.notices_key is not None:
        try:
            webhook.keys_of(seller.notices_key)
        except ValueError as error:
            problems.append(f"notices_key: {error}")
    return problems


@sellers.command("keys")
@click.argument("name")
def make_keys(name: str) -> None:
    """Make new keys for a seller, as a table for the settings."""
    import base64

    ids = RandomIds()
    signing = base64.b64encode(bytes.fromhex(ids.secret())).decode()
    click.echo(f'[faces.webinos.sellers."{name}"]')
    click.echo(f'publishable_key = "pk_{ids.secret()[:32]}"')
    click.echo(f'secret_key = "sk_{ids.secret()[:48]}"')
    click.echo(f'notices_key = "whsec_{signing}"')


# Trying


@web.command("try")
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The journal's file (default web.sqlite).",
)
@click.option("--port", type=int, help="The port to listen on (default 8080; 0 takes a free one).")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Where pages of the shop come from, beside localhost:8090.",
)
@sources.LOG_LEVEL
@sources.LOG_JSON
def try_it(
    journal: Path | None, port: int | None, origins: tuple[str, ...], log_level: str, log_json: bool
) -> None:
    """Start a provider to try: one shop, one customer with a card, no real money.

    One-time codes are shown here. `examples/webshop/shop.py` is a shop that pays with it.
    """
    from tollbridge.cli.serve import announce, end_quietly, open_house, run

    end_quietly()
    logs.configure(log_level, as_json=log_json)
    settings = sources.read(None, DEFAULTS, journal=journal, port=port)
    face = demo(origins)
    settings = replace(settings, faces={"webinos": face}, development=True)
    house = open_house(settings)
    ((name, seller),) = face["sellers"].items()
    announce(house, "The payment provider")
    click.echo(f"  try it    {house.url}/web/try")
    click.echo(f"  client    {house.url}/client/tollbridge.js")
    click.echo(f"  seller    {name}")
    click.echo(f"    publishable_key  {seller['publishable_key']}")
    click.echo(f"    secret_key       {seller['secret_key']}")
    click.echo(f"    notices_key      {seller['notices_key']}")
    click.echo(f"    origins          {', '.join(seller['origins'])}")
    click.echo(f"    notices_url      {seller['notices_url']}")
    for customer in face["customers"]:
        click.echo(f"  customer  {customer}")
    click.echo("    everybody knows these keys: for trying only")
    run(house)


def demo(origins: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give the settings of the demonstration; raises ConfigError for what is no origin."""
    ((name, seller),) = DEMO["sellers"].items()
    allowed = [*seller["origins"], *origins]
    if any(origin.count("/") != 2 for origin in origins):
        raise ConfigError(["--origin: https://host, without a path, is expected"])
    return {**DEMO, "sellers": {name: {**seller, "origins": allowed}}}


def _json(value: object) -> str:
    from tollbridge.wire import json

    return json.write(value).decode()
