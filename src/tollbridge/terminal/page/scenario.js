// What shall happen next: presets, every word of a scenario, and the amounts that stand for one.

import { act } from "/terminal/page/api.js";
import { byId, el, icon, say } from "/terminal/page/dom.js";
import { fill } from "/terminal/page/till.js";

const PRESETS = [
  ["Declined", { code: "05" }],
  ["No funds", { code: "51" }],
  ["Wrong PIN, then right", { verification: "offline_pin", pins: ["wrong", "right"] }],
  ["Signature", { verification: "signature" }],
  ["Insert instead", { card: "insert" }],
  ["Chip broken: swipe", { card: "fallback" }],
  ["Card removed early", { card: "removed" }],
  ["Cardholder cancels", { person: "cancel" }],
  ["Nobody comes", { person: "timeout" }],
  ["Answer 10 s late", { fault: "late_answer:10" }],
  ["Answer lost", { recovery: "answer_lost" }],
  ["Approved offline", { offline: "approved" }],
];

/** Every word of a scenario and what it may be; a test holds this against the server's list. */
export const CHOICES = {
  "At the reader": {
    card: { label: "Card", choices: ["unreadable", "removed", "insert", "fallback", "select",
      "stays", "not_accepted", "qr"] },
  },
  People: {
    person: { label: "Instead of answering", choices: ["cancel", "timeout", "abort"] },
    at: { label: "When asked for", choices: ["card", "pin", "tip", "currency", "application",
      "password", "sign"] },
  },
  Verification: {
    verification: { label: "Method", choices: ["signature", "online_pin", "offline_pin", "none",
      "device", "identification"] },
    pins: { label: "PINs entered", choices: ["right", "wrong, right", "wrong, wrong, right",
      "wrong, wrong, wrong"] },
  },
  "Host and line": {
    code: { label: "Response code", text: "05, 51, …" },
    fault: { label: "Fault", choices: ["refuse", "lose_answer", "drop", "late_answer:10",
      "late_answer:60", "late_delivery:10", "answer_twice", "garbage", "wrong_amount",
      "pending:10"] },
    offline: { label: "Offline", choices: ["approved", "declined", "refused_later"] },
  },
  Extras: {
    currency: { label: "Conversion", choices: ["foreign", "local"] },
    tip: { label: "Tip", text: "10% or 150" },
    printer: { label: "Printer", choices: ["paper_empty", "defect"] },
  },
  "Deep inside": {
    secure: { label: "Secure element", choices: ["encryption", "key"] },
    recovery: { label: "Recovery", choices: ["answer_lost", "dies_before", "dies_after",
      "answered_twice", "error_answer", "result_canceled"] },
    condition: { label: "Error condition", choices: ["SERVICE_NOT_SUPPORTED", "ABORTED", "BUSY",
      "CARD_READ_ERR", "USER_CANCEL", "USER_TIMEOUT", "HOST_REFUSAL", "NETWORK_ISSUE",
      "TRANSACTION_TIMEOUT", "ENCRYPTION_ISSUE", "INVALID_KEY", "INVALID_TRANSACTION_REQ",
      "INTERNAL", "INVALID_AMOUNT", "INVALID_CURRENCY", "APP_NOT_SUPPORTED",
      "MISSING_MANDATORY_PARAMETER", "GENERIC", "NOT_INITIALIZED", "WPI_VERSION_NOT_SUPPORTED",
      "SESSION_ID_ALREADY_IN_USE", "INVALID_PASSWORD", "RECEIPT_DELEGATION_NOT_SUPPORTED"] },
  },
};

/** The amounts, in minor units, that stand for a scenario of their own. */
export const AMOUNTS = {
  "Host": [[4200, "approved"], [4205, "do not honour"], [4208, "identification"],
    [4233, "expired card"], [4241, "lost card"], [4251, "no funds"], [4255, "incorrect PIN"],
    [4260, "PIN wanted"], [4261, "above the limit"], [4291, "issuer away"], [4296, "malfunction"]],
  "Error condition": [[4303, "aborted"], [4305, "card not read"], [4306, "cancelled"],
    [4307, "nobody there"], [4308, "refused"], [4309, "no network"], [4310, "time-out"],
    [4311, "encryption"], [4312, "key missing"], [4314, "internal"], [4317, "not accepted"]],
  "Verification": [[4401, "signature"], [4402, "online PIN"], [4403, "offline PIN"],
    [4404, "none"], [4405, "phone"], [4406, "identification"], [4407, "wrong PIN, then right"],
    [4408, "PIN wrong three times"]],
  "Card": [[4411, "insert instead"], [4412, "swipe instead"], [4413, "choose application"],
    [4414, "card stays"], [4415, "card removed"], [4451, "QR code"]],
  "Offline": [[4421, "approved"], [4422, "declined"], [4423, "refused later"]],
  "Currency, tip": [[4431, "foreign currency"], [4432, "local currency"], [4441, "10 % tip"],
    [4442, "no tip"]],
  "Slowness": [[4461, "10 s"], [4462, "20 s"], [4463, "30 s"], [4464, "40 s"], [4465, "50 s"],
    [4466, "60 s"], [4467, "70 s"], [4468, "80 s"], [4469, "90 s"]],
  "Recovery": [[4471, "answer lost"], [4472, "dies before"], [4473, "dies after"],
    [4474, "answers twice"], [4475, "error though approved"], [4476, "result cancelled"]],
  "Printer": [[4481, "no paper"], [4482, "defect"]],
};

let written = "";

export function start() {
  byId("trouble").append(
    el("div", { id: "next", class: "next", role: "status" }),
    el("div", { class: "presets", role: "group", "aria-label": "For the next payment" },
      PRESETS.map(([label, scenario]) => el("button",
        { type: "button", class: "preset", data: { scenario: JSON.stringify(scenario) },
          "aria-pressed": "false", onclick: (event) => toggle(event.currentTarget, scenario) },
        label))),
    el("details", { class: "compose" }, el("summary", {}, "Compose one"), composer()),
    el("details", { class: "amounts" }, el("summary", {}, "Amounts that stand for one"), sheet()));
}

/** Show what is set. */
export function show(state) {
  const text = JSON.stringify(state.scenario);
  if (text === written) return;
  written = text;
  const set = state.scenario;
  for (const preset of document.querySelectorAll(".preset")) {
    const on = set !== null && same(set.next, JSON.parse(preset.dataset.scenario));
    preset.setAttribute("aria-pressed", String(on));
  }
  const place = byId("next");
  place.dataset.set = set ? "yes" : "no";
  if (!set) {
    place.replaceChildren(el("span", {}, "Everything goes as it would."));
    return;
  }
  const told = Object.entries(set.next).map(([name, value]) => `${labelOf(name)}: ${[value].flat().join(", ")}`);
  place.replaceChildren(icon("robot"),
    el("span", {}, el("b", {}, set.left > 1 ? `Next, ${set.left} to go: ` : "Next: "),
      told.join("; ") || "as it would"),
    el("button", { type: "button", class: "plain small", onclick: () => act("DELETE", "scenario") },
      "Clear"));
}

const sorted = (value) => JSON.stringify(Object.entries(value).sort());
const same = (one, other) => sorted(one) === sorted(other);

function labelOf(name) {
  const found = Object.values(CHOICES).find((group) => name in group);
  return found?.[name].label ?? name;
}

function toggle(button, scenario) {
  if (button.getAttribute("aria-pressed") === "true") return act("DELETE", "scenario");
  return act("PUT", "scenario", { scenario, times: 1 });
}

function composer() {
  const groups = Object.entries(CHOICES).map(([group, words]) =>
    el("fieldset", { class: "group" }, el("legend", {}, group),
      Object.entries(words).map(([name, word]) => el("label", { class: "field" },
        el("span", {}, word.label),
        word.choices
          ? el("select", { name }, el("option", { value: "" }, "as it would"),
            word.choices.map((one) => el("option", { value: one }, one.replaceAll("_", " "))))
          : el("input", { name, type: "text", autocomplete: "off", placeholder: word.text })))));
  const form = el("form", { onsubmit: set }, groups,
    el("div", { class: "row" },
      el("label", { class: "field times" }, el("span", {}, "Times"),
        el("input", { name: "times", type: "number", min: "1", max: "1000", value: "1" })),
      el("button", { type: "submit", class: "plain strong" }, "Set")));
  return form;
}

async function set(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const scenario = {};
  for (const [name, value] of new FormData(form)) {
    const text = String(value).trim();
    if (name === "times" || !text) continue;
    scenario[name] = name === "pins" ? text.split(", ") : text;
  }
  const times = Number(form.elements.times.value) || 1;
  if (await act("PUT", "scenario", { scenario, times })) say("The scenario is set.");
}

function sheet() {
  return el("div", { class: "cheat" },
    el("p", { class: "fine" }, "Minor units whatever the currency; 42.XX is response code XX."),
    Object.entries(AMOUNTS).map(([group, amounts]) => el("div", { class: "cheat-group" },
      el("h3", {}, group),
      el("ul", {}, amounts.map(([minor, meaning]) => el("li", {},
        el("button", { type: "button", class: "magic", onclick: () => fill(minor) },
          el("b", {}, `${String(minor).slice(0, 2)}.${String(minor).slice(2)}`), ` ${meaning}`)))))));
}
