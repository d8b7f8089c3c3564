"""The terminals of `tollbridge serve`, as a process."""

import json
import stat
import time

import pytest

from tests.processes import server, talk
from tollbridge.cli.serve import plan, read_scenarios
from tollbridge.ground.errors import ConfigError
from tollbridge.terminal.desk import Desk

SCENARIOS = """
[[scenarios]]
person = "cancel"
times = 2

[[scenarios]]
terminal = "T1"
card = "unreadable"
"""
SALE = {"service": "WPI_SVC_PAYMENT", "request": {"currency": "EUR", "requestedAmount": 1191}}


def test_a_file_says_what_happens_first(tmp_path):
    (tmp_path / "scenarios.toml").write_text(SCENARIOS)
    with server(tmp_path, "--scenario", "scenarios.toml") as running:
        announced = running.log.read_text()
        assert f"terminal  {running.url}/terminal\n" in announced
        came = []
        for _ in range(4):
            status, answer, _ = talk("POST", f"{running.url}/terminal/T1/wpi", SALE, token="")
            assert status == 200
            came.append(json.loads(answer["WPI_RESPONSE"])["errorCondition"])
        begun = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begun < 5
    conditions = [each.removeprefix("WPI_ERR_COND_") for each in came]
    assert conditions == ["USER_CANCEL", "USER_CANCEL", "CARD_READ_ERR", "NONE"]


def test_the_key_of_the_device_lies_beside_the_journal(tmp_path):
    with server(tmp_path) as running:
        options = ["WPI_RECOGNITION_OPTION_RETURN_CUSTOMER_TOKEN"]
        wanted = {"recognitionOptions": options, "recognitionTimeout": 5000}
        asked = {"service": "WPI_SVC_PAYMENT_INSTRUMENT_RECOGNITION", "request": wanted}
        tokens = []
        for _ in range(2):
            _, answer, _ = talk("POST", f"{running.url}/terminal/T1/wpi", asked, token="")
            tokens.append(json.loads(answer["WPI_RESPONSE"])["token"])
        assert running.stop() == 0
    key = tmp_path / "journal.sqlite.device.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with server(tmp_path) as running:
        _, answer, _ = talk("POST", f"{running.url}/terminal/T1/wpi", asked, token="")
        assert {json.loads(answer["WPI_RESPONSE"])["token"], *tokens} == {tokens[0]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[", "scenarios.toml"),
        ("x = 1", "[[scenarios]] is expected"),
        ("scenarios = 1", "[[scenarios]] is expected"),
        ("[[scenarios]]\ncard = 'eaten'\n[[scenarios]]\nfoo = 1", "scenario 2: "),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path, text, says):
    file = tmp_path / "scenarios.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_scenarios(file)
    assert says in str(refused.value)


def test_a_scenario_for_nobody_is_refused(tmp_path):
    file = tmp_path / "scenarios.toml"
    file.write_text(SCENARIOS)
    with pytest.raises(ConfigError, match="no terminal"):
        plan(Desk({}), read_scenarios(file), file)
