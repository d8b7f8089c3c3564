"""Transactions that build on earlier ones: cancelling, incrementing, completing, crediting."""

from itertools import permutations

import pytest

from tests.faces.wpi.conformance import wrong
from tests.faces.wpi.terminal import (
    CANCEL_COMPLETION,
    CANCEL_PAYMENT,
    CANCEL_PRE_AUTHORIZATION,
    CANCEL_UPDATE,
    COMPLETION,
    CREDIT,
    DEFERRED,
    DEFERRED_COMPLETION,
    FOLLOWS,
    PAYMENT,
    PRE_AUTHORIZATION,
    REFUND,
    UPDATE,
    Terminal,
)
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.terminal.device import Planned
from tollbridge.testing.world import World

CANCELS = (CANCEL_PAYMENT, CANCEL_PRE_AUTHORIZATION, CANCEL_UPDATE, CANCEL_COMPLETION)
OPENING = (PAYMENT, REFUND, PRE_AUTHORIZATION, DEFERRED)


@pytest.fixture
def terminal():
    return Terminal()


def held(terminal):
    return sum(movement.held_minor for movement in terminal.world.movements)


def taken(terminal):
    return terminal.taken.get("EUR", 0)


def follow(terminal, service, earlier, amount=1191, currency="EUR", **more):
    """Do a service on the transaction of a reference."""
    request = {"paymentSolutionReference": earlier}
    if service not in CANCELS:
        request |= {"currency": currency, "requestedAmount": amount}
    return terminal.send(service, request | more)


# Cancelling (4.2.2)


@pytest.mark.req("P-020", "P-023", "P-025", "P-027", "P-286", "P-288", "P-062", "P-295")
@pytest.mark.parametrize("service", CANCELS)
@pytest.mark.parametrize("before", [*OPENING, COMPLETION, UPDATE, DEFERRED_COMPLETION, CREDIT,
                                    *CANCELS])  # fmt: skip
def test_a_cancellation_fits_the_service_it_cancels_and_no_other(terminal, service, before):
    reference = terminal.do(before).reference
    moved = taken(terminal), held(terminal)
    answer = follow(terminal, service, reference)
    if FOLLOWS[service] == before:
        assert answer.condition == "NONE"
        assert (taken(terminal), held(terminal)) != moved
    else:
        assert answer.condition == "INVALID_TRANSACTION_REQ"
        assert before in answer.remark
        assert (taken(terminal), held(terminal)) == moved
    assert terminal.verdict() == []


@pytest.mark.req("P-287")
@pytest.mark.parametrize("service", CANCELS)
def test_a_transaction_is_cancelled_once(terminal, service):
    reference = terminal.do(FOLLOWS[service]).reference
    assert follow(terminal, service, reference).condition == "NONE"
    moved = taken(terminal), held(terminal)
    for _ in range(2):
        again = follow(terminal, service, reference)
        assert again.condition == "INVALID_TRANSACTION_REQ"
        terminal.restart()
    assert (taken(terminal), held(terminal)) == moved
    assert terminal.verdict() == []


@pytest.mark.req("P-286")
@pytest.mark.parametrize("service", CANCELS)
@pytest.mark.parametrize("spoilt", ["declined", "timeout"])
def test_what_was_not_successful_is_not_cancelled(service, spoilt):
    terminal = Terminal(patience_s=3)
    before = FOLLOWS[service]
    request = terminal.request(before)
    if spoilt == "timeout":
        terminal.world.faults.rules += [
            Rule(Fault.LATE_DELIVERY, delay_s=25, what="operation"),
            Rule(Fault.LOSE_ANSWER, times=5, what="inquiry"),
        ]
    else:
        request["requestedAmount"] = 4205 if before != COMPLETION else 1191
        if before == COMPLETION:
            terminal.device.plan([Planned(Scenario(code="05"))])
    failed = terminal.send(before, request)
    assert failed.condition in {"HOST_REFUSAL", "TRANSACTION_TIMEOUT"}
    early = follow(terminal, service, failed.reference)
    assert early.condition in {"BUSY", "INVALID_TRANSACTION_REQ"}
    terminal.world.recover()
    assert follow(terminal, service, failed.reference).condition == "INVALID_TRANSACTION_REQ"
    assert terminal.verdict() == []


@pytest.mark.req("P-289", "P-205", "P-206")
@pytest.mark.parametrize("service", CANCELS)
@pytest.mark.parametrize("last", [0, 1, 3])
def test_only_the_last_transactions_of_a_brand_can_be_cancelled(service, last):
    terminal = Terminal(cancellable_last=last)
    before = FOLLOWS[service]
    # Another brand's do not count.
    done = []
    for _ in range(4):
        done.append(terminal.do(before).reference)
        terminal.script.will(["mastercard"])
        terminal.pay()
    # A completion also leaves its reservation on the list, and so does an increment.
    per_exchange = 1 if before in OPENING else 2
    for place, reference in enumerate(done):
        younger = (len(done) - 1 - place) * per_exchange
        answer = follow(terminal, service, reference)
        expected = "NONE" if younger < last else "INVALID_TRANSACTION_REQ"
        assert answer.condition == expected, (place, answer.remark)
        terminal.restart()
    assert terminal.verdict() == []


@pytest.mark.req("P-289", "P-320")
def test_how_many_can_be_cancelled_follows_the_parameters_at_once(terminal):
    references = [terminal.pay().reference for _ in range(3)]
    book = terminal.world.network.book
    book.set_parameters("payment", "T1", b'{"cancellable_last": 1}')
    assert terminal.send("WPI_SVC_PAYMENT_PARAMETERIZATION").condition == "NONE"
    information = terminal.send("WPI_SVC_PAYMENT_INFORMATION").response
    assert information["paymentInformation"][0]["numberOfCancellableTransactions"] == 1
    assert terminal.cancel(references[0]).condition == "INVALID_TRANSACTION_REQ"
    assert terminal.cancel(references[2]).condition == "NONE"


# Reservations (4.2.4 to 4.2.6)


@pytest.mark.req("P-022", "P-023", "P-024", "P-025", "P-026", "P-290", "P-291", "P-292", "P-293",
                 "P-294")  # fmt: skip
def test_a_reservation_grows_shrinks_is_completed_and_opened_again(terminal):
    root = terminal.do(PRE_AUTHORIZATION, {"requestedAmount": 1000}).reference
    first = follow(terminal, UPDATE, root, 300)
    assert first.response["authorizedAmount"] == 300
    assert held(terminal) == 1300
    second = follow(terminal, UPDATE, first.reference, 200)
    assert held(terminal) == 1500
    # Only the last increment can be taken back.
    answer = follow(terminal, CANCEL_UPDATE, first.reference)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert held(terminal) == 1500
    assert follow(terminal, CANCEL_UPDATE, second.reference).condition == "NONE"
    assert held(terminal) == 1300
    assert follow(terminal, CANCEL_UPDATE, first.reference).condition == "NONE"
    assert held(terminal) == 1000
    third = follow(terminal, UPDATE, root, 50)
    above = follow(terminal, COMPLETION, root, 1051)
    assert above.condition == "HOST_REFUSAL"
    assert wrong(COMPLETION, {}, above.response) == []
    completed = follow(terminal, COMPLETION, third.reference, 1050)
    assert completed.response["authorizedAmount"] == 1050
    assert (held(terminal), taken(terminal)) == (0, 1050)
    for service in (UPDATE, COMPLETION, CANCEL_UPDATE, CANCEL_PRE_AUTHORIZATION):
        reference = third.reference if service == CANCEL_UPDATE else root
        answer = follow(terminal, service, reference, 1)
        assert answer.condition == "INVALID_TRANSACTION_REQ", service
    assert follow(terminal, CANCEL_COMPLETION, completed.reference).condition == "NONE"
    assert (held(terminal), taken(terminal)) == (1050, 0)
    again = follow(terminal, COMPLETION, root, 400)
    assert again.condition == "NONE"
    assert (held(terminal), taken(terminal)) == (0, 400)
    assert terminal.verdict() == []


@pytest.mark.req("P-023", "P-289")
def test_cancelling_a_reservation_releases_its_increments_with_it(terminal):
    root = terminal.do(PRE_AUTHORIZATION, {"requestedAmount": 1000}).reference
    update = follow(terminal, UPDATE, root, 500).reference
    answer = follow(terminal, CANCEL_PRE_AUTHORIZATION, root)
    assert answer.condition == "NONE"
    assert answer.response["authorizedAmount"] == 1500
    assert held(terminal) == 0
    for service in (COMPLETION, UPDATE, CANCEL_UPDATE):
        answer = follow(terminal, service, update, 100)
        assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert terminal.verdict() == []


@pytest.mark.req("P-141", "P-290", "P-293")
@pytest.mark.parametrize("service", [UPDATE, COMPLETION, DEFERRED_COMPLETION, CREDIT])
def test_what_continues_is_in_the_currency_of_its_beginning(terminal, service):
    reference = terminal.do(FOLLOWS[service]).reference
    answer = follow(terminal, service, reference, 100, "USD")
    assert answer.condition == "INVALID_CURRENCY"
    assert "EUR" in answer.remark
    assert follow(terminal, service, reference, 100).condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-064", "P-138", "P-062")
@pytest.mark.parametrize("service", [*FOLLOWS, REFUND])
def test_a_reference_of_another_kind_or_another_terminal_is_refused(service):
    terminal = Terminal(terminals={"T2": {}})
    fits = {CREDIT: {PAYMENT, PRE_AUTHORIZATION, DEFERRED}, REFUND: {PAYMENT, PRE_AUTHORIZATION,
            DEFERRED}, UPDATE: {PRE_AUTHORIZATION}, COMPLETION: {PRE_AUTHORIZATION}}  # fmt: skip
    for before in OPENING:
        reference = terminal.do(before, terminal="T2").reference
        answer = follow(terminal, service, reference)
        assert answer.condition == "INVALID_TRANSACTION_REQ"
        assert "no such transaction" in answer.remark
        if before in fits.get(service, {FOLLOWS.get(service)}):
            continue
        reference = terminal.do(before).reference
        answer = follow(terminal, service, reference)
        assert answer.condition == "INVALID_TRANSACTION_REQ"
        assert before in answer.remark
    assert terminal.verdict() == []


# Deferred payments (4.2.7)


@pytest.mark.req("P-028", "P-029", "P-296", "P-297", "P-298", "P-299", "P-300")
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_deferred_payments_run_in_parallel_and_end_in_any_order(terminal, order):
    pumps = [terminal.do(DEFERRED, {"requestedAmount": 10_000}).reference for _ in range(3)]
    terminal.pay(77)
    for number in order:
        answer = follow(terminal, DEFERRED_COMPLETION, pumps[number], 1000 + number)
        assert answer.condition == "NONE"
        assert answer.response["authorizedAmount"] == 1000 + number
        terminal.restart()
    assert (held(terminal), taken(terminal)) == (0, 77 + 3003)
    for reference in pumps:
        answer = follow(terminal, DEFERRED_COMPLETION, reference, 1)
        assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert terminal.verdict() == []


@pytest.mark.req("P-298", "P-140")
@pytest.mark.parametrize("amount", [0, 1, 9999, 10_000, 10_001])
def test_a_deferred_completion_takes_at_most_what_was_authorized(terminal, amount):
    root = terminal.do(DEFERRED, {"requestedAmount": 10_000}).reference
    answer = follow(terminal, DEFERRED_COMPLETION, root, amount, reference="pump 4")
    request = {"reference": "pump 4"}
    assert wrong(DEFERRED_COMPLETION, request, answer.response) == []
    if amount > 10_000:
        assert answer.condition == "INVALID_AMOUNT"
        assert held(terminal) == 10_000
    else:
        assert answer.condition == "NONE"
        assert answer.response["authorizedAmount"] == amount
        assert (held(terminal), taken(terminal)) == (0, amount)
        again = follow(terminal, DEFERRED_COMPLETION, root, 1)
        assert again.condition == "INVALID_TRANSACTION_REQ"
    session = f"s-{terminal.sessions if amount > 10_000 else terminal.sessions - 1}"
    assert terminal.last(session).extras == answer.extras
    assert terminal.verdict() == []


@pytest.mark.req("P-298")
def test_a_deferred_authorization_expires():
    terminal = Terminal(deferred_s=3600.0)
    early, late = (terminal.do(DEFERRED).reference for _ in range(2))
    terminal.world.clock.jump(3600)
    assert follow(terminal, DEFERRED_COMPLETION, early, 100).condition == "NONE"
    terminal.world.clock.jump(1)
    answer = follow(terminal, DEFERRED_COMPLETION, late, 100)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "expired" in answer.remark
    assert taken(terminal) == 100


# Giving back (4.2.3, 4.2.9)


@pytest.mark.req("P-031", "P-307", "P-074")
@pytest.mark.parametrize("before", [PAYMENT, COMPLETION, DEFERRED_COMPLETION])
@pytest.mark.parametrize("service", [CREDIT, REFUND])
def test_credits_add_up_to_what_was_taken_and_no_further(terminal, before, service):
    reference = terminal.do(before).reference
    total = 0
    for amount, condition in ((500, "NONE"), (691, "NONE"), (1, "INVALID_TRANSACTION_REQ")):
        answer = follow(terminal, service, reference, amount)
        assert answer.condition == condition
        total += amount if condition == "NONE" else 0
        assert taken(terminal) == 1191 - total
        request = {"paymentSolutionReference": reference}
        assert wrong(service, request, answer.response, card_used=False) == []
    assert terminal.verdict() == []


@pytest.mark.req("P-031", "P-140")
def test_a_credit_above_what_is_left_is_refused_with_what_is_left(terminal):
    reference = terminal.pay(1000).reference
    follow(terminal, CREDIT, reference, 300)
    answer = follow(terminal, CREDIT, reference, 701)
    assert answer.condition == "INVALID_AMOUNT"
    assert "700" in answer.remark
    assert follow(terminal, REFUND, reference, 700).condition == "NONE"
    assert terminal.cancel(reference).condition == "INVALID_TRANSACTION_REQ"
    assert taken(terminal) == 0


@pytest.mark.req("P-031", "P-292")
def test_a_reservation_has_nothing_to_give_back_until_it_is_completed(terminal):
    root = terminal.do(PRE_AUTHORIZATION).reference
    assert follow(terminal, CREDIT, root, 1).condition == "INVALID_TRANSACTION_REQ"
    follow(terminal, COMPLETION, root, 1000)
    assert follow(terminal, CREDIT, root, 1000).condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-021", "P-031", "P-133")
def test_a_refund_that_fails_later_leaves_the_money_refundable():
    terminal = Terminal(patience_s=2)
    terminal.script.will(["visa-refund-fails"])
    reference = terminal.pay(1000).reference
    answer = follow(terminal, CREDIT, reference, 400)
    assert answer.condition == "TRANSACTION_TIMEOUT"
    assert "not known yet" in answer.remark
    # As long as nobody knows, nothing else may happen to the payment.
    assert follow(terminal, CREDIT, reference, 400).condition == "BUSY"
    assert terminal.cancel(reference).condition == "BUSY"
    terminal.world.recover()
    assert terminal.verdict() == []
    assert terminal.cancel(reference).condition == "NONE"
    assert taken(terminal) == 0


@pytest.mark.req("P-074", "P-075", "P-076", "P-148")
@pytest.mark.parametrize("service", [REFUND, CREDIT])
@pytest.mark.parametrize("by_reference", [True, False])
def test_giving_back_wants_the_password(service, by_reference):
    terminal = Terminal(password="4711", password_tries=2)
    request = {"currency": "EUR", "requestedAmount": 100}
    if service == CREDIT or by_reference:
        request["paymentSolutionReference"] = terminal.pay().reference
    before = len(terminal.world.movements)
    terminal.script.will_enter([Secret("1"), Secret("2")])
    answer = terminal.send(service, request)
    assert answer.condition == "INVALID_PASSWORD"
    assert wrong(service, request, answer.response) == []
    assert len(terminal.world.movements) == before
    terminal.script.will_enter([Secret("1"), Secret("4711")])
    assert terminal.send(service, request).condition == "NONE"
    # Nobody else needs it.
    assert terminal.do(PRE_AUTHORIZATION).condition == "NONE"
    assert terminal.verdict() == []


# References (3, 4.1.1)


@pytest.mark.req("P-061", "P-062", "P-063", "P-065")
def test_every_success_has_a_reference_of_its_own(terminal):
    references = [terminal.do(service).reference for service in (*OPENING, *FOLLOWS)]
    assert len(set(references)) == len(references)
    elsewhere = Terminal(World(seed=5)).pay().reference
    assert elsewhere not in references


@pytest.mark.req("P-062", "P-064")
def test_a_reference_serves_any_application_of_the_terminal(terminal):
    reference = terminal.pay().reference
    assert terminal.cancel(reference, package="com.example.other").condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-142", "P-372", "P-204")
@pytest.mark.parametrize("service", OPENING)
def test_a_brand_that_does_not_do_a_service_is_refused_once_it_is_seen(service):
    others = [name for name in OPENING if name != service]
    terminal = Terminal(limits={"Visa": {"services": others}})
    answer = terminal.do(service)
    assert answer.condition == "APP_NOT_SUPPORTED"
    assert "Visa" in answer.remark
    assert service in answer.remark
    terminal.script.will(["mastercard"])
    assert terminal.do(service).condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-142")
def test_a_card_that_pays_nothing_is_no_payment_card(terminal):
    terminal.script.will(["mifare-classic"])
    answer = terminal.pay()
    assert answer.condition == "APP_NOT_SUPPORTED"
    assert "MIFARE" in answer.remark
