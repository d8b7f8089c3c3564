"""One browser, one provider and one shop for each file of tests; a page for each test."""

import pytest

from tests.terminal.browser import browser
from tests.web.client.bench import SHOP_HTML, SHOP_JS, Provider, Shop, Site


@pytest.fixture(scope="module")
def window():
    """While it is open the tests' thread belongs to it: what runs loops of its own comes after."""
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def site():
    made = Site()
    made.page("/", '<script type="module" src="/shop.js"></script>', html=SHOP_HTML)
    made.script("/shop.js", SHOP_JS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def provider(site, tmp_path_factory):
    made = Provider(tmp_path_factory.mktemp("provider"), [site.origin])
    yield made
    made.close()


@pytest.fixture
def open_shop(window, site, provider):
    opened = []

    def opening(base=None, **more):
        opened.append(Shop(window, site, base or provider.base, **more))
        return opened[-1]

    yield opening
    complaints = [each for shop in opened for each in shop.close()]
    assert complaints == []


@pytest.fixture
def shop(open_shop):
    return open_shop()
