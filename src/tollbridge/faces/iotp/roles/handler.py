"""The Payment Handler's core: requests for payment, exchanges, the response (figures 5 to 8).

One payment of a transaction is one entry in the deal's data; the bridge knows it by the payment
handler's id, which is written down before the bridge hears of it. So whatever is asked a second
time, after a crash or by a repeated message, is about the same payment.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.calls import (
    ContinueProcess,
    InquirePaymentStatus,
    InquireProcessStateResponse,
    ResumePaymentPaymentHandler,
    StartPaymentPaymentHandler,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.perform import Limit
from tollbridge.faces.iotp.api.states import outside
from tollbridge.faces.iotp.api.words import (
    ROLE_DATA_PREFIX,
    CompletionCode,
    ContStatus,
    ErrorCode,
    ProcessState,
    Severity,
)
from tollbridge.faces.iotp.message.blocks import (
    Block,
    CancelBlk,
    DeliveryRespBlk,
    ErrorBlk,
    InquiryReqBlk,
    InquiryRespBlk,
    IotpMessage,
    PayExchBlk,
    PayReqBlk,
    PayRespBlk,
)
from tollbridge.faces.iotp.message.components import Org, PayReceipt, PaySchemeData
from tollbridge.faces.iotp.message.signing import Verified, Verifier
from tollbridge.faces.iotp.message.words import InquiryKind, Role, StatusType
from tollbridge.faces.iotp.roles import goods, picking, sealing, store
from tollbridge.faces.iotp.roles.calls import CALL_LIMIT_S, Bridges, Keys
from tollbridge.faces.iotp.roles.closing import Closing
from tollbridge.faces.iotp.roles.draft import Draft, cancelled
from tollbridge.faces.iotp.roles.goods import Handover
from tollbridge.faces.iotp.roles.picking import Picked
from tollbridge.faces.iotp.roles.problems import Failed, Problem, worst_of
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.faces.iotp.roles.server import Reply, Server, last_received
from tollbridge.faces.iotp.roles.settings import HandlerSettings
from tollbridge.faces.iotp.roles.software import First
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import IdSource

log = logging.getLogger("tollbridge.iotp")

PAY_ID_LETTERS = 14
FINAL = frozenset({ProcessState.COMPLETED_OK, ProcessState.FAILED, ProcessState.PROCESS_ERROR})
TIMED_OUT = frozenset({CompletionCode.TIMED_OUT_RCVR, CompletionCode.TIMED_OUT_NO_RCVR})
GONE = frozenset({ErrorCode.ATT_VAL_ILLEGAL})


@dataclass(frozen=True, slots=True)
class Told:
    """What a bridge said: scheme data for the other side, and whether that was the last."""

    end: bool
    contents: tuple[Content, ...] = ()


class PaymentHandler(Server):
    """Handles payments with some bridges; `protocols` says which bridge does which protocol."""

    role = "P"
    prefix = "P"
    settings: HandlerSettings

    def __init__(
        self,
        settings: HandlerSettings,
        bridges: Mapping[str, PaymentBridge],
        clock: Clock,
        ids: IdSource,
        first: First | None = None,
    ) -> None:
        super().__init__(clock)
        self.settings = settings
        self.bridges = Bridges(bridges, {name: Keys(*keys) for name, keys in settings.keys.items()})
        self.bridges.limit = Limit(clock, CALL_LIMIT_S)
        self.closing = Closing(self.bridges, clock, settings.close_after_s)
        self._ids = ids
        self.first = first or First()

    def equip(self, seal: Seal, verifier: Verifier) -> None:
        self.settings = replace(self.settings, seal=seal, verifier=verifier)

    def org(self) -> Org:
        return self.settings.party.org("P0", Role.PAYMENT_HANDLER, self.prefix)

    def welcomes(self, message: IotpMessage) -> bool:
        return message.block(PayReqBlk) is not None

    def handle(self, deal: Deal, message: IotpMessage, draft: Draft) -> Flow[Reply]:
        yield from self.first.do()
        yield from self.closing.sweep()
        request = message.block(PayReqBlk)
        if request is not None:
            return (yield from self._requested(deal, message, request, draft))
        exchange = message.block(PayExchBlk)
        if exchange is not None:
            return (yield from self._exchanged(deal, message, exchange, draft))
        kinds = " ".join(message.kinds) or "nothing"
        text = f"a payment handler has no use for {kinds} here"
        raise Problem(ErrorCode.EL_UNEXPECTED, text, value=kinds)

    def signs_from(self, deal: Deal, message: IotpMessage) -> int:
        block = message.block(PayRespBlk)
        if block is None:
            return 1
        known = deal.data["payments"][block.status.el_ref]
        return known["request"] if known["signed"] else 0

    def prefix_in(self, deal: Deal, message: IotpMessage) -> str:
        block = message.block(PayReqBlk)
        if block is not None and "prefix" not in deal.data:
            ours = self.settings.party.org_id.lower()
            found = [role.iotp_msg_id_prefix for org in block.orgs if org.org_id.lower() == ours
                     for role in org.trading_roles
                     if role.trading_role == Role.PAYMENT_HANDLER]  # fmt: skip
            deal.data["prefix"] = found[0] if found else self.prefix
        return str(deal.data.get("prefix", self.prefix))

    # Payment requests (12.6)

    def _requested(
        self, deal: Deal, message: IotpMessage, block: PayReqBlk, draft: Draft
    ) -> Flow[Reply]:
        found = self._verified(message, block)
        picked = picking.picked(block.brand_list, block.brand_selection, block.payment)
        self._check_orgs(block, picked)
        payments: dict[str, Any] = deal.data.setdefault("payments", {})
        known = payments.get(block.payment.id)
        if known is not None:
            return (yield from self._requested_again(deal, known, message, block, draft))
        self._check_before(deal, block, sealing.paid(message, block, found))
        self._check_time(block)
        bridge = self._bridge(picked)
        known = payments[block.payment.id] = {
            "ref": block.payment.id,
            "bridge": bridge,
            "id": self._ids.code(PAY_ID_LETTERS),
            "consumer": _theirs(block),
            "state": ProcessState.IN_PROGRESS,
            "terms": picked.terms,
            "earlier": [],
            "request": deal.seen[message.msg_id].letter,
            "signed": block.payment.signed_pay_receipt,
            "goods": dict(goods.wanted(sealing.merchants_data(block, found))),
        }
        deal.data["current"] = block.payment.id
        deal.stage = "paying"
        yield from store.keep(deal)  # the id, before the bridge hears of it
        return (yield from self._start(deal, known, block, picked, draft))

    def _start(
        self, deal: Deal, known: dict[str, Any], block: PayReqBlk, picked: Picked, draft: Draft
    ) -> Flow[Reply]:
        sent = block.pay_scheme_data
        call = StartPaymentPaymentHandler(
            brand_id=picked.brand.brand_id,
            consumer_pay_id=known["consumer"],
            curr_code_type=picked.amount.curr_code_type,
            curr_code=picked.amount.curr_code,
            amount=picked.amount.amount,
            pay_direction=block.brand_list.pay_direction,
            protocol_id=picked.protocol.protocol_id,
            ok_from=block.payment.ok_from,
            ok_to=block.payment.ok_to,
            payment_handler_pay_id=known["id"],
            merchant_org_id=_one_org(block.orgs, Role.MERCHANT).org_id,
            brand_packaged_content=picked.brand.contents,
            protocol_brand=picked.api_brand,
            protocol_amount_packaged_content=picked.protocol_amount.contents,
            pay_protocol_packaged_content=picked.protocol.contents,
            brand_sel_brand_info_packaged_content=_inside(block.brand_selection.brand_info),
            brand_sel_protocol_amount_info_packaged_content=_inside(
                block.brand_selection.protocol_amount_info
            ),
            brand_sel_currency_amount_info_packaged_content=_inside(
                block.brand_selection.currency_amount_info
            ),
            trading_role_data_packaged_content=role_data(block.trading_role_data),
            pay_scheme_packaged_content=sent.contents if sent is not None else (),
        )
        name = known["bridge"]

        def start() -> Flow[Told]:
            done = yield from self.bridges.call(name, call)
            return Told(done.cont_status is ContStatus.END, done.pay_scheme_packaged_content)

        return (yield from self._done(deal, known, start, draft))

    def _requested_again(
        self,
        deal: Deal,
        known: dict[str, Any],
        message: IotpMessage,
        block: PayReqBlk,
        draft: Draft,
    ) -> Flow[Reply]:
        """Answer a request for a payment we know: after a crash of ours, or of the Consumer's.

        A payment that is over is told as it is; one that goes on is taken up (2.6.2). The id of
        the Consumer's payment says whether it is the same one.
        """
        picked = picking.picked(block.brand_list, block.brand_selection, block.payment)
        theirs = _theirs(block)
        if known["consumer"] != theirs:
            retried = known["state"] == ProcessState.FAILED
            if not retried:
                text = "another payment of this transaction is in progress"
                raise Problem(ErrorCode.ATT_VAL_ILLEGAL, text, element="PaySchemeData",
                              attribute="ConsumerPaymentId", value=theirs or "")  # fmt: skip
            # The Consumer tries the payment again, with another instrument perhaps: a new payment.
            self._check_time(block)
            attempt = {name: known[name] for name in ("bridge", "id", "consumer", "state")}
            known |= {
                "bridge": self._bridge(picked), "id": self._ids.code(PAY_ID_LETTERS),
                "consumer": theirs, "state": ProcessState.IN_PROGRESS, "terms": picked.terms,
                "earlier": [*known["earlier"], attempt],
                "request": deal.seen[message.msg_id].letter,
            }  # fmt: skip
            deal.stage = "paying"
            yield from store.keep(deal)
        elif known["terms"] != picked.terms:
            text = "brand and amount of a payment stay as they were"
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="BrandSelection",
                          ref=block.brand_selection.id)  # fmt: skip
        elif known["state"] in FINAL:
            return (yield from self._finished(deal, known, (), draft))
        elif known.get("said"):
            return (yield from self._resumed(deal, known, block.pay_scheme_data, draft))
        return (yield from self._start(deal, known, block, picked, draft))

    # Exchanges

    def _exchanged(
        self, deal: Deal, message: IotpMessage, block: PayExchBlk, draft: Draft
    ) -> Flow[Reply]:
        data = block.pay_scheme_data
        known = self._named(deal, data)
        if known["state"] in FINAL:
            if message.trans_ref.msg_id.resp_iotp_msg == known.get("end"):
                text = "this payment is over: nothing can be said after End"
                raise Problem(ErrorCode.EL_UNEXPECTED, text, element="PayExchBlk", ref=block.id)
            return (yield from self._finished(deal, known, (), draft))
        if not known.get("said"):
            text = "no Payment Exchange was sent before"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, element="PayExchBlk", ref=block.id)
        if message.trans_ref.msg_id.resp_iotp_msg != known["said"]:
            # What we said last did not arrive, so the Consumer was away: taken up again (2.6.2).
            return (yield from self._resumed(deal, known, data, draft))
        name = known["bridge"]

        def go_on() -> Flow[Told]:
            state = yield from self.bridges.state(name, known["id"])
            if state.process_state is ProcessState.SUSPENDED:
                return (yield from self._resume(known, data))
            call = ContinueProcess(pay_id=known["id"], pay_scheme_packaged_content=data.contents)
            done = yield from self.bridges.call(name, call)
            return Told(done.cont_status is ContStatus.END, done.pay_scheme_packaged_content)

        return (yield from self._done(deal, known, go_on, draft))

    def _resumed(
        self, deal: Deal, known: dict[str, Any], data: PaySchemeData | None, draft: Draft
    ) -> Flow[Reply]:
        def resume() -> Flow[Told]:
            name = known["bridge"]
            state = yield from self.bridges.state(name, known["id"])
            if state.process_state is ProcessState.IN_PROGRESS:
                yield from self.bridges.change(name, known["id"], ProcessState.SUSPENDED)
            return (yield from self._resume(known, data))

        return (yield from self._done(deal, known, resume, draft))

    def _resume(self, known: Mapping[str, Any], data: PaySchemeData | None) -> Flow[Told]:
        call = ResumePaymentPaymentHandler(
            payment_handler_pay_id=known["id"],
            pay_scheme_packaged_content=data.contents if data is not None else (),
        )
        done = yield from self.bridges.call(known["bridge"], call)
        return Told(done.cont_status is ContStatus.END, done.pay_scheme_packaged_content)

    # What a bridge said, to the Consumer

    def _done(
        self, deal: Deal, known: dict[str, Any], step: Callable[[], Flow[Told]], draft: Draft
    ) -> Flow[Reply]:
        """Carry out a step with the bridge and say what came of it (figures 5 and 7)."""
        self.closing.hear(known["id"])
        try:
            told = yield from step()
        except Failed as failed:
            return (yield from self._failed(deal, known, failed, draft))
        if told.end:
            return (yield from self._finished(deal, known, told.contents, draft))
        known["said"] = draft.msg_id
        block = PayExchBlk(id=draft.new_id(), pay_scheme_data=_data(draft, known, told.contents))
        return Reply((block,), stage="paying")

    def _failed(
        self, deal: Deal, known: dict[str, Any], failed: Failed, draft: Draft
    ) -> Flow[Reply]:
        if failed.transient:
            raise failed
        if failed.business:
            return (yield from self._finished(deal, known, (), draft))
        known["state"] = ProcessState.PROCESS_ERROR
        try:
            done = yield from self.bridges.change(
                known["bridge"], known["id"], ProcessState.PROCESS_ERROR
            )
        except Failed:
            pass  # the payment was never opened there
        else:
            known["state"] = done.process_state
        if known["state"] in {ProcessState.COMPLETED_OK, ProcessState.FAILED}:
            return (yield from self._finished(deal, known, (), draft))
        if known["state"] not in FINAL:
            # It may still succeed, so nobody may be told that it failed.
            raise _working()
        raise failed

    def _finished(
        self, deal: Deal, known: dict[str, Any], contents: tuple[Content, ...], draft: Draft
    ) -> Flow[Reply]:
        """Tell how a payment ended, with its receipt, and end it (2.4, step 7)."""
        name, pay_id = known["bridge"], known["id"]
        state = yield from self.bridges.state(name, pay_id)
        where = state.process_state
        if where not in FINAL:
            if where is ProcessState.SUSPENDED or known.get("said"):
                text = "the payment is not over: go on with it, or begin it again"
                raise Problem(ErrorCode.EL_UNEXPECTED, text, element="PaySchemeData",
                              attribute="PaymentHandlerPayId", value=pay_id)  # fmt: skip
            raise _working()
        if where is ProcessState.COMPLETED_OK and not (
            state.packaged_content or state.pay_receipt_name_refs
        ):
            yield from self.bridges.change(name, pay_id, ProcessState.PROCESS_ERROR)
            text = "the payment software gave no receipt"
            raise Problem(ErrorCode.UNKNOWN_ERROR, text, element="PayReceipt")
        code = state.completion_code or CompletionCode.UNSPECIFIED
        try:
            closed = yield from self.bridges.change(
                name, pay_id, where, code if where is ProcessState.FAILED else None
            )
            where = closed.process_state
        except Failed as failed:  # how it ended is known: what fails now is ours alone (step 7)
            log.warning("payment %s is over, but its software says: %s", pay_id, failed)
        known["state"] = where
        known["end"] = draft.msg_id
        if where is ProcessState.FAILED and cancelled(code):
            text = state.status_desc or "the payment was cancelled"
            cancel = draft.cancel(StatusType.PAYMENT, code, known["ref"], text)
            return Reply((cancel,), stage="cancelled")
        if where is ProcessState.PROCESS_ERROR:
            raise Problem(ErrorCode.UNKNOWN_ERROR, state.status_desc or "the payment failed")
        blocks: tuple[Block, ...] = (self._response(known, state, contents, draft),)
        if where is ProcessState.COMPLETED_OK and goods.REFERENCE in known["goods"]:
            blocks = (*blocks, self._handed_out(known, draft))
        everything = all(one["state"] in FINAL for one in deal.data["payments"].values())
        return Reply(blocks, stage="done" if everything else "paying")

    def _response(
        self,
        known: Mapping[str, Any],
        state: InquireProcessStateResponse,
        contents: tuple[Content, ...],
        draft: Draft,
    ) -> PayRespBlk:
        block = draft.new_id()
        failed = known["state"] == ProcessState.FAILED
        status = draft.status(
            StatusType.PAYMENT,
            ProcessState(known["state"]),
            ref=known["ref"],
            code=_outright(state.completion_code) if failed else None,
            reference=known["id"],
            text=state.status_desc,
        )
        receipt = None
        if not failed:
            receipt = PayReceipt(
                id=draft.new_id(),
                payment_ref=known["ref"],
                pay_receipt_name_refs=state.pay_receipt_name_refs,
                contents=state.packaged_content,
            )
        data = _data(draft, known, contents) if contents else None
        return PayRespBlk(id=block, status=status, pay_receipt=receipt, pay_scheme_data=data)

    def _handed_out(self, known: dict[str, Any], draft: Draft) -> DeliveryRespBlk:
        """Deliver with the payment's answer (9.1.5): what it is, and of which delivery, stays."""
        now = self.clock.now()
        if "handover" not in known:
            named = known["goods"]
            made = Handover(named.get(goods.ITEM, ""), named[goods.REFERENCE], known["id"], now)
            known["handover"] = made.written()
        handover = goods.read(known["handover"])
        return handover.response(self.settings.goods.get(handover.item), draft, now)

    # The end from outside, and inquiries

    def told(self, deal: Deal, block: CancelBlk | ErrorBlk) -> Flow[Reply]:
        """Take note that the Consumer cancelled or found an error (figure 8)."""
        cancel = isinstance(block, CancelBlk)
        if isinstance(block, ErrorBlk) and worst_of(block) is not Severity.HARD_ERROR:
            return Reply()
        for known in deal.data.get("payments", {}).values():
            if known["state"] in FINAL:
                continue
            wanted = ProcessState.FAILED if cancel else ProcessState.PROCESS_ERROR
            code = CompletionCode.CONS_CANCELLED if cancel else None
            try:
                if isinstance(block, ErrorBlk) and block.pay_scheme_data:
                    scheme = block.pay_scheme_data[0].contents
                    call = ContinueProcess(pay_id=known["id"], pay_scheme_packaged_content=scheme)
                    yield from self.bridges.call(known["bridge"], call)
                done = yield from self.bridges.change(known["bridge"], known["id"], wanted, code)
            except Failed:
                known["state"] = wanted
            else:
                known["state"] = done.process_state
        states = [known["state"] for known in deal.data.get("payments", {}).values()]
        if ProcessState.COMPLETED_OK in states:
            if not cancel:
                return Reply()
            text = "too late to cancel: the payment is completed"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, element="CancelBlk", ref=block.id)
        return Reply(stage="cancelled" if cancel else "failed")

    def inquired(self, deal: Deal, block: InquiryReqBlk, draft: Draft) -> Flow[InquiryRespBlk]:
        if block.inquiry_type.type == InquiryKind.DELIVERY:
            return self._inquired_delivery(deal, block, draft)
        if block.inquiry_type.type != InquiryKind.PAYMENT:
            text = "a payment handler is asked about payments"
            raise Problem(ErrorCode.ATT_VAL_NOT_RECOG, text, element="InquiryType",
                          attribute="Type", value=block.inquiry_type.type)  # fmt: skip
        answer_id = draft.new_id()
        if not deal.data.get("payments"):  # it was refused before it began
            ref = block.inquiry_type.el_ref
            status = draft.status(StatusType.PAYMENT, ProcessState.PROCESS_ERROR, ref=ref)
            return InquiryRespBlk(id=answer_id, status=status)
        known = self._inquired_payment(deal, block)
        sent = block.pay_scheme_data.contents if block.pay_scheme_data is not None else ()
        call = InquirePaymentStatus(
            payment_handler_pay_id=known["id"], pay_scheme_packaged_content=sent
        )
        try:
            state = yield from self.bridges.call(known["bridge"], call)
        except Failed as failed:
            if failed.error.error_code not in GONE:
                raise
            wrong = known["state"] == ProcessState.PROCESS_ERROR
            status = draft.status(
                StatusType.PAYMENT,
                ProcessState.PROCESS_ERROR if wrong else ProcessState.NOT_YET_STARTED,
                ref=known["ref"],
                reference=known["id"],
            )
            return InquiryRespBlk(id=answer_id, status=status)
        where = outside(state.process_state)
        status = draft.status(
            StatusType.PAYMENT,
            where,
            ref=known["ref"],
            code=state.completion_code or CompletionCode.UNSPECIFIED,
            reference=known["id"],
            text=state.status_desc,
        )
        data = None
        if state.pay_scheme_packaged_content:
            data = _data(draft, known, state.pay_scheme_packaged_content, ref=False)
        return InquiryRespBlk(
            id=answer_id, status=status, pay_scheme_data=data,
            last_received_iotp_msg_ref=last_received(deal),
            last_sent_iotp_msg_ref=known.get("said"),
        )  # fmt: skip

    def _inquired_delivery(self, deal: Deal, block: InquiryReqBlk, draft: Draft) -> InquiryRespBlk:
        for known in deal.data.get("payments", {}).values():
            if "handover" in known:
                handover = goods.read(known["handover"])
                own = self.settings.goods.get(handover.item)
                last = (last_received(deal), known["end"])
                return handover.inquired(own, draft, self.clock.now(), last)
        text = "nothing was delivered"
        raise Problem(ErrorCode.ATT_VAL_ILLEGAL, text, element="InquiryType",
                      attribute="ElRef", value=block.inquiry_type.el_ref or "")  # fmt: skip

    def _inquired_payment(self, deal: Deal, block: InquiryReqBlk) -> dict[str, Any]:
        payments: dict[str, Any] = deal.data.get("payments", {})
        asked = block.inquiry_type.process_reference
        for known in payments.values():
            if asked and known["id"] == asked:
                return known  # type: ignore[no-any-return]
        if asked:
            raise _unknown(asked)
        ref = block.inquiry_type.el_ref or deal.data.get("current", "")
        if ref not in payments:
            text = "there is no such payment"
            raise Problem(ErrorCode.ATT_VAL_ILLEGAL, text, element="InquiryType",
                          attribute="ElRef", value=ref)  # fmt: skip
        return payments[ref]  # type: ignore[no-any-return]

    # Checks

    def _named(self, deal: Deal, data: PaySchemeData) -> dict[str, Any]:
        """Find the payment that scheme data is about. Raises Problem naming what is unknown."""
        payments: dict[str, Any] = deal.data.get("payments", {})
        ref = data.payment_ref or deal.data.get("current", "")
        known = payments.get(ref)
        if known is None:
            text = "there is no such payment here; send the Payment Request again"
            raise Problem(ErrorCode.ATT_VAL_ILLEGAL, text, element="PaySchemeData",
                          attribute="PaymentRef", value=ref)  # fmt: skip
        if data.payment_handler_pay_id != known["id"]:
            raise _unknown(data.payment_handler_pay_id or "")
        return known  # type: ignore[no-any-return]

    def _bridge(self, picked: Picked) -> str:
        protocol = picked.protocol.protocol_id
        name = self.settings.protocols.get(protocol)
        if name is None:
            text = f"the protocol {protocol} is not handled here"
            raise Problem(ErrorCode.ATT_VAL_NOT_RECOG, text, element="PayProtocol",
                          attribute="ProtocolId", value=protocol)  # fmt: skip
        return name

    def _check_orgs(self, block: PayReqBlk, picked: Picked) -> None:
        """Check that we are asked, on behalf of a Merchant we work for (12.6)."""
        merchant = _one_org(block.orgs, Role.MERCHANT)
        handler = next(
            (org for org in block.orgs if org.id == picked.protocol.action_org_ref), None
        )
        ours = self.settings.party.org_id.lower()
        if handler is None or not handler.plays(Role.PAYMENT_HANDLER) or (
            handler.org_id.lower() != ours
        ):  # fmt: skip
            text = f"this payment is for another payment handler, not for {ours}"
            ref = picked.protocol.action_org_ref
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="PayProtocol",
                          attribute="ActionOrgRef", value=ref)  # fmt: skip
        known = {name.lower() for name in self.settings.merchants}
        if known and merchant.org_id.lower() not in known:
            text = "there is no agreement with this merchant"
            raise Problem(ErrorCode.ATT_VAL_NOT_RECOG, text, element="Org", ref=merchant.id,
                          attribute="OrgId", value=merchant.org_id)  # fmt: skip

    def _verified(self, message: IotpMessage, block: PayReqBlk) -> tuple[Verified, ...]:
        """Hold a request to the offer its Merchant signed (12.6). Raises Problem."""
        us, verifier = self.settings.party.org_id, self.settings.verifier
        if block.payment.signed_pay_receipt and self.settings.seal is None:
            text = "receipts are not signed here"
            raise Problem(ErrorCode.ATT_NOT_SUPP, text, element="Payment", ref=block.payment.id,
                          attribute="SignedPayReceipt", value="True")  # fmt: skip
        if verifier is None:
            return ()
        return sealing.request(message, block, us, verifier)

    def _check_before(self, deal: Deal, block: PayReqBlk, paid: frozenset[str]) -> None:
        """Check that what the payment depends on is done: here, or by another's signed receipt."""
        for status in block.statuses:
            if status.process_state is not ProcessState.COMPLETED_OK:
                text = f"the step before is {status.process_state}"
                raise Problem(ErrorCode.ATT_VAL_ILLEGAL, text, element="Status", ref=status.id,
                              attribute="ProcessState", value=status.process_state)  # fmt: skip
        payments = deal.data["payments"]
        for ref in block.payment.start_after_refs:
            own = payments.get(ref)
            done = ref in paid if own is None else own["state"] == ProcessState.COMPLETED_OK
            if not done:
                text = "nothing proves that the payment that comes first is completed"
                name = block.payment.id
                raise Problem(ErrorCode.EL_INCONSISTENT, text, element="Payment", ref=name,
                              attribute="StartAfterRefs", value=ref)  # fmt: skip

    def _check_time(self, block: PayReqBlk) -> None:
        now, payment = self.clock.now(), block.payment
        if now < payment.ok_from:
            raise Problem(ErrorCode.VALUE_TOO_SMALL, "not good yet", element="Payment",
                          ref=payment.id, attribute="OkFrom")  # fmt: skip
        if now > payment.ok_to:
            raise Problem(ErrorCode.VALUE_TOO_LARGE, "the offer has expired", element="Payment",
                          ref=payment.id, attribute="OkTo")  # fmt: skip


def role_data(found: Sequence[Any]) -> tuple[Content, ...]:
    """Give the trading role data that is meant for payment bridges (IX-069)."""
    return tuple([
        content
        for one in found
        for content in one.contents
        if (content.name or "").startswith(ROLE_DATA_PREFIX)
    ])  # fmt: skip


def _outright(code: str | None) -> str:
    """Give a completion code as a response may say it: time-outs are told in inquiries only."""
    return CompletionCode.UNSPECIFIED if code is None or code in TIMED_OUT else code


def _working() -> Problem:
    text = "the payment is being worked on"
    transient = Severity.TRANSIENT_ERROR
    return Problem(ErrorCode.MSG_BEING_PROC, text, severity=transient, retry_s=1)


def _unknown(pay_id: str) -> Problem:
    return Problem(
        ErrorCode.ATT_VAL_ILLEGAL,
        "no payment has this name here; send the Payment Request again",
        element="PaySchemeData",
        attribute="PaymentHandlerPayId",
        value=pay_id,
    )


def _theirs(block: PayReqBlk) -> str | None:
    """Give the Consumer's own name of the payment."""
    return block.pay_scheme_data.consumer_payment_id if block.pay_scheme_data is not None else None


def _inside(found: Any) -> tuple[Content, ...]:
    return found.contents if found is not None else ()


def _data(
    draft: Draft, known: Mapping[str, Any], contents: tuple[Content, ...], *, ref: bool = True
) -> PaySchemeData:
    return PaySchemeData(
        id=draft.new_id(),
        payment_ref=known["ref"] if ref else None,
        consumer_payment_id=known["consumer"],
        payment_handler_pay_id=known["id"],
        contents=contents or (Content(name="None"),),
    )


def _one_org(orgs: Sequence[Org], role: Role) -> Org:
    found = [org for org in orgs if org.plays(role)]
    if len(found) != 1:
        text = f"exactly one {role} is expected, not {len(found)}"
        raise Problem(ErrorCode.EL_INCONSISTENT, text, element="Org")
    return found[0]
