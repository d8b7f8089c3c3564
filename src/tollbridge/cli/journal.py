"""`tollbridge journal`: verify, export and follow a journal, also beside a running server."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from tollbridge.cli import settings as sources
from tollbridge.cli.payments import echo_json
from tollbridge.engine.config import Settings
from tollbridge.ground.clock import Instant, iso
from tollbridge.ground.money import Money
from tollbridge.journal.journal import Row, verify
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.wire import json

POLL_S = 0.5


@click.group()
def journal() -> None:
    """Verify, export and follow a journal. Only reads; a server may be writing to it."""


@journal.command("verify")
@sources.JOURNAL
@click.option("--head", help="The hash the last entry must have, as you wrote it down before.")
@sources.JSON
def verify_(journal: Path | None, head: str | None, as_json: bool) -> None:
    """Prove that nothing was changed, removed or added behind the engine's back."""
    with closing(_open(journal)) as opened, opened.snapshot():
        proved = verify(opened)
    shown = proved.head.hash.hex()
    if head is not None and head != shown:
        raise click.ClickException(f"the last entry's hash is {shown}, not {head}")
    balances = sorted(proved.balances.items())
    if as_json:
        fields = {"entries": proved.entries, "payments": proved.payments}
        fields |= {"unfinished": proved.unfinished}
        listed = [
            {"account": account, "currency": code, "amount_minor": minor}
            for (account, code), minor in balances
        ]
        echo_json({**fields, "balances": listed, "head": shown})
        return
    click.echo(
        f"intact: {proved.entries} entries, {proved.payments} payments, "
        f"{proved.unfinished} unfinished"
    )
    for (account, code), minor in balances:
        click.echo(f"  {account:<28} {Money.of(minor, code)!s:>24}")
    click.echo(f"head {shown}")


@journal.command("export")
@sources.JOURNAL
@click.option("--after", default=0, help="Only entries after this number.")
def export(journal: Path | None, after: int) -> None:
    """Print every entry as one line of JSON."""
    with closing(_open(journal)) as opened:
        for row in opened.entries(after):
            click.echo(json.write(_fields(row)).decode())


@journal.command("tail")
@sources.JOURNAL
@click.option(
    "--lines", "-n", default=10, show_default=True, help="How many entries to begin with."
)
@click.option("--follow", "-f", is_flag=True, help="Go on as entries are written.")
@sources.JSON
def tail(journal: Path | None, lines: int, follow: bool, as_json: bool) -> None:
    """Print the last entries, one line per fact."""
    with closing(_open(journal)) as opened:
        after = max(0, opened.head().number - lines)
        while True:
            for row in opened.entries(after):
                for line in [json.write(_fields(row)).decode()] if as_json else _lines(row):
                    click.echo(line)
                after = row.number
            if not follow:
                return
            time.sleep(POLL_S)


def _open(journal: Path | None) -> SqliteJournal:
    file = journal or Settings().journal
    if not file.exists():
        raise click.ClickException(f"there is no journal at {file}; name one with --journal")
    return SqliteJournal(file, read_only=True)


def _fields(row: Row) -> dict[str, Any]:
    return {
        "number": row.number,
        "payment": row.payment,
        "version": row.version,
        "facts": json.read(row.body),
        "hash": row.hash.hex(),
    }


def _lines(row: Row) -> Iterator[str]:
    for fact in json.read(row.body):
        when = iso(Instant(fact["at"]))
        kind = fact["fact"]
        what = fact.get("verb") or fact.get("outcome") or fact.get("topic") or ""
        amount = str(Money.of(*fact["amount"])) if "amount" in fact else ""
        more = fact.get("text") or fact.get("authorization") or ""
        line = f"{row.number:>8}  {when}  {row.payment}.{fact['op']}  {kind:<10} {what:<10}"
        yield f"{line} {amount:>14}  {more}".rstrip()
