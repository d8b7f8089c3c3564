"""Every requirement of the Webinos Payment API, and of its originals, is named by a test."""

from tests.within.test_requirements import TESTS, named_by

REQUIREMENTS = TESTS / "vectors" / "webinos" / "requirements.txt"


def test_every_requirement_is_named_by_a_test():
    listed = REQUIREMENTS.read_text().split()
    assert (len(listed), len(set(listed))) == (125, 125)
    named = {
        requirement
        for file in TESTS.rglob("test_*.py")
        for requirement in named_by(file.read_text("utf-8"))
    }
    missing = [requirement for requirement in listed if requirement not in named]
    assert not missing, f"no test names {', '.join(missing)}"
    # What is named is a requirement: a slip of the pen proves nothing.
    assert {one for one in named if one.startswith(("N-", "NX-"))} <= set(listed)
