"""What a face is: it says where to listen, reads messages, and answers them as flows.

A face's flows yield Ask, Look, Exchange, Recall, Browse, Remember and Wait, and end with the reply.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Limits, Request, Response


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """One place to listen on, and the codec for it.

    `path` may hold names in braces, which `decode` gets as a mapping. `decode` raises
    RemoteProtocolError for nonsense, and `refuse` makes the answer to that: the peer's standard
    knows best how to say it. The caller is authenticated before, unless the endpoint is `open`:
    then the standard has no credentials, or the face judges them itself.
    """

    method: str
    path: str
    decode: Callable[[Request, Mapping[str, str]], Any]
    encode: Callable[[Any], Response]
    refuse: Callable[[RemoteProtocolError], Response]
    limits: Limits
    open: bool = False


@dataclass(frozen=True, slots=True)
class WebSocketEndpoint:
    """One place to open a WebSocket at: each text that comes in is a message, answered by itself.

    As HttpEndpoint, but that a message is a text, and that an answer may be several texts. `decode`
    gets the names of the path, and those of the handshake's query and header fields below them.
    Messages of one socket are answered as they are ready, not one after the other.
    """

    path: str
    decode: Callable[[str, Mapping[str, str]], Any]
    encode: Callable[[Any], Sequence[str]]
    refuse: Callable[[RemoteProtocolError], str]
    limits: Limits
    open: bool = False


Endpoint = HttpEndpoint | WebSocketEndpoint


class Face(Protocol):
    """One published standard."""

    name: str

    def endpoints(self) -> Sequence[Endpoint]:
        """Say where to listen."""
        ...

    def answer(self, message: Any) -> Flow[Any]:
        """Answer one decoded message.

        UsageError and JournalError are thrown into the flow where it asked; the face says them in
        its own words.
        """
        ...


# What any face may ask of the device it runs on: Exchange(Party.DEVICE, …).


@dataclass(frozen=True, slots=True)
class Tokenize:
    """Make a token of a card number, a UID or a code: the same one each time on this device.

    Answers: Tokenized, SecureFault.
    """

    number: Secret[str]


@dataclass(frozen=True, slots=True)
class Tokenized:
    """A token."""

    token: str


@dataclass(frozen=True, slots=True)
class Seal:
    """Encrypt something for this device alone. Answers: Sealed, SecureFault."""

    plain: Secret[str]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed, as text."""

    sealed: str


@dataclass(frozen=True, slots=True)
class Unseal:
    """Decrypt what this device sealed. Answers: Unsealed, SecureFault."""

    sealed: str


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What had been sealed."""

    plain: Secret[str]


@dataclass(frozen=True, slots=True)
class SecureFault:
    """The secure element failed: for want of a key, or while encrypting."""

    key_missing: bool = False
