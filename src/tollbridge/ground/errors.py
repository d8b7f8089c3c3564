"""The whole exception tree. Outcomes are data; an exception means that there is no answer.

Two questions cut the tree: whose fault is it, and could money have moved?

    TollbridgeError
    ├── UsageError                  the asker wanted something impossible; nothing was sent
    │   ├── InvalidMoney
    │   ├── UnknownPayment
    │   ├── IllegalOperation
    │   ├── UnresolvedOperation     an earlier operation of the payment has no outcome yet
    │   ├── IdempotencyConflict     same key, different content
    │   ├── VersionConflict         a page to be written with the request was changed by somebody
    │   └── Unsupported             the bridge does not do that, as its capabilities say
    ├── ProtocolError               abstract
    │   ├── LocalProtocolError      we were about to break the peer's rules
    │   └── RemoteProtocolError     the peer broke them
    ├── TransportError              abstract; raised by transports, caught by the engine
    │   ├── NotSent                 certainly nothing left
    │   └── NoAnswer                something may have left
    ├── JournalError                nothing was written
    │   ├── JournalInUse            another process holds the journal
    │   ├── JournalFailed           the disk refused
    │   └── Corrupt                 the chain does not verify
    └── ConfigError                 found at start, all problems at once
"""

from collections.abc import Sequence
from typing import ClassVar


class TollbridgeError(Exception):
    """Everything this package raises on purpose."""

    code: ClassVar[str] = "error"


class UsageError(TollbridgeError):
    """The asker wanted something impossible; nothing was sent."""

    code = "usage"


class InvalidMoney(UsageError):
    """Not an amount, not a currency, or two currencies where one is needed."""

    code = "invalid_money"


class UnknownPayment(UsageError):
    """No payment has this name."""

    code = "unknown_payment"


class IllegalOperation(UsageError):
    """The payment's amounts do not allow this operation now."""

    code = "illegal_operation"


class UnresolvedOperation(UsageError):
    """An earlier operation of this payment has no outcome yet; look again later."""

    code = "unresolved_operation"


class IdempotencyConflict(UsageError):
    """This idempotency key was used before with different content."""

    code = "idempotency_conflict"


class VersionConflict(UsageError):
    """A page that was to be written with the request has another version; read it again."""

    code = "version_conflict"


class Unsupported(UsageError):
    """The bridge does not do that; `tollbridge describe` tells what it does."""

    code = "unsupported"


class ProtocolError(TollbridgeError):
    """Abstract: somebody broke the rules of a wire. Raise one of the two below."""

    code = "protocol"

    def __init__(self, message: str) -> None:
        if type(self) is ProtocolError:
            raise TypeError("raise LocalProtocolError or RemoteProtocolError")
        super().__init__(message)


class LocalProtocolError(ProtocolError):
    """We were about to break the peer's rules."""

    code = "local_protocol"


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules.

    `path` says where in the message (outermost first), `hint` which answer the standard asks for.
    """

    code = "remote_protocol"

    def __init__(self, message: str, *, path: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message)
        self.path = tuple(path)
        self.hint = hint


class TransportError(TollbridgeError):
    """Abstract: no answer came back. Raise NotSent or NoAnswer."""

    code = "transport"

    def __init__(self, message: str) -> None:
        if type(self) is TransportError:
            raise TypeError("raise NotSent or NoAnswer")
        super().__init__(message)


class NotSent(TransportError):
    """Certainly nothing left this machine: refused, name not found, TLS not agreed."""

    code = "not_sent"


class NoAnswer(TransportError):
    """Something may have left, and no answer came: time-out, reset, garbage."""

    code = "no_answer"


class JournalError(TollbridgeError):
    """The journal could not do it, and nothing of it was written."""

    code = "journal"


class JournalInUse(JournalError):
    """Another process holds this journal for writing."""

    code = "journal_in_use"


class JournalFailed(JournalError):
    """The disk refused a write; the journal holds what it held before."""

    code = "journal_failed"


class Corrupt(JournalError):
    """The journal's chain does not verify; stop and look at the backup."""

    code = "corrupt"


class ConfigError(TollbridgeError):
    """The settings cannot work. `problems` lists everything found."""

    code = "config"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
