"""Card brands: their application identifiers (AID) and issuer number ranges.

Public facts of the card schemes; the number ranges serve to name a card, never to route it.
"""

from dataclasses import dataclass
from functools import lru_cache

PREFIX_DIGITS = 7
"""As many digits as the longest range has; fewer than PCI DSS lets anybody see."""


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand as receipts name it.

    `application_id` is the main AID in hexadecimal ("" for brands without a card application),
    `ranges` the beginnings of its numbers as inclusive pairs of equally long prefixes.
    """

    name: str
    application_id: str
    label: str
    ranges: tuple[tuple[str, str], ...] = ()


BRANDS: tuple[Brand, ...] = (
    Brand("Interac", "A0000002771010", "INTERAC", (("4506445", "4506445"),)),
    Brand("eftpos", "A00000038410", "EFTPOS", (("628000", "628000"),)),
    Brand("Visa", "A0000000031010", "VISA CREDIT", (("4", "4"),)),
    Brand("Visa Debit", "A0000000031010", "VISA DEBIT"),
    Brand("Visa Electron", "A0000000032010", "VISA ELECTRON"),
    Brand("V PAY", "A0000000032020", "V PAY"),
    Brand("Plus", "A0000000038010", "PLUS"),
    Brand("Mastercard", "A0000000041010", "MASTERCARD", (("51", "55"), ("2221", "2720"))),
    Brand("Mastercard Debit", "A0000000041010", "DEBIT MASTERCARD"),
    Brand("Maestro", "A0000000043060", "MAESTRO", (("50", "50"), ("56", "58"), ("67", "67"))),
    Brand("Maestro US", "A0000000042203", "US MAESTRO"),
    Brand("Cirrus", "A0000000046000", "CIRRUS"),
    Brand("American Express", "A00000002501", "AMERICAN EXPRESS", (("34", "34"), ("37", "37"))),
    Brand("Diners Club", "A0000001523010", "DINERS CLUB", (("300", "305"), ("36", "36"))),
    Brand("Discover", "A0000001523010", "DISCOVER", (("6011", "6011"), ("644", "659"))),
    Brand("Discover Debit", "A0000001524010", "US DEBIT"),
    Brand("JCB", "A0000000651010", "JCB CREDIT", (("3528", "3589"),)),
    Brand("UnionPay", "A000000333010102", "UNIONPAY CREDIT", (("62", "62"),)),
    Brand("UnionPay Debit", "A000000333010101", "UNIONPAY DEBIT"),
    Brand("UnionPay Quasi Credit", "A000000333010103", "UNIONPAY QUASI CREDIT"),
    Brand("Cartes Bancaires", "A0000000421010", "CB"),
    Brand("girocard", "A0000003591010028001", "GIROCARD", (("672", "672"),)),
    Brand("Bancontact", "D056000666111010", "BANCONTACT", (("6703", "6703"),)),
    Brand("PagoBANCOMAT", "A0000001410001", "PAGOBANCOMAT"),
    Brand("BankAxept", "D5780000021010", "BANKAXEPT"),
    Brand("Dankort", "A0000001211010", "DANKORT"),
    Brand("PostFinance", "A0000001110101", "POSTFINANCE CARD"),
    Brand("RuPay", "A0000005241010", "RUPAY", (("60", "60"),)),
    Brand("Troy", "A0000006723010", "TROY CREDIT", (("9792", "9792"),)),
    Brand("Troy Debit", "A0000006723020", "TROY DEBIT"),
    Brand("TWINT", "", "TWINT"),
    Brand("BLIK", "", "BLIK"),
    Brand("Alipay", "", "ALIPAY"),
    Brand("WeChat Pay", "", "WECHAT PAY"),
    Brand("Payconiq", "", "PAYCONIQ"),
)

BY_NAME = {brand.name: brand for brand in BRANDS}


def brand_of(number: str) -> Brand | None:
    """Name the brand a card number belongs to, by the longest range that holds it."""
    return _brand_of(number[:PREFIX_DIGITS])


@lru_cache(maxsize=4096)
def _brand_of(prefix: str) -> Brand | None:
    best: Brand | None = None
    longest = 0
    for brand in BRANDS:
        for low, high in brand.ranges:
            if longest < len(low) and low <= prefix[: len(low)] <= high:
                best, longest = brand, len(low)
    return best
