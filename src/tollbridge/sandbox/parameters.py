"""The parameters terminals fetch: tables whose names are those of a terminal's own settings.

What they mean is the terminal's business; here they are objects of JSON, for one terminal or for
all. A terminal gets what was set for it, else what was set for all, else the defaults: one of
these, never a mixture.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

BYTES_MAX = 32 * 1024
NAME_LETTERS_MAX = 200

RATES = {
    "USD": "1.1000",
    "GBP": "0.8500",
    "CHF": "0.9500",
    "PLN": "4.3000",
    "JPY": "165.00",
}
"""Units for one euro, the mark-up within. They are fictional, and stay as they are."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "payment": {
        "shop": {
            "name": "Tollbridge Corner Shop",
            "address": "Bridge Street 1",
            "zip_code": "1000",
            "city": "Sampleton",
            "country": "BE",
        },
        "dcc": {"provider": "Sandbox Exchange", "markup_percent": "3.0", "rates": RATES},
    },
    "acquirer": {"acquirers": [{"id": "SANDBOX", "terminal_id": "SBX00001", "brands": []}]},
}
"""What terminals get of each kind where nothing was set."""


def read(body: bytes) -> dict[str, Any]:
    """Read tables. Raises ValueError, or a DecodeError when they are no object of JSON."""
    if len(body) > BYTES_MAX:
        raise ValueError(f"parameters have at most {BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except RecursionError:
        raise ValueError("parameters are nested too deeply") from None
