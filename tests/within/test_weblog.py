"""The log on a web page, as the original's configuration asks for it."""

import asyncio
import json
import logging

import pytest
from websockets.asyncio.client import connect

from tollbridge.faces.within.errors import BadArgument
from tollbridge.within import weblog
from tollbridge.within.device import Device

log = logging.getLogger("tollbridge.within")


def config(folder, **values):
    items = [{"key": key, "value": value} for key, value in values.items()]
    (folder / "wpwconfig.json").write_text(json.dumps(items))


async def heard(device, *say):
    """Say something to the log, and give what a page hears of it."""
    async with connect(f"ws://127.0.0.1:{device._web_log.port}/connect") as page:
        await asyncio.sleep(0.1)
        for level, text in say:
            log.log(level, text)
        got = []
        while len(got) < 5:
            try:
                got.append(await asyncio.wait_for(page.recv(), 0.3))
            except TimeoutError:
                break
        return got


@pytest.mark.req("WX-033", "WX-066")
def test_the_page_hears_the_levels_that_were_asked_for(tmp_path):
    async def main():
        config(tmp_path, wsLogEnable="true", wsLogPort="0", wsLogLevel="error, warn")
        async with await Device.setup("pump", "A pump", folder=tmp_path) as device:
            return await heard(device, (logging.WARNING, "dry"), (logging.INFO, "wet"),
                               (logging.ERROR, "broken"))  # fmt: skip

    assert asyncio.run(main()) == ["dry", "broken"]


@pytest.mark.req("WX-035")
def test_it_masks_what_is_secret(tmp_path):
    async def main():
        config(tmp_path, wsLogEnable="true", wsLogPort="0", wsLogLevel="warn")
        async with await Device.setup("pump", "A pump", folder=tmp_path) as device:
            return await heard(device, (logging.WARNING, "card 4444333322221111"))

    [said] = asyncio.run(main())
    assert "4444333322221111" not in said


@pytest.mark.req("WX-066")
def test_there_is_a_page_at_the_root(tmp_path):
    async def main():
        config(tmp_path, wsLogEnable="true", wsLogPort="0", wsLogLevel="warn")
        async with await Device.setup("pump", "A pump", folder=tmp_path) as device:
            reader, writer = await asyncio.open_connection("127.0.0.1", device._web_log.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            page = await reader.read()
            writer.close()
            return page.decode()

    page = asyncio.run(main())
    assert page.startswith("HTTP/1.1 200")
    assert "Open" in page
    assert "Close" in page


@pytest.mark.req("WX-033")
def test_without_the_word_true_it_is_off(tmp_path):
    async def main():
        config(tmp_path, wsLogEnable="perhaps", wsLogPort="9000")
        async with await Device.setup("pump", "A pump", folder=tmp_path) as device:
            return device._web_log

    assert asyncio.run(main()) is None


@pytest.mark.parametrize(("host", "bound"), [("ALL", ""), ("", "127.0.0.1"), ("10.0.0.1",) * 2])
def test_it_is_on_this_machine_only_unless_told_otherwise(host, bound):
    asked = weblog.wanted({"wsLogEnable": "true", "wsLogPort": "80", "wsLogHost": host})
    assert asked.host == bound


def test_a_port_that_is_none_is_refused():
    with pytest.raises(BadArgument, match="CONVERT_VALUE"):
        weblog.wanted({"wsLogEnable": "true", "wsLogPort": "http"})
