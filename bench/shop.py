"""A producer whose payment provider, in the same process, keeps its books in memory.

What remains durable is the producer: its orders, payments and deliveries. Prints a line when open.
"""

import asyncio
import sys
from pathlib import Path

import uvloop

from tollbridge.bridges.sandbox import bridge
from tollbridge.cli.serve import settle_down
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.engine.transport import HttpTransport, Switchboard
from tollbridge.faces.psp import face as psp_face
from tollbridge.faces.psp.settings import TEST_MERCHANTS
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.journal.memory import MemoryJournal
from tollbridge.sandbox.book import Book
from tollbridge.sandbox.faults import Faults
from tollbridge.sandbox.line import Line
from tollbridge.sandbox.network import Network
from tollbridge.sandbox.service import Service as Sandbox
from tollbridge.server.app import application
from tollbridge.server.hosting import Hosted
from tollbridge.server.inside import Served, listen
from tollbridge.within import Device, Options
from tollbridge.within.offer import offer
from tollbridge.within.psp import PREFIX, PspLine


async def main(file, folder, port, psp_port):
    clock, ids = SystemClock(), RandomIds()
    network = Line(Sandbox(Network(Book(), clock, ids), Faults()))
    around = Surroundings(MemoryJournal(), {"sandbox": bridge({}, clock, ids)}, network, clock, ids)
    engine, face = Engine(around, threaded=False), psp_face({}, clock, ids)
    served = Served(application(engine, [Hosted(face)], Secret("bench"), "merchant-1"),
                    listen("127.0.0.1", psp_port))  # fmt: skip
    await served.start()
    [keys] = TEST_MERCHANTS.values()
    way = Switchboard({PREFIX: PspLine(engine, face)}, HttpTransport())
    options = Options(port=port, discovery_port=port + 2)
    device = await Device.setup("bench", "bench", folder=folder, options=options, transport=way)
    for service in offer(file).services:
        device.add_service(service)
    await device.init_producer(
        {
            "psp_name": "worldpayonlinepayments",
            "api_endpoint": f"{PREFIX}/v1",
            "hte_public_key": keys.client_key,
            "hte_private_key": keys.service_key.reveal(),
        }
    )
    settle_down()
    print("service open", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    file, folder, port, psp_port = sys.argv[1:]
    uvloop.run(main(Path(file), Path(folder), int(port), int(psp_port)))
