"""The keys that trading servers sign with, and whom they believe (RFC 2801, 7.19).

A server has a private key of its own, or one that follows from the secret that it shares with its
partners; it believes the public keys it was given, or else those that follow from the secret.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tollbridge.faces.contract import Face
from tollbridge.faces.iotp.face import IotpFace
from tollbridge.faces.iotp.message.signing import KeyName, Suite
from tollbridge.faces.iotp.roles.settings import KeySettings
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.secret import Secret
from tollbridge.server.signing import PrivateKeySigner, PublicKeys

_PEM = serialization.Encoding.PEM
_SHOWN = serialization.PublicFormat.SubjectPublicKeyInfo


def derived(secret: Secret[str], org_id: str) -> PrivateKeySigner:
    """Make the key of an organisation that follows from a secret; its id is the OrgId."""
    name = org_id.lower()
    seed = hmac.digest(secret.reveal().encode(), f"signatures of {name}".encode(), "sha256")
    return PrivateKeySigner(Suite.ED25519, name, Ed25519PrivateKey.from_private_bytes(seed))


def public_pem(signer: PrivateKeySigner) -> bytes:
    """Give the public half of a key, as PEM."""
    return signer.key.public_key().public_bytes(_PEM, _SHOWN)


@dataclass(frozen=True, slots=True)
class Derived:
    """Verifies with the keys of organisations that follow from a secret."""

    secret: Secret[str]

    def verify(self, suite: Suite, key: KeyName, data: bytes, value: bytes) -> bool:
        """Say whether a value is right under the key of the organisation named."""
        own = derived(self.secret, key.org_id)
        keys = PublicKeys({own.key_id: (own.key_id, own.key.public_key())})
        return keys.verify(suite, key, data, value)


def equip(face: Face) -> None:
    """Give the roles of a trading face their keys. Raises ConfigError for a file of no use."""
    assert isinstance(face, IotpFace)
    settings = face.keys
    private = _private(settings)
    verifier = _trusted(settings.trusted) if settings.trusted else Derived(settings.secret)

    def signer(org_id: str) -> PrivateKeySigner:
        if private is None:
            return derived(settings.secret, org_id)
        return PrivateKeySigner.of_pem(private, org_id.lower())

    face.equip(signer, verifier)


def _private(settings: KeySettings) -> bytes | None:
    return _read("signing_key", settings.signing_key) if settings.signing_key else None


def _trusted(files: Mapping[str, str]) -> PublicKeys:
    return PublicKeys.of_pem({
        name.lower(): (name.lower(), _read(f"trusted.{name}", file)) for name, file in files.items()
    })  # fmt: skip


def _read(setting: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigError([f"faces.iotp.{setting}: {file}: {error.strerror or error}"]) from None
