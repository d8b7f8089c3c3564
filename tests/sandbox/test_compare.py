"""Whatever differs between our journal and the network's book is said in plain words."""

import pytest

from tests.core.stories import NAME, table, told
from tollbridge.sandbox.book import Movement
from tollbridge.sandbox.compare import compare

# Our payment, the network's movements (verb, how it stands, amount), and what is said; the
# operation is the last one of the payment, or of the movements where we have none.
DIFFERENCES = """
ours                  | theirs                | said
purchase 100          | purchase approved 100 |
purchase 100 declined | purchase declined     |
purchase 100 declined |                       |
purchase 100 unsent   |                       |
purchase 100 unsent   | purchase reversed 100 |
verify                | verify approved       |
store                 | store approved        |
authorize 100; capture 60 | authorize approved 100; capture approved 60 |
purchase 100 lost     |                       | not know yet (dispatched), the network says unknown
purchase 100 lost     | purchase approved 100 | not know yet (dispatched), the network says approved
purchase 100 pending  | purchase pending      | not know yet (pending), the network says pending
purchase 100 wanted   |                       | not know yet (requested), the network says unknown
purchase 100          |                       | approved with us, unknown at the network
purchase 100          | purchase declined     | approved with us, declined at the network
purchase 100          | purchase reversed 100 | approved with us, reversed at the network
purchase 100          | purchase pending      | approved with us, pending at the network
purchase 100 unsent   | purchase approved 100 | unsent with us, approved at the network
purchase 100 declined | purchase approved 100 | declined with us, approved at the network
purchase 100          | purchase approved 99  | 1.00 EUR with us, 99 EUR (minor) at the network
purchase 100          | purchase approved 100 USD | 1.00 EUR with us, 100 USD (minor) at the network
purchase 100; refund 30 | purchase approved 100 | approved with us, unknown at the network
purchase 100          | purchase approved 100; refund approved 30 | only the network knows it
purchase 100          | purchase approved 100; refund declined |
purchase 100          | purchase approved 100; refund pending |
authorize 100         | authorize approved 100; expire approved 100 |
                      | purchase approved 5   | only the network knows it
                      | store approved        |
"""


def movements(text):
    """Read "verb status amount currency", one after the other with semicolons between them."""
    found = []
    for n, one in enumerate(filter(None, map(str.strip, text.split(";"))), 1):
        verb, status, *money = one.split()
        found.append(
            Movement(
                number=n,
                operation=f"{NAME}.{n}",
                payment=NAME,
                verb=verb,
                status=status,
                code="00",
                amount_minor=int(money[0]) if money else 0,
                currency=money[1] if len(money) > 1 else "EUR",
                at=1,
            )
        )
    return found


@pytest.mark.parametrize(("ours", "theirs", "difference"), table(DIFFERENCES))
def test_a_difference_is_named(ours, theirs, difference):
    payment = told(ours)
    said = compare([payment] if payment else [], movements(theirs))
    if difference:
        (line,) = said
        assert line.startswith(NAME)
        assert line.endswith(difference)
    else:
        assert said == []


def test_every_difference_is_listed():
    lost = told("purchase 100 lost")
    assert len(compare([lost], movements("purchase approved 100; refund approved 5"))) == 2
    assert compare([], []) == []
