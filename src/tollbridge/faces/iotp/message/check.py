"""Explain a trading message in plain words, and list every rule it breaks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tollbridge.faces.iotp.api.words import ProcessState
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message import references, rules, signing
from tollbridge.faces.iotp.message.codec import ROOT, decode, invalid, well_formed
from tollbridge.faces.iotp.message.faults import Fault, Unreadable
from tollbridge.faces.iotp.message.references import NOTHING, Known
from tollbridge.faces.iotp.message.sequence import SHAPES, Progress
from tollbridge.faces.iotp.message.signatures import IotpSignatures
from tollbridge.faces.iotp.message.words import TransactionType
from tollbridge.faces.iotp.report import Report
from tollbridge.ground.clock import Instant, iso
from tollbridge.ground.secret import scrub
from tollbridge.wire.xml import Element

SHOWN_LETTERS = 80


def examine(data: bytes, known: Known = NOTHING) -> Report:
    """Say what a message is, what it says, and what is wrong with it. Raises nothing.

    `known` is what is known of its transaction; without it, references to earlier messages and
    digests of their parts cannot be judged. Signature values need keys and are not verified here.
    Card numbers are masked, contents are not shown.
    """
    return _examined(data, known)[0]


def examine_conversation(messages: Sequence[bytes]) -> tuple[Report, ...]:
    """Examine all messages of one transaction, in their order, from the first one.

    So every reference must lead somewhere, and every message must be one that may come then.
    """
    reports = []
    known = Known(complete=True)
    progress: Progress | None = None
    for data in messages:
        report, message = _examined(data, known)
        if message is not None and message.source is not None:
            progress, found = _followed(progress, message)
            reports.append(_with(report, found))
            known = known.and_of(message.source)
        else:
            reports.append(report)
    return tuple(reports)


def _followed(
    progress: Progress | None, message: b.IotpMessage
) -> tuple[Progress | None, tuple[Fault, ...]]:
    name = message.trans_ref.trans_id.iotp_trans_type
    if progress is None:
        if name not in set(TransactionType):
            return None, ()
        progress = Progress(TransactionType(name))
    found = progress.faults(message)
    if found:
        return progress, found
    try:
        return progress.after(message), ()
    except Unreadable as error:
        return progress, error.faults


def _with(report: Report, found: tuple[Fault, ...]) -> Report:
    if not found:
        return report
    violations = (*report.violations, *(fault.violation for fault in found))
    return Report(report.kind, _summary(report.kind, len(violations)), report.explained, violations)


def _examined(data: bytes, known: Known) -> tuple[Report, b.IotpMessage | None]:
    try:
        root = well_formed(data)
    except Unreadable as error:
        violations = tuple(fault.violation for fault in error.faults)
        return Report("", "This is no XML that is read here.", (), violations), None
    kind = _kind(root)
    found = invalid(root)
    if found:
        if root.name == ROOT:
            found += references.faults(root, known)
        return _report(kind, (), found), None
    message, wrong = decode(root)
    assert message is not None
    found = rules.faults(root, known)
    compared = () if wrong else signing.compare(message, known=known)
    found += tuple(fault for one in compared for fault in one.faults)
    return _report(kind, tuple(_told(message, compared)), found), message


def _report(kind: str, explained: tuple[str, ...], found: Sequence[Fault]) -> Report:
    violations = tuple(dict.fromkeys(fault.violation for fault in found))
    return Report(kind, _summary(kind, len(violations)), explained, violations)


def _summary(kind: str, count: int) -> str:
    name = kind or "No trading message"
    if not count:
        return f"{name}: every rule is kept."
    return f"{name}: {count} {'rule is' if count == 1 else 'rules are'} broken."


def _kind(root: Element) -> str:
    """Name a message by its blocks, valid or not."""
    if root.name != ROOT:
        return ""
    aside = {"TransRefBlk", "IotpSignatures"}
    names = [one.name for one in root.elements if one.name not in aside]
    return " + ".join(names) or ROOT


# In plain words


def _told(message: b.IotpMessage, compared: Sequence[signing.Verified]) -> Iterator[str]:
    head = message.trans_ref
    kind = head.trans_id.iotp_trans_type
    yield f"It belongs to the transaction {_shown(message.trans_id)}, a {_shown(kind)}."
    if kind in set(TransactionType):
        shape = SHAPES[TransactionType(kind)]
        if shape.payments:
            ways = " and ".join(shape.directions)
            count = "one payment" if shape.payments == 1 else f"{shape.payments} payments"
            yield f"Such a transaction has {count}, {ways}."
    answers = f", and answers {head.msg_id.resp_iotp_msg}" if head.msg_id.resp_iotp_msg else ""
    software = _shown(head.msg_id.software_id)
    yield f"It is the message {message.msg_id}{answers}; {software} wrote it."
    for one in head.related_to:
        yield f"It is {_shown(one.relation)} {_shown(one.content.text)}."
    if message.signatures is not None:
        yield from _signatures(message.signatures, compared)
    if message.error is not None:
        for error in message.error.errors:
            yield from _error(error)
    for block in message.blocks:
        first = (type(block).__doc__ or "").partition(" (8.")[0].partition(". ")[0].rstrip(".")
        yield f"{type(block).__name__}: {first}."
        yield from _BLOCKS[type(block)](block)


def _signatures(block: IotpSignatures, compared: Sequence[signing.Verified]) -> Iterator[str]:
    for one, seen in zip(block.signatures, compared, strict=bool(compared)):
        names = {algorithm.name for algorithm in one.manifest.algorithms}
        modern = signing.MODERN_DIGEST in names
        modern = signing.MODERN_DIGEST in names
        old = "" if modern else " It is made as RFC 2802 says, with digests that can be forged."
        yield (
            f"A signature of type {seen.kind or 'unknown'} covers {len(one.manifest.digests)} "
            f"parts: {len(seen.covered)} are here, {len(seen.elsewhere)} elsewhere; its value "
            f"was not verified.{old}"
        )
    if block.certificates:
        yield f"{len(block.certificates)} certificates come along."


def _error(error: c.ErrorComp) -> Iterator[str]:
    where = ", ".join(_place(one) for one in error.locations)
    yield f"{error.severity} {error.error_code} at {where}: {_shown(error.error_desc)}."
    if error.min_retry_secs is not None:
        yield f"The message may come again after {_shown(error.min_retry_secs)} seconds."


def _place(one: c.ErrorLocation) -> str:
    attribute = f"/@{one.att_name}" if one.att_name else ""
    within = one.comp_ref or one.blk_ref or one.iotp_msg_ref
    return f"{one.element_type}{attribute}{f' in {within}' if within else ''}"


def _options(block: b.TpoBlk) -> Iterator[str]:
    yield from map(_org, block.orgs)
    for one in block.brand_lists:
        yield _brands(one)


def _offer(block: b.OfferRespBlk) -> Iterator[str]:
    yield _status(block.status)
    if block.order is not None:
        order = block.order
        span = _span(order.ok_from, order.ok_to)
        yield f"Order {_shown(order.order_identifier)}: {_shown(order.short_desc)}, good {span}."
    yield from map(_payment, block.payments)
    if block.delivery is not None:
        yield _delivery(block.delivery)


def _authentication(block: b.AuthReqBlk) -> Iterator[str]:
    for one in block.auth_reqs:
        yield f"It asks for {one.algorithm.name}, as {_shown(one.authentication_id)}."
    if block.trading_role_info_req is not None:
        yield f"It asks who plays {' '.join(block.trading_role_info_req.trading_role_list)}."


def _request(block: b.PayReqBlk) -> Iterator[str]:
    yield from map(_status, block.statuses)
    yield _brands(block.brand_list)
    yield _selection(block.brand_selection)
    yield _payment(block.payment)


def _answer(block: b.PayRespBlk) -> Iterator[str]:
    yield _status(block.status)
    if block.pay_receipt is not None:
        named = _shown(" ".join(block.pay_receipt.pay_receipt_name_refs)) or "nothing"
        inside = len(block.pay_receipt.contents)
        yield f"The receipt has {inside} contents of its own and names {named}."


def _goods(block: b.DeliveryReqBlk) -> Iterator[str]:
    yield from map(_status, block.statuses)
    yield _delivery(block.delivery)


_BLOCKS: Mapping[type, Callable[[Any], Iterable[str]]] = {
    b.TpoBlk: _options,
    b.TpoSelectionBlk: lambda block: map(_selection, block.brand_selections),
    b.OfferRespBlk: _offer,
    b.AuthReqBlk: _authentication,
    b.AuthRespBlk: lambda block: map(_org, block.orgs),
    b.AuthStatusBlk: lambda block: [_status(block.status)],
    b.PayReqBlk: _request,
    b.PayExchBlk: lambda block: [
        f"It carries {len(block.pay_scheme_data.contents)} contents between payment software."
    ],
    b.PayRespBlk: _answer,
    b.DeliveryReqBlk: _goods,
    b.DeliveryRespBlk: lambda block: [_status(block.status)],
    b.InquiryReqBlk: lambda block: [f"It asks about the {block.inquiry_type.type}."],
    b.InquiryRespBlk: lambda block: [_status(block.status)],
    b.PingReqBlk: lambda block: ["It is signed." if block.orgs else "It is anonymous."],
    b.PingRespBlk: lambda block: [f"The other is {block.ping_status_code}."],
    b.CancelBlk: lambda block: [_status(block.status)],
}


def _org(org: c.Org) -> str:
    roles = ", ".join(one.trading_role for one in org.trading_roles)
    name = f", {_shown(org.legal_name)}," if org.legal_name else ""
    return f"{_shown(org.org_id)}{name} is {roles}."


def _brands(brand_list: c.BrandList) -> str:
    amounts = ", ".join(
        f"{one.amount:f} {_shown(one.curr_code)}" for one in brand_list.currency_amounts
    )
    names = ", ".join(_shown(one.brand_name) for one in brand_list.brands)
    protocols = ", ".join(_shown(one.protocol_id) for one in brand_list.pay_protocols)
    return f"{brand_list.pay_direction}: {amounts} with {names}, by {protocols}."


def _selection(one: c.BrandSelection) -> str:
    return f"Of {one.brand_list_ref} were chosen {one.brand_ref} and {one.currency_amount_ref}."


def _payment(one: c.Payment) -> str:
    signed = "with" if one.signed_pay_receipt else "without"
    after = f", after {' '.join(one.start_after_refs)}" if one.start_after_refs else ""
    return f"Payment {one.id} is good {_span(one.ok_from, one.ok_to)}{after}, {signed} a signature."


def _delivery(one: c.Delivery) -> str:
    if not one.deliv_exch:
        return "Nothing is said about the delivery by messages."
    how = one.data.deliv_method if one.data is not None else "unknown"
    when = "with the payment's answer" if one.deliv_and_pay_resp else "by messages of its own"
    return f"It is delivered by {_shown(how)}, {when}."


def _status(one: c.Status) -> str:
    why = f" ({_shown(one.completion_code)})" if one.completion_code else ""
    said = f": {_shown(one.status_desc)}" if one.status_desc else ""
    good = "" if one.process_state is not ProcessState.COMPLETED_OK else ", as it should"
    return f"{one.status_type} is {one.process_state}{why}{good}{said}."


def _span(begin: Instant, end: Instant) -> str:
    return f"from {iso(begin)} to {iso(end)}"


def _shown(text: str) -> str:
    """Give what may be shown of a text: its beginning, without control letters or card numbers."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return scrub(plain)[:SHOWN_LETTERS]
