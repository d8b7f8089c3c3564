"""How many payments pages may begin: who only shows a publishable key writes to the notebook, and
shall not fill it. In memory, because it guards the disk and not the money."""

import math
from collections.abc import Mapping

BURST_S = 5.0
"""So many seconds' worth may come at once."""


class Gate:
    """So many payments a second for each of the sellers; `rate_per_s` 0 lets all through."""

    def __init__(self, sellers: Mapping[str, str], rate_per_s: float) -> None:
        """`sellers` are the names by what pages show: a publishable key, or the name."""
        self._sellers = sellers
        self._rate_per_s = rate_per_s
        self._free_at_s: dict[str, float] = {}

    def wait_s(self, shown: str, now_s: float) -> int:
        """Count a payment; say after how many seconds to come again, 0 where it may begin.

        Strangers are let through: the face sends them away, and writes nothing.
        """
        seller = self._sellers.get(shown)
        if seller is None or not self._rate_per_s:
            return 0
        free_at_s = max(self._free_at_s.get(seller, now_s), now_s)
        if free_at_s - now_s >= BURST_S:
            return max(1, math.ceil(free_at_s - now_s - BURST_S))
        self._free_at_s[seller] = free_at_s + 1 / self._rate_per_s
        return 0
