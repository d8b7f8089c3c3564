"""The Consumer's side of a scheme before the payment: instruments, and the software itself."""

from dataclasses import dataclass

from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.calls import (
    FindPaymentInstrument,
    FindPaymentInstrumentResponse,
    InquirePendingPayment,
    InquirePendingPaymentResponse,
    ManagePaymentSoftware,
    ManagePaymentSoftwareResponse,
)
from tollbridge.faces.iotp.api.elements import PayInstrument
from tollbridge.faces.iotp.api.words import Action, ErrorCode, ProcessState
from tollbridge.faces.iotp.schemes.records import Record, Records
from tollbridge.faces.iotp.schemes.terms import Scheme, illegal
from tollbridge.faces.iotp.schemes.wallet import Wallets
from tollbridge.ground.flow import Exchange, Flow, Party


@dataclass(frozen=True, slots=True)
class Selection:
    """Finds instruments, tells what is pending, and opens the payment software.

    The software is the host's: Manage Payment Software is said to the cardholder's party as it came
    and answered with the response, or with None when the user gave up.
    """

    scheme: Scheme
    records: Records
    wallets: Wallets

    def find_payment_instrument(
        self, call: FindPaymentInstrument, /
    ) -> Flow[Answer[FindPaymentInstrumentResponse]]:
        element = type(call).__name__
        if call.brand_id not in self.scheme.brands:
            raise illegal("BrandId", element, f"the brand {call.brand_id:.40} is not known here")
        wallet = self.wallets.find(element, call.wallet_id)
        found = [one for one in wallet.instruments if one.brand_id == call.brand_id]
        if call.protocol_id != self.scheme.protocol_id or not self.scheme.fits(call):
            found = []
        if found:
            # From now on the core may say what becomes of this payment (4.3.6).
            record = yield from self.records.find(call.consumer_pay_id)
            if record is None:
                yield from self.records.write(Record(call.consumer_pay_id))
        instruments = tuple([PayInstrument(id=one.id, pay_inst_name=one.name) for one in found])
        return Answer(FindPaymentInstrumentResponse(pay_instruments=instruments))

    def inquire_pending_payment(
        self, call: InquirePendingPayment, /
    ) -> Flow[Answer[InquirePendingPaymentResponse]]:
        wallet = self.wallets.find(type(call).__name__, call.wallet_id)
        pending = yield from self.records.pending()
        if pending and wallet.phrase is not None:
            self.wallets.open(type(call).__name__, wallet.id, call.passphrase)
        return Answer(InquirePendingPaymentResponse(payment_ids=pending))

    def manage_payment_software(
        self, call: ManagePaymentSoftware, /
    ) -> Flow[Answer[ManagePaymentSoftwareResponse]]:
        element = type(call).__name__
        if call.brand_id is not None and call.brand_id not in self.scheme.brands:
            raise illegal("BrandId", element, f"the brand {call.brand_id:.40} is not known here")
        if call.action is Action.NEW and call.passphrase is not None:
            known = {wallet.id for wallet in self.wallets.wallets}
            if call.wallet_id not in known:
                text = "a new wallet asks for its pass phrase itself"
                raise refused(ErrorCode.ATT_UNEXPECTED, text, "Passphrase", element=element)
        done: ManagePaymentSoftwareResponse | None = yield Exchange(Party.CARDHOLDER, call)
        if done is None:
            raise refused(ErrorCode.REQ_REFUSED, "the user gave it up", element=element)
        return Answer(done)


def begun(record: Record | None) -> bool:
    """Say whether a Consumer's payment is beyond brand selection."""
    return record is not None and record.state is not ProcessState.NOT_YET_STARTED
