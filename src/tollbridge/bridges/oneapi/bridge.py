"""The carrier billing bridge: one step at the carrier for each operation, and a question."""

from tollbridge.bridges.contract import Capabilities, Heard, VerbCapability
from tollbridge.bridges.oneapi import translate
from tollbridge.bridges.oneapi.translate import Account
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Cause, Outcome, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.wire.http import Request, Response

CAPABILITIES = Capabilities(
    verbs={
        Verb.AUTHORIZE: VerbCapability(),
        Verb.INCREMENT: VerbCapability(),
        Verb.CAPTURE: VerbCapability(multiple=False),
        Verb.PURCHASE: VerbCapability(),
        Verb.VOID: VerbCapability(),
        Verb.REFUND: VerbCapability(),
    },
    answer_limit_s=30.0,
    in_flight_limit_s=120.0,
    inquiry=True,
    reversal=False,
    card_numbers=False,
    keeps_tokens=True,
    notes={
        "tokens": "a token is the subscriber: tel:+… or the carrier's anonymous reference acr:…;"
        " it stays in the journal, because the carrier is asked by it",
        "capture": "what is left of a reservation charged in part lapses at the carrier",
        "void": "an authorization is released; a charge is given back; an increment is released"
        " with its authorization only",
    },
)


class OneApiBridge:
    """Speaks to one carrier for one merchant."""

    name = "oneapi"

    def __init__(self, account: Account, capabilities: Capabilities = CAPABILITIES) -> None:
        self.capabilities = capabilities
        self._account = account

    def perform(self, operation: Operation, payment: Payment) -> Flow[Outcome]:
        wanted = translate.step(operation, payment)
        if wanted is None:
            return Unsent("a carrier releases an increment with its authorization only")
        view = payment.opening.view
        if view is None or not view.reference.startswith(("tel:", "acr:")):
            return Unsent("a charge names its subscriber: tel:+… or acr:…", Cause.UNFIT)
        answer: Response = yield translate.order(self._account, operation, view.reference, wanted)
        return translate.done(answer, operation, wanted)

    def inquire(self, operation: Operation, payment: Payment) -> Flow[Outcome | Unclear]:
        wanted, view = translate.step(operation, payment), payment.opening.view
        if wanted is None or view is None:
            return Unclear.CANNOT_KNOW
        answer: Response = yield translate.inquiry(self._account, view.reference, wanted)
        return translate.found(answer, operation, wanted)

    def reverse(self, operation: Operation, payment: Payment) -> Flow[bool]:
        del operation, payment
        yield from ()
        return False

    def hear(self, notice: Request) -> Heard:
        del notice
        raise RemoteProtocolError("this provider sends no notices")
