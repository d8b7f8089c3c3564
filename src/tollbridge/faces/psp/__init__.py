"""A payment provider's own face: the Worldpay Online and SecureNet APIs, served.

Merchants and consumers speak to it as to the original services, with the same keys, bodies and
errors. Beyond the original, an order and a refund may carry an `Idempotency-Key`, and
`GET /v1/orders?customerOrderCode=` lists orders with these keys: so a merchant that lost an answer
learns the truth. See docs/how-to/psp.md.
"""

from collections.abc import Mapping

from tollbridge.faces.psp.face import PspFace
from tollbridge.faces.psp.settings import Host, Merchant, host
from tollbridge.ground.clock import Clock
from tollbridge.ground.ids import IdSource


def face(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> PspFace:
    """Make the face from the host's settings. Raises ConfigError listing all problems."""
    return PspFace(host(settings), clock, ids)


__all__ = ["Host", "Merchant", "PspFace", "face", "host"]
