"""The cards behind client tokens: in memory only, for a short while, each for one order."""

from collections import OrderedDict
from dataclasses import dataclass, field

from tollbridge.core.instrument import Card
from tollbridge.faces.psp.messages import Holder, Refused
from tollbridge.ground.clock import Clock
from tollbridge.ground.secret import Secret


@dataclass(slots=True)
class Held:
    """A card and the order that claimed it ("": none yet). `card` None: it has been charged."""

    holder: Holder
    card: Card | None = field(repr=False)
    expires_s: float
    order: str = ""


class Vault:
    """The tokens of one merchant. `lifetime_s` is on the clock that does not jump."""

    def __init__(self, lifetime_s: float, most: int, clock: Clock) -> None:
        self._lifetime_s = lifetime_s
        self._most = most
        self._clock = clock
        self._held: OrderedDict[Secret[str], Held] = OrderedDict()
        self._expired: OrderedDict[Secret[str], None] = OrderedDict()

    def put(self, token: Secret[str], holder: Holder, card: Card) -> None:
        """Keep a card under a new token. Raises Refused when there are too many already."""
        self._sweep()
        if len(self._held) >= self._most:
            raise Refused("API_ERROR", "too many tokens are waiting for their orders")
        expires_s = self._clock.monotonic_s() + self._lifetime_s
        self._held[token] = Held(holder, card, expires_s)

    def claim(self, token: Secret[str], order: str) -> Held:
        """Give what a token stands for to the one order that may use it.

        Raises Refused: TKN_NOT_FOUND, TKN_EXPIRED, or TOKEN_CONFLICT when another order has it.
        """
        self._sweep()
        held = self._held.get(token)
        if held is None:
            if token in self._expired:
                raise Refused("TKN_EXPIRED", "this token is too old")
            raise Refused("TKN_NOT_FOUND", "there is no such token")
        if held.order not in ("", order):
            raise Refused("TOKEN_CONFLICT", "this token was used for another order")
        held.order = order
        return held

    def _sweep(self) -> None:
        """Forget what is too old; all live equally long, so the oldest stand first."""
        now = self._clock.monotonic_s()
        while self._held and next(iter(self._held.values())).expires_s <= now:
            self._expired[self._held.popitem(last=False)[0]] = None
            if len(self._expired) > self._most:
                self._expired.popitem(last=False)
