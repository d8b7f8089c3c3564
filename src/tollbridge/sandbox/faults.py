"""What can go wrong on the way to a provider, on demand.

A fault is chosen, in this order, by the request itself, by the script (rules set over the control
API or the command line, used up in order), and by the switch that takes the whole network down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Fault(StrEnum):
    """One kind of trouble."""

    REFUSE = "refuse"
    """The connection is refused: nothing arrives."""
    LOSE_ANSWER = "lose_answer"
    """Done, but silence comes back."""
    DROP = "drop"
    """Done, and the connection breaks before the answer."""
    LATE_ANSWER = "late_answer"
    """Done, and answered after `delay_s`."""
    LATE_DELIVERY = "late_delivery"
    """Silence; done `delay_s` later, while everybody thinks it is lost."""
    ANSWER_TWICE = "answer_twice"
    """Done, and answered twice."""
    GARBAGE = "garbage"
    """Done, and answered with bytes that mean nothing."""
    WRONG_AMOUNT = "wrong_amount"
    """Done, and answered with a far larger amount."""
    PENDING = "pending"
    """Neither done nor refused: decided after `delay_s`, or when told (0)."""


DELAY_S = 3.0
DELAY_S_MAX = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Trouble for the next `times` requests that fit, after `skip` that are let through.

    `what` is "operation", "inquiry", "reversal", "parameters" or "" for any; `verb` narrows
    operations.
    """

    fault: Fault
    times: int = 1
    skip: int = 0
    what: str = ""
    verb: str = ""
    delay_s: float = DELAY_S

    def fits(self, what: str, verb: str) -> bool:
        """Say whether the rule is about such a request."""
        return self.what in ("", what) and self.verb in ("", verb)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What shall happen to one request."""

    fault: Fault
    delay_s: float


class Faults:
    """The script and the switch."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.rules = list(rules)
        self.down = False

    def choose(self, what: str, verb: str, asked: str = "") -> Trouble | None:
        """Choose what happens to a request; `asked` is what the request asks for itself,
        a fault with an optional delay, for example "late_answer:5"."""
        if self.down:
            return Trouble(Fault.REFUSE, 0.0)
        if asked:
            return parse(asked)
        for place, rule in enumerate(self.rules):
            if rule.fits(what, verb):
                self._use(place, rule)
                return Trouble(rule.fault, rule.delay_s) if not rule.skip else None
        return None

    def _use(self, place: int, rule: Rule) -> None:
        if rule.skip:
            self.rules[place] = replace(rule, skip=rule.skip - 1)
        elif rule.times > 1:
            self.rules[place] = replace(rule, times=rule.times - 1)
        else:
            del self.rules[place]


def parse(text: str) -> Trouble | None:
    """Read "fault" or "fault:seconds"; None when there is no such fault or time."""
    name, _, delay = text.partition(":")
    try:
        trouble = Trouble(Fault(name), float(delay) if delay else DELAY_S)
    except ValueError:
        return None
    return trouble if 0 <= trouble.delay_s <= DELAY_S_MAX else None
