"""Chapter three: a charger and a car find each other, agree, pay, and energy flows in parts."""

import json
import os

from stage import FOLDER, command, get, tell, tell_start

CHARGER = FOLDER / "charger"
OFFER = """
[device]
name = "charger-1"
description = "Car charger in the yard"

[psp]
psp_name = "worldpayonlinepayments"
api_endpoint = "{endpoint}"
hte_public_key = "{client_key}"
hte_private_key = "{service_key}"

[[service]]
id = 1
name = "Car charging"
type = "electricCharger"
seconds_per_unit = 0.1

[[service.price]]
id = 1
description = "Kilowatt-hour"
amount = 70
currency = "GBP"
unit = "kWh"
"""


def story(sandbox, psp, charger):
    tell(
        "Another card network, and a payment provider on it, as a device's maker has on the bench:"
    )
    tell_start(sandbox, "control")
    os.environ["TOLLBRIDGE_SANDBOX_CONTROL"] = sandbox.url
    network = json.loads(get(sandbox.url, "/health"))["port"]
    psp.arguments = (*psp.arguments, "--sandbox-url", f"http://127.0.0.1:{network}")
    tell_start(psp, "listens on")
    keys = dict(line.split() for line in psp.log.read_text().splitlines() if "merchant_" in line)
    CHARGER.mkdir()
    offer = FOLDER / "charger.toml"
    offer.write_text(OFFER.format(endpoint=f"{psp.url}/v1", client_key=keys["merchant_client_key"],
                                  service_key=keys["merchant_service_key"]))  # fmt: skip

    tell("A charger sells energy at 70 pence a kilowatt-hour and says so, twice a second.")
    charger.arguments = ("within", "produce", str(offer), "--folder", str(CHARGER), "--port", "0")
    tell_start(charger, "sells at")

    tell("A car looks around, buys 8 kWh with its card, which only the provider sees, and takes 3.")
    paying = ("--folder", str(FOLDER / "car"), "--psp", f"{psp.url}/v1", "--pace", "0.15")
    bought = command("within", "buy", "8", "--device", "charger-1", "--take", "3", *paying)
    assert bought == 0, "the car is charged"

    tell("The charger loses its power in the night.")
    charger.kill()
    tell("In the morning it starts again, and what it sold is still sold.")
    tell_start(charger, "sells at")

    tell("The car comes back for the other 5.")
    assert command("within", "take", "last", *paying) == 0, "the rest is delivered"
    command("within", "purchases", "--folder", str(FOLDER / "car"))

    tell("The charger's journal, the provider's journal and the network's book agree:")
    assert command("journal", "verify", "--journal", str(CHARGER / "within.sqlite")) == 0
    assert command("sandbox", "compare", "--journal", str(FOLDER / "psp.sqlite")) == 0
    command("sandbox", "book")
