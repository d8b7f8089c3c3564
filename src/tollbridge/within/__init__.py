"""Things: devices that find, pay and serve one another, with sockets and files.

This is its door: what programs of makers need is here, and is imported when it is asked for.
docs/how-to/within.md shows how.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge.faces.within import errors, events
    from tollbridge.faces.within.card import HceCard
    from tollbridge.faces.within.catalogue import Service
    from tollbridge.faces.within.discovery import AddressRules
    from tollbridge.faces.within.messages import (
        Broadcast,
        DeliveryToken,
        Price,
        PricePerUnit,
        ServiceDetails,
        Total,
    )
    from tollbridge.within.blocking import BlockingDevice
    from tollbridge.within.buying import Purse, Wish, buy, cheapest, finish, take
    from tollbridge.within.device import Device
    from tollbridge.within.meter import Meter
    from tollbridge.within.options import Options
    from tollbridge.within.wallet import Purchase, Wallet

_ROOMS = {
    "faces.within.card": ("HceCard",),
    "faces.within.catalogue": ("Service",),
    "faces.within.discovery": ("AddressRules",),
    "faces.within.messages": (
        "Broadcast",
        "DeliveryToken",
        "Price",
        "PricePerUnit",
        "ServiceDetails",
        "Total",
    ),
    "within.blocking": ("BlockingDevice",),
    "within.buying": ("Purse", "Wish", "buy", "cheapest", "finish", "take"),
    "within.device": ("Device",),
    "within.meter": ("Meter",),
    "within.options": ("Options",),
    "within.wallet": ("Purchase", "Wallet"),
}
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = ("errors", "events")

__all__ = [
    "AddressRules",
    "BlockingDevice",
    "Broadcast",
    "DeliveryToken",
    "Device",
    "HceCard",
    "Meter",
    "Options",
    "Price",
    "PricePerUnit",
    "Purchase",
    "Purse",
    "Service",
    "ServiceDetails",
    "Total",
    "Wallet",
    "Wish",
    "buy",
    "cheapest",
    "errors",
    "events",
    "finish",
    "take",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"tollbridge.faces.within.{name}")
    room = _PLACES.get(name)
    if room is None:
        raise AttributeError(f"tollbridge.within has no {name}")
    return getattr(import_module(f"tollbridge.{room}"), name)
