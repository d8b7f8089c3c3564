"""The provider: it finds services, takes payments, asks customers, and tells merchants the truth.

Every message loads the payment's page, takes it as far as it goes, and answers with what is true
then. It judges credentials itself: publishable keys with origins, client tokens, tokens of
challenges, secret keys.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, assert_never

from tollbridge.core.verbs import Verb
from tollbridge.faces.contract import Endpoint, HttpEndpoint
from tollbridge.faces.webinos import (
    asking,
    bill,
    codec,
    confirming,
    notices,
    pace,
    paying,
    policy,
    proofs,
    sessions,
    signed,
)
from tollbridge.faces.webinos.bill import Manner
from tollbridge.faces.webinos.discovery import found
from tollbridge.faces.webinos.house import House, Talk, equal
from tollbridge.faces.webinos.messages import (
    Answer,
    Begin,
    Caller,
    Cancel,
    Decide,
    Ended,
    FindServices,
    Follow,
    Followed,
    Heard,
    LookAt,
    Message,
    Preflight,
    Refresh,
    Refused,
    Reply,
    Returned,
    Show,
    Tell,
    Unfinished,
    Verify,
    refused,
)
from tollbridge.faces.webinos.notebook import Lost, Run, recall
from tollbridge.faces.webinos.outcome import BUSY, Code, Failed, charge, of_error
from tollbridge.faces.webinos.sessions import Checkout
from tollbridge.faces.webinos.settings import Provider, Seller
from tollbridge.faces.webinos.signed import Wanted
from tollbridge.faces.webinos.views import followed, on_our_page, view
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import JournalError
from tollbridge.ground.flow import Browse, Flow, Note, Page
from tollbridge.ground.ids import IdSource
from tollbridge.wire import json

KEY = re.compile(r"[\x21-\x7e]{8,64}")
NAME_LETTERS_MAX = 200
TRIES_MAX = 5
"""How often a payment is begun anew that others came before."""
PREFLIGHT = (
    ("access-control-allow-methods", codec.METHODS),
    ("access-control-allow-headers", codec.ALLOWED),
    ("access-control-max-age", "600"),
)
UNAUTHORIZED = (401, "unauthorized", "This credential opens nothing here.")


class WebinosFace:
    """One payment provider for web pages. `ids` makes its codes and proofs."""

    name = sessions.SCOPE

    def __init__(self, provider: Provider, clock: Clock, ids: IdSource) -> None:
        self.provider = provider
        self.house = House(provider, clock, ids)

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            HttpEndpoint(method, path, decode, codec.encode, codec.refuse, codec.LIMITS, open=True)
            for method, path, decode in codec.ENDPOINTS
        ]

    def answer(self, message: Message) -> Flow[Any]:
        if isinstance(message, Refresh | Returned | Unfinished | Tell | Ended | Heard):
            return (yield from self._for_the_house(message))
        reply: Reply | Followed
        try:
            reply = yield from self._answer(message)
        except Refused as no:
            reply = Reply(no.status, codec.failure(no.problem))
        except Failed as failed:
            busy = failed.problem.retry and failed.problem.code is not Code.EXCEEDED
            status = 503 if busy else 422
            reply = Reply(status, codec.failure(failed.problem))
        except JournalError as error:
            reply = Reply(503, codec.failure(of_error(error)))
        if isinstance(reply, Followed):
            return reply
        origin = message.caller.origin
        return Reply(
            reply.status,
            reply.fields,
            reply.headers,
            origin if self.provider.knows(origin) or self._ours(message.caller) else "",
        )

    def _answer(
        self,
        message: Preflight
        | FindServices
        | Begin
        | Show
        | Follow
        | Answer
        | Cancel
        | LookAt
        | Decide
        | Verify,
    ) -> Talk[Reply | Followed]:
        house = self.house
        match message:
            case Preflight():
                return Reply(204, None, PREFLIGHT)
            case FindServices():
                _, seller = self._seller(message.caller)
                self._welcome(message.caller, seller, needed=False)
                address = self._address(message.caller)
                return Reply(200, {"services": found(self.provider, message.api, address, seller)})
            case Begin():
                return (yield from self._begin(message))
            case Show() | Follow():
                yield from self._owned(message.caller, message.payment)
                checkout = yield from paying.refresh(house, message.payment)
                assert checkout is not None, "pages of payments are not forgotten"
                shown = yield from followed(house, checkout)
                return shown if isinstance(message, Follow) else Reply(200, shown.view)
            case Answer():
                yield from self._owned(message.caller, message.payment)
                checkout = yield from asking.answer(
                    house, message.payment, message.challenge, message.answer
                )
            case Cancel():
                yield from self._owned(message.caller, message.payment)
                checkout = yield from asking.cancel(house, message.payment)
            case LookAt():
                self._at_home(message.caller)
                checkout, challenge = yield from confirming.look_at(house, message)
                return Reply(200, (yield from on_our_page(house, checkout, challenge)))
            case Decide():
                self._at_home(message.caller)
                checkout = yield from confirming.decide(house, message)
            case Verify():
                return (yield from self._verify(message))
            case _:
                assert_never(message)
        return Reply(200, (yield from view(house, checkout)))

    # Beginning

    def _begin(self, message: Begin) -> Talk[Reply]:
        """Begin a payment, or find the one that this key began."""
        fields = message.fields
        name, seller = self._payee(message)
        if not KEY.fullmatch(message.key):
            raise refused(400, "idempotency_key", "Idempotency-Key: 8 to 64 letters are needed.")
        content = bill.digest([fields.get(each) for each in _CONTENT])
        payment = sessions.name_of(name, message.key)
        for _ in range(TRIES_MAX):
            checkout = yield from paying.refresh(self.house, payment)
            if checkout is not None:
                if checkout.body_hash != content:
                    raise refused(409, "idempotency_conflict", "This key began another payment.")
                return (yield from self._begun(checkout, 200))
            wanted = yield from signed.wanted(self.house, payment, (name, seller), fields)
            run = self._new(message, payment, content, (name, seller), wanted)
            # Lost: the same request, or the same signed bill, came twice at once.
            with suppress(Lost):
                yield from pace.begun(self.house, run)
                yield from paying.begin(self.house, run)
                return (yield from self._begun((yield from self._current(payment)), 201))
        raise Failed(BUSY)

    def _new(
        self,
        message: Begin,
        payment: str,
        content: str,
        payee: tuple[str, Seller],
        wanted: Wanted,
    ) -> Run:
        """Make a payment of a request. Raises Failed where it cannot be."""
        fields, now, (name, seller) = wanted.fields, self.house.now, payee
        service = paying.service_of(self.house, _text(fields.get("service"), "service"))
        if service is None:
            raise Failed(charge("unknown_service", "There is no such payment service."))
        manner = message.manner
        if manner is Manner.PLAIN and self.provider.strict:
            manner = Manner.STRICT
        read = bill.read(fields.get("bill"), manner, now, zero=self.provider.zero_verifies)
        unit = read.money.currency
        if seller.currencies and unit.code not in seller.currencies:
            said = f"The seller does not take {unit.code}."
            raise Failed(charge("currency_not_supported", said))
        items = bill.read_items(fields.get("itemList"), manner, unit)
        made = Checkout(
            id=payment,
            seller=name,
            customer=_text(fields.get("customerID"), "customerID"),
            service=service.id,
            reached=self._address(message.caller),
            body_hash=content,
            bill=dict(read.fields),
            bill_id=read.id,
            bill_hash=read.hash,
            minor=read.amount.amount_minor,
            currency=unit.code,
            kind=read.kind,
            verb=_verb(read),
            at=now,
            deadline=sessions.later(now, self.provider.deadline_s),
            touched=now,
            kinds=_kinds(fields.get("challenges")),
            has_items=bool(items),
            signed=wanted.name,
        )
        first = [Note(sessions.still_open(payment), b""), *wanted.notes]
        if items:
            first.append(Note(sessions.items(payment), json.write(items)))
        made.noted("begun", now)
        return Run(made, tuple(first))

    def _begun(self, checkout: Checkout, status: int) -> Talk[Reply]:
        shown = yield from view(self.house, checkout)
        token = yield from self.house.client_token(checkout.id)
        replayed = (("idempotent-replayed", "true"),) if status == 200 else ()
        return Reply(status, shown | {"client_token": token.reveal()}, replayed)

    def _payee(self, message: Begin) -> tuple[str, Seller]:
        """Find who is to be paid, and that the page may ask for it. Raises Refused."""
        wanted = message.fields.get("sellerID")
        if message.manner is not Manner.COMPAT:
            name, seller = self._seller(message.caller)
            self._welcome(message.caller, seller, needed=True)
        if not isinstance(wanted, str) or not wanted:
            raise Failed(charge("seller_missing", "A sellerID is needed."))
        payee = self.provider.sellers.get(wanted)
        if payee is None:
            raise Failed(charge("unknown_seller", "The provider does not know this seller."))
        if message.manner is not Manner.COMPAT and wanted != name:
            raise refused(403, "wrong_key", "This key is another seller's.")
        return wanted, payee

    # Merchants

    def _verify(self, message: Verify) -> Talk[Reply]:
        shown = message.caller.credential.reveal()
        found: str | None = None
        for name, seller in self.provider.sellers.items():
            if equal(shown, seller.secret_key.reveal()):
                found = name
        if found is None:
            raise refused(*UNAUTHORIZED)
        said = yield from proofs.verified(self.house, found, message.proof, consume=message.consume)
        if said is None:
            raise refused(*asking.NO_PAYMENT)
        return Reply(200, said)

    # The house

    def _for_the_house(
        self, message: Refresh | Returned | Unfinished | Tell | Ended | Heard
    ) -> Talk[Any]:
        match message:
            case Refresh():
                return (yield from self._refreshed(message))
            case Returned():
                return (yield from self._returned(message))
            case Unfinished():
                return (yield from self._unfinished(message))
            case Tell():
                return (yield from notices.told(self.house, message.payment, message.operation))
            case Ended():
                return (yield from notices.ended(message.limit))
            case Heard():
                return (yield from notices.heard(message.payments))

    def _refreshed(self, message: Refresh) -> Talk[Followed | None]:
        checkout = yield from paying.refresh(self.house, message.payment)
        with suppress(Failed):  # without keys nobody can be shown anything
            return (yield from followed(self.house, checkout)) if checkout else None
        return None

    def _returned(self, message: Returned) -> Talk[Followed | None]:
        with suppress(Failed, Refused):
            back = yield from asking.returned(self.house, message)
            return (yield from followed(self.house, back))
        return None

    def _unfinished(self, message: Unfinished) -> Talk[tuple[str, ...]]:
        after = sessions.still_open(message.after) if message.after else ""
        pages: list[tuple[str, Page]] = yield Browse(sessions.OPEN, after, message.limit)
        return tuple(key.removeprefix(sessions.OPEN) for key, _ in pages)

    def _current(self, payment: str) -> Talk[Checkout]:
        checkout = yield from recall(payment)
        assert checkout is not None, "pages of payments are not forgotten"
        return checkout

    # Credentials

    def _seller(self, caller: Caller) -> tuple[str, Seller]:
        """Find the seller a publishable key belongs to. Raises Refused."""
        shown = caller.credential.reveal()
        found: tuple[str, Seller] | None = None
        for name, seller in self.provider.sellers.items():
            if equal(shown, seller.publishable_key):
                found = name, seller
        if found is None:
            raise refused(*UNAUTHORIZED)
        return found

    def _welcome(self, caller: Caller, seller: Seller, *, needed: bool) -> None:
        """Let pages of a seller's origins in, and our own. Raises Refused.

        Browsers leave the origin out of what a page of ours reads from us.
        """
        if caller.origin in seller.origins or self._ours(caller):
            return
        if caller.origin or needed:
            raise refused(403, "origin", "Pages of this origin may not ask for this seller.")

    def _owned(self, caller: Caller, payment: str) -> Talk[None]:
        """Let the page in that began a payment. Raises Refused."""
        right = yield from self.house.client_token(payment)
        if not equal(caller.credential.reveal(), right.reveal()):
            raise refused(*UNAUTHORIZED)
        checkout = yield from recall(payment)
        if checkout is None:
            raise refused(*asking.NO_PAYMENT)
        seller = self.provider.sellers.get(checkout.seller)
        if seller is None:
            raise refused(*asking.NO_PAYMENT)
        self._welcome(caller, seller, needed=False)

    def _at_home(self, caller: Caller) -> None:
        """Let only our own pages in. Raises Refused."""
        if caller.origin and not self._ours(caller):
            raise refused(403, "origin", "Only the provider's own page may ask that.")

    def _address(self, caller: Caller) -> str:
        return self.provider.url or caller.reached

    def _ours(self, caller: Caller) -> bool:
        return bool(caller.origin) and caller.origin == self._address(caller)


_CONTENT = ("service", "sellerID", "customerID", "bill", "itemList", "challenges", "signedBill")


def _text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > NAME_LETTERS_MAX:
        raise Failed(charge("invalid_request", f"{name} is a text or null."))
    return value


def _verb(read: bill.Bill) -> str:
    if read.kind == "refund":
        return Verb.REFUND.value
    return (Verb.PURCHASE if read.money.amount_minor else Verb.VERIFY).value


def _kinds(value: object) -> tuple[str, ...]:
    """Read which challenges a page can show; all where it does not say."""
    if value is None:
        return policy.KINDS
    if not isinstance(value, list):
        raise Failed(charge("invalid_request", "challenges is a list of kinds."))
    return tuple(kind for kind in policy.KINDS if kind in value)
