"""Bills that the shop's server signed, in the hands of a page."""

import pytest

from tests.web.client.bench import ADA, SIGNS, signed
from tests.web.client.proxy import Proxy

PAY = """async ({ seller, ...wish }) => {
  const [wallet] = await zoneOf(seller).services();
  return await wallet.pay({ sellerID: seller, ...wish })
    .then(({ status, proofOfPurchase }) => [status, proofOfPurchase], (fault) => [fault.reason]);
}"""
CALL = """async ({ seller, bill, customerID }) => {
  const [wallet] = await zoneOf(seller).services();
  return await new Promise((done) => wallet.pay(
    () => done("paid"), (fault) => done(fault.reason), () => done("asked"),
    null, bill, customerID, seller));
}"""


def bill(minor):
    return {"productID": f"S-{minor}", "currency": "EUR",
            "itemPrice": f"{minor // 100}.{minor % 100:02}"}  # fmt: skip


@pytest.mark.req("N-004")
def test_a_page_passes_a_bill_it_cannot_change(open_shop, provider):
    shop = open_shop()
    shop.expected = ("422",)

    def pay(**wish):
        return shop.page.evaluate(PAY, {"seller": SIGNS, "customerID": ADA, **wish})

    lines = [{"description": "Cup ☕", "itemPrice": "90.01"}]
    token = signed(bill(90_001), lines)
    assert pay(bill=bill(90_001)) == ["signed_bill_missing"]
    assert pay(bill=bill(1), signedBill=token) == ["signed_bill_differs"]
    header, claims, _ = token.split(".")
    assert pay(signedBill=f"{header}.{claims}.AAAA") == ["signed_bill_invalid"]
    assert provider.moved(90_001) == []
    status, proof = pay(signedBill=token)
    assert status == "paid"
    told = provider.verify(SIGNS, proof)[1]
    assert (told["signed"], told["bill"], told["items"]) == (True, bill(90_001), lines)
    assert pay(signedBill=token) == ["signed_bill_used"]
    assert len(provider.moved(90_001)) == 1
    # With callbacks, a signed bill stands where the bill stands.
    given = {"seller": SIGNS, "customerID": ADA, "bill": signed(bill(90_002))}
    assert shop.page.evaluate(CALL, given) == "paid"


@pytest.mark.req("N-004", "N-092")
def test_a_signed_bill_is_known_again_after_a_reload(open_shop, provider):
    proxy = Proxy(provider.port)
    shop = open_shop(proxy.base)
    shop.expected = ("ERR_", "Failed to load resource")
    proxy.lose_answers_to = b"POST /web/payments"
    given = {"seller": SIGNS, "customerID": ADA, "signedBill": signed(bill(90_003))}
    try:
        shop.page.evaluate(f"given => void ({PAY})(given)", given)
        shop.page.wait_for_timeout(700)
        shop.page.reload()
        shop.page.wait_for_selector("body[data-ready]")
        proxy.heal()
        found = shop.page.evaluate("seller => zoneOf(seller).pending()[0].bill", SIGNS)
        assert found == bill(90_003)
        assert shop.page.evaluate("seller => goOn(seller)", SIGNS) == {"S-90003": "paid"}
        assert len(provider.moved(90_003)) == 1
    finally:
        proxy.close()


@pytest.mark.req("N-004", "N-095")
def test_two_tabs_pay_one_signed_bill_once(open_shop, provider):
    shop = open_shop()
    shop.expected = ("422",)
    pages = [shop.page, shop.open()]
    given = {"seller": SIGNS, "customerID": ADA, "signedBill": signed(bill(90_004))}
    for page in pages:
        page.evaluate(f"given => {{ window.paying = ({PAY})(given); }}", given)
    ends = sorted(page.evaluate("paying.then(([what]) => what)") for page in pages)
    assert ends == ["paid", "signed_bill_used"]
    assert len(provider.moved(90_004)) == 1
