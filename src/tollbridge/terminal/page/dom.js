// Makes elements. Texts are always set as text: nothing that comes from elsewhere becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: attributes by name, `on…` listeners, `class`, `data`, true for a bare one. */
export function el(name, attributes = {}, ...children) {
  return furnish(document.createElement(name), attributes, children);
}

function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Make a drawing from one path (or several, by M), in a box of 24 by 24. */
export function icon(name, extra = "") {
  const drawing = document.createElementNS(SVG, "svg");
  furnish(drawing, { viewBox: "0 0 24 24", class: `icon ${extra}`, "aria-hidden": "true" }, []);
  drawing.append(furnish(document.createElementNS(SVG, "path"), { d: PATHS[name] }, []));
  return drawing;
}

/** Make an empty drawing of another size. */
export function drawing(box, attributes, ...paths) {
  const made = furnish(document.createElementNS(SVG, "svg"), { viewBox: box, ...attributes }, []);
  for (const path of paths) {
    made.append(furnish(document.createElementNS(SVG, "path"), path, []));
  }
  return made;
}

const PATHS = {
  tap: "M6 8.5a6 6 0 0 1 0 7M10 6a10 10 0 0 1 0 12M14 3.5a14 14 0 0 1 0 17",
  insert: "M4 13h16v8H4zM9 17h2M12 3v7M8.5 7 12 10.5 15.5 7",
  swipe: "M19 3v18M3 7h11v10H3zM3 10.5h11",
  scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M8 8h3v3H8zM13 8h3v3h-3zM8 13h3v3H8zM13 13h3v3h-3z",
  check: "M4.5 12.5 10 18 20 7",
  cross: "M6 6l12 12M18 6 6 18",
  warn: "M12 3.5 22 20H2zM12 10v4.5M12 17v.4",
  printer: "M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z",
  net: "M3 9.5a13 13 0 0 1 18 0M6 13a8.5 8.5 0 0 1 12 0M9 16.4a4 4 0 0 1 6 0M12 19.6v.2",
  off: "M3 3l18 18M3 9.5a13 13 0 0 1 5-3M12 6a13 13 0 0 1 9 3.5M9 16.4a4 4 0 0 1 6 0M12 19.6v.2",
  menu: "M4 7h16M4 12h16M4 17h16",
  robot: "M5 9h14v10H5zM12 9V4M9 13.5v1M15 13.5v1M2.5 13v3M21.5 13v3",
  card: "M3 6h18v12H3zM3 10h18M6 15h4",
  totals: "M18 5H7l6 7-6 7h11",
  reprint: "M4 12a8 8 0 1 1 2.5 5.8M4 20v-5h5",
  day_end: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  payment_parameterization: "M4 7h9M17 7h3M13 4.5v5M4 17h3M11 17h9M7 14.5v5",
  acquirer_parameterization: "M3 10 12 4l9 6zM5 10v8M10 10v8M14 10v8M19 10v8M3 20h18",
  leave: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  remove: "M3 3h18M7 7h10v9H7zM10 13h4M12 18.5V23M9.5 20.7 12 23l2.5-2.3",
  tear: "M3 12h3M8 12h3M13 12h3M18 12h3M7 4l10 5M7 20l10-5",
};

export const byId = (id) => document.getElementById(id);

/** Tell people who listen to the page. */
export function say(text) {
  byId("say").textContent = text;
}

let silence = 0;

/** Tell everybody that something did not work. */
export function alarm(text) {
  const place = byId("alarm");
  place.textContent = text;
  place.dataset.shown = "";
  clearTimeout(silence);
  silence = setTimeout(() => {
    delete place.dataset.shown;
    place.textContent = "";
  }, 6000);
}
