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
from tollbridge.faces.iotp.message.faults import Fault, Places, Unreadable, shown
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
        return xml.read(data, limits=limits, dtd=message_dtd())
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
    if root.valid_for is message_dtd():
        return ()  # and holds nothing foreign
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
    reader = _Reader(root)
    return reader.part(IotpMessage, root), tuple(reader.faults)


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
    """Give a part's element: the one it was read from, or one made of its fields, once."""
    if part.source is not None:
        return part.source
    if part.made is not None:
        return part.made
    plan = _plan(type(part))
    attributes = {}
    for name, called, writer in plan.writers:
        value = getattr(part, name)
        if value is not None and value != ():
            attributes[called] = writer(value)
        elif value is None and writer is _write_time_or_na:
            attributes[called] = NOT_APPLICABLE
    children = (*_children(plan, part), *part.more)
    made = Element(plan.name, attributes, children, MESSAGE_NAMESPACE)
    object.__setattr__(part, "made", made)
    return made


def _children(plan: "Plan", part: Part) -> list[Node]:
    found: list[Node] = []
    for name, inside in plan.insides:
        value = getattr(part, name)
        if inside is Inside.TEXT:
            found += [value] if value else []
        elif inside is Inside.ANYTHING:
            found += value
        elif isinstance(value, tuple):
            found += [_child(one) for one in value]
        elif value is not None:
            found.append(_child(value))
    return found


def _child(value: Part | Content) -> Element:
    if isinstance(value, Part):
        return element_of(value)
    attributes = {"Name": value.name} if value.name is not None else {}
    attributes |= {"Content": value.content, "Transform": value.transform}
    return Element(PACKAGED, attributes, (value.text,) if value.text else (), MESSAGE_NAMESPACE)


# What attributes hold


_NOT_APPLICABLE = object()


def _reader(place: At) -> Callable[[str], Any] | None:
    """Give what reads an attribute: None is what it makes of nonsense."""
    match place.kind:
        case Kind.TEXT:
            return None
        case Kind.WORD if place.name in _TOLD_DIFFERENTLY:
            return _known_word
        case Kind.CHOICE:
            assert place.choice is not None, "a choice says of what"
            return {str(one): one for one in place.choice if one is not ProcessState.SUSPENDED}.get
    return _READERS[place.kind]


def _word(text: str) -> str | None:
    if formats.is_token(text):
        return text
    word = formats.plain(text)
    return word if formats.is_token(word) else None


def _known_word(text: str) -> str | None:
    word = _word(text)
    return word if word is None else known_as(word)


def _words(text: str) -> tuple[str, ...] | None:
    words = tuple(formats.plain(text).split(" "))
    return words if all(map(formats.is_token, words)) else None


def _time_or_na(text: str) -> object:
    return _NOT_APPLICABLE if text == NOT_APPLICABLE else formats.instant(text)


_READERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.ID: _word,
    Kind.WORD: _word,
    Kind.WORDS: _words,
    Kind.REF: _word,
    Kind.REFS: _words,
    Kind.FLAG: {"True": True, "False": False}.get,
    Kind.SMALL_FLAG: {"true": True, "false": False}.get,
    Kind.TIME: formats.instant,
    Kind.TIME_OR_NA: _time_or_na,
    Kind.AMOUNT: formats.amount,
}


def _write_flag(value: bool) -> str:  # noqa: FBT001 - one of a table of writers
    return "True" if value else "False"


def _write_small_flag(value: bool) -> str:  # noqa: FBT001 - one of a table of writers
    return "true" if value else "false"


def _write_time_or_na(value: Instant) -> str:
    return formats.write_instant(value)


def _write_choice(value: StrEnum) -> str:
    if value is ProcessState.SUSPENDED:
        return ProcessState.IN_PROGRESS.value  # leaves no party (RFC 3867, 3.2)
    return str(value)


_WRITERS: Mapping[Kind, Callable[[Any], str]] = {
    Kind.WORDS: " ".join,
    Kind.REFS: " ".join,
    Kind.FLAG: _write_flag,
    Kind.SMALL_FLAG: _write_small_flag,
    Kind.TIME: formats.write_instant,
    Kind.TIME_OR_NA: _write_time_or_na,
    Kind.AMOUNT: formats.write_amount,
    Kind.CHOICE: _write_choice,
}


# What the values say of themselves


@dataclass(frozen=True, slots=True)
class Plan:
    """A kind of part: its element's name, its attributes (field, which, needed), what is inside.

    The same again for those in a hurry: `readers` of the attributes (None: text as it is), their
    `writers`, the attributes that are `references`; the fields that `hold` parts, those with
    contents (`packed`), and the `elements` inside (field, kind, many) by their names.
    """

    kind: type
    name: str
    attributes: tuple[tuple[str, At, bool], ...]
    insides: tuple[tuple[str, Has | Inside], ...]
    readers: tuple[tuple[str, str, bool, At, Callable[[str], Any] | None], ...]
    writers: tuple[tuple[str, str, Callable[[Any], str]], ...]
    references: tuple[At, ...]
    hold: tuple[str, ...]
    packed: tuple[str, ...]
    elements: Mapping[str, tuple[str, type, bool]]


_MADE: dict[type, Plan] = {}


def _plan(kind: type) -> Plan:
    found = _MADE.get(kind)
    if found is None:
        found = _MADE[kind] = _planned(kind)
    return found


def _planned(kind: type) -> Plan:
    attributes: list[tuple[str, At, bool]] = []
    insides: list[tuple[str, Has | Inside]] = []
    elements: dict[str, tuple[str, type, bool]] = {}
    for one in fields(kind):
        place = one.metadata.get(SHAPE)
        if isinstance(place, At):
            needed = one.default is MISSING and one.default_factory is MISSING
            attributes.append((one.name, place, needed))
        elif place is not None:
            insides.append((one.name, place))
            if isinstance(place, Has):
                for inner in place.kinds:
                    elements[_element_name(inner)] = one.name, inner, place.many
    return Plan(
        kind,
        kind.__name__,
        tuple(attributes),
        tuple(insides),
        tuple([(name, at.name, needed, at, _reader(at)) for name, at, needed in attributes]),
        tuple([(name, at.name, _WRITERS.get(at.kind, str)) for name, at, _ in attributes]),
        tuple([at for _, at, _ in attributes if at.kind in {Kind.REF, Kind.REFS}]),
        tuple(dict.fromkeys(name for name, kind, _ in elements.values() if kind is not Content)),
        tuple(dict.fromkeys(name for name, kind, _ in elements.values() if kind is Content)),
        elements,
    )


def _element_name(kind: type) -> str:
    return PACKAGED if kind is Content else kind.__name__


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
    def __init__(self, root: Element) -> None:
        self.places = Places(root)
        self.faults: list[Fault] = []

    def part(self, kind: type[P], element: Element) -> P:
        plan = _plan(kind)
        values: dict[str, Any] = {}
        given = element.attributes
        for name, called, needed, place, reader in plan.readers:
            text = given.get(called)
            if text is None:
                if not needed:
                    continue
                text = ""
            if reader is not None:
                value = reader(text)
                if value is None:
                    value = self.instead(place, text, element)
                values[name] = None if value is _NOT_APPLICABLE else value
            else:
                values[name] = text
        if plan.insides or element.children:
            self.inside(plan, values, element)
        made = kind(**values)
        object.__setattr__(made, "source", element)
        return made

    def inside(self, plan: Plan, values: dict[str, Any], element: Element) -> None:
        more: list[Element] = []
        for one in element.elements:
            if one.namespace != MESSAGE_NAMESPACE:
                more.append(one)
                continue
            place = plan.elements.get(one.name)
            if place is None:
                continue
            name, kind, many = place
            made = self.content(one) if kind is Content else self.part(kind, one)
            if many:
                values.setdefault(name, []).append(made)
            else:
                values.setdefault(name, made)
        if more:
            values["more"] = tuple(more)
        for name, inside in plan.insides:
            if inside is Inside.TEXT:
                values[name] = element.text
            elif inside is Inside.ANYTHING:
                values[name] = element.children
            elif inside.many:
                values[name] = tuple(values.get(name, ()))

    def content(self, element: Element) -> Content:
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
                Fault(ErrorCode.EL_CONT_ILLEGAL, self.places.of(element), rule, "RFC 2801, 3.7")
            )
        return content

    def instead(self, place: At, text: str, element: Element) -> Any:
        """Note that a value is not what it should be, and give another one."""
        rule = f"{place.name} is {place.kind.value}, not {shown(text)}"
        path, section = self.places.of(element), _SECTIONS[place.kind]
        self.faults.append(Fault(ErrorCode.ATT_VAL_ILLEGAL, path, rule, section, place.name, text))
        return _INSTEAD[place.kind](place)


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
