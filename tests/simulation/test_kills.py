"""kill -9 at random moments, with real processes and real files: see `kills.py`."""

from tests.simulation.kills import kill_everything


def test_fifty_kills_lose_nothing_and_double_nothing(tmp_path):
    outcome = kill_everything(tmp_path, kills=50, seed=1)
    print(outcome)
    assert sum(outcome.kills.values()) == 50
    assert outcome.payments > 50
    assert outcome.failures == []
