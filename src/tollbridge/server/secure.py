"""The secure element in software: one key of the device, tokens, and what is sealed for it alone.

The key is 32 random bytes in a file that only its owner may read. It is made when it is first
needed, and never again: a file that cannot be read, or holds something else, is a missing key.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import os
from pathlib import Path

from tollbridge.faces.contract import (
    Seal,
    Sealed,
    SecureFault,
    Tokenize,
    Tokenized,
    Unseal,
    Unsealed,
)
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import NUMBER_DIGITS_MAX, NUMBER_DIGITS_MIN, Secret, luhn

log = logging.getLogger("tollbridge.terminal")

KEY_BYTES = 32
TOKEN_BYTES = 15
"""120 bits, 24 letters of base 32."""
NONCE_BYTES = 12
VERSION = "s1"
NO_KEY = SecureFault(key_missing=True)


class SecureElement:
    """`file` keeps the key; None keeps it in memory, for tests and terminals nobody needs again.

    `domain` sets apart what several elements make, even under one key.
    """

    def __init__(self, file: Path | None, ids: IdSource, domain: str = "terminal") -> None:
        self._file = file
        self._domain = domain
        self._ids = ids
        self._key: bytes | None = None
        self._complained = False

    def tokenize(self, wish: Tokenize) -> Tokenized | SecureFault:
        """Make the token of a card number or a UID: the same one for as long as the key lives."""
        key = self._known_key()
        if key is None:
            return NO_KEY
        number = wish.number.reveal()
        made = self._derived(key, f"token {_domain(number)}\0{number}")
        return Tokenized(base64.b32encode(made[:TOKEN_BYTES]).decode())

    def seal(self, wish: Seal, terminal: str) -> Sealed | SecureFault:
        """Encrypt for one terminal (AES-256-GCM)."""
        key = self._known_key()
        if key is None or not self._can_encrypt():
            return NO_KEY
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = bytes.fromhex(self._ids.secret())[:NONCE_BYTES]
        cipher = AESGCM(self._derived(key, f"seal\0{terminal}"))
        sealed = nonce + cipher.encrypt(nonce, wish.plain.reveal().encode(), terminal.encode())
        return Sealed(f"{VERSION}.{base64.urlsafe_b64encode(sealed).decode()}")

    def unseal(self, wish: Unseal, terminal: str) -> Unsealed | SecureFault:
        """Decrypt what was sealed for this terminal."""
        key = self._known_key()
        if key is None or not self._can_encrypt():
            return NO_KEY
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        version, _, text = wish.sealed.partition(".")
        try:
            sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return SecureFault()
        if version != VERSION or len(sealed) <= NONCE_BYTES:
            return SecureFault()
        cipher = AESGCM(self._derived(key, f"seal\0{terminal}"))
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return Unsealed(Secret(cipher.decrypt(nonce, body, terminal.encode()).decode()))
        except (InvalidTag, UnicodeDecodeError):
            return SecureFault()

    def _derived(self, key: bytes, purpose: str) -> bytes:
        return hmac.digest(key, f"tollbridge {self._domain}\0{purpose}".encode(), hashlib.sha256)

    def _known_key(self) -> bytes | None:
        if self._key is None:
            try:
                self._key = self._load()
            except OSError as error:
                self._complain(f"{self._file}: {error.strerror or error}")
        return self._key

    def _load(self) -> bytes | None:
        """Read the key, or make it where there is none. Raises OSError."""
        if self._file is None:
            return bytes.fromhex(self._ids.secret())
        if not self._file.exists():
            # Nobody may find half a key: it is written aside and gets its name when it is whole.
            draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            try:
                write_private(draft, bytes.fromhex(self._ids.secret()))
                draft.replace(self._file)
            finally:
                draft.unlink(missing_ok=True)
        key = self._file.read_bytes()
        if len(key) == KEY_BYTES:
            return key
        self._complain(f"{self._file}: {KEY_BYTES} bytes are expected, there are {len(key)}")
        return None

    def _can_encrypt(self) -> bool:
        try:
            import cryptography  # noqa: F401
        except ImportError:
            self._complain(f"sealing needs the package cryptography (tollbridge[{self._domain}])")
            return False
        return True

    def _complain(self, why: str) -> None:
        if not self._complained:
            self._complained = True
            log.error("the secure element has no key: %s", why)


def write_private(file: Path, key: bytes) -> None:
    """Write a new file that only its owner may read, onto the disk. Raises OSError."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(key)
        opened.flush()
        os.fsync(opened.fileno())


def _domain(number: str) -> str:
    """Tell card numbers from UIDs, so that neither stands for the other."""
    digits = number.isascii() and number.isdigit()
    fits = NUMBER_DIGITS_MIN <= len(number) <= NUMBER_DIGITS_MAX
    return "pan" if digits and fits and luhn(number) else "uid"
