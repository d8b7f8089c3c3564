"""What pages and strangers send that nobody should, over real sockets: said what is wrong with it,
never a fault of ours, and nothing is begun."""

import itertools
import json
import random

import pytest

from tests.web.receiver import receiving
from tests.web.serving import BILL, CUSTOMER, OTHER, SELLER, SHOP, SK, Shop, run, serving
from tests.web.test_notices import until
from tollbridge.merchant import AsyncMerchant, NotHeard
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.web.site import Site

NUMBERS = itertools.count()
KEY = "whsec_" + "a2tr" * 8
BILLS = {
    "bill_missing": [None, [], "x", 5, True],
    "bill_id_missing": [{}, {"productID": "", "description": " "}],
    "currency_missing": [{"productID": "B"}, {"productID": "B", "currency": None}],
    "currency_unknown": [BILL | {"currency": code} for code in ("eur", "EU", "978", "XXZ", "XAU")],
    "currency_not_supported": [BILL | {"currency": "USD"}],
    "amount_missing": [{"productID": "B", "currency": "EUR"}, BILL | {"itemPrice": None}],
    "amount_invalid": [
        BILL | {"itemPrice": text} for text in ("NaN", "1e3", "Infinity", "", "1,5")
    ],
    "amount_too_precise": [BILL | {"itemPrice": "1.999"}, BILL | {"itemPrice": 1.999}],
    "amount_too_large": [BILL | {"itemPrice": "9" * 20}],
    "amount_zero": [BILL | {"itemPrice": "0.00"}, BILL | {"itemPrice": 0}],
    "item_count": [BILL | {"itemCount": count} for count in (0, 2, -1, 1.5, "1", 2**32)],
    "prices_differ": [BILL | {"itemsPrice": "25.97"}],
    "item_invalid": [BILL | {"itemPrice": True}, BILL | {"productID": 7}],
    "too_long": [BILL | {"description": "x" * 1001}, BILL | {"more": "x" * 9000}],
    "refund_too_large": [BILL | {"itemPrice": "-0.01"}],
}
TEXTS = (
    '{"sellerID": "ShopName12345", "bill": {"itemPrice": NaN}}',
    '{"bill": {"itemPrice": 1e9999}}',
    '{"bill": {"itemPrice": 111111111111111111111}}',
    '{"sellerID": "a", "sellerID": "b"}',
    '{"sellerID": "\\ud800"}',
    '{"sellerID":',
    "[" * 5000 + "]" * 5000,
    "[]",
    "null",
    '{"a": "' + "x" * 300_000 + '"}',
    b'{"a": "\xff"}',
)


def at_shop(tmp_path, story, **more):
    async def main():
        async with serving(tmp_path, **more) as server:
            return await story(server, server.shop)

    return run(main())


async def begin(shop, body, *, token=None):
    fields = [("idempotency-key", f"bad-{next(NUMBERS):08d}")]
    return await shop.call("POST", "/web/payments", body, token=token, headers=fields)


def is_an_error(answer, code="payment_charge_failed"):
    error = answer.json["error"]
    assert set(error) == {"code", "message", "retryPossible", "reason"}
    assert (error["code"], error["retryPossible"]) == (code, False)
    assert error["message"]
    return error["reason"]


@pytest.mark.req("N-026", "N-034", "N-036", "N-037", "N-039", "N-040", "N-053", "N-065", "N-068")
def test_what_is_wrong_with_a_bill_is_said(tmp_path):
    async def story(server, shop):
        for reason, bills in BILLS.items():
            for bill in bills:
                body = {"sellerID": SELLER, "customerID": CUSTOMER, "bill": bill}
                answer = await begin(shop, body)
                assert (answer.status, is_an_error(answer)) == (422, reason), bill
        good = {"sellerID": SELLER, "customerID": CUSTOMER, "bill": BILL}
        for lines in ("x", {}, [None], [5], [{}] * 201, [{"itemPrice": "1.999"}]):
            answer = await begin(shop, good | {"itemList": lines})
            assert answer.status == 422, lines
            is_an_error(answer)
        assert server.running.engine.journal.browse("webinos", "", "", 10) == []

    at_shop(tmp_path, story, seller={"currencies": ["EUR", "JPY"]})


@pytest.mark.req("N-053", "N-067")
def test_what_is_no_request_is_refused_readably(tmp_path):
    async def story(server, shop):
        for text in TEXTS:
            answer = await begin(shop, text if isinstance(text, bytes) else text.encode())
            assert (answer.status, is_an_error(answer)) == (400, "invalid_request"), text[:40]
            assert answer.headers["access-control-allow-origin"] == SHOP
        assert server.running.engine.journal.browse("webinos", "", "", 10) == []

    at_shop(tmp_path, story)


@pytest.mark.req("N-028", "N-029", "N-096")
def test_who_may_not_ask_is_told_so(tmp_path):
    async def story(server, shop):
        good = {"sellerID": SELLER, "customerID": CUSTOMER, "bill": BILL}
        for change, status, reason in (
            ({"sellerID": "Nobody"}, 422, "unknown_seller"),
            ({"sellerID": ""}, 422, "seller_missing"),
            ({"sellerID": 5}, 422, "seller_missing"),
            ({"sellerID": "Other"}, 403, "wrong_key"),
            ({"service": "x"}, 422, "unknown_service"),
            ({"service": ["x"]}, 422, "invalid_request"),
            ({"customerID": 5}, 422, "invalid_request"),
            ({"customerID": "x" * 500}, 422, "invalid_request"),
            ({"challenges": "text"}, 422, "invalid_request"),
        ):
            answer = await begin(shop, good | change)
            assert (answer.status, is_an_error(answer)) == (status, reason), change
        answer = await begin(shop, good | {"customerID": "../nobody\0"})
        assert answer.status == 422
        assert is_an_error(answer, "payment_authentication_failed") == "unknown_customer"
        for token in ("pk_nobody", SK, OTHER["secret_key"], "é"):
            assert (await begin(shop, good, token=token)).status == 401, token
        assert (await begin(shop, good, token=OTHER["publishable_key"])).status == 403
        for origin in ("http://evil.example", "null", "http://other.example", None):
            stranger = Shop(server.port, origin)
            assert (await begin(stranger, good)).status == 403, origin
        assert server.running.engine.journal.browse("webinos", "", "", 10) == []

    at_shop(tmp_path, story)


def noise(chance, depth=0):
    """Make a JSON value of any kind."""
    plain = [None, True, 0, -1, 2**53, 1.5, "", "x", "\0", "é" * 50, "ch_x_y", "wp_x", "25.96"]
    if depth == 3 or chance.random() < 0.6:
        return chance.choice(plain)
    if chance.random() < 0.5:
        return [noise(chance, depth + 1) for _ in range(chance.randrange(4))]
    names = ["bill", "sellerID", "customerID", "itemList", "itemPrice", "currency", "signedBill",
             "challenge", "token", "decision", "card", "answer", "proof", "consume"]  # fmt: skip
    return {chance.choice(names): noise(chance, depth + 1) for _ in range(chance.randrange(5))}


@pytest.mark.parametrize("seed", range(3))
def test_no_noise_is_a_fault_of_ours(tmp_path, seed):
    async def story(server, shop):
        chance = random.Random(seed)
        payment = (await shop.pay("150.00")).json
        own = f"/web/payments/{payment['id']}"
        places = ["/web/payments", f"{own}/cancel/x", f"{own}/challenges/x/answer", "/v1/verify",
                  f"{own}/challenges/{payment['challenge']['id']}/answer", "/web/confirm/look",
                  "/web/confirm/decide", "/v1/web/notices/x/1/replay"]  # fmt: skip
        tokens = [None, SK, payment["client_token"], "ct_x"]
        for _ in range(120):
            body = (
                noise(chance)
                if chance.random() < 0.7
                else {"sellerID": SELLER}
                | {name: noise(chance) for name in ("bill", "customerID", "itemList", "signedBill")}
            )
            sender = chance.choice([shop, server.own])
            given = json.dumps(body).encode()
            path, token = chance.choice(places), chance.choice(tokens)
            key = [("idempotency-key", f"noise-{chance.random()}")]
            answer = await sender.call("POST", path, given, token=token, headers=key)
            assert answer.status < 500, (path, body, answer.body)
            assert b"Traceback" not in answer.body
        assert (await shop.call("GET", own, token=payment["client_token"])).status == 200

    at_shop(tmp_path, story)


# The world behind


@pytest.mark.req("N-062", "N-068", "N-069", "N-087", "N-094")
def test_a_lost_answer_is_found_out_and_never_charged_twice(tmp_path):
    async def main():
        async with receiving() as receiver:
            told = {"notices_url": receiver.url, "notices_key": KEY}
            async with serving(tmp_path, seller=told, unknown_s=0.1) as server:
                shop = server.shop
                first = await shop.settled((await shop.pay("1.00")).json)  # the card is stored
                rules = server.running.sandbox.faults.rules
                rules += [
                    Rule(Fault.DROP, verb="purchase"),
                    Rule(Fault.DROP, what="inquiry", times=2),
                ]
                begun = await shop.pay("25.96", key="one-payment")
                for _ in range(4):
                    again = await shop.pay("25.96", key="one-payment")
                    assert (again.status, again.json["id"]) == (200, begun.json["id"])
                    assert again.json["state"] in ("processing", "unknown", "succeeded")
                    if again.json["state"] == "unknown" and again.json["error"]:
                        assert again.json["error"]["reason"] == "outcome_unknown"
                        assert again.json["error"]["retryPossible"] is False
                async with shop.follow(begun.json) as following:
                    heard = await following.all()
                assert heard[-1][2]["state"] == "succeeded"
                movements = server.running.sandbox.network.book.movements()
                assert [each.taken_minor for each in movements if each.taken_minor] == [100, 2596]
                await receiver.until(2)
        assert [each.fields["type"] for each in receiver.heard] == ["payment.succeeded"] * 2
        assert first["id"] != begun.json["id"]

    run(main())


@pytest.mark.req("N-085", "N-087")
def test_a_forged_notice_is_not_believed_and_the_true_one_once(tmp_path):
    async def main():
        async with receiving() as receiver:
            told = {"notices_url": receiver.url, "notices_key": KEY}
            async with (
                serving(tmp_path, seller=told) as server,
                AsyncMerchant(server.url, SK, KEY, seller=SELLER) as merchant,
            ):
                await server.shop.pay("25.96")
                (heard,) = await receiver.until(1)
                cheaper = heard.body.replace(b'"25.96"', b'"99.96"')
                assert cheaper != heard.body
                with pytest.raises(NotHeard, match="forged"):
                    merchant.notice(heard.headers, cheaper)
                assert merchant.notice(heard.headers, heard.body).purchase.pays("25.96", "EUR")
                with pytest.raises(NotHeard, match="replayed"):
                    merchant.notice(heard.headers, heard.body)
                await until(lambda: not server.running.engine.journal.browse(
                    "web.notices", "due/", "", 9))  # fmt: skip

    run(main())


@pytest.mark.req("N-068")
def test_a_fault_of_ours_can_be_read_by_the_page_too(tmp_path, monkeypatch):
    async def story(_, shop):
        async def broken(*_):
            raise RuntimeError("4242424242424242 is a secret")

        monkeypatch.setattr(Site, "begun", broken)
        answer = await begin(shop, {"sellerID": SELLER, "bill": BILL})
        assert answer.status == 500
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert b"4242" not in answer.body
        stranger = await begin(Shop(shop.port, "http://evil.example"), {"bill": BILL})
        assert "access-control-allow-origin" not in stranger.headers

    at_shop(tmp_path, story)
