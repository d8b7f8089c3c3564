"""Where settings come from: options, then the environment, then a TOML file, then defaults."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from tollbridge.engine.config import Settings, Table, settings
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

F = TypeVar("F", bound=Callable[..., Any])

JOURNAL = click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="TOLLBRIDGE_JOURNAL",
    help="The journal's file (default tollbridge.sqlite).",
)
CA_FILE = click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate authorities to believe instead of this system's (PEM).",
)
SANDBOX_URL = click.option(
    "--sandbox-url",
    envvar="TOLLBRIDGE_SANDBOX_URL",
    help="A sandbox network in a process of its own (`tollbridge sandbox serve`).",
)
CONFIG = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="TOLLBRIDGE_CONFIG",
    help="A TOML file with [server], [bridges.NAME] and [faces.NAME].",
)
LOG_LEVEL = click.option(
    "--log-level",
    default="warning",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
)
LOG_JSON = click.option("--log-json", is_flag=True, help="Write logs as JSON lines.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")


def read(config: Path | None, defaults: Table | None = None, **given: Any) -> Settings:
    """Read a settings file and put what was given on the command line above it.

    `defaults` are a command's own, for [server]. Raises ConfigError listing everything that is
    wrong.
    """
    tables: dict[str, Any] = {}
    if config is not None:
        try:
            tables = tomllib.loads(config.read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError([f"{config}: {error}"]) from None
    server = tables.get("server", {})
    if defaults and isinstance(server, Mapping):
        tables["server"] = {**defaults, **server}
    made = settings(tables)
    return replace(made, **{name: value for name, value in given.items() if value is not None})


def beside(made: Settings, sandbox_url: str | None) -> Settings:
    """Give settings whose sandbox is a process of its own, if its address is given."""
    if not sandbox_url:
        return made
    own = {**made.bridges.get("sandbox", {}), "url": sandbox_url}
    return replace(made, bridges={**made.bridges, "sandbox": own})


def token_file(journal: Path) -> Path:
    """Name the file a generated credential is kept in, beside the journal."""
    return journal.with_name(journal.name + ".token")


def token_of(journal: Path) -> Secret[str] | None:
    """Find the credential: TOLLBRIDGE_TOKEN, else the file beside the journal."""
    given = os.environ.get("TOLLBRIDGE_TOKEN")
    if given:
        return Secret(given)
    try:
        return Secret(token_file(journal).read_text().strip())
    except OSError:
        return None


def make_token(journal: Path, ids: IdSource) -> Secret[str]:
    """Make a credential and keep it beside the journal, readable by its owner only."""
    token = ids.secret()
    handle = os.open(token_file(journal), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")
    return Secret(token)
