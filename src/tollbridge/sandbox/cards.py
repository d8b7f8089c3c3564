"""The test cards: numbers every payment developer knows, and what their issuers do with them.

Sources: the published test cards of Stripe, Adyen and Worldpay. Two numbers are our own, because
their schemes publish none: girocard, and TWINT, whose QR codes carry no card number at all (its
number begins with 9756, a place for Swiss numbers that no card scheme has). No other number is
ever approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tollbridge.core.brands import BY_NAME, Brand, brand_of


@dataclass(frozen=True, slots=True)
class TestCard:
    """One plastic card and the account behind it.

    `account` names it without its number. `limit_minor` is the credit line or balance in minor
    units of any currency (None: without limit). `code` is the response code its issuer always
    gives, `refund_code` the one a refund ends with, some time later. `pin` is its right PIN.

    `verification` is what its issuer insists on where the card is present: "online_pin" a PIN it
    can check itself, "sca_online_pin" and "sca_offline_pin" strong customer authentication;
    "offline_pin" is the chip's own business, and "none" leaves it to the terminal. `verifications`
    are the cardholder verification methods on the card itself, in the order it prefers them:
    online_pin, offline_pin, signature, none.

    `entries` is how it can be read. `currency` is the one it is billed in, `language` its holder's
    (ISO 639-1, "" where the card does not say).
    """

    number: str
    account: str
    brand_name: str = ""
    kind: str = "credit"
    limit_minor: int | None = None
    code: str = "00"
    refund_code: str = "00"
    pin: str = "1234"
    verification: str = "none"
    entries: tuple[str, ...] = ("chip", "contactless", "magstripe", "online")
    currency: str = "EUR"
    language: str = ""
    verifications: tuple[str, ...] = ("online_pin", "signature", "none")
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def brand(self) -> Brand:
        """The brand on the card."""
        named = BY_NAME.get(self.brand_name) or brand_of(self.number)
        assert named is not None, "every test card has a brand"
        return named


DEBIT_MINOR = 100_000
PREPAID_MINOR = 10_000
_PLASTIC = ("chip", "contactless")
_PIN_ONLY = ("online_pin",)
_PIN = ("online_pin", "none")

CARDS: tuple[TestCard, ...] = (
    TestCard("4242424242424242", "visa"),
    TestCard("4000056655665556", "visa-debit", "Visa Debit", "debit", DEBIT_MINOR),
    TestCard("5555555555554444", "mastercard"),
    TestCard("5200828282828210", "mastercard-debit", "Mastercard Debit", "debit", DEBIT_MINOR,
             currency="USD"),
    TestCard("5105105105105100", "mastercard-prepaid", kind="prepaid", limit_minor=PREPAID_MINOR,
             currency="USD"),
    TestCard("378282246310005", "amex"),
    TestCard("371449635398431", "amex-2", currency="USD"),
    TestCard("6011111111111117", "discover", currency="USD"),
    TestCard("6011000990139424", "discover-2", currency="USD"),
    TestCard("3056930009020004", "diners"),
    TestCard("36227206271667", "diners-14"),
    TestCard("3566002020360505", "jcb", currency="JPY", language="ja"),
    TestCard("6200000000000005", "unionpay", currency="CNY", language="zh"),
    TestCard("4506445006931933", "interac", kind="debit", limit_minor=DEBIT_MINOR, currency="CAD",
             language="en", verifications=_PIN),
    TestCard("6280000360000978", "eftpos", kind="debit", limit_minor=DEBIT_MINOR, currency="AUD",
             language="en", verifications=_PIN),
    TestCard("4000050360000001", "eftpos-visa", "Visa Debit", "debit", DEBIT_MINOR,
             currency="AUD", language="en", verifications=_PIN),
    TestCard("5555050360000080", "eftpos-mastercard", "Mastercard Debit", "debit", DEBIT_MINOR,
             currency="AUD", language="en", verifications=_PIN),
    TestCard("4001007020000002", "visa-offline-pin", verification="offline_pin",
             verifications=("offline_pin",)),
    TestCard("4001000360000005", "visa-online-pin", verification="online_pin",
             verifications=_PIN_ONLY),
    TestCard("4000008260000075", "visa-sca-offline", verification="sca_offline_pin",
             verifications=("offline_pin", "none")),
    TestCard("4000002760000008", "visa-sca-online", verification="sca_online_pin",
             verifications=_PIN),
    TestCard("4000000000000002", "visa-declined", code="05"),
    TestCard("4000000000009995", "visa-no-funds", code="51", limit_minor=0),
    TestCard("4000000000009987", "visa-lost", code="41"),
    TestCard("4000000000009979", "visa-stolen", code="43"),
    TestCard("4000000000000069", "visa-expired", code="54"),
    TestCard("4000000000000119", "visa-error", code="96"),
    TestCard("4000000000005126", "visa-refund-fails", refund_code="05"),
    TestCard("5413330089099999", "mastercard-pin", verification="offline_pin",
             verifications=("offline_pin", "online_pin")),
    TestCard("6799998900000099990", "maestro", kind="debit", limit_minor=DEBIT_MINOR,
             verifications=("online_pin", "offline_pin", "none")),
    TestCard("5413330089020037", "mastercard-magstripe", entries=("magstripe",),
             verifications=("signature",)),
    TestCard("4444333322221111", "visa-2"),
    TestCard("4000008260000000", "visa-uk", currency="GBP", language="en"),
    TestCard("4000003920000003", "visa-japan", currency="JPY", language="ja"),
    TestCard("4000007560000009", "visa-switzerland", currency="CHF", language="de"),
    TestCard("4000006160000005", "visa-poland", currency="PLN", language="pl"),
    TestCard("6759649826438453", "maestro-signature", kind="debit", limit_minor=DEBIT_MINOR,
             entries=("chip", "magstripe"), currency="GBP", language="en",
             verifications=("signature",)),
    TestCard("6720000000000000007", "girocard", kind="debit", limit_minor=DEBIT_MINOR,
             entries=_PLASTIC, language="de", verifications=_PIN),
    TestCard("6703444444444449", "bancontact", kind="debit", limit_minor=DEBIT_MINOR,
             entries=(*_PLASTIC, "online"), language="nl", verifications=_PIN),
    TestCard("9756000000000007", "twint", "TWINT", "debit", DEBIT_MINOR, entries=("qr",),
             currency="CHF", language="de", verifications=("none",)),
)  # fmt: skip

BY_NUMBER = {card.number: card for card in CARDS}
BY_ACCOUNT = {card.account: card for card in CARDS}


def described(card: TestCard) -> dict[str, Any]:
    """Give what lists of cards say of one."""
    return {
        "number": card.number,
        "account": card.account,
        "brand": card.brand.name,
        "application_id": card.brand.application_id,
        "kind": card.kind,
        "code": card.code,
        "limit_minor": card.limit_minor,
        "pin": card.pin,
        "verification": card.verification,
        "verifications": card.verifications,
        "entries": card.entries,
        "currency": card.currency,
        "language": card.language,
    }
