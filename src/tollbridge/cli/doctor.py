"""`tollbridge doctor` and `tollbridge describe`: is everything well, and what is there."""

import os
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from tollbridge.cli import settings as sources
from tollbridge.cli.client import Client, options
from tollbridge.cli.payments import echo_json
from tollbridge.engine.config import Settings
from tollbridge.ground.errors import JournalError
from tollbridge.ground.version import __version__

FSYNCS = 50
SLOW_FSYNC_MS = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str


@click.command()
@options
def doctor(url: str | None, journal: Path | None, as_json: bool) -> None:
    """Check Python, SQLite, the disk, the journal and the server. Exit code 1 when one is bad."""
    findings = list(_examine(url, journal))
    if as_json:
        echo_json({f.name: {"ok": f.ok, "text": f.text} for f in findings})
    else:
        for finding in findings:
            mark = click.style("ok", fg="green") if finding.ok else click.style("BAD", fg="red")
            click.echo(f"{mark:<4} {finding.name:<10} {finding.text}")
    raise SystemExit(0 if all(finding.ok for finding in findings) else 1)


@click.command()
@options
def describe(url: str | None, journal: Path | None, as_json: bool) -> None:
    """Tell what is installed: bridges with their verbs, faces with their addresses."""
    answer = Client(url, journal).call("GET", "/v1/describe").fields
    if as_json:
        echo_json(answer)
        return
    for bridge in answer["bridges"]:
        click.echo(f"bridge {bridge['name']}")
        click.echo(f"  verbs       {', '.join(bridge['verbs'])}")
        click.echo(f"  currencies  {bridge['currencies']}")
        asked = "can be asked" if bridge["inquiry"] else "cannot be asked"
        taken = "takes reversals" if bridge["reversal"] else "takes no reversals"
        click.echo(f"  recovery    {asked}, {taken}, in flight {bridge['in_flight_limit_s']:g} s")
        for name, text in bridge["notes"].items():
            click.echo(f"  {name:<11} {text}")
    for face in answer["faces"]:
        click.echo(f"face {face['name']}: {', '.join(face['paths'])}")


def _examine(url: str | None, journal: Path | None) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", sys.version_info >= (3, 11), f"{version}, Tollbridge {__version__}")
    threads = sqlite3.threadsafety == 3
    yield Finding("sqlite", threads, f"{sqlite3.sqlite_version}, serialized: {threads}")
    file = journal or Settings().journal
    yield _disk(file.absolute().parent)
    yield from _journal(file)
    try:
        fields = Client(url, None).call("GET", "/health").fields
    except click.ClickException as error:
        yield Finding("server", ok=True, text=f"not running ({error.message.split('.')[0]})")
    else:
        text = f"{fields['status']}, {fields['version']}, {fields['unfinished']} unfinished"
        yield Finding("server", fields["unfinished"] == 0, text)


def _disk(folder: Path) -> Finding:
    """Measure how fast the disk makes things durable: it bounds single payments."""
    probe = folder / f".tollbridge-probe-{os.getpid()}"
    try:
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        return Finding("disk", ok=False, text=f"{folder}: {error.strerror}")
    try:
        start = time.perf_counter()
        for _ in range(FSYNCS):
            os.write(handle, bytes(4096))
            os.fsync(handle)
        each_ms = (time.perf_counter() - start) / FSYNCS * 1000
    finally:
        os.close(handle)
        probe.unlink()
    return Finding("disk", each_ms < SLOW_FSYNC_MS, f"{each_ms:.2f} ms for each durable write")


def _journal(file: Path) -> Iterator[Finding]:
    from tollbridge.journal.journal import verify
    from tollbridge.journal.sqlite import SqliteJournal

    if not file.exists():
        yield Finding("journal", ok=True, text=f"{file} does not exist yet")
        return
    for path in (file, sources.token_file(file)):
        if path.exists():
            mode = stat.S_IMODE(path.stat().st_mode)
            private = not mode & 0o077
            yield Finding("mode", private, f"{path} has mode {mode:o}")
    try:
        with closing(SqliteJournal(file, read_only=True)) as opened, opened.snapshot():
            proved = verify(opened)
    except JournalError as error:
        yield Finding("journal", ok=False, text=str(error))
        return
    text = f"intact, {proved.payments} payments, {proved.unfinished} unfinished"
    yield Finding("journal", proved.unfinished == 0, text)
