"""What the examples share: where the payment provider of the bench is, and its test merchant.

Start it with `tollbridge psp serve`; it prints these keys.
"""

import os

from tollbridge.ground.secret import Secret
from tollbridge.within import HceCard

PROVIDER = {
    "psp_name": "worldpayonlinepayments",
    "api_endpoint": os.environ.get("TOLLBRIDGE_PSP_URL", "http://127.0.0.1:8080/v1"),
}
MERCHANT = PROVIDER | {
    "hte_public_key": "T_C_00000000-0000-4000-8000-000000000001",
    "hte_private_key": "T_S_00000000-0000-4000-8000-000000000002",
}
CARD = HceCard("Ada", "Field", 11, 2049, Secret("4444333322221111"), Secret("123"))
