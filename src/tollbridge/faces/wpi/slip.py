"""A slip: all that a receipt says about one exchange, kept so that it can be printed again.

Who prints it (merchant, shop, terminal) stands in the profile, how it looks in `receipt.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from tollbridge.wire import json


@dataclass(slots=True, kw_only=True)
class Slip:
    """One receipt, as it becomes. Amounts are minor units of `currency`; "" and None leave a line
    out.

    `kind` is "transaction", "day_end" or "configuration". `at` is extended ISO 8601 with a numeric
    offset, in the terminal's time zone. `language` is the cardholder's, "" for the terminal's.
    Not `approved` with a `code` (the host's) or `offline` was declined; with neither it was not
    completed, and `text` says why to the clerk. `amount_minor` is what was or would have been
    authorized, with the tip in it. `brand` finds the acquirer. `cryptogram` begins with its kind
    ("ARQC 61BC…"). `entry` and `verification` are our words (chip, contactless, …; online_pin,
    offline_pin, signature, device, none). `signature_wanted` asks for a line to sign on;
    `signature` is an SVG path in a box of 300 by 100, once the cardholder signed on the screen.
    `dcc` has currency, amount_minor, rate (foreign units for a local one), markup_percent and
    provider, and ecb_percent where it is not the profile's. `totals` are those of a day-end, one
    mapping of brand, currency, count and amount_minor each; `lines` the text of a configuration
    receipt.
    """

    kind: str = "transaction"
    service: str
    at: str = ""
    approved: bool = True
    offline: bool = False
    code: str = ""
    text: str = ""
    language: str = ""
    operation: str = ""
    reference: str = ""
    merchant_reference: str = ""
    currency: str = ""
    amount_minor: int | None = None
    tip_minor: int | None = None
    dcc: Mapping[str, Any] | None = None
    brand: str = ""
    masked_number: str = ""
    card_read: bool = False
    application_id: str = ""
    application_label: str = ""
    entry: str = ""
    verification: str = ""
    cryptogram: str = ""
    sequence: str = ""
    token: str = ""
    authorization_code: str = ""
    identification: bool = False
    signature_wanted: bool = False
    signature: str = ""
    product_records: list[Any] | None = None
    period: str = ""
    totals: list[Any] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def written(self) -> dict[str, Any]:
        """Give the slip as JSON, without what is left out."""
        found = zip(_NAMES, _values(self), strict=True)
        return {name: value for name, value in found if value or value is False or value == 0}


_NAMES = tuple(item.name for item in fields(Slip))
_values = attrgetter(*_NAMES)


def read(value: Mapping[str, Any]) -> Slip:
    """Read what `Slip.written` gave."""
    return Slip(**value)


def read_text(value: bytes) -> Slip:
    """Read a slip from a page of the notebook."""
    return read(json.read_object(value, what="slip"))
