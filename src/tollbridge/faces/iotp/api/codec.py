"""Payment API documents: read strictly, written so that they are valid by its DTD (RFC 3867, 3).

Everything follows from the tables of `shapes`. Reading finds all faults at once, each with its
code, place and rule; what is written is what was given, in the order of the DTD.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.api.answer import Answer, Call
from tollbridge.faces.iotp.api.elements import Content, ErrorResponse, Parameter
from tollbridge.faces.iotp.api.faults import Fault, Unreadable, shown
from tollbridge.faces.iotp.api.names import ATTRIBUTES, PACKAGED, PLAIN_NAMES, Kind, Named
from tollbridge.faces.iotp.api.rules import broken, error_name
from tollbridge.faces.iotp.api.shapes import (
    BY_TYPE,
    ELEMENTS,
    REQUESTS,
    RESPONSES,
    SHAPES,
    Attribute,
    Child,
    Shape,
)
from tollbridge.faces.iotp.api.words import ALIASES, NAMESPACE, ErrorCode, Severity
from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.wire import xml
from tollbridge.wire.xml import Element, Node

REQUEST, RESPONSE = "IotpPaymentApiRequest", "IotpPaymentApiResponse"
SOFTWARE = "ContentSoftwareID"
_WRAPPER = (
    Attribute("xml:lang", ATTRIBUTES["xml:lang"], required=False),
    Attribute(SOFTWARE, ATTRIBUTES[SOFTWARE], required=False),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request document. `software`: who wrote it (maker, name, version, build)."""

    call: Call[Any]
    lang: str | None = None
    software: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A response document."""

    answer: Answer[Any]
    lang: str | None = None
    software: str | None = None


# Writing


def write(document: Request | Response) -> bytes:
    """Write a document. Raises LocalProtocolError when it would break the rules."""
    return xml.write(element_of(document))


def element_of(document: Request | Response) -> Element:
    """Make the element of a document. Raises LocalProtocolError when it would break the rules."""
    values: list[Any]
    if isinstance(document, Request):
        name, values = REQUEST, [document.call]
    else:
        name = RESPONSE
        answer = document.answer
        values = [value for value in (answer.error, answer.result) if value is not None]
    for value in values:
        faults = broken(value)
        if faults:
            raise LocalProtocolError(f"{faults[0].place}: {faults[0].rule}")
    attributes = {}
    if document.lang is not None:
        attributes["xml:lang"] = document.lang
    if document.software is not None:
        attributes[SOFTWARE] = document.software
    children = tuple([_element(BY_TYPE[type(value)], value) for value in values])
    return Element(name, attributes, children, NAMESPACE)


def _element(shape: Shape, value: Any) -> Element:
    attributes = {}
    for attribute in shape.attributes:
        given = getattr(value, attribute.named.python)
        if given is not None and given != ():
            attributes[attribute.xml] = _written(attribute.named, given)
    children: tuple[Node, ...]
    match value:
        case Content():
            children = (value.text,) if value.text else ()
        case Parameter():
            children = value.nodes
        case _:
            children = tuple(_children(shape, value))
    return Element(shape.xml, attributes, children, NAMESPACE)


def _children(shape: Shape, value: Any) -> Iterator[Element]:
    for child in shape.children:
        held = getattr(value, child.python)
        for one in held if child.many else () if held is None else (held,):
            yield _element(SHAPES[child.xml], one)


def _written(named: Named, given: Any) -> str:
    match named.kind:
        case Kind.TOKENS:
            return " ".join(given)
        case Kind.AMOUNT:
            return formats.write_amount(given)
        case Kind.MOMENT:
            return formats.write_instant(given)
        case Kind.SECRET:
            text: str = given.reveal()
            return text
        case _:
            return str(given)


# Reading


def read(data: bytes) -> Request | Response:
    """Read a document of either kind. Raises Unreadable."""
    return document_of(_parsed(data))


def read_request(data: bytes) -> Request:
    """Read a request. Raises Unreadable; its `error` is what to answer."""
    document = read(data)
    if isinstance(document, Request):
        return document
    raise Unreadable([_wrong_root(RESPONSE, REQUEST)])


def read_response(data: bytes, call: Call[Any] | None = None) -> Response:
    """Read a response, the one to `call` if that is given. Raises Unreadable."""
    document = read(data)
    if not isinstance(document, Response):
        raise Unreadable([_wrong_root(REQUEST, RESPONSE)])
    result = document.answer.result
    if call is not None and result is not None:
        wanted = REQUESTS[type(call).__name__].response.xml
        given = type(result).__name__
        if wanted != given:
            rule = f"{given} is no answer to {type(call).__name__}"
            raise Unreadable([Fault(ErrorCode.EL_UNEXPECTED, f"/{RESPONSE}/{given}", given, rule)])
    return document


def document_of(root: Element) -> Request | Response:
    """Make a document of its element. Raises Unreadable with all faults."""
    reader = _Reader()
    document = reader.document(root)
    if reader.faults or document is None:
        raise Unreadable(reader.faults)
    return document


def faults_of(data: bytes) -> tuple[Fault, ...]:
    """List all that is wrong with a document."""
    try:
        read(data)
    except Unreadable as unreadable:
        return unreadable.faults
    return ()


def _parsed(data: bytes) -> Element:
    try:
        return xml.read(data, what="Payment API document")
    except RemoteProtocolError as error:
        code = ErrorCode.MSG_TOO_LARGE if error.hint == xml.TOO_LARGE else (
            ErrorCode.XML_NOT_WELL_FRMD
        )  # fmt: skip
        raise Unreadable([Fault(code, "/", REQUEST, str(error), section="XML 1.0")]) from None


def _wrong_root(given: str, wanted: str) -> Fault:
    return Fault(ErrorCode.EL_UNEXPECTED, f"/{given}", given, f"{wanted} is expected")


class _Reader:
    """Reads one document and keeps what is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def document(self, root: Element) -> Request | Response | None:
        place = f"/{root.name}"
        if root.namespace not in {NAMESPACE, ""} or root.name not in {REQUEST, RESPONSE}:
            rule = f"neither {REQUEST} nor {RESPONSE} of the namespace {NAMESPACE}"
            self._fault(ErrorCode.XML_NOT_VALID, place, root, rule, "RFC 3867, 3")
            return None
        self._no_text(root, place)
        values = self._attributes(_WRAPPER, root, place, "RFC 3867, 3")
        lang, software = values.get("lang"), values.get("content_software_id")
        inside = self._inside(root, place)
        if root.name == REQUEST:
            call = self._call(root, inside)
            return None if call is None or self.faults else Request(call, lang, software)
        answer = self._answer(root, inside)
        return None if answer is None or self.faults else Response(answer, lang, software)

    def _call(self, root: Element, inside: list[tuple[str, Element]]) -> Call[Any] | None:
        """Read the one function a request holds."""
        found: Call[Any] | None = None
        section = "RFC 3867, 3"
        for number, (place, element) in enumerate(inside):
            if element.name not in REQUESTS or number:
                rule = "a request holds one function, and nothing else"
                self._stranger(place, element, rule, section)
                continue
            found = self._whole(REQUESTS[element.name].request, element, place)
        if not inside:
            self._fault(ErrorCode.EL_MISSING, f"/{root.name}", root, "no function", section)
        return found

    def _answer(self, root: Element, inside: list[tuple[str, Element]]) -> Answer[Any] | None:
        """Read an error, a result, or a warning with a result."""
        error: ErrorResponse | None = None
        result: Any = None
        section = "RFC 3867, 3"
        for number, (place, element) in enumerate(inside):
            if element.name == "ErrorResponse" and not number:
                error = self._whole(ELEMENTS["ErrorResponse"], element, place)
            elif element.name in RESPONSES and result is None and number < 2:
                result = self._whole(RESPONSES[element.name].response, element, place)
            else:
                rule = "a response holds an ErrorResponse and then one result, each at most once"
                self._stranger(place, element, rule, section)
        if self.faults:
            return None
        place = f"/{root.name}"
        if not inside:
            rule = "neither an error nor a result: it means nothing"
            self._fault(ErrorCode.EL_MISSING, place, root, rule, section)
            return None
        warned = error is not None and error.severity is Severity.WARNING
        if error is not None and warned != (result is not None):
            rule = "a warning stands beside a result, another error alone"
            self._fault(ErrorCode.EL_INCONSISTENT, place, root, rule, "RFC 3867, 3.1")
            return None
        return Answer(result, error)

    def _whole(self, shape: Shape, element: Element, place: str) -> Any:
        """Read an element and check the rules that hold for all of it."""
        before = len(self.faults)
        value = self._value(shape, element, place)
        if value is not None and len(self.faults) == before:
            self.faults += broken(value, place)
        return value

    def _value(self, shape: Shape, element: Element, place: str) -> Any:
        """Read an element; None when something required is not there or wrong."""
        before = len(self.faults)
        values = self._attributes(shape.attributes, element, place, _section(shape))
        if shape.type is Content:
            self._no_elements(element, place)
            values["text"] = element.text
        elif shape.type is Parameter:
            values["nodes"] = element.children
        else:
            self._no_text(element, place, empty=not shape.children)
            values |= self._children(shape, element, place)
        return None if len(self.faults) > before else shape.type(**values)

    def _attributes(
        self, known: tuple[Attribute, ...], element: Element, place: str, section: str
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        given: dict[str, str] = {}
        for name, text in element.attributes.items():
            plain = PLAIN_NAMES.get(name, name)
            if all(attribute.xml != plain for attribute in known):
                rule = f"{element.name} has no attribute {shown(name)}"
                self._fault(ErrorCode.ATT_UNEXPECTED, place, element, rule, section, name)
            elif given.setdefault(plain, text) != text:
                rule = f"{plain} is given twice, and differs"
                self._fault(ErrorCode.EL_INCONSISTENT, place, element, rule, section, name)
        for attribute in known:
            if attribute.xml in given:
                read = self._attribute(attribute, given[attribute.xml], element, place)
                if read is not None:
                    values[attribute.named.python] = read
            elif attribute.required:
                name = error_name(attribute.xml)
                rule = f"{name} is missing"
                self._fault(ErrorCode.ATT_MISSING, place, element, rule, section, name)
        return values

    def _attribute(self, attribute: Attribute, text: str, element: Element, place: str) -> Any:
        named = attribute.named
        if named.kind not in {Kind.TEXT, Kind.SECRET}:
            text = formats.plain(text)
        read = _read(named, text)
        if isinstance(read, _Wrong):
            rule = f"{attribute.xml} cannot be {shown(text)}"
            name = error_name(attribute.xml)
            self._fault(read.code, place, element, rule, "RFC 3867, 3.2", name)
            return None
        return read

    def _children(self, shape: Shape, element: Element, place: str) -> dict[str, Any]:
        """Read children in the order of the DTD."""
        found: dict[str, list[Any]] = {child.xml: [] for child in shape.children}
        order = [child.xml for child in shape.children]
        reached = 0
        for inside, item in self._inside(element, place):
            if item.name not in found:
                rule = f"{element.name} holds no {shown(item.name)}"
                self._stranger(inside, item, rule, _section(shape))
                continue
            here = order.index(item.name)
            again = found[item.name] and not shape.children[here].many
            if here < reached or again:
                rule = f"{item.name} stands twice or in the wrong order in {element.name}"
                self._fault(ErrorCode.EL_UNEXPECTED, inside, item, rule, _section(shape))
                continue
            reached = here
            found[item.name].append(self._value(SHAPES[item.name], item, inside))
        return {
            child.python: self._held(child, found[child.xml], place, _section(shape))
            for child in shape.children
        }

    def _held(self, child: Child, found: list[Any], place: str, section: str) -> Any:
        if child.required and not found:
            rule = f"{child.xml} is missing"
            self.faults.append(Fault(ErrorCode.EL_MISSING, place, child.xml, rule, section=section))
        return tuple(found) if child.many else found[0] if found else None

    # What is wrong

    def _inside(self, element: Element, place: str) -> list[tuple[str, Element]]:
        """List the elements inside with their places; those of other namespaces are faults."""
        elements = element.elements
        names = [item.name for item in elements]
        seen: dict[str, int] = {}
        found = []
        for item in elements:
            number = seen[item.name] = seen.get(item.name, 0) + 1
            mark = f"[{number}]" if names.count(item.name) > 1 else ""
            inside = f"{place}/{item.name}{mark}"
            if item.namespace != element.namespace:
                rule = f"{shown(item.name)} is of another namespace"
                self._fault(ErrorCode.XML_NOT_VALID, inside, item, rule, "RFC 3867, 3")
            else:
                found.append((inside, item))
        return found

    def _stranger(self, place: str, element: Element, rule: str, section: str) -> None:
        """Note an element that does not belong here: known elsewhere, or nowhere."""
        known = element.name in SHAPES
        code = ErrorCode.EL_UNEXPECTED if known else ErrorCode.XML_NOT_VALID
        self._fault(code, place, element, rule, section)

    def _no_text(self, element: Element, place: str, *, empty: bool = False) -> None:
        text = element.text
        if text.strip(" \t\r\n") or (empty and (text or element.elements)):
            if empty and element.elements and not text:
                return  # each of them is a fault of its own
            rule = f"{element.name} holds {'nothing' if empty else 'elements only'}"
            self._fault(ErrorCode.EL_CONT_ILLEGAL, place, element, rule, "XML 1.0, 3.2")

    def _no_elements(self, element: Element, place: str) -> None:
        for inside, item in self._inside(element, place):
            rule = f"{element.name} holds text only"
            self._stranger(inside, item, rule, "RFC 2801, 3.7")

    def _fault(
        self,
        code: ErrorCode,
        place: str,
        element: Element,
        rule: str,
        section: str,
        attribute: str = "",
    ) -> None:
        self.faults.append(Fault(code, place, element.name, rule, attribute, section=section))


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What came of an attribute that cannot be read."""

    code: ErrorCode


def _read(named: Named, text: str) -> Any:
    """Read an attribute's text; _Wrong says that it cannot be."""
    wrong = _Wrong(ErrorCode.ATT_NOT_VALID)
    match named.kind:
        case Kind.TEXT:
            return text
        case Kind.SECRET:
            return Secret(text)
        case Kind.TOKENS:
            tokens = tuple(text.split(" "))
            return tokens if all(map(formats.is_token, tokens)) else wrong
        case Kind.AMOUNT:
            found = formats.amount(text)
            return wrong if found is None else found
        case Kind.MOMENT:
            at = formats.instant(text)
            return wrong if at is None else at
        case Kind.PERCENT:
            fine = text.isascii() and text.isdecimal() and len(text) < 4 and int(text) <= 100
            return int(text) if fine else wrong
        case Kind.ID:
            return text if formats.is_name(text) else wrong
        case Kind.TOKEN:
            return ALIASES.get(text, text) if formats.is_token(text) else wrong
        case Kind.CHOICE | Kind.CODE:
            return _choice(named, text)


def _choice(named: Named, text: str) -> StrEnum | str | _Wrong:
    assert named.choice is not None
    text = ALIASES.get(text, text)
    try:
        return named.choice(text)
    except ValueError:
        if not formats.is_token(text):
            return _Wrong(ErrorCode.ATT_NOT_VALID)
    if named.kind is Kind.CODE and text[:2] in {"x-", "X-"}:
        return text
    codes = named.kind is Kind.CODE or named.choice is ErrorCode
    return _Wrong(ErrorCode.ATT_VAL_NOT_RECOG if codes else ErrorCode.ATT_NOT_VALID)


def _section(shape: Shape) -> str:
    function = REQUESTS.get(shape.xml) or RESPONSES.get(shape.xml)
    if function is not None:
        return f"RFC 3867, {function.section}"
    return "RFC 3867, 3.2" if shape.xml in PACKAGED else "RFC 3867, 4"
