"""WebSockets for faces: the Messenger of a terminal, and the adapter's own manners."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from starlette.routing import Router, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.terminal.serving import SALE, TILL, TOKEN, condition, serving
from tollbridge.ground.secret import Secret
from tollbridge.server.asgi import Credential, SocketEndpoint
from tollbridge.server.inside import Served, listen
from tollbridge.wire.http import Limits

WHAT = 895349
BEARER = {"authorization": f"Bearer {TOKEN}"}


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def message(service, session, request=None, **more):
    extras = {"WPI_SERVICE_TYPE": service, "WPI_VERSION": "2.0", "WPI_SESSION_ID": session, **more}
    if request is not None:
        extras["WPI_REQUEST"] = json.dumps(request)
    return json.dumps({"what": WHAT, "obj": extras})


def messenger(server, path="/wpi/messenger", headers=BEARER, query=f"?package={TILL}"):
    url = f"ws://127.0.0.1:{server.port}{path}{query}"
    return connect(url, additional_headers=headers)


async def heard(socket):
    answer = json.loads(await asyncio.wait_for(socket.recv(), 10))
    assert answer["what"] == WHAT
    return answer["obj"]


def said(extras):
    return json.loads(extras["WPI_RESPONSE"])


@pytest.mark.req("P-006", "P-007", "P-008")
def test_the_messenger_answers_background_actions(tmp_path):
    async def main():
        async with serving(tmp_path) as server, messenger(server) as socket:
            await server.till("WPI_SVC_PAYMENT", SALE, session="paid")
            await socket.send(message("WPI_SVC_PAYMENT_INFORMATION", "ask-1"))
            information = await heard(socket)
            assert information["WPI_SESSION_ID"] == "ask-1"
            assert said(information)["terminalIdentifier"] == "T1"
            await socket.send(message("WPI_SVC_LAST_TRANSACTION", "paid"))
            last = await heard(socket)
            assert last["WPI_SERVICE_TYPE"] == "WPI_SVC_PAYMENT"
            assert condition(said(last)) == "NONE"
            for wrong in ('{"what": 1, "obj": {}}', "[]", "{", '{"what": 895349}'):
                await socket.send(wrong)
                assert condition(said(await heard(socket))) == "INVALID_TRANSACTION_REQ"

    run(main())


def test_each_message_is_answered_when_it_is_ready(tmp_path):
    async def main():
        async with (
            serving(tmp_path) as server,
            server.looking() as page,
            messenger(server) as socket,
        ):
            await socket.send(message("WPI_SVC_PAYMENT", "slow", SALE))
            await page.screen("present_card")
            await socket.send(message("WPI_SVC_PAYMENT_INFORMATION", "quick"))
            assert (await heard(socket))["WPI_SESSION_ID"] == "quick"
            await page.answer("present_card", {"card": "visa"})
            assert (await heard(socket))["WPI_SESSION_ID"] == "slow"

    run(main())


def test_a_terminal_is_named_in_the_path(tmp_path):
    async def main():
        async with (
            serving(tmp_path, terminals={"T2": {}}) as server,
            messenger(server, "/wpi/T2/messenger") as socket,
        ):
            await socket.send(message("WPI_SVC_PAYMENT_INFORMATION", "s"))
            assert said(await heard(socket))["terminalIdentifier"] == "T2"

    run(main())


def test_the_credential_may_stand_in_the_address(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            query = f"?package={TILL}&token={TOKEN}"
            async with messenger(server, headers={}, query=query) as socket:
                await socket.send(message("WPI_SVC_PAYMENT_INFORMATION", "s"))
                assert said(await heard(socket))["result"] == "WPI_RESULT_SUCCESS"

    run(main())


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({"authorization": "Bearer wrong"}, ""),
        ({}, "?token=wrong"),
        ({}, "?token="),
        ({}, "?" + "&".join(f"a{n}=b" for n in range(50)) + f"&token={TOKEN}"),
    ],
)
def test_without_the_credential_no_socket_is_opened(tmp_path, headers, query):
    async def main():
        async with serving(tmp_path) as server:
            with pytest.raises(InvalidStatus) as refused:
                async with messenger(server, headers=headers, query=query):
                    pass
            assert refused.value.response.status_code == 401

    run(main())


def test_who_leaves_finds_the_payment_again(tmp_path):
    async def main():
        async with serving(tmp_path) as server, server.looking() as page:
            async with messenger(server) as socket:
                await socket.send(message("WPI_SVC_PAYMENT", "left", SALE))
                await page.screen("present_card")
            await page.answer("present_card", {"card": "visa"})
            await page.until(lambda s: s["exchange"] is None)
            last = await server.till("WPI_SVC_LAST_TRANSACTION", session="left", kind="information")
            assert condition(last) == "NONE"

    run(main())


# The adapter by itself


@pytest.mark.req("P-006")
def test_the_handshake_says_who_calls(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            headers = {**BEARER, "WPI-Package": "com.example.first"}
            await server.till("WPI_SVC_PAYMENT", SALE, session="s", package="com.example.first")
            async with messenger(server, headers=headers, query="") as socket:
                await socket.send(message("WPI_SVC_LAST_TRANSACTION", "s"))
                assert "WPI_RESPONSE" in await heard(socket)
            async with messenger(server, query="") as socket:
                await socket.send(message("WPI_SVC_LAST_TRANSACTION", "s"))
                assert condition(said(await heard(socket))) == "MISSING_MANDATORY_PARAMETER"

    run(main())


@asynccontextmanager
async def opened(answer, limits=Limits(), **more):  # noqa: B008
    credential = Credential(Secret(TOKEN))
    endpoint = SocketEndpoint(
        answer, lambda error: f"refused {error.hint}", limits, credential, **more
    )
    listening = listen("127.0.0.1", 0)
    served = Served(Router([WebSocketRoute("/{name}", endpoint)]), listening, websockets=True)
    await served.start()
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}/here?name=there&other=this"
    try:
        async with connect(url, additional_headers=BEARER) as socket:
            yield socket
    finally:
        await served.close()


def test_bytes_and_mistakes_are_answered_too():
    async def answer(text, names):
        assert (names["name"], names["other"]) == ("here", "this")
        assert TOKEN not in str(names)
        if text == "bad":
            raise ZeroDivisionError
        return [text, text]

    async def main():
        async with opened(answer) as socket:
            await socket.send(b"bytes")
            assert await socket.recv() == "refused malformed"
            await socket.send("bad")
            assert await socket.recv() == "refused internal"
            await socket.send("good")
            assert [await socket.recv(), await socket.recv()] == ["good", "good"]

    run(main())


def test_too_long_a_message_ends_the_conversation():
    async def answer(text, _):
        return [text]

    async def main():
        async with opened(answer, Limits(body_bytes_max=10)) as socket:
            await socket.send("é" * 5)
            assert await socket.recv() == "é" * 5
            await socket.send("é" * 6)
            assert await socket.recv() == "refused too_large"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 1009

    run(main())


def test_no_more_messages_are_under_way_than_allowed():
    begun, free = [], asyncio.Event()

    async def answer(text, _):
        begun.append(text)
        await free.wait()
        return [text]

    async def main():
        async with opened(answer, in_flight_max=3) as socket:
            for number in range(5):
                await socket.send(str(number))
            await asyncio.sleep(0.2)
            assert begun == ["0", "1", "2"]
            free.set()
            assert {await socket.recv() for _ in range(5)} == {"0", "1", "2", "3", "4"}

    run(main())


def test_what_is_under_way_when_the_caller_leaves_is_finished():
    done = []

    async def answer(text, _):
        await asyncio.sleep(0.2)
        done.append(text)
        return [text]

    async def main():
        async with opened(answer) as socket:
            await socket.send("going")
            await asyncio.sleep(0.05)
        assert done == ["going"]

    run(main())
