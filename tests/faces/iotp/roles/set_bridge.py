"""Payment software of another scheme, after the SET supplement (RFC 3538), to try the roles with.

Messages are the names of SET's, wrapped in base 64; nothing is encrypted and no money moves. What
the supplement says of the interface is here: brands, digests, amounts, progress, errors, states.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from decimal import Decimal

from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.elements import (
    Brand,
    BrandItem,
    Content,
    CurrencyAmount,
    PayInstrument,
    ProtocolBrand,
    ProtocolItem,
)
from tollbridge.faces.iotp.api.perform import Parts
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ContStatus,
    ErrorCode,
    PayDirection,
    ProcessState,
)
from tollbridge.ground.currency import currency

PROTOCOL = "SETv1.0"
RECEIPT = "PRes"
FINAL = {ProcessState.COMPLETED_OK, ProcessState.FAILED, ProcessState.PROCESS_ERROR}


def matches(own, wanted):
    """Whether an instrument `brand[:product[:PCN]]` serves a protocol brand."""
    parts = wanted.split(":")
    if len(parts) == 3:
        return own == wanted
    return own.split(":")[: len(parts)] == parts


def order_digest(contents):
    """The hash that binds an order to its payment."""

    def one(text):
        return hashlib.sha1(text.encode("utf-16-be"), usedforsecurity=False).digest()

    if len(contents) == 1:
        return base64.b64encode(one(contents[0].text)).decode()
    each = b"".join(one(content.text) for content in sorted(contents, key=lambda c: c.name))
    return base64.b64encode(hashlib.sha1(each, usedforsecurity=False).digest()).decode()


def amount(value: Decimal, code):
    """An amount as SET writes it: currency number, whole number, exponent of ten."""
    own = currency(code)
    return f"{own.number:03} {int(value.scaleb(own.exponent))} {-own.exponent}"


def packed(kind, **more):
    return (Content.of(json.dumps({"kind": kind, **more}).encode(), kind),)


def opened(contents, kind):
    try:
        found = json.loads(contents[0].data)
        if found.pop("kind") == kind:
            return found
    except (ValueError, KeyError, IndexError):
        pass
    wrong = (Content(text=f"no {kind}", name="Error"),)
    raise refused(ErrorCode.ENCAP_PROT_ERR, f"{kind} is expected",
                  element="PaySchemePackagedContent", contents=wrong)  # fmt: skip


@dataclass
class Payments:
    """What one software knows: state, percent and terms by payment."""

    known: dict = field(default_factory=dict)

    def at(self, pay_id, element):
        if pay_id not in self.known:
            raise refused(ErrorCode.ATT_VAL_ILLEGAL, "no such payment", "PayId",
                          element=element, ref=pay_id)  # fmt: skip
        return self.known[pay_id]

    def inquire_process_state(self, call):
        yield from ()
        one = self.at(call.pay_id, "InquireProcessState")
        over = one["state"] in FINAL
        failed = one["state"] is ProcessState.FAILED
        return Answer(
            calls.InquireProcessStateResponse(
                process_state=one["state"],
                percent_complete=None if over else one["percent"],
                completion_code=CompletionCode.UNSPECIFIED if failed else None,
                pay_receipt_name_refs=(RECEIPT,),
            )
        )

    def change_process_state(self, call):
        yield from ()
        one = self.at(call.pay_id, "ChangeProcessState")
        if one["state"] not in FINAL:
            one["state"] = call.process_state
        failed = one["state"] is ProcessState.FAILED
        return Answer(
            calls.ChangeProcessStateResponse(
                process_state=one["state"],
                completion_code=CompletionCode.UNSPECIFIED if failed else None,
            )
        )


@dataclass
class MerchantPart:
    payments: Payments
    handler: object
    url: str
    brand: str

    def find_accepted_payment_brand(self, call):
        yield from ()
        self.payments.known[call.merchant_pay_id] = {"state": ProcessState.IN_PROGRESS}
        fits = call.pay_direction is PayDirection.DEBIT and call.curr_code_type == "ISO4217-A"
        name = self.brand.partition(":")[0]
        item = BrandItem(brand_id=name, brand_name=name, brand_logo_net_locn="http://l.test")
        return Answer(calls.FindAcceptedPaymentBrandResponse(brand_items=(item,) if fits else ()))

    def find_accepted_payment_protocol(self, call):
        yield from ()
        own = ProtocolBrand(protocol_id=PROTOCOL, protocol_brand_id=self.brand)
        money = CurrencyAmount(curr_code=call.curr_code, amount=call.amount)
        item = ProtocolItem(
            protocol_id=PROTOCOL, protocol_name="SET", pay_req_net_locn=self.url,
            currency_amounts=(money,), brands=(Brand(brand_id=call.brand_id),),
            protocol_brands=(own,), payment_handler_org=self.handler,
        )  # fmt: skip
        return Answer(calls.FindAcceptedPaymentProtocolResponse(protocol_items=(item,)))

    def get_payment_initialization_data(self, call):
        yield from ()
        digest = order_digest(call.order_packaged_content)
        data = (Content(text=digest, name="Payment:SET-OD"),)
        return Answer(
            calls.GetPaymentInitializationDataResponse(trading_role_data_packaged_content=data)
        )


@dataclass
class ConsumerPart:
    payments: Payments
    own: str

    def find_payment_instrument(self, call):
        yield from ()
        fits = call.protocol_id == PROTOCOL and matches(
            self.own, call.protocol_brand.protocol_brand_id
        )
        found = (PayInstrument(id="set-1", pay_inst_name="a SET card"),) if fits else ()
        return Answer(calls.FindPaymentInstrumentResponse(pay_instruments=found))

    def check_payment_possibility(self, call):
        yield from ()
        if call.brand_id != self.own.partition(":")[0]:
            raise refused(ErrorCode.ATT_NOT_VALID, "another brand", "BrandId",
                          element="CheckPaymentPossibility")  # fmt: skip
        return Answer(calls.CheckPaymentPossibilityResponse())

    def start_payment_consumer(self, call):
        yield from ()
        terms = {
            "money": amount(call.amount, call.curr_code),
            "order": order_digest(call.order_packaged_content),
        }
        one = {"state": ProcessState.IN_PROGRESS, "percent": 20, "terms": terms}
        self.payments.known[call.consumer_pay_id] = one
        return Answer(
            calls.StartPaymentConsumerResponse(
                cont_status=ContStatus.CONTINUE, pay_scheme_packaged_content=packed("PInitReq")
            )
        )

    def continue_process(self, call):
        yield from ()
        one = self.payments.at(call.pay_id, "ContinueProcess")
        if one["percent"] == 20:
            one["percent"] = 40
            opened(call.pay_scheme_packaged_content, "PInitRes")
            one["percent"] = 60
            return Answer(
                calls.ContinueProcessResponse(
                    cont_status=ContStatus.CONTINUE,
                    pay_scheme_packaged_content=packed("PReq", **one["terms"]),
                )
            )
        if call.pay_scheme_packaged_content[0].name != "Error":
            one["answer"] = opened(call.pay_scheme_packaged_content, RECEIPT)
            one["percent"] = 80
        return Answer(calls.ContinueProcessResponse(cont_status=ContStatus.END))

    def check_payment_receipt(self, call):
        yield from ()
        one = self.payments.at(call.pay_id, "CheckPaymentReceipt")
        if opened(call.packaged_content, RECEIPT) != one.get("answer"):
            raise refused(ErrorCode.BUS_ERROR, "another payment's", element="CheckPaymentReceipt")
        return Answer(calls.CheckPaymentReceiptResponse())

    def expand_payment_receipt(self, call):
        yield from ()
        opened(call.packaged_content, RECEIPT)
        return Answer(calls.ExpandPaymentReceiptResponse(protocol_id=PROTOCOL))


@dataclass
class HandlerPart:
    payments: Payments

    def start_payment_payment_handler(self, call):
        yield from ()
        opened(call.pay_scheme_packaged_content, "PInitReq")
        terms = {
            "money": amount(call.amount, call.curr_code),
            "order": call.trading_role_data_packaged_content[0].text,
        }
        one = {"state": ProcessState.IN_PROGRESS, "percent": 40, "terms": terms}
        self.payments.known[call.payment_handler_pay_id] = one
        return Answer(
            calls.StartPaymentPaymentHandlerResponse(
                cont_status=ContStatus.CONTINUE, pay_scheme_packaged_content=packed("PInitRes")
            )
        )

    def continue_process(self, call):
        yield from ()
        one = self.payments.at(call.pay_id, "ContinueProcess")
        asked = opened(call.pay_scheme_packaged_content, "PReq")
        one["percent"] = 80
        if asked != one["terms"]:
            one["state"] = ProcessState.FAILED
            raise refused(ErrorCode.BUS_ERROR, "other terms", element="ContinueProcess")
        one["state"] = ProcessState.COMPLETED_OK
        return Answer(
            calls.ContinueProcessResponse(
                cont_status=ContStatus.END, pay_scheme_packaged_content=packed(RECEIPT, **asked)
            )
        )


def bridge(role, *, handler, url, own, offered):
    """The software of a role ("M", "P", "C"): `own` is the card, `offered` the Merchant's brand."""
    payments = Payments()
    part = {
        "M": lambda: MerchantPart(payments, handler, url, offered),
        "P": lambda: HandlerPart(payments),
        "C": lambda: ConsumerPart(payments, own),
    }[role]()
    return Parts(part, payments)
