// The provider's own page of a url challenge. Its address is …/web/confirm#ch=…&t=…&return=…: the
// fragment never leaves the browser, and it is the only credential, so no cookie is needed. It runs
// in the shop's frame, in a window of its own, or in place of the shop's page.

const READING_MS = 400; // nobody decides faster: a click that comes sooner was meant for something else
const CLOSING_MS = 1500;
const LIMIT_MS = 60_000;
const FINAL = new Set(["succeeded", "failed", "cancelled"]);

const ui = Object.fromEntries(
  [...document.querySelectorAll("[id]")].map((each) => [each.id, each]),
);

const asked = new URLSearchParams(location.hash.slice(1));
const challenge = asked.get("ch") ?? "";
const token = asked.get("t") ?? "";
const back = asked.get("return");

let origins = [location.origin];
let shownAt = 0;
let busy = false;
let told = null;

// Who opened this page

const other = window.parent !== window ? window.parent : window.opener;

/** Tell who opened it; only a page of the seller's own origins or of ours (the window of the
 * browser's payment handler) can hear it. */
function say(message) {
  if (!other) return;
  const above = window.parent !== window ? location.ancestorOrigins?.[0] : undefined;
  for (const origin of [location.origin, ...origins]) {
    if (above && above !== origin) continue;
    try {
      other.postMessage(message, origin);
    } catch {
      // It is gone.
    }
  }
}

/** The shop's page to go back to, if it is one of the seller's. */
function returning() {
  try {
    const address = new URL(back);
    return origins.includes(address.origin) ? address.href : null;
  } catch {
    return null;
  }
}

// The provider

async function call(path, fields) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ challenge, token, ...fields }),
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const listed = answer.headers.get("Tollbridge-Origins");
  if (listed !== null) origins = [location.origin, ...listed.split(" ").filter(Boolean)];
  const said = await answer.json().catch(() => null);
  if (answer.ok && said) return said;
  const fault = new Error(said?.error?.message ?? `The provider answered ${answer.status}.`);
  fault.retry = answer.status >= 500 || said?.error?.retryPossible === true;
  throw fault;
}

// What is shown

function tell(text, { bad = false } = {}) {
  ui.status.textContent = bad ? "" : text;
  ui.alert.textContent = bad ? text : "";
  ui.alert.hidden = !bad || !text;
}

function money(amount, currency) {
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amount);
  } catch {
    return `${amount} ${currency}`;
  }
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function showSum({ seller, amount, currency, bill, items }) {
  const refund = String(amount).startsWith("-");
  ui.amount.textContent = money(amount, currency);
  const name = typeof seller === "string" ? seller : (seller?.name ?? "");
  ui.seller.textContent = `${refund ? "from" : "to"} ${name}`;
  const what = bill?.description || bill?.productID || "";
  ui.what.textContent = what;
  ui.what.hidden = !what;
  const lines = (items ?? []).map((item) => {
    const price = item.itemsPrice ?? item.itemPrice;
    const count = item.itemCount > 1 ? `${item.itemCount} × ` : "";
    const cost = price === undefined || price === null ? "" : `: ${money(price, item.currency ?? currency)}`;
    return element("li", { textContent: `${count}${item.description ?? item.productID ?? "?"}${cost}` });
  });
  ui.lines.replaceChildren(...lines);
  ui.items.hidden = !lines.length;
  ui.pay.textContent = refund ? `Take ${money(amount, currency)} back` : `Pay ${money(amount, currency)}`;
}

function showCustomer(customer) {
  ui.who.textContent = customer?.name ? `Hello ${customer.name}` : "";
  ui.who.hidden = !customer?.name;
  const mark = customer?.mark ?? "";
  ui.mark.hidden = !mark.startsWith("data:image/");
  if (!ui.mark.hidden) {
    ui.mark.src = mark;
    ui.mark.alt = "Your personal mark: only you and we know it";
  }
}

const CARD = "*card"; // no instrument is called so
const WALLET = "*wallet";

function choice(id, label, checked) {
  const input = element("input", { type: "radio", name: "instrument", value: id, checked });
  input.id = `choice-${id}`;
  input.addEventListener("change", showFields);
  const labelled = element("label", { textContent: label });
  labelled.htmlFor = input.id;
  return element("div", { className: "choice" }, input, labelled);
}

/** What it can be paid with: the customer's cards, another card, or a wallet that is kept here. */
function showInstruments({ needs, instruments, payment }) {
  const refund = payment.kind === "refund";
  const own = refund ? [] : (instruments ?? []).map((each, place) =>
    choice(each.id, [...new Set([each.label, each.brand, each.masked])].filter(Boolean).join(" "), place === 0));
  const another = refund ? [] : [choice(CARD, own.length ? "Another card" : "A card", !own.length)];
  if (needs === "instrument") another.push(choice(WALLET, "A card I keep here", false));
  ui.choices.replaceChildren(...own, ...another);
  ui.instruments.hidden = own.length + another.length < 2;
  showFields();
}

function chosen() {
  return ui.choices.querySelector("input:checked")?.value ?? null;
}

function showFields() {
  const what = chosen();
  ui.card.hidden = what !== CARD;
  const named = what === WALLET || (what === CARD && ui.keep.checked);
  ui["who-row"].hidden = !(told.needs === "instrument" && named);
}

function show(look) {
  told = look;
  showSum(look.payment);
  showCustomer(look.customer);
  showInstruments(look);
  const code = look.needs === "code";
  ui.question.textContent = look.question ?? "";
  // Where nothing but yes or no is asked, the heading has said it.
  ui.question.hidden = !look.question || look.needs === "confirm";
  ui["answer-row"].hidden = !code;
  ui.answer.value = "";
  ui.form.hidden = false;
  ui.main.setAttribute("aria-busy", "false");
  shownAt = performance.now();
  (code ? ui.answer : ui.title).focus();
}

function end(state, text) {
  ui.form.hidden = true;
  ui.main.setAttribute("aria-busy", "false");
  tell(text, { bad: state === "failed" });
  ui.title.textContent = { succeeded: "Done", cancelled: "Refused" }[state] ?? "Your payment";
  document.title = ui.title.textContent;
  const address = returning();
  const popup = !address && window.opener && window.parent === window;
  ui.over.hidden = !address && !popup;
  ui.leave.textContent = address ? "Back to the shop" : "Close this window";
  ui.leave.addEventListener("click", leave);
  ui.title.focus();
  if (address || popup) setTimeout(leave, CLOSING_MS);
}

function leave() {
  const address = returning();
  if (address) location.replace(address);
  else window.close();
}

// What is decided

function wrong(input, text) {
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", "alert");
  tell(text, { bad: true });
  input.focus();
  return null;
}

/** Read what was entered; null where something is missing, which is said then. */
function entered() {
  for (const input of ui.form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  tell("");
  const given = { instrument: null, card: null, answer: null };
  const what = chosen();
  if (told.needs === "code") {
    given.answer = ui.answer.value.replace(/\s/g, "");
    if (!given.answer) return wrong(ui.answer, "Please enter the code.");
  }
  if (what === CARD) {
    given.card = card();
    if (!given.card) return null;
  } else if (what !== WALLET) {
    given.instrument = what;
  }
  if (!ui["who-row"].hidden) {
    given.answer = ui.me.value.trim();
    if (!given.answer) return wrong(ui.me, "Please enter who you are.");
  }
  return given;
}

/** Read the card; null where it cannot be one, which is said then. */
function card() {
  const number = ui.number.value.replace(/[\s-]/g, "");
  if (!/^\d{12,19}$/.test(number)) return wrong(ui.number, "A card number has 12 to 19 digits.");
  const expiry = /^\s*(\d{1,2})\s*[/-]?\s*(?:20)?(\d{2})\s*$/.exec(ui.expiry.value);
  if (!expiry || expiry[1] < 1 || expiry[1] > 12) {
    return wrong(ui.expiry, "Enter month and year, for example 09/29.");
  }
  const code = ui.code.value.trim();
  if (!/^\d{3,4}$/.test(code)) return wrong(ui.code, "The security code has three or four digits.");
  return { number, expiry: `${expiry[1].padStart(2, "0")}/${expiry[2]}`, code, keep: ui.keep.checked };
}

async function decide(decision) {
  if (busy || performance.now() - shownAt < READING_MS) return;
  const given = decision === "pay" ? entered() : { instrument: null, card: null, answer: null };
  if (!given) return;
  hold(true);
  tell(decision === "pay" ? "Asking your bank…" : "Refusing…");
  try {
    await judged(await call("/web/confirm/decide", { decision, ...given }));
  } catch (fault) {
    // What was decided may have arrived all the same: the page asks before it says so.
    try {
      show(await call("/web/confirm/look", {}));
      tell(fault.message, { bad: true });
    } catch {
      end("failed", fault.message);
      done(null);
    }
  } finally {
    hold(false);
  }
}

function hold(on) {
  busy = on;
  ui.main.setAttribute("aria-busy", String(on));
  for (const button of [ui.pay, ui.refuse]) button.setAttribute("aria-disabled", String(on));
}

function done(id) {
  say({ type: "tollbridge:done", id });
}

async function judged(payment) {
  if (payment.state === "challenge_required" && payment.challenge?.id === challenge) {
    const before = told;
    show(await call("/web/confirm/look", {}));
    const left = told.attempts_left;
    const again = before.needs === "code" && told.needs === "code";
    tell(again ? `That was not right. ${left} ${left === 1 ? "try" : "tries"} left.` : "", { bad: again });
    return;
  }
  const texts = {
    succeeded: "The payment is made.",
    cancelled: "You refused the payment. Nothing was charged.",
    failed: payment.error?.message ?? "The payment was not made.",
    challenge_required: "One more question is asked in the shop's window.",
    unknown: "Your bank has not answered yet. The shop will be told.",
    processing: "The payment is on its way. The shop will be told.",
  };
  const state = FINAL.has(payment.state) ? payment.state : "going";
  end(state, texts[payment.state] ?? "");
  done(payment.id ?? null);
}

ui.place.textContent = location.host;
ui.form.addEventListener("submit", (event) => {
  event.preventDefault();
  void decide("pay");
});
ui.refuse.addEventListener("click", () => void decide("refuse"));
ui.keep.addEventListener("change", showFields);

try {
  show(await call("/web/confirm/look", {}));
  tell("");
} catch (fault) {
  end("failed", fault.message);
}
say({ type: "tollbridge:ready" });
