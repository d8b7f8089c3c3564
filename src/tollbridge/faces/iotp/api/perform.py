"""Calling a bridge: every call gets one answer, and what a bridge lacks is refused in its words.

A core calls bridges through `perform` only. Bridges are put together from parts that do some of the
functions each; `Parts` answers ReqNotSupp for the others (RFC 3867, 1.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tollbridge.faces.iotp.api.answer import Answer, Call, Refused, refused
from tollbridge.faces.iotp.api.bridge import PaymentBridge, Skeleton
from tollbridge.faces.iotp.api.calls import CallBack, CallBackResponse
from tollbridge.faces.iotp.api.elements import ErrorResponse
from tollbridge.faces.iotp.api.faults import Fault, error_of
from tollbridge.faces.iotp.api.rules import broken, fits
from tollbridge.faces.iotp.api.shapes import OBLIGATIONS, REQUESTS, function_of
from tollbridge.faces.iotp.api.words import ErrorCode, Obligation, Role, Severity
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import JournalError, UsageError
from tollbridge.ground.flow import Exchange, Flow, Party

R = TypeVar("R")
Hear = Callable[[CallBack], Flow[Answer[CallBackResponse]]]
"""What the core does with a call back: shows it. A BusError asks the bridge to cancel."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a bridge may work on a call; what it waits for people does not count."""

    clock: Clock
    seconds: float


class Parts(Skeleton):
    """A bridge made of parts: the first that has a function does it, none answers ReqNotSupp.

    A part has some of a PaymentBridge's methods.
    """

    def __init__(self, *parts: object) -> None:
        self.parts = parts

    def do(self, call: Call[R]) -> Flow[Answer[R]]:
        method = function_of(call).method
        for part in self.parts:
            done = getattr(part, method, None)
            if done is not None:
                flow: Flow[Answer[R]] = done(call)
                return flow
        return _not_supported(type(call).__name__)

    def implements(self, request: str) -> bool:
        """Say whether a part does a function, named by its request ("StartPaymentConsumer")."""
        return any(hasattr(part, REQUESTS[request].method) for part in self.parts)


NOTHING = Parts()
"""The bridge that does nothing, and says so."""


def lacks(bridge: Parts, role: Role) -> Mapping[str, Obligation]:
    """Give the functions that table 1 names for a role and the bridge does not do."""
    wanted = OBLIGATIONS[role]
    return {name: word for name, word in wanted.items() if not bridge.implements(name)}


def perform(
    bridge: PaymentBridge, call: Call[R], hear: Hear | None = None, limit: Limit | None = None
) -> Flow[Answer[R]]:
    """Call a bridge, and give its answer. Raises nothing of the bridge's making.

    A call that breaks the rules is answered before the bridge sees it. What it raises becomes an
    error: Refused the one it names, a journal that cannot write a transient ReqRefused, anything
    the engine refused an UnknownError. `hear` takes call backs; without it they are not supported.
    """
    faults = broken(call)
    if faults:
        return Answer(error=error_of(faults))
    try:
        method = getattr(bridge, function_of(call).method)
        answer: Answer[R] = yield from _listening(method(call), hear, limit)
    except Refused as refusal:
        return Answer(error=refusal.error)
    except JournalError:
        text = "nothing can be written at present; ask again"
        transient = Severity.TRANSIENT_ERROR
        return Answer(error=refused(ErrorCode.REQ_REFUSED, text, severity=transient).error)
    except UsageError as error:
        return Answer(error=refused(ErrorCode.UNKNOWN_ERROR, f"refused: {error}").error)
    wrong = _wrong(call, answer)
    return Answer(error=_broken_bridge(wrong)) if wrong else answer


def _wrong(call: Call[Any], answer: Answer[Any]) -> list[Fault]:
    faults: list[Fault] = []
    if answer.error is not None:
        faults += broken(answer.error)
    if answer.result is not None:
        faults += broken(answer.result) + fits(call, answer.result)
        expected = REQUESTS[type(call).__name__].response.type
        assert isinstance(answer.result, expected), "the bridge's types are checked"
    return faults


def _broken_bridge(faults: list[Fault]) -> ErrorResponse:
    text = f"the payment software answered against the rules: {faults[0].rule}"
    return refused(ErrorCode.UNKNOWN_ERROR, text).error


def _listening(flow: Flow[Answer[R]], hear: Hear | None, limit: Limit | None) -> Flow[Answer[R]]:
    """Drive a bridge's flow; its call backs stay here, all else is for whoever drives this."""
    used_s = 0.0
    try:
        wanted = next(flow)
        while True:
            if isinstance(wanted, CallBack):
                wanted = flow.send((yield from (hear or _deaf)(wanted)))
                continue
            begun_s = limit.clock.monotonic_s() if limit is not None else 0.0
            try:
                got = yield wanted
            except (UsageError, JournalError) as error:
                wanted = flow.throw(error)
                continue
            if limit is not None and not _with_people(wanted):
                used_s += limit.clock.monotonic_s() - begun_s
                if used_s > limit.seconds:
                    text = "the payment software takes too long"
                    transient = Severity.TRANSIENT_ERROR
                    return Answer(
                        error=refused(ErrorCode.TRANSPORT_ERROR, text, severity=transient).error
                    )
            wanted = flow.send(got)
    except StopIteration as end:
        answer: Answer[R] = end.value
        return answer
    finally:
        flow.close()


def _with_people(wanted: object) -> bool:
    return isinstance(wanted, Exchange) and wanted.party in {Party.CARDHOLDER, Party.MERCHANT}


def _deaf(call: CallBack) -> Flow[Answer[CallBackResponse]]:
    yield from ()
    return Answer(error=refused(ErrorCode.REQ_NOT_SUPP, f"{call.pay_id}: not shown").error)


def _not_supported(name: str) -> Flow[Any]:
    yield from ()
    raise refused(ErrorCode.REQ_NOT_SUPP, f"{name} is not supported", element=name)
