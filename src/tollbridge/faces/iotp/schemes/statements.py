"""Statements: what one purse or card says to another's software, under its seal.

A statement is JSON text; the seal is over exactly that text, so nothing depends on how anybody else
writes JSON. It travels as packaged content in base 64.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.iotp.api.answer import Refused, refused
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.wire import json


@dataclass(frozen=True, slots=True)
class Statement:
    """Something said: `by` whom, the `text` of it, and the `seal` in hexadecimal."""

    by: str
    text: str
    seal: str

    @property
    def body(self) -> Mapping[str, Any]:
        """What the text says. Raises Refused, EncapProtErr, when it is no JSON object."""
        try:
            return json.read_object(self.text, what="statement")
        except RemoteProtocolError as error:
            raise garbled(str(error)) from None

    @property
    def digest(self) -> str:
        """What tells this statement from others."""
        return hashlib.sha256(json.write([self.by, self.text, self.seal])).hexdigest()

    def packed(self, name: str) -> Content:
        """Package it."""
        return Content.of(json.write([self.by, self.text, self.seal]), name)


def said(by: str, body: Mapping[str, Any], key: bytes) -> Statement:
    """Make a statement under a shared key (HMAC-SHA-256)."""
    text = json.write(body).decode()
    return Statement(by, text, seal(key, by, text))


def seal(key: bytes, by: str, text: str) -> str:
    """Compute a seal; who says it is under the seal, too."""
    return hmac.new(key, json.write([by, text]), hashlib.sha256).hexdigest()


def sealed(statement: Statement, key: bytes) -> bool:
    """Say whether the seal is that of this key."""
    right = seal(key, statement.by, statement.text)
    return hmac.compare_digest(right.encode(), statement.seal.encode())


def unpacked(contents: Sequence[Content], name: str) -> Statement:
    """Find the one statement in packaged contents. Raises Refused, EncapProtErr."""
    own = [content for content in contents if content.name == name]
    if len(own) != 1:
        raise garbled(f"one content named {name} is expected")
    return read(own[0])


def read(content: Content) -> Statement:
    """Read a statement. Raises Refused, EncapProtErr, when it is none."""
    try:
        parts = json.read(content.data, what="statement")
    except (ValueError, RemoteProtocolError):
        raise garbled("not a statement") from None
    if not isinstance(parts, list) or [type(part) for part in parts] != [str, str, str]:
        raise garbled("not a statement")
    return Statement(*parts)


def garbled(text: str) -> Refused:
    """Make the refusal of scheme data that is wrong."""
    return refused(ErrorCode.ENCAP_PROT_ERR, text, element="PaySchemePackagedContent")
