"""Crash at every moment of every path: no payment is lost, none is doubled, nobody is told lies.

A moment is before or after a commit or a message. After each crash the engine starts again, and
the provider's own book is held against the journal.
"""

from dataclasses import replace
from functools import partial

import pytest

from tollbridge.core.facts import Noted, Topic
from tollbridge.testing.crash import Report, crash_everywhere
from tollbridge.testing.scenarios import scenarios
from tollbridge.testing.world import World


def every_path(world=World, patience_s=None):
    report, worlds = Report(), []

    def made():
        worlds.append(world())
        return worlds[-1]

    for name, scenario in scenarios(patience_s):
        report.add(crash_everywhere(scenario, name, made))
    print(report)
    return report, worlds


def noted(worlds, topic):
    return sum(
        isinstance(fact, Noted) and fact.topic is topic
        for world in worlds
        for row in world.journal.entries()
        for fact in row.facts
    )


def without_inquiry(bridge):
    bridge.capabilities = replace(bridge.capabilities, inquiry=False)
    return bridge


@pytest.mark.parametrize("asker", ["comes back", "gives up early"])
def test_every_verb_with_every_ending_survives_a_crash_at_every_moment(asker):
    report, worlds = every_path(patience_s=5.0 if asker == "gives up early" else None)
    assert report.runs > 1000
    assert not report.failures, "\n".join(report.failures)
    assert (noted(worlds, Topic.ABANDONED) > 0) is (asker == "gives up early")


def test_a_provider_that_cannot_be_asked_is_sent_reversals():
    report, worlds = every_path(partial(World, can_be_asked=False, adapt=without_inquiry))
    assert report.runs > 1000
    assert not report.failures, "\n".join(report.failures)
    assert noted(worlds, Topic.REVERSING) > 0
