"""The transport tells NotSent from NoAnswer by whether bytes left, whatever went wrong."""

import asyncio
import ssl
from ipaddress import ip_address

import pytest
import uvloop

from tollbridge.engine.transport import HttpTransport, Switchboard, is_public
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.wire.http import Headers, Limits, Request, Response

PAY = b'{"card":"4242424242424242"}'


RUN = [asyncio.run]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"], autouse=True)
def loop(request):
    """Both loops: a server runs on uvloop, commands and tests run on asyncio's own."""
    RUN[0] = request.param


def run(main):
    return RUN[0](main)


class Peer:
    """A server on a real socket that does with a connection whatever `behave` says."""

    def __init__(self, behave, **options):
        self.behave, self.options, self.got = behave, options, []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, **self.options)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        try:
            data = await reader.read(65536)
            self.got.append(data)
            await self.behave(reader, writer)
        finally:
            writer.close()


def send(behave, limit_s=2.0, transport=None, **options):
    async def main():
        async with Peer(behave, **options) as peer:
            line = transport or HttpTransport()
            try:
                request = Request("POST", f"http://127.0.0.1:{peer.port}/pay?secret=1", body=PAY)
                return await line.send(request, limit_s), peer
            finally:
                await line.close()

    return run(main())


async def nothing(reader, writer):
    await asyncio.sleep(30)


async def close(reader, writer):
    pass


async def reset(reader, writer):
    writer.transport.abort()


def saying(data):
    async def behave(reader, writer):
        writer.write(data)
        await writer.drain()

    return behave


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: a\r\nX-One: b\r\n\r\nok"


def test_an_answer_is_an_answer():
    response, peer = send(saying(OK))
    assert (response.status, response.body) == (200, b"ok")
    assert response.headers["x-one"] == "a"
    assert PAY in peer.got[0]


@pytest.mark.parametrize(
    "behave",
    [
        nothing,
        close,
        reset,
        saying(b"garbage\r\n\r\n"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
        saying(b"HTTP/1.1 200 OK\r\n"),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ],
)
def test_whatever_happens_after_the_first_byte_is_no_answer(behave):
    with pytest.raises(NoAnswer):
        send(behave, limit_s=0.3)


def test_an_answer_that_is_too_long_is_no_answer():
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    with pytest.raises(NoAnswer):
        send(saying(body), transport=HttpTransport(Limits(body_bytes_max=1000)))


def test_a_redirect_is_an_answer_and_is_not_followed():
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    response, peer = send(saying(moved))
    assert response.status == 302
    assert len(peer.got) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://does-not-exist.invalid/",
        "http://[::1]:1/",
        "ftp://127.0.0.1/",
        "nonsense",
        "http://127.0.0.1:99999/",
        "https://127.0.0.1:1/",
    ],
)
def test_what_cannot_be_reached_was_not_sent(url):
    async def main():
        line = HttpTransport()
        try:
            with pytest.raises(NotSent):
                await line.send(Request("POST", url, body=PAY), 5.0)
        finally:
            await line.close()

    run(main())


def test_tls_that_is_not_agreed_was_not_sent():
    async def main():
        async with Peer(saying(b"no tls here")) as peer:
            line = HttpTransport()
            try:
                request = Request("POST", f"https://127.0.0.1:{peer.port}/", body=PAY)
                with pytest.raises(NotSent):
                    await line.send(request, 5.0)
            finally:
                await line.close()
            assert all(PAY not in got for got in peer.got)

    run(main())
    assert ssl.HAS_TLSv1_2


def test_a_request_that_cannot_be_written_was_not_sent():
    async def main():
        async with Peer(saying(OK)) as peer:
            line = HttpTransport()
            try:
                bad = Headers([("x-bad", "line\r\nbreak")])
                request = Request("GET", f"http://127.0.0.1:{peer.port}/", bad)
                with pytest.raises(NotSent):
                    await line.send(request, 2.0)
            finally:
                await line.close()

    run(main())


def test_waiting_for_a_free_connection_is_not_sent():
    async def main():
        async with Peer(nothing) as peer:
            line = HttpTransport(connections=1)
            request = Request("GET", f"http://127.0.0.1:{peer.port}/")
            first = asyncio.create_task(line.send(request, 1.0))
            await asyncio.sleep(0.1)
            with pytest.raises(NotSent):
                await line.send(request, 0.2)
            with pytest.raises(NoAnswer):
                await first
            await line.close()

    run(main())


def test_what_a_peer_says_twice_is_not_the_answer_to_the_next_request():
    numbers = iter(range(10))

    async def twice(reader, writer):
        while True:
            body = b"%d" % next(numbers)
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body
            writer.write(answer * 2)
            if not await reader.read(65536):
                return

    async def main():
        async with Peer(twice) as peer:
            line = HttpTransport()
            seen = []
            for _ in range(3):
                try:
                    request = Request("GET", f"http://127.0.0.1:{peer.port}/")
                    seen.append((await line.send(request, 2.0)).body)
                    await asyncio.sleep(0.05)
                except NoAnswer:
                    seen.append(None)
            await line.close()
            return [body for body in seen if body is not None]

    seen = run(main())
    assert len(seen) == len(set(seen))


def test_errors_tell_no_query_and_no_body():
    with pytest.raises(NoAnswer) as raised:
        send(close)
    assert "secret" not in str(raised.value)
    assert "4242" not in str(raised.value)


def test_a_switchboard_chooses_by_the_start_of_the_address():
    class Line:
        def __init__(self, name):
            self.name, self.closed = name, False

        async def send(self, request, limit_s):
            return Response(200, body=self.name.encode())

        async def close(self):
            self.closed = True

    async def main():
        inner, outer = Line("inner"), Line("outer")
        board = Switchboard({"sandbox:": inner}, outer)
        assert (await board.send(Request("GET", "sandbox://x"), 1)).body == b"inner"
        assert (await board.send(Request("GET", "http://x"), 1)).body == b"outer"
        await board.close()
        assert inner.closed
        assert outer.closed

    run(main())


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1", True), ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("198.18.0.1", False),
        ("::1", False), ("::", False), ("fe80::1", False), ("fd00::1", False), ("ff02::1", False),
        ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False), ("2002:a00:1::", False),
    ],
)  # fmt: skip
def test_what_is_of_the_internet_and_what_only_looks_like_it(address, public):
    assert is_public(ip_address(address)) is public
