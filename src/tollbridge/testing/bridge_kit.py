"""What every bridge must keep: inherit `BridgeKit`, say how your provider answers, run pytest.

The kit drives your bridge with a real engine and a journal in memory, verb by verb, through every
ending a provider can give, and checks what the engine relies on.
"""

import asyncio
from collections.abc import Callable

from tollbridge.bridges.contract import Bridge
from tollbridge.core.instrument import Instrument
from tollbridge.core.operation import Operation, State
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import MOVES_NOTHING, OPENING, Verb
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import NoAnswer, NotSent, RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.money import Money
from tollbridge.journal.memory import MemoryJournal
from tollbridge.testing import virtual
from tollbridge.testing.clock import ManualClock
from tollbridge.testing.world import card, continuing, opening
from tollbridge.wire.dump import dump
from tollbridge.wire.http import Request, Response

Respond = Callable[[Request], Response]
GARBAGE = (b"", b"\xff\xfe\x00", b"{}", b"[]", b"<html>busy</html>", b'{"operation":1}', b"null")


class _Line:
    """A transport that answers as it is told, and keeps what was said."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.said: list[Request | Response] = []

    async def send(self, request: Request, limit_s: float) -> Response:
        self.said.append(request)
        answer = self.respond(request)
        await asyncio.sleep(min(0.01, limit_s))
        self.said.append(answer)
        return answer

    async def close(self) -> None:
        pass


class BridgeKit:
    """Inherit, override `bridge` and `respond`, and let pytest collect your class.

    `acknowledged`: verbs whose provider says no more than 200, so that an empty answer is one.
    `approves`: what customers approve at the provider are amounts, so storing names one.
    """

    acknowledged: frozenset[Verb] = frozenset()
    approves: bool = False

    def bridge(self, clock: Clock) -> Bridge:
        """Make the bridge under test."""
        raise NotImplementedError

    def respond(self, request: Request, ending: str) -> Response:
        """Answer as the provider does when the ending is "approved", "declined" or "pending"."""
        raise NotImplementedError

    def instrument(self) -> Instrument:
        """Give an instrument the provider takes."""
        return card()

    def paying(self, amount: Money) -> Instrument:
        """Give an instrument that pays this amount, where what pays one cannot pay another."""
        del amount
        return self.instrument()

    def secrets(self) -> list[str]:
        """List the texts that no dump may show."""
        return ["4242424242424242"]

    # What is checked

    def test_every_verb_is_approved_and_counts(self) -> None:
        for verb in self._verbs():
            operation, payment, _ = self._perform(verb, self._said("approved"))
            assert operation.state is State.APPROVED, verb
            assert payment.counts(operation), verb

    def test_every_verb_is_declined_with_one_of_our_codes(self) -> None:
        for verb in self._verbs():
            operation, payment, _ = self._perform(verb, self._said("declined"))
            assert operation.state is State.DECLINED, verb
            assert not payment.counts(operation)

    def test_what_is_pending_is_not_decided(self) -> None:
        for verb in set(self._verbs()) - MOVES_NOTHING:
            operation, _, _ = self._perform(verb, self._said("pending"))
            assert operation.state is State.PENDING, verb

    def test_garbage_decides_nothing(self) -> None:
        for verb in set(self._verbs()) - MOVES_NOTHING:
            for body in GARBAGE:
                for status in (200, 302, 500, 503):
                    if verb in self.acknowledged and (status, body) == (200, b""):
                        continue
                    operation, _, _ = self._perform(verb, self._garbled(status, body))
                    assert operation.state in (State.DISPATCHED, State.DECLINED), (verb, body)
                    assert status == 302 or operation.state is State.DISPATCHED, (verb, body)

    def test_an_answer_about_another_operation_decides_nothing(self) -> None:
        for verb in set(self._verbs()) - MOVES_NOTHING:
            earlier: list[Response] = []

            def stale(request: Request, earlier: list[Response] = earlier) -> Response:
                return earlier[0] if request.moves_money else self.respond(request, "approved")

            _, _, line = self._perform(verb, self._said("approved"), seed=2)
            earlier.append([said for said in line.said if isinstance(said, Response)][-1])
            operation, _, _ = self._perform(verb, stale)
            assert operation.state is State.DISPATCHED, verb

    def test_a_lost_answer_leaves_the_outcome_open(self) -> None:
        def lost(request: Request) -> Response:
            if request.moves_money:
                raise NoAnswer("lost")
            return self.respond(request, "approved")

        for verb in set(self._verbs()) - MOVES_NOTHING:
            operation, _, _ = self._perform(verb, lost)
            assert operation.state is State.DISPATCHED, verb

    def test_a_refused_connection_moves_nothing(self) -> None:
        for verb in self._verbs():
            operation, _, _ = self._perform(verb, _raising(NotSent("refused")))
            assert operation.state is State.UNSENT, verb

    def test_one_request_of_an_operation_moves_money_and_no_inquiry_does(self) -> None:
        for verb in set(self._verbs()) - MOVES_NOTHING:
            operation, payment, line = self._perform(verb, self._said("approved"))
            asked = [said for said in line.said if isinstance(said, Request) and said.moves_money]
            assert len(asked) == 1, verb
            bridge = self.bridge(ManualClock())
            if bridge.capabilities.inquiry:
                for request in _requests(bridge.inquire(operation, payment)):
                    assert not request.moves_money

    def test_amounts_of_every_exponent_arrive_as_they_were_asked(self) -> None:
        taken = self.bridge(ManualClock()).capabilities.currencies
        for code in ("JPY", "EUR", "KWD", "CLF"):
            if taken is None or code in taken:
                money = Money.of(12_345, code)
                operation, _, _ = self._perform(Verb.PURCHASE, self._said("approved"), money)
                assert operation.approved_amount == money

    def test_no_dump_shows_a_secret(self) -> None:
        for verb in self._verbs():
            _, _, line = self._perform(verb, self._said("approved"))
            for said in line.said:
                for secret in self.secrets():
                    assert secret not in dump(said)
                    assert secret not in repr(said)

    def test_an_unsigned_notice_is_not_heard(self) -> None:
        notice = Request("POST", "/notice", body=b'{"operation":"x","status":"approved"}')
        try:
            self.bridge(ManualClock()).hear(notice)
        except RemoteProtocolError:
            return
        raise AssertionError("a notice without a signature was believed")

    # How

    def _verbs(self) -> list[Verb]:
        can = self.bridge(ManualClock()).capabilities.verbs
        return [verb for verb in Verb if verb in can]

    def _said(self, ending: str) -> Respond:
        return lambda request: self.respond(request, ending)

    def _garbled(self, status: int, body: bytes) -> Respond:
        def respond(request: Request) -> Response:
            return Response(status, body=body) if request.moves_money else self.respond(request, "")

        return respond

    def _perform(
        self, verb: Verb, respond: Respond, money: Money | None = None, seed: int = 1
    ) -> tuple[Operation, Payment, _Line]:
        """Let an engine carry out one operation, with what must be there before it approved."""
        clock = ManualClock()
        line = _Line(self._said("approved"))
        bridge = self.bridge(clock)
        around = Surroundings(MemoryJournal(), {bridge.name: bridge}, line, clock, SeededIds(seed))
        found: list[Payment] = []

        async def main() -> None:
            engine = Engine(around, threaded=False)
            amount = money or Money.of(10_000, "EUR")
            if verb in OPENING:
                line.respond = respond
                some = None if verb in MOVES_NOTHING and not self.approves else amount
                ask = opening(verb, "one", some, instrument=self.paying(amount))
            else:
                captured = verb in (Verb.REFUND, Verb.VOID)
                first = Verb.PURCHASE if captured else Verb.AUTHORIZE
                begun = opening(first, "one", amount, instrument=self.paying(amount))
                before = await engine.ask(begun)
                line.respond = respond
                line.said.clear()
                part = bridge.capabilities.verbs[verb].partial and verb is not Verb.VOID
                some = Money.of(1000, "EUR") if part else None
                ask = continuing(verb, "two", before, amount=some)
            found.append(await engine.ask(ask))

        virtual.run(main(), clock)
        return found[0].operations[-1], found[0], line


def _raising(error: Exception) -> Respond:
    def respond(request: Request) -> Response:
        del request
        raise error

    return respond


def _requests(flow: Flow[object]) -> list[Request]:
    wanted = next(flow)
    flow.close()
    return [wanted] if isinstance(wanted, Request) else []
