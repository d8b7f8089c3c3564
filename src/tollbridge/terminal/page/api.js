// The terminal's HTTP API. See docs/reference/terminal-api.md.

import { alarm } from "/terminal/page/dom.js";

const HERE = /^\/terminal\/([^/]+)\/?$/.exec(location.pathname);

/** Which terminal this page shows; decided once, by its address or by the list. */
export const terminal = { id: HERE ? decodeURIComponent(HERE[1]) : "" };

const address = (path) => `/terminal/${encodeURIComponent(terminal.id)}/${path}`;

/** Call the API; gives the parsed answer or null. Throws an Error with the server's words. */
export async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined || method !== "GET") {
    options.headers["Content-Type"] = "application/json";
    if (body !== undefined) options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const text = await answer.text();
  let parsed = null;
  try {
    parsed = text ? JSON.parse(text) : null;
  } catch {
    throw new Error(`The server answered ${answer.status} with something else than JSON.`);
  }
  if (!answer.ok) {
    const failure = new Error(parsed?.error?.message ?? `The server answered ${answer.status}.`);
    failure.code = parsed?.error?.code ?? "";
    throw failure;
  }
  return parsed;
}

/** Do something to this terminal; what does not work is shown to everybody. Gives whether it did. */
export async function act(method, path, body) {
  try {
    await call(method, address(path), body);
    return true;
  } catch (failure) {
    // Somebody else answered first, or the time was over: the next state tells.
    if (failure.code !== "gone") alarm(failure.message);
    return false;
  }
}

/** Send a request as a till does, and give the response extras. */
export const wpi = (service, request, more = {}) =>
  call("POST", address("wpi"), { service, request, ...more });

export const terminals = async () => (await call("GET", "/terminals")).terminals;

/** Follow the state; `heard` gets each one, `changed` whether the line is up. */
export function follow(heard, changed) {
  const source = new EventSource(address("events"));
  source.addEventListener("state", (event) => {
    changed(true);
    heard(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    changed(false);
    // A browser gives up after an answer that is no stream; a server that starts again is one.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(heard, changed), 1500);
  });
}

export const paperAddress = (id, form) => address(`papers/${id}.${form}`);
