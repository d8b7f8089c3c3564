"""Which blocks come when, from whom, to whom: as data, and two who check it (RFC 2801, 4 and 9).

`Progress` sees a whole transaction, as its Consumer or somebody who listens does: `STEPS` say what
may follow, `SHAPES` what each type of transaction consists of. `Dealing` is what one role knows of
one transaction; its rules are those of RFC 2801, 4.5.2.4 and 4.6.2.1, one function for each block.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tollbridge.faces.iotp.api.words import ErrorCode, PayDirection, ProcessState, Severity
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message.codec import ROOT
from tollbridge.faces.iotp.message.components import Payment, Status
from tollbridge.faces.iotp.message.errors import hardened
from tollbridge.faces.iotp.message.faults import Fault, Unreadable, shown
from tollbridge.faces.iotp.message.words import (
    COMPLETIONS,
    Recovery,
    Role,
    StatusType,
    TransactionType,
)

C, M, P, D = Role.CONSUMER, Role.MERCHANT, Role.PAYMENT_HANDLER, Role.DELIVERY_HANDLER
ANYBODY = None
"""Stands for a role where any may do it: authentication, inquiry, ping, cancellation."""


class Exchange(StrEnum):
    """A document exchange: messages that belong together (9.1, 9.2)."""

    AUTHENTICATION = "Authentication"
    OFFER = "Offer"
    PAYMENT = "Payment"
    DELIVERY = "Delivery"
    INQUIRY = "Inquiry"
    PING = "Ping"


class State(StrEnum):
    """How far a transaction is, seen from outside: what was said last."""

    BEGIN = "begin"
    AUTHENTICATION_ASKED = "authentication asked"
    AUTHENTICATION_ANSWERED = "authentication answered"
    OPTIONS_GIVEN = "options given"
    OPTIONS_CHOSEN = "options chosen"
    OFFERED = "offered"
    PAYMENT_ASKED = "payment handler's turn"
    PAYMENT_ANSWERED = "consumer's turn"
    PAID = "paid"
    DELIVERY_ASKED = "delivery asked"
    INQUIRED = "inquired"
    PINGED = "pinged"
    COMPLETE = "complete"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """A message that may come: its trading blocks, from whom, to whom (None: anybody)."""

    exchange: Exchange
    blocks: frozenset[str]
    sender: Role | None
    receiver: Role | None


def _step(exchange: Exchange, names: str, sender: Role | None, receiver: Role | None) -> Step:
    return Step(exchange, frozenset(names.split()), sender, receiver)


_AUTH, _OFFER, _PAY = Exchange.AUTHENTICATION, Exchange.OFFER, Exchange.PAYMENT
STEPS: Mapping[State, tuple[Step, ...]] = {
    State.BEGIN: (
        _step(_AUTH, "TpoBlk AuthReqBlk", ANYBODY, ANYBODY),
        _step(_OFFER, "TpoBlk", M, C),
        _step(_OFFER, "TpoBlk OfferRespBlk", M, C),
        _step(Exchange.INQUIRY, "InquiryReqBlk", ANYBODY, ANYBODY),
        _step(Exchange.PING, "PingReqBlk", ANYBODY, ANYBODY),
    ),
    State.AUTHENTICATION_ASKED: (_step(_AUTH, "AuthRespBlk", ANYBODY, ANYBODY),),
    State.AUTHENTICATION_ANSWERED: (
        _step(_AUTH, "AuthStatusBlk", ANYBODY, ANYBODY),
        _step(_OFFER, "AuthStatusBlk TpoBlk", M, C),
        _step(_OFFER, "AuthStatusBlk TpoBlk OfferRespBlk", M, C),
    ),
    State.OPTIONS_GIVEN: (_step(_OFFER, "TpoSelectionBlk", C, M),),
    State.OPTIONS_CHOSEN: (_step(_OFFER, "OfferRespBlk", M, C),),
    State.OFFERED: (_step(_PAY, "PayReqBlk", C, P),),
    State.PAYMENT_ASKED: (
        _step(_PAY, "PayExchBlk", P, C),
        _step(_PAY, "PayRespBlk", P, C),
        _step(_PAY, "PayRespBlk DeliveryRespBlk", P, C),
    ),
    State.PAYMENT_ANSWERED: (_step(_PAY, "PayExchBlk", C, P),),
    State.PAID: (_step(Exchange.DELIVERY, "DeliveryReqBlk", C, D),),
    State.DELIVERY_ASKED: (_step(Exchange.DELIVERY, "DeliveryRespBlk", D, C),),
    State.INQUIRED: (_step(Exchange.INQUIRY, "InquiryRespBlk", ANYBODY, ANYBODY),),
    State.PINGED: (_step(Exchange.PING, "PingRespBlk", ANYBODY, ANYBODY),),
    State.COMPLETE: (),
    State.ENDED: (),
}
"""What may come in each state, whatever the type of transaction."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type of transaction consists of, and which way its payments go (9.1)."""

    authentication: bool = True
    offer: bool = True
    directions: tuple[PayDirection, ...] = ()
    delivery: bool = False
    exchange: Exchange | None = None

    @property
    def payments(self) -> int:
        """How many payments there are."""
        return len(self.directions)


_DEBIT, _CREDIT = PayDirection.DEBIT, PayDirection.CREDIT
SHAPES: Mapping[TransactionType, Shape] = {
    TransactionType.AUTHENTICATION: Shape(offer=False),
    TransactionType.DEPOSIT: Shape(directions=(_DEBIT,)),
    TransactionType.PURCHASE: Shape(directions=(_DEBIT,), delivery=True),
    TransactionType.REFUND: Shape(directions=(_CREDIT,)),
    TransactionType.WITHDRAWAL: Shape(directions=(_CREDIT,)),
    TransactionType.VALUE_EXCHANGE: Shape(directions=(_DEBIT, _CREDIT)),
    TransactionType.INQUIRY: Shape(authentication=False, offer=False, exchange=Exchange.INQUIRY),
    TransactionType.PING: Shape(authentication=False, offer=False, exchange=Exchange.PING),
}
"""Authentication comes at most once, and first; a delivery at most once, and last."""


class DeliveryPlan(StrEnum):
    """How goods come: not by messages, by messages of their own, or with the payment's answer."""

    NONE = "none"
    SEPARATE = "separate"
    COMBINED = "combined"


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows an offer: its payments in their order, and how goods come (9.1.12)."""

    payments: tuple[str, ...]
    delivery: DeliveryPlan


def plan(offer: b.OfferRespBlk, path: str = f"/{ROOT}/OfferRespBlk") -> Plan:
    """Say what follows an offer. Raises Unreadable when its payments cannot be made.

    There are one or two; of two, StartAfterRefs say which is first, else the order they stand in.
    """
    count = len(offer.payments)
    if not 1 <= count <= 2:
        raise Unreadable([_fault(path, f"an offer has one Payment or two, not {count}", "9.1.12")])
    payments = offer.payments
    if count == 2:
        payments = _in_turn(payments, path)
    delivery = DeliveryPlan.NONE
    if offer.delivery is not None and offer.delivery.deliv_exch:
        combined = offer.delivery.deliv_and_pay_resp
        delivery = DeliveryPlan.COMBINED if combined else DeliveryPlan.SEPARATE
    return Plan(tuple(one.id for one in payments), delivery)


def _in_turn(payments: tuple[Payment, ...], path: str) -> tuple[Payment, ...]:
    first, second = payments
    waits = second.id in first.start_after_refs
    if waits and first.id in second.start_after_refs:
        raise Unreadable([_fault(path, "each of two payments waits for the other", "7.9")])
    return (second, first) if waits else (first, second)


def _fault(
    path: str, rule: str, section: str, severity: Severity = Severity.HARD_ERROR
) -> Fault:  # fmt: skip
    code = ErrorCode.EL_UNEXPECTED
    return Fault(code, path, rule, f"RFC 2801, {section}", severity=severity)


def _recoverable(status: Status) -> bool:
    try:
        known = COMPLETIONS[StatusType(status.status_type)]
    except ValueError:
        return False
    found = known.get(status.completion_code or "")
    return found is not None and found.recovery is not Recovery.NONE


def _failed(status: Status) -> bool:
    return status.process_state is not ProcessState.COMPLETED_OK


# The whole transaction


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transaction is, for somebody who hears all of its messages."""

    type: TransactionType
    state: State = State.BEGIN
    plan: Plan | None = None
    paid: int = 0

    def expected(self) -> tuple[Step, ...]:
        """Say which messages may come now, Cancel and Error Blocks and inquiries apart."""
        return tuple(step for step in STEPS[self.state] if self._fits(step))

    def _fits(self, step: Step) -> bool:
        shape = SHAPES[self.type]
        match step.exchange:
            case Exchange.AUTHENTICATION:
                return shape.authentication
            case Exchange.OFFER:
                return shape.offer
            case Exchange.PAYMENT if "PayRespBlk" in step.blocks:
                last = self.plan is not None and self.paid + 1 == len(self.plan.payments)
                combined = self.plan is not None and self.plan.delivery is DeliveryPlan.COMBINED
                # A payment that failed delivers nothing, so its answer stands alone then, too.
                return "DeliveryRespBlk" not in step.blocks or (combined and last)
            case Exchange.INQUIRY | Exchange.PING:
                return shape.exchange is step.exchange
        return True

    def faults(self, message: b.IotpMessage, sender: Role | None = None) -> tuple[Fault, ...]:
        """Say why a message does not belong here now; nothing when it does."""
        kinds = frozenset(type(block).__name__ for block in message.blocks)
        if kinds == {"CancelBlk"}:
            good = self.state not in {State.BEGIN, State.COMPLETE}
            return () if good else (_fault(_at(kinds), "nothing can be cancelled now", "3.10"),)
        if not kinds:
            good = self.state is not State.BEGIN
            return () if good else (_fault(_at(kinds), "nothing was sent before", "4.5.2.4"),)
        if self._is_aside(kinds):
            return ()
        fitting = [step for step in self.expected() if step.blocks == kinds]
        if not fitting:
            want = " or ".join("+".join(sorted(step.blocks)) for step in self.expected())
            rule = f"{'+'.join(sorted(kinds))} after {self.state}, expected {want or 'nothing'}"
            return (_fault(_at(kinds), rule, "9.1"),)
        if sender and not any(step.sender in {None, sender} for step in fitting):
            rule = f"{'+'.join(sorted(kinds))} is sent by {fitting[0].sender}, not by {sender}"
            return (_fault(_at(kinds), rule, "9.1"),)
        return tuple(self._offer_faults(message))

    def _is_aside(self, kinds: frozenset[str]) -> bool:
        """Inquiries about a transaction change nothing about it."""
        asked = kinds <= {"InquiryReqBlk", "InquiryRespBlk"}
        own = SHAPES[self.type].exchange is Exchange.INQUIRY
        return asked and not own and self.state is not State.BEGIN

    def _offer_faults(self, message: b.IotpMessage) -> Iterator[Fault]:
        shape = SHAPES[self.type]
        path = f"/{ROOT}/OfferRespBlk"
        offer = message.block(b.OfferRespBlk)
        if offer is not None and not _failed(offer.status):
            try:
                made = plan(offer, path)
            except Unreadable as error:
                yield from error.faults
                return
            if len(made.payments) != shape.payments:
                yield _fault(
                    path, f"{self.type} has {shape.payments} payments, not {len(made.payments)}",
                    "9.1",
                )  # fmt: skip
            if made.delivery is not DeliveryPlan.NONE and not shape.delivery:
                yield _fault(path, f"{self.type} delivers nothing", "9.1")
        options = message.block(b.TpoBlk)
        if options is not None and options.brand_lists:
            given = sorted(one.pay_direction for one in options.brand_lists)
            if given != sorted(shape.directions):
                yield _fault(
                    f"/{ROOT}/TpoBlk",
                    f"{self.type} has brand lists of {' and '.join(shape.directions)}, "
                    f"not of {' and '.join(given)}",
                    "9.1",
                )

    def after(self, message: b.IotpMessage) -> "Progress":
        """Say how far it is after a message that belongs here. Raises Unreadable for another."""
        wrong = self.faults(message)
        if wrong:
            raise Unreadable(wrong)
        kinds = frozenset(type(block).__name__ for block in message.blocks)
        if "CancelBlk" in kinds or hardened(message) is Severity.HARD_ERROR:
            return replace(self, state=State.ENDED)
        if not kinds or self._is_aside(kinds):
            return self
        if "PayRespBlk" in kinds:
            return self._after_payment(message)
        for block in message.blocks:
            status = getattr(block, "status", None)
            answer = not isinstance(block, b.InquiryRespBlk)
            if isinstance(status, Status) and answer and _failed(status):
                return replace(self, state=State.ENDED)
        offer = message.block(b.OfferRespBlk)
        if offer is not None:
            return replace(self, state=State.OFFERED, plan=plan(offer))
        return replace(self, state=_AFTER[kinds, self.state is State.PAYMENT_ANSWERED])

    def _after_payment(self, message: b.IotpMessage) -> "Progress":
        answer = message.block(b.PayRespBlk)
        assert answer is not None
        if _failed(answer.status):
            # With another brand or instrument, the payment may be asked for again.
            again = _recoverable(answer.status)
            return replace(self, state=State.OFFERED if again else State.ENDED)
        paid = self.paid + 1
        if self.plan is not None and paid < len(self.plan.payments):
            return replace(self, state=State.OFFERED, paid=paid)
        separate = self.plan is not None and self.plan.delivery is DeliveryPlan.SEPARATE
        return replace(self, state=State.PAID if separate else State.COMPLETE, paid=paid)


def _kinds(names: str) -> frozenset[str]:
    return frozenset(names.split())


_AFTER: Mapping[tuple[frozenset[str], bool], State] = {
    (_kinds("TpoBlk AuthReqBlk"), False): State.AUTHENTICATION_ASKED,
    (_kinds("AuthRespBlk"), False): State.AUTHENTICATION_ANSWERED,
    (_kinds("AuthStatusBlk"), False): State.COMPLETE,
    (_kinds("AuthStatusBlk TpoBlk"), False): State.OPTIONS_GIVEN,
    (_kinds("TpoBlk"), False): State.OPTIONS_GIVEN,
    (_kinds("TpoSelectionBlk"), False): State.OPTIONS_CHOSEN,
    (_kinds("PayReqBlk"), False): State.PAYMENT_ASKED,
    (_kinds("PayExchBlk"), False): State.PAYMENT_ANSWERED,
    (_kinds("PayExchBlk"), True): State.PAYMENT_ASKED,
    (_kinds("DeliveryReqBlk"), False): State.DELIVERY_ASKED,
    (_kinds("DeliveryRespBlk"), False): State.COMPLETE,
    (_kinds("InquiryReqBlk"), False): State.INQUIRED,
    (_kinds("InquiryRespBlk"), False): State.COMPLETE,
    (_kinds("PingReqBlk"), False): State.PINGED,
    (_kinds("PingRespBlk"), False): State.COMPLETE,
}


def _at(kinds: frozenset[str]) -> str:
    return f"/{ROOT}/{min(kinds)}" if kinds else f"/{ROOT}"


# What is answered


@dataclass(frozen=True, slots=True)
class Answer:
    """What a role may answer, and how it cancels instead: with which status, which codes."""

    received: str
    by: Role | None
    blocks: tuple[str, ...]
    cancel: StatusType | None = None
    codes: frozenset[str] = frozenset()
    to: Role | None = None


def _answer(
    received: str, by: Role | None, blocks: str, cancel: StatusType | None = None, codes: str = "",
    to: Role | None = None,
) -> Answer:  # fmt: skip
    return Answer(received, by, tuple(blocks.split()), cancel, frozenset(codes.split()), to)


ANSWERS: tuple[Answer, ...] = (
    _answer("AuthReqBlk", ANYBODY, "AuthRespBlk", StatusType.AUTHENTICATION,
            "AutEeCancel NoAuthReq TradRolesIncon Unspecified"),
    _answer("AuthRespBlk", ANYBODY, "AuthStatusBlk"),
    _answer("AuthStatusBlk", ANYBODY, "", StatusType.AUTHENTICATION, "AutEeCancel"),
    _answer("TpoBlk", C, "TpoSelectionBlk", StatusType.OFFER, "ConsCancelled Unspecified", M),
    _answer("OfferRespBlk", C, "PayReqBlk", StatusType.OFFER, "ConsCancelled Unspecified", M),
    _answer("TpoSelectionBlk", M, "OfferRespBlk", StatusType.OFFER,
            "MerchCancelled Unspecified", C),
    _answer("PayReqBlk", P, "PayExchBlk PayRespBlk", StatusType.PAYMENT,
            "BrandNotSupp CurrNotSupp PaymtCancelled AuthError InsuffFunds InstBrandInvalid "
            "InstNotValid BadInstrument Unspecified", C),
    _answer("PayExchBlk", C, "PayExchBlk", StatusType.PAYMENT, "ConsCancelled Unspecified", P),
    _answer("PayExchBlk", P, "PayExchBlk PayRespBlk", StatusType.PAYMENT,
            "PaymtCancelled Unspecified", C),
    _answer("PayRespBlk", C, "PayReqBlk DeliveryReqBlk", StatusType.PAYMENT,
            "ConsCancelled Unspecified", M),
    _answer("DeliveryReqBlk", D, "DeliveryRespBlk", StatusType.DELIVERY,
            "DelivCancelled Unspecified", C),
    _answer("DeliveryRespBlk", C, ""),
    _answer("InquiryReqBlk", ANYBODY, "InquiryRespBlk"),
    _answer("PingReqBlk", ANYBODY, "PingRespBlk"),
    _answer("CancelBlk", ANYBODY, ""),
)  # fmt: skip
"""Who may answer what (9.1). `to` is who a Cancel goes to: after a payment, the Merchant."""


def answer_to(received: str, by: Role) -> Answer | None:
    """Say what a role may answer to a block."""
    return next((one for one in ANSWERS if one.received == received and one.by in {None, by}), None)


# What one role knows


@dataclass(frozen=True, slots=True)
class Paid:
    """What became of a payment at its handler."""

    state: ProcessState = ProcessState.IN_PROGRESS
    recoverable: bool = False


@dataclass(frozen=True, slots=True)
class Dealing:
    """What one role knows of one transaction; keep one for each transaction and role (D-29).

    `received` and `sent` are the trading blocks of each message, in their order. `complete` says
    that this role's part is done: a payment handler's may begin again with a second payment, and a
    merchant's is open as long as the consumer may cancel.
    """

    role: Role
    type: TransactionType | None = None
    received: tuple[frozenset[str], ...] = ()
    sent: tuple[frozenset[str], ...] = ()
    authenticated: bool = False
    payments: tuple[tuple[str, Paid], ...] = ()
    plan: Plan | None = None
    complete: bool = False
    ended: bool = False

    @property
    def known(self) -> bool:
        """Whether any message of the transaction was seen."""
        return bool(self.received or self.sent)

    @property
    def last(self) -> frozenset[str]:
        """The trading blocks of the last message that was sent."""
        return self.sent[-1] if self.sent else frozenset()

    def has_sent(self, *names: str) -> bool:
        """Say whether one of some blocks was sent."""
        return any(kinds & set(names) for kinds in self.sent)

    def payment(self, name: str) -> Paid | None:
        """Give what became of a payment."""
        return dict(self.payments).get(name)

    def faults(self, message: b.IotpMessage) -> tuple[Fault, ...]:
        """Say why a message must not come now: the checks of 4.5.2.4, at the Consumer 4.6.2.1.

        A message of a transaction that has ended is not faulty but to be ignored: see `ended`.
        """
        found = []
        kinds = _kinds_of(message)
        for name in sorted(kinds or {"ErrorBlk"}):
            for role in (self.role, None):
                check = CHECKS.get((name, role))
                if check is None:
                    continue
                for good, rule, severity in check(self, message, kinds):
                    if not good:
                        found.append(_fault(f"/{ROOT}/{name}", rule, _SECTION[self.role], severity))
        return tuple(found)

    def after_receiving(self, message: b.IotpMessage) -> "Dealing":
        """Note a message that came."""
        new = replace(self, received=(*self.received, _kinds_of(message)))
        payments, made = self.payments, self.plan
        request, offer = message.block(b.PayReqBlk), message.block(b.OfferRespBlk)
        if request is not None:
            payments = _with(payments, request.payment.id, Paid())
        if offer is not None and not _failed(offer.status):
            made = plan(offer)
        answer = message.block(b.PayRespBlk)
        if answer is not None and made is not None and not _failed(answer.status):
            open_ = [name for name in made.payments if name not in dict(payments)]
            name = answer.status.el_ref or (open_ or made.payments)[0]
            payments = _with(payments, name, Paid(answer.status.process_state))
        return _noted(replace(new, payments=payments, plan=made), message)

    def after_sending(self, message: b.IotpMessage) -> "Dealing":
        """Note a message that was sent."""
        new = replace(self, sent=(*self.sent, _kinds_of(message)))
        status = message.block(b.AuthStatusBlk)
        if status is not None and not _failed(status.status):
            new = replace(new, authenticated=True)
        answer = message.block(b.PayRespBlk)
        if answer is not None and self.payments:
            name = answer.status.el_ref or self.payments[-1][0]
            paid = Paid(answer.status.process_state, _recoverable(answer.status))
            new = replace(new, payments=_with(self.payments, name, paid))
        return _noted(new, message)

    def may_cancel(self) -> bool:
        """Say whether a wish to cancel can be granted now (3.10, 4.5.3).

        Not when the transaction is unknown, over or a ping; and but for the Consumer only while a
        request waits for its answer.
        """
        if not self.known or self.complete or self.ended or self.type is TransactionType.PING:
            return False
        return self.role is C or len(self.received) > len(self.sent)


def _with(
    payments: tuple[tuple[str, Paid], ...], name: str, paid: Paid
) -> tuple[tuple[str, Paid], ...]:
    return tuple({**dict(payments), name: paid}.items())


def _noted(dealing: Dealing, message: b.IotpMessage) -> Dealing:
    kinds = _kinds_of(message)
    ended = "CancelBlk" in kinds or hardened(message) is Severity.HARD_ERROR
    return replace(
        dealing,
        type=dealing.type or _type(message),
        ended=dealing.ended or ended,
        complete=_is_complete(dealing, kinds),
    )


def _is_complete(dealing: Dealing, kinds: frozenset[str]) -> bool:
    paid = [one.state is ProcessState.COMPLETED_OK for _, one in dealing.payments]
    match dealing.role:
        case Role.PAYMENT_HANDLER:
            return bool(paid) and all(paid)
        case Role.CONSUMER if dealing.plan is not None and "DeliveryRespBlk" not in kinds:
            all_paid = len(paid) == len(dealing.plan.payments)
            separate = dealing.plan.delivery is DeliveryPlan.SEPARATE
            return dealing.complete or (all_paid and not separate)
    return dealing.complete or bool(kinds & _LAST) or kinds == {"AuthStatusBlk"}


_LAST = frozenset({"DeliveryRespBlk", "PingRespBlk"})
_SECTION = dict.fromkeys(Role, "4.5.2.4") | {C: "4.6.2.1"}
_Check = Callable[[Dealing, b.IotpMessage, frozenset[str]], Iterator[tuple[object, str, Severity]]]
_HARD, _WARNING = Severity.HARD_ERROR, Severity.WARNING


def _kinds_of(message: b.IotpMessage) -> frozenset[str]:
    return frozenset(type(block).__name__ for block in message.blocks)


def _type(message: b.IotpMessage) -> TransactionType | None:
    name = message.trans_ref.trans_id.iotp_trans_type
    return TransactionType(name) if name in set(TransactionType) else None


def _only_known(at: Dealing, *_: object) -> Iterator[tuple[object, str, Severity]]:
    yield at.known, "the transaction is not known", _HARD


def _only_new(at: Dealing, *_: object) -> Iterator[tuple[object, str, Severity]]:
    yield not at.known, "the transaction is known already", _HARD


def _auth_resp(at: Dealing, *_: object) -> Iterator[tuple[object, str, Severity]]:
    yield at.known, "the transaction is not known", _HARD
    yield at.has_sent("AuthReqBlk"), "no authentication was asked for", _HARD
    yield not at.authenticated, "the authentication has succeeded already", _HARD


def _auth_status(
    at: Dealing, _: b.IotpMessage, kinds: frozenset[str]
) -> Iterator[tuple[object, str, Severity]]:
    if "TpoBlk" in kinds:
        return
    yield at.known, "the transaction is not known", _HARD
    yield at.has_sent("AuthRespBlk"), "no authentication was answered", _HARD
    again = any("AuthStatusBlk" in before for before in at.received)
    yield not again, "the status of the authentication came before", _WARNING


def _selection(at: Dealing, *_: object) -> Iterator[tuple[object, str, Severity]]:
    yield at.known, "the transaction is not known", _HARD
    yield not at.has_sent("OfferRespBlk"), "the offer was made already", _HARD
    alone = any("TpoBlk" in kinds and not kinds & {"OfferRespBlk", "AuthReqBlk"}
                for kinds in at.sent)  # fmt: skip
    yield alone, "no options were given to choose from", _HARD
    again = any("TpoSelectionBlk" in before for before in at.received)
    yield not again, "the options were chosen already", _HARD


def _pay_req(
    at: Dealing, message: b.IotpMessage, _: frozenset[str]
) -> Iterator[tuple[object, str, Severity]]:
    if not at.known:
        return
    yield at.payments, "the transaction is known, and not for a payment", _HARD
    request = message.block(b.PayReqBlk)
    paid = at.payment(request.payment.id) if request else None
    running = any(one.state is ProcessState.IN_PROGRESS for _, one in at.payments)
    yield not running, "a payment is in progress", _HARD
    if paid is not None:
        done = paid.state is ProcessState.COMPLETED_OK
        yield not done, "the payment is completed", _HARD
        yield done or running or paid.recoverable, "the payment failed for good", _HARD


def _pay_exchange(at: Dealing, *_: object) -> Iterator[tuple[object, str, Severity]]:
    yield at.known, "the transaction is not known", _HARD
    yield at.has_sent("PayExchBlk"), "no Payment Exchange was sent before", _HARD


def _options(
    at: Dealing, _: b.IotpMessage, kinds: frozenset[str]
) -> Iterator[tuple[object, str, Severity]]:
    together = kinds - {"TpoBlk"}
    asks, status = "AuthReqBlk" in together, "AuthStatusBlk" in together
    yield not (asks and "OfferRespBlk" in together), "options ask and offer at once", _HARD
    yield not (asks and status), "options ask for authentication and know its status", _HARD
    if status:
        yield at.known, "the transaction is not known", _HARD
        yield "AuthRespBlk" in at.last, "no authentication was answered", _HARD
    else:
        yield not at.known, "the transaction is known already", _HARD


def _offer(
    at: Dealing, _: b.IotpMessage, kinds: frozenset[str]
) -> Iterator[tuple[object, str, Severity]]:
    if "TpoBlk" in kinds:
        return
    yield at.known, "the transaction is not known", _HARD
    yield "TpoSelectionBlk" in at.last, "the last message sent was no TPO Selection", _HARD


def _payment_answer(at: Dealing, *_: object) -> Iterator[tuple[object, str, Severity]]:
    yield at.known, "the transaction is not known", _HARD
    asked = at.last & {"PayReqBlk", "PayExchBlk"}
    yield asked, "the last message sent was no Payment Request or Exchange", _HARD


def _delivery_answer(
    at: Dealing, _: b.IotpMessage, kinds: frozenset[str]
) -> Iterator[tuple[object, str, Severity]]:
    yield at.known, "the transaction is not known", _HARD
    want = {"PayReqBlk", "PayExchBlk"} if "PayRespBlk" in kinds else {"DeliveryReqBlk"}
    yield at.last & want, "the last message sent was not the request for this", _HARD


def _cancelled(at: Dealing, *_: object) -> Iterator[tuple[object, str, Severity]]:
    yield at.known, "the transaction is not known", _HARD
    yield not at.complete, "the transaction is complete", _HARD


CHECKS: Mapping[tuple[str, Role | None], _Check] = {
    ("ErrorBlk", None): _only_known,
    ("CancelBlk", None): _cancelled,
    ("InquiryReqBlk", None): _only_known,
    ("InquiryRespBlk", None): _only_known,
    ("AuthReqBlk", None): _only_new,
    ("AuthRespBlk", None): _auth_resp,
    ("AuthStatusBlk", None): _auth_status,
    ("TpoSelectionBlk", M): _selection,
    ("PayReqBlk", P): _pay_req,
    ("PayExchBlk", P): _pay_exchange,
    ("DeliveryReqBlk", D): _only_new,
    ("TpoBlk", C): _options,
    ("OfferRespBlk", C): _offer,
    ("PayExchBlk", C): _payment_answer,
    ("PayRespBlk", C): _payment_answer,
    ("DeliveryRespBlk", C): _delivery_answer,
}
"""The check of each block at each receiver (None: at any)."""


def is_for(role: Role, name: str) -> bool:
    """Say whether a role ever receives a block."""
    steps = [step for steps in STEPS.values() for step in steps if name in step.blocks]
    return name in {"CancelBlk", "ErrorBlk"} or any(step.receiver in {None, role} for step in steps)


def misdirected(message: b.IotpMessage, role: Role) -> tuple[Fault, ...]:
    """Say which blocks of a message are none that a role ever receives."""
    return tuple(
        _fault(f"/{ROOT}/{name}", f"{shown(name)} is not for a {role}", "4.5.2.4")
        for name in sorted(_kinds_of(message))
        if not is_for(role, name)
    )
