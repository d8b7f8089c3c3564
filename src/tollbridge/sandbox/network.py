"""The network: takes a request, decides like an issuer, writes its book, answers.

Its checks are its own. It believes nothing the sender says about what was authorized or captured
before: it looks into its book.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import msgspec

from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock
from tollbridge.ground.currency import currency
from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.ids import IdSource
from tollbridge.ground.money import AMOUNT_MINOR_MAX, Money
from tollbridge.sandbox import codes, parameters
from tollbridge.sandbox.book import Account, Book, Movement
from tollbridge.sandbox.cards import BY_ACCOUNT, BY_NUMBER, TestCard
from tollbridge.wire import http
from tollbridge.wire.http import Request, Response

HOLD_S = 7 * 24 * 3600
REFUND_FAILS_AFTER_S = 5
PIN_TRIES = 3
VERIFIED = frozenset({"offline_pin", "device"})
"""The words of `verified` that an issuer takes for a verified cardholder."""

_OPENING = ("authorize", "purchase", "credit", "verify", "store")
_MAGIC = ("authorize", "increment", "capture", "purchase", "credit", "refund")
_WANTED = {
    ("online_pin", "chip"): "65",
    ("online_pin", "contactless"): "65",
    ("sca_online_pin", "chip"): "65",
    ("sca_online_pin", "contactless"): "70",  # go on with a PIN, without a second tap
    ("sca_offline_pin", "chip"): "1A",
    ("sca_offline_pin", "contactless"): "1A",  # insert the card: its chip checks the PIN
}
"""What issuers answer where nobody verified the cardholder, by their wish and the card's entry."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the network makes of an operation: a code, and what it changes on the account.

    `pin` is what the PIN alone would be answered with: 00, 55, 75, or "" where none was looked at.
    """

    code: str
    amount_minor: int = 0
    held_minor: int = 0
    taken_minor: int = 0
    undecided: bool = False
    due: int = 0
    pin: str = ""

    @property
    def status(self) -> str:
        """How the operation stands with this decision."""
        if self.undecided:
            return "pending"
        return "approved" if self.approved else "declined"

    @property
    def approved(self) -> bool:
        """Whether something was granted. Code 10 grants a part, or nothing when none was wanted."""
        if self.code == codes.PARTIAL:
            return self.amount_minor > 0
        return self.code in codes.APPROVING


Text = Annotated[str, msgspec.Meta(max_length=200)]


class PresentedCard(msgspec.Struct, frozen=True):
    """A card as it comes over the wire."""

    number: Text
    expiry: Text = ""
    pin: Text = ""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A request to do something, as it comes over the wire."""

    operation: Text
    payment: Text
    verb: Literal[
        "authorize",
        "increment",
        "capture",
        "purchase",
        "void",
        "refund",
        "credit",
        "verify",
        "store",
    ]
    merchant: Text = ""
    amount_minor: Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MINOR_MAX)] = 0
    currency: Text = ""
    target: Text = ""
    card: PresentedCard | None = None
    token: Text = ""
    entry: Text = ""
    partial_ok: bool = False
    final_capture: bool = True
    verified: Text = ""
    fault: Text = ""
    code: Annotated[str, msgspec.Meta(pattern="^([0-9A-Z]{2})?\\Z")] = ""


class Taking(msgspec.Struct, frozen=True):
    """A request to take an operation back."""

    operation: Text


_REFUSED_PIN = (codes.WRONG_PIN, codes.PIN_BLOCKED)
_orders = msgspec.json.Decoder(Order)
_takings = msgspec.json.Decoder(Taking)
_encode = msgspec.json.Encoder().encode


class Network:
    """A card network over a book.

    `can_be_asked` False makes it answer inquiries with 501, as networks without them do; `hold_s`
    is how long a hold lasts.
    """

    def __init__(
        self,
        book: Book,
        clock: Clock,
        ids: IdSource,
        *,
        can_be_asked: bool = True,
        hold_s: int = HOLD_S,
    ) -> None:
        self.book = book
        self.clock = clock
        self.can_be_asked = can_be_asked
        self._ids = ids
        self._hold_s = hold_s
        self._next_expiry: int | None = book.next_expiry()

    def handle(self, request: Request) -> Response:
        """Answer one request. What it changed is durable after `book.commit()`."""
        self.expire()
        address, _, query = request.url.partition("?")
        match request.method, address.rpartition("/v1/")[2].split("/"):
            case "POST", ["operations"]:
                return self._operation(request.body)
            case "GET", ["operations", operation]:
                return self._inquiry(operation)
            case "POST", ["reversals"]:
                return self._reversal(request.body)
            case "GET", ["parameters", kind] if kind in parameters.DEFAULTS:
                terminal = parse_qs(query).get("terminal", [""])[0]
                return Response(200, http.JSON, self.parameters(kind, terminal))
            case _:
                return _refusal(404, "30", "no such address")

    def parameters(self, kind: str, terminal: str) -> bytes:
        """Give the parameters of a kind that a terminal gets, as JSON."""
        found = self.book.parameters(kind, terminal)
        return _encode(parameters.DEFAULTS[kind]) if found is None else found

    def expire(self) -> None:
        """Release the holds whose time is over."""
        now = self.clock.now()
        if self._next_expiry is not None and self._next_expiry <= now:
            for payment in self.book.expired_holds(now):
                self._release(payment, now)
            self._next_expiry = self.book.next_expiry()

    def decide_pending(self, movement: Movement, code: str) -> Movement:
        """Decide a pending movement now. Approval takes effect only here."""
        card = BY_ACCOUNT[movement.account]
        order = _order_of(movement)
        decision = self._granted(order, card, code) if code in codes.APPROVING else Decision(code)
        decided = self._decided(movement, decision)
        self.book.update(movement, decided)
        self._hold(decided)
        return decided

    def pend(self, request: Request, due: int) -> Movement | Response:
        """Write an operation down and leave it undecided until `due` (0: until somebody decides).

        It will be approved then, if the book allows it and it asks for no other code. A Response
        when it cannot wait: what could never be approved (an unknown card, a wrong PIN, an
        operation that was reversed before it came) is declined at once.
        """
        try:
            order = _read(request.body)
        except (msgspec.DecodeError, InvalidMoney) as error:
            return _refusal(400, "30", str(error))
        card = self._card(order)
        if card is None or self.book.is_buried(order.operation):
            return self._operation(request.body)
        code = order.code or "00"
        pin = self._pin(order, card, code)
        if pin in _REFUSED_PIN:
            return self._operation(request.body)
        if self._is_verified(order, code, pin):
            code = "00"
        decision = Decision(code, undecided=True, due=due, pin=pin)
        movement = self._movement(order, card, decision)
        if not self.book.add(movement):
            return self._again(order)
        self._count_pin(decision, movement.account)
        return movement

    def find_or_decide(self, operation: str) -> Movement | None:
        """Find an operation, decided if it was pending and its time has come."""
        movement = self.book.find(operation)
        if movement and movement.status == "pending" and 0 < movement.due <= self.clock.now():
            return self.decide_pending(movement, movement.code)
        return movement

    # Requests

    def _operation(self, body: bytes) -> Response:
        try:
            order = _read(body)
        except (msgspec.DecodeError, InvalidMoney) as error:
            return _refusal(400, "30", str(error))
        card = self._card(order)
        decision = self._decide(order, card)
        movement = self._movement(order, card, decision)
        if not self.book.add(movement):
            return self._again(order)
        self._count_pin(decision, movement.account)
        self._hold(movement)
        return answer(movement)

    def _again(self, order: Order) -> Response:
        """Answer an operation that came before: as it is now, without doing it again."""
        known = self.find_or_decide(order.operation)
        assert known is not None
        asked = (order.verb, order.amount_minor, order.currency, order.payment)
        if asked != (known.verb, known.asked_minor, known.currency, known.payment):
            return _refusal(409, "94", "this operation was something else before")
        return answer(known)

    def _inquiry(self, operation: str) -> Response:
        if not self.can_be_asked:
            return _refusal(501, "12", "this network cannot be asked")
        movement = self.find_or_decide(operation)
        return answer(movement) if movement else _refusal(404, "25", "no such operation")

    def _reversal(self, body: bytes) -> Response:
        """Take an operation back; one that has not come yet will find its tombstone."""
        try:
            operation = _takings.decode(body).operation
        except msgspec.DecodeError as error:
            return _refusal(400, "30", str(error))
        movement = self.book.find(operation)
        if movement is None:
            self.book.bury(operation)
        elif movement.status in ("approved", "pending"):
            self.book.update(movement, self._undone(movement))
            self._hold(movement)
        return Response(200, http.JSON, _encode({"operation": operation, "code": "00"}))

    def _undone(self, movement: Movement) -> Movement:
        """Take back what a movement did, but for what has gone back to the account already: a hold
        that expired, a purchase that was refunded."""
        held = taken = 0
        for other in self.book.of_payment(movement.payment):
            if other.operation != movement.operation:
                held += other.held_minor
                taken += other.taken_minor
        return replace(
            movement,
            status="reversed",
            held_minor=min(max(0, movement.held_minor), max(0, -held)),
            taken_minor=min(max(0, movement.taken_minor), max(0, -taken)),
        )

    # Deciding

    def _decide(self, order: Order, card: TestCard | None) -> Decision:
        if self.book.is_buried(order.operation):
            return Decision("21")
        if card is None:
            return Decision("14" if order.verb in _OPENING else "12")
        code = self._code(order, card)
        pin = self._pin(order, card, code)
        if pin in _REFUSED_PIN:
            return Decision(pin, pin=pin)
        if self._is_verified(order, code, pin):
            code = "00"
        decision = self._answered(order, card, code)
        return replace(decision, pin=pin) if pin else decision

    @staticmethod
    def _code(order: Order, card: TestCard) -> str:
        """Give the code an order would be answered with: the one it asks for, else the one of its
        amount, else that of its card."""
        if order.code:
            return order.code
        code = codes.magic(order.amount_minor) if order.verb in _MAGIC else None
        if code is not None:
            return code
        if order.verb not in _OPENING:
            return "00"
        if card.code != "00" or order.verb not in ("authorize", "purchase"):
            return card.code
        return _WANTED.get((card.verification, order.entry), "00")

    @staticmethod
    def _is_verified(order: Order, code: str, pin: str) -> bool:
        """Say whether the verification that a code wants has taken place."""
        return code in codes.WANTING_PIN and (pin == "00" or order.verified in VERIFIED)

    def _pin(self, order: Order, card: TestCard, code: str) -> str:
        """Check the PIN that came with the card, if nothing else speaks against the order."""
        shown = order.card if order.verb in _OPENING or order.verb == "refund" else None
        if shown is None or not shown.pin:
            return ""
        if code not in codes.APPROVING and code not in codes.WANTING_PIN:
            return ""
        if self.book.wrong_pins_of(card.account) >= PIN_TRIES:
            return codes.PIN_BLOCKED
        return "00" if shown.pin == card.pin else codes.WRONG_PIN

    def _count_pin(self, decision: Decision, account: str) -> None:
        """Count a wrong PIN; a right one lets the counting begin again."""
        if decision.pin == codes.WRONG_PIN:
            self.book.add_wrong_pin(account)
        elif decision.pin == "00":
            self.book.forget_wrong_pins(account)

    def _answered(self, order: Order, card: TestCard, code: str) -> Decision:
        """Answer an order with a code; what approves does so within the book's rules."""
        if code == codes.PARTIAL:
            wanted = order.partial_ok and order.verb in ("authorize", "purchase")
            return self._part(order, card) if wanted else Decision(code)
        if code not in codes.APPROVING:
            return Decision(code)
        if order.verb == "refund" and card.refund_code != "00" and not order.code:
            due = self.clock.now() + REFUND_FAILS_AFTER_S * MICROSECONDS_PER_S
            return Decision(card.refund_code, undecided=True, due=due)
        return self._granted(order, card, code)

    def _granted(self, order: Order, card: TestCard, code: str) -> Decision:
        """Approve an order with a code, as the book allows it."""
        effect = self._effect(order, card)
        return replace(effect, code=code) if effect.code == "00" != code else effect

    def _effect(self, order: Order, card: TestCard) -> Decision:
        """Give what an order does when nobody objects, as the book allows it."""
        amount = order.amount_minor
        if order.verb in ("verify", "store"):
            return Decision("00")
        if order.verb not in _OPENING and not self._is_in_its_currency(order):
            return Decision("12")
        self._account(card, order.currency)  # whatever comes first opens it with its limit
        match order.verb:
            case "authorize" | "increment":
                if order.verb == "increment" and not self._held(order.payment):
                    return Decision("12")
                return self._within_limit(order, card, Decision("00", amount, held_minor=amount))
            case "purchase":
                return self._within_limit(order, card, Decision("00", amount, taken_minor=amount))
            case "credit":
                return Decision("00", amount, taken_minor=-amount)
            case "refund":
                return self._refund(order)
            case "capture":
                held = self._held(order.payment)
                if amount > held:
                    return Decision("61" if held else "12")
                released = held if order.final_capture else amount
                return Decision("00", amount, held_minor=-released, taken_minor=amount)
            case _:
                return self._void(order)

    def _within_limit(self, order: Order, card: TestCard, wanted: Decision) -> Decision:
        available = self._account(card, order.currency).available_minor
        if available is None or order.amount_minor <= available:
            return wanted
        return self._part(order, card) if order.partial_ok and available > 0 else Decision("51")

    def _part(self, order: Order, card: TestCard) -> Decision:
        """Approve what is there: the available balance, or half where there is no limit."""
        available = self._account(card, order.currency).available_minor
        part = order.amount_minor // 2 if available is None else min(available, order.amount_minor)
        if part <= 0:
            return Decision("51")
        if order.verb == "purchase":
            return Decision(codes.PARTIAL, part, taken_minor=part)
        return Decision(codes.PARTIAL, part, held_minor=part)

    def _refund(self, order: Order) -> Decision:
        """Give back at most what was taken, also in the currency that followed the payment's."""
        taken: dict[str, int] = {}
        for movement in self.book.of_payment(order.payment):
            if movement.taken_minor:
                before = taken.get(movement.currency, 0)
                taken[movement.currency] = before + movement.taken_minor
        left_minor = 0
        for code, minor in taken.items():
            amount = Money.of(minor, code)
            if amount.currency.successor == order.currency:
                amount = amount.in_successor()
            if amount.currency.code != order.currency:
                return Decision("12")
            left_minor += amount.amount_minor
        if order.amount_minor > left_minor:
            return Decision("61")
        return Decision("00", order.amount_minor, taken_minor=-order.amount_minor)

    def _void(self, order: Order) -> Decision:
        target = self.book.find(order.target)
        if target is None or target.status != "approved" or target.payment != order.payment:
            return Decision("12")
        if order.currency != target.currency:
            return Decision("12")
        later = self.book.of_payment(order.payment)
        if any(m.target == target.operation and m.status == "approved" for m in later):
            return Decision("21")
        taken, held = sum(m.taken_minor for m in later), sum(m.held_minor for m in later)
        if target.verb == "authorize":
            if taken:
                return Decision("12")
            return Decision("00", order.amount_minor, held_minor=-held) if held else Decision("21")
        if target.verb not in ("increment", "purchase", "capture") or target.taken_minor > taken:
            return Decision("12")
        if target.held_minor > held:
            return Decision("21")
        return Decision(
            "00",
            order.amount_minor,
            held_minor=-target.held_minor,
            taken_minor=-target.taken_minor,
        )

    # The book's view

    def _card(self, order: Order) -> TestCard | None:
        """Find the card an order is about; all but a refund goes on with the payment's own."""
        if order.verb in _OPENING or order.verb == "refund":
            if order.card is not None:
                return BY_NUMBER.get(order.card.number)
            if order.token:
                stored = self.book.stored(order.token)
                return BY_ACCOUNT.get(stored.account) if stored else None
        if order.verb in _OPENING:
            return None
        for movement in self.book.of_payment(order.payment):
            if movement.account:
                return BY_ACCOUNT.get(movement.account)
        return None

    def _is_in_its_currency(self, order: Order) -> bool:
        """Say whether an order is in the currency of its payment, or in the one that followed."""
        for movement in self.book.of_payment(order.payment):
            if movement.account and movement.currency:
                unit = currency(movement.currency)
                return order.currency in (unit.code, unit.successor)
        return False

    def _account(self, card: TestCard, code: str) -> Account:
        return self.book.account(card.account, code, card.limit_minor)

    def _held(self, payment: str) -> int:
        return sum(movement.held_minor for movement in self.book.of_payment(payment))

    def _hold(self, movement: Movement) -> None:
        """Keep the list of holds right after a movement."""
        if not movement.held_minor:
            return
        held = self._held(movement.payment) > 0
        expires = self.clock.now() + self._hold_s * MICROSECONDS_PER_S
        self.book.set_hold(movement.payment, expires if held else None)
        if held and (self._next_expiry is None or expires < self._next_expiry):
            self._next_expiry = expires

    def _release(self, payment: str, now: int) -> None:
        movements = self.book.of_payment(payment)
        held = sum(movement.held_minor for movement in movements)
        if held:
            first = next(movement for movement in movements if movement.held_minor)
            self._account(BY_ACCOUNT[first.account], first.currency)
            self.book.add(
                Movement(
                    operation=f"{payment}.expired.{len(movements)}",
                    payment=payment,
                    verb="expire",
                    account=first.account,
                    currency=first.currency,
                    amount_minor=held,
                    held_minor=-held,
                    status="approved",
                    code="00",
                    at=now,
                )
            )
        self.book.set_hold(payment, None)

    def _movement(self, order: Order, card: TestCard | None, decision: Decision) -> Movement:
        granted = decision.approved and not decision.undecided
        return Movement(
            operation=order.operation,
            payment=order.payment,
            verb=order.verb,
            account=card.account if card else "",
            currency=order.currency,
            asked_minor=order.amount_minor,
            amount_minor=decision.amount_minor,
            held_minor=decision.held_minor,
            taken_minor=decision.taken_minor,
            status=decision.status,
            code=decision.code,
            target=order.target,
            authorization_code=self._ids.code(6) if granted and order.amount_minor else "",
            token=self._token(order.verb) if granted else "",
            at=self.clock.now(),
            due=decision.due,
        )

    def _decided(self, movement: Movement, decision: Decision) -> Movement:
        approved = decision.approved
        return replace(
            movement,
            status=decision.status,
            code=decision.code,
            amount_minor=decision.amount_minor,
            held_minor=decision.held_minor,
            taken_minor=decision.taken_minor,
            authorization_code=self._ids.code(6) if approved and movement.asked_minor else "",
            token=self._token(movement.verb) if approved else "",
            due=0,
        )

    def _token(self, verb: str) -> str:
        return f"tok_{self._ids.code(20)}" if verb == "store" else ""


def answer(movement: Movement) -> Response:
    """Write what became of an operation."""
    return Response(200, http.JSON, _encode(fields_of(movement)))


def fields_of(movement: Movement) -> dict[str, Any]:
    """Give the fields that answers and notices share."""
    fields: dict[str, Any] = {
        "operation": movement.operation,
        "status": movement.status,
        "code": movement.code,
        "text": codes.text(movement.code),
        "reference": f"N{movement.operation[-16:]}",
    }
    if movement.amount_minor:
        fields["amount_minor"] = movement.amount_minor
        fields["currency"] = movement.currency
    if movement.authorization_code:
        fields["authorization"] = movement.authorization_code
    details = _details(movement)
    if details:
        fields["details"] = details
    return fields


def _details(movement: Movement) -> dict[str, str]:
    details = {}
    if movement.code == "08":
        details["action"] = "identification"
    if movement.token:
        details["token"] = movement.token
    return details


def _refusal(status: int, code: str, reason: str) -> Response:
    return Response(status, http.JSON, _encode({"code": code, "text": reason}))


def _read(body: bytes) -> Order:
    order = _orders.decode(body)
    if order.verb not in ("verify", "store"):
        Money.of(order.amount_minor, order.currency)
        if order.amount_minor == 0:
            raise InvalidMoney("an amount is above zero")
    return order


def _order_of(movement: Movement) -> Order:
    return msgspec.convert(
        {
            "operation": movement.operation,
            "payment": movement.payment,
            "verb": movement.verb,
            "amount_minor": movement.asked_minor,
            "currency": movement.currency,
            "target": movement.target,
        },
        Order,
    )
