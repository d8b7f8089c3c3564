"""Three providers to try: python -m examples.providers, from the root of the project."""

import argparse
import asyncio
import signal
from contextlib import AsyncExitStack

from examples.providers.carrier import SUBSCRIBER, Carrier
from examples.providers.hosting import hosting
from examples.providers.orders import Orders
from examples.providers.store import Store

KINDS = {"carrier": Carrier, "orders": Orders, "store": Store}


async def main(ports):
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        urls = {}
        for port, (name, kind) in zip(ports, KINDS.items(), strict=True):
            urls[name] = await stack.enter_async_context(hosting(kind(), port))
            print(f"  {name:8} {urls[name]}")
        print(f"  a subscriber of the carrier: {SUBSCRIBER}")
        print(f"  buy in the store: curl -X POST {urls['store']}/buy/trial")
        print(f"  what payers paid: curl {urls['carrier']}/book")
        print(f"  lose an answer:   curl {urls['carrier']}/moods -d '[\"lost\"]'")
        print("  now: tollbridge serve --config examples/providers/provider.toml --development")
        print("  and open http://127.0.0.1:8700/web/try", flush=True)
        await stop.wait()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--ports", type=int, nargs=3, default=(8811, 8812, 8813))
asyncio.run(main(parser.parse_args().ports))
