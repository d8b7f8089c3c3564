"""The card a consumer pays with: host card emulation (seed 000, Architecture Overview)."""

from dataclasses import dataclass

from tollbridge.ground.secret import Secret, mask_number


@dataclass(frozen=True, slots=True)
class HceCard:
    """Card details. They go to the payment provider only, never to a producer.

    `exp_year` has four digits; `kind` is the provider's type of payment method.
    """

    first_name: str
    last_name: str
    exp_month: int
    exp_year: int
    number: Secret[str]
    cvc: Secret[str]
    kind: str = "Card"

    @property
    def holder(self) -> str:
        """The name on it."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def masked_number(self) -> str:
        """What may be shown of the number."""
        return mask_number(self.number.reveal())
