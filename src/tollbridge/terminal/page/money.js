// Amounts are whole minor units: texts become numbers without a decimal point ever being counted.

const known = new Map();

/** Learn the currencies of the terminal. */
export function learn(currencies) {
  for (const { code, exponent } of currencies) known.set(code, exponent);
}

export function exponent(code) {
  if (known.has(code)) return known.get(code);
  try {
    const parts = new Intl.NumberFormat("en", { style: "currency", currency: code });
    return parts.resolvedOptions().maximumFractionDigits;
  } catch {
    return 2;
  }
}

/** Write minor units as a decimal text, without the currency; with the point of a language. */
export function written(minor, code, language = "en") {
  const digits = exponent(code);
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  const sign = minor < 0 ? "-" : "";
  return sign + (digits ? `${text.slice(0, -digits)}${point(language)}${text.slice(-digits)}` : text);
}

const point = (language) =>
  new Intl.NumberFormat(language).formatToParts(1.5).find((part) => part.type === "decimal").value;

/** Read a decimal text; null when it is none, or has more places than the currency. */
export function read(text, code) {
  const found = /^\s*(\d{1,12})?(?:[.,](\d*))?\s*$/.exec(text);
  if (!found || (!found[1] && !found[2])) return null;
  const digits = exponent(code);
  const places = found[2] ?? "";
  if (places.length > digits) return null;
  return Number((found[1] ?? "0") + places.padEnd(digits, "0"));
}
