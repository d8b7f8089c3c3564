"""`tollbridge iotp serve`, `buy`, `wallet`, `resume` and more: trading by the open protocol."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tollbridge.cli import logs, tls
from tollbridge.cli import settings as sources
from tollbridge.cli.screen import shown
from tollbridge.ground.secret import Secret

if TYPE_CHECKING:
    from tollbridge.faces.iotp.roles.person import Option, Wish
    from tollbridge.faces.iotp.roles.wanted import Traded
    from tollbridge.trading.house import House

R = TypeVar("R")

WALLET = click.option(
    "--wallet",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="TOLLBRIDGE_WALLET",
    default=Path("~/.tollbridge/wallet"),
    show_default=True,
    help="The folder of the wallet.",
)
CA_FILE = click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="TOLLBRIDGE_CA_FILE",
    help="Certificate authorities to believe instead of this system's (PEM).",
)
YES = click.option("--yes", is_flag=True, help="Ask nothing: take what fits, pay, go on.")
SECRET = click.option(
    "--secret",
    envvar="TOLLBRIDGE_IOTP_SECRET",
    help="What tokens and keys of instruments follow from (default: the demonstration's).",
)
ROLES = {
    "merchant": ["merchant"],
    "payment": ["payment"],
    "delivery": ["delivery"],
    "software": ["software"],
    "both": ["merchant", "payment"],
    "all": ["merchant", "payment", "delivery"],
}
DEFAULTS = {"journal": "iotp.sqlite", "port": 8790}
FAILED = 1


# Selling and handling payments


@click.command()
@click.option("--role", type=click.Choice(list(ROLES)), default="all", show_default=True)
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path),
              help="The journal's file (default iotp.sqlite).")  # fmt: skip
@click.option("--host", help="The address to listen on (default 127.0.0.1: this machine only).")
@click.option("--port", type=int, help="The port to listen on (default 8790; 0 takes a free one).")
@click.option("--payment-url", metavar="URL",
              help="The payment handler of a merchant that is none itself.")  # fmt: skip
@click.option("--purse-url", metavar="URL",
              help="Another payment handler, for payments by purse.")  # fmt: skip
@click.option("--delivery-url", metavar="URL",
              help="The delivery handler of a merchant that is none itself.")  # fmt: skip
@click.option("--payment-org", metavar="ORG",
              help="The id of the payment handler (default pay.example).")  # fmt: skip
@click.option("--software-url", metavar="URL",
              help="Where the payment software runs, when it is not this process.")  # fmt: skip
@click.option("--software-token", envvar="TOLLBRIDGE_IOTP_SOFTWARE_TOKEN",
              help="The token of the server there.")  # fmt: skip
@tls.TLS_CERT
@tls.TLS_KEY
@SECRET
@sources.SANDBOX_URL
@sources.CONFIG
@sources.LOG_LEVEL
@sources.LOG_JSON
def serve(
    role: str,
    journal: Path | None,
    host: str | None,
    port: int | None,
    payment_url: str | None,
    purse_url: str | None,
    delivery_url: str | None,
    payment_org: str | None,
    software_url: str | None,
    software_token: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    secret: str | None,
    sandbox_url: str | None,
    config: Path | None,
    log_level: str,
    log_json: bool,
) -> None:
    """Serve a merchant, a payment handler, a delivery handler, or all in one process.

    Payment software may be a process of its own (--role software), called by the others over HTTP
    with documents of the Payment API.

    With nothing configured it is a demonstration shop with test cards and purses that cost nothing.
    Settings stand in [faces.iotp].
    """
    from dataclasses import replace

    from tollbridge.cli.serve import announce, end_quietly, open_house, run
    from tollbridge.faces.iotp.face import IotpFace
    from tollbridge.faces.iotp.roles.opening import Opening
    from tollbridge.faces.iotp.roles.software import PATH

    end_quietly()
    logs.configure(log_level, as_json=log_json)
    settings = sources.read(config, DEFAULTS, journal=journal, host=host, port=port)
    certificate = tls.certificate(tls_cert, tls_key)
    own: dict[str, Any] = {"roles": ROLES[role], **settings.faces.get("iotp", {})}
    given = {
        "payment_url": payment_url,
        "purse_url": purse_url,
        "delivery_url": delivery_url,
        "payment_org_id": payment_org,
        "software_url": software_url,
        "software_token": software_token,
        "secret": secret,
    }
    own |= {name: value for name, value in given.items() if value is not None}
    if "url" not in own:
        settings, own["url"] = _with_port(settings, "https" if certificate else "http")
    settings = replace(settings, faces={"iotp": own})
    house = open_house(sources.beside(settings, sandbox_url), certificate)
    announce(house, "IOTP")
    face = house.running.faces["iotp"]
    assert isinstance(face, IotpFace)
    if face.merchant is not None:
        for item in face.merchant.settings.items.values():
            amounts = ", ".join(f"{leg.direction} {leg.amount} {leg.currency}" for leg in item.legs)
            kind = item.kind.removeprefix("Baseline")
            click.echo(f"  item      {house.url}/iotp/merchant?item={item.name}"
                       f"  {kind}: {amounts or 'nothing to pay'}")  # fmt: skip
    if face.handler is not None:
        click.echo(f"  payments  {house.url}/iotp/payment")
    if face.delivery is not None:
        click.echo(f"  delivers  {house.url}/iotp/delivery")
    for name in face.software.bridges if face.software is not None else ():
        click.echo(f"  software  {house.url}{PATH}/{name}")
    if "secret" not in own and Opening().secret:
        click.echo("  everybody knows the keys of its instruments: for tests only")
    run(house)


def _with_port(settings: Any, scheme: str) -> tuple[Any, str]:
    """Take the port now, so that messages can name it."""
    from dataclasses import replace

    from tollbridge.cli.serve import bind

    if settings.port == 0:
        taken = bind(settings.host, 0)
        settings = replace(settings, port=taken.getsockname()[1])
        taken.close()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings, f"{scheme}://{host}:{settings.port}"


# Buying


@click.command()
@click.argument("url")
@WALLET
@click.option("--brand", help="Pay with this brand (VISA, x-TollbridgePurse, …).")
@click.option("--instrument", help="Pay with this instrument of the wallet.")
@click.option("--no-check", is_flag=True, help="Do not try an instrument before it is used.")
@YES
@CA_FILE
@click.option("--die-after", type=int, metavar="N", help="Die after N answers, for tests.")
@click.option("--quiet", is_flag=True, help="Show nothing but the end.")
@sources.JSON
def buy(
    url: str,
    folder: Path,
    brand: str | None,
    instrument: str | None,
    no_check: bool,
    yes: bool,
    ca_file: Path | None,
    die_after: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Trade at URL, the address of an item in a shop."""
    from tollbridge.faces.iotp.roles.wanted import Buy

    person = Screen(brand, instrument, yes=yes, quiet=quiet)
    _end(_order(folder, Buy(url, check=not no_check), person, ca_file, die_after), as_json=as_json)


@click.command()
@click.argument("name", required=False)
@WALLET
@YES
@CA_FILE
@click.option("--quiet", is_flag=True, help="Show nothing but the end.")
@sources.JSON
def resume(
    name: str | None, folder: Path, yes: bool, ca_file: Path | None, quiet: bool, as_json: bool
) -> None:
    """Go on with transaction NAME (or the beginning of it); the only pending one need no name."""
    from tollbridge.faces.iotp.roles.wanted import Resume

    found = name or _only(folder)
    person = Screen(None, None, yes=yes, quiet=quiet)
    _end(_order(folder, Resume(found), person, ca_file), as_json=as_json)


@click.command()
@click.argument("name", required=False)
@WALLET
@YES
@CA_FILE
@sources.JSON
def cancel(name: str | None, folder: Path, yes: bool, ca_file: Path | None, as_json: bool) -> None:
    """Cancel transaction NAME, here and at the other side."""
    from tollbridge.faces.iotp.roles.wanted import Cancel

    found = name or _only(folder)
    told = _order(folder, Cancel(found), Screen(None, None, yes=yes), ca_file)
    _end(told, as_json=as_json, well=False)


@click.command()
@click.argument("name", required=False)
@WALLET
@click.option("--payment", type=click.IntRange(1, 2),
              help="Ask about this payment (default: the delivery, or the last).")  # fmt: skip
@CA_FILE
@sources.JSON
def inquire(
    name: str | None, folder: Path, payment: int | None, ca_file: Path | None, as_json: bool
) -> None:
    """Ask the other side where transaction NAME stands (default: the last one)."""
    from tollbridge.cli.payments import echo_json
    from tollbridge.faces.iotp.roles.wanted import Inquire, Trades

    found = name
    if found is None:
        all_of_them = _order(folder, Trades(), Screen(None, None, yes=True))
        if not all_of_them:
            raise click.ClickException("there is no transaction")
        found = all_of_them[-1].name
    told = _order(folder, Inquire(found, payment), Screen(None, None, yes=True), ca_file)
    if as_json:
        local = told.local.process_state if told.local is not None else None
        echo_json({"name": told.name, "remote": told.remote, "code": told.code, "local": local})
        return
    click.echo(f"{told.name}: the other side says {told.remote}"
               + (f", {told.code}" if told.code else "")
               + (f" ({shown(told.text)})" if told.text else ""))  # fmt: skip
    if told.local is not None:
        click.echo(f"  the wallet says {told.local.process_state}")


@click.command()
@WALLET
@click.option("--suspend", is_flag=True, help="Suspend what is pending.")
@sources.JSON
def pending(folder: Path, suspend: bool, as_json: bool) -> None:
    """List transactions that are not over, and payments that payment software calls pending."""
    from tollbridge.cli.payments import echo_json
    from tollbridge.faces.iotp.roles.wanted import Pending, Rest

    person = Screen(None, None, yes=True)
    waiting = _order(folder, Pending(), person)
    if suspend:
        for one in waiting.deals:
            _order(folder, Rest(one.name), person)
        waiting = _order(folder, Pending(), person)
    if as_json:
        payments = [{"bridge": name, "payment": pay_id} for name, pay_id in waiting.payments]
        echo_json({"trades": [_fields(one) for one in waiting.deals], "payments": payments})
        return
    for one in waiting.deals:
        click.echo(_line(one))
    for name, pay_id in waiting.payments:
        click.echo(f"  {name} has payment {pay_id} pending")
    if not waiting.deals and not waiting.payments:
        click.echo("nothing is pending")


@click.command()
@WALLET
@sources.JSON
def trades(folder: Path, as_json: bool) -> None:
    """List all transactions of the wallet, oldest first."""
    from tollbridge.cli.payments import echo_json
    from tollbridge.faces.iotp.roles.wanted import Trades

    found = _order(folder, Trades(), Screen(None, None, yes=True))
    if as_json:
        echo_json([_fields(one) for one in found])
        return
    for one in found:
        click.echo(_line(one))


@click.command()
@click.argument("url")
@WALLET
@CA_FILE
def ping(url: str, folder: Path, ca_file: Path | None) -> None:
    """Ask whether a merchant or a payment handler is there."""
    from tollbridge.faces.iotp.roles.wanted import Ping

    click.echo(_order(folder, Ping(url), Screen(None, None, yes=True), ca_file))


@click.command()
@click.argument("name", required=False)
@WALLET
@click.option("--mermaid", "form", flag_value="mermaid", help="A sequence diagram for Mermaid.")
@click.option("--svg", "form", flag_value="svg", help="A picture.")
def trace(name: str | None, folder: Path, form: str | None) -> None:
    """Draw the messages of transaction NAME (default: the last one)."""
    from tollbridge.faces.iotp.roles.wanted import Trades
    from tollbridge.trading import trace as drawing

    async def letters() -> Any:
        async with _house(folder, Screen(None, None, yes=True)) as house:
            wanted = name
            if wanted is None:
                all_of_them = await house.order(Trades())
                if not all_of_them:
                    raise click.ClickException("there is no transaction")
                wanted = all_of_them[-1].name
            return await house.letters(wanted)

    drawn = drawing.arrows(_run(letters()))
    forms = {"mermaid": drawing.mermaid, "svg": drawing.svg}
    click.echo(forms.get(form or "", drawing.text)(drawn))


# The wallet


@click.group()
def wallet() -> None:
    """Show, register and load instruments."""


@wallet.command("show")
@WALLET
@sources.JSON
def show_wallet(folder: Path, as_json: bool) -> None:
    """List instruments, and what is in purses."""
    from tollbridge.cli.payments import echo_json

    rows = _run(_balances(folder))
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(f"{row['bridge']:<6} {row['brand']:<18} {row['id']:<14} "
                   f"{shown(row['name']):<28} {row['balance']}")  # fmt: skip
    if not rows:
        click.echo("the wallet is empty; `tollbridge iotp wallet register --card visa`")


async def _balances(folder: Path) -> list[dict[str, str]]:
    from tollbridge.faces.iotp.roles.opening import PURSES
    from tollbridge.faces.iotp.roles.wanted import Properties
    from tollbridge.faces.iotp.schemes import card, purse

    rows = []
    async with _house(folder, Screen(None, None, yes=True)) as house:
        for bridge, own in house.contents.instruments.items():
            protocol = purse.PROTOCOL_ID if bridge == PURSES else card.PROTOCOL_ID
            for one in own:
                balance = one.shown
                if bridge == PURSES:
                    wanted = Properties(bridge, one.brand_id, protocol, one.id, ("Balance",))
                    found = (await house.order(wanted)).payment_instrument_properties
                    balance = ", ".join(each.property_value for each in found)
                rows.append({"bridge": bridge, "brand": one.brand_id, "id": one.id,
                             "name": one.name, "balance": balance})  # fmt: skip
    return rows


@wallet.command()
@WALLET
@click.option("--card", "cards", multiple=True, metavar="NAME",
              help="A test card: visa, mastercard, amex, declined.")  # fmt: skip
@click.option("--purse", "purses", multiple=True, metavar="NAME", help="An empty purse.")
@SECRET
def register(
    folder: Path, cards: tuple[str, ...], purses: tuple[str, ...], secret: str | None
) -> None:
    """Register instruments with the payment software."""
    from tollbridge.faces.iotp.roles import opening

    given = Secret(secret or opening.DEMONSTRATION)
    if not cards and not purses:
        raise click.UsageError("--card NAME or --purse NAME is needed")
    _run(_register(folder.expanduser(), cards, purses, given))
    for name in (*cards, *purses):
        click.echo(f"{name} is in the wallet {folder.expanduser()}")


async def _register(
    home: Path, cards: tuple[str, ...], purses: tuple[str, ...], secret: Secret[str]
) -> None:
    from tollbridge.faces.iotp.api.words import Action
    from tollbridge.faces.iotp.roles import opening
    from tollbridge.faces.iotp.roles.opening import CARDS, PURSES
    from tollbridge.faces.iotp.roles.wanted import Manage
    from tollbridge.faces.iotp.schemes import card, purse
    from tollbridge.server.trading_keys import derived, public_pem
    from tollbridge.trading import wallet as file

    made = []
    keys = {name: public_pem(derived(secret, name)) for name in opening.organisations()}
    await asyncio.to_thread(file.trust, home, keys)
    for name in cards:
        try:
            made.append((CARDS, card.PROTOCOL_ID, file.test_card(name, secret)))
        except KeyError:
            raise click.ClickException(f"there is no test card {name!r:.40}") from None
    made += [(PURSES, purse.PROTOCOL_ID, file.test_purse(name, secret)) for name in purses]
    for bridge, protocol, one in made:

        async def device(_: object, bridge: str = bridge, one: Any = one) -> str:
            await asyncio.to_thread(file.add, home, bridge, one)
            return str(one.id)

        async with _house(home, Screen(None, None, yes=True), device=device) as house:
            await house.order(Manage(bridge, Action.NEW, one.brand_id, protocol))


@wallet.command()
@click.argument("org", required=False)
@click.argument("key", required=False,
                type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@click.option("--anchors", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Believe who has a certificate of one of these authorities (PEM).")  # fmt: skip
@WALLET
def trust(org: str | None, key: Path | None, anchors: Path | None, folder: Path) -> None:
    """Believe what ORG (its id, for example pay.example) signs with the public KEY, a PEM file."""
    from tollbridge.ground.clock import SystemClock
    from tollbridge.trading import wallet as file

    if (org is None or key is None) and anchors is None:
        raise click.UsageError("ORG and KEY are needed, or --anchors FILE")
    home = folder.expanduser()
    if org is not None and key is not None:
        file.trust(home, {org: key.read_bytes()})
        click.echo(f"what {shown(org)} signs is believed by the wallet {home}")
    if anchors is not None:
        file.anchor(home, anchors.read_bytes(), SystemClock())
        click.echo(f"the authorities of {anchors} are believed by the wallet {home}")


@wallet.command()
@click.argument("url")
@WALLET
@click.option("--card", "instrument", help="The card that pays.")
@CA_FILE
@sources.JSON
def load(
    url: str, folder: Path, instrument: str | None, ca_file: Path | None, as_json: bool
) -> None:
    """Load a purse at URL: an item of a shop that exchanges value, or pays out."""
    from tollbridge.faces.iotp.roles.wanted import Buy

    person = Screen(None, instrument, yes=True)
    _end(_order(folder, Buy(url), person, ca_file), as_json=as_json)


# How


class Screen:
    """The person at the device: choices and confirmations on the terminal, or by options."""

    def __init__(
        self, brand: str | None, instrument: str | None, *, yes: bool, quiet: bool = False
    ) -> None:
        self.brand, self.instrument = brand, instrument
        self.yes = yes or not sys.stdin.isatty()
        self.quiet = quiet
        self._tries = 0

    async def __call__(self, wish: "Wish") -> Any:  # noqa: C901 - one line for each wish
        """Answer a wish of the core."""
        from tollbridge.faces.iotp.roles import person

        match wish:
            case person.Choose():
                return self._choose(wish.what, wish.options)
            case person.Confirm():
                return self._confirm(wish)
            case person.Trouble():
                return self._trouble(wish.text, wish.ways)
            case (
                person.NeedWallet() | person.NeedPassphrase() | person.Prove() | person.NeedMember()
            ):
                return None if self.yes else self._prompt(wish)
            case person.Progress():
                percent = f" {wish.percent} %" if wish.percent is not None else ""
                self._say(f"  {wish.pay_id}{percent}  {shown(wish.text)}")
            case person.Notice():
                self._say(f"  {shown(wish.text)}")
            case person.Receipt():
                for name, value in wish.lines:
                    self._say(f"  | {shown(name):<18} {shown(value)}")
            case person.Received():
                self._say(f"  {shown(wish.how)}: {shown(wish.text)}")
                self._say(f"  the note of {shown(wish.signed)}")
            case person.Visit():
                self._say(f"  go on at {shown(wish.url)}")
        return None

    def _prompt(self, wish: Any) -> Any:
        from tollbridge.faces.iotp.roles import person

        match wish:
            case person.NeedWallet():
                return click.prompt(f"{shown(wish.text)}; wallet")
            case person.NeedPassphrase():
                text = f"{shown(wish.text)}; pass phrase"
                return Secret(click.prompt(text, hide_input=True))
            case person.Prove():
                names = [shown(name) for name in wish.algorithms]
                return names.index(click.prompt("authenticate by", type=click.Choice(names)))
        asked = f"member of {shown(wish.payee)}"
        name = click.prompt(asked, default="", show_default=False)
        if not name:
            return None
        return person.Member(name, Secret(click.prompt("pass phrase", hide_input=True)))

    def _say(self, text: str) -> None:
        if not self.quiet:
            click.echo(text, err=True)

    def _choose(self, what: str, options: "tuple[Option, ...]") -> Any:
        from tollbridge.faces.iotp.roles.person import Way

        fitting = [
            place
            for place, one in enumerate(options)
            if self.brand in {None, one.brand_id}
            and (self.instrument in {None, one.instrument_id} or len(options) == 1)
        ]
        if not fitting:
            self._say("  nothing in the wallet fits what was asked for")
            return Way.CANCEL
        if len(fitting) == 1 or self.yes:
            self._say(f"  {shown(what)}: with {_named(options[fitting[0]])}")
            return fitting[0]
        click.echo(shown(what))
        for number, place in enumerate(fitting, 1):
            click.echo(f"  {number}  {_named(options[place])}")
        answer = click.prompt("with", type=click.IntRange(0, len(fitting)), default=1)
        return fitting[answer - 1] if answer else Way.CANCEL

    def _confirm(self, wish: Any) -> Any:
        from tollbridge.faces.iotp.roles.person import Way

        option = wish.option
        words = f"{option.direction} {option.amount} {option.currency} with {_named(option)}"
        self._say(f"  {shown(wish.order)} from {shown(wish.payee)}: {words}")
        if self.yes:
            return Way.GO_ON
        answers = {"y": Way.GO_ON, "n": Way.CANCEL, "s": Way.SUSPEND}
        return answers[click.prompt("pay (y), suspend (s) or cancel (n)",
                                    type=click.Choice(list(answers)), default="y")]  # fmt: skip

    def _trouble(self, text: str, ways: Any) -> Any:
        from tollbridge.faces.iotp.roles.person import Way

        self._say(f"  {shown(text)}")
        if self.yes:
            self._tries += 1
            if Way.RETRY in ways and self._tries <= 1:
                return Way.RETRY
            return Way.SUSPEND if Way.SUSPEND in ways else Way.CANCEL
        return Way(click.prompt("what now", type=click.Choice([str(way) for way in ways])))


class _Register:
    """Registers an instrument that is missed while something is bought: one of the test ones."""

    def __init__(self, folder: Path, person: Screen) -> None:
        self.folder, self.person = folder.expanduser(), person

    async def __call__(self, wish: Any) -> str:
        """Answer the payment software; "" when nobody is there or nothing fits."""
        from tollbridge.faces.iotp.roles import opening
        from tollbridge.trading import wallet as file

        secret = Secret(opening.DEMONSTRATION)
        made = [file.test_card(name, secret) for name in opening.TEST_CARDS]
        if wish.bridge == opening.PURSES:
            made = [file.test_purse("purse", secret)]
        own = {one.id: one for one in made if one.brand_id == wish.brand_id}
        if self.person.yes or not own:
            return ""
        name = click.prompt(f"register for {wish.brand_id}", type=click.Choice(list(own)))
        await asyncio.to_thread(file.add, self.folder, wish.bridge, own[name])
        return str(name)


def _named(option: "Option") -> str:
    return shown(option.instrument_name or option.brand_name) + (
        f" ({option.brand_id})" if option.instrument_name else ""
    )


def _house(folder: Path, person: Screen, **more: Any) -> "House":
    from tollbridge.trading.house import House

    return House(folder.expanduser(), person, **more)


def _order(
    folder: Path,
    wanted: Any,
    person: Screen,
    ca_file: Path | None = None,
    die_after: int | None = None,
) -> Any:
    """Let the Consumer of a wallet do something, and give what came of it."""

    def after(answered: int) -> None:
        if answered == die_after:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGKILL)

    async def main() -> Any:
        more = {"after": after if die_after else None, "ca_file": ca_file}
        async with _house(folder, person, device=_Register(folder, person), **more) as house:
            return await house.order(wanted)

    return _run(main())


def _run(main: Coroutine[Any, Any, R]) -> R:
    import uvloop

    from tollbridge.faces.iotp.roles.problems import Failed, Unusable

    try:
        return uvloop.run(main)
    except Unusable as error:
        raise click.ClickException(shown(error.text)) from None
    except Failed as error:
        raise click.ClickException(shown(error.error.error_desc)) from None


def _only(folder: Path) -> str:
    from tollbridge.faces.iotp.roles.wanted import Pending

    waiting = _order(folder, Pending(), Screen(None, None, yes=True))
    if len(waiting.deals) != 1:
        names = ", ".join(one.name for one in waiting.deals) or "none"
        raise click.ClickException(f"say which; pending: {names}")
    return str(waiting.deals[0].name)


def _end(traded: "Traded", *, as_json: bool, well: bool = True) -> None:
    """Show what became of a transaction; the exit code says whether all went well."""
    from tollbridge.cli.payments import echo_json

    if as_json:
        echo_json(_fields(traded))
    else:
        click.echo(_line(traded))
    if well and not traded.complete:
        raise SystemExit(FAILED)


def _line(one: "Traded") -> str:
    paid = "; ".join(
        f"{each.direction} {each.amount} {each.currency} {each.brand_id}"
        f" {each.instrument_id or ''}: {each.state}" + (f", {each.code}" if each.code else "")
        for each in one.payments
    )
    if one.delivery is not None:
        paid += f"; delivery: {one.delivery.code or one.delivery.state}"
    stage = "suspended" if one.is_suspended else one.stage
    text = f"  ({shown(one.text)})" if one.text else ""
    return f"{one.name}  {one.kind.removeprefix('Baseline')}  {stage}  {paid}{text}"


def _fields(one: "Traded") -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "stage": one.stage,
        "suspended": one.is_suspended,
        "text": one.text,
        "delivery": None
        if one.delivery is None
        else {
            "state": one.delivery.state,
            "code": one.delivery.code,
            "note": one.delivery.note,
            "handler_id": one.delivery.handler_id,
            "signature": one.delivery.proof,
        },
        "payments": [
            {
                "id": each.pay_id,
                "handler_id": each.handler_id,
                "bridge": each.bridge,
                "brand": each.brand_id,
                "instrument": each.instrument_id,
                "amount": each.amount,
                "currency": each.currency,
                "direction": each.direction,
                "state": each.state,
                "code": each.code,
                "receipt_checked": each.sound,
                "receipt_signature": each.proof,
            }
            for each in one.payments
        ],
    }
