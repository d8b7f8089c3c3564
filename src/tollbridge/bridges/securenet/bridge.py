"""The SecureNet bridge: one charge, and nothing to ask afterwards."""

from tollbridge.bridges.contract import (
    Capabilities,
    CardDetails,
    ClientToken,
    Heard,
    VerbCapability,
)
from tollbridge.bridges.securenet import translate
from tollbridge.bridges.securenet.translate import Application, Merchant
from tollbridge.core.instrument import Token
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Outcome, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.wire.http import Request, Response

CAPABILITIES = Capabilities(
    verbs={Verb.PURCHASE: VerbCapability()},
    answer_limit_s=30.0,
    inquiry=False,
    reversal=False,
    card_numbers=False,
    notes={"unknowns": "the service cannot be asked; a person closes what it did not answer"},
)


class SecureNetBridge:
    """Speaks to the API at `endpoint` (without a slash at its end) for one merchant."""

    name = "securenet"

    def __init__(
        self, endpoint: str, merchant: Merchant, capabilities: Capabilities = CAPABILITIES
    ) -> None:
        self.endpoint = endpoint
        self.capabilities = capabilities
        self._merchant = merchant

    def perform(self, operation: Operation, payment: Payment) -> Flow[Outcome]:
        del payment
        if not isinstance(operation.instrument, Token):
            return Unsent("a charge is paid with a client token")
        answer: Response = yield translate.charge(
            self.endpoint, self._merchant, operation, operation.instrument
        )
        return translate.charged(answer, operation)

    def inquire(self, operation: Operation, payment: Payment) -> Flow[Outcome | Unclear]:
        del operation, payment
        yield from ()
        return Unclear.CANNOT_KNOW

    def reverse(self, operation: Operation, payment: Payment) -> Flow[bool]:
        del operation, payment
        yield from ()
        return False

    def hear(self, notice: Request) -> Heard:
        del notice
        raise RemoteProtocolError("this provider sends no notices")


def client_token(
    endpoint: str, client_key: str, card: CardDetails, application: Application
) -> Flow[ClientToken]:
    """Exchange a card for a client token, as a consumer: one request, which moves no money.

    `client_key` is the merchant's public key; the security code is not sent. Raises TokenRefused
    when the service refuses the card or the key, RemoteProtocolError when its answer means nothing.
    """
    answer: Response = yield translate.token_request(endpoint, client_key, card, application)
    return translate.token(answer)
