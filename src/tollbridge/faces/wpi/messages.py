"""The messages of the WPI face as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.wpi.tables import Service


@dataclass(frozen=True, slots=True)
class Extras:
    """A request as it came in: the intent, who calls, and the extras (2)."""

    intent: str
    package: str
    extras: Mapping[str, Any]


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
    """The response extras."""

    extras: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """Exchange with the cardholder: please present a card. Amount in minor units."""

    amount_minor: int
    currency: str
    entries: tuple[str, ...]
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The cardholder's answer: a card, and how it was read.

    `number` and `expiry` are secrets of the card; `cryptogram` is its application cryptogram with
    its kind, for example "ARQC 61BC5EDC34F63979"; `language` the cardholder's, in ISO 639-1.
    """

    number: Any
    brand: str
    application_id: str
    application_label: str
    entry: str
    language: str = ""
    cryptogram: str = ""
    verified: str = ""


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """Exchange with the merchant: please enter the password; `tries_left` includes this one."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class PasswordEntered:
    """The merchant's answer."""

    password: Any


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person pressed stop."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nobody did anything in time."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The card could not be read; `why` is for the merchant."""

    why: str
