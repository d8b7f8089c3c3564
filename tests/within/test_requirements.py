"""Every requirement of the Within standard is named by a test that proves it."""

import ast
import contextlib
from pathlib import Path

TESTS = Path(__file__).parents[1]
REQUIREMENTS = TESTS / "vectors" / "within" / "requirements.txt"


def named_by(source):
    """Give the ids that the tests of a file are marked with, without running the file."""
    tree = ast.parse(source)
    constants = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            with contextlib.suppress(ValueError):  # what is computed is no list of ids
                constants[statement.targets[0].id] = ast.literal_eval(statement.value)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith(("test_", "Test")):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.req":
                    for argument in mark.args:
                        with contextlib.suppress(NameError):  # computed, so not counted
                            yield from eval(f"[{ast.unparse(argument)}]", constants)


def test_every_requirement_is_named_by_a_test():
    named = {
        requirement
        for file in TESTS.rglob("test_*.py")
        for requirement in named_by(file.read_text("utf-8"))
    }
    listed = REQUIREMENTS.read_text().split()
    assert listed == [f"W-{number:03}" for number in range(1, 242)]
    assert [requirement for requirement in listed if requirement not in named] == []
    # What is named is a requirement: a slip of the pen proves nothing.
    assert {one for one in named if one.startswith("W-")} <= set(listed)


def test_names_are_found_where_pytest_finds_them():
    source = """
ALL = ("W-001", "W-002")
@pytest.mark.req("W-003", *ALL[1:])
def test_it(): ...
@pytest.mark.req("W-004")
class TestIt: ...
@pytest.mark.req("W-005")
def helper(): ...
"""
    assert sorted(named_by(source)) == ["W-002", "W-003", "W-004"]
