"""The shape of the settings. The command line reads files and the environment once and passes them
down as one frozen value; nothing below reads either."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tollbridge.ground.errors import ConfigError

Table = Mapping[str, Any]
DEFAULT_PORT = 8700


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is started with.

    `bridges` and `faces` map names to their own settings; the first bridge is the default one.
    A face is hosted only when it is named; the WPI terminal is where no other is. `merchant` is
    used where an asker names none. `ca_file` holds the certificate authorities that providers'
    certificates must come from, instead of this system's. `web` is for the face webinos: see
    [web]. `development`: whoever sees this server's console may know its customers' codes.
    """

    journal: Path = Path("tollbridge.sqlite")
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    merchant: str = "merchant-1"
    ca_file: Path | None = None
    bridges: Mapping[str, Table] = field(default_factory=lambda: {"sandbox": {}})
    faces: Mapping[str, Table] = field(default_factory=lambda: {"wpi": {}})
    web: Table = field(default_factory=dict)
    development: bool = False


def settings(tables: Table) -> Settings:
    """Read settings from the tables of a TOML file: [server], [bridges.NAME], [faces.NAME], [web].

    Raises ConfigError listing everything that is wrong.
    """
    problems = [f"[{name}]: there is no such table" for name in tables if name not in _TABLES]
    server = _table(tables.get("server", {}), "server", problems)
    values: dict[str, Any] = {}
    for name, value in server.items():
        expected = _SERVER.get(name)
        if expected is None:
            problems.append(f"server.{name}: there is no such setting")
        elif not isinstance(value, expected) or isinstance(value, bool):
            problems.append(f"server.{name}: a {expected.__name__} is expected")
        else:
            values[name] = Path(str(value)) if name in _FILES else value
    for group in ("bridges", "faces"):
        if group in tables:
            named = _table(tables[group], group, problems)
            values[group] = {
                name: _table(table, f"{group}.{name}", problems) for name, table in named.items()
            }
    if "web" in tables:
        values["web"] = _table(tables["web"], "web", problems)
    if not 0 <= values.get("port", 0) <= 65535:
        problems.append("server.port: 0 to 65535")
    if problems:
        raise ConfigError(problems)
    return Settings(**values)


_TABLES = ("server", "bridges", "faces", "web")
_SERVER = {"journal": str, "host": str, "port": int, "merchant": str, "ca_file": str}
_FILES = ("journal", "ca_file")


def _table(value: object, name: str, problems: list[str]) -> Table:
    if isinstance(value, Mapping):
        return value
    problems.append(f"[{name}]: a table is expected")
    return {}
