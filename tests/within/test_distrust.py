"""A consumer does not believe whoever it meets, and a producer not whoever asks it."""

import asyncio
import contextlib
import json
from dataclasses import replace

import pytest

from tests.within.bench import CLIENT, HERE, WATER, Market, Peer, answer, card, device, psp
from tollbridge.faces.within import codec
from tollbridge.faces.within.errors import (
    AddressRefused,
    PaymentUnknown,
    PeerNonsense,
    PeerRefused,
    PeerSilent,
    TokenRefused,
)
from tollbridge.faces.within.messages import (
    BeginResponse,
    DeliveryToken,
    EndResponse,
    PaymentResponse,
    PriceList,
    Refusal,
    ServiceDetails,
    ServiceList,
    Total,
)
from tollbridge.faces.within.refusals import Reason
from tollbridge.ground.secret import Secret

SERVICES = ServiceList("server", (ServiceDetails(3, "", "Garden Watering"),))
PRICES = PriceList("server", tuple(WATER.prices.values()))
AGREED = Total("server", CLIENT, 2, 6, 1950, "GBP", "the reference", "T_C_1")
TOKEN = DeliveryToken(Secret("the key of the token"))
PAID = PaymentResponse("server", CLIENT, 1950, TOKEN)
CARD_TOKEN = '{"token":"TEST_SU_1"}'


def written(message, line="200 OK"):
    return answer(codec.write(message).decode(), line)


@contextlib.asynccontextmanager
async def met(folder, *answers, provider=None, **options):
    """Give a consumer, and a stranger it takes for a producer."""
    async with (
        Peer(*answers) as peer,
        Peer(*(provider or [answer(CARD_TOKEN)])) as cards,
        await device(folder, "lawn-52", CLIENT, **options) as lawn,
    ):
        lawn.init_consumer("http://", HERE, peer.port, "", CLIENT, card(), psp(cards.port))
        yield lawn, peer, cards


def refuses(folder, call, said, *before, error=PeerNonsense):
    """Say that a consumer refuses an answer to a call, after answers to the calls before."""

    async def main():
        async with met(folder, *(said for said, _ in before), said) as (lawn, peer, _):
            for _, earlier in before:
                await earlier(lawn)
            with pytest.raises(error):
                await call(lawn)
            assert len(peer.asked) == len(before) + 1

    asyncio.run(main())


@pytest.mark.req("W-043", "W-044", "W-072", "W-076", "W-077", "W-078", "W-232")
@pytest.mark.parametrize(
    "lie",
    [
        {"units": 7, "total_minor": 7 * 325},
        {"units": 0, "total_minor": 0},
        {"units": -6, "total_minor": -1950},
        {"price_id": 1},
        {"total_minor": 1951},
        {"total_minor": 0},
        {"total_minor": -1950},
        {"currency_code": "EUR"},
        {"units": 3},
        {"payment_reference": ""},
    ],
    ids=str,
)
def test_a_total_that_is_not_what_was_selected_is_refused(tmp_path, lie):
    def prices(lawn):
        return lawn.get_service_prices(3)

    def select(lawn):
        return lawn.select_service(3, 6, 2)

    refuses(tmp_path, select, written(replace(AGREED, **lie)), (written(PRICES), prices))


@pytest.mark.req("W-077", "W-078", "W-079")
def test_fewer_units_at_their_right_total_are_agreed_to(tmp_path):
    async def main():
        fewer = replace(AGREED, units=4, total_minor=4 * 325)
        async with met(tmp_path, written(PRICES), written(fewer)) as (lawn, _, _cards):
            await lawn.get_service_prices(3)
            assert await lawn.select_service(3, 6, 2) == fewer

    asyncio.run(main())


@pytest.mark.req("W-180", "W-183", "W-184", "W-233")
@pytest.mark.parametrize(
    "lie",
    [
        {"total_paid_minor": 1951},
        {"total_paid_minor": 0},
        {"token": DeliveryToken()},
    ],
    ids=str,
)
def test_a_payment_of_another_amount_or_without_a_token_is_refused(tmp_path, lie):
    def pay(lawn):
        return lawn.make_payment(AGREED)

    refuses(tmp_path, pay, written(replace(PAID, **lie)))


@pytest.mark.req("W-205", "W-206", "W-220", "W-234")
@pytest.mark.parametrize("units", [5, -1, 2**31])
def test_more_units_than_were_asked_for_are_not_granted(tmp_path, units):
    def begin(lawn):
        return lawn.begin_service_delivery(3, TOKEN, 4)

    refuses(tmp_path, begin, written(BeginResponse("server", CLIENT, TOKEN, units)))


CALLS = {
    "request_services": (),
    "get_service_prices": (3,),
    "select_service": (3, 6, 2),
    "make_payment": (AGREED,),
    "begin_service_delivery": (3, TOKEN, 4),
    "end_service_delivery": (3, TOKEN, 4),
}


@pytest.mark.req("WX-018")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_nobody_is_followed_elsewhere(tmp_path, call, status):
    async def main():
        async with Peer(written(SERVICES)) as elsewhere:
            line = f"{status}\r\nLocation: http://{HERE}:{elsewhere.port}/service/discover"
            async with met(tmp_path, answer("", line)) as (lawn, peer, _):
                with pytest.raises(PeerRefused) as refused:
                    await getattr(lawn, call)(*CALLS[call])
                assert refused.value.status == int(status[:3])
                assert len(peer.asked) == 1
            assert elsewhere.connections == 0

    asyncio.run(main())


@pytest.mark.req("W-088", "W-127")
def test_a_card_does_not_follow_a_provider_elsewhere(tmp_path):
    async def main():
        async with Peer(answer(CARD_TOKEN)) as elsewhere:
            line = f"307 Temporary\r\nLocation: http://{HERE}:{elsewhere.port}/v1/tokens"
            async with met(tmp_path, provider=[answer("", line)]) as (lawn, peer, cards):
                with pytest.raises(TokenRefused):
                    await lawn.make_payment(AGREED)
                assert len(cards.asked) == 1
                assert peer.connections == 0
            assert elsewhere.connections == 0

    asyncio.run(main())


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_without_end_is_not_read_to_its_end(tmp_path, call):
    """Of a payment it is then not known whether it was made."""
    error = PaymentUnknown if call == "make_payment" else PeerSilent
    endless = answer('{"message":"' + "x" * (1 << 20) + '"}')

    def ask(lawn):
        return getattr(lawn, call)(*CALLS[call])

    refuses(tmp_path, ask, endless, error=error)


@pytest.mark.parametrize("silence", ["nothing", "half"])
def test_an_answer_that_does_not_come_is_waited_for_so_long(tmp_path, silence):
    said = b"" if silence == "nothing" else answer(json.dumps({"services": []}))[:-5]

    async def main():
        async with met(tmp_path, said, said, answer_limit_s=0.1, payment_limit_s=0.1) as (
            lawn, _, _cards,
        ):  # fmt: skip
            with pytest.raises(PeerSilent):
                await lawn.request_services()
            with pytest.raises(PaymentUnknown):
                await lawn.make_payment(AGREED)

    asyncio.run(main())


@pytest.mark.req("W-132", "W-134", "W-233", "WX-018")
def test_what_is_not_known_is_asked_again_with_the_same_client_token(tmp_path):
    """Only after a certain no is the card shown again."""
    unknown = Refusal(503, "ask again", Reason.PAYMENT_UNKNOWN.number)
    no = Refusal(500, "no", Reason.NOT_PAID.number)

    async def main():
        said = (
            written(unknown, "503 Service Unavailable"),
            written(no, "500 Internal Server Error"),
            written(PAID),
        )
        given = (answer(CARD_TOKEN), answer(CARD_TOKEN.replace("1", "2")))
        async with met(tmp_path, *said, provider=given) as (lawn, peer, cards):
            with pytest.raises(PaymentUnknown):
                await lawn.make_payment(AGREED)
            with pytest.raises(PeerRefused):
                await lawn.make_payment(AGREED)
            assert len(cards.asked) == 1
            assert (await lawn.make_payment(AGREED)).total_paid_minor == 1950
            assert len(cards.asked) == 2
            tokens = [json.loads(one.body)["clientToken"] for one in peer.asked]
            assert tokens == ["TEST_SU_1", "TEST_SU_1", "TEST_SU_2"]

    asyncio.run(main())


@pytest.mark.req("W-012", "W-013")
def test_what_a_peer_says_is_told_short_and_without_a_card_number(tmp_path):
    said = written(Refusal(400, "4444333322221111 " + "x" * 1000), "400 Bad Request")

    async def main():
        async with met(tmp_path, said) as (lawn, _, _cards):
            with pytest.raises(PeerRefused) as refused:
                await lawn.select_service(3, 6, 2)
        assert "4444333322221111" not in str(refused.value)
        assert len(str(refused.value)) < 300

    asyncio.run(main())


@pytest.mark.req("W-217", "W-222")
def test_units_that_are_left_are_told_as_the_producer_says(tmp_path):
    async def main():
        said = written(EndResponse("server", CLIENT, TOKEN, 4, 2))
        async with met(tmp_path, said) as (lawn, _, _cards):
            ended = await lawn.end_service_delivery(3, TOKEN, 4)
        assert (ended.units_just_supplied, ended.units_remaining) == (4, 2)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("scheme", "host", "prefix"),
    [
        ("https://", HERE, ""),
        ("file://", HERE, ""),
        ("http://", "somebody@else", ""),
        ("http://", "0.0.0.0", ""),
        ("http://", HERE, "/a?b"),
        ("http://", HERE, "/a//b"),
    ],
)
def test_an_address_that_leads_elsewhere_is_not_taken(tmp_path, scheme, host, prefix):
    async def main():
        async with await device(tmp_path, "lawn") as lawn:
            with pytest.raises(AddressRefused):
                lawn.init_consumer(scheme, host, 80, prefix, CLIENT, card(), psp(1))
            assert lawn.consumer is None

    asyncio.run(main())


@pytest.mark.req("WX-018")
def test_a_producer_charges_what_was_agreed_whatever_is_repeated(tmp_path):
    """Eight payments at once with one reference; the card network is the witness."""

    async def main():
        async with Market(tmp_path) as market:
            total = await market.consumer.select_service(3, 6, 2)
            await market.consumer.consumer.prepare_payment(total)
            answers = await asyncio.gather(*(market.consumer.make_payment(total) for _ in range(8)))
            assert len({one.token.key.reveal() for one in answers}) == 1
            assert market.provider.taken_minor == 1950
            assert len([one for one in market.orders.requests if "/orders " in one.first]) == 1

    asyncio.run(main())
