"""The program dies at every moment of every service; whoever asks afterwards is told the truth."""

import asyncio

import pytest

from tests.faces.wpi.conformance import FINANCIAL, SERVICES, wrong
from tests.faces.wpi.terminal import (
    CANCEL_PAYMENT,
    COMPLETION,
    CREDIT,
    DEFERRED_COMPLETION,
    MENU,
    PAYMENT,
    PAYMENT_PARAMETERS,
    PRE_AUTHORIZATION,
    PRINT,
    RECOGNITION,
    REFUND,
    UPDATE,
    Terminal,
)
from tests.faces.wpi.test_day_end import FLOOR, offline_payment, totals
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.faces.wpi.wishes import MenuChosen, MenuItem
from tollbridge.ground.errors import JournalFailed
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.terminal.device import Planned

MOMENTS_MAX = 40
PAYING = [name for name in FINANCIAL if name != RECOGNITION]
EVERY_ROAD = (PAYMENT, CANCEL_PAYMENT, REFUND, COMPLETION, CREDIT)
"""One service for each way to the host."""
ENDINGS = {
    "approved": Scenario(),
    "declined": Scenario(code="05"),
    "answer lost": Scenario(fault="lose_answer"),
    "never arrives": Scenario(fault="refuse"),
    "arrives late": Scenario(fault="late_delivery:20"),
    "put off": Scenario(fault="pending:12"),
    "garbage": Scenario(fault="garbage"),
}


def moments(service, request=None, *, prepare=lambda terminal: {}, scenario=None, **settings):
    """Live through a service again and again, dying a moment later each time; then give each
    terminal as it came up again, all trouble being over."""
    for moment in range(MOMENTS_MAX):
        terminal = Terminal(**settings)
        wanted = terminal.request(service) | (request or {}) | prepare(terminal)
        before = terminal.taken
        if scenario is not None:
            terminal.device.plan([Planned(scenario)])

        async def main(terminal=terminal, wanted=wanted):
            await terminal.exchange(service, wanted, session="s")

        crashed = terminal.world.run(main(), moment)
        terminal.restart()
        if not crashed:
            terminal.world.recover()
        yield terminal, wanted, before, crashed
        if not crashed:
            return
    pytest.fail("the exchange has no end")


def judge(terminal, service, request, before, crashed):
    """Ask what became of it, and hold it against the book."""
    assert terminal.verdict() == []
    last = terminal.last("s")
    if last.response is None:
        assert crashed
        assert terminal.taken == before
        return "never heard of"
    assert last.extras["WPI_SERVICE_TYPE"] == service
    assert wrong(service, request, last.response) == []
    # What is told once is told for ever.
    terminal.restart()
    assert terminal.last("s").extras == last.extras
    if last.condition != "NONE":
        assert terminal.taken == before
    return last.condition


@pytest.mark.req("P-019", "P-051", "P-340", "P-341", "P-344", "P-347")
@pytest.mark.parametrize(
    ("service", "ending"),
    [(s, e) for s in PAYING for e in ENDINGS if s in EVERY_ROAD or e in {"approved", "put off"}],
)
def test_after_a_crash_at_any_moment_last_transaction_tells_the_truth(service, ending):
    seen = set()
    for terminal, request, before, crashed in moments(service, scenario=ENDINGS[ending]):
        seen.add(judge(terminal, service, request, before, crashed))
        # The terminal works on, and so does what it knows.
        assert terminal.pay().condition == "NONE"
    assert "never heard of" in seen
    expected = {"declined": "HOST_REFUSAL", "never arrives": "NETWORK_ISSUE"}.get(ending, "NONE")
    assert expected in seen


@pytest.mark.req("P-051", "P-135", "P-344")
@pytest.mark.parametrize("service", EVERY_ROAD)
@pytest.mark.parametrize("ending", ["arrives late", "put off"])
def test_a_terminal_that_gave_up_and_died_says_so_for_ever(service, ending):
    for terminal, request, before, crashed in moments(
        service, scenario=ENDINGS[ending], patience_s=1
    ):
        judge(terminal, service, request, before, crashed)


FLOWS = {
    "single tap and PIN": (PAYMENT, {"requestedAmount": 4260}, {}, None),
    "tip and conversion": (
        PAYMENT, {"requestedAmount": 4431}, {"tip": {}, "dcc": {"rates": {"USD": "1.1"}}}, None,
    ),
    "approved offline": (PAYMENT, {"requestedAmount": 500}, FLOOR, Scenario(fault="refuse")),
    "approved offline by scenario": (PAYMENT, {"requestedAmount": 4421}, {}, None),
    "declined offline": (PAYMENT, {"requestedAmount": 4422}, {}, None),
    "issuer unavailable": (PAYMENT, {"requestedAmount": 500}, FLOOR, Scenario(code="91")),
    "signature on the screen": (PAYMENT, {"requestedAmount": 4401}, {"signature": "screen"}, None),
    "zero completion": (DEFERRED_COMPLETION, {"requestedAmount": 0}, {}, None),
    "refund with password": (REFUND, {}, {"password": "4711"}, None),
    "printer empty": (PAYMENT, {"requestedAmount": 4481}, {}, None),
    "answer lost after approval": (PAYMENT, {"requestedAmount": 4471}, {}, None),
    "dies before": (PAYMENT, {"requestedAmount": 4472}, {}, None),
    "dies after": (PAYMENT, {"requestedAmount": 4473}, {}, None),
    "result cancelled": (PAYMENT, {"requestedAmount": 4476}, {}, None),
    "increment": (UPDATE, {"requestedAmount": 77}, {}, None),
}  # fmt: skip


@pytest.mark.req("P-051", "P-344", "P-347")
@pytest.mark.parametrize("name", FLOWS)
def test_interesting_scenarios_survive_a_crash_at_every_moment(name):
    service, request, settings, scenario = FLOWS[name]
    for terminal, wanted, before, crashed in moments(
        service, request, scenario=scenario, **settings
    ):
        assert terminal.verdict() == []
        last = terminal.last("s")
        if last.response is not None:
            config = tuple(f"{each}_active" for each in ("tip", "dcc") if each in settings)
            assert wrong(service, wanted, last.response, config=config) == []
        # What waits is charged once, and only if it was told.
        closed = terminal.send("WPI_SVC_DAY_END", {"receiptFormat": ["JSON"]})
        assert closed.condition == "NONE"
        assert terminal.verdict() == []
        if last.response is not None and last.condition == "NONE" and service == PAYMENT:
            assert sum(terminal.taken.values()) == last.response["authorizedAmount"]
            assert sum(minor for _, minor in totals(closed).values()) == sum(
                terminal.taken.values()
            )
        elif service == PAYMENT:
            assert terminal.taken == before == {}
        del crashed


@pytest.mark.req("P-020", "P-051", "P-287")
def test_cancelling_what_waits_for_its_upload_survives_a_crash_at_every_moment():
    def prepare(terminal):
        return {"paymentSolutionReference": offline_payment(terminal, 500, session="p").reference}

    for terminal, request, before, crashed in moments(CANCEL_PAYMENT, prepare=prepare, **FLOOR):
        judged = judge(terminal, CANCEL_PAYMENT, request, before, crashed)
        again = terminal.cancel(request["paymentSolutionReference"])
        cancelled = judged == "NONE"
        assert again.condition == ("INVALID_TRANSACTION_REQ" if cancelled else "NONE")
        assert terminal.do("WPI_SVC_DAY_END").condition == "NONE"
        assert terminal.taken == before
        assert terminal.verdict() == []


@pytest.mark.req("P-051", "P-062")
@pytest.mark.parametrize(("service", "follow"), [
    (PAYMENT, CANCEL_PAYMENT), (PAYMENT, CREDIT), (PRE_AUTHORIZATION, UPDATE),
    (PRE_AUTHORIZATION, COMPLETION), (UPDATE, "WPI_SVC_CANCEL_UPDATE_PRE_AUTHORIZATION"),
    (COMPLETION, "WPI_SVC_CANCEL_PAYMENT_COMPLETION"),
])  # fmt: skip
def test_a_reference_found_by_recovery_is_as_good_as_any(service, follow):
    used = 0
    for terminal, *_ in moments(service):
        terminal.world.recover()
        last = terminal.last("s")
        if last.response is None or last.condition != "NONE":
            continue
        used += 1
        request = {"paymentSolutionReference": last.reference}
        if "CANCEL" not in follow:
            request |= {"currency": "EUR", "requestedAmount": 100}
        assert terminal.send(follow, request).condition == "NONE"
        assert terminal.verdict() == []
    assert used >= 3


@pytest.mark.req("P-051", "P-325")
@pytest.mark.parametrize("service", [PRINT, MENU, PAYMENT_PARAMETERS, RECOGNITION])
def test_a_crash_while_nothing_is_paid_leaves_everything_paid_before(service):
    for moment in range(MOMENTS_MAX):
        terminal = Terminal()
        paid = terminal.pay(session="p")
        request = terminal.request(service)
        terminal.script.will([MenuChosen(MenuItem.DAY_END)] if service == MENU else [])
        session = "p" if service == PRINT else "s"

        async def main(terminal=terminal, request=request, session=session):
            await terminal.exchange(service, request, session=session)

        crashed = terminal.world.run(main(), moment)
        terminal.restart()
        assert terminal.last("p").extras == paid.extras
        assert terminal.send(PRINT, {"receiptTarget": "BOTH"}, session="p").condition == "NONE"
        assert terminal.pay(session="next").condition == "NONE"
        assert terminal.verdict() == []
        if not crashed:
            return
    pytest.fail("the exchange has no end")


@pytest.mark.req("P-051", "P-019")
@pytest.mark.parametrize("second", range(6))
def test_dying_again_while_the_truth_is_looked_for_changes_nothing(second):
    for terminal, request, before, crashed in moments(
        PAYMENT, scenario=Scenario(fault=f"{Fault.LATE_DELIVERY}:20")
    ):

        async def main(terminal=terminal):
            await terminal.exchange("WPI_SVC_LAST_TRANSACTION", session="s")

        terminal.world.run(main(), second)
        terminal.restart()
        judge(terminal, PAYMENT, request, before, crashed)


# A disk that fails and a process that lives on


def failing_once(terminal, number):
    """Let the number-th commit from now on fail, and nothing of it be written."""
    journal = terminal.world.journal
    real, commits = journal.commit, []

    def commit(changes):
        commits.append(changes)
        if len(commits) == number:
            raise JournalFailed("disk full")
        return real(changes)

    journal.commit = commit
    return commits, lambda: setattr(journal, "commit", real)


@pytest.mark.req("P-051", "P-139", "P-340", "P-344")
@pytest.mark.parametrize("service", [*PAYING, RECOGNITION, "WPI_SVC_DAY_END"])
@pytest.mark.parametrize("offline", [False, True])
def test_a_commit_that_fails_is_told_and_the_truth_is_found(service, offline):
    for number in range(1, MOMENTS_MAX):
        terminal = Terminal(**(FLOOR if offline else {}))
        request = terminal.request(service)
        if offline:
            offline_payment(terminal, 500)
            terminal.world.faults.down = service == PAYMENT
        commits, mended = failing_once(terminal, number)
        answer = terminal.send(service, request, session="s")
        mended()
        terminal.world.faults.down = False
        assert wrong(service, request, answer.response) == []
        assert terminal.verdict() == []
        # The same program goes on, and so does the next one.
        for _ in range(2):
            assert terminal.do(service).condition == "NONE"
            terminal.restart()
        assert terminal.send("WPI_SVC_DAY_END").condition == "NONE"
        assert terminal.verdict() == []
        if len(commits) < number:
            return
    pytest.fail("the exchange has no end")


@pytest.mark.req("P-051", "P-319", "P-139")
@pytest.mark.parametrize("number", [1, 2])
def test_parameters_that_were_not_kept_are_not_in_force(number):
    terminal = Terminal()
    terminal.pay()
    terminal.world.network.book.set_parameters("payment", "T1", b'{"currencies": ["USD"]}')
    _, mended = failing_once(terminal, number)
    answer = terminal.do(PAYMENT_PARAMETERS)
    mended()
    in_force = terminal.profile.currencies
    terminal.restart()
    terminal.pay()
    assert terminal.profile.currencies == in_force
    assert (in_force == ("USD",)) is (answer.condition == "NONE")


@pytest.mark.req("P-206", "P-289", "P-139")
def test_an_answer_that_was_not_kept_takes_one_place_among_what_can_be_cancelled():
    terminal = Terminal(cancellable_last=2)
    first = terminal.pay(session="a").reference
    commits, mended = failing_once(terminal, 3)
    second = terminal.pay(session="b")
    mended()
    assert len(commits) >= 3
    for _ in range(2):
        assert terminal.last("b").reference == second.reference
    assert terminal.cancel(first).condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-287", "P-135")
def test_what_was_told_as_a_time_out_cannot_be_cancelled_before_it_is_undone():
    terminal = Terminal(patience_s=1)
    terminal.device.plan([Planned(Scenario(fault="pending:20"))])
    failed = terminal.pay(session="s")
    assert failed.condition == "TRANSACTION_TIMEOUT"

    async def main():
        # The host decides at last, and cannot be reached when the approval is to be undone.
        faults = terminal.world.faults
        faults.rules.append(Rule(Fault.REFUSE, times=1, what="operation", verb="void"))
        while not any(payment.unwanted for payment in terminal.world.payments):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        request = {"paymentSolutionReference": failed.reference}
        answers.append(await terminal.exchange(CANCEL_PAYMENT, request))

    answers = []
    terminal.world.run(main())
    assert answers[0].condition == "INVALID_TRANSACTION_REQ"
    assert terminal.verdict() == []
    assert terminal.taken == {}


@pytest.mark.req("P-050", "P-316", "P-062")
def test_what_waits_is_charged_even_if_its_session_is_forgotten():
    terminal = Terminal(**FLOOR, session_history=2)
    waiting = [offline_payment(terminal, 500, session=f"w{n}").reference for n in range(2)]
    for n in range(3):
        terminal.pay(100, session=f"p{n}")
    assert terminal.last("w0").response is None
    assert terminal.cancel(waiting[0]).condition == "NONE"
    closed = terminal.send("WPI_SVC_DAY_END", {"receiptFormat": ["JSON"]})
    assert totals(closed) == {("Visa", "EUR"): (4, 800)}
    assert terminal.taken == {"EUR": 800}


def test_every_paying_service_is_among_the_services():
    assert set(PAYING) < set(SERVICES)
