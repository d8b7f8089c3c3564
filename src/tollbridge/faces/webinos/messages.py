"""What the face is asked, by pages, by the provider's own pages, by merchants and by the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tollbridge.core.operation import Operation
from tollbridge.core.payment import Payment
from tollbridge.faces.webinos.bill import Manner
from tollbridge.faces.webinos.outcome import Problem, charge
from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer for HTTP. `origin` is the page's, where it may read the answer."""

    status: int
    fields: Mapping[str, Any] | None
    headers: tuple[tuple[str, str], ...] = ()
    origin: str = ""


class Refused(Exception):
    """An answer other than yes that changes nothing."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.message)
        self.status = status
        self.problem = problem


def refused(status: int, reason: str, message: str, *, retry: bool = False) -> Refused:
    """Make a refusal with payment_charge_failed."""
    return Refused(status, charge(reason, message, retry=retry))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the credential shown, the page's origin ("": none was sent) and the address the
    provider was reached at."""

    credential: Secret[str] = field(default_factory=lambda: Secret(""))
    origin: str = ""
    reached: str = ""


# From pages. Each is answered with a Reply, but for Follow.


@dataclass(frozen=True, slots=True)
class Preflight:
    """May a page of this origin ask?"""

    caller: Caller


@dataclass(frozen=True, slots=True)
class FindServices:
    """Which services are there for this feature URI? The caller shows a publishable key."""

    caller: Caller
    api: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Pay. `fields` is the request's body; the caller shows a publishable key.

    In the manner COMPAT the room has judged the page's origin itself, and no key is wanted.
    """

    caller: Caller
    key: str
    fields: Mapping[str, Any]
    manner: Manner = Manner.PLAIN


@dataclass(frozen=True, slots=True)
class Show:
    """How is the payment? The caller shows the client token. Answered at once with a Reply."""

    caller: Caller
    payment: str


@dataclass(frozen=True, slots=True)
class Follow:
    """The same for who follows: answered with Followed, or a Reply that refuses."""

    caller: Caller
    payment: str


@dataclass(frozen=True, slots=True)
class Followed:
    """The payment as it is now. `events` are the numbers and names of what happened to it, oldest
    first; the first ones may be forgotten, the last is the newest. `over`: nothing more comes."""

    view: Mapping[str, Any]
    events: tuple[tuple[int, str], ...]
    over: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The customer's answer to a challenge. The caller shows the client token."""

    caller: Caller
    payment: str
    challenge: str
    answer: Secret[str]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give up, if no money may move yet. The caller shows the client token."""

    caller: Caller
    payment: str


# From the provider's own pages


@dataclass(frozen=True, slots=True)
class LookAt:
    """What is to be confirmed?"""

    caller: Caller
    challenge: str
    token: Secret[str]


@dataclass(frozen=True, slots=True)
class Decide:
    """The payer's decision. `fields` is the request's body, which may hold a card."""

    caller: Caller
    challenge: str
    token: Secret[str]
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Returned:
    """The payer comes back from the page of the bridge's provider, where they approved or
    `cancelled`. `token` is that of the payment's way back. Answered with Followed; None where it is
    not, or there is no key to show it with."""

    payment: str
    token: Secret[str]
    cancelled: bool


# From merchants


@dataclass(frozen=True, slots=True)
class Verify:
    """Is this proof true? The caller shows a secret key."""

    caller: Caller
    proof: str
    consume: bool


# From the house


@dataclass(frozen=True, slots=True)
class Refresh:
    """Move a payment on: learn an outcome, let a challenge expire, finish what a crash broke off.

    Answered with Followed; None where there is no such payment, or no key to show it with.
    """

    payment: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Which payments may need that? Answered with up to `limit` names after `after`, in order."""

    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Tell:
    """What is the seller to be told, now that the journal holds this outcome of an operation?

    Answered with a tuple of Notices, empty where it is nobody's business.
    """

    payment: Payment
    operation: Operation


@dataclass(frozen=True, slots=True)
class Ended:
    """What are sellers to be told of payments that ended without the journal's doing, and of
    refunds? Answered with a tuple of up to `limit` Notices, the same ones until they were heard."""

    limit: int = 100


@dataclass(frozen=True, slots=True)
class Heard:
    """It is durable that sellers are told of the ends of these payments. Answered with None."""

    payments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice for a seller. `id` is the same whenever it is made again, `type` is its name,
    `sequence` grows for each payment, `at` is when it happened (RFC 3339)."""

    id: str
    seller: str
    type: str
    payment: str
    sequence: int
    at: str
    data: Mapping[str, Any]


Message = (
    Preflight
    | FindServices
    | Begin
    | Show
    | Follow
    | Answer
    | Cancel
    | LookAt
    | Decide
    | Returned
    | Verify
    | Refresh
    | Unfinished
    | Tell
    | Ended
    | Heard
)
