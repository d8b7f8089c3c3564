"""Bridges and faces, as installed packages bring them by two groups of entry points."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tollbridge.bridges.contract import Bridge
from tollbridge.engine.config import Table
from tollbridge.faces.contract import Face
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource

BRIDGES = "tollbridge.bridges"
FACES = "tollbridge.faces"


def installed(group: str) -> dict[str, EntryPoint]:
    """List the entry points of a group by name."""
    return {point.name: point for point in entry_points(group=group)}


def bridges(wanted: Mapping[str, Table], clock: Clock, ids: IdSource) -> dict[str, Bridge]:
    """Make bridges from their settings. Raises ConfigError."""
    return _made(BRIDGES, wanted, clock, ids)


def faces(wanted: Mapping[str, Table], clock: Clock, ids: IdSource) -> dict[str, Face]:
    """Make faces from their settings. Raises ConfigError."""
    return _made(FACES, wanted, clock, ids)


def _made(group: str, wanted: Mapping[str, Table], clock: Clock, ids: IdSource) -> dict[str, Any]:
    found, made, problems = installed(group), {}, []
    kind = group.rpartition(".")[2]
    for name, table in wanted.items():
        if name not in found:
            there = ", ".join(sorted(found)) or "none"
            problems.append(f"[{kind}.{name}] is not installed; there are: {there}")
            continue
        try:
            made[name] = found[name].load()(table, clock, ids)
        except ConfigError as error:
            problems += [f"{kind}.{name}.{problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    return made
