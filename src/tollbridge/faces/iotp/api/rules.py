"""The rules of the Payment API that its DTD cannot say (RFC 3867, 3 and 4).

`broken` looks at one call, response or error; the codec and `perform` both ask it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.elements import Content, ErrorResponse
from tollbridge.faces.iotp.api.errors import TRANSIENT_ONLY
from tollbridge.faces.iotp.api.faults import Fault, shown
from tollbridge.faces.iotp.api.formats import is_name, is_token, write_amount
from tollbridge.faces.iotp.api.names import PACKAGED, Kind
from tollbridge.faces.iotp.api.shapes import BY_TYPE, SHAPES, Attribute, Child, Shape
from tollbridge.faces.iotp.api.states import FINAL
from tollbridge.faces.iotp.api.words import (
    ROLE_DATA_PREFIX,
    CompletionCode,
    ContStatus,
    ErrorCode,
    ProcessState,
    Severity,
)

NEED_DATA = (
    calls.StartPaymentPaymentHandlerResponse,
    calls.ResumePaymentPaymentHandlerResponse,
    calls.ContinueProcessResponse,
)
"""Responses that must bring scheme data when they say Continue."""
_CODES = frozenset(CompletionCode)
_AS_THEY_COME = {Kind.TEXT, Kind.SECRET, Kind.CHOICE}
_CHECKED: Mapping[str, tuple[Attribute, ...]] = {
    xml: tuple([
        one for one in shape.attributes
        if one.named.kind is not Kind.MOMENT
        and (one.named.letters_max or one.named.kind not in _AS_THEY_COME)
    ])
    for xml, shape in SHAPES.items()
}  # fmt: skip
"""The attributes of each element that a typed value may still get wrong."""
_PACKED: Mapping[str, tuple[Child, ...]] = {
    xml: tuple([child for child in shape.children if child.xml in PACKAGED])
    for xml, shape in SHAPES.items()
}
_INSIDE: Mapping[str, tuple[Child, ...]] = {
    xml: tuple(
        [
            child
            for child in shape.children
            if child.xml not in PACKAGED and child.xml != "Parameter"
        ]
    )
    for xml, shape in SHAPES.items()
}


def broken(value: Any, place: str = "") -> list[Fault]:
    """List the rules that a call, a response or an error breaks."""
    shape = BY_TYPE[type(value)]
    place = place or f"/{shape.xml}"
    faults = list(_lengths(shape, value, place))
    faults += _contents(shape, value, place)
    faults += [
        Fault(code, place, shape.xml, rule, attribute, section=section)
        for code, attribute, rule, section in _special(value)
    ]
    return faults


def fits(call: Any, response: Any) -> list[Fault]:
    """List what is wrong with a response as the answer to this call."""
    match call, response:
        case calls.FindAcceptedPaymentProtocol(brand_id=None), (
            calls.FindAcceptedPaymentProtocolResponse()
        ):
            named = response.brand_items and all(one.brands for one in response.protocol_items)
            if not named:
                rule = "asked without BrandId, brands are named and each protocol names its own"
                return [_missing("FindAcceptedPaymentProtocolResponse", "BrandItem", rule)]
        case calls.InquirePaymentStatus(), calls.InquirePaymentStatusResponse():
            if call.payment_handler_pay_id != response.payment_handler_pay_id:
                rule = "PaymentHandlerPayId is not the one that was asked for"
                element = "InquirePaymentStatusResponse"
                return [Fault(ErrorCode.EL_INCONSISTENT, f"/{element}", element, rule)]
    return []


def _missing(element: str, child: str, rule: str) -> Fault:
    return Fault(ErrorCode.EL_MISSING, f"/{element}", child, rule, section="RFC 3867, 4.1.2")


def _lengths(shape: Shape, value: Any, place: str) -> Iterator[Fault]:
    """Check what a typed value may still get wrong: lengths and tokens, also inside (3.2)."""
    for attribute in _CHECKED[shape.xml]:
        named = attribute.named
        given = getattr(value, named.python)
        if given is None or given == ():
            continue
        if named.kind is Kind.TEXT and len(given) <= named.letters_max:
            continue  # most of them
        for text in given if isinstance(given, tuple) else (_text(attribute, given),):
            wrong = _wrong(attribute, text)
            if wrong:
                secret = named.kind is Kind.SECRET
                code = ErrorCode.ATT_NOT_VALID if wrong[0] else ErrorCode.ATT_VAL_ILLEGAL
                show = "" if secret else f" ({shown(text)})"
                yield Fault(code, place, shape.xml, wrong[1] + show, error_name(attribute.xml),
                            section="RFC 3867, 3.2")  # fmt: skip
    for child in _INSIDE[shape.xml]:
        held = getattr(value, child.python)
        for place_in, one in _each(child.xml, held, place):
            yield from _lengths(SHAPES[child.xml], one, place_in)


def _each(xml: str, held: Any, place: str) -> Iterator[tuple[str, Any]]:
    several = held if isinstance(held, tuple) else (held,) if held is not None else ()
    for number, one in enumerate(several, 1):
        yield f"{place}/{xml}" + (f"[{number}]" if len(several) > 1 else ""), one


def _text(attribute: Attribute, given: Any) -> str:
    match attribute.named.kind:
        case Kind.SECRET:
            text: str = given.reveal()
            return text
        case Kind.AMOUNT:
            return write_amount(given)
        case Kind.MOMENT:
            return ""
        case _:
            return str(given)


def _wrong(attribute: Attribute, text: str) -> tuple[bool, str] | None:
    """Say what is wrong with an attribute's text, and whether it is its form."""
    named = attribute.named
    kind = named.kind
    if (kind is Kind.TOKEN or kind is Kind.TOKENS or kind is Kind.CODE) and not is_token(text):
        return True, f"{attribute.xml} is no token"
    if kind is Kind.ID and not is_name(text):
        return True, f"{attribute.xml} is no name"
    if kind is Kind.AMOUNT and not text.replace(".", "", 1).isdecimal():
        return True, f"{attribute.xml} is no amount"
    if kind is Kind.PERCENT and not 0 <= int(text) <= 100:
        return True, f"{attribute.xml} is between 0 and 100"
    if kind is Kind.CODE and text in _CODES:
        return None  # InstBrandInvalid is longer than the standard says
    if named.letters_max and len(text) > named.letters_max:
        return False, f"{attribute.xml} has more than {named.letters_max} letters"
    return None


def _contents(shape: Shape, value: Any, place: str) -> Iterator[Fault]:
    """Check packaged contents: their form, and the names of trading role data (3.2)."""
    for child in _PACKED[shape.xml]:
        for inside, content in _each(child.xml, getattr(value, child.python), place):
            yield from _content(child.xml, content, inside)


def _content(xml: str, content: Content, place: str) -> Iterator[Fault]:
    section = "RFC 3867, 3.2"
    if content.name is not None and not is_token(content.name):
        rule = f"Name is no token ({shown(content.name)})"
        yield Fault(ErrorCode.ATT_NOT_VALID, place, xml, rule, "Name", section=section)
    try:
        content.data  # noqa: B018
    except ValueError:
        rule = "the text is not base 64, as Transform says"
        yield Fault(ErrorCode.EL_CONT_ILLEGAL, place, xml, rule, section="RFC 2801, 3.7")
    if xml == "TradingRoleDataPackagedContent" and not (content.name or "").startswith(
        ROLE_DATA_PREFIX
    ):
        rule = f"Name begins with {ROLE_DATA_PREFIX} when it is for a payment bridge"
        yield Fault(ErrorCode.ATT_VAL_ILLEGAL, place, xml, rule, "Name", section=section)


_Special = tuple[ErrorCode, str, str, str]


def _special(value: Any) -> Iterator[_Special]:
    """Check what is said of single functions."""
    if isinstance(value, ErrorResponse):
        yield from _error(value)
        return
    yield from _state(value)
    yield from _times(value)
    yield from _one_function(value)
    if getattr(value, "call_back_function", None) is not None and not value.call_back_language_list:
        rule = "CallBackFunction comes with the languages its texts may have"
        yield ErrorCode.ATT_MISSING, "CallBackLanguageList", rule, "RFC 3867, 3.2"
    if isinstance(value, NEED_DATA) and value.cont_status is ContStatus.CONTINUE:
        if not value.pay_scheme_packaged_content:
            rule = "ContStatus is Continue, and there is no scheme data to continue with"
            yield ErrorCode.EL_MISSING, "", rule, "RFC 3867, 4.3"


def _times(value: Any) -> Iterator[_Special]:
    start, end = getattr(value, "ok_from", None), getattr(value, "ok_to", None)
    if start is not None and end is not None and end < start:
        for name in ("OkFrom", "OkTo"):
            yield ErrorCode.EL_INCONSISTENT, name, "OkTo is before OkFrom", "RFC 3867, 3.2"


def _one_function(value: Any) -> Iterator[_Special]:
    match value:
        case calls.ManagePaymentSoftware() if value.action is not None:
            for name, given in (("BrandId", value.brand_id), ("ProtocolId", value.protocol_id)):
                if given is None:
                    rule = f"Action comes with {name}"
                    yield ErrorCode.ATT_MISSING, name, rule, "RFC 3867, 4.6.1"
        case calls.FindAcceptedPaymentProtocol(brand_id=None) if value.brand_packaged_content:
            rule = "BrandPackagedContent comes with BrandId only"
            yield ErrorCode.EL_UNEXPECTED, "", rule, "RFC 3867, 4.1.2"
        case calls.FindAcceptedPaymentProtocolResponse() if not value.protocol_items:
            rule = "at least one protocol; that there is none is an error's business"
            yield ErrorCode.EL_MISSING, "", rule, "RFC 3867, 4.1.2"
        case calls.InquireAuthChallenge() if _twice([one.id for one in value.algorithms]):
            rule = "two algorithms have the same ID"
            yield ErrorCode.EL_INCONSISTENT, "", rule, "XML 1.0, 3.3.1"
        case calls.ContinueProcess() if not value.pay_scheme_packaged_content:
            rule = "there is no scheme data to continue with"
            yield ErrorCode.EL_MISSING, "", rule, "RFC 3867, 4.3.5"


def _state(value: Any) -> Iterator[_Special]:
    state = getattr(value, "process_state", None)
    if state is ProcessState.FAILED and value.completion_code is None:
        rule = "ProcessState is Failed, and no CompletionCode says why"
        yield ErrorCode.ATT_MISSING, "CompletionCode", rule, "RFC 3867, 3.2"
    percent = getattr(value, "percent_complete", None)
    if percent == 100 and state is not None and state not in FINAL:
        rule = "PercentComplete is at most 99 while the payment is not over"
        yield ErrorCode.VALUE_TOO_LARGE, "PercentComplete", rule, "RFC 3867, 3.2"


def _error(error: ErrorResponse) -> Iterator[_Special]:
    transient = error.severity is Severity.TRANSIENT_ERROR
    section = "RFC 3867, 3.1"
    if error.error_code in TRANSIENT_ONLY and not transient:
        rule = f"{error.error_code} is a TransientError"
        yield ErrorCode.ATT_VAL_ILLEGAL, "Severity", rule, section
    if transient and len(error.error_locations) != 1:
        yield ErrorCode.EL_UNEXPECTED, "", "a TransientError has one ErrorLocation", section
    if not error.error_locations:
        yield ErrorCode.EL_MISSING, "", "an error has a place", section
    seconds = error.min_retry_secs
    if transient and seconds is not None and not (seconds.isascii() and seconds.isdecimal()):
        yield ErrorCode.ATT_NOT_VALID, "MinRetrySecs", "MinRetrySecs is whole seconds", section
    for place in error.error_locations:
        if place.iotp_msg_ref or place.blk_ref or place.comp_ref:
            rule = "references to the message are for the core to fill"
            yield ErrorCode.ATT_UNEXPECTED, "IotpMsgRef", rule, section


def _twice(names: list[str]) -> bool:
    return len(set(names)) < len(names)


def error_name(xml: str) -> str:
    """Give an attribute's name as errors write it (D-03)."""
    return {"WalletID": "WalletId"}.get(xml, xml)
