"""Notices to a real receiver that is down, slow, broken, gone, or forgets; and after a crash."""

import asyncio
import base64
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.web.receiver import Receiver, receiving
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.engine.transport import HttpTransport, is_public
from tollbridge.faces.webinos.messages import Notice
from tollbridge.faces.webinos.settings import Seller
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.web.notices import DAY_S, Letter, Notices, Patience
from tollbridge.wire import webhook

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
QUICK = Patience(pauses_s=(0.02,), kept_s=60, limit_s=0.5, look_s=0.05)


class Fake:
    """A source whose news are set by the test."""

    def __init__(self, *news, before=0):
        self.news = list(news)
        self.before = before
        self.ends = []

    def last(self):
        return self.before

    async def ended(self, most):
        return self.ends[:most]

    async def heard(self, ends):
        self.ends = [each for each in self.ends if each not in ends]

    async def after(self, number, most):
        found = self.news[number : number + most]
        return number + len(found), found


def news(payment="wp_1", seller="shop", kind="payment.succeeded", sequence=1, **data):
    at = "2026-03-01T09:30:00.250Z"
    data = {"payment": payment, **data}
    return Notice(f"msg_{payment}_{sequence}", seller, kind, payment, sequence, at, data)


def seller(url, key=KEY):
    return Seller(name="Shop", publishable_key="pk", secret_key=Secret("sk"), notices_url=url,
                  notices_key=Secret(key))  # fmt: skip


@asynccontextmanager
async def telling(folder, source, sellers, patience=QUICK, transport=None, clock=None):
    """Run a dispatcher on a journal in a file."""
    clock = clock or SystemClock()
    journal = SqliteJournal(folder / "journal.sqlite")
    engine = Engine(Surroundings(journal, {}, HttpTransport(), clock, RandomIds()))
    notices = Notices(engine, source, sellers, transport or HttpTransport(), patience)
    await notices.start()
    try:
        yield notices
    finally:
        await notices.close()
        await engine.close()


def run(main):
    return asyncio.run(asyncio.wait_for(main, 30))


async def quiet(notices):
    """Wait until nothing waits any more."""
    await notices.gather()
    await until(lambda: not notices.letters(dead=False))


async def until(fits):
    async with asyncio.timeout(10):
        while not fits():  # noqa: ASYNC110 - what is waited for says nothing
            await asyncio.sleep(0.01)


@pytest.mark.req("N-087")
def test_a_notice_arrives_signed_and_is_forgotten(tmp_path):
    async def main():
        async with receiving() as receiver:
            source = Fake(news(amount="25.96", status="paid"))
            async with telling(tmp_path, source, {"shop": seller(receiver.url)}) as notices:
                (heard,) = await receiver.until(1)
                await quiet(notices)
            assert heard.fields["type"] == "payment.succeeded"
            assert heard.fields["sequence"] == 1
            assert heard.fields["data"] == {"payment": "wp_1", "amount": "25.96", "status": "paid"}
            now_s = SystemClock().now() // 1_000_000
            told, at = webhook.check(webhook.keys_of(Secret(KEY)), heard.headers, heard.body, now_s)
            assert told.startswith("msg_")
            assert abs(at - now_s) < 5

    run(main())


@pytest.mark.req("N-087")
@pytest.mark.parametrize(
    "mood", [500, 503, 404, 301, 302, "slow", "break", (429, "Retry-After: 0\r\n")]
)
def test_what_was_not_taken_comes_again_under_the_same_id(tmp_path, mood):
    async def main():
        async with receiving(mood, mood) as receiver:
            async with telling(tmp_path, Fake(news()), {"shop": seller(receiver.url)}) as notices:
                heard = await receiver.until(3)
                await quiet(notices)
            assert len({each.id for each in heard}) == 1
            assert len({each.body for each in heard}) == 1

    run(main())


def test_a_redirect_is_not_followed(tmp_path):
    async def main():
        async with (
            receiving() as elsewhere,
            receiving((302, f"Location: {elsewhere.url}\r\n")) as r,
        ):
            async with telling(tmp_path, Fake(news()), {"shop": seller(r.url)}) as notices:
                await r.until(2)
                await quiet(notices)
            assert elsewhere.heard == []

    run(main())


def test_who_was_down_hears_it_when_it_is_back(tmp_path):
    async def main():
        receiver = await Receiver().start()
        receiver.close()
        url, port = receiver.url, receiver.port
        async with telling(tmp_path, Fake(news()), {"shop": seller(url)}) as notices:
            await until(lambda: any(each.attempts for each in notices.letters(dead=False)))
            (waiting,) = notices.letters(dead=False)
            assert "Refused" in waiting.why
            back = await Receiver().start(port)
            await back.until(1)
            await quiet(notices)
            back.close()

    run(main())


class Later(SystemClock):
    """A clock that goes on from some time ahead."""

    def __init__(self, ahead_s):
        super().__init__()
        self.ahead_s = ahead_s

    def now(self):
        return super().now() + self.ahead_s * 1_000_000


@pytest.mark.req("N-087", "N-088")
def test_who_was_down_for_a_day_hears_all_of_it_in_order(tmp_path):
    async def main():
        kinds = ["payment.succeeded", "payment.refunded", "payment.refunded"]
        source = Fake(*(news(name, kind=kind, sequence=n) for name in ("wp_1", "wp_2", "wp_3")
                        for n, kind in enumerate(kinds, 1)))  # fmt: skip
        gone = await Receiver().start()
        gone.close()
        sellers = {"shop": seller(gone.url)}
        usual = Patience(look_s=0.05, limit_s=0.5)
        for turn, hour in enumerate(range(0, 25, 6)):
            clock = Later(hour * 3600)
            async with telling(tmp_path, source, sellers, usual, clock=clock) as out:

                def tried(out=out, turn=turn):
                    return [each.attempts > turn for each in out.letters(dead=False)]

                await until(lambda tried=tried: tried() == [True, False, False] * 3)
                assert len(out.letters(dead=False)) == 9
                assert out.letters(dead=True) == []
        back = await Receiver().start(gone.port)
        later = Later(2 * DAY_S)
        async with telling(tmp_path, source, sellers, clock=later) as out:
            await back.until(9)
            await quiet(out)
        for name in ("wp_1", "wp_2", "wp_3"):
            heard = [each for each in back.heard if each.fields["data"]["payment"] == name]
            assert [each.fields["sequence"] for each in heard] == [1, 2, 3]
            assert [each.id for each in heard] == [f"msg_{name}_{n}" for n in (1, 2, 3)]
        back.close()

    run(main())


def test_who_is_gone_is_asked_no_more_until_somebody_says_so(tmp_path):
    async def main():
        async with receiving(410) as receiver:
            sellers = {"shop": seller(receiver.url)}
            async with telling(tmp_path, Fake(news()), sellers) as notices:
                await receiver.until(1)
                await quiet(notices)
                await asyncio.sleep(0.1)
                (dead,) = notices.letters(dead=True)
                assert (dead.dead, dead.attempts, dead.why) == (
                    True,
                    1,
                    "answered 410: gone for good",
                )
                assert len(receiver.heard) == 1
                assert await notices.replay("wp_1/000002") is None
                assert (await notices.replay("wp_1/000001")).id == dead.id
                heard = await receiver.until(2)
                await quiet(notices)
                assert notices.letters(dead=True) == []
                assert heard[0].id == heard[1].id

    run(main())


def test_what_nobody_took_for_too_long_is_kept_for_replay(tmp_path):
    async def main():
        async with receiving(*[500] * 50) as receiver:
            patience = Patience(pauses_s=(0.01,), kept_s=0.1, limit_s=0.5, look_s=0.05)
            source, sellers = Fake(news()), {"shop": seller(receiver.url)}
            async with telling(tmp_path, source, sellers, patience) as notices:
                await receiver.until(2)
                await quiet(notices)
                (dead,) = notices.letters(dead=True)
                assert dead.why == "answered 500"
            receiver.moods.clear()
            # It outlives the process.
            async with telling(tmp_path, source, sellers) as notices:
                assert notices.letters(dead=True) == [dead]
                await notices.replay("wp_1/000001")
                await quiet(notices)
            assert receiver.heard[-1].answered == 204

    run(main())


def test_notices_of_a_payment_come_in_order_and_others_do_not_wait(tmp_path):
    async def main():
        kinds = ["payment.succeeded", "payment.refunded", "payment.voided"]
        first = [news(kind=kind, sequence=n) for n, kind in enumerate(kinds, 1)]
        source = Fake(*first, news("wp_2"))
        async with receiving(500, 204, 500, 500) as receiver:
            async with telling(tmp_path, source, {"shop": seller(receiver.url)}) as notices:
                await quiet(notices)
            taken = [each for each in receiver.heard if each.answered == 204]
            first = [each.fields for each in taken if each.fields["data"]["payment"] == "wp_1"]
            assert [each["type"] for each in first] == kinds
            assert [each["sequence"] for each in first] == [1, 2, 3]
            assert [each.fields["sequence"] for each in taken if each.fields not in first] == [1]

    run(main())


def test_a_slow_seller_holds_up_nobody_else(tmp_path):
    async def main():
        source = Fake(*(news(f"wp_{n}") for n in range(30)), news("wp_x", "quick"))
        async with receiving(*["slow"] * 30) as slow, receiving() as quick:
            sellers = {"shop": seller(slow.url), "quick": seller(quick.url)}
            patience = Patience(pauses_s=(1,), kept_s=60, limit_s=5, look_s=0.05)
            async with telling(tmp_path, source, sellers, patience):
                await quick.until(1, 3)
                assert slow.most_open <= 8

    run(main())


def test_a_crash_between_the_answer_and_its_note_sends_it_again(tmp_path, monkeypatch):
    async def main():
        source = Fake(news())
        async with receiving() as receiver:
            sellers = {"shop": seller(receiver.url)}

            async def never(*_):
                await asyncio.sleep(60)

            async with telling(tmp_path, source, sellers) as notices:
                # Nothing is written any more from the moment the first answer is on its way.
                send = notices._transport.send

                async def last(*given):
                    answer = await send(*given)
                    monkeypatch.setattr(notices._engine, "remember", never)
                    return answer

                monkeypatch.setattr(notices._transport, "send", last)
                await receiver.until(1)
            async with telling(tmp_path, source, sellers) as notices:
                heard = await receiver.until(2)
                await quiet(notices)
            assert heard[0].id == heard[1].id
            assert len(receiver.heard) == 2

    run(main())


def test_news_are_gathered_once_whatever_restarts(tmp_path):
    async def main():
        source = Fake()
        async with receiving() as receiver:
            sellers = {"shop": seller(receiver.url)}
            for start in range(4):
                async with telling(tmp_path, source, sellers) as notices:
                    for n in range(300):
                        source.news.append(news(f"wp_{start}_{n}"))
                    notices.wake()
                    await receiver.until(300 * (start + 1))
                    await quiet(notices)
            assert len({each.id for each in receiver.heard}) == len(receiver.heard) == 1200

    run(main())


def test_what_happened_before_anybody_listened_is_not_told(tmp_path):
    async def main():
        source = Fake(*(news(f"wp_{n}") for n in range(5)), before=5)
        async with receiving() as receiver:
            async with telling(tmp_path, source, {"shop": seller(receiver.url)}) as notices:
                source.news.append(news("wp_new"))
                await quiet(notices)
            source.before = 6
            async with telling(tmp_path, source, {"shop": seller("")}):
                source.news.append(news("wp_untold"))
                source.before = 7
            async with telling(tmp_path, source, {"shop": seller(receiver.url)}) as notices:
                source.news.append(news("wp_again"))
                await quiet(notices)
            told = [each.fields["data"]["payment"] for each in receiver.heard]
            assert told == ["wp_new", "wp_again"]

    run(main())


@pytest.mark.req("N-087")
def test_an_end_is_told_until_it_was_heard_and_under_one_id(tmp_path):
    async def main():
        source = Fake()
        source.ends = [news("wp_end", kind="payment.cancelled")]
        heard = source.heard

        async def never(_):
            await asyncio.sleep(60)

        async with receiving() as receiver:
            sellers = {"shop": seller(receiver.url)}
            source.heard = never  # the process dies before it forgets
            async with telling(tmp_path, source, sellers):
                await asyncio.sleep(0.1)
            assert receiver.heard == [], "what is durable is sent, nothing before"
            source.heard = heard
            async with telling(tmp_path, source, sellers) as notices:
                await receiver.until(1)
                await quiet(notices)
                assert source.ends == []
            async with telling(tmp_path, source, sellers) as notices:
                await quiet(notices)
            assert {each.id for each in receiver.heard} == {"msg_wp_end_1"}
            assert receiver.heard[0].fields["type"] == "payment.cancelled"

    run(main())


@pytest.mark.req("N-087")
def test_ends_of_sellers_that_want_no_notices_are_forgotten(tmp_path):
    async def main():
        source = Fake()
        source.ends = [news(f"wp_{n}", "nobody") for n in range(500)]
        async with receiving() as receiver:
            async with telling(tmp_path, source, {"shop": seller(receiver.url)}) as notices:
                await quiet(notices)
                assert source.ends == []
                assert notices.letters(dead=False) == []
            assert receiver.heard == []

    run(main())


def test_while_keys_rotate_both_signatures_are_right(tmp_path):
    async def main():
        async with receiving() as receiver:
            sellers = {"shop": seller(receiver.url, f"{KEY} {OTHER}")}
            async with telling(tmp_path, Fake(news()), sellers):
                (heard,) = await receiver.until(1)
            now_s = SystemClock().now() // 1_000_000
            for key in (KEY, OTHER):
                webhook.check(webhook.keys_of(Secret(key)), heard.headers, heard.body, now_s)

    run(main())


@pytest.mark.parametrize(
    "place", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_notices_do_not_go_where_only_we_may_go(tmp_path, place):
    async def main():
        async with receiving() as receiver:
            url = f"http://{place}:{receiver.port}/notices"
            transport = HttpTransport(admit=is_public)
            async with telling(
                tmp_path, Fake(news()), {"shop": seller(url)}, QUICK, transport
            ) as n:
                await until(lambda: any(each.attempts for each in n.letters(dead=False)))
                assert "may not be called" in n.letters(dead=False)[0].why
            assert receiver.heard == []

    run(main())


def test_the_pauses_grow_from_seconds_to_days_and_do_not_meet():
    patience = Patience()
    pauses = []
    letter = Letter("due/wp_1/000001", "msg_1", "wp_1", "shop", "k", "", 0)
    for attempts in range(1, 12):
        pauses.append(patience.next_pause_s(replace(letter, attempts=attempts)))
    assert 4 <= pauses[0] <= 6
    assert pauses[:9] == sorted(pauses[:9])
    assert DAY_S * 0.8 <= pauses[-1] <= DAY_S * 1.2
    others = {patience.next_pause_s(replace(letter, attempts=1, id=f"msg_{n}")) for n in range(50)}
    assert len(others) > 25
