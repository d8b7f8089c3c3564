"""Keys for signatures of trading messages: Ed25519 and ECDSA, and DSA, RSA, ECDSA for old peers.

Needs the extra `iotp`. The trading face asks for a Signer and a Verifier (`message.signing`); these
are made of keys as PEM holds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from tollbridge.faces.iotp.message.signing import KeyName, Suite
from tollbridge.ground.errors import ConfigError

PrivateKey = (
    ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | rsa.RSAPrivateKey
)
PublicKey = (
    ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey | rsa.RSAPublicKey
)
_SHA256 = ec.ECDSA(hashes.SHA256())
_DIGEST = Prehashed(hashes.SHA1())  # noqa: S303 - what RFC 2802 asks for, behind its switch


@dataclass(frozen=True, slots=True)
class PrivateKeySigner:
    """Signs with a private key. Raises ConfigError when the key is of another kind."""

    suite: Suite
    key_id: str
    key: PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        if suite_of(self.key.public_key(), legacy=self.suite not in _MODERN) is not self.suite:
            raise ConfigError([f"the key {self.key_id} cannot make {self.suite}"])

    @classmethod
    def of_pem(cls, pem: bytes, key_id: str, *, legacy: bool = False) -> "PrivateKeySigner":
        """Make a signer of an unencrypted PEM. Raises ConfigError when it holds no such key."""
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigError([f"the key {key_id} is no private key in PEM"]) from None
        if not isinstance(key, PrivateKey):
            raise ConfigError([f"the key {key_id} is of a kind that is not used here"])
        suite = suite_of(key.public_key(), legacy=legacy)
        if suite is None:
            raise ConfigError([f"the key {key_id} is of a kind that is not used here"])
        return cls(suite, key_id, key)

    def sign(self, data: bytes) -> bytes:
        """Sign; r and s side by side where a signature has two numbers."""
        legacy = self.suite not in _MODERN
        match self.key:
            case ed25519.Ed25519PrivateKey():
                return self.key.sign(data)
            case ec.EllipticCurvePrivateKey():
                der = self.key.sign(data, ec.ECDSA(_DIGEST) if legacy else _SHA256)
                return _side_by_side(der, (self.key.key_size + 7) // 8)
            case dsa.DSAPrivateKey():
                return _side_by_side(self.key.sign(data, _DIGEST), _half_of_dsa(self.key))
            case rsa.RSAPrivateKey():
                return self.key.sign(data, padding.PKCS1v15(), _DIGEST)


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Verifies with public keys, by key id: whose each is, and the key.

    `legacy` keys verify signatures of old suites, the others of modern ones.
    """

    keys: Mapping[str, tuple[str, PublicKey]]
    legacy: bool = False

    @classmethod
    def of_pem(
        cls, pems: Mapping[str, tuple[str, bytes]], *, legacy: bool = False
    ) -> "PublicKeys":  # fmt: skip
        """Make it of (OrgId, PEM) by key id. Raises ConfigError naming every one that is no key."""
        keys: dict[str, tuple[str, PublicKey]] = {}
        problems = []
        for key_id, (org_id, pem) in pems.items():
            try:
                key = serialization.load_pem_public_key(pem)
            except (ValueError, UnsupportedAlgorithm):
                problems.append(f"the key {key_id} is no public key in PEM")
                continue
            if isinstance(key, PublicKey):
                keys[key_id] = org_id, key
            else:
                problems.append(f"the key {key_id} is of a kind that is not used here")
        if problems:
            raise ConfigError(problems)
        return cls(keys, legacy)

    def verify(self, suite: Suite, key: KeyName, data: bytes, value: bytes) -> bool:
        """Say whether a value is right under the key named, and the key the signer's."""
        org_id, public = self.keys.get(key.key_id, ("", None))
        if public is None or org_id.lower() != key.org_id.lower():
            return False
        if suite_of(public, legacy=self.legacy) is not suite:
            return False
        try:
            _verify(public, data, value, legacy=self.legacy)
        except (InvalidSignature, ValueError):
            return False
        return True


_MODERN = frozenset({Suite.ED25519, Suite.ECDSA_P256})


def suite_of(key: PublicKey, *, legacy: bool = False) -> Suite | None:
    """Say which suite a key is for; None when it is for none."""
    match key:
        case ed25519.Ed25519PublicKey():
            return None if legacy else Suite.ED25519
        case ec.EllipticCurvePublicKey():
            if legacy:
                return Suite.LEGACY_ECDSA
            return Suite.ECDSA_P256 if isinstance(key.curve, ec.SECP256R1) else None
        case dsa.DSAPublicKey():
            return Suite.LEGACY_DSA if legacy else None
        case rsa.RSAPublicKey():
            return Suite.LEGACY_RSA if legacy else None


def _verify(key: PublicKey, data: bytes, value: bytes, *, legacy: bool) -> None:
    match key:
        case ed25519.Ed25519PublicKey():
            key.verify(value, data)
        case ec.EllipticCurvePublicKey():
            der = _der(value, (key.key_size + 7) // 8)
            key.verify(der, data, ec.ECDSA(_DIGEST) if legacy else _SHA256)
        case dsa.DSAPublicKey():
            key.verify(_der(value, _half_of_dsa(key)), data, _DIGEST)
        case rsa.RSAPublicKey():
            _verify_rsa(key, data, value)


def _verify_rsa(key: rsa.RSAPublicKey, data: bytes, value: bytes) -> None:
    """With or without DigestInfo: RFC 2802 does not say which (D-22)."""
    try:
        key.verify(value, data, padding.PKCS1v15(), _DIGEST)
    except InvalidSignature:
        if key.recover_data_from_signature(value, padding.PKCS1v15(), None) != data:
            raise


def _half_of_dsa(key: dsa.DSAPrivateKey | dsa.DSAPublicKey) -> int:
    return (key.parameters().parameter_numbers().q.bit_length() + 7) // 8


def _side_by_side(der: bytes, half: int) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(half) + s.to_bytes(half)


def _der(value: bytes, half: int) -> bytes:
    if len(value) != 2 * half:
        raise ValueError("r and s are not as long as the key says")
    return encode_dss_signature(int.from_bytes(value[:half]), int.from_bytes(value[half:]))
