"""Closing payments whose Consumer does not come back (RFC 3867, 2.6.2).

The bridges say what is pending, so nothing is written for this. After a restart, patience begins
anew.
"""

import logging
from dataclasses import dataclass, field

from tollbridge.faces.iotp.api.calls import InquirePendingPayment
from tollbridge.faces.iotp.api.words import CompletionCode, ProcessState
from tollbridge.faces.iotp.roles.calls import Bridges
from tollbridge.faces.iotp.roles.problems import Failed
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Flow

log = logging.getLogger("tollbridge.iotp")

LOOKS = 4
"""How often pending payments are looked at in the time they have."""


@dataclass
class Closing:
    """Knows when each pending payment was heard of last. `close_after_s` None closes nothing."""

    bridges: Bridges
    clock: Clock
    close_after_s: float | None
    heard: dict[str, float] = field(default_factory=dict)
    looked_s: float = 0.0

    def hear(self, pay_id: str) -> None:
        """Note that a payment's Consumer is there."""
        if self.close_after_s is not None:
            self.heard[pay_id] = self.clock.monotonic_s()

    def sweep(self) -> Flow[None]:
        """Close what was not heard of for too long; how it ends, its bridge decides."""
        if self.close_after_s is None:
            return
        now_s = self.clock.monotonic_s()
        if now_s - self.looked_s < self.close_after_s / LOOKS:
            return
        self.looked_s = now_s
        pending: dict[str, float] = {}
        for name in self.bridges:
            try:
                found = (yield from self.bridges.call(name, InquirePendingPayment())).payment_ids
            except Failed:
                continue  # it cannot say
            for one in found:
                since_s = self.heard.get(one.pay_id, now_s)
                pending[one.pay_id] = since_s
                if now_s - since_s > self.close_after_s:
                    yield from self._close(name, one.pay_id)
        self.heard = pending

    def _close(self, name: str, pay_id: str) -> Flow[None]:
        code = CompletionCode.TIMED_OUT_RCVR
        try:
            done = yield from self.bridges.change(name, pay_id, ProcessState.FAILED, code)
        except Failed as failed:
            log.warning("payment %s waits for its consumer and stays: %s", pay_id, failed)
        else:
            log.info("payment %s waited too long: %s", pay_id, done.process_state)
