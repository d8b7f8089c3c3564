"""Measures trading messages: reading, holding to the document type, rules, writing, signing.

One process, no disk, no network: the golden Payment Request of about 6 KB, with its signature.
"""

import argparse
import os
import platform
import statistics
import time
from pathlib import Path

from run import verdict

from tollbridge.faces.iotp.dtd import message_dtd
from tollbridge.faces.iotp.message import codec, rules, signing
from tollbridge.faces.iotp.message.blocks import IotpMessage
from tollbridge.faces.iotp.message.duplicates import fingerprint
from tollbridge.faces.iotp.message.signing import HmacKey
from tollbridge.wire import xml

MESSAGE = next((Path(__file__).parents[1] / "tests/vectors/iotp/purchase").glob("4-*.xml"))
TIMES = 300
TARGET_MS = 3.0


def measure(act):
    begin = time.perf_counter()
    for _ in range(TIMES):
        act()
    return (time.perf_counter() - begin) / TIMES * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    data = MESSAGE.read_bytes()
    root = xml.read(data)
    message = codec.read(data)
    made = IotpMessage(trans_ref=message.trans_ref, signatures=message.signatures,
                       blocks=message.blocks)  # fmt: skip
    key = HmacKey(bytes(range(32)), "shop-and-bank", of="shop.example")
    acts = {
        "read XML": lambda: xml.read(data),
        "hold to the document type": lambda: message_dtd().violations(root),
        "make values": lambda: codec.decode(root),
        "read, hold, make values": lambda: codec.read(data),
        "ask all rules": lambda: rules.of(message),
        "write": lambda: codec.write(made),
        "write and hold": lambda: codec.write(made, validate=True),
        "fingerprint": lambda: fingerprint(root),
        "verify a signature": lambda: signing.verify(message, "bank.example", key),
    }
    seen = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            seen[name].append(measure(act))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"medians of {rounds} interleaved rounds, a message of {len(data)} bytes")
    for name, values in seen.items():
        print(f"  {name:<28}{statistics.median(values):8.3f} ms")
    print("targets")
    verdict("read, hold, make values, ms", statistics.median(seen["read, hold, make values"]),
            TARGET_MS, least=False)  # fmt: skip


if __name__ == "__main__":
    main()
