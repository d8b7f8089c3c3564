"""The people at the terminal, played by a script: for tests, and for a terminal without a screen.

A script is a list of behaviours used up in order; when it is empty, the cardholder presents the
first card and the merchant knows the password.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tollbridge.core.brands import Brand
from tollbridge.faces.wpi.messages import (
    Cancelled,
    PasswordEntered,
    PasswordWanted,
    Presentation,
    Presented,
    TimedOut,
    Unreadable,
)
from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True)
class WalletCard:
    """A card in the cardholder's wallet."""

    name: str
    number: Secret[str]
    brand: Brand
    entry: str = "contactless"
    language: str = ""

    def presented(self, wish: Presentation) -> Presented:
        """Present the card; its cryptogram covers what is paid."""
        covered = f"{self.name} {wish.purpose} {wish.amount_minor} {wish.currency}"
        cryptogram = hashlib.sha256(covered.encode()).hexdigest()[:16].upper()
        return Presented(
            number=self.number,
            brand=self.brand.name,
            application_id=self.brand.application_id,
            application_label=self.brand.label,
            entry=self.entry,
            language=self.language,
            cryptogram=f"ARQC {cryptogram}",
        )


Behaviour = str | Cancelled | TimedOut | Unreadable
"""The name of a card to present, or what goes wrong instead."""


class Script:
    """A cardholder with a wallet, and a merchant with a password."""

    def __init__(self, wallet: Sequence[WalletCard], password: Secret[str] | None = None) -> None:
        self._wallet = {card.name: card for card in wallet}
        self._first = wallet[0].name
        self._password = password
        self._behaviours: deque[Behaviour] = deque()
        self._passwords: deque[Secret[str] | Cancelled | TimedOut] = deque()

    def will(self, behaviours: Iterable[Behaviour]) -> None:
        """Append to what the cardholder will do. Raises KeyError for a card not in the wallet."""
        for behaviour in behaviours:
            if isinstance(behaviour, str):
                self._wallet[behaviour]
            self._behaviours.append(behaviour)

    def will_enter(self, passwords: Iterable[Secret[str] | Cancelled | TimedOut]) -> None:
        """Append to what the merchant will enter."""
        self._passwords.extend(passwords)

    def cardholder(self, message: object) -> object:
        """Answer a message to the cardholder."""
        assert isinstance(message, Presentation)
        behaviour = self._behaviours.popleft() if self._behaviours else self._first
        if isinstance(behaviour, str):
            return self._wallet[behaviour].presented(message)
        return behaviour

    def merchant(self, message: object) -> object:
        """Answer a message to the merchant."""
        assert isinstance(message, PasswordWanted)
        if self._passwords:
            entered = self._passwords.popleft()
            return PasswordEntered(entered) if isinstance(entered, Secret) else entered
        return PasswordEntered(self._password or Secret(""))
