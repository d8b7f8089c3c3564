"""Fixtures of pytest for whoever writes a till: a payment terminal to test against.

pytest loads this at every start, so it imports nothing else; docs/how-to/point-of-sale.md shows
how the fixtures are used.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tollbridge.testing.virtual_terminal import VirtualTerminal

MARK = "wpi_terminal"


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    text = f"{MARK}(**settings): settings of the terminal this test gets, as [faces.wpi] has them"
    config.addinivalue_line("markers", text)


@pytest.fixture
def wpi_terminals(tmp_path: Path) -> "Iterator[Callable[..., VirtualTerminal]]":
    """Open virtual terminals, each with settings as [faces.wpi] has them; all are closed in the
    end."""
    from tollbridge.testing.virtual_terminal import VirtualTerminal

    opened: list[VirtualTerminal] = []

    def terminal(**settings: Any) -> VirtualTerminal:
        folder = tmp_path / f"terminal-{len(opened) + 1}"
        folder.mkdir()
        opened.append(VirtualTerminal(folder, **settings))
        return opened[-1]

    try:
        yield terminal
    finally:
        for each in opened:
            each.close()


@pytest.fixture
def wpi_terminal(
    request: pytest.FixtureRequest, wpi_terminals: "Callable[..., VirtualTerminal]"
) -> "VirtualTerminal":
    """A virtual terminal of this test's own, with the settings of the mark `wpi_terminal`."""
    mark = request.node.get_closest_marker(MARK)
    return wpi_terminals(**(mark.kwargs if mark else {}))


@pytest.fixture(scope="session")
def wpi_terminal_session(
    tmp_path_factory: pytest.TempPathFactory,
) -> "Iterator[VirtualTerminal]":
    """One virtual terminal for all tests of a session. What people were to do, and what a scenario
    wanted, is not forgotten between tests."""
    from tollbridge.testing.virtual_terminal import VirtualTerminal

    with VirtualTerminal(tmp_path_factory.mktemp("wpi-terminal")) as terminal:
        yield terminal
