"""What a merchant is told, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.money import Money
from tollbridge.merchant.errors import NotProven


@dataclass(frozen=True, slots=True)
class Purchase:
    """What the provider says about a payment, now.

    `bill` and `items` are what the page sent, so compare `amount` and `bill_id` with what the
    customer was to pay: see `pays`. A refund's amount is below zero. `status` is "paid",
    "refunded" or what else became of it. `first_verified_at` is None the first time; `consumed`:
    the proof was used up by an earlier `verify(proof, consume=True)`, for another order perhaps.
    `signed`: it was paid by a bill of `sign_bill`, so it is what the merchant's server asked for.
    `raw` is all that was told.
    """

    payment: str
    seller: str
    bill_id: str
    bill: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]]
    amount: Money
    kind: str
    status: str
    time: datetime
    customer: str | None
    first_verified_at: datetime | None
    consumed: bool
    raw: Mapping[str, Any]
    signed: bool = False

    def pays(self, price: str, currency: str, bill_id: str = "") -> bool:
        """Say whether it is paid, not refunded, and exactly this much, for this bill if named."""
        wanted = Money.parse(price, currency)
        named = not bill_id or self.bill_id == bill_id
        return self.kind == "charge" and self.status == "paid" and self.amount == wanted and named


@dataclass(frozen=True, slots=True)
class Claims:
    """What a proof says by itself. It was true when it was signed; `verify` tells what is true
    now. `bill_hash` is the SHA-256 the provider made of the bill."""

    payment: str
    seller: str
    issuer: str
    id: str
    bill_id: str
    bill_hash: str
    amount: Money
    kind: str
    issued_at_s: int
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened. Notices come at least once: act on an `id` once only; of a payment
    believe the highest `sequence`. `type` is "payment.succeeded", "payment.refunded", …"""

    id: str
    type: str
    sequence: int
    time: datetime
    purchase: Purchase


def purchase(fields: Mapping[str, Any]) -> Purchase:
    """Read what the provider told. Raises LookupError, TypeError or ValueError for nonsense."""
    bill = fields["bill"]
    verified = fields.get("first_verified_at")
    items = fields.get("items") or ()
    customer = fields.get("customerID")
    if not isinstance(bill, Mapping) or not isinstance(items, Sequence):
        raise TypeError("bill: an object, items: a list")
    return Purchase(
        payment=_text(fields, "payment"),
        seller=_text(fields, "sellerID"),
        bill_id=str(bill.get("productID") or bill.get("description") or ""),
        bill=bill,
        items=tuple(items),
        amount=_money(fields),
        kind=_text(fields, "kind"),
        status=_text(fields, "status"),
        time=_time(_text(fields, "time")),
        customer=customer if customer is None else _text(fields, "customerID"),
        first_verified_at=None if verified is None else _time(verified),
        consumed=bool(fields.get("consumed", False)),
        raw=fields,
        signed=fields.get("signed") is True,
    )


def claims(fields: Mapping[str, Any]) -> Claims:
    """Read a proof's claims. Raises NotProven."""
    try:
        return Claims(
            payment=_text(fields, "sub"),
            seller=_text(fields, "aud"),
            issuer=_text(fields, "iss"),
            id=_text(fields, "jti"),
            bill_id=_text(fields, "bill_id"),
            bill_hash=_text(fields, "bill_hash"),
            amount=_money(fields),
            kind=_text(fields, "kind"),
            issued_at_s=int(fields["iat"]),
            raw=fields,
        )
    except (LookupError, TypeError, ValueError):
        raise NotProven("claims") from None


def notice(message_id: str, fields: Mapping[str, Any]) -> Notice:
    """Read a notice. Raises LookupError, TypeError or ValueError for nonsense."""
    sequence = fields["sequence"]
    if type(sequence) is not int:
        raise TypeError("sequence: a whole number")
    return Notice(
        message_id,
        _text(fields, "type"),
        sequence,
        _time(_text(fields, "timestamp")),
        purchase(fields["data"]),
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise TypeError(f"{name}: a text")
    return value


def _money(fields: Mapping[str, Any]) -> Money:
    try:
        return Money.parse(_text(fields, "amount"), _text(fields, "currency"))
    except InvalidMoney as error:
        raise ValueError(str(error)) from None


def _time(text: str) -> datetime:
    """Read a time (RFC 3339); one without its zone is none."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time
