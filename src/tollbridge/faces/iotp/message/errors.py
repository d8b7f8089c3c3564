"""Telling what is wrong: Error Blocks, Cancel Blocks, and what to do when they come.

The way back is short: `locate` a fault, make a `component` of it, `answer` with it; `worst` and
`patience` say what an Error Block that came asks for (RFC 2801, 4 and 7.21).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.api.elements import Content, ErrorResponse
from tollbridge.faces.iotp.api.errors import for_counterparty, tells_secrets
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Severity
from tollbridge.faces.iotp.dtd import MESSAGE_NAMESPACE
from tollbridge.faces.iotp.message.blocks import CancelBlk, ErrorBlk, IotpMessage
from tollbridge.faces.iotp.message.codec import ROOT, decode
from tollbridge.faces.iotp.message.components import (
    ErrorComp,
    ErrorLocation,
    MsgId,
    PaySchemeData,
    Status,
    TransId,
    TransRefBlk,
)
from tollbridge.faces.iotp.message.faults import Fault
from tollbridge.faces.iotp.message.naming import Numbers
from tollbridge.faces.iotp.message.words import WORST_FIRST, StatusType
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError
from tollbridge.ground.secret import scrub
from tollbridge.wire import xml
from tollbridge.wire.xml import Element

_DESC_LETTERS_MAX = 200
_VALUE_LETTERS_MAX = 200
_LANG = "en"
_TAG = re.compile(r"<(TransId|MsgId)(\s[^<>]{0,2000}?)/?>")


# Where and what


def locate(fault: Fault, root: Element | None) -> ErrorLocation:
    """Say where a fault is, as much as can be said (7.21.3)."""
    element_type = fault.element if formats.is_token(fault.element) else ROOT
    if root is None:
        return ErrorLocation(element_type=element_type, att_name=fault.attribute or None)
    trail = [one for path, one in root.walk() if f"{fault.place}/".startswith(f"{path}/")]
    block = _id(trail[1]) if len(trail) > 1 else None
    component = _id(trail[2]) if len(trail) > 2 else None
    return ErrorLocation(
        element_type=element_type,
        iotp_msg_ref=message_id(root),
        blk_ref=block,
        comp_ref=component,
        element_ref=_id(trail[-1]) if len(trail) > 3 else None,
        att_name=fault.attribute if formats.is_token(fault.attribute) else None,
    )


def _id(element: Element) -> str | None:
    name = formats.plain(element.get("ID"))
    return name if formats.is_token(name) else None


def message_id(root: Element) -> str | None:
    """Give the id of a message that may not be valid."""
    block = root.find("TransRefBlk")
    inner = block.find("MsgId") if block else None
    return _id(inner) if inner else None


def component(
    fault: Fault, numbers: Numbers, root: Element | None = None, *, retry_s: int | None = None
) -> ErrorComp:
    """Make the Error Component of a fault in a message."""
    desc = "".join(letter if letter.isprintable() else " " for letter in scrub(fault.rule))
    value = "".join(letter if letter.isprintable() else " " for letter in scrub(fault.value))
    return ErrorComp(
        id=numbers.next(),
        lang=_LANG,
        error_code=fault.code,
        error_desc=desc[:_DESC_LETTERS_MAX],
        severity=fault.severity,
        min_retry_secs=None if retry_s is None else str(retry_s),
        locations=(locate(fault, root),),
        contents=(Content(text=value[:_VALUE_LETTERS_MAX]),) if value or fault.attribute else (),
    )


def of_api(error: ErrorResponse, numbers: Numbers, place: ErrorLocation) -> ErrorComp | None:
    """Make the Error Component of what a payment bridge said; None when it is not to be told.

    The code becomes one of messages (RFC 3867, 3.1); `place` is what the core knows of the place
    (message, block, component), which the bridge leaves empty. What is wrong with wallets says
    nothing about them. Warn: a business error is never told so, ask the bridge for the state.
    """
    code = for_counterparty(error)
    if code is None:
        return None
    secret = tells_secrets(error)
    locations = tuple(
        ErrorLocation(
            element_type=place.element_type if secret else one.element_type,
            iotp_msg_ref=place.iotp_msg_ref,
            blk_ref=place.blk_ref,
            comp_ref=place.comp_ref,
            element_ref=None if secret else one.element_ref,
            att_name=None if secret else one.att_name,
        )
        for one in error.error_locations
    )
    transient = error.severity is Severity.TRANSIENT_ERROR
    return ErrorComp(
        id=numbers.next(),
        lang=error.lang or _LANG,
        error_code=code,
        error_desc="the payment software failed" if secret else error.error_desc,
        severity=error.severity,
        min_retry_secs=str(error.min_retry_secs)
        if transient and error.min_retry_secs is not None
        else None,
        sw_vendor_error_ref=error.sw_vendor_error_ref,
        locations=locations[:1] if transient or secret else locations,
    )


# Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who writes messages: its software, its language, and its trading role's id if it has one."""

    software_id: str
    lang: str = _LANG
    trading_role_ref: str | None = None


def header(
    trans_id: TransId, numbers: Numbers, sender: Sender, *, answers: str | None = None,
    time: Instant | None = None,
) -> TransRefBlk:  # fmt: skip
    """Make the transaction reference block of a message; `answers` is the id of another."""
    return TransRefBlk(
        id=numbers.next(),
        trans_id=trans_id,
        msg_id=MsgId(
            id=numbers.message,
            resp_iotp_msg=answers,
            lang=sender.lang,
            sender_trading_role_ref=sender.trading_role_ref,
            software_id=sender.software_id,
            time=time,
        ),
    )


def answer(
    head: TransRefBlk,
    errors: Sequence[ErrorComp],
    numbers: Numbers,
    scheme_data: Sequence[PaySchemeData] = (),
) -> IotpMessage:
    """Make a message that holds an Error Block alone.

    It tells one error if it is hard or transient, the worst; warnings go with a normal message,
    see `with_warnings`.
    """
    first = min(errors, key=lambda one: WORST_FIRST.index(one.severity))
    block = ErrorBlk(id=numbers.next(), errors=(first,), pay_scheme_data=tuple(scheme_data))
    return IotpMessage(trans_ref=head, error=block)


def with_warnings(
    message: IotpMessage, warnings: Sequence[ErrorComp], numbers: Numbers
) -> IotpMessage:  # fmt: skip
    """Add warnings to a message that is about to be sent."""
    if any(one.severity is not Severity.WARNING for one in warnings) or not message.blocks:
        raise LocalProtocolError("warnings go with trading blocks, and nothing else does")
    return IotpMessage(
        trans_ref=message.trans_ref,
        signatures=message.signatures,
        error=ErrorBlk(id=numbers.next(), errors=tuple(warnings)),
        blocks=message.blocks,
    )


def cancel(
    head: TransRefBlk, numbers: Numbers, of: StatusType, code: str, *, about: str | None = None,
    desc: str | None = None,
) -> IotpMessage:  # fmt: skip
    """Make a message that ends a transaction: a Cancel Block alone (3.10).

    `about` is the id of the Order, Payment, Delivery or AuthReq. Which codes go with which exchange
    says `sequence.ANSWERS`.
    """
    status = Status(
        id=numbers.next(),
        lang=head.msg_id.lang,
        status_type=of,
        el_ref=about,
        process_state=ProcessState.FAILED,
        completion_code=code,
        status_desc=desc,
    )
    return IotpMessage(trans_ref=head, blocks=(CancelBlk(id=numbers.next(), status=status),))


# What came


def worst(block: ErrorBlk) -> ErrorComp:
    """Give the error that decides: the first of the highest severity."""
    return min(block.errors, key=lambda one: WORST_FIRST.index(one.severity))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait before a message is sent again; `warning` when our own time is meant."""

    seconds: int
    warning: Fault | None = None


def patience(error: ErrorComp, default_s: int, most_s: int = 3600) -> Patience:
    """Say how long a transient error asks to wait.

    Without a MinRetrySecs that can be used, the default counts, and the next message carries the
    warning (7.21.1). Nobody waits longer than `most_s`.
    """
    text = error.min_retry_secs or ""
    if text.isascii() and text.isdecimal() and len(text) <= 9:
        return Patience(min(int(text), most_s))
    warning = Fault(
        ErrorCode.ATT_VAL_ILLEGAL if text else ErrorCode.ATT_MISSING,
        f"/{ROOT}/ErrorBlk/ErrorComp",
        "MinRetrySecs is a number of seconds",
        "RFC 2801, 7.21.1",
        "MinRetrySecs",
        text or "MinRetrySecs",
        Severity.WARNING,
    )
    return Patience(default_s, warning)


def hardened(message: IotpMessage) -> Severity | None:
    """Say how severe the Error Block of a message is; None when it has none.

    A warning without normal blocks, and a transient error with more than one error or location, are
    hard (7.21.1).
    """
    if message.error is None:
        return None
    first = worst(message.error)
    if first.severity is Severity.WARNING and not message.blocks:
        return Severity.HARD_ERROR
    many = len(message.error.errors) > 1 or len(first.locations) > 1
    if first.severity is Severity.TRANSIENT_ERROR and many:
        return Severity.HARD_ERROR
    return first.severity


@dataclass(frozen=True, slots=True)
class Salvage:
    """What could be read of a message that could not be read: its transaction, its id."""

    trans_id: TransId | None = None
    message_id: str | None = None


def salvage(data: bytes) -> Salvage:
    """Look for the names of a message in bytes that are not well-formed or not valid (4.5.2).

    Without `trans_id`, the answer goes in a transaction of its own, and says what is missing.
    """
    found: dict[str, Element] = {}
    for match in _TAG.finditer(data[: xml.LIMITS.bytes_max].decode("utf-8", "replace")):
        tag = f'<{match[1]} xmlns="{MESSAGE_NAMESPACE}"{match[2]}/>'
        try:
            found.setdefault(match[1], xml.read(tag))
        except RemoteProtocolError:
            continue
    name = found["MsgId"].get("ID") if "MsgId" in found else ""
    trans_id = _trans_id(found["TransId"]) if "TransId" in found else None
    return Salvage(trans_id, name if formats.is_token(name) else None)


def _trans_id(element: Element) -> TransId | None:
    attributes = {"ID": "X1", "xml:lang": _LANG, "SoftwareId": "-"}
    other = Element("MsgId", attributes, namespace=MESSAGE_NAMESPACE)
    block = Element("TransRefBlk", {"ID": "X1.1"}, (element, other), MESSAGE_NAMESPACE)
    wrapped = Element(ROOT, {}, (block,), MESSAGE_NAMESPACE)
    message, faults = decode(wrapped)
    if faults or message is None or not message.trans_id or not message.trans_ref.trans_id.id:
        return None
    return message.trans_ref.trans_id


NO_TRANSACTION = Fault(
    ErrorCode.ATT_MISSING,
    f"/{ROOT}/TransRefBlk/TransId",
    "the name of the transaction cannot be read",
    "RFC 2801, 4.5.2",
    "IotpTransId",
    "IotpTransId",
)
"""What is wrong with a message whose transaction cannot be told."""


BEING_PROCESSED = Fault(
    ErrorCode.MSG_BEING_PROC, f"/{ROOT}", "the same message is being processed",
    "RFC 2801, 4.5.2", severity=Severity.TRANSIENT_ERROR,
)  # fmt: skip
BUSY = Fault(
    ErrorCode.SYSTEM_BUSY, f"/{ROOT}", "busy, try again later", "RFC 2801, 4.5.2",
    severity=Severity.TRANSIENT_ERROR,
)  # fmt: skip
