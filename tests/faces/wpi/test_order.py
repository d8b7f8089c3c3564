"""The order of checks (P-150): of two faults in one request, the earlier check names its own."""

import asyncio
from dataclasses import replace
from itertools import combinations

import pytest

from tests.faces.wpi.conformance import SERVICES, wrong
from tests.faces.wpi.terminal import (
    ABORT,
    CREDIT,
    DAY_END,
    FOLLOWS,
    INFORMATION,
    LAST,
    MENU,
    PAYMENT,
    PRINT,
    RECOGNITION,
    USUAL,
    Terminal,
)
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.faults import Fault, Rule

STEPS = {
    "extra": "MISSING_MANDATORY_PARAMETER",
    "no request": "MISSING_MANDATORY_PARAMETER",
    "version": "WPI_VERSION_NOT_SUPPORTED",
    "integer version": "WPI_VERSION_NOT_SUPPORTED",
    "intent": "SERVICE_NOT_SUPPORTED",
    "session": "SESSION_ID_ALREADY_IN_USE",
    "initialized": "NOT_INITIALIZED",
    "busy": "BUSY",
    "json": "INVALID_TRANSACTION_REQ",
    "mandatory": "MISSING_MANDATORY_PARAMETER",
    "type": "INVALID_TRANSACTION_REQ",
    "currency": "INVALID_CURRENCY",
    "amount": "INVALID_AMOUNT",
    "delegation": "RECEIPT_DELEGATION_NOT_SUPPORTED",
    "reference": "INVALID_TRANSACTION_REQ",
    "password": "INVALID_PASSWORD",
    "execution": "NETWORK_ISSUE",
}
REMARKS = {"json": "WPI_REQUEST", "type": "reference is of type",
           "reference": "paymentSolutionReference"}  # fmt: skip
SAME = [{"extra", "no request"}, {"version", "integer version"}, {"no request", "json"}]
"""Pairs that are one step, or that no request can have at once."""


def faulty(terminal, faults):
    """A FOLLOW_ON_CREDIT with these faults: its request and its extras."""
    request = dict(USUAL[CREDIT]) | {"paymentSolutionReference": terminal.reference}
    extras = {}
    fields = {
        "type": {"reference": 7},
        "currency": {"currency": "XYZ"},
        "amount": {"requestedAmount": 0},
        "delegation": {"receiptDelegation": True},
        "reference": {"paymentSolutionReference": "ABCDEFGHJK"},
    }
    for fault in faults:
        request |= fields.get(fault, {})
    if "mandatory" in faults:
        # What the other fault is about must stay.
        del request["currency" if "currency" not in faults else "requestedAmount"]
    extras |= {"WPI_SESSION_ID": ""} if "extra" in faults else {}
    extras |= {"WPI_VERSION": "9.9"} if "version" in faults else {}
    extras |= {"WPI_VERSION": 2} if "integer version" in faults else {}
    extras |= {"intent": "com.example.OTHER"} if "intent" in faults else {}
    extras |= {"session": "used"} if "session" in faults else {}
    extras |= {"WPI_REQUEST": "{"} if "json" in faults else {}
    extras |= {"WPI_REQUEST": None} if "no request" in faults else {}
    return request, extras


@pytest.mark.req("P-150", "P-049", "P-080", "P-140", "P-141", "P-143", "P-146", "P-147", "P-149")
@pytest.mark.parametrize(
    ("first", "second"),
    [pair for pair in combinations(STEPS, 2) if set(pair) not in SAME],
)
def test_of_two_faults_the_earlier_check_wins(first, second):
    terminal = Terminal(password="4711", printer="none")
    terminal.reference = terminal.pay(session="used").reference
    faults = {first, second}
    payments = len(terminal.world.payments)
    request, extras = faulty(terminal, faults)
    terminal.script.will_enter([Secret("0")] * 3 if "password" in faults else [])
    answers = []

    async def main():
        running = None
        if "busy" in faults:
            terminal.world.faults.rules.append(Rule(Fault.LATE_ANSWER, delay_s=5))
            running = asyncio.create_task(terminal.exchange(PAYMENT, USUAL[PAYMENT]))
            await asyncio.sleep(1)
        state = terminal.face.terminals["T1"]
        if "initialized" in faults:
            state.profile = replace(state.profile, initialized=False)
        terminal.world.faults.down = "execution" in faults
        answers.append(await terminal.exchange(CREDIT, request, **extras))
        terminal.world.faults.down = False
        state.profile = replace(state.profile, initialized=True)
        if running is not None:
            await running

    terminal.world.run(main())
    answer = answers[0]
    assert answer.condition == STEPS[first], answer.remark
    assert REMARKS.get(first, "") in answer.remark
    sound = {} if faults & {"json", "no request", "type"} else request
    assert wrong(CREDIT, sound, answer.response) == []
    assert len(terminal.world.payments) == payments + ("busy" in faults)
    assert terminal.verdict() == []


@pytest.mark.req("P-150", "P-073", "P-129")
@pytest.mark.parametrize(
    "service", [name for name in SERVICES if name not in {ABORT, LAST, INFORMATION}]
)
def test_a_busy_terminal_reads_no_request(service):
    terminal = Terminal()
    terminal.world.faults.rules.append(Rule(Fault.LATE_ANSWER, delay_s=5))
    answers = []

    async def main():
        running = asyncio.create_task(terminal.exchange(PAYMENT, USUAL[PAYMENT], session="s"))
        await asyncio.sleep(1)
        answers.append(await terminal.exchange(service, "{", session="new"))
        answers.append(await running)

    terminal.world.run(main())
    assert answers[0].condition == "BUSY"
    assert wrong(service, {}, answers[0].response) == []
    assert answers[1].condition == "NONE"
    assert terminal.verdict() == []
    # What was answered BUSY never began: its session may be used.
    if service not in FOLLOWS and service not in {PRINT, MENU, DAY_END, RECOGNITION}:
        assert terminal.do(service, session="new").condition == "NONE"


@pytest.mark.req("P-150")
def test_the_checks_of_an_abort_and_of_printing_come_in_the_same_order():
    terminal = Terminal()
    terminal.pay(session="used")
    assert terminal.send(ABORT, "{", session="used").condition == "SESSION_ID_ALREADY_IN_USE"
    assert terminal.send(ABORT, "{").condition == "INVALID_TRANSACTION_REQ"
    assert terminal.send(ABORT, {"receiptFormat": 7}).condition == "INVALID_TRANSACTION_REQ"
    assert terminal.send(PRINT, "{", session="never").condition == "INVALID_TRANSACTION_REQ"
    assert terminal.send(PRINT, {}, session="never").condition == "MISSING_MANDATORY_PARAMETER"
    answer = terminal.send(PRINT, {"receiptTarget": "BOTH"}, session="never")
    assert answer.response is None
