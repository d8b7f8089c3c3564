"""A garden water meter: water by the litre, drawn in parts; a valve, and a wheel that counts."""

import argparse
import asyncio
import contextlib
from pathlib import Path

from bench import MERCHANT
from tollbridge.within import Device, Options, Price, PricePerUnit, Service, events


class Valve:
    """Opens when a delivery begins and closes when it ends, or when the last litre has run."""

    def __init__(self, meter, litres_per_s):
        self.meter = meter
        self.litres_per_s = litres_per_s
        self.open = {}

    def hear(self, event):
        match event:
            case events.DeliveryBegun(token=token, units=litres):
                self.open[token.key] = asyncio.create_task(self.run(token.key, litres))
            case events.DeliveryEnded(token=token) if token.key in self.open:
                self.open.pop(token.key).cancel()

    async def run(self, key, litres):
        for litre in range(1, litres + 1):
            await asyncio.sleep(1 / self.litres_per_s)
            await self.meter.metered(key, litre)
            print(f"litre {litre} of {litres}", flush=True)


async def main(given):
    options = Options(port=given.port, discovery_port=given.discovery_port, refund_on_expiry=True)
    given.folder.mkdir(parents=True, exist_ok=True)
    async with await Device.setup(
        "garden-meter", "Water for the garden", folder=given.folder, options=options
    ) as meter:
        litre = Price(1, "Litre of water", PricePerUnit(2, "GBP"), 1, "litre")
        meter.add_service(
            Service(
                service_id=1,
                name="Water",
                service_type="water",
                prices={1: litre},
                supply=lambda _price, asked: min(asked, 500),
            )
        )
        meter.set_event_handler(Valve(meter, given.litres_per_s).hear)
        await meter.init_producer(MERCHANT)
        await meter.start_service_broadcast()
        print(f"garden-meter sells at {meter.broadcast().url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--litres-per-s", type=float, default=0.25)
    parser.add_argument("--folder", type=Path, default=Path("garden-meter"))
    parser.add_argument("--port", type=int, default=64521)
    parser.add_argument("--discovery-port", type=int, default=8980)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(parser.parse_args()))
