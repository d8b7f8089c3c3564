"""Asking where a trade stands, and what is waiting (RFC 3867, 2.5 and 2.7; RFC 2801, 9.2)."""

import pytest

from tests.faces.iotp.roles.recording import Recorded, Recording
from tests.faces.iotp.roles.trade import PAY_URL, House, Person
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ErrorCode,
    ProcessState,
    ProcessType,
    Severity,
)
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import InquiryReqBlk, InquiryRespBlk, PayRespBlk
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.consumer import Inquire, Pending, Ping, Resume
from tollbridge.faces.iotp.roles.person import Post, Silence, Way
from tollbridge.faces.iotp.roles.problems import Unusable
from tollbridge.ground.flow import Exchange, Party


def deaf(after):
    """A network that carries so many messages, then none to the Payment Handler."""
    carried = []

    async def meddle(wanted):
        if isinstance(wanted, Post) and wanted.url == PAY_URL:
            carried.append(wanted)
            if len(carried) > after:
                return Silence("no answer", left=True)
        return None

    return meddle


@pytest.mark.req("I-228")
@pytest.mark.parametrize(
    ("after", "state"), [(1, "InProgress"), (2, "CompletedOk"), (3, "CompletedOk")]
)
def test_an_inquiry_is_answered_at_any_time_after_the_request(after, state):
    house = House()

    async def main():
        house.person = Person(decide=[Way.SUSPEND] * 3)
        house.meddle = deaf(after)
        traded = await house.buy("tea")
        house.meddle = None
        told = await house.order(Inquire(traded.name))
        assert told.remote == state

    house.run(main)


@pytest.mark.req("I-230")
@pytest.mark.parametrize("way", [Way.RETRY, Way.CANCEL])
def test_software_that_cannot_prepare_an_inquiry_leaves_the_choice_to_the_person(way):
    house = Recorded()
    error = refused(ErrorCode.TRANSPORT_ERROR, "no card in the reader").error

    async def main():
        traded = await house.buy("tea")
        house.twists = [("C", calls.StartPaymentInquiry, Answer(error=error))]
        house.person = Person(decide=[way])
        if way is Way.CANCEL:
            with pytest.raises(Unusable, match="no card in the reader"):
                await house.order(Inquire(traded.name))
        else:
            told = await house.order(Inquire(traded.name))
            assert told.remote is ProcessState.COMPLETED_OK
        [trouble] = house.person.of(wishes.Trouble)
        assert trouble.text == "no card in the reader"
        assert {Way.RETRY, Way.CANCEL} <= set(trouble.ways)

    house.run(main)


@pytest.mark.req("I-241")
def test_what_else_there_is_to_say_the_payment_software_shows_itself():
    house = Recorded()

    class Talking(Recording):
        def do(self, call):
            inquiry = getattr(call, "process_type", None) is ProcessType.INQUIRY
            if self.role == "C" and inquiry:
                yield Exchange(Party.CARDHOLDER, wishes.Notice("your purse says hello"))
            return (yield from super().do(call))

    house.around = lambda role, name, bridge: Talking(role, name, bridge, house)

    async def main():
        traded = await house.buy("tea")
        assert "your purse says hello" not in house.person.notices
        await house.order(Inquire(traded.name))
        assert "your purse says hello" in house.person.notices

    house.run(main)


@pytest.mark.req("IX-233")
def test_after_a_business_error_an_inquiry_is_told_the_status_that_was_sent():
    house = House()

    async def main():
        house.person = Person(instrument="visa-declined", decide=[Way.CANCEL])
        traded = await house.buy("coffee")
        told = await house.order(Inquire(traded.name))
        assert told.remote is ProcessState.FAILED
        assert told.code == traded.payments[0].code != ""

    house.run(main)


@pytest.mark.req("IX-233")
def test_after_a_technical_error_an_inquiry_is_told_the_error_again():
    house = Recorded()
    wrong = refused(ErrorCode.ENCAP_PROT_ERR, "what is this?").error
    house.twists = [("P", calls.StartPaymentPaymentHandler, Answer(error=wrong))]

    async def main():
        traded = await house.buy("coffee")
        assert traded.stage == "failed"
        told = await house.order(Inquire(traded.name))
        assert told.remote is ProcessState.PROCESS_ERROR
        answer = codec.read(house.posts[-1][2])
        assert answer.block(InquiryRespBlk).status.process_state is ProcessState.PROCESS_ERROR
        assert answer.error.errors == codec.read(house.posts[0][2]).error.errors
        assert any("what is this?" in one for one in house.person.notices)

    house.run(main)


@pytest.mark.req("IX-233")
def test_after_a_request_that_was_refused_an_inquiry_is_told_why():
    house = House()

    async def forged(wanted):
        if isinstance(wanted, Post) and b'Amount="2.50"' in wanted.body:
            return Post(wanted.url, wanted.body.replace(b'Amount="2.50"', b'Amount="0.50"'))
        return None

    async def main():
        house.meddle = forged
        traded = await house.buy("coffee")
        told = await house.order(Inquire(traded.name))
        assert told.remote is ProcessState.PROCESS_ERROR
        [error] = codec.read(house.posts[-1][2]).error.errors
        assert error.error_code == ErrorCode.EL_INCONSISTENT

    house.run(main)


@pytest.mark.req("IX-233")
def test_a_bad_inquiry_is_refused_by_itself_and_changes_nothing():
    house = House()

    async def main():
        traded = await house.buy("tea")
        await house.order(Inquire(traded.name))
        _, inquiry, _ = house.posts[-1]
        wrong = inquiry.replace(b'Type="Payment"', b'Type="Delivery"').replace(b'ID="I1', b'ID="I7')
        answer = codec.read((await house.reach("P", Post(PAY_URL, wrong))).body)
        assert answer.error.errors[0].severity is Severity.HARD_ERROR
        assert answer.block(InquiryRespBlk) is None
        told = await house.order(Inquire(traded.name))
        assert told.remote is ProcessState.COMPLETED_OK

    house.run(main)


@pytest.mark.req("IX-235")
def test_an_inquiry_about_a_ping_is_passed_over_in_silence():
    house = House()

    async def main():
        traded = await house.buy("tea")
        await house.order(Inquire(traded.name))
        _, inquiry, _ = house.posts[-1]
        assert await house.order(Ping(PAY_URL)) == "Ok"
        name = codec.read(house.posts[-1][1]).trans_id
        about = inquiry.replace(traded.name.encode(), name.encode()).replace(b'ID="I1', b'ID="I8')
        assert codec.read(about).block(InquiryReqBlk) is not None
        assert (await house.reach("P", Post(PAY_URL, about))).status == 204

    house.run(main)


@pytest.mark.req("I-277")
def test_which_trades_are_open_is_marked_and_the_mark_goes_when_they_end():
    house = House()

    async def main():
        assert (await house.buy("tea")).complete
        assert await house.flow("C", store.open_names("C")) == []
        house.person = Person(confirm=Way.SUSPEND)
        traded = await house.buy("tea")
        assert await house.flow("C", store.open_names("C")) == [traded.name]
        waiting = await house.order(Pending())
        assert [one.name for one in waiting.deals] == [traded.name]
        assert (await house.order(Resume(traded.name))).complete
        assert await house.flow("C", store.open_names("C")) == []

    house.run(main)


@pytest.mark.req("I-273", "I-274", "IX-176")
@pytest.mark.parametrize("back", [True, False])
def test_who_does_not_come_back_in_time_finds_the_payment_closed(back):
    house = Recorded()
    house.handling = {"close_after_s": 600}

    async def main():
        house.person = Person(decide=[Way.SUSPEND] * 3)
        house.meddle = deaf(1)
        traded = await house.buy("tea")
        house.meddle = None
        house.clock.advance(300 if back else 900)
        house.calls.clear()
        assert (await house.buy("coffee")).complete, "somebody else pays meanwhile"
        closed = [
            call for call in house.said(calls.ChangeProcessState, "P")
            if call.process_state is ProcessState.FAILED
        ]  # fmt: skip
        assert len(closed) == (0 if back else 1)
        house.person = Person(decide=[Way.SUSPEND] * 3)
        traded = await house.order(Resume(traded.name))
        assert traded.complete is back
        if not back:
            assert closed[0].completion_code == CompletionCode.TIMED_OUT_RCVR
            [paid] = traded.payments
            assert paid.state is ProcessState.FAILED
            assert await house.balances() == (5_000, 100_000), "what it had sent is back"
            answer = codec.read(
                next(body for *_, body in reversed(house.posts) if b"<PayRespBlk" in body)
            )
            assert answer.block(PayRespBlk).status.process_state is ProcessState.FAILED
            told = await house.order(Inquire(traded.name))
            assert (told.remote, told.code) == (ProcessState.FAILED, CompletionCode.TIMED_OUT_RCVR)
        assert await house.balances() == ((4_700, 100_300) if back else (5_000, 100_000))

    house.run(main)
