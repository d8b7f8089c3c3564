"""What a Consumer's core says to the person at the device, and to peers.

Exchange(Party.CARDHOLDER, wish) is sent the person's answer, Exchange(Party.PEER, Post or Fetch)
an Arrived or a Silence. Who plays them is not the core's business.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tollbridge.faces.iotp.api.words import PayDirection, ProcessState
from tollbridge.ground.secret import Secret


class Way(StrEnum):
    """How to go on when something does not work (2.3-5, 2.6.1)."""

    GO_ON = "go on"
    RETRY = "retry"
    OTHER = "choose another"
    REGISTER = "register an instrument"
    SUSPEND = "suspend"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Option:
    """A way to pay: instrument (None: the brand does not tell them apart), brand, amount."""

    bridge: str
    brand_id: str
    brand_name: str
    protocol_id: str
    protocol_name: str
    amount: Decimal
    currency: str
    direction: PayDirection
    instrument_id: str | None = None
    instrument_name: str = ""
    narrative: str = ""


@dataclass(frozen=True, slots=True)
class Choose:
    """Choose one of the options: answered with its place, or a Way (suspend, cancel)."""

    what: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Confirm:
    """Shall this be paid now? Answered with GO_ON, SUSPEND or CANCEL (2.4-1)."""

    option: Option
    order: str
    payee: str
    handler: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something does not work; answered with one of the ways."""

    text: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class NeedWallet:
    """A bridge wants a wallet's id; answered with it, or None."""

    bridge: str
    text: str


@dataclass(frozen=True, slots=True)
class NeedPassphrase:
    """A bridge wants a pass phrase; answered with a Secret, or None."""

    bridge: str
    wallet_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Prove:
    """The Merchant takes any of these ways to authenticate (names of algorithms); answered with the
    place of the one to try first, or None: it does not matter."""

    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedMember:
    """A Merchant wants a member's name and pass phrase; answered with a Member, or None."""

    payee: str


@dataclass(frozen=True, slots=True)
class Member:
    """Who somebody is for a Merchant."""

    name: str
    phrase: Secret[str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a payment is; not answered. A bridge says so by Call Back."""

    pay_id: str
    text: str
    percent: int | None = None
    state: ProcessState | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to read: status texts, warnings, inconsistencies; not answered."""

    text: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt made fit for people (Expand Payment Receipt); not answered."""

    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Received:
    """What was delivered, or a note about it, with how far it is; not answered."""

    how: str
    text: str
    signed: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Show a page of a peer: where things go on after success, error, cancellation."""

    url: str


Wish = (
    Choose
    | Confirm
    | Trouble
    | NeedWallet
    | NeedPassphrase
    | Prove
    | NeedMember
    | Progress
    | Notice
    | Receipt
    | Received
    | Visit
)
Answered = int | Way | str | Secret[str] | Member | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """GET an address: how a trade begins."""

    url: str


@dataclass(frozen=True, slots=True)
class Post:
    """POST a message to a net location (RFC 2935)."""

    url: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came back. `left`: the message may have arrived."""

    reason: str
    left: bool
