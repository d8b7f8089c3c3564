"""Drives any flow: takes what it yields, does it, sends back what came of it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tollbridge.ground.errors import JournalError, UsageError
from tollbridge.ground.flow import Flow

R = TypeVar("R")
Do = Callable[[Any], Awaitable[Any]]


async def drive(flow: Flow[R], do: Do) -> R:
    """Run a flow to its end. `do` grants one wish.

    UsageError and JournalError go back into the flow. Everything else ends it: flows do not see
    transport errors.
    """
    try:
        wanted = next(flow)
    except StopIteration as end:
        result: R = end.value
        return result
    return await resume(flow, wanted, do)


async def resume(flow: Flow[R], wanted: Any, do: Do) -> R:
    """Run a flow on from a wish it has already yielded."""
    try:
        while True:
            try:
                got = await do(wanted)
            except (UsageError, JournalError) as error:
                wanted = flow.throw(error)
            else:
                wanted = flow.send(got)
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        flow.close()
