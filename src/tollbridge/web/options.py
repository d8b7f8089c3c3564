"""The table [web] of the settings: what the room needs beside the face's own table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tollbridge.ground.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`code_sender` names who sends one-time codes: an installed one, "console" or "none". Its own
    settings stand in `code_senders`, by its name. `private_notices` lets notices go to addresses
    of the network around this machine, as they may when only this machine reaches the server.
    `begins_per_s` is how many payments the pages of one seller may begin in a second (0: as many as
    they like), five seconds' worth of them at once."""

    code_sender: str = ""
    code_senders: Mapping[str, Any] = field(default_factory=dict)
    private_notices: bool = False
    begins_per_s: float = 200.0


_KINDS: Mapping[str, tuple[Any, str]] = {
    "code_sender": (str, "a text"),
    "code_senders": (Mapping, "a table"),
    "private_notices": (bool, "true or false"),
    "begins_per_s": (int | float, "a number"),
}


def options(table: Mapping[str, Any]) -> Options:
    """Read the table. Raises ConfigError listing everything that is wrong."""
    known = {each.name for each in fields(Options)}
    problems = [f"web.{name}: there is no such setting" for name in table if name not in known]
    for name, (kind, said) in _KINDS.items():
        value = table.get(name)
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if name in table and wrong:
            problems.append(f"web.{name}: {said} is expected")
    if not problems and table.get("begins_per_s", 0) < 0:
        problems.append("web.begins_per_s: at least 0")
    if problems:
        raise ConfigError(problems)
    return Options(**table)
