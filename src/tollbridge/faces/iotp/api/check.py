"""Explain a Payment API document in plain words, and list the rules it breaks."""

from collections.abc import Iterator
from typing import Any

from tollbridge.faces.iotp.api import codec, formats
from tollbridge.faces.iotp.api.elements import Content, ErrorResponse, Parameter
from tollbridge.faces.iotp.api.errors import for_counterparty
from tollbridge.faces.iotp.api.faults import Unreadable
from tollbridge.faces.iotp.api.names import Kind
from tollbridge.faces.iotp.api.shapes import BY_TYPE, REQUESTS, RESPONSES, SHAPES, Shape
from tollbridge.faces.iotp.report import Report
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import scrub
from tollbridge.wire import xml

SHOWN_LETTERS = 80


def examine(data: bytes) -> Report:
    """Say what a document is, what it says, and what is wrong with it. Raises nothing.

    Pass phrases are not shown, nor the inside of packaged contents; card numbers are masked.
    """
    try:
        document = codec.read(data)
    except Unreadable as unreadable:
        violations = tuple([fault.violation for fault in unreadable.faults])
        kind = _kind_of(data)
        summary = f"{kind or 'No Payment API document'}: {len(violations)} rules are broken."
        told = [f"Answer with {unreadable.error.error_code}: {unreadable.error.error_desc}."]
        return Report(kind, summary, tuple(told), violations)
    if isinstance(document, codec.Request):
        return _request(document)
    return _response(document)


def _request(document: codec.Request) -> Report:
    name = type(document.call).__name__
    function = REQUESTS[name]
    roles = ", ".join(f"{role} ({word})" for role, word in function.roles.items())
    told = [f"{function.name} is a function for: {roles}."]
    told += _around(document)
    told += _words(function.request, document.call, "")
    doc = (type(document.call).__doc__ or "").partition("\n")[0].partition(" (RFC")[0]
    return Report(f"{name} request", f"A call of {function.name}: {doc}", tuple(told))


def _response(document: codec.Response) -> Report:
    answer = document.answer
    told = list(_around(document))
    if answer.error is not None:
        told += _error(answer.error)
    if answer.result is None:
        return Report("ErrorResponse", "A call failed.", tuple(told))
    name = type(answer.result).__name__
    function = RESPONSES[name]
    told += _words(function.response, answer.result, "")
    how = "with a warning" if answer.error is not None else "without error"
    return Report(f"{name} response", f"{function.name} was done {how}.", tuple(told))


def _around(document: codec.Request | codec.Response) -> Iterator[str]:
    if document.software is not None:
        yield f"It was written by {_shown(document.software)}."
    if document.lang is not None:
        yield f"Its language is {document.lang}."


def _error(error: ErrorResponse) -> Iterator[str]:
    yield f"{error.severity} {error.error_code}: {_shown(error.error_desc)}."
    wire = for_counterparty(error)
    if wire is None:
        yield "The counterparty is never told this code."
    elif wire is not error.error_code:
        yield f"The counterparty would be told {wire}."
    if error.error_code == "BusError":
        yield "Inquire Process State tells what happened."
    if error.min_retry_secs is not None:
        yield f"The call may be repeated after {error.min_retry_secs} seconds."
    for place in error.error_locations:
        what = f"{place.att_name} of {place.element_type}" if place.att_name else place.element_type
        yield f"It is about {what}" + (f" ({place.element_ref})." if place.element_ref else ".")


def _words(shape: Shape, value: Any, indent: str) -> Iterator[str]:
    for attribute in shape.attributes:
        given = getattr(value, attribute.named.python)
        if given is None or given == ():
            continue
        if attribute.named.kind is Kind.SECRET:
            yield f"{indent}{attribute.xml}: given, not shown"
        elif attribute.named.kind is Kind.MOMENT:
            yield f"{indent}{attribute.xml}: {formats.write_instant(given)}"
        else:
            text = " ".join(given) if isinstance(given, tuple) else str(given)
            yield f"{indent}{attribute.xml}: {_shown(text)}"
    for child in shape.children:
        held = getattr(value, child.python)
        for one in held if child.many else () if held is None else (held,):
            yield from _child(child.xml, one, indent)


def _child(xml_name: str, value: Any, indent: str) -> Iterator[str]:
    match value:
        case Content():
            name = f" {value.name}" if value.name else ""
            yield f"{indent}{xml_name}{name}: {len(value.text)} letters of {value.content}"
        case Parameter():
            yield f"{indent}{xml_name}: {value.type}"
        case _:
            yield f"{indent}{xml_name}:"
            yield from _words(BY_TYPE[type(value)], value, f"{indent}  ")


def _shown(text: str) -> str:
    text = scrub(text)
    return text if len(text) <= SHOWN_LETTERS else f"{text[: SHOWN_LETTERS - 1]}…"


def _kind_of(data: bytes) -> str:
    """Name what a document with faults would have been; "" when that cannot be said."""
    try:
        root = xml.read(data)
    except RemoteProtocolError:
        return ""
    names = [item.name for item in root.elements if item.name in SHAPES]
    if root.name == codec.REQUEST:
        return f"{names[0]} request" if names and names[0] in REQUESTS else codec.REQUEST
    if root.name == codec.RESPONSE:
        return f"{names[-1]} response" if names and names[-1] in RESPONSES else codec.RESPONSE
    return ""
