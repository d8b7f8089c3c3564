// A little till: writes requests, sends them, and keeps what was said.

import { terminal, wpi } from "/terminal/page/api.js";
import { alarm, byId, el, say } from "/terminal/page/dom.js";
import { read, written } from "/terminal/page/money.js";
import { references } from "/terminal/page/paper.js";

const MONEY = ["currency", "requestedAmount"];
const RECEIPT = ["receiptFormat"];
const CHAIN = ["paymentSolutionReference"];

/** The service types: what people call them, and the fields their requests have. */
const SERVICES = {
  Pay: {
    PAYMENT: ["Payment", [...MONEY, "reference", "productRecords", ...RECEIPT]],
    CANCEL_PAYMENT: ["Cancel a payment", [...CHAIN, ...RECEIPT]],
    REFUND: ["Refund", [...MONEY, "paymentSolutionReference?", "reference", ...RECEIPT]],
    FOLLOW_ON_CREDIT: ["Credit, card not present", [...MONEY, ...CHAIN, "reference", ...RECEIPT]],
  },
  Reserve: {
    PRE_AUTHORIZATION: ["Reserve", [...MONEY, "reference", ...RECEIPT]],
    UPDATE_PRE_AUTHORIZATION: ["Raise a reservation", [...MONEY, ...CHAIN, "reference", ...RECEIPT]],
    PAYMENT_COMPLETION: ["Complete a reservation", [...MONEY, ...CHAIN, "reference", ...RECEIPT]],
    CANCEL_PRE_AUTHORIZATION: ["Cancel a reservation", [...CHAIN, ...RECEIPT]],
    CANCEL_UPDATE_PRE_AUTHORIZATION: ["Cancel a raise", [...CHAIN, ...RECEIPT]],
    CANCEL_PAYMENT_COMPLETION: ["Cancel a completion", [...CHAIN, ...RECEIPT]],
  },
  Fuel: {
    DEFERRED_PAYMENT_AUTHORIZATION: ["Deferred: authorize", [...MONEY, "reference", ...RECEIPT]],
    DEFERRED_PAYMENT_COMPLETION: ["Deferred: complete",
      [...MONEY, ...CHAIN, "reference", "productRecords", ...RECEIPT]],
  },
  Card: {
    PAYMENT_INSTRUMENT_RECOGNITION: ["Recognise a card",
      ["recognitionTimeout", "recognitionOptions", "currency?", "requestedAmount?"]],
  },
  Manage: {
    PAYMENT_MENU: ["Open the menu", []],
    DAY_END: ["Day end", RECEIPT],
    PRINT_RECEIPT: ["Print the receipt again", ["receiptTarget"]],
    PAYMENT_PARAMETERIZATION: ["Get payment parameters", RECEIPT],
    ACQUIRER_PARAMETERIZATION: ["Get acquirer parameters", RECEIPT],
    ABORT: ["Abort", []],
  },
  Ask: {
    LAST_TRANSACTION: ["Last transaction", []],
    PAYMENT_INFORMATION: ["What the terminal can do", []],
  },
};

const FIELDS = Object.fromEntries(Object.values(SERVICES).flatMap((group) =>
  Object.entries(group).map(([name, [label, fields]]) => [`WPI_SVC_${name}`, { label, fields }])));

/** Which services go on with an outcome of which. */
const NEXT = {
  WPI_SVC_PAYMENT: ["REFUND", "CANCEL_PAYMENT", "FOLLOW_ON_CREDIT"],
  WPI_SVC_PRE_AUTHORIZATION: ["PAYMENT_COMPLETION", "UPDATE_PRE_AUTHORIZATION",
    "CANCEL_PRE_AUTHORIZATION"],
  WPI_SVC_UPDATE_PRE_AUTHORIZATION: ["CANCEL_UPDATE_PRE_AUTHORIZATION"],
  WPI_SVC_PAYMENT_COMPLETION: ["CANCEL_PAYMENT_COMPLETION"],
  WPI_SVC_DEFERRED_PAYMENT_AUTHORIZATION: ["DEFERRED_PAYMENT_COMPLETION"],
};
const KEPT = 12;
const INTENTS = { Manage: "PROCESS_MANAGEMENT", Ask: "PROCESS_INFORMATION" };

let form = null;
let state = null;
let talks = [];
let edited = false;
let basket = false;

/** Make the form. */
export function start() {
  talks = stored();
  byId("till").append(body());
  byId("talk").append(el("div", { id: "talks" }));
  showTalks();
}

/** Show a state: services, currencies and earlier references; whether something runs. */
export function show(next) {
  const before = state;
  state = next;
  if (JSON.stringify(before?.services) !== JSON.stringify(next.services)) offerServices();
  if (JSON.stringify(before?.currencies) !== JSON.stringify(next.currencies)) offerCurrencies();
  offerReferences();
  byId("abort").dataset.able = next.exchange ? "yes" : "no";
  if (!before) choose();
}

/** Fill in an amount of minor units, for the cheat sheet. */
export function fill(minor) {
  form.amount.value = written(minor, form.currency.value);
  if (!FIELDS[form.service.value].fields.includes("requestedAmount")) {
    form.service.value = "WPI_SVC_PAYMENT";
    choose();
  }
  compose();
  form.amount.focus();
}

function body() {
  const field = (name, label, input, kind = "") =>
    el("label", { class: `field ${kind}`, data: { field: name } }, el("span", {}, label), input);
  form = el("form", { class: "till-form", novalidate: true, onsubmit: send },
    el("div", { class: "sum" },
      field("requestedAmount", "Amount", el("input", { name: "amount", type: "text",
        inputmode: "decimal", autocomplete: "off", value: "11.91", oninput: compose,
        "aria-describedby": "till-problem" }), "grow"),
      field("currency", "Currency", el("select", { name: "currency", onchange: compose }))),
    field("service", "Service", el("select", { name: "service", onchange: choose })),
    field("paymentSolutionReference", "Of the payment", el("input", { name: "earlier",
      type: "text", autocomplete: "off", list: "references", spellcheck: "false",
      placeholder: "payment reference", oninput: compose })),
    el("datalist", { id: "references" }),
    field("reference", "Your reference", el("input", { name: "reference", type: "text",
      autocomplete: "off", maxlength: "64", placeholder: "none", oninput: compose })),
    field("recognitionTimeout", "Seconds to wait", el("input", { name: "timeout", type: "number",
      min: "1", max: "600", value: "30", oninput: compose })),
    field("receiptTarget", "Copy", el("select", { name: "target", onchange: compose },
      ["BOTH", "CARDHOLDER", "MERCHANT"].map((one) => el("option", {}, one)))),
    el("details", { class: "more" }, el("summary", {}, "Request as JSON"),
      el("div", { class: "extras" },
        check("formatted", "Formatted receipt", true), check("json", "JSON receipt", false),
        el("button", { type: "button", class: "plain small", id: "basket", "aria-pressed": "false",
          onclick: toggleBasket }, "Sample basket")),
      el("textarea", { name: "request", rows: "7", spellcheck: "false",
        "aria-label": "Request as JSON", oninput: byHand }),
      el("button", { type: "button", class: "plain small", id: "reset", hidden: true,
        onclick: reset }, "From the form again")),
    el("p", { id: "till-problem", class: "bad", role: "status" }),
    el("div", { class: "sends" },
      el("button", { type: "submit", class: "send", id: "send" }, "Send"),
      el("button", { type: "button", class: "plain", id: "abort", onclick: abort }, "Abort"),
      el("button", { type: "button", class: "plain", id: "last", onclick: last },
        "Last transaction")));
  return form;
}

function check(name, label, on) {
  return el("label", { class: "check", data: { field: "receiptFormat" } },
    el("input", { type: "checkbox", name, checked: on, onchange: compose }), label);
}

function offerServices() {
  const had = form.service.value;
  form.service.replaceChildren(...Object.entries(SERVICES).map(([group, services]) =>
    el("optgroup", { label: group }, Object.entries(services).map(([name, [label]]) => {
      const offered = state.services.includes(`WPI_SVC_${name}`);
      return el("option", { value: `WPI_SVC_${name}` }, offered ? label : `${label} (not offered)`);
    }))));
  form.service.value = had || "WPI_SVC_PAYMENT";
}

function offerCurrencies() {
  const had = form.currency.value || state.default_currency;
  form.currency.replaceChildren(...state.currencies.map(({ code }) => el("option", {}, code)));
  form.currency.value = had;
}

function offerReferences() {
  const own = talks.map((talk) => talk.answer?.paymentSolutionReference).filter(Boolean);
  const all = [...new Set([...own, ...references(state.papers)])].slice(0, 20);
  const place = byId("references");
  if (place.dataset.all === all.join()) return;
  place.dataset.all = all.join();
  place.replaceChildren(...all.map((one) => el("option", { value: one })));
}

/** Show the fields of the chosen service. */
function choose() {
  const { fields } = FIELDS[form.service.value];
  const has = (name) => fields.includes(name) || fields.includes(`${name}?`);
  for (const place of form.querySelectorAll("[data-field]")) {
    place.hidden = place.dataset.field !== "service" && !has(place.dataset.field);
  }
  form.querySelector(".sum").hidden = !has("currency");
  byId("basket").hidden = !has("productRecords");
  if (fields.includes("paymentSolutionReference") && !form.earlier.value) {
    form.earlier.value = suits(form.service.value);
  }
  edited = false;
  compose();
}

function suits(service) {
  const before = Object.keys(NEXT).filter((one) => NEXT[one].includes(service.slice(8)));
  const found = talks.find((talk) => before.includes(talk.service) && succeeded(talk));
  return found?.answer.paymentSolutionReference ?? "";
}

function wanted() {
  const { fields } = FIELDS[form.service.value];
  const minor = read(form.amount.value, form.currency.value);
  const formats = ["formatted", "json"].filter((name) => form[name].checked)
    .map((name) => name.toUpperCase());
  const values = {
    currency: form.currency.value,
    requestedAmount: minor,
    reference: form.reference.value || null,
    paymentSolutionReference: form.earlier.value.trim() || null,
    recognitionTimeout: Number(form.timeout.value),
    recognitionOptions: [],
    receiptTarget: form.target.value,
    receiptFormat: formats.join() === "FORMATTED" ? null : formats,
    productRecords: basket ? sample(form.currency.value) : null,
  };
  const found = {};
  for (const field of fields) {
    const name = field.replace("?", "");
    if (values[name] !== null) found[name] = values[name];
  }
  return found;
}

function sample(currency) {
  return [
    { itemId: 1, label: "Coffee", unitAmount: 350, quantity: 2, totalAmount: 700, currency },
    { itemId: 2, label: "Cake", unitAmount: 491, quantity: 1, totalAmount: 491, currency },
  ];
}

function toggleBasket() {
  basket = !basket;
  byId("basket").setAttribute("aria-pressed", String(basket));
  reset();
}

function compose() {
  byId("till-problem").textContent = "";
  if (edited) return;
  form.request.value = JSON.stringify(wanted(), null, 2);
  byId("reset").hidden = true;
}

function byHand() {
  edited = true;
  byId("reset").hidden = false;
}

function reset() {
  edited = false;
  compose();
}

async function send(event) {
  event.preventDefault();
  const service = form.service.value;
  const { fields } = FIELDS[service];
  let request;
  if (edited) {
    try {
      request = JSON.parse(form.request.value);
    } catch (failure) {
      return problem(`The request is not JSON: ${failure.message}`, form.request);
    }
  } else {
    request = wanted();
    if (fields.includes("requestedAmount") && request.requestedAmount === undefined) {
      return problem(`An amount such as ${written(1191, form.currency.value)} is needed.`, form.amount);
    }
  }
  if (service === "WPI_SVC_LAST_TRANSACTION") return last();
  // Nobody writes any more: the screen may take the focus.
  document.activeElement.blur();
  return said(service, request, fields.includes("receiptTarget") ? lastSession() : undefined);
}

function problem(text, field) {
  byId("till-problem").textContent = text;
  field.focus();
}

const lastSession = () => talks.find((talk) => talk.financial)?.session;

const abort = () => said("WPI_SVC_ABORT", {});

function last() {
  const session = lastSession();
  if (!session) return problem("Nothing was sent from this page yet.", form.amount);
  return said("WPI_SVC_LAST_TRANSACTION", {}, session);
}

/** A session id of our own: so that the last transaction can be asked for, whatever happens. */
function newSession() {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function said(service, request, session = newSession()) {
  const financial = !["Manage", "Ask"].includes(groupOf(service));
  const talk = { service, request, session, financial, at: new Date().toISOString() };
  talks = [talk, ...talks].slice(0, KEPT);
  keep();
  showTalks();
  try {
    talk.extras = await wpi(service, request, { session });
    talk.answer = talk.extras.WPI_RESPONSE ? JSON.parse(talk.extras.WPI_RESPONSE) : {};
  } catch (failure) {
    talk.failure = failure.message;
    alarm(failure.message);
  }
  keep();
  showTalks();
  if (state) offerReferences();
  say(`${FIELDS[service].label}: ${verdict(talk)}`);
}

const groupOf = (service) =>
  Object.keys(SERVICES).find((group) => service.slice(8) in SERVICES[group]) ?? "Pay";
const succeeded = (talk) => talk.answer?.result === "WPI_RESULT_SUCCESS";

function verdict(talk) {
  if (talk.failure) return "no answer";
  if (!talk.extras) return talk.lost ? "not known" : "running";
  if (!talk.extras.WPI_RESPONSE) return "nothing known";
  const condition = talk.answer.errorCondition ?? "";
  return succeeded(talk) ? "success" : condition.replace("WPI_ERR_COND_", "") || "failure";
}

// What was said: kept for this tab, so that a reload loses nothing.

const place = () => `tollbridge ${terminal.id}`;

function keep() {
  try {
    sessionStorage.setItem(place(), JSON.stringify(talks));
  } catch {
    // A full or forbidden store costs the memory of a reload, nothing else.
  }
}

function stored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(place()) ?? "[]");
    return found.map((talk) => (talk.extras || talk.failure ? talk : { ...talk, lost: true }));
  } catch {
    return [];
  }
}

function showTalks() {
  const list = byId("talks");
  if (!talks.length) {
    list.replaceChildren(el("p", { class: "nothing" },
      "What the till says and the terminal answers is shown here."));
    return;
  }
  const closed = new Set([...list.querySelectorAll("details.talk-one:not([open])")]
    .map((one) => one.dataset.session));
  list.replaceChildren(...talks.map((talk, nth) =>
    talkShown(talk, nth === 0 && !closed.has(talk.session + talk.service))));
}

function talkShown(talk, open) {
  const tone = !talk.extras ? (talk.failure ? "bad" : "busy") : succeeded(talk) ? "good" : "bad";
  const { label } = FIELDS[talk.service];
  const facts = factsOf(talk);
  return el("details", { class: "talk-one", open, data: { session: talk.session + talk.service, tone } },
    el("summary", {}, el("span", { class: "when" }, new Date(talk.at).toLocaleTimeString()),
      el("b", {}, label), el("span", { class: "chip-tone" }, verdict(talk))),
    facts.length ? el("dl", { class: "facts" }, facts.map(([name, text]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, text)))) : null,
    onward(talk),
    talk.lost ? el("p", { class: "fine" }, "The page was left while this ran: ask for the last transaction.") : null,
    el("div", { class: "bodies" },
      el("div", {}, el("h3", {}, "Request"), code(talk.request)),
      el("div", {}, el("h3", {}, "Response"), talk.extras ? code(talk.answer)
        : el("p", { class: "fine" }, talk.failure ?? (talk.lost ? "Not known" : "The terminal is busy with it")))),
    el("details", { class: "curl" }, el("summary", {}, "As a program sends it"),
      el("pre", { class: "code", tabindex: "0", "aria-label": "Command line" }, curl(talk))));
}

function factsOf({ answer }) {
  if (!answer?.result) return [];
  const { authorizedAmount: minor, currency } = answer;
  return [
    ["Error", answer.errorCondition === "WPI_ERR_COND_NONE" ? "" : answer.errorCondition],
    ["Remark", answer.remark],
    ["Amount", currency && Number.isInteger(minor) ? `${written(minor, currency)} ${currency}` : ""],
    ["Card", [answer.brandName, answer.applicationLabel].filter(Boolean).join(", ")],
    ["Do", (answer.actionCode ?? "").replace("WPI_ACTION_CODE_", "").replace("NONE", "")],
    ["Reference", answer.paymentSolutionReference],
  ].filter(([, text]) => text);
}

/** What can be done next with an outcome. */
function onward(talk) {
  if (!succeeded(talk) || !talk.answer.paymentSolutionReference) return null;
  const offered = (NEXT[talk.service] ?? []).filter((name) =>
    state?.services.includes(`WPI_SVC_${name}`));
  if (!offered.length) return null;
  return el("p", { class: "onward" }, offered.map((name) =>
    el("button", { type: "button", class: "plain small", onclick: () => goOn(talk, name) },
      FIELDS[`WPI_SVC_${name}`].label)));
}

function goOn(talk, name) {
  form.service.value = `WPI_SVC_${name}`;
  form.earlier.value = talk.answer.paymentSolutionReference;
  if (talk.answer.currency) {
    form.currency.value = talk.answer.currency;
    form.amount.value = written(talk.answer.authorizedAmount, talk.answer.currency);
  }
  choose();
  byId("till-title").focus();
}

/** Write JSON with its parts told apart by colour. */
function code(value) {
  const text = JSON.stringify(value, null, 2);
  const block = el("pre", { class: "code", tabindex: "0", "aria-label": "JSON" });
  const parts = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+/g;
  let from = 0;
  for (const found of text.matchAll(parts)) {
    block.append(text.slice(from, found.index));
    const kind = found[2] !== undefined ? "name" : found[1] ? "text" : "bare";
    block.append(el("span", { class: `j-${kind}` }, found[1] ?? found[0]), found[2] ?? "");
    from = found.index + found[0].length;
  }
  block.append(text.slice(from));
  return block;
}

function curl(talk) {
  const intent = INTENTS[groupOf(talk.service)] ?? "PROCESS_TRANSACTION";
  const extras = {
    WPI_SERVICE_TYPE: talk.service,
    WPI_VERSION: "2.0",
    WPI_SESSION_ID: talk.session,
    WPI_REQUEST: JSON.stringify(talk.request),
  };
  const quoted = JSON.stringify(extras, null, 2).replaceAll("'", "'\\''");
  return [
    `curl ${location.origin}/wpi/${encodeURIComponent(terminal.id)}/com.worldline.payment.action.${intent} \\`,
    '  -H "Authorization: Bearer $TOLLBRIDGE_TOKEN" \\',
    "  -H 'WPI-Package: com.example.till' -H 'Content-Type: application/json' \\",
    `  -d '${quoted}'`,
  ].join("\n");
}
