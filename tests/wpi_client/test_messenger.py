"""Background actions go through the Messenger: one WebSocket, answers matched by their session."""

import asyncio
import json
import logging
import threading
from dataclasses import replace

import pytest
from websockets.asyncio.server import serve

from tests.wpi_client.crooked import extras, success
from tollbridge.faces.wpi.codec import WHAT
from tollbridge.ground.secret import Secret
from tollbridge.wpi_client import (
    BlockingWpiClient,
    Misanswered,
    Options,
    OutcomeUnknown,
    Unreachable,
    WpiClient,
)

INFORMATION = "WPI_SVC_PAYMENT_INFORMATION"


class Messenger:
    """A Messenger service; `behave` gets the parcel and gives the texts to send back."""

    def __init__(self, behave):
        self.behave = behave
        self.parcels, self.paths, self.connections = [], [], 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    async def _talk(self, socket):
        self.connections += 1
        self.paths.append((socket.request.path, socket.request.headers.get("WPI-Package")))
        async for message in socket:
            parcel = json.loads(message)
            self.parcels.append(parcel)
            for text in self.behave(parcel):
                if text is None:
                    await socket.close()
                else:
                    await socket.send(text)

    def _refuse(self, connection, request):
        if request.headers.get("Authorization") != "Bearer secret":
            return connection.respond(401, "no")
        return None

    def __enter__(self):
        self._thread.start()

        async def start():
            return await serve(self._talk, "127.0.0.1", 0, process_request=self._refuse)

        self._server = asyncio.run_coroutine_threadsafe(start(), self._loop).result()
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_):
        self._server.close()
        asyncio.run_coroutine_threadsafe(self._server.wait_closed(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def answered(parcel, **more):
    obj = parcel["obj"]
    made = extras(obj["WPI_SERVICE_TYPE"], obj["WPI_SESSION_ID"], success({}, **more))
    return json.dumps({"what": WHAT, "obj": made})


@pytest.mark.req("P-005", "P-006", "P-007", "P-008", "P-339", "P-342")
def test_a_background_action_goes_over_one_socket(opened):
    with Messenger(lambda parcel: [answered(parcel, terminalIdentifier="T7")]) as messenger:
        till = opened(messenger.url, background="websocket", terminal="T 7")
        for _ in range(3):
            assert till.information().terminal == "T7"
        till.close()
    assert messenger.paths == [("/wpi/T%207/messenger", "com.example.till")]
    [first, *_] = messenger.parcels
    assert first["what"] == 895349
    assert first["obj"].pop("WPI_PACKAGE") == "com.example.till"
    assert set(first["obj"]) == {"WPI_SERVICE_TYPE", "WPI_VERSION", "WPI_SESSION_ID"}


def test_a_message_that_could_not_be_read_is_not_waited_for(opened):
    refusal = json.dumps({"what": WHAT, "obj": {"WPI_VERSION": "2.0"}})
    with Messenger(lambda parcel: [refusal]) as messenger:
        till = opened(messenger.url, background="websocket")
        with pytest.raises(Misanswered, match="session None"):
            till.information()
        till.close()


def test_answers_are_matched_by_session_whatever_their_order(tmp_path):
    held = []

    def late(parcel):
        held.append(parcel)
        session = parcel["obj"]["WPI_SESSION_ID"]
        done = [answered(one, remark=one["obj"]["WPI_SESSION_ID"]) for one in reversed(held)]
        return done if session and len(held) == 3 else []

    async def main(url):
        options = Options(background="websocket")
        async with WpiClient(
            url, token="secret", package="com.example.till", journal=tmp_path / "t", options=options
        ) as till:
            return await asyncio.gather(*(till.information() for _ in range(3)))

    with Messenger(late) as messenger:
        for found in asyncio.run(main(messenger.url)):
            assert found.remark == found.session


def test_what_is_no_message_or_comes_twice_is_logged_and_dropped(opened, caplog):
    def noisy(parcel):
        wrong = json.loads(answered(parcel)) | {"what": 1}
        return ["{", json.dumps(wrong), json.dumps({"what": WHAT}), answered(parcel),
                answered(parcel)]  # fmt: skip

    with Messenger(noisy) as messenger, caplog.at_level(logging.WARNING):
        till = opened(messenger.url, background="websocket")
        assert till.information().approved
        assert till.information().approved
        till.close()
    assert "a second time" in caplog.text
    assert "no message of WPI" in caplog.text


def test_a_broken_socket_is_opened_again(opened):
    times = []

    def breaking(parcel):
        times.append(parcel)
        return [None] if len(times) == 1 else [answered(parcel)]

    with Messenger(breaking) as messenger:
        till = opened(messenger.url, background="websocket")
        with pytest.raises(Misanswered, match="closed"):
            till.information()
        assert till.information().approved
        assert messenger.connections == 2
        till.close()


def test_silence_ends(opened):
    with Messenger(lambda parcel: []) as messenger:
        till = opened(messenger.url, background="websocket")
        with pytest.raises(Misanswered, match="TimeoutError"):
            till.information(limit_s=0.1)
        till.close()


def test_nobody_there_and_a_wrong_credential(opened):
    with pytest.raises(Unreachable):
        opened("http://127.0.0.1:1", background="websocket").information()
    with Messenger(lambda parcel: []) as messenger:
        till = opened(messenger.url, background="websocket")
        background = till._client._background
        background._place = replace(background._place, token=Secret("wrong"))
        with pytest.raises(Misanswered) as error:
            till.information()
        assert error.value.status == 401
        till.close()


def test_recovery_uses_it(crooked, opened, monkeypatch):
    stored = []

    def last(parcel):
        session = parcel["obj"]["WPI_SESSION_ID"]
        stored.append(session)
        made = extras("WPI_SVC_PAYMENT", session, success({"requestedAmount": 1191}))
        return [json.dumps({"what": WHAT, "obj": made})]

    with Messenger(last) as messenger:
        till = opened(background="websocket")
        background = till._client._background
        background._address = messenger.url.replace("http", "ws") + "/wpi/messenger"
        crooked.trouble = ["dropped"]
        paid = till.payment(1191, "EUR")
        assert paid.approved
        assert stored == [paid.session]
        till.close()


def test_an_unknown_outcome_stays_unknown_over_it_too(crooked, opened):
    with Messenger(lambda parcel: []) as messenger:
        till = opened(background="websocket", background_s=0.05, recovery_s=0.2)
        till._client._background._address = messenger.url.replace("http", "ws") + "/x"
        crooked.trouble = ["dropped"]
        with pytest.raises(OutcomeUnknown):
            till.payment(1191, "EUR")
        till.close()


@pytest.mark.req("P-006", "P-007", "P-008", "P-342")
def test_a_terminal_of_ours_answers_over_it(wpi_terminals, tmp_path):
    terminal = wpi_terminals(terminals={"T2": {}})
    options = Options(background="websocket", in_flight_s=0.1, recovery_s=5)
    for name in ("", "T2"):
        with BlockingWpiClient(
            terminal.url, token=terminal.token, package="com.example.till", terminal=name,
            journal=tmp_path / "till.sqlite", options=options,
        ) as till:  # fmt: skip
            assert till.information().terminal == (name or "T1")
            paid = till.payment(1191, "EUR")
            assert till.last_transaction(paid.session).result == paid
            assert till.last_transaction("never").fate == "not_executed"


def test_an_answer_that_comes_twice_is_said_and_changes_nothing(wpi_terminal, tmp_path, caplog):
    options = Options(background="websocket", in_flight_s=0.1, recovery_s=5)
    with BlockingWpiClient(
        wpi_terminal.url, token=wpi_terminal.token, package="com.example.till",
        journal=tmp_path / "till.sqlite", options=options,
    ) as till:  # fmt: skip
        wpi_terminal.scenario(recovery="error_answer")
        paid = till.payment(1191, "EUR")
        assert paid.approved
    assert wpi_terminal.verdict(tmp_path / "till.sqlite") == []
