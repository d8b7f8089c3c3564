"""Which blocks come when: for who hears all, and for each role that knows its part."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.api.words import PayDirection, ProcessState, Severity
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message import sequence as s
from tollbridge.faces.iotp.message.check import examine_conversation
from tollbridge.faces.iotp.message.codec import PLANS, write
from tollbridge.faces.iotp.message.faults import Unreadable, hard
from tollbridge.faces.iotp.message.sequence import Dealing, DeliveryPlan, Progress, State
from tollbridge.faces.iotp.message.words import COMPLETIONS, Role, StatusType, TransactionType

C, M, P, D = Role.CONSUMER, Role.MERCHANT, Role.PAYMENT_HANDLER, Role.DELIVERY_HANDLER


def followed(talk, kind=None):
    """Go through a conversation; give the states after each message."""
    progress = Progress(TransactionType(kind or talk.trans.iotp_trans_type))
    states = []
    for message in talk.messages:
        assert progress.faults(message) == ()
        progress = progress.after(message)
        states.append(progress.state)
    return states


# Whole transactions


@pytest.mark.req("IX-224", "IX-228", "I-124")
@pytest.mark.parametrize(
    ("dependent", "goods", "messages"),
    [(True, "separate", 9), (True, "combined", 7), (True, None, 7), (False, "separate", 7),
     (False, "combined", 5), (False, None, 5)],
)  # fmt: skip
def test_a_purchase_goes_its_way(dependent, goods, messages):
    states = followed(t.purchase(dependent, goods))
    assert len(states) == messages
    assert states[-1] is State.COMPLETE
    assert State.COMPLETE not in states[:-1]


@pytest.mark.req("IX-223", "IX-225", "IX-226")
@pytest.mark.parametrize("dependent", [True, False])
@pytest.mark.parametrize(
    ("kind", "direction"),
    [("BaselineDeposit", PayDirection.DEBIT), ("BaselineWithdrawal", PayDirection.CREDIT),
     ("BaselineRefund", PayDirection.CREDIT)],
)  # fmt: skip
def test_one_payment_goes_its_way(kind, direction, dependent):
    assert followed(t.one_payment(kind, direction, dependent))[-1] is State.COMPLETE


@pytest.mark.req("IX-227", "IX-229", "I-169")
@pytest.mark.parametrize("dependent", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_a_value_exchange_pays_twice_in_the_order_it_says(dependent, backwards):
    talk = t.value_exchange(dependent, backwards)
    states = followed(talk)
    assert states.count(State.OFFERED) == 2
    assert states[-1] is State.COMPLETE
    made = next(one.block(b.OfferRespBlk) for one in talk.messages if one.block(b.OfferRespBlk))
    first = "M2" if dependent else "M1"
    assert s.plan(made).payments == (f"{first}.71", f"{first}.72")


@pytest.mark.req("IX-222", "I-070")
def test_an_authentication_goes_its_way():
    assert followed(t.authentication()) == [
        State.AUTHENTICATION_ASKED, State.AUTHENTICATION_ANSWERED, State.COMPLETE,
    ]  # fmt: skip


@pytest.mark.req("IX-222", "IX-224", "IX-228")
@pytest.mark.parametrize(
    ("then", "state"), [("dependent", State.OPTIONS_GIVEN), ("independent", State.OFFERED)]
)
def test_an_offer_follows_an_authentication_in_the_same_message(then, state):
    talk = t.authentication(then, "BaselinePurchase")
    assert followed(talk)[-1] is state
    alone = Progress(TransactionType.AUTHENTICATION)
    for message in talk.messages[:2]:
        alone = alone.after(message)
    with pytest.raises(Unreadable):
        alone.after(talk.messages[2])


@pytest.mark.req("I-092", "IX-222")
def test_an_authentication_that_failed_ends_everything():
    talk = t.authentication()
    talk.messages.pop()
    failed = t.auth_status(state=ProcessState.FAILED, code="AuthFailed")
    talk.say("M", failed, number=2)
    assert followed(talk, "BaselinePurchase")[-1] is State.ENDED


@pytest.mark.req("IX-236")
def test_a_ping_stands_for_itself():
    assert followed(t.ping()) == [State.PINGED, State.COMPLETE]


@pytest.mark.req("IX-232")
def test_an_inquiry_changes_nothing():
    talk = t.purchase()
    asked, answered = t.inquiry(talk)
    progress = Progress(TransactionType.PURCHASE)
    assert progress.faults(asked)
    for message in talk.messages[:5]:
        progress = progress.after(message)
        assert progress.after(asked).after(answered) == progress
    own = Progress(TransactionType.INQUIRY).after(asked)
    assert own.after(answered).state is State.COMPLETE


@pytest.mark.req("I-197", "IX-195")
def test_a_payment_that_failed_may_be_asked_for_again_with_another_instrument():
    talk = t.purchase(goods=None, signed=False)
    del talk.messages[-3:]
    failed = t.pay_resp("P1", "M2.71", state=ProcessState.FAILED, code="InsuffFunds")
    talk.messages.append(t.message(failed, prefix="P", answers="C2"))
    assert followed(talk)[-1] is State.OFFERED
    for code in ("x-stolen", "PaymtCancelled"):
        other = t.pay_resp("P1", "M2.71", state=ProcessState.FAILED, code=code)
        talk.messages[-1] = t.message(other, prefix="P", answers="C2")
        assert followed(talk)[-1] is (State.OFFERED if code[0] == "P" else State.ENDED)


@pytest.mark.req("IX-142", "IX-145")
def test_a_cancel_ends_what_is_not_complete():
    cancel = t.cancelled().messages[1]
    progress = Progress(TransactionType.PURCHASE)
    assert progress.faults(cancel)
    for message in t.purchase().messages:
        progress = progress.after(message)
        if progress.state is State.COMPLETE:
            assert progress.faults(cancel)
        else:
            assert progress.after(cancel).state is State.ENDED


@pytest.mark.req("IX-204", "IX-200")
def test_a_hard_error_ends_a_transient_one_and_a_warning_do_not():
    talk = t.broken_off()
    assert followed(talk) == [
        State.OPTIONS_GIVEN, State.OPTIONS_CHOSEN, State.OFFERED, State.PAYMENT_ASKED,
        State.PAYMENT_ASKED, State.ENDED,
    ]  # fmt: skip


@pytest.mark.req("IX-224", "IX-228")
@given(st.data())
def test_a_message_out_of_turn_is_told(data):
    """Any message of a purchase, anywhere but where it belongs, is refused and nothing changes."""
    messages = PURCHASE.messages
    here = data.draw(st.integers(0, len(messages) - 1))
    progress = Progress(TransactionType.PURCHASE)
    for message in messages[:here]:
        progress = progress.after(message)
    other = data.draw(st.sampled_from(messages))
    allowed = {frozenset(step.blocks) for step in progress.expected()}
    kinds = frozenset(other.kinds)
    assert bool(progress.faults(other)) == (kinds not in allowed)


PURCHASE = t.purchase()


def test_who_sends_is_asked_where_it_is_known():
    progress = Progress(TransactionType.PURCHASE)
    assert progress.faults(PURCHASE.messages[0], M) == ()
    assert progress.faults(PURCHASE.messages[0], C)
    for message, sender in zip(PURCHASE.messages, "MCMCPCPCD", strict=True):
        role = {"M": M, "C": C, "P": P, "D": D}[sender]
        assert progress.faults(message, role) == ()
        wrong = P if role is not P else D
        assert progress.faults(message, wrong)
        progress = progress.after(message)


@pytest.mark.req("IX-228")
@pytest.mark.parametrize("count", [0, 3])
def test_an_offer_without_a_payment_or_with_three_is_refused(count):
    with pytest.raises(Unreadable):
        s.plan(t.offer(payments=tuple(t.payment(71 + n) for n in range(count))))


@pytest.mark.req("IX-229")
def test_two_payments_that_wait_for_each_other_are_refused():
    pair = (t.payment(71, after=("M1.72",)), t.payment(72, after=("M1.71",)))
    with pytest.raises(Unreadable):
        s.plan(t.offer(payments=pair))


@pytest.mark.req("IX-228")
def test_what_an_offer_plans_is_what_its_type_has():
    talk = t.Talk("BaselineDeposit")
    talk.say("M", t.tpo(), t.offer(goods=t.delivery()))
    found = Progress(TransactionType.DEPOSIT).faults(talk.messages[0])
    assert any("delivers nothing" in fault.rule for fault in found)
    found = Progress(TransactionType.VALUE_EXCHANGE).faults(talk.messages[0])
    assert any("has 2 payments" in fault.rule for fault in found)
    found = Progress(TransactionType.REFUND).faults(talk.messages[0])
    assert any("brand lists of Credit" in fault.rule for fault in found)
    with pytest.raises(Unreadable):
        Progress(TransactionType.REFUND).after(talk.messages[0])


def test_a_delivery_without_messages_is_none():
    made = t.offer(goods=replace(t.delivery(), deliv_exch=False, data=None))
    assert s.plan(made).delivery is DeliveryPlan.NONE


def test_a_conversation_out_of_order_is_told():
    data = [write(one) for one in PURCHASE.messages]
    reports = examine_conversation([data[0], data[2]])
    assert any("expected TpoSelectionBlk" in one.rule for one in reports[1].violations)


# The tables


def test_the_tables_name_blocks_that_exist():
    for steps in s.STEPS.values():
        for step in steps:
            assert step.blocks <= set(PLANS)
    for name, _ in s.CHECKS:
        assert name in PLANS
    assert set(s.STEPS) == set(State)
    assert set(s.SHAPES) == set(TransactionType)


@pytest.mark.req("IX-230", "I-248", "I-254")
def test_answers_cancel_with_codes_that_may_stand_in_a_cancel_block():
    for one in s.ANSWERS:
        assert one.received in PLANS
        assert set(one.blocks) <= set(PLANS)
        for code in one.codes:
            known = COMPLETIONS[one.cancel][code]
            assert ProcessState.FAILED in known.states
            assert not known.inquiry


@pytest.mark.req("IX-230", "IX-143")
@pytest.mark.parametrize(
    ("received", "by", "cancel", "to"),
    [
        ("TpoSelectionBlk", M, (StatusType.OFFER, "MerchCancelled"), C),
        ("OfferRespBlk", C, (StatusType.OFFER, "ConsCancelled"), M),
        ("PayReqBlk", P, (StatusType.PAYMENT, "PaymtCancelled"), C),
        ("PayExchBlk", C, (StatusType.PAYMENT, "ConsCancelled"), P),
        ("PayRespBlk", C, (StatusType.PAYMENT, "ConsCancelled"), M),
        ("DeliveryReqBlk", D, (StatusType.DELIVERY, "DelivCancelled"), C),
        ("AuthReqBlk", C, (StatusType.AUTHENTICATION, "NoAuthReq"), None),
    ],
)
def test_who_answers_what(received, by, cancel, to):
    found = s.answer_to(received, by)
    assert (found.cancel, found.to) == (cancel[0], to)
    assert cancel[1] in found.codes
    assert s.answer_to("PayReqBlk", M) is None


# What one role knows


def received(role, *messages, sent=()):
    dealing = Dealing(role)
    for one in messages:
        dealing = dealing.after_receiving(one)
    for one in sent:
        dealing = dealing.after_sending(one)
    return dealing


def rules_of(dealing, message):
    return " ".join(fault.rule for fault in hard(dealing.faults(message)))


@pytest.mark.req("IX-224", "I-201", "I-204")
def test_a_purchase_has_no_faults_at_any_of_its_roles():
    talk = t.purchase()
    roles = {role: Dealing(role) for role in (C, M, P, D)}
    for message, way in zip(talk.messages, ("MC", "CM", "MC", "CP", "PC", "CP", "PC", "CD", "DC"),
                            strict=True):  # fmt: skip
        sender, receiver = ({"M": M, "C": C, "P": P, "D": D}[letter] for letter in way)
        assert roles[receiver].faults(message) == ()
        assert s.misdirected(message, receiver) == ()
        roles[sender] = roles[sender].after_sending(message)
        roles[receiver] = roles[receiver].after_receiving(message)
    assert roles[C].complete
    assert roles[P].complete
    assert roles[D].complete
    assert not any(one.ended for one in roles.values())


@pytest.mark.parametrize(
    ("role", "message", "said"),
    [
        pytest.param(M, t.cancelled().messages[1], "not known", marks=pytest.mark.req("IX-159")),
        pytest.param(P, t.inquiry(PURCHASE)[0], "not known", marks=pytest.mark.req("IX-160")),
        pytest.param(C, t.inquiry(PURCHASE)[1], "not known", marks=pytest.mark.req("IX-160")),
        pytest.param(M, t.authentication().messages[1], "not known",
                     marks=pytest.mark.req("IX-162")),
        pytest.param(C, t.authentication().messages[2], "not known",
                     marks=pytest.mark.req("IX-163")),
        pytest.param(M, PURCHASE.messages[1], "not known", marks=pytest.mark.req("IX-164")),
        pytest.param(P, PURCHASE.messages[5], "not known", marks=pytest.mark.req("IX-166")),
        pytest.param(C, PURCHASE.messages[2], "not known", marks=pytest.mark.req("IX-171")),
        pytest.param(C, PURCHASE.messages[4], "not known", marks=pytest.mark.req("IX-172")),
        pytest.param(C, PURCHASE.messages[6], "not known", marks=pytest.mark.req("IX-172")),
        pytest.param(C, PURCHASE.messages[8], "not known", marks=pytest.mark.req("IX-173")),
    ],
)  # fmt: skip
def test_what_belongs_to_an_unknown_transaction_is_refused(role, message, said):
    assert said in rules_of(Dealing(role), message)


@pytest.mark.req("IX-161", "IX-169")
def test_what_begins_a_transaction_begins_it_once():
    asked = t.authentication().messages[0]
    known = received(C, asked)
    assert Dealing(C).faults(asked) == ()
    assert "known already" in rules_of(known, asked)
    for first in (t.purchase(dependent=False).messages[0], PURCHASE.messages[0]):
        assert Dealing(C).faults(first) == ()
        assert "known already" in rules_of(known, first)


@pytest.mark.req("IX-162")
def test_an_authentication_is_answered_once_when_it_succeeds():
    asked, answered, told = t.authentication().messages
    merchant = received(M, sent=[asked])
    assert merchant.faults(answered) == ()
    assert "no authentication was asked" in rules_of(received(M, sent=[PURCHASE.messages[0]]),
                                                     answered)  # fmt: skip
    assert "succeeded already" in rules_of(merchant.after_sending(told), answered)
    failed = t.message(t.auth_status(state=ProcessState.FAILED, code="AuthFailed"), answers="C1")
    assert merchant.after_sending(failed).faults(answered) == ()


@pytest.mark.req("IX-163")
def test_a_second_status_of_an_authentication_is_a_warning():
    asked, answered, told = t.authentication().messages
    consumer = received(C, asked, sent=[answered])
    assert consumer.faults(told) == ()
    (fault,) = consumer.after_receiving(told).faults(told)
    assert fault.severity is Severity.WARNING
    assert "no authentication was answered" in rules_of(received(C, asked), told)


@pytest.mark.req("IX-164", "I-125")
def test_options_are_chosen_once_and_only_of_a_lone_tpo():
    chosen = PURCHASE.messages[1]
    lone, at_once = PURCHASE.messages[0], t.purchase(dependent=False).messages[0]
    assert received(M, sent=[lone]).faults(chosen) == ()
    assert "made already" in rules_of(received(M, sent=[at_once]), chosen)
    assert "no options" in rules_of(received(M, sent=[t.authentication().messages[0]]), chosen)
    assert "chosen already" in rules_of(received(M, chosen, sent=[lone]), chosen)


@pytest.mark.req("IX-165")
def test_a_payment_is_begun_once_unless_it_failed_and_may_come_again():
    asked, answered = PURCHASE.messages[3], PURCHASE.messages[6]
    assert Dealing(P).faults(asked) == ()
    known = received(P, asked)
    assert "in progress" in rules_of(known, asked)
    assert "completed" in rules_of(known.after_sending(answered), asked)
    for code, good in (("InsuffFunds", True), ("x-stolen", False)):
        failed = t.pay_resp("P1", "M2.71", state=ProcessState.FAILED, code=code)
        after = known.after_sending(t.message(failed, prefix="P", answers="C2"))
        assert (after.faults(asked) == ()) is good
    other = received(P, t.inquiry(PURCHASE)[0])
    assert "not for a payment" in rules_of(other, asked)


@pytest.mark.req("IX-165", "IX-227")
def test_one_handler_may_do_both_payments_of_an_exchange():
    talk = t.value_exchange()
    dealing = Dealing(P)
    for message in talk.messages[1:]:
        if message.block(b.PayReqBlk):
            assert dealing.faults(message) == ()
            dealing = dealing.after_receiving(message)
            assert not dealing.complete
        else:
            dealing = dealing.after_sending(message)
    assert dealing.complete


@pytest.mark.req("IX-166")
def test_a_payment_handler_is_answered_only_what_it_said():
    asked, said, answered = PURCHASE.messages[3:6]
    assert "no Payment Exchange" in rules_of(received(P, asked), answered)
    assert received(P, asked, sent=[said]).faults(answered) == ()


@pytest.mark.req("IX-167")
def test_a_delivery_is_asked_for_once():
    asked = PURCHASE.messages[7]
    assert Dealing(D).faults(asked) == ()
    assert "known already" in rules_of(received(D, asked), asked)


@pytest.mark.req("IX-168")
@pytest.mark.parametrize("added", [t.offer(), t.auth_status("M1")])
def test_options_do_not_ask_and_tell_at_once(added):
    message = t.message(t.tpo(()), t.auth_req(), added)
    assert (
        "at once" in rules_of(Dealing(C), message)
        or "knows its status" in rules_of(Dealing(C), message)
        or "know its status" in rules_of(Dealing(C), message)
    )


@pytest.mark.req("IX-170")
def test_options_after_an_authentication_follow_its_answer():
    asked, answered, told = t.authentication("dependent", "BaselinePurchase").messages
    assert "not known" in rules_of(Dealing(C), told)
    assert "no authentication was answered" in rules_of(received(C, asked), told)
    assert received(C, asked, sent=[answered]).faults(told) == ()


@pytest.mark.req("IX-171")
def test_an_offer_follows_what_was_chosen():
    given, chosen, offered = PURCHASE.messages[:3]
    assert "no TPO Selection" in rules_of(received(C, given), offered)
    assert received(C, given, sent=[chosen]).faults(offered) == ()
    assert Dealing(C).faults(t.purchase(dependent=False).messages[0]) == ()


@pytest.mark.req("IX-172")
@pytest.mark.parametrize("place", [4, 6])
def test_what_a_payment_handler_says_follows_what_it_was_asked(place):
    given, chosen, offered, asked = PURCHASE.messages[:4]
    early = received(C, given, offered, sent=[chosen])
    assert "no Payment Request" in rules_of(early, PURCHASE.messages[place])
    assert early.after_sending(asked).faults(PURCHASE.messages[place]) == ()


@pytest.mark.req("IX-173")
def test_a_delivery_follows_its_request_or_comes_with_the_payment():
    asked, answered = PURCHASE.messages[7:]
    paying = received(C, PURCHASE.messages[0], sent=[PURCHASE.messages[3]])
    assert "not the request" in rules_of(paying, answered)
    assert paying.after_sending(asked).faults(answered) == ()
    both = t.purchase(goods="combined").messages[-1]
    assert paying.faults(both) == ()
    assert "not the request" in rules_of(paying.after_sending(asked), both)


@pytest.mark.req("IX-145")
def test_a_cancel_that_crosses_the_final_answer_changes_nothing():
    """The completed side stays completed: the payment handler has paid."""
    asked, answered = PURCHASE.messages[3], PURCHASE.messages[6]
    cancel = t.message(
        b.CancelBlk(id="C9.2", status=t.status("Payment", 3, "M2.71", ProcessState.FAILED,
                                               "ConsCancelled", of="C9")),
        prefix="C", number=9, answers="P2",
    )  # fmt: skip
    done = received(P, asked, sent=[answered])
    assert done.complete
    assert "complete" in rules_of(done, cancel)
    assert received(P, asked).faults(cancel) == ()
    assert received(P, asked).after_receiving(cancel).ended


@pytest.mark.req("IX-155", "IX-204")
def test_a_transaction_that_ended_is_known_as_ended():
    hard_error = t.broken_off().messages[-1]
    dealing = received(C, PURCHASE.messages[0])
    assert not dealing.ended
    assert dealing.after_receiving(hard_error).ended
    assert dealing.after_sending(hard_error).ended
    assert not dealing.after_receiving(t.broken_off().messages[4]).ended
    assert dealing.after_receiving(t.cancelled().messages[1]).ended


@pytest.mark.req("IX-146", "IX-174")
def test_who_may_cancel_when():
    given, chosen, offered, asked = PURCHASE.messages[:4]
    assert not Dealing(C).may_cancel()
    assert received(C, given).may_cancel()
    assert received(C, given, sent=[chosen]).may_cancel()
    assert received(P, asked).may_cancel()
    assert not received(P, asked, sent=[PURCHASE.messages[4]]).may_cancel()
    assert not received(M, chosen, sent=[given, offered]).may_cancel()
    assert not received(C, t.ping().messages[1], sent=[t.ping().messages[0]]).may_cancel()
    whole = Dealing(C)
    for place, one in enumerate(PURCHASE.messages):
        whole = whole.after_receiving(one) if place % 2 == 0 else whole.after_sending(one)
    assert whole.complete
    assert not whole.may_cancel()
    assert not received(C, given, t.cancelled().messages[1]).may_cancel()


def test_blocks_for_others_are_misdirected():
    assert s.misdirected(PURCHASE.messages[3], M)
    assert s.misdirected(PURCHASE.messages[1], P)
    assert not s.misdirected(t.cancelled().messages[1], P)
    assert not s.misdirected(t.ping().messages[0], D)


def test_a_status_of_no_known_type_recovers_nothing():
    status = t.status("x-Other", 3, None, ProcessState.FAILED, "InsuffFunds")
    assert not s._recoverable(status)
    assert isinstance(status, c.Status)
