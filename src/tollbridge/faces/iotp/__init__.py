"""The Internet Open Trading Protocol (RFC 2801) and its Payment API (RFC 3867).

`message` are trading messages, `api` is the Payment API, `schemes` are bridges to payment schemes,
`roles` play Merchant, Payment Handler, Delivery Handler and Consumer, `face` serves all but the
last.
"""

from collections.abc import Mapping

from tollbridge.faces.iotp.face import IotpFace
from tollbridge.faces.iotp.roles import opening
from tollbridge.ground.clock import Clock
from tollbridge.ground.ids import IdSource


def face(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> IotpFace:
    """Make the face from its settings (`Opening`). Raises ConfigError listing all problems."""
    wanted = opening.opening(settings)
    return IotpFace(
        opening.merchant(wanted, clock, ids) if "merchant" in wanted.roles else None,
        opening.handler(wanted, clock, ids) if "payment" in wanted.roles else None,
        wanted.keys,
        opening.deliverer(wanted, clock, ids) if "delivery" in wanted.roles else None,
        opening.software(wanted, clock, ids) if opening.SOFTWARE in wanted.roles else None,
    )


__all__ = ["IotpFace", "face"]
