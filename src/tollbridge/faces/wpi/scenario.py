"""What shall happen in an exchange, whoever is at the terminal: for simulators only.

A scenario comes from the device (a file, the API or the mouse) or from the amount. The amounts are
those of WPI's own test environment (42.XX) and our own (43.XX, 44.XX), in minor units whatever the
currency's exponent; docs/reference/wpi-scenarios.md lists them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from tollbridge.faces.wpi.tables import Condition
from tollbridge.ground.errors import ConfigError

CHOICES: Mapping[str, tuple[str, ...]] = {
    "card": ("unreadable", "removed", "insert", "fallback", "select", "stays", "not_accepted",
             "qr"),
    "person": ("cancel", "timeout", "abort"),
    "at": ("card", "pin", "tip", "currency", "application", "password", "sign"),
    "verification": ("signature", "online_pin", "offline_pin", "none", "device", "identification"),
    "offline": ("approved", "declined", "refused_later"),
    "currency": ("foreign", "local"),
    "printer": ("paper_empty", "defect"),
    "secure": ("encryption", "key"),
    "recovery": ("answer_lost", "dies_before", "dies_after", "answered_twice", "error_answer",
                 "result_canceled"),
}  # fmt: skip
"""The words each of these may have; "" is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is dictated; what is empty happens as it would.

    `condition` is an error raised at its natural moment. `card` is what the card does, `person`
    what the cardholder does instead of answering, `at` which question ("card" when empty).
    `verification` is the method used, `pins` what is entered, "right" or "wrong" each. `code` is
    the host's response code, `fault` what goes wrong on the way to it and for how long
    ("late_answer:10"), as `sandbox/faults.py` names them. `tip` is "10%" or minor units.
    """

    condition: Condition | None = None
    card: str = ""
    person: str = ""
    at: str = ""
    verification: str = ""
    pins: tuple[str, ...] = ()
    code: str = ""
    fault: str = ""
    offline: str = ""
    currency: str = ""
    tip: str = ""
    printer: str = ""
    secure: str = ""
    recovery: str = ""


NOTHING = Scenario()
_TIP = re.compile(r"\d{1,12}|\d{1,3}%", re.ASCII)


def read(tables: Mapping[str, Any]) -> Scenario:
    """Read a scenario from JSON or TOML. Raises ConfigError listing all that is wrong."""
    problems, values = [], dict(tables)
    for name, value in tables.items():
        if name not in _NAMES:
            problems.append(f"{name}: there is no such word; there are: {', '.join(_NAMES)}")
        elif name == "condition":
            values[name] = _condition(value, problems)
        elif name == "pins":
            values[name] = _pins(value, problems)
        elif not isinstance(value, str):
            problems.append(f"{name}: a text is expected")
        elif name == "tip" and value and not _TIP.fullmatch(value):
            problems.append('tip: "10%" or minor units')
        elif value and value not in CHOICES.get(name, (value,)):
            problems.append(f"{name}: one of {', '.join(CHOICES[name])}")
    if problems:
        raise ConfigError(problems)
    return Scenario(**values)


def written(scenario: Scenario) -> dict[str, Any]:
    """Give a scenario as JSON, without what is empty."""
    found = {name: getattr(scenario, name) for name in _NAMES}
    return {name: value for name, value in found.items() if value not in ("", None, ())}


def of_amount(amount_minor: int) -> Scenario:
    """Give the scenario an amount stands for; NOTHING for an ordinary amount."""
    return AMOUNTS.get(amount_minor, NOTHING)


_NAMES = tuple(item.name for item in fields(Scenario))


def _condition(value: object, problems: list[str]) -> Condition | None:
    name = str(value).removeprefix("WPI_ERR_COND_")
    if name in Condition.__members__:
        return Condition[name]
    problems.append(f"condition: {name!r:.40} is not an error condition (4.1.2.3)")
    return None


def _pins(value: object, problems: list[str]) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(item in ("right", "wrong") for item in value):
        return tuple(value)
    problems.append('pins: a list of "right" and "wrong" is expected')
    return ()


def _of_conditions() -> dict[int, Scenario]:
    """43.01 to 43.24: the error conditions in the order of the standard's table."""
    found = {
        4300 + place: Scenario(condition=condition)
        for place, condition in enumerate(Condition, start=1)
    }
    return found | {4301: NOTHING}


AMOUNTS: Mapping[int, Scenario] = {
    # 42.XX is the host's business: the card network reads the amount itself.
    **_of_conditions(),
    4401: Scenario(verification="signature"),
    4402: Scenario(verification="online_pin"),
    4403: Scenario(verification="offline_pin"),
    4404: Scenario(verification="none"),
    4405: Scenario(verification="device"),
    4406: Scenario(verification="identification"),
    4407: Scenario(verification="offline_pin", pins=("wrong", "right")),
    4408: Scenario(verification="offline_pin", pins=("wrong", "wrong", "wrong")),
    4411: Scenario(card="insert"),
    4412: Scenario(card="fallback"),
    4413: Scenario(card="select"),
    4414: Scenario(card="stays"),
    4415: Scenario(card="removed"),
    4421: Scenario(offline="approved"),
    4422: Scenario(offline="declined"),
    4423: Scenario(offline="refused_later"),
    4431: Scenario(currency="foreign"),
    4432: Scenario(currency="local"),
    4441: Scenario(tip="10%"),
    4442: Scenario(tip="0"),
    4451: Scenario(card="qr"),
    **{4460 + n: Scenario(fault=f"pending:{n * 10}") for n in range(1, 10)},
    4471: Scenario(recovery="answer_lost"),
    4472: Scenario(recovery="dies_before"),
    4473: Scenario(recovery="dies_after"),
    4474: Scenario(recovery="answered_twice"),
    4475: Scenario(recovery="error_answer"),
    4476: Scenario(recovery="result_canceled"),
    4481: Scenario(printer="paper_empty"),
    4482: Scenario(printer="defect"),
}


NATURAL: Mapping[Condition, Scenario] = {
    Condition.ABORTED: Scenario(person="abort"),
    Condition.CARD_READ_ERR: Scenario(card="unreadable"),
    Condition.USER_CANCEL: Scenario(person="cancel"),
    Condition.USER_TIMEOUT: Scenario(person="timeout"),
    Condition.HOST_REFUSAL: Scenario(code="05"),
    Condition.NETWORK_ISSUE: Scenario(fault="refuse"),
    # A lost answer is asked after and found; a host that has not decided yet says so.
    Condition.TRANSACTION_TIMEOUT: Scenario(fault="pending:300"),
    Condition.ENCRYPTION_ISSUE: Scenario(secure="encryption"),
    Condition.INVALID_KEY: Scenario(secure="key"),
    Condition.APP_NOT_SUPPORTED: Scenario(card="not_accepted"),
}
"""The conditions that come about by themselves once this happens."""


def merged(device: Scenario | None, amount_minor: int | None) -> Scenario:
    """Give the scenario that holds: the device's, or else the amount's; an error condition that
    has a natural cause becomes that cause."""
    wanted = device or (of_amount(amount_minor) if amount_minor is not None else NOTHING)
    cause = NATURAL.get(wanted.condition) if wanted.condition else None
    if cause is None:
        return wanted
    found = {name: value for name in _NAMES if (value := getattr(cause, name))}
    return replace(wanted, **found)
