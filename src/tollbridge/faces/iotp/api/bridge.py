"""What a payment bridge is. Written by `python -m tools.iotp_api`.

A bridge is passive: one answer for each call, nothing unasked but Call Back (1.2).
"""

from abc import ABC, abstractmethod
from typing import Protocol, TypeVar

from tollbridge.faces.iotp.api.answer import Answer, Call
from tollbridge.faces.iotp.api.calls import (
    Authenticate,
    AuthenticateResponse,
    CallBack,
    CallBackResponse,
    ChangeProcessState,
    ChangeProcessStateResponse,
    CheckAuthResponse,
    CheckAuthResponseResponse,
    CheckPaymentPossibility,
    CheckPaymentPossibilityResponse,
    CheckPaymentReceipt,
    CheckPaymentReceiptResponse,
    ContinueProcess,
    ContinueProcessResponse,
    ExpandPaymentReceipt,
    ExpandPaymentReceiptResponse,
    FindAcceptedPaymentBrand,
    FindAcceptedPaymentBrandResponse,
    FindAcceptedPaymentProtocol,
    FindAcceptedPaymentProtocolResponse,
    FindPaymentInstrument,
    FindPaymentInstrumentResponse,
    GetPaymentInitializationData,
    GetPaymentInitializationDataResponse,
    InquireAuthChallenge,
    InquireAuthChallengeResponse,
    InquirePaymentStatus,
    InquirePaymentStatusResponse,
    InquirePendingPayment,
    InquirePendingPaymentResponse,
    InquireProcessState,
    InquireProcessStateResponse,
    ManagePaymentSoftware,
    ManagePaymentSoftwareResponse,
    PaymentInstrumentInquiry,
    PaymentInstrumentInquiryResponse,
    RemovePaymentLog,
    RemovePaymentLogResponse,
    ResumePaymentConsumer,
    ResumePaymentConsumerResponse,
    ResumePaymentPaymentHandler,
    ResumePaymentPaymentHandlerResponse,
    StartPaymentConsumer,
    StartPaymentConsumerResponse,
    StartPaymentInquiry,
    StartPaymentInquiryResponse,
    StartPaymentPaymentHandler,
    StartPaymentPaymentHandlerResponse,
)
from tollbridge.ground.flow import Flow

R = TypeVar("R")


class PaymentBridge(Protocol):
    """The Payment API: a flow for each function.

    Flows yield Ask, Look, Recall, Browse, Remember, Exchange, and CallBack for progress.
    They may raise Refused. Call them through `perform`: it checks calls and answers,
    makes an Answer of every failure and hands call backs to the core.
    """

    def find_accepted_payment_brand(
        self, call: FindAcceptedPaymentBrand, /
    ) -> Flow[Answer[FindAcceptedPaymentBrandResponse]]:
        """Which brands are accepted for this amount and direction?"""
        ...

    def find_accepted_payment_protocol(
        self, call: FindAcceptedPaymentProtocol, /
    ) -> Flow[Answer[FindAcceptedPaymentProtocolResponse]]:
        """By which protocols is a brand accepted? Without `brand_id`: brands and protocols."""
        ...

    def get_payment_initialization_data(
        self, call: GetPaymentInitializationData, /
    ) -> Flow[Answer[GetPaymentInitializationDataResponse]]:
        """What else do the Consumer's and the Payment Handler's software need?"""
        ...

    def inquire_auth_challenge(
        self, call: InquireAuthChallenge, /
    ) -> Flow[Answer[InquireAuthChallengeResponse]]:
        """Give one challenge and the algorithm it belongs to. Stateless."""
        ...

    def authenticate(self, call: Authenticate, /) -> Flow[Answer[AuthenticateResponse]]:
        """Answer a challenge."""
        ...

    def check_auth_response(
        self, call: CheckAuthResponse, /
    ) -> Flow[Answer[CheckAuthResponseResponse]]:
        """Is this the right answer to the challenge? Stateless."""
        ...

    def find_payment_instrument(
        self, call: FindPaymentInstrument, /
    ) -> Flow[Answer[FindPaymentInstrumentResponse]]:
        """Which instruments of a brand are there? Fast, without pass phrase or dialogue."""
        ...

    def check_payment_possibility(
        self, call: CheckPaymentPossibility, /
    ) -> Flow[Answer[CheckPaymentPossibilityResponse]]:
        """Can this instrument do it now? Locks nothing."""
        ...

    def start_payment_consumer(
        self, call: StartPaymentConsumer, /
    ) -> Flow[Answer[StartPaymentConsumerResponse]]:
        """Open the payment at the Consumer."""
        ...

    def start_payment_payment_handler(
        self, call: StartPaymentPaymentHandler, /
    ) -> Flow[Answer[StartPaymentPaymentHandlerResponse]]:
        """Open the payment at the Payment Handler."""
        ...

    def resume_payment_consumer(
        self, call: ResumePaymentConsumer, /
    ) -> Flow[Answer[ResumePaymentConsumerResponse]]:
        """Take up a suspended payment at the Consumer."""
        ...

    def resume_payment_payment_handler(
        self, call: ResumePaymentPaymentHandler, /
    ) -> Flow[Answer[ResumePaymentPaymentHandlerResponse]]:
        """Take up a suspended payment at the Payment Handler."""
        ...

    def continue_process(self, call: ContinueProcess, /) -> Flow[Answer[ContinueProcessResponse]]:
        """Take scheme data from the counterparty, and give the next."""
        ...

    def change_process_state(
        self, call: ChangeProcessState, /
    ) -> Flow[Answer[ChangeProcessStateResponse]]:
        """Intend a state, and learn the one the bridge agrees to."""
        ...

    def remove_payment_log(
        self, call: RemovePaymentLog, /
    ) -> Flow[Answer[RemovePaymentLogResponse]]:
        """The core forgot a payment."""
        ...

    def payment_instrument_inquiry(
        self, call: PaymentInstrumentInquiry, /
    ) -> Flow[Answer[PaymentInstrumentInquiryResponse]]:
        """Tell balance, limits, log entries of an instrument."""
        ...

    def inquire_pending_payment(
        self, call: InquirePendingPayment, /
    ) -> Flow[Answer[InquirePendingPaymentResponse]]:
        """Which payments should be completed or suspended first?"""
        ...

    def check_payment_receipt(
        self, call: CheckPaymentReceipt, /
    ) -> Flow[Answer[CheckPaymentReceiptResponse]]:
        """Is this receipt sound? If not: BusError."""
        ...

    def expand_payment_receipt(
        self, call: ExpandPaymentReceipt, /
    ) -> Flow[Answer[ExpandPaymentReceiptResponse]]:
        """Make a receipt fit for people."""
        ...

    def inquire_process_state(
        self, call: InquireProcessState, /
    ) -> Flow[Answer[InquireProcessStateResponse]]:
        """Where does the payment stand, and what is its receipt?"""
        ...

    def start_payment_inquiry(
        self, call: StartPaymentInquiry, /
    ) -> Flow[Answer[StartPaymentInquiryResponse]]:
        """What does the Payment Handler need for an inquiry?"""
        ...

    def inquire_payment_status(
        self, call: InquirePaymentStatus, /
    ) -> Flow[Answer[InquirePaymentStatusResponse]]:
        """Answer the Consumer's inquiry at the Payment Handler."""
        ...

    def manage_payment_software(
        self, call: ManagePaymentSoftware, /
    ) -> Flow[Answer[ManagePaymentSoftwareResponse]]:
        """Open the payment software, to register, change or remove an instrument."""
        ...

    def call_back(self, call: CallBack, /) -> Flow[Answer[CallBackResponse]]:
        """Called by the bridge: show this to the user. A BusError asks to cancel."""
        ...


class Skeleton(ABC):
    """All 24 functions by way of one method, which decides who does it."""

    @abstractmethod
    def do(self, call: Call[R]) -> Flow[Answer[R]]:
        """Do what is called."""

    def find_accepted_payment_brand(
        self, call: FindAcceptedPaymentBrand, /
    ) -> Flow[Answer[FindAcceptedPaymentBrandResponse]]:
        return self.do(call)

    def find_accepted_payment_protocol(
        self, call: FindAcceptedPaymentProtocol, /
    ) -> Flow[Answer[FindAcceptedPaymentProtocolResponse]]:
        return self.do(call)

    def get_payment_initialization_data(
        self, call: GetPaymentInitializationData, /
    ) -> Flow[Answer[GetPaymentInitializationDataResponse]]:
        return self.do(call)

    def inquire_auth_challenge(
        self, call: InquireAuthChallenge, /
    ) -> Flow[Answer[InquireAuthChallengeResponse]]:
        return self.do(call)

    def authenticate(self, call: Authenticate, /) -> Flow[Answer[AuthenticateResponse]]:
        return self.do(call)

    def check_auth_response(
        self, call: CheckAuthResponse, /
    ) -> Flow[Answer[CheckAuthResponseResponse]]:
        return self.do(call)

    def find_payment_instrument(
        self, call: FindPaymentInstrument, /
    ) -> Flow[Answer[FindPaymentInstrumentResponse]]:
        return self.do(call)

    def check_payment_possibility(
        self, call: CheckPaymentPossibility, /
    ) -> Flow[Answer[CheckPaymentPossibilityResponse]]:
        return self.do(call)

    def start_payment_consumer(
        self, call: StartPaymentConsumer, /
    ) -> Flow[Answer[StartPaymentConsumerResponse]]:
        return self.do(call)

    def start_payment_payment_handler(
        self, call: StartPaymentPaymentHandler, /
    ) -> Flow[Answer[StartPaymentPaymentHandlerResponse]]:
        return self.do(call)

    def resume_payment_consumer(
        self, call: ResumePaymentConsumer, /
    ) -> Flow[Answer[ResumePaymentConsumerResponse]]:
        return self.do(call)

    def resume_payment_payment_handler(
        self, call: ResumePaymentPaymentHandler, /
    ) -> Flow[Answer[ResumePaymentPaymentHandlerResponse]]:
        return self.do(call)

    def continue_process(self, call: ContinueProcess, /) -> Flow[Answer[ContinueProcessResponse]]:
        return self.do(call)

    def change_process_state(
        self, call: ChangeProcessState, /
    ) -> Flow[Answer[ChangeProcessStateResponse]]:
        return self.do(call)

    def remove_payment_log(
        self, call: RemovePaymentLog, /
    ) -> Flow[Answer[RemovePaymentLogResponse]]:
        return self.do(call)

    def payment_instrument_inquiry(
        self, call: PaymentInstrumentInquiry, /
    ) -> Flow[Answer[PaymentInstrumentInquiryResponse]]:
        return self.do(call)

    def inquire_pending_payment(
        self, call: InquirePendingPayment, /
    ) -> Flow[Answer[InquirePendingPaymentResponse]]:
        return self.do(call)

    def check_payment_receipt(
        self, call: CheckPaymentReceipt, /
    ) -> Flow[Answer[CheckPaymentReceiptResponse]]:
        return self.do(call)

    def expand_payment_receipt(
        self, call: ExpandPaymentReceipt, /
    ) -> Flow[Answer[ExpandPaymentReceiptResponse]]:
        return self.do(call)

    def inquire_process_state(
        self, call: InquireProcessState, /
    ) -> Flow[Answer[InquireProcessStateResponse]]:
        return self.do(call)

    def start_payment_inquiry(
        self, call: StartPaymentInquiry, /
    ) -> Flow[Answer[StartPaymentInquiryResponse]]:
        return self.do(call)

    def inquire_payment_status(
        self, call: InquirePaymentStatus, /
    ) -> Flow[Answer[InquirePaymentStatusResponse]]:
        return self.do(call)

    def manage_payment_software(
        self, call: ManagePaymentSoftware, /
    ) -> Flow[Answer[ManagePaymentSoftwareResponse]]:
        return self.do(call)

    def call_back(self, call: CallBack, /) -> Flow[Answer[CallBackResponse]]:
        return self.do(call)
