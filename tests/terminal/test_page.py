"""The terminal's page in a real browser, on a real server: every flow a person goes through."""

import json
import threading

import pytest

from tests.processes import TOKEN, server, talk
from tests.terminal.browser import NARROW, Counter, browser, toml

TERMINALS = {}
DCC = {"provider": "Sandbox Exchange", "markup_percent": "3.0", "rates": {"USD": "1.10"}}


def terminal(**settings):
    """Give a test a terminal of its own with these settings."""

    def settle(test):
        TERMINALS[test.__name__] = settings
        return test

    return settle


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    own = {name: TERMINALS.get(name, {}) for name in globals() if name.startswith("test_")}
    lines = ["[faces.wpi.terminals]"]
    lines += [f"{name} = {toml(settings)}" for name, settings in own.items()]
    lines.append("T2 = {}")
    (folder / "terminals.toml").write_text("\n".join(lines))
    with server(folder, "--config", "terminals.toml") as running:
        yield running.url


@pytest.fixture(scope="module")
def window():
    with browser() as started:
        yield started


@pytest.fixture
def open_counter(window, url):
    opened = []

    def opening(name, **more):
        opened.append(Counter(window, url, name, **more))
        return opened[-1]

    yield opening
    complaints = [text for counter in opened for text in counter.complaints]
    for counter in opened:
        counter.close()
    assert complaints == []


@pytest.fixture
def counter(open_counter, request):
    return open_counter(request.node.name)


def test_pay_by_tap(counter):
    counter.send("11.91", reference="tap")
    counter.present("visa")
    counter.shows("approved")
    print(counter.answer())
