"""Every request the tables allow is answered as they say; every one they forbid is refused so."""

import json

import pytest

from tests.faces.wpi.conformance import MATRIX, OFFERED, SERVICES, wrong
from tests.faces.wpi.terminal import INTENTS, Terminal, intent_of

FINANCIAL = [name for name in OFFERED if SERVICES[name]["type"] == "FINANCIAL"]
PRODUCT = {
    "itemId": 55,
    "label": "Carwash full",
    "unitAmount": 1191,
    "quantity": 1,
    "totalAmount": 1191,
    "currency": "EUR",
}
REQUESTS = {
    "WPI_SVC_PAYMENT": {"currency": "EUR", "requestedAmount": 1191},
    "WPI_SVC_CANCEL_PAYMENT": {"paymentSolutionReference": ""},
    "WPI_SVC_REFUND": {"currency": "EUR", "requestedAmount": 1191},
}
OF_TYPE = {"String": "text", "Integer": 1, "Boolean": True, "Array": []}


@pytest.fixture
def terminal():
    return Terminal()


def request_for(terminal, service):
    request = dict(REQUESTS[service])
    if service == "WPI_SVC_CANCEL_PAYMENT":
        request["paymentSolutionReference"] = terminal.pay().response["paymentSolutionReference"]
    return request


def field_cases(presence):
    return [
        pytest.param(
            service,
            field,
            rule,
            marks=pytest.mark.req(*filter(None, [rule.get("requirement")])),
            id=f"{service}-{field}",
        )
        for service in FINANCIAL
        for field, rule in SERVICES[service]["request"].items()
        if rule["presence"] in presence
    ]


@pytest.mark.parametrize(("service", "field", "rule"), field_cases(["mandatory"]))
@pytest.mark.parametrize("null", [True, False])
@pytest.mark.req("P-143")
def test_a_missing_mandatory_field_is_named(terminal, service, field, rule, null):
    request = request_for(terminal, service)
    del request[field]
    answer = terminal.send(service, request | ({field: None} if null else {}))
    assert answer.condition == "MISSING_MANDATORY_PARAMETER"
    assert field in answer.response["remark"]
    assert wrong(service, request, answer.response, card_used=False) == []


@pytest.mark.parametrize(("service", "field", "rule"), field_cases(["mandatory", "optional"]))
@pytest.mark.req("P-138")
def test_a_field_of_another_type_is_named(terminal, service, field, rule):
    right = rule["type"].partition("<")[0]
    for kind, value in OF_TYPE.items():
        lenient = field == "receiptFormat" and kind == "String"
        if kind == right or lenient:
            continue
        request = request_for(terminal, service) | {field: value}
        answer = terminal.send(service, request)
        assert answer.condition == "INVALID_TRANSACTION_REQ", (field, kind)
        assert field in answer.response["remark"]


@pytest.mark.parametrize("service", FINANCIAL)
@pytest.mark.parametrize("formats", [["FORMATTED"], ["JSON"], ["FORMATTED", "JSON"], [], None])
@pytest.mark.parametrize("echoed", [True, False])
@pytest.mark.req(
    "P-059", "P-060", "P-084", "P-093", "P-094", "P-095", "P-096", "P-105", "P-108", "P-113",
    "P-124", "P-125", "P-126", "P-307", "P-308",
    *(f"P-{n}" for n in range(216, 233)),
)  # fmt: skip
def test_a_success_has_exactly_the_fields_of_its_table(terminal, service, formats, echoed):
    request = request_for(terminal, service)
    if formats is not None:
        request["receiptFormat"] = formats
    if echoed:
        request |= {"reference": "order 7", "productRecords": [PRODUCT]}
    answer = terminal.send(service, request)
    response = answer.response
    card_used = SERVICES[service]["card_presented"]
    assert answer.condition == "NONE"
    assert (
        wrong(service, request, response, card_used=card_used, receipt_requested=formats != [])
        == []
    )
    assert response["authorizedAmount"] == 1191
    assert set(response.get("receipt", {})) == {
        f.lower() for f in (["FORMATTED"] if formats is None else formats)
    }
    if echoed:
        assert response["reference"] == "order 7"
        assert response["productRecords"] == [PRODUCT]


@pytest.mark.parametrize("service", ["WPI_SVC_PAYMENT", "WPI_SVC_REFUND"])
@pytest.mark.req("P-133", "P-218", "P-219", "P-228", "P-071", "P-072", "P-106")
def test_a_refusal_of_the_host_has_exactly_the_fields_of_its_table(terminal, service):
    request = {"currency": "EUR", "requestedAmount": 4205, "reference": "order 7"}
    answer = terminal.send(service, request)
    assert answer.condition == "HOST_REFUSAL"
    assert wrong(service, request, answer.response, card_used=True) == []
    assert answer.response["remark"] == "05 do not honour"
    assert answer.response["actionCode"] == "WPI_ACTION_CODE_NONE"


@pytest.mark.parametrize("item", ["itemId", "label", "unitAmount", "quantity", "totalAmount",
                                  "currency"])  # fmt: skip
@pytest.mark.req("P-086", "P-087", "P-088", "P-089", "P-090", "P-091", "P-092")
def test_a_product_record_has_all_its_fields(terminal, item):
    for value in (None, [], {}):
        record = PRODUCT | {item: value}
        answer = terminal.pay(productRecords=[record])
        assert answer.condition == "INVALID_TRANSACTION_REQ"
        assert item in answer.response["remark"]


@pytest.mark.req("P-018", "P-127", "P-371")
@pytest.mark.parametrize("service", [*sorted(set(SERVICES) - set(OFFERED)), "WPI_SVC_LOTTERY"])
def test_what_is_not_offered_answers_service_not_supported(terminal, service):
    answer = terminal.send(service, {})
    assert answer.condition == "SERVICE_NOT_SUPPORTED"
    assert answer.extras["WPI_SERVICE_TYPE"] == service
    assert service not in _announced(terminal)


@pytest.mark.req("P-370", "P-371", "P-369")
def test_what_is_announced_is_offered(terminal):
    information = terminal.send("WPI_SVC_PAYMENT_INFORMATION").response
    announced = information["paymentSolutionSupportedServiceTypes"]
    assert set(announced) == set(FINANCIAL)
    for brand in information["paymentInformation"]:
        assert set(brand["supportedServiceTypes"]) <= set(announced)
        assert set(brand["cancellableServiceTypes"]) <= set(brand["supportedServiceTypes"])


def _announced(terminal):
    information = terminal.send("WPI_SVC_PAYMENT_INFORMATION").response
    return information["paymentSolutionSupportedServiceTypes"]


@pytest.mark.req(
    "P-339", "P-041", "P-081", "P-118", "P-119", "P-120", "P-121", "P-122",
    *(f"P-{n}" for n in range(199, 216)),
    *(f"P-{n}" for n in range(348, 367)),
)  # fmt: skip
def test_payment_information_has_exactly_the_fields_of_its_table(terminal):
    answer = terminal.send("WPI_SVC_PAYMENT_INFORMATION")
    assert wrong("WPI_SVC_PAYMENT_INFORMATION", {}, answer.response, card_used=False) == []
    assert answer.response["supportReceiptDelegation"] is False
    printing = Terminal(prints_receipts=True).send("WPI_SVC_PAYMENT_INFORMATION").response
    assert printing["supportsReceiptDelegation"] is True


@pytest.mark.req("P-145", "P-368", "P-367")
@pytest.mark.parametrize("service", [*FINANCIAL, "WPI_SVC_PAYMENT_INFORMATION"])
def test_without_a_configuration_nothing_works(service):
    terminal = Terminal(initialized=False)
    request = {} if service == "WPI_SVC_PAYMENT_INFORMATION" else REQUESTS[service]
    answer = terminal.send(service, request)
    assert answer.condition == "NOT_INITIALIZED"
    assert wrong(service, request, answer.response, card_used=False) == []


# The order of checks (P-150): each request has all the faults from one step on, and the answer
# names the first.

FAULTS = [
    ("MISSING_MANDATORY_PARAMETER", {"WPI_VERSION": ""}, {}),
    ("WPI_VERSION_NOT_SUPPORTED", {"WPI_VERSION": "9.9"}, {}),
    ("SERVICE_NOT_SUPPORTED", {"intent": "com.example.OTHER"}, {}),
    ("SESSION_ID_ALREADY_IN_USE", {"session": "used"}, {}),
    ("MISSING_MANDATORY_PARAMETER", {}, {"currency": None}),
    ("INVALID_TRANSACTION_REQ", {}, {"reference": 7}),
    ("INVALID_CURRENCY", {}, {"currency": "XYZ"}),
    ("INVALID_AMOUNT", {}, {"requestedAmount": 0}),
    ("RECEIPT_DELEGATION_NOT_SUPPORTED", {}, {"receiptDelegation": True}),
]


@pytest.mark.req("P-150", "P-149", "P-080", "P-140", "P-141", "P-146", "P-147")
@pytest.mark.parametrize("step", range(len(FAULTS)))
def test_one_faulty_request_has_one_answer(terminal, step):
    terminal.pay(session="used")
    extras, request = {}, {"currency": "EUR", "requestedAmount": 1191}
    for _, more, fields in reversed(FAULTS[step:]):
        extras |= more
        request |= fields
    answer = terminal.send("WPI_SVC_PAYMENT", request, **extras)
    assert answer.condition == FAULTS[step][0]
    assert len(terminal.world.payments) == 1


# Extras and bytes (2)


@pytest.mark.req("P-010", "P-012", "P-013", "P-042", "P-014", "P-016", "P-017")
@pytest.mark.parametrize("name", ["WPI_SERVICE_TYPE", "WPI_VERSION", "WPI_SESSION_ID"])
def test_a_missing_extra_is_named_and_the_others_come_back(terminal, name):
    for value in (None, ""):
        extras = {"session": "s-9", name: value}
        answer = terminal.send("WPI_SVC_PAYMENT", REQUESTS["WPI_SVC_PAYMENT"], **extras)
        assert answer.condition == "MISSING_MANDATORY_PARAMETER"
        assert name in answer.response["remark"]
        assert answer.extras.get("WPI_SESSION_ID", "s-9") == "s-9"


@pytest.mark.req("P-011")
def test_wpi_request_is_mandatory_for_financial_services(terminal):
    answer = terminal.send("WPI_SVC_PAYMENT", None)
    assert answer.condition == "MISSING_MANDATORY_PARAMETER"
    assert "WPI_REQUEST" in answer.response["remark"]


@pytest.mark.req("P-011", "P-342")
@pytest.mark.parametrize("request_", [None, "", "{}", {}])
def test_where_there_is_no_data_any_empty_request_will_do(terminal, request_):
    answer = terminal.send("WPI_SVC_PAYMENT_INFORMATION", request_)
    assert answer.condition == "NONE"


@pytest.mark.req("P-052", "P-053", "P-054", "P-055", "P-057", "P-146")
@pytest.mark.parametrize("version", ["1.0", "2.1", "2.2", "3.0", "v2.0", "2", "2.0.1", "2.2ko", 2])
def test_another_version_is_refused_with_the_supported_ones(terminal, version):
    answer = terminal.send("WPI_SVC_PAYMENT", REQUESTS["WPI_SVC_PAYMENT"], WPI_VERSION=version)
    assert answer.condition == "WPI_VERSION_NOT_SUPPORTED"
    assert "supported: 2.0" in answer.response["remark"]
    assert answer.extras["WPI_VERSION"] == (version if isinstance(version, str) else "2.0")


MALFORMED = [
    "{",
    "nonsense",
    "[]",
    "7",
    '"text"',
    '{"currency":"EUR","currency":"EUR","requestedAmount":1}',
    '{"currency":"EUR","requestedAmount":NaN}',
    '{"currency":"EUR","requestedAmount":1e3}',
    '{"currency":"EUR","requestedAmount":11.91}',
    '{"currency":"EUR","requestedAmount":1234567890123456789}',
    '{"currency":"EUR","requestedAmount":true}',
    '{"currency":"EUR","requestedAmount":1,"reference":"\\ud800"}',
    '{"a":' * 30 + "1" + "}" * 30,
]


@pytest.mark.req("P-138", "P-139")
@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_json_is_an_invalid_request(terminal, text):
    answer = terminal.send("WPI_SVC_PAYMENT", text)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert answer.response["remark"]
    assert terminal.world.payments == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":1,"a":2}', b"null"])
def test_malformed_extras_are_answered_in_wpi_words(terminal, body):
    answers = []

    async def main():
        answers.append(await terminal.post(body, INTENTS["FINANCIAL"]))

    terminal.world.run(main())
    assert answers[0].status == 400
    assert answers[0].condition == "INVALID_TRANSACTION_REQ"


@pytest.mark.req("P-049")
@pytest.mark.parametrize("package", [None, "", "till", "com..example", "com.example/../x", "1.2"])
def test_without_a_package_name_nobody_is_served(terminal, package):
    answers = []
    extras = {"WPI_SERVICE_TYPE": "WPI_SVC_PAYMENT", "WPI_VERSION": "2.0", "WPI_SESSION_ID": "s"}

    async def main():
        body = json.dumps(extras)
        answers.append(await terminal.post(body, INTENTS["FINANCIAL"], package))

    terminal.world.run(main())
    assert answers[0].condition == "MISSING_MANDATORY_PARAMETER"
    assert "WPI-Package" in answers[0].response["remark"]


@pytest.mark.parametrize("name", ["WPI_SERVICE_TYPE", "WPI_SESSION_ID", "WPI_REQUEST"])
@pytest.mark.parametrize("value", [7, True, [], {"currency": "EUR"}])
def test_an_extra_that_is_no_string_is_named(terminal, name, value):
    answer = terminal.send("WPI_SVC_PAYMENT", REQUESTS["WPI_SVC_PAYMENT"], **{name: value})
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert name in answer.response["remark"]


@pytest.mark.req("P-040")
def test_a_service_type_through_another_intent():
    request = REQUESTS["WPI_SVC_PAYMENT"]
    for strict, condition in ((False, "NONE"), (True, "SERVICE_NOT_SUPPORTED")):
        terminal = Terminal(strict=strict)
        answer = terminal.send("WPI_SVC_PAYMENT", request, intent=INTENTS["MANAGEMENT"])
        assert answer.condition == condition
    terminal = Terminal()
    answer = terminal.send("WPI_SVC_PAYMENT", request, intent="com.example.OTHER")
    assert answer.condition == "SERVICE_NOT_SUPPORTED"
    assert intent_of("WPI_SVC_PAYMENT") in answer.response["remark"]


@pytest.mark.req("P-058")
def test_an_unknown_field_is_ignored_unless_strict():
    assert Terminal().pay(loyaltyPoints=3).condition == "NONE"
    answer = Terminal(strict=True).pay(loyaltyPoints=3)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "loyaltyPoints" in answer.response["remark"]


@pytest.mark.req("P-094")
def test_a_lone_receipt_format_is_taken_unless_strict():
    assert Terminal().pay(receiptFormat="JSON").response["receipt"]["json"]
    assert Terminal(strict=True).pay(receiptFormat="JSON").condition == "INVALID_TRANSACTION_REQ"
    assert Terminal().pay(receiptFormat=["PDF"]).condition == "INVALID_TRANSACTION_REQ"
    assert set(Terminal().pay(receiptFormat=["JSON", "JSON"]).response["receipt"]) == {"json"}


@pytest.mark.req("P-077", "P-078", "P-079", "P-080", "P-149")
@pytest.mark.parametrize(
    ("prints", "delegation", "condition"),
    [
        (False, None, "NONE"),
        (False, False, "NONE"),
        (False, True, "RECEIPT_DELEGATION_NOT_SUPPORTED"),
        (True, True, "NONE"),
        (True, False, "NONE"),
    ],
)
def test_receipt_delegation(prints, delegation, condition):
    terminal = Terminal(prints_receipts=prints)
    answer = terminal.pay(**({} if delegation is None else {"receiptDelegation": delegation}))
    assert answer.condition == condition


@pytest.mark.req("P-083", "P-084", "P-140", "P-141")
@pytest.mark.parametrize(
    ("amount", "currency", "condition"),
    [
        (0, "EUR", "INVALID_AMOUNT"),
        (-1, "EUR", "INVALID_AMOUNT"),
        (10**12, "EUR", "INVALID_AMOUNT"),
        (10**12 - 1, "EUR", "NONE"),
        (1, "EUR", "NONE"),
        (500, "JPY", "NONE"),
        (1000, "KWD", "NONE"),
        (1191, "eur", "INVALID_CURRENCY"),
        (1191, "", "INVALID_CURRENCY"),
        (1191, "978", "INVALID_CURRENCY"),
        (1191, "BGN", "INVALID_CURRENCY"),
        (1191, "SEK", "INVALID_CURRENCY"),
        (1191, "XAU", "INVALID_CURRENCY"),
    ],
)
def test_amounts_and_currencies(terminal, amount, currency, condition):
    assert terminal.pay(amount, currency).condition == condition


def test_every_condition_of_the_slice_is_one_of_the_standard():
    assert set(MATRIX["error_conditions"]) == set(MATRIX["enums"]["ErrorCondition"])
