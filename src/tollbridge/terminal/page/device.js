// The terminal on the counter: its screen, keys, lights, and what they do.

import { act, wpi } from "/terminal/page/api.js";
import { alarm, byId, el, icon, say } from "/terminal/page/dom.js";
import { announce, clock, idle, made, told } from "/terminal/page/screens.js";
import { words } from "/terminal/page/words.js";

const WARN_S = 10;
const LIGHTS = { approved: "good", declined: "bad", failed: "bad", processing: "busy" };

let shown = "";
let screen = null;
let current = null;
let busy = false;
let ends = 0;
let warned = false;

/** Start the keys; `toWallet` leads a person to the cards. */
export function start(toWallet) {
  byId("key-stop").addEventListener("click", stop);
  byId("key-correct").addEventListener("click", () => current?.correct?.());
  byId("key-ok").addEventListener("click", () => current?.ok?.());
  byId("device").addEventListener("keydown", typed);
  setInterval(tick, 500);
  walletWanted = toWallet;
}

let walletWanted = () => {};

const stop = () => screen && answer({ cancel: true });

/** Answer the screen, once. Gives whether the terminal took it. */
export async function answer(body) {
  if (!screen || busy) return false;
  busy = true;
  byId("screen").dataset.busy = "";
  const taken = await act("POST", `screens/${screen.id}`, body);
  busy = false;
  delete byId("screen").dataset.busy;
  return taken;
}

function typed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const writing = event.target.matches("input");
  const pressing = event.target.matches("button, a");
  if (event.key === "Escape") stop();
  else if (event.key === "Enter" && !pressing) current?.ok?.();
  else if (event.key === "Backspace" && !writing) current?.correct?.();
  else if (/^\d$/.test(event.key) && !writing) current?.digit?.(event.key);
  else return;
  event.preventDefault();
}

/** What the screen asks now, or null. */
export const asked = () => screen;

/** Show a state. */
export function show(state) {
  byId("bar-name").textContent = state.terminal;
  byId("bar-icons").replaceChildren(icon(state.offline ? "off" : "net"),
    icon("printer", state.printer === "ready" ? "" : "bad"));
  byId("printer-light").dataset.state = state.printer;
  const key = keyOf(state);
  if (key === shown) return;
  const first = shown === "";
  shown = key;
  screen = state.screen;
  busy = false;
  ends = screen ? performance.now() + screen.left_s * 1000 : 0;
  warned = false;
  lightUp(state);
  put(state, first);
  keysFor(state);
}

const keyOf = ({ screen: asks, notice, services, merchant_language: language }) => {
  if (asks) return `screen ${asks.id}`;
  if (notice) return `notice ${JSON.stringify(notice)}`;
  return `idle ${language} ${services.length}`;
};

function put(state, first) {
  const place = byId("screen");
  const had = place.contains(document.activeElement) || document.activeElement === document.body;
  current = screen ? made(screen, answer, () => walletWanted()) : { node: quiet(state) };
  place.replaceChildren(current.node);
  place.scrollTop = 0;
  place.lang = screen?.language ?? state.notice?.language ?? state.merchant_language;
  place.dataset.kind = screen?.kind ?? state.notice?.topic ?? "idle";
  place.dataset.party = screen?.party ?? "";
  if (screen) place.setAttribute("aria-busy", String(screen.dictated));
  if (screen?.dictated) {
    place.append(el("p", { class: "dictated" }, icon("robot"), "The scenario answers"));
  }
  if (screen || state.notice) announce(screen ?? state.notice);
  // The screen takes the focus when it asks something, unless somebody is writing elsewhere.
  const writing = document.activeElement?.matches("input:not([type=radio]), textarea, select");
  const wanted = screen && (place.contains(document.activeElement) || !writing);
  if (wanted || (had && !first)) {
    const to = current.first ?? current.node.querySelector(".title");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    to?.focus({ preventScroll: true });
    if (screen) byId("device").scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  }
}

function quiet(state) {
  if (state.notice && state.notice.topic !== "idle") return told(state.notice);
  const menu = state.services.includes("WPI_SVC_PAYMENT_MENU") ? openMenu : null;
  return idle(state, menu);
}

async function openMenu() {
  try {
    await wpi("WPI_SVC_PAYMENT_MENU", {});
  } catch (failure) {
    alarm(failure.message);
  }
}

function keysFor(state) {
  const word = words(screen?.language ?? state.merchant_language);
  for (const [id, able] of [["stop", screen], ["correct", current?.correct], ["ok", current?.ok]]) {
    const key = byId(`key-${id}`);
    key.querySelector("span").textContent = word[id];
    key.dataset.able = able ? "yes" : "no";
  }
}

function lightUp(state) {
  const topic = state.notice?.topic ?? "";
  const mode = screen ? (screen.kind === "present_card" ? "ready" : "on") : LIGHTS[topic] ?? "";
  byId("lights").dataset.mode = mode;
}

function tick() {
  const face = byId("bar-time");
  const line = byId("limit");
  if (!screen) {
    face.textContent = clock();
    line.hidden = true;
    const big = document.querySelector(".idle .clock");
    if (big) big.textContent = clock();
    return;
  }
  const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
  face.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  line.hidden = false;
  line.dataset.soon = left <= WARN_S ? "yes" : "no";
  const part = Math.max(0, (ends - performance.now()) / (screen.limit_s * 1000));
  line.firstElementChild.style.setProperty("transform", `scaleX(${Math.min(1, part)})`);
  if (left <= WARN_S && left > 0 && !warned && screen.limit_s > 2 * WARN_S) {
    warned = true;
    say(`${left} s`);
  }
}
