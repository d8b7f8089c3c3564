"""Asking the other side where a step stands, and what is known here (2.5, figure 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.iotp.api.calls import (
    ChangeProcessStateResponse,
    ContinueProcess,
    StartPaymentInquiry,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, ProcessType
from tollbridge.faces.iotp.message.blocks import InquiryReqBlk, InquiryRespBlk, TpoBlk
from tollbridge.faces.iotp.message.components import InquiryType, Org, PaySchemeData, TransId
from tollbridge.faces.iotp.message.signing import SignatureKind
from tollbridge.faces.iotp.message.words import InquiryKind, Role, TransactionType
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.core import Core, PeerError
from tollbridge.faces.iotp.roles.draft import Draft
from tollbridge.faces.iotp.roles.person import Way
from tollbridge.faces.iotp.roles.problems import Failed, Problem, Unusable
from tollbridge.faces.iotp.roles.sealing import Proof
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.flow import Flow


@dataclass(frozen=True, slots=True)
class Between:
    """Who is asked, and by whom (the Consumer's OrgId); `signs`: it promised signatures."""

    other: Org
    us: str
    signs: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the other side says of a transaction, and what the payment software makes of it."""

    name: str
    remote: ProcessState
    code: str | None
    text: str
    local: ChangeProcessStateResponse | None


def payment(
    core: Core, deal: Deal, known: Mapping[str, Any], url: str, between: Between
) -> Flow[Told]:
    """Ask a Payment Handler about a payment that was begun (2.5). Raises Unusable."""
    draft, trans = _begun(deal)
    name, pay_id = known["bridge"], known["id"]
    contents = yield from _prepared(core, name, pay_id)
    block = draft.new_id()
    asked = InquiryType(
        id=draft.new_id(),
        type=InquiryKind.PAYMENT,
        el_ref=known["ref"],
        process_reference=known["handler"],
    )
    data = None
    if contents:
        data = PaySchemeData(
            id=draft.new_id(),
            consumer_payment_id=pay_id,
            payment_handler_pay_id=known["handler"],
            contents=contents,
        )
    made = InquiryReqBlk(id=block, inquiry_type=asked, pay_scheme_data=data)
    answer = yield from _asked(core, deal, made, (draft, trans), url, between)
    status = answer.status
    if answer.pay_scheme_data is not None:
        call = ContinueProcess(
            pay_id=pay_id,
            process_type=ProcessType.INQUIRY,
            pay_scheme_packaged_content=answer.pay_scheme_data.contents,
        )
        try:
            yield from core.bridges.call(name, call)
        except Failed as failed:
            yield from core.notice(failed.error.error_desc)
    local = None
    try:
        local = yield from core.bridges.change(
            name, pay_id, status.process_state, status.completion_code, ProcessType.INQUIRY
        )
    except Failed as failed:
        yield from core.notice(failed.error.error_desc)
    if local is not None:
        yield from core.notice(local.status_desc)
    return Told(
        deal.name, status.process_state, status.completion_code, status.status_desc or "", local
    )


def offer(core: Core, deal: Deal, tpo: TpoBlk, url: str, between: Between) -> Flow[Told]:
    """Ask the Merchant about its offer. Raises Unusable."""
    draft, trans = _begun(deal)
    block = draft.new_id()
    asked = InquiryType(id=draft.new_id(), type=InquiryKind.OFFER, el_ref=tpo.id)
    made = InquiryReqBlk(id=block, inquiry_type=asked)
    status = (yield from _asked(core, deal, made, (draft, trans), url, between)).status
    return Told(
        deal.name, status.process_state, status.completion_code, status.status_desc or "", None
    )


def delivery(
    core: Core, deal: Deal, named: tuple[str, str | None], url: str, between: Between
) -> Flow[Told]:
    """Ask who delivers how far it is; `named` are the ids of the component and of the delivery.

    Raises Unusable.
    """
    draft, trans = _begun(deal)
    block = draft.new_id()
    asked = InquiryType(
        id=draft.new_id(),
        type=InquiryKind.DELIVERY,
        el_ref=named[0],
        process_reference=named[1],
    )
    made = InquiryReqBlk(id=block, inquiry_type=asked)
    status = (yield from _asked(core, deal, made, (draft, trans), url, between)).status
    return Told(
        deal.name, status.process_state, status.completion_code, status.status_desc or "", None
    )


def _begun(deal: Deal) -> tuple[Draft, TransId]:
    """Begin an inquiry: the transaction's name and time, a message id that nobody saw (11.3)."""
    deal.data["inquiries"] += 1
    draft = Draft(f"I{deal.data['inquiries']}")
    trans = TransId(
        id=draft.new_id(),
        iotp_trans_id=deal.name,
        iotp_trans_type=TransactionType.INQUIRY,
        time=deal.trans.time,
    )
    return draft, trans


def _prepared(core: Core, name: str, pay_id: str) -> Flow[tuple[Content, ...]]:
    """Get what the payment software has to say; without it the person may go on (2.5, step 1)."""
    while True:
        try:
            call = StartPaymentInquiry(consumer_pay_id=pay_id)
            return (yield from core.bridges.call(name, call)).pay_scheme_packaged_content
        except Failed as failed:
            if failed.error.error_code is ErrorCode.REQ_NOT_SUPP:
                return ()
            text = failed.error.error_desc
        way = yield from core.decide(text, Way.RETRY, Way.GO_ON, Way.CANCEL)
        if way is Way.GO_ON:
            return ()


def _asked(
    core: Core,
    deal: Deal,
    block: InquiryReqBlk,
    begun: tuple[Draft, TransId],
    url: str,
    between: Between,
) -> Flow[InquiryRespBlk]:
    draft, trans = begun
    other = "Merchant" if between.other.plays(Role.MERCHANT) else between.other.org_id
    number = core.send(deal, draft, (block,), to=other, answers=None, trans=trans)
    yield from store.keep(deal)
    try:
        message = yield from core.ask(deal, number, url)
    except PeerError as error:
        raise Unusable(f"the other side: {error}") from None
    yield from store.keep(deal)
    answer = message.block(InquiryRespBlk)
    if answer is None:
        raise Unusable("the other side does not answer the inquiry")
    try:
        judged = yield from core.judge(
            deal,
            message,
            SignatureKind.INQUIRY_RESPONSE,
            by=between.other,
            us=between.us,
            must=(answer.id, answer.status.id),
        )
    except Problem as problem:
        yield from core.complain(deal, problem, message.msg_id, url)
        raise Unusable(problem.text, problem) from None
    if between.signs and judged.proof is Proof.NONE:
        yield from core.notice("nobody signed the answer to the inquiry")
    return answer
