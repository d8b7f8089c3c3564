// Paper: it rolls out of the printer, is torn off, and lies in the tray with its links.

import { act, paperAddress } from "/terminal/page/api.js";
import { byId, el, icon, say } from "/terminal/page/dom.js";

const COPIES = { merchant: "Merchant copy", client: "Cardholder copy" };
const KINDS = { day_end: "Day end", configuration: "Configuration" };
const ROLL_MS = 1400;

let newest = null;
let hanging = [];
let written = "";

export function start() {
  for (const radio of document.querySelectorAll("input[name=printer]")) {
    radio.addEventListener("change", () => act("PUT", "printer", { state: radio.value }));
  }
}

/** Show a state's papers: new ones roll out, all lie in the tray. */
export function show(state) {
  for (const radio of document.querySelectorAll("input[name=printer]")) {
    radio.checked = radio.value === state.printer;
    radio.disabled = state.printer === "none";
  }
  const fresh = newest === null ? [] : state.papers.filter((paper) => paper.id > newest);
  newest = state.papers.reduce((most, paper) => Math.max(most, paper.id), newest ?? 0);
  if (fresh.length) roll(fresh);
  const text = state.papers.map((paper) => paper.id).join();
  if (text === written && written !== "") return;
  written = text;
  tray(state.papers);
}

/** The references on the papers, newest first. */
export function references(papers) {
  const found = papers.filter((paper) => paper.kind === "transaction" && paper.reference);
  return [...new Set(found.map((paper) => paper.reference).reverse())];
}

function roll(fresh) {
  const way = byId("paperway");
  const more = hanging.length > 0 && performance.now() - hanging.at < 2 * ROLL_MS;
  hanging = more ? [...hanging, ...fresh] : fresh;
  hanging.at = performance.now();
  const strip = el("div", { class: "strip", tabindex: "0", role: "region",
    "aria-label": "Paper in the printer" }, hanging.map((paper) => sheet(paper)));
  const tear = el("button", { type: "button", class: "tear", onclick: tearOff },
    icon("tear"), "Tear off");
  const roller = el("div", { class: "roller" }, strip);
  way.replaceChildren(roller, tear);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  strip.scrollTop = strip.scrollHeight;
  if (!still) {
    const from = more ? "translateY(45%)" : "translateY(100%)";
    roller.animate([{ transform: from }, { transform: "none" }],
      { duration: ROLL_MS, easing: "steps(28, end)" });
  }
  byId("device").dataset.prints = "";
  setTimeout(() => delete byId("device").dataset.prints, ROLL_MS);
  say(fresh.map((paper) => `${nameOf(paper)} printed`).join(". "));
}

function tearOff() {
  const way = byId("paperway");
  const torn = hanging;
  hanging = [];
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const roller = way.querySelector(".roller");
  const done = () => way.replaceChildren();
  way.querySelector(".tear").remove();
  if (still || !roller) done();
  else {
    roller.animate(
      [{ transform: "none", opacity: 1 }, { transform: "translate(60px, -70px) rotate(7deg)", opacity: 0 }],
      { duration: 380, easing: "ease-in" },
    ).finished.then(done, done);
  }
  for (const paper of torn) byId(`paper-${paper.id}`)?.setAttribute("data-fresh", "");
  byId("tray-title").focus({ preventScroll: true });
}

const nameOf = (paper) => KINDS[paper.kind] ?? COPIES[paper.copy] ?? "Receipt";

function sheet(paper) {
  const text = el("pre", {}, paper.text);
  // The letters are as large as the longest line allows.
  const columns = Math.max(24, ...paper.text.split("\n").map((line) => line.length));
  text.style.setProperty("--columns", columns);
  return el("div", { class: "sheet-paper" }, text, code(paper));
}

function code(paper) {
  if (!paper.qr) return null;
  // A drawing in an <img> runs nothing and loads nothing; there it must say what it is.
  const drawn = paper.qr.includes("xmlns=") ? paper.qr
    : paper.qr.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return el("img", {
    class: "qr",
    src: `data:image/svg+xml,${encodeURIComponent(drawn)}`,
    alt: `QR code of ${paper.reference}`,
    width: "96",
    height: "96",
  });
}

function tray(papers) {
  const place = byId("papers");
  if (!papers.length) {
    place.replaceChildren(el("p", { class: "nothing" }, "No paper yet. Receipts are kept here."));
    return;
  }
  const open = new Set([...place.querySelectorAll("details[open]")].map((one) => one.id));
  const fresh = new Set([...place.querySelectorAll("[data-fresh]")].map((one) => one.id));
  place.replaceChildren(...[...papers].reverse().map((paper) => {
    const name = `${nameOf(paper)} ${paper.reference || paper.id}`;
    const id = `paper-${paper.id}`;
    return el("details", { class: "receipt", id, open: open.has(id),
      data: fresh.has(id) ? { fresh: "" } : {} },
      el("summary", {}, el("b", {}, nameOf(paper)),
        paper.duplicate ? el("span", { class: "tag" }, "duplicate") : null,
        el("span", { class: "ref" }, paper.reference || `no. ${paper.id}`)),
      sheet(paper),
      el("p", { class: "links" }, ["png", "pdf", "txt"].map((form) =>
        el("a", { href: paperAddress(paper.id, form), download: true,
          "aria-label": `${name} as ${form.toUpperCase()}` }, form.toUpperCase()))));
  }));
}
