"""Signed bills: what a merchant's server wants to be paid, in a compact JWS that passes a page.

The key follows from the seller's secret key, so whoever sees a bill can try keys on it: a secret
key that signs has at least 24 letters, and is random.
"""

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.server import jws

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

ALGORITHM = "HS256"
TYPE = "bill+jwt"
BILL_BYTES_MAX = 192 * 1024
NAME_LETTERS_MAX = 100
_SHAPE = jws.Shape(ALGORITHM, TYPE, bytes_max=BILL_BYTES_MAX)


def sign(claims: Mapping[str, Any], secret_key: Secret[str]) -> str:
    """Sign a bill's claims."""
    return jws.make(_SHAPE, claims, _key(secret_key))


def read(token: str, secret_key: Secret[str]) -> dict[str, Any]:
    """Give what a signed bill claims, if this secret key signed it; times are not looked at.

    Raises RemoteProtocolError; its hint says why: "malformed", "algorithm", "type", "signature" or
    "claims".
    """
    try:
        jws.header(_SHAPE, token)
        claims = jws.claims(_SHAPE, token, _key(secret_key))
    except RemoteProtocolError as error:
        error.hint = error.hint or "malformed"
        raise
    texts = [claims.get(name) for name in ("iss", "jti")]
    named = all(isinstance(text, str) and 0 < len(text) <= NAME_LETTERS_MAX for text in texts)
    if not named or type(claims.get("exp")) is not int or type(claims.get("once")) is not bool:
        raise jws.refused("claims", "claims iss, jti: texts; exp: whole seconds; once: yes or no")
    return claims


def _key(secret_key: Secret[str]) -> "OctKey":
    """Give the key of a seller's bills: HMAC-SHA-256 of the token's type under the secret key."""
    from joserfc.jwk import OctKey

    return OctKey.import_key(hmac.digest(secret_key.reveal().encode(), TYPE.encode(), "sha256"))
