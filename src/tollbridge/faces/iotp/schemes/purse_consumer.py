"""The Consumer's part of the purse scheme. See `purse` for the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.calls import (
    ChangeProcessState,
    ChangeProcessStateResponse,
    CheckPaymentPossibility,
    CheckPaymentPossibilityResponse,
    CheckPaymentReceipt,
    CheckPaymentReceiptResponse,
    ContinueProcess,
    ContinueProcessResponse,
    ExpandPaymentReceipt,
    ExpandPaymentReceiptResponse,
    InquireProcessState,
    InquireProcessStateResponse,
    PaymentInstrumentInquiry,
    PaymentInstrumentInquiryResponse,
    RemovePaymentLog,
    RemovePaymentLogResponse,
    ResumePaymentConsumer,
    ResumePaymentConsumerResponse,
    StartPaymentConsumer,
    StartPaymentConsumerResponse,
    StartPaymentInquiry,
    StartPaymentInquiryResponse,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.states import may_follow
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ContStatus,
    ErrorCode,
    PayDirection,
    ProcessState,
    ProcessType,
    Role,
)
from tollbridge.faces.iotp.schemes import purse, statements
from tollbridge.faces.iotp.schemes.book import Book, Purse, Short, transfer_of
from tollbridge.faces.iotp.schemes.card_consumer import properties
from tollbridge.faces.iotp.schemes.purse import MOVED, NAME, PERCENT, RECEIPT, Phase, Transfer
from tollbridge.faces.iotp.schemes.purse_receipt import expanded, proofs
from tollbridge.faces.iotp.schemes.records import (
    Record,
    Records,
    business,
    pending_only,
    repeated,
    status_desc,
)
from tollbridge.faces.iotp.schemes.selection import begun
from tollbridge.faces.iotp.schemes.terms import Scheme, in_time
from tollbridge.faces.iotp.schemes.wallet import Instrument, Wallet, Wallets, instrument_of
from tollbridge.ground.clock import Clock, Instant, iso
from tollbridge.ground.flow import Flow, Remember
from tollbridge.ground.ids import IdSource
from tollbridge.ground.money import Money

_ON_ITS_WAY = "value is on its way; inquire about the payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseConsumer:
    """The purses of a wallet. An instrument's token is its purse's name.

    `limits_minor` is how much a purse may hold, by currency.
    """

    scheme: Scheme
    records: Records
    wallets: Wallets
    clock: Clock
    ids: IdSource
    limits_minor: Mapping[str, int]
    one_at_a_time: bool = False

    @property
    def book(self) -> Book:
        """The purses in the notebook."""
        return Book(self.records)

    # Before and at the beginning of the payment

    def check_payment_possibility(
        self, call: CheckPaymentPossibility, /
    ) -> Flow[Answer[CheckPaymentPossibilityResponse]]:
        own, money = self._instrument(call)
        yield from self._able(call, own, money)
        info = (Content(text=self.scheme.protocol_id, name="Scheme"),)
        return Answer(CheckPaymentPossibilityResponse(brand_sel_brand_info_packaged_content=info))

    def start_payment_consumer(
        self, call: StartPaymentConsumer, /
    ) -> Flow[Answer[StartPaymentConsumerResponse]]:
        in_time(call, self.clock.now())
        own, money = self._instrument(call)
        hello = yield from repeated(lambda: self._start(call, own, money))
        return Answer(
            StartPaymentConsumerResponse(
                cont_status=ContStatus.CONTINUE, pay_scheme_packaged_content=(hello.packed(NAME),)
            )
        )

    def _instrument(
        self, call: CheckPaymentPossibility | StartPaymentConsumer
    ) -> tuple[Instrument, Money]:
        element = type(call).__name__
        self.scheme.named(element, call.brand_id, call.protocol_id)
        money = self.scheme.money(call)
        wallet = self.wallets.open(element, call.wallet_id, call.passphrase)
        return instrument_of(wallet, element, call.brand_id, call.payment_instrument_id), money

    def _able(
        self, call: CheckPaymentPossibility | StartPaymentConsumer, own: Instrument, money: Money
    ) -> Flow[Purse]:
        """Check that the purse can pay, or hold, so much; keep why it cannot."""
        found = yield from self.book.purse(own.token)
        code, why = "", ""
        if call.pay_direction is PayDirection.DEBIT:
            if not found.has(money):
                code, why = CompletionCode.INSUFF_FUNDS, f"{own.name} holds less than {money}"
        else:
            held = found.balances.get(money.currency.code, 0) + money.amount_minor
            limit = self.limits_minor.get(money.currency.code)
            if limit is not None and held > limit:
                code, why = CompletionCode.UNSPECIFIED, f"{own.name} has no room for {money}"
        if why:
            record = yield from self.records.find(call.consumer_pay_id)
            if not begun(record):
                record = record or Record(call.consumer_pay_id)
                yield from self.records.write(record.to(record.state, code, why))
            raise business(why, type(call).__name__, call.consumer_pay_id)
        return found

    def _start(
        self, call: StartPaymentConsumer, own: Instrument, money: Money
    ) -> Flow[statements.Statement | None]:
        element, pay_id = type(call).__name__, call.consumer_pay_id
        terms: dict[str, Any] = {
            "payment": pay_id,
            "brand": call.brand_id,
            "amount_minor": money.amount_minor,
            "currency": money.currency.code,
            "direction": call.pay_direction.value,
            "purse": own.token,
        }
        record = yield from self.records.find(pay_id)
        transfer = transfer_of(record)
        if record is not None and begun(record):
            pending_only(record, element)
            if transfer is None or not terms.items() <= transfer.consumer.items():
                raise business("this payment was begun with other terms", element, pay_id)
            return transfer.latest
        if self.one_at_a_time:
            for other in (yield from self.records.pending()):
                raise business("another payment is pending", element, other.pay_id)
        found = yield from self._able(call, own, money)
        terms |= {"counter": found.counter + 1, "nonce": self.ids.secret()[:32]}
        pays = call.pay_direction is PayDirection.DEBIT
        transfer, hello = Transfer(False, pays, Phase.BEGUN, terms, {}).say(
            "hello", own.key.reveal()
        )
        # What a check wrote before may have given the record another version.
        record = (yield from self.records.find(pay_id)) or Record(pay_id)
        record = record.to(ProcessState.IN_PROGRESS)
        done = yield from self.book.begin(record, transfer, found)
        return hello if done else None

    def resume_payment_consumer(
        self, call: ResumePaymentConsumer, /
    ) -> Flow[Answer[ResumePaymentConsumerResponse]]:
        self.wallets.open(type(call).__name__, call.wallet_id, call.passphrase)
        latest = yield from repeated(lambda: self._resume(call))
        return Answer(
            ResumePaymentConsumerResponse(
                cont_status=ContStatus.CONTINUE, pay_scheme_packaged_content=(latest.packed(NAME),)
            )
        )

    def _resume(self, call: ResumePaymentConsumer) -> Flow[statements.Statement | None]:
        element, pay_id = type(call).__name__, call.consumer_pay_id
        record = yield from self.records.known(pay_id, element, "ConsumerPayId")
        if record.state is not ProcessState.SUSPENDED:
            raise business(f"the payment is {record.state}", element, pay_id)
        transfer = transfer_of(record)
        if transfer is None:
            text = "suspended before it began: select again"
            raise refused(
                ErrorCode.ATT_NOT_SUPP, text, "ConsumerPayId", element=element, ref=pay_id
            )
        resumed = record.to(ProcessState.IN_PROGRESS)
        return transfer.latest if (yield from self.records.write(resumed)) else None

    # While it is under way

    def continue_process(self, call: ContinueProcess, /) -> Flow[Answer[ContinueProcessResponse]]:
        return (yield from repeated(lambda: self._continue(call)))

    def _continue(self, call: ContinueProcess) -> Flow[Answer[ContinueProcessResponse] | None]:
        element, pay_id = type(call).__name__, call.pay_id
        inquiry = call.process_type is ProcessType.INQUIRY
        record = yield from self.records.known(pay_id, element)
        transfer = transfer_of(record)
        if transfer is None:
            raise business("the payment has not begun", element, pay_id)
        heard = statements.unpacked(call.pay_scheme_packaged_content, NAME)
        if not inquiry and transfer.answered(heard) is None:
            pending_only(record, element)
        if record.state is ProcessState.SUSPENDED and not inquiry:
            pending_only(record, element)
        step = purse.hear(transfer, heard, self._key(transfer))
        if not step.again and not (yield from self._keep(record, step, element)):
            return None
        if inquiry or step.reply is None:
            return Answer(ContinueProcessResponse(cont_status=ContStatus.END))
        return Answer(
            ContinueProcessResponse(
                cont_status=ContStatus.CONTINUE,
                pay_scheme_packaged_content=(step.reply.packed(NAME),),
            )
        )

    def _keep(self, record: Record, step: purse.Step, element: str) -> Flow[bool]:
        if step.transfer.phase is Phase.BACK:
            code = record.completion or CompletionCode.UNSPECIFIED
            record = record.to(ProcessState.FAILED, code, "the value is back in the purse")
        now = self.clock.now()
        try:
            return (yield from self.book.keep(record, step.transfer, step.change_minor, now))
        except Short:
            text = "the purse holds less by now"
            failed = record.to(ProcessState.FAILED, CompletionCode.INSUFF_FUNDS, text)
            transfer = transfer_of(record)
            assert transfer is not None, "it was just heard"
            if not (yield from self.book.keep(failed, replace(transfer, phase=Phase.BACK))):
                return False
            raise business(text, element, record.pay_id) from None

    def inquire_process_state(
        self, call: InquireProcessState, /
    ) -> Flow[Answer[InquireProcessStateResponse]]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        transfer = transfer_of(record)
        under_way = transfer is not None and not record.over
        return Answer(
            InquireProcessStateResponse(
                process_state=record.state,
                percent_complete=PERCENT[transfer.phase] if transfer and under_way else None,
                completion_code=record.completion or None,
                status_desc=status_desc(record.text),
                pay_receipt_name_refs=(RECEIPT,) if transfer is not None else (),
            )
        )

    def change_process_state(
        self, call: ChangeProcessState, /
    ) -> Flow[Answer[ChangeProcessStateResponse]]:
        return (yield from repeated(lambda: self._change(call)))

    def _change(self, call: ChangeProcessState) -> Flow[Answer[ChangeProcessStateResponse] | None]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        if not record.over:
            changed, transfer = self._changed(record, call)
            kept = self.records.write(changed)
            if transfer is not None:
                kept = self.book.keep(changed, transfer)
            if not (yield from kept):
                return None
            record = changed
        elif call.process_state is not record.state:
            text = f"the counterparty says {call.process_state}, here it is {record.state}"
            record = record.to(record.state, record.completion, text)
        return Answer(
            ChangeProcessStateResponse(
                process_state=record.state,
                completion_code=record.completion or None
                if record.state is ProcessState.FAILED
                else None,
                status_desc=status_desc(record.text),
            )
        )

    def _changed(self, record: Record, call: ChangeProcessState) -> tuple[Record, Transfer | None]:
        """Compare what is intended with what is known of the value."""
        wanted, code = call.process_state, call.completion_code or ""
        transfer = transfer_of(record)
        if transfer is not None and transfer.phase in MOVED:
            text = "" if wanted is ProcessState.COMPLETED_OK else (
                f"the counterparty says {wanted}, but the value has moved"
            )  # fmt: skip
            return record.to(ProcessState.COMPLETED_OK, "", text), transfer
        if not may_follow(Role.CONSUMER, record.state, wanted):
            text = f"{record.state} cannot become {wanted}"
            raise business(text, type(call).__name__, call.pay_id)
        if transfer is None or wanted in {ProcessState.SUSPENDED, ProcessState.IN_PROGRESS}:
            return record.to(wanted, code), transfer
        if wanted is ProcessState.COMPLETED_OK:
            text = "the counterparty says CompletedOk, but no value has moved"
            return record.to(record.state, "", text), transfer
        transfer = purse.give_up(transfer, self._key(transfer))
        if transfer.phase is Phase.SENT:
            return record.to(ProcessState.IN_PROGRESS, code, _ON_ITS_WAY), transfer
        return record.to(wanted, code, "given up before value moved"), transfer

    # Receipts and inquiries

    def check_payment_receipt(
        self, call: CheckPaymentReceipt, /
    ) -> Flow[Answer[CheckPaymentReceiptResponse]]:
        return (yield from repeated(lambda: self._check(call)))

    def _check(self, call: CheckPaymentReceipt) -> Flow[Answer[CheckPaymentReceiptResponse] | None]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        transfer = transfer_of(record)
        found = proofs(call.packaged_content)
        if transfer is None or found is None or not transfer.handler:
            raise business("this receipt is not for this payment", element, call.pay_id)
        key = self._key(transfer)
        if not purse.proves(transfer, *found, key):
            raise business("this receipt is not for this payment", element, call.pay_id)
        if transfer.phase is Phase.SENT:
            # The receipt is the evidence that did not come by itself.
            step = purse.hear(transfer, found[1], key)
            if not (yield from self._keep(record, step, element)):
                return None
        elif transfer.phase not in MOVED:
            raise business("this purse says otherwise", element, call.pay_id)
        return Answer(CheckPaymentReceiptResponse())

    def expand_payment_receipt(
        self, call: ExpandPaymentReceipt, /
    ) -> Flow[Answer[ExpandPaymentReceiptResponse]]:
        yield from self.records.known(call.pay_id, type(call).__name__)
        names = {one.token: one.id for wallet in self.wallets.wallets for one in wallet.instruments}
        return Answer(expanded(call.packaged_content, self.scheme.protocol_id, names))

    def start_payment_inquiry(
        self, call: StartPaymentInquiry, /
    ) -> Flow[Answer[StartPaymentInquiryResponse]]:
        element, pay_id = type(call).__name__, call.consumer_pay_id
        self.wallets.open(element, call.wallet_id, call.passphrase)
        record = yield from self.records.known(pay_id, element, "ConsumerPayId")
        transfer = transfer_of(record)
        if transfer is None:
            raise business("the payment has not begun", element, pay_id)
        asked = purse.inquiry(transfer, self._key(transfer))
        contents = (asked.packed(NAME),) if asked is not None else ()
        return Answer(StartPaymentInquiryResponse(pay_scheme_packaged_content=contents))

    def payment_instrument_inquiry(
        self, call: PaymentInstrumentInquiry, /
    ) -> Flow[Answer[PaymentInstrumentInquiryResponse]]:
        element = type(call).__name__
        self.scheme.named(element, call.brand_id, call.protocol_id)
        wallet: Wallet = self.wallets.open(element, call.wallet_id, call.passphrase)
        own = instrument_of(wallet, element, call.brand_id, call.payment_instrument_id)
        found = yield from self.book.purse(own.token)
        return Answer(properties(call, _known(found, self.limits_minor)))

    def remove_payment_log(
        self, call: RemovePaymentLog, /
    ) -> Flow[Answer[RemovePaymentLogResponse]]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        if begun(record) and not record.over:
            raise business("the payment is not over", element, call.pay_id)
        yield Remember(self.records.forgotten(record))
        return Answer(RemovePaymentLogResponse())

    def _key(self, transfer: Transfer) -> bytes:
        for wallet in self.wallets.wallets:
            for one in wallet.instruments:
                if one.token == transfer.own:
                    return one.key.reveal()
        raise refused(ErrorCode.UNKNOWN_ERROR, "the purse is in no wallet any more")


def _known(found: Purse, limits_minor: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """Say what is known of a purse (4.4.2): entries from 0, newest first; -1 is the oldest."""
    balances = {code: minor for code, minor in found.balances.items() if minor} or found.balances
    known = {
        "Balance": (_amounts(balances), "balance"),
        "Identifier": (found.id, "number of the purse"),
        "LogEntries": (str(len(found.log)), "transfers that are remembered"),
    }
    if limits_minor:
        known["Limit"] = (_amounts(limits_minor), "most it may hold")
    count = len(found.log)
    for place, (_, minor, code, other, at) in enumerate(found.log):
        for number in (place, place - count):
            known[f"PayAmount{number}"] = (str(Money.of(minor, code)), "amount")
            known[f"PayParty{number}"] = (other, "the other purse")
            known[f"PayTime{number}"] = (iso(Instant(at)), "when")
    return known


def _amounts(minor: Mapping[str, int]) -> str:
    return ", ".join([str(Money.of(amount, code)) for code, amount in minor.items()]) or "0"
