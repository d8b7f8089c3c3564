"""Chapter two: a terminal's day, from the command line of a till to the paper with its QR code."""

import http.client
import json
import os
import re

from stage import FOLDER, command, get, read, tell

PNG = FOLDER / "receipt.png"


def story(server):
    os.environ["TOLLBRIDGE_TILL"] = str(FOLDER / "till.sqlite")
    tell("The same terminal, all day; who wants to watch opens " + server.url + "/terminal")
    tell("A hotel reserves 80.00 EUR, then 20.00 more, and takes 95.00 when the guest leaves.")
    said = read("wpi", "preauth", "80.00", "EUR")
    reserved = re.search(r"reference +(\w+)", said)[1]
    read("wpi", "update", reserved, "20.00", "EUR")
    read("wpi", "complete", reserved, "95.00", "EUR")

    tell("44.07 EUR: an amount that means a wrong PIN first, and then the right one.")
    read("wpi", "pay", "44.07", "EUR")
    tell("44.21 EUR: the card decides alone; the terminal charges it at day-end.")
    read("wpi", "pay", "44.21", "EUR", "--reference", "table 7")

    tell("Its receipt, as the printer gives it, with the QR code of its reference;")
    sheet = papers(server.url)[-1]
    paper = get(server.url, f"/terminal/T1/papers/{sheet['id']}.txt").decode()
    print("\n".join(f"      {line}" for line in paper.splitlines()))
    PNG.write_bytes(get(server.url, f"/terminal/T1/papers/{sheet['id']}.png"))
    tell(f"and as a picture: {PNG}")

    tell("The day ends: the offline approval goes to the network, the sums are the journal's.")
    read("wpi", "day-end", "--receipt")
    assert command("sandbox", "compare") == 0, "the books agree"


def papers(url):
    """Look at the terminal once: what it has printed stands in its state."""
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    line.request("GET", "/terminal/T1/events")
    answer = line.getresponse()
    while True:
        row = answer.readline().decode()
        if row.startswith("data:"):
            line.close()
            return json.loads(row.removeprefix("data:"))["papers"]
