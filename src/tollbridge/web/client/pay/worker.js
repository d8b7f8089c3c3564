/**
 * The payment handler: lets the browser show the provider's confirmation page as a payment method.
 * The page that pays has begun the payment; this only carries its challenge into a window and says
 * when the window is done. What became of the payment, that page asks the server.
 */
"use strict";

let finish = null;
let name = "";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("canmakepayment", (event) => event.respondWith(true));

self.addEventListener("paymentrequest", (event) => {
  const [method] = event.methodData;
  const decided = new Promise((resolve, reject) => { finish = { resolve, reject }; });
  event.respondWith(decided);
  let address;
  try {
    address = new URL(method.data.challenge);
  } catch {
    finish.reject(new DOMException("There is no challenge.", "OperationError"));
    return;
  }
  // Only pages of our own are shown in a window that looks like ours.
  if (address.origin !== self.location.origin) {
    finish.reject(new DOMException("The challenge is not ours.", "SecurityError"));
    return;
  }
  const frame = new URL("index.html", self.registration.scope);
  const challenge = address.pathname + address.search + address.hash;
  frame.hash = new URLSearchParams({ challenge }).toString();
  event.openWindow(frame.href).then(
    (opened) => opened ?? finish.reject(new DOMException("No window was opened.", "OperationError")),
    (fault) => finish.reject(fault),
  );
  decided.catch(() => {}).finally(() => { finish = null; });
  name = method.supportedMethods;
});

self.addEventListener("abortpayment", (event) => {
  finish?.reject(new DOMException("The shop gave up.", "AbortError"));
  event.respondWith(true);
});

self.addEventListener("message", ({ data, source }) => {
  if (data?.type !== "tollbridge:done" || new URL(source.url).origin !== self.location.origin) return;
  finish?.resolve({ methodName: name, details: { id: String(data.id ?? "") } });
});
