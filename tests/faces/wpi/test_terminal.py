"""What the terminal does: cards, cancelling, refunding, sessions, recovery, receipts."""

import asyncio
import json

import pytest

from tests.faces.wpi.conformance import wrong
from tests.faces.wpi.terminal import Terminal
from tollbridge.faces.wpi.wishes import Cancelled, TimedOut, Unreadable
from tollbridge.ground.errors import JournalFailed
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing.world import World


@pytest.fixture
def terminal():
    return Terminal()


def taken(terminal):
    return sum(movement.taken_minor for movement in terminal.world.movements)


# Paying


@pytest.mark.req("P-019", "P-110", "P-109")
def test_a_payment_tells_the_card_that_paid(terminal):
    response = terminal.pay().response
    assert response["brandName"] == "Visa"
    assert response["applicationIdentifier"] == "A0000000031010"
    assert response["applicationLabel"] == "VISA CREDIT"
    assert response["customerLanguage"] == "en"
    assert taken(terminal) == 1191


@pytest.mark.req("P-130", "P-131", "P-132")
@pytest.mark.parametrize(
    ("behaviour", "condition"),
    [
        (Cancelled(), "USER_CANCEL"),
        (TimedOut(), "USER_TIMEOUT"),
        (Unreadable("the chip does not answer"), "CARD_READ_ERR"),
    ],
)
def test_what_people_do_instead_of_presenting_a_card(terminal, behaviour, condition):
    terminal.script.will([behaviour])
    answer = terminal.pay()
    assert answer.condition == condition
    assert terminal.world.payments == []


@pytest.mark.req("P-142", "P-372")
def test_a_card_of_a_brand_this_terminal_does_not_take():
    terminal = Terminal(brands=["Mastercard"])
    answer = terminal.pay()
    assert answer.condition == "APP_NOT_SUPPORTED"
    assert "Visa" in answer.response["remark"]
    terminal.script.will(["mastercard"])
    assert terminal.pay().condition == "NONE"


def test_a_way_of_reading_this_terminal_does_not_have():
    terminal = Terminal(entries=["chip"])
    terminal.script.will(["phone"] * 4)
    assert terminal.pay().condition == "CARD_READ_ERR"
    assert terminal.pay().condition == "NONE"


@pytest.mark.req("P-133")
@pytest.mark.parametrize(
    ("card", "remark"),
    [
        ("visa-declined", "05"),
        ("visa-no-funds", "51"),
        ("visa-lost", "41"),
        ("visa-stolen", "43"),
        ("visa-expired", "54"),
        ("visa-error", "96"),
    ],
)
def test_the_issuer_says_no(terminal, card, remark):
    terminal.script.will([card])
    answer = terminal.pay()
    assert answer.condition == "HOST_REFUSAL"
    assert answer.response["remark"].startswith(remark)
    assert taken(terminal) == 0


@pytest.mark.req("P-134", "P-135", "P-152")
@pytest.mark.parametrize(
    ("amount", "condition", "action"),
    [
        (4200, "NONE", None),
        (4208, "NONE", "WPI_ACTION_CODE_ASK_LEGAL_IDENTIFICATION"),
        (4211, "NONE", None),
        (4251, "HOST_REFUSAL", "WPI_ACTION_CODE_NONE"),
        (4268, "TRANSACTION_TIMEOUT", "WPI_ACTION_CODE_NONE"),
        (4292, "NETWORK_ISSUE", "WPI_ACTION_CODE_NONE"),
        (4210, "HOST_REFUSAL", "WPI_ACTION_CODE_NONE"),
    ],
)
def test_magic_amounts(terminal, amount, condition, action):
    answer = terminal.pay(amount)
    assert answer.condition == condition
    assert answer.response.get("actionCode") == action


@pytest.mark.req("P-134")
def test_a_host_that_cannot_be_reached(terminal):
    terminal.world.faults.down = True
    answer = terminal.pay()
    assert answer.condition == "NETWORK_ISSUE"
    assert terminal.world.payments[0].opening.state == "unsent"


@pytest.mark.req("P-135")
def test_a_lost_answer_is_asked_after_and_found(terminal):
    terminal.world.faults.rules.append(Rule(Fault.LOSE_ANSWER))
    answer = terminal.pay()
    assert answer.condition == "NONE"
    assert taken(terminal) == 1191


@pytest.mark.req("P-135", "P-340", "P-347")
def test_no_answer_in_time_is_a_time_out_and_a_late_approval_is_undone():
    terminal = Terminal(patience_s=3)
    terminal.world.faults.rules.append(Rule(Fault.LATE_DELIVERY, delay_s=25))
    answer = terminal.pay(session="s")
    assert answer.condition == "TRANSACTION_TIMEOUT"
    terminal.world.recover()
    assert taken(terminal) == 0
    assert terminal.world.differences() == []
    assert terminal.last("s").extras["WPI_RESPONSE"] == answer.extras["WPI_RESPONSE"]


# Cancelling


@pytest.mark.req("P-020", "P-061", "P-062", "P-063", "P-286", "P-237")
def test_a_payment_is_cancelled_by_its_reference(terminal):
    paid = terminal.pay().response
    answer = terminal.cancel(paid["paymentSolutionReference"])
    assert answer.condition == "NONE"
    assert answer.response["authorizedAmount"] == 1191
    assert answer.response["paymentSolutionReference"] != paid["paymentSolutionReference"]
    assert taken(terminal) == 0
    assert terminal.world.differences() == []


@pytest.mark.req("P-287")
def test_a_payment_is_cancelled_once(terminal):
    reference = terminal.pay().response["paymentSolutionReference"]
    terminal.cancel(reference)
    before = len(terminal.world.movements)
    answer = terminal.cancel(reference)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "cancelled before" in answer.response["remark"]
    assert len(terminal.world.movements) == before


@pytest.mark.req("P-064", "P-065", "P-138")
@pytest.mark.parametrize("reference", ["", "0", "ABCDEFGHJK", "0000000000", "Z" * 1000, "é" * 10])
def test_a_reference_of_another_device_is_refused(terminal, reference):
    answer = terminal.cancel(reference)
    assert answer.condition == "INVALID_TRANSACTION_REQ"


@pytest.mark.req("P-065", "P-064")
def test_references_are_short_typed_easily_and_catch_typing_errors(terminal):
    reference = terminal.pay().response["paymentSolutionReference"]
    assert len(reference) == 10
    assert set(reference) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    wrong_letter = "0" if reference[3] != "0" else "1"
    answer = terminal.cancel(reference[:3] + wrong_letter + reference[4:])
    assert "typing error" in answer.response["remark"]
    elsewhere = Terminal(World(seed=99)).cancel(reference)
    assert elsewhere.condition == "INVALID_TRANSACTION_REQ"


@pytest.mark.req("P-286", "P-288")
def test_a_refund_and_a_cancellation_cannot_be_cancelled(terminal):
    refunded = terminal.refund().response["paymentSolutionReference"]
    assert terminal.cancel(refunded).condition == "INVALID_TRANSACTION_REQ"
    paid = terminal.pay().response["paymentSolutionReference"]
    cancelled = terminal.cancel(paid).response["paymentSolutionReference"]
    answer = terminal.cancel(cancelled)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "WPI_SVC_CANCEL_PAYMENT" in answer.response["remark"]


def test_a_declined_payment_cannot_be_cancelled(terminal):
    reference = terminal.pay(4205).response["paymentSolutionReference"]
    assert terminal.cancel(reference).condition == "INVALID_TRANSACTION_REQ"


@pytest.mark.req("P-289")
def test_only_the_last_payments_of_a_brand_can_be_cancelled():
    terminal = Terminal(cancellable_last=2)
    references = [terminal.pay().response["paymentSolutionReference"] for _ in range(3)]
    terminal.script.will(["mastercard"])
    terminal.pay()
    answer = terminal.cancel(references[0])
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "refund it" in answer.response["remark"]
    assert terminal.cancel(references[1]).condition == "NONE"


def test_a_refunded_payment_cannot_be_cancelled(terminal):
    reference = terminal.pay().response["paymentSolutionReference"]
    assert terminal.refund(100, paymentSolutionReference=reference).condition == "NONE"
    answer = terminal.cancel(reference)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "in use" in answer.response["remark"]


# Refunding


@pytest.mark.req("P-021", "P-238", "P-239")
def test_a_refund_without_reference_credits_the_presented_card(terminal):
    answer = terminal.refund(500)
    assert answer.condition == "NONE"
    assert answer.response["brandName"] == "Visa"
    assert taken(terminal) == -500


def test_a_refund_with_reference_is_capped_at_what_is_left(terminal):
    reference = terminal.pay(1000).response["paymentSolutionReference"]
    assert terminal.refund(600, paymentSolutionReference=reference).condition == "NONE"
    answer = terminal.refund(500, paymentSolutionReference=reference)
    assert answer.condition == "INVALID_AMOUNT"
    assert "400" in answer.response["remark"]
    answer = terminal.refund(400, paymentSolutionReference=reference)
    assert answer.condition == "NONE"
    assert "brandName" not in answer.response
    assert taken(terminal) == 0


@pytest.mark.req("P-141")
def test_a_refund_is_in_the_currency_of_its_payment(terminal):
    reference = terminal.pay(1000).response["paymentSolutionReference"]
    answer = terminal.refund(100, "USD", paymentSolutionReference=reference)
    assert answer.condition == "INVALID_CURRENCY"


@pytest.mark.req("P-074", "P-075", "P-076", "P-148")
def test_a_refund_needs_the_password_of_the_merchant():
    terminal = Terminal(password="4711")
    assert terminal.refund().condition == "NONE"
    terminal.script.will_enter([Secret("1"), Secret("2"), Secret("3")])
    answer = terminal.refund()
    assert answer.condition == "INVALID_PASSWORD"
    terminal.script.will_enter([Secret("1"), Secret("4711")])
    assert terminal.refund().condition == "NONE"
    for behaviour, condition in ((Cancelled(), "USER_CANCEL"), (TimedOut(), "USER_TIMEOUT")):
        terminal.script.will_enter([behaviour])
        assert terminal.refund().condition == condition
    assert taken(terminal) == -2 * 1191
    assert terminal.pay().condition == "NONE"


# Sessions


@pytest.mark.req("P-043", "P-045", "P-046", "P-147", "P-054")
@pytest.mark.parametrize("service", ["WPI_SVC_PAYMENT", "WPI_SVC_REFUND"])
@pytest.mark.parametrize("first", [1191, 4205, 0])
def test_a_session_is_used_once_whatever_came_of_it(terminal, service, first):
    answer = terminal.pay(first, session="s")
    again = terminal.send(service, {"currency": "EUR", "requestedAmount": 5}, session="s")
    assert again.condition == "SESSION_ID_ALREADY_IN_USE"
    assert again.extras["WPI_SESSION_ID"] == "s"
    assert terminal.last("s").extras["WPI_RESPONSE"] == answer.extras["WPI_RESPONSE"]


@pytest.mark.req("P-049")
def test_sessions_belong_to_the_application(terminal):
    terminal.pay(session="s")
    assert terminal.pay(session="s", package="com.example.other").condition == "NONE"
    assert terminal.last("s", package="com.example.third").response is None


def test_payment_information_uses_no_session(terminal):
    terminal.pay(session="s")
    answer = terminal.send("WPI_SVC_PAYMENT_INFORMATION", session="s")
    assert answer.condition == "NONE"


@pytest.mark.req("P-050", "P-048")
def test_the_history_is_bounded_and_a_forgotten_session_moves_nothing_twice():
    terminal = Terminal(session_history=3)
    for session in "abcd":
        terminal.pay(session=session)
    assert terminal.last("a").response is None
    assert terminal.last("b").condition == "NONE"
    before = taken(terminal)
    assert terminal.pay(500, session="a").condition == "SESSION_ID_ALREADY_IN_USE"
    assert taken(terminal) == before


@pytest.mark.req("P-062")
@pytest.mark.parametrize("card", ["visa", "visa-sca-online"])
def test_a_reference_outlives_the_session_it_was_made_in(card):
    terminal = Terminal(session_history=1)
    terminal.script.will([card])
    reference = terminal.pay(session="a").response["paymentSolutionReference"]
    terminal.pay(session="b")
    assert terminal.last("a").response is None
    assert terminal.refund(100, paymentSolutionReference=reference).condition == "NONE"
    assert taken(terminal) == 2 * 1191 - 100


@pytest.mark.req("P-073", "P-129", "P-297", "P-004")
def test_while_a_transaction_runs_another_is_refused_and_disturbs_nothing(terminal):
    terminal.world.faults.rules.append(Rule(Fault.LATE_ANSWER, delay_s=5))
    answers = {}

    async def main():
        async def first():
            request = {"currency": "EUR", "requestedAmount": 1191}
            answers["first"] = await terminal.exchange("WPI_SVC_PAYMENT", request, session="1")

        running = asyncio.create_task(first())
        await asyncio.sleep(1)
        request = {"currency": "EUR", "requestedAmount": 5}
        answers["second"] = await terminal.exchange("WPI_SVC_PAYMENT", request, session="2")
        answers["same"] = await terminal.exchange("WPI_SVC_PAYMENT", request, session="1")
        answers["last"] = await terminal.exchange("WPI_SVC_LAST_TRANSACTION", session="1")
        answers["info"] = await terminal.exchange("WPI_SVC_PAYMENT_INFORMATION")
        await running

    terminal.world.run(main())
    assert answers["first"].condition == "NONE"
    assert answers["second"].condition == "BUSY"
    assert answers["same"].condition == "SESSION_ID_ALREADY_IN_USE"
    assert answers["last"].condition == "BUSY"
    assert answers["last"].extras["WPI_SERVICE_TYPE"] == "WPI_SVC_LAST_TRANSACTION"
    assert answers["info"].condition == "NONE"
    assert taken(terminal) == 1191
    assert terminal.pay(session="2").condition == "NONE"


# Recovery (4.4.1)


@pytest.mark.req("P-338", "P-340", "P-341", "P-343", "P-344", "P-345", "P-347")
@pytest.mark.parametrize("amount", [1191, 4205])
def test_last_transaction_repeats_the_answer_for_ever(terminal, amount):
    answer = terminal.pay(amount, session="s", reference="order 7")
    for _ in range(2):
        terminal.restart()
        last = terminal.last("s")
        assert last.extras["WPI_SERVICE_TYPE"] == "WPI_SVC_PAYMENT"
        assert last.extras == answer.extras
    assert len(terminal.world.payments) == 1


@pytest.mark.req("P-346")
def test_an_unknown_session_has_neither_service_nor_response(terminal):
    answer = terminal.last("never")
    assert answer.status == 200
    assert answer.extras == {"WPI_VERSION": "2.0", "WPI_SESSION_ID": "never"}


@pytest.mark.req("P-051", "P-344")
@pytest.mark.parametrize(
    ("fault", "condition"),
    [
        (Fault.LOSE_ANSWER, "NONE"),
        (Fault.REFUSE, "NETWORK_ISSUE"),
        (Fault.LATE_DELIVERY, "NONE"),
        (Fault.GARBAGE, "NONE"),
    ],
)
def test_after_a_crash_last_transaction_tells_what_became_of_it(fault, condition):
    for crash_at in range(9):
        terminal = Terminal()
        terminal.world.faults.rules.append(Rule(fault, delay_s=20, what="operation"))
        request = {"currency": "EUR", "requestedAmount": 1191, "reference": "order 7"}

        async def main(terminal=terminal, request=request):
            await terminal.exchange("WPI_SVC_PAYMENT", request, session="s")

        crashed = terminal.world.run(main(), crash_at)
        terminal.restart()
        terminal.world.recover()
        last = terminal.last("s")
        moved = taken(terminal)
        assert terminal.world.differences() == []
        if last.response is None:
            assert moved == 0
            continue
        assert (last.response["result"] == "WPI_RESULT_SUCCESS") is bool(moved)
        assert wrong("WPI_SVC_PAYMENT", request, last.response, card_used=True) == []
        if not crashed:
            assert last.condition == condition


# Receipts (4.1.2.5)


@pytest.mark.req("P-154", "P-155", "P-157", "P-158", "P-159", "P-102", "P-103")
def test_the_formatted_receipt_carries_what_the_sample_of_the_standard_carries():
    terminal = Terminal(languages=["pl"], merchant_language="pl", receipt_width=32)
    paid = terminal.pay(3, "PLN", reference="order 7")
    copies = paid.response["receipt"]["formatted"]
    assert set(copies) == {"merchant", "client"}
    for text in copies.values():
        lines = text.split("\n")
        assert max(len(line) for line in lines) <= 32
        for expected in (
            "0,03 PLN",
            "Visa **** **** **** 4242",
            "AID:              A0000000031010",
            "Contactless",
            "Type:                       Sale",
            "VISA CREDIT",
        ):
            assert expected in lines
        for label in ("Status:", "Authorization code:", "ARQC:", "POS ID:", "MID:"):
            assert any(line.startswith(label) for line in lines), label
        assert paid.response["paymentSolutionReference"] in text
        assert "4242424242424242" not in text
    assert "\\n" in paid.extras["WPI_RESPONSE"]


@pytest.mark.req("P-114", "P-156", *(f"P-{n}" for n in (160, 161, 162, 163, 165, 166, 167, 172,
                 173, 175, 176, 179, 180, 181, 182, 183, 184, 185, 187, 189, 190)))  # fmt: skip
def test_the_json_receipt_names_the_fields_of_each_copy(terminal):
    paid = terminal.pay(receiptFormat=["JSON"], reference="order 7")
    data = paid.response["receipt"]["json"]
    targets = data.pop("receiptTargets")
    assert set(targets) == {"merchant", "client"}
    for names in targets.values():
        assert set(names) <= set(data)
    assert data["maskedPan"].endswith("4242")
    assert data["maskedPan"].count("*") == 12
    assert data["duplicate"] is False
    assert data["paymentSolutionReference"] == paid.response["paymentSolutionReference"]
    assert data["amount"] == 1191


@pytest.mark.req("P-107", "P-220")
def test_times_are_the_terminals_with_a_numeric_offset():
    terminal = Terminal(time_zone="Europe/Brussels")
    assert terminal.pay().response["timestamp"] == "2026-03-01T10:00:00+01:00"
    assert Terminal().pay().response["timestamp"] == "2026-03-01T09:00:00+00:00"


@pytest.mark.req("P-227")
def test_a_decline_has_a_receipt_and_a_faulty_request_has_none(terminal):
    declined = terminal.pay(4205).response
    assert "DECLINED" in declined["receipt"]["formatted"]["merchant"]
    assert "receipt" not in terminal.pay(0).response


@pytest.mark.req("P-114")
def test_no_card_number_is_kept_or_told(terminal):
    paid = terminal.pay(receiptFormat=["FORMATTED", "JSON"])
    kept = b"".join(row.body for row in terminal.world.journal.entries())
    told = json.dumps(paid.extras).encode()
    page = terminal.world.journal.recall("wpi", "T1/session/com.example.till/s-1")
    for text in (kept, told, page.value):
        assert b"4242424242424242" not in text


@pytest.mark.req("P-139")
def test_a_journal_that_fails_is_told_as_internal_and_the_truth_is_found_later(terminal):
    journal = terminal.world.journal
    real, commits = journal.commit, []

    def commit(changes):
        commits.append(changes)
        if len(commits) == 2:
            raise JournalFailed("disk full")
        return real(changes)

    journal.commit = commit
    answer = terminal.pay(session="s")
    journal.commit = real
    assert answer.condition == "INTERNAL"
    assert "LAST_TRANSACTION" in answer.response["remark"]
    terminal.world.recover()
    last = terminal.last("s")
    assert (last.condition == "NONE") is bool(taken(terminal))
    assert terminal.world.differences() == []
