"""Between the page and the provider: lost answers, reloads, closed pages, tabs, dead lines."""

import subprocess
import sys
import time

import pytest

from tests.processes import free_port
from tests.web.client.bench import until
from tests.web.client.proxy import Proxy

SEEDS = range(1, 7)
NETWORK = ("ERR_", "Failed to load resource", "WebSocket")


@pytest.fixture
def proxy(provider):
    made = Proxy(provider.port)
    yield made
    made.close()


@pytest.fixture
def lossy_shop(open_shop, proxy):
    """A shop behind the proxy; what Chromium says about lost lines is no complaint."""
    shop = open_shop(proxy.base)
    shop.expected = NETWORK
    return shop


def bill(minor, name=None):
    name = name or f"L-{minor}"
    return {"productID": name, "currency": "EUR", "itemPrice": f"{minor // 100}.{minor % 100:02d}"}


@pytest.mark.req("N-062", "N-063", "N-068", "N-069", "N-094")
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_lost_nothing_is_charged_twice(lossy_shop, provider, proxy, seed):
    page = lossy_shop.page
    sent = len(provider.codes())
    page.expose_function("code", lambda: provider.code(sent))
    wishes = [{"seller": seller, "bill": bill(70_000 + seed * 10 + number)}
              for number, seller in enumerate([*["Free"] * 5, "Text"])]  # fmt: skip
    proxy.lossy(seed, losses=6 + 2 * seed)
    page.evaluate("wishes => beginAll(wishes)", wishes)
    until(page, "Object.values(ended).every((each) => each.length)", 40)
    proxy.heal()
    ended = page.evaluate("ended")
    resumed = page.evaluate("goOn('Free')")
    assert page.evaluate("ended") == ended, "one outcome is the only one"
    for number, wish in enumerate(wishes):
        name = wish["bill"]["productID"]
        [end] = ended[name]
        moved = len(provider.moved(70_000 + seed * 10 + number))
        paid = end["what"] == "paid" or resumed.get(name) == "paid"
        assert moved == (1 if paid else 0), (end, resumed, proxy.lost)
        if end["what"] == "PaymentFailure" and end["reason"] == "outcome_unknown":
            assert end["retryPossible"] is False
            assert name in resumed
    assert any(way == "answer" for way, *_ in proxy.lost)


def test_the_books_agree(provider, lossy_shop, proxy):
    proxy.lossy(99, losses=6)
    lossy_shop.pay("Free", "701.99")
    lossy_shop.ends(patience_s=40)
    journal = provider.process.folder / "journal.sqlite"
    order = [sys.executable, "-m", "tollbridge", "sandbox", "compare", "--control",
             provider.sandbox.url, "--journal", str(journal)]  # fmt: skip
    done = subprocess.run(order, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.req("N-062", "N-068", "N-094")
def test_the_answer_is_lost_and_the_page_reloaded(lossy_shop, provider, proxy):
    page = lossy_shop.page
    proxy.lose_answers_to = b"POST /web/payments"
    lossy_shop.pay("Free", bill=bill(71_001))
    until(page, lambda: provider.moved(71_001))
    page.reload()
    page.wait_for_selector("body[data-ready]")
    [left] = page.evaluate("zoneOf('Free').pending()")
    assert left["paymentId"] is None
    proxy.heal()
    told = page.evaluate("goOn('Free')")
    assert told == {"L-71001": "paid"}
    assert page.evaluate("zoneOf('Free').pending()") == []
    assert len(provider.moved(71_001)) == 1


@pytest.mark.req("N-068", "N-069", "N-094")
def test_paying_again_after_an_unknown_outcome_is_the_same_payment(lossy_shop, provider, proxy):
    proxy.lose_answers_to = b"POST /web/payments"
    given = {"seller": "Free", "bill": bill(71_002), "zone": {"patience": 1}}
    lossy_shop.pay(**given)
    first = lossy_shop.ends(patience_s=30)[0]
    assert (first["reason"], first["retryPossible"]) == ("outcome_unknown", False)
    assert first["code"] == "payment_charge_failed"
    proxy.heal()
    lossy_shop.pay(**given)
    second = lossy_shop.ends(2)[1]
    assert second["what"] == "paid"
    assert len(provider.moved(71_002)) == 1
    lossy_shop.pay(**given)
    third = lossy_shop.ends(3)[2]
    assert third["paymentId"] != second["paymentId"], "what is final is another purchase"


@pytest.mark.req("N-068")
def test_a_provider_that_is_not_there_has_charged_nothing(open_shop):
    shop = open_shop()
    base = f"http://pay.localhost:{free_port()}"
    begun = time.monotonic()
    search = """(base) => void connect({ base, sellerKey: "pk_test_free" }).services()
      .catch((fault) => end("nothing", fault))"""
    shop.page.evaluate(search, base)
    assert shop.end()["name"] == "NetworkError"
    assert time.monotonic() - begun < 12
    shop.expected = NETWORK


@pytest.mark.req("N-068")
def test_a_provider_that_went_away_before_the_payment(lossy_shop, provider, proxy):
    page = lossy_shop.page
    page.evaluate("async () => { window.wallets = await zoneOf('Free').services(); }")
    page.wait_for_timeout(5200)  # so long ago that the client asks whether it is still there
    proxy.down = True
    proxy.hang_up()
    page.evaluate("bill => settle(wallets[0].pay({ bill, sellerID: 'Free' }))", bill(71_004))
    end = lossy_shop.end()
    assert (end["reason"], end["retryPossible"]) == ("unreachable", True)
    assert page.evaluate("zoneOf('Free').pending()") == []
    assert provider.moved(71_004) == []


@pytest.mark.parametrize("way", ["refused", "buffered", "plain"])
def test_where_no_stream_gets_through_the_client_asks(shop, way):
    def stop(route):
        if way == "refused":
            route.abort()
        elif way == "plain":
            route.fulfill(body="no", content_type="text/plain",
                          headers={"Access-Control-Allow-Origin": "*"})  # fmt: skip

    shop.context.route("**/events", stop)
    # Nobody answers: that it is over is news that only the provider has.
    shop.page.evaluate(
        """async (bill) => {
          const [wallet] = await zoneOf("Quick").services();
          const wish = { bill, sellerID: "Quick", customerID: "ada@example.org" };
          settle(wallet.pay({ ...wish, onChallenge: () => {} }));
        }""",
        bill(71_013),
    )
    end = shop.end()
    assert (end["code"], end["retryPossible"]) == ("payment_authentication_failed", True)
    shop.context.unroute_all(behavior="ignoreErrors")
    shop.expected = NETWORK


@pytest.mark.req("N-092")
def test_a_line_that_dies_under_an_open_question(lossy_shop, provider, proxy):
    sent = len(provider.codes())
    lossy_shop.pay("Text", bill=bill(71_005))
    lossy_shop.field()
    proxy.down = True
    proxy.hang_up()
    lossy_shop.answer(provider.code(sent))
    lossy_shop.page.wait_for_timeout(1200)
    proxy.heal()
    assert lossy_shop.end()["what"] == "paid"
    assert len(provider.moved(71_005)) == 1


@pytest.mark.req("N-092")
def test_the_page_is_closed_in_the_middle(open_shop, provider):
    shop = open_shop()
    other = shop.open()
    shop.pay("Free", bill=bill(71_006), page=other)
    until(shop.page, lambda: provider.moved(71_006) or other.evaluate("ends.length"))
    other.close()
    assert len(provider.moved(71_006)) == 1
    left = shop.open()
    shop.pay("Quick", bill=bill(71_007), page=left)
    left.locator("dialog input").wait_for()
    left.close()
    shop.page.wait_for_timeout(3000)
    assert provider.moved(71_007) == []


@pytest.mark.req("N-094", "N-095")
def test_two_tabs_do_not_collide(shop, provider):
    sent = len(provider.codes())
    shop.pay("Text", bill=bill(71_008))
    shop.field()
    with shop.context.expect_page() as opened:
        shop.page.evaluate("() => void window.open(location.href)")
    other = opened.value
    shop.watch(other)
    other.wait_for_selector("body[data-ready]")
    # A tab that was opened from this one has a copy of what is pending.
    [copied] = other.evaluate("zoneOf('Text').pending()")
    shop.pay("Free", bill=bill(71_009), page=other)
    assert shop.end(other)["what"] == "paid"
    shop.answer(provider.code(sent))
    paid = shop.end()
    assert paid["paymentId"] == copied["paymentId"]
    same = other.evaluate("id => zoneOf('Text').resume(id)", copied["paymentId"])
    assert same["proofOfPurchase"] == paid["proofOfPurchase"]
    assert [len(provider.moved(minor)) for minor in (71_008, 71_009)] == [1, 1]


@pytest.mark.req("N-090")
def test_given_up_before_and_during(shop, provider):
    sent = len(provider.codes())
    told = shop.page.evaluate(
        """async (bill) => {
          const [wallet] = await zoneOf("Text").services();
          const wish = { bill, sellerID: "Text", customerID: "ada@example.org" };
          const told = (promise) => promise.catch((fault) => ({ ...fault }));
          const before = await told(wallet.pay({ ...wish, signal: AbortSignal.abort() }));
          const giving = new AbortController();
          const onChallenge = () => { giving.abort(); };
          const { signal } = giving;
          const during = await told(wallet.pay({ ...wish, onChallenge, signal }));
          return [before, during];
        }""",
        bill(71_010),
    )
    assert [each["reason"] for each in told] == ["cancelled", "cancelled"]
    assert told[0]["paymentId"] is None
    assert len(provider.codes()) == sent + 1
    assert provider.moved(71_010) == []


@pytest.mark.req("N-094")
def test_a_key_of_the_apps_own_is_one_payment(shop, provider):
    ids = shop.page.evaluate(
        """async (bill) => {
          const [wallet] = await zoneOf("Free").services();
          const idempotencyKey = "order-71011-x";
          const wish = { bill, sellerID: "Free", customerID: "ada@example.org", idempotencyKey };
          const first = await wallet.pay(wish);
          const second = await wallet.pay(wish);
          const another = { ...wish, bill: { ...bill, itemPrice: "1.00" } };
          const other = await wallet.pay(another).catch((fault) => fault.reason);
          return [first.paymentId === second.paymentId, other];
        }""",
        bill(71_011),
    )
    assert ids == [True, "idempotency_conflict"]
    assert len(provider.moved(71_011)) == 1
    shop.expected = ("409",)


@pytest.mark.req("N-075")
def test_addresses_that_are_code_are_never_opened(shop):
    told = shop.page.evaluate(
        """async ([base, bill]) => {
          // A provider gone bad: its challenge is a script.
          const fetching = window.fetch;
          window.fetch = async (address, options) => {
            const answer = await fetching(address, options);
            if (!String(address).endsWith("/web/payments")) return answer;
            const said = await answer.json();
            said.challenge.challenge = "javascript:parent.ends.push('ran')";
            return Response.json(said, { status: 201 });
          };
          const [wallet] = await zoneOf("Url").services();
          settle(wallet.pay({ bill, sellerID: "Url", customerID: "carl@example.org" }));
        }""",
        [shop.base, bill(71_012)],
    )
    assert told is None
    shop.dialog.wait_for()
    assert shop.page.locator("iframe").count() == 0
    shop.press("Cancel payment")
    shop.page.locator(".bad").click()
    assert shop.end()["reason"] == "cancelled"
