"""The Payment API's types equal the standard's signatures, and its DTD."""

import ast
import dataclasses
import json
from importlib.resources import files
from io import BytesIO

import pytest
from lxml import etree

from tollbridge.faces.iotp.api import bridge, calls
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.names import ATTRIBUTES, PLAIN_NAMES, Kind
from tollbridge.faces.iotp.api.shapes import (
    FUNCTIONS,
    GROUPS,
    OBLIGATIONS,
    REQUESTS,
    RESPONSES,
    SHAPES,
)
from tollbridge.faces.iotp.api.words import (
    CODE_LETTERS_MAX,
    CompletionCode,
    ErrorCode,
    Obligation,
    Role,
)
from tools import iotp_api

SIGNATURES = json.loads(iotp_api.SIGNATURES.read_text())
DTD_BYTES = files("tollbridge.faces.iotp.dtd").joinpath("payment-api.dtd").read_bytes()
DTD = etree.DTD(BytesIO(DTD_BYTES))


@pytest.mark.parametrize("module", ["calls", "bridge"])
def test_the_written_modules_are_fresh(module):
    written = (iotp_api.API / f"{module}.py").read_text()
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(getattr(iotp_api, module)()))


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda one: one["request"])
def test_the_types_are_the_signatures(signature):
    function = REQUESTS[signature["request"]]
    assert function.name == signature["function"]
    assert function.section == signature["section"]
    assert function.response.xml == signature["response"]
    assert {role.value: word.value for role, word in function.roles.items()} == signature["roles"]
    for side in ("request", "response"):
        shape = getattr(function, side)
        wanted = [one for one in signature[f"{side}_attributes"] if one["name"] not in PLAIN_NAMES]
        assert [one.xml for one in shape.attributes] == [one["name"] for one in wanted]
        defaults = {item.name: item for item in dataclasses.fields(shape.type)}
        for attribute, one in zip(shape.attributes, wanted, strict=True):
            field = defaults[attribute.named.python]
            missing = field.default is dataclasses.MISSING
            assert attribute.required == missing == (one["default"] == "#REQUIRED")
            if attribute.default:
                assert str(field.default) == attribute.default == one["default"].strip("'")
            elif not missing:
                assert field.default in (None, ())
            assert _kind(attribute.named) == one["type"], one
        children = [(one.xml, one.occurs) for one in shape.children]
        assert children == [(one["element"], one["occurs"]) for one in signature[f"{side}_content"]]
        names = {item.name for item in dataclasses.fields(shape.type)}
        attributes = {one.named.python for one in shape.attributes}
        assert names == attributes | {one.python for one in shape.children}
        assert dataclasses.fields(shape.type) is not None
        assert shape.type.__dataclass_params__.frozen


def _kind(named):
    match named.kind:
        case Kind.CHOICE:
            return f"({'|'.join(named.choice)})"
        case Kind.TOKEN | Kind.CODE:
            return "NMTOKEN"
        case Kind.TOKENS:
            return "NMTOKENS"
        case _:
            return "CDATA"


def _declared():
    return {element.name: element for element in DTD.iterelements()}


@pytest.mark.req("IX-008", "IX-010")
def test_every_element_of_the_dtd_has_its_shape():
    wrappers = {"IotpPaymentApiRequest", "IotpPaymentApiResponse"}
    assert set(_declared()) == set(SHAPES) | wrappers


@pytest.mark.parametrize("tag", sorted(SHAPES))
def test_the_shapes_are_the_dtd(tag):
    declared, shape = _declared()[tag], SHAPES[tag]
    attributes = {
        f"{one.prefix}:{one.name}" if one.prefix else one.name: one
        for one in declared.iterattributes()
        if one.name not in PLAIN_NAMES
    }
    assert set(attributes) == {one.xml for one in shape.attributes}
    for one in shape.attributes:
        found = attributes[one.xml]
        assert (found.default == "required") == one.required
        assert (found.default_value or "") == one.default
        kinds = {"nmtoken": "NMTOKEN", "nmtokens": "NMTOKENS", "cdata": "CDATA", "id": "ID"}
        if found.type == "enumeration":
            assert list(found.itervalues()) == list(one.named.choice)
        elif one.named.kind not in (Kind.CHOICE, Kind.ID):
            assert _kind(one.named) == kinds[found.type]
    if shape.type is Content:
        assert declared.type == "mixed"
    elif tag != "Parameter":
        wanted = {"": "1", "opt": "?", "mult": "*", "plus": "+", "once": "1"}
        assert [(one.xml, one.occurs) for one in shape.children] == [
            (name, wanted[occurs]) for name, occurs in _content(declared.content)
        ]


def _content(model):
    if model is None:
        return []
    if model.type == "element":
        return [(model.name, model.occur)]
    return _content(model.left) + _content(model.right)


@pytest.mark.req("I-018", "I-019")
def test_starting_and_resuming_are_two_functions_each():
    for pair in (
        ("StartPaymentConsumer", "StartPaymentPaymentHandler"),
        ("ResumePaymentConsumer", "ResumePaymentPaymentHandler"),
    ):
        first, second = (REQUESTS[name] for name in pair)
        assert first.method != second.method
        assert [*first.roles] == [Role.CONSUMER]
        assert [*second.roles] == [Role.PAYMENT_HANDLER]


def test_there_are_24_functions_and_each_is_a_method():
    assert len(FUNCTIONS) == len(REQUESTS) == len(RESPONSES) == 24
    for one in FUNCTIONS:
        assert callable(getattr(bridge.PaymentBridge, one.method))
        assert issubclass(one.request.type, calls.Call)


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        pytest.param(
            "Brand Compilation",
            "FindAcceptedPaymentBrand FindAcceptedPaymentProtocol GetPaymentInitializationData"
            " InquireAuthChallenge CheckAuthResponse ChangeProcessState",
            marks=pytest.mark.req("I-001"),
        ),
        pytest.param(
            "Brand Selection",
            "FindPaymentInstrument CheckPaymentPossibility Authenticate ChangeProcessState",
            marks=pytest.mark.req("I-002"),
        ),
        pytest.param(
            "Payment Processing",
            "StartPaymentConsumer StartPaymentPaymentHandler ResumePaymentConsumer"
            " ResumePaymentPaymentHandler ContinueProcess ChangeProcessState",
            marks=pytest.mark.req("I-003"),
        ),
        pytest.param(
            "General Inquiry",
            "RemovePaymentLog PaymentInstrumentInquiry InquirePendingPayment",
            marks=pytest.mark.req("I-004"),
        ),
        pytest.param(
            "Payment Processing Related Inquiry",
            "CheckPaymentReceipt ExpandPaymentReceipt InquireProcessState StartPaymentInquiry"
            " InquirePaymentStatus ContinueProcess ChangeProcessState",
            marks=pytest.mark.req("I-005"),
        ),
        pytest.param("Other", "ManagePaymentSoftware CallBack", marks=pytest.mark.req("I-006")),
    ],
)
def test_the_groups_hold_what_the_standard_lists(group, wanted):
    assert set(GROUPS[group]) == set(wanted.split())
    assert set(GROUPS[group]) <= set(REQUESTS)


TABLE_1 = """
FindAcceptedPaymentBrand Merchant + I-033
FindAcceptedPaymentProtocol Merchant # I-034
FindPaymentInstrument Consumer + I-035
GetPaymentInitializationData Merchant + I-036
CheckPaymentPossibility Consumer + I-037
StartPaymentConsumer Consumer + I-038
StartPaymentPaymentHandler PaymentHandler + I-039
ResumePaymentConsumer Consumer # I-040
ResumePaymentPaymentHandler PaymentHandler # I-041
ContinueProcess Consumer + I-042
ContinueProcess PaymentHandler + I-043
InquireProcessState Consumer + I-044
InquireProcessState PaymentHandler + I-045
InquireProcessState Merchant ? I-046
ChangeProcessState Consumer + I-047
ChangeProcessState PaymentHandler + I-048
ChangeProcessState Merchant ? I-049
CheckPaymentReceipt Consumer + I-050
CheckPaymentReceipt PaymentHandler ? I-051
ExpandPaymentReceipt Consumer # I-052
ExpandPaymentReceipt PaymentHandler ? I-053
RemovePaymentLog Consumer ? I-054
RemovePaymentLog PaymentHandler ? I-055
RemovePaymentLog Merchant ? I-056
InquireAuthChallenge Merchant ? I-057
Authenticate Consumer + I-058
CheckAuthResponse Merchant ? I-059
PaymentInstrumentInquiry Consumer ? I-060
InquirePendingPayment Consumer # I-061
InquirePendingPayment PaymentHandler # I-062
StartPaymentInquiry Consumer ? I-063
InquirePaymentStatus PaymentHandler ? I-064
ManagePaymentSoftware Consumer # I-065
ManagePaymentSoftware PaymentHandler ? I-066
ManagePaymentSoftware Merchant ? I-067
CallBack Consumer # I-068
"""
SIGNS = {"+": Obligation.MUST, "#": Obligation.SHOULD, "?": Obligation.MAY}
CELLS = [line.split() for line in TABLE_1.strip().splitlines()]


@pytest.mark.parametrize(
    ("function", "role", "sign"),
    [
        pytest.param(function, role, sign, marks=pytest.mark.req(name), id=f"{role}-{function}")
        for function, role, sign, name in CELLS
    ],
)
def test_table_1_is_data(function, role, sign):
    assert OBLIGATIONS[Role(role)][function] is SIGNS[sign]


@pytest.mark.req("I-069")
def test_table_1_has_no_other_cells():
    assert sum(len(cells) for cells in OBLIGATIONS.values()) == len(CELLS)


@pytest.mark.req("IX-040")
def test_no_code_is_longer_than_14_letters():
    assert max(map(len, ErrorCode)) == CODE_LETTERS_MAX
    longer = {code for code in CompletionCode if len(code) > CODE_LETTERS_MAX}
    assert longer == {CompletionCode.INST_BRAND_INVALID}  # the standard's own
    assert len(ErrorCode) == 28


@pytest.mark.req("IX-059")
def test_the_recommended_maximum_lengths_are_in_the_table():
    wanted = {
        "Amount": 11, "BrandId": 128, "CompletionCode": 14, "ConsumerPayId": 14, "PayId": 14,
        "MerchantPayId": 14, "PaymentHandlerPayId": 14, "MerchantOrgId": 64, "CurrCodeType": 14,
        "CurrCode": 14, "OkFrom": 30, "OkTo": 30, "TimeStamp": 30, "Passphrase": 32,
        "WalletID": 32, "PaymentInstrumentId": 32, "PayReceiptNameRefs": 32, "PercentComplete": 3,
        "PropertyType": 14, "ProtocolId": 64, "ProtocolBrandId": 64, "StatusDesc": 256,
        "ErrorCode": 14,
    }  # fmt: skip
    assert {name: ATTRIBUTES[name].letters_max for name in wanted} == wanted
