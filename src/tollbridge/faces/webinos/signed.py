"""Bills that the merchant's own server signed: paid as they are, or not at all (N-004).

The page carries such a bill and cannot change it. What it says beside it must be the same. A bill
that is good for once pays once: another payment may take it up where the one before came to
nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.webinos import paying, sessions
from tollbridge.faces.webinos.bill import digest
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.outcome import Failed, charge
from tollbridge.faces.webinos.sessions import State
from tollbridge.faces.webinos.settings import SIGNING_LETTERS_MIN, Seller
from tollbridge.faces.webinos.wishes import CheckBill, Checked
from tollbridge.ground.clock import MICROSECONDS_PER_S
from tollbridge.ground.flow import Exchange, Note, Page, Party, Recall

MISSING = charge("signed_bill_missing", "This seller takes only bills that its server signed.")
INVALID = charge("signed_bill_invalid", "The bill is not signed by this seller.")
EXPIRED = charge("signed_bill_expired", "The bill is too old; the shop has to make another one.")
DIFFERS = charge("signed_bill_differs", "The page asks for something else than the signed bill.")
USED = charge("signed_bill_used", "This bill is paid, or just being paid.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be paid: a request's fields, with bill, lines and customer as they were signed
    (`name` is the bill's own, "" where none was signed), and what is written with it."""

    fields: Mapping[str, Any]
    name: str = ""
    notes: tuple[Note, ...] = ()


def wanted(
    house: House, payment: str, seller: tuple[str, Seller], fields: Mapping[str, Any]
) -> Talk[Wanted]:
    """Hold a request to its signed bill. Raises Failed."""
    name, its = seller
    token = fields.get("signedBill")
    if token is None:
        if its.signed_bills == "required":
            raise Failed(MISSING)
        return Wanted(fields)
    checked = None
    # A shorter key can be found by trying, and then it signs nothing.
    if isinstance(token, str) and len(its.secret_key.reveal()) >= SIGNING_LETTERS_MIN:
        checked = yield Exchange(Party.DEVICE, CheckBill(token, its.secret_key))
    claims = checked.claims if isinstance(checked, Checked) else None
    if claims is None or claims["iss"] != name:
        raise Failed(INVALID)
    if house.now >= claims["exp"] * MICROSECONDS_PER_S:
        raise Failed(EXPIRED)
    signed = {
        "bill": claims.get("bill"),
        "itemList": claims.get("items") or None,
        "customerID": claims.get("customerID") or fields.get("customerID"),
    }
    for member, value in signed.items():
        shown = fields.get(member) or None
        if shown is not None and digest(shown) != digest(value):
            raise Failed(DIFFERS)
    notes: tuple[Note, ...] = ()
    if claims["once"]:
        notes = ((yield from _taken(house, payment, sessions.used(name, claims["jti"]))),)
    return Wanted({**fields, **signed}, claims["jti"], notes)


def _taken(house: House, payment: str, key: str) -> Talk[Note]:
    """Take a bill for one payment. Raises Failed where another one has it."""
    page: Page | None = yield Recall(key)
    if page is not None:
        before = yield from paying.refresh(house, page.value.decode())
        if before is not None and before.state not in (State.FAILED, State.CANCELLED):
            raise Failed(USED)
    return Note(key, payment.encode(), expected=page.version if page else 0)
