"""Whatever becomes of an answer, the till learns the truth, and nothing is sent twice."""

import asyncio
import json
import threading
import time

import pytest

from tests.wpi_client.crooked import extras, failure, success
from tollbridge.ground.errors import InvalidMoney, JournalFailed, JournalInUse, UsageError
from tollbridge.wpi_client import (
    Fate,
    Misanswered,
    Money,
    NotExecuted,
    Options,
    OutcomeUnknown,
    RecoverFirst,
    Unreachable,
    WpiClient,
)
from tollbridge.wpi_client.journal import SessionJournal

LOST = ["dropped", "silent", "empty", "500", "canceled", "garbage", "other session",
        "other service", "no response", "no result", "internal", "timeout",
        "delivered twice"]  # fmt: skip


@pytest.mark.parametrize("trouble", LOST)
@pytest.mark.req("P-038", "P-041", "P-047", "P-341", "P-343", "P-344")
def test_a_lost_answer_is_found(crooked, till, trouble):
    crooked.trouble = [trouble]
    paid = till.payment(1191, "EUR", limit_s=0.3)
    assert paid.approved
    assert paid.authorized == Money.of(1191, "EUR")
    assert crooked.sent == ["WPI_SVC_PAYMENT"]
    assert till.look(paid.session).fate is Fate.APPROVED
    assert till.contradictions() == []


@pytest.mark.req("P-343", "P-347")
def test_busy_means_ask_on(crooked, till):
    crooked.trouble, crooked.told = ["dropped"], ["busy"] * 4
    assert till.payment(1191, "EUR").approved
    assert len(crooked.requests) == 6


@pytest.mark.req("P-345", "P-346")
def test_what_was_never_executed_may_be_sent_again(crooked, till):
    crooked.trouble = ["lost on the way"]
    with pytest.raises(NotExecuted) as error:
        till.payment(1191, "EUR")
    assert not isinstance(error.value, Unreachable)
    assert till.look(error.value.session).fate is Fate.NOT_EXECUTED
    assert till.payment(1191, "EUR").approved
    assert len(crooked.executed) == 1


def test_never_executed_counts_when_nothing_can_be_on_its_way_any_more(crooked, opened):
    till = opened(in_flight_s=0.4)
    crooked.trouble, crooked.told = ["dropped"], ["absent", "absent"]
    assert till.payment(1191, "EUR").approved  # it arrived late, and is found
    start = time.monotonic()
    crooked.trouble = ["lost on the way"]
    with pytest.raises(NotExecuted):
        till.payment(1191, "EUR")
    assert time.monotonic() - start >= 0.4


def test_a_terminal_that_was_busy_between_is_asked_twice_again(crooked, opened):
    till = opened(in_flight_s=0.2)
    crooked.trouble, crooked.told = ["dropped"], ["absent", *["busy"] * 20, "absent"]
    assert till.payment(1191, "EUR").approved


@pytest.mark.req("P-043", "P-047", "P-050")
def test_an_unknown_outcome_is_kept_and_recovered_before_anything_else(crooked, opened):
    till = opened(recovery_s=0.1)
    crooked.trouble, crooked.told = ["dropped"], ["busy"] * 50
    with pytest.raises(OutcomeUnknown) as unknown:
        till.payment(1191, "EUR")
    session = unknown.value.session
    with pytest.raises(RecoverFirst) as first:
        till.refund(5, "EUR")
    assert first.value.sessions == (session,)
    assert [one.fate for one in till.recover()] == [Fate.UNKNOWN]
    crooked.told = []
    [found] = till.recover()
    assert (found.session, found.fate) == (session, Fate.APPROVED)
    assert found.request == {"currency": "EUR", "requestedAmount": 1191}
    assert till.recover() == []
    assert till.refund(5, "EUR").approved
    assert crooked.executed[session] == 1


def test_nothing_was_sent_to_a_terminal_that_is_not_there(opened):
    till = opened("http://127.0.0.1:1")
    with pytest.raises(Unreachable) as error:
        till.payment(1191, "EUR")
    assert till.look(error.value.session).fate is Fate.NOT_EXECUTED
    assert till.unanswered() == []


@pytest.mark.parametrize("status", [400, 401, 404, 413])
def test_a_call_refused_at_the_door_is_no_payment(crooked, till, status):
    crooked.trouble = [f"status {status}"]
    with pytest.raises(Misanswered) as error:
        till.payment(1191, "EUR")
    assert error.value.status == status
    assert till.unanswered() == []


@pytest.mark.parametrize("status", [301, 408, 429, 502, 503])
def test_any_other_status_proves_nothing(crooked, till, status):
    crooked.trouble = [f"status {status}"]
    with pytest.raises(NotExecuted):
        till.payment(1191, "EUR")
    assert "WPI_SVC_LAST_TRANSACTION" in [service for service, _ in crooked.requests]


@pytest.mark.req("P-124")
def test_a_refusal_is_a_result(crooked, till):
    crooked.trouble = [failure("HOST_REFUSAL", "05 do not honour")]
    refused = till.payment(1191, "EUR")
    assert not refused.approved
    assert (refused.condition, refused.remark) == ("HOST_REFUSAL", "05 do not honour")
    assert till.look(refused.session).fate is Fate.FAILED


@pytest.mark.parametrize("condition", ["INTERNAL", "TRANSACTION_TIMEOUT"])
def test_a_doubtful_failure_stands_when_the_terminal_knows_nothing_else(crooked, till, condition):
    crooked.trouble = [failure(condition)]
    assert till.payment(1191, "EUR").condition == condition
    assert till.contradictions() == []


@pytest.mark.req("P-340", "P-347")
def test_what_the_terminal_says_last_is_true_and_a_contradiction_is_told(crooked, till):
    paid = till.payment(1191, "EUR")
    crooked.told = [lambda session: extras("WPI_SVC_PAYMENT", session, failure("HOST_REFUSAL"))]
    assert till.last_transaction(paid.session).fate is Fate.FAILED
    assert till.look(paid.session).fate is Fate.FAILED
    [told] = till.contradictions()
    assert (told.session, told.text) == (paid.session, "it was approved, now it is failed")


def test_the_same_answer_again_is_no_contradiction(till):
    paid = till.payment(1191, "EUR")
    for _ in range(3):
        assert till.last_transaction(paid.session).result == paid
    assert till.contradictions() == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (success({"requestedAmount": 1}), "11.91 EUR was asked, 0.01 EUR is authorized"),
        (success({"currency": "USD"}), "11.91 EUR was asked, 11.91 USD is authorized"),
        (success({}, errorCondition="WPI_ERR_COND_BUSY"), "success, with BUSY"),
    ],
)
@pytest.mark.req("P-125")
def test_an_approval_of_something_else_is_told(crooked, till, answer, text):
    crooked.trouble = [answer]
    paid = till.payment(1191, "EUR")
    assert paid.approved
    assert [one.text for one in till.contradictions()] == [text]


@pytest.mark.req("P-108")
def test_a_tip_is_on_top(crooked, till):
    crooked.trouble = [success({"requestedAmount": 1310}, tipAmount=119)]
    paid = till.payment(1191, "EUR")
    assert (str(paid.authorized), str(paid.tip)) == ("13.10 EUR", "1.19 EUR")
    assert till.contradictions() == []


def test_another_exchange_is_not_taken_for_this_one(crooked, opened):
    till = opened(recovery_s=0.1)
    crooked.trouble = ["dropped"]
    crooked.told = [lambda session: extras("WPI_SVC_REFUND", session, success({}))] * 50
    with pytest.raises(OutcomeUnknown):
        till.payment(1191, "EUR")
    assert [one.text for one in till.contradictions()] == [
        "WPI_SVC_PAYMENT was sent, WPI_SVC_REFUND is told"
    ]


def test_a_terminal_that_forgot_does_not_unmake_an_answer(crooked, till):
    paid = till.payment(1191, "EUR")
    crooked.stored.clear()
    assert till.last_transaction(paid.session).fate is Fate.APPROVED
    assert till.last_transaction("never").fate is Fate.NOT_EXECUTED


def test_one_absence_decides_nothing_about_what_was_begun_here(crooked, opened):
    till = opened(recovery_s=0.05)
    crooked.trouble, crooked.told = ["dropped"], ["busy"] * 50
    with pytest.raises(OutcomeUnknown) as unknown:
        till.payment(1191, "EUR")
    crooked.told = ["absent"]
    assert till.last_transaction(unknown.value.session).fate is Fate.UNKNOWN
    crooked.told = ["busy"]
    assert till.last_transaction(unknown.value.session).fate is Fate.RUNNING


@pytest.mark.req("P-041", "P-043")
def test_a_session_is_used_once(crooked, till):
    till.payment(1191, "EUR", session="order-7")
    with pytest.raises(UsageError):
        till.payment(1191, "EUR", session="order-7")
    assert len(crooked.requests) == 1


def test_one_till_at_a_time_and_another_may_abort(crooked, opened):
    one, two = opened(recovery_s=0.2), opened()
    crooked.trouble = ["silent"]
    waiting = threading.Thread(target=lambda: one.payment(1191, "EUR", limit_s=1.0))
    waiting.start()
    while not crooked.requests:
        time.sleep(0.01)
    with pytest.raises(JournalInUse):
        two.payment(5, "EUR")
    with pytest.raises(JournalInUse):
        two.recover()
    assert two.abort().approved
    waiting.join()
    assert two.payment(5, "EUR").approved


def test_the_journals_of_applications_and_terminals_are_apart(crooked, opened):
    first, other, second = opened(), opened(package="com.example.other"), opened(terminal="T2")
    paid = first.payment(1191, "EUR", session="s")
    assert other.look("s") is None
    assert second.payment(1191, "EUR", session="s").approved
    line, *fields = crooked.head.splitlines()
    assert line == "POST /wpi/T2/com.worldline.payment.action.PROCESS_TRANSACTION HTTP/1.1"
    assert {"wpi-package: com.example.till", "authorization: Bearer secret"} <= set(fields)
    assert [one.session for one in first.history()] == [paid.session]


def test_a_person_may_close_what_nobody_will_ever_tell(crooked, opened):
    till = opened(recovery_s=0.05)
    crooked.trouble, crooked.told = ["dropped"], ["busy"] * 50
    with pytest.raises(OutcomeUnknown) as unknown:
        till.payment(1191, "EUR", session="s")
    till.give_up("s", "the terminal burnt; the acquirer's statement has no such payment")
    assert till.look("s").fate is Fate.GIVEN_UP
    assert "burnt" in till.look("s").evidence
    assert till.refund(5, "EUR").approved
    for session in ("s", "never", unknown.value.session):
        with pytest.raises(UsageError):
            till.give_up(session, "again")


def test_a_wrong_credential_ends_the_asking(crooked, till, monkeypatch):
    crooked.trouble = ["dropped"]
    monkeypatch.setattr(crooked, "_last", lambda session: pytest.fail("not reached"))
    original = crooked._answer

    async def refusing(writer, body):
        if body["WPI_SERVICE_TYPE"] == "WPI_SVC_LAST_TRANSACTION":
            crooked._write(writer, {}, 401)
        else:
            await original(writer, body)

    monkeypatch.setattr(crooked, "_answer", refusing)
    start = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="401"):
        till.payment(1191, "EUR")
    assert time.monotonic() - start < 1


def test_what_cannot_be_asked_is_not_sent(crooked, till):
    with pytest.raises(InvalidMoney):
        till.payment(11.91, "EUR")
    with pytest.raises(InvalidMoney):
        till.payment(1191, "EURO")
    with pytest.raises(UsageError):
        till.payment(Money.of(5, "EUR"), "USD")
    with pytest.raises(UsageError):
        till.cancel_payment("")
    with pytest.raises(UsageError):
        till.payment(5, "EUR", session="s" * 256)
    with pytest.raises(TypeError, match="refernce"):
        till.payment(5, "EUR", refernce="order 7")
    assert crooked.requests == []


def test_a_disk_that_refuses_after_the_answer_costs_no_answer(crooked, till, monkeypatch):
    def full(*_):
        raise JournalFailed("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SessionJournal, "close_with", full)
        assert till.payment(1191, "EUR").approved
    [found] = till.recover()
    assert found.fate is Fate.APPROVED
    with monkeypatch.context() as broken:
        broken.setattr(SessionJournal, "begin", full)
        with pytest.raises(JournalFailed):
            till.payment(1191, "EUR")
    assert len(crooked.sent) == 1


def test_information_that_is_none_is_said(crooked, till):
    for trouble in ("garbage", "500", "other service"):
        crooked.trouble = [trouble]
        with pytest.raises(Misanswered):
            till.information()


def test_management_has_no_recovery(crooked, till):
    crooked.trouble = ["dropped"]
    with pytest.raises(OutcomeUnknown):
        till.day_end()
    assert till.unanswered() == []
    assert till.payment(1191, "EUR").approved


@pytest.mark.req("P-328")
def test_printing_what_the_terminal_does_not_know(crooked, till):
    crooked.trouble = ["no response"]
    printed = till.print_receipt("never")
    assert (printed.approved, printed.condition) == (False, "")
    assert json.loads(json.dumps(crooked.requests)) == [["WPI_SVC_PRINT_RECEIPT", "never"]]


@pytest.mark.parametrize("odd", [{"rate": 1.25}, {"tipAmount": 10**15}, {"deep": [[{"x": None}]]}])
def test_an_odd_field_costs_no_approval(crooked, till, odd):
    crooked.trouble = [success({}, **odd)]
    paid = till.payment(1191, "EUR")
    assert paid.approved
    kept = till.look(paid.session)
    assert json.loads(kept.answer) == success({}, **odd)
    assert kept.result == paid


def test_another_service_told_later_changes_nothing(crooked, till):
    paid = till.payment(1191, "EUR")
    crooked.told = [lambda session: extras("WPI_SVC_REFUND", session, failure("HOST_REFUSAL"))]
    assert till.last_transaction(paid.session).fate is Fate.APPROVED
    assert [one.text for one in till.contradictions()] == [
        "WPI_SVC_PAYMENT was sent, WPI_SVC_REFUND is told"
    ]


def test_a_call_that_is_cancelled_is_recovered(crooked, tmp_path):
    async def main():
        async with WpiClient(
            crooked.url, token="secret", package="com.example.till", journal=tmp_path / "t",
            options=Options(in_flight_s=0.05, pause_s=0.01),
        ) as till:  # fmt: skip
            crooked.trouble = ["silent"]
            paying = asyncio.create_task(till.payment(1191, "EUR"))
            while not crooked.executed:  # noqa: ASYNC110 - it is another thread that fills it
                await asyncio.sleep(0.01)
            paying.cancel()
            await asyncio.gather(paying, return_exceptions=True)
            with pytest.raises(RecoverFirst):
                await till.payment(5, "EUR")
            return await till.recover()

    assert [one.fate for one in asyncio.run(main())] == [Fate.APPROVED]


def test_a_recognition_waits_as_long_as_its_own_time(crooked, till, monkeypatch):
    limits = []

    async def send(kind, sent, limit_s):
        limits.append(limit_s)
        return extras(sent["WPI_SERVICE_TYPE"], sent["WPI_SESSION_ID"], failure("USER_TIMEOUT"))

    monkeypatch.setattr(till._client._intents, "send", send)
    till.recognition(timeout_ms=300_000)
    till.recognition(limit_s=5)
    assert limits == [330, 5]
