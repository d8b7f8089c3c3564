"""How the tests run, here and everywhere else."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tollbridge.testing.journal_kit")

settings.register_profile("house", deadline=None)  # a busy machine is not a failure
settings.load_profile("house")


def pytest_addoption(parser):
    parser.addoption(
        "--requirements",
        action="store_true",
        help="with --collect-only: list the requirements of the standards that tests name",
    )


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--requirements"):
        return
    named = {}
    for item in items:
        for mark in item.iter_markers("req"):
            for requirement in mark.args:
                named.setdefault(requirement, []).append(item.name.partition("[")[0])
    for requirement in sorted(named, key=lambda name: (name[0], len(name), name)):
        print(f"{requirement}  {', '.join(sorted(set(named[requirement])))}")
    print(f"{len(named)} requirements are named by tests")
    items.clear()
