"""The bridge to the Worldpay Online API, and to our own host of it (`tollbridge psp serve`).

`POST /orders` charges a client token, `POST /orders/{orderCode}/refund` gives back. Both carry the
operation's name as `Idempotency-Key`, which the original service ignores and our host keeps: by it
`GET /orders?customerOrderCode=` tells exactly what became of an operation.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tollbridge.bridges import reading
from tollbridge.bridges.worldpay_online.bridge import (
    CAPABILITIES,
    WorldpayOnlineBridge,
    client_token,
)
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

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
    problems = reading.wrong_settings(settings, _SETTINGS, ("merchant_service_key",))
    endpoint = reading.endpoint_of(settings, DEFAULT_ENDPOINT, problems)
    if problems:
        raise ConfigError(problems)
    return WorldpayOnlineBridge(
        endpoint,
        Secret(str(settings["merchant_service_key"])),
        str(settings.get("merchant_client_key", "")),
        replace(CAPABILITIES, **reading.limits_of(settings)),
    )


_SETTINGS: dict[str, Any] = {"merchant_service_key": str, "merchant_client_key": str}

__all__ = ["DEFAULT_ENDPOINT", "WorldpayOnlineBridge", "bridge", "client_token"]
