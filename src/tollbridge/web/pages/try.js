// A page to try payments with: the provider's own client, the first seller of the settings.

import { connect } from "/client/tollbridge.js";

const what = await (await fetch("/web/try.json")).json();
const zone = connect({ base: location.origin, sellerKey: what.sellerKey });
const { customer, form, pay, price, service, services, status, alert } = Object.fromEntries(
  [...document.querySelectorAll("[id]")].map((each) => [each.id, each]),
);
customer.value = what.customerID ?? "";
const known = await zone.services();
service.replaceChildren(...known.map(({ displayName }, place) => new Option(displayName, place)));
services.hidden = known.length < 2;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  pay.disabled = true;
  alert.hidden = true;
  status.textContent = "";
  try {
    const paid = await known[service.value].pay({
      bill: { productID: `T-${Date.now()}`, description: "A try", currency: "EUR", itemPrice: price.value },
      items: [],
      customerID: customer.value || null,
      sellerID: what.sellerID,
    });
    status.textContent = `${paid.status}: ${paid.paymentId}`;
  } catch (fault) {
    alert.textContent = `${fault.code ?? fault.name}: ${fault.message}`;
    alert.hidden = false;
  } finally {
    pay.disabled = false;
  }
});
