"""Paying over real sockets: beginning, following, challenges, and who may not."""

import asyncio
import json

import pytest

from tests.web.receiver import receiving
from tests.web.serving import (
    CUSTOMER,
    PK,
    SELLER,
    SHOP,
    SK,
    TOKEN,
    Shop,
    code_in,
    run,
    serving,
)
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.web import events, site
from tollbridge.web.gate import Gate


def at_shop(tmp_path, story, **more):
    async def main():
        async with serving(tmp_path, **more) as server:
            return await story(server, server.shop)

    return run(main())


@pytest.mark.req("N-003", "N-060", "N-061")
def test_a_page_pays_and_its_merchant_believes_the_proof(tmp_path):
    async def story(server, shop):
        begun = await shop.pay()
        assert begun.status == 201, begun.body
        payment = await shop.settled(begun.json)
        assert payment["state"] == "succeeded"
        assert payment["client_token"].startswith("ct_")
        told = await server.merchant.call(
            "POST", "/v1/verify", {"proof": payment["proofOfPurchase"]}
        )
        assert told.json["valid"] is True
        assert (told.json["payment"], told.json["amount"]) == (payment["id"], "25.96")

    at_shop(tmp_path, story)


def test_services_are_found(tmp_path):
    async def story(server, shop):
        answer = await shop.call("GET", "/web/services?api=http://webinos.org/api/payment")
        (service,) = answer.json["services"]
        assert service["serviceAddress"] == server.url
        assert answer.headers["access-control-allow-origin"] == SHOP

    at_shop(tmp_path, story)


# Challenges and following


@pytest.mark.req("N-070", "N-076", "N-078", "N-087")
def test_a_challenge_is_followed_answered_and_paid(tmp_path, capsys):
    async def story(server, shop):
        payment = (await shop.pay("150.00")).json
        assert payment["state"] == "challenge_required"
        async with shop.follow(payment) as following:
            number, name, data = await following.hear()
            assert (number, name) == (1, "challenge")
            assert data["challenge"] == payment["challenge"]
            assert "client_token" not in data
            answered = await shop.answer(payment, code_in(capsys.readouterr().out))
            answered = await shop.settled(payment | answered.json)
            assert answered["state"] == "succeeded"
            heard = await following.all()
        assert [event[0] for event in heard] == list(range(1, len(heard) + 1))
        assert heard[-1][1] == "succeeded"
        assert heard[-1][2]["proofOfPurchase"] == answered["proofOfPurchase"]

    at_shop(tmp_path, story)


def test_a_stream_goes_on_where_it_broke_off_and_then_stays_over(tmp_path, capsys):
    async def story(_, shop):
        payment = (await shop.pay("150.00")).json
        async with shop.follow(payment) as following:
            await following.hear()
        await shop.answer(payment, code_in(capsys.readouterr().out))
        async with shop.follow(payment, after=1) as following:
            assert following.status == 200
            heard = await following.all()
        assert [event[0] for event in heard] == list(range(2, heard[-1][0] + 1))
        async with shop.follow(payment, after=heard[-1][0]) as following:
            # An EventSource comes back for ever unless it is told 204.
            assert following.status == 204
        async with shop.follow(payment) as following:
            assert [event[0] for event in await following.all()] == list(range(1, heard[-1][0] + 1))

    at_shop(tmp_path, story)


def test_a_quiet_stream_says_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.05)

    async def story(_, shop):
        payment = (await shop.pay("150.00")).json
        async with shop.follow(payment, after=1) as following:
            await asyncio.sleep(0.3)
            await shop.call("POST", f"/web/payments/{payment['id']}/cancel", {},
                            token=payment["client_token"])  # fmt: skip
            heard = await following.all()
            assert following.comments >= 3
            assert heard[-1][1] == "cancelled"

    at_shop(tmp_path, story)


def test_a_long_poll_waits_for_news(tmp_path):
    async def story(_, shop):
        payment = (await shop.pay("150.00")).json
        path, token = f"/web/payments/{payment['id']}", payment["client_token"]
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert (await shop.call("GET", f"{path}?wait=10", token=token)).json["events"] == 1
        assert loop.time() - start < 1
        assert (await shop.call("GET", f"{path}?wait=1&after=1", token=token)).json["events"] == 1
        assert 0.9 < loop.time() - start < 3
        waiting = asyncio.create_task(shop.call("GET", f"{path}?wait=20&after=1", token=token))
        await asyncio.sleep(0.1)
        await shop.call("POST", f"{path}/cancel", {}, token=token)
        told = await asyncio.wait_for(waiting, 2)
        assert told.json["state"] == "cancelled"
        assert told.headers["access-control-allow-origin"] == SHOP
        # What is over is told at once.
        assert (await shop.call("GET", f"{path}?wait=20&after=99", token=token)).status == 200

    at_shop(tmp_path, story)


def test_a_server_that_leaves_ends_its_streams(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            payment = (await server.shop.pay("150.00")).json
            following = server.shop.follow(payment, after=1)
            await following.__aenter__()
            waiting = asyncio.create_task(server.shop.call(
                "GET", f"/web/payments/{payment['id']}?wait=25&after=1",
                token=payment["client_token"]))  # fmt: skip
            await asyncio.sleep(0.1)
            start = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - start < 3
        assert await following.hear() is None
        following.writer.close()
        assert (await waiting).status == 200

    run(main())


def test_too_many_followers_are_sent_away(tmp_path):
    async def story(_, shop):
        payment = (await shop.pay("150.00")).json
        following = [shop.follow(payment, after=1) for _ in range(17)]
        for each in following:
            await each.__aenter__()
        assert [each.status for each in following] == [200] * 16 + [503]
        assert following[-1].headers["access-control-allow-origin"] == SHOP
        path = f"/web/payments/{payment['id']}?wait=5&after=1"
        assert (await shop.call("GET", path, token=payment["client_token"])).status == 503
        for each in following:
            each.writer.close()
        await asyncio.sleep(0.2)
        async with shop.follow(payment) as again:
            assert again.status == 200

    at_shop(tmp_path, story)


@pytest.mark.req("N-087", "N-088")
def test_the_merchant_hears_of_every_end_by_itself(tmp_path, capsys):
    async def main():
        async with receiving() as receiver:
            told = {"notices_url": receiver.url, "notices_key": "whsec_" + "a2tr" * 8}
            policy = {"attempts": 1, "expires_s": 0.5}
            async with serving(tmp_path, seller=told, policy=policy) as server:
                shop = server.shop
                paid = await shop.settled((await shop.pay("1.00")).json)
                back = (await shop.pay("-0.40")).json
                left = (await shop.pay("150.00")).json
                path = f"/web/payments/{left['id']}/cancel"
                await shop.call("POST", path, {}, token=left["client_token"])
                slow = (await shop.pay("150.00")).json
                wrong = (await shop.pay("150.00")).json
                await shop.answer(wrong, "000000")
                await receiver.until(6)
        heard = {(each.fields["data"]["payment"], each.fields["type"]): each.fields["data"]
                 for each in receiver.heard}  # fmt: skip
        assert heard.keys() == {
            (paid["id"], "payment.succeeded"), (paid["id"], "payment.refunded"),
            (back["id"], "payment.succeeded"), (left["id"], "payment.cancelled"),
            (wrong["id"], "payment.failed"), (slow["id"], "payment.failed"),
        }  # fmt: skip
        assert heard[left["id"], "payment.cancelled"]["status"] == "cancelled"
        for payment, reason in ((left, "cancelled"), (wrong, "wrong_answer"),
                                (slow, "challenge_expired")):  # fmt: skip
            (data,) = [each for (name, _), each in heard.items() if name == payment["id"]]
            assert data["error"]["reason"] == reason
            assert data["bill"]["itemPrice"] == "150.00"

    run(main())


# What runs by itself


@pytest.mark.req("N-092", "N-094")
def test_a_slow_provider_is_not_waited_for(tmp_path):
    async def story(server, shop):
        server.running.sandbox.faults.rules.append(
            Rule(Fault.LATE_ANSWER, verb="purchase", delay_s=0.5)
        )
        loop = asyncio.get_running_loop()
        start = loop.time()
        begun = await shop.pay(key="the-same-key")
        assert loop.time() - start < 0.3
        assert (begun.status, begun.json["state"]) == (201, "processing")
        assert "idempotent-replayed" not in begun.headers
        again = await shop.pay(key="the-same-key")
        assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
        async with shop.follow(begun.json) as following:
            heard = await following.all()
        assert [event[1] for event in heard] == ["state", "succeeded"]
        movements = server.running.sandbox.network.book.movements()
        assert [each.verb for each in movements].count("purchase") == 1

    at_shop(tmp_path, story)


@pytest.mark.req("N-088", "N-092")
def test_a_payment_goes_on_when_its_browser_leaves(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "SOON_S", 30)

    async def story(server, shop):
        server.running.sandbox.faults.rules.append(
            Rule(Fault.LATE_ANSWER, verb="purchase", delay_s=0.3)
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        body = json.dumps({"sellerID": SELLER, "customerID": CUSTOMER, "bill": {
            "productID": "B-1", "currency": "EUR", "itemPrice": "25.96"}}).encode()  # fmt: skip
        head = (f"POST /web/payments HTTP/1.1\r\nhost: x\r\norigin: {SHOP}\r\nauthorization: "
                f"Bearer {PK}\r\nidempotency-key: left-alone\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\n\r\n")  # fmt: skip
        writer.write(head.encode() + body)
        await asyncio.sleep(0.1)
        writer.transport.abort()
        del reader
        await asyncio.sleep(0.6)
        engine = server.running.engine
        found = [engine.load(each) for each in engine.journal.payments(None, 10)]
        assert sum(payment.amounts.captured_minor for payment in found) == 2596

    at_shop(tmp_path, story)


@pytest.mark.req("N-091")
def test_the_sweep_ends_what_nobody_ends(tmp_path):
    async def story(server, shop):
        payment = (await shop.pay("150.00")).json
        async with shop.follow(payment, after=1) as following:
            heard = await following.all()
        assert heard[-1][1] == "failed"
        assert heard[-1][2]["error"]["code"] == "payment_authentication_failed"
        assert heard[-1][2]["error"]["retryPossible"] is True

    at_shop(tmp_path, story, policy={"expires_s": 0.2})


# Who may not


@pytest.mark.req("N-096")
def test_other_origins_may_not_ask_and_may_not_read(tmp_path):
    async def story(server, shop):
        payment = (await shop.pay("150.00")).json
        for origin in (
            "http://evil.example",
            "null",
            f"{SHOP}.evil.example",
            "http://other.example",
        ):
            evil = Shop(server.port, origin)
            begun = await evil.pay()
            assert begun.status == 403
            known = origin == "http://other.example"
            assert ("access-control-allow-origin" in begun.headers) is known
            looked = await evil.call("GET", f"/web/payments/{payment['id']}",
                                     token=payment["client_token"])  # fmt: skip
            assert looked.status == 403
            async with evil.follow(payment) as following:
                assert following.status == 403
            wish = [("access-control-request-method", "POST")]
            asked = await evil.call("OPTIONS", "/web/payments", headers=wish)
            assert ("access-control-allow-origin" in asked.headers) is known
            assert asked.headers["vary"] == "Origin"

    at_shop(tmp_path, story)


@pytest.mark.req("N-096")
def test_a_preflight_is_answered_for_the_sellers_pages(tmp_path):
    async def story(_, shop):
        for path in ("/web/services", "/web/payments", "/web/payments/wp_1/events",
                     "/web/payments/wp_1/challenges/ch_1/answer"):  # fmt: skip
            asked = await shop.call("OPTIONS", path, token="x")
            assert asked.status == 204
            assert asked.headers["access-control-allow-origin"] == SHOP
            allowed = asked.headers["access-control-allow-headers"].split(", ")
            assert {"authorization", "content-type", "idempotency-key", "last-event-id"} <= set(
                allowed
            )
            assert "access-control-allow-credentials" not in asked.headers

    at_shop(tmp_path, story)


def test_credentials_open_what_they_are_for_and_nothing_else(tmp_path):
    async def story(server, shop):
        mine = (await shop.pay("150.00")).json
        other = (await shop.pay("160.00")).json
        path = f"/web/payments/{mine['id']}"
        for token in (PK, SK, TOKEN, other["client_token"], "x", "é"):
            for method, what in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
                answer = await shop.call(method, path + what, {}, token=token)
                assert answer.status in (401, 404), (token, what)
        for token in (PK, mine["client_token"], TOKEN):
            answer = await server.merchant.call("POST", "/v1/verify", {"proof": "x"}, token=token)
            assert answer.status == 401
        shown = await shop.call("GET", path, token=mine["client_token"])
        assert shown.json["state"] == "challenge_required"
        # The JSON API takes none of them.
        for token in (PK, SK, mine["client_token"]):
            assert (await shop.call("GET", "/v1/payments", token=token)).status == 401

    at_shop(tmp_path, story)


def test_what_cannot_be_read_is_refused_readably(tmp_path):
    async def story(_, shop):
        for body in (b"{", b"[]", b'{"a": NaN}', b'{"a": 1, "a": 2}'):
            answer = await shop.call("POST", "/web/payments", body,
                                     headers=[("idempotency-key", "12345678")])  # fmt: skip
            assert answer.status == 400
            assert answer.json["error"]["code"] == "payment_charge_failed"
            assert answer.headers["access-control-allow-origin"] == SHOP
        answer = await shop.call("POST", "/web/payments", b" " * 300_000)
        assert answer.status == 400
        assert (await shop.call("DELETE", "/web/payments")).status == 405

    at_shop(tmp_path, story)


# Keys, pages, files


def test_the_public_keys_are_there_for_everybody(tmp_path):
    async def story(server, shop):
        answer = await shop.call("GET", "/.well-known/jwks.json")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.json["keys"][0]["crv"] == "Ed25519"

    at_shop(tmp_path, story)


def test_the_providers_page_may_be_framed_by_sellers_only(tmp_path):
    async def story(_, shop):
        page = await shop.call("GET", "/web/confirm")
        policy = page.headers["content-security-policy"].split("; ")
        assert f"frame-ancestors 'self' {SHOP} http://other.example" in policy
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert not any("unsafe" in each for each in policy)
        assert page.headers["referrer-policy"] == "no-referrer"
        for name, kind in (("confirm.js", "text/javascript"), ("confirm.css", "text/css"),
                           ("icon.svg", "image/svg+xml")):  # fmt: skip
            file = await shop.call("GET", f"/web/pages/{name}")
            assert file.status == 200
            assert file.headers["content-type"].startswith(kind)
            tag = file.headers["etag"]
            again = await shop.call("GET", f"/web/pages/{name}", headers=[("if-none-match", tag)])
            assert (again.status, again.body) == (304, b"")

    at_shop(tmp_path, story)


def test_no_file_outside_is_given(tmp_path):
    async def story(_, shop):
        for path in ("../room.py", "%2e%2e/room.py", "..%2froom.py", "/etc/passwd", ".hidden",
                     "a/../../room.py", "nothing.js", "confirm.js/", "", "%00"):  # fmt: skip
            for place in ("/web/pages/", "/client/"):
                assert (await shop.call("GET", place + path)).status == 404, path

    at_shop(tmp_path, story)


@pytest.mark.req("N-007", "N-075", "N-079")
def test_the_providers_page_is_told_whom_to_tell(tmp_path):
    async def story(server, shop):
        begun = await shop.pay(customer=None)
        payment = begun.json
        assert payment["challenge"]["type"] == "url"
        address, _, fragment = payment["challenge"]["challenge"].partition("#")
        assert address == f"{server.url}/web/confirm"
        asked = dict(part.split("=") for part in fragment.split("&"))
        body = {"challenge": asked["ch"], "token": asked["t"]}
        looked = await server.own.call("POST", "/web/confirm/look", body)
        assert looked.status == 200, looked.body
        assert looked.headers["tollbridge-origins"] == SHOP
        assert looked.json["needs"] == "instrument"
        stranger = await server.own.call("POST", "/web/confirm/look", body | {"token": "x"})
        assert stranger.status == 404
        evil = Shop(server.port, SHOP, None)
        assert (await evil.call("POST", "/web/confirm/look", body)).status == 403
        card = {"number": "4242424242424242", "expiry": "12/40", "code": "123", "keep": False}
        decided = await server.own.call("POST", "/web/confirm/decide", body | {
            "decision": "pay", "instrument": None, "card": card, "answer": None})  # fmt: skip
        assert decided.json["state"] == "succeeded", decided.body
        assert "client_token" not in decided.json
        again = await server.own.call("POST", "/web/confirm/look", body)
        assert (again.status, again.json["error"]["reason"]) == (409, "challenge_closed")

    at_shop(tmp_path, story)


@pytest.mark.req("N-068", "N-096")
def test_who_only_has_a_publishable_key_does_not_fill_the_notebook(tmp_path):
    async def story(server, shop):
        other = Shop(server.port, "http://other.example", "pk_other_001")
        answers = await asyncio.gather(*(shop.pay("150.00") for _ in range(8)))
        refused = [each for each in answers if each.status == 429]
        assert 3 <= len(refused) <= 5
        for each in refused:
            assert each.headers["retry-after"] in ("1", "2")
            assert each.headers["access-control-allow-origin"] == SHOP
            assert each.json["error"]["retryPossible"] is True
            assert each.json["error"]["code"] == "payment_charge_failed"
        begun = server.running.engine.journal.browse("webinos", "payment/", "", 100)
        assert len(begun) == 8 - len(refused)
        stranger = await Shop(server.port, SHOP, "pk_nobody").pay()
        assert stranger.status == 401
        assert (await other.call("GET", "/web/services?api=*")).status == 200
        body = {"sellerID": "Other", "bill": {}}
        begin = await other.call(
            "POST", "/web/payments", body, headers=[("idempotency-key", "k" * 9)]
        )
        assert begin.status == 422, "another shop is not held up"
        await asyncio.sleep(2.1)
        assert (await shop.pay("1.00")).status == 201

    at_shop(tmp_path, story, web={"begins_per_s": 0.5})


def test_a_gate_lets_five_seconds_worth_through_at_once_and_then_the_rate():
    gate = Gate({"pk_1": "shop", "shop": "shop", "pk_2": "other"}, 2)
    assert [gate.wait_s("pk_1", 100.0) for _ in range(12)] == [0] * 10 + [1, 1]
    assert gate.wait_s("shop", 100.0) == 1, "by whichever name"
    assert gate.wait_s("pk_2", 100.0) == 0
    assert [gate.wait_s("pk_1", 100.5) for _ in range(2)] == [0, 1]
    assert [gate.wait_s("pk_1", 200.0) for _ in range(11)] == [0] * 10 + [1]
    assert {gate.wait_s("pk_3", 100.0) for _ in range(50)} == {0}, "the face knows no such key"
    assert {Gate({"pk_1": "shop"}, 0).wait_s("pk_1", 1.0) for _ in range(50)} == {0}
