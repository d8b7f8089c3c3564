"""The terminal's page in a real browser, on a real server: every flow a person goes through."""

import json
import threading
from dataclasses import fields

import pytest

from tests.processes import TOKEN, server, talk
from tests.terminal.browser import NARROW, SHOTS, Counter, browser, toml
from tollbridge.faces.wpi import scenario
from tollbridge.faces.wpi.tables import Condition
from tollbridge.sandbox import faults

TERMINALS = {}
DCC = {"provider": "Sandbox Exchange", "markup_percent": "3.0", "rates": {"USD": "1.10"}}


def terminal(**settings):
    """Give a test a terminal of its own with these settings."""

    def settle(test):
        TERMINALS[test.__name__] = settings
        return test

    return settle


def named():
    return [name for name in globals() if name.startswith("test_")]


def own(test):
    """Name the terminal of a test; T1 is the server's first one."""
    return f"T{named().index(test.partition('[')[0]) + 2}"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    lines = ["[faces.wpi.terminals]"]
    lines += [f"{own(name)} = {toml(TERMINALS.get(name, {}))}" for name in named()]
    (folder / "terminals.toml").write_text("\n".join(lines))
    with server(folder, "--config", "terminals.toml") as running:
        yield running.url


@pytest.fixture(scope="module")
def window():
    with browser() as started:
        yield started


@pytest.fixture
def open_counter(window, url, request):
    opened = []

    def opening(name="", **more):
        opened.append(Counter(window, url, name or own(request.node.name), **more))
        return opened[-1]

    yield opening
    complaints = [text for counter in opened for text in counter.complaints]
    for counter in opened:
        counter.close()
    assert complaints == []


@pytest.fixture
def counter(open_counter):
    return open_counter()


@pytest.fixture
def verdict(window, url, request):
    """Compare what the till was answered with the payment the journal holds."""
    context = window.new_context(extra_http_headers={"Authorization": f"Bearer {TOKEN}"})
    name = request.node.name

    def compare(answer, status, *, reference=name):
        listed = context.request.get(f"{url}/v1/payments?limit=200").json()["payments"]
        found = [
            payment
            for payment in listed
            if any(each.get("reference") == reference for each in payment["operations"])
        ]
        if status is None:
            assert found == []
            return None
        payment = found[0]
        assert payment["status"] == status
        succeeded = answer["result"] == "WPI_RESULT_SUCCESS"
        assert succeeded == (status not in {"declined", "failed"})
        if succeeded:
            assert answer["currency"] == payment["currency"]
        return payment

    yield compare
    context.close()


def test_pay_by_tap(counter, verdict):
    counter.send("11.91", reference="test_pay_by_tap")
    counter.present("visa")
    counter.shows("approved")
    answer = counter.answer()
    assert answer["authorizedAmount"] == verdict(answer, "captured")["captured_minor"] == 1191
    assert counter.page.locator(".talk-one .chip-tone").first.inner_text() == "success"
    counter.shot("approved-1280")


@pytest.mark.parametrize("way", ["tap", "insert", "swipe"])
def test_a_card_is_dragged(open_counter, verdict, way, request):
    counter = open_counter()
    counter.send("7.50", reference=request.node.name)
    counter.shows("present_card")
    counter.drag("mastercard", way)
    if way != "tap":
        counter.pin("1234")
    answer = counter.answer()
    payment = verdict(answer, "captured")
    entry = {"tap": "contactless", "insert": "chip", "swipe": "magstripe"}[way]
    assert payment["operations"][0]["instrument"]["entry"] == entry


def test_pay_by_chip_and_pin_wrong_then_right(counter, verdict):
    counter.send("23.00", reference="test_pay_by_chip_and_pin_wrong_then_right")
    counter.present("visa-offline-pin", "Insert")
    counter.pin("9999")
    screen = counter.page.locator("#screen .wrong")
    screen.wait_for()
    assert "Wrong PIN" in screen.inner_text()
    counter.shot("wrong-pin-1280")
    counter.pin("1234")
    answer = counter.answer()
    assert verdict(answer, "captured")["captured_minor"] == 2300


def test_the_pin_is_never_in_the_page(counter):
    counter.send("23.00")
    counter.present("visa-offline-pin", "Insert")
    counter.shows("enter_pin")
    counter.page.keyboard.type("4711")
    assert counter.page.locator(".dots .full").count() == 4
    page = counter.page.locator(".screen").inner_html()
    assert "4711" not in page
    counter.page.click("#key-correct")
    assert counter.page.locator(".dots .full").count() == 0
    counter.page.click("#key-stop")
    counter.answer()


def test_a_declined_card(counter, verdict):
    counter.send("5.00", reference="test_a_declined_card")
    counter.present("visa-declined")
    counter.shows("declined")
    counter.shot("declined-1280")
    answer = counter.answer()
    assert answer["errorCondition"] == "WPI_ERR_COND_HOST_REFUSAL"
    verdict(answer, "declined")


def test_the_stop_key_cancels(counter, verdict):
    counter.send("5.00", reference="test_the_stop_key_cancels")
    counter.shows("present_card")
    counter.page.click("#key-stop")
    answer = counter.answer()
    assert answer["errorCondition"] == "WPI_ERR_COND_USER_CANCEL"
    verdict(answer, None)


def test_the_till_aborts_and_both_sides_learn_it(counter, verdict):
    counter.send("5.00", reference="test_the_till_aborts_and_both_sides_learn_it")
    counter.shows("present_card")
    counter.page.click("#abort")
    assert counter.answer(0)["result"] == "WPI_RESULT_SUCCESS"
    answer = counter.answer(1)
    assert answer["errorCondition"] == "WPI_ERR_COND_ABORTED"
    verdict(answer, None)


@terminal(signature="screen")
def test_a_signature_is_written_or_drawn(counter, verdict):
    counter.send("44.01", reference="test_a_signature_is_written_or_drawn")
    counter.present("visa", "Insert")
    counter.shows("sign")
    counter.page.get_by_label("Or sign with a name").fill("Ada Lovelace")
    counter.shot("signature-1280")
    counter.page.get_by_role("button", name="Sign", exact=True).click()
    verdict(counter.answer(), "captured")

    counter.send("44.01")
    counter.present("visa", "Insert")
    counter.shows("sign")
    box = counter.page.locator(".sheet").bounding_box()
    counter.page.mouse.move(box["x"] + 40, box["y"] + 50)
    counter.page.mouse.down()
    counter.page.mouse.move(box["x"] + 160, box["y"] + 20, steps=6)
    counter.page.mouse.up()
    assert counter.page.locator(".ink").get_attribute("d").startswith("M")
    counter.page.click("#key-ok")
    assert counter.answer()["result"] == "WPI_RESULT_SUCCESS"


@terminal(tip={"percents": [5, 10, 15]})
def test_a_tip_is_added(counter, verdict):
    counter.send("20.00", reference="test_a_tip_is_added")
    counter.shows("add_tip")
    counter.shot("tip-1280")
    counter.page.get_by_role("button", name="10 %").click()
    counter.present("visa")
    answer = counter.answer()
    assert (answer["authorizedAmount"], answer["tipAmount"]) == (2200, 200)
    assert verdict(answer, "captured")["captured_minor"] == 2200


@terminal(tip={"percents": [5, 10, 15], "percent_max": 20})
def test_another_tip_has_a_limit(counter):
    counter.send("20.00")
    counter.shows("add_tip")
    field = counter.page.get_by_label("Other tip")
    field.fill("9.00")
    counter.page.get_by_role("button", name="Take").click()
    counter.page.get_by_text("4.00 EUR").last.wait_for()
    field.fill("1.23")
    counter.page.click("#key-ok")
    counter.present("visa")
    assert counter.answer()["authorizedAmount"] == 2123


@terminal(dcc=DCC)
def test_the_cardholder_chooses_the_currency_and_nothing_is_chosen_before(counter, verdict):
    counter.send("10.00", reference="dcc")
    counter.present("visa-us")
    screen = counter.shows("choose_currency")
    for told in ("10.00", "11.00", "1.10", "3.0 %", "Sandbox Exchange"):
        assert told in screen.inner_text()
    tiles = screen.locator(".tile.currency")
    looks = tiles.evaluate_all(
        "tiles => tiles.map(t => { const s = getComputedStyle(t);"
        " return [s.backgroundColor, s.borderColor, s.color, t.offsetWidth, t.offsetHeight,"
        " t.matches(':focus'), t.ariaPressed, t.ariaChecked].join() })"
    )
    assert looks[0] == looks[1]
    counter.shot("currency-1280")
    counter.page.keyboard.press("Enter")
    counter.page.click("#key-ok")
    assert tiles.count() == 2
    tiles.nth(1).click()
    answer = counter.answer()
    assert answer["dccUsed"] is True
    verdict(answer, "captured", reference="dcc")


def test_an_application_is_chosen(counter):
    counter.send("10.00")
    counter.present("two-applications", "Insert")
    screen = counter.shows("choose_application")
    counter.shot("application-1280")
    screen.get_by_role("button", name="GIROCARD").click()
    counter.pin("1234")
    assert counter.answer()["applicationLabel"] == "GIROCARD"


@terminal(password="1234")
def test_a_refund_needs_the_password(counter, verdict):
    counter.send("4.00", "WPI_SVC_REFUND", reference="test_a_refund_needs_the_password")
    counter.shows("enter_password")
    counter.page.keyboard.type("9999")
    counter.page.keyboard.press("Enter")
    counter.page.locator("#screen .wrong").wait_for()
    counter.shot("password-1280")
    counter.page.keyboard.type("1234")
    counter.page.click("#key-ok")
    counter.present("visa")
    answer = counter.answer()
    assert answer["authorizedAmount"] == 400
    assert verdict(answer, "credited")["credited_minor"] == 400


def test_a_payment_is_cancelled_from_its_answer(counter, verdict):
    counter.send("9.99", reference="test_a_payment_is_cancelled_from_its_answer")
    counter.present("visa")
    paid = counter.answer()
    counter.page.get_by_role("button", name="Cancel a payment").click()
    assert counter.page.input_value("[name=earlier]") == paid["paymentSolutionReference"]
    counter.page.click("#send")
    assert counter.answer()["result"] == "WPI_RESULT_SUCCESS"
    verdict(paid, "voided")


def test_the_day_is_ended_from_the_menu(counter):
    counter.send("3.00")
    counter.present("visa")
    counter.answer()
    counter.page.select_option("[name=service]", "WPI_SVC_PAYMENT_MENU")
    counter.page.click("#send")
    counter.shows("show_menu")
    counter.shot("menu-1280")
    counter.page.get_by_role("button", name="Day-end").click()
    counter.page.locator("#screen .said").wait_for()
    assert "Day end" in counter.page.locator("#papers").inner_text()
    counter.page.get_by_role("button", name="Leave").click()
    assert counter.answer()["result"] == "WPI_RESULT_SUCCESS"


def test_receipts_roll_out_and_are_kept(open_counter):
    counter = open_counter(motion="no-preference")
    counter.send("6.00")
    counter.present("visa")
    reference = counter.answer()["paymentSolutionReference"]
    strip = counter.page.locator(".strip")
    strip.wait_for()
    assert reference in strip.inner_text()
    counter.page.wait_for_timeout(1500)
    counter.shot("paper-1280")
    counter.page.get_by_role("button", name="Tear off").click()
    strip.wait_for(state="detached")
    papers = counter.page.locator(".receipt")
    assert papers.count() == 2
    papers.first.locator("summary").click()
    assert "Cardholder copy" in papers.first.inner_text()
    assert papers.first.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    kinds = {"PNG": b"\x89PNG", "PDF": b"%PDF", "TXT": b""}
    for form, begins in kinds.items():
        link = papers.first.get_by_role("link", name=form)
        body = counter.context.request.get(f"{counter.url}{link.get_attribute('href')}").body()
        assert body.startswith(begins)
        assert form != "TXT" or reference in body.decode()


@terminal(languages=["en", "de", "fr"])
def test_the_cardholder_chooses_a_language(counter):
    counter.send("23.00")
    counter.present("visa-offline-pin", "Insert")
    counter.shows("choose_language").get_by_role("button", name="Deutsch").click()
    assert "PIN eingeben" in counter.shows("enter_pin").inner_text()
    assert counter.page.locator("#screen").get_attribute("lang") == "de"
    assert counter.page.locator("#key-correct").inner_text() == "Korrektur"
    counter.shot("german-1280")
    counter.pin("1234")
    assert counter.answer()["customerLanguage"] == "de"


def test_a_reservation_is_completed_from_its_answer(counter, verdict):
    counter.send("30.00", "WPI_SVC_PRE_AUTHORIZATION", reference="reserved")
    counter.present("visa")
    reserved = counter.answer()
    counter.page.get_by_role("button", name="Complete a reservation").click()
    counter.page.fill("[name=amount]", "25.00")
    counter.page.fill("[name=reference]", "")
    counter.page.click("#send")
    counter.page.locator(".talk-one").nth(1).wait_for()
    assert counter.answer()["authorizedAmount"] == 2500
    assert verdict(reserved, "captured", reference="reserved")["captured_minor"] == 2500


def test_the_printer_has_no_paper(counter):
    counter.page.get_by_label("No paper").check()
    counter.page.locator("#printer-light[data-state=paper_empty]").wait_for()
    counter.send("6.00")
    counter.present("visa")
    counter.answer()
    assert counter.page.locator(".strip").count() == 0
    counter.send(service="WPI_SVC_PRINT_RECEIPT")
    counter.page.locator(".talk-one").nth(1).wait_for()
    assert counter.answer()["errorCondition"] == "WPI_ERR_COND_GENERIC"
    counter.page.get_by_role("radio", name="Ready").check()
    counter.page.locator("#printer-light[data-state=ready]").wait_for()
    counter.page.click("#send")
    counter.page.locator(".talk-one").nth(2).wait_for()
    assert counter.answer()["result"] == "WPI_RESULT_SUCCESS"
    counter.page.locator(".strip").wait_for()


def test_the_line_is_unplugged(counter):
    plug = counter.page.get_by_role("switch", name="Network")
    plug.click()
    counter.page.locator("#network[aria-checked=false]").wait_for()
    try:
        counter.send("6.00")
        counter.present("visa")
        assert counter.answer()["errorCondition"] == "WPI_ERR_COND_NETWORK_ISSUE"
    finally:
        plug.click()
        counter.page.locator("#network[aria-checked=true]").wait_for()


def test_a_scenario_is_set_with_the_mouse(counter, verdict):
    page = counter.page
    page.get_by_role("button", name="No funds").click()
    page.locator(".preset[aria-pressed=true]", has_text="No funds").wait_for()
    counter.shot("scenario-1280")
    counter.send("5.00", reference="test_a_scenario_is_set_with_the_mouse")
    counter.present("visa")
    answer = counter.answer()
    assert answer["remark"].startswith("51")
    verdict(answer, "declined")
    page.locator("#next[data-set=no]").wait_for()

    page.get_by_text("Compose one").click()
    page.select_option("[name=card]", "unreadable")
    page.get_by_role("button", name="Set", exact=True).click()
    page.locator("#next[data-set=yes]").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.locator("#next[data-set=no]").wait_for()


def test_an_amount_of_the_cheat_sheet_is_filled_in(counter):
    counter.page.get_by_text("Amounts that stand for one").click()
    counter.page.get_by_role("button", name="42.51").click()
    assert counter.page.input_value("[name=amount]") == "42.51"
    counter.page.keyboard.press("Enter")
    counter.present("visa")
    assert counter.answer()["errorCondition"] == "WPI_ERR_COND_HOST_REFUSAL"


def test_two_terminals_at_once(open_counter, verdict):
    one, other = open_counter(), open_counter("T1")
    one.send("1.00", reference="one")
    other.send("2.00", reference="other")
    one.shows("present_card")
    other.shows("present_card")
    other.present("mastercard")
    paid = other.answer()
    one.shows("present_card")
    one.present("visa")
    assert verdict(one.answer(), "captured", reference="one")["captured_minor"] == 100
    assert verdict(paid, "captured", reference="other")["captured_minor"] == 200
    one.page.get_by_role("navigation", name="Terminals").get_by_text("T1", exact=True).click()
    one.page.wait_for_url("**/terminal/T1")
    one.ready()
    assert one.page.get_by_role("heading", name="Terminal T1").is_visible()


def test_a_payment_with_the_keyboard_alone(counter, verdict):
    page = counter.page
    page.locator("[name=amount]").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("12.00")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.name") != "reference":
        page.keyboard.press("Tab")
    page.keyboard.type("test_a_payment_with_the_keyboard_alone")
    page.keyboard.press("Enter")
    counter.shows("present_card")
    assert page.evaluate("document.activeElement.textContent") == "Present card"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    while page.evaluate("document.activeElement.dataset.name") != "visa-offline-pin":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.textContent") != "Insert":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    counter.shows("enter_pin")
    page.keyboard.type("12")
    page.keyboard.press("Backspace")
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    assert verdict(counter.answer(), "captured")["captured_minor"] == 1200


def test_escape_is_the_stop_key(counter):
    counter.send("5.00")
    counter.shows("present_card")
    counter.page.keyboard.press("Escape")
    assert counter.answer()["errorCondition"] == "WPI_ERR_COND_USER_CANCEL"


def test_a_reload_in_the_middle_keeps_the_screen(counter, verdict):
    counter.send("8.00", reference="test_a_reload_in_the_middle_keeps_the_screen")
    counter.shows("present_card")
    counter.page.reload()
    counter.ready()
    assert "8.00" in counter.shows("present_card").inner_text()
    counter.present("visa")
    counter.shows("approved")
    counter.page.click("#last")
    answer = counter.answer()
    assert verdict(answer, "captured")["captured_minor"] == 800


def test_a_till_elsewhere_is_shown_too(counter, url):
    answers = []
    extras = {"WPI_SERVICE_TYPE": "WPI_SVC_PAYMENT", "WPI_VERSION": "2.0", "WPI_SESSION_ID": "7",
              "WPI_REQUEST": json.dumps({"currency": "JPY", "requestedAmount": 1191})}  # fmt: skip
    address = f"{url}/wpi/{counter.terminal}/com.worldline.payment.action.PROCESS_TRANSACTION"
    headers = [("wpi-package", "com.example.till")]
    till = threading.Thread(
        target=lambda: answers.append(talk("POST", address, extras, headers=headers, limit_s=30))
    )
    till.start()
    assert "1191" in counter.shows("present_card").inner_text().replace(",", "")
    counter.present("visa")
    counter.shows("approved")
    till.join()
    assert json.loads(answers[0][1]["WPI_RESPONSE"])["authorizedAmount"] == 1191
    counter.page.locator("#outcomes tr[data-topic=approved]").wait_for()


def test_everything_fits_a_small_screen(open_counter):
    counter = open_counter(viewport=NARROW)
    counter.shot("idle-360")
    counter.send("23.00")
    counter.shows("present_card")
    counter.shot("present-360")
    counter.present("visa-offline-pin", "Insert")
    counter.shows("enter_pin")
    counter.shot("pin-360")
    counter.pin("1234")
    counter.shows("approved")
    counter.answer()
    counter.page.evaluate(
        "document.querySelectorAll('details').forEach(one => { one.open = true })"
    )
    assert counter.page.evaluate("document.documentElement.scrollWidth") <= 360
    counter.page.screenshot(path=SHOTS / "everything-360.png", full_page=True)


def test_the_words_of_scenarios_are_the_servers(counter):
    """What the panel offers is what a scenario may be, all of it, and so are the amounts."""
    ours = counter.page.evaluate(
        "import('/terminal/page/scenario.js').then(m => [m.CHOICES, m.AMOUNTS])"
    )
    groups, amounts = ours
    words = {name: word for group in groups.values() for name, word in group.items()}
    assert set(words) == {item.name for item in fields(scenario.Scenario)}
    for name, choices in scenario.CHOICES.items():
        assert tuple(words[name]["choices"]) == choices
    assert words["condition"]["choices"] == [one.value for one in Condition if one != "NONE"]
    for fault in words["fault"]["choices"]:
        assert faults.parse(fault) is not None
    for name, word in words.items():
        for choice in word.get("choices", ()):
            scenario.read({name: choice.split(", ") if name == "pins" else choice})
    listed = {minor for group in amounts.values() for minor, _ in group}
    assert {minor for minor in listed if minor >= 4300} <= set(scenario.AMOUNTS)
    assert {minor for minor in scenario.AMOUNTS if minor >= 4400} <= listed
