"""The Merchant's side of a scheme: which brands and protocols, and where the offer stands.

The Merchant's states say nothing of the payment itself (3.3.1).
"""

from dataclasses import dataclass
from decimal import Decimal

from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.api.answer import Answer
from tollbridge.faces.iotp.api.calls import (
    ChangeProcessState,
    ChangeProcessStateResponse,
    FindAcceptedPaymentBrand,
    FindAcceptedPaymentBrandResponse,
    FindAcceptedPaymentProtocol,
    FindAcceptedPaymentProtocolResponse,
    GetPaymentInitializationData,
    GetPaymentInitializationDataResponse,
    InquireProcessState,
    InquireProcessStateResponse,
    RemovePaymentLog,
    RemovePaymentLogResponse,
)
from tollbridge.faces.iotp.api.elements import (
    Brand,
    BrandItem,
    Content,
    CurrencyAmount,
    PaymentHandlerOrg,
    ProtocolItem,
)
from tollbridge.faces.iotp.api.states import may_follow
from tollbridge.faces.iotp.api.words import ISO_4217, ROLE_DATA_PREFIX, ProcessState, Role
from tollbridge.faces.iotp.schemes.records import Record, Records, business, repeated, status_desc
from tollbridge.faces.iotp.schemes.terms import Scheme, illegal, in_time
from tollbridge.faces.iotp.schemes.wallet import Wallets
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Flow, Remember

REFUND_OF = "RefundOf"
"""Merchant data of this name says which payment (its PaymentHandlerPayId) a Credit gives back."""
REFUND_DATA = f"{ROLE_DATA_PREFIX}{REFUND_OF}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """The Merchant's part of a scheme.

    `handler` takes the payments at `locations` (plain, secure; "" for none). `wallets` None: the
    Merchant needs none.
    """

    scheme: Scheme
    records: Records
    brands: tuple[BrandItem, ...]
    handler: PaymentHandlerOrg
    locations: tuple[str, str]
    clock: Clock
    wallets: Wallets | None = None

    def find_accepted_payment_brand(
        self, call: FindAcceptedPaymentBrand, /
    ) -> Flow[Answer[FindAcceptedPaymentBrandResponse]]:
        self._wallet(call)
        yield from self._begin(call.merchant_pay_id)
        brands = self.brands if self.scheme.fits(call) else ()
        return Answer(FindAcceptedPaymentBrandResponse(brand_items=brands))

    def find_accepted_payment_protocol(
        self, call: FindAcceptedPaymentProtocol, /
    ) -> Flow[Answer[FindAcceptedPaymentProtocolResponse]]:
        self._wallet(call)
        element = type(call).__name__
        if call.brand_id is not None and call.brand_id not in self.scheme.brands:
            raise illegal("BrandId", element, f"{call.brand_id:.40} is not accepted")
        money = self.scheme.money(call)
        yield from self._begin(call.merchant_pay_id)
        named = [one.brand_id for one in self.brands] if call.brand_id is None else [call.brand_id]
        amount = CurrencyAmount(
            curr_code_type=ISO_4217, curr_code=call.curr_code, amount=Decimal(money.decimal())
        )
        plain, secure = self.locations
        item = ProtocolItem(
            protocol_id=self.scheme.protocol_id,
            protocol_name=self.scheme.protocol_name,
            pay_req_net_locn=plain or None,
            sec_pay_req_net_locn=secure or None,
            currency_amounts=(amount,),
            brands=tuple([Brand(brand_id=name) for name in named]),
            pay_protocol_packaged_content=(Content(text=self.scheme.protocol_id, name="Scheme"),),
            payment_handler_org=self.handler,
        )
        brands = self.brands if call.brand_id is None else ()
        return Answer(
            FindAcceptedPaymentProtocolResponse(protocol_items=(item,), brand_items=brands)
        )

    def get_payment_initialization_data(
        self, call: GetPaymentInitializationData, /
    ) -> Flow[Answer[GetPaymentInitializationDataResponse]]:
        element = type(call).__name__
        if self.wallets is not None:
            self.wallets.open(element, call.wallet_id, call.passphrase)
        self.scheme.named(element, call.brand_id, call.protocol_id)
        self.scheme.money(call)
        if self.clock.now() > call.ok_to:
            in_time(call, self.clock.now())
        yield from self._begin(call.merchant_pay_id)
        given = [one for one in call.merchant_data if one.name == REFUND_OF]
        data = [Content(text=one.text, name=REFUND_DATA) for one in given[:1]]
        terms = f"{call.curr_code} {formats.write_amount(call.amount)} {call.pay_direction}"
        data.append(Content(text=terms, name=f"{ROLE_DATA_PREFIX}Terms"))
        return Answer(
            GetPaymentInitializationDataResponse(trading_role_data_packaged_content=tuple(data))
        )

    def inquire_process_state(
        self, call: InquireProcessState, /
    ) -> Flow[Answer[InquireProcessStateResponse]]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        return Answer(
            InquireProcessStateResponse(
                process_state=record.state,
                completion_code=record.completion or None,
                status_desc=status_desc(record.text),
            )
        )

    def change_process_state(
        self, call: ChangeProcessState, /
    ) -> Flow[Answer[ChangeProcessStateResponse]]:
        return (yield from repeated(lambda: self._change(call)))

    def remove_payment_log(
        self, call: RemovePaymentLog, /
    ) -> Flow[Answer[RemovePaymentLogResponse]]:
        record = yield from self.records.known(call.pay_id, type(call).__name__)
        yield Remember(self.records.forgotten(record))
        return Answer(RemovePaymentLogResponse())

    def _change(self, call: ChangeProcessState) -> Flow[Answer[ChangeProcessStateResponse] | None]:
        element = type(call).__name__
        record = yield from self.records.known(call.pay_id, element)
        if not record.over and record.state is not call.process_state:
            if not may_follow(Role.MERCHANT, record.state, call.process_state):
                text = f"{record.state} cannot become {call.process_state}"
                raise business(text, element, call.pay_id)
            record = record.to(call.process_state, call.completion_code or "")
            if not (yield from self.records.write(record)):
                return None
        return Answer(
            ChangeProcessStateResponse(
                process_state=record.state, completion_code=record.completion or None
            )
        )

    def _wallet(self, call: FindAcceptedPaymentBrand | FindAcceptedPaymentProtocol) -> None:
        if self.wallets is not None:
            self.wallets.find(type(call).__name__, call.wallet_id)

    def _begin(self, pay_id: str) -> Flow[None]:
        """Write the payment down: InProgress from the first call on, also after a suspension."""
        record = yield from self.records.find(pay_id)
        if record is None:
            record = Record(pay_id)
        if record.state in {ProcessState.NOT_YET_STARTED, ProcessState.SUSPENDED}:
            # Somebody else's write says the same.
            yield from self.records.write(record.to(ProcessState.IN_PROGRESS))
