"""The 24 functions of the Payment API, typed. Written by `python -m tools.iotp_api`."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tollbridge.faces.iotp.api.answer import Call
from tollbridge.faces.iotp.api.elements import (
    Algorithm,
    BrandItem,
    Content,
    PayInstrument,
    PaymentId,
    PaymentInstrumentProperty,
    PaymentProperty,
    ProtocolBrand,
    ProtocolItem,
)
from tollbridge.faces.iotp.api.words import (
    ISO_4217,
    Action,
    ContStatus,
    PayDirection,
    ProcessState,
    ProcessType,
)
from tollbridge.ground.clock import Instant
from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class FindAcceptedPaymentBrandResponse:
    """The answer to FindAcceptedPaymentBrand (RFC 3867, 4.1.1)."""

    brand_items: tuple[BrandItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindAcceptedPaymentBrand(Call[FindAcceptedPaymentBrandResponse]):
    """Which brands are accepted for this amount and direction? (RFC 3867, 4.1.1)"""

    pay_direction: PayDirection
    curr_code_type: str = ISO_4217
    curr_code: str
    amount: Decimal
    merchant_pay_id: str
    merchant_org_id: str | None = None
    wallet_id: str | None = None
    merchant_data: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindAcceptedPaymentProtocolResponse:
    """The answer to FindAcceptedPaymentProtocol (RFC 3867, 4.1.2)."""

    protocol_items: tuple[ProtocolItem, ...]
    brand_items: tuple[BrandItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindAcceptedPaymentProtocol(Call[FindAcceptedPaymentProtocolResponse]):
    """By which protocols is a brand accepted? Without `brand_id`: brands and protocols.

    RFC 3867, 4.1.2.
    """

    brand_id: str | None = None
    pay_direction: PayDirection
    curr_code_type: str = ISO_4217
    curr_code: str
    amount: Decimal
    merchant_pay_id: str
    merchant_org_id: str | None = None
    wallet_id: str | None = None
    brand_packaged_content: tuple[Content, ...] = ()
    merchant_data: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPaymentInitializationDataResponse:
    """The answer to GetPaymentInitializationData (RFC 3867, 4.1.3)."""

    ok_from: Instant | None = None
    ok_to: Instant | None = None
    order_packaged_content: tuple[Content, ...] = ()
    trading_role_data_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPaymentInitializationData(Call[GetPaymentInitializationDataResponse]):
    """What else do the Consumer's and the Payment Handler's software need? (RFC 3867, 4.1.3)"""

    brand_id: str
    merchant_pay_id: str
    pay_direction: PayDirection
    curr_code_type: str = ISO_4217
    curr_code: str
    amount: Decimal
    protocol_id: str
    ok_from: Instant
    ok_to: Instant
    receiver_org_id: str | None = None
    merchant_org_id: str | None = None
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    protocol_brand: ProtocolBrand | None = None
    brand_packaged_content: tuple[Content, ...] = ()
    protocol_amount_packaged_content: tuple[Content, ...] = ()
    pay_protocol_packaged_content: tuple[Content, ...] = ()
    order_packaged_content: tuple[Content, ...] = ()
    brand_sel_brand_info_packaged_content: tuple[Content, ...] = ()
    brand_sel_protocol_amount_info_packaged_content: tuple[Content, ...] = ()
    brand_sel_currency_amount_info_packaged_content: tuple[Content, ...] = ()
    merchant_data: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireAuthChallengeResponse:
    """The answer to InquireAuthChallenge (RFC 3867, 4.1.4)."""

    auth_req_packaged_content: tuple[Content, ...] = ()
    algorithm: Algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireAuthChallenge(Call[InquireAuthChallengeResponse]):
    """Give one challenge and the algorithm it belongs to. Stateless. (RFC 3867, 4.1.4)"""

    authentication_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    algorithms: tuple[Algorithm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateResponse:
    """The answer to Authenticate (RFC 3867, 4.1.5)."""

    auth_res_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(Call[AuthenticateResponse]):
    """Answer a challenge. (RFC 3867, 4.1.5)"""

    authentication_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    algorithm: Algorithm
    auth_req_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAuthResponseResponse:
    """The answer to CheckAuthResponse (RFC 3867, 4.1.6)."""

    process_state: ProcessState
    completion_code: str | None = None
    lang: str | None = None
    status_desc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAuthResponse(Call[CheckAuthResponseResponse]):
    """Is this the right answer to the challenge? Stateless. (RFC 3867, 4.1.6)"""

    authentication_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    algorithm: Algorithm
    auth_req_packaged_content: tuple[Content, ...] = ()
    auth_res_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPaymentInstrumentResponse:
    """The answer to FindPaymentInstrument (RFC 3867, 4.2.1)."""

    pay_instruments: tuple[PayInstrument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPaymentInstrument(Call[FindPaymentInstrumentResponse]):
    """Which instruments of a brand are there? Fast, without pass phrase or dialogue.

    RFC 3867, 4.2.1.
    """

    brand_id: str
    protocol_id: str
    pay_direction: PayDirection
    curr_code_type: str = ISO_4217
    curr_code: str
    amount: Decimal
    consumer_pay_id: str
    wallet_id: str | None = None
    brand_packaged_content: tuple[Content, ...] = ()
    protocol_brand: ProtocolBrand | None = None
    pay_protocol_packaged_content: tuple[Content, ...] = ()
    protocol_amount_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPaymentPossibilityResponse:
    """The answer to CheckPaymentPossibility (RFC 3867, 4.2.2)."""

    brand_sel_brand_info_packaged_content: tuple[Content, ...] = ()
    brand_sel_protocol_amount_info_packaged_content: tuple[Content, ...] = ()
    brand_sel_currency_amount_info_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPaymentPossibility(Call[CheckPaymentPossibilityResponse]):
    """Can this instrument do it now? Locks nothing. (RFC 3867, 4.2.2)"""

    brand_id: str
    payment_instrument_id: str | None = None
    pay_direction: PayDirection
    curr_code_type: str = ISO_4217
    curr_code: str
    amount: Decimal
    protocol_id: str
    consumer_pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    brand_packaged_content: tuple[Content, ...] = ()
    protocol_brand: ProtocolBrand | None = None
    protocol_amount_packaged_content: tuple[Content, ...] = ()
    pay_protocol_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaymentConsumerResponse:
    """The answer to StartPaymentConsumer (RFC 3867, 4.3.1)."""

    cont_status: ContStatus
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaymentConsumer(Call[StartPaymentConsumerResponse]):
    """Open the payment at the Consumer; may be issued again. (RFC 3867, 4.3.1)"""

    brand_id: str
    payment_instrument_id: str | None = None
    curr_code_type: str = ISO_4217
    curr_code: str
    amount: Decimal
    pay_direction: PayDirection
    protocol_id: str
    protocol_brand_id: str | None = None
    ok_from: Instant
    ok_to: Instant
    consumer_pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    call_back_function: str | None = None
    call_back_language_list: tuple[str, ...] = ()
    brand_packaged_content: tuple[Content, ...] = ()
    protocol_brand: ProtocolBrand | None = None
    protocol_amount_packaged_content: tuple[Content, ...] = ()
    pay_protocol_packaged_content: tuple[Content, ...] = ()
    order_packaged_content: tuple[Content, ...] = ()
    trading_role_data_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaymentPaymentHandlerResponse:
    """The answer to StartPaymentPaymentHandler (RFC 3867, 4.3.2)."""

    cont_status: ContStatus
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaymentPaymentHandler(Call[StartPaymentPaymentHandlerResponse]):
    """Open the payment at the Payment Handler; may be issued again. (RFC 3867, 4.3.2)"""

    brand_id: str
    consumer_pay_id: str | None = None
    curr_code_type: str = ISO_4217
    curr_code: str
    amount: Decimal
    pay_direction: PayDirection
    protocol_id: str
    ok_from: Instant
    ok_to: Instant
    payment_handler_pay_id: str
    merchant_org_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    call_back_function: str | None = None
    call_back_language_list: tuple[str, ...] = ()
    brand_packaged_content: tuple[Content, ...] = ()
    protocol_brand: ProtocolBrand | None = None
    protocol_amount_packaged_content: tuple[Content, ...] = ()
    pay_protocol_packaged_content: tuple[Content, ...] = ()
    brand_sel_brand_info_packaged_content: tuple[Content, ...] = ()
    brand_sel_protocol_amount_info_packaged_content: tuple[Content, ...] = ()
    brand_sel_currency_amount_info_packaged_content: tuple[Content, ...] = ()
    trading_role_data_packaged_content: tuple[Content, ...] = ()
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePaymentConsumerResponse:
    """The answer to ResumePaymentConsumer (RFC 3867, 4.3.3)."""

    cont_status: ContStatus
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePaymentConsumer(Call[ResumePaymentConsumerResponse]):
    """Take up a suspended payment at the Consumer; may be issued again. (RFC 3867, 4.3.3)"""

    consumer_pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    call_back_function: str | None = None
    call_back_language_list: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePaymentPaymentHandlerResponse:
    """The answer to ResumePaymentPaymentHandler (RFC 3867, 4.3.4)."""

    cont_status: ContStatus
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePaymentPaymentHandler(Call[ResumePaymentPaymentHandlerResponse]):
    """Take up a suspended payment at the Payment Handler; may be issued again. (RFC 3867, 4.3.4)"""

    payment_handler_pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    call_back_function: str | None = None
    call_back_language_list: tuple[str, ...] = ()
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueProcessResponse:
    """The answer to ContinueProcess (RFC 3867, 4.3.5)."""

    cont_status: ContStatus
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueProcess(Call[ContinueProcessResponse]):
    """Take scheme data from the counterparty, and give the next. (RFC 3867, 4.3.5)"""

    pay_id: str
    process_type: ProcessType = ProcessType.PAYMENT
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    pay_scheme_packaged_content: tuple[Content, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProcessStateResponse:
    """The answer to ChangeProcessState (RFC 3867, 4.3.6)."""

    process_state: ProcessState
    percent_complete: int | None = None
    completion_code: str | None = None
    lang: str | None = None
    status_desc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProcessState(Call[ChangeProcessStateResponse]):
    """Intend a state, and learn the one the bridge agrees to. (RFC 3867, 4.3.6)"""

    pay_id: str
    process_state: ProcessState
    completion_code: str | None = None
    process_type: ProcessType = ProcessType.PAYMENT
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePaymentLogResponse:
    """The answer to RemovePaymentLog (RFC 3867, 4.4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePaymentLog(Call[RemovePaymentLogResponse]):
    """The core forgot a payment; the bridge may, too. (RFC 3867, 4.4.1)"""

    pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstrumentInquiryResponse:
    """The answer to PaymentInstrumentInquiry (RFC 3867, 4.4.2)."""

    lang: str
    unavailable_property_list: tuple[str, ...] = ()
    payment_instrument_properties: tuple[PaymentInstrumentProperty, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstrumentInquiry(Call[PaymentInstrumentInquiryResponse]):
    """Tell balance, limits, log entries of an instrument. (RFC 3867, 4.4.2)"""

    brand_id: str
    payment_instrument_id: str | None = None
    protocol_id: str
    property_type_list: tuple[str, ...]
    lang: str | None = None
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    brand_packaged_content: tuple[Content, ...] = ()
    protocol_brand: ProtocolBrand | None = None
    protocol_amount_packaged_content: tuple[Content, ...] = ()
    pay_protocol_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InquirePendingPaymentResponse:
    """The answer to InquirePendingPayment (RFC 3867, 4.4.3)."""

    payment_ids: tuple[PaymentId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InquirePendingPayment(Call[InquirePendingPaymentResponse]):
    """Which payments should be completed or suspended first? (RFC 3867, 4.4.3)"""

    wallet_id: str | None = None
    passphrase: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPaymentReceiptResponse:
    """The answer to CheckPaymentReceipt (RFC 3867, 4.5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPaymentReceipt(Call[CheckPaymentReceiptResponse]):
    """Is this receipt sound? If not: BusError. (RFC 3867, 4.5.1)"""

    pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandPaymentReceiptResponse:
    """The answer to ExpandPaymentReceipt (RFC 3867, 4.5.2)."""

    brand_id: str | None = None
    payment_instrument_id: str | None = None
    amount: Decimal | None = None
    curr_code_type: str | None = None
    curr_code: str | None = None
    pay_direction: PayDirection | None = None
    time_stamp: Instant | None = None
    protocol_id: str | None = None
    protocol_brand_id: str | None = None
    protocol_trans_id: str | None = None
    lang: str | None = None
    consumer_desc: str | None = None
    payment_handler_desc: str | None = None
    style_sheet_net_locn: str | None = None
    payment_properties: tuple[PaymentProperty, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandPaymentReceipt(Call[ExpandPaymentReceiptResponse]):
    """Make a receipt fit for people. (RFC 3867, 4.5.2)"""

    pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireProcessStateResponse:
    """The answer to InquireProcessState (RFC 3867, 4.5.3)."""

    process_state: ProcessState
    percent_complete: int | None = None
    completion_code: str | None = None
    lang: str | None = None
    status_desc: str | None = None
    pay_receipt_name_refs: tuple[str, ...] = ()
    packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireProcessState(Call[InquireProcessStateResponse]):
    """Where does the payment stand, and what is its receipt? (RFC 3867, 4.5.3)"""

    pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaymentInquiryResponse:
    """The answer to StartPaymentInquiry (RFC 3867, 4.5.4)."""

    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaymentInquiry(Call[StartPaymentInquiryResponse]):
    """What does the Payment Handler need for an inquiry? (RFC 3867, 4.5.4)"""

    consumer_pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InquirePaymentStatusResponse:
    """The answer to InquirePaymentStatus (RFC 3867, 4.5.5)."""

    payment_handler_pay_id: str
    process_state: ProcessState
    completion_code: str | None = None
    lang: str | None = None
    status_desc: str | None = None
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InquirePaymentStatus(Call[InquirePaymentStatusResponse]):
    """Answer the Consumer's inquiry at the Payment Handler. (RFC 3867, 4.5.5)"""

    payment_handler_pay_id: str
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    pay_scheme_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagePaymentSoftwareResponse:
    """The answer to ManagePaymentSoftware (RFC 3867, 4.6.1)."""

    action: Action | None = None
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    auth_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagePaymentSoftware(Call[ManagePaymentSoftwareResponse]):
    """Open the payment software, to register, change or remove an instrument. (RFC 3867, 4.6.1)"""

    brand_id: str | None = None
    protocol_id: str | None = None
    action: Action | None = None
    wallet_id: str | None = None
    passphrase: Secret[str] | None = None
    brand_packaged_content: tuple[Content, ...] = ()
    protocol_amount_packaged_content: tuple[Content, ...] = ()
    pay_protocol_packaged_content: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackResponse:
    """The answer to CallBack (RFC 3867, 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBack(Call[CallBackResponse]):
    """Called by the bridge: show this to the user. A BusError asks to cancel. (RFC 3867, 5)"""

    content_software_id: str | None = None
    pay_id: str
    process_state: ProcessState | None = None
    percent_complete: int | None = None
    completion_code: str | None = None
    lang: str | None = None
    status_desc: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One function as the standard writes it: name, section, types, what stands in them
    (`!` required, `=` default, `?`, `*`, `+`, `1` how often), and its line of table 1.
    """

    name: str
    section: str
    request: type[Call[Any]]
    response: type[Any]
    asked: str
    answered: str
    roles: str


ROWS: tuple[Row, ...] = (
    Row(
        "Find Accepted Payment Brand",
        "4.1.1",
        FindAcceptedPaymentBrand,
        FindAcceptedPaymentBrandResponse,
        (
            "PayDirection! CurrCodeType=ISO4217-A CurrCode! Amount! MerchantPayId! "
            "MerchantOrgId WalletID | MerchantData*"
        ),
        "| BrandItem*",
        "Merchant=must",
    ),
    Row(
        "Find Accepted Payment Protocol",
        "4.1.2",
        FindAcceptedPaymentProtocol,
        FindAcceptedPaymentProtocolResponse,
        (
            "BrandId PayDirection! CurrCodeType=ISO4217-A CurrCode! Amount! MerchantPayId! "
            "MerchantOrgId WalletID | BrandPackagedContent* MerchantData?"
        ),
        "| ProtocolItem+ BrandItem*",
        "Merchant=should",
    ),
    Row(
        "Get Payment Initialization Data",
        "4.1.3",
        GetPaymentInitializationData,
        GetPaymentInitializationDataResponse,
        (
            "BrandId! MerchantPayId! PayDirection! CurrCodeType=ISO4217-A CurrCode! Amount! "
            "ProtocolId! OkFrom! OkTo! ReceiverOrgId MerchantOrgId WalletID Passphrase | "
            "ProtocolBrand? BrandPackagedContent* ProtocolAmountPackagedContent* "
            "PayProtocolPackagedContent* OrderPackagedContent* "
            "BrandSelBrandInfoPackagedContent* BrandSelProtocolAmountInfoPackagedContent* "
            "BrandSelCurrencyAmountInfoPackagedContent* MerchantData*"
        ),
        "OkFrom OkTo | OrderPackagedContent* TradingRoleDataPackagedContent*",
        "Merchant=must",
    ),
    Row(
        "Inquire Authentication Challenge",
        "4.1.4",
        InquireAuthChallenge,
        InquireAuthChallengeResponse,
        "AuthenticationId! WalletID Passphrase | Algorithm*",
        "| AuthReqPackagedContent* Algorithm1",
        "Merchant=may",
    ),
    Row(
        "Authenticate",
        "4.1.5",
        Authenticate,
        AuthenticateResponse,
        "AuthenticationId! WalletID Passphrase | Algorithm1 AuthReqPackagedContent*",
        "| AuthResPackagedContent*",
        "Consumer=must",
    ),
    Row(
        "Check Authentication Response",
        "4.1.6",
        CheckAuthResponse,
        CheckAuthResponseResponse,
        (
            "AuthenticationId! WalletID Passphrase | Algorithm1 AuthReqPackagedContent* "
            "AuthResPackagedContent*"
        ),
        "ProcessState! CompletionCode xml:lang StatusDesc",
        "Merchant=may",
    ),
    Row(
        "Find Payment Instrument",
        "4.2.1",
        FindPaymentInstrument,
        FindPaymentInstrumentResponse,
        (
            "BrandId! ProtocolId! PayDirection! CurrCodeType=ISO4217-A CurrCode! Amount! "
            "ConsumerPayId! WalletID | BrandPackagedContent* ProtocolBrand? "
            "PayProtocolPackagedContent* ProtocolAmountPackagedContent*"
        ),
        "| PayInstrument*",
        "Consumer=must",
    ),
    Row(
        "Check Payment Possibility",
        "4.2.2",
        CheckPaymentPossibility,
        CheckPaymentPossibilityResponse,
        (
            "BrandId! PaymentInstrumentId PayDirection! CurrCodeType=ISO4217-A CurrCode! "
            "Amount! ProtocolId! ConsumerPayId! WalletID Passphrase | BrandPackagedContent* "
            "ProtocolBrand? ProtocolAmountPackagedContent* PayProtocolPackagedContent*"
        ),
        (
            "| BrandSelBrandInfoPackagedContent* BrandSelProtocolAmountInfoPackagedContent* "
            "BrandSelCurrencyAmountInfoPackagedContent*"
        ),
        "Consumer=must",
    ),
    Row(
        "Start Payment Consumer",
        "4.3.1",
        StartPaymentConsumer,
        StartPaymentConsumerResponse,
        (
            "BrandId! PaymentInstrumentId CurrCodeType=ISO4217-A CurrCode! Amount! "
            "PayDirection! ProtocolId! ProtocolBrandId OkFrom! OkTo! ConsumerPayId! WalletID "
            "Passphrase CallBackFunction CallBackLanguageList | BrandPackagedContent* "
            "ProtocolBrand? ProtocolAmountPackagedContent* PayProtocolPackagedContent* "
            "OrderPackagedContent* TradingRoleDataPackagedContent*"
        ),
        "ContStatus! | PaySchemePackagedContent*",
        "Consumer=must",
    ),
    Row(
        "Start Payment Payment Handler",
        "4.3.2",
        StartPaymentPaymentHandler,
        StartPaymentPaymentHandlerResponse,
        (
            "BrandId! ConsumerPayId CurrCodeType=ISO4217-A CurrCode! Amount! PayDirection! "
            "ProtocolId! OkFrom! OkTo! PaymentHandlerPayId! MerchantOrgId! WalletID "
            "Passphrase CallBackFunction CallBackLanguageList | BrandPackagedContent* "
            "ProtocolBrand? ProtocolAmountPackagedContent* PayProtocolPackagedContent* "
            "BrandSelBrandInfoPackagedContent* BrandSelProtocolAmountInfoPackagedContent* "
            "BrandSelCurrencyAmountInfoPackagedContent* TradingRoleDataPackagedContent* "
            "PaySchemePackagedContent*"
        ),
        "ContStatus! | PaySchemePackagedContent*",
        "PaymentHandler=must",
    ),
    Row(
        "Resume Payment Consumer",
        "4.3.3",
        ResumePaymentConsumer,
        ResumePaymentConsumerResponse,
        "ConsumerPayId! WalletID Passphrase CallBackFunction CallBackLanguageList",
        "ContStatus! | PaySchemePackagedContent*",
        "Consumer=should",
    ),
    Row(
        "Resume Payment Payment Handler",
        "4.3.4",
        ResumePaymentPaymentHandler,
        ResumePaymentPaymentHandlerResponse,
        (
            "PaymentHandlerPayId! WalletID Passphrase CallBackFunction CallBackLanguageList | "
            "PaySchemePackagedContent*"
        ),
        "ContStatus! | PaySchemePackagedContent*",
        "PaymentHandler=should",
    ),
    Row(
        "Continue Process",
        "4.3.5",
        ContinueProcess,
        ContinueProcessResponse,
        "PayId! ProcessType=Payment WalletID Passphrase | PaySchemePackagedContent+",
        "ContStatus! | PaySchemePackagedContent*",
        "Consumer=must PaymentHandler=must",
    ),
    Row(
        "Change Process State",
        "4.3.6",
        ChangeProcessState,
        ChangeProcessStateResponse,
        "PayId! ProcessState! CompletionCode ProcessType=Payment WalletID Passphrase",
        "ProcessState! PercentComplete CompletionCode xml:lang StatusDesc",
        "Consumer=must PaymentHandler=must Merchant=may",
    ),
    Row(
        "Remove Payment Log",
        "4.4.1",
        RemovePaymentLog,
        RemovePaymentLogResponse,
        "PayId! WalletID Passphrase",
        "",
        "Consumer=may PaymentHandler=may Merchant=may",
    ),
    Row(
        "Payment Instrument Inquiry",
        "4.4.2",
        PaymentInstrumentInquiry,
        PaymentInstrumentInquiryResponse,
        (
            "BrandId! PaymentInstrumentId ProtocolId! PropertyTypeList! xml:lang WalletID "
            "Passphrase | BrandPackagedContent* ProtocolBrand? ProtocolAmountPackagedContent* "
            "PayProtocolPackagedContent*"
        ),
        "xml:lang! UnavailablePropertyList | PaymentInstrumentProperty*",
        "Consumer=may",
    ),
    Row(
        "Inquire Pending Payment",
        "4.4.3",
        InquirePendingPayment,
        InquirePendingPaymentResponse,
        "WalletID Passphrase",
        "| PaymentId*",
        "Consumer=should PaymentHandler=should",
    ),
    Row(
        "Check Payment Receipt",
        "4.5.1",
        CheckPaymentReceipt,
        CheckPaymentReceiptResponse,
        "PayId! WalletID Passphrase | PackagedContent*",
        "",
        "Consumer=must PaymentHandler=may",
    ),
    Row(
        "Expand Payment Receipt",
        "4.5.2",
        ExpandPaymentReceipt,
        ExpandPaymentReceiptResponse,
        "PayId! WalletID Passphrase | PackagedContent*",
        (
            "BrandId PaymentInstrumentId Amount CurrCodeType CurrCode PayDirection TimeStamp "
            "ProtocolId ProtocolBrandId ProtocolTransId xml:lang ConsumerDesc "
            "PaymentHandlerDesc StyleSheetNetLocn | PaymentProperty*"
        ),
        "Consumer=should PaymentHandler=may",
    ),
    Row(
        "Inquire Process State",
        "4.5.3",
        InquireProcessState,
        InquireProcessStateResponse,
        "PayId! WalletID Passphrase",
        (
            "ProcessState! PercentComplete CompletionCode xml:lang StatusDesc "
            "PayReceiptNameRefs | PackagedContent*"
        ),
        "Consumer=must PaymentHandler=must Merchant=may",
    ),
    Row(
        "Start Payment Inquiry",
        "4.5.4",
        StartPaymentInquiry,
        StartPaymentInquiryResponse,
        "ConsumerPayId! WalletID Passphrase",
        "| PaySchemePackagedContent*",
        "Consumer=may",
    ),
    Row(
        "Inquire Payment Status",
        "4.5.5",
        InquirePaymentStatus,
        InquirePaymentStatusResponse,
        "PaymentHandlerPayId! WalletID Passphrase | PaySchemePackagedContent*",
        (
            "PaymentHandlerPayId! ProcessState! CompletionCode xml:lang StatusDesc | "
            "PaySchemePackagedContent*"
        ),
        "PaymentHandler=may",
    ),
    Row(
        "Manage Payment Software",
        "4.6.1",
        ManagePaymentSoftware,
        ManagePaymentSoftwareResponse,
        (
            "BrandId ProtocolId Action WalletID Passphrase | BrandPackagedContent* "
            "ProtocolAmountPackagedContent* PayProtocolPackagedContent*"
        ),
        "Action WalletID Passphrase AuthNames",
        "Consumer=should PaymentHandler=may Merchant=may",
    ),
    Row(
        "Call Back",
        "5",
        CallBack,
        CallBackResponse,
        (
            "ContentSoftwareID PayId! ProcessState PercentComplete CompletionCode xml:lang "
            "StatusDesc"
        ),
        "",
        "Consumer=should",
    ),
)
