"""The page's API over real sockets: people at a screen, and who must not be one."""

import asyncio
import json
from xml.etree import ElementTree as ET

import pytest

from tests.terminal.serving import PAGE, SALE, TILL, TOKEN, Page, condition, serving
from tollbridge.terminal import web

SHOWN = lambda state: state["screen"] is not None  # noqa: E731 - it reads like a name


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def at_page(tmp_path, story, **profile):
    """Let a story happen with a server and one page open."""

    async def main():
        async with serving(tmp_path, **profile) as server, server.looking() as page:
            return await story(server, page)

    return run(main())


# Looking


def test_who_opens_the_page_sees_the_terminal(tmp_path):
    async def story(server, page):
        listed = (await server.call("GET", "/terminals")).json["terminals"]
        assert [row["terminal"] for row in listed] == ["T1"]
        state = page.state
        assert state == (await server.state()) | {"version": state["version"]}
        assert state["cardholder"] == "browser"
        assert state["shop"]["zip_code"] == "1000"
        assert state["languages"] == [{"code": "en", "name": "English"},
                                      {"code": "fr", "name": "Français"}]  # fmt: skip
        assert {"code": "KWD", "exponent": 3} in state["currencies"]
        assert (state["screen"], state["notice"], state["exchange"]) == (None, None, None)
        assert (state["printer"], state["offline"], state["unpluggable"]) == ("ready", False, True)
        card = state["wallet"][0]
        assert (card["name"], card["masked"], card["look"]) == ("visa", "**** 4242", "visa")

    at_page(tmp_path, story, languages=["en", "fr"])


def test_no_number_of_a_card_is_on_the_page(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            await server.pay()
            text = json.dumps(await server.state())
            for card in server.device().wallet.values():
                number = card.number.reveal()
                assert not number or card.media_type or number not in text

    run(main())


def test_a_quiet_stream_says_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(web, "HEARTBEAT_S", 0.05)

    async def story(server, page):
        await asyncio.sleep(0.3)
        server.device().changed()
        await page.hear()
        assert page.comments >= 2

    at_page(tmp_path, story)


def test_a_slow_reader_misses_states_but_not_the_latest(tmp_path):
    async def story(server, page):
        for _ in range(50):
            server.device().changed()
        await page.until(lambda s: s["version"] == server.device().version)
        assert len(page.versions) < 10
        assert page.versions == sorted(page.versions)

    at_page(tmp_path, story)


def test_too_many_pages_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(web, "WATCHES_MAX", 1)

    async def story(server, page):
        answer = await server.call("GET", "/terminal/T1/events")
        assert (answer.status, answer.code) == (503, "too_many")

    at_page(tmp_path, story)


def test_a_server_that_stops_does_not_wait_for_pages(tmp_path):
    async def main():
        now = asyncio.get_running_loop().time
        async with serving(tmp_path) as server:
            page = Page(server, "T1")
            await page.open()
            begun = now()
        await page.ended()
        page.close()
        return now() - begun

    assert run(main()) < 2


# Paying


@pytest.mark.req("P-001")
def test_a_person_pays_with_a_click(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.pay())
        screen = await page.screen("present_card")
        assert screen["party"] == "cardholder"
        assert screen["amount"] == {"minor": 1191, "currency": "EUR", "text": "11.91 EUR"}
        assert screen["entries"] == ["chip", "contactless", "magstripe", "qr"]
        assert screen["title"]
        assert screen["service"] == "WPI_SVC_PAYMENT"
        assert 59 < screen["left_s"] <= screen["limit_s"] == 60
        assert page.state["exchange"] == {
            "service": "WPI_SVC_PAYMENT", "package": PAGE, "amount": screen["amount"]}  # fmt: skip
        await page.answer("present_card", {"card": "mastercard", "entry": "contactless"})
        response = await paying
        assert response["brandName"] == "Mastercard"
        state = await page.until(lambda s: s["exchange"] is None and s["papers"])
        assert state["notice"]["topic"] == "approved"
        assert [(row["topic"], row["service"]) for row in state["journal"]] == [
            ("approved", "WPI_SVC_PAYMENT")
        ]
        merchant, client = state["papers"]
        assert (merchant["copy"], client["copy"]) == ("merchant", "client")
        assert merchant["reference"] == response["paymentSolutionReference"]
        assert merchant["qr"].startswith("<svg")
        assert "11.91" in client["text"]

    at_page(tmp_path, story)


def test_a_till_sees_nothing_of_who_answers(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.till("WPI_SVC_PAYMENT", SALE))
        await page.answer("present_card", {"card": "visa-declined", "entry": "contactless"})
        assert page.state["exchange"]["package"] == TILL
        assert condition(await paying) == "HOST_REFUSAL"
        state = await page.until(lambda s: s["journal"])
        assert state["journal"][0]["topic"] == "declined"
        assert state["journal"][0]["amount"]["minor"] == 1191

    at_page(tmp_path, story)


def test_without_a_page_a_script_pays_and_with_one_it_does_not(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            assert (await server.pay())["brandName"] == "Visa"
            async with server.looking() as page:
                paying = asyncio.create_task(server.pay())
                await page.answer("present_card", {"cancel": True})
                assert condition(await paying) == "USER_CANCEL"
            await asyncio.sleep(0.2)
            assert not server.device().watches
            assert condition(await server.pay()) == "NONE"

    run(main())


@pytest.mark.parametrize(("player", "brand"), [("script", "Visa"), ("browser", "Mastercard")])
def test_a_profile_may_say_who_plays(tmp_path, player, brand):
    async def story(server, page):
        assert page.state["cardholder"] == player
        paying = asyncio.create_task(server.pay())
        if player == "browser":
            await page.answer("present_card", {"card": "mastercard"})
        assert (await paying)["brandName"] == brand

    at_page(tmp_path, story, cardholder=player)


@pytest.mark.req("P-131")
def test_the_stop_key_cancels(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.pay())
        await page.answer("present_card", {"cancel": True})
        assert condition(await paying) == "USER_CANCEL"
        state = await page.until(lambda s: s["notice"])
        assert state["notice"]["topic"] == "failed"

    at_page(tmp_path, story)


@pytest.mark.req("P-132")
def test_nobody_there_is_a_time_out_of_the_user(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.pay())
        screen = await page.screen("present_card")
        assert condition(await paying) == "USER_TIMEOUT"
        late = await server.answer(screen, {"card": "visa"})
        assert (late.status, late.code) == (404, "gone")

    at_page(tmp_path, story, person_s=0.3)


@pytest.mark.req("P-130")
@pytest.mark.parametrize("card", ["unreadable", "two-cards"])
def test_a_card_that_cannot_be_read(tmp_path, card):
    async def story(server, page):
        paying = asyncio.create_task(server.pay())
        await page.answer("present_card", {"card": card})
        assert condition(await paying) == "CARD_READ_ERR"

    at_page(tmp_path, story)


@pytest.mark.req("P-128")
def test_the_application_takes_its_request_back(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.till("WPI_SVC_PAYMENT", SALE))
        await page.screen("present_card")
        refused = await server.till("WPI_SVC_ABORT", kind="management", package="com.example.other")
        assert refused["result"] == "WPI_RESULT_FAILURE"
        assert SHOWN(await server.state())
        aborted = await server.till("WPI_SVC_ABORT", kind="management")
        assert aborted["result"] == "WPI_RESULT_SUCCESS"
        assert condition(await paying) == "ABORTED"
        assert not SHOWN(await server.state())

    at_page(tmp_path, story)


@pytest.mark.req("P-073", "P-129")
def test_while_a_person_is_asked_the_terminal_is_busy(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.till("WPI_SVC_PAYMENT", SALE))
        screen = await page.screen("present_card")
        assert condition(await server.till("WPI_SVC_PAYMENT", SALE)) == "BUSY"
        assert (await server.state())["screen"]["id"] == screen["id"]
        await page.answer("present_card", {"card": "visa"})
        assert condition(await paying) == "NONE"

    at_page(tmp_path, story)


def test_a_card_is_tapped_inserted_verified_and_signed_for(tmp_path):
    """One payment with every question there is."""

    async def story(server, page):
        request = {"currency": "EUR", "requestedAmount": 8000}
        paying = asyncio.create_task(server.pay(request))
        tip = await page.screen("add_tip")
        assert (tip["percents"], tip["most_minor"]) == ([5, 10], 4000)
        assert (await server.answer(tip, {"tip_minor": 4001})).status == 400
        await page.answer("add_tip", {"tip_minor": 800})
        await page.answer("present_card", {"card": "maestro-signature", "entry": "chip"})
        money = await page.screen("choose_currency")
        assert (money["local"]["minor"], money["foreign"]["currency"]) == (8800, "GBP")
        assert (money["rate"], money["markup_percent"]) == ("0.85", "3.0")
        assert (await server.answer(money, {"currency": "USD"})).status == 400
        await page.answer("choose_currency", {"currency": "GBP"})
        await page.answer("sign", {"signature": "M10 50L40.5 20L60 60"})
        response = await paying
        assert condition(response) == "NONE"
        assert (response["tipAmount"], response["dccUsed"]) == (800, True)

    at_page(tmp_path, story, signature="screen", tip={"percents": [5, 10], "percent_max": 50},
            dcc={"rates": {"GBP": "0.85"}})  # fmt: skip


def test_a_chip_checks_the_pin_and_counts(tmp_path):
    async def story(server, page):
        request = {"currency": "EUR", "requestedAmount": 8000}
        paying = asyncio.create_task(server.pay(request))
        await page.answer("present_card", {"card": "visa-offline-pin", "entry": "chip"})
        screen = await page.screen("enter_pin")
        assert (screen["online"], screen["wrong"], screen["tries_left"]) == (False, False, 3)
        await page.answer("enter_pin", {"pin": "9999"})
        screen = await page.screen("enter_pin")
        assert (screen["wrong"], screen["tries_left"]) == (True, 2)
        await page.answer("enter_pin", {"pin": "1234"})
        assert condition(await paying) == "NONE"

    at_page(tmp_path, story)


def test_an_application_of_two_is_chosen(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.pay())
        await page.answer("present_card", {"card": "two-applications", "entry": "chip"})
        screen = await page.screen("choose_application")
        assert screen["labels"] == ["GIROCARD", "VISA DEBIT"]
        assert (await server.answer(screen, {"choice": 2})).status == 400
        await page.answer("choose_application", {"choice": 1})
        await page.answer("enter_pin", {"pin": "1234"})
        assert (await paying)["brandName"] == "Visa Debit"

    at_page(tmp_path, story)


def test_a_broken_chip_is_swiped(tmp_path):
    async def story(server, page):
        paying = asyncio.create_task(server.pay())
        await page.answer("present_card", {"card": "broken-chip", "entry": "chip"})
        screen = await page.screen("present_card")
        assert (screen["hint"], screen["entries"]) == ("swipe", ["magstripe"])
        unfit = await server.answer(screen, {"card": "broken-chip", "entry": "chip"})
        assert (unfit.status, unfit.code) == (400, "unfit")
        await page.answer("present_card", {"card": "broken-chip"})
        await asyncio.sleep(0)
        while (await server.state())["screen"]:
            await page.answer((await server.state())["screen"]["kind"], {"pin": "1234"})
        assert condition(await paying) == "NONE"

    at_page(tmp_path, story)


def test_the_merchant_has_a_password_and_a_menu(tmp_path):
    async def story(server, page):
        refunding = asyncio.create_task(server.ask("WPI_SVC_REFUND", SALE))
        screen = await page.screen("enter_password")
        assert (screen["party"], screen["wrong"], screen["tries_left"]) == ("merchant", False, 3)
        await page.answer("enter_password", {"password": "0000"})
        screen = await page.screen("enter_password")
        assert (screen["wrong"], screen["tries_left"]) == (True, 2)
        await page.answer("enter_password", {"password": "4711"})
        await page.answer("present_card", {"card": "visa"})
        assert condition(await refunding) == "NONE"
        browsing = asyncio.create_task(server.ask("WPI_SVC_PAYMENT_MENU"))
        screen = await page.screen("show_menu")
        assert screen["party"] == "merchant"
        assert {"totals", "leave"} <= {item["item"] for item in screen["items"]}
        assert all(item["label"] for item in screen["items"])
        await page.answer("show_menu", {"item": "totals"})
        assert (await page.screen("show_menu"))["said"]
        await page.answer("show_menu", {"item": "leave"})
        assert (await browsing)["result"] == "WPI_RESULT_SUCCESS"
        await page.until(lambda s: s["exchange"] is None)

    at_page(tmp_path, story, password="4711")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"pin": "1234"},
        {"card": "no-such-card"},
        {"card": ["visa"]},
        {"card": "visa", "entry": "mifare"},
        {"card": "visa", "entry": ["chip"]},
        {"card": "mifare-classic"},
        {"card": "visa", "more": 1},
        {"cancel": False},
        {"cancel": True, "card": "visa"},
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(tmp_path, given):
    async def story(server, page):
        paying = asyncio.create_task(server.pay())
        screen = await page.screen("present_card")
        answer = await server.answer(screen, given)
        assert (answer.status, answer.code) == (400, "unfit")
        assert answer.message
        assert (await server.state())["screen"]["id"] == screen["id"]
        assert (await server.answer(screen["id"] + 1, {"card": "visa"})).status == 404
        assert (await server.answer("x", {"card": "visa"})).status == 404
        await page.answer("present_card", {"card": "visa"})
        again = await server.answer(screen, {"card": "visa"})
        assert (again.status, again.code) == (404, "gone")
        assert condition(await paying) == "NONE"

    at_page(tmp_path, story)


# Scenarios


def test_a_scenario_answers_while_people_watch(tmp_path):
    async def story(server, page):
        path = "/terminal/T1/scenario"
        assert (await server.call("PUT", path, {"scenario": {"person": "cancel"}})).status == 204
        state = await page.until(lambda s: s["scenario"])
        assert state["scenario"] == {"next": {"person": "cancel"}, "left": 1}
        paying = asyncio.create_task(server.pay())
        screen = await page.screen("present_card")
        assert screen["dictated"]
        assert (await server.answer(screen, {"card": "visa"})).code == "unfit"
        assert condition(await paying) == "USER_CANCEL"
        assert (await server.state())["scenario"] is None

    at_page(tmp_path, story)


def test_scenarios_are_used_up_in_order(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            path = "/terminal/T1/scenario"
            rows = [{"scenario": {"card": "unreadable"}, "times": 2},
                    {"scenario": {"person": "timeout"}}]  # fmt: skip
            assert (await server.call("PUT", path, rows)).status == 204
            shown = (await server.call("GET", path)).json["scenarios"]
            assert shown == [rows[0], {"scenario": {"person": "timeout"}, "times": 1}]
            came = [condition(await server.pay()) for _ in range(4)]
            assert came == ["CARD_READ_ERR", "CARD_READ_ERR", "USER_TIMEOUT", "NONE"]
            await server.call("PUT", path, rows)
            assert (await server.call("DELETE", path)).status == 204
            assert (await server.call("GET", path)).json == {"scenarios": []}
            assert condition(await server.pay()) == "NONE"

    run(main())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"scenario": {"card": "eaten"}}, "card: one of unreadable"),
        ({"scenario": {"weather": "bad"}}, "weather: there is no such word"),
        ({"scenario": {"code": "51"}, "times": 0}, "times"),
        ({"scenario": {"code": "51"}, "times": 1001}, "times"),
        ({"scenario": {"code": "51"}, "times": True}, "times"),
        ({"scenario": {"code": "51"}, "time": 1, "times": 1}, "times"),
        ({"code": "51"}, "looks like"),
        ([{"scenario": {}}, {"scenario": {"pins": "right"}}], "[1].scenario.pins"),
        ("51", "looks like"),
    ],
)
def test_a_scenario_with_unknown_words_is_refused(tmp_path, body, says):
    async def main():
        async with serving(tmp_path) as server:
            answer = await server.call("PUT", "/terminal/T1/scenario", body)
            assert (answer.status, answer.code) == (400, "unfit")
            assert says in answer.message
            assert (await server.state())["scenario"] is None

    run(main())


def test_pins_a_scenario_gets_wrong_do_not_block_the_card(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            server.device().script.habits.card = "visa-offline-pin"
            wrong = {"scenario": {"verification": "offline_pin", "pins": ["wrong"] * 3}}
            await server.call("PUT", "/terminal/T1/scenario", wrong)
            assert condition(await server.pay()) == "HOST_REFUSAL"
            right = {"scenario": {"verification": "offline_pin"}}
            await server.call("PUT", "/terminal/T1/scenario", right)
            assert condition(await server.pay()) == "NONE"

    run(main())


# Printer, network, papers


@pytest.mark.parametrize("state", ["paper_empty", "defect"])
def test_a_printer_without_paper_prints_when_it_has_some(tmp_path, state):
    async def main():
        async with serving(tmp_path) as server:
            path = "/terminal/T1/printer"
            assert (await server.call("PUT", path, {"state": state})).status == 204
            assert (await server.state())["printer"] == state
            assert condition(await server.pay()) == "NONE"
            assert (await server.state())["papers"] == []
            assert (await server.call("PUT", path, {"state": "ready"})).status == 204
            await server.pay()
            assert len((await server.state())["papers"]) == 2
            assert (await server.call("PUT", path, {"state": "on fire"})).code == "unfit"
            assert (await server.call("PUT", path, [])).code == "malformed"

    run(main())


def test_a_terminal_without_printer_says_so(tmp_path):
    async def main():
        async with serving(tmp_path, printer="none") as server:
            assert (await server.state())["printer"] == "none"
            answer = await server.call("PUT", "/terminal/T1/printer", {"state": "ready"})
            assert answer.code == "unfit"
            await server.pay()
            assert (await server.state())["papers"] == []

    run(main())


def test_papers_also_come_out_of_a_printer_of_its_own(tmp_path):
    async def main():
        async with serving(tmp_path, printer=f"file:{tmp_path / 'receipts.txt'}") as server:
            await server.pay()
            papers = (await server.state())["papers"]
            assert (tmp_path / "receipts.txt").read_text().count(papers[0]["reference"]) == 2
        async with serving(tmp_path, printer=f"file:{tmp_path / 'no' / 'way'}") as server:
            assert condition(await server.pay()) == "NONE"
            assert (await server.state())["papers"] == []

    run(main())


@pytest.mark.req("P-070")
def test_a_paper_can_be_taken_in_every_form(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            response = await server.pay()
            paper = (await server.state())["papers"][0]
            begins = {"txt": " ", "svg": "<svg", "png": "\x89PNG", "pdf": "%PDF", "escpos": "\x1b@"}
            for form, begin in begins.items():
                answer = await server.call("GET", f"/terminal/T1/papers/{paper['id']}.{form}")
                assert (answer.status, answer.headers["x-content-type-options"]) == (200, "nosniff")
                assert answer.body.decode("latin-1").startswith(begin), form
            assert ET.fromstring(paper["qr"]).tag == "{http://www.w3.org/2000/svg}svg"
            text = await server.call("GET", f"/terminal/T1/papers/{paper['id']}.txt")
            assert response["paymentSolutionReference"] in text.body.decode()
            for wrong in ("99.txt", "x.txt", "1.exe", "99999999999999999999.txt"):
                answer = await server.call("GET", f"/terminal/T1/papers/{wrong}")
                assert (answer.status, answer.code) == (404, "unknown_address")

    run(main())


def test_only_the_last_papers_are_kept(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            for _ in range(12):
                await server.pay()
            state = await server.state()
            assert [paper["id"] for paper in state["papers"]] == list(range(5, 25))
            assert len(state["journal"]) == 10
            assert (await server.call("GET", "/terminal/T1/papers/4.txt")).status == 404

    run(main())


@pytest.mark.req("P-134")
def test_without_a_line_there_is_no_network(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            path = "/terminal/T1/network"
            assert (await server.call("PUT", path, {"up": False})).status == 204
            assert (await server.state())["offline"]
            assert condition(await server.pay()) == "NETWORK_ISSUE"
            assert (await server.call("PUT", path, {"up": "yes"})).code == "unfit"
            assert (await server.call("PUT", path, {"up": True})).status == 204
            assert condition(await server.pay()) == "NONE"

    run(main())


# Two terminals


def test_two_terminals_have_a_screen_each(tmp_path):
    async def main():
        async with serving(tmp_path, terminals={"T2": {"languages": ["de"]}}) as server:
            listed = (await server.call("GET", "/terminals")).json["terminals"]
            assert [row["page"] for row in listed] == ["/terminal/T1", "/terminal/T2"]
            assert (await server.call("GET", "/terminal/T3/state")).code == "unknown_address"
            assert (await server.call("GET", "/terminal/T3/events")).code == "unknown_address"
            await server.call("PUT", "/terminal/T2/scenario", {"scenario": {"code": "51"}})
            async with server.looking("T1") as one, server.looking("T2") as two:
                first = asyncio.create_task(server.pay(terminal="T1"))
                second = asyncio.create_task(server.till("WPI_SVC_PAYMENT", SALE, terminal="T2"))
                english = await one.screen("present_card")
                german = await two.screen("present_card")
                assert (english["language"], german["language"]) == ("en", "de")
                assert german["amount"]["text"] == "11,91 EUR"
                await two.answer("present_card", {"card": "mastercard"})
                assert condition(await second) == "HOST_REFUSAL"
                assert SHOWN(await server.state("T1"))
                await one.answer("present_card", {"card": "visa"})
                assert (await first)["brandName"] == "Visa"
                assert one.state["scenario"] is None

    run(main())


# Requests from the page


def test_the_page_asks_as_a_till_does(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            path = "/terminal/T1/wpi"
            body = {"service": "WPI_SVC_PAYMENT", "request": SALE, "session": "mine"}
            answer = (await server.call("POST", path, body)).json
            assert answer["WPI_SESSION_ID"] == "mine"
            assert json.loads(answer["WPI_RESPONSE"])["result"] == "WPI_RESULT_SUCCESS"
            last = {"service": "WPI_SVC_LAST_TRANSACTION", "session": "mine"}
            assert (await server.call("POST", path, last)).json == answer
            assert condition(await server.ask("WPI_SVC_NONSENSE")) == "SERVICE_NOT_SUPPORTED"
            for nonsense in (b"{", {"service": 1}, {"servise": "x"}, [], b"\xff"):
                wrong = await server.call("POST", path, nonsense)
                assert (wrong.status, wrong.code) == (400, "malformed")

    run(main())


def test_a_program_that_dies_answers_nothing(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            dies = {"scenario": {"recovery": "dies_before"}}
            await server.call("PUT", "/terminal/T1/scenario", dies)
            body = {"service": "WPI_SVC_PAYMENT", "request": SALE}
            answer = await server.call("POST", "/terminal/T1/wpi", body)
            assert (answer.status, answer.body) == (502, b"")
            assert answer.headers["wpi-android-result"] == "result_canceled"

    run(main())


# Who must not


FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"host": "evil.example"},
    {"host": "127.0.0.1.evil.example:8700"},
    {"host": "localhost.evil.example"},
    {"host": ""},
    {"host": "[::1"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_no_other_site_can_use_a_terminal(tmp_path, headers):
    async def main():
        async with serving(tmp_path) as server:
            calls = [
                ("GET", "/terminal", None),
                ("GET", "/terminals", None),
                ("GET", "/terminal/T1/state", None),
                ("GET", "/terminal/T1/events", None),
                ("PUT", "/terminal/T1/scenario", {"scenario": {"code": "51"}}),
                ("DELETE", "/terminal/T1/scenario", None),
                ("PUT", "/terminal/T1/printer", {"state": "defect"}),
                ("PUT", "/terminal/T1/network", {"up": False}),
                ("POST", "/terminal/T1/screens/1", {"cancel": True}),
                ("POST", "/terminal/T1/wpi", {"service": "WPI_SVC_PAYMENT", "request": SALE}),
            ]
            for method, path, body in calls:
                answer = await server.call(method, path, body, headers)
                assert (answer.status, answer.code) == (403, "foreign"), path
            state = await server.state()
            assert (state["scenario"], state["printer"], state["offline"]) == (None, "ready", False)
            assert state["journal"] == []

    run(main())


def test_its_own_page_can(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            for host in ("localhost", "[::1]", "shop.localhost", "192.168.1.5"):
                host_and_port = f"{host}:{server.port}"
                headers = {"host": host_and_port, "origin": f"http://{host_and_port}"}
                state = {"state": "ready"}
                answer = await server.call("PUT", "/terminal/T1/printer", state, headers)
                assert answer.status == 204

    run(main())


def test_who_comes_over_the_network_needs_the_token(tmp_path):
    async def main():
        async with serving(tmp_path, host="0.0.0.0") as server:
            path = "/terminal/T1/state"
            for headers in ({}, {"cookie": "tollbridge-terminal="}, {"authorization": "Bearer x"}):
                for each in (path, "/terminal/T1/events", "/terminals", "/terminal?token=x"):
                    answer = await server.call("GET", each, None, headers)
                    assert (answer.status, answer.code) == (401, "unauthorized")
            bearer = {"authorization": f"Bearer {TOKEN}"}
            assert (await server.call("GET", path, None, bearer)).status == 200
            opened = await server.call("GET", f"/terminal?token={TOKEN}")
            assert (opened.status, opened.headers["location"]) == (303, "/terminal")
            cookie, *rest = opened.headers["set-cookie"].split("; ")
            assert {"httponly", "samesite=strict"} <= set(rest)
            assert TOKEN not in cookie
            kept = {"cookie": f"other=1; {cookie}"}
            assert (await server.call("GET", path, None, kept)).status == 200

    run(main())


def test_a_page_that_is_loaded_again_goes_on(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            async with server.looking() as page:
                paying = asyncio.create_task(
                    server.pay({"currency": "EUR", "requestedAmount": 8000})
                )
                await page.screen("present_card")
            await asyncio.sleep(0.2)
            screen = (await server.state())["screen"]
            given = {"card": "visa-offline-pin", "entry": "chip"}
            assert (await server.answer(screen, given)).status == 204
            async with server.looking() as page:
                await page.answer("enter_pin", {"pin": "1234"})
            assert condition(await paying) == "NONE"

    run(main())


def test_a_stream_is_not_opened_from_a_picture_on_another_site(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            headers = {"sec-fetch-site": "cross-site"}
            answer = await server.call("GET", "/terminal/T1/events", None, headers)
            assert (answer.status, answer.code) == (403, "foreign")
            assert not server.device().by_browser

    run(main())


def test_only_json_of_a_bounded_size_is_read(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            path = "/terminal/T1/printer"
            for kind in ("text/plain", "application/x-www-form-urlencoded", None):
                answer = await server.call("PUT", path, {"state": "defect"}, {"content-type": kind})
                assert (answer.status, answer.code) == (415, "media_type")
            kind = {"content-type": "application/json; charset=utf-8"}
            assert (await server.call("PUT", path, {"state": "ready"}, kind)).status == 204
            assert (await server.call("PUT", path, b"{")).code == "malformed"
            large = await server.call("PUT", path, b" " * 65537)
            assert (large.status, large.code) == (413, "too_large")
            assert (await server.call("POST", path, {"state": "ready"})).status == 405

    run(main())


def test_the_page_loads_nothing_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "terminal.js").write_text("1")
    (tmp_path / "secret.toml").write_text("x")
    monkeypatch.setattr(web, "FOLDER", tmp_path)

    async def main():
        async with serving(tmp_path) as server:
            for path, kind in (("/terminal", "text/html"), ("/terminal/T1", "text/html"),
                               ("/terminal/page/terminal.js", "text/javascript")):  # fmt: skip
                answer = await server.call("GET", path)
                assert answer.status == 200
                assert answer.headers["content-type"].startswith(kind)
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["cache-control"] == "no-store"
                assert answer.headers["x-content-type-options"] == "nosniff"
            for path in ("secret.toml", "..%2Fweb.py", "%2e%2e/web.py", "gone.js", "index.html%00"):
                assert (await server.call("GET", f"/terminal/page/{path}")).status == 404
            assert (await server.call("GET", "/terminal/T9")).status == 404

    run(main())
