"""The table [web] of the settings: what the room needs beside the face's own table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tollbridge.ground.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`code_sender` names who sends one-time codes: an installed one, "console" or "none". Its own
    settings stand in `code_senders`, by its name. `private_notices` lets notices go to addresses
    of the network around this machine, as they may when only this machine reaches the server."""

    code_sender: str = ""
    code_senders: Mapping[str, Any] = field(default_factory=dict)
    private_notices: bool = False


_KINDS: Mapping[str, tuple[type, str]] = {
    "code_sender": (str, "a text"),
    "code_senders": (Mapping, "a table"),
    "private_notices": (bool, "true or false"),
}


def options(table: Mapping[str, Any]) -> Options:
    """Read the table. Raises ConfigError listing everything that is wrong."""
    known = {each.name for each in fields(Options)}
    problems = [f"web.{name}: there is no such setting" for name in table if name not in known]
    for name, (kind, said) in _KINDS.items():
        if name in table and not isinstance(table[name], kind):
            problems.append(f"web.{name}: {said} is expected")
    if problems:
        raise ConfigError(problems)
    return Options(**table)
