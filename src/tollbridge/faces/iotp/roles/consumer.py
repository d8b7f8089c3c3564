"""The Consumer's core: buying from the first message to the receipt, and all that may come between.

What is ordered (`Buy`, `Resume`, ...) is answered as a flow by `answer`; the core has no endpoints,
for a Consumer asks and is not asked. A deal's stages: "begun" (the first message is on file),
"answered" (the authentication), "selected", "agreed" (the offer is on file), "done", "failed",
"cancelled".
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tollbridge.faces.contract import Endpoint
from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.calls import (
    InquirePendingPayment,
    ManagePaymentSoftware,
    ManagePaymentSoftwareResponse,
    PaymentInstrumentInquiry,
    PaymentInstrumentInquiryResponse,
    RemovePaymentLog,
)
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ErrorCode,
    ProcessState,
)
from tollbridge.faces.iotp.message import codec, faults, rules
from tollbridge.faces.iotp.message.blocks import (
    AuthReqBlk,
    AuthRespBlk,
    AuthStatusBlk,
    IotpMessage,
    OfferRespBlk,
    PingReqBlk,
    PingRespBlk,
    TpoBlk,
    TpoSelectionBlk,
)
from tollbridge.faces.iotp.message.components import (
    AuthResp,
    Org,
    TransId,
)
from tollbridge.faces.iotp.message.faults import Unreadable
from tollbridge.faces.iotp.message.signing import SignatureKind, Verifier
from tollbridge.faces.iotp.message.words import Role, StatusType, TransactionType
from tollbridge.faces.iotp.roles import inquiring, proving, receiving, selecting, store
from tollbridge.faces.iotp.roles.core import (
    ROLE,
    Cancelled,
    Core,
    PeerCancelled,
    PeerError,
    Suspended,
)
from tollbridge.faces.iotp.roles.draft import Draft, next_draft
from tollbridge.faces.iotp.roles.inquiring import Told
from tollbridge.faces.iotp.roles.paying import Paying
from tollbridge.faces.iotp.roles.person import Arrived, Fetch, Post, Silence, Visit, Way
from tollbridge.faces.iotp.roles.picking import Picked
from tollbridge.faces.iotp.roles.problems import Failed, Problem, Unusable
from tollbridge.faces.iotp.roles.receipts import Offer
from tollbridge.faces.iotp.roles.receiving import Receiving
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.faces.iotp.roles.wanted import (
    Buy,
    Cancel,
    Forget,
    Inquire,
    Manage,
    Paid,
    Pending,
    Ping,
    Properties,
    Rest,
    Resume,
    Traded,
    Trades,
    Waiting,
    Wanted,
)
from tollbridge.faces.iotp.roles.writing import together
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Exchange, Flow, Party
from tollbridge.ground.ids import IdSource

PAY_ID_LETTERS = 14
OVER = frozenset({"done", "failed", "cancelled"})
PAYMENTS_MAX = 2
NOBODY: Mapping[str, Verifier] = MappingProxyType({})


class Consumer:
    """A Consumer's core over some bridges. `name` is that of its notebook, `trusted` are verifiers
    by OrgId, in small letters."""

    name = "iotp-consumer"

    def __init__(
        self,
        bridges: Mapping[str, PaymentBridge],
        clock: Clock,
        ids: IdSource,
        trusted: Mapping[str, Verifier] = NOBODY,
    ) -> None:
        self.core = Core.of(bridges, clock, ids, trusted)
        self.core.aside = self._aside
        self._orders: Mapping[type, Callable[[Any], Flow[Any]]] = {
            Buy: self._buy,
            Resume: self._resume,
            Inquire: self._inquire,
            Cancel: self._cancel,
            Pending: self._pending,
            Trades: self._trades,
            Rest: self._rest,
            Manage: self._manage,
            Properties: self._properties,
            Forget: self._forget,
            Ping: self._ping,
        }

    def endpoints(self) -> Sequence[Endpoint]:
        """A Consumer listens nowhere."""
        return ()

    def answer(self, message: Wanted) -> Flow[Any]:
        """Do what is ordered. Raises Unusable when it cannot be done."""
        flow: Flow[Any] = self._orders[type(message)](message)
        return together(flow)

    # Buying

    def _buy(self, wanted: Buy) -> Flow[Traded]:
        got: Arrived | Silence = yield Exchange(Party.PEER, Fetch(wanted.url))
        if isinstance(got, Silence):
            raise Unusable(f"the shop does not answer: {got.reason}")
        try:
            message = store.message(got.body)
        except Unreadable as error:
            raise Unusable(f"the shop says nothing of use: {error.faults[0].rule}") from None
        if message.error is not None and not message.blocks:
            raise Unusable(f"the shop: {message.error.errors[0].error_desc}")
        known = yield from store.recall(ROLE, message.trans_id)
        if known is not None:
            raise Unusable("the shop began a transaction that we know; `resume` it")
        if message.block(TpoBlk) is None:
            raise Unusable("the shop does not begin with its options")
        if wrong := faults.hard(rules.of(message)):
            raise Unusable(f"the shop says nothing of use: {wrong[0].rule}")
        deal = self._begun(message, got.body, check=wanted.check)
        # Nothing was said yet: the first letter that goes out is written with all of this.
        return (yield from self._trade(deal))

    def _begun(self, message: IotpMessage, body: bytes, *, check: bool = True) -> Deal:
        deal = Deal(ROLE, message.trans_ref.trans_id, "begun")
        deal.data = {"payments": [], "selected": [], "answered": message.msg_id, "inquiries": 0,
                     "options": 1, "check": check}  # fmt: skip
        self.core.file(deal, message, body, "Merchant")
        return deal

    def _aside(self, message: IotpMessage, body: bytes) -> Flow[bool]:
        """Authenticate in a transaction of its own, while another one waits (RFC 3504)."""
        deal = yield from store.recall(ROLE, message.trans_id)
        if deal is None:
            if message.block(TpoBlk) is None:
                raise Unusable("an authentication begins with options")
            deal = self._begun(message, body)
        if deal.stage not in OVER:
            deal.data["suspended"] = False
            traded = yield from self._trade(deal)
            if traded.is_suspended:
                raise Suspended(traded.text)
        return deal.stage == "done"

    def _resume(self, wanted: Resume) -> Flow[Traded]:
        deal = yield from self.known(wanted.name)
        if deal.stage in OVER:
            raise Unusable(f"there is nothing to resume: the transaction is {deal.stage}")
        deal.data["suspended"] = False
        return (yield from self._trade(deal))

    def _trade(self, deal: Deal) -> Flow[Traded]:
        """Bring a transaction to its end, or as far as it goes now."""
        try:
            text = yield from self._attempted(deal)
        except Failed as failed:  # software of ours, at a moment where nothing else can be done
            text = failed.error.error_desc
            yield from self.core.notice(text)
            deal.data["suspended"] = True
            yield from store.keep(deal)
        return self._told(deal, text)

    def _attempted(self, deal: Deal) -> Flow[str]:
        """Go on with a transaction; gives words about what came of it. Raises Failed."""
        text = ""
        try:
            text = yield from self._steps(deal)
        except Suspended as suspended:
            text = str(suspended)
            yield from self._suspend(deal)
        except Cancelled as cancelled:
            text = str(cancelled)
            yield from self._call_off(deal)
        except PeerCancelled as cancel:
            text = str(cancel)
            yield from self._over(deal, "cancelled", cancel.block.status.completion_code)
        except PeerError as error:
            text = str(error)
            yield from self._over(deal, "failed")
        except Problem as problem:
            text = problem.text
            _, tpo = yield from self._options(deal)
            yield from self.core.complain(
                deal, problem, deal.data["answered"], self._sender_of(tpo)
            )
            yield from self._over(deal, "failed")
        except Unusable as unusable:
            text = unusable.text
            yield from self._unusable(deal, unusable)
        return text

    def _steps(self, deal: Deal) -> Flow[str]:
        if deal.stage == "begun":
            yield from self._authenticate(deal)
            if deal.stage in OVER:
                return ""
        if deal.stage in {"begun", "answered"}:
            yield from self._select(deal)
        if deal.stage == "selected":
            yield from self._ask_offer(deal)
        offer = yield from self._offer(deal)
        return (yield from self._pay(deal, offer))

    def _pay(self, deal: Deal, offer: Offer) -> Flow[str]:
        """Make all payments, in the order that they name, and receive what is delivered (11.2).

        Says what was not done.
        """
        done: list[str] = []
        for known in deal.data["payments"]:
            yield from self._paid(deal, offer, known, after=bool(done))
            what = f"{known['direction']} {known['terms'][4]} {known['terms'][3]}"
            if known["state"] != ProcessState.COMPLETED_OK or known.get("unproven"):
                yield from self._over(deal, "failed")
                before = f"{', '.join(done)} is done, " if done else ""
                why = known.get("unproven") or known["code"] or known["state"]
                return f"{before}{what} is not: {why}"
            done.append(what)
        if receiving.promised(offer):
            missing = yield from Receiving(self.core, deal, offer).receive()
            if missing:
                yield from self._over(deal, "failed")
                return f"{', '.join(done)} is done; {missing}"
        yield from self._over(deal, "done")
        yield from self.core.person(Visit(offer.tpo.protocol_options.success_net_locn))
        return ""

    def _paid(self, deal: Deal, offer: Offer, known: dict[str, Any], *, after: bool) -> Flow[None]:
        """Make a payment, in another way if the first one failed and the person wants to."""
        while True:
            if known["stage"] != "over":
                yield from Paying(self.core, deal, offer, known).pay()
            if known["state"] != ProcessState.FAILED or known["code"] in _NO_OTHER:
                return
            if not (yield from self._another(deal, offer, known, after=after)):
                return

    def _another(
        self, deal: Deal, offer: Offer, known: dict[str, Any], *, after: bool
    ) -> Flow[bool]:
        """After a business failure, let another way to pay be chosen (RFC 2801, 7.16.2).

        `after` another payment was made, this one may wait, too: raises Suspended.
        """
        text = f"the payment failed: {known['code'] or 'for no reason that was told'}"
        ways = (Way.OTHER, Way.SUSPEND, Way.CANCEL) if after else (Way.OTHER, Way.CANCEL)
        try:
            way = yield from self.core.decide(text, *ways)
        except Cancelled:
            return False
        if way is not Way.OTHER:
            return False
        old = Paying(self.core, deal, offer, known)
        only = old.picked.terms if deal.data["dependent"] else None
        pay_id = self.core.ids.code(PAY_ID_LETTERS)
        check = deal.data["check"]
        chosen = yield from selecting.select(self.core, old.brands, pay_id, only=only, check=check)
        draft = next_draft(deal, "C")
        component = chosen.component(iter(draft.new_id, ""))
        deal.data["payments"][deal.data["payments"].index(known)] |= self._entry(
            component, chosen, pay_id, known["ref"], old.handler.id
        )
        yield from store.keep(deal)
        return True

    # Authentication (2.1, figure 2)

    def _authenticate(self, deal: Deal) -> Flow[None]:
        first = yield from self._first(deal)
        request, tpo = first.block(AuthReqBlk), first.block(TpoBlk)
        if request is None:
            return
        assert tpo is not None
        proving.allowed(first)
        if first.block(OfferRespBlk) is not None or first.block(AuthStatusBlk) is not None:
            text = "authentication and offer do not come together"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, element="AuthReqBlk", ref=request.id)
        asked = [one.id for one in request.auth_reqs]
        yield from self._merchants(deal, first, tpo, SignatureKind.AUTHENTICATION_REQUEST, asked)
        number = deal.data.get("auth_letter")
        if number is None:
            number = yield from self._response(deal, first, request, tpo)
        message = yield from self.core.ask(deal, number, self._sender_of(tpo))
        status = message.block(AuthStatusBlk)
        if status is None:
            text = "the status of the authentication is missing"
            raise Problem(ErrorCode.EL_MISSING, text, value="AuthStatusBlk")
        kind = SignatureKind.AUTHENTICATION_STATUS
        yield from self._merchants(deal, message, tpo, kind, [status.status.id])
        deal.data["answered"] = message.msg_id
        if status.status.process_state is not ProcessState.COMPLETED_OK:
            yield from self.core.notice(status.status.status_desc or "not authenticated")
            yield from self._over(deal, "failed")
            return
        if message.block(TpoBlk) is None:
            yield from self._over(deal, "done")
            return
        deal.stage = "answered"
        deal.data["options"] = deal.seen[message.msg_id].letter
        yield from store.keep(deal)

    def _response(
        self, deal: Deal, first: IotpMessage, request: AuthReqBlk, tpo: TpoBlk
    ) -> Flow[int]:
        while True:
            found = yield from proving.proved(self.core, request.auth_reqs, tpo)
            if found is not None or not request.auth_reqs:
                break
            text = "no payment software can authenticate you as the merchant wants"
            yield from self.core.decide(text, Way.RETRY, Way.SUSPEND, Way.CANCEL)
        draft = next_draft(deal, "C")
        block = draft.new_id()
        response = None
        if found is not None:
            one, contents = found
            response = AuthResp(
                id=draft.new_id(),
                authentication_id=one.authentication_id,
                selected_algorithm_ref=one.algorithm.id,
                contents=contents,
            )
        orgs: tuple[Org, ...] = ()
        info = request.trading_role_info_req
        if info is not None:
            orgs = tuple([org for org in tpo.orgs if org.plays(Role.CONSUMER)])
        made = AuthRespBlk(id=block, auth_resp=response, orgs=orgs)
        number = self.core.send(deal, draft, (made,), to="Merchant", answers=first.msg_id)
        deal.data["auth_letter"] = number
        yield from store.keep(deal)
        return number

    # Selection (2.3, figure 4)

    def _select(self, deal: Deal) -> Flow[None]:
        message, tpo = yield from self._options(deal)
        if not 1 <= len(tpo.brand_lists) <= PAYMENTS_MAX:
            text = f"a trade has one payment or two, not {len(tpo.brand_lists)}"
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="TpoBlk", ref=tpo.id)
        dependent = message.block(OfferRespBlk) is None
        chosen = []
        for brands in tpo.brand_lists:
            pay_id = self.core.ids.code(PAY_ID_LETTERS)
            check = deal.data["check"]
            one = yield from selecting.select(self.core, brands, pay_id, check=check)
            chosen.append((pay_id, one))
        draft = next_draft(deal, "C")
        block = draft.new_id()
        made = []
        for pay_id, each in chosen:
            component = each.component(iter(draft.new_id, ""))
            made.append(component)
            handler = each.possible.picked.protocol.action_org_ref
            deal.data["selected"].append(self._entry(component, each, pay_id, "", handler))
        deal.data["dependent"] = dependent
        if dependent:
            selection = TpoSelectionBlk(id=block, brand_selections=tuple(made))
            deal.data["selection_letter"] = self.core.send(
                deal, draft, (selection,), to="Merchant", answers=message.msg_id
            )
        deal.stage = "selected"
        yield from store.keep(deal)

    def _entry(
        self,
        component: Any,
        chosen: selecting.Selected,
        pay_id: str,
        ref: str,
        org: str,
    ) -> dict[str, Any]:
        option = chosen.possible.option
        picked: Picked = chosen.possible.picked
        return {
            "ref": ref,
            "org": org,
            "id": pay_id,
            "bridge": option.bridge,
            "instrument": option.instrument_id,
            "label": option.instrument_name,
            "terms": picked.terms,
            "direction": chosen.brands.pay_direction,
            "selection": selecting.written(component),
            "stage": "new",
            "state": ProcessState.NOT_YET_STARTED,
            "code": None,
            "handler": None,
            "suspended": False,
        }

    def _ask_offer(self, deal: Deal) -> Flow[None]:
        """Get the offer, unless it came with the options, and hold it to what was chosen."""
        message, tpo = yield from self._options(deal)
        if deal.data["dependent"]:
            message = yield from self.core.ask(
                deal, deal.data["selection_letter"], self._sender_of(tpo)
            )
        block = message.block(OfferRespBlk)
        if block is None:
            text = "an offer is expected"
            raise Problem(ErrorCode.EL_MISSING, text, value="OfferRespBlk")
        deal.data["answered"] = message.msg_id
        self._fits(deal, tpo, block)
        parts = (block.order, block.delivery, *block.payments, *tpo.brand_lists)
        must = [one.id for one in parts if one is not None]
        yield from self._merchants(deal, message, tpo, SignatureKind.OFFER_RESPONSE, must)
        deal.data["offer"] = deal.seen[message.msg_id].letter
        by_list = {payment.brand_list_ref: payment.id for payment in block.payments}
        entries = {each["selection"]["refs"][0]: each for each in deal.data["selected"]}
        ordered = sorted(block.payments, key=lambda one: len(one.start_after_refs))
        deal.data["payments"] = [
            {**entries[one.brand_list_ref], "ref": by_list[one.brand_list_ref]} for one in ordered
        ]
        # Written with the Payment Request; until then, the same selection brings the same offer.
        deal.stage = "agreed"

    def _fits(self, deal: Deal, tpo: TpoBlk, block: OfferRespBlk) -> None:
        """Check an offer (11.2). Raises Problem."""
        del deal
        if block.status.process_state is not ProcessState.COMPLETED_OK:
            raise Unusable(block.status.status_desc or "the merchant makes no offer")
        wanted = sorted(one.id for one in tpo.brand_lists)
        if sorted(one.brand_list_ref for one in block.payments) != wanted:
            text = "the offer's payments are not those of the options"
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="OfferRespBlk", ref=block.id)
        if block.order is None:
            text = "an offer has an order"
            raise Problem(ErrorCode.EL_MISSING, text, element="OfferRespBlk", value="Order")
        receiving.check(tpo, block)
        now = self.core.clock.now()
        if now > block.order.ok_to:
            raise Problem(ErrorCode.VALUE_TOO_LARGE, "the offer has expired", element="Order",
                          ref=block.order.id, attribute="OkTo")  # fmt: skip

    def _merchants(
        self, deal: Deal, message: IotpMessage, tpo: TpoBlk, kind: SignatureKind, must: list[str]
    ) -> Flow[None]:
        """Hold what the Merchant signed to its signature, if it signed. Raises Problem."""
        merchant, consumer = (
            next((org for org in tpo.orgs if org.plays(role)), None)
            for role in (Role.MERCHANT, Role.CONSUMER)
        )
        if merchant is not None and consumer is not None:
            yield from self.core.judge(
                deal, message, kind, by=merchant, us=consumer.org_id, must=must
            )

    # Ends that are none, and ends

    def _suspend(self, deal: Deal) -> Flow[None]:
        known = self._current(deal)
        if known is not None:
            offer = yield from self._offer(deal)
            yield from Paying(self.core, deal, offer, known).suspend()
        deal.data["suspended"] = True
        yield from store.keep(deal)

    def _call_off(self, deal: Deal) -> Flow[None]:
        """Cancel: a payment with its handler, what comes before with the Merchant (12.4)."""
        known = self._current(deal)
        if known is not None:
            offer = yield from self._offer(deal)
            if not (yield from Paying(self.core, deal, offer, known).cancel()):
                return
            yield from self._over(deal, "cancelled", CompletionCode.CONS_CANCELLED)
            return
        if receiving.begun(deal):
            offer = yield from self._offer(deal)
            if (yield from Receiving(self.core, deal, offer).cancel()):
                yield from self._over(deal, "cancelled", CompletionCode.CONS_CANCELLED)
            else:
                yield from self.core.notice("it is too late to cancel, or nobody knows: resume")
                yield from store.keep(deal)
            return
        draft = next_draft(deal, "C")
        message, tpo = yield from self._options(deal)
        request = message.block(AuthReqBlk)
        kind, code = StatusType.OFFER, CompletionCode.CONS_CANCELLED
        if deal.stage == "begun" and request is not None:
            kind, code = StatusType.AUTHENTICATION, CompletionCode.AUT_EE_CANCEL
        elif "offer" in deal.data:
            kind = StatusType.PAYMENT
        block = draft.cancel(kind, code, None, "no more of it")
        yield from self.core.tell(
            deal, draft, (block,), self._sender_of(tpo), deal.data["answered"]
        )
        yield from self._over(deal, "cancelled", CompletionCode.CONS_CANCELLED)

    def _unusable(self, deal: Deal, unusable: Unusable) -> Flow[None]:
        """End what cannot go on; of a payment that may have happened, the handler is asked."""
        known = self._current(deal)
        if known is None:
            yield from self._over(deal, "failed")
            return
        offer = yield from self._offer(deal)
        yield from Paying(self.core, deal, offer, known).doubt(unusable.text)
        try:
            yield from self._pay(deal, offer)
        except (Suspended, Cancelled, Unusable, Problem, PeerError, PeerCancelled) as later:
            yield from self.core.notice(str(later))
            yield from store.keep(deal)

    def _over(self, deal: Deal, stage: str, code: str | None = None) -> Flow[None]:
        deal.stage = stage
        deal.data["suspended"] = False
        if code is not None:
            deal.data["code"] = code
        yield from store.keep(deal, store.mark(deal, is_open=False))

    def _current(self, deal: Deal) -> dict[str, Any] | None:
        """Give the payment that the payment software has begun and that is not over."""
        for known in deal.data["payments"]:
            if known["stage"] in {"asked", "got", "answered", "doubt"}:
                return known  # type: ignore[no-any-return]
        return None

    # Inquiry (2.5, figure 6)

    def _inquire(self, wanted: Inquire) -> Flow[Told]:
        deal = yield from self.known(wanted.name)
        begun = [one for one in deal.data["payments"] if one["stage"] != "new"]
        if wanted.payment is not None and not 1 <= wanted.payment <= len(begun):
            raise Unusable(f"payment {wanted.payment} was not begun")
        if not begun:
            _, tpo = yield from self._options(deal)
            merchant, consumer = (
                next(org for org in tpo.orgs if org.plays(role))
                for role in (Role.MERCHANT, Role.CONSUMER)
            )
            between = inquiring.Between(merchant, consumer.org_id)
            return (yield from inquiring.offer(self.core, deal, tpo, self._sender_of(tpo), between))
        offer = yield from self._offer(deal)
        try:
            if wanted.payment is None and receiving.begun(deal):
                return (yield from Receiving(self.core, deal, offer).inquire())
            payment = Paying(self.core, deal, offer, begun[(wanted.payment or 0) - 1])
            return (yield from payment.inquire())
        except (Suspended, Cancelled) as end:
            raise Unusable(str(end)) from None

    # Cancelling, pending payments, wallets

    def _cancel(self, wanted: Cancel) -> Flow[Traded]:
        deal = yield from self.known(wanted.name)
        if deal.stage in OVER:
            raise Unusable(f"there is nothing to cancel: the transaction is {deal.stage}")
        yield from self._call_off(deal)
        return self._told(deal, "")

    def _trades(self, _: Trades) -> Flow[tuple[Traded, ...]]:
        return tuple([self._told(deal, "") for deal in (yield from store.deals(ROLE))])

    def _pending(self, _: Pending) -> Flow[Waiting]:
        deals: list[Traded] = []
        for name in (yield from store.open_names(ROLE)):
            deal = yield from store.recall(ROLE, name)
            if deal is not None and deal.stage not in OVER:
                deals.append(self._told(deal, ""))
        found: list[tuple[str, str]] = []
        for name in self.core.bridges:
            try:
                answer = yield from self.core.bridges.call(name, InquirePendingPayment())
            except Failed:
                continue
            found += [(name, one.pay_id) for one in answer.payment_ids]
        return Waiting(tuple(deals), tuple(found))

    def _rest(self, wanted: Rest) -> Flow[Traded]:
        deal = yield from self.known(wanted.name)
        yield from self._suspend(deal)
        return self._told(deal, "")

    def _manage(self, wanted: Manage) -> Flow[ManagePaymentSoftwareResponse]:
        call = ManagePaymentSoftware(
            brand_id=wanted.brand_id,
            protocol_id=wanted.protocol_id,
            action=wanted.action,
            wallet_id=wanted.wallet_id,
        )
        return (yield from self.core.manage(wanted.bridge, call))

    def _properties(self, wanted: Properties) -> Flow[PaymentInstrumentInquiryResponse]:
        call = PaymentInstrumentInquiry(
            brand_id=wanted.brand_id,
            payment_instrument_id=wanted.instrument_id,
            protocol_id=wanted.protocol_id,
            property_type_list=wanted.types,
        )
        return (yield from self.core.bridges.call(wanted.bridge, call))

    def _forget(self, wanted: Forget) -> Flow[Traded]:
        deal = yield from self.known(wanted.name)
        if deal.stage not in OVER:
            raise Unusable("only what is over can be forgotten")
        for known in deal.data["payments"]:
            try:
                call = RemovePaymentLog(pay_id=known["id"])
                yield from self.core.bridges.call(known["bridge"], call)
            except Failed as failed:
                yield from self.core.notice(failed.error.error_desc)
        return self._told(deal, "")

    def _ping(self, wanted: Ping) -> Flow[str]:
        draft = Draft("I1")
        now = self.core.clock.now()
        trans = TransId(
            id=draft.new_id(),
            iotp_trans_id=f"{self.core.ids.payment_id(now).lower()}@consumer.invalid",
            iotp_trans_type=TransactionType.PING,
            time=now,
        )
        block = PingReqBlk(id=draft.new_id())
        body = codec.write(draft.message(trans, (block,), now))
        got: Arrived | Silence = yield Exchange(Party.PEER, Post(wanted.url, body))
        if isinstance(got, Silence):
            return f"Down: {got.reason}"
        answer = store.message(got.body).block(PingRespBlk)
        return str(answer.ping_status_code) if answer is not None else "no answer to a ping"

    # What is on file

    def known(self, name: str) -> Flow[Deal]:
        deal = yield from store.recall(ROLE, name)
        if deal is None:
            found = [one for one in (yield from store.deals(ROLE)) if one.name.startswith(name)]
            if len(found) != 1 or not name:
                many = "several transactions begin" if found else "no transaction begins"
                raise Unusable(f"{many} with {name!r:.60}")
            deal = found[0]
        return deal

    def _first(self, deal: Deal) -> Flow[IotpMessage]:
        return store.message((yield from store.letter(deal, 1)).body)

    def _options(self, deal: Deal) -> Flow[tuple[IotpMessage, TpoBlk]]:
        """Give the message with the options that count: the last one that has any."""
        letter = yield from store.letter(deal, deal.data["options"])
        message = store.message(letter.body)
        block = message.block(TpoBlk)
        assert block is not None
        return message, block

    def _offer(self, deal: Deal) -> Flow[Offer]:
        _, tpo = yield from self._options(deal)
        letter = yield from store.letter(deal, deal.data["offer"])
        message = store.message(letter.body)
        block = message.block(OfferRespBlk)
        assert block is not None
        return Offer(tpo, block, message.signatures)

    @staticmethod
    def _sender_of(tpo: TpoBlk) -> str:
        options = tpo.protocol_options
        return options.secure_sender_net_locn or options.sender_net_locn or ""

    @staticmethod
    def _told(deal: Deal, text: str) -> Traded:
        entries = deal.data["payments"] or deal.data["selected"]
        return Traded(
            deal.name,
            deal.trans.iotp_trans_type,
            deal.stage,
            tuple([
                Paid(
                    one["id"], one["bridge"], one["terms"][0], one["instrument"], one["terms"][4],
                    one["terms"][3], one["direction"], ProcessState(one["state"]), one["code"],
                    one.get("sound", False), one["handler"],
                    one.get("unproven") or one.get("proof", ""),
                )
                for one in entries
            ]),
            text,
            bool(deal.data.get("suspended")),
            receiving.came(deal),
        )  # fmt: skip


_NO_OTHER = frozenset({CompletionCode.CONS_CANCELLED, CompletionCode.MERCH_CANCELLED})
