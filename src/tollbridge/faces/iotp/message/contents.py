"""Packaged contents (RFC 2801, 3.7): what is inside, and whether HTML brings all it needs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import Transform

PCDATA, MIME, XML = "PCDATA", "MIME", "XML"
MIME_TYPED = "MIME:"
MAIN = "Main"
"""The name of the HTML page that is shown first."""
_LINK = re.compile(
    r"""(?:src|href|background)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE
)
_KNOWN = re.compile(r"PCDATA|MIME|XML|MIME:[\w.+-]+/[\w.+-]+(;.*)?|[xX]-.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Document:
    """What a content is: its media type, its text where it is text, its bytes."""

    media_type: str
    data: bytes
    text: str | None


def text(words: str, name: str | None = None) -> Content:
    """Package plain text."""
    return Content(text=words, name=name)


def xml_text(document: str, name: str | None = None) -> Content:
    """Package XML: written with references, so that it is text to whoever reads the message."""
    return Content(text=document, name=name, content=XML)


def mime(media_type: str, data: bytes, name: str | None = None) -> Content:
    """Package anything of a media type, in base 64."""
    packaged = Content.of(data, name)
    return Content(
        text=packaged.text, name=name, content=MIME_TYPED + media_type, transform=Transform.BASE64
    )


def is_known(content: Content) -> bool:
    """Say whether a content says what it is in a way that the standard has."""
    return _KNOWN.fullmatch(content.content) is not None


def opened(content: Content) -> Document:
    """Say what a content is. Raises ValueError when it is not what it says."""
    data = content.data
    if content.content == MIME:
        return _mime_item(data)
    if content.content.startswith(MIME_TYPED):
        media_type = content.content[len(MIME_TYPED) :].partition(";")[0].strip().lower()
    else:
        media_type = {PCDATA: "text/plain", XML: "text/xml"}.get(
            content.content, "application/octet-stream"
        )
    return Document(media_type, data, _as_text(media_type, data))


def _mime_item(data: bytes) -> Document:
    try:
        item = message_from_bytes(data)
        inside = item.get_payload(decode=True)
        media_type = item.get_content_type()
    except (ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a MIME item: {type(error).__name__}") from None
    whole = inside if isinstance(inside, bytes) else data
    return Document(media_type, whole, _as_text(media_type, whole))


def _as_text(media_type: str, data: bytes) -> str | None:
    if not media_type.startswith("text/"):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def missing_links(contents: Iterable[Content]) -> tuple[str, ...]:
    """Give what HTML among contents refers to and does not bring along (RFC 2801, 3.7.2).

    The page shown first is named `Main`; relative links are names of siblings. Whoever shows the
    page should warn: what is missing would have to be fetched.
    """
    packed = tuple(contents)
    names = {one.name for one in packed if one.name}
    found: list[str] = []
    pages = 0
    for one in packed:
        try:
            document = opened(one)
        except ValueError:
            continue
        if document.media_type != "text/html":
            continue
        pages += 1
        for match in _LINK.finditer(document.text or ""):
            target = (match[1] or match[2] or match[3] or "").partition("#")[0]
            if target and target not in names:
                found.append(target)
    if pages > 1 and MAIN not in names:
        found.append(MAIN)
    return tuple(dict.fromkeys(found))
