/**
 * Payments from a web page: finds payment services, pays, and shows the customer what the payment
 * provider asks. One file without dependencies; it makes no markup, no inline style and no code.
 *
 *     import { connect } from "https://pay.example/client/tollbridge.js";
 *     const zone = connect({ base: "https://pay.example", sellerKey: "pk_..." });
 *     const [wallet] = await zone.services();
 *     const { proofOfPurchase } = await wallet.pay({ bill, items, sellerID });
 *
 * The HTTP API is docs/reference/web-payments.md, the how-to docs/how-to/web-payments.md.
 */

/** The feature URI of the Webinos Payment API: finds every payment service. */
export const PAYMENT = "http://webinos.org/api/payment";

const KINDS = ["text", "image", "url"];
const WAYS = ["inline", "popup", "redirect"];
const FINAL = new Set(["succeeded", "failed", "cancelled"]);
const PATIENCE_S = 60;
const RETRIES = 3;
const REQUEST_LIMIT_MS = 30_000;
const WAIT_S = 25;
// The server sends a comment every 15 s, and its last event again when we begin to listen.
const FIRST_WORD_MS = 5_000;
const SILENCE_MS = 40_000;
const FRAME_READY_MS = 4_000;
const LOOK_AT_WINDOW_MS = 500;
const HANDLER_CLOSES_MS = 1_000;
const HEARD_LATELY_MS = 5_000;
const KEPT_MS = 24 * 3600 * 1000;
const STORE = "tollbridge payment ";

/* Failures ------------------------------------------------------------------------------------- */

/** Why a payment failed: the PaymentError of the specification, and a finer `reason`. */
export class PaymentFailure extends Error {
  constructor({ code, message, retryPossible, reason } = {}, paymentId = null) {
    super(message);
    const told = {
      code: code ?? "payment_charge_failed",
      message: message || "The payment failed.",
      retryPossible: retryPossible === true,
      reason: reason ?? null,
      paymentId,
    };
    // All of it is the error's own, so that it survives JSON and Object.assign.
    for (const [name, value] of Object.entries(told)) {
      Object.defineProperty(this, name, { value, enumerable: true, writable: true, configurable: true });
    }
    Object.defineProperty(this, "name", { value: "PaymentFailure", configurable: true });
  }
}

const failed = (reason, message, retryPossible = false, paymentId = null) =>
  new PaymentFailure({ reason, message, retryPossible }, paymentId);

const unknown = (paymentId) =>
  failed("outcome_unknown", "It is not known yet whether the payment was made. Do not pay again " +
    "before the shop has looked.", false, paymentId);

/** The provider gave no answer that can be believed: what we asked for may have happened. */
class Unreached extends Error {}

/** Tell an exception of the app's own code to the console; it changes nothing here. */
function report(fault) {
  if (typeof reportError === "function") reportError(fault);
  else setTimeout(() => { throw fault; });
}

function safely(callback, ...values) {
  try {
    const given = callback(...values);
    if (typeof given?.then === "function") given.then(undefined, report);
  } catch (fault) {
    report(fault);
  }
}

const isFunction = (value) => typeof value === "function";
const isObject = (value) => typeof value === "object" && value !== null;

/* The bill ------------------------------------------------------------------------------------- */

/** Check what JSON would hide or change; everything else is the provider's to judge. */
function priced(line, what) {
  if (!isObject(line) || Array.isArray(line)) {
    throw failed(`invalid_${what}`, `The ${what} is not an object.`);
  }
  for (const name of ["itemPrice", "itemsPrice"]) {
    const value = line[name];
    if (typeof value === "number" && (!Number.isFinite(value) || /e/i.test(String(value)))) {
      throw failed("invalid_amount", `${name} of the ${what} is no amount: ${value}.`);
    }
  }
  return line;
}

const identity = (value) =>
  value === null || value === undefined || value === "" ? null : String(value);

/** What a bill that the shop's server signed says; the provider checks whether it is true. */
function claimed(token) {
  try {
    const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (each) => each.charCodeAt(0))));
  } catch {
    return {};
  }
}

/** Give the request of a payment as text: the same payment is the same text. A bill that is a text
 * is a signed one. */
function written(service, { bill, items, customerID, sellerID, signedBill }, challenges) {
  const signed = signedBill ?? (typeof bill === "string" ? bill : null);
  const shown = typeof bill === "string" ? null : (bill ?? null);
  if (shown === null && signed === null) throw failed("invalid_bill", "There is no bill.");
  if (items !== null && items !== undefined && !Array.isArray(items)) {
    throw failed("invalid_item", "The item list is not a list.");
  }
  const asked = {
    service,
    sellerID: sellerID === null || sellerID === undefined ? null : String(sellerID),
    customerID: identity(customerID),
    bill: shown && priced(shown, "bill"),
    ...(signed === null ? {} : { signedBill: signed }),
    itemList: items ? items.map((line) => priced(line, "item")) : null,
    challenges,
  };
  try {
    return JSON.stringify(asked);
  } catch (fault) {
    throw failed("invalid_bill", `The bill cannot be sent: ${fault.message}`);
  }
}

/* What is kept until the outcome is known ------------------------------------------------------ */

/** Unfinished payments of this tab, by idempotency key; they outlive a reload. */
class Kept {
  #base;
  #memory = new Map();
  #active = new Set();

  constructor(base) {
    this.#base = base;
  }

  all() {
    const found = new Map(this.#memory);
    try {
      for (const name of Object.keys(sessionStorage)) {
        if (!name.startsWith(STORE)) continue;
        const record = JSON.parse(sessionStorage.getItem(name));
        if (Date.now() - record.since > KEPT_MS) sessionStorage.removeItem(name);
        else found.set(record.key, record);
      }
    } catch {
      // No storage here (a sandboxed frame, a strict setting): this page's memory must do.
    }
    return [...found.values()].filter((record) => record.base === this.#base);
  }

  find(id) {
    return this.all().find((record) => record.key === id || record.id === id);
  }

  /** Give the unfinished payment with this very content that nobody follows: it is the same one. */
  same(body, key) {
    return this.all().find((record) => record.body === body && (!key || record.key === key) &&
      !this.#active.has(record.key));
  }

  keep(record) {
    this.#active.add(record.key);
    try {
      sessionStorage.setItem(STORE + record.key, JSON.stringify(record));
    } catch {
      this.#memory.set(record.key, record);
    }
  }

  leave(record) {
    this.#active.delete(record.key);
  }

  forget(record) {
    this.leave(record);
    this.#memory.delete(record.key);
    try {
      sessionStorage.removeItem(STORE + record.key);
    } catch {
      // It was in the memory.
    }
  }

  isActive(record) {
    return this.#active.has(record.key);
  }
}

function randomKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // A page without TLS has no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* The line to the provider --------------------------------------------------------------------- */

function pause(ms, signal) {
  return new Promise((done) => {
    if (signal?.aborted) return done();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

const jittered = (turn) => 300 * 3 ** Math.min(turn, 3) * (0.5 + Math.random());

class Line {
  #heard = -Infinity;

  constructor(base) {
    this.base = base;
  }

  get heardLately() {
    return performance.now() - this.#heard < HEARD_LATELY_MS;
  }

  async fetch(method, path, { token, body, headers = {}, signal, limit = REQUEST_LIMIT_MS } = {}) {
    const signals = [signal, limit && AbortSignal.timeout(limit)].filter(Boolean);
    return await fetch(this.base + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body,
      signal: signals.length ? AbortSignal.any(signals) : undefined,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  }

  /**
   * Ask once, and again where nothing was answered: `{status, said}`. What comes again is the same
   * request with the same key. Throws Unreached when no answer can be believed, and what `signal`
   * was aborted with.
   */
  async ask(method, path, options = {}) {
    for (let turn = 0; ; turn++) {
      let wait = jittered(turn);
      try {
        const answer = await this.fetch(method, path, options);
        const said = await answer.json().catch(() => null);
        const busy = answer.status === 429 || (answer.status === 503 && said?.error?.code);
        if (!busy && (answer.status >= 500 || (answer.ok && said === null))) {
          throw new Unreached(`HTTP ${answer.status}`);
        }
        this.#heard = performance.now();
        if (!busy || turn === RETRIES) return { status: answer.status, said };
        wait += Math.min(Number(answer.headers.get("Retry-After")) || 0, 5) * 1000;
      } catch (fault) {
        if (options.signal?.aborted) throw options.signal.reason;
        if (turn === RETRIES) throw new Unreached(String(fault?.message ?? fault));
      }
      await pause(wait, options.signal);
    }
  }

  /** Read an event stream: gives whether anything came at all. */
  async listen(path, { token, after, heard, signal }) {
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    let limit = setTimeout(() => over.abort(), FIRST_WORD_MS);
    let came = false;
    try {
      const answer = await this.fetch("GET", path, {
        token,
        headers: { Accept: "text/event-stream", "Last-Event-ID": String(after) },
        signal: stop,
        limit: 0,
      });
      const kind = answer.headers.get("Content-Type") ?? "";
      if (!answer.ok || !kind.startsWith("text/event-stream") || !answer.body) return false;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let data = "";
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return came;
        came = true;
        clearTimeout(limit);
        limit = setTimeout(() => over.abort(), SILENCE_MS);
        const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
        rest = lines.pop();
        for (const line of lines) {
          if (line.startsWith("data:")) data += line.slice(5);
          else if (line === "" && data) {
            heard(JSON.parse(data));
            data = "";
          }
        }
      }
    } catch {
      // Whether the line is dead or only carries no streams, asking will tell.
      return came;
    } finally {
      clearTimeout(limit);
    }
  }
}

/* A challenge, as the app and the dialog see it ------------------------------------------------ */

/** A question of the provider. `answer` may be called once; the provider judges the answer. */
class Challenge {
  #attempt;
  #told;
  #over = new AbortController();

  constructor(attempt, told) {
    this.#attempt = attempt;
    this.#told = told;
    this.since = performance.now();
  }

  get id() { return this.#told.id; }
  get type() { return this.#told.type; }
  get value() { return this.#told.challenge; }
  get altText() { return this.#told.alt ?? null; }
  get question() { return this.#told.question || null; }
  get input() { return this.#told.input ?? null; }
  get attemptsLeft() { return this.#told.attempts_left ?? null; }
  get expiresAt() { return this.#told.expires_at ? new Date(this.#told.expires_at) : null; }

  /** Aborted when the challenge is closed, however that comes. */
  get signal() { return this.#over.signal; }

  /** Send the customer's answer; null means that the customer does not want to. */
  answer(response) {
    if (response === null || response === undefined) return this.cancel();
    return this.#attempt.answer(this, String(response));
  }

  cancel() {
    return this.#attempt.cancel();
  }

  /** Show the built-in dialog for it; settles when the challenge is closed. */
  open() {
    this.#attempt.show(this);
    return new Promise((done) => {
      if (this.signal.aborted) done();
      else this.signal.addEventListener("abort", () => done());
    });
  }

  /** Whether a browser may go there: a page or picture of the web, never code. */
  get address() {
    try {
      const address = new URL(this.value);
      return ["https:", "http:"].includes(address.protocol) ? address : null;
    } catch {
      return null;
    }
  }

  close() {
    this.#over.abort();
  }
}

/* A payment on its way ------------------------------------------------------------------------- */

/** One pay(): begins the payment, follows it, shows its challenges, and ends exactly once. */
class Attempt {
  #zone;
  #service;
  #options;
  #record;
  #now = null;
  #challenge = null;
  #dialog = null;
  #again = false;
  #wantsNone = false;
  #reuses = false;
  #unknown = 0;
  #left = null;
  #heard = new AbortController();

  constructor(zone, service, options) {
    this.#zone = zone;
    this.#service = service;
    this.#options = options;
  }

  get payment() { return this.#now; }
  get serviceName() { return this.#record.serviceName ?? ""; }
  get zone() { return this.#zone; }
  get ways() { return this.#options.presentation ?? this.#zone.presentation; }

  async start(body, key) {
    const { kept } = this.#zone;
    const earlier = kept.same(body, key);
    this.#reuses = Boolean(earlier && !key);
    this.#record = earlier ?? this.#fresh(body, this.#service.displayName, key);
    return await this.#live();
  }

  async resume(record) {
    this.#record = record;
    return await this.#live();
  }

  /** Make what is kept of a payment until its outcome is known. */
  #fresh(body, serviceName, key = randomKey()) {
    const { base } = this.#zone;
    return { key, base, body, serviceName, id: null, token: null, since: Date.now() };
  }

  /** Live through it, and through the payments that take its place when the customer wants more time. */
  async #live() {
    const { signal } = this.#options;
    const cancelling = () => this.cancel();
    signal?.addEventListener("abort", cancelling);
    try {
      for (;;) {
        const end = await this.#once();
        if (end.state === "succeeded") {
          await this.#dialog?.end(end);
          const status = end.kind === "refund" ? "refunded" : "paid";
          return { proofOfPurchase: end.proofOfPurchase, paymentId: end.id, status };
        }
        // Another question needs another payment. This one has ended, so nothing is paid twice.
        const again = this.#again || (await this.#dialog?.end(end));
        if (!again || this.#wantsNone) throw this.#failure(end);
        this.#record = this.#fresh(this.#record.body, this.#record.serviceName);
        this.#now = null;
        this.#again = false;
      }
    } finally {
      signal?.removeEventListener("abort", cancelling);
      this.#closeChallenge();
      this.#dialog?.close();
    }
  }

  /** Begin or go on with one payment until it is final. */
  async #once() {
    const { kept } = this.#zone;
    const { signal } = this.#options;
    let known = false;
    this.#heard = new AbortController();
    try {
      if (signal?.aborted && !this.#record.id) {
        known = true;
        throw failed("cancelled", "The payment was cancelled.");
      }
      kept.keep(this.#record);
      if (!this.#record.token) await this.#begin(() => { known = true; });
      if (signal?.aborted || this.#wantsNone) this.cancel();
      if (!this.#now) await this.look({ patient: true });
      // The payment of an earlier try may have failed meanwhile: this is the next try, then.
      if (this.#reuses && this.isOver) this.#again = this.#now.state !== "succeeded";
      this.#reuses = false;
      await this.#follow();
      known = true;
      return this.#now;
    } catch (fault) {
      if (fault instanceof Gone) known = true;
      throw fault;
    } finally {
      clearTimeout(this.#left);
      this.#left = null;
      if (known) kept.forget(this.#record);
      else kept.leave(this.#record);
    }
  }

  async #begin(refused) {
    const { line, sellerKey } = this.#zone;
    // Ask something harmless first: a provider that is not there has certainly charged nothing.
    if (!line.heardLately) {
      try {
        await line.ask("GET", `/web/services?api=${encodeURIComponent(PAYMENT)}`, { token: sellerKey });
      } catch (fault) {
        if (!this.#record.sent) refused();
        throw this.#record.sent ? unknown(this.#record.id)
          : failed("unreachable", "The payment provider cannot be reached.", true);
      }
    }
    this.#record.sent = true;
    this.#zone.kept.keep(this.#record);
    const until = performance.now() + this.#zone.patienceMs;
    let answer = null;
    while (!answer) {
      try {
        answer = await line.ask("POST", "/web/payments", {
          token: sellerKey,
          body: this.#record.body,
          headers: { "Idempotency-Key": this.#record.key },
        });
      } catch (fault) {
        if (!(fault instanceof Unreached)) throw fault;
        if (performance.now() > until) throw unknown(null);
        await pause(jittered(2));
      }
    }
    if (answer.status !== 200 && answer.status !== 201) {
      refused();
      throw this.#refusal(answer);
    }
    Object.assign(this.#record, { id: answer.said.id, token: answer.said.client_token ?? null });
    this.#zone.kept.keep(this.#record);
    this.#told(answer.said);
  }

  #refusal({ status, said }) {
    if (said?.error) return new PaymentFailure(said.error, this.#record.id);
    return failed("refused", `The payment provider answered ${status}.`, false, this.#record.id);
  }

  #failure({ id, state, error }) {
    if (error) return new PaymentFailure(error, id);
    return state === "cancelled" ? failed("cancelled", "The payment was cancelled.", false, id)
      : failed(null, "The payment failed.", false, id);
  }

  get #path() {
    return `/web/payments/${encodeURIComponent(this.#record.id)}`;
  }

  get isOver() {
    return this.#now !== null && FINAL.has(this.#now.state);
  }

  /** Follow the payment: a stream of events, and questions that wait where no stream gets through. */
  async #follow() {
    const { line, patienceMs } = this.#zone;
    let streams = true;
    let lost = null;
    for (let turn = 0; !this.isOver; ) {
      const { signal } = this.#heard;
      if (this.#unknown && performance.now() - this.#unknown > patienceMs) throw unknown(this.#record.id);
      try {
        let came = false;
        if (streams) {
          came = await line.listen(`${this.#path}/events`, {
            token: this.#record.token,
            after: Math.max(0, (this.#now.events ?? 1) - 1),
            heard: (told) => this.#told(told),
            signal,
          });
          streams = came;
        }
        if (!came && !this.isOver) await this.#wait(signal);
        // Streams may end at once, again and again.
        else if (!this.isOver) await pause(jittered(0), signal);
        lost = null;
        turn = 0;
      } catch (fault) {
        if (this.isOver) break;
        if (fault instanceof PaymentFailure) throw fault;
        if (signal.aborted) continue;
        streams = true;
        lost ??= performance.now();
        if (performance.now() - lost > patienceMs) throw unknown(this.#record.id);
        await pause(jittered(Math.min(turn++, 2)), signal);
      }
    }
  }

  async #wait(signal) {
    const { line } = this.#zone;
    const after = this.#now.events ?? 0;
    const answer = await line.ask("GET", `${this.#path}?wait=${WAIT_S}&after=${after}`, {
      token: this.#record.token,
      limit: (WAIT_S + 15) * 1000,
      signal,
    });
    this.#heed(answer);
  }

  #heed(answer) {
    if (answer.status === 200) this.#told(answer.said);
    else if ([401, 403, 404, 410].includes(answer.status)) {
      const message = "The payment provider does not know this payment any more.";
      throw new Gone({ reason: "unknown_payment", message }, this.#record.id);
    } else throw new Unreached(`HTTP ${answer.status}`);
  }

  /** Ask how it stands, now. */
  async look({ patient = false } = {}) {
    const until = performance.now() + this.#zone.patienceMs;
    for (;;) {
      try {
        return this.#heed(await this.#zone.line.ask("GET", this.#path, { token: this.#record.token }));
      } catch (fault) {
        if (!patient) {
          if (fault instanceof Unreached) return;
          throw fault;
        }
        if (!(fault instanceof Unreached)) throw fault;
        if (performance.now() > until) throw unknown(this.#record.id);
        await pause(jittered(2));
      }
    }
  }

  /** Take in how the payment stands; what is older than what we know says nothing. */
  #told(told) {
    if (!isObject(told) || told.id !== this.#record.id || this.isOver) return;
    if (this.#now && (told.events ?? 0) < (this.#now.events ?? 0)) return;
    this.#now = told;
    if (told.state === "unknown") {
      this.#unknown ||= performance.now();
      // The line may be silent for long; look up when patience ends.
      this.#left ??= setTimeout(() => this.#interrupt(), this.#zone.patienceMs + 100);
    } else {
      this.#unknown = 0;
    }
    const open = told.state === "challenge_required" ? told.challenge : null;
    if (this.#challenge && this.#challenge.id !== open?.id) this.#closeChallenge();
    if (open && !this.#challenge) this.#put(open);
    this.#dialog?.told();
    if (this.isOver) this.#interrupt();
  }

  #interrupt() {
    const before = this.#heard;
    if (!this.isOver) this.#heard = new AbortController();
    before.abort();
  }

  #closeChallenge() {
    const closed = this.#challenge;
    this.#challenge = null;
    if (!closed) return;
    this.#service?.open.delete(closed);
    closed.close();
    // Where the app asks, the dialog was borrowed for one question.
    if (this.#options.onChallenge) this.#dialog?.close();
  }

  #put(told) {
    const challenge = new Challenge(this, told);
    this.#challenge = challenge;
    this.#service?.open.add(challenge);
    if (!KINDS.includes(told.type)) {
      report(new Error(`The provider asks in a way this page does not know: ${told.type}`));
      this.cancel();
      return;
    }
    const { onChallenge } = this.#options;
    if (onChallenge) queueMicrotask(() => !challenge.signal.aborted && onChallenge(challenge));
    else this.show(challenge);
  }

  /** Show the built-in dialog, or the browser's own payment window where the page wishes it. */
  async show(challenge) {
    if (challenge !== this.#challenge) return;
    const native = challenge.type === "url" && this.ways.includes("payment-handler");
    if (native && !this.#dialog?.isOpen && (await this.#handOver(challenge))) return;
    if (challenge !== this.#challenge) return;
    if (!this.#dialog?.isOpen) this.#dialog = new Dialog(this);
    this.#dialog.present(challenge);
  }

  /** Let the browser's payment handler show the provider's page. Gives whether it did. */
  async #handOver(challenge) {
    if (!("PaymentRequest" in globalThis) || !challenge.address) return false;
    const { amount, currency, seller, sellerID } = this.#now;
    let response;
    // The window opens from the customer's click only, and refunds have no place in it.
    try {
      const data = { challenge: challenge.value };
      const method = { supportedMethods: `${this.#zone.base}/client/pay`, data };
      const total = { label: seller?.name ?? sellerID, amount: { currency, value: amount } };
      const request = new PaymentRequest([method], { total });
      // A window whose customer is done closes by itself; Chromium crashes where both close it.
      challenge.signal.addEventListener("abort", async () => {
        await pause(HANDLER_CLOSES_MS);
        if (!response) await request.abort().catch(() => {});
      });
      response = await request.show();
    } catch (fault) {
      // No handler, no refunds there, or the click is too long ago: our own dialog can do it.
      if (fault.name !== "AbortError") return false;
      await this.look();
      if (!challenge.signal.aborted) await this.cancel();
      return true;
    }
    await this.look();
    const paid = this.#now.state === "succeeded";
    await response.complete(paid ? "success" : this.isOver ? "fail" : "unknown").catch(() => {});
    return challenge.signal.aborted;
  }

  async answer(challenge, response) {
    if (challenge !== this.#challenge) return;
    const path = `${this.#path}/challenges/${encodeURIComponent(challenge.id)}/answer`;
    await this.#order(path, JSON.stringify({ answer: response }));
  }

  async cancel() {
    this.#wantsNone = true;
    if (this.#record?.token && !this.isOver) await this.#order(`${this.#path}/cancel`, "{}");
  }

  /** Let a fresh payment take this one's place, with a fresh question. */
  async renew() {
    this.#again = true;
    await this.#order(`${this.#path}/cancel`, "{}");
    if (!this.isOver) this.#again = false;
  }

  /** Send an order. Sent twice it does nothing twice; what became of it, the payment says. */
  async #order(path, body) {
    try {
      const answer = await this.#zone.line.ask("POST", path, { token: this.#record.token, body });
      if (answer.status === 200) this.#told(answer.said);
      else await this.look();
    } catch (fault) {
      // We follow the payment anyhow: whoever follows it decides.
      if (!(fault instanceof Unreached || fault instanceof PaymentFailure)) report(fault);
      this.#dialog?.unheard();
    }
  }
}

/** The provider knows no such payment: there is nothing left to wait for. */
class Gone extends PaymentFailure {}

/** Let an app's onChallenge answer with what it gives; without one the dialog asks. */
function answering(onChallenge) {
  if (!isFunction(onChallenge)) return null;
  return async (challenge) => {
    try {
      const response = await onChallenge(challenge);
      const answers = response !== undefined && response !== null && !challenge.signal.aborted;
      if (answers) await challenge.answer(response);
    } catch (fault) {
      report(fault);
    }
  };
}

/* The dialog ------------------------------------------------------------------------------------ */

/** What the dialog says; connect({ words }) changes any of it. */
const WORDS = {
  charge: "Confirm your payment",
  refund: "Confirm your refund",
  to: "to {seller}",
  from: "from {seller}",
  confirm: "Confirm",
  answer: "Your answer",
  cancel: "Cancel payment",
  cancelAsk: "Cancel this payment? Nothing has been charged.",
  cancelNo: "Keep paying",
  tooLate: "It is too late to cancel: the payment is being made.",
  attempts: "{count} attempts left",
  attemptsOne: "Last attempt",
  left: "{time} left",
  soon: "One minute left to answer.",
  over: "The time is over.",
  more: "More time",
  renewing: "Getting a new question for you.",
  wrong: "That was not right. Please try again.",
  another: "Thank you. One more question.",
  empty: "Please answer first.",
  checking: "Checking your answer.",
  waiting: "Waiting for your bank.",
  unheard: "The connection is slow. We keep trying.",
  pictureAlt: "A picture with a question",
  pictureOther: "I cannot see the picture",
  pictureNone: "The picture cannot be shown here.",
  frame: "Confirmation page of {host}",
  loading: "Opening the confirmation page.",
  stuck: "The confirmation page does not open here. It opens in a window of its own.",
  popup: "You confirm on a page of {host}, in a window of its own.",
  redirect: "You confirm on a page of {host} and come back here afterwards.",
  openWindow: "Open in a new window",
  openAgain: "Open it again",
  toWindow: "Show the window",
  windowOpen: "Go on in the other window.",
  windowClosed: "The window was closed. Has the payment been confirmed? We are asking.",
  windowBlocked: "The browser did not open a window.",
  onThisPage: "Continue on this page",
  goThere: "Continue to {host}",
  paid: "Payment approved",
  refunded: "Refund approved",
  failed: "The payment was not made",
  expired: "The time to answer is over. Nothing has been charged.",
  tryAgain: "Try again",
  leave: "Back to the shop",
};

const CSS = `
:host { all: initial; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
dialog {
  --ink: #17202b; --soft: #55616f; --panel: #fff; --sunk: #f3f6f8; --line: #d8dee5; --edge: #8793a1;
  --mark: #0b6e4f; --mark-ink: #fff; --mark-soft: #e3f3ec; --bad: #b3261e; --bad-soft: #fbe9e7;
  --focus: #1d5fd1;
  color-scheme: light dark; width: min(27rem, calc(100vw - 2rem)); max-width: none;
  max-height: calc(100dvh - 2rem); padding: 0; overflow: hidden auto; overscroll-behavior: contain;
  color: var(--ink); background: var(--panel); border: 1px solid var(--line); border-radius: 20px;
  box-shadow: 0 2px 4px rgb(15 25 40 / 10%), 0 24px 64px -12px rgb(15 25 40 / 38%);
  font: 16px/1.5 system-ui, Roboto, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  text-align: start; -webkit-text-size-adjust: 100%;
}
dialog[data-wide] { width: min(33rem, calc(100vw - 2rem)); }
dialog::backdrop { background: rgb(13 20 30 / 46%); backdrop-filter: blur(3px); }
dialog[open] { display: flex; flex-direction: column; animation: rise .28s cubic-bezier(.2, .8, .25, 1); }
dialog[open]::backdrop { animation: fade .28s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(14px) scale(.985); } }
@keyframes fade { from { opacity: 0; } }
@media (max-width: 30rem) {
  dialog, dialog[data-wide] { width: 100%; margin: auto 0 0; max-height: calc(100dvh - 12px); border-width: 1px 0 0;
    border-radius: 20px 20px 0 0; }
  @keyframes rise { from { transform: translateY(40px); opacity: 0; } }
}
h2, p, figure, form { margin: 0; }
button, input { font: inherit; color: inherit; }
:focus { outline: none; }
[tabindex="-1"]:focus { outline: none; }
:focus-visible:not([tabindex="-1"]) { outline: 3px solid var(--focus); outline-offset: 2px; }
svg { flex: none; fill: none; stroke: currentcolor; stroke-linecap: round; stroke-linejoin: round; stroke-width: 2; }

.head, .foot { flex: none; }
.head { padding: 18px 24px 20px; background: var(--sunk); border-bottom: 1px solid var(--line); }
.provider { display: flex; align-items: center; gap: 8px; font-size: 13px; font-weight: 600; color: var(--soft); }
.provider svg { width: 16px; height: 16px; color: var(--mark); }
h2 { margin-top: 14px; font-size: 14px; font-weight: 500; line-height: 1.4; color: var(--soft); }
.amount { font-size: 36px; font-weight: 650; line-height: 1.2; letter-spacing: -.025em; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.amount small { font-size: 16px; font-weight: 600; letter-spacing: 0; color: var(--soft); }
.to { font-size: 16px; font-weight: 600; overflow-wrap: anywhere; }
.what { margin-top: 2px; font-size: 14px; color: var(--soft); overflow-wrap: anywhere;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }

[data-wide] .head { padding: 14px 24px 14px; }
[data-wide] h2 { margin-top: 8px; }
[data-wide] .amount { font-size: 26px; }
[data-wide] .what { -webkit-line-clamp: 1; }
[data-wide] .body { padding-top: 14px; }
[data-wide] .body > * + * { margin-top: 8px; }
[data-wide] .foot { padding-top: 8px; padding-bottom: 12px; }

.body { flex: 1 0 auto; display: flex; flex-direction: column; padding: 20px 24px 0; }
.body > * + *, form > * + * { margin-top: 14px; }
label, .say { display: block; font-size: 16px; line-height: 1.45; overflow-wrap: anywhere; }
label { font-weight: 600; }
.say { color: var(--soft); }
input { width: 100%; min-height: 52px; padding: 8px 14px; margin-top: 8px; background: var(--panel);
  border: 1.5px solid var(--edge); border-radius: 12px; font-size: 18px; }
input[data-kind="digits"] { font-size: 24px; font-weight: 600; letter-spacing: .22em; font-variant-numeric: tabular-nums; }
input:focus { border-color: var(--mark); outline: 3px solid var(--focus); outline-offset: 1px; }
input[aria-invalid="true"] { border-color: var(--bad); }
input:disabled { color: var(--soft); background: var(--sunk); }
.wrong { display: flex; gap: 8px; padding: 10px 12px; font-size: 14.5px; font-weight: 600; color: var(--bad);
  background: var(--bad-soft); border-radius: 10px; }
.wrong:empty { display: none; }
.meta { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 16px; min-height: 32px; font-size: 13.5px; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.meta span:empty { display: none; }
.meta button { margin-inline-start: auto; }

figure { padding: 10px; text-align: center; background: #fff; border: 1px solid var(--line); border-radius: 14px; }
figure img { display: block; max-width: 100%; max-height: min(38dvh, 260px); margin: 0 auto; border-radius: 8px; }
.other { padding: 12px 14px; font-size: 15px; background: var(--sunk); border-radius: 10px; overflow-wrap: anywhere; }

.place { display: flex; align-items: center; gap: 7px; font-size: 13.5px; font-weight: 600; color: var(--soft); overflow-wrap: anywhere; }
.line { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0 16px; }
.place svg { width: 14px; height: 14px; }
.frame { position: relative; height: min(480px, 58dvh); min-height: 240px; overflow: hidden; background: var(--sunk);
  border: 1px solid var(--line); border-radius: 14px; }
iframe { display: block; width: 100%; height: 100%; border: 0; background: #fff; opacity: 0; transition: opacity .2s; }
.frame[data-ready] iframe { opacity: 1; }
.frame[data-ready] .busy { display: none; }
.frame .busy { position: absolute; inset: 0; }

.busy { flex: 1; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 14px; min-height: 130px;
  padding: 12px; text-align: center; color: var(--soft); }
.spin { width: 34px; height: 34px; border: 3px solid var(--line); border-top-color: var(--mark); border-radius: 50%;
  animation: turn .9s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
.done { gap: 10px; color: var(--ink); font-size: 18px; font-weight: 600; }
.done p + p { font-size: 15px; font-weight: 400; color: var(--soft); }
.seal { display: grid; place-items: center; width: 60px; height: 60px; border-radius: 50%; color: var(--mark);
  background: var(--mark-soft); animation: pop .32s cubic-bezier(.2, 1.4, .4, 1); }
.seal svg { width: 30px; height: 30px; stroke-width: 2.6; }
.seal[data-bad] { color: var(--bad); background: var(--bad-soft); }
@keyframes pop { from { transform: scale(.6); opacity: 0; } }

.status { margin-top: 12px; padding: 0 24px; font-size: 14px; color: var(--soft); }
.status:empty { margin: 0; }
.status[data-quiet] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.foot { display: grid; gap: 8px; padding: 18px 24px max(20px, env(safe-area-inset-bottom)); }
.ask { padding: 14px 16px 16px; background: var(--sunk); border: 1px solid var(--line); border-radius: 14px; }
.ask p { font-weight: 600; }
.ask button { padding: 6px; font-size: 15px; }
.ask div { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; margin-top: 12px; }
@media (max-width: 22rem) { .ask div { grid-template-columns: 1fr; } }
.strong, .plain, .quiet { display: inline-flex; align-items: center; justify-content: center; min-height: 48px; padding: 8px 18px;
  font-weight: 600; text-align: center; border: 1.5px solid transparent; border-radius: 12px; cursor: pointer; background: none; }
.strong { color: var(--mark-ink); background: var(--mark); }
.strong:hover { filter: brightness(1.1); }
.plain { background: var(--panel); border-color: var(--edge); }
.plain:hover, .quiet:hover { background: var(--sunk); }
.quiet { min-height: 40px; color: var(--soft); }
.quiet:hover { color: var(--ink); }
.bad { color: var(--bad); border-color: currentcolor; }
.link { min-height: 28px; padding: 2px 6px; font-size: 14px; font-weight: 600; color: var(--mark); background: none;
  border: 0; border-radius: 6px; text-decoration: underline; text-underline-offset: 3px; cursor: pointer; }
button:disabled { opacity: .55; cursor: default; filter: none; }

@media (prefers-color-scheme: dark) {
  dialog { --ink: #e9eef4; --soft: #a6b2c0; --panel: #1a2129; --sunk: #141a21; --line: #303b47; --edge: #738090;
    --mark: #54c79b; --mark-ink: #06281c; --mark-soft: #14382d; --bad: #ff9d94; --bad-soft: #431f1d; --focus: #8bb6ff;
    box-shadow: 0 24px 64px -12px rgb(0 0 0 / 80%); }
  dialog::backdrop { background: rgb(4 7 11 / 62%); }
}
@media (prefers-reduced-motion: reduce) {
  *, dialog[open], dialog[open]::backdrop, .seal { animation: none !important; transition: none !important; }
  .spin { border-style: dotted; border-color: var(--mark); }
}
@media (forced-colors: active) {
  .strong { border-color: ButtonText; }
  .spin { border-top-color: CanvasText; }
}
`;

const SVG = "http://www.w3.org/2000/svg";
const LOCK = "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11";
const CHECK = "M5 12.5 10 17.5 19 7";
const CROSS = "M7 7l10 10M17 7 7 17";
const PICTURES = /^data:image\/(png|jpeg|webp|svg\+xml)[;,]/i;
const SANDBOX = "allow-scripts allow-forms allow-same-origin allow-popups";
const RIGHT_TO_LEFT = /^(ar|dv|fa|he|ps|ur|yi)\b/i;
const MORE_TIME_S = 120;
const SOON_S = 60;
const PAID_SHOWN_MS = 900;

/** Make an element. Texts are set as text: nothing that comes from elsewhere becomes markup. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function drawing(path) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  made.append(line);
  return made;
}

const busy = (text) =>
  el("div", { class: "busy" }, el("div", { class: "spin", "aria-hidden": "true" }), el("p", {}, text));

let sheet = null;

function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}

/** Write an amount for people: the digits as they were told, in the reader's way of writing. */
function money(amount, currency) {
  const digits = String(amount ?? "").replace(/^-/, "");
  const places = digits.split(".")[1]?.length ?? 0;
  try {
    const format = new Intl.NumberFormat(undefined, { minimumFractionDigits: places, maximumFractionDigits: 20 });
    return [format.format(digits), currency];
  } catch {
    return [digits, currency];
  }
}

/** The built-in challenges: one dialog for one pay(), whatever it is asked. */
class Dialog {
  #attempt;
  #words;
  #host = el("div");
  #dialog;
  #heading;
  #body = el("div", { class: "body" });
  #status = el("p", { class: "status", role: "status", "data-quiet": true });
  #foot = el("div", { class: "foot" });
  #challenge = null;
  #answered = null;
  #view = new AbortController();
  #asking = null;
  #popup = null;
  #closing = false;
  #decide = null;

  constructor(attempt) {
    this.#attempt = attempt;
    this.#words = attempt.zone.words;
    const root = this.#host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles()];
    const { seller, sellerID, amount, currency, kind, bill } = attempt.payment;
    const refund = kind === "refund";
    const [digits, code] = money(amount, currency);
    const { lang, base } = attempt.zone;
    const payee = this.#say(refund ? "from" : "to", { seller: seller?.name || sellerID });
    const what = bill?.description ? String(bill.description) : "";
    this.#heading = el("h2", { id: "heading" }, this.#say(refund ? "refund" : "charge"));
    this.#dialog = el(
      "dialog",
      {
        "aria-labelledby": "heading",
        "aria-describedby": "sum",
        lang,
        dir: RIGHT_TO_LEFT.test(lang) ? "rtl" : "ltr",
        oncancel: (event) => this.#escape(event),
        onclose: () => this.#reopen(),
      },
      el(
        "div",
        { class: "head" },
        el("p", { class: "provider" }, drawing(LOCK), attempt.serviceName || new URL(base).host),
        this.#heading,
        el(
          "div",
          { id: "sum" },
          el("p", { class: "amount" }, `${digits} `, el("small", {}, code)),
          el("p", { class: "to", dir: "auto" }, payee),
          what && el("p", { class: "what", dir: "auto" }, what),
        ),
      ),
      this.#body,
      this.#status,
      this.#foot,
    );
    root.append(this.#dialog);
    document.body.append(this.#host);
    this.#dialog.showModal();
  }

  #say(name, values = {}) {
    return this.#words[name].replace(/\{(\w+)\}/g, (_, each) => values[each] ?? "");
  }

  #tell(text, { quiet = false } = {}) {
    this.#status.toggleAttribute("data-quiet", quiet);
    this.#status.textContent = text;
  }

  /** Replace what the dialog asks; whatever watched the old view ends. */
  #show(body, foot, { wide = false } = {}) {
    this.#view.abort();
    this.#view = new AbortController();
    this.#asking = null;
    this.#dialog.toggleAttribute("data-wide", wide);
    this.#dialog.style.minHeight = "";
    this.#body.replaceChildren(...body.filter(Boolean));
    this.#foot.replaceChildren(...foot.filter(Boolean));
    this.#tell("");
  }

  get #where() {
    return this.#challenge.address?.host ?? "";
  }

  #button(kind, words, onclick, more = {}) {
    return el("button", { type: "button", class: kind, onclick, ...more }, words);
  }

  #cancelButton() {
    return this.#button("quiet", this.#say("cancel"), () => this.#askCancel());
  }

  present(challenge) {
    const before = this.#answered;
    this.#answered = null;
    this.#popup?.close();
    this.#popup = null;
    this.#challenge = challenge;
    const same = before?.type === challenge.type;
    const wrong = same && (challenge.attemptsLeft ?? Infinity) < (before.attemptsLeft ?? Infinity);
    if (challenge.type === "url") this.#showPage();
    else this.#showQuestion(wrong);
    if (before && !wrong) this.#tell(this.#say("another"));
  }

  /* A question of text or of a picture */

  #showQuestion(wrong) {
    const { type, value, altText, question, input } = this.#challenge;
    const picture = type === "image";
    const asked = picture ? (question ?? this.#say("answer")) : value;
    const field = el("input", {
      id: "answer",
      name: "answer",
      autocomplete: picture ? "off" : "one-time-code",
      inputmode: input === "digits" ? "numeric" : "text",
      "data-kind": input ?? "text",
      autocapitalize: "off",
      spellcheck: "false",
      enterkeyhint: "done",
      "aria-describedby": "wrong meta",
      "aria-invalid": wrong ? "true" : null,
      autofocus: true,
      dir: "auto",
    });
    const trouble = el("p", { class: "wrong", id: "wrong" }, wrong ? this.#say("wrong") : "");
    const form = el(
      "form",
      { id: "form", novalidate: true, autocomplete: "off" },
      el("div", {}, el("label", { for: "answer", dir: "auto" }, asked), field),
      trouble,
      this.#meta(),
    );
    const send = el("button", { type: "submit", form: "form", class: "strong" }, this.#say("confirm"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!field.value.trim()) {
        trouble.textContent = this.#say("empty");
        field.setAttribute("aria-invalid", "true");
        field.focus();
        return;
      }
      field.disabled = send.disabled = true;
      this.#send(field.value);
    });
    this.#show([picture ? this.#picture(value, altText) : null, form], [send, this.#cancelButton()]);
    this.#watchTime();
    if (wrong) this.#tell(`${this.#say("wrong")} ${this.#attempts()}`, { quiet: true });
    field.focus();
  }

  #picture(value, altText) {
    const { address } = this.#challenge;
    const own = address?.origin === new URL(this.#attempt.zone.base).origin;
    const shown = PICTURES.test(value) || own;
    const words = altText ?? this.#say("pictureNone");
    const other = el("p", { class: "other", id: "other", hidden: shown, dir: "auto" }, words);
    if (!shown) return other;
    const reveal = this.#button("link", this.#say("pictureOther"), () => {
      other.hidden = !other.hidden;
      reveal.setAttribute("aria-expanded", String(!other.hidden));
    }, { "aria-expanded": "false", "aria-controls": "other" });
    const image = el("img", { src: value, alt: altText ?? this.#say("pictureAlt") });
    image.addEventListener("error", () => { other.hidden = false; });
    return el("div", {}, el("figure", {}, image), altText ? reveal : null, other);
  }

  #attempts() {
    const { attemptsLeft, type } = this.#challenge;
    if (attemptsLeft === null || type === "url") return "";
    return attemptsLeft === 1 ? this.#say("attemptsOne") : this.#say("attempts", { count: attemptsLeft });
  }

  #meta() {
    const wish = ({ currentTarget }) => this.#moreTime(currentTarget);
    return el(
      "p",
      { class: "meta", id: "meta" },
      el("span", {}, this.#attempts()),
      el("span", { role: "timer", class: "time" }),
      this.#button("link more", this.#say("more"), wish, { hidden: true }),
    );
  }

  async #moreTime(button) {
    button.disabled = true;
    this.#tell(this.#say("renewing"));
    this.#answered = null;
    await this.#attempt.renew();
    button.disabled = false;
  }

  /** Tell how long is left, once a second for the eye and seldom for the ear. */
  #watchTime() {
    const until = this.#challenge.expiresAt?.getTime();
    const time = this.#body.querySelector(".time");
    const more = this.#body.querySelector(".more");
    // A clock that is far off would tell nonsense.
    if (!until || !time || until - Date.now() > 86_400_000) return;
    let warned = until - Date.now() < SOON_S * 1000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      more.hidden = left > MORE_TIME_S || left <= 0;
      time.textContent = left <= 0 ? this.#say("over")
        : this.#say("left", { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` });
      if (left <= SOON_S && !warned) {
        warned = true;
        this.#tell(this.#say("soon"), { quiet: true });
      }
    };
    tick();
    const timer = setInterval(tick, 1000);
    this.#view.signal.addEventListener("abort", () => clearInterval(timer));
  }

  async #send(text) {
    const challenge = this.#challenge;
    this.#answered = challenge;
    this.#tell(this.#say("checking"));
    await challenge.answer(text);
    if (challenge.signal.aborted || this.#challenge !== challenge || this.#closing) return;
    // The provider did not take it, or never heard it: the same question is still open.
    this.#answered = null;
    const field = this.#body.querySelector("input");
    if (!field) return;
    field.disabled = false;
    this.#foot.querySelector(".strong").disabled = false;
    field.focus();
  }

  /* A page of the provider */

  #showPage() {
    if (!this.#challenge.address) {
      this.#show([el("p", { class: "say" }, this.#say("failed"))], [this.#cancelButton()]);
      return;
    }
    const { ways } = this.#attempt;
    if (ways.includes("inline")) this.#showFrame();
    else if (ways.includes("popup")) this.#showWindow(this.#say("popup", { host: this.#where }));
    else this.#showRedirect(this.#say("redirect", { host: this.#where }));
  }

  #showFrame() {
    const { address } = this.#challenge;
    const frame = el("iframe", {
      title: this.#say("frame", { host: address.host }),
      sandbox: SANDBOX,
      allow: "payment; publickey-credentials-get",
      referrerpolicy: "no-referrer",
      src: address.href,
    });
    const box = el("div", { class: "frame" }, busy(this.#say("loading")), frame);
    const stuck = el("p", { class: "say", hidden: true }, this.#say("stuck"));
    const open = () => this.#openWindow();
    const opening = this.#button("strong", this.#say("openWindow"), open, { hidden: true });
    const line = el("div", { class: "line" }, this.#place(), this.#meta());
    this.#show([line, box, stuck], [opening, this.#cancelButton()], { wide: true });
    const settle = (ready) => {
      box.toggleAttribute("data-ready", ready);
      box.hidden = !ready;
      stuck.hidden = opening.hidden = ready;
    };
    // A page that may not be framed still "loads": only its own word says that it is there.
    const timer = setTimeout(() => {
      settle(false);
      if (this.#attempt.ways.includes("popup")) opening.focus();
      else this.#showRedirect(this.#say("stuck"));
    }, FRAME_READY_MS);
    this.#view.signal.addEventListener("abort", () => clearTimeout(timer));
    this.#hear(() => frame.contentWindow, () => {
      clearTimeout(timer);
      settle(true);
      this.#tell("");
      frame.focus();
    });
    this.#tell(this.#say("loading"), { quiet: true });
    this.#watchTime();
  }

  /** Listen to the provider's page. What it says is a hint: the server is asked. */
  #hear(source, ready) {
    const { origin } = this.#challenge.address;
    window.addEventListener("message", (event) => {
      if (event.origin !== origin || event.source !== source() || !event.source) return;
      if (event.data?.type === "tollbridge:ready") ready?.();
      if (event.data?.type === "tollbridge:done") {
        this.#tell(this.#say("waiting"));
        void this.#attempt.look();
      }
    }, { signal: this.#view.signal });
  }

  #place() {
    return el("p", { class: "place" }, drawing(LOCK), this.#where);
  }

  #showSaying(text, ...buttons) {
    const view = [this.#place(), el("p", { class: "say" }, text), this.#meta()];
    this.#show(view, [...buttons, this.#cancelButton()]);
  }

  /** Offer a window. It opens from the click only: elsewhere the browser may not let it. */
  #showWindow(text, { again = false } = {}) {
    const { ways } = this.#attempt;
    const words = this.#say(again ? "openAgain" : "openWindow");
    const opening = this.#button("strong", words, () => this.#openWindow());
    const going = again && ways.includes("redirect")
      ? this.#button("plain", this.#say("onThisPage"), () => this.#redirect()) : null;
    this.#showSaying(text, opening, going);
    this.#watchTime();
    opening.focus();
  }

  #openWindow() {
    const popup = window.open(this.#challenge.value, "", "popup,width=480,height=680");
    if (!popup) {
      if (this.#attempt.ways.includes("redirect")) this.#showRedirect(this.#say("windowBlocked"));
      else this.#tell(this.#say("windowBlocked"));
      return;
    }
    this.#popup = popup;
    const front = this.#button("strong", this.#say("toWindow"), () => popup.focus());
    const view = [this.#place(), busy(this.#say("windowOpen")), this.#meta()];
    this.#show(view, [front, this.#cancelButton()]);
    this.#tell(this.#say("windowOpen"), { quiet: true });
    this.#watchTime();
    this.#hear(() => popup);
    const challenge = this.#challenge;
    const watch = setInterval(async () => {
      if (!popup.closed) return;
      clearInterval(watch);
      this.#tell(this.#say("windowClosed"));
      // A closed window may have done it: the server knows.
      await this.#attempt.look();
      if (this.#challenge === challenge && !challenge.signal.aborted && !this.#closing) {
        this.#showWindow(this.#say("popup", { host: this.#where }), { again: true });
      }
    }, LOOK_AT_WINDOW_MS);
    this.#view.signal.addEventListener("abort", () => clearInterval(watch));
  }

  #showRedirect(text) {
    const going = this.#button("strong", this.#say("goThere", { host: this.#where }), () => this.#redirect());
    this.#showSaying(text, going);
    this.#watchTime();
    going.focus();
  }

  #redirect() {
    const { address } = this.#challenge;
    // The fragment stays in the browser; the provider's page comes back to where it was asked from.
    const back = `return=${encodeURIComponent(location.href)}`;
    location.assign(`${address.href}${address.hash ? "&" : "#"}${back}`);
  }

  /* Leaving */

  #escape(event) {
    if (event.target !== this.#dialog) return;
    event.preventDefault();
    if (this.#decide) this.#decide(false);
    else if (this.#asking) this.#asking();
    else this.#askCancel();
  }

  /** A browser closes a dialog at the second Escape, whoever minds. */
  #reopen() {
    if (this.#closing) return;
    this.#dialog.showModal();
    if (this.#decide) this.#decide(false);
    else this.#askCancel();
  }

  #askCancel() {
    if (this.#asking || !this.#challenge || this.#challenge.signal.aborted) return;
    const before = [...this.#foot.children];
    const focused = this.#host.shadowRoot.activeElement;
    const back = () => {
      this.#asking = null;
      this.#foot.replaceChildren(...before);
      (focused?.isConnected && !focused.disabled ? focused : this.#foot.querySelector("button")).focus();
    };
    const keep = this.#button("plain", this.#say("cancelNo"), back);
    const leave = this.#button("plain bad", this.#say("cancel"), async () => {
      keep.disabled = leave.disabled = true;
      await this.#attempt.cancel();
      if (this.#closing || this.#attempt.isOver) return;
      if (this.#asking) back();
      this.#tell(this.#say("tooLate"));
    });
    this.#asking = back;
    const question = el("p", { id: "ask" }, this.#say("cancelAsk"));
    const group = { class: "ask", role: "group", "aria-labelledby": "ask" };
    this.#foot.replaceChildren(el("div", group, question, el("div", {}, keep, leave)));
    keep.focus();
  }

  /* What the payment says */

  told() {
    const { state } = this.#attempt.payment;
    if (state !== "processing" && state !== "unknown") return;
    this.#showBusy(this.#say(this.#answered ? "checking" : "waiting"));
  }

  /** Keep the size it has: the dialog stays calm while little is to be seen. */
  #steadily(...view) {
    const height = this.#dialog.offsetHeight;
    this.#show(...view);
    this.#dialog.style.minHeight = `${height}px`;
  }

  #showBusy(text) {
    this.#steadily([busy(text)], []);
    this.#tell(text, { quiet: true });
    this.#focusHeading();
  }

  unheard() {
    this.#tell(this.#say("unheard"));
  }

  #focusHeading() {
    this.#heading.tabIndex = -1;
    this.#heading.focus();
  }

  /** Show how it ended; gives whether the customer wants another try. */
  async end({ state, kind, error }) {
    if (this.#closing) return false;
    this.#popup?.close();
    if (state === "cancelled") {
      this.close();
      return false;
    }
    const paid = state === "succeeded";
    const expired = !paid && error?.code === "payment_authentication_failed" && error.retryPossible;
    const title = paid ? this.#say(kind === "refund" ? "refunded" : "paid") : this.#say("failed");
    const reason = expired ? this.#say("expired") : (error?.message ?? "");
    const why = paid ? null : el("p", { dir: "auto" }, reason);
    const look = { class: "seal", "data-bad": !paid, "aria-hidden": "true" };
    const seal = el("div", look, drawing(paid ? CHECK : CROSS));
    const decided = new Promise((decide) => { this.#decide = decide; });
    const leave = this.#button(expired ? "quiet" : "strong", this.#say("leave"), () => this.#decide(false));
    const again = this.#button("strong", this.#say("tryAgain"), () => this.#decide(true));
    this.#challenge = null;
    const view = el("div", { class: "busy done" }, ...[seal, el("p", {}, title), why].filter(Boolean));
    this.#steadily([view], paid ? [] : expired ? [again, leave] : [leave]);
    this.#tell(`${title}. ${why?.textContent ?? ""}`, { quiet: true });
    if (paid) {
      this.#focusHeading();
      await pause(PAID_SHOWN_MS);
      this.close();
      return false;
    }
    (expired ? again : leave).focus();
    const wish = await decided;
    this.#decide = null;
    if (!wish) this.close();
    else this.#showBusy(this.#say("renewing"));
    return wish;
  }

  get isOpen() {
    return !this.#closing;
  }

  close() {
    if (this.#closing) return;
    this.#closing = true;
    this.#view.abort();
    this.#popup?.close();
    this.#decide?.(false);
    this.#dialog.close();
    this.#host.remove();
  }
}

/* Services and their discovery ----------------------------------------------------------------- */

/** A payment service that was found: the Service interface, and pay(). */
class PaymentService {
  #zone;
  #compat;

  constructor(zone, told, compat) {
    this.#zone = zone;
    this.#compat = compat;
    this.state = {};
    for (const name of ["api", "id", "displayName", "description", "icon", "serviceAddress"]) {
      this[name] = told[name] ?? "";
    }
    this.capabilities = told.capabilities ?? {};
    // The challenges of this object's payments that wait for an answer, oldest first.
    Object.defineProperty(this, "open", { value: new Set() });
  }

  bindService(callbacks) {
    const onBind = isFunction(callbacks) ? callbacks : callbacks?.onBind;
    this.state.bound = true;
    if (!isFunction(onBind)) return;
    const bound = () => safely(onBind.bind(callbacks), this);
    // Old pages find what they bound on the next line.
    if (this.#compat) bound();
    else queueMicrotask(bound);
  }

  unbindService() {
    this.state.bound = false;
  }

  /**
   * Pay. With one object: gives a promise of {proofOfPurchase, paymentId, status}, or rejects with
   * a PaymentFailure. With callbacks, as the specification has it: gives undefined, and calls
   * exactly one of successCallback and errorCallback, once.
   */
  pay(...given) {
    if (given.length === 1 && isObject(given[0])) return this.#promised(given[0]);
    const [success, error, challenge, items, bill, customerID, sellerID] = given;
    if (!isFunction(success)) throw new TypeError("pay: successCallback is not a function");
    if (!isFunction(error)) throw new TypeError("pay: errorCallback is not a function");
    const mute = this.#compat && (challenge === null || challenge === undefined);
    if (!isFunction(challenge) && !mute) throw new TypeError("pay: challengeCallback is not a function");
    const onChallenge = (each) => {
      const answer = (response) => void each.answer(response);
      answer.open = () => void each.open();
      answer.cancel = () => void each.cancel();
      safely(challenge, each.type, each.value, answer);
    };
    this.#begun({ items, bill, customerID, sellerID, challenges: mute ? [] : KINDS }, { onChallenge }).then(
      ({ proofOfPurchase }) => safely(success, proofOfPurchase),
      (failure) => safely(error, failure instanceof PaymentFailure ? failure : failed(null, String(failure))),
    );
    return undefined;
  }

  async #promised(wish) {
    const { onChallenge, signal, presentation, idempotencyKey } = wish;
    const native = presentation?.[0] === "payment-handler" ? ["url"] : KINDS;
    return await this.#begun(
      { ...wish, challenges: wish.challenges ?? native },
      { onChallenge: answering(onChallenge), signal, presentation, key: idempotencyKey },
    );
  }

  async #begun(wish, { key, ...options }) {
    const body = written(this.id, wish, wish.challenges);
    return await new Attempt(this.#zone, this, options).start(body, key);
  }

  /** Answer the latest open challenge of this object. */
  answerChallenge(response) {
    const latest = [...this.open].at(-1);
    if (!latest) throw new DOMException("There is no challenge to answer.", "InvalidStateError");
    void latest.answer(response);
  }
}

/** What findServices gives: it can be cancelled. */
class PendingOperation {
  #cancel;

  constructor(cancel) {
    this.#cancel = cancel;
  }

  cancel() {
    this.#cancel();
  }
}

/** A provider, asked with one seller's key. */
class Zone {
  constructor(options) {
    const { base, sellerKey, presentation = WAYS, patience = PATIENCE_S, compat = false } = options;
    const { words = {}, lang = "en" } = options;
    if (!sellerKey) throw new TypeError("connect: sellerKey is missing");
    const address = new URL(base ?? new URL("..", import.meta.url), document.baseURI);
    this.base = address.href.replace(/\/+$/, "");
    this.sellerKey = sellerKey;
    this.presentation = presentation;
    this.patienceMs = patience * 1000;
    this.words = { ...WORDS, ...words };
    this.lang = lang;
    this.compat = compat;
    this.line = new Line(this.base);
    this.kept = new Kept(this.base);
  }

  /** Find the payment services: a promise of a list, which can also be walked with for await. */
  services({ api = PAYMENT, signal } = {}) {
    const found = this.#found(api, signal);
    found[Symbol.asyncIterator] = async function* each() {
      yield* await found;
    };
    return found;
  }

  async #found(api, signal) {
    let answer;
    try {
      answer = await this.line.ask("GET", `/web/services?api=${encodeURIComponent(api)}`, {
        token: this.sellerKey,
        signal,
      });
    } catch (fault) {
      if (!(fault instanceof Unreached)) throw fault;
      throw new DOMException("The payment provider cannot be reached.", "NetworkError");
    }
    if (answer.status !== 200) {
      const message = answer.said?.error?.message ?? `The provider answered ${answer.status}.`;
      const refused = answer.status === 401 || answer.status === 403;
      throw new DOMException(message, refused ? "SecurityError" : "OperationError");
    }
    return answer.said.services.map((each) => new PaymentService(this, each, this.compat));
  }

  /**
   * Find payment services as the Discovery API does: each one is told to onFound, none at all or a
   * failure to onError. options.timeout is in seconds.
   */
  findServices(serviceType, callbacks, options = null) {
    if (!isObject(serviceType) || typeof serviceType.api !== "string") {
      throw new TypeError("findServices: serviceType.api is missing");
    }
    if (!isFunction(callbacks?.onFound)) throw new TypeError("findServices: onFound is not a function");
    const ending = new AbortController();
    const seconds = Math.min(Number(options?.timeout) || 120, 2_000_000);
    const timer = setTimeout(() => {
      ending.abort(new DOMException("No service was found in time.", "TimeoutError"));
    }, seconds * 1000);
    this.services({ api: serviceType.api, signal: ending.signal })
      .then((services) => {
        if (!services.length) throw new DOMException("Cannot find webinos service.", "NotFoundError");
        for (const service of services) {
          if (!ending.signal.aborted) safely(callbacks.onFound.bind(callbacks), service);
        }
      })
      .catch((fault) => {
        if (!isFunction(callbacks.onError)) return;
        safely(callbacks.onError.bind(callbacks), ending.signal.reason ?? fault);
      })
      .finally(() => clearTimeout(timer));
    return new PendingOperation(() => {
      ending.abort(new DOMException("The search was cancelled.", "AbortError"));
    });
  }

  /** The payments this tab began and whose outcome it does not know. */
  pending() {
    return this.kept.all().filter((record) => !this.kept.isActive(record)).map((record) => {
      const { sellerID, signedBill, bill: shown } = JSON.parse(record.body);
      const bill = shown ?? claimed(signedBill).bill ?? null;
      const { id: paymentId, key: idempotencyKey, since } = record;
      return { paymentId, idempotencyKey, bill, sellerID, since: new Date(since) };
    });
  }

  /** Go on with one of them, by its paymentId or its idempotencyKey; as pay() does. */
  async resume(id, { onChallenge, signal, presentation } = {}) {
    const record = this.kept.find(id);
    if (!record) throw failed("unknown_payment", "This page knows no such payment.", false, id);
    if (this.kept.isActive(record)) {
      throw new DOMException("This payment is on its way already.", "InvalidStateError");
    }
    const options = { onChallenge: answering(onChallenge), signal, presentation };
    return await new Attempt(this, null, options).resume(record);
  }
}

/**
 * Make the door to a payment provider. `base` is its address (where this file comes from, if left
 * out), `sellerKey` the seller's publishable key.
 */
export function connect(options) {
  return new Zone(options ?? {});
}
