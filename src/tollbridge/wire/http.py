"""HTTP messages as values. Who reads them from a socket bounds them; see `Limits`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one message is read before it is refused."""

    body_bytes_max: int = 64 * 1024
    header_count_max: int = 64


class Headers(Mapping[str, str]):
    """Header fields; names are compared without case, and the first value of a name counts."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, str] = {}
        for name, value in fields:
            self._fields.setdefault(name.lower(), value)

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __hash__(self) -> int:
        return hash(frozenset(self._fields.items()))

    def __repr__(self) -> str:
        return f"Headers({list(self._fields)})"


NO_HEADERS = Headers()
JSON = Headers([("content-type", "application/json")])


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send or one received. `moves_money`: after it left, only an answer may tell.

    `peer` is the address and port a received request came from. `body` is not part of the
    representation: it may hold a card number.
    """

    method: str
    url: str
    headers: Headers = NO_HEADERS
    body: bytes = field(default=b"", repr=False)
    moves_money: bool = False
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer."""

    status: int
    headers: Headers = NO_HEADERS
    body: bytes = field(default=b"", repr=False)


def is_private_way(url: str) -> bool:
    """Say whether nobody on the way to an address can read along.

    So it is with https, within this machine, and on a line inside this process. Raises ValueError
    when the address is none.
    """
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        raise ValueError("not an address")
    if parts.scheme != "http" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname).is_loopback
    except ValueError:
        return False
