"""Payment API documents: valid by the DTD both ways, read strictly, every fault with its code."""

from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given, settings

from tests.faces.iotp.api import making
from tollbridge.faces.iotp.api import calls, codec, formats
from tollbridge.faces.iotp.api.answer import Answer
from tollbridge.faces.iotp.api.codec import Request, Response
from tollbridge.faces.iotp.api.elements import Content, ErrorLocation, ErrorResponse
from tollbridge.faces.iotp.api.errors import about_wallet, for_counterparty, tells_secrets
from tollbridge.faces.iotp.api.faults import Unreadable
from tollbridge.faces.iotp.api.shapes import FUNCTIONS, REQUESTS
from tollbridge.faces.iotp.api.words import ErrorCode, PayDirection, Severity
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import LocalProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.wire import xml
from tollbridge.wire.xml import Dtd

NAMESPACE = "http://www.iotp.org/2000/08/PaymentAPI"
DTD = Dtd(files("tollbridge.faces.iotp.dtd").joinpath("payment-api.dtd").read_bytes(), NAMESPACE)


def same_both_ways(document):
    data = codec.write(document)
    assert DTD.violations(xml.read(data)) == ()
    assert codec.read(data) == document
    assert codec.write(codec.read(data)) == data


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(n, marks=pytest.mark.req(f"IX-{16 + n:03d}"), id=one.request.xml)
        for n, one in enumerate(FUNCTIONS)
    ],
)
def test_requests_and_responses_are_valid_and_read_as_they_were_written(number):
    function = FUNCTIONS[number]

    @settings(max_examples=25)
    @given(making.shaped(function.request), making.shaped(function.response))
    def both_ways(call, result):
        same_both_ways(Request(call, "en", "tests, 1"))
        same_both_ways(Response(Answer(result)))

    both_ways()


@pytest.mark.req("IX-009", "IX-011", "IX-014")
@settings(max_examples=100)
@given(making.answers())
def test_answers_with_errors_and_warnings_are_valid_both_ways(answer):
    same_both_ways(Response(answer))


def request(inside, wrapper=f'xmlns="{NAMESPACE}"'):
    return f"<IotpPaymentApiRequest {wrapper}>{inside}</IotpPaymentApiRequest>".encode()


def response(inside):
    return f'<IotpPaymentApiResponse xmlns="{NAMESPACE}">{inside}</IotpPaymentApiResponse>'.encode()


FIND = (
    '<FindPaymentInstrument BrandId="VISA" ProtocolId="P" PayDirection="Debit" CurrCode="EUR"'
    ' Amount="1.00" ConsumerPayId="c1"{}>{}</FindPaymentInstrument>'
)
ERROR = (
    '<ErrorResponse ErrorCode="{}" ErrorDesc="d" Severity="{}"{}>'
    '<ErrorLocation ElementType="E"/></ErrorResponse>'
)

FAULTS = [
    ("<", "XmlNotWellFrmd", "IotpPaymentApiRequest", None),
    ("<a/>", "XmlNotValid", "a", None),
    ('<IotpPaymentApiRequest xmlns="urn:other"/>', "XmlNotValid", "IotpPaymentApiRequest", None),
    ("<IotpPaymentApiRequest/>", "ElMissing", "IotpPaymentApiRequest", None),
    (request("<Nothing/>"), "XmlNotValid", "Nothing", None),
    (request('<BrandItem BrandId="b"/>'), "ElUnexpected", "BrandItem", None),
    (request("<RemovePaymentLogResponse/>"), "ElUnexpected", "RemovePaymentLogResponse", None),
    (request(2 * '<RemovePaymentLog PayId="1"/>'), "ElUnexpected", "RemovePaymentLog", None),
    (request('words<RemovePaymentLog PayId="1"/>'), "ElContIllegal", "IotpPaymentApiRequest", None),
    (request('<RemovePaymentLog PayId="1"> </RemovePaymentLog>'), "ElContIllegal",
     "RemovePaymentLog", None),
    (request('<RemovePaymentLog PayId="1"/>', f'Who="me" xmlns="{NAMESPACE}"'), "AttUnexpected",
     "IotpPaymentApiRequest", "Who"),
    (request("<RemovePaymentLog/>"), "AttMissing", "RemovePaymentLog", "PayId"),
    (request('<RemovePaymentLog PayId="1" BrandId="b"/>'), "AttUnexpected", "RemovePaymentLog",
     "BrandId"),
    (request('<RemovePaymentLog PayId="123456789012345"/>'), "AttValIllegal", "RemovePaymentLog",
     "PayId"),
    (request(f'<RemovePaymentLog PayId="1" WalletID="{"w" * 33}"/>'), "AttValIllegal",
     "RemovePaymentLog", "WalletId"),
    (request('<RemovePaymentLog PayId="1" WalletID="a" WalletId="b"/>'), "ElInconsistent",
     "RemovePaymentLog", "WalletId"),
    (request(FIND.format("", "").replace("Debit", "Sideways")), "AttNotValid",
     "FindPaymentInstrument", "PayDirection"),
    (request(FIND.format("", "").replace("1.00", "1e3")), "AttNotValid", "FindPaymentInstrument",
     "Amount"),
    (request(FIND.format("", "").replace("1.00", "-1")), "AttNotValid", "FindPaymentInstrument",
     "Amount"),
    (request(FIND.format("", "").replace("1.00", "123456789.00")), "AttValIllegal",
     "FindPaymentInstrument", "Amount"),
    (request(FIND.format(' CurrCodeType="a b"', "")), "AttNotValid", "FindPaymentInstrument",
     "CurrCodeType"),
    (request(FIND.format("", "<PayProtocolPackagedContent/><BrandPackagedContent/>")),
     "ElUnexpected", "BrandPackagedContent", None),
    (request(FIND.format("", 2 * '<ProtocolBrand ProtocolId="P" ProtocolBrandId="b"/>')),
     "ElUnexpected", "ProtocolBrand", None),
    (request(FIND.format("", '<BrandPackagedContent Transform="ROT13"/>')), "AttNotValid",
     "BrandPackagedContent", "Transform"),
    (request(FIND.format("", '<BrandPackagedContent Transform="BASE64">?</BrandPackagedContent>')),
     "ElContIllegal", "BrandPackagedContent", None),
    (request(FIND.format("", "<BrandPackagedContent><Brand/></BrandPackagedContent>")),
     "ElUnexpected", "Brand", None),
    (request(FIND.format("", "<BrandPackagedContent><b/></BrandPackagedContent>")),
     "XmlNotValid", "b", None),
    (request(FIND.format("", '<x xmlns="urn:x"/>')), "XmlNotValid", "x", None),
    (request('<ContinueProcess PayId="1"/>'), "ElMissing", "PaySchemePackagedContent", None),
    (request('<Authenticate AuthenticationId="1"/>'), "ElMissing", "Algorithm", None),
    (request('<ManagePaymentSoftware Action="New" BrandId="b"/>'), "AttMissing",
     "ManagePaymentSoftware", "ProtocolId"),
    (request('<ResumePaymentConsumer ConsumerPayId="1" CallBackFunction="f"/>'), "AttMissing",
     "ResumePaymentConsumer", "CallBackLanguageList"),
    (request('<ChangeProcessState PayId="1" ProcessState="Failed"/>'), "AttMissing",
     "ChangeProcessState", "CompletionCode"),
    (request('<ChangeProcessState PayId="1" ProcessState="Failed" CompletionCode="Bored"/>'),
     "AttValNotRecog", "ChangeProcessState", "CompletionCode"),
    (request('<CallBack PayId="1" PercentComplete="101"/>'), "AttNotValid", "CallBack",
     "PercentComplete"),
    (request('<CallBack PayId="1" ProcessState="Suspended" PercentComplete="100"/>'),
     "ValueTooLarge", "CallBack", "PercentComplete"),
    (response(""), "ElMissing", "IotpPaymentApiResponse", None),
    (response('<StartPaymentPaymentHandlerResponse ContStatus="Continue"/>'), "ElMissing",
     "StartPaymentPaymentHandlerResponse", None),
    (response("<FindAcceptedPaymentProtocolResponse/>"), "ElMissing", "ProtocolItem", None),
    (response(ERROR.format("BusError", "HardError", "") + "<RemovePaymentLogResponse/>"),
     "ElInconsistent", "IotpPaymentApiResponse", None),
    (response(ERROR.format("BusError", "Warning", "")), "ElInconsistent",
     "IotpPaymentApiResponse", None),
    (response(ERROR.format("Oops", "HardError", "")), "AttValNotRecog", "ErrorResponse",
     "ErrorCode"),
    (response("<RemovePaymentLogResponse/>" + ERROR.format("BusError", "Warning", "")),
     "ElUnexpected", "ErrorResponse", None),
    (response('<ErrorResponse ErrorCode="BusError" ErrorDesc="d" Severity="HardError"/>'),
     "ElMissing", "ErrorLocation", None),
]  # fmt: skip


@pytest.mark.req("IX-008", "IX-010", "IX-095", "IX-096", "IX-112", "IX-062", "IX-066")
@pytest.mark.parametrize(
    ("data", "code", "element", "name"), FAULTS, ids=[f"{n}-{f[1]}" for n, f in enumerate(FAULTS)]
)
def test_every_fault_has_its_code_and_its_place(data, code, element, name):
    data = data if isinstance(data, bytes) else data.encode()
    with pytest.raises(Unreadable) as caught:
        codec.read(data)
    error = caught.value.error
    assert error.error_code == code, error.error_desc
    assert error.severity is Severity.HARD_ERROR
    assert error.error_locations[0].element_type == element
    assert error.error_locations[0].att_name == name
    assert codec.read(codec.write(Response(Answer(error=error)))).answer.error == error


def test_what_is_read_without_fault_is_valid_and_what_is_not_valid_has_a_fault():
    for text, *_ in FAULTS[1:]:
        data = text if isinstance(text, bytes) else text.encode()
        if DTD.violations(xml.read(data)):
            assert codec.faults_of(data)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.request.xml)
def test_each_required_attribute_is_missed_by_name(function):
    for shape, around in ((function.request, request), (function.response, response)):
        wanted = {one.xml for one in shape.attributes if one.required}
        faults = codec.faults_of(around(f"<{shape.xml}/>"))
        assert {one.attribute for one in faults if one.code == "AttMissing"} == wanted


@settings(max_examples=150)
@given(making.requests, making.st.data())
def test_damaged_documents_are_refused_or_read_never_anything_else(call, data):
    written = bytearray(codec.write(Request(call)))
    place = data.draw(making.st.integers(0, len(written) - 1))
    written[place] = data.draw(making.st.integers(0, 255))
    try:
        document = codec.read(bytes(written))
    except Unreadable:
        error = codec.faults_of(bytes(written))
        assert error
    else:
        assert DTD.violations(xml.read(codec.write(document))) == ()


def test_the_dtd_and_the_reader_agree_on_damaged_elements():
    call = REQUESTS["StartPaymentPaymentHandler"].request
    for attribute in call.attributes:
        good = f"<{call.xml} " + " ".join(
            f'{one.xml}="{_good(one)}"' for one in call.attributes if one is not attribute
        ) + "/>"  # fmt: skip
        found = codec.faults_of(request(good))
        invalid = DTD.violations(xml.read(request(good)))
        assert bool(found) == bool(invalid) or attribute.xml == "CallBackLanguageList"


def _good(attribute):
    kinds = {"AMOUNT": "1", "MOMENT": "1999-08-09T12:58:40.000Z+9"}
    if attribute.named.choice:
        return next(iter(attribute.named.choice))
    return kinds.get(attribute.named.kind.name, "x")


@pytest.mark.req("IX-060")
def test_amounts_are_decimals_that_may_be_smaller_than_any_coin():
    assert formats.amount("0.001") == Decimal("0.001")
    assert formats.write_amount(Decimal("1E+2")) == "100"
    for wrong in ("", "1,5", "+1", "-1", "1e2", "٣", "1.", "NaN"):
        assert formats.amount(wrong) is None


@pytest.mark.req("IX-061")
def test_currencies_are_iso_codes_unless_said_otherwise():
    read = codec.read_request(request(FIND.format("", ""))).call
    assert read.curr_code_type == "ISO4217-A"
    read = codec.read_request(request(FIND.format(' CurrCodeType="ISO-4217-A"', ""))).call
    assert read.curr_code_type == "ISO4217-A"
    assert b'CurrCodeType="ISO4217-A"' in codec.write(Request(read))


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("1999-08-09T12:58:40.000Z+9", 934171120_000000),
        ("1999-08-09T03:58:40Z", 934171120_000000),
        ("1999-08-09T02:58:40.250Z-1", 934171120_250000),
        ("1999-08-09T09:28:40+05:30", 934171120_000000),
        ("1999-08-09", None),
        ("1999-13-09T00:00:00Z", None),
        ("1999-08-09T12:58:40", None),
        ("1999-08-09T12:58:40Z+99", None),
    ],
)
def test_times_are_read_in_the_ways_they_are_written(text, iso):
    assert formats.instant(text) == iso
    if iso is not None:
        assert formats.instant(formats.write_instant(Instant(iso))) == iso


@pytest.mark.parametrize(
    ("printed", "meant"),
    [("BusinessError", "BusError"), ("AttValInvalid", "AttValIllegal"),
     ("EnCapProtoErr", "EncapProtErr"), ("PayEncapError", "EncapProtErr")],
)  # fmt: skip
def test_other_spellings_of_error_codes_are_read(printed, meant):
    data = response(ERROR.format(printed, "HardError", ""))
    assert codec.read_response(data).answer.error.error_code == meant


def test_other_spellings_of_completion_codes_are_read_and_user_codes_kept():
    text = '<ChangeProcessState PayId="1" ProcessState="Failed" CompletionCode="{}"/>'
    read = codec.read_request(request(text.format("PaymCancelled"))).call
    assert read.completion_code == "PaymtCancelled"
    assert codec.read_request(request(text.format("x-own"))).call.completion_code == "x-own"


def test_wallet_ids_are_read_in_both_spellings():
    read = codec.read_request(request('<InquirePendingPayment WalletId="w"/>')).call
    assert read == calls.InquirePendingPayment(wallet_id="w")
    assert b"WalletID=" in codec.write(Request(read))


@pytest.mark.req("I-142", "I-190", "I-233")
def test_pass_phrases_do_not_show_themselves():
    call = calls.InquirePendingPayment(wallet_id="w", passphrase=Secret("open sesame"))
    assert "sesame" not in repr(call)
    assert b"sesame" in codec.write(Request(call))
    long = request(f'<InquirePendingPayment Passphrase="sesame{"e" * 40}"/>')
    assert "sesame" not in codec.faults_of(long)[0].rule


def test_what_breaks_the_rules_is_not_written():
    with pytest.raises(LocalProtocolError):
        codec.write(Request(calls.RemovePaymentLog(pay_id="x" * 15)))
    with pytest.raises(LocalProtocolError):
        codec.write(Request(calls.ContinueProcess(pay_id="x", pay_scheme_packaged_content=())))


def test_a_response_to_another_call_is_refused():
    data = codec.write(Response(Answer(calls.RemovePaymentLogResponse())))
    codec.read_response(data, calls.RemovePaymentLog(pay_id="1"))
    with pytest.raises(Unreadable, match="no answer"):
        codec.read_response(data, calls.InquireProcessState(pay_id="1"))
    with pytest.raises(Unreadable):
        codec.read_request(data)


def test_a_document_without_namespace_and_one_with_a_prefix_are_read_alike():
    plain = b'<IotpPaymentApiRequest><RemovePaymentLog PayId="1"/></IotpPaymentApiRequest>'
    prefixed = (
        f'<p:IotpPaymentApiRequest xmlns:p="{NAMESPACE}"><p:RemovePaymentLog PayId="1"/>'
        "</p:IotpPaymentApiRequest>"
    ).encode()
    assert codec.read(plain) == codec.read(prefixed)


def test_documents_that_are_too_large_are_refused_as_such():
    with pytest.raises(Unreadable) as caught:
        codec.read(b"<a>" + b" " * 300_000 + b"</a>")
    assert caught.value.error.error_code == "MsgTooLarge"


@pytest.mark.req("IX-071")
@settings(max_examples=50)
@given(making.contents("PaySchemePackagedContent"))
def test_packaged_content_passes_unchanged(content):
    call = calls.ContinueProcess(pay_id="1", pay_scheme_packaged_content=(content,))
    read = codec.read_request(codec.write(Request(call))).call
    assert read.pay_scheme_packaged_content == (content,)
    assert content.data is not None


# Which codes leave the house


def error(code, *names, element="E", severity=Severity.HARD_ERROR):
    places = tuple(ErrorLocation(element_type=element, att_name=name) for name in names or (None,))
    return ErrorResponse(
        error_code=ErrorCode(code), error_desc="d", severity=severity, error_locations=places
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(error("ElNotValid"), "XmlNotValid", marks=pytest.mark.req("IX-041")),
        pytest.param(error("ElContIllegal"), "ElNotSupp", marks=pytest.mark.req("IX-042")),
        pytest.param(error("ElContIllegal", element="BrandPackagedContent"), "ElContIllegal",
                     marks=pytest.mark.req("IX-042")),
        pytest.param(error("AttNotValid", "x"), "XmlNotValid", marks=pytest.mark.req("IX-043")),
        pytest.param(error("AttValIllegal", "PaymentInstrumentId"), "UnknownError",
                     marks=pytest.mark.req("IX-044")),
        pytest.param(error("AttValIllegal", "WalletId"), "UnknownError",
                     marks=pytest.mark.req("IX-045")),
        pytest.param(error("AttMissing", "WalletID"), "UnknownError",
                     marks=pytest.mark.req("IX-045")),
        pytest.param(error("AttValIllegal", "Passphrase"), "TransportError",
                     marks=pytest.mark.req("IX-046")),
        pytest.param(error("SyntaxError"), "XmlNotValid", marks=pytest.mark.req("IX-047")),
        pytest.param(error("ReqRefused"), "TransportError", marks=pytest.mark.req("IX-048")),
        pytest.param(error("ReqNotSupp"), "UnknownError", marks=pytest.mark.req("IX-049")),
        pytest.param(error("BusError"), None, marks=pytest.mark.req("IX-050")),
        pytest.param(error("AttValIllegal", "PropertyTypeList"), None,
                     marks=pytest.mark.req("IX-052")),
        (error("AttValIllegal", "BrandId"), "AttValIllegal"),
    ],
)  # fmt: skip
def test_codes_are_replaced_before_they_leave(given, told):
    assert for_counterparty(given) == told


def test_all_other_codes_leave_as_they_are():
    local = {"ElNotValid", "ElContIllegal", "AttNotValid", "SyntaxError", "ReqRefused",
             "ReqNotSupp", "BusError"}  # fmt: skip
    for code in ErrorCode:
        if code not in local:
            assert for_counterparty(error(code)) is code


@pytest.mark.req("I-101", "I-140", "I-154")
def test_errors_about_wallets_say_what_is_wanted():
    assert about_wallet(error("AttMissing", "WalletId")) == "WalletId"
    assert about_wallet(error("AttValIllegal", "Passphrase")) == "Passphrase"
    assert about_wallet(error("AttValIllegal", "Amount")) == ""
    assert about_wallet(error("BusError", "WalletId")) == ""
    assert tells_secrets(error("AttMissing", "Passphrase"))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(error("SystemBusy"), marks=pytest.mark.req("IX-055")),
        pytest.param(error("MsgBeingProc"), marks=pytest.mark.req("IX-055")),
        pytest.param(error("ReqRefused", "a", "b", severity=Severity.TRANSIENT_ERROR),
                     marks=pytest.mark.req("IX-015")),
        pytest.param(
            ErrorResponse(error_code=ErrorCode.BUS_ERROR, error_desc="d",
                          error_locations=(ErrorLocation(element_type="E", iotp_msg_ref="M1"),)),
            marks=pytest.mark.req("IX-012"),
        ),
        pytest.param(
            ErrorResponse(error_code=ErrorCode.SYSTEM_BUSY, error_desc="d", min_retry_secs="1.5",
                          severity=Severity.TRANSIENT_ERROR,
                          error_locations=(ErrorLocation(element_type="E"),)),
            marks=pytest.mark.req("IX-013"),
        ),
    ],
)  # fmt: skip
def test_errors_against_the_rules_are_not_written(wrong):
    with pytest.raises(LocalProtocolError):
        codec.write(Response(Answer(error=wrong)))


def test_only_three_kinds_of_answers_are_legal():
    warning = error("BusError", severity=Severity.WARNING)
    done = calls.RemovePaymentLogResponse()
    Answer(done), Answer(done, warning), Answer(error=error("BusError"))
    for wrong in ((None, None), (None, warning), (done, error("BusError"))):
        with pytest.raises(ValueError, match=r"answer|warning"):
            Answer(*wrong)


def test_contents_say_when_they_are_no_base_64():
    with pytest.raises(ValueError, match="base 64"):
        Content(text="?", transform=making.PACKED).data  # noqa: B018
    assert PayDirection("Debit") is PayDirection.DEBIT
