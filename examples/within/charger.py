"""An EV charger: sells energy by the kilowatt-hour and meters it in real time.

Try it: `tollbridge psp serve` in one terminal, this in another, `car.py` in a third.
"""

import argparse
import asyncio
import contextlib
from pathlib import Path

from bench import MERCHANT
from tollbridge.within import Device, Meter, Options, Price, PricePerUnit, Service


async def main(given):
    options = Options(port=given.port, discovery_port=given.discovery_port, refund_on_expiry=True)
    given.folder.mkdir(parents=True, exist_ok=True)
    async with await Device.setup(
        given.name, f"{given.kw} kW charger", folder=given.folder, options=options
    ) as charger:
        energy = Price(1, "Kilowatt-hour", PricePerUnit(given.pence, "GBP"), 1, "kWh")
        charger.add_service(
            Service(
                service_id=1,
                name="Car charging",
                service_type="electricCharger",
                prices={1: energy},
            )
        )
        seconds_per_kwh = 3600 / given.kw / given.speed
        meter = Meter(charger, {1: seconds_per_kwh}, shown=lambda begun, kwh: print(
            f"{kwh} of {begun.units} kWh", flush=True))  # fmt: skip
        charger.set_event_handler(meter.hear)
        await charger.init_producer(MERCHANT)
        await charger.start_service_broadcast()
        print(f"{given.name} sells at {charger.broadcast().url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="charger-1")
    parser.add_argument("--pence", type=int, default=70, help="for a kilowatt-hour")
    parser.add_argument("--kw", type=float, default=7.4, help="what it can deliver")
    parser.add_argument("--speed", type=float, default=1, help="how much faster than real time")
    parser.add_argument("--folder", type=Path, default=Path("charger"))
    parser.add_argument("--port", type=int, default=64521)
    parser.add_argument("--discovery-port", type=int, default=8980)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(parser.parse_args()))
