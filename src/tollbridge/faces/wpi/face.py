"""The WPI face: what a payment terminal does with a request, from the card to the receipt.

It keeps one thing in memory: which exchange the terminal is busy with, true only while this
process lives. Whatever must survive stands in the notebook before it matters.
"""

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tollbridge.core.asks import Ask, Look
from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Declined
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.contract import Endpoint, HttpEndpoint
from tollbridge.faces.wpi import check, codec, information, outcome, sessions
from tollbridge.faces.wpi.check import Refused, Wanted
from tollbridge.faces.wpi.messages import (
    Call,
    Cancelled,
    Extras,
    PasswordEntered,
    PasswordWanted,
    Presentation,
    Presented,
    Reply,
    TimedOut,
    Unreadable,
)
from tollbridge.faces.wpi.profile import Profile
from tollbridge.faces.wpi.receipt import receipt, timestamp
from tollbridge.faces.wpi.sessions import Session
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.tables import (
    IMPLEMENTED,
    LAST_TRANSACTION,
    PAYMENT_INFORMATION,
    SERVICES,
    SUCCESS,
    Action,
    Condition,
)
from tollbridge.ground.errors import JournalError, UsageError, VersionConflict
from tollbridge.ground.flow import Exchange, Flow, Note, Page, Party, Recall, Remember
from tollbridge.ground.ids import CROCKFORD, IdempotencyKey, IdSource, check_letter
from tollbridge.ground.money import Money
from tollbridge.ground.secret import mask_number
from tollbridge.wire import json
from tollbridge.wire.http import Limits

REFERENCE_LETTERS = 10


class WpiFace:
    """One terminal. `ids` makes its references."""

    name = "wpi"

    def __init__(self, profile: Profile, ids: IdSource) -> None:
        self.profile = profile
        self._ids = ids
        self._busy: tuple[str, str] | None = None

    def endpoints(self) -> Sequence[Endpoint]:
        endpoint = HttpEndpoint(
            "POST", "/wpi/{intent}", codec.decode, codec.encode, codec.refuse, Limits()
        )
        return [endpoint]

    def answer(self, message: Extras) -> Flow[Reply]:
        try:
            call = check.call(message, self.profile)
            if call.service.name == LAST_TRANSACTION:
                return (yield from self._last_transaction(call))
            if call.service.name == PAYMENT_INFORMATION:
                return _reply(call, information.answer(self.profile))
            return (yield from self._financial(call))
        except Refused as refused:
            return _refusal(message, refused)

    # Financial services (4.2)

    def _financial(self, call: Call) -> Flow[Reply]:
        """Check what the terminal's state allows, then hold the conversation alone."""
        used = yield Recall(sessions.page(call.package, call.session))
        if used is not None or self._busy == (call.package, call.session):
            raise Refused(
                Condition.SESSION_ID_ALREADY_IN_USE,
                "extra WPI_SESSION_ID was used before; only WPI_SVC_LAST_TRANSACTION may use it"
                " again (section 2)",
            )
        if not self.profile.initialized:
            raise Refused(Condition.NOT_INITIALIZED, "the terminal has no configuration (4.1.2.3)")
        if self._busy is not None:
            raise Refused(Condition.BUSY, "a transaction is in progress (section 3)")
        self._busy = (call.package, call.session)
        try:
            return (yield from self._exchange(call))
        finally:
            self._busy = None

    def _exchange(self, call: Call) -> Flow[Reply]:
        session = Session(
            package=call.package,
            session=call.session,
            service=call.service.name,
            reference=self._ids.code(REFERENCE_LETTERS),
        )
        try:
            wanted = check.wanted(call, self.profile)
            session = replace(
                session,
                merchant_reference=wanted.fields.get("reference"),
                product_records=wanted.fields.get("productRecords"),
                receipt_formats=wanted.receipt_formats,
            )
            match call.service.name:
                case "WPI_SVC_PAYMENT":
                    return (yield from self._payment(call, session, wanted))
                case "WPI_SVC_REFUND":
                    return (yield from self._refund(call, session, wanted))
                case _:
                    return (yield from self._cancel(call, session, wanted))
        except Refused as refused:
            reference, records = check.echoes(call.request)
            session = replace(session, merchant_reference=reference, product_records=records)
            return (yield from self._end_refused(call, session, refused))

    def _payment(self, call: Call, session: Session, wanted: Wanted) -> Flow[Reply]:
        """WPI_SVC_PAYMENT (4.2.1): present a card, pay."""
        assert wanted.money is not None
        card = yield from self._card(session.service, wanted.money)
        ask = self._ask(session, Verb.PURCHASE, card)
        return (yield from self._carry_out(call, session, replace(ask, amount=wanted.money), card))

    def _cancel(self, call: Call, session: Session, wanted: Wanted) -> Flow[Reply]:
        """WPI_SVC_CANCEL_PAYMENT (4.2.2): undo the payment a reference stands for."""
        code = wanted.fields["paymentSolutionReference"]
        payment, target = yield from self._earlier(code, call.service.cancels)
        if target.unresolved:
            raise Refused(Condition.BUSY, "the outcome of that transaction is not known yet")
        if not payment.counts(target):
            raise _invalid_reference("the transaction was cancelled before, or was not successful")
        brand = target.view.brand if target.view else ""
        last: Page | None = yield Recall(sessions.cancellable_page(brand))
        if code not in sessions.listed(last.value if last else None):
            raise _invalid_reference(
                f"only the last {self.profile.cancellable_last} payments of a brand can be"
                " cancelled; refund it instead (4.1.2.6)"
            )
        ask = self._ask(session, Verb.VOID, None)
        ask = replace(ask, payment=payment.id, target=target.ordinal)
        return (yield from self._carry_out(call, session, ask, None))

    def _refund(self, call: Call, session: Session, wanted: Wanted) -> Flow[Reply]:
        """WPI_SVC_REFUND (4.2.3): with a reference, of that payment; else to the presented card."""
        assert wanted.money is not None
        code = wanted.fields.get("paymentSolutionReference")
        if code is None:
            yield from self._password()
            card = yield from self._card(session.service, wanted.money)
            ask = self._ask(session, Verb.CREDIT, card)
            ask = replace(ask, amount=wanted.money)
            return (yield from self._carry_out(call, session, ask, card))
        payment, _ = yield from self._earlier(code, "WPI_SVC_PAYMENT")
        if payment.currency != wanted.money.currency:
            raise Refused(
                Condition.INVALID_CURRENCY, f"the original transaction is in {payment.currency}"
            )
        left = payment.amounts.refundable_minor
        if wanted.money.amount_minor > left:
            raise Refused(
                Condition.INVALID_AMOUNT,
                f"requestedAmount is above the {left} left to refund",
            )
        yield from self._password()
        ask = self._ask(session, Verb.REFUND, None)
        ask = replace(ask, payment=payment.id, amount=wanted.money)
        return (yield from self._carry_out(call, session, ask, None))

    def _carry_out(
        self, call: Call, session: Session, ask: Ask, card: Presented | None
    ) -> Flow[Reply]:
        """Ask, with the exchange written in the same commit; then remember the answer."""
        if card is not None:
            language = card.language or self.profile.languages[0]
            session = replace(session, card_used=True, language=language)
        notes = yield from self._begun(session)
        try:
            payment: Payment = yield replace(ask, notes=notes)
        except VersionConflict:
            raise Refused(
                Condition.SESSION_ID_ALREADY_IN_USE, "extra WPI_SESSION_ID was used"
            ) from None
        except JournalError:
            # It may be written and even sent. The session stays open, so that the truth is found.
            raise Unknown from None
        except UsageError as error:
            raise Refused(outcome.condition_of(error), str(error)) from None
        operation = payment.find(ask.key)
        assert operation is not None
        return (yield from self._end(call, session, operation))

    def _ask(self, session: Session, verb: Verb, card: Presented | None) -> Ask:
        details = {"terminal": self.profile.terminal_id, "terminal_reference": session.reference}
        instrument = None
        if card is not None:
            if card.cryptogram:
                details["cryptogram"] = card.cryptogram
            if card.verified:
                details["verified"] = card.verified
            number = card.number.reveal()
            view = InstrumentView(
                card.brand,
                mask_number(number),
                card.application_id,
                card.application_label,
                card.entry,
            )
            instrument = Card(card.number, view)
        return Ask(
            verb=verb,
            key=self._key(session),
            merchant=self.profile.merchant,
            reference=session.merchant_reference or "",
            instrument=instrument,
            details=details,
            patience_s=self.profile.patience_s,
        )

    # People

    def _card(self, service: str, money: Money) -> Generator[Any, Any, Presented]:
        """Let the cardholder present a card this terminal accepts."""
        wish = Presentation(
            amount_minor=money.amount_minor,
            currency=money.currency.code,
            entries=self.profile.entries,
            purpose=service,
        )
        answer = yield Exchange(Party.CARDHOLDER, wish)
        match answer:
            case Cancelled():
                raise Refused(Condition.USER_CANCEL, "the cardholder pressed stop")
            case TimedOut():
                raise Refused(Condition.USER_TIMEOUT, "no card was presented in time")
            case Unreadable(why=why):
                raise Refused(Condition.CARD_READ_ERR, why)
        assert isinstance(answer, Presented)
        if self.profile.accepted(answer.brand) is None or answer.entry not in self.profile.entries:
            raise Refused(
                Condition.APP_NOT_SUPPORTED,
                f"{answer.brand} by {answer.entry} is not accepted for {service}",
            )
        return answer

    def _password(self) -> Generator[Any, Any, None]:
        """Let the merchant enter the password, a few times if need be (3, 4.1.2.3)."""
        if self.profile.password is None:
            return
        for tries_left in range(self.profile.password_tries, 0, -1):
            answer = yield Exchange(Party.MERCHANT, PasswordWanted(tries_left))
            match answer:
                case PasswordEntered(password=password) if password == self.profile.password:
                    return
                case Cancelled():
                    raise Refused(Condition.USER_CANCEL, "the merchant pressed stop")
                case TimedOut():
                    raise Refused(Condition.USER_TIMEOUT, "no password was entered in time")
        raise Refused(Condition.INVALID_PASSWORD, "the password entered in the terminal is wrong")

    # The notebook

    def _begun(self, session: Session) -> Generator[Any, Any, tuple[Note, ...]]:
        """Give what is to be written down when the exchange begins."""
        notes = yield from self._place(session)
        notes.append(sessions.reference_note(session))
        return (Note(session.page, session.write(), expected=0), *notes)

    def _place(self, session: Session) -> Generator[Any, Any, list[Note]]:
        """Give the session a place in its application's history; the oldest one is forgotten."""
        counted: Page | None = yield Recall(sessions.package_page(session.package))
        count = int(counted.value) if counted else 0
        slot = sessions.slot_page(session.package, count % self.profile.session_history)
        notes = [Note(sessions.package_page(session.package), str(count + 1).encode())]
        if count >= self.profile.session_history:
            oldest: Page | None = yield Recall(slot)
            if oldest is not None:
                notes.append(Note(sessions.page(session.package, oldest.value.decode()), None))
        notes.append(Note(slot, session.session.encode()))
        return notes

    def _end(self, call: Call, session: Session, operation: Operation) -> Flow[Reply]:
        """Answer with what became of the operation; remember it unless it may still change."""
        response = self._response(session, operation)
        if operation.unresolved and not operation.abandoned:
            return _reply(call, response)
        notes = yield from self._cancellable(session, operation)
        yield from self._remember(session, response, notes)
        return _reply(call, response)

    def _end_refused(self, call: Call, session: Session, refused: Refused) -> Flow[Reply]:
        response: dict[str, Any] = codec.failed(refused.condition, refused.remark)
        response |= _echoed(session)
        reused = refused.condition is Condition.SESSION_ID_ALREADY_IN_USE
        if not reused and not isinstance(refused, Unknown):
            started: Page | None = yield Recall(session.page)
            notes = [] if started else (yield from self._place(session))
            yield from self._remember(session, response, notes)
        return _reply(call, response)

    def _remember(
        self, session: Session, response: dict[str, Any], notes: Sequence[Note]
    ) -> Generator[Any, Any, None]:
        """Keep the answer. If that fails, LAST_TRANSACTION makes the same one from the journal."""
        ended = replace(session, response=json.write(response).decode())
        with suppress(JournalError):
            yield Remember((Note(session.page, ended.write()), *notes))

    def _cancellable(
        self, session: Session, operation: Operation
    ) -> Generator[Any, Any, list[Note]]:
        """Keep the list of a brand's last successful payments (4.1.2.6)."""
        cancelled_by = any(s.cancels == session.service for s in SERVICES.values())
        if not cancelled_by or outcome.condition(operation)[0] is not Condition.NONE:
            return []
        page = sessions.cancellable_page(operation.view.brand if operation.view else "")
        last: Page | None = yield Recall(page)
        codes = [*sessions.listed(last.value if last else None), session.reference]
        return [Note(page, json.write(codes[-self.profile.cancellable_last :]))]

    def _earlier(self, code: str, service: str) -> Generator[Any, Any, tuple[Payment, Operation]]:
        """Find the transaction a paymentSolutionReference stands for, if it is of a service."""
        form = len(code) == REFERENCE_LETTERS and all(letter in CROCKFORD for letter in code)
        if not form or check_letter(code[:-1]) != code[-1]:
            raise _invalid_reference("it is not one of this terminal's; check for a typing error")
        page: Page | None = yield Recall(sessions.reference_page(code))
        if page is None:
            raise _invalid_reference("this terminal has no such transaction")
        package, session, was = json.read(page.value)
        if was != service:
            raise _invalid_reference(f"it stands for {was}, not for {service} (4.2.2)")
        key = sessions.key(self.profile.terminal_id, package, session)
        payment: Payment | None = yield Look(key=key)
        operation = payment.find(key) if payment else None
        if payment is None or operation is None:
            raise _invalid_reference("the transaction was not carried out")
        return payment, operation

    # Recovery (4.4.1)

    def _last_transaction(self, call: Call) -> Flow[Reply]:
        """Answer what the session answered, or the truth it could not tell before it broke off."""
        extras = {"WPI_VERSION": call.version, "WPI_SESSION_ID": call.session}
        page: Page | None = yield Recall(sessions.page(call.package, call.session))
        if self._busy == (call.package, call.session):
            return _reply(call, codec.failed(Condition.BUSY, "this transaction still runs"))
        if page is None:
            return Reply(extras)
        session = sessions.read(page.value)
        if not session.over:
            session = yield from self._recover(session)
        if not session.over:
            remark = "the outcome is not known yet; the provider is being asked"
            return _reply(call, codec.failed(Condition.BUSY, remark))
        return Reply(
            {"WPI_SERVICE_TYPE": session.service, "WPI_RESPONSE": session.response, **extras}
        )

    def _recover(self, session: Session) -> Generator[Any, Any, Session]:
        """Finish an exchange that a crash broke off, from what the journal knows."""
        payment: Payment | None = yield Look(key=self._key(session))
        operation = payment.find(self._key(session)) if payment else None
        notes: list[Note] = []
        if payment is None or operation is None:
            remark = "the terminal stopped before the transaction was asked for"
            response: dict[str, Any] = codec.failed(Condition.INTERNAL, remark)
            response |= _echoed(session)
        elif operation.unresolved and not operation.abandoned:
            return session
        else:
            response = self._response(session, operation)
            notes = yield from self._cancellable(session, operation)
        yield from self._remember(session, response, notes)
        return replace(session, response=json.write(response).decode())

    # The response (4.2)

    def _response(self, session: Session, operation: Operation) -> dict[str, Any]:
        condition, remark = outcome.condition(operation)
        if condition is Condition.NONE:
            response = self._success(session, operation)
        else:
            response = codec.failed(condition, remark)
        if operation.outcome is not None or operation.abandoned:
            paper = receipt(session.receipt_formats, self.profile, self._slip(session, operation))
            response |= {"receipt": paper} if paper else {}
        return response | {"paymentSolutionReference": session.reference} | _echoed(session)

    def _slip(self, session: Session, operation: Operation) -> Slip:
        """Gather what the receipt says."""
        made, view = operation.outcome, operation.view
        amount = operation.approved_amount or operation.amount
        slip = Slip(
            service=session.service,
            at=timestamp(self.profile, operation),
            approved=isinstance(made, Approved),
            code=made.provider_code if isinstance(made, Approved | Declined) else "",
            text=outcome.condition(operation)[1],
            language=session.language,
            operation=operation.id,
            reference=session.reference,
            merchant_reference=session.merchant_reference or "",
            currency=amount.currency.code if amount else "",
            amount_minor=amount.amount_minor if amount else None,
            authorization_code=made.authorization_code if isinstance(made, Approved) else "",
            identification=outcome.action(operation) is Action.ASK_LEGAL_IDENTIFICATION,
            signature_wanted=outcome.action(operation) is Action.ASK_SIGNATURE,
            product_records=session.product_records,
        )
        if view is None:
            return slip
        return replace(
            slip,
            card_read=session.card_used,
            brand=view.brand,
            masked_number=view.masked_number,
            application_id=view.application_id,
            application_label=view.application_label,
            entry=view.entry,
            cryptogram=operation.request.details.get("cryptogram", ""),
        )

    def _success(self, session: Session, operation: Operation) -> dict[str, Any]:
        amount = operation.approved_amount
        assert amount is not None
        response: dict[str, Any] = {"result": SUCCESS, "errorCondition": Condition.NONE.wire}
        action = outcome.action(operation)
        if action is not Action.NONE:
            response["actionCode"] = action
        response["timestamp"] = timestamp(self.profile, operation)
        response["currency"] = amount.currency.code
        response["authorizedAmount"] = amount.amount_minor
        if session.card_used and operation.view is not None:
            response["customerLanguage"] = session.language
            response["brandName"] = operation.view.brand
            response["applicationIdentifier"] = operation.view.application_id
            response["applicationLabel"] = operation.view.application_label
        return response

    def _key(self, session: Session) -> IdempotencyKey:
        return sessions.key(self.profile.terminal_id, session.package, session.session)


class Unknown(Refused):
    """Nobody can say what became of it now: the exchange stays open."""

    def __init__(self) -> None:
        remark = "the journal failed; ask with WPI_SVC_LAST_TRANSACTION"
        super().__init__(Condition.INTERNAL, remark)


def _echoed(session: Session) -> dict[str, Any]:
    """Give what every response repeats of its request (4.1.2)."""
    echoed: dict[str, Any] = {}
    if session.product_records is not None:
        echoed["productRecords"] = session.product_records
    if session.merchant_reference is not None:
        echoed["reference"] = session.merchant_reference
    return echoed


def _invalid_reference(why: str) -> Refused:
    return Refused(Condition.INVALID_TRANSACTION_REQ, f"paymentSolutionReference: {why}")


def _reply(call: Call, response: dict[str, Any]) -> Reply:
    return Reply(
        {
            "WPI_SERVICE_TYPE": call.service.name,
            "WPI_RESPONSE": json.write(response).decode(),
            "WPI_VERSION": call.version,
            "WPI_SESSION_ID": call.session,
        }
    )


def _refusal(message: Extras, refused: Refused) -> Reply:
    """Answer a request whose extras are not in order, repeating those that can be."""
    extras = {
        name: value
        for name in ("WPI_SERVICE_TYPE", "WPI_VERSION", "WPI_SESSION_ID")
        if isinstance(value := message.extras.get(name), str) and value
    }
    extras.setdefault("WPI_VERSION", IMPLEMENTED)
    failure = codec.failed(refused.condition, refused.remark)
    if isinstance(request := message.extras.get("WPI_REQUEST"), str):
        reference, records = check.echoes(request)
        failure |= {"productRecords": records} if records is not None else {}
        failure |= {"reference": reference} if reference is not None else {}
    return Reply({**extras, "WPI_RESPONSE": json.write(failure).decode()})
