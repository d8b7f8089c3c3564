"""Things: devices that find, pay and serve one another, with sockets and files.

This is the door for makers of devices: `Device` has the calls of Worldpay Within, `buy` and `take`
go through all of them. Names are imported when they are asked for; `tollbridge[within]` brings what
they need. docs/how-to/within.md shows how.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge.faces.within import errors, events
    from tollbridge.faces.within.card import HceCard
    from tollbridge.faces.within.catalogue import Service
    from tollbridge.faces.within.messages import Broadcast, Price, PricePerUnit, Total
    from tollbridge.within.blocking import BlockingDevice
    from tollbridge.within.buying import Purse, Wish, buy, cheapest, find_again, finish, take
    from tollbridge.within.cards import Vault
    from tollbridge.within.consumer import Consumer
    from tollbridge.within.device import Device
    from tollbridge.within.finding import discover, search, watch
    from tollbridge.within.meter import Meter
    from tollbridge.within.options import Options
    from tollbridge.within.wallet import Purchase, Wallet

_PLACES = {
    "faces.within": ("errors", "events"),
    "faces.within.card": ("HceCard",),
    "faces.within.catalogue": ("Service",),
    "faces.within.messages": ("Broadcast", "Price", "PricePerUnit", "Total"),
    "within.blocking": ("BlockingDevice",),
    "within.buying": ("Purse", "Wish", "buy", "cheapest", "find_again", "finish", "take"),
    "within.cards": ("Vault",),
    "within.consumer": ("Consumer",),
    "within.device": ("Device",),
    "within.finding": ("discover", "search", "watch"),
    "within.meter": ("Meter",),
    "within.options": ("Options",),
    "within.wallet": ("Purchase", "Wallet"),
}
_ROOM_OF = {name: room for room, names in _PLACES.items() for name in names}

__all__ = [
    "BlockingDevice",
    "Broadcast",
    "Consumer",
    "Device",
    "HceCard",
    "Meter",
    "Options",
    "Price",
    "PricePerUnit",
    "Purchase",
    "Purse",
    "Service",
    "Total",
    "Vault",
    "Wallet",
    "Wish",
    "buy",
    "cheapest",
    "discover",
    "errors",
    "events",
    "find_again",
    "finish",
    "search",
    "take",
    "watch",
]


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"tollbridge.within has no {name}")
    if name in {"errors", "events"}:
        return import_module(f"tollbridge.{room}.{name}")
    return getattr(import_module(f"tollbridge.{room}"), name)
