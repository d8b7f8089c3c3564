"""The versions of the interface a terminal speaks, as data (3, Versioning).

A request names its version; it is served by the edition of the same major version whose minor is
at least its own. A further edition is a further line of EDITIONS, with its own services.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tollbridge.faces.wpi.tables import SERVICES, Service

_FORM = re.compile(r"(\d{1,3})\.(\d{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Edition:
    """One version: its number, and its service types with the fields of their requests."""

    major: int
    minor: int
    services: Mapping[str, Service]

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


EDITIONS: tuple[Edition, ...] = (Edition(2, 0, SERVICES),)
LATEST = str(EDITIONS[-1])
SUPPORTED = ", ".join(map(str, EDITIONS))


@lru_cache(maxsize=64)
def edition(version: str) -> Edition | None:
    """Give the edition that serves a version; None when none does or it is no version."""
    match = _FORM.fullmatch(version)
    if match is None:
        return None
    major, minor = int(match[1]), int(match[2])
    fitting = [each for each in EDITIONS if each.major == major and each.minor >= minor]
    return min(fitting, key=lambda each: each.minor, default=None)
