"""What goes between Consumer and Payment Handler, and what does not (RFC 3867, 2.4 to 2.6)."""

from dataclasses import replace

import pytest

from tests.faces.iotp.roles.recording import Recorded, Recording, bought
from tests.faces.iotp.roles.trade import BOOK, House, Person
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ContStatus,
    ErrorCode,
    ProcessState,
    Severity,
)
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import CancelBlk, PayReqBlk, PayRespBlk
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.consumer import Inquire, Resume, Trades
from tollbridge.faces.iotp.roles.person import Post, Silence, Way
from tollbridge.ground.flow import Exchange, Party, Wait
from tollbridge.ground.secret import Secret


def failed(code):
    """The answers of a Payment Handler's bridge whose payment failed."""
    state = {"process_state": ProcessState.FAILED, "completion_code": code}
    return [
        ("P", calls.InquireProcessState, Answer(calls.InquireProcessStateResponse(**state))),
        ("P", calls.ChangeProcessState, Answer(calls.ChangeProcessStateResponse(**state))),
    ]


def answers(house):
    """What the Payment Handler answered, read."""
    return [codec.read(body) for role, _, body in house.posts if role == "P"]


@pytest.mark.req("I-170", "I-174")
def test_after_the_offer_the_consumer_turns_to_the_payment_handler_and_is_not_asked_again():
    house = Recorded(BOOK)
    assert bought(house, "book").complete
    assert [role for role, *_ in house.posts] == ["M", "P"]
    kinds = [type(one) for one in house.person.seen]
    after = kinds[kinds.index(wishes.Confirm) + 1 :]
    assert set(after) <= {wishes.Progress, wishes.Notice, wishes.Receipt, wishes.Visit}
    assert wishes.Receipt in after


@pytest.mark.req("I-196", "I-199", "IX-046")
@pytest.mark.parametrize("known", [True, False])
def test_a_payment_handler_asks_nobody_it_solves_a_problem_itself_or_gives_up(known):
    house = Recorded()
    house.handling = {"keys": {"card": (None, Secret("open"))}} if known else {}
    locked = refused(ErrorCode.ATT_MISSING, "it is locked", "Passphrase").error

    def lock(call):
        unlocked = call.passphrase is not None and call.passphrase.reveal() == "open"
        return None if unlocked else Answer(error=locked)

    house.twist = lambda role, call: (
        lock(call) if role == "P" and isinstance(call, calls.StartPaymentPaymentHandler) else None
    )
    traded = bought(house, "coffee")
    assert traded.complete is known
    assert not [one for one in house.person.seen if isinstance(one, wishes.NeedPassphrase)]
    if not known:
        [answer] = [one for one in answers(house) if one.error is not None]
        assert answer.error.errors[0].error_code == ErrorCode.TRANSPORT_ERROR


@pytest.mark.req("I-209", "I-199")
@pytest.mark.parametrize("code", [ErrorCode.BUS_ERROR, ErrorCode.ENCAP_PROT_ERR])
def test_a_failure_in_the_middle_becomes_a_payment_response(code):
    house = Recorded()
    wrong = refused(code, "no", element="PaySchemePackagedContent").error
    house.twists = [("P", calls.ContinueProcess, Answer(error=wrong)),
                    ("P", calls.InquireProcessState, lambda answer: answer),
                    *failed(CompletionCode.INSUFF_FUNDS)]  # fmt: skip
    if code is ErrorCode.ENCAP_PROT_ERR:  # a technical error is told first, then asked about
        house.twists.append(failed(CompletionCode.INSUFF_FUNDS)[1])
    traded = bought(house, "tea", Person(decide=[Way.CANCEL]))
    response = answers(house)[1].block(PayRespBlk)
    assert response.status.process_state is ProcessState.FAILED
    assert response.status.completion_code == CompletionCode.INSUFF_FUNDS
    assert traded.payments[0].state is ProcessState.FAILED
    assert response.pay_receipt is None


@pytest.mark.req("I-242", "I-244")
def test_errors_are_of_the_business_or_technical_and_of_three_severities():
    def told(code, severity, *, warns=False):
        house = Recorded()
        error = refused(code, "so", severity=severity).error
        twist = (lambda answer: replace(answer, error=error)) if warns else Answer(error=error)
        house.twists = [("P", calls.StartPaymentPaymentHandler, twist)]
        if code is ErrorCode.BUS_ERROR:
            house.twists += failed(CompletionCode.UNSPECIFIED)
        traded = bought(house, "coffee", Person(decide=[Way.CANCEL]))
        return traded, answers(house)

    traded, [answer, *_] = told(ErrorCode.BUS_ERROR, Severity.HARD_ERROR)
    assert (answer.error, traded.payments[0].state) == (None, ProcessState.FAILED)
    assert answer.block(PayRespBlk).status.process_state is ProcessState.FAILED
    traded, [answer, *_] = told(ErrorCode.TRANSPORT_ERROR, Severity.HARD_ERROR)
    assert answer.error.errors[0].severity is Severity.HARD_ERROR
    traded, [busy, answer] = told(ErrorCode.SYSTEM_BUSY, Severity.TRANSIENT_ERROR)
    assert busy.error.errors[0].severity is Severity.TRANSIENT_ERROR
    assert traded.complete, "it was sent again"
    traded, [answer] = told(ErrorCode.ATT_VAL_NOT_RECOG, Severity.WARNING, warns=True)
    assert (answer.error, traded.complete) == (None, True), "a warning stops nothing"


@pytest.mark.req("I-216")
def test_what_fails_after_the_payment_is_over_is_not_told():
    house = Recorded()
    late = refused(ErrorCode.TRANSPORT_ERROR, "the log is full").error
    house.twists = [("P", calls.ChangeProcessState, Answer(error=late))]
    assert bought(house, "coffee").complete
    [answer] = answers(house)
    assert answer.error is None
    assert answer.block(PayRespBlk).status.process_state is ProcessState.COMPLETED_OK


@pytest.mark.req("I-217", "I-219")
def test_that_the_wallets_software_has_ended_is_not_told_and_it_takes_nothing_more():
    house = Recorded()
    over = refused(ErrorCode.BUS_ERROR, "nothing more is taken after End").error

    def end(answer):
        result = replace(answer.result, cont_status=ContStatus.END)
        return replace(answer, result=result)

    house.twists = [("C", calls.ContinueProcess, end),
                    ("C", calls.ContinueProcess, Answer(error=over))]  # fmt: skip
    bought(house, "tea", Person(decide=[Way.SUSPEND] * 3))
    said = [one for one in house.posts if b"<PayExchBlk" in one[1]]
    assert said, "the Payment Handler goes on, for it cannot know"
    assert not any(b"ContStatus" in body + answer for _, body, answer in house.posts)
    [first, second] = house.said(calls.ContinueProcess, "C")[:2]
    assert second.pay_scheme_packaged_content != first.pay_scheme_packaged_content
    assert any("after End" in one for one in house.person.notices)


@pytest.mark.req("I-220")
def test_scheme_data_in_the_response_reaches_the_wallets_software_before_the_receipt():
    house = Recorded()
    last = (Content(text="good bye", name="Last"),)

    def more(answer):
        return replace(answer, result=replace(answer.result, pay_scheme_packaged_content=last))

    taken = calls.ContinueProcessResponse(cont_status=ContStatus.END)
    house.twists = [("P", calls.StartPaymentPaymentHandler, more),
                    ("C", calls.ContinueProcess, Answer(taken))]  # fmt: skip
    assert bought(house, "coffee").complete
    [call] = house.said(calls.ContinueProcess, "C")
    assert (call.pay_scheme_packaged_content, call.process_type) == (last, "Payment")
    names = house.names("C")
    assert names.index("ContinueProcess") < names.index("CheckPaymentReceipt")


@pytest.mark.req("I-225")
def test_a_receipt_that_is_not_sound_is_for_the_consumer_to_sort_out():
    house = Recorded()
    forged = refused(ErrorCode.BUS_ERROR, "not sealed by the handler").error
    house.twists = [("C", calls.CheckPaymentReceipt, Answer(error=forged))]
    traded = bought(house, "coffee")
    [paid] = traded.payments
    assert (paid.state, paid.sound) == (ProcessState.COMPLETED_OK, False)
    assert any("not sealed by the handler" in one for one in house.person.notices)
    assert len(house.posts) == 1, "the Payment Handler closed the payment: nothing is told it"


@pytest.mark.req("I-259")
def test_a_message_that_gets_lost_is_sent_again_and_nobody_hears_of_it():
    house = House()
    lost = []

    async def lossy(wanted):
        if isinstance(wanted, Post) and wanted.body not in lost:
            lost.append(wanted.body)
            return Silence("reset", left=True)
        return None

    house.meddle = lossy
    assert bought(house, "tea").complete
    assert len(lost) == 3
    assert not house.person.of(wishes.Trouble)
    for _, body, answer in house.posts:
        for one in (codec.read(body), codec.read(answer)):
            assert (one.error, one.block(CancelBlk)) == (None, None)


@pytest.mark.req("IX-004", "IX-108")
def test_a_receipt_may_name_what_was_said_before_and_exactly_that_is_checked():
    house = Recorded()

    def name_another(answer):
        named = ("Purse", "Extra")
        extra = (Content(text="of the receipt", name="Extra"), Content(text="no", name="Other"))
        result = replace(answer.result, pay_receipt_name_refs=named, packaged_content=extra)
        return replace(answer, result=result)

    house.twists = [("P", calls.InquireProcessState, lambda answer: answer)] * 2
    house.twists.append(("P", calls.InquireProcessState, name_another))
    bought(house, "tea")
    [checked] = house.said(calls.CheckPaymentReceipt, "C")
    assert [one.name for one in checked.packaged_content] == ["Purse", "Extra"]
    said = [codec.read(body).block(PayReqBlk) for role, body, _ in house.posts if role == "P"]
    data = next(one.pay_scheme_data for one in said if one is not None)
    assert checked.packaged_content[0] in data.contents, "as it was sent, from the file"


@pytest.mark.req("IX-065")
def test_each_side_calls_a_payment_by_its_own_name_only():
    house = Recorded(ask_state=True)
    assert bought(house, "tea").complete
    own = {
        "C": {one.consumer_pay_id for one in house.said(calls.StartPaymentConsumer)},
        "P": {one.payment_handler_pay_id for one in house.said(calls.StartPaymentPaymentHandler)},
        "M": {one.merchant_pay_id for one in house.said(calls.FindAcceptedPaymentBrand)},
    }
    used = {role: set() for role in own}
    for role, _, _, call in house.calls:
        pay_id = getattr(call, "pay_id", None)
        if pay_id is not None:
            used[role].add(pay_id)
    assert used == own
    assert len(set().union(*own.values())) == 3


@pytest.mark.req("IX-005")
def test_of_each_payment_the_wallet_knows_all_that_belongs_to_it_also_after_a_restart():
    house = Recorded()

    async def main():
        need = refused(ErrorCode.ATT_MISSING, "which wallet?", "WalletId").error
        house.twists = [("C", calls.StartPaymentConsumer, Answer(error=need))]
        house.person = Person(instrument="visa")
        traded = await house.buy("book")
        await house.start("C")
        [known] = await house.order(Trades())
        assert known == replace(traded, text=known.text)
        [paid] = known.payments
        assert (paid.bridge, paid.brand_id, paid.instrument_id) == ("card", "VISA", "visa")
        assert (paid.amount, paid.currency) == ("11.91", "EUR")
        letters = await house.letters("C", known.name)
        assert {one.other for one in letters} == {"Merchant", "pay.test"}
        kinds = {kind for one in letters for kind in one.kinds}
        assert {"TpoBlk", "OfferRespBlk"} <= kinds
        house.calls.clear()
        await house.order(Inquire(known.name))
        assert {call.wallet_id for role, _, _, call in house.calls if role == "C"} == {"w1"}

    house.run(main)


@pytest.mark.req("IX-253")
def test_the_wallet_keeps_every_message_as_it_was():
    house = House()

    async def main():
        assert (await house.buy("tea")).complete
        posted = [body for _, *both in house.posts for body in both]
        await house.start("C")
        first, *kept = [one.body for one in await house.letters("C", house.name_of())]
        assert codec.read(first).kinds == ("TpoBlk", "OfferRespBlk")
        assert kept == posted

    house.run(main)


@pytest.mark.req("IX-007")
def test_a_message_that_comes_again_does_not_reach_the_bridges():
    house = Recorded()

    async def main():
        assert (await house.buy("tea")).complete
        before = len(house.calls)
        for role, body, answer in house.posts:
            assert (await house.reach(role, Post("", body))).body == answer
        assert len(house.calls) == before

    house.run(main)


@pytest.mark.req("IX-002")
def test_one_bridge_serves_two_cores_and_one_core_has_two_bridges():
    first, second = House(seed=1), House(seed=2)
    shared = {}
    for house in (first, second):
        house.around = lambda role, name, bridge: shared.setdefault((role, name), bridge)
    assert bought(first, "load", Person()).complete
    assert bought(second, "load", Person()).complete
    assert len(shared) == 6
    assert (first.taken(), second.taken()) == (2000, 2000)


@pytest.mark.req("I-198")
def test_each_attempt_to_pay_is_kept():
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
        assert (await house.buy("coffee")).complete
        requests = [one for one in await house.letters("P", house.name_of())
                    if "PayReqBlk" in one.kinds]  # fmt: skip
        assert len(requests) == 2
        names = {codec.read(one.body).block(PayReqBlk).pay_scheme_data.consumer_payment_id
                 for one in requests}  # fmt: skip
        [deal] = await house.flow("P", store.deals("P"))
        [known] = deal.data["payments"].values()
        attempts = [*known["earlier"], known]
        assert {one["consumer"] for one in attempts} == names
        assert [one["state"] for one in attempts] == ["Failed", "CompletedOk"]

    house.run(main)


@pytest.mark.req("IX-006", "I-262")
@pytest.mark.parametrize("role", ["C", "P"])
def test_payment_software_that_takes_too_long_is_left_alone_and_asked_again(role):
    house = Recorded()
    slow = []

    class Slow(Recording):
        def do(self, call):
            starts = isinstance(call, calls.StartPaymentConsumer | calls.StartPaymentPaymentHandler)
            if self.role == role and starts and not slow:
                slow.append(call)
                for _ in range(1_000):
                    yield Wait(50)
            return (yield from super().do(call))

    house.around = lambda role, name, bridge: Slow(role, name, bridge, house)
    person = Person(decide=[Way.RETRY])
    begun_s = house.clock.monotonic_s()
    assert bought(house, "coffee", person).complete
    assert slow
    assert house.clock.monotonic_s() - begun_s < 1_000, "not for all of its 50 000 seconds"
    texts = [one.text for one in person.of(wishes.Trouble)]
    assert texts == (["the payment software takes too long"] if role == "C" else [])
    assert house.taken() == 250


@pytest.mark.req("IX-006")
def test_people_may_take_their_time():
    house = Recorded()

    class Asking(Recording):
        def do(self, call):
            if isinstance(call, calls.StartPaymentConsumer):
                yield Exchange(Party.CARDHOLDER, wishes.Notice("your PIN?"))
            return (yield from super().do(call))

    class Slow(Person):
        async def __call__(self, wish):
            if isinstance(wish, wishes.Notice) and wish.text == "your PIN?":
                house.clock.advance(1_000)
            return await super().__call__(wish)

    house.around = lambda role, name, bridge: Asking(role, name, bridge, house)
    assert bought(house, "coffee", Slow()).complete
    assert not house.person.of(wishes.Trouble)


@pytest.mark.req("I-245")
def test_software_of_the_wallet_that_fails_at_the_very_end_leaves_the_trade_to_be_resumed():
    house = Recorded()
    broken = refused(ErrorCode.TRANSPORT_ERROR, "the reader is unplugged").error
    house.twists = [("C", calls.InquireProcessState, Answer(error=broken))]

    async def main():
        traded = await house.buy("coffee")
        assert (traded.is_suspended, traded.text) == (True, "the reader is unplugged")
        await house.start("C")
        traded = await house.order(Resume(traded.name))
        assert traded.complete
        assert traded.payments[0].sound

    house.run(main)
    assert len(house.posts) == 1, "the Payment Handler is not asked again"
    assert house.taken() == 250
