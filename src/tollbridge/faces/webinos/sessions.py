"""What the provider remembers, as pages of its notebook.

`payment/<id>` a payment as pages see it; `items/<id>` its lines; `open/<id>` that it is not over;
`untold/<id>` that its seller is still to be told of its end;
`charge/<pair>/<newest first>/<id>` what a seller charged a customer; `wallet/<customer>` the
customer's instruments; `bill/<bill>` which payment took a signed bill that is good for once;
`pace/<who>/<newest first>/<what>` what counts where somebody may do something so often. No
page holds a secret: codes and credentials are kept as tokens of the device or follow from its key,
instruments are sealed by it.
"""

import hashlib
from base64 import b32encode
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from tollbridge.faces.webinos.outcome import Code, Problem
from tollbridge.ground.clock import MICROSECONDS_PER_S, Instant
from tollbridge.ground.flow import Note, Page
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.money import Money
from tollbridge.wire import json

SCOPE = "webinos"
OPEN = "open/"
UNTOLD = "untold/"
EVENTS_KEPT = 50
AUDIT_KEPT = 100
_END_OF_TIME = 10**17


class State(StrEnum):
    """Where a payment stands, as pages see it."""

    CHALLENGE = "challenge_required"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


class Means(StrEnum):
    """How a challenge is answered."""

    CODE = "code"
    COUNT = "count"
    DIGITS = "digits"
    MARK = "mark"
    CONFIRM = "confirm"
    INSTRUMENT = "instrument"
    APPROVAL = "approval"
    RECEIPT = "receipt"


@dataclass(slots=True, kw_only=True)
class Challenge:
    """One open question. `kind` is text, image or url; `token` is the right answer as the device
    tokenizes it; `who` is who a payer without a customerID says to be, until that is proven; `page`
    is the address of the bridge's provider, where the payer approves."""

    id: str
    kind: str
    means: Means
    expires: int
    text: str = ""
    token: str = ""
    who: str = ""
    page: str = ""


@dataclass(slots=True, kw_only=True)
class Step:
    """One operation at the engine: opens a payment (`payment` "") or refunds one.

    `state` is planned, asked, done or failed; then `why` says why, as pages see it.
    """

    minor: int
    payment: str = ""
    state: str = "planned"
    why: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Checkout:
    """One payment of a page, as it becomes.

    `minor` is what moves, in minor units; `verb` is the first step's. `kinds` are the challenges
    its page can show. `tries` counts answers. `challenged`: the customer must confirm, `proven`:
    and did. `instrument` is the wallet's name for what pays. `deadline` is until when it may be
    begun to pay. `signed` is the name of the bill its seller's server signed, "" where none was.
    `late`: followers were told that its outcome stays unknown. `seen` is how many
    events happened, of which the last are kept. `version` is its page's.
    """

    id: str
    seller: str
    customer: str
    service: str
    reached: str
    body_hash: str
    bill: dict[str, Any]
    bill_id: str
    bill_hash: str
    minor: int
    currency: str
    kind: str
    verb: str
    at: int
    deadline: int
    touched: int
    kinds: tuple[str, ...] = ()
    has_items: bool = False
    signed: str = ""
    state: State = State.PROCESSING
    challenge: Challenge | None = None
    tries: int = 0
    challenged: bool = False
    proven: bool = False
    instrument: str = ""
    steps: list[Step] = field(default_factory=list)
    late: bool = False
    error: dict[str, Any] | None = None
    jti: str = ""
    paid_at: int = 0
    verified_at: int = 0
    consumed_at: int = 0
    seen: int = 0
    events: list[str] = field(default_factory=list)
    audit: list[list[Any]] = field(default_factory=list)
    version: int = 0

    @property
    def over(self) -> bool:
        """Whether it has its one final outcome."""
        return self.state in OVER

    @property
    def asked(self) -> bool:
        """Whether money may have moved for it."""
        return bool(self.steps)

    @property
    def money(self) -> Money:
        """What moves."""
        return Money.of(self.minor, self.currency)

    @property
    def amount(self) -> str:
        """The amount as the bill has it: below zero for a refund."""
        money = self.money
        return (-money if self.kind == "refund" else money).decimal()

    def key(self, step: int) -> IdempotencyKey:
        """Name a step: it is asked once, whatever happens."""
        return IdempotencyKey(SCOPE, f"{self.id}.{step}" if self.kind == "refund" else self.id)

    def happened(self, name: str, now: Instant) -> None:
        """Add an event that followers hear of."""
        self.seen += 1
        self.events = [*self.events, name][-EVENTS_KEPT:]
        self.touched = now
        self.noted(f"{name} {self.state}", now)

    def noted(self, what: str, now: Instant, challenge: str = "") -> None:
        """Add a line to the audit trail."""
        self.audit = [*self.audit, [now, what, challenge]][-AUDIT_KEPT:]

    def numbered(self) -> tuple[tuple[int, str], ...]:
        """Give the events that are kept, with their numbers."""
        first = self.seen - len(self.events) + 1
        return tuple(enumerate(self.events, first))

    def write(self) -> bytes:
        """Write the page."""
        written = {name: getattr(self, name) for name in _WRITTEN}
        written["challenge"] = asdict(self.challenge) if self.challenge else None
        written["steps"] = [asdict(step) for step in self.steps]
        return json.write(written)

    def note(self) -> Note:
        """Give the write of its page, on top of the version it was read with."""
        return Note(page(self.id), self.write(), expected=self.version)


# The library's own way copies each line of the audit trail first.
_WRITTEN = tuple(each.name for each in fields(Checkout) if each.name != "version")


def read(found: Page) -> Checkout:
    """Read a payment as `write` wrote it."""
    kept = json.read_object(found.value, what="payment page")
    challenge = kept.pop("challenge")
    steps = [Step(**step) for step in kept.pop("steps")]
    made = Checkout(**kept, steps=steps, version=found.version)
    made.state = State(made.state)
    made.kinds = tuple(made.kinds)
    if challenge is not None:
        made.challenge = Challenge(**challenge)
        made.challenge.means = Means(made.challenge.means)
    return made


def details(checkout: Checkout) -> dict[str, str]:
    """Give what every operation of a payment carries in the journal."""
    return {f"{SCOPE}.payment": checkout.id, f"{SCOPE}.seller": checkout.seller}


def problem(fields: dict[str, Any]) -> Problem:
    """Read a problem as a page keeps it."""
    return Problem(
        Code(fields["code"]), fields["reason"], fields["message"], fields["retryPossible"]
    )


def later(now: Instant, seconds: float) -> int:
    """Give an instant some seconds from now."""
    return now + round(seconds * MICROSECONDS_PER_S)


def name_of(seller: str, key: str) -> str:
    """Name a payment by what makes it one: the same seller and idempotency key are the same."""
    return f"wp_{_digest(seller, key)[:26]}"


def page(payment: str) -> str:
    """Name the page of a payment."""
    return f"payment/{payment}"


def items(payment: str) -> str:
    """Name the page of a payment's lines."""
    return f"items/{payment}"


def still_open(payment: str) -> str:
    """Name the page that says that a payment is not over."""
    return f"{OPEN}{payment}"


def charges(seller: str, customer: str) -> str:
    """Name the beginning of the pages of what a seller charged a customer, newest first."""
    return f"charge/{_digest(seller, customer)}/"


def charge(checkout: Checkout) -> str:
    """Name the page that lists a charge for refunds."""
    newest = _END_OF_TIME - checkout.at
    return f"{charges(checkout.seller, checkout.customer)}{newest:017d}/{checkout.id}"


def untold(payment: str) -> str:
    """Name the page that says that a seller is still to be told of a payment's end."""
    return f"{UNTOLD}{payment}"


def used(seller: str, bill: str) -> str:
    """Name the page that says which payment took a signed bill."""
    return f"bill/{_digest(seller, bill)}"


def paces(what: str, who: str, window_s: float) -> str:
    """Name the beginning of the pages of what counts for somebody, newest first."""
    return f"pace/{_digest(what, who, str(window_s))}/"


def pace(prefix: str, at: int, name: str) -> str:
    """Name the page of one thing that counts."""
    return f"{prefix}{_END_OF_TIME - at:017d}/{name}"


def paced(key: str) -> tuple[int, str]:
    """Say when something was counted, and what."""
    newest, name = key.rsplit("/", 2)[1:]
    return _END_OF_TIME - int(newest), name


def wallet(customer: str) -> str:
    """Name the page of a customer's wallet."""
    return f"wallet/{customer}"


def _digest(*parts: str) -> str:
    made = hashlib.sha256(json.write(parts)).digest()
    return b32encode(made).decode().lower().rstrip("=")
