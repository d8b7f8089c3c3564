"""The agent's command line: Go's flags, and the slips of the wrappers that write it (WIRE 4.6).

Imported before the agent listens, so it imports next to nothing.
"""

import sys
from typing import Any, NamedTuple

BINARY_NAME = "rpc-agent"
LEVELS = ("debug", "info", "warn", "error", "fatal", "panic")  # most telling first
PROTOCOLS = ("binary", "compact", "json", "simplejson")
SHAPES = ("auto", "new", "old", "both")
HOSTS = ("127.0.0.1", "localhost")

_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_INT_MAX = 2**63 - 1


class Flags(NamedTuple):
    """What the agent was told; each default is the newest original's."""

    port: int = 0
    host: str = "127.0.0.1"
    protocol: str = "binary"
    framed: bool = False
    buffered: bool = False
    buffer: int = 8192
    secure: bool = False
    callbackport: int = 0
    logfile: str = "wpw.log"
    loglevel: str = "warn"
    version: bool = False
    configfile: str = ""
    watchdog: bool = True
    callbackshape: str = "auto"

    @property
    def problem(self) -> str:
        """What is wrong with a value; empty when nothing is."""
        if self.port < 1:
            return "Port value must be greater than zero"
        if self.host.lower() not in HOSTS:
            return f"Host must be one of {', '.join(HOSTS)}"
        if self.protocol and self.protocol not in PROTOCOLS:
            return f"Protocol must be one of {', '.join(PROTOCOLS)}"
        if self.callbackshape not in SHAPES:
            return f"Callback shape must be one of {', '.join(SHAPES)}"
        return ""

    @property
    def level(self) -> str:
        """The most telling of the levels that are listed; debug when none is one."""
        listed = {word.strip().lower() for word in self.loglevel.split(",")}
        return next((level for level in LEVELS if level in listed), "debug")


DEFAULTS = Flags()._asdict()
_MEANINGS = {
    "port": "port to listen on (required)",
    "host": "address to listen on: 127.0.0.1 or localhost",
    "protocol": "binary, compact, json or simplejson",
    "framed": "frames around messages",
    "buffered": "buffered transport; changes nothing on the wire",
    "buffer": "size of the buffer in bytes",
    "secure": "TLS with server.crt and server.key from the working directory",
    "callbackport": "port of the listener for events; 0 for none",
    "logfile": "file for the log; empty for standard error",
    "loglevel": "panic, fatal, error, warn, info or debug",
    "version": "print the version and end",
    "configfile": "read all options from a JSON file instead",
    "watchdog": "end when the parent process is gone",
    "callbackshape": "how a listener is told that delivery begins: auto, new, old or both",
}


class FlagError(Exception):
    """The command line or the configuration file cannot be understood."""


class HelpWanted(Exception):
    """Somebody asks what there is."""


def usage() -> str:
    """Say what there is, as Go does."""
    lines = [f"Usage of {BINARY_NAME}:"]
    for name, default in DEFAULTS.items():
        kind = (
            ""
            if isinstance(default, bool)
            else f" {type(default).__name__}".replace("str", "string")
        )
        shown = f" (default {default})" if default else ""
        lines += [f"  -{name}{kind}", f"    \t{_MEANINGS[name]}{shown}"]
    return "\n".join(lines)


def parse(arguments: list[str]) -> Flags:
    """Parse a command line. Raises FlagError, HelpWanted.

    Stops, as Go does, at the first word that is no flag and at `--`.
    """
    given: dict[str, Any] = {}
    words = [word.strip() for word in arguments]
    while words:
        word = words.pop(0)
        if not word:
            continue
        if len(word) < 2 or word[0] != "-" or word == "--":
            break
        name, equals, value = word[2 if word[1] == "-" else 1 :].partition("=")
        if not name or name[0] == "-":
            raise FlagError(f"bad flag syntax: {word}")
        if name in {"h", "help"}:
            raise HelpWanted
        if name not in DEFAULTS:
            raise FlagError(f"flag provided but not defined: -{name}")
        given[name] = _value(name, value if equals else None, words)
    flags = Flags(**given)
    return _of_file(flags.configfile) if flags.configfile else flags


def _value(name: str, value: str | None, following: list[str]) -> int | str | bool:
    """Read a flag's value, from the words behind it when there is no equals sign."""
    default = DEFAULTS[name]
    if isinstance(default, bool):
        if value is None and following and following[0] in _TRUE | _FALSE:
            value = following.pop(0)  # .NET puts it behind a blank
        return True if value is None else _boolean(name, value)
    if value is None:
        if not following:
            raise FlagError(f"flag needs an argument: -{name}")
        value = following.pop(0)
    return _number(name, value) if isinstance(default, int) else value


def _boolean(name: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise FlagError(f'invalid boolean value "{value}" for -{name}: parse error')
    return value in _TRUE


def _number(name: str, value: str) -> int:
    try:
        number = int(value, 0 if value.lower().lstrip("+-")[:2] in {"0x", "0o", "0b"} else 10)
    except ValueError:
        raise FlagError(f'invalid value "{value}" for flag -{name}: parse error') from None
    if abs(number) > _INT_MAX:
        raise FlagError(f'invalid value "{value}" for flag -{name}: value out of range')
    return number


def _of_file(path: str) -> Flags:
    """Read a configuration file: a list of objects with a key and a value, or one object.

    The file replaces the command line. Keys are those of the originals, in any case; others are
    ignored.
    """
    import json

    try:
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123 - pathlib costs time
            written = json.load(file)
        pairs = (
            [(one["key"], one["value"]) for one in written]
            if isinstance(written, list)
            else list(written.items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FlagError(f"cannot read the configuration file {path}: {error}") from None
    given: dict[str, Any] = {}
    for key, value in pairs:
        name = str(key).lower().replace("buffersize", "buffer")
        default = DEFAULTS.get(name)
        if default is None or name in {"configfile", "version"}:
            continue
        text = "" if value is None else str(value).strip()
        if isinstance(default, bool):
            given[name] = _boolean(name, text or "false")
        elif isinstance(default, int):
            given[name] = _number(name, text or "0")
        else:
            given[name] = text
    return Flags(**given)


def complain(text: str) -> None:
    """Tell a person at the terminal."""
    print(text, file=sys.stderr)  # noqa: T201 - a command's output
