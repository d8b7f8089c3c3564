"""Goods: what an item is delivered as, and what is said of it in requests and answers.

What a delivery handler is to hand out it learns from the Merchant: by role data in the offer, which
the Merchant signed (RFC 2801, 7.17). A delivery is known by the name its handler gave it, and the
time it was asked for: all that is said of it later follows from those.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ProcessState
from tollbridge.faces.iotp.message import contents
from tollbridge.faces.iotp.message.blocks import DeliveryRespBlk, InquiryRespBlk
from tollbridge.faces.iotp.message.components import Delivery, DeliveryNote, Status, TradingRoleData
from tollbridge.faces.iotp.message.words import StatusType
from tollbridge.faces.iotp.roles.draft import LANG, Draft
from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant

ITEM, REFERENCE = "Delivery:Item", "Delivery:Reference"
"""Names of contents for who delivers: the item, and the id of the Delivery component."""
TEXT = "text/plain; charset=utf-8"
WEB, POST = "Web", "Post"


@dataclass(frozen=True, slots=True)
class Goods:
    """What is delivered, and how: `method` is Web or Post (RFC 2801, 7.13.1).

    `text` is the good itself, or says where the parcel is. `at_once`: it comes with the answer to
    the payment, and the Payment Handler hands it out. A parcel is shipped `ships_s` seconds after
    it was asked for.
    """

    text: str
    method: str = WEB
    at_once: bool = False
    ships_s: int = 0


@dataclass(frozen=True, slots=True)
class Handover:
    """One delivery: `ref` is the id of its Delivery component, `name` what its handler calls it."""

    item: str
    ref: str
    name: str
    at: Instant

    def status(self, goods: Goods | None, draft: Draft, now: Instant) -> Status:
        """Say how far it is: parcels are pending, then shipped; nobody confirms a text."""
        state, code = ProcessState.COMPLETED_OK, "ShippedNoConf"
        if goods is None:
            state, code = ProcessState.FAILED, "PermNotAvail"
        elif goods.method != WEB:
            shipped = now >= self.at + goods.ships_s * MICROSECONDS_PER_S
            code = "Shipped" if shipped else "ShipPending"
        return draft.status(
            StatusType.DELIVERY, state, ref=self.ref, code=code, reference=self.name
        )

    def response(self, goods: Goods | None, draft: Draft, now: Instant) -> DeliveryRespBlk:
        """Hand it out, or say that there is none (RFC 2801, 8.11)."""
        block = draft.new_id()
        status = self.status(goods, draft, now)
        text = goods.text if goods is not None else f"{self.item} is not available"
        packed = Content(text=text, content=f"{contents.MIME_TYPED}{TEXT}")
        note = DeliveryNote(
            id=draft.new_id(), lang=LANG, deliv_handler_deliv_id=self.name, contents=(packed,)
        )
        return DeliveryRespBlk(id=block, status=status, delivery_note=note)

    def inquired(
        self, goods: Goods | None, draft: Draft, now: Instant, last: tuple[str | None, str | None]
    ) -> InquiryRespBlk:
        """Answer an inquiry; `last` are the last messages received and sent."""
        block = draft.new_id()
        return InquiryRespBlk(
            id=block, status=self.status(goods, draft, now),
            last_received_iotp_msg_ref=last[0], last_sent_iotp_msg_ref=last[1],
        )  # fmt: skip

    def written(self) -> list[Any]:
        """Give it as a page may hold it."""
        return [self.item, self.ref, self.name, self.at]


def read(page: Sequence[Any]) -> Handover:
    """Make the handover of a page again."""
    item, ref, name, at = page
    return Handover(item, ref, name, Instant(at))


def role_data(item: str, delivery: Delivery) -> tuple[Content, ...]:
    """Say to who delivers what it is; who delivers with a payment's answer sees no Delivery
    component, so it is told the id."""
    named = (Content(text=item, name=ITEM),)
    if not delivery.deliv_and_pay_resp:
        return named
    return (*named, Content(text=delivery.id, name=REFERENCE))


def wanted(found: Sequence[TradingRoleData]) -> Mapping[str, str]:
    """Give the contents for who delivers, by their names."""
    return {
        one.name: one.text for data in found for one in data.contents
        if one.name in {ITEM, REFERENCE}
    }  # fmt: skip
