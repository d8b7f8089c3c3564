"""Who is at an address: where the log of its errors is, and its pages for ends (RFC 2935, 2.3)."""

from tollbridge.faces.iotp.message.blocks import TpoBlk
from tollbridge.faces.iotp.message.components import TradingRole
from tollbridge.faces.iotp.message.http import is_address
from tollbridge.faces.iotp.message.words import Role


def role_at(tpo: TpoBlk, url: str) -> TradingRole | None:
    """Find the role that messages to an address are for: a Payment Handler's, or the Merchant's."""
    wanted, handlers = Role.MERCHANT, set[str]()
    for brands in tpo.brand_lists:
        for one in brands.pay_protocols:
            if url in {one.pay_req_net_locn, one.sec_pay_req_net_locn}:
                wanted = Role.PAYMENT_HANDLER
                handlers.add(one.action_org_ref)
    for org in tpo.orgs:
        for role in org.trading_roles:
            if role.trading_role == wanted and (not handlers or org.id in handlers):
                return role
    return None


def error_log(role: TradingRole | None) -> str:
    """Say where a copy of an Error Block goes (RFC 2801, 7.21); "" for nowhere."""
    found = role.error_log_net_locn if role is not None else None
    return found if found is not None and is_address(found) else ""
