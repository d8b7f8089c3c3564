"""Figures 2 to 8 of RFC 3867 as sequences: which calls a bridge gets, and in which order."""

import pytest

from tests.faces.iotp.roles.recording import Recorded, bought
from tests.faces.iotp.roles.trade import CREDIT, PAY_URL, Person
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, ProcessType
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles.consumer import Inquire, Manage, Pending, Rest, Resume
from tollbridge.faces.iotp.roles.person import Post, Silence, Way


@pytest.mark.req("I-070", "I-071", "I-072", "I-075", "I-089", "I-090", "I-093", "I-082", "I-083")
def test_figure_2_authentication():
    house = Recorded()
    assert bought(house, "login").complete
    assert house.names("", "M", "C") == [
        "InquireAuthChallenge",
        "TpoBlk+AuthReqBlk",
        "Authenticate",
        "AuthRespBlk",
        "CheckAuthResponse",
        "AuthStatusBlk",
    ]
    [asked] = house.said(calls.InquireAuthChallenge)
    [answered] = house.said(calls.Authenticate)
    [checked] = house.said(calls.CheckAuthResponse)
    assert asked.authentication_id == answered.authentication_id == checked.authentication_id
    assert answered.auth_req_packaged_content == checked.auth_req_packaged_content


@pytest.mark.req("I-092")
def test_figure_2_a_failed_verification_ends_the_transaction():
    house = Recorded()
    wrong = calls.CheckAuthResponseResponse(
        process_state=ProcessState.FAILED, completion_code="AuthFailed", status_desc="no"
    )
    house.twists = [("M", calls.CheckAuthResponse, Answer(wrong))]
    traded = bought(house, "member")
    assert traded.stage == "failed"
    assert house.names("")[-1] == "AuthStatusBlk"
    assert "FindAcceptedPaymentBrand" not in house.names("M")


@pytest.mark.req("I-094", "I-098", "I-104", "I-118", "I-122", "I-126", "I-167", "I-119")
def test_figure_3_brand_compilation_brand_dependent():
    house = Recorded(ask_state=True)
    assert bought(house, "book").complete
    per_brand = ["FindAcceptedPaymentProtocol"]
    assert house.names("M", "")[:9] == [
        "FindAcceptedPaymentBrand", *per_brand, *per_brand,  # the bridge for cards: two brands
        "FindAcceptedPaymentBrand", *per_brand,  # the bridge for purses: one
        "TpoBlk",
        "TpoSelectionBlk",
        "GetPaymentInitializationData",
        "InquireProcessState",
    ]  # fmt: skip
    assert house.names("M", "")[9] == "OfferRespBlk"


@pytest.mark.req("I-116", "I-117", "I-121", "I-123", "I-124", "I-125")
def test_figure_3_with_one_way_to_pay_the_offer_is_in_the_first_message():
    house = Recorded()
    assert bought(house, "tea").complete
    assert house.names("M", "")[-9:-6] != []
    names = house.names("M", "")
    assert names[names.index("GetPaymentInitializationData") + 1] == "TpoBlk+OfferRespBlk"
    assert "TpoSelectionBlk" not in names


@pytest.mark.req("I-009", "I-108")
def test_figure_3_protocols_may_be_asked_without_brands():
    house = Recorded(skip_brands=True)
    assert bought(house, "book").complete
    assert "FindAcceptedPaymentBrand" not in house.names("M")
    assert all(one.brand_id is None for one in house.said(calls.FindAcceptedPaymentProtocol))


@pytest.mark.req("I-102", "I-103", "I-128")
def test_figure_3_an_error_is_told_to_the_consumer_and_ends_it():
    house = Recorded()
    error = refused(ErrorCode.TRANSPORT_ERROR, "the host is away").error
    house.twists = [("M", calls.FindAcceptedPaymentBrand, Answer(error=error))]
    with pytest.raises(Exception, match="the host is away"):
        bought(house, "book")


@pytest.mark.req("I-109", "I-164", "IX-186")
def test_figure_3_both_payments_of_a_value_exchange_are_compiled_and_chosen():
    house = Recorded()
    assert bought(house, "load").complete
    asked = house.said(calls.FindAcceptedPaymentBrand)
    assert len({one.merchant_pay_id for one in asked}) == 2
    assert {one.pay_direction for one in asked} == {"Debit", "Credit"}
    first = codec.read(house.posts[0][1]) if house.posts else None
    assert first is not None
    assert len(house.person.of(wishes.Choose)) == 2
    assert len(house.said(calls.CheckPaymentPossibility)) == 2
    credit = [one for one in asked if one.pay_direction == CREDIT]
    assert credit


@pytest.mark.req(
    "I-129", "I-135", "I-136", "I-145", "I-147", "I-150", "I-163", "I-165", "I-166", "I-146"
)
def test_figure_4_brand_selection():
    house = Recorded()
    assert bought(house, "book").complete
    names = house.names("C", "")
    start = names.index("TpoBlk") + 1
    sets = ["FindPaymentInstrument"] * 4  # two brands of one protocol, each asked of two bridges
    assert names[start : start + 7] == [
        *sets, "CheckPaymentPossibility", "TpoSelectionBlk", "OfferRespBlk",
    ]  # fmt: skip
    [choice] = house.person.of(wishes.Choose)
    assert {one.brand_id for one in choice.options} == {"VISA", "Amex"}
    selection = codec.read(house.posts[0][1]).blocks[0].brand_selections[0]
    assert selection.brand_info.contents[0].name == "Scheme"


@pytest.mark.req("I-157", "I-158", "I-159", "I-160", "I-161", "I-152", "I-155")
@pytest.mark.parametrize(
    ("way", "instrument"),
    [(Way.GO_ON, "visa"), (Way.RETRY, "visa"), (Way.OTHER, "visa-declined")],
)
def test_figure_4_what_does_not_work_is_the_persons_to_decide(way, instrument):
    house = Recorded()
    error = refused(ErrorCode.TRANSPORT_ERROR, "no card in the reader").error
    house.twists = [("C", calls.CheckPaymentPossibility, Answer(error=error))]
    person = Person(decide=[way])
    assert bought(house, "book", person).payments[0].instrument_id == instrument
    trouble = person.of(wishes.Trouble)[0]
    assert set(trouble.ways) == {Way.RETRY, Way.OTHER, Way.GO_ON, Way.SUSPEND, Way.CANCEL}


@pytest.mark.req(
    "I-168",
    "I-200",
    "I-211",
    "I-212",
    "I-213",
    "I-215",
    "I-221",
    "I-222",
    "I-223",
    "I-175",
    "I-192",
)
def test_figure_5_a_payment_with_one_exchange():
    house = Recorded()
    assert bought(house, "coffee").complete
    names = house.names("C", "P", "")
    assert names[names.index("StartPaymentConsumer") :] == [
        "StartPaymentConsumer", "PayReqBlk",
        "StartPaymentPaymentHandler", "InquireProcessState", "ChangeProcessState", "PayRespBlk",
        "CheckPaymentReceipt", "InquireProcessState", "ChangeProcessState",
        "ExpandPaymentReceipt",
    ]  # fmt: skip


@pytest.mark.req(
    "I-201", "I-202", "I-203", "I-204", "I-205", "I-206", "I-207", "I-208", "I-191", "I-268"
)
def test_figure_5_a_payment_with_three_exchanges():
    house = Recorded()
    assert bought(house, "tea").complete
    names = [one for one in house.names("C", "P", "") if one != "FindPaymentInstrument"]
    assert names[names.index("StartPaymentConsumer") :] == [
        "StartPaymentConsumer", "PayReqBlk", "StartPaymentPaymentHandler", "PayExchBlk",
        "ContinueProcess", "PayExchBlk", "InquireProcessState", "ContinueProcess", "PayExchBlk",
        "ContinueProcess", "PayExchBlk", "InquireProcessState", "ContinueProcess",
        "InquireProcessState", "ChangeProcessState", "PayRespBlk",
        "CheckPaymentReceipt", "InquireProcessState", "ChangeProcessState",
        "ExpandPaymentReceipt",
    ]  # fmt: skip


@pytest.mark.req("I-176", "I-177", "I-178", "I-179", "I-180", "I-181", "I-182", "I-193", "I-194")
def test_figure_5_both_sides_are_told_the_same_terms():
    house = Recorded()
    assert bought(house, "book").complete
    [here], [there] = house.said(calls.StartPaymentConsumer), house.said(
        calls.StartPaymentPaymentHandler
    )  # fmt: skip
    for name in ("brand_id", "curr_code", "amount", "pay_direction", "protocol_id", "ok_from",
                 "ok_to", "consumer_pay_id", "brand_packaged_content",
                 "pay_protocol_packaged_content", "protocol_amount_packaged_content",
                 "trading_role_data_packaged_content"):  # fmt: skip
        assert getattr(here, name) == getattr(there, name), name
    assert here.payment_instrument_id == "visa"
    assert here.order_packaged_content
    assert all(one.name.startswith("Payment:") for one in here.trading_role_data_packaged_content)
    assert there.pay_scheme_packaged_content
    assert there.brand_sel_brand_info_packaged_content
    assert there.merchant_org_id == "shop.test"
    assert here.call_back_function
    assert here.call_back_language_list


@pytest.mark.req("I-214")
def test_figure_5_without_a_receipt_the_consumer_gets_an_error():
    house = Recorded()
    nothing = calls.InquireProcessStateResponse(process_state=ProcessState.COMPLETED_OK)
    house.twists = [("P", calls.InquireProcessState, Answer(nothing))]
    bought(house, "coffee")
    assert codec.read(house.posts[0][2]).error is not None


@pytest.mark.req("I-224", "I-257", "I-240")
def test_figure_5_an_inconsistency_is_shown_to_the_consumer():
    house = Recorded()
    other = calls.ChangeProcessStateResponse(
        process_state=ProcessState.FAILED,
        completion_code="Unspecified",
        status_desc="no, it failed",
    )
    house.twists = [("C", calls.ChangeProcessState, Answer(other))]
    bought(house, "coffee")
    assert any("says" in one and "Failed" in one for one in house.person.notices)
    assert "no, it failed" in house.person.notices


@pytest.mark.req("I-187", "I-186", "I-251")
def test_figure_5_start_must_succeed_the_person_tries_again():
    house = Recorded()
    error = refused(ErrorCode.REQ_REFUSED, "the reader is locked").error
    house.twists = [("C", calls.StartPaymentConsumer, Answer(error=error))]
    person = Person(decide=[Way.RETRY])
    assert bought(house, "coffee", person).complete
    assert [one.text for one in person.of(wishes.Trouble)] == ["the reader is locked"]


@pytest.mark.req("I-101", "I-140", "I-154", "I-189", "IX-054")
def test_wallets_and_pass_phrases_are_asked_for_and_the_call_is_repeated():
    house = Recorded()
    need = refused(ErrorCode.ATT_MISSING, "which wallet?", "WalletId").error
    locked = refused(ErrorCode.ATT_MISSING, "it is locked", "Passphrase").error
    house.twists = [
        ("C", calls.StartPaymentConsumer, Answer(error=need)),
        ("C", calls.StartPaymentConsumer, Answer(error=locked)),
    ]
    assert bought(house, "coffee").complete
    assert [one.wallet_id for one in house.said(calls.StartPaymentConsumer)] == [None, "w1", "w1"]
    assert house.said(calls.StartPaymentConsumer)[-1].passphrase.reveal() == "open sesame"
    pages = b"".join(
        page.value for _, page in house.journals["C"].browse("iotp-consumer", "", "", 1000)
    )
    assert b"open sesame" not in pages, "pass phrases live in memory only"


@pytest.mark.req(
    "I-226", "I-229", "I-234", "I-235", "I-236", "I-237", "I-238", "I-239", "IX-232", "I-227"
)
def test_figure_6_inquiry():
    house = Recorded()

    async def main():
        traded = await house.buy("tea")
        house.calls.clear()
        told = await house.order(Inquire(traded.name))
        assert told.remote is ProcessState.COMPLETED_OK

    house.run(main)
    names = house.names("C", "P", "")
    assert names[:4] == [
        "StartPaymentInquiry", "InquiryReqBlk", "InquirePaymentStatus", "InquiryRespBlk",
    ]  # fmt: skip
    assert names[-1] == "ChangeProcessState"
    assert house.said(calls.ChangeProcessState)[-1].process_type is ProcessType.INQUIRY
    for one in house.said(calls.ContinueProcess):
        assert one.process_type is ProcessType.INQUIRY
    assert [role for role, _, name, _ in house.calls if name == "StartPaymentInquiry"] == ["C"]


@pytest.mark.req("I-250", "I-252", "I-253", "I-255", "I-245", "I-249", "IX-050", "IX-051")
def test_figure_7_a_business_error_is_asked_for_and_told_in_the_status():
    house = Recorded()
    error = refused(ErrorCode.BUS_ERROR, "no more").error
    failed = calls.InquireProcessStateResponse(
        process_state=ProcessState.FAILED, completion_code="InsuffFunds"
    )
    closed = calls.ChangeProcessStateResponse(
        process_state=ProcessState.FAILED, completion_code="InsuffFunds"
    )
    house.twists = [
        ("P", calls.StartPaymentPaymentHandler, Answer(error=error)),
        ("P", calls.InquireProcessState, Answer(failed)),
        ("P", calls.ChangeProcessState, Answer(closed)),
    ]
    traded = bought(house, "coffee", Person(decide=[Way.CANCEL]))
    assert traded.payments[0].code == "InsuffFunds"
    assert house.names("P") == [
        "StartPaymentPaymentHandler", "InquireProcessState", "ChangeProcessState",
    ]  # fmt: skip
    answer = codec.read(house.posts[0][2])
    assert answer.error is None
    assert b"BusError" not in house.posts[0][2]


@pytest.mark.req("I-254", "I-248")
@pytest.mark.parametrize("code", ["ConsCancelled", "PaymtCancelled"])
def test_figure_7_a_cancellation_makes_a_cancel_block(code):
    house = Recorded()
    error = refused(ErrorCode.BUS_ERROR, "cancelled").error
    failed = calls.InquireProcessStateResponse(
        process_state=ProcessState.FAILED, completion_code=code
    )
    closed = calls.ChangeProcessStateResponse(
        process_state=ProcessState.FAILED, completion_code=code
    )
    house.twists = [
        ("P", calls.StartPaymentPaymentHandler, Answer(error=error)),
        ("P", calls.InquireProcessState, Answer(failed)),
        ("P", calls.ChangeProcessState, Answer(closed)),
    ]
    traded = bought(house, "coffee", Person(decide=[Way.CANCEL]))
    assert codec.read(house.posts[0][2]).kinds == ("CancelBlk",)
    assert traded.payments[0].state is ProcessState.FAILED


@pytest.mark.req("I-247", "I-210")
def test_figure_7_a_technical_error_is_told_in_an_error_block_with_the_schemes_words():
    house = Recorded()
    error = refused(
        ErrorCode.ENCAP_PROT_ERR, "what is this?", element="PaySchemePackagedContent",
        contents=(Content(text="scheme error 7", name="Error"),),
    ).error  # fmt: skip
    house.twists = [("P", calls.StartPaymentPaymentHandler, Answer(error=error))]
    bought(house, "coffee")
    answer = codec.read(house.posts[0][2])
    assert answer.error.errors[0].error_code == "EncapProtErr"
    assert answer.error.pay_scheme_data[0].contents[0].text == "scheme error 7"


@pytest.mark.req("I-258", "I-255", "IX-099")
def test_figure_8_the_bridge_hears_of_the_other_sides_error():
    house = Recorded()
    error = refused(ErrorCode.ENCAP_PROT_ERR, "no", element="PaySchemePackagedContent").error
    house.twists = [("P", calls.ContinueProcess, Answer(error=error))]
    traded = bought(house, "tea")
    assert not traded.complete
    names = house.names("C", "")
    after = names[names.index("ErrorBlk") + 1 :]
    assert after[0] == "ChangeProcessState"
    assert "StartPaymentInquiry" in after, "value is on its way, so it is asked for"


@pytest.mark.req("IX-097")
def test_where_software_cannot_resume_the_payment_is_requested_anew():
    house = Recorded()
    no = refused(ErrorCode.ATT_NOT_SUPP, "select again", "ConsumerPayId").error
    house.twists = [("C", calls.ResumePaymentConsumer, Answer(error=no))]

    async def silent(wanted):
        if isinstance(wanted, Post) and wanted.url == PAY_URL:
            return Silence("away", left=True)
        return None

    async def main():
        house.person = Person(decide=[Way.SUSPEND])
        house.meddle = silent
        traded = await house.buy("tea")
        await house.order(Rest(traded.name))
        house.meddle = None
        traded = await house.order(Resume(traded.name))
        assert traded.complete, (traded, house.person.notices)

    house.run(main)
    starts = house.said(calls.StartPaymentConsumer)
    assert len({one.consumer_pay_id for one in starts}) == 2


@pytest.mark.req("I-275", "I-276", "IX-107")
def test_every_bridge_is_asked_what_is_pending():
    house = Recorded()

    async def main():
        assert (await house.order(Pending())).payments == ()

    house.run(main)
    assert [name for role, name, call, _ in house.calls if call == "InquirePendingPayment"] == [
        "card", "purse",
    ]  # fmt: skip


@pytest.mark.req("I-282", "I-283", "I-284")
def test_registration_is_deferred_to_the_bridge():
    house = Recorded()
    done = calls.ManagePaymentSoftwareResponse(wallet_id="w2")
    house.twists = [("C", calls.ManagePaymentSoftware, Answer(done))]

    async def main():
        assert await house.order(Manage("card")) == done
        assert house.faces["C"].core.bridges.keys["card"].wallet_id == "w2"

    house.run(main)


@pytest.mark.req("I-032", "I-068", "IX-116", "IX-118")
def test_progress_is_shown_and_a_wish_to_cancel_is_the_answer_to_it():
    house = Recorded()
    assert bought(house, "coffee").complete
    assert [one.percent for one in house.person.of(wishes.Progress)] == [0]
    house = Recorded()

    async def main():
        house.faces["C"].core.cancel_wanted = True
        house.person = Person(decide=[Way.CANCEL])
        traded = await house.buy("coffee")
        assert traded.stage == "cancelled"

    house.run(main)
    assert house.taken() == 0
