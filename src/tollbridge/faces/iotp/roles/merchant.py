"""The Merchant's core: authentication, brand compilation, offers (figures 2, 3, 7 and 8).

A Merchant does not see the payment: it has done its part when the offer is out (2.2, step 8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.calls import (
    CheckAuthResponse,
    GetPaymentInitializationData,
    GetPaymentInitializationDataResponse,
    InquireAuthChallenge,
)
from tollbridge.faces.iotp.api.elements import Algorithm as ApiAlgorithm
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.perform import Limit
from tollbridge.faces.iotp.api.words import CompletionCode, ErrorCode, ProcessState, Severity
from tollbridge.faces.iotp.message.blocks import (
    AuthReqBlk,
    AuthRespBlk,
    AuthStatusBlk,
    Block,
    CancelBlk,
    ErrorBlk,
    InquiryReqBlk,
    InquiryRespBlk,
    IotpMessage,
    OfferRespBlk,
    TpoBlk,
    TpoSelectionBlk,
)
from tollbridge.faces.iotp.message.components import (
    Algorithm,
    AuthReq,
    BrandList,
    BrandSelection,
    Order,
    Org,
    Payment,
    ProtocolOptions,
    RelatedTo,
    TradingRole,
    TradingRoleData,
    TradingRoleInfoReq,
    TransId,
)
from tollbridge.faces.iotp.message.signing import Verifier
from tollbridge.faces.iotp.message.words import InquiryKind, Role, StatusType, TransactionType
from tollbridge.faces.iotp.roles import brands, delivering, goods, membership, picking, store
from tollbridge.faces.iotp.roles.calls import CALL_LIMIT_S, Bridges, Keys
from tollbridge.faces.iotp.roles.draft import LANG, Draft, next_draft
from tollbridge.faces.iotp.roles.picking import Picked
from tollbridge.faces.iotp.roles.problems import Failed, Problem, problem_of, worst_of
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.faces.iotp.roles.server import Instead, Reply, Server, last_received
from tollbridge.faces.iotp.roles.settings import Address, Item, Leg, MerchantSettings
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock, Instant
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import IdSource

PAY_ID_LETTERS = 14
CONSUMER_LETTERS = 12
CHALLENGES_MAX = 4
OURS = "core"
"""Who checks the answer to a challenge that no bridge made."""
_US = MICROSECONDS_PER_S


@dataclass(frozen=True, slots=True)
class Initial:
    """What a bridge adds to an offer: payments' times, order contents, data for other roles."""

    ok_from: Instant
    ok_to: Instant
    contents: tuple[Content, ...]
    role_data: tuple[Content, ...]
    handler: str


class Merchant(Server):
    """A shop. `bridges` by their names."""

    role = "M"
    prefix = "M"
    settings: MerchantSettings

    def __init__(
        self,
        settings: MerchantSettings,
        bridges: Mapping[str, PaymentBridge],
        clock: Clock,
        ids: IdSource,
    ) -> None:
        super().__init__(clock)
        self.settings = settings
        self.bridges = Bridges(bridges, {name: Keys(*keys) for name, keys in settings.keys.items()})
        self.bridges.limit = Limit(clock, CALL_LIMIT_S)
        self._ids = ids

    def equip(self, seal: Seal, verifier: Verifier) -> None:
        self.settings = replace(self.settings, seal=seal, verifier=verifier)

    def org(self) -> Org:
        return self.settings.party.org("M0", Role.MERCHANT, self.prefix)

    def welcomes(self, message: IotpMessage) -> bool:
        del message
        return False  # trades begin at the shop (2.2, step 1)

    # How a trade begins

    def begin(self, wanted: str, to: Address | None = None) -> Flow[bytes]:
        """Begin to trade an item: give the first message. Raises KeyError when there is none.

        `to` is where a parcel goes; see `Item.goods`.
        """
        kind = self.settings.items[wanted].kind
        return (yield from self._begun(wanted, kind, None, to))[1]

    def _begun(
        self, wanted: str, kind: TransactionType, original: str | None, to: Address | None = None
    ) -> Flow[tuple[str, bytes]]:
        """Begin a transaction, perhaps to authenticate for an `original`: its name and message."""
        item = self.settings.items[wanted]
        now = self.clock.now()
        name = f"{self._ids.payment_id(now).lower()}@{self.settings.party.org_id}"
        trans = TransId(id="M1.2", iotp_trans_id=name, iotp_trans_type=kind, time=now)
        deal = Deal(self.role, trans, "begun")
        deal.data = {
            "item": wanted,
            "order": self._ids.code(CONSUMER_LETTERS),
            "consumer": f"Consumer:{self._ids.code(CONSUMER_LETTERS)}/{self.settings.party.org_id}",
            "pay": [self._ids.code(PAY_ID_LETTERS) for _ in item.legs],
            "state": ProcessState.NOT_YET_STARTED,
            "original": original,
            "to_whom": astuple(to) if to is not None else None,
        }
        draft = next_draft(deal, self.prefix)
        draft.new_id()  # M1.2 is the transaction's
        try:
            if original is not None or (not item.apart and (item.authentication or item.wants_org)):
                reply = yield from self._challenged(deal, item, draft)
            else:
                reply = yield from self._options(deal, item, draft, ())
        except (Problem, Failed) as error:
            yield from self._give_up(deal, ProcessState.PROCESS_ERROR, None)
            problem = problem_of(error.error) if isinstance(error, Failed) else error
            reply = Reply(stage="failed", error=draft.error(problem, None))
        message = draft.message(deal.trans, reply.blocks, now, error=reply.error)
        if original is not None:
            message = _related(message, draft, original)
        if reply.error is None:
            message = yield from self.sign(deal, message, draft)
        body = store.written(message)
        deal.stage = reply.stage or deal.stage
        deal.add(body, message.msg_id, message.kinds, now, "Consumer", incoming=False)
        yield from store.keep(deal)
        return name, body

    # Authentication (2.1, figure 2)

    def _challenged(self, deal: Deal, item: Item, draft: Draft) -> Flow[Reply]:
        tpo = self._tpo(deal, draft, (), ())
        block = draft.new_id()
        asked: list[AuthReq] = []
        owners: dict[str, Any] = {}
        left = [
            ApiAlgorithm(id=f"A{place}", name=name)
            for place, name in enumerate(item.authentication, start=1)
            if name != membership.ALGORITHM
        ]
        for name in self.settings.bridges or tuple(self.bridges):
            if not left:
                break
            while left and len(asked) < CHALLENGES_MAX:
                auth_id = self._ids.code(PAY_ID_LETTERS)
                call = InquireAuthChallenge(authentication_id=auth_id, algorithms=tuple(left))
                try:
                    given = yield from self.bridges.call(name, call)
                except Failed as failed:
                    if failed.business or failed.error.error_code is ErrorCode.REQ_NOT_SUPP:
                        break  # it has no more
                    raise
                algorithm = Algorithm(id=draft.new_id(), name=given.algorithm.name)
                one = AuthReq(
                    id=draft.new_id(),
                    authentication_id=auth_id,
                    algorithm=algorithm,
                    contents=given.auth_req_packaged_content,
                )
                asked.append(one)
                owners[algorithm.id] = [name, given.algorithm.id]
                left = [each for each in left if each.name != given.algorithm.name]
        if membership.ALGORITHM in item.authentication:
            algorithm = Algorithm(id=draft.new_id(), name=membership.ALGORITHM)
            own = AuthReq(
                id=draft.new_id(),
                authentication_id=self._ids.code(PAY_ID_LETTERS),
                algorithm=algorithm,
                contents=membership.challenge(self._ids),
            )
            asked.append(own)
            owners[algorithm.id] = OURS
        if item.authentication and not asked:
            text = "nothing here can authenticate anybody"
            raise Problem(ErrorCode.UNKNOWN_ERROR, text, element="AuthReq")
        info = None
        if item.wants_org:
            roles = (Role.CONSUMER.value,)
            info = TradingRoleInfoReq(id=draft.new_id(), trading_role_list=roles)
        deal.data["auth"] = owners
        request = AuthReqBlk(id=block, auth_reqs=tuple(asked), trading_role_info_req=info)
        return Reply((tpo, request), stage="challenged")

    def _authenticated(self, deal: Deal, block: AuthRespBlk, draft: Draft) -> Flow[Reply]:
        if deal.stage != "challenged":
            text = "no authentication is waited for"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, element="AuthRespBlk", ref=block.id)
        first = yield from self._first(deal)
        request = first.block(AuthReqBlk)
        assert request is not None
        wrong, code, ref = "", "", None
        if request.auth_reqs:
            ref, wrong, code = yield from self._checked(deal, request.auth_reqs, block)
        if not wrong and request.trading_role_info_req is not None:
            given = {role.trading_role for org in block.orgs for role in org.trading_roles}
            missing = set(request.trading_role_info_req.trading_role_list) - given
            if missing:
                wrong, code = f"no organisation for {' '.join(sorted(missing))}", "TradRolesIncon"
        status_block = draft.new_id()
        state = ProcessState.FAILED if wrong else ProcessState.COMPLETED_OK
        status = draft.status(
            StatusType.AUTHENTICATION, state, ref=ref, code=code or None, text=wrong or None
        )
        said = AuthStatusBlk(id=status_block, status=status)
        item = self._item(deal)
        if wrong:
            yield from self._give_up(deal, ProcessState.FAILED, CompletionCode.AUTH_ERROR)
            return Reply((said,), stage="failed")
        if not item.legs or deal.data["original"] is not None:
            deal.data["state"] = ProcessState.COMPLETED_OK
            return Reply((said,), stage="done")
        reply = yield from self._options(deal, item, draft, (said,))
        return reply

    def _authenticated_apart(self, deal: Deal) -> Flow[bool]:
        """Say whether the Consumer has authenticated itself in a transaction of its own.

        Raises Instead with the message that begins it, until that is over (RFC 3504).
        """
        name = deal.data.get("apart")
        if name is None:
            kind = TransactionType.AUTHENTICATION
            name, body = yield from self._begun(deal.data["item"], kind, deal.name)
            deal.data["apart"] = name
            yield from store.keep(deal)
            raise Instead(body)
        other = yield from store.recall(self.role, name)
        assert other is not None, "it was written before it was named"
        if other.stage == "challenged":
            raise Instead((yield from store.letter(other, 1)).body)
        return other.stage == "done"

    def _checked(
        self, deal: Deal, asked: Sequence[AuthReq], block: AuthRespBlk
    ) -> Flow[tuple[str | None, str, str]]:
        """Check a response with whoever made the challenge: what is wrong, and its code."""
        response = block.auth_resp
        if response is None:
            return asked[0].id, "there is no response to the challenge", "AuthFailed"
        found = [one for one in asked if one.algorithm.id == response.selected_algorithm_ref
                 and one.authentication_id == response.authentication_id]  # fmt: skip
        if not found:
            return asked[0].id, "this answers another challenge", "AuthFailed"
        one = found[0]
        owner = deal.data["auth"][one.algorithm.id]
        if owner == OURS:
            members = self.settings.members
            if membership.proves(one.authentication_id, one.contents, response.contents, members):
                return one.id, "", ""
            return one.id, "no member has this name and pass phrase", "AuthFailed"
        name, algorithm = owner
        call = CheckAuthResponse(
            authentication_id=one.authentication_id,
            algorithm=ApiAlgorithm(id=algorithm, name=one.algorithm.name),
            auth_req_packaged_content=one.contents,
            auth_res_packaged_content=response.contents,
        )
        result = yield from self.bridges.call(name, call)
        if result.process_state is ProcessState.COMPLETED_OK:
            return one.id, "", ""
        return one.id, result.status_desc or "not authenticated", "AuthFailed"

    # Brand compilation (2.2, figure 3)

    def _options(
        self, deal: Deal, item: Item, draft: Draft, before: tuple[Block, ...]
    ) -> Flow[Reply]:
        deal.data["state"] = ProcessState.IN_PROGRESS
        compiler = brands.Compiler(draft)
        made: list[brands.Compiled] = []
        for leg, pay_id in zip(item.legs, deal.data["pay"], strict=True):
            found = yield from brands.offered(self.bridges, self.settings, leg, pay_id)
            made.append(compiler.compile(found, leg))
        deal.data["bridges"] = {ref: name for one in made for ref, name in one.bridges.items()}
        lists = tuple(one.brands for one in made)
        tpo = self._tpo(deal, draft, lists, compiler.handlers)
        deal.data["from"] = self.clock.now()
        deal.data["to"] = self.clock.now() + item.valid_s * _US
        alternatives = [_alternatives(one) for one in lists]
        if not item.apart and (item.independent or all(len(each) == 1 for each in alternatives)):
            offer = yield from self._independent(deal, item, tpo, alternatives, draft)
            if offer is not None:
                deal.data["state"] = ProcessState.COMPLETED_OK
                return Reply((*before, tpo, offer), stage="offered")
        return Reply((*before, tpo), stage="waiting")

    def _independent(
        self,
        deal: Deal,
        item: Item,
        tpo: TpoBlk,
        alternatives: Sequence[Sequence[BrandSelection]],
        draft: Draft,
    ) -> Flow[OfferRespBlk | None]:
        """Make the offer for all alternatives at once, if they are all alike (2.2, step 7)."""
        chosen: list[Initial] = []
        for place, each in enumerate(alternatives):
            found: list[Initial] = []
            for selection in each:
                initial = yield from self._initial(deal, item, place, tpo, selection)
                found.append(initial)
            if any(one != found[0] for one in found[1:]):
                return None
            chosen.append(found[0])
        return (yield from self._offer(deal, item, tpo, chosen, draft))

    def _selected(self, deal: Deal, block: TpoSelectionBlk, draft: Draft) -> Flow[Reply]:
        if deal.stage != "waiting":
            text = "nothing is to be selected: the offer was made"
            raise Problem(ErrorCode.EL_UNEXPECTED, text, element="TpoSelectionBlk", ref=block.id)
        tpo = yield from self._tpo_sent(deal)
        item = self._item(deal)
        if item.apart and not (yield from self._authenticated_apart(deal)):
            yield from self._give_up(deal, ProcessState.FAILED, CompletionCode.AUTH_ERROR)
            code, text = CompletionCode.MERCH_CANCELLED, "the authentication failed"
            return Reply((draft.cancel(StatusType.OFFER, code, None, text),), stage="cancelled")
        if self.clock.now() > deal.data["to"]:
            yield from self._give_up(deal, ProcessState.FAILED, CompletionCode.UNSPECIFIED)
            text = "the offer has expired"
            raise Problem(ErrorCode.VALUE_TOO_LARGE, text, element="TpoBlk", ref=tpo.id)
        chosen: list[Initial] = []
        for place, brand_list in enumerate(tpo.brand_lists):
            own = [s for s in block.brand_selections if s.brand_list_ref == brand_list.id]
            if len(own) != 1:
                text = f"one selection from {brand_list.id} is expected, not {len(own)}"
                raise Problem(ErrorCode.EL_INCONSISTENT, text, element="TpoSelectionBlk",
                              ref=block.id)  # fmt: skip
            chosen.append((yield from self._initial(deal, item, place, tpo, own[0])))
        if len(block.brand_selections) != len(tpo.brand_lists):
            text = "a selection from a list that was not offered"
            raise Problem(ErrorCode.EL_INCONSISTENT, text, element="TpoSelectionBlk", ref=block.id)
        offer = yield from self._offer(deal, item, tpo, chosen, draft)
        deal.data["state"] = ProcessState.COMPLETED_OK
        return Reply((offer,), stage="offered")

    def _initial(
        self, deal: Deal, item: Item, place: int, tpo: TpoBlk, selection: BrandSelection
    ) -> Flow[Initial]:
        brand_list = tpo.brand_lists[place]
        leg: Leg = item.legs[place]
        found: Picked = picking.picked(brand_list, selection)
        handler = found.protocol.action_org_ref
        org = next(one for one in tpo.orgs if one.id == handler)
        call = GetPaymentInitializationData(
            brand_id=found.brand.brand_id,
            merchant_pay_id=deal.data["pay"][place],
            pay_direction=leg.direction,
            curr_code_type=found.amount.curr_code_type,
            curr_code=found.amount.curr_code,
            amount=found.amount.amount,
            protocol_id=found.protocol.protocol_id,
            ok_from=Instant(deal.data["from"]),
            ok_to=Instant(deal.data["to"]),
            receiver_org_id=org.org_id,
            merchant_org_id=self.settings.party.org_id,
            protocol_brand=found.api_brand,
            brand_packaged_content=found.brand.contents,
            protocol_amount_packaged_content=found.protocol_amount.contents,
            pay_protocol_packaged_content=found.protocol.contents,
            order_packaged_content=(_described(item),),
            brand_sel_brand_info_packaged_content=_inside(selection.brand_info),
            brand_sel_protocol_amount_info_packaged_content=_inside(selection.protocol_amount_info),
            brand_sel_currency_amount_info_packaged_content=_inside(selection.currency_amount_info),
        )
        name = deal.data["bridges"][found.protocol_amount.id]
        given: GetPaymentInitializationDataResponse = yield from self.bridges.call(name, call)
        return Initial(
            given.ok_from if given.ok_from is not None else Instant(deal.data["from"]),
            given.ok_to if given.ok_to is not None else Instant(deal.data["to"]),
            given.order_packaged_content or (_described(item),),
            given.trading_role_data_packaged_content,
            handler,
        )

    def _offer(
        self, deal: Deal, item: Item, tpo: TpoBlk, chosen: Sequence[Initial], draft: Draft
    ) -> Flow[OfferRespBlk]:
        if self.settings.ask_state:
            for name, pay_id in zip(self._asked(deal), deal.data["pay"], strict=False):
                state = yield from self.bridges.state(name, pay_id)
                if state.process_state in {ProcessState.FAILED, ProcessState.PROCESS_ERROR}:
                    text = state.status_desc or "the payment software is not ready"
                    raise Problem(ErrorCode.UNKNOWN_ERROR, text, element="OfferRespBlk")
        block = draft.new_id()
        order = Order(
            id=draft.new_id(),
            lang=LANG,
            order_identifier=deal.data["order"],
            short_desc=item.description,
            ok_from=Instant(deal.data["from"]),
            ok_to=Instant(deal.data["to"]),
            applicable_law=self.settings.law,
            contents=chosen[0].contents,
        )
        payments: list[Payment] = []
        elsewhere = item.goods is not None and not item.goods.at_once
        for brand_list, one in zip(tpo.brand_lists, chosen, strict=True):
            payments.append(
                Payment(
                    id=draft.new_id(),
                    ok_from=one.ok_from,
                    ok_to=one.ok_to,
                    brand_list_ref=brand_list.id,
                    signed_pay_receipt=self.settings.signed_receipts or elsewhere,
                    start_after_refs=tuple(each.id for each in payments),
                )
            )
        merchant = next(org for org in tpo.orgs if org.plays(Role.MERCHANT))
        said = [(one.handler, one.role_data) for one in chosen if one.role_data]
        delivery = None
        if item.goods is not None:
            delivery = delivering.component(
                item.goods, tpo, chosen[-1].handler, self.settings.deliverer, draft,
                (Instant(deal.data["from"]), Instant(deal.data["to"] + item.valid_s * _US)),
            )  # fmt: skip
            assert delivery.action_org_ref is not None
            said.append((delivery.action_org_ref, goods.role_data(item.name, delivery)))
        role_data = tuple([
            TradingRoleData(
                id=draft.new_id(),
                originator_el_ref=merchant.id,
                destination_el_refs=(to,),
                contents=contents,
            )
            for to, contents in said
        ])  # fmt: skip
        status = draft.status(
            StatusType.OFFER,
            ProcessState.COMPLETED_OK,
            ref=order.id,
            reference=order.order_identifier,
        )
        return OfferRespBlk(
            id=block,
            status=status,
            order=order,
            payments=tuple(payments),
            delivery=delivery,
            trading_role_data=role_data,
        )

    def _asked(self, deal: Deal) -> list[str]:
        """Name a bridge for each payment: the first that offered something for it."""
        return list(dict.fromkeys(deal.data["bridges"].values()))

    def _tpo(
        self, deal: Deal, draft: Draft, lists: tuple[BrandList, ...], handlers: tuple[Org, ...]
    ) -> TpoBlk:
        party = self.settings.party
        block = draft.new_id()
        options = ProtocolOptions(
            id=draft.new_id(),
            lang=LANG,
            short_desc=self._item(deal).description,
            sender_net_locn=party.locations[0],
            secure_sender_net_locn=party.locations[1],
            success_net_locn=self.settings.success_url or f"{party.url}/done",
        )
        seller = party.trading_role(draft.new_id(), Role.MERCHANT, self.prefix)
        buyer = TradingRole(id=draft.new_id(), trading_role=Role.CONSUMER, iotp_msg_id_prefix="C")
        consumer = Org(
            id=draft.new_id(), lang=LANG, org_id=deal.data["consumer"], trading_roles=(buyer,)
        )
        orgs = (party.with_role(draft.new_id(), seller), consumer, *handlers)
        own, to = self._item(deal).goods, deal.data["to_whom"]
        if own is not None and lists:
            address = Address(*to) if to is not None else None
            orgs = delivering.organisations(own, orgs, self.settings.deliverer, address, draft)
        return TpoBlk(id=block, protocol_options=options, brand_lists=lists, orgs=orgs)

    # Messages

    def handle(self, deal: Deal, message: IotpMessage, draft: Draft) -> Flow[Reply]:
        selection = message.block(TpoSelectionBlk)
        response = message.block(AuthRespBlk)
        if selection is not None:
            return (yield from self._or_give_up(deal, self._selected(deal, selection, draft)))
        if response is not None:
            flow = self._authenticated(deal, response, draft)
            return (yield from self._or_give_up(deal, flow))
        kinds = " ".join(message.kinds) or "nothing"
        text = f"a merchant has no use for {kinds} here"
        raise Problem(ErrorCode.EL_UNEXPECTED, text, value=kinds)

    def _or_give_up(self, deal: Deal, flow: Flow[Reply]) -> Flow[Reply]:
        """Report a technical end to the bridges before it is told (2.2-10, figure 7)."""
        try:
            return (yield from flow)
        except (Problem, Failed) as error:
            severity = error.severity if isinstance(error, Problem) else error.error.severity
            if severity is not Severity.TRANSIENT_ERROR and deal.stage != "offered":
                yield from self._give_up(deal, ProcessState.PROCESS_ERROR, None)
            raise

    def told(self, deal: Deal, block: CancelBlk | ErrorBlk) -> Flow[Reply]:
        cancel = isinstance(block, CancelBlk)
        if isinstance(block, ErrorBlk) and worst_of(block) is not Severity.HARD_ERROR:
            return Reply()
        if cancel:
            yield from self._give_up(deal, ProcessState.FAILED, CompletionCode.CONS_CANCELLED)
            return Reply(stage="cancelled")
        yield from self._give_up(deal, ProcessState.PROCESS_ERROR, None)
        return Reply(stage="failed")

    def _give_up(self, deal: Deal, state: ProcessState, code: str | None) -> Flow[None]:
        """Report to every bridge that was asked that no payment will occur (IX-075)."""
        deal.data["state"] = state
        for name in dict.fromkeys(deal.data.get("bridges", {}).values()):
            for pay_id in deal.data["pay"]:
                try:
                    yield from self.bridges.change(name, pay_id, state, code)
                except Failed:
                    continue  # it knows nothing of this one

    def inquired(self, deal: Deal, block: InquiryReqBlk, draft: Draft) -> Flow[InquiryRespBlk]:
        yield from ()
        answer_id = draft.new_id()
        if block.inquiry_type.type != InquiryKind.OFFER:
            text = "a merchant is asked about offers"
            raise Problem(ErrorCode.ATT_VAL_NOT_RECOG, text, element="InquiryType",
                          attribute="Type", value=block.inquiry_type.type)  # fmt: skip
        state = ProcessState(deal.data["state"])
        code = {"cancelled": CompletionCode.CONS_CANCELLED}.get(
            deal.stage, CompletionCode.UNSPECIFIED
        )
        status = draft.status(StatusType.OFFER, state, code=code, reference=deal.data["order"])
        return InquiryRespBlk(
            id=answer_id,
            status=status,
            last_received_iotp_msg_ref=last_received(deal),
            last_sent_iotp_msg_ref=f"M{deal.sent}" if deal.sent else None,
        )

    # What was sent

    def _item(self, deal: Deal) -> Item:
        return self.settings.items[deal.data["item"]]

    def _first(self, deal: Deal) -> Flow[IotpMessage]:
        return store.said((yield from store.letter(deal, 1)))

    def _tpo_sent(self, deal: Deal) -> Flow[TpoBlk]:
        """Give the TPO Block with the Brand Lists, which is the last one we sent."""
        for number in range(deal.letters, 0, -1):
            if any(one.number == number for one in deal.fresh):
                continue
            letter = yield from store.letter(deal, number)
            if not letter.incoming and "TpoBlk" in letter.kinds:
                block = store.said(letter).block(TpoBlk)
                assert block is not None
                return block
        raise AssertionError("a Merchant begins with a TPO Block")


def _alternatives(brand_list: BrandList) -> list[BrandSelection]:
    """Give every selection that a list allows, as if the Consumer had made it."""
    ways = {way.id: way for way in brand_list.protocol_amounts}
    return [
        BrandSelection(
            id="",
            brand_list_ref=brand_list.id,
            brand_ref=brand.id,
            protocol_amount_ref=ref,
            currency_amount_ref=amount,
        )
        for brand in brand_list.brands
        for ref in brand.protocol_amount_refs
        for amount in ways[ref].currency_amount_refs
    ]


def _related(message: IotpMessage, draft: Draft, original: str) -> IotpMessage:
    """Say which transaction waits for this one (3.3.3)."""
    link = RelatedTo(
        id=draft.new_id(),
        lang=LANG,
        relationship_type="IotpTransaction",
        relation="authentication for",
        content=Content(text=original),
    )
    return replace(message, trans_ref=replace(message.trans_ref, related_to=(link,)))


def _described(item: Item) -> Content:
    return Content(text=item.description)


def _inside(found: Any) -> tuple[Content, ...]:
    return found.contents if found is not None else ()
