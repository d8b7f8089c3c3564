"""The room put together: what sellers hear of real payments, and when a server refuses to start."""

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from tests.processes import TOKEN, server
from tests.web.receiver import Receiver, receiving
from tests.web.serving import (
    CUSTOMER,
    PK,
    SELLER,
    SK,
    Shop,
    face,
    run,
    serving,
)
from tests.web.test_notices import until
from tollbridge.cli import runtime
from tollbridge.engine.config import Settings
from tollbridge.faces.contract import Seal, Sealed, Tokenize, Unseal
from tollbridge.faces.webinos.wishes import CodeSent, SendCode
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import ConfigError, LocalProtocolError
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.merchant import AsyncMerchant
from tollbridge.server.secure import SecureElement
from tollbridge.web import codes
from tollbridge.web.device import Device
from tollbridge.web.hub import Hub
from tollbridge.web.keys import ProofKeys
from tollbridge.web.options import options

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
API = [("authorization", f"Bearer {TOKEN}")]


def told(url):
    return {"notices_url": url, "notices_key": KEY}


# Notices of real payments


@pytest.mark.req("N-087", "N-088")
def test_a_seller_hears_of_payments_refunds_and_refusals_in_order(tmp_path):
    async def main():
        async with (
            receiving() as receiver,
            serving(tmp_path, seller=told(receiver.url)) as house,
            AsyncMerchant(house.url, SK, KEY, seller=SELLER) as merchant,
        ):
            paid = (await house.shop.pay("25.96")).json
            await receiver.until(1)
            heard = merchant.notice(receiver.heard[0].headers, receiver.heard[0].body)
            assert (heard.type, heard.sequence) == ("payment.succeeded", 1)
            assert heard.purchase.payment == paid["id"]
            assert heard.purchase.pays("25.96", "EUR", "B-1")
            asked = await merchant.verify(paid["proofOfPurchase"])
            now = {"raw": asked.raw, "first_verified_at": asked.first_verified_at}
            assert replace(heard.purchase, **now) == asked
            assert (await merchant.check(paid["proofOfPurchase"])).bill_id == "B-1"
            # Somebody gives it back through another face.
            engine = house.running.engine
            payments = [engine.load(each) for each in engine.journal.payments(None, 10)]
            (bought,) = [each for each in payments if each.amounts.captured_minor]
            refund = await house.shop.call(
                "POST", f"/v1/payments/{bought.id}/operations",
                {"verb": "refund", "amount": {"minor": 2596, "currency": "EUR"}},
                token="test-token", headers=[("idempotency-key", "r-1")])  # fmt: skip
            assert refund.status < 300, refund.body
            await receiver.until(2)
            again = merchant.notice(receiver.heard[1].headers, receiver.heard[1].body)
            assert (again.type, again.purchase.payment) == ("payment.refunded", paid["id"])
            assert again.sequence > heard.sequence
            assert again.purchase.status == "refunded"
            assert not again.purchase.pays("25.96", "EUR")
            declined = (await house.shop.pay("42.51")).json
            assert declined["state"] == "failed"
            await receiver.until(3)
            assert receiver.heard[2].fields["type"] == "payment.failed"
            assert receiver.heard[2].fields["data"]["payment"] == declined["id"]

    run(main())


@pytest.mark.req("N-087", "N-088")
def test_a_killed_server_sends_the_same_notice_again(tmp_path):
    """A real process, killed while the seller's server thinks."""

    async def main():
        receiver = await Receiver(["slow"]).start()
        settings = {"faces": {"webinos": face(seller=told(receiver.url))}}
        (tmp_path / "config.toml").write_text(toml(settings))
        process = server(tmp_path, "--config", "config.toml")
        await asyncio.to_thread(process.start)
        try:
            shop = Shop(int(process.url.rpartition(":")[2]))
            paid = (await shop.pay()).json
            await receiver.until(1)
            process.kill()
            await asyncio.to_thread(process.start)
            first, second = await receiver.until(2)
            assert first.id == second.id
            assert first.body == second.body
            assert second.fields["data"]["payment"] == paid["id"]
            port = int(process.url.rpartition(":")[2])
            api = Shop(port, None, TOKEN)

            for _ in range(200):
                if not (await api.call("GET", "/v1/web/notices")).json["notices"]:
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("it is still waiting")
        finally:
            process.kill()
            receiver.close()

    run(main())


def test_people_list_and_replay_notices_with_the_servers_credential(tmp_path):
    async def main():
        async with (
            receiving(410) as receiver,
            serving(tmp_path, seller=told(receiver.url)) as house,
        ):
            await house.shop.pay()
            notices = house.running.web.notices
            await until(lambda: notices.letters(dead=True))
            api = Shop(house.port, None, "test-token")
            (row,) = (await api.call("GET", "/v1/web/notices?dead=1")).json["notices"]
            assert (row["seller"], row["attempts"], row["next_at"]) == (SELLER, 1, None)
            replayed = await api.call("POST", f"/v1/web/notices/{row['name']}/replay")
            assert replayed.json["id"] == row["id"]
            await receiver.until(2)
            await until(lambda: not notices.letters(dead=False))
            for name in ("wp_1/000001", "../x", "wp_1/1"):
                answer = await api.call("POST", f"/v1/web/notices/{name}/replay")
                assert answer.status == 404
            for key in (PK, SK, "x"):
                stranger = Shop(house.port, None, key)
                assert (await stranger.call("GET", "/v1/web/notices")).status == 401
                answer = await stranger.call("POST", f"/v1/web/notices/{row['name']}/replay")
                assert answer.status == 401

    run(main())


# When a server refuses to start


def started(folder, *, host="127.0.0.1", web=None, development=False, url="", **seller):
    table = face(seller=seller, url=url)
    made = Settings(journal=folder / "journal.sqlite", host=host, web=web or {},
                    faces={"webinos": table},
                    development=development)  # fmt: skip
    running = runtime.build(made, Secret(TOKEN))
    running.engine.journal.close()
    return running


@pytest.mark.parametrize(
    "where", [{"host": "0.0.0.0"}, {"host": "shop.example"}, {"url": "https://pay.example"}]
)
def test_codes_are_not_shown_where_others_can_reach_the_server(tmp_path, where):
    with pytest.raises(ConfigError, match="code_sender: is needed"):
        started(tmp_path, **where)
    with pytest.raises(ConfigError, match="only with --development"):
        started(tmp_path, **where, web={"code_sender": "console"})
    for more in ({"development": True}, {"web": {"code_sender": "none"}}):
        started(tmp_path, **where, **more)


def test_a_sender_that_is_not_there_and_settings_that_are_none_are_told_together(tmp_path):
    with pytest.raises(ConfigError) as error:
        started(tmp_path, host="0.0.0.0", web={"code_sender": "pigeon"},
                notices_url="http://shop.example/n", notices_key="whsec_short")  # fmt: skip
    text = "\n".join(error.value.problems)
    assert "'pigeon' is not installed; there are: console, none" in text
    assert f"faces.webinos.sellers.{SELLER}.notices_url: https" in text
    assert f"faces.webinos.sellers.{SELLER}.notices_key: a key is written whsec_" in text
    for web in ({"colour": "red"}, {"code_sender": 1}, {"private_notices": "yes"}):
        with pytest.raises(ConfigError, match=f"web.{next(iter(web))}"):
            started(tmp_path, web=web)


def test_an_installed_sender_is_used(tmp_path, monkeypatch):
    sent = []

    class Pigeon:
        async def send(self, wish):
            sent.append((wish.customer, wish.contact, wish.text.reveal()))
            return CodeSent(True, "the roof")

    class Point:
        def load(self):
            return lambda table, clock, ids: made.append(table) or Pigeon()

    made = []
    monkeypatch.setattr(codes, "installed", lambda _: {"pigeon": Point()})

    async def main():
        web = {"code_sender": "pigeon", "code_senders": {"pigeon": {"roof": 7}}}
        async with serving(tmp_path, web=web) as house:
            payment = (await house.shop.pay("150.00")).json
            assert "the roof" in payment["challenge"]["challenge"]
            ((customer, contact, text),) = sent
            assert (customer, contact) == (CUSTOMER, "+4312345656")
            code = next(word for word in text.split() if word.isdigit())
            answered = await house.shop.answer(payment, code)
            assert answered.json["state"] == "succeeded"

    run(main())
    assert made == [{"roof": 7}]


def test_what_cannot_be_a_rate_is_told():
    for wrong, why in ((-1, "at least 0"), ("many", "a number"), (True, "a number")):
        with pytest.raises(ConfigError, match=why):
            options({"begins_per_s": wrong})


# What the face is granted


def device(sender=None):
    ids = RandomIds()
    keys = ProofKeys(None, SystemClock())
    return Device(keys, SecureElement(None, ids, "web"), sender or codes.Nobody(), Hub())


def test_a_sender_that_fails_ends_no_payment_and_tells_no_code(caplog):
    class Broken:
        async def send(self, wish):
            raise RuntimeError(f"cannot send {wish.text.reveal()}")

    wish = SendCode("mary", "+43", Secret("123456 is your code"))
    answer = asyncio.run(device(Broken()).grant(wish))
    assert answer == CodeSent(False)
    assert "123456" not in caplog.text
    assert "was not sent" in caplog.text


def test_what_the_web_seals_no_terminal_opens(tmp_path):
    async def main():
        ids = RandomIds()
        web = SecureElement(tmp_path / "key", ids, "web")
        house = Device(ProofKeys(None, SystemClock()), web, codes.Nobody(), Hub())
        sealed = await house.grant(Seal(Secret("4242424242424242")))
        assert isinstance(sealed, Sealed)
        opened = await house.grant(Unseal(sealed.sealed))
        assert opened.plain.reveal() == "4242424242424242"
        token = await house.grant(Tokenize(Secret("4242424242424242")))
        # The same key under another name is another key.
        terminal = SecureElement(tmp_path / "key", ids)
        assert terminal.tokenize(Tokenize(Secret("4242424242424242"))) != token
        assert not hasattr(terminal.unseal(Unseal(sealed.sealed), "web"), "plain")
        with pytest.raises(LocalProtocolError):
            await house.grant(object())

    asyncio.run(main())


@pytest.mark.parametrize(
    ("contact", "hint"),
    [("+4312345656", "***56"), ("mary@provider.com", "***@provider.com"), ("123", ""), ("", ""),
     ("@x", "")],
)  # fmt: skip
def test_a_hint_tells_where_but_not_all(contact, hint):
    assert codes.hint_of(contact) == hint


def toml(tables):
    """Write settings; the shapes of these tests only."""
    lines = []

    def write(name, table):
        lines.append(f"[{name}]")
        lines.extend(
            f"{json.dumps(k)} = {value(v)}" for k, v in table.items() if not isinstance(v, dict)
        )
        for key, inner in table.items():
            if isinstance(inner, dict):
                write(f"{name}.{json.dumps(key)}", inner)

    def value(item):
        if isinstance(item, list):
            return f"[{', '.join(value(each) for each in item)}]"
        if isinstance(item, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {value(v)}" for k, v in item.items()) + "}"
        return json.dumps(item)

    for name, table in tables.items():
        write(name, table)
    return "\n".join(lines)
