"""A card reader of somebody else's: here one that speaks over a socket."""

import asyncio
import json
import socket
from importlib.metadata import EntryPoint

import pytest

from tests.terminal.serving import condition, serving
from tollbridge.core.brands import BY_NAME
from tollbridge.engine import plugins
from tollbridge.faces.wpi.wishes import (
    CardApplication,
    PinVerified,
    PinWrong,
    ReadCard,
    Unreadable,
)
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.secret import Secret

BIG = {"currency": "EUR", "requestedAmount": 8000}


class LineReader:
    """Speaks JSON lines with a device: what it wants, what comes."""

    def __init__(self, line):
        self._line = line
        self._reader = self._writer = None

    async def present(self, wish):
        said = await self._ask({"present": list(wish.entries)})
        if "number" not in said:
            return Unreadable(said["why"])
        brand = BY_NAME["Visa"]
        application = CardApplication(brand.application_id, brand.label, brand)
        return ReadCard(
            number=Secret(said["number"]),
            entry=said["entry"],
            applications=(application,),
            verifications=("offline_pin",),
        )

    async def verify_pin(self, pin):
        said = await self._ask({"pin": pin.reveal()})
        return PinVerified() if said["right"] else PinWrong(said["left"])

    async def cancel(self):
        await self._send({"cancel": True})

    async def _send(self, message):
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(sock=self._line)
        self._writer.write(json.dumps(message).encode() + b"\n")
        await self._writer.drain()

    async def _ask(self, message):
        await self._send(message)
        line = await self._reader.readline()
        if not line:
            raise ConnectionError("the cable is out")
        return json.loads(line)


class Hardware:
    """The other end of the line."""

    def __init__(self):
        self.line, self._own = socket.socketpair()
        self._reader = self._writer = None

    async def hear(self):
        if self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(sock=self._own)
        return json.loads(await asyncio.wait_for(self._reader.readline(), 10))

    def say(self, **message):
        self._writer.write(json.dumps(message).encode() + b"\n")

    def unplug(self):
        self._writer.close()

    def close(self):
        self._own.close()


@pytest.fixture
def hardware(monkeypatch):
    made = Hardware()
    reader = LineReader(made.line)

    class Plugin(EntryPoint):
        def load(self):
            return lambda profile: reader

    point = Plugin("line", "nowhere", "tollbridge.readers")
    real = plugins.installed
    monkeypatch.setattr(
        plugins,
        "installed",
        lambda group: {"line": point} if group == "tollbridge.readers" else real(group),
    )
    yield made
    made.line.close()
    made.close()


def with_reader(tmp_path, hardware, story, **profile):
    async def main():
        async with serving(tmp_path, {"": "line"}, **profile) as server:
            try:
                return await story(server)
            finally:
                hardware.unplug()
                server.device()._kit.reader._writer.close()

    return asyncio.run(asyncio.wait_for(main(), 30))


def test_a_real_card_is_read_and_checks_its_pin(tmp_path, hardware):
    async def story(server):
        paying = asyncio.create_task(server.pay(BIG))
        assert await hardware.hear() == {"present": ["chip", "contactless", "magstripe", "qr"]}
        hardware.say(number="4242424242424242", entry="chip")
        assert await hardware.hear() == {"pin": "1234"}
        hardware.say(right=False, left=1)
        assert await hardware.hear() == {"pin": "1234"}
        hardware.say(right=True)
        response = await paying
        assert (condition(response), response["brandName"]) == ("NONE", "Visa")

    with_reader(tmp_path, hardware, story)


def test_the_stop_key_lets_the_reader_go(tmp_path, hardware):
    async def story(server):
        async with server.looking() as page:
            paying = asyncio.create_task(server.pay())
            await page.screen("present_card")
            assert "present" in await hardware.hear()
            await page.answer("present_card", {"cancel": True})
            assert await hardware.hear() == {"cancel": True}
            assert condition(await paying) == "USER_CANCEL"

    with_reader(tmp_path, hardware, story)


def test_a_card_at_the_reader_closes_the_screen(tmp_path, hardware):
    async def story(server):
        async with server.looking() as page:
            paying = asyncio.create_task(server.pay())
            screen = await page.screen("present_card")
            await hardware.hear()
            hardware.say(number="4242424242424242", entry="contactless")
            assert condition(await paying) == "NONE"
            assert (await server.answer(screen, {"card": "visa"})).code == "gone"

    with_reader(tmp_path, hardware, story)


def test_nobody_at_the_reader_is_a_time_out(tmp_path, hardware):
    async def story(server):
        paying = asyncio.create_task(server.pay())
        await hardware.hear()
        assert condition(await paying) == "USER_TIMEOUT"
        assert await hardware.hear() == {"cancel": True}

    with_reader(tmp_path, hardware, story, person_s=0.3)


def test_a_reader_that_fails_is_a_card_that_cannot_be_read(tmp_path, hardware, caplog):
    async def story(server):
        paying = asyncio.create_task(server.pay())
        await hardware.hear()
        hardware.unplug()
        assert condition(await paying) == "CARD_READ_ERR"
        assert "the cable is out" in caplog.text

    with_reader(tmp_path, hardware, story)


def test_a_scenario_needs_no_reader(tmp_path, hardware):
    async def story(server):
        dictated = {"scenario": {"person": "cancel"}}
        await server.call("PUT", "/terminal/T1/scenario", dictated)
        assert condition(await server.pay()) == "USER_CANCEL"
        paying = asyncio.create_task(server.pay())
        await hardware.hear()
        hardware.say(why="bent")
        assert condition(await paying) == "CARD_READ_ERR"

    with_reader(tmp_path, hardware, story)


@pytest.mark.parametrize(
    ("readers", "says"),
    [({"": "none-such"}, "is not installed"), ({"T9": "line"}, "there is no terminal 'T9'")],
)
def test_a_reader_that_is_not_there_is_refused_at_the_start(tmp_path, hardware, readers, says):
    async def main():
        async with serving(tmp_path, readers):
            pass

    with pytest.raises(ConfigError, match=says):
        asyncio.run(main())
