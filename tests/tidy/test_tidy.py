"""The house's own manners, checked."""

import ast
import importlib
import inspect
import re
import sys
import threading
from pathlib import Path

import pytest

import tollbridge
from tollbridge.ground import errors
from tools import reference

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tollbridge"
MODULES = sorted(path for path in SOURCE.rglob("*.py"))
LOW = ("ground", "wire", "core", "journal", "bridges", "faces")
STRANGERS = {"tollbridge.wire.xml": {"lxml"}}  # decision 14


def name_of(path):
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_holds(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(SOURCE).parts[0] in LOW], ids=name_of
)
def test_the_low_floors_import_the_standard_library_only(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        for name in names:
            allowed = {*sys.stdlib_module_names, "tollbridge", *STRANGERS.get(name_of(path), ())}
            assert name.split(".")[0] in allowed, name
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), (
            "floors 0 to 2 are colourless"
        )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_float_stands_beside_an_amount(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        code = line.partition("#")[0]
        beside = re.search(
            r"(amount|_minor)\w*\s*[:=][^=].*\bfloat\b|\bfloat\(.*(amount|_minor)", code
        )
        assert not beside, f"{path.name}:{number}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_and_no_name_is_a_drawer_for_everything(path):
    assert path.stem not in {"utils", "helpers", "common", "manager", "base", "misc"}
    text = path.read_text()
    assert not re.search(r"\b(TODO|FIXME|XXX)\b(?!\W*(units|,|\)|\"|is))", text)


def test_importing_reads_no_environment_and_starts_nothing():
    before = threading.active_count()
    for path in MODULES:
        if path.name != "__main__.py":
            importlib.import_module(name_of(path))
    assert threading.active_count() == before


def test_the_error_tree_in_the_docstring_is_the_tree():
    drawn = re.findall(r"[├└]── (\w+)", inspect.getdoc(errors))
    made = [name for name, kind in vars(errors).items()
            if isinstance(kind, type) and issubclass(kind, errors.TollbridgeError)]  # fmt: skip
    assert drawn == [name for name in made if name != "TollbridgeError"]
    codes = [getattr(errors, name).code for name in made]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_generated_pages_are_fresh(name):
    written = (reference.FOLDER / name).read_text()
    assert written == reference.pages()[name], "run `make docs`"


def test_links_in_the_documents_lead_somewhere():
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("decisions/*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_documents_name_files_that_exist():
    for document in (ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"):
        for name in re.findall(r"`((?:core|journal|engine|server|sandbox)/[\w/]+\.py)`",
                               document.read_text()):  # fmt: skip
            assert (SOURCE / name).exists(), name


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_door_opens_to_what_it_names():
    assert tollbridge.__all__ == sorted(tollbridge.__all__)
    assert set(tollbridge._PLACES) == set(tollbridge.__all__)
    for name in tollbridge.__all__:
        assert getattr(tollbridge, name) is not None
    with pytest.raises(AttributeError):
        tollbridge.nothing  # noqa: B018
