"""`tollbridge within`: things that find, pay and serve one another."""

import click

from tollbridge.cli.main import LazyGroup

PLACES = {
    "produce": ("tollbridge.cli.trading:produce", "Sell what a file offers."),
    "discover": ("tollbridge.cli.around:discover", "List the devices around."),
    "watch": ("tollbridge.cli.around:watch", "Show the devices around as they come and go."),
    "buy": ("tollbridge.cli.trading:buy", "Find a device, buy, pay, and be supplied."),
    "take": ("tollbridge.cli.trading:take", "Be supplied with what was bought before."),
    "purchases": ("tollbridge.cli.trading:purchases", "List what was bought."),
    "card": ("tollbridge.cli.cards:card", "Keep the cards a device pays with, sealed."),
    "agent": ("tollbridge.cli.trading:agent", "Serve programs in other languages, over Thrift."),
}


@click.group(cls=LazyGroup, places=PLACES)
def within() -> None:
    """Things that find, pay and serve one another (Worldpay Within)."""
