"""The same client for programs that do not await.

with BlockingWpiClient(url, token=token, package="com.example.till", journal="till.db") as till:
    till.recover()
    paid = till.payment(1191, "EUR")
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from tollbridge.engine.background import BackgroundLoop
from tollbridge.ground.secret import Secret
from tollbridge.wpi_client.client import USUAL, WpiClient
from tollbridge.wpi_client.options import Options

P = ParamSpec("P")
R = TypeVar("R")


def _waiting(
    call: Callable[Concatenate[WpiClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["BlockingWpiClient", P], R]:
    """Make a method that waits for the client's."""

    @wraps(call)
    def wait(self: "BlockingWpiClient", /, *args: P.args, **more: P.kwargs) -> R:
        return self._loop.run(call(self._client, *args, **more))

    return wait


def _at_once(
    call: Callable[Concatenate[WpiClient, P], R],
) -> Callable[Concatenate["BlockingWpiClient", P], R]:
    """Make a method of one that does not wait; it runs where the client lives."""

    async def ready(client: WpiClient, /, *args: P.args, **more: P.kwargs) -> R:
        return call(client, *args, **more)

    return wraps(call)(_waiting(ready))


class BlockingWpiClient:
    """A `WpiClient` whose calls return when they are done; errors pass through.

    Calls may come from several threads, so that one can `abort` what another waits for. Ctrl-C ends
    the waiting, not the exchange: call `recover` then.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Secret[str],
        package: str,
        journal: Path | str,
        terminal: str = "",
        options: Options = USUAL,
    ) -> None:
        self._client = WpiClient(
            url, token=token, package=package, journal=journal, terminal=terminal, options=options
        )
        self._loop = BackgroundLoop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections, journal and loop; a second call does nothing."""
        if self._loop.is_open:
            try:
                self._loop.run(self._client.close())
            finally:
                self._loop.close()

    payment = _waiting(WpiClient.payment)
    cancel_payment = _waiting(WpiClient.cancel_payment)
    refund = _waiting(WpiClient.refund)
    pre_authorization = _waiting(WpiClient.pre_authorization)
    update_pre_authorization = _waiting(WpiClient.update_pre_authorization)
    cancel_update_pre_authorization = _waiting(WpiClient.cancel_update_pre_authorization)
    cancel_pre_authorization = _waiting(WpiClient.cancel_pre_authorization)
    payment_completion = _waiting(WpiClient.payment_completion)
    cancel_payment_completion = _waiting(WpiClient.cancel_payment_completion)
    deferred_authorization = _waiting(WpiClient.deferred_authorization)
    deferred_completion = _waiting(WpiClient.deferred_completion)
    follow_on_credit = _waiting(WpiClient.follow_on_credit)
    recognition = _waiting(WpiClient.recognition)
    menu = _waiting(WpiClient.menu)
    day_end = _waiting(WpiClient.day_end)
    payment_parameterization = _waiting(WpiClient.payment_parameterization)
    acquirer_parameterization = _waiting(WpiClient.acquirer_parameterization)
    print_receipt = _waiting(WpiClient.print_receipt)
    abort = _waiting(WpiClient.abort)
    information = _waiting(WpiClient.information)
    last_transaction = _waiting(WpiClient.last_transaction)
    recover = _waiting(WpiClient.recover)
    new_session = _at_once(WpiClient.new_session)
    look = _at_once(WpiClient.look)
    history = _at_once(WpiClient.history)
    unanswered = _at_once(WpiClient.unanswered)
    contradictions = _at_once(WpiClient.contradictions)
    give_up = _at_once(WpiClient.give_up)
