"""The orders bridge: an order its customer approves at the provider, what is taken of it, and
what is given back."""

import hmac
from urllib.parse import parse_qs

from tollbridge.bridges.contract import Capabilities, Heard, VerbCapability
from tollbridge.bridges.paypal_orders import translate
from tollbridge.bridges.paypal_orders.codes import CURRENCIES
from tollbridge.bridges.paypal_orders.translate import Application
from tollbridge.bridges.reading import inner, listed, text
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Cause, Outcome, Pending, Unclear, Unsent
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import OperationId
from tollbridge.ground.secret import Secret
from tollbridge.wire import json
from tollbridge.wire.http import Request, Response

CAPABILITIES = Capabilities(
    verbs={
        Verb.STORE: VerbCapability(),
        Verb.PURCHASE: VerbCapability(),
        Verb.AUTHORIZE: VerbCapability(),
        Verb.CAPTURE: VerbCapability(multiple=False),
        Verb.VOID: VerbCapability(),
        Verb.REFUND: VerbCapability(),
    },
    currencies=CURRENCIES,
    answer_limit_s=30.0,
    in_flight_limit_s=120.0,
    inquiry=True,
    reversal=False,
    card_numbers=False,
    keeps_tokens=True,
    notes={
        "store": "makes an order of an amount, pending with the address where the customer"
        " approves it; the approved order is the token of one purchase or authorization",
        "void": "an authorization is ended; what was captured is given back",
    },
)
ORDER_APPROVED = "CHECKOUT.ORDER.APPROVED"
MOVED = ("PAYMENT.CAPTURE.", "PAYMENT.REFUND.")


class PayPalOrdersBridge:
    """Speaks to the provider for one application; `notice_key` stands in the address it tells
    notices to."""

    name = "paypal_orders"

    def __init__(
        self,
        application: Application,
        notice_key: Secret[str],
        capabilities: Capabilities = CAPABILITIES,
    ) -> None:
        self.capabilities = capabilities
        self._application = application
        self._notice_key = notice_key

    def perform(self, operation: Operation, payment: Payment) -> Flow[Outcome]:
        if operation.verb is Verb.STORE and operation.tender is None:
            return Unsent("what a customer approves is an amount")
        opening = operation.verb in (Verb.PURCHASE, Verb.AUTHORIZE)
        if opening and not translate.named(payment):
            return Unsent("an order that the customer approved is needed", Cause.UNFIT)
        key = yield from self._login()
        if operation.verb is Verb.STORE:
            answer: Response = yield translate.order(self._application, key, operation)
            return translate.offered(answer, operation)
        if opening:
            return (yield from self._take(key, operation, translate.named(payment)))
        if undone := translate.held(operation, payment):
            answer = yield translate.void(self._application, key, operation, undone)
            return translate.voided(answer, operation, undone)
        if operation.verb is Verb.CAPTURE:
            held = translate.reference(payment.opening)
            answer = yield translate.capture(self._application, key, operation, held)
        else:
            taken = translate.captured(operation, payment)
            answer = yield translate.refund(self._application, key, operation, taken)
        return translate.continued(answer, operation)

    def inquire(self, operation: Operation, payment: Payment) -> Flow[Outcome | Unclear]:
        name = translate.named(payment)
        if operation.verb is Verb.STORE:
            name = operation.outcome.reference if isinstance(operation.outcome, Pending) else ""
        if not name:
            return Unclear.CANNOT_KNOW
        key = yield from self._login()
        answer: Response = yield translate.show(self._application, key, name)
        if operation.verb is Verb.STORE:
            return translate.found_approval(answer, operation)
        return translate.found(answer, operation, payment)

    def reverse(self, operation: Operation, payment: Payment) -> Flow[bool]:
        del operation, payment
        yield from ()
        return False

    def hear(self, notice: Request) -> Heard:
        """Read a webhook of an approved order, a capture or a refund.

        Whoever knows the address is believed: its query holds `key`, the notice key.
        """
        shown = parse_qs(notice.url.partition("?")[2]).get("key", [""])[0]
        right = self._notice_key.reveal()
        if not right or not hmac.compare_digest(shown.encode(), right.encode()):
            raise RemoteProtocolError("this notice does not show the key")
        fields = json.read_object(notice.body, what="notice")
        kind, resource = text(fields, "event_type"), inner(fields, "resource")
        if kind == ORDER_APPROVED:
            unit = next(iter(listed(resource, "purchase_units")), {})
            name = text(unit, "custom_id")
            return Heard(OperationId(name), translate.approval(resource, name))
        if kind.startswith(MOVED) and text(resource, "invoice_id"):
            name = text(resource, "invoice_id")
            return Heard(OperationId(name), translate.moved(resource))
        raise RemoteProtocolError(f"a notice of {kind!r:.40} tells nothing about an operation")

    def _login(self) -> Flow[Secret[str]]:
        answer: Response = yield translate.login(self._application)
        return translate.access(answer)

    def _take(self, key: Secret[str], operation: Operation, name: str) -> Flow[Outcome]:
        answer: Response = yield translate.show(self._application, key, name)
        refusal = translate.unfit(answer, operation, name)
        if refusal is None:
            answer = yield translate.sign(self._application, key, operation, name)
            refusal = translate.signed(answer)
        if refusal is not None:
            return refusal
        answer = yield translate.take(self._application, key, operation, name)
        return translate.taken(answer, operation, name)
