"""The Worldpay Online bridge: an order, a refund, and the question what became of them."""

from tollbridge.bridges.contract import (
    Capabilities,
    CardDetails,
    ClientToken,
    Heard,
    VerbCapability,
)
from tollbridge.bridges.worldpay_online import translate
from tollbridge.core.instrument import Token
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Outcome, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Request, Response

CAPABILITIES = Capabilities(
    verbs={Verb.PURCHASE: VerbCapability(), Verb.REFUND: VerbCapability()},
    answer_limit_s=30.0,
    in_flight_limit_s=120.0,
    inquiry=True,
    reversal=False,
    card_numbers=False,
    notes={
        "inquiry": "our own host can be asked; a service that answers no list of orders with"
        " idempotency keys leaves unknowns to a person",
    },
)


class WorldpayOnlineBridge:
    """Speaks to the API at `endpoint` (without a slash at its end) for one merchant.

    `client_key` is public: consumers make tokens with it.
    """

    name = "worldpay_online"

    def __init__(
        self,
        endpoint: str,
        service_key: Secret[str],
        client_key: str = "",
        capabilities: Capabilities = CAPABILITIES,
    ) -> None:
        self.endpoint = endpoint
        self.client_key = client_key
        self.capabilities = capabilities
        self._key = service_key

    def perform(self, operation: Operation, payment: Payment) -> Flow[Outcome]:
        if operation.verb is Verb.REFUND:
            reference = _reference(payment)
            answer: Response = yield translate.refund(
                self.endpoint, self._key, operation, reference
            )
            return translate.refunded(answer, operation, reference)
        if not isinstance(operation.instrument, Token):
            return Unsent("an order is paid with a client token")
        answer = yield translate.order(self.endpoint, self._key, operation, operation.instrument)
        return translate.ordered(answer, operation)

    def inquire(self, operation: Operation, payment: Payment) -> Flow[Outcome | Unclear]:
        answer: Response = yield translate.inquiry(self.endpoint, self._key, payment)
        if operation.verb is Verb.REFUND:
            return translate.found_refund(answer, operation, _reference(payment))
        return translate.found_order(answer, operation)

    def reverse(self, operation: Operation, payment: Payment) -> Flow[bool]:
        del operation, payment
        yield from ()
        return False

    def hear(self, notice: Request) -> Heard:
        del notice
        raise RemoteProtocolError("this provider sends no notices")


def client_token(endpoint: str, client_key: str, card: CardDetails) -> Flow[ClientToken]:
    """Exchange a card for a client token, as a consumer: one request, which moves no money.

    `client_key` is the merchant's public key. Raises TokenRefused when the service refuses the
    card or the key, RemoteProtocolError when its answer means nothing.
    """
    answer: Response = yield translate.token_request(endpoint, client_key, card)
    return translate.token(answer)


def _reference(payment: Payment) -> str:
    outcome = payment.opening.outcome
    assert isinstance(outcome, Approved), "only what was approved is refunded"
    return outcome.reference
