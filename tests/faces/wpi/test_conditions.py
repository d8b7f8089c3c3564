"""Each of the 24 error conditions at its natural moment, and again by scenario (4.1.2.3)."""

import asyncio

import pytest

from tests.faces.wpi.conformance import FINANCIAL, MATRIX, wrong
from tests.faces.wpi.terminal import (
    ABORT,
    ACQUIRER_PARAMETERS,
    CANCEL_PAYMENT,
    CREDIT,
    INFORMATION,
    PAYMENT,
    PAYMENT_PARAMETERS,
    PRINT,
    RECOGNITION,
    REFUND,
    USUAL,
    Terminal,
)
from tollbridge.faces.wpi.scenario import AMOUNTS, NATURAL, Scenario
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import Cancelled, PresentCard, TimedOut
from tollbridge.ground.errors import JournalFailed
from tollbridge.ground.secret import Secret
from tollbridge.sandbox import codes
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.server.secure import SecureElement
from tollbridge.terminal.device import Planned

EVERYTHING = {"tip": {}, "dcc": {"rates": {"USD": "1.0900"}}, "password": "4711"}


def pay(**settings):
    terminal = Terminal(**settings)
    return terminal, terminal.pay(session="s")


def natural(condition, tmp_path):
    """Bring a condition about without a scenario: the terminal, the service, the answer."""
    terminal = Terminal()
    match condition:
        case "NONE":
            pass
        case "SERVICE_NOT_SUPPORTED":
            terminal = Terminal(services=[REFUND])
        case "ABORTED":
            aborts = []

            async def before(_, saying):
                if isinstance(saying.wish, PresentCard):
                    aborts.append(await terminal.exchange(ABORT))

            terminal.before_exchange = before
        case "BUSY":
            terminal.world.faults.rules.append(Rule(Fault.LATE_ANSWER, delay_s=5))
            answers = []

            async def main():
                running = asyncio.create_task(terminal.exchange(PAYMENT, USUAL[PAYMENT]))
                await asyncio.sleep(1)
                answers.append(await terminal.exchange(PAYMENT, USUAL[PAYMENT]))
                await running

            terminal.world.run(main())
            return terminal, PAYMENT, answers[0]
        case "CARD_READ_ERR":
            terminal.script.will(["two-cards"])
        case "USER_CANCEL":
            terminal.script.will([Cancelled()])
        case "USER_TIMEOUT":
            terminal.script.will([TimedOut()])
        case "HOST_REFUSAL":
            terminal.script.will(["visa-no-funds"])
        case "NETWORK_ISSUE":
            terminal.world.faults.down = True
        case "TRANSACTION_TIMEOUT":
            terminal = Terminal(patience_s=3)
            terminal.world.faults.rules.append(Rule(Fault.LATE_DELIVERY, delay_s=25))
        case "ENCRYPTION_ISSUE":
            # What was sealed for this device cannot be opened again: its page was tampered with.
            terminal = Terminal(limits={"default": {"floor_minor": 5000}})
            terminal.world.faults.down = True
            paid = terminal.pay(500)
            terminal.world.faults.down = False
            key = f"T1/offline/{paid.reference}"
            journal = terminal.world.journal
            page = journal.recall("wpi", key)
            journal._pages["wpi", key] = type(page)(
                page.value.replace(b'"s1.', b'"s1.AAAA'), page.version
            )
            return terminal, "WPI_SVC_DAY_END", terminal.do("WPI_SVC_DAY_END")
        case "INVALID_KEY":
            key = tmp_path / "key"
            key.write_bytes(b"half a key")
            terminal.kit.secure.__init__(key, terminal.world.ids)
        case "INVALID_TRANSACTION_REQ":
            return terminal, CANCEL_PAYMENT, terminal.cancel("0000000000")
        case "INTERNAL":
            journal = terminal.world.journal
            real = journal.commit

            def commit(changes):
                raise JournalFailed("disk full")

            journal.commit = commit
            answer = terminal.pay(session="s")
            journal.commit = real
            return terminal, PAYMENT, answer
        case "INVALID_AMOUNT":
            return terminal, PAYMENT, terminal.pay(0)
        case "INVALID_CURRENCY":
            return terminal, PAYMENT, terminal.pay(1191, "SEK")
        case "APP_NOT_SUPPORTED":
            terminal.script.will(["not-accepted"])
        case "MISSING_MANDATORY_PARAMETER":
            return terminal, PAYMENT, terminal.send(PAYMENT, {"currency": "EUR"})
        case "GENERIC":
            terminal.pay(session="s")
            terminal.device.set_printer("paper_empty")
            answer = terminal.send(PRINT, {"receiptTarget": "BOTH"}, session="s")
            return terminal, PRINT, answer
        case "NOT_INITIALIZED":
            terminal = Terminal(initialized=False)
        case "WPI_VERSION_NOT_SUPPORTED":
            return terminal, PAYMENT, terminal.do(PAYMENT, WPI_VERSION="3.0")
        case "SESSION_ID_ALREADY_IN_USE":
            terminal.pay(session="s")
        case "INVALID_PASSWORD":
            terminal = Terminal(password="4711")
            terminal.script.will_enter([Secret("0")] * 3)
            return terminal, REFUND, terminal.refund()
        case "RECEIPT_DELEGATION_NOT_SUPPORTED":
            terminal = Terminal(printer="none")
            return terminal, PAYMENT, terminal.pay(receiptDelegation=True)
    return terminal, PAYMENT, terminal.pay(session="s")


CONDITIONS = [name.removeprefix("WPI_ERR_COND_") for name in MATRIX["enums"]["ErrorCondition"]]


@pytest.mark.req(*(f"P-{n}" for n in range(126, 150)))
@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_condition_comes_about_at_its_natural_moment(condition, tmp_path):
    terminal, service, answer = natural(condition, tmp_path)
    assert answer.condition == condition, answer.remark
    request = {"receiptFormat": ["FORMATTED"]}
    assert wrong(service, request, answer.response) == []
    assert terminal.verdict() == []


def test_the_secure_element_of_the_bench_is_the_real_one():
    assert isinstance(Terminal().kit.secure, SecureElement)


# By scenario

REACHED = {
    "SERVICE_NOT_SUPPORTED", "BUSY", "INVALID_TRANSACTION_REQ", "INVALID_AMOUNT",
    "INVALID_CURRENCY", "MISSING_MANDATORY_PARAMETER", "GENERIC", "NOT_INITIALIZED",
    "WPI_VERSION_NOT_SUPPORTED", "SESSION_ID_ALREADY_IN_USE", "RECEIPT_DELEGATION_NOT_SUPPORTED",
}  # fmt: skip
"""The conditions of requests: raised before anybody is asked."""


@pytest.mark.req(*(f"P-{n}" for n in range(126, 150)))
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("by", ["amount", "device"])
@pytest.mark.parametrize("service", [PAYMENT, REFUND])
def test_each_condition_comes_about_by_scenario(condition, by, service):
    terminal = Terminal(password="4711")
    presented = []

    async def before(_, saying):
        presented.append(saying.wish)

    terminal.before_exchange = before
    amount = 1191
    if by == "amount":
        amount = 4301 + CONDITIONS.index(condition)
    elif condition != "NONE":
        terminal.device.plan([Planned(Scenario(condition=Condition[condition]))])
    request = {"currency": "EUR", "requestedAmount": amount, "reference": "order 7"}
    answer = terminal.send(service, request, session="s")
    assert answer.condition == condition, answer.remark
    assert wrong(service, request, answer.response) == []
    asked_for_card = any(isinstance(wish, PresentCard) for wish in presented)
    at_once = REACHED | ({"INVALID_PASSWORD"} if service == REFUND else set())
    assert asked_for_card is (condition not in at_once)
    assert terminal.verdict() == []
    # It was for one exchange.
    terminal.before_exchange = None
    assert terminal.pay().condition == "NONE"


@pytest.mark.req("P-126")
def test_a_device_scenario_wins_over_the_amount_and_lasts_as_long_as_it_was_set_for():
    terminal = Terminal()
    terminal.device.plan([Planned(Scenario(card="unreadable"), 2), Planned(Scenario(code="51"))])
    assert terminal.pay(4306).condition == "CARD_READ_ERR"
    assert terminal.pay().condition == "CARD_READ_ERR"
    assert terminal.pay().remark.startswith("51")
    assert terminal.pay(4306).condition == "USER_CANCEL"
    assert terminal.verdict() == []


@pytest.mark.req("P-126")
def test_a_terminal_that_is_no_simulator_knows_no_scenarios():
    terminal = Terminal(simulator=False)
    terminal.device.plan([Planned(Scenario(card="unreadable"), 1000)])
    for amount in AMOUNTS:
        assert terminal.pay(amount).condition == "NONE", amount
    assert terminal.verdict() == []


# The magic amounts (TESTCARDS, section 3): what each comes to

EXPECTED = {
    **{4300 + n: name for n, name in enumerate(CONDITIONS, start=1)},
    **dict.fromkeys((4401, 4402, 4403, 4404, 4405, 4406, 4407), "NONE"),
    4408: "HOST_REFUSAL",
    **dict.fromkeys((4411, 4412, 4413, 4414), "NONE"),
    4415: "CARD_READ_ERR",
    4421: "NONE",
    4422: "HOST_REFUSAL",
    4423: "NONE",
    **dict.fromkeys((4431, 4432, 4441, 4442, 4451), "NONE"),
    # The host decides after ten to ninety seconds; the terminal has two minutes of patience here,
    # and asks ever more seldom.
    **dict.fromkeys(range(4461, 4467), "NONE"),
    **dict.fromkeys(range(4467, 4470), "TRANSACTION_TIMEOUT"),
    4474: "NONE",
    4475: "INTERNAL",
    4476: "NONE",
    4481: "NONE",
    4482: "NONE",
}
UNANSWERED = {4471, 4472, 4473}
SHOWN = {
    4401: ("verification", "signature"),
    4402: ("verification", "online_pin"),
    4403: ("verification", "offline_pin"),
    4404: ("verification", "none"),
    4405: ("verification", "device"),
    4406: ("identification", True),
    4407: ("verification", "offline_pin"),
    4411: ("entry", "chip"),
    4412: ("entry", "magstripe"),
    4413: ("brand", "Visa Debit"),
    4421: ("offline", True),
    4423: ("offline", True),
    4431: ("brand", "Visa"),
    4441: ("tip_minor", 444),
    4442: ("amount_minor", 4442),
    4451: ("entry", "qr"),
}


@pytest.mark.req("P-059", "P-126", "P-209", "P-210", "P-211", "P-213")
@pytest.mark.parametrize("amount", [*sorted(AMOUNTS), *UNANSWERED])
@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_a_magic_amount_does_what_the_list_of_them_says(amount, currency):
    terminal = Terminal(**EVERYTHING, print_automatically=True, patience_s=120)
    terminal.script.habits.application = 1
    answer = terminal.pay(amount, currency, session="s")
    terminal.restart()
    last = terminal.last("s")
    if amount in UNANSWERED:
        assert answer.status == 502
        assert answer.headers.get("wpi-android-result") == "RESULT_CANCELED"
        assert (last.response is None) is (amount == 4472)
    else:
        expected = EXPECTED[amount]
        assert answer.condition == expected, answer.remark
    if amount in SHOWN:
        name, value = SHOWN[amount]
        assert terminal.page("T1/session/com.example.till/s")["slip"].get(name) == value
    if amount in {4476, 4471}:
        assert last.condition == "NONE"
    if amount in {4481, 4482}:
        assert terminal.papers() == []
        answer = terminal.send(PRINT, {"receiptTarget": "BOTH"}, session="s")
        assert answer.condition == "NONE"
        assert terminal.papers() == [("merchant", False), ("client", False)]
    lied = ("s",) if amount == 4475 else ()
    assert terminal.verdict(lied=lied) == []
    if amount == 4423:
        assert terminal.do("WPI_SVC_DAY_END").condition == "NONE"
        assert terminal.taken == {}


@pytest.mark.req("P-111", "P-231")
@pytest.mark.parametrize(("amount", "used"), [(4431, True), (4432, False)])
def test_the_amounts_of_conversion_offer_it_to_any_card(amount, used):
    terminal = Terminal(**EVERYTHING)
    assert terminal.pay(amount).response["dccUsed"] is used


@pytest.mark.req("P-135")
@pytest.mark.parametrize("tens", range(1, 10))
@pytest.mark.parametrize("patience_s", [5, 30, 120])
def test_the_amounts_of_delay_take_their_time_and_end_with_the_truth(tens, patience_s):
    terminal = Terminal(patience_s=patience_s)
    before = terminal.world.clock.monotonic_s()
    answer = terminal.pay(4460 + tens)
    waited = terminal.world.clock.monotonic_s() - before
    if answer.condition == "NONE":
        assert 10 * tens <= waited <= patience_s
    else:
        assert answer.condition == "TRANSACTION_TIMEOUT"
        assert waited >= patience_s
    assert terminal.verdict() == []


@pytest.mark.req("P-135")
@pytest.mark.parametrize(("tens", "condition"), [(1, "NONE"), (9, "TRANSACTION_TIMEOUT")])
def test_a_slow_host_is_waited_for_as_long_as_the_terminal_has_patience(tens, condition):
    assert Terminal(patience_s=30).pay(4460 + tens).condition == condition


@pytest.mark.req("P-133", "P-106", "P-152")
@pytest.mark.parametrize("code", [f"{n:02}" for n in range(100)])
def test_an_amount_of_42_xx_is_answered_with_that_code(code):
    terminal = Terminal()
    answer = terminal.pay(4200 + int(code), reference="order 7")
    request = {"reference": "order 7"}
    assert wrong(PAYMENT, request, answer.response) == []
    if code in codes.APPROVING - {"10"} or code in codes.WANTING_PIN:
        assert answer.condition == "NONE"
        asks = "WPI_ACTION_CODE_ASK_LEGAL_IDENTIFICATION" if code == "08" else None
        assert answer.response.get("actionCode") == asks
    else:
        special = {"68": "TRANSACTION_TIMEOUT", "92": "NETWORK_ISSUE"}
        assert answer.condition == special.get(code, "HOST_REFUSAL")
        assert answer.remark == f"{code} {codes.text(code)}"
    assert terminal.verdict() == []


@pytest.mark.req("P-133")
@pytest.mark.parametrize("service", ["WPI_SVC_PAYMENT_COMPLETION", CREDIT, REFUND,
                                     "WPI_SVC_UPDATE_PRE_AUTHORIZATION",
                                     "WPI_SVC_DEFERRED_PAYMENT_COMPLETION"])  # fmt: skip
def test_every_service_with_an_amount_has_the_codes_of_42_xx(service):
    terminal = Terminal()
    request = terminal.request(service)
    if "paymentSolutionReference" in request and service != "WPI_SVC_UPDATE_PRE_AUTHORIZATION":
        before = {"WPI_SVC_PAYMENT_COMPLETION": "WPI_SVC_PRE_AUTHORIZATION",
                  "WPI_SVC_DEFERRED_PAYMENT_COMPLETION": "WPI_SVC_DEFERRED_PAYMENT_AUTHORIZATION",
                  CREDIT: PAYMENT}[service]  # fmt: skip
        earlier = terminal.do(before, {"requestedAmount": 9000})
        request["paymentSolutionReference"] = earlier.reference
    answer = terminal.send(service, request | {"requestedAmount": 4205})
    assert answer.condition == "HOST_REFUSAL"
    assert answer.remark == "05 do not honour"
    assert terminal.send(service, request | {"requestedAmount": 4211}).condition == "NONE"
    assert terminal.verdict() == []


# Parameters and initialization (4.3.3, 4.3.4)


@pytest.mark.req("P-145", "P-034", "P-035", "P-319", "P-320", "P-368")
def test_a_terminal_is_initialized_once_it_has_both_kinds_of_parameters():
    terminal = Terminal(initialized=False)
    assert terminal.pay().condition == "NOT_INITIALIZED"
    assert terminal.do(PAYMENT_PARAMETERS).condition == "NONE"
    terminal.restart()
    assert terminal.pay().condition == "NOT_INITIALIZED"
    assert terminal.send(INFORMATION).condition == "NOT_INITIALIZED"
    assert terminal.do(ACQUIRER_PARAMETERS).condition == "NONE"
    assert terminal.pay().condition == "NONE"
    terminal.restart()
    assert terminal.pay().condition == "NONE"
    assert terminal.send(INFORMATION).condition == "NONE"


@pytest.mark.req("P-319", "P-320", "P-134", "P-135")
@pytest.mark.parametrize("service", [PAYMENT_PARAMETERS, ACQUIRER_PARAMETERS])
@pytest.mark.parametrize(("fault", "condition"), [(Fault.REFUSE, "NETWORK_ISSUE"),
                                                  (Fault.LOSE_ANSWER, "TRANSACTION_TIMEOUT"),
                                                  (Fault.GARBAGE, "NETWORK_ISSUE")])  # fmt: skip
def test_where_no_parameters_come_the_old_ones_stay(service, fault, condition):
    terminal = Terminal()
    before = terminal.profile
    terminal.world.faults.rules.append(Rule(fault, what="parameters"))
    answer = terminal.do(service, session="s")
    assert answer.condition == condition
    assert wrong(service, {}, answer.response) == []
    assert terminal.profile == before
    assert terminal.pay().condition == "NONE"


@pytest.mark.req("P-319", "P-320")
@pytest.mark.parametrize(("service", "kind", "tables"), [
    (PAYMENT_PARAMETERS, "payment", b'{"languages": ["xxx"]}'),
    (PAYMENT_PARAMETERS, "payment", b'{"merchant": "m"}'),
    (PAYMENT_PARAMETERS, "payment", b'{"password": "1"}'),
    (ACQUIRER_PARAMETERS, "acquirer", b'{"brands": ["Nobody"]}'),
    (ACQUIRER_PARAMETERS, "acquirer", b'{"acquirers": []}'),
    (ACQUIRER_PARAMETERS, "acquirer", b'{"terminal_id": "T9"}'),
])  # fmt: skip
def test_parameters_that_make_no_terminal_are_refused(service, kind, tables):
    terminal = Terminal()
    before = terminal.profile
    terminal.world.network.book.set_parameters(kind, "T1", tables)
    answer = terminal.do(service)
    assert answer.condition == "GENERIC"
    assert terminal.profile == before


@pytest.mark.req("P-319", "P-320", "P-051")
def test_a_restart_changes_no_parameters():
    terminal = Terminal(languages=["en"])
    book = terminal.world.network.book
    fetched = [
        (PAYMENT_PARAMETERS, "payment", b'{"currencies": ["EUR"], "tip": {}}'),
        (ACQUIRER_PARAMETERS, "acquirer", b'{"merchant": "m-7", "brands": ["Visa"]}'),
        (PAYMENT_PARAMETERS, "payment", b'{"languages": ["de"], "shop": {"name": "Kiosk"}}'),
        (ACQUIRER_PARAMETERS, "acquirer", b'{"limits": {"Visa": {"floor_minor": 100}}}'),
    ]
    for service, kind, tables in fetched:
        book.set_parameters(kind, "T1", tables)
        assert terminal.do(service).condition == "NONE"
        before = terminal.profile
        terminal.restart()
        assert terminal.send(INFORMATION).condition == "NONE"
        assert terminal.profile == before
    # What is no longer among them is as it was configured.
    assert terminal.profile.currencies[:2] == ("EUR", "USD")


@pytest.mark.req("P-319", "P-051")
def test_parameters_that_no_longer_fit_the_configuration_stop_no_terminal():
    terminal = Terminal()
    book = terminal.world.network.book
    book.set_parameters("acquirer", "T1", b'{"limits": {"Visa": {"floor_minor": 100}}}')
    assert terminal.do(ACQUIRER_PARAMETERS).condition == "NONE"
    terminal.settings["brands"] = ["Mastercard"]
    terminal.restart()
    terminal.script.will(["mastercard"])
    answer = terminal.pay()
    assert answer.condition in {"NONE", "NOT_INITIALIZED"}
    book.set_parameters("acquirer", "T1", b"{}")
    assert terminal.do(ACQUIRER_PARAMETERS).condition == "NONE"
    terminal.script.will(["mastercard"])
    assert terminal.pay().condition == "NONE"


@pytest.mark.req("P-126")
def test_every_condition_with_a_natural_cause_has_one():
    assert {each.value for each in NATURAL} | REACHED | {
        "NONE",
        "INTERNAL",
        "INVALID_PASSWORD",
    } == set(CONDITIONS)
    assert RECOGNITION in FINANCIAL
