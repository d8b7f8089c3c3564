// The basket. The shop's server says what to pay; the provider's client pays it; the server checks.

const settings = await (await fetch("/settings.json")).json();
const { connect } = await import(`${settings.base}/client/tollbridge.js`);
const zone = connect({ base: settings.base, sellerKey: settings.sellerKey });

const said = document.getElementById("said");
const buttons = document.querySelectorAll("[data-order]");

function say(text, bad = false) {
  said.textContent = text;
  said.classList.toggle("bad", bad);
}

async function post(path, value) {
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(value) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

/** The proof proves nothing to a page: the shop's server asks the provider. */
async function prove(order, { proofOfPurchase }) {
  const { title, state } = await post("/proof", { order, proof: proofOfPurchase });
  say(`${title}: ${state === "refunded" ? "the money is on its way back." : "paid. Thank you!"}`);
}

async function buy(what) {
  const [wallet] = await zone.services();
  const { order, signedBill } = await post("/order", { what });
  const { customerID, sellerID } = settings;
  await prove(order, await wallet.pay({ signedBill, customerID, sellerID }));
}

/** Do something about money; a failure is told, and whether it is worth another try. */
async function during(work) {
  buttons.forEach((button) => { button.disabled = true; });
  say("");
  try {
    await work();
  } catch (fault) {
    say(`${fault.message}${fault.retryPossible ? " Please try again in a moment." : ""}`, true);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

for (const button of buttons) {
  button.addEventListener("click", () => during(async () => {
    for (const what of button.dataset.order.split(" ")) await buy(what);
  }));
}

// What this tab began before it was reloaded, or sent away to the provider, goes on here.
for (const { paymentId, idempotencyKey, bill } of zone.pending()) {
  void during(async () => prove(bill.productID, await zone.resume(paymentId ?? idempotencyKey)));
}
document.body.dataset.ready = "";
