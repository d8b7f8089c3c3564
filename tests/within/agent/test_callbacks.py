"""A program's listener: re-entrant, slow, mute, gone and back."""

import time

import pytest

from tests.within.agent.wrapper import EventServer, Struct, Wrapper, buy, consume, sell
from tollbridge.faces.within.events import (
    Failed,
    PaymentEnded,
    PricesAsked,
    ServicesDiscovered,
    TotalAsked,
)
from tollbridge.faces.within.messages import Total
from tollbridge.within.agent import callbacks
from tollbridge.within.agent.callbacks import Listener
from tollbridge.within.agent.tables import Shape

SIX = [
    "serviceDiscoveryEvent",
    "servicePricesEvent",
    "serviceTotalPriceEvent",
    "makePaymentEvent",
    "beginServiceDelivery",
    "endServiceDelivery",
]


@pytest.fixture
def tell():
    """Tell a listener of events; gives a function of its port."""

    def to(port, *events, **limits):
        listener = Listener("127.0.0.1", port, **({"reply_limit_s": 0.2} | limits))
        listener.start()
        for event in events:
            listener.tell(event, Shape.NEW)
        return lambda event: listener.tell(event, Shape.NEW)

    return to


@pytest.mark.req("WX-047", "WX-060")
def test_a_purchase_is_exactly_six_events(agents):
    with (
        EventServer() as listener,
        Wrapper(agents(callback_port=listener.port)) as wrapper,
    ):
        sell(wrapper)
        consume(wrapper)
        buy(wrapper)
        assert listener.wait(6) == SIX
        time.sleep(0.05)
        assert len(listener.heard) == 6
        assert len(listener.connections) == 1


@pytest.mark.req("WX-058")
def test_a_listener_may_call_the_agent_before_it_answers(agents):
    seen = []

    def answer(name, arguments):
        seen.append(inner.call("getDevice")[2])

    with EventServer(answer) as listener:
        port = agents(callback_port=listener.port)
        with Wrapper(port) as inner, Wrapper(port) as wrapper:
            sell(wrapper, "shop")
            consume(wrapper)
            buy(wrapper)
            listener.wait(6)
            while len(seen) < 6:
                time.sleep(0.01)
    assert seen == ["shop"] * 6


@pytest.mark.req("WX-058", "WX-062")
def test_a_mute_listener_hears_everything_and_holds_up_nothing(agents):
    with (
        EventServer(answer=None) as listener,
        Wrapper(agents(callback_port=listener.port, reply_limit_s=1.5)) as wrapper,
    ):
        sell(wrapper)
        consume(wrapper)
        began = time.monotonic()
        buy(wrapper)
        assert time.monotonic() - began < 1.45
        assert listener.wait(6) == SIX
        assert time.monotonic() - began < 2.9  # waited for once, not six times
        assert len(listener.connections) == 1


@pytest.mark.req("WX-058")
def test_a_slow_listener_is_not_hung_up_on(tell):
    with EventServer(lambda name, arguments: time.sleep(0.3)) as listener:
        tell(listener.port, *[PricesAsked("p", number) for number in range(3)], reply_limit_s=0.05)
        listener.wait(3)
        assert [arguments[2] for _, arguments in listener.heard] == [0, 1, 2]
        assert len(listener.connections) == 1


@pytest.mark.req("WX-047", "WX-058")
def test_a_listener_that_hung_up_is_connected_to_again(tell):
    with EventServer() as listener:
        event = tell(listener.port, ServicesDiscovered("one"))
        listener.wait(1)
        listener.hang_up()
        time.sleep(0.05)
        event(ServicesDiscovered("two"))
        listener.wait(2)
        assert len(listener.connections) == 2
    with EventServer(port=listener.port) as again:
        event(ServicesDiscovered("three"))
        again.wait(1)
        assert again.heard == [("serviceDiscoveryEvent", {1: "three"})]


@pytest.mark.req("WX-058")
def test_an_event_before_the_listener_is_there_is_lost_and_no_other(tell, caplog):
    with EventServer() as probe:
        port = probe.port
    event = tell(port, Failed("lost"))
    while "did not hear errorEvent" not in caplog.text:
        time.sleep(0.01)
    with EventServer(port=port) as listener:
        event(ServicesDiscovered("heard"))
        listener.wait(1)
        assert listener.heard == [("serviceDiscoveryEvent", {1: "heard"})]


@pytest.mark.req("WX-058")
def test_a_listener_that_answers_with_garbage_is_called_again(tell):
    with EventServer(None) as listener:
        event = tell(listener.port, ServicesDiscovered("one"), reply_limit_s=5)
        listener.wait(1)
        listener.connections[0].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10_000)
        time.sleep(0.05)
        event(ServicesDiscovered("two"))
        listener.wait(2)
        assert len(listener.connections) == 2


@pytest.mark.req("WX-047")
def test_a_listeners_failure_is_noted_and_ends_nothing(tell, caplog):
    with EventServer(None) as listener:
        event = tell(listener.port, ServicesDiscovered("one"))
        listener.wait(1)
        text = b"card 4444333322221111"
        listener.connections[0].sendall(
            b"\x80\x01\0\3\0\0\0\x15serviceDiscoveryEvent\0\0\0\1\x0b\0\1\0\0\0"
            + bytes([len(text)])
            + text
            + b"\x08\0\2\0\0\0\6\0"
        )
        while "failed" not in caplog.text:
            time.sleep(0.01)
        event(ServicesDiscovered("two"))
        listener.wait(2)
        assert len(listener.connections) == 1
        assert "4444333322221111" not in caplog.text


@pytest.mark.req("WX-047")
def test_an_event_of_ours_is_not_told_and_one_too_big_is_dropped(tell, caplog):
    with EventServer() as listener:
        tell(
            listener.port,
            PaymentEnded("r", True),
            TotalAsked("p", 1, Total(total_minor=2**31)),
            Failed("the pump is dry"),
        )
        listener.wait(1)
        assert listener.heard == [("errorEvent", {1: "the pump is dry"})]
        assert "exceeds 32 bits" in caplog.text


@pytest.mark.req("WX-058")
def test_events_for_a_listener_that_is_stuck_are_bounded(monkeypatch, caplog):
    monkeypatch.setattr(callbacks, "WAITING_MAX", 3)
    listener = Listener("127.0.0.1", 1)
    for _ in range(5):
        listener.tell(ServicesDiscovered("x"), Shape.NEW)
    assert caplog.text.count("too slow") == 2


@pytest.mark.req("WX-047")
def test_secrets_of_events_stay_out_of_the_log(agents, caplog):
    caplog.set_level("DEBUG")
    with (
        EventServer() as listener,
        Wrapper(agents(callback_port=listener.port)) as wrapper,
    ):
        sell(wrapper)
        consume(wrapper)
        buy(wrapper)
        listener.wait(6)
    for secret in ("tok-1", "5555555555554444", "T_S_x", "5fb20730-8cb9"):
        assert secret not in caplog.text
    assert "makePayment" in caplog.text


def test_nothing_is_told_without_a_listener(agents, world):
    with Wrapper(agents()) as wrapper:
        sell(wrapper)
        consume(wrapper)
        wrapper.call("beginServiceDelivery", 1, Struct(buy(wrapper)), 1)
