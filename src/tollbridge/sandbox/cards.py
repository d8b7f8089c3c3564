"""The test cards: numbers every payment developer knows, and what their issuers do with them.

Sources: the published test cards of Stripe and Adyen. No other number is ever approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tollbridge.core.brands import BY_NAME, Brand, brand_of


@dataclass(frozen=True, slots=True)
class TestCard:
    """One plastic card and the account behind it.

    `account` names it without its number. `limit_minor` is the credit line or balance in minor
    units of any currency (None: without limit). `code` is the response code its issuer always
    gives, `refund_code` the one a refund ends with, some time later. `pin` is its right PIN.

    `verification` is what its issuer insists on where the card is present: "online_pin" a PIN it
    can check itself, "sca_online_pin" and "sca_offline_pin" strong customer authentication;
    "offline_pin" is the chip's own business, and "none" leaves it to the terminal.
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
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def brand(self) -> Brand:
        """The brand on the card."""
        named = BY_NAME.get(self.brand_name) or brand_of(self.number)
        assert named is not None, "every test card has a brand"
        return named


DEBIT_MINOR = 100_000
PREPAID_MINOR = 10_000

CARDS: tuple[TestCard, ...] = (
    TestCard("4242424242424242", "visa"),
    TestCard("4000056655665556", "visa-debit", "Visa Debit", "debit", DEBIT_MINOR),
    TestCard("5555555555554444", "mastercard"),
    TestCard("5200828282828210", "mastercard-debit", "Mastercard Debit", "debit", DEBIT_MINOR),
    TestCard("5105105105105100", "mastercard-prepaid", kind="prepaid", limit_minor=PREPAID_MINOR),
    TestCard("378282246310005", "amex"),
    TestCard("371449635398431", "amex-2"),
    TestCard("6011111111111117", "discover"),
    TestCard("6011000990139424", "discover-2"),
    TestCard("3056930009020004", "diners"),
    TestCard("36227206271667", "diners-14"),
    TestCard("3566002020360505", "jcb"),
    TestCard("6200000000000005", "unionpay"),
    TestCard("4506445006931933", "interac", kind="debit", limit_minor=DEBIT_MINOR),
    TestCard("6280000360000978", "eftpos", kind="debit", limit_minor=DEBIT_MINOR),
    TestCard("4000050360000001", "eftpos-visa", "Visa Debit", "debit", DEBIT_MINOR),
    TestCard("5555050360000080", "eftpos-mastercard", "Mastercard Debit", "debit", DEBIT_MINOR),
    TestCard("4001007020000002", "visa-offline-pin", verification="offline_pin"),
    TestCard("4001000360000005", "visa-online-pin", verification="online_pin"),
    TestCard("4000008260000075", "visa-sca-offline", verification="sca_offline_pin"),
    TestCard("4000002760000008", "visa-sca-online", verification="sca_online_pin"),
    TestCard("4000000000000002", "visa-declined", code="05"),
    TestCard("4000000000009995", "visa-no-funds", code="51", limit_minor=0),
    TestCard("4000000000009987", "visa-lost", code="41"),
    TestCard("4000000000009979", "visa-stolen", code="43"),
    TestCard("4000000000000069", "visa-expired", code="54"),
    TestCard("4000000000000119", "visa-error", code="96"),
    TestCard("4000000000005126", "visa-refund-fails", refund_code="05"),
    TestCard("5413330089099999", "mastercard-pin", verification="offline_pin"),
    TestCard("6799998900000099990", "maestro", kind="debit", limit_minor=DEBIT_MINOR),
    TestCard("5413330089020037", "mastercard-magstripe", entries=("magstripe",)),
    TestCard("4444333322221111", "visa-2"),
)

BY_NUMBER = {card.number: card for card in CARDS}
BY_ACCOUNT = {card.account: card for card in CARDS}
