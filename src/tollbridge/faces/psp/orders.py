"""Orders: what the notebook keeps of them, and how they are shown."""

import hashlib
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from tollbridge.core.brands import BY_NAME
from tollbridge.core.instrument import InstrumentView
from tollbridge.core.operation import FINAL, Operation, State
from tollbridge.core.outcome import DeclineCode, Declined, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.psp.messages import Holder
from tollbridge.faces.psp.settings import Host
from tollbridge.ground.clock import Instant
from tollbridge.ground.flow import Note
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.secret import Secret
from tollbridge.wire import json

SCOPE = "psp"
RECENT = "recent/"
PAID, FAILED, PENDING = "SUCCESS", "FAILED", "PENDING"
_END_OF_TIME = 10**17


@dataclass(frozen=True, slots=True)
class Order:
    """One order: everything about it that the journal does not know. No secrets.

    `name` is the host's name for it, `code` the customer order code.
    """

    name: str
    merchant: str
    code: str
    holder: Holder
    at: Instant

    @property
    def key(self) -> IdempotencyKey:
        """The idempotency key of its payment."""
        return IdempotencyKey(SCOPE, self.name)

    def notes(self) -> tuple[Note, ...]:
        """Give the pages of a new order: itself, by its customer's code, and the newest first."""
        newest = f"{RECENT}{_END_OF_TIME - self.at:017d}/{self.name}"
        return (
            Note(page(self.name), self._written(), expected=0),
            Note(by_code(self.merchant, self.code) + self.name, b""),
            Note(newest, b""),
        )

    def _written(self) -> bytes:
        holder = {item.name: getattr(self.holder, item.name) for item in fields(Holder)}
        plain = {item.name: getattr(self, item.name) for item in fields(Order)}
        return json.write(plain | {"holder": holder})

    @classmethod
    def read(cls, value: bytes) -> "Order":
        """Read the page of an order."""
        read = json.read_object(value, what="order page")
        return cls(**read | {"holder": Holder(**read["holder"])})


def name_of(merchant: str, code: str, token: Secret[str]) -> str:
    """Name an order by what makes it one: the same merchant, code and token are the same order."""
    return str(UUID(hex=_digest(merchant, code, token.reveal())))


def page(name: str) -> str:
    """Name the page of an order."""
    return f"order/{name}"


def by_code(merchant: str, code: str) -> str:
    """Name the beginning of the pages of all orders with a customer order code."""
    return f"code/{_digest(merchant, code)}/"


def status(operation: Operation) -> str:
    """Say how an order or a refund stands, in the service's words; PENDING is our own.

    What was given up stays failed: an approval that comes late is undone.
    """
    if operation.abandoned:
        return FAILED
    if operation.state is State.APPROVED:
        return PAID
    return FAILED if operation.state in FINAL else PENDING


def description(opening: Operation) -> str:
    """Give what a merchant said an order is for."""
    return opening.request.details["description"]


def asked(operation: Operation) -> str:
    """Give the asker's own name for an order or a refund; "" where it gave none, or where the
    payment was refunded by another way than this face."""
    return operation.request.details.get("asked", "")


def reason(operation: Operation) -> str:
    """Say why an order was not paid; "" where it was or may be."""
    if operation.abandoned:
        return DeclineCode.ANSWER_TOO_LATE.upper()
    match operation.outcome:
        case Declined(code=code):
            return code.upper()
        case Unsent(cause=cause):
            return cause.upper()
        case _:
            return ""


def view(order: Order, payment: Payment, host: Host, token: str = "") -> dict[str, Any]:
    """Show an order with the keys of the service's answer (W-151 to W-175).

    `token` is known only while the asker shows it. Without it, what is shown is ours: the asker's
    own name for the order, and its refunds.
    """
    opening = payment.opening
    assert opening.amount is not None
    assert opening.view is not None
    shown: dict[str, Any] = {
        "orderCode": order.name,
        **({"token": token} if token else {}),
        "orderDescription": description(opening),
        "amount": opening.amount.amount_minor,
        "currencyCode": opening.amount.currency.code,
        "paymentStatus": status(opening),
        "paymentResponse": {
            "type": "ObfuscatedCard",
            "name": order.holder.name,
            "expiryMonth": order.holder.month,
            "expiryYear": order.holder.year,
            **_card(opening.view, host, products_last=True),
        },
        "customerOrderCode": order.code,
        "environment": "TEST",
        "riskScore": {"value": "1"},
    }
    if why := reason(opening):
        shown["paymentStatusReason"] = why
    if not token:
        shown["idempotencyKey"] = asked(opening)
        shown["refunds"] = [
            _refund(order, op) for op in payment.operations if op.verb is Verb.REFUND
        ]
    return shown


def payment_method(holder: Holder, card: InstrumentView, host: Host) -> dict[str, Any]:
    """Show a card with the keys of the service's answer to a token request (W-108 to W-121)."""
    return {
        "type": "ObfuscatedCard",
        "name": holder.name,
        "expiryMonth": holder.month,
        "expiryYear": holder.year,
        "issueNumber": None,
        "startMonth": None,
        "startYear": None,
        **_card(card, host),
    }


def last_digits(card: InstrumentView) -> str:
    """Give the four digits of a card number that everybody may see."""
    return card.masked_number[-4:]


def _refund(order: Order, refund: Operation) -> dict[str, Any]:
    assert refund.amount is not None
    return {
        "orderCode": order.name,
        "idempotencyKey": asked(refund),
        "amount": refund.amount.amount_minor,
        "currencyCode": refund.amount.currency.code,
        "paymentStatus": status(refund),
        "paymentStatusReason": reason(refund),
    }


def _card(card: InstrumentView, host: Host, *, products_last: bool = False) -> dict[str, Any]:
    """Show a card, keys in the service's order, which is another one in answers to orders."""
    brand = BY_NAME.get(card.brand)
    scheme = brand.label if brand else "UNKNOWN"
    debit = "debit" in card.brand.lower() or card.brand in _DEBIT
    kind = "debit" if debit else "credit"
    title = card.brand or "Unknown"
    products = {
        "cardProductTypeDescNonContactless": f"{title} {kind.title()} Personal",
        "cardProductTypeDescContactless": f"CL {title} {kind.title()} Pers",
    }
    issued = {"cardIssuer": host.issuer, "countryCode": host.country, "cardClass": kind}
    return {
        "cardType": scheme.replace(" ", "_"),
        "maskedCardNumber": f"**** **** **** {last_digits(card)}",
        "cardSchemeType": "consumer",
        "cardSchemeName": scheme,
        **(issued | products if products_last else products | issued),
        "prepaid": "unknown",
    }


_DEBIT = frozenset({"Maestro", "Interac", "eftpos"})


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.write(parts)).hexdigest()[:32]
