"""Messages to JSON and back, as Go's encoding/json does it, which is what the peers are made with.

Reading: keys without case, unknown keys ignored, missing keys and null give the zero value, of two
equal keys the last counts; a wrong type, a number with a point or anything behind the value makes
the whole message unreadable (WIRE 1.1, 2.1). Writing: keys in the order of the originals, `&`, `<`,
`>` and two line separators escaped, and a newline at the end of bodies.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from tollbridge.faces.within.messages import (
    NO_SECRET,
    ZERO_TIME,
    BeginRequest,
    BeginResponse,
    Broadcast,
    DeliveryToken,
    EndRequest,
    EndResponse,
    PaymentRequest,
    PaymentResponse,
    Price,
    PriceList,
    PricePerUnit,
    Refusal,
    ServiceDetails,
    ServiceList,
    Total,
    TotalRequest,
)
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.wire import json

M = TypeVar("M")

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ESCAPED = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028",
            "\u2029": "\\u2029"}  # fmt: skip
_TO_ESCAPE = re.compile(f"[{''.join(_ESCAPED)}]")


def write(message: object) -> bytes:
    """Write a message as one JSON value, without a newline."""
    text = json.write(_written(message)).decode()
    return _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], text).encode()


def write_body(message: object) -> bytes:
    """Write a message as the body of an answer: with a newline."""
    return write(message) + b"\n"


def read(kind: type[M], data: bytes) -> M:
    """Read a message of a kind. Raises RemoteProtocolError naming what is wrong."""
    value = json.read(data, last_of_equal_keys=True)
    return _read(kind, {} if value is None else value, kind.__name__)


def parse_time(text: str) -> datetime:
    """Parse an RFC 3339 time with a zone; fractions beyond microseconds are cut.

    Raises ValueError.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("not an RFC 3339 time with a zone")
    day, fraction, zone = found.groups()
    return datetime.fromisoformat(day + (fraction or "")[:7] + zone)


# How a value of each kind is read and written


@dataclass(frozen=True, slots=True)
class _Kind:
    read: Callable[[Any, str], Any]
    write: Callable[[Any], Any]
    zero: Callable[[], Any]


def _read(kind: type[M], value: Any, where: str) -> M:
    if not isinstance(value, Mapping):
        raise RemoteProtocolError(f"{where}: a JSON object expected")
    fields: dict[str, Any] = {}
    known = _BY_KEY[kind]
    for key, item in value.items():
        found = known.get(key.lower())
        if found is not None and item is not None:
            fields[found[0]] = found[1].read(item, f"{where}.{key:.40}")
    return kind(**fields)


def _written(message: Any) -> Mapping[str, Any]:
    kind = type(message)
    written = {}
    for key, name, value in _FIELDS[kind]:
        item = getattr(message, name)
        if (kind, key) not in _OMITTED or item != _OMITTED[kind, key]:
            written[key] = value.write(item)
    return written


def _same(value: Any) -> Any:
    return value


def _typed(kind: type, zero: Any) -> _Kind:
    def check(value: Any, where: str) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise RemoteProtocolError(f"{where}: {kind.__name__} expected")
        return value

    return _Kind(check, _same, lambda: zero)


def _list(item: _Kind, *, empty_as_null: bool) -> _Kind:
    def check(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise RemoteProtocolError(f"{where}: a list expected")
        return tuple(
            item.zero() if one is None else item.read(one, f"{where}[{place}]")
            for place, one in enumerate(value)
        )

    def put(value: Any) -> Any:
        return [item.write(one) for one in value] if value or not empty_as_null else None

    return _Kind(check, put, tuple)


def _nested(kind: type) -> _Kind:
    return _Kind(lambda value, where: _read(kind, value, where), _written, kind)


def _secret(value: Any, where: str) -> Secret[str]:
    return Secret(_TEXT.read(value, where))


def _time(value: Any, where: str) -> str:
    text: str = _TEXT.read(value, where)
    try:
        parse_time(text)
    except ValueError as error:
        raise RemoteProtocolError(f"{where}: {error}") from None
    return text


def _base64(value: Any, where: str) -> str:
    text: str = _TEXT.read(value, where)
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise RemoteProtocolError(f"{where}: base64 expected") from None
    return text


def _per_unit(value: Any, where: str) -> PricePerUnit:
    """Read an amount with its currency, or, from pages of the early documentation, a bare one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return PricePerUnit(value)
    return _read(PricePerUnit, value, where)


def _token(value: Any, where: str) -> DeliveryToken:
    """Read a token, or a bare key; what came is kept to be given back unchanged."""
    if isinstance(value, str):
        return DeliveryToken(Secret(value), as_received={"key": value})
    token = _read(DeliveryToken, value, where)
    return DeliveryToken(
        token.key, token.issued, token.expiry, token.refund_on_expiry, token.signature, value
    )


def _token_written(token: DeliveryToken) -> Mapping[str, Any]:
    return token.as_received if token.as_received is not None else _written(token)


_TEXT = _typed(str, "")
_NUMBER = _typed(int, 0)
_FLAG = _typed(bool, False)
_SECRET = _Kind(_secret, Secret.reveal, lambda: NO_SECRET)
_TIMES = _Kind(_time, _same, lambda: ZERO_TIME)
_SIGNATURE = _Kind(_base64, _same, lambda: None)
_TYPES = _Kind(_list(_TEXT, empty_as_null=False).read, list, lambda: None)
_TOKEN = _Kind(_token, _token_written, DeliveryToken)

_Fields = tuple[tuple[str, str, _Kind], ...]

# key on the wire, our name, kind; in the order the originals write them
_FIELDS: dict[type, _Fields] = {
    Broadcast: (
        ("deviceDescription", "device_description", _TEXT),
        ("hostname", "hostname", _TEXT),
        ("portNumber", "port_number", _NUMBER),
        ("serverID", "server_id", _TEXT),
        ("urlPrefix", "url_prefix", _TEXT),
        ("scheme", "scheme", _TEXT),
        ("deviceName", "device_name", _TEXT),
        ("serviceTypes", "service_types", _TYPES),
    ),
    ServiceDetails: (
        ("ServiceID", "service_id", _NUMBER),
        ("ServiceDescription", "description", _TEXT),
        ("ServiceName", "name", _TEXT),
        ("ServiceType", "service_type", _TEXT),
    ),
    PricePerUnit: (
        ("amount", "amount_minor", _NUMBER),
        ("currencyCode", "currency_code", _TEXT),
    ),
    TotalRequest: (
        ("clientID", "client_id", _TEXT),
        ("selectedNumberOfUnits", "units", _NUMBER),
        ("selectedPriceID", "price_id", _NUMBER),
    ),
    Total: (
        ("serverID", "server_id", _TEXT),
        ("clientID", "client_id", _TEXT),
        ("priceID", "price_id", _NUMBER),
        ("unitsToSupply", "units", _NUMBER),
        ("totalPrice", "total_minor", _NUMBER),
        ("currencyCode", "currency_code", _TEXT),
        ("paymentReferenceID", "payment_reference", _TEXT),
        ("merchantClientKey", "merchant_client_key", _TEXT),
    ),
    PaymentRequest: (
        ("clientID", "client_id", _TEXT),
        ("clientToken", "client_token", _SECRET),
        ("paymentReferenceID", "payment_reference", _TEXT),
    ),
    DeliveryToken: (
        ("key", "key", _SECRET),
        ("issued", "issued", _TIMES),
        ("expiry", "expiry", _TIMES),
        ("refundOnExpiry", "refund_on_expiry", _FLAG),
        ("signature", "signature", _SIGNATURE),
    ),
    PaymentResponse: (
        ("serverID", "server_id", _TEXT),
        ("clientID", "client_id", _TEXT),
        ("totalPaid", "total_paid_minor", _NUMBER),
        ("serviceDeliveryToken", "token", _TOKEN),
    ),
    BeginRequest: (
        ("clientID", "client_id", _TEXT),
        ("serviceDeliveryToken", "token", _TOKEN),
        ("unitsToSupply", "units", _NUMBER),
    ),
    BeginResponse: (
        ("serverID", "server_id", _TEXT),
        ("clientID", "client_id", _TEXT),
        ("serviceDeliveryToken", "token", _TOKEN),
        ("unitsToSupply", "units", _NUMBER),
    ),
    EndRequest: (
        ("clientID", "client_id", _TEXT),
        ("serviceDeliveryToken", "token", _TOKEN),
        ("unitsReceived", "units_received", _NUMBER),
    ),
    EndResponse: (
        ("serverID", "server_id", _TEXT),
        ("clientID", "client_id", _TEXT),
        ("serviceDeliveryToken", "token", _TOKEN),
        ("unitsJustSupplied", "units_just_supplied", _NUMBER),
        ("unitsRemaining", "units_remaining", _NUMBER),
    ),
    Refusal: (
        ("HTTPStatusCode", "status", _NUMBER),
        ("message", "message", _TEXT),
        ("errorCode", "code", _NUMBER),
    ),
}
_FIELDS[Price] = (
    ("priceID", "price_id", _NUMBER),
    ("priceDescription", "description", _TEXT),
    ("pricePerUnit", "per_unit", _Kind(_per_unit, _nested(PricePerUnit).write, PricePerUnit)),
    ("unitID", "unit_id", _NUMBER),
    ("unitDescription", "unit_description", _TEXT),
    ("serviceID", "service_id", _NUMBER),
)
_FIELDS[ServiceList] = (
    ("serverID", "server_id", _TEXT),
    ("services", "services", _list(_nested(ServiceDetails), empty_as_null=True)),
    ("publicKey", "public_key", _TEXT),
)
_FIELDS[PriceList] = (
    ("serverID", "server_id", _TEXT),
    ("prices", "prices", _list(_nested(Price), empty_as_null=True)),
)
_OMITTED: dict[tuple[type, str], object] = {
    (Broadcast, "serviceTypes"): None,  # a device without services says []
    (Price, "serviceID"): 0,
    (ServiceList, "publicKey"): "",
}
_BY_KEY = {
    kind: {key.lower(): (name, value) for key, name, value in fields}
    for kind, fields in _FIELDS.items()
}
