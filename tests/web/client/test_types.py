"""The types of the client fit programs that use it as they should, and only those."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[3] / "src/tollbridge/web/client"
PROGRAM = """
import { connect, PaymentFailure, type PaymentService } from "./tollbridge.js";
const zone = connect({ sellerKey: "pk_x", presentation: ["payment-handler", "inline"] });
const [wallet] = await zone.services();
for await (const each of zone.services()) each.displayName.toUpperCase();
export async function buy(service: PaymentService) {
  try {
    const bill = { currency: "EUR", itemPrice: "1.00", mine: true };
    const { proofOfPurchase, status } = await service.pay({ bill, sellerID: "S",
      onChallenge: async (c) => (c.type === "url" ? c.open() : prompt(c.value)) });
    return proofOfPurchase + status;
  } catch (fault) {
    const mine = fault instanceof PaymentFailure;
    if (mine && fault.code === "payment_chargeable_exceeded") return fault.reason;
    throw fault;
  }
}
const nothing: void = wallet!.pay((proof) => proof.length, (e) => e.retryPossible,
  (kind, value, answer) => (kind === "url" ? answer.open() : answer(value)),
  [], { itemPrice: 1 }, null, "S");
// @ts-expect-error a seller is needed
wallet!.pay({ bill: {} });
// @ts-expect-error a key is needed
connect({});
// @ts-expect-error there is no such code
export const code: PaymentFailure["code"] = "payment_lost";
zone.findServices({ api: "x" }, { onFound: (service) => buy(service) }).cancel();
export { nothing };
"""


def test_the_types_compile(tmp_path):
    compiler = shutil.which(os.environ.get("TSC", "tsc"))
    if compiler is None:
        pytest.skip("there is no TypeScript compiler here: npm install -g typescript, or set TSC")
    shutil.copy(CLIENT / "tollbridge.d.ts", tmp_path)
    (tmp_path / "program.ts").write_text(PROGRAM)
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "es2022",
               "--moduleResolution", "bundler", "--lib",
               "es2022,dom,dom.asynciterable"]  # fmt: skip
    done = subprocess.run(
        [compiler, *options, "program.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_types_name_what_the_client_has():
    types, code = (CLIENT / "tollbridge.d.ts").read_text(), (CLIENT / "tollbridge.js").read_text()
    exported = {"PAYMENT", "PaymentFailure", "connect"}
    for name in exported:
        assert f" {name}" in types
        assert name in code
    told = [
        line.split()[2].strip("({=:") for line in code.splitlines() if line.startswith("export ")
    ]
    assert {name.partition("(")[0] for name in told} == exported
