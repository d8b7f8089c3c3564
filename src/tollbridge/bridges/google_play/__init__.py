"""The bridge to the Google Play Developer API: customers buy in the store's own client, and what
they bought arrives as a purchase token.

The store moves the money, so a product's price comes from the settings and nothing else can be
asked for. Acknowledging makes a purchase final, once, and leaves the operation's name with it: so
a token pays for one payment, and the store tells which.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tollbridge.bridges import reading
from tollbridge.bridges.google_play.bridge import CAPABILITIES, GooglePlayBridge
from tollbridge.bridges.google_play.translate import Shop
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError, InvalidMoney
from tollbridge.ground.ids import IdSource
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import is_private_way

DEFAULT_ENDPOINT = "https://androidpublisher.googleapis.com"
METADATA = "http://metadata.google.internal/"


def bridge(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> GooglePlayBridge:
    """Make the bridge.

    `package_name` is the app's. `products` is a table of what its products cost, each written
    "1.99 EUR". The credential is `access_token`, or `token_url`, the address that lends a service
    account's to this machine (on Google's own, that of their metadata server); every conversation
    then begins there.
    `api_endpoint` is the address of the API (default https://androidpublisher.googleapis.com);
    plain http is refused unless it stays on this machine or `allow_plain` is true.
    `answer_limit_s` and `in_flight_limit_s` are the capabilities of these names. Raises ConfigError
    listing all problems.
    """
    del clock, ids
    problems = reading.wrong_settings(settings, _SETTINGS, ("package_name", "products"))
    endpoint = reading.endpoint_of(settings, DEFAULT_ENDPOINT, problems)
    token_url = str(settings.get("token_url", ""))
    if bool(token_url) == bool(settings.get("access_token")):
        problems.append("access_token, token_url: one of them is needed")
    try:
        if token_url and not (is_private_way(token_url) or token_url.startswith(METADATA)):
            problems.append("token_url: https is needed")
    except ValueError:
        problems.append("token_url: an address is expected")
    prices = _prices(settings.get("products"), problems)
    if problems:
        raise ConfigError(problems)
    key = Secret(str(settings.get("access_token", "")))
    shop = Shop(endpoint, str(settings["package_name"]), prices, key, token_url)
    sold_in = frozenset(price.currency.code for price in prices.values())
    limits = reading.limits_of(settings)
    return GooglePlayBridge(shop, replace(CAPABILITIES, currencies=sold_in, **limits))


def _prices(table: object, problems: list[str]) -> dict[str, Money]:
    prices = {}
    for product, price in table.items() if isinstance(table, Mapping) else ():
        amount, _, code = str(price).partition(" ")
        try:
            prices[str(product)] = Money.parse(amount, code)
        except InvalidMoney as error:
            problems.append(f'products.{product}: a price such as "1.99 EUR" is expected: {error}')
    return prices


_SETTINGS: dict[str, Any] = {
    "package_name": str,
    "products": Mapping,
    "access_token": str,
    "token_url": str,
}

__all__ = ["DEFAULT_ENDPOINT", "GooglePlayBridge", "bridge"]
