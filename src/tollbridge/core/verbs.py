"""The nine things that can be asked of a provider."""

from enum import StrEnum


class Verb(StrEnum):
    """One step of a payment, in the field's usual words."""

    AUTHORIZE = "authorize"
    INCREMENT = "increment"
    CAPTURE = "capture"
    PURCHASE = "purchase"
    VOID = "void"
    REFUND = "refund"
    CREDIT = "credit"
    VERIFY = "verify"
    STORE = "store"


OPENING = frozenset({Verb.AUTHORIZE, Verb.PURCHASE, Verb.CREDIT, Verb.VERIFY, Verb.STORE})
"""Verbs that begin a payment; the others continue one."""

MOVES_NOTHING = frozenset({Verb.VERIFY, Verb.STORE})
"""Verbs that leave every balance as it was."""

UNDOABLE = frozenset({Verb.AUTHORIZE, Verb.INCREMENT, Verb.CAPTURE, Verb.PURCHASE})
"""Verbs whose approved operations a void may name."""
