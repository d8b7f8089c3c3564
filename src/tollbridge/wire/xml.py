"""XML, read strictly: no entities, no DTD, nothing from outside, bounded in every way.

The only place that knows lxml. Documents are values, `Element`: prefixes are gone, comments are
gone, CDATA is text. Names in a namespace are an element's `namespace` and its local `name`;
attributes are named by their local name, those of a namespace `{namespace}name`, but those of XML
itself as everybody writes them: `xml:lang`.

Shares its name with the standard library on purpose; imports are absolute.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import Any

from lxml import etree

from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError

NOT_WELL_FORMED = "XmlNotWellFrmd"
"""The hint with what is no XML, or not the XML we read."""
TOO_LARGE = "MsgTooLarge"
"""The hint with what is too long, too deep or too many."""

_XML = "http://www.w3.org/XML/1998/namespace"
_REASON_LETTERS_MAX = 160
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})
_DECLARATION = re.compile(
    r"""<\?xml\s+version\s*=\s*(["'])(?P<version>[\w.]{1,9})\1"""
    r"""(?:\s+encoding\s*=\s*(["'])(?P<encoding>[\w.-]{1,40})\3)?"""
    r"""(?:\s+standalone\s*=\s*(["'])(?:yes|no)\5)?\s*\?>""",
    re.ASCII,
)
_BARE_DOCTYPE = re.compile(r"<!DOCTYPE\s+[\w.:-]{1,80}\s*>", re.ASCII)
_NAME = re.compile(r"[^\W\d][\w.\-\u00b7]*")
_NO_LETTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_AS_IT_IS = re.compile("[^\x20!#-%'-;=?-\x7e]")
_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_IN_VALUE = {
    "&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"
}  # fmt: skip
_TEXT_TABLE, _VALUE_TABLE = str.maketrans(_IN_TEXT), str.maketrans(_IN_VALUE)
_VIOLATIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one document is read before it is refused; texts and values in letters."""

    bytes_max: int = 256 * 1024
    depth_max: int = 32
    elements_max: int = 4096
    attributes_max: int = 32
    value_letters_max: int = 8 * 1024
    text_letters_max: int = 192 * 1024


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Instruction:
    """A processing instruction: nobody here follows it, but digests cover it."""

    target: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """An element: its name, attributes in their order, and children (elements, texts).

    Two texts never stand side by side in what was read. `line` says where it was read, `valid_for`
    for which document type it was found valid then; both do not count when elements are compared.
    """

    name: str
    attributes: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES, hash=False)
    children: "tuple[Element | str | Instruction, ...]" = ()
    namespace: str = ""
    line: int = field(default=0, compare=False, repr=False)
    valid_for: "Dtd | None" = field(default=None, init=False, compare=False, repr=False)

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, str] = _NO_ATTRIBUTES,
        children: "tuple[Element | str | Instruction, ...]" = (),
        namespace: str = "",
        line: int = 0,
    ) -> None:
        """Make an element. Written by hand: a message is made of a hundred."""
        if type(attributes) is not MappingProxyType:
            attributes = MappingProxyType(dict(attributes))
        put = object.__setattr__
        put(self, "name", name)
        put(self, "attributes", attributes)
        put(self, "children", children)
        put(self, "namespace", namespace)
        put(self, "line", line)
        put(self, "valid_for", None)

    @property
    def elements(self) -> "tuple[Element, ...]":
        """The children that are elements."""
        return tuple([child for child in self.children if isinstance(child, Element)])

    @property
    def text(self) -> str:
        """The text directly inside."""
        return "".join([child for child in self.children if isinstance(child, str)])

    def get(self, name: str, default: str = "") -> str:
        """Give the value of an attribute, or the default."""
        return self.attributes.get(name, default)

    def all(self, name: str) -> "tuple[Element, ...]":
        """Give the children with this name in this element's namespace."""
        return tuple([
            child for child in self.elements
            if child.name == name and child.namespace == self.namespace
        ])  # fmt: skip

    def find(self, name: str) -> "Element | None":
        """Give the first child with this name in this element's namespace."""
        return next(iter(self.all(name)), None)

    def flat(self) -> "list[Element]":
        """Give this element and all below it, in the document's order."""
        found = [self]
        for child in self.children:
            if isinstance(child, Element):
                if child.children:
                    found += child.flat()
                else:
                    found.append(child)
        return found

    def walk(self, path: str = "") -> "Iterator[tuple[str, Element]]":
        """Give this element and all below it, in the document's order, each with its path.

        A path looks like `/IotpMessage/TpoBlk/Org[2]`: numbers stand where a name comes again.
        """
        path = path or f"/{self.name}"
        yield path, self
        inside = self.elements
        names = [child.name for child in inside]
        seen: dict[str, int] = {}
        for child in inside:
            seen[child.name] = place = seen.get(child.name, 0) + 1
            number = f"[{place}]" if names.count(child.name) > 1 else ""
            yield from child.walk(f"{path}/{child.name}{number}")

    def of_namespace(self, namespace: str) -> "Element":
        """Give this element without what belongs to other namespaces, attributes included."""
        attributes = self.attributes
        if any(name.startswith("{") for name in attributes):
            attributes = {
                name: value
                for name, value in attributes.items()
                if not name.startswith("{") or name.startswith(f"{{{namespace}}}")
            }
        children = tuple(
            child.of_namespace(namespace) if isinstance(child, Element) else child
            for child in self.children
            if not isinstance(child, Element) or child.namespace == namespace
        )
        if children == self.children and attributes is self.attributes:
            return self
        return replace(self, attributes=attributes, children=children)


Node = Element | str | Instruction


# Reading


def read(
    data: bytes | str,
    *,
    what: str = "message",
    limits: Limits = LIMITS,
    dtd: "Dtd | None" = None,
) -> Element:
    """Read one document and give its root element.

    UTF-8, or UTF-16 with its mark; XML 1.0. A document type may be named (`<!DOCTYPE Root>`) and
    means nothing; declarations and addresses in it are refused, so there are no entities but XML's
    own five, and nothing is ever fetched. With `dtd`, the element remembers when it is valid, and
    need not be held to it later. Raises RemoteProtocolError; its `hint` is NOT_WELL_FORMED or
    TOO_LARGE.
    """
    if len(data) > limits.bytes_max:
        raise _too_large(what, f"longer than {limits.bytes_max} bytes")
    text = _without_prolog(data if isinstance(data, str) else _decoded(data, what), what)
    try:
        root = etree.fromstring(text.encode(), _PARSER)
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(what, f"{error.msg:.{_REASON_LETTERS_MAX}}") from None
    except UnicodeEncodeError:
        raise _not_well_formed(what, "half of a surrogate pair is not a character") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _not_well_formed(what, "a document type declaration")
    maker = _Maker(what, limits)
    made = maker.element(root, root.tag, 1)
    if dtd is not None and maker.namespaces == {dtd.namespace} and dtd.accepts(root):
        object.__setattr__(made, "valid_for", dtd)
    return made


_PARSER = etree.XMLParser(
    encoding="UTF-8",
    attribute_defaults=False,
    collect_ids=False,
    dtd_validation=False,
    huge_tree=False,
    load_dtd=False,
    no_network=True,
    recover=False,
    remove_comments=True,
    resolve_entities=False,
)


def _decoded(data: bytes, what: str) -> str:
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_well_formed(what, f"not UTF-8 at byte {error.start}") from None


def _without_prolog(text: str, what: str) -> str:
    """Take the declaration and a bare document type away; lines keep their numbers."""
    text = text.removeprefix("\ufeff")
    if text.startswith("<?xml") and text[5:6].isspace():
        found = _DECLARATION.match(text)
        if found is None or found["version"] != "1.0":
            raise _not_well_formed(what, "not the declaration of XML 1.0")
        if (found["encoding"] or "UTF-8").upper() not in {"UTF-8", "UTF-16", "US-ASCII"}:
            raise _not_well_formed(what, f"the encoding {found['encoding']}, UTF-8 is read here")
        text = _blanked(text, found.start(), found.end())
    place = _after_remarks(text)
    if text.startswith("<!DOCTYPE", place):
        bare = _BARE_DOCTYPE.match(text, place)
        if bare is None:
            raise _not_well_formed(
                what, "a document type with declarations or an address, which nobody here follows"
            )
        text = _blanked(text, bare.start(), bare.end())
    return text


def _after_remarks(text: str) -> int:
    """Find where blanks, comments and instructions at the beginning end."""
    place = 0
    while True:
        while text[place : place + 1].isspace():
            place += 1
        for begin, end in (("<!--", "-->"), ("<?", "?>")):
            if text.startswith(begin, place):
                found = text.find(end, place + len(begin))
                if found < 0:
                    return place
                place = found + len(end)
                break
        else:
            return place


def _blanked(text: str, begin: int, end: int) -> str:
    return text[:begin] + "\n" * text.count("\n", begin, end) + text[end:]


class _Maker:
    """Makes values of what lxml read, counting."""

    def __init__(self, what: str, limits: Limits) -> None:
        self._what, self._limits, self._count = what, limits, 0
        self.namespaces: set[str] = set()

    def element(self, node: Any, tag: str, depth: int) -> Element:
        limits = self._limits
        self._count += 1
        if depth > limits.depth_max:
            raise _too_large(self._what, f"nested deeper than {limits.depth_max}")
        if self._count > limits.elements_max:
            raise _too_large(self._what, f"more than {limits.elements_max} elements")
        namespace, name = _split(tag)
        self.namespaces.add(namespace)
        children: list[Node] = []
        text = node.text
        if text:
            children.append(self._text(text))
        for child in node:
            inner = child.tag
            if isinstance(inner, str):
                children.append(self.element(child, inner, depth + 1))
            elif inner is etree.ProcessingInstruction:
                children.append(Instruction(child.target, child.text or ""))
            else:
                raise _not_well_formed(self._what, "an entity that nobody declared")
            text = child.tail
            if text:
                children.append(self._text(text))
        items = node.items()
        attributes = self._attributes(items) if items else _NO_ATTRIBUTES
        return Element(name, attributes, tuple(children), namespace, node.sourceline or 0)

    def _text(self, text: str) -> str:
        if len(text) > self._limits.text_letters_max:
            raise _too_large(
                self._what, f"a text of more than {self._limits.text_letters_max} letters"
            )
        return text

    def _attributes(self, items: Sequence[tuple[str, str]]) -> Mapping[str, str]:
        if len(items) > self._limits.attributes_max:
            raise _too_large(
                self._what, f"more than {self._limits.attributes_max} attributes of one element"
            )
        attributes = {}
        for tag, value in items:
            if len(value) > self._limits.value_letters_max:
                raise _too_large(
                    self._what,
                    f"an attribute of more than {self._limits.value_letters_max} letters",
                )
            attributes[_attribute_name(tag) if tag[0] == "{" else tag] = value
        return MappingProxyType(attributes)


@lru_cache(maxsize=1024)
def _split(tag: str) -> tuple[str, str]:
    if tag.startswith("{"):
        namespace, _, name = tag[1:].rpartition("}")
        return namespace, name
    return "", tag


@lru_cache(maxsize=1024)
def _attribute_name(tag: str) -> str:
    return f"xml:{tag[len(_XML) + 2 :]}" if tag.startswith(f"{{{_XML}}}") else tag


def _not_well_formed(what: str, rule: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"{what}: not well-formed, {rule}", hint=NOT_WELL_FORMED)


def _too_large(what: str, rule: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"{what}: {rule}", hint=TOO_LARGE)


# Writing


def write(element: Element) -> bytes:
    """Write a document in UTF-8 with its declaration, attributes in the order given.

    The same element is always the same bytes, and no white space is added: digests would count it.
    Raises LocalProtocolError for a name or a letter that XML does not have.
    """
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _put(parts, element, "")
    return "".join(parts).encode()


def _put(parts: list[str], element: Element, around: str) -> None:
    parts.append(f"<{_checked_name(element.name)}")
    if element.namespace != around:
        parts.append(f' xmlns="{_value(element.namespace)}"')
    _put_attributes(parts, element.attributes)
    if not element.children:
        parts.append("/>")
        return
    parts.append(">")
    for child in element.children:
        if isinstance(child, Element):
            _put(parts, child, element.namespace)
        elif isinstance(child, str):
            parts.append(_text(child))
        else:
            parts.append(_instruction(child))
    parts.append(f"</{element.name}>")


def _put_attributes(parts: list[str], attributes: Mapping[str, str]) -> None:
    prefixes: dict[str, str] = {_XML: "xml:"}
    for tag, value in attributes.items():
        namespace, name = _attribute_parts(tag)
        if not namespace:
            parts.append(f' {name}="{_value(value)}"')
            continue
        if namespace not in prefixes:
            prefix = f"n{len(prefixes) - 1}"
            prefixes[namespace] = f"{prefix}:"
            parts.append(f' xmlns:{prefix}="{_value(namespace)}"')
        parts.append(f' {prefixes[namespace]}{name}="{_value(value)}"')


@lru_cache(maxsize=1024)
def _attribute_parts(tag: str) -> tuple[str, str]:
    if tag.startswith("xml:"):
        return _XML, _checked_name(tag[4:])
    namespace, name = _split(tag)
    return namespace, _checked_name(name)


def _instruction(item: Instruction) -> str:
    data = _checked_letters(item.data)
    if "?>" in data or item.target.lower() == "xml":
        raise LocalProtocolError("a processing instruction that cannot be written")
    return f"<?{_checked_name(item.target)}{' ' * bool(data)}{data}?>"


@lru_cache(maxsize=1024)
def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise LocalProtocolError(f"{name!r:.40} is not a name in XML")
    return name


def _checked_letters(text: str) -> str:
    if _NO_LETTER.search(text):
        raise LocalProtocolError("a text has letters that XML does not have")
    return text


def _text(text: str) -> str:
    if not _NOT_AS_IT_IS.search(text):
        return text
    return _checked_letters(text).translate(_TEXT_TABLE)


def _value(text: str) -> str:
    if not _NOT_AS_IT_IS.search(text):
        return text
    return _checked_letters(text).translate(_VALUE_TABLE)


# Canonical form and digests


def canonical(element: Element) -> bytes:
    """Write an element in Canonical XML 2.0 with sequential prefixes, without comments.

    So the bytes depend on nothing that the writer of a document may choose: prefixes, the order of
    attributes, quotes, CDATA, character references. An element has the same form wherever it
    stands: what its ancestors declare does not count.
    """
    parts: list[str] = []
    _put_canonical(parts, element, {}, frozenset())
    return "".join(parts).encode()


def _put_canonical(
    parts: list[str], element: Element, prefixes: dict[str, str], around: frozenset[str]
) -> None:
    values = element.attributes
    attributes, used = _in_order(tuple(values))
    own = element.namespace
    if own and own not in used:
        used |= {own}
    name = _checked_name(element.name)
    new = () if used <= around else sorted(used - around)
    for namespace in new:
        prefixes.setdefault(namespace, f"n{len(prefixes)}")
    if own:
        name = f"{prefixes[own]}:{name}"
    parts.append(f"<{name}")
    for namespace in new:
        parts.append(f' xmlns:{prefixes[namespace]}="{_value(namespace)}"')
    for tag, namespace, local in attributes:
        prefix = f"{prefixes[namespace]}:" if namespace else ""
        parts.append(f' {prefix}{local}="{_value(values[tag])}"')
    parts.append(">")
    inside = around.union(new) if new else around
    for child in element.children:
        if isinstance(child, Element):
            _put_canonical(parts, child, prefixes, inside)
        elif isinstance(child, str):
            parts.append(_text(child))
        else:
            parts.append(_instruction(child))
    parts.append(f"</{name}>")


@lru_cache(maxsize=256)
def _in_order(tags: tuple[str, ...]) -> tuple[tuple[tuple[str, str, str], ...], frozenset[str]]:
    """Put an element's attributes in order: each with its namespace and name; which are used."""
    split = sorted([(*_attribute_parts(tag), tag) for tag in tags])
    ordered = [
        (tag, "", f"xml:{local}") if namespace == _XML else (tag, namespace, local)
        for namespace, local, tag in split
    ]
    return tuple(ordered), frozenset(namespace for _, namespace, _ in ordered) - {""}


def dom_hash(node: Node, algorithm: str = "sha1") -> bytes:
    """Compute the DOM-HASH of a node (RFC 2803, 2.3), of old the digest of trading messages.

    Only to speak with peers that know nothing else: its usual SHA-1 is broken.
    """
    match node:
        case str():
            return _hashed(algorithm, b"\0\0\0\3", _wide(node))
        case Instruction():
            return _hashed(algorithm, b"\0\0\0\7", _wide(node.target), b"\0\0", _wide(node.data))
    attributes = sorted([(_expanded(*_attribute_parts(tag)), value)
                         for tag, value in node.attributes.items()])  # fmt: skip
    hashes = [
        _hashed(algorithm, b"\0\0\0\2", _wide(name), b"\0\0", _wide(value))
        for name, value in attributes
    ]
    children = [dom_hash(child, algorithm) for child in node.children if child != ""]
    return _hashed(
        algorithm, b"\0\0\0\1", _wide(_expanded(node.namespace, node.name)), b"\0\0",
        len(hashes).to_bytes(4), *hashes, len(children).to_bytes(4), *children,
    )  # fmt: skip


def _hashed(algorithm: str, *parts: bytes) -> bytes:
    return hashlib.new(algorithm, b"".join(parts), usedforsecurity=False).digest()


def _wide(text: str) -> bytes:
    return text.encode("utf-16-be")


def _expanded(namespace: str, name: str) -> str:
    return f"{namespace}:{name}" if namespace else name


# Validity


@dataclass(frozen=True, slots=True)
class Invalid:
    """A place in a document (as `Element.walk` names it) that its DTD does not allow."""

    path: str
    rule: str
    line: int = 0


class Dtd:
    """A document type that comes with this package: never one that a message names.

    `namespace` is that of all its elements. Raises ValueError when the text is no DTD.
    """

    def __init__(self, data: bytes, namespace: str) -> None:
        try:
            self._dtd = etree.DTD(BytesIO(data))
        except etree.DTDParseError as error:
            raise ValueError(f"not a DTD: {error}") from None
        self.namespace = namespace
        self.elements = frozenset(declared.name for declared in self._dtd.iterelements())

    def violations(self, element: Element) -> tuple[Invalid, ...]:
        """Give what the DTD does not allow in a document, at most 100 of them.

        What belongs to other namespaces is not looked at; see `Element.of_namespace`.
        """
        if element.valid_for is self:
            return ()
        if element.namespace != self.namespace:
            return (Invalid(f"/{element.name}", f"not of the namespace {self.namespace}"),)
        element = element.of_namespace(self.namespace)
        root = _tree(element, None, self.namespace)
        if self._dtd.validate(root):
            return ()
        lines = {path: item.line for path, item in element.walk()}
        found = []
        for entry in list(self._dtd.error_log)[:_VIOLATIONS_MAX]:
            path = str(entry.path or "/")
            found.append(Invalid(path, _in_words(entry.message), lines.get(path, 0)))
        return tuple(dict.fromkeys(found))

    def accepts(self, root: Any) -> bool:
        """Say whether a document just read is valid as it stands: `root` is what lxml has of it.

        False decides nothing: `violations` does. All elements must be of our namespace: a default
        namespace reads like none to a DTD.
        """
        return bool(self._dtd.validate(root))


def _tree(element: Element, parent: Any, namespace: str) -> Any:
    """Make lxml's tree of an element, without namespaces: a DTD knows none."""
    attributes = {
        f"{{{_XML}}}{name[4:]}" if name.startswith("xml:") else name.removeprefix(
            f"{{{namespace}}}"
        ): value
        for name, value in element.attributes.items()
    }  # fmt: skip
    if parent is None:
        node = etree.Element(element.name, attributes)
    else:
        node = etree.SubElement(parent, element.name, attributes)
    last = None
    for child in element.children:
        if isinstance(child, Element):
            last = _tree(child, node, namespace)
        elif isinstance(child, str):
            if last is None:
                node.text = (node.text or "") + child
            else:
                last.tail = (last.tail or "") + child
    return node


def _in_words(message: str) -> str:
    """Shorten what libxml2 says: the content model is printed in the DTD anyway."""
    return re.sub(r"expecting \((.{200}).*\), got", r"expecting (\1 …), got", message)[:400]
