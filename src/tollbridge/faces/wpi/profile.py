"""A terminal's profile: merchant, shop, languages, currencies, brands and limits.

What a real terminal gets from its management system. The default is a shop that exists nowhere
and takes every brand the sandbox knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tollbridge.core.brands import BY_NAME, Brand
from tollbridge.faces.wpi.tables import ACQUIRER_PROTOCOLS
from tollbridge.ground.clock import Instant, moment
from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.secret import Secret

AMOUNT_DIGITS_MAX = 12


@dataclass(frozen=True, slots=True)
class Shop:
    """The first lines of every receipt (4.1.2.1)."""

    name: str = "Tollbridge Corner Shop"
    address: str = "Bridge Street 1"
    zip_code: str = "1000"
    city: str = "Sampleton"
    country: str = "BE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One terminal.

    `initialized` False plays a terminal that was never configured. `strict` refuses unknown
    request fields and service types sent through another intent. `amount_max_minor` limits one
    transaction; `patience_s` is how long the terminal waits for an outcome; `cancellable_last` how
    many of the last successful payments of a brand can be cancelled. `password` protects refunds
    (None: the business application takes care), with `password_tries`.
    """

    terminal_id: str = "T1"
    model: str = "Tollbridge Virtual Terminal"
    mac_address: str = "02:00:00:00:00:01"
    merchant: str = "merchant-1"
    acquirer_id: str = "SANDBOX"
    acquirer_terminal_id: str = "SBX00001"
    acquirer_protocol: str = "NEXO"
    shop: Shop = field(default_factory=Shop)
    languages: tuple[str, ...] = ("en",)
    merchant_language: str = "en"
    country: str = "BE"
    time_zone: str = "UTC"
    currencies: tuple[str, ...] = ("EUR", "USD", "GBP", "CHF", "PLN", "JPY", "KWD")
    brands: tuple[str, ...] = ("Visa", "Visa Debit", "Mastercard", "Mastercard Debit", "Maestro",
                               "American Express", "Discover", "Diners Club", "JCB", "UnionPay",
                               "Interac", "eftpos")  # fmt: skip
    entries: tuple[str, ...] = ("chip", "contactless", "magstripe")
    amount_max_minor: int = 10**AMOUNT_DIGITS_MAX - 1
    receipt_width: int = 32
    prints_receipts: bool = False
    password: Secret[str] | None = None
    password_tries: int = 3
    cancellable_last: int = 20
    patience_s: float = 30.0
    session_history: int = 10_000
    initialized: bool = True
    strict: bool = False

    def local_time(self, at: Instant) -> datetime:
        """Give an instant in the terminal's time zone."""
        return moment(at).astimezone(ZoneInfo(self.time_zone))

    def accepted(self, brand: str) -> Brand | None:
        """Give a brand if this terminal takes it."""
        return BY_NAME.get(brand) if brand in self.brands else None


def profile(settings: Mapping[str, object]) -> Profile:
    """Make a profile from settings, whose names are those of Profile; `shop` is a table.

    Raises ConfigError listing every setting that is unknown, of the wrong type or impossible.
    """
    problems: list[str] = []
    values = _values(Profile, settings, problems)
    shop = settings.get("shop", {})
    if isinstance(shop, Mapping):
        values["shop"] = Shop(**_values(Shop, shop, problems))
    else:
        problems.append("shop: a table is expected")
    if problems:
        raise ConfigError(problems)
    made = Profile(**values)
    problems += [f"currencies: {code!r} is not ISO 4217" for code in made.currencies
                 if code not in CURRENCIES]  # fmt: skip
    problems += [f"brands: {name!r} is not known" for name in made.brands if name not in BY_NAME]
    if made.acquirer_protocol not in ACQUIRER_PROTOCOLS:
        problems.append(f"acquirer_protocol: one of {', '.join(ACQUIRER_PROTOCOLS)}")
    if not made.currencies or not made.languages:
        problems.append("currencies and languages: at least one of each")
    try:
        ZoneInfo(made.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(f"time_zone: {made.time_zone!r} is not known here")
    if problems:
        raise ConfigError(problems)
    return made


_KINDS: dict[Any, tuple[Any, str]] = {
    str: (str, "a text"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    bool: (bool, "true or false"),
    tuple[str, ...]: (list, "a list of texts"),
    Secret[str] | None: (str, "a text"),
}


def _values(kind: type, settings: Mapping[str, object], problems: list[str]) -> dict[str, Any]:
    """Read settings for a dataclass; what is wrong goes to `problems`."""
    known = {item.name: item.type for item in fields(kind)}
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if name == "shop" and kind is Profile:
            continue
        expected = _KINDS.get(known.get(name))
        if expected is None:
            problems.append(f"{name}: there is no such setting")
        elif not isinstance(value, expected[0]) or (expected[0] is int and value is True):
            problems.append(f"{name}: {expected[1]} is expected")
        elif isinstance(value, list):
            values[name] = tuple(str(item) for item in value)
        else:
            values[name] = Secret(value) if name == "password" else value
    return values
