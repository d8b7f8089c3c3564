"""The providers to try, as a developer runs them: three bridges, one page, and their books."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.processes import free_port, server, talk
from tests.terminal.browser import NARROW, browser
from tollbridge.engine import plugins
from tollbridge.faces.webinos import provider
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.ids import RandomIds

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "providers"
WRITTEN = ("8811", "8812", "8813")


def test_the_settings_of_the_guide_are_settings():
    guide = (ROOT / "docs" / "how-to" / "providers.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) == 4
    read = [tomllib.loads(block) for block in blocks]
    for tables in read[:3]:
        made = plugins.bridges(tables["bridges"], SystemClock(), RandomIds())
        assert list(made) == list(tables["bridges"])
    services = provider(read[3]["faces"]["webinos"]).services
    assert [each.payer for each in services] == ["wallet", "approves", "receipt"]


def running_providers(ports):
    command = [sys.executable, "-m", "examples.providers", "--ports", *ports]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    while "web/try" not in (line := process.stdout.readline()):
        assert line, "it ended"
    return process


@pytest.mark.req("N-001", "N-002", "N-007", "N-075")
def test_a_customer_pays_in_a_browser_through_each_of_them(tmp_path):
    ports = [str(free_port()) for _ in WRITTEN]
    config = (EXAMPLE / "provider.toml").read_text()
    for written, port in zip(WRITTEN, ports, strict=True):
        config = config.replace(written, port)
    (tmp_path / "provider.toml").write_text(config)
    hosts = running_providers(ports)
    try:
        house = server(tmp_path, "--config", "provider.toml", "--development")
        with house, browser() as window:
            pays(window, house.url, ports[2])
        for port, paid in zip(ports, ("25.96", "25.96", 1), strict=True):
            assert list(talk("GET", f"http://127.0.0.1:{port}/book")[1].values()) == [paid]
    finally:
        hosts.terminate()
        hosts.wait(10)
        hosts.stdout.close()


def pays(window, url, store):
    context = window.new_context(viewport=NARROW)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{url}/web/try")

    def pay(service):
        page.get_by_label("Service").select_option(service)
        page.get_by_role("button", name="Pay").click()

    def paid(count):
        page.get_by_role("status").get_by_text("paid: wp_").wait_for()
        page.locator("#status").evaluate("each => { each.textContent = '' }")
        assert page.locator("dialog[open]").count() == 0, count

    pay("Phone bill")
    paid(1)
    pay("Orders")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Open").click()
    opened.value.get_by_role("link", name="Approve").click()
    paid(2)
    pay("The Store")
    bought = context.request.post(f"http://127.0.0.1:{store}/buy/trial").json()["token"]
    page.locator("dialog input").fill(bought)
    page.keyboard.press("Enter")
    paid(3)
    context.close()
