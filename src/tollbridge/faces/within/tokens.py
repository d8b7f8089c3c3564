"""Delivery tokens: unguessable keys, and a signature over what they stand for (WIRE 2.4).

The key of a token follows from the producer's own secret and the payment's reference, so that a
payment asked for again is answered with the same token, and nothing that opens anything is stored:
the notebook knows an order by the digest of its key.
"""

import base64
import hashlib
import hmac
import re
from typing import Protocol

from tollbridge.faces.within.messages import DeliveryToken
from tollbridge.faces.within.orders import Order
from tollbridge.ground.clock import Instant, moment
from tollbridge.ground.secret import Secret
from tollbridge.wire import json

KEY_BYTES = 24
TIME_BYTES, TIME_LETTERS = 6, 8  # the same, in bytes and in base64
_HEX = re.compile("[0-9a-f]{12}")
KEY_LABEL = "delivery key"


class Keys(Protocol):
    """What a producer signs with and derives secrets from."""

    @property
    def public_key(self) -> str:
        """The Ed25519 key others verify with, in base64."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign with the private key."""
        ...

    def secret(self, label: str) -> bytes:
        """Derive 32 bytes that only this producer knows, the same ones every time."""
        ...


def key_of(secret: bytes, reference: str) -> Secret[str]:
    """Give the key of the token a payment is answered with: when it was quoted, and 192 bits that
    only the producer can make; URL-safe.

    `secret` is what the producer's keys derive for `KEY_LABEL`.
    """
    digest = hmac.digest(secret, reference.encode(), hashlib.sha256)
    quoted = reference.replace("-", "")[: 2 * TIME_BYTES]
    time = bytes.fromhex(quoted) if _HEX.fullmatch(quoted) else bytes(TIME_BYTES)
    return Secret(base64.urlsafe_b64encode(time + digest[:KEY_BYTES]).decode())


def page_of(key: Secret[str]) -> str:
    """Name the notebook page of the order a key stands for.

    The names of orders quoted together begin alike, so that their pages lie together.
    """
    text = key.reveal()
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"order/{text[:TIME_LETTERS] if text.isascii() else ''}/{digest}"


def token(keys: Keys, key: Secret[str], order: Order) -> DeliveryToken:
    """Make the token of a paid order, signed."""
    assert order.paid is not None
    issued, expiry = rfc3339(order.paid.issued), rfc3339(order.paid.expiry)
    signature = keys.sign(signed_text(key, order, issued, expiry))
    return DeliveryToken(
        key, issued, expiry, order.refund_on_expiry, base64.b64encode(signature).decode()
    )


def signed_text(key: Secret[str], order: Order, issued: str, expiry: str) -> bytes:
    """Give what is signed: key, client, service, units, times and the promise of a refund."""
    claims = (
        key.reveal(),
        order.client_id,
        order.service_id,
        order.units,
        issued,
        expiry,
        order.refund_on_expiry,
    )
    return json.write(claims)


def rfc3339(at: Instant) -> str:
    """Write an instant in UTC with a Z, in whole seconds: what survives every peer."""
    return moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")
