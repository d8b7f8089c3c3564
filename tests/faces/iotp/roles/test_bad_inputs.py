"""What peers do wrong: silence, other amounts, expired offers, wrong signatures, wrong order."""

from datetime import timedelta

import pytest

from tests.faces.iotp.roles.trade import PAY_URL, SHOP_URL, House, Person
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Severity
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import CancelBlk, PayExchBlk
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles.consumer import Cancel, Inquire, Pending, Ping, Rest, Resume
from tollbridge.faces.iotp.roles.person import Arrived, Post, Silence, Way
from tollbridge.faces.iotp.roles.problems import Unusable


def changed(number, old, new):
    """Change the nth message the Consumer posts."""
    seen = []

    async def meddle(wanted):
        if isinstance(wanted, Post):
            seen.append(wanted)
            if len(seen) == number:
                assert old in wanted.body, wanted.body.decode()
                return Post(wanted.url, wanted.body.replace(old, new))
        return None

    return meddle


async def at_handler(house, body):
    """Give the payment handler's answer to a message of somebody's."""
    answer = await house.reach("P", Post(PAY_URL, body))
    return codec.read(answer.body) if answer.body else None


def error_of(message):
    return message.error.errors[0]


@pytest.mark.req("IX-175", "IX-256", "I-261", "I-262", "I-263")
def test_a_payment_handler_that_never_answers_is_asked_again_then_the_person_decides():
    house = House()
    house.person = Person(decide=[Way.RETRY, Way.SUSPEND])
    tries = []

    async def deaf(wanted):
        if isinstance(wanted, Post) and wanted.url == PAY_URL:
            tries.append(wanted.body)
            return Silence("no answer", left=True)
        return None

    async def main():
        house.meddle = deaf
        traded = await house.buy("tea")
        assert traded.is_suspended
        assert len(tries) == 6
        assert len(set(tries)) == 1, "the same bytes each time"
        [trouble, _] = house.person.of(wishes.Trouble)
        assert set(trouble.ways) == {Way.RETRY, Way.SUSPEND, Way.CANCEL}
        house.meddle = None
        traded = await house.order(Resume(traded.name))
        assert traded.complete

    house.run(main)


@pytest.mark.req("IX-181", "IX-182", "IX-156")
@pytest.mark.parametrize(
    ("name", "number", "old", "new"),
    [
        ("book", 2, b'Amount="11.91"', b'Amount="1.91"'),
        ("tea", 1, b'Amount="3.00"', b'Amount="0.30"'),
        ("book", 2, b'BrandId="VISA"', b'BrandId="Amex"'),
        ("tea", 1, b'BrandId="x-TollbridgePurse"', b'BrandId="x-Other"'),
        ("load", 3, b'Amount="20.00"', b'Amount="90.00"'),
    ],
)
def test_another_amount_or_brand_than_the_offer_is_refused(name, number, old, new):
    house = House()
    house.person = Person(instrument=None)

    async def main():
        house.meddle = changed(number, old, new)
        traded = await house.buy(name)
        assert not traded.complete
        refusal = codec.read(house.posts[-1][2])
        assert error_of(refusal).severity is Severity.HARD_ERROR
        assert error_of(refusal).error_code == ErrorCode.EL_INCONSISTENT
        mine, theirs = await house.balances()
        assert mine <= 5_000
        assert mine + theirs == 105_000

    house.run(main)
    assert house.world.differences() == []


@pytest.mark.req("IX-156", "IX-182")
def test_a_bad_signature_is_refused():
    house = House()

    async def main():
        house.meddle = tampered
        traded = await house.buy("tea")
        assert not traded.complete
        assert (
            "signature" in house.person.notices[0].lower() or "signed" in (house.person.notices[0])
        )

    async def tampered(wanted):
        if isinstance(wanted, Post) and b"<PayReqBlk" in wanted.body:
            place = wanted.body.index(b"</Signature>") - 30
            body = bytearray(wanted.body)
            body[place] = ord("A") if body[place] != ord("A") else ord("B")
            return Post(wanted.url, bytes(body))
        return None

    house.run(main)
    assert house.taken() == 0


@pytest.mark.req("I-171", "IX-156")
def test_an_expired_offer_is_not_paid():
    house = House()
    house.person = Person(confirm=Way.SUSPEND)

    async def main():
        traded = await house.buy("book")
        assert traded.is_suspended, "the person wants to think"
        house.clock.advance(timedelta(hours=2).total_seconds())
        traded = await house.order(Resume(traded.name))
        assert traded.stage == "failed"
        assert "expired" in traded.text

    house.run(main)
    assert house.taken() == 0


def test_the_payment_handler_refuses_an_expired_offer_itself():
    house = House()

    async def main():
        traded = await house.buy("tea")
        [first, *_] = [body for role, body, _ in house.posts if role == "P"]
        house.clock.advance(timedelta(hours=2).total_seconds())
        other = first.replace(traded.name.encode(), b"another@shop.test")
        answer = await at_handler(house, other)
        # Another transaction than the one that was signed: refused before anything else.
        assert error_of(answer).severity is Severity.HARD_ERROR

    house.run(main)


@pytest.mark.req("I-267", "I-218", "IX-166")
def test_an_exchange_after_the_end_is_told_the_end_again_or_refused():
    house = House()

    async def main():
        traded = await house.buy("tea")
        assert traded.complete
        exchanges = [body for role, body, _ in house.posts if b"<PayExchBlk" in body]
        again = exchanges[-1].replace(b'ID="C4', b'ID="C9').replace(b'RespIotpMsg="P2"',
                                                                   b'RespIotpMsg="P3"')  # fmt: skip
        answer = await at_handler(house, again)
        assert error_of(answer).error_code == ErrorCode.EL_UNEXPECTED
        told = await house.order(Inquire(traded.name))
        assert told.remote is ProcessState.COMPLETED_OK, "and nothing else changed"
        assert await house.balances() == (4_700, 100_300)

    house.run(main)


@pytest.mark.req("I-271", "I-270")
def test_an_unknown_payment_is_refused_by_its_name():
    house = House()

    async def main():
        await house.buy("tea")
        exchange = next(body for _, body, _ in house.posts if b"<PayExchBlk" in body)
        read = codec.read(exchange).block(PayExchBlk)
        known = read.pay_scheme_data.payment_handler_pay_id.encode()
        other = exchange.replace(known, b"NOBODY").replace(b'ID="C3', b'ID="C8')
        error = error_of(await at_handler(house, other))
        assert error.error_code == ErrorCode.ATT_VAL_ILLEGAL
        assert error.locations[0].att_name == "PaymentHandlerPayId"
        assert error.contents[0].text == "NOBODY"
        stranger = exchange.replace(house.name_of().encode(), b"never@heard.of")
        error = error_of(await at_handler(house, stranger))
        assert error.error_code == ErrorCode.ATT_VAL_ILLEGAL
        assert error.locations[0].att_name == "IotpTransId"

    house.run(main)


@pytest.mark.req("IX-151", "IX-157", "IX-127")
def test_replayed_messages_are_answered_with_the_same_bytes_and_do_nothing():
    house = House()

    async def main():
        await house.buy("load")
        before = await house.balances(), house.taken()
        for role, body, answer in house.posts * 2:
            again = await house.reach(role, Post("", body))
            assert again.body == answer
        assert (await house.balances(), house.taken()) == before

    house.run(main)


@pytest.mark.req("IX-151")
def test_messages_in_another_order_do_no_harm():
    house = House()

    async def main():
        await house.buy("tea")
        posts = [body for role, body, _ in house.posts if role == "P"]
        fresh = House()

        async def there():
            for body in reversed(posts):
                answer = await fresh.reach("P", Post(PAY_URL, body))
                if body is not posts[0]:
                    assert error_of(codec.read(answer.body)).severity is Severity.HARD_ERROR
            assert await fresh.balances() == (5_000, 100_000)

        await fresh.start("P")
        await fresh.start("C")
        await fresh.issue("P", "h/purse", "issuer", 100_000)
        await fresh.issue("C", "c/purse", "p1", 5_000)
        await there()

    house.run(main)


@pytest.mark.req("I-264", "I-265")
def test_what_is_not_suspended_is_not_resumed():
    house = House()

    async def main():
        traded = await house.buy("tea")
        with pytest.raises(Unusable, match="nothing to resume"):
            await house.order(Resume(traded.name))
        with pytest.raises(Unusable, match="no transaction begins"):
            await house.order(Resume("never heard of"))

    house.run(main)


@pytest.mark.req("IX-150", "IX-153")
def test_a_second_message_while_one_is_worked_on_is_asked_to_come_again():
    house = House()

    async def main():
        await house.buy("tea")
        face = house.faces["P"]
        body = house.posts[0][1]
        face.handler.memory.busy.add(house.name_of())
        answer = await at_handler(house, body)
        assert error_of(answer).error_code == ErrorCode.MSG_BEING_PROC
        assert error_of(answer).severity is Severity.TRANSIENT_ERROR
        assert error_of(answer).min_retry_secs == "2"
        face.handler.memory.busy.clear()
        assert (await at_handler(house, body)).error is None, "it was not written down"

    house.run(main)


@pytest.mark.req("IX-148", "IX-149")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not xml", ErrorCode.XML_NOT_WELL_FRMD),
        (b"<IotpMessage xmlns='iotp:ietf.org/iotp-v1.0'/>", ErrorCode.ATT_MISSING),
    ],
)
def test_nonsense_is_refused_in_a_transaction_of_its_own(body, code):
    house = House()

    async def main():
        answer = await at_handler(house, body)
        assert error_of(answer).error_code == code
        if code is ErrorCode.ATT_MISSING:
            assert error_of(answer).contents[0].text == "IotpTransId"

    house.run(main)


@pytest.mark.req("IX-236")
def test_a_ping_is_answered_by_both_and_touches_nothing():
    house = House()

    async def main():
        assert await house.order(Ping(PAY_URL)) == "Ok"
        assert await house.order(Ping(SHOP_URL)) == "Ok"
        assert (await house.order(Pending())).deals == ()

    house.run(main)


@pytest.mark.req("I-173", "I-248", "IX-142", "IX-144")
def test_a_consumer_cancels_before_it_pays_and_the_merchant_hears_of_it():
    house = House()
    house.person = Person(confirm=Way.CANCEL)

    async def main():
        traded = await house.buy("book")
        assert traded.stage == "cancelled"
        role, body, answer = house.posts[-1]
        assert (role, answer) == ("M", b"")
        status = codec.read(body).block(CancelBlk).status
        assert (status.process_state, status.completion_code) == ("Failed", "ConsCancelled")
        told = await house.order(Inquire(traded.name))
        assert (told.remote, told.code) == (ProcessState.FAILED, "ConsCancelled")

    house.run(main)


@pytest.mark.req("IX-143", "I-258", "I-260")
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_payment_cancelled_in_the_middle_leaves_no_doubt_and_no_value_behind(after):
    house = House()
    house.person = Person(decide=[Way.SUSPEND] * 9)
    answered = []

    async def deaf(wanted):
        if isinstance(wanted, Post) and wanted.url == PAY_URL:
            answered.append(wanted)
            if len(answered) > after:
                return Silence("no answer", left=True)
        return None

    async def main():
        house.meddle = deaf
        traded = await house.buy("tea")
        house.meddle = None
        if traded.complete:
            return
        traded = await house.order(Cancel(traded.name))
        mine, theirs = await house.balances()
        assert mine + theirs == 105_000
        [paid] = traded.payments
        moved = paid.state is ProcessState.COMPLETED_OK
        assert mine == (4_700 if moved else 5_000), (traded, house.person.notices)
        if not moved:
            assert traded.stage == "cancelled"

    house.run(main)


@pytest.mark.req("I-172", "I-161", "I-264", "I-272", "I-275", "I-276", "I-278", "I-279", "IX-098")
@pytest.mark.parametrize("name", ["tea", "cash", "load", "book"])
@pytest.mark.parametrize("after", range(6))
def test_a_trade_suspended_anywhere_is_resumed_and_completes_once(name, after):
    house = House()
    house.person = Person(decide=[Way.SUSPEND])
    answered = []

    async def deaf(wanted):
        if isinstance(wanted, Post):
            answered.append(wanted)
            if len(answered) > after:
                return Silence("no answer", left=True)
        return None

    async def main():
        house.meddle = deaf
        traded = await house.buy(name)
        house.meddle = None
        if not traded.complete:
            assert traded.is_suspended
            waiting = await house.order(Pending())
            assert [one.name for one in waiting.deals] == [traded.name]
            await house.order(Rest(traded.name))
            await house.start("C")
            await house.start("P")
            traded = await house.order(Resume(traded.name))
        assert traded.complete, (traded, house.person.notices)
        gained = {"tea": -300, "cash": 600, "load": 2000, "book": 0}[name]
        assert await house.balances() == (5_000 + gained, 100_000 - gained)
        assert (await house.order(Pending())).payments == ()

    house.run(main)
    assert house.taken() == {"book": 1191, "load": 2000}.get(name, 0)
    assert house.world.differences() == []


@pytest.mark.req("I-254", "I-246", "IX-058")
def test_a_declined_card_is_told_in_the_payment_response_and_another_may_be_taken():
    house = House()

    class Second(Person):
        async def __call__(self, wish):
            if isinstance(wish, wishes.Choose):
                self.seen.append(wish)
                wanted = "visa-declined" if len(self.of(wishes.Choose)) == 1 else "visa"
                return [one.instrument_id for one in wish.options].index(wanted)
            return await super().__call__(wish)

    async def main():
        house.person = Second(decide=[Way.OTHER])
        traded = await house.buy("coffee")
        assert traded.complete, (traded, house.person.notices)
        [trouble] = house.person.of(wishes.Trouble)
        assert Way.OTHER in trouble.ways

    house.run(main)
    assert house.taken() == 250


@pytest.mark.req("IX-200", "IX-202", "IX-204")
def test_a_transient_error_is_waited_for_and_the_same_bytes_are_sent_again():
    house = House()
    times = []

    async def busy_once(wanted):
        if isinstance(wanted, Post) and wanted.url == PAY_URL:
            times.append((house.clock.monotonic_s(), wanted.body))
            if len(times) == 1:
                house.faces["P"].handler.memory.busy.add(house.name_of(wanted.body))
                answer = await house.reach("P", wanted)
                house.faces["P"].handler.memory.busy.clear()
                return answer
        return None

    async def main():
        house.meddle = busy_once
        assert (await house.buy("tea")).complete

    house.run(main)
    assert times[0][1] == times[1][1]
    assert times[1][0] - times[0][0] >= 2


def test_an_answer_that_cannot_be_read_is_told_and_nothing_is_lost():
    house = House()

    async def garbled(wanted):
        if isinstance(wanted, Post) and b"<PayExchBlk" in wanted.body:
            return Arrived(200, b"<html>a proxy</html>")
        return None

    async def main():
        house.meddle = garbled
        traded = await house.buy("tea")
        assert not traded.complete
        house.meddle = None
        waiting = await house.order(Pending())
        traded = await house.order(Resume(waiting.deals[0].name))
        mine, theirs = await house.balances()
        assert mine + theirs == 105_000
        paid = traded.payments[0].state is ProcessState.COMPLETED_OK
        assert mine == (4_700 if paid else 5_000)

    house.run(main)


@pytest.mark.req("IX-255", "IX-254")
@pytest.mark.parametrize(("name", "at"), [("tea", "pay.test"), ("book", "shop.test")])
def test_a_bad_message_is_told_its_sender_and_its_log_and_the_error_page_follows(name, at):
    house = House()
    told = []

    async def garbled(wanted):
        if isinstance(wanted, Post) and b"<ErrorBlk" in wanted.body:
            told.append(wanted)
            return Arrived(204, b"")
        if isinstance(wanted, Post) and f"http://{at}" in wanted.url and not told:
            answer = await house.reach("P" if at == "pay.test" else "M", wanted)
            return Arrived(200, answer.body.replace(b"</IotpMessage>", b""))
        return None

    async def main():
        house.meddle = garbled
        house.person = Person(decide=[Way.SUSPEND])
        await house.buy(name)
        url = PAY_URL if at == "pay.test" else SHOP_URL
        assert [one.url for one in told] == [url, f"{url}/log"]
        assert told[0].body == told[1].body
        assert error_of(codec.read(told[0].body)).error_code == ErrorCode.XML_NOT_WELL_FRMD
        assert f"{url}/error" in [one.url for one in house.person.of(wishes.Visit)]

    house.run(main)


@pytest.mark.req("IX-254", "IX-147")
@pytest.mark.parametrize(("confirm", "page"), [(Way.GO_ON, "done"), (Way.CANCEL, "cancelled")])
def test_at_the_end_the_page_of_the_end_is_shown(confirm, page):
    house = House()
    house.person = Person(confirm=confirm)

    async def main():
        await house.buy("book")
        assert [one.url for one in house.person.of(wishes.Visit)] == [f"{SHOP_URL}/{page}"]

    house.run(main)
