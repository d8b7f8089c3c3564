"""The trading components and what stands in them (RFC 2801, 3.3 and 7), each as a value.

Field names are those of the standard in Python's spelling; what may be missing is None or ().
Times are instants, amounts are decimals, see `money` for both as money. Docstrings name the
section, and say what the document type cannot.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ISO_4217, PayDirection, ProcessState, Severity
from tollbridge.faces.iotp.message.shape import (
    ANYTHING,
    Kind,
    Named,
    Part,
    at,
    many,
    maybe,
    one,
    some,
)
from tollbridge.ground.clock import Instant
from tollbridge.wire.xml import Node

_LANG = at("xml:lang", Kind.WORD)
_SOFTWARE = at("ContentSoftwareId")


# The transaction reference block


@dataclass(frozen=True, slots=True, kw_only=True)
class TransId(Named):
    """Names a transaction; the same, its own id included, in all of its messages (3.3.1).

    `time` is when it began, None where there is no clock to say so (`NA`).
    """

    version: str = field(default="1.0", metadata=at("Version", Kind.WORD))
    iotp_trans_id: str = field(metadata=at("IotpTransId"))
    iotp_trans_type: str = field(metadata=at("IotpTransType"))
    time: Instant | None = field(metadata=at("TransTimeStamp", Kind.TIME_OR_NA))


@dataclass(frozen=True, slots=True, kw_only=True)
class MsgId(Named):
    """Names a message; the same when it is sent again (3.3.2).

    `resp_iotp_msg` names the message that is answered: all but the first of a transaction do.
    """

    resp_iotp_msg: str | None = field(
        default=None, metadata=at("RespIotpMsg", Kind.REF, to="MsgId")
    )
    lang: str = field(metadata=_LANG)
    lang_pref_list: tuple[str, ...] = field(default=(), metadata=at("LangPrefList", Kind.WORDS))
    char_set_pref_list: tuple[str, ...] = field(
        default=(), metadata=at("CharSetPrefList", Kind.WORDS)
    )
    sender_trading_role_ref: str | None = field(
        default=None, metadata=at("SenderTradingRoleRef", Kind.REF, to="TradingRole")
    )
    software_id: str = field(metadata=at("SoftwareId"))
    time: Instant | None = field(default=None, metadata=at("TimeStamp", Kind.TIME))


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedTo(Named):
    """Points to another transaction, or to anything else (3.3.3)."""

    lang: str = field(metadata=_LANG)
    relationship_type: str = field(metadata=at("RelationshipType", Kind.WORD))
    relation: str = field(metadata=at("Relation"))
    reln_key_words: tuple[str, ...] = field(default=(), metadata=at("RelnKeyWords", Kind.WORDS))
    content: Content = field(metadata=one(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransRefBlk(Named):
    """Says which transaction and which message this is (3.3)."""

    trans_id: TransId = field(metadata=one(TransId))
    msg_id: MsgId = field(metadata=one(MsgId))
    related_to: tuple[RelatedTo, ...] = field(default=(), metadata=many(RelatedTo))


# Algorithms, which authentication and signatures share (RFC 2802, 4.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Part):
    """A parameter of an algorithm; what is inside depends on its type."""

    type: str = field(metadata=at("type"))
    content: tuple[Node, ...] = field(default=(), metadata=ANYTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm(Named):
    """Names how something is computed."""

    type: str | None = field(default=None, metadata=at("type", Kind.WORD))
    name: str = field(metadata=at("name", Kind.WORD))
    parameters: tuple[Parameter, ...] = field(default=(), metadata=many(Parameter))


# Components


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolOptions(Named):
    """Options for the whole transaction (7.1). One of the two sender locations is there."""

    lang: str = field(metadata=_LANG)
    short_desc: str = field(metadata=at("ShortDesc"))
    sender_net_locn: str | None = field(default=None, metadata=at("SenderNetLocn"))
    secure_sender_net_locn: str | None = field(default=None, metadata=at("SecureSenderNetLocn"))
    success_net_locn: str = field(metadata=at("SuccessNetLocn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthReq(Named):
    """Asks the other to authenticate itself in one way (7.2): the contents are the challenge."""

    authentication_id: str = field(metadata=at("AuthenticationId"))
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    algorithm: Algorithm = field(metadata=one(Algorithm))
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthResp(Named):
    """Answers one of the requests for authentication (7.3), here or in a signature."""

    authentication_id: str = field(metadata=at("AuthenticationId"))
    selected_algorithm_ref: str = field(
        metadata=at("SelectedAlgorithmRef", Kind.REF, to="Algorithm")
    )
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingRoleInfoReq(Named):
    """Asks for the organisations that play some roles (7.4)."""

    trading_role_list: tuple[str, ...] = field(metadata=at("TradingRoleList", Kind.WORDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Named):
    """What is bought, in words (7.5). Amounts are those of the payments; times are the offer's."""

    lang: str = field(metadata=_LANG)
    order_identifier: str = field(metadata=at("OrderIdentifier"))
    short_desc: str = field(metadata=at("ShortDesc"))
    ok_from: Instant = field(metadata=at("OkFrom", Kind.TIME))
    ok_to: Instant = field(metadata=at("OkTo", Kind.TIME))
    applicable_law: str = field(metadata=at("ApplicableLaw"))
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingRole(Named):
    """A role that an organisation plays (7.6.2), and where to send people and errors."""

    trading_role: str = field(metadata=at("TradingRole", Kind.WORD))
    iotp_msg_id_prefix: str = field(metadata=at("IotpMsgIdPrefix", Kind.WORD))
    cancel_net_locn: str | None = field(default=None, metadata=at("CancelNetLocn"))
    error_net_locn: str | None = field(default=None, metadata=at("ErrorNetLocn"))
    error_log_net_locn: str | None = field(default=None, metadata=at("ErrorLogNetLocn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactInfo(Part):
    """How to reach an organisation (7.6.3)."""

    lang: str | None = field(default=None, metadata=_LANG)
    tel: str | None = field(default=None, metadata=at("Tel"))
    fax: str | None = field(default=None, metadata=at("Fax"))
    email: str | None = field(default=None, metadata=at("Email"))
    net_locn: str | None = field(default=None, metadata=at("NetLocn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName(Part):
    """A person's name (7.6.4)."""

    lang: str | None = field(default=None, metadata=_LANG)
    title: str | None = field(default=None, metadata=at("Title"))
    given_name: str | None = field(default=None, metadata=at("GivenName"))
    initials: str | None = field(default=None, metadata=at("Initials"))
    family_name: str | None = field(default=None, metadata=at("FamilyName"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress(Part):
    """An address (7.6.5)."""

    lang: str | None = field(default=None, metadata=_LANG)
    address_line_1: str | None = field(default=None, metadata=at("AddressLine1"))
    address_line_2: str | None = field(default=None, metadata=at("AddressLine2"))
    city_or_town: str | None = field(default=None, metadata=at("CityOrTown"))
    state_or_region: str | None = field(default=None, metadata=at("StateOrRegion"))
    postal_code: str | None = field(default=None, metadata=at("PostalCode"))
    country: str | None = field(default=None, metadata=at("Country"))
    legal_location: bool = field(default=False, metadata=at("LegalLocation", Kind.FLAG))


@dataclass(frozen=True, slots=True, kw_only=True)
class Org(Named):
    """An organisation or a person that trades (7.6); ids are compared without case."""

    lang: str = field(metadata=_LANG)
    org_id: str = field(metadata=at("OrgId"))
    legal_name: str | None = field(default=None, metadata=at("LegalName"))
    short_desc: str | None = field(default=None, metadata=at("ShortDesc"))
    logo_net_locn: str | None = field(default=None, metadata=at("LogoNetLocn"))
    trading_roles: tuple[TradingRole, ...] = field(metadata=some(TradingRole))
    contact_info: ContactInfo | None = field(default=None, metadata=maybe(ContactInfo))
    person_name: PersonName | None = field(default=None, metadata=maybe(PersonName))
    postal_address: PostalAddress | None = field(default=None, metadata=maybe(PostalAddress))

    def plays(self, role: str) -> bool:
        """Say whether the organisation plays a role."""
        return any(one.trading_role == role for one in self.trading_roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolBrand(Part):
    """A payment protocol's own code for a brand (7.7.2)."""

    protocol_id: str = field(metadata=at("ProtocolId"))
    protocol_brand_id: str = field(metadata=at("ProtocolBrandId"))
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand(Named):
    """A brand that is accepted, and the protocols and amounts it may be used with (7.7.1)."""

    lang: str | None = field(default=None, metadata=_LANG)
    brand_id: str = field(metadata=at("BrandId"))
    brand_name: str = field(metadata=at("BrandName"))
    brand_logo_net_locn: str = field(metadata=at("BrandLogoNetLocn"))
    brand_narrative: str | None = field(default=None, metadata=at("BrandNarrative"))
    protocol_amount_refs: tuple[str, ...] = field(
        metadata=at("ProtocolAmountRefs", Kind.REFS, to="ProtocolAmount")
    )
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    protocol_brands: tuple[ProtocolBrand, ...] = field(default=(), metadata=many(ProtocolBrand))
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolAmount(Named):
    """A protocol and the amounts it may be used with (7.7.3)."""

    pay_protocol_ref: str = field(metadata=at("PayProtocolRef", Kind.REF, to="PayProtocol"))
    currency_amount_refs: tuple[str, ...] = field(
        metadata=at("CurrencyAmountRefs", Kind.REFS, to="CurrencyAmount")
    )
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyAmount(Named):
    """An amount in a currency (7.7.4)."""

    amount: Decimal = field(metadata=at("Amount", Kind.AMOUNT))
    curr_code_type: str = field(default=ISO_4217, metadata=at("CurrCodeType", Kind.WORD))
    curr_code: str = field(metadata=at("CurrCode"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayProtocol(Named):
    """A payment protocol, who handles it and where (7.7.5). One of the two locations is there."""

    lang: str | None = field(default=None, metadata=_LANG)
    protocol_id: str = field(metadata=at("ProtocolId", Kind.WORD))
    protocol_name: str = field(metadata=at("ProtocolName"))
    action_org_ref: str = field(metadata=at("ActionOrgRef", Kind.REF, to="Org"))
    pay_req_net_locn: str | None = field(default=None, metadata=at("PayReqNetLocn"))
    sec_pay_req_net_locn: str | None = field(default=None, metadata=at("SecPayReqNetLocn"))
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandList(Named):
    """The ways to pay that may be chosen from (7.7). Their order says nothing."""

    lang: str = field(metadata=_LANG)
    short_desc: str = field(metadata=at("ShortDesc"))
    pay_direction: PayDirection = field(metadata=at("PayDirection", choice=PayDirection))
    brands: tuple[Brand, ...] = field(metadata=some(Brand))
    protocol_amounts: tuple[ProtocolAmount, ...] = field(metadata=some(ProtocolAmount))
    currency_amounts: tuple[CurrencyAmount, ...] = field(metadata=some(CurrencyAmount))
    pay_protocols: tuple[PayProtocol, ...] = field(metadata=some(PayProtocol))


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandSelBrandInfo(Named):
    """What a brand wants to know of the selection (7.8.1)."""

    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(metadata=some(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandSelProtocolAmountInfo(Named):
    """What a protocol wants to know of the selection (7.8.2)."""

    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(metadata=some(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandSelCurrencyAmountInfo(Named):
    """What an amount wants to know of the selection (7.8.3)."""

    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(metadata=some(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandSelection(Named):
    """What was chosen from one brand list (7.8)."""

    brand_list_ref: str = field(metadata=at("BrandListRef", Kind.REF, to="BrandList"))
    brand_ref: str = field(metadata=at("BrandRef", Kind.REF, to="Brand"))
    protocol_amount_ref: str = field(
        metadata=at("ProtocolAmountRef", Kind.REF, to="ProtocolAmount")
    )
    currency_amount_ref: str = field(
        metadata=at("CurrencyAmountRef", Kind.REF, to="CurrencyAmount")
    )
    brand_info: BrandSelBrandInfo | None = field(default=None, metadata=maybe(BrandSelBrandInfo))
    protocol_amount_info: BrandSelProtocolAmountInfo | None = field(
        default=None, metadata=maybe(BrandSelProtocolAmountInfo)
    )
    currency_amount_info: BrandSelCurrencyAmountInfo | None = field(
        default=None, metadata=maybe(BrandSelCurrencyAmountInfo)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Named):
    """A payment to be made (7.9); payments of `start_after_refs` are completed before."""

    ok_from: Instant = field(metadata=at("OkFrom", Kind.TIME))
    ok_to: Instant = field(metadata=at("OkTo", Kind.TIME))
    brand_list_ref: str = field(metadata=at("BrandListRef", Kind.REF, to="BrandList"))
    signed_pay_receipt: bool = field(metadata=at("SignedPayReceipt", Kind.FLAG))
    start_after_refs: tuple[str, ...] = field(
        default=(), metadata=at("StartAfterRefs", Kind.REFS, to="Payment")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaySchemeData(Named):
    """What payment software says to payment software (7.10)."""

    payment_ref: str | None = field(default=None, metadata=at("PaymentRef", Kind.REF, to="Payment"))
    consumer_payment_id: str | None = field(default=None, metadata=at("ConsumerPaymentId"))
    payment_handler_pay_id: str | None = field(default=None, metadata=at("PaymentHandlerPayId"))
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(metadata=some(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayReceipt(Named):
    """Proves a payment (7.11): its contents, and the scheme's contents that it names."""

    payment_ref: str = field(metadata=at("PaymentRef", Kind.REF, to="Payment"))
    pay_receipt_name_refs: tuple[str, ...] = field(
        default=(), metadata=at("PayReceiptNameRefs", Kind.WORDS)
    )
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNote(Named):
    """Says something about a payment to people (7.12)."""

    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(metadata=some(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryData(Part):
    """Where, how and when something is delivered (7.13.1)."""

    lang: str | None = field(default=None, metadata=_LANG)
    ok_from: Instant = field(metadata=at("OkFrom", Kind.TIME))
    ok_to: Instant = field(metadata=at("OkTo", Kind.TIME))
    deliv_method: str = field(metadata=at("DelivMethod", Kind.WORD))
    deliv_to_ref: str = field(metadata=at("DelivToRef", Kind.REF, to="Org"))
    deliv_req_net_locn: str | None = field(default=None, metadata=at("DelivReqNetLocn"))
    sec_deliv_req_net_locn: str | None = field(default=None, metadata=at("SecDelivReqNetLocn"))
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Named):
    """Says whether there are messages about the delivery, and of whom (7.13).

    `deliv_and_pay_resp`: the delivery's answer comes with the payment's.
    """

    lang: str = field(metadata=_LANG)
    deliv_exch: bool = field(metadata=at("DelivExch", Kind.FLAG))
    deliv_and_pay_resp: bool = field(metadata=at("DelivAndPayResp", Kind.FLAG))
    action_org_ref: str | None = field(
        default=None, metadata=at("ActionOrgRef", Kind.REF, to="Org")
    )
    data: DeliveryData | None = field(default=None, metadata=maybe(DeliveryData))
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerDeliveryData(Named):
    """The consumer's own name of a delivery (7.14)."""

    consumer_delivery_id: str = field(metadata=at("ConsumerDeliveryId"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryNote(Named):
    """Says how something is delivered, or is the delivery (7.15)."""

    lang: str = field(metadata=_LANG)
    deliv_handler_deliv_id: str | None = field(default=None, metadata=at("DelivHandlerDelivId"))
    content_software_id: str | None = field(default=None, metadata=_SOFTWARE)
    contents: tuple[Content, ...] = field(metadata=some(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Named):
    """How far a trading step is, and why it failed (7.16); see `words.COMPLETIONS`."""

    lang: str = field(metadata=_LANG)
    status_type: str = field(metadata=at("StatusType", Kind.WORD))
    el_ref: str | None = field(
        default=None, metadata=at("ElRef", Kind.REF, to="Order Payment Delivery AuthReq")
    )
    process_state: ProcessState = field(metadata=at("ProcessState", choice=ProcessState))
    completion_code: str | None = field(default=None, metadata=at("CompletionCode", Kind.WORD))
    process_reference: str | None = field(default=None, metadata=at("ProcessReference"))
    status_desc: str | None = field(default=None, metadata=at("StatusDesc"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingRoleData(Named):
    """What one role says to another by way of the consumer (7.17)."""

    originator_el_ref: str = field(metadata=at("OriginatorElRef", Kind.REF, to="Org TradingRole"))
    destination_el_refs: tuple[str, ...] = field(
        metadata=at("DestinationElRefs", Kind.REFS, to="Org TradingRole")
    )
    contents: tuple[Content, ...] = field(metadata=some(Content))


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryType(Named):
    """What is asked about (7.18)."""

    type: str = field(metadata=at("Type", Kind.WORD))
    el_ref: str | None = field(
        default=None, metadata=at("ElRef", Kind.REF, to="TpoBlk Payment Delivery")
    )
    process_reference: str | None = field(default=None, metadata=at("ProcessReference"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLocation(Part):
    """Where an error is; as much as can be said (7.21.3)."""

    element_type: str = field(metadata=at("ElementType", Kind.WORD))
    iotp_msg_ref: str | None = field(default=None, metadata=at("IotpMsgRef", Kind.WORD))
    blk_ref: str | None = field(default=None, metadata=at("BlkRef", Kind.WORD))
    comp_ref: str | None = field(default=None, metadata=at("CompRef", Kind.WORD))
    element_ref: str | None = field(default=None, metadata=at("ElementRef", Kind.WORD))
    att_name: str | None = field(default=None, metadata=at("AttName", Kind.WORD))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorComp(Named):
    """What is wrong with a message (7.21): the contents hold what is wrong or name what is missing.

    `min_retry_secs` is as it came, since a wrong one is not the end: see `errors.patience`.
    """

    lang: str = field(metadata=_LANG)
    error_code: str = field(metadata=at("ErrorCode", Kind.WORD))
    error_desc: str = field(metadata=at("ErrorDesc"))
    severity: Severity = field(metadata=at("Severity", choice=Severity))
    min_retry_secs: str | None = field(default=None, metadata=at("MinRetrySecs"))
    sw_vendor_error_ref: str | None = field(default=None, metadata=at("SwVendorErrorRef"))
    locations: tuple[ErrorLocation, ...] = field(metadata=some(ErrorLocation))
    contents: tuple[Content, ...] = field(default=(), metadata=many(Content))
