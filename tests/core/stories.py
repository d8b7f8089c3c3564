"""Payments told in words, so that tables of cases can be read aloud.

A story is steps with semicolons between them. A step is a verb and what is said about it, in any
order, then how it ended (approved when nothing is said):

    authorize 100 BGN @2025-12-30; capture 60 open; void #2 declined

`100` minor units (EUR, or the payment's currency)   `#2` the operation to void
`@2026-01-02` the day (else 2026-03-01)              `open` not the final capture
`partial` a part will do                             `grants 60` approved for 60
endings: approved declined unsent pending lost (dispatched, no answer) wanted (only requested)
"""

from datetime import UTC, datetime

from tollbridge.core.asks import Ask
from tollbridge.core.decide import decide
from tollbridge.core.facts import Dispatched, Requested, Settled
from tollbridge.core.outcome import Approved, DeclineCode, Declined, Pending, Unsent
from tollbridge.core.payment import Payment, after, opened
from tollbridge.core.verbs import MOVES_NOTHING, OPENING, Verb
from tollbridge.ground.clock import Instant
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money

NAME = PaymentId("01KJ0000000000000000000001")
DAY = "2026-03-01"
ENDINGS = {
    "declined": Declined(DeclineCode.DO_NOT_HONOUR, "05"),
    "unsent": Unsent("refused"),
    "pending": Pending("wait"),
}


def noon(day):
    """The middle of a day, as an instant."""
    return Instant(
        int(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC).timestamp()) * 10**6
    )


def wish(text, payment=None, key="k"):
    """Read one step: what is asked, when, and how it ends."""
    words = text.split()
    verb = Verb(words.pop(0))
    said = {}
    minor, code, at, ending = None, "EUR", DAY, "approved"
    if payment is not None and payment.currency is not None:
        code = payment.currency.code
    while words:
        match word := words.pop(0):
            case "open":
                said["final_capture"] = False
            case "partial":
                said["partial_ok"] = True
            case "grants":
                ending = int(words.pop(0))
            case _ if word.lstrip("-").isdigit():
                minor = int(word)
            case _ if word[0] == "#":
                said["target"] = int(word[1:])
            case _ if word[0] == "@":
                at = word[1:]
            case _ if word.isupper():
                code = word
            case _:
                ending = word
    ask = Ask(
        verb=verb,
        key=IdempotencyKey("story", key),
        amount=Money.of(minor, code) if minor is not None else None,
        payment=payment.id if payment and verb not in OPENING else None,
        merchant="" if payment else "corner shop",
        bridge="" if payment else "sandbox",
        **said,
    )
    return ask, noon(at), ending


def facts(request: Requested, ending) -> list:
    """Give the facts of an operation that ends in a way."""
    n, at = request.ordinal, request.at
    begun = [request] if request.verb in MOVES_NOTHING else [request, Dispatched(n, at)]
    match ending:
        case "wanted":
            return [request]
        case "lost":
            return [request, Dispatched(n, at)]
        case "approved":
            return [*begun, Settled(n, at, Approved(request.tender, f"N{n}"))]
        case int():
            granted = Money(ending, request.tender.currency)
            return [*begun, Settled(n, at, Approved(granted, f"N{n}"))]
        case _:
            return [*begun, Settled(n, at, ENDINGS[ending])]


def told(story) -> Payment | None:
    """Give the payment a story leads to; None for an empty one."""
    payment = None
    for n, text in enumerate(filter(None, map(str.strip, story.split(";"))), 1):
        ask, now, ending = wish(text, payment, f"k{n}")
        happened = facts(decide(payment, ask, now), ending)
        payment = after(payment, happened) if payment else opened(NAME, happened)
    return payment


def table(text) -> list[list[str]]:
    """Read a table: one case a line, columns with bars between them, the first line names them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [[cell.strip() for cell in line.split("|")] for line in lines[1:]]
