"""What every flow of the face is handed, and the few things it asks of its device."""

import hmac
from collections import OrderedDict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from tollbridge.faces.contract import (
    Seal,
    Sealed,
    Tokenize,
    Tokenized,
    Unseal,
    Unsealed,
)
from tollbridge.faces.webinos import sessions
from tollbridge.faces.webinos.outcome import Failed, charge
from tollbridge.faces.webinos.settings import Policy, Provider, Seller
from tollbridge.faces.webinos.wishes import Sign, Signed
from tollbridge.ground.clock import Clock, Instant
from tollbridge.ground.flow import Exchange, Party
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

T = TypeVar("T")
Talk: TypeAlias = Generator[Any, Any, T]
PEOPLE_MAX = 10_000
NO_KEY = charge("system_error", "The provider has no keys just now; try again.", retry=True)


class Pace:
    """What was counted lately, by whom and when: see pace.py. It forgets whom it heard of longest
    ago; the notebook knows more."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, dict[str, int]] = OrderedDict()

    def of(self, prefix: str) -> dict[str, int] | None:
        """Give what is known of somebody: names, and when they were counted."""
        found = self._times.get(prefix)
        if found is not None:
            self._times.move_to_end(prefix)
        return found

    def learnt(self, prefix: str, keys: Iterable[str]) -> dict[str, int]:
        """Keep what the notebook knows of somebody."""
        times = {name: at for at, name in map(sessions.paced, keys)}
        self._times[prefix] = times
        while len(self._times) > PEOPLE_MAX:
            self._times.popitem(last=False)
        return times


@dataclass(frozen=True, slots=True)
class House:
    """The provider, its clock, where its chance comes from, and what it counts."""

    provider: Provider
    clock: Clock
    ids: IdSource
    pace: Pace = field(default_factory=Pace)

    @property
    def now(self) -> Instant:
        """The time, for people."""
        return self.clock.now()

    def policy(self, seller: str) -> Policy:
        """Give the policy of a seller's payments."""
        found = self.provider.sellers.get(seller)
        return found.policy if found and found.policy else self.provider.policy

    def seller(self, name: str) -> Seller | None:
        """Give a seller by its id."""
        return self.provider.sellers.get(name)

    def token(self, text: str) -> Talk[str]:
        """Have the device make a token: the same one each time. Raises Failed."""
        answer = yield Exchange(Party.DEVICE, Tokenize(Secret(f"webinos\0{text}")))
        if not isinstance(answer, Tokenized):
            raise Failed(NO_KEY)
        return answer.token

    def sealed(self, plain: Secret[str]) -> Talk[str]:
        """Have the device seal something. Raises Failed."""
        answer = yield Exchange(Party.DEVICE, Seal(plain))
        if not isinstance(answer, Sealed):
            raise Failed(NO_KEY)
        return answer.sealed

    def unsealed(self, sealed: str) -> Talk[Secret[str]]:
        """Have the device open what it sealed. Raises Failed."""
        answer = yield Exchange(Party.DEVICE, Unseal(sealed))
        if not isinstance(answer, Unsealed):
            raise Failed(NO_KEY)
        return answer.plain

    def signed(self, claims: Mapping[str, Any]) -> Talk[str]:
        """Have the device sign claims. Raises Failed."""
        answer = yield Exchange(Party.DEVICE, Sign(claims))
        if not isinstance(answer, Signed):
            raise Failed(NO_KEY)
        return answer.proof

    def client_token(self, payment: str) -> Talk[Secret[str]]:
        """Give the credential of a payment's page. It follows from the device's key."""
        token = yield from self.token(f"client\0{payment}")
        return Secret(f"ct_{token}")

    def confirm_token(self, challenge: str) -> Talk[Secret[str]]:
        """Give the credential of a url challenge's page."""
        token = yield from self.token(f"confirm\0{challenge}")
        return Secret(token)


def equal(shown: str, right: str) -> bool:
    """Compare without telling by the time how much is right; nothing opens nothing."""
    return hmac.compare_digest(shown.encode(), right.encode()) and bool(right)
