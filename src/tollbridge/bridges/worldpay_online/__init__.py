"""The bridge to the Worldpay Online API, and to our own host of it (`tollbridge psp serve`).

`POST /orders` charges a client token, `POST /orders/{orderCode}/refund` gives back. Both carry the
operation's name as `Idempotency-Key`, which the original service ignores and our host keeps: by it
`GET /orders?customerOrderCode=` tells exactly what became of an operation.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tollbridge.bridges.worldpay_online.bridge import (
    CAPABILITIES,
    WorldpayOnlineBridge,
    client_token,
)
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import is_private_way

DEFAULT_ENDPOINT = "https://api.worldpay.com/v1"


def bridge(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> WorldpayOnlineBridge:
    """Make the bridge.

    `merchant_service_key` is the credential of every call. `merchant_client_key` is the public key
    consumers make tokens with. `api_endpoint` is the address of the API; plain http is refused
    unless it stays on this machine or `allow_plain` is true. `answer_limit_s` and
    `in_flight_limit_s` are the capabilities of these names. Raises ConfigError listing all
    problems.
    """
    del clock, ids
    problems = [
        f"{name}: {'a number of seconds' if name in _LIMITS else f'a {kind.__name__}'} is expected"
        for name, kind in _SETTINGS.items()
        if name in settings and not isinstance(settings[name], kind)
    ]
    problems += [f"{name}: there is no such setting" for name in settings if name not in _SETTINGS]
    if not settings.get("merchant_service_key"):
        problems.append("merchant_service_key: is needed, it pays for every order")
    endpoint = str(settings.get("api_endpoint", DEFAULT_ENDPOINT)).rstrip("/")
    try:
        if not (is_private_way(endpoint) or settings.get("allow_plain")):
            problems.append("api_endpoint: https is needed; allow_plain = true sends keys openly")
    except ValueError:
        problems.append("api_endpoint: an address such as https://api.worldpay.com/v1 is expected")
    if problems:
        raise ConfigError(problems)
    limits: dict[str, Any] = {
        name: float(str(settings[name])) for name in _LIMITS if name in settings
    }
    return WorldpayOnlineBridge(
        endpoint,
        Secret(str(settings["merchant_service_key"])),
        str(settings.get("merchant_client_key", "")),
        replace(CAPABILITIES, **limits),
    )


_LIMITS = ("answer_limit_s", "in_flight_limit_s")
_SETTINGS: dict[str, Any] = {
    "api_endpoint": str,
    "merchant_service_key": str,
    "merchant_client_key": str,
    "allow_plain": bool,
} | dict.fromkeys(_LIMITS, int | float)

__all__ = ["DEFAULT_ENDPOINT", "WorldpayOnlineBridge", "bridge", "client_token"]
