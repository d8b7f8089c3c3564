"""Between what Thrift carries and our messages (WIRE 4.9).

A delivery token loses the fractions of its times and its zone on the way to a program and back, so
the agent remembers tokens as producers wrote them and sends those on.
"""

import base64
import contextlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.catalogue import Service
from tollbridge.faces.within.codec import parse_time
from tollbridge.faces.within.errors import BadArgument
from tollbridge.faces.within.messages import (
    ZERO_TIME,
    Broadcast,
    DeliveryToken,
    PaymentResponse,
    Price,
    PricePerUnit,
    ServiceDetails,
    Total,
)
from tollbridge.ground.secret import Secret

Values = dict[str, Any]

DEFAULT_ENDPOINT = "https://api.worldpay.com/v1"
WORLDPAY_ONLINE = {"psp_name": "worldpayonlinepayments", "api_endpoint": DEFAULT_ENDPOINT}
TOKENS_REMEMBERED_MAX = 1000

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


class Tokens:
    """Remembers tokens as they came, by their keys, and writes and reads them."""

    def __init__(self) -> None:
        self._originals: OrderedDict[Secret[str], DeliveryToken] = OrderedDict()

    def remember(self, token: DeliveryToken) -> Values:
        """Write a token for a program, and keep it as it is."""
        self._originals[token.key] = token
        self._originals.move_to_end(token.key)
        if len(self._originals) > TOKENS_REMEMBERED_MAX:
            self._originals.popitem(last=False)
        return token_out(token)

    def original(self, values: Values) -> DeliveryToken:
        """Find what a program's token was; one that never came by is taken at its word.

        Raises BadArgument when its times cannot be read.
        """
        key = Secret(values.get("key", ""))
        known = self._originals.get(key)
        if known is not None:
            return known
        signature = values.get("signature", b"")
        return DeliveryToken(
            key,
            _time_in(values, "issued"),
            _time_in(values, "expiry"),
            values.get("refundOnExpiry", False),
            base64.b64encode(signature).decode() if signature else None,
        )


def _time_in(values: Values, name: str) -> str:
    text: str = values.get(name, "")
    with contextlib.suppress(ValueError):
        if _TIME.fullmatch(text):
            parse_time(text)
            return text
    raise BadArgument(
        "CONVERT_VALUE", "GENERAL", f"serviceDeliveryToken.{name} is not a time in UTC"
    )


def _time_out(text: str) -> str:
    try:
        moment = parse_time(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return ZERO_TIME
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def token_out(token: DeliveryToken) -> Values:
    """Write a token, its times in UTC to the second."""
    return {
        "key": token.key.reveal(),
        "issued": _time_out(token.issued),
        "expiry": _time_out(token.expiry),
        "refundOnExpiry": token.refund_on_expiry,
        "signature": base64.b64decode(token.signature or ""),
    }


def price_out(price: Price) -> Values:
    """Write one rate."""
    return {
        "id": price.price_id,
        "description": price.description,
        "pricePerUnit": {
            "amount": price.per_unit.amount_minor,
            "currencyCode": price.per_unit.currency_code,
        },
        "unitId": price.unit_id,
        "unitDescription": price.unit_description,
    }


def _price_in(values: Values) -> Price:
    per_unit = values.get("pricePerUnit")
    if per_unit is None:
        raise BadArgument(
            "NO_DATA", "DATA", f"price {values.get('id', 0)} says nothing of pricePerUnit"
        )
    return Price(
        values.get("id", 0),
        values.get("description", ""),
        PricePerUnit(per_unit.get("amount", 0), per_unit.get("currencyCode", "")),
        values.get("unitId", 0),
        values.get("unitDescription", ""),
    )


def service_in(values: Values) -> Service:
    """Read a service of any revision. The ids of its prices count, not the keys of the map.

    Raises BadArgument for a price without an amount.
    """
    written = values.get("prices") or values.get("prices_G4") or {}
    prices: dict[int, Price] = {}
    for one in written.values():
        price = _price_in(one)
        prices.setdefault(price.price_id, price)
    return Service(
        service_id=values.get("id", 0),
        name=values.get("name", ""),
        description=values.get("description", ""),
        service_type=values.get("serviceType", ""),
        prices=prices,
    )


def service_out(service: Service) -> Values:
    """Write a service with its rates."""
    return {
        "id": service.service_id,
        "name": service.name,
        "description": service.description,
        "serviceType": service.service_type,
        "prices": {price.price_id: price_out(price) for price in service.prices.values()},
    }


def device_out(
    uid: str, name: str, description: str, ipv4_address: str, services: Iterable[Service]
) -> Values:
    """Write what a device says of itself; it has no currency, and says so with an empty text."""
    return {
        "uid": uid,
        "name": name,
        "description": description,
        "services": {service.service_id: service_out(service) for service in services},
        "ipv4Address": ipv4_address,
        "currencyCode": "",
    }


def card_in(values: Values | None) -> HceCard:
    """Read a card. Raises BadArgument when there is none."""
    if values is None:
        raise BadArgument("NO_DATA", "DATA", "hceCard is missing")
    return HceCard(
        first_name=values.get("firstName", ""),
        last_name=values.get("lastName", ""),
        exp_month=values.get("expMonth", 0),
        exp_year=values.get("expYear", 0),
        number=Secret(values.get("cardNumber", "")),
        cvc=Secret(values.get("cvc", "")),
        kind=values.get("type", "") or "Card",
    )


def consumer_psp_in(values: Values) -> Mapping[str, str]:
    """Read how a consumer reaches its payment provider; programs of 2016 do not say (G1)."""
    given: Mapping[str, str] = values.get("pspConfig", WORLDPAY_ONLINE)
    return given


def producer_psp_in(values: Values) -> Mapping[str, str]:
    """Read how a producer reaches its payment provider; programs of 2016 give two keys (G1)."""
    if not is_pair_of_keys(values):
        given: Mapping[str, str] = values.get("pspConfig", {})
        return given
    public = values.get("merchantClientKey", "")
    private = values.get("merchantServiceKey", "")
    return {
        **WORLDPAY_ONLINE,
        "hte_public_key": public,
        "hte_private_key": private,
        "merchant_client_key": public,
        "merchant_service_key": private,
    }


def is_pair_of_keys(values: Values) -> bool:
    """Say whether a program of 2016 initialises a producer."""
    return "merchantClientKey" in values or "merchantServiceKey" in values


def broadcast_out(found: Broadcast) -> Values:
    """Write what a producer says about itself."""
    return {
        "deviceDescription": found.device_description,
        "hostname": found.hostname,
        "portNumber": found.port_number,
        "serverId": found.server_id,
        "urlPrefix": found.url_prefix,
        "scheme": found.scheme,
        "deviceName": found.device_name,
        "serviceTypes": list(found.service_types or ()),
    }


def details_out(details: ServiceDetails) -> Values:
    """Write one service of a list."""
    return {
        "serviceId": details.service_id,
        "serviceDescription": details.description,
        "serviceName": details.name,
        "serviceType": details.service_type,
    }


def total_in(values: Values) -> Total:
    """Read a total. Java leaves its price out and Python its currency (WIRE 4.10)."""
    return Total(
        server_id=values.get("serverId", ""),
        client_id=values.get("clientId", ""),
        price_id=values.get("priceId", 0),
        units=values.get("unitsToSupply", 0),
        total_minor=values.get("totalPrice", 0),
        currency_code=values.get("currencyCode", ""),
        payment_reference=values.get("paymentReferenceId", ""),
        merchant_client_key=values.get("merchantClientKey", ""),
    )


def total_out(total: Total) -> Values:
    """Write a total."""
    return {
        "serverId": total.server_id,
        "clientId": total.client_id,
        "priceId": total.price_id,
        "unitsToSupply": total.units,
        "totalPrice": total.total_minor,
        "paymentReferenceId": total.payment_reference,
        "merchantClientKey": total.merchant_client_key,
        "currencyCode": total.currency_code,
    }


def payment_out(response: PaymentResponse, tokens: Tokens) -> Values:
    """Write what a payment brought."""
    return {
        "serverId": response.server_id,
        "clientId": response.client_id,
        "totalPaid": response.total_paid_minor,
        "serviceDeliveryToken": tokens.remember(response.token),
    }
