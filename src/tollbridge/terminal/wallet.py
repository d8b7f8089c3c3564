"""The cards of a virtual terminal's cardholders, by name: what a reader sees of each of them.

What pays comes from the sandbox's test cards; the others are here to go wrong.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tollbridge.core.brands import BY_NAME, Brand
from tollbridge.faces.wpi.wishes import (
    CardApplication,
    PinVerified,
    PinWrong,
    PresentCard,
    ReadCard,
    Unreadable,
)
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.cards import BY_ACCOUNT, CARDS, TestCard

PIN = Secret("1234")
"""The PIN of every card that has no other."""
PIN_TRIES = 3
EXPIRY = "3012"
ENTRIES = ("contactless", "chip", "magstripe", "qr", "mifare")
_WITH_CHIP = ("chip", "contactless")


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletCard:
    """One card, phone or tag.

    `name` is what scripts call it, `label` what people do. `entries` are the ways it can be read,
    the cardholder's favourite first. `applications` is empty for what pays nothing: then
    `media_type` names it and `number` is its UID. `trouble` says why it cannot be read, "" for a
    card that can. `look` and `kind` are words for the page (docs/reference/terminal-api.md). What
    the others mean stands at `ReadCard`.
    """

    name: str
    label: str
    number: Secret[str]
    entries: tuple[str, ...] = ("contactless", "chip", "magstripe")
    applications: tuple[CardApplication, ...] = ()
    expiry: str = EXPIRY
    language: str = ""
    currency: str = ""
    verifications: tuple[str, ...] = ("none",)
    device_verified: bool = False
    sequence: str = "01"
    pin: Secret[str] = PIN
    media_type: str = ""
    broken_chip: bool = False
    trouble: str = ""
    look: str = "plain"
    kind: str = "card"

    @property
    def brand(self) -> str:
        """The first brand on it, "" where it has none."""
        return self.applications[0].brand.name if self.applications else ""

    @property
    def masked(self) -> str:
        """What may be shown of its number."""
        number = self.number.reveal()
        return f"UID {number}" if self.media_type else f"**** {number[-4:]}" if number else ""

    def fitting(self, entries: Sequence[str]) -> str:
        """Choose the way it is read at a reader that can do `entries`; "" when none fits."""
        return next((entry for entry in self.entries if entry in entries), "")

    def read(self, wish: PresentCard, entry: str = "") -> ReadCard | Unreadable:
        """Give what a reader sees when the card is presented, by its favourite way that fits, or
        by the favourite one if none does: then the terminal will say so."""
        if self.trouble:
            return Unreadable(self.trouble)
        entry = entry or self.fitting(wish.entries) or self.entries[0]
        return ReadCard(
            number=self.number,
            entry=entry,
            applications=self.applications,
            expiry=Secret(self.expiry) if self.applications else None,
            language=self.language,
            currency=self.currency,
            verifications=self.verifications,
            device_verified=self.device_verified,
            cryptogram=self._cryptogram(wish) if entry in _WITH_CHIP else "",
            sequence=self.sequence if entry in _WITH_CHIP else "",
            tracks=self._tracks() if entry == "magstripe" else (),
            media_type=self.media_type,
            broken_chip=self.broken_chip,
        )

    def _cryptogram(self, wish: PresentCard) -> str:
        """Make an application cryptogram: it covers what is paid."""
        amount = wish.amount
        paid = f"{amount.amount_minor} {amount.currency.code}" if amount else ""
        covered = hashlib.sha256(f"{self.name} {wish.service} {paid}".encode())
        return f"ARQC {covered.hexdigest()[:16].upper()}"

    def _tracks(self) -> tuple[Secret[str], ...]:
        number = self.number.reveal()
        rest = f"{self.expiry}2010000000000"
        return (Secret(f"B{number}^CARDHOLDER/TEST^{rest}"), Secret(f"{number}={rest}"))


class Wallet(Mapping[str, WalletCard]):
    """Cards by name, and what their chips remember: how many PINs were wrong.

    Raises ValueError when it is empty.
    """

    def __init__(self, cards: Iterable[WalletCard]) -> None:
        self._cards = {card.name: card for card in cards}
        if not self._cards:
            raise ValueError("a wallet holds at least one card")
        self.first = next(iter(self._cards.values()))
        self._by_number = {card.number.reveal(): card for card in self._cards.values()}
        self._tries_left: dict[str, int] = {}

    def __getitem__(self, name: str) -> WalletCard:
        return self._cards[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)

    def verify(self, number: Secret[str], pin: Secret[str]) -> PinVerified | PinWrong:
        """Let the chip check a PIN. After three wrong ones in a row it knows no right one any
        more, until this process ends."""
        card = self._by_number.get(number.reveal())
        left = self._tries_left.get(number.reveal(), PIN_TRIES)
        if left and pin == (card.pin if card else PIN):
            self._tries_left.pop(number.reveal(), None)
            return PinVerified()
        left = max(0, left - 1)
        self._tries_left[number.reveal()] = left
        return PinWrong(left)

    def unblock(self, number: Secret[str]) -> None:
        """Let a chip forget the PINs that were wrong."""
        self._tries_left.pop(number.reveal(), None)


def wallet() -> Wallet:
    """Give every card there is, a contactless Visa first."""
    return Wallet((*(_of(card) for card in CARDS), *_special()))


_LABELS = {
    "visa": "Visa contactless",
    "mastercard": "Mastercard contactless",
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "eftpos": "eftpos",
    "girocard": "girocard",
    "visa-2": "Visa, another one",
    "visa-offline-pin": "Visa needs PIN (chip)",
    "visa-online-pin": "Visa needs PIN (online)",
    "visa-sca-offline": "Visa single tap and PIN (chip)",
    "visa-sca-online": "Visa single tap and PIN",
    "visa-no-funds": "Visa without funds",
    "visa-error": "Visa, issuer out of order",
    "visa-refund-fails": "Visa, refunds fail later",
    "mastercard-pin": "Mastercard needs PIN",
    "mastercard-magstripe": "Mastercard without chip",
    "twint": "TWINT",
}
_LOOKS = {
    "Visa": "visa",
    "Visa Debit": "visa",
    "Mastercard": "mastercard",
    "Mastercard Debit": "mastercard",
    "American Express": "amex",
    "Diners Club": "diners",
}
_LOOKING = frozenset({"maestro", "discover", "jcb", "unionpay", "girocard", "bancontact", "interac",
                      "eftpos", "twint"})  # fmt: skip


def look(brand: str) -> str:
    """Name the face of a brand's cards for the page."""
    found = _LOOKS.get(brand, brand.lower())
    return found if found in _LOOKING or found in _LOOKS.values() else "plain"


def application(brand: Brand) -> CardApplication:
    """Give the application of a brand."""
    return CardApplication(brand.application_id, brand.label, brand)


def _of(card: TestCard) -> WalletCard:
    entries = tuple(entry for entry in ENTRIES if entry in card.entries) or card.entries
    return WalletCard(
        name=card.account,
        label=_LABELS.get(card.account) or card.account.replace("-", " ").capitalize(),
        number=Secret(card.number),
        entries=entries,
        applications=(application(card.brand),),
        language=card.language,
        currency=card.currency,
        verifications=card.verifications,
        pin=Secret(card.pin),
        look=look(card.brand.name),
        kind="qr" if entries == ("qr",) else "card",
    )


def _special() -> list[WalletCard]:
    """Make phones, tags, and cards to go wrong with; those that pay share a test card's number."""
    visa, mastercard = _of(BY_ACCOUNT["visa"]), _of(BY_ACCOUNT["mastercard"])
    debit = _of(BY_ACCOUNT["visa-debit"])
    both = (application(BY_NAME["girocard"]), application(BY_NAME["Visa Debit"]))
    dankort = (application(BY_NAME["Dankort"]),)
    return [
        replace(visa, name="phone", label="Phone (device verified)", entries=("contactless",),
                device_verified=True, look="phone", kind="phone"),
        replace(_of(BY_ACCOUNT["visa-2"]), name="visa-us", label="US Visa (pays in dollars)",
                currency="USD", language="en"),
        replace(debit, name="two-applications", label="Two applications (girocard and Visa)",
                entries=("chip", "contactless"), applications=both, look="girocard"),
        replace(mastercard, name="broken-chip", label="Broken chip (must be swiped)",
                entries=("chip", "magstripe"), broken_chip=True),
        replace(visa, name="not-accepted", label="Not accepted here (Dankort)",
                number=Secret("5019717010103742"), applications=dankort, look="plain"),
        WalletCard(name="unreadable", label="Unreadable card", number=Secret(""), entries=ENTRIES,
                   trouble="the card could not be read", kind="trouble"),
        WalletCard(name="two-cards", label="Two cards in the field", number=Secret(""),
                   entries=("contactless",), kind="trouble",
                   trouble="there is more than one card in the field; present one"),
        WalletCard(name="mifare-ultralight", label="MIFARE Ultralight", entries=("mifare",),
                   number=Secret("04A1B2C3D4E580"), media_type="MIFARE Ultralight",
                   look="mifare", kind="transit"),
        WalletCard(name="mifare-classic", label="MIFARE Classic", entries=("mifare",),
                   number=Secret("9A3B5C7D"), media_type="MIFARE Classic",
                   look="mifare", kind="transit"),
    ]  # fmt: skip
