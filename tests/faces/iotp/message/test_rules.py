"""Each rule of components and blocks: a good message, one change, and what is said of it."""

from functools import cache

import pytest

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Severity
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import codec, rules
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message.check import examine
from tollbridge.faces.iotp.message.faults import hard
from tollbridge.faces.iotp.message.references import Known
from tollbridge.faces.iotp.message.words import COMPLETIONS, StatusType
from tollbridge.ground.errors import UsageError

NOW = 'OkFrom="2026-01-01T00:00:00.000Z+0"'
LATE = 'OkFrom="2027-01-01T00:00:00.000Z+0"'


@cache
def texts():
    """The texts of messages to spoil, by name."""
    purchase = [codec.write(one).decode() for one in t.purchase(signed=False).messages]
    names = ("tpo", "selection", "offer", "pay_req", "exch", "exch_c", "pay_resp", "delivery_req",
             "delivery_resp")  # fmt: skip
    found = dict(zip(names, purchase, strict=True))
    asked, answered, told = [codec.write(one).decode() for one in t.authentication().messages]
    found |= {"auth_req": asked, "auth_resp": answered, "auth_status": told}
    found["signed"] = codec.write(t.purchase().messages[2]).decode()
    found["cancel"] = codec.write(t.cancelled().messages[1]).decode()
    broken = [codec.write(one).decode() for one in t.broken_off().messages]
    found |= {"warned": broken[2], "busy": broken[4], "hard": broken[5]}
    found["inquiry"], found["inquired"] = [
        codec.write(one).decode() for one in t.inquiry(t.purchase())
    ]
    found["ping"], found["pong"] = [codec.write(one).decode() for one in t.ping().messages]
    found["signed_ping"] = codec.write(t.ping(signed=True).messages[0]).decode()
    found["refund"] = codec.write(
        t.one_payment("BaselineRefund", t.PayDirection.CREDIT, dependent=True).messages[0]
    ).decode()
    return found


def spoilt(name, *changes):
    text = texts()[name]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def faults(text, known=None):
    return rules.faults(codec.well_formed(text), known or Known())


CASES = [
    # requirement, message, change, what is said, code
    ("IX-124", "tpo", ('IotpTransId="20260101000000.7XK2M9Q4RT0Z@shop.example"',
                       'IotpTransId="no mail id"'), "as in RFC 822", "AttValIllegal"),
    ("IX-126", "selection", (' RespIotpMsg="M1"', ""), "an answer names", "AttMissing"),
    ("IX-128", "tpo", ('SoftwareId="Tollbridge; trading; 1.0; 1"', 'SoftwareId=" "'),
     "maker, software", "AttValIllegal"),
    ("IX-137", "tpo", ('IotpTransType="BaselinePurchase"', 'IotpTransType="Purchase"'),
     "is not known", "AttValNotRecog"),
    ("IX-183", "tpo", (('SenderNetLocn="http://shop.example/iotp" '
                       'SecureSenderNetLocn="https://shop.example/iotp" '), ""),
     "SenderNetLocn and SecureSenderNetLocn", "AttMissing"),
    ("IX-141", "tpo", ((' PayReqNetLocn="http://bank.example/pay" '
                       'SecPayReqNetLocn="https://bank.example/pay"'), ""),
     "PayReqNetLocn and SecPayReqNetLocn", "AttMissing"),
    ("IX-184", "tpo", ('OrgId="bank.example"', 'OrgId="bank example"'), "a domain name",
     "AttValIllegal"),
    ("IX-184", "tpo", ('OrgId="bank.example"', 'OrgId="Consumer:x/bank.example"'),
     "only a consumer", "AttValIllegal"),
    ("IX-184", "tpo", ('OrgId="Consumer:ada/shop.example"', 'OrgId="CONSUMER:/shop.example"'),
     "Consumer:letters/domain", "AttValIllegal"),
    ("IX-184", "tpo", (' LegalName="Bank plc"', ""), "LegalName is there", "AttMissing"),
    ("IX-185", "tpo", (' CancelNetLocn="https://merchant.example/cancel"', ""),
     "CancelNetLocn is there for Merchant", "AttMissing"),
    ("IX-185", "tpo", (' ErrorNetLocn="https://paymenthandler.example/error"', ""),
     "ErrorNetLocn is there for PaymentHandler", "AttMissing"),
    ("IX-185", "tpo", (' ErrorLogNetLocn="https://deliveryhandler.example/log"', ""),
     "ErrorLogNetLocn is there for DeliveryHandler", "AttMissing"),
    ("IX-185", "tpo", ('TradingRole="Consumer" IotpMsgIdPrefix="C"',
                       'TradingRole="Consumer" IotpMsgIdPrefix="C" ErrorNetLocn="http://x/"'),
     "is not there for Consumer", "AttUnexpected"),
    ("IX-137", "tpo", ('TradingRole="DelivTo"', 'TradingRole="Thief"'), "is not known",
     "AttValNotRecog"),
    ("IX-186", "tpo", ('PayDirection="Debit"', 'PayDirection="Credit"'), "holds one brand",
     "ElInconsistent"),
    ("IX-187", "tpo", ('<ProtocolBrand ProtocolId="CARDv1.0"', '<ProtocolBrand ProtocolId="X"'),
     "that of a PayProtocol", "AttValIllegal"),
    ("IX-187", "tpo", ('<ProtocolBrand ProtocolId="CARDv1.0" ProtocolBrandId="visa"/>',
                       ('<ProtocolBrand ProtocolId="CARDv1.0" ProtocolBrandId="visa"/>'
                       '<ProtocolBrand ProtocolId="CARDv1.0" ProtocolBrandId="v"/>')),
     "names a protocol once", "ElInconsistent"),
    ("IX-061", "tpo", ('CurrCode="GBP"', 'CurrCode="GPB"'), "ISO 4217", "AttValNotRecog"),
    ("IX-137", "tpo", ('CurrCodeType="ISO4217-A"', 'CurrCodeType="Stamps"'), "is not known",
     "AttValNotRecog"),
    ("IX-133", "tpo", ('ActionOrgRef="M1.20"', 'ActionOrgRef="M1.10"'),
     "names a payment handler", "AttValIllegal"),
    ("IX-133", "tpo", ('ActionOrgRef="M1.20"', 'ActionOrgRef="M1.50"'),
     "M1.50' is BrandList", "AttValIllegal"),
    ("IX-133", "tpo", ('ActionOrgRef="M1.20"', 'ActionOrgRef="M1.999"'),
     "nothing has the id", "AttValIllegal"),
    ("IX-206", "tpo", ('TradingRole="Merchant"', 'TradingRole="CustCare"'),
     "there is one Merchant", "ElMissing"),
    ("IX-206", "tpo", ('TradingRole="Consumer"', 'TradingRole="DelivTo"'),
     "there is one Consumer", "ElMissing"),
    ("IX-188", "pay_req", ('BrandRef="M1.51"', 'BrandRef="M1.53"'), "is of the brand list",
     "AttValIllegal"),
    ("IX-188", "pay_req", ('ProtocolAmountRef="M1.53"', 'ProtocolAmountRef="M1.54"'),
     "the brand has the protocol amount", "ElInconsistent"),
    ("IX-188", "pay_req", ('CurrencyAmountRef="M1.55"', 'CurrencyAmountRef="M1.56"'),
     "the protocol amount has the currency amount", "ElInconsistent"),
    ("IX-189", "exch", (' PaymentRef="M2.71"', ""), "PaymentRef is there", "AttMissing"),
    ("IX-189", "exch", (' PaymentHandlerPayId="P-77"', ""), "PaymentHandlerPayId is there",
     "AttMissing"),
    ("IX-190", "pay_resp", (('<PayReceipt ID="P2.4" PaymentRef="M2.71" PayReceiptNameRefs="ExchP1">'
                            '<PackagedContent Content="PCDATA" Transform="NONE">paid 24.90 EUR'
                            "</PackagedContent></PayReceipt>"),
                            '<PayReceipt ID="P2.4" PaymentRef="M2.71"/>'),
     "a receipt has", "ElMissing"),
    ("IX-191", "offer", (texts, ""), "DelivExch needs DeliveryData", "ElMissing"),
    ("IX-191", "offer", ('DelivExch="True" DelivAndPayResp="False"',
                         'DelivExch="False" DelivAndPayResp="True"'),
     "DelivAndPayResp needs DelivExch", "AttValIllegal"),
    ("IX-191", "offer", (' SecDelivReqNetLocn="https://courier.example/go"', ""),
     "DelivReqNetLocn and SecDelivReqNetLocn", "AttMissing"),
    ("IX-191", "offer", ('DelivMethod="Post"', 'DelivMethod="Pigeon"'), "is not known",
     "AttValNotRecog"),
    ("IX-191", "offer", (' ActionOrgRef="M1.30"', ""), "names the delivery handler", "AttMissing"),
    ("IX-208", "offer", (NOW, LATE), "OkFrom is not after OkTo", "AttValIllegal"),
    ("IX-192", "offer", ('ElRef="M2.70"', 'ElRef="M2.71"'), "ElRef of Offer names Order",
     "AttValIllegal"),
    ("IX-192", "offer", (' ElRef="M2.70"', ""), "ElRef says what", "AttMissing"),
    ("IX-192", "offer", ('ProcessReference="A-1001"', 'ProcessReference="A-1002"'),
     "ProcessReference is that of", "ElInconsistent"),
    ("IX-192", "delivery_resp", ('ProcessReference="D-5"', 'ProcessReference="D-6"'),
     "ProcessReference is that of", "ElInconsistent"),
    ("IX-062", "offer", ('ProcessState="CompletedOk"', 'ProcessState="Failed"'),
     "Failed has a CompletionCode", "AttMissing"),
    ("IX-068", "offer", ('ProcessState="CompletedOk"', 'ProcessState="ProcessError"'),
     "told in inquiries only", "AttValIllegal"),
    ("IX-208", "offer", ('ProcessState="CompletedOk"', 'ProcessState="InProgress"'),
     "is no answer", "AttValIllegal"),
    ("IX-208", "offer", ('StatusType="Offer"', 'StatusType="Payment"'), "is about the Offer",
     "AttValIllegal"),
    ("IX-213", "pay_resp", ('ProcessState="CompletedOk"', 'ProcessState="NotYetStarted"'),
     "is no answer", "AttValIllegal"),
    ("IX-215", "delivery_resp", ('ProcessState="CompletedOk"', 'ProcessState="InProgress"'),
     "is no answer", "AttValIllegal"),
    ("IX-211", "pay_req", ('StatusType="Offer"', 'StatusType="Delivery"'),
     "the status of the offer is there", "ElMissing"),
    ("IX-211", "pay_req", ('ProcessState="CompletedOk"',
                           'ProcessState="Failed" CompletionCode="Unspecified"'),
     "what comes before is CompletedOk", "AttValIllegal"),
    ("IX-211", "pay_req", ('TradingRole="Merchant"', 'TradingRole="CustCare"'),
     "there is one Merchant", "ElMissing"),
    ("IX-211", "pay_req", ('TradingRole="PaymentHandler"', 'TradingRole="CustCare"'),
     "the payment handler is there", "ElMissing"),
    ("IX-177", "pay_req", ('BrandListRef="M1.50" SignedPayReceipt',
                           'BrandListRef="M1.60" SignedPayReceipt'),
     "the brand list of the block", "ElInconsistent"),
    ("IX-193", "pay_req", ('OriginatorElRef="M1.10"', 'OriginatorElRef="M1.30"'),
     "the originator's organisation comes along", "ElMissing"),
    ("IX-214", "delivery_req", ('TradingRole="DeliveryHandler"', 'TradingRole="CustCare"'),
     "there is one DeliveryHandler", "ElMissing"),
    ("IX-209", "auth_req", (('<AuthReq ID="M1.81" AuthenticationId="auth-1"><Algorithm ID="M1.82" '
                            'name="sha1"/><PackagedContent Content="PCDATA" Transform="NONE">'
                            "challenge</PackagedContent></AuthReq>"
                            '<TradingRoleInfoReq ID="M1.83" TradingRoleList="Consumer"/>'), ""),
     "something is asked", "ElMissing"),
    ("IX-209", "auth_req", ('name="sha1"', 'name="sha0"'), "is not known", "AttValNotRecog"),
    ("IX-216", "inquiry", ('Type="Payment"', 'Type="Weather"'), "is not known", "AttValNotRecog"),
    ("IX-216", "inquiry", ('Type="Payment" ElRef="M2.71" ProcessReference="P-77"/>',
                           ('Type="Delivery"/><PaySchemeData ID="I1.4"><PackagedContent Content='
                           '"PCDATA" Transform="NONE">x</PackagedContent></PaySchemeData>')),
     "scheme data goes with", "ElUnexpected"),
    ("IX-131", "inquiry", ('ID="I1"', 'ID="C9"'), "begin with I", "AttValIllegal"),
    ("IX-131", "inquired", ('ID="Q1"', 'ID="C9"'), "begin with Q", "AttValIllegal"),
    ("IX-131", "tpo", ('<MsgId ID="M1"', '<MsgId ID="M"'), "letters, then digits",
     "AttValIllegal"),
    ("IX-132", "tpo", ('<TpoBlk ID="M1.3"', '<TpoBlk ID="tpo"'), "a dot and digits",
     "AttValIllegal"),
    ("IX-218", "signed_ping", ("<IotpSignatures", None), "a ping is anonymous", "ElInconsistent"),
    ("IX-221", "cancel", ('ProcessState="Failed"', 'ProcessState="CompletedOk"'),
     "the status is Failed", "AttValIllegal"),
    ("IX-142", "cancel", ("</CancelBlk>", '</CancelBlk><PingReqBlk ID="C1.9"/>'),
     "a Cancel Block stands alone", "ElUnexpected"),
    ("IX-168", "tpo", ("</TpoBlk>", '</TpoBlk><PingReqBlk ID="M1.9"/>'),
     "do not stand together", "ElUnexpected"),
    ("IX-055", "busy", ('Severity="TransientError"', 'Severity="HardError"'),
     "is a TransientError", "AttValIllegal"),
    ("IX-202", "busy", (' MinRetrySecs="30"', ""), "a number of seconds", "AttValIllegal"),
    ("IX-202", "busy", ("<ErrorLocation ", '<ErrorLocation ElementType="Org"/><ErrorLocation '),
     "has one location", "ElUnexpected"),
    ("IX-040", "hard", ('ErrorCode="AttValIllegal"', 'ErrorCode="AttValIllegal2"'),
     "is not known", "AttValNotRecog"),
    ("IX-050", "hard", ('ErrorCode="AttValIllegal"', 'ErrorCode="BusError"'),
     "is not known", "AttValNotRecog"),
    ("IX-205", "hard", (('<PackagedContent Content="PCDATA" Transform="NONE">then'
                        "</PackagedContent>"), ""), "holds the attribute's value", "AttValIllegal"),
    ("IX-204", "hard", ("</ErrorBlk>", '</ErrorBlk><PingReqBlk ID="P2.9"/>'),
     "holds no trading blocks", "ElUnexpected"),
    ("IX-138", "exch", ('Content="PCDATA"', 'Content="JSON"'), "is not known", "ElNotSupp"),
    ("IX-129", "tpo", ("</MsgId>", None), "is not known", "AttValNotRecog"),
    ("IX-129", "tpo", ("</MsgId> ", None), "the content names a transaction", "ElContIllegal"),
]  # fmt: skip


def prepared(name, change):
    """Spoil a message; three changes are too long for the table."""
    if change[0] is texts:
        text = texts()[name]
        begin, end = text.index("<DeliveryData"), text.index("/>", text.index("<DeliveryData"))
        return text[:begin] + text[end + 2 :]
    if change[0] == "<IotpSignatures":
        text = texts()[name]
        begin = text.index("<IotpSignatures")
        end = text.index("</IotpSignatures>") + len("</IotpSignatures>")
        return text[:begin] + text[end:]
    if change[0].startswith("</MsgId>"):
        kind = "IotpTransaction" if change[0].endswith(" ") else "Friendship"
        related = (
            f'<RelatedTo ID="M1.5" xml:lang="en" RelationshipType="{kind}" Relation="refund for">'
            '<PackagedContent Content="PCDATA" Transform="NONE">that</PackagedContent></RelatedTo>'
        )
        return texts()[name].replace("</TransRefBlk>", f"{related}</TransRefBlk>")
    return spoilt(name, change)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.req(case[0]), id=f"{case[0]} {case[3]}"[:60])
     for case in CASES],
)  # fmt: skip
def test_a_rule_that_is_broken_is_told(case):
    _, name, change, said, code = case
    found = faults(prepared(name, change))
    matching = [fault for fault in found if said in fault.rule]
    assert matching, found
    assert matching[0].code == code
    assert matching[0].section.startswith(("RFC 2801", "RFC 2802"))
    report = examine(prepared(name, change).encode())
    assert any(said in one.rule for one in report.violations)
    assert all(one.place.startswith("/IotpMessage") for one in report.violations)


# Completion codes


def with_status(of, state, code, block):
    about = {"Offer": "M2.70", "Payment": "M1.71", "Delivery": "M1.73", "Authentication": "M1.81"}
    one = t.status(of, 5, None if of == "Undefined" else about[of], state, code, of="P9")
    if block is b.InquiryRespBlk:
        made, prefix = b.InquiryRespBlk(id="Q9.2", status=one), "Q"
    elif block is b.CancelBlk:
        made, prefix = b.CancelBlk(id="P9.2", status=one), "P"
    else:
        made, prefix = b.AuthStatusBlk(id="P9.2", status=one), "P"
    message = b.IotpMessage(trans_ref=t.head(t.Numbers(prefix, 9), answers="C1"), blocks=(made,))
    return [fault for fault in faults(codec.write(message).decode())
            if "CompletionCode" in fault.attribute]  # fmt: skip


@pytest.mark.req("IX-194", "IX-195", "IX-196", "IX-197", "IX-198")
@pytest.mark.parametrize("of", StatusType)
@pytest.mark.parametrize("block", [b.InquiryRespBlk, b.CancelBlk, b.AuthStatusBlk])
def test_a_completion_code_stands_where_it_may_and_nowhere_else(of, block):
    every = {code for codes in COMPLETIONS.values() for code in codes} | {"Nonsense"}
    for code in every:
        known = COMPLETIONS[of].get(code)
        for state in (ProcessState.COMPLETED_OK, ProcessState.FAILED):
            good = known is not None and state in known.states
            if known is not None and known.inquiry:
                good = good and block is b.InquiryRespBlk
            if known is not None and known.cancel:
                good = good and block is not b.AuthStatusBlk
            assert (not with_status(of, state, code, block)) == good, (code, state)


@pytest.mark.req("IX-199", "IX-234")
def test_an_inquiry_may_be_refused_and_nothing_else():
    assert not with_status("Payment", ProcessState.FAILED, "UnAuthReq", b.InquiryRespBlk)
    assert with_status("Payment", ProcessState.FAILED, "UnAuthReq", b.CancelBlk)


@pytest.mark.req("IX-137")
def test_users_have_completion_codes_of_their_own():
    assert not with_status("Payment", ProcessState.FAILED, "x-rained", b.CancelBlk)


@pytest.mark.req("IX-040")
def test_no_error_code_is_longer_than_14_letters():
    assert max(map(len, ErrorCode)) <= 14
    every = {code for codes in COMPLETIONS.values() for code in codes}
    assert {code for code in every if len(code) > 14} == {"InstBrandInvalid"}, "as it is printed"


# What depends on the rest of the transaction


@pytest.mark.req("IX-130")
def test_an_id_means_the_same_in_the_whole_transaction():
    talk = t.purchase()
    spoilt_text = codec.write(talk.messages[3]).decode().replace(
        'Amount="24.90"', 'Amount="2.90"'
    )  # fmt: skip
    found = faults(spoilt_text, talk.known)
    assert any("was that of something else" in fault.rule for fault in found)
    assert faults(codec.write(talk.messages[3]).decode(), talk.known) == ()


@pytest.mark.req("IX-123")
def test_the_transactions_own_name_is_copied_with_its_id():
    talk = t.purchase()
    text = codec.write(talk.messages[1]).decode()
    for old, new in (
        ('TransTimeStamp="2026', 'TransTimeStamp="2025'),
        ('IotpTransType="BaselinePurchase"', 'IotpTransType="BaselineRefund"'),
    ):
        found = faults(text.replace(old, new), talk.known)
        assert any("other messages" in fault.rule for fault in found)


@pytest.mark.req("IX-133")
def test_a_reference_leads_to_an_earlier_message():
    talk = t.Talk()
    talk.say("M", t.tpo())
    good = codec.write(t.message(t.tpo_selection(), prefix="C", answers="M1")).decode()
    assert faults(good, talk.known) == ()
    bad = good.replace('BrandRef="M1.51"', 'BrandRef="M1.77"')
    assert any("nothing has the id" in fault.rule for fault in faults(bad, talk.known))
    assert not any("nothing has" in fault.rule for fault in faults(bad, Known.of()))
    wrong = good.replace('BrandRef="M1.51"', 'BrandRef="M1.50"')
    assert any("names Brand" in fault.rule for fault in faults(wrong, talk.known))


@pytest.mark.req("IX-188", "IX-207")
def test_one_selection_for_each_brand_list():
    talk = t.value_exchange(dependent=True)
    first = Known.of(talk.messages[0].source, complete=True)
    one = codec.write(t.message(t.tpo_selection(t.selection()), prefix="C", answers="M1")).decode()
    assert any("one selection for each" in fault.rule for fault in faults(one, first))
    assert rules.of(talk.messages[1], first) == ()


@pytest.mark.req("IX-189")
def test_names_of_scheme_data_are_used_once_in_a_payment():
    talk = t.purchase()
    again = t.message(t.pay_exch("C9", "ExchP1", pay="M2.71"), prefix="C", number=9, answers="P1")
    assert any("was used before" in fault.rule for fault in rules.of(again, talk.known))


@pytest.mark.req("IX-190")
def test_a_receipt_names_contents_that_were_sent():
    talk = t.purchase(signed=False)
    text = codec.write(talk.messages[6]).decode()
    before = Known.of(*(one.source for one in talk.messages[:6]), complete=True)
    assert faults(text, before) == ()
    found = faults(text.replace('NameRefs="ExchP1"', 'NameRefs="ExchP1 Lost"'), before)
    assert any("no content has the name 'Lost'" in fault.rule for fault in found)


@pytest.mark.req("IX-191")
@pytest.mark.parametrize(("method", "gone"), [("Post", "PostalAddress"), ("Email", "ContactInfo")])
def test_a_delivery_needs_somewhere_to_go(method, gone):
    def said(with_it):
        text = codec.write(t.message(t.tpo(), t.offer(goods=t.delivery(method=method)))).decode()
        begin = text.index(f"<{gone}", text.index("Consumer:ada"))
        end = text.index("/>", begin) + 2
        return text if with_it else text[:begin] + text[end:]

    assert not hard(faults(said(with_it=True)))
    assert any(f"{method} needs" in fault.rule for fault in faults(said(with_it=False)))


@pytest.mark.req("IX-210")
def test_an_authentication_is_answered_as_it_was_asked():
    talk = t.authentication()
    asked = Known.of(talk.messages[0].source, complete=True)
    text = codec.write(talk.messages[1]).decode()
    assert faults(text, asked) == ()
    for old, new, said in (
        ('AuthenticationId="auth-1"', 'AuthenticationId="auth-2"', "is that of the request"),
        ('TradingRole="Consumer"', 'TradingRole="DelivTo"', "the organisation for 'Consumer'"),
        ('SelectedAlgorithmRef="M1.82"', 'SelectedAlgorithmRef="M1.81"', "names Algorithm"),
    ):
        assert any(said in fault.rule for fault in faults(text.replace(old, new), asked))


@pytest.mark.req("I-085")
def test_organisations_may_be_asked_for_alone():
    block = b.AuthReqBlk(
        id="M1.80",
        trading_role_info_req=c.TradingRoleInfoReq(id="M1.83", trading_role_list=("Consumer",)),
    )
    assert rules.of(t.message(t.tpo(()), block)) == ()


@pytest.mark.req("IX-219")
def test_a_pong_tells_of_a_signature_when_there_was_one():
    for signed in (False, True):
        talk = t.ping(signed=signed)
        asked = Known.of(talk.messages[0].source)
        assert rules.of(talk.messages[1], asked) == ()
        other = t.ping(signed=not signed).messages[0]
        wrong = rules.of(talk.messages[1], Known.of(other.source))
        assert any("SigVerifyStatusCode is there when" in fault.rule for fault in wrong)


@pytest.mark.req("IX-201")
def test_a_warning_goes_with_the_normal_blocks():
    good = t.broken_off().messages[2]
    assert good.error.errors[0].severity is Severity.WARNING
    assert rules.of(good) == ()
    alone = t.message(prefix="M", number=2, answers="C1", error=good.error)
    assert any("its normal blocks, too" in fault.rule for fault in rules.of(alone))


@pytest.mark.req("IX-217")
def test_an_inquiry_may_be_answered_with_no_message_at_all():
    text = spoilt("inquired", ('LastReceivedIotpMsgRef="C3"', 'LastReceivedIotpMsgRef="Null"'))
    talk = t.purchase()
    assert faults(text, talk.known.and_of(t.inquiry(talk)[0].source)) == ()


def test_a_message_that_was_made_here_is_written_first():
    made = b.IotpMessage(trans_ref=t.head(t.Numbers("M", 1)), blocks=(t.tpo(),))
    with pytest.raises(UsageError):
        rules.of(made)


@pytest.mark.req("IX-129")
def test_a_transaction_may_point_to_another():
    related = c.RelatedTo(
        id="M1.5", lang="en", relationship_type="IotpTransaction", relation="refund for",
        content=t.Content(text="20260101000000.AAAA@shop.example"),
    )  # fmt: skip
    made = b.IotpMessage(
        trans_ref=t.head(t.Numbers("M", 1), related_to=(related,)), blocks=(t.tpo(),)
    )
    read = codec.read(codec.write(made, validate=True))
    assert rules.of(read) == ()
    assert read.trans_ref.related_to[0].relation == "refund for"
