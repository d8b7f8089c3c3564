"""Signatures of servers: which answers are signed, for whom, and what a reader makes of them.

RFC 2801, 6 and 7.19. Keys come from outside: a server has one Signer, a reader a Verifier for each
organisation that it trusts. Whoever holds no key of a signer still finds what broke on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState
from tollbridge.faces.iotp.message import authorisation, signing
from tollbridge.faces.iotp.message.blocks import (
    AuthReqBlk,
    AuthStatusBlk,
    Block,
    DeliveryReqBlk,
    DeliveryRespBlk,
    InquiryRespBlk,
    IotpMessage,
    OfferRespBlk,
    PayReqBlk,
    PayRespBlk,
    PingRespBlk,
)
from tollbridge.faces.iotp.message.codec import element_of
from tollbridge.faces.iotp.message.components import Org, TradingRoleData
from tollbridge.faces.iotp.message.references import Known
from tollbridge.faces.iotp.message.signatures import Certificate
from tollbridge.faces.iotp.message.signing import SignatureKind, Signer, Verified, Verifier
from tollbridge.faces.iotp.message.words import Role, StatusType
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.draft import Draft
from tollbridge.faces.iotp.roles.problems import Problem
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.flow import Flow

KINDS: Mapping[type[Block], SignatureKind] = {
    AuthReqBlk: SignatureKind.AUTHENTICATION_REQUEST,
    AuthStatusBlk: SignatureKind.AUTHENTICATION_STATUS,
    OfferRespBlk: SignatureKind.OFFER_RESPONSE,
    PayRespBlk: SignatureKind.PAYMENT_RESPONSE,
    DeliveryRespBlk: SignatureKind.DELIVERY_RESPONSE,
    InquiryRespBlk: SignatureKind.INQUIRY_RESPONSE,
    PingRespBlk: SignatureKind.PING_RESPONSE,
}
"""How the answers of servers are signed."""


class Proof(StrEnum):
    """What a reader makes of a signature that is not wrong."""

    NONE = "not signed"
    UNKNOWN = "signed, but no key of the signer is known here"
    VERIFIED = "signed, verified"


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found: the proof, and the ids of what the signature covers."""

    proof: Proof = Proof.NONE
    covered: frozenset[str] = frozenset()


# Signing


@dataclass(frozen=True, slots=True)
class Seal:
    """What an organisation signs with; its certificate goes along, if it has one."""

    signer: Signer
    certificate: Certificate | None = None


def kinds_of(message: IotpMessage) -> list[SignatureKind]:
    """Say which signatures an answer may have; an offer's covers the authentication's status."""
    found = [kind for block, kind in KINDS.items() if message.block(block) is not None]
    if SignatureKind.OFFER_RESPONSE in found:
        return [one for one in found if one is not SignatureKind.AUTHENTICATION_STATUS]
    return found


def heard(deal: Deal, since: int = 1) -> Flow[Known]:
    """Know what stands in the letters of a deal, from one of them on."""
    letters = yield from store.every_letter(deal)
    return Known.of(*(store.root(one) for one in letters if one.number >= since))


def signed(
    message: IotpMessage, kinds: Sequence[SignatureKind], us: str, seal: Seal, draft: Draft,
    before: Known,
) -> IotpMessage:  # fmt: skip
    """Sign an answer as `us` (an OrgId) for all others who take part, as far as `before` knows."""
    certificate = seal.certificate
    if certificate is not None:
        certificate = replace(certificate, id=draft.new_id())
    orgs = list(before.under(element_of(message)).named("Org"))
    for kind in kinds:
        role = signing.SIGNED_BY.get(kind)
        mine = [
            name for name, org in orgs if org.get("OrgId").lower() == us.lower()
            and (role is None or any(one.get("TradingRole") == role
                                     for one in org.all("TradingRole")))
        ]  # fmt: skip
        others = tuple([name for name, org in orgs if org.get("OrgId").lower() != us.lower()])
        if mine and others:
            to = signing.Recipient(seal.signer, others, certificate)
            message = signing.sign(
                message, kind, (to,), draft.numbers, originator=mine[0], known=before
            )  # fmt: skip
    return message


# Judging


def judge(  # noqa: PLR0913 - what a signature is held to
    message: IotpMessage,
    kind: SignatureKind,
    *,
    by: Org,
    us: str,
    verifier: Verifier | None,
    known: Known,
    must: Iterable[str] = (),
    promised: bool = False,
) -> Judged:
    """Hold a message to the signature of a kind by an organisation, for `us` (an OrgId).

    `must` are ids that it has to cover. Raises Problem when it is wrong, covers too little, or is
    missing although it was `promised`.
    """
    if verifier is None:
        found = signing.compare(message, known=known)
    else:
        found = signing.verify(message, us, verifier, known=known)
    own = [one for one in found if one.kind in {kind, None}]
    for one in own:
        if one.faults:
            raise wrong(one)
    good = [
        one for one in own
        if verifier is None or (one.good and authorisation.same_org(one.signer, by.org_id))
    ]  # fmt: skip
    if not good:
        if promised:
            text = f"{by.org_id} promised to sign this and did not"
            raise Problem(ErrorCode.EL_MISSING, text, element="IotpSignatures", value="Signature")
        return Judged()
    covered = frozenset(name for one in good for name in one.covered)
    left_out = sorted(set(must) - covered)
    if left_out:
        text = f"the signature of {by.org_id} leaves out what it must cover"
        raise Problem(ErrorCode.EL_INCONSISTENT, text, element="Manifest", value=left_out[0])
    return Judged(Proof.UNKNOWN if verifier is None else Proof.VERIFIED, covered)


def request(
    message: IotpMessage, block: PayReqBlk | DeliveryReqBlk, us: str, verifier: Verifier
) -> tuple[Verified, ...]:
    """Hold a request to what its Merchant signed (12.6), and give all its signatures.

    Raises Problem when one for us is wrong, or they leave something out.
    """
    found = signing.verify(message, us, verifier)
    for one in found:
        if one.for_us and one.faults:
            raise wrong(one)
    missing = authorisation.not_covered(block, found)
    if missing:
        text = f"not as the merchant signed it: {missing[0].rule}"
        raise Problem(ErrorCode.EL_INCONSISTENT, text, element="Signature", value=missing[0].value)
    return found


def paid(
    message: IotpMessage, block: PayReqBlk | DeliveryReqBlk, found: Iterable[Verified]
) -> frozenset[str]:
    """Name the payments that a Payment Handler of this transaction signed as completed.

    What it signed covers the Merchant's signature of this very offer, and the status shown to us.
    """
    signatures = message.signatures.signatures if message.signatures is not None else ()
    offers = {one.id for one in signatures if signing.kind_of(one) is SignatureKind.OFFER_RESPONSE}
    handlers = {org.org_id.lower() for org in block.orgs
                if org.plays(signing.SIGNED_BY[SignatureKind.PAYMENT_RESPONSE])}  # fmt: skip
    covered = {
        name for one in found
        if one.good and one.kind is SignatureKind.PAYMENT_RESPONSE
        and one.signer.lower() in handlers and offers and offers <= set(one.covered)
        for name in one.covered
    }  # fmt: skip
    return frozenset(
        one.el_ref
        for one in block.statuses
        if one.status_type == StatusType.PAYMENT
        and one.process_state is ProcessState.COMPLETED_OK
        and one.el_ref
        and one.id in covered
    )


def merchants_data(
    block: PayReqBlk | DeliveryReqBlk, found: Iterable[Verified]
) -> tuple[TradingRoleData, ...]:
    """Give the role data that the Merchant itself signed with its offer."""
    merchants = {org.org_id.lower() for org in block.orgs if org.plays(Role.MERCHANT)}
    covered = {
        name for one in found
        if one.good and one.kind is SignatureKind.OFFER_RESPONSE and one.signer.lower() in merchants
        for name in one.covered
    }  # fmt: skip
    return tuple([one for one in block.trading_role_data if one.id in covered])


def wrong(one: Verified) -> Problem:
    """Say what is wrong with a signature."""
    fault = one.faults[0]
    return Problem(ErrorCode.EL_INCONSISTENT, f"a signature is wrong: {fault.rule}",
                   element="Signature", value=fault.value)  # fmt: skip
