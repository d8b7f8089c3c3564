"""What a Consumer's core may be told to do, and what it says came of it."""

from dataclasses import dataclass

from tollbridge.faces.iotp.api.words import Action, ProcessState

# What may be ordered


@dataclass(frozen=True, slots=True)
class Buy:
    """Begin to trade at an address of a Merchant.

    `check` False: what is chosen is not tried before it is used; the payment itself checks it.
    """

    url: str
    check: bool = True


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with a transaction that was suspended, or that a crash cut off."""

    name: str


@dataclass(frozen=True, slots=True)
class Inquire:
    """Ask the other side where a transaction stands: the first or the second `payment` (None: the
    delivery, or the last payment that was begun)."""

    name: str
    payment: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Want no more of a transaction."""

    name: str


@dataclass(frozen=True, slots=True)
class Pending:
    """Look for payments that are not over, here and in all payment software (2.7)."""


@dataclass(frozen=True, slots=True)
class Trades:
    """List all transactions."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Let a pending transaction rest: its payment software is told that it is suspended (2.7)."""

    name: str


@dataclass(frozen=True, slots=True)
class Manage:
    """Open a payment software, to register, change or remove an instrument (2.8)."""

    bridge: str
    action: Action | None = None
    brand_id: str | None = None
    protocol_id: str | None = None
    wallet_id: str | None = None


@dataclass(frozen=True, slots=True)
class Properties:
    """Ask a payment software for the properties of an instrument."""

    bridge: str
    brand_id: str
    protocol_id: str
    instrument_id: str | None = None
    types: tuple[str, ...] = ("all",)


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop a transaction that is over from what its payment software remembers."""

    name: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask whether somebody is there."""

    url: str


Wanted = (
    Buy | Resume | Inquire | Cancel | Pending | Trades | Rest | Manage | Properties | Forget | Ping
)


# What comes of it


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of a transaction, as the Consumer knows it.

    `sound`: its receipt was checked; `proof` says what the receipt's signature is worth.
    """

    pay_id: str
    bridge: str
    brand_id: str
    instrument_id: str | None
    amount: str
    currency: str
    direction: str
    state: ProcessState
    code: str | None = None
    sound: bool = False
    handler_id: str | None = None
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a delivery: how far it is, the note, and what its signature is worth."""

    state: ProcessState
    code: str | None
    note: str
    handler_id: str | None
    proof: str


@dataclass(frozen=True, slots=True)
class Traded:
    """What became of a transaction: its stage, its payments, its delivery, and words about it."""

    name: str
    kind: str
    stage: str
    payments: tuple[Paid, ...] = ()
    text: str = ""
    is_suspended: bool = False
    delivery: Delivered | None = None

    @property
    def complete(self) -> bool:
        """Whether all went well."""
        return self.stage == "done"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is not over: transactions here, and payments by the software that knows them."""

    deals: tuple[Traded, ...]
    payments: tuple[tuple[str, str], ...]
