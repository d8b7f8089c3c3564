"""Our words to the JSON of the store's API and back. Pure both ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tollbridge.bridges import reading
from tollbridge.bridges.google_play.codes import PENDING, PURCHASED, REFUNDED, USED, reason
from tollbridge.bridges.reading import inner, text
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Cause, Declined, Outcome, Unclear, Unsent
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Request, Response

API = "androidpublisher/v3/applications"
QUANTITY_MAX = 1000


@dataclass(frozen=True, slots=True)
class Shop:
    """An app in the store: the store's address without a slash, the app's package name and what
    its products cost. The credential is an access token, or the address of who lends one."""

    endpoint: str
    package: str
    prices: Mapping[str, Money]
    access_token: Secret[str]
    token_url: str = ""


@dataclass(frozen=True, slots=True)
class Bought:
    """What a customer bought in the store: a product, and the purchase's token."""

    product: str
    token: str

    @classmethod
    def read(cls, written: str) -> "Bought":
        """Read "product:token"; what is written otherwise names no product."""
        product, _, token = written.rpartition(":")
        return cls(product, token)


def lend(shop: Shop) -> Request:
    """Write the request for an access token to who lends them on this machine's network."""
    fields = Headers([("metadata-flavor", "Google"), ("accept", "application/json")])
    return Request("GET", shop.token_url, fields)


def lent(answer: Response) -> Secret[str]:
    """Read the answer to it. Raises RemoteProtocolError where there is no token."""
    given = text(reading.answered(answer), "access_token")
    if answer.status != 200 or not given:
        raise RemoteProtocolError(f"no access token: {answer.status}")
    return Secret(given)


def show(shop: Shop, key: Secret[str], bought: Bought) -> Request:
    """Write the question how a purchase is."""
    return Request("GET", _purchase(shop, bought), _headers(key))


def acknowledge(shop: Shop, key: Secret[str], op: Operation, bought: Bought) -> Request:
    """Write the request that makes a purchase final: one that nobody acknowledges is given back.

    The operation's name stays with the purchase, so that it tells whose it is.
    """
    fields = json.write({"developerPayload": op.id})
    url = f"{_purchase(shop, bought)}:acknowledge"
    return Request("POST", url, _headers(key, body=True), fields, moves_money=True)


def refund(shop: Shop, key: Secret[str], order: str) -> Request:
    """Write the refund of an order; what was bought is taken away again."""
    url = f"{_order(shop, order)}:refund?revoke=true"
    return Request("POST", url, _headers(key), moves_money=True)


def show_order(shop: Shop, key: Secret[str], order: str) -> Request:
    """Write the question how an order is."""
    return Request("GET", _order(shop, order), _headers(key))


def unfit(shop: Shop, answer: Response, op: Operation, bought: Bought) -> Unsent | None:
    """Say why a purchase cannot pay for an operation, before anything is sent that moves money."""
    fields = reading.answered(answer)
    if answer.status != 200:
        return _unfit("the store does not know this purchase")
    if fields.get("purchaseState") != PURCHASED:
        waits = fields.get("purchaseState") == PENDING
        return _unfit("the customer has still to pay" if waits else "the purchase was given back")
    if USED in (fields.get("acknowledgementState"), fields.get("consumptionState")):
        return _unfit("this purchase was used before")
    cost = _cost(shop, fields, bought)
    return None if cost == op.tender else _unfit(f"the store sold this for {cost}")


def acknowledged(answer: Response) -> Declined | None:
    """Read the answer to an acknowledgement or a refund: the store says "done" and no more, so
    None means that what was done must be looked at.

    Raises RemoteProtocolError where the answer decides nothing.
    """
    if 400 <= answer.status < 500:
        return _refused(answer)
    if answer.status not in (200, 204) or answer.body.strip() not in (b"", b"{}"):
        raise RemoteProtocolError(f"the store answered {answer.status}")
    return None


def seen(outcome: Outcome | Unclear) -> Outcome:
    """Hold the store to its word. Raises RemoteProtocolError where nothing is seen of it."""
    if isinstance(outcome, Unclear):
        raise RemoteProtocolError("the store said that it did it, and did not")
    return outcome


def found(answer: Response, op: Operation) -> Outcome | Unclear:
    """Read from a purchase what became of its acknowledgement. What it cost was seen before; the
    settings may have another price by now."""
    fields = reading.answered(answer)
    if answer.status in (404, 410):
        return Unclear.NOT_FOUND
    order = text(fields, "orderId")
    if answer.status != 200 or not order:
        raise RemoteProtocolError("a purchase has an order", path=["orderId"])
    if fields.get("acknowledgementState") != USED:
        return Unclear.NOT_FOUND
    if text(fields, "developerPayload") != op.id:
        return Declined(reason(409), "used", "this purchase was used before", order)
    return Approved(op.tender, order, provider_code="acknowledged")


def found_refund(answer: Response, op: Operation, order: str) -> Outcome | Unclear:
    """Read from an order whether it was given back; the store does so once."""
    fields = reading.answered(answer)
    if answer.status != 200 or text(fields, "orderId") != order:
        raise RemoteProtocolError(f"the store answered {answer.status} to an inquiry")
    if text(fields, "state") != REFUNDED:
        return Unclear.NOT_FOUND
    return Approved(op.tender, order, provider_code=REFUNDED)


def _cost(shop: Shop, fields: dict[str, Any], bought: Bought) -> Money:
    quantity = fields.get("quantity", 1)
    if type(quantity) is not int or not 0 < quantity <= QUANTITY_MAX:
        raise RemoteProtocolError("a quantity that is none", path=["quantity"])
    price = shop.prices[bought.product]
    return Money(price.amount_minor * quantity, price.currency)


def _refused(answer: Response) -> Declined:
    """Read a documented error: only the caller's mistakes prove that nothing moved."""
    error = inner(reading.answered(answer), "error")
    if not text(error, "message"):
        raise RemoteProtocolError(f"the store answered {answer.status}")
    said = scrub(text(error, "message"))[:200]
    return Declined(reason(answer.status), text(error, "status")[:40] or str(answer.status), said)


def _unfit(why: str) -> Unsent:
    return Unsent(why, Cause.UNFIT)


def _purchase(shop: Shop, bought: Bought) -> str:
    product, token = quote(bought.product, safe=""), quote(bought.token, safe="")
    place = f"{shop.endpoint}/{API}/{quote(shop.package, safe='')}"
    return f"{place}/purchases/products/{product}/tokens/{token}"


def _order(shop: Shop, order: str) -> str:
    place = f"{shop.endpoint}/{API}/{quote(shop.package, safe='')}"
    return f"{place}/orders/{quote(order, safe='')}"


def _headers(key: Secret[str], *, body: bool = False) -> Headers:
    fields = [("authorization", f"Bearer {key.reveal()}"), ("accept", "application/json")]
    return Headers([*fields, ("content-type", "application/json")] if body else fields)
