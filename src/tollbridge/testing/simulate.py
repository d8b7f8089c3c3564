"""Seeded lives of an engine: askers, trouble, crashes and jumping clocks, all at once.

Every run lives through a few processes that crash at random moments, then recovers and is judged
like `crash_everywhere`. A seed repeats its run exactly: `python -m tollbridge.testing.simulate
--seed 7 --runs 1`.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tollbridge.core.payment import Payment
from tollbridge.core.verbs import OPENING, Verb
from tollbridge.ground.errors import UsageError
from tollbridge.ground.ids import PaymentId
from tollbridge.ground.money import Money
from tollbridge.sandbox.cards import CARDS
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing.world import World, card, continuing, opening

LIVES_MAX = 4
ASKERS = 6
ASKS_EACH = 8
CRASH_WITHIN = 160
CLOCK_JUMP_MAX_S = 2 * 24 * 3600.0
CURRENCIES = ("EUR", "JPY", "KWD", "CLF")


@dataclass
class Tally:
    """What a number of runs saw."""

    runs: int = 0
    payments: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        seen = ", ".join(f"{count} {what}" for what, count in sorted(self.seen.items()))
        return f"{self.runs} runs, {self.payments} payments ({seen}), {len(self.failures)} failures"


class Life:
    """One run: a world, and the chance that rules it."""

    def __init__(self, seed: int, world: Callable[[int], World]) -> None:
        self.chance = random.Random(seed)
        self.world = world(seed)
        self.names: list[PaymentId] = []
        self.asked = 0

    def run(self) -> Counter[str]:
        """Live, die, live again; recover. Tells what was seen."""
        seen: Counter[str] = Counter()
        for _ in range(self.chance.randint(1, LIVES_MAX)):
            crash_at = self.chance.choice([None, self.chance.randrange(CRASH_WITHIN)])
            seen["crashes"] += self.world.run(self._live(), crash_at)
            if self.chance.random() < 0.3:
                self.world.clock.jump(self.chance.uniform(-1, 1) * CLOCK_JUMP_MAX_S)
        self.world.recover()
        for payment in self.world.payments:
            seen.update(op.state.value for op in payment.operations)
            seen["abandoned"] += sum(op.abandoned for op in payment.operations)
        return seen

    async def _live(self) -> None:
        askers = (self._asker() for _ in range(ASKERS))
        await asyncio.gather(*askers)

    async def _asker(self) -> None:
        for _ in range(ASKS_EACH):
            self._trouble()
            try:
                payment = await self._ask()
            except UsageError:
                # Whoever asks at random asks for the impossible now and then.
                continue
            self.names.append(payment.id)
            await asyncio.sleep(self.chance.uniform(0, 3))
            if self.chance.random() < 0.05:
                self.world.clock.jump(self.chance.uniform(-1, 1) * CLOCK_JUMP_MAX_S)

    async def _ask(self) -> Payment:
        chance, world = self.chance, self.world
        self.asked += 1
        name = f"ask {self.asked if chance.random() < 0.9 else chance.randint(1, self.asked)}"
        verb = chance.choice(list(Verb))
        patience_s = chance.choice([None, None, 3.0, 15.0])
        if verb in OPENING or not self.names:
            verb = verb if verb in OPENING else Verb.PURCHASE
            money = Money.of(chance.randint(1, 9000), chance.choice(CURRENCIES))
            ask = opening(
                verb,
                name,
                None if verb in (Verb.VERIFY, Verb.STORE) else money,
                instrument=card(chance.choice(CARDS).account),
                partial_ok=chance.random() < 0.3,
                patience_s=patience_s,
            )
        else:
            payment = world.engine.load(chance.choice(self.names))
            unit = payment.currency.code if payment.currency else "EUR"
            some = Money.of(chance.randint(1, 3000), unit)
            amount = None if verb is Verb.VOID or chance.random() < 0.3 else some
            ask = continuing(
                verb,
                name,
                payment,
                amount=amount,
                final_capture=chance.random() < 0.5,
                patience_s=patience_s,
            )
        return await world.ask(ask)

    def _trouble(self) -> None:
        if self.chance.random() < 0.5:
            fault = self.chance.choice(list(Fault))
            what = self.chance.choice(["operation", "operation", "operation", "inquiry", ""])
            delay_s = self.chance.choice([0.5, 3.0, 12.0, 25.0])
            self.world.faults.rules.append(Rule(fault, what=what, delay_s=delay_s))


def simulate(
    seed: int, runs: int, world: Callable[[int], World] = World, *, stop_at_failures: int = 5
) -> Tally:
    """Run seeds `seed` to `seed + runs - 1`. Failures name the seed that shows them."""
    tally = Tally()
    for one in range(seed, seed + runs):
        life = Life(one, world)
        tally.seen.update(life.run())
        tally.runs += 1
        tally.payments += len(life.world.payments)
        tally.failures += [f"seed {one}: {wrong}" for wrong in life.world.differences()]
        if len(tally.failures) >= stop_at_failures:
            break
    return tally


def main() -> None:
    """Simulate from the command line; exit code 1 when a run failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=200)
    given = parser.parse_args()
    tally = simulate(given.seed, given.runs)
    sys.stdout.write(f"{tally}\n")
    for failure in tally.failures:
        sys.stdout.write(f"{failure}\n")
    sys.exit(bool(tally.failures))


if __name__ == "__main__":
    main()
