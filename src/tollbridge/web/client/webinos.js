/**
 * The old way to pay: puts `webinos.discovery`, `ServiceType` and `WebinosService` on the window, so
 * that pages written for the Webinos Payment API run as they are.
 *
 *     <script src="https://pay.example/client/webinos.js" data-base="https://pay.example"
 *             data-seller-key="pk_..." data-answer-challenge></script>
 *
 * `data-base` may be left out where the script comes from the provider. `data-answer-challenge`
 * also makes the global function answerChallenge(text), which the specification's example calls.
 */
(() => {
  "use strict";

  const tag = document.currentScript;
  const { base, sellerKey, answerChallenge } = tag.dataset;
  const address = new URL("tollbridge.js", tag.src).href;
  let zone = null;
  const services = [];
  const classes = new Map();

  const connected = () => {
    zone ??= import(address).then(({ connect }) => connect({ base, sellerKey, compat: true }));
    return zone;
  };

  /** What is looked for: services of one API. */
  class ServiceType {
    constructor(api) {
      this.api = String(api);
    }
  }

  /** What is found. Services come from findServices only. */
  class WebinosService {
    static [Symbol.hasInstance](value) {
      return services.includes(value);
    }
  }

  /** What makes services of an API: the class that was registered last, called with ours. */
  const made = (service) => {
    const base = /^[^:]+:\/\/[^/]+\/api\/[^/]+/.exec(service.api)?.[0] ?? service.api;
    const Class = classes.get(base);
    return Class ? new Class(service) : service;
  };

  /** Find services: calls onFound for each, onError when there is none; can be cancelled. The
   * time-out of the options is milliseconds, as it was. */
  function findServices(serviceType, callbacks, options = null, filter = null) {
    if (typeof serviceType?.api !== "string") {
      throw new TypeError("findServices: serviceType.api is missing");
    }
    if (typeof callbacks?.onFound !== "function") {
      throw new TypeError("findServices: onFound is not a function");
    }
    let pending = null;
    let cancelled = false;
    const found = (ours) => {
      const service = made(ours);
      services.push(ours);
      if (service !== ours) services.push(service);
      callbacks.onFound(service);
    };
    const lost = (fault) => callbacks.onError?.(fault);
    const limits = options?.timeout ? { ...options, timeout: options.timeout / 1000 } : options;
    connected().then(
      (line) => {
        const heard = { onFound: found, onError: lost };
        pending = line.findServices(serviceType, heard, limits, filter);
        if (cancelled) pending.cancel();
      },
      (fault) => {
        zone = null;
        lost(new DOMException(`The payment client cannot be loaded: ${fault.message}`, "NetworkError"));
      },
    );
    return {
      cancel() {
        cancelled = true;
        pending?.cancel();
      },
    };
  }

  /** Answer the challenge that was shown last, whichever service asked. */
  function answer(response) {
    const asked = services.filter((service) => service.open?.size);
    const latest = asked.sort((one, other) => newest(one) - newest(other)).at(-1);
    if (!latest) throw new DOMException("There is no challenge to answer.", "InvalidStateError");
    latest.answerChallenge(response);
  }

  const newest = (service) => [...service.open].at(-1).since;

  const webinos = (window.webinos ??= {});
  webinos.discovery ??= {};
  webinos.discovery.findServices = findServices;
  webinos.session ??= {
    getSessionId: () => null,
    getPZPId: () => base ?? new URL(address).origin,
    getPZHId: () => "",
    getServiceLocation: () => base ?? new URL(address).origin,
    isConnected: () => navigator.onLine,
    addListener() {},
    removeListener() {},
  };
  window._webinos ??= {};
  window._webinos.registerServiceConstructor = (api, Class) => void classes.set(String(api), Class);
  window.ServiceType ??= ServiceType;
  window.WebinosService ??= WebinosService;
  if (answerChallenge !== undefined) window.answerChallenge = answer;
})();
