"""What a role knows of a transaction, durably: where it stands, and every message in and out.

Several roles may share one notebook: each knows transactions for itself (D-29).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import IotpMessage
from tollbridge.faces.iotp.message.components import TransId
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import VersionConflict
from tollbridge.ground.flow import Browse, Flow, Note, Page, Recall, Remember
from tollbridge.wire import json, xml

DEAL, LETTER, OPEN = "iotp/deal", "iotp/letter", "iotp/open"
CONSUMER = "C"
LETTERS_MAX = 500
"""More messages than any transaction needs: nobody fills our disk with one of them."""
BROWSED = 100
READ_MAX, READ_BYTES_MAX = 256, 16 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that came or went. `other` is who sent or gets it, `kinds` its blocks."""

    number: int
    incoming: bool
    other: str
    msg_id: str
    kinds: tuple[str, ...]
    at: Instant
    body: bytes


@dataclass(slots=True)
class Seen:
    """A message that came: its letter, the letter that answers it (0: none yet), its digest."""

    letter: int
    answer: int
    digest: str


@dataclass(slots=True)
class Deal:
    """A transaction as one role knows it; `keep` writes it.

    `stage` is the role's own word for where it stands, `sent` counts its messages, `data` is what
    else it must not forget. Letters that are `fresh` are not written yet; `at_hand` are those too
    that were read or written since the deal was read.
    """

    role: str
    trans: TransId
    stage: str = ""
    sent: int = 0
    letters: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    fresh: list[Letter] = field(default_factory=list)
    at_hand: dict[int, Letter] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The transaction's name."""
        return self.trans.iotp_trans_id

    def seen_as(self, number: int) -> str | None:
        """Give the id of the message that came in a letter."""
        return next((name for name, one in self.seen.items() if one.letter == number), None)

    def add(
        self, body: bytes, msg_id: str, kinds: tuple[str, ...], at: Instant, other: str,
        *, incoming: bool,
    ) -> Letter:  # fmt: skip
        """Put a message on file; it is written with the next `keep`."""
        self.letters += 1
        letter = Letter(self.letters, incoming, other, msg_id, kinds, at, body)
        self.fresh.append(letter)
        self.at_hand[letter.number] = letter
        if incoming:
            self.seen[msg_id] = Seen(letter.number, 0, digest(body))
        return letter


def trans_of(element: xml.Element) -> TransId:
    """Give the name of a transaction just as it was written: it is copied unchanged (3.3.1)."""
    trans = TransId(
        id=element.get("ID") or "X1.2",
        iotp_trans_id=element.get("IotpTransId"),
        iotp_trans_type=element.get("IotpTransType") or "BaselinePing",
        time=formats.instant(element.get("TransTimeStamp")),
    )
    if all(element.get(name) for name in ("ID", "Version", "IotpTransType", "TransTimeStamp")):
        object.__setattr__(trans, "source", element)
    return trans


_READ: OrderedDict[bytes, IotpMessage] = OrderedDict()
_MADE: OrderedDict[bytes, IotpMessage] = OrderedDict()


def message(body: bytes) -> IotpMessage:
    """Read a message that was read before: those on file are asked again and again.

    Raises Unreadable.
    """
    found = _READ.get(body)
    return found if found is not None else was_read(body, codec.read(body))


def was_read(body: bytes, message: IotpMessage) -> IotpMessage:
    """Remember for a while what some bytes say, and give it; strangers fill no memory with it."""
    return _remembered(_READ, body, message)


def written(message: IotpMessage) -> bytes:
    """Write a message of ours, and remember it for a while: we may have to look at it again."""
    body = codec.write(message)
    _remembered(_MADE, body, message)
    return body


def said(letter: Letter) -> IotpMessage:
    """Give the message of a letter on file: as it was read, or as we made it. Raises Unreadable."""
    made = None if letter.incoming else _MADE.get(letter.body)
    return made if made is not None else message(letter.body)


def root(letter: Letter) -> xml.Element:
    """Give the root element of a message on file. Raises Unreadable."""
    return codec.element_of(said(letter))


def _remembered(
    known: OrderedDict[bytes, IotpMessage], body: bytes, message: IotpMessage
) -> IotpMessage:
    if len(body) <= READ_BYTES_MAX:
        known[body] = message
    if len(known) > READ_MAX:
        known.popitem(last=False)
    return message


def digest(body: bytes) -> str:
    """Give the digest that tells quickly whether two messages are the same bytes."""
    return hashlib.sha256(body).hexdigest()


def deal_key(role: str, name: str) -> str:
    """Name a deal's page."""
    return f"{DEAL}/{role}/{_quoted(name)}"


def _letter_key(role: str, name: str, number: int) -> str:
    return f"{LETTER}/{role}/{_quoted(name)}/{number:04d}"


@lru_cache(maxsize=256)
def _quoted(name: str) -> str:
    return quote(name, safe="@")


def recall(role: str, name: str) -> Flow[Deal | None]:
    """Give what a role knows of a transaction; None when it is new."""
    page: Page | None = yield Recall(deal_key(role, name))
    return _read(role, page) if page is not None else None


def keep(deal: Deal, *more: Note) -> Flow[None]:
    """Write a deal, its fresh letters and `more`, all or none; a Consumer's new one is open.

    They may wait for what else the flow writes, see `writing`. Raises VersionConflict when somebody
    else changed the deal meanwhile.
    """
    if deal.version == 0 and deal.role == CONSUMER and not more:
        more = (mark(deal, is_open=True),)
    notes = [Note(deal_key(deal.role, deal.name), _written(deal), deal.version)]
    notes += [
        Note(_letter_key(deal.role, deal.name, letter.number), _letter_written(letter), 0)
        for letter in deal.fresh
    ]
    done: bool = yield Remember((*notes, *more), waits=True)
    if not done:
        raise VersionConflict(f"{deal.name} was changed by somebody else")
    deal.version += 1
    deal.fresh.clear()


def letter(deal: Deal, number: int) -> Flow[Letter]:
    """Give a letter of a deal: a fresh one, or one on file."""
    found = deal.at_hand.get(number)
    if found is None:
        page: Page | None = yield Recall(_letter_key(deal.role, deal.name, number))
        assert page is not None, "letters are written with the deal that counts them"
        found = deal.at_hand[number] = _letter_read(number, page)
    return found


def every_letter(deal: Deal) -> Flow[list[Letter]]:
    """Give all letters of a deal in their order, those that are not written yet included."""
    found: list[Letter] = []
    for number in range(1, deal.letters + 1):
        found.append((yield from letter(deal, number)))
    return found


def letters(role: str, name: str) -> Flow[list[Letter]]:
    """Read all letters of a transaction, in their order."""
    prefix = f"{LETTER}/{role}/{_quoted(name)}/"
    pages = yield from _pages(prefix)
    return [_letter_read(int(key.removeprefix(prefix)), page) for key, page in pages]


def deals(role: str) -> Flow[list[Deal]]:
    """Read all transactions a role knows."""
    return [_read(role, page) for _, page in (yield from _pages(f"{DEAL}/{role}/"))]


def open_names(role: str) -> Flow[list[str]]:
    """Name the transactions that are marked as open."""
    prefix = f"{OPEN}/{role}/"
    return [unquote(key.removeprefix(prefix)) for key, _ in (yield from _pages(prefix))]


def mark(deal: Deal, *, is_open: bool) -> Note:
    """Make the note that marks a transaction as open, or as not open any more."""
    return Note(f"{OPEN}/{deal.role}/{_quoted(deal.name)}", b"1" if is_open else None)


def _pages(prefix: str) -> Flow[list[tuple[str, Page]]]:
    """Give all pages whose keys begin with a prefix."""
    found: list[tuple[str, Page]] = []
    asked: list[tuple[str, Page]] = yield Browse(prefix, "", BROWSED)
    while asked:
        found += asked
        asked = (yield Browse(prefix, asked[-1][0], BROWSED)) if len(asked) == BROWSED else []
    return found


def _written(deal: Deal) -> bytes:
    seen = {name: [one.letter, one.answer, one.digest] for name, one in deal.seen.items()}
    return json.write({
        "trans": xml.write(codec.element_of(deal.trans)).decode(),
        "stage": deal.stage,
        "sent": deal.sent,
        "letters": deal.letters,
        "seen": seen,
        "data": deal.data,
    })  # fmt: skip


def _read(role: str, page: Page) -> Deal:
    value = json.read_object(page.value, what="a page of ours")
    trans = trans_of(xml.read(value["trans"], what="a page of ours"))
    seen = {key: Seen(*one) for key, one in value["seen"].items()}
    return Deal(
        role, trans, value["stage"], value["sent"], value["letters"], seen, value["data"],
        page.version,
    )  # fmt: skip


def _letter_written(one: Letter) -> bytes:
    head = [one.incoming, one.other, one.msg_id, list(one.kinds), one.at]
    return json.write(head) + b"\n" + one.body


def _letter_read(number: int, page: Page) -> Letter:
    head, _, body = page.value.partition(b"\n")
    incoming, other, msg_id, kinds, at = json.read(head, what="a page of ours")
    return Letter(number, incoming, other, msg_id, tuple(kinds), Instant(at), body)


def outgoing(found: list[Letter]) -> Iterator[Letter]:
    """Give the letters that went out."""
    return (one for one in found if not one.incoming)
