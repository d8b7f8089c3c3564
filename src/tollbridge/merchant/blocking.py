"""The same for programs that do not await."""

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from tollbridge.engine.background import BackgroundLoop
from tollbridge.ground.clock import Clock
from tollbridge.ground.secret import Secret
from tollbridge.merchant.client import AsyncMerchant
from tollbridge.merchant.results import Claims, Notice, Purchase


class Merchant:
    """An `AsyncMerchant` whose calls return when they are done; errors pass through. Calls may come
    from several threads."""

    def __init__(
        self,
        url: str,
        secret_key: str | Secret[str],
        notices_key: str | Secret[str] = "",
        *,
        seller: str = "",
        issuer: str = "",
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._merchant = AsyncMerchant(
            url, secret_key, notices_key, seller=seller, issuer=issuer, tls=tls, clock=clock
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
        """Let go of connections and loop; a second call does nothing."""
        if self._loop.is_open:
            try:
                self._loop.run(self._merchant.close())
            finally:
                self._loop.close()

    def sign_bill(
        self,
        bill: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]] = (),
        *,
        customer: str = "",
        good_for_s: float = 900,
        once: bool = True,
    ) -> str:
        """As `AsyncMerchant.sign_bill`."""
        return self._merchant.sign_bill(
            bill, items, customer=customer, good_for_s=good_for_s, once=once
        )

    def verify(self, proof: str, *, consume: bool = False) -> Purchase:
        """As `AsyncMerchant.verify`."""
        return self._loop.run(self._merchant.verify(proof, consume=consume))

    def check(self, proof: str) -> Claims:
        """As `AsyncMerchant.check`."""
        return self._loop.run(self._merchant.check(proof))

    def notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """As `AsyncMerchant.notice`."""

        async def heard() -> Notice:
            return self._merchant.notice(headers, body)

        return self._loop.run(heard())
