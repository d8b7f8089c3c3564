"""Calling bridges: wallet ids and pass phrases are supplied where they are asked for (2.3-3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tollbridge.faces.iotp.api.answer import Call
from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.calls import (
    ChangeProcessState,
    ChangeProcessStateResponse,
    InquireProcessState,
    InquireProcessStateResponse,
)
from tollbridge.faces.iotp.api.elements import ErrorResponse
from tollbridge.faces.iotp.api.errors import about_wallet
from tollbridge.faces.iotp.api.perform import Hear, Limit, perform
from tollbridge.faces.iotp.api.words import ProcessState, ProcessType
from tollbridge.faces.iotp.roles.problems import Failed
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import Secret

R = TypeVar("R")
TRIES_MAX = 3
CALL_LIMIT_S = 120
"""How long a payment software may work on one call."""


@dataclass
class Keys:
    """The wallet of a bridge: its id, and its pass phrase, which lives in memory only."""

    wallet_id: str | None = None
    passphrase: Secret[str] | None = None


Ask = Callable[[str, str, Keys, ErrorResponse], Flow[bool]]
"""Ask somebody for what a bridge needs ("WalletId", "Passphrase"): the bridge's name, the need,
its keys to fill, and the error that said so. False: nobody knows."""


def nobody(name: str, need: str, keys: Keys, error: ErrorResponse) -> Flow[bool]:
    """Servers know what their settings say, and nobody is there to be asked."""
    del name, need, keys, error
    yield from ()
    return False


@dataclass
class Bridges:
    """The bridges that are registered with a core, by name, and their wallets."""

    by_name: Mapping[str, PaymentBridge]
    keys: dict[str, Keys] = field(default_factory=dict)
    ask: Ask = nobody
    hear: Hear | None = None
    limit: Limit | None = None

    def __iter__(self) -> Any:
        return iter(self.by_name)

    def wallet(self, name: str) -> str | None:
        """Name the wallet of a bridge, if it wanted one."""
        return self.keys[name].wallet_id if name in self.keys else None

    def use(self, name: str, wallet_id: str | None) -> None:
        """Go on with the wallet that a payment was begun with."""
        if wallet_id is not None:
            self.keys.setdefault(name, Keys()).wallet_id = wallet_id

    def call(self, name: str, call: Call[R]) -> Flow[R]:
        """Call a bridge by name. Raises Failed when it answers with an error.

        A wallet id or pass phrase that the bridge misses or refuses is asked for and the call
        repeated, at most twice.
        """
        keys = self.keys.setdefault(name, Keys())
        for _ in range(TRIES_MAX):
            answer = yield from perform(
                self.by_name[name], _filled(call, keys), self.hear, self.limit
            )
            if answer.failed is None:
                assert answer.result is not None
                return answer.result
            need = about_wallet(answer.failed)
            if not need or not (yield from self.ask(name, need, keys, answer.failed)):
                break
        assert answer.failed is not None
        raise Failed(answer.failed)

    def state(self, name: str, pay_id: str) -> Flow[InquireProcessStateResponse]:
        """Ask where a payment stands. Raises Failed."""
        return (yield from self.call(name, InquireProcessState(pay_id=pay_id)))

    def change(
        self,
        name: str,
        pay_id: str,
        state: ProcessState,
        code: str | None = None,
        kind: ProcessType = ProcessType.PAYMENT,
    ) -> Flow[ChangeProcessStateResponse]:
        """Report a state to a bridge, and learn which it agrees to. Raises Failed."""
        call = ChangeProcessState(
            pay_id=pay_id, process_state=state, completion_code=code, process_type=kind
        )
        return (yield from self.call(name, call))


def _filled(call: Call[R], keys: Keys) -> Call[R]:
    given: dict[str, Any] = {}
    if keys.wallet_id is not None and hasattr(call, "wallet_id"):
        given["wallet_id"] = keys.wallet_id
    if keys.passphrase is not None and hasattr(call, "passphrase"):
        given["passphrase"] = keys.passphrase
    return replace(call, **given) if given else call  # type: ignore[type-var]
