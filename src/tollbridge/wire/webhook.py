"""Standard Webhooks: how a notice is signed, and how a signature is checked.

The signature is HMAC-SHA256 over `id.timestamp.body` under the bytes of a key that is written as
`whsec_` and base64 (https://www.standardwebhooks.com). Twenty lines, so no library.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Headers

PREFIX = "whsec_"
KEY_BYTES_MIN, KEY_BYTES_MAX = 24, 64
TOLERANCE_S = 300
SIGNATURES_MAX = 10
_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_TIME = re.compile(r"[0-9]{1,15}", re.ASCII)

Keys = tuple[Secret[bytes], ...]


def keys_of(text: Secret[str]) -> Keys:
    """Read one key, or several between spaces while they rotate. Raises ValueError."""
    keys = []
    for word in text.reveal().split():
        try:
            key = b64decode(word.removeprefix(PREFIX), validate=True)
        except ValueError:
            key = b""
        if not word.startswith(PREFIX) or not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
            size = f"{KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes"
            raise ValueError(f"a key is written whsec_ and {size} in base64")
        keys.append(Secret(key))
    if not keys:
        raise ValueError("a key is needed: whsec_…")
    return tuple(keys)


def sign(keys: Keys, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Give the value of `webhook-signature`: one signature for each key."""
    return " ".join(f"v1,{_digest(key, message_id, str(timestamp_s), body)}" for key in keys)


def check(
    keys: Keys, headers: Headers, body: bytes, now_s: int, tolerance_s: int = TOLERANCE_S
) -> tuple[str, int]:
    """Give id and timestamp of a notice that is signed with one of the keys.

    Raises RemoteProtocolError: hint "unsigned" (a field is missing or unreadable), "forged", or
    "stale" (right, but signed more than `tolerance_s` ago or ahead).
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    shown = headers.get("webhook-signature", "").split()
    if not _ID.fullmatch(message_id) or not _TIME.fullmatch(timestamp) or not shown:
        raise RemoteProtocolError("webhook-id, -timestamp and -signature: needed", hint="unsigned")
    if not _is_signed(keys, message_id, timestamp, body, shown):
        raise RemoteProtocolError("the signature is not ours", hint="forged")
    if abs(now_s - int(timestamp)) > tolerance_s:
        raise RemoteProtocolError("signed too long ago, or in the future", hint="stale")
    return message_id, int(timestamp)


def _is_signed(
    keys: Keys, message_id: str, timestamp: str, body: bytes, shown: Sequence[str]
) -> bool:
    fits = False
    for key in keys:
        expected = f"v1,{_digest(key, message_id, timestamp, body)}".encode()
        for each in shown[:SIGNATURES_MAX]:
            fits |= hmac.compare_digest(each.encode("latin-1", "replace"), expected)
    return fits


def _digest(key: Secret[bytes], message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return b64encode(hmac.digest(key.reveal(), signed, "sha256")).decode()
