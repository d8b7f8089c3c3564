"""The JSON API over real sockets: what it answers, also to what nobody should send."""

import asyncio
import json
import stat
from contextlib import suppress

import msgspec
import pytest
from openapi_spec_validator import validate

from tests.processes import TOKEN, call, server, talk
from tollbridge.engine.transport import HttpTransport
from tollbridge.wire.http import Headers, Request

CARD = {"number": "4242424242424242"}
TEN = {"minor": 1000, "currency": "EUR"}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with server(tmp_path_factory.mktemp("api")) as running:
        yield running.url


@pytest.fixture
def key(request):
    return request.node.name


def pay(url, key, **more):
    return talk("POST", f"{url}/v1/payments", {"amount": TEN, "card": CARD, **more}, key=key)


def test_a_payment_is_made_shown_listed_refunded_and_voided(url, key):
    status, made, _ = pay(url, key, reference="order 7")
    assert status == 201
    assert made["status"] == "captured"
    assert made["captured_minor"] == 1000
    operation = made["operations"][0]
    assert operation["state"] == "approved"
    assert operation["instrument"] == {
        "brand": "Visa",
        "masked_number": "424242******4242",
        "entry": "online",
    }
    address = f"{url}/v1/payments/{made['id']}"
    assert talk("GET", address)[1] == made
    listed = talk("GET", f"{url}/v1/payments?limit=1")[1]
    assert [payment["id"] for payment in listed["payments"]] == [made["id"]]
    found = talk("GET", f"{url}/v1/payments?key={key}")[1]["payments"]
    assert [payment["id"] for payment in found] == [made["id"]]
    some = {"verb": "refund", "amount": {"minor": 400, "currency": "EUR"}}
    status, part, _ = talk("POST", f"{address}/operations", some, key=f"{key} 2")
    assert (status, part["status"]) == (201, "partially refunded")
    status, error, _ = talk("POST", f"{address}/operations", {"verb": "void"}, key=f"{key} 3")
    assert (status, error["error"]["code"]) == (409, "illegal_operation")
    status, whole, _ = talk("POST", f"{address}/operations", {"verb": "refund"}, key=f"{key} 4")
    assert (status, whole["status"]) == (201, "refunded")


def test_authorize_increment_capture_void_and_a_token(url, key):
    _, made, _ = pay(url, key, verb="authorize")
    address = f"{url}/v1/payments/{made['id']}/operations"
    steps = [
        ({"verb": "increment", "amount": TEN}, "authorized"),
        ({"verb": "capture", "amount": TEN, "final_capture": False}, "partially captured"),
        ({"verb": "capture"}, "captured"),
        ({"verb": "void", "target": 4}, "partially captured"),
    ]
    for number, (body, status) in enumerate(steps):
        shown = talk("POST", address, body, key=f"{key} {number}")[1]
        assert shown["status"] == status, body
    _, stored, _ = talk(
        "POST", f"{url}/v1/payments", {"verb": "store", "card": CARD}, key=f"{key} store"
    )
    token = stored["operations"][0]["outcome"]["details"]["token"]
    paid = {"amount": TEN, "token": token}
    status, made, _ = talk("POST", f"{url}/v1/payments", paid, key=f"{key} token")
    assert (status, made["status"]) == (201, "captured")


def test_asking_again_finds_the_same_payment_and_says_so(url, key):
    _, first, headers = pay(url, key)
    assert "idempotent-replayed" not in headers
    status, again, headers = pay(url, key)
    assert (status, again["id"]) == (200, first["id"])
    assert headers["idempotent-replayed"] == "true"
    status, error, _ = pay(url, key, reference="something else")
    assert (status, error["error"]["code"]) == (422, "idempotency_conflict")


def test_a_decline_is_an_answer(url, key):
    status, made, _ = pay(url, key, amount={"minor": 4251, "currency": "EUR"})
    assert status == 201
    assert made["status"] == "declined"
    outcome = made["operations"][0]["outcome"]
    assert outcome["decline_code"] == "insufficient_funds"
    assert outcome["provider_code"] == "51"


@pytest.mark.parametrize(
    ("fault", "state", "status"),
    [("drop", "dispatched", 202), ("refuse", "unsent", 201), ("pending:60", "pending", 202)],
)
def test_an_outcome_that_is_not_known_is_told_as_that(url, key, fault, state, status):
    answered, made, _ = pay(url, key, details={"sandbox.fault": fault})
    assert answered == status
    assert made["operations"][0]["state"] == state


def test_recovery_learns_what_was_lost(url, key):
    _, made, _ = pay(url, key, details={"sandbox.fault": "drop"})
    unfinished = talk("GET", f"{url}/v1/unfinished")[1]["payments"]
    assert made["id"] in [payment["id"] for payment in unfinished]
    talk("POST", f"{url}/v1/recover")
    assert talk("GET", f"{url}/v1/payments/{made['id']}")[1]["status"] == "captured"


def test_a_person_closes_what_nobody_can_tell(url, key):
    _, made, _ = pay(url, key, details={"sandbox.fault": "pending:0"})
    operation = made["operations"][0]["id"]
    body = {"outcome": "unsent", "evidence": "the provider's statement of 1 March"}
    address = f"{url}/v1/operations/{operation}/close"
    status, closed, _ = talk("POST", address, body)
    assert (status, closed["status"]) == (200, "unsent")
    assert talk("POST", address, body)[0] == 409
    assert talk("POST", f"{url}/v1/operations/nothing/close", body)[0] == 404
    facts = [
        fact
        for entry in talk("GET", f"{url}/v1/facts?limit=1000")[1]["entries"]
        for fact in entry["facts"]
        if entry["payment"] == made["id"]
    ]
    assert facts[-2]["topic"] == "evidence"


BAD = [
    (b"", 400),
    (b"{", 400),
    (b"[]", 400),
    (b"null", 400),
    (b"\xff\xfe", 400),
    (b'{"amount": 5, "card": {"number": "4242424242424242"}}', 400),
    (b'{"amount": {"minor": 1.5, "currency": "EUR"}, "token": "t"}', 400),
    (b'{"amount": {"minor": true, "currency": "EUR"}, "token": "t"}', 400),
    (b'{"amount": {"minor": "1000", "currency": "EUR"}, "token": "t"}', 400),
    (b'{"amount": {"minor": 1000, "currency": "EURO"}, "token": "t"}', 400),
    (b'{"amount": {"minor": 1000, "currency": "EUR"}, "token": "t", "extra": 1}', 400),
    (b'{"amount": {"minor": 1000, "currency": "EUR"}}', 400),
    (b'{"amount": {"minor": 1, "currency": "EUR"}, "card": {"number": "4111"}}', 400),
    (b'{"verb": "steal", "token": "t"}', 400),
    (b'{"verb": "refund", "token": "t"}', 409),
    (b'{"amount": {"minor": 0, "currency": "EUR"}, "token": "t"}', 422),
    (b'{"amount": {"minor": -5, "currency": "EUR"}, "token": "t"}', 422),
    (b'{"amount": {"minor": 1000, "currency": "XXX"}, "token": "t"}', 422),
    (b'{"amount": {"minor": 1000, "currency": "QQQ"}, "token": "t"}', 422),
    (b'{"amount": {"minor": 1000, "currency": "BGN"}, "token": "t"}', 422),
    (b'{"amount": {"minor": 10000000000000000000, "currency": "EUR"}, "token": "t"}', 422),
    (b'{"amount": {"minor": 1000000000000001, "currency": "EUR"}, "token": "t"}', 422),
    (b'{"verb": "verify", "amount": {"minor": 1, "currency": "EUR"}, "token": "t"}', 409),
    (b'{"amount": {"minor": 1, "currency": "EUR"}, "token": "t", "bridge": "none"}', 422),
    (b'{"token": "' + b"t" * 20_000 + b'"}', 413),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, 413),
    (b'{"a":' * 2000 + b"1" + b"}" * 2000, 400),
]


@pytest.mark.parametrize(("body", "status"), BAD)
def test_what_nobody_should_send_is_refused_and_moves_nothing(url, key, body, status):
    before = talk("GET", f"{url}/health")[1]["journal_head"]
    answered, error, _ = talk("POST", f"{url}/v1/payments", body, key=f"bad {hash(body)}")
    assert answered == status, error
    assert error["error"]["message"]
    assert talk("GET", f"{url}/health")[1]["journal_head"] == before


@pytest.mark.parametrize("given", ["", "x" * 256])
def test_a_call_that_moves_money_needs_a_key(url, given):
    status, error, _ = talk("POST", f"{url}/v1/payments", {"amount": TEN, "card": CARD}, key=given)
    assert status == 400
    assert "Idempotency-Key" in error["error"]["message"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1]])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/payments"),
        ("GET", "/v1/payments"),
        ("GET", "/v1/facts"),
        ("POST", "/v1/recover"),
        ("GET", "/v1/describe"),
        ("POST", "/wpi/com.worldline.payment.action.PROCESS_TRANSACTION"),
    ],
)
def test_without_the_credential_nothing_is_done_or_told(url, method, path, token):
    body = {"amount": TEN, "card": CARD} if method == "POST" else None
    for _ in range(3):  # recovery may write meanwhile, but not each time
        before = talk("GET", f"{url}/health")[1]["journal_head"]
        assert talk(method, url + path, body, key="k", token=token)[0] == 401
        if talk("GET", f"{url}/health")[1]["journal_head"] == before:
            return
    raise AssertionError("something was written each time")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/payments/nothing", 404),
        ("GET", "/v1/payments/00000000000000000000000000", 404),
        ("GET", "/v1/payments/../../etc/passwd", 404),
        ("POST", "/v1/payments/00000000000000000000000000/operations", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/v1/payments", 405),
        ("GET", "/v1/payments?limit=x", 400),
        ("GET", "/v1/facts?after=-1", 400),
        ("GET", "/v1/payments?before=%FF%00", 200),
        ("POST", "/bridges/nothing/notice", 422),
        ("POST", "/bridges/sandbox/notice", 400),
    ],
)
def test_what_is_not_there_is_told_in_one_shape(url, key, method, path, status):
    body = {"verb": "refund"} if method == "POST" else None
    answered, shown, _ = talk(method, url + path, body, key=key)
    assert answered == status
    if status >= 400:
        assert set(shown["error"]) == {"code", "message"}


def test_a_notice_decides_what_was_pending(url, key):
    _, made, _ = pay(url, key, details={"sandbox.fault": "pending:0.3"})
    assert made["operations"][0]["state"] == "pending"

    async def main():
        line = HttpTransport()
        for _ in range(50):
            await asyncio.sleep(0.1)
            _, shown, _ = await call(line, "GET", f"{url}/v1/payments/{made['id']}")
            if shown["status"] == "captured":
                break
        await line.close()
        return shown["status"]

    assert asyncio.run(main()) == "captured"


def test_the_document_is_openapi_and_names_every_call(url):
    document = talk("GET", f"{url}/openapi.json", token="")[1]
    validate(document)
    calls = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert ("POST", "/v1/payments") in calls
    assert ("POST", "/v1/payments/{payment}/operations") in calls


def test_health_needs_no_credential(url):
    status, health, _ = talk("GET", f"{url}/health", token="")
    assert (status, health["status"]) == (200, "ok")


def test_what_is_installed_is_described(url):
    described = talk("GET", f"{url}/v1/describe")[1]
    assert described["bridges"][0]["name"] == "sandbox"
    paths = described["faces"][0]["paths"]
    assert {"/wpi/{intent}", "/wpi/messenger"} <= set(paths)


def test_balances_sum_to_zero(url, key):
    pay(url, key)
    balances = talk("GET", f"{url}/v1/balances")[1]["balances"]
    by_currency = {}
    for balance in balances:
        code = balance["currency"]
        by_currency[code] = by_currency.get(code, 0) + balance["amount_minor"]
    assert set(by_currency.values()) == {0}
    assert balances


def test_many_at_once_are_all_answered_once(url):
    async def main():
        line = HttpTransport()
        body = {"amount": TEN, "card": CARD}
        calls = (
            call(line, "POST", f"{url}/v1/payments", body, key=f"many {number % 40}")
            for number in range(200)
        )
        answers = await asyncio.gather(*calls)
        await line.close()
        return {shown["id"] for _, shown, _ in answers}, {status for status, _, _ in answers}

    names, statuses = asyncio.run(main())
    assert len(names) == 40
    assert statuses <= {200, 201}


def test_a_client_that_leaves_does_not_stop_a_payment(url, key):
    async def main():
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps(
            {"amount": TEN, "card": CARD, "details": {"sandbox.fault": "late_answer:0.5"}}
        ).encode()
        head = f"POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        head += f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(1.0)

    asyncio.run(main())
    found = talk("GET", f"{url}/v1/payments?key={key}")[1]["payments"]
    assert [payment["status"] for payment in found] == ["captured"]


def test_requests_in_pieces_and_rubbish_on_the_socket_do_no_harm(url, key):
    async def main():
        host, port = url.removeprefix("http://").split(":")
        foreign = "GET /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer é\r\n\r\n"
        for data in (
            b"\x00" * 100,
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /v1/payments HTTP/1.1\r\n",
            foreign.encode(),
        ):
            _, writer = await asyncio.open_connection(host, int(port))
            with suppress(ConnectionError):
                for place in range(0, len(data), 7):
                    writer.write(data[place : place + 7])
                    await writer.drain()
            writer.close()

    asyncio.run(main())
    assert pay(url, key)[0] == 201


def test_the_wpi_endpoint_bounds_what_it_reads(url):
    async def main():
        line = HttpTransport()
        fields = Headers([("authorization", f"Bearer {TOKEN}"), ("wpi-package", "com.example.a")])
        intent = "com.worldline.payment.action.PROCESS_TRANSACTION"
        answer = await line.send(
            Request("POST", f"{url}/wpi/{intent}", fields, b"{" + b" " * 70_000), 10
        )
        await line.close()
        return answer.status, msgspec.json.decode(answer.body)

    status, extras = asyncio.run(main())
    assert status == 413
    assert "WPI_ERR_COND_INVALID_TRANSACTION_REQ" in extras["WPI_RESPONSE"]


def test_a_token_is_made_kept_private_and_shown_once(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.processes.TOKEN", "")
    with server(tmp_path) as running:
        text = running.log.read_text()
        token = (tmp_path / "journal.sqlite.token").read_text().strip()
        assert token in text
        assert talk("GET", f"{running.url}/v1/payments", token=token)[0] == 200
        running.stop()
        for file in ("journal.sqlite", "journal.sqlite.token", "journal.sandbox.sqlite"):
            assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600, file
    with server(tmp_path) as running:
        assert running.log.read_text().count(token) == 1
        assert running.stop() == 0


def test_a_second_server_on_the_same_journal_is_refused_clearly(tmp_path):
    with server(tmp_path) as first:
        second = server(tmp_path, name="second")
        with pytest.raises(AssertionError):
            second.start()
        text = second.log.read_text()
        assert f"process {first.process.pid}" in text
        assert "Traceback" not in text
        assert talk("GET", f"{first.url}/health")[0] == 200
