"""What every flow of the face is handed, and the few things it asks of its device."""

import hmac
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from tollbridge.faces.contract import (
    Seal,
    Sealed,
    Tokenize,
    Tokenized,
    Unseal,
    Unsealed,
)
from tollbridge.faces.webinos.outcome import Failed, charge
from tollbridge.faces.webinos.settings import Policy, Provider, Seller
from tollbridge.faces.webinos.wishes import Sign, Signed
from tollbridge.ground.clock import Clock, Instant
from tollbridge.ground.flow import Exchange, Party
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

T = TypeVar("T")
Talk: TypeAlias = Generator[Any, Any, T]
NO_KEY = charge("system_error", "The provider has no keys just now; try again.", retry=True)


@dataclass(frozen=True, slots=True)
class House:
    """The provider, its clock and where its chance comes from."""

    provider: Provider
    clock: Clock
    ids: IdSource

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
