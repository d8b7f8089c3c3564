"""A Consumer's receipts: held to their signature, checked by the payment software, shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.api.calls import (
    CheckPaymentReceipt,
    ExpandPaymentReceipt,
    ExpandPaymentReceiptResponse,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ProcessState
from tollbridge.faces.iotp.message.blocks import IotpMessage, OfferRespBlk, PayRespBlk, TpoBlk
from tollbridge.faces.iotp.message.components import BrandSelection, Org, Payment, PaySchemeData
from tollbridge.faces.iotp.message.signatures import IotpSignatures
from tollbridge.faces.iotp.message.signing import SignatureKind
from tollbridge.faces.iotp.message.words import Role
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.core import Core
from tollbridge.faces.iotp.roles.person import Receipt
from tollbridge.faces.iotp.roles.problems import Failed
from tollbridge.faces.iotp.roles.sealing import Judged, Proof
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.flow import Flow


@dataclass(frozen=True, slots=True)
class Offer:
    """What was agreed: the options, the offer, and the signatures that came with it."""

    tpo: TpoBlk
    block: OfferRespBlk
    signatures: IotpSignatures | None

    def one(self, role: Role) -> Org:
        """Give the organisation that plays a role of which there is one."""
        return next(org for org in self.tpo.orgs if org.plays(role))

    @property
    def signature_ids(self) -> tuple[str, ...]:
        """The ids of the signatures that came with it."""
        found = self.signatures.signatures if self.signatures is not None else ()
        return tuple([one.id for one in found if one.id])


@dataclass(frozen=True, slots=True)
class Expected:
    """What a Payment Response is the answer to, and of whom it is expected."""

    payment: Payment
    selection: BrandSelection
    handler: Org
    offer: Offer


def judged(
    core: Core, deal: Deal, message: IotpMessage, block: PayRespBlk, expected: Expected
) -> Flow[Judged]:
    """Hold a Payment Response to the signature that its Payment promised (7.9, 7.11).

    Raises Problem when it is wrong, missing, or leaves out what a receipt proves.
    """
    must = [
        block.status.id,
        expected.selection.id,
        *expected.offer.signature_ids,
        *(one.id for one in block.trading_role_data),
    ]
    must += [one.id for one in (block.pay_receipt, block.payment_note) if one is not None]
    paid = block.status.process_state is ProcessState.COMPLETED_OK
    return (
        yield from core.judge(
            deal,
            message,
            SignatureKind.PAYMENT_RESPONSE,
            by=expected.handler,
            us=expected.offer.one(Role.CONSUMER).org_id,
            must=must,
            promised=paid and expected.payment.signed_pay_receipt,
        )
    )


def named(core: Core, deal: Deal, block: PayRespBlk, found: Judged) -> Flow[tuple[Content, ...]]:
    """Gather exactly what a receipt names: of the receipt, of the scheme's data (IX-108).

    Of scheme data a signed receipt names only what its signature covers.
    """
    receipt = block.pay_receipt
    if receipt is None:
        yield from core.notice("there is no receipt")
        return ()
    if not receipt.pay_receipt_name_refs:
        return receipt.contents
    by_name = {one.name: one for one in receipt.contents}
    if not set(receipt.pay_receipt_name_refs) <= set(by_name):
        for data in (yield from _scheme_data(deal, receipt.payment_ref)):
            if found.proof is Proof.NONE or data.id in found.covered:
                by_name = {one.name: one for one in data.contents} | by_name
    missing = [name for name in receipt.pay_receipt_name_refs if name not in by_name]
    if missing:
        yield from core.notice(f"the receipt names {missing[0]}, which is not there")
    return tuple([by_name[name] for name in receipt.pay_receipt_name_refs if name in by_name])


def checked(core: Core, known: Mapping[str, Any], contents: tuple[Content, ...]) -> Flow[bool]:
    """Let the payment software check a receipt."""
    call = CheckPaymentReceipt(pay_id=known["id"], packaged_content=contents)
    try:
        yield from core.bridges.call(known["bridge"], call)
    except Failed as failed:
        yield from core.notice(f"the receipt is not sound: {failed.error.error_desc}")
        return False
    return True


def show(
    core: Core, known: Mapping[str, Any], contents: tuple[Content, ...], signed: str
) -> Flow[None]:
    """Show a receipt to the person, and what its signature is worth."""
    call = ExpandPaymentReceipt(pay_id=known["id"], packaged_content=contents)
    try:
        shown = yield from core.bridges.call(known["bridge"], call)
    except Failed:
        return  # what it cannot show, it cannot
    yield from core.person(Receipt((*lines(shown), ("Signature", signed))))


def lines(shown: ExpandPaymentReceiptResponse) -> Iterator[tuple[str, str]]:
    """Give the lines of an expanded receipt: what it is, and what it says."""
    amount = formats.write_amount(shown.amount) if shown.amount is not None else ""
    issued = formats.write_instant(shown.time_stamp) if shown.time_stamp is not None else ""
    found = [
        ("Brand", shown.brand_id or ""),
        ("Instrument", shown.payment_instrument_id or ""),
        ("Amount", f"{amount} {shown.curr_code or ''}".strip()),
        ("Direction", shown.pay_direction or ""),
        ("Issued", issued),
        ("Protocol", shown.protocol_id or ""),
        ("Reference", shown.protocol_trans_id or ""),
        ("Consumer", shown.consumer_desc or ""),
        ("Payment handler", shown.payment_handler_desc or ""),
    ]
    found += [(one.property_desc, one.property_value) for one in shown.payment_properties]
    return ((name, str(value)) for name, value in found if value)


def _scheme_data(deal: Deal, payment: str) -> Flow[list[PaySchemeData]]:
    """Give all scheme data of a payment, in the order it was put on file."""
    on_file = yield from store.letters(deal.role, deal.name)
    found: list[PaySchemeData] = []
    for letter in (*on_file, *deal.fresh):
        if {"PayReqBlk", "PayExchBlk", "PayRespBlk"} & set(letter.kinds):
            blocks = store.said(letter).blocks
            found += [one for block in blocks
                      if isinstance(one := getattr(block, "pay_scheme_data", None), PaySchemeData)
                      and one.payment_ref == payment]  # fmt: skip
    return found
