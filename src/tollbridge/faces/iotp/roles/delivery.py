"""The Delivery Handler's core: goods for those who show that they paid (RFC 2801, 6.3 and 9.1.5).

A transaction has one delivery. Its answer and the note that it was handed out are one commit, so
that a request that comes again, after a crash of anybody's, is answered with the same bytes, and
any other request is refused: nothing is handed out twice.
"""

from dataclasses import replace

from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.message import authorisation, signing
from tollbridge.faces.iotp.message.blocks import (
    CancelBlk,
    DeliveryReqBlk,
    ErrorBlk,
    InquiryReqBlk,
    InquiryRespBlk,
    IotpMessage,
)
from tollbridge.faces.iotp.message.components import Org
from tollbridge.faces.iotp.message.faults import Fault
from tollbridge.faces.iotp.message.signing import Verified, Verifier
from tollbridge.faces.iotp.message.words import InquiryKind, Role, StatusType, TransactionType
from tollbridge.faces.iotp.roles import goods, sealing
from tollbridge.faces.iotp.roles.draft import Draft
from tollbridge.faces.iotp.roles.goods import Handover
from tollbridge.faces.iotp.roles.problems import Problem
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.faces.iotp.roles.server import Reply, Server, last_received
from tollbridge.faces.iotp.roles.settings import DeliverySettings
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import IdSource

DELIVERY_ID_LETTERS = 14


class DeliveryHandler(Server):
    """Delivers the goods of some merchants."""

    role = "D"
    prefix = "D"
    settings: DeliverySettings

    def __init__(self, settings: DeliverySettings, clock: Clock, ids: IdSource) -> None:
        super().__init__(clock)
        self.settings = settings
        self._ids = ids

    def equip(self, seal: Seal, verifier: Verifier) -> None:
        self.settings = replace(self.settings, seal=seal, verifier=verifier)

    def org(self) -> Org:
        return self.settings.party.org("D0", Role.DELIVERY_HANDLER, self.prefix)

    def welcomes(self, message: IotpMessage) -> bool:
        return message.block(DeliveryReqBlk) is not None

    def handle(self, deal: Deal, message: IotpMessage, draft: Draft) -> Flow[Reply]:
        yield from ()
        block = message.block(DeliveryReqBlk)
        if block is None:
            kinds = " ".join(message.kinds) or "nothing"
            text = f"a delivery handler has no use for {kinds} here"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, value=kinds)
        if "handover" in deal.data:
            text = "this delivery was asked for before"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, element="DeliveryReqBlk", ref=block.id)
        found = self._check(message, block)
        own = block.consumer_delivery_data
        item = goods.wanted(sealing.merchants_data(block, found)).get(goods.ITEM, "")
        name, now = self._ids.code(DELIVERY_ID_LETTERS), self.clock.now()
        handover = Handover(item, block.delivery.id, name, now)
        deal.data["handover"] = handover.written()
        deal.data["consumer"] = own.consumer_delivery_id if own is not None else None
        answer = handover.response(self.settings.goods.get(item), draft, now)
        return Reply((answer,), stage="done")

    def told(self, deal: Deal, block: CancelBlk | ErrorBlk) -> Flow[Reply]:
        yield from ()
        if isinstance(block, CancelBlk) and "handover" in deal.data:
            text = "too late to cancel: it was delivered"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, element="CancelBlk", ref=block.id)
        return Reply()

    def inquired(self, deal: Deal, block: InquiryReqBlk, draft: Draft) -> Flow[InquiryRespBlk]:
        yield from ()
        if block.inquiry_type.type != InquiryKind.DELIVERY:
            text = "a delivery handler is asked about deliveries"
            raise Problem(ErrorCode.ATT_VAL_NOT_RECOG, text, element="InquiryType",
                          attribute="Type", value=block.inquiry_type.type)  # fmt: skip
        if "handover" not in deal.data:
            text = "nothing was delivered"
            raise Problem(ErrorCode.ATT_VAL_ILLEGAL, text, element="InquiryType",
                          attribute="ElRef", value=block.inquiry_type.el_ref or "")  # fmt: skip
        handover = goods.read(deal.data["handover"])
        last = (last_received(deal), f"{self.prefix}{deal.sent}")
        own = self.settings.goods.get(handover.item)
        return handover.inquired(own, draft, self.clock.now(), last)

    # May it be delivered? (12.6)

    def _check(self, message: IotpMessage, block: DeliveryReqBlk) -> tuple[Verified, ...]:
        """Check that it is for us, of a Merchant of ours, in time, and paid. Raises Problem."""
        us = self.settings.party.org_id
        for fault in authorisation.delivery_faults(block, us, self.clock.now()):
            raise _refused(fault)
        merchant = next(org for org in block.orgs if org.plays(Role.MERCHANT))
        if merchant.org_id.lower() not in {name.lower() for name in self.settings.merchants}:
            text = "there is no agreement with this merchant"
            raise Problem(ErrorCode.ATT_VAL_NOT_RECOG, text, element="Org", ref=merchant.id,
                          attribute="OrgId", value=merchant.org_id)  # fmt: skip
        if message.trans_ref.trans_id.iotp_trans_type != TransactionType.PURCHASE:
            text = "only what was purchased is delivered"
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="TransId",
                          attribute="IotpTransType",
                          value=message.trans_ref.trans_id.iotp_trans_type)  # fmt: skip
        if block.delivery.deliv_and_pay_resp:
            text = "this is delivered with the payment's answer"
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="Delivery",
                          ref=block.delivery.id, attribute="DelivAndPayResp")  # fmt: skip
        return self._check_paid(message, block)

    def _check_paid(self, message: IotpMessage, block: DeliveryReqBlk) -> tuple[Verified, ...]:
        found = sealing.request(message, block, us=self.settings.party.org_id,
                                verifier=self.settings.verifier)  # fmt: skip
        paid = sealing.paid(message, block, found)
        claimed = {one.el_ref for one in block.statuses if one.status_type == StatusType.PAYMENT}
        if not paid or claimed - paid:
            kind = signing.SignatureKind.PAYMENT_RESPONSE
            text = "no signature of a payment handler proves that this was paid"
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="Signature", value=kind)
        return found


def _refused(fault: Fault) -> Problem:
    return Problem(fault.code, fault.rule, element=fault.element,
                   attribute=fault.attribute or None, value=fault.value)  # fmt: skip
