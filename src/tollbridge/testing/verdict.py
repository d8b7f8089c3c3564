"""Holds a terminal's journal against the card network's book, and against what was told to whom.

Whatever differs is money lost or doubled, said in plain words. Nothing is left to be said when the
network, the journal, the terminal's answers and the till's own journal agree.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tollbridge.core.operation import Operation
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.wpi import sessions
from tollbridge.faces.wpi.sessions import Pages, Session
from tollbridge.faces.wpi.tables import PAYMENT, SERVICES, SUCCESS
from tollbridge.journal import rows
from tollbridge.journal.journal import Journal, load
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.sandbox.book import Book, Movement
from tollbridge.sandbox.compare import compare
from tollbridge.wire import json
from tollbridge.wpi_client.journal import everything
from tollbridge.wpi_client.results import Exchange, Fate

FACE = "wpi"
PAGE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """One exchange as the terminal remembers it: what it told, and what it asked the host for."""

    session: Session
    response: dict[str, Any]
    operation: Operation | None
    payment: Payment | None
    waits: bool

    @property
    def approved(self) -> bool:
        """Whether the application was told that it was done."""
        return self.response.get("result") == SUCCESS

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.session.service.removeprefix('WPI_SVC_')} {self.session.session}"


def movements(book: Path) -> list[Movement]:
    """Give what the card network moved, oldest first."""
    with closing(Book(book)) as opened:
        return opened.movements()


def verdict(journal: Path, book: Path, terminal: str, tills: Sequence[Path] = ()) -> list[str]:
    """List every contradiction; empty when no money is lost or doubled.

    `journal` is the server's, `terminal` the terminal's id; `tills` are journals of WPI clients.
    """
    with closing(SqliteJournal(journal, read_only=True)) as opened:
        payments = list(_payments(opened))
        told = {(each.session.package, each.session.session): each
                for each in _told(opened, terminal)}  # fmt: skip
    found = compare(payments, movements(book))
    for each in told.values():
        found += [f"{each.name}: {text}" for text in _of_answer(each)]
    found += _doubled(told.values())
    for till in tills:
        for package, at, exchange in everything(till):
            if at in ("", terminal):
                known = told.get((package, exchange.session))
                found += [f"{exchange.service.removeprefix('WPI_SVC_')} {exchange.session}: {text}"
                          for text in _of_till(exchange, known)]  # fmt: skip
    return found


def _of_answer(told: Told) -> Iterator[str]:
    """Compare what the application was told with what the journal knows."""
    operation = told.operation
    if not told.session.over:
        if operation is not None:
            yield f"nobody was told what became of it ({operation.state})"
        return
    if operation is None:
        if told.approved and not told.waits:
            yield "the application was told approved, the journal knows nothing of it"
        return
    amount = operation.approved_amount if not operation.abandoned else None
    if told.approved and amount is None:
        yield f"the application was told approved, it is {operation.state}"
    elif amount is not None and not told.approved:
        condition = told.response.get("errorCondition")
        yield f"the application was told {condition}, {amount} is approved"
    elif amount is not None:
        authorized = told.response.get("authorizedAmount")
        if authorized != amount.amount_minor and operation.verb is not Verb.VOID:
            yield f"the application was told {authorized}, it is {amount.amount_minor} (minor)"


def _of_till(exchange: Exchange, told: Told | None) -> Iterator[str]:
    """Compare what a till believes with what the terminal told."""
    approved = told is not None and told.approved
    match exchange.fate:
        case Fate.APPROVED if not approved:
            yield "approved for the till, not for the terminal"
        case Fate.FAILED | Fate.NOT_EXECUTED if approved:
            yield f"{exchange.fate} for the till, approved for the terminal"
        case Fate.UNKNOWN:
            yield "the till does not know what became of it"


def _doubled(told: Iterator[Told] | Any) -> Iterator[str]:
    """Find purchases that were made twice: one application, one reference, one amount."""
    made: dict[tuple[Any, ...], list[Told]] = {}
    for each in told:
        reference = each.session.echoes.get("reference")
        if each.session.service != PAYMENT or not reference or not each.approved:
            continue
        if each.payment is None or each.operation is None:
            continue
        if each.payment.counts(each.operation) and each.payment.amounts.refundable_minor:
            key = (each.session.package, reference, str(each.operation.amount))
            made.setdefault(key, []).append(each)
    for (_, reference, amount), twins in made.items():
        if len(twins) > 1:
            names = ", ".join(each.session.session for each in twins)
            yield f"{reference}: {amount} was paid {len(twins)} times (sessions {names})"


def _told(journal: Journal, terminal: str) -> Iterator[Told]:
    pages = Pages(terminal)
    prefix = pages.session("", "")[:-1]
    after = ""
    while found := journal.browse(FACE, prefix, after, PAGE):
        for _, page in found:
            session = sessions.read(page.value)
            if SERVICES[session.service].verb is not None:
                yield _one(journal, pages, session)
        after = found[-1][0]


def _one(journal: Journal, pages: Pages, session: Session) -> Told:
    key = pages.key(session.package, session.session, session.attempt)
    name = journal.find(rows.digest(key))
    payment = load(journal, name) if name is not None else None
    response = json.read_object(session.response, what="response") if session.over else {}
    waits = journal.recall(FACE, pages.offline(session.reference)) is not None
    return Told(session, response, payment.find(key) if payment else None, payment, waits)


def _payments(journal: Journal) -> Iterator[Payment]:
    last = None
    while page := journal.payments(last, PAGE):
        for name in page:
            yield load(journal, name)
        last = page[-1]
