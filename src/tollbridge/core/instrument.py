"""What a payment is made with. The secret part lives in memory only; the view may be written."""

from dataclasses import dataclass
from typing import TypeAlias

from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True)
class InstrumentView:
    """What may be shown and written: brand, masked number, and how the card was read.

    `application_id` is the card application's AID in hexadecimal, `application_label` its label,
    `entry` how it was read (chip, contactless, magstripe, qr, online). `reference` is what the
    provider calls it, kept only where nobody but the merchant can use it and an inquiry needs it.
    """

    brand: str = ""
    masked_number: str = ""
    application_id: str = ""
    application_label: str = ""
    entry: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A card number as presented. `expiry` is YYMM, `pin` what the issuer shall verify."""

    number: Secret[str]
    view: InstrumentView
    expiry: Secret[str] | None = None
    security_code: Secret[str] | None = None
    pin: Secret[str] | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A provider's name for a stored instrument (what the verb `store` answers), or for what a
    customer approved at the provider."""

    token: Secret[str]
    view: InstrumentView


Instrument: TypeAlias = Card | Token
