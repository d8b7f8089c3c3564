// The orders, as the shop's server knows them.

const list = document.getElementById("orders");
const TOLD = { proof: "the proof was checked", notice: "the provider sent word" };

function el(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

function row({ id, title, amount, state, told_by: toldBy }) {
  const made = el("li", "order", "");
  made.dataset.state = state;
  const how = toldBy.map((each) => TOLD[each]).join(", ");
  made.append(
    el("b", "", title),
    el("span", "amount", `${amount} EUR`),
    el("span", "fine", `Bill ${id}`),
    el("span", "state", how ? `${state}: ${how}` : "not paid"),
  );
  return made;
}

let shown = "";

async function look() {
  try {
    const text = await (await fetch("/orders.json", { cache: "no-store" })).text();
    if (text !== shown) {
      const orders = JSON.parse(text);
      list.replaceChildren(...orders.map(row));
      document.getElementById("none").hidden = orders.length > 0;
      shown = text;
    }
  } catch {
    // The shop's server is away; the next look may find it.
  }
  setTimeout(look, 1000);
}

await look();
