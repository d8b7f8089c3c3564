"""Process states: who may go from where to where, and what the counterparty hears (3.3).

The tables of RFC 3867 describe states; the transitions here follow from them and from section 2.
"""

from collections.abc import Mapping

from tollbridge.faces.iotp.api.words import CompletionCode, ProcessState, Role

_NOT_YET = ProcessState.NOT_YET_STARTED
_RUNNING = ProcessState.IN_PROGRESS
_SUSPENDED = ProcessState.SUSPENDED
_OK = ProcessState.COMPLETED_OK
_BAD = frozenset({ProcessState.FAILED, ProcessState.PROCESS_ERROR})

FINAL: frozenset[ProcessState] = _BAD | {_OK}
"""States that nobody leaves; who tries is told the old state, without error (D-06)."""

PENDING: frozenset[ProcessState] = frozenset({_NOT_YET, _RUNNING})

_END: Mapping[ProcessState, frozenset[ProcessState]] = {state: frozenset() for state in FINAL}

TRANSITIONS: Mapping[Role, Mapping[ProcessState, frozenset[ProcessState]]] = {
    Role.MERCHANT: {
        _NOT_YET: _BAD | {_RUNNING, _SUSPENDED},
        _RUNNING: _BAD | {_SUSPENDED, _OK},
        _SUSPENDED: _BAD | {_RUNNING},
        **_END,
    },
    Role.CONSUMER: {
        _NOT_YET: _BAD | {_RUNNING, _SUSPENDED},
        _RUNNING: _BAD | {_SUSPENDED, _OK},
        _SUSPENDED: _BAD | {_NOT_YET, _RUNNING},
        **_END,
    },
    Role.PAYMENT_HANDLER: {
        _NOT_YET: _BAD | {_RUNNING},
        _RUNNING: _BAD | {_SUSPENDED, _OK},
        _SUSPENDED: _BAD | {_RUNNING},
        **_END,
    },
}
"""What may follow a state, by role. Staying is always allowed."""

CANCELLED: frozenset[CompletionCode] = frozenset(
    {
        CompletionCode.CONS_CANCELLED,
        CompletionCode.MERCH_CANCELLED,
        CompletionCode.PAYMT_CANCELLED,
    }
)
"""Codes after which the counterparty gets a Cancel Block, not an Error Block (2.6.1)."""

PAYMENT_CODES: frozenset[CompletionCode] = CANCELLED - {CompletionCode.MERCH_CANCELLED} | {
    CompletionCode.BRAND_NOT_SUPP,
    CompletionCode.CURR_NOT_SUPP,
    CompletionCode.AUTH_ERROR,
    CompletionCode.INSUFF_FUNDS,
    CompletionCode.INST_BRAND_INVALID,
    CompletionCode.INST_NOT_VALID,
    CompletionCode.BAD_INSTRUMENT,
    CompletionCode.UNSPECIFIED,
    CompletionCode.TIMED_OUT_RCVR,
    CompletionCode.TIMED_OUT_NO_RCVR,
}
"""Completion codes of a payment (RFC 2801, 7.16.2)."""


def may_follow(role: Role, old: ProcessState, new: ProcessState) -> bool:
    """Say whether a role's payment may go from one state to another."""
    return old is new or new in TRANSITIONS[role][old]


def outside(state: ProcessState) -> ProcessState:
    """Give the state as the counterparty hears it: of suspensions it knows nothing."""
    return _RUNNING if state is _SUSPENDED else state
