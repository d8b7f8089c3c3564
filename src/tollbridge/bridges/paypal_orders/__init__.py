"""The bridge to the PayPal Orders v2 API: orders that customers approve on the provider's page.

A `store` makes an order and waits for the customer; the approved order is the token of a `purchase`
or an `authorize` (decision 16). Every request that makes something carries the operation's name as
`PayPal-Request-Id`, so that the provider makes it once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tollbridge.bridges import reading
from tollbridge.bridges.paypal_orders.bridge import CAPABILITIES, PayPalOrdersBridge
from tollbridge.bridges.paypal_orders.translate import Application
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

DEFAULT_ENDPOINT = "https://api-m.paypal.com"
NOTICE_KEY_LETTERS_MIN = 16


def bridge(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> PayPalOrdersBridge:
    """Make the bridge.

    `client_id` and `client_secret` are the application's credential; every conversation begins with
    an access token for them. `notice_key` (at least 16 letters) is the key in the address that
    webhooks go to, `/bridges/paypal_orders/notice?key=…`; without it none is heard, and orders
    are asked about instead. `brand_name` is what the customer reads on the provider's page.
    `api_endpoint` is the address of the API (default https://api-m.paypal.com); plain http is
    refused unless it stays on this machine or `allow_plain` is true. `answer_limit_s` and
    `in_flight_limit_s` are the capabilities of these names. Raises ConfigError listing all
    problems.
    """
    del clock, ids
    problems = reading.wrong_settings(settings, _SETTINGS, ("client_id", "client_secret"))
    endpoint = reading.endpoint_of(settings, DEFAULT_ENDPOINT, problems)
    key = str(settings.get("notice_key", ""))
    if key and len(key) < NOTICE_KEY_LETTERS_MIN:
        problems.append(f"notice_key: at least {NOTICE_KEY_LETTERS_MIN} letters")
    if problems:
        raise ConfigError(problems)
    application = Application(
        endpoint,
        str(settings["client_id"]),
        Secret(str(settings["client_secret"])),
        str(settings.get("brand_name", "")),
    )
    capabilities = replace(CAPABILITIES, **reading.limits_of(settings))
    return PayPalOrdersBridge(application, Secret(key), capabilities)


_SETTINGS: dict[str, Any] = dict.fromkeys(
    ("client_id", "client_secret", "notice_key", "brand_name"), str
)

__all__ = ["DEFAULT_ENDPOINT", "PayPalOrdersBridge", "bridge"]
