"""The cards of a consumer, sealed in a file (AES-256-GCM); the nearest a program has to a purse.

The key lies in the keyring of the operating system, or comes from a passphrase (scrypt). The file
shows nothing of a card but how much is in it, and nothing is logged.

The security code (cvc) is kept only if the cardholder asks for it: it exists to prove that the
card is in hand, and merchants may not store it (PCI DSS 4.0.1, 3.3.1). A device that pays without
anybody near cannot do without; an attended one asks for it each time.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.errors import BadArgument, WithinError
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret, luhn
from tollbridge.wire import json
from tollbridge.within.files import write_privately

VERSION = 1
KEYRING_NAME = "tollbridge within cards"
KEYS = ("keyring", "scrypt")
SCRYPT_N, SCRYPT_BYTES_MAX = 1 << 15, 1 << 26  # 32 MB and a tenth of a second for each guess
KEY_BYTES = 32
NONCE_BYTES, SALT_BYTES = 12, 16
NUMBER_DIGITS = range(12, 20)


class VaultLocked(WithinError):
    """The key does not fit or is not there; nothing is known about the cards."""

    code = "within_vault_locked"


class VaultDamaged(WithinError):
    """The file was changed by somebody else, or is not a vault."""

    code = "within_vault_damaged"


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be shown of a card."""

    name: str
    masked_number: str
    holder: str
    exp_month: int
    exp_year: int
    with_cvc: bool


class Vault:
    """The cards in one file, by the names their owner gives them.

    Without `passphrase` the key lies in the operating system's keyring. One process at a time
    changes a vault; of two, the last one's cards stay.
    """

    def __init__(self, file: Path, ids: IdSource, passphrase: Secret[str] | None = None) -> None:
        self._file = file
        self._ids = ids
        self._passphrase = passphrase

    def add(self, name: str, card: HceCard, *, keep_cvc: bool = False) -> None:
        """Keep a card, its security code only if asked to.

        Raises BadArgument for a name that is taken or a card that cannot be one, VaultLocked,
        VaultDamaged.
        """
        number = card.number.reveal()
        if len(number) not in NUMBER_DIGITS or not number.isdecimal() or not number.isascii():
            raise _bad("a card number has 12 to 19 digits")
        if not luhn(number):
            raise _bad("the card number's check digit is wrong")
        if not 1 <= card.exp_month <= 12 or not 2000 <= card.exp_year <= 9999:
            raise _bad("a card expires in a month of a year with four digits")
        vault = self._open() or self._new()
        if not name or name in vault.cards:
            raise _bad(f"a card named {name!r} is there already" if name else "a card has a name")
        vault.cards[name] = card if keep_cvc else replace(card, cvc=Secret(""))
        self._seal(vault)

    def entries(self) -> list[Entry]:
        """List the cards, masked. Raises VaultLocked, VaultDamaged."""
        return [
            Entry(name, card.masked_number, card.holder, card.exp_month, card.exp_year,
                  bool(card.cvc.reveal()))
            for name, card in self._cards().items()
        ]  # fmt: skip

    def get(self, name: str) -> HceCard:
        """Take a card; its cvc is empty when it was not kept.

        Raises BadArgument when there is none of this name, VaultLocked, VaultDamaged.
        """
        card = self._cards().get(name)
        if card is None:
            raise _unknown(name)
        return card

    def remove(self, name: str) -> None:
        """Forget a card. Raises as `get` does."""
        vault = self._open()
        if vault is None or name not in vault.cards:
            raise _unknown(name)
        del vault.cards[name]
        self._seal(vault)

    def _cards(self) -> dict[str, HceCard]:
        vault = self._open()
        return vault.cards if vault is not None else {}

    def _open(self) -> "_Opened | None":
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WithinError("IO_READ", "IO", f"cannot read {self._file}", error) from None
        try:
            head = json.read_object(data)
            nonce, sealed = _bytes(head.pop("nonce")), _bytes(head.pop("sealed"))
            check, salt = _bytes(head["check"]), _bytes(head["salt"])
            if head["version"] != VERSION or head["key"] not in KEYS:
                raise self._damaged()
        except (RemoteProtocolError, KeyError, TypeError, ValueError):
            raise self._damaged() from None
        key = self._key(head["key"], salt)
        if not hmac.compare_digest(check, _check(key)):
            raise self._locked("the passphrase, or the key in the keyring, does not fit")
        try:
            opened = AESGCM(key).decrypt(nonce, sealed, json.write(head))
        except (InvalidTag, ValueError):
            raise self._damaged() from None
        cards = {name: _read(card) for name, card in json.read_object(opened).items()}
        return _Opened(head, key, cards)

    def _new(self) -> "_Opened":
        kind = "keyring" if self._passphrase is None else "scrypt"
        salt = self._random(SALT_BYTES)
        if self._passphrase is None:
            _keyring("set_password", salt.hex(), self._ids.secret())
        key = self._key(kind, salt)
        head = {"version": VERSION, "key": kind, "salt": _text(salt), "check": _text(_check(key))}
        return _Opened(head, key, {})

    def _key(self, kind: str, salt: bytes) -> bytes:
        if kind == "scrypt":
            if self._passphrase is None:
                raise self._locked("it is opened with a passphrase")
            words = self._passphrase.reveal().encode()
            return hashlib.scrypt(
                words, salt=salt, n=SCRYPT_N, r=8, p=1, maxmem=SCRYPT_BYTES_MAX, dklen=KEY_BYTES
            )
        kept = _keyring("get_password", salt.hex())
        if kept is None:
            raise self._locked("its key is not in this user's keyring")
        return hashlib.sha256(kept.encode()).digest()

    def _seal(self, vault: "_Opened") -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = self._random(NONCE_BYTES)
        opened = json.write({name: _written(card) for name, card in vault.cards.items()})
        sealed = AESGCM(vault.key).encrypt(nonce, opened, json.write(vault.head))
        data = json.write(vault.head | {"nonce": _text(nonce), "sealed": _text(sealed)})
        try:
            write_privately(self._file, data)
        except OSError as error:
            raise WithinError("IO_WRITE", "IO", f"cannot write {self._file}", error) from None

    def _random(self, count: int) -> bytes:
        return bytes.fromhex(self._ids.secret())[:count]

    def _locked(self, why: str) -> VaultLocked:
        return VaultLocked("IO_OPEN", "IO", f"the cards in {self._file} stay locked: {why}")

    def _damaged(self) -> VaultDamaged:
        return VaultDamaged("IO_READ", "IO", f"{self._file} is not a vault, or was changed")


@dataclass(frozen=True, slots=True)
class _Opened:
    head: dict[str, Any]
    key: bytes = field(repr=False)
    cards: dict[str, HceCard]


def _keyring(call: str, *arguments: str) -> str | None:
    """Call the keyring of the operating system. Raises VaultLocked when it does not answer."""
    import keyring
    from keyring.errors import KeyringError

    try:
        answer: str | None = getattr(keyring, call)(KEYRING_NAME, *arguments)
    except KeyringError as error:
        raise VaultLocked(
            "IO_OPEN", "IO", "the keyring does not open; a passphrase would do", error
        ) from None
    return answer


def _unknown(name: str) -> BadArgument:
    return _bad(f"there is no card named {name!r}")


def _written(card: HceCard) -> dict[str, Any]:
    return {
        one.name: value.reveal() if isinstance(value := getattr(card, one.name), Secret) else value
        for one in fields(card)
    }


def _read(written: dict[str, Any]) -> HceCard:
    secret = {name: Secret(written[name]) for name in ("number", "cvc")}
    return HceCard(**(written | secret))


def _check(key: bytes) -> bytes:
    """Tell a wrong key from a changed file; says nothing about the key."""
    return hmac.digest(key, b"tollbridge within cards", "sha256")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _bad(why: str) -> BadArgument:
    return BadArgument("UNKNOWN", "WPW", why)
