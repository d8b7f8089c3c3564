"""Messages to XML and back, driven by what the values say of themselves (`shape`).

Reading: well-formed, nothing foreign that is critical, valid, every attribute what it should be.
Whether the parts fit one another is asked of `rules`. Writing: attributes and elements in the order
of the document type, with every default written out, so that digests do not depend on who reads
(D-12); a part that was read is written as it came.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Transform
from tollbridge.faces.iotp.dtd import MESSAGE_NAMESPACE, message_dtd
from tollbridge.faces.iotp.message.blocks import IotpMessage
from tollbridge.faces.iotp.message.faults import Fault, Unreadable, shown
from tollbridge.faces.iotp.message.shape import SHAPE, At, Has, Inside, Kind, Part
from tollbridge.faces.iotp.message.words import known_as
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError
from tollbridge.wire import xml
from tollbridge.wire.xml import LIMITS, Element, Limits, Node

P = TypeVar("P", bound=Part)

ROOT = "IotpMessage"
PACKAGED = "PackagedContent"
CRITICAL = f"{{{MESSAGE_NAMESPACE}}}Critical"
NOT_APPLICABLE = "NA"
_VALID = "RFC 2801, 13"
_TOLD_DIFFERENTLY = {"CompletionCode", "CurrCodeType", "ErrorCode", "StatusType", "TradingRole"}


def read(
    data: bytes | str, *, namespaces: Collection[str] = (), limits: Limits = LIMITS
) -> IotpMessage:
    """Read a message. Raises Unreadable, whose `faults` say everything that was found.

    Elements of other namespaces are kept and ignored when they say that they are not critical, or
    when their namespace is one of `namespaces`: those the caller knows (RFC 2801, 3.6).
    """
    return read_root(well_formed(data, limits=limits), namespaces=namespaces)


def well_formed(data: bytes | str, *, limits: Limits = LIMITS) -> Element:
    """Read XML. Raises Unreadable: not well-formed, or too large."""
    try:
        return xml.read(data, limits=limits)
    except RemoteProtocolError as error:
        raise Unreadable([Fault(ErrorCode(error.hint), "/", str(error), "RFC 2801, 4.3")]) from None


def read_root(root: Element, *, namespaces: Collection[str] = ()) -> IotpMessage:
    """Read a message from its root element, as `read` does."""
    faults = invalid(root, namespaces)
    message: IotpMessage | None = None
    if not faults:
        message, faults = decode(root)
    if message is None or faults:
        raise Unreadable(faults)
    return message


def invalid(root: Element, namespaces: Collection[str] = ()) -> tuple[Fault, ...]:
    """Say what makes an element no valid message: its document type, or critical strangers."""
    if root.name != ROOT or root.namespace != MESSAGE_NAMESPACE:
        rule = f"the root is {ROOT} of the namespace {MESSAGE_NAMESPACE}, not {shown(root.name)}"
        return (Fault(ErrorCode.XML_NOT_VALID, f"/{root.name}", rule, "RFC 2801, 3.2"),)
    found = [
        Fault(ErrorCode.XML_NOT_VALID, one.path, f"{one.rule} (line {one.line})", _VALID)
        for one in message_dtd().violations(root)
    ]
    return (*found, *_strangers(root, "/" + ROOT, frozenset(namespaces), critical=True))


def _strangers(
    element: Element, path: str, namespaces: frozenset[str], *, critical: bool
) -> list[Fault]:
    found = []
    for child in element.elements:
        place = f"{path}/{child.name}"
        counts = (child.get(CRITICAL) or child.get("Critical")).lower()
        matters = counts != "false" if counts else critical
        if child.namespace in {MESSAGE_NAMESPACE, *namespaces}:
            found += _strangers(child, place, namespaces, critical=True)
        elif matters:
            rule = f"{shown(child.name)} of {shown(child.namespace)} is critical and not known here"
            found.append(Fault(ErrorCode.EL_NOT_SUPP, place, rule, "RFC 2801, 3.6"))
        else:
            found += _strangers(child, place, namespaces, critical=False)
    return found


def decode(root: Element) -> tuple[IotpMessage | None, tuple[Fault, ...]]:
    """Make the value of a valid message, and say which attributes are not what they should be.

    Where one is not, some other value stands in its place.
    """
    reader = _Reader()
    return reader.part(IotpMessage, root, f"/{ROOT}"), tuple(reader.faults)


def write(message: IotpMessage, *, validate: bool = False) -> bytes:
    """Write a message. Raises LocalProtocolError for what XML or, if asked, its DTD does not allow.

    Asking costs about as much as writing.
    """
    return xml.write(valid(message) if validate else element_of(message))


def valid(message: IotpMessage) -> Element:
    """Give a message's element. Raises LocalProtocolError when it would not be valid."""
    root = element_of(message)
    found = message_dtd().violations(root)
    if found:
        raise LocalProtocolError(f"{found[0].path}: {found[0].rule}")
    return root


def element_of(part: Part) -> Element:
    """Give a part's element: the one it was read from, or one made of its fields."""
    if part.source is not None:
        return part.source
    plan = _plan(type(part))
    attributes = {}
    for name, place, _ in plan.attributes:
        value = getattr(part, name)
        if value is None and place.kind is Kind.TIME_OR_NA:
            attributes[place.name] = NOT_APPLICABLE
        elif value is not None and value != ():
            attributes[place.name] = _written(place, value)
    children: list[Node] = []
    for name, inside in plan.insides:
        value = getattr(part, name)
        match inside:
            case Inside.TEXT:
                children += [value] if value else []
            case Inside.ANYTHING:
                children += value
            case Has(many=True):
                children += [_child(one) for one in value]
            case _ if value is not None:
                children.append(_child(value))
    return Element(plan.name, attributes, (*children, *part.more), MESSAGE_NAMESPACE)


def _child(value: Part | Content) -> Element:
    if isinstance(value, Part):
        return element_of(value)
    attributes = {"Name": value.name} if value.name is not None else {}
    attributes |= {"Content": value.content, "Transform": value.transform}
    return Element(PACKAGED, attributes, (value.text,) if value.text else (), MESSAGE_NAMESPACE)


# What the values say of themselves


@dataclass(frozen=True, slots=True)
class Plan:
    """A kind of part: its element's name, its attributes (field, which, needed), what is inside."""

    kind: type
    name: str
    attributes: tuple[tuple[str, At, bool], ...]
    insides: tuple[tuple[str, Has | Inside], ...]


_MADE: dict[type, Plan] = {}


def _plan(kind: type) -> Plan:
    found = _MADE.get(kind)
    if found is None:
        found = _MADE[kind] = _planned(kind)
    return found


def _planned(kind: type) -> Plan:
    attributes, insides = [], []
    for one in fields(kind):
        place = one.metadata.get(SHAPE)
        if isinstance(place, At):
            needed = one.default is MISSING and one.default_factory is MISSING
            attributes.append((one.name, place, needed))
        elif place is not None:
            insides.append((one.name, place))
    return Plan(kind, kind.__name__, tuple(attributes), tuple(insides))


def _all(kind: type, found: dict[str, Plan]) -> dict[str, Plan]:
    plan = _plan(kind)
    found[plan.name] = plan
    for _, inside in plan.insides:
        if isinstance(inside, Has):
            for inner in inside.kinds:
                if inner is not Content and inner.__name__ not in found:
                    _all(inner, found)
    return found


PLANS: Mapping[str, Plan] = _all(IotpMessage, {})
"""Every kind of part by its element's name, but PackagedContent, which is the API's `Content`."""


# Reading


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def part(self, kind: type[P], element: Element, path: str) -> P:
        plan = _plan(kind)
        values: dict[str, Any] = {}
        for name, place, needed in plan.attributes:
            text = element.attributes.get(place.name)
            if text is not None:
                values[name] = self.value(place, text, path)
            elif needed:
                values[name] = self.value(place, "", path)
        for name, inside in plan.insides:
            match inside:
                case Inside.TEXT:
                    values[name] = element.text
                case Inside.ANYTHING:
                    values[name] = element.children
                case Has():
                    self.children(values, name, inside, element, path)
        more = tuple(one for one in element.elements if one.namespace != MESSAGE_NAMESPACE)
        if more:
            values["more"] = more
        made = kind(**values)
        object.__setattr__(made, "source", element)
        return made

    def children(
        self, values: dict[str, Any], name: str, inside: Has, element: Element, path: str
    ) -> None:
        kinds = {_element_name(kind): kind for kind in inside.kinds}
        inner = element.elements
        names = [one.name for one in inner]
        seen: dict[str, int] = {}
        found: list[Any] = []
        for one in inner:
            seen[one.name] = place = seen.get(one.name, 0) + 1
            if one.name in kinds and one.namespace == MESSAGE_NAMESPACE:
                number = f"[{place}]" if names.count(one.name) > 1 else ""
                where = f"{path}/{one.name}{number}"
                kind = kinds[one.name]
                found.append(
                    self.content(one, where) if kind is Content else self.part(kind, one, where)
                )
        if inside.many:
            values[name] = tuple(found)
        elif found:
            values[name] = found[0]

    def content(self, element: Element, path: str) -> Content:
        content = Content(
            text=element.text,
            name=element.attributes.get("Name"),
            content=element.get("Content", "PCDATA"),
            transform=Transform(element.get("Transform", "NONE")),
        )
        try:
            _ = content.data
        except ValueError:
            rule = "the content is not base 64"
            self.faults.append(
                Fault(ErrorCode.EL_CONT_ILLEGAL, path, rule, "RFC 2801, 3.7")
            )  # fmt: skip
        return content

    def value(self, place: At, text: str, path: str) -> Any:
        if place.kind is Kind.TEXT:
            return text
        value = _read_value(place, text)
        if value is None:
            rule = f"{place.name} is {place.kind.value}, not {shown(text)}"
            self.faults.append(
                Fault(
                    ErrorCode.ATT_VAL_ILLEGAL, path, rule, _SECTIONS[place.kind], place.name, text
                )
            )
            value = _INSTEAD[place.kind](place)
        return None if value is _NOT_APPLICABLE else value


def _element_name(kind: type) -> str:
    return PACKAGED if kind is Content else kind.__name__


_NOT_APPLICABLE = object()
_SECTIONS = {
    Kind.ID: "RFC 2801, 3.4",
    Kind.WORD: _VALID,
    Kind.WORDS: _VALID,
    Kind.REF: "RFC 2801, 3.5",
    Kind.REFS: "RFC 2801, 3.5",
    Kind.FLAG: _VALID,
    Kind.SMALL_FLAG: "RFC 2802, 4.6",
    Kind.TIME: "RFC 2801, 3.3",
    Kind.TIME_OR_NA: "RFC 2801, 3.3.1",
    Kind.AMOUNT: "RFC 2801, 7.7.4",
    Kind.CHOICE: _VALID,
}
_INSTEAD: Mapping[Kind, Callable[[At], Any]] = {
    Kind.ID: lambda _: "",
    Kind.WORD: lambda _: "",
    Kind.WORDS: lambda _: (),
    Kind.REF: lambda _: "",
    Kind.REFS: lambda _: (),
    Kind.FLAG: lambda _: False,
    Kind.SMALL_FLAG: lambda _: True,
    Kind.TIME: lambda _: Instant(0),
    Kind.TIME_OR_NA: lambda _: _NOT_APPLICABLE,
    Kind.AMOUNT: lambda _: formats.amount("0"),
    Kind.CHOICE: lambda place: next(iter(place.choice or ())),
}


def _read_value(place: At, text: str) -> Any:
    match place.kind:
        case Kind.WORD | Kind.ID | Kind.REF:
            word = formats.plain(text)
            if not formats.is_token(word):
                return None
            return known_as(word) if place.name in _TOLD_DIFFERENTLY else word
        case Kind.WORDS | Kind.REFS:
            words = tuple(formats.plain(text).split(" "))
            return words if all(map(formats.is_token, words)) else None
        case Kind.FLAG:
            return {"True": True, "False": False}.get(text)
        case Kind.SMALL_FLAG:
            return {"true": True, "false": False}.get(text)
        case Kind.TIME_OR_NA if text == NOT_APPLICABLE:
            return _NOT_APPLICABLE
        case Kind.TIME | Kind.TIME_OR_NA:
            return formats.instant(text)
        case Kind.AMOUNT:
            return formats.amount(text)
        case _:
            return _choice(place.choice, text)


def _choice(choice: type[StrEnum] | None, text: str) -> StrEnum | None:
    try:
        found = choice(text) if choice else None
    except ValueError:
        return None
    return None if found is ProcessState.SUSPENDED else found


def _written(place: At, value: Any) -> str:
    match place.kind:
        case Kind.WORDS | Kind.REFS:
            return " ".join(value)
        case Kind.FLAG:
            return "True" if value else "False"
        case Kind.SMALL_FLAG:
            return "true" if value else "false"
        case Kind.TIME | Kind.TIME_OR_NA:
            return formats.write_instant(value)
        case Kind.AMOUNT:
            return formats.write_amount(value)
        case Kind.CHOICE if value is ProcessState.SUSPENDED:
            return ProcessState.IN_PROGRESS  # leaves no party (RFC 3867, 3.2)
        case _:
            return str(value)
