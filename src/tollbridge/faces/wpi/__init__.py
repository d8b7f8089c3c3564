"""The Worldline Payment Interface 2.0, revision 7: a payment terminal for business applications.

First slice, over HTTP: payment, cancel payment, refund, last transaction, payment information.
"""

from collections.abc import Mapping

from tollbridge.faces.wpi.face import WpiFace
from tollbridge.faces.wpi.profile import Profile, profile
from tollbridge.ground.clock import Clock
from tollbridge.ground.ids import IdSource


def face(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> WpiFace:
    """Make the face from a terminal profile. Raises ConfigError listing all problems."""
    del clock
    return WpiFace(profile(settings), ids)


__all__ = ["Profile", "WpiFace", "face", "profile"]
