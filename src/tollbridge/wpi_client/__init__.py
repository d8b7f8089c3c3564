"""For tills: the Worldline Payment Interface from the business application's side.

    from tollbridge.wpi_client import BlockingWpiClient

docs/how-to/point-of-sale.md shows how; names are imported when they are asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge.ground.money import Money
    from tollbridge.wpi_client.blocking import BlockingWpiClient
    from tollbridge.wpi_client.client import WpiClient
    from tollbridge.wpi_client.errors import (
        Misanswered,
        NotExecuted,
        OutcomeUnknown,
        RecoverFirst,
        Unreachable,
        WpiError,
    )
    from tollbridge.wpi_client.journal import Contradiction
    from tollbridge.wpi_client.options import Options
    from tollbridge.wpi_client.results import (
        BrandInformation,
        CardUsed,
        Exchange,
        Fate,
        Information,
        ManagementResult,
        Receipt,
        RecognitionResult,
        TransactionResult,
    )

_PLACES = {
    "ground.money": ("Money",),
    "wpi_client.blocking": ("BlockingWpiClient",),
    "wpi_client.client": ("WpiClient",),
    "wpi_client.errors": ("Misanswered", "NotExecuted", "OutcomeUnknown", "RecoverFirst",
                          "Unreachable", "WpiError"),
    "wpi_client.journal": ("Contradiction",),
    "wpi_client.options": ("Options",),
    "wpi_client.results": ("BrandInformation", "CardUsed", "Exchange", "Fate", "Information",
                           "ManagementResult", "Receipt", "RecognitionResult",
                           "TransactionResult"),
}  # fmt: skip
_ROOM_OF = {name: room for room, names in _PLACES.items() for name in names}

__all__ = [
    "BlockingWpiClient",
    "BrandInformation",
    "CardUsed",
    "Contradiction",
    "Exchange",
    "Fate",
    "Information",
    "ManagementResult",
    "Misanswered",
    "Money",
    "NotExecuted",
    "Options",
    "OutcomeUnknown",
    "Receipt",
    "RecognitionResult",
    "RecoverFirst",
    "TransactionResult",
    "Unreachable",
    "WpiClient",
    "WpiError",
]


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"tollbridge.wpi_client has no {name}")
    return getattr(import_module(f"tollbridge.{room}"), name)
