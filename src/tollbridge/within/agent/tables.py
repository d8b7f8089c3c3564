"""The agent's Thrift interface: every struct, method and callback with its ids (WIRE 4.1-4.4).

There is no generated code. Tables say what is written, which is the newest revision (G6), and what
else is understood when it comes from older programs; `values.py` reads and writes by them.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from thrift.Thrift import TType


class Scalar(Enum):
    """A value that is not made of others."""

    BOOL = "bool"
    I32 = "i32"
    STRING = "string"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map."""

    key: "Kind"
    value: "Kind"


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set; in Python a list, as what is in it cannot be hashed."""

    item: "Kind"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct, or an argument."""

    id: int
    name: str
    kind: "Kind"


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields in the order they are written; `older` are read as well, and never written.

    A field is known by its id and its type on the wire, so an id may stand here twice.
    """

    name: str
    fields: tuple[Field, ...] = ()
    older: tuple[Field, ...] = ()
    known: dict[tuple[int, int], Field] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        known = {(one.id, wire_type(one.kind)): one for one in (*self.fields, *self.older)}
        object.__setattr__(self, "known", known)


Kind: TypeAlias = Scalar | Struct | MapOf | SetOf

_SCALAR_TYPES = {
    Scalar.BOOL: TType.BOOL,
    Scalar.I32: TType.I32,
    Scalar.STRING: TType.STRING,
    Scalar.BINARY: TType.STRING,
}


def wire_type(kind: Kind) -> int:
    """Give the type code a kind has on the wire."""
    match kind:
        case Scalar():
            found: int = _SCALAR_TYPES[kind]
        case Struct():
            found = TType.STRUCT
        case MapOf():
            found = TType.MAP
        case SetOf():
            found = TType.SET
    return found


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its arguments, and what it returns if anything."""

    name: str
    arguments: Struct
    returns: Kind | None = None

    @property
    def result(self) -> Struct:
        """The struct of its reply: the value in field 0, or nothing."""
        fields = () if self.returns is None else (Field(0, "success", self.returns),)
        return Struct(f"{self.name}_result", fields)


def _fields(*columns: tuple[str, Kind]) -> tuple[Field, ...]:
    return tuple(Field(place, name, kind) for place, (name, kind) in enumerate(columns, 1))


def _method(name: str, *columns: tuple[str, Kind], returns: Kind | None = None) -> Method:
    return Method(name, Struct(f"{name}_args", _fields(*columns)), returns)


BOOL, I32, STRING, BINARY = Scalar.BOOL, Scalar.I32, Scalar.STRING, Scalar.BINARY

PRICE_PER_UNIT = Struct("PricePerUnit", _fields(("amount", I32), ("currencyCode", STRING)))
PRICE = Struct(
    "Price",
    _fields(
        ("id", I32),
        ("description", STRING),
        ("pricePerUnit", PRICE_PER_UNIT),
        ("unitId", I32),
        ("unitDescription", STRING),
    ),
)
SERVICE = Struct(
    "Service",
    _fields(
        ("id", I32),
        ("name", STRING),
        ("description", STRING),
        ("serviceType", STRING),
        ("prices", MapOf(I32, PRICE)),
    ),
    older=(Field(4, "prices_G4", MapOf(I32, PRICE)),),
)
HCE_CARD = Struct(
    "HCECard",
    _fields(
        ("firstName", STRING),
        ("lastName", STRING),
        ("expMonth", I32),
        ("expYear", I32),
        ("cardNumber", STRING),
        ("type", STRING),
        ("cvc", STRING),
    ),
)
DEVICE = Struct(
    "Device",
    _fields(
        ("uid", STRING),
        ("name", STRING),
        ("description", STRING),
        ("services", MapOf(I32, SERVICE)),
        ("ipv4Address", STRING),
        ("currencyCode", STRING),
    ),
)
SERVICE_MESSAGE = Struct(
    "ServiceMessage",
    _fields(
        ("deviceDescription", STRING),
        ("hostname", STRING),
        ("portNumber", I32),
        ("serverId", STRING),
        ("urlPrefix", STRING),
        ("scheme", STRING),
        ("deviceName", STRING),
        ("serviceTypes", SetOf(STRING)),
    ),
)
SERVICE_DETAILS = Struct(
    "ServiceDetails",
    _fields(
        ("serviceId", I32),
        ("serviceDescription", STRING),
        ("serviceName", STRING),
        ("serviceType", STRING),
    ),
)
TOTAL = Struct(
    "TotalPriceResponse",
    _fields(
        ("serverId", STRING),
        ("clientId", STRING),
        ("priceId", I32),
        ("unitsToSupply", I32),
        ("totalPrice", I32),
        ("paymentReferenceId", STRING),
        ("merchantClientKey", STRING),
        ("currencyCode", STRING),
    ),
)
TOKEN = Struct(
    "ServiceDeliveryToken",
    _fields(
        ("key", STRING),
        ("issued", STRING),
        ("expiry", STRING),
        ("refundOnExpiry", BOOL),
        ("signature", BINARY),
    ),
)
PAYMENT_RESPONSE = Struct(
    "PaymentResponse",
    _fields(
        ("serverId", STRING),
        ("clientId", STRING),
        ("totalPaid", I32),
        ("serviceDeliveryToken", TOKEN),
    ),
)
_PSP_CONFIG = MapOf(STRING, STRING)

CLOSE = "CloseRPCAgent"

METHODS = {
    method.name: method
    for method in (
        _method("setup", ("name", STRING), ("description", STRING), ("interfaceAddr", STRING)),
        _method("addService", ("svc", SERVICE)),
        _method("removeService", ("svc", SERVICE)),
        _method(
            "initConsumer",
            ("scheme", STRING),
            ("hostname", STRING),
            ("port", I32),
            ("urlPrefix", STRING),
            ("clientID", STRING),
            ("hceCard", HCE_CARD),
            ("pspConfig", _PSP_CONFIG),
        ),
        Method(
            "initProducer",
            Struct(
                "initProducer_args",
                _fields(("pspConfig", _PSP_CONFIG)),
                older=_fields(("merchantClientKey", STRING), ("merchantServiceKey", STRING)),
            ),
        ),
        _method("getDevice", returns=DEVICE),
        _method("startServiceBroadcast", ("timeoutMillis", I32)),
        _method("stopServiceBroadcast"),
        _method("deviceDiscovery", ("timeoutMillis", I32), returns=SetOf(SERVICE_MESSAGE)),
        _method(
            "searchForDevice",
            ("timeoutMillis", I32),
            ("deviceName", STRING),
            returns=SERVICE_MESSAGE,
        ),
        _method("requestServices", returns=SetOf(SERVICE_DETAILS)),
        _method("getServicePrices", ("serviceId", I32), returns=SetOf(PRICE)),
        _method(
            "selectService",
            ("serviceId", I32),
            ("numberOfUnits", I32),
            ("priceId", I32),
            returns=TOTAL,
        ),
        _method("makePayment", ("request", TOTAL), returns=PAYMENT_RESPONSE),
        _method(
            "beginServiceDelivery",
            ("serviceID", I32),
            ("serviceDeliveryToken", TOKEN),
            ("unitsToSupply", I32),
            returns=TOKEN,
        ),
        _method(
            "endServiceDelivery",
            ("serviceID", I32),
            ("serviceDeliveryToken", TOKEN),
            ("unitsReceived", I32),
            returns=TOKEN,
        ),
        _method(CLOSE),
    )
}


class Shape(Enum):
    """How `beginServiceDelivery` is told to a listener, whose revision is not known for sure.

    BOTH carries the fields of both under their ids; readers pass over those of the other type, as
    all but Go's do.
    """

    NEW = "new"  # G4 and later: with the id of the price
    OLD = "old"  # G1 to G3
    BOTH = "both"


_BEGIN_NEW = _fields(
    ("serviceID", I32),
    ("servicePriceID", I32),
    ("serviceDeliveryToken", TOKEN),
    ("unitsToSupply", I32),
)
_BEGIN_OLD = _fields(("serviceID", I32), ("serviceDeliveryToken", TOKEN), ("unitsToSupply", I32))

BEGIN_DELIVERY = {
    Shape.NEW: Method("beginServiceDelivery", Struct("beginServiceDelivery_args", _BEGIN_NEW)),
    Shape.OLD: Method("beginServiceDelivery", Struct("beginServiceDelivery_args", _BEGIN_OLD)),
    Shape.BOTH: Method(
        "beginServiceDelivery",
        Struct("beginServiceDelivery_args", (*_BEGIN_NEW, *_BEGIN_OLD[1:])),
    ),
}
END_DELIVERY = _method(
    "endServiceDelivery",
    ("serviceID", I32),
    ("serviceDeliveryToken", TOKEN),
    ("unitsReceived", I32),
)
PAYMENT_EVENT = _method(
    "makePaymentEvent",
    ("totalPrice", I32),
    ("orderCurrency", STRING),
    ("clientToken", STRING),
    ("orderDescription", STRING),
    ("uuid", STRING),
)
DISCOVERY_EVENT = _method("serviceDiscoveryEvent", ("remoteAddr", STRING))
PRICES_EVENT = _method("servicePricesEvent", ("remoteAddr", STRING), ("serviceId", I32))
TOTAL_EVENT = _method(
    "serviceTotalPriceEvent",
    ("remoteAddr", STRING),
    ("serviceID", I32),
    ("totalPriceResp", TOTAL),
)
ERROR_EVENT = _method("errorEvent", ("msg", STRING))
