"""Purses as payment bridges: the Consumer's, the Payment Handler's, the Merchant's.

A load is a Credit from the issuer's purse, a deposit a Debit into it; a refund is a Credit from the
Merchant's. Value exchange is two payments, by this scheme or by two. See `purse` for the protocol.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tollbridge.faces.iotp.api.perform import Parts
from tollbridge.faces.iotp.schemes.book import Book
from tollbridge.faces.iotp.schemes.challenge import Challenger, Responder
from tollbridge.faces.iotp.schemes.offering import Offering
from tollbridge.faces.iotp.schemes.purse import PROTOCOL_ID, PROTOCOL_NAME, KeyOf
from tollbridge.faces.iotp.schemes.purse_consumer import PurseConsumer
from tollbridge.faces.iotp.schemes.purse_handler import PurseHandler
from tollbridge.faces.iotp.schemes.records import Records
from tollbridge.faces.iotp.schemes.selection import Selection
from tollbridge.faces.iotp.schemes.terms import Scheme
from tollbridge.faces.iotp.schemes.wallet import Instrument, Wallets
from tollbridge.ground.clock import Clock
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

BRAND = "x-TollbridgePurse"
"""The BrandId of our purses; not in the registry, hence its beginning."""
NO_LIMITS: Mapping[str, int] = MappingProxyType({})


def scheme(currencies: Iterable[str] = (), brands: Iterable[str] = (BRAND,)) -> Scheme:
    """Make the scheme."""
    return Scheme(PROTOCOL_ID, PROTOCOL_NAME, tuple(brands), frozenset(currencies))


def instrument(purse: str, name: str, key_of: KeyOf, brand_id: str = BRAND) -> Instrument:
    """Make the instrument of a purse: its id is the purse's name, too. For issuers.

    Raises ValueError when the scheme has no key for it.
    """
    key = key_of(purse)
    if key is None:
        raise ValueError(f"there is no key for {purse}")
    return Instrument(purse, name, brand_id, purse, Secret(key), purse)


def consumer(
    scheme: Scheme,
    prefix: str,
    wallets: Wallets,
    clock: Clock,
    ids: IdSource,
    *,
    limits_minor: Mapping[str, int] = NO_LIMITS,
    one_at_a_time: bool = False,
) -> Parts:
    """Make the Consumer's bridge; its purses are in the notebook below `prefix`."""
    records = Records(prefix)
    own = PurseConsumer(
        scheme=scheme,
        records=records,
        wallets=wallets,
        clock=clock,
        ids=ids,
        limits_minor=limits_minor,
        one_at_a_time=one_at_a_time,
    )
    return Parts(own, Selection(scheme, records, wallets), Responder(wallets))


def handler(
    scheme: Scheme,
    prefix: str,
    purses: Mapping[str, str],
    key_of: KeyOf,
    clock: Clock,
    ids: IdSource,
) -> Parts:
    """Make the Payment Handler's bridge; `purses` by MerchantOrgId ("": everybody else's)."""
    records = Records(prefix)
    return Parts(
        PurseHandler(
            scheme=scheme, records=records, purses=purses, key_of=key_of, clock=clock, ids=ids
        )
    )


def merchant(
    offering: Offering, secret: Secret[bytes], keys: Mapping[str, Secret[bytes]], ids: IdSource
) -> Parts:
    """Make the Merchant's bridge."""
    return Parts(offering, Challenger(secret, keys, offering.clock, ids))


def value_of(prefix: str) -> Book:
    """Give the purses below a prefix: to put value in (`issue`) and to look (`purse`)."""
    return Book(Records(prefix))
