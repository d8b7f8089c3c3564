"""A terminal's profile: merchant, shop, languages, currencies, brands, acquirers and limits.

What a real terminal gets from its management system. The default is a shop that exists nowhere
and takes every brand the sandbox knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tollbridge.core.brands import BY_NAME, Brand
from tollbridge.faces.wpi.tables import (
    ACQUIRER_PROTOCOLS,
    ENTRY_MODES,
    SERVICES,
    Road,
    Service,
)
from tollbridge.ground.clock import Instant, moment
from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.secret import Secret

AMOUNT_DIGITS_MAX = 12
AMOUNT_MINOR_MOST = 10**AMOUNT_DIGITS_MAX - 1


@dataclass(frozen=True, slots=True)
class Shop:
    """The first lines of every receipt (4.1.2.1)."""

    name: str = "Tollbridge Corner Shop"
    address: str = "Bridge Street 1"
    zip_code: str = "1000"
    city: str = "Sampleton"
    country: str = "BE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquirer:
    """Who settles some brands; no `brands` means all that no other acquirer takes."""

    id: str = "SANDBOX"
    terminal_id: str = "SBX00001"
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A brand's limits, in minor units of whatever currency is paid in.

    Up to `floor_minor` a card may be approved without the host when it cannot be reached (0:
    never). Above `contactless_minor` a card must be inserted, above `verification_minor` its holder
    be verified. `services` are the service types the brand does (none listed: all).
    """

    floor_minor: int = 0
    contactless_minor: int = AMOUNT_MINOR_MOST
    verification_minor: int = 5000
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Asking for a tip: `percents` are offered, `percent_max` of the amount is the most."""

    percents: tuple[int, ...] = (5, 10, 15)
    percent_max: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Dynamic currency conversion. `rates` give the units of a foreign currency for one unit of
    the terminal's default currency, as decimal texts, the mark-up within; `ecb_percent` is the
    mark-up over the rate of the European Central Bank, for receipts ("" outside its area)."""

    provider: str = "Sandbox Exchange"
    markup_percent: str = "3.0"
    ecb_percent: str = ""
    rates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One terminal.

    `initialized` False plays a terminal that was never configured. `strict` refuses unknown
    request fields and service types sent through another intent. `simulator` lets amounts stand for
    scenarios. `services` are the service types it offers (none listed: all). `amount_max_minor`
    limits one transaction; `patience_s` is how long the terminal waits for an outcome, `person_s`
    for a person; `hold_s` how long a recognised card is kept for what follows. `cancellable_last`
    says how many of the last successful payments of a brand can be cancelled. `password` protects
    refunds and credits (None: the business application takes care), with `password_tries`.
    `verifications` are the cardholder verification methods the terminal can do. `signature` is
    "paper" or "screen". `printer` is "virtual" (shown on the page), "none", a file
    ("file:receipts.txt") or a device ("escpos:/dev/usb/lp0", "escpos:host:9100");
    `print_automatically` puts every receipt on it, `digital_receipts` says that receipts reach
    people in another way. `offline_days` is how long an offline approval may wait for its upload,
    `deferred_s` how long a deferred authorization may wait for its completion. `parameters_url` is
    the management system ("": the one in this process). `cardholder` is who plays the cardholder:
    "browser", "script", or "auto" (the page while one is open).
    """

    terminal_id: str = "T1"
    model: str = "Tollbridge Virtual Terminal"
    mac_address: str = "02:00:00:00:00:01"
    merchant: str = "merchant-1"
    acquirer_protocol: str = "NEXO"
    acquirers: tuple[Acquirer, ...] = (Acquirer(),)
    limits: Mapping[str, Limits] = field(default_factory=dict)
    shop: Shop = field(default_factory=Shop)
    tip: Tip | None = None
    dcc: Conversion | None = None
    languages: tuple[str, ...] = ("en",)
    merchant_language: str = "en"
    country: str = "BE"
    time_zone: str = "UTC"
    currencies: tuple[str, ...] = ("EUR", "USD", "GBP", "CHF", "PLN", "JPY", "KWD")
    brands: tuple[str, ...] = ("Visa", "Visa Debit", "Mastercard", "Mastercard Debit", "Maestro",
                               "American Express", "Discover", "Diners Club", "JCB", "UnionPay",
                               "Interac", "eftpos", "girocard", "Bancontact", "TWINT")  # fmt: skip
    entries: tuple[str, ...] = ("chip", "contactless", "magstripe", "qr")
    verifications: tuple[str, ...] = ("online_pin", "offline_pin", "signature", "none")
    amount_max_minor: int = 10**AMOUNT_DIGITS_MAX - 1
    receipt_width: int = 32
    printer: str = "virtual"
    print_automatically: bool = True
    digital_receipts: bool = False
    signature: str = "paper"
    password: Secret[str] | None = None
    password_tries: int = 3
    pin_tries: int = 3
    cancellable_last: int = 20
    patience_s: float = 30.0
    person_s: float = 60.0
    hold_s: float = 10.0
    offline_days: int = 7
    deferred_s: float = 7 * 86400.0
    session_history: int = 10_000
    parameters_url: str = ""
    cardholder: str = "auto"
    initialized: bool = True
    services: tuple[str, ...] = ()
    strict: bool = False
    simulator: bool = True

    def offers(self, service: Service) -> bool:
        """Say whether the terminal does a service at all."""
        if service.road is Road.PRINT and not self.prints_receipts:
            return False
        return not self.services or service.name in self.services

    @property
    def prints_receipts(self) -> bool:
        """Whether receipts reach people: there is a printer, or a digital delivery."""
        return self.printer != "none" or self.digital_receipts

    def local_time(self, at: Instant) -> datetime:
        """Give an instant in the terminal's time zone."""
        return moment(at).astimezone(_zone(self.time_zone))

    def accepted(self, brand: str) -> Brand | None:
        """Give a brand if this terminal takes it."""
        return BY_NAME.get(brand) if brand in self.brands else None

    def limits_of(self, brand: str) -> Limits:
        """Give the limits of a brand; those of "default" where it has none of its own."""
        return self.limits.get(brand) or self.limits.get("default") or USUAL

    def acquirer_of(self, brand: str) -> Acquirer:
        """Give the acquirer of a brand; the first one where nobody lists it."""
        for acquirer in self.acquirers:
            if brand in acquirer.brands:
                return acquirer
        return next((each for each in self.acquirers if not each.brands), self.acquirers[0])


USUAL = Limits()
_zone = cache(ZoneInfo)


def profile(settings: Mapping[str, object], base: Profile | None = None) -> Profile:
    """Make a profile from settings, whose names are those of Profile.

    `shop`, `tip` and `dcc` are tables, `limits` a table of tables by brand ("default" for the
    others), `acquirers` a list of tables. What is not set is as in `base`. Raises ConfigError
    listing every setting that is unknown, of the wrong type or impossible.
    """
    problems: list[str] = []
    values = _values(Profile, settings, problems)
    if problems:
        raise ConfigError(problems)
    made = replace(base or Profile(), **values)
    problems = _impossible(made)
    if problems:
        raise ConfigError(problems)
    return made


def _impossible(made: Profile) -> list[str]:
    """List what no terminal can be."""
    problems = [f"currencies: {code!r} is not ISO 4217" for code in made.currencies
                if code not in CURRENCIES]  # fmt: skip
    problems += [f"brands: {name!r} is not known" for name in made.brands if name not in BY_NAME]
    listed = [name for acquirer in made.acquirers for name in acquirer.brands]
    listed += [name for name in made.limits if name != "default"]
    problems += [f"{name!r} is not one of the brands" for name in listed if name not in made.brands]
    problems += [f"limits.{name}.services: {service!r} is not known"
                 for name, limits in made.limits.items() for service in limits.services
                 if service not in SERVICES]  # fmt: skip
    for name, allowed in _WORDS.items():
        value = getattr(made, name)
        for word in (value,) if isinstance(value, str) else value:
            if word not in allowed:
                problems.append(f"{name}: one of {', '.join(allowed)}")
    if made.printer.partition(":")[0] not in ("virtual", "none", "file", "escpos"):
        problems.append('printer: "virtual", "none", "file:PATH" or "escpos:PLACE"')
    if not made.currencies or not made.languages or not made.acquirers:
        problems.append("currencies, languages and acquirers: at least one of each")
    problems += [f"{code!r} is not a language (ISO 639-1)"
                 for code in (*made.languages, made.merchant_language)
                 if not (len(code) == 2 and code.isascii() and code.islower())]  # fmt: skip
    problems += [f"{name}: above zero is expected" for name in _POSITIVE
                 if getattr(made, name) <= 0]  # fmt: skip
    if made.cancellable_last < 0:
        problems.append("cancellable_last: zero or more is expected")
    if made.dcc is not None:
        problems += [f"dcc.rates.{code}: a decimal number for an ISO 4217 code is expected"
                     for code, rate in made.dcc.rates.items()
                     if code not in CURRENCIES or not _is_rate(rate)]  # fmt: skip
    try:
        _zone(made.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(f"time_zone: {made.time_zone!r} is not known here")
    return problems


_WORDS: Mapping[str, tuple[str, ...]] = {
    "acquirer_protocol": ACQUIRER_PROTOCOLS,
    "services": tuple(SERVICES),
    "entries": tuple(ENTRY_MODES),
    "verifications": ("online_pin", "offline_pin", "signature", "none"),
    "signature": ("paper", "screen"),
    "cardholder": ("auto", "browser", "script"),
}
_POSITIVE = ("receipt_width", "password_tries", "pin_tries", "patience_s", "person_s", "hold_s",
             "session_history")  # fmt: skip


def _is_rate(rate: str) -> bool:
    try:
        return Decimal(rate) > 0
    except InvalidOperation:
        return False


_KINDS: dict[Any, tuple[Any, str]] = {
    str: (str, "a text"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    bool: (bool, "true or false"),
    tuple[str, ...]: (list, "a list of texts"),
    tuple[int, ...]: (list, "a list of whole numbers"),
    Mapping[str, str]: (Mapping, "a table of texts"),
    Secret[str] | None: (str, "a text"),
}
_TABLES: Mapping[Any, type] = {Shop: Shop, Tip | None: Tip, Conversion | None: Conversion}


def _values(kind: type, settings: Mapping[str, object], problems: list[str]) -> dict[str, Any]:
    """Read settings for a dataclass; what is wrong goes to `problems`."""
    known: dict[str, Any] = {item.name: item.type for item in fields(kind)}
    values: dict[str, Any] = {}
    for name, value in settings.items():
        found: list[str] = []
        if name not in known:
            found.append("there is no such setting")
        else:
            values[name] = _value(known[name], value, found)
        problems += [f"{name}{'' if p.startswith('.') else ': '}{p}" for p in found]
    return values


def _value(kind: Any, value: object, problems: list[str]) -> Any:
    if kind in _TABLES:
        return _table(_TABLES[kind], value, problems)
    if kind == tuple[Acquirer, ...] and isinstance(value, list):
        return tuple(_table(Acquirer, item, problems) for item in value)
    if kind == Mapping[str, Limits] and isinstance(value, Mapping):
        return {str(name): _table(Limits, item, problems) for name, item in value.items()}
    expected, words = _KINDS.get(kind, (tuple, "a table or a list of tables"))
    items = value if isinstance(value, list) else []
    of = int if kind == tuple[int, ...] else str
    wrong = (isinstance(value, bool) and expected is not bool) or not isinstance(value, expected)
    if wrong or any(type(item) is not of for item in items):
        problems.append(f"{words} is expected")
        return None
    if isinstance(value, list):
        return tuple(value)
    return Secret(value) if kind == Secret[str] | None and isinstance(value, str) else value


def _table(kind: type, value: object, problems: list[str]) -> Any:
    if not isinstance(value, Mapping):
        problems.append("a table is expected")
        return None
    found: list[str] = []
    values = _values(kind, value, found)
    problems += [f".{problem}" for problem in found]
    return None if found else kind(**values)
