// A signature: drawn with a pointer, or written from a name. Both are an SVG path of absolute
// M and L in a box of 300 by 100.

import { drawing, el } from "/terminal/page/dom.js";

export const WIDTH = 300;
export const HEIGHT = 100;
const LETTERS_MAX = 32 * 1024;
const TALL = new Set("bdfhklt");
const LOW = new Set("gjpqyfz");

/** Make a pad; `changed` hears whenever there is something on it, or nothing any more. */
export function pad(words, changed) {
  let path = "";
  let drawn = null;
  const sheet = drawing(
    `0 0 ${WIDTH} ${HEIGHT}`,
    { class: "sheet", role: "img", "aria-label": words.signHere },
    { class: "sign-line", d: "M20 80H280" },
    { class: "sign-cross", d: "M20 64l8 8m0 -8l-8 8" },
    { class: "ink", d: "" },
  );
  const ink = sheet.querySelector(".ink");

  function write(text) {
    path = text.length <= LETTERS_MAX ? text : path;
    ink.setAttribute("d", path);
    changed(path !== "");
  }

  function place(event) {
    const box = sheet.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const y = ((event.clientY - box.top) / box.height) * HEIGHT;
    const within = (value, most) => Math.min(most, Math.max(0, Math.round(value * 10) / 10));
    return `${within(x, WIDTH)} ${within(y, HEIGHT)}`;
  }

  sheet.addEventListener("pointerdown", (event) => {
    sheet.setPointerCapture(event.pointerId);
    drawn = event.pointerId;
    write(`${path}M${place(event)}`);
  });
  sheet.addEventListener("pointermove", (event) => {
    if (drawn === event.pointerId) write(`${path}L${place(event)}`);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    sheet.addEventListener(name, () => {
      drawn = null;
    });
  }
  const name = el("input", {
    type: "text",
    maxlength: "40",
    autocomplete: "off",
    oninput: (event) => write(scrawl(event.target.value)),
  });
  const clear = () => {
    name.value = "";
    write("");
  };
  const node = el(
    "div",
    { class: "pad-sign" },
    sheet,
    el("label", { class: "sign-name" }, el("span", {}, words.signName), name),
  );
  return { node, clear, path: () => path };
}

/** Write a name the way hands do: connected loops, tall, low or small as the letters are. */
export function scrawl(name) {
  const letters = [...name.normalize("NFD").replace(/\p{M}/gu, "")].slice(0, 40);
  if (!letters.some((letter) => letter.trim())) return "";
  const step = Math.min(15, 250 / letters.length);
  const strokes = [];
  let x = (WIDTH - step * letters.length) / 2;
  let stroke = [];
  for (const [nth, letter] of letters.entries()) {
    if (!letter.trim()) {
      if (stroke.length) strokes.push(stroke);
      stroke = [];
    } else {
      stroke.push(...loop(letter, x, step, nth));
    }
    x += step;
  }
  if (stroke.length) strokes.push(stroke);
  const from = (WIDTH - step * letters.length) / 2;
  strokes.push([[from, 84], [x - step * 0.5, 80], [x + step * 0.6, 76]]);
  return strokes.map((points) => points.map(written).join("")).join("");
}

const written = ([x, y], nth) => `${nth ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;

function loop(letter, x, step, nth) {
  const small = letter.toLowerCase();
  const capital = letter !== small;
  const code = letter.codePointAt(0) + nth * 7;
  const height = capital ? 46 : TALL.has(small) ? 38 : 12 + (code % 5) * 2;
  const depth = LOW.has(small) && !capital ? 18 : 0;
  const wide = step * (capital ? 0.75 : 0.42 + (code % 3) * 0.08);
  const base = 66 + (code % 3);
  const points = [];
  for (let at = 0; at <= 10; at += 1) {
    const turn = (at / 10) * Math.PI * 2;
    const up = (1 - Math.cos(turn)) / 2;
    const slant = up * height * 0.22;
    const back = Math.sin(turn) * wide;
    const low = at > 7 ? Math.sin(((at - 7) / 3) * Math.PI) * depth : 0;
    points.push([x + (at / 10) * step + back + slant, base - up * height + low]);
  }
  return points;
}
