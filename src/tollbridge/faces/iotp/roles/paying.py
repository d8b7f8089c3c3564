"""The Consumer's side of a payment: start, exchanges, receipt, and taking it up again (figure 5).

A payment's entry in the deal says where it is: "new", "asked" (our last letter has no answer yet),
"got" (the other side's is on file and the bridge may have seen it), "answered" (the Payment
Response is on file), "doubt" (it went wrong, and only an inquiry tells how far), "over". After a
crash, "asked" means that the same bytes are sent again; "got" that the payment software is asked
for fresh data (2.6.2).
"""

from collections.abc import Sequence
from typing import Any

from tollbridge.faces.iotp.api.calls import (
    ContinueProcess,
    ResumePaymentConsumer,
    StartPaymentConsumer,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import CompletionCode, ContStatus, ErrorCode, ProcessState
from tollbridge.faces.iotp.message.blocks import (
    Block,
    IotpMessage,
    OfferRespBlk,
    PayExchBlk,
    PayReqBlk,
    PayRespBlk,
    TpoBlk,
)
from tollbridge.faces.iotp.message.components import (
    BrandList,
    Org,
    Payment,
    PaySchemeData,
    Status,
)
from tollbridge.faces.iotp.message.signatures import IotpSignatures
from tollbridge.faces.iotp.message.words import Role, StatusType
from tollbridge.faces.iotp.roles import inquiring, picking, receipts, sealing, selecting, store
from tollbridge.faces.iotp.roles.core import (
    LANGUAGES,
    OURSELVES,
    PATIENCE_MAX_S,
    PAUSE_S,
    Cancelled,
    Core,
    PeerCancelled,
    PeerError,
    Suspended,
)
from tollbridge.faces.iotp.roles.draft import Draft, cancelled, next_draft
from tollbridge.faces.iotp.roles.handler import role_data
from tollbridge.faces.iotp.roles.person import Arrived, Confirm, Option, Silence, Way
from tollbridge.faces.iotp.roles.picking import Picked
from tollbridge.faces.iotp.roles.problems import Failed, Problem, Unusable, problem_of
from tollbridge.faces.iotp.roles.receipts import Offer
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.flow import Flow, Wait

TURNS_AT_ONCE, TURNS_MAX = 6, 40
"""How many exchanges follow one another without a pause, and without asking the person."""
FINAL = frozenset({ProcessState.COMPLETED_OK, ProcessState.FAILED, ProcessState.PROCESS_ERROR})


class Paying:
    """One payment of a deal. `known` is its entry, written with the deal."""

    def __init__(self, core: Core, deal: Deal, offer: Offer, known: dict[str, Any]) -> None:
        self.core = core
        self.deal = deal
        self.offer = offer
        self.known = known
        core.bridges.use(known["bridge"], known.get("wallet"))
        self.payment = _payment(offer.block, known["ref"])
        self.brands = _list(offer.tpo, self.payment)
        self.selection = selecting.read(known["selection"])
        self.picked: Picked = picking.picked(self.brands, self.selection, self.payment)
        orgs = {org.id: org for org in offer.tpo.orgs}
        self.handler: Org = orgs[self.picked.protocol.action_org_ref]
        self.url = (
            self.picked.protocol.sec_pay_req_net_locn or self.picked.protocol.pay_req_net_locn or ""
        )

    # The whole of it

    def pay(self) -> Flow[None]:
        """Bring the payment to its end. Raises Suspended, Cancelled, Unusable.

        How it ended is in `known["state"]`.
        """
        known = self.known
        if known["stage"] == "new":
            yield from self._confirmed()
            yield from self._start()
        elif known["stage"] in {"asked", "got"} and (
            known.get("suspended") or known["stage"] == "got"
        ):
            yield from self._resume()
        while known["stage"] != "over":
            if known["stage"] == "answered":
                yield from self._finish()
            elif known["stage"] == "doubt":
                yield from self._learn()
            else:
                yield from self._exchanged()

    def _confirmed(self) -> Flow[None]:
        """Ask once more before any payment software is involved (2.4, step 1)."""
        now = self.core.clock.now()
        if now > self.payment.ok_to:
            raise Unusable("the offer has expired")
        if now < self.payment.ok_from:
            raise Unusable("the offer is not good yet")
        merchant = self.offer.one(Role.MERCHANT)
        order = self.offer.block.order
        wish = Confirm(
            self.option,
            order.short_desc if order is not None else "",
            merchant.legal_name or merchant.org_id,
            self.handler.legal_name or self.handler.org_id,
        )
        answer = Way((yield from self.core.person(wish)))
        if answer is Way.SUSPEND:
            raise Suspended("before the payment")
        if answer is not Way.GO_ON:
            raise Cancelled("before the payment")

    @property
    def option(self) -> Option:
        """What is paid, with what."""
        return Option(
            bridge=self.known["bridge"],
            brand_id=self.picked.brand.brand_id,
            brand_name=self.picked.brand.brand_name,
            protocol_id=self.picked.protocol.protocol_id,
            protocol_name=self.picked.protocol.protocol_name,
            amount=self.picked.amount.amount,
            currency=self.picked.amount.curr_code,
            direction=self.brands.pay_direction,
            instrument_id=self.known["instrument"],
            instrument_name=self.known["label"],
        )

    def _start(self) -> Flow[None]:
        """Open the payment and write the Payment Request (2.4, step 2)."""
        order = self.offer.block.order
        call = StartPaymentConsumer(
            brand_id=self.picked.brand.brand_id,
            payment_instrument_id=self.known["instrument"],
            curr_code_type=self.picked.amount.curr_code_type,
            curr_code=self.picked.amount.curr_code,
            amount=self.picked.amount.amount,
            pay_direction=self.brands.pay_direction,
            protocol_id=self.picked.protocol.protocol_id,
            protocol_brand_id=(
                self.picked.protocol_brand.protocol_brand_id if self.picked.protocol_brand else None
            ),
            ok_from=self.payment.ok_from,
            ok_to=self.payment.ok_to,
            consumer_pay_id=self.known["id"],
            call_back_function=OURSELVES,
            call_back_language_list=LANGUAGES,
            brand_packaged_content=self.picked.brand.contents,
            protocol_brand=self.picked.api_brand,
            protocol_amount_packaged_content=self.picked.protocol_amount.contents,
            pay_protocol_packaged_content=self.picked.protocol.contents,
            order_packaged_content=order.contents if order is not None else (),
            trading_role_data_packaged_content=role_data(self.offer.block.trading_role_data),
        )
        while True:
            try:
                done = yield from self.core.bridges.call(self.known["bridge"], call)
                break
            except Failed as failed:
                text = yield from self._why(failed)
            yield from self.core.decide(text, Way.RETRY, Way.SUSPEND, Way.CANCEL)
        self.known["ended"] = done.cont_status is ContStatus.END
        self.known["wallet"] = self.core.bridges.wallet(self.known["bridge"])
        yield from self._request(done.pay_scheme_packaged_content)

    def _request(self, contents: tuple[Content, ...]) -> Flow[None]:
        draft = next_draft(self.deal, "C")
        block = draft.new_id()
        data = None
        if contents:
            data = PaySchemeData(
                id=draft.new_id(),
                payment_ref=self.payment.id,
                consumer_payment_id=self.known["id"],
                contents=contents,
            )
        merchant = self.offer.one(Role.MERCHANT)
        consumer = self.offer.one(Role.CONSUMER)
        statuses, signatures = yield from self._before()
        request = PayReqBlk(
            id=block,
            statuses=(self.offer.block.status, *statuses),
            brand_list=self.brands,
            brand_selection=self.selection,
            payment=self.payment,
            pay_scheme_data=data,
            orgs=(merchant, consumer, *self._steps()),
            trading_role_data=tuple([
                one for one in self.offer.block.trading_role_data
                if self.handler.id in one.destination_el_refs
            ]),
        )  # fmt: skip
        yield from self._write(draft, request, signatures=signatures)

    def _steps(self) -> list[Org]:
        """Give who takes part in the steps of this trade: before, now and next (8.7)."""
        orgs = {org.id: org for org in self.offer.tpo.orgs}
        names = [known["org"] for known in self.deal.data["payments"]]
        delivery = self.offer.block.delivery
        if delivery is not None and delivery.action_org_ref is not None:
            names.append(delivery.action_org_ref)
        return [orgs[name] for name in dict.fromkeys(names)]

    def _before(self) -> Flow[tuple[list[Status], IotpSignatures | None]]:
        """Give the statuses and signatures of the payments that come before this one."""
        done = [
            known for known in self.deal.data["payments"]
            if known["ref"] in self.payment.start_after_refs
        ]  # fmt: skip
        return (yield from evidence(self.core, self.deal, self.offer, done))

    def _write(
        self, draft: Draft, block: Block, signatures: IotpSignatures | None = None
    ) -> Flow[None]:
        """Write a message of this payment down; from now on it may have been sent."""
        answers = self.known.get("last") or self.deal.data["answered"]
        self.known["out"] = self.core.send(
            self.deal, draft, (block,), to=self.handler.org_id, answers=answers,
            signatures=signatures,
        )  # fmt: skip
        self.known["stage"] = "asked"
        self.known["suspended"] = False
        yield from store.keep(self.deal)

    # Exchanges

    def _exchanged(self) -> Flow[None]:
        """Send what is to be sent and take in what comes back."""
        yield from self._paced()
        try:
            message = yield from self.core.ask(self.deal, self.known["out"], self.url)
        except PeerError as error:
            yield from self._hear_error(error)
            return
        except PeerCancelled as cancel:
            yield from self._hear_cancel(cancel)
            return
        response, exchange = message.block(PayRespBlk), message.block(PayExchBlk)
        self.known["last"] = message.msg_id
        self.known["in"] = self.deal.seen[message.msg_id].letter
        if response is not None:
            # Not written yet: the same letter would bring the same answer.
            self.known["stage"] = "answered"
        elif exchange is not None:
            self.known["stage"] = "got"
            self.known["handler"] = exchange.pay_scheme_data.payment_handler_pay_id
            yield from store.keep(self.deal)
            yield from self._continue(exchange)
        else:
            kinds = " ".join(message.kinds)
            problem = Problem(ErrorCode.EL_UNEXPECTED, "a Payment Exchange or Response is expected",
                              value=kinds)  # fmt: skip
            yield from self.core.complain(self.deal, problem, message.msg_id, self.url)
            raise Unusable(f"the payment handler answered with {kinds}", problem)

    def _paced(self) -> Flow[None]:
        """Let time pass where a scheme asks again and again, and let the person give up on it."""
        turns = self.known["turns"] = self.known.get("turns", 0) + 1
        if turns > TURNS_AT_ONCE:
            yield Wait(min(PAUSE_S * 2 ** (turns - TURNS_AT_ONCE), PATIENCE_MAX_S))
        if turns % TURNS_MAX == 0:
            text = "the payment takes long"
            yield from self.core.decide(text, Way.RETRY, Way.SUSPEND, Way.CANCEL)

    def _continue(self, block: PayExchBlk) -> Flow[None]:
        call = ContinueProcess(
            pay_id=self.known["id"], pay_scheme_packaged_content=block.pay_scheme_data.contents
        )
        try:
            done = yield from self.core.bridges.call(self.known["bridge"], call)
        except Failed as failed:
            yield from self._give_up(failed)
            return
        self.known["ended"] = done.cont_status is ContStatus.END
        yield from self._exchange(done.pay_scheme_packaged_content)

    def _exchange(self, contents: tuple[Content, ...]) -> Flow[None]:
        draft = next_draft(self.deal, "C")
        block = draft.new_id()
        data = PaySchemeData(
            id=draft.new_id(),
            payment_ref=self.payment.id,
            consumer_payment_id=self.known["id"],
            payment_handler_pay_id=self.known["handler"],
            contents=contents or (Content(name="None"),),
        )
        yield from self._write(draft, PayExchBlk(id=block, pay_scheme_data=data))

    # Taking it up again (2.6.2)

    def _resume(self) -> Flow[None]:
        """Get fresh data from the payment software, and go on with it."""
        name, pay_id = self.known["bridge"], self.known["id"]
        state = yield from self.core.bridges.state(name, pay_id)
        if state.process_state in {ProcessState.NOT_YET_STARTED, ProcessState.IN_PROGRESS}:
            yield from self.core.bridges.change(name, pay_id, ProcessState.SUSPENDED)
        elif state.process_state in FINAL:
            yield from self._exchanged()  # the other side is told nothing new; it repeats itself
            return
        call = ResumePaymentConsumer(
            consumer_pay_id=pay_id,
            call_back_function=OURSELVES,
            call_back_language_list=LANGUAGES,
        )
        while True:
            try:
                done = yield from self.core.bridges.call(name, call)
                break
            except Failed as failed:
                if failed.error.error_code is ErrorCode.ATT_NOT_SUPP:
                    yield from self._restart(failed)
                    return
                text = yield from self._why(failed)
            yield from self.core.decide(text, Way.RETRY, Way.SUSPEND, Way.CANCEL)
        self.known["ended"] = done.cont_status is ContStatus.END
        if self.known.get("handler"):
            yield from self._exchange(done.pay_scheme_packaged_content)
        else:
            yield from self._request(done.pay_scheme_packaged_content)

    def _restart(self, failed: Failed) -> Flow[None]:
        """Begin the payment again where its software cannot resume (IX-097)."""
        yield from self.core.notice(failed.error.error_desc)
        yield from self._close(ProcessState.FAILED, CompletionCode.UNSPECIFIED)
        self.known |= {"stage": "new", "state": ProcessState.NOT_YET_STARTED, "handler": None,
                       "id": self.core.ids.code(14)}  # fmt: skip
        yield from store.keep(self.deal)
        yield from self._start()

    def suspend(self) -> Flow[None]:
        """Let the payment rest: the software is told, and the deal remembers."""
        if self.known["stage"] in {"asked", "got"}:
            name, pay_id = self.known["bridge"], self.known["id"]
            try:
                done = yield from self.core.bridges.change(name, pay_id, ProcessState.SUSPENDED)
            except Failed as failed:
                yield from self.core.notice(failed.error.error_desc)
            else:
                yield from self.core.notice(done.status_desc)
                self.known["suspended"] = done.process_state is ProcessState.SUSPENDED
                self.known["state"] = done.process_state
        yield from store.keep(self.deal)

    # The end (2.4, step 8)

    def _finish(self) -> Flow[None]:
        letter = yield from store.letter(self.deal, self.known["in"])
        message: IotpMessage = store.message(letter.body)
        block = message.block(PayRespBlk)
        assert block is not None
        told = block.status.process_state
        name, pay_id = self.known["bridge"], self.known["id"]
        judged = yield from self._judged(message, block)
        if block.pay_scheme_data is not None:
            call = ContinueProcess(
                pay_id=pay_id, pay_scheme_packaged_content=block.pay_scheme_data.contents
            )
            try:
                yield from self.core.bridges.call(name, call)
            except Failed as failed:
                state = yield from self.core.bridges.state(name, pay_id)
                if state.process_state not in FINAL:
                    yield from self.core.notice(
                        f"the payment software does not accept the end: {failed.error.error_desc}"
                    )
        contents: tuple[Content, ...] = ()
        if told is ProcessState.COMPLETED_OK:
            contents = yield from receipts.named(self.core, self.deal, block, judged)
            sound = yield from receipts.checked(self.core, self.known, contents)
            state = yield from self.core.bridges.state(name, pay_id)
            more = tuple([one for one in state.packaged_content if one not in contents])
            if more:
                contents = (*contents, *more)
            self.known |= {"sound": sound, "proof": judged.proof}
        done = yield from self._close(told, block.status.completion_code)
        yield from self.core.notice(block.status.status_desc)
        if done is not None and done.process_state is not told:
            yield from self.core.notice(
                f"{self.handler.org_id} says {told}, the payment software {done.process_state}"
            )
        if done is not None:
            yield from self.core.notice(done.status_desc)
        if done is not None and done.process_state not in FINAL:
            # Value may be on its way: what the other side says is no evidence of where it is.
            self.known |= {"stage": "doubt", "state": done.process_state}
            yield from store.keep(self.deal)
            return
        if told is ProcessState.COMPLETED_OK:
            signed = f"{self.handler.org_id}: {judged.proof}"
            yield from receipts.show(self.core, self.known, contents, signed)
        self.known["stage"] = "over"
        self.known["state"] = told
        self.known["code"] = block.status.completion_code
        self.known["percent"] = 100

    def _judged(self, message: IotpMessage, block: PayRespBlk) -> Flow[sealing.Judged]:
        """Hold the answer to the signature that was promised. Raises Unusable."""
        expected = receipts.Expected(self.payment, self.selection, self.handler, self.offer)
        try:
            found = yield from receipts.judged(self.core, self.deal, message, block, expected)
        except Problem as problem:
            self.known["unproven"] = problem.text
            yield from self.core.complain(self.deal, problem, message.msg_id, self.url)
            raise Unusable(problem.text, problem) from None
        self.known["unproven"] = ""
        return found

    def _close(self, state: ProcessState, code: str | None) -> Flow[Any]:
        """Report the end to the software, and hear what it thinks (IX-255)."""
        failed = state is ProcessState.FAILED
        try:
            return (
                yield from self.core.bridges.change(
                    self.known["bridge"],
                    self.known["id"],
                    state,
                    (code or CompletionCode.UNSPECIFIED) if failed else None,
                )
            )
        except Failed as error:
            yield from self.core.notice(error.error.error_desc)
            return None

    def _settle(self, state: ProcessState, code: str | None) -> Flow[None]:
        """End the payment, unless its software knows better: value may be on its way."""
        done = yield from self._close(state, code)
        if done is not None and done.process_state not in FINAL:
            yield from self.core.notice(done.status_desc)
            self.known |= {"stage": "doubt", "state": done.process_state}
        else:
            final = done.process_state if done is not None else state
            said = (done.completion_code if done is not None else None) or code
            self.known |= {"stage": "over", "state": final, "code": said}
        yield from store.keep(self.deal)

    def inquire(self) -> Flow[inquiring.Told]:
        """Ask the Payment Handler where the payment stands. Raises Unusable."""
        return (
            yield from inquiring.payment(
                self.core,
                self.deal,
                self.known,
                self.url,
                inquiring.Between(
                    self.handler,
                    self.offer.one(Role.CONSUMER).org_id,
                    self.payment.signed_pay_receipt,
                ),
            )
        )

    def doubt(self, text: str) -> Flow[None]:
        """Note that only an inquiry tells how far the payment came."""
        yield from self.core.notice(text)
        self.known["stage"] = "doubt"
        yield from store.keep(self.deal)

    def _learn(self) -> Flow[None]:
        """Ask the other side what became of a payment that nobody may call failed yet."""
        yield from self.inquire()
        here = yield from self.core.bridges.state(self.known["bridge"], self.known["id"])
        if here.process_state not in FINAL:
            self.known["stage"] = "asked"  # it is not over there either: then it may go on
            yield from store.keep(self.deal)
            raise Suspended("what became of the payment is not known yet; resume later")
        code = here.completion_code
        self.known |= {"stage": "over", "state": here.process_state, "code": code}
        yield from store.keep(self.deal)

    # What goes wrong (2.6.1)

    def _why(self, failed: Failed) -> Flow[str]:
        """Say why a call failed; a business error is asked for (figure 7)."""
        text = failed.error.error_desc
        if failed.business:
            try:
                state = yield from self.core.bridges.state(self.known["bridge"], self.known["id"])
            except Failed:
                return text
            return f"{text} ({state.completion_code or state.process_state})"
        return text

    def _give_up(self, failed: Failed) -> Flow[None]:
        """Tell the other side that our software cannot go on, and ask how far it came."""
        yield from self.core.notice(failed.error.error_desc)
        code: str | None = None
        if failed.business:
            here = yield from self.core.bridges.state(self.known["bridge"], self.known["id"])
            code = here.completion_code
        self.known["stage"] = "doubt"
        if cancelled(code):
            yield from self._send_cancel(code or "", "cancelled by the Consumer's software")
        else:
            problem = problem_of(failed.error)
            yield from self.core.complain(self.deal, problem, self.known.get("last"), self.url)

    def _hear_error(self, error: PeerError) -> Flow[None]:
        """End the payment after an Error Block, whose scheme data the software sees (figure 8)."""
        data = error.block.pay_scheme_data
        if data:
            call = ContinueProcess(
                pay_id=self.known["id"], pay_scheme_packaged_content=data[0].contents
            )
            try:
                yield from self.core.bridges.call(self.known["bridge"], call)
            except Failed as failed:
                yield from self.core.notice(failed.error.error_desc)
        yield from self.core.notice(f"{self.handler.org_id}: {error}")
        yield from self._settle(ProcessState.PROCESS_ERROR, None)

    def _hear_cancel(self, cancel: PeerCancelled) -> Flow[None]:
        code = cancel.block.status.completion_code
        yield from self.core.notice(f"{self.handler.org_id} cancelled: {cancel}")
        yield from self._settle(ProcessState.FAILED, code)

    def cancel(self) -> Flow[bool]:
        """Cancel the payment here and there; False when the other side says it is too late."""
        if self.known["stage"] in {"asked", "got"}:
            got = yield from self._send_cancel(CompletionCode.CONS_CANCELLED, "no more of it")
            if isinstance(got, Silence):
                yield from self.doubt("nobody answered the wish to cancel")
                return False
            if got.body:
                text = "it is too late to cancel, or nobody knows: inquire, then resume"
                yield from self.core.notice(text)
                yield from store.keep(self.deal)
                return False
        code = CompletionCode.CONS_CANCELLED
        if self.known["stage"] == "new":
            self.known |= {"stage": "over", "state": ProcessState.FAILED, "code": code}
            yield from store.keep(self.deal)
        elif self.known["stage"] != "over":
            yield from self._settle(ProcessState.FAILED, code)
            if self.known["stage"] == "doubt":
                yield from self._learn()
        return bool(self.known["state"] != ProcessState.COMPLETED_OK)

    def _send_cancel(self, code: str, text: str) -> Flow[Arrived | Silence]:
        draft = next_draft(self.deal, "C")
        block = draft.cancel(StatusType.PAYMENT, code, self.payment.id, text)
        answers = self.known.get("last") or self.deal.data["answered"]
        return (yield from self.core.tell(self.deal, draft, (block,), self.url, answers))


def evidence(
    core: Core, deal: Deal, offer: Offer, done: Sequence[dict[str, Any]]
) -> Flow[tuple[list[Status], IotpSignatures | None]]:
    """Give what proves an offer and payments that are over: statuses, and signatures as they came.

    Raises Unusable when there is no response.
    """
    statuses: list[Status] = []
    given = [offer.signatures] if offer.signatures is not None else []
    for known in done:
        message = yield from response(core, deal, offer, known)
        block = message.block(PayRespBlk)
        if block is None:
            raise Unusable("there is no receipt of the payment that comes before")
        statuses.append(block.status)
        if message.signatures is not None:
            given.append(message.signatures)
    if not given:
        return statuses, None
    return statuses, IotpSignatures(
        id=given[0].id,
        signatures=tuple(one for each in given for one in each.signatures),
        certificates=tuple(one for each in given for one in each.certificates),
    )


def response(core: Core, deal: Deal, offer: Offer, known: dict[str, Any]) -> Flow[IotpMessage]:
    """Give the answer to a payment that is over; one that got lost is asked for again.

    After a crash elsewhere the payment may have been learned of by an inquiry only.
    """
    letter = yield from store.letter(deal, known.get("in") or known["out"])
    message = store.message(letter.body)
    if message.block(PayRespBlk) is None:
        url = Paying(core, deal, offer, known).url
        message = yield from core.ask(deal, known["out"], url)
        known["in"] = deal.seen[message.msg_id].letter
    return message


def _payment(block: OfferRespBlk, ref: str) -> Payment:
    return next(one for one in block.payments if one.id == ref)


def _list(tpo: TpoBlk, payment: Payment) -> BrandList:
    return next(one for one in tpo.brand_lists if one.id == payment.brand_list_ref)
