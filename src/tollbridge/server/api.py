"""The JSON API: payments, operations, the journal, recovery.

Every call that moves money needs an `Idempotency-Key`: asked again with the same key and the same
content, the operation is found and shown as it is now, never done again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from tollbridge.core.asks import Ask, Look
from tollbridge.core.brands import brand_of
from tollbridge.core.instrument import Card, Instrument, InstrumentView, Token
from tollbridge.core.verbs import OPENING, Verb
from tollbridge.engine.engine import Engine
from tollbridge.faces.contract import Face
from tollbridge.ground.errors import (
    IllegalOperation,
    RemoteProtocolError,
    TollbridgeError,
    UnknownPayment,
)
from tollbridge.ground.ids import IdempotencyKey, PaymentId, is_payment_id, split_operation_id
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, mask_number
from tollbridge.ground.version import __version__
from tollbridge.server.errors import failed
from tollbridge.server.views import (
    Balance,
    BalanceList,
    Closing,
    FactList,
    FactRow,
    Health,
    MoneyIn,
    NewOperation,
    NewPayment,
    PaymentList,
    Recovered,
    closed,
    payment_view,
)
from tollbridge.wire.http import JSON, Headers, Request, Response

SCOPE = "api"
PAGE_MAX = 200
KEY_LETTERS_MAX = 255

Names = Mapping[str, str]
Call = Callable[[Request, Names], Awaitable[Response]]
_REPLAYED = Headers([*JSON.items(), ("idempotent-replayed", "true")])
_encode = msgspec.json.Encoder().encode
_payments = msgspec.json.Decoder(NewPayment)
_operations = msgspec.json.Decoder(NewOperation)
_closings = msgspec.json.Decoder(Closing)


class Api:
    """The endpoints. `merchant` is whose payments they are where a call names none."""

    def __init__(self, engine: Engine, faces: Sequence[Face], merchant: str) -> None:
        self._engine = engine
        self._faces = faces
        self._merchant = merchant

    def call(self, name: str) -> Call:
        """Give a call by name, with its errors put into words."""
        called: Call = getattr(self, name)

        async def guarded(request: Request, names: Names) -> Response:
            try:
                return await called(request, names)
            except TollbridgeError as error:
                return failed(error)
            except msgspec.DecodeError as error:
                return failed(RemoteProtocolError(str(error), hint="malformed"))

        return guarded

    async def begin(self, request: Request, _: Names) -> Response:
        """Begin a payment."""
        wish = _payments.decode(request.body)
        if wish.verb not in OPENING:
            raise IllegalOperation(f"{wish.verb} continues a payment: POST it to its operations")
        ask = Ask(
            verb=wish.verb,
            key=_key(request),
            amount=_money(wish.amount),
            instrument=_instrument(wish),
            merchant=wish.merchant or self._merchant,
            bridge=wish.bridge,
            reference=wish.reference,
            details=wish.details,
            partial_ok=wish.partial_ok,
        )
        return await self._ask(ask)

    async def go_on(self, request: Request, names: Names) -> Response:
        """Continue a payment."""
        wish = _operations.decode(request.body)
        ask = Ask(
            verb=wish.verb,
            key=_key(request),
            amount=_money(wish.amount),
            payment=_named(names),
            target=wish.target,
            reference=wish.reference,
            details=wish.details,
            final_capture=wish.final_capture,
        )
        return await self._ask(ask)

    async def show(self, _: Request, names: Names) -> Response:
        """Show a payment."""
        payment = await self._engine.look(Look(payment=_named(names)))
        assert payment is not None
        return answer(payment_view(payment))

    async def find(self, request: Request, _: Names) -> Response:
        """List payments, newest first; or find the one an idempotency key was used for."""
        query = _query(request)
        if "key" in query:
            key = IdempotencyKey(SCOPE, query["key"])
            found = await self._engine.look(Look(key=key))
            return answer(PaymentList([payment_view(found)] if found else [], None))
        before, limit = query.get("before"), _number(query, "limit", 20, PAGE_MAX)
        page = self._engine.journal.payments(PaymentId(before) if before else None, limit)
        payments = [payment_view(self._engine.load(name)) for name in page]
        return answer(PaymentList(payments, page[-1] if len(page) == limit else None))

    async def facts(self, request: Request, _: Names) -> Response:
        """Read the journal, after an entry's number."""
        query = _query(request)
        after, limit = _number(query, "after", 0, 2**53), _number(query, "limit", 100, 1000)
        rows = islice(self._engine.journal.entries(after), limit)
        entries = [
            FactRow(row.number, row.payment, row.version, msgspec.json.decode(row.body),
                    row.hash.hex())
            for row in rows
        ]  # fmt: skip
        return answer(FactList(entries))

    async def balances(self, _: Request, __: Names) -> Response:
        """Show the ledger's balances."""
        sums = self._engine.journal.balances()
        return answer(BalanceList([Balance(*place, minor) for place, minor in sums.items()]))

    async def unfinished(self, _: Request, __: Names) -> Response:
        """List the payments recovery has work left on."""
        names = self._engine.journal.unfinished()
        return answer(PaymentList([payment_view(self._engine.load(n)) for n in names], None))

    async def recover(self, _: Request, __: Names) -> Response:
        """Ask the providers about every unfinished payment now."""
        finished = await self._engine.recovery.attempt_all()
        return answer(Recovered(finished, self._engine.recovery.watched))

    async def close(self, request: Request, names: Names) -> Response:
        """Close an operation on a person's evidence."""
        closing = _closings.decode(request.body)
        named = split_operation_id(names["operation"])
        if named is None:
            raise UnknownPayment("this is not an operation's name")
        operation = self._engine.load(named[0]).operation(named[1])
        if operation is None:
            raise UnknownPayment("the payment has no such operation")
        payment = await self._engine.close_by_hand(
            *named, closed(closing, operation), closing.evidence
        )
        return answer(payment_view(payment))

    async def describe(self, _: Request, __: Names) -> Response:
        """Tell what is installed and what it can do."""
        bridges = [_bridge(name, bridge) for name, bridge in self._engine.bridges.items()]
        faces = [
            {"name": face.name, "paths": [endpoint.path for endpoint in face.endpoints()]}
            for face in self._faces
        ]
        return answer({"bridges": bridges, "faces": faces})

    async def health(self, _: Request, __: Names) -> Response:
        """Tell whether the server works."""
        journal = self._engine.journal
        return answer(
            Health("ok", __version__, journal.head().number, self._engine.recovery.watched)
        )

    async def notice(self, request: Request, names: Names) -> Response:
        """Take a provider's notice; its signature is its credential."""
        await self._engine.hear(names["bridge"], request)
        return answer({"heard": True})

    async def _ask(self, ask: Ask) -> Response:
        before = self._engine.clock.now()
        payment = await self._engine.ask(ask)
        operation = payment.find(ask.key)
        assert operation is not None
        view = payment_view(payment)
        if operation.request.at < before:
            return answer(view, 200, _REPLAYED)
        return answer(view, 202 if operation.unresolved else 201)


def _bridge(name: str, bridge: Any) -> dict[str, Any]:
    can = bridge.capabilities
    return {
        "name": name,
        "verbs": {verb.value: msgspec.to_builtins(how) for verb, how in can.verbs.items()},
        "currencies": sorted(can.currencies) if can.currencies is not None else "all current",
        "card_numbers": can.card_numbers,
        "keeps_tokens": can.keeps_tokens,
        "inquiry": can.inquiry,
        "reversal": can.reversal,
        "answer_limit_s": can.answer_limit_s,
        "in_flight_limit_s": can.in_flight_limit_s,
        "notes": dict(can.notes),
    }


def _key(request: Request) -> IdempotencyKey:
    value = request.headers.get("idempotency-key", "")
    if not 0 < len(value) <= KEY_LETTERS_MAX:
        raise RemoteProtocolError(
            f"header Idempotency-Key is needed, 1 to {KEY_LETTERS_MAX} letters: it names your"
            " intention, so that asking twice does it once"
        )
    return IdempotencyKey(SCOPE, value)


def _named(names: Names) -> PaymentId:
    name = names["payment"]
    if not is_payment_id(name):
        raise UnknownPayment(f"{name!r:.40} is not a payment's name")
    return PaymentId(name)


def _money(amount: MoneyIn | None) -> Money | None:
    return Money.of(amount.minor, amount.currency) if amount is not None else None


def _instrument(wish: NewPayment) -> Instrument | None:
    card, token = wish.card, wish.token
    if card is None and token is None and wish.verb is Verb.STORE:
        return None  # the customer approves at the provider
    if (card is None) == (token is None):
        raise RemoteProtocolError("either a card or a token is needed")
    if card is None:
        return Token(Secret(token or ""), InstrumentView(entry="online"))
    brand = brand_of(card.number)
    view = InstrumentView(brand.name if brand else "", mask_number(card.number), entry="online")
    return Card(
        Secret(card.number),
        view,
        Secret(card.expiry) if card.expiry else None,
        Secret(card.security_code) if card.security_code else None,
    )


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.url.partition("?")[2]))


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise RemoteProtocolError(f"{name} is a whole number")
    return min(int(text), most)


def answer(value: object, status: int = 200, headers: Headers = JSON) -> Response:
    """Answer with JSON."""
    return Response(status, headers, _encode(value))
