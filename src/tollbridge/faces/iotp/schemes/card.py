"""Cards through any bridge of this house, in one exchange: the protocol `TollbridgeCard-1.0`.

The Consumer's wallet holds no card numbers. An instrument is a token and a key; the Payment Handler
knows for which card a token stands. Statements (HMAC-SHA-256 under the instrument's key):

    Consumer → Handler   Card          {payment, brand, amount_minor, currency, direction, until}
    Handler → Consumer   Wait          {to: digest of that}    while nobody knows the outcome
    Consumer → Handler   Card          the same again
    Handler → Consumer   CardReceipt   {…}                        in the Payment Receipt

`payment` is the ConsumerPayId. One such statement pays once: the engine's idempotency key is made
of both payment ids, and the statement's digest is taken in the same commit as the request. Debit is
a purchase; Credit gives back a payment the Merchant names (`Payment:RefundOf`) or is a credit.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tollbridge.core.instrument import Card
from tollbridge.core.instrument import Instrument as CoreInstrument
from tollbridge.faces.iotp.api.perform import Parts
from tollbridge.faces.iotp.schemes.card_consumer import CardConsumer
from tollbridge.faces.iotp.schemes.card_handler import CardHandler, Registered
from tollbridge.faces.iotp.schemes.challenge import Challenger, Responder
from tollbridge.faces.iotp.schemes.offering import Offering
from tollbridge.faces.iotp.schemes.records import Records
from tollbridge.faces.iotp.schemes.selection import Selection
from tollbridge.faces.iotp.schemes.terms import Scheme
from tollbridge.faces.iotp.schemes.wallet import Instrument, Wallets
from tollbridge.ground.clock import Clock
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

PROTOCOL_ID = "TollbridgeCard-1.0"
PROTOCOL_NAME = "Cards, one exchange"


def scheme(brands: Iterable[str], currencies: Iterable[str] = ()) -> Scheme:
    """Make the scheme for brands of cards, by BrandId."""
    return Scheme(PROTOCOL_ID, PROTOCOL_NAME, tuple(brands), frozenset(currencies))


@dataclass(frozen=True, slots=True)
class Plastic:
    """A card to enrol: how its owner calls it, its brand, and what the provider takes."""

    id: str
    name: str
    brand_id: str
    card: CoreInstrument


def enrolled(
    secret: Secret[bytes], cards: Iterable[Plastic]
) -> tuple[tuple[Instrument, ...], dict[str, Registered]]:
    """Make instruments for a wallet, and the register by which the Payment Handler knows them.

    Tokens and keys follow from the secret, so that a process that starts again makes the same.
    """
    instruments: list[Instrument] = []
    register: dict[str, Registered] = {}
    for one in cards:
        named = one.card.number if isinstance(one.card, Card) else one.card.token
        token = _derived(secret, "token", named.reveal()).hex()[:32]
        key = Secret(_derived(secret, "key", named.reveal()))
        shown = one.card.view.masked_number
        instruments.append(Instrument(one.id, one.name, one.brand_id, token, key, shown))
        register[token] = Registered(one.card, key, one.brand_id)
    return tuple(instruments), register


def consumer(
    scheme: Scheme, prefix: str, wallets: Wallets, clock: Clock, *, one_at_a_time: bool = False
) -> Parts:
    """Make the Consumer's bridge; `one_at_a_time` denies payments while another is pending."""
    records = Records(prefix)
    return Parts(
        CardConsumer(scheme, records, wallets, clock, one_at_a_time),
        Selection(scheme, records, wallets),
        Responder(wallets),
    )


def handler(
    scheme: Scheme,
    prefix: str,
    register: Mapping[str, Registered],
    clock: Clock,
    *,
    bridge: str = "",
    patience_s: float | None = None,
) -> Parts:
    """Make the Payment Handler's bridge; `bridge` names ours ("": the default one)."""
    return Parts(CardHandler(scheme, Records(prefix), register, clock, bridge, patience_s))


def merchant(
    offering: Offering, secret: Secret[bytes], keys: Mapping[str, Secret[bytes]], ids: IdSource
) -> Parts:
    """Make the Merchant's bridge; `keys` of instruments let it check authentications."""
    return Parts(offering, Challenger(secret, keys, offering.clock, ids))


def _derived(secret: Secret[bytes], what: str, named: str) -> bytes:
    return hmac.new(secret.reveal(), f"{what}\0{named}".encode(), hashlib.sha256).digest()
