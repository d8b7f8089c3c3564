"""Calling bridges: one answer for each call, skeletons for what is missing, states, reports."""

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given, settings

from tests.faces.iotp.api import making
from tollbridge.faces.iotp.api import calls, codec
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.check import examine
from tollbridge.faces.iotp.api.codec import Request, Response
from tollbridge.faces.iotp.api.elements import Algorithm, Content, ErrorLocation, ErrorResponse
from tollbridge.faces.iotp.api.perform import NOTHING, Parts, lacks, perform
from tollbridge.faces.iotp.api.shapes import FUNCTIONS, OBLIGATIONS
from tollbridge.faces.iotp.api.states import CANCELLED, FINAL, TRANSITIONS, may_follow, outside
from tollbridge.faces.iotp.api.words import ErrorCode, PayDirection, ProcessState, Role, Severity
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import IllegalOperation, JournalFailed
from tollbridge.ground.flow import Recall
from tollbridge.ground.secret import Secret


def driven(flow, *answers):
    """Drive a flow with answers given in order; an exception is thrown in."""
    answers = list(answers)
    try:
        next(flow)
        while True:
            given = answers.pop(0)
            if isinstance(given, Exception):
                flow.throw(given)
            else:
                flow.send(given)
    except StopIteration as end:
        return end.value


CALL = calls.RemovePaymentLog(pay_id="1")
DONE = calls.RemovePaymentLogResponse()


def doing(function):
    """Make a part whose RemovePaymentLog is this generator function."""
    part = type("Part", (), {"remove_payment_log": staticmethod(function)})()
    return Parts(part)


@pytest.mark.req("I-069", "IX-003")
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.request.xml)
def test_what_a_bridge_lacks_is_not_supported(function):
    @settings(max_examples=3)
    @given(making.shaped(function.request))
    def refused_politely(call):
        error = driven(perform(NOTHING, call)).failed
        assert (error.error_code, error.severity) == ("ReqNotSupp", "HardError")
        assert error.error_locations[0].element_type == function.request.xml

    refused_politely()
    assert not NOTHING.implements(function.request.xml)


@pytest.mark.parametrize("role", Role)
def test_the_skeleton_lacks_all_of_table_1(role):
    assert lacks(NOTHING, role) == OBLIGATIONS[role]


@pytest.mark.req("I-245", "I-249")
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.request.xml)
def test_a_business_error_may_be_raised_by_every_call(function):
    def fails(call):
        yield Recall("page")
        raise refused(ErrorCode.BUS_ERROR, "no", "PayId", ref="1")

    part = type("Part", (), {function.method: staticmethod(fails)})()

    @settings(max_examples=3)
    @given(making.shaped(function.request))
    def told(call):
        error = driven(perform(Parts(part), call), None).failed
        assert error.error_code is ErrorCode.BUS_ERROR
        assert error.names == ("PayId",)

    told()


@pytest.mark.req("IX-001")
def test_the_first_part_that_has_a_function_does_it():
    def first(call):
        yield from ()
        return Answer(DONE)

    def second(call):
        raise AssertionError

    bridge = Parts(*doing(first).parts, *doing(second).parts)
    assert driven(perform(bridge, CALL)) == Answer(DONE)


def test_calls_against_the_rules_do_not_reach_the_bridge():
    def never(call):
        raise AssertionError

    error = driven(perform(doing(never), calls.RemovePaymentLog(pay_id="x" * 15))).failed
    assert (error.error_code, error.names) == ("AttValIllegal", ("PayId",))


@pytest.mark.parametrize(
    ("thrown", "code", "severity"),
    [(JournalFailed("full"), "ReqRefused", "TransientError"),
     (IllegalOperation("no"), "UnknownError", "HardError")],
)  # fmt: skip
def test_what_the_engine_refuses_becomes_an_error(thrown, code, severity):
    def asks(call):
        yield Recall("page")
        return Answer(DONE)

    error = driven(perform(doing(asks), CALL), thrown).failed
    assert (error.error_code, error.severity) == (code, severity)


def test_a_bridge_may_handle_what_is_thrown_at_it():
    def asks(call):
        try:
            yield Recall("page")
        except JournalFailed:
            yield Recall("other")
        return Answer(DONE)

    assert driven(perform(doing(asks), CALL), JournalFailed("x"), None) == Answer(DONE)


@pytest.mark.req("IX-014")
def test_a_warning_comes_with_its_result():
    warning = refused(ErrorCode.ATT_NOT_SUPP, "old", severity=Severity.WARNING).error

    def warns(call):
        yield from ()
        return Answer(DONE, warning)

    answer = driven(perform(doing(warns), CALL))
    assert (answer.result, answer.error, answer.failed) == (DONE, warning, None)


def test_a_bridge_that_answers_against_the_rules_is_an_unknown_error():
    bad = ErrorResponse(error_code=ErrorCode.SYSTEM_BUSY, error_desc="d",
                        error_locations=(ErrorLocation(element_type="E"),))  # fmt: skip

    def wrong(call):
        yield from ()
        return Answer(error=bad)

    assert driven(perform(doing(wrong), CALL)).failed.error_code == "UnknownError"


@pytest.mark.req("IX-084")
@settings(max_examples=30)
@given(making.shaped(FUNCTIONS[1].request), making.shaped(FUNCTIONS[1].response))
def test_protocols_without_a_brand_asked_for_name_their_brands(call, response):
    part = type("Part", (), {})()

    def answers(_):
        yield from ()
        return Answer(response)

    part.find_accepted_payment_protocol = answers
    named = bool(response.brand_items) and all(one.brands for one in response.protocol_items)
    fine = call.brand_id is not None or named
    assert (driven(perform(Parts(part), call)).failed is None) == fine


def test_an_inquiry_is_answered_about_the_payment_asked_for():
    part = type("Part", (), {})()

    def answers(_):
        yield from ()
        return Answer(
            calls.InquirePaymentStatusResponse(
                payment_handler_pay_id="other", process_state=ProcessState.COMPLETED_OK
            )
        )

    part.inquire_payment_status = answers
    call = calls.InquirePaymentStatus(payment_handler_pay_id="h1")
    assert driven(perform(Parts(part), call)).failed.error_code == "UnknownError"


@pytest.mark.req("I-032", "IX-117")
def test_call_backs_go_to_the_core_and_its_answer_comes_back():
    told = []

    def shows(call):
        told.append((yield calls.CallBack(pay_id="1", percent_complete=10)))
        told.append((yield Recall("page")))
        return Answer(DONE)

    def hear(call):
        told.append(call.percent_complete)
        told.append((yield Recall("core's")))
        return Answer(calls.CallBackResponse())

    driven(perform(doing(shows), CALL, hear), "a page", "another")
    assert told == [10, "a page", Answer(calls.CallBackResponse()), "another"]
    told.clear()
    driven(perform(doing(shows), CALL), "another")
    assert told[0].failed.error_code == "ReqNotSupp"


# States


@pytest.mark.req("IX-067")
def test_of_suspensions_the_counterparty_hears_nothing():
    assert outside(ProcessState.SUSPENDED) is ProcessState.IN_PROGRESS
    for state in set(ProcessState) - {ProcessState.SUSPENDED}:
        assert outside(state) is state


@pytest.mark.parametrize("role", Role)
def test_every_state_has_its_transitions_and_final_ones_have_none(role):
    assert set(TRANSITIONS[role]) == set(ProcessState)
    for state in ProcessState:
        assert may_follow(role, state, state)
        assert (TRANSITIONS[role][state] == frozenset()) == (state in FINAL)


@pytest.mark.req("IX-072", "IX-078", "IX-080")
def test_transitions_that_differ_by_role():
    new, running, suspended = (
        ProcessState.NOT_YET_STARTED, ProcessState.IN_PROGRESS, ProcessState.SUSPENDED
    )  # fmt: skip
    assert may_follow(Role.CONSUMER, suspended, new)
    assert not may_follow(Role.MERCHANT, suspended, new)
    assert not may_follow(Role.PAYMENT_HANDLER, new, suspended)
    for role in Role:
        assert may_follow(role, new, running)
        assert not may_follow(role, new, ProcessState.COMPLETED_OK)


def test_three_codes_are_cancellations():
    assert {code.value for code in CANCELLED} == {
        "ConsCancelled", "MerchCancelled", "PaymtCancelled"
    }  # fmt: skip


# Reports


@settings(max_examples=60)
@given(making.requests)
def test_every_request_is_explained_without_its_pass_phrase(call):
    if hasattr(call, "passphrase"):
        call = dataclasses.replace(call, passphrase=Secret("a phrase to hide"))
    report = examine(codec.write(Request(call, "en", "tests")))
    assert report.valid
    assert report.kind == f"{type(call).__name__} request"
    assert report.summary
    assert not any("phrase to hide" in line for line in report.explained)


@settings(max_examples=60)
@given(making.answers())
def test_every_response_is_explained(answer):
    report = examine(codec.write(Response(answer)))
    assert report.valid
    assert report.kind.split()[-1] in {"response", "ErrorResponse"}


def test_a_report_says_what_the_document_says():
    call = calls.InquirePendingPayment(wallet_id="w1", passphrase=Secret("open sesame"))
    report = examine(codec.write(Request(call, software="Tests 1")))
    assert report.kind == "InquirePendingPayment request"
    assert report.explained == (
        "Inquire Pending Payment is a function for: Consumer (should), PaymentHandler (should).",
        "It was written by Tests 1.",
        "WalletID: w1",
        "Passphrase: given, not shown",
    )
    transient = Severity.TRANSIENT_ERROR
    error = refused(ErrorCode.REQ_REFUSED, "busy", "PayId", ref="p1", severity=transient).error
    told = examine(codec.write(Response(Answer(error=error)))).explained
    assert told == (
        "TransientError ReqRefused: busy.",
        "The counterparty would be told TransportError.",
        "The call may be repeated after 5 seconds.",
        "It is about PayId of IotpPaymentApiRequest (p1).",
    )
    business = refused(ErrorCode.BUS_ERROR, "no").error
    told = examine(codec.write(Response(Answer(error=business)))).explained
    assert "The counterparty is never told this code." in told
    assert "Inquire Process State tells what happened." in told


@pytest.mark.parametrize(
    ("data", "kind", "place"),
    [
        (b"<", "", "/"),
        (b"<a/>", "", "/a"),
        (b"<IotpPaymentApiRequest/>", "IotpPaymentApiRequest", "/IotpPaymentApiRequest"),
        (b"<IotpPaymentApiResponse/>", "IotpPaymentApiResponse", "/IotpPaymentApiResponse"),
        (b"<IotpPaymentApiRequest><RemovePaymentLog/></IotpPaymentApiRequest>",
         "RemovePaymentLog request", "/IotpPaymentApiRequest/RemovePaymentLog/@PayId"),
        (b"<IotpPaymentApiResponse><CheckAuthResponseResponse/></IotpPaymentApiResponse>",
         "CheckAuthResponseResponse response",
         "/IotpPaymentApiResponse/CheckAuthResponseResponse/@ProcessState"),
    ],
)  # fmt: skip
def test_a_report_names_places_and_sections(data, kind, place):
    report = examine(data)
    assert not report.valid
    assert report.kind == kind
    assert report.violations[0].place == place
    assert report.violations[0].section
    assert report.explained[0].startswith("Answer with ")


@settings(max_examples=100)
@given(making.st.binary(max_size=200))
def test_anything_is_reported_on(data):
    assert examine(data).violations


def test_card_numbers_are_masked_in_reports():
    number = "4242424242424242"
    call = calls.CheckPaymentReceipt(pay_id="1", wallet_id=number)
    report = examine(codec.write(Request(call)))
    assert not any(number in line for line in report.explained)
    text = f'<IotpPaymentApiRequest><RemovePaymentLog PayId="{number}"/></IotpPaymentApiRequest>'
    assert number not in str(examine(text.encode()))


@pytest.mark.parametrize(
    ("call", "code", "name"),
    [
        (calls.CallBack(pay_id="1", percent_complete=101), "AttNotValid", "PercentComplete"),
        (calls.CallBack(pay_id="1", completion_code="a b"), "AttNotValid", "CompletionCode"),
        (calls.CallBack(pay_id="1", completion_code="x-far-too-long-a-code"), "AttValIllegal",
         "CompletionCode"),
        (calls.FindAcceptedPaymentBrand(
            pay_direction=PayDirection.DEBIT, curr_code="EUR", amount=Decimal(-1),
            merchant_pay_id="1"), "AttNotValid", "Amount"),
        (calls.InquireAuthChallenge(
            authentication_id="1", algorithms=(Algorithm(id="1", name="sha1"),)),
         "AttNotValid", "ID"),
        (calls.InquireAuthChallenge(
            authentication_id="1", algorithms=(Algorithm(id="A", name="sha1"),) * 2),
         "ElInconsistent", None),
        (calls.FindAcceptedPaymentProtocol(
            pay_direction=PayDirection.DEBIT, curr_code="EUR", amount=Decimal(1),
            merchant_pay_id="1", brand_packaged_content=(Content(),)), "ElUnexpected", None),
        (calls.CheckPaymentReceipt(pay_id="1", packaged_content=(Content(name="a b"),)),
         "AttNotValid", "Name"),
        (calls.ContinueProcess(pay_id="1", pay_scheme_packaged_content=()), "ElMissing", None),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, str) else one,
)  # fmt: skip
def test_typed_calls_are_held_to_the_rules(call, code, name):
    error = driven(perform(NOTHING, call)).failed
    assert error.error_code == code
    assert error.error_locations[0].att_name == name


@pytest.mark.req("IX-069")
def test_trading_role_data_for_bridges_says_so():
    part = type("Part", (), {})()

    def answers(_):
        yield from ()
        return Answer(
            calls.GetPaymentInitializationDataResponse(
                trading_role_data_packaged_content=(Content(name="SET-OD"),)
            )
        )

    part.get_payment_initialization_data = answers
    call = calls.GetPaymentInitializationData(
        brand_id="b", merchant_pay_id="1", pay_direction=PayDirection.DEBIT, curr_code="EUR",
        amount=Decimal(1), protocol_id="p", ok_from=Instant(0), ok_to=Instant(1),
    )  # fmt: skip
    assert driven(perform(Parts(part), call)).failed.error_code == "UnknownError"
    late = dataclasses.replace(call, ok_from=Instant(2))
    error = driven(perform(Parts(part), late)).failed
    assert (error.error_code, error.names) == ("ElInconsistent", ("OkFrom", "OkTo"))
