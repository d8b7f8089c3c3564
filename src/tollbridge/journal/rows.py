"""Facts as bytes, and the chain that ties the bytes together.

The text form is part of what is hashed, so it never changes for a fact already written: new
fields are left out when they hold their default. Amounts are `[minor units, currency]`.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, assert_never

from tollbridge.core.facts import Dispatched, Fact, Noted, Posting, Requested, Settled, Topic
from tollbridge.core.instrument import InstrumentView
from tollbridge.core.outcome import (
    Approved,
    Cause,
    DeclineCode,
    Declined,
    Outcome,
    Pending,
    Unsent,
)
from tollbridge.core.verbs import Verb
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import Corrupt, TollbridgeError
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money
from tollbridge.wire import json

FIRST_HASH = bytes(32)
_VIEW_FIELDS = (
    "brand", "masked_number", "application_id", "application_label", "entry", "reference",
)  # fmt: skip


def link(previous: bytes, number: int, payment: PaymentId, version: int, body: bytes) -> bytes:
    """Compute the hash of an entry: it covers the entry and, through `previous`, all before it."""
    head = f"{number}\n{payment}\n{version}\n".encode()
    return hashlib.sha256(previous + head + body).digest()


def digest(key: IdempotencyKey) -> bytes:
    """Shorten an idempotency key to the 16 bytes it is found by."""
    text = f"{key.scope}\0{key.value}".encode()
    return hashlib.blake2b(text, digest_size=16, person=b"tollbridge.key").digest()


def encode(facts: Sequence[Fact]) -> bytes:
    """Write the facts of one entry."""
    return json.write([_encode(fact) for fact in facts])


def decode(body: bytes) -> list[Fact]:
    """Read the facts of one entry. Raises Corrupt when they are not facts."""
    try:
        return [_decode(fields) for fields in json.read(body, what="entry")]
    except (TollbridgeError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise Corrupt(f"an entry does not hold facts: {type(error).__name__} {error}") from None


def _encode(fact: Fact) -> dict[str, Any]:
    match fact:
        case Requested():
            return _encode_requested(fact)
        case Dispatched():
            return {"fact": "dispatched", "op": fact.ordinal, "at": fact.at}
        case Settled():
            fields = {"fact": "settled", "op": fact.ordinal, "at": fact.at}
            fields |= _encode_outcome(fact.outcome)
            if fact.postings:
                fields["postings"] = [
                    [side.account, side.currency, side.amount_minor] for side in fact.postings
                ]
            return fields
        case Noted():
            return {
                "fact": "noted",
                "op": fact.ordinal,
                "at": fact.at,
                "topic": fact.topic,
                "text": fact.text,
            }
        case _:
            assert_never(fact)


def _encode_requested(fact: Requested) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "fact": "requested",
        "op": fact.ordinal,
        "at": fact.at,
        "verb": fact.verb,
        "key": [fact.key.scope, fact.key.value],
    }
    if fact.ordinal == 1:
        fields["merchant"] = fact.merchant
        fields["bridge"] = fact.bridge
    if fact.amount is not None:
        fields["amount"] = _money(fact.amount)
    if fact.tender is not None and fact.tender != fact.amount:
        fields["tender"] = _money(fact.tender)
    if fact.target is not None:
        fields["target"] = fact.target
    if fact.view is not None:
        fields["view"] = _view(fact.view)
    if fact.reference:
        fields["reference"] = fact.reference
    if fact.details:
        fields["details"] = dict(fact.details)
    if fact.partial_ok:
        fields["partial_ok"] = True
    if not fact.final_capture:
        fields["final_capture"] = False
    return fields


def _encode_outcome(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Approved():
            fields: dict[str, Any] = {"outcome": "approved", "provider": outcome.reference}
            if outcome.amount is not None:
                fields["amount"] = _money(outcome.amount)
            if outcome.authorization_code:
                fields["authorization"] = outcome.authorization_code
            if outcome.provider_code:
                fields["code"] = outcome.provider_code
            if outcome.details:
                fields["details"] = dict(outcome.details)
            return fields
        case Declined():
            return {
                "outcome": "declined",
                "reason": outcome.code,
                "code": outcome.provider_code,
                "text": outcome.text,
                "provider": outcome.reference,
            }
        case Pending():
            return {"outcome": "pending", "next": outcome.next_step, "provider": outcome.reference}
        case Unsent():
            fields = {"outcome": "unsent", "reason": outcome.reason}
            if outcome.cause is not Cause.NOT_SENT:
                fields["cause"] = outcome.cause
            return fields
        case _:
            assert_never(outcome)


def _decode(fields: dict[str, Any]) -> Fact:
    ordinal, at = fields["op"], Instant(fields["at"])
    match fields["fact"]:
        case "requested":
            return _decode_requested(fields, ordinal, at)
        case "dispatched":
            return Dispatched(ordinal, at)
        case "settled":
            postings = tuple(Posting(*posting) for posting in fields.get("postings", ()))
            return Settled(ordinal, at, _decode_outcome(fields), postings)
        case "noted":
            return Noted(ordinal, at, Topic(fields["topic"]), fields["text"])
        case other:
            raise ValueError(f"no fact is called {other!r}")


def _decode_requested(fields: dict[str, Any], ordinal: int, at: Instant) -> Requested:
    scope, value = fields["key"]
    amount = _decode_money(fields.get("amount"))
    view = fields.get("view")
    return Requested(
        ordinal=ordinal,
        at=at,
        verb=Verb(fields["verb"]),
        key=IdempotencyKey(scope, value),
        merchant=fields.get("merchant", ""),
        bridge=fields.get("bridge", ""),
        amount=amount,
        tender=_decode_money(fields.get("tender")) or amount,
        target=fields.get("target"),
        view=InstrumentView(**view) if view is not None else None,
        reference=fields.get("reference", ""),
        details=fields.get("details", {}),
        partial_ok=fields.get("partial_ok", False),
        final_capture=fields.get("final_capture", True),
    )


def _decode_outcome(fields: dict[str, Any]) -> Outcome:
    match fields["outcome"]:
        case "approved":
            return Approved(
                _decode_money(fields.get("amount")),
                fields["provider"],
                fields.get("authorization", ""),
                fields.get("code", ""),
                fields.get("details", {}),
            )
        case "declined":
            code = DeclineCode(fields["reason"])
            return Declined(code, fields["code"], fields["text"], fields["provider"])
        case "pending":
            return Pending(fields["next"], fields["provider"])
        case "unsent":
            return Unsent(fields["reason"], Cause(fields.get("cause", Cause.NOT_SENT)))
        case other:
            raise ValueError(f"no outcome is called {other!r}")


def _money(amount: Money) -> list[Any]:
    return [amount.amount_minor, amount.currency.code]


def _decode_money(pair: list[Any] | None) -> Money | None:
    return Money.of(pair[0], pair[1]) if pair is not None else None


def _view(view: InstrumentView) -> dict[str, str]:
    return {name: value for name in _VIEW_FIELDS if (value := getattr(view, name))}
