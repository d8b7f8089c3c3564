"""The paths a payment can take: every verb, with every ending a provider can give it."""

from collections.abc import Iterator

from tollbridge.core.payment import Payment
from tollbridge.core.verbs import MOVES_NOTHING, OPENING, Verb
from tollbridge.ground.money import Money
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing.world import Scenario, World, card, continuing, opening

HUNDRED = Money.of(10_000, "EUR")
TEN = Money.of(1000, "EUR")
REFUSED = Money.of(4205, "EUR")
HOLD_ENDS_S = 8 * 24 * 3600.0
ENDINGS = ("approved", "declined", *Fault)


def scenarios(patience_s: float | None = None) -> Iterator[tuple[str, Scenario]]:
    """Give every verb with every ending, by name."""
    for verb in Verb:
        for ending in ENDINGS:
            if verb in MOVES_NOTHING and ending is Fault.WRONG_AMOUNT:
                continue
            yield f"{verb} {ending}", _scenario(verb, str(ending), patience_s)


def _scenario(verb: Verb, ending: str, patience_s: float | None) -> Scenario:
    async def scenario(world: World) -> None:
        if verb in OPENING:
            _order(world, ending)
            amount = None if verb in MOVES_NOTHING else HUNDRED
            account = "visa-declined" if ending == "declined" else "visa"
            ask = opening(verb, "one", amount, instrument=card(account), patience_s=patience_s)
        else:
            payment = await _prelude(world, verb, ending)
            _order(world, ending)
            amount = REFUSED if ending == "declined" else TEN
            amount = None if verb is Verb.VOID else amount
            ask = continuing(verb, "two", payment, amount=amount, patience_s=patience_s)
        # Asked twice: a till that got no answer asks again.
        await world.ask(ask)
        await world.ask(ask)

    return scenario


async def _prelude(world: World, verb: Verb, ending: str) -> Payment:
    """Do what must be there before."""
    expiring = verb is Verb.VOID and ending == "declined"
    captured = verb in (Verb.REFUND, Verb.VOID) and not expiring
    payment = await world.ask(
        opening(Verb.PURCHASE if captured else Verb.AUTHORIZE, "one", HUNDRED)
    )
    if expiring:
        # A hold that has ended is what makes a network refuse a void.
        world.clock.advance(HOLD_ENDS_S)
    return payment


def _order(world: World, ending: str) -> None:
    if ending in set(Fault):
        fault = Fault(ending)
        delay_s = 20.0 if fault in (Fault.LATE_DELIVERY, Fault.LATE_ANSWER) else 3.0
        world.faults.rules.append(Rule(fault, what="operation", delay_s=delay_s))
