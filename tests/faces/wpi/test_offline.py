"""Approvals without the host: below the floor limit, sealed, uploaded once, told once."""

import json

import pytest

from tests.faces.wpi.conformance import wrong
from tests.faces.wpi.terminal import (
    CANCEL_PAYMENT,
    CREDIT,
    DAY_END,
    DEFERRED,
    PAYMENT,
    PRE_AUTHORIZATION,
    REFUND,
    UPDATE,
    Terminal,
)
from tests.faces.wpi.test_day_end import FLOOR, day_end, offline_payment, totals
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.faces.wpi.wishes import SecureFault
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.terminal.device import Planned

DAY_S = 86_400


@pytest.fixture
def terminal():
    return Terminal(**FLOOR)


def reported(answer):
    """The lines of a day-end's receipt about uploads that were refused."""
    text = terminal_text(answer)
    return [line for line in text.splitlines() if line.startswith("REFUSED")]


def terminal_text(answer):
    return answer.response["receipt"]["formatted"]["merchant"]


def close(terminal):
    """A day-end with its receipt in both formats."""
    return terminal.send(DAY_END, {"receiptFormat": ["FORMATTED", "JSON"]})


@pytest.mark.req("P-134", "P-019", "P-220")
@pytest.mark.parametrize("trouble", ["down", "91"])
@pytest.mark.parametrize("entry", ["chip", "contactless"])
def test_a_card_decides_below_the_floor_limit_when_the_host_cannot(terminal, trouble, entry):
    terminal.settings["entries"] = [entry]
    terminal.restart()
    if trouble == "down":
        terminal.world.faults.down = True
        answer = terminal.pay(5000, reference="order 7")
    else:
        terminal.device.plan([Planned(Scenario(code="91"))])
        answer = terminal.pay(5000, reference="order 7")
    terminal.world.faults.down = False
    assert answer.condition == "NONE"
    request = {"reference": "order 7"}
    assert wrong(PAYMENT, request, answer.response) == []
    assert answer.response["authorizedAmount"] == 5000
    assert terminal.taken == {}
    assert terminal.verdict() == []
    assert totals(day_end(terminal)) == {("Visa", "EUR"): (1, 5000)}
    assert terminal.taken == {"EUR": 5000}
    assert terminal.verdict() == []


@pytest.mark.req("P-134", "P-133")
@pytest.mark.parametrize("service", [PAYMENT, REFUND, PRE_AUTHORIZATION, DEFERRED])
@pytest.mark.parametrize("amount", [5000, 5001])
@pytest.mark.parametrize("entries", [["chip"], ["magstripe"], ["qr"]])
def test_only_a_payment_by_chip_below_the_limit_is_approved_offline(service, amount, entries):
    terminal = Terminal(**FLOOR, entries=entries)
    terminal.world.faults.down = True
    answer = terminal.do(service, {"requestedAmount": amount})
    offline = service == PAYMENT and amount == 5000 and entries == ["chip"]
    assert answer.condition == ("NONE" if offline else "NETWORK_ISSUE")
    assert bool(terminal.pages("T1/offline/")) is offline
    assert terminal.verdict() == []


@pytest.mark.req("P-133", "P-135")
@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.DROP, Fault.LATE_DELIVERY])
def test_where_something_may_have_left_no_card_decides(fault):
    terminal = Terminal(**FLOOR, patience_s=3)
    terminal.world.faults.rules += [Rule(fault, delay_s=20, what="operation"),
                                    Rule(Fault.LOSE_ANSWER, times=20, what="inquiry")]  # fmt: skip
    answer = terminal.pay(500)
    assert answer.condition == "TRANSACTION_TIMEOUT"
    assert terminal.pages("T1/offline/") == []
    assert terminal.verdict() == []


@pytest.mark.req("P-019", "P-021", "P-022", "P-028")
@pytest.mark.parametrize("service", [REFUND, PRE_AUTHORIZATION, DEFERRED])
@pytest.mark.parametrize("amount", [4421, 4422, 4423])
def test_a_scenario_approves_nothing_but_payments_offline(service, amount):
    terminal = Terminal()
    answer = terminal.do(service, {"requestedAmount": amount})
    assert terminal.pages("T1/offline/") == []
    assert answer.condition == "NONE"
    assert close(terminal).condition == "NONE"
    assert terminal.taken == ({"EUR": -amount} if service == REFUND else {})
    assert terminal.verdict() == []


@pytest.mark.req("P-114")
def test_the_card_that_waits_is_sealed(terminal):
    offline_payment(terminal)
    journal = terminal.world.journal
    kept = [page.value for _, page in journal.browse("wpi", "", "", 10_000)]
    kept += [row.body for row in journal.entries()]
    for text in kept:
        assert b"4242424242424242" not in text
        assert b"3012" not in text
    (key,) = terminal.pages("T1/offline/")
    assert terminal.page(key)["sealed"].startswith("s1.")


@pytest.mark.req("P-137", "P-136")
def test_without_a_key_nothing_is_approved_offline(terminal):
    terminal.world.faults.down = True
    kit = terminal.kit.secure
    real, kit.seal = kit.seal, lambda _wish, _name: SecureFault(key_missing=True)
    answer = terminal.pay(500)
    kit.seal = real
    assert answer.condition == "NETWORK_ISSUE"
    assert terminal.pages("T1/offline/") == []
    assert terminal.verdict() == []


@pytest.mark.req("P-316")
def test_what_waits_is_uploaded_once(terminal):
    offline_payment(terminal, 500)
    offline_payment(terminal, 600)
    first = close(terminal)
    assert totals(first) == {("Visa", "EUR"): (2, 1100)}
    for _ in range(2):
        terminal.restart()
        assert totals(close(terminal)) == {}
    assert terminal.taken == {"EUR": 1100}
    assert terminal.pages("T1/offline/") == []
    assert terminal.verdict() == []


@pytest.mark.req("P-316")
def test_what_the_host_refuses_at_the_upload_is_reported(terminal):
    terminal.script.will(["visa-declined"])
    refused = offline_payment(terminal, 500)
    offline_payment(terminal, 600)
    answer = close(terminal)
    assert answer.condition == "NONE"
    assert totals(answer) == {("Visa", "EUR"): (1, 600)}
    text = " ".join(terminal_text(answer).split())
    assert f"REFUSED {refused.reference}" in text
    assert "05 do not honour" in text
    assert totals(close(terminal)) == {}
    assert terminal.verdict() == []
    for service in (CANCEL_PAYMENT, CREDIT):
        request = {"paymentSolutionReference": refused.reference, "currency": "EUR",
                   "requestedAmount": 500}  # fmt: skip
        assert terminal.send(service, request).condition == "INVALID_TRANSACTION_REQ"


@pytest.mark.req("P-316")
def test_what_is_too_old_is_reported_and_never_charged():
    terminal = Terminal(**FLOOR, offline_days=2)
    late = offline_payment(terminal, 500)
    terminal.world.clock.jump(2 * DAY_S + 1)
    fresh = offline_payment(terminal, 600)
    answer = close(terminal)
    text = " ".join(terminal_text(answer).split())
    assert f"REFUSED {late.reference}" in text
    assert fresh.reference not in text
    assert totals(answer) == {("Visa", "EUR"): (1, 600)}
    assert totals(close(terminal)) == {}
    assert terminal.taken == {"EUR": 600}
    assert terminal.verdict() == []


@pytest.mark.req("P-020", "P-287", "P-289")
def test_a_cancellation_before_the_upload_charges_nothing(terminal):
    paid = offline_payment(terminal, 500)
    answer = terminal.cancel(paid.reference)
    assert answer.condition == "NONE"
    assert answer.response["authorizedAmount"] == 500
    assert wrong(CANCEL_PAYMENT, {}, answer.response) == []
    again = terminal.cancel(paid.reference)
    assert again.condition == "INVALID_TRANSACTION_REQ"
    assert totals(close(terminal)) == {}
    assert terminal.taken == {}
    assert terminal.verdict() == []


@pytest.mark.req("P-286", "P-307", "P-035")
@pytest.mark.parametrize("service", [REFUND, CREDIT, "WPI_SVC_CANCEL_PRE_AUTHORIZATION", UPDATE])
def test_what_waits_can_be_cancelled_and_nothing_else(terminal, service):
    paid = offline_payment(terminal, 500)
    request = {"paymentSolutionReference": paid.reference, "currency": "EUR",
               "requestedAmount": 500}  # fmt: skip
    assert terminal.send(service, request).condition == "INVALID_TRANSACTION_REQ"
    assert totals(close(terminal)) == {("Visa", "EUR"): (1, 500)}
    if service in {REFUND, CREDIT}:
        answer = terminal.send(service, request)
        assert answer.condition == "NONE"
        assert terminal.taken == {}
    assert terminal.verdict() == []


UPLOADS = {
    "nothing left": ([Rule(Fault.REFUSE)], False),
    "the answer was lost": ([Rule(Fault.LOSE_ANSWER, what="operation"),
                             Rule(Fault.LOSE_ANSWER, times=50, what="inquiry")], True),
    "it never arrived": ([Rule(Fault.LATE_DELIVERY, delay_s=90_000, what="operation"),
                          Rule(Fault.LOSE_ANSWER, times=3, what="inquiry")], False),
    "it arrived late": ([Rule(Fault.LATE_DELIVERY, delay_s=20, what="operation"),
                         Rule(Fault.LOSE_ANSWER, times=50, what="inquiry")], True),
    "the host put it off": ([Rule(Fault.PENDING, delay_s=60, what="operation")], True),
}  # fmt: skip


@pytest.mark.req("P-020", "P-289", "P-316")
@pytest.mark.parametrize("trouble", UPLOADS)
@pytest.mark.parametrize("when", ["at once", "once it is known", "after the next day-end"])
def test_a_cancellation_after_a_failed_upload_neither_loses_nor_doubles_money(
    terminal, trouble, when
):
    paid = offline_payment(terminal, 500, session="p")
    rules, _ = UPLOADS[trouble]
    terminal.world.faults.rules += rules
    failed = close(terminal)
    assert failed.condition in {"NETWORK_ISSUE", "TRANSACTION_TIMEOUT"}
    if when != "at once":
        terminal.world.under_way = [item for item in terminal.world.under_way if item[0] < 80_000]
        terminal.world.recover()
    if when == "after the next day-end":
        assert totals(close(terminal)) == {("Visa", "EUR"): (1, 500)}
    answer = terminal.cancel(paid.reference, session="c")
    terminal.world.under_way = [item for item in terminal.world.under_way if item[0] < 80_000]
    terminal.world.recover()
    sums = [close(terminal), close(terminal), close(terminal)]
    assert all(each.condition == "NONE" for each in sums)
    cancelled = answer.condition == "NONE"
    assert cancelled or answer.condition in {"BUSY", "INVALID_TRANSACTION_REQ"}
    assert terminal.taken == ({} if cancelled else {"EUR": 500})
    counted = sum(minor for each in sums for _, minor in totals(each).values())
    if when != "after the next day-end":
        assert counted == (0 if cancelled else 500)
    # As long as the host has not heard of it, it can be cancelled.
    if trouble == "nothing left" and when != "after the next day-end":
        assert cancelled
    if trouble == "it never arrived" and when == "once it is known":
        assert cancelled
    assert terminal.verdict() == []


@pytest.mark.req("P-316", "P-105")
def test_an_upload_that_was_done_is_not_reported_as_refused_because_it_is_old(terminal):
    paid = offline_payment(terminal, 500)
    terminal.world.faults.rules += UPLOADS["the answer was lost"][0]
    assert close(terminal).condition == "TRANSACTION_TIMEOUT"
    terminal.world.recover()
    assert terminal.taken == {"EUR": 500}
    terminal.world.clock.jump(30 * DAY_S)
    answer = close(terminal)
    assert paid.reference not in terminal_text(answer)
    assert totals(answer) == {("Visa", "EUR"): (1, 500)}
    assert terminal.verdict() == []


@pytest.mark.req("P-316", "P-320")
def test_an_upload_goes_on_as_it_began_when_the_merchant_number_changes(terminal):
    paid = offline_payment(terminal, 500)
    terminal.world.faults.rules += UPLOADS["the answer was lost"][0]
    assert close(terminal).condition == "TRANSACTION_TIMEOUT"
    terminal.world.recover()
    terminal.world.network.book.set_parameters("acquirer", "T1", b'{"merchant": "another"}')
    assert terminal.send("WPI_SVC_ACQUIRER_PARAMETERIZATION").condition == "NONE"
    assert terminal.profile.merchant == "another"
    answer = close(terminal)
    assert f"REFUSED {paid.reference}" not in terminal_text(answer)
    assert totals(answer) == {("Visa", "EUR"): (1, 500)}
    assert terminal.verdict() == []


@pytest.mark.req("P-051", "P-344")
def test_an_offline_approval_is_repeated_to_the_letter(terminal):
    paid = offline_payment(terminal, 500, session="p")
    terminal.restart()
    assert terminal.last("p").extras == paid.extras
    close(terminal)
    assert terminal.last("p").extras == paid.extras
    assert json.loads(paid.extras["WPI_RESPONSE"])["result"] == "WPI_RESULT_SUCCESS"
