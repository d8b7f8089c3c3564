// The page of a virtual terminal: follows its state and shows it, part by part.

import { act, follow, terminal, terminals } from "/terminal/page/api.js";
import * as device from "/terminal/page/device.js";
import { alarm, byId, el } from "/terminal/page/dom.js";
import * as log from "/terminal/page/log.js";
import { learn } from "/terminal/page/money.js";
import * as paper from "/terminal/page/paper.js";
import * as scenario from "/terminal/page/scenario.js";
import * as till from "/terminal/page/till.js";
import * as wallet from "/terminal/page/wallet.js";

function show(state) {
  learn(state.currencies);
  byId("counter-title").textContent = `Terminal ${state.terminal}`;
  const network = byId("network");
  network.setAttribute("aria-checked", String(!state.offline));
  network.disabled = !state.unpluggable;
  for (const part of [paper, device, wallet, scenario, till, log]) part.show(state);
  document.body.dataset.ready = "";
}

function online(up) {
  const place = byId("link");
  const text = up ? "Live" : "Reconnecting";
  if (place.textContent === text) return;
  place.textContent = text;
  place.dataset.state = up ? "up" : "down";
}

async function switcher() {
  const all = await terminals();
  if (!terminal.id) terminal.id = all[0]?.terminal ?? "T1";
  document.title = `${terminal.id} - Virtual terminal - Tollbridge`;
  byId("switcher").replaceChildren(...all.map((one) => el("a", {
    href: `/terminal/${encodeURIComponent(one.terminal)}`,
    title: one.shop,
    "aria-current": one.terminal === terminal.id ? "page" : null,
  }, one.terminal)));
  const own = byId("switcher").querySelector("[aria-current]");
  if (own) byId("switcher").scrollLeft = own.offsetLeft - byId("switcher").offsetLeft - 8;
  if (!all.some((one) => one.terminal === terminal.id)) alarm(`There is no terminal ${terminal.id}.`);
}

async function main() {
  try {
    await switcher();
  } catch (failure) {
    alarm(failure.message);
    setTimeout(main, 1500);
    return;
  }
  byId("network").addEventListener("click", () => {
    const up = byId("network").getAttribute("aria-checked") === "true";
    act("PUT", "network", { up: !up });
  });
  device.start(wallet.lead);
  wallet.start();
  paper.start();
  scenario.start();
  till.start();
  follow(show, online);
}

main();
