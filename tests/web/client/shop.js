// A shop for tests: pays what it is told when its button is pressed, and keeps every outcome.

const told = new URLSearchParams(location.search);
const base = told.get("base");
const { connect, PaymentFailure } = await import(`${base}/client/tollbridge.js`);
Object.assign(window, { connect, PaymentFailure, ends: [], asked: [], violations: [] });
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));

window.zoneOf = (seller, more = {}) => {
  const name = seller.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
  return connect({ base, sellerKey: `pk_test_${name}`, ...more });
};

window.end = (what, value) => {
  const shown = what === "paid" ? value : { ...value, name: value.name };
  ends.push({ what, ...shown });
  document.getElementById("out").textContent = what;
};

window.settle = (promise) =>
  void promise.then((given) => end("paid", given), (fault) => end("failed", fault));

window.begin = async ({ seller, zone = {}, ...wish }) => {
  const [wallet] = await zoneOf(seller, zone).services();
  settle(wallet.pay({ sellerID: seller, ...wish }));
};

/** Pay with callbacks; gives what was called, in which order. */
window.called = async ({ seller, bill, customer, items = null, answer = null }) => {
  const [service] = await zoneOf(seller, { patience: 20 }).services();
  window.service = service;
  const calls = [];
  window.calls = calls;
  return await new Promise((done) => {
    const ending = (name) => (...given) => {
      calls.push([name, ...given]);
      setTimeout(() => done(calls), 300); // nothing may come after it
    };
    const failing = ending("error");
    const challenged = async (type, value, ...third) => {
      calls.push(["challenge", type, typeof value, third.length]);
      if (answer !== null) third[0](typeof answer === "string" ? answer : await code());
    };
    const returned = service.pay(ending("success"), (fault) => failing({ ...fault }), challenged,
      items, bill, customer, seller);
    calls.push(["returned", returned]);
  });
};

/** Look for services with callbacks; gives what was told. */
window.finding = async ({ api, cancel, timeout, seller }) => {
  const heard = [];
  const callbacks = { onFound: () => heard.push("found"), onError: ({ name }) => heard.push(name) };
  const pending = zoneOf(seller).findServices({ api }, callbacks, { timeout });
  if (heard.length) heard.push("too early");
  if (cancel) pending.cancel();
  await new Promise((go) => setTimeout(go, 700));
  return heard;
};

/** Begin many payments at once; each one's outcomes stand under its bill. */
window.beginAll = (wishes) => {
  window.ended = {};
  for (const { seller, bill } of wishes) {
    const ends = (ended[bill.productID] = []);
    const onChallenge = async () => {
      if (ends.length) ends.push({ what: "a challenge after the end" });
      return await code();
    };
    const wish = { bill, sellerID: seller, customerID: "ada@example.org", onChallenge };
    zoneOf(seller, { patience: 12 }).services().then(([wallet]) => wallet.pay(wish)).then(
      (given) => ends.push({ what: "paid", ...given }),
      (fault) => ends.push({ what: fault.name, ...fault }),
    );
  }
};

/** Go on with all that is pending; gives each one's end by its bill. */
window.goOn = async (seller) => {
  const zone = zoneOf(seller);
  const ends = {};
  for (const { paymentId, idempotencyKey, bill } of zone.pending()) {
    ends[bill.productID] = await zone
      .resume(paymentId ?? idempotencyKey, { onChallenge: () => code() })
      .then(({ status }) => status, (fault) => fault.reason);
  }
  return ends;
};

document.getElementById("pay").addEventListener("click", () => begin(window.wish));
document.body.dataset.ready = "";
