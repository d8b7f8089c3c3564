"""The app store's bridge: a purchase made in the store is checked and made final, or given back."""

from tollbridge.bridges.contract import Capabilities, Heard, VerbCapability
from tollbridge.bridges.google_play import translate
from tollbridge.bridges.google_play.translate import Bought, Shop
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Cause, Outcome, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Request, Response

CAPABILITIES = Capabilities(
    verbs={
        Verb.PURCHASE: VerbCapability(),
        Verb.REFUND: VerbCapability(partial=False, multiple=False),
    },
    answer_limit_s=30.0,
    in_flight_limit_s=120.0,
    inquiry=True,
    reversal=False,
    card_numbers=False,
    keeps_tokens=True,
    notes={
        "tokens": "a token is written product:purchase-token, as the app got it from the store;"
        " it pays once, and exactly what the product costs",
        "purchase": "makes the customer's purchase final: the store gives back by itself what"
        " nobody acknowledges",
    },
)


class GooglePlayBridge:
    """Speaks to the store for one app."""

    name = "google_play"

    def __init__(self, shop: Shop, capabilities: Capabilities = CAPABILITIES) -> None:
        self.capabilities = capabilities
        self._shop = shop

    def perform(self, operation: Operation, payment: Payment) -> Flow[Outcome]:
        if operation.verb is Verb.REFUND:
            order = _order(payment)
            key = yield from self._key()
            answer: Response = yield translate.refund(self._shop, key, order)
            declined = translate.acknowledged(answer)
            if declined is not None:
                return declined
            answer = yield translate.show_order(self._shop, key, order)
            return translate.seen(translate.found_refund(answer, operation, order))
        bought = _bought(payment)
        if bought.product not in self._shop.prices:
            return Unsent("a purchase of a product with a price is needed", Cause.UNFIT)
        key = yield from self._key()
        answer = yield translate.show(self._shop, key, bought)
        refusal = translate.unfit(self._shop, answer, operation, bought)
        if refusal is not None:
            return refusal
        answer = yield translate.acknowledge(self._shop, key, operation, bought)
        declined = translate.acknowledged(answer)
        if declined is not None:
            return declined
        # Who acknowledges what another has acknowledged is told no more than "yes".
        answer = yield translate.show(self._shop, key, bought)
        return translate.seen(translate.found(answer, operation))

    def inquire(self, operation: Operation, payment: Payment) -> Flow[Outcome | Unclear]:
        key = yield from self._key()
        if operation.verb is Verb.REFUND:
            order = _order(payment)
            answer: Response = yield translate.show_order(self._shop, key, order)
            return translate.found_refund(answer, operation, order)
        bought = _bought(payment)
        answer = yield translate.show(self._shop, key, bought)
        return translate.found(answer, operation)

    def reverse(self, operation: Operation, payment: Payment) -> Flow[bool]:
        del operation, payment
        yield from ()
        return False

    def hear(self, notice: Request) -> Heard:
        del notice
        raise RemoteProtocolError("this provider sends no notices")

    def _key(self) -> Flow[Secret[str]]:
        if not self._shop.token_url:
            return self._shop.access_token
        answer: Response = yield translate.lend(self._shop)
        return translate.lent(answer)


def _bought(payment: Payment) -> Bought:
    view = payment.opening.view
    return Bought.read(view.reference if view else "")


def _order(payment: Payment) -> str:
    outcome = payment.opening.outcome
    assert isinstance(outcome, Approved), "only what was approved is refunded"
    return outcome.reference
