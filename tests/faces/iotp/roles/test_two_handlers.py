"""Value exchange over two payment handlers: one takes the card, the other fills the purse."""

import pytest

from tests.faces.iotp.roles.test_transactions import Chooser, finished
from tests.faces.iotp.roles.trade import ISSUER_HOLDS, PURSE_HOLDS, PURSE_URL, House
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState
from tollbridge.faces.iotp.message import codec, rules, signing
from tollbridge.faces.iotp.message.blocks import PayReqBlk
from tollbridge.faces.iotp.message.signing import SignatureKind
from tollbridge.faces.iotp.roles.consumer import Cancel, Inquire, Resume
from tollbridge.faces.iotp.roles.person import Post, Silence, Way
from tollbridge.faces.iotp.roles.sealing import Proof

OK, FAILED = ProcessState.COMPLETED_OK, ProcessState.FAILED


def second_request(house):
    [body] = [body for role, body, _ in house.posts if role == "R" and b"<PayReqBlk" in body]
    return codec.read(body)


@pytest.mark.req("IX-227", "IX-248", "IX-182")
def test_two_handlers_exchange_value_and_the_second_sees_the_firsts_signed_receipt():
    house = House(two=True)
    house.person = Chooser()

    async def main():
        traded = await house.buy("load")
        assert traded.complete, (traded, house.person.notices)
        assert [one.proof for one in traded.payments] == [Proof.VERIFIED] * 2
        assert await house.balances() == (PURSE_HOLDS + 2000, ISSUER_HOLDS - 2000)
        for number in (1, 2):
            told = await house.order(Inquire(traded.name, number))
            assert told.remote is OK

    house.run(main)
    assert house.taken() == 2000
    request = second_request(house)
    kinds = [signing.kind_of(one) for one in request.signatures.signatures]
    assert kinds == [SignatureKind.OFFER_RESPONSE, SignatureKind.PAYMENT_RESPONSE]
    first = next(codec.read(answer) for role, _, answer in house.posts if role == "P")
    block = request.block(PayReqBlk)
    assert first.blocks[0].status in block.statuses
    answers = [codec.read(answer) for role, _, answer in house.posts if role == "R"]
    assert {one.msg_id[0] for one in answers} == {"R", "Q"}, "no id is another handler's"
    for _, body, answer in house.posts:
        for data in (body, answer):
            assert rules.faults(codec.well_formed(data)) == (), data.decode()


@pytest.mark.req("IX-182")
@pytest.mark.parametrize("what", ["no signature", "no status", "another offer"])
def test_the_second_handler_wants_evidence_of_the_first_payment(what):
    house = House(two=True)
    house.person = Chooser()

    async def meddle(wanted):
        body = getattr(wanted, "body", b"")
        if b"<PayReqBlk" not in body or b'IotpMsgIdPrefix="R"' not in body:
            return None
        if wanted.url != PURSE_URL:
            return None
        request = codec.read(body)
        signatures = request.signatures.signatures
        if what == "no signature":
            body = without(body, b'<Signature ID="P', b"</Signature>")
        elif what == "no status":
            payment = request.block(PayReqBlk).statuses[1]
            body = without(body, f'<Status ID="{payment.id}"'.encode(), b"/>")
        else:
            other = signatures[0].id.encode()
            body = body.replace(b'<Signature ID="' + other, b'<Signature ID="M9.9')
        return Post(wanted.url, body)

    async def main():
        house.meddle = meddle
        traded = await house.buy("load")
        assert not traded.complete
        assert [one.state for one in traded.payments] == [OK, ProcessState.PROCESS_ERROR]
        assert "Debit 20.00 EUR is done, Credit 20.00 EUR is not" in traded.text
        assert await house.balances() == (PURSE_HOLDS, ISSUER_HOLDS)

    house.run(main)
    refusal = codec.read(house.posts[-1][2])
    assert refusal.error.errors[0].error_code == ErrorCode.EL_INCONSISTENT


def without(body, begin, end):
    start = body.index(begin)
    return body[:start] + body[body.index(end, start) + len(end) :]


@pytest.mark.req("IX-227")
def test_while_the_second_handler_is_away_the_exchange_waits_and_goes_on_later():
    house = House(two=True)
    house.person = Chooser()

    async def away(wanted):
        return Silence("away", left=False) if wanted.url == PURSE_URL else None

    async def main():
        house.meddle = away
        traded = await house.buy("load")
        assert traded.is_suspended
        assert traded.payments[0].state is OK
        assert house.taken() == 2000
        house.meddle = None
        traded = await house.order(Resume(traded.name))
        assert traded.complete
        assert await house.balances() == (PURSE_HOLDS + 2000, ISSUER_HOLDS - 2000)

    house.run(main)
    assert house.taken() == 2000, "paid once"


class Decided(Chooser):
    """Decides in one way when the second payment fails."""

    def __init__(self, way):
        super().__init__()
        self.way = way

    async def __call__(self, wish):
        if type(wish).__name__ == "Trouble" and {Way.OTHER, Way.SUSPEND} <= set(wish.ways):
            self.seen.append(wish)
            return self.way
        return await super().__call__(wish)


@pytest.mark.req("IX-227", "I-253")
@pytest.mark.parametrize("wanted", ["resume", "cancel"])
def test_a_second_payment_that_fails_is_told_and_can_be_made_later_or_given_up(wanted):
    house = House(two=True, around=empty_at_first)

    async def main():
        house.person = Decided(Way.SUSPEND)
        traded = await house.buy("load")
        assert traded.is_suspended
        assert [one.state for one in traded.payments] == [OK, FAILED]
        assert (await house.order(Inquire(traded.name, 1))).remote is OK
        house.person = Decided(Way.OTHER)
        order = Resume(traded.name) if wanted == "resume" else Cancel(traded.name)
        traded = await house.order(order)
        assert traded.complete is (wanted == "resume"), traded
        gained = 2000 if traded.complete else 0
        assert await house.balances() == (PURSE_HOLDS + gained, ISSUER_HOLDS - gained)
        assert traded.payments[0].state is OK, "what was paid stays told"

    house.run(main)
    assert house.taken() == 2000


def empty_at_first(role, name, bridge):
    """Let the purse that pays out be empty when it is asked for the first time."""
    return EmptyAtFirst(bridge) if (role, name) == ("R", "purse") else bridge


class EmptyAtFirst:
    def __init__(self, bridge):
        self.bridge, self.refused = bridge, ""

    def start_payment_payment_handler(self, call):
        if not self.refused:
            self.refused = call.payment_handler_pay_id
            return Answer(error=refused(ErrorCode.BUS_ERROR, "the purse is empty").error)
        return (yield from self.bridge.start_payment_payment_handler(call))

    def inquire_process_state(self, call):
        if call.pay_id == self.refused:
            return Answer(calls.InquireProcessStateResponse(
                process_state=FAILED, completion_code="Unspecified"
            ))  # fmt: skip
        return (yield from self.bridge.inquire_process_state(call))

    def change_process_state(self, call):
        if call.pay_id == self.refused:
            return Answer(calls.ChangeProcessStateResponse(
                process_state=FAILED, completion_code="Unspecified"
            ))  # fmt: skip
        return (yield from self.bridge.change_process_state(call))

    def __getattr__(self, name):
        return getattr(self.bridge, name)


@pytest.mark.req("IX-093", "IX-151", "IX-227")
@pytest.mark.parametrize("role", ["M", "P", "R", "C"])
def test_a_crash_at_any_moment_loses_no_value_over_two_handlers(role):
    moment = 0
    while True:
        house, where = House(two=True), f"crash of {role} at {moment}"
        house.person = Chooser()
        done = []

        async def main(house=house, done=done):
            complete, traded = await finished(house, "load")
            done.append((complete, traded, *await house.balances()))

        house.run(main, **{role: moment})
        complete, traded, mine, theirs = done[0]
        assert mine + theirs == PURSE_HOLDS + ISSUER_HOLDS, f"{where}: value lost or made"
        assert house.world.differences() == [], where
        if complete:
            assert (house.taken(), mine - PURSE_HOLDS) == (2000, 2000), where
        elif traded is None:
            assert (house.taken(), mine) == (0, PURSE_HOLDS), where
        else:
            first, second = traded.payments
            assert (first.state is OK) == (house.taken() == 2000), (where, traded)
            assert (second.state is OK) == (mine - PURSE_HOLDS == 2000), (where, traded)
        if not house.crashes:
            return
        moment += 1
