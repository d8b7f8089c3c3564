"""Stored value, from purse to purse, in three exchanges: the protocol `TollbridgePurse-1.0`.

Two purses, the Consumer's and the Payment Handler's. Debit: the Consumer's pays; Credit (load,
refund): the Handler's pays.

              Debit                               Credit
    1  C → H  hello  terms, challenge             hello
       H → C  offer  terms, its challenge         offer
    2  C → H  value  taken out of C               accept
       H → C  taken  put into H                   value  taken out of H
    3  C → H  closed                              taken  put into C
       H      End                                 End

Every statement is sealed (HMAC-SHA-256) under the key of the Consumer's purse and repeats all
terms: payments, purses, amount, brand, and the counter and nonce of both purses. So each purse
answers the other's challenge before value moves, the amount is under both seals, and nothing fits
any other transfer. Counters go up by one with each transfer of a purse; a pair of purse and counter
is taken once.

Value leaves a purse in the same commit that keeps the statement `value`, and enters one in the same
commit that keeps `taken`; only then is the statement given out. A purse that said `value` ends the
transfer by evidence only: `taken` closes it, and `refused` puts the value back. A purse says
`refused` when it did not take the value, and from then on never will. What was heard before is
answered as before. When messages are lost, an inquiry carries the evidence:

    C → H  where                               nothing new is known
           cancel                              the Consumer gave up: say `refused` unless taken
           closed, taken, refused              what the Consumer's purse said last
    H → C  taken, refused, value, or nothing

The key is shared: it proves who said something to the other side, not to a judge. The Handler's
side has all keys (they follow from one secret), as the security modules of card-based purses do.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tollbridge.faces.iotp.api.answer import refused
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.schemes import statements
from tollbridge.faces.iotp.schemes.statements import Statement
from tollbridge.ground.secret import Secret

PROTOCOL_ID = "TollbridgePurse-1.0"
PROTOCOL_NAME = "Purses, three exchanges"
NAME, RECEIPT = "Purse", "PurseReceipt"

KeyOf = Callable[[str], bytes | None]
"""Gives the key of a Consumer's purse, None when there is no such purse."""


class Phase(StrEnum):
    """Where one side of a transfer stands."""

    BEGUN = "begun"
    """The Consumer said hello."""
    OFFERED = "offered"
    """The Handler answered hello."""
    READY = "ready"
    """The Consumer accepted to be paid."""
    SENT = "sent"
    """The value left this purse, and nobody knows where it is."""
    TAKEN = "taken"
    """The value is in this purse."""
    DONE = "done"
    """Both know."""
    REFUSED = "refused"
    """This purse did not take the value, and never will."""
    BACK = "back"
    """The value is in this purse again, or never left it."""


MOVED = frozenset({Phase.TAKEN, Phase.DONE})
"""Phases after the value has moved for good."""
UNDONE = frozenset({Phase.REFUSED, Phase.BACK})
"""Phases after which it never will."""

PERCENT: Mapping[Phase, int] = {
    Phase.BEGUN: 20,
    Phase.OFFERED: 20,
    Phase.READY: 40,
    Phase.SENT: 60,
    Phase.TAKEN: 80,
    Phase.DONE: 99,
    Phase.REFUSED: 99,
    Phase.BACK: 99,
}


@dataclass(frozen=True, slots=True)
class Move:
    """What a statement does to a transfer: the phase then, what is said, and the value's way."""

    phase: Phase
    say: str = ""
    sign: int = 0


_C, _H = False, True
_PAYS, _IS_PAID = True, False

MOVES: Mapping[tuple[bool, bool, Phase, str], Move] = {
    (_C, _PAYS, Phase.BEGUN, "offer"): Move(Phase.SENT, "value", -1),
    (_C, _PAYS, Phase.SENT, "taken"): Move(Phase.DONE, "closed"),
    (_C, _PAYS, Phase.SENT, "refused"): Move(Phase.BACK, "", +1),
    (_C, _IS_PAID, Phase.BEGUN, "offer"): Move(Phase.READY, "accept"),
    (_C, _IS_PAID, Phase.READY, "value"): Move(Phase.TAKEN, "taken", +1),
    (_H, _IS_PAID, Phase.OFFERED, "value"): Move(Phase.TAKEN, "taken", +1),
    (_H, _IS_PAID, Phase.OFFERED, "cancel"): Move(Phase.REFUSED, "refused"),
    (_H, _IS_PAID, Phase.TAKEN, "closed"): Move(Phase.DONE),
    (_H, _PAYS, Phase.OFFERED, "accept"): Move(Phase.SENT, "value", -1),
    (_H, _PAYS, Phase.OFFERED, "refused"): Move(Phase.BACK),
    (_H, _PAYS, Phase.SENT, "taken"): Move(Phase.DONE),
    (_H, _PAYS, Phase.SENT, "refused"): Move(Phase.BACK, "", +1),
}
"""By side (the Handler's?), whether it pays, phase and statement. Nothing else does anything."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One side of a transfer, as its record keeps it.

    `consumer` and `handler` are the terms each side named ({} until known), `heard` pairs of what
    was heard (its digest) and what was answered (None: nothing), `said` what was said, by its kind,
    `evidence` what was heard and counts. `gave_up`: the core wants it undone.
    """

    at_handler: bool
    pays: bool
    phase: Phase
    consumer: Mapping[str, Any]
    handler: Mapping[str, Any]
    heard: tuple[tuple[str, Statement | None], ...] = ()
    said: Mapping[str, Statement] | None = None
    evidence: Mapping[str, Statement] | None = None
    gave_up: bool = False

    @property
    def own(self) -> str:
        """The purse on this side."""
        purse: str = (self.handler if self.at_handler else self.consumer)["purse"]
        return purse

    @property
    def other(self) -> str:
        """The purse on the other side; "" as long as nobody knows it."""
        purse: str = (self.consumer if self.at_handler else self.handler).get("purse", "")
        return purse

    @property
    def amount_minor(self) -> int:
        """How much moves."""
        amount: int = self.consumer["amount_minor"]
        return amount

    @property
    def currency(self) -> str:
        """In which currency."""
        code: str = self.consumer["currency"]
        return code

    @property
    def terms(self) -> dict[str, Any]:
        """All that the two agreed to."""
        return {"consumer": dict(self.consumer), "handler": dict(self.handler)}

    @property
    def latest(self) -> Statement:
        """What was said last on this side."""
        assert self.said, "a transfer begins with a statement"
        return list(self.said.values())[-1]

    def answered(self, statement: Statement) -> tuple[Statement | None] | None:
        """Give what was answered to a statement that was heard before; None when it was not."""
        return next(((then,) for digest, then in self.heard if digest == statement.digest), None)

    def say(self, kind: str, key: bytes) -> "tuple[Transfer, Statement]":
        """Say something about the terms, and keep it."""
        body = {"say": kind, "about": self.terms}
        statement = statements.said(self.own, body, key)
        said = {name: one for name, one in (self.said or {}).items() if name != kind}
        return replace(self, said={**said, kind: statement}), statement

    def written(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "at_handler": self.at_handler,
            "pays": self.pays,
            "phase": self.phase.value,
            "consumer": dict(self.consumer),
            "handler": dict(self.handler),
            "heard": [[digest, _parts(then)] for digest, then in self.heard],
            "said": {name: _parts(one) for name, one in (self.said or {}).items()},
            "evidence": {name: _parts(one) for name, one in (self.evidence or {}).items()},
            "gave_up": self.gave_up,
        }

    @classmethod
    def read(cls, page: Mapping[str, Any]) -> "Transfer":
        """Read it as `written` wrote it."""
        return cls(
            page["at_handler"],
            page["pays"],
            Phase(page["phase"]),
            page["consumer"],
            page["handler"],
            tuple([(digest, Statement(*then) if then else None) for digest, then in page["heard"]]),
            {name: Statement(*one) for name, one in page["said"].items()},
            {name: Statement(*one) for name, one in page["evidence"].items()},
            page["gave_up"],
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What hearing a statement came to: the transfer then, what is said, and what enters (or, below
    zero, leaves) the purse. `again`: it was heard before, and nothing is to be written."""

    transfer: Transfer
    reply: Statement | None
    change_minor: int = 0
    again: bool = False


def hear(transfer: Transfer, statement: Statement, key: bytes) -> Step:
    """Hear a statement of the other purse.

    Raises Refused: EncapProtErr when it is not of this transfer, or BusError when it is and can do
    nothing now; neither changes anything.
    """
    before = transfer.answered(statement)
    if before is not None:
        return Step(transfer, before[0], again=True)
    kind = _kind(transfer, statement, key)
    if kind == "offer" and transfer.phase is Phase.BEGUN:
        transfer = replace(transfer, handler=_handler_part(statement))
    move = MOVES.get((transfer.at_handler, transfer.pays, transfer.phase, kind))
    if move is None:
        return _nothing_new(transfer, kind)
    transfer = replace(
        transfer,
        phase=move.phase,
        evidence={**(transfer.evidence or {}), kind: statement},
    )
    reply: Statement | None = None
    if move.say:
        transfer, reply = transfer.say(move.say, key)
    heard = (*transfer.heard, (statement.digest, reply))
    return Step(replace(transfer, heard=heard), reply, move.sign * transfer.amount_minor)


def _nothing_new(transfer: Transfer, kind: str) -> Step:
    """Answer what changes nothing: an inquiry gets the evidence there is."""
    if kind in {"where", "cancel"} and transfer.at_handler:
        said = transfer.said or {}
        name = next((name for name in ("refused", "taken", "value") if name in said), "")
        if transfer.phase in UNDONE and name != "refused":
            name = ""
        return Step(transfer, said.get(name), again=True)
    if kind in {"closed", "taken", "refused"} and transfer.phase in MOVED | UNDONE:
        return Step(transfer, None, again=True)
    raise refused(ErrorCode.BUS_ERROR, f"{kind} means nothing now ({transfer.phase})")


def give_up(transfer: Transfer, key: bytes) -> Transfer:
    """Undo a transfer as far as this side may alone.

    A purse that is to be paid refuses; one that pays and did not say `value` keeps it; one that did
    waits for evidence.
    """
    if transfer.phase in MOVED | UNDONE:
        return transfer
    if transfer.phase is Phase.SENT:
        return replace(transfer, gave_up=True)
    if transfer.pays:
        return replace(transfer, phase=Phase.BACK, gave_up=True)
    if transfer.handler:
        transfer, _ = transfer.say("refused", key)
    return replace(transfer, phase=Phase.REFUSED, gave_up=True)


def inquiry(transfer: Transfer, key: bytes) -> Statement | None:
    """Give what the Consumer's purse says with an inquiry; None while it knows no Handler."""
    if not transfer.handler:
        return None
    said = transfer.said or {}
    for name in ("refused", "closed", "taken"):
        if name in said:
            return said[name]
    return transfer.say("cancel" if transfer.gave_up else "where", key)[1]


def receipt_of(transfer: Transfer) -> tuple[Statement, Statement] | None:
    """Give the two statements that prove the transfer: `value` and `taken`."""
    known = {**(transfer.evidence or {}), **(transfer.said or {})}
    if transfer.phase in MOVED and {"value", "taken"} <= set(known):
        return known["value"], known["taken"]
    return None


def proves(transfer: Transfer, value: Statement, taken: Statement, key: bytes) -> bool:
    """Say whether two statements prove that the value of this transfer moved."""
    payer, paid = (transfer.own, transfer.other)[:: 1 if transfer.pays else -1]
    for statement, by, kind in ((value, payer, "value"), (taken, paid, "taken")):
        if statement.by != by or not statements.sealed(statement, key):
            return False
        if statement.body != {"say": kind, "about": transfer.terms}:
            return False
    return True


def about(statement: Statement) -> Mapping[str, Any]:
    """Give the terms a hello names. Raises Refused, EncapProtErr."""
    body = statement.body
    terms = body.get("about")
    consumer = terms.get("consumer") if isinstance(terms, dict) else None
    if (
        body.get("say") != "hello"
        or not isinstance(consumer, dict)
        or set(consumer) != set(CONSUMER)
    ):
        raise statements.garbled("not a hello of a purse")
    kinds = {name: type(value) for name, value in consumer.items()}
    if consumer["purse"] != statement.by or kinds != CONSUMER:
        raise statements.garbled("not a hello of this purse")
    return consumer


CONSUMER: Mapping[str, type] = {
    "payment": str,
    "brand": str,
    "amount_minor": int,
    "currency": str,
    "direction": str,
    "purse": str,
    "counter": int,
    "nonce": str,
}
"""The terms that the Consumer's purse names."""
HANDLER = {"payment", "purse", "counter", "nonce"}


def keys_from(master: Secret[bytes]) -> KeyOf:
    """Give the keys of all purses from one secret: the Handler's side."""
    return lambda purse: hmac.new(master.reveal(), purse.encode(), hashlib.sha256).digest()


def _kind(transfer: Transfer, statement: Statement, key: bytes) -> str:
    """Check whose a statement is and what it is about; give what it says."""
    if transfer.other not in {"", statement.by} or not statements.sealed(statement, key):
        raise statements.garbled("not said by the other purse")
    if statement.by == transfer.own:
        raise statements.garbled("said by this purse itself")
    body = statement.body
    kind, terms = body.get("say"), body.get("about")
    if kind == "offer" and not transfer.handler:
        handler = _handler_part(statement)
        agreed = {"consumer": dict(transfer.consumer), "handler": handler}
    else:
        agreed = transfer.terms
    if not isinstance(kind, str) or terms != agreed:
        raise statements.garbled("about another transfer")
    return kind


def _handler_part(statement: Statement) -> Mapping[str, Any]:
    terms = statement.body.get("about")
    handler = terms.get("handler") if isinstance(terms, dict) else None
    if not isinstance(handler, dict) or set(handler) != HANDLER:
        raise statements.garbled("not an offer")
    if handler["purse"] != statement.by:
        raise statements.garbled("an offer of another purse")
    return handler


def _parts(statement: Statement | None) -> list[str] | None:
    return None if statement is None else [statement.by, statement.text, statement.seal]
