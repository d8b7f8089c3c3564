"""The bridge to Tollbridge's own simulated card network (`tollbridge sandbox serve`).

The wire is JSON over HTTP: `POST /v1/operations`, `GET /v1/operations/{id}`, `POST /v1/reversals`,
and signed notices back. Response codes are those of ISO 8583, data element 39.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tollbridge.bridges.sandbox.bridge import CAPABILITIES, SandboxBridge
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

IN_PROCESS = "sandbox://network"


def bridge(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> SandboxBridge:
    """Make the bridge.

    `url` names the network (default: the one in this process), `notice_key` is the key its notices
    are signed with, `answer_limit_s` and `in_flight_limit_s` are its capabilities of these names.
    Raises ConfigError listing all problems.
    """
    del ids
    problems = [
        f"{name}: {'a text' if kind is str else 'a number of seconds'} is expected"
        for name, kind in _SETTINGS.items()
        if name in settings and not isinstance(settings[name], kind)
    ]
    problems += [f"{name}: there is no such setting" for name in settings if name not in _SETTINGS]
    if problems:
        raise ConfigError(problems)
    limits: dict[str, Any] = {
        name: float(str(settings[name])) for name in _LIMITS if name in settings
    }
    return SandboxBridge(
        str(settings.get("url", IN_PROCESS)),
        Secret(str(settings.get("notice_key", ""))),
        clock,
        replace(CAPABILITIES, **limits),
    )


_LIMITS = ("answer_limit_s", "in_flight_limit_s")
_SETTINGS: dict[str, Any] = {"url": str, "notice_key": str} | dict.fromkeys(_LIMITS, int | float)

__all__ = ["IN_PROCESS", "SandboxBridge", "bridge"]
