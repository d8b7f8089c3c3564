"""What a merchant's server needs to believe nothing a browser says.

    from tollbridge.merchant import Merchant

    with Merchant("https://pay.example", secret_key="sk_…", notices_key="whsec_…") as merchant:
        bought = merchant.verify(proof)  # asks the provider; raises NotProven
        if bought.pays("25.96", "EUR", "B-1"):
            ship(bought)

`check(proof)` needs no provider, but its public keys once; `notice(headers, body)` reads what the
provider posts by itself. `AsyncMerchant` does the same for programs that await.
"""

from tollbridge.merchant.blocking import Merchant
from tollbridge.merchant.client import AsyncMerchant
from tollbridge.merchant.errors import (
    MerchantError,
    NotHeard,
    NotProven,
    ProviderRefused,
    ProviderUnreachable,
)
from tollbridge.merchant.results import Claims, Notice, Purchase

__all__ = [
    "AsyncMerchant",
    "Claims",
    "Merchant",
    "MerchantError",
    "NotHeard",
    "NotProven",
    "Notice",
    "ProviderRefused",
    "ProviderUnreachable",
    "Purchase",
]
