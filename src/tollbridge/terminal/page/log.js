// What became of the last exchanges, whoever asked for them.

import { byId, el } from "/terminal/page/dom.js";

let written = "";

/** Show a state's journal, newest first. */
export function show(state) {
  const text = JSON.stringify(state.journal);
  if (text === written) return;
  written = text;
  const place = byId("outcomes");
  if (!state.journal.length) {
    place.replaceChildren(el("p", { class: "nothing" }, "Nothing has happened yet."));
    return;
  }
  const rows = [...state.journal].reverse().map((one) => el("tr", { data: { topic: one.topic } },
    el("td", {}, el("time", { datetime: one.at }, new Date(one.at).toLocaleTimeString())),
    el("td", {}, el("b", { class: "topic" }, one.topic.replaceAll("_", " ")), " ",
      el("span", { class: "service" }, one.service.replace("WPI_SVC_", "").replaceAll("_", " ").toLowerCase()),
      one.text ? el("span", { class: "why" }, one.text) : null),
    el("td", { class: "figure" }, one.amount?.text ?? "")));
  place.replaceChildren(el("table", {},
    el("thead", { class: "hidden" }, el("tr", {}, ["Time", "Outcome", "Amount"].map((name) =>
      el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows)));
}
