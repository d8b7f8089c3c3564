"""What a terminal says to the people at it and to its own hardware, and what it hears.

One conversation, several drivers: a browser, a script, a real card reader. Everything said is a
`Saying`; each wish names the answers that fit it, and a person may always answer Cancelled,
TimedOut or Aborted instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tollbridge.core.brands import Brand
from tollbridge.faces.contract import (
    Seal,
    Sealed,
    SecureFault,
    Tokenize,
    Tokenized,
    Unseal,
    Unsealed,
)
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.faces.wpi.slip import Slip
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One thing a terminal says.

    `language` is that of the person addressed (ISO 639-1). After `limit_s` seconds without an
    answer the driver answers TimedOut. `dictated` is the answer a scenario wants: the driver shows
    the wish all the same, and then answers with it.
    """

    terminal: str
    wish: "Wish"
    language: str = "en"
    limit_s: float = 60.0
    dictated: "Answer | None" = None


# To the cardholder


class Hint(StrEnum):
    """Why a card is asked for in another way, or again."""

    NONE = ""
    INSERT = "insert"
    """Contactless is not enough for this: insert the card."""
    SWIPE = "swipe"
    """The chip cannot be read: swipe the card."""
    AGAIN = "again"
    """Present the card again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentCard:
    """Please present a card. Answers: ReadCard, Unreadable, or those of every person.

    `amount` is None when a card is only to be recognised. `entries` are the ways it may be read:
    chip, contactless, magstripe, qr, mifare.
    """

    service: str
    amount: Money | None
    entries: tuple[str, ...]
    hint: Hint = Hint.NONE


@dataclass(frozen=True, slots=True)
class ChooseApplication:
    """Which application of the card shall be used? Answer: Chosen, with a place in `labels`."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterPin:
    """Please enter the PIN. Answer: PinEntered.

    `wrong` says that the last one was; `tries_left` is None when only the issuer knows.
    """

    amount: Money | None
    online: bool
    wrong: bool = False
    tries_left: int | None = None


@dataclass(frozen=True, slots=True)
class AddTip:
    """Is there a tip? Answer: TipAdded. `percents` are offered, `most_minor` is the limit."""

    amount: Money
    percents: tuple[int, ...]
    most_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseCurrency:
    """Dynamic currency conversion: pay in which currency? There is no default.

    Answer: CurrencyChosen. `rate` is foreign units for one local unit and `markup_percent` what of
    it is the provider's, both as decimal texts; `provider` converts.
    """

    local: Money
    foreign: Money
    rate: str
    markup_percent: str
    provider: str


@dataclass(frozen=True, slots=True)
class ChooseLanguage:
    """Which language? Answer: LanguageChosen."""

    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """Please sign on the screen. Answer: Signed."""

    amount: Money


class Topic(StrEnum):
    """What a screen may tell without asking."""

    PROCESSING = "processing"
    REMOVE_CARD = "remove_card"
    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to show; it is answered with None at once. `text` is for the merchant."""

    topic: Topic
    amount: Money | None = None
    text: str = ""


# To the merchant


@dataclass(frozen=True, slots=True)
class EnterPassword:
    """Please enter the merchant's password. Answer: PasswordEntered. `tries_left` includes this
    one; `wrong` says that the last one was wrong."""

    tries_left: int
    wrong: bool = False


class MenuItem(StrEnum):
    """What the terminal's own menu offers (4.3.1)."""

    TOTALS = "totals"
    REPRINT = "reprint"
    DAY_END = "day_end"
    PAYMENT_PARAMETERIZATION = "payment_parameterization"
    ACQUIRER_PARAMETERIZATION = "acquirer_parameterization"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class ShowMenu:
    """The menu. Answer: MenuChosen. `said` is what the last choice came to, as lines."""

    items: tuple[MenuItem, ...]
    said: tuple[str, ...] = ()


# To the device itself


@dataclass(frozen=True, slots=True)
class Begin:
    """An exchange begins; answered with the Scenario set for it, or None."""

    service: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class VerifyPin:
    """Let the card in the reader check a PIN. Answers: PinVerified, PinWrong."""

    pin: Secret[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """Print receipts. Answers: Printed, PrinterFault. `copies` are "merchant", "client"; the texts
    of both are in `texts`."""

    slip: Slip
    copies: tuple[str, ...]
    texts: Mapping[str, str]
    duplicate: bool = False


class Parameters(StrEnum):
    """What a management system holds for a terminal (4.3.3, 4.3.4)."""

    PAYMENT = "payment"
    ACQUIRER = "acquirer"


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get parameters from the management system. Answers: Fetched, FetchFault."""

    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take back what is being asked: whoever is asked answers Aborted. Answered with None."""


Wish = (
    PresentCard
    | ChooseApplication
    | EnterPin
    | AddTip
    | ChooseCurrency
    | ChooseLanguage
    | Sign
    | Notice
    | EnterPassword
    | ShowMenu
    | Begin
    | VerifyPin
    | Tokenize
    | Seal
    | Unseal
    | Print
    | Fetch
    | Withdraw
)


# Answers of every person


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person pressed stop."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nobody did anything in time."""


@dataclass(frozen=True, slots=True)
class Aborted:
    """The business application asked for an abort."""


# Answers to a particular wish


@dataclass(frozen=True, slots=True)
class CardApplication:
    """One payment application of a card: its AID in hexadecimal, its label, and its brand."""

    application_id: str
    label: str
    brand: Brand


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCard:
    """A card, and how it was read.

    `applications` is empty for a card that pays nothing; then `media_type` names it and `number` is
    its UID. `verifications` are the cardholder verification methods of the card in the order it
    prefers them (online_pin, offline_pin, signature, none); `device_verified` says that a phone
    verified its owner. `language` is the cardholder's (ISO 639-1, "" unknown), `currency` the one
    the card is billed in ("" unknown). `tracks` are those of a magnetic stripe, 1 to 3. `stays`
    says that the card is left in the reader. `broken_chip` says that a chip is on the card, and
    cannot be read.
    """

    number: Secret[str]
    entry: str
    applications: tuple[CardApplication, ...] = ()
    expiry: Secret[str] | None = None
    language: str = ""
    currency: str = ""
    verifications: tuple[str, ...] = ("none",)
    device_verified: bool = False
    cryptogram: str = ""
    sequence: str = ""
    tracks: tuple[Secret[str], ...] = ()
    media_type: str = ""
    broken_chip: bool = False
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The card could not be read; `why` is for the merchant."""

    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A place in what was offered, from 0."""

    place: int


@dataclass(frozen=True, slots=True)
class PinEntered:
    """A PIN."""

    pin: Secret[str]


@dataclass(frozen=True, slots=True)
class PinVerified:
    """The card knows the PIN."""


@dataclass(frozen=True, slots=True)
class PinWrong:
    """The card does not know the PIN; with no tries left it is blocked."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class TipAdded:
    """A tip in minor units; 0 for none."""

    amount_minor: int


@dataclass(frozen=True, slots=True)
class CurrencyChosen:
    """An ISO 4217 alpha code: one of the two that were offered."""

    code: str


@dataclass(frozen=True, slots=True)
class LanguageChosen:
    """An ISO 639-1 code."""

    language: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as an SVG path in a box of 300 by 100."""

    path: str


@dataclass(frozen=True, slots=True)
class PasswordEntered:
    """The merchant's password, as entered."""

    password: Secret[str]


@dataclass(frozen=True, slots=True)
class MenuChosen:
    """What the merchant chose."""

    item: MenuItem


@dataclass(frozen=True, slots=True)
class Printed:
    """It is on paper."""


@dataclass(frozen=True, slots=True)
class PrinterFault:
    """It is not: "paper_empty", "defect", or "none" where there is no printer."""

    why: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """Parameters, as the management system gives them."""

    tables: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FetchFault:
    """No parameters: the management system was not reached, did not answer in time (`late`), or
    gave nonsense (`why` says what)."""

    why: str
    late: bool = False


Answer = (
    Cancelled
    | TimedOut
    | Aborted
    | ReadCard
    | Unreadable
    | Chosen
    | PinEntered
    | PinVerified
    | PinWrong
    | TipAdded
    | CurrencyChosen
    | LanguageChosen
    | Signed
    | PasswordEntered
    | MenuChosen
    | Tokenized
    | Sealed
    | Unsealed
    | SecureFault
    | Printed
    | PrinterFault
    | Fetched
    | FetchFault
    | Scenario
)
