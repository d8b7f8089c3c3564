"""Flows: conversations without hands.

A flow is a generator that yields what it needs and is sent what it gets. It never touches a
socket, a file or a clock, never catches a transport error and never retries. The engine drives it.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

R = TypeVar("R")

Flow: TypeAlias = Generator[Any, Any, R]
"""Flow[R] ends with an R. It yields the classes below, an Ask, a Look or a Request."""


class Party(StrEnum):
    """Who is spoken to in an exchange."""

    PEER = "peer"
    CARDHOLDER = "cardholder"
    MERCHANT = "merchant"
    DEVICE = "device"
    """What the face runs on: its printer, its secure element, its line to a management system."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Say `message` to a party; the flow is sent the party's next message."""

    party: Party
    message: object


@dataclass(frozen=True, slots=True)
class Recall:
    """Read the face's notebook; the flow is sent the Page, or None."""

    key: str


@dataclass(frozen=True, slots=True)
class Browse:
    """List the pages of the face's notebook whose keys begin with `prefix`, in order of their keys.

    The flow is sent up to `limit` pairs of key and Page, after the key `after`.
    """

    prefix: str
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """What a notebook holds under a key, and how often it was written (from 1)."""

    value: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Note:
    """One write to a notebook.

    `value` None forgets the key. `expected` is the version the key must have now: 0 for "not
    there", None for "whatever it is".
    """

    key: str
    value: bytes | None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Remember:
    """Write notes durably, all or none; the flow is sent True, or False if a version differed.

    `waits`: nobody else writes these pages meanwhile, so whoever stands between the flow and the
    engine may write them later, with others, but before anything leaves.
    """

    notes: tuple[Note, ...]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass; the flow is sent None."""

    duration_s: float
