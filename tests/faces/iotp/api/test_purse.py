"""Stored value between purses: conserved whatever is lost, repeated, reordered or crashes."""

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faces.iotp.api.bridging import (
    SECRET,
    Cards,
    Host,
    offering,
    start_consumer,
    start_handler,
)
from tests.faces.iotp.api.purse_world import BRAND, MASTER, Crash, Till
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.perform import lacks, perform
from tollbridge.faces.iotp.api.words import (
    ContStatus,
    Obligation,
    PayDirection,
    ProcessState,
    ProcessType,
    Role,
)
from tollbridge.faces.iotp.schemes import purse, purses, statements
from tollbridge.faces.iotp.schemes.purse import MOVED, UNDONE, Phase, Transfer, hear
from tollbridge.faces.iotp.schemes.statements import Statement
from tollbridge.ground.flow import Remember
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.money import Money
from tollbridge.testing.world import World

OK, FAILED = ProcessState.COMPLETED_OK, ProcessState.FAILED
RUNNING, SUSPENDED = ProcessState.IN_PROGRESS, ProcessState.SUSPENDED
BOTH = pytest.mark.parametrize("direction", PayDirection)


def exchange(till, upto=99):
    """Exchange messages until the end, or `upto` of them; give what was said last, and how many."""
    contents = till.c(till.start()).result.pay_scheme_packaged_content
    count = 1
    while count < upto:
        call = calls.ContinueProcess(
            pay_id="c1" if count % 2 == 0 else "h1", pay_scheme_packaged_content=contents
        )
        if count == 1:
            call = till.opening(contents)
        answer = (till.c if count % 2 == 0 else till.h)(call)
        assert answer.error is None, answer.error
        till.check()
        if answer.result.cont_status is ContStatus.END:
            return contents, count
        contents = answer.result.pay_scheme_packaged_content
        count += 1
    return contents, count


def said(contents):
    return statements.read(contents[0]).body["say"]


@pytest.mark.req(
    "IX-110", "I-020", "I-184", "I-195", "I-211", "I-218", "IX-077", "IX-079", "IX-081"
)
@BOTH
def test_value_moves_in_three_exchanges(direction):
    till = Till(direction)
    _, count = exchange(till)
    assert count == 5
    sign = 1 if direction is PayDirection.CREDIT else -1
    assert till.balances() == (10000 + sign * 1250, 5000 - sign * 1250)
    assert till.state("h").process_state is OK
    assert till.state("c").process_state is RUNNING
    receipt = till.state("h").packaged_content
    check = calls.CheckPaymentReceipt(pay_id="c1", packaged_content=receipt)
    assert till.c(check).error is None
    assert till.h(dataclasses.replace(check, pay_id="h1")).error is None
    done = till.change("c", OK).result
    assert (done.process_state, done.status_desc) == (OK, None)
    for side in "ch":
        pay_id = f"{side}1"
        call = calls.ExpandPaymentReceipt(pay_id=pay_id, packaged_content=receipt)
        expanded = getattr(till, side)(call).result
        assert str(expanded.amount) == "12.50"
        assert expanded.pay_direction is direction
        assert getattr(till, side)(calls.InquirePendingPayment()).result.payment_ids == ()
        assert getattr(till, side)(calls.RemovePaymentLog(pay_id=pay_id)).error is None


@BOTH
def test_every_message_is_answered_again_as_before(direction):
    till = Till(direction)
    contents = till.c(till.start()).result.pay_scheme_packaged_content
    assert till.c(till.start()).result.pay_scheme_packaged_content == contents
    for count in range(1, 6):
        call = calls.ContinueProcess(
            pay_id="c1" if count % 2 == 0 else "h1", pay_scheme_packaged_content=contents
        )
        if count == 1:
            call = till.opening(contents)
        ask = till.c if count % 2 == 0 else till.h
        first = ask(call)
        pages = dict(till.mine.pages), dict(till.theirs.pages)
        assert ask(call) == first
        assert ask(call) == first
        assert (till.mine.pages, till.theirs.pages) == pages
        contents = first.result.pay_scheme_packaged_content
    till.check()


@pytest.mark.req("I-021", "I-264", "I-269", "I-272", "IX-093", "IX-094", "IX-078")
@BOTH
@pytest.mark.parametrize("upto", range(1, 6))
def test_both_sides_suspend_and_resume_between_any_two_steps(direction, upto):
    till = Till(direction)
    contents, _ = exchange(till, upto)
    for side in "ch":
        if till.transfer(side) is None:
            continue
        before = till.state(side).process_state
        answer = till.change(side, SUSPENDED).result
        if before is OK or till.transfer(side).phase in MOVED:
            assert answer.process_state is OK
            continue
        assert answer.process_state is SUSPENDED
        error = getattr(till, side)(
            calls.ContinueProcess(pay_id=f"{side}1", pay_scheme_packaged_content=contents)
        ).error
        assert error.error_code == "BusError"
    if till.state("c").process_state is SUSPENDED:
        resume = calls.ResumePaymentConsumer(consumer_pay_id="c1")
        contents = till.c(resume).result.pay_scheme_packaged_content
        assert till.c(resume).error.error_code == "BusError"
    finish(till, contents)
    assert till.transfer("c").phase in MOVED
    assert till.transfer("h").phase in MOVED
    till.check()
    assert till.on_its_way() == 0


def finish(till, contents):
    """Go on from what the Consumer said last, resuming the Payment Handler where needed."""
    for _ in range(4):
        call = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
        if till.transfer("h") is None:
            call = till.opening(contents)
        elif till.state("h").process_state is SUSPENDED:
            call = calls.ResumePaymentPaymentHandler(
                payment_handler_pay_id="h1", pay_scheme_packaged_content=contents
            )
        answer = till.h(call)
        assert answer.error is None
        if answer.result.cont_status is ContStatus.END:
            return
        heard = answer.result.pay_scheme_packaged_content
        more = till.c(calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=heard))
        if more.result is None or not more.result.pay_scheme_packaged_content:
            return
        contents = more.result.pay_scheme_packaged_content


def test_the_payment_handler_resumes_without_data_and_says_what_it_said():
    till = Till()
    exchange(till, 2)
    till.change("h", SUSPENDED)
    resumed = till.h(calls.ResumePaymentPaymentHandler(payment_handler_pay_id="h1")).result
    assert said(resumed.pay_scheme_packaged_content) == "offer"
    assert resumed.cont_status is ContStatus.CONTINUE


# Torn transfers


@BOTH
@pytest.mark.parametrize("upto", range(1, 6))
@pytest.mark.req("I-240", "I-257", "I-266", "IX-101")
def test_a_torn_transfer_is_completed_or_undone_by_evidence(direction, upto):
    till = Till(direction)
    exchange(till, upto)
    till.settle()
    till.check()
    assert till.on_its_way() == 0
    mine, theirs = till.transfer("c"), till.transfer("h")
    moved = mine.phase in MOVED
    assert moved == (theirs is not None and theirs.phase in MOVED)
    assert till.balances() == (
        (10000, 5000) if not moved else (8750, 6250) if mine.pays else (11250, 3750)
    )
    for side in "ch":
        transfer = till.transfer(side)
        if transfer is not None:
            expected = OK if moved else FAILED
            answer = till.change(side, FAILED, "Unspecified").result
            assert answer.process_state is expected


@BOTH
def test_who_gave_up_alone_waits_for_the_other(direction):
    till = Till(direction)
    exchange(till, 3 if direction is PayDirection.DEBIT else 4)
    payer = "c" if direction is PayDirection.DEBIT else "h"
    answer = till.change(payer, FAILED, "Unspecified").result
    assert answer.process_state is RUNNING
    assert "on its way" in answer.status_desc
    till.check()
    assert till.on_its_way() == 1250
    assert till.change(payer, OK).result.process_state is RUNNING


def test_the_consumers_cancellation_is_done_by_the_handlers_refusal():
    till = Till()
    contents, _ = exchange(till, 3)
    till.change("c", FAILED, "ConsCancelled")
    assert till.balances() == (8750, 5000)
    told = till.inquire().result
    assert told.process_state is FAILED
    assert till.balances() == (10000, 5000)
    state = till.state("c")
    assert (state.process_state, state.completion_code) == (FAILED, "ConsCancelled")
    # The value that was lost on the way arrives after all.
    late = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
    assert till.h(late).error.error_code == "BusError"
    till.check()


def test_a_handler_that_gave_up_says_so_when_inquired():
    till = Till()
    exchange(till, 3)
    assert till.change("h", FAILED, "PaymtCancelled").result.process_state is FAILED
    till.inquire()
    assert till.balances() == (10000, 5000)
    assert till.state("c").process_state is FAILED


@pytest.mark.req("IX-099")
def test_a_refusal_in_an_error_block_ends_the_process():
    till = Till()
    exchange(till, 3)
    till.change("h", FAILED, "PaymtCancelled")
    refusal = (till.transfer("h").latest.packed("Purse"),)
    call = calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=refusal)
    assert till.c(call).result == calls.ContinueProcessResponse(cont_status=ContStatus.END)
    assert till.balances() == (10000, 5000)


def test_an_inquiry_carries_the_value_and_the_next_one_the_evidence():
    till = Till(PayDirection.CREDIT)
    exchange(till, 4)
    assert till.on_its_way() == 1250
    till.inquire()
    assert till.balances() == (11250, 3750)
    assert till.transfer("h").phase is Phase.SENT
    assert till.inquire().result.process_state is OK
    assert till.transfer("h").phase is Phase.DONE


def test_a_receipt_is_evidence():
    till = Till()
    contents, _ = exchange(till, 4)
    assert said(contents) == "taken"
    assert till.transfer("c").phase is Phase.SENT
    receipt = till.state("h").packaged_content
    check = calls.CheckPaymentReceipt(pay_id="c1", packaged_content=receipt)
    assert till.c(check).error is None
    assert till.transfer("c").phase is Phase.DONE
    assert till.change("c", FAILED, "Unspecified").result.process_state is OK
    till.check()


@pytest.mark.req("IX-109")
def test_receipts_of_other_transfers_are_refused():
    till, other = Till(), Till(amount="12.49")
    for one in (till, other):
        exchange(one)
    (good,) = till.state("h").packaged_content
    (bad,) = other.state("h").packaged_content
    for wrong in ((bad,), (), (good, good), (Content(text="?", name="PurseReceipt"),),
                  (Content(text="[1,2]", name="PurseReceipt"),),
                  (Content(text="[1]", name="PurseReceipt"),)):  # fmt: skip
        for side in "ch":
            call = calls.CheckPaymentReceipt(pay_id=f"{side}1", packaged_content=wrong)
            assert getattr(till, side)(call).error.error_code == "BusError"
    for wrong in ((), (Content(text='[["a","{}","c"],["a","{}","c"]]', name="PurseReceipt"),)):
        call = calls.ExpandPaymentReceipt(pay_id="c1", packaged_content=wrong)
        assert till.c(call).error.error_code == "EncapProtErr"
    early = Till()
    exchange(early, 2)
    call = calls.CheckPaymentReceipt(pay_id="c1", packaged_content=(good,))
    assert early.c(call).error.error_code == "BusError"


# Crashes


class Lives:
    """A core on each side that goes on after every crash, as far as it knows."""

    def __init__(self, till):
        self.till = till

    def run(self):
        """Pay; whoever crashed starts again and repeats what it did last."""
        till = self.till
        contents = self.tried(till.c, till.start()).result.pay_scheme_packaged_content
        answer = self.tried(till.h, till.opening(contents))
        while answer.result.cont_status is ContStatus.CONTINUE:
            heard = answer.result.pay_scheme_packaged_content
            call = calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=heard)
            contents = self.tried(till.c, call).result.pay_scheme_packaged_content
            call = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
            answer = self.tried(till.h, call)
        self.tried(till.c, calls.ChangeProcessState(pay_id="c1", process_state=OK))

    def tried(self, ask, call):
        while True:
            try:
                answer = ask(call)
            except Crash:
                self.till.check() if self.till.transfer("c") else None
                continue
            assert answer.error is None
            return answer


@pytest.mark.req("IX-093")
@BOTH
@pytest.mark.parametrize("side", ["mine", "theirs"])
def test_value_is_conserved_when_either_side_crashes_at_any_moment(direction, side):
    moment = 0
    while True:
        till = Till(direction)
        notebook = getattr(till, side)
        notebook.moments = moment
        Lives(till).run()
        till.check()
        assert till.on_its_way() == 0
        assert till.transfer("c").phase in MOVED
        if notebook.moments is not None:
            assert moment > 4, "there were moments to crash at"
            return
        moment += 1


@BOTH
@pytest.mark.parametrize("side", ["mine", "theirs"])
def test_who_crashes_and_never_comes_back_loses_nothing(direction, side):
    moment = 0
    while True:
        till = Till(direction)
        notebook = getattr(till, side)
        notebook.moments = moment
        try:
            exchange(till)
        except Crash:
            pass
        else:
            return
        if till.transfer("c") is not None:
            till.check()
            till.settle()
            till.check()
            assert till.on_its_way() == 0
        moment += 1


def test_over_the_engine_a_crash_at_any_moment_conserves_the_value():
    moment = None
    while True:
        world = World()
        seed = Till()
        keys = purse.keys_from(MASTER)
        consumer = purses.consumer(seed.scheme, "c", seed.wallets, world.clock, SeededIds(1))
        handler = purses.handler(seed.scheme, "h", {"": "shop"}, keys, world.clock, SeededIds(2))
        seed.clock = world.clock

        def issued(prefix, name):
            done = yield from purses.value_of(prefix).issue(name, Money.of(5000, "EUR"), "1")
            purse_ = yield from purses.value_of(prefix).purse(name)
            return done, purse_.balances["EUR"]

        class Raw(Host):
            def answer(self, message):
                return message

        async def main(world=world, consumer=consumer, handler=handler, seed=seed):
            async def ask(bridge, call):
                answer = await world.engine.serve(Raw(), perform(bridge, call), {})
                assert answer.error is None, answer.error
                return answer.result

            for prefix, name in (("c", "purse-1"), ("h", "shop")):
                await world.engine.serve(Raw(), issued(prefix, name), {})
            window = {"ok_from": 0, "ok_to": 9 * 10**15}
            said = await ask(consumer, seed.start(**window))
            heard = await ask(handler, seed.opening(said.pay_scheme_packaged_content, **window))
            while heard.cont_status is ContStatus.CONTINUE:
                contents = heard.pay_scheme_packaged_content
                call = calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=contents)
                contents = (await ask(consumer, call)).pay_scheme_packaged_content
                call = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
                heard = await ask(handler, call)

        crashed = world.run(main(), moment)
        if crashed:
            world.run(again(world, consumer, handler, seed, issued, Raw))
        else:
            assert balances(world, issued, Raw) == (3750, 6250)
        if moment is not None and not crashed:
            return
        moment = 0 if moment is None else moment + 1


async def again(world, consumer, handler, seed, issued, raw):
    """Start again after a crash: the Consumer goes on from what its purse said last."""
    for prefix, name in (("c", "purse-1"), ("h", "shop")):
        await world.engine.serve(raw(), issued(prefix, name), {})
    window = {"ok_from": 0, "ok_to": 9 * 10**15}
    first = await world.engine.serve(raw(), perform(consumer, seed.start(**window)), {})
    assert first.error is None
    contents = first.result.pay_scheme_packaged_content
    for _ in range(4):
        if said(contents) == "hello":
            call = seed.opening(contents, **window)
        else:
            call = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
        answer = await world.engine.serve(raw(), perform(handler, call), {})
        assert answer.error is None, answer.error
        if answer.result.cont_status is ContStatus.END:
            break
        heard = answer.result.pay_scheme_packaged_content
        call = calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=heard)
        answer = await world.engine.serve(raw(), perform(consumer, call), {})
        contents = answer.result.pay_scheme_packaged_content
    found = []
    for prefix, name in (("c", "purse-1"), ("h", "shop")):
        found.append((await world.engine.serve(raw(), issued(prefix, name), {}))[1])
    assert found == [3750, 6250]


def balances(world, issued, raw):
    found = []

    async def main():
        for prefix, name in (("c", "purse-1"), ("h", "shop")):
            found.append((await world.engine.serve(raw(), issued(prefix, name), {}))[1])

    world.run(main())
    return tuple(found)


# Messages lost, repeated, reordered

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["deliver", "deliver", "deliver", "repeat", "drop", "give up c", "give up h",
             "suspend c", "suspend h", "resume c", "resume h", "inquire", "restart", "crash c",
             "crash h", "done"]
        ),
        st.integers(0, 30),
    ),
    max_size=30,
)  # fmt: skip


class Chaos:
    """All that was ever said lies on the way and may arrive at any time, any number of times."""

    def __init__(self, direction):
        self.till = Till(direction)
        self.to_c, self.to_h = [], []
        self.say("h", self.till.c(self.till.start()))

    def say(self, to, answer):
        if answer.result is None:
            return
        contents = getattr(answer.result, "pay_scheme_packaged_content", ())
        if contents:
            (self.to_c if to == "c" else self.to_h).append(contents)

    def do(self, action, number):
        till = self.till
        name, _, side = action.partition(" ")
        try:
            if name in {"deliver", "repeat", "drop"}:
                self.way(name, number)
            elif name == "give":
                till.change("ch"[side.endswith("h")], FAILED, "Unspecified")
            elif name == "suspend":
                till.change(side, SUSPENDED)
            elif name == "resume":
                self.resume(side)
            elif name == "inquire":
                till.inquire()
            elif name == "restart":
                self.say("h", till.c(till.start()))
            elif name == "crash":
                (till.mine if side == "c" else till.theirs).moments = number % 3
            else:
                till.change("c", OK)
        except Crash:
            pass

    def resume(self, side):
        if side == "c":
            self.say("h", self.till.c(calls.ResumePaymentConsumer(consumer_pay_id="c1")))
        else:
            resume = calls.ResumePaymentPaymentHandler(payment_handler_pay_id="h1")
            self.say("c", self.till.h(resume))

    def way(self, name, number):
        queue = (self.to_c, self.to_h)[number % 2] or self.to_c or self.to_h
        if not queue:
            return
        place = number // 2 % len(queue)
        contents = queue[place]
        if name != "repeat":
            del queue[place]
        if name == "drop":
            return
        if queue is self.to_c:
            call = calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=contents)
            self.say("h", self.till.c(call))
        elif said(contents) == "hello":
            self.say("c", self.till.h(self.till.opening(contents)))
        else:
            call = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
            self.say("c", self.till.h(call))


@pytest.mark.req("I-266")
@settings(max_examples=300)
@given(st.sampled_from(PayDirection), ACTIONS)
def test_value_is_conserved_whatever_happens_to_messages(direction, actions):
    chaos = Chaos(direction)
    till = chaos.till
    for action, number in actions:
        chaos.do(action, number)
        till.check()
    till.mine.moments = till.theirs.moments = None
    till.settle()
    till.check()
    assert till.on_its_way() == 0
    phases = [till.transfer(side).phase for side in "ch" if till.transfer(side) is not None]
    assert set(phases) <= MOVED or set(phases) <= UNDONE


# What is refused


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1.00"}, {"brand_id": "other"}, {"consumer_pay_id": "c2"},
        {"pay_direction": PayDirection.CREDIT},
    ],
    ids=lambda one: next(iter(one)),
)  # fmt: skip
def test_other_terms_than_the_purse_agreed_to_are_refused(change):
    till = Till()
    contents, _ = exchange(till, 1)
    if "amount" in change:
        till.amount = change.pop("amount")
    error = till.h(till.opening(contents, **change)).error
    assert error.error_code in {"EncapProtErr", "AttValIllegal"}
    assert till.transfer("h") is None


def test_a_transfer_is_begun_in_one_payment():
    till = Till()
    contents, _ = exchange(till, 2)
    contents = till.c(till.start()).result.pay_scheme_packaged_content
    assert till.h(till.opening(contents, "h2")).error.error_code == "EncapProtErr"


def test_what_others_say_means_nothing():
    till, other = Till(), Till(amount="12.49")
    contents, _ = exchange(till, 2)
    foreign, _ = exchange(other, 2)
    before = dict(till.mine.pages)
    own = statements.read(contents[0])
    for wrong in (
        foreign,
        (Content(text="x", name="Purse"),),
        (Statement("purse-1", own.text, own.seal).packed("Purse"),),
        (Statement(own.by, own.text.replace("1250", "1251"), own.seal).packed("Purse"),),
    ):
        call = calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=wrong)
        assert till.c(call).error.error_code == "EncapProtErr"
    assert till.mine.pages == before


def test_hello_and_offer_have_their_form():
    key = b"k"
    wrong = ({"say": "offer", "about": {"consumer": {}}}, {"say": "hello"},
             {"say": "hello", "about": {"consumer": {"purse": "p"}}})  # fmt: skip
    for body in wrong:
        with pytest.raises(Exception, match="not a hello"):
            purse.about(statements.said("p", body, key))
    terms = dict.fromkeys(purse.CONSUMER, "x") | {"amount_minor": True, "purse": "p"}
    with pytest.raises(Exception, match="not a hello of this"):
        purse.about(statements.said("p", {"say": "hello", "about": {"consumer": terms}}, key))
    transfer, _ = Transfer(False, True, Phase.BEGUN, terms, {}).say("hello", key)
    for handler, by in (({"purse": "q"}, "q"), (dict.fromkeys(purse.HANDLER, "q"), "z")):
        body = {"say": "offer", "about": {"consumer": terms, "handler": handler}}
        with pytest.raises(Exception, match="offer"):
            hear(transfer, statements.said(by, body, key), key)


def test_a_purse_cannot_pay_more_than_it_holds_nor_hold_more_than_it_may():
    till = Till(amount="100.01")
    error = till.c(till.start()).error
    assert error.error_code == "BusError"
    state = till.state("c")
    assert (state.process_state, state.completion_code) == ("NotYetStarted", "InsuffFunds")
    till = Till(PayDirection.CREDIT, limits_minor={"EUR": 11000})
    assert till.c(till.start()).error.error_code == "BusError"
    till = Till(PayDirection.CREDIT, amount="50.01")
    contents = till.c(till.start()).result.pay_scheme_packaged_content
    assert till.h(till.opening(contents)).error.error_code == "BusError"
    assert till.state("h").process_state is FAILED
    error = till.h(till.opening(contents)).error
    assert error.error_code == "BusError"
    call = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
    assert till.h(call).error.error_code == "BusError"


@BOTH
def test_a_purse_that_was_emptied_meanwhile_pays_nothing(direction):
    till = Till(direction)
    exchange(till, 2 if direction is PayDirection.DEBIT else 3)
    payer, notebook, prefix, name = (
        ("c", till.mine, "c", "purse-1")
        if direction is PayDirection.DEBIT
        else ("h", till.theirs, "h", "shop")
    )
    book = purses.value_of(prefix)
    found = notebook.run(book.purse(name))
    emptied = dataclasses.replace(found, balances={"EUR": 0})
    notebook.do(Remember((book.note(emptied),)))
    latest = till.transfer("h" if payer == "c" else "c").latest
    call = calls.ContinueProcess(
        pay_id=f"{payer}1", pay_scheme_packaged_content=(latest.packed("Purse"),)
    )
    assert getattr(till, payer)(call).error.error_code == "BusError"
    assert till.state(payer).process_state is FAILED
    assert till.transfer(payer).phase is Phase.BACK


def test_value_is_issued_once_for_each_reference():
    till = Till()
    book = purses.value_of("c")
    assert till.mine.run(book.issue("purse-1", Money.of(10000, "EUR"), "1")) is False
    assert till.balances()[0] == 10000


def test_a_merchant_without_a_purse_uses_the_common_one_or_is_refused():
    till = Till()
    contents, _ = exchange(till, 1)
    assert till.h(till.opening(contents, merchant_org_id="other.test")).error is None
    assert till.transfer("h").own == "bank"
    keys = purse.keys_from(MASTER)
    lonely = purses.handler(till.scheme, "l", {}, keys, till.clock, SeededIds(3))
    answer = till.theirs.run(perform(lonely, till.opening(contents)))
    assert answer.error.names == ("MerchantOrgId",)
    unknown = purses.handler(till.scheme, "l", {"": "x"}, lambda _: None, till.clock, SeededIds(3))
    answer = till.theirs.run(perform(unknown, till.opening(contents)))
    assert answer.error.error_code == "EncapProtErr"
    with pytest.raises(ValueError, match="no key"):
        purses.instrument("p", "p", lambda _: None)


# Around the payment


@pytest.mark.req("I-023", "IX-105", "IX-106")
def test_properties_of_a_purse():
    till = Till(limits_minor={"EUR": 20000})
    exchange(till)
    values = {"brand_id": BRAND, "protocol_id": till.scheme.protocol_id}
    call = calls.PaymentInstrumentInquiry(property_type_list=("all",), **values)
    found = {
        one.property_type: one.property_value
        for one in till.c(call).result.payment_instrument_properties
    }
    assert found["Balance"] == "87.50 EUR"
    assert found["Limit"] == "200.00 EUR"
    assert found["LogEntries"] == "1"
    assert found["PayAmount0"] == found["PayAmount-1"] == "-12.50 EUR"
    assert found["PayParty0"] == "shop"
    assert found["PayTime0"].endswith("Z")
    call = calls.PaymentInstrumentInquiry(
        property_type_list=("PayAmount7", "Expiration", "PaymentLimit", "Balance"), **values
    )
    result = till.c(call).result
    assert result.unavailable_property_list == ("PayAmount7", "Expiration", "PaymentLimit")


@pytest.mark.req("I-015", "I-016", "IX-103")
def test_a_purse_is_found_checked_and_loaded_by_a_nested_payment():
    till = Till(amount="100.01")
    names = "brand_id protocol_id pay_direction curr_code amount consumer_pay_id"
    values = {name: getattr(till.start(), name) for name in names.split()}
    found = till.c(calls.FindPaymentInstrument(**values)).result
    assert [one.id for one in found.pay_instruments] == ["purse-1"]
    assert till.c(calls.CheckPaymentPossibility(**values)).error.error_code == "BusError"
    assert till.change("c", SUSPENDED).result.process_state is SUSPENDED
    error = till.c(calls.ResumePaymentConsumer(consumer_pay_id="c1")).error
    assert (error.error_code, error.names) == ("AttNotSupp", ("ConsumerPayId",))
    asked = till.c(calls.StartPaymentInquiry(consumer_pay_id="c1")).error
    assert asked.error_code == "BusError"
    till.change("c", ProcessState.NOT_YET_STARTED)
    till.mine.run(purses.value_of("c").issue("purse-1", Money.of(1, "EUR"), "load"))
    assert till.c(calls.CheckPaymentPossibility(**values)).error is None
    assert till.c(till.start()).error is None


def test_a_payment_that_is_over_is_not_begun_again():
    till = Till()
    exchange(till, 1)
    assert till.c(till.start(amount=Decimal("1.00"))).error.error_code == "BusError"
    till.change("c", FAILED, "ConsCancelled")
    assert till.c(till.start()).error.error_code == "BusError"
    answer = till.change("c", OK).result
    assert answer.process_state is FAILED
    assert "here it is Failed" in answer.status_desc
    assert till.c(calls.RemovePaymentLog(pay_id="c1")).error is None


@pytest.mark.req("I-280", "I-281", "I-024")
def test_pending_payments_can_deny_new_ones():
    till = Till(one_at_a_time=True)
    exchange(till, 2)
    for side in "ch":
        told = getattr(till, side)(calls.InquirePendingPayment()).result
        assert [one.pay_id for one in told.payment_ids] == [f"{side}1"]
        remove = calls.RemovePaymentLog(pay_id=f"{side}1")
        assert getattr(till, side)(remove).error.error_code == "BusError"
    error = till.c(till.start("c2")).error
    assert error.error_code == "BusError"
    assert error.error_locations[0].element_ref == "c1"


@pytest.mark.req("I-271", "IX-104")
def test_unknown_payments_are_named():
    till = Till()
    contents, _ = exchange(till, 1)
    for ask, call, name in (
        (till.c, calls.ResumePaymentConsumer(consumer_pay_id="no"), "ConsumerPayId"),
        (till.c, calls.StartPaymentInquiry(consumer_pay_id="no"), "ConsumerPayId"),
        (till.h, calls.ResumePaymentPaymentHandler(payment_handler_pay_id="no"),
         "PaymentHandlerPayId"),
        (till.h, calls.InquirePaymentStatus(payment_handler_pay_id="no"), "PaymentHandlerPayId"),
        *((ask, call, "PayId") for ask in (till.c, till.h) for call in (
            calls.InquireProcessState(pay_id="no"), calls.RemovePaymentLog(pay_id="no"),
            calls.ChangeProcessState(pay_id="no", process_state=OK),
            calls.ContinueProcess(pay_id="no", pay_scheme_packaged_content=contents),
            calls.CheckPaymentReceipt(pay_id="no"), calls.ExpandPaymentReceipt(pay_id="no"))),
    ):  # fmt: skip
        error = ask(call).error
        assert (error.error_code, error.names) == ("AttValIllegal", (name,))
        assert error.error_locations[0].element_ref == "no"


def test_states_that_cannot_follow_are_business_errors():
    till = Till()
    exchange(till, 2)
    for side in "ch":
        error = till.change(side, ProcessState.NOT_YET_STARTED).error
        assert error.error_code == "BusError"
    assert till.change("h", OK).result.status_desc == "no value has moved"
    assert till.change("c", OK).result.process_state is RUNNING


def test_an_inquiry_without_data_and_one_before_the_offer():
    till = Till()
    exchange(till, 1)
    asked = till.c(calls.StartPaymentInquiry(consumer_pay_id="c1")).result
    assert asked.pay_scheme_packaged_content == ()
    till = Till()
    exchange(till, 2)
    told = till.inquire().result
    assert told.process_state is RUNNING
    assert told.pay_scheme_packaged_content == ()
    end = till.c(
        calls.ContinueProcess(
            pay_id="c1", process_type=ProcessType.INQUIRY,
            pay_scheme_packaged_content=(till.transfer("h").latest.packed("Purse"),),
        )
    )  # fmt: skip
    assert end.result.cont_status is ContStatus.END


@pytest.mark.parametrize("role", Role)
def test_the_purse_bridges_do_what_table_1_demands(role):
    till = Till()
    merchant = purses.merchant(offering(till.scheme, till.clock), SECRET, {}, SeededIds(7))
    bridge = {Role.CONSUMER: till.consumer, Role.PAYMENT_HANDLER: till.handler,
              Role.MERCHANT: merchant}[role]  # fmt: skip
    missing = lacks(bridge, role)
    missing.pop("CallBack", None)  # the core's own
    assert set(missing.values()) <= {Obligation.MAY}


# Several calls at once

CONCURRENT = st.lists(
    st.sampled_from(["last", "last", "inquire", "give up", "suspend", "resume", "start"]),
    min_size=2, max_size=5,
)  # fmt: skip


def at_once(till, side, names, order):
    """Run calls on one side, step by step in the order drawn."""
    pay_id = f"{side}1"
    other = till.transfer("h" if side == "c" else "c")
    contents = (other.latest.packed("Purse"),)
    asked = till.c(
        calls.StartPaymentInquiry(consumer_pay_id="c1")
    ).result.pay_scheme_packaged_content
    made = {
        "last": calls.ContinueProcess(pay_id=pay_id, pay_scheme_packaged_content=contents),
        "inquire": calls.InquirePaymentStatus(
            payment_handler_pay_id="h1", pay_scheme_packaged_content=asked
        ) if side == "h" else calls.StartPaymentInquiry(consumer_pay_id="c1"),
        "give up": calls.ChangeProcessState(
            pay_id=pay_id, process_state=FAILED, completion_code="Unspecified"
        ),
        "suspend": calls.ChangeProcessState(pay_id=pay_id, process_state=SUSPENDED),
        "resume": calls.ResumePaymentPaymentHandler(
            payment_handler_pay_id="h1", pay_scheme_packaged_content=contents
        ) if side == "h" else calls.ResumePaymentConsumer(consumer_pay_id="c1"),
        "start": till.start() if side == "c" else calls.InquireProcessState(pay_id="h1"),
    }  # fmt: skip
    bridge = till.consumer if side == "c" else till.handler
    notebook = till.mine if side == "c" else till.theirs
    running = [(perform(bridge, made[name]), [None]) for name in names]
    while running:
        flow, sent = running[order.draw(st.integers(0, len(running) - 1))]
        try:
            sent[0] = notebook.do(flow.send(sent[0]))
        except StopIteration:
            running.remove((flow, sent))
        till.check()


@settings(max_examples=200)
@given(st.sampled_from(PayDirection), st.integers(2, 5), st.sampled_from("ch"), CONCURRENT,
       st.data())  # fmt: skip
def test_value_is_conserved_when_calls_come_at_once(direction, upto, side, names, order):
    till = Till(direction)
    exchange(till, upto)
    at_once(till, side, names, order)
    till.settle()
    till.check()
    assert till.on_its_way() == 0


def test_one_hello_in_two_payments_at_once_is_taken_once():
    till = Till()
    contents, _ = exchange(till, 1)
    flows = [perform(till.handler, till.opening(contents, name)) for name in ("h1", "h2")]
    sent, answers = [None, None], []
    while flows:
        for number in reversed(range(len(flows))):
            try:
                sent[number] = till.theirs.do(flows[number].send(sent[number]))
            except StopIteration as end:
                answers.append(end.value)
                del flows[number], sent[number]
    assert sorted(answer.failed is None for answer in answers) == [False, True]
    assert {answer.failed.error_code for answer in answers if answer.failed} == {"EncapProtErr"}


def test_a_value_exchange_is_two_payments_card_against_purse():
    world = World()
    cards = Cards(world.clock)
    seed = Till(PayDirection.CREDIT)
    seed.clock = world.clock
    consumer = purses.consumer(seed.scheme, "pc", seed.wallets, world.clock, SeededIds(1))
    keys = purse.keys_from(MASTER)
    handler = purses.handler(seed.scheme, "ph", {"": "bank"}, keys, world.clock, SeededIds(2))

    class Raw(Host):
        def answer(self, message):
            return message

    async def main():
        async def ask(bridge, call):
            answer = await world.engine.serve(Raw(), perform(bridge, call), {})
            assert answer.error is None, answer.error
            return answer.result

        bank = purses.value_of("ph")
        await world.engine.serve(Raw(), bank.issue("bank", Money.of(100_000, "EUR"), "1"), {})
        paid = await ask(cards.consumer, start_consumer(world.clock, cards.scheme, "card-1"))
        call = start_handler(world.clock, cards.scheme, paid.pay_scheme_packaged_content, "card-2")
        assert (await ask(cards.handler, call)).cont_status is ContStatus.END
        # StartAfter: the purse is loaded when the card has paid.
        heard = await ask(consumer, seed.start())
        heard = await ask(handler, seed.opening(heard.pay_scheme_packaged_content))
        while heard.cont_status is ContStatus.CONTINUE:
            contents = heard.pay_scheme_packaged_content
            call = calls.ContinueProcess(pay_id="c1", pay_scheme_packaged_content=contents)
            contents = (await ask(consumer, call)).pay_scheme_packaged_content
            call = calls.ContinueProcess(pay_id="h1", pay_scheme_packaged_content=contents)
            heard = await ask(handler, call)
        mine = await world.engine.serve(Raw(), purses.value_of("pc").purse("purse-1"), {})
        theirs = await world.engine.serve(Raw(), bank.purse("bank"), {})
        assert (mine.balances["EUR"], theirs.balances["EUR"]) == (1250, 98_750)

    world.run(main())
    assert sum(one.taken_minor for one in world.movements) == 1250
    assert world.differences() == []
