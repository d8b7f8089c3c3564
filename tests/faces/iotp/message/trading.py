"""Messages of a shop that sells for 24.90 EUR, and conversations made of them."""

from dataclasses import replace
from decimal import Decimal

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import PayDirection, ProcessState, Severity
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import codec, signing
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message.naming import Numbers
from tollbridge.faces.iotp.message.references import Known
from tollbridge.faces.iotp.message.signing import HmacKey, Recipient, SignatureKind, Suite
from tollbridge.faces.iotp.message.words import PingStatus, SignatureCheck
from tollbridge.ground.clock import Instant

AT = Instant(1_767_225_600_000_000)  # 2026-01-01T00:00:00Z
UNTIL = Instant(AT + 30 * 86_400 * 1_000_000)
SOFTWARE = "Tollbridge; trading; 1.0; 1"
LANG = "en-GB"
OK = ProcessState.COMPLETED_OK
KEY = HmacKey(bytes(range(32)), "shop-and-bank", of="shop.example")
LEGACY_KEY = HmacKey(bytes(range(20)), "of-old", of="shop.example", suite=Suite.LEGACY_HMAC)


def trans_id(kind="BaselinePurchase", name="20260101000000.7XK2M9Q4RT0Z@shop.example"):
    return c.TransId(id="M1.2", iotp_trans_id=name, iotp_trans_type=kind, time=AT)


def head(numbers, trans=None, answers=None, role=None, **more):
    return c.TransRefBlk(
        id=f"{numbers.message}.1" if numbers.message != "M1" else "M1.1",
        trans_id=trans or trans_id(),
        msg_id=c.MsgId(id=numbers.message, resp_iotp_msg=answers, lang=LANG,
                       software_id=SOFTWARE, sender_trading_role_ref=role, time=AT),
        **more,
    )  # fmt: skip


def message(*blocks, prefix="M", number=1, trans=None, answers=None, role=None, **more):
    """Write a message and read it back: rules are asked of what was read."""
    made = b.IotpMessage(
        trans_ref=head(Numbers(prefix, number), trans, answers, role), blocks=blocks, **more
    )
    return codec.read(codec.write(made, validate=True))


# Parts


def protocol_options(of="M1"):
    return c.ProtocolOptions(
        id=f"{of}.4", lang=LANG, short_desc="Purchase",
        sender_net_locn="http://shop.example/iotp",
        secure_sender_net_locn="https://shop.example/iotp",
        success_net_locn="https://shop.example/thanks",
    )  # fmt: skip


def role(name, number, *, server=True, prefix="M", of="M1"):
    return c.TradingRole(
        id=f"{of}.{number}", trading_role=name, iotp_msg_id_prefix=prefix,
        cancel_net_locn=f"https://{name.lower()}.example/cancel" if server else None,
        error_net_locn=f"https://{name.lower()}.example/error" if server else None,
        error_log_net_locn=f"https://{name.lower()}.example/log" if server else None,
    )  # fmt: skip


def address(**more):
    return c.PostalAddress(
        address_line_1="1 High Street", city_or_town="Bath", postal_code="BA1 1AA", country="GB",
        legal_location=True, **more,
    )  # fmt: skip


def merchant(of="M1"):
    return c.Org(
        id=f"{of}.10", lang=LANG, org_id="shop.example", legal_name="Shop & Co <Ltd>",
        short_desc="A shop", logo_net_locn="https://shop.example/logo/",
        trading_roles=(role("Merchant", 11, of=of),),
        contact_info=c.ContactInfo(email="help@shop.example", tel="+44 1225 000000"),
        postal_address=address(),
    )  # fmt: skip


def bank(number=20, name="bank.example", of="M1", delivers=False):
    roles = (role("PaymentHandler", number + 1, prefix="P", of=of),)
    if delivers:
        roles += (role("DeliveryHandler", number + 2, prefix="D", of=of),)
    return c.Org(
        id=f"{of}.{number}", lang=LANG, org_id=name, legal_name="Bank plc",
        trading_roles=roles,
        postal_address=address(),
    )  # fmt: skip


def courier():
    return c.Org(
        id="M1.30", lang=LANG, org_id="courier.example", legal_name="Courier plc",
        trading_roles=(role("DeliveryHandler", 31, prefix="D"),), postal_address=address(),
    )  # fmt: skip


def consumer():
    return c.Org(
        id="M1.40", lang=LANG, org_id="Consumer:ada/shop.example",
        trading_roles=(
            role("Consumer", 41, server=False, prefix="C"),
            role("DelivTo", 42, server=False, prefix="C"),
        ),
        contact_info=c.ContactInfo(email="ada@mail.example"),
        person_name=c.PersonName(given_name="Ada", family_name="Łovelace"),
        postal_address=address(),
    )  # fmt: skip


def brand_list(direction=PayDirection.DEBIT, at=50, handler="M1.20"):
    def name(number):
        return f"M1.{at + number}"

    card = c.Brand(
        id=name(1), brand_id="VISA", brand_name="Visa",
        brand_logo_net_locn="https://shop.example/visa", brand_narrative="5% off",
        protocol_amount_refs=(name(3),),
        protocol_brands=(c.ProtocolBrand(protocol_id="CARDv1.0", protocol_brand_id="visa"),),
    )  # fmt: skip
    cash = c.Brand(
        id=name(2), brand_id="Mondex", brand_name="Mondex",
        brand_logo_net_locn="https://shop.example/mondex",
        protocol_amount_refs=(name(3), name(4)),
    )  # fmt: skip
    return c.BrandList(
        id=name(0), lang=LANG, short_desc="Pay for your order", pay_direction=direction,
        brands=(card, cash) if direction is PayDirection.DEBIT else (card,),
        protocol_amounts=(
            c.ProtocolAmount(id=name(3), pay_protocol_ref=name(7), currency_amount_refs=(name(5),),
                             contents=(Content(text="scheme data", name="Amount"),)),
            c.ProtocolAmount(id=name(4), pay_protocol_ref=name(7),
                             currency_amount_refs=(name(5), name(6))),
        ),
        currency_amounts=(
            c.CurrencyAmount(id=name(5), amount=Decimal("24.90"), curr_code="EUR"),
            c.CurrencyAmount(id=name(6), amount=Decimal("21.40"), curr_code="GBP"),
        ),
        pay_protocols=(
            c.PayProtocol(id=name(7), protocol_id="CARDv1.0", protocol_name="Cards",
                          action_org_ref=handler, pay_req_net_locn="http://bank.example/pay",
                          sec_pay_req_net_locn="https://bank.example/pay"),
        ),
    )  # fmt: skip


def tpo(lists=None, of="M1", delivers=False, **more):
    lists = (brand_list(),) if lists is None else lists
    orgs = (merchant(of),)
    if lists:
        orgs += (bank(of=of, delivers=delivers), courier(), consumer())
    return b.TpoBlk(
        id=f"{of}.3", protocol_options=protocol_options(of), brand_lists=lists, orgs=orgs, **more
    )


def selection(at=50, of="C1", number=2):
    return c.BrandSelection(
        id=f"{of}.{number}", brand_list_ref=f"M1.{at}", brand_ref=f"M1.{at + 1}",
        protocol_amount_ref=f"M1.{at + 3}", currency_amount_ref=f"M1.{at + 5}",
        brand_info=c.BrandSelBrandInfo(id=f"{of}.{number + 1}", contents=(Content(text="gold"),)),
    )  # fmt: skip


def tpo_selection(*selections):
    return b.TpoSelectionBlk(id="C1.9", brand_selections=selections or (selection(),))


def status(kind, number, about=None, state=OK, code=None, of="M1", **more):
    return c.Status(
        id=f"{of}.{number}", lang=LANG, status_type=kind, el_ref=about, process_state=state,
        completion_code=code, **more,
    )  # fmt: skip


def order(of="M1"):
    return c.Order(
        id=f"{of}.70", lang=LANG, order_identifier="A-1001", short_desc="Two books",
        ok_from=AT, ok_to=UNTIL, applicable_law="GB",
        contents=(Content(text="Two books & a pen <blue>"),),
    )  # fmt: skip


def payment(number=71, at=50, of="M1", after=(), signed=True):
    return c.Payment(
        id=f"{of}.{number}", ok_from=AT, ok_to=UNTIL, brand_list_ref=f"M1.{at}",
        signed_pay_receipt=signed, start_after_refs=after,
    )  # fmt: skip


def delivery(combined=False, of="M1", method="Post"):
    return c.Delivery(
        id=f"{of}.73", lang=LANG, deliv_exch=True, deliv_and_pay_resp=combined,
        action_org_ref="M1.20" if combined else "M1.30",
        data=c.DeliveryData(ok_from=AT, ok_to=UNTIL, deliv_method=method, deliv_to_ref="M1.40",
                            sec_deliv_req_net_locn="https://courier.example/go"),
    )  # fmt: skip


def offer(of="M1", payments=None, goods=None, **more):
    payments = (payment(of=of),) if payments is None else payments
    return b.OfferRespBlk(
        id=f"{of}.69", status=status("Offer", 68, f"{of}.70", of=of, process_reference="A-1001"),
        order=order(of), payments=payments, delivery=goods,
        trading_role_data=(
            c.TradingRoleData(id=f"{of}.74", originator_el_ref="M1.10",
                              destination_el_refs=("M1.20",),
                              contents=(Content(text="for the bank", name="Payment:Note"),)),
        ),
        **more,
    )  # fmt: skip


def scheme_data(of, number=3, pay="M1.71", handler_id="P-77", name=None, text="data"):
    return c.PaySchemeData(
        id=f"{of}.{number}", payment_ref=pay, consumer_payment_id="C-77",
        payment_handler_pay_id=handler_id,
        contents=(Content.of(text.encode(), name),),
    )  # fmt: skip


def copied(known, name, kind):
    """Take a part of an earlier message, to be written as it came."""
    element = known.get(name)
    return codec._Reader(element).part(kind, element)


def pay_req(known, of="C2", pay="M1.71", lists="M1.50", chosen=None, offer_of="M1"):
    return b.PayReqBlk(
        id=f"{of}.2",
        statuses=(copied(known, f"{offer_of}.68", c.Status),),
        brand_list=copied(known, lists, c.BrandList),
        brand_selection=chosen or copied(known, "C1.2", c.BrandSelection),
        payment=copied(known, pay, c.Payment),
        pay_scheme_data=scheme_data(of, pay=pay, handler_id=None, name=f"Init{of}"),
        orgs=tuple(copied(known, f"M1.{number}", c.Org) for number in (10, 20, 40)),
        trading_role_data=(copied(known, f"{offer_of}.74", c.TradingRoleData),),
    )


def pay_exch(of, name, pay="M1.71"):
    return b.PayExchBlk(id=f"{of}.2", pay_scheme_data=scheme_data(of, name=name, pay=pay))


def pay_resp(of="P2", pay="M1.71", names=("ExchP1",), state=OK, code=None):
    good = state is OK
    return b.PayRespBlk(
        id=f"{of}.2", status=status("Payment", 3, pay, state, code, of=of,
                                    process_reference="P-77"),
        pay_receipt=c.PayReceipt(id=f"{of}.4", payment_ref=pay, pay_receipt_name_refs=names,
                                 contents=(Content(text="paid 24.90 EUR"),)) if good else None,
        payment_note=c.PaymentNote(id=f"{of}.5", contents=(Content(text="Thank you"),))
        if good else None,
    )  # fmt: skip


def delivery_req(known, of="C4", offer_of="M1"):
    return b.DeliveryReqBlk(
        id=f"{of}.2",
        statuses=(copied(known, f"{offer_of}.68", c.Status), copied(known, "P2.3", c.Status)),
        order=copied(known, f"{offer_of}.70", c.Order),
        orgs=tuple(copied(known, f"M1.{number}", c.Org) for number in (10, 30, 40)),
        delivery=copied(known, f"{offer_of}.73", c.Delivery),
        consumer_delivery_data=c.ConsumerDeliveryData(id=f"{of}.3", consumer_delivery_id="home"),
    )


def delivery_resp(of="D1", about="M1.73"):
    return b.DeliveryRespBlk(
        id=f"{of}.7", status=status("Delivery", 8, about, code="ShipPending", of=of,
                                    process_reference="D-5"),
        delivery_note=c.DeliveryNote(id=f"{of}.9", lang=LANG, deliv_handler_deliv_id="D-5",
                                     contents=(Content(text="On its way"),)),
    )  # fmt: skip


def auth_req():
    return b.AuthReqBlk(
        id="M1.80",
        auth_reqs=(
            c.AuthReq(id="M1.81", authentication_id="auth-1",
                      algorithm=c.Algorithm(id="M1.82", name="sha1"),
                      contents=(Content(text="challenge"),)),
        ),
        trading_role_info_req=c.TradingRoleInfoReq(id="M1.83", trading_role_list=("Consumer",)),
    )  # fmt: skip


def auth_resp():
    me = consumer()
    roles = tuple(
        replace(one, id=f"C1.{number}") for number, one in enumerate(me.trading_roles, 12)
    )
    return b.AuthRespBlk(
        id="C1.8",
        auth_resp=c.AuthResp(id="C1.10", authentication_id="auth-1", selected_algorithm_ref="M1.82",
                             contents=(Content(text="answer"),)),
        orgs=(replace(me, id="C1.11", trading_roles=roles),),
    )  # fmt: skip


def auth_status(of="M2", state=OK, code=None):
    return b.AuthStatusBlk(
        id=f"{of}.90", status=status("Authentication", 91, "M1.81", state, code, of=of)
    )


# Conversations: lists of messages as they were read


class Talk:
    """A conversation that grows; `known` is what somebody who hears all of it knows."""

    def __init__(self, kind="BaselinePurchase"):
        self.trans = trans_id(kind)
        self.messages = []
        self.known = Known(complete=True)
        self.numbers = {}

    def say(self, prefix, *blocks, answers=True, number=None, **more):
        count = number or self.numbers.get(prefix, 0) + 1
        self.numbers[prefix] = count
        before = self.messages[-1].msg_id if self.messages and answers else None
        said = message(
            *blocks, prefix=prefix, number=count, trans=self.trans, answers=before, **more
        )
        return self.heard(said)

    def heard(self, said):
        self.messages.append(said)
        self.known = self.known.and_of(said.source)
        return said

    def sign_last(self, kind, originator, recipients, numbers, key=KEY, known=None):
        """Sign the message said last."""
        last = self.messages.pop()
        signed = signing.sign(
            last, kind, [Recipient(key, recipients)], numbers, originator=originator,
            known=known or self.known,
        )  # fmt: skip
        return self.heard(codec.read(codec.write(signed, validate=True)))


def after(numbers, last):
    """Give the counter of a message's ids behind those its parts have."""
    while numbers._last < last:
        numbers.next()
    return numbers


def purchase(dependent=True, goods="separate", signed=True, key=KEY):
    """A complete purchase."""
    talk = Talk()
    combined = goods == "combined"
    of = "M2" if dependent else "M1"
    thing = None if goods is None else delivery(combined, of=of)
    made = offer(of, goods=thing)
    if dependent:
        talk.say("M", tpo(delivers=combined))
        talk.say("C", tpo_selection())
        talk.say("M", made)
        chosen = None
    else:
        talk.say("M", tpo(delivers=combined), made)
        chosen = selection(of="C1", number=20)
    if signed:
        numbers = after(Numbers("M", 2 if dependent else 1), 100)
        talk.sign_last(SignatureKind.OFFER_RESPONSE, "M1.10", ("M1.20", "M1.30"), numbers, key)
    first = "C2" if dependent else "C1"
    request = pay_req(talk.known, of=first, pay=f"{of}.71", chosen=chosen, offer_of=of)
    talk.say("C", request, signatures=talk.messages[-1].signatures)
    talk.say("P", pay_exch("P1", "ExchP1", pay=f"{of}.71"))
    second = "C3" if dependent else "C2"
    talk.say("C", pay_exch(second, f"Exch{second}", pay=f"{of}.71"))
    answer = pay_resp(pay=f"{of}.71")
    if combined:
        talk.say("P", answer, delivery_resp("P2", f"{of}.73"))
    else:
        talk.say("P", answer)
    if signed:
        numbers = after(Numbers("P", 2), 100)
        other = HmacKey(bytes(range(32)), "bank", of="bank.example", suite=key.suite)
        talk.sign_last(SignatureKind.PAYMENT_RESPONSE, "M1.20", ("M1.10", "M1.30", "M1.40"),
                       numbers, other)  # fmt: skip
    if goods == "separate":
        third = "C4" if dependent else "C3"
        talk.say("C", delivery_req(talk.known, of=third, offer_of=of),
                 signatures=talk.messages[-1].signatures)  # fmt: skip
        talk.say("D", delivery_resp("D1", f"{of}.73"))
    return talk


def one_payment(kind, direction, dependent=False):
    """A deposit, a withdrawal or a refund."""
    talk = Talk(kind)
    lists = (brand_list(direction),)
    of = "M2" if dependent else "M1"
    if dependent:
        talk.say("M", tpo(lists))
        talk.say("C", tpo_selection())
        talk.say("M", offer(of))
    else:
        talk.say("M", tpo(lists), offer(of))
    first = "C2" if dependent else "C1"
    chosen = None if dependent else selection(of="C1", number=20)
    talk.say("C", pay_req(talk.known, of=first, pay=f"{of}.71", chosen=chosen, offer_of=of))
    talk.say("P", pay_resp("P1", pay=f"{of}.71", names=()), number=1)
    return talk


def value_exchange(dependent=False, backwards=False):
    """Money for money: a debit, then a credit."""
    talk = Talk("BaselineValueExchange")
    lists = (brand_list(), brand_list(PayDirection.CREDIT, at=60))
    of = "M2" if dependent else "M1"
    payments = (payment(71, 50, of), payment(72, 60, of, after=(f"{of}.71",)))
    made = offer(of, payments=payments[::-1] if backwards else payments)
    if dependent:
        talk.say("M", tpo(lists))
        talk.say("C", tpo_selection(selection(), selection(at=60, number=5)))
        talk.say("M", made)
        chosen = (None, copied(talk.known, "C1.5", c.BrandSelection))
    else:
        talk.say("M", tpo(lists), made)
        chosen = (selection(of="C1", number=20), selection(60, of="C2", number=20))
    for number, pay, one in ((1, 71, chosen[0]), (2, 72, chosen[1])):
        at = f"C{number + (1 if dependent else 0)}"
        request = pay_req(talk.known, of=at, pay=f"{of}.{pay}", chosen=one, offer_of=of,
                          lists="M1.50" if number == 1 else "M1.60")  # fmt: skip
        talk.say("C", request)
        talk.say("P", pay_resp(f"P{number}", pay=f"{of}.{pay}", names=()))
    return talk


def authentication(then=None, kind="BaselineAuthentication"):
    """An authentication, alone or before a brand-dependent or -independent offer."""
    talk = Talk(kind)
    talk.say("M", tpo(()), auth_req())
    talk.say("C", auth_resp())
    more = {"dependent": (tpo_again(),), "independent": (tpo_again(), offer("M2"))}
    talk.say("M", auth_status(), *more.get(then, ()))
    return talk


def tpo_again():
    """The options after an authentication: what was said before keeps its ids."""
    full = tpo()
    return replace(full, id="M2.3")


def inquiry(talk):
    """Ask the payment handler what became of the payment."""
    trans = replace(talk.trans, iotp_trans_type="BaselineInquiry")
    asked = b.InquiryReqBlk(id="I1.2", inquiry_type=c.InquiryType(
        id="I1.3", type="Payment", el_ref="M2.71", process_reference="P-77"))  # fmt: skip
    answered = b.InquiryRespBlk(
        id="Q1.2", last_received_iotp_msg_ref="C3", last_sent_iotp_msg_ref="P2",
        status=status("Payment", 3, "M2.71", of="Q1", process_reference="P-77"),
    )  # fmt: skip
    return [
        message(asked, prefix="I", trans=trans),
        message(answered, prefix="Q", trans=trans, answers="I1"),
    ]


def ping(signed=False):
    """Ask whether the shop is there; signed ones say who asks whom."""
    talk = Talk("BaselinePing")
    orgs = (replace(bank(of="I1"), id="I1.20"), merchant("I1"))
    talk.say("I", b.PingReqBlk(id="I1.3", orgs=orgs if signed else ()))
    if signed:
        key = HmacKey(bytes(range(32)), "pings", of="bank.example")
        talk.sign_last(SignatureKind.PING_REQUEST, "I1.20", ("I1.10",),
                       after(Numbers("I", 1), 100), key)  # fmt: skip
    talk.say("Q", pong(signed))
    return talk


def pong(signed=False):
    orgs = (merchant("Q1"),)
    return b.PingRespBlk(
        id="Q1.3", ping_status_code=PingStatus.OK,
        sig_verify_status_code=SignatureCheck.OK if signed else None, lang=LANG,
        ping_status_desc="at your service", orgs=orgs,
    )  # fmt: skip


def error_comp(severity=Severity.HARD_ERROR, code="AttValIllegal", of="P1", retry=None, **more):
    return c.ErrorComp(
        id=f"{of}.2", lang=LANG, error_code=code, error_desc="what is wrong", severity=severity,
        min_retry_secs=retry,
        locations=more.pop("locations", (
            c.ErrorLocation(element_type="Payment", iotp_msg_ref="C2", att_name="OkTo"),)),
        contents=(Content(text="then"),), **more,
    )  # fmt: skip


def cancelled():
    """A purchase that the Consumer cancels after the options."""
    talk = Talk()
    talk.say("M", tpo())
    talk.say("C", b.CancelBlk(id="C1.2", status=status("Offer", 3, None, ProcessState.FAILED,
                                                       "ConsCancelled", of="C1")))  # fmt: skip
    return talk


def broken_off():
    """A purchase that a hard error ends; before it, a transient one, and a warning."""
    talk = Talk()
    talk.say("M", tpo())
    talk.say("C", tpo_selection())
    made = offer("M2")
    warned = error_comp(Severity.WARNING, "AttValIllegal", of="M2")
    talk.say("M", made, error=b.ErrorBlk(id="M2.1000", errors=(replace(warned, id="M2.1001"),)))
    talk.say("C", pay_req(talk.known, pay="M2.71", offer_of="M2"))
    busy = error_comp(
        Severity.TRANSIENT_ERROR, "SystemBusy", retry="30",
        locations=(c.ErrorLocation(element_type="IotpMessage", iotp_msg_ref="C2"),),
    )  # fmt: skip
    talk.say("P", error=b.ErrorBlk(id="P1.3", errors=(busy,)))
    hard = error_comp(of="P2")
    talk.say("P", error=b.ErrorBlk(id="P2.3", errors=(hard,)), number=2)
    return talk


def legacy_offer():
    """An offer signed as RFC 2802 asks: HMAC over DOM-HASH over SHA-1."""
    talk = Talk()
    talk.say("M", tpo(), offer())
    talk.sign_last(SignatureKind.OFFER_RESPONSE, "M1.10", ("M1.20",), after(Numbers("M", 1), 100),
                   LEGACY_KEY)  # fmt: skip
    return talk


GOLDEN = {
    "purchase": purchase,
    "purchase-at-once": lambda: purchase(dependent=False, goods="combined"),
    "refund": lambda: one_payment("BaselineRefund", PayDirection.CREDIT, dependent=True),
    "deposit": lambda: one_payment("BaselineDeposit", PayDirection.DEBIT),
    "withdrawal": lambda: one_payment("BaselineWithdrawal", PayDirection.CREDIT),
    "value-exchange": lambda: value_exchange(dependent=True, backwards=True),
    "authentication": authentication,
    "authenticated-purchase": lambda: authentication("independent", "BaselinePurchase"),
    "ping": ping,
    "signed-ping": lambda: ping(signed=True),
    "cancelled": cancelled,
    "broken-off": broken_off,
    "legacy-offer": legacy_offer,
}
"""The conversations of tests/vectors/iotp; run this module to write them."""


def golden_files():
    """Give the golden messages: their names, and the bytes."""
    for name, made in GOLDEN.items():
        talk = made()
        for place, one in enumerate(talk.messages, 1):
            yield f"{name}/{place}-{one.msg_id}-{'-'.join(one.kinds)}.xml", codec.write(one)
    for place, one in enumerate(inquiry(purchase()), 1):
        yield f"inquiry/{place}-{one.msg_id}-{'-'.join(one.kinds)}.xml", codec.write(one)


if __name__ == "__main__":
    from pathlib import Path

    folder = Path(__file__).parents[3] / "vectors" / "iotp"
    for name, data in golden_files():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
