"""`tollbridge within produce`, `buy`, `take` and `purchases`: both sides of a trade."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tollbridge.cli import logs
from tollbridge.cli import settings as sources
from tollbridge.cli.cards import VAULT, open_vault
from tollbridge.cli.screen import shown
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret

if TYPE_CHECKING:
    from tollbridge.faces.within.card import HceCard
    from tollbridge.faces.within.events import DeliveryBegun, Event
    from tollbridge.faces.within.messages import Broadcast
    from tollbridge.within.buying import Meanwhile, Purse, Step
    from tollbridge.within.offer import Offer
    from tollbridge.within.options import Options
    from tollbridge.within.wallet import Purchase

F = TypeVar("F", bound=Callable[..., Any])

PORT = click.IntRange(0, 65535)
PSP_URL = "http://127.0.0.1:8080/v1"
PSP_PORT = 8080
FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="Where identity, journal and wallet are kept (default: here).",
)
DISCOVERY_PORT = click.option(
    "--discovery-port", type=PORT, default=8980, show_default=True, help="Where broadcasts go."
)


# Selling


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@FOLDER
@click.option("--port", type=PORT, help="Where to serve (default 64521; 0 takes a free port).")
@click.option("--discovery-port", type=PORT, help="Where broadcasts go (default 8980).")
@click.option("--psp", "psp_url", metavar="URL", envvar="TOLLBRIDGE_PSP_URL",
              help="The payment provider, whatever FILE says of its address.")  # fmt: skip
@click.option("--psp-port", type=PORT, default=PSP_PORT, show_default=True,
              help="Where its own payment provider serves, if it is its own.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Say nothing of sales and deliveries.")
@sources.CA_FILE
@sources.LOG_LEVEL
@sources.LOG_JSON
def produce(
    file: Path,
    folder: Path,
    port: int | None,
    discovery_port: int | None,
    psp_url: str | None,
    psp_port: int,
    quiet: bool,
    ca_file: Path | None,
    log_level: str,
    log_json: bool,
) -> None:
    """Sell what FILE offers, until Ctrl-C.

    FILE is a TOML file, or a profile of the original developer client (JSON). Without [psp] the
    producer is its own payment provider, on the simulated card network: consumers on this machine
    need nothing else.
    """
    from dataclasses import replace

    import uvloop

    from tollbridge.engine.transport import trusting
    from tollbridge.within.offer import offer
    from tollbridge.within.options import Options

    logs.configure(log_level, as_json=log_json)
    offered = offer(file)
    if psp_url is not None:
        offered = replace(offered, psp={**offered.psp, "api_endpoint": psp_url}, own_psp=False)
    given = {"port": port, "discovery_port": discovery_port}
    wanted = {**offered.options} | {
        name: value for name, value in given.items() if value is not None
    }
    options = Options(folder=folder, tls=trusting(ca_file), **wanted)
    folder.mkdir(parents=True, exist_ok=True)
    uvloop.run(_produce(offered, options, psp_port, quiet=quiet))


async def _produce(offered: "Offer", options: "Options", psp_port: int, *, quiet: bool) -> None:
    from tollbridge.cli.serve import settle_down
    from tollbridge.within.device import Device
    from tollbridge.within.meter import Meter

    async with contextlib.AsyncExitStack() as stack:
        psp, transport = dict(offered.psp), None
        if offered.own_psp:
            psp, transport, psp_port = await stack.enter_async_context(
                _own_psp(options.folder, psp_port)
            )
        device = await stack.enter_async_context(
            await Device.setup(
                offered.name,
                offered.description,
                offered.interface,
                folder=options.folder,
                options=options,
                transport=transport,
            )
        )
        for service in offered.services:
            device.add_service(service)
        meter = Meter(device, dict(offered.pace_s), _hush if quiet else _supplied)

        def hear(event: "Event") -> None:
            if not quiet:
                _told(event)
            meter.hear(event)

        device.set_event_handler(hear)
        await device.init_producer(psp)
        await device.start_service_broadcast()
        where = device.broadcast()
        click.echo(f"{device.name} sells at {where.url} as {device.uid}")
        for service in offered.services:
            for price in service.prices.values():
                cost = Money.of(price.per_unit.amount_minor, price.per_unit.currency_code)
                click.echo(f"  service {service.service_id}  {service.name}: {price.description},"
                           f" {cost} for {price.unit_description or 'a unit'}")  # fmt: skip
        if offered.own_psp:
            click.echo(f"  provider  http://127.0.0.1:{psp_port}/v1  (its own, test cards only)")
        settle_down((5_000, 10, 10))
        await _until_stopped()


@contextlib.asynccontextmanager
async def _own_psp(folder: Path, port: int) -> AsyncIterator[Any]:
    """Run a payment provider in this process; gives the configuration, the way to it, the port."""
    from tollbridge.cli import runtime
    from tollbridge.engine.config import Settings
    from tollbridge.engine.transport import HttpTransport, Switchboard
    from tollbridge.faces.psp import PspFace
    from tollbridge.faces.psp.settings import TEST_MERCHANTS
    from tollbridge.ground.ids import RandomIds
    from tollbridge.server.inside import Served, listen
    from tollbridge.within.identity import WORLDPAY_ONLINE
    from tollbridge.within.psp import PREFIX, PspLine

    settings = Settings(journal=folder / "psp.sqlite", faces={"psp": {}})
    running = runtime.build(settings, Secret(RandomIds().secret()))
    face = running.faces["psp"]
    assert isinstance(face, PspFace)
    try:
        listening = listen("127.0.0.1", port)
    except OSError as error:
        text = f"port {port} is taken ({error.strerror}); try --psp-port"
        raise click.ClickException(text) from None
    served = Served(running.app, listening)
    await served.start()
    [keys] = TEST_MERCHANTS.values()
    psp = {
        "psp_name": WORLDPAY_ONLINE,
        "api_endpoint": f"{PREFIX}/v1",
        "hte_public_key": keys.client_key,
        "hte_private_key": keys.service_key.reveal(),
    }
    try:
        line = PspLine(running.engine, face)
        yield psp, Switchboard({PREFIX: line}, HttpTransport()), listening.getsockname()[1]
    finally:
        await served.close()


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


def _told(event: "Event") -> None:
    from tollbridge.faces.within import events

    match event:
        case events.PaymentEnded(reference=reference, paid=paid):
            word = {True: "paid", False: "not paid", None: "not known yet"}[paid]
            click.echo(f"  {reference}  {word}")
        case events.DeliveryBegun(units=units):
            click.echo(f"  delivery of {units} begins")
        case events.DeliveryEnded(units=units):
            click.echo(f"  delivery of {units} ended")
        case events.Refunded(reference=reference, amount_minor=minor, currency_code=code):
            click.echo(f"  {reference}  {Money.of(minor, code)} paid back, not supplied in time")
        case events.Failed(text=text):
            click.echo(f"  {shown(text)}", err=True)


def _hush(_: "DeliveryBegun", __: int) -> None:
    pass


def _supplied(begun: "DeliveryBegun", units: int) -> None:
    done = round(20 * units / begun.units)
    click.echo(f"    [{'#' * done}{'-' * (20 - done)}] {units} of {begun.units}")


# Buying


def buying(command: F) -> F:
    """Add the options of paying and being supplied."""
    for option in (
        click.option("--for", "for_s", default=2.0, show_default=True,
                     help="Seconds to look around."),
        click.option("--mdns/--no-mdns", help="Find devices announced with DNS-SD, too."),
        DISCOVERY_PORT,
        click.option("--pace", default=0.0, metavar="SECONDS",
                     help="How long to stay for each unit (default: no time)."),
        click.option("--psp", "psp_url", default=PSP_URL, show_default=True,
                     envvar="TOLLBRIDGE_PSP_URL", help="The payment provider."),
        click.option("--psp-name", default="worldpayonlinepayments", show_default=True,
                     help="Which API it speaks: this one or securenet."),
        click.option("--application", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                     help="An original application's JSON, with pspConfig and hceCard."),
        click.option("--card", "card_name", help="A card of the vault (default: a test card)."),
        VAULT,
        sources.CA_FILE,
        click.option("--allow-plain", is_flag=True,
                     help="Send the card to a provider beyond this machine over plain http: "
                     "for test benches only."),
        FOLDER,
        sources.JSON,
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("units", type=click.IntRange(min=1))
@click.option("--device", metavar="NAME", help="From whom (default: the only one around).")
@click.option("--service", help="Its id, name or type (default: the only one).")
@click.option("--price", "price_id", type=int, help="The rate (default: the cheapest).")
@click.option("--at-most", nargs=2, metavar="AMOUNT CURRENCY", help="What it may cost in all.")
@click.option("--take", "now", type=click.IntRange(min=0), help="Units to take now (default: all).")
@buying
def buy(
    units: int,
    device: str | None,
    service: str | None,
    price_id: int | None,
    at_most: tuple[str, str] | None,
    now: int | None,
    for_s: float,
    mdns: bool,
    discovery_port: int,
    as_json: bool,
    **paying: Any,
) -> None:
    """Find a device, buy UNITS of a service, pay, and be supplied.

    What is paid for and not taken stays in the wallet: `tollbridge within take` fetches it later.
    """
    from dataclasses import replace

    from tollbridge.faces.within.errors import WithinError
    from tollbridge.within import buying as trade
    from tollbridge.within.finding import discover

    most = Money.parse(*at_most) if at_most else None
    wanted: int | str | None = int(service) if service and service.isdigit() else service
    wish = trade.Wish(units=units, service=wanted, price_id=price_id, most=most)
    purse, meanwhile = _purse(**paying)
    if not purse.card.cvc.reveal():
        code = Secret(click.prompt("Security code", hide_input=True, err=True))
        purse = replace(purse, card=replace(purse.card, cvc=code))
    before = {one.reference for one in purse.wallet.purchases}

    async def main() -> "Purchase":
        with _progress(8, "looking around", quiet=as_json) as progress:
            found = await discover(for_s, mdns=mdns, port=discovery_port)
            producer = _chosen(found, device)
            progress("found", producer.device_name or producer.server_id)
            purchase = await trade.buy(producer, wish, purse, progress)
            wanted_now = purchase.remaining if now is None else now
            if wanted_now:
                purchase = await trade.take(purchase, wanted_now, purse, meanwhile, progress)
            return purchase

    try:
        bought = asyncio.run(main())
    except WithinError as error:
        kept = [one for one in purse.wallet.purchases if one.reference not in before]
        if not kept:
            raise
        text = f"{shown(str(error))}\n  go on with: tollbridge within take {kept[0].reference}"
        raise click.ClickException(text) from None
    _show(bought, as_json=as_json)


@click.command()
@click.argument("reference")
@click.argument("units", type=click.IntRange(min=1), required=False)
@buying
def take(
    reference: str,
    units: int | None,
    for_s: float,
    mdns: bool,
    discovery_port: int,
    as_json: bool,
    **paying: Any,
) -> None:
    """Be supplied with UNITS (default: all that is left) of a purchase in the wallet.

    REFERENCE is the beginning of its payment reference, or "last". Where it is not known yet
    whether the purchase was paid, that is asked first; it is charged once. A device that is not
    where it was is looked for.
    """
    from tollbridge.faces.within.errors import PeerUnreachable
    from tollbridge.within import buying as trade

    purse, meanwhile = _purse(**paying)
    purchases = purse.wallet.purchases
    if reference == "last" and purchases:
        reference = purchases[-1].reference
    purchase = purse.wallet.get(reference)

    async def fetch(purchase: "Purchase", progress: "trade.Progress") -> "Purchase":
        paid = await trade.finish(purchase, purse, progress)
        return await trade.take(paid, units or paid.remaining, purse, meanwhile, progress)

    async def main() -> "Purchase":
        with _progress(3, "asking", quiet=as_json) as progress:
            try:
                return await fetch(purchase, progress)
            except PeerUnreachable:
                moved = await trade.find_again(purchase, for_s, mdns=mdns, port=discovery_port)
                return await fetch(moved, progress)

    _show(asyncio.run(main()), as_json=as_json)


@click.command()
@FOLDER
@sources.JSON
def purchases(folder: Path, as_json: bool) -> None:
    """List what was bought, and what is still to come."""
    from tollbridge.cli.payments import echo_json
    from tollbridge.within.wallet import WALLET, Wallet

    found = Wallet(folder / WALLET).purchases
    if as_json:
        echo_json({"purchases": [_fields(one) for one in found]})
        return
    for one in found:
        state = f"{one.remaining} of {one.total.units} to come" if one.token else "paid? ask: take"
        click.echo(f"{one.reference}  {one.price!s:>14}  {shown(one.service_name)}, {state}")


def _purse(
    *,
    pace: float,
    psp_url: str,
    psp_name: str,
    application: Path | None,
    card_name: str | None,
    vault: Path,
    ca_file: Path | None,
    allow_plain: bool,
    folder: Path,
) -> "tuple[Purse, Meanwhile]":
    from tollbridge.engine.transport import trusting
    from tollbridge.ground.ids import RandomIds
    from tollbridge.within import identity
    from tollbridge.within.buying import Purse
    from tollbridge.within.options import Options
    from tollbridge.within.wallet import WALLET, Wallet

    psp: dict[str, str] = {"psp_name": psp_name, "api_endpoint": psp_url}
    card = None
    if application is not None:
        original = identity.application(application)
        psp, card = dict(original.psp), original.card
    if card is None or card_name is not None:
        card = _card(card_name, vault)
    folder.mkdir(parents=True, exist_ok=True)
    client = identity.device_id(folder / identity.IDENTITY_FILE, RandomIds())
    options = Options(folder=folder, tls=trusting(ca_file), allow_plain_provider=allow_plain)

    async def meanwhile(units: int) -> int:
        await asyncio.sleep(units * pace)
        return units

    return Purse(client, card, psp, Wallet(folder / WALLET), options), meanwhile


def _card(name: str | None, vault: Path) -> "HceCard":
    from tollbridge.faces.within.card import HceCard
    from tollbridge.sandbox.cards import CARDS

    if name is None:
        number = Secret(CARDS[0].number)
        return HceCard("Test", "Card", 12, 2049, number, Secret("123"))
    return open_vault(vault, ask=False).get(name)


def _chosen(found: "list[Broadcast]", name: str | None) -> "Broadcast":
    fitting = [one for one in found if name in (None, one.device_name, one.server_id)]
    if len(fitting) == 1:
        return fitting[0]
    names = [one.device_name or one.server_id for one in found]
    if len(set(names)) < len(names):
        names = [f"{one.device_name} {one.server_id}" for one in found]
    around = shown(", ".join(sorted(names))) or "nobody"
    raise click.ClickException(f"choose with --device; around here: {around}")


@contextlib.contextmanager
def _progress(steps: int, first: str, *, quiet: bool) -> Any:
    """Draw a bar on a terminal, write a line for each step elsewhere."""
    if quiet:
        yield lambda _step, _words: None
        return
    import sys

    if not sys.stderr.isatty():
        yield lambda step, words: click.echo(f"  {step!s:<12}  {shown(words)}", err=True)
        return
    with click.progressbar(length=steps, label=f"{first:<32}", file=sys.stderr) as bar:

        def done(step: "Step | str", words: str) -> None:
            bar.label = shown(f"{step}: {words}")[:32].ljust(32)
            bar.update(1)

        yield done


def _show(purchase: "Purchase", *, as_json: bool) -> None:
    from tollbridge.cli.payments import echo_json

    if as_json:
        echo_json(_fields(purchase))
        return
    total = purchase.total
    click.echo(f"{total.units} x {shown(purchase.service_name)}, {purchase.price} paid, "
               f"{purchase.remaining} to come, reference {purchase.reference}")  # fmt: skip


def _fields(one: "Purchase") -> dict[str, Any]:
    return {
        "reference": one.reference,
        "device": one.producer.server_id,
        "service": one.service_id,
        "name": one.service_name,
        "units": one.total.units,
        "amount_minor": one.total.total_minor,
        "currency": one.total.currency_code,
        "paid": True if one.token else None,
        "remaining": one.remaining,
    }


# Programs in other languages


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def agent(flags: tuple[str, ...]) -> None:
    """Run the RPC agent; it takes the flags of the original (`rpc-agent -h`)."""
    from tollbridge.within.agent.main import main

    raise SystemExit(main(list(flags)))
