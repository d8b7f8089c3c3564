"""What the document type cannot say: the rules of components and blocks (RFC 2801, 7 and 8).

One function for each kind of part. They see the whole message (`_See`), what is known of the
transaction, and the path of every part.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.errors import LOCAL, TRANSIENT_ONLY
from tollbridge.faces.iotp.api.words import (
    CODE_LETTERS_MAX,
    ErrorCode,
    PayDirection,
    ProcessState,
    Severity,
)
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message import contents, references
from tollbridge.faces.iotp.message import signatures as g
from tollbridge.faces.iotp.message.codec import PLANS, decode
from tollbridge.faces.iotp.message.faults import Fault, Places, shown
from tollbridge.faces.iotp.message.references import NOTHING, Known
from tollbridge.faces.iotp.message.shape import Part
from tollbridge.faces.iotp.message.words import (
    AUTHENTICATION_ALGORITHMS,
    COMPLETIONS,
    CURRENCY_CODE_TYPES,
    DELIVERY_METHODS,
    RELATIONSHIPS,
    SERVERS,
    UNAUTHORISED,
    InquiryKind,
    Role,
    StatusType,
    TransactionType,
    is_users,
)
from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.errors import UsageError
from tollbridge.wire.xml import Element, canonical

_ILLEGAL = ErrorCode.ATT_VAL_ILLEGAL
_MISSING = ErrorCode.ATT_MISSING
_NOT_RECOGNISED = ErrorCode.ATT_VAL_NOT_RECOG
_TRANSACTION_NAME = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_ORG = re.compile(rf"{_DOMAIN}(?:/\S+)?")
_CONSUMER = re.compile(rf"consumer:[^\s/]+/{_DOMAIN}(?:/\S+)?", re.IGNORECASE)
_TOLD = frozenset(ErrorCode) - LOCAL
_PEOPLE = frozenset({Role.CONSUMER, Role.DELIVER_TO})
_OPEN = frozenset({ProcessState.NOT_YET_STARTED, ProcessState.IN_PROGRESS})
_ANSWERS = (
    b.AuthRespBlk, b.AuthStatusBlk, b.TpoSelectionBlk, b.PayReqBlk, b.PayExchBlk, b.PayRespBlk,
    b.DeliveryReqBlk, b.DeliveryRespBlk, b.InquiryRespBlk, b.PingRespBlk,
)  # fmt: skip


def faults(root: Element, known: Known = NOTHING) -> tuple[Fault, ...]:
    """Say everything that is wrong with a valid message: attributes, references, rules.

    `known` is what is known of the transaction; more is found when it is known. Hard ones mean that
    the message must not be used, see `faults.hard`.
    """
    message, found = decode(root)
    if message is None:
        return found
    return tuple(dict.fromkeys((*found, *_asked(root, message, known))))


def of(message: b.IotpMessage, known: Known = NOTHING) -> tuple[Fault, ...]:
    """Say what is wrong with a message that was read, as `faults` does.

    Raises UsageError for one that was made here: write it first and read it back.
    """
    if message.source is None:
        raise UsageError("a message is checked as it was read")
    return tuple(dict.fromkeys(_asked(message.source, message, known)))


def _asked(root: Element, message: b.IotpMessage, known: Known) -> tuple[Fault, ...]:
    see = _See(root, message, known)
    see.part(message)
    return (*references.faults(root, known, see.here), *see.faults)


class _See:
    """A message as rules see it."""

    def __init__(self, root: Element, message: b.IotpMessage, known: Known) -> None:
        self.root, self.message = root, message
        self.here = Known.of(root)
        self.known = known
        self.faults: list[Fault] = []
        self._places = Places(root)
        self.around: list[Part] = []

    def part(self, part: Part) -> None:
        """Ask the rules of a part and of all inside it."""
        rule = RULES.get(type(part))
        if rule is not None:
            rule(self, part)
        plan = PLANS[type(part).__name__]
        for name in plan.packed:
            packed = getattr(part, name)
            if packed:
                _contents(self, part, _many(packed))
        if not plan.hold:
            return
        self.around.append(part)
        for name in plan.hold:
            for one in _many(getattr(part, name)):
                self.part(one)
        self.around.pop()

    def find(self, name: str | None) -> Element | None:
        """Give the element with an id, in this message or an earlier one."""
        return None if name is None else self.here.get(name) or self.known.get(name)

    def inside(self, *kinds: type) -> bool:
        """Say whether the part asked about stands in one of these."""
        return any(isinstance(one, kinds) for one in self.around)

    def must(
        self,
        good: object,
        part: Part,
        rule: str,
        section: str,
        attribute: str = "",
        *,
        code: ErrorCode = _ILLEGAL,
        value: str = "",
    ) -> None:
        """Note a fault unless something is so. `section` is of RFC 2801 unless it says else."""
        if not good:
            self.wrong(part, rule, section, attribute, code=code, value=value)

    def wrong(
        self,
        part: Part,
        rule: str,
        section: str,
        attribute: str = "",
        *,
        code: ErrorCode = _ILLEGAL,
        value: str = "",
    ) -> None:
        """Note a fault."""
        path = self._places.of(part.source)
        section = f"RFC 2801, {section}" if section[:1].isdigit() else section
        self.faults.append(Fault(code, path, rule, section, attribute, value))

    def should(self, good: object, part: Part, rule: str, section: str, **more: Any) -> None:
        """Note a warning unless something is so."""
        if not good:
            self.wrong(part, rule, section, **more)
            self.faults[-1] = replace(self.faults[-1], severity=Severity.WARNING)


def _many(value: Any) -> Sequence[Any]:
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


# What many rules ask


def _one_location(see: _See, part: Part, names: Sequence[tuple[str, str | None]], at: str) -> None:
    see.must(
        any(value for _, value in names), part,
        f"one of {' and '.join(name for name, _ in names)} is there", at, names[0][0],
        code=_MISSING, value=names[0][0],
    )  # fmt: skip


def _in_order(see: _See, part: Any, section: str) -> None:
    see.must(part.ok_from <= part.ok_to, part, "OkFrom is not after OkTo", section, "OkTo")


def _registered(
    see: _See,
    part: Part,
    attribute: str,
    value: str,
    values: frozenset[str] | type[StrEnum],
    at: str,
) -> None:
    """An unknown value is not an error of the sender's: nobody here recognises it."""
    known = values if isinstance(values, frozenset) else _members(values)
    if value not in known and not is_users(value):
        rule = f"{attribute} {shown(value)} is not known"
        see.wrong(part, rule, at, attribute, code=_NOT_RECOGNISED, value=value)


@lru_cache(maxsize=16)
def _members(words: type[StrEnum]) -> frozenset[str]:
    return frozenset(words)


def _contents(see: _See, part: Part, packed: Sequence[Content]) -> None:
    names = [one.name for one in packed if one.name]
    see.must(
        len(names) == len(set(names)), part, "contents that stand side by side have names of "
        "their own", "3.7", code=ErrorCode.EL_CONT_ILLEGAL,
    )  # fmt: skip
    for one in packed:
        if not contents.is_known(one):
            rule = f"the content {shown(one.content)} is not known"
            see.wrong(part, rule, "3.7", code=ErrorCode.EL_NOT_SUPP, value=one.content)


def _sole(orgs: Sequence[c.Org], role: str) -> bool:
    return len([one for one in orgs if one.plays(role)]) == 1


# References and the message itself


def _message(see: _See, part: b.IotpMessage) -> None:
    see.must(
        part.blocks or part.error, part, "a message holds a trading block or an Error Block", "3.1",
        code=ErrorCode.EL_MISSING, value="a trading block",
    )  # fmt: skip
    if part.block(b.CancelBlk):
        see.must(
            len(part.blocks) == 1 and part.error is None, part, "a Cancel Block stands alone",
            "3.10", code=ErrorCode.EL_UNEXPECTED,
        )  # fmt: skip
    _combination(see, part)
    _severities(see, part)
    message_id = part.trans_ref.msg_id
    answers = any(isinstance(block, _ANSWERS) for block in part.blocks) or (
        part.block(b.OfferRespBlk) and not part.block(b.TpoBlk)
    )
    see.must(
        not answers or message_id.resp_iotp_msg, message_id,
        "an answer names the message that it answers", "3.3.2", "RespIotpMsg",
        code=_MISSING, value="RespIotpMsg",
    )  # fmt: skip
    _prefix(see, part)
    for holder in (part, *part.blocks):
        for one in holder.more:
            see.must(one.get("ID"), holder, f"{shown(one.name)} of another namespace has an ID",
                     "3.6", code=_MISSING, value="ID")  # fmt: skip


COMBINATIONS: frozenset[frozenset[str]] = frozenset(
    frozenset(names.split())
    for names in (
        "",
        "TpoBlk AuthReqBlk",
        "AuthRespBlk",
        "AuthStatusBlk",
        "AuthStatusBlk TpoBlk",
        "AuthStatusBlk TpoBlk OfferRespBlk",
        "TpoBlk",
        "TpoBlk OfferRespBlk",
        "TpoSelectionBlk",
        "OfferRespBlk",
        "PayReqBlk",
        "PayExchBlk",
        "PayRespBlk",
        "PayRespBlk DeliveryRespBlk",
        "DeliveryReqBlk",
        "DeliveryRespBlk",
        "InquiryReqBlk",
        "InquiryRespBlk",
        "PingReqBlk",
        "PingRespBlk",
        "CancelBlk",
    )
)
"""Which trading blocks stand together in a message (9.1, 9.2); an Error Block may join any."""


def _combination(see: _See, part: b.IotpMessage) -> None:
    names = [type(block).__name__ for block in part.blocks]
    legal = frozenset(names) in COMBINATIONS and len(set(names)) == len(names)
    see.must(
        legal, part, f"{' and '.join(names)} do not stand together", "9.1",
        code=ErrorCode.EL_UNEXPECTED, value=" ".join(names),
    )  # fmt: skip


def _prefix(see: _See, part: b.IotpMessage) -> None:
    """Ask for I and Q, and for the prefix of the sender's role where the message names it."""
    message_id = part.trans_ref.msg_id
    prefix = message_id.id.rstrip("0123456789")
    kinds = set(part.kinds)
    sender = see.find(message_id.sender_trading_role_ref)
    want = ""
    if kinds & {"InquiryReqBlk", "PingReqBlk"}:
        want = "I"
    elif kinds & {"InquiryRespBlk", "PingRespBlk"}:
        want = "Q"
    elif sender is not None and sender.name == "TradingRole":
        want = sender.get("IotpMsgIdPrefix")
    see.should(
        not want or prefix == want, message_id, f"the ids of these messages begin with {want}",
        "3.4.1", attribute="ID", value=message_id.id,
    )  # fmt: skip


def _trans_id(see: _See, part: c.TransId) -> None:
    """An inquiry has a type of its own, and the rest of the transaction it asks about (D-27)."""
    name = part.iotp_trans_id
    see.must(_TRANSACTION_NAME.fullmatch(name), part,
             "IotpTransId is a message id as in RFC 822: something@domain", "3.3.1",
             "IotpTransId", value=name)  # fmt: skip
    _registered(see, part, "IotpTransType", part.iotp_trans_type, TransactionType, "3.3.1")
    for _, other in see.known.named("TransId"):
        asks = TransactionType.INQUIRY in {part.iotp_trans_type, other.get("IotpTransType")}
        same = (
            other.get("IotpTransId") == name
            and part.source is not None
            and (
                other.get("TransTimeStamp") == part.source.get("TransTimeStamp")
                if asks
                else canonical(other) == canonical(part.source)
            )
        )
        see.must(same, part, "TransId is that of the transaction's other messages", "3.3.1",
                 "IotpTransId", code=ErrorCode.EL_INCONSISTENT, value=name)  # fmt: skip
    see.must(part.version == "1.0", part, "Version is 1.0", "3.3.1", "Version",
             value=part.version)  # fmt: skip


def _msg_id(see: _See, part: c.MsgId) -> None:
    see.should(part.software_id.strip(), part, "SoftwareId names maker, software, version and "
               "build", "3.3.2", attribute="SoftwareId")  # fmt: skip


def _related(see: _See, part: c.RelatedTo) -> None:
    _registered(
        see, part, "RelationshipType", part.relationship_type, RELATIONSHIPS, "3.3.3"
    )  # fmt: skip
    if part.relationship_type == "IotpTransaction":
        see.must(
            _TRANSACTION_NAME.fullmatch(part.content.text.strip()), part,
            "the content names a transaction", "3.3.3", code=ErrorCode.EL_CONT_ILLEGAL,
        )  # fmt: skip


# Components


def _protocol_options(see: _See, part: c.ProtocolOptions) -> None:
    _one_location(
        see, part, [("SenderNetLocn", part.sender_net_locn),
                    ("SecureSenderNetLocn", part.secure_sender_net_locn)], "7.1",
    )  # fmt: skip


def _auth_req(see: _See, part: c.AuthReq) -> None:
    name = part.algorithm.name
    if not name.startswith("Pay:"):
        _registered(see, part.algorithm, "name", name, AUTHENTICATION_ALGORITHMS, "7.2")


def _org(see: _See, part: c.Org) -> None:
    people = all(one.trading_role in _PEOPLE for one in part.trading_roles)
    consumer = part.org_id.lower().startswith("consumer:")
    see.must(
        (_CONSUMER if consumer else _ORG).fullmatch(part.org_id), part,
        "OrgId is a domain name, or Consumer:letters/domain", "7.6.1", "OrgId", value=part.org_id,
    )  # fmt: skip
    see.must(
        people or not consumer, part, "only a consumer's OrgId begins with Consumer:", "7.6.1",
        "OrgId", value=part.org_id,
    )  # fmt: skip
    see.must(
        people or part.legal_name, part, "LegalName is there for all but consumers", "7.6",
        "LegalName", code=_MISSING, value="LegalName",
    )  # fmt: skip
    see.should(
        people or (part.postal_address and part.postal_address.legal_location), part,
        "a postal address is the legal location of all but consumers", "7.6.5",
    )  # fmt: skip


def _trading_role(see: _See, part: c.TradingRole) -> None:
    _registered(see, part, "TradingRole", part.trading_role, Role, "7.6.2")
    for name, value in (
        ("CancelNetLocn", part.cancel_net_locn),
        ("ErrorNetLocn", part.error_net_locn),
        ("ErrorLogNetLocn", part.error_log_net_locn),
    ):
        if part.trading_role in SERVERS:
            see.must(value, part, f"{name} is there for {part.trading_role}", "7.6.2", name,
                     code=_MISSING, value=name)  # fmt: skip
        elif part.trading_role in _PEOPLE:
            see.must(value is None, part, f"{name} is not there for {part.trading_role}", "7.6.2",
                     name, code=ErrorCode.ATT_UNEXPECTED, value=value or "")  # fmt: skip


def _brand_list(see: _See, part: c.BrandList) -> None:
    see.must(
        part.pay_direction is not PayDirection.CREDIT or len(part.brands) == 1, part,
        "a list of Credit holds one brand", "7.7", "PayDirection", code=ErrorCode.EL_INCONSISTENT,
    )  # fmt: skip
    protocols = {one.protocol_id for one in part.pay_protocols}
    for brand in part.brands:
        named = [one.protocol_id for one in brand.protocol_brands]
        see.must(len(named) == len(set(named)), brand, "a brand names a protocol once", "7.7.2",
                 code=ErrorCode.EL_INCONSISTENT)  # fmt: skip
        for one in brand.protocol_brands:
            see.must(one.protocol_id in protocols, one, "ProtocolId is that of a PayProtocol",
                     "7.7.2", "ProtocolId", value=one.protocol_id)  # fmt: skip


def _currency_amount(see: _See, part: c.CurrencyAmount) -> None:
    _registered(see, part, "CurrCodeType", part.curr_code_type, CURRENCY_CODE_TYPES, "7.7.4")
    if part.curr_code_type == "ISO4217-A":
        see.must(part.curr_code in CURRENCIES, part, "CurrCode is a code of ISO 4217", "7.7.4",
                 "CurrCode", code=_NOT_RECOGNISED, value=part.curr_code)  # fmt: skip


def _pay_protocol(see: _See, part: c.PayProtocol) -> None:
    names = [
        ("PayReqNetLocn", part.pay_req_net_locn),
        ("SecPayReqNetLocn", part.sec_pay_req_net_locn),
    ]
    _one_location(see, part, names, "7.7.5")
    org = see.find(part.action_org_ref)
    if org is not None and org.name == "Org":
        see.must(_plays(org, Role.PAYMENT_HANDLER), part, "ActionOrgRef names a payment handler",
                 "7.7.5", "ActionOrgRef", value=part.action_org_ref)  # fmt: skip


def _plays(org: Element, role: Role) -> bool:
    return any(one.get("TradingRole") == role for one in org.all("TradingRole"))


def _selection(see: _See, part: c.BrandSelection) -> None:
    chosen = see.find(part.brand_list_ref)
    if chosen is None or chosen.name != "BrandList":
        return
    inside = {one.get("ID"): one for one in chosen.elements}
    brand, amount = inside.get(part.brand_ref), inside.get(part.protocol_amount_ref)
    for name, value, kind in (
        ("BrandRef", part.brand_ref, "Brand"),
        ("ProtocolAmountRef", part.protocol_amount_ref, "ProtocolAmount"),
        ("CurrencyAmountRef", part.currency_amount_ref, "CurrencyAmount"),
    ):
        found = inside.get(value)
        see.must(found is not None and found.name == kind, part,
                 f"{name} is of the brand list {part.brand_list_ref}", "7.8", name,
                 value=value)  # fmt: skip
    if brand is not None and amount is not None:
        see.must(
            part.protocol_amount_ref in brand.get("ProtocolAmountRefs").split(), part,
            "the brand has the protocol amount", "7.8", "ProtocolAmountRef",
            code=ErrorCode.EL_INCONSISTENT, value=part.protocol_amount_ref,
        )  # fmt: skip
        see.must(
            part.currency_amount_ref in amount.get("CurrencyAmountRefs").split(), part,
            "the protocol amount has the currency amount", "7.8", "CurrencyAmountRef",
            code=ErrorCode.EL_INCONSISTENT, value=part.currency_amount_ref,
        )  # fmt: skip


def _payment(see: _See, part: c.Payment) -> None:
    _in_order(see, part, "7.9")
    see.must(part.id not in part.start_after_refs, part, "a payment does not wait for itself",
             "7.9", "StartAfterRefs")  # fmt: skip


def _order(see: _See, part: c.Order) -> None:
    _in_order(see, part, "7.5")


def _scheme_data(see: _See, part: c.PaySchemeData) -> None:
    if not see.inside(b.InquiryReqBlk, b.InquiryRespBlk, b.ErrorBlk):
        see.must(part.payment_ref, part, "PaymentRef is there but in inquiries", "7.10",
                 "PaymentRef", code=_MISSING, value="PaymentRef")  # fmt: skip
    if see.inside(b.PayExchBlk, b.PayRespBlk):
        see.must(
            part.payment_handler_pay_id, part,
            "PaymentHandlerPayId is there but in the Payment Request", "7.10",
            "PaymentHandlerPayId", code=_MISSING, value="PaymentHandlerPayId",
        )  # fmt: skip
    for name in _names(part.contents):
        for key, other in see.known.named("PaySchemeData"):
            if key != part.id and other.get("PaymentRef") == part.payment_ref:
                taken = {one.get("Name") for one in other.all("PackagedContent")}
                see.must(name not in taken, part, f"the name {shown(name)} was used before in "
                         "this payment", "7.10", code=ErrorCode.EL_CONT_ILLEGAL)  # fmt: skip


def _names(packed: Iterable[Content]) -> tuple[str, ...]:
    return tuple(one.name for one in packed if one.name)


def _receipt(see: _See, part: c.PayReceipt) -> None:
    see.must(
        part.pay_receipt_name_refs or part.contents, part,
        "a receipt has PayReceiptNameRefs or contents", "7.11", code=ErrorCode.EL_MISSING,
        value="PackagedContent",
    )  # fmt: skip
    here = set(_names(part.contents))
    if see.known.complete:
        for known in (see.here, see.known):
            for _, one in known.named("PaySchemeData"):
                here |= {inner.get("Name") for inner in one.all("PackagedContent")}
        for name in part.pay_receipt_name_refs:
            see.must(name in here, part, f"no content has the name {shown(name)}", "7.11",
                     "PayReceiptNameRefs", value=name)  # fmt: skip


def _delivery(see: _See, part: c.Delivery) -> None:
    see.must(part.data or not part.deliv_exch, part, "DelivExch needs DeliveryData", "7.13",
             code=ErrorCode.EL_MISSING, value="DeliveryData")  # fmt: skip
    see.must(part.deliv_exch or not part.deliv_and_pay_resp, part,
             "DelivAndPayResp needs DelivExch", "7.13", "DelivAndPayResp")  # fmt: skip
    if part.deliv_exch:
        see.must(part.action_org_ref, part, "ActionOrgRef names the delivery handler", "7.13",
                 "ActionOrgRef", code=_MISSING, value="ActionOrgRef")  # fmt: skip
    org = see.find(part.action_org_ref)
    if org is not None and org.name == "Org":
        see.must(_plays(org, Role.DELIVERY_HANDLER), part, "ActionOrgRef names a delivery handler",
                 "7.13", "ActionOrgRef", value=part.action_org_ref or "")  # fmt: skip


def _delivery_data(see: _See, part: c.DeliveryData) -> None:
    _in_order(see, part, "7.13.1")
    _registered(see, part, "DelivMethod", part.deliv_method, DELIVERY_METHODS, "7.13.1")
    holder = see.around[-1]
    if isinstance(holder, c.Delivery) and holder.deliv_exch and not holder.deliv_and_pay_resp:
        _one_location(see, part, [("DelivReqNetLocn", part.deliv_req_net_locn),
                                  ("SecDelivReqNetLocn", part.sec_deliv_req_net_locn)],
                      "7.13.1")  # fmt: skip
    org = see.find(part.deliv_to_ref)
    if org is None or org.name != "Org":
        return
    contact = org.find("ContactInfo")
    if part.deliv_method == "Post":
        see.must(org.find("PostalAddress"), part, "Post needs the address of whom it is for",
                 "7.13.1", "DelivMethod", code=ErrorCode.EL_INCONSISTENT)  # fmt: skip
    if part.deliv_method == "Email":
        see.must(contact is not None and contact.get("Email"), part,
                 "Email needs the e-mail address of whom it is for", "7.13.1", "DelivMethod",
                 code=ErrorCode.EL_INCONSISTENT)  # fmt: skip


_ABOUT = {
    StatusType.OFFER: "Order",
    StatusType.PAYMENT: "Payment",
    StatusType.DELIVERY: "Delivery",
    StatusType.AUTHENTICATION: "AuthReq",
}


def _status(see: _See, part: c.Status) -> None:
    kind = part.status_type
    _registered(see, part, "StatusType", kind, StatusType, "7.16")
    if kind not in _members(StatusType):
        return
    of = StatusType(kind)
    if of is StatusType.UNDEFINED:
        see.must(part.el_ref is None, part, "ElRef is not there for Undefined", "7.16", "ElRef",
                 code=ErrorCode.ATT_UNEXPECTED, value=part.el_ref or "")  # fmt: skip
    else:
        target = see.find(part.el_ref)
        see.must(target is None or target.name == _ABOUT[of], part,
                 f"ElRef of {of} names {_ABOUT[of]}", "7.16", "ElRef",
                 value=part.el_ref or "")  # fmt: skip
        said = part.el_ref or of is StatusType.AUTHENTICATION
        see.must(
            said or part.process_state in {ProcessState.FAILED, ProcessState.PROCESS_ERROR,
                                           ProcessState.NOT_YET_STARTED},
            part, "ElRef says what the status is about", "7.16", "ElRef", code=_MISSING,
            value="ElRef",
        )  # fmt: skip
    see.must(
        part.process_state is not ProcessState.PROCESS_ERROR or see.inside(b.InquiryRespBlk), part,
        "ProcessError is told in inquiries only", "7.16", "ProcessState",
    )  # fmt: skip
    _completion(see, part, of)


def _completion(see: _See, part: c.Status, of: StatusType) -> None:
    code, state = part.completion_code, part.process_state
    if code is None:
        see.must(state is not ProcessState.FAILED, part, "Failed has a CompletionCode", "7.16",
                 "CompletionCode", code=_MISSING, value="CompletionCode")  # fmt: skip
        return
    if is_users(code) or (code == UNAUTHORISED and see.inside(b.InquiryRespBlk)):
        return
    known = COMPLETIONS[of].get(code)
    see.must(known, part, f"{shown(code)} is no CompletionCode of {of}", "7.16.1",
             "CompletionCode", code=_NOT_RECOGNISED, value=code)  # fmt: skip
    if known is None or state in _OPEN:
        return
    see.must(state in known.states or state is ProcessState.PROCESS_ERROR, part,
             f"{code} does not go with {state}", "7.16.1", "CompletionCode",
             code=ErrorCode.EL_INCONSISTENT, value=code)  # fmt: skip
    if known.inquiry:
        see.must(see.inside(b.InquiryRespBlk), part, f"{code} is told in inquiries only",
                 "7.16.1", "CompletionCode", value=code)  # fmt: skip
    if known.cancel:
        see.must(see.inside(b.InquiryRespBlk, b.CancelBlk), part,
                 f"{code} is told in a Cancel Block or in inquiries only", "7.16.1",
                 "CompletionCode", value=code)  # fmt: skip


def _inquiry_type(see: _See, part: c.InquiryType) -> None:
    _registered(see, part, "Type", part.type, InquiryKind, "7.18")
    target = see.find(part.el_ref)
    want = {"Offer": "TpoBlk", "Payment": "Payment", "Delivery": "Delivery"}.get(part.type)
    see.must(target is None or want is None or target.name == want, part,
             f"ElRef of {part.type} names {want}", "7.18", "ElRef",
             value=part.el_ref or "")  # fmt: skip


def _error(see: _See, part: c.ErrorComp) -> None:
    _registered(see, part, "ErrorCode", part.error_code, _TOLD, "7.21.2")
    see.must(len(part.error_code) <= CODE_LETTERS_MAX or is_users(part.error_code), part,
             f"an ErrorCode has at most {CODE_LETTERS_MAX} letters", "7.21.2", "ErrorCode",
             value=part.error_code)  # fmt: skip
    transient = part.severity is Severity.TRANSIENT_ERROR
    see.must(transient or part.error_code not in TRANSIENT_ONLY, part,
             f"{part.error_code} is a TransientError", "7.21.2", "Severity")  # fmt: skip
    if transient:
        see.must(len(part.locations) == 1, part, "a TransientError has one location", "7.21.1",
                 code=ErrorCode.EL_UNEXPECTED, value="ErrorLocation")  # fmt: skip
        see.should(part.min_retry_secs is not None and part.min_retry_secs.isdecimal(), part,
                   "MinRetrySecs is a number of seconds", "7.21.1", attribute="MinRetrySecs",
                   value=part.min_retry_secs or "")  # fmt: skip
    if part.error_code in {ErrorCode.EL_MISSING, ErrorCode.ATT_MISSING}:
        see.should(part.contents, part, "a content names what is missing", "7.21.2")
    elif any(one.att_name for one in part.locations):
        see.should(part.contents, part, "a content holds the attribute's value", "7.21.3")


def _severities(see: _See, part: b.IotpMessage) -> None:
    if part.error is None:
        return
    severities = {one.severity for one in part.error.errors}
    if severities == {Severity.WARNING}:
        see.must(part.blocks, part, "a message with a warning holds its normal blocks, too",
                 "7.21.1", code=ErrorCode.EL_MISSING, value="a trading block")  # fmt: skip
        return
    answered = {"InquiryRespBlk"} >= {type(block).__name__ for block in part.blocks}
    see.must(not part.blocks or answered, part, "a message with an error holds no trading blocks",
             "7.21.1", code=ErrorCode.EL_UNEXPECTED)  # fmt: skip
    see.must(len(part.error.errors) == 1, part.error, "an Error Block holds one error", "7.21.1",
             code=ErrorCode.EL_UNEXPECTED, value="ErrorComp")  # fmt: skip


# Blocks


def _tpo(see: _See, part: b.TpoBlk) -> None:
    if not part.brand_lists:
        return
    see.must(_sole(part.orgs, Role.MERCHANT), part, "there is one Merchant", "8.1",
             code=ErrorCode.EL_MISSING, value="Org")  # fmt: skip
    see.must(_sole(part.orgs, Role.CONSUMER), part, "there is one Consumer", "8.1",
             code=ErrorCode.EL_MISSING, value="Org")  # fmt: skip
    ids = {one.id for one in part.orgs}
    for brand_list in part.brand_lists:
        for protocol in brand_list.pay_protocols:
            see.must(protocol.action_org_ref in ids, protocol, "the payment handler is among the "
                     "organisations", "8.1", "ActionOrgRef", code=ErrorCode.EL_MISSING,
                     value="Org")  # fmt: skip


def _tpo_selection(see: _See, part: b.TpoSelectionBlk) -> None:
    lists = [one.brand_list_ref for one in part.brand_selections]
    see.must(len(lists) == len(set(lists)), part, "one selection for each brand list", "8.2",
             code=ErrorCode.EL_INCONSISTENT)  # fmt: skip
    offered = {key for key, _ in see.known.named("BrandList")}
    see.must(not offered or offered == set(lists), part, "one selection for each brand list",
             "8.2", code=ErrorCode.EL_INCONSISTENT)  # fmt: skip


def _ended(see: _See, status: c.Status, of: StatusType, section: str) -> None:
    see.must(status.process_state not in _OPEN, status,
             f"{status.process_state} is no answer", section, "ProcessState")  # fmt: skip
    see.must(status.status_type == of, status, f"the status is about the {of}", section,
             "StatusType", value=status.status_type)  # fmt: skip


def _refers(see: _See, status: c.Status, reference: str | None, section: str) -> None:
    see.must(not (status.process_reference and reference) or status.process_reference == reference,
             status, "ProcessReference is that of what the status is about", section,
             "ProcessReference", code=ErrorCode.EL_INCONSISTENT,
             value=status.process_reference or "")  # fmt: skip


def _offer(see: _See, part: b.OfferRespBlk) -> None:
    _ended(see, part.status, StatusType.OFFER, "8.3")
    good = part.status.process_state is ProcessState.COMPLETED_OK
    see.must(part.order or not good, part, "an offer has an Order", "8.3",
             code=ErrorCode.EL_MISSING, value="Order")  # fmt: skip
    see.must(1 <= len(part.payments) <= 2 or not good, part, "an offer has one Payment or two",
             "9.1.12", code=ErrorCode.EL_MISSING, value="Payment")  # fmt: skip
    _refers(see, part.status, part.order.order_identifier if part.order else None, "7.16")
    lists = [one.brand_list_ref for one in part.payments]
    see.must(len(lists) == len(set(lists)), part, "one Payment for each brand list", "8.3",
             code=ErrorCode.EL_INCONSISTENT)  # fmt: skip


def _auth_req_block(see: _See, part: b.AuthReqBlk) -> None:
    see.must(part.auth_reqs or part.trading_role_info_req, part,
             "something is asked: an AuthReq or a TradingRoleInfoReq", "8.4",
             code=ErrorCode.EL_MISSING, value="AuthReq")  # fmt: skip


def _auth_resp(see: _See, part: b.AuthRespBlk) -> None:
    asked = dict(see.known.named("AuthReq"))
    if asked:
        see.must(part.auth_resp, part, "the authentication is answered", "8.5",
                 code=ErrorCode.EL_MISSING, value="AuthResp")  # fmt: skip
    if part.auth_resp and asked:
        ids = {one.get("AuthenticationId") for one in asked.values()}
        see.must(part.auth_resp.authentication_id in ids, part.auth_resp,
                 "AuthenticationId is that of the request", "7.3", "AuthenticationId",
                 value=part.auth_resp.authentication_id)  # fmt: skip
    for _, one in see.known.named("TradingRoleInfoReq"):
        for role in one.get("TradingRoleList").split():
            see.must(any(org.plays(role) for org in part.orgs), part,
                     f"the organisation for {shown(role)} is there", "8.5",
                     code=ErrorCode.EL_MISSING, value="Org")  # fmt: skip


def _auth_status(see: _See, part: b.AuthStatusBlk) -> None:
    _ended(see, part.status, StatusType.AUTHENTICATION, "8.6")


def _pay_req(see: _See, part: b.PayReqBlk) -> None:
    see.must(
        any(one.status_type == StatusType.OFFER for one in part.statuses), part,
        "the status of the offer is there", "8.7", code=ErrorCode.EL_MISSING, value="Status",
    )  # fmt: skip
    for one in part.statuses:
        see.must(one.process_state is ProcessState.COMPLETED_OK, one,
                 "what comes before is CompletedOk", "6.3", "ProcessState")  # fmt: skip
    see.must(part.payment.brand_list_ref == part.brand_list.id, part.payment,
             "BrandListRef is the brand list of the block", "6.3", "BrandListRef",
             code=ErrorCode.EL_INCONSISTENT)  # fmt: skip
    see.must(part.brand_selection.brand_list_ref == part.brand_list.id, part.brand_selection,
             "BrandListRef is the brand list of the block", "6.3", "BrandListRef",
             code=ErrorCode.EL_INCONSISTENT)  # fmt: skip
    for role in (Role.MERCHANT, Role.CONSUMER):
        see.must(_sole(part.orgs, role), part, f"there is one {role}", "8.7",
                 code=ErrorCode.EL_MISSING, value="Org")  # fmt: skip
    see.must(any(one.plays(Role.PAYMENT_HANDLER) for one in part.orgs), part,
             "the payment handler is there", "8.7", code=ErrorCode.EL_MISSING,
             value="Org")  # fmt: skip
    _originators(see, part.trading_role_data, part.orgs)


def _originators(see: _See, data: Sequence[c.TradingRoleData], orgs: Sequence[c.Org]) -> None:
    ids = {one.id for one in orgs} | {role.id for one in orgs for role in one.trading_roles}
    for one in data:
        see.must(one.originator_el_ref in ids, one, "the originator's organisation comes along",
                 "7.17", "OriginatorElRef", code=ErrorCode.EL_MISSING, value="Org")  # fmt: skip


def _pay_resp(see: _See, part: b.PayRespBlk) -> None:
    _ended(see, part.status, StatusType.PAYMENT, "8.9")
    good = part.status.process_state is ProcessState.COMPLETED_OK
    see.must(part.pay_receipt or not good, part, "a payment that is CompletedOk has a receipt",
             "8.9", code=ErrorCode.EL_MISSING, value="PayReceipt")  # fmt: skip
    if part.pay_scheme_data:
        _refers(see, part.status, part.pay_scheme_data.payment_handler_pay_id, "7.16")


def _delivery_req(see: _See, part: b.DeliveryReqBlk) -> None:
    for role in (Role.MERCHANT, Role.DELIVERY_HANDLER):
        see.must(_sole(part.orgs, role), part, f"there is one {role}", "8.10",
                 code=ErrorCode.EL_MISSING, value="Org")  # fmt: skip
    see.must(any(org.plays(role) for org in part.orgs for role in _PEOPLE), part,
             "the consumer, or whom it is for, is there", "8.10", code=ErrorCode.EL_MISSING,
             value="Org")  # fmt: skip
    for one in part.statuses:
        see.must(one.process_state is ProcessState.COMPLETED_OK, one,
                 "what comes before is CompletedOk", "6.3", "ProcessState")  # fmt: skip
    see.must(part.delivery.deliv_exch, part.delivery, "DelivExch is True", "8.10",
             "DelivExch")  # fmt: skip
    _originators(see, part.trading_role_data, part.orgs)


def _delivery_resp(see: _See, part: b.DeliveryRespBlk) -> None:
    _ended(see, part.status, StatusType.DELIVERY, "8.11")
    _refers(see, part.status, part.delivery_note.deliv_handler_deliv_id, "7.16")


def _inquiry(see: _See, part: b.InquiryReqBlk) -> None:
    see.must(part.pay_scheme_data is None or part.inquiry_type.type == InquiryKind.PAYMENT, part,
             "scheme data goes with inquiries about payments", "8.12",
             code=ErrorCode.EL_UNEXPECTED, value="PaySchemeData")  # fmt: skip


def _ping(see: _See, part: b.PingReqBlk) -> None:
    signed = see.message.signatures is not None
    see.must(
        len(part.orgs) == (2 if signed else 0), part,
        "a ping is anonymous, or has two organisations and a signature", "8.14",
        code=ErrorCode.EL_INCONSISTENT,
    )  # fmt: skip


def _pong(see: _See, part: b.PingRespBlk) -> None:
    asked = [one for _, one in see.known.named("PingReqBlk")]
    if asked:
        signed = any(one.all("Org") for one in asked)
        see.must((part.sig_verify_status_code is not None) == signed, part,
                 "SigVerifyStatusCode is there when the request was signed", "8.15",
                 "SigVerifyStatusCode", value="SigVerifyStatusCode",
                 code=_MISSING if signed else ErrorCode.ATT_UNEXPECTED)  # fmt: skip


def _cancel(see: _See, part: b.CancelBlk) -> None:
    see.must(part.status.process_state is ProcessState.FAILED, part.status, "the status is Failed",
             "8.18", "ProcessState")  # fmt: skip


# Signatures


def _certificate(see: _See, part: g.Certificate) -> None:
    see.must((part.value is None) != (part.locator is None), part,
             "a certificate is there, or where it is", "RFC 2802, 4.11")  # fmt: skip


def _signature(see: _See, part: g.Signature) -> None:
    values = {one.id for one in part.values}
    for info in part.manifest.recipient_infos:
        see.must(info.signature_value_ref or len(part.values) == 1, info,
                 "SignatureValueRef names one of the values", "RFC 2802, 4.8", "SignatureValueRef",
                 code=_MISSING, value="SignatureValueRef")  # fmt: skip
        see.must(info.signature_value_ref is None or info.signature_value_ref in values, info,
                 "SignatureValueRef names one of the signature's values", "RFC 2802, 4.8",
                 "SignatureValueRef", value=info.signature_value_ref or "")  # fmt: skip


RULES: Mapping[type, Callable[[_See, Any], None]] = {
    b.IotpMessage: _message,
    c.TransId: _trans_id,
    c.MsgId: _msg_id,
    c.RelatedTo: _related,
    c.ProtocolOptions: _protocol_options,
    c.AuthReq: _auth_req,
    c.Order: _order,
    c.Org: _org,
    c.TradingRole: _trading_role,
    c.BrandList: _brand_list,
    c.CurrencyAmount: _currency_amount,
    c.PayProtocol: _pay_protocol,
    c.BrandSelection: _selection,
    c.Payment: _payment,
    c.PaySchemeData: _scheme_data,
    c.PayReceipt: _receipt,
    c.Delivery: _delivery,
    c.DeliveryData: _delivery_data,
    c.Status: _status,
    c.InquiryType: _inquiry_type,
    c.ErrorComp: _error,
    b.TpoBlk: _tpo,
    b.TpoSelectionBlk: _tpo_selection,
    b.OfferRespBlk: _offer,
    b.AuthReqBlk: _auth_req_block,
    b.AuthRespBlk: _auth_resp,
    b.AuthStatusBlk: _auth_status,
    b.PayReqBlk: _pay_req,
    b.PayRespBlk: _pay_resp,
    b.DeliveryReqBlk: _delivery_req,
    b.DeliveryRespBlk: _delivery_resp,
    b.InquiryReqBlk: _inquiry,
    b.PingReqBlk: _ping,
    b.PingRespBlk: _pong,
    b.CancelBlk: _cancel,
    g.Certificate: _certificate,
    g.Signature: _signature,
}
"""The rules of each kind of part. Kinds that are missing have none beside the document type's."""
