"""The messages of the WPI face as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.wpi.tables import Service

OK = "RESULT_OK"
CANCELED = "RESULT_CANCELED"


@dataclass(frozen=True, slots=True)
class Extras:
    """A request as it came in: the intent, who calls, and the extras (2).

    `intent` is "" where the transport has none (the Messenger). `terminal` is "" for the first.
    """

    intent: str
    package: str
    extras: Mapping[str, Any]
    terminal: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose extras are all there: what is wanted, under which session."""

    service: Service
    package: str
    session: str
    version: str
    request: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The response extras.

    `android` is the result code of the activity; a terminal that died has no extras. `copies` is
    how often it is delivered: once, but for a scenario. `ignored` are fields of the request that
    the service does not have.
    """

    extras: Mapping[str, str]
    android: str = OK
    copies: int = 1
    ignored: tuple[str, ...] = ()
