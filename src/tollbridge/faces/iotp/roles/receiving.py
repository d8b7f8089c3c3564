"""The Consumer's side of a delivery: asking for it, the note, and how far it is (RFC 2801, 9.1.5).

The deal's entry says where it is: "new", "asked" (our request may have been sent), "over". Who asks
again sends the same bytes, and gets the same note.
"""

from typing import Any

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import CompletionCode, ErrorCode, ProcessState
from tollbridge.faces.iotp.message import contents, http
from tollbridge.faces.iotp.message.blocks import (
    DeliveryReqBlk,
    DeliveryRespBlk,
    IotpMessage,
    OfferRespBlk,
    TpoBlk,
)
from tollbridge.faces.iotp.message.components import ConsumerDeliveryData, Delivery, Org
from tollbridge.faces.iotp.message.signing import SignatureKind
from tollbridge.faces.iotp.message.words import Role, StatusType
from tollbridge.faces.iotp.roles import inquiring, store
from tollbridge.faces.iotp.roles.core import Core, Suspended
from tollbridge.faces.iotp.roles.draft import next_draft
from tollbridge.faces.iotp.roles.paying import Paying, evidence, response
from tollbridge.faces.iotp.roles.person import Arrived, Received, Silence
from tollbridge.faces.iotp.roles.problems import Problem, Unusable
from tollbridge.faces.iotp.roles.receipts import Offer
from tollbridge.faces.iotp.roles.sealing import Judged, Proof
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.faces.iotp.roles.wanted import Delivered
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow

DELIVERY_ID_LETTERS = 14
KEY = "delivery"


def promised(offer: Offer) -> bool:
    """Say whether something is delivered by messages."""
    return offer.block.delivery is not None and offer.block.delivery.deliv_exch


def check(tpo: TpoBlk, block: OfferRespBlk) -> None:
    """Check that an offer says who delivers, and where that is asked for (7.13). Raises Problem."""
    delivery = block.delivery
    if delivery is None or not delivery.deliv_exch:
        return
    by = [org for org in tpo.orgs if org.id == delivery.action_org_ref]
    if len(by) != 1 or not by[0].plays(Role.DELIVERY_HANDLER):
        text = "ActionOrgRef names no delivery handler"
        raise Problem(ErrorCode.EL_INCONSISTENT, text, element="Delivery", ref=delivery.id,
                      attribute="ActionOrgRef", value=delivery.action_org_ref or "")  # fmt: skip
    if not delivery.deliv_and_pay_resp and not _url(delivery):
        text = "there is no address to ask for the delivery"
        raise Problem(ErrorCode.ATT_MISSING, text, element="DeliveryData", ref=delivery.id,
                      attribute="DelivReqNetLocn", value="DelivReqNetLocn")  # fmt: skip


def _url(delivery: Delivery) -> str:
    data = delivery.data
    if data is None:
        return ""
    try:
        return http.either(data.deliv_req_net_locn, data.sec_deliv_req_net_locn) or ""
    except RemoteProtocolError:
        return ""


def begun(deal: Deal) -> bool:
    """Say whether the delivery was asked for."""
    return deal.data.get(KEY, {}).get("stage") in {"asked", "over"}


def came(deal: Deal) -> Delivered | None:
    """Say what became of the delivery, once it is answered."""
    known = deal.data.get(KEY, {})
    if known.get("stage") != "over":
        return None
    return Delivered(ProcessState(known["state"]), known["code"], known["note"],
                     known["handler"], known["proof"])  # fmt: skip


class Receiving:
    """The delivery of a deal whose payments are over."""

    def __init__(self, core: Core, deal: Deal, offer: Offer) -> None:
        assert offer.block.delivery is not None, "asked for where one is promised"
        self.core = core
        self.deal = deal
        self.offer = offer
        self.delivery: Delivery = offer.block.delivery
        orgs = {org.id: org for org in offer.tpo.orgs}
        self.handler: Org = orgs[self.delivery.action_org_ref or ""]
        self.known: dict[str, Any] = deal.data.setdefault(KEY, {"stage": "new"})

    @property
    def url(self) -> str:
        """Where the delivery is asked for, and asked about."""
        if self.delivery.deliv_and_pay_resp:
            return Paying(self.core, self.deal, self.offer, self.deal.data["payments"][-1]).url
        return _url(self.delivery)

    def receive(self) -> Flow[str]:
        """Get the goods, or the note that says where they are; says why when there are none.

        Raises Suspended, Cancelled, PeerError, PeerCancelled, Problem or Unusable.
        """
        if self.known["stage"] != "over":
            if self.known["stage"] == "new" and not self.delivery.deliv_and_pay_resp:
                yield from self._request()
            try:
                message = yield from self._answered()
            except Unusable as error:
                raise Suspended(error.text) from None  # it is paid: the same request may be sent
            yield from self._take(message)
        if self.known["state"] == ProcessState.COMPLETED_OK:
            return ""
        return f"nothing was delivered: {self.known['code'] or self.known['state']}"

    def _answered(self) -> Flow[IotpMessage]:
        if self.delivery.deliv_and_pay_resp:
            known = self.deal.data["payments"][-1]
            return (yield from response(self.core, self.deal, self.offer, known))
        return (yield from self.core.ask(self.deal, self.known["out"], self.url))

    def _request(self) -> Flow[None]:
        """Write the Delivery Request: what was ordered, and what proves that it is paid (8.10)."""
        order = self.offer.block.order
        if order is None:
            raise Problem(ErrorCode.EL_MISSING, "an offer has an order", value="Order")
        payments = self.deal.data["payments"]
        statuses, signatures = yield from evidence(self.core, self.deal, self.offer, payments)
        draft = next_draft(self.deal, "C")
        block = draft.new_id()
        own = ConsumerDeliveryData(
            id=draft.new_id(), consumer_delivery_id=self.core.ids.code(DELIVERY_ID_LETTERS)
        )
        orgs = {org.id: org for org in self.offer.tpo.orgs}
        merchant, consumer = self.offer.one(Role.MERCHANT), self.offer.one(Role.CONSUMER)
        handlers = [orgs[known["org"]] for known in payments]
        request = DeliveryReqBlk(
            id=block,
            statuses=(self.offer.block.status, *statuses),
            order=order,
            orgs=tuple(dict.fromkeys((merchant, consumer, *handlers, self.handler))),
            delivery=self.delivery,
            consumer_delivery_data=own,
            trading_role_data=tuple([
                one for one in self.offer.block.trading_role_data
                if self.handler.id in one.destination_el_refs
            ]),
        )  # fmt: skip
        self.known["out"] = self.core.send(
            self.deal, draft, (request,), to=self.handler.org_id,
            answers=self.deal.seen_as(payments[-1]["in"]), signatures=signatures,
        )  # fmt: skip
        self.known |= {"stage": "asked", "id": own.consumer_delivery_id, "own": own.id}
        yield from store.keep(self.deal)

    def _take(self, message: IotpMessage) -> Flow[None]:
        """Take the note in; one that is not signed as it should be may come again, later."""
        try:
            block, judged = yield from self._judged(message)
        except Problem as problem:
            yield from self.core.complain(self.deal, problem, message.msg_id, self.url)
            raise Suspended(problem.text) from None
        note, status = block.delivery_note, block.status
        text = "\n".join(_shown(one) for one in note.contents)
        self.known |= {
            "stage": "over",
            "state": status.process_state,
            "code": status.completion_code,
            "note": text,
            "handler": note.deliv_handler_deliv_id,
            "proof": judged.proof,
        }
        yield from self.core.person(
            Received(status.completion_code or status.process_state, text,
                     f"{self.handler.org_id}: {judged.proof}")
        )  # fmt: skip

    def _judged(self, message: IotpMessage) -> Flow[tuple[DeliveryRespBlk, Judged]]:
        block = message.block(DeliveryRespBlk)
        if block is None:
            text = "a Delivery Response is expected"
            raise Problem(ErrorCode.EL_MISSING, text, value="DeliveryRespBlk")
        must = [block.status.id, block.delivery_note.id]
        if "own" in self.known:
            must.append(self.known["own"])
        judged = yield from self.core.judge(
            self.deal, message, SignatureKind.DELIVERY_RESPONSE, by=self.handler,
            us=self.offer.one(Role.CONSUMER).org_id, must=must,
        )  # fmt: skip
        return block, judged

    def inquire(self) -> Flow[inquiring.Told]:
        """Ask how far the delivery is. Raises Unusable."""
        signs = self.known.get("proof", Proof.NONE) != Proof.NONE
        between = inquiring.Between(self.handler, self.offer.one(Role.CONSUMER).org_id, signs)
        told = yield from inquiring.delivery(
            self.core, self.deal, (self.delivery.id, self.known.get("handler")), self.url, between
        )
        if self.known["stage"] == "over":
            self.known |= {"state": told.remote, "code": told.code}
            yield from store.keep(self.deal)
        return told

    def cancel(self) -> Flow[bool]:
        """Want it no more; False when it was delivered, or nobody knows."""
        draft = next_draft(self.deal, "C")
        text = "no more of it"
        code = CompletionCode.CONS_CANCELLED
        block = draft.cancel(StatusType.DELIVERY, code, self.delivery.id, text)
        answers = self.deal.seen_as(self.deal.data["payments"][-1]["in"])
        got: Arrived | Silence = yield from self.core.tell(
            self.deal, draft, (block,), self.url, answers
        )
        return isinstance(got, Arrived) and not got.body


def _shown(content: Content) -> str:
    """Give a content as text, or say what it is: plain text, HTML, XML (IX-140)."""
    try:
        document = contents.opened(content)
    except ValueError as error:
        return f"(cannot be read: {error})"
    if document.text is None:
        return f"({document.media_type}, {len(document.data)} bytes)"
    return document.text
