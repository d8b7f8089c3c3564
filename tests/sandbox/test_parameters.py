"""Terminals fetch their parameters: the defaults, what was set for all, or for one of them."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from tests.processes import sandbox, talk
from tests.sandbox.world import World, post
from tollbridge.cli.main import main
from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.wpi.profile import profile
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.sandbox import parameters
from tollbridge.sandbox.faults import Fault, Faults, Rule
from tollbridge.sandbox.line import Line
from tollbridge.sandbox.parameters import BYTES_MAX, DEFAULTS
from tollbridge.sandbox.service import GARBAGE, Service
from tollbridge.wire.http import Request

KINDS = tuple(DEFAULTS)


def ask(kind, query="?terminal=T1", method="GET"):
    return Request(method, f"http://network/v1/parameters/{kind}{query}")


def fetched(world, kind, query="?terminal=T1"):
    return world.handle(ask(kind, query))


def put(world, kind, terminal, tables):
    world.book.set_parameters(
        kind, terminal, None if tables is None else json.dumps(tables).encode()
    )
    world.book.commit()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("query", ["", "?", "?terminal=", "?terminal=T1", "?x=1&terminal=T%201"])
def test_without_anything_set_every_terminal_gets_the_defaults(kind, query):
    assert fetched(World(), kind, query) == DEFAULTS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_settings_of_a_terminal(kind):
    made = profile(DEFAULTS[kind])
    assert made.acquirers[0].id == "SANDBOX"
    assert set(made.dcc.rates if made.dcc else ()) in (set(), {"USD", "GBP", "CHF", "PLN", "JPY"})


def test_a_terminal_gets_what_is_set_for_it_else_for_all_and_no_mixture():
    world = World()
    put(world, "payment", "", {"tip": {"percents": [5]}})
    put(world, "payment", "T2", {"currencies": ["CHF"]})
    assert fetched(world, "payment") == {"tip": {"percents": [5]}}
    assert fetched(world, "payment", "?terminal=T2") == {"currencies": ["CHF"]}
    assert fetched(world, "payment", "") == {"tip": {"percents": [5]}}
    assert fetched(world, "acquirer", "?terminal=T2") == DEFAULTS["acquirer"]
    put(world, "payment", "", None)
    assert fetched(world, "payment") == DEFAULTS["payment"]
    assert fetched(world, "payment", "?terminal=T2") == {"currencies": ["CHF"]}
    put(world, "payment", "T2", {})
    assert fetched(world, "payment", "?terminal=T2") == {}


@pytest.mark.parametrize("name", ["T'; --", "é 1", "%", "T&1=2"])
def test_a_terminal_may_have_any_name(name):
    world = World()
    put(world, "acquirer", name, {"brands": ["Visa"]})
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())
    assert fetched(world, "acquirer", f"?terminal={quoted}") == {"brands": ["Visa"]}


@pytest.mark.parametrize(
    "request_",
    [
        ask("tips"),
        ask(""),
        ask("payment/more"),
        ask("payment", method="POST"),
        ask("payment", method="PUT"),
    ],
    ids=lambda request: f"{request.method} {request.url}",
)
def test_nothing_else_is_answered(request_):
    assert World().handle(request_)["http"] == 404


def test_what_was_set_survives_a_restart(tmp_path):
    world = World(tmp_path / "book.sqlite")
    put(world, "acquirer", "T1", {"brands": ["Visa"]})
    world.book.set_parameters("acquirer", "T1", b'{"brands":[]}')
    world.reopen()
    assert fetched(world, "acquirer") == {"brands": ["Visa"]}
    assert [entry[:2] for entry in world.book.all_parameters()] == [("acquirer", "T1")]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"1", b'{"a":', b'{"a":NaN}', b'{"a":' + b"[" * 20_000, b"\xff",
     b'{"a":"' + b"x" * BYTES_MAX + b'"}'],
    ids=lambda body: repr(body[:8]),
)  # fmt: skip
def test_only_an_object_of_json_can_be_set(body):
    with pytest.raises(ValueError):  # noqa: PT011 - also DecodeError, which is one
        parameters.read(body)


# Faults


def over_the_line(*rules, down=False, request=None):
    async def main():
        service = Service(World().network, Faults(rules))
        service.faults.down = down
        line = Line(service)
        try:
            answer = await line.send(request or ask("payment"), 0.05)
            return answer.body if answer == GARBAGE else json.loads(answer.body)
        except (NotSent, NoAnswer) as error:
            return type(error)
        finally:
            await line.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "came"),
    [
        (Fault.REFUSE, NotSent),
        (Fault.LOSE_ANSWER, NoAnswer),
        (Fault.DROP, NoAnswer),
        (Fault.LATE_DELIVERY, NoAnswer),
        (Fault.GARBAGE, GARBAGE.body),
        (Fault.ANSWER_TWICE, DEFAULTS["payment"]),
        (Fault.PENDING, DEFAULTS["payment"]),
    ],
)
def test_trouble_can_be_ordered_for_parameters(fault, came):
    rule = Rule(fault, what="parameters", delay_s=60)
    assert over_the_line(rule) == came
    assert over_the_line(Rule(fault, what="inquiry")) == DEFAULTS["payment"]
    assert over_the_line(Rule(fault, verb="purchase")) == DEFAULTS["payment"]
    order = World().order("purchase", 100)
    assert over_the_line(rule, request=post("operations", **order))["code"] == "00"


def test_any_trouble_is_also_about_parameters():
    assert over_the_line(Rule(Fault.DROP)) is NoAnswer
    assert over_the_line(down=True) is NotSent


# Over sockets and the command line


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    with sandbox(tmp_path_factory.mktemp("parameters")) as process:
        port = talk("GET", f"{process.url}/health")[1]["port"]
        process.network = f"http://127.0.0.1:{port}/v1/parameters"
        process.control = f"{process.url}/control/parameters"
        yield process


@pytest.fixture
def run(process, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLLBRIDGE_SANDBOX_CONTROL", process.url)

    def run(*words, code=0):
        result = CliRunner().invoke(main, ["sandbox", *words])
        assert result.exit_code == code, result.output
        return result.output

    yield run
    talk("DELETE", f"{process.url}/control/faults")
    for entry in talk("GET", process.control)[1]["parameters"]:
        talk("DELETE", f"{process.control}/{entry['kind']}?terminal={entry['terminal']}")


def test_parameters_are_set_over_the_control_api(process, run):
    tables = {"limits": {"default": {"floor_minor": 2500}}, "brands": ["Visa"]}
    assert talk("PUT", f"{process.control}/acquirer?terminal=T2", tables)[:2] == (200, tables)
    assert talk("GET", f"{process.network}/acquirer?terminal=T2")[:2] == (200, tables)
    assert talk("GET", f"{process.control}/acquirer?terminal=T2")[1] == tables
    assert talk("GET", f"{process.network}/acquirer?terminal=T1")[1] == DEFAULTS["acquirer"]
    assert talk("PUT", f"{process.control}/acquirer", {})[1] == {}
    assert talk("GET", f"{process.network}/acquirer?terminal=T1")[1] == {}
    assert talk("GET", process.control)[1]["parameters"] == [
        {"kind": "acquirer", "terminal": "", "tables": {}},
        {"kind": "acquirer", "terminal": "T2", "tables": tables},
    ]
    assert talk("DELETE", f"{process.control}/acquirer?terminal=T2")[1] == {}
    assert talk("DELETE", f"{process.control}/acquirer")[1] == DEFAULTS["acquirer"]
    assert talk("GET", process.control)[1] == {"parameters": []}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_kind_is_not_found(process, method):
    status, told, _ = talk(method, f"{process.control}/tips", {})
    assert (status, told) == (404, {"error": "the kinds of parameters are payment and acquirer"})
    assert talk("GET", f"{process.network}/tips")[0] == 404


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"a":' + b"[" * 20_000])
def test_what_is_no_table_is_not_set(process, body):
    assert talk("PUT", f"{process.control}/payment", body)[0] == 400
    assert talk("PUT", f"{process.control}/payment?terminal={'T' * 201}", {})[0] == 400
    assert talk("GET", process.control)[1] == {"parameters": []}


def test_parameters_are_refused_while_payments_are_not(process, run):
    assert "refuse: 1 x parameters" in run("fault", "refuse", "--what", "parameters")
    with pytest.raises(NoAnswer):
        talk("GET", f"{process.network}/payment")
    assert talk("GET", f"{process.network}/payment")[0] == 200
    run("fault", "garbage", "--what", "parameters")
    with pytest.raises(UnicodeDecodeError):
        talk("GET", f"{process.network}/payment")
    run("fault", "lose_answer", "--what", "parameters")
    with pytest.raises(NoAnswer):
        talk("GET", f"{process.network}/payment", limit_s=0.2)
    run("down")
    with pytest.raises(NotSent):
        talk("GET", f"{process.network}/payment")
    run("up")
    assert talk("GET", f"{process.network}/payment")[0] == 200


def test_parameters_are_set_from_files(process, run, tmp_path):
    (tmp_path / "all.toml").write_text('languages = ["fr"]\n[tip]\npercents = [5, 10]\n')
    (tmp_path / "one.json").write_text('{"password_tries": 5}')
    assert run("parameters", "set", "payment", "all.toml") == (
        "payment parameters of all terminals: set from all.toml\n"
    )
    assert "of T 2:" in run("parameters", "set", "payment", "one.json", "--terminal", "T 2")
    shown = {"languages": ["fr"], "tip": {"percents": [5, 10]}}
    assert json.loads(run("parameters", "show", "payment")) == shown
    assert talk("GET", f"{process.network}/payment?terminal=T1")[1] == shown
    assert json.loads(run("parameters", "show", "payment", "--terminal", "T 2")) == {
        "password_tries": 5
    }
    assert run("parameters", "clear", "payment", "--terminal", "T 2") == (
        "payment parameters of T 2: cleared\n"
    )
    assert json.loads(run("parameters", "show", "payment", "--terminal", "T 2")) == shown
    run("parameters", "clear", "payment")
    (tmp_path / "again.json").write_text(run("parameters", "show", "payment"))
    run("parameters", "set", "payment", "again.json")
    assert talk("GET", f"{process.network}/payment")[1] == DEFAULTS["payment"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", "languages = [", "a.toml: "),
        ("a.json", '{"a":', "a.json: "),
        ("b.json", "[1]", "Expected `object`"),
    ],
)
def test_a_file_without_tables_is_told(run, tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    assert told in run("parameters", "set", "payment", name, code=1)


def test_the_kinds_are_those_of_the_network(run):
    assert "'payment', 'acquirer'" in run("parameters", "show", "tips", code=2)
    assert KINDS == ("payment", "acquirer")


def test_parameters_survive_a_kill(tmp_path):
    with sandbox(tmp_path) as process:
        talk("PUT", f"{process.url}/control/parameters/payment", {"country": "CH"})
        process.kill()
    with sandbox(tmp_path) as process:
        told = talk("GET", f"{process.url}/control/parameters/payment?terminal=T1")[1]
        assert told == {"country": "CH"}


def test_one_line_carries_parameters_and_payments(process):
    """The connection is used again: nothing of the tables is left on it."""

    async def main():
        line, base = HttpTransport(), process.network.removesuffix("/parameters")
        answers = []
        for number in range(3):
            answers.append(await line.send(Request("GET", f"{base}/parameters/payment"), 2))
            order = World().order("purchase", 100, payment=f"line{number}")
            body = json.dumps(order).encode()
            answers.append(await line.send(Request("POST", f"{base}/operations", body=body), 2))
        await line.close()
        return [json.loads(answer.body) for answer in answers]

    tables, paid = DEFAULTS["payment"], "approved"
    answers = asyncio.run(main())
    assert answers[::2] == [tables] * 3
    assert [answer["status"] for answer in answers[1::2]] == [paid] * 3
