"""What a Merchant says of a delivery in its options and its offer (RFC 2801, 7.13)."""

from dataclasses import replace

from tollbridge.faces.iotp.message.blocks import TpoBlk
from tollbridge.faces.iotp.message.components import (
    Delivery,
    DeliveryData,
    Org,
    PersonName,
    PostalAddress,
    TradingRole,
)
from tollbridge.faces.iotp.message.words import PREFIXES, Role
from tollbridge.faces.iotp.roles.draft import LANG, Draft
from tollbridge.faces.iotp.roles.goods import Goods
from tollbridge.faces.iotp.roles.settings import Address, PartySettings
from tollbridge.ground.clock import Instant


def organisations(
    goods: Goods,
    orgs: tuple[Org, ...],
    deliverer: PartySettings | None,
    to: Address | None,
    draft: Draft,
) -> tuple[Org, ...]:
    """Add who delivers, and to whom, to those who trade: the Consumer gets what it buys.

    What comes with a payment's answer is delivered by whoever handles the payment.
    """
    found: list[Org] = []
    for org in orgs:
        if org.plays(Role.CONSUMER):
            found.append(_addressed(org, to, draft))
        elif org.plays(Role.PAYMENT_HANDLER) and goods.at_once:
            own = org.trading_roles[0]
            more = replace(own, id=draft.new_id(), trading_role=Role.DELIVERY_HANDLER)
            found.append(replace(org, trading_roles=(own, more)))
        else:
            found.append(org)
    if not goods.at_once:
        assert deliverer is not None, "such items are not for sale"
        role = deliverer.trading_role(draft.new_id(), Role.DELIVERY_HANDLER,
                                      PREFIXES[Role.DELIVERY_HANDLER])  # fmt: skip
        found.append(deliverer.with_role(draft.new_id(), role))
    return tuple(found)


def component(
    goods: Goods, tpo: TpoBlk, handler: str, deliverer: PartySettings | None, draft: Draft,
    between: tuple[Instant, Instant],
) -> Delivery:  # fmt: skip
    """Make the Delivery component; `handler` is the id of the Payment Handler's Org."""
    to = next(org for org in tpo.orgs if org.plays(Role.DELIVER_TO))
    by = handler
    plain = secure = None
    if not goods.at_once:
        assert deliverer is not None, "such items are not for sale"
        by = next(org.id for org in tpo.orgs if org.plays(Role.DELIVERY_HANDLER))
        plain, secure = deliverer.locations
    name = draft.new_id()
    data = DeliveryData(
        ok_from=between[0],
        ok_to=between[1],
        deliv_method=goods.method,
        deliv_to_ref=to.id,
        deliv_req_net_locn=plain,
        sec_deliv_req_net_locn=secure,
    )
    return Delivery(
        id=name,
        lang=LANG,
        deliv_exch=True,
        deliv_and_pay_resp=goods.at_once,
        action_org_ref=by,
        data=data,
    )


def _addressed(org: Org, to: Address | None, draft: Draft) -> Org:
    role = TradingRole(
        id=draft.new_id(),
        trading_role=Role.DELIVER_TO,
        iotp_msg_id_prefix=PREFIXES[Role.DELIVER_TO],
    )
    named = replace(org, trading_roles=(*org.trading_roles, role))
    if to is None:
        return named
    place = PostalAddress(
        address_line_1=to.street, city_or_town=to.city, postal_code=to.code or None,
        country=to.country, legal_location=False,
    )  # fmt: skip
    return replace(named, person_name=PersonName(family_name=to.name), postal_address=place)
