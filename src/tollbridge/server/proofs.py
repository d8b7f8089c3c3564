"""Proofs of purchase: claims in a compact JWS under Ed25519 (RFC 7515, RFC 8037), read strictly.

Everything that is not exactly what we write is refused: another algorithm, another type, a header
field more. Needs the package joserfc, imported when it is first used.
"""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.wire import json

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey
    from joserfc.jws import JWSRegistry

ALGORITHM = "EdDSA"
TYPE = "proof+jwt"
PROOF_BYTES_MAX = 8 * 1024
_PROOF = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
_HEADER = {"alg", "kid", "typ"}
_MUST = ("iss", "sub", "aud", "jti")


def require() -> None:
    """Raise ConfigError where the packages are missing that sign and check."""
    try:
        import cryptography  # noqa: F401
        import joserfc  # noqa: F401
    except ImportError as error:
        text = f"proofs of purchase need the package {error.name}: pip install 'tollbridge[web]'"
        raise ConfigError([text]) from None


def new_key() -> "OKPKey":
    """Make a private key."""
    from joserfc.jwk import OKPKey

    return OKPKey.generate_key("Ed25519")


def key_of(fields: Mapping[str, Any]) -> "OKPKey":
    """Read a key from the fields of a JWK. Raises ValueError."""
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    if (fields.get("kty"), fields.get("crv")) != ("OKP", "Ed25519"):
        raise ValueError("not an Ed25519 key")
    try:
        key = OKPKey.import_key({name: str(fields[name]) for name in _KEY if name in fields})
        key.get_op_key("verify")
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"not a key: {error}") from None
    return key


def public_fields(key: "OKPKey", kid: str) -> dict[str, str]:
    """Give the fields of a public key as a JWKS lists it."""
    shown = key.as_dict(private=False)
    return {"kty": "OKP", "crv": "Ed25519", "x": str(shown["x"]), "kid": kid,
            "use": "sig", "alg": ALGORITHM}  # fmt: skip


def make(claims: Mapping[str, Any], key: "OKPKey", kid: str) -> str:
    """Sign claims."""
    from joserfc import jws

    header = {"alg": ALGORITHM, "kid": kid, "typ": TYPE}
    return jws.serialize_compact(header, json.write(dict(claims)), key, registry=_registry())


def kid_of(proof: str) -> str:
    """Say which key a proof claims to be signed with, whether or not it is.

    Raises RemoteProtocolError with the hint "malformed", "algorithm" or "type".
    """
    match = _PROOF.fullmatch(proof) if len(proof) <= PROOF_BYTES_MAX else None
    if match is None:
        raise _refused("malformed", "not a compact JWS, or too long")
    header = json.read_object(_bytes(match[1]), what="header")
    if header.get("alg") != ALGORITHM:
        raise _refused("algorithm", f"only {ALGORITHM} is believed")
    if header.get("typ") != TYPE:
        raise _refused("type", f"its type is not {TYPE}")
    kid = header.get("kid")
    if set(header) != _HEADER or not isinstance(kid, str):
        raise _refused("malformed", "its header says too much or too little")
    return kid


def read(proof: str, keys: Mapping[str, "OKPKey"]) -> dict[str, Any]:
    """Give what a proof claims, if one of the keys signed it.

    Raises RemoteProtocolError; its hint says why: "malformed", "algorithm", "type", "unknown_key",
    "signature" or "claims". A proof never expires: one that says it does is not ours.
    """
    try:
        key = keys.get(kid_of(proof))
        if key is None:
            raise _refused("unknown_key", "it is signed with a key that is not listed")
        claims = json.read_object(_verified(proof, key), what="claims")
    except RemoteProtocolError as error:
        error.hint = error.hint or "malformed"
        raise
    if not all(isinstance(claims.get(name), str) and claims[name] for name in _MUST):
        raise _refused("claims", f"claims {', '.join(_MUST)}: texts")
    if type(claims.get("iat")) is not int or "exp" in claims or "nbf" in claims:
        raise _refused("claims", "claims iat: whole seconds; exp and nbf: none")
    return claims


_KEY = ("kty", "crv", "x", "d")


def _verified(proof: str, key: "OKPKey") -> bytes:
    from joserfc import jws
    from joserfc.errors import JoseError

    try:
        return jws.deserialize_compact(proof, key, registry=_registry()).payload
    except (JoseError, ValueError):
        raise _refused("signature", "the signature does not fit") from None


@cache
def _registry() -> "JWSRegistry":
    from joserfc import jws

    class Ours(jws.JWSRegistry):
        """One algorithm under its old name, which every library knows (the new one: RFC 9864)."""

        def get_alg(self, name: str) -> Any:
            if name != ALGORITHM:
                raise ValueError(f"only {ALGORITHM} is known")
            return self.algorithms[name]

    return Ours()


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise _refused("malformed", "not base64url") from None


def _refused(why: str, text: str) -> RemoteProtocolError:
    return RemoteProtocolError(text, hint=why)
