"""The Webinos Payment API: a page finds a payment service and pays; the customer answers
challenges; the merchant checks the proof behind the page's back."""

from collections.abc import Mapping

from tollbridge.faces.webinos.face import WebinosFace
from tollbridge.faces.webinos.settings import Provider, provider
from tollbridge.ground.clock import Clock
from tollbridge.ground.ids import IdSource


def face(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> WebinosFace:
    """Make the face from the provider's settings. Raises ConfigError listing all problems."""
    return WebinosFace(provider(settings), clock, ids)


__all__ = ["Provider", "WebinosFace", "face", "provider"]
