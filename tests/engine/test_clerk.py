"""Group commit: many changes in one transaction, and none kept waiting for nothing."""

import asyncio
import threading
import time

import pytest

from tollbridge.engine.clerk import Clerk


class Disk:
    """Remembers which changes were written together, and in which thread."""

    def __init__(self, takes_s=0.0):
        self.takes_s = takes_s
        self.batches = []
        self.threads = []

    def commit(self, changes):
        self.batches.append(list(changes))
        self.threads.append(threading.current_thread())
        time.sleep(self.takes_s)
        return [f"wrote {change}" for change in changes]


def run(main):
    return asyncio.run(asyncio.wait_for(main, 10))


@pytest.mark.parametrize("threaded", [True, False])
def test_everybody_gets_the_result_of_their_own_change(threaded):
    async def main():
        clerk = Clerk(Disk().commit, threaded=threaded)
        got = await asyncio.gather(*(clerk.write(number) for number in range(50)))
        await clerk.close()
        return got

    assert run(main()) == [f"wrote {number}" for number in range(50)]


def test_what_is_wanted_at_one_moment_is_written_together():
    disk = Disk()

    async def main():
        clerk = Clerk(disk.commit, threaded=True)
        await asyncio.gather(*(clerk.write(number) for number in range(50)))
        await clerk.close()

    run(main())
    assert disk.batches == [list(range(50))]


def test_what_arrives_while_the_loop_goes_round_joins_the_commit():
    disk = Disk()

    async def late(clerk, rounds, change):
        for _ in range(rounds):
            await asyncio.sleep(0)
        await clerk.write(change)

    async def main():
        clerk = Clerk(disk.commit, threaded=True)
        await asyncio.gather(*(late(clerk, rounds, rounds) for rounds in (0, 0, 2, 4)))
        await clerk.close()

    run(main())
    assert disk.batches == [[0, 0, 2, 4]]


def test_a_change_that_is_alone_is_not_kept_waiting():
    rounds = []

    async def main():
        clerk = Clerk(Disk().commit, threaded=False)
        for _ in range(3):
            written, count = clerk.write("one"), 0
            while not written.done():
                await asyncio.sleep(0)
                count += 1
            rounds.append(count)
        await clerk.close()

    run(main())
    assert max(rounds) <= 2


def test_long_commits_leave_the_loop_and_short_ones_stay_in_it():
    disk = Disk(takes_s=0.01)

    async def main():
        clerk = Clerk(disk.commit, threaded=True)
        await clerk.write("long")
        await clerk.write("long")
        disk.takes_s = 0.0
        await clerk.write("short, but nobody knows yet")
        await clerk.write("short")
        await clerk.close()

    run(main())
    loop = threading.main_thread()
    assert [thread is loop for thread in disk.threads] == [False, False, False, True]


def test_a_flood_of_changes_does_not_put_the_commit_off():
    disk = Disk()

    async def main():
        clerk = Clerk(disk.commit, threaded=False)
        for number in range(200):
            clerk.write(number)
            await asyncio.sleep(0)
        await clerk.close()

    run(main())
    assert max(len(batch) for batch in disk.batches) <= 40
    assert [change for batch in disk.batches for change in batch] == list(range(200))


@pytest.mark.parametrize("threaded", [True, False])
def test_a_commit_that_fails_fails_for_everybody_in_it(threaded):
    def commit(_):
        raise OSError("disk full")

    async def main():
        clerk = Clerk(commit, threaded=threaded)
        got = await asyncio.gather(clerk.write(1), clerk.write(2), return_exceptions=True)
        await clerk.close()
        return got

    assert [type(error) for error in run(main())] == [OSError, OSError]
