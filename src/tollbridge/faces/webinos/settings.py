"""The face's settings: sellers, services, customers, and when to challenge."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.secret import Secret, luhn

URI = "http://webinos.org/api/payment"
NONE = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a customer is challenged, and how.

    Always from `amount_minor` on; the first time an instrument is used if `new_instrument`; before
    a refund if `refunds`; every `every`-th payment of a customer (0: never for that). `kinds` are
    tried in order: the first that the page can show and the customer can answer. A challenge is
    good for `expires_s` seconds and `attempts` answers. Payments without a customer are confirmed
    on the provider's page.

    In any `window_s` seconds a customer begins at most `customer_max` payments and is asked at most
    `asked_max` times, and a seller is paid at most `seller_max` times (0: as often as they like).
    Customers are counted over all sellers with the same window; refunds do not count.
    """

    amount_minor: int = 10_000
    new_instrument: bool = True
    refunds: bool = False
    every: int = 0
    kinds: tuple[str, ...] = ("text", "url", "image")
    expires_s: float = 300.0
    attempts: int = 3
    customer_max: int = 0
    seller_max: int = 0
    asked_max: int = 30
    window_s: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who is paid. `kind` is "merchant" or "person". `origins` are where its pages come from.

    Notices go to `notices_url`, signed with `notices_key`. `policy` is its own, if it has one.
    `signed_bills` is "accepted" or "required": then pages pay only what its server signed.
    """

    name: str
    publishable_key: str
    secret_key: Secret[str]
    kind: str = "merchant"
    origins: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    notices_url: str = ""
    notices_key: Secret[str] | None = None
    policy: Policy | None = None
    signed_bills: str = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is in a customer's wallet from the beginning: a card, for test benches, or the `token`
    of an instrument that the provider of one `bridge` knows (a subscriber of a carrier)."""

    number: Secret[str] = NONE
    expiry: Secret[str] = NONE
    label: str = ""
    token: Secret[str] = NONE
    bridge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who pays. `contact` is where one-time codes go; `mark` is the picture that only the customer
    and the provider know: a word and a colour."""

    name: str = ""
    contact: str = ""
    mark: str = ""
    instruments: tuple[Instrument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A payment service as pages find it; `path` is added to the feature URI, `bridge` carries
    its payments out ("": the default one).

    `payer` says how they are paid: "wallet" (what payers keep here, or a card), "approves" (payers
    approve them on the page of the bridge's provider) or "receipt" (payers bought in a store, and
    the page answers a question with the store's receipt).
    """

    path: str = "wallet"
    name: str = "Tollbridge Wallet"
    description: str = "Pay with a card you keep with Tollbridge."
    icon: str = ""
    bridge: str = ""
    payer: str = "wallet"

    @property
    def api(self) -> str:
        """The service's own feature URI."""
        return f"{URI}/{self.path}"

    @property
    def id(self) -> str:
        """The service's id: it follows from what pages see of it (NX-010)."""
        seen = f"{self.api}\0{self.name}\0{self.description}"
        return hashlib.sha256(seen.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The whole face. `url` is where browsers reach it ("": as they did). `strict` wants a
    productID on every bill and refuses texts where numbers belong. `compat_origins` are the pages
    that may use the original client's endpoint (none: it is off)."""

    url: str = ""
    name: str = "Tollbridge"
    sellers: Mapping[str, Seller] = field(default_factory=dict)
    customers: Mapping[str, Customer] = field(default_factory=dict)
    services: tuple[Service, ...] = (Service(),)
    policy: Policy = field(default_factory=Policy)
    strict: bool = False
    zero_verifies: bool = False
    deadline_s: float = 900.0
    unknown_s: float = 60.0
    compat_origins: tuple[str, ...] = ()

    def knows(self, origin: str) -> bool:
        """Say whether an origin is one of any seller's."""
        return any(origin in seller.origins for seller in self.sellers.values())


def provider(settings: Mapping[str, object]) -> Provider:
    """Make a provider from settings, whose names are those of Provider.

    Raises ConfigError listing every setting that is unknown, of the wrong type or impossible.
    """
    problems: list[str] = []
    values = _values(_PROVIDER, settings, "", problems)
    for name in ("deadline_s", "unknown_s"):
        if values.get(name, 1) <= 0:
            problems.append(f"{name}: above zero")
    if values.get("url") and not _ORIGIN.fullmatch(values["url"]):
        problems.append('url: "https://host", without a path, is expected')
    values["compat_origins"] = _origins(values.pop("compat_origins", []), "compat_", problems)
    if "policy" in values:
        values["policy"] = _policy(values["policy"], "policy", problems)
    values["sellers"] = _sellers(values.get("sellers", {}), problems)
    values["customers"] = _customers(values.get("customers", {}), problems)
    if "services" in values:
        values["services"] = _services(values["services"], problems)
    if problems:
        raise ConfigError(problems)
    return Provider(**values)


NAME_LETTERS_MAX = 200
KEY_LETTERS_MIN = 6
SIGNING_LETTERS_MIN = 24
"""Of a secret key that signs bills: who sees a bill can try keys on it."""
KINDS = ("text", "image", "url")
PAYERS = ("wallet", "approves", "receipt")
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s#]+", re.ASCII)
_EXPIRY = re.compile(r"(?:0[1-9]|1[0-2])/\d\d", re.ASCII)
_PATH = re.compile(r"[a-z0-9_\-]{1,40}", re.ASCII)
_Known = Mapping[str, tuple[Any, str]]
_TEXT, _YES = (str, "a text"), (bool, "true or false")
_LIST, _TABLE = (list, "a list"), (Mapping, "a table")
_NUMBER, _SECONDS = (int, "a whole number"), (int | float, "a number of seconds")
_PROVIDER: _Known = {
    "url": _TEXT, "name": _TEXT, "sellers": _TABLE, "customers": _TABLE, "services": _LIST,
    "policy": _TABLE, "strict": _YES, "zero_verifies": _YES, "deadline_s": _SECONDS,
    "unknown_s": _SECONDS, "compat_origins": _LIST,
}  # fmt: skip
_SELLER: _Known = {
    "name": _TEXT, "publishable_key": _TEXT, "secret_key": _TEXT, "kind": _TEXT,
    "origins": _LIST, "currencies": _LIST, "notices_url": _TEXT, "notices_key": _TEXT,
    "policy": _TABLE, "signed_bills": _TEXT,
}  # fmt: skip
_CUSTOMER: _Known = {"name": _TEXT, "contact": _TEXT, "mark": _TEXT, "instruments": _LIST}
_INSTRUMENT: _Known = {
    "number": _TEXT, "expiry": _TEXT, "label": _TEXT, "token": _TEXT, "bridge": _TEXT,
}  # fmt: skip
_SERVICE: _Known = {
    "path": _TEXT, "name": _TEXT, "description": _TEXT, "icon": _TEXT, "bridge": _TEXT,
    "payer": _TEXT,
}  # fmt: skip
_POLICY: _Known = {
    "amount_minor": _NUMBER, "new_instrument": _YES, "refunds": _YES, "every": _NUMBER,
    "kinds": _LIST, "expires_s": _SECONDS, "attempts": _NUMBER, "customer_max": _NUMBER,
    "seller_max": _NUMBER, "asked_max": _NUMBER, "window_s": _SECONDS,
}  # fmt: skip


def _sellers(tables: Mapping[str, object], problems: list[str]) -> dict[str, Seller]:
    made: dict[str, Seller] = {}
    taken: set[str] = set()
    for name, table in tables.items():
        where = f"sellers.{name}"
        values = _table(_SELLER, table, where, problems)
        if not 0 < len(name) <= NAME_LETTERS_MAX:
            problems.append(f"{where}: a name of 1 to {NAME_LETTERS_MAX} letters is expected")
        _keys(values, where, taken, problems)
        _signing(values, where, problems)
        if values.get("kind", "merchant") not in ("merchant", "person"):
            problems.append(f'{where}.kind: "merchant" or "person" is expected')
        if values.get("notices_url") and not _ADDRESS.fullmatch(values["notices_url"]):
            problems.append(f"{where}.notices_url: an address is expected")
        if values.get("notices_url") and not values.get("notices_key"):
            problems.append(f"{where}.notices_key: is needed with notices_url")
        values["origins"] = _origins(values.get("origins", []), f"{where}.", problems)
        values["currencies"] = _currencies(values.get("currencies", []), where, problems)
        if "policy" in values:
            values["policy"] = _policy(values["policy"], f"{where}.policy", problems)
        for key in ("secret_key", "notices_key"):
            if key in values:
                values[key] = Secret(values[key])
        usual = {"name": name, "publishable_key": "", "secret_key": Secret("")}
        made[name] = Seller(**{**usual, **values})
    return made


def _keys(values: Mapping[str, Any], where: str, taken: set[str], problems: list[str]) -> None:
    for key in ("publishable_key", "secret_key"):
        shown = values.get(key, "")
        if len(shown) < KEY_LETTERS_MIN:
            problems.append(f"{where}.{key}: at least {KEY_LETTERS_MIN} letters are needed")
        elif shown in taken:
            problems.append(f"{where}.{key}: is another key already")
        taken.add(shown)


def _signing(values: Mapping[str, Any], where: str, problems: list[str]) -> None:
    signed = values.get("signed_bills", "accepted")
    if signed not in ("accepted", "required"):
        problems.append(f'{where}.signed_bills: "accepted" or "required" is expected')
    if signed == "required" and len(values.get("secret_key", "")) < SIGNING_LETTERS_MIN:
        least = f"at least {SIGNING_LETTERS_MIN} letters are needed to sign bills"
        problems.append(f"{where}.secret_key: {least}")


def _customers(tables: Mapping[str, object], problems: list[str]) -> dict[str, Customer]:
    made: dict[str, Customer] = {}
    for name, table in tables.items():
        where = f"customers.{name}"
        values = _table(_CUSTOMER, table, where, problems)
        if not 0 < len(name) <= NAME_LETTERS_MAX:
            problems.append(f"{where}: a name of 1 to {NAME_LETTERS_MAX} letters is expected")
        values["instruments"] = tuple(
            _instrument(each, f"{where}.instruments.{number}", problems)
            for number, each in enumerate(values.get("instruments", []))
        )
        made[name] = Customer(**values)
    return made


def _instrument(table: object, where: str, problems: list[str]) -> Instrument:
    values = _table(_INSTRUMENT, table, where, problems)
    number, expiry = values.get("number", ""), values.get("expiry", "")
    if "token" in values:
        if not (values["token"] and values.get("bridge")) or number or expiry:
            problems.append(f"{where}: a token goes with its bridge, and with no card")
        token, bridge = Secret(values["token"]), values.get("bridge", "")
        return Instrument(token=token, bridge=bridge, label=values.get("label", ""))
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19 and luhn(number)):
        problems.append(f"{where}.number: a card number is expected")
    if not _EXPIRY.fullmatch(expiry):
        problems.append(f"{where}.expiry: MM/YY is expected")
    return Instrument(number=Secret(number), expiry=Secret(expiry), label=values.get("label", ""))


def _services(tables: list[object], problems: list[str]) -> tuple[Service, ...]:
    made: list[Service] = []
    for number, table in enumerate(tables):
        where = f"services.{number}"
        service = Service(**_table(_SERVICE, table, where, problems))
        if not _PATH.fullmatch(service.path):
            problems.append(f"{where}.path: small letters, digits, - and _ are expected")
        if service.payer not in PAYERS:
            problems.append(f"{where}.payer: only {', '.join(PAYERS)} are there")
        if any(service.id == other.id for other in made):
            problems.append(f"{where}: looks like another one")
        made.append(service)
    if not made:
        problems.append("services: at least one, or leave the list out")
    return tuple(made)


def _policy(table: object, where: str, problems: list[str]) -> Policy:
    values = _table(_POLICY, table, where, problems)
    kinds = values.get("kinds", [])
    if any(kind not in KINDS for kind in kinds):
        problems.append(f"{where}.kinds: only {', '.join(KINDS)} are there")
    if "kinds" in values:
        values["kinds"] = tuple(kinds)
    least = {"amount_minor": 0, "every": 0, "attempts": 1, "customer_max": 0, "seller_max": 0,
             "asked_max": 0}  # fmt: skip
    for name, most in least.items():
        if values.get(name, most) < most:
            problems.append(f"{where}.{name}: at least {most}")
    for name in ("expires_s", "window_s"):
        if values.get(name, 1) <= 0:
            problems.append(f"{where}.{name}: above zero")
    return Policy(**values)


def _origins(listed: list[object], where: str, problems: list[str]) -> tuple[str, ...]:
    return _each(
        listed,
        lambda text: _ORIGIN.fullmatch(text) is not None,
        f'{where}origins: "https://host", without a path, is expected',
        problems,
    )


def _currencies(listed: list[object], where: str, problems: list[str]) -> tuple[str, ...]:
    def usable(code: str) -> bool:
        found = CURRENCIES.get(code)
        return found is not None and found.exponent is not None

    return _each(listed, usable, f"{where}.currencies: ISO 4217 codes are expected", problems)


def _each(
    listed: list[object], fits: Callable[[str], bool], problem: str, problems: list[str]
) -> tuple[str, ...]:
    found = [item for item in listed if isinstance(item, str) and fits(item)]
    if len(found) < len(listed):
        problems.append(problem)
    return tuple(found)


def _table(known: _Known, table: object, where: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        problems.append(f"{where}: a table is expected")
        return {}
    return _values(known, table, f"{where}.", problems)


def _values(
    known: _Known, settings: Mapping[str, object], where: str, problems: list[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in settings.items():
        kind, expected = known.get(name, (None, ""))
        if kind is None:
            problems.append(f"{where}{name}: there is no such setting")
        elif not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            problems.append(f"{where}{name}: {expected} is expected")
        else:
            values[name] = value
    return values
