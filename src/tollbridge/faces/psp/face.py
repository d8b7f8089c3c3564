"""The host: cards become tokens, tokens become orders, and every order can be asked about.

Only cards and tokens live in memory. An order's page is written before its payment is asked for,
and the payment's idempotency key is the order's name, so that neither a repeat nor a restart
charges twice. Bodies are handed to endpoints whole: two APIs word the same answers.
"""

import hmac
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID

from tollbridge.core.asks import Ask, Look
from tollbridge.core.brands import brand_of
from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.contract import Endpoint, HttpEndpoint
from tollbridge.faces.psp import codec, orders
from tollbridge.faces.psp.messages import (
    Charge,
    FindOrders,
    ListTransactions,
    NewOrder,
    NewRefund,
    NewToken,
    Refused,
    ShowOrder,
    ShowPage,
    VaultCard,
)
from tollbridge.faces.psp.orders import Order
from tollbridge.faces.psp.page import PAGE
from tollbridge.faces.psp.settings import Host, Merchant
from tollbridge.faces.psp.vault import Held, Vault
from tollbridge.ground.clock import Clock, Instant, day, iso
from tollbridge.ground.errors import (
    IdempotencyConflict,
    InvalidMoney,
    JournalError,
    UsageError,
)
from tollbridge.ground.flow import Browse, Flow, Page, Recall
from tollbridge.ground.ids import IdempotencyKey, IdSource
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, mask_number
from tollbridge.wire.http import Limits, Response

TRANSACTIONS_SHOWN = 50
REFUND_SCOPE = "psp.refund"

Message = (
    NewToken
    | VaultCard
    | NewOrder
    | Charge
    | FindOrders
    | ShowOrder
    | NewRefund
    | ListTransactions
    | ShowPage
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An order as either API wants it."""

    merchant: str
    token: Secret[str]
    money: Money
    code: str
    description: str
    asked: str


class PspFace:
    """One payment provider. `ids` makes its tokens; it judges credentials itself."""

    name = "psp"

    def __init__(self, host: Host, clock: Clock, ids: IdSource) -> None:
        self.host = host
        self._clock = clock
        self._ids = ids
        self.vaults = {
            name: Vault(host.token_lifetime_s, host.tokens_max, clock) for name in host.merchants
        }

    def endpoints(self) -> Sequence[Endpoint]:
        worldpay = [
            ("POST", "/v1/tokens", codec.new_token),
            ("POST", "/v1/orders", codec.new_order),
            ("GET", "/v1/orders", codec.find_orders),
            ("GET", "/v1/orders/{orderCode}", codec.show_order),
            ("POST", "/v1/orders/{orderCode}/refund", codec.new_refund),
            ("GET", "/v1/transactions", codec.list_transactions),
            ("GET", "/psp", codec.show_page),
        ]
        securenet = [
            ("POST", "/api/PreVault/Card", codec.vault_card),
            ("POST", "/api/Payments/Charge", codec.charge),
        ]
        return [
            HttpEndpoint(method, path, decode, codec.encode, refuse, Limits(), open=True)
            for refuse, api in (
                (codec.worldpay_refuse, worldpay),
                (codec.securenet_refuse, securenet),
            )
            for method, path, decode in api
        ]

    def answer(self, message: Message) -> Flow[Response]:
        refusal = codec.refusal
        if isinstance(message, VaultCard | Charge):
            refusal = codec.securenet_refusal
        try:
            return (yield from self._answer(message))
        except Refused as refused:
            return refusal(refused.code, str(refused))
        except JournalError:
            return refusal("INTERNAL_SERVER_ERROR", "the journal could not be written; ask again")

    def _answer(self, message: Message) -> Flow[Response]:
        match message:
            case NewToken():
                return self._new_token(message)
            case VaultCard():
                return self._vault_card(message)
            case NewOrder():
                return (yield from self._new_order(message))
            case Charge():
                return (yield from self._charge(message))
            case FindOrders():
                return (yield from self._find_orders(message))
            case ShowOrder():
                order, payment = yield from self._order(message.service_key, message.order)
                return codec.answer(orders.view(order, payment, self.host))
            case NewRefund():
                return (yield from self._refund(message))
            case ListTransactions():
                return (yield from self._transactions())
            case ShowPage():
                return codec.html(PAGE)
            case _:
                assert_never(message)

    # Tokens

    def _new_token(self, wanted: NewToken) -> Response:
        token, view = self._keep(wanted)
        method = orders.payment_method(wanted.holder, view, self.host)
        shown = {"token": token.reveal(), "paymentMethod": method, "reusable": False}
        return codec.answer(shown)

    def _vault_card(self, wanted: VaultCard) -> Response:
        token, _ = self._keep(wanted.token)
        return codec.answer(
            {
                "token": token.reveal(),
                "customerId": "",
                "success": True,
                "result": "OK",
                "responseCode": 1,
                "message": "SUCCESS",
                "responseDateTime": iso(self._clock.now()),
            }
        )

    def _keep(self, wanted: NewToken) -> tuple[Secret[str], InstrumentView]:
        """Exchange a card for a token of the merchant whose public key came with it."""
        merchant = self._owner(wanted.client_key)
        holder = wanted.holder
        today = day(self._clock.now())
        if (holder.year, holder.month) < (today.year, today.month):
            raise Refused("INVALID_PAYMENT_DETAILS", "the card is expired")
        number = wanted.number.reveal()
        brand = brand_of(number)
        view = InstrumentView(brand.name if brand else "", mask_number(number), entry="online")
        expiry = Secret(f"{holder.year % 100:02d}{holder.month:02d}")
        card = Card(wanted.number, view, expiry, wanted.cvc)
        token = Secret(f"TEST_SU_{UUID(hex=self._ids.secret()[:32])}")
        self.vaults[merchant].put(token, holder, card)
        return token, view

    # Orders

    def _new_order(self, wanted: NewOrder) -> Flow[Response]:
        name = self._merchant(wanted.service_key)
        order, payment = yield from self._paid(
            _Wanted(name, wanted.token, wanted.money, wanted.code, wanted.description, wanted.asked)
        )
        return codec.answer(orders.view(order, payment, self.host, wanted.token.reveal()))

    def _charge(self, wanted: Charge) -> Flow[Response]:
        name, merchant = self._account(wanted)
        try:
            money = Money.parse(wanted.amount, merchant.currency)
        except InvalidMoney as error:
            raise Refused("BAD_REQUEST", str(error)) from None
        if money.amount_minor < 1:
            raise Refused("BAD_REQUEST", "amount: above zero is expected")
        order, payment = yield from self._paid(
            _Wanted(name, wanted.token, money, wanted.code, wanted.code, "")
        )
        outcome = payment.opening.outcome
        approved = orders.status(payment.opening) == orders.PAID
        code = outcome.authorization_code if isinstance(outcome, Approved) else ""
        transaction = {
            # As many bits as every JSON reader keeps.
            "transactionId": int(order.name.replace("-", "")[:13], 16) | 1,
            "secureNetId": merchant.secure_net_id,
            "transactionType": "AUTH_CAPTURE",
            "orderId": order.code,
            "authorizationCode": code,
            "responseText": "Approved" if approved else orders.reason(payment.opening),
        }
        said = {
            "success": approved,
            "result": "APPROVED" if approved else "DECLINED",
            "responseCode": 1 if approved else 2,
            "message": "SUCCESS" if approved else orders.reason(payment.opening),
        }
        return codec.charged(transaction, money, said)

    def _paid(self, wanted: _Wanted) -> Generator[Any, Any, tuple[Order, Payment]]:
        """Carry out an order once, however often it comes; give it when it is decided."""
        name = orders.name_of(wanted.merchant, wanted.code, wanted.token)
        held: Held | None = None
        refused: Refused | None = None
        try:
            held = self.vaults[wanted.merchant].claim(wanted.token, name)
        except Refused as error:
            refused = error
        if held is not None and held.card is not None:
            order = Order(name, wanted.merchant, wanted.code, held.holder, self._clock.now())
            payment = yield from self._begin(order, wanted, held, held.card)
        else:
            payment = yield Look(key=IdempotencyKey(orders.SCOPE, name))
            if payment is None:
                raise refused or Refused("TKN_NOT_FOUND", "there is no such token")
            order = yield from self._recall(name)
        _same(payment.opening, wanted)
        if orders.status(payment.opening) == orders.PENDING:
            raise Refused(
                "UNEXPECTED_ERROR",
                "the outcome is not known yet; ask with GET /v1/orders?customerOrderCode=",
            )
        return order, payment

    def _begin(
        self, order: Order, wanted: _Wanted, held: Held, card: Card
    ) -> Generator[Any, Any, Payment]:
        """Ask, and write the order down with it. Asked again, the engine finds the same."""
        try:
            payment: Payment = yield Ask(
                verb=Verb.PURCHASE,
                key=order.key,
                amount=wanted.money,
                instrument=card,
                merchant=wanted.merchant,
                bridge=self.host.bridge,
                reference=wanted.code,
                details={"description": wanted.description, "asked": wanted.asked},
                patience_s=None if wanted.asked else self.host.patience_s,
                notes=order.notes(),
            )
        except IdempotencyConflict:
            raise _conflict() from None
        except UsageError as error:
            raise Refused("BAD_REQUEST", str(error)) from None
        held.card = None
        return payment

    def _find_orders(self, wanted: FindOrders) -> Flow[Response]:
        prefix = orders.by_code(self._merchant(wanted.service_key), wanted.code)
        shown: list[dict[str, Any]] = []
        after = ""
        while pages := (yield Browse(prefix, after)):
            for key, _ in pages:
                order = yield from self._recall(key.removeprefix(prefix))
                payment: Payment | None = yield Look(key=order.key)
                if payment is not None:
                    shown.append(orders.view(order, payment, self.host))
            after = pages[-1][0]
        return codec.answer(shown)

    def _refund(self, wanted: NewRefund) -> Flow[Response]:
        order, payment = yield from self._order(wanted.service_key, wanted.order)
        currency = payment.currency
        assert currency is not None
        amount = Money(wanted.amount_minor, currency) if wanted.amount_minor else None
        key = IdempotencyKey(REFUND_SCOPE, f"{order.name} {wanted.asked or self._ids.secret()}")
        try:
            payment = yield Ask(
                verb=Verb.REFUND,
                key=key,
                payment=payment.id,
                amount=amount,
                details={"asked": wanted.asked},
            )
        except IdempotencyConflict:
            raise _conflict() from None
        except UsageError as error:
            raise Refused("BAD_REQUEST", str(error)) from None
        refund = payment.find(key)
        assert refund is not None
        if orders.status(refund) == orders.PENDING:
            raise Refused("UNEXPECTED_ERROR", "the outcome of the refund is not known yet")
        if orders.status(refund) != orders.PAID:
            raise Refused("BAD_REQUEST", f"the refund was not done: {orders.reason(refund)}")
        return codec.answer(orders.view(order, payment, self.host))

    def _transactions(self) -> Flow[Response]:
        pages = yield Browse(orders.RECENT, limit=TRANSACTIONS_SHOWN)
        shown: list[dict[str, Any]] = []
        for key, _ in pages:
            order = yield from self._recall(key.rpartition("/")[2])
            payment: Payment | None = yield Look(key=order.key)
            if payment is not None and orders.status(payment.opening) == orders.PAID:
                shown.append(_record(order, payment.opening))
        return codec.answer(shown)

    def _order(
        self, service_key: Secret[str], name: str
    ) -> Generator[Any, Any, tuple[Order, Payment]]:
        """Find an order of the merchant whose key this is, by the host's name for it."""
        merchant = self._merchant(service_key)
        page: Page | None = yield Recall(orders.page(name))
        order = Order.read(page.value) if page else None
        if order is not None and order.merchant == merchant:
            payment: Payment | None = yield Look(key=order.key)
            if payment is not None:
                return order, payment
        raise Refused("ORDER_NOT_FOUND", "there is no such order")

    def _recall(self, name: str) -> Generator[Any, Any, Order]:
        page: Page | None = yield Recall(orders.page(name))
        assert page is not None, "an order's page is written with its other pages"
        return Order.read(page.value)

    # Credentials

    def _owner(self, public_key: str) -> str:
        """Name the merchant a public key belongs to. Raises Refused."""
        for name, merchant in self.host.merchants.items():
            if _equal(public_key, merchant.client_key) or _equal(public_key, merchant.public_key):
                return name
        raise Refused("UNAUTHORIZED", "no merchant has this client key")

    def _merchant(self, service_key: Secret[str]) -> str:
        """Name the merchant a service key belongs to. Raises Refused."""
        for name, merchant in self.host.merchants.items():
            if _equal(service_key.reveal(), merchant.service_key.reveal()):
                return name
        raise Refused("UNAUTHORIZED", "no merchant has this service key")

    def _account(self, wanted: Charge) -> tuple[str, Merchant]:
        """Give the merchant a SecureNet credential belongs to. Raises Refused."""
        for name, merchant in self.host.merchants.items():
            if merchant.secure_net_id and wanted.secure_net_id == merchant.secure_net_id:
                if _equal(wanted.secure_key.reveal(), merchant.secure_key.reveal()):
                    return name, merchant
        raise Refused("UNAUTHORIZED", "no account has this id and key")


def _equal(shown: str, right: str) -> bool:
    """Compare without telling by the time how much is right; an empty key opens nothing."""
    return hmac.compare_digest(shown.encode(), right.encode()) and bool(right)


def _same(opening: Operation, wanted: _Wanted) -> None:
    """Refuse an order that has the name of an earlier one and other content."""
    first = (opening.amount, orders.description(opening), orders.asked(opening))
    if first != (wanted.money, wanted.description, wanted.asked):
        raise _conflict()


def _conflict() -> Refused:
    return Refused("TOKEN_CONFLICT", "the same order was sent before with other content")


def _record(order: Order, opening: Operation) -> dict[str, Any]:
    assert opening.amount is not None
    assert opening.view is not None
    return {
        "maskedCard": "*" * 12 + orders.last_digits(opening.view),
        "amount": opening.amount.amount_minor,
        "currencyCode": opening.amount.currency.code,
        "orderDescription": orders.description(opening),
        "transactionDateAndTime": iso(Instant(order.at)),
    }
