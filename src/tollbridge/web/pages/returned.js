// The payer comes back from the page of another provider. A window of its own has nothing more to
// show: the shop's page, which opened it, follows the payment.
if (window.opener && window.parent === window) window.close();
