"""May this payment, this delivery be done? What their handlers check first (RFC 2801, 6).

The message was read, is valid, and `rules.faults` found nothing hard. Signatures are verified by
`signing`; `not_covered` says what they leave out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message.codec import ROOT
from tollbridge.faces.iotp.message.faults import Fault, Unreadable
from tollbridge.faces.iotp.message.shape import Named
from tollbridge.faces.iotp.message.signing import SignatureKind, Verified
from tollbridge.faces.iotp.message.words import Role
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.money import Money

N = TypeVar("N", bound=Named)
_PAY = f"/{ROOT}/PayReqBlk"
_DELIVER = f"/{ROOT}/DeliveryReqBlk"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a payment request asks for: each part that its references lead to (6.3)."""

    payment: c.Payment
    brand_list: c.BrandList
    brand: c.Brand
    protocol_amount: c.ProtocolAmount
    pay_protocol: c.PayProtocol
    currency_amount: c.CurrencyAmount
    handler: c.Org
    merchant: c.Org

    @property
    def protocol_brand(self) -> c.ProtocolBrand | None:
        """The protocol's own code for the brand."""
        wanted = self.pay_protocol.protocol_id
        return next((one for one in self.brand.protocol_brands if one.protocol_id == wanted), None)


def same_org(one: str, other: str) -> bool:
    """Say whether two OrgIds name the same organisation: case does not count (7.6.1)."""
    return one.lower() == other.lower()


def money(amount: c.CurrencyAmount) -> Money:
    """Give an amount as money.

    Raises InvalidMoney where it has more digits than its currency, or is in no currency of ISO
    4217: then only a payment scheme knows what it is worth.
    """
    if amount.curr_code_type != "ISO4217-A":
        raise InvalidMoney(f"{amount.curr_code_type:.20} is not ISO4217-A")
    text = f"{amount.amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return Money.parse(text or "0", amount.curr_code)


def chosen(block: b.PayReqBlk, us: str) -> Chosen:
    """Follow a payment request to what was chosen. Raises Unreadable naming what does not fit.

    `us` is our OrgId: who is to handle the payment must be us.
    """
    lists, selection = block.brand_list, block.brand_selection
    _same(block.payment.brand_list_ref == lists.id, f"{_PAY}/Payment", "BrandListRef")
    _same(selection.brand_list_ref == lists.id, f"{_PAY}/BrandSelection", "BrandListRef")
    brand = _one(lists.brands, selection.brand_ref, "BrandSelection", "BrandRef")
    amount = _one(
        lists.protocol_amounts, selection.protocol_amount_ref, "BrandSelection", "ProtocolAmountRef"
    )
    protocol = _one(
        lists.pay_protocols, amount.pay_protocol_ref, "BrandList", "PayProtocolRef"
    )  # fmt: skip
    currency = _one(
        lists.currency_amounts, selection.currency_amount_ref, "BrandSelection", "CurrencyAmountRef"
    )
    where = f"{_PAY}/BrandSelection"
    _same(amount.id in brand.protocol_amount_refs, where, "ProtocolAmountRef")
    _same(currency.id in amount.currency_amount_refs, where, "CurrencyAmountRef")
    handler = _handler(block.orgs, protocol.action_org_ref, Role.PAYMENT_HANDLER, us, _PAY)
    merchant = _merchant(block.orgs, _PAY)
    return Chosen(
        block.payment, lists, brand, amount, protocol, currency, handler, merchant
    )  # fmt: skip


def delivered_by(block: b.DeliveryReqBlk, us: str) -> c.Org:
    """Give whom a delivery request names as its handler. Raises Unreadable when it is not us."""
    _merchant(block.orgs, _DELIVER)
    return _handler(
        block.orgs, block.delivery.action_org_ref or "", Role.DELIVERY_HANDLER, us, _DELIVER
    )


def early_or_late(
    part: c.Payment | c.DeliveryData | c.Order, at: Instant, path: str
) -> Fault | None:
    """Say whether it is too early or too late for something."""
    if at < part.ok_from:
        return Fault(ErrorCode.VALUE_TOO_SMALL, path, "too early: OkFrom is not reached",
                     "RFC 2801, 6.3", "OkFrom")  # fmt: skip
    if at > part.ok_to:
        return Fault(ErrorCode.VALUE_TOO_LARGE, path, "too late: OkTo has passed",
                     "RFC 2801, 6.3", "OkTo")  # fmt: skip
    return None


def payment_faults(block: b.PayReqBlk, us: str, at: Instant) -> tuple[Fault, ...]:
    """Say why a payment must not be begun: what was chosen, earlier steps, time."""
    found: list[Fault] = []
    try:
        chosen(block, us)
    except Unreadable as error:
        found += error.faults
    late = early_or_late(block.payment, at, f"{_PAY}/Payment")
    return (*found, *_steps(block.statuses, _PAY), *([late] if late else []))


def delivery_faults(block: b.DeliveryReqBlk, us: str, at: Instant) -> tuple[Fault, ...]:
    """Say why a delivery must not be begun."""
    found: list[Fault] = []
    try:
        delivered_by(block, us)
    except Unreadable as error:
        found += error.faults
    data = block.delivery.data
    late = early_or_late(data, at, f"{_DELIVER}/Delivery/DeliveryData") if data else None
    return (*found, *_steps(block.statuses, _DELIVER), *([late] if late else []))


def not_covered(
    block: b.PayReqBlk | b.DeliveryReqBlk, verified: Iterable[Verified]
) -> tuple[Fault, ...]:
    """Say which components of a request no right signature covers, where one is required (6.3).

    Organisations and what was offered must be covered by the merchant's signature of the offer,
    role data by that of who sent it along. The brand selection need not be: it may come later. The
    offer's status, scheme data and the consumer's own data never are.
    """
    merchants = {one.org_id.lower() for one in block.orgs if one.plays(Role.MERCHANT)}
    by_merchant: set[str] = set()
    by_anyone: set[str] = set()
    for one in verified:
        if one.good:
            by_anyone |= set(one.covered)
            offer = one.kind is SignatureKind.OFFER_RESPONSE
            if offer and one.signer.lower() in merchants:
                by_merchant |= set(one.covered)
    parts: tuple[Named, ...] = (
        (block.brand_list, block.payment)
        if isinstance(block, b.PayReqBlk)
        else (block.order, block.delivery)
    )
    missing = {part.id for part in (*block.orgs, *parts)} - by_merchant
    missing |= {part.id for part in block.trading_role_data} - by_anyone
    path = f"/{ROOT}/{type(block).__name__}"
    return tuple(
        Fault(ErrorCode.EL_INCONSISTENT, path, f"no signature covers {name}", "RFC 2801, 6.3",
              value=name)
        for name in sorted(missing)
    )  # fmt: skip


def _steps(statuses: tuple[c.Status, ...], path: str) -> Iterator[Fault]:
    for one in statuses:
        if one.process_state is not ProcessState.COMPLETED_OK:
            yield Fault(
                ErrorCode.EL_INCONSISTENT, f"{path}/Status",
                f"{one.status_type} is {one.process_state}", "RFC 2801, 6.3", "ProcessState",
            )  # fmt: skip


def _one(parts: tuple[N, ...], name: str, element: str, attribute: str) -> N:
    found = [part for part in parts if part.id == name]
    if len(found) != 1:
        raise Unreadable([
            Fault(ErrorCode.EL_INCONSISTENT, f"{_PAY}/{element}",
                  f"{attribute} leads to {len(found)} elements, not to one", "RFC 2801, 6.3",
                  attribute, name)
        ])  # fmt: skip
    return found[0]


def _same(good: object, path: str, attribute: str) -> None:
    if not good:
        rule = f"{attribute} does not fit the brand list"
        raise Unreadable([Fault(ErrorCode.EL_INCONSISTENT, path, rule, "RFC 2801, 6.3", attribute)])


def _merchant(orgs: tuple[c.Org, ...], path: str) -> c.Org:
    found = [one for one in orgs if one.plays(Role.MERCHANT)]
    if len(found) != 1:
        rule = f"there is one Merchant, not {len(found)}"
        raise Unreadable(
            [Fault(ErrorCode.EL_MISSING, path, rule, "RFC 2801, 6.3", value="Org")]
        )  # fmt: skip
    return found[0]


def _handler(orgs: tuple[c.Org, ...], name: str, role: Role, us: str, path: str) -> c.Org:
    found = [one for one in orgs if one.id == name]
    if len(found) != 1 or not found[0].plays(role):
        rule = f"ActionOrgRef names one {role}"
    elif not same_org(found[0].org_id, us):
        rule = f"ActionOrgRef names another {role}"
    else:
        return found[0]
    raise Unreadable(
        [Fault(ErrorCode.ATT_VAL_ILLEGAL, path, rule, "RFC 2801, 6.3", "ActionOrgRef", name)]
    )
