"""Which operation is legal now, and for how much."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stories import NAME, facts, noon, table, told, wish
from tollbridge.core.asks import Ask
from tollbridge.core.decide import CONTINUING, decide, granted_by
from tollbridge.core.instrument import Card, InstrumentView, Token
from tollbridge.core.payment import after
from tollbridge.core.verbs import OPENING, Verb
from tollbridge.ground import errors
from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import AMOUNT_MINOR_MAX, Money
from tollbridge.ground.secret import Secret

REFUSALS = {
    "illegal": errors.IllegalOperation,
    "money": errors.InvalidMoney,
    "unresolved": errors.UnresolvedOperation,
}

DECISIONS = """
story                                 | ask              | verdict

# Opening verbs need an amount in a currency that takes payments today.
                                      | authorize 100    | 100 EUR
                                      | purchase 1 JPY   | 1 JPY
                                      | credit 100       | 100 EUR
                                      | authorize        | money: above zero
                                      | purchase 0       | money: above zero
                                      | credit -5        | money: above zero
                                      | verify           | nothing
                                      | store            | nothing
                                      | verify 100       | illegal: takes no amount
                                      | store 100        | 100 EUR
                                      | store 0          | money: above zero
                                      | purchase 5 BGN @2025-12-31 | 5 BGN
                                      | purchase 5 BGN @2026-01-01 | money: payments today; use EUR
                                      | purchase 5 XCG @2025-03-30 | money: no new payments today
                                      | purchase 5 XCG @2025-03-31 | 5 XCG

# The others continue a payment, and opening verbs do not.
                                      | capture 100      | illegal: continues a payment
                                      | refund           | illegal: continues a payment
                                      | void             | illegal: continues a payment
                                      | increment 5      | illegal: continues a payment
authorize 100                         | authorize 100    | illegal: opens a payment
purchase 100                          | store            | illegal: opens a payment

# Nothing else while an outcome is still to come.
authorize 100 wanted                  | capture 100      | unresolved: .1 has no outcome yet
authorize 100 lost                    | void             | unresolved: .1 has no outcome yet
authorize 100 pending                 | increment 5      | unresolved: .1 has no outcome yet
purchase 100; refund 50 lost          | refund 10        | unresolved: .2 has no outcome yet
verify wanted                         | void             | unresolved: .1 has no outcome yet

# Captures: up to what is authorized, all of it by default, nothing after the final one.
authorize 100                         | capture          | 100 EUR
authorize 100                         | capture 60       | 60 EUR
authorize 100                         | capture 101      | illegal: more than is left
authorize 100                         | capture 0        | money: above zero
authorize 100                         | capture -1       | money: above zero
authorize 100                         | capture 60 JPY   | money: in EUR, not in JPY
authorize 100; capture 60 open        | capture          | 40 EUR
authorize 100; capture 60 open        | capture 41       | illegal: more than is left
authorize 100; capture 60             | capture 1        | illegal: more than is left
authorize 100; capture 60 declined    | capture          | 100 EUR
authorize 100; capture 60 unsent      | capture          | 100 EUR
authorize 100; capture 60; void       | capture          | 100 EUR
authorize 100; increment 50           | capture          | 150 EUR
authorize 100; increment 50 declined  | capture 101      | illegal: more than is left
authorize 100 declined                | capture 1        | illegal: more than is left
authorize 100; void                   | capture 1        | illegal: more than is left
authorize 100 partial grants 60       | capture          | 60 EUR
authorize 100 partial grants 60       | capture 61       | illegal: more than is left
purchase 100                          | capture 1        | illegal: more than is left
credit 100                            | capture 1        | illegal: more than is left

# Increments: of an open authorization, never by default.
authorize 100                         | increment 50     | 50 EUR
authorize 100                         | increment        | money: above zero
authorize 100                         | increment 0      | money: above zero
authorize 100; capture 60 open        | increment 5      | 5 EUR
authorize 100; capture 60             | increment 5      | illegal: no open authorization
authorize 100; capture 100 open       | increment 5      | illegal: no open authorization
authorize 100; void                   | increment 5      | illegal: no open authorization
authorize 100 declined                | increment 5      | illegal: no open authorization
purchase 100                          | increment 5      | illegal: no open authorization
authorize 100                         | increment 5 USD  | money: not in USD

# Refunds: up to what was captured, all of it by default.
purchase 100                          | refund           | 100 EUR
purchase 100                          | refund 100       | 100 EUR
purchase 100                          | refund 101       | illegal: more than was captured
purchase 100; refund 30               | refund           | 70 EUR
purchase 100; refund 30; refund 70    | refund 1         | illegal: more than was captured
purchase 100; refund 100 declined     | refund           | 100 EUR
purchase 100 partial grants 60        | refund           | 60 EUR
authorize 100                         | refund 1         | illegal: more than was captured
authorize 100; capture 60             | refund           | 60 EUR
authorize 100; capture 60; void       | refund 1         | illegal: more than was captured
purchase 100; void                    | refund 1         | illegal: more than was captured
credit 100                            | refund 1         | illegal: more than was captured
verify                                | refund 1         | money: in None
purchase 100                          | refund 5 USD     | money: not in USD

# Voids: the last operation that counts, or the one named, all of it, unless something leans on it.
authorize 100                         | void             | 100 EUR #1
authorize 100                         | void 100         | 100 EUR #1
authorize 100                         | void 99          | money: undoes all of
authorize 100                         | void 100 USD     | money: undoes all of
authorize 100; increment 50           | void             | 50 EUR #2
authorize 100; increment 50           | void #1          | 150 EUR #1
authorize 100; increment 50           | void 150 #1      | 150 EUR #1
authorize 100; increment 50; increment 7 | void #2          | illegal: in use
authorize 100; increment 50; increment 7; void | void             | 50 EUR #2
authorize 100; increment 50; capture 101 open | void #2          | illegal: in use
authorize 100; increment 50; capture 100 open | void #2          | 50 EUR #2
authorize 100; capture 60             | void             | 60 EUR #2
authorize 100; capture 60             | void #1          | illegal: in use
authorize 100; capture 60; void       | void             | 100 EUR #1
authorize 100; capture 60; void       | void #2          | illegal: not approved or
authorize 100; void                   | void             | illegal: nothing left to void
authorize 100 declined                | void             | illegal: nothing left to void
authorize 100 declined                | void #1          | illegal: not approved or
authorize 100; capture 60 declined    | void             | 100 EUR #1
authorize 100 partial grants 60       | void             | 60 EUR #1
purchase 100                          | void             | 100 EUR #1
purchase 100; refund 1                | void             | illegal: in use
purchase 100; refund 1 declined       | void             | 100 EUR #1
purchase 100; refund 1                | void #2          | illegal: no operation 2
purchase 100                          | void #0          | illegal: no operation 0
purchase 100                          | void #2          | illegal: no operation 2
authorize 100; capture 60 open; capture 40; refund 30 | void             | 40 EUR #3
authorize 100; capture 60 open; capture 40; refund 30 | void #2          | 60 EUR #2
authorize 100; capture 60 open; capture 40; refund 50 | void #2          | illegal: in use
credit 100                            | void             | illegal: nothing left to void
verify                                | void             | illegal: nothing left to void

# A withdrawn currency: what still has to move is converted, what is undone is not.
purchase 1000 BGN @2025-12-30         | refund @2025-12-31 | 1000 BGN
purchase 1000 BGN @2025-12-30         | refund           | 1000 BGN as 511 EUR
purchase 1000 BGN @2025-12-30         | refund 500       | 500 BGN as 256 EUR
purchase 1000 BGN @2025-12-30; refund 500 | refund           | 500 BGN as 255 EUR
purchase 1000 BGN @2025-12-30         | refund 5 EUR     | money: in BGN, not in EUR
purchase 2 BGN @2025-12-30; refund 1  | refund 1         | money: less than one minor unit of EUR
authorize 1000 BGN @2025-12-30        | capture          | 1000 BGN as 511 EUR
authorize 1000 BGN @2025-12-30; capture 500 open | capture          | 500 BGN as 255 EUR
authorize 1000 BGN @2025-12-30        | increment 5      | money: payments today; use EUR
purchase 1000 BGN @2025-12-30         | void             | 1000 BGN #1
authorize 1000 BGN @2025-12-30; capture | void             | 1000 BGN as 511 EUR #2
"""


@pytest.mark.parametrize(("story", "ask", "verdict"), table(DECISIONS))
def test_the_amounts_of_a_payment_say_what_is_legal(story, ask, verdict):
    payment = told(story)
    wanted, now, _ = wish(ask, payment, "new")
    if ":" in verdict:
        name, message = verdict.split(": ", 1)
        with pytest.raises(REFUSALS[name]) as refused:
            decide(payment, wanted, now)
        assert message in str(refused.value)
        return
    request = decide(payment, wanted, now)
    words = verdict.split()
    target = int(words.pop()[1:]) if words[-1][0] == "#" else None
    money = [Money.of(int(n), code) for n, code in zip(words[::3], words[1::3], strict=False)]
    assert request.target == target
    assert [request.amount, request.tender] == ([money[0], money[-1]] if money else [None, None])
    assert (request.verb, request.key, request.at) == (wanted.verb, wanted.key, now)
    assert request.ordinal == (len(payment.operations) + 1 if payment else 1)
    assert (request.merchant, request.bridge) == ("corner shop", "sandbox")


def test_every_verb_is_ruled():
    assert OPENING | set(CONTINUING) | {Verb.VOID} == set(Verb)
    assert not OPENING & (set(CONTINUING) | {Verb.VOID})


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_is_refused_while_an_outcome_is_to_come(verb):
    payment = told("authorize 100 lost")
    with pytest.raises((errors.UnresolvedOperation, errors.IllegalOperation)):
        decide(
            payment, replace(wish("void", payment)[0], verb=verb, amount=None), noon("2026-03-01")
        )


def test_an_increment_may_be_as_large_as_money_can_be():
    payment = told("authorize 100")
    ask, now, _ = wish(f"increment {AMOUNT_MINOR_MAX}", payment)
    assert decide(payment, ask, now).amount.amount_minor == AMOUNT_MINOR_MAX


def test_what_the_asker_says_is_kept_with_the_request():
    view = InstrumentView("Visa", "424242******4242")
    ask = Ask(
        verb=Verb.PURCHASE,
        key=IdempotencyKey("a", "b"),
        amount=Money.of(1, "EUR"),
        merchant="m",
        bridge="b",
        instrument=Card(Secret("4242424242424242"), view),
        reference="r",
        details={"x": "y"},
        partial_ok=True,
        final_capture=False,
        patience_s=3,
    )
    request = decide(None, ask, noon("2026-03-01"))
    assert (request.merchant, request.bridge, request.view) == ("m", "b", view)
    assert (request.reference, request.details) == ("r", {"x": "y"})
    assert request.partial_ok
    assert not request.final_capture


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.data())
def test_refunds_after_the_changeover_sum_to_the_refund_of_the_whole(parts, data):
    payment = told(f"purchase {sum(parts)} BGN @2025-12-30")
    whole = Money.of(sum(parts), "BGN").in_successor()
    moved = Money.of(0, "EUR")
    while parts:
        part = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        ask, now, _ = wish(f"refund {part}", payment, f"refund {len(parts)}")
        try:
            request = decide(payment, ask, now)
        except InvalidMoney:  # less than one cent: it goes with the next one
            if parts:
                parts[-1] += part
            continue
        moved += request.tender
        payment = after(payment, facts(request, "approved"))
        assert Money(payment.amounts.refunded_minor, payment.currency).in_successor() == moved
    assert abs(whole.amount_minor - moved.amount_minor) <= (payment.amounts.refundable_minor > 0)


# Asking again


OPENED = Ask(
    verb=Verb.PURCHASE,
    key=IdempotencyKey("a", "1"),
    amount=Money.of(100, "EUR"),
    merchant="m",
    bridge="b",
    instrument=Token(Secret("tok"), InstrumentView("Visa")),
    reference="r",
    details={"x": "y"},
)
OTHER = PaymentId("01KJ0000000000000000000002")


def test_an_ask_is_granted_by_the_request_it_became():
    assert granted_by(decide(None, OPENED, noon("2026-03-01")), NAME, OPENED)


@pytest.mark.parametrize(
    "change",
    [
        {"verb": Verb.AUTHORIZE},
        {"amount": Money.of(101, "EUR")},
        {"amount": Money.of(100, "USD")},
        {"merchant": "n"},
        {"merchant": ""},
        {"bridge": "c"},
        {"instrument": None},
        {"instrument": Token(Secret("tok"), InstrumentView("Visa", "x"))},
        {"reference": ""},
        {"details": {}},
        {"details": {"x": "y", "z": ""}},
        {"partial_ok": True},
        {"final_capture": False},
        {"payment": NAME},
    ],
    ids=str,
)
def test_an_ask_for_something_else_is_not_granted(change):
    request = decide(None, OPENED, noon("2026-03-01"))
    assert not granted_by(request, NAME, replace(OPENED, **change))


@pytest.mark.parametrize("change", [{"patience_s": 9.0}, {"bridge": ""}, {"details": {"x": "y"}}])
def test_what_was_left_open_or_does_not_matter_is_granted(change):
    request = decide(None, OPENED, noon("2026-03-01"))
    assert granted_by(request, NAME, replace(OPENED, **change))


CONTINUED = """
story                          | asked              | asked again       | granted
authorize 100                  | capture            | capture           | yes
authorize 100                  | capture            | capture 100       | yes
authorize 100                  | capture 100        | capture           | yes
authorize 100                  | capture            | capture 99        | no
authorize 100                  | capture            | capture open      | no
authorize 100                  | void               | void              | yes
authorize 100                  | void               | void #1           | yes
authorize 100; increment 5     | void #1            | void #1 105       | yes
authorize 100; increment 5     | void               | void #1           | no
purchase 100                   | refund 5           | refund 5          | yes
purchase 100                   | refund 5           | refund 5 USD      | no
purchase 100                   | refund 100         | void              | no
"""


@pytest.mark.parametrize(("story", "asked", "again", "granted"), table(CONTINUED))
def test_asking_again_is_no_new_wish(story, asked, again, granted):
    payment = told(story)
    ask, now, _ = wish(asked, payment)
    request = decide(payment, ask, now)
    assert granted_by(request, NAME, wish(again, payment)[0]) is (granted == "yes")


def test_another_payment_is_another_wish():
    payment = told("authorize 100")
    ask, now, _ = wish("capture", payment)
    request = decide(payment, ask, now)
    assert not granted_by(request, OTHER, ask)
    assert not granted_by(request, NAME, replace(ask, payment=OTHER))
    assert not granted_by(request, NAME, replace(ask, payment=None))
