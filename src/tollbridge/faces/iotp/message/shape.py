"""How a value says what it looks like in XML: the metadata of its fields, read by the codec.

`at` names an attribute, `has` says which elements stand inside, `text` and `anything` what else
may. The order of the fields is the order in the document. A test holds all of it to the DTD.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from tollbridge.wire.xml import Element


class Kind(Enum):
    """What an attribute holds, and as what Python has it."""

    TEXT = "text"
    ID = "an id"
    WORD = "a word"
    WORDS = "words"
    REF = "a reference"
    REFS = "references"
    FLAG = "True or False"
    SMALL_FLAG = "true or false"
    TIME = "a time"
    TIME_OR_NA = "a time or NA"
    AMOUNT = "an amount"
    CHOICE = "one of some words"


@dataclass(frozen=True, slots=True)
class At:
    """An attribute: its name, what it holds, and what it refers to."""

    name: str
    kind: Kind
    to: tuple[str, ...] = ()
    choice: type[StrEnum] | None = None


@dataclass(frozen=True, slots=True)
class Has:
    """Elements inside: of which types, and whether there may be many."""

    kinds: tuple[type, ...]
    many: bool
    least: int


class Inside(Enum):
    """What else may stand inside."""

    TEXT = "text"
    ANYTHING = "anything"


SHAPE = "shape"


def at(
    name: str, kind: Kind = Kind.TEXT, *, to: str = "", choice: type[StrEnum] | None = None
) -> Mapping[str, Any]:
    """Say that a field is an attribute; `to` names the elements that a reference may mean."""
    if choice is not None:
        kind = Kind.CHOICE
    return {SHAPE: At(name, kind, tuple(to.split()), choice)}


def one(*kinds: type) -> Mapping[str, Any]:
    """Say that a field is an element inside, exactly one."""
    return {SHAPE: Has(kinds, many=False, least=1)}


def maybe(*kinds: type) -> Mapping[str, Any]:
    """Say that a field is an element inside that may be missing."""
    return {SHAPE: Has(kinds, many=False, least=0)}


def some(*kinds: type) -> Mapping[str, Any]:
    """Say that a field is a tuple of elements inside, at least one."""
    return {SHAPE: Has(kinds, many=True, least=1)}


def many(*kinds: type) -> Mapping[str, Any]:
    """Say that a field is a tuple of elements inside, perhaps none."""
    return {SHAPE: Has(kinds, many=True, least=0)}


TEXT: Mapping[str, Any] = {SHAPE: Inside.TEXT}
ANYTHING: Mapping[str, Any] = {SHAPE: Inside.ANYTHING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a message.

    `more` are elements of other namespaces that stand inside (RFC 2801, 3.6). `source` is the
    element that a part was read from: written again, it is exactly that, so what is copied into
    another message keeps its digest. `made` is the element of a part of our own, once somebody
    asked for it. Whoever makes another part of it (`dataclasses.replace`) loses both; neither
    counts when parts are compared.
    """

    more: tuple[Element, ...] = ()
    source: Element | None = field(default=None, init=False, compare=False, repr=False)
    made: Element | None = field(default=None, init=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Part):
    """A part with an id, unique in its transaction and never changed by copying (3.4)."""

    id: str = field(metadata=at("ID", Kind.ID))
