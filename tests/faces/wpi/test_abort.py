"""Aborting: at every step of every conversation, in time or too late (4.3.6)."""

import asyncio

import pytest

from tests.faces.wpi.conformance import FINANCIAL, wrong
from tests.faces.wpi.terminal import (
    ABORT,
    CANCEL_PAYMENT,
    COMPLETION,
    CREDIT,
    DAY_END,
    DEFERRED_COMPLETION,
    MENU,
    PAYMENT,
    PAYMENT_PARAMETERS,
    PRE_AUTHORIZATION,
    RECOGNITION,
    REFUND,
    Terminal,
)
from tests.faces.wpi.test_day_end import FLOOR, offline_payment
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import MenuChosen, MenuItem, Notice, Withdraw
from tollbridge.sandbox.faults import Fault, Rule

OTHER = "com.example.other"
STEPS_MAX = 20
CONVERSATIONS = {
    "payment": (PAYMENT, {}, {}),
    "chip, PIN, tip, conversion, two applications": (
        PAYMENT,
        {"requestedAmount": 6000},
        {"entries": ["chip"], "tip": {}, "dcc": {"rates": {"USD": "1.1"}},
         "languages": ["en", "fr"]},
    ),
    "signature on the screen": (PAYMENT, {"requestedAmount": 4401}, {"signature": "screen"}),
    "single tap and PIN": (PAYMENT, {"requestedAmount": 4260}, {}),
    "offline": (PAYMENT, {"requestedAmount": 4421}, {}),
    "offline declined": (PAYMENT, {"requestedAmount": 4422}, {}),
    "refund": (REFUND, {}, {"password": "4711"}),
    "refund by reference": (CREDIT, {}, {"password": "4711"}),
    "reservation": (PRE_AUTHORIZATION, {}, {}),
    "completion": (COMPLETION, {}, {}),
    "deferred completion": (DEFERRED_COMPLETION, {}, {}),
    "cancellation": (CANCEL_PAYMENT, {}, {}),
    "cancellation of what waits": (CANCEL_PAYMENT, {}, FLOOR),
    "recognition": (RECOGNITION, {}, {}),
    "recognition of what follows": (
        RECOGNITION,
        {"currency": "EUR", "requestedAmount": 1191, "serviceType": PAYMENT},
        {"entries": ["chip"], "languages": ["en", "fr"]},
    ),
    "menu": (MENU, {}, {}),
    "day-end": (DAY_END, {}, FLOOR),
    "parameters": (PAYMENT_PARAMETERS, {}, {}),
}  # fmt: skip


def aborting_at(terminal, step, answers, package=None):
    """Ask for the abort before the step-th thing that is said."""
    said = []

    async def before(_, saying):
        if isinstance(saying.wish, Withdraw):
            return
        said.append(saying)
        if len(said) == step:
            extras = {"package": package} if package else {}
            answers.append(await terminal.exchange(ABORT, **extras))

    terminal.before_exchange = before
    return said


@pytest.mark.req("P-037", "P-128", "P-335", "P-337", "P-338")
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_an_abort_at_any_step_ends_the_exchange_or_says_that_it_cannot(name):
    service, request, settings = CONVERSATIONS[name]
    aborted = 0
    for step in range(1, STEPS_MAX):
        terminal = Terminal(**settings)
        request = terminal.request(service) | request
        if service == DAY_END:
            offline_payment(terminal, 500)
        elif settings is FLOOR:
            request["paymentSolutionReference"] = offline_payment(terminal, 500).reference
        aborts = []
        said = aborting_at(terminal, step, aborts)
        answer = terminal.send(service, request, session="s")
        terminal.before_exchange = None
        if not aborts:
            assert len(said) < step
            break
        (abort,) = aborts
        assert wrong(ABORT, {}, abort.response) == []
        assert wrong(service, request, answer.response, config=_active(settings)) == []
        if isinstance(said[step - 1].wish, Notice) and said[step - 1].wish.topic == "failed":
            continue
        if abort.condition == "NONE":
            aborted += 1
            assert answer.condition == "ABORTED", (step, said[step - 1].wish)
        else:
            assert abort.condition == "GENERIC"
            assert abort.response["remark"]
            assert answer.condition in {"NONE", "HOST_REFUSAL"}, (step, said[step - 1].wish)
        if service in FINANCIAL:
            assert terminal.last("s").extras == answer.extras
        assert terminal.verdict() == []
        # The terminal is free again.
        assert terminal.pay().condition == "NONE"
    else:
        pytest.fail("the conversation has no end")
    assert aborted >= 1


def _active(settings):
    return tuple(f"{name}_active" for name in ("tip", "dcc") if name in settings)


@pytest.mark.req("P-338", "P-337", "P-049")
@pytest.mark.parametrize("step", [1, 2])
def test_only_the_application_that_began_can_abort(step):
    terminal = Terminal()
    aborts = []
    aborting_at(terminal, step, aborts, OTHER)
    answer = terminal.pay()
    assert aborts[0].condition == "GENERIC"
    assert "began" in aborts[0].remark
    assert answer.condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-336")
def test_an_abort_with_nothing_running_succeeds_and_changes_nothing():
    terminal = Terminal()
    paid = terminal.pay(session="s")
    assert terminal.send(ABORT).condition == "NONE"
    assert terminal.last("s").extras == paid.extras
    assert terminal.pay().condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-337")
@pytest.mark.parametrize("fault", [Fault.LATE_ANSWER, Fault.LATE_DELIVERY, Fault.PENDING])
def test_while_the_host_is_asked_it_is_too_late(fault):
    terminal = Terminal()
    terminal.world.faults.rules.append(Rule(fault, delay_s=8, what="operation"))
    answers = {}

    async def main():
        async def pay():
            request = {"currency": "EUR", "requestedAmount": 1191}
            answers["paid"] = await terminal.exchange(PAYMENT, request, session="s")

        running = asyncio.create_task(pay())
        await asyncio.sleep(1)
        answers["abort"] = await terminal.exchange(ABORT)
        answers["again"] = await terminal.exchange(ABORT)
        await running

    terminal.world.run(main())
    assert answers["abort"].condition == answers["again"].condition == "GENERIC"
    assert "too late" in answers["abort"].remark
    assert answers["paid"].condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-043", "P-337")
def test_an_abort_has_a_session_of_its_own():
    terminal = Terminal()
    terminal.pay(session="s")
    answer = terminal.send(ABORT, session="s")
    assert answer.condition == "SESSION_ID_ALREADY_IN_USE"
    assert wrong(ABORT, {}, answer.response) == []


@pytest.mark.req("P-338", "P-335")
def test_an_abort_reaches_one_terminal_only():
    terminal = Terminal(terminals={"T2": {}})
    aborts = []

    async def before(_, saying):
        if saying.terminal == "T1" and not aborts:
            aborts.append(await terminal.exchange(ABORT, terminal="T2"))

    terminal.before_exchange = before
    assert terminal.pay().condition == "NONE"
    assert aborts[0].condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-315", "P-335")
def test_a_day_end_begun_in_the_menu_ends_before_the_menu_can_be_aborted():
    terminal = Terminal()
    terminal.pay(1000)
    terminal.script.will([MenuChosen(MenuItem.DAY_END), MenuChosen(MenuItem.TOTALS)])
    aborts = []
    said = aborting_at(terminal, 3, aborts)
    answer = terminal.do(MENU)
    assert aborts[0].condition == "NONE"
    assert answer.condition == "ABORTED"
    assert len(said) >= 3
    assert terminal.page("T1/period") == {"open": 2, "closing": None}
    assert Condition.ABORTED.wire == answer.response["errorCondition"]
    assert terminal.verdict() == []
