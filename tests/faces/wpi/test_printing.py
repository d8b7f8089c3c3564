"""Receipts on paper, on request and by themselves (4.1.1.4, 4.3.5), and the menu (4.3.1)."""

import pytest

from tests.faces.wpi.conformance import FINANCIAL, wrong
from tests.faces.wpi.terminal import (
    ABORT,
    DAY_END,
    LAST,
    MENU,
    PAYMENT,
    PAYMENT_PARAMETERS,
    PRINT,
    RECOGNITION,
    Terminal,
)
from tests.faces.wpi.test_day_end import FLOOR, offline_payment
from tollbridge.faces.wpi.wishes import (
    Cancelled,
    MenuChosen,
    MenuItem,
    Print,
    ShowMenu,
    TimedOut,
)

TARGETS = {"CARDHOLDER": ["client"], "MERCHANT": ["merchant"], "BOTH": ["merchant", "client"]}
OTHER = "com.example.other"


def print_receipt(terminal, session, target="BOTH", **extras):
    return terminal.send(PRINT, {"receiptTarget": target}, session=session, **extras)


def copies(terminal):
    return [copy for copy, _ in terminal.papers()]


def duplicates(terminal):
    return [duplicate for _, duplicate in terminal.papers()]


@pytest.mark.req("P-036", "P-044", "P-101", "P-102", "P-103", "P-104", "P-321", "P-325", "P-161")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("service", [*(s for s in FINANCIAL if s != RECOGNITION), DAY_END])
def test_a_receipt_is_printed_and_printed_again_as_a_duplicate(service, target):
    terminal = Terminal(print_automatically=False)
    answer = terminal.do(service, session="s")
    assert answer.condition == "NONE"
    assert copies(terminal) == []
    expected = "NONE" if service in FINANCIAL or target == "MERCHANT" else "GENERIC"
    for _ in range(3):
        answer = print_receipt(terminal, "s", target)
        assert answer.condition == expected
        assert wrong(PRINT, {"receiptTarget": target}, answer.response) == []
        terminal.restart()


@pytest.mark.req("P-104", "P-161", "P-077")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("automatic", [True, False])
def test_only_the_first_print_is_no_duplicate(target, automatic):
    terminal = Terminal(print_automatically=automatic)
    terminal.pay(session="s")
    assert copies(terminal) == (["merchant", "client"] if automatic else [])
    before = len(terminal.papers())
    for round_ in range(3):
        assert print_receipt(terminal, "s", target).condition == "NONE"
        fresh = terminal.papers()[before:]
        before = len(terminal.papers())
        assert [copy for copy, _ in fresh] == TARGETS[target]
        assert {duplicate for _, duplicate in fresh} == {automatic or round_ > 0}
    text = terminal.device.papers[-1].text
    assert "DUPLICATE" in text.upper()


@pytest.mark.req("P-078", "P-079", "P-077")
def test_without_delegation_nothing_is_printed_until_it_is_asked_for():
    terminal = Terminal()
    terminal.pay(session="s", receiptDelegation=False)
    assert copies(terminal) == []
    assert print_receipt(terminal, "s").condition == "NONE"
    assert duplicates(terminal) == [False, False]


@pytest.mark.req("P-096", "P-077")
def test_what_is_printed_does_not_depend_on_what_is_returned():
    terminal = Terminal()
    answer = terminal.pay(session="s", receiptFormat=[])
    assert "receipt" not in answer.response
    assert copies(terminal) == ["merchant", "client"]
    assert "11.91" in terminal.device.papers[0].text


@pytest.mark.req("P-325", "P-328", "P-015", "P-049", "P-018")
def test_an_unknown_session_has_no_response():
    terminal = Terminal()
    terminal.pay(session="s")
    for session, package in (("never", "com.example.till"), ("s", OTHER)):
        answer = print_receipt(terminal, session, package=package)
        assert answer.extras == {
            "WPI_SERVICE_TYPE": PRINT,
            "WPI_VERSION": "2.0",
            "WPI_SESSION_ID": session,
        }
    assert len(terminal.papers()) == 2


@pytest.mark.req("P-327", "P-332")
@pytest.mark.parametrize("service", [MENU, RECOGNITION, "cancelled", "faulty"])
def test_what_has_no_receipt_prints_none(service):
    terminal = Terminal()
    if service == "cancelled":
        terminal.script.will([Cancelled()])
        terminal.pay(session="s")
    elif service == "faulty":
        terminal.pay(0, session="s")
    else:
        terminal.do(service, session="s")
    answer = print_receipt(terminal, "s")
    assert answer.condition == "GENERIC"
    assert "receipt not available" in answer.remark
    assert wrong(PRINT, {"receiptTarget": "BOTH"}, answer.response) == []


@pytest.mark.req("P-327", "P-133")
def test_a_decline_has_a_receipt_to_print():
    terminal = Terminal()
    terminal.pay(4205, session="s")
    assert print_receipt(terminal, "s").condition == "NONE"
    assert "DECLINED" in terminal.device.papers[-1].text


@pytest.mark.req("P-329", "P-330", "P-144", "P-161")
@pytest.mark.parametrize("state", ["paper_empty", "defect"])
def test_a_printer_in_trouble_prints_nothing_and_is_tried_again(state):
    terminal = Terminal()
    terminal.device.set_printer(state)
    paid = terminal.pay(session="s")
    assert paid.condition == "NONE"
    answer = print_receipt(terminal, "s")
    assert answer.condition == "GENERIC"
    assert state.replace("_", " ") in answer.remark
    assert copies(terminal) == []
    terminal.device.set_printer("ready")
    assert print_receipt(terminal, "s").condition == "NONE"
    # Nobody had it on paper before.
    assert duplicates(terminal) == [False, False]
    assert terminal.last("s").extras == paid.extras
    assert terminal.verdict() == []


@pytest.mark.req("P-326", "P-331")
def test_digital_receipts_are_asked_for_like_paper():
    terminal = Terminal(printer="none", digital_receipts=True)
    terminal.pay(session="s")
    # They are delivered in another way than by the printer, which is not there.
    assert print_receipt(terminal, "s").condition == "NONE"


@pytest.mark.req("P-051", "P-327", "P-344")
def test_after_a_crash_a_receipt_is_there_as_soon_as_the_outcome_is_known():
    terminal = Terminal()

    async def main():
        request = {"currency": "EUR", "requestedAmount": 1191}
        await terminal.exchange(PAYMENT, request, session="s")

    assert terminal.world.run(main(), crash_at=4)
    terminal.restart()
    terminal.world.recover()
    assert terminal.taken == {"EUR": 1191}
    assert print_receipt(terminal, "s").condition == "NONE"
    assert terminal.last("s").condition == "NONE"
    assert terminal.verdict() == []


@pytest.mark.req("P-066", "P-070", "P-189")
def test_a_printed_receipt_carries_its_reference():
    terminal = Terminal()
    paid = terminal.pay()
    for sheet in terminal.device.papers:
        assert paid.reference in sheet.text
        assert sheet.paper.reference == paid.reference
        assert sheet.qr.startswith("<svg") or "<svg" in sheet.qr


@pytest.mark.req("P-198", "P-050", "P-017")
def test_printing_changes_no_last_transaction_and_spends_no_session():
    terminal = Terminal()
    paid = terminal.pay(session="s")
    for _ in range(3):
        print_receipt(terminal, "s")
        assert terminal.last("s").extras == paid.extras
    answer = terminal.pay(session="s")
    assert answer.condition == "SESSION_ID_ALREADY_IN_USE"


# The menu


def choose(terminal, *items, **extras):
    terminal.script.will([MenuChosen(item) for item in items])
    return terminal.send(MENU, **extras)


class Menu(Terminal):
    """Keeps what the menu showed."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.shown = []
        self.before_exchange = self.watch

    async def watch(self, _, saying):
        if isinstance(saying.wish, ShowMenu | Print):
            self.shown.append(saying.wish)

    @property
    def said(self):
        return [wish.said for wish in self.shown if isinstance(wish, ShowMenu)]


@pytest.mark.req("P-032", "P-315")
@pytest.mark.parametrize("item", list(MenuItem))
def test_each_item_of_the_menu_can_be_chosen(item):
    terminal = Menu()
    terminal.pay(1000)
    answer = choose(terminal, item, session="m")
    assert answer.condition == "NONE"
    assert wrong(MENU, {}, answer.response) == []
    assert len(terminal.said) == (1 if item is MenuItem.LEAVE else 2)
    if item is not MenuItem.LEAVE:
        assert terminal.said[-1]
    # What a menu does belongs to no application.
    assert terminal.last("m").response is None
    assert terminal.pay(session="m").condition == "SESSION_ID_ALREADY_IN_USE"
    assert terminal.verdict() == []


@pytest.mark.req("P-315", "P-317", "P-318")
def test_the_menu_shows_totals_and_closes_the_batch():
    terminal = Menu()
    terminal.pay(1000)
    terminal.cancel(terminal.pay(300).reference)
    choose(terminal, MenuItem.TOTALS, MenuItem.DAY_END, MenuItem.TOTALS)
    totals, closed, after = terminal.said[1:]
    assert "Visa: 1 × = 10.00 EUR" in totals
    assert closed == totals
    assert after == ("0",)
    assert terminal.page("T1/period") == {"open": 2, "closing": None}
    assert copies(terminal)[-1] == "merchant"


@pytest.mark.req("P-315")
def test_the_menu_prints_the_last_receipt_again():
    terminal = Menu()
    choose(terminal, MenuItem.REPRINT)
    assert terminal.said[-1] == ("-",)
    terminal.pay()
    choose(terminal, MenuItem.REPRINT)
    assert terminal.papers()[-2:] == [("merchant", True), ("client", True)]
    terminal.device.set_printer("paper_empty")
    choose(terminal, MenuItem.REPRINT)
    assert terminal.said[-1] == ("paper empty",)


@pytest.mark.req("P-315", "P-134")
@pytest.mark.parametrize("item", [MenuItem.DAY_END, MenuItem.PAYMENT_PARAMETERIZATION,
                                  MenuItem.ACQUIRER_PARAMETERIZATION])  # fmt: skip
def test_what_fails_in_the_menu_is_shown_there(item):
    terminal = Menu(**FLOOR)
    offline_payment(terminal, 500)
    terminal.world.faults.down = True
    answer = choose(terminal, item)
    assert answer.condition == "NONE"
    assert terminal.said[-1] not in {(), ("0",)}
    assert terminal.verdict() == []


@pytest.mark.req("P-315", "P-131", "P-132")
@pytest.mark.parametrize(("behaviour", "condition"), [(Cancelled(), "USER_CANCEL"),
                                                      (TimedOut(), "USER_TIMEOUT")])  # fmt: skip
def test_who_walks_away_from_the_menu_ends_it(behaviour, condition):
    terminal = Terminal()
    terminal.script.will([behaviour])
    answer = terminal.send(MENU)
    assert answer.condition == condition
    assert wrong(MENU, {}, answer.response) == []
    assert terminal.pay().condition == "NONE"


@pytest.mark.req("P-050", "P-048", "P-340")
@pytest.mark.parametrize("service", [MENU, DAY_END, PAYMENT_PARAMETERS, ABORT, LAST])
def test_management_replaces_no_last_transaction(service):
    terminal = Terminal()
    paid = terminal.pay(session="s")
    answer = terminal.send(service, session="m")
    assert terminal.last("s").extras == paid.extras
    assert terminal.last("m").response is None
    assert answer.extras["WPI_SESSION_ID"] == "m"
