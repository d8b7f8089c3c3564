"""Identifiers. This file is the only one that draws random numbers.

Payment ids are time-ordered (48 bits of milliseconds, then 80 random bits, in Crockford's
base 32), so that a journal appends instead of inserting in the middle.
"""

import os
import random
import re
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NewType, Protocol

from tollbridge.ground.clock import Instant

PaymentId = NewType("PaymentId", str)
OperationId = NewType("OperationId", str)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in CROCKFORD for low in CROCKFORD]
_SHIFTS = range(120, -1, -10)
_ORDINAL = re.compile("[1-9][0-9]{0,8}")
PAYMENT_ID_LENGTH = 26
POOL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """Names one intention of one asker: `scope` says whose, `value` which.

    The same key with the same content finds the same operation, for as long as the payment exists.
    """

    scope: str
    value: str


def operation_id(payment: PaymentId, ordinal: int) -> OperationId:
    """Name an operation: the payment's id, a dot, and its place among the payment's operations."""
    return OperationId(f"{payment}.{ordinal}")


def split_operation_id(text: str) -> tuple[PaymentId, int] | None:
    """Take an operation id apart; None when it is not one."""
    payment, dot, ordinal = text.partition(".")
    if not dot or not is_payment_id(payment) or not _ORDINAL.fullmatch(ordinal):
        return None
    return PaymentId(payment), int(ordinal)


def is_payment_id(text: str) -> bool:
    """Say whether a text has the form of a payment id."""
    return len(text) == PAYMENT_ID_LENGTH and all(letter in CROCKFORD for letter in text)


class IdSource(Protocol):
    """Where new identifiers come from."""

    def payment_id(self, at: Instant) -> PaymentId: ...

    def code(self, length: int) -> str: ...

    def secret(self) -> str: ...


class _Ids(ABC):
    def payment_id(self, at: Instant) -> PaymentId:
        """Make a time-ordered payment id of 26 letters."""
        number = (at // 1000 & (1 << 48) - 1) << 80 | self._bits(80)
        return PaymentId("".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS]))

    def code(self, length: int) -> str:
        """Make a short code of `length` letters that a person can type, the last a check letter."""
        number = self._bits(5 * (length - 1))
        body = "".join(CROCKFORD[number >> 5 * place & 31] for place in range(length - 1))
        return body + check_letter(body)

    def secret(self) -> str:
        """Make an unguessable text of 256 bits."""
        return f"{self._bits(256):064x}"

    @abstractmethod
    def _bits(self, count: int) -> int: ...


class RandomIds(_Ids):
    """Identifiers nobody can guess, from the operating system's random bytes.

    Fetched some at a time: asking the system for each costs more than everything else here.
    """

    def __init__(self) -> None:
        self._pool = memoryview(b"")
        os.register_at_fork(after_in_child=self._forget)

    def _bits(self, count: int) -> int:
        size = (count + 7) // 8
        if len(self._pool) < size:
            self._pool = memoryview(secrets.token_bytes(POOL_BYTES))
        taken, self._pool = self._pool[:size], self._pool[size:]
        return int.from_bytes(taken) & (1 << count) - 1

    def _forget(self) -> None:
        """Two processes must not draw the same bytes."""
        self._pool = memoryview(b"")


class SeededIds(_Ids):
    """Identifiers that repeat with the seed: for simulations only."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def _bits(self, count: int) -> int:
        return self.random.getrandbits(count)


def check_letter(body: str) -> str:
    """Compute the last letter of a code: catches every wrong letter and nearly every swap."""
    total = 0
    for place, letter in enumerate(body):
        total += CROCKFORD.index(letter) * (2 * place + 1)
    return CROCKFORD[total % 32]
