"""Purchases whose cards and keys travel over TLS, to a provider with a private authority."""

import asyncio
import contextlib
import ssl

import pytest

from tests.psp.authority import Authority
from tests.within.trading import market
from tests.within.trading.market import HERE, offer, producer, sold, taken, tell, told

SOON = ("--for", 0.2)


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ca")
    return Authority(folder, "ours"), Authority(folder, "theirs")


@pytest.fixture(scope="module")
def bank(authorities, tmp_path_factory):
    certificate, key = authorities[0].certificate()
    folder = tmp_path_factory.mktemp("bank")
    with market.psp(folder, "--tls-cert", certificate, "--tls-key", key) as running:
        yield running


def buy(bank, wallet, discovery, *options, code=0):
    where = ("--discovery-port", discovery, *SOON, "--folder", wallet)
    said = tell if code else told
    return said("buy", 8, *where, "--psp", f"{bank.url}/v1", *options, code=code)


@pytest.mark.req("W-088", "W-127", "W-140", "WX-019")
def test_both_sides_reach_the_provider_over_tls_with_a_private_authority(
    authorities, bank, tmp_path
):
    trust, discovery = ("--ca-file", authorities[0].file), market.udp_port()
    before = taken(bank.folder)
    assert bank.url.startswith("https://")
    with producer(tmp_path, offer(tmp_path, psp=bank.url), *trust, discovery=discovery):
        bought = buy(bank, tmp_path / "car", discovery, "--take", 3, *trust)
        assert (bought["paid"], bought["remaining"]) == (True, 5)
        paying = ("--folder", tmp_path / "car", "--psp", f"{bank.url}/v1", *trust)
        assert told("take", "last", *paying)["remaining"] == 0
    assert taken(bank.folder) - before == 200 == sold(tmp_path / "producer")


@pytest.mark.req("W-127", "W-140")
def test_a_consumer_shows_no_card_to_a_certificate_of_another_authority(
    authorities, bank, tmp_path
):
    ours, theirs = authorities
    discovery, before = market.udp_port(), taken(bank.folder)
    file, trust = offer(tmp_path, psp=bank.url), ("--ca-file", ours.file)
    with producer(tmp_path, file, *trust, discovery=discovery):
        for options in (("--ca-file", theirs.file), ()):
            text = buy(bank, tmp_path / "car", discovery, *options, code=1)
            assert "failed to get client token" in text
            assert "CERTIFICATE_VERIFY_FAILED" in text
    assert told("purchases", "--folder", tmp_path / "car")["purchases"] == []
    assert taken(bank.folder) == before


@pytest.mark.req("W-127", "W-140")
def test_a_producer_shows_no_key_to_a_certificate_of_another_authority(authorities, bank, tmp_path):
    ours, theirs = authorities
    discovery, before = market.udp_port(), taken(bank.folder)
    file = offer(tmp_path, psp=bank.url)
    with producer(tmp_path, file, "--ca-file", theirs.file, discovery=discovery):
        text = buy(bank, tmp_path / "car", discovery, "--ca-file", ours.file, code=1)
    assert "500 - Unable to process payment with gateway at this time (13)" in text
    assert taken(bank.folder) == before
    assert sold(tmp_path / "producer") == 0


@pytest.mark.req("W-127")
def test_not_a_byte_of_a_request_reaches_whom_nobody_vouches_for(authorities, bank, tmp_path):
    ours, theirs = authorities
    certificate, key = theirs.certificate()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    came = []

    async def meet(reader, writer):
        with contextlib.suppress(OSError, ssl.SSLError):
            came.append(await reader.read(1))
        writer.close()

    async def story(discovery):
        server = await asyncio.start_server(meet, HERE, 0, ssl=context)
        url = f"https://{HERE}:{server.sockets[0].getsockname()[1]}/v1"
        where = ("--discovery-port", discovery, *SOON, "--folder", tmp_path / "car")
        wish = ("buy", 8, *where, "--psp", url, "--ca-file", ours.file)
        text = await asyncio.to_thread(tell, *wish, code=1)
        server.close()
        return text

    discovery = market.udp_port()
    with producer(tmp_path, offer(tmp_path, psp="http://127.0.0.1:9"), discovery=discovery):
        assert "failed to get client token" in asyncio.run(story(discovery))
    assert b"".join(came) == b""


def test_a_file_without_authorities_is_refused(bank, tmp_path):
    empty = tmp_path / "none.pem"
    empty.write_text("")
    text = buy(bank, tmp_path, 9, "--ca-file", empty, code=1)
    assert "none.pem" in text
    file = offer(tmp_path, psp=bank.url)
    assert "none.pem" in tell("produce", file, "--folder", tmp_path, "--ca-file", empty, code=1)
