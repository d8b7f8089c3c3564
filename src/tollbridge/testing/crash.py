"""Crashes a scenario at every moment that matters, recovers, and holds the books together."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tollbridge.testing.world import Scenario, World


@dataclass
class Report:
    """How many runs, and what went wrong in which."""

    runs: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.runs} runs, {len(self.failures)} failures"

    def add(self, other: "Report") -> None:
        """Add another report to this one."""
        self.runs += other.runs
        self.failures += other.failures


def crash_everywhere(
    scenario: Scenario,
    name: str = "scenario",
    world: Callable[[], World] = World,
) -> Report:
    """Run a scenario without a crash, then once for every moment with a crash at it.

    A moment is before or after a commit of the journal or a message to the provider. After each
    run the engine starts again and recovers; then the provider's book must equal the journal, and
    nobody may have been told an untruth. `world` makes a fresh world for every run.
    """
    report = Report()
    moment: int | None = None
    while True:
        here = world()
        crashed = here.run(_whole(scenario, here), moment)
        here.recover()
        report.runs += 1
        report.failures += [f"{name}, crash at {moment}: {wrong}" for wrong in here.differences()]
        if moment is not None and not crashed:
            return report
        moment = 0 if moment is None else moment + 1


async def _whole(scenario: Scenario, world: World) -> None:
    await scenario(world)
