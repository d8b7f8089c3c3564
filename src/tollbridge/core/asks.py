"""All that can ever be asked of the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tollbridge.core.instrument import Instrument
from tollbridge.core.verbs import Verb
from tollbridge.ground.flow import Note
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Do this.

    `amount` None means all that is left (capture, refund) and is right for void and verify, and for
    store where the instrument is good for any amount. Store without an `instrument` asks for one
    that the customer approves at the provider.
    `payment` names the payment to continue; opening verbs leave it out and name the `merchant` and
    may name the `bridge`. `target` is the ordinal of the operation a void undoes (None: the last
    one that counts). `reference` is the merchant's own, `details` what the face wants kept with
    the operation; neither may hold a secret. `notes` are written to the face's notebook in the same
    commit as the request, or else nothing is and VersionConflict is raised.

    `patience_s`: how long the asker waits for an outcome. None: it comes back at once with an
    operation that may be unresolved, and will look again. A number: when the outcome of a verb
    that can be undone is not known by then, the asker will say "failed", so the engine writes that
    down first and undoes an approval that comes late.
    """

    verb: Verb
    key: IdempotencyKey
    amount: Money | None = None
    payment: PaymentId | None = None
    target: int | None = None
    instrument: Instrument | None = None
    merchant: str = ""
    bridge: str = ""
    reference: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    partial_ok: bool = False
    final_capture: bool = True
    patience_s: float | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """Show me the payment with this name, or the one this key was used for (None when nothing).

    `fresh`: ask the provider first, where an outcome is still to come.
    """

    payment: PaymentId | None = None
    key: IdempotencyKey | None = None
    fresh: bool = False
