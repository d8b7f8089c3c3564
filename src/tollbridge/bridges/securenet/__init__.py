"""The bridge to SecureNet (Worldpay US): a card is put into a vault, and what is there is charged.

The API names no currency, so the merchant's account has one; and it cannot be asked what became of
a charge, so an unknown outcome waits for a person.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tollbridge.bridges.reading import endpoint_of
from tollbridge.bridges.securenet.bridge import CAPABILITIES, SecureNetBridge, client_token
from tollbridge.bridges.securenet.translate import Application, Merchant
from tollbridge.ground.clock import Clock
from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

EXPONENT_MAX = 2
"""The API's amounts have two digits after the point."""


def bridge(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> SecureNetBridge:
    """Make the bridge.

    `secure_net_id` and `secure_key` are the credential, `public_key` goes into every charge,
    `developer_id` (a number) and `app_version` name the application. `currency` is the one of the
    merchant's account (default USD). `api_endpoint` is the address of the API; plain http is
    refused unless it stays on this machine or `allow_plain` is true. `answer_limit_s` is the
    capability of this name. Raises ConfigError listing all problems.
    """
    del clock, ids
    problems = [
        f"{name}: {expected} is expected"
        for name, (kind, expected) in _SETTINGS.items()
        if name in settings and not isinstance(settings[name], kind)
    ]
    problems += [
        f"{name}: there is no such setting"
        for name in settings
        if name not in _SETTINGS and name != "http_proxy"
    ]
    if settings.get("http_proxy"):
        problems.append("http_proxy: proxies are not supported; leave it out")
    problems += [f"{name}: is needed" for name in _NEEDED if not settings.get(name)]
    developer_id = str(settings.get("developer_id", "0"))
    if not (developer_id.isascii() and developer_id.isdigit()):
        problems.append("developer_id: a whole number is expected")
    unit = CURRENCIES.get(str(settings.get("currency", "USD")))
    if unit is None or unit.exponent is None or unit.exponent > EXPONENT_MAX:
        problems.append("currency: an ISO 4217 code with at most two decimal digits is expected")
    endpoint = endpoint_of(settings, "", problems)
    if problems or unit is None:
        raise ConfigError(problems)
    limit_s = settings.get("answer_limit_s", CAPABILITIES.answer_limit_s)
    return SecureNetBridge(
        endpoint,
        Merchant(
            Secret(str(settings["secure_net_id"])),
            Secret(str(settings["secure_key"])),
            str(settings["public_key"]),
            Application(int(developer_id), str(settings["app_version"])),
        ),
        replace(
            CAPABILITIES,
            currencies=frozenset({unit.code}),
            answer_limit_s=float(str(limit_s)),
        ),
    )


_NEEDED = ("secure_net_id", "secure_key", "public_key", "developer_id", "app_version")
_SETTINGS: dict[str, tuple[Any, str]] = {
    "api_endpoint": (str, "a text"),
    "secure_net_id": (str, "a text"),
    "secure_key": (str, "a text"),
    "public_key": (str, "a text"),
    "developer_id": (str | int, "a whole number"),
    "app_version": (str, "a text"),
    "currency": (str, "a text"),
    "allow_plain": (bool, "true or false"),
    "answer_limit_s": (int | float, "a number of seconds"),
}

__all__ = ["Application", "SecureNetBridge", "bridge", "client_token"]
