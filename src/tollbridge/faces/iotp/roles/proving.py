"""Saying who one is: which ways a Consumer has, which it takes first, which works (2.1, step 2)."""

from collections.abc import Sequence

from tollbridge.faces.iotp.api.calls import Authenticate
from tollbridge.faces.iotp.api.elements import Algorithm, Content
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.message.blocks import IotpMessage, TpoBlk
from tollbridge.faces.iotp.message.components import AuthReq
from tollbridge.faces.iotp.message.words import Role, TransactionType
from tollbridge.faces.iotp.roles import membership
from tollbridge.faces.iotp.roles.core import Core
from tollbridge.faces.iotp.roles.person import Member, NeedMember, Prove
from tollbridge.faces.iotp.roles.problems import Failed, Problem
from tollbridge.ground.flow import Flow

Proved = tuple[AuthReq, tuple[Content, ...]]
WITHOUT = frozenset({TransactionType.INQUIRY, TransactionType.PING})


def allowed(message: IotpMessage) -> None:
    """Check that a transaction of this type may begin with an authentication. Raises Problem."""
    kind = message.trans_ref.trans_id.iotp_trans_type
    if kind in WITHOUT:
        raise Problem(ErrorCode.EL_UNEXPECTED, f"{kind} has no authentication",
                      element="TransId", attribute="IotpTransType", value=kind)  # fmt: skip


def proved(core: Core, asked: Sequence[AuthReq], tpo: TpoBlk) -> Flow[Proved | None]:
    """Try the ways to authenticate until one works; of several the person says which is first."""
    merchant = next((org for org in tpo.orgs if org.plays(Role.MERCHANT)), None)
    payee = (merchant.legal_name or merchant.org_id) if merchant is not None else ""
    ways = list(asked)
    if len(ways) > 1:
        names = tuple(one.algorithm.name for one in ways)
        first: int | None = yield from core.person(Prove(names))
        if first is not None and 0 <= first < len(ways):
            ways.insert(0, ways.pop(first))
    for one in ways:
        if one.algorithm.name == membership.ALGORITHM:
            contents = yield from _as_member(core, one, payee)
        else:
            contents = yield from _by_software(core, one)
        if contents is not None:
            return one, contents
    return None


def _as_member(core: Core, one: AuthReq, payee: str) -> Flow[tuple[Content, ...] | None]:
    member: Member | None = yield from core.person(NeedMember(payee))
    if member is None:
        return None
    return membership.prove(one.authentication_id, one.contents, member.name, member.phrase)


def _by_software(core: Core, one: AuthReq) -> Flow[tuple[Content, ...] | None]:
    """Ask every bridge: each refuses what it does not do."""
    call = Authenticate(
        authentication_id=one.authentication_id,
        algorithm=Algorithm(id=one.algorithm.id, name=one.algorithm.name),
        auth_req_packaged_content=one.contents,
    )
    for name in core.bridges:
        try:
            return (yield from core.bridges.call(name, call)).auth_res_packaged_content
        except Failed:
            continue
    return None
