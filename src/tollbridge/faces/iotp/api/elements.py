"""The elements that several functions share (RFC 3867, 3.2 and 4): contents, brands, errors."""

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from decimal import Decimal

from tollbridge.faces.iotp.api.words import (
    ISO_4217,
    AlgorithmType,
    ErrorCode,
    Severity,
    Transform,
)
from tollbridge.wire.xml import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Packaged content, handed on as it is (RFC 2801, 3.7).

    `content` says what the text is: PCDATA, MIME, MIME:type or XML; `transform` how it is written.
    The field that holds it tells which element it stands in.
    """

    text: str = ""
    name: str | None = None
    content: str = "PCDATA"
    transform: Transform = Transform.NONE

    @classmethod
    def of(cls, data: bytes, name: str | None = None) -> "Content":
        """Package bytes, in base 64."""
        return cls(text=b64encode(data).decode(), name=name, transform=Transform.BASE64)

    @property
    def data(self) -> bytes:
        """The bytes inside. Raises ValueError when base 64 is said and it is none."""
        if self.transform is Transform.NONE:
            return self.text.encode()
        try:
            return b64decode("".join(self.text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("not base 64") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandItem:
    """An accepted brand; becomes a Brand element."""

    brand_id: str
    brand_name: str
    brand_logo_net_locn: str
    brand_narrative: str | None = None
    lang: str | None = None
    brand_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyAmount:
    """An amount in a currency."""

    curr_code_type: str = ISO_4217
    curr_code: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """Names a brand."""

    brand_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolBrand:
    """A scheme's own code for a brand."""

    protocol_id: str
    protocol_brand_id: str
    protocol_brand_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentHandlerOrg:
    """Who handles payments by a protocol; our addition to the printed model (X2)."""

    org_id: str
    legal_name: str | None = None
    short_desc: str | None = None
    logo_net_locn: str | None = None
    cancel_net_locn: str | None = None
    error_net_locn: str | None = None
    error_log_net_locn: str | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolItem:
    """A way to pay; becomes PayProtocol, ProtocolAmount and CurrencyAmount elements."""

    protocol_id: str
    protocol_name: str
    protocol_brand_id: str | None = None
    pay_req_net_locn: str | None = None
    sec_pay_req_net_locn: str | None = None
    lang: str | None = None
    protocol_amount_packaged_content: tuple[Content, ...] = ()
    pay_protocol_packaged_content: tuple[Content, ...] = ()
    currency_amounts: tuple[CurrencyAmount, ...]
    brands: tuple[Brand, ...] = ()
    protocol_brands: tuple[ProtocolBrand, ...] = ()
    payment_handler_org: PaymentHandlerOrg | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayInstrument:
    """An instrument in a wallet: the bridge's id for it and the label its owner gave it."""

    id: str
    pay_inst_name: str
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstrumentProperty:
    """Something to know of an instrument: for machines (value) and for people (desc)."""

    property_type: str
    property_value: str
    property_desc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentProperty:
    """Something to know of a payment: for machines (value) and for people (desc)."""

    property_type: str
    property_value: str
    property_desc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentId:
    """Names a payment by its caller's own id."""

    pay_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Something an algorithm needs; anything may stand inside."""

    type: str
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A way to authenticate (RFC 2802): `name` from the registry (`sha1`, `Pay:VISA`, `x-…`)."""

    id: str
    name: str
    type: AlgorithmType | None = None
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLocation:
    """Where an error is. The three references to a message stay empty here: the core knows them."""

    element_type: str
    element_ref: str | None = None
    att_name: str | None = None
    iotp_msg_ref: str | None = None
    blk_ref: str | None = None
    comp_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorResponse:
    """What a bridge says went wrong (3.1).

    `error_desc` is for the user. `min_retry_secs`: when to come again after a TransientError, whole
    seconds as text. `pay_scheme_packaged_content` goes to the counterparty in the Error Block.
    """

    error_code: ErrorCode
    error_desc: str
    severity: Severity = Severity.HARD_ERROR
    min_retry_secs: str | None = None
    sw_vendor_error_ref: str | None = None
    lang: str | None = None
    error_locations: tuple[ErrorLocation, ...]
    pay_scheme_packaged_content: tuple[Content, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes it is about."""
        return tuple([place.att_name for place in self.error_locations if place.att_name])
