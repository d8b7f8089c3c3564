"""Measures WPI payments over HTTP, with a scripted cardholder, at one terminal and at a hundred.

Everything is durable: SQLite with synchronous=FULL, the sandbox's book too. The JSON API's payments
are measured beside, in the same rounds.
"""

import argparse
import os
import platform
import statistics
import tempfile
from pathlib import Path

from run import disk, over_http, verdict

TERMINALS = 100
TARGET = 1500
MEASURES = (("wpi", 1, 1500), ("wpi", TERMINALS, 12_000), ("api", TERMINALS, 12_000))


def config(terminals):
    """A profile whose terminals nobody looks at."""
    lines = ["[faces.wpi]", 'cardholder = "script"']
    lines += [f"[faces.wpi.terminals.T{number}]" for number in range(2, terminals + 1)]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files go (default: a new one)")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    seen = {}
    with tempfile.TemporaryDirectory(dir=given.folder or ".", prefix=".bench-") as name:
        folder = Path(name).absolute()
        for _ in range(given.rounds):
            seen.setdefault("disk", []).append(disk(folder))
            for kind, at_once, payments in MEASURES:
                result = over_http(folder, at_once, payments, kind, config(TERMINALS))
                for key, value in result.items():
                    seen.setdefault(f"{kind} {at_once} {key}", []).append(value)
    middle = {key: statistics.median(values) for key, values in seen.items()}
    print(f"\nmedians of {given.rounds} interleaved rounds")
    print(f"  durable 4 KiB writes                {middle['disk']:>9.0f} /s")
    titles = {"wpi": "WPI, terminals", "api": "JSON API, connections"}
    for kind, at_once, _ in MEASURES:
        key = f"{kind} {at_once}"
        print(f"  {titles[kind]:<22} {at_once:>4}   {middle[f'{key} rate']:>9.0f} payments/s   "
              f"p50 {middle[f'{key} p50_ms']:6.1f} ms   p99 {middle[f'{key} p99_ms']:6.1f} ms   "
              f"{middle[f'{key} rss_mb']:4.0f} MB")  # fmt: skip
    ratio = middle[f"wpi {TERMINALS} rate"] / middle[f"api {TERMINALS} rate"]
    print(f"ratios\n  WPI : JSON API, at {TERMINALS}                {ratio:.2f}\ntargets")
    verdict(f"WPI at {TERMINALS} terminals, payments/s", middle[f"wpi {TERMINALS} rate"], TARGET,
            least=True)  # fmt: skip


if __name__ == "__main__":
    main()
