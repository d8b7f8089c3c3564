// The payment handler's window: shows the confirmation page, and tells the worker when it is done.
// Opened as a page of its own, it offers to make this wallet known to the browser.

const page = document.getElementById("page");
const challenge = new URLSearchParams(location.hash.slice(1)).get("challenge");

/** Give an address the worker may be made from, where the page's policy asks for such a promise. */
function trusted(name) {
  const address = new URL(name, import.meta.url).href;
  const rules = { createScriptURL: (given) => given };
  const policy = globalThis.trustedTypes?.createPolicy("tollbridge-pay", rules);
  return policy ? policy.createScriptURL(address) : address;
}

async function register() {
  const state = document.getElementById("state");
  try {
    await navigator.serviceWorker.register(trusted("worker.js"), { scope: "./" });
    await navigator.serviceWorker.ready;
    state.textContent = "Shops can show this wallet in this browser now.";
    document.getElementById("register").hidden = true;
    document.body.dataset.registered = "";
  } catch (fault) {
    state.textContent = `This browser does not take it: ${fault.message}`;
  }
}

function confirm() {
  const address = new URL(challenge, location.origin);
  if (address.origin !== location.origin) return;
  page.hidden = false;
  page.src = address.href;
  addEventListener("message", async (event) => {
    if (event.source !== page.contentWindow || event.origin !== location.origin) return;
    if (event.data?.type !== "tollbridge:done") return;
    const worker = await navigator.serviceWorker.ready;
    worker.active.postMessage({ type: "tollbridge:done", id: event.data.id });
  });
}

if (challenge) {
  confirm();
} else {
  document.getElementById("about").hidden = false;
  const button = document.getElementById("register");
  const able = "serviceWorker" in navigator && "PaymentRequest" in globalThis;
  button.hidden = !able;
  if (!able) document.getElementById("state").textContent = "This browser has no payment window of its own.";
  button.addEventListener("click", register);
}
