"""What a merchant believes, and what not."""

import asyncio
import base64
import json
import threading
from datetime import UTC, datetime

import pytest

from tests.merchant.provider import SELLER, TOLD, providing
from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.merchant import (
    AsyncMerchant,
    Merchant,
    NotHeard,
    NotProven,
    ProviderRefused,
    ProviderUnreachable,
)
from tollbridge.server import bills
from tollbridge.testing.clock import ManualClock
from tollbridge.wire import webhook

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
NOTICE = {"type": "payment.succeeded", "timestamp": "2026-03-01T09:30:00.250Z", "sequence": 1,
          "data": TOLD}  # fmt: skip


def run(main):
    return asyncio.run(asyncio.wait_for(main, 30))


def story(tell, **more):
    async def main():
        async with (
            providing() as provider,
            AsyncMerchant(provider.url, "sk_shop", KEY, seller=SELLER, **more) as merchant,
        ):
            await tell(provider, merchant)

    run(main())


def posted(body=NOTICE, key=KEY, at_s=0, message_id="msg_1"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(at_s),
        "Webhook-Signature": webhook.sign(webhook.keys_of(Secret(key)), message_id, at_s, data),
    }, data


@pytest.mark.req("N-086", "N-089")
def test_a_true_proof_tells_what_was_bought():
    async def tell(provider, merchant):
        bought = await merchant.verify("eyJ")
        assert provider.asked == [("Bearer sk_shop", {"proof": "eyJ", "consume": False})]
        assert (bought.payment, bought.seller, bought.bill_id) == ("wp_1", SELLER, "B-1")
        assert bought.amount == Money.parse("25.96", "EUR")
        assert bought.time == datetime(2026, 3, 1, 9, 30, 0, 250_000, UTC)
        assert bought.bill == TOLD["bill"]
        assert bought.signed
        assert bought.pays("25.96", "EUR", "B-1")
        assert bought.pays("25.96", "EUR")
        assert not bought.pays("25.97", "EUR")
        assert not bought.pays("25.96", "USD")
        assert not bought.pays("25.96", "EUR", "B-2")

    story(tell)


@pytest.mark.req("N-089")
def test_a_lower_price_a_refund_and_a_refunded_payment_pay_nothing():
    async def tell(provider, merchant):
        for change in ({"amount": "0.01"}, {"status": "refunded"},
                       {"kind": "refund", "amount": "-25.96"}):  # fmt: skip
            provider.answers = [(200, TOLD | change)]
            assert not (await merchant.verify("eyJ")).pays("25.96", "EUR")

    story(tell)


@pytest.mark.req("N-085", "N-086")
def test_a_forged_proof_and_another_sellers_prove_nothing():
    async def tell(provider, merchant):
        for answer, why in (
            ((200, {"valid": False, "reason": "signature"}), "signature"),
            ((404, {"error": {"code": "x", "message": "y"}}), "another seller's"),
            ((200, TOLD | {"sellerID": "Other"}), "another seller's"),
            ((200, {}), "forged"),
            ((200, {"valid": "yes"}), "forged"),
        ):
            provider.answers = [answer]
            with pytest.raises(NotProven) as error:
                await merchant.verify("eyJ")
            assert error.value.reason == why
        with pytest.raises(NotProven, match="malformed"):
            await merchant.verify("x" * 9000)

    story(tell)


@pytest.mark.req("N-093")
def test_a_proof_is_used_up_once():
    async def tell(provider, merchant):
        provider.answers = [(200, TOLD), (200, TOLD | {
            "consumed": True, "first_verified_at": "2026-03-01T09:31:00Z"})]  # fmt: skip
        assert not (await merchant.verify("eyJ", consume=True)).consumed
        again = await merchant.verify("eyJ", consume=True)
        assert again.consumed
        assert again.first_verified_at.minute == 31
        assert [asked["consume"] for _, asked in provider.asked] == [True, True]

    story(tell)


def test_a_provider_that_fails_is_not_a_proof_that_fails():
    async def tell(provider, merchant):
        for answer in ((401, {"error": {"message": "who are you?"}}), (500, b""), (200, b"<html>"),
                       (200, {"valid": True}), (200, TOLD | {"amount": 25.96}),
                       (200, TOLD | {"time": "yesterday"}), (302, b"")):  # fmt: skip
            provider.answers = [answer]
            with pytest.raises(ProviderRefused):
                await merchant.verify("eyJ")
        provider.answers = [(503, b"")]
        with pytest.raises(ProviderUnreachable):
            await merchant.verify("eyJ")
        await provider.served.close()
        with pytest.raises(ProviderUnreachable):
            await merchant.verify("eyJ")

    story(tell)


@pytest.mark.req("N-085")
def test_a_proof_is_checked_without_the_provider():
    async def tell(provider, merchant):
        proof = provider.proof()
        claims = await merchant.check(proof)
        assert (claims.payment, claims.seller, claims.issuer) == ("wp_1", SELLER, provider.url)
        assert claims.amount == Money.parse("25.96", "EUR")
        for _ in range(10):
            await merchant.check(proof)
        assert (provider.fetched, provider.asked) == (1, [])
        await provider.served.close()
        assert await merchant.check(proof) == claims
        clock.advance(3600)
        assert await merchant.check(proof) == claims
        head, body, signature = proof.split(".")
        cheaper = provider.proof(amount="0.01").split(".")[1]
        for forged, why in (
            ("", "malformed"),
            (f"{head}.{cheaper}.{signature}", "signature"),
            (f"{head}.{body}.{signature[::-1]}", "signature"),
            (provider.proof(aud="Other"), "another seller's"),
            (provider.proof(iss="https://pay.example"), "issuer"),
            (provider.proof(amount="25.961"), "claims"),
            (provider.proof(bill_id=None), "claims"),
        ):
            with pytest.raises(NotProven) as error:
                await merchant.check(forged)
            assert error.value.reason == why

    clock = ManualClock()
    story(tell, clock=clock)


def test_new_keys_are_fetched_when_they_are_met_but_strangers_cost_little():
    async def tell(provider, merchant):
        old = provider.proof()
        await merchant.check(old)
        provider.keys.rotate()
        clock.advance(10)
        await merchant.check(provider.proof())
        await merchant.check(old)
        assert provider.fetched == 2
        stranger = type(provider)()
        stranger.url = provider.url
        for _ in range(20):
            with pytest.raises(NotProven, match="unknown_key"):
                await merchant.check(stranger.proof())
        assert provider.fetched == 2
        clock.advance(10)
        with pytest.raises(NotProven, match="unknown_key"):
            await merchant.check(stranger.proof())
        assert provider.fetched == 3

    clock = ManualClock()
    story(tell, clock=clock)


def test_whose_proofs_are_checked_must_be_said():
    async def main():
        async with AsyncMerchant("https://pay.example", "sk") as merchant:
            with pytest.raises(ConfigError, match="seller"):
                await merchant.check("a.b.c")

    run(main())
    for url in ("http://pay.example", "pay.example", ""):
        with pytest.raises(ConfigError, match="https"):
            AsyncMerchant(url, "sk")
    for key in ("abc", "whsec_", "whsec_!!", "whsec_AAAA"):
        with pytest.raises(ConfigError, match="notices_key"):
            AsyncMerchant("https://pay.example", "sk", key)


# Notices


def at(clock):
    return clock.now() // 1_000_000


@pytest.mark.req("N-087")
def test_a_signed_notice_is_heard():
    async def tell(_, merchant):
        heard = merchant.notice(*posted(at_s=at(clock)))
        assert (heard.id, heard.type, heard.sequence) == ("msg_1", "payment.succeeded", 1)
        assert heard.purchase.pays("25.96", "EUR")

    clock = ManualClock()
    story(tell, clock=clock)


def test_forged_stale_replayed_and_foreign_notices_are_not():
    async def tell(_, merchant):
        now_s = at(clock)
        headers, body = posted(at_s=now_s)
        unsigned = {name: value for name, value in headers.items() if "Signature" not in name}
        for fields, data, why in (
            (unsigned, body, "unsigned"),
            ({}, body, "unsigned"),
            (headers | {"Webhook-Timestamp": "soon"}, body, "unsigned"),
            (headers, body + b" ", "forged"),
            (headers, body.replace(b"25.96", b"95.96"), "forged"),
            (headers | {"Webhook-Id": "msg_2"}, body, "forged"),
            (headers | {"Webhook-Timestamp": str(now_s + 1)}, body, "forged"),
            (headers | {"Webhook-Signature": "v1,AAAA"}, body, "forged"),
            (headers | {"Webhook-Signature": "v1a,AAAA v1,é"}, body, "forged"),
            (*posted(key=OTHER, at_s=now_s), "forged"),
            (*posted(NOTICE | {"data": TOLD | {"sellerID": "Other"}}, at_s=now_s), "forged"),
            (*posted(at_s=now_s - 301), "stale"),
            (*posted(at_s=now_s + 301), "stale"),
            (*posted(b"[]", at_s=now_s), "malformed"),
            (*posted(b"\xff", at_s=now_s), "malformed"),
            (*posted({"type": "payment.succeeded"}, at_s=now_s), "malformed"),
            (*posted(NOTICE | {"sequence": "1"}, at_s=now_s), "malformed"),
            (*posted(b" " * 300_000, at_s=now_s), "malformed"),
        ):
            with pytest.raises(NotHeard) as error:
                merchant.notice(fields, data)
            assert error.value.reason == why
        merchant.notice(headers, body)
        with pytest.raises(NotHeard, match="replayed"):
            merchant.notice(headers, body)
        # What the provider sends again is signed afresh: whoever died before acting hears it.
        clock.advance(5)
        assert merchant.notice(*posted(at_s=at(clock))).id == "msg_1"
        clock.advance(301)
        with pytest.raises(NotHeard, match="stale"):
            merchant.notice(headers, body)

    clock = ManualClock()
    story(tell, clock=clock)


def test_either_key_is_believed_while_they_rotate():
    async def main():
        clock = ManualClock()
        both = f"{KEY} {OTHER}"
        merchant = AsyncMerchant("https://pay.example", "sk", OTHER, clock=clock)
        merchant.notice(*posted(key=both, at_s=at(clock)))
        merchant = AsyncMerchant("https://pay.example", "sk", both, clock=clock)
        merchant.notice(*posted(key=KEY, at_s=at(clock), message_id="a"))
        merchant.notice(*posted(key=OTHER, at_s=at(clock), message_id="b"))

    run(main())


def test_it_remembers_only_what_is_fresh():
    async def main():
        clock = ManualClock()
        merchant = AsyncMerchant("https://pay.example", "sk", KEY, clock=clock)
        for n in range(50):
            merchant.notice(*posted(at_s=at(clock), message_id=f"msg_{n}"))
            clock.advance(60)
        assert len(merchant._heard) <= 12

    run(main())


def test_a_program_that_does_not_await_has_the_same():
    ready, over = threading.Event(), threading.Event()
    provider = None

    async def main():
        nonlocal provider
        async with providing() as provider:
            ready.set()
            await asyncio.to_thread(over.wait, 20)

    thread = threading.Thread(target=run, args=(main(),))
    thread.start()
    try:
        assert ready.wait(10)
        with Merchant(provider.url, "sk_shop", KEY, seller=SELLER) as merchant:
            assert merchant.verify("eyJ").pays("25.96", "EUR")
            assert merchant.check(provider.proof()).bill_id == "B-1"
            with pytest.raises(NotHeard):
                merchant.notice({}, b"")
            with pytest.raises(NotProven):
                merchant.check("")
        merchant.close()
        with pytest.raises(RuntimeError):
            merchant.verify("eyJ")
    finally:
        over.set()
        thread.join()


@pytest.mark.req("N-004")
def test_a_bill_is_signed_for_a_while_and_for_once():
    clock = ManualClock()
    bill = {"productID": "B-1", "currency": "EUR", "itemPrice": "25.96"}
    key = "sk_shop_0123456789abcdef01"
    with Merchant("https://pay.example", key, seller=SELLER, clock=clock) as merchant:
        token = merchant.sign_bill(bill, [{"description": "Cup"}], customer="ada", good_for_s=60)
        claims = bills.read(token, Secret(key))
        assert claims["bill"] == bill
        assert (claims["items"], claims["customerID"]) == ([{"description": "Cup"}], "ada")
        assert (claims["iss"], claims["once"]) == (SELLER, True)
        assert claims["exp"] == clock.now() // 1_000_000 + 60
        assert claims["jti"] != bills.read(merchant.sign_bill(bill), Secret(key))["jti"]
        with pytest.raises(RemoteProtocolError, match="signature"):
            bills.read(token, Secret(key + "x"))
        for wrong in ({"itemPrice": float("nan")}, {"itemPrice": object()}, {"d": "x" * 200_000}):
            with pytest.raises(ValueError, match=r"JSON|long|most"):
                merchant.sign_bill(bill | wrong)


@pytest.mark.req("N-004")
def test_a_key_that_can_be_guessed_signs_no_bill():
    for key, seller, why in (("sk_shop", SELLER, "24 letters"), ("sk_" + "x" * 30, "", "seller")):
        with (
            Merchant("https://pay.example", key, seller=seller) as merchant,
            pytest.raises(ConfigError, match=why),
        ):
            merchant.sign_bill({"itemPrice": "1.00"})
