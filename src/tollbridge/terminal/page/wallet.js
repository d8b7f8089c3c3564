// The wallet: cards that look like cards, to be dragged to the reader or presented by a button.

import { answer, asked } from "/terminal/page/device.js";
import { alarm, byId, drawing, el, icon, say } from "/terminal/page/dom.js";
import { WAYS, words } from "/terminal/page/words.js";

const GRIP_PX = 7;
const HOLD_MS = 420;
const RAIL_PART = 0.55;

let cards = [];
let written = "";
let chosen = "";
let inserted = "";

/** Start the search field. */
export function start() {
  byId("find").addEventListener("input", sift);
}

/** Lead a person to the cards. */
export function lead() {
  const to = document.querySelector(".card[aria-pressed=true]")
    ?? document.querySelector("#cards li:not([hidden]) .card");
  to?.focus();
  to?.scrollIntoView({ block: "nearest" });
}

/** Show a state's cards, and whether one is asked for. */
export function show(state) {
  const text = JSON.stringify(state.wallet);
  if (text !== written) {
    written = text;
    cards = state.wallet;
    byId("cards").replaceChildren(...cards.map(holder));
    byId("find").closest("label").hidden = cards.length < 9;
    sift();
  }
  const wanted = state.screen?.kind === "present_card";
  byId("wallet").dataset.wanted = wanted ? "yes" : "no";
  byId("wallet-help").textContent = wanted
    ? "The terminal asks for a card: drag one to it, or choose one and how to present it."
    : "Drag a card to the terminal, or choose one and how to present it.";
  if (!state.exchange || wanted || state.notice?.topic === "remove_card") pull();
}

function sift() {
  const sought = byId("find").value.trim().toLowerCase();
  for (const [nth, place] of [...byId("cards").children].entries()) {
    const { name, label, brand, masked, kind } = cards[nth];
    place.hidden = ![name, label, brand, masked, kind].join(" ").toLowerCase().includes(sought);
  }
}

function holder(card) {
  const face = el("button", {
    type: "button",
    class: "card",
    "aria-pressed": String(card.name === chosen),
    "aria-label": `${card.label}, ${card.masked}`,
    data: { look: card.look, kind: card.kind, name: card.name },
    onclick: () => choose(card.name),
    onpointerdown: (event) => grip(event, card),
  }, ...inside(card));
  const ways = el("div", { class: "ways", role: "group", "aria-label": `Present ${card.label}` },
    waysOf(card).map((entry) => el("button",
      { type: "button", class: "plain", data: { entry }, onclick: () => present(card, entry) },
      icon(WAYS[entry].icon), words("en")[WAYS[entry].word])));
  const place = el("li", { data: { chosen: card.name === chosen ? "yes" : "no" } }, face, ways);
  return place;
}

const ANY = ["contactless", "chip", "magstripe"];
const waysOf = (card) => (card.entries.length ? card.entries : ANY).filter((entry) => WAYS[entry]);

function inside(card) {
  const device = card.kind === "phone" || card.kind === "qr";
  return [
    el("span", { class: "card-top" }, el("span", { class: "card-label" }, card.label),
      card.entries.includes("contactless") || card.entries.includes("mifare")
        ? icon("tap") : icon(card.entries.includes("qr") ? "scan" : "card")),
    device || card.kind === "transit" || !card.entries.includes("chip") ? el("span", { class: "no-chip" })
      : drawing("0 0 40 30", { class: "chip", "aria-hidden": "true" },
        { d: "M6 .5h28a5.5 5.5 0 0 1 5.5 5.5v18a5.5 5.5 0 0 1-5.5 5.5H6A5.5 5.5 0 0 1 .5 24V6A5.5 5.5 0 0 1 6 .5z", class: "gold" },
        { d: "M0 10h12l3 4v2l-3 4H0M40 10H28l-3 4v2l3 4h12M15 14h10M15 16h10M20 0v10M20 20v10", class: "lines" }),
    el("span", { class: "card-foot" }, el("span", { class: "number" }, card.masked),
      el("span", { class: "brand" }, card.brand)),
  ];
}

function choose(name) {
  if (moved) return;
  chosen = chosen === name ? "" : name;
  for (const face of document.querySelectorAll(".card")) {
    const on = face.dataset.name === chosen;
    face.setAttribute("aria-pressed", String(on));
    face.parentElement.dataset.chosen = on ? "yes" : "no";
  }
  if (chosen) say("Choose how to present it.");
}

/** Present a card in one way. */
async function present(card, entry) {
  const screen = asked();
  if (screen?.kind !== "present_card") {
    alarm("The terminal does not ask for a card now. Send a payment from the till first.");
    return;
  }
  if (entry === "chip") push(card);
  flash(entry);
  const taken = await answer({ card: card.name, entry });
  if (!taken) pull();
}

function flash(entry) {
  const device = byId("device");
  device.dataset.reads = WAYS[entry].word;
  setTimeout(() => delete device.dataset.reads, 900);
}

function push(card) {
  inserted = card.name;
  const place = byId("inserted");
  place.replaceChildren(el("span", { class: "card", data: { look: card.look, kind: card.kind } },
    ...inside(card)));
  place.dataset.in = "";
}

function pull() {
  if (!inserted) return;
  inserted = "";
  delete byId("inserted").dataset.in;
}

// Dragging: with any pointer. Held over the reader, put into the slot, drawn through the rail.

let held = null;
let moved = false;

function grip(event, card) {
  if (event.button !== 0) return;
  moved = false;
  const from = { x: event.clientX, y: event.clientY };
  const face = event.currentTarget;
  const box = face.getBoundingClientRect();
  held = { card, face, from, pointer: event.pointerId, ghost: null, zone: "", rail: [],
    grab: { x: from.x - box.left, y: Math.min(from.y - box.top, 100) }, wide: box.width };
  addEventListener("pointermove", drag);
  addEventListener("pointerup", drop);
  addEventListener("pointercancel", letGo);
}

function drag(event) {
  if (event.pointerId !== held?.pointer) return;
  if (!held.ghost) {
    if (Math.hypot(event.clientX - held.from.x, event.clientY - held.from.y) < GRIP_PX) return;
    lift();
  }
  event.preventDefault();
  held.ghost.style.setProperty("left", `${event.clientX - held.grab.x}px`);
  held.ghost.style.setProperty("top", `${event.clientY - held.grab.y}px`);
  over(zoneAt(event.clientX, event.clientY), event);
}

function lift() {
  moved = true;
  const { card, face, wide } = held;
  held.ghost = el("span", { class: "card ghost", data: { look: card.look, kind: card.kind } },
    ...inside(card));
  held.ghost.style.setProperty("width", `${wide}px`);
  held.ghost.style.setProperty("transform-origin", `${held.grab.x}px ${held.grab.y}px`);
  document.body.append(held.ghost);
  document.body.dataset.dragging = "";
  face.dataset.away = "";
  for (const zone of document.querySelectorAll(".zone")) {
    zone.dataset.fits = waysOf(card).some((entry) => WAYS[entry].zone === zone.dataset.zone)
      ? "yes" : "no";
  }
}

function zoneAt(x, y) {
  for (const zone of document.querySelectorAll(".zone")) {
    const box = zone.getBoundingClientRect();
    if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return zone.dataset.zone;
  }
  return "";
}

function over(zone, event) {
  if (zone !== held.zone) {
    clearTimeout(held.timer);
    held.zone = zone;
    held.rail = [];
    document.body.dataset.over = zone;
    held.ghost.dataset.over = zone;
    if (zone === "tap") held.timer = setTimeout(() => finish("tap"), HOLD_MS);
  }
  if (zone === "swipe") {
    held.rail.push(event.clientY);
    const box = document.querySelector(".zone-swipe").getBoundingClientRect();
    const way = Math.max(...held.rail) - Math.min(...held.rail);
    if (way > box.height * RAIL_PART) finish("swipe");
  }
}

function drop(event) {
  if (event.pointerId !== held?.pointer) return;
  if (held.ghost && held.zone) finish(held.zone);
  else letGo();
}

function finish(zone) {
  const { card } = held;
  const screen = asked();
  letGo();
  const fitting = waysOf(card).filter((entry) => WAYS[entry].zone === zone);
  const entry = fitting.find((one) => screen?.entries?.includes(one)) ?? fitting[0];
  if (entry) present(card, entry);
  else alarm(`${card.label} cannot be presented this way.`);
}

function letGo() {
  removeEventListener("pointermove", drag);
  removeEventListener("pointerup", drop);
  removeEventListener("pointercancel", letGo);
  if (!held) return;
  clearTimeout(held.timer);
  held.ghost?.remove();
  delete held.face.dataset.away;
  delete document.body.dataset.dragging;
  delete document.body.dataset.over;
  held = null;
  // The click that ends a drag chooses nothing.
  setTimeout(() => {
    moved = false;
  }, 0);
}
