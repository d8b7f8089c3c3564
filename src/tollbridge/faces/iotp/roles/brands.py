"""Compiling Brand Lists: what bridges accept becomes what may be chosen from (2.2, figure 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tollbridge.faces.iotp.api.calls import (
    FindAcceptedPaymentBrand,
    FindAcceptedPaymentProtocol,
)
from tollbridge.faces.iotp.api.elements import BrandItem, PaymentHandlerOrg, ProtocolItem
from tollbridge.faces.iotp.api.words import ErrorCode, PayDirection
from tollbridge.faces.iotp.message.components import (
    Brand,
    BrandList,
    CurrencyAmount,
    Org,
    PayProtocol,
    PostalAddress,
    ProtocolAmount,
    ProtocolBrand,
    TradingRole,
)
from tollbridge.faces.iotp.message.words import PREFIXES, Role
from tollbridge.faces.iotp.roles.calls import Bridges
from tollbridge.faces.iotp.roles.draft import LANG, Draft
from tollbridge.faces.iotp.roles.problems import Failed, Problem
from tollbridge.faces.iotp.roles.settings import Leg, MerchantSettings
from tollbridge.ground.flow import Flow

NOT_TAKEN = frozenset({ErrorCode.ATT_VAL_ILLEGAL, ErrorCode.REQ_NOT_SUPP})
LOGO = "http://logos.invalid/"


@dataclass(frozen=True, slots=True)
class Offered:
    """One brand by one protocol, as one bridge offers it."""

    bridge: str
    brand: BrandItem
    protocol: ProtocolItem


def offered(
    bridges: Bridges, settings: MerchantSettings, leg: Leg, pay_id: str
) -> Flow[list[Offered]]:
    """Ask every bridge what it accepts for a payment. Raises Failed for what is not solved."""
    found: list[Offered] = []
    wanted: dict[str, Any] = {
        "pay_direction": leg.direction,
        "curr_code": leg.currency,
        "amount": leg.amount,
        "merchant_pay_id": pay_id,
        "merchant_org_id": settings.party.org_id,
    }
    for name in settings.bridges or tuple(bridges):
        if settings.skip_brands and not leg.discounted:  # one call asks about one amount
            found += yield from _at_once(bridges, name, wanted, leg)
            continue
        accepted = yield from bridges.call(name, FindAcceptedPaymentBrand(**wanted))
        for brand in accepted.brand_items:
            if leg.brands and brand.brand_id not in leg.brands:
                continue
            call = FindAcceptedPaymentProtocol(
                brand_id=brand.brand_id,
                brand_packaged_content=brand.brand_packaged_content,
                **wanted | {"amount": leg.discounted.get(brand.brand_id, leg.amount)},
            )
            items = (yield from bridges.call(name, call)).protocol_items
            found += [Offered(name, brand, item) for item in items if _wants(leg, item)]
    return _preferred(found, leg)


def _at_once(bridges: Bridges, name: str, wanted: dict[str, Any], leg: Leg) -> Flow[list[Offered]]:
    """Ask for protocols without naming a brand: the bridge gives both (2.2, step 4)."""
    try:
        answer = yield from bridges.call(name, FindAcceptedPaymentProtocol(**wanted))
    except Failed as failed:
        if failed.error.error_code in NOT_TAKEN:
            return []
        raise
    brands = {brand.brand_id: brand for brand in answer.brand_items}
    return [
        Offered(name, brands[named.brand_id], item)
        for item in answer.protocol_items
        for named in item.brands
        if named.brand_id in brands and (not leg.brands or named.brand_id in leg.brands)
        if _wants(leg, item)
    ]


def _wants(leg: Leg, item: ProtocolItem) -> bool:
    return not leg.protocols or item.protocol_id in leg.protocols


def _preferred(found: list[Offered], leg: Leg) -> list[Offered]:
    if leg.direction is PayDirection.CREDIT:  # a list of credits holds exactly one brand (IX-186)
        order = leg.brands or tuple(one.brand.brand_id for one in found)
        first = next((name for name in order for one in found if one.brand.brand_id == name), None)
        return [one for one in found if one.brand.brand_id == first]
    return found


@dataclass
class Compiled:
    """A Brand List, the Payment Handlers it names, and which bridge offered which way."""

    brands: BrandList
    handlers: tuple[Org, ...]
    bridges: dict[str, str]
    """By the ids of ProtocolAmounts."""


class Compiler:
    """Puts Brand Lists together and shares what is equal and of the same bridge (D-07)."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._handlers: dict[str, Org] = {}
        self._prefixes = 0

    @property
    def handlers(self) -> tuple[Org, ...]:
        """The Payment Handlers of all lists."""
        return tuple(self._handlers.values())

    def compile(self, found: Sequence[Offered], leg: Leg) -> Compiled:
        """Make a list of what was offered. Raises Problem when that is nothing."""
        if not found:
            text = f"nothing takes {leg.amount} {leg.currency} here"
            raise Problem(ErrorCode.UNKNOWN_ERROR, text, element="BrandList")
        draft = self._draft
        list_id = draft.new_id()
        protocols: dict[Any, PayProtocol] = {}
        amounts: dict[Any, CurrencyAmount] = {}
        ways: dict[Any, ProtocolAmount] = {}
        brands: dict[Any, Brand] = {}
        bridges: dict[str, str] = {}
        for one in found:
            protocol = self._protocol(protocols, one)
            shared = []
            for money in one.protocol.currency_amounts:
                key = (one.bridge, money)
                if key not in amounts:
                    amounts[key] = CurrencyAmount(
                        id=draft.new_id(),
                        amount=money.amount if money.amount is not None else leg.amount,
                        curr_code_type=money.curr_code_type,
                        curr_code=money.curr_code or leg.currency,
                    )
                shared.append(amounts[key].id)
            contents = one.protocol.protocol_amount_packaged_content
            way = (one.bridge, protocol.id, tuple(shared), contents)
            if way not in ways:
                ways[way] = ProtocolAmount(
                    id=draft.new_id(),
                    pay_protocol_ref=protocol.id,
                    currency_amount_refs=tuple(shared),
                    contents=contents,
                )
                bridges[ways[way].id] = one.bridge
            self._brand(brands, one, ways[way])
        made = BrandList(
            id=list_id,
            lang=LANG,
            short_desc=leg.what,
            pay_direction=leg.direction,
            brands=tuple(brands.values()),
            protocol_amounts=tuple(ways.values()),
            currency_amounts=tuple(amounts.values()),
            pay_protocols=tuple(protocols.values()),
        )
        return Compiled(made, self.handlers, bridges)

    def _protocol(self, made: dict[Any, PayProtocol], one: Offered) -> PayProtocol:
        item = one.protocol
        handler = self._handler(item.payment_handler_org, item)
        key = (one.bridge, item.protocol_id, item.pay_req_net_locn, item.sec_pay_req_net_locn,
               item.pay_protocol_packaged_content, handler.id)  # fmt: skip
        if key not in made:
            made[key] = PayProtocol(
                id=self._draft.new_id(),
                lang=item.lang,
                protocol_id=item.protocol_id,
                protocol_name=item.protocol_name,
                action_org_ref=handler.id,
                pay_req_net_locn=item.pay_req_net_locn,
                sec_pay_req_net_locn=item.sec_pay_req_net_locn,
                contents=item.pay_protocol_packaged_content,
            )
        return made[key]

    def _brand(self, made: dict[Any, Brand], one: Offered, way: ProtocolAmount) -> None:
        item = one.brand
        own = tuple([
            ProtocolBrand(
                protocol_id=each.protocol_id,
                protocol_brand_id=each.protocol_brand_id,
                contents=each.protocol_brand_packaged_content,
            )
            for each in one.protocol.protocol_brands
        ])  # fmt: skip
        if not own and one.protocol.protocol_brand_id is not None:
            name = one.protocol.protocol_brand_id
            own = (ProtocolBrand(protocol_id=one.protocol.protocol_id, protocol_brand_id=name),)
        before = made.get(item)
        if before is None:
            made[item] = Brand(
                id=self._draft.new_id(),
                lang=item.lang,
                brand_id=item.brand_id,
                brand_name=item.brand_name,
                brand_logo_net_locn=item.brand_logo_net_locn,
                brand_narrative=item.brand_narrative,
                protocol_amount_refs=(way.id,),
                protocol_brands=own,
                contents=item.brand_packaged_content,
            )
        else:
            new = tuple([each for each in own if each not in before.protocol_brands])
            made[item] = replace(
                before,
                protocol_amount_refs=(*before.protocol_amount_refs, way.id),
                protocol_brands=(*before.protocol_brands, *new),
            )

    def _handler(self, org: PaymentHandlerOrg | None, item: ProtocolItem) -> Org:
        if org is None:
            text = f"{item.protocol_id}: the payment software does not say who handles it"
            raise Problem(ErrorCode.UNKNOWN_ERROR, text, element="PayProtocol")
        if org.org_id not in self._handlers:
            prefix = ("P", "R", "S", "T")[min(len(self._handlers), 3)]
            role = TradingRole(
                id=self._draft.new_id(),
                trading_role=Role.PAYMENT_HANDLER,
                iotp_msg_id_prefix=prefix if self._handlers else PREFIXES[Role.PAYMENT_HANDLER],
                cancel_net_locn=org.cancel_net_locn or item.pay_req_net_locn,
                error_net_locn=org.error_net_locn or item.pay_req_net_locn,
                error_log_net_locn=org.error_log_net_locn or item.pay_req_net_locn,
            )
            self._handlers[org.org_id] = Org(
                id=self._draft.new_id(),
                lang=org.lang or LANG,
                org_id=org.org_id,
                legal_name=org.legal_name or org.org_id,
                short_desc=org.short_desc,
                logo_net_locn=org.logo_net_locn,
                trading_roles=(role,),
                postal_address=PostalAddress(legal_location=True),
            )
        return self._handlers[org.org_id]
