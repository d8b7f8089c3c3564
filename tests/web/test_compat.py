"""The original client's endpoint, against a client written from the wire's message tables."""

import asyncio

import pytest
import websockets

from tests.web.oldclient import OldClient
from tests.web.serving import CUSTOMER, SELLER, Shop, code_in, run, serving
from tests.web.test_notices import until
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.web.site import Site

OLD = "http://old.example"
BILL = {"description": "Bill 123456", "currency": "EUR", "itemPrice": 25.96}
DEAR = BILL | {"itemPrice": 150}


def at_page(tmp_path, story, **more):
    async def main():
        async with (
            serving(tmp_path, compat_origins=[OLD], **more) as server,
            OldClient(server.port) as page,
        ):
            await page.register()
            return await story(server, page)

    return run(main())


async def ended(answer):
    return await asyncio.wait_for(answer, 10)


def test_it_is_off_unless_pages_are_named(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            for path in ("/webinosConfig.json", "/webinos.js"):
                assert (await server.shop.call("GET", path)).status == 404
            for path in ("/", "/webinos"):
                with pytest.raises(websockets.InvalidHandshake):
                    await OldClient(server.port, path).__aenter__()

    run(main())


@pytest.mark.parametrize("path", ["/", "/webinos"])
def test_an_old_page_registers_finds_and_pays(tmp_path, path):
    async def main():
        async with serving(tmp_path, compat_origins=[OLD]) as server:
            async with OldClient(server.port, path) as page:
                told = await page.register()
                assert {"connectedDevices", "state", "enrolled"} <= told.keys()
                assert page.me.startswith(f"{page.device}/")
                service = await page.find()
                assert service.keys() == {
                    "id",
                    "api",
                    "displayName",
                    "description",
                    "serviceAddress",
                }
                _, answer = await page.pay(service, BILL, CUSTOMER, SELLER)
                proof = (await ended(answer))["result"]
            told = await server.merchant.call("POST", "/v1/verify", {"proof": proof})
            assert (told.json["valid"], told.json["amount"]) == (True, "25.96")

    run(main())


@pytest.mark.req("NX-013", "NX-015")
def test_the_feature_uri_and_stars_find_and_nothing_else_does(tmp_path):
    async def story(_, page):
        for api in ("http://webinos.org/api/payment", "http://webinos.org/api/payment/*"):
            assert (await page.find(api))["displayName"]
        call, _ = await page.call(
            "ServiceDiscovery.findServices", [{"api": "http://x.example/(.*"}]
        )
        assert await page.heard(call, "onError") == []

    at_page(tmp_path, story)


@pytest.mark.req("NX-050", "NX-051", "N-064", "N-065")
def test_an_error_is_the_papers_own_on_top(tmp_path):
    async def story(_, page):
        service = await page.find()
        for bill, customer, seller in ((None, CUSTOMER, SELLER), ({}, CUSTOMER, SELLER),
                                       (BILL, CUSTOMER, "Nobody"), (BILL, "stranger", SELLER),
                                       (BILL | {"currency": "eur"}, CUSTOMER, SELLER)):  # fmt: skip
            _, answer = await page.pay(service, bill, customer, seller)
            error = (await ended(answer))["error"]
            assert error["code"].startswith("payment_")
            assert isinstance(error["message"], str)
            assert error["retryPossible"] is False
            assert error["rpcCode"] == -31000
            assert {"code", "message", "retryPossible"} <= error["data"].keys()

    at_page(tmp_path, story)


@pytest.mark.req("NX-021")
def test_a_page_that_cannot_answer_is_not_challenged_in_band(tmp_path):
    async def story(_, page):
        service = await page.find()
        _, answer = await page.pay(service, DEAR, CUSTOMER, SELLER)
        assert (await ended(answer))["error"]["code"] == "payment_authentication_failed"

    at_page(tmp_path, story)


@pytest.mark.req("NX-028", "NX-045", "N-078")
def test_a_page_of_the_extended_kind_answers(tmp_path, capsys):
    async def story(_, page):
        service = await page.find()
        call, answer = await page.pay(service, DEAR, CUSTOMER, SELLER, answers=True)
        asked = await page.heard(call, "onchallenge")
        assert asked["challengeType"] == "text"
        assert (await page.answer(service, "ch_other", "1"))["accepted"] is False
        assert (await page.answer(service, asked["challengeId"], "000000"))["accepted"] is True
        again = await page.heard(call, "onchallenge")
        assert again["challengeId"] != asked["challengeId"]
        code = code_in(capsys.readouterr().out)
        assert (await page.answer(service, asked["challengeId"], code))["accepted"] is False
        assert (await page.answer(service, again["challengeId"], code))["accepted"] is True
        assert "result" in await ended(answer)

    at_page(tmp_path, story)


def test_another_page_cannot_answer_or_speak_for_this_one(tmp_path, capsys):
    async def story(server, page):
        service = await page.find()
        call, answer = await page.pay(service, DEAR, CUSTOMER, SELLER, answers=True)
        asked = await page.heard(call, "onchallenge")
        code = code_in(capsys.readouterr().out)
        async with OldClient(server.port) as other:
            await other.register()
            assert (await other.answer(service, asked["challengeId"], code))["accepted"] is False
            method = f"{service['api']}@{service['id']}.pay"
            params = [None, BILL, CUSTOMER, SELLER]
            _, forged = await other.call(method, params, sender=page.me)
            assert (await ended(forged))["error"]["data"]["reason"] == "wrong_address"
        assert not answer.done()

    at_page(tmp_path, story)


@pytest.mark.req("NX-053")
def test_every_call_is_answered(tmp_path):
    async def story(server, page):
        service = await page.find()
        for method in ("http://webinos.org/api/payment/x@nobody.pay", "Nothing.at.all", "x",
                       f"{service['api']}@{service['id']}.unknown"):  # fmt: skip
            _, answer = await page.call(method, [])
            assert "error" in await ended(answer)
        _, answer = await page.pay(service, *[None] * 3)
        assert "error" in await ended(answer)
        async with OldClient(server.port) as unregistered:
            unregistered.me, unregistered.device = "tollbridge/x:1", "tollbridge"
            await unregistered.send("no JSON")
            await unregistered.send("[]")
            await unregistered.send({"type": "prop", "payload": {"status": "unknown"}})
            # It is still there, and the page is a page once it registers.
            await unregistered.register()
            assert (await unregistered.find())["id"] == service["id"]

    at_page(tmp_path, story)


@pytest.mark.req("N-095")
def test_many_payments_at_once_do_not_cross(tmp_path):
    async def story(server, page):
        service = await page.find()
        bills = [BILL | {"itemPrice": f"{n}.00", "productID": f"B-{n}"} for n in range(1, 13)]
        answers = [(await page.pay(service, bill, CUSTOMER, SELLER))[1] for bill in bills]
        for bill, answer in zip(bills, answers, strict=True):
            proof = (await ended(answer))["result"]
            told = await server.merchant.call("POST", "/v1/verify", {"proof": proof})
            assert told.json["bill"]["productID"] == bill["productID"]

    at_page(tmp_path, story)


async def handshake(port, host):
    """Ask for a socket under a name of the server; give the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: {OLD}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return int(line.split()[1])


def test_strangers_and_rebound_names_get_no_socket(tmp_path):
    async def main():
        async with serving(tmp_path, compat_origins=[OLD]) as server:
            for origin in ("http://evil.example", "null", "", f"{OLD}.evil.example", None):
                with pytest.raises(websockets.InvalidHandshake):
                    await OldClient(server.port, origin=origin).__aenter__()
            assert await handshake(server.port, f"127.0.0.1:{server.port}") == 101
            assert await handshake(server.port, f"localhost:{server.port}") == 101
            for host in (
                "evil.example",
                f"rebound.example:{server.port}",
                "localhost.evil.example",
            ):
                assert await handshake(server.port, host) == 403

    run(main())


def test_the_configuration_names_the_port_the_page_used(tmp_path):
    async def main():
        async with serving(tmp_path, compat_origins=[OLD]) as server:
            page = Shop(server.port, OLD, None)
            told = await page.call("GET", "/webinosConfig.json")
            assert told.json == {"websocketPort": server.port}
            assert told.headers["access-control-allow-origin"] == OLD
            assert "access-control-allow-origin" not in (await server.shop.call(
                "GET", "/webinosConfig.json")).headers  # fmt: skip
            for name in ("/webinos.js", "/tollbridge.js"):
                script = await page.call("GET", name)
                assert script.status == 200
                assert script.headers["content-type"].startswith("text/javascript")

    run(main())


@pytest.mark.req("NX-018")
def test_a_filter_for_other_devices_delays_and_hides_nothing(tmp_path):
    async def story(_, page):
        asked = [{"api": "http://webinos.org/api/payment"}, {"timeout": 1},
                 {"zoneId": ["another-device"], "cache": False, "more": "ignored"}]  # fmt: skip
        start = asyncio.get_running_loop().time()
        call, _ = await page.call("ServiceDiscovery.findServices", asked)
        assert (await page.heard(call, "onservicefound"))["displayName"]
        assert asyncio.get_running_loop().time() - start < 1

    at_page(tmp_path, story)


@pytest.mark.req("NX-012", "NX-019")
def test_a_service_pays_without_being_bound_at_the_address_it_names(tmp_path):
    async def story(server, page):
        service = await page.find()
        assert service["serviceAddress"] == page.device
        _, answer = await page.pay(service, BILL, CUSTOMER, SELLER)
        assert "result" in await ended(answer)
        # Binding is nothing that goes over the wire; who sends it all the same is told.
        method = f"{service['api']}@{service['id']}.bindService"
        _, answer = await page.call(method, [])
        assert (await ended(answer))["error"]["data"]["reason"] == "unknown_method"

    at_page(tmp_path, story)


@pytest.mark.req("NX-052")
def test_an_answer_says_what_came_of_it_and_is_never_empty(tmp_path, capsys):
    async def story(_, page):
        service = await page.find()
        answers = [
            (await page.pay(service, bill, CUSTOMER, SELLER))[1] for bill in (BILL, None, {})
        ]
        call, asked = await page.pay(service, DEAR, CUSTOMER, SELLER, answers=True)
        challenge = await page.heard(call, "onchallenge")
        method = f"{service['api']}@{service['id']}.answerChallenge"
        for given in ([challenge["challengeId"], code_in(capsys.readouterr().out)], [], [None, 5]):
            answers.append((await page.call(method, given))[1])
        for answer in (*answers, asked):
            payload = await ended(answer)
            assert set(payload) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"})
            assert payload.get("result") or payload.get("error")

    at_page(tmp_path, story)


@pytest.mark.req("NX-054")
def test_a_service_that_breaks_answers_and_goes_on(tmp_path, monkeypatch):
    async def story(_, page):
        service = await page.find()
        begun = Site.begun

        async def broken(*_):
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(Site, "begun", broken)
        _, answer = await page.pay(service, BILL, CUSTOMER, SELLER)
        error = (await ended(answer))["error"]
        assert (error["code"], error["retryPossible"]) == ("payment_charge_failed", False)
        assert error["data"]["reason"] == "system_error"
        assert "mistake" not in error["message"]
        monkeypatch.setattr(Site, "begun", begun)
        _, answer = await page.pay(service, BILL, CUSTOMER, SELLER)
        assert "result" in await ended(answer)

    at_page(tmp_path, story)


@pytest.mark.req("NX-056")
def test_a_page_that_may_not_is_denied_with_a_security_error(tmp_path):
    async def story(_, page):
        service = await page.find()
        search = [{"api": service["api"]}, None, None]
        pay = f"{service['api']}@{service['id']}.pay"
        tried = (("ServiceDiscovery.findServices", search), ("Dashboard.open", []),
                 (pay, [None, BILL, None, SELLER]))  # fmt: skip
        for method, params in tried:
            _, answer = await page.call(method, params, sender="tollbridge/BIDother:1")
            data = (await ended(answer))["error"]["data"]
            assert (data["name"], data["code"]) == ("SecurityError", 18)

    at_page(tmp_path, story)


@pytest.mark.req("NX-057", "N-088", "N-092")
def test_a_lost_socket_loses_no_payment_and_hangs_no_server(tmp_path):
    async def main():
        async with serving(tmp_path, compat_origins=[OLD]) as server:
            rule = Rule(Fault.LATE_ANSWER, verb="purchase", delay_s=0.4)
            server.running.sandbox.faults.rules.append(rule)
            async with OldClient(server.port) as page:
                await page.register()
                await page.pay(await page.find(), BILL, CUSTOMER, SELLER)
                await asyncio.sleep(0.1)
            journal = server.running.engine.journal
            await until(lambda: not journal.browse("webinos", "open/", "", 9))
            movements = server.running.sandbox.network.book.movements()
            assert [each.verb for each in movements].count("purchase") == 1
            async with OldClient(server.port) as again:
                await again.register()
                _, answer = await again.pay(await again.find(), BILL, CUSTOMER, SELLER)
                assert "result" in await ended(answer)

    run(main())
