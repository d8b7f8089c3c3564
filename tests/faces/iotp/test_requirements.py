"""Every requirement of the trading protocol is named by a test that proves it."""

import importlib
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
REQUIREMENTS = TESTS / "vectors" / "iotp" / "requirements.txt"
ROOMS = ("faces/iotp", "trading", "wire", "cli", "server")
"""Where trading is tested."""


def named_in(module):
    """Give the ids that a module's tests are marked with, those of single cases, too."""
    for name, test in vars(module).items():
        if name.startswith(("test_", "Test")):
            for mark in _marks(test):
                if mark.name == "req":
                    yield from mark.args


def _marks(test):
    for mark in getattr(test, "pytestmark", ()):
        yield mark
        if mark.name == "parametrize":
            for case in mark.args[1]:
                for own in getattr(case, "marks", ()):
                    yield getattr(own, "mark", own)


def named():
    found = set()
    for room in ROOMS:
        for file in (TESTS / room).rglob("test_*.py"):
            parts = file.relative_to(TESTS.parent).with_suffix("").parts
            found |= set(named_in(importlib.import_module(".".join(parts))))
    return found


def test_every_requirement_is_named_by_a_test():
    listed = REQUIREMENTS.read_text().split()
    assert listed == [f"I-{number:03}" for number in range(1, 285)] + [
        f"IX-{number:03}" for number in range(1, 263)
    ]
    found = named()
    missing = [requirement for requirement in listed if requirement not in found]
    assert missing == [], f"no test names {', '.join(missing)}"
    # What is named is a requirement: a slip of the pen proves nothing.
    assert {one for one in found if one.startswith(("I-", "IX-"))} <= set(listed)


def test_marks_of_tests_and_of_their_cases_are_found():
    class Module:
        pass

    @pytest.mark.req("I-001")
    @pytest.mark.parametrize("case", [1, pytest.param(2, marks=pytest.mark.req("I-002"))])
    def test_it(case):
        del case

    @pytest.mark.req("I-003")
    def helper():
        pass

    Module.test_it, Module.helper = test_it, helper
    assert sorted(named_in(Module)) == ["I-001", "I-002"]
