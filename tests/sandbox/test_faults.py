"""Trouble is chosen by the request, then by the script, and by the switch before all."""

import asyncio

import pytest

from tests.sandbox.world import World, post, said
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.sandbox.faults import DELAY_S, Fault, Faults, Rule, Trouble, parse
from tollbridge.sandbox.line import Line
from tollbridge.sandbox.service import GARBAGE, TOO_MUCH_MINOR, Service
from tollbridge.wire import json
from tollbridge.wire.http import Request


def words(request):
    what, _, verb = request.partition(" ")
    return what, verb


def chosen(faults, *requests):
    """What happens to requests, told as "what verb"; a dash for nothing."""
    troubles = [faults.choose(*words(request)) for request in requests]
    return [trouble.fault if trouble else "-" for trouble in troubles]


def test_without_rules_nothing_goes_wrong():
    assert chosen(Faults(), "operation purchase", "inquiry", "reversal") == ["-", "-", "-"]


def test_rules_are_used_up_in_order():
    faults = Faults([Rule(Fault.DROP), Rule(Fault.GARBAGE, times=2)])
    asked = ["operation purchase"] * 5
    assert chosen(faults, *asked) == ["drop", "garbage", "garbage", "-", "-"]
    assert faults.rules == []


def test_a_rule_lets_some_through_first():
    faults = Faults([Rule(Fault.DROP, times=2, skip=2), Rule(Fault.GARBAGE)])
    asked = ["operation purchase"] * 6
    assert chosen(faults, *asked) == ["-", "-", "drop", "drop", "garbage", "-"]


def test_a_rule_is_about_what_it_says():
    faults = Faults([Rule(Fault.DROP, what="inquiry"), Rule(Fault.GARBAGE, verb="refund")])
    asked = ["operation purchase", "inquiry", "operation refund", "reversal", "inquiry"]
    assert chosen(faults, *asked) == ["-", "drop", "garbage", "-", "-"]


@pytest.mark.parametrize(
    ("rule", "fitting"),
    [
        (Rule(Fault.DROP), {"operation purchase", "operation void", "inquiry", "reversal"}),
        (Rule(Fault.DROP, what="operation"), {"operation purchase", "operation void"}),
        (Rule(Fault.DROP, what="operation", verb="void"), {"operation void"}),
        (Rule(Fault.DROP, what="reversal"), {"reversal"}),
        (Rule(Fault.DROP, verb="void"), {"operation void"}),
    ],
)
def test_a_rule_fits_its_requests_only(rule, fitting):
    for request in ("operation purchase", "operation void", "inquiry", "reversal"):
        assert rule.fits(*words(request)) is (request in fitting)


def test_the_switch_goes_before_all_and_uses_nothing_up():
    faults = Faults([Rule(Fault.DROP)])
    faults.down = True
    assert faults.choose("operation", "purchase", "garbage") == Trouble(Fault.REFUSE, 0.0)
    assert chosen(faults, "inquiry") == ["refuse"]
    faults.down = False
    assert chosen(faults, "inquiry") == ["drop"]


def test_a_request_that_asks_for_trouble_gets_it_before_the_script():
    faults = Faults([Rule(Fault.DROP)])
    assert faults.choose("operation", "purchase", "garbage") == Trouble(Fault.GARBAGE, DELAY_S)
    assert faults.choose("operation", "purchase", "late_answer:5").delay_s == 5
    assert chosen(faults, "operation purchase") == ["drop"]


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("drop", Trouble(Fault.DROP, DELAY_S)),
        ("late_answer:0.5", Trouble(Fault.LATE_ANSWER, 0.5)),
        ("pending:0", Trouble(Fault.PENDING, 0)),
        ("pending:", Trouble(Fault.PENDING, DELAY_S)),
        ("", None),
        ("fire", None),
        ("fire:5", None),
        ("drop:soon", None),
        ("pending:-1", None),
        ("pending:inf", None),
        ("late_answer:nan", None),
        ("late_answer:1e300", None),
    ],
)
def test_trouble_is_read_from_a_word(text, trouble):
    assert parse(text) == trouble


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_read_by_its_name(fault):
    assert parse(fault.value) == Trouble(fault, DELAY_S)


# Over the line in this process


LIMIT_S = 0.05


def over_the_line(rule, then=None):
    """Send one purchase under a rule: what came of it, and what the network has in its book."""

    async def main():
        world = World()
        service = Service(world.network, Faults([rule] if rule else []))
        line = Line(service)
        try:
            answer = await line.send(post("operations", **world.order("purchase", 100)), LIMIT_S)
            came = answer.body if answer == GARBAGE else json.read_object(answer.body)
        except (NotSent, NoAnswer) as error:
            came = type(error).__name__
        if then is not None:
            await then(world, service)
        moved = [(m.status, m.taken_minor) for m in world.book.movements()]
        await line.close()
        return came, moved

    return asyncio.run(main())


DONE = [("approved", 100)]


def test_without_a_fault_the_answer_comes():
    came, moved = over_the_line(None)
    assert said(came) == "approved 00"
    assert moved == DONE


@pytest.mark.parametrize(
    ("fault", "what", "moved"),
    [
        (Fault.REFUSE, "NotSent", []),
        (Fault.DROP, "NoAnswer", DONE),
        (Fault.LOSE_ANSWER, "NoAnswer", DONE),
        (Fault.GARBAGE, GARBAGE.body, DONE),
        (Fault.LATE_DELIVERY, "NoAnswer", []),
    ],
)
def test_a_fault_spoils_the_answer_and_the_deed_as_it_says(fault, what, moved):
    assert over_the_line(Rule(fault, delay_s=60)) == (what, moved)


def test_a_late_answer_is_late_and_too_late():
    came, moved = over_the_line(Rule(Fault.LATE_ANSWER, delay_s=0.01))
    assert (said(came), moved) == ("approved 00", DONE)
    assert over_the_line(Rule(Fault.LATE_ANSWER, delay_s=60)) == ("NoAnswer", DONE)


def test_a_late_delivery_is_done_while_everybody_thinks_it_lost():
    async def later(world, service):
        del service
        assert world.book.movements() == []
        await asyncio.sleep(0.1)

    assert over_the_line(Rule(Fault.LATE_DELIVERY, delay_s=0.1), later) == ("NoAnswer", DONE)


def test_a_wrong_amount_is_more_than_anybody_asked():
    came, moved = over_the_line(Rule(Fault.WRONG_AMOUNT))
    assert came["amount_minor"] == 100 + TOO_MUCH_MINOR
    assert moved == DONE


def test_what_is_pending_is_neither_done_nor_refused():
    came, moved = over_the_line(Rule(Fault.PENDING, delay_s=0))
    assert said(came) == "pending 00"
    assert moved == [("pending", 0)]


def test_what_is_pending_is_decided_when_told():
    async def decide(world, service):
        (waiting,) = world.book.pending()
        decided = await service.decide(waiting.operation, "05")
        assert decided.status == "declined"

    _, moved = over_the_line(Rule(Fault.PENDING, delay_s=0), decide)
    assert moved == [("declined", 0)]


def test_twice_is_once_on_a_line_that_carries_one_answer():
    came, moved = over_the_line(Rule(Fault.ANSWER_TWICE))
    assert (said(came), moved) == ("approved 00", DONE)


def trouble(rules, request):
    chosen = Service(World().network, Faults(rules)).trouble(request)
    return chosen.fault if chosen else None


def test_requests_are_told_apart():
    order = post("operations", verb="refund")
    ask = Request("GET", "http://network/v1/operations/P.1")
    reverse = post("reversals", operation="P.1")
    for rule, fitting in (
        (Rule(Fault.DROP, verb="refund"), [order]),
        (Rule(Fault.DROP, what="operation"), [order]),
        (Rule(Fault.DROP, what="inquiry"), [ask]),
        (Rule(Fault.DROP, what="reversal"), [reverse]),
    ):
        for request in (order, ask, reverse):
            assert trouble([rule], request) == (Fault.DROP if request in fitting else None)


def test_a_request_asks_for_its_own_trouble():
    assert trouble([], post("operations", verb="refund", fault="garbage")) is Fault.GARBAGE
    assert trouble([], post("operations", verb="refund", fault="fire")) is None
    assert trouble([Rule(Fault.DROP)], post("operations", verb=5)) is None
    assert trouble([], Request("POST", "http://network/v1/operations", body=b'{"fault"')) is None


def test_operations_that_arrive_together_share_one_commit():
    async def main():
        world = World()
        commits = []
        commit = world.book.commit
        world.book.commit = lambda: commits.append(len(world.book.movements())) or commit()
        line = Line(Service(world.network, Faults()))
        orders = [world.order("purchase", 100, payment=str(n)) for n in range(10)]
        answers = await asyncio.gather(
            *(line.send(post("operations", **order), LIMIT_S) for order in orders)
        )
        await line.close()
        return commits, [answer.status for answer in answers]

    assert asyncio.run(main()) == ([10], [200] * 10)


def test_a_book_that_cannot_be_written_answers_nobody():
    async def main():
        world = World()

        def full():
            world.book.rollback()
            raise OSError("full")

        world.book.commit = full
        line = Line(Service(world.network, Faults()))
        orders = [world.order("purchase", 100, payment=str(n)) for n in range(3)]
        answers = await asyncio.gather(
            *(line.send(post("operations", **order), LIMIT_S) for order in orders),
            return_exceptions=True,
        )
        assert world.book.movements() == []
        await line.close()
        return {type(answer) for answer in answers}

    assert asyncio.run(main()) == {NoAnswer}
