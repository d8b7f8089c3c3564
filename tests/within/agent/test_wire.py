"""Protocols, framings, TLS, and what is wrong on the wire."""

import json
import socket
import ssl
import struct
import threading
import time

import pytest
from thrift.Thrift import TApplicationException
from thrift.transport.TTransport import TTransportException

from tests.within.agent.wrapper import (
    CARD,
    PSP,
    EventServer,
    Map,
    Struct,
    Wrapper,
    buy,
    consume,
    price,
    sell,
    service,
)


def failure(wrapper, *arguments, **more):
    with pytest.raises(TApplicationException) as caught:
        wrapper.call(*arguments, **more)
    return caught.value.type, caught.value.message


def raw_call(name, arguments, sequence=9):
    text = name.encode()
    head = struct.pack("!II", 0x80010001, len(text)) + text + struct.pack("!i", sequence)
    return head + arguments


@pytest.mark.req("WX-046", "WX-048", "WX-057")
@pytest.mark.parametrize("protocol", ["binary", "compact", "json"])
@pytest.mark.parametrize("framed", [False, True], ids=["plain", "framed"])
def test_a_purchase_is_made_over_every_protocol(agents, protocol, framed):
    port = agents(protocol=protocol, framed=framed, buffer_size=16)
    with Wrapper(port, protocol=protocol, framed=framed) as wrapper:
        sell(wrapper)
        wrapper.call("setup", "thrift-consumer", "consumer over thrift", "")
        [found] = wrapper.call("deviceDiscovery", 10)
        assert found[3] == 64521
        assert found[8] == ["electricCharger"]
        assert wrapper.call("searchForDevice", 10, "thrift-producer") == found
        consume(wrapper)
        token = buy(wrapper)
        assert token[2] == "2026-11-21T00:53:13Z"
        device = wrapper.call("getDevice")
        assert device[4] == {}
        assert device[6] == ""


@pytest.mark.req("WX-048")
def test_messages_with_the_old_header_are_understood(agents):
    with Wrapper(agents(), strict=False) as wrapper:
        assert wrapper.call("setup", "pump", "water") is None
        assert wrapper.call("getDevice")[2] == "pump"


@pytest.mark.req("WX-048")
def test_simple_json_is_written_with_names(agents):
    port = agents(protocol="simplejson")
    with socket.create_connection(("127.0.0.1", port), 10) as program:
        program.sendall(b'[1,"setup",1,1,{"1":{"str":"pump"},"2":{"str":"water"}}]')
        assert program.recv(100) == b"{}"
        price = b'{"3":{"rec":{"1":{"i32":25},"2":{"str":"GBP"}}}}'
        service = b'{"1":{"i32":7},"5":{"map":["i32","rec",1,{"1":%b}]}}' % price
        program.sendall(b'[1,"addService",1,2,{"1":{"rec":%b}}]' % service)
        assert program.recv(100) == b"{}"
        program.sendall(b'[1,"getDevice",1,3,{}]')
        device = json.loads(program.recv(1000))["success"]
        assert device["description"] == "water"
        assert device["services"]["7"]["prices"]["0"]["pricePerUnit"]["amount"] == 25


@pytest.mark.req("WX-048")
def test_a_program_may_speak_tls(agents, certificate):
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate / "server.crt", certificate / "server.key")
    theirs = ssl.create_default_context(cafile=certificate / "server.crt")
    port = agents(tls=ours)
    with Wrapper(port, tls=theirs) as wrapper:
        wrapper.call("setup", "pump", "water", "")
    with Wrapper(port) as plain, pytest.raises(TTransportException):
        plain.call("setup", "pump", "water", "")
    with Wrapper(port, tls=theirs) as wrapper:
        assert wrapper.call("getDevice")[2] == "pump"


@pytest.mark.req("WX-050")
def test_a_failure_names_the_method_and_keeps_the_connection(wrapper):
    assert failure(wrapper, "getDevice") == (
        6,
        "Internal error processing getDevice: UNKNOWN, WPW, call setup first",
    )
    assert failure(wrapper, "setup", "", "") == (
        6,
        "Internal error processing setup: EMPTYNAME, WPW, empty name",
    )
    assert failure(wrapper, "fly", 1) == (1, "Unknown function fly")
    wrapper.call("setup", "pump", "water", "")
    kind, text = failure(wrapper, "startServiceBroadcast", 0)
    assert (kind, "call initProducer first" in text) == (6, True)
    kind, text = failure(wrapper, "requestServices")
    assert "call initConsumer first" in text
    assert wrapper.call("getDevice")[2] == "pump"


@pytest.mark.req("WX-050")
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("addService",), "svc is missing"),
        (("addService", Struct({1: 1, 5: Map({1: Struct({1: 1})})})), "nothing of pricePerUnit"),
        (("removeService",), "svc is missing"),
        (("initConsumer", "http://", "h", 1, "", "me"), "hceCard is missing"),
        (("makePayment",), "request is missing"),
        (("beginServiceDelivery", 1), "serviceDeliveryToken is missing"),
        (("endServiceDelivery", 1, Struct({1: "k"}), 1), "serviceDeliveryToken.issued"),
    ],
)
def test_what_is_missing_is_named(wrapper, call, said):
    wrapper.call("setup", "pump", "water", "")
    kind, text = failure(wrapper, *call)
    assert (kind, said in text) == (6, True), text


@pytest.mark.req("WX-050")
def test_a_fault_of_ours_shows_its_kind_and_nothing_else(agents, caplog):
    async def make(*_, **__):
        raise RuntimeError("card 4444333322221111")

    with Wrapper(agents(make=make)) as wrapper:
        assert failure(wrapper, "setup", "pump", "water", "") == (
            6,
            "Internal error processing setup: UNKNOWN, GENERAL, RuntimeError",
        )


@pytest.mark.req("WX-046", "WX-050")
def test_a_number_beyond_32_bits_is_an_error_and_not_another_number(wrapper):
    sell(wrapper)
    wrapper.call("addService", Struct({1: 2, 5: Map({7: price(7, 2_000_000_000)})}))
    wrapper.call("setup", "me", "buyer", "")
    consume(wrapper)
    kind, text = failure(wrapper, "selectService", 2, 2, 7)
    assert (kind, "totalPrice 4000000000 exceeds 32 bits" in text) == (6, True)
    assert wrapper.call("getDevice")[2] == "me"


@pytest.mark.req("WX-050")
def test_text_that_is_not_utf8_is_refused_and_the_connection_kept(agents):
    with socket.create_connection(("127.0.0.1", agents()), 10) as program:
        program.sendall(raw_call("setup", b"\x0b\0\1\0\0\0\2\xff\xfe\x0b\0\2\0\0\0\1d\0"))
        answer = program.recv(1000)
        assert answer.startswith(b"\x80\x01\x00\x03")
        assert b"name is not UTF-8" in answer
        assert answer.endswith(b"\x08\0\2\0\0\0\7\0")
        program.sendall(raw_call("CloseRPCAgent", b"\0"))
        assert program.recv(1000).startswith(b"\x80\x01\x00\x02")


@pytest.mark.req("WX-050")
@pytest.mark.parametrize(
    "arguments",
    [b"\x63\0\1", b"\x0b\0\1\xff\xff\xff\xff", b"\x0b\0\1\x7f\xff\xff\xff", b"\x0b\0\1\0"],
)
def test_arguments_that_cannot_be_read_are_refused_in_their_frame(agents, arguments):
    with socket.create_connection(("127.0.0.1", agents(framed=True)), 10) as program:
        for _ in range(2):
            call = raw_call("setup", arguments)
            program.sendall(struct.pack("!i", len(call)) + call)
            answer = program.recv(1000)
            assert answer[4:8] == b"\x80\x01\x00\x03"
            assert answer.endswith(b"\x08\0\2\0\0\0\7\0")


@pytest.mark.req("WX-050")
def test_where_the_next_call_starts_is_not_guessed(agents):
    with socket.create_connection(("127.0.0.1", agents()), 10) as program:
        program.sendall(raw_call("setup", b"\x63\0\1"))
        assert program.recv(1000).endswith(b"\x08\0\2\0\0\0\7\0")
        assert program.recv(1) == b""


@pytest.mark.req("WX-046")
@pytest.mark.parametrize("protocol", ["binary", "compact", "json"])
@pytest.mark.parametrize("framed", [False, True], ids=["plain", "framed"])
def test_garbage_ends_its_connection_and_no_other(agents, protocol, framed):
    port = agents(protocol=protocol, framed=framed)
    with Wrapper(port, protocol=protocol, framed=framed) as good:
        good.call("setup", "pump", "water", "")
        for garbage in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\xff" * 40,
            b"\0\0\0\0",
            b'\0\0\0\5[1,"a',
            b"x",
        ):
            with socket.create_connection(("127.0.0.1", port), 10) as bad:
                bad.sendall(garbage)
                bad.shutdown(socket.SHUT_WR)
                while bad.recv(1000):
                    pass
        assert good.call("getDevice")[2] == "pump"


@pytest.mark.req("WX-046")
def test_a_slow_call_holds_up_no_other_connection(agents):
    port = agents()
    with Wrapper(port) as one, Wrapper(port) as other:
        one.call("setup", "pump", "water", "")
        slow = threading.Thread(target=one.call, args=("deviceDiscovery", 300))
        began = time.monotonic()
        slow.start()
        time.sleep(0.02)
        assert other.call("getDevice")[2] == "pump"
        assert time.monotonic() - began < 0.25
        slow.join()


@pytest.mark.req("WX-057")
def test_a_second_setup_leaves_the_first_producer_selling(agents, world):
    with EventServer() as listener:
        port = agents(callback_port=listener.port)
        with Wrapper(port) as wrapper:
            sell(wrapper, "shop")
            wrapper.call("startServiceBroadcast", 0)
            wrapper.call("setup", "shopper", "java does this", "")
            assert wrapper.call("searchForDevice", 10, "shop")[7] == "shop"
            consume(wrapper)
            buy(wrapper)
            assert wrapper.call("getDevice")[2] == "shopper"
            assert world.closed == []
            assert sorted(listener.wait(6)) == sorted(
                [
                    "serviceDiscoveryEvent",
                    "servicePricesEvent",
                    "serviceTotalPriceEvent",
                    "makePaymentEvent",
                    "beginServiceDelivery",
                    "endServiceDelivery",
                ]
            )


@pytest.mark.req("WX-046")
def test_a_search_in_vain_gives_an_empty_message(wrapper):
    wrapper.call("setup", "me", "buyer", "")
    found = wrapper.call("searchForDevice", 1, "nobody")
    assert found == {1: "", 2: "", 3: 0, 4: "", 5: "", 6: "", 7: "", 8: []}
    assert wrapper.call("deviceDiscovery", 1) == []


@pytest.mark.req("WX-046")
def test_a_service_is_taken_off_by_its_id_alone(wrapper):
    wrapper.call("setup", "pump", "water", "")
    wrapper.call("addService", service())
    assert list(wrapper.call("getDevice")[4]) == [1]
    wrapper.call("removeService", Struct({1: 1}))
    assert wrapper.call("getDevice")[4] == {}
    wrapper.call("removeService", Struct({1: 99}))


@pytest.mark.req("WX-046")
def test_the_producer_gets_its_token_back_as_it_wrote_it(wrapper, world):
    sell(wrapper)
    consume(wrapper)
    buy(wrapper)
    begin, end = world.calls[-2:]
    assert begin[2].as_received["issued"] == "2026-11-21T02:53:13.123456789+02:00"
    assert end[2] is begin[2]


@pytest.mark.req("WX-046")
def test_a_token_from_elsewhere_is_sent_on_as_it_is_told(wrapper, world):
    sell(wrapper)
    consume(wrapper)
    token = Struct({1: "k", 2: "2031-03-04T09:15:02.5Z", 3: "2031-03-11T09:15:02Z", 5: b"\1\2"})
    back = wrapper.call("beginServiceDelivery", 1, token, 2)
    assert back[2] == "2031-03-04T09:15:02Z"
    sent = world.calls[-1][2]
    assert (sent.key.reveal(), sent.issued, sent.signature) == (
        "k",
        "2031-03-04T09:15:02.5Z",
        "AQI=",
    )
    for wrong in ("", "2031-03-04T09:15:02+01:00", "2031-13-04T09:15:02Z", "yesterday"):
        kind, text = failure(
            wrapper, "beginServiceDelivery", 1, Struct({1: "other", 2: wrong, 3: wrong}), 2
        )
        assert (kind, "issued is not a time" in text) == (6, True)


@pytest.mark.req("WX-046")
def test_a_total_with_holes_is_paid_by_its_reference(wrapper, world):
    sell(wrapper)
    consume(wrapper)
    wrapper.call("makePayment", Struct({2: "me", 6: "the reference", 7: "T_C_x"}))
    total = world.calls[-1][1]
    assert (total.payment_reference, total.client_id, total.merchant_client_key) == (
        "the reference",
        "me",
        "T_C_x",
    )


@pytest.mark.req("WX-046")
def test_the_card_and_the_provider_reach_the_device(wrapper, world):
    sell(wrapper)
    wrapper.call("initConsumer", "http://", "10.0.0.9", 8080, "/x", "me", CARD, PSP)
    *_, (_, scheme, host, port, prefix, client, card, psp) = world.calls
    assert (scheme, host, port, prefix, client) == ("http://", "10.0.0.9", 8080, "/x", "me")
    assert (card.holder, card.exp_year, card.number.reveal()) == (
        "Bilbo Baggins",
        2028,
        "5555555555554444",
    )
    assert psp == dict(PSP)
