"""Every requirement of WPI is named by a test that proves it."""

from pathlib import Path

from tests.within.test_requirements import TESTS, named_by

REQUIREMENTS = TESTS / "vectors" / "wpi" / "requirements.txt"


def named():
    return {
        requirement
        for file in Path(TESTS).rglob("test_*.py")
        for requirement in named_by(file.read_text("utf-8"))
    }


def test_every_requirement_is_named_by_a_test():
    listed = REQUIREMENTS.read_text().split()
    assert listed == [f"P-{number:03}" for number in range(1, 373)]
    found = named()
    missing = [requirement for requirement in listed if requirement not in found]
    assert missing == [], f"no test names {', '.join(missing)}"
    # What is named is a requirement: a slip of the pen proves nothing.
    assert {one for one in found if one.startswith("P-")} <= set(listed)
