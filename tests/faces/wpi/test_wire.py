"""Intents and the Messenger, versions, profiles, and two terminals beside each other (2, 3)."""

import asyncio
import json

import pytest

from tests.faces.wpi.conformance import FINANCIAL, MANAGEMENT, SERVICES, wrong
from tests.faces.wpi.terminal import (
    ABORT,
    DAY_END,
    INFORMATION,
    INTENTS,
    LAST,
    PAYMENT,
    PRINT,
    TILL,
    USUAL,
    Terminal,
)
from tests.faces.wpi.test_day_end import totals
from tollbridge.faces.wpi import face, versions
from tollbridge.faces.wpi.tables import SERVICES as TABLES
from tollbridge.ground.errors import ConfigError
from tollbridge.sandbox.faults import Fault, Rule

WHAT = 895349
OTHER = "com.example.other"


def extras(service, session, request=None, **more):
    sent = {
        "WPI_SERVICE_TYPE": service,
        "WPI_VERSION": "2.0",
        "WPI_SESSION_ID": session,
        "WPI_REQUEST": json.dumps(request or {}),
    }
    return {name: value for name, value in (sent | more).items() if value is not None}


def message(service, session, request=None, what=WHAT, **more):
    return json.dumps({"what": what, "obj": extras(service, session, request, **more)})


# The Messenger (2)


@pytest.mark.req("P-003", "P-005", "P-006", "P-007", "P-008", "P-038", "P-039", "P-009", "P-342")
@pytest.mark.parametrize("strict", [True, False])
def test_a_background_action_goes_through_the_messenger(strict):
    terminal = Terminal(strict=strict)
    paid = terminal.pay(session="s")
    (answer,) = terminal.messenger(message(LAST, "s", WPI_REQUEST=None))
    assert answer == {"what": WHAT, "obj": paid.extras}
    (answer,) = terminal.messenger(message(INFORMATION, "i"))
    assert set(answer["obj"]) == set(paid.extras)
    response = json.loads(answer["obj"]["WPI_RESPONSE"])
    assert wrong(INFORMATION, {}, response) == []
    assert answer["obj"]["WPI_SESSION_ID"] == "i"


@pytest.mark.req("P-004", "P-006", "P-040", "P-001", "P-002")
@pytest.mark.parametrize("service", [*FINANCIAL, *MANAGEMENT])
def test_display_actions_go_through_the_messenger_where_nobody_is_strict(service):
    for strict in (True, False):
        terminal = Terminal(strict=strict)
        session = "s"
        request = dict(USUAL.get(service, {})) if strict else terminal.request(service)
        if service == PRINT:
            terminal.pay(session="s")
        (answer,) = terminal.messenger(message(service, session, request))
        response = json.loads(answer["obj"]["WPI_RESPONSE"])
        if strict:
            assert response["errorCondition"] == "WPI_ERR_COND_SERVICE_NOT_SUPPORTED"
            assert SERVICES[service]["intent"] in response["remark"]
        else:
            assert response["errorCondition"] == "WPI_ERR_COND_NONE"


NO_MESSAGES = [
    "",
    "nonsense",
    "[]",
    "null",
    '{"what": 895349}',
    '{"what": 895349, "obj": "text"}',
    '{"what": 895349, "obj": []}',
    '{"what": 895350, "obj": {}}',
    '{"what": "895349", "obj": {}}',
    '{"what": 895349.0, "obj": {}}',
    '{"what": true, "obj": {}}',
    '{"what": null, "obj": {}}',
    '{"obj": {}}',
    '{"what": 895349, "what": 895349, "obj": {}}',
    '{"a":' * 40 + "1" + "}" * 40,
]


@pytest.mark.req("P-007", "P-008", "P-138")
@pytest.mark.parametrize("text", NO_MESSAGES)
def test_what_is_no_wpi_message_is_answered_as_one(text):
    terminal = Terminal()
    (answer,) = terminal.messenger(text)
    assert answer["what"] == WHAT
    response = json.loads(answer["obj"]["WPI_RESPONSE"])
    assert response["errorCondition"] == "WPI_ERR_COND_INVALID_TRANSACTION_REQ"
    assert response["remark"]
    assert answer["obj"]["WPI_VERSION"] == "2.0"


@pytest.mark.req("P-008", "P-049")
@pytest.mark.parametrize(("handshake", "inside", "served"), [
    (TILL, None, True),
    ("", TILL, True),
    (OTHER, TILL, True),
    ("", None, False),
    (TILL, "no package", False),
    (TILL, 7, False),
])  # fmt: skip
def test_who_calls_the_messenger_is_said_by_the_handshake_or_the_message(handshake, inside, served):
    terminal = Terminal()
    paid = terminal.pay(session="s")
    more = {} if inside is None else {"WPI_PACKAGE": inside}
    (answer,) = terminal.messenger(message(LAST, "s", **more), package=handshake)
    if served:
        assert answer["obj"] == paid.extras
    else:
        response = json.loads(answer["obj"]["WPI_RESPONSE"])
        assert response["errorCondition"] == "WPI_ERR_COND_MISSING_MANDATORY_PARAMETER"
        assert "WPI_PACKAGE" in response["remark"]


@pytest.mark.req("P-004", "P-008")
def test_the_messenger_answers_once_but_for_the_scenarios_that_do_not():
    terminal = Terminal()
    money = {"currency": "EUR", "requestedAmount": 1191}
    assert len(terminal.messenger(message(PAYMENT, "1", money))) == 1
    twice = terminal.messenger(message(PAYMENT, "2", money | {"requestedAmount": 4474}))
    assert len(twice) == 2
    assert twice[0] == twice[1]
    assert terminal.messenger(message(PAYMENT, "3", money | {"requestedAmount": 4471})) == []
    (answer,) = terminal.messenger(message(LAST, "3"))
    assert '"WPI_RESULT_SUCCESS"' in answer["obj"]["WPI_RESPONSE"]


# Versions (3)


@pytest.mark.req("P-052", "P-053", "P-054", "P-055", "P-056", "P-057", "P-016", "P-146")
@pytest.mark.parametrize(("version", "served"), [
    ("2.0", True), ("1.0", False), ("2.1", False), ("2.10", False), ("3.0", False), ("0.0", False),
    ("v2.0", False), ("2", False), ("2.", False), (".0", False), ("2.0.0", False), ("2.0 ", False),
    ("02.0", True), ("2.00", True), ("٢.٠", False), ("2.0ko", False), ("99999.0", False),
    ("-2.0", False), (2, False), (2.0, False), (True, False), (["2.0"], False), ({}, False),
])  # fmt: skip
@pytest.mark.parametrize("service", [PAYMENT, LAST, INFORMATION, ABORT])
def test_a_version_is_served_by_its_major_with_at_least_its_minor(version, served, service):
    terminal = Terminal()
    answer = terminal.send(service, USUAL.get(service, {}), WPI_VERSION=version)
    if served:
        assert answer.extras["WPI_VERSION"] == version
        assert answer.response is None or answer.condition == "NONE"
    else:
        assert answer.condition == "WPI_VERSION_NOT_SUPPORTED"
        assert "supported: 2.0" in answer.remark
        assert wrong(service, {}, answer.response) == [] if service != LAST else True
        assert terminal.world.payments == []


@pytest.mark.req("P-053", "P-054", "P-055", "P-056")
def test_editions_are_chosen_by_major_and_least_sufficient_minor(monkeypatch):
    made = tuple(versions.Edition(*numbers, TABLES) for numbers in ((1, 1), (2, 0), (2, 3)))
    monkeypatch.setattr(versions, "EDITIONS", made)
    monkeypatch.setattr(versions, "edition", versions.edition.__wrapped__)
    chosen = {
        "1.0": "1.1", "1.1": "1.1", "1.2": None, "2.0": "2.0", "2.1": "2.3", "2.3": "2.3",
        "2.4": None, "3.0": None,
    }  # fmt: skip
    for version, expected in chosen.items():
        found = versions.edition(version)
        assert (str(found) if found else None) == expected, version


# Intents and profiles (2)


@pytest.mark.req("P-001", "P-002", "P-003", "P-040")
@pytest.mark.parametrize("service", list(SERVICES))
@pytest.mark.parametrize("intent", INTENTS)
def test_a_strict_terminal_wants_the_intent_of_the_service(service, intent):
    request = USUAL.get(service, {})
    strict, lenient = Terminal(strict=True), Terminal()
    answer = strict.send(service, request, intent=INTENTS[intent], session="s")
    if SERVICES[service]["type"] != intent:
        assert answer.condition == "SERVICE_NOT_SUPPORTED"
        assert SERVICES[service]["intent"] in answer.remark
    else:
        assert answer.response is None or answer.condition != "SERVICE_NOT_SUPPORTED"
    answer = lenient.send(service, request, intent=INTENTS[intent], session="s")
    assert answer.response is None or answer.condition != "SERVICE_NOT_SUPPORTED"


@pytest.mark.req("P-014", "P-015", "P-016", "P-017", "P-042", "P-105")
@pytest.mark.parametrize("session", ["s", "x" * 255, "ä/ö é \u2028", "../../etc", "{}", " "])
def test_a_session_id_is_any_text_and_comes_back_as_it_was(session):
    terminal = Terminal()
    paid = terminal.pay(session=session)
    assert paid.condition == "NONE"
    assert set(paid.extras) == {"WPI_SERVICE_TYPE", "WPI_RESPONSE", "WPI_VERSION",
                                "WPI_SESSION_ID"}  # fmt: skip
    assert paid.extras["WPI_SESSION_ID"] == session
    assert all(isinstance(value, str) for value in paid.extras.values())
    terminal.restart()
    assert terminal.last(session).extras == paid.extras
    assert terminal.pay(session=session).condition == "SESSION_ID_ALREADY_IN_USE"
    assert terminal.verdict() == []


@pytest.mark.req("P-013", "P-138")
def test_a_session_id_that_is_too_long_is_refused():
    terminal = Terminal()
    answer = terminal.pay(session="x" * 256)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "WPI_SESSION_ID" in answer.remark


@pytest.mark.req("P-041", "P-043", "P-045", "P-046")
@pytest.mark.parametrize("service", [*FINANCIAL, DAY_END, ABORT])
def test_no_service_takes_a_session_that_was_used(service):
    terminal = Terminal()
    paid = terminal.pay(session="used")
    request = terminal.request(service)
    answer = terminal.send(service, request, session="used")
    assert answer.condition == "SESSION_ID_ALREADY_IN_USE"
    assert terminal.last("used").extras == paid.extras
    assert terminal.verdict() == []


@pytest.mark.parametrize("settings", [
    {"cancellable_last": -1},
    {"terminals": {"T1": {}}},
    {"terminals": {"A": {"terminal_id": "X"}, "B": {"terminal_id": "X"}}},
    {"terminals": []},
    {"terminals": {"T2": {"nonsense": 1}}},
    {"languages": []},
    {"pin_tries": 0},
])  # fmt: skip
def test_settings_that_make_no_terminal_are_refused(settings):
    terminal = Terminal()
    with pytest.raises(ConfigError):
        face(settings, terminal.world.clock, terminal.world.ids)


# Two terminals (2)


@pytest.mark.req("P-073", "P-297", "P-299", "P-064")
def test_two_terminals_work_at_once_and_know_nothing_of_each_other():
    terminal = Terminal(terminals={"T2": {"currencies": ["USD"], "password": "1"}})
    terminal.world.faults.rules += [Rule(Fault.LATE_ANSWER, delay_s=5)] * 2
    answers = {}

    async def pay(name, currency):
        request = {"currency": currency, "requestedAmount": 1191}
        answers[name] = await terminal.exchange(PAYMENT, request, session="s", terminal=name)

    async def main():
        first = asyncio.create_task(pay("T1", "EUR"))
        await asyncio.sleep(1)
        await pay("T2", "USD")
        await first

    terminal.world.run(main())
    one, two = answers["T1"], answers["T2"]
    assert one.condition == two.condition == "NONE"
    assert one.reference != two.reference
    assert terminal.last("s", terminal="T1").extras == one.extras
    assert terminal.last("s", terminal="T2").extras == two.extras
    for name, other in (("T1", two), ("T2", one)):
        answer = terminal.cancel(other.reference, terminal=name)
        assert answer.condition == "INVALID_TRANSACTION_REQ"
    formats = {"receiptFormat": ["JSON"]}
    sums = [totals(terminal.send(DAY_END, formats, terminal=name)) for name in ("T1", "T2")]
    assert sums == [{("Visa", "EUR"): (1, 1191)}, {("Visa", "USD"): (1, 1191)}]
    assert len(terminal.papers("T1")) == len(terminal.papers("T2")) == 3
    assert terminal.verdict() == []


@pytest.mark.req("P-018")
def test_a_terminal_that_is_not_there_says_so():
    terminal = Terminal()
    answer = terminal.do(PAYMENT, terminal="T9")
    assert answer.condition == "GENERIC"
    assert "T9" in answer.remark


@pytest.mark.req("P-049", "P-048")
def test_each_application_has_its_own_last_transaction():
    terminal = Terminal()
    first = terminal.pay(100, session="s")
    second = terminal.pay(200, session="s", package=OTHER)
    assert terminal.last("s").extras == first.extras
    assert terminal.last("s", package=OTHER).extras == second.extras
    assert terminal.send(PRINT, {"receiptTarget": "BOTH"}, session="s", package="com.example.x"
                         ).response is None  # fmt: skip
