"""Proofs of purchase: claims in a compact JWS under Ed25519 (RFC 7515, RFC 8037).

A proof never expires, and is checked against keys that are listed publicly.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.server import jws
from tollbridge.server.jws import require

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

ALGORITHM = "EdDSA"
TYPE = "proof+jwt"
PROOF_BYTES_MAX = 8 * 1024
_SHAPE = jws.Shape(ALGORITHM, TYPE, frozenset({"kid"}), PROOF_BYTES_MAX)
_MUST = ("iss", "sub", "aud", "jti")

__all__ = ["key_of", "kid_of", "make", "new_key", "public_fields", "read", "require"]


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
    return jws.make(_SHAPE, claims, key, kid=kid)


def kid_of(proof: str) -> str:
    """Say which key a proof claims to be signed with, whether or not it is.

    Raises RemoteProtocolError with the hint "malformed", "algorithm" or "type".
    """
    kid = jws.header(_SHAPE, proof)["kid"]
    if not isinstance(kid, str):
        raise jws.refused("malformed", "its header says too much or too little")
    return kid


def read(proof: str, keys: Mapping[str, "OKPKey"]) -> dict[str, Any]:
    """Give what a proof claims, if one of the keys signed it.

    Raises RemoteProtocolError; its hint says why: "malformed", "algorithm", "type", "unknown_key",
    "signature" or "claims". A proof never expires: one that says it does is not ours.
    """
    try:
        key = keys.get(kid_of(proof))
        if key is None:
            raise jws.refused("unknown_key", "it is signed with a key that is not listed")
        claims = jws.claims(_SHAPE, proof, key)
    except RemoteProtocolError as error:
        error.hint = error.hint or "malformed"
        raise
    if not all(isinstance(claims.get(name), str) and claims[name] for name in _MUST):
        raise jws.refused("claims", f"claims {', '.join(_MUST)}: texts")
    if type(claims.get("iat")) is not int or "exp" in claims or "nbf" in claims:
        raise jws.refused("claims", "claims iat: whole seconds; exp and nbf: none")
    return claims


_KEY = ("kty", "crv", "x", "d")
