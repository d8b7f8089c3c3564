"""The trading blocks and the message (RFC 2801, 3.1 and 8), each as a value."""

from dataclasses import dataclass, field
from typing import TypeVar

from tollbridge.faces.iotp.message.components import (
    AuthReq,
    AuthResp,
    BrandList,
    BrandSelection,
    ConsumerDeliveryData,
    Delivery,
    DeliveryNote,
    ErrorComp,
    InquiryType,
    Order,
    Org,
    Payment,
    PaymentNote,
    PayReceipt,
    PaySchemeData,
    ProtocolOptions,
    Status,
    TradingRoleData,
    TradingRoleInfoReq,
    TransRefBlk,
)
from tollbridge.faces.iotp.message.shape import Kind, Named, Part, at, many, maybe, one, some
from tollbridge.faces.iotp.message.signatures import IotpSignatures
from tollbridge.faces.iotp.message.words import PingStatus, SignatureCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class TpoBlk(Named):
    """Trading Protocol Options: who trades, and the ways to pay (8.1)."""

    protocol_options: ProtocolOptions = field(metadata=one(ProtocolOptions))
    brand_lists: tuple[BrandList, ...] = field(default=(), metadata=many(BrandList))
    orgs: tuple[Org, ...] = field(default=(), metadata=many(Org))


@dataclass(frozen=True, slots=True, kw_only=True)
class TpoSelectionBlk(Named):
    """What was chosen, one selection for each brand list (8.2)."""

    brand_selections: tuple[BrandSelection, ...] = field(metadata=some(BrandSelection))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRespBlk(Named):
    """The offer (8.3)."""

    status: Status = field(metadata=one(Status))
    order: Order | None = field(default=None, metadata=maybe(Order))
    payments: tuple[Payment, ...] = field(default=(), metadata=many(Payment))
    delivery: Delivery | None = field(default=None, metadata=maybe(Delivery))
    trading_role_data: tuple[TradingRoleData, ...] = field(
        default=(), metadata=many(TradingRoleData)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthReqBlk(Named):
    """Asks for authentication, for organisations, or both (8.4)."""

    auth_reqs: tuple[AuthReq, ...] = field(default=(), metadata=many(AuthReq))
    trading_role_info_req: TradingRoleInfoReq | None = field(
        default=None, metadata=maybe(TradingRoleInfoReq)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRespBlk(Named):
    """Answers it (8.5)."""

    auth_resp: AuthResp | None = field(default=None, metadata=maybe(AuthResp))
    orgs: tuple[Org, ...] = field(default=(), metadata=many(Org))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthStatusBlk(Named):
    """Says whether the authentication succeeded (8.6)."""

    status: Status = field(metadata=one(Status))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayReqBlk(Named):
    """Asks a payment handler to begin a payment (8.7)."""

    statuses: tuple[Status, ...] = field(metadata=some(Status))
    brand_list: BrandList = field(metadata=one(BrandList))
    brand_selection: BrandSelection = field(metadata=one(BrandSelection))
    payment: Payment = field(metadata=one(Payment))
    pay_scheme_data: PaySchemeData | None = field(default=None, metadata=maybe(PaySchemeData))
    orgs: tuple[Org, ...] = field(default=(), metadata=many(Org))
    trading_role_data: tuple[TradingRoleData, ...] = field(
        default=(), metadata=many(TradingRoleData)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PayExchBlk(Named):
    """Carries what payment software says (8.8)."""

    pay_scheme_data: PaySchemeData = field(metadata=one(PaySchemeData))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayRespBlk(Named):
    """Says what became of a payment (8.9)."""

    status: Status = field(metadata=one(Status))
    pay_receipt: PayReceipt | None = field(default=None, metadata=maybe(PayReceipt))
    pay_scheme_data: PaySchemeData | None = field(default=None, metadata=maybe(PaySchemeData))
    payment_note: PaymentNote | None = field(default=None, metadata=maybe(PaymentNote))
    trading_role_data: tuple[TradingRoleData, ...] = field(
        default=(), metadata=many(TradingRoleData)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReqBlk(Named):
    """Asks a delivery handler to deliver (8.10)."""

    statuses: tuple[Status, ...] = field(metadata=some(Status))
    order: Order = field(metadata=one(Order))
    orgs: tuple[Org, ...] = field(default=(), metadata=many(Org))
    delivery: Delivery = field(metadata=one(Delivery))
    consumer_delivery_data: ConsumerDeliveryData | None = field(
        default=None, metadata=maybe(ConsumerDeliveryData)
    )
    trading_role_data: tuple[TradingRoleData, ...] = field(
        default=(), metadata=many(TradingRoleData)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRespBlk(Named):
    """Says what became of a delivery (8.11)."""

    status: Status = field(metadata=one(Status))
    delivery_note: DeliveryNote = field(metadata=one(DeliveryNote))


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryReqBlk(Named):
    """Asks what became of a trading step (8.12)."""

    inquiry_type: InquiryType = field(metadata=one(InquiryType))
    pay_scheme_data: PaySchemeData | None = field(default=None, metadata=maybe(PaySchemeData))


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryRespBlk(Named):
    """Says it (8.13). The references name the last messages, `Null` when there was none."""

    last_received_iotp_msg_ref: str | None = field(
        default=None, metadata=at("LastReceivedIotpMsgRef", Kind.REF, to="MsgId")
    )
    last_sent_iotp_msg_ref: str | None = field(
        default=None, metadata=at("LastSentIotpMsgRef", Kind.REF, to="MsgId")
    )
    status: Status = field(metadata=one(Status))
    pay_scheme_data: PaySchemeData | None = field(default=None, metadata=maybe(PaySchemeData))


@dataclass(frozen=True, slots=True, kw_only=True)
class PingReqBlk(Named):
    """Asks whether somebody is there (8.14)."""

    orgs: tuple[Org, ...] = field(default=(), metadata=many(Org))


@dataclass(frozen=True, slots=True, kw_only=True)
class PingRespBlk(Named):
    """Says so (8.15)."""

    ping_status_code: PingStatus = field(metadata=at("PingStatusCode", choice=PingStatus))
    sig_verify_status_code: SignatureCheck | None = field(
        default=None, metadata=at("SigVerifyStatusCode", choice=SignatureCheck)
    )
    lang: str | None = field(default=None, metadata=at("xml:lang", Kind.WORD))
    ping_status_desc: str | None = field(default=None, metadata=at("PingStatusDesc"))
    orgs: tuple[Org, ...] = field(metadata=some(Org))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBlk(Named):
    """Says what is wrong with a message that came (8.17)."""

    errors: tuple[ErrorComp, ...] = field(metadata=some(ErrorComp))
    pay_scheme_data: tuple[PaySchemeData, ...] = field(default=(), metadata=many(PaySchemeData))


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBlk(Named):
    """Ends a transaction (8.18)."""

    status: Status = field(metadata=one(Status))


Block = (
    AuthReqBlk
    | AuthRespBlk
    | AuthStatusBlk
    | CancelBlk
    | DeliveryReqBlk
    | DeliveryRespBlk
    | InquiryReqBlk
    | InquiryRespBlk
    | OfferRespBlk
    | PayExchBlk
    | PayReqBlk
    | PayRespBlk
    | PingReqBlk
    | PingRespBlk
    | TpoBlk
    | TpoSelectionBlk
)
BLOCKS: tuple[type[Block], ...] = Block.__args__

B = TypeVar("B", bound=Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class IotpMessage(Part):
    """A message (3.1): which it is, its signatures, an error block, and trading blocks."""

    trans_ref: TransRefBlk = field(metadata=one(TransRefBlk))
    signatures: IotpSignatures | None = field(default=None, metadata=maybe(IotpSignatures))
    error: ErrorBlk | None = field(default=None, metadata=maybe(ErrorBlk))
    blocks: tuple[Block, ...] = field(default=(), metadata=many(*BLOCKS))

    @property
    def trans_id(self) -> str:
        """The name of the transaction."""
        return self.trans_ref.trans_id.iotp_trans_id

    @property
    def msg_id(self) -> str:
        """The name of this message in its transaction."""
        return self.trans_ref.msg_id.id

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of its trading blocks, the error block's first."""
        named = (self.error, *self.blocks) if self.error is not None else self.blocks
        return tuple(type(block).__name__ for block in named)

    def block(self, kind: type[B]) -> B | None:
        """Give its first block of a kind."""
        return next((block for block in self.blocks if isinstance(block, kind)), None)
