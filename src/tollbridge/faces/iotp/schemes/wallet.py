"""Wallets: instruments without their secrets, and the pass phrases that open them.

A bridge says what it needs by AttMissing or AttValIllegal naming WalletId or Passphrase; the wallet
is checked before the phrase (RFC 3867, 3.1). Clear phrases exist in calls only.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from tollbridge.faces.iotp.api.answer import Refused, refused
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.ground.clock import Instant
from tollbridge.ground.secret import Secret

ROUNDS = 20_000


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is kept of a pass phrase."""

    salt: bytes
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, phrase: str, salt: bytes) -> "Phrase":
        """Make what is kept of a phrase; `salt` is random."""
        return cls(salt, _stretched(phrase, salt))

    def fits(self, phrase: str) -> bool:
        """Say whether this is the phrase."""
        return hmac.compare_digest(self.digest, _stretched(phrase, self.salt))


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument in a wallet.

    `id` is the PaymentInstrumentId, unique within the brand, `name` its owner's word for it.
    `token` is the scheme's opaque name for it and stands for nothing without `key`, with which it
    signs. `shown` is what people may see of it.
    """

    id: str
    name: str
    brand_id: str
    token: str
    key: Secret[bytes]
    shown: str = ""
    expires: Instant | None = None


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet. `phrase` None: it opens without."""

    id: str
    instruments: tuple[Instrument, ...]
    phrase: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Wallets:
    """The wallets of a bridge. With one alone, calls need not name it."""

    wallets: tuple[Wallet, ...]

    def find(self, element: str, wallet_id: str | None) -> Wallet:
        """Find a wallet. Raises Refused naming WalletId."""
        if wallet_id is None and len(self.wallets) == 1:
            return self.wallets[0]
        if wallet_id is None:
            raise _about("WalletId", element, "say which wallet", missing=True)
        for wallet in self.wallets:
            if wallet.id == wallet_id:
                return wallet
        raise _about("WalletId", element, "there is no such wallet")

    def open(self, element: str, wallet_id: str | None, passphrase: Secret[str] | None) -> Wallet:
        """Find a wallet and open it. Raises Refused naming WalletId or Passphrase."""
        wallet = self.find(element, wallet_id)
        if wallet.phrase is None:
            return wallet
        if passphrase is None:
            raise _about("Passphrase", element, f"wallet {wallet.id} is locked", missing=True)
        if not wallet.phrase.fits(passphrase.reveal()):
            raise _about("Passphrase", element, f"this does not open wallet {wallet.id}")
        return wallet


def instrument_of(
    wallet: Wallet, element: str, brand_id: str, instrument_id: str | None
) -> Instrument:
    """Find an instrument of a brand; the only one need not be named. Raises Refused."""
    own = [one for one in wallet.instruments if one.brand_id == brand_id]
    if not own:
        text = f"no instrument of {brand_id:.40} is registered"
        raise refused(ErrorCode.ATT_VAL_ILLEGAL, text, "BrandId", element=element)
    if instrument_id is None and len(own) == 1:
        return own[0]
    if instrument_id is None:
        raise _about("PaymentInstrumentId", element, "say which instrument", missing=True)
    for one in own:
        if one.id == instrument_id:
            return one
    raise _about("PaymentInstrumentId", element, "there is no such instrument")


def _about(name: str, element: str, text: str, *, missing: bool = False) -> Refused:
    code = ErrorCode.ATT_MISSING if missing else ErrorCode.ATT_VAL_ILLEGAL
    return refused(code, text, name, element=element)


def _stretched(phrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", phrase.encode(), salt, ROUNDS)
