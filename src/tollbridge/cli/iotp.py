"""`tollbridge iotp`: trade, and look at trading messages and Payment API documents."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tollbridge.cli import settings as sources
from tollbridge.cli.main import LazyGroup
from tollbridge.cli.screen import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollbridge.faces.iotp.report import Report

BROKEN = 1


PLACES = {
    "serve": ("tollbridge.cli.iotp_trading:serve", "Sell, handle payments, deliver."),
    "buy": ("tollbridge.cli.iotp_trading:buy", "Trade with a merchant, by card or by purse."),
    "wallet": ("tollbridge.cli.iotp_trading:wallet", "Show, register and load instruments."),
    "pending": ("tollbridge.cli.iotp_trading:pending", "List what is not over."),
    "resume": ("tollbridge.cli.iotp_trading:resume", "Go on with a transaction."),
    "cancel": ("tollbridge.cli.iotp_trading:cancel", "Want no more of a transaction."),
    "inquire": ("tollbridge.cli.iotp_trading:inquire", "Ask the other side where one stands."),
    "trades": ("tollbridge.cli.iotp_trading:trades", "List all transactions."),
    "trace": ("tollbridge.cli.iotp_trading:trace", "Draw the messages of a transaction."),
    "ping": ("tollbridge.cli.iotp_trading:ping", "Ask whether somebody is there."),
    "check": ("tollbridge.cli.iotp:check", "Explain messages, and list what is wrong."),
}


@click.group(cls=LazyGroup, places=PLACES)
def iotp() -> None:
    """Trade by the Internet Open Trading Protocol (RFC 2801, RFC 3867)."""


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option(
    "--conversation",
    is_flag=True,
    help="The files are all messages of one transaction, in their order.",
)
@sources.JSON
def check(files: tuple[Path, ...], conversation: bool, as_json: bool) -> None:
    """Explain messages in plain words, and list every rule they break.

    A FILE is a trading message or a Payment API document; `-` is standard input. The exit code is 0
    only when no rule is broken.
    """
    named = [(str(file), _bytes_of(file)) for file in files]
    reports = list(zip([name for name, _ in named],
                       _reports([data for _, data in named], conversation=conversation),
                       strict=True))  # fmt: skip
    if as_json:
        from tollbridge.cli.payments import echo_json

        echo_json([{"file": name, "valid": one.valid, **asdict(one)} for name, one in reports])
    else:
        for name, one in reports:
            _show(name, one)
    if not all(one.valid for _, one in reports):
        raise SystemExit(BROKEN)


def _bytes_of(file: Path) -> bytes:
    """Read a file, but no more than tells that it is too long."""
    from tollbridge.wire.xml import LIMITS

    if str(file) == "-":
        return sys.stdin.buffer.read(LIMITS.bytes_max + 1)
    with file.open("rb") as opened:
        return opened.read(LIMITS.bytes_max + 1)


def _reports(documents: "Sequence[bytes]", *, conversation: bool) -> "Sequence[Report]":
    from tollbridge.faces.iotp import document
    from tollbridge.faces.iotp.message import check

    if conversation:
        return check.examine_conversation(documents)
    return [document.examine(data) for data in documents]


def _show(name: str, report: "Report") -> None:
    click.secho(f"{shown(name)}: {shown(report.summary)}", fg="green" if report.valid else "red")
    for line in report.explained:
        click.echo(f"  {shown(line)}")
    for one in report.violations:
        click.echo(f"  {shown(one.place)}\n    {shown(one.rule)} [{one.section}]")
