"""The Consumer's part of the card scheme: the wallet signs, and checks receipts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.calls import (
    CallBack,
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
from tollbridge.faces.iotp.api.elements import (
    Content,
    PaymentInstrumentProperty,
    PaymentProperty,
)
from tollbridge.faces.iotp.api.states import may_follow
from tollbridge.faces.iotp.api.words import (
    ISO_4217,
    CompletionCode,
    ContStatus,
    ErrorCode,
    PayDirection,
    ProcessState,
    ProcessType,
    Role,
)
from tollbridge.faces.iotp.schemes import statements
from tollbridge.faces.iotp.schemes.records import (
    Record,
    Records,
    business,
    pending_only,
    repeated,
    status_desc,
)
from tollbridge.faces.iotp.schemes.selection import begun
from tollbridge.faces.iotp.schemes.statements import Statement
from tollbridge.faces.iotp.schemes.terms import Scheme, in_time
from tollbridge.faces.iotp.schemes.wallet import Instrument, Wallets, instrument_of
from tollbridge.ground.clock import Clock, Instant, iso
from tollbridge.ground.flow import Flow, Remember
from tollbridge.ground.money import Money

CARD, WAIT, STATUS, RECEIPT = "Card", "Wait", "Status", "CardReceipt"
HANDLER = "handler"
ALL = "all"
_HALF = 50


@dataclass(frozen=True, slots=True)
class CardConsumer:
    """One wallet software for cards. See `card` for the protocol."""

    scheme: Scheme
    records: Records
    wallets: Wallets
    clock: Clock
    one_at_a_time: bool = False

    # Before and at the beginning of the payment

    def check_payment_possibility(
        self, call: CheckPaymentPossibility, /
    ) -> Flow[Answer[CheckPaymentPossibilityResponse]]:
        yield from self._instrument(call)
        info = (Content(text=self.scheme.protocol_id, name="Scheme"),)
        return Answer(CheckPaymentPossibilityResponse(brand_sel_brand_info_packaged_content=info))

    def start_payment_consumer(
        self, call: StartPaymentConsumer, /
    ) -> Flow[Answer[StartPaymentConsumerResponse]]:
        in_time(call, self.clock.now())
        instrument = yield from self._instrument(call)
        money = self.scheme.money(call)
        yield from self._progress(call)
        return (yield from repeated(lambda: self._start(call, instrument, money)))

    def resume_payment_consumer(
        self, call: ResumePaymentConsumer, /
    ) -> Flow[Answer[ResumePaymentConsumerResponse]]:
        self.wallets.open(type(call).__name__, call.wallet_id, call.passphrase)
        return (yield from repeated(lambda: self._resume(call)))

    def _instrument(self, call: CheckPaymentPossibility | StartPaymentConsumer) -> Flow[Instrument]:
        """Find the instrument and check it; Start repeats what Check did, for time has passed."""
        element = type(call).__name__
        self.scheme.named(element, call.brand_id, call.protocol_id)
        self.scheme.money(call)
        wallet = self.wallets.open(element, call.wallet_id, call.passphrase)
        found = instrument_of(wallet, element, call.brand_id, call.payment_instrument_id)
        if found.expires is not None and found.expires < self.clock.now():
            text = f"{found.name} is expired"
            yield from self._why(call.consumer_pay_id, CompletionCode.INST_NOT_VALID, text)
            raise business(text, element, call.consumer_pay_id)
        return found

    def _why(self, pay_id: str, code: CompletionCode, text: str) -> Flow[None]:
        """Keep for Inquire Process State why a payment cannot begin; it may still."""
        record = yield from self.records.find(pay_id)
        if not begun(record):
            record = record or Record(pay_id)
            yield from self.records.write(record.to(record.state, code, text))

    def _progress(self, call: StartPaymentConsumer) -> Flow[None]:
        """Show that it begins. An error is the user's wish to cancel."""
        if call.call_back_function is None:
            return
        languages = call.call_back_language_list
        texts = {"en": "paying by card", "de": "Kartenzahlung"}
        lang = next((one for one in languages if one in texts), None)
        heard: Answer[Any] = yield CallBack(
            pay_id=call.consumer_pay_id,
            process_state=ProcessState.IN_PROGRESS,
            percent_complete=0,
            lang=lang,
            status_desc=texts[lang] if lang else None,
        )
        error = heard.failed
        if error is not None and error.error_code is ErrorCode.BUS_ERROR:
            record = yield from self.records.find(call.consumer_pay_id)
            if not begun(record):
                record = (record or Record(call.consumer_pay_id)).to(
                    ProcessState.FAILED, CompletionCode.CONS_CANCELLED, "cancelled by the user"
                )
                yield from self.records.write(record)
            raise business("cancelled by the user", type(call).__name__, call.consumer_pay_id)

    def _start(
        self, call: StartPaymentConsumer, instrument: Instrument, money: Money
    ) -> Flow[Answer[StartPaymentConsumerResponse] | None]:
        element, pay_id = type(call).__name__, call.consumer_pay_id
        body: dict[str, Any] = {
            "payment": pay_id,
            "brand": call.brand_id,
            "amount_minor": money.amount_minor,
            "currency": money.currency.code,
            "direction": call.pay_direction.value,
            "until": call.ok_to // 1000,
        }
        card = statements.said(instrument.token, body, instrument.key.reveal())
        record = yield from self.records.find(pay_id)
        if record is not None and begun(record):
            pending_only(record, element)
            if _card(record) != card:
                raise business("this payment was begun with other terms", element, pay_id)
        else:
            if self.one_at_a_time:
                for other in (yield from self.records.pending()):
                    raise business("another payment is pending", element, other.pay_id)
            data = {**body, "token": card.by, "said": card.text, "seal": card.seal}
            record = (record or Record(pay_id)).to(ProcessState.IN_PROGRESS, **data)
            if not (yield from self.records.write(record)):
                return None
        return Answer(
            StartPaymentConsumerResponse(
                cont_status=ContStatus.CONTINUE, pay_scheme_packaged_content=(card.packed(CARD),)
            )
        )

    def _resume(
        self, call: ResumePaymentConsumer
    ) -> Flow[Answer[ResumePaymentConsumerResponse] | None]:
        element, pay_id = type(call).__name__, call.consumer_pay_id
        record = yield from self.records.known(pay_id, element, "ConsumerPayId")
        if record.state is not ProcessState.SUSPENDED:
            raise business(f"the payment is {record.state}", element, pay_id)
        if "token" not in record.data:
            text = "suspended before it began: select again"
            raise refused(
                ErrorCode.ATT_NOT_SUPP, text, "ConsumerPayId", element=element, ref=pay_id
            )
        if not (yield from self.records.write(record.to(ProcessState.IN_PROGRESS))):
            return None
        return Answer(
            ResumePaymentConsumerResponse(
                cont_status=ContStatus.CONTINUE,
                pay_scheme_packaged_content=(_card(record).packed(CARD),),
            )
        )

    # While it is under way

    def continue_process(self, call: ContinueProcess, /) -> Flow[Answer[ContinueProcessResponse]]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        inquiry = call.process_type is ProcessType.INQUIRY
        if not inquiry:
            pending_only(record, element)
        if "token" not in record.data:
            raise business("the payment has not begun", element, call.pay_id)
        name = STATUS if inquiry else WAIT
        told = statements.unpacked(call.pay_scheme_packaged_content, name)
        self._of_handler(record, told)
        if inquiry:
            return Answer(ContinueProcessResponse(cont_status=ContStatus.END))
        return Answer(
            ContinueProcessResponse(
                cont_status=ContStatus.CONTINUE,
                pay_scheme_packaged_content=(_card(record).packed(CARD),),
            )
        )

    def inquire_process_state(
        self, call: InquireProcessState, /
    ) -> Flow[Answer[InquireProcessStateResponse]]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        under_way = begun(record) and not record.over
        return Answer(
            InquireProcessStateResponse(
                process_state=record.state,
                percent_complete=_HALF if under_way else None,
                completion_code=record.completion or None,
                status_desc=status_desc(record.text),
                pay_receipt_name_refs=(RECEIPT,) if begun(record) else (),
            )
        )

    def change_process_state(
        self, call: ChangeProcessState, /
    ) -> Flow[Answer[ChangeProcessStateResponse]]:
        return (yield from repeated(lambda: self._change(call)))

    def _change(self, call: ChangeProcessState) -> Flow[Answer[ChangeProcessStateResponse] | None]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        if not record.over:
            changed = self._changed(record, call)
            if not (yield from self.records.write(changed)):
                return None
            record = changed
        elif call.process_state is not record.state:
            text = f"the counterparty says {call.process_state}, here it is {record.state}"
            record = record.to(record.state, record.completion, text)
        return Answer(
            ChangeProcessStateResponse(
                process_state=record.state,
                completion_code=record.completion or None,
                status_desc=status_desc(record.text),
            )
        )

    def _changed(self, record: Record, call: ChangeProcessState) -> Record:
        """Compare what is intended with what is known here."""
        wanted = call.process_state
        if record.data.get("receipt"):
            text = "" if wanted is ProcessState.COMPLETED_OK else (
                f"the counterparty says {wanted}, but its receipt is here"
            )  # fmt: skip
            return record.to(ProcessState.COMPLETED_OK, "", text)
        if not may_follow(Role.CONSUMER, record.state, wanted):
            text = f"{record.state} cannot become {wanted}"
            raise business(text, type(call).__name__, call.pay_id)
        text = "no receipt was checked" if wanted is ProcessState.COMPLETED_OK else ""
        return record.to(wanted, call.completion_code or "", text)

    # Receipts and inquiries

    def check_payment_receipt(
        self, call: CheckPaymentReceipt, /
    ) -> Flow[Answer[CheckPaymentReceiptResponse]]:
        return (yield from repeated(lambda: self._check(call)))

    def _check(self, call: CheckPaymentReceipt) -> Flow[Answer[CheckPaymentReceiptResponse] | None]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        found = receipt_of(call.packaged_content)
        key = self._key(record)
        body = found.body if found is not None else {}
        same = all(body.get(name) == record.data.get(name) for name in _SAME)
        if found is None or key is None or not statements.sealed(found, key) or not same:
            raise business("this receipt is not for this payment", element, call.pay_id)
        if not record.over and not record.data.get("receipt"):
            checked = record.to(record.state, record.completion, record.text, receipt=True)
            if not (yield from self.records.write(checked)):
                return None
        return Answer(CheckPaymentReceiptResponse())

    def expand_payment_receipt(
        self, call: ExpandPaymentReceipt, /
    ) -> Flow[Answer[ExpandPaymentReceiptResponse]]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        found = next((one for wallet in self.wallets.wallets for one in wallet.instruments
                      if one.token == record.data.get("token")), None)  # fmt: skip
        expanded = expand(
            call.packaged_content, self.scheme.protocol_id, found.id if found else None
        )
        return Answer(expanded)

    def start_payment_inquiry(
        self, call: StartPaymentInquiry, /
    ) -> Flow[Answer[StartPaymentInquiryResponse]]:
        element = type(call).__name__
        self.wallets.open(element, call.wallet_id, call.passphrase)
        record = yield from self.records.known(call.consumer_pay_id, element, "ConsumerPayId")
        if "token" not in record.data:
            raise business("the payment has not begun", element, call.consumer_pay_id)
        content = _card(record).packed(CARD)
        return Answer(StartPaymentInquiryResponse(pay_scheme_packaged_content=(content,)))

    def payment_instrument_inquiry(
        self, call: PaymentInstrumentInquiry, /
    ) -> Flow[Answer[PaymentInstrumentInquiryResponse]]:
        yield from ()
        element = type(call).__name__
        self.scheme.named(element, call.brand_id, call.protocol_id)
        wallet = self.wallets.open(element, call.wallet_id, call.passphrase)
        own = instrument_of(wallet, element, call.brand_id, call.payment_instrument_id)
        known = {"Identifier": (own.shown or own.id, "the number on the card")}
        if own.expires is not None:
            known["Expiration"] = (iso(own.expires), "good until")
        return Answer(properties(call, known))

    def remove_payment_log(
        self, call: RemovePaymentLog, /
    ) -> Flow[Answer[RemovePaymentLogResponse]]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        if begun(record) and not record.over:
            raise business("the payment is not over", element, call.pay_id)
        yield Remember(self.records.forgotten(record))
        return Answer(RemovePaymentLogResponse())

    # How

    def _key(self, record: Record) -> bytes | None:
        for wallet in self.wallets.wallets:
            for one in wallet.instruments:
                if one.token == record.data.get("token"):
                    return one.key.reveal()
        return None

    def _of_handler(self, record: Record, told: Statement) -> None:
        """Check that the Payment Handler said this, about what we said."""
        key = self._key(record)
        fine = key is not None and told.by == HANDLER and statements.sealed(told, key)
        if not fine or told.body.get("to") != _card(record).digest:
            raise statements.garbled("not an answer to what this card said")


_SAME = ("payment", "brand", "amount_minor", "currency", "direction")


def _card(record: Record) -> Statement:
    data = record.data
    return Statement(data["token"], data["said"], data["seal"])


def receipt_of(contents: Sequence[Content]) -> Statement | None:
    """Give the receipt in packaged contents, if it is alone there."""
    if [one.name for one in contents] != [RECEIPT]:
        return None
    return statements.unpacked(contents, RECEIPT)


def expand(
    contents: Sequence[Content], protocol_id: str, instrument_id: str | None = None
) -> ExpandPaymentReceiptResponse:
    """Make a receipt fit for people. Raises Refused, EncapProtErr, when there is none."""
    body = statements.unpacked(contents, RECEIPT).body
    try:
        money = Money.of(body["amount_minor"], body["currency"])
        return ExpandPaymentReceiptResponse(
            brand_id=body["brand"],
            payment_instrument_id=instrument_id,
            amount=Decimal(money.decimal()),
            curr_code_type=ISO_4217,
            curr_code=money.currency.code,
            pay_direction=PayDirection(body["direction"]),
            time_stamp=Instant(body["at"]),
            protocol_id=protocol_id,
            protocol_trans_id=body["reference"],
            payment_properties=(
                PaymentProperty(
                    property_type="AuthCode",
                    property_value=body["authorization_code"],
                    property_desc="authorization code",
                ),
                PaymentProperty(
                    property_type="Card", property_value=body["card"], property_desc="paid with"
                ),
            ),
        )
    except (KeyError, TypeError, ValueError):
        raise statements.garbled("not a receipt of this scheme") from None


def properties(
    call: PaymentInstrumentInquiry, known: Mapping[str, tuple[str, str]]
) -> PaymentInstrumentInquiryResponse:
    """Answer with what is known of an instrument: value and description by property type."""
    asked = tuple(known) if ALL in call.property_type_list else call.property_type_list
    return PaymentInstrumentInquiryResponse(
        lang=call.lang or "en",
        unavailable_property_list=tuple([name for name in asked if name not in known]),
        payment_instrument_properties=tuple(
            [
                PaymentInstrumentProperty(
                    property_type=name, property_value=known[name][0], property_desc=known[name][1]
                )
                for name in asked
                if name in known
            ]
        ),
    )
