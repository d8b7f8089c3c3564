"""A till at a crooked terminal."""

import pytest

from tests.wpi_client.crooked import Crooked
from tollbridge.wpi_client import BlockingWpiClient, Options

QUICK = {"recovery_s": 3.0, "in_flight_s": 0.05, "pause_s": 0.01, "pause_most_s": 0.05}


@pytest.fixture
def crooked():
    with Crooked() as terminal:
        yield terminal


@pytest.fixture
def opened(tmp_path, crooked):
    """Open tills on one journal; all are closed in the end."""
    tills = []

    def opened(url=None, *, package="com.example.till", terminal="", **options):
        tills.append(
            BlockingWpiClient(
                url or crooked.url,
                token="secret",
                package=package,
                terminal=terminal,
                journal=tmp_path / "till.sqlite",
                options=Options(**(QUICK | options)),
            )
        )
        return tills[-1]

    yield opened
    for till in tills:
        till.close()


@pytest.fixture
def till(opened):
    return opened()
