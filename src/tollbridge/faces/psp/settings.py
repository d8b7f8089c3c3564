"""The host's settings: who may be paid through it, and how long a token lives."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who is paid.

    `client_key` is public: consumers make tokens with it; `service_key` orders. The others are
    SecureNet's: `public_key` makes tokens too, `secure_net_id` and `secure_key` charge, in
    `currency`, which that API does not name. A key left empty opens nothing.
    """

    client_key: str
    service_key: Secret[str]
    secure_net_id: str = ""
    secure_key: Secret[str] = field(default_factory=lambda: Secret(""))
    public_key: str = ""
    currency: str = "USD"


TEST_MERCHANTS: Mapping[str, Merchant] = {
    "test-merchant": Merchant(
        client_key="T_C_00000000-0000-4000-8000-000000000001",
        service_key=Secret("T_S_00000000-0000-4000-8000-000000000002"),
        secure_net_id="8000001",
        secure_key=Secret("test-secure-key"),
        public_key="00000000-0000-4000-8000-000000000003",
    )
}
"""Who is paid where no merchant is configured. Everybody knows these keys: for tests only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A payment provider.

    `merchants` is a table by name: client_key, service_key, secure_net_id, secure_key, public_key,
    currency. Without it there is one merchant for tests, whose keys everybody knows.
    `token_lifetime_s` is how long a client token can be used, `tokens_max` how many of one
    merchant live at a time. `bridge` names where orders go ("": the engine's first bridge).
    `patience_s` is how much longer an order waits for an outcome that the provider behind the host
    did not give at once, when it came without an `Idempotency-Key`: who sends none does not ask
    later, so the order then fails, and an approval that comes late is undone.
    `issuer` and `country` are what the host says of every card, for it does not know.
    """

    merchants: Mapping[str, Merchant] = field(default_factory=lambda: TEST_MERCHANTS)
    token_lifetime_s: float = 600.0
    tokens_max: int = 10_000
    bridge: str = ""
    patience_s: float = 15.0
    issuer: str = "TEST ISSUER"
    country: str = "GB"


def host(settings: Mapping[str, object]) -> Host:
    """Make a host from settings, whose names are those of Host.

    Raises ConfigError listing every setting that is unknown, of the wrong type or impossible.
    """
    problems: list[str] = []
    values = _values(_HOST, settings, "", problems)
    if "merchants" in values:
        values["merchants"] = _merchants(values["merchants"], problems)
    for name in ("token_lifetime_s", "tokens_max", "patience_s"):
        if name in values and values[name] <= 0:
            problems.append(f"{name}: above zero")
    if problems:
        raise ConfigError(problems)
    return Host(**values)


_HOST: dict[str, tuple[Any, str]] = {
    "merchants": (Mapping, "a table"),
    "token_lifetime_s": (int | float, "a number of seconds"),
    "tokens_max": (int, "a whole number"),
    "bridge": (str, "a text"),
    "patience_s": (int | float, "a number of seconds"),
    "issuer": (str, "a text"),
    "country": (str, "a text"),
}
_MERCHANT = {item.name: (str, "a text") for item in fields(Merchant)}
_KEYS = ("client_key", "service_key", "secure_net_id", "public_key")


def _merchants(tables: Mapping[str, object], problems: list[str]) -> dict[str, Merchant]:
    made: dict[str, Merchant] = {}
    taken: set[str] = set()
    for name, table in tables.items():
        where = f"merchants.{name}"
        if not isinstance(table, Mapping):
            problems.append(f"{where}: a table is expected")
            continue
        values = _values(_MERCHANT, table, f"{where}.", problems)
        problems += [
            f"{where}.{key}: is needed"
            for key in ("client_key", "service_key")
            if not values.get(key)
        ]
        problems += [
            f"{where}.{key}: is another key already"
            for key in _KEYS
            if values.get(key) in taken - {""}
        ]
        taken |= {values.get(key, "") for key in _KEYS}
        if values.get("secure_net_id") and not values.get("secure_key"):
            problems.append(f"{where}.secure_key: is needed with secure_net_id")
        unit = CURRENCIES.get(values.get("currency", "USD"))
        if unit is None or unit.exponent is None:
            problems.append(f"{where}.currency: an ISO 4217 code is expected")
        for key in ("service_key", "secure_key"):
            values[key] = Secret(values.get(key, ""))
        made[name] = Merchant(**{"client_key": "", **values})
    if not made:
        problems.append("merchants: at least one, or leave the table out")
    return made


def _values(
    known: Mapping[str, tuple[Any, str]],
    settings: Mapping[str, object],
    where: str,
    problems: list[str],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in settings.items():
        kind, expected = known.get(name, (None, ""))
        if kind is None:
            problems.append(f"{where}{name}: there is no such setting")
        elif not isinstance(value, kind) or isinstance(value, bool):
            problems.append(f"{where}{name}: {expected} is expected")
        else:
            values[name] = value
    return values
