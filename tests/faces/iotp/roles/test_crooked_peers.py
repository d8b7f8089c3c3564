"""Messages that are damaged on their way, or made to harm: nobody breaks, no value is lost."""

import contextlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faces.iotp.roles.recording import Recorded
from tests.faces.iotp.roles.test_transactions import MOVES, Chooser
from tests.faces.iotp.roles.trade import PAY_URL, SHOP_URL, House
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.words import ErrorCode, Severity
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.roles.consumer import Pending, Resume
from tollbridge.faces.iotp.roles.person import Arrived, Fetch, Post
from tollbridge.faces.iotp.roles.problems import Unusable

BOMB = b"<!DOCTYPE m [<!ENTITY a 'aaaaaaaaaa'>%s]><m>&b9;</m>" % b"".join(
    b"<!ENTITY b%d '%s'>" % (n, (b"&b%d;" % (n - 1) if n else b"&a;") * 10) for n in range(10)
)
ROOT = b"<IotpMessage xmlns='iotp:ietf.org/iotp-v1.0'>%s</IotpMessage>"
HARMFUL = {
    "bomb": BOMB,
    "file": b"<!DOCTYPE m [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><m>&x;</m>",
    "address": b"<!DOCTYPE m SYSTEM 'http://127.0.0.1:1/m.dtd'><m/>",
    "parameter entity": b"<!DOCTYPE m [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/'> %p;]><m/>",
    "default attributes": b"<!DOCTYPE m [<!ATTLIST m a CDATA 'b'>]><m/>",
    "own document type": b"<!DOCTYPE IotpMessage [<!ELEMENT IotpMessage ANY>]>" + ROOT % b"",
    "deep": b"<a>" * 5_000,
    "wide": ROOT % (b"<x/>" * 30_000),
    "cut": b"<IotpMessage><TransRefBlk",
    "nothing": b"",
    "not a message": b"<html><body>a proxy says hello</body></html>",
    "not UTF-8": b"<IotpMessage>\xff\xfe</IotpMessage>",
    "zeros": b"\0" * 100,
}


@pytest.mark.req("IX-148", "IX-149", "I-247")
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in HARMFUL.items()])
def test_servers_refuse_what_is_made_to_harm_in_an_error_block(body):
    house = House()

    async def main():
        for role, url in (("M", SHOP_URL), ("P", PAY_URL)):
            answer = codec.read((await house.reach(role, Post(url, body))).body)
            [error] = answer.error.errors
            assert error.severity is Severity.HARD_ERROR
            assert error.error_code in {
                ErrorCode.XML_NOT_WELL_FRMD, ErrorCode.MSG_TOO_LARGE, ErrorCode.ATT_MISSING,
            }  # fmt: skip
            assert b"root:" not in codec.write(answer)

    house.run(main)


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in HARMFUL.items()])
@pytest.mark.parametrize("at", ["first", "later"])
def test_a_wallet_refuses_what_is_made_to_harm(body, at):
    house = House()

    async def harm(wanted):
        if isinstance(wanted, Fetch):
            return Arrived(200, body) if at == "first" else None
        return Arrived(200, body)

    async def main():
        house.meddle = harm
        if at == "first":
            with pytest.raises(Unusable):
                await house.buy("tea")
        else:
            traded = await house.buy("tea")
            assert not traded.complete
        house.meddle = None
        await settled(house)
        assert sum(await house.balances()) == 105_000

    house.run(main)


@pytest.mark.req("I-171", "IX-181")
def test_a_request_that_comes_too_late_is_refused_by_the_payment_handler_itself():
    house = House()

    async def slow(wanted):
        if isinstance(wanted, Post) and b"<PayReqBlk" in wanted.body:
            house.clock.advance(7_200)
        return

    async def main():
        house.meddle = slow
        traded = await house.buy("tea")
        assert traded.stage == "failed"
        [error] = codec.read(house.posts[0][2]).error.errors
        assert error.error_code == ErrorCode.VALUE_TOO_LARGE
        assert error.locations[0].att_name == "OkTo"
        assert await house.balances() == (5_000, 100_000)

    house.run(main)


async def settled(house):
    """Let the Consumer go on with whatever it began, over a network that works again."""
    for _ in range(4):
        waiting = await house.order(Pending())
        for one in waiting.deals:
            await house.order(Resume(one.name))
        if not waiting.deals:
            return


ATTRIBUTE = re.compile(rb' ([A-Za-z:]+)="([^"]*)"')
ELEMENT = re.compile(rb"<([A-Z][A-Za-z]+)[^>]*?(?:/>|>.*?</\1>)", re.DOTALL)


@st.composite
def damages(draw):
    """A trade, which of its messages (0: the first), and what is done to it."""
    name = draw(st.sampled_from(["tea", "cash", "load", "book", "member"]))
    return name, draw(st.integers(0, 9)), draw(st.sampled_from(KINDS)), draw(st.integers(0, 400))


def without_attribute(body, place):
    found = list(ATTRIBUTE.finditer(body))
    one = found[place % len(found)]
    return body[: one.start()] + body[one.end() :]


def other_value(body, place):
    found = list(ATTRIBUTE.finditer(body))
    one, other = found[place % len(found)], found[(place * 7 + 3) % len(found)]
    return body[: one.start(2)] + other[2] + body[one.end(2) :]


def nonsense(body, place):
    found = list(ATTRIBUTE.finditer(body))
    one = found[place % len(found)]
    return body[: one.start(2)] + b"-1 x" + body[one.end(2) :]


def without_element(body, place):
    found = list(ELEMENT.finditer(body[body.index(b"<TransRefBlk") :]))
    start = body.index(b"<TransRefBlk")
    one = found[place % len(found)]
    return body[: start + one.start()] + body[start + one.end() :]


def doubled(body, place):
    start = body.index(b"<TransRefBlk")
    found = list(ELEMENT.finditer(body[start:]))
    one = found[place % len(found)]
    return body[: start + one.end()] + one[0] + body[start + one.end() :]


KINDS = [without_attribute, other_value, nonsense, without_element, doubled]


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(damages(), st.booleans())
def test_a_message_damaged_on_its_way_harms_nobody(damage, answers):
    name, number, kind, place = damage
    house = House()
    house.person = Chooser()
    carried = []

    async def meddle(wanted):
        carried.append(wanted)
        mine = len(carried) == number + 1
        if mine and not answers and isinstance(wanted, Post):
            return Post(wanted.url, kind(wanted.body, place))
        if mine and answers:
            role = "P" if getattr(wanted, "url", "").startswith("http://pay") else "M"
            answer = await house.reach(role, wanted)
            if answer.body:
                return Arrived(200, kind(answer.body, place))
            return answer
        return None

    async def main():
        house.meddle = meddle
        with contextlib.suppress(Unusable):
            await house.buy(name)
        house.meddle = None
        await settled(house)
        mine, theirs = await house.balances()
        assert mine + theirs == 105_000, "value is neither lost nor made"

    house.run(main)
    assert house.world.differences() == []
    assert house.taken() in {0, MOVES[name][0]}


def test_a_value_exchange_goes_on_when_the_end_of_its_first_payment_got_damaged():
    house = House()
    house.person = Chooser()
    cut = []

    async def meddle(wanted):
        if isinstance(wanted, Post) and b"<PayReqBlk" in wanted.body and not cut:
            cut.append(wanted)
            answer = await house.reach("P", wanted)
            return Arrived(200, answer.body[:-20])
        return None

    async def main():
        house.meddle = meddle
        traded = await house.buy("load")
        assert traded.complete, (traded, house.person.notices)
        assert house.taken() == 2_000
        assert await house.balances() == (7_000, 98_000)

    house.run(main)


ERRORS = [
    refused(ErrorCode.BUS_ERROR, "no").error,
    refused(ErrorCode.TRANSPORT_ERROR, "away").error,
    refused(ErrorCode.ATT_VAL_ILLEGAL, "who?", "PayId").error,
    refused(ErrorCode.SYSTEM_BUSY, "later", severity=Severity.TRANSIENT_ERROR).error,
]


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["tea", "cash", "load", "book", "member"]),
    st.sampled_from("MPC"),
    st.integers(0, 30),
    st.sampled_from(ERRORS),
    st.booleans(),
)
def test_software_that_answers_any_call_with_an_error_breaks_nothing(
    name, role, number, error, worked
):
    house = Recorded()
    house.person = Chooser()
    asked = []

    def twist(whose, call):
        del call
        if whose == role:
            asked.append(whose)
            if len(asked) == number + 1:
                failed = Answer(error=error)
                # Who did the work may still say that its answer got lost, but not that it refused.
                lost = error.error_code in {ErrorCode.TRANSPORT_ERROR, ErrorCode.SYSTEM_BUSY}
                return (lambda _: failed) if lost and worked else failed
        return None

    async def main():
        house.twist = twist
        with contextlib.suppress(Unusable):
            await house.buy(name)
        house.twist = lambda *_: None
        await settled(house)
        mine, theirs = await house.balances()
        assert mine + theirs == 105_000, "value is neither lost nor made"

    house.run(main)
    assert house.world.differences() == []
    assert house.taken() in {0, MOVES[name][0]}
