"""Ids and references (RFC 2801, 3.4 and 3.5): unique, of the right form, and leading somewhere.

A reference may lead to any earlier message of the transaction. `Known` is what a party remembers of
them: the element of each id.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.api.words import ErrorCode, Severity
from tollbridge.faces.iotp.message.codec import PLANS
from tollbridge.faces.iotp.message.faults import Fault, Places, shown
from tollbridge.faces.iotp.message.shape import At
from tollbridge.wire.xml import Element, canonical

NULL = "Null"
"""Stands where an Inquiry Response would name a message and there was none."""
_MESSAGE = re.compile(r"[A-Za-z_][A-Za-z_\-]*[0-9]+")
_PART = re.compile(r"([A-Za-z_][A-Za-z_\-]*[0-9]+)(\.[0-9]+)+")
_NO_PATHS: Mapping[str, Element] = MappingProxyType({})
_IN_SIGNATURES = {"Manifest", "Signature", "Value", "Certificate", "IotpSignatures", "Algorithm"}


class Known:
    """What a party knows of a transaction: the element of each id it has seen.

    `complete` says that it has seen every message from the first one, so that a reference that
    leads nowhere is wrong. A payment handler, for one, has not.
    """

    __slots__ = ("_elements", "complete")

    def __init__(
        self, elements: Mapping[str, Element] = _NO_PATHS, *, complete: bool = False
    ) -> None:
        self._elements, self.complete = elements, complete

    @classmethod
    def of(cls, *roots: Element, complete: bool = False) -> "Known":
        """Know what stands in some messages."""
        known = cls(complete=complete)
        for root in roots:
            known = known.and_of(root)
        return known

    def and_of(self, root: Element) -> "Known":
        """Know what stands in a message, too; what was there before stays."""
        return Known({**ids_in(root), **self._elements}, complete=self.complete)

    def under(self, root: Element) -> "Known":
        """Know what stands in a message first of all: what is used is what must be right."""
        return Known({**self._elements, **ids_in(root)}, complete=self.complete)

    def get(self, name: str) -> Element | None:
        """Give the element with an id."""
        return self._elements.get(name)

    def named(self, name: str) -> Iterator[tuple[str, Element]]:
        """Give the elements of a name, with their ids, in the order they were seen."""
        return ((key, one) for key, one in self._elements.items() if one.name == name)


NOTHING = Known()


def ids_in(root: Element) -> dict[str, Element]:
    """Give the element of each id in a message; the first one where an id comes twice."""
    found: dict[str, Element] = {}
    for element in root.flat():
        name = element.attributes.get("ID")
        if name:
            found.setdefault(formats.plain(name), element)
    return found


def faults(root: Element, known: Known = NOTHING, here: Known | None = None) -> tuple[Fault, ...]:
    """Say what is wrong with the ids and references of a message.

    Asked of the root element, so that it can be asked of a message that is not valid, too. `here`
    is `Known.of(root)`, for those who have it.
    """
    here = here or Known.of(root)
    message_id = _message_id(root)
    places = Places(root)
    found: list[Fault] = []
    seen: set[str] = set()
    for element in root.flat():
        given = element.attributes.get("ID")
        name = formats.plain(given) if given else ""
        if name:
            usual = element.name != "MsgId" and _PART.fullmatch(name)
            if not usual or name in seen or known.get(name) is not None:
                found += _id_faults(places, element, name, seen, known)
            seen.add(name)
        plan = PLANS.get(element.name)
        for place in plan.references if plan else ():
            for reference in element.get(place.name).split():
                to = here.get(reference) or known.get(reference)
                must = known.complete or _is_of(reference, message_id)
                if must if to is None else to.name not in place.to:
                    path = places.of(element)
                    found += _reference_faults(path, place, reference, to)
    return tuple(found)


def _message_id(root: Element) -> str:
    found = root.find("TransRefBlk")
    inner = found.find("MsgId") if found else None
    return inner.get("ID") if inner else ""


def _is_of(reference: str, message_id: str) -> bool:
    """Say whether a reference is to a part that first stood in this message."""
    return bool(message_id) and reference.startswith(f"{message_id}.")


def _id_faults(
    places: Places, element: Element, name: str, seen: set[str], known: Known
) -> Iterator[Fault]:
    if name in seen:
        yield Fault(
            ErrorCode.ATT_VAL_ILLEGAL, places.of(element),
            f"the id {shown(name)} stands twice in the message", "RFC 2801, 3.4", "ID", name,
        )  # fmt: skip
    before = known.get(name)
    own = element.name == "TransId"  # compared by the rules: an inquiry's differs
    if before is not None and not own and canonical(before) != canonical(element):
        yield Fault(
            ErrorCode.EL_INCONSISTENT, places.of(element),
            f"the id {shown(name)} was that of something else in this transaction",
            "RFC 2801, 3.4", "ID", name,
        )  # fmt: skip
    form = _MESSAGE if element.name == "MsgId" else _PART
    if element.name not in _IN_SIGNATURES and not form.fullmatch(name):
        what = "letters, then digits" if form is _MESSAGE else "a message's id, a dot and digits"
        yield Fault(
            ErrorCode.ATT_VAL_ILLEGAL, places.of(element), f"an id is {what}, not {shown(name)}",
            "RFC 2801, 3.4", "ID", name, Severity.WARNING,
        )  # fmt: skip


def _reference_faults(
    path: str, place: At, reference: str, to: Element | None
) -> Iterator[Fault]:  # fmt: skip
    if reference == NULL and "Iotp" in place.name:
        return
    if to is None:
        yield Fault(
            ErrorCode.ATT_VAL_ILLEGAL, path, f"nothing has the id {shown(reference)}",
            "RFC 2801, 3.5", place.name, reference,
        )  # fmt: skip
    else:
        yield Fault(
            ErrorCode.ATT_VAL_ILLEGAL, path,
            f"{place.name} names {' or '.join(place.to)}, and {shown(reference)} is {to.name}",
            "RFC 2801, 3.5", place.name, reference,
        )  # fmt: skip
