"""Small launchers under the names wrappers look for, so that they start our agent (WIRE 4.11)."""

import shlex
import sys
from pathlib import Path

_MARK = "# starts Tollbridge's RPC agent"
_NEW = [
    f"rpc-agent-{system}-{machine}{ending}"
    for system, endings in (("linux", ("",)), ("darwin", ("",)), ("windows", ("", ".exe")))
    for machine in ("386", "amd64", "arm32", "arm64")
    for ending in endings
]
_OLD = [
    f"rpc-agent-{system}-{machine}{ending}"
    for system, endings in (("linux", ("",)), ("mac", ("",)), ("win", ("", ".exe")))
    for machine in ("32", "64", "arm")
    for ending in endings
]
NAMES = (*_NEW, "rpc-agent/rpc-agent-darwin-386", *_OLD, "rpc-agent.exe")
"""Of all wrappers, platforms and processors. Several wrappers take 64-bit ARM for `amd64` or the
other way round, which does no harm as every name starts the same agent."""


def install(folder: Path) -> list[Path]:
    """Put a launcher under each name into a folder; gives their paths. Raises OSError.

    What stands there under a name and is not ours is kept as `<name>.original`.
    """
    # Neither the wrapper's folder nor its PYTHONPATH may stand in for our modules: -P, -E.
    command = f"exec {shlex.quote(sys.executable)} -P -E -m tollbridge.within.agent.main"
    script = f'#!/bin/sh\n{_MARK}\n{command} "$@"\n'
    paths = [folder / name for name in NAMES]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and _MARK.encode() not in path.read_bytes():
            path.rename(path.with_name(f"{path.name}.original"))
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)
    return paths
