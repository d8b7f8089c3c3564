"""The Payment Handler's part of the card scheme: what a card said becomes an Ask.

The state of a payment is that of its operation: as long as nobody knows, it is InProgress, whatever
anybody intends; a decision is final.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollbridge.core.asks import Ask, Look
from tollbridge.core.instrument import Instrument
from tollbridge.core.operation import FINAL, Operation, State
from tollbridge.core.outcome import Approved, DeclineCode, Declined
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.iotp.api.answer import Answer, refused
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
from tollbridge.faces.iotp.api.states import FINAL as FINAL_STATES
from tollbridge.faces.iotp.api.states import may_follow
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ContStatus,
    ErrorCode,
    PayDirection,
    ProcessState,
    Role,
    Severity,
)
from tollbridge.faces.iotp.schemes import statements
from tollbridge.faces.iotp.schemes.card_consumer import (
    CARD,
    HANDLER,
    RECEIPT,
    STATUS,
    WAIT,
    expand,
    receipt_of,
)
from tollbridge.faces.iotp.schemes.offering import REFUND_DATA
from tollbridge.faces.iotp.schemes.records import (
    Record,
    Records,
    business,
    repeated,
    status_desc,
    unknown,
)
from tollbridge.faces.iotp.schemes.statements import Statement
from tollbridge.faces.iotp.schemes.terms import Scheme, in_time
from tollbridge.ground.clock import Clock, Instant
from tollbridge.ground.errors import UnresolvedOperation, UsageError, VersionConflict
from tollbridge.ground.flow import Flow, Note, Remember
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.wire import json

KEY_SCOPE = "iotp/card"
_HALF = 50

CODES: Mapping[DeclineCode, CompletionCode] = {
    **dict.fromkeys(DeclineCode, CompletionCode.UNSPECIFIED),
    DeclineCode.INSUFFICIENT_FUNDS: CompletionCode.INSUFF_FUNDS,
    DeclineCode.LIMIT_EXCEEDED: CompletionCode.INSUFF_FUNDS,
    DeclineCode.EXPIRED_CARD: CompletionCode.INST_NOT_VALID,
    DeclineCode.INVALID_CARD: CompletionCode.INST_NOT_VALID,
    DeclineCode.PICK_UP_CARD: CompletionCode.INST_NOT_VALID,
    DeclineCode.LOST_CARD: CompletionCode.INST_NOT_VALID,
    DeclineCode.STOLEN_CARD: CompletionCode.INST_NOT_VALID,
    DeclineCode.RESTRICTED_CARD: CompletionCode.INST_NOT_VALID,
    DeclineCode.SUSPECTED_FRAUD: CompletionCode.BAD_INSTRUMENT,
    DeclineCode.INCORRECT_PIN: CompletionCode.AUTH_ERROR,
    DeclineCode.PIN_TRIES_EXCEEDED: CompletionCode.AUTH_ERROR,
    DeclineCode.AUTHENTICATION_REQUIRED: CompletionCode.AUTH_ERROR,
}
"""Completion codes of declines (RFC 2801, 7.16.2)."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The card a token stands for, and the key of the instrument."""

    card: Instrument
    key: Secret[bytes]
    brand_id: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a payment stands, by evidence."""

    record: Record
    state: ProcessState
    completion: str = ""
    text: str = ""
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class CardHandler:
    """One Payment Handler. See `card` for the protocol."""

    scheme: Scheme
    records: Records
    register: Mapping[str, Registered]
    clock: Clock
    bridge: str = ""
    patience_s: float | None = None

    # The payment

    def start_payment_payment_handler(
        self, call: StartPaymentPaymentHandler, /
    ) -> Flow[Answer[StartPaymentPaymentHandlerResponse]]:
        element = type(call).__name__
        self.scheme.named(element, call.brand_id, call.protocol_id)
        money = self.scheme.money(call)
        card = statements.unpacked(call.pay_scheme_packaged_content, CARD)
        pay_id = call.payment_handler_pay_id
        record = yield from self.records.find(pay_id)
        if record is None:
            in_time(call, self.clock.now())
            known = self._authorised(call, card, money)
            record = yield from self._ask(call, card, known, money)
        if record.data.get("digest") != card.digest:
            raise business("this payment was begun with other terms", element, pay_id)
        now = yield from self._standing(record)
        if record.over and now.operation is None:
            raise business(record.text, element, pay_id)
        status, contents = self._next(now)
        return Answer(
            StartPaymentPaymentHandlerResponse(
                cont_status=status, pay_scheme_packaged_content=contents
            )
        )

    def resume_payment_payment_handler(
        self, call: ResumePaymentPaymentHandler, /
    ) -> Flow[Answer[ResumePaymentPaymentHandlerResponse]]:
        return (yield from repeated(lambda: self._resume(call)))

    def continue_process(self, call: ContinueProcess, /) -> Flow[Answer[ContinueProcessResponse]]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        now = yield from self._standing(record)
        if record.over or now.state is ProcessState.SUSPENDED:
            raise business(f"the payment is {now.state}", element, call.pay_id)
        self._same_card(record, call.pay_scheme_packaged_content)
        status, contents = self._next(now)
        return Answer(
            ContinueProcessResponse(cont_status=status, pay_scheme_packaged_content=contents)
        )

    def _authorised(
        self, call: StartPaymentPaymentHandler, card: Statement, money: Money
    ) -> Registered:
        """Check that the instrument said just this. Raises Refused, EncapProtErr."""
        known = self.register.get(card.by)
        if known is None or not statements.sealed(card, known.key.reveal()):
            raise statements.garbled("not said by an instrument known here")
        wanted = {
            "brand": call.brand_id,
            "amount_minor": money.amount_minor,
            "currency": money.currency.code,
            "direction": call.pay_direction.value,
            "until": call.ok_to // 1000,
        }
        body = card.body
        payment = body.get("payment")
        if call.consumer_pay_id is not None and payment != call.consumer_pay_id:
            raise statements.garbled("the card pays another payment")
        if not isinstance(payment, str) or any(
            type(body.get(name)) is not type(value) or body.get(name) != value
            for name, value in wanted.items()
        ):
            raise statements.garbled("the card agreed to other terms")
        if known.brand_id != call.brand_id:
            raise statements.garbled("the card is of another brand")
        return known

    def _ask(
        self,
        call: StartPaymentPaymentHandler,
        card: Statement,
        known: Registered,
        money: Money,
    ) -> Flow[Record]:
        """Ask, and write the payment and its card's word down in the same commit."""
        pay_id = call.payment_handler_pay_id
        body = card.body
        key = IdempotencyKey(KEY_SCOPE, json.write([body["payment"], pay_id]).decode())
        record = Record(pay_id).to(
            ProcessState.IN_PROGRESS,
            digest=card.digest,
            token=card.by,
            payment=body["payment"],
            brand=call.brand_id,
            merchant=call.merchant_org_id,
            key=key.value,
        )
        used = Note(f"{self.records.prefix}/used/{card.digest}", pay_id.encode(), expected=0)
        notes = (*self.records.notes(record), used)
        ask = yield from self._wording(call, key, known, money)
        try:
            yield Ask(**ask, notes=notes)
        except VersionConflict:
            return (yield from self._again(call))
        except UnresolvedOperation:
            text = "the payment to give back is not decided yet"
            raise refused(ErrorCode.SYSTEM_BUSY, text, severity=Severity.TRANSIENT_ERROR) from None
        except UsageError as error:
            failed = record.to(
                ProcessState.FAILED, CompletionCode.UNSPECIFIED, f"not done: {error}"
            )
            yield from self.records.write(failed)
            return failed
        return (yield from self.records.known(pay_id, type(call).__name__))

    def _again(self, call: StartPaymentPaymentHandler) -> Flow[Record]:
        """Find the payment that somebody else began meanwhile; or the card paid another."""
        found = yield from self.records.find(call.payment_handler_pay_id)
        if found is None:
            raise statements.garbled("what the card said was used for another payment")
        return found

    def _wording(
        self, call: StartPaymentPaymentHandler, key: IdempotencyKey, known: Registered, money: Money
    ) -> Flow[dict[str, Any]]:
        """Say what is asked: a purchase, a refund of the payment the Merchant names, a credit."""
        opening = {
            "key": key,
            "amount": money,
            "instrument": known.card,
            "merchant": call.merchant_org_id,
            "bridge": self.bridge,
            "reference": call.payment_handler_pay_id,
            "details": {"protocol": self.scheme.protocol_id, "brand": call.brand_id},
        }
        if call.pay_direction is PayDirection.DEBIT:
            return opening | {"verb": Verb.PURCHASE, "patience_s": self.patience_s}
        contents = call.trading_role_data_packaged_content
        named = [one.text for one in contents if one.name == REFUND_DATA]
        if not named:
            return opening | {"verb": Verb.CREDIT}
        payment = yield from self._paid(named[0], call.merchant_org_id)
        details = {"protocol": self.scheme.protocol_id}
        return {
            "verb": Verb.REFUND,
            "key": key,
            "payment": payment,
            "amount": money,
            "details": details,
        }

    def _paid(self, pay_id: str, merchant: str) -> Flow[PaymentId]:
        """Find the payment that is to be given back: the same Merchant's."""
        record = yield from self.records.find(pay_id)
        if record is not None and record.data.get("merchant") == merchant:
            payment: Payment | None = yield Look(key=IdempotencyKey(KEY_SCOPE, record.data["key"]))
            if payment is not None:
                return payment.id
        raise refused(
            ErrorCode.EL_CONT_ILLEGAL,
            "there is no such payment to give back",
            element="TradingRoleDataPackagedContent",
        )

    def _resume(
        self, call: ResumePaymentPaymentHandler
    ) -> Flow[Answer[ResumePaymentPaymentHandlerResponse] | None]:
        element, pay_id = type(call).__name__, call.payment_handler_pay_id
        record = yield from self.records.known(pay_id, element, "PaymentHandlerPayId")
        now = yield from self._standing(record)
        if now.state is not ProcessState.SUSPENDED:
            raise business(f"the payment is {now.state}", element, pay_id)
        if call.pay_scheme_packaged_content:
            self._same_card(record, call.pay_scheme_packaged_content)
        resumed = record.to(ProcessState.IN_PROGRESS)
        if not (yield from self.records.write(resumed)):
            return None
        status, contents = self._next((yield from self._standing(resumed)))
        return Answer(
            ResumePaymentPaymentHandlerResponse(
                cont_status=status, pay_scheme_packaged_content=contents
            )
        )

    def _same_card(self, record: Record, contents: tuple[Content, ...]) -> None:
        if statements.unpacked(contents, CARD).digest != record.data.get("digest"):
            raise statements.garbled("not what this card said before")

    def _next(self, now: _Standing) -> tuple[ContStatus, tuple[Content, ...]]:
        """Say whether the Consumer has to ask again."""
        if now.state in FINAL_STATES:
            return ContStatus.END, ()
        wait = self._to_card(now.record, {"to": now.record.data["digest"]})
        return ContStatus.CONTINUE, (wait.packed(WAIT),)

    # Where it stands

    def _standing(self, record: Record) -> Flow[_Standing]:
        payment: Payment | None = None
        if "key" in record.data:
            payment = yield Look(key=IdempotencyKey(KEY_SCOPE, record.data["key"]))
        operation = payment.find(IdempotencyKey(KEY_SCOPE, record.data["key"])) if payment else None
        if record.over or operation is None:
            return _Standing(record, record.state, record.completion, record.text, operation)
        if operation.abandoned:
            text = "the provider did not answer in time"
            return _failed(record, operation, CompletionCode.UNSPECIFIED, text)
        if operation.state is State.APPROVED:
            return _Standing(record, ProcessState.COMPLETED_OK, "", "paid", operation)
        if operation.state not in FINAL:
            return _Standing(record, record.state, "", "the outcome is not known yet", operation)
        if isinstance(operation.outcome, Declined):
            code = operation.outcome.code
            text = f"declined: {code.replace('_', ' ')}"
            return _failed(record, operation, CODES[code], text)
        return _failed(record, operation, CompletionCode.UNSPECIFIED, "the provider was not asked")

    def inquire_process_state(
        self, call: InquireProcessState, /
    ) -> Flow[Answer[InquireProcessStateResponse]]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        now = yield from self._standing(record)
        receipt = self._receipt(now)
        return Answer(
            InquireProcessStateResponse(
                process_state=now.state,
                percent_complete=None if now.state in FINAL_STATES else _HALF,
                completion_code=now.completion or None,
                status_desc=status_desc(now.text),
                pay_receipt_name_refs=(RECEIPT,),
                packaged_content=(receipt.packed(RECEIPT),) if receipt is not None else (),
            )
        )

    def inquire_payment_status(
        self, call: InquirePaymentStatus, /
    ) -> Flow[Answer[InquirePaymentStatusResponse]]:
        element, pay_id = type(call).__name__, call.payment_handler_pay_id
        record = yield from self.records.known(pay_id, element, "PaymentHandlerPayId")
        if call.pay_scheme_packaged_content:
            self._same_card(record, call.pay_scheme_packaged_content)
        now = yield from self._standing(record)
        told = self._to_card(record, {"to": record.data["digest"], "state": now.state.value})
        return Answer(
            InquirePaymentStatusResponse(
                payment_handler_pay_id=pay_id,
                process_state=now.state,
                completion_code=now.completion or None,
                status_desc=status_desc(now.text),
                pay_scheme_packaged_content=(told.packed(STATUS),),
            )
        )

    def change_process_state(
        self, call: ChangeProcessState, /
    ) -> Flow[Answer[ChangeProcessStateResponse]]:
        return (yield from repeated(lambda: self._change(call)))

    def _change(self, call: ChangeProcessState) -> Flow[Answer[ChangeProcessStateResponse] | None]:
        element, wanted = type(call).__name__, call.process_state
        record = yield from self.records.known(call.pay_id, element)
        now = yield from self._standing(record)
        state, completion, text = now.state, now.completion, now.text
        if state not in FINAL_STATES:
            if not may_follow(Role.PAYMENT_HANDLER, state, wanted):
                raise business(f"{state} cannot become {wanted}", element, call.pay_id)
            if wanted not in FINAL_STATES:
                state = wanted
        if not record.over and state is not record.state:
            if not (yield from self.records.write(record.to(state, completion, text))):
                return None
        return Answer(
            ChangeProcessStateResponse(
                process_state=state,
                completion_code=completion or None,
                status_desc=status_desc(text),
            )
        )

    def inquire_pending_payment(
        self, call: InquirePendingPayment, /
    ) -> Flow[Answer[InquirePendingPaymentResponse]]:
        del call  # this bridge has no wallets
        pending = yield from self.records.pending()
        return Answer(InquirePendingPaymentResponse(payment_ids=pending))

    def remove_payment_log(
        self, call: RemovePaymentLog, /
    ) -> Flow[Answer[RemovePaymentLogResponse]]:
        """Forget the payment; that the card's word was used, and the journal, stay."""
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
        own = self._receipt((yield from self._standing(record)))
        if own is None or receipt_of(call.packaged_content) != own:
            raise business("this receipt is not ours", element, call.pay_id)
        return Answer(CheckPaymentReceiptResponse())

    def expand_payment_receipt(
        self, call: ExpandPaymentReceipt, /
    ) -> Flow[Answer[ExpandPaymentReceiptResponse]]:
        found = yield from self.records.find(call.pay_id)
        if found is None:
            raise unknown(call.pay_id, type(call).__name__)
        return Answer(expand(call.packaged_content, self.scheme.protocol_id))

    def _receipt(self, now: _Standing) -> Statement | None:
        """Make the receipt of a payment that was approved: always the same."""
        operation, record = now.operation, now.record
        if now.state is not ProcessState.COMPLETED_OK or operation is None:
            return None
        outcome, amount = operation.outcome, operation.amount
        if not isinstance(outcome, Approved) or amount is None:
            return None
        debit = operation.verb is Verb.PURCHASE
        return self._to_card(
            record,
            {
                "payment": record.data["payment"],
                "handler": record.pay_id,
                "brand": record.data["brand"],
                "amount_minor": amount.amount_minor,
                "currency": amount.currency.code,
                "direction": (PayDirection.DEBIT if debit else PayDirection.CREDIT).value,
                "at": operation.settled_at or Instant(0),
                "reference": outcome.reference,
                "authorization_code": outcome.authorization_code,
                "card": self._registered(record).card.view.masked_number,
            },
        )

    def _to_card(self, record: Record, body: Mapping[str, Any]) -> Statement:
        return statements.said(HANDLER, body, self._registered(record).key.reveal())

    def _registered(self, record: Record) -> Registered:
        known = self.register.get(record.data["token"])
        if known is None:
            raise refused(ErrorCode.UNKNOWN_ERROR, "the instrument is not registered any more")
        return known


def _failed(record: Record, operation: Operation, code: CompletionCode, text: str) -> _Standing:
    return _Standing(record, ProcessState.FAILED, code, text, operation)
