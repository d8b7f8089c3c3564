"""The sandbox as a process of its own: every fault on a real socket, steered from outside."""

import asyncio
import time

import pytest

from tests.processes import call, sandbox, talk
from tollbridge.engine.transport import HttpTransport
from tollbridge.ground.errors import NoAnswer, NotSent, TransportError

PURCHASE = {
    "verb": "purchase",
    "amount_minor": 1191,
    "currency": "EUR",
    "card": {"number": "4242424242424242"},
}


class Bench:
    def __init__(self, running):
        self.running = running
        self.control = running.url
        port = talk("GET", f"{self.control}/health")[1]["port"]
        self.network = f"http://127.0.0.1:{port}"
        self.number = 0

    def order(self, fault, **more):
        status, told, _ = talk("POST", f"{self.control}/control/faults", {"fault": fault, **more})
        assert status == 200, told

    def operation(self, **more):
        self.number += 1
        name = f"op-{self.number}-{time.monotonic_ns()}"
        return {"operation": name, "payment": name, **PURCHASE, **more}

    def send(self, *bodies, limit_s=1.0):
        """Send operations over one line, one after the other; give answers or errors."""

        async def main():
            line, answers = HttpTransport(), []
            for body in bodies:
                try:
                    _, answer, _ = await call(
                        line, "POST", f"{self.network}/v1/operations", body, limit_s=limit_s
                    )
                except (TransportError, UnicodeDecodeError, ValueError) as error:
                    answer = error
                answers.append(answer)
            await line.close()
            return answers

        return asyncio.run(main())

    def found(self, body):
        status, answer, _ = talk("GET", f"{self.network}/v1/operations/{body['operation']}")
        return answer["status"] if status == 200 else status


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with sandbox(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def bench(running):
    bench = Bench(running)
    yield bench
    talk("DELETE", f"{bench.control}/control/faults")
    talk("POST", f"{bench.control}/control/up")


def test_an_answer_names_its_operation(bench):
    body = bench.operation()
    (answer,) = bench.send(body)
    assert answer["operation"] == body["operation"]
    assert answer["status"] == "approved"
    assert answer["amount_minor"] == 1191


@pytest.mark.parametrize("fault", ["lose_answer", "drop"])
def test_a_lost_answer_was_done(bench, fault):
    bench.order(fault)
    body = bench.operation()
    (answer,) = bench.send(body, limit_s=0.5)
    assert isinstance(answer, NoAnswer)
    assert bench.found(body) == "approved"


def test_a_refused_connection_did_nothing_and_comes_back(bench):
    bench.order("refuse", delay_s=0.5)
    body = bench.operation()
    (answer,) = bench.send(body)
    assert isinstance(answer, NotSent)
    time.sleep(0.8)
    assert bench.found(body) == 404


def test_down_and_up(bench):
    talk("POST", f"{bench.control}/control/down", {})
    assert isinstance(bench.send(bench.operation())[0], NotSent)
    talk("POST", f"{bench.control}/control/up")
    assert bench.send(bench.operation())[0]["status"] == "approved"


def test_a_late_answer_comes_late(bench):
    bench.order("late_answer", delay_s=0.6)
    body = bench.operation()
    start = time.monotonic()
    (answer,) = bench.send(body, limit_s=5)
    assert time.monotonic() - start > 0.5
    assert answer["status"] == "approved"


def test_a_late_delivery_is_done_while_everybody_thinks_it_is_lost(bench):
    bench.order("late_delivery", delay_s=0.8)
    body = bench.operation()
    (answer,) = bench.send(body, limit_s=0.2)
    assert isinstance(answer, NoAnswer)
    assert bench.found(body) == 404
    time.sleep(1.0)
    assert bench.found(body) == "approved"


def test_a_second_answer_never_answers_the_next_request(bench):
    bench.order("answer_twice", times=3)
    bodies = [bench.operation() for _ in range(6)]
    for body, answer in zip(bodies, bench.send(*bodies), strict=True):
        assert isinstance(answer, TransportError) or answer["operation"] == body["operation"]


def test_garbage_was_done(bench):
    bench.order("garbage")
    body = bench.operation()
    (answer,) = bench.send(body)
    assert isinstance(answer, UnicodeDecodeError | ValueError)
    assert bench.found(body) == "approved"


def test_a_wrong_amount_is_told(bench):
    bench.order("wrong_amount")
    (answer,) = bench.send(bench.operation())
    assert answer["amount_minor"] == 1_001_191


def test_a_pending_operation_is_decided_when_told(bench):
    bench.order("pending", delay_s=0)
    body = bench.operation()
    assert bench.send(body)[0]["status"] == "pending"
    address = f"{bench.control}/control/pending/{body['operation']}"
    assert talk("POST", address, {"code": "51"})[1]["status"] == "declined"
    assert bench.found(body) == "declined"
    assert talk("POST", address, {})[0] == 404


def test_a_pending_operation_is_decided_in_time(bench):
    bench.order("pending", delay_s=0.3)
    body = bench.operation()
    assert bench.send(body)[0]["status"] == "pending"
    time.sleep(0.6)
    assert bench.found(body) == "approved"


def test_faults_are_chosen_by_verb_skipped_and_counted(bench):
    bench.order("drop", verb="refund", times=2, skip=1)
    assert bench.send(bench.operation())[0]["status"] == "approved"
    rules = talk("GET", f"{bench.control}/control/faults")[1]["rules"]
    assert [(rule["times"], rule["skip"]) for rule in rules] == [(2, 1)]
    assert talk("DELETE", f"{bench.control}/control/faults")[1]["rules"] == []


def test_a_request_may_ask_for_its_own_trouble(bench):
    assert isinstance(bench.send(bench.operation(fault="drop"))[0], NoAnswer)
    assert bench.send(bench.operation(fault="nonsense"))[0]["status"] == "approved"


def test_the_book_can_be_read_and_accounts_limited(bench):
    body = bench.operation(card={"number": "4000056655665556"}, amount_minor=70_000)
    bench.send(body)
    book = talk("GET", f"{bench.control}/control/book")[1]["movements"]
    mine = [movement for movement in book if movement["operation"] == body["operation"]]
    assert mine[0]["taken_minor"] == 70_000
    assert mine[0]["account"] == "visa-debit"
    another = {**body, "operation": "x2", "payment": "x2"}
    assert bench.send(another)[0]["code"] == "51"
    address = f"{bench.control}/control/accounts/visa-debit/EUR"
    assert talk("PUT", address, {"limit_minor": None})[1]["available_minor"] is None
    again = {**body, "operation": "x3", "payment": "x3"}
    assert bench.send(again)[0]["code"] == "00"
    accounts = talk("GET", f"{bench.control}/control/accounts")[1]["accounts"]
    assert any(account["name"] == "visa-debit" for account in accounts)


@pytest.mark.parametrize(
    ("path", "body", "method"),
    [
        ("/control/faults", b"{", "POST"),
        ("/control/faults", {"fault": "explode"}, "POST"),
        ("/control/faults", {"fault": "drop", "extra": 1}, "POST"),
        ("/control/book?after=x", None, "GET"),
        ("/control/accounts/visa/EUR", {"limit_minor": "much"}, "PUT"),
        ("/control/down", b"[]", "POST"),
    ],
)
def test_what_cannot_be_steered_is_told(bench, path, body, method):
    status, told, _ = talk(method, bench.control + path, body)
    assert status == 400
    assert told["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"verb":"steal"}'])
def test_what_the_network_cannot_read_is_refused(bench, body):
    status, told, _ = talk("POST", f"{bench.network}/v1/operations", body)
    assert (status, told["code"]) == (400, "30")


def test_the_book_survives_a_kill(tmp_path):
    with sandbox(tmp_path) as process:
        bench = Bench(process)
        body = bench.operation()
        assert bench.send(body)[0]["status"] == "approved"
        process.kill()
    with sandbox(tmp_path) as process:
        bench = Bench(process)
        assert bench.found(body) == "approved"
        again = bench.send(body)[0]
        assert again["status"] == "approved"
        book = talk("GET", f"{bench.control}/control/book")[1]["movements"]
        assert len(book) == 1
        assert process.stop() == 0


def test_a_hold_lasts_as_long_as_the_network_says(tmp_path):
    with sandbox(tmp_path, "--hold", "1") as process:
        bench = Bench(process)
        held = bench.operation(verb="authorize")
        assert bench.send(held)[0]["status"] == "approved"
        capture = {**bench.operation(verb="capture"), "payment": held["payment"]}
        time.sleep(1.1)
        assert bench.send(capture)[0]["code"] == "12"


def test_a_network_that_cannot_be_asked_says_so(tmp_path):
    with sandbox(tmp_path, "--no-inquiry") as process:
        bench = Bench(process)
        body = bench.operation()
        bench.send(body)
        assert bench.found(body) == 501
