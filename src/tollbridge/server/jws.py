"""Compact JWS (RFC 7515) with one algorithm and one type each, read strictly.

Everything that is not exactly what we write is refused: another algorithm, another type, a header
field more. Needs the package joserfc, imported when it is first used.
"""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.wire import json

if TYPE_CHECKING:
    from joserfc.jwk import OctKey, OKPKey
    from joserfc.jws import JWSRegistry

_TOKEN = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a token looks like: its algorithm, its type, what else its header says, its size."""

    algorithm: str
    type: str
    more: frozenset[str] = frozenset()
    bytes_max: int = 8 * 1024


def require() -> None:
    """Raise ConfigError where the packages are missing that sign and check."""
    try:
        import cryptography  # noqa: F401
        import joserfc  # noqa: F401
    except ImportError as error:
        text = f"signatures need the package {error.name}: pip install 'tollbridge[web]'"
        raise ConfigError([text]) from None


def make(shape: Shape, claims: Mapping[str, Any], key: "OKPKey | OctKey", **more: str) -> str:
    """Sign claims; `more` are further fields of the header."""
    from joserfc import jws

    header = {"alg": shape.algorithm, **more, "typ": shape.type}
    registry = _registry(shape.algorithm)
    return jws.serialize_compact(header, json.write(dict(claims)), key, registry=registry)


def header(shape: Shape, token: str) -> dict[str, Any]:
    """Give a token's header, whether or not it is true.

    Raises RemoteProtocolError with the hint "malformed", "algorithm" or "type".
    """
    match = _TOKEN.fullmatch(token) if len(token) <= shape.bytes_max else None
    if match is None:
        raise refused("malformed", "not a compact JWS, or too long")
    fields = json.read_object(_bytes(match[1]), what="header")
    if fields.get("alg") != shape.algorithm:
        raise refused("algorithm", f"only {shape.algorithm} is believed")
    if fields.get("typ") != shape.type:
        raise refused("type", f"its type is not {shape.type}")
    if set(fields) != {"alg", "typ", *shape.more}:
        raise refused("malformed", "its header says too much or too little")
    return fields


def claims(shape: Shape, token: str, key: "OKPKey | OctKey") -> dict[str, Any]:
    """Give what a token claims, if the key signed it.

    Raises RemoteProtocolError; its hint is "signature", or "malformed".
    """
    from joserfc import jws
    from joserfc.errors import JoseError

    try:
        payload = jws.deserialize_compact(token, key, registry=_registry(shape.algorithm)).payload
    except (JoseError, ValueError):
        raise refused("signature", "the signature does not fit") from None
    return json.read_object(payload, what="claims")


def refused(why: str, text: str) -> RemoteProtocolError:
    """Make the error of a token that is not believed."""
    return RemoteProtocolError(text, hint=why)


@cache
def _registry(algorithm: str) -> "JWSRegistry":
    from joserfc import jws

    class Ours(jws.JWSRegistry):
        """One algorithm; Ed25519 under its old name, which every library knows (RFC 9864)."""

        max_payload_length = 256 * 1024

        def get_alg(self, name: str) -> Any:
            if name != algorithm:
                raise ValueError(f"only {algorithm} is known")
            return self.algorithms[name]

    return Ours()


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise refused("malformed", "not base64url") from None
