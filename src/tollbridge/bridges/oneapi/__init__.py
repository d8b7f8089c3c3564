"""The bridge to carriers that speak the GSMA OneAPI Payment REST API: charges on phone bills.

Subscribers are charged at once, or an amount is reserved, raised, charged and released; charges are
given back. `clientCorrelator` is the operation's name, so a carrier charges it once, and by it the
list of a subscriber's transactions tells what became of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tollbridge.bridges import reading
from tollbridge.bridges.oneapi.bridge import CAPABILITIES, OneApiBridge
from tollbridge.bridges.oneapi.translate import Account
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret


def bridge(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> OneApiBridge:
    """Make the bridge.

    `api_endpoint` is the address of the API up to its version (https://carrier.example/oneapi/3);
    plain http is refused unless it stays on this machine or `allow_plain` is true. `username` and
    `password` are the credential. `on_behalf_of` names the merchant on the bill, and
    `purchase_category_code` says what it sells. `answer_limit_s` and `in_flight_limit_s` are the
    capabilities of these names. Raises ConfigError listing all problems.
    """
    del clock, ids
    problems = reading.wrong_settings(settings, _SETTINGS, ("username", "password"))
    endpoint = reading.endpoint_of(settings, "", problems)
    if problems:
        raise ConfigError(problems)
    account = Account(
        endpoint,
        str(settings["username"]),
        Secret(str(settings["password"])),
        str(settings.get("on_behalf_of", "")),
        str(settings.get("purchase_category_code", "")),
    )
    return OneApiBridge(account, replace(CAPABILITIES, **reading.limits_of(settings)))


_SETTINGS: dict[str, Any] = {
    "username": str,
    "password": str,
    "on_behalf_of": str,
    "purchase_category_code": str,
}

__all__ = ["OneApiBridge", "bridge"]
