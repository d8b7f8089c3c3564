// What the screen shows, one function for each kind. Each gives its node, and what the keys do:
// `ok`, `correct`, `digit`; nothing is chosen before a person chose.

import { el, icon, say } from "/terminal/page/dom.js";
import { read, written } from "/terminal/page/money.js";
import { pad } from "/terminal/page/sign.js";
import { WAYS, words } from "/terminal/page/words.js";

const PIN_MIN = 4;
const PIN_MAX = 12;

/** Make the screen. `answer(body)` answers it; `wallet()` leads to the wallet. */
export function made(screen, answer, wallet) {
  const make = KINDS[screen.kind] ?? unknown;
  return make(screen, words(screen.language), answer, wallet);
}

function heading(screen) {
  return el("h3", { class: "title", tabindex: "-1" }, screen.title);
}

function lines(texts, kind = "lines") {
  return texts.length ? el("div", { class: kind }, texts.map((text) => el("p", {}, text))) : null;
}

/** An amount with its currency small beside it. */
export function amount(money, kind = "amount") {
  if (!money) return null;
  const [figure, code] = split(money);
  return el("p", { class: kind }, el("span", {}, figure), " ", el("small", {}, code));
}

function split(money) {
  const figure = money.text.replace(money.currency, "").trim();
  return [figure || written(money.minor, money.currency), money.currency];
}

function tile(children, onclick, kind = "") {
  return el("button", { type: "button", class: `tile ${kind}`, onclick }, children);
}

function presentCard(screen, word, answer, wallet) {
  const shown = new Map();
  for (const entry of screen.entries) {
    const way = WAYS[entry];
    if (way) shown.set(way.word, way);
  }
  const wanted = { insert: "insert", swipe: "swipe" }[screen.hint];
  const ways = [...shown.values()].map((way) =>
    el("li", { class: way.word === wanted ? "wanted" : "", data: { way: way.word } },
      icon(way.icon), el("span", {}, word[way.word])));
  const node = el("div", { class: "face present", data: { hint: screen.hint } },
    heading(screen),
    amount(screen.amount, "amount big"),
    el("div", { class: "beacon", "aria-hidden": "true" }, el("i"), el("i"), el("i"),
      icon(wanted ?? "card")),
    lines(screen.lines),
    el("ul", { class: "ways-shown" }, ways),
    el("button", { type: "button", class: "quiet", onclick: wallet }, word.wallet));
  return { node };
}

function chooseApplication(screen, word, answer) {
  const choices = screen.labels.map((label, choice) =>
    tile([icon("card"), el("span", {}, label)], () => answer({ choice }), "wide"));
  return { node: face(screen, amount(screen.amount), lines(screen.lines), list(choices)) };
}

function enterPin(screen, word, answer) {
  let pin = "";
  const dots = el("div", { class: "dots", "aria-hidden": "true" });
  const count = el("p", { class: "hidden", role: "status" });

  function show() {
    const shown = Math.max(PIN_MIN, pin.length);
    dots.replaceChildren(...Array.from({ length: shown },
      (_, nth) => el("i", { class: nth < pin.length ? "full" : "" })));
    count.textContent = `${pin.length} ${word.digits}`;
  }

  function digit(one) {
    if (pin.length < PIN_MAX) pin += one;
    show();
  }

  const ok = () => {
    if (pin.length < PIN_MIN) return;
    answer({ pin });
  };
  const correct = () => {
    pin = "";
    show();
  };
  show();
  const node = face(screen, amount(screen.amount),
    lines(screen.lines, screen.wrong ? "lines bad" : "lines"), dots, count, keypad(digit));
  node.classList.toggle("wrong", screen.wrong);
  node.classList.add("has-pad");
  return { node, ok, correct, digit };
}

function enterPassword(screen, word, answer) {
  const field = el("input", {
    type: "password",
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: "64",
    "aria-label": screen.title,
    class: "password",
  });
  const ok = () => field.value && answer({ password: field.value });
  const correct = () => {
    field.value = "";
  };
  const digit = (one) => {
    if (field.value.length < 64) field.value += one;
  };
  const form = el("form", { class: "pass", onsubmit: (event) => event.preventDefault() }, field);
  const node = face(screen, amount(screen.amount),
    lines(screen.lines, screen.wrong ? "lines bad" : "lines"), form, keypad(digit));
  node.classList.toggle("wrong", screen.wrong);
  node.classList.add("has-pad");
  return { node, ok, correct, digit, first: field };
}

function keypad(digit) {
  const order = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];
  return el("div", { class: "keypad", role: "group", "aria-label": "1 2 3 4 5 6 7 8 9 0" },
    order.map((one) => el("button", { type: "button", onclick: () => digit(one) }, one)));
}

function addTip(screen, word, answer) {
  const { minor, currency } = screen.amount;
  const total = (tip) => `${word.total} ${written(minor + tip, currency, screen.language)}`;
  const offers = screen.percents
    .map((percent) => [percent, Math.floor((minor * percent + 50) / 100)])
    .filter(([, tip]) => tip <= screen.most_minor)
    .map(([percent, tip]) =>
      tile([el("b", {}, `${percent} %`), el("span", {}, `+ ${written(tip, currency, screen.language)}`),
        el("small", {}, total(tip))], () => answer({ tip_minor: tip }), "tip"));
  const problem = el("p", { class: "bad", role: "status" });
  const field = el("input", { type: "text", inputmode: "decimal", autocomplete: "off", size: "8" });
  const ok = () => {
    if (!field.value) return;
    const tip = read(field.value, currency);
    if (tip !== null && tip <= screen.most_minor) answer({ tip_minor: tip });
    else problem.textContent = `≤ ${written(screen.most_minor, currency, screen.language)} ${currency}`;
  };
  const correct = () => {
    field.value = "";
    problem.textContent = "";
  };
  const other = el("div", { class: "other-tip" },
    el("label", {}, el("span", {}, `${word.otherTip} (${currency})`), field),
    el("button", { type: "button", class: "plain", onclick: ok }, word.take));
  const node = face(screen, amount(screen.amount), lines(screen.lines),
    el("div", { class: "tips" }, offers),
    tile([el("span", {}, word.noTip)], () => answer({ tip_minor: 0 }), "wide"), other, problem);
  return { node, ok, correct };
}

function chooseCurrency(screen, word, answer) {
  const one = (money) => {
    const [figure, code] = split(money);
    return tile([el("small", {}, code), el("b", {}, figure)],
      () => answer({ currency: code }), "currency");
  };
  // Nothing is chosen beforehand, both look alike, and all there is to know stands below.
  const node = face(screen,
    el("div", { class: "currencies" }, one(screen.local), one(screen.foreign)),
    lines(screen.lines, "told"),
    el("p", { class: "fine" }, word.yourChoice));
  return { node };
}

function chooseLanguage(screen, word, answer) {
  const choices = screen.languages.map(({ code, name }) =>
    tile([el("b", {}, code.toUpperCase()), el("span", { lang: code }, name)],
      () => answer({ language: code }), "wide"));
  return { node: face(screen, lines(screen.lines), list(choices)) };
}

function sign(screen, word, answer) {
  const done = el("button", { type: "button", class: "plain strong", disabled: true,
    onclick: () => ok() }, word.sign);
  const sheet = pad(word, (any) => {
    done.disabled = !any;
  });
  const ok = () => sheet.path() && answer({ signature: sheet.path() });
  const clear = el("button", { type: "button", class: "plain", onclick: sheet.clear }, word.clear);
  const node = face(screen, amount(screen.amount), lines(screen.lines), sheet.node,
    el("div", { class: "row" }, clear, done));
  return { node, ok, correct: sheet.clear };
}

function showMenu(screen, word, answer) {
  const said = screen.said ?? [];
  const choices = screen.items.map(({ item, label }) =>
    tile([icon(item in MENU_ICONS ? item : "menu"), el("span", {}, label)],
      () => answer({ item }), "wide"));
  const told = said.length ? el("pre", { class: "said", tabindex: "0", "aria-label": screen.title },
    said.join("\n")) : null;
  return { node: face(screen, told, list(choices)) };
}

const MENU_ICONS = { totals: 1, reprint: 1, day_end: 1, payment_parameterization: 1,
  acquirer_parameterization: 1, leave: 1 };

function unknown(screen) {
  return { node: face(screen, amount(screen.amount), lines(screen.lines)) };
}

function face(screen, ...children) {
  return el("div", { class: `face ${screen.kind}` }, heading(screen), ...children);
}

function list(tiles) {
  return el("ul", { class: "tiles" }, tiles.map((one) => el("li", {}, one)));
}

const KINDS = {
  present_card: presentCard,
  choose_application: chooseApplication,
  enter_pin: enterPin,
  add_tip: addTip,
  choose_currency: chooseCurrency,
  choose_language: chooseLanguage,
  sign,
  enter_password: enterPassword,
  show_menu: showMenu,
};

const SIGNS = { approved: "check", declined: "cross", failed: "warn" };

/** Make what is told without asking. */
export function told(notice) {
  const { topic } = notice;
  const sign = topic in SIGNS ? el("div", { class: "badge", "aria-hidden": "true" },
    icon(SIGNS[topic])) : null;
  const busy = topic === "processing" ? el("div", { class: "spinner", "aria-hidden": "true" }) : null;
  const leaving = topic === "remove_card"
    ? el("div", { class: "leaving", "aria-hidden": "true" }, icon("remove")) : null;
  return el("div", { class: "face notice", data: { topic }, lang: notice.language },
    sign, busy, leaving,
    el("h3", { class: "title", tabindex: "-1" }, notice.title),
    amount(notice.amount), lines(notice.lines ?? []));
}

/** Make what is shown while nothing runs. `menu` opens the menu, null where there is none. */
export function idle(state, menu) {
  const word = words(state.merchant_language);
  const face = el("div", { class: "face idle" },
    el("p", { class: "clock", "aria-hidden": "true" }, clock()),
    el("h3", { class: "title", tabindex: "-1" }, state.shop.name),
    el("p", { class: "place" }, `${state.shop.address}, ${state.shop.city}`),
    el("p", { class: "ready" }, word.ready),
    menu ? el("button", { type: "button", class: "quiet", onclick: menu }, icon("menu"), word.menu)
      : null);
  return face;
}

export const clock = () =>
  new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

/** What people hear who do not see the screen. */
export function announce(thing) {
  const texts = [thing.title, thing.amount?.text, ...(thing.lines ?? [])];
  say(texts.filter(Boolean).join(". "));
}
