"""Which attributes and children every element of the Payment API has, and table 1.

The rows of `calls` and those of the shared elements below, joined with the names of `names`. Codec,
checks and dispatch read these tables and know no function by name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tollbridge.faces.iotp.api import calls, elements
from tollbridge.faces.iotp.api.names import ATTRIBUTES, CHILDREN, PACKAGED, Named
from tollbridge.faces.iotp.api.words import Obligation, Role

_PACKAGED_ROW = "Name Content=PCDATA Transform=NONE"
_PROPERTY_ROW = "PropertyType! PropertyValue! PropertyDesc!"

ELEMENT_ROWS: Mapping[str, str] = {
    "BrandItem": "BrandId! xml:lang BrandName! BrandLogoNetLocn! BrandNarrative"
    " | BrandPackagedContent*",
    "ProtocolItem": "ProtocolId! ProtocolBrandId xml:lang ProtocolName! PayReqNetLocn"
    " SecPayReqNetLocn | ProtocolAmountPackagedContent* PayProtocolPackagedContent*"
    " CurrencyAmount+ Brand* ProtocolBrand* PaymentHandlerOrg?",
    "Brand": "BrandId!",
    "CurrencyAmount": "CurrCodeType=ISO4217-A CurrCode Amount",
    "PaymentHandlerOrg": "xml:lang OrgId! LegalName ShortDesc LogoNetLocn CancelNetLocn"
    " ErrorNetLocn ErrorLogNetLocn",
    "ProtocolBrand": "ProtocolId! ProtocolBrandId! | ProtocolBrandPackagedContent*",
    "PayInstrument": "Id! xml:lang PayInstName!",
    "PaymentInstrumentProperty": _PROPERTY_ROW,
    "PaymentProperty": _PROPERTY_ROW,
    "PaymentId": "PayId!",
    "Algorithm": "ID! type name! | Parameter*",
    "Parameter": "type!",
    "ErrorLocation": "ElementType! IotpMsgRef BlkRef CompRef ElementRef AttName",
    "ErrorResponse": "xml:lang ErrorCode! ErrorDesc! Severity! MinRetrySecs SwVendorErrorRef"
    " | ErrorLocation+ PaySchemePackagedContent*",
    **dict.fromkeys(sorted(PACKAGED), _PACKAGED_ROW),
}
"""The shared elements, written as the rows of `calls` are."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of one element. `default` "" when it has none."""

    xml: str
    named: Named
    required: bool
    default: str = ""


@dataclass(frozen=True, slots=True)
class Child:
    """A child element: `occurs` is `1`, `?`, `*` or `+`, `python` the field that holds it."""

    xml: str
    python: str
    occurs: str

    @property
    def many(self) -> bool:
        """Whether the field holds a tuple."""
        return self.occurs in "*+"

    @property
    def required(self) -> bool:
        """Whether it must be there."""
        return self.occurs in "1+"


@dataclass(frozen=True, slots=True)
class Shape:
    """An element and the type that stands for it; children in the order of the standard."""

    xml: str
    type: type[Any]
    attributes: tuple[Attribute, ...]
    children: tuple[Child, ...]

    def attribute(self, xml: str) -> Attribute | None:
        """Find an attribute by its name in XML."""
        return next((item for item in self.attributes if item.xml == xml), None)


@dataclass(frozen=True, slots=True)
class Function:
    """One of the 24 functions. `method` is what it is called on a PaymentBridge."""

    name: str
    section: str
    method: str
    request: Shape
    response: Shape
    roles: Mapping[Role, Obligation]


def _attribute(word: str) -> Attribute:
    name, mark, default = re.fullmatch(r"([\w:]+)(!|=|)(.*)", word).groups()  # type: ignore[union-attr]
    named = ATTRIBUTES[name]
    if name == "type":
        return _type_attribute(mark)
    return Attribute(name, named, mark == "!", default)


def _type_attribute(mark: str) -> Attribute:
    """Give `type`: a choice in Algorithm, any text in Parameter (both of RFC 2802)."""
    return Attribute("type", ATTRIBUTES["type" if mark else "type?"], mark == "!")


def _child(word: str) -> Child:
    tag, occurs = word[:-1], word[-1]
    one, many = CHILDREN[tag]
    return Child(tag, many if occurs in "*+" else one, occurs)


def _shape(xml: str, kind: type[Any], row: str) -> Shape:
    left, _, right = row.partition("|")
    attributes = tuple([_attribute(word) for word in left.split()])
    return Shape(xml, kind, attributes, tuple([_child(word) for word in right.split()]))


def _function(row: calls.Row) -> Function:
    asked = row.request.__name__
    roles = (word.partition("=") for word in row.roles.split())
    return Function(
        row.name,
        row.section,
        re.sub(r"(?<!^)(?=[A-Z])", "_", asked).lower(),
        _shape(asked, row.request, row.asked),
        _shape(row.response.__name__, row.response, row.answered),
        MappingProxyType({Role(role): Obligation(word) for role, _, word in roles}),
    )


FUNCTIONS: tuple[Function, ...] = tuple([_function(row) for row in calls.ROWS])
"""All functions, in the order of the standard."""

REQUESTS: Mapping[str, Function] = {one.request.xml: one for one in FUNCTIONS}
"""Functions by the name of their request."""

RESPONSES: Mapping[str, Function] = {one.response.xml: one for one in FUNCTIONS}
"""Functions by the name of their response (CheckAuthResponse is a request)."""

ELEMENTS: Mapping[str, Shape] = {
    tag: _shape(tag, elements.Content if tag in PACKAGED else getattr(elements, tag), row)
    for tag, row in ELEMENT_ROWS.items()
}
"""The shared elements."""

SHAPES: Mapping[str, Shape] = {
    **ELEMENTS,
    **{one.request.xml: one.request for one in FUNCTIONS},
    **{one.response.xml: one.response for one in FUNCTIONS},
}
"""Every element but the two wrappers."""

BY_TYPE: Mapping[type[Any], Shape] = {
    shape.type: shape for shape in SHAPES.values() if shape.type is not elements.Content
}
"""Shapes by the type that stands for them; that of contents depends on where they stand."""

OBLIGATIONS: Mapping[Role, Mapping[str, Obligation]] = {
    role: {one.request.xml: one.roles[role] for one in FUNCTIONS if role in one.roles}
    for role in Role
}
"""Table 1: what each role implements, by the name of the request."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Brand Compilation": (
        "FindAcceptedPaymentBrand",
        "FindAcceptedPaymentProtocol",
        "GetPaymentInitializationData",
        "InquireAuthChallenge",
        "CheckAuthResponse",
        "ChangeProcessState",
    ),
    "Brand Selection": (
        "FindPaymentInstrument",
        "CheckPaymentPossibility",
        "Authenticate",
        "ChangeProcessState",
    ),
    "Payment Processing": (
        "StartPaymentConsumer",
        "StartPaymentPaymentHandler",
        "ResumePaymentConsumer",
        "ResumePaymentPaymentHandler",
        "ContinueProcess",
        "ChangeProcessState",
    ),
    "General Inquiry": (
        "RemovePaymentLog",
        "PaymentInstrumentInquiry",
        "InquirePendingPayment",
    ),
    "Payment Processing Related Inquiry": (
        "CheckPaymentReceipt",
        "ExpandPaymentReceipt",
        "InquireProcessState",
        "StartPaymentInquiry",
        "InquirePaymentStatus",
        "ContinueProcess",
        "ChangeProcessState",
    ),
    "Other": ("ManagePaymentSoftware", "CallBack"),
}
"""The groups of section 2; in the first two, Change Process State is for abnormal ends only."""


def function_of(call: object) -> Function:
    """Give the function a request belongs to."""
    return REQUESTS[type(call).__name__]
