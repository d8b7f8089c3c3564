"""The network decides by its own book: holds, captures, refunds, voids, reversals, repetition."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.stories import table
from tests.sandbox.world import DAY_S, DEBIT, VISA, World, balanced, post, said, sums
from tollbridge.ground.money import AMOUNT_MINOR_MAX
from tollbridge.sandbox.network import Decision, answer, fields_of
from tollbridge.wire.http import Request

# Orders of one payment, one after the other: verb, amount, #target; how the last one ends, and
# what is held and taken in the end.
STORIES = """
orders                                                   | the last one | held taken
authorize 100                                            | approved 00  | 100 0
authorize 100; capture 100                               | approved 00  | 0 100
authorize 100; capture 60                                | approved 00  | 0 60
authorize 100; capture 60 open                           | approved 00  | 40 60
authorize 100; capture 60 open; capture 40               | approved 00  | 0 100
authorize 100; capture 60 open; capture 41               | declined 61  | 40 60
authorize 100; capture 101                               | declined 61  | 100 0
authorize 100; capture 60; capture 1                     | declined 12  | 0 60
authorize 100; capture 60 USD                            | declined 12  | 100 0
purchase 100; capture 1                                  | declined 12  | 0 100
capture 1                                                | declined 12  | 0 0
authorize 100; increment 50                              | approved 00  | 150 0
authorize 100; increment 50; capture 150                 | approved 00  | 0 150
authorize 100; increment 50 USD                          | declined 12  | 100 0
increment 50                                             | declined 12  | 0 0
purchase 100; increment 50                               | declined 12  | 0 100
authorize 100; capture 60; increment 50                  | declined 12  | 0 60
purchase 100; refund 100                                 | approved 00  | 0 0
purchase 100; refund 60; refund 40                       | approved 00  | 0 0
purchase 100; refund 101                                 | declined 61  | 0 100
purchase 100; refund 60; refund 41                       | declined 61  | 0 40
purchase 100; refund 5 USD                               | declined 12  | 0 100
authorize 100; refund 1                                  | declined 61  | 100 0
authorize 100; capture 60; refund 61                     | declined 61  | 0 60
authorize 100; capture 60 open; refund 60                | approved 00  | 40 0
credit 100; refund 1                                     | declined 61  | 0 -100
refund 1                                                 | declined 12  | 0 0
authorize 100; void 100 #1                               | approved 00  | 0 0
authorize 100; increment 50; void 150 #1                 | approved 00  | 0 0
authorize 100; increment 50; void 50 #2                  | approved 00  | 100 0
authorize 100; capture 60; void 60 #2                    | approved 00  | 100 0
authorize 100; capture 60; void 60 #2; capture 100       | approved 00  | 0 100
authorize 100; capture 60 open; void 100 #1              | declined 12  | 40 60
authorize 100; capture 60; void 60 #2; void 100 #1       | approved 00  | 0 0
purchase 100; void 100 #1                                | approved 00  | 0 0
purchase 100; void 100 #1; void 100 #1                   | declined 21  | 0 0
purchase 100; refund 30; void 100 #1                     | declined 12  | 0 70
purchase 100; void 100 #1; refund 1                      | declined 61  | 0 0
purchase 100; refund 30; void 30 #2                      | declined 12  | 0 70
purchase 100; void 100 #1; void 100 #2                   | declined 12  | 0 0
purchase 100; void 100 #2                                | declined 12  | 0 100
purchase 100; void 100 USD #1                            | declined 12  | 0 100
credit 100; void 100 #1                                  | declined 12  | 0 -100
verify; void 100 #1                                      | declined 12  | 0 0
purchase 4205; void 4205 #1                              | declined 12  | 0 0
void 100 #1                                              | declined 12  | 0 0
"""


def said_in(world, text, payment="P"):
    """Send an order told in words."""
    words = text.split()
    verb, more = words.pop(0), {}
    numbers = [int(word) for word in words if word.isdigit()]
    for word in words:
        if word[0] == "#":
            more["target"] = f"{payment}.{word[1:]}"
        elif word == "open":
            more["final_capture"] = False
    code = next((word for word in words if word.isupper()), "EUR")
    return world.send(verb, *numbers, code=code, payment=payment, **more)


@pytest.mark.parametrize(("orders", "last", "balance"), table(STORIES))
def test_the_book_says_what_is_possible(orders, last, balance):
    world = World()
    for order in orders.split(";"):
        answered = said_in(world, order)
    assert said(answered) == last
    assert world.balance() == tuple(int(word) for word in balance.split())
    assert balanced(world.book)


def test_an_approval_says_what_was_done():
    world = World()
    answered = world.send("purchase", 1191)
    assert answered == {
        "operation": "P.1",
        "status": "approved",
        "code": "00",
        "text": "approved",
        "reference": "NP.1",
        "amount_minor": 1191,
        "currency": "EUR",
        "authorization": answered["authorization"],
    }
    assert len(answered["authorization"]) == 6
    assert world.ask("P.1") == answered


def test_a_decline_says_why():
    assert World().send("purchase", 4205) == {
        "operation": "P.1",
        "status": "declined",
        "code": "05",
        "text": "do not honour",
        "reference": "NP.1",
    }


def test_a_payment_of_somebody_else_is_not_touched():
    world = World()
    world.send("purchase", 100, payment="A")
    world.send("authorize", 100, payment="B")
    assert said(world.send("void", 100, payment="B", target="A.1")) == "declined 12"
    assert said(world.send("refund", 50, payment="B")) == "declined 61"
    assert said(world.send("refund", 50, payment="C")) == "declined 12"
    assert world.balance() == (100, 100)


def test_what_continues_a_payment_goes_to_the_card_it_began_with():
    world = World()
    world.send("authorize", 100)
    world.send("increment", 50, card={"number": DEBIT})
    assert said(world.handle(post("operations", **world.order("capture", 150)))) == "approved 00"
    world.send("void", 150, target="P.3", token="")
    shown = world.order("capture", 150) | {"card": {"number": DEBIT}}
    assert said(world.handle(post("operations", **shown))) == "approved 00"
    assert world.balance() == (0, 150)
    assert world.balance("visa-debit") == (0, 0)


def test_a_refund_may_go_to_another_card():
    world = World()
    world.send("purchase", 100)
    shown = world.order("refund", 40) | {"card": {"number": DEBIT}}
    assert said(world.handle(post("operations", **shown))) == "approved 00"
    assert (world.balance(), world.balance("visa-debit")) == ((0, 100), (0, -40))


# The successor of a withdrawn currency


def test_a_purchase_in_leva_is_refunded_in_euro():
    world = World()
    world.send("purchase", 1000, "BGN")
    assert said(world.send("refund", 512)) == "declined 61"
    assert said(world.send("refund", 256)) == "approved 00"
    assert said(world.send("refund", 256)) == "declined 61"
    assert said(world.send("refund", 255)) == "approved 00"
    assert said(world.send("refund", 1)) == "declined 61"
    assert said(world.send("refund", 1, "BGN")) == "declined 12"
    assert (world.balance(code="BGN"), world.balance(code="EUR")) == ((0, 1000), (0, -511))


def test_a_void_is_in_the_currency_of_what_it_undoes():
    world = World()
    world.send("purchase", 1000, "BGN")
    assert said(world.send("void", 511, target="P.1")) == "declined 12"
    assert said(world.send("void", 1000, "BGN", target="P.1")) == "approved 00"
    assert world.balance(code="BGN") == (0, 0)


def test_many_small_captures_in_leva_are_refunded_as_one_sum():
    world = World()
    world.send("authorize", 400, "BGN")
    for _ in range(100):
        world.send("capture", 4, "BGN", final_capture=False)
    assert said(world.send("refund", 206)) == "declined 61"
    assert said(world.send("refund", 205)) == "approved 00"


# Holds


def test_a_hold_ends_after_seven_days_and_is_released():
    world = World()
    world.send("authorize", 100, payment="A")
    world.clock.advance(3 * DAY_S)
    world.send("authorize", 50, payment="B")
    world.clock.advance(4 * DAY_S - 1)
    world.ask("nothing")
    assert world.balance() == (150, 0)
    world.clock.advance(1)
    world.ask("nothing")
    assert world.balance() == (50, 0)
    assert said(world.send("capture", 100, payment="A")) == "declined 12"
    assert said(world.send("capture", 50, payment="B")) == "approved 00"
    assert balanced(world.book)


def test_an_expired_hold_gives_the_limit_back():
    world = World()
    world.send("authorize", 100_000, payment="A", card=DEBIT)
    assert said(world.send("purchase", 1, payment="B", card=DEBIT)) == "declined 51"
    world.clock.advance(7 * DAY_S)
    assert said(world.send("purchase", 100_000, payment="C", card=DEBIT)) == "approved 00"


def test_an_increment_begins_the_seven_days_anew():
    world = World()
    world.send("authorize", 100)
    world.clock.advance(6 * DAY_S)
    world.send("increment", 50)
    world.clock.advance(6 * DAY_S)
    assert said(world.send("capture", 150)) == "approved 00"


@pytest.mark.parametrize("last", [["capture", 100], ["void", 100]], ids=lambda order: order[0])
def test_a_hold_that_was_used_up_does_not_end(last):
    world = World()
    world.send("authorize", 100)
    world.send(*last, target="P.1")
    before = world.balance()
    world.clock.advance(30 * DAY_S)
    world.ask("nothing")
    assert world.balance() == before
    assert [m.verb for m in world.book.movements()] == ["authorize", last[0]]


def test_what_is_left_of_a_hold_after_a_part_was_captured_ends_too():
    world = World()
    world.send("authorize", 100)
    world.send("capture", 60, final_capture=False)
    world.clock.advance(7 * DAY_S)
    world.ask("nothing")
    assert world.balance() == (0, 60)
    assert said(world.send("refund", 60)) == "approved 00"


def test_holds_end_after_a_restart_too(tmp_path):
    world = World(tmp_path / "book")
    world.send("authorize", 100)
    world.clock.advance(7 * DAY_S - 1)
    world.reopen()
    world.ask("nothing")
    assert world.balance() == (100, 0)
    world.clock.advance(1)
    world.ask("nothing")
    assert world.balance() == (0, 0)


def test_undoing_what_has_expired_releases_nothing_twice():
    for undo in (
        lambda world: said_in(world, "void 100 #1"),
        lambda world: said_in(world, "void 50 #2"),
        lambda world: world.reverse("P.1"),
        lambda world: world.reverse("P.2"),
    ):
        world = World()
        world.send("authorize", 100)
        world.send("increment", 50)
        world.clock.advance(7 * DAY_S)
        world.ask("nothing")
        undo(world)
        assert world.balance() == (0, 0)
        assert balanced(world.book)


def test_a_payment_that_began_with_a_declined_card_expires_like_any_other():
    world = World()
    assert said(world.send("authorize", 100, card="4111111111111111")) == "declined 14"
    assert said(world.send("authorize", 100)) == "approved 00"
    world.clock.advance(7 * DAY_S)
    world.ask("nothing")
    assert world.balance() == (0, 0)


# Repetition


@pytest.mark.parametrize("verb", ["purchase", "authorize", "credit", "store", "verify"])
def test_the_same_operation_again_gives_the_same_answer_and_moves_nothing(verb):
    world = World()
    order = world.order(verb, 0 if verb in ("store", "verify") else 100)
    first = world.handle(post("operations", **order))
    before = world.book.movements()
    for _ in range(3):
        assert world.handle(post("operations", **order)) == first
    assert world.ask(order["operation"]) == first
    assert world.book.movements() == before
    assert balanced(world.book)


@pytest.mark.parametrize(
    ("story", "order"),
    [
        ("authorize 100", "capture 60"),
        ("authorize 100", "increment 60"),
        ("purchase 100", "refund 60"),
        ("purchase 100", "void 100 #1"),
        ("purchase 100", "refund 500"),
    ],
)
def test_what_continues_a_payment_is_done_once_too(story, order):
    world = World()
    said_in(world, story)
    first = said_in(world, order)
    before = (world.balance(), len(world.book.movements()))
    world.orders["P"] -= 1
    assert said_in(world, order) == first
    assert (world.balance(), len(world.book.movements())) == before


@pytest.mark.parametrize(
    "change",
    [{"amount_minor": 101}, {"currency": "USD"}, {"verb": "authorize"}, {"payment": "Q"}],
    ids=str,
)
def test_one_name_for_two_operations_is_refused(change):
    world = World()
    order = world.order("purchase", 100)
    world.handle(post("operations", **order))
    again = world.handle(post("operations", **order | change))
    assert (again["http"], again["code"]) == (409, "94")
    assert world.balance() == (0, 100)


def test_an_operation_is_known_after_a_restart(tmp_path):
    world = World(tmp_path / "book")
    order = world.order("purchase", 100)
    first = world.handle(post("operations", **order))
    world.reopen()
    assert world.handle(post("operations", **order)) == first
    assert world.balance() == (0, 100)


# Reversals


def test_a_reversal_takes_an_operation_back():
    for story, undone, balance in (
        ("purchase 100", "P.1", (0, 0)),
        ("authorize 100", "P.1", (0, 0)),
        ("credit 100", "P.1", (0, 0)),
        ("authorize 100; increment 50", "P.2", (100, 0)),
        ("authorize 100; capture 60", "P.2", (100, 0)),
        ("purchase 100; refund 30", "P.2", (0, 100)),
        ("purchase 100; void 100 #1", "P.2", (0, 100)),
        ("purchase 100; refund 30", "P.1", (0, 0)),
        ("purchase 4205", "P.1", (0, 0)),
    ):
        world = World()
        for order in story.split(";"):
            said_in(world, order)
        for _ in range(2):
            assert world.reverse(undone) == {"operation": undone, "code": "00"}
            assert world.balance() == balance
        assert balanced(world.book)


def test_a_reversed_operation_says_so_and_is_not_done_again():
    world = World()
    order = world.order("purchase", 100)
    world.handle(post("operations", **order))
    world.reverse("P.1")
    assert world.ask("P.1")["status"] == "reversed"
    assert world.handle(post("operations", **order))["status"] == "reversed"
    assert world.balance() == (0, 0)


def test_a_reversed_authorization_cannot_be_captured():
    world = World()
    world.send("authorize", 100)
    world.reverse("P.1")
    assert said(world.send("capture", 100)) == "declined 12"
    world.clock.advance(30 * DAY_S)
    world.ask("nothing")
    assert world.balance() == (0, 0)


def test_a_reversed_capture_can_be_captured_again_and_expires():
    world = World()
    world.send("authorize", 100)
    world.send("capture", 60)
    world.reverse("P.2")
    assert said(world.send("capture", 100)) == "approved 00"
    world.reverse("P.3")
    world.clock.advance(30 * DAY_S)
    world.ask("nothing")
    assert world.balance() == (0, 0)


def test_a_reversed_void_can_be_voided_again():
    world = World()
    world.send("purchase", 100)
    world.send("void", 100, target="P.1")
    world.reverse("P.2")
    assert said(world.send("void", 100, target="P.1")) == "approved 00"
    assert world.balance() == (0, 0)


@pytest.mark.parametrize("verb", ["purchase", "authorize", "credit", "store", "verify"])
def test_an_operation_that_was_reversed_before_it_came_is_declined(verb, tmp_path):
    world = World(tmp_path / "book")
    order = world.order(verb, 0 if verb in ("store", "verify") else 100)
    assert world.reverse("P.1") == {"operation": "P.1", "code": "00"}
    assert world.ask("P.1")["http"] == 404
    world.reopen()
    assert said(world.handle(post("operations", **order))) == "declined 21"
    assert said(world.ask("P.1")) == "declined 21"
    world.reverse("P.1")
    assert said(world.ask("P.1")) == "declined 21"
    assert world.balance() == (0, 0)


# Pending


def test_a_pending_operation_moves_money_only_when_it_is_decided():
    world = World()
    assert said(world.pend(world.order("purchase", 100), 5)) == "pending 00"
    assert world.balance() == (0, 0)
    world.clock.advance(4.999)
    assert said(world.ask("P.1")) == "pending 00"
    world.clock.advance(0.001)
    assert said(world.ask("P.1")) == "approved 00"
    assert world.balance() == (0, 100)
    assert len(world.ask("P.1")["authorization"]) == 6


@pytest.mark.parametrize(
    ("code", "status", "balance"),
    [("00", "approved", (100, 0)), ("08", "approved", (100, 0)), ("05", "declined", (0, 0))],
)
def test_a_pending_operation_waits_until_somebody_decides(code, status, balance):
    world = World()
    world.pend(world.order("authorize", 100), 0)
    world.clock.advance(30 * DAY_S)
    assert said(world.ask("P.1")) == "pending 00"
    (waiting,) = world.book.pending()
    decided = world.network.decide_pending(waiting, code)
    world.book.commit()
    assert (decided.status, world.ask("P.1")["status"]) == (status, status)
    assert world.balance() == balance
    assert world.book.pending() == []
    assert balanced(world.book)
    if status == "approved":
        assert said(world.send("capture", 100)) == "approved 00"


def test_a_pending_operation_is_approved_only_if_the_book_allows_it_then():
    world = World()
    world.pend(world.order("purchase", 60_000, payment="A", card=DEBIT), 5)
    world.send("purchase", 60_000, payment="B", card=DEBIT)
    world.clock.advance(5)
    assert said(world.ask("A.1")) == "declined 51"


def test_a_pending_operation_can_be_reversed():
    world = World()
    world.pend(world.order("purchase", 100), 5)
    world.reverse("P.1")
    world.clock.advance(5)
    assert world.ask("P.1")["status"] == "reversed"
    assert world.balance() == (0, 0)


def test_a_pending_operation_is_repeated_and_decided_once():
    world = World()
    order = world.order("purchase", 100)
    world.pend(order, 5)
    assert said(world.pend(order, 5)) == "pending 00"
    assert said(world.handle(post("operations", **order))) == "pending 00"
    world.clock.advance(5)
    for _ in range(2):
        assert said(world.handle(post("operations", **order))) == "approved 00"
    assert world.balance() == (0, 100)


def test_what_cannot_be_approved_later_is_not_pending():
    world = World()
    unknown = world.order("purchase", 100, payment="A", card="4111111111111111")
    assert said(world.pend(unknown, 5)) == "declined 14"
    world.reverse("B.1")
    assert said(world.pend(world.order("purchase", 100, payment="B"), 5)) == "declined 21"
    refused = world.network.pend(post("operations", verb="dance"), 0)
    assert refused.status == 400
    world.clock.advance(5)
    assert world.ask("B.1")["status"] == "declined"


def test_a_pending_store_gives_its_token_when_it_is_approved():
    world = World()
    waiting = world.pend(world.order("store"), 5)
    assert "details" not in waiting
    world.clock.advance(5)
    token = world.ask("P.1")["details"]["token"]
    assert said(world.send("purchase", 100, payment="Q", token=token)) == "approved 00"


# Inquiries and malformed requests


def test_an_unknown_operation_is_not_found():
    asked = World().ask("P.1")
    assert (asked["http"], asked["code"]) == (404, "25")


def test_a_network_that_cannot_be_asked_says_so():
    world = World(can_be_asked=False)
    world.send("purchase", 100)
    assert world.ask("P.1")["http"] == 501
    assert world.ask("P.2")["http"] == 501
    assert world.reverse("P.1")["code"] == "00"


GOOD = {"operation": "P.1", "payment": "P", "verb": "purchase"}
EURO = {**GOOD, "amount_minor": 100, "currency": "EUR"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        GOOD,
        {**EURO, "verb": "dance"},
        {**EURO, "verb": None},
        {**EURO, "amount_minor": 0},
        {**EURO, "amount_minor": -1},
        {**EURO, "amount_minor": 1.5},
        {**EURO, "amount_minor": "1"},
        {**EURO, "amount_minor": AMOUNT_MINOR_MAX + 1},
        {**EURO, "amount_minor": 10**30},
        {**EURO, "verb": "verify", "amount_minor": 10**30},
        {**EURO, "verb": "store", "amount_minor": -(10**30)},
        {**EURO, "currency": "XXX"},
        {**EURO, "currency": "euro"},
        {**EURO, "currency": ""},
        {**EURO, "operation": "x" * 201},
        {**EURO, "card": "4242424242424242"},
        {**EURO, "card": {"number": 4242424242424242}},
        {**EURO, "partial_ok": "yes"},
    ],
    ids=str,
)
def test_a_malformed_order_is_refused_and_not_written(fields):
    world = World()
    refused = world.handle(post("operations", **fields))
    assert (refused["http"], refused["code"]) == (400, "30")
    assert refused["text"]
    assert world.book.movements() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"operation":1}', b"{}"])
@pytest.mark.parametrize("path", ["operations", "reversals"])
def test_what_is_no_request_is_refused(path, body):
    world = World()
    assert world.handle(Request("POST", f"http://network/v1/{path}", body=body))["http"] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "v1/operations"),
        ("PUT", "v1/operations"),
        ("POST", "v1/operations/P.1"),
        ("GET", "v1/reversals"),
        ("GET", "v1/operations/P.1/more"),
        ("POST", "operations"),
        ("GET", ""),
    ],
)
def test_an_address_that_is_none_is_not_found(method, path):
    world = World()
    assert world.handle(Request(method, f"http://network/{path}"))["http"] == 404


def test_a_question_in_the_address_does_not_matter():
    world = World()
    world.send("purchase", 100)
    asked = Request("GET", "http://network/v1/operations/P.1?why=not")
    assert said(world.handle(asked)) == "approved 00"


def test_a_decision_says_how_it_stands():
    assert Decision("00").status == "approved"
    assert Decision("10").status == "declined"
    assert Decision("10", 5).status == "approved"
    assert Decision("00", undecided=True).status == "pending"
    assert Decision("91").status == "declined"


def test_an_answer_is_the_fields_as_json():
    world = World()
    world.send("purchase", 100)
    (movement,) = world.book.movements()
    assert world.ask("P.1") == fields_of(movement)
    assert answer(movement).headers["content-type"] == "application/json"


# Anything in any order


PAYMENTS = st.sampled_from("PQR")
ORDINALS = st.integers(1, 6)
AMOUNTS = st.sampled_from([1, 30, 50, 100, 100, 4205, 4210, 60_000, 100_000])
ORDERS = [
    "authorize",
    "authorize",
    "purchase",
    "purchase",
    "credit",
    "store",
    "capture",
    "capture",
    "increment",
    "refund",
    "void",
    "void",
]
EVENTS = st.one_of(
    st.tuples(
        st.just("send"),
        PAYMENTS,
        st.sampled_from(ORDERS),
        AMOUNTS,
        st.sampled_from(["EUR", "EUR", "EUR", "EUR", "USD"]),
        st.sampled_from([VISA, DEBIT]),
        ORDINALS,
        st.booleans(),
    ),
    st.tuples(st.just("again"), st.integers(0, 20)),
    st.tuples(st.just("pend"), PAYMENTS, AMOUNTS),
    st.tuples(st.just("reverse"), PAYMENTS, ORDINALS),
    st.tuples(st.just("wait"), st.sampled_from([1, DAY_S, 4 * DAY_S, 8 * DAY_S])),
    st.tuples(st.just("reopen")),
)


class Anything:
    """A network to which anything is sent."""

    def __init__(self, file):
        self.world = World(file)
        self.sent = []

    def send(self, payment, verb, amount, code, card, target, flag):
        order = self.world.order(
            verb,
            0 if verb == "store" else amount,
            code,
            payment=payment,
            card=card,
            target=f"{payment}.{target}",
            partial_ok=flag,
            final_capture=flag,
        )
        self.sent.append((order, self.world.handle(post("operations", **order))))

    def again(self, place):
        if self.sent:
            order, first = self.sent[place % len(self.sent)]
            before = self.world.book.movements()
            second = self.world.handle(post("operations", **order))
            if second["status"] == first["status"]:
                assert second == first
            else:
                assert second["status"] == "reversed"
            # What time did meanwhile is not what the repetition did.
            moved = [m for m in self.world.book.movements() if m.verb != "expire"]
            assert moved == [m for m in before if m.verb != "expire"]

    def pend(self, payment, amount):
        self.world.pend(self.world.order("purchase", amount, payment=payment), 2)

    def reverse(self, payment, ordinal):
        assert self.world.reverse(f"{payment}.{ordinal}")["code"] == "00"

    def wait(self, seconds):
        self.world.clock.advance(seconds)
        self.world.ask("nothing")

    def reopen(self):
        self.world.reopen()


@settings(max_examples=60)
@given(st.lists(EVENTS, min_size=5, max_size=25))
def test_whatever_is_sent_the_book_balances_and_nothing_is_given_away(tmp_path_factory, events):
    anything = Anything(tmp_path_factory.mktemp("network") / "book")
    for name, *words in events:
        getattr(anything, name)(*words)
        book = anything.world.book
        assert balanced(book)
        movements = book.movements()
        credited = {m.payment for m in movements if m.verb == "credit"}
        for payment in {m.payment for m in movements} - credited:
            of_it = [m for m in movements if m.payment == payment]
            assert sum(m.held_minor for m in of_it) >= 0
            assert sum(m.taken_minor for m in of_it) >= 0
        for account in book.accounts():
            if account.limit_minor is not None:
                assert account.held_minor >= 0
        assert sum(held for held, _ in sums(movements).values()) >= 0
    anything.world.book.close()
