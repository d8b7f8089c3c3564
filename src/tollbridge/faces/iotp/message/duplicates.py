"""The same message again: what was answered is answered again (RFC 2801, 4.5.2.2).

Two messages are the same when all of their blocks, attributes and contents are; how they are
written does not count. Whoever keeps `Seen` (in the same commit as what a message did) needs
nothing else to be idempotent.
"""

import hashlib
from dataclasses import dataclass
from enum import Enum

from tollbridge.wire.xml import Element, canonical, dom_hash


def fingerprint(root: Element, *, legacy: bool = False) -> str:
    """Give what two messages have in common only when they are the same.

    The digest of the canonical form; `legacy` asks for DOM-HASH, as RFC 2801 does.
    """
    return dom_hash(root).hex() if legacy else hashlib.sha256(canonical(root)).hexdigest()


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that came before, and the bytes it was answered with (None: not yet).

    Answers with transient errors are not kept: the message may be processed when it comes again.
    """

    fingerprint: str
    answer: bytes | None = None


class Again(Enum):
    """What a message is, compared with what came under its id before."""

    NEW = "process it"
    BEING_PROCESSED = "answer MsgBeingProc, a transient error"
    ANSWERED = "send the same answer again"
    ANOTHER = "its id was that of another message"


def again(seen: Seen | None, root: Element, *, legacy: bool = False) -> Again:
    """Compare a message with what was seen under the same transaction, role and message id."""
    if seen is None:
        return Again.NEW
    if seen.fingerprint != fingerprint(root, legacy=legacy):
        return Again.ANOTHER
    return Again.BEING_PROCESSED if seen.answer is None else Again.ANSWERED
