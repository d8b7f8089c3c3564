"""A car that finds the cheapest charger around, pays, and charges in parts until it is full."""

import argparse
import asyncio
from pathlib import Path

from bench import CARD, PROVIDER
from tollbridge.within import Device, Options, Purse, Wallet, Wish, buy, cheapest, take


async def main(given):
    given.folder.mkdir(parents=True, exist_ok=True)
    options = Options(discovery_port=given.discovery_port)
    async with await Device.setup("car", "A car", folder=given.folder, options=options) as car:
        offers = []
        for charger in await car.device_discovery(given.seconds):
            if "electricCharger" not in (charger.service_types or ()):
                continue
            car.init_consumer(charger.scheme, charger.hostname, charger.port_number,
                              charger.url_prefix, car.uid, CARD, PROVIDER)  # fmt: skip
            for service in await car.request_services():
                for price in await car.get_service_prices(service.service_id):
                    offers.append((charger, price))
                    print(f"{charger.device_name}: {price.per_unit.amount_minor} pence")
        charger, price = cheapest(offers)
        purse = Purse(car.uid, CARD, PROVIDER, Wallet(given.folder / "wallet.json"), options)
        wish = Wish(units=given.kwh, service="electricCharger", price_id=price.price_id)
        purchase = await buy(charger, wish, purse)
        print(f"{charger.device_name} is paid {purchase.price} for {given.kwh} kWh")
        while purchase.remaining:
            purchase = await take(purchase, given.part, purse, charging(given.seconds_per_kwh))
            print(f"{given.kwh - purchase.remaining} of {given.kwh} kWh in the battery")


def charging(seconds_per_kwh):
    async def meanwhile(kwh):
        await asyncio.sleep(kwh * seconds_per_kwh)
        return kwh

    return meanwhile


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kwh", type=int, default=8)
    parser.add_argument("--part", type=int, default=3, help="kWh at a time")
    parser.add_argument("--seconds", type=float, default=2, help="to look around")
    parser.add_argument("--seconds-per-kwh", type=float, default=490)
    parser.add_argument("--folder", type=Path, default=Path("car"))
    parser.add_argument("--discovery-port", type=int, default=8980)
    asyncio.run(main(parser.parse_args()))
