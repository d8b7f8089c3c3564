"""What a producer is started with: a TOML file, or a profile of the original developer client."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tollbridge.faces.within.catalogue import Service, Supply
from tollbridge.faces.within.discovery import PORT_MAX
from tollbridge.faces.within.messages import Price, PricePerUnit
from tollbridge.ground.errors import ConfigError
from tollbridge.within import identity
from tollbridge.within.identity import WORLDPAY_ONLINE, PspKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A producer: who it is, what it sells, and how it is paid.

    `options` are settings of `Options` by their names. `pace_s` says for a service how many seconds
    a unit takes; a service that is not in it needs no time. `own_psp`: it is its own payment
    provider, on the sandbox.
    """

    name: str
    description: str
    interface: str = ""
    services: tuple[Service, ...] = ()
    psp: Mapping[str, str] = field(default_factory=dict)
    own_psp: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    pace_s: Mapping[int, float] = field(default_factory=dict)


def offer(file: Path) -> Offer:
    """Read an offer; a file that ends in .json is a profile (WIRE 5.6).

    Raises ConfigError listing everything that is wrong, WithinError for a wrong profile.
    """
    if file.suffix == ".json":
        return _of_profile(file)
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{file}: {error}"]) from None
    return _Reader(file).offer(tables)


def _of_profile(file: Path) -> Offer:
    profile = identity.profile(file)
    if profile.producer is None:
        raise ConfigError([f"{file}: the profile has no producer"])
    return Offer(
        name=profile.name,
        description=profile.description,
        services=profile.producer.services,
        psp={PspKey.NAME: WORLDPAY_ONLINE, **profile.producer.psp},
    )


_DEVICE = {"name": str, "description": str, "interface": str}
_OPTIONS: dict[str, Any] = {
    "host": str,
    "port": int,
    "discovery_port": int,
    "period_s": int | float,
    "mdns": bool,
    "merchant": str,
    "refund_on_expiry": bool,
    "delivery_lifetime_s": int,
    "session_limit_s": int | float,
    "sweep_s": int | float,
    "allow_plain_provider": bool,
}
_PSP: dict[str, Any] = {value: str for name, value in vars(PspKey).items() if name.isupper()} | {
    "own": bool
}
_SERVICE: dict[str, Any] = {
    "id": int,
    "name": str,
    "description": str,
    "type": str,
    "max_units": int,
    "seconds_per_unit": int | float,
    "price": list,
}
_PRICE = {
    "id": int,
    "description": str,
    "amount": int,
    "currency": str,
    "unit_id": int,
    "unit": str,
}


class _Reader:
    """Reads tables and collects what is wrong with them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._problems: list[str] = []

    def offer(self, tables: Mapping[str, Any]) -> Offer:
        known = ("device", "producer", "psp", "service")
        self._problems += [
            f"[{name}]: there is no such table" for name in tables if name not in known
        ]
        device = self._table(tables.get("device"), "device", _DEVICE)
        psp = self._table(tables.get("psp"), "psp", _PSP)
        options = self._table(tables.get("producer"), "producer", _OPTIONS)
        self._problems += [
            f"producer: {name} is not a port"
            for name in ("port", "discovery_port")
            if not 0 <= options.get(name, 0) <= PORT_MAX
        ]
        services, paces = [], {}
        for place, table in enumerate(tables.get("service", []), 1):
            fields = self._table(table, f"service {place}", _SERVICE, needed=("id", "name"))
            services.append(self._service(fields, f"service {place}"))
            if "seconds_per_unit" in fields:
                paces[services[-1].service_id] = float(fields["seconds_per_unit"])
        if not device.get("name"):
            self._problems.append("device.name: is needed")
        if not services:
            self._problems.append("[[service]]: a producer needs at least one")
        if self._problems:
            raise ConfigError([f"{self._file}: {problem}" for problem in self._problems])
        name = device["name"]
        return Offer(
            name=name,
            description=device.get("description") or name,
            interface=device.get("interface", ""),
            services=tuple(services),
            psp={key: value for key, value in psp.items() if key != "own"},
            own_psp=psp.get("own", not psp),
            options=options,
            pace_s=paces,
        )

    def _service(self, fields: Mapping[str, Any], where: str) -> Service:
        prices = {}
        for place, table in enumerate(fields.get("price", []), 1):
            price = self._table(
                table, f"{where}, price {place}", _PRICE, needed=("id", "amount", "currency")
            )
            made = Price(
                price.get("id", 0),
                price.get("description", ""),
                PricePerUnit(price.get("amount", 0), price.get("currency", "")),
                price.get("unit_id", 1),
                price.get("unit", ""),
            )
            prices[made.price_id] = made
        return Service(
            service_id=fields.get("id", 0),
            name=fields.get("name", ""),
            description=fields.get("description", ""),
            service_type=fields.get("type", ""),
            prices=prices,
            supply=_at_most(fields["max_units"]) if "max_units" in fields else None,
        )

    def _table(
        self, table: object, where: str, known: Mapping[str, Any], needed: tuple[str, ...] = ()
    ) -> Mapping[str, Any]:
        if table is None:
            return {}
        if not isinstance(table, Mapping):
            self._problems.append(f"[{where}]: a table is expected")
            return {}
        for name in needed:
            if name not in table:
                self._problems.append(f"{where}: {name} is needed")
        fields = {}
        for name, value in table.items():
            kind = known.get(name)
            if kind is None:
                self._problems.append(f"{where}: there is no setting {name}")
            elif not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                self._problems.append(f"{where}: {name} has the wrong type")
            else:
                fields[name] = value
        return fields


def _at_most(units: int) -> Supply:
    return lambda _price, asked: min(asked, units)
