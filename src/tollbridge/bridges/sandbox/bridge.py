"""The sandbox bridge: three short conversations and a notice."""

import hashlib
import hmac

from tollbridge.bridges.contract import Capabilities, Heard, VerbCapability
from tollbridge.bridges.sandbox import translate
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Outcome, Unclear
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import OperationId
from tollbridge.ground.secret import Secret
from tollbridge.wire import json
from tollbridge.wire.http import Request, Response

NOTICE_AGE_MAX_S = 300


CAPABILITIES = Capabilities(
    verbs={verb: VerbCapability() for verb in Verb},
    answer_limit_s=10.0,
    in_flight_limit_s=30.0,
    inquiry=True,
    reversal=True,
    card_numbers=True,
    notes={"cards": "test card numbers only; every other number is declined with code 14"},
)


class SandboxBridge:
    """Speaks to one sandbox network at `url`; `notice_key` signs what it tells us unasked."""

    name = "sandbox"

    def __init__(
        self,
        url: str,
        notice_key: Secret[str],
        clock: Clock,
        capabilities: Capabilities = CAPABILITIES,
    ) -> None:
        self.capabilities = capabilities
        self._url = url.rstrip("/")
        self._notice_key = notice_key
        self._clock = clock

    def perform(self, operation: Operation, payment: Payment) -> Flow[Outcome]:
        answer: Response = yield translate.operation(self._url, operation, payment)
        return translate.outcome(answer, operation.id)

    def inquire(self, operation: Operation, payment: Payment) -> Flow[Outcome | Unclear]:
        del payment
        answer: Response = yield translate.inquiry(self._url, operation)
        return translate.found(answer, operation.id)

    def reverse(self, operation: Operation, payment: Payment) -> Flow[bool]:
        del payment
        answer: Response = yield translate.reversal(self._url, operation)
        return answer.status == 200

    def hear(self, notice: Request) -> Heard:
        self._verify(notice)
        fields = json.read_object(notice.body, what="notice")
        operation = fields.get("operation")
        if not isinstance(operation, str):
            raise RemoteProtocolError("a notice names its operation", path=["operation"])
        return Heard(OperationId(operation), translate.read(fields))

    def _verify(self, notice: Request) -> None:
        """Check the signature over the raw bytes, and that the notice is not an old one."""
        sent_at = notice.headers.get("sandbox-timestamp", "")
        key = self._notice_key.reveal()
        if not key or not (sent_at.isascii() and sent_at.isdigit()):
            raise RemoteProtocolError("this notice is not signed")
        age_s = self._clock.now() // MICROSECONDS_PER_S - int(sent_at[:15])
        if abs(age_s) > NOTICE_AGE_MAX_S:
            raise RemoteProtocolError("this notice is too old")
        claimed = notice.headers.get("sandbox-signature", "")
        right = signature(key, sent_at, notice.body)
        if not hmac.compare_digest(right.encode(), claimed.encode()):
            raise RemoteProtocolError("this notice carries a wrong signature")


def signature(key: str, sent_at: str, body: bytes) -> str:
    """Sign a notice: HMAC-SHA-256 over the time in seconds, a dot, and the raw body."""
    return hmac.new(key.encode(), sent_at.encode() + b"." + body, hashlib.sha256).hexdigest()
