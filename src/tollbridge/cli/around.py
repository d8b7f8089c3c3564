"""`tollbridge within discover` and `watch`: who is around."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tollbridge.cli import settings as sources
from tollbridge.cli.screen import shown

if TYPE_CHECKING:
    from tollbridge.faces.within.messages import Broadcast

F = TypeVar("F", bound=Callable[..., Any])

DISCOVER_S = 3.0
FOR = click.option("--for", "for_s", type=float, help="Seconds (default: until Ctrl-C).")


def around(command: F) -> F:
    """Add the options of listening."""
    for option in (
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=8980,
            show_default=True,
            help="Where broadcasts arrive.",
        ),
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


@click.command()
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


@click.command()
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


def _where(*, port: int, https: bool, interface: str, mdns: bool) -> dict[str, Any]:
    from tollbridge.faces.within.discovery import AddressRules

    rules = AddressRules(https=https)
    return {"port": port, "rules": rules, "interface_addr": interface, "mdns": mdns}


def _fields(device: "Broadcast") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(device) | {"url": device.url}


def _row(device: "Broadcast") -> str:
    types = ", ".join(one or "(no type)" for one in device.service_types or ())
    said = (f"{device.device_name:<24.24} {device.url:<32} {types:<24} {device.server_id}  "
            f"{device.device_description:.80}")  # fmt: skip
    return shown(said).rstrip()


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
