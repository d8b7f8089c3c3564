"""Payment software in another process: the same answers, over documents; silence is transient."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings

from tests.faces.iotp.api import making
from tollbridge.faces.iotp.api import calls, codec
from tollbridge.faces.iotp.api.answer import Answer
from tollbridge.faces.iotp.api.check import examine
from tollbridge.faces.iotp.api.perform import NOTHING, Limit, Parts, perform
from tollbridge.faces.iotp.api.remote import Carry, Lost, Remote
from tollbridge.faces.iotp.api.rules import fits
from tollbridge.faces.iotp.api.shapes import FUNCTIONS
from tollbridge.faces.iotp.roles.software import First, Software
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.flow import Exchange, Remember
from tollbridge.ground.secret import Secret

URL = "http://127.0.0.1:1/iotp/software/payment/card"
REMOTE = Remote(URL, Secret("shown"))
CALL = calls.RemovePaymentLog(pay_id="1")
DONE = Answer(calls.RemovePaymentLogResponse())


def software(bridge, *steps):
    first = First()
    first.steps += steps
    return Software({"payment/card": bridge}, first, SystemClock())


def ended(flow):
    """Run a flow that wants nothing."""
    try:
        wanted = next(flow)
    except StopIteration as end:
        return end.value
    raise AssertionError(wanted)


def called(call, answer):
    """Call the remote bridge; `answer` gives what comes back for a document."""
    flow = perform(REMOTE, call)
    wanted = next(flow)
    assert isinstance(wanted, Exchange)
    assert isinstance(wanted.message, Carry)
    assert (wanted.message.url, wanted.message.token.reveal()) == (URL, "shown")
    try:
        flow.send(answer(wanted.message.document))
    except StopIteration as end:
        return end.value
    raise AssertionError


def answering(bridge):
    return lambda document: ended(software(bridge).answer("payment/card", document))


@pytest.mark.req("IX-001")
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.request.xml)
def test_what_goes_over_documents_is_what_was_called_and_answered(function):
    @settings(max_examples=5)
    @given(making.shaped(function.request), making.shaped(function.response), making.errors)
    def carried(call, result, error):
        if isinstance(call, calls.InquirePaymentStatus):
            result = replace(result, payment_handler_pay_id=call.payment_handler_pay_id)
        assume(not fits(call, result))
        warned = error.severity == "Warning"
        for answer in (Answer(result), Answer(result if warned else None, error)):
            heard = []

            def does(call, answer=answer, heard=heard):
                heard.append(call)
                yield from ()
                return answer

            bridge = Parts(type("Part", (), {function.method: staticmethod(does)})())
            assert called(call, answering(bridge)) == answer
            assert heard == [call]
            assert not examine(codec.write(codec.Request(call))).violations

    carried()


def test_what_the_software_lacks_is_not_supported_across():
    assert called(CALL, answering(NOTHING)).failed.error_code == "ReqNotSupp"


@pytest.mark.req("IX-006")
def test_silence_is_a_transient_error_and_the_call_may_come_again():
    error = called(CALL, lambda _: Lost("refused")).failed
    assert (error.error_code, error.severity) == ("TransportError", "TransientError")


@pytest.mark.parametrize(
    "came",
    [b"", b"<html/>", b"\xff", codec.write(codec.Request(CALL)),
     codec.write(codec.Response(Answer(calls.CallBackResponse())))],
)  # fmt: skip
def test_what_is_no_answer_to_the_call_is_none(came):
    error = called(CALL, lambda _: came).failed
    assert (error.error_code, error.severity) == ("UnknownError", "HardError")


@pytest.mark.parametrize(
    "document", [b"", b"<!DOCTYPE x []><x/>", codec.write(codec.Response(DONE))]
)
def test_a_document_that_is_no_request_is_refused_in_a_document(document):
    told = codec.read_response(answering(NOTHING)(document)).answer
    assert told.error is not None
    assert told.result is None


def test_nobody_is_called_by_a_name_that_is_not_there():
    assert ended(software(NOTHING).answer("payment/coins", b"")) is None


def test_what_comes_first_is_done_once():
    done = []

    def step():
        done.append(1)
        yield Remember(())

    made = software(NOTHING, step)
    for wishes in (1, 0):
        flow, seen = made.answer("payment/card", codec.write(codec.Request(CALL))), 0
        try:
            next(flow)
            while True:
                seen += 1
                flow.send(True)
        except StopIteration:
            pass
        assert seen == wishes
    assert done == [1]


def test_time_spent_by_the_other_process_counts():
    class Slow(SystemClock):
        now_s = 0.0

        def monotonic_s(self):
            Slow.now_s += 100
            return Slow.now_s

    flow = perform(REMOTE, CALL, limit=Limit(Slow(), 60))
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(codec.write(codec.Response(DONE)))
    assert end.value.value.failed.error_code == "TransportError"
