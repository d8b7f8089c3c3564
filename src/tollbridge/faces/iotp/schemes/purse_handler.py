"""The Payment Handler's part of the purse scheme. See `purse` for the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tollbridge.faces.iotp.api.answer import Answer
from tollbridge.faces.iotp.api.calls import (
    ChangeProcessState,
    ChangeProcessStateResponse,
    CheckPaymentReceipt,
    CheckPaymentReceiptResponse,
    ContinueProcess,
    ContinueProcessResponse,
    ExpandPaymentReceipt,
    ExpandPaymentReceiptResponse,
    InquirePaymentStatus,
    InquirePaymentStatusResponse,
    InquirePendingPayment,
    InquirePendingPaymentResponse,
    InquireProcessState,
    InquireProcessStateResponse,
    RemovePaymentLog,
    RemovePaymentLogResponse,
    ResumePaymentPaymentHandler,
    ResumePaymentPaymentHandlerResponse,
    StartPaymentPaymentHandler,
    StartPaymentPaymentHandlerResponse,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.states import may_follow
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ContStatus,
    PayDirection,
    ProcessState,
    Role,
)
from tollbridge.faces.iotp.schemes import purse, purse_receipt, statements
from tollbridge.faces.iotp.schemes.book import Book, Short, transfer_of
from tollbridge.faces.iotp.schemes.purse import (
    MOVED,
    NAME,
    PERCENT,
    RECEIPT,
    UNDONE,
    KeyOf,
    Phase,
    Step,
    Transfer,
)
from tollbridge.faces.iotp.schemes.records import (
    Record,
    Records,
    business,
    repeated,
    status_desc,
)
from tollbridge.faces.iotp.schemes.statements import Statement
from tollbridge.faces.iotp.schemes.terms import Scheme, illegal, in_time
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Flow, Note, Page, Recall, Remember
from tollbridge.ground.ids import IdSource
from tollbridge.ground.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseHandler:
    """Pays into and out of the purses of merchants.

    `purses` names them by MerchantOrgId; "" stands for everybody who has none of his own.
    """

    scheme: Scheme
    records: Records
    purses: Mapping[str, str]
    key_of: KeyOf
    clock: Clock
    ids: IdSource

    @property
    def book(self) -> Book:
        """The purses in the notebook."""
        return Book(self.records)

    # The payment

    def start_payment_payment_handler(
        self, call: StartPaymentPaymentHandler, /
    ) -> Flow[Answer[StartPaymentPaymentHandlerResponse]]:
        self.scheme.named(type(call).__name__, call.brand_id, call.protocol_id)
        money = self.scheme.money(call)
        hello = statements.unpacked(call.pay_scheme_packaged_content, NAME)
        offer = yield from repeated(lambda: self._start(call, hello, money))
        return Answer(
            StartPaymentPaymentHandlerResponse(
                cont_status=ContStatus.CONTINUE, pay_scheme_packaged_content=(offer.packed(NAME),)
            )
        )

    def _start(
        self, call: StartPaymentPaymentHandler, hello: Statement, money: Money
    ) -> Flow[Statement | None]:
        element, pay_id = type(call).__name__, call.payment_handler_pay_id
        record = yield from self.records.find(pay_id)
        known = transfer_of(record)
        if record is not None:
            before = known.answered(hello) if known is not None else None
            if before is None or before[0] is None:
                raise business("this payment was begun with other terms", element, pay_id)
            return before[0]
        in_time(call, self.clock.now())
        key = self._agreed(call, hello, money)
        own = self.purses.get(call.merchant_org_id, self.purses.get(""))
        if own is None:
            raise illegal("MerchantOrgId", element, f"{call.merchant_org_id:.64} has no purse")
        consumer = purse.about(hello)
        mark = self.book.seen(consumer["purse"], consumer["counter"])
        seen: Page | None = yield Recall(mark)
        if seen is not None:
            raise statements.garbled("this transfer was begun in another payment")
        found = yield from self.book.purse(own)
        pays = call.pay_direction is PayDirection.CREDIT
        if pays and not found.has(money):
            text = f"the purse {own} holds less than {money}"
            failed = Record(pay_id).to(ProcessState.FAILED, CompletionCode.UNSPECIFIED, text)
            if not (yield from self.records.write(failed)):
                return None
            raise business(text, element, pay_id)
        handler = {
            "payment": pay_id,
            "purse": own,
            "counter": found.counter + 1,
            "nonce": self.ids.secret()[:32],
        }
        transfer = Transfer(True, pays, Phase.OFFERED, consumer, handler)
        transfer, offer = transfer.say("offer", key)
        transfer = replace(transfer, heard=((hello.digest, offer),))
        record = Record(pay_id).to(ProcessState.IN_PROGRESS)
        taken = Note(mark, pay_id.encode(), expected=0)
        done = yield from self.book.begin(record, transfer, found, taken)
        return offer if done else None

    def _agreed(self, call: StartPaymentPaymentHandler, hello: Statement, money: Money) -> bytes:
        """Check that the Consumer's purse said just this; give its key. Raises Refused."""
        key = self.key_of(hello.by)
        if key is None or not statements.sealed(hello, key):
            raise statements.garbled("not said by a purse known here")
        said = purse.about(hello)
        wanted = {
            "brand": call.brand_id,
            "amount_minor": money.amount_minor,
            "currency": money.currency.code,
            "direction": call.pay_direction.value,
        }
        if call.consumer_pay_id is not None:
            wanted["payment"] = call.consumer_pay_id
        if not wanted.items() <= said.items():
            raise statements.garbled("the purse agreed to other terms")
        return key

    def continue_process(self, call: ContinueProcess, /) -> Flow[Answer[ContinueProcessResponse]]:
        element = type(call).__name__
        heard = statements.unpacked(call.pay_scheme_packaged_content, NAME)
        step = yield from repeated(lambda: self._continue(call.pay_id, heard, element))
        status, contents = _next(step)
        return Answer(
            ContinueProcessResponse(cont_status=status, pay_scheme_packaged_content=contents)
        )

    def _continue(self, pay_id: str, heard: Statement, element: str) -> Flow[Step | None]:
        record = yield from self.records.known(pay_id, element)
        transfer = self._begun(record, element)
        repeats = transfer.answered(heard) is not None
        awaits = transfer.phase is Phase.TAKEN
        suspended = record.state is ProcessState.SUSPENDED
        if suspended or (record.over and not repeats and not awaits):
            raise business(f"the payment is {record.state}", element, pay_id)
        return (yield from self._hear(record, transfer, heard, element))

    def resume_payment_payment_handler(
        self, call: ResumePaymentPaymentHandler, /
    ) -> Flow[Answer[ResumePaymentPaymentHandlerResponse]]:
        step = yield from repeated(lambda: self._resume(call))
        status, contents = _next(step)
        return Answer(
            ResumePaymentPaymentHandlerResponse(
                cont_status=status, pay_scheme_packaged_content=contents
            )
        )

    def _resume(self, call: ResumePaymentPaymentHandler) -> Flow[Step | None]:
        element, pay_id = type(call).__name__, call.payment_handler_pay_id
        record = yield from self.records.known(pay_id, element, "PaymentHandlerPayId")
        if record.state is not ProcessState.SUSPENDED:
            raise business(f"the payment is {record.state}", element, pay_id)
        transfer = self._begun(record, element)
        resumed = record.to(ProcessState.IN_PROGRESS)
        if not call.pay_scheme_packaged_content:
            done = yield from self.records.write(resumed)
            return Step(transfer, transfer.latest) if done else None
        heard = statements.unpacked(call.pay_scheme_packaged_content, NAME)
        return (yield from self._hear(resumed, transfer, heard, element, always=True))

    def _hear(
        self,
        record: Record,
        transfer: Transfer,
        heard: Statement,
        element: str,
        *,
        always: bool = False,
    ) -> Flow[Step | None]:
        """Hear a statement and write what it did; `always` when the record itself was changed."""
        key = self.key_of(transfer.other)
        if key is None:
            raise statements.garbled("the purse is not known here any more")
        step = purse.hear(transfer, heard, key)
        if step.again and not always:
            return step
        if step.transfer.phase in MOVED:
            record = record.to(ProcessState.COMPLETED_OK, "", "the value has moved")
        elif step.transfer.phase in UNDONE:
            code = record.completion or CompletionCode.UNSPECIFIED
            record = record.to(ProcessState.FAILED, code, "no value has moved")
        try:
            done = yield from self.book.keep(
                record, step.transfer, step.change_minor, self.clock.now()
            )
        except Short:
            text = "the purse holds less by now"
            failed = record.to(ProcessState.FAILED, CompletionCode.UNSPECIFIED, text)
            if not (yield from self.book.keep(failed, replace(transfer, phase=Phase.BACK))):
                return None
            raise business(text, element, record.pay_id) from None
        return step if done else None

    def _begun(self, record: Record, element: str) -> Transfer:
        transfer = transfer_of(record)
        if transfer is None:
            raise business(record.text or "the payment has not begun", element, record.pay_id)
        return transfer

    # Where it stands

    def inquire_process_state(
        self, call: InquireProcessState, /
    ) -> Flow[Answer[InquireProcessStateResponse]]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        transfer = transfer_of(record)
        proofs = purse.receipt_of(transfer) if transfer is not None else None
        under_way = transfer is not None and not record.over
        return Answer(
            InquireProcessStateResponse(
                process_state=record.state,
                percent_complete=PERCENT[transfer.phase] if transfer and under_way else None,
                completion_code=record.completion or None,
                status_desc=status_desc(record.text),
                pay_receipt_name_refs=(RECEIPT,),
                packaged_content=(purse_receipt.packed(proofs),) if proofs is not None else (),
            )
        )

    def inquire_payment_status(
        self, call: InquirePaymentStatus, /
    ) -> Flow[Answer[InquirePaymentStatusResponse]]:
        return (yield from repeated(lambda: self._inquired(call)))

    def _inquired(
        self, call: InquirePaymentStatus
    ) -> Flow[Answer[InquirePaymentStatusResponse] | None]:
        """Answer with the evidence there is; what the Consumer's purse says counts, too."""
        element, pay_id = type(call).__name__, call.payment_handler_pay_id
        record = yield from self.records.known(pay_id, element, "PaymentHandlerPayId")
        contents: tuple[Content, ...] = ()
        if call.pay_scheme_packaged_content:
            heard = statements.unpacked(call.pay_scheme_packaged_content, NAME)
            transfer = self._begun(record, element)
            step = yield from self._hear(record, transfer, heard, element)
            if step is None:
                return None
            contents = (step.reply.packed(NAME),) if step.reply is not None else ()
            record = yield from self.records.known(pay_id, element, "PaymentHandlerPayId")
        return Answer(
            InquirePaymentStatusResponse(
                payment_handler_pay_id=pay_id,
                process_state=record.state,
                completion_code=record.completion or None,
                status_desc=status_desc(record.text),
                pay_scheme_packaged_content=contents,
            )
        )

    def change_process_state(
        self, call: ChangeProcessState, /
    ) -> Flow[Answer[ChangeProcessStateResponse]]:
        return (yield from repeated(lambda: self._change(call)))

    def _change(self, call: ChangeProcessState) -> Flow[Answer[ChangeProcessStateResponse] | None]:
        element, wanted = type(call).__name__, call.process_state
        record = yield from self.records.known(call.pay_id, element)
        if not record.over:
            if not may_follow(Role.PAYMENT_HANDLER, record.state, wanted):
                raise business(f"{record.state} cannot become {wanted}", element, call.pay_id)
            transfer = self._begun(record, element)
            record = self._intended(record, transfer, call)
            if record.over:
                key = self.key_of(transfer.other)
                assert key is not None, "the purse was known when it began"
                transfer = purse.give_up(transfer, key)
            if not (yield from self.book.keep(record, transfer)):
                return None
        return Answer(
            ChangeProcessStateResponse(
                process_state=record.state,
                completion_code=record.completion or None,
                status_desc=status_desc(record.text),
            )
        )

    def _intended(self, record: Record, transfer: Transfer, call: ChangeProcessState) -> Record:
        """Give the state that is agreed to: no end without knowing where the value is."""
        wanted, code = call.process_state, call.completion_code or ""
        if wanted in {ProcessState.SUSPENDED, ProcessState.IN_PROGRESS}:
            return record.to(wanted, code)
        if transfer.phase is Phase.SENT or wanted is ProcessState.COMPLETED_OK:
            on_its_way = transfer.phase is Phase.SENT
            text = "value is on its way" if on_its_way else "no value has moved"
            return record.to(ProcessState.IN_PROGRESS, "", text)
        return record.to(wanted, code, "given up before value moved")

    def inquire_pending_payment(
        self, call: InquirePendingPayment, /
    ) -> Flow[Answer[InquirePendingPaymentResponse]]:
        del call  # this bridge has no wallets
        pending = yield from self.records.pending()
        return Answer(InquirePendingPaymentResponse(payment_ids=pending))

    def remove_payment_log(
        self, call: RemovePaymentLog, /
    ) -> Flow[Answer[RemovePaymentLogResponse]]:
        """Forget a payment that is over; that its transfer was begun stays."""
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        if not record.over:
            raise business("the payment is not over", element, call.pay_id)
        yield Remember(self.records.forgotten(record))
        return Answer(RemovePaymentLogResponse())

    # Receipts

    def check_payment_receipt(
        self, call: CheckPaymentReceipt, /
    ) -> Flow[Answer[CheckPaymentReceiptResponse]]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        transfer = transfer_of(record)
        own = purse.receipt_of(transfer) if transfer is not None else None
        if own is None or purse_receipt.proofs(call.packaged_content) != own:
            raise business("this receipt is not ours", element, call.pay_id)
        return Answer(CheckPaymentReceiptResponse())

    def expand_payment_receipt(
        self, call: ExpandPaymentReceipt, /
    ) -> Flow[Answer[ExpandPaymentReceiptResponse]]:
        yield from self.records.known(call.pay_id, type(call).__name__)
        return Answer(purse_receipt.expanded(call.packaged_content, self.scheme.protocol_id, {}))


def _next(step: Step) -> tuple[ContStatus, tuple[Content, ...]]:
    """End when nothing more is expected of the Consumer's purse."""
    if step.transfer.phase in UNDONE | {Phase.DONE} or step.reply is None:
        return ContStatus.END, ()
    return ContStatus.CONTINUE, (step.reply.packed(NAME),)
