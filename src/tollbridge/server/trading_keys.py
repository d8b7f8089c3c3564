"""The keys that trading servers sign with, and whom they believe (RFC 2801, 7.19).

A server has a private key of its own, with a certificate or without, or one that follows from the
secret that it shares with its partners; it believes the public keys and authorities it was given,
or else the keys that follow from the secret.
"""

import hmac
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tollbridge.faces.contract import Face
from tollbridge.faces.iotp.face import IotpFace
from tollbridge.faces.iotp.message.signing import KeyName, Keyring, Suite, Verifier
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.faces.iotp.roles.settings import KeySettings
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.secret import Secret
from tollbridge.server import certificates
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


def equip(face: Face, clock: Clock) -> None:
    """Give the roles of a trading face their keys. Raises ConfigError for a file of no use."""
    assert isinstance(face, IotpFace)
    settings = face.keys
    private = _read("signing_key", settings.signing_key)
    certificate = _read("signing_certificate", settings.signing_certificate)
    if certificate and not private:
        raise ConfigError(["faces.iotp.signing_certificate: signing_key is missing"])

    def seal(org_id: str) -> Seal:
        if not private:
            return Seal(derived(settings.secret, org_id))
        signer = PrivateKeySigner.of_pem(private, org_id.lower())
        return Seal(signer, certificates.read(certificate, signer) if certificate else None)

    face.equip(seal, _believed(settings, clock))


def _believed(settings: KeySettings, clock: Clock) -> Verifier:
    """Believe whom the settings name; when they name nobody, who knows the secret."""
    found: list[Verifier] = []
    if settings.trust_anchors:
        pem = _read("trust_anchors", settings.trust_anchors)
        found.append(certificates.Anchors.of_pem(pem, clock))
    if settings.trusted:
        found.append(PublicKeys.of_pem({
            name.lower(): (name.lower(), _read(f"trusted.{name}", file))
            for name, file in settings.trusted.items()
        }))  # fmt: skip
    return Keyring(*found) if found else Derived(settings.secret)


def _read(setting: str, file: str) -> bytes:
    """Read a file of the settings; b"" when none is named."""
    try:
        return Path(file).read_bytes() if file else b""
    except OSError as error:
        raise ConfigError([f"faces.iotp.{setting}: {file}: {error.strerror or error}"]) from None
