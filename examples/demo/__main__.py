"""Tollbridge in short chapters: a till that loses its server, a terminal's day, a car that finds
its charger, a record shop that is paid by its page, and a wallet that trades.

Run it with `make demo`.
"""

import argparse
import os
import shutil
import sys
import time

import terminal
import things
import till
import trading
import web
from stage import FOLDER, Process, tell


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the processes running")
    given = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    start = time.monotonic()
    free = ("--port", "0", "--control-port", "0")
    sandbox = Process("sandbox", "sandbox", "serve", "--book", str(FOLDER / "book.sqlite"), *free)
    server = Process("server", "serve", "--journal", str(till.JOURNAL), "--port", "0")
    bench = Process("bench", "sandbox", "serve", "--book", str(FOLDER / "bench.sqlite"), *free)
    psp = Process("psp", "psp", "serve", "--journal", str(FOLDER / "psp.sqlite"), "--port", "0")
    charger = Process("charger")
    settings = ("--journal", str(FOLDER / "web.sqlite"), "--config", str(FOLDER / "web.toml"))
    provider = Process("provider", "serve", *settings, "--port", "0")
    shop = Process("shop", program=[sys.executable, "examples/webshop/shop.py"])
    roles = ("iotp", "serve", "--port", "0", "--role")
    handler = Process("payments", *roles, "payment", "--journal", str(trading.JOURNAL))
    courier = Process("courier", *roles, "delivery", "--journal", str(FOLDER / "courier.sqlite"))
    merchant = Process("bookshop", *roles, "merchant", "--journal", str(FOLDER / "books.sqlite"))
    everything = (sandbox, server, bench, psp, charger, provider, shop, handler, courier, merchant)
    try:
        till.story(sandbox, server)
        terminal.story(server)
        things.story(bench, psp, charger)
        web.story(provider, shop)
        trading.story(handler, courier, merchant)
    except BaseException:
        given.keep = False
        raise
    finally:
        if not given.keep:
            for process in everything:
                process.stop()
    tell(f"That was Tollbridge, in {time.monotonic() - start:.0f} seconds.")
    if given.keep:
        print(f"""
  Still running:
    server    {server.url}          document: {server.url}/openapi.json
    terminal  {server.url}/terminal
    sandbox   {sandbox.url}  (control)
    journal   {till.JOURNAL}
    charger   {charger.url}
    psp       {psp.url}/psp
    shop      {shop.url}  (its codes are in {provider.log})
    provider  {provider.url}
    books     {merchant.url}/iotp/merchant?item=book

  Try:
    export TOLLBRIDGE_URL={server.url} TOLLBRIDGE_TOKEN={os.environ["TOLLBRIDGE_TOKEN"]}
    .venv/bin/tollbridge pay 11.91 EUR --card 4242424242424242
    .venv/bin/tollbridge wpi pay 11.91 EUR
    .venv/bin/tollbridge iotp buy {merchant.url}/iotp/merchant?item=book --wallet .demo/wallet
    .venv/bin/tollbridge within buy 2 --device charger-1 --folder .demo/car --psp {psp.url}/v1

  Stop:
    kill {" ".join(str(one.process.pid) for one in everything)}
""")


if __name__ == "__main__":
    main()
