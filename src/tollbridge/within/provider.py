"""A PSP configuration, as the originals have it, made into what consumers and producers need.

A map of texts (WIRE 3.1): `psp_name`, `api_endpoint`, and the keys of the role.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tollbridge.bridges import securenet, worldpay_online
from tollbridge.bridges.contract import Bridge, CardDetails, ClientToken
from tollbridge.bridges.securenet import Application
from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.errors import BadArgument
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import IdSource
from tollbridge.wire.http import is_private_way
from tollbridge.within.identity import SECURENET, WORLDPAY_ONLINE, psp_config

Psp = Mapping[str, str]
Tokens = Callable[[str, HceCard], Flow[ClientToken]]
"""Given a merchant's client key and a card, asks the provider for a client token."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """What a producer is paid through. `client_key` is the public one consumers get."""

    client_key: str
    bridge: Bridge


def merchant(psp: Psp, clock: Clock, ids: IdSource, *, allow_plain: bool = False) -> Merchant:
    """Read a producer's configuration, checked as initProducer checks it (WIRE 3.1).

    `allow_plain`: the provider may be reached over plain http beyond this machine. Raises
    BadArgument.
    """
    psp = psp_config(psp)
    name = _name(psp)
    try:
        bridge = _BRIDGES[name](_SETTINGS[name](psp) | {"allow_plain": allow_plain}, clock, ids)
    except ConfigError as error:
        text = "failed to create psp merchant"
        raise BadArgument("PSPMERCHANTCREATE", "WPW", text, error) from None
    client_key = psp.get("hte_public_key", "")
    if not client_key:
        raise _credential("EMPTYMERCHANTCLIENTKEY", "empty merchant client key")
    if not psp.get("hte_private_key"):
        raise _credential("EMPTYMERCHANTSERVICEKEY", "empty merchant service key")
    return Merchant(client_key, bridge)


def tokens(psp: Psp, *, allow_plain: bool = False) -> Tokens:
    """Read a consumer's configuration; `allow_plain` as for `merchant`. Raises BadArgument."""
    endpoint = psp.get("api_endpoint", "").rstrip("/")
    name = _name(psp)
    _check_way(endpoint or worldpay_online.DEFAULT_ENDPOINT, allow_plain=allow_plain)
    if name == SECURENET:
        application = _application(psp)
        return lambda key, card: securenet.client_token(endpoint, key, _details(card), application)
    endpoint = endpoint or worldpay_online.DEFAULT_ENDPOINT
    return lambda key, card: worldpay_online.client_token(endpoint, key, _details(card))


def _worldpay_online(psp: Psp) -> dict[str, object]:
    settings: dict[str, object] = {
        "merchant_service_key": psp.get("merchant_service_key") or psp.get("hte_private_key", ""),
        "merchant_client_key": psp.get("merchant_client_key", ""),
    }
    if psp.get("api_endpoint"):
        settings["api_endpoint"] = psp["api_endpoint"]
    return settings


def _securenet(psp: Psp) -> dict[str, object]:
    settings: dict[str, object] = {name: psp[name] for name in _SECURENET if name in psp}
    settings["developer_id"] = _application(psp).developer_id
    return settings


_SECURENET = (
    "api_endpoint",
    "app_version",
    "public_key",
    "secure_key",
    "secure_net_id",
    "http_proxy",
    "currency",
)
_SETTINGS = {WORLDPAY_ONLINE: _worldpay_online, SECURENET: _securenet}
_BRIDGES: Mapping[str, Callable[[Mapping[str, object], Clock, IdSource], Bridge]] = {
    WORLDPAY_ONLINE: worldpay_online.bridge,
    SECURENET: securenet.bridge,
}


def _check_way(endpoint: str, *, allow_plain: bool) -> None:
    try:
        private = is_private_way(endpoint)
    except ValueError:
        raise BadArgument("PSP_COLLECTION", "CORE", "api_endpoint is not an address") from None
    if not (private or allow_plain):
        raise BadArgument("PSP_COLLECTION", "CORE", "a card does not travel over plain http")


def _name(psp: Psp) -> str:
    if not psp:
        raise BadArgument("PSP_CONFIG_NOT_SET", "CORE", "psp config not set")
    name = psp.get("psp_name", "")
    if name not in _BRIDGES:
        raise BadArgument("PSP_UNKNOWN", "CORE", f"unknown psp {name!r:.40}")
    return name


def _application(psp: Psp) -> Application:
    number = psp.get("developer_id", "")
    if not (number.isascii() and number.isdigit()):
        raise BadArgument("PARSE_DEVELOPER_ID", "CORE", "developer id is not a whole number")
    return Application(int(number), psp.get("app_version", ""))


def _credential(name: str, text: str) -> BadArgument:
    nested = BadArgument(name, "HTE", text)
    return BadArgument("HTENEWCREDENTIAL", "WPW", "failed to create hte credential", nested)


def _details(card: HceCard) -> CardDetails:
    return CardDetails(card.holder, card.exp_month, card.exp_year, card.number, card.cvc, card.kind)
