"""Seeded lives of two terminals: tills, people, trouble, aborts, day-ends, crashes, all at once.

Every run lives through a few processes that die at random moments. Then all trouble is over, and
the run is judged: what the tills were told, what the journal holds, what the provider's book moved
and what the day-ends added up to must be the same. A seed repeats its run exactly:
`python -m tests.simulation.terminals --seed 7 --runs 1`.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from dataclasses import dataclass, field

from tests.faces.wpi.terminal import (
    ABORT,
    ACQUIRER_PARAMETERS,
    CANCEL_COMPLETION,
    CANCEL_PAYMENT,
    CANCEL_PRE_AUTHORIZATION,
    CANCEL_UPDATE,
    COMPLETION,
    CREDIT,
    DAY_END,
    DEFERRED,
    DEFERRED_COMPLETION,
    INFORMATION,
    LAST,
    MENU,
    PAYMENT,
    PAYMENT_PARAMETERS,
    PRE_AUTHORIZATION,
    PRINT,
    RECOGNITION,
    REFUND,
    UPDATE,
    Terminal,
)
from tollbridge.faces.wpi.scenario import AMOUNTS, CHOICES, Scenario
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import (
    Aborted,
    Cancelled,
    MenuChosen,
    MenuItem,
    TimedOut,
    TipAdded,
)
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.terminal.device import Planned
from tollbridge.testing.world import World

LIVES_MAX = 4
EXCHANGES_EACH = 7
CRASH_WITHIN = 120
CLOCK_JUMP_MAX_S = 5 * 86_400.0
TILLS = (("T1", "com.example.till"), ("T1", "com.example.shop"), ("T2", "com.example.till"))
OPENING = (PAYMENT, PAYMENT, PAYMENT, REFUND, PRE_AUTHORIZATION, DEFERRED)
LATER = {
    PAYMENT: (CANCEL_PAYMENT, CREDIT, REFUND),
    PRE_AUTHORIZATION: (UPDATE, COMPLETION, CANCEL_PRE_AUTHORIZATION),
    UPDATE: (CANCEL_UPDATE, UPDATE, COMPLETION),
    COMPLETION: (CANCEL_COMPLETION, CREDIT),
    DEFERRED: (DEFERRED_COMPLETION,),
    DEFERRED_COMPLETION: (CREDIT,),
}
OTHERS = (ABORT, ABORT, DAY_END, PRINT, LAST, LAST, INFORMATION, RECOGNITION, MENU,
          PAYMENT_PARAMETERS, ACQUIRER_PARAMETERS)  # fmt: skip
CURRENCIES = ("EUR", "EUR", "USD", "JPY")
CARDS = ("visa", "mastercard", "visa-sca-online", "visa-declined", "maestro", "twint",
         "phone", "broken-chip", "unreadable", "visa-refund-fails", "visa-debit",
         "mifare-classic")  # fmt: skip
BEHAVIOURS = (Cancelled(), TimedOut(), Aborted(), TipAdded(70))
CHOSEN = (MenuItem.TOTALS, MenuItem.REPRINT, MenuItem.PAYMENT_PARAMETERIZATION)
MAGIC = sorted({*range(4200, 4300), *AMOUNTS} - {4475})
"""All magic amounts but the one that lies to the till on purpose."""
SETTINGS = {
    "terminals": {"T2": {"tip": {}, "signature": "screen", "entries": ["chip", "contactless"]}},
    "limits": {"default": {"floor_minor": 3000, "contactless_minor": 8000}},
    "dcc": {"rates": {"USD": "1.0900", "GBP": "0.8500"}},
    "cancellable_last": 5,
    "offline_days": 7,
}  # fmt: skip


@dataclass
class Tally:
    """What a number of runs saw."""

    runs: int = 0
    exchanges: int = 0
    seen: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)

    def __str__(self):
        seen = ", ".join(f"{count} {what}" for what, count in sorted(self.seen.items()))
        return (
            f"{self.runs} runs of terminals, {self.exchanges} exchanges ({seen}),"
            f" {len(self.failures)} failures"
        )


class Life:
    """One run: two terminals, three tills, and the chance that rules them."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        patience_s = self.chance.choice([2, 12, 30])
        self.terminal = Terminal(World(seed), patience_s=patience_s, **SETTINGS)
        self.references = []
        self.sessions = []
        self.seen = Counter()

    def run(self):
        """Live, die, live again; recover, and be judged. Lists what must not be."""
        chance, terminal = self.chance, self.terminal
        for _ in range(chance.randint(1, LIVES_MAX)):
            crash_at = chance.choice([None, chance.randrange(CRASH_WITHIN)])
            self.seen["crashes"] += terminal.world.run(self._live(), crash_at)
            terminal.restart()
            if chance.random() < 0.3:
                terminal.world.clock.jump(chance.uniform(0, 1) * CLOCK_JUMP_MAX_S)
        found = terminal.verdict()
        return found + self._batches() + terminal.verdict()

    async def _live(self):
        await asyncio.gather(*(self._till(name, package) for name, package in TILLS))

    async def _till(self, name, package):
        chance = self.chance
        for _ in range(EXCHANGES_EACH):
            await asyncio.sleep(chance.choice([0, 0, 0.5, 3]))
            self._trouble(name)
            service, request, session = self._wish(name, package)
            answer = await self.terminal.exchange(
                service, request, session=session, package=package, terminal=name
            )
            self._hear(service, name, package, answer)

    def _wish(self, name, package):
        """Choose what a till asks for."""
        chance = self.chance
        money = {"currency": chance.choice(CURRENCIES), "requestedAmount": self._amount()}
        known = [each for each in self.references if each[0] == name]
        if chance.random() < 0.3:
            return self._other(name, package)
        if known and chance.random() < 0.45:
            _, before, reference, currency = chance.choice(known)
            service = chance.choice(LATER.get(before, (CANCEL_PAYMENT,)))
            amount = chance.choice([self._amount(), 500, 100, 0])
            money = {"currency": currency, "requestedAmount": amount}
            return service, {**money, "paymentSolutionReference": reference}, None
        return chance.choice(OPENING), money, None

    def _other(self, name, package):
        """Choose something that moves no money by itself."""
        chance, service = self.chance, self.chance.choice(OTHERS)
        own = [each for place, who, each in self.sessions if (place, who) == (name, package)]
        session = chance.choice(own) if own and service in {LAST, PRINT} else None
        if service == LAST and session is None:
            session = "never"
        if service == MENU:
            self.terminal.desk[name].script.will([MenuChosen(chance.choice(CHOSEN))])
        request = {
            PRINT: {"receiptTarget": chance.choice(["BOTH", "MERCHANT", "CARDHOLDER"])},
            DAY_END: {"receiptFormat": ["JSON"]},
            RECOGNITION: {"recognitionTimeout": 3000, "recognitionOptions": [], "currency": "EUR",
                          "requestedAmount": 500, "serviceType": PAYMENT},
        }.get(service, {})  # fmt: skip
        return service, request, session

    def _amount(self):
        chance = self.chance
        if chance.random() < 0.25:
            return chance.choice(MAGIC)
        return chance.choice([500, 1191, chance.randint(1, 9000)])

    def _trouble(self, name):
        """Let something go wrong, or people do something of their own."""
        chance, terminal = self.chance, self.terminal
        faults, device = terminal.world.faults, terminal.desk[name]
        if chance.random() < 0.3:
            fault = chance.choice(list(Fault))
            what = chance.choice(["operation", "operation", "inquiry", "parameters", ""])
            what = "operation" if fault is Fault.PENDING else what  # what else is put off?
            faults.rules.append(Rule(fault, what=what, delay_s=chance.choice([0.5, 3, 12, 25])))
        faults.down = chance.random() < (0.7 if faults.down else 0.05)
        if chance.random() < 0.4:
            device.script.will([chance.choice(CARDS)])
        if chance.random() < 0.1:
            device.script.will([chance.choice(BEHAVIOURS)])
        if chance.random() < 0.15:
            device.plan([Planned(self._scenario())])
        if chance.random() < 0.05:
            device.set_printer(chance.choice(["ready", "paper_empty", "defect"]))

    def _scenario(self):
        chance = self.chance
        name = chance.choice([*sorted(set(CHOICES) - {"at"}), "condition", "code", "pins"])
        match name:
            case "condition":
                return Scenario(condition=chance.choice(list(Condition)))
            case "code":
                return Scenario(code=chance.choice(["00", "05", "08", "60", "91", "92"]))
            case "pins":
                pins = (chance.choice(["wrong", "right"]), "right")
                return Scenario(verification="online_pin", pins=pins)
        words = [word for word in CHOICES[name] if word != "error_answer"]
        return Scenario(**{name: chance.choice(words)})

    def _hear(self, service, name, package, answer):
        """Remember what a till may come back to."""
        session = answer.extras.get("WPI_SESSION_ID")
        self.seen["exchanges"] += 1
        if answer.response is None:
            self.seen["unanswered"] += 1
            return
        self.seen[answer.condition.lower()] += 1
        if service == LAST:
            recovered = answer.extras["WPI_SERVICE_TYPE"] != LAST
            if recovered:
                self.terminal.told[name, package, session].append(answer)
            return
        if service in {PRINT, ABORT, INFORMATION}:
            return
        self.sessions.append((name, package, session))
        if "paymentSolutionReference" in answer.response and answer.condition == "NONE":
            currency = answer.response["currency"]
            self.references.append((name, service, answer.reference, currency))

    # Judging

    def _batches(self):
        """Close every batch; list what the day-ends of each terminal did not add up."""
        terminal, found, sums = self.terminal, [], Counter()
        for name in terminal.face.terminals:
            for _ in range(2):
                answer = terminal.send(DAY_END, {}, terminal=name)
                if answer.condition != "NONE":
                    found.append(f"{name}: a day-end without trouble answers {answer.remark}")
            if left := terminal.pages(f"{name}/offline/"):
                found.append(f"{name}: never uploaded: {left}")
            sums.update(self._closed(name))
        total = {code: minor for code, minor in sums.items() if minor}
        if total != terminal.taken:
            found.append(f"day-ends add up to {total}, taken is {terminal.taken}")
        return found

    def _closed(self, name):
        """What the day-ends of a terminal came to, from the receipts that are kept."""
        sums, periods = Counter(), []
        for key in self.terminal.pages(f"{name}/session/"):
            slip = self.terminal.page(key).get("slip") or {}
            if slip.get("kind") == "day_end":
                periods.append(slip["period"])
                self.seen["day-ends"] += 1
                for each in slip.get("totals", []):
                    sums[each["currency"]] += each["amount_minor"]
        assert len(periods) == len(set(periods)), "a batch was closed twice"
        return sums


def simulate(seed, runs, *, stop_at_failures=5):
    """Run seeds `seed` to `seed + runs - 1`. Failures name the seed that shows them."""
    tally = Tally()
    for one in range(seed, seed + runs):
        life = Life(one)
        failures = life.run()
        tally.runs += 1
        tally.exchanges += life.seen.pop("exchanges", 0)
        tally.seen.update(life.seen)
        tally.failures += [f"seed {one}: {wrong}" for wrong in failures]
        if len(tally.failures) >= stop_at_failures:
            break
    return tally


def main():
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
