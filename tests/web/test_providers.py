"""One page, three providers of different shapes: a carrier, orders that payers approve, a store."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from examples.providers.carrier import PASSWORD, SUBSCRIBER, USERNAME, Carrier
from examples.providers.hosting import hosting
from examples.providers.orders import (
    CLIENT_ID,
    CLIENT_SECRET,
    NOTICE_KEY,
    Orders,
    notice,
)
from examples.providers.store import ACCESS, PACKAGE, Store
from tests.web.serving import BILL, CUSTOMER, PATIENCE_S, SELLER, Shop, run, serving

CUSTOMERS = {CUSTOMER: {"name": "Mary", "contact": "+15550100",
                        "instruments": [{"token": SUBSCRIBER, "bridge": "oneapi",
                                         "label": "My phone"}]}}  # fmt: skip
SERVICES = [
    {"path": "carrier", "name": "Phone bill", "bridge": "oneapi"},
    {"path": "orders", "name": "Orders", "bridge": "paypal_orders", "payer": "approves"},
    {"path": "store", "name": "The Store", "bridge": "google_play", "payer": "receipt"},
]
PRICE = Decimal("25.96")
_numbers = itertools.count(1)
OVER = {"succeeded", "failed", "cancelled"}


class Street:
    """A server and the three providers its bridges lead to."""

    def __init__(self, carrier, orders, store, folder, policy):
        self.carrier, self.orders, self.store = carrier, orders, store
        self.folder, self.policy = folder, policy

    def serving(self):
        bridges = {
            "oneapi": {"api_endpoint": f"{self.carrier.url}/oneapi/3", "username": USERNAME,
                       "password": PASSWORD},
            "paypal_orders": {"api_endpoint": self.orders.url, "client_id": CLIENT_ID,
                              "client_secret": CLIENT_SECRET, "notice_key": NOTICE_KEY},
            "google_play": {"api_endpoint": self.store.url, "package_name": PACKAGE,
                            "access_token": ACCESS, "products": {"bill": "25.96 EUR"}},
        }  # fmt: skip
        for table in bridges.values():
            table["answer_limit_s"] = 1.0
            table["in_flight_limit_s"] = 1.0
        return serving(self.folder, bridges=bridges, customers=CUSTOMERS, services=SERVICES,
                       policy=self.policy)  # fmt: skip


@asynccontextmanager
async def street(folder, **policy):
    carrier, orders, store = Carrier(), Orders(), Store()
    async with hosting(carrier), hosting(orders), hosting(store):
        yield Street(carrier, orders, store, folder, policy)


async def pay(shop, path, answer, *, challenges=None, price="25.96"):
    """The page: it finds a service, pays, answers what it is asked, and waits for the end."""
    asked = await shop.call("GET", f"/web/services?api=http://webinos.org/api/payment/{path}")
    (service,) = asked.json["services"]
    body = {"service": service["id"], "sellerID": SELLER, "customerID": CUSTOMER,
            "bill": BILL | {"itemPrice": price}}  # fmt: skip
    key = f"providers-{next(_numbers):06d}"
    if challenges is not None:
        body["challenges"] = challenges
    begun = await shop.call("POST", "/web/payments", body, headers=[("idempotency-key", key)])
    return await ended(shop, begun.json, answer) if "id" in begun.json else begun.json


async def ended(shop, payment, answer):
    """Answer what a payment asks, once, and wait for its end."""
    path, token, asked = f"/web/payments/{payment['id']}", payment["client_token"], False
    async with asyncio.timeout(PATIENCE_S):
        while payment["state"] not in OVER:
            if payment["state"] == "challenge_required" and not asked:
                asked = True
                await answer(payment | {"client_token": token})
            now = await shop.call("GET", f"{path}?wait=5&after={payment['events']}", token=token)
            payment = now.json
    return payment


async def nobody(payment):
    raise AssertionError(f"asked for {payment['challenge']}")


async def thinking(payment):
    pass


def visiting(answer):
    """The payer's browser: it opens the provider's page, answers there, and goes back."""

    async def visit(payment):
        assert payment["challenge"]["type"] == "url"
        page = await get(payment["challenge"]["challenge"])
        assert page.status == 200
        assert "Pay 25.96 EUR?" in page.body.decode()
        sent = await get(f"{payment['challenge']['challenge']}?answer={answer}")
        back = await get(sent.headers["location"])
        assert back.status == 200
        assert "You are back" in back.body.decode()

    return visit


async def get(address):
    parts = urlsplit(address)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return await Shop(parts.port, None, None).call("GET", target)


def giving(shop, receipt):
    """The app: it bought in the store before, and gives the store's receipt."""

    async def give(payment):
        assert payment["challenge"]["type"] == "text"
        assert payment["challenge"]["input"] == "text"
        await shop.answer(payment, receipt)

    return give


def bills(town):
    """Everything the payers of a street paid."""
    return (
        town.carrier.bills.get("EUR", 0) + town.orders.taken.get("EUR", 0) + town.store.kept * PRICE
    )


@pytest.mark.req("N-001", "N-002", "N-007")
def test_the_same_page_pays_through_three_providers(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:
            shop = server.shop
            receipt = town.store.buy("bill")
            ways = {
                "carrier": nobody,
                "orders": visiting("approve"),
                "store": giving(shop, receipt),
            }
            for paid, (path, answer) in enumerate(ways.items(), 1):
                done = await pay(shop, path, answer)
                assert done["state"] == "succeeded", (path, done)
                assert bills(town) == paid * PRICE
                body = {"proof": done["proofOfPurchase"]}
                believed = await server.merchant.call("POST", "/v1/verify", body)
                assert believed.json["valid"], believed.json
                assert believed.json["amount"] == "25.96"

    run(main())


@pytest.mark.req("N-002")
def test_a_bill_below_zero_goes_back_the_ways_the_money_came(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:
            shop = server.shop
            for path, answer in (
                ("carrier", nobody),
                ("store", giving(shop, town.store.buy("bill"))),
                ("orders", visiting("approve")),
            ):
                assert (await pay(shop, path, answer))["state"] == "succeeded"
            some = await pay(shop, "orders", nobody, price="-5.96")
            assert some["state"] == "succeeded", some
            assert bills(town) == 3 * PRICE - Decimal("5.96")
            rest = await pay(shop, "carrier", nobody, price="-71.92")
            assert rest["state"] == "succeeded", rest
            assert bills(town) == 0
            more = await pay(shop, "carrier", nobody, price="-0.01")
            assert more["error"]["reason"] == "refund_too_large"

    run(main())


@pytest.mark.req("N-007", "N-068")
def test_who_cancels_on_the_providers_page_has_cancelled(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:
            done = await pay(server.shop, "orders", visiting("cancel"))
            assert done["state"] == "cancelled"
            assert done["error"]["code"] == "payment_charge_failed"
            assert done["error"]["reason"] == "cancelled"
            assert done["error"]["retryPossible"] is False
            (order,) = town.orders.orders
            town.orders.approve(order)
            # Whoever changes their mind now finds the payment over.
            await server.running.engine.recovery.attempt_all()
            assert bills(town) == 0

    run(main())


@pytest.mark.req("N-007", "N-076", "N-091")
def test_a_page_that_nobody_finishes_charges_nobody(tmp_path):
    async def main():
        async with street(tmp_path, expires_s=0.3) as town, town.serving() as server:

            async def wait(payment):
                await asyncio.sleep(0.4)
                name = payment["challenge"]["challenge"].rpartition("/")[2]
                town.orders.approve(name)

            done = await pay(server.shop, "orders", wait)
            assert done["state"] == "failed"
            assert done["error"]["reason"] == "challenge_expired"
            await server.running.engine.recovery.attempt_all()
            await server.running.web.sweep.once()
            assert bills(town) == 0

    run(main())


@pytest.mark.req("N-007", "N-088")
def test_a_payer_who_does_not_come_back_is_found_by_the_providers_notice(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:

            async def approve(payment):
                name = payment["challenge"]["challenge"].rpartition("/")[2]
                town.orders.approve(name)
                told = notice("CHECKOUT.ORDER.APPROVED", town.orders.orders[name])
                heard = await Shop(server.port, None, None).call("POST", told.url, told.body)
                assert heard.status == 200

            assert (await pay(server.shop, "orders", approve))["state"] == "succeeded"
            assert bills(town) == PRICE

    run(main())


def test_the_way_back_of_a_payment_is_its_own(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:

            async def stranger(payment):
                path = f"{server.url}/web/returned/{payment['id']}?t=guessed&cancelled=yes"
                assert (await get(path)).status == 200
                shown = await server.shop.call(
                    "GET", f"/web/payments/{payment['id']}", token=payment["client_token"]
                )
                assert shown.json["state"] == "challenge_required"
                await visiting("approve")(payment)

            assert (await pay(server.shop, "orders", stranger))["state"] == "succeeded"
            assert bills(town) == PRICE

    run(main())


@pytest.mark.req("N-002", "N-094")
def test_a_receipt_pays_once_and_only_what_it_cost(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:
            shop, receipt = server.shop, town.store.buy("bill")
            assert (await pay(shop, "store", giving(shop, receipt)))["state"] == "succeeded"
            for wrong in (receipt, "bill:invented", "other:tok", "nonsense", "x" * 3000):
                done = await pay(shop, "store", giving(shop, wrong))
                assert done["state"] == "failed", wrong
                assert done["error"]["reason"] == "instrument_unfit"
                assert done["error"]["retryPossible"] is False
            assert bills(town) == PRICE

    run(main())


@pytest.mark.parametrize("mood", ["lost", "late", "deaf"])
@pytest.mark.req("N-002", "N-006", "N-068")
def test_what_the_line_does_is_found_out_and_nobody_pays_twice(tmp_path, mood):
    async def main():
        async with street(tmp_path) as town:
            for host in (town.carrier, town.orders, town.store):
                host.moods = [mood]
            async with town.serving() as server:
                shop, receipt = server.shop, town.store.buy("bill")
                answers = {
                    "carrier": nobody,
                    "orders": visiting("approve"),
                    "store": giving(shop, receipt),
                }
                done = await asyncio.gather(
                    *(pay(shop, path, answer) for path, answer in answers.items())
                )
                happened = mood != "deaf"
                for each in done:
                    assert each["state"] == ("succeeded" if happened else "failed"), each
                    assert happened or each["error"]["reason"] == "never_arrived"
                assert bills(town) == (3 * PRICE if happened else 0)

    run(main())


@pytest.mark.req("N-002", "N-092")
def test_a_server_that_stops_while_payers_think_goes_on_where_it_was(tmp_path):
    async def main():
        async with street(tmp_path) as town:
            async with town.serving() as server:
                begun = []

                async def leave(payment):
                    begun.append(payment)
                    raise ConnectionError

                with pytest.raises(ConnectionError):
                    await pay(server.shop, "orders", leave)
            (payment,) = begun
            page = payment["challenge"]["challenge"]
            town.orders.approve(page.rpartition("/")[2])
            async with town.serving() as server:
                assert (await ended(server.shop, payment, thinking))["state"] == "succeeded"
                assert bills(town) == PRICE

    run(main())


def test_a_page_that_cannot_show_the_question_is_told_so(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:
            for path, kinds in (("orders", ["text"]), ("store", ["url"])):
                refused = await pay(server.shop, path, nobody, challenges=kinds)
                assert refused["error"]["reason"] == "no_challenge_possible"
            assert not town.orders.orders

    run(main())


@pytest.mark.req("N-002")
def test_over_the_json_api_an_order_is_pending_then_found_then_paid(tmp_path):
    async def main():
        async with street(tmp_path) as town, town.serving() as server:
            api = Shop(server.port, None, "test-token")
            money = {"minor": 2596, "currency": "EUR"}
            wish = {"verb": "store", "amount": money, "bridge": "paypal_orders"}
            begun = await api.call("POST", "/v1/payments", wish, headers=[("idempotency-key", "1")])
            assert begun.status == 202
            (stored,) = begun.json["operations"]
            assert stored["state"] == "pending"
            assert stored["outcome"]["text"].startswith(f"{town.orders.url}/approve/")
            town.orders.approve(stored["outcome"]["provider_reference"])
            await api.call("POST", "/v1/recover")
            found = await api.call("GET", f"/v1/payments/{begun.json['id']}")
            (stored,) = found.json["operations"]
            assert stored["state"] == "approved"
            wish |= {"verb": "purchase", "token": stored["outcome"]["provider_reference"]}
            paid = await api.call("POST", "/v1/payments", wish, headers=[("idempotency-key", "2")])
            assert paid.status == 201
            assert paid.json["operations"][0]["state"] == "approved"
            assert paid.json["captured_minor"] == 2596
            again = await api.call("POST", "/v1/payments", wish, headers=[("idempotency-key", "3")])
            assert again.json["operations"][0]["state"] == "unsent"
            assert bills(town) == PRICE

    run(main())
